/* approvals.c - the approvals of a request: asked for one after another, told of, cancelled, expired. */
#include "market/market_private.h"

#include <string.h>

#define CHARGE(r, i) (&APR_ARRAY_IDX((r)->charges, (i), po_charge))

int po_approval_is_open(po_charge_state s)
{
    return s == PO_CHARGE_REQUESTED || s == PO_CHARGE_WAITING;
}

int po_approval_is_gone(po_charge_state s)
{
    return s == PO_CHARGE_CANCELLED || s == PO_CHARGE_WITHDRAWN;
}

/* The approval's entry; the first charge of a kind makes it. */
static po_approval *approval_of(apr_array_header_t *list, const po_charge *c)
{
    po_approval *a;
    int i;

    for (i = 0; i < list->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(list, i, po_approval).kind, c->kind))
            return &APR_ARRAY_IDX(list, i, po_approval);
    a = apr_array_push(list);
    a->kind = c->kind;
    a->state = c->state;
    return a;
}

apr_array_header_t *po_request_approvals(const po_request *r, apr_pool_t *p)
{
    apr_array_header_t *list = apr_array_make(p, 2, sizeof(po_approval));
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = CHARGE(r, i);
        po_approval *a = approval_of(list, c);

        if (po_approval_is_gone(a->state) || (!po_charge_is_in(c) && !po_approval_is_gone(c->state)))
            a->state = c->state;
    }
    return list;
}

/* ---- told to the backend ----------------------------------------------------------------------------------------- */

static int is_told(const po_request *r, const char *kind)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (CHARGE(r, i)->told && !strcmp(CHARGE(r, i)->kind, kind))
            return 1;
    return 0;
}

apr_array_header_t *po_approvals_to_tell(const po_request *r, apr_pool_t *p)
{
    const apr_array_header_t *all = po_request_approvals(r, p);
    apr_array_header_t *kinds = apr_array_make(p, 2, sizeof(const char *));
    int i;

    for (i = 0; i < all->nelts; i++) {
        const po_approval *a = &APR_ARRAY_IDX(all, i, po_approval);

        if ((a->state == PO_CHARGE_ORDERED || a->state == PO_CHARGE_PREAPPROVED) && !is_told(r, a->kind))
            APR_ARRAY_PUSH(kinds, const char *) = a->kind;
    }
    return kinds;
}

static int last_told(const po_request *r)
{
    int i, last = 0;

    for (i = 0; i < r->charges->nelts; i++)
        if (CHARGE(r, i)->told > last)
            last = CHARGE(r, i)->told;
    return last;
}

void po_approvals_told(po_request *r, const apr_array_header_t *kinds)
{
    int i, n, last = last_told(r);

    for (i = 0; i < r->charges->nelts; i++)
        for (n = 0; n < kinds->nelts; n++)
            if (!strcmp(CHARGE(r, i)->kind, APR_ARRAY_IDX(kinds, n, const char *)))
                CHARGE(r, i)->told = last + 1;
}

void po_approvals_untold(po_request *r, int all)
{
    int i, last = last_told(r);

    for (i = 0; i < r->charges->nelts; i++)
        if (all || CHARGE(r, i)->told == last)
            CHARGE(r, i)->told = 0;
}

int po_approvals_told_apart(const po_request *r)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (CHARGE(r, i)->told > 1)
            return 1;
    return 0;
}

/* ---- one after another ------------------------------------------------------------------------------------------- */

void po_request_separate(po_request *r)
{
    int i;

    for (i = 1; i < r->charges->nelts; i++)
        if (CHARGE(r, i)->state == PO_CHARGE_REQUESTED && strcmp(CHARGE(r, i)->kind, CHARGE(r, 0)->kind))
            CHARGE(r, i)->state = PO_CHARGE_WAITING;
}

static const char *next_kind(const po_request *r)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (CHARGE(r, i)->state == PO_CHARGE_WAITING)
            return CHARGE(r, i)->kind;
    return NULL;
}

const char *po_request_continue_refused(const po_request *r, int test, apr_time_t now, apr_pool_t *p)
{
    if (r->state == PO_STATE_EXPIRED || (r->expires && now > r->expires))
        return apr_psprintf(p, "Request %s has expired. Request approval again from the product's page.", r->id);
    if (r->state != PO_STATE_REQUESTED && r->state != PO_STATE_PARTLY_APPROVED)
        return apr_psprintf(p, "Request %s is %s, so no further approval of it can be asked for.", r->id,
                            po_state_name(r->state));
    if (!next_kind(r))
        return apr_psprintf(p, "All approvals of request %s have been asked for already. Look for them in your "
                               "procurement system.", r->id);
    if (!r->test != !test)
        return apr_psprintf(p, "Request %s was made in %s mode and this visit is in %s mode. Request approval again "
                               "from the product's page.", r->id, r->test ? "test" : "production",
                            test ? "test" : "production");
    return NULL;
}

