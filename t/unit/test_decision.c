/* test_decision.c - the operator's word: which requests go on, which fail, and what follows when an event is given
 * up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "apr_general.h"
#include <cmocka.h>

#include "market/market.h"

static apr_pool_t *p;

typedef struct { const char *kind; po_charge_state state; } part;

/* A request in that state with up to three charges. */
static po_request request(po_state state, int told, const part *parts)
{
    po_request r = { "req-1" };
    int i;

    r.state = state;
    r.told = told;
    r.reason = "line 1: quantity is 3, the cart said 1";
    r.action = "new";
    r.charges = apr_array_make(p, 3, sizeof(po_charge));
    for (i = 0; i < 3 && parts[i].kind; i++) {
        po_charge *c = apr_array_push(r.charges);

        memset(c, 0, sizeof(*c));
        c->line = i + 1;
        c->kind = parts[i].kind;
        c->state = parts[i].state;
        c->order_id = c->state == PO_CHARGE_ORDERED ? "PO-1" : NULL;
    }
    return r;
}

static po_charge_state state_of(const po_request *r, int i)
{
    return APR_ARRAY_IDX(r->charges, i, po_charge).state;
}

#define ORDERED PO_CHARGE_ORDERED
#define OPEN PO_CHARGE_REQUESTED
#define GONE PO_CHARGE_CANCELLED

static void a_release_follows_from_the_charges(void **state)
{
    static const struct {
        part parts[4];
        int told, each;
        po_state then;
        po_order_outcome outcome;
    } rows[] = {
        { { { "contract", ORDERED } }, 0, 0, PO_STATE_APPROVED, PO_OUTCOME_APPROVED },
        { { { "contract", ORDERED } }, 1, 0, PO_STATE_APPROVED, PO_OUTCOME_CHANGED },
        { { { "contract", ORDERED }, { "usage", OPEN } }, 0, 0, PO_STATE_PARTLY_APPROVED, PO_OUTCOME_NONE },
        { { { "contract", ORDERED }, { "usage", PO_CHARGE_WAITING } }, 0, 0, PO_STATE_PARTLY_APPROVED,
         PO_OUTCOME_NONE },
        { { { "contract", ORDERED }, { "usage", OPEN } }, 0, 1, PO_STATE_PARTLY_APPROVED, PO_OUTCOME_APPROVED },
        { { { "contract", ORDERED }, { "usage", GONE } }, 0, 0, PO_STATE_APPROVED, PO_OUTCOME_APPROVED },
        { { { "contract", GONE }, { "usage", ORDERED } }, 2, 0, PO_STATE_APPROVED, PO_OUTCOME_CHANGED },
        { { { "contract", ORDERED }, { "usage", PO_CHARGE_EXPIRED } }, 0, 0, PO_STATE_APPROVED, PO_OUTCOME_APPROVED },
        { { { "contract", GONE }, { "usage", ORDERED }, { "usage", OPEN } }, 0, 0, PO_STATE_APPROVED,
         PO_OUTCOME_APPROVED }
    };
    po_decided out;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_request r = request(PO_STATE_HELD, rows[i].told, rows[i].parts);

        po_request_release(&r, NULL, rows[i].each, &out, p);
        assert_true(out.carried_out);
        assert_int_equal(r.state, rows[i].then);
        assert_int_equal(out.outcome, rows[i].outcome);
        assert_null(r.reason);
        assert_false(out.resend);
        po_request_release(&r, NULL, rows[i].each, &out, p);
        assert_false(out.carried_out);          /* twice is once */
        assert_int_equal(out.outcome, PO_OUTCOME_NONE);
    }
}

