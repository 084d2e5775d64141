/* lines.c - what is asked for becomes lines of a cart: PunchOutLines classic, single or split. */
#include "market/market_private.h"

#include <string.h>

/* What a buyer's system sorts lines by: bought once at a fixed sum, or in quantities over time. */
#define SERVICE "Service"
#define MATERIAL "Material"
#define UNSPSC_SERVICE "81162000"
#define AMOUNT_UNIT "EA"

typedef struct {
    po_request *r;
    const po_buyer *buyer;
    apr_pool_t *p;
} making;

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

int po_number_fits(const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];
    po_decimal again;

    return po_decimal_parse(&again, po_decimal_text(d, 0, text), -1) == APR_SUCCESS;
}

int po_coin_decimals(const po_decimal *amount, const char *currency, const po_buyer *buyer)
{
    int coin = po_currency_decimals(currency), most = buyer->profile.price_decimals;
    int needed = po_decimal_decimals(amount);

    if (coin > most)
        coin = most;                    /* a larger coin will do as long as the amount is a multiple of it */
    if (needed > coin)
        coin = needed;
    return coin > most ? -1 : coin;
}

static const char *money(const making *m, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrcat(m->p, po_money_text(d, m->r->currency, text), " ", m->r->currency, NULL);
}

static const char *check_price(const making *m, const po_decimal *price)
{
    char text[PO_DECIMAL_TEXT];

    if (po_decimal_decimals(price) <= m->buyer->profile.price_decimals)
        return NULL;
    return apr_psprintf(m->p, "The price %s has more than the %d decimals that your procurement system can hold, and a "
                        "price is never rounded. Tell the marketplace to price this offer per larger unit.",
                        po_decimal_text(price, 0, text), m->buyer->profile.price_decimals);
}

/* ---- one line ---------------------------------------------------------------------------------------------------- */

static po_charge *add_charge(const making *m, const po_asked *a)
{
    po_charge *charge = apr_array_push(m->r->charges);

    memset(charge, 0, sizeof(*charge));
    charge->line = m->r->charges->nelts;
    charge->kind = a->cover.kind;
    charge->dimension = a->cover.dimension;
    charge->part = a->part;
    charge->description = a->cover.description;
    charge->unit = a->cover.unit;
    charge->unspsc = a->unspsc ? a->unspsc : PO_UNSPSC;
    charge->currency = m->r->currency;
    charge->quantity = a->cover.quantity;
    charge->unit_price = a->cover.unit_price;
    charge->state = PO_CHARGE_REQUESTED;
    return charge;
}

static const char *add_classic(const making *m, const po_asked *a)
{
    return check_price(m, &add_charge(m, a)->unit_price);
}

static int is_usage(const po_asked *a)
{
    return !strcmp(a->cover.kind, "usage");
}

/* 1 x the whole amount: such a line can be invoiced once. */
static const char *hold_at_once(const making *m, po_charge *charge, const po_decimal *amount)
{
    charge->quantity = (po_decimal){ 1, 0 };
    charge->unit_price = *amount;
    return po_number_fits(amount) ? check_price(m, amount) : PO_SUM_TOO_LARGE;
}

/* amount / coin x coin: any part of it can be invoiced, as often as is needed. */
static const char *hold_in_coins(const making *m, po_charge *charge, const po_decimal *amount)
{
    int decimals = po_coin_decimals(amount, m->r->currency, m->buyer);
    po_decimal coin = { 1, decimals };
    char text[PO_DECIMAL_TEXT];

    if (po_decimal_is_zero(amount))
        return hold_at_once(m, charge, amount);
    if (decimals < 0)
        return apr_psprintf(m->p, "The sum %s has more than the %d decimals that your procurement system can hold, and "
                            "a sum is never rounded. Enter a budget or a quantity that comes to a rounder sum and "
                            "request approval again.", po_decimal_text(amount, 0, text), m->buyer->profile.price_decimals);
    charge->unit_price = coin;
    if (po_decimal_divide_up(&charge->quantity, amount, &coin) != APR_SUCCESS || !po_number_fits(&charge->quantity))
        return PO_SUM_TOO_LARGE;
    return NULL;
}

/* What the approver reads, since a line's quantity and price no longer say it. */
static const char *amount_text(const making *m, const po_asked *a)
{
    static const po_decimal one = { 1, 0 };
    const po_cover *v = &a->cover;
    char quantity[PO_DECIMAL_TEXT];

    if (a->open)
        return v->description;
    if (is_usage(a))
        return apr_psprintf(m->p, "%s %s, up to %s", v->description, money(m, &v->unit_price), money(m, &a->amount));
    if (!po_decimal_compare(&v->quantity, &one))
        return v->description;
    if (po_decimal_is_zero(&v->unit_price))
        return apr_psprintf(m->p, "%s, %s", v->description, po_decimal_text(&v->quantity, 0, quantity));
    return apr_psprintf(m->p, "%s, %s x %s", v->description, po_decimal_text(&v->quantity, 0, quantity),
                        money(m, &v->unit_price));
}

