/* start.c - start/TOKEN: the one-time token becomes a cookie, and the browser goes on to the shop. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

const char *po_shop_page(request_rec *r, const po_site *site, po_thread *t, const po_session *s,
                         const char *product_or_offer)
{
    const char *mark = site->product_page ? strstr(site->product_page, "{product}") : NULL;
    po_catalog *catalog = mark && *product_or_offer ? po_thread_catalog(t, site) : NULL;
    const po_buyer *buyer = po_site_buyer(site, s->buyer);
    po_offer *offer;

    if (!catalog || !buyer || po_catalog_item(catalog, product_or_offer, buyer, r->pool, &offer) != APR_SUCCESS)
        return site->start_page;
    return apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, site->product_page, (apr_size_t)(mark - site->product_page)),
                       ap_escape_path_segment(r->pool, offer->product), mark + strlen("{product}"), NULL);
}

/* Whoever comes back with a cart sees that cart, everybody else the shop. Signing on comes before either: the page
 * there knows by itself how to come back. */
static const char *first_page(request_rec *r, const po_site *site, po_thread *t, const po_session *s)
{
    if (*s->sign_on)
        return s->sign_on;
    if (*s->request)
        return apr_pstrcat(r->pool, site->door, "/requests/", s->request, NULL);
    return apr_pstrcat(r->pool, site->public_url, po_shop_page(r, site, t, s, s->selected), NULL);
}

static int spent(request_rec *r)
{
    return po_page_problem(r, HTTP_FORBIDDEN, "This link has been used",
                           "A link from a procurement system opens the marketplace once and within a few minutes. Go back "
                           "to your procurement system and open the marketplace from there again.");
}

int po_handle_start(request_rec *r, const po_site *site, const char *token)
{
    po_thread *t = po_thread_get();
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    apr_status_t rv;

    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "no-referrer");
    if (!t)
        return HTTP_SERVICE_UNAVAILABLE;
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (r->header_only)                 /* a link scanner's HEAD must not spend the token */
        return OK;
    rv = po_session_start(po_child_sessions(), t->crypto, token, r->request_time, cookie, &s, r->pool);
    if (rv != APR_SUCCESS || strcmp(s.site, site->public_url)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0140: a start link was used, expired or never made");
        return spent(r);
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0141: session %s of buyer %s begins", s.id, s.buyer);
    po_cookie_set(r, site, cookie);
    apr_table_setn(r->headers_out, "Location", first_page(r, site, t, &s));
    return HTTP_SEE_OTHER;
}
