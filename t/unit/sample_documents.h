/* sample_documents.h - what we send, in the variants that could break it: for t/dtd.sh, and to be read again. */
#ifndef SAMPLE_DOCUMENTS_H
#define SAMPLE_DOCUMENTS_H

#include <string.h>

#include "cxml/cxml.h"

#define SAMPLE_DOOR "https://market.example/punchout"
/* Markup and characters that would break a document if they were written as they are. */
#define SAMPLE_TEXT "5 < 6 & \"Gr\xc3\xb6\xc3\x9f" "e\" > '\xe2\x82\xac\xf0\x9f\x94\x92' ]]> &amp; <!--"

/* What buyers put into BuyerCookie: each comes back byte for byte. */
static const char *const sample_cookies[] = {
    "", "bc-7f21", " x ", "\n", "&lt;b&gt; &amp;amp; &#13;\xe2\x82\xac", "]]&gt;", "&#39;&quot;'\"&#x20ac;",
    "<i xmlns=\"urn:y\" a=\"1&#10;2&#9;3&#13;4\" b='\xc3\xa4&lt;\"'><p:j xmlns:p=\"u\" k=\"&amp;#38;\"></p:j> </i>",
    " a<!-- x -->b<![CDATA[<&>]]>&#13;\n", "a&amp;b &lt;<x:i xmlns:x=\"urn:y\" a=\"1&quot;>\">t</x:i><e/>",
    "<BuyerCookie>inner</BuyerCookie>", "<e  a = 'b'\n/><e></e >", "line\r\nline\rline\ttab", "<?pi a > b?><?p?>",
    "<![CDATA[</BuyerCookie>]]>", "<!-- </BuyerCookie> -->", "<![CDATA[]]>", "<!---->", ">", "a>b", "/>", "/", "<e/>",
    "\xc3\xa4<![CDATA[\xc3\xa4]]\xc3\xa4]]><!--\xc3\xa4 > '-->\xc3\xa4<?p \xc3\xa4 > \"?>\xf0\x9f\x94\x92"
        "<e a='\xc3\xa4>\"\xc3\xa4'>\xc3\xa4</e>",
    "<!-- it's -->\xc3\xa4<![CDATA[ \" ]]>\xc3\xa4 ' \xc3\xa4"
};
enum { SAMPLE_COOKIES = sizeof(sample_cookies) / sizeof(sample_cookies[0]) };

typedef struct {
    const char *name;
    po_cxml_cart cart;
} sample_cart;

/* A line with everything, one with the least, one of usage, one with what needs escaping. */
static inline apr_array_header_t *sample_items(apr_pool_t *p)
{
    static const po_cxml_cart_item kinds[] = {
        { 1, "off-year", "req-4x8w.1", "1", "1200.00", "USD", "Log Keeper, contract, 12 months", "Log Keeper", "EA",
          "43232701", "off-year", "Keeper Ltd", "Service", "P12M", "contract", NULL, "Keeper Ltd",
          "https://market.example/products/prod-ab12?a=1&b=2", "0" },
        { 2, "off-gb", "req-4x8w.2", "5406", "0.0925", "USD", "Log Keeper: GB ingested", NULL, "E34", "43232701", NULL,
          NULL, "Material", NULL, "usage", "gb", NULL, NULL, "14" },
        { 3, "off-free", NULL, "1", "0.00", "USD", "Free", NULL, "EA", "43232701" },
        { 2147483647, "<&>", "\"'&", "1.5", "0.01", "JPY", SAMPLE_TEXT, SAMPLE_TEXT, "EA", "43232701", "&", SAMPLE_TEXT,
          "Service", "<P>", SAMPLE_TEXT, "<&>", SAMPLE_TEXT, "https://market.example/?<&>\"'", "0" }
    };
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(kinds[0]));
    apr_size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        APR_ARRAY_PUSH(list, po_cxml_cart_item) = kinds[i];
    return list;
}

static inline sample_cart *sample_push(apr_array_header_t *list, const char *name, const po_cxml_cart *cart)
{
    sample_cart *s = apr_array_push(list);

    s->name = name;
    s->cart = *cart;
    return s;
}

