/* expiry.c - requests whose time is over while one of their approvals is ordered, or that no backend answers: held. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(punchout);

typedef struct {
    apr_pool_t *pool;
    apr_array_header_t *held;           /* po_request * */
} expiry;

static const po_site *site_of(const po_request *r)
{
    const apr_array_header_t *sites = po_config_sites();
    int i;

    for (i = 0; i < sites->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(sites, i, po_site *)->public_url, r->site))
            return APR_ARRAY_IDX(sites, i, po_site *);
    return NULL;                        /* not configured any more */
}

static apr_status_t hold(po_ledger_db *db, po_request *r, apr_time_t now, apr_pool_t *p)
{
    const po_site *site = site_of(r);
    apr_status_t rv;

    po_request_expire_open(r, p);
    r->updated = now;
    rv = po_request_update(db, r);
    if (rv != APR_SUCCESS || !site)
        return rv;
    return po_delivery_mail(db, site, PO_MAIL_HELD, r, apr_pstrcat(p, "mail-", r->id, "-held-expired", NULL), now, p);
}

apr_status_t po_mail_unanswered(po_ledger_db *db, apr_time_t held, apr_pool_t *p)
{
    apr_array_header_t *list;
    apr_status_t rv = po_requests_unanswered(db, held, p, &list);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(list, i, po_request *);
        const po_site *site = site_of(r);

        if (site)                       /* once for each time: it may be asked again, and not answer again */
            rv = po_delivery_mail_held(db, site, r, apr_psprintf(p, "unanswered %" APR_TIME_T_FMT, held), held, p);
    }
    return rv;
}

static apr_status_t hold_all(po_ledger_db *db, void *baton)
{
    expiry *e = baton;
    apr_time_t now = apr_time_now();
    apr_status_t rv = po_requests_half_expired(db, now, e->pool, &e->held);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < e->held->nelts; i++)
        rv = hold(db, APR_ARRAY_IDX(e->held, i, po_request *), now, e->pool);
    return rv;
}

void po_expire_approvals(po_ledger *l, server_rec *s, apr_pool_t *parent)
{
    expiry e = { 0 };
    int i;

    apr_pool_create(&e.pool, parent);
    if (po_ledger_run(l, hold_all, &e) == APR_SUCCESS)          /* what fails now is looked for again */
        for (i = 0; i < e.held->nelts; i++) {
            const po_request *r = APR_ARRAY_IDX(e.held, i, po_request *);

            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "PO0337: request %s of buyer %s is held: %s. Agree with the "
                                                      "buyer on an order for the rest, or on the end of what is "
                                                      "ordered", r->id, r->buyer, r->reason);
        }
    apr_pool_destroy(e.pool);
}