/* PunchOutActivate each. */
static void a_release_tells_of_each_approval_once(void **state)
{
    static const part both[4] = { { "contract", ORDERED }, { "usage", ORDERED } };
    static const part half[4] = { { "usage", ORDERED }, { "usage", OPEN } };
    po_request r = request(PO_STATE_HELD, 2, both);
    po_decided out;

    APR_ARRAY_IDX(r.charges, 0, po_charge).told = 1;
    po_request_release(&r, NULL, 1, &out, p);
    assert_int_equal(out.outcome, PO_OUTCOME_APPROVED);
    assert_int_equal(po_approvals_to_tell(&r, p)->nelts, 1);
    APR_ARRAY_IDX(r.charges, 1, po_charge).told = 2;
    r.state = PO_STATE_HELD;
    po_request_release(&r, NULL, 1, &out, p);
    assert_int_equal(out.outcome, PO_OUTCOME_CHANGED);
    r = request(PO_STATE_HELD, 0, half);        /* no approval is in whole: there is nothing to tell */
    po_request_release(&r, NULL, 1, &out, p);
    assert_int_equal(out.outcome, PO_OUTCOME_NONE);
    assert_int_equal(r.state, PO_STATE_PARTLY_APPROVED);
}

static void an_approval_whose_event_was_dropped_is_told_of_again(void **state)
{
    static const part both[4] = { { "contract", ORDERED }, { "usage", ORDERED } };
    po_request r = request(PO_STATE_APPROVED, 2, both);
    po_dropped_event e = { "evt-2", PO_OUTCOME_APPROVED, PO_OUTCOME_NONE };
    po_decided out;
    int drop_rest;

    APR_ARRAY_IDX(r.charges, 0, po_charge).told = 1;
    APR_ARRAY_IDX(r.charges, 1, po_charge).told = 2;
    po_request_drop_event(&r, &e, &drop_rest, &out, p);
    assert_false(drop_rest);
    assert_string_equal(APR_ARRAY_IDX(po_approvals_to_tell(&r, p), 0, const char *), "usage");
    r.told = 1;                                 /* the backend knows of nothing: of both */
    po_request_drop_event(&r, &e, &drop_rest, &out, p);
    assert_true(drop_rest);
    assert_int_equal(po_approvals_to_tell(&r, p)->nelts, 2);
}

static void only_what_is_held_is_decided(void **state)
{
    static const part ordered[4] = { { "contract", ORDERED } };
    po_decided out;
    int s;

    for (s = PO_STATE_DRAFT; s <= PO_STATE_EXPIRED; s++) {
        po_request r = request((po_state)s, 1, ordered);

        if (s == PO_STATE_HELD)
            continue;
        po_request_release(&r, NULL, 0, &out, p);
        assert_false(out.carried_out);
        assert_non_null(strstr(out.said, po_state_name((po_state)s)));
        po_request_refuse(&r, NULL, &out, p);
        assert_false(out.carried_out);
        assert_int_equal(r.state, s);
        assert_int_equal(state_of(&r, 0), ORDERED);
    }
}

static void a_backend_that_never_answered_is_asked_again(void **state)
{
    static const part ordered[4] = { { "contract", ORDERED } };
    static const part partly[4] = { { "contract", ORDERED }, { "usage", OPEN } };
    po_request r = request(PO_STATE_HELD, 2, ordered);
    po_decided out;

    r.reason = PO_HELD_UNANSWERED;
    po_request_release(&r, NULL, 0, &out, p);
    assert_true(out.carried_out && out.resend);
    assert_int_equal(out.outcome, PO_OUTCOME_NONE);
    assert_int_equal(r.state, PO_STATE_DELIVERING);
    r = request(PO_STATE_HELD, 2, partly);
    r.reason = PO_HELD_UNANSWERED;
    po_request_release(&r, NULL, 1, &out, p);
    assert_true(out.resend);
    assert_int_equal(r.state, PO_STATE_PARTLY_APPROVED);
}

static void what_a_released_update_leaves_out_is_cancelled(void **state)
{
    static const part two[4] = { { "usage", ORDERED }, { "usage", ORDERED } };
    apr_array_header_t *lines = apr_array_make(p, 2, sizeof(int));
    po_request r = request(PO_STATE_HELD, 2, two);
    po_decided out;

    APR_ARRAY_PUSH(lines, int) = 2;
    po_request_release(&r, lines, 0, &out, p);
    assert_int_equal(state_of(&r, 0), ORDERED);
    assert_int_equal(state_of(&r, 1), GONE);
    assert_int_equal(out.outcome, PO_OUTCOME_CHANGED);
    r = request(PO_STATE_HELD, 2, two);
    APR_ARRAY_PUSH(lines, int) = 1;
    po_request_release(&r, lines, 0, &out, p);
    assert_int_equal(r.state, PO_STATE_CANCELLED);
    assert_int_equal(out.outcome, PO_OUTCOME_CANCELLED);
}

