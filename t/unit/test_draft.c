/* test_draft.c - a request that begins in the marketplace: kept as a draft, returned by a punchout, ordered too early,
 * cancelled. */
#include "order_fixture.h"

#define LATER (NOW + apr_time_from_sec(3600))

/* req-a: a contract of 1 x 1200.00 and usage of 2000 x 0.25, as two approvals. */
static po_request *draft(void)
{
    po_request *r = usual_request();

    APR_ARRAY_IDX(r->charges, 1, po_charge).kind = "usage";
    po_request_draft(r);
    return r;
}

static void refuses(const char *got, const char *part)
{
    assert_non_null(got);
    if (!strstr(got, part))
        fail_msg("\"%s\" is not in: %s", part, got);
}

static void a_draft_waits_with_all_its_charges(void **state)
{
    po_request *r = draft();

    assert_int_equal(r->state, PO_STATE_DRAFT);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_WAITING);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_WAITING);
    assert_null(po_draft_return_refused(r, NOW, pool));
}

static void returned_together_all_of_it_is_requested_and_its_time_begins_anew(void **state)
{
    po_request *r = draft();

    po_draft_return(r, &buyer, 0, NOW, LATER);
    assert_int_equal(r->state, PO_STATE_REQUESTED);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_REQUESTED);
    assert_true(r->expires == LATER && r->updated == NOW);
    assert_int_equal(r->test, 0);
    add_line("req-a.1", "off-both", "1", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25");
    is_taken();
    assert_int_equal(r->state, PO_STATE_APPROVED);
}

static void returned_separately_its_first_approval_is_requested_and_the_rest_waits(void **state)
{
    po_request *r = draft();

    buyer.approvals = PO_APPROVALS_SEPARATE;
    po_draft_return(r, &buyer, 0, NOW, LATER);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_REQUESTED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_WAITING);
    assert_null(po_request_continue_refused(r, 0, NOW, pool));
}

static void a_draft_is_no_approval_that_can_be_continued(void **state)
{
    refuses(po_request_continue_refused(draft(), 0, NOW, pool), "is draft");
}

static void test_mode_wins_wherever_it_occurs(void **state)
{
    po_request *r = draft();

    po_draft_return(r, &buyer, 1, NOW, LATER);
    assert_int_equal(r->test, 1);
    fresh(NULL);
    r = draft();
    r->test = 1;
    po_draft_return(r, &buyer, 0, NOW, LATER);
    assert_int_equal(r->test, 1);
}

static void what_has_gone_back_was_cancelled_or_has_expired_does_not_go_back(void **state)
{
    po_request *r = draft();

    r->expires = NOW - 1;
    refuses(po_draft_return_refused(r, NOW, pool), "req-a has expired. Request approval again");
    r->expires = 0;
    assert_null(po_draft_return_refused(r, NOW, pool));
    r->state = PO_STATE_EXPIRED;
    refuses(po_draft_return_refused(r, NOW, pool), "has expired");
    r->state = PO_STATE_CANCELLED;
    refuses(po_draft_return_refused(r, NOW, pool), "was cancelled. Request approval again");
    r->state = PO_STATE_REQUESTED;
    refuses(po_draft_return_refused(r, NOW, pool), "has gone back already and is requested now");
    r->state = PO_STATE_ACTIVE;
    refuses(po_draft_return_refused(r, NOW, pool), "has gone back already and is active now");
}

static void drafts_share_a_cart_when_they_have_one_mode_and_currency(void **state)
{
    po_request *a = draft(), *b = add_request("req-b");

    add_charge(b, "off-year", "1", "9");
    po_request_draft(b);
    a->currency = b->currency = "USD";
    assert_null(po_drafts_together_refused(known, pool));
    b->test = 1;
    refuses(po_drafts_together_refused(known, pool), "Some of these requests are tests");
    b->test = 0;
    b->currency = "EUR";
    refuses(po_drafts_together_refused(known, pool), "USD and in EUR");
}

static void a_draft_is_cancelled_whole_whatever_is_asked_for(void **state)
{
    po_request *r = draft();

    assert_null(po_cancel_scope(r, "usage", PO_ACTIVATE_EACH));
    assert_null(po_request_cancel(r, NULL, "why", pool));
    assert_int_equal(r->state, PO_STATE_CANCELLED);
    assert_int_equal(charge_state(r, 0), PO_CHARGE_CANCELLED);
    assert_int_equal(charge_state(r, 1), PO_CHARGE_CANCELLED);
}

/* ---- orders that come too early ----------------------------------------------------------------------------------- */

static void an_order_that_names_a_draft_differs_and_the_setting_decides(void **state)
{
    po_request *r = draft();

    add_line("req-a.1", "off-both", "1", "1200");
    is_refused("request req-a has not gone back yet; return it from a punchout first");
    assert_int_equal(r->state, PO_STATE_DRAFT);
    buyer.mismatch = PO_MISMATCH_HOLD;
    is_held("request req-a has not gone back yet");
    assert_int_equal(r->state, PO_STATE_HELD);
    fresh(NULL);
    r = draft();
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(charge_state(r, 0), PO_CHARGE_ORDERED);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
}

static void an_order_that_names_an_expired_draft_is_held(void **state)
{
    po_request *r = draft();

    r->expires = NOW - 1;
    add_line("req-a.1", "off-both", "1", "1200");
    is_held("request req-a has expired");
}

static void a_line_without_auxiliary_id_never_means_a_draft(void **state)
{
    draft();
    add_line(NULL, "off-both", "1", "1200");
    is_refused("");
}

static void a_blanket_order_does_not_keep_a_draft_alive(void **state)
{
    po_request *r = draft();
    apr_time_t expires = r->expires;

    buyer.mismatch = PO_MISMATCH_HOLD;
    order.order_type = "blanket";
    order.release_required = 1;
    add_line("req-a.1", "off-both", "1", "1200");
    is_taken();
    assert_int_equal(match.awaits_release, 1);
    assert_true(r->expires == expires);
    assert_int_equal(r->state, PO_STATE_DRAFT);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_waits_with_all_its_charges),
        TEST(returned_together_all_of_it_is_requested_and_its_time_begins_anew),
        TEST(returned_separately_its_first_approval_is_requested_and_the_rest_waits),
        TEST(a_draft_is_no_approval_that_can_be_continued),
        TEST(test_mode_wins_wherever_it_occurs),
        TEST(what_has_gone_back_was_cancelled_or_has_expired_does_not_go_back),
        TEST(drafts_share_a_cart_when_they_have_one_mode_and_currency),
        TEST(a_draft_is_cancelled_whole_whatever_is_asked_for),
        TEST(an_order_that_names_a_draft_differs_and_the_setting_decides),
        TEST(an_order_that_names_an_expired_draft_is_held),
        TEST(a_line_without_auxiliary_id_never_means_a_draft),
        TEST(a_blanket_order_does_not_keep_a_draft_alive),
    };

    return cmocka_run_group_tests_name("draft", tests, group_setup, group_teardown);
}
