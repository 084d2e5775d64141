/* test_order.c - a purchase order against the requests that it names: what is approved, held and refused. */
#include "order_fixture.h"

/* ---- the auxiliary id ----------------------------------------------------------------------------------------- */

static void an_auxiliary_id_names_request_and_line(void **state)
{
    static const char *const bad[] = { "", "req-abc", "req-abc.", "req-abc.0", "req-abc.01", "req-abc.x", "req-abc.1x",
                                       "req-.1", "abc.1", "req-a b.1", "req-abc.-1", "req-abc.123456", "req-a.1.2",
                                       "req-\xc3\xa4.1",
                                       "req-0123456789012345678901234567890123456789.1", "evt-abc.1" };
    const char *request;
    apr_size_t i;
    int line;

    assert_true(po_auxiliary_parse("req-abc.2", &request, &line, pool));
    assert_string_equal(request, "req-abc");
    assert_int_equal(line, 2);
    assert_true(po_auxiliary_parse(" \n req-4x8w0123456789ab.12\r\n", &request, &line, pool));
    assert_string_equal(request, "req-4x8w0123456789ab");
    assert_int_equal(line, 12);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (po_auxiliary_parse(bad[i], &request, &line, pool))
            fail_msg("taken: %s", bad[i]);
}

/* ---- equal ---------------------------------------------------------------------------------------------------- */

static void an_order_equal_to_its_cart_approves_the_request(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000.00", "0.250");
    order.total = dec("1700");
    order.currency = "USD";
    is_taken();
    assert_null(match.detail);
    assert_int_equal(r->state, PO_STATE_APPROVED);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_ORDERED);
    assert_string_equal(APR_ARRAY_IDX(r->charges, 1, po_charge).order_id, "PO-1");
    assert_int_equal(APR_ARRAY_IDX(r->charges, 1, po_charge).order_line, 2);
    assert_int_equal(r->test, 0);
    assert_int_equal(match.requests->nelts, 1);
    assert_ptr_equal(APR_ARRAY_IDX(match.requests, 0, po_request *), r);
    assert_ptr_equal(APR_ARRAY_IDX(match.lines, 1, po_order_match_line).charge,
                     &APR_ARRAY_IDX(r->charges, 1, po_charge));
}

static void two_approvals_may_come_on_two_orders(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.2", "off-both", "2000", "0.25")->line = 7;
    is_taken();
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 1, po_charge).order_line, 7);
    new_order("PO-2");
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(r->state, PO_STATE_APPROVED);
    assert_string_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).order_id, "PO-2");
    assert_string_equal(APR_ARRAY_IDX(r->charges, 1, po_charge).order_id, "PO-1");
}

static void one_order_may_approve_several_requests(void **state)
{
    po_request *a = usual_request(), *b = add_request("req-b");

    add_charge(b, "off-x", "3", "5");
    add_line("req-b.1", "off-x", "3", "5");
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(match.requests->nelts, 2);
    assert_int_equal(a->state, PO_STATE_PARTLY_APPROVED);
    assert_int_equal(b->state, PO_STATE_APPROVED);
}

static void a_changed_unit_is_only_told(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.1", "off-both", "1", "1200")->unit = "EA";
    is_taken();
    says("UnitOfMeasure is \"EA\", the cart said \"HUR\"");
    assert_int_equal(charge_state(r, 0), PO_CHARGE_ORDERED);
    fresh(NULL);
    usual_request();
    buyer.units = apr_table_make(pool, 1);
    apr_table_set(buyer.units, "HUR", "HR");
    add_line("req-a.1", "off-both", "1", "1200")->unit = "HR";
    is_taken();
    assert_null(match.detail);
}

static void test_wins_wherever_it_occurs(void **state)
{
    int i;

    for (i = 0; i < 3; i++) {
        po_request *r;

        fresh(NULL);
        r = usual_request();
        r->test = i == 0;
        buyer.deployment = i == 1 ? PO_DEPLOYMENT_TEST : PO_DEPLOYMENT_PRODUCTION;
        add_line("req-a.1", "off-both", "1", "1200");
        add_line("req-a.2", "off-both", "2000", "0.25");
        go(i == 2);
        assert_int_equal(match.status, 200);
        assert_int_equal(r->test, 1);
        assert_int_equal(r->state, PO_STATE_APPROVED);
    }
}

