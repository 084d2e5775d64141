/* status_update.c - StatusUpdateRequest: what a buyer says about an order or a document of ours; kept and shown only. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef struct {
    po_document document;
    apr_pool_t *pool;
} status_job;

static apr_status_t keep_status(po_ledger_db *db, void *baton)
{
    const status_job *j = baton;

    return po_document_insert_status(db, &j->document, j->pool);
}

int po_handle_status_update(po_exchange *x)
{
    const po_cxml_status_update *u = x->doc.status_update;
    status_job j = { { x->site->public_url, x->match.buyer->name, x->doc.payload_id, "StatusUpdateRequest" },
                     x->r->pool };
    apr_status_t rv;

    j.document.refers_to = u->refers_to;
    j.document.body = apr_pstrcat(x->r->pool, u->code ? u->code : "-", u->text && *u->text ? " " : "", u->text, NULL);
    j.document.at = x->r->request_time;
    rv = po_ledger_run(po_child_ledger(), keep_status, &j);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, x->r, "PO0115: a StatusUpdateRequest of buyer %s could not be kept",
                      j.document.buyer);
        return po_answer_status(x, 560, "The document can't be kept at the moment; send it again later");
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0116: buyer %s says %s about %s", j.document.buyer,
                  u->code ? u->code : "-", u->refers_to ? u->refers_to : "-");
    return po_answer_status(x, 200, NULL);
}
