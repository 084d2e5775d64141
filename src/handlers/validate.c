/* validate.c - PunchOutValidate: what we send is held against the DTD that it names, before it goes out. */
#include "handlers/handlers.h"

#include <string.h>

APLOG_USE_MODULE(punchout);

/* payloadID of a document that the writer made, for the log. */
static const char *payload_of(const char *document, apr_pool_t *p)
{
    const char *from = strstr(document, "payloadID=\""), *end;

    if (!from || !(end = strchr(from + 11, '"')))
        return "-";
    return apr_pstrmemdup(p, from + 11, (apr_size_t)(end - from - 11));
}

/* NULL: it may go out. Else the id under which the log says what is wrong with it. */
static const char *refused_as(request_rec *r, const po_site *site, const char *document, apr_size_t len)
{
    const char *wrong = po_cxml_validate(site->validator, document, len, r->pool);
    char id[PO_ID_TEXT];

    if (!wrong)
        return NULL;
    if (!site->validate_refuse) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0182: a document of ours is not valid by its DTD, and was "
                      "sent: %s (payloadID %s)", wrong, payload_of(document, r->pool));
        return NULL;
    }
    if (po_id(po_thread_get()->crypto, "doc", id) != APR_SUCCESS)
        apr_cpystrn(id, "doc-unknown", sizeof(id));
    ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, r, "PO0183: a document of ours is not valid by its DTD, and was held back "
                  "as %s: %s (payloadID %s)", id, wrong, payload_of(document, r->pool));
    return apr_pstrdup(r->pool, id);
}

int po_answer_refused(po_exchange *x, po_buffer *b)
{
    const char *id = refused_as(x->r, x->site, po_buffer_text(b), b->len);

    if (!id)
        return 0;
    x->refused = apr_pstrcat(x->r->pool, "The answer to this document can't be sent; ask the marketplace about ", id,
                             NULL);
    return 1;
}

int po_cart_refused(request_rec *r, const po_site *site, const char *document, int *rc)
{
    const char *id = site->validator ? refused_as(r, site, document, strlen(document)) : NULL;

    if (!id)
        return 0;
    *rc = po_page_problem(r, HTTP_INTERNAL_SERVER_ERROR, "The cart could not be returned",
                          apr_pstrcat(r->pool, "Nothing was sent to your procurement system, because the document would "
                                      "not have been correct. Ask the marketplace about ", id, ".", NULL));
    return 1;
}
