/* search.c - finding products in the compiled catalog's full text (SQLite's FTS5), best first.
 *
 * A common word stands in every third product, so what is done for each match decides how long a search takes. FTS5's
 * own rank reads another table for each. Here all that counts is in the index itself: where each word stands, and the
 * rest in the match's rowid.
 */
#include "market/market_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* ---- the rowid --------------------------------------------------------------------------------------------------- */

/* From its lowest bit: how many words the name has, the number of those who may see the product, its own number. */
#define NAME_BITS 3
#define NAME_MOST ((1 << NAME_BITS) - 1)
#define AUDIENCE_BITS 12
#define AUDIENCES (1 << AUDIENCE_BITS)          /* 0: one of a greater number; the product is asked instead */
#define PRODUCT_SHIFT (NAME_BITS + AUDIENCE_BITS)

apr_int64_t po_search_rowid(apr_int64_t product, apr_int64_t audience, const char *name, apr_pool_t *p)
{
    int words = po_search_words(name, p)->nelts;

    return product << PRODUCT_SHIFT | (audience < AUDIENCES ? audience : 0) << NAME_BITS
           | (words < NAME_MOST ? words : NAME_MOST);
}

/* ---- who may see it ---------------------------------------------------------------------------------------------- */

typedef struct {
    sqlite3_stmt *audience, *product;   /* ask one whether the buyer belongs to it, may see it */
    unsigned char asked[AUDIENCES], belongs[AUDIENCES];
} buyers_view;

static apr_status_t open_view(po_catalog *c, const po_buyer *buyer, buyers_view *v, apr_pool_t *p)
{
    v->audience = po_catalog_statement(c, PO_IN_AUDIENCE);
    v->product = po_catalog_statement(c, PO_SEES_PRODUCT);
    if (!v->audience || !v->product)
        return APR_EGENERAL;
    po_catalog_bind_buyer(v->audience, buyer, p);
    po_catalog_bind_buyer(v->product, buyer, p);
    return APR_SUCCESS;
}

static int ask(sqlite3_stmt *s, apr_int64_t number)
{
    int yes;

    sqlite3_bind_int64(s, 3, number);
    yes = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    return yes;
}

static int sees(buyers_view *v, apr_int64_t rowid)
{
    unsigned audience = (unsigned)(rowid >> NAME_BITS) % AUDIENCES;

    if (!audience)
        return ask(v->product, rowid >> PRODUCT_SHIFT);
    if (!v->asked[audience]) {
        v->asked[audience] = 1;
        v->belongs[audience] = (unsigned char)ask(v->audience, audience);
    }
    return v->belongs[audience];
}

/* ---- the best ---------------------------------------------------------------------------------------------------- */

/* What it is worth that a word stands in name, seller, keywords, description: bits, so that each is worth more than all
 * lesser ones together. */
static const int worth[] = { 8, 2, 4, 1 };
#define COLUMNS ((int)(sizeof(worth) / sizeof(worth[0])))
#define SCORE_MOST 4095
#define NUMBER_BITS 48

typedef struct {
    buyers_view view;
    int begun;                          /* as po_search_match() says */
    int total;                          /* matches that the buyer may see */
    apr_uint64_t *key;                  /* the best of them, a heap: each is worse than those at 2i + 1 and 2i + 2 */
    int n, most;
} hunt;

/* One number, the less the better: the score, else the shorter name, else the order of the catalog. */
static apr_uint64_t key_of(apr_int64_t rowid, int score)
{
    apr_uint64_t name = (apr_uint64_t)rowid & NAME_MOST, product = (apr_uint64_t)rowid >> PRODUCT_SHIFT;

    return (apr_uint64_t)(score < SCORE_MOST ? SCORE_MOST - score : 0) << (NUMBER_BITS + NAME_BITS)
           | name << NUMBER_BITS | product;
}

static void keep_if_better(hunt *h, apr_uint64_t key)
{
    int i, child;

    if (h->n < h->most) {
        for (i = h->n++; i && h->key[(i - 1) / 2] < key; i = (i - 1) / 2)
            h->key[i] = h->key[(i - 1) / 2];
        h->key[i] = key;
    }
    else if (h->most && key < h->key[0]) {
        for (i = 0; (child = 2 * i + 1) < h->n; i = child) {
            if (child + 1 < h->n && h->key[child + 1] > h->key[child])
                child++;
            if (h->key[child] <= key)
                break;
            h->key[i] = h->key[child];
        }
        h->key[i] = key;
    }
}

