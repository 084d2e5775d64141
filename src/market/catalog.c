/* catalog.c - the compiled catalog: one read-only SQLite file named by its digest, made once. */
#include "market/market_private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "apr_file_info.h"
#include "apr_file_io.h"

/* Part of the digest, as is every byte of the file: raise it when schema[] or a rule of catalog_check.c changes. */
#define FORMAT "mod_punchout catalog 1\n"
#define CHUNK 65536

static const char schema[] =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
    "CREATE TABLE product(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT,"
    " seller TEXT NOT NULL, keywords TEXT NOT NULL, image TEXT, terms_url TEXT, terms_version TEXT);"
    "CREATE TABLE offer(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, product INTEGER NOT NULL REFERENCES product,"
    " pricing TEXT NOT NULL, price TEXT, currency TEXT, term TEXT, unit TEXT);"
    "CREATE INDEX offer_product ON offer(product, n);"
    "CREATE TABLE usage(offer INTEGER NOT NULL REFERENCES offer, position INTEGER NOT NULL, dimension TEXT NOT NULL,"
    " description TEXT NOT NULL, price TEXT NOT NULL, unit TEXT, PRIMARY KEY(offer, position)) WITHOUT ROWID;";

/* ---- the name ---------------------------------------------------------------------------------------------------- */

static const char *path_of(po_crypto *c, const char *dir, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    char hex[2 * PO_DIGEST + 1];

    po_sha256_end(c, digest);
    po_hex(hex, digest, PO_DIGEST);
    return apr_psprintf(p, "%s/catalog-%s.db", dir, hex);
}

static apr_status_t digest_file(po_crypto *c, const char *file, apr_pool_t *p)
{
    char *chunk = apr_palloc(p, CHUNK);
    apr_file_t *f;
    apr_size_t len;
    apr_status_t rv = apr_file_open(&f, file, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);

    if (rv != APR_SUCCESS)
        return rv;
    po_sha256_start(c);
    po_sha256_add(c, FORMAT, sizeof(FORMAT) - 1);
    for (len = CHUNK; (rv = apr_file_read(f, chunk, &len)) == APR_SUCCESS; len = CHUNK)
        po_sha256_add(c, chunk, len);
    apr_file_close(f);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t destroy_crypto(void *c)
{
    po_crypto_destroy(c);
    return APR_SUCCESS;
}

static int is_file(const char *path, apr_pool_t *p)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, p) == APR_SUCCESS && info.filetype == APR_REG;
}

const char *po_catalog_compiled(const char *file, const char *dir, apr_pool_t *p)
{
    const char *path = NULL;
    apr_pool_t *tmp;
    po_crypto *c;

    apr_pool_create(&tmp, p);
    if ((c = po_crypto_create())) {
        apr_pool_cleanup_register(tmp, c, destroy_crypto, apr_pool_cleanup_null);
        if (digest_file(c, file, tmp) == APR_SUCCESS)
            path = path_of(c, dir, p);
        if (path && !is_file(path, tmp))
            path = NULL;
    }
    apr_pool_destroy(tmp);
    return path;
}

/* ---- compiling --------------------------------------------------------------------------------------------------- */

enum { PUT_PRODUCT, PUT_OFFER, PUT_USAGE, PUTS };

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *put[PUTS];
    const char *path;                   /* of the file aside */
    apr_pool_t *p;                      /* of the message */
} build;

static const char *failed(build *b)
{
    return apr_psprintf(b->p, "the compiled catalog %s can't be written: %s; see whether the directory is writable and "
                        "has room", b->path, b->db ? sqlite3_errmsg(b->db) : "out of memory");
}

static apr_status_t close_build(void *baton)
{
    build *b = baton;
    int i;

    for (i = 0; i < PUTS; i++)
        sqlite3_finalize(b->put[i]);
    sqlite3_close(b->db);
    memset(b->put, 0, sizeof(b->put));
    b->db = NULL;
    return APR_SUCCESS;
}

