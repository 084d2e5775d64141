/* test_order_change.c - purchase orders of type update and delete, blanket orders, and whose turn it is. */
#include "order_fixture.h"

/* req-a: a contract of 1 x 1200.00 and usage of 2000 x 0.25, both on PO-1; the backend has made a subscription of it. */
static po_request *active_request(void)
{
    po_request *r = usual_request();

    APR_ARRAY_IDX(r->charges, 1, po_charge).kind = "usage";
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_taken();
    r->state = PO_STATE_ACTIVE;
    r->told = 1;
    new_order("PO-1");
    order.type = "update";
    return r;
}

static po_charge *charge(po_request *r, int n)
{
    return &APR_ARRAY_IDX(r->charges, n, po_charge);
}

static void update(void)
{
    po_order_match_update(&order, 0, &buyer, known, known, NOW, &match, pool);
}

static void updates(void)
{
    update();
    if (match.status != 200 || match.held)
        fail_msg("status %d, held %d: %s", match.status, match.held, match.detail ? match.detail : "");
}

static void update_is_refused(const char *text)
{
    update();
    assert_int_equal(match.status, 409);
    says(text);
    assert_int_equal(match.requests->nelts, 0);
}

static void cancel(void)
{
    order.type = "delete";
    po_order_cancel(&order, 0, known, &match, pool);
}

static void outcome_is(po_request *r, po_order_outcome want)
{
    int i;

    for (i = 0; i < match.requests->nelts; i++)
        if (APR_ARRAY_IDX(match.requests, i, po_request *) == r) {
            assert_int_equal(APR_ARRAY_IDX(match.outcomes, i, po_order_outcome), want);
            return;
        }
    assert_int_equal(want, PO_OUTCOME_NONE);
}

static void is_number(const po_decimal *d, const char *want)
{
    char text[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, 0, text), want);
}

/* ---- update --------------------------------------------------------------------------------------------------- */

static void an_update_changes_the_ordered_quantity_and_keeps_the_carts(void **state)
{
    po_request *r = active_request();

    add_line("req-a.1", "off-both", "3", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    updates();
    is_number(&charge(r, 0)->quantity, "1");
    is_number(po_charge_quantity(charge(r, 0)), "3");
    assert_int_equal(r->state, PO_STATE_ACTIVE);
    outcome_is(r, PO_OUTCOME_CHANGED);
}

static void an_update_that_changes_nothing_tells_nobody(void **state)
{
    po_request *r = active_request();

    add_line("req-a.2", "off-both", "2000.0", "0.25");
    add_line("req-a.1", "off-both", "1", "1200");
    updates();
    outcome_is(r, PO_OUTCOME_NONE);
    assert_int_equal(charge(r, 0)->order_line, 2);
    assert_int_equal(r->state, PO_STATE_ACTIVE);
}

static void an_update_must_keep_part_price_and_currency(void **state)
{
    active_request();
    add_line("req-a.1", "off-both", "1", "1100");
    add_line("req-a.2", "off-both", "2000", "0.25");
    update_is_refused("UnitPrice is 1100.00 USD, the cart said 1200.00 USD");
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    updates();
    is_number(&charge(APR_ARRAY_IDX(known, 0, po_request *), 0)->unit_price, "1200");
}

static void an_update_that_a_person_must_decide_leaves_other_requests_as_they_are(void **state)
{
    po_request *r = active_request(), *b = add_request("req-b");

    add_charge(b, "off-x", "1", "5");
    charge(b, 0)->state = PO_CHARGE_ORDERED;
    charge(b, 0)->order_id = "PO-1";
    charge(b, 0)->order_line = 3;
    b->state = PO_STATE_ACTIVE;
    buyer.mismatch = PO_MISMATCH_HOLD;
    add_line("req-a.1", "off-both", "2", "1100");
    add_line("req-a.2", "off-both", "2000", "0.25");
    add_line("req-b.1", "off-x", "1", "5");
    update();
    assert_int_equal(match.held, 1);
    assert_int_equal(r->state, PO_STATE_HELD);
    outcome_is(r, PO_OUTCOME_NONE);
    assert_int_equal(b->state, PO_STATE_ACTIVE);
}

static void an_update_that_a_person_must_decide_cancels_nothing(void **state)
{
    po_request *r = active_request(), *b = add_request("req-b");

    add_charge(b, "off-x", "1", "5");
    charge(b, 0)->state = PO_CHARGE_ORDERED;
    charge(b, 0)->order_id = "PO-1";
    charge(b, 0)->order_line = 3;
    b->state = PO_STATE_ACTIVE;
    b->told = 1;
    buyer.mismatch = PO_MISMATCH_HOLD;
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2 (copy)", "off-both", "2000", "0.25");     /* spoilt on the way: it is not left out */
    update();
    assert_int_equal(match.held, 1);
    outcome_is(r, PO_OUTCOME_NONE);
    outcome_is(b, PO_OUTCOME_NONE);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_ORDERED);
    assert_int_equal(charge_state(b, 0), PO_CHARGE_ORDERED);
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_int_equal(b->state, PO_STATE_HELD);
}

