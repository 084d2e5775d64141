/* request.c - "Request approval": a subscription request in the ledger, and its cart on the way back. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    po_request *request;                /* the new one */
    const char *document;               /* its cart; NULL: pre-approved */
    const char *replaces;               /* id of the request that is edited; "" of a create session */
    /* the outcome */
    po_request *before;                 /* the same form in the same session was sent before, or the session's cart went */
    int other;                          /* `before` is of another form */
    const char *before_document;
    const char *stale;                  /* why the edited request can't be changed any more; then nothing is kept */
} request_job;

static apr_status_t find_before(po_ledger_db *db, request_job *j)
{
    const po_request *n = j->request;
    po_document *d;
    apr_status_t rv = po_request_of_session(db, n->site, n->session, n->form_digest, j->r->pool, &j->before);

    j->other = 0;
    if (rv == APR_NOTFOUND) {
        rv = po_request_of_session(db, n->site, n->session, NULL, j->r->pool, &j->before);
        j->other = rv == APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || !j->before->cart_payload)
        return rv;
    rv = po_document_get(db, n->site, j->before->cart_payload, j->r->pool, &d);
    j->before_document = rv == APR_SUCCESS ? d->body : NULL;
    return rv;
}

static apr_status_t keep_cart(po_ledger_db *db, const request_job *j)
{
    po_document d = { j->request->site, j->request->buyer, j->request->cart_payload, "PunchOutOrderMessage", j->request->id,
                      j->document, 1, j->request->created };

    return po_document_insert(db, &d);
}

/* The edited request ends in the transaction that makes the new one, so that never both can be ordered. */
static apr_status_t replace_edited(po_ledger_db *db, request_job *j)
{
    po_request *old;
    apr_status_t rv = po_request_get(db, j->request->site, j->replaces, j->r->pool, &old);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    if ((j->stale = po_request_edit_refused(old, j->request->created, j->r->pool)))
        return APR_SUCCESS;
    old->state = PO_STATE_CANCELLED;
    old->reason = apr_pstrcat(j->r->pool, "replaced by ", j->request->id, NULL);
    old->updated = j->request->created;
    for (i = 0; i < old->charges->nelts; i++)
        APR_ARRAY_IDX(old->charges, i, po_charge).state = PO_CHARGE_CANCELLED;
    return po_request_update(db, old);
}

static apr_status_t make_request(po_ledger_db *db, void *baton)
{
    request_job *j = baton;
    apr_status_t rv;

    j->before = NULL;
    j->before_document = NULL;
    j->stale = NULL;
    rv = find_before(db, j);
    if (rv != APR_NOTFOUND)
        return rv;
    j->before = NULL;
    if (*j->replaces && ((rv = replace_edited(db, j)) != APR_SUCCESS || j->stale))
        return rv;
    j->request->state = PO_STATE_REQUESTED;
    if (!j->document)
        rv = po_delivery_event(db, j->site, j->request, PO_OUTCOME_APPROVED, NULL, NULL, j->request->created,
                               j->thread->crypto, j->r->pool);
    else
        rv = keep_cart(db, j);
    if (rv == APR_SUCCESS)
        rv = po_request_insert(db, j->request);
    if (rv == APR_SUCCESS && j->document)
        rv = po_delivery_mail(db, j->site, PO_MAIL_REQUESTED, j->request,
                              apr_pstrcat(j->r->pool, "mail-", j->request->id, "-requested", NULL), j->request->created,
                              j->r->pool);
    return rv;
}

/* ---- the form ------------------------------------------------------------------------------------------------- */

static const char *field(const apr_table_t *form, const char *name)
{
    const char *value = apr_table_get(form, name);

    return value && *value ? value : NULL;
}

static void digest_form(po_crypto *c, const po_request_form *f, char out[2 * PO_DIGEST + 1])
{
    const char *fields[] = { f->offer, f->quantity, f->budget, f->action, f->subscription, f->terms };
    unsigned char digest[PO_DIGEST];
    apr_size_t i;

    po_sha256_start(c);
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        po_sha256_add(c, fields[i] ? fields[i] : "", fields[i] ? strlen(fields[i]) + 1 : 1);
    po_sha256_end(c, digest);
    po_hex(out, digest, PO_DIGEST);
}

