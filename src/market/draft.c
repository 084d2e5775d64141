/* draft.c - requests that were made in the marketplace, without a punchout: kept until one takes them back. */
#include "market/market.h"

#define CHARGE(r, i) (&APR_ARRAY_IDX((r)->charges, (i), po_charge))

void po_request_draft(po_request *r)
{
    int i;

    r->state = PO_STATE_DRAFT;
    for (i = 0; i < r->charges->nelts; i++)
        CHARGE(r, i)->state = PO_CHARGE_WAITING;
}

const char *po_draft_return_refused(const po_request *r, apr_time_t now, apr_pool_t *p)
{
    if (r->state == PO_STATE_EXPIRED || (r->state == PO_STATE_DRAFT && r->expires && now > r->expires))
        return apr_psprintf(p, "Request %s has expired. Request approval again from the product's page.", r->id);
    if (r->state == PO_STATE_CANCELLED)
        return apr_psprintf(p, "Request %s was cancelled. Request approval again from the product's page.", r->id);
    if (r->state != PO_STATE_DRAFT)
        return apr_psprintf(p, "Request %s has gone back already and is %s now. Look for it in your procurement "
                            "system.", r->id, po_state_name(r->state));
    return NULL;
}

const char *po_drafts_together_refused(const apr_array_header_t *drafts, apr_pool_t *p)
{
    int i;

    for (i = 1; i < drafts->nelts; i++)
        if (!APR_ARRAY_IDX(drafts, 0, po_request *)->test != !APR_ARRAY_IDX(drafts, i, po_request *)->test)
            return "Some of these requests are tests and others are not. Return them one by one.";
    return po_cart_check(drafts, p);
}

void po_draft_return(po_request *r, const po_buyer *buyer, int test, apr_time_t now, apr_time_t expires)
{
    int i;

    r->state = PO_STATE_REQUESTED;
    r->test = r->test || test;
    r->updated = now;
    r->expires = expires;
    for (i = 0; i < r->charges->nelts; i++)
        CHARGE(r, i)->state = PO_CHARGE_REQUESTED;
    if (buyer->approvals == PO_APPROVALS_SEPARATE)
        po_request_separate(r);
}
