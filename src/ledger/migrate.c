/* migrate.c - makes the ledger's file, or brings an older one to this version. */
#include "ledger/ledger_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int po_pragma(sqlite3 *handle, const char *query, int *rc)
{
    sqlite3_stmt *st = NULL;
    int value = -1;

    *rc = sqlite3_prepare_v2(handle, query, -1, &st, NULL);
    if (*rc == SQLITE_OK) {
        *rc = sqlite3_step(st);
        if (*rc == SQLITE_ROW) {
            value = sqlite3_column_int(st, 0);
            *rc = SQLITE_OK;
        }
    }
    sqlite3_finalize(st);
    return value;
}

/* Before SQLite does, which would let everybody read it: the ledger names people and what they buy. */
static const char *create_file(const char *path, apr_pool_t *p)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return apr_psprintf(p, "ledger %s can't be made or written (%s): make its directory and let the server's user "
                            "write there", path, strerror(errno));
    close(fd);
    return NULL;
}

/* NULL: version is one that this program can use or migrate. */
static const char *refuse(sqlite3 *handle, const char *path, int version, apr_pool_t *p)
{
    int rc;

    if (version > PO_SCHEMA_VERSION)
        return apr_psprintf(p, "ledger %s was written by a newer mod_punchout (schema %d, this one knows %d): install "
                            "that version again, or name another file in PunchOutLedger", path, version,
                            PO_SCHEMA_VERSION);
    if (version > 0 ? po_pragma(handle, "PRAGMA application_id", &rc) != PO_APPLICATION_ID
                    : po_pragma(handle, "SELECT count(*) FROM sqlite_master", &rc) > 0)
        return apr_psprintf(p, "%s is a database of another program: name a file of its own in PunchOutLedger", path);
    return NULL;
}

static int insert_key(sqlite3 *handle)
{
    unsigned char key[PO_DIGEST];
    sqlite3_stmt *st = NULL;
    po_crypto *c = po_crypto_create();
    int rc = c && po_random(c, key, sizeof(key)) == APR_SUCCESS ? SQLITE_OK : SQLITE_ERROR;

    po_crypto_destroy(c);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(handle, "INSERT OR IGNORE INTO meta(name, value) VALUES('key', ?1)", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_blob(st, 1, key, sizeof(key), SQLITE_STATIC);
        rc = sqlite3_step(st) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(handle);
    }
    sqlite3_finalize(st);
    memset(key, 0, sizeof(key));
    return rc;
}

/* Within a transaction: whatever is interrupted has never begun. */
static int apply_steps(sqlite3 *handle, int version)
{
    char pragmas[96];
    int rc = SQLITE_OK;

    if (version == PO_SCHEMA_VERSION)
        return SQLITE_OK;
    for (; rc == SQLITE_OK && version < PO_SCHEMA_VERSION; version++)
        rc = sqlite3_exec(handle, po_schema[version], NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = insert_key(handle);
    apr_snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%d", PO_APPLICATION_ID,
                 PO_SCHEMA_VERSION);
    return rc == SQLITE_OK ? sqlite3_exec(handle, pragmas, NULL, NULL, NULL) : rc;
}

static const char *migrate(sqlite3 *handle, const char *path, int *rc, apr_pool_t *p)
{
    const char *wrong = NULL;
    int version;

    sqlite3_busy_timeout(handle, 5000);
    version = po_pragma(handle, "PRAGMA user_version", rc);
    if (*rc == SQLITE_OK)
        wrong = refuse(handle, path, version, p);       /* before anything is written into the file */
    if (*rc == SQLITE_OK && !wrong)
        *rc = sqlite3_exec(handle, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF;"
                           " BEGIN IMMEDIATE", NULL, NULL, NULL);        /* a step may replace a table others refer to */
    if (*rc == SQLITE_OK && !wrong)
        version = po_pragma(handle, "PRAGMA user_version", rc);         /* another process may have been quicker */
    if (*rc == SQLITE_OK && !wrong)
        wrong = refuse(handle, path, version, p);
    if (*rc != SQLITE_OK || wrong)
        return wrong;
    *rc = apply_steps(handle, version);
    if (*rc == SQLITE_OK)
        *rc = sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    return NULL;
}

const char *po_ledger_migrate(const char *path, apr_pool_t *p)
{
    const char *wrong = create_file(path, p);
    sqlite3 *handle = NULL;
    char why[1024];
    int rc;

    if (wrong)
        return wrong;
    rc = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        wrong = migrate(handle, path, &rc, p);
    if (!wrong && rc != SQLITE_OK)
        wrong = apr_pstrdup(p, po_db_explain(path, rc, handle ? sqlite3_errmsg(handle) : NULL, why, sizeof(why)));
    sqlite3_close(handle);              /* rolls back what was not committed */
    return wrong;
}
