/* page.c - what a person sees: small pages without scripts of strangers, and the form that takes a cart back. */
#include "handlers/handlers.h"

#include "apr_base64.h"
#include "http_core.h"

#include <jansson.h>

APLOG_USE_MODULE(punchout);

#define PAGE_ROOM 8192

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#1d2433;background:#f4f6f9;margin:0}"
    "main{max-width:44rem;margin:3rem auto;padding:2rem;background:#fff;border-radius:10px;box-shadow:0 1px 4px #0002}"
    "h1{font-size:1.4rem;margin:0 0 1rem}table{width:100%;border-collapse:collapse;margin:1rem 0}"
    "th,td{text-align:left;padding:.5rem .4rem;border-bottom:1px solid #e3e7ee;vertical-align:top}"
    "th{font-weight:600;color:#55617a}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".state{display:inline-block;padding:.1rem .6rem;border-radius:1rem;background:#e3e9f5}"
    ".active,.tested{background:#d9f2e1}.failed,.expired,.cancelled{background:#fbdfdd}.held{background:#fdf0d0}"
    ".test{background:#fdf0d0;padding:.6rem 1rem;border-radius:6px;margin-bottom:1rem}"
    "button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:6px;background:#2557d6;color:#fff;cursor:pointer}"
    ".button{display:inline-block;padding:.6rem 1.2rem;border-radius:6px;background:#2557d6;color:#fff}"
    ".button{text-decoration:none}button.quiet{background:#e3e9f5;color:#1d2433}"
    "summary{cursor:pointer;color:#2557d6}details{margin:.6rem 0}"
    ".row{display:flex;flex-wrap:wrap;gap:.8rem}.note{background:#eef3fc;padding:.6rem 1rem;border-radius:6px}"
    "a:not(.button){color:#2557d6}.scroll{overflow-x:auto}"
    "td form{margin:.4rem 0 0}td button{padding:.3rem .8rem}"
    "@media(max-width:30rem){main{margin:0;border-radius:0;padding:1.2rem}"
    ".list tr{display:block;padding:.7rem 0;border-bottom:1px solid #e3e7ee}.list td{display:block;border:0;padding:.1rem 0}"
    ".list tr:first-child,.list td:empty{display:none}}";

/* The hosts that a buyer's carts may go back to, as a CSP source list. */
static const char *csp_hosts(const po_buyer *b, apr_pool_t *p)
{
    const char *list = "";
    int i;

    for (i = 0; b->return_hosts && i < b->return_hosts->nelts; i++) {
        const po_return_host *h = &APR_ARRAY_IDX(b->return_hosts, i, po_return_host);

        list = apr_pstrcat(p, list, " ", h->scheme, "://", *h->host == '.' ? "*" : "", h->host,
                           h->port ? apr_psprintf(p, ":%d", h->port) : ":*", NULL);
    }
    return *list ? list : " 'none'";
}

/* Inside a session the procurement system may frame our pages, nobody else may; and it has not opened what began in the
 * marketplace. */
static const char *frame_ancestors(request_rec *r)
{
    const po_session *s = po_request_session(r);
    const po_site *site = po_config_site(r->server);
    const po_buyer *b = s && site && !po_session_is_draft(s) ? po_site_buyer(site, s->buyer) : NULL;

    return b ? csp_hosts(b, r->pool) : " 'none'";
}

static void security_headers(request_rec *r, const char *csp)
{
    apr_table_setn(r->headers_out, "Content-Security-Policy", csp);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
}

static int send_page(request_rec *r, int status, po_buffer *b)
{
    ap_set_content_type(r, "text/html; charset=UTF-8");
    ap_set_content_length(r, (apr_off_t)b->len);
    r->status = status;
    if (!r->header_only)
        ap_rwrite(b->data, (int)b->len, r);
    return OK;
}

static void page_head(po_buffer *b, const char *title)
{
    po_buffer_lit(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"UTF-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    po_buffer_xml(b, title);
    po_buffer_lit(b, "</title><style>");
    po_buffer_str(b, style);
    po_buffer_lit(b, "</style></head><body><main><h1>");
    po_buffer_xml(b, title);
    po_buffer_lit(b, "</h1>");
}

int po_page(request_rec *r, int http_status, const char *title, const char *body_html)
{
    po_buffer b;

    security_headers(r, apr_pstrcat(r->pool, "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                                    "frame-ancestors", frame_ancestors(r), NULL));
    po_buffer_init(&b, r->pool, PAGE_ROOM);
    page_head(&b, title);
    po_buffer_str(&b, body_html);
    po_buffer_lit(&b, "</main></body></html>\n");
    return send_page(r, http_status, &b);
}

int po_page_problem(request_rec *r, int http_status, const char *title, const char *text)
{
    po_buffer b;

    po_buffer_init(&b, r->pool, 512);
    po_buffer_lit(&b, "<p>");
    po_buffer_xml(&b, text);
    po_buffer_lit(&b, "</p>");
    return po_page(r, http_status, title, po_buffer_text(&b));
}

int po_page_cart_gone(request_rec *r, const char *next)
{
    return po_page_problem(r, HTTP_CONFLICT, "This session's cart has gone back already",
                           apr_pstrcat(r->pool, "One punchout returns one cart. Open the marketplace from your procurement "
                                       "system again to ", next, ".", NULL));
}

int po_page_not_kept(request_rec *r)
{
    return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "Your request could not be kept, and nothing "
                           "was sent to your procurement system. Try again in a few minutes.");
}

static const char *base64(const char *document, apr_pool_t *p)
{
    int len = (int)strlen(document);
    char *out = apr_palloc(p, (apr_size_t)apr_base64_encode_len(len));

    apr_base64_encode(out, document, len);
    return out;
}

int po_page_return(request_rec *r, const po_buyer *buyer, const char *return_url, const char *document,
                   const char *text)
{
    po_thread *t = po_thread_get();
    unsigned char random[PO_TOKEN_BYTES];
    char nonce[PO_TOKEN_TEXT + 1];
    po_buffer b;

    if (po_random(t->crypto, random, sizeof(random)) != APR_SUCCESS)
        return HTTP_SERVICE_UNAVAILABLE;
    po_base64url(nonce, random, sizeof(random));
    nonce[PO_TOKEN_TEXT] = '\0';
    /* form-action names every return host of the buyer: browsers hold redirects behind the POST to it as well */
    security_headers(r, apr_pstrcat(r->pool, "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-", nonce,
                                    "'; form-action", csp_hosts(buyer, r->pool), "; frame-ancestors",
                                    csp_hosts(buyer, r->pool), NULL));
    po_buffer_init(&b, r->pool, PAGE_ROOM + 2 * strlen(document));
    page_head(&b, "Returning to your procurement system");
    po_buffer_lit(&b, "<form method=\"post\" accept-charset=\"UTF-8\" action=\"");
    po_buffer_xml(&b, return_url);
    po_buffer_lit(&b, "\"><input type=\"hidden\" name=\"");
    po_buffer_xml(&b, buyer->profile.cart_field);
    po_buffer_lit(&b, "\" value=\"");
    po_buffer_xml(&b, buyer->profile.cart_base64 ? base64(document, r->pool) : document);
    po_buffer_lit(&b, "\"><p>");
    po_buffer_xml(&b, text);
    po_buffer_lit(&b, " If nothing happens, press the button.</p><button>Return to your procurement "
                  "system</button></form><script nonce=\"");
    po_buffer_str(&b, nonce);
    po_buffer_lit(&b, "\">document.forms[0].submit()</script></main></body></html>\n");
    return send_page(r, HTTP_OK, &b);
}

const char *po_problem_json(int http, const char *detail, apr_pool_t *p)
{
    json_t *j = json_pack("{s:i,s:s,s:s}", "status", http, "title", ap_get_status_line(http) + 4, "detail", detail);
    char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
    const char *out = apr_pstrdup(p, text ? text : "{}");

    json_decref(j);
    free(text);
    return out;
}

int po_problem(request_rec *r, int http, const char *detail)
{
    ap_set_content_type(r, "application/problem+json");
    r->status = http;
    ap_rputs(po_problem_json(http, detail, r->pool), r);
    return OK;
}

const po_session *po_form_session(request_rec *r, apr_table_t **form, int *rc)
{
    const po_session *s = po_request_session(r);
    const char *csrf;

    if (r->method_number != M_POST) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_POST, -1);
        *rc = HTTP_METHOD_NOT_ALLOWED;
        return NULL;
    }
    if (!s) {
        *rc = po_page_problem(r, HTTP_FORBIDDEN, "No punchout session", "Your session has ended or this browser keeps no "
                              "cookies. Go back to your procurement system and open the marketplace from there.");
        return NULL;
    }
    *form = po_body_form(r);
    csrf = *form ? apr_table_get(*form, "csrf") : NULL;
    if (csrf && po_secret_equal(po_thread_get()->crypto, csrf, s->csrf))
        return s;
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0160: form without the right csrf field in session %s", s->id);
    *rc = po_page_problem(r, HTTP_FORBIDDEN, "This page belongs to another session", "The marketplace was opened again from "
                          "the procurement system since this page was loaded. Go on in the newest tab, or open the "
                          "marketplace from your procurement system once more.");
    return NULL;
}
