/* cart.c - an offer and a form become a priced request; a request becomes the lines of a cart. */
#include "market/market_private.h"

#include <string.h>

#define QUANTITY_DIGITS 10              /* 1,000,000,000 */
#define QUANTITY_MAX 1000000000
/* Of a usage line: 10,000 in steps of 0.00000001. Leaves room to read the line's sum back from an order. */
#define USAGE_QUANTITY_MAX 1000000000000
#define SUBSCRIPTION_BYTES 255

typedef struct {
    po_request *r;
    const po_offer *offer;
    const po_request_form *form;
    const po_site *site;
    const po_buyer *buyer;
    apr_array_header_t *asked;          /* po_asked */
    apr_pool_t *p;
} cart;

static const char *given(const char *field)
{
    return field && field[strspn(field, " \t")] ? field : NULL;
}

/* ---- what the form says ------------------------------------------------------------------------------------------ */

static const char *read_quantity(const char *text, po_decimal *quantity)
{
    static const char wrong[] = "The quantity must be a whole number from 1 to 1000000000, written in digits alone. "
                                "Change it and request approval again.";
    apr_size_t digits;

    quantity->value = 1;
    quantity->scale = 0;
    if (!(text = given(text)))
        return NULL;
    text += strspn(text, " \t");
    text += strspn(text, "0");
    digits = strspn(text, "0123456789");
    if (!digits || digits > QUANTITY_DIGITS || text[digits + strspn(text + digits, " \t")]
        || po_decimal_parse(quantity, text, (apr_ssize_t)digits) != APR_SUCCESS || quantity->value > QUANTITY_MAX)
        return wrong;
    return NULL;
}

static const char *read_action(cart *c)
{
    const char *action = given(c->form->action), *subscription = given(c->form->subscription), *s;

    if (!action || !strcmp(action, "new")) {
        c->r->action = "new";
        return NULL;
    }
    if (strcmp(action, "change") && strcmp(action, "renew"))
        return "The request must be for a new subscription, a change or a renewal. Go back to the product's page and "
               "choose again.";
    c->r->action = apr_pstrdup(c->p, action);
    if (!subscription)
        return "Say which subscription is to be changed or renewed: go back and choose it from your subscriptions.";
    for (s = subscription; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            break;
    if (*s || s - subscription > SUBSCRIPTION_BYTES)
        return "This is not the number of a subscription. Go back and choose it from your subscriptions.";
    c->r->subscription = apr_pstrdup(c->p, subscription);
    return NULL;
}

static const char *read_terms(cart *c)
{
    const char *accepted = given(c->form->terms), *current = c->offer->terms_version;

    if (!accepted || !current)
        return NULL;
    if (strcmp(accepted, current))
        return apr_psprintf(c->p, "The terms of %s changed while you were reading: version %s is current. Reload the "
                            "product's page, read them and request approval again.", c->offer->name, current);
    c->r->terms_version = current;
    return NULL;
}

/* ---- may it be requested ----------------------------------------------------------------------------------------- */

int po_sells_to(const po_buyer *buyer, const char *seller)
{
    int i;

    if (!buyer->sellers || !buyer->sellers->nelts)
        return 1;
    for (i = 0; i < buyer->sellers->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(buyer->sellers, i, const char *), seller))
            return 1;
    return 0;
}

/* An id that is cut or refused on the way would come back as another one: no order could be matched. */
static const char *check_part(const cart *c, const char *part)
{
    const po_profile *profile = &c->buyer->profile;

    if ((profile->part_bytes > 0 && strlen(part) > (apr_size_t)profile->part_bytes)
        || (profile->forbidden && strpbrk(part, profile->forbidden)))
        return apr_psprintf(c->p, "Your procurement system doesn't take the number of this offer, %s. Tell the "
                            "marketplace to give it a shorter and simpler one.", part);
    return NULL;
}

/* ---- charges ----------------------------------------------------------------------------------------------------- */

static po_asked *ask(cart *c, const char *kind)
{
    po_asked *a = apr_array_push(c->asked);

    memset(a, 0, sizeof(*a));
    a->part = c->offer->offer;
    a->unspsc = c->offer->unspsc;
    a->cover.kind = kind;
    a->cover.unit = c->offer->unit ? c->offer->unit : "EA";
    return a;
}

static const char *with_term(const cart *c, const char *what)
{
    return apr_pstrcat(c->p, c->offer->name, ": ", what, c->offer->term ? ", " : NULL,
                       c->offer->term ? po_term_text(c->offer->term, c->p) : NULL, NULL);
}

