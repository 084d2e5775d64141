/* test_confirmation.c - what the buyer is told of a purchase order, by the states of what it ordered. */
#include "order_fixture.h"

static po_taken_order taken;
static po_confirmation said;

static int begin(void **state)
{
    fresh(state);
    memset(&taken, 0, sizeof(taken));
    taken.order_id = "PO-1";
    taken.type = "new";
    taken.lines = apr_array_make(pool, 4, sizeof(po_taken_line));
    return 0;
}

/* A line that orders the only charge of a request in that state; NULL: it names none. */
static po_taken_line *line(po_request *r)
{
    po_taken_line *l = apr_array_push(taken.lines);

    memset(l, 0, sizeof(*l));
    l->line = taken.lines->nelts;
    l->quantity = dec("2");
    if (r) {
        l->request = r->id;
        l->charge = 1;
        l->about = r;
    }
    return l;
}

static po_request *request_in(po_state state, const char *reason)
{
    po_request *r = add_request("req-a");

    add_charge(r, "off", "2", "1")->state = PO_CHARGE_ORDERED;
    r->state = state;
    r->reason = reason;
    return r;
}

static void decide(void)
{
    po_confirmation_decide(&taken, &buyer, &said, pool);
}

static void says_type(const char *type)
{
    decide();
    if (!type)
        assert_null(said.type);
    else
        assert_string_equal(said.type ? said.type : "(nothing)", type);
}

static const po_cxml_confirmation_item *item(int n)
{
    assert_true(n < said.items->nelts);
    return &APR_ARRAY_IDX(said.items, n, po_cxml_confirmation_item);
}

static void each_state_of_a_request_has_its_word(void **state)
{
    static const struct { po_state state; const char *reason, *type; } cases[] = {
        { PO_STATE_DRAFT, NULL, NULL }, { PO_STATE_REQUESTED, NULL, NULL }, { PO_STATE_PARTLY_APPROVED, NULL, NULL },
        { PO_STATE_APPROVED, NULL, NULL }, { PO_STATE_DELIVERING, NULL, NULL }, { PO_STATE_HELD, "why", NULL },
        { PO_STATE_ACTIVE, NULL, "accept" }, { PO_STATE_TESTED, NULL, "accept" }, { PO_STATE_ENDED, NULL, "accept" },
        { PO_STATE_ACTIVE, "the change was refused", "reject" }, { PO_STATE_FAILED, "why", "reject" },
        { PO_STATE_CANCELLED, NULL, "reject" }, { PO_STATE_EXPIRED, NULL, "reject" }
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin(state);
        line(request_in(cases[i].state, cases[i].reason));
        says_type(cases[i].type);
        assert_null(said.items);
        if (said.type && !strcmp(said.type, "reject"))
            assert_non_null(said.comments);
        else
            assert_null(said.comments);
    }
}

static void nothing_is_said_while_an_event_is_on_its_way(void **state)
{
    line(request_in(PO_STATE_ACTIVE, NULL))->open = 1;
    says_type(NULL);
}

static void nothing_is_said_while_another_request_is_open(void **state)
{
    line(request_in(PO_STATE_ACTIVE, NULL));
    line(request_in(PO_STATE_DELIVERING, NULL));
    says_type(NULL);
    APR_ARRAY_IDX(known, 1, po_request *)->state = PO_STATE_HELD;
    says_type(NULL);
}

static void of_two_requests_one_may_fail(void **state)
{
    line(request_in(PO_STATE_ACTIVE, NULL));
    line(request_in(PO_STATE_FAILED, "No licences"))->unit = "C62";
    says_type("except");
    assert_null(said.comments);
    assert_int_equal(said.items->nelts, 2);
    assert_int_equal(item(0)->line, 1);
    assert_false(item(0)->rejected);
    assert_string_equal(item(0)->quantity, "2");
    assert_string_equal(item(0)->unit, "HUR");
    assert_null(item(0)->comments);
    assert_true(item(1)->rejected);
    assert_string_equal(item(1)->unit, "C62");
    assert_string_equal(item(1)->comments, "No licences");
}

static void a_rejection_says_each_reason_once(void **state)
{
    line(request_in(PO_STATE_FAILED, "No licences"));
    line(request_in(PO_STATE_FAILED, "No licences"));
    line(request_in(PO_STATE_CANCELLED, "line 3: quantity is 2, the cart said 1"));
    says_type("reject");
    assert_string_equal(said.comments, "No licences; line 3: quantity is 2, the cart said 1");
}

