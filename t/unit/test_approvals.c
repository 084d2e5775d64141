/* test_approvals.c - approvals of one request in any order, on one order or two, one after another, cancelled and
 * expired. */
#include "order_fixture.h"

#define LATER (NOW + apr_time_from_sec(3600))

/* req-a: a contract of 1 x 1200.00 and usage of 2000 x 0.25, as two approvals. */
static po_request *two_approvals(void)
{
    po_request *r = usual_request();

    APR_ARRAY_IDX(r->charges, 1, po_charge).kind = "usage";
    r->action = "new";
    return r;
}

static po_request *separate_approvals(void)
{
    po_request *r = two_approvals();

    po_request_separate(r);
    return r;
}

static po_order_outcome order_contract(const char *id)
{
    new_order(id);
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    return APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome);
}

static po_order_outcome order_usage(const char *id)
{
    new_order(id);
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_taken();
    return APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome);
}

/* What an event tells, and that it has told. */
static void tells(po_request *r, const char *first, const char *second)
{
    apr_array_header_t *kinds = po_approvals_to_tell(r, pool);

    assert_int_equal(kinds->nelts, (first != NULL) + (second != NULL));
    if (first)
        assert_string_equal(APR_ARRAY_IDX(kinds, 0, const char *), first);
    if (second)
        assert_string_equal(APR_ARRAY_IDX(kinds, 1, const char *), second);
    po_approvals_told(r, kinds);
    r->told = 1;
}

static void refuses(const char *got, const char *part)
{
    assert_non_null(got);
    if (!strstr(got, part))
        fail_msg("\"%s\" is not in: %s", part, got);
}

/* ---- in any order, on one or two -------------------------------------------------------------------------------- */

static void under_all_one_event_tells_of_both_whichever_comes_first(void **state)
{
    po_request *r = two_approvals();

    assert_int_equal(order_contract("PO-1"), PO_OUTCOME_NONE);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    assert_int_equal(order_usage("PO-2"), PO_OUTCOME_APPROVED);
    assert_int_equal(r->state, PO_STATE_APPROVED);
    tells(r, "contract", "usage");
    tells(r, NULL, NULL);
    fresh(NULL);
    r = two_approvals();
    assert_int_equal(order_usage("PO-1"), PO_OUTCOME_NONE);
    assert_int_equal(order_contract("PO-2"), PO_OUTCOME_APPROVED);
    tells(r, "contract", "usage");
    assert_int_equal(po_approvals_told_apart(r), 0);
}

static void under_each_every_approval_is_told_of_once_as_it_comes(void **state)
{
    po_request *r = two_approvals();

    buyer.activate = PO_ACTIVATE_EACH;
    assert_int_equal(order_usage("PO-1"), PO_OUTCOME_APPROVED);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    tells(r, "usage", NULL);
    assert_int_equal(order_contract("PO-2"), PO_OUTCOME_APPROVED);
    assert_int_equal(r->state, PO_STATE_APPROVED);
    tells(r, "contract", NULL);
    tells(r, NULL, NULL);
    assert_int_equal(po_approvals_told_apart(r), 1);
}

static void under_each_one_order_of_both_makes_one_event(void **state)
{
    po_request *r = two_approvals();

    buyer.activate = PO_ACTIVATE_EACH;
    add_line("req-a.2", "off-both", "2000", "0.25");
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(match.outcomes->nelts, 1);
    assert_int_equal(APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome), PO_OUTCOME_APPROVED);
    tells(r, "contract", "usage");
    assert_int_equal(po_approvals_told_apart(r), 0);
}

static void an_approval_is_told_of_when_all_its_charges_are_in(void **state)
{
    po_request *r = two_approvals();

    add_charge(r, "off-both", "10", "2.00")->kind = "usage";
    buyer.activate = PO_ACTIVATE_EACH;
    assert_int_equal(order_usage("PO-1"), PO_OUTCOME_NONE);
    tells(r, NULL, NULL);
    assert_int_equal(order_contract("PO-2"), PO_OUTCOME_APPROVED);
    tells(r, "contract", NULL);
    new_order("PO-3");
    add_line("req-a.3", "off-both", "10", "2");
    is_taken();
    assert_int_equal(APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome), PO_OUTCOME_APPROVED);
    tells(r, "usage", NULL);
}

static void a_change_of_an_approval_that_was_told_of_is_told_while_the_other_is_open(void **state)
{
    po_request *r = two_approvals();
    apr_array_header_t *owned = apr_array_make(pool, 1, sizeof(po_request *));

    buyer.activate = PO_ACTIVATE_EACH;
    order_contract("PO-1");
    tells(r, "contract", NULL);
    APR_ARRAY_PUSH(owned, po_request *) = r;
    new_order("PO-1");
    order.type = "update";
    add_line("req-a.1", "off-both", "3", "1200");
    po_order_match_update(&order, 0, &buyer, known, owned, NOW, &match, pool);
    assert_int_equal(match.status, 200);
    assert_int_equal(APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome), PO_OUTCOME_CHANGED);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
}

