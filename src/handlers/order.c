/* order.c - OrderRequest: matched to the requests it names and committed together with their events before the answer. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef enum { TYPE_NEW, TYPE_UPDATE, TYPE_DELETE } order_type;

typedef struct {                        /* a job for the ledger; the caller waits, so its pool may be used */
    po_exchange *x;
    const po_cxml_order *order;
    order_type type;
    int test;
    char digest[2 * PO_DIGEST + 1];
    /* the outcome, set anew by each run */
    const char *version;
    int status, again, reused;
    const char *detail;
    po_order_match match;
} order_job;

/* ---- in the ledger's transaction ------------------------------------------------------------------------------ */

static void repeat(order_job *j, const po_order_record *before)
{
    j->again = 1;
    j->status = before->status;
    j->detail = before->detail;
}

/* An order that says the same as one before, in another document: nothing new, unless that was cancelled since. */
static apr_status_t repeat_order(po_ledger_db *db, order_job *j, const po_order_record *before)
{
    po_exchange *x = j->x;
    po_order_record *latest;
    apr_status_t rv = po_order_latest(db, x->site->public_url, x->match.buyer->name, j->test, NULL, j->order->order_id,
                                      x->r->pool, &latest);

    if (rv != APR_SUCCESS)
        return rv;
    if (strcmp(latest->type, "delete")) {
        repeat(j, before);
        return APR_SUCCESS;
    }
    j->status = 409;
    j->detail = apr_psprintf(x->r->pool, "Order %s was cancelled (payloadID %s); return a new cart and order that under a new "
                             "orderID", j->order->order_id, latest->payload_id);
    return APR_SUCCESS;
}

/* A retry gets the answer of before, and nothing happens twice (design.md §7). 1: the order is answered. */
static apr_status_t seen_before(po_ledger_db *db, order_job *j, int *answered)
{
    po_exchange *x = j->x;
    po_order_record *rec;
    int same = 0;
    apr_status_t rv = po_order_find(db, x->site->public_url, x->match.buyer->name, x->doc.payload_id, j->digest, j->test,
                                    j->order->order_id, j->type == TYPE_NEW ? j->version : NULL, x->r->pool, &rec, &same,
                                    &j->reused);

    *answered = rv == APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    if (same && x->doc.payload_id && rec->payload_id && !strcmp(rec->payload_id, x->doc.payload_id))
        repeat(j, rec);
    else if (same)
        return repeat_order(db, j, rec);
    else {
        j->status = 409;
        j->detail = apr_psprintf(x->r->pool, "Order %s was received before with other content (payloadID %s). Send a "
                                 "change as type=\"update\" with a higher orderVersion, or use a new orderID",
                                 j->order->order_id, rec->payload_id);
    }
    return APR_SUCCESS;
}

static apr_status_t keep_request(po_ledger_db *db, const order_job *j, const po_cxml_order *order, int i)
{
    po_exchange *x = j->x;
    po_request *request = APR_ARRAY_IDX(j->match.requests, i, po_request *);
    po_order_outcome outcome = APR_ARRAY_IDX(j->match.outcomes, i, po_order_outcome);
    apr_status_t rv = APR_SUCCESS;

    request->updated = x->r->request_time;
    if (outcome != PO_OUTCOME_NONE)
        rv = po_queue_outcome(db, x->site, request, outcome, order, x->doc.payload_id, x->r->request_time, x->thread->crypto,
                              x->r->pool);
    if (rv == APR_SUCCESS)
        rv = po_request_update(db, request);
    if (rv == APR_SUCCESS && request->state == PO_STATE_HELD)
        rv = po_delivery_mail(db, x->site, PO_MAIL_HELD, request,
                              apr_pstrcat(x->r->pool, "mail-", request->id, "-held", NULL), x->r->request_time, x->r->pool);
    return rv;
}

/* Every document that is answered with 200 stays: the history of an order. */
static apr_status_t keep(po_ledger_db *db, order_job *j)
{
    po_exchange *x = j->x;
    po_order_record rec = { x->site->public_url, x->match.buyer->name, x->doc.payload_id, j->digest, j->test };
    po_cxml_order order = *j->order;
    apr_status_t rv;
    int i;

    order.version = j->version;
    rec.request = j->match.requests->nelts == 1 ? APR_ARRAY_IDX(j->match.requests, 0, po_request *)->id : NULL;
    rec.status = j->match.status;
    rec.detail = j->match.detail;
    rec.held = j->match.held;
    rec.received = x->r->request_time;
    rv = po_order_insert(db, &rec, &order, &j->match);
    for (i = 0; rv == APR_SUCCESS && i < j->match.requests->nelts; i++)
        rv = keep_request(db, j, &order, i);
    return rv;
}

/* Whether an update or delete comes in its turn; 1: the document is answered. */
static apr_status_t take_turn(po_ledger_db *db, order_job *j, int *answered)
{
    po_exchange *x = j->x;
    po_order_record *rec = NULL;
    po_order_before before;
    po_order_turn turn;
    apr_status_t rv = po_order_latest(db, x->site->public_url, x->match.buyer->name, j->test, j->order->refers_to,
                                      j->order->order_id, x->r->pool, &rec);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
        return rv;
    if (rv == APR_SUCCESS)
        before = (po_order_before){ rec->order_id, rec->version, rec->type, rec->payload_id, rec->digest };
    po_order_take_turn(j->order, rec ? &before : NULL, j->digest, &turn, x->r->pool);
    *answered = turn.status != 0;
    j->version = turn.version;
    if (turn.status == 200)
        repeat(j, rec);
    else if (turn.status) {
        j->status = turn.status;
        j->detail = turn.why;
    }
    return APR_SUCCESS;
}

