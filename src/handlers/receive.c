/* receive.c - a cXML document on its way in: body, reading, authentication, and the answer's way out. */
#include "handlers/handlers.h"

#include "http_core.h"

APLOG_USE_MODULE(punchout);

#define LIMIT_UNSET (-1)                /* core's AP_LIMIT_UNSET, which is private to it */
#define LIMIT_DEFAULT (4 * 1024 * 1024)
#define LIMIT_MOST (64 * 1024 * 1024)
#define ANSWER_ROOM 2048

/* LimitXMLRequestBody where it is set (0 there means none), within a limit of our own. */
static apr_size_t body_limit(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    apr_int64_t set = (apr_int64_t)core->limit_xml_body;

    if (set == LIMIT_UNSET)
        return LIMIT_DEFAULT;
    return set == 0 || set > LIMIT_MOST ? LIMIT_MOST : (apr_size_t)set;
}

/* ---- answers -------------------------------------------------------------------------------------------------- */

void po_envelope(po_exchange *x, po_cxml_envelope *e)
{
    char *stamp = apr_palloc(x->r->pool, PO_TIMESTAMP);

    e->payload_id = po_payload_id(x->thread->crypto, x->site->host, apr_time_now(), x->r->pool);
    e->timestamp = po_timestamp(x->r->request_time, stamp);
    e->dtd = x->match.buyer ? x->match.buyer->profile.dtd : PO_DTD_FOR_STRANGERS;
    e->ascii = 0;
}

int po_answer_send(po_exchange *x, po_buffer *b)
{
    request_rec *r = x->r;
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);

    if (x->site->validator && !x->refused && po_answer_refused(x, b))
        return po_answer_status(x, 560, x->refused);
    ap_set_content_type(r, "text/xml; charset=UTF-8");
    ap_set_content_length(r, (apr_off_t)b->len);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(b->data, b->len, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, bb);     /* a failure here is the client's going away */
    return OK;
}

int po_answer_status(po_exchange *x, int code, const char *detail)
{
    po_cxml_envelope e;
    po_buffer b;

    if (code >= 500) {                          /* some buyers look at HTTP alone and would take 200 for "delivered" */
        x->r->status = x->match.buyer ? x->match.buyer->profile.transient_http : HTTP_SERVICE_UNAVAILABLE;
        apr_table_setn(x->r->headers_out, "Retry-After", "60");
    }
    po_envelope(x, &e);
    po_buffer_init(&b, x->r->pool, ANSWER_ROOM);
    po_cxml_write_status(&b, &e, code, detail);
    return po_answer_send(x, &b);
}

/* ---- refusals before anybody is known ------------------------------------------------------------------------- */

static int refuse_method(po_exchange *x)
{
    x->r->status = HTTP_METHOD_NOT_ALLOWED;
    apr_table_setn(x->r->headers_out, "Allow", "POST");
    return po_answer_status(x, 400, "cXML documents are taken by POST only");
}

static int refuse_body(po_exchange *x, int rc, apr_size_t limit)
{
    x->r->connection->keepalive = AP_CONN_CLOSE;        /* what is left of the body is not read */
    if (rc == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0101: cXML document refused: larger than the %" APR_SIZE_T_FMT
                      " bytes of LimitXMLRequestBody, or than LimitRequestBody", limit);
        return po_answer_status(x, 400, "The document is larger than this server takes");
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0102: the body of a cXML document could not be read (HTTP %d)", rc);
    if (rc == AP_FILTER_ERROR)                          /* a broken chunk: httpd has answered already */
        return rc;
    return po_answer_status(x, 400, "The body could not be read to its end");
}

static int refuse_document(po_exchange *x)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0103: cXML document refused with Status %d: %s (payloadID %s)",
                  x->doc.status, x->doc.why, x->doc.payload_id ? x->doc.payload_id : "-");
    return po_answer_status(x, x->doc.status, x->doc.why);
}