static const char *open_build(build *b, apr_pool_t *tmp)
{
    static const char *const sql[PUTS] = {
        "INSERT INTO product(id,name,description,seller,keywords,image,terms_url,terms_version)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
        "INSERT INTO offer(product,id,pricing,price,currency,term,unit) VALUES(?1,?2,?3,?4,?5,?6,?7)",
        "INSERT INTO usage(offer,position,dimension,description,price,unit) VALUES(?1,?2,?3,?4,?5,?6)" };
    int i, rc = sqlite3_open_v2(b->path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    apr_pool_cleanup_register(tmp, b, close_build, apr_pool_cleanup_null);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(b->db, schema, NULL, NULL, NULL);
    for (i = 0; rc == SQLITE_OK && i < PUTS; i++)
        rc = sqlite3_prepare_v2(b->db, sql[i], -1, &b->put[i], NULL);
    return rc == SQLITE_OK ? NULL : failed(b);
}

static void bind_text(sqlite3_stmt *s, int n, const char *text)
{
    sqlite3_bind_text(s, n, text, -1, SQLITE_STATIC);   /* NULL binds NULL */
}

static int step(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    sqlite3_reset(s);
    return rc == SQLITE_DONE;
}

static int put_usage(build *b, sqlite3_int64 offer, const po_offer *o)
{
    sqlite3_stmt *s = b->put[PUT_USAGE];
    char price[PO_DECIMAL_TEXT];
    int i, ok = 1;

    for (i = 0; ok && o->usage && i < o->usage->nelts; i++) {
        const po_usage *u = &APR_ARRAY_IDX(o->usage, i, po_usage);

        sqlite3_bind_int64(s, 1, offer);
        sqlite3_bind_int(s, 2, i);
        bind_text(s, 3, u->dimension);
        bind_text(s, 4, u->description);
        bind_text(s, 5, po_decimal_text(&u->price, 0, price));
        bind_text(s, 6, u->unit);
        ok = step(s);
    }
    return ok;
}

static int put_offer(build *b, sqlite3_int64 product, const po_offer *o)
{
    sqlite3_stmt *s = b->put[PUT_OFFER];
    char price[PO_DECIMAL_TEXT];

    sqlite3_bind_int64(s, 1, product);
    bind_text(s, 2, o->offer);
    bind_text(s, 3, o->pricing);
    bind_text(s, 4, o->has_price ? po_decimal_text(&o->price, 0, price) : NULL);
    bind_text(s, 5, o->currency);
    bind_text(s, 6, o->term);
    bind_text(s, 7, o->unit);
    return step(s) && put_usage(b, sqlite3_last_insert_rowid(b->db), o);
}

static const char *put_product(void *baton, const po_product *product)
{
    build *b = baton;
    sqlite3_stmt *s = b->put[PUT_PRODUCT];
    sqlite3_int64 n;
    int i, ok;

    bind_text(s, 1, product->id);
    bind_text(s, 2, product->name);
    bind_text(s, 3, product->description);
    bind_text(s, 4, product->seller);
    bind_text(s, 5, product->keywords);
    bind_text(s, 6, product->image);
    bind_text(s, 7, product->terms_url);
    bind_text(s, 8, product->terms_version);
    ok = step(s);
    n = sqlite3_last_insert_rowid(b->db);
    for (i = 0; ok && i < product->offers->nelts; i++)
        ok = put_offer(b, n, &APR_ARRAY_IDX(product->offers, i, po_offer));
    return ok ? NULL : failed(b);
}

/* On disk, readable for httpd's children, and under its name: a power cut leaves the whole file or none. */
static apr_status_t publish(const char *aside, const char *path, const char *dir, apr_pool_t *tmp)
{
    apr_file_t *f;
    apr_status_t rv = apr_file_open(&f, aside, APR_FOPEN_READ | APR_FOPEN_WRITE, APR_FPROT_OS_DEFAULT, tmp);
    int fd;

    if (rv == APR_SUCCESS)
        rv = apr_file_sync(f);
    if (rv == APR_SUCCESS)
        rv = apr_file_perms_set(aside, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD | APR_FPROT_WREAD);
    if (rv == APR_SUCCESS)
        rv = apr_file_rename(aside, path, tmp);
    if (rv == APR_SUCCESS && (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        fsync(fd);
        close(fd);
    }
    return rv;
}

/* The digest is taken again while compiling: a file that is being replaced meanwhile gets the name of what was read. */
static const char *compile(po_crypto *c, const char *file, build *b, apr_pool_t *tmp)
{
    const char *wrong = open_build(b, tmp);

    if (wrong)
        return wrong;
    po_sha256_start(c);
    po_sha256_add(c, FORMAT, sizeof(FORMAT) - 1);
    if ((wrong = po_catalog_read(file, c, put_product, b, b->p)))
        return wrong;
    return sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? NULL : failed(b);
}

static const char *compile_aside(po_crypto *c, const char *file, const char *dir, const char **db, apr_pool_t *tmp,
                                 apr_pool_t *p)
{
    char *aside = apr_psprintf(tmp, "%s/catalog-XXXXXX", dir);
    build b = { NULL, { NULL }, aside, p };
    const char *wrong, *path;
    apr_file_t *f;
    char why[120];
    apr_status_t rv = apr_file_mktemp(&f, aside, APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL, tmp);

    if (rv != APR_SUCCESS)
        return apr_psprintf(p, "the compiled catalog can't be written below %s: %s; make the directory and let httpd's "
                            "user write there", dir, apr_strerror(rv, why, sizeof(why)));
    apr_file_close(f);
    wrong = compile(c, file, &b, tmp);
    apr_pool_cleanup_run(tmp, &b, close_build);
    path = path_of(c, dir, p);
    if (!wrong && (rv = publish(aside, path, dir, tmp)) != APR_SUCCESS)
        wrong = apr_psprintf(p, "the compiled catalog %s can't be written: %s", path,
                             apr_strerror(rv, why, sizeof(why)));
    if (wrong)
        apr_file_remove(aside, tmp);
    else
        *db = path;
    return wrong;
}

const char *po_catalog_compile(const char *file, const char *dir, const char **db, apr_pool_t *p)
{
    const char *wrong = NULL;
    apr_pool_t *tmp;
    po_crypto *c;

    if ((*db = po_catalog_compiled(file, dir, p)))
        return NULL;
    if (!(c = po_crypto_create()))
        return "libcrypto has no SHA-256";
    apr_pool_create(&tmp, p);
    apr_pool_cleanup_register(tmp, c, destroy_crypto, apr_pool_cleanup_null);
    wrong = compile_aside(c, file, dir, db, tmp, p);
    apr_pool_destroy(tmp);
    return wrong;
}

/* ---- looking up -------------------------------------------------------------------------------------------------- */

enum { BY_OFFER, BY_PRODUCT, USAGE_OF, QUERIES };

struct po_catalog {
    sqlite3 *db;
    sqlite3_stmt *query[QUERIES];
};

static apr_status_t close_catalog(void *baton)
{
    po_catalog *c = baton;
    int i;

    for (i = 0; i < QUERIES; i++)
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

#define OFFER_COLUMNS \
    "SELECT p.id,p.name,p.description,p.seller,p.image,p.terms_url,p.terms_version," \
    "o.id,o.pricing,o.price,o.currency,o.term,o.unit,o.n FROM offer o JOIN product p ON p.n=o.product "

apr_status_t po_catalog_open(po_catalog **catalog, const char *path, apr_pool_t *p)
{
    static const char *const sql[QUERIES] = {
        OFFER_COLUMNS "WHERE o.id=?1",
        OFFER_COLUMNS "WHERE p.id=?1 ORDER BY o.n LIMIT 1",
        "SELECT dimension,description,unit,price FROM usage WHERE offer=?1 ORDER BY position" };
    po_catalog *c = apr_pcalloc(p, sizeof(*c));
    int i, rc = sqlite3_open_v2(uri_of(path, p), &c->db,
                                SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);

    apr_pool_cleanup_register(p, c, close_catalog, apr_pool_cleanup_null);
    for (i = 0; rc == SQLITE_OK && i < QUERIES; i++)
        rc = sqlite3_prepare_v3(c->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &c->query[i], NULL);
    if (rc != SQLITE_OK) {
        apr_pool_cleanup_run(p, c, close_catalog);
        return APR_EGENERAL;
    }
    *catalog = c;
    return APR_SUCCESS;
}

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
    sqlite3_stmt *s = c->query[USAGE_OF];
    apr_status_t rv = APR_SUCCESS;
    int rc;

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
    const char **texts[] = { &o->product, &o->name, &o->description, &o->seller, &o->image, &o->terms_url,
                             &o->terms_version, &o->offer, &o->pricing, NULL, &o->currency, &o->term, &o->unit };
    apr_size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i])
            *texts[i] = column(s, (int)i, p);
    o->has_price = sqlite3_column_type(s, 9) != SQLITE_NULL;
    *out = o;
    if (o->has_price && column_price(s, 9, &o->price) != APR_SUCCESS)
        return APR_EGENERAL;
    return read_usage(c, sqlite3_column_int64(s, 13), o, p);
}

static apr_status_t look_up(po_catalog *c, int query, const char *id, apr_pool_t *p, po_offer **out)
{
    sqlite3_stmt *s = c->query[query];
    apr_status_t rv;
    int rc;

    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    rc = sqlite3_step(s);
    rv = rc == SQLITE_ROW ? read_offer(c, s, p, out) : rc == SQLITE_DONE ? APR_NOTFOUND : APR_EGENERAL;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return rv;
}

apr_status_t po_catalog_offer(po_catalog *c, const char *offer_id, apr_pool_t *p, po_offer **out)
{
    return look_up(c, BY_OFFER, offer_id, p, out);
}

apr_status_t po_catalog_item(po_catalog *c, const char *product_or_offer, apr_pool_t *p, po_offer **out)
{
    apr_status_t rv = look_up(c, BY_OFFER, product_or_offer, p, out);

    return rv == APR_NOTFOUND ? look_up(c, BY_PRODUCT, product_or_offer, p, out) : rv;
}
