/* test_validate.c - a document of ours that breaks its DTD is found, and nothing but the one DTD file is opened. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cxml/cxml.h"

#include <libxml/parser.h>

#define SMALL_DTD \
    "<!ELEMENT cXML (Message | Response)>\n<!ATTLIST cXML payloadID CDATA #REQUIRED>\n" \
    "<!ELEMENT Response (Status)>\n<!ELEMENT Status (#PCDATA)>\n<!ATTLIST Status code (200 | 401) #REQUIRED>\n" \
    "<!ELEMENT Message (PunchOutOrderMessage)>\n<!ELEMENT PunchOutOrderMessage (BuyerCookie, Total, Note?)>\n" \
    "<!ELEMENT BuyerCookie (#PCDATA)>\n<!ELEMENT Total (#PCDATA)>\n<!ELEMENT Note (#PCDATA)>\n"
#define DOCTYPE(version) "<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/" version "/cXML.dtd\">\n"
#define CART(cookie, rest) \
    DOCTYPE("9.0") "<cXML payloadID=\"p\"><Message><PunchOutOrderMessage>\n<BuyerCookie>" cookie "</BuyerCookie>" rest \
    "</PunchOutOrderMessage></Message></cXML>"
#define STATUS(attributes, text) \
    DOCTYPE("9.0") "<cXML payloadID=\"p\"><Response>\n<Status " attributes ">" text "</Status></Response></cXML>"
#define THREADS 4
#define ROUNDS 200

static apr_pool_t *pool;
static char folder[] = "/tmp/po-validate-XXXXXX";
static po_cxml_validator *validator;

static const char *put(const char *name, const char *text)
{
    const char *path = apr_pstrcat(pool, folder, "/", name, NULL);
    FILE *f;

    mkdir(apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') - path)), 0700);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
    return path;
}

static int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(folder))
        return -1;
    put("9.0/cXML.dtd", SMALL_DTD);
    validator = po_cxml_validator_make(folder, pool);
    return po_cxml_validator_load(validator, "9.0/cXML.dtd", pool) ? -1 : 0;
}

static int group_teardown(void **state)
{
    int rc = system(apr_pstrcat(pool, "rm -rf ", folder, NULL));

    apr_pool_destroy(pool);
    xmlCleanupParser();
    apr_terminate();
    return rc;
}

static const char *against(const po_cxml_validator *v, const char *document)
{
    return po_cxml_validate(v, document, strlen(document), pool);
}

static const char *wrong(const char *document)
{
    return against(validator, document);
}

static void valid_documents_pass(void **state)
{
    assert_null(wrong(STATUS("code=\"200\"", "fine")));
    assert_null(wrong(CART("c", "<Total/>")));
    assert_null(wrong(CART("c", "<Total>1</Total><Note>n</Note>")));
}

static void problem_names_line_element_and_reason(void **state)
{
    assert_string_equal(wrong(STATUS("", "fine")), "line 3: Element Status does not carry attribute code");
    assert_string_equal(wrong(STATUS("code=\"200\" more=\"1\"", "fine")),
                        "line 3: No declaration for attribute more of element Status");
    assert_string_equal(wrong(CART("c", "")), "line 2: Element PunchOutOrderMessage content does not follow the DTD, "
                        "expecting (BuyerCookie , Total , Note?), got (BuyerCookie)");
    assert_string_equal(wrong(CART("c", "<Total><Other/></Total>")), "line 3: Element Total was declared #PCDATA but "
                        "contains non text nodes");
}

static void first_problem_is_told(void **state)
{
    assert_non_null(strstr(wrong(STATUS("more=\"1\"", "")), "line 3"));
    assert_null(strchr(wrong(STATUS("more=\"1\"", "")), '\n'));
}

static void content_is_never_quoted(void **state)
{
    const char *text = wrong(STATUS("code=\"very-secret\"", "very-secret"));

    assert_non_null(text);
    assert_null(strstr(text, "very-secret"));
    assert_non_null(strstr(text, "the value of attribute code of element Status"));
    text = wrong(DOCTYPE("9.0") "<cXML payloadID=\"p\"><Response>very-secret<Status code=\"200\"/></Response></cXML>");
    assert_non_null(text);
    assert_null(strstr(text, "very-secret"));
}

static void markup_inside_the_cookie_is_excepted(void **state)
{
    assert_null(wrong(CART("<x:session xmlns:x=\"urn:x\" a=\"1\">7<deep/></x:session>", "<Total/>")));
}

static void nothing_but_the_cookie_is_excepted(void **state)
{
    assert_non_null(wrong(CART("<a/>", "<Total/><Other/>")));
    assert_non_null(wrong(CART("c", "<Total><a/></Total>")));
    assert_non_null(wrong(CART("c", "<Total/><BuyerCookie><a/></BuyerCookie>")));
    assert_non_null(wrong(DOCTYPE("9.0") "<BuyerCookie><a/></BuyerCookie>"));
}

static void broken_xml_is_not_valid(void **state)
{
    assert_non_null(wrong("<cXML"));
    assert_non_null(wrong(""));
    assert_non_null(wrong("<cXML payloadID=\"p\"/>"));          /* names no DTD */
}

