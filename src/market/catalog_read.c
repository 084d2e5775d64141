/* catalog_read.c - the compiled catalog as its readers see it: offers, products, and who may see which. */
#include "market/market_private.h"

#include <string.h>

#include <sqlite3.h>

/* Who looks: ?1 an organization, ?2 the sellers of PunchOutSellers, each framed by newlines as po_offer says; NULL: any. */
#define IN(list) "instr(" list ",?1)"
#define VISIBLE(t) \
    "(?2 IS NULL OR instr(?2,char(10)||" t ".seller||char(10))) AND" \
    " (" t ".allowed IS NULL OR " IN(t ".allowed") ") AND (" t ".denied IS NULL OR NOT " IN(t ".denied") ") AND" \
    " (" t ".private_to IS NULL OR " IN(t ".private_to") ")"
#define OFFER_COLUMNS \
    "SELECT p.id,p.name,p.description,p.seller,p.image,p.terms_url,p.terms_version," \
    "o.id,o.pricing,o.price,o.currency,o.term,o.unit,p.allowed,p.denied,o.organizations,o.n" \
    " FROM offer o JOIN product p ON p.n=o.product "
#define COLUMN_N 16

static const char *const sql[PO_CATALOG_QUERIES] = {
    [PO_BY_OFFER] = OFFER_COLUMNS "WHERE o.id=?1",
    [PO_BY_PRODUCT] = OFFER_COLUMNS "WHERE p.id=?1 ORDER BY o.n",
    [PO_BY_NUMBER] = OFFER_COLUMNS "WHERE o.product=?1 ORDER BY o.n",
    [PO_USAGE_OF] = "SELECT dimension,description,unit,price FROM usage WHERE offer=?1 ORDER BY position",
    [PO_WALK] = "SELECT p.n FROM product p WHERE " VISIBLE("p") " AND p.changed>=?3 ORDER BY p.id",
    /* what the buyer saw until it went or changed its audience, and can't see now */
    [PO_WALK_GONE] = "SELECT DISTINCT g.id FROM gone g WHERE " VISIBLE("g") " AND g.at>=?3 AND NOT EXISTS"
                     " (SELECT 1 FROM product p WHERE p.id=g.id AND " VISIBLE("p") ") ORDER BY g.id",
    [PO_COUNT] = "SELECT count(*) FROM product p WHERE " VISIBLE("p") " AND p.changed>=?3",
    [PO_COUNT_GONE] = "SELECT count(DISTINCT g.id) FROM gone g WHERE " VISIBLE("g") " AND g.at>=?3 AND NOT EXISTS"
                      " (SELECT 1 FROM product p WHERE p.id=g.id AND " VISIBLE("p") ")",
    [PO_MATCHES] = "SELECT 1 FROM search WHERE search MATCH ?1 AND keep(search,?2)",
    [PO_IN_AUDIENCE] = "SELECT 1 FROM audience a WHERE a.n=?3 AND " VISIBLE("a"),
    [PO_SEES_PRODUCT] = "SELECT 1 FROM product p WHERE p.n=?3 AND " VISIBLE("p"),
    [PO_BEGUN] = "SELECT text FROM word WHERE text>?1 AND text<?1||char(1114111) LIMIT ?2",
    [PO_WORDS] = "SELECT list FROM words WHERE length BETWEEN ?1 AND ?2",
    [PO_FINEST] = "SELECT seller,offer,price,decimals,usage FROM finest"
};

static apr_status_t close_catalog(void *baton)
{
    po_catalog *c = baton;
    int i;

    for (i = 0; i < PO_CATALOG_QUERIES; i++)
        sqlite3_finalize(c->query[i]);
    sqlite3_close(c->db);
    return APR_SUCCESS;
}