/* ---- different ------------------------------------------------------------------------------------------------ */

typedef struct { const char *auxiliary, *part, *quantity, *price, *currency, *detail; } difference;

static const difference differences[] = {
    { "req-a.1", "off-else", "1", "1200", "USD", "line 1: SupplierPartID is \"off-else\", the cart said \"off-both\"" },
    { "req-a.1", NULL, "1", "1200", "USD", "SupplierPartID is none" },
    { "req-a.1", "off-both", "2", "1200", "USD", "line 1: quantity is 2, the cart said 1" },
    { "req-a.1", "off-both", "1", "1200.01", "USD", "line 1: UnitPrice is 1200.01 USD, the cart said 1200.00 USD" },
    { "req-a.1", "off-both", "1", "0", "USD", "UnitPrice is 0.00 USD" },
    { "req-a.1", "off-both", "1", "1200", "EUR", "UnitPrice is 1200.00 EUR, the cart said 1200.00 USD" },
    { "req-a.1", "off-both", "1", "1200", NULL, "(no currency)" },
    { "req-a.9", "off-both", "1", "1200", "USD", "names no line of request req-a, which has 2" },
    { "req-z.1", "off-both", "1", "1200", "USD", "\"req-z.1\" names no request of this connection" },
    { "other supplier's", "off-both", "1", "1200", "USD", "names no request of this connection" },
    { NULL, "off-both", "3", "1200", "USD", "no open request has part \"off-both\"" },
    { "", "off-none", "1", "1200", "USD", "no SupplierPartAuxiliaryID" } };
#define DIFFERENCES (sizeof(differences) / sizeof(differences[0]))

static po_request *with_difference(const difference *d, po_mismatch rule)
{
    po_request *r;

    fresh(NULL);
    buyer.mismatch = rule;
    r = usual_request();
    add_line(d->auxiliary, d->part, d->quantity, d->price)->currency = d->currency;
    add_line("req-a.2", "off-both", "2000", "0.25");
    return r;
}

/* A test of the second approval would make a test of the first one's order too: a real order would be lost. */
static void a_test_takes_no_rest_of_what_a_real_order_has_begun(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    new_order("PO-2");
    add_line("req-a.2", "off-both", "2000", "0.25");
    go(1);
    assert_int_equal(match.status, 409);
    says("a part of request req-a is ordered in production");
    assert_int_equal(r->test, 0);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    is_taken();                         /* the real one comes */
    assert_int_equal(r->state, PO_STATE_APPROVED);
}

static void a_line_that_orders_nothing_is_refused_whatever_the_setting(void **state)
{
    static const char *const quantities[] = { "0", "0.00", "-1" };
    int i;

    for (i = 0; i < 9; i++) {
        fresh(NULL);
        buyer.mismatch = (po_mismatch)(i / 3);
        usual_request();
        add_line("req-a.1", "off-both", quantities[i % 3], "1200");
        add_line("req-a.2", "off-both", "2000", "0.25");
        is_refused("which orders nothing of charge req-a.1");
    }
}

static void what_differs_is_refused_by_reject_and_nothing_changes(void **state)
{
    apr_size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        po_request *r = with_difference(&differences[i], PO_MISMATCH_REJECT);

        is_refused(differences[i].detail);
        assert_int_equal(r->state, PO_STATE_REQUESTED);
        assert_int_equal(charge_state(r, 0), PO_CHARGE_REQUESTED);
        assert_int_equal(charge_state(r, 1), PO_CHARGE_REQUESTED);
    }
}

static void what_differs_is_held_by_hold(void **state)
{
    apr_size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        po_request *r = with_difference(&differences[i], PO_MISMATCH_HOLD);

        is_held(differences[i].detail);
        assert_int_equal(r->state, PO_STATE_HELD);
        assert_non_null(strstr(r->reason, differences[i].detail));
        assert_int_equal(charge_state(r, 1), PO_CHARGE_ORDERED);
    }
}

static void what_differs_is_as_if_equal_by_accept(void **state)
{
    apr_size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        po_request *r = with_difference(&differences[i], PO_MISMATCH_ACCEPT);

        is_taken();
        says(differences[i].detail);
        says("as if it were equal");
        assert_int_equal(charge_state(r, 1), PO_CHARGE_ORDERED);
        assert_int_equal(r->state, i < 7 ? PO_STATE_APPROVED : PO_STATE_PARTLY_APPROVED);
    }
}

