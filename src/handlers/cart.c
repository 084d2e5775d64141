/* cart.c - the PunchOutOrderMessage that takes a session's cart back. */
#include "handlers/handlers.h"

#define DOCUMENT_ROOM 4096

/* The product's page in the marketplace, for those who look at the requisition later; NULL: there is none. */
static const char *product_url(const po_site *site, const po_request *request, apr_pool_t *p)
{
    const char *mark = site->product_page ? strstr(site->product_page, "{product}") : NULL;

    if (!mark || !request->product)
        return NULL;
    return apr_pstrcat(p, site->public_url,
                       apr_pstrmemdup(p, site->product_page, (apr_size_t)(mark - site->product_page)),
                       ap_escape_path_segment(p, request->product), mark + strlen("{product}"), NULL);
}

static void add_url(const apr_array_header_t *items, const char *url)
{
    int i;

    for (i = 0; i < items->nelts; i++)
        APR_ARRAY_IDX(items, i, po_cxml_cart_item).url = url;
}

const char *po_cart_document(const po_site *site, const po_buyer *buyer, const po_session *s, const po_request *request,
                             const char *payload_id, apr_time_t now, apr_pool_t *p)
{
    char stamp[PO_TIMESTAMP];
    po_cxml_envelope e = { payload_id, po_timestamp(now, stamp), buyer->profile.dtd, buyer->profile.ascii_only };
    po_cxml_cart cart = { { s->to_domain, s->to_identity }, { s->from_domain, s->from_identity }, PO_USER_AGENT };
    po_buffer b;

    cart.buyer_cookie = s->buyer_cookie;
    /* of a session that began with nothing and returns nothing there is nothing to edit */
    cart.operation_allowed = request || strcmp(s->operation, "create") ? "edit" : "create";
    cart.total = "0.00";
    cart.currency = buyer->currency;
    cart.test = request ? request->test : s->test;
    cart.unchanged = !request;
    if (request && po_cart_items(request, buyer, &cart, p) != APR_SUCCESS)
        return NULL;
    if (request)
        add_url(cart.items, product_url(site, request, p));
    po_buffer_init(&b, p, DOCUMENT_ROOM);
    b.ascii = buyer->profile.ascii_only;
    po_cxml_write_cart(&b, &e, &cart);
    return po_buffer_text(&b);
}