/* SQLite's URI of a path: immutable=1 spares every lock and every look for a journal. */
static const char *uri_of(const char *path, apr_pool_t *p)
{
    char *uri = apr_palloc(p, 3 * strlen(path) + sizeof("file:?immutable=1")), *o = uri + 5;

    memcpy(uri, "file:", 5);
    for (; *path; path++) {
        if (*path == '?' || *path == '#' || *path == '%') {
            apr_snprintf(o, 4, "%%%02X", (unsigned)*path);
            o += 3;
        } else {
            *o++ = *path;
        }
    }
    strcpy(o, "?immutable=1");
    return uri;
}

/* Mapped, so that all threads of all children share the pages instead of copying them into a cache each. The cache that
 * SQLite made before it was told is given back: each thread would hold it for nothing. */
static const char settings[] = "PRAGMA mmap_size=1073741824; PRAGMA cache_size=-16; PRAGMA temp_store=MEMORY;"
                               "PRAGMA shrink_memory;";

apr_status_t po_catalog_open(po_catalog **catalog, const char *path, apr_pool_t *p)
{
    po_catalog *c = apr_pcalloc(p, sizeof(*c));
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(uri_of(path, p), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);

    c->db = db;
    apr_pool_cleanup_register(p, c, close_catalog, apr_pool_cleanup_null);
    if (rc != SQLITE_OK || sqlite3_exec(db, settings, NULL, NULL, NULL) != SQLITE_OK || !po_search_add_function(db)
        || !po_catalog_statement(c, PO_BY_OFFER)) {
        apr_pool_cleanup_run(p, c, close_catalog);
        return APR_EGENERAL;
    }
    *catalog = c;
    return APR_SUCCESS;
}

