/* decision.c - the operator's word: what is held goes on or fails, and what follows when an event is given up. */
#include "market/market_private.h"

#include <string.h>

int po_request_is_known(const po_request *r)
{
    return r->told >= PO_TOLD_TAKEN || (r->told && (r->state == PO_STATE_ACTIVE || r->state == PO_STATE_DELIVERING
                                       || r->state == PO_STATE_ENDED));
}

static void can_not(po_decided *out, const char *why)
{
    out->carried_out = 0;
    out->outcome = PO_OUTCOME_NONE;
    out->said = why;
}

static void not_held(po_decided *out, const po_request *r, apr_pool_t *p)
{
    can_not(out, apr_psprintf(p, "Request %s is %s, not held: there is nothing to decide", r->id,
                              po_state_name(r->state)));
}

/* ---- release ----------------------------------------------------------------------------------------------------- */

static int is_listed(const apr_array_header_t *lines, int line)
{
    int i;

    for (i = 0; lines && i < lines->nelts; i++)
        if (APR_ARRAY_IDX(lines, i, int) == line)
            return 1;
    return 0;
}

typedef struct { int in, open, gone; } tally;

/* left_out: lines that don't count any more; NULL: none. */
static tally count(const po_request *r, const apr_array_header_t *left_out)
{
    tally n = { 0, 0, 0 };
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);
        po_charge_state s = c->state == PO_CHARGE_ORDERED && is_listed(left_out, c->line) ? PO_CHARGE_CANCELLED : c->state;

        n.in += s == PO_CHARGE_ORDERED || s == PO_CHARGE_PREAPPROVED;
        n.open += s == PO_CHARGE_REQUESTED || s == PO_CHARGE_WAITING;
        n.gone += s == PO_CHARGE_CANCELLED || s == PO_CHARGE_EXPIRED;
    }
    return n;
}

static void cancel_where(po_request *r, const apr_array_header_t *lines, po_charge_state from)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (c->state == from && (!lines || is_listed(lines, c->line)))
            c->state = PO_CHARGE_CANCELLED;
    }
}

/* The request goes on without an approval that was lost: what was still open belongs to what can't be had any more. */
static void go_on_without(po_request *r)
{
    if (po_state_of_charges(r) != PO_STATE_HELD)
        return;
    cancel_where(r, NULL, PO_CHARGE_REQUESTED);
    cancel_where(r, NULL, PO_CHARGE_WAITING);
}

static void tell_cancelled(po_request *r, po_decided *out, apr_pool_t *p)
{
    cancel_where(r, NULL, PO_CHARGE_REQUESTED);
    cancel_where(r, NULL, PO_CHARGE_WAITING);
    r->state = PO_STATE_CANCELLED;
    r->reason = "The order was changed so that nothing of the request is left";
    out->outcome = r->told ? PO_OUTCOME_CANCELLED : PO_OUTCOME_NONE;
    out->said = apr_psprintf(p, "Request %s is cancelled: the released change leaves nothing of it", r->id);
}

static void wait_again(po_request *r, po_decided *out, apr_pool_t *p)
{
    r->state = po_state_of_charges(r) == PO_STATE_PARTLY_APPROVED ? PO_STATE_PARTLY_APPROVED : PO_STATE_DELIVERING;
    r->reason = NULL;
    out->resend = 1;
    out->said = apr_psprintf(p, "Request %s waits for the backend again; its event goes out once more under "
                             "the same key",
                             r->id);
}

void po_request_release(po_request *r, const apr_array_header_t *left_out, int each, po_decided *out, apr_pool_t *p)
{
    tally n;

    memset(out, 0, sizeof(*out));
    if (r->state != PO_STATE_HELD) {
        not_held(out, r, p);
        return;
    }
    out->carried_out = 1;
    if (r->reason && !strcmp(r->reason, PO_HELD_UNANSWERED)) {
        wait_again(r, out, p);
        return;
    }
    n = count(r, left_out);
    if (!n.in && n.open) {
        can_not(out, apr_psprintf(p, "Nothing of request %s is ordered, so there is nothing to release; wait for "
                                  "an order, or cancel the request", r->id));
        return;
    }
    if (left_out)
        cancel_where(r, left_out, PO_CHARGE_ORDERED);
    cancel_where(r, NULL, PO_CHARGE_EXPIRED);   /* what no order came for in time is not awaited any more */
    go_on_without(r);
    n = count(r, NULL);
    if (!n.in)
        tell_cancelled(r, out, p);
    else {
        r->reason = NULL;
        r->state = n.open ? PO_STATE_PARTLY_APPROVED : PO_STATE_APPROVED;
        if (each ? po_approvals_to_tell(r, p)->nelts > 0 : !r->told && !n.open)
            out->outcome = PO_OUTCOME_APPROVED;
        else if (r->told)
            out->outcome = PO_OUTCOME_CHANGED;
        out->said = apr_psprintf(p, out->outcome == PO_OUTCOME_NONE
                                 ? "Request %s is released and waits for its other approval"
                                 : "Request %s is released; the backend is told of it", r->id);
    }
}

