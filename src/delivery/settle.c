/* settle.c - what a backend's answer means for the request: its state, its subscription, the mail. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"

/* A request that ended otherwise in the meantime stays as it is, whatever a late answer says: also one that the
 * operator has refused. One that the backend has refused stays so, whatever it says to an event behind the first. */
static int may_settle(const po_request *r, const po_outbox_row *event)
{
    po_state s = r->state, of_charges = po_state_of_charges(r);

    if (s == PO_STATE_FAILED && (event->outcome == PO_OUTCOME_CHANGED || of_charges == PO_STATE_CANCELLED
                                 || of_charges == PO_STATE_EXPIRED))
        return 0;
    return s == PO_STATE_APPROVED || s == PO_STATE_PARTLY_APPROVED || s == PO_STATE_DELIVERING || s == PO_STATE_ACTIVE
           || s == PO_STATE_TESTED || s == PO_STATE_HELD || s == PO_STATE_FAILED;
}

/* The first event says that there is a subscription; an update's or a cancellation's finds one. An event of before
 * outcomes were kept is taken for the first, unless the subscription is there. */
static int is_first(const po_outbox_row *event, const po_request *r)
{
    return event->outcome == PO_OUTCOME_APPROVED || (event->outcome == PO_OUTCOME_NONE && r->state != PO_STATE_ACTIVE);
}

/* The backend knows of nothing after it has refused the first event: what is behind that is given up, as behind one that
 * was dropped. A row behind it that is on its way settles nothing any more. */
static apr_status_t give_up_behind(po_ledger_db *db, const po_outbox_row *event, apr_pool_t *p)
{
    apr_array_header_t *behind;
    apr_status_t rv = po_outbox_behind(db, event, p, &behind);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < behind->nelts; i++)
        if ((rv = po_outbox_drop(db, APR_ARRAY_IDX(behind, i, po_outbox_entry).row->seq)) == APR_NOTFOUND)
            rv = APR_SUCCESS;
    return rv;
}

#define CANCEL_REFUSED "The seller's system refused the cancellation: "

/* The reason of a cancelled request without what an earlier try of its cancellation was told. */
static const char *reason_without_refusal(const po_request *r, apr_pool_t *p)
{
    const char *at = r->reason ? strstr(r->reason, CANCEL_REFUSED) : NULL;

    if (!at)
        return r->reason;
    return at - r->reason > 2 ? apr_pstrmemdup(p, r->reason, (apr_size_t)(at - r->reason) - 2) : NULL;  /* ". " */
}

/* The backend would not have the cancellation: the request stays cancelled, and everybody hears of it. */
static apr_status_t refuse_cancel(po_ledger_db *db, const po_site *site, po_request *r, const po_outbox_row *event,
                                  const po_answer *a, apr_time_t now, apr_pool_t *p)
{
    const char *before = reason_without_refusal(r, p);
    apr_status_t rv;

    r->reason = apr_pstrcat(p, before ? before : "", before ? ". " : "", CANCEL_REFUSED,
                            a->reason ? a->reason : "it gave no reason", NULL);
    rv = po_request_update(db, r);
    return rv == APR_SUCCESS ? po_delivery_mail(db, site, PO_MAIL_CANCELLED, r,
                                                apr_pstrcat(p, "mail-", event->key, "-failed", NULL), now, p) : rv;
}