const char *po_request_continue(po_request *r, apr_time_t expires)
{
    const char *kind = next_kind(r);
    int i;

    if (!kind)
        return NULL;
    if (r->expires && expires > r->expires)
        r->expires = expires;
    for (i = 0; i < r->charges->nelts; i++)
        if (!strcmp(CHARGE(r, i)->kind, kind) && CHARGE(r, i)->state == PO_CHARGE_WAITING) {
            CHARGE(r, i)->state = PO_CHARGE_REQUESTED;
            CHARGE(r, i)->expires = r->expires > expires ? r->expires : expires;
        }
    return kind;
}

po_request *po_request_of_kind(const po_request *r, const char *kind, apr_pool_t *p)
{
    po_request *part = apr_pmemdup(p, r, sizeof(*r));
    int i;

    part->charges = apr_array_make(p, r->charges->nelts, sizeof(po_charge));
    for (i = 0; i < r->charges->nelts; i++)
        if (!strcmp(CHARGE(r, i)->kind, kind))
            APR_ARRAY_PUSH(part->charges, po_charge) = *CHARGE(r, i);
    return part;
}

int po_request_is_continued(const po_request *r)
{
    int i;

    for (i = 0; r->charges && i < r->charges->nelts; i++)
        if (CHARGE(r, i)->expires)
            return 1;
    return 0;
}

/* ---- cancelled, expired ------------------------------------------------------------------------------------------ */

static int is_of(const po_charge *c, const char *kind)
{
    return !kind || !strcmp(c->kind, kind);
}

/* The first charge of that kind (NULL: of any) that is in; NULL: none. */
static const po_charge *ordered_charge(const po_request *r, const char *kind)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (is_of(CHARGE(r, i), kind) && po_charge_is_in(CHARGE(r, i)))
            return CHARGE(r, i);
    return NULL;
}

static int count_open(const po_request *r, const char *kind)
{
    int i, n = 0;

    for (i = 0; i < r->charges->nelts; i++)
        n += is_of(CHARGE(r, i), kind) && po_approval_is_open(CHARGE(r, i)->state);
    return n;
}

static const char *cancel_refused(const po_request *r, const char *kind, apr_pool_t *p)
{
    const po_charge *c;

    if (r->state > PO_STATE_PARTLY_APPROVED)
        return apr_psprintf(p, "Request %s is %s and can't be cancelled. What is ordered is cancelled by a purchase "
                               "order of type \"delete\" from the procurement system.", r->id, po_state_name(r->state));
    if ((c = ordered_charge(r, kind)))
        return apr_psprintf(p, "The %s charges of request %s are ordered by purchase order %s. Cancel that order in "
                               "the procurement system%s.", c->kind, r->id, c->order_id ? c->order_id : "(unknown)",
                            kind || !count_open(r, NULL) ? "" : ", or cancel here only what is not ordered");
    if (!count_open(r, kind))
        return apr_psprintf(p, "Request %s has no open approval%s%s.", r->id, kind ? " of the kind " : "",
                            kind ? kind : "");
    return NULL;
}

const char *po_request_cancel(po_request *r, const char *kind, const char *reason, apr_pool_t *p)
{
    const char *refused = cancel_refused(r, kind, p);
    int in = ordered_charge(r, NULL) != NULL, i;
    po_charge_state gone;

    if (refused)
        return refused;
    /* while nothing is ordered the rest may be approved without it */
    gone = !in && count_open(r, kind) < count_open(r, NULL) ? PO_CHARGE_WITHDRAWN : PO_CHARGE_CANCELLED;
    for (i = 0; i < r->charges->nelts; i++)
        if (is_of(CHARGE(r, i), kind) && po_approval_is_open(CHARGE(r, i)->state))
            CHARGE(r, i)->state = gone;
    r->state = po_state_of_charges(r);
    r->reason = reason;
    return NULL;
}

const char *po_cancel_scope(const po_request *r, const char *kind, po_activate activate)
{
    return r->state == PO_STATE_DRAFT || (activate == PO_ACTIVATE_ALL && !ordered_charge(r, NULL)) ? NULL : kind;
}

void po_request_expire_open(po_request *r, apr_pool_t *p)
{
    const char *kind = NULL;
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        if (!po_approval_is_open(CHARGE(r, i)->state))
            continue;
        kind = CHARGE(r, i)->kind;
        CHARGE(r, i)->state = PO_CHARGE_EXPIRED;
    }
    r->state = PO_STATE_HELD;
    r->reason = apr_psprintf(p, "No order has approved the %s charges in time, while others of the same request are "
                                "ordered",
                             kind ? kind : "other");
}
