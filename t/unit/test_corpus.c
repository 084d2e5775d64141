/* test_corpus.c - documents of real procurement systems say to our reader what they say to XPath (corpus-table.sh). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "document_cells.h"

#define SKIP 77

static const char *heads[COLUMNS];
static int failures;

/* ---- the table ------------------------------------------------------------------------------------------------ */

static int split(char *line, const char **out)
{
    int n = 0;
    char *field;

    while ((field = strsep(&line, "\t")) && n < COLUMNS)
        out[n++] = field;
    return n;
}

static void check_row(po_cxml_reader *reader, const char *corpus, const char **want, apr_pool_t *p)
{
    const char *found[COLUMNS];
    apr_size_t len;
    char *document = slurp(apr_pstrcat(p, corpus, "/", want[0], NULL), &len, p);
    po_cxml d;
    int i;

    if (!document) {
        printf("%s: can't be read: %s\n", want[0], strerror(errno));
        failures++;
        return;
    }
    read_cells(found, &d, reader, document, len, p);
    for (i = 1; i < COLUMNS; i++)
        if (strcmp(found[i], want[i])) {
            printf("%s: %s: expected \"%s\", found \"%s\"\n", want[0], heads[i], want[i], found[i]);
            failures++;
        }
}

static int check_table(char *table, const char *corpus, apr_pool_t *p)
{
    po_cxml_reader *reader = po_cxml_reader_create();
    const char *want[COLUMNS];
    char *line;
    int rows = 0;

    if (split(strsep(&table, "\n"), heads) != COLUMNS)
        failures++;
    while ((line = strsep(&table, "\n")) && *line) {
        if (split(line, want) == COLUMNS)
            check_row(reader, corpus, want, p);
        else {
            printf("row %d of corpus-table.tsv has not %d columns\n", rows + 2, COLUMNS);
            failures++;
        }
        rows++;
    }
    po_cxml_reader_destroy(reader);
    return rows;
}

int main(void)
{
    const char *shared = getenv("PUNCHOUT_SHARED"), *srcdir = getenv("srcdir"), *corpus;
    apr_pool_t *pool;
    apr_size_t len;
    char *table;
    int rows = 0;

    apr_initialize();
    xmlInitParser();
    apr_pool_create(&pool, NULL);
    corpus = apr_pstrcat(pool, shared ? shared : "", "/corpus", NULL);
    if (!shared || !slurp(apr_pstrcat(pool, corpus, "/PROVENANCE.tsv", NULL), &len, pool)) {
        puts("skipped: PUNCHOUT_SHARED does not name a folder that holds corpus/");
        return SKIP;
    }
    table = slurp(apr_pstrcat(pool, srcdir ? srcdir : ".", "/t/corpus-table.tsv", NULL), &len, pool);
    if (table)
        rows = check_table(table, corpus, pool);
    printf("%d documents, %d differences\n", rows, failures);
    apr_pool_destroy(pool);
    xmlCleanupParser();
    apr_terminate();
    return rows && !failures ? 0 : 1;
}