static apr_status_t fill_request(po_request *n, const request_job *j, const po_session *s, const po_buyer *b,
                                 const po_request_form *f)
{
    request_rec *r = j->r;
    char *id = apr_palloc(r->pool, PO_ID_TEXT), *digest = apr_palloc(r->pool, 2 * PO_DIGEST + 1);
    apr_status_t rv = po_id(j->thread->crypto, "req", id);

    digest_form(j->thread->crypto, f, digest);
    n->id = id;
    n->site = j->site->public_url;
    n->buyer = b->name;
    n->organization = b->organization;
    n->session = s->id;
    n->form_digest = digest;
    n->test = s->test || b->deployment == PO_DEPLOYMENT_TEST;
    n->user = s->user;
    n->email = s->email;
    n->user_name = s->user_name;
    n->account = *s->account ? s->account : NULL;
    n->account_email = *s->account_email ? s->account_email : NULL;
    n->created = n->updated = n->terms_at = r->request_time;
    n->expires = r->request_time + j->site->request_timeout;
    return rv;
}

static int unreadable(const request_job *j, const po_session *s)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->r, "PO0135: request %s, which session %s edits, can't be read from the "
                  "ledger", s->request, s->id);
    po_thread_ledger_drop(j->thread);
    return po_page_problem(j->r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "Your cart can't be read just now, and "
                           "nothing was sent to your procurement system. Try again in a few minutes.");
}

/* A renewal whose quantity is changed is still one, when the form doesn't say otherwise: it must not become a second
 * subscription. 0: the edited request can't be read. */
static int keep_action(const request_job *j, const po_session *s, const po_offer *offer, po_request_form *f)
{
    po_ledger_db *db;
    po_request *old;

    if (!*s->request || f->action)
        return 1;
    if (!(db = po_thread_ledger(j->thread))
        || po_request_get(db, j->site->public_url, s->request, j->r->pool, &old) != APR_SUCCESS)
        return 0;
    if (strcmp(old->action, "new") && !strcmp(old->product, offer->product)) {
        f->action = old->action;
        f->subscription = f->subscription ? f->subscription : old->subscription;
    }
    return 1;
}

/* The priced request for a form; NULL when a page that says why was sent (*rc). */
static po_request *price(request_job *j, const po_session *s, const po_buyer *b, po_request_form *f, int *rc)
{
    request_rec *r = j->r;
    po_catalog *catalog = po_thread_catalog(j->thread, j->site);
    po_request *n = apr_pcalloc(r->pool, sizeof(*n));
    const char *wrong;
    po_offer *offer;
    apr_status_t rv;

    if (!catalog) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0161: no request for approval without a usable PunchOutCatalog");
        *rc = po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "The catalog can't be read just now. Try "
                              "again in a few minutes.");
        return NULL;
    }
    rv = f->offer ? po_catalog_offer(catalog, f->offer, r->pool, &offer) : APR_NOTFOUND;
    if (rv != APR_SUCCESS) {
        *rc = po_page_problem(r, HTTP_NOT_FOUND, "No such offer", "This offer is not in the catalog any more. Go back to the "
                              "product's page and choose one that it shows.");
        return NULL;
    }
    if (!keep_action(j, s, offer, f)) {
        *rc = unreadable(j, s);
        return NULL;
    }
    if (fill_request(n, j, s, b, f) != APR_SUCCESS) {
        *rc = HTTP_SERVICE_UNAVAILABLE;
        return NULL;
    }
    if ((wrong = po_cart_build(n, offer, f, j->site, b, r->pool))) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0162: request in session %s refused: %s", s->id, wrong);
        *rc = po_page_problem(r, HTTP_BAD_REQUEST, "This can't be requested", wrong);
        return NULL;
    }
    return n;
}

/* ---- the answer ----------------------------------------------------------------------------------------------- */

static int go_to_request(request_rec *r, const po_site *site, const po_request *n)
{
    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, site->door, "/requests/", n->id, NULL));
    return HTTP_SEE_OTHER;
}

