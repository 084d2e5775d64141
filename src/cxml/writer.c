/* writer.c - documents that we send: struct to bytes in one pass, in the order that the DTD wants. */
#include "cxml/writer_private.h"

#include <stdlib.h>
#include <string.h>

/* Everything else in a document of ours is escaped, so that these bytes stand in it once. */
#define PLACE_OF_SECRET "<SharedSecret></SharedSecret>"

void po_write_open(po_buffer *b, const po_cxml_envelope *e, const char *dtd)
{
    b->ascii = e->ascii;
    po_buffer_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/");
    po_buffer_str(b, e->dtd);
    po_buffer_lit(b, "/");
    po_buffer_str(b, dtd);
    po_buffer_lit(b, "\">\n<cXML payloadID=\"");
    po_buffer_str(b, e->payload_id);    /* ours: nothing in it needs escaping */
    po_buffer_lit(b, "\" timestamp=\"");
    po_buffer_str(b, e->timestamp);
    po_buffer_lit(b, "\" xml:lang=\"en-US\">");
}

void po_write_number(po_buffer *b, int n)
{
    char text[12], *o = text + sizeof(text);

    do {
        *--o = (char)('0' + n % 10);
    } while (n /= 10);
    po_buffer_add(b, o, (apr_size_t)(text + sizeof(text) - o));
}

void po_write_element(po_buffer *b, const char *before, const char *text, const char *after)
{
    po_buffer_str(b, before);
    po_buffer_xml(b, text);
    po_buffer_str(b, after);
}

/* ---- responses ------------------------------------------------------------------------------------------------ */

void po_cxml_write_status(po_buffer *b, const po_cxml_envelope *e, int code, const char *detail)
{
    po_write_open(b, e, "cXML.dtd");
    po_buffer_lit(b, "<Response><Status code=\"");
    po_write_number(b, code);
    po_write_element(b, "\" text=\"", po_cxml_status_text(code), "\" xml:lang=\"en-US\">");
    po_buffer_xml(b, detail);
    po_buffer_lit(b, "</Status></Response></cXML>\n");
}

void po_cxml_write_setup_response(po_buffer *b, const po_cxml_envelope *e, const char *start_url, const char *token)
{
    po_write_open(b, e, "cXML.dtd");
    po_buffer_lit(b, "<Response><Status code=\"200\" text=\"OK\"/><PunchOutSetupResponse><StartPage><URL>");
    po_buffer_str(b, start_url);
    po_buffer_str(b, token);
    po_buffer_lit(b, "</URL></StartPage></PunchOutSetupResponse></Response></cXML>\n");
}

