/* test_mime.c - a document that comes with attachments is found, whole and as it was; a body that was cut off is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cxml/cxml.h"

#define RELATED "multipart/related; boundary=\"b1\"; type=\"text/xml\"; start=\"<root@buyer.example>\""
#define MIXED "multipart/mixed; boundary=b1"
#define XML_PART "--b1\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-ID: <root@buyer.example>\r\n\r\n<cXML>1</cXML>\r\n"
#define NOTE_PART "--b1\r\nContent-Type: Text/Plain\r\nContent-ID: <a1@buyer.example>\r\n" \
                  "Content-Disposition: attachment; filename=\"note.txt\"\r\n\r\nhello\r\n"
#define END "--b1--\r\n"

static apr_pool_t *pool;
static char *body;                      /* malloc'd: AddressSanitizer sees its end */
static po_mime m;

static int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    return 0;
}

static int group_teardown(void **state)
{
    free(body);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static const char *read_bytes(const char *type, const char *bytes, apr_size_t len)
{
    free(body);
    body = malloc(len + 1);
    assert_non_null(body);
    memcpy(body, bytes, len);
    body[len] = '\0';
    return po_mime_read(&m, type, body, len, pool);
}

static void found(const char *type, const char *text, const char *document)
{
    const char *wrong = read_bytes(type, text, strlen(text));

    if (wrong)
        fail_msg("%s", wrong);
    assert_int_equal(m.len, strlen(document));
    assert_string_equal(m.document, document);
}

static void refused(const char *type, const char *text, const char *part)
{
    const char *wrong = read_bytes(type, text, strlen(text));

    assert_non_null(wrong);
    if (!strstr(wrong, part))
        fail_msg("\"%s\" is not in: %s", part, wrong);
}

static const po_mime_part *attachment(int n)
{
    assert_true(n < m.attachments->nelts);
    return &APR_ARRAY_IDX(m.attachments, n, po_mime_part);
}

/* ---- which part it is ----------------------------------------------------------------------------------------- */

static void the_part_that_start_names_is_the_document(void **state)
{
    found(RELATED, XML_PART NOTE_PART END, "<cXML>1</cXML>");
    found(RELATED, "--b1\r\nContent-Type: text/xml\r\nContent-ID: <x@y>\r\n\r\n<other/>\r\n" XML_PART END, "<cXML>1</cXML>");
    found("multipart/related; boundary=b1; start=root@buyer.example", NOTE_PART XML_PART END, "<cXML>1</cXML>");
    /* whatever its type is called */
    found("multipart/related; boundary=b1; start-info=x; start=\"<a1@buyer.example>\"", XML_PART NOTE_PART END, "hello");
}

static void without_start_the_first_xml_part_is_the_document(void **state)
{
    found(MIXED, NOTE_PART XML_PART END, "<cXML>1</cXML>");
    found("multipart/related; boundary=b1; start=\"<nobody@x>\"", NOTE_PART XML_PART END, "<cXML>1</cXML>");
    found(MIXED, NOTE_PART "--b1\r\nContent-Type: application/xml\r\n\r\n<a/>\r\n" XML_PART END, "<a/>");
    found(MIXED, "--b1\r\nContent-Type: image/svg+xml\r\n\r\n<svg/>\r\n" XML_PART END, "<cXML>1</cXML>");
}

static void without_an_xml_part_the_first_is_the_document(void **state)
{
    found(MIXED, "--b1\r\n\r\n<a/>\r\n" NOTE_PART END, "<a/>");
    found(MIXED, "--b1\r\nContent-Type: application/octet-stream\r\n\r\n<a/>\r\n--b1\r\n\r\n<b/>\r\n" END, "<a/>");
}

static void a_multipart_inside_is_an_attachment(void **state)
{
    static const char nested[] = "--b1\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n--b2\r\nContent-Type: text/xml"
                                 "\r\n\r\n<no/>\r\n--b2--\r\n";

    found(MIXED, apr_pstrcat(pool, nested, "--b1\r\n\r\n<a/>\r\n" END, NULL), "<a/>");
    assert_string_equal(attachment(0)->content_type, "multipart/alternative");
    refused(MIXED, apr_pstrcat(pool, nested, END, NULL), "No part");
}

static void attachments_are_listed_by_what_they_are_called(void **state)
{
    found(RELATED, XML_PART NOTE_PART "--b1\r\nContent-Type: application/pdf; name=offer.pdf\r\n\r\n%PDF\r\n\r\n--b1\r\n\r\n\r\n" END,
          "<cXML>1</cXML>");
    assert_int_equal(m.attachments->nelts, 3);
    assert_string_equal(attachment(0)->content_id, "a1@buyer.example");
    assert_string_equal(attachment(0)->content_type, "text/plain");
    assert_string_equal(attachment(0)->filename, "note.txt");
    assert_int_equal(attachment(0)->length, 5);
    assert_null(attachment(1)->content_id);
    assert_string_equal(attachment(1)->filename, "offer.pdf");
    assert_int_equal(attachment(1)->length, 6);
    assert_null(attachment(2)->content_type);
    assert_null(attachment(2)->filename);
    assert_int_equal(attachment(2)->length, 0);
}

static void a_document_alone_needs_no_attachment(void **state)
{
    found(MIXED, XML_PART END, "<cXML>1</cXML>");
    assert_int_equal(m.attachments->nelts, 0);
    assert_string_equal(m.charset, "UTF-8");
}

/* ---- how it is written ---------------------------------------------------------------------------------------- */

static void the_document_is_not_copied(void **state)
{
    found(RELATED, XML_PART NOTE_PART END, "<cXML>1</cXML>");
    assert_ptr_equal(m.document, strstr(body, "<cXML>"));
    found(MIXED, "--b1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<a/>\r\n" END, "<a/>");
    assert_ptr_equal(m.document, strstr(body, "<a/>"));
}

static void line_feeds_alone_are_line_ends_too(void **state)
{
    found(RELATED, "--b1\nContent-Type: text/xml\nContent-ID: <root@buyer.example>\n\n<a>\n\n</a>\n--b1\n\nx\n--b1--", "<a>\n\n</a>");
}

static void text_around_the_parts_is_ignored(void **state)
{
    found(RELATED, "This is a multi-part message in MIME format.\r\n--b1x\r\n" XML_PART NOTE_PART END "\r\n--b1\r\nmore\r\n",
          "<cXML>1</cXML>");
    assert_int_equal(m.attachments->nelts, 1);
}

static void blanks_may_follow_a_boundary(void **state)
{
    found(MIXED, "--b1 \t\r\n\r\n<a/>\r\n--b1--  \r\n", "<a/>");
}

static void a_boundary_inside_a_line_is_content(void **state)
{
    found(MIXED, "--b1\r\n\r\n<a>--b1\r\n--b1x\r\n --b1--\r\n</a>\r\n" END, "<a>--b1\r\n--b1x\r\n --b1--\r\n</a>");
}

static void header_names_have_no_case_and_lines_may_be_folded(void **state)
{
    found("Multipart/Related;\r\n\tBOUNDARY = b1 ; Start=\"<root@b>\"",
          "--b1\r\n\r\n<no/>\r\n--b1\r\nCONTENT-TYPE:\r\n text/xml;\r\n\tCharset=\"iso-8859-1\"\r\ncontent-id : <root@b>\r\n\r\n<a/>\r\n" END,
          "<a/>");
    assert_string_equal(m.charset, "iso-8859-1");
}

static void quoted_parameters_may_hold_anything(void **state)
{
    found("multipart/mixed; x=\"a;boundary=no\\\"\"; boundary=\"b;1=\\\"?\"", "--b;1=\"?\r\n\r\n<a/>\r\n--b;1=\"?--", "<a/>");
    found("multipart/mixed; boundary=----=_Part_1:2/3", "------=_Part_1:2/3\r\n\r\n<a/>\r\n------=_Part_1:2/3--", "<a/>");
}

static void base64_is_decoded(void **state)
{
    found(MIXED, "--b1\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: BASE64\r\n\r\nPGNYTUw+\r\nMTwvY1hNTD4=\r\n" END,
          "<cXML>1</cXML>");
    refused(MIXED, "--b1\r\nContent-Transfer-Encoding: base64\r\n\r\nPGNYTUw+MTwvY1hNTD4\r\n" END, "Base64");
    refused(MIXED, "--b1\r\nContent-Transfer-Encoding: base64\r\n\r\nPGNY=TUw\r\n" END, "Base64");
    refused(MIXED, "--b1\r\nContent-Transfer-Encoding: base64\r\n\r\n<cXML/>\r\n" END, "Base64");
}

static void quoted_printable_is_decoded(void **state)
{
    found(MIXED, "--b1\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a b=3D\"=c3=A9\"> =\r\n x  \r\ny=\r\n" END,
          "<a b=\"\xc3\xa9\">  x\ny");
    refused(MIXED, "--b1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a b=\"1\"/>\r\n" END, "quoted-printable");
}

/* More than a few would never end if each were looked at again for every one before it. */
static void quoted_printable_may_hold_many_blanks(void **state)
{
    static const char head[] = "--b1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    apr_size_t n = 3 * 1024 * 1024;
    char *blanks = malloc(n + 1), *text;

    assert_non_null(blanks);
    memset(blanks, ' ', n);
    blanks[n] = '\0';
    text = apr_pstrcat(pool, head, blanks, "<a/>", blanks, "\r\n" END, NULL);
    free(blanks);
    assert_null(read_bytes(MIXED, text, strlen(text)));
    assert_int_equal(m.len, n + 4);
    assert_string_equal(m.document + n, "<a/>");
    found(MIXED, apr_pstrcat(pool, head, "a \r b\t\t=\r\n \t c \r\n\r\n" END, NULL), "a \r b\t\t \t c\n");
}

static void an_encoded_attachment_is_left_alone(void **state)
{
    found(RELATED, XML_PART "--b1\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n" END, "<cXML>1</cXML>");
    assert_int_equal(attachment(0)->length, 3);
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void a_body_that_was_cut_is_refused_wherever_it_was(void **state)
{
    static const char whole[] = XML_PART NOTE_PART "--b1--";
    apr_size_t n;

    for (n = 0; n < sizeof(whole) - 1; n++)
        if (!read_bytes(RELATED, whole, n))
            fail_msg("%d of %d bytes were enough", (int)n, (int)sizeof(whole) - 1);
    assert_null(read_bytes(RELATED, whole, n));
    refused(RELATED, XML_PART, "cut off");
}

static void a_boundary_is_needed(void **state)
{
    char type[300] = "multipart/mixed; boundary=";

    refused("multipart/mixed", XML_PART END, "boundary");
    refused("multipart/mixed; boundary=", XML_PART END, "boundary");
    refused("multipart/mixed; boundary=other", XML_PART END, "boundary");
    refused(MIXED, "", "boundary");
    refused(MIXED, END, "no part");
    memset(type + strlen(type), 'x', 201);
    refused(type, XML_PART END, "200");
}

static void an_empty_document_is_refused(void **state)
{
    refused(MIXED, "--b1\r\nContent-Type: text/xml\r\n\r\n\r\n" END, "empty");
    refused(MIXED, "--b1\r\nContent-Type: text/xml\r\n\r\n" END, "empty");
    refused(MIXED, "--b1\r\nContent-Type: text/xml\r\n" END, "empty");
}

static void an_unknown_encoding_is_refused(void **state)
{
    refused(MIXED, "--b1\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n<a/>\r\n" END, "Content-Transfer-Encoding");
}

static void parts_and_their_headers_have_limits(void **state)
{
    po_buffer b;
    int i;

    po_buffer_init(&b, pool, 4096);
    for (i = 0; i < PO_MIME_PARTS_MAX; i++)
        po_buffer_str(&b, XML_PART);
    found(MIXED, apr_pstrcat(pool, po_buffer_text(&b), END, NULL), "<cXML>1</cXML>");
    refused(MIXED, apr_pstrcat(pool, po_buffer_text(&b), XML_PART END, NULL), "100");
    po_buffer_init(&b, pool, 4096);
    po_buffer_str(&b, XML_PART "--b1\r\n");
    for (i = 0; i <= PO_MIME_HEADERS_MAX / 8; i++)
        po_buffer_str(&b, "X: 123\r\n");
    refused(MIXED, apr_pstrcat(pool, po_buffer_text(&b), "\r\nx\r\n" END, NULL), "header lines");
}

static void control_characters_leave_the_names_of_an_attachment(void **state)
{
    found(RELATED, XML_PART "--b1\r\nContent-ID: <a\x01\r\n b@c>\r\n\r\nx\r\n" END, "<cXML>1</cXML>");
    assert_null(strpbrk(attachment(0)->content_id, "\x01\r\n"));
}

static void a_nul_byte_is_content(void **state)
{
    static const char bytes[] = "--b1\r\n\r\n<a>\0</a>\r\n--b1--";

    assert_null(read_bytes(MIXED, bytes, sizeof(bytes) - 1));
    assert_int_equal(m.len, 8);
    assert_memory_equal(m.document, "<a>\0</a>", 9);
}

static void other_types_are_no_multipart(void **state)
{
    assert_true(po_mime_is_multipart(" MultiPart/Form-Data; boundary=x"));
    assert_false(po_mime_is_multipart("text/xml; x=multipart/related"));
    assert_false(po_mime_is_multipart(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_that_start_names_is_the_document),
        cmocka_unit_test(without_start_the_first_xml_part_is_the_document),
        cmocka_unit_test(without_an_xml_part_the_first_is_the_document),
        cmocka_unit_test(a_multipart_inside_is_an_attachment),
        cmocka_unit_test(attachments_are_listed_by_what_they_are_called),
        cmocka_unit_test(a_document_alone_needs_no_attachment), cmocka_unit_test(the_document_is_not_copied),
        cmocka_unit_test(line_feeds_alone_are_line_ends_too), cmocka_unit_test(text_around_the_parts_is_ignored),
        cmocka_unit_test(blanks_may_follow_a_boundary), cmocka_unit_test(a_boundary_inside_a_line_is_content),
        cmocka_unit_test(header_names_have_no_case_and_lines_may_be_folded),
        cmocka_unit_test(quoted_parameters_may_hold_anything), cmocka_unit_test(base64_is_decoded),
        cmocka_unit_test(quoted_printable_is_decoded),
        cmocka_unit_test(quoted_printable_may_hold_many_blanks),
        cmocka_unit_test(an_encoded_attachment_is_left_alone),
        cmocka_unit_test(a_body_that_was_cut_is_refused_wherever_it_was), cmocka_unit_test(a_boundary_is_needed),
        cmocka_unit_test(an_empty_document_is_refused), cmocka_unit_test(an_unknown_encoding_is_refused),
        cmocka_unit_test(parts_and_their_headers_have_limits),
        cmocka_unit_test(control_characters_leave_the_names_of_an_attachment), cmocka_unit_test(a_nul_byte_is_content),
        cmocka_unit_test(other_types_are_no_multipart)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
