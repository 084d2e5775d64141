/* test_cxml_bytes.c - documents in every encoding, and cookies that come back byte for byte. */
#include "cxml_fixture.h"
#include "sample_documents.h"

/* ---- BuyerCookie ---------------------------------------------------------------------------------------------- */

static void a_cookie_is_kept_byte_for_byte(void **state)
{
    int i;

    for (i = 0; i < SAMPLE_COOKIES; i++) {
        reads(join(OPEN "<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie>", sample_cookies[i],
                   "</BuyerCookie></PunchOutSetupRequest></Request></cXML>"));
        assert_string_equal(doc.setup->buyer_cookie, sample_cookies[i]);
        reads(join(OPEN "\r\n\xe2\x82\xac<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie\n a='>' >",
                   sample_cookies[i], "</BuyerCookie \n></PunchOutSetupRequest></Request></cXML>"));
        assert_string_equal(doc.setup->buyer_cookie, sample_cookies[i]);
    }
    assert_string_equal(doc.setup->return_url, "");
    reads(DOCUMENT("<p:undeclared a='1'/>", ""));
    assert_string_equal(doc.setup->buyer_cookie, "<p:undeclared a='1'/>");
}

static void a_cookie_without_content_is_empty(void **state)
{
    static const char *const written[] = { "<BuyerCookie/>", "<BuyerCookie />", "<BuyerCookie a=\"/>\"/>",
                                           "<BuyerCookie></BuyerCookie>", "" };
    apr_size_t i;

    for (i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        reads(join(OPEN "<Request><PunchOutSetupRequest operation=\"source\">", written[i],
                   "<Extrinsic name=\"User\">u</Extrinsic></PunchOutSetupRequest></Request></cXML>"));
        assert_string_equal(doc.setup->buyer_cookie, "");
        assert_string_equal(doc.setup->user, "u");
    }
}

/* A document of this text in another encoding. */
static const char *in_utf16(const char *text, int big, apr_size_t *len)
{
    char *wide = apr_palloc(pool, 2 * strlen(text) + 2), *o = wide;

    *o++ = big ? '\xfe' : '\xff';
    *o++ = big ? '\xff' : '\xfe';
    for (; *text; text++) {
        o[!big] = 0;
        o[big] = *text;
        o += 2;
    }
    *len = (apr_size_t)(o - wide);
    return wide;
}

static void a_cookie_in_another_encoding_keeps_its_characters(void **state)
{
    apr_size_t len;
    int i, big;

    for (i = 0; i < SAMPLE_COOKIES; i++) {
        const char *text = join(OPEN "<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie>",
            sample_cookies[i],
                                "</BuyerCookie></PunchOutSetupRequest></Request></cXML>");

        for (big = 0; big < 2 && !strpbrk(sample_cookies[i], "\xc3\xe2"); big++) {
            const char *wide = in_utf16(text, big, &len);

            assert_int_equal(read_bytes(wide, len), APR_SUCCESS);
            assert_string_equal(doc.setup->buyer_cookie, sample_cookies[i]);
        }
    }
    reads("<?xml version='1.0' encoding='iso-8859-1'?>" DOCUMENT("\xe4<a b='\xe4'/><!--\xe4--><![CDATA[\xe4]]>", ""));
    assert_string_equal(doc.setup->buyer_cookie, "\xc3\xa4<a b='\xc3\xa4'/><!--\xc3\xa4--><![CDATA[\xc3\xa4]]>");
}

