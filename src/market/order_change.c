/* order_change.c - a judged order carried out: charges, states, events; updates and deletes in their turn. */
#include "market/market_private.h"

#include <string.h>

int po_charge_is_on(const po_charge *c, const po_cxml_order *order)
{
    return c->state == PO_CHARGE_ORDERED && c->order_id && !strcmp(c->order_id, order->order_id);
}

/* ---- what changes in the charges --------------------------------------------------------------------------------- */

typedef struct {
    const po_cxml_order *order;
    int test;
    po_activate activate;
    po_order_match *out;
    apr_hash_t *noted;                  /* po_request * -> itself: those in out->requests */
    apr_hash_t *changed;                /* po_request * -> itself: ordered before, in another quantity */
    apr_hash_t *reduced;                /* po_request * -> itself: this document cancelled a charge of it */
    apr_hash_t *taken;                  /* po_charge * -> itself: named by a line; NULL: not needed */
    apr_pool_t *p;
} change;

static change begin(const po_cxml_order *order, int test, po_activate activate, po_order_match *out, apr_pool_t *p)
{
    change x = { order, test, activate, out, apr_hash_make(p), apr_hash_make(p), apr_hash_make(p), NULL, p };

    return x;
}

static po_request **as_key(change *x, po_request *r)
{
    return apr_pmemdup(x->p, &r, sizeof(r));
}

static void note_request(change *x, po_request *r)
{
    po_request **key = as_key(x, r);

    if (apr_hash_get(x->noted, key, sizeof(*key)))
        return;
    apr_hash_set(x->noted, key, sizeof(*key), r);
    APR_ARRAY_PUSH(x->out->requests, po_request *) = r;
}

static void note_change(change *x, po_request *r)
{
    note_request(x, r);
    apr_hash_set(x->changed, as_key(x, r), sizeof(r), r);
}

static int is_approved(po_state s)
{
    return s == PO_STATE_APPROVED || s == PO_STATE_DELIVERING || s == PO_STATE_ACTIVE || s == PO_STATE_TESTED;
}

/* A charge that an update orders as before is not touched, unless its place in the document is another. One that comes
 * to a request which the backend has been told of changes it: its approval had expired, and the operator went on
 * without it. */
static void order_charge(change *x, const po_order_match_line *l)
{
    po_charge *c = l->charge;
    int again = po_charge_is_on(c, x->order);

    if (again ? po_decimal_compare(po_charge_quantity(c), &l->item->quantity) : is_approved(l->request->state))
        note_change(x, l->request);
    else if (!again || c->order_line != l->item->line)
        note_request(x, l->request);
    c->ordered = again ? l->item->quantity : c->quantity;
    c->state = PO_CHARGE_ORDERED;
    c->order_id = x->order->order_id;
    c->order_line = l->item->line;
}

/* While a person must decide nothing is cancelled: a line that was spoilt on the way looks like one that was left
 * out. */
static void cancel_charges(change *x, const apr_array_header_t *owned)
{
    int i, n;

    for (i = 0; i < owned->nelts; i++) {
        po_request *r = APR_ARRAY_IDX(owned, i, po_request *);

        for (n = 0; n < r->charges->nelts; n++) {
            po_charge *c = &APR_ARRAY_IDX(r->charges, n, po_charge);

            if (!po_charge_is_on(c, x->order) || (x->taken && apr_hash_get(x->taken, &c, sizeof(c))))
                continue;
            if (!x->out->held) {
                c->state = PO_CHARGE_CANCELLED;
                apr_hash_set(x->reduced, as_key(x, r), sizeof(r), r);
            }
            note_change(x, r);
        }
    }
}

/* ---- what follows for a request ---------------------------------------------------------------------------------- */

static int has_ordered(const po_request *r)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (po_charge_is_in(&APR_ARRAY_IDX(r->charges, i, po_charge)))
            return 1;
    return 0;
}