static void what_can_not_be_released_stays_as_it_is(void **state)
{
    static const part parts[] = { { "contract", ORDERED }, { "usage", OPEN }, { NULL } };
    po_request r = request(PO_STATE_HELD, 0, parts);
    apr_array_header_t *left_out = apr_array_make(p, 1, sizeof(int));
    po_decided out;

    APR_ARRAY_PUSH(left_out, int) = 1;          /* the only line that is ordered */
    po_request_release(&r, left_out, 0, &out, p);
    assert_int_equal(out.carried_out, 0);
    assert_int_equal(r.state, PO_STATE_HELD);
    assert_int_equal(state_of(&r, 0), ORDERED);
    assert_int_equal(state_of(&r, 1), OPEN);
}

/* Else it would be partly approved for ever, once the backend says that it is ready. */
static void a_late_order_of_one_approval_is_released_without_the_one_that_has_expired(void **state)
{
    static const part parts[] = { { "contract", ORDERED }, { "usage", PO_CHARGE_EXPIRED }, { NULL } };
    po_request r = request(PO_STATE_HELD, 0, parts);
    po_decided out;

    po_request_release(&r, NULL, 0, &out, p);
    assert_int_equal(out.outcome, PO_OUTCOME_APPROVED);
    assert_int_equal(r.state, PO_STATE_APPROVED);
    assert_int_equal(state_of(&r, 1), GONE);
    assert_int_equal(po_state_when_ready(&r, 0), PO_STATE_ACTIVE);
}

static void a_refusal_leaves_nothing_ordered(void **state)
{
    static const part parts[4] = { { "contract", ORDERED }, { "usage", OPEN } };
    po_request r = request(PO_STATE_HELD, 0, parts);
    po_decided out;

    po_request_refuse(&r, NULL, &out, p);
    assert_true(out.carried_out);
    assert_int_equal(r.state, PO_STATE_FAILED);
    assert_string_equal(r.reason, "line 1: quantity is 3, the cart said 1");
    assert_int_equal(state_of(&r, 0), GONE);
    assert_int_equal(state_of(&r, 1), GONE);
    assert_int_equal(out.outcome, PO_OUTCOME_NONE);
    r = request(PO_STATE_HELD, 1, parts);
    po_request_refuse(&r, "Not at this price", &out, p);
    assert_string_equal(r.reason, "Not at this price");
    assert_int_equal(out.outcome, PO_OUTCOME_CANCELLED);
}

