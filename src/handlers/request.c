/* request.c - "Request approval": subscription requests in the ledger, and their cart on the way back. The form and the
 * marketplace's own cart (cart_filter.c) share all but the reading. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    const po_session *session;
    const po_buyer *buyer;
    const char *digest;                 /* hex, of what was asked for */
    apr_array_header_t *approved;       /* po_request *: new ones that need no order */
    apr_array_header_t *carted;         /* po_request *: new ones whose lines go back, all in one cart */
    const char *payload, *document;     /* of that cart; NULL: none goes back */
    int drafted;                        /* the session began in the marketplace: no cart goes back yet */
    /* the outcome */
    po_request *before;                 /* the same was asked for in this session before, or the session's cart went */
    int other;                          /* `before` is of something else */
    const char *before_document;
    const char *stale;                  /* why the edited request can't be changed any more; then nothing is kept */
} request_job;

static int count_requests(const request_job *j)
{
    return j->approved->nelts + j->carted->nelts;
}

static po_request *request_at(const request_job *j, int i)
{
    return i < j->approved->nelts ? APR_ARRAY_IDX(j->approved, i, po_request *)
                                  : APR_ARRAY_IDX(j->carted, i - j->approved->nelts, po_request *);
}

/* ---- in the ledger's transaction ------------------------------------------------------------------------------ */

static int has_ended(const po_request *n)
{
    return n->state == PO_STATE_CANCELLED || n->state == PO_STATE_EXPIRED;
}

/* Of several requests made at once the last is of the cart, if there is one. A session that began in the marketplace
 * returns no cart, so any number of drafts may be made in it; what has ended there is asked for anew. */
static apr_status_t find_before(po_ledger_db *db, request_job *j)
{
    const char *site = j->site->public_url, *session = j->session->id;
    po_document *d;
    apr_status_t rv = po_request_of_session(db, site, session, j->digest, j->r->pool, &j->before);

    j->other = 0;
    if (rv == APR_SUCCESS && j->drafted && has_ended(j->before))
        return APR_NOTFOUND;
    if (rv == APR_NOTFOUND) {
        rv = po_request_of_session(db, site, session, NULL, j->r->pool, &j->before);
        j->other = rv == APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || !j->before->cart_payload)
        return rv;
    rv = po_document_get(db, site, j->before->cart_payload, j->r->pool, &d);
    j->before_document = rv == APR_SUCCESS ? d->body : NULL;
    return rv;
}

static apr_status_t keep_cart(po_ledger_db *db, const request_job *j)
{
    const po_request *first = APR_ARRAY_IDX(j->carted, 0, po_request *);
    po_document d = { first->site, first->buyer, j->payload, "PunchOutOrderMessage", first->id, j->document, 1,
                      first->created };

    return po_document_insert(db, &d);
}

/* The edited request ends in the transaction that makes the new ones, so that never both can be ordered. */
static apr_status_t replace_edited(po_ledger_db *db, request_job *j)
{
    const po_request *first = APR_ARRAY_IDX(j->carted, 0, po_request *);
    po_request *old;
    apr_status_t rv = po_request_get(db, j->site->public_url, j->session->request, j->r->pool, &old);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    if ((j->stale = po_request_edit_refused(old, first->created, j->r->pool)))
        return APR_SUCCESS;
    old->state = PO_STATE_CANCELLED;
    old->reason = apr_pstrcat(j->r->pool, "replaced by ", first->id, NULL);
    if (j->carted->nelts > 1)
        old->reason = apr_psprintf(j->r->pool, "%s and %d more", old->reason, j->carted->nelts - 1);
    old->updated = first->created;
    for (i = 0; i < old->charges->nelts; i++)
        APR_ARRAY_IDX(old->charges, i, po_charge).state = PO_CHARGE_CANCELLED;
    return po_request_update(db, old);
}

