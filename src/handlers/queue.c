/* queue.c - the event of an approved request on its way into the outbox. */
#include "handlers/handlers.h"

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

static const char *event_type(const po_request *r)
{
    if (!strcmp(r->action, "change"))
        return "marketplace.subscription.changed";
    if (!strcmp(r->action, "renew"))
        return "marketplace.subscription.renewed";
    return "marketplace.subscription.approved";
}

apr_status_t po_queue_event(po_ledger_db *db, const po_site *site, po_request *request, const po_cxml_order *order,
                            const char *payload_id, apr_time_t now, po_crypto *c, apr_pool_t *p)
{
    char id[PO_ID_TEXT], token[PO_CALLBACK_TOKEN];
    unsigned char key[PO_DIGEST];
    po_outbox_row row = { 0 };
    po_event e = { 0 };
    apr_status_t rv;

    if (request->test && !site->fulfillment_test) {
        request->state = PO_STATE_TESTED;
        return APR_SUCCESS;
    }
    if ((rv = po_id(c, "evt", id)) != APR_SUCCESS || (rv = po_ledger_key(db, key)) != APR_SUCCESS)
        return rv;
    po_callback_token(c, key, id, token);
    e.id = id;
    e.type = event_type(request);
    e.source = apr_pstrcat(p, site->door, "/", request->buyer, NULL);
    e.callback_url = apr_pstrcat(p, site->door, "/fulfilled/", id, NULL);
    e.callback_token = token;
    e.time = now;
    e.request = request;
    e.order = order;
    e.order_payload = payload_id;
    row.key = id;
    row.site = site->public_url;
    row.channel = request->test ? "event-test" : "event";
    row.buyer = request->buyer;
    row.request = request->id;
    row.body = po_event_json(&e, p);
    row.created = now;
    request->state = PO_STATE_APPROVED;
    return row.body ? po_outbox_add(db, &row, now) : APR_EGENERAL;
}
