/* profile.c - ProfileRequest (what do you take?) and StatusUpdateRequest (what became of a document of ours). */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

#define ANSWER_ROOM 2048

int po_handle_profile(po_exchange *x)
{
    po_cxml_envelope e;
    po_buffer b;

    po_envelope(x, &e);
    po_buffer_init(&b, x->r->pool, ANSWER_ROOM);
    po_cxml_write_profile_response(&b, &e, x->site->door, po_child_started());
    return po_answer_send(x, &b);
}

static apr_status_t keep_status(po_ledger_db *db, void *baton)
{
    return po_document_insert(db, baton);
}

int po_handle_status_update(po_exchange *x)
{
    const po_cxml_status_update *u = x->doc.status_update;
    po_document d = { x->site->public_url, x->match.buyer->name, x->doc.payload_id, "StatusUpdateRequest" };
    apr_status_t rv;

    d.refers_to = u->refers_to;
    d.body = apr_pstrcat(x->r->pool, u->code ? u->code : "", " ", u->text ? u->text : "", NULL);
    d.at = x->r->request_time;
    rv = po_ledger_run(po_child_ledger(), keep_status, &d);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, x->r, "PO0115: a StatusUpdateRequest of buyer %s could not be kept", d.buyer);
        return po_answer_status(x, 560, "The document can't be kept at the moment; send it again later");
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0116: buyer %s says %s about %s", d.buyer, u->code ? u->code : "-",
                  u->refers_to ? u->refers_to : "-");
    return po_answer_status(x, 200, NULL);
}