static void a_line_without_a_price_differs(void **state)
{
    usual_request();
    add_line("req-a.1", "off-both", "1", "0")->has_price = 0;
    is_refused("there is no UnitPrice, the cart said 1200.00 USD");
}

static void a_charge_twice_in_one_order_differs(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.1", "off-both", "1", "1200");
    is_refused("line 2: it names charge req-a.1, as another line of this order does");
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    is_taken();
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).order_line, 1);
    assert_null(APR_ARRAY_IDX(match.lines, 1, po_order_match_line).charge);
}

static void many_differences_are_counted_not_listed(void **state)
{
    int i;

    for (i = 0; i < 50; i++)
        add_line("req-z.1", "p", "1", "1");
    is_refused("; and 45 more");
    assert_true(strlen(match.detail) < 1000);
}

/* ---- totals --------------------------------------------------------------------------------------------------- */

static void total(const char *amount, const char *currency)
{
    order.total = dec(amount);
    order.currency = currency;
}

static void a_total_below_the_lines_differs_and_one_above_does_not(void **state)
{
    usual_request();
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    total("1699.99", "USD");
    is_refused("Total is 1699.99 USD, but the lines sum up to 1700.00 USD");
    total("1700", "EUR");
    is_refused("Total is in EUR, the lines are in USD");
    total("1836.00", "USD");            /* with tax */
    is_taken();
}

static void a_total_rounded_to_the_coin_is_equal(void **state)
{
    static const char *const good[] = { "500.055", "500.05", "500.06" };
    int i;

    for (i = 0; i < 3; i++) {
        fresh(NULL);
        add_charge(add_request("req-a"), "p", "5406", "0.0925");
        add_line("req-a.1", "p", "5406", "0.0925");
        total(good[i], "USD");
        is_taken();
    }
    fresh(NULL);
    add_charge(add_request("req-a"), "p", "5406", "0.0925");
    add_line("req-a.1", "p", "5406", "0.0925");
    total("500.04", "USD");
    is_refused("Total is 500.04 USD, but the lines sum up to 500.055 USD");
}

static void large_sums_are_compared_exactly(void **state)
{
    add_charge(add_request("req-a"), "p", "1000000", "0.01");
    add_line("req-a.1", "p", "1000000", "0.01");
    total("9999.99", "USD");
    is_refused("sum up to 10000.00 USD");
    total("10000", "USD");
    is_taken();
    fresh(NULL);
    add_charge(add_request("req-a"), "p", "3", "15000")->currency = "JPY";
    add_line("req-a.1", "p", "3", "15000")->currency = "JPY";
    total("44999", "JPY");
    is_refused("Total is 44999 JPY, but the lines sum up to 45000 JPY");
}

static void an_order_without_a_total_is_taken(void **state)
{
    usual_request();
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
}

/* ---- lines that name no request ------------------------------------------------------------------------------- */