/* Nothing of it is ordered any more: what was still open can't come either. */
static po_order_outcome cancel_request(const change *x, po_request *r)
{
    int i, refused = r->state == PO_STATE_FAILED;

    for (i = 0; i < r->charges->nelts; i++) {
        po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (po_approval_is_open(c->state))
            c->state = PO_CHARGE_CANCELLED;
    }
    r->state = PO_STATE_CANCELLED;
    r->reason = apr_psprintf(x->p, "Order %s was cancelled", x->order->order_id);
    return r->told && !refused ? PO_OUTCOME_CANCELLED : PO_OUTCOME_NONE;
}

/* The first reason stays, but for the one that a late answer would end the hold with. */
static void hold(po_request *r, const char *reason)
{
    if (r->state != PO_STATE_HELD || (r->reason && !strcmp(r->reason, PO_HELD_UNANSWERED)))
        r->reason = reason;
    r->state = PO_STATE_HELD;
}

/* Under PunchOutActivate all the backend hears of nothing before every approval is in; under each, of each as it
 * comes. */
static po_order_outcome approve(const change *x, po_request *r, po_state now, int changed)
{
    r->state = now;
    r->reason = NULL;
    if (now == PO_STATE_APPROVED || (x->activate == PO_ACTIVATE_EACH && po_approvals_to_tell(r, x->p)->nelts))
        return PO_OUTCOME_APPROVED;
    return changed && r->told ? PO_OUTCOME_CHANGED : PO_OUTCOME_NONE;
}

static po_order_outcome advance(const change *x, po_request *r)
{
    po_state now = po_state_of_charges(r);
    int changed = apr_hash_get(x->changed, &r, sizeof(r)) != NULL;

    if (x->test)
        r->test = 1;
    if (!has_ordered(r))
        return cancel_request(x, r);
    if (r->state == PO_STATE_FAILED || r->state == PO_STATE_ENDED)
        return PO_OUTCOME_NONE;         /* nothing can change any more, and there is nothing to decide */
    if (x->out->held && (changed || !is_approved(r->state))) {
        hold(r, x->out->detail);
        return PO_OUTCOME_NONE;
    }
    /* an approval that was lost before doesn't count again: a person has decided to go on without it */
    if (now == PO_STATE_HELD && (!is_approved(r->state) || apr_hash_get(x->reduced, &r, sizeof(r)))) {
        hold(r, apr_psprintf(x->p, "Order %s cancelled one of several approvals: what is left of the request can't be "
                             "approved as it was asked for", x->order->order_id));
        return PO_OUTCOME_NONE;
    }
    if (r->state == PO_STATE_HELD)
        return PO_OUTCOME_NONE;         /* a person decides */
    if (is_approved(r->state))
        return changed ? PO_OUTCOME_CHANGED : PO_OUTCOME_NONE;
    return approve(x, r, now, changed);
}

static void settle(change *x)
{
    int i;

    for (i = 0; i < x->out->requests->nelts; i++)
        APR_ARRAY_PUSH(x->out->outcomes, po_order_outcome) = advance(x, APR_ARRAY_IDX(x->out->requests, i,
                                                                                      po_request *));
}

void po_order_apply(const po_cxml_order *order, int test, po_activate activate, const apr_array_header_t *owned,
                    po_order_match *out, apr_pool_t *p)
{
    change x = begin(order, test, activate, out, p);
    int i;

    if (owned)
        x.taken = apr_hash_make(p);
    for (i = 0; i < out->lines->nelts; i++) {
        po_order_match_line *l = &APR_ARRAY_IDX(out->lines, i, po_order_match_line);

        if (!l->charge)
            continue;
        if (x.taken)
            apr_hash_set(x.taken, &l->charge, sizeof(l->charge), l);
        order_charge(&x, l);
    }
    if (owned)
        cancel_charges(&x, owned);
    settle(&x);
}