static void document_of_another_version_is_told(void **state)
{
    const char *text = wrong(DOCTYPE("9.1") "<cXML payloadID=\"p\"><Response><Status code=\"200\"/></Response></cXML>");

    assert_non_null(text);
    assert_non_null(strstr(text, "9.1/cXML.dtd"));
}

static void missing_dtd_is_named(void **state)
{
    const char *text = po_cxml_validator_load(validator, "9.7/cXML.dtd", pool);

    assert_non_null(text);
    assert_non_null(strstr(text, apr_pstrcat(pool, folder, "/9.7/cXML.dtd", NULL)));
}

static void what_is_no_dtd_is_refused(void **state)
{
    put("9.2/cXML.dtd", "<!ELEMENT cXML (");
    assert_non_null(po_cxml_validator_load(validator, "9.2/cXML.dtd", pool));
    put("9.3/cXML.dtd", "");
    assert_non_null(po_cxml_validator_load(validator, "9.3/cXML.dtd", pool));
    assert_non_null(po_cxml_validator_load(validator, "9.3", pool));            /* a folder */
}

/* The other file is there and would make the DTD whole. */
static void dtd_that_takes_in_another_file_is_refused(void **state)
{
    const char *other = put("other.dtd", "<!ELEMENT a EMPTY>"), *text;

    put("9.4/cXML.dtd", apr_pstrcat(pool, "<!ELEMENT cXML (a)><!ENTITY % more SYSTEM \"", other, "\">%more;", NULL));
    text = po_cxml_validator_load(validator, "9.4/cXML.dtd", pool);
    assert_non_null(text);
    assert_non_null(strstr(text, "never read"));
}

/* Declared, but not used: it isn't opened either. */
static void entity_of_another_file_is_not_opened(void **state)
{
    put("9.5/cXML.dtd", apr_pstrcat(pool, "<!ELEMENT cXML (a)><!ENTITY % more SYSTEM \"", folder, "/none.dtd\">"
                                    "<!ELEMENT a EMPTY>", NULL));
    assert_null(po_cxml_validator_load(validator, "9.5/cXML.dtd", pool));
    assert_null(wrong(DOCTYPE("9.5") "<cXML><a/></cXML>"));
}

