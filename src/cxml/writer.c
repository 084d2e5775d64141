/* writer.c - documents that we send: struct to bytes in one pass, in the order that the DTD wants. */
#include "cxml/cxml.h"

#include <stdlib.h>
#include <string.h>

static void open_document(po_buffer *b, const po_cxml_envelope *e)
{
    b->ascii = e->ascii;
    po_buffer_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/");
    po_buffer_str(b, e->dtd);
    po_buffer_lit(b, "/cXML.dtd\">\n<cXML payloadID=\"");
    po_buffer_str(b, e->payload_id);    /* ours: nothing in it needs escaping */
    po_buffer_lit(b, "\" timestamp=\"");
    po_buffer_str(b, e->timestamp);
    po_buffer_lit(b, "\" xml:lang=\"en-US\">");
}

static void add_number(po_buffer *b, int n)
{
    char text[12], *o = text + sizeof(text);

    do {
        *--o = (char)('0' + n % 10);
    } while (n /= 10);
    po_buffer_add(b, o, (apr_size_t)(text + sizeof(text) - o));
}

static void element(po_buffer *b, const char *before, const char *text, const char *after)
{
    po_buffer_str(b, before);
    po_buffer_xml(b, text);
    po_buffer_str(b, after);
}

/* ---- responses ------------------------------------------------------------------------------------------------ */

void po_cxml_write_status(po_buffer *b, const po_cxml_envelope *e, int code, const char *detail)
{
    open_document(b, e);
    po_buffer_lit(b, "<Response><Status code=\"");
    add_number(b, code);
    element(b, "\" text=\"", po_cxml_status_text(code), "\" xml:lang=\"en-US\">");
    po_buffer_xml(b, detail);
    po_buffer_lit(b, "</Status></Response></cXML>\n");
}

void po_cxml_write_setup_response(po_buffer *b, const po_cxml_envelope *e, const char *start_url, const char *token)
{
    open_document(b, e);
    po_buffer_lit(b, "<Response><Status code=\"200\" text=\"OK\"/><PunchOutSetupResponse><StartPage><URL>");
    po_buffer_str(b, start_url);
    po_buffer_str(b, token);
    po_buffer_lit(b, "</URL></StartPage></PunchOutSetupResponse></Response></cXML>\n");
}

static void option(po_buffer *b, const char *name, const char *value)
{
    element(b, "<Option name=\"", name, "\">");
    element(b, "", value, "</Option>");
}

/* Options are free words to the DTD: a hub sends changes and attachments to those alone that say so. */
void po_cxml_write_profile_response(po_buffer *b, const po_cxml_envelope *e, const char *door, apr_time_t effective)
{
    static const struct {
        const char *request, *path;
        int is_order;
    } taken[] = {
        { "PunchOutSetupRequest", "/setup", 0 }, { "OrderRequest", "/order", 1 }, { "ProfileRequest", "/setup", 0 },
        { "StatusUpdateRequest", "/order", 0 }
    };
    char stamp[PO_TIMESTAMP];
    apr_size_t i;

    open_document(b, e);
    element(b, "<Response><Status code=\"200\" text=\"OK\"/><ProfileResponse effectiveDate=\"",
            po_timestamp(effective, stamp), "\">");
    option(b, "Locale", "en_US");
    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        element(b, "<Transaction requestName=\"", taken[i].request, "\"><URL>");
        po_buffer_xml(b, door);
        po_buffer_str(b, taken[i].path);
        po_buffer_lit(b, "</URL>");
        if (taken[i].is_order) {
            option(b, "attachments", "Yes");
            option(b, "changes", "Yes");
        }
        po_buffer_lit(b, "</Transaction>");
    }
    po_buffer_lit(b, "</ProfileResponse></Response></cXML>\n");
}

/* ---- PunchOutOrderMessage ------------------------------------------------------------------------------------- */

static void credential(po_buffer *b, const char *party, const po_credential *c)
{
    po_buffer_lit(b, "<");
    po_buffer_str(b, party);
    element(b, "><Credential domain=\"", c->domain, "\">");
    element(b, "<Identity>", c->identity, "</Identity></Credential>");
}