static void a_line_without_auxiliary_id_finds_its_only_equal_charge(void **state)
{
    po_request *a = usual_request(), *b = add_request("req-b");

    add_charge(b, "off-both", "1", "1200.01");
    add_line(NULL, "off-both", "1", "1200");
    is_taken();
    assert_int_equal(charge_state(a, 0), PO_CHARGE_ORDERED);
    assert_int_equal(charge_state(b, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(match.requests->nelts, 1);
}

static void several_equal_charges_hold_the_order(void **state)
{
    po_request *a = usual_request(), *b = add_request("req-b");

    add_charge(b, "off-both", "1", "1200");
    add_line(NULL, "off-both", "1", "1200.00");
    is_held("several open requests have part \"off-both\"");
    assert_int_equal(charge_state(a, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(charge_state(b, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(a->state, PO_STATE_REQUESTED);
    assert_int_equal(match.requests->nelts, 0);
    buyer.mismatch = PO_MISMATCH_ACCEPT;        /* not a difference: nobody knows what to accept */
    is_held("several open requests");
}

static void a_line_that_names_its_charge_comes_first(void **state)
{
    po_request *a = usual_request(), *b = add_request("req-b");

    add_charge(b, "off-both", "1", "1200");
    add_line(NULL, "off-both", "1", "1200");
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(APR_ARRAY_IDX(a->charges, 0, po_charge).order_line, 2);
    assert_int_equal(APR_ARRAY_IDX(b->charges, 0, po_charge).order_line, 1);
}

static void charges_that_are_not_open_are_no_candidates(void **state)
{
    po_request *a = usual_request();

    add_line(NULL, "off-both", "1", "1200");
    APR_ARRAY_IDX(a->charges, 0, po_charge).state = PO_CHARGE_ORDERED;
    is_refused("no open request has part");
    APR_ARRAY_IDX(a->charges, 0, po_charge).state = PO_CHARGE_REQUESTED;
    a->state = PO_STATE_CANCELLED;
    is_refused("no open request has part");
    a->state = PO_STATE_REQUESTED;
    a->expires = NOW - 1;
    is_refused("no open request has part");
}

/* ---- charges and requests that can't be ordered --------------------------------------------------------------- */

static void a_charge_of_another_order_is_always_refused_by_name(void **state)
{
    static const po_mismatch rules[] = { PO_MISMATCH_REJECT, PO_MISMATCH_HOLD, PO_MISMATCH_ACCEPT };
    int i;

    for (i = 0; i < 3; i++) {
        po_request *r;

        fresh(NULL);
        buyer.mismatch = rules[i];
        r = usual_request();
        add_line("req-a.1", "off-both", "1", "1200");
        is_taken();
        new_order("PO-2");
        add_line("req-a.2", "off-both", "2000", "0.25");
        add_line("req-a.1", "off-both", "1", "1200");
        is_refused("charge req-a.1 is already ordered by order PO-1");
        assert_int_equal(charge_state(r, 1), PO_CHARGE_REQUESTED);
        assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
        assert_string_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).order_id, "PO-1");
    }
}

static void an_expired_request_is_held(void **state)
{
    po_request *r = usual_request();

    r->expires = NOW - 1;               /* the sweep has not come by yet */
    add_line("req-a.1", "off-both", "1", "1200");
    is_held("request req-a has expired");
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_non_null(strstr(r->reason, "expired"));
    fresh(NULL);
    r = usual_request();
    r->state = PO_STATE_EXPIRED;
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_EXPIRED;
    add_line("req-a.1", "off-both", "1", "1200");
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    is_held("request req-a has expired");
}

static void the_second_approval_is_held_after_its_time(void **state)
{
    po_request *r = usual_request();

    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_ORDERED;
    r->state = PO_STATE_PARTLY_APPROVED;
    r->expires = NOW - 1;
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_held("request req-a has expired");
    assert_int_equal(r->state, PO_STATE_HELD);
}

static void a_cancelled_or_preapproved_request_takes_no_order(void **state)
{
    po_request *r = usual_request();

    buyer.mismatch = PO_MISMATCH_ACCEPT;
    add_line("req-a.1", "off-both", "1", "1200");
    r->state = PO_STATE_CANCELLED;
    is_refused("request req-a was cancelled");
    r->state = PO_STATE_REQUESTED;
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_CANCELLED;
    is_refused("charge req-a.1 was cancelled; return a new cart");
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_PREAPPROVED;
    is_refused("was approved without an order");
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_REQUESTED;
    r->state = PO_STATE_FAILED;
    is_refused("request req-a is failed and takes no order");
}

static void a_held_request_stays_held_for_its_first_reason(void **state)
{
    po_request *r = usual_request();

    buyer.mismatch = PO_MISMATCH_HOLD;
    add_line("req-a.1", "off-both", "2", "1200");
    is_held("quantity is 2");
    new_order("PO-2");
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_held("request req-a is held already");
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_non_null(strstr(r->reason, "quantity is 2"));
    assert_null(strstr(r->reason, "held already"));
    assert_int_equal(charge_state(r, 1), PO_CHARGE_ORDERED);
}

static void one_line_to_hold_holds_the_whole_order(void **state)
{
    po_request *a = usual_request(), *b = add_request("req-b");

    add_charge(b, "off-x", "1", "5");
    b->state = PO_STATE_EXPIRED;
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    add_line("req-b.1", "off-x", "1", "5");
    is_held("request req-b has expired");
    assert_int_equal(a->state, PO_STATE_HELD);
    assert_int_equal(b->state, PO_STATE_HELD);
}

/* ---- 20,000 random orders ------------------------------------------------------------------------------------- */

#define ORDERS 20000
#define REQUESTS 5
#define CHARGES 3

static unsigned seed;

static int dice(int sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 8) % (unsigned)sides);
}

static const char *const parts[] = { "p", "q" }, *const prices[] = { "1", "0.0925" };
static const char *const quantities[] = { "1", "5406" };

/* Mostly open requests with few different charges, so that lines meet several. */
static void random_requests(void)
{
    static const po_state states[] = { PO_STATE_REQUESTED, PO_STATE_REQUESTED, PO_STATE_REQUESTED, PO_STATE_REQUESTED,
                                       PO_STATE_PARTLY_APPROVED, PO_STATE_HELD, PO_STATE_CANCELLED, PO_STATE_EXPIRED,
                                       PO_STATE_FAILED };
    int i, n;

    for (i = 0; i < REQUESTS; i++) {
        po_request *r = add_request(apr_psprintf(pool, "req-%d", i));

        r->state = states[dice(9)];
        r->expires = dice(8) ? NOW + 1 : NOW - 1;
        for (n = 1 + dice(CHARGES); n > 0; n--) {
            po_charge *c = add_charge(r, parts[dice(2)], quantities[dice(2)], prices[dice(2)]);

            if (!dice(6)) {
                c->state = (po_charge_state)dice(PO_CHARGE_EXPIRED + 1);
                c->order_id = c->state == PO_CHARGE_ORDERED ? "PO-before" : NULL;
            }
        }
    }
}

/* A line that mostly says what a charge says. */
static void random_line(void)
{
    po_request *r = APR_ARRAY_IDX(known, dice(REQUESTS), po_request *);
    const po_charge *c = &APR_ARRAY_IDX(r->charges, dice(r->charges->nelts), po_charge);
    const char *auxiliary = dice(4) ? apr_psprintf(pool, "%s.%d", r->id, c->line) : dice(3) ? NULL : "req-unknown.1";
    po_cxml_item *item = add_line(auxiliary, c->part, "1", "1");

    item->quantity = c->quantity;
    item->unit_price = c->unit_price;
    if (!dice(12))
        item->quantity = dec("7");
    if (!dice(12))
        item->has_price = 0;
    if (!dice(12))
        item->unit = "EA";
}

typedef struct { po_state state; po_charge_state charge[CHARGES]; const char *order[CHARGES]; int test; } snapshot;

static void take_snapshot(snapshot s[REQUESTS])
{
    int i, n;

    memset(s, 0, REQUESTS * sizeof(*s));
    for (i = 0; i < REQUESTS; i++) {
        const po_request *r = APR_ARRAY_IDX(known, i, po_request *);

        s[i].state = r->state;
        s[i].test = r->test;
        for (n = 0; n < r->charges->nelts; n++) {
            s[i].charge[n] = charge_state(r, n);
            s[i].order[n] = APR_ARRAY_IDX(r->charges, n, po_charge).order_id;
        }
    }
}

/* How often lines of the match stand for this charge. */
static int lines_of(const po_charge *c)
{
    int i, n = 0;

    for (i = 0; i < match.lines->nelts; i++)
        n += APR_ARRAY_IDX(match.lines, i, po_order_match_line).charge == c;
    return n;
}

static void charge_is_ordered_once(const snapshot *before, const po_request *r, int n)
{
    const po_charge *c = &APR_ARRAY_IDX(r->charges, n, po_charge);
    int lines = lines_of(c);

    assert_true(lines <= 1);
    if (before->charge[n] == PO_CHARGE_ORDERED) {
        assert_int_equal(c->state, PO_CHARGE_ORDERED);
        assert_string_equal(c->order_id, before->order[n]);
        assert_int_equal(lines, 0);
    } else if (c->state == PO_CHARGE_ORDERED) {
        assert_string_equal(c->order_id, order.order_id);
        assert_int_equal(lines, 1);
        assert_true(before->charge[n] == PO_CHARGE_REQUESTED || (match.held && before->charge[n] == PO_CHARGE_EXPIRED));
    } else {
        assert_int_equal(c->state, before->charge[n]);
    }
}

static void request_is_as_it_may_be(const snapshot *before, const po_request *r)
{
    int n;

    for (n = 0; n < r->charges->nelts; n++)
        charge_is_ordered_once(before, r, n);
    if (r->state == before->state)
        return;
    if (match.held)
        assert_int_equal(r->state, PO_STATE_HELD);
    else
        assert_int_equal(r->state, po_state_of_charges(r));
    if (r->state == PO_STATE_APPROVED)
        assert_true(before->state == PO_STATE_REQUESTED || before->state == PO_STATE_PARTLY_APPROVED);
}

static void a_charge_is_ordered_once_a_409_changes_nothing_a_held_order_approves_nothing(void **state)
{
    snapshot before[REQUESTS], after[REQUESTS];
    int i, n, outcomes[3] = { 0, 0, 0 };

    for (i = 0; i < ORDERS; i++) {
        seed = (unsigned)i;
        fresh(NULL);
        buyer.mismatch = (po_mismatch)dice(3);
        order.order_id = "PO-now";
        random_requests();
        for (n = 1 + dice(4); n > 0; n--)
            random_line();
        take_snapshot(before);
        go(dice(2));
        take_snapshot(after);
        outcomes[match.status == 409 ? 0 : match.held ? 1 : 2]++;
        assert_int_equal(match.lines->nelts, order.items->nelts);
        if (match.status == 409) {
            assert_memory_equal(before, after, sizeof(before));
            assert_non_null(match.detail);
            continue;
        }
        for (n = 0; n < REQUESTS; n++)
            request_is_as_it_may_be(&before[n], APR_ARRAY_IDX(known, n, po_request *));
    }
    for (n = 0; n < 3; n++)
        assert_true(outcomes[n] > ORDERS / 50);         /* each outcome was really met */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_test_takes_no_rest_of_what_a_real_order_has_begun, fresh),
        cmocka_unit_test_setup(a_line_that_orders_nothing_is_refused_whatever_the_setting, fresh),
        cmocka_unit_test_setup(an_auxiliary_id_names_request_and_line, fresh),
        cmocka_unit_test_setup(an_order_equal_to_its_cart_approves_the_request, fresh),
        cmocka_unit_test_setup(two_approvals_may_come_on_two_orders, fresh),
        cmocka_unit_test_setup(one_order_may_approve_several_requests, fresh),
        cmocka_unit_test_setup(a_changed_unit_is_only_told, fresh),
        cmocka_unit_test_setup(test_wins_wherever_it_occurs, fresh),
        cmocka_unit_test_setup(what_differs_is_refused_by_reject_and_nothing_changes, fresh),
        cmocka_unit_test_setup(what_differs_is_held_by_hold, fresh),
        cmocka_unit_test_setup(what_differs_is_as_if_equal_by_accept, fresh),
        cmocka_unit_test_setup(a_line_without_a_price_differs, fresh),
        cmocka_unit_test_setup(a_charge_twice_in_one_order_differs, fresh),
        cmocka_unit_test_setup(many_differences_are_counted_not_listed, fresh),
        cmocka_unit_test_setup(a_total_below_the_lines_differs_and_one_above_does_not, fresh),
        cmocka_unit_test_setup(a_total_rounded_to_the_coin_is_equal, fresh),
        cmocka_unit_test_setup(large_sums_are_compared_exactly, fresh),
        cmocka_unit_test_setup(an_order_without_a_total_is_taken, fresh),
        cmocka_unit_test_setup(a_line_without_auxiliary_id_finds_its_only_equal_charge, fresh),
        cmocka_unit_test_setup(several_equal_charges_hold_the_order, fresh),
        cmocka_unit_test_setup(a_line_that_names_its_charge_comes_first, fresh),
        cmocka_unit_test_setup(charges_that_are_not_open_are_no_candidates, fresh),
        cmocka_unit_test_setup(a_charge_of_another_order_is_always_refused_by_name, fresh),
        cmocka_unit_test_setup(an_expired_request_is_held, fresh),
        cmocka_unit_test_setup(the_second_approval_is_held_after_its_time, fresh),
        cmocka_unit_test_setup(a_cancelled_or_preapproved_request_takes_no_order, fresh),
        cmocka_unit_test_setup(a_held_request_stays_held_for_its_first_reason, fresh),
        cmocka_unit_test_setup(one_line_to_hold_holds_the_whole_order, fresh),
        cmocka_unit_test_setup(a_charge_is_ordered_once_a_409_changes_nothing_a_held_order_approves_nothing, fresh),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