void po_order_cancel(const po_cxml_order *order, int test, const apr_array_header_t *owned, po_order_match *out,
                     apr_pool_t *p)
{
    change x = begin(order, test, PO_ACTIVATE_ALL, out, p);     /* a delete approves nothing */
    int i, n;

    memset(out, 0, sizeof(*out));
    out->status = 200;
    out->requests = apr_array_make(p, owned->nelts, sizeof(po_request *));
    out->outcomes = apr_array_make(p, owned->nelts, sizeof(po_order_outcome));
    for (i = 0; i < owned->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(owned, i, po_request *);

        for (n = 0; r->state == PO_STATE_ENDED && n < r->charges->nelts; n++)
            if (po_charge_is_on(&APR_ARRAY_IDX(r->charges, n, po_charge), order)) {
                out->status = 409;
                out->detail = apr_psprintf(p, "It is too late to cancel order %s: the subscription of request %s has "
                                           "ended", order->order_id, r->id);
                return;
            }
    }
    cancel_charges(&x, owned);
    settle(&x);
}

/* ---- in its turn ------------------------------------------------------------------------------------------------- */

int po_order_version_compare(const char *a, const char *b)
{
    po_decimal x, y;

    if (po_decimal_parse(&x, a, -1) == APR_SUCCESS && po_decimal_parse(&y, b, -1) == APR_SUCCESS)
        return po_decimal_compare(&x, &y);
    return strcmp(a, b);
}

/* 2 after 1, 3 after 2.5; a version that is no number gets a number behind it. */
static const char *next_version(const char *version, apr_pool_t *p)
{
    char text[PO_DECIMAL_TEXT];
    po_decimal d;

    if (po_decimal_parse(&d, version, -1) != APR_SUCCESS)
        return apr_pstrcat(p, version, ".1", NULL);
    for (; d.scale > 0; d.scale--)
        d.value /= 10;
    d.value++;
    return apr_pstrdup(p, po_decimal_text(&d, 0, text));
}

static void answer(po_order_turn *out, int status, const char *why)
{
    out->status = status;
    out->why = why;
}

void po_order_take_turn(const po_cxml_order *order, const po_order_before *before, const char *digest,
                        po_order_turn *out, apr_pool_t *p)
{
    int cancels = !strcmp(order->type, "delete"), given = order->version && *order->version, order_of;

    memset(out, 0, sizeof(*out));
    if (!before) {
        answer(out, 417, apr_psprintf(p, "No order %s of this buyer was taken before, so there is nothing to %s. "
                                      "Send it as type=\"new\"", order->order_id, cancels ? "cancel" : "change"));
        return;
    }
    if (strcmp(before->order_id, order->order_id)) {
        answer(out, 409, apr_psprintf(p, "DocumentReference names order %s, this document is about order %s. Send it "
                                      "under the orderID of the order that it changes", before->order_id,
                                      order->order_id));
        return;
    }
    if (!strcmp(before->type, "delete")) {
        answer(out, cancels ? 200 : 409, cancels ? NULL
               : apr_psprintf(p, "Order %s was cancelled; return a new cart and order that as type=\"new\"",
                              order->order_id));
        return;
    }
    out->version = given ? order->version : cancels ? before->version : next_version(before->version, p);
    order_of = given ? po_order_version_compare(order->version, before->version) : 1;
    if (order_of < 0)
        answer(out, 409, apr_psprintf(p, "orderVersion is %s, but version %s of order %s was taken already (payloadID "
                                      "%s). Send the change again with a higher one", order->version, before->version,
                                      order->order_id, before->payload_id));
    else if (!cancels && !strcmp(before->digest, digest))
        answer(out, 200, NULL);
    else if (!cancels && !order_of)
        answer(out, 409, apr_psprintf(p, "Version %s of order %s was received before with other content (payloadID "
                                      "%s). Send a change with a higher orderVersion", before->version, order->order_id,
                                      before->payload_id));
}