/* Contract, free, byol and trial: one charge, the last three at 0.00. */
static const char *ask_single(cart *c, const char *what, const po_decimal *quantity)
{
    po_asked *a = ask(c, c->offer->pricing);

    a->cover.description = with_term(c, what);
    a->cover.quantity = *quantity;
    a->cover.unit_price = c->offer->price;
    return po_decimal_multiply(&a->amount, quantity, &c->offer->price) == APR_SUCCESS ? NULL : PO_SUM_TOO_LARGE;
}

static const char *read_budget(cart *c, po_decimal *budget, int *has_budget)
{
    const char *text = given(c->form->budget);

    if (!text)
        text = given(c->site->usage_budget);
    *has_budget = text != NULL;
    if (!text)
        return NULL;
    if (po_decimal_parse(budget, text, -1) != APR_SUCCESS || budget->value <= 0)
        return "The budget must be an amount greater than 0, in digits with a point and without separators, like "
               "1500.00. Change it and request approval again.";
    c->r->budget = apr_pstrdup(c->p, text);
    return NULL;
}

/* The budget is for the offer. With several dimensions each gets an equal part of it, and its quantity is the smallest
 * whole number of units that reaches this part: quantity * price * dimensions >= budget, without a division that would
 * have to be rounded. So a cart is never below the budget, and above it by less than one unit for each dimension. */
static apr_status_t usage_quantity(const po_decimal *budget, const po_usage *u, int dimensions, po_decimal *quantity)
{
    po_decimal all = { dimensions, 0 };

    if (po_decimal_multiply(&all, &all, &u->price) != APR_SUCCESS)
        return APR_EGENERAL;
    return po_decimal_divide_up(quantity, budget, &all);
}

/* Where a line holds a sum, the sum of all lines is the budget itself: what can't be shared equally goes to the first
 * dimensions, a coin each. */
static const char *usage_amount(const cart *c, const po_decimal *budget, int n, po_decimal *amount)
{
    int dimensions = c->offer->usage->nelts, decimals = po_coin_decimals(budget, c->r->currency, c->buyer);
    po_decimal coin = { 1, decimals }, coins;

    if (decimals < 0)
        return apr_psprintf(c->p, "The budget has more than the %d decimals that your procurement system can hold, and "
                            "a sum is never rounded. Change it and request approval again.",
                            c->buyer->profile.price_decimals);
    if (po_decimal_divide_up(&coins, budget, &coin) != APR_SUCCESS)
        return PO_SUM_TOO_LARGE;
    amount->value = coins.value / dimensions + (n < coins.value % dimensions);
    amount->scale = decimals;
    return amount->value ? NULL : "The budget is too small for the charges that share it. Enter a larger one and "
                                  "request approval again.";
}

/* How many units the budget buys. */
static const char *ask_within(const cart *c, po_asked *a, const po_usage *u, const po_decimal *budget, int n)
{
    const char *wrong;
    apr_status_t rv;

    if (c->buyer->lines == PO_LINES_CLASSIC) {
        rv = usage_quantity(budget, u, c->offer->usage->nelts, &a->cover.quantity);
        if (rv == APR_SUCCESS && a->cover.quantity.value > USAGE_QUANTITY_MAX)
            rv = APR_EGENERAL;
    } else {
        if ((wrong = usage_amount(c, budget, n, &a->amount)))
            return wrong;
        rv = po_decimal_divide_up(&a->cover.quantity, &a->amount, &u->price);
        if (rv == APR_SUCCESS && !po_number_fits(&a->cover.quantity))
            rv = APR_EGENERAL;
    }
    if (rv == APR_SUCCESS)
        return NULL;
    return apr_psprintf(c->p, "The budget is too large for the unit price of \"%s\". Enter a smaller one and request "
                        "approval again.", u->description);
}

/* The marketplace's own cart says how much, and may have a number of its own for it. */
static const char *ask_as_given(po_asked *a, const po_usage *u)
{
    a->cover.quantity = u->quantity;
    if (po_decimal_multiply(&a->amount, &u->quantity, &u->price) != APR_SUCCESS)
        return PO_SUM_TOO_LARGE;
    return NULL;
}

