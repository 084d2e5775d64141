/* catalog_history.c - when each product of a catalog became what it is: what an incremental index asks for. */
#include "market/market_private.h"

#include <string.h>

#include <sqlite3.h>

#define KEEP_SECONDS (400 * 86400LL)    /* of what is gone: an incremental index older than that is a full one */

/* One row for each product of the last catalog; gone: who could see a product until when. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS catalog(file TEXT PRIMARY KEY, compiled TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS product(file TEXT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, changed INTEGER NOT NULL,"
    " noted INTEGER NOT NULL, seller TEXT NOT NULL, allowed TEXT, denied TEXT, private_to TEXT, PRIMARY KEY(file, id))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS gone(file TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, seller TEXT NOT NULL,"
    " allowed TEXT, denied TEXT, private_to TEXT);"
    "CREATE INDEX IF NOT EXISTS gone_file ON gone(file);";

enum { CURRENT, SET_CURRENT, FIND, PUT, TOUCH, LEAVE, QUERIES };

struct po_catalog_history {
    sqlite3 *db;
    sqlite3_stmt *query[QUERIES];
    po_crypto *crypto;                  /* the reader of the file is in the midst of a digest with another */
    const char *file;
    apr_int64_t now;                    /* seconds */
    apr_int64_t mark;                   /* of what was noted this time */
    apr_pool_t *p;
};

static apr_status_t close_history(void *baton)
{
    po_catalog_history *h = baton;
    int i;

    for (i = 0; i < QUERIES; i++)
        sqlite3_finalize(h->query[i]);
    sqlite3_close(h->db);               /* rolls back what was not committed */
    if (h->crypto)
        po_crypto_destroy(h->crypto);
    return APR_SUCCESS;
}

static const char *failed(const po_catalog_history *h, const char *path)
{
    return apr_psprintf(h->p, "%s can't be used: %s; make the directory and let httpd's user write there, or delete the file "
                        "(the next incremental index then lists all products)", path, h->db ? sqlite3_errmsg(h->db) : "out of memory");
}

static const char *prepare(po_catalog_history *h, const char *path)
{
    static const char *const sql[QUERIES] = {
        "SELECT compiled FROM catalog WHERE file=?1",
        "INSERT INTO catalog VALUES(?1,?2) ON CONFLICT(file) DO UPDATE SET compiled=?2",
        "SELECT digest,changed,seller,allowed,denied,private_to FROM product WHERE file=?1 AND id=?2",
        "INSERT INTO product VALUES(?1,?2,?3,?4,?9,?5,?6,?7,?8) ON CONFLICT(file,id) DO UPDATE SET digest=?3, changed=?4,"
        " noted=?9, seller=?5, allowed=?6, denied=?7, private_to=?8",
        "UPDATE product SET noted=?3 WHERE file=?1 AND id=?2",
        "INSERT INTO gone SELECT file,id,?3,seller,allowed,denied,private_to FROM product WHERE file=?1 AND id=?2" };
    int i;

    for (i = 0; i < QUERIES; i++)
        if (sqlite3_prepare_v2(h->db, sql[i], -1, &h->query[i], NULL) != SQLITE_OK)
            return failed(h, path);
    return NULL;
}