static int answer(const request_job *j, const po_session *s, const po_buyer *b)
{
    request_rec *r = j->r;
    const po_request *n = j->before ? j->before : j->request;
    const char *document = j->before ? j->before_document : j->document;

    if (j->stale)
        return po_page_problem(r, HTTP_CONFLICT, "This cart can't be changed any more",
                               apr_pstrcat(r->pool, "Nothing was sent: ", j->stale, ". Return to your procurement "
                                           "system first; from there, open the marketplace for a new cart.", NULL));
    if (j->before && j->other)
        return po_page_problem(r, HTTP_CONFLICT, "This session's cart has gone back already",
                               "One punchout returns one cart. Open the marketplace from your procurement system again to "
                               "request something else.");
    if (!document)
        return go_to_request(r, j->site, n);
    return po_page_return(r, b, s->return_url, document, *j->replaces ? "Your changed cart is on its way."
                                                                         : "Your request is on its way.");
}

static int no_account(request_rec *r)
{
    return po_page_problem(r, HTTP_FORBIDDEN, "Sign in first", "A subscription belongs to a marketplace account. Sign in to "
                           "the marketplace in this window, then request approval again.");
}

static int read_only(request_rec *r, const po_session *s)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0165: session %s only inspects request %s and can't request "
                  "anything", s->id, s->request);
    return po_page_problem(r, HTTP_FORBIDDEN, "This cart is shown read-only", "You opened an earlier cart to look at "
                           "it, so nothing can be requested. Return to your procurement system; there, edit the cart "
                           "or open the marketplace for a new one.");
}

/* It would need no order, while the requisition keeps the lines of the edited cart: no document says "these lines are
 * gone" without deleting what else the buyer may have there, and the same thing could be bought twice. */
static int approved_beforehand(request_rec *r, const po_session *s)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0166: session %s edits request %s and can't replace it by one that "
                  "needs no order", s->id, s->request);
    return po_page_problem(r, HTTP_CONFLICT, "This needs no approval and can't replace your cart", "What you chose is "
                           "approved beforehand and would never be ordered, so your requisition would keep its old "
                           "lines. Return unchanged, remove them in your procurement system, and request this in a new "
                           "visit.");
}

static void note_outcome(const request_job *j, const po_session *s)
{
    const po_request *n = j->before ? j->before : j->request;

    if (j->stale)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0167: session %s changes nothing: %s", s->id, j->stale);
    else
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0164: request %s of session %s, offer %s%s%s%s%s", n->id,
                      s->id, j->request->offer, j->request->preapproved_by ? ", approved by " : "",
                      j->request->preapproved_by ? j->request->preapproved_by : "", *j->replaces ? ", replaces " : "",
                      j->replaces);
}

int po_handle_request(request_rec *r, const po_site *site)
{
    request_job j = { r, site, po_thread_get() };
    apr_table_t *form;
    const po_session *s;
    const po_buyer *b;
    apr_status_t rv;
    int rc;

    if (!j.thread)
        return HTTP_SERVICE_UNAVAILABLE;
    if (!(s = po_form_session(r, &form, &rc)))
        return rc;
    if (!(b = po_site_buyer(site, s->buyer)) || b->fault)
        return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "The connection to your procurement system "
                               "is being changed. Try again in a few minutes.");
    if (!strcmp(s->operation, "inspect"))
        return read_only(r, s);
    j.replaces = s->request;
    if (site->account_required && !*s->account)
        return no_account(r);
    po_request_form f = { field(form, "offer"), field(form, "quantity"), field(form, "budget"), field(form, "action"),
                          field(form, "subscription"), field(form, "terms") };
    if (!(j.request = price(&j, s, b, &f, &rc)))
        return rc;
    if (j.request->preapproved_by && *s->request)
        return approved_beforehand(r, s);
    if (!j.request->preapproved_by) {
        j.request->cart_payload = po_payload_id(j.thread->crypto, site->host, r->request_time, r->pool);
        j.document = po_cart_document(site, b, s, j.request, j.request->cart_payload, r->request_time, r->pool);
        if (!j.document)
            return HTTP_INTERNAL_SERVER_ERROR;  /* without a cart it would pass for approved */
        if (po_cart_refused(r, site, j.document, &rc))
            return rc;
    }
    rv = po_ledger_run(po_child_ledger(), make_request, &j);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0163: a request of session %s could not be written to the ledger", s->id);
        return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "Your request could not be kept, and nothing "
                               "was sent to your procurement system. Try again in a few minutes.");
    }
    note_outcome(&j, s);
    return answer(&j, s, b);
}