static void a_late_answer_ends_no_hold_that_an_order_caused(void **state)
{
    po_request *r = active_request();

    r->state = PO_STATE_HELD;
    r->reason = PO_HELD_UNANSWERED;
    assert_int_equal(po_state_when_ready(r, 0), PO_STATE_ACTIVE);
    assert_int_equal(po_state_when_ready(r, 1), PO_STATE_TESTED);
    buyer.mismatch = PO_MISMATCH_HOLD;
    add_line("req-a.1", "off-both", "3", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    update();
    assert_int_equal(match.held, 1);
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_non_null(strstr(r->reason, PO_HELD_UNANSWERED));
    assert_int_equal(po_state_when_ready(r, 0), PO_STATE_HELD);
    assert_int_equal(po_state_when_ready(r, 1), PO_STATE_HELD);
}

static void a_line_of_quantity_zero_does_not_hide_a_total_that_is_too_small(void **state)
{
    po_cxml_item *item;

    active_request();
    order.currency = "USD";
    order.total = dec("1200");
    add_line("req-a.1", "off-both", "5", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    item = add_line("req-a.9", NULL, "0", "0");
    item->has_price = item->has_detail = 0;
    item->currency = NULL;
    update_is_refused("Total is 1200.00 USD, but the lines sum up to 6500.00 USD");
}

static void a_dimension_that_an_update_leaves_out_is_a_change(void **state)
{
    po_request *r = active_request();
    po_charge *third = add_charge(r, "off-both", "10", "2");

    third->kind = "usage";
    third->state = PO_CHARGE_ORDERED;
    third->order_id = "PO-1";
    third->order_line = 3;
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    updates();
    assert_int_equal(charge_state(r, 2), PO_CHARGE_CANCELLED);
    outcome_is(r, PO_OUTCOME_CHANGED);
    assert_int_equal(r->state, PO_STATE_ACTIVE);
}

static void a_quantity_of_zero_is_a_line_left_out(void **state)
{
    po_request *r = active_request();

    add_line("req-a.1", "off-both", "0", "1200");
    add_line("req-a.2", "off-both", "0", "0.25");
    updates();
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    outcome_is(r, PO_OUTCOME_CANCELLED);
}

static void an_approval_that_an_update_leaves_out_holds_the_request(void **state)
{
    po_request *r = active_request();

    add_line("req-a.1", "off-both", "1", "1200");
    updates();
    assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_non_null(strstr(r->reason, "PO-1"));
    outcome_is(r, PO_OUTCOME_NONE);
}

static void an_update_may_take_open_charges_of_other_requests(void **state)
{
    po_request *r = active_request(), *b = add_request("req-b");

    add_charge(b, "off-x", "3", "5");
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    add_line("req-b.1", "off-x", "3", "5");
    updates();
    outcome_is(r, PO_OUTCOME_NONE);
    outcome_is(b, PO_OUTCOME_APPROVED);
    assert_int_equal(b->state, PO_STATE_APPROVED);
    is_number(&charge(b, 0)->ordered, "3");
}

static void what_an_update_adds_must_equal_its_cart(void **state)
{
    active_request();
    add_charge(add_request("req-b"), "off-x", "3", "5");
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    add_line("req-b.1", "off-x", "4", "5");
    update_is_refused("quantity is 4, the cart said 3");
}

static void an_update_does_not_take_what_another_order_has(void **state)
{
    po_request *r = active_request();

    charge(r, 1)->order_id = "PO-2";
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    update_is_refused("charge req-a.2 is already ordered by order PO-2");
}

static void an_order_of_the_same_number_in_another_mode_is_not_its_own(void **state)
{
    apr_array_header_t *none = apr_array_make(pool, 1, sizeof(po_request *));

    active_request();
    add_line("req-a.1", "off-both", "5", "1200");
    po_order_match_update(&order, 1, &buyer, known, none, NOW, &match, pool);
    assert_int_equal(match.status, 409);
    says("already ordered by order PO-1");
}

static void lines_of_an_update_without_auxiliary_id_find_what_it_ordered(void **state)
{
    po_request *r = active_request();

    add_line(NULL, "off-both", "2", "1200");
    add_line(NULL, "off-both", "1000", "0.25");
    updates();
    is_number(&charge(r, 0)->ordered, "2");
    is_number(&charge(r, 1)->ordered, "1000");
    outcome_is(r, PO_OUTCOME_CHANGED);
}

static void a_failed_request_is_not_held_by_an_order(void **state)
{
    po_request *r = active_request();

    r->state = PO_STATE_FAILED;
    r->reason = "sold out";
    buyer.mismatch = PO_MISMATCH_HOLD;
    add_line("req-z.1", "off-x", "1", "5");     /* nobody's: the document is held */
    update();
    assert_int_equal(match.status, 200);
    assert_int_equal(match.held, 1);
    assert_int_equal(r->state, PO_STATE_FAILED);
    assert_string_equal(r->reason, "sold out");
    outcome_is(r, PO_OUTCOME_NONE);
    new_order("PO-1");
    order.type = "update";
    add_line("req-a.1", "off-both", "1", "1200");
    updates();                                  /* without the second approval */
    assert_int_equal(r->state, PO_STATE_FAILED);
    outcome_is(r, PO_OUTCOME_NONE);
}

static void a_charge_that_comes_late_to_an_approved_request_is_a_change(void **state)
{
    po_request *r = active_request();

    charge(r, 1)->state = PO_CHARGE_EXPIRED;    /* and the request went on without it */
    charge(r, 1)->order_id = NULL;
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    update();
    assert_int_equal(match.held, 1);
    assert_int_equal(r->state, PO_STATE_HELD);  /* the backend does not know of it: it is not passed over */
    outcome_is(r, PO_OUTCOME_NONE);
}

static void an_ended_subscription_takes_no_change(void **state)
{
    po_request *r = active_request();

    r->state = PO_STATE_ENDED;
    add_line("req-a.1", "off-both", "2", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    update_is_refused("it is too late: the subscription of request req-a has ended");
    new_order("PO-1");
    add_line("req-a.1", "off-both", "1", "1200");
    update_is_refused("charge req-a.2 can't be left out, it is too late");
    new_order("PO-1");
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    updates();                          /* it changes nothing of it */
    assert_int_equal(r->state, PO_STATE_ENDED);
}

/* ---- delete --------------------------------------------------------------------------------------------------- */

static void a_delete_cancels_and_the_backend_hears_of_it_if_it_may_know(void **state)
{
    static const struct { po_state state; int told; po_order_outcome outcome; } rows[] = {
        { PO_STATE_APPROVED, 1, PO_OUTCOME_CANCELLED }, { PO_STATE_DELIVERING, 1, PO_OUTCOME_CANCELLED },
        { PO_STATE_ACTIVE, 1, PO_OUTCOME_CANCELLED }, { PO_STATE_PARTLY_APPROVED, 0, PO_OUTCOME_NONE },
        { PO_STATE_HELD, 0, PO_OUTCOME_NONE }, { PO_STATE_HELD, 1, PO_OUTCOME_CANCELLED },
        { PO_STATE_TESTED, 0, PO_OUTCOME_NONE }, { PO_STATE_FAILED, 1, PO_OUTCOME_NONE } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_request *r;

        fresh(NULL);
        r = active_request();
        r->state = rows[i].state;
        r->told = rows[i].told;
        cancel();
        assert_int_equal(match.status, 200);
        assert_int_equal(r->state, PO_STATE_CANCELLED);
        assert_int_equal(charge_state(r, 0), PO_CHARGE_CANCELLED);
        assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
        outcome_is(r, rows[i].outcome);
    }
}

static void a_delete_of_the_only_order_cancels_what_was_still_open(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    cancel();
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
    outcome_is(r, PO_OUTCOME_NONE);
}

static void a_delete_of_one_of_two_orders_holds_the_request_for_the_operator(void **state)
{
    po_request *r = active_request();

    charge(r, 1)->order_id = "PO-2";
    cancel();
    assert_int_equal(match.status, 200);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_CANCELLED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_ORDERED);
    assert_int_equal(r->state, PO_STATE_HELD);
    outcome_is(r, PO_OUTCOME_NONE);
    new_order("PO-2");
    cancel();                           /* and then the other */
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    outcome_is(r, PO_OUTCOME_CANCELLED);
}

/* The operator has released what the loss of the usage's approval held. */
static void after_a_release_the_next_change_is_a_change_again(void **state)
{
    po_request *r = active_request();
    po_decided decided;

    add_line("req-a.1", "off-both", "1", "1200");
    updates();
    assert_int_equal(r->state, PO_STATE_HELD);
    po_request_release(r, NULL, 0, &decided, pool);
    assert_int_equal(decided.outcome, PO_OUTCOME_CHANGED);
    r->state = PO_STATE_ACTIVE;
    new_order("PO-1");
    order.type = "update";
    add_line("req-a.1", "off-both", "3", "1200");
    updates();
    assert_int_equal(r->state, PO_STATE_ACTIVE);
    outcome_is(r, PO_OUTCOME_CHANGED);
    cancel();
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    outcome_is(r, PO_OUTCOME_CANCELLED);
}

static void a_delete_after_the_end_is_too_late(void **state)
{
    po_request *r = active_request();

    r->state = PO_STATE_ENDED;
    cancel();
    assert_int_equal(match.status, 409);
    says("too late");
    assert_int_equal(charge_state(r, 0), PO_CHARGE_ORDERED);
    assert_int_equal(match.requests->nelts, 0);
}

static void what_was_cancelled_is_not_ordered_again(void **state)
{
    active_request();
    cancel();
    new_order("PO-9");
    add_line("req-a.1", "off-both", "1", "1200");
    is_refused("request req-a was cancelled; return a new cart");
}

/* ---- in its turn ---------------------------------------------------------------------------------------------- */

static po_order_turn turn_of(const char *type, const char *version, const char *digest, const char *before_version,
                             const char *before_type)
{
    po_order_before before = { "PO-1", before_version, before_type, "p-1@buyer", "d1" };
    po_order_turn turn;

    order.type = type;
    order.version = version;
    po_order_take_turn(&order, before_version ? &before : NULL, digest, &turn, pool);
    return turn;
}

static void versions_are_compared_as_numbers(void **state)
{
    assert_true(po_order_version_compare("10", "9") > 0);
    assert_true(po_order_version_compare("2", "2.0") == 0);
    assert_true(po_order_version_compare("02", "2") == 0);
    assert_true(po_order_version_compare("B", "A") > 0);
}

static void an_update_comes_in_its_turn_or_is_told_why_not(void **state)
{
    static const struct { const char *version, *digest, *before; int status; const char *becomes, *why; } rows[] = {
        { "2", "d2", "1", 0, "2", NULL }, { "10", "d2", "9", 0, "10", NULL }, { NULL, "d2", "1", 0, "2", NULL },
        { "", "d2", "9", 0, "10", NULL }, { NULL, "d2", "A", 0, "A.1", NULL }, { NULL, "d1", "3", 200, NULL, NULL },
        { "3", "d1", "3", 200, NULL, NULL }, { "3", "d2", "3", 409, NULL, "higher orderVersion" },
        { "2", "d2", "3", 409, NULL, "version 3 of order PO-1 was taken already" },
        { "2", "d2", NULL, 417, NULL, "type=\"new\"" } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_order_turn turn = turn_of("update", rows[i].version, rows[i].digest, rows[i].before, "update");

        assert_int_equal(turn.status, rows[i].status);
        if (rows[i].becomes)
            assert_string_equal(turn.version, rows[i].becomes);
        if (rows[i].why && !strstr(turn.why, rows[i].why))
            fail_msg("\"%s\" is not in: %s", rows[i].why, turn.why);
    }
}

static void a_delete_needs_no_version_and_happens_once(void **state)
{
    po_order_turn turn = turn_of("delete", NULL, "d2", "3", "update");

    assert_int_equal(turn.status, 0);
    assert_string_equal(turn.version, "3");
    assert_int_equal(turn_of("delete", "3", "d2", "3", "update").status, 0);
    assert_int_equal(turn_of("delete", "2", "d2", "3", "update").status, 409);
    assert_int_equal(turn_of("delete", NULL, "d2", "3", "delete").status, 200);
    assert_int_equal(turn_of("delete", NULL, "d2", NULL, NULL).status, 417);
}

static void nothing_follows_a_delete(void **state)
{
    po_order_turn turn = turn_of("update", "9", "d2", "3", "delete");

    assert_int_equal(turn.status, 409);
    assert_non_null(strstr(turn.why, "return a new cart"));
}

static void a_reference_to_another_order_is_refused(void **state)
{
    po_order_turn turn;

    order.order_id = "PO-7";
    turn = turn_of("update", "2", "d2", "1", "new");
    assert_int_equal(turn.status, 409);
    assert_non_null(strstr(turn.why, "names order PO-1, this document is about order PO-7"));
}

/* ---- blanket, lines without detail, lines typed by hand --------------------------------------------------------- */

static void a_blanket_order_that_awaits_releases_orders_nothing_and_stops_the_expiry(void **state)
{
    po_request *r = usual_request();

    order.order_type = "blanket";
    order.release_required = 1;
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(match.awaits_release, 1);
    says("releases are awaited");
    assert_int_equal(charge_state(r, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(r->state, PO_STATE_REQUESTED);
    assert_int_equal(match.requests->nelts, 1);         /* to be written: a late release finds it as it was */
    assert_int_equal(APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome), PO_OUTCOME_NONE);
    assert_int_equal(r->expires, 0);
    assert_ptr_equal(APR_ARRAY_IDX(match.lines, 0, po_order_match_line).charge, charge(r, 0));
    new_order("PO-2");
    order.order_type = "release";
    order.agreement = "PO-1";
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_taken();
    assert_int_equal(r->state, PO_STATE_APPROVED);
    assert_string_equal(charge(r, 0)->order_id, "PO-2");
}

static void a_blanket_order_may_be_changed_after_its_release(void **state)
{
    po_request *r = usual_request();

    new_order("REL-1");
    order.order_type = "release";
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    new_order("PO-1");
    order.type = "update";
    order.order_type = "blanket";
    order.release_required = 1;
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    updates();
    assert_int_equal(match.awaits_release, 1);
    assert_int_equal(match.outcomes->nelts, 1);
    assert_int_equal(APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome), PO_OUTCOME_NONE);
    assert_string_equal(charge(r, 0)->order_id, "REL-1");
    assert_int_equal(charge_state(r, 1), PO_CHARGE_REQUESTED);
}

static void blanket(const char *max_amount, const char *currency)
{
    po_cxml_item *item;

    fresh(NULL);
    usual_request();
    order.order_type = "blanket";
    item = add_line("req-a.2", "off-both", "2000", "0");
    item->has_price = 0;
    item->has_max_amount = max_amount != NULL;
    item->max_amount = dec(max_amount ? max_amount : "0");
    item->max_currency = currency;
}

static void a_blanket_order_may_name_its_limit_instead_of_a_price(void **state)
{
    blanket("500", "USD");
    is_taken();
    assert_int_equal(charge_state(APR_ARRAY_IDX(known, 0, po_request *), 1), PO_CHARGE_ORDERED);
    blanket("499.99", "USD");
    is_refused("MaxAmount is 499.99 USD, the cart came to 500.00 USD");
    blanket("500", "EUR");
    is_refused("MaxAmount is 500.00 EUR");
    blanket(NULL, NULL);
    is_taken();
}

static void a_line_without_detail_is_taken_at_the_carts_price(void **state)
{
    po_cxml_item *item;

    usual_request();
    item = add_line("req-a.1", "off-both", "1", "0");
    item->has_price = item->has_detail = 0;
    item->currency = item->unit = NULL;
    order.currency = "USD";
    order.total = dec("1199.99");
    is_refused("Total is 1199.99 USD, but the lines sum up to 1200.00 USD");
    order.total = dec("1200");
    is_taken();
}

static void a_line_typed_by_hand_is_the_settings_business(void **state)
{
    po_request *r = usual_request();

    add_line("req-a.1", "off-both", "1", "1200");
    add_line(NULL, "off-both", "2000", "0.25")->ad_hoc = 1;
    is_refused("line 2: it was typed by hand (isAdHoc)");
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    is_taken();
    assert_int_equal(charge_state(r, 0), PO_CHARGE_ORDERED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_REQUESTED);
    assert_int_equal(match.lines->nelts, 2);
}

#define fresh_test(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(an_update_changes_the_ordered_quantity_and_keeps_the_carts),
        fresh_test(an_update_that_changes_nothing_tells_nobody),
        fresh_test(an_update_must_keep_part_price_and_currency),
        fresh_test(an_update_that_a_person_must_decide_leaves_other_requests_as_they_are),
        fresh_test(an_update_that_a_person_must_decide_cancels_nothing),
        fresh_test(a_late_answer_ends_no_hold_that_an_order_caused),
        fresh_test(a_line_of_quantity_zero_does_not_hide_a_total_that_is_too_small),
        fresh_test(a_dimension_that_an_update_leaves_out_is_a_change),
        fresh_test(a_quantity_of_zero_is_a_line_left_out),
        fresh_test(an_approval_that_an_update_leaves_out_holds_the_request),
        fresh_test(an_update_may_take_open_charges_of_other_requests),
        fresh_test(what_an_update_adds_must_equal_its_cart),
        fresh_test(an_update_does_not_take_what_another_order_has),
        fresh_test(an_order_of_the_same_number_in_another_mode_is_not_its_own),
        fresh_test(lines_of_an_update_without_auxiliary_id_find_what_it_ordered),
        fresh_test(a_failed_request_is_not_held_by_an_order),
        fresh_test(a_charge_that_comes_late_to_an_approved_request_is_a_change),
        fresh_test(an_ended_subscription_takes_no_change),
        fresh_test(a_delete_cancels_and_the_backend_hears_of_it_if_it_may_know),
        fresh_test(a_delete_of_the_only_order_cancels_what_was_still_open),
        fresh_test(a_delete_of_one_of_two_orders_holds_the_request_for_the_operator),
        fresh_test(after_a_release_the_next_change_is_a_change_again),
        fresh_test(a_delete_after_the_end_is_too_late),
        fresh_test(what_was_cancelled_is_not_ordered_again),
        fresh_test(versions_are_compared_as_numbers),
        fresh_test(an_update_comes_in_its_turn_or_is_told_why_not),
        fresh_test(a_delete_needs_no_version_and_happens_once),
        fresh_test(nothing_follows_a_delete),
        fresh_test(a_reference_to_another_order_is_refused),
        fresh_test(a_blanket_order_that_awaits_releases_orders_nothing_and_stops_the_expiry),
        fresh_test(a_blanket_order_may_be_changed_after_its_release),
        fresh_test(a_blanket_order_may_name_its_limit_instead_of_a_price),
        fresh_test(a_line_without_detail_is_taken_at_the_carts_price),
        fresh_test(a_line_typed_by_hand_is_the_settings_business),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