static int refuse_match(po_exchange *x)
{
    ap_log_rerror(APLOG_MARK, x->match.result == PO_MATCH_FAULT ? APLOG_ERR : APLOG_WARNING, 0, x->r,
                  "PO0104: %s refused: %s", x->doc.request, x->match.why);
    if (x->match.result == PO_MATCH_FAULT)
        return po_answer_status(x, 560, "This connection can't be used at the moment");
    /* one text for all of them: it must not tell which identities exist */
    return po_answer_status(x, 401, "Sender not recognised: check the identities of From, To and Sender and the "
                                    "shared secret");
}

/* ---- attachments ---------------------------------------------------------------------------------------------- */

/* A body in parts becomes the document in it; any other is the document. NULL, or what is wrong. */
static const char *find_document(request_rec *r, char *body, apr_size_t len, po_mime *out)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    if (po_mime_is_multipart(type))
        return po_mime_read(out, type, body, len, r->pool);
    out->document = body;
    out->len = len;
    out->charset = type ? po_mime_parameter(type, "charset", r->pool) : NULL;
    return NULL;
}

static int refuse_parts(po_exchange *x, const char *wrong)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0107: a body of MIME parts is refused: %s", wrong);
    return po_answer_status(x, 400, wrong);
}

/* Their ids alone, which the document names too: names of files say more than a log should know. */
static void log_attachments(po_exchange *x, const apr_array_header_t *attachments)
{
    apr_array_header_t *ids;
    int i;

    if (!attachments || !attachments->nelts || !APLOG_R_IS_LEVEL(x->r, APLOG_INFO))
        return;
    ids = apr_array_make(x->r->pool, attachments->nelts, sizeof(const char *));
    for (i = 0; i < attachments->nelts; i++) {
        const char *id = APR_ARRAY_IDX(attachments, i, po_mime_part).content_id;

        APR_ARRAY_PUSH(ids, const char *) = id ? id : "-";
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0108: %s of buyer %s has %d attachments, which are not kept: %s",
                  x->doc.request, x->match.buyer->name, attachments->nelts, apr_array_pstrcat(x->r->pool, ids, ' '));
}

/* ---- the way in ----------------------------------------------------------------------------------------------- */

static int dispatch(po_exchange *x)
{
    switch (x->doc.kind) {
    case PO_CXML_PROFILE:
        return po_handle_profile(x);
    case PO_CXML_SETUP:
        return po_handle_setup(x);
    case PO_CXML_ORDER:
        return po_handle_order(x);
    case PO_CXML_STATUS_UPDATE:
        return po_handle_status_update(x);
    default:
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0105: %s of buyer %s is not carried out", x->doc.request,
                      x->match.buyer->name);
        return po_answer_status(x, 450, apr_pstrcat(x->r->pool, x->doc.request, " is not supported; see the answer to a "
                                                    "ProfileRequest for what is", NULL));
    }
}

static void match(po_exchange *x)
{
    po_claim claim = { &x->doc.from, &x->doc.to, &x->doc.sender, x->doc.shared_secret, x->doc.mac, NULL,
                       x->r->request_time };

    if (x->site->certificates)
        claim.certificate = po_client_certificate(x->r, x->thread->crypto);
    po_match_request(x->site, x->thread->crypto, &claim, &x->match, x->r->pool);
}

int po_cxml_door(request_rec *r, const po_site *site)
{
    po_exchange x = { r, site, po_thread_get() };
    apr_size_t limit = body_limit(r), len;
    po_mime parts = { NULL };
    const char *wrong;
    char *body;
    int rc;

    if (!x.thread)
        return HTTP_SERVICE_UNAVAILABLE;
    if (r->method_number != M_POST)
        return refuse_method(&x);
    if ((rc = po_body_read(r, limit, &body, &len)) != OK)
        return refuse_body(&x, rc, limit);
    if (site->fault) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0106: cXML is answered 560: %s", site->fault);
        return po_answer_status(&x, 560, "This server is being maintained");
    }
    if ((wrong = find_document(r, body, len, &parts)))
        return refuse_parts(&x, wrong);
    if (po_cxml_read(x.thread->reader, r->pool, parts.document, parts.len, parts.charset, &x.doc) != APR_SUCCESS
        || !po_cxml_is_request(&x.doc))
        return refuse_document(&x);
    match(&x);
    if (x.match.result != PO_MATCH_OK)
        return refuse_match(&x);
    log_attachments(&x, parts.attachments);
    return dispatch(&x);
}
