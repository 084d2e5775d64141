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

void po_cxml_write_profile_response(po_buffer *b, const po_cxml_envelope *e, const char *door, apr_time_t effective)
{
    static const struct {
        const char *request, *path;
    } taken[] = {
        { "PunchOutSetupRequest", "/setup" }, { "OrderRequest", "/order" }, { "ProfileRequest", "/setup" },
        { "StatusUpdateRequest", "/order" }
    };
    char stamp[PO_TIMESTAMP];
    apr_size_t i;

    open_document(b, e);
    element(b, "<Response><Status code=\"200\" text=\"OK\"/><ProfileResponse effectiveDate=\"",
            po_timestamp(effective, stamp), "\">");
    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        element(b, "<Transaction requestName=\"", taken[i].request, "\"><URL>");
        po_buffer_xml(b, door);
        po_buffer_str(b, taken[i].path);
        po_buffer_lit(b, "</URL></Transaction>");
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

/* ItemDetail: its children have an order, and ManufacturerPartID stands before ManufacturerName. */
static void item_detail(po_buffer *b, const po_cxml_cart_item *item)
{
    po_buffer_lit(b, "<ItemDetail><UnitPrice>");
    money(b, item->currency, item->unit_price);
    po_buffer_lit(b, "</UnitPrice><Description xml:lang=\"en\">");
    if (item->short_name)
        element(b, "<ShortName>", item->short_name, "</ShortName>");
    element(b, "", item->description, "</Description>");
    element(b, "<UnitOfMeasure>", item->unit, "</UnitOfMeasure>");
    element(b, "<Classification domain=\"UNSPSC\">", item->unspsc, "</Classification>");
    if (item->manufacturer_part)
        element(b, "<ManufacturerPartID>", item->manufacturer_part, "</ManufacturerPartID>");
    if (item->manufacturer)
        element(b, "<ManufacturerName xml:lang=\"en\">", item->manufacturer, "</ManufacturerName>");
    extrinsic(b, "LineType", item->line_type);
    extrinsic(b, "Term", item->term);
    po_buffer_lit(b, "</ItemDetail>");
}

/* Whether the DTD that the envelope names knows itemClassification: 1.2.014 doesn't, 1.2.037 does. */
static int has_classification(const po_cxml_envelope *e)
{
    return strcmp(e->dtd, "1.2.037") >= 0;      /* versions are written with three digits at the end */
}

/* What every buyer can read goes into ItemDetail/Extrinsic, since 1.2.014 knows no other place. */
static void item_in(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart_item *item)
{
    element(b, "<ItemIn quantity=\"", item->quantity, "\" lineNumber=\"");
    add_number(b, item->line);
    if (has_classification(e) && item->line_type)
        po_buffer_str(b, strcmp(item->line_type, "Service") ? "\" itemClassification=\"material"
                                                            : "\" itemClassification=\"service");
    element(b, "\"><ItemID><SupplierPartID>", item->part, "</SupplierPartID>");
    if (item->auxiliary)
        element(b, "<SupplierPartAuxiliaryID>", item->auxiliary, "</SupplierPartAuxiliaryID>");
    po_buffer_lit(b, "</ItemID>");
    item_detail(b, item);
    po_buffer_lit(b, "</ItemIn>");
}

/* The cookie is XML already. Only in ASCII something is left to do: text and attribute values above U+007F become
 * references. A name can't be one, and stays. */
static void buyer_cookie(po_buffer *b, const char *xml)
{
    const char *s = xml, *from;
    int in_tag = 0, in_value = 0;

    if (!xml || !b->ascii) {
        po_buffer_str(b, xml);
        return;
    }
    while (*s) {
        for (from = s; *s && !(*s & 0x80); s++) {
            if (*s == '"' && in_tag)
                in_value = !in_value;
            else if (*s == '<' || *s == '>')
                in_tag = *s == '<';
        }
        po_buffer_add(b, from, (apr_size_t)(s - from));
        for (from = s; *s & 0x80; s++)
            ;
        if (in_tag && !in_value)
            po_buffer_add(b, from, (apr_size_t)(s - from));
        else
            po_buffer_xml_len(b, from, (apr_size_t)(s - from));
    }
}

void po_cxml_write_cart(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart *cart)
{
    int i;

    open_document(b, e);
    header(b, cart);
    po_buffer_str(b, cart->test ? "<Message deploymentMode=\"test\">" : "<Message>");
    if (cart->unchanged)
        po_buffer_lit(b, "<Status code=\"204\" text=\"No Content\"/>");
    po_buffer_lit(b, "<PunchOutOrderMessage><BuyerCookie>");
    buyer_cookie(b, cart->buyer_cookie);
    element(b, "</BuyerCookie><PunchOutOrderMessageHeader operationAllowed=\"", cart->operation_allowed, "\"><Total>");
    money(b, cart->currency, cart->total);
    po_buffer_lit(b, "</Total></PunchOutOrderMessageHeader>");
    for (i = 0; cart->items && i < cart->items->nelts; i++)
        item_in(b, e, &APR_ARRAY_IDX(cart->items, i, po_cxml_cart_item));
    po_buffer_lit(b, "</PunchOutOrderMessage></Message></cXML>\n");
}