static apr_status_t refuse(po_ledger_db *db, const po_site *site, po_request *r, const po_outbox_row *event,
                           const po_answer *a, apr_time_t now, apr_pool_t *p)
{
    apr_status_t rv;
    const char *why = a->reason ? a->reason : "The seller's system refused the order without a reason";
    int first = is_first(event, r);

    /* a refused change leaves the subscription as it was; of two approvals one may be carried out, and what is active by
     * the answer to a change can't have failed: a person decides */
    if (first)
        r->state = r->state == PO_STATE_ACTIVE || (r->told >= PO_TOLD_TAKEN && po_approvals_told_apart(r))
                   ? PO_STATE_HELD : PO_STATE_FAILED;
    if (r->state != PO_STATE_HELD || first)     /* what a person must decide stays to be seen */
        r->reason = why;
    rv = po_request_update(db, r);
    if (rv == APR_SUCCESS && first && r->state == PO_STATE_FAILED)
        rv = give_up_behind(db, event, p);
    if (rv == APR_SUCCESS)
        rv = po_delivery_confirm(db, site, r, now, p);
    r->reason = why;                    /* in the mail */
    return rv == APR_SUCCESS ? po_delivery_mail(db, site, PO_MAIL_FAILED, r,
                                                apr_pstrcat(p, "mail-", event->key, "-failed", NULL), now, p) : rv;
}

static void settle_state(po_request *r, int test)
{
    r->state = po_state_when_ready(r, test);
    if (r->state != PO_STATE_HELD)
        r->reason = NULL;
}

/* The request has ended otherwise: all that counts is that the backend knows of it, and what it says of a
 * cancellation. */
static apr_status_t settle_ended(po_ledger_db *db, const po_site *site, po_request *r, const po_outbox_row *event,
                                 const po_answer *a, int failed, apr_time_t now, apr_pool_t *p)
{
    apr_status_t rv;

    if (failed && event->outcome == PO_OUTCOME_CANCELLED)
        return refuse_cancel(db, site, r, event, a, now, p);
    if (event->outcome == PO_OUTCOME_CANCELLED)         /* it took it when it was asked again */
        r->reason = reason_without_refusal(r, p);
    rv = po_request_update(db, r);
    return rv == APR_SUCCESS && failed && event->outcome == PO_OUTCOME_APPROVED && !po_request_is_known(r)
           ? give_up_behind(db, event, p) : rv;
}

apr_status_t po_delivery_settle(po_ledger_db *db, const po_site *site, const po_outbox_row *event, const po_answer *a,
                                int failed, apr_time_t now, apr_pool_t *p)
{
    po_request *r;
    apr_status_t rv = po_request_get(db, site->public_url, event->request, p, &r);
    int test;

    if (rv == APR_SUCCESS)
        rv = po_outbox_answered(db, event->seq, failed ? PO_ANSWERED_FAILED : PO_ANSWERED_ACTIVE);
    if (rv != APR_SUCCESS)
        return rv;
    r->updated = now;
    if (!failed || r->told == PO_TOLD_UNANSWERED)
        r->told = PO_TOLD_TAKEN;
    if (!may_settle(r, event) || event->outcome == PO_OUTCOME_CANCELLED)
        return settle_ended(db, site, r, event, a, failed, now, p);
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
    return rv == APR_SUCCESS ? po_delivery_mail(db, site, event->outcome == PO_OUTCOME_CHANGED ? PO_MAIL_CHANGED
                                                : PO_MAIL_READY,
                                                r, apr_pstrcat(p, "mail-", event->key, NULL), now, p) : rv;
}

apr_status_t po_settle_accepted(po_ledger_db *db, const po_site *site, const po_outbox_row *event, apr_time_t now,
                                apr_pool_t *p)
{
    po_request *r;
    apr_status_t rv = po_request_get(db, site->public_url, event->request, p, &r);

    if (rv != APR_SUCCESS || (r->told >= PO_TOLD_TAKEN && r->state != PO_STATE_APPROVED))
        return rv;
    /* PunchOutActivate each: its state tells of the approval that is open, not of the answer that is awaited */
    r->told = r->state == PO_STATE_PARTLY_APPROVED ? PO_TOLD_UNANSWERED : PO_TOLD_TAKEN;
    if (r->state == PO_STATE_APPROVED)  /* the callback may have been faster */
        r->state = PO_STATE_DELIVERING;
    r->updated = now;
    return po_request_update(db, r);
}
