/* approvals.c - the approvals of a request that no order has answered yet: the next one is sent, or they are
 * cancelled. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

static const po_buyer *buyer_of(const po_site *site, const po_session *s)
{
    const po_buyer *b = po_site_buyer(site, s->buyer);

    return b && !b->fault ? b : NULL;
}

static int no_buyer(request_rec *r)
{
    return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment",
                           "The connection to your procurement system is being changed. Try again in a few minutes.");
}

static int no_such_request(request_rec *r)
{
    return po_page_problem(r, HTTP_NOT_FOUND, "No such request", "There is no request of yours with this number.");
}

/* ---- the next approval (PunchOutApprovals separate) ----------------------------------------------------------- */

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    const po_session *s;
    const po_buyer *b;
    const char *id;                     /* of the request */
    po_request *part;                   /* the request with this approval's charges alone; NULL: `refused` says why */
    po_continuation next;
    const char *document;               /* its cart */
    /* the outcome */
    const char *refused;                /* why nothing is sent */
    const char *sent;                   /* the cart that this session has returned for the same request */
    int gone;                           /* the session's cart was another one */
} next_job;

/* One punchout returns one cart: what this session has returned already. APR_NOTFOUND: nothing. */
static apr_status_t find_sent(po_ledger_db *db, next_job *j)
{
    apr_pool_t *p = j->r->pool;
    po_continuation *before;
    po_document *d;
    po_request *other;
    apr_status_t rv = po_continuation_get(db, j->site->public_url, j->s->id, p, &before);

    if (rv == APR_SUCCESS && !strcmp(before->request, j->id)) {
        rv = po_document_get(db, j->site->public_url, before->cart_payload, p, &d);
        j->sent = rv == APR_SUCCESS ? d->body : NULL;
        return rv;
    }
    if (rv == APR_NOTFOUND)
        rv = po_request_of_session(db, j->site->public_url, j->s->id, NULL, p, &other);
    j->gone = rv == APR_SUCCESS;
    return rv;
}

static apr_status_t keep_next(po_ledger_db *db, const next_job *j, const po_request *whole)
{
    po_document d = { j->site->public_url, j->b->name, j->next.cart_payload, "PunchOutOrderMessage", j->id,
                      j->document, 1, j->next.at };
    apr_status_t rv = po_request_update(db, whole);

    if (rv == APR_SUCCESS)
        rv = po_document_insert(db, &d);
    if (rv == APR_SUCCESS)
        rv = po_continuation_insert(db, &j->next);
    if (rv == APR_SUCCESS)
        rv = po_delivery_mail(db, j->site, PO_MAIL_REQUESTED, j->part,
                              apr_pstrcat(j->r->pool, "mail-", j->id, "-requested-", j->next.kind, NULL), j->next.at,
                              j->r->pool);
    return rv;
}

/* Everything is asked anew: another session may have been faster, or an order, or the clock. */
static apr_status_t send_next(po_ledger_db *db, void *baton)
{
    next_job *j = baton;
    po_request *whole;
    apr_status_t rv;

    j->sent = NULL;
    j->gone = 0;
    if ((rv = find_sent(db, j)) != APR_NOTFOUND)
        return rv;
    if (!j->part)
        return APR_SUCCESS;
    j->refused = NULL;
    if ((rv = po_request_get(db, j->site->public_url, j->id, j->r->pool, &whole)) != APR_SUCCESS)
        return rv;
    if ((j->refused = po_request_continue_refused(whole, j->part->test, j->next.at, j->r->pool)))
        return APR_SUCCESS;
    po_request_continue(whole, j->next.at + j->site->request_timeout);
    whole->updated = j->next.at;
    return keep_next(db, j, whole);
}