/* The last word counts once where a word begins with it, and once more where it is the whole word; others twice. */
static int score(const Fts5ExtensionApi *api, Fts5Context *match, int begun, int *sum)
{
    int i, column, last = 0, rc = SQLITE_OK, phrases = api->xPhraseCount(match), whole = phrases - begun;

    *sum = 0;
    for (i = 0; i < phrases && rc == SQLITE_OK; i++) {
        Fts5PhraseIter at;
        int places = 0;

        rc = api->xPhraseFirstColumn(match, i, &at, &column);
        for (; rc == SQLITE_OK && column >= 0 && column < COLUMNS; api->xPhraseNextColumn(match, &at, &column))
            places |= worth[column];
        *sum += i < whole ? 2 * places : i == whole ? places : 0;
        last |= i < whole ? 0 : places;
    }
    *sum += last;
    return rc;
}

#define HUNT "punchout hunt"            /* the type of the pointer that the statement hands over */

/* The function keep(search, hunt) of SQL takes each match in, inside the index's own loop, and lets no row out. */
static void keep(const Fts5ExtensionApi *api, Fts5Context *match, sqlite3_context *out, int argc, sqlite3_value **argv)
{
    hunt *h = argc == 1 ? sqlite3_value_pointer(argv[0], HUNT) : NULL;
    apr_int64_t rowid = api->xRowid(match);
    int sum, rc = SQLITE_MISUSE;

    if (h && !sees(&h->view, rowid))
        rc = SQLITE_OK;
    else if (h && (rc = score(api, match, h->begun, &sum)) == SQLITE_OK) {
        h->total++;
        keep_if_better(h, key_of(rowid, sum));
    }
    if (rc == SQLITE_OK)
        sqlite3_result_int(out, 0);
    else
        sqlite3_result_error_code(out, rc);
}

int po_search_add_function(void *db)
{
    sqlite3_stmt *s;
    fts5_api *api = NULL;

    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &s, NULL) != SQLITE_OK)
        return 0;
    sqlite3_bind_pointer(s, 1, &api, "fts5_api_ptr", NULL);
    sqlite3_step(s);
    sqlite3_finalize(s);
    return api && api->xCreateFunction(api, "keep", NULL, keep, NULL) == SQLITE_OK;
}

/* ---- hits -------------------------------------------------------------------------------------------------------- */

/* One pass: counts what the buyer may see, and keeps the best. */
static apr_status_t find(po_catalog *c, const apr_array_header_t *words, hunt *h, apr_pool_t *p)
{
    sqlite3_stmt *s = po_catalog_statement(c, PO_MATCHES);
    int rc;

    if (!s)
        return APR_EGENERAL;
    sqlite3_bind_text(s, 1, po_search_match(c, words, &h->begun, p), -1, SQLITE_STATIC);
    sqlite3_bind_pointer(s, 2, h, HUNT, NULL);
    rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? APR_SUCCESS : APR_EGENERAL;
}

static int by_key(const void *a, const void *b)
{
    const apr_uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static apr_status_t read_page(po_catalog *c, hunt *h, int from, const po_buyer *buyer, apr_pool_t *p,
                              apr_array_header_t *out)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    qsort(h->key, (size_t)h->n, sizeof(apr_uint64_t), by_key);
    for (i = from; rv == APR_SUCCESS && i < h->n; i++) {
        apr_int64_t product = (apr_int64_t)(h->key[i] & (((apr_uint64_t)1 << NUMBER_BITS) - 1));
        po_offer *o;

        if ((rv = po_catalog_first(c, product, buyer, p, &o)) == APR_SUCCESS)
            APR_ARRAY_PUSH(out, po_offer *) = o;
    }
    return rv;
}

apr_status_t po_catalog_search(po_catalog *c, const char *query, const po_buyer *buyer, int page, int page_size,
                               apr_pool_t *p, po_search_hits *out)
{
    apr_array_header_t *words = po_search_words(query, p);
    int exists = page >= 1 && page <= PO_SEARCH_PAGES, from = exists ? (page - 1) * page_size : 0;
    hunt *h = apr_pcalloc(p, sizeof(*h));
    apr_status_t rv;

    out->total = out->corrected = 0;
    out->offers = apr_array_make(p, page_size, sizeof(po_offer *));
    if (!words->nelts)
        return APR_SUCCESS;
    h->most = exists ? from + page_size : 0;
    h->key = apr_palloc(p, (apr_size_t)h->most * sizeof(apr_uint64_t));
    if ((rv = open_view(c, buyer, &h->view, p)) == APR_SUCCESS)
        rv = find(c, words, h, p);
    if (rv == APR_SUCCESS && !h->total && po_search_correct(c, words, p)) {
        out->corrected = 1;
        rv = find(c, words, h, p);
    }
    out->total = h->total;
    return rv == APR_SUCCESS ? read_page(c, h, from, buyer, p, out->offers) : rv;
}
