/* replay.c - runs every file of the committed corpus through a harness: what a fuzzer once found stays found. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *data;
    size_t n;

    if (!f || fstat(fileno(f), &st)) {
        perror(path);
        exit(1);
    }
    if (!S_ISREG(st.st_mode)) {
        fclose(f);
        return 0;
    }
    data = malloc((size_t)st.st_size + 1);
    fuzz_require(data);
    n = fread(data, 1, (size_t)st.st_size, f);
    fclose(f);
    fprintf(stderr, "%s\n", path);      /* the last one before a crash */
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 1;
}

/* usage: replay_NAME [FILE...]; without a file all of t/fuzz/corpus/NAME */
int main(int argc, char **argv)
{
    const char *src = getenv("srcdir");
    char folder[2048], path[4096];
    struct dirent *e;
    int i, count = 0;
    DIR *d;

    for (i = 1; i < argc; i++)
        count += replay(argv[i]);
    if (argc == 1) {
        snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%s", src ? src : ".", FUZZ_NAME);
        if (!(d = opendir(folder))) {
            perror(folder);
            return 1;
        }
        while ((e = readdir(d))) {
            snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
            count += replay(path);
        }
        closedir(d);
    }
    printf("%s: %d inputs\n", FUZZ_NAME, count);
    return count == 0;
}
