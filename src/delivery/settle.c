/* settle.c - what a backend's answer means for the request: its state, its subscription, the mail. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"

/* A request that ended otherwise in the meantime stays as it is, whatever a late answer says. */
static int may_settle(po_state s)
{
    return s == PO_STATE_APPROVED || s == PO_STATE_PARTLY_APPROVED || s == PO_STATE_DELIVERING || s == PO_STATE_ACTIVE
           || s == PO_STATE_TESTED || s == PO_STATE_HELD || s == PO_STATE_FAILED;
}

static apr_status_t refuse(po_ledger_db *db, const po_site *site, po_request *r, const char *event, const po_answer *a,
                           apr_time_t now, apr_pool_t *p)
{
    apr_status_t rv;

    if (r->state != PO_STATE_ACTIVE)    /* a refused change leaves the subscription as it was */
        r->state = PO_STATE_FAILED;
    r->reason = a->reason ? a->reason : "The seller's system refused the order without a reason";
    rv = po_request_update(db, r);
    if (rv == APR_SUCCESS)
        rv = po_delivery_confirm(db, site, r, now, p);
    return rv == APR_SUCCESS ? po_delivery_mail(db, site, PO_MAIL_FAILED, r, apr_pstrcat(p, "mail-", event, "-failed", NULL),
                                                now, p) : rv;
}

static void settle_state(po_request *r, int test)
{
    r->state = po_state_when_ready(r, test);
    if (r->state != PO_STATE_HELD)
        r->reason = NULL;
}

apr_status_t po_delivery_settle(po_ledger_db *db, const po_site *site, const char *request, const char *event,
                                const po_answer *a, int failed, apr_time_t now, apr_pool_t *p)
{
    po_request *r;
    apr_status_t rv = po_request_get(db, site->public_url, request, p, &r);
    int test;

    if (rv != APR_SUCCESS || !may_settle(r->state))
        return rv;
    r->updated = now;
    if (failed)
        return refuse(db, site, r, event, a, now, p);
    test = r->test || r->state == PO_STATE_TESTED;
    settle_state(r, test);
    if (a->subscription)
        r->subscription = a->subscription;
    if (a->url)
        r->url = a->url;
    rv = po_request_update(db, r);
    if (rv == APR_SUCCESS && !test && r->subscription)
        rv = po_subscription_put(db, r, r->subscription, now);
    if (rv == APR_SUCCESS)
        rv = po_delivery_confirm(db, site, r, now, p);
    return rv == APR_SUCCESS ? po_delivery_mail(db, site, PO_MAIL_READY, r, apr_pstrcat(p, "mail-", event, NULL), now, p)
                             : rv;
}

apr_status_t po_settle_accepted(po_ledger_db *db, const po_site *site, const char *request, apr_time_t now,
                                apr_pool_t *p)
{
    po_request *r;
    apr_status_t rv = po_request_get(db, site->public_url, request, p, &r);

    if (rv != APR_SUCCESS || r->state != PO_STATE_APPROVED)     /* the callback may have been faster */
        return rv;
    r->state = PO_STATE_DELIVERING;
    r->updated = now;
    return po_request_update(db, r);
}
