/* state.c - states of requests and charges, sums, and amounts as text. */
#include "market/market_private.h"

#include <string.h>

const char *po_state_name(po_state s)
{
    static const char *const names[] = { "draft", "requested", "partly approved", "approved", "delivering", "active",
                                         "ended", "tested", "held", "failed", "cancelled", "expired" };

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

const char *po_charge_state_name(po_charge_state s)
{
    static const char *const names[] = { "requested", "ordered", "pre-approved", "cancelled", "expired", "waiting",
                                         "withdrawn" };

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

const po_decimal *po_charge_quantity(const po_charge *c)
{
    return c->ordered.value ? &c->ordered : &c->quantity;
}

void po_charge_shown(const po_charge *c, po_decimal *quantity, po_decimal *unit_price)
{
    *quantity = *po_charge_quantity(c);
    *unit_price = c->unit_price;
    if (c->covers && po_decimal_multiply(unit_price, quantity, unit_price) == APR_SUCCESS)
        *quantity = (po_decimal){ 1, 0 };
}

int po_charge_is_in(const po_charge *c)
{
    return c->state == PO_CHARGE_ORDERED || c->state == PO_CHARGE_PREAPPROVED;
}

/* 1 when no charge of that kind is in or can still come: its approval is lost. */
static int is_lost(const po_request *r, const char *kind)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if ((po_charge_is_in(c) || po_approval_is_open(c->state)) && !strcmp(c->kind, kind))
            return 0;
    }
    return 1;
}

po_state po_state_of_charges(const po_request *r)
{
    int i, in = 0, open = 0, expired = 0, lost = 0;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        in += po_charge_is_in(c);
        open += po_approval_is_open(c->state);
        expired += c->state == PO_CHARGE_EXPIRED;
        lost |= c->state == PO_CHARGE_CANCELLED && is_lost(r, c->kind);
    }
    if (!in && !open && r->charges->nelts)
        return expired ? PO_STATE_EXPIRED : PO_STATE_CANCELLED;
    if (!in)
        return PO_STATE_REQUESTED;
    if (lost || expired)
        return PO_STATE_HELD;
    return open ? PO_STATE_PARTLY_APPROVED : PO_STATE_APPROVED;
}

po_state po_state_when_ready(const po_request *r, int test)
{
    po_state of_charges = po_state_of_charges(r);

    if (r->state == PO_STATE_HELD
        && (of_charges == PO_STATE_HELD || !r->reason || strcmp(r->reason, PO_HELD_UNANSWERED)))
        return PO_STATE_HELD;
    if (of_charges == PO_STATE_PARTLY_APPROVED)         /* PunchOutActivate each: its other approval is still open */
        return PO_STATE_PARTLY_APPROVED;
    return test ? PO_STATE_TESTED : PO_STATE_ACTIVE;
}

apr_status_t po_request_total(const po_request *r, po_decimal *total)
{
    po_decimal sum = { 0, 0 }, line;
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (po_decimal_multiply(&line, po_charge_quantity(c), &c->unit_price) != APR_SUCCESS
            || po_decimal_add(&sum, &sum, &line) != APR_SUCCESS)
            return APR_EGENERAL;
    }
    *total = sum;
    return APR_SUCCESS;
}

int po_currency_decimals(const char *currency)
{
    static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";

    if (!po_currency_valid(currency))
        return 2;
    if (strstr(none, currency))
        return 0;
    return strstr(three, currency) ? 3 : 2;
}

const char *po_money_text(const po_decimal *d, const char *currency, char out[PO_DECIMAL_TEXT])
{
    return po_decimal_text(d, po_currency_decimals(currency), out);
}
