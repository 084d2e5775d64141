/* test_cxml.c - what the reader understands, what it refuses and how, and that what the writer says can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cxml/cxml.h"

#include <libxml/parser.h>

#define HEADER \
    "<Header><From><Credential domain=\"DUNS\"><Identity> buyer-1\n</Identity></Credential></From>" \
    "<To><Credential domain=\"DUNS\"><Identity>market-1</Identity></Credential></To><Sender>" \
    "<Credential domain=\"DUNS\"><Identity>buyer-1</Identity><SharedSecret>s3cret</SharedSecret></Credential>" \
    "<UserAgent>Test 1.0</UserAgent></Sender></Header>"
#define OPEN "<cXML payloadID=\"p-1\" timestamp=\"2026-11-23T10:00:00+00:00\">"
#define SETUP(cookie, more) \
    "<Request><PunchOutSetupRequest operation=\"create\"><BuyerCookie>" cookie "</BuyerCookie>" more \
    "<BrowserFormPost><URL> https://buyer.example/r?a=1&amp;b=2 </URL></BrowserFormPost></PunchOutSetupRequest></Request>"
#define DOCUMENT(cookie, more) OPEN HEADER SETUP(cookie, more) "</cXML>"
#define ORDER(total, item) \
    OPEN HEADER "<Request><OrderRequest><OrderRequestHeader orderID=\"PO-1\" orderDate=\"2026-11-23\">" \
    "<Total><Money currency=\"USD\">" total "</Money></Total></OrderRequestHeader>" item "</OrderRequest></Request></cXML>"
#define ITEM(quantity, price) \
    "<ItemOut quantity=\"" quantity "\"><ItemID><SupplierPartID>off-1</SupplierPartID>" \
    "<SupplierPartAuxiliaryID>req-1.1</SupplierPartAuxiliaryID></ItemID><ItemDetail><UnitPrice><Money currency=\"USD\">" price \
    "</Money></UnitPrice><Description xml:lang=\"en\">x</Description><UnitOfMeasure>EA</UnitOfMeasure>" \
    "<Classification domain=\"UNSPSC\">43232701</Classification></ItemDetail></ItemOut>"

static apr_pool_t *pool;
static po_cxml_reader *reader;
static po_crypto *crypto;
static po_cxml doc;

static int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    xmlInitParser();
    reader = po_cxml_reader_create();
    crypto = po_crypto_create();
    return reader && crypto ? 0 : -1;
}

static int group_teardown(void **state)
{
    po_cxml_reader_destroy(reader);
    po_crypto_destroy(crypto);
    apr_pool_destroy(pool);
    xmlCleanupParser();
    apr_terminate();
    return 0;
}

/* A copy of its own size: a byte read behind the end is seen by ASan. */
static apr_status_t read_bytes(const char *bytes, apr_size_t len)
{
    char *copy = malloc(len + 1);
    apr_status_t rv;

    memcpy(copy, bytes, len);
    copy[len] = '\0';
    rv = po_cxml_read(reader, pool, copy, len, &doc);
    free(copy);
    return rv;
}

static void reads(const char *text)
{
    if (read_bytes(text, strlen(text)) != APR_SUCCESS)
        fail_msg("refused: %s", doc.why);
}

static void refuses(const char *text, int status)
{
    assert_int_not_equal(read_bytes(text, strlen(text)), APR_SUCCESS);
    assert_int_equal(doc.status, status);
    assert_non_null(doc.why);
    assert_null(strstr(doc.why, "s3cret"));
}

/* ---- understood ----------------------------------------------------------------------------------------------- */

static void identities_are_trimmed_and_urls_unescaped(void **state)
{
    reads(DOCUMENT("c", ""));
    assert_int_equal(doc.kind, PO_CXML_SETUP);
    assert_string_equal(doc.from.cred[0].identity, "buyer-1");
    assert_string_equal(doc.setup->return_url, "https://buyer.example/r?a=1&b=2");
    assert_string_equal(doc.shared_secret, "s3cret");
    assert_string_equal(doc.payload_id, "p-1");
    assert_false(doc.test);
}

static void a_comment_or_cdata_does_not_split_a_secret(void **state)
{
    reads(OPEN "<Header><Sender><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>se<!-- x -->cr<![CDATA[et]]>"
          "</SharedSecret></Credential></Sender></Header>" SETUP("c", "") "</cXML>");
    assert_string_equal(doc.shared_secret, "secret");
}

