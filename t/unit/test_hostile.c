/* test_hostile.c - each document of t/hostile.tsv has its Status, costs little and leaves the reader as it was.
 *
 * Without arguments: all of them, as a table. NAME [VARIANT]: that document's bytes go to standard output.
 * Around each reading stands a call access("/reading NAME"), for t/hostile.sh, which looks at what lies between.
 */
#include "hostile_documents.h"

#include <apr_general.h>
#include <apr_pools.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "cxml/cxml.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER 10
#else
#define SANITIZER 1
#endif
#define CPU_MOST (50.0 * SANITIZER)             /* ms */
#define MEMORY_MOST (10L * 1024 * SANITIZER)    /* KB */
#define TRIES 3                                 /* of what seems slow: others may use the machine's caches */

typedef struct {
    double ms;
    long kb;
    int status;                                 /* 200: accepted */
    const char *why;
} reading;

static int failures, clear_refs, self_status;
static apr_pool_t *messages;

/* ---- what it costs -------------------------------------------------------------------------------------------- */

/* A line of /proc/self/status in KB. The file is open from the start on: nothing is opened while a document is read. */
static long memory(const char *which)
{
    char text[4096];
    ssize_t n = pread(self_status, text, sizeof(text) - 1, 0);
    const char *at;

    text[n > 0 ? n : 0] = '\0';
    at = strstr(text, which);
    return at ? strtol(at + strlen(which), NULL, 10) : -1;
}

/* The kernel's high-water mark begins again at what is resident now. */
static long reset_peak(void)
{
    malloc_trim(0);
    if (pwrite(clear_refs, "5", 1, 0) != 1) {
        perror("/proc/self/clear_refs");
        exit(1);
    }
    return memory("VmRSS:");
}

static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void mark(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "/reading %s", name);
    access(path, F_OK);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static reading read_once(po_cxml_reader *r, const char *name, const hostile_document *d)
{
    reading x = { 0, 0, 200, "" };
    po_cxml doc;
    apr_pool_t *p;
    double before;
    long resident;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    resident = reset_peak();
    mark(name);
    before = cpu_ms();
    if (po_cxml_read(r, p, d->data, d->len, NULL, &doc) != APR_SUCCESS) {
        x.status = doc.status;
        x.why = apr_pstrdup(messages, doc.why ? doc.why : "(no reason)");
    }
    x.ms = cpu_ms() - before;
    mark("end");
    x.kb = memory("VmHWM:") - resident;
    apr_pool_destroy(p);
    return x;
}

static reading read_measured(po_cxml_reader *r, const char *name, const hostile_document *d)
{
    reading x = read_once(r, name, d);
    int i;

    for (i = 1; i < TRIES && x.ms > CPU_MOST; i++) {
        reading again = read_once(r, name, d);

        if (again.ms < x.ms)
            x.ms = again.ms;
    }
    return x;
}

static int same(const char *a, const char *b)
{
    return a && !strcmp(a, b);
}

/* The reader is as it was: the good document says the same as ever. */
static int reads_good(po_cxml_reader *r)
{
    hostile_document d;
    apr_pool_t *p;
    po_cxml doc;
    int good;

    hostile_good(&d);
    apr_pool_create(&p, NULL);
    good = po_cxml_read(r, p, d.data, d.len, NULL, &doc) == APR_SUCCESS && doc.kind == PO_CXML_SETUP && !doc.why
           && doc.from.count == 1 && same(doc.from.cred[0].identity, "buyer-1") && doc.sender.count == 1
           && same(doc.shared_secret, "acme-secret") && same(doc.setup->buyer_cookie, "bc-1") && !doc.setup->extrinsics
           && same(doc.setup->return_url, "https://buyer.example/return");
    apr_pool_destroy(p);
    free(d.data);
    return good;
}

static void wrong(const char *name, int variant, const char *what)
{
    fprintf(stderr, "%s %d: %s\n", name, variant, what);
    failures++;
}

static po_cxml_reader *new_reader(void)
{
    po_cxml_reader *r = po_cxml_reader_create();

    if (!r || !reads_good(r)) {
        fputs("a new reader does not read the good document\n", stderr);
        exit(1);
    }
    return r;
}

