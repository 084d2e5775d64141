/* confirmation.c - ConfirmationRequest: what becomes of a purchase order, in the words of cXML. */
#include "cxml/writer_private.h"

static void item(po_buffer *b, const po_cxml_confirmation_item *i)
{
    po_write_element(b, "<ConfirmationItem quantity=\"", i->quantity, "\" lineNumber=\"");
    po_write_number(b, i->line);
    po_write_element(b, "\"><UnitOfMeasure>", i->unit, "</UnitOfMeasure>");
    po_write_element(b, "<ConfirmationStatus quantity=\"", i->quantity,
                     i->rejected ? "\" type=\"reject\">" : "\" type=\"accept\">");
    po_write_element(b, "<UnitOfMeasure>", i->unit, "</UnitOfMeasure>");
    po_write_optional(b, "<Comments xml:lang=\"en\">", i->comments, "</Comments>");
    po_buffer_lit(b, "</ConfirmationStatus></ConfirmationItem>");
}

static void confirmation_header(po_buffer *b, const po_cxml_confirmation *c)
{
    po_write_element(b, "<ConfirmationHeader type=\"", c->type, "\"");
    po_write_optional(b, " confirmID=\"", c->confirm_id, "\"");
    po_write_element(b, c->updates ? " operation=\"update\" noticeDate=\"" : " noticeDate=\"", c->notice_date, "\">");
    po_write_optional(b, "<DocumentReference payloadID=\"", c->updates, "\"/>");
    po_write_optional(b, "<Comments xml:lang=\"en\">", c->comments, "</Comments>");
    po_buffer_lit(b, "</ConfirmationHeader>");
}

void po_cxml_write_confirmation(po_buffer *b, const po_cxml_envelope *e, const po_cxml_confirmation *c)
{
    int i;

    po_write_request(b, e, c->header, "Fulfill.dtd");
    po_buffer_lit(b, "<ConfirmationRequest>");
    confirmation_header(b, c);
    po_write_order_reference(b, &c->order);
    for (i = 0; c->items && i < c->items->nelts; i++)
        item(b, &APR_ARRAY_IDX(c->items, i, po_cxml_confirmation_item));
    po_buffer_lit(b, "</ConfirmationRequest></Request></cXML>\n");
}