/* sample_cart: every kind, then one for each cookie. */
static inline apr_array_header_t *sample_carts(apr_pool_t *p)
{
    apr_array_header_t *list = apr_array_make(p, 32, sizeof(sample_cart));
    po_cxml_cart c = { { "DUNS", "111111111" }, { "NetworkID", "AN01 & <AN02>" }, "mod_punchout/0.1" };
    sample_cart *s;
    int i;

    c.buyer_cookie = "bc-7f21";
    c.operation_allowed = "create";
    c.total = "1700.07";
    c.currency = "USD";
    c.items = sample_items(p);
    s = sample_push(list, "cart", &c);
    s = sample_push(list, "cart-test", &c);
    s->cart.test = 1;
    s = sample_push(list, "cart-edit", &c);
    s->cart.operation_allowed = "edit";
    s = sample_push(list, "cart-inspect", &c);
    s->cart.operation_allowed = "inspect";
    s = sample_push(list, "cart-unchanged", &c);
    s->cart.unchanged = 1;
    s->cart.items = NULL;
    s->cart.total = "0.00";
    s = sample_push(list, "cart-empty", &c);
    s->cart.items = apr_array_make(p, 1, sizeof(po_cxml_cart_item));
    s->cart.total = "0.00";
    for (i = 0; i < SAMPLE_COOKIES; i++) {
        s = sample_push(list, apr_psprintf(p, "cart-cookie-%d", i), &c);
        s->cart.buyer_cookie = sample_cookies[i];
    }
    return list;
}

typedef struct {
    const char *name;
    po_cxml_confirmation confirmation;
} sample_confirmation;

static inline po_cxml_confirmation *sample_confirmation_at(const apr_array_header_t *list, int i)
{
    return &APR_ARRAY_IDX(list, i, sample_confirmation).confirmation;
}

/* sample_confirmation: of an order as a whole, of single lines, replaced by a later one, with the least and the most. */
static inline apr_array_header_t *sample_confirmations(const po_cxml_header *header, apr_pool_t *p)
{
    static const po_cxml_confirmation_item lines[] = {
        { 1, "1", "EA", 0, NULL }, { 2, "5406.5", "E34", 1, SAMPLE_TEXT }, { 2147483647, "1", "<&>", 1, "No licences left" }
    };
    apr_array_header_t *list = apr_array_make(p, 4, sizeof(sample_confirmation));
    apr_array_header_t *items = apr_array_make(p, 3, sizeof(lines[0]));
    po_cxml_confirmation c = { header, { "PO-17", "2026-11-23T10:00:00+00:00", "p-1@buyer.example" }, "accept", "cnf-1",
                               "2026-11-23T10:15:00+00:00" };
    static const char *const names[] = { "confirmation-accept", "confirmation-reject", "confirmation-except",
                                         "confirmation-update" };
    int i;

    for (i = 0; i < 3; i++)
        APR_ARRAY_PUSH(items, po_cxml_confirmation_item) = lines[i];
    for (i = 0; i < 4; i++) {
        sample_confirmation *s = apr_array_push(list);

        s->name = names[i];
        s->confirmation = c;
    }
    sample_confirmation_at(list, 1)->type = "reject";
    sample_confirmation_at(list, 1)->comments = SAMPLE_TEXT;
    sample_confirmation_at(list, 1)->order.order_date = NULL;
    sample_confirmation_at(list, 2)->type = "except";
    sample_confirmation_at(list, 2)->items = items;
    sample_confirmation_at(list, 3)->updates = "p-8@market.example";
    sample_confirmation_at(list, 3)->order.order_id = SAMPLE_TEXT;
    return list;
}

typedef struct {
    const char *name;
    po_cxml_invoice invoice;
} sample_invoice;

