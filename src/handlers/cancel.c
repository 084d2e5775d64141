/* cancel.c - back to the procurement system without a cart: nothing there changes. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

/* The cart that went back in this session already. Its page may never have reached the procurement system: after an
 * edit the lines there are those of a replaced request, and only this cart, never "unchanged", mends them.
 * APR_NOTFOUND: none. */
static apr_status_t returned_cart(request_rec *r, const po_site *site, const po_session *s, po_thread *t,
                                  const char **document)
{
    po_ledger_db *db = po_thread_ledger(t);
    po_document *d = NULL;
    po_request *n;
    apr_status_t rv;

    if (!db)
        return APR_EGENERAL;
    rv = po_request_of_session(db, site->public_url, s->id, NULL, r->pool, &n);
    if (rv == APR_SUCCESS)
        rv = po_document_get(db, site->public_url, n->cart_payload, r->pool, &d);
    if (rv == APR_SUCCESS)
        *document = d->body;
    else if (rv != APR_NOTFOUND) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "PO0134: the cart of session %s can't be read: %s", s->id,
                      po_ledger_error(db));
        po_thread_ledger_drop(t);
    }
    return rv;
}

static const char *parting_words(const po_session *s, int changed)
{
    if (changed)
        return "Your changed cart is on its way.";
    return *s->request ? "Your cart stays as it was." : "You go back without a cart.";
}

int po_handle_cancel(request_rec *r, const po_site *site)
{
    po_thread *t = po_thread_get();
    apr_table_t *form;
    const po_session *s;
    const po_buyer *b;
    const char *document = NULL;
    apr_status_t rv = APR_NOTFOUND;
    int rc;

    if (!t)
        return HTTP_SERVICE_UNAVAILABLE;
    if (!(s = po_form_session(r, &form, &rc)))
        return rc;
    if (po_session_is_draft(s))
        return po_page_problem(r, HTTP_CONFLICT, "There is nothing to return to", "You did not come from a procurement "
                               "system. To leave, sign out of the marketplace or close this window.");
    if (!(b = po_site_buyer(site, s->buyer)))
        return po_page_problem(r, HTTP_GONE, "This connection has ended", "Your procurement system is not connected to this "
                               "marketplace any more. You can close this window.");
    if (!strcmp(s->operation, "edit"))
        rv = returned_cart(r, site, s, t, &document);
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
        return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "What became of your cart can't be "
                               "read just now. Try again in a few minutes.");
    /* Status 204 and no lines: a bare empty cart would delete the lines of a cart that is being edited */
    if (!document)
        document = po_cart_document(site, b, s, NULL, po_payload_id(t->crypto, site->host, r->request_time, r->pool),
                                    r->request_time, r->pool);
    if (po_cart_refused(r, site, document, &rc))
        return rc;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0170: session %s of buyer %s ends without %scart", s->id, s->buyer,
                  rv == APR_SUCCESS ? "another " : "a ");
    rc = po_page_return(r, b, s->return_url, document, parting_words(s, rv == APR_SUCCESS));
    po_session_remove(po_child_sessions(), t->crypto, po_request_cookie(r));
    return rc;
}
