/* ledger_private.h - what the files of this room share: connections, prepared statements, binding and reading. */
#ifndef PO_LEDGER_PRIVATE_H
#define PO_LEDGER_PRIVATE_H

#include "ledger/ledger.h"

#include <sqlite3.h>
#include <sys/types.h>

/* ---- schema.c, migrate.c -------------------------------------------------------------------------------------- */

#define PO_SCHEMA_VERSION 4             /* PRAGMA user_version of a file of ours */
#define PO_APPLICATION_ID 0x504f4c31    /* PRAGMA application_id: "POL1" */

/* po_schema[n] makes version n + 1 of version n. */
extern const char *const po_schema[PO_SCHEMA_VERSION];
/* A number of the connection's PRAGMA; -1 when it can't be read, then *rc tells why. */
int po_pragma(sqlite3 *handle, const char *query, int *rc);

/* ---- sqlite.c: a connection ----------------------------------------------------------------------------------- */

/* Prepared statements, each kept by its connection from its first use on. Their text stands where they are used. */
typedef enum {
    PO_SQL_BEGIN, PO_SQL_COMMIT, PO_SQL_ROLLBACK, PO_SQL_SAVEPOINT, PO_SQL_UNDO, PO_SQL_RELEASE,
    PO_SQL_READ_BEGIN, PO_SQL_READ_END, PO_SQL_KEY,
    PO_SQL_REQUEST_INSERT, PO_SQL_REQUEST_GET, PO_SQL_REQUEST_OF_FORM, PO_SQL_REQUEST_OF_CART, PO_SQL_REQUEST_UPDATE,
    PO_SQL_REQUEST_IN_SESSION, PO_SQL_DRAFT_RETURN, PO_SQL_DRAFT_COUNT,
    PO_SQL_LIST_ACCOUNT, PO_SQL_LIST_EMAIL, PO_SQL_LIST_BUYER, PO_SQL_LIST_SITE,
    PO_SQL_CANDIDATES, PO_SQL_EXPIRE, PO_SQL_EXPIRE_CHARGES, PO_SQL_HOLD, PO_SQL_ENDING, PO_SQL_HALF_EXPIRED,
    PO_SQL_CONTINUATION_INSERT, PO_SQL_CONTINUATION_GET,
    PO_SQL_CHARGE_INSERT, PO_SQL_CHARGES, PO_SQL_CHARGE_UPDATE,
    PO_SQL_ORDER_OF_PAYLOAD, PO_SQL_ORDER_OF_ID, PO_SQL_ORDER_INSERT, PO_SQL_ORDER_LINE_INSERT,
    PO_SQL_ORDER_LATEST, PO_SQL_ORDER_REQUESTS, PO_SQL_ORDER_READ, PO_SQL_ORDER_READ_LINES,
    PO_SQL_DOCUMENT_ORDERS, PO_SQL_DOCUMENT_CARTS, PO_SQL_DOCUMENT_LIST,
    PO_SQL_ORDER_TAKEN, PO_SQL_ORDER_TAKEN_LINES, PO_SQL_CONFIRMATION_LAST, PO_SQL_CONFIRMATION_PUT,
    PO_SQL_DOCUMENT_OUTBOX,
    PO_SQL_DOCUMENT_ABOUT, PO_SQL_INVOICE_INSERT, PO_SQL_INVOICE_LINE_INSERT, PO_SQL_INVOICE_GET, PO_SQL_INVOICE_LIST,
    PO_SQL_INVOICE_LIST_BUYER, PO_SQL_INVOICE_PAST, PO_SQL_INVOICE_ORDER_LINE,
    PO_SQL_DOCUMENT_INSERT, PO_SQL_DOCUMENT_GET, PO_SQL_SUBSCRIPTION_PUT,
    PO_SQL_OUTBOX_ADD, PO_SQL_OUTBOX_BACKEND, PO_SQL_OUTBOX_DUE, PO_SQL_OUTBOX_NEXT, PO_SQL_OUTBOX_CLAIM,
    PO_SQL_OUTBOX_DONE, PO_SQL_OUTBOX_DOUBT, PO_SQL_OUTBOX_AGAIN, PO_SQL_OUTBOX_STOP, PO_SQL_OUTBOX_BEHIND, PO_SQL_OUTBOX_OWNERS,
    PO_SQL_OUTBOX_FREE, PO_SQL_OUTBOX_GET, PO_SQL_OUTBOX_TROUBLE, PO_SQL_OUTBOX_OPEN, PO_SQL_OUTBOX_REOPEN, PO_SQL_OUTBOX_DROP,
    PO_SQL_OUTBOX_ANSWERED, PO_SQL_OUTBOX_REOPEN_BEHIND, PO_SQL_HOLD_PARTLY, PO_SQL_UNANSWERED,
    PO_SQL_OUTBOX_LANE, PO_SQL_OUTBOX_LIST, PO_SQL_OUTBOX_LAST, PO_SQL_OUTBOX_LATER,
    PO_SQL_DECISION_INSERT, PO_SQL_DECISION_OPEN, PO_SQL_DECISION_DONE, PO_SQL_DECISION_GET, PO_SQL_DECISION_LIST,
    PO_SQL_ORDER_LIST, PO_SQL_ORDER_DECIDED, PO_SQL_ORDER_LEFT_OUT,
    PO_SQL_COUNT
} po_sql;

