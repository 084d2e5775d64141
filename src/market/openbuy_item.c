/* openbuy_item.c - Coupa Open Buy's JSON: items as a buyer's system is told of them, in its own names and types. */
#include "market/market_private.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define NUMBER_DIGITS 15                /* beyond that a system that reads numbers as floats has another one */
#define ITEM_ROOM 1024

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static const char *absolute(const char *url, const po_site *site, apr_pool_t *p)
{
    return url && *url == '/' ? apr_pstrcat(p, site->public_url, url, NULL) : url;
}

void po_openbuy_item_of(po_openbuy_item *out, const po_offer *o, const po_site *site, const po_buyer *buyer,
                        apr_pool_t *p)
{
    po_shown_price price;

    po_offer_price(o, buyer, &price, p);
    memset(out, 0, sizeof(*out));
    out->source_part_num = o->offer;
    out->name = o->name;                /* 255 bytes at most, by the catalog */
    out->description = o->description ? po_utf8_cut(o->description, buyer->profile.description_bytes, p) : NULL;
    out->price = price.price;
    out->currency = price.currency;
    out->uom = price.unit;
    out->unspsc_code = o->unspsc ? o->unspsc : PO_UNSPSC;
    out->manufacturer_name = o->seller;
    out->manufacturer_part_number = o->product;
    out->lead_time = "0";               /* software: nothing is shipped */
    out->minimum_order_quantity = "1";
    out->image_url = absolute(o->image, site, p);
}

void po_openbuy_item_line(po_openbuy_item *out, const po_cxml_cart_item *line)
{
    out->source_part_num = line->part;
    out->supp_aux_part_num = line->auxiliary;
    out->quantity = line->quantity;
    out->description = line->description;
    out->price = line->unit_price;
    out->currency = line->currency;
    out->uom = line->unit;
    out->unspsc_code = line->unspsc;
}

/* ---- how --------------------------------------------------------------------------------------------------------- */

static void add_string(po_buffer *b, const char *text)
{
    json_t *j = json_string(text);
    char *quoted = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;

    po_buffer_str(b, quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(j);
}

/* A number by JSON's grammar that every reader has exactly: "1200.00", not "007" nor sixteen digits. */
static int is_number(const char *text)
{
    apr_size_t whole, fraction = 0;

    text += *text == '-';
    whole = strspn(text, "0123456789");
    if (!whole || (whole > 1 && *text == '0'))
        return 0;
    text += whole;
    if (*text == '.') {
        fraction = strspn(++text, "0123456789");
        if (!fraction)
            return 0;
        text += fraction;
    }
    return !*text && whole + fraction <= NUMBER_DIGITS;
}

static int wants_number(const po_buyer *buyer, const char *ours)
{
    int i;

    for (i = 0; buyer->openbuy_fields && i < buyer->openbuy_fields->nelts; i++) {
        const po_openbuy_field *f = &APR_ARRAY_IDX(buyer->openbuy_fields, i, po_openbuy_field);

        if (!strcmp(f->ours, ours) && f->type != PO_OPENBUY_USUAL)
            return f->type == PO_OPENBUY_NUMBER;
    }
    return !strcmp(ours, "lead_time") || !strcmp(ours, "minimum_order_quantity") || !strcmp(ours, "count")
           || !strcmp(ours, "total_count");
}

/* The member's name with what goes before it. 0: this buyer's answers leave the member out. */
static int open_member(po_buffer *b, const po_buyer *buyer, const char *ours)
{
    const char *name = po_openbuy_name(buyer, ours);

    if (!name)
        return 0;
    if (b->data[b->len - 1] != '{')
        po_buffer_lit(b, ",");
    add_string(b, name);
    po_buffer_lit(b, ":");
    return 1;
}

static void add_member(po_buffer *b, const po_buyer *buyer, const char *ours, const char *text)
{
    if (!text || !open_member(b, buyer, ours))
        return;
    if (wants_number(buyer, ours) && is_number(text))
        po_buffer_str(b, text);
    else
        add_string(b, text);
}

static void add_item(po_buffer *b, const po_openbuy_item *i, const po_buyer *buyer)
{
    po_buffer_lit(b, "{");
    add_member(b, buyer, "source_part_num", i->source_part_num);
    add_member(b, buyer, "supp_aux_part_num", i->supp_aux_part_num);
    add_member(b, buyer, "quantity", i->quantity);
    add_member(b, buyer, "name", i->name);
    add_member(b, buyer, "description", i->description);
    add_member(b, buyer, "price", i->price);
    add_member(b, buyer, "currency", i->currency);
    add_member(b, buyer, "uom", i->uom);
    add_member(b, buyer, "unspsc_code", i->unspsc_code);
    add_member(b, buyer, "manufacturer_name", i->manufacturer_name);
    add_member(b, buyer, "manufacturer_part_number", i->manufacturer_part_number);
    add_member(b, buyer, "lead_time", i->lead_time);
    add_member(b, buyer, "minimum_order_quantity", i->minimum_order_quantity);
    add_member(b, buyer, "image_url", i->image_url);
    add_member(b, buyer, "url", i->url);
    po_buffer_lit(b, "}");
}

const char *po_openbuy_item_json(const po_openbuy_item *item, const po_buyer *buyer, apr_pool_t *p)
{
    po_buffer b;

    po_buffer_init(&b, p, ITEM_ROOM);
    add_item(&b, item, buyer);
    return po_buffer_text(&b);
}

const char *po_openbuy_results_json(const apr_array_header_t *items, int total, const po_buyer *buyer, apr_pool_t *p)
{
    po_buffer b;
    int i;

    po_buffer_init(&b, p, ITEM_ROOM * (apr_size_t)(items->nelts + 1));
    po_buffer_lit(&b, "{");
    add_member(&b, buyer, "count", apr_itoa(p, items->nelts));
    add_member(&b, buyer, "total_count", apr_itoa(p, total));
    if (open_member(&b, buyer, "results")) {
        po_buffer_lit(&b, "[");
        for (i = 0; i < items->nelts; i++) {
            if (i)
                po_buffer_lit(&b, ",");
            add_item(&b, &APR_ARRAY_IDX(items, i, po_openbuy_item), buyer);
        }
        po_buffer_lit(&b, "]");
    }
    po_buffer_lit(&b, "}");
    return po_buffer_text(&b);
}
