/* order_judge.c - what an OrderRequest means against everything that the ledger knows. Writes nothing, so that a tool that
 * explains asks the same function as the server.
 */
#include "ledger/ledger.h"

#include <string.h>

typedef struct {
    po_ledger_db *db;
    const po_order_case *c;
    po_order_verdict *out;
    apr_pool_t *p;
} judging;

int po_order_type_find(const char *text, po_order_type *out)
{
    static const char *const names[] = { "new", "update", "delete" };       /* in the order of po_order_type */
    int i;

    for (i = PO_ORDER_NEW; i <= PO_ORDER_DELETE; i++)
        if (!strcmp(text, names[i])) {
            *out = (po_order_type)i;
            return 1;
        }
    return 0;
}

static void answer(judging *j, int status, const char *detail)
{
    j->out->status = status;
    j->out->detail = detail;
}

static void repeat(judging *j, const po_order_record *before)
{
    j->out->again = 1;
    j->out->before = before;
    answer(j, before->status, before->detail);
}

/* An order that says the same as one before, in another document: nothing new, unless that was cancelled since. */
static apr_status_t repeat_order(judging *j, const po_order_record *before)
{
    const po_order_case *c = j->c;
    po_order_record *latest;
    apr_status_t rv = po_order_latest(j->db, c->site, c->buyer->name, c->test, NULL, c->order->order_id, j->p, &latest);

    if (rv != APR_SUCCESS)
        return rv;
    if (strcmp(latest->type, "delete")) {
        repeat(j, before);
        return APR_SUCCESS;
    }
    j->out->before = latest;
    answer(j, 409, apr_psprintf(j->p, "Order %s was cancelled (payloadID %s); return a new cart and order that under a new "
                                "orderID", c->order->order_id, latest->payload_id));
    return APR_SUCCESS;
}

/* A new order that is no newer than what was taken under its number: the buyer's system has sent it late, or counts anew. */
static apr_status_t refuse_older(judging *j)
{
    const po_order_case *c = j->c;
    po_order_record *latest;
    apr_status_t rv = po_order_latest(j->db, c->site, c->buyer->name, c->test, NULL, c->order->order_id, j->p, &latest);

    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    if (po_order_version_compare(j->out->version, latest->version) > 0)
        return APR_SUCCESS;
    j->out->before = latest;
    answer(j, 409, apr_psprintf(j->p, "orderVersion is %s, but version %s of order %s was taken already (payloadID %s). Send a "
                                "change as type=\"update\" with a higher orderVersion, or use a new orderID", j->out->version,
                                latest->version, c->order->order_id, latest->payload_id));
    return APR_SUCCESS;
}

/* A retry gets the answer of before, and nothing happens twice (design.md §7). */
static apr_status_t seen_before(judging *j)
{
    const po_order_case *c = j->c;
    po_order_record *rec;
    int same = 0;
    apr_status_t rv = po_order_find(j->db, c->site, c->buyer->name, c->payload_id, c->digest, c->test, c->order->order_id,
                                    c->type == PO_ORDER_NEW ? j->out->version : NULL, j->p, &rec, &same, &j->out->reused);

    if (rv == APR_NOTFOUND)
        return c->type == PO_ORDER_NEW ? refuse_older(j) : APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return rv;
    if (same && c->payload_id && rec->payload_id && !strcmp(rec->payload_id, c->payload_id))
        repeat(j, rec);
    else if (same)
        return repeat_order(j, rec);
    else {
        j->out->before = rec;
        answer(j, 409, apr_psprintf(j->p, "Order %s was received before with other content (payloadID %s). Send a change as "
                                    "type=\"update\" with a higher orderVersion, or use a new orderID", c->order->order_id,
                                    rec->payload_id));
    }
    return APR_SUCCESS;
}

/* Whether an update or delete comes in its turn. */
static apr_status_t take_turn(judging *j)
{
    const po_order_case *c = j->c;
    po_order_record *rec = NULL;
    po_order_before before;
    po_order_turn turn;
    apr_status_t rv = po_order_latest(j->db, c->site, c->buyer->name, c->test, c->order->refers_to, c->order->order_id, j->p,
                                      &rec);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
        return rv;
    if (rv == APR_SUCCESS)
        before = (po_order_before){ rec->order_id, rec->version, rec->type, rec->payload_id, rec->digest };
    po_order_take_turn(c->order, rec ? &before : NULL, c->digest, &turn, j->p);
    j->out->version = turn.version;
    if (turn.status == 200)
        repeat(j, rec);
    else if (turn.status) {
        j->out->before = rec;
        answer(j, turn.status, turn.why);
    }
    return APR_SUCCESS;
}

static po_candidates candidates_of(const po_order_case *c)
{
    return c->test ? PO_CANDIDATES_TEST : PO_CANDIDATES_PRODUCTION;
}

static apr_status_t match_change(judging *j)
{
    const po_order_case *c = j->c;
    apr_array_header_t *owned = apr_array_make(j->p, 2, sizeof(po_request *)), *known;
    apr_status_t rv = po_requests_of_order(j->db, c->site, c->buyer->name, c->test, c->order->order_id, j->p, owned);

    if (rv != APR_SUCCESS)
        return rv;
    if (c->type == PO_ORDER_DELETE) {
        po_order_cancel(c->order, c->test, owned, &j->out->match, j->p);
        return APR_SUCCESS;
    }
    known = apr_array_copy(j->p, owned);
    rv = po_requests_of_items(j->db, c->site, c->buyer->name, c->order->items, candidates_of(c), j->p, known);
    if (rv == APR_SUCCESS)
        po_order_match_update(c->order, c->test, c->buyer, known, owned, c->now, &j->out->match, j->p);
    return rv;
}

static apr_status_t match_new(judging *j)
{
    const po_order_case *c = j->c;
    apr_array_header_t *known = apr_array_make(j->p, 2, sizeof(po_request *));
    apr_status_t rv = po_requests_of_items(j->db, c->site, c->buyer->name, c->order->items, candidates_of(c), j->p, known);

    if (rv == APR_SUCCESS)
        po_order_match_new(c->order, c->test, c->buyer, known, c->now, &j->out->match, j->p);
    return rv;
}

apr_status_t po_order_judge(po_ledger_db *db, const po_order_case *c, po_order_verdict *out, apr_pool_t *p)
{
    judging j = { db, c, out, p };
    apr_status_t rv;

    memset(out, 0, sizeof(*out));
    out->version = c->order->version && *c->order->version ? c->order->version : "1";
    rv = seen_before(&j);
    if (rv == APR_SUCCESS && !out->status && c->type != PO_ORDER_NEW)
        rv = take_turn(&j);
    if (rv != APR_SUCCESS || out->status)
        return rv;
    rv = c->type == PO_ORDER_NEW ? match_new(&j) : match_change(&j);
    if (rv == APR_SUCCESS)
        answer(&j, out->match.status, out->match.detail);
    return rv;
}
