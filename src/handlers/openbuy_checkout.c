/* openbuy_checkout.c - Open Buy's checkout: a subscription request in the ledger, and the item as its purchase order
 * has to name it. No cart goes back: the procurement system makes its requisition of the answer. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

typedef struct {                        /* a job for the ledger; the caller waits */
    const po_openbuy_call *call;
    po_request *request;
    /* the outcome */
    po_request *before;                 /* the same was checked out under this token before */
    int spent;                          /* another checkout has spent the token meanwhile; nothing is kept */
} checkout_job;

/* ---- in the ledger's transaction --------------------------------------------------------------------------------- */

/* APR_NOTFOUND: it is new, and the token may make it. What was cancelled meanwhile is bought anew, for no order is taken
 * for it. */
static apr_status_t find_before(po_ledger_db *db, checkout_job *j)
{
    const po_openbuy_call *c = j->call;
    const char *site = c->site->public_url;
    apr_status_t rv;

    if (c->site->openbuy_reuse) {
        rv = po_request_of_session(db, site, c->token, j->request->form_digest, c->r->pool, &j->before);
        return rv == APR_SUCCESS && j->before->state == PO_STATE_CANCELLED ? APR_NOTFOUND : rv;
    }
    rv = po_request_in_session(db, site, c->token);
    j->spent = rv == APR_SUCCESS;
    return rv;
}

static apr_status_t keep(po_ledger_db *db, void *baton)
{
    checkout_job *j = baton;
    const po_openbuy_call *c = j->call;
    po_request *n = j->request;
    apr_status_t rv;

    j->before = NULL;
    j->spent = 0;
    if ((rv = find_before(db, j)) != APR_NOTFOUND)
        return rv;
    j->before = NULL;
    rv = po_request_insert(db, n);
    if (rv == APR_SUCCESS)
        rv = po_delivery_mail(db, c->site, PO_MAIL_REQUESTED, n,
                              apr_pstrcat(c->r->pool, "mail-", n->id, "-requested", NULL), n->created, c->r->pool);
    return rv;
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static const char *digest_of(const po_openbuy_call *c, const char *offer, const char *quantity)
{
    const char *text = apr_pstrcat(c->r->pool, "openbuy\n", offer, "\n", quantity, "\n", c->email, NULL);

    return po_sha256_hex(c->thread->crypto, text, strlen(text), c->r->pool);
}

/* NULL: no random bytes for an id. */
static po_request *new_request(const po_openbuy_call *c, const char *offer, const char *quantity)
{
    po_request *n = po_request_make(c->r, c->thread, c->site, c->buyer);

    if (!n)
        return NULL;
    n->session = c->token;
    n->form_digest = digest_of(c, offer, quantity);
    n->email = c->email;
    return n;
}

/* Always with an order to come, for nobody is here to be told of an approval beforehand; and on one line, for the
 * answer is one item. NULL, or why not. */
static const char *price(po_request *n, const po_openbuy_call *c, const po_offer *offer, const char *quantity)
{
    po_request_form form = { .offer = offer->offer, .quantity = quantity };
    po_buyer buyer = *c->buyer;
    const char *wrong;

    buyer.preapprove = 0;
    buyer.approvals = PO_APPROVALS_TOGETHER;
    wrong = po_cart_build(n, offer, &form, c->site, &buyer, c->r->pool);
    n->state = PO_STATE_REQUESTED;
    if (wrong || n->charges->nelts == 1)
        return wrong;
    return apr_psprintf(c->r->pool, "This offer is requested in %d lines, and a checkout has one: open the product's "
                        "page by punchout and request approval there", n->charges->nelts);
}

/* Why no checkout of this connection can become a request; NULL: nothing. */
static const char *checkout_refused(const po_openbuy_call *c)
{
    if (!c->buyer->profile.start_elsewhere)
        return "Requests of this connection begin in the procurement system itself (SAP Ariba): begin in Ariba, and "
               "open the product's page by punchout";
    if (c->site->account_required)
        return "A subscription needs an account of the marketplace: open the product's page by punchout, sign in, and "
               "request approval there";
    if (!c->email)
        return apr_psprintf(c->r->pool, "%s is missing: the token names no requester, so say whose request it is",
                            po_openbuy_name(c->buyer, "email"));
    return NULL;
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static int not_kept(const po_openbuy_call *c, apr_status_t rv)
{
    ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, c->r, "PO0220: a checkout of Open Buy for buyer %s could not be written "
                  "to the ledger", c->buyer->name);
    return po_openbuy_refuse(c, HTTP_INTERNAL_SERVER_ERROR, "The request could not be kept, and nothing was checked "
                             "out: try again later");
}

static int answer(const po_openbuy_call *c, const po_offer *offer, const po_request *n)
{
    po_cxml_cart cart = { { NULL } };
    po_openbuy_item item;

    if (po_cart_items(n, c->buyer, &cart, c->r->pool) != APR_SUCCESS)
        return po_openbuy_refuse(c, HTTP_INTERNAL_SERVER_ERROR, "The request has no price that can be shown: tell the "
                                 "marketplace");
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, c->r, "PO0219: request %s by Open Buy's checkout, token %s of buyer %s, "
                  "offer %s", n->id, c->token, n->buyer, n->offer);
    po_openbuy_describe(c, offer, &item);
    po_openbuy_item_line(&item, &APR_ARRAY_IDX(cart.items, 0, po_cxml_cart_item));
    return po_openbuy_answer(c->r, HTTP_OK, po_openbuy_item_json(&item, c->buyer, c->r->pool));
}

int po_openbuy_checkout(po_openbuy_call *c)
{
    const char *quantity, *wrong = checkout_refused(c);
    checkout_job j = { c };
    const po_offer *offer;
    apr_status_t rv;
    int rc;

    if (!wrong)
        wrong = po_openbuy_quantity(c->body, c->buyer, &quantity, c->r->pool);
    if (wrong)
        return po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
    if (!(offer = po_openbuy_offer(c, &rc)))
        return rc;
    if (!(j.request = new_request(c, offer->offer, quantity)))
        return not_kept(c, APR_EGENERAL);
    if ((wrong = price(j.request, c, offer, quantity)))
        return po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
    if ((rv = po_ledger_run(po_child_ledger(), keep, &j)) != APR_SUCCESS)
        return not_kept(c, rv);
    if (j.spent)
        return po_openbuy_refuse_token(c);
    return answer(c, offer, j.before ? j.before : j.request);
}