struct po_ledger_db {
    sqlite3 *handle;                    /* NULL: closed */
    sqlite3_stmt *statements[PO_SQL_COUNT];
    int rc;                             /* SQLite's last error that was no mere duplicate; SQLITE_OK: none */
    int wakes;                          /* this job made a row of the outbox deliverable */
    int has_key;
    unsigned char key[PO_DIGEST];
    dev_t device;                       /* of the file that is open, to notice when another takes its place */
    ino_t inode;
};

/* Opens path with this module's settings; flags of sqlite3_open_v2(). SQLITE_OK, or a code for po_db_explain(); then db
 * stays closed. SQLITE_MISMATCH: the file has another schema version. */
int po_db_open(po_ledger_db *db, const char *path, int flags);
/* abandoned: another file has taken the place of this one, so nothing at its path may be touched any more. */
void po_db_close(po_ledger_db *db, int abandoned);
/* 1 when path still names the file that is open. */
int po_db_in_place(const po_ledger_db *db, const char *path);
/* A sentence in out: what is wrong with the file at path, and what to do. says: SQLite's own message, may be NULL. */
const char *po_db_explain(const char *path, int rc, const char *says, char *out, apr_size_t size);
/* 1 when the connection is worth nothing after this error. */
int po_db_is_broken(int rc);

/* ---- sqlite.c: statements ------------------------------------------------------------------------------------- */

/* The statement, ready for binding. NULL when it can't be prepared; everything below takes that NULL and fails. */
sqlite3_stmt *po_statement(po_ledger_db *db, po_sql id, const char *text);
/* Runs a statement without looking at rows. APR_EEXIST: a row with that key exists. */
apr_status_t po_step(po_ledger_db *db, sqlite3_stmt *st);
/* The next row: APR_SUCCESS, APR_NOTFOUND when there is no more, else APR_EGENERAL. Who stops before that resets. */
apr_status_t po_next(po_ledger_db *db, sqlite3_stmt *st);
apr_status_t po_run(po_ledger_db *db, po_sql id, const char *text);

/* Parameters and columns one after another, so that a list of names and the code behind it can be read side by side. */
typedef struct {
    sqlite3_stmt *st;
    int at;                             /* starts at 0 */
} po_cursor;

void po_bind_text(po_cursor *c, const char *text);      /* NULL is NULL; text must outlive the step */
void po_bind_owned_text(po_cursor *c, char *text);      /* the same; freed by SQLite */
void po_bind_int(po_cursor *c, apr_int64_t value);
void po_bind_decimal(po_cursor *c, const po_decimal *d);
const char *po_read_text(po_cursor *c, apr_pool_t *p);
apr_int64_t po_read_int(po_cursor *c);
apr_status_t po_read_decimal(po_cursor *c, po_decimal *d);

/* A reader that needs several statements sees one state of the database between these two; a job does anyway. */
int po_read_begin(po_ledger_db *db);
void po_read_end(po_ledger_db *db, int begun);

#endif
