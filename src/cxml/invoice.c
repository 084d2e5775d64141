/* invoice.c - InvoiceDetailRequest: an invoice that the marketplace's billing has made, in the words of cXML. */
#include "cxml/writer_private.h"

static void amount(po_buffer *b, const po_cxml_invoice *i, const char *element, const char *value)
{
    po_buffer_lit(b, "<");
    po_buffer_str(b, element);
    po_buffer_lit(b, ">");
    po_write_money(b, i->currency, value);
    po_buffer_lit(b, "</");
    po_buffer_str(b, element);
    po_buffer_lit(b, ">");
}

/* ---- header --------------------------------------------------------------------------------------------------- */

static void partner(po_buffer *b, const po_cxml_partner *p)
{
    po_write_element(b, "<InvoicePartner><Contact role=\"", p->role, "\">");
    po_write_element(b, "<Name xml:lang=\"en\">", p->name, "</Name>");
    if (p->street && p->city && p->country) {      /* the DTD has no address without these */
        po_buffer_lit(b, "<PostalAddress>");
        po_write_element(b, "<Street>", p->street, "</Street>");
        po_write_element(b, "<City>", p->city, "</City>");
        po_write_optional(b, "<State>", p->state, "</State>");
        po_write_optional(b, "<PostalCode>", p->postal_code, "</PostalCode>");
        po_write_element(b, "<Country isoCountryCode=\"", p->country, "\">");
        po_write_element(b, "", p->country, "</Country></PostalAddress>");
    }
    po_write_optional(b, "<Email>", p->email, "</Email>");
    po_buffer_lit(b, "</Contact>");
    if (p->tax_id)
        po_write_element(b, "<IdReference domain=\"vatID\" identifier=\"", p->tax_id, "\"/>");
    po_buffer_lit(b, "</InvoicePartner>");
}

static void period(po_buffer *b, const char *from, const char *to)
{
    if (!from)
        return;
    po_write_element(b, "<Period startDate=\"", from, "\"");
    po_write_element(b, " endDate=\"", to, "\"/>");
}

static void request_header(po_buffer *b, const po_cxml_invoice *i)
{
    int n;

    po_write_element(b, "<InvoiceDetailRequestHeader invoiceID=\"", i->number, "\" invoiceDate=\"");
    po_write_element(b, "", i->date, i->credit_memo ? "\" purpose=\"lineLevelCreditMemo\" operation=\"new\">"
                                                    : "\" purpose=\"standard\" operation=\"new\">");
    po_buffer_lit(b, "<InvoiceDetailHeaderIndicator/><InvoiceDetailLineIndicator/>");
    for (n = 0; i->partners && n < i->partners->nelts; n++)
        partner(b, &APR_ARRAY_IDX(i->partners, n, po_cxml_partner));
    if (i->original_number) {           /* the DTD of 1.2.020 wants both, and that they mean the same invoice */
        po_write_optional(b, "<DocumentReference payloadID=\"", i->original_payload, "\"/>");
        po_write_element(b, "<InvoiceIDInfo invoiceID=\"", i->original_number, "\"");
        po_write_optional(b, " invoiceDate=\"", i->original_date, "\"");
        po_buffer_lit(b, "/>");
    }
    period(b, i->period_from, i->period_to);
    po_write_optional(b, "<Comments xml:lang=\"en\">", i->comments, "</Comments>");
    po_buffer_lit(b, "</InvoiceDetailRequestHeader>");
}

/* ---- lines ---------------------------------------------------------------------------------------------------- */

static void item_id(po_buffer *b, const po_cxml_invoice_item *n)
{
    if (!n->part)
        return;
    po_write_element(b, "<ItemID><SupplierPartID>", n->part, "</SupplierPartID>");
    po_write_optional(b, "<SupplierPartAuxiliaryID>", n->auxiliary, "</SupplierPartAuxiliaryID>");
    po_buffer_lit(b, "</ItemID>");
}

static void unit_and_price(po_buffer *b, const po_cxml_invoice *i, const po_cxml_invoice_item *n)
{
    po_write_element(b, "<UnitOfMeasure>", n->unit, "</UnitOfMeasure>");
    amount(b, i, "UnitPrice", n->unit_price);
}

static void start_item(po_buffer *b, const char *element, const po_cxml_invoice_item *n)
{
    po_buffer_str(b, element);
    po_buffer_lit(b, " invoiceLineNumber=\"");
    po_write_number(b, n->line);
    po_write_element(b, "\" quantity=\"", n->quantity, "\">");
}

