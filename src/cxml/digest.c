/* digest.c - what an order says, as one number: equal orders in other bytes have the same digest. */
#include "cxml/cxml.h"

#include <string.h>

static void add_count(po_crypto *c, apr_uint32_t n)
{
    unsigned char bytes[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                               (unsigned char)n };

    po_sha256_add(c, bytes, sizeof(bytes));
}

/* Lengths and counts first, so that no two orders run together into the same bytes; absent is not empty. */
static void add(po_crypto *c, const char *text)
{
    apr_uint32_t len = text ? (apr_uint32_t)strlen(text) : 0xffffffffu;

    add_count(c, len);
    if (text)
        po_sha256_add(c, text, len);
}

static void add_decimal(po_crypto *c, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    add(c, po_decimal_text(d, 0, text));        /* 12.5 and 12.50 are the same */
}

static void add_address(po_crypto *c, const po_cxml_address *a)
{
    add_count(c, a != NULL);
    if (!a)
        return;
    add(c, a->id);
    add(c, a->role);
    add(c, a->name);
    add(c, a->email);
    add(c, a->phone);
    add(c, a->deliver_to);
    add(c, a->street);
    add(c, a->city);
    add(c, a->state);
    add(c, a->postal_code);
    add(c, a->country);
}

static void add_list(po_crypto *c, const apr_array_header_t *list)
{
    int i;

    add_count(c, list ? (apr_uint32_t)list->nelts : 0);
    for (i = 0; list && i < list->nelts; i++) {
        add(c, APR_ARRAY_IDX(list, i, po_cxml_extrinsic).name);
        add(c, APR_ARRAY_IDX(list, i, po_cxml_extrinsic).value);
    }
}

static void add_item(po_crypto *c, const po_cxml_item *item)
{
    add_count(c, (apr_uint32_t)item->line);
    add(c, item->part);
    add(c, item->auxiliary);
    add_decimal(c, &item->quantity);
    add_count(c, item->has_price != 0);
    if (item->has_price)
        add_decimal(c, &item->unit_price);
    add(c, item->currency);
    add(c, item->unit);
    add(c, item->description);
    add(c, item->unspsc);
    add(c, item->requisition);
    add_count(c, (apr_uint32_t)(item->has_detail != 0) << 2 | (apr_uint32_t)(item->ad_hoc != 0) << 1
                 | (item->has_max_amount != 0));
    if (item->has_max_amount)
        add_decimal(c, &item->max_amount);
    add(c, item->max_currency);
    add_list(c, item->accounting);
    add_list(c, item->extrinsics);
}

void po_cxml_order_digest(po_crypto *c, const po_cxml_order *order, int test, unsigned char out[PO_DIGEST])
{
    int i;

    po_sha256_start(c);
    add_count(c, test != 0);
    add(c, order->order_id);
    add(c, order->order_date);
    add(c, order->type);
    add(c, order->order_type);
    add(c, order->version);
    add(c, order->requisition);
    add(c, order->refers_to);
    add(c, order->agreement);
    add_count(c, order->release_required != 0);
    add_decimal(c, &order->total);
    add(c, order->currency);
    add_address(c, order->ship_to);
    add_address(c, order->bill_to);
    add_address(c, order->contact);
    add_list(c, order->extrinsics);
    add_count(c, order->items ? (apr_uint32_t)order->items->nelts : 0);
    for (i = 0; order->items && i < order->items->nelts; i++)
        add_item(c, &APR_ARRAY_IDX(order->items, i, po_cxml_item));
    po_sha256_end(c, out);
}
