/* invoice_check.c - an invoice against what was ordered: nobody is billed for what no purchase order covers. */
#include "market/market_private.h"

#include <stdarg.h>
#include <string.h>

typedef struct {
    const po_invoice *invoice;
    const po_buyer *buyer;
    const apr_array_header_t *requests, *past;
    po_invoice_verdict *out;
    apr_pool_t *p;
} checking;

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5)))
static int refuse(checking *x, int status, const po_invoice_line *l, const char *format, ...)
{
    const char *where = "";
    va_list args;

    if (l)
        where = apr_psprintf(x->p, "lines[%d]: ", (int)(l - (const po_invoice_line *)x->invoice->lines->elts));
    va_start(args, format);
    x->out->status = status;
    x->out->detail = apr_pstrcat(x->p, where, apr_pvsprintf(x->p, format, args), NULL);
    va_end(args);
    return 0;
}

static const char *amount(const checking *x, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrcat(x->p, po_money_text(d, x->invoice->currency, text), " ", x->invoice->currency, NULL);
}

/* ---- what a line is about ---------------------------------------------------------------------------------------- */

static const po_request *request_of(const checking *x, const char *id)
{
    int i;

    for (i = 0; i < x->requests->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(x->requests, i, po_request *);

        if (!strcmp(r->id, id))
            return r;
    }
    return NULL;
}

static const po_charge *charge_of(const po_request *r, int line)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (APR_ARRAY_IDX(r->charges, i, po_charge).line == line)
            return &APR_ARRAY_IDX(r->charges, i, po_charge);
    return NULL;
}

static const po_invoice_past *past_of(const checking *x, const po_invoice_item *n)
{
    static const po_invoice_past nothing;
    int i;

    for (i = 0; i < x->past->nelts; i++) {
        const po_invoice_past *past = &APR_ARRAY_IDX(x->past, i, po_invoice_past);

        if (past->charge == n->charge->line && !strcmp(past->request, n->request->id))
            return past;
    }
    return &nothing;
}

static int find(checking *x, po_invoice_item *n)
{
    const po_invoice_line *l = n->line;

    if (!(n->request = request_of(x, l->request)))
        return refuse(x, 409, l, "there is no request %s here; name the one of the event",
                      po_utf8_cut(l->request, 60, x->p));
    if (!(n->charge = charge_of(n->request, l->charge)))
        return refuse(x, 409, l, "request %s has no charge %d, but %d of them", l->request, l->charge,
                      n->request->charges->nelts);
    n->ordered = past_of(x, n)->ordered;
    return 1;
}

/* The cart's price, or what the order has, if that is less. */
static po_decimal ordered_price(const po_invoice_item *n)
{
    const po_cxml_item *o = n->ordered;

    return o && o->has_price && po_decimal_compare(&o->unit_price, &n->charge->unit_price) < 0 ? o->unit_price
           : n->charge->unit_price;
}

static po_decimal ordered_quantity(const po_invoice_item *n)
{
    const po_decimal *quantity = po_charge_quantity(n->charge);

    return n->ordered && po_decimal_compare(&n->ordered->quantity, quantity) < 0 ? n->ordered->quantity : *quantity;
}

/* ---- whether it may be invoiced at all --------------------------------------------------------------------------- */

/* Why a charge of this kind never gets an invoice; NULL: it may. */
static const char *never(const po_request *r, const po_charge *c)
{
    if (r->test || r->state == PO_STATE_TESTED)
        return "it was requested in test mode, which no invoice follows";
    if (!strcmp(c->kind, "trial"))
        return "it is a free trial, which is never invoiced";
    if (!strcmp(c->kind, "free"))
        return "it is free, and what is free is never invoiced";
    if (!strcmp(c->kind, "byol"))
        return "it runs on the buyer's own license (BYOL), which is never invoiced";
    if (c->state == PO_CHARGE_PREAPPROVED)
        return "it was approved beforehand, without a purchase order that an invoice could name";
    return NULL;
}

