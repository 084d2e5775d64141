/* fuzz_cxml.c - any bytes as a cXML document: read under every charset, digested, answered with its own cookie. */
#include "fuzz.h"

#include <libxml/parser.h>

#include "cxml/cxml.h"

static const char *const charsets[] = { "UTF-8", "us-ascii", "ISO-8859-1", "windows-1252", "UTF-16", "UTF-16BE",
                                        "UTF-7", "" };
#define CHARSETS (sizeof(charsets) / sizeof(charsets[0]))

static po_cxml_reader *reader;
static po_crypto *crypto;

static void stop(void)
{
    po_cxml_reader_destroy(reader);
    po_crypto_destroy(crypto);
}

static void start(void)
{
    apr_initialize();
    xmlInitParser();
    reader = po_cxml_reader_create();
    crypto = po_crypto_create();
    fuzz_require(reader && crypto);
    atexit(stop);                       /* or LeakSanitizer complains: it doesn't see what only pools point to */
}

/* Refused with a Status and a sentence, or accepted with what its kind promises. */
static void check_result(apr_status_t rv, const po_cxml *d)
{
    if (rv != APR_SUCCESS) {
        fuzz_require(d->status == 400 || d->status == 406);
        fuzz_require(d->why && *d->why);
        return;
    }
    fuzz_require(!d->status && d->kind != PO_CXML_NONE);
    fuzz_require((d->kind == PO_CXML_SETUP) == (d->setup != NULL));
    fuzz_require((d->kind == PO_CXML_ORDER) == (d->order != NULL));
}

static void check_items(const apr_array_header_t *items)
{
    int i;

    for (i = 0; items && i < items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(items, i, po_cxml_item);

        fuzz_require(item->quantity.value >= 0 && item->unit_price.value >= 0);
    }
}

static void check_order(const po_cxml_order *order)
{
    unsigned char one[PO_DIGEST], two[PO_DIGEST];

    check_items(order->items);
    po_cxml_order_digest(crypto, order, 0, one);
    po_cxml_order_digest(crypto, order, 0, two);
    fuzz_require(!memcmp(one, two, PO_DIGEST));
    po_cxml_order_digest(crypto, order, 1, two);
    fuzz_require(memcmp(one, two, PO_DIGEST));
}

/* The cart that takes the cookie home is a document that can be read, and the cookie in it is the same. */
static void check_cookie(const po_cxml_setup *setup, int ascii, apr_pool_t *p)
{
    po_cxml_envelope e = { "1@market.example", "2026-11-23T10:15:00+00:00", "1.2.014", ascii };
    po_cxml_cart cart = { { "DUNS", "market" }, { "DUNS", "buyer" }, "mod_punchout", setup->buyer_cookie, "create",
                          "0.00", "USD", 0, 1, NULL };
    po_cxml again;
    po_buffer b;

    po_buffer_init(&b, p, 64);
    po_cxml_write_cart(&b, &e, &cart);
    po_buffer_text(&b);
    po_cxml_read(reader, p, b.data, b.len, NULL, &again);
    fuzz_require(again.status != 406);
    if (!ascii && again.kind == PO_CXML_CART && again.order_message)
        fuzz_require(!strcmp(again.order_message->buyer_cookie, setup->buyer_cookie));
}

static void read_once(const uint8_t *data, size_t size, const char *charset)
{
    static const po_user_map usual;
    apr_pool_t *p = fuzz_pool();
    po_cxml d;

    check_result(po_cxml_read(reader, p, fuzz_text(data, size, p), size, charset, &d), &d);
    if (d.order && !d.status)         /* what was read of a refused one is only for the log */
        check_order(d.order);
    if (d.setup && !d.status) {
        check_items(d.setup->items);
        po_cxml_find_user(d.setup, &usual, p);
        check_cookie(d.setup, 0, p);
        check_cookie(d.setup, 1, p);
    }
    apr_pool_destroy(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!reader)
        start();
    read_once(data, size, NULL);
    read_once(data, size, charsets[size % CHARSETS]);   /* one is enough for each: a fuzzer tries every length */
    return 0;
}