static void a_buyer_cookie_keeps_its_markup(void **state)
{
    reads(DOCUMENT("a&amp;b &lt;<x:i xmlns:x=\"urn:y\" a=\"1&quot;\">t</x:i><e/>", ""));
    assert_string_equal(doc.setup->buyer_cookie, "a&amp;b &lt;<x:i xmlns:x=\"urn:y\" a=\"1&quot;\">t</x:i><e></e>");
    reads(DOCUMENT("", ""));
    assert_string_equal(doc.setup->buyer_cookie, "");
}

static void the_shopper_is_found_in_extrinsics_of_any_case(void **state)
{
    reads(DOCUMENT("c", "<Extrinsic name=\"useremail \">i@b.example</Extrinsic><Extrinsic name=\"USER\">ines</Extrinsic>"
                        "<Extrinsic name=\"FirstName\">Ines</Extrinsic><Extrinsic name=\"LastName\">Okafor</Extrinsic>"));
    assert_string_equal(doc.setup->user, "ines");
    assert_string_equal(doc.setup->email, "i@b.example");
    assert_string_equal(doc.setup->user_name, "Ines Okafor");
}

static void byte_order_marks_and_utf16_are_read(void **state)
{
    static const char text[] = DOCUMENT("c", "");
    char wide[2 * sizeof(text) + 2] = "\xff\xfe";
    apr_size_t i;

    reads("\xef\xbb\xbf" DOCUMENT("c", ""));
    for (i = 0; i < sizeof(text) - 1; i++)
        wide[2 + 2 * i] = text[i];
    assert_int_equal(read_bytes(wide, 2 + 2 * (sizeof(text) - 1)), APR_SUCCESS);
    assert_string_equal(doc.from.cred[0].identity, "buyer-1");
}

static void a_line_without_number_counts_by_position(void **state)
{
    reads(ORDER("10.00", ITEM("1", "4.00") ITEM("2", "3.00")));
    assert_int_equal(doc.order->items->nelts, 2);
    assert_int_equal(APR_ARRAY_IDX(doc.order->items, 1, po_cxml_item).line, 2);
    assert_string_equal(doc.order->type, "new");
}

static void card_data_is_not_read(void **state)
{
    reads(OPEN HEADER "<Request><OrderRequest><OrderRequestHeader orderID=\"PO-1\"><Payment><PCard number=\"4111111111111111\" "
          "expiration=\"2030-01\"/><Extrinsic name=\"x\">4111111111111111</Extrinsic></Payment></OrderRequestHeader>"
          ITEM("1", "4.00") "</OrderRequest></Request></cXML>");
    assert_null(doc.order->extrinsics);
}

static void an_unknown_request_is_named(void **state)
{
    reads(OPEN HEADER "<Request><GetPendingRequest/></Request></cXML>");
    assert_int_equal(doc.kind, PO_CXML_OTHER);
    assert_string_equal(doc.request, "GetPendingRequest");
}

/* ---- refused -------------------------------------------------------------------------------------------------- */

static void what_is_no_whole_document_is_not_acceptable(void **state)
{
    static const char nul[] = DOCUMENT("c", "") "\0x";

    refuses("", 406);
    refuses(" \n", 406);
    refuses("hello", 406);
    refuses("<html/>", 406);
    refuses(OPEN HEADER, 406);
    refuses(DOCUMENT("c", "") "x", 406);
    refuses("<!DOCTYPE cXML SYSTEM \"cXML.dtd\">" OPEN "<a></b></cXML>", 406);
    assert_int_not_equal(read_bytes(nul, sizeof(nul) - 1), APR_SUCCESS);
    assert_int_equal(doc.status, 406);
}

static void entities_and_declarations_are_not_acceptable(void **state)
{
    refuses("<!DOCTYPE cXML [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" DOCUMENT("&x;", ""), 406);
    refuses("<!DOCTYPE cXML [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/\"> %x;]>" DOCUMENT("c", ""), 406);
    refuses("<!DOCTYPE cXML [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" DOCUMENT("&b;", ""), 406);
    refuses("<!DOCTYPE cXML [<!ATTLIST cXML x CDATA \"y\">]>" DOCUMENT("c", ""), 406);
    refuses("<!DOCTYPE cXML SYSTEM \"cXML.dtd\">" DOCUMENT("&nothing;", ""), 406);
    reads("<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd\">" DOCUMENT("c", ""));
}

static void two_of_what_must_be_one_is_a_bad_request(void **state)
{
    refuses(OPEN HEADER SETUP("c", "") SETUP("c", "") "</cXML>", 400);
    refuses(OPEN HEADER "<Request><ProfileRequest/><ProfileRequest/></Request></cXML>", 400);
    refuses(OPEN "<Header><Sender><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>s3cret</SharedSecret>"
            "<SharedSecret>other</SharedSecret></Credential></Sender></Header>" SETUP("c", "") "</cXML>", 400);
    refuses(OPEN "<Header><Sender><Credential domain=\"D\"><Identity>i</Identity><SharedSecret>s3cret<x/></SharedSecret>"
            "</Credential></Sender></Header>" SETUP("c", "") "</cXML>", 400);
}

