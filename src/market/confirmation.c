/* confirmation.c - what the buyer is told of a purchase order: accepted, rejected, or each line by itself. */
#include "market/market_private.h"

#include <string.h>

typedef enum { LINE_OPEN, LINE_ACCEPTED, LINE_REJECTED } line_fate;

static const po_charge *charge_of(const po_taken_line *l)
{
    int i;

    for (i = 0; i < l->about->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(l->about->charges, i, po_charge);

        if (c->line == l->charge)
            return c;
    }
    return NULL;
}

static int is_off(const po_charge *c)
{
    return c && (c->state == PO_CHARGE_CANCELLED || c->state == PO_CHARGE_EXPIRED);
}

/* A change that the backend refused leaves the subscription active, with the reason. */
static int change_refused(const po_request *r)
{
    return r->state == PO_STATE_ACTIVE && r->reason;
}

static line_fate fate_of_request(const po_taken_line *l, const po_buyer *buyer)
{
    const po_request *r = l->about;

    switch (r->state) {
    case PO_STATE_FAILED:
    case PO_STATE_CANCELLED:
    case PO_STATE_EXPIRED:
        return LINE_REJECTED;
    case PO_STATE_PARTLY_APPROVED:      /* PunchOutActivate each: what is ordered doesn't wait for the rest */
        if (buyer->activate != PO_ACTIVATE_EACH || !r->told)
            return LINE_OPEN;
        break;
    case PO_STATE_ACTIVE:
    case PO_STATE_ENDED:
    case PO_STATE_TESTED:
        break;
    default:
        return LINE_OPEN;
    }
    if (l->open)
        return LINE_OPEN;
    return is_off(charge_of(l)) || change_refused(r) ? LINE_REJECTED : LINE_ACCEPTED;
}

/* A line that names no request is part of an order that was taken as if it were equal to the cart; one of an order that
 * was held got nothing. */
static line_fate fate_of(const po_taken_order *order, const po_taken_line *l, const po_buyer *buyer)
{
    if (l->about)
        return fate_of_request(l, buyer);
    if (!l->quantity.value)
        return LINE_REJECTED;           /* left out in other words */
    return order->held ? LINE_REJECTED : LINE_ACCEPTED;
}

static const char *reason_of(const po_taken_line *l)
{
    const po_request *r = l->about;

    if (!r)
        return l->quantity.value ? "This line names nothing that a cart returned" : NULL;
    if (r->state != PO_STATE_FAILED && r->state != PO_STATE_CANCELLED && is_off(charge_of(l)))
        return "This approval was cancelled, or has expired";
    if (r->reason)
        return r->reason;
    return r->state == PO_STATE_FAILED ? "The seller's system refused the order without a reason"
         : r->state == PO_STATE_EXPIRED ? "The request has expired" : "The marketplace has cancelled the request";
}

/* Each reason once. */
static const char *join_reasons(const po_taken_order *order, apr_pool_t *p)
{
    const char *all = NULL;
    int i;

    for (i = 0; i < order->lines->nelts; i++) {
        const char *reason = reason_of(&APR_ARRAY_IDX(order->lines, i, po_taken_line));

        if (reason && (!all || !strstr(all, reason)))
            all = all ? apr_pstrcat(p, all, "; ", reason, NULL) : reason;
    }
    return all;
}

static void add_item(po_confirmation *out, const po_taken_line *l, const po_buyer *buyer, int rejected, apr_pool_t *p)
{
    po_cxml_confirmation_item *item;
    const po_charge *c = l->about ? charge_of(l) : NULL;
    char number[PO_DECIMAL_TEXT];

    if (!l->quantity.value)
        return;
    item = apr_array_push(out->items);
    item->line = l->line;
    item->quantity = apr_pstrdup(p, po_decimal_text(&l->quantity, 0, number));
    item->unit = l->unit && *l->unit ? l->unit : c && c->unit ? po_unit_for(buyer, c->unit) : "EA";
    item->rejected = rejected;
    item->comments = rejected ? reason_of(l) : NULL;
}

static void each_line(const po_taken_order *order, const line_fate *fates, const po_buyer *buyer, po_confirmation *out,
                      apr_pool_t *p)
{
    int i;

    out->type = "except";
    out->comments = order->difference;
    out->items = apr_array_make(p, order->lines->nelts, sizeof(po_cxml_confirmation_item));
    for (i = 0; i < order->lines->nelts; i++)
        add_item(out, &APR_ARRAY_IDX(order->lines, i, po_taken_line), buyer, fates[i] == LINE_REJECTED, p);
}

void po_confirmation_decide(const po_taken_order *order, const po_buyer *buyer, po_confirmation *out, apr_pool_t *p)
{
    line_fate *fates = apr_palloc(p, (apr_size_t)(order->lines->nelts + 1) * sizeof(*fates));
    int i, accepted = 0, rejected = 0;

    memset(out, 0, sizeof(*out));
    if (order->release_required || !strcmp(order->type, "delete"))
        return;
    for (i = 0; i < order->lines->nelts; i++) {
        const po_taken_line *l = &APR_ARRAY_IDX(order->lines, i, po_taken_line);

        fates[i] = fate_of(order, l, buyer);
        if (fates[i] == LINE_OPEN)
            return;
        accepted += fates[i] == LINE_ACCEPTED;
        rejected += fates[i] == LINE_REJECTED && l->quantity.value;
    }
    if (accepted && (rejected || order->difference))
        each_line(order, fates, buyer, out, p);
    else if (accepted)
        out->type = "accept";
    else if (rejected) {
        out->type = "reject";
        out->comments = join_reasons(order, p);
    }
}
