/* catalog.c - the compiled catalog: one read-only SQLite file named by its digest, made once. */
#include "market/market_private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "apr_file_info.h"
#include "apr_file_io.h"

/* Part of the digest, as is every byte of the file: raise it when schema[] or a rule of catalog_check.c changes. */
#define FORMAT "mod_punchout catalog 3\n"
#define CHUNK 65536

/* product.private_to: the organizations of its offers when all of them are private. Who may see it stands before the
 * long texts. audience: products of one number are for the same buyers. search keeps no texts of its own: hits are read
 * from product, whose number its rowid tells (po_search_rowid()). One to three letters have an index each, for they
 * begin words in nearly all products. */
static const char schema[] =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
    "CREATE TABLE product(n INTEGER PRIMARY KEY, seller TEXT NOT NULL, allowed TEXT, denied TEXT,"
    " private_to TEXT, changed INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, keywords TEXT NOT NULL,"
    " image TEXT, terms_url TEXT, terms_version TEXT, description TEXT);"
    "CREATE TABLE audience(n INTEGER PRIMARY KEY, seller TEXT NOT NULL, allowed TEXT, denied TEXT, private_to TEXT);"
    "CREATE INDEX audience_members ON audience(seller, allowed, denied, private_to);"
    "CREATE TABLE offer(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, product INTEGER NOT NULL REFERENCES product,"
    " pricing TEXT NOT NULL, price TEXT, currency TEXT, term TEXT, unit TEXT, organizations TEXT);"
    "CREATE INDEX offer_product ON offer(product, n);"
    "CREATE TABLE usage(offer INTEGER NOT NULL REFERENCES offer, position INTEGER NOT NULL, dimension TEXT NOT NULL,"
    " description TEXT NOT NULL, price TEXT NOT NULL, unit TEXT, PRIMARY KEY(offer, position)) WITHOUT ROWID;"
    "CREATE TABLE gone(id TEXT NOT NULL, at INTEGER NOT NULL, seller TEXT NOT NULL, allowed TEXT, denied TEXT,"
    " private_to TEXT);"
    "CREATE TABLE finest(seller TEXT NOT NULL, usage INTEGER NOT NULL, decimals INTEGER NOT NULL, offer TEXT NOT NULL,"
    " price TEXT NOT NULL, PRIMARY KEY(seller, usage)) WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE search USING fts5(name, seller, keywords, description, content='',"
    " tokenize='unicode61 remove_diacritics 2', prefix='1 2 3');";

/* word is for beginnings (search_words.c). words is for typing errors: of each length one list, "word products" in each line,
 * which is read much faster than a row for each. */
static const char finish[] =
    "INSERT INTO search(search) VALUES('optimize');"
    "CREATE INDEX product_changed ON product(changed);"
    "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, search, row);"
    "CREATE TABLE word(text TEXT PRIMARY KEY, products INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO word SELECT term, doc FROM temp.vocabulary;"
    "CREATE TABLE words(length INTEGER PRIMARY KEY, list TEXT NOT NULL);"
    "INSERT INTO words SELECT length(text), group_concat(text||' '||products, char(10)) FROM word"
    " WHERE length(text) BETWEEN 3 AND 40 GROUP BY 1;"
    "DROP TABLE temp.vocabulary;"
    "COMMIT;";

/* ---- the name ---------------------------------------------------------------------------------------------------- */

#define NAME_BEGINS "catalog-"
#define NAME_ENDS ".db"
#define NAME_BYTES (sizeof(NAME_BEGINS) - 1 + 2 * PO_DIGEST + sizeof(NAME_ENDS) - 1)

static const char *path_of(po_crypto *c, const char *dir, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    char hex[2 * PO_DIGEST + 1];

    po_sha256_end(c, digest);
    po_hex(hex, digest, PO_DIGEST);
    return apr_psprintf(p, "%s/" NAME_BEGINS "%s" NAME_ENDS, dir, hex);
}

static int is_compiled_name(const char *name)
{
    const char *hex = name + sizeof(NAME_BEGINS) - 1;

    return strlen(name) == NAME_BYTES && !strncmp(name, NAME_BEGINS, sizeof(NAME_BEGINS) - 1)
           && strspn(hex, "0123456789abcdef") == 2 * PO_DIGEST && !strcmp(hex + 2 * PO_DIGEST, NAME_ENDS);
}