static apr_status_t match_change(po_ledger_db *db, order_job *j)
{
    po_exchange *x = j->x;
    const char *site = x->site->public_url, *buyer = x->match.buyer->name;
    apr_array_header_t *owned = apr_array_make(x->r->pool, 2, sizeof(po_request *)), *known;
    apr_status_t rv = po_requests_of_order(db, site, buyer, j->test, j->order->order_id, x->r->pool, owned);

    if (rv != APR_SUCCESS)
        return rv;
    if (j->type == TYPE_DELETE) {
        po_order_cancel(j->order, j->test, owned, &j->match, x->r->pool);
        return APR_SUCCESS;
    }
    known = apr_array_copy(x->r->pool, owned);
    rv = po_requests_of_items(db, site, buyer, j->order->items, 1, x->r->pool, known);
    if (rv == APR_SUCCESS)
        po_order_match_update(j->order, j->test, x->match.buyer, known, owned, x->r->request_time, &j->match, x->r->pool);
    return rv;
}

static apr_status_t match_new(po_ledger_db *db, order_job *j)
{
    po_exchange *x = j->x;
    apr_array_header_t *known = apr_array_make(x->r->pool, 2, sizeof(po_request *));
    apr_status_t rv = po_requests_of_items(db, x->site->public_url, x->match.buyer->name, j->order->items, 1, x->r->pool,
                                           known);

    if (rv == APR_SUCCESS)
        po_order_match_new(j->order, j->test, x->match.buyer, known, x->r->request_time, &j->match, x->r->pool);
    return rv;
}

static apr_status_t take_order(po_ledger_db *db, void *baton)
{
    order_job *j = baton;
    apr_status_t rv;
    int answered;

    memset(&j->match, 0, sizeof(j->match));
    j->again = 0;
    j->version = j->order->version && *j->order->version ? j->order->version : "1";
    rv = seen_before(db, j, &answered);
    if (rv == APR_SUCCESS && !answered && j->type != TYPE_NEW)
        rv = take_turn(db, j, &answered);
    if (rv != APR_SUCCESS || answered)
        return rv;
    rv = j->type == TYPE_NEW ? match_new(db, j) : match_change(db, j);
    if (rv != APR_SUCCESS)
        return rv;
    j->status = j->match.status;
    j->detail = j->match.detail;
    return j->status == 200 ? keep(db, j) : APR_SUCCESS;
}

/* ---- the handler ---------------------------------------------------------------------------------------------- */

/* A request that an update or delete leaves without one of its approvals waits for the operator. */
static void log_held(const order_job *j)
{
    int i;

    for (i = 0; i < j->match.requests->nelts; i++) {
        const po_request *request = APR_ARRAY_IDX(j->match.requests, i, po_request *);

        if (request->state == PO_STATE_HELD)
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->x->r, "PO0153: request %s is held after %s of order %s of buyer %s: %s",
                          request->id, j->order->type, j->order->order_id, request->buyer,
                          request->reason ? request->reason : "no reason is known");
    }
}

static void log_order(const order_job *j)
{
    int bad = j->status != 200 || j->match.held;

    ap_log_rerror(APLOG_MARK, bad ? APLOG_WARNING : APLOG_INFO, 0, j->x->r,
                  "PO0150: order %s of buyer %s%s%s: Status %d%s%s%s%s", j->order->order_id, j->x->match.buyer->name,
                  j->type == TYPE_NEW ? "" : ", ", j->type == TYPE_NEW ? "" : j->order->type, j->status,
                  j->again ? " (again)" : "", j->match.held ? " (held)" : "", j->detail ? ": " : "",
                  j->detail ? j->detail : "");
    if (j->reused)
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, j->x->r, "PO0154: payloadID %s of order %s of buyer %s came before with "
                      "other content; it was taken for a new document", j->x->doc.payload_id, j->order->order_id,
                      j->x->match.buyer->name);
    if (j->type != TYPE_NEW && j->status == 200 && j->match.requests)
        log_held(j);
}

static int find_type(const char *type, order_type *out)
{
    static const char *const names[] = { "new", "update", "delete" };
    int i;

    for (i = TYPE_NEW; i <= TYPE_DELETE; i++)
        if (!strcmp(type, names[i])) {
            *out = (order_type)i;
            return 1;
        }
    return 0;
}

int po_handle_order(po_exchange *x)
{
    const po_cxml_order *order = x->doc.order;
    unsigned char digest[PO_DIGEST];
    order_job j = { x, order };
    apr_status_t rv;

    if (!find_type(order->type, &j.type)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0151: order %s of buyer %s: type \"%s\" is not carried out",
                      order->order_id, x->match.buyer->name, order->type);
        return po_answer_status(x, 450, "only orders of type \"new\", \"update\" and \"delete\" are taken");
    }
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