/* For each event given up: whether those behind it go too, the request's state, whether it counts as told. */
static void the_backend_ends_up_knowing_the_truth(void **state)
{
    static const part ordered[4] = { { "contract", ORDERED } };
    static const struct {
        po_order_outcome event, behind;
        int told;
        po_state before;
        int drop_rest;
        po_state then;
    } rows[] = {
        { PO_OUTCOME_APPROVED, PO_OUTCOME_NONE, 1, PO_STATE_APPROVED, 1, PO_STATE_HELD },
        { PO_OUTCOME_APPROVED, PO_OUTCOME_CHANGED, 1, PO_STATE_APPROVED, 1, PO_STATE_HELD },
        { PO_OUTCOME_APPROVED, PO_OUTCOME_CANCELLED, 1, PO_STATE_CANCELLED, 1, PO_STATE_CANCELLED },
        { PO_OUTCOME_CHANGED, PO_OUTCOME_NONE, 2, PO_STATE_ACTIVE, 0, PO_STATE_HELD },
        { PO_OUTCOME_CHANGED, PO_OUTCOME_CHANGED, 2, PO_STATE_ACTIVE, 0, PO_STATE_ACTIVE },
        { PO_OUTCOME_CHANGED, PO_OUTCOME_CANCELLED, 2, PO_STATE_CANCELLED, 0, PO_STATE_CANCELLED },
        { PO_OUTCOME_CANCELLED, PO_OUTCOME_NONE, 2, PO_STATE_CANCELLED, 0, PO_STATE_CANCELLED }
    };
    po_decided out;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_request r = request(rows[i].before, rows[i].told, ordered);
        po_dropped_event e = { "evt-1", rows[i].event, rows[i].behind };
        int drop_rest = -1, missed = rows[i].event == PO_OUTCOME_CANCELLED;

        po_request_drop_event(&r, &e, &drop_rest, &out, p);
        assert_true(out.carried_out);
        assert_int_equal(out.outcome, PO_OUTCOME_NONE);
        assert_int_equal(drop_rest, rows[i].drop_rest);
        assert_int_equal(r.state, rows[i].then);
        assert_int_equal(r.told, rows[i].drop_rest ? 0 : 2);
        assert_non_null(strstr(out.said, "evt-1"));
        assert_true((r.state == PO_STATE_HELD || missed) == (strstr(r.reason, "evt-1") != NULL));
        if (r.state != PO_STATE_HELD)
            continue;
        po_request_release(&r, NULL, 0, &out, p);       /* and the release tells it how things stand */
        assert_int_equal(out.outcome, rows[i].drop_rest ? PO_OUTCOME_APPROVED : PO_OUTCOME_CHANGED);
    }
}

static void the_marketplace_takes_back_what_it_likes_until_it_is_over(void **state)
{
    static const struct { po_state before; int told, carried_out; po_state then; po_order_outcome outcome; } rows[] = {
        { PO_STATE_REQUESTED, 0, 1, PO_STATE_CANCELLED, PO_OUTCOME_NONE },
        { PO_STATE_ACTIVE, 2, 1, PO_STATE_CANCELLED, PO_OUTCOME_CANCELLED },
        { PO_STATE_HELD, 0, 1, PO_STATE_CANCELLED, PO_OUTCOME_NONE },
        { PO_STATE_CANCELLED, 2, 1, PO_STATE_CANCELLED, PO_OUTCOME_NONE },
        { PO_STATE_ENDED, 2, 0, PO_STATE_ENDED, PO_OUTCOME_NONE },
        { PO_STATE_FAILED, 1, 0, PO_STATE_FAILED, PO_OUTCOME_NONE }
    };
    static const part ordered[4] = { { "contract", ORDERED } };
    po_decided out;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_request r = request(rows[i].before, rows[i].told, ordered);

        po_request_take_back(&r, "by phone", &out, p);
        assert_int_equal(out.carried_out, rows[i].carried_out);
        assert_int_equal(out.outcome, rows[i].outcome);
        assert_int_equal(r.state, rows[i].then);
        assert_int_equal(state_of(&r, 0) == GONE, rows[i].carried_out && rows[i].before != PO_STATE_CANCELLED);
        assert_non_null(strstr(out.said, "req-1"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_marketplace_takes_back_what_it_likes_until_it_is_over),
        cmocka_unit_test(a_release_follows_from_the_charges),
        cmocka_unit_test(a_release_tells_of_each_approval_once),
        cmocka_unit_test(an_approval_whose_event_was_dropped_is_told_of_again),
        cmocka_unit_test(only_what_is_held_is_decided),
        cmocka_unit_test(a_backend_that_never_answered_is_asked_again),
        cmocka_unit_test(what_a_released_update_leaves_out_is_cancelled),
        cmocka_unit_test(what_can_not_be_released_stays_as_it_is),
        cmocka_unit_test(a_late_order_of_one_approval_is_released_without_the_one_that_has_expired),
        cmocka_unit_test(a_refusal_leaves_nothing_ordered),
        cmocka_unit_test(the_backend_ends_up_knowing_the_truth)
    };

    apr_initialize();
    apr_pool_create(&p, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