static void judge(const char *name, int variant, int status, const reading *x)
{
    if (x->status != status)
        wrong(name, variant, apr_psprintf(messages, "Status %d instead of %d: %s", x->status, status, x->why));
    if (x->ms > CPU_MOST)
        wrong(name, variant, apr_psprintf(messages, "%.1f ms of CPU", x->ms));
    if (x->kb > MEMORY_MOST)
        wrong(name, variant, apr_psprintf(messages, "%ld KB of memory", x->kb));
}

static void one(po_cxml_reader *used, const char *name, int variant, int status)
{
    po_cxml_reader *fresh = new_reader();
    hostile_document d;
    reading a, b;

    if (!hostile_make(name, variant, &d)) {
        wrong(name, variant, "is in the table, but there is no such document");
        po_cxml_reader_destroy(fresh);
        return;
    }
    a = read_measured(fresh, name, &d);
    b = read_measured(used, name, &d);
    judge(name, variant, status, &a);
    judge(name, variant, status, &b);
    if (!reads_good(fresh) || !reads_good(used))
        wrong(name, variant, "the good document behind it is not read as before");
    printf("%-38s %8zu %4d %7.2f %7.2f %6ld %6ld  %s\n", name, d.len, b.status, a.ms, b.ms, a.kb, b.kb, b.why);
    free(d.data);
    po_cxml_reader_destroy(fresh);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

static int variants_of(const char *name)
{
    const char *other;
    int i, variants;

    for (i = 0; (other = hostile_name(i, &variants)); i++)
        if (!strcmp(other, name))
            return variants;
    return 1;
}

/* Every document stands in the table, else its Status would be nobody's decision. */
static void all_listed(const char *table)
{
    const char *name;
    int i, variants;

    for (i = 0; (name = hostile_name(i, &variants)); i++)
        if (!strstr(table, apr_psprintf(messages, "\n%s\t", name)))
            wrong(name, 0, "is not in t/hostile.tsv");
}

static char *whole_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = apr_pcalloc(messages, 1 << 18);

    if (!f) {
        perror(path);
        exit(1);
    }
    if (fread(text, 1, (1 << 18) - 1, f) == 0)
        wrong(path, 0, "is empty");
    fclose(f);
    return text;
}

static void all(const char *table)
{
    po_cxml_reader *used = new_reader();
    char *line, *state, *copy = apr_pstrdup(messages, table);

    printf("%-38s %8s %4s %7s %7s %6s %6s\n", "", "", "Sta-", "ms, new", "ms,used", "KB,", "KB,");
    printf("%-38s %8s %4s %7s %7s %6s %6s\n", "document", "bytes", "tus", "reader", "reader", "new", "used");
    for (line = apr_strtok(copy, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        char *columns, *name = apr_strtok(line, "\t", &columns), *status = apr_strtok(NULL, "\t", &columns);
        int variant;

        if (!name || *name == '#' || !status || !strcmp(status, "-"))
            continue;
        for (variant = 0; variant < variants_of(name); variant++)
            one(used, name, variant, atoi(status));
    }
    po_cxml_reader_destroy(used);
}

static int print_document(const char *name, int variant)
{
    hostile_document d;
    int written;

    if (!hostile_make(name, variant, &d))
        return 1;
    written = fwrite(d.data, 1, d.len, stdout) == d.len && !fflush(stdout);
    free(d.data);
    return !written;
}

int main(int argc, char **argv)
{
    const char *source = getenv("srcdir"), *table;

    if (argc > 1)
        return print_document(argv[1], argc > 2 ? atoi(argv[2]) : 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    apr_initialize();
    apr_pool_create(&messages, NULL);
    xmlInitParser();
    self_status = open("/proc/self/status", O_RDONLY);
    clear_refs = open("/proc/self/clear_refs", O_WRONLY);
    table = whole_file(apr_psprintf(messages, "%s/t/hostile.tsv", source ? source : "."));
    all_listed(table);
    all(table);
    fflush(stdout);
    fprintf(stderr, "%d failures\n", failures);
    apr_terminate();
    return failures != 0;
}
