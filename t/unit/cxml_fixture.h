/* cxml_fixture.h - one reader, what it read last, and pieces of documents. */
#ifndef CXML_FIXTURE_H
#define CXML_FIXTURE_H

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
    "<Header><From><Credential domain=\"DUNS\"><Identity> buyer-1\n</Identity></Credential></From><To>" \
    "<Credential domain=\"DUNS\"><Identity>market-1</Identity></Credential></To><Sender><Credential domain=\"DUNS\">" \
    "<Identity>buyer-1</Identity><SharedSecret>s3cret</SharedSecret></Credential><UserAgent>Test 1.0</UserAgent>" \
    "</Sender></Header>"
#define OPEN "<cXML payloadID=\"p-1\" timestamp=\"2026-11-23T10:00:00+00:00\">"
#define SETUP(cookie, more) \
    "<Request><PunchOutSetupRequest operation=\"create\"><BuyerCookie>" cookie "</BuyerCookie>" more \
    "<BrowserFormPost><URL> https://buyer.example/r?a=1&amp;b=2 </URL></BrowserFormPost></PunchOutSetupRequest>" \
    "</Request>"
#define DOCUMENT(cookie, more) OPEN HEADER SETUP(cookie, more) "</cXML>"
#define ORDER(total, item) \
    OPEN HEADER "<Request><OrderRequest><OrderRequestHeader orderID=\"PO-1\" orderDate=\"2026-11-23\"><Total>" \
    "<Money currency=\"USD\">" total "</Money></Total></OrderRequestHeader>" item "</OrderRequest></Request>" \
    "</cXML>"
#define ITEM(quantity, price) \
    "<ItemOut quantity=\"" quantity "\"><ItemID><SupplierPartID>off-1</SupplierPartID><SupplierPartAuxiliaryID>" \
    "req-1.1</SupplierPartAuxiliaryID></ItemID><ItemDetail><UnitPrice>" \
    "<Money currency=\"USD\">" price "</Money></UnitPrice><Description xml:lang=\"en\">x</Description><UnitOfMeasure>" \
    "EA</UnitOfMeasure><Classification domain=\"UNSPSC\">43232701</Classification></ItemDetail></ItemOut>"

static apr_pool_t *pool;
static po_cxml_reader *reader;
static const po_user_map usual;
static po_cxml doc;

static inline int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    xmlInitParser();
    reader = po_cxml_reader_create();
    return reader ? 0 : -1;
}

static inline int group_teardown(void **state)
{
    po_cxml_reader_destroy(reader);
    apr_pool_destroy(pool);
    xmlCleanupParser();
    apr_terminate();
    return 0;
}

/* A copy of its own size: a byte read behind the end is seen by ASan. */
static inline apr_status_t read_as(const char *bytes, apr_size_t len, const char *charset)
{
    char *copy = malloc(len + 1);
    apr_status_t rv;

    memcpy(copy, bytes, len);
    copy[len] = '\0';
    rv = po_cxml_read(reader, pool, copy, len, charset, &doc);
    if (doc.setup)
        po_cxml_find_user(doc.setup, &usual, pool);
    free(copy);
    return rv;
}

static inline apr_status_t read_bytes(const char *bytes, apr_size_t len)
{
    return read_as(bytes, len, NULL);
}

static inline void reads(const char *text)
{
    if (read_bytes(text, strlen(text)) != APR_SUCCESS)
        fail_msg("refused: %s", doc.why);
}

static inline void refuses(const char *text, int status)
{
    assert_int_not_equal(read_bytes(text, strlen(text)), APR_SUCCESS);
    assert_int_equal(doc.status, status);
    assert_non_null(doc.why);
    assert_null(strstr(doc.why, "s3cret"));
}

static inline void is_number(const po_decimal *d, const char *want)
{
    char text[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, 0, text), want);
}

static inline const char *join(const char *a, const char *b, const char *c)
{
    return apr_pstrcat(pool, a, b, c, NULL);
}

/* What stands between two pieces of text. */
static inline const char *between(const char *text, const char *before, const char *after)
{
    const char *from = strstr(text, before), *end;

    assert_non_null(from);
    from += strlen(before);
    end = strstr(from, after);
    assert_non_null(end);
    return apr_pstrndup(pool, from, (apr_size_t)(end - from));
}

#endif