void *po_catalog_statement(po_catalog *c, po_catalog_query q)
{
    sqlite3_stmt *s = c->query[q];

    if (s) {
        sqlite3_reset(s);
        sqlite3_clear_bindings(s);
        return s;
    }
    if (sqlite3_prepare_v3(c->db, sql[q], -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        return NULL;
    return c->query[q] = s;
}

/* ---- who may see it ---------------------------------------------------------------------------------------------- */

static int names(const char *list, const char *organization)
{
    apr_size_t len = strlen(organization);
    const char *found = list;

    while ((found = strstr(found, organization))) {
        if (found > list && found[-1] == '\n' && found[len] == '\n')
            return 1;
        found++;
    }
    return 0;
}

int po_offer_visible(const po_offer *o, const po_buyer *buyer)
{
    const char *organization = buyer->organization ? buyer->organization : buyer->name;

    return (!o->allowed || names(o->allowed, organization)) && (!o->denied || !names(o->denied, organization))
           && (!o->organizations || names(o->organizations, organization)) && po_sells_to(buyer, o->seller);
}

static const char *sellers_of(const po_buyer *buyer, apr_pool_t *p)
{
    if (!buyer->sellers || !buyer->sellers->nelts)
        return NULL;
    return apr_pstrcat(p, "\n", apr_array_pstrcat(p, buyer->sellers, '\n'), "\n", NULL);
}

void po_catalog_bind_buyer(void *statement, const po_buyer *buyer, apr_pool_t *p)
{
    const char *organization = buyer->organization ? buyer->organization : buyer->name;

    sqlite3_bind_text(statement, 1, apr_pstrcat(p, "\n", organization, "\n", NULL), -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, sellers_of(buyer, p), -1, SQLITE_STATIC);
}

/* ---- offers ------------------------------------------------------------------------------------------------------ */

static const char *column(sqlite3_stmt *s, int n, apr_pool_t *p)
{
    const unsigned char *text = sqlite3_column_text(s, n);

    return text ? apr_pstrmemdup(p, (const char *)text, (apr_size_t)sqlite3_column_bytes(s, n)) : NULL;
}

static apr_status_t column_price(sqlite3_stmt *s, int n, po_decimal *price)
{
    return po_decimal_parse(price, (const char *)sqlite3_column_text(s, n), -1);
}

static apr_status_t read_usage(po_catalog *c, sqlite3_int64 offer, po_offer *o, apr_pool_t *p)
{
    sqlite3_stmt *s = po_catalog_statement(c, PO_USAGE_OF);
    apr_status_t rv = APR_SUCCESS;
    int rc;

    if (!s)
        return APR_EGENERAL;
    sqlite3_bind_int64(s, 1, offer);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && rv == APR_SUCCESS) {
        po_usage u = { column(s, 0, p), column(s, 1, p), column(s, 2, p) };

        rv = column_price(s, 3, &u.price);
        if (!o->usage)
            o->usage = apr_array_make(p, 4, sizeof(po_usage));
        APR_ARRAY_PUSH(o->usage, po_usage) = u;
    }
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? rv : APR_EGENERAL;
}

static apr_status_t read_offer(po_catalog *c, sqlite3_stmt *s, apr_pool_t *p, po_offer **out)
{
    po_offer *o = apr_pcalloc(p, sizeof(*o));
    const char **texts[COLUMN_N] = { &o->product, &o->name, &o->description, &o->seller, &o->image, &o->terms_url,
                                     &o->terms_version, &o->offer, &o->pricing, NULL, &o->currency, &o->term, &o->unit,
                                     &o->allowed, &o->denied, &o->organizations };
    int i;

    for (i = 0; i < COLUMN_N; i++)
        if (texts[i])
            *texts[i] = column(s, i, p);
    o->has_price = sqlite3_column_type(s, 9) != SQLITE_NULL;
    *out = o;
    if (o->has_price && column_price(s, 9, &o->price) != APR_SUCCESS)
        return APR_EGENERAL;
    return read_usage(c, sqlite3_column_int64(s, COLUMN_N), o, p);
}

apr_status_t po_catalog_offer(po_catalog *c, const char *offer_id, apr_pool_t *p, po_offer **out)
{
    sqlite3_stmt *s = po_catalog_statement(c, PO_BY_OFFER);
    apr_status_t rv;
    int rc;

    sqlite3_bind_text(s, 1, offer_id, -1, SQLITE_STATIC);
    rc = sqlite3_step(s);
    rv = rc == SQLITE_ROW ? read_offer(c, s, p, out) : rc == SQLITE_DONE ? APR_NOTFOUND : APR_EGENERAL;
    sqlite3_reset(s);
    return rv;
}

/* The first offer of a bound statement that the buyer may see. */
static apr_status_t first_of(po_catalog *c, sqlite3_stmt *s, const po_buyer *buyer, apr_pool_t *p, po_offer **out)
{
    apr_status_t rv = APR_NOTFOUND;
    int rc;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        rv = read_offer(c, s, p, out);
        if (rv != APR_SUCCESS || po_offer_visible(*out, buyer))
            break;
        rv = APR_NOTFOUND;
    }
    sqlite3_reset(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? rv : APR_EGENERAL;
}

apr_status_t po_catalog_first(po_catalog *c, apr_int64_t product, const po_buyer *buyer, apr_pool_t *p, po_offer **out)
{
    sqlite3_stmt *s = po_catalog_statement(c, PO_BY_NUMBER);

    if (!s)
        return APR_EGENERAL;
    sqlite3_bind_int64(s, 1, product);
    return first_of(c, s, buyer, p, out);
}

apr_status_t po_catalog_item(po_catalog *c, const char *product_or_offer, const po_buyer *buyer, apr_pool_t *p,
                             po_offer **out)
{
    apr_status_t rv = po_catalog_offer(c, product_or_offer, p, out);
    sqlite3_stmt *s;

    if (rv == APR_SUCCESS)
        return po_offer_visible(*out, buyer) ? APR_SUCCESS : APR_NOTFOUND;
    if (rv != APR_NOTFOUND || !(s = po_catalog_statement(c, PO_BY_PRODUCT)))
        return rv == APR_NOTFOUND ? APR_EGENERAL : rv;
    sqlite3_bind_text(s, 1, product_or_offer, -1, SQLITE_STATIC);
    return first_of(c, s, buyer, p, out);
}

int po_catalog_next_finest(po_catalog *c, const char **seller, const char **offer, const char **price, int *decimals,
                           int *usage)
{
    sqlite3_stmt *s = c->query[PO_FINEST] ? c->query[PO_FINEST] : po_catalog_statement(c, PO_FINEST);

    if (!s || sqlite3_step(s) != SQLITE_ROW)
        return 0;
    *seller = (const char *)sqlite3_column_text(s, 0);
    *offer = (const char *)sqlite3_column_text(s, 1);
    *price = (const char *)sqlite3_column_text(s, 2);
    *decimals = sqlite3_column_int(s, 3);
    *usage = sqlite3_column_int(s, 4);
    return 1;
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

static sqlite3_stmt *since_statement(po_catalog *c, po_catalog_query q, const po_buyer *buyer, apr_time_t since, apr_pool_t *p)
{
    sqlite3_stmt *s = po_catalog_statement(c, q);

    if (s) {
        po_catalog_bind_buyer(s, buyer, p);
        sqlite3_bind_int64(s, 3, apr_time_sec(since));
    }
    return s;
}

static apr_status_t walk_visible(po_catalog *c, const po_buyer *buyer, apr_time_t since, po_catalog_fn *fn, void *baton,
                                 apr_pool_t *p, apr_pool_t *each)
{
    sqlite3_stmt *s = since_statement(c, PO_WALK, buyer, since, p);
    apr_status_t rv = APR_SUCCESS;
    int rc = SQLITE_DONE, stop = 0;

    while (s && rv == APR_SUCCESS && !stop && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        po_catalog_entry e = { NULL, NULL };
        po_offer *first;

        rv = po_catalog_first(c, sqlite3_column_int64(s, 0), buyer, each, &first);
        if (rv == APR_SUCCESS) {
            e.offer = first;
            e.product = first->product;
            stop = fn(baton, &e, each);
        }
        apr_pool_clear(each);
    }
    if (s)
        sqlite3_reset(s);
    return s && rv == APR_SUCCESS && (rc == SQLITE_DONE || stop) ? stop ? APR_EOF : APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t walk_gone(po_catalog *c, const po_buyer *buyer, apr_time_t since, po_catalog_fn *fn, void *baton,
                              apr_pool_t *p, apr_pool_t *each)
{
    sqlite3_stmt *s = since_statement(c, PO_WALK_GONE, buyer, since, p);
    int rc = SQLITE_DONE, stop = 0;

    while (s && !stop && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        po_catalog_entry e = { NULL, (const char *)sqlite3_column_text(s, 0) };

        stop = fn(baton, &e, each);
        apr_pool_clear(each);
    }
    if (s)
        sqlite3_reset(s);
    return s && (rc == SQLITE_DONE || stop) ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t po_catalog_walk(po_catalog *c, const po_buyer *buyer, apr_time_t since, po_catalog_fn *fn, void *baton,
                             apr_pool_t *p)
{
    apr_pool_t *each;
    apr_status_t rv;

    apr_pool_create(&each, p);
    rv = walk_visible(c, buyer, since, fn, baton, p, each);
    if (rv == APR_SUCCESS && since)
        rv = walk_gone(c, buyer, since, fn, baton, p, each);
    apr_pool_destroy(each);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t count(po_catalog *c, po_catalog_query q, const po_buyer *buyer, apr_time_t since, int *n, apr_pool_t *p)
{
    sqlite3_stmt *s = since_statement(c, q, buyer, since, p);
    int ok = s && sqlite3_step(s) == SQLITE_ROW;

    if (ok)
        *n += sqlite3_column_int(s, 0);
    if (s)
        sqlite3_reset(s);
    return ok ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t po_catalog_count(po_catalog *c, const po_buyer *buyer, apr_time_t since, int *n, apr_pool_t *p)
{
    apr_status_t rv;

    *n = 0;
    rv = count(c, PO_COUNT, buyer, since, n, p);
    return rv == APR_SUCCESS && since ? count(c, PO_COUNT_GONE, buyer, since, n, p) : rv;
}