static int may_be_invoiced(checking *x, const po_invoice_item *n)
{
    const po_request *r = n->request;
    const po_charge *c = n->charge;
    const char *why = never(r, c);

    if (why)
        return refuse(x, 409, n->line, "%s.%d can't be invoiced: %s", r->id, c->line, why);
    if (!c->order_id)
        return refuse(x, 409, n->line, "%s.%d can't be invoiced: no purchase order has ordered it yet", r->id, c->line);
    if (x->invoice->credit_memo)
        return 1;                       /* money goes back whatever became of the request */
    if (c->state != PO_CHARGE_ORDERED)
        return refuse(x, 409, n->line, "%s.%d can't be invoiced: it is %s", r->id, c->line,
                      po_charge_state_name(c->state));
    if (r->state >= PO_STATE_TESTED || r->state < PO_STATE_PARTLY_APPROVED)
        return refuse(x, 409, n->line, "request %s can't be invoiced: it is %s%s%s", r->id, po_state_name(r->state),
                      r->reason ? ": " : "", r->reason ? r->reason : "");
    return 1;
}

/* ---- price and quantity ------------------------------------------------------------------------------------------ */

/* A contract may be cheaper than ordered (an instalment, a rebate), usage costs what was approved. */
static int price_fits(const po_decimal *asked, const char *kind, const po_decimal *approved)
{
    int differs = po_decimal_compare(asked, approved);

    return strcmp(kind, "usage") ? differs <= 0 : !differs;
}

static int check_price(checking *x, const po_invoice_item *n)
{
    const po_charge *c = n->charge;
    po_decimal price = ordered_price(n);
    int i;

    if (!c->covers) {
        if (price_fits(&n->line->unit_price, c->kind, &price))
            return 1;
        return refuse(x, 409, n->line, "unitPrice is %s, purchase order %s has %s for %s.%d",
                      amount(x, &n->line->unit_price), c->order_id, amount(x, &price), n->request->id, c->line);
    }
    for (i = 0; i < c->covers->nelts; i++) {
        const po_cover *cover = &APR_ARRAY_IDX(c->covers, i, po_cover);

        if (price_fits(&n->line->unit_price, cover->kind, &cover->unit_price))
            return 1;
    }
    return refuse(x, 409, n->line, "unitPrice is %s, which is no price of what %s.%d was approved for",
                  amount(x, &n->line->unit_price), n->request->id, c->line);
}

static int is_service(const po_charge *c)
{
    return c->line_type && !strcmp(c->line_type, "Service");
}

/* The terms of the purchase order: a line that holds a sum alone (PunchOutLines) is counted in its own price. A part of
 * the one piece of a Service line is one piece for less. */
static int convert(checking *x, po_invoice_item *n)
{
    const po_charge *c = n->charge;
    po_decimal price = ordered_price(n);

    n->quantity = n->line->quantity;
    n->unit_price = n->line->unit_price;
    if (!c->covers || !po_decimal_compare(&n->unit_price, &price))
        return 1;                       /* they are said in them already: usage of which the price alone was approved */
    n->unit_price = price;
    if (po_decimal_divide_exact(&n->quantity, &n->line->amount, &price) == APR_SUCCESS)
        return 1;
    if (is_service(c)) {
        n->quantity = (po_decimal){ 1, 0 };
        n->unit_price = n->line->amount;
        return 1;
    }
    return refuse(x, 422, n->line, "it comes to %s, which is no multiple of %s, the price of line %d of purchase order %s",
                  amount(x, &n->line->amount), amount(x, &price), c->order_line, c->order_id);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* What this invoice has for the charge of an item, all lines together. */
static int sum_of(checking *x, const po_invoice_item *n, po_decimal *sum)
{
    int i;

    sum->value = 0;
    sum->scale = 0;
    for (i = 0; i < x->out->items->nelts; i++) {
        const po_invoice_item *other = &APR_ARRAY_IDX(x->out->items, i, po_invoice_item);

        if (other->charge == n->charge && po_decimal_add(sum, sum, &other->line->amount) != APR_SUCCESS)
            return refuse(x, 422, n->line, "the sum of the lines of %s.%d can't be written", n->request->id,
                          n->charge->line);
    }
    return 1;
}

static int check_credit(checking *x, const po_invoice_item *n)
{
    const po_invoice_past *past = past_of(x, n);
    po_decimal sum;

    if (!sum_of(x, n, &sum))
        return 0;
    if (po_decimal_compare(&sum, &past->credited) <= 0)
        return 1;
    return refuse(x, 409, n->line, "the credit of %s for %s.%d is more than invoice %s has left for it, %s",
                  amount(x, &sum), n->request->id, n->charge->line, x->invoice->original, amount(x, &past->credited));
}

static int is_unlimited(const checking *x, const po_charge *c)
{
    int i;

    if (x->buyer->usage_limit != PO_USAGE_LIMIT_NONE)
        return 0;
    if (!c->covers)
        return !strcmp(c->kind, "usage");
    for (i = 0; i < c->covers->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(c->covers, i, po_cover).kind, "usage"))
            return 0;
    return 1;
}

