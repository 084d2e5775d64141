/* emit_documents.c - writes each kind of document that we send into a folder, for t/dtd.sh to validate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cxml/cxml.h"

#define DOOR "https://market.example/punchout"

/* Markup and characters that would break a document if they were written as they are. */
#define AWKWARD "5 < 6 & \"Gr\xc3\xb6\xc3\x9f" "e\" > '\xe2\x82\xac\xf0\x9f\x94\x92' \x01\xff"

static const char *folder;
static apr_pool_t *pool;

static void save(const char *name, const po_cxml_envelope *e, po_buffer *b)
{
    const char *path = apr_pstrcat(pool, folder, "/", e->dtd, "-", name, ".xml", NULL);
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f)) {
        fprintf(stderr, "%s can't be written\n", path);
        exit(1);
    }
}

static void status(const po_cxml_envelope *e, const char *name, int code, const char *detail)
{
    po_buffer b;

    po_buffer_init(&b, pool, 512);
    po_cxml_write_status(&b, e, code, detail);
    save(name, e, &b);
}

static void responses(const po_cxml_envelope *e)
{
    po_buffer b;

    status(e, "status-200", 200, NULL);
    status(e, "status-401", 401, "Sender not recognised");
    status(e, "status-560", 560, AWKWARD);
    po_buffer_init(&b, pool, 64);
    po_cxml_write_setup_response(&b, e, DOOR "/start/", "AAAAbcdefghijklmnopqrstu");
    save("setup-response", e, &b);
    po_buffer_init(&b, pool, 64);
    po_cxml_write_profile_response(&b, e, DOOR, apr_time_from_sec(1795428900));
    save("profile-response", e, &b);
}

/* A line with everything, one with the least, one with what needs escaping. */
static apr_array_header_t *items(void)
{
    static const po_cxml_cart_item kinds[] = {
        { 1, "off-year", "req-4x8w.1", "1", "1200.00", "USD", "Log Keeper, contract, 12 months", "Log Keeper", "EA",
          "43232701", "off-year", "Keeper Ltd", "Service", "P12M" },
        { 2, "off-gb", "req-4x8w.2", "5406", "0.0925", "USD", "Log Keeper: GB ingested", NULL, "E34", "43232701", NULL,
          NULL, "Material", NULL },
        { 3, "off-free", NULL, "1", "0.00", "USD", "Free", NULL, "EA", "43232701", NULL, NULL, NULL, NULL },
        { 4, "<&>", "\"'&", "1.5", "0.01", "USD", AWKWARD, AWKWARD, "EA", "43232701", "&", AWKWARD, "Service", "<P>" }
    };
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(kinds[0]));
    apr_size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        APR_ARRAY_PUSH(list, po_cxml_cart_item) = kinds[i];
    return list;
}

static void cart(const po_cxml_envelope *e, const char *name, const po_cxml_cart *c)
{
    po_buffer b;

    po_buffer_init(&b, pool, 4096);
    po_cxml_write_cart(&b, e, c);
    save(name, e, &b);
}

static void carts(po_cxml_envelope e)
{
    po_cxml_cart c = { { "DUNS", "111111111" }, { "NetworkID", "AN01 & <AN02>" }, "mod_punchout/0.1" };
    po_cxml_cart unchanged;

    c.buyer_cookie = "bc-7f21 &amp; \xc3\xa4&lt;b&gt;";
    c.operation_allowed = "edit";
    c.total = "1700.07";
    c.currency = "USD";
    unchanged = c;
    c.items = items();
    cart(&e, "cart", &c);
    c.test = 1;
    c.operation_allowed = "create";
    c.buyer_cookie = "";
    cart(&e, "cart-test", &c);
    unchanged.unchanged = 1;
    unchanged.total = "0.00";
    cart(&e, "cart-204", &unchanged);
    e.ascii = 1;
    c.buyer_cookie = "\xc3\xa4";
    cart(&e, "cart-ascii", &c);
    unchanged.unchanged = 0;            /* what the profiles call an inspected cart */
    unchanged.operation_allowed = "inspect";
    unchanged.items = c.items;
    cart(&e, "cart-ascii-inspect", &unchanged);
}

int main(int argc, char **argv)
{
    static const char *const versions[] = { "1.2.014", "1.2.071" };
    apr_size_t i;

    if (argc != 2) {
        fprintf(stderr, "usage: emit_documents FOLDER\n");
        return 2;
    }
    folder = argv[1];
    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        po_cxml_envelope e = { "1795428900.93.4471@market.example", "2026-11-23T10:15:00+00:00", versions[i], 0 };

        responses(&e);
        carts(e);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
