/* catalog_search.c - milliseconds for the first page of a search, beside the same question to SQLite alone.
 *
 * Usage: catalog_search CATALOG.json STATE-DIR
 * The catalog is compiled where that is still to be done. The words come from the compiled catalog itself. SQLite alone
 * means FTS5's own rank over the same file with the same settings, no matter who looks; for a typing error it gets the
 * words that were meant.
 */
#include "market/market.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#define PAGE 20
#define QUERIES 20                      /* of each class at most */
#define ROUNDS 5
#define RATIO 1.3                       /* the target, for the median: RATIO * SQLite's + MORE ms, and FIRST_PAGE ms */
#define MORE 1.0
#define FIRST_PAGE 20.0

typedef struct {
    const char *name;
    const char *queries;                /* SQL: what is typed, and what SQLite alone is asked for */
} query_class;

#define COMMON "(SELECT word w,row_number() OVER (ORDER BY products DESC,word) i FROM term WHERE length(word)>5)"
#define TWO_WORDS "SELECT a.w||' '||b.w,'\"'||a.w||'\" AND \"'||b.w||'\"*'" \
    " FROM " COMMON " a JOIN " COMMON " b ON b.i=a.i+"
#define TYPED(text, where) "SELECT " text ",'\"'||" text "||'\"*' FROM " COMMON " WHERE " where
static const query_class classes[] = {
    { "rare word", "SELECT word,'\"'||word||'\"*' FROM term WHERE length(word)>5 AND products<30 ORDER BY word"
      " LIMIT 20" },
    { "medium word", TYPED("w", "i BETWEEN 301 AND 320") },
    { "common word", TYPED("w", "i<=20") },
    { "commonest word", TYPED("w", "i=1") },
    { "two words, common", TWO_WORDS "1 WHERE a.i<=20" },
    { "two words, one rare", TWO_WORDS "5000 WHERE a.i<=20" },
    { "1 letter", "SELECT DISTINCT substr(w,1,1),'\"'||substr(w,1,1)||'\"*' FROM " COMMON " WHERE i<=40 LIMIT 20" },
    { "3 letters", TYPED("substr(w,1,3)", "i<=20") },
    { "5 letters", TYPED("substr(w,1,5)", "i<=20") },
    { "typing error", "SELECT substr(w,1,3)||substr(w,5,1)||substr(w,4,1)||substr(w,6),'\"'||w||'\"'"
      " FROM " COMMON " WHERE i<=20" },
    { "no hit", "SELECT 'qq'||w||'xx','\"qq'||w||'xx\"*' FROM " COMMON " WHERE i<=20" }
};

typedef struct {
    double ms[QUERIES * ROUNDS];
    int n;
} samples;

static apr_pool_t *pool;
static sqlite3 *db;
static sqlite3_stmt *direct;
static po_catalog *catalog;
static sqlite3_int64 most_heap;         /* bytes */

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "catalog_search: %s%s%s\n", what, db ? ": " : "", db ? sqlite3_errmsg(db) : "");
    exit(1);
}

static int by_time(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double part(samples *s, double share)
{
    qsort(s->ms, (size_t)s->n, sizeof(double), by_time);
    return s->ms[(int)(share * (s->n - 1))];
}

static void note(samples *s, apr_time_t since)
{
    s->ms[s->n++] = (double)(apr_time_now() - since) / 1000;
}

static int search_market(const char *typed, samples *s)
{
    const po_buyer buyer = { .name = "bench", .organization = "bench" };
    sqlite3_int64 used = sqlite3_memory_used(), most;
    apr_time_t since = apr_time_now();
    po_search_hits hits;
    apr_pool_t *p;

    sqlite3_memory_highwater(1);
    apr_pool_create(&p, pool);
    must(po_catalog_search(catalog, typed, &buyer, 1, PAGE, p, &hits) == APR_SUCCESS, "po_catalog_search()");
    apr_pool_destroy(p);
    note(s, since);
    most = sqlite3_memory_highwater(0);
    if (most - used > most_heap)
        most_heap = most - used;
    return hits.total;
}

static void search_directly(const char *match, samples *s)
{
    apr_time_t since = apr_time_now();
    int rc;

    sqlite3_bind_text(direct, 1, match, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(direct)) == SQLITE_ROW)
        ;
    must(rc == SQLITE_DONE, match);
    sqlite3_reset(direct);
    note(s, since);
}

static void measure(const query_class *class)
{
    samples market = { .n = 0 }, alone = { .n = 0 };
    int round, queries = 0, hits = 0;
    double median, limit;
    sqlite3_stmt *s;

    must(sqlite3_prepare_v2(db, class->queries, -1, &s, NULL) == SQLITE_OK, class->queries);
    while (queries < QUERIES && sqlite3_step(s) == SQLITE_ROW) {
        const char *typed = (const char *)sqlite3_column_text(s, 0), *match = (const char *)sqlite3_column_text(s, 1);
        int found = 0;

        for (round = 0; round < ROUNDS; round++) {      /* in turns, so that other work on the machine slows both */
            found = search_market(typed, &market);
            search_directly(match, &alone);
        }
        hits += found;
        queries++;
    }
    sqlite3_finalize(s);
    must(queries, "the catalog has too few words");
    median = part(&market, 0.5);
    limit = part(&alone, 0.5);
    printf("search %-20s %2d queries, %6d hits each   median %6.2f ms  p99 %6.2f   ", class->name, queries,
           hits / queries, median, part(&market, 0.99));
    printf("SQLite alone %6.2f  p99 %6.2f   ratio %5.2f   %s\n", limit, part(&alone, 0.99), median / limit,
           median <= RATIO * limit + MORE && median <= FIRST_PAGE ? "within target" : "ABOVE TARGET");
}

/* As po_catalog_open() has them; and the words of the index, with the number of products that each is in. */
static const char settings[] =
    "PRAGMA mmap_size=1073741824; PRAGMA cache_size=-128; PRAGMA temp_store=MEMORY; BEGIN;"
    "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, search, row);"
    "CREATE TEMP TABLE term AS SELECT term word,doc products FROM temp.vocabulary";
static const char best_first[] =
    "SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rank LIMIT " APR_STRINGIFY(PAGE);

static void prepare(const char *file, const char *dir)
{
    const char *compiled, *wrong = po_catalog_compile(file, dir, &compiled, pool);
    struct stat json, made;

    must(!wrong, wrong);
    must(!stat(file, &json) && !stat(compiled, &made), compiled);
    printf("%.0f MB of JSON, %.0f MB of database\n", (double)json.st_size / 1e6, (double)made.st_size / 1e6);
    must(po_catalog_open(&catalog, compiled, pool) == APR_SUCCESS, compiled);
    must(sqlite3_open_v2(compiled, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
         && sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK
         && sqlite3_prepare_v2(db, best_first, -1, &direct, NULL) == SQLITE_OK, "can't be asked directly");
}

int main(int argc, char **argv)
{
    apr_size_t i;

    must(argc == 3, "usage: catalog_search CATALOG.json STATE-DIR");
    apr_initialize();
    apr_pool_create(&pool, NULL);
    prepare(argv[1], argv[2]);
    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        measure(&classes[i]);
    printf("heap that SQLite took for one of these searches at most: %.1f MB\n", (double)most_heap / 1048576);
    sqlite3_finalize(direct);
    sqlite3_close(db);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