static void what_is_ready_stays_partly_approved_until_all_is_in_also_in_test_mode(void **state)
{
    po_request *r = two_approvals();

    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_ORDERED;
    r->state = PO_STATE_PARTLY_APPROVED;
    assert_int_equal(po_state_when_ready(r, 0), PO_STATE_PARTLY_APPROVED);
    assert_int_equal(po_state_when_ready(r, 1), PO_STATE_PARTLY_APPROVED);
    APR_ARRAY_IDX(r->charges, 1, po_charge).state = PO_CHARGE_ORDERED;
    assert_int_equal(po_state_when_ready(r, 0), PO_STATE_ACTIVE);
    assert_int_equal(po_state_when_ready(r, 1), PO_STATE_TESTED);
}

/* ---- one after another ------------------------------------------------------------------------------------------- */

static void the_first_cart_holds_the_first_approval_and_the_next_cart_the_other(void **state)
{
    po_request *r = separate_approvals(), *part;
    po_cxml_cart cart;

    r->currency = "USD";
    APR_ARRAY_IDX(r->charges, 0, po_charge).description = APR_ARRAY_IDX(r->charges, 1, po_charge).description = "d";
    r->product_name = "p";
    assert_int_equal(charge_state(r, 1), PO_CHARGE_WAITING);
    assert_int_equal(po_state_of_charges(r), PO_STATE_REQUESTED);
    memset(&cart, 0, sizeof(cart));
    assert_int_equal(po_cart_items(r, &buyer, &cart, pool), APR_SUCCESS);
    assert_int_equal(cart.items->nelts, 1);
    assert_string_equal(cart.total, "1200.00");
    assert_null(po_request_continue_refused(r, 0, NOW, pool));
    assert_string_equal(po_request_continue(r, LATER), "usage");
    part = po_request_of_kind(r, "usage", pool);
    memset(&cart, 0, sizeof(cart));
    assert_int_equal(po_cart_items(part, &buyer, &cart, pool), APR_SUCCESS);
    assert_int_equal(cart.items->nelts, 1);
    assert_string_equal(APR_ARRAY_IDX(cart.items, 0, po_cxml_cart_item).auxiliary, "req-a.2");
    assert_string_equal(cart.total, "500.00");
}

static void going_on_makes_request_and_approval_live_longer_and_happens_once(void **state)
{
    po_request *r = separate_approvals();

    assert_false(po_request_is_continued(r));
    assert_null(po_request_edit_refused(r, NOW, pool));         /* what waits is no decision */
    po_request_continue(r, LATER);
    assert_true(po_request_is_continued(r));
    assert_int_equal(r->expires, LATER);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 1, po_charge).expires, LATER);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).expires, 0);
    refuses(po_request_continue_refused(r, 0, NOW, pool), "asked for already");
    assert_null(po_request_continue(r, LATER));
    refuses(po_request_edit_refused(r, NOW, pool), "in a cart of its own");
}

static void what_cannot_go_on_says_why(void **state)
{
    po_request *r = separate_approvals();

    refuses(po_request_continue_refused(r, 1, NOW, pool), "made in production mode");
    refuses(po_request_continue_refused(r, 0, LATER, pool), "has expired");
    r->state = PO_STATE_HELD;
    refuses(po_request_continue_refused(r, 0, NOW, pool), "is held");
    r->state = PO_STATE_CANCELLED;
    refuses(po_request_continue_refused(r, 0, NOW, pool), "is cancelled");
}

static void an_order_of_what_waits_differs_and_the_buyers_rule_decides(void **state)
{
    po_request *r = separate_approvals();

    add_line("req-a.2", "off-both", "2000", "0.25");
    is_refused("charge req-a.2 was not requested yet");
    assert_int_equal(charge_state(r, 1), PO_CHARGE_WAITING);
    new_order("PO-2");
    add_line(NULL, "off-both", "2000", "0.25");
    is_refused("no open request has part");
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    assert_int_equal(order_usage("PO-3"), PO_OUTCOME_NONE);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    refuses(po_request_continue_refused(r, 0, NOW, pool), "asked for already");
    fresh(NULL);
    r = separate_approvals();
    buyer.mismatch = PO_MISMATCH_HOLD;
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_held("was not requested yet");
    assert_int_equal(r->state, PO_STATE_HELD);
}

static void the_delete_of_the_only_order_cancels_what_waits_too(void **state)
{
    po_request *r = separate_approvals();
    apr_array_header_t *owned = apr_array_make(pool, 1, sizeof(po_request *));

    order_contract("PO-1");
    APR_ARRAY_PUSH(owned, po_request *) = r;
    po_order_cancel(&order, 0, owned, &match, pool);
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
}

