/* invoice_document.c - a judged invoice in the words of its buyer: amounts as text, lines by purchase order. */
#include "market/market_private.h"

#include <string.h>

typedef struct {
    const po_invoice *invoice;
    const po_buyer *buyer;
    apr_pool_t *p;
} writing;

/* A credit memo's quantities and amounts are negative, its prices are not (cXML guide, lineLevelCreditMemo). */
static const char *signed_text(const writing *x, po_decimal d, int decimals)
{
    char text[PO_DECIMAL_TEXT];

    if (x->invoice->credit_memo)
        d.value = -d.value;
    return apr_pstrdup(x->p, po_decimal_text(&d, decimals, text));
}

static const char *amount(const writing *x, const po_decimal *d)
{
    return signed_text(x, *d, po_currency_decimals(x->invoice->currency));
}

static const char *price(const writing *x, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrdup(x->p, po_money_text(d, x->invoice->currency, text));
}

/* ---- who --------------------------------------------------------------------------------------------------------- */

static po_cxml_partner partner_of(const po_cxml_address *a, const char *role)
{
    po_cxml_partner n = { role };

    if (!a || !a->name || !*a->name)
        return n;
    n.name = a->name;
    n.street = a->street;
    n.city = a->city;
    n.state = a->state;
    n.postal_code = a->postal_code;
    n.country = a->country;
    n.email = a->email;
    return n;
}

static void push(apr_array_header_t *list, po_cxml_partner n, const char *role)
{
    if (!n.name)
        return;
    n.role = role;
    APR_ARRAY_PUSH(list, po_cxml_partner) = n;
}

/* Billed is who the backend says, else who the order says; sold to is the order's. */
static apr_array_header_t *partners(const writing *x, const po_invoice_verdict *v)
{
    apr_array_header_t *list = apr_array_make(x->p, 4, sizeof(po_cxml_partner));
    const po_cxml_order *order = v->orders->nelts ? APR_ARRAY_IDX(v->orders, 0, po_event_order).order : NULL;
    po_cxml_partner ordering = partner_of(order ? order->bill_to : NULL, "billTo"), seller = { "from" };
    const po_cxml_partner *bill_to = x->invoice->bill_to.name ? &x->invoice->bill_to : &ordering;

    if (!strcmp(x->invoice->seller, x->invoice->remit_to.name))
        seller = x->invoice->remit_to;
    else
        seller.name = x->invoice->seller;
    push(list, x->invoice->remit_to, "remitTo");
    push(list, *bill_to, "billTo");
    push(list, seller, "from");
    push(list, ordering.name ? ordering : *bill_to, "soldTo");
    return list;
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

/* InvoiceDetailServiceItem is the form of a subscription's contract, InvoiceDetailItem that of what is counted. */
static int is_service(const po_charge *c)
{
    return c->line_type ? !strcmp(c->line_type, "Service") : strcmp(c->kind, "usage") != 0;
}

/* An InvoiceDetailItem has no Period: people read it in the description. */
static const char *description_of(const writing *x, const po_invoice_item *n)
{
    const po_invoice_line *l = n->line;
    const char *text = l->description ? l->description : n->charge->description;

    if (l->period_from && !is_service(n->charge))
        text = apr_psprintf(x->p, "%s (%.10s to %.10s)", text, l->period_from, l->period_to);
    return po_utf8_cut(text, x->buyer->profile.description_bytes, x->p);
}

static const char *either(const char *first, const char *second)
{
    return first && *first ? first : second;
}

static po_cxml_invoice_item item_of(const writing *x, const po_invoice_item *n, int number)
{
    static const po_cxml_item nothing;
    const po_cxml_item *ordered = n->ordered ? n->ordered : &nothing;
    const po_charge *c = n->charge;
    po_cxml_invoice_item out = { number, c->order_line, is_service(c) };

    out.quantity = signed_text(x, n->quantity, 0);
    out.unit_price = price(x, &n->unit_price);
    out.subtotal = amount(x, &n->line->amount);
    out.unit = either(ordered->unit, po_unit_for(x->buyer, c->unit));
    out.part = either(ordered->part, c->part);
    out.auxiliary = either(ordered->auxiliary, apr_psprintf(x->p, "%s.%d", n->request->id, c->line));
    out.description = description_of(x, n);
    out.unspsc = c->unspsc;
    out.period_from = n->line->period_from;
    out.period_to = n->line->period_to;
    return out;
}

static apr_array_header_t *items_of(const writing *x, const po_invoice_verdict *v, const char *order_id)
{
    apr_array_header_t *list = apr_array_make(x->p, v->items->nelts, sizeof(po_cxml_invoice_item));
    int i;

    for (i = 0; i < v->items->nelts; i++) {
        const po_invoice_item *n = &APR_ARRAY_IDX(v->items, i, po_invoice_item);

        if (!strcmp(n->charge->order_id, order_id))
            APR_ARRAY_PUSH(list, po_cxml_invoice_item) = item_of(x, n, i + 1);
    }
    return list;
}

static apr_array_header_t *orders(const writing *x, const po_invoice_verdict *v)
{
    apr_array_header_t *list = apr_array_make(x->p, v->orders->nelts, sizeof(po_cxml_invoice_order));
    int i;

    for (i = 0; i < v->orders->nelts; i++) {
        const po_event_order *o = &APR_ARRAY_IDX(v->orders, i, po_event_order);
        po_cxml_invoice_order order = { { o->order->order_id, either(o->order->order_date, NULL), o->payload_id },
                                        items_of(x, v, o->order->order_id) };

        APR_ARRAY_PUSH(list, po_cxml_invoice_order) = order;
    }
    return list;
}

static apr_array_header_t *taxes(const writing *x)
{
    const apr_array_header_t *given = x->invoice->taxes;
    apr_array_header_t *list = given ? apr_array_make(x->p, given->nelts, sizeof(po_cxml_tax)) : NULL;
    int i;

    for (i = 0; given && i < given->nelts; i++) {
        const po_invoice_tax *t = &APR_ARRAY_IDX(given, i, po_invoice_tax);
        po_cxml_tax tax = { t->category, t->rate, t->has_taxable ? amount(x, &t->taxable) : NULL, amount(x, &t->amount),
                            t->description };

        APR_ARRAY_PUSH(list, po_cxml_tax) = tax;
    }
    return list;
}

void po_invoice_document(const po_invoice *i, const po_invoice_verdict *v, const po_buyer *buyer,
                         const po_invoice_original *original, po_cxml_invoice *out, apr_pool_t *p)
{
    writing x = { i, buyer, p };

    memset(out, 0, sizeof(*out));
    out->number = i->number;
    out->date = i->date;
    out->credit_memo = i->credit_memo;
    if (original) {
        out->original_number = original->number;
        out->original_date = original->date;
        out->original_payload = original->payload_id;
    }
    out->currency = i->currency;
    out->partners = partners(&x, v);
    out->orders = orders(&x, v);
    out->subtotal = amount(&x, &i->subtotal);
    out->tax = amount(&x, &i->tax);
    out->net = out->due = amount(&x, &i->total);
    out->tax_description = i->tax_description;
    out->taxes = taxes(&x);
    out->period_from = i->period_from;
    out->period_to = i->period_to;
    out->comments = i->comments;
}