static const char *ask_usage(cart *c, int n, const po_decimal *budget)
{
    const po_usage *u = &APR_ARRAY_IDX(c->offer->usage, n, po_usage);
    po_asked *a = ask(c, "usage");
    const char *wrong;

    a->cover.dimension = u->dimension;
    a->cover.unit = u->unit ? u->unit : "EA";
    a->cover.description = apr_psprintf(c->p, "%s: %s, per %s", c->offer->name, u->description,
                                        po_unit_text(a->cover.unit));
    a->cover.unit_price = u->price;
    if (u->part)
        a->part = u->part;
    if (u->unspsc)
        a->unspsc = u->unspsc;
    if (u->part && (wrong = check_part(c, u->part)))
        return wrong;
    if (u->quantity.value)
        return ask_as_given(a, u);
    a->cover.quantity.value = 1;        /* without a budget only the price is approved */
    a->open = !budget;
    return budget ? ask_within(c, a, u, budget, n) : NULL;
}

static const char *ask_usages(cart *c)
{
    po_decimal budget;
    const char *wrong;
    int i, has_budget;

    if (!c->offer->usage)
        return NULL;
    if ((wrong = read_budget(c, &budget, &has_budget)))
        return wrong;
    for (i = 0; i < c->offer->usage->nelts; i++)
        if ((wrong = ask_usage(c, i, has_budget ? &budget : NULL)))
            return wrong;
    return NULL;
}

static const char *ask_charges(cart *c)
{
    const char *pricing = c->offer->pricing, *wrong;
    po_decimal quantity;

    if ((wrong = read_quantity(c->form->quantity, &quantity)))
        return wrong;
    if (!strcmp(pricing, "usage"))
        return ask_usages(c);
    if (!strcmp(pricing, "free"))
        return ask_single(c, "free", &quantity);
    if (!strcmp(pricing, "byol"))
        return ask_single(c, "bring your own license", &quantity);
    if (!strcmp(pricing, "trial"))
        return ask_single(c, "free trial", &quantity);
    if ((wrong = ask_single(c, "contract", &quantity)))
        return wrong;
    return ask_usages(c);
}

/* The order brings the sum back as one number: it has to be one that is understood then. */
static const char *check_total(const cart *c)
{
    char text[PO_DECIMAL_TEXT];
    po_decimal total;

    if (po_request_total(c->r, &total) == APR_SUCCESS
        && po_decimal_parse(&total, po_money_text(&total, c->r->currency, text), -1) == APR_SUCCESS)
        return NULL;
    return PO_SUM_TOO_LARGE;
}

/* Only what costs nothing, and never a trial: nobody has bought it yet. */
static void preapprove(cart *c)
{
    const char *pricing = c->offer->pricing;
    unsigned bit = !strcmp(pricing, "free") ? PO_PREAPPROVE_FREE : !strcmp(pricing, "byol") ? PO_PREAPPROVE_BYOL : 0;
    int i;

    if (!(c->buyer->preapprove & bit))
        return;
    for (i = 0; i < c->r->charges->nelts; i++)
        if (!po_decimal_is_zero(&APR_ARRAY_IDX(c->r->charges, i, po_charge).unit_price))
            return;
    for (i = 0; i < c->r->charges->nelts; i++)
        APR_ARRAY_IDX(c->r->charges, i, po_charge).state = PO_CHARGE_PREAPPROVED;
    c->r->preapproved_by = apr_pstrcat(c->p, "PunchOutPreApprove ", pricing, NULL);
}

const char *po_cart_build(po_request *r, const po_offer *offer, const po_request_form *form, const po_site *site,
                          const po_buyer *buyer, apr_pool_t *p)
{
    cart c = { r, offer, form, site, buyer, apr_array_make(p, 2, sizeof(po_asked)), p };
    const char *wrong;

    r->product = offer->product;
    r->offer = offer->offer;
    r->product_name = offer->name;
    r->seller = offer->seller;
    r->pricing = offer->pricing;
    r->term = offer->term;
    r->currency = offer->currency ? offer->currency : buyer->currency;
    r->charges = apr_array_make(p, 2, sizeof(po_charge));
    if (!po_offer_visible(offer, buyer) && po_sells_to(buyer, offer->seller))
        return "This offer is not for your organization. Choose another one, or ask your procurement team.";
    if (!po_sells_to(buyer, offer->seller))
        return apr_psprintf(p, "Your organization doesn't buy from %s through this marketplace. Choose a product of "
                            "another seller, or ask your procurement team.", offer->seller);
    if (!r->currency)
        return "This offer has no currency, and none is set for your procurement system. Tell the marketplace.";
    if ((wrong = check_part(&c, offer->offer)) || (wrong = read_action(&c)) || (wrong = read_terms(&c))
        || (wrong = ask_charges(&c)) || (wrong = po_lines_make(r, c.asked, buyer, p)) || (wrong = check_total(&c)))
        return wrong;
    preapprove(&c);
    if (buyer->approvals == PO_APPROVALS_SEPARATE)
        po_request_separate(r);
    r->state = po_state_of_charges(r);
    return NULL;
}