static apr_status_t keep_request(po_ledger_db *db, const request_job *j, po_request *n)
{
    apr_status_t rv = APR_SUCCESS;

    if (j->drafted && !n->preapproved_by) {
        po_request_draft(n);
        return po_request_insert(db, n);
    }
    n->state = PO_STATE_REQUESTED;
    if (n->preapproved_by)
        rv = po_delivery_event(db, j->site, n, PO_OUTCOME_APPROVED, NULL, NULL, n->created, j->thread->crypto, j->r->pool);
    if (rv == APR_SUCCESS)
        rv = po_request_insert(db, n);
    if (rv == APR_SUCCESS && !n->preapproved_by)
        rv = po_delivery_mail(db, j->site, PO_MAIL_REQUESTED, n,
                              apr_pstrcat(j->r->pool, "mail-", n->id, "-requested", NULL), n->created, j->r->pool);
    return rv;
}

static apr_status_t make_requests(po_ledger_db *db, void *baton)
{
    request_job *j = baton;
    apr_status_t rv;
    int i;

    j->before = NULL;
    j->before_document = NULL;
    j->stale = NULL;
    rv = find_before(db, j);
    if (rv != APR_NOTFOUND)
        return rv;
    j->before = NULL;
    if (*j->session->request && ((rv = replace_edited(db, j)) != APR_SUCCESS || j->stale))
        return rv;
    rv = j->document ? keep_cart(db, j) : APR_SUCCESS;
    for (i = 0; rv == APR_SUCCESS && i < count_requests(j); i++)
        rv = keep_request(db, j, request_at(j, i));
    return rv;
}

/* ---- what is asked for ---------------------------------------------------------------------------------------- */

static const char *field(const apr_table_t *form, const char *name)
{
    const char *value = apr_table_get(form, name);

    return value && *value ? value : NULL;
}

static const char *digest_form(po_crypto *c, const po_request_form *f, apr_pool_t *p)
{
    const char *fields[] = { f->offer, f->quantity, f->budget, f->action, f->subscription, f->terms };
    char *hex = apr_palloc(p, 2 * PO_DIGEST + 1);
    unsigned char digest[PO_DIGEST];
    apr_size_t i;

    po_sha256_start(c);
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        po_sha256_add(c, fields[i] ? fields[i] : "", fields[i] ? strlen(fields[i]) + 1 : 1);
    po_sha256_end(c, digest);
    po_hex(hex, digest, PO_DIGEST);
    return hex;
}

int po_session_is_test(const po_session *s, const po_buyer *b)
{
    return s->test || b->deployment == PO_DEPLOYMENT_TEST;
}

po_request *po_request_make(request_rec *r, po_thread *t, const po_site *site, const po_buyer *b)
{
    po_request *n = apr_pcalloc(r->pool, sizeof(*n));
    char *id = apr_palloc(r->pool, PO_ID_TEXT);

    if (po_id(t->crypto, "req", id) != APR_SUCCESS)
        return NULL;
    n->id = id;
    n->site = site->public_url;
    n->buyer = b->name;
    n->organization = b->organization;
    n->test = b->deployment == PO_DEPLOYMENT_TEST;
    n->created = n->updated = n->terms_at = r->request_time;
    n->expires = r->request_time + site->request_timeout;
    return n;
}

/* NULL: no random bytes for an id. */
static po_request *new_request(const request_job *j)
{
    po_request *n = po_request_make(j->r, j->thread, j->site, j->buyer);
    const po_session *s = j->session;

    if (!n)
        return NULL;
    n->session = s->id;
    n->form_digest = j->digest;
    n->test = po_session_is_test(s, j->buyer);
    if (!j->drafted) {                  /* who asks for a draft is known when it goes back */
        n->user = s->user;
        n->email = s->email;
        n->user_name = s->user_name;
    }
    n->account = *s->account ? s->account : NULL;
    n->account_email = *s->account_email ? s->account_email : NULL;
    return n;
}

