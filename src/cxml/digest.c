/* digest.c - what an order says, as one number: equal orders in other bytes have the same digest. */
#include "cxml/cxml.h"

#include <string.h>

/* Length first, so that no two sequences of fields run together into the same bytes; absent is not empty. */
static void add(po_crypto *c, const char *text)
{
    apr_uint32_t len = text ? (apr_uint32_t)strlen(text) : 0xffffffffu;
    unsigned char head[4] = { (unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8),
                              (unsigned char)len };

    po_sha256_add(c, head, sizeof(head));
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
    if (!a) {
        add(c, NULL);
        return;
    }
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

    for (i = 0; list && i < list->nelts; i++) {
        add(c, APR_ARRAY_IDX(list, i, po_cxml_extrinsic).name);
        add(c, APR_ARRAY_IDX(list, i, po_cxml_extrinsic).value);
    }
    add(c, NULL);
}

static void add_item(po_crypto *c, const po_cxml_item *item)
{
    po_decimal line = { item->line, 0 };

    add_decimal(c, &line);
    add(c, item->part);
    add(c, item->auxiliary);
    add_decimal(c, &item->quantity);
    if (item->has_price)
        add_decimal(c, &item->unit_price);
    else
        add(c, NULL);
    add(c, item->currency);
    add(c, item->unit);
    add(c, item->description);
    add(c, item->unspsc);
    add(c, item->requisition);
    add_list(c, item->accounting);
    add_list(c, item->extrinsics);
}

void po_cxml_order_digest(po_crypto *c, const po_cxml_order *order, int test, unsigned char out[PO_DIGEST])
{
    int i;

    po_sha256_start(c);
    add(c, test ? "test" : "production");
    add(c, order->order_id);
    add(c, order->order_date);
    add(c, order->type);
    add(c, order->order_type);
    add(c, order->version);
    add(c, order->requisition);
    add(c, order->refers_to);
    add_decimal(c, &order->total);
    add(c, order->currency);
    add_address(c, order->ship_to);
    add_address(c, order->bill_to);
    add_address(c, order->contact);
    add_list(c, order->extrinsics);
    for (i = 0; i < order->items->nelts; i++)
        add_item(c, &APR_ARRAY_IDX(order->items, i, po_cxml_item));
    po_sha256_end(c, out);
}