/* ---- refuse ------------------------------------------------------------------------------------------------------ */

void po_request_refuse(po_request *r, const char *reason, po_decided *out, apr_pool_t *p)
{
    memset(out, 0, sizeof(*out));
    if (r->state != PO_STATE_HELD) {
        not_held(out, r, p);
        return;
    }
    cancel_where(r, NULL, PO_CHARGE_ORDERED);
    cancel_where(r, NULL, PO_CHARGE_REQUESTED);
    cancel_where(r, NULL, PO_CHARGE_WAITING);
    r->state = PO_STATE_FAILED;
    if (reason)
        r->reason = reason;
    else if (!r->reason)
        r->reason = "The marketplace refused the order";
    out->carried_out = 1;
    out->outcome = r->told ? PO_OUTCOME_CANCELLED : PO_OUTCOME_NONE;
    out->said = apr_psprintf(p, "Request %s has failed; nothing of it is ordered any more%s", r->id,
                             r->told ? ", and the backend is told that it is cancelled" : "");
}

/* ---- take back --------------------------------------------------------------------------------------------------- */

void po_request_take_back(po_request *r, const char *reason, po_decided *out, apr_pool_t *p)
{
    int i;

    memset(out, 0, sizeof(*out));
    if (r->state == PO_STATE_ENDED || r->state == PO_STATE_FAILED || r->state == PO_STATE_EXPIRED) {
        can_not(out, apr_psprintf(p, "Request %s is %s and can't be cancelled any more", r->id, po_state_name(r->state)));
        return;
    }
    out->carried_out = 1;
    if (r->state == PO_STATE_CANCELLED) {
        out->said = apr_psprintf(p, "Request %s is cancelled already", r->id);
        return;
    }
    for (i = 0; i < r->charges->nelts; i++)
        APR_ARRAY_IDX(r->charges, i, po_charge).state = PO_CHARGE_CANCELLED;
    r->state = PO_STATE_CANCELLED;
    r->reason = reason ? reason : "The marketplace cancelled the request";
    out->outcome = r->told ? PO_OUTCOME_CANCELLED : PO_OUTCOME_NONE;
    out->said = apr_psprintf(p, "Request %s is cancelled%s", r->id, r->told ? "; the backend is told of it" : "");
}

/* ---- an event given up ------------------------------------------------------------------------------------------- */

static int is_over(po_state s)
{
    return s == PO_STATE_CANCELLED || s == PO_STATE_FAILED || s == PO_STATE_ENDED || s == PO_STATE_EXPIRED;
}

static void hold_dropped(po_request *r, const char *key, const char *what, po_decided *out, apr_pool_t *p)
{
    if (r->state != PO_STATE_HELD)
        r->reason = apr_psprintf(p, "The marketplace gave up telling the seller's system %s (%s)", what, key);
    r->state = PO_STATE_HELD;
    out->said = apr_psprintf(p, "%s is dropped and request %s is held: release it to tell the backend how it "
                             "stands now, or refuse it", key, r->id);
}

void po_request_drop_event(po_request *r, const po_dropped_event *e, int *drop_rest, po_decided *out, apr_pool_t *p)
{
    memset(out, 0, sizeof(*out));
    out->carried_out = 1;
    *drop_rest = !po_request_is_known(r);
    if (*drop_rest)
        r->told = PO_TOLD_NOTHING;
    if (e->outcome == PO_OUTCOME_APPROVED)
        po_approvals_untold(r, *drop_rest);
    if (is_over(r->state) && e->outcome == PO_OUTCOME_CANCELLED && !*drop_rest) {
        r->reason = apr_psprintf(p, "%s%sThe seller's system was not told of the cancellation (%s)", r->reason
                                 ? r->reason : "",
                                 r->reason ? ". " : "", e->key);
        out->said = apr_psprintf(p, "%s is dropped: request %s is %s, but the backend still takes it for "
                                 "active. Tell its operator", e->key, r->id, po_state_name(r->state));
    } else if (is_over(r->state)) {
        out->said = apr_psprintf(p, "%s is dropped%s; request %s stays %s", e->key,
                                 *drop_rest && e->behind != PO_OUTCOME_NONE ? ", and with it the events behind "
                                 "it, since the backend knows of nothing" : "", r->id, po_state_name(r->state));
    } else if (!*drop_rest && e->behind != PO_OUTCOME_NONE) {
        out->said = apr_psprintf(p, "%s is dropped; the event behind it tells the backend how request %s stands now",
                                 e->key,
                                 r->id);
    } else {
        hold_dropped(r, e->key, *drop_rest ? "of the order" : "of the change", out, p);
    }
}
