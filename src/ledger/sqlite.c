/* sqlite.c - connections to the ledger: opening, settings, prepared statements, binding and reading, readers. */
#include "ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000            /* against strangers only: a backup, a command line tool */

/* ---- opening and closing -------------------------------------------------------------------------------------- */

/* temp_store: savepoints would make temporary files. wal_autocheckpoint (pages): an order changes the same last pages of
 * tables as its neighbours, so a rarer checkpoint copies less. journal_size_limit: a WAL that a long reader let grow
 * shrinks again. No mmap_size: each commit of another child makes SQLite unmap the whole file, and the faults that follow
 * cost more than the reads (2,050 orders/s against 1,570 in one run). */
static const char writer_settings[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=4000;"
    "PRAGMA journal_size_limit=67108864";
static const char reader_settings[] = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY";

static int check_version(sqlite3 *handle)
{
    int rc, version = po_pragma(handle, "PRAGMA user_version", &rc);

    return rc == SQLITE_OK && version != PO_SCHEMA_VERSION ? SQLITE_MISMATCH : rc;
}

int po_db_open(po_ledger_db *db, const char *path, int flags)
{
    int rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    struct stat st;

    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
        rc = check_version(db->handle); /* first of all: the settings write into the file */
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, flags & SQLITE_OPEN_READWRITE ? writer_settings : reader_settings, NULL, NULL,
                          NULL);
    if (rc == SQLITE_OK && flags & SQLITE_OPEN_READWRITE && sqlite3_db_readonly(db->handle, "main"))
        rc = SQLITE_READONLY;           /* SQLite opens what it may only read without a word */
    if (rc != SQLITE_OK) {
        po_db_close(db, 0);
        return rc;
    }
    if (stat(path, &st) == 0) {
        db->device = st.st_dev;
        db->inode = st.st_ino;
    }
    return SQLITE_OK;
}

void po_db_close(po_ledger_db *db, int abandoned)
{
    int i;

    for (i = 0; i < PO_SQL_COUNT; i++)
        sqlite3_finalize(db->statements[i]);
    if (abandoned)                      /* else it would delete the -wal that may be the new file's */
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db->handle);
    memset(db, 0, sizeof(*db));         /* the key too */
}

int po_db_in_place(const po_ledger_db *db, const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == db->device && st.st_ino == db->inode;
}

int po_db_is_broken(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_IOERR: case SQLITE_CORRUPT: case SQLITE_NOTADB: case SQLITE_CANTOPEN: case SQLITE_READONLY:
    case SQLITE_SCHEMA: case SQLITE_MISUSE:
        return 1;
    default:
        return 0;
    }
}

/* What to do about a file that can't be opened. */
static const char *advise_missing(const char *path)
{
    char dir[1024];
    const char *slash = strrchr(path, '/');
    apr_size_t len = slash ? (apr_size_t)(slash - path) : 0;

    apr_cpystrn(dir, path, len + 1 < sizeof(dir) ? len + 1 : sizeof(dir));
    if (len > 0 && access(dir, F_OK) != 0)
        return "its directory does not exist: make it, let the server's user write there, and restart httpd gracefully";
    if (access(path, F_OK) != 0)
        return "it does not exist: bring it back from a backup, or restart httpd gracefully to begin with an empty one";
    return "it can't be opened: let the server's user read and write the file and its directory";
}

static const char *advise(const char *path, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CANTOPEN:
        return advise_missing(path);
    case SQLITE_READONLY: case SQLITE_PERM: case SQLITE_AUTH:
        return "it can't be written: let the server's user write the file, its -wal and -shm, and its directory, and "
               "check that the file system is not mounted read-only";
    case SQLITE_BUSY: case SQLITE_LOCKED:
        return "another program has kept it locked for 5 seconds: end that program (a backup, a sqlite3 shell)";
    case SQLITE_CORRUPT: case SQLITE_NOTADB:
        return "it is damaged or no database: stop httpd, keep a copy of it with its -wal, run PRAGMA integrity_check "
               "on that copy, and bring back a backup";
    case SQLITE_FULL:
        return "the disk is full: make room; nothing is accepted until then";
    case SQLITE_IOERR:
        return "reading or writing it failed: check the disk, its free space and quota, and the kernel's log";
    case SQLITE_MISMATCH:
        return "it has another schema version than this module: restart httpd, which migrates an older file; a newer "
               "one needs the newer module";
    default:
        return "SQLite refuses it";
    }
}

const char *po_db_explain(const char *path, int rc, const char *says, char *out, apr_size_t size)
{
    apr_snprintf(out, size, "ledger %s: %s (SQLite %d: %s)", path, advise(path, rc), rc,
                 says ? says : sqlite3_errstr(rc));
    return out;
}

/* ---- statements ----------------------------------------------------------------------------------------------- */

