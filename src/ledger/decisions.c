/* decisions.c - what an operator decided: written by the tool, carried out by the deliverer, kept for ever. */
#include "ledger/ledger_private.h"

#define DECISION_COLUMNS "seq, site, what, id, buyer, event, reason, made_by, at, done, carried_out, outcome"

static apr_status_t close_connection(void *data)
{
    po_db_close(data, 0);
    return APR_SUCCESS;
}

const char *po_ledger_connect(po_ledger_db **out, const char *path, apr_pool_t *p)
{
    po_ledger_db *db = apr_pcalloc(p, sizeof(*db));
    char why[1024];
    int rc = po_db_open(db, path, SQLITE_OPEN_READWRITE);

    *out = NULL;
    if (rc != SQLITE_OK)
        return apr_pstrdup(p, po_db_explain(path, rc, NULL, why, sizeof(why)));
    apr_pool_cleanup_register(p, db, close_connection, apr_pool_cleanup_null);
    *out = db;
    return NULL;
}

static po_decision *read_decision(sqlite3_stmt *st, apr_pool_t *p)
{
    po_decision *d = apr_pcalloc(p, sizeof(*d));
    po_cursor c = { st };

    d->seq = po_read_int(&c);
    d->site = po_read_text(&c, p);
    d->what = po_read_text(&c, p);
    d->id = po_read_text(&c, p);
    d->buyer = po_read_text(&c, p);
    d->event = po_read_text(&c, p);
    d->reason = po_read_text(&c, p);
    d->by = po_read_text(&c, p);
    d->at = po_read_int(&c);
    d->done = po_read_int(&c);
    d->carried_out = (int)po_read_int(&c);
    d->outcome = po_read_text(&c, p);
    return d;
}

static apr_status_t read_decisions(po_ledger_db *db, sqlite3_stmt *st, apr_pool_t *p, apr_array_header_t **out)
{
    apr_status_t rv;

    *out = apr_array_make(p, 4, sizeof(po_decision *));
    while ((rv = po_next(db, st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(*out, po_decision *) = read_decision(st, p);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t po_decision_insert(po_ledger_db *db, po_decision *d)
{
    po_cursor c = { po_statement(db, PO_SQL_DECISION_INSERT, "INSERT INTO decision(site, what, id, buyer, "
                                 "event, reason, made_by, at, done, carried_out) VALUES(?,?,?,?,?,?,?,?,0,0)") };
    apr_status_t rv;

    po_bind_text(&c, d->site);
    po_bind_text(&c, d->what);
    po_bind_text(&c, d->id);
    po_bind_text(&c, d->buyer);
    po_bind_text(&c, d->event);
    po_bind_text(&c, d->reason);
    po_bind_text(&c, d->by);
    po_bind_int(&c, d->at);
    rv = po_step(db, c.st);
    if (rv == APR_SUCCESS)
        d->seq = sqlite3_last_insert_rowid(db->handle);
    return rv;
}

apr_status_t po_decision_get(po_ledger_db *db, apr_int64_t seq, apr_pool_t *p, po_decision **out)
{
    po_cursor c = { po_statement(db, PO_SQL_DECISION_GET, "SELECT " DECISION_COLUMNS " FROM decision WHERE seq = ?1") };
    apr_status_t rv;

    *out = NULL;
    po_bind_int(&c, seq);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    *out = read_decision(c.st, p);
    sqlite3_reset(c.st);
    return APR_SUCCESS;
}

apr_status_t po_decisions_open(po_ledger_db *db, const char *site, int limit, apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_DECISION_OPEN, "SELECT " DECISION_COLUMNS " FROM decision WHERE site = ?1"
                                 " AND done = 0 ORDER BY seq LIMIT ?2") };

    po_bind_text(&c, site);
    po_bind_int(&c, limit);
    return read_decisions(db, c.st, p, out);
}

apr_status_t po_decision_close(po_ledger_db *db, apr_int64_t seq, int carried_out, const char *outcome, apr_time_t now)
{
    po_cursor c = { po_statement(db, PO_SQL_DECISION_DONE, "UPDATE decision SET done = ?2, carried_out = ?3, "
                                 "outcome = ?4 WHERE seq = ?1 AND done = 0") };
    apr_status_t rv;

    po_bind_int(&c, seq);
    po_bind_int(&c, now);
    po_bind_int(&c, carried_out);
    po_bind_text(&c, outcome);
    rv = po_step(db, c.st);
    return rv == APR_SUCCESS && !sqlite3_changes(db->handle) ? APR_NOTFOUND : rv;
}

apr_status_t po_decisions_about(po_ledger_db *db, const char *site, const char *id, const char *buyer, apr_pool_t *p,
                                apr_array_header_t **out)
{
    /* a purchase order's number belongs to its buyer; what is about a request may name one of its orders or events */
    po_cursor c = { po_statement(db, PO_SQL_DECISION_LIST, "SELECT " DECISION_COLUMNS " FROM decision d WHERE site = ?1"
                                 " AND ((id = ?2 AND (?3 IS NULL OR buyer = ?3))"
                                 "  OR (?3 IS NULL AND EXISTS (SELECT 1 FROM outbox o WHERE o.key = d.id AND "
                                 "o.request = ?2))  OR (?3 IS NULL AND EXISTS (SELECT 1 FROM charge c JOIN request "
                                 "r ON r.seq = c.request   WHERE r.site = ?1 AND r.id = ?2 AND r.buyer = d.buyer AND "
                                 "c.order_id = d.id))) ORDER BY seq") };

    po_bind_text(&c, site);
    po_bind_text(&c, id);
    po_bind_text(&c, buyer);
    return read_decisions(db, c.st, p, out);
}
