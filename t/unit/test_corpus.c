/* test_corpus.c - documents of real procurement systems say to our reader what they say to XPath (corpus-table.sh). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "cxml/cxml.h"

#define SKIP 77
#define COLUMNS 23

static const char *heads[COLUMNS];
static int failures;

/* ---- a document as cells -------------------------------------------------------------------------------------- */

static const char *cell(const char *text)
{
    return text && *text ? text : "-";
}

static const char *party(const po_party *party_of, apr_pool_t *p)
{
    const char *all = NULL;
    int i;

    for (i = 0; i < party_of->count; i++)
        all = apr_pstrcat(p, all ? all : "", all ? "|" : "", party_of->cred[i].domain, ":", party_of->cred[i].identity,
                          NULL);
    return cell(all);
}

static const char *number(const po_decimal *d, apr_pool_t *p)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrdup(p, po_decimal_text(d, 0, text));
}

static const char *lines(const apr_array_header_t *items, apr_pool_t *p)
{
    const char *all = NULL;
    int i;

    for (i = 0; items && i < items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(items, i, po_cxml_item);

        all = apr_psprintf(p, "%s%s%d:%s:%s:%s:%s:%s:%s", all ? all : "", all ? "|" : "", item->line,
                           item->part ? item->part : "", item->auxiliary ? item->auxiliary : "",
                           number(&item->quantity, p), item->has_price ? number(&item->unit_price, p) : "",
                           item->currency ? item->currency : "", item->unit ? item->unit : "");
    }
    return cell(all);
}

static void setup_cells(const char **found, const po_cxml_setup *s)
{
    found[8] = cell(s->operation);
    found[9] = cell(s->buyer_cookie);
    found[10] = cell(s->return_url);
    found[11] = cell(s->user);
    found[12] = cell(s->email);
    found[13] = cell(s->user_name);
    found[14] = cell(s->selected_part);
}

static void order_cells(const char **found, const po_cxml_order *o, apr_pool_t *p)
{
    found[15] = cell(o->order_id);
    found[16] = cell(o->type);
    found[17] = cell(o->version);
    found[18] = cell(o->refers_to);
    found[19] = number(&o->total, p);
    found[20] = cell(o->currency);
}

static void cells(const char **found, const po_cxml *d, apr_pool_t *p)
{
    const apr_array_header_t *items = d->setup ? d->setup->items : d->order ? d->order->items : NULL;
    int i;

    for (i = 1; i < COLUMNS; i++)
        found[i] = "-";
    found[1] = d->status ? apr_itoa(p, d->status) : "ok";
    found[2] = cell(d->request);
    found[3] = cell(d->payload_id);
    found[4] = party(&d->from, p);
    found[5] = party(&d->to, p);
    found[6] = party(&d->sender, p);
    found[7] = d->test ? "1" : "0";
    if (d->setup)
        setup_cells(found, d->setup);
    if (d->order)
        order_cells(found, d->order, p);
    found[21] = apr_itoa(p, items ? items->nelts : 0);
    found[22] = lines(items, p);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

/* The whole file with a NUL behind it; NULL: it can't be read. */
static char *slurp(const char *path, apr_size_t *len, apr_pool_t *p)
{
    FILE *f = fopen(path, "rb");
    po_buffer b;
    char piece[4096];
    size_t n;

    if (!f)
        return NULL;
    po_buffer_init(&b, p, sizeof(piece));
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        po_buffer_add(&b, piece, n);
    fclose(f);
    *len = b.len;
    po_buffer_text(&b);
    return b.data;
}

static int split(char *line, const char **out)
{
    int n = 0;
    char *field;

    while ((field = strsep(&line, "\t")) && n < COLUMNS)
        out[n++] = field;
    return n;
}

static const po_user_map usual;

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
    po_cxml_read(reader, p, document, len, NULL, &d);
    if (d.setup)
        po_cxml_find_user(d.setup, &usual, p);
    cells(found, &d, p);
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
