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
    po_catalog *catalog;
    buyers_view view;
    int one;                            /* is there any match? The first that the buyer may see is let out */
    int begun;                          /* as po_search_match() says */
    int total;                          /* matches that the buyer may see */
    apr_uint64_t *key;                  /* the best of them, a heap: each is worse than those at 2i + 1 and 2i + 2 */
    int n, most;
} matches;

/* One number, the less the better: the score, else the shorter name, else the order of the catalog. */
static apr_uint64_t key_of(apr_int64_t rowid, int score)
{
    apr_uint64_t name = (apr_uint64_t)rowid & NAME_MOST, product = (apr_uint64_t)rowid >> PRODUCT_SHIFT;

    return (apr_uint64_t)(score < SCORE_MOST ? SCORE_MOST - score : 0) << (NUMBER_BITS + NAME_BITS)
           | name << NUMBER_BITS | product;
}

static void keep_if_better(matches *m, apr_uint64_t key)
{
    int i, child;

    if (m->n < m->most) {
        for (i = m->n++; i && m->key[(i - 1) / 2] < key; i = (i - 1) / 2)
            m->key[i] = m->key[(i - 1) / 2];
        m->key[i] = key;
    }
    else if (m->most && key < m->key[0]) {
        for (i = 0; (child = 2 * i + 1) < m->n; i = child) {
            if (child + 1 < m->n && m->key[child + 1] > m->key[child])
                child++;
            if (m->key[child] <= key)
                break;
            m->key[i] = m->key[child];
        }
        m->key[i] = key;
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

#define MATCHES "punchout matches"      /* the type of the pointer that the statement hands over */

/* The function keep(search, matches) of SQL takes each match in, inside the index's own loop, and lets no row out but for
 * matches.one. */
static void keep(const Fts5ExtensionApi *api, Fts5Context *match, sqlite3_context *out, int argc, sqlite3_value **argv)
{
    matches *m = argc == 1 ? sqlite3_value_pointer(argv[0], MATCHES) : NULL;
    apr_int64_t rowid = api->xRowid(match);
    int sum, seen = m && sees(&m->view, rowid), rc = m ? SQLITE_OK : SQLITE_MISUSE;

    if (seen && !m->one && (rc = score(api, match, m->begun, &sum)) == SQLITE_OK) {
        m->total++;
        keep_if_better(m, key_of(rowid, sum));
    }
    if (rc == SQLITE_OK)
        sqlite3_result_int(out, seen && m->one);
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

static int ask_index(matches *m, const char *question)
{
    sqlite3_stmt *s = po_catalog_statement(m->catalog, PO_MATCHES);
    int rc;

    if (!s)
        return SQLITE_ERROR;
    sqlite3_bind_text(s, 1, question, -1, SQLITE_STATIC);
    sqlite3_bind_pointer(s, 2, m, MATCHES, NULL);
    rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc;
}

/* One pass: counts what the buyer may see, and keeps the best. */
static apr_status_t find(const apr_array_header_t *words, matches *m, apr_pool_t *p)
{
    return ask_index(m, po_search_match(m->catalog, words, &m->begun, p)) == SQLITE_DONE ? APR_SUCCESS : APR_EGENERAL;
}

/* Corrections are made of what the buyer may see: else they would tell which words stand in what is hidden. */
static int is_seen(void *baton, const char *question)
{
    matches *m = baton;
    int rc;

    m->one = 1;
    rc = ask_index(m, question);
    m->one = 0;
    return rc == SQLITE_ROW;
}

static int by_key(const void *a, const void *b)
{
    const apr_uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static apr_status_t read_page(po_catalog *c, matches *m, int from, const po_buyer *buyer, apr_pool_t *p,
                              apr_array_header_t *out)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    qsort(m->key, (size_t)m->n, sizeof(apr_uint64_t), by_key);
    for (i = from; rv == APR_SUCCESS && i < m->n; i++) {
        apr_int64_t product = (apr_int64_t)(m->key[i] & (((apr_uint64_t)1 << NUMBER_BITS) - 1));
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
    matches *m = apr_pcalloc(p, sizeof(*m));
    apr_status_t rv;

    out->total = out->corrected = 0;
    out->offers = apr_array_make(p, page_size, sizeof(po_offer *));
    if (!words->nelts)
        return APR_SUCCESS;
    m->catalog = c;
    m->most = exists ? from + page_size : 0;
    m->key = apr_palloc(p, (apr_size_t)m->most * sizeof(apr_uint64_t));
    if ((rv = open_view(c, buyer, &m->view, p)) == APR_SUCCESS)
        rv = find(words, m, p);
    if (rv == APR_SUCCESS && !m->total && po_search_correct(c, words, is_seen, m, p)) {
        out->corrected = 1;
        rv = find(words, m, p);
    }
    out->total = m->total;
    return rv == APR_SUCCESS ? read_page(c, m, from, buyer, p, out->offers) : rv;
}