static int unreadable(const request_job *j)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->r, "PO0135: request %s, which session %s edits, can't be read from the "
                  "ledger", j->session->request, j->session->id);
    po_thread_ledger_drop(j->thread);
    return po_page_problem(j->r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "Your cart can't be read just now, and "
                           "nothing was sent to your procurement system. Try again in a few minutes.");
}

/* A renewal whose quantity is changed is still one, when nothing else is said: it must not become a second subscription.
 * Of several offers of its product the first is meant. 0: the edited request can't be read. */
static int keep_action(const request_job *j, const po_offer *offer, po_request_form *f)
{
    po_ledger_db *db;
    po_request *old;
    int i;

    if (!*j->session->request || f->action)
        return 1;
    for (i = 0; i < count_requests(j); i++)
        if (!strcmp(request_at(j, i)->product, offer->product))
            return 1;
    if (!(db = po_thread_ledger(j->thread))
        || po_request_get(db, j->site->public_url, j->session->request, j->r->pool, &old) != APR_SUCCESS)
        return 0;
    if (strcmp(old->action, "new") && !strcmp(old->product, offer->product)) {
        f->action = old->action;
        f->subscription = f->subscription ? f->subscription : old->subscription;
    }
    return 1;
}

/* The offer of an entry; NULL when a page that says why was sent (*rc). */
static const po_offer *find_offer(const request_job *j, const po_cart_entry *entry, int *rc)
{
    po_catalog *catalog;
    po_offer *offer;

    if (entry->own)
        return entry->own;
    if (!(catalog = po_thread_catalog(j->thread, j->site))) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->r, "PO0161: no request for approval without a usable PunchOutCatalog");
        *rc = po_page_problem(j->r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "The catalog can't be read just now. Try "
                              "again in a few minutes.");
        return NULL;
    }
    if (entry->form.offer && po_catalog_offer(catalog, entry->form.offer, j->r->pool, &offer) == APR_SUCCESS)
        return offer;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0109: session %s asks for offer %s, which is not in the catalog",
                  j->session->id, entry->form.offer ? ap_escape_logitem(j->r->pool, entry->form.offer) : "-");
    *rc = po_page_problem(j->r, HTTP_NOT_FOUND, "No such offer", "This offer is not in the catalog any more. Go back to the "
                          "product's page and choose one that it shows.");
    return NULL;
}

/* The priced request for an entry; NULL when a page that says why was sent (*rc). */
static po_request *price(const request_job *j, const po_cart_entry *entry, int *rc)
{
    const po_offer *offer = find_offer(j, entry, rc);
    po_request *n;
    po_request_form f = entry->form;
    const char *wrong;

    if (!offer)
        return NULL;
    if (!keep_action(j, offer, &f)) {
        *rc = unreadable(j);
        return NULL;
    }
    if (!(n = new_request(j))) {
        *rc = HTTP_SERVICE_UNAVAILABLE;
        return NULL;
    }
    if ((wrong = po_cart_build(n, offer, &f, j->site, j->buyer, j->r->pool))) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0162: request in session %s refused: offer %s, lines[%d]: %s",
                      j->session->id, offer->offer, entry->line, wrong);
        *rc = po_page_problem(j->r, HTTP_BAD_REQUEST, "This can't be requested", wrong);
        return NULL;
    }
    return n;
}

/* A mixed cart splits: what costs nothing and is approved beforehand needs no order. 0: *rc is the page that was sent. */
static int price_all(request_job *j, const apr_array_header_t *entries, int *rc)
{
    const char *wrong;
    int i;

    j->approved = apr_array_make(j->r->pool, 1, sizeof(po_request *));
    j->carted = apr_array_make(j->r->pool, entries->nelts, sizeof(po_request *));
    for (i = 0; i < entries->nelts; i++) {
        po_request *n = price(j, &APR_ARRAY_IDX(entries, i, po_cart_entry), rc);

        if (!n)
            return 0;
        APR_ARRAY_PUSH(n->preapproved_by ? j->approved : j->carted, po_request *) = n;
    }
    if (!(wrong = po_cart_check(j->carted, j->r->pool)))
        return 1;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0114: cart in session %s refused: %s", j->session->id, wrong);
    *rc = po_page_problem(j->r, HTTP_BAD_REQUEST, "This can't be requested", wrong);
    return 0;
}