const char *po_history_open(po_catalog_history **out, const char *dir, const char *file, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, dir, "/catalog-history.db", NULL);
    po_catalog_history *h = apr_pcalloc(p, sizeof(*h));

    *out = h;
    h->p = p;
    h->file = file;
    h->mark = apr_time_now();
    h->now = apr_time_sec(h->mark);
    apr_pool_cleanup_register(p, h, close_history, apr_pool_cleanup_null);
    if (!(h->crypto = po_crypto_create()))
        return "libcrypto has no SHA-256";
    if (sqlite3_open_v2(path, &h->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK
        || sqlite3_busy_timeout(h->db, 10000) != SQLITE_OK
        || sqlite3_exec(h->db, schema, NULL, NULL, NULL) != SQLITE_OK
        || sqlite3_exec(h->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return failed(h, path);
    return prepare(h, path);
}

static void bind_text(sqlite3_stmt *s, int n, const char *text)
{
    sqlite3_bind_text(s, n, text, -1, SQLITE_STATIC);
}

int po_history_is_current(po_catalog_history *h, const char *db)
{
    sqlite3_stmt *s = h->query[CURRENT];
    int is;

    bind_text(s, 1, h->file);
    is = sqlite3_step(s) == SQLITE_ROW && !strcmp((const char *)sqlite3_column_text(s, 0), db);
    sqlite3_reset(s);
    return is;
}

/* ---- what a product says ----------------------------------------------------------------------------------------- */

static void add(po_crypto *c, const char *text)
{
    po_sha256_add(c, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void add_price(po_crypto *c, const po_decimal *price)
{
    char text[PO_DECIMAL_TEXT];

    add(c, po_decimal_text(price, 0, text));
}

static void digest_offer(po_crypto *c, const po_offer *o)
{
    int i;

    add(c, o->offer);
    add(c, o->pricing);
    add_price(c, &o->price);
    add(c, o->currency);
    add(c, o->term);
    add(c, o->unit);
    add(c, o->organizations);
    for (i = 0; o->usage && i < o->usage->nelts; i++) {
        const po_usage *u = &APR_ARRAY_IDX(o->usage, i, po_usage);

        add(c, u->dimension);
        add(c, u->description);
        add(c, u->unit);
        add_price(c, &u->price);
    }
}

static void digest_product(po_crypto *c, const po_product *product, unsigned char out[PO_DIGEST])
{
    const char *const texts[] = { product->id, product->name, product->description, product->seller, product->image,
                                  product->terms_url, product->terms_version, product->keywords, product->allowed,
                                  product->denied };
    apr_size_t n;
    int i;

    po_sha256_start(c);
    for (n = 0; n < sizeof(texts) / sizeof(texts[0]); n++)
        add(c, texts[n]);
    for (i = 0; i < product->offers->nelts; i++)
        digest_offer(c, &APR_ARRAY_IDX(product->offers, i, po_offer));
    po_sha256_end(c, out);
}

/* ---- noting ------------------------------------------------------------------------------------------------------- */

static int run(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    sqlite3_reset(s);
    return rc == SQLITE_DONE;
}

static int equals(sqlite3_stmt *s, int column, const char *text)
{
    const char *old = (const char *)sqlite3_column_text(s, column);

    return old && text ? !strcmp(old, text) : !old && !text;
}

/* What the last catalog said of it. 0: nothing, it is new. */
static int find(po_catalog_history *h, const po_product *product, const char *private_to,
                const unsigned char digest[PO_DIGEST], apr_int64_t *changed, int *same, int *same_audience)
{
    sqlite3_stmt *s = h->query[FIND];
    int found;

    bind_text(s, 1, h->file);
    bind_text(s, 2, product->id);
    if ((found = sqlite3_step(s) == SQLITE_ROW)) {
        *same = sqlite3_column_bytes(s, 0) == PO_DIGEST && !memcmp(sqlite3_column_blob(s, 0), digest, PO_DIGEST);
        *changed = sqlite3_column_int64(s, 1);
        *same_audience = equals(s, 2, product->seller) && equals(s, 3, product->allowed) && equals(s, 4, product->denied)
                         && equals(s, 5, private_to);
    }
    sqlite3_reset(s);
    return found;
}

static int bind_id_and_run(po_catalog_history *h, int query, const char *id, apr_int64_t number)
{
    sqlite3_stmt *s = h->query[query];

    bind_text(s, 1, h->file);
    bind_text(s, 2, id);
    sqlite3_bind_int64(s, 3, number);
    return run(s);
}

static int put(po_catalog_history *h, const po_product *product, const char *private_to,
               const unsigned char digest[PO_DIGEST])
{
    sqlite3_stmt *s = h->query[PUT];

    bind_text(s, 1, h->file);
    bind_text(s, 2, product->id);
    sqlite3_bind_blob(s, 3, digest, PO_DIGEST, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, h->now);
    bind_text(s, 5, product->seller);
    bind_text(s, 6, product->allowed);
    bind_text(s, 7, product->denied);
    bind_text(s, 8, private_to);
    sqlite3_bind_int64(s, 9, h->mark);
    return run(s);
}

apr_int64_t po_history_note(po_catalog_history *h, const po_product *product, const char *private_to)
{
    unsigned char digest[PO_DIGEST];
    apr_int64_t changed;
    int same, same_audience;

    digest_product(h->crypto, product, digest);
    if (!find(h, product, private_to, digest, &changed, &same, &same_audience))
        return put(h, product, private_to, digest) ? h->now : 0;
    if (same)
        return bind_id_and_run(h, TOUCH, product->id, h->mark) ? changed : 0;
    if (!same_audience && !bind_id_and_run(h, LEAVE, product->id, h->now))
        return 0;
    return put(h, product, private_to, digest) ? h->now : 0;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/* The file is ?1, number ?2, now ?3. */
static int exec_with(po_catalog_history *h, const char *sql, apr_int64_t number)
{
    sqlite3_stmt *s;
    int ok = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) == SQLITE_OK;

    if (ok) {
        bind_text(s, 1, h->file);
        sqlite3_bind_int64(s, 2, number);
        if (sqlite3_bind_parameter_count(s) > 2)
            sqlite3_bind_int64(s, 3, h->now);
        ok = sqlite3_step(s) == SQLITE_DONE;
    }
    sqlite3_finalize(s);
    return ok;
}

static int copy_gone(po_catalog_history *h, sqlite3_stmt *from, sqlite3_stmt *to)
{
    int i, rc;

    bind_text(from, 1, h->file);
    while ((rc = sqlite3_step(from)) == SQLITE_ROW) {
        for (i = 0; i < 6; i++)
            sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        if (!run(to))
            return 0;
    }
    return rc == SQLITE_DONE;
}

int po_history_write_gone(po_catalog_history *h, void *compiled)
{
    sqlite3_stmt *from = NULL, *to = NULL;
    int ok = exec_with(h, "INSERT INTO gone SELECT file,id,?3,seller,allowed,denied,private_to FROM product"
                          " WHERE file=?1 AND noted<>?2", h->mark)
             && exec_with(h, "DELETE FROM product WHERE file=?1 AND noted<>?2", h->mark)
             && exec_with(h, "DELETE FROM gone WHERE file=?1 AND at<?2", h->now - KEEP_SECONDS)
             && sqlite3_prepare_v2(h->db, "SELECT id,at,seller,allowed,denied,private_to FROM gone WHERE file=?1 ORDER BY id",
                                   -1, &from, NULL) == SQLITE_OK
             && sqlite3_prepare_v2(compiled, "INSERT INTO gone VALUES(?1,?2,?3,?4,?5,?6)", -1, &to, NULL) == SQLITE_OK
             && copy_gone(h, from, to);

    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return ok;
}

const char *po_history_commit(po_catalog_history *h, const char *db)
{
    sqlite3_stmt *s = h->query[SET_CURRENT];

    bind_text(s, 1, h->file);
    bind_text(s, 2, db);
    if (!run(s) || sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return failed(h, "catalog-history.db");
    return NULL;
}
