/* drafts.c - drafts of an account: how many there are, and the one that goes back. */
#include "ledger/ledger_private.h"

apr_status_t po_draft_count(po_ledger_db *db, const char *site, const char *buyer, const char *account, apr_time_t now,
                            int *n)
{
    po_cursor c = { po_statement(db, PO_SQL_DRAFT_COUNT, "SELECT count(*) FROM request WHERE state = 0 AND site = ?1"
                                 " AND buyer = ?2 AND account = ?3 AND (expires = 0 OR expires >= ?4)") };
    apr_status_t rv;

    *n = 0;
    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_text(&c, account);
    po_bind_int(&c, now);
    rv = po_next(db, c.st);
    if (rv == APR_SUCCESS)
        *n = sqlite3_column_int(c.st, 0);
    sqlite3_reset(c.st);
    return rv;
}

apr_status_t po_draft_update(po_ledger_db *db, const po_request *r)
{
    po_cursor c = { po_statement(db, PO_SQL_DRAFT_RETURN, "UPDATE request SET session = ?3, user = ?4, email = ?5,"
                                 " user_name = ?6, account_email = ?7 WHERE site = ?1 AND id = ?2 AND state = 0") };
    apr_status_t rv;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->id);
    po_bind_text(&c, r->session);
    po_bind_text(&c, r->user);
    po_bind_text(&c, r->email);
    po_bind_text(&c, r->user_name);
    po_bind_text(&c, r->account_email);
    rv = po_step(db, c.st);
    if (rv == APR_SUCCESS && sqlite3_changes(db->handle) == 0)
        return APR_NOTFOUND;
    return rv == APR_SUCCESS ? po_request_update(db, r) : rv;
}