sqlite3_stmt *po_statement(po_ledger_db *db, po_sql id, const char *text)
{
    int rc;

    if (!db->statements[id]) {
        rc = sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &db->statements[id], NULL);
        if (rc != SQLITE_OK)
            db->rc = rc;
    }
    return db->statements[id];
}

static apr_status_t failure(po_ledger_db *db, int rc)
{
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
        return APR_EEXIST;
    if (rc != SQLITE_MISUSE || db->rc == SQLITE_OK)     /* MISUSE: not even prepared, for the reason kept already */
        db->rc = rc;
    return APR_EGENERAL;
}

apr_status_t po_step(po_ledger_db *db, sqlite3_stmt *st)
{
    int rc = st ? sqlite3_step(st) : SQLITE_MISUSE;

    sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? APR_SUCCESS : failure(db, rc);
}

apr_status_t po_next(po_ledger_db *db, sqlite3_stmt *st)
{
    int rc = st ? sqlite3_step(st) : SQLITE_MISUSE;

    if (rc == SQLITE_ROW)
        return APR_SUCCESS;
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? APR_NOTFOUND : failure(db, rc);
}

apr_status_t po_run(po_ledger_db *db, po_sql id, const char *text)
{
    return po_step(db, po_statement(db, id, text));
}

void po_bind_text(po_cursor *c, const char *text)
{
    sqlite3_bind_text(c->st, ++c->at, text, -1, SQLITE_STATIC);
}

void po_bind_owned_text(po_cursor *c, char *text)
{
    sqlite3_bind_text(c->st, ++c->at, text, -1, free);  /* also when it fails */
}

void po_bind_int(po_cursor *c, apr_int64_t value)
{
    sqlite3_bind_int64(c->st, ++c->at, value);
}

void po_bind_decimal(po_cursor *c, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    sqlite3_bind_text(c->st, ++c->at, po_decimal_text(d, 0, text), -1, SQLITE_TRANSIENT);
}

const char *po_read_text(po_cursor *c, apr_pool_t *p)
{
    const char *text = (const char *)sqlite3_column_text(c->st, c->at);
    apr_size_t len = (apr_size_t)sqlite3_column_bytes(c->st, c->at);

    c->at++;
    return text ? apr_pstrmemdup(p, text, len) : NULL;
}

apr_int64_t po_read_int(po_cursor *c)
{
    return sqlite3_column_int64(c->st, c->at++);
}

apr_status_t po_read_decimal(po_cursor *c, po_decimal *d)
{
    return po_decimal_parse(d, (const char *)sqlite3_column_text(c->st, c->at++), -1);
}

int po_read_begin(po_ledger_db *db)
{
    return sqlite3_get_autocommit(db->handle) && po_run(db, PO_SQL_READ_BEGIN, "BEGIN") == APR_SUCCESS;
}

void po_read_end(po_ledger_db *db, int begun)
{
    if (begun && !sqlite3_get_autocommit(db->handle))
        po_run(db, PO_SQL_READ_END, "COMMIT");
}

/* ---- readers -------------------------------------------------------------------------------------------------- */

static apr_status_t reader_close(void *data)
{
    po_db_close(data, 0);
    return APR_SUCCESS;
}

apr_status_t po_ledger_reader(po_ledger_db **out, const char *path, apr_pool_t *p)
{
    po_ledger_db *db = apr_pcalloc(p, sizeof(*db));

    *out = NULL;
    if (po_db_open(db, path, SQLITE_OPEN_READONLY) != SQLITE_OK)
        return APR_EGENERAL;
    apr_pool_cleanup_register(p, db, reader_close, apr_pool_cleanup_null);
    *out = db;
    return APR_SUCCESS;
}

const char *po_ledger_error(po_ledger_db *db)
{
    if (!db || !db->handle)
        return "the ledger is not open";
    return db->rc != SQLITE_OK && sqlite3_errcode(db->handle) == SQLITE_OK ? sqlite3_errstr(db->rc)
                                                                           : sqlite3_errmsg(db->handle);
}

apr_status_t po_ledger_key(po_ledger_db *db, unsigned char key[PO_DIGEST])
{
    sqlite3_stmt *st;
    apr_status_t rv;

    if (!db->has_key) {                 /* it never changes */
        st = po_statement(db, PO_SQL_KEY, "SELECT value FROM meta WHERE name = 'key'");
        rv = po_next(db, st);
        if (rv != APR_SUCCESS)
            return rv;
        db->has_key = sqlite3_column_bytes(st, 0) == PO_DIGEST;
        if (db->has_key)
            memcpy(db->key, sqlite3_column_blob(st, 0), PO_DIGEST);
        sqlite3_reset(st);
        if (!db->has_key)
            return APR_EGENERAL;
    }
    memcpy(key, db->key, PO_DIGEST);
    return APR_SUCCESS;
}
