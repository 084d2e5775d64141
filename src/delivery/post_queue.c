/* post_queue.c - a document to the buyer on its way into the outbox: where it goes, and who it is from. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"

/* ---- where it goes -------------------------------------------------------------------------------------------- */

static const po_post *find_post(const apr_array_header_t *posts, unsigned what)
{
    int i;

    for (i = 0; posts && i < posts->nelts; i++)
        if (APR_ARRAY_IDX(posts, i, po_post).documents & what)
            return &APR_ARRAY_IDX(posts, i, po_post);
    return NULL;
}

const po_post *po_delivery_post_of(const po_buyer *buyer, unsigned what)
{
    const po_post *post;

    if (!(buyer->profile.documents & what))
        return NULL;
    post = find_post(buyer->posts, what);
    return !post && buyer->via ? find_post(buyer->via->posts, what) : post;
}

const char *po_post_channel(const char *buyer, apr_pool_t *p)
{
    return apr_pstrcat(p, PO_CHANNEL_POST, buyer, NULL);
}

const char *po_post_kind(unsigned what)
{
    return what == PO_POST_INVOICE ? "invoice" : "confirmation";
}

/* ---- who it is from ------------------------------------------------------------------------------------------- */

static const po_secret *valid_secret(const apr_array_header_t *secrets, apr_time_t now)
{
    int i;

    for (i = 0; secrets && i < secrets->nelts; i++) {
        const po_secret *s = &APR_ARRAY_IDX(secrets, i, po_secret);

        if (po_secret_counts(s, now))
            return s;
    }
    return NULL;
}

const po_secret *po_post_secret(const po_buyer *buyer, apr_time_t now)
{
    const po_hub *hub = buyer->via;
    const po_secret *s;

    if (buyer->post_secret)
        return buyer->post_secret;
    if (hub && hub->post_secret)
        return hub->post_secret;
    s = valid_secret(buyer->secrets, now);
    return !s && hub ? valid_secret(hub->secrets, now) : s;
}

static int has_secret(const po_buyer *buyer)
{
    const po_hub *hub = buyer->via;

    return buyer->post_secret || (buyer->secrets && buyer->secrets->nelts)
           || (hub && (hub->post_secret || (hub->secrets && hub->secrets->nelts)));
}

void po_delivery_header(po_cxml_header *h, const po_site *site, const po_buyer *buyer, int test)
{
    const po_credential *to;

    memset(h, 0, sizeof(*h));
    h->from = h->sender = *po_site_identity(site, buyer, &to);
    h->to = *to;
    h->user_agent = PO_USER_AGENT;
    h->has_secret = has_secret(buyer);
    h->test = test;
}

/* ---- the outbox ----------------------------------------------------------------------------------------------- */

apr_status_t po_delivery_post(po_ledger_db *db, const po_site *site, const po_post_document *d, apr_time_t now,
                              apr_pool_t *p)
{
    po_document kept = { site->public_url, d->buyer->name, d->payload_id,
                         d->what == PO_POST_INVOICE ? "InvoiceDetailRequest" : "ConfirmationRequest", d->refers_to,
                         d->body, 1, now };
    po_outbox_row row = { 0 };
    apr_status_t rv;

    if (!po_delivery_post_of(d->buyer, d->what))
        return APR_NOTFOUND;
    rv = po_document_insert(db, &kept);
    if (rv != APR_SUCCESS)
        return rv;
    row.key = d->payload_id;
    row.site = site->public_url;
    row.channel = po_post_channel(d->buyer->name, p);
    row.buyer = d->buyer->name;
    row.request = d->request;
    row.recipients = po_post_kind(d->what);
    row.body = d->body;
    row.created = now;
    return po_outbox_add(db, &row, now);
}