static int is_among(const apr_array_header_t *paths, const char *path)
{
    int i;

    for (i = 0; i < paths->nelts && strcmp(APR_ARRAY_IDX(paths, i, const char *), path); i++)
        ;
    return i < paths->nelts;
}

void po_catalog_prune(const char *dir, const apr_array_header_t *keep, apr_pool_t *p)
{
    apr_finfo_t info;
    apr_pool_t *tmp;
    apr_dir_t *d;

    apr_pool_create(&tmp, p);
    if (apr_dir_open(&d, dir, tmp) == APR_SUCCESS) {
        while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
            const char *path = apr_pstrcat(tmp, dir, "/", info.name, NULL);

            if (is_compiled_name(info.name) && !is_among(keep, path))
                apr_file_remove(path, tmp);
        }
        apr_dir_close(d);
    }
    apr_pool_destroy(tmp);
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

enum { PUT_PRODUCT, PUT_AUDIENCE, FIND_AUDIENCE, PUT_SEARCH, PUT_OFFER, PUT_USAGE, PUT_FINEST, PUTS };

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *put[PUTS];
    po_catalog_history *history;
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
        "INSERT INTO product(seller,allowed,denied,private_to,changed,id,name,keywords,image,terms_url,"
        "terms_version,description) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
        "INSERT INTO audience(seller,allowed,denied,private_to) VALUES(?1,?2,?3,?4)",
        "SELECT n FROM audience WHERE seller=?1 AND allowed IS ?2 AND denied IS ?3 AND private_to IS ?4",
        "INSERT INTO search(rowid,name,seller,keywords,description) VALUES(?1,?2,?3,?4,?5)",
        "INSERT INTO offer(product,id,pricing,price,currency,term,unit,organizations) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
        "INSERT INTO usage(offer,position,dimension,description,price,unit) VALUES(?1,?2,?3,?4,?5,?6)",
        "INSERT INTO finest VALUES(?1,?5,?2,?3,?4) ON CONFLICT(seller, usage) DO UPDATE SET decimals=?2, offer=?3, price=?4"
        " WHERE ?2 > decimals" };
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

/* The price of a seller that has the most decimals: buyers whose system takes fewer are warned at configtest. */
static int put_finest(build *b, const po_offer *o, const po_decimal *price, int usage)
{
    sqlite3_stmt *s = b->put[PUT_FINEST];
    char text[PO_DECIMAL_TEXT];

    bind_text(s, 1, o->seller);
    sqlite3_bind_int(s, 2, po_decimal_decimals(price));
    bind_text(s, 3, o->offer);
    bind_text(s, 4, po_decimal_text(price, 0, text));
    sqlite3_bind_int(s, 5, usage);
    return step(s);
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
        ok = step(s) && put_finest(b, o, &u->price, 1);
    }
    return ok;
}

static int put_offer(build *b, sqlite3_int64 product, const po_offer *o)
{
    sqlite3_stmt *s = b->put[PUT_OFFER];
    char price[PO_DECIMAL_TEXT];
    sqlite3_int64 n;

    sqlite3_bind_int64(s, 1, product);
    bind_text(s, 2, o->offer);
    bind_text(s, 3, o->pricing);
    bind_text(s, 4, o->has_price ? po_decimal_text(&o->price, 0, price) : NULL);
    bind_text(s, 5, o->currency);
    bind_text(s, 6, o->term);
    bind_text(s, 7, o->unit);
    bind_text(s, 8, o->organizations);
    if (!step(s))
        return 0;
    n = sqlite3_last_insert_rowid(b->db);
    return (!o->has_price || put_finest(b, o, &o->price, 0)) && put_usage(b, n, o);
}

static void bind_audience(sqlite3_stmt *s, const po_product *product, const char *private)
{
    bind_text(s, 1, product->seller);
    bind_text(s, 2, product->allowed);
    bind_text(s, 3, product->denied);
    bind_text(s, 4, private);
}