static void header(po_buffer *b, const po_cxml_cart *cart)
{
    po_buffer_lit(b, "<Header>");
    credential(b, "From", &cart->from);
    po_buffer_lit(b, "</From>");
    credential(b, "To", &cart->to);
    po_buffer_lit(b, "</To>");
    credential(b, "Sender", &cart->from);
    element(b, "<UserAgent>", cart->user_agent, "</UserAgent></Sender></Header>");
}

static void money(po_buffer *b, const char *currency, const char *amount)
{
    element(b, "<Money currency=\"", currency, "\">");
    element(b, "", amount, "</Money>");
}

static void extrinsic(po_buffer *b, const char *name, const char *value)
{
    if (!value)
        return;
    element(b, "<Extrinsic name=\"", name, "\">");
    element(b, "", value, "</Extrinsic>");
}

static void optional(po_buffer *b, const char *before, const char *text, const char *after)
{
    if (text)
        element(b, before, text, after);
}

/* Whether the DTD that the envelope names is of that version or later. Versions have three digits at the end. */
static int knows(const po_cxml_envelope *e, const char *version)
{
    return strcmp(e->dtd, version) >= 0;
}

/* ItemDetail: its children have an order, and ManufacturerPartID stands before ManufacturerName. */
static void item_detail(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart_item *item)
{
    po_buffer_lit(b, "<ItemDetail><UnitPrice>");
    money(b, item->currency, item->unit_price);
    po_buffer_lit(b, "</UnitPrice><Description xml:lang=\"en\">");
    optional(b, "<ShortName>", item->short_name, "</ShortName>");
    element(b, "", item->description, "</Description>");
    element(b, "<UnitOfMeasure>", item->unit, "</UnitOfMeasure>");
    element(b, "<Classification domain=\"UNSPSC\">", item->unspsc, "</Classification>");
    optional(b, "<ManufacturerPartID>", item->manufacturer_part, "</ManufacturerPartID>");
    optional(b, "<ManufacturerName xml:lang=\"en\">", item->manufacturer, "</ManufacturerName>");
    optional(b, "<URL>", item->url, "</URL>");
    if (knows(e, "1.2.014"))
        optional(b, "<LeadTime>", item->lead_time, "</LeadTime>");
    extrinsic(b, "LineType", item->line_type);
    extrinsic(b, "Term", item->term);
    extrinsic(b, "Pricing", item->pricing);
    extrinsic(b, "Dimension", item->dimension);
    extrinsic(b, "Seller", item->seller);
    po_buffer_lit(b, "</ItemDetail>");
}

/* What every buyer can read goes into ItemDetail/Extrinsic, since 1.2.014 and 1.1 know no other place. */
static void item_in(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart_item *item)
{
    element(b, "<ItemIn quantity=\"", item->quantity, "\" lineNumber=\"");
    add_number(b, item->line);
    if (item->line_type && knows(e, "1.2.037"))
        po_buffer_str(b, strcmp(item->line_type, "Service") ? "\" itemClassification=\"material"
                                                            : "\" itemClassification=\"service");
    element(b, "\"><ItemID><SupplierPartID>", item->part, "</SupplierPartID>");
    optional(b, "<SupplierPartAuxiliaryID>", item->auxiliary, "</SupplierPartAuxiliaryID>");
    po_buffer_lit(b, "</ItemID>");
    item_detail(b, e, item);
    po_buffer_lit(b, "</ItemIn>");
}

void po_cxml_write_cart(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart *cart)
{
    int i;

    open_document(b, e);
    header(b, cart);
    po_buffer_str(b, cart->test ? "<Message deploymentMode=\"test\">" : "<Message>");
    if (cart->unchanged || !cart->items || !cart->items->nelts)
        po_buffer_lit(b, "<Status code=\"204\" text=\"No Content\"/>");
    po_buffer_lit(b, "<PunchOutOrderMessage><BuyerCookie>");
    po_buffer_markup(b, cart->buyer_cookie);
    element(b, "</BuyerCookie><PunchOutOrderMessageHeader operationAllowed=\"", cart->operation_allowed, "\"><Total>");
    money(b, cart->currency, cart->total);
    po_buffer_lit(b, "</Total></PunchOutOrderMessageHeader>");
    for (i = 0; cart->items && i < cart->items->nelts; i++)
        item_in(b, e, &APR_ARRAY_IDX(cart->items, i, po_cxml_cart_item));
    po_buffer_lit(b, "</PunchOutOrderMessage></Message></cXML>\n");
}