static void an_approval_that_was_cancelled_is_an_exception(void **state)
{
    po_request *r = request_in(PO_STATE_ACTIVE, NULL);

    add_charge(r, "gb", "2", "1")->state = PO_CHARGE_CANCELLED;
    line(r);
    line(r)->charge = 2;
    says_type("except");
    assert_false(item(0)->rejected);
    assert_true(item(1)->rejected);
    assert_non_null(strstr(item(1)->comments, "cancelled"));
}

static void an_accepted_difference_is_named_and_every_line_accepted(void **state)
{
    line(request_in(PO_STATE_ACTIVE, NULL));
    line(NULL);                         /* names nothing, and was taken all the same */
    taken.difference = "line 1: quantity is 2, the cart said 1";
    says_type("except");
    assert_string_equal(said.comments, taken.difference);
    assert_false(item(0)->rejected);
    assert_false(item(1)->rejected);
    taken.held = 1;                     /* released: who names nothing got nothing */
    says_type("except");
    assert_false(item(0)->rejected);
    assert_true(item(1)->rejected);
}

static void a_line_of_quantity_zero_is_left_out(void **state)
{
    line(NULL)->quantity = dec("0");
    line(request_in(PO_STATE_ACTIVE, NULL));
    says_type("accept");
    line(request_in(PO_STATE_FAILED, "why"));
    says_type("except");
    assert_int_equal(said.items->nelts, 2);
    assert_int_equal(item(0)->line, 2);
}

static void an_order_that_its_buyer_took_back_is_not_confirmed(void **state)
{
    line(request_in(PO_STATE_CANCELLED, "Order PO-1 was cancelled"));
    taken.type = "delete";
    says_type(NULL);
}

static void a_blanket_order_that_awaits_releases_is_not_confirmed(void **state)
{
    line(request_in(PO_STATE_ACTIVE, NULL));
    taken.release_required = 1;
    says_type(NULL);
}

static void an_order_without_lines_is_not_confirmed(void **state)
{
    says_type(NULL);
}

static void approvals_that_start_one_by_one_are_confirmed_one_by_one(void **state)
{
    po_request *r = request_in(PO_STATE_PARTLY_APPROVED, NULL);
    po_taken_line *l = line(r);

    buyer.activate = PO_ACTIVATE_EACH;
    says_type(NULL);                    /* the backend was told of nothing yet */
    r->told = 1;
    says_type("accept");
    l->open = 1;
    says_type(NULL);
}

/* ---- the difference, as an order is judged ------------------------------------------------------------------------ */

static void an_order_that_is_taken_keeps_what_differs(void **state)
{
    usual_request();
    add_line("req-a.1", "off-both", "3", "1200");
    add_line("req-a.2", "off-both", "2000", "0.25")->unit = "EA";
    buyer.mismatch = PO_MISMATCH_ACCEPT;
    po_order_match_new(&order, 0, &buyer, known, NOW, &match, pool);
    assert_int_equal(match.status, 200);
    assert_non_null(strstr(match.difference, "line 1: quantity is 3, the cart said 1"));
    assert_null(strstr(match.difference, "was taken as if"));
}

static void a_changed_unit_is_no_difference(void **state)
{
    usual_request();
    add_line("req-a.1", "off-both", "1", "1200")->unit = "EA";
    add_line("req-a.2", "off-both", "2000", "0.25");
    po_order_match_new(&order, 0, &buyer, known, NOW, &match, pool);
    assert_int_equal(match.status, 200);
    assert_non_null(match.detail);
    assert_null(match.difference);
}

#define CASE(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_state_of_a_request_has_its_word), CASE(nothing_is_said_while_an_event_is_on_its_way),
        CASE(nothing_is_said_while_another_request_is_open), CASE(of_two_requests_one_may_fail),
        CASE(a_rejection_says_each_reason_once), CASE(an_approval_that_was_cancelled_is_an_exception),
        CASE(an_accepted_difference_is_named_and_every_line_accepted), CASE(a_line_of_quantity_zero_is_left_out),
        CASE(an_order_that_its_buyer_took_back_is_not_confirmed),
        CASE(a_blanket_order_that_awaits_releases_is_not_confirmed), CASE(an_order_without_lines_is_not_confirmed),
        CASE(approvals_that_start_one_by_one_are_confirmed_one_by_one), CASE(an_order_that_is_taken_keeps_what_differs),
        CASE(a_changed_unit_is_no_difference)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
