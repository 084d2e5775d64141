/* order.c - OrderRequest: matched to the requests it names and committed together with their events before the answer. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef struct {                        /* a job for the ledger; the caller waits, so its pool may be used */
    po_exchange *x;
    po_order_case order;
    char digest[2 * PO_DIGEST + 1];
    po_order_verdict verdict;           /* set anew by each run */
} order_job;

/* ---- in the ledger's transaction ------------------------------------------------------------------------------ */

static apr_status_t keep_request(po_ledger_db *db, const order_job *j, const po_cxml_order *order, int i)
{
    po_exchange *x = j->x;
    po_request *request = APR_ARRAY_IDX(j->verdict.match.requests, i, po_request *);
    po_order_outcome outcome = APR_ARRAY_IDX(j->verdict.match.outcomes, i, po_order_outcome);
    apr_status_t rv = APR_SUCCESS;

    request->updated = x->r->request_time;
    if (outcome != PO_OUTCOME_NONE)
        rv = po_delivery_event(db, x->site, request, outcome, order, x->doc.payload_id, x->r->request_time,
                               x->thread->crypto, x->r->pool);
    if (rv == APR_SUCCESS)
        rv = po_request_update(db, request);
    if (rv == APR_SUCCESS && request->state == PO_STATE_HELD)
        rv = po_delivery_mail_held(db, x->site, request, x->doc.payload_id, x->r->request_time, x->r->pool);
    else if (rv == APR_SUCCESS && request->state == PO_STATE_CANCELLED)
        rv = po_delivery_mail(db, x->site, PO_MAIL_CANCELLED, request,
                              apr_pstrcat(x->r->pool, "mail-", request->id, "-cancelled", NULL), x->r->request_time, x->r->pool);
    return rv;
}

/* A test without a sandbox has ended at once. */
static apr_status_t confirm_tested(po_ledger_db *db, const order_job *j)
{
    const po_order_match *m = &j->verdict.match;
    po_exchange *x = j->x;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < m->requests->nelts; i++) {
        const po_request *request = APR_ARRAY_IDX(m->requests, i, po_request *);

        if (request->state == PO_STATE_TESTED && APR_ARRAY_IDX(m->outcomes, i, po_order_outcome) != PO_OUTCOME_NONE)
            rv = po_delivery_confirm(db, x->site, request, x->r->request_time, x->r->pool);
    }
    return rv;
}

/* Every document that is answered with 200 stays: the history of an order. */
static apr_status_t keep(po_ledger_db *db, order_job *j)
{
    const po_order_match *m = &j->verdict.match;
    po_exchange *x = j->x;
    po_order_record rec = { x->site->public_url, x->match.buyer->name, x->doc.payload_id, j->digest, j->order.test };
    po_cxml_order order = *j->order.order;
    apr_status_t rv;
    int i;

    order.version = j->verdict.version;
    rec.request = m->requests->nelts == 1 ? APR_ARRAY_IDX(m->requests, 0, po_request *)->id : NULL;
    rec.status = m->status;
    rec.detail = m->detail;
    rec.held = m->held;
    rec.difference = m->difference;
    rec.received = x->r->request_time;
    rv = po_order_insert(db, &rec, &order, m);
    for (i = 0; rv == APR_SUCCESS && i < m->requests->nelts; i++)
        rv = keep_request(db, j, &order, i);
    return rv == APR_SUCCESS ? confirm_tested(db, j) : rv;
}

static apr_status_t take_order(po_ledger_db *db, void *baton)
{
    order_job *j = baton;
    apr_status_t rv = po_order_judge(db, &j->order, &j->verdict, j->x->r->pool);

    return rv == APR_SUCCESS && j->verdict.status == 200 && !j->verdict.again ? keep(db, j) : rv;
}

/* ---- the handler ---------------------------------------------------------------------------------------------- */

/* A request that an update or delete leaves without one of its approvals waits for the operator. */
static void log_held(const order_job *j)
{
    const po_cxml_order *order = j->order.order;
    int i;

    for (i = 0; i < j->verdict.match.requests->nelts; i++) {
        const po_request *request = APR_ARRAY_IDX(j->verdict.match.requests, i, po_request *);

        if (request->state == PO_STATE_HELD)
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->x->r, "PO0153: request %s is held after %s of order %s of buyer %s: %s",
                          request->id, order->type, order->order_id, request->buyer,
                          request->reason ? request->reason : "no reason is known");
    }
}

static void log_order(const order_job *j)
{
    const po_cxml_order *order = j->order.order;
    const po_order_verdict *v = &j->verdict;
    int bad = v->status != 200 || v->match.held, is_new = j->order.type == PO_ORDER_NEW;

    ap_log_rerror(APLOG_MARK, bad ? APLOG_WARNING : APLOG_INFO, 0, j->x->r,
                  "PO0150: order %s of buyer %s%s%s: Status %d%s%s%s%s", order->order_id, j->x->match.buyer->name,
                  is_new ? "" : ", ", is_new ? "" : order->type, v->status, v->again ? " (again)" : "",
                  v->match.held ? " (held)" : "", v->detail ? ": " : "", v->detail ? v->detail : "");
    if (v->reused)
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, j->x->r, "PO0154: payloadID %s of order %s of buyer %s came before with "
                      "other content; it was taken for a new document", j->x->doc.payload_id, order->order_id,
                      j->x->match.buyer->name);
    if (!is_new && v->status == 200 && v->match.requests)
        log_held(j);
}

int po_handle_order(po_exchange *x)
{
    const po_cxml_order *order = x->doc.order;
    int test = x->doc.test || x->match.buyer->deployment == PO_DEPLOYMENT_TEST;
    order_job j = { x, { x->site->public_url, x->match.buyer, x->doc.payload_id, order, PO_ORDER_NEW, test, j.digest,
                         x->r->request_time } };
    unsigned char digest[PO_DIGEST];
    apr_status_t rv;

    if (!po_order_type_find(order->type, &j.order.type)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0151: order %s of buyer %s: type \"%s\" is not carried out",
                      order->order_id, x->match.buyer->name, order->type);
        return po_answer_status(x, 450, PO_ORDER_TYPES);
    }
    po_cxml_order_digest(x->thread->crypto, order, test, digest);
    po_hex(j.digest, digest, PO_DIGEST);
    rv = po_ledger_run(po_child_ledger(), take_order, &j);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, x->r, "PO0152: order %s of buyer %s could not be written to the ledger; "
                      "it is answered 560 and has to come again", order->order_id, x->match.buyer->name);
        return po_answer_status(x, 560, "The order can't be kept at the moment; send it again later");
    }
    log_order(&j);
    return po_answer_status(x, j.verdict.status, j.verdict.detail);
}
