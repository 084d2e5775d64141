/* cancel.c - back to the procurement system without a cart: nothing there changes. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

int po_handle_cancel(request_rec *r, const po_site *site)
{
    po_thread *t = po_thread_get();
    apr_table_t *form;
    const po_session *s;
    const po_buyer *b;
    const char *document;
    int rc;

    if (!t)
        return HTTP_SERVICE_UNAVAILABLE;
    if (!(s = po_form_session(r, &form, &rc)))
        return rc;
    if (!(b = po_site_buyer(site, s->buyer)))
        return po_page_problem(r, HTTP_GONE, "This connection has ended", "Your procurement system is not connected to this "
                               "marketplace any more. You can close this window.");
    /* Status 204 and no lines: a bare empty cart would delete the lines of a cart that is being edited */
    document = po_cart_document(site, b, s, NULL, po_payload_id(t->crypto, site->host, r->request_time, r->pool),
                                r->request_time, r->pool);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0170: session %s of buyer %s ends without a cart", s->id, s->buyer);
    rc = po_page_return(r, b, s->return_url, document);
    po_session_remove(po_child_sessions(), t->crypto, po_request_cookie(r));
    return rc;
}