static void goods_item(po_buffer *b, const po_cxml_envelope *e, const po_cxml_invoice *i, const po_cxml_invoice_item *n)
{
    start_item(b, "<InvoiceDetailItem", n);
    unit_and_price(b, i, n);
    po_buffer_lit(b, "<InvoiceDetailItemReference lineNumber=\"");
    po_write_number(b, n->order_line);
    po_buffer_lit(b, "\">");
    item_id(b, n);
    po_write_optional(b, "<Description xml:lang=\"en\">", n->description, "</Description>");
    if (po_write_knows(e, "1.2.037"))   /* 1.2.020 has no Classification here */
        po_write_optional(b, "<Classification domain=\"UNSPSC\">", n->unspsc, "</Classification>");
    po_buffer_lit(b, "</InvoiceDetailItemReference>");
    amount(b, i, "SubtotalAmount", n->subtotal);
    amount(b, i, "GrossAmount", n->subtotal);
    amount(b, i, "NetAmount", n->subtotal);
    po_buffer_lit(b, "</InvoiceDetailItem>");
}

static void service_item(po_buffer *b, const po_cxml_invoice *i, const po_cxml_invoice_item *n)
{
    start_item(b, "<InvoiceDetailServiceItem", n);
    po_buffer_lit(b, "<InvoiceDetailServiceItemReference lineNumber=\"");
    po_write_number(b, n->order_line);
    po_buffer_lit(b, "\">");
    po_write_optional(b, "<Classification domain=\"UNSPSC\">", n->unspsc, "</Classification>");
    item_id(b, n);
    po_write_optional(b, "<Description xml:lang=\"en\">", n->description, "</Description>");
    po_buffer_lit(b, "</InvoiceDetailServiceItemReference>");
    amount(b, i, "SubtotalAmount", n->subtotal);
    period(b, n->period_from, n->period_to);
    unit_and_price(b, i, n);
    amount(b, i, "GrossAmount", n->subtotal);
    amount(b, i, "NetAmount", n->subtotal);
    po_buffer_lit(b, "</InvoiceDetailServiceItem>");
}

static void order(po_buffer *b, const po_cxml_envelope *e, const po_cxml_invoice *i, const po_cxml_invoice_order *o)
{
    int n;

    po_buffer_lit(b, "<InvoiceDetailOrder><InvoiceDetailOrderInfo>");
    po_write_order_reference(b, &o->order);
    po_buffer_lit(b, "</InvoiceDetailOrderInfo>");
    for (n = 0; n < o->items->nelts; n++) {
        const po_cxml_invoice_item *item = &APR_ARRAY_IDX(o->items, n, po_cxml_invoice_item);

        if (item->service)
            service_item(b, i, item);
        else
            goods_item(b, e, i, item);
    }
    po_buffer_lit(b, "</InvoiceDetailOrder>");
}

/* ---- summary -------------------------------------------------------------------------------------------------- */

static void tax_detail(po_buffer *b, const po_cxml_invoice *i, const po_cxml_tax *t)
{
    po_write_element(b, "<TaxDetail category=\"", t->category, "\"");
    po_write_optional(b, " percentageRate=\"", t->rate, "\"");
    po_buffer_lit(b, ">");
    if (t->taxable)
        amount(b, i, "TaxableAmount", t->taxable);
    amount(b, i, "TaxAmount", t->amount);
    po_write_optional(b, "<Description xml:lang=\"en\">", t->description, "</Description>");
    po_buffer_lit(b, "</TaxDetail>");
}

static void summary(po_buffer *b, const po_cxml_invoice *i)
{
    int n;

    po_buffer_lit(b, "<InvoiceDetailSummary>");
    amount(b, i, "SubtotalAmount", i->subtotal);
    po_buffer_lit(b, "<Tax>");
    po_write_money(b, i->currency, i->tax);
    po_write_element(b, "<Description xml:lang=\"en\">", i->tax_description, "</Description>");
    for (n = 0; i->taxes && n < i->taxes->nelts; n++)
        tax_detail(b, i, &APR_ARRAY_IDX(i->taxes, n, po_cxml_tax));
    po_buffer_lit(b, "</Tax>");
    amount(b, i, "GrossAmount", i->net);
    amount(b, i, "NetAmount", i->net);
    amount(b, i, "DueAmount", i->due);
    po_buffer_lit(b, "</InvoiceDetailSummary>");
}

void po_cxml_write_invoice(po_buffer *b, const po_cxml_envelope *e, const po_cxml_invoice *i)
{
    int n;

    po_write_request(b, e, i->header, "InvoiceDetail.dtd");
    po_buffer_lit(b, "<InvoiceDetailRequest>");
    request_header(b, i);
    for (n = 0; n < i->orders->nelts; n++)
        order(b, e, i, &APR_ARRAY_IDX(i->orders, n, po_cxml_invoice_order));
    summary(b, i);
    po_buffer_lit(b, "</InvoiceDetailRequest></Request></cXML>\n");
}