static void parameter_entities_inside_a_dtd_work(void **state)
{
    put("9.6/cXML.dtd", "<!ENTITY % kinds '(a | b)'><!ELEMENT cXML %kinds;><!ELEMENT a EMPTY><!ELEMENT b EMPTY>");
    assert_null(po_cxml_validator_load(validator, "9.6/cXML.dtd", pool));
    assert_null(wrong(DOCTYPE("9.6") "<cXML><b/></cXML>"));
    assert_non_null(wrong(DOCTYPE("9.6") "<cXML><a/><b/></cXML>"));
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static void *validate_often(void *data)
{
    static const char good[] = CART("<a/>", "<Total/>"), bad[] = CART("<a/>", "<Note/>");
    intptr_t failures = 0;
    apr_pool_t *p;
    int i;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    for (i = 0; i < ROUNDS; i++) {
        failures += po_cxml_validate(validator, good, sizeof(good) - 1, p) != NULL;
        failures += po_cxml_validate(validator, bad, sizeof(bad) - 1, p) == NULL;
    }
    apr_pool_destroy(p);
    return (void *)failures;
}

static void threads_share_a_validator(void **state)
{
    pthread_t threads[THREADS];
    void *failures;
    int i;

    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, validate_often, NULL), 0);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failures);
        assert_int_equal((intptr_t)failures, 0);
    }
}

/* ---- the official DTD ------------------------------------------------------------------------------------------- */

static const char *official(void)
{
    const char *shared = getenv("PUNCHOUT_SHARED");
    const char *dtd = shared ? apr_pstrcat(pool, shared, "/dtd/legacy/1.2.014-cXML.dtd", NULL) : NULL;

    return dtd && !access(dtd, R_OK) ? dtd : NULL;
}

static void our_answers_are_valid_by_the_official_dtd(void **state)
{
    static const po_cxml_envelope e = { "1@market.example", "2026-11-23T10:15:00+00:00", "1.2.014", 0 };
    po_cxml_validator *v = po_cxml_validator_make(folder, pool);
    const char *dtd = official(), *text;
    po_buffer b;

    if (!dtd) {
        print_message("skipped: PUNCHOUT_SHARED does not name a folder that holds dtd/\n");
        skip();
    }
    mkdir(apr_pstrcat(pool, folder, "/1.2.014", NULL), 0700);
    assert_int_equal(symlink(dtd, apr_pstrcat(pool, folder, "/1.2.014/cXML.dtd", NULL)), 0);
    assert_null(po_cxml_validator_load(v, "1.2.014/cXML.dtd", pool));
    po_buffer_init(&b, pool, 512);
    po_cxml_write_status(&b, &e, 560, "<later>");
    assert_null(against(v, po_buffer_text(&b)));
    po_buffer_init(&b, pool, 512);
    po_cxml_write_profile_response(&b, &e, "https://market.example/punchout", apr_time_from_sec(1795428900));
    assert_null(against(v, po_buffer_text(&b)));
    po_buffer_init(&b, pool, 512);
    po_cxml_write_setup_response(&b, &(po_cxml_envelope){ "1@market.example", "", "1.2.014", 0 }, "https://m/", "t");
    text = po_buffer_text(&b);
    assert_null(against(v, text));
    text = apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(strstr(text, "<StartPage>") - text)),
                       "</PunchOutSetupResponse></Response></cXML>", NULL);
    assert_non_null(strstr(against(v, text), "Element PunchOutSetupResponse content does not follow the DTD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_documents_pass),
        cmocka_unit_test(problem_names_line_element_and_reason),
        cmocka_unit_test(first_problem_is_told),
        cmocka_unit_test(content_is_never_quoted),
        cmocka_unit_test(markup_inside_the_cookie_is_excepted),
        cmocka_unit_test(nothing_but_the_cookie_is_excepted),
        cmocka_unit_test(broken_xml_is_not_valid),
        cmocka_unit_test(document_of_another_version_is_told),
        cmocka_unit_test(missing_dtd_is_named),
        cmocka_unit_test(what_is_no_dtd_is_refused),
        cmocka_unit_test(dtd_that_takes_in_another_file_is_refused),
        cmocka_unit_test(entity_of_another_file_is_not_opened),
        cmocka_unit_test(parameter_entities_inside_a_dtd_work),
        cmocka_unit_test(threads_share_a_validator),
        cmocka_unit_test(our_answers_are_valid_by_the_official_dtd)
    };

    return cmocka_run_group_tests_name("validate", tests, group_setup, group_teardown);
}