static void set_type(po_charge *charge, const char *type)
{
    charge->line_type = type;
    charge->unspsc = !strcmp(type, SERVICE) ? UNSPSC_SERVICE : PO_UNSPSC;
}

static void cover(const making *m, po_charge *charge, const po_asked *a)
{
    if (!charge->covers)
        charge->covers = apr_array_make(m->p, 2, sizeof(po_cover));
    APR_ARRAY_PUSH(charge->covers, po_cover) = a->cover;
}

/* A line that stands for one thing. */
static const char *add_alone(const making *m, const po_asked *a)
{
    po_charge *charge = add_charge(m, a);

    cover(m, charge, a);
    set_type(charge, is_usage(a) ? MATERIAL : SERVICE);
    if (a->open)
        return check_price(m, &charge->unit_price)
               ? "The unit price has more decimals than your procurement system can hold: this offer needs a budget "
                 "for usage. Enter one and request approval again." : NULL;
    charge->unit = AMOUNT_UNIT;
    charge->description = amount_text(m, a);
    return is_usage(a) ? hold_in_coins(m, charge, &a->amount) : hold_at_once(m, charge, &a->amount);
}

/* ---- one line for all -------------------------------------------------------------------------------------------- */

/* "Log Keeper: contract, 12 months, and usage up to 500.00 USD". usage: the sum of it; zero: there is none. */
static const char *joint_text(const making *m, const apr_array_header_t *asked, const po_decimal *usage)
{
    const char *text = NULL;
    int i;

    for (i = 0; i < asked->nelts; i++) {
        const po_asked *a = &APR_ARRAY_IDX(asked, i, po_asked);

        if (!is_usage(a))
            text = apr_pstrcat(m->p, text ? text : "", text ? "; " : "", amount_text(m, a), NULL);
    }
    if (po_decimal_is_zero(usage))
        return text;
    return text ? apr_psprintf(m->p, "%s, and usage up to %s", text, money(m, usage))
                : apr_psprintf(m->p, "%s: usage up to %s", m->r->product_name, money(m, usage));
}

static const char *sum_up(const apr_array_header_t *asked, po_decimal *all, po_decimal *usage)
{
    int i;

    *all = *usage = (po_decimal){ 0, 0 };
    for (i = 0; i < asked->nelts; i++) {
        const po_asked *a = &APR_ARRAY_IDX(asked, i, po_asked);

        if (a->open)
            return "Your procurement system gets this offer as one line, which holds a sum: it needs a budget for "
                   "usage. Enter one and request approval again.";
        if (po_decimal_add(all, all, &a->amount) != APR_SUCCESS
            || (is_usage(a) && po_decimal_add(usage, usage, &a->amount) != APR_SUCCESS))
            return PO_SUM_TOO_LARGE;
    }
    return NULL;
}

static const char *add_joint(const making *m, const apr_array_header_t *asked)
{
    po_decimal all, usage;
    po_charge *charge;
    const char *wrong = sum_up(asked, &all, &usage);
    int i;

    if (wrong)
        return wrong;
    charge = add_charge(m, &APR_ARRAY_IDX(asked, 0, po_asked));
    charge->dimension = NULL;
    charge->unit = AMOUNT_UNIT;
    charge->description = joint_text(m, asked, &usage);
    set_type(charge, MATERIAL);
    for (i = 0; i < asked->nelts; i++) {
        const po_asked *a = &APR_ARRAY_IDX(asked, i, po_asked);

        cover(m, charge, a);
        if (!strcmp(a->cover.kind, "contract"))
            charge->kind = "contract";
    }
    return hold_in_coins(m, charge, &all);
}

const char *po_lines_make(po_request *r, const apr_array_header_t *asked, const po_buyer *buyer, apr_pool_t *p)
{
    making m = { r, buyer, p };
    const char *wrong = NULL;
    int i;

    if (buyer->lines == PO_LINES_SINGLE && asked->nelts > 1)
        return add_joint(&m, asked);
    for (i = 0; i < asked->nelts && !wrong; i++) {
        const po_asked *a = &APR_ARRAY_IDX(asked, i, po_asked);

        wrong = buyer->lines == PO_LINES_CLASSIC ? add_classic(&m, a) : add_alone(&m, a);
    }
    return wrong;
}