static void a_cookie_that_is_no_well_formed_content_is_refused(void **state)
{
    static const char *const wrong[] = {
        "&nothing;", "<a>", "</a>", "<a b/>", "&#0;", "&#xFFFE;", "\x01", "]]>", "<!-- -- -->",
        "<?xml version=\"1.0\"?>",
        "<![CDATA[", "<a b=\"<\"/>", "<a b=\"&nothing;\"/>", "\xff", "<!DOCTYPE a>", "<a b='1' b='2'/>"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refuses(join(OPEN "<Request><PunchOutSetupRequest operation=\"source\"><BuyerCookie>", wrong[i],
                     "</BuyerCookie></PunchOutSetupRequest></Request></cXML>"), 406);
}

/* ---- encodings ------------------------------------------------------------------------------------------------ */

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

static void a_declared_single_byte_encoding_is_read(void **state)
{
    reads("<?xml version='1.0' encoding='iso-8859-1'?>" DOCUMENT("\xe4", ""));
    assert_string_equal(doc.setup->buyer_cookie, "\xc3\xa4");
    reads("<?xml version=\"1.0\" encoding=\"Windows-1252\"?>" DOCUMENT("\x80", ""));
    assert_string_equal(doc.setup->buyer_cookie, "\xe2\x82\xac");
}

static void the_bytes_win_over_the_declaration(void **state)
{
    static const char text[] = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" DOCUMENT("c", "");
    char wide[2 * sizeof(text)];
    apr_size_t i;

    reads("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" DOCUMENT("\xc3\xa4", ""));
    assert_string_equal(doc.setup->buyer_cookie, "\xc3\xa4");
    for (i = 0; i < sizeof(text); i++) {        /* big-endian, without a mark */
        wide[2 * i] = '\0';
        wide[2 * i + 1] = text[i];
    }
    assert_int_equal(read_bytes(wide, 2 * (sizeof(text) - 1)), APR_SUCCESS);
    assert_string_equal(doc.from.cred[0].identity, "buyer-1");
    assert_int_not_equal(read_bytes(wide, 2 * sizeof(text)), APR_SUCCESS);      /* with its NUL */
    assert_int_equal(doc.status, 406);
    assert_int_not_equal(read_bytes(wide, 2 * sizeof(text) - 3), APR_SUCCESS);  /* half a character at the end */
    assert_int_equal(doc.status, 406);
}

static void an_encoding_that_hides_markup_is_not_acceptable(void **state)
{
    refuses("<?xml version=\"1.0\" encoding=\"UTF-7\"?>" DOCUMENT("c", ""), 406);
    refuses("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" DOCUMENT("c", ""), 406);
    refuses("<?xml version=\"1.0\" encoding=\"ISO-8859-1//IGNORE\"?>" DOCUMENT("c", ""), 406);
    refuses("<?xml version='encoding=\"UTF-8\"' encoding='UTF-7'?>" DOCUMENT("c", ""), 406);
    refuses("+ADw-cXML/+AD4-", 406);
    refuses(DOCUMENT("\xe4", ""), 406);
    refuses(DOCUMENT("\xc0\xbc", ""), 406);
}

/* The document of one setup whose cookie is these bytes. */
#define COOKIE_OF(declaration, cookie) declaration DOCUMENT(cookie, "")
#define LATIN "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"

static void cookie_as(const char *text, const char *charset, const char *want)
{
    if (read_as(text, strlen(text), charset) != APR_SUCCESS)
        fail_msg("%s: refused: %s", charset, doc.why);
    assert_string_equal(doc.setup->buyer_cookie, want);
}

static void the_content_type_goes_before_the_declaration(void **state)
{
    cookie_as(COOKIE_OF("", "\xe4"), "iso-8859-1", "\xc3\xa4");
    cookie_as(COOKIE_OF("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "\x80"), "Windows-1252", "\xe2\x82\xac");
    cookie_as(COOKIE_OF(LATIN, "\xc3\xa4"), "UTF-8", "\xc3\xa4");
    cookie_as(COOKIE_OF(LATIN, "\xc3\xa4"), "utf8", "\xc3\xa4");
    cookie_as(COOKIE_OF("<?xml version=\"1.0\" encoding=\"utf-16\"?>", "\xc3\xa4"), "utf-8", "\xc3\xa4");
}

static void an_instruction_declares_no_encoding(void **state)
{
    cookie_as(COOKIE_OF("<?xml-stylesheet encoding=\"ISO-8859-1\"?>", "\xc3\xa4"), NULL, "\xc3\xa4");
}

static void a_byte_order_mark_goes_before_the_content_type(void **state)
{
    cookie_as("\xef\xbb\xbf" COOKIE_OF("", "\xc3\xa4"), "iso-8859-1", "\xc3\xa4");
}

/* Client libraries add charset=UTF-8 whatever they send. */
static void bytes_that_cannot_be_utf8_are_what_the_document_declares(void **state)
{
    cookie_as(COOKIE_OF(LATIN, "\xe4"), "UTF-8", "\xc3\xa4");
    assert_int_not_equal(read_as(COOKIE_OF("", "\xe4"), sizeof(COOKIE_OF("", "\xe4")) - 1, "UTF-8"), APR_SUCCESS);
    assert_int_equal(doc.status, 406);
}

static void an_unknown_charset_matters_only_where_it_could_hide_markup(void **state)
{
    static const char *const hiding[] = { "UTF-7", "utf7", "ISO-2022-JP", "hz-gb-2312", "x-none" };
    int i;

    cookie_as(COOKIE_OF("", "c"), "x-company", "c");
    cookie_as(COOKIE_OF("", "\xc3\xa4"), "x-company", "\xc3\xa4");
    cookie_as(COOKIE_OF(LATIN, "\xe4"), "x-company", "\xc3\xa4");
    cookie_as(COOKIE_OF("", "c"), "utf-16", "c");       /* the bytes show that it isn't */
    cookie_as(COOKIE_OF("", "c"), "", "c");
    for (i = 0; i < 5; i++) {
        const char *text = i < 4 ? COOKIE_OF("", "c") : COOKIE_OF("", "\xe4");

        assert_int_not_equal(read_as(text, strlen(text), hiding[i]), APR_SUCCESS);
        assert_int_equal(doc.status, 406);
    }
    assert_int_not_equal(read_as(COOKIE_OF("<?xml version=\"1.0\" encoding=\"UTF-7\"?>", "c"),
                                 sizeof(COOKIE_OF("<?xml version=\"1.0\" encoding=\"UTF-7\"?>", "c")) - 1, "UTF-8"),
                         APR_SUCCESS);
    assert_int_equal(doc.status, 406);
}

static void what_does_not_fit_its_encoding_is_not_acceptable(void **state)
{
    apr_size_t len;
    const char *wide = in_utf16(DOCUMENT("c", ""), 0, &len);
    char *broken = apr_pmemdup(pool, wide, len);

    broken[len - 1] = '\xd8';           /* half of a surrogate pair at the end */
    assert_int_not_equal(read_bytes(broken, len), APR_SUCCESS);
    assert_int_equal(doc.status, 406);
    refuses("<?xml version=\"1.0\" encoding=\"ISO-8859-99\"?>" DOCUMENT("c", ""), 406);
    refuses("<?xml version=\"1.0\" encoding=\"ISO-8859-1\" " DOCUMENT("c", ""), 406);
    refuses("<?xml version=\"1.0\" encoding=\"ISO-8859-1?>" DOCUMENT("c", ""), 406);
}

static void a_long_document_in_another_encoding_is_read_to_its_end(void **state)
{
    po_buffer b;
    apr_size_t len;
    const char *text, *wide;
    int i;

    po_buffer_init(&b, pool, 1024);
    for (i = 0; i < 20000; i++)
        po_buffer_lit(&b, "\x80");
    text = join("<?xml version=\"1.0\" encoding=\"windows-1252\"?>" OPEN "<!--", po_buffer_text(&b),
                "-->" SETUP("c", "")
                "</cXML>");
    reads(text);
    assert_string_equal(doc.setup->buyer_cookie, "c");
    text = join(OPEN "<!--", apr_pstrmemdup(pool, "", 0), "-->" SETUP("\r\nc", "") "</cXML>");
    wide = in_utf16(text, 1, &len);
    assert_int_equal(read_bytes(wide, len), APR_SUCCESS);
    assert_string_equal(doc.setup->buyer_cookie, "\r\nc");
}

static void the_floor_of_the_bench_parses_the_same_documents(void **state)
{
    apr_size_t len;
    const char *wide = in_utf16(DOCUMENT("c", ""), 0, &len);
    char *copy = apr_pcalloc(pool, len + 1);

    memcpy(copy, wide, len);
    assert_true(po_cxml_read_empty(reader, DOCUMENT("c", ""), sizeof(DOCUMENT("c", "")) - 1));
    assert_true(po_cxml_read_empty(reader, copy, len));
    assert_false(po_cxml_read_empty(reader, OPEN, sizeof(OPEN) - 1));
    assert_false(po_cxml_read_empty(reader, "x", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_kept_byte_for_byte), cmocka_unit_test(a_cookie_without_content_is_empty),
        cmocka_unit_test(a_cookie_in_another_encoding_keeps_its_characters),
        cmocka_unit_test(a_cookie_that_is_no_well_formed_content_is_refused),
        cmocka_unit_test(byte_order_marks_and_utf16_are_read),
        cmocka_unit_test(a_declared_single_byte_encoding_is_read),
        cmocka_unit_test(the_bytes_win_over_the_declaration),
        cmocka_unit_test(an_encoding_that_hides_markup_is_not_acceptable),
        cmocka_unit_test(the_content_type_goes_before_the_declaration),
        cmocka_unit_test(an_instruction_declares_no_encoding),
        cmocka_unit_test(a_byte_order_mark_goes_before_the_content_type),
        cmocka_unit_test(bytes_that_cannot_be_utf8_are_what_the_document_declares),
        cmocka_unit_test(an_unknown_charset_matters_only_where_it_could_hide_markup),
        cmocka_unit_test(what_does_not_fit_its_encoding_is_not_acceptable),
        cmocka_unit_test(a_long_document_in_another_encoding_is_read_to_its_end),
        cmocka_unit_test(the_floor_of_the_bench_parses_the_same_documents)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