/* The cart of the approval that is next, as the ledger shows the request now. 0: *rc is the page that was sent. */
static int prepare(next_job *j, int *rc)
{
    po_ledger_db *db = po_thread_ledger(j->thread);
    request_rec *r = j->r;
    apr_array_header_t *one = apr_array_make(r->pool, 1, sizeof(po_request *));
    po_request *whole;
    apr_status_t rv = db ? po_request_get(db, j->site->public_url, j->id, r->pool, &whole) : APR_EGENERAL;

    if (rv == APR_NOTFOUND || (rv == APR_SUCCESS && !po_session_sees(j->s, whole))) {
        *rc = no_such_request(r);
        return 0;
    }
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "PO0184: the ledger can't be read: %s", db ? po_ledger_error(db)
                      : "it does not open");
        po_thread_ledger_drop(j->thread);
        *rc = po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment",
                              "The request can't be read just now, and nothing was sent to your procurement system. "
                              "Try again in a few minutes.");
        return 0;
    }
    if ((j->refused = po_request_continue_refused(whole, po_session_is_test(j->s, j->b), r->request_time, r->pool)))
        return 1;
    j->next.kind = po_request_continue(whole, r->request_time + j->site->request_timeout);
    j->next.cart_payload = po_payload_id(j->thread->crypto, j->site->host, r->request_time, r->pool);
    j->part = po_request_of_kind(whole, j->next.kind, r->pool);
    APR_ARRAY_PUSH(one, po_request *) = j->part;
    j->document = po_cart_document(j->site, j->b, j->s, one, j->next.cart_payload, r->request_time, r->pool);
    *rc = HTTP_INTERNAL_SERVER_ERROR;
    return j->document && !po_cart_refused(r, j->site, j->document, rc);
}

static int answer(const next_job *j)
{
    request_rec *r = j->r;

    if (j->gone)
        return po_page_cart_gone(r, "request the next approval");
    if (!j->sent && j->refused)
        return po_page_problem(r, HTTP_CONFLICT, "There is no approval to request", j->refused);
    if (!j->sent)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0185: the %s charges of request %s go back with session %s",
                      j->next.kind, j->id, j->s->id);
    return po_page_return(r, j->b, j->s->return_url, j->sent ? j->sent : j->document,
                          "Your next approval is on its way.");
}

int po_handle_continue(request_rec *r, const po_site *site, const po_session *s, const char *id)
{
    next_job j = { r, site, po_thread_get(), s, buyer_of(site, s), id };
    apr_status_t rv;
    int rc;

    if (!j.b)
        return no_buyer(r);
    if (po_session_is_draft(s))
        return po_page_problem(r, HTTP_CONFLICT, "Go to your procurement system first", "Open the marketplace from "
                               "your procurement system and sign in with this account, then request the next approval.");
    if (*s->request)                    /* what comes back takes the place of the lines that are edited */
        return po_page_problem(r, HTTP_CONFLICT, "Not in this visit", "You came back to change an earlier cart. Return "
                               "unchanged first; from your procurement system, open the marketplace for a new cart.");
    j.next.site = site->public_url;
    j.next.session = s->id;
    j.next.request = id;
    j.next.at = r->request_time;
    if (!prepare(&j, &rc))
        return rc;
    rv = po_ledger_run(po_child_ledger(), send_next, &j);
    if (rv == APR_SUCCESS)
        return answer(&j);
    ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0186: the next approval of request %s could not be written to the "
                                                 "ledger", id);
    return po_page_not_kept(r);
}

/* ---- cancelled by the requester ------------------------------------------------------------------------------- */

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    const po_session *s;
    const po_buyer *b;
    const char *id, *kind;              /* kind NULL: the whole request */
    /* the outcome */
    po_request *request;                /* NULL: this session may see no such request */
    const char *refused;
    int again;                          /* it was cancelled before */
} cancel_job;

static int is_cancelled(const po_request *n, const char *kind, apr_pool_t *p)
{
    const apr_array_header_t *all = po_request_approvals(n, p);
    int i;

    if (n->state == PO_STATE_CANCELLED)
        return 1;
    for (i = 0; kind && i < all->nelts; i++) {
        const po_approval *a = &APR_ARRAY_IDX(all, i, po_approval);

        if (!strcmp(a->kind, kind) && (a->state == PO_CHARGE_CANCELLED || a->state == PO_CHARGE_WITHDRAWN))
            return 1;
    }
    return 0;
}