static inline apr_array_header_t *sample_invoice_orders(apr_pool_t *p)
{
    static const po_cxml_invoice_item lines[] = {
        { 1, 1, 1, "1", "EA", "1200.00", "off-year", "req-4x8w.1", "Log Keeper, contract", "43232701", "1200.00",
          "2026-11-01T12:00:00+00:00", "2027-10-31T12:00:00+00:00" },
        { 2, 2, 0, "5405.4", "E34", "0.0925", "off-gb", "req-4x8w.2", SAMPLE_TEXT, "43232701", "500.00" },
        { 3, 2147483647, 1, "-1.5", "<&>", "0.01", SAMPLE_TEXT, NULL, NULL, NULL, "-0.02" },
        { 4, 7, 0, "-1000000", "EA", "0.01", "<&>", NULL, NULL, NULL, "-10000.00" }
    };
    static const po_cxml_order_reference references[] = {
        { "PO-17", "2026-11-23T10:00:00+00:00", "p-1@buyer.example" }, { SAMPLE_TEXT, NULL, SAMPLE_TEXT }
    };
    apr_array_header_t *orders = apr_array_make(p, 2, sizeof(po_cxml_invoice_order));
    int i, n;

    for (i = 0; i < 2; i++) {
        apr_array_header_t *items = apr_array_make(p, 2, sizeof(lines[0]));
        po_cxml_invoice_order order = { references[i], items };

        for (n = 0; n < 2; n++)
            APR_ARRAY_PUSH(items, po_cxml_invoice_item) = lines[2 * i + n];
        APR_ARRAY_PUSH(orders, po_cxml_invoice_order) = order;
    }
    return orders;
}

/* sample_invoice: with the least, with the most, and a credit memo. */
static inline apr_array_header_t *sample_invoices(const po_cxml_header *header, apr_pool_t *p)
{
    static const po_cxml_partner who[] = {
        { "remitTo", "Keeper Ltd", "Kai 1", "Hamburg", "HH", "20457", "DE", "billing@keeper.example", "DE123456789" },
        { "billTo", SAMPLE_TEXT, SAMPLE_TEXT, SAMPLE_TEXT, NULL, NULL, "US" }, { "from", "Keeper Ltd" },
        { "soldTo", "Buyer Ltd", NULL, "Testville", NULL, "12345", "US" }
    };
    static const po_cxml_tax taxes[] = { { "vat", "19", "1700.00", "323.00", SAMPLE_TEXT }, { "<&>", NULL, NULL, "0.00" } };
    apr_array_header_t *list = apr_array_make(p, 3, sizeof(sample_invoice));
    apr_array_header_t *partners = apr_array_make(p, 4, sizeof(who[0])), *details = apr_array_make(p, 2, sizeof(taxes[0]));
    sample_invoice s = { "invoice-least", { header, "INV-1", "2026-11-30T12:00:00+00:00" } };
    int i;

    for (i = 0; i < 4; i++)
        APR_ARRAY_PUSH(partners, po_cxml_partner) = who[i];
    for (i = 0; i < 2; i++)
        APR_ARRAY_PUSH(details, po_cxml_tax) = taxes[i];
    s.invoice.currency = "USD";
    s.invoice.orders = sample_invoice_orders(p);
    s.invoice.subtotal = s.invoice.net = s.invoice.due = "1700.00";
    s.invoice.tax = "0.00";
    s.invoice.tax_description = "none";
    APR_ARRAY_PUSH(list, sample_invoice) = s;
    s.name = "invoice-most";
    s.invoice.partners = partners;
    s.invoice.taxes = details;
    s.invoice.number = s.invoice.tax_description = s.invoice.comments = SAMPLE_TEXT;
    s.invoice.period_from = s.invoice.period_to = "2026-11-30T12:00:00+00:00";
    APR_ARRAY_PUSH(list, sample_invoice) = s;
    s.name = "invoice-credit";
    s.invoice.credit_memo = 1;
    s.invoice.original_number = SAMPLE_TEXT;
    s.invoice.original_date = "2026-10-31T12:00:00+00:00";
    s.invoice.original_payload = "p-8@market.example";
    APR_ARRAY_PUSH(list, sample_invoice) = s;
    return list;
}

typedef struct {
    const char *name;
    int code;
    const char *detail;
} sample_status;

static const sample_status sample_statuses[] = {
    { "status-200", 200, NULL }, { "status-201", 201, "" }, { "status-401", 401, "Sender not recognised" },
    { "status-560", 560, SAMPLE_TEXT }, { "status-999", 999, "x" }
};
enum { SAMPLE_STATUSES = sizeof(sample_statuses) / sizeof(sample_statuses[0]) };

#endif
