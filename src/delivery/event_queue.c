/* event_queue.c - the event of an approved, changed or cancelled request on its way into the outbox. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"

#define TOKEN_RAW 30                    /* of the HMAC's 32 bytes: a multiple of 3 for base64url */

void po_callback_token(po_crypto *c, const unsigned char key[PO_DIGEST], const char *event,
                       char out[PO_CALLBACK_TOKEN])
{
    unsigned char mac[PO_DIGEST];
    char text[64];

    apr_snprintf(text, sizeof(text), "fulfilled/%s", event);
    po_hmac(c, key, text, mac);
    po_base64url(out, mac, TOKEN_RAW);
    out[PO_CALLBACK_TOKEN - 1] = '\0';
}

static const char *event_type(const po_request *r, po_order_outcome outcome)
{
    if (outcome == PO_OUTCOME_CANCELLED)
        return "marketplace.subscription.cancelled";
    if (outcome == PO_OUTCOME_CHANGED || !strcmp(r->action, "change"))
        return "marketplace.subscription.changed";
    if (!strcmp(r->action, "renew"))
        return "marketplace.subscription.renewed";
    return "marketplace.subscription.approved";
}

static int has_order(const apr_array_header_t *orders, const char *id)
{
    int i;

    for (i = 0; i < orders->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(orders, i, po_event_order).order->order_id, id))
            return 1;
    return 0;
}

/* The purchase orders that the request's charges are on, besides the one that comes now: nothing is read when there is none. */
static apr_status_t earlier_orders(po_ledger_db *db, const po_request *r, const po_cxml_order *now, apr_pool_t *p,
                                   const apr_array_header_t **out)
{
    apr_array_header_t *orders = NULL;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < r->charges->nelts; i++) {
        const char *id = APR_ARRAY_IDX(r->charges, i, po_charge).order_id;
        po_event_order order;

        if (!id || (now && !strcmp(id, now->order_id)) || (orders && has_order(orders, id)))
            continue;
        if (!orders)
            orders = apr_array_make(p, 2, sizeof(po_event_order));
        if ((rv = po_order_read(db, r->site, r->buyer, r->test, id, p, &order)) == APR_SUCCESS)
            APR_ARRAY_PUSH(orders, po_event_order) = order;
        else if (rv == APR_NOTFOUND)
            rv = APR_SUCCESS;
    }
    *out = orders;
    return rv;
}

static apr_status_t add_event(po_ledger_db *db, const po_site *site, const po_request *request, po_event *e,
                              po_order_outcome outcome, apr_pool_t *p)
{
    po_outbox_row row = { 0 };

    row.key = e->id;
    row.site = site->public_url;
    row.channel = request->test ? "event-test" : "event";
    row.buyer = request->buyer;
    row.request = request->id;
    row.body = po_event_json(e, p);
    row.created = e->time;
    row.outcome = outcome;
    return row.body ? po_outbox_add(db, &row, e->time) : APR_EGENERAL;
}

/* PunchOutActivate each: further approvals of it are open. */
static int is_partly(const po_request *request)
{
    return po_state_of_charges(request) == PO_STATE_PARTLY_APPROVED;
}

apr_status_t po_delivery_event(po_ledger_db *db, const po_site *site, po_request *request, po_order_outcome outcome,
                              const po_cxml_order *order, const char *payload_id, apr_time_t now, po_crypto *c, apr_pool_t *p)
{
    char id[PO_ID_TEXT], token[PO_CALLBACK_TOKEN];
    unsigned char key[PO_DIGEST];
    po_event e = { 0 };
    apr_status_t rv;

    if (request->test && !site->fulfillment_test) {
        if (outcome == PO_OUTCOME_APPROVED && !is_partly(request))
            request->state = PO_STATE_TESTED;
        return APR_SUCCESS;
    }
    if ((rv = po_id(c, "evt", id)) != APR_SUCCESS || (rv = po_ledger_key(db, key)) != APR_SUCCESS
        || (rv = earlier_orders(db, request, order, p, &e.earlier)) != APR_SUCCESS)
        return rv;
    po_callback_token(c, key, id, token);
    e.id = id;
    e.type = event_type(request, outcome);
    e.source = apr_pstrcat(p, site->door, "/", request->buyer, NULL);
    e.callback_url = apr_pstrcat(p, site->door, "/fulfilled/", id, NULL);
    e.callback_token = token;
    e.time = now;
    e.request = request;
    e.order = order;
    e.order_payload = payload_id;
    if (!request->told)
        request->told = PO_TOLD_QUEUED;
    if (outcome == PO_OUTCOME_APPROVED) {
        e.approved = po_approvals_to_tell(request, p);
        po_approvals_told(request, e.approved);
        request->state = is_partly(request) ? PO_STATE_PARTLY_APPROVED : PO_STATE_APPROVED;
    }
    return add_event(db, site, request, &e, outcome, p);
}
