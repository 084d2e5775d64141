/* documents.c - documents that are kept, and which requests they concern. */
#include "ledger/ledger_private.h"

apr_status_t po_document_insert(po_ledger_db *db, const po_document *d)
{
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_INSERT, "INSERT INTO document(site, buyer, payload_id, kind,"
                                 " refers_to, outgoing, at, body) VALUES(?,?,?,?,?,?,?,?)") };

    po_bind_text(&c, d->site);
    po_bind_text(&c, d->buyer);
    po_bind_text(&c, d->payload_id);
    po_bind_text(&c, d->kind);
    po_bind_text(&c, d->refers_to);
    po_bind_int(&c, d->outgoing);
    po_bind_int(&c, d->at);
    po_bind_text(&c, d->body);
    return po_step(db, c.st);
}

#define DOCUMENT_COLUMNS "site, buyer, payload_id, kind, refers_to, outgoing, at, body"

static po_document *read_document(sqlite3_stmt *st, apr_pool_t *p)
{
    po_document *d = apr_pcalloc(p, sizeof(*d));
    po_cursor c = { st };

    d->site = po_read_text(&c, p);
    d->buyer = po_read_text(&c, p);
    d->payload_id = po_read_text(&c, p);
    d->kind = po_read_text(&c, p);
    d->refers_to = po_read_text(&c, p);
    d->outgoing = (int)po_read_int(&c);
    d->at = po_read_int(&c);
    d->body = po_read_text(&c, p);
    return d;
}

apr_status_t po_document_get(po_ledger_db *db, const char *site, const char *payload_id, apr_pool_t *p,
                             po_document **out)
{
    /* ours first: a buyer numbers his documents as he likes, and a cart that is sent again must be the cart */
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_GET, "SELECT " DOCUMENT_COLUMNS " FROM document WHERE site = ?1 AND payload_id = ?2"
                                 " ORDER BY outgoing DESC, seq DESC LIMIT 1") };
    apr_status_t rv;

    *out = NULL;
    po_bind_text(&c, site);
    po_bind_text(&c, payload_id);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    *out = read_document(c.st, p);
    sqlite3_reset(c.st);
    return APR_SUCCESS;
}

/* ---- what a buyer says about a document ------------------------------------------------------------------------ */

/* Of the requests in an order of that payloadID: an OrderRequest that we took, or one that a document of ours was about. */
static apr_status_t link_orders(po_ledger_db *db, const po_document *d, const char *payload_id, apr_int64_t seq)
{
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_ORDERS, "INSERT OR IGNORE INTO"
                                 " request_document(site, request, document) SELECT ?1, l.request, ?4 FROM purchase_order o JOIN order_line l"
                                 " ON l.purchase_order = o.seq WHERE o.site = ?1 AND o.buyer = ?2 AND o.payload_id = ?3"
                                 " AND l.request IS NOT NULL") };

    po_bind_text(&c, d->site);
    po_bind_text(&c, d->buyer);
    po_bind_text(&c, payload_id);
    po_bind_int(&c, seq);
    return po_step(db, c.st);
}

/* The request that a document of ours for this buyer refers to, a cart as it is. */
static apr_status_t link_request(po_ledger_db *db, const po_document *d, const char *request, apr_int64_t seq)
{
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_CARTS, "INSERT OR IGNORE INTO"
                                 " request_document(site, request, document) SELECT site, id, ?4 FROM request WHERE site = ?1 AND id = ?3 AND buyer = ?2") };

    po_bind_text(&c, d->site);
    po_bind_text(&c, d->buyer);
    po_bind_text(&c, request);
    po_bind_int(&c, seq);
    return po_step(db, c.st);
}