/* ---- the cart that goes back ------------------------------------------------------------------------------------- */

static void fill_item(po_cxml_cart_item *item, const po_request *r, const po_charge *charge, const po_buyer *buyer,
                      apr_pool_t *p)
{
    const po_profile *profile = &buyer->profile;
    char text[PO_DECIMAL_TEXT];

    item->part = charge->part;
    item->auxiliary = apr_psprintf(p, "%s.%d", r->id, charge->line);
    item->quantity = apr_pstrdup(p, po_decimal_text(&charge->quantity, 0, text));
    item->unit_price = apr_pstrdup(p, po_money_text(&charge->unit_price, charge->currency, text));
    item->currency = charge->currency;
    item->description = po_utf8_cut(charge->description, profile->description_bytes, p);
    item->short_name = po_utf8_cut(r->product_name, profile->short_name_bytes, p);
    item->unit = po_unit_for(buyer, charge->unit);
    item->unspsc = charge->unspsc;
    item->manufacturer = r->seller;
    item->manufacturer_part = r->offer;
    item->line_type = charge->line_type ? charge->line_type : strcmp(charge->kind, "usage") ? "Service" : "Material";
    item->term = r->term;
    item->pricing = r->pricing;
    item->dimension = charge->dimension;
    item->seller = r->seller;
    item->lead_time = "0";              /* software: nothing is shipped */
}

/* The sum of what goes back now: what waits (PunchOutApprovals separate) does so in a later cart. */
static apr_status_t cart_total(const po_request *r, po_decimal *total)
{
    po_decimal line;
    int i;

    *total = (po_decimal){ 0, 0 };
    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (c->state == PO_CHARGE_WAITING)
            continue;
        if (po_decimal_multiply(&line, &c->quantity, &c->unit_price) != APR_SUCCESS
            || po_decimal_add(total, total, &line) != APR_SUCCESS)
            return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

const char *po_cart_check(const apr_array_header_t *requests, apr_pool_t *p)
{
    const char *currency = NULL;
    po_decimal sum = { 0, 0 }, total;
    char text[PO_DECIMAL_TEXT];
    int i;

    for (i = 0; i < requests->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(requests, i, po_request *);

        if (currency && strcmp(currency, r->currency))
            return apr_psprintf(p, "A cart has one currency, and this one holds prices in %s and in %s. Request approval for "
                                "them one after the other.", currency, r->currency);
        currency = r->currency;
        if (cart_total(r, &total) != APR_SUCCESS || po_decimal_add(&sum, &sum, &total) != APR_SUCCESS
            || po_decimal_parse(&total, po_money_text(&sum, currency, text), -1) != APR_SUCCESS)
            return "The sum of this cart is larger than an order can hold. Request approval for less at a time.";
    }
    return NULL;
}

/* The sum with what the cart holds already. */
static apr_status_t add_total(const po_request *r, const po_cxml_cart *out, po_decimal *total)
{
    po_decimal before;

    if (cart_total(r, total) != APR_SUCCESS)
        return APR_EGENERAL;
    if (!out->items)
        return APR_SUCCESS;
    if (strcmp(out->currency, r->currency) || po_decimal_parse(&before, out->total, -1) != APR_SUCCESS)
        return APR_EGENERAL;
    return po_decimal_add(total, total, &before);
}

apr_status_t po_cart_items(const po_request *r, const po_buyer *buyer, po_cxml_cart *out, apr_pool_t *p)
{
    apr_array_header_t *items = out->items;
    char text[PO_DECIMAL_TEXT];
    po_decimal total;
    int i;

    if (add_total(r, out, &total) != APR_SUCCESS)
        return APR_EGENERAL;
    if (!items)
        items = apr_array_make(p, r->charges->nelts, sizeof(po_cxml_cart_item));
    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *charge = &APR_ARRAY_IDX(r->charges, i, po_charge);
        po_cxml_cart_item *item;

        if (charge->state == PO_CHARGE_WAITING)
            continue;
        item = apr_array_push(items);
        memset(item, 0, sizeof(*item));
        item->line = items->nelts;
        fill_item(item, r, charge, buyer, p);
    }
    out->items = items;
    out->total = apr_pstrdup(p, po_money_text(&total, r->currency, text));
    out->currency = r->currency;
    return APR_SUCCESS;
}
