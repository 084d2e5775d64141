/* order.c - OrderRequest: matched to the requests it names and committed together with their events before the answer. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef struct {                        /* a job for the ledger; the caller waits, so its pool may be used */
    po_exchange *x;
    const po_cxml_order *order;
    const char *version;
    int test;
    char digest[2 * PO_DIGEST + 1];
    /* the outcome, set anew by each run */
    int status, again;
    const char *detail;
    po_order_match match;
} order_job;

/* ---- in the ledger's transaction ------------------------------------------------------------------------------ */

/* A retry gets the answer of before, and nothing happens twice (design.md §7). 1: the order is answered. */
static apr_status_t seen_before(po_ledger_db *db, order_job *j, int *answered)
{
    po_exchange *x = j->x;
    po_order_record *rec;
    int same = 0;
    apr_status_t rv = po_order_find(db, x->site->public_url, x->match.buyer->name, x->doc.payload_id, j->digest, j->test,
                                    j->order->order_id, j->version, x->r->pool, &rec, &same);

    *answered = rv == APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    j->again = same;
    j->status = same ? rec->status : 409;
    j->detail = same ? rec->detail
                     : apr_psprintf(x->r->pool, "Order %s was received before with other content (payloadID %s). Send a "
                                    "change as type=\"update\" with a higher orderVersion, or use a new orderID",
                                    j->order->order_id, rec->payload_id);
    return APR_SUCCESS;
}

static apr_status_t keep(po_ledger_db *db, order_job *j)
{
    po_exchange *x = j->x;
    po_order_record rec = { x->site->public_url, x->match.buyer->name, x->doc.payload_id, j->digest, j->test };
    apr_status_t rv;
    int i;

    rec.request = j->match.requests->nelts == 1 ? APR_ARRAY_IDX(j->match.requests, 0, po_request *)->id : NULL;
    rec.status = j->match.status;
    rec.detail = j->match.detail;
    rec.held = j->match.held;
    rec.received = x->r->request_time;
    rv = po_order_insert(db, &rec, j->order, &j->match);
    for (i = 0; rv == APR_SUCCESS && i < j->match.requests->nelts; i++) {
        po_request *request = APR_ARRAY_IDX(j->match.requests, i, po_request *);

        request->updated = x->r->request_time;
        if (request->state == PO_STATE_APPROVED)
            rv = po_queue_event(db, x->site, request, j->order, x->doc.payload_id, x->r->request_time, x->thread->crypto,
                                x->r->pool);
        if (rv == APR_SUCCESS)
            rv = po_request_update(db, request);
        if (rv == APR_SUCCESS && request->state == PO_STATE_HELD)
            rv = po_delivery_mail(db, x->site, PO_MAIL_HELD, request, apr_pstrcat(x->r->pool, "mail-", request->id, "-held",
                                  NULL), x->r->request_time, x->r->pool);
    }
    return rv;
}

static apr_status_t take_order(po_ledger_db *db, void *baton)
{
    order_job *j = baton;
    po_exchange *x = j->x;
    apr_array_header_t *known = apr_array_make(x->r->pool, 2, sizeof(po_request *));
    apr_status_t rv;
    int answered;

    j->again = 0;
    rv = seen_before(db, j, &answered);
    if (rv != APR_SUCCESS || answered)
        return rv;
    rv = po_requests_of_items(db, x->site->public_url, x->match.buyer->name, j->order->items, 1, x->r->pool, known);
    if (rv != APR_SUCCESS)
        return rv;
    po_order_match_new(j->order, j->test, x->match.buyer, known, x->r->request_time, &j->match, x->r->pool);
    j->status = j->match.status;
    j->detail = j->match.detail;
    return j->status == 200 ? keep(db, j) : APR_SUCCESS;
}

/* ---- the handler ---------------------------------------------------------------------------------------------- */

static void log_order(const order_job *j)
{
    int bad = j->status != 200 || j->match.held;

    ap_log_rerror(APLOG_MARK, bad ? APLOG_WARNING : APLOG_INFO, 0, j->x->r, "PO0150: order %s of buyer %s: Status %d%s%s%s%s",
                  j->order->order_id, j->x->match.buyer->name, j->status, j->again ? " (again)" : "",
                  j->match.held ? " (held)" : "", j->detail ? ": " : "", j->detail ? j->detail : "");
}

int po_handle_order(po_exchange *x)
{
    const po_cxml_order *order = x->doc.order;
    unsigned char digest[PO_DIGEST];
    order_job j = { x, order };
    apr_status_t rv;

    if (strcmp(order->type, "new")) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0151: order %s of buyer %s: type \"%s\" is not carried out",
                      order->order_id, x->match.buyer->name, order->type);
        return po_answer_status(x, 450, "only orders of type \"new\" are taken");
    }
    j.version = order->version && *order->version ? order->version : "1";
    j.test = x->doc.test || x->match.buyer->deployment == PO_DEPLOYMENT_TEST;
    po_cxml_order_digest(x->thread->crypto, order, j.test, digest);
    po_hex(j.digest, digest, PO_DIGEST);
    rv = po_ledger_run(po_child_ledger(), take_order, &j);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, x->r, "PO0152: order %s of buyer %s could not be written to the ledger; "
                      "it is answered 560 and has to come again", order->order_id, x->match.buyer->name);
        return po_answer_status(x, 560, "The order can't be kept at the moment; send it again later");
    }
    log_order(&j);
    return po_answer_status(x, j.status, j.detail);
}
