/* continuations.c - which session has taken the next approval of a request back to the procurement system. */
#include "ledger/ledger_private.h"

apr_status_t po_continuation_insert(po_ledger_db *db, const po_continuation *c)
{
    po_cursor b = { po_statement(db, PO_SQL_CONTINUATION_INSERT, "INSERT INTO continuation"
                                 "(site, session, request, kind, cart_payload, at) VALUES(?,?,?,?,?,?)") };

    po_bind_text(&b, c->site);
    po_bind_text(&b, c->session);
    po_bind_text(&b, c->request);
    po_bind_text(&b, c->kind);
    po_bind_text(&b, c->cart_payload);
    po_bind_int(&b, c->at);
    return po_step(db, b.st);
}

apr_status_t po_continuation_get(po_ledger_db *db, const char *site, const char *session, apr_pool_t *p,
                                 po_continuation **out)
{
    po_cursor c = { po_statement(db, PO_SQL_CONTINUATION_GET, "SELECT site, session, request, kind, cart_payload, at"
                                 " FROM continuation WHERE site = ?1 AND session = ?2") };
    apr_status_t rv;

    *out = NULL;
    po_bind_text(&c, site);
    po_bind_text(&c, session);
    if ((rv = po_next(db, c.st)) != APR_SUCCESS)
        return rv;
    c.at = 0;
    *out = apr_pcalloc(p, sizeof(**out));
    (*out)->site = po_read_text(&c, p);
    (*out)->session = po_read_text(&c, p);
    (*out)->request = po_read_text(&c, p);
    (*out)->kind = po_read_text(&c, p);
    (*out)->cart_payload = po_read_text(&c, p);
    (*out)->at = po_read_int(&c);
    sqlite3_reset(c.st);
    return APR_SUCCESS;
}