/* The request that a document of ours for this buyer was queued for. */
static apr_status_t link_queued(po_ledger_db *db, const po_document *d, apr_int64_t seq)
{
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_OUTBOX, "INSERT OR IGNORE INTO"
                                 " request_document(site, request, document) SELECT site, request, ?4 FROM outbox"
                                 " WHERE site = ?1 AND buyer = ?2 AND key = ?3"
                                 " AND request IS NOT NULL") };

    po_bind_text(&c, d->site);
    po_bind_text(&c, d->buyer);
    po_bind_text(&c, d->refers_to);
    po_bind_int(&c, seq);
    return po_step(db, c.st);
}

apr_status_t po_document_insert_status(po_ledger_db *db, const po_document *d, apr_pool_t *p)
{
    apr_status_t rv = po_document_insert(db, d);
    apr_int64_t seq = sqlite3_last_insert_rowid(db->handle);
    po_document *ours;

    if (rv != APR_SUCCESS || !d->refers_to)
        return rv;
    rv = link_orders(db, d, d->refers_to, seq);
    if (rv == APR_SUCCESS)
        rv = po_document_get(db, d->site, d->refers_to, p, &ours);
    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    if (!ours->outgoing)
        return APR_SUCCESS;
    rv = link_queued(db, d, seq);
    if (rv != APR_SUCCESS || !ours->refers_to)
        return rv;
    rv = link_orders(db, d, ours->refers_to, seq);
    return rv == APR_SUCCESS ? link_request(db, d, ours->refers_to, seq) : rv;
}

apr_status_t po_documents_about(po_ledger_db *db, const char *site, const char *buyer, const char *payload_id, apr_pool_t *p,
                                apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_ABOUT, "SELECT " DOCUMENT_COLUMNS " FROM document WHERE site = ?1"
                                 " AND refers_to = ?3 AND kind = 'StatusUpdateRequest' AND buyer = ?2 AND outgoing = 0 ORDER BY seq") };
    apr_status_t rv;

    *out = apr_array_make(p, 4, sizeof(po_document *));
    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_text(&c, payload_id);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(*out, po_document *) = read_document(c.st, p);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t po_documents_of_request(po_ledger_db *db, const char *site, const char *request, apr_pool_t *p,
                                     apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_DOCUMENT_LIST, "SELECT d.site, buyer, payload_id, kind, refers_to,"
                                 " outgoing, at, body FROM request_document x JOIN document d ON d.seq = x.document"
                                 " WHERE x.site = ?1 AND x.request = ?2 ORDER BY x.document") };
    apr_status_t rv;

    *out = apr_array_make(p, 4, sizeof(po_document *));
    po_bind_text(&c, site);
    po_bind_text(&c, request);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(*out, po_document *) = read_document(c.st, p);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* ---- what a buyer was told last of an order ---------------------------------------------------------------------- */

apr_status_t po_confirmation_last(po_ledger_db *db, po_confirmation_record *r, apr_pool_t *p)
{
    po_cursor c = { po_statement(db, PO_SQL_CONFIRMATION_LAST, "SELECT payload_id, confirm_id, digest FROM confirmation"
                                 " WHERE site = ?1 AND buyer = ?2 AND test = ?3 AND order_id = ?4") };
    apr_status_t rv;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->buyer);
    po_bind_int(&c, r->test);
    po_bind_text(&c, r->order_id);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    c.at = 0;
    r->payload_id = po_read_text(&c, p);
    r->confirm_id = po_read_text(&c, p);
    r->digest = po_read_text(&c, p);
    sqlite3_reset(c.st);
    return APR_SUCCESS;
}

apr_status_t po_confirmation_put(po_ledger_db *db, const po_confirmation_record *r)
{
    po_cursor c = { po_statement(db, PO_SQL_CONFIRMATION_PUT, "INSERT OR REPLACE INTO confirmation(site, buyer,"
                                 " test, order_id, payload_id, confirm_id, digest) VALUES(?,?,?,?,?,?,?)") };

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->buyer);
    po_bind_int(&c, r->test);
    po_bind_text(&c, r->order_id);
    po_bind_text(&c, r->payload_id);
    po_bind_text(&c, r->confirm_id);
    po_bind_text(&c, r->digest);
    return po_step(db, c.st);
}