static void option(po_buffer *b, const char *name, const char *value)
{
    po_write_element(b, "<Option name=\"", name, "\">");
    po_write_element(b, "", value, "</Option>");
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

    po_write_open(b, e, "cXML.dtd");
    po_write_element(b, "<Response><Status code=\"200\" text=\"OK\"/><ProfileResponse effectiveDate=\"",
            po_timestamp(effective, stamp), "\">");
    option(b, "Locale", "en_US");
    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        po_write_element(b, "<Transaction requestName=\"", taken[i].request, "\"><URL>");
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

static void credential(po_buffer *b, const char *party, const po_credential *c, int secret)
{
    po_buffer_lit(b, "<");
    po_buffer_str(b, party);
    po_write_element(b, "><Credential domain=\"", c->domain, "\">");
    po_write_element(b, "<Identity>", c->identity, "</Identity>");
    if (secret)
        po_buffer_lit(b, PLACE_OF_SECRET);
    po_buffer_lit(b, "</Credential>");
}

void po_write_header(po_buffer *b, const po_cxml_header *h)
{
    po_buffer_lit(b, "<Header>");
    credential(b, "From", &h->from, 0);
    po_buffer_lit(b, "</From>");
    credential(b, "To", &h->to, 0);
    po_buffer_lit(b, "</To>");
    credential(b, "Sender", &h->sender, h->has_secret);
    po_write_element(b, "<UserAgent>", h->user_agent, "</UserAgent></Sender></Header>");
}

void po_write_money(po_buffer *b, const char *currency, const char *amount)
{
    po_write_element(b, "<Money currency=\"", currency, "\">");
    po_write_element(b, "", amount, "</Money>");
}

void po_write_extrinsic(po_buffer *b, const char *name, const char *value)
{
    if (!value)
        return;
    po_write_element(b, "<Extrinsic name=\"", name, "\">");
    po_write_element(b, "", value, "</Extrinsic>");
}

void po_write_optional(po_buffer *b, const char *before, const char *text, const char *after)
{
    if (text)
        po_write_element(b, before, text, after);
}

/* Whether the DTD that the envelope names is of that version or later. Versions have three digits at the end. */
int po_write_knows(const po_cxml_envelope *e, const char *version)
{
    return strcmp(e->dtd, version) >= 0;
}

/* ItemDetail: its children have an order, and ManufacturerPartID stands before ManufacturerName. */
static void item_detail(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart_item *item)
{
    po_buffer_lit(b, "<ItemDetail><UnitPrice>");
    po_write_money(b, item->currency, item->unit_price);
    po_buffer_lit(b, "</UnitPrice><Description xml:lang=\"en\">");
    po_write_optional(b, "<ShortName>", item->short_name, "</ShortName>");
    po_write_element(b, "", item->description, "</Description>");
    po_write_element(b, "<UnitOfMeasure>", item->unit, "</UnitOfMeasure>");
    po_write_element(b, "<Classification domain=\"UNSPSC\">", item->unspsc, "</Classification>");
    po_write_optional(b, "<ManufacturerPartID>", item->manufacturer_part, "</ManufacturerPartID>");
    po_write_optional(b, "<ManufacturerName xml:lang=\"en\">", item->manufacturer, "</ManufacturerName>");
    po_write_optional(b, "<URL>", item->url, "</URL>");
    if (po_write_knows(e, "1.2.014"))
        po_write_optional(b, "<LeadTime>", item->lead_time, "</LeadTime>");
    po_write_extrinsic(b, "LineType", item->line_type);
    po_write_extrinsic(b, "Term", item->term);
    po_write_extrinsic(b, "Pricing", item->pricing);
    po_write_extrinsic(b, "Dimension", item->dimension);
    po_write_extrinsic(b, "Seller", item->seller);
    po_buffer_lit(b, "</ItemDetail>");
}

/* What every buyer can read goes into ItemDetail/Extrinsic, since 1.2.014 and 1.1 know no other place. */
static void item_in(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart_item *item)
{
    po_write_element(b, "<ItemIn quantity=\"", item->quantity, "\" lineNumber=\"");
    po_write_number(b, item->line);
    if (item->line_type && po_write_knows(e, "1.2.037"))
        po_buffer_str(b, strcmp(item->line_type, "Service") ? "\" itemClassification=\"material"
                                                            : "\" itemClassification=\"service");
    po_write_element(b, "\"><ItemID><SupplierPartID>", item->part, "</SupplierPartID>");
    po_write_optional(b, "<SupplierPartAuxiliaryID>", item->auxiliary, "</SupplierPartAuxiliaryID>");
    po_buffer_lit(b, "</ItemID>");
    item_detail(b, e, item);
    po_buffer_lit(b, "</ItemIn>");
}

void po_cxml_write_cart(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart *cart)
{
    po_cxml_header cart_header = { cart->from, cart->to, cart->from, cart->user_agent };
    int i;

    po_write_open(b, e, "cXML.dtd");
    po_write_header(b, &cart_header);
    po_buffer_str(b, cart->test ? "<Message deploymentMode=\"test\">" : "<Message>");
    if (cart->unchanged || !cart->items || !cart->items->nelts)
        po_buffer_lit(b, "<Status code=\"204\" text=\"No Content\"/>");
    po_buffer_lit(b, "<PunchOutOrderMessage><BuyerCookie>");
    po_buffer_markup(b, cart->buyer_cookie);
    po_write_element(b, "</BuyerCookie><PunchOutOrderMessageHeader operationAllowed=\"", cart->operation_allowed, "\"><Total>");
    po_write_money(b, cart->currency, cart->total);
    po_buffer_lit(b, "</Total></PunchOutOrderMessageHeader>");
    for (i = 0; cart->items && i < cart->items->nelts; i++)
        item_in(b, e, &APR_ARRAY_IDX(cart->items, i, po_cxml_cart_item));
    po_buffer_lit(b, "</PunchOutOrderMessage></Message></cXML>\n");
}

/* ---- what our own requests have in common ---------------------------------------------------------------------- */

void po_write_request(po_buffer *b, const po_cxml_envelope *e, const po_cxml_header *h, const char *dtd)
{
    po_write_open(b, e, dtd);
    po_write_header(b, h);
    po_buffer_str(b, h->test ? "<Request deploymentMode=\"test\">" : "<Request>");
}

void po_write_order_reference(po_buffer *b, const po_cxml_order_reference *r)
{
    po_write_element(b, "<OrderReference orderID=\"", r->order_id, "\"");
    po_write_optional(b, " orderDate=\"", r->order_date, "\"");
    po_write_element(b, "><DocumentReference payloadID=\"", r->payload_id ? r->payload_id : "", "\"/></OrderReference>");
}

const char *po_cxml_with_secret(const char *document, const char *secret, apr_pool_t *p)
{
    const char *place = strstr(document, PLACE_OF_SECRET);
    po_buffer b;

    if (!place)
        return document;
    po_buffer_init(&b, p, strlen(document) + strlen(secret) + 64);
    b.ascii = 1;                        /* a reference is right in every encoding */
    po_buffer_add(&b, document, (apr_size_t)(place - document));
    po_write_element(&b, "<SharedSecret>", secret, "</SharedSecret>");
    po_buffer_str(&b, place + sizeof(PLACE_OF_SECRET) - 1);
    return po_buffer_text(&b);
}
