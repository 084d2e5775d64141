/* cart.c - the PunchOutOrderMessage that takes a session's cart back. */
#include "handlers/handlers.h"

#define DOCUMENT_ROOM 4096

const char *po_product_url(const po_site *site, const char *product, apr_pool_t *p)
{
    const char *mark = site->product_page ? strstr(site->product_page, "{product}") : NULL;

    if (!mark || !product)
        return NULL;
    return apr_pstrcat(p, site->public_url,
                       apr_pstrmemdup(p, site->product_page, (apr_size_t)(mark - site->product_page)),
                       ap_escape_path_segment(p, product), mark + strlen("{product}"), NULL);
}

static apr_status_t add_request(po_cxml_cart *cart, const po_site *site, const po_request *request,
                                const po_buyer *buyer, apr_pool_t *p)
{
    const char *url = po_product_url(site, request->product, p);  /* for those who look at the requisition later */
    int i = cart->items ? cart->items->nelts : 0;
    apr_status_t rv = po_cart_items(request, buyer, cart, p);

    for (; rv == APR_SUCCESS && i < cart->items->nelts; i++)
        APR_ARRAY_IDX(cart->items, i, po_cxml_cart_item).url = url;
    return rv;
}

/* Of a session that began with nothing and returns nothing there is nothing to edit; a visit edits one request; and a continued
 * one is only looked at (po_request_edit_refused()). */
static const char *allowed(const po_session *s, const apr_array_header_t *requests)
{
    if (!requests)
        return strcmp(s->operation, "create") ? "edit" : "create";
    if (requests->nelts > 1)
        return "create";
    return po_request_is_continued(APR_ARRAY_IDX(requests, 0, po_request *)) ? "inspect" : "edit";
}

const char *po_cart_document(const po_site *site, const po_buyer *buyer, const po_session *s,
                             const apr_array_header_t *requests, const char *payload_id, apr_time_t now, apr_pool_t *p)
{
    char stamp[PO_TIMESTAMP];
    po_cxml_envelope e = { payload_id, po_timestamp(now, stamp), buyer->profile.dtd, buyer->profile.ascii_only };
    po_cxml_cart cart = { { s->to_domain, s->to_identity }, { s->from_domain, s->from_identity }, PO_USER_AGENT };
    po_buffer b;
    int i;

    cart.buyer_cookie = s->buyer_cookie;
    cart.operation_allowed = allowed(s, requests);
    cart.total = "0.00";
    cart.currency = buyer->currency;
    cart.test = requests ? APR_ARRAY_IDX(requests, 0, po_request *)->test : s->test;
    cart.unchanged = !requests;
    for (i = 0; requests && i < requests->nelts; i++)
        if (add_request(&cart, site, APR_ARRAY_IDX(requests, i, po_request *), buyer, p) != APR_SUCCESS)
            return NULL;
    po_buffer_init(&b, p, DOCUMENT_ROOM);
    b.ascii = buyer->profile.ascii_only;
    po_cxml_write_cart(&b, &e, &cart);
    return po_buffer_text(&b);
}
