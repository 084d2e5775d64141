/* cart.c - the PunchOutOrderMessage that takes a session's cart back. */
#include "handlers/handlers.h"

#define DOCUMENT_ROOM 4096

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
    po_buffer_init(&b, p, DOCUMENT_ROOM);
    b.ascii = buyer->profile.ascii_only;
    po_cxml_write_cart(&b, &e, &cart);
    return po_buffer_text(&b);
}