/* 0: *rc is the page that was sent. */
static int make_cart(request_job *j, int *rc)
{
    int i;

    j->payload = po_payload_id(j->thread->crypto, j->site->host, j->r->request_time, j->r->pool);
    for (i = 0; i < j->carted->nelts; i++)
        APR_ARRAY_IDX(j->carted, i, po_request *)->cart_payload = j->payload;
    j->document = po_cart_document(j->site, j->buyer, j->session, j->carted, j->payload, j->r->request_time, j->r->pool);
    if (!j->document) {
        *rc = HTTP_INTERNAL_SERVER_ERROR;       /* without a cart it would pass for approved */
        return 0;
    }
    return !po_cart_refused(j->r, j->site, j->document, rc);
}

/* ---- the answer ----------------------------------------------------------------------------------------------- */

/* A draft waits for a punchout: the browser goes where the buyer's people begin one. */
static int go_to_procurement_system(const request_job *j)
{
    const po_request *n = j->before ? j->before : APR_ARRAY_IDX(j->carted, 0, po_request *);
    const po_site *site = j->site;
    po_buffer b;

    if (j->buyer->request_redirect) {
        apr_table_setn(j->r->headers_out, "Location", j->buyer->request_redirect);
        return HTTP_SEE_OTHER;
    }
    po_buffer_init(&b, j->r->pool, 1024);
    if (n->test)
        po_buffer_lit(&b, "<p class=\"test\">TEST: nothing is charged and no subscription begins.</p>");
    po_buffer_lit(&b, "<p>Your request is kept, and not yet sent to your procurement system. Open the marketplace from "
                      "there and sign in with the same account: it then offers to return this request for approval.</p>"
                      "<div class=\"row\"><a class=\"button\" href=\"");
    po_buffer_xml(&b, site->door + strlen(site->public_url));
    po_buffer_lit(&b, "/requests\">Your requests</a></div>");
    return po_page(j->r, HTTP_OK, "One more step in your procurement system", po_buffer_text(&b));
}

static int go_to_request(const request_job *j)
{
    const po_request *n = j->before ? j->before : request_at(j, 0);

    apr_table_setn(j->r->headers_out, "Location",
                   count_requests(j) > 1 ? apr_pstrcat(j->r->pool, j->site->door, "/requests", NULL)
                                         : apr_pstrcat(j->r->pool, j->site->door, "/requests/", n->id, NULL));
    return HTTP_SEE_OTHER;
}

static const char *parting_words(const request_job *j)
{
    const char *cart = *j->session->request ? "Your changed cart is on its way." : "Your request is on its way.";

    if (!j->approved->nelts)
        return cart;
    return apr_pstrcat(j->r->pool, cart, " What is approved beforehand needs no order: you get a mail when it is ready.",
                       NULL);
}

static int answer(const request_job *j)
{
    const char *document = j->before ? j->before_document : j->document;
    request_rec *r = j->r;

    if (j->stale)
        return po_page_problem(r, HTTP_CONFLICT, "This cart can't be changed any more",
                               apr_pstrcat(r->pool, "Nothing was sent: ", j->stale, ". Return to your procurement "
                                           "system first; from there, open the marketplace for a new cart.", NULL));
    if (j->before && j->other)
        return po_page_cart_gone(r, "request something else");
    if (j->drafted && (j->before ? j->before->state == PO_STATE_DRAFT : j->carted->nelts > 0))
        return go_to_procurement_system(j);
    if (!document)
        return go_to_request(j);
    return po_page_return(r, j->buyer, j->session->return_url, document, parting_words(j));
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

static void note_request(const request_job *j, const po_request *n)
{
    const char *replaces = j->before || n->preapproved_by ? "" : j->session->request;

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0164: %s %s of session %s, offer %s%s%s%s%s",
                  n->state == PO_STATE_DRAFT ? "draft" : "request", n->id, n->session, n->offer,
                  n->preapproved_by ? ", approved by " : "", n->preapproved_by ? n->preapproved_by : "",
                  *replaces ? ", replaces " : "", replaces);
}

