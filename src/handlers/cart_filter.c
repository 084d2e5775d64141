/* cart_filter.c - the marketplace's own cart: a response of application/vnd.punchout.cart+json to a POST in a session becomes
 * what POST /punchout/request does. Browsers can't forge it, for the response comes from the marketplace. */
#include "handlers/handlers.h"

#include "http_core.h"
#include "util_filter.h"

APLOG_USE_MODULE(punchout);

#define CART_TYPE "application/vnd.punchout.cart+json"
#define CART_LIMIT 262144               /* 256 KB */
#define FIRST_ROOM 4096

typedef struct {
    char *data;
    apr_size_t len, room;
    const char *wrong;                  /* why it is not taken, for the log; NULL: nothing yet */
    int complete, answered;
} cart_body;

static ap_filter_rec_t *cart_handle;

static int is_cart(const request_rec *r)
{
    const char *type = r->content_type;
    apr_size_t len = sizeof(CART_TYPE) - 1;

    return type && !ap_cstr_casecmpn(type, CART_TYPE, len) && (!type[len] || type[len] == ';' || type[len] == ' ');
}

/* ---- collecting ----------------------------------------------------------------------------------------------- */

static const char *refused_at_once(const request_rec *r)
{
    const char *encoding = apr_table_get(r->headers_out, "Content-Encoding");
    const char *length = apr_table_get(r->headers_out, "Content-Length");

    if (r->status != HTTP_OK)
        return apr_psprintf(r->pool, "its HTTP status is %d; answer with 200", r->status);
    if (encoding && ap_cstr_casecmp(encoding, "identity"))
        return "it has a Content-Encoding; switch compression off for it";
    if (length && apr_atoi64(length) > CART_LIMIT)
        return "it is larger than 256 KB";
    return NULL;
}

static cart_body *begin(request_rec *r)
{
    cart_body *c = apr_pcalloc(r->pool, sizeof(*c));

    c->room = FIRST_ROOM;
    c->data = apr_palloc(r->pool, c->room);
    c->wrong = refused_at_once(r);
    return c;
}

static void append(cart_body *c, const char *data, apr_size_t len, apr_pool_t *p)
{
    if (len > CART_LIMIT - c->len) {
        c->wrong = "it is larger than 256 KB";
        return;
    }
    if (c->len + len > c->room) {
        char *bigger;

        while (c->room < c->len + len)
            c->room *= 2;
        bigger = apr_palloc(p, c->room);
        memcpy(bigger, c->data, c->len);
        c->data = bigger;
    }
    memcpy(c->data + c->len, data, len);
    c->len += len;
}

static void collect(cart_body *c, apr_bucket_brigade *bb, apr_pool_t *p)
{
    while (!APR_BRIGADE_EMPTY(bb) && !c->complete && !c->wrong) {
        apr_bucket *e = APR_BRIGADE_FIRST(bb);
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(e))
            c->complete = 1;
        else if (AP_BUCKET_IS_ERROR(e))
            c->wrong = "it broke off";
        else if (!APR_BUCKET_IS_METADATA(e)) {
            if (apr_bucket_read(e, &data, &len, APR_BLOCK_READ) == APR_SUCCESS)
                append(c, data, len, p);
            else
                c->wrong = "it can't be read";
        }
        apr_bucket_delete(e);
    }
}

/* ---- the answer in its place ---------------------------------------------------------------------------------- */

void po_response_forget(request_rec *r)
{
    static const char *const names[] = { "Content-Type", "Content-Length", "Content-Encoding", "Content-Language",
        "Content-Disposition", "Content-Location", "Content-MD5", "Content-Range", "Digest", "Accept-Ranges", "ETag",
        "Last-Modified", "Expires", "Location", "Refresh", "X-Frame-Options", "Content-Security-Policy-Report-Only" };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        apr_table_unset(r->headers_out, names[i]);
    r->status_line = NULL;
    r->content_encoding = NULL;
    r->content_languages = NULL;
    r->clength = 0;
}

static int marketplace_fault(request_rec *r)
{
    return po_page_problem(r, HTTP_BAD_GATEWAY, "The marketplace's cart can't be read", "Nothing was sent to your procurement "
                           "system. Go back and try again; if that does not help, tell the marketplace.");
}