/* 0: it can't be written. */
static sqlite3_int64 audience_number(build *b, const po_product *product, const char *private)
{
    sqlite3_stmt *find = b->put[FIND_AUDIENCE];
    sqlite3_int64 n = 0;

    bind_audience(find, product, private);
    if (sqlite3_step(find) == SQLITE_ROW)
        n = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    if (n)
        return n;
    bind_audience(b->put[PUT_AUDIENCE], product, private);
    return step(b->put[PUT_AUDIENCE]) ? sqlite3_last_insert_rowid(b->db) : 0;
}

static int put_search(build *b, sqlite3_int64 n, const po_product *product, const char *private)
{
    sqlite3_stmt *s = b->put[PUT_SEARCH];
    sqlite3_int64 audience = audience_number(b, product, private);

    if (!audience)
        return 0;
    sqlite3_bind_int64(s, 1, po_search_rowid(n, audience, product->name, product->offers->pool));
    bind_text(s, 2, product->name);
    bind_text(s, 3, product->seller);
    bind_text(s, 4, product->keywords);
    bind_text(s, 5, product->description);
    return step(s);
}

/* The organizations of the offers when all are private; NULL: somebody else may see one. */
static const char *private_to(const po_product *product, apr_pool_t *p)
{
    const char *all = "";
    int i;

    for (i = 0; i < product->offers->nelts; i++) {
        const char *of = APR_ARRAY_IDX(product->offers, i, po_offer).organizations;

        if (!of)
            return NULL;
        all = apr_pstrcat(p, all, of, NULL);
    }
    return all;
}

static int put_row(build *b, const po_product *product, const char *private, apr_int64_t changed)
{
    sqlite3_stmt *s = b->put[PUT_PRODUCT];

    bind_audience(s, product, private);
    sqlite3_bind_int64(s, 5, changed);
    bind_text(s, 6, product->id);
    bind_text(s, 7, product->name);
    bind_text(s, 8, product->keywords);
    bind_text(s, 9, product->image);
    bind_text(s, 10, product->terms_url);
    bind_text(s, 11, product->terms_version);
    bind_text(s, 12, product->description);
    return step(s);
}

static const char *put_product(void *baton, const po_product *product)
{
    build *b = baton;
    const char *private = private_to(product, product->offers->pool);
    apr_int64_t changed = po_history_note(b->history, product, private);
    sqlite3_int64 n;
    int i, ok;

    if (!changed || !put_row(b, product, private, changed))
        return failed(b);
    n = sqlite3_last_insert_rowid(b->db);
    ok = put_search(b, n, product, private);
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
    if (!po_history_write_gone(b->history, b->db))
        return failed(b);
    return sqlite3_exec(b->db, finish, NULL, NULL, NULL) == SQLITE_OK ? NULL : failed(b);
}

static const char *compile_aside(po_crypto *c, const char *file, const char *dir, const char **db,
                                 po_catalog_history *history, apr_pool_t *tmp, apr_pool_t *p)
{
    char *aside = apr_psprintf(tmp, "%s/catalog-XXXXXX", dir);
    build b = { .history = history, .path = aside, .p = p };
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
    else if (!(wrong = po_history_commit(history, path)))
        *db = path;
    return wrong;
}

/* An earlier catalog that comes back has its compiled form still, which says of each product an older time of change. */
const char *po_catalog_compile(const char *file, const char *dir, const char **db, apr_pool_t *p)
{
    const char *wrong, *compiled = po_catalog_compiled(file, dir, p);
    po_catalog_history *history;
    apr_pool_t *tmp;
    po_crypto *c;

    *db = NULL;
    if (!(c = po_crypto_create()))
        return "libcrypto has no SHA-256";
    apr_pool_create(&tmp, p);
    apr_pool_cleanup_register(tmp, c, destroy_crypto, apr_pool_cleanup_null);
    wrong = po_history_open(&history, dir, file, tmp);
    if (!wrong && compiled && po_history_is_current(history, compiled))
        *db = compiled;
    else if (!wrong)
        wrong = compile_aside(c, file, dir, db, history, tmp, p);
    if (wrong)
        wrong = apr_pstrdup(p, wrong);
    apr_pool_destroy(tmp);
    return wrong;
}