static void note_outcome(const request_job *j)
{
    int i;

    if (j->stale)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0167: session %s changes nothing: %s", j->session->id, j->stale);
    else if (j->before)
        note_request(j, j->before);
    else
        for (i = 0; i < count_requests(j); i++)
            note_request(j, request_at(j, i));
}

/* Some systems take no cart that did not begin with them, and so nothing may be asked for that would need one. */
static int begin_there(request_rec *r, const po_buyer *b)
{
    int ariba = !strcmp(b->profile.name, "ariba");

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0238: buyer %s has PunchOutStartElsewhere off: nothing is requested "
                  "outside of a punchout", b->name);
    return po_page_problem(r, HTTP_FORBIDDEN, ariba ? "Begin in SAP Ariba" : "Begin in your procurement system",
                           ariba ? "Your company's requests begin in SAP Ariba. Open the marketplace from the Catalog "
                                   "tab there, choose again and request approval."
                                 : "Your company's requests begin in its procurement system. Open the marketplace from "
                                   "there, choose again and request approval.");
}

const po_buyer *po_request_buyer(request_rec *r, const po_site *site, const po_session *s, int *rc)
{
    const po_buyer *b = po_site_buyer(site, s->buyer);

    if (!b || b->fault)
        *rc = po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "The connection to your procurement system "
                              "is being changed. Try again in a few minutes.");
    else if (!strcmp(s->operation, "inspect"))
        *rc = read_only(r, s);
    else if (po_session_is_draft(s) && !b->profile.start_elsewhere)
        *rc = begin_there(r, b);
    else if (site->account_required && !*s->account)
        *rc = no_account(r);
    else
        return b;
    return NULL;
}

int po_request_approval(request_rec *r, const po_site *site, const po_session *s, const po_buyer *b,
                        const apr_array_header_t *entries, const char *digest)
{
    request_job j = { r, site, po_thread_get(), s, b, digest };
    apr_status_t rv;
    int rc;

    j.drafted = po_session_is_draft(s);
    if (!price_all(&j, entries, &rc))
        return rc;
    if (!j.carted->nelts && *s->request)
        return approved_beforehand(r, s);
    if (j.carted->nelts && !j.drafted && !make_cart(&j, &rc))
        return rc;
    rv = po_ledger_run(po_child_ledger(), make_requests, &j);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0163: a request of session %s could not be written to the ledger", s->id);
        return po_page_not_kept(r);
    }
    note_outcome(&j);
    return answer(&j);
}

int po_handle_request(request_rec *r, const po_site *site)
{
    apr_array_header_t *entries = apr_array_make(r->pool, 1, sizeof(po_cart_entry));
    po_cart_entry *entry = apr_array_push(entries);
    po_thread *thread = po_thread_get();
    apr_table_t *form;
    const po_session *s;
    const po_buyer *b;
    int rc;

    if (!thread)
        return HTTP_SERVICE_UNAVAILABLE;
    if (!(s = po_form_session(r, &form, &rc)) || !(b = po_request_buyer(r, site, s, &rc)))
        return rc;
    if (field(form, "draft"))
        return po_handle_drafts(r, site, s, b, field(form, "draft"));
    if (field(form, "continue"))
        return po_handle_continue(r, site, s, field(form, "continue"));
    memset(entry, 0, sizeof(*entry));
    entry->form = (po_request_form){ field(form, "offer"), field(form, "quantity"), field(form, "budget"),
                                     field(form, "action"), field(form, "subscription"), field(form, "terms") };
    return po_request_approval(r, site, s, b, entries, digest_form(thread->crypto, &entry->form, r->pool));
}