/* ---- cancelled, expired ------------------------------------------------------------------------------------------ */

static void a_request_without_an_order_is_cancelled_whole(void **state)
{
    po_request *r = separate_approvals();

    assert_null(po_cancel_scope(r, "usage", PO_ACTIVATE_ALL));
    assert_null(po_request_cancel(r, NULL, "by Ines", pool));
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    assert_string_equal(r->reason, "by Ines");
    assert_int_equal(charge_state(r, 0), PO_CHARGE_CANCELLED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
    refuses(po_request_cancel(r, NULL, "again", pool), "is cancelled and can't be cancelled");
    assert_string_equal(r->reason, "by Ines");
}

static void one_of_two_open_approvals_is_withdrawn_and_the_other_approved_alone(void **state)
{
    po_request *r = two_approvals();

    buyer.activate = PO_ACTIVATE_EACH;
    assert_string_equal(po_cancel_scope(r, "usage", PO_ACTIVATE_EACH), "usage");
    assert_null(po_request_cancel(r, "usage", "by Ines", pool));
    assert_int_equal(r->state, PO_STATE_REQUESTED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_WITHDRAWN);
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_refused("charge req-a.2 was cancelled");
    assert_int_equal(order_contract("PO-1"), PO_OUTCOME_APPROVED);
    assert_int_equal(r->state, PO_STATE_APPROVED);
    tells(r, "contract", NULL);
}

static void the_last_open_approval_cancels_the_request(void **state)
{
    po_request *r = two_approvals();

    assert_null(po_request_cancel(r, "usage", "first", pool));
    assert_null(po_request_cancel(r, "contract", "second", pool));
    assert_int_equal(r->state, PO_STATE_CANCELLED);
}

static void an_approval_that_is_cancelled_beside_an_ordered_one_holds_the_request(void **state)
{
    po_request *r = two_approvals();

    order_contract("PO-1");
    refuses(po_request_cancel(r, NULL, "x", pool), "ordered by purchase order PO-1");
    refuses(po_request_cancel(r, "contract", "x", pool), "ordered by purchase order PO-1");
    refuses(po_request_cancel(r, "trial", "x", pool), "no open approval of the kind trial");
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    assert_string_equal(po_cancel_scope(r, "usage", PO_ACTIVATE_ALL), "usage");
    assert_null(po_request_cancel(r, "usage", "by Ines", pool));
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
    refuses(po_request_cancel(r, "usage", "x", pool), "is held and can't be cancelled");
}

static void an_approval_that_expires_beside_an_ordered_one_holds_the_request(void **state)
{
    po_request *r = separate_approvals();

    order_contract("PO-1");
    po_request_expire_open(r, pool);
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_EXPIRED);
    refuses(r->reason, "No order has approved the usage charges in time");
    assert_int_equal(po_state_of_charges(r), PO_STATE_HELD);
    assert_int_equal(po_state_when_ready(r, 0), PO_STATE_HELD);
    new_order("PO-2");
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_held("request req-a has expired");
    assert_int_equal(match.outcomes->nelts, 1);
    assert_int_equal(APR_ARRAY_IDX(match.outcomes, 0, po_order_outcome), PO_OUTCOME_NONE);
}

static void a_request_whose_charges_have_all_expired_has_expired(void **state)
{
    po_request *r = two_approvals();

    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_EXPIRED;
    assert_int_equal(po_state_of_charges(r), PO_STATE_REQUESTED);
    APR_ARRAY_IDX(r->charges, 1, po_charge).state = PO_CHARGE_WITHDRAWN;
    assert_int_equal(po_state_of_charges(r), PO_STATE_EXPIRED);
}

#define t(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        t(under_all_one_event_tells_of_both_whichever_comes_first),
        t(under_each_every_approval_is_told_of_once_as_it_comes),
        t(under_each_one_order_of_both_makes_one_event),
        t(an_approval_is_told_of_when_all_its_charges_are_in),
        t(a_change_of_an_approval_that_was_told_of_is_told_while_the_other_is_open),
        t(what_is_ready_stays_partly_approved_until_all_is_in_also_in_test_mode),
        t(the_first_cart_holds_the_first_approval_and_the_next_cart_the_other),
        t(going_on_makes_request_and_approval_live_longer_and_happens_once),
        t(what_cannot_go_on_says_why),
        t(an_order_of_what_waits_differs_and_the_buyers_rule_decides),
        t(the_delete_of_the_only_order_cancels_what_waits_too),
        t(a_request_without_an_order_is_cancelled_whole),
        t(one_of_two_open_approvals_is_withdrawn_and_the_other_approved_alone),
        t(the_last_open_approval_cancels_the_request),
        t(an_approval_that_is_cancelled_beside_an_ordered_one_holds_the_request),
        t(an_approval_that_expires_beside_an_ordered_one_holds_the_request),
        t(a_request_whose_charges_have_all_expired_has_expired),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