static void what_lacks_its_parts_is_a_bad_request(void **state)
{
    refuses(OPEN HEADER "<Request><PunchOutSetupRequest operation=\"create\"/></Request></cXML>", 400);
    refuses(OPEN HEADER "<Request><OrderRequest><OrderRequestHeader orderID=\"x\"/></OrderRequest></Request></cXML>", 400);
    refuses(OPEN HEADER "<Request/></cXML>", 400);
    refuses(OPEN HEADER "</cXML>", 400);
    refuses(OPEN "<Response><Status code=\"200\" text=\"OK\"/></Response></cXML>", 400);
}

static void money_that_is_no_plain_decimal_is_a_bad_request(void **state)
{
    refuses(ORDER("1e3", ITEM("1", "4.00")), 400);
    refuses(ORDER("4.00", ITEM("1", "4,00")), 400);
    refuses(ORDER("4.00", ITEM("-1", "4.00")), 400);
    refuses(ORDER("4.00", ITEM("NaN", "4.00")), 400);
    refuses(ORDER("4.00", ITEM("1", "-4.00")), 400);
}

static void depth_is_bounded(void **state)
{
    po_buffer b;
    int i;

    po_buffer_init(&b, pool, 1024);
    po_buffer_lit(&b, OPEN);
    for (i = 0; i < 10000; i++)
        po_buffer_lit(&b, "<a>");
    assert_int_not_equal(read_bytes(b.data, b.len), APR_SUCCESS);
    assert_true(doc.status == 400 || doc.status == 406);
}

/* ---- digest and writer ---------------------------------------------------------------------------------------- */

static void digest_of(const char *text, int test, unsigned char out[PO_DIGEST])
{
    reads(text);
    po_cxml_order_digest(crypto, doc.order, test, out);
}

static void a_digest_follows_the_contents_not_the_bytes(void **state)
{
    unsigned char a[PO_DIGEST], b[PO_DIGEST];

    digest_of(ORDER("4.00", ITEM("1", "4.00")), 0, a);
    digest_of(ORDER(" 4.0000 ", ITEM("1.0", "4") "<!-- x -->"), 0, b);
    assert_memory_equal(a, b, PO_DIGEST);
    digest_of(ORDER("4.00", ITEM("2", "4.00")), 0, b);
    assert_memory_not_equal(a, b, PO_DIGEST);
    digest_of(ORDER("4.00", ITEM("1", "4.00")), 1, b);
    assert_memory_not_equal(a, b, PO_DIGEST);
}

static void text_is_escaped_and_ascii_when_asked(void **state)
{
    po_buffer b;

    po_buffer_init(&b, pool, 1);
    po_buffer_xml(&b, "<a & \"b\" 'c'>\r\x01\xff \xc3\xa4\xe2\x82\xac");
    assert_string_equal(po_buffer_text(&b), "&lt;a &amp; &quot;b&quot; &#39;c&#39;&gt;&#13;&#65533;\xef\xbf\xbd \xc3\xa4\xe2\x82\xac");
    po_buffer_init(&b, pool, 1);
    b.ascii = 1;
    po_buffer_xml(&b, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(po_buffer_text(&b), "&#228;&#8364;&#128512;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_trimmed_and_urls_unescaped), cmocka_unit_test(a_comment_or_cdata_does_not_split_a_secret),
        cmocka_unit_test(a_buyer_cookie_keeps_its_markup), cmocka_unit_test(the_shopper_is_found_in_extrinsics_of_any_case),
        cmocka_unit_test(byte_order_marks_and_utf16_are_read), cmocka_unit_test(a_line_without_number_counts_by_position),
        cmocka_unit_test(card_data_is_not_read), cmocka_unit_test(an_unknown_request_is_named),
        cmocka_unit_test(what_is_no_whole_document_is_not_acceptable), cmocka_unit_test(entities_and_declarations_are_not_acceptable),
        cmocka_unit_test(two_of_what_must_be_one_is_a_bad_request), cmocka_unit_test(what_lacks_its_parts_is_a_bad_request),
        cmocka_unit_test(money_that_is_no_plain_decimal_is_a_bad_request), cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_digest_follows_the_contents_not_the_bytes), cmocka_unit_test(text_is_escaped_and_ascii_when_asked)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
