/* index.c - a catalog as procurement systems load it to search in it: cXML's Index and Ariba's CIF 3.0. */
#include "cxml/writer_private.h"

#include <string.h>

/* ---- Index ------------------------------------------------------------------------------------------------------- */

void po_cxml_write_index_open(po_buffer *b, const po_cxml_index *i)
{
    b->ascii = i->ascii;
    po_buffer_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<!DOCTYPE Index SYSTEM \"http://xml.cxml.org/schemas/cXML/");
    po_buffer_str(b, i->dtd);
    po_buffer_str(b, i->incremental ? "/cXML.dtd\">\n<Index loadmode=\"Incremental\">"
                                    : "/cXML.dtd\">\n<Index loadmode=\"Full\">");
    po_write_element(b, "<SupplierID domain=\"", i->supplier.domain, "\">");
    po_write_element(b, "", i->supplier.identity, "</SupplierID>\n");
}

static void item_id(po_buffer *b, const char *part)
{
    po_write_element(b, "<ItemID><SupplierPartID>", part, "</SupplierPartID></ItemID>");
}

/* ManufacturerName stands before ManufacturerPartID here, the reverse of ItemDetail. */
void po_cxml_write_index_item(po_buffer *b, const po_cxml_index_item *item)
{
    po_buffer_lit(b, "<IndexItem><IndexItemPunchout>");
    item_id(b, item->part);
    po_buffer_lit(b, "<PunchoutDetail punchoutLevel=\"product\"><Description xml:lang=\"en\">");
    po_write_optional(b, "<ShortName>", item->short_name, "</ShortName>");
    po_write_element(b, "", item->description, "</Description>");
    po_write_element(b, "<URL>", item->punchout_url, "</URL>");
    po_write_element(b, "<Classification domain=\"UNSPSC\">", item->unspsc, "</Classification>");
    if (item->unit_price) {
        po_buffer_lit(b, "<UnitPrice>");
        po_write_money(b, item->currency, item->unit_price);
        po_buffer_lit(b, "</UnitPrice>");
    }
    po_write_element(b, "<UnitOfMeasure>", item->unit, "</UnitOfMeasure>");
    po_write_element(b, "<ManufacturerName xml:lang=\"en\">", item->manufacturer, "</ManufacturerName>");
    po_write_element(b, "<ManufacturerPartID>", item->part, "</ManufacturerPartID>");
    po_buffer_lit(b, "<LeadTime>0</LeadTime></PunchoutDetail></IndexItemPunchout></IndexItem>\n");
}

void po_cxml_write_index_delete(po_buffer *b, const char *part)
{
    po_buffer_lit(b, "<IndexItem><IndexItemDelete>");
    item_id(b, part);
    po_buffer_lit(b, "</IndexItemDelete></IndexItem>\n");
}

void po_cxml_write_index_close(po_buffer *b)
{
    po_buffer_lit(b, "</Index>\n");
}

/* ---- CIF 3.0 ----------------------------------------------------------------------------------------------------- */

/* A line break can't be written inside a field; the quotation mark is doubled. */
static void field(po_buffer *b, const char *text, const char *after)
{
    int quoted = text && text[strcspn(text, ",\"")];

    if (quoted)
        po_buffer_lit(b, "\"");
    for (; text && *text; text++)
        if (*text == '"')
            po_buffer_lit(b, "\"\"");
        else
            po_buffer_add(b, (unsigned char)*text < 0x20 || *text == 0x7f ? " " : text, 1);
    if (quoted)
        po_buffer_lit(b, "\"");
    po_buffer_str(b, after);
}

static void line(po_buffer *b, const char *name, const char *value)
{
    po_buffer_str(b, name);
    field(b, value, "\r\n");
}

/* The first twelve fields are the default set in their order; the rest stands there by FIELDNAMES. */
void po_cif_write_open(po_buffer *b, const po_cxml_index *i, int items, const char *timestamp, const char *currency)
{
    po_buffer_lit(b, "CIF_I_V3.0\r\nCHARSET: UTF-8\r\n");
    po_buffer_str(b, i->incremental ? "LOADMODE: I\r\n" : "LOADMODE: F\r\n");
    line(b, "CODEFORMAT: ", "UNSPSC");
    line(b, "CURRENCY: ", currency);
    line(b, "SUPPLIERID_DOMAIN: ", i->supplier.domain);
    po_buffer_lit(b, "ITEMCOUNT: ");
    po_write_number(b, items);
    line(b, "\r\nTIMESTAMP: ", timestamp);
    po_buffer_lit(b, "UNUOM: TRUE\r\n"
                     "FIELDNAMES: Supplier ID, Supplier Part ID, Manufacturer Part ID, Item Description, SPSC Code, Unit Price, "
                     "Unit of Measure, Lead Time, Manufacturer Name, Supplier URL, Manufacturer URL, Market Price, "
                     "Supplier Part Auxiliary ID, Language, Currency, Short Name, PunchOut Enabled, PunchoutLevel");
    po_buffer_str(b, i->incremental ? ", Delete\r\nDATA\r\n" : "\r\nDATA\r\n");
}

void po_cif_write_item(po_buffer *b, const po_cxml_index *i, const po_cxml_index_item *item)
{
    const char *const fields[] = { i->supplier.identity, item->part, item->part, item->description, item->unspsc,
                                   item->unit_price, item->unit, "0", item->manufacturer, item->page_url, NULL, NULL, NULL,
                                   "en", item->currency, item->short_name, "TRUE" };
    apr_size_t n;

    for (n = 0; n < sizeof(fields) / sizeof(fields[0]); n++)
        field(b, fields[n], ",");
    po_buffer_str(b, i->incremental ? "product,F\r\n" : "product\r\n");
}

void po_cif_write_delete(po_buffer *b, const po_cxml_index *i, const char *part)
{
    field(b, i->supplier.identity, ",");
    field(b, part, ",,,,,,,,,,,,,,,,,T\r\n");
}

void po_cif_write_close(po_buffer *b)
{
    po_buffer_lit(b, "ENDOFDATA\r\n");
}