/* Who it is in a session that began in the marketplace its account tells. */
static const char *who(const po_session *s)
{
    if (po_session_is_draft(s))
        return *s->account_email ? s->account_email : s->account;
    return *s->user_name ? s->user_name : *s->user ? s->user : *s->email ? s->email : "the requester";
}

static apr_status_t cancel(po_ledger_db *db, void *baton)
{
    cancel_job *j = baton;
    apr_pool_t *p = j->r->pool;
    const char *reason;
    po_request *n;
    apr_status_t rv = po_request_get(db, j->site->public_url, j->id, p, &n);

    j->request = NULL;
    j->refused = NULL;
    j->again = 0;
    if (rv != APR_SUCCESS || !po_session_sees(j->s, n))
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    j->request = n;
    if ((j->again = is_cancelled(n, j->kind, p)))
        return APR_SUCCESS;
    reason = j->kind ? apr_pstrcat(p, "The approval of ", j->kind, " was cancelled by ", who(j->s), NULL)
                     : apr_pstrcat(p, "Cancelled by ", who(j->s), NULL);
    j->refused = po_request_cancel(n, po_cancel_scope(n, j->kind, j->b->activate), reason, p);
    if (j->refused)
        return APR_SUCCESS;
    n->updated = j->r->request_time;
    rv = po_request_update(db, n);
    if (rv != APR_SUCCESS || n->state != PO_STATE_HELD)
        return rv;
    return po_delivery_mail(db, j->site, PO_MAIL_HELD, n, apr_pstrcat(p, "mail-", n->id, "-held-cancelled", NULL),
                            n->updated, p);
}

/* Who it was stands with the request. */
static void log_cancelled(const cancel_job *j)
{
    const po_request *n = j->request;

    if (n->state == PO_STATE_HELD)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->r, "PO0187: request %s of buyer %s is held: session %s cancelled the "
                      "approval of %s, while the rest is ordered. Agree with the buyer on what becomes of it, then "
                      "punchoutctl orders release|refuse %s", n->id, n->buyer, j->s->id, j->kind ? j->kind : "the rest",
                      n->id);
    else
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0188: request %s of buyer %s is %s: session %s cancelled%s%s",
                      n->id, n->buyer, po_state_name(n->state), j->s->id, j->kind ? " the approval of " : " it",
                      j->kind ? j->kind : "");
}

int po_handle_request_cancel(request_rec *r, const po_site *site, const char *id)
{
    cancel_job j = { r, site };
    apr_table_t *form;
    apr_status_t rv;
    int rc;

    if (!(j.s = po_form_session(r, &form, &rc)))
        return rc;
    if (!(j.b = buyer_of(site, j.s)))
        return no_buyer(r);
    if (!strcmp(j.s->operation, "inspect"))
        return po_page_problem(r, HTTP_FORBIDDEN, "This cart is shown read-only",
                               "You opened an earlier cart to look at it, so nothing can be cancelled. Open the "
                               "marketplace from your procurement system for that.");
    j.id = id;
    j.kind = apr_table_get(form, "approval");
    if (j.kind && !*j.kind)
        j.kind = NULL;
    rv = po_ledger_run(po_child_ledger(), cancel, &j);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0189: the cancellation of request %s could not be written to "
                                                     "the ledger", id);
        return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment",
                               "Nothing was cancelled, for the request can't be changed just now. Try again in a few "
                               "minutes.");
    }
    if (!j.request)
        return no_such_request(r);
    if (j.refused)
        return po_page_problem(r, HTTP_CONFLICT, "This can't be cancelled here", j.refused);
    if (!j.again) {
        log_cancelled(&j);
        po_drafts_recount(r);
    }
    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, site->door, "/requests/", j.request->id, NULL));
    return HTTP_SEE_OTHER;
}