/* A line of type Service holds its sum in one piece, and buyers take one invoice for it. */
static int check_single(checking *x, const po_invoice_item *n, const po_invoice_past *past)
{
    const po_charge *c = n->charge;

    if (!is_service(c) || !past->number)
        return 1;
    return refuse(x, 409, n->line, "line %d of purchase order %s takes one invoice, and %s was it; give back a part "
                  "by a credit memo, and send what is more another way", c->order_line, c->order_id, past->number);
}

static int check_order(checking *x, const po_invoice_item *n)
{
    const po_invoice_past *past = past_of(x, n);
    const po_charge *c = n->charge;
    po_decimal sum, all, ordered, quantity = ordered_quantity(n), price = ordered_price(n);

    if (n->ordered && n->ordered->has_price && n->ordered->currency
        && strcmp(n->ordered->currency, x->invoice->currency))
        return refuse(x, 409, n->line, "purchase order %s, line %d, is in %s, the invoice in %s: ask the buyer to change the "
                      "order", c->order_id, c->order_line, n->ordered->currency, x->invoice->currency);
    if (!check_single(x, n, past) || !sum_of(x, n, &sum))
        return 0;
    if (is_unlimited(x, c))
        return 1;
    if (po_decimal_add(&all, &sum, &past->amount) != APR_SUCCESS
        || po_decimal_multiply(&ordered, &quantity, &price) != APR_SUCCESS)
        return refuse(x, 422, n->line, "the sum of the invoices for %s.%d can't be written", n->request->id, c->line);
    if (po_decimal_compare(&all, &ordered) <= 0)
        return 1;
    return refuse(x, 409, n->line, "purchase order %s, line %d (%s.%d) was for %s, of which %s is invoiced already: %s "
                  "more is above it. Ask the buyer to change the order%s", c->order_id, c->order_line, n->request->id,
                  c->line, amount(x, &ordered), amount(x, &past->amount), amount(x, &sum),
                  strcmp(c->kind, "usage") ? "" : " (or set PunchOutUsageLimit none where usage may go beyond it)");
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int check_item(checking *x, po_invoice_item *n)
{
    if (strcmp(n->request->buyer, x->buyer->name))
        return refuse(x, 409, n->line, "request %s is of buyer %s, others are of %s: an invoice goes to one buyer",
                      n->request->id, n->request->buyer, x->buyer->name);
    if (!may_be_invoiced(x, n))
        return 0;
    if (strcmp(x->invoice->currency, n->charge->currency))
        return refuse(x, 409, n->line, "the invoice is in %s, %s.%d was ordered in %s", x->invoice->currency,
                      n->request->id, n->charge->line, n->charge->currency);
    return x->invoice->credit_memo || check_price(x, n);
}

void po_invoice_judge(const po_invoice *i, const po_buyer *buyer, const apr_array_header_t *requests,
                      const apr_array_header_t *past, po_invoice_verdict *out, apr_pool_t *p)
{
    checking x = { i, buyer, requests, past, out, p };
    int n, fine = 1;

    memset(out, 0, sizeof(*out));
    out->status = 200;
    out->items = apr_array_make(p, i->lines->nelts, sizeof(po_invoice_item));
    if (i->buyer && strcmp(i->buyer, buyer->name))
        fine = refuse(&x, 409, NULL, "The invoice is for buyer %s, its requests are of %s", i->buyer, buyer->name);
    else if (buyer->deployment == PO_DEPLOYMENT_TEST)
        fine = refuse(&x, 409, NULL, "Buyer %s is in test mode and gets no invoices; see PunchOutDeployment",
                      buyer->name);
    for (n = 0; fine && n < i->lines->nelts; n++) {
        po_invoice_item *item = apr_array_push(out->items);

        memset(item, 0, sizeof(*item));
        item->line = &APR_ARRAY_IDX(i->lines, n, po_invoice_line);
        fine = find(&x, item) && check_item(&x, item);
    }
    for (n = 0; fine && n < out->items->nelts; n++) {
        po_invoice_item *item = &APR_ARRAY_IDX(out->items, n, po_invoice_item);

        fine = (i->credit_memo ? check_credit(&x, item) : check_order(&x, item)) && convert(&x, item);
    }
}