static int no_session(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0143: a cart at %s is answered without a punchout session",
                  ap_escape_logitem(r->pool, r->uri));
    return po_page_problem(r, HTTP_FORBIDDEN, "No punchout session", "Your session has ended or this browser keeps no "
                           "cookies. Open the marketplace from your procurement system and choose again there.");
}

static int take_cart(request_rec *r, const po_site *site, const cart_body *c, po_thread *thread, const po_session *s)
{
    const char *canonical, *wrong;
    apr_array_header_t *entries;
    const po_buyer *b;
    int rc;

    if (!(b = po_request_buyer(r, site, s, &rc)))
        return rc;
    if ((wrong = po_cart_json_read(c->data, c->len, b->currency, &entries, &canonical, r->pool))) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0142: the marketplace's cart at %s in session %s is refused: %s",
                      ap_escape_logitem(r->pool, r->uri), s->id, wrong);
        return marketplace_fault(r);
    }
    return po_request_approval(r, site, s, b, entries,
                               po_sha256_hex(thread->crypto, canonical, strlen(canonical), r->pool));
}

/* Sends a page and returns OK, or an HTTP status. */
static int answer_cart(request_rec *r, const cart_body *c)
{
    const po_session *s = po_request_session(r);
    po_thread *thread = po_thread_get();

    if (!thread)
        return HTTP_SERVICE_UNAVAILABLE;
    if (!s)
        return no_session(r);
    po_headers_account(r);              /* what the response itself says counts for its cart */
    if (!(s = po_request_session(r)))
        return no_session(r);
    if (c->wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0144: the marketplace's cart at %s in session %s is not taken: %s",
                      ap_escape_logitem(r->pool, r->uri), s->id, c->wrong);
        return marketplace_fault(r);
    }
    return take_cart(r, po_config_site(r->server), c, thread, s);
}

/* httpd's own error pages are made by handlers, not inside of filters. */
static void answer_status(request_rec *r, int status)
{
    if (status != HTTP_SEE_OTHER) {
        po_page_problem(r, status, "Not at the moment", "Nothing was sent to your procurement system. Try again in a few "
                        "minutes.");
        return;
    }
    r->status = status;
    ap_set_content_type(r, NULL);
    ap_set_content_length(r, 0);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
}

/* Pages are written to the filters below this one; EOS makes httpd send what it has gathered of them. */
static apr_status_t answer(ap_filter_t *f, const cart_body *c)
{
    request_rec *r = f->r;
    apr_bucket_brigade *end = apr_brigade_create(r->pool, f->c->bucket_alloc);
    ap_filter_t *above = r->output_filters;
    apr_status_t rv;
    int rc;

    po_response_forget(r);
    r->output_filters = f->next;
    if ((rc = answer_cart(r, c)) != OK)
        answer_status(r, rc);
    APR_BRIGADE_INSERT_TAIL(end, apr_bucket_eos_create(f->c->bucket_alloc));
    rv = ap_pass_brigade(r->output_filters, end);
    r->output_filters = above;
    return rv;
}

/* ---- the filter ----------------------------------------------------------------------------------------------- */

static apr_status_t cart_out(ap_filter_t *f, apr_bucket_brigade *bb)
{
    cart_body *c = f->ctx;
    apr_status_t rv = APR_SUCCESS;

    if (!c) {
        if (APR_BRIGADE_EMPTY(bb))
            return ap_pass_brigade(f->next, bb);
        if (!is_cart(f->r)) {
            ap_remove_output_filter(f);
            return ap_pass_brigade(f->next, bb);
        }
        f->ctx = c = begin(f->r);
    }
    if (!c->answered)
        collect(c, bb, f->r->pool);
    if (!c->answered && (c->complete || c->wrong)) {
        c->answered = 1;
        rv = answer(f, c);
    }
    apr_brigade_cleanup(bb);
    return rv;
}

void po_cart_filter(request_rec *r)
{
    if (!r->main && r->method_number == M_POST && po_config_site(r->server)
        && !(r->handler && !strcmp(r->handler, "punchout")))
        ap_add_output_filter_handle(cart_handle, NULL, r, r->connection);
}

void po_cart_filter_register(void)
{
    /* above mod_deflate and mod_headers, so that both work on what the browser gets */
    cart_handle = ap_register_output_filter("PUNCHOUT_CART", cart_out, NULL, AP_FTYPE_CONTENT_SET - 1);
}
