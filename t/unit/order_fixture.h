/* order_fixture.h - a buyer, his open requests and a purchase order, for the tests of matching. */
#ifndef ORDER_FIXTURE_H
#define ORDER_FIXTURE_H

#include "market_fixture.h"

#define NOW apr_time_from_sec(1795430000)

static po_buyer buyer;
static po_cxml_order order;
static apr_array_header_t *known;
static po_order_match match;

static inline void new_order(const char *id)
{
    memset(&order, 0, sizeof(order));
    order.order_id = id;
    order.type = "new";
    order.items = apr_array_make(pool, 4, sizeof(po_cxml_item));
}

/* A production buyer that refuses what differs; no request, no line. */
static inline int fresh(void **state)
{
    apr_pool_clear(pool);
    memset(&buyer, 0, sizeof(buyer));
    buyer.profile = *po_profile_find("generic");
    buyer.deployment = PO_DEPLOYMENT_PRODUCTION;
    buyer.mismatch = PO_MISMATCH_REJECT;
    known = apr_array_make(pool, 2, sizeof(po_request *));
    new_order("PO-1");
    return 0;
}

static inline po_request *add_request(const char *id)
{
    po_request *r = apr_pcalloc(pool, sizeof(*r));

    r->id = id;
    r->state = PO_STATE_REQUESTED;
    r->expires = NOW + apr_time_from_sec(60);
    r->charges = apr_array_make(pool, 2, sizeof(po_charge));
    APR_ARRAY_PUSH(known, po_request *) = r;
    return r;
}

static inline po_charge *add_charge(po_request *r, const char *part, const char *quantity, const char *price)
{
    po_charge *c = apr_array_push(r->charges);

    memset(c, 0, sizeof(*c));
    c->line = r->charges->nelts;
    c->kind = "contract";
    c->part = part;
    c->unit = "HUR";
    c->currency = "USD";
    c->quantity = dec(quantity);
    c->unit_price = dec(price);
    return c;
}

static inline po_cxml_item *add_line(const char *auxiliary, const char *part, const char *quantity, const char *price)
{
    po_cxml_item *item = apr_array_push(order.items);

    memset(item, 0, sizeof(*item));
    item->line = order.items->nelts;
    item->auxiliary = auxiliary;
    item->part = part;
    item->quantity = dec(quantity);
    item->unit_price = dec(price);
    item->has_price = 1;
    item->has_detail = 1;
    item->currency = "USD";
    item->unit = "HUR";
    return item;
}

/* req-a: a contract of 1 x 1200.00 and usage of 2000 x 0.25. */
static inline po_request *usual_request(void)
{
    po_request *r = add_request("req-a");

    add_charge(r, "off-both", "1", "1200.00");
    add_charge(r, "off-both", "2000", "0.25");
    return r;
}

static inline po_charge_state charge_state(const po_request *r, int n)
{
    return APR_ARRAY_IDX(r->charges, n, po_charge).state;
}

static inline void go(int test)
{
    po_order_match_new(&order, test, &buyer, known, NOW, &match, pool);
}

static inline void says(const char *text)
{
    if (!match.detail || !strstr(match.detail, text))
        fail_msg("\"%s\" is not in: %s", text, match.detail ? match.detail : "(no detail)");
}

static inline void is_taken(void)
{
    go(0);
    if (match.status != 200 || match.held)
        fail_msg("status %d, held %d: %s", match.status, match.held, match.detail ? match.detail : "");
}

static inline void is_held(const char *text)
{
    go(0);
    if (match.status != 200 || !match.held)
        fail_msg("status %d, held %d: %s", match.status, match.held, match.detail ? match.detail : "");
    says(text);
    says("held until the marketplace");
}

static inline void is_refused(const char *text)
{
    go(0);
    assert_int_equal(match.status, 409);
    assert_false(match.held);
    says(text);
    says("nothing of it is carried out");
    assert_int_equal(match.requests->nelts, 0);
}

#endif
