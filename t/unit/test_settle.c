/* test_settle.c - the backend's answers: what each makes of a request and of the events that wait behind it. */
#include "delivery/delivery_private.h"

#include "ledger_fixture.h"

#define NOW apr_time_from_sec(1795430000)

static const po_site site = { .public_url = SITE, .host = "market.example", .door = SITE "/punchout" };
static po_crypto *crypto;
static const char *mailed;              /* key of the last mail */

/* mail_queue.c needs templates and httpd's logging; that a mail is asked for is enough here */
apr_status_t po_delivery_mail(po_ledger_db *db, const po_site *about, po_mail_kind kind, const po_request *r, const char *key,
                              apr_time_t now, apr_pool_t *p)
{
    mailed = key;
    return APR_SUCCESS;
}

apr_status_t po_delivery_confirm(po_ledger_db *db, const po_site *about, const po_request *r, apr_time_t now,
                                 apr_pool_t *p)
{
    return APR_SUCCESS;
}

static void add_charge(po_request *r, const char *kind, po_charge_state state)
{
    po_charge *c = apr_array_push(r->charges);

    memset(c, 0, sizeof(*c));
    c->line = r->charges->nelts;
    c->kind = kind;
    c->part = "off-both";
    c->description = "Log Keeper";
    c->unit = "EA";
    c->unspsc = "43232701";
    c->currency = "USD";
    c->quantity = (po_decimal){ 1, 0 };
    c->unit_price = (po_decimal){ 900, 0 };
    c->state = state;
}

/* A contract that is ordered and usage in that state, in the ledger. */
static po_request *ordered(fixture *f, po_charge_state usage)
{
    po_request *r = apr_pcalloc(f->p, sizeof(*r));

    r->id = "req-1";
    r->site = SITE;
    r->buyer = r->organization = "acme";
    r->session = "s";
    r->product = r->product_name = r->offer = r->seller = "x";
    r->pricing = "contract";
    r->action = "new";
    r->currency = "USD";
    r->created = r->updated = NOW;
    r->charges = apr_array_make(f->p, 2, sizeof(po_charge));
    add_charge(r, "contract", PO_CHARGE_ORDERED);
    add_charge(r, "usage", usage);
    r->state = po_state_of_charges(r);
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    return r;
}

static void tell(fixture *f, po_request *r, po_order_outcome outcome)
{
    assert_int_equal(po_delivery_event(&f->db, &site, r, outcome, NULL, NULL, NOW, crypto, f->p), APR_SUCCESS);
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
}

/* Event n of the request, from 0. */
static po_outbox_row *event(fixture *f, int n, po_outbox_state *state)
{
    sqlite3_stmt *st = NULL;
    po_outbox_row *row;

    sqlite3_prepare_v2(f->db.handle, "SELECT key FROM outbox ORDER BY seq LIMIT 1 OFFSET ?1", -1, &st, NULL);
    sqlite3_bind_int(st, 1, n);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(po_outbox_get(&f->db, (const char *)sqlite3_column_text(st, 0), f->p, &row, state), APR_SUCCESS);
    sqlite3_finalize(st);
    return row;
}

static int state_of_event(fixture *f, int n)
{
    po_outbox_state state;

    event(f, n, &state);
    return (int)state;
}

/* As the deliverer does it: the row ends, then the request follows. */
static po_request *answered(fixture *f, int n, const char *refusal)
{
    po_answer a = { refusal ? "failed" : "active", NULL, NULL, refusal };
    po_outbox_state state;
    po_outbox_row *row = event(f, n, &state);
    po_request *r;

    if (refusal)
        number(&f->db, apr_psprintf(f->p, "UPDATE outbox SET state = 3 WHERE seq = %" APR_INT64_T_FMT, row->seq));
    else
        assert_int_equal(po_outbox_result(&f->db, row->seq, 0, PO_OUTBOX_DONE, 0, 0, NULL), APR_SUCCESS);
    assert_int_equal(po_delivery_settle(&f->db, &site, row, &a, refusal != NULL, NOW, f->p), APR_SUCCESS);
    assert_int_equal(po_request_get(&f->db, SITE, "req-1", f->p, &r), APR_SUCCESS);
    return r;
}

static po_request *accepted(fixture *f, int n)
{
    po_outbox_state state;
    po_outbox_row *row = event(f, n, &state);
    po_request *r;

    assert_int_equal(po_outbox_result(&f->db, row->seq, 0, PO_OUTBOX_DONE, 0, 0, NULL), APR_SUCCESS);
    assert_int_equal(po_settle_accepted(&f->db, &site, row, NOW, f->p), APR_SUCCESS);
    assert_int_equal(po_request_get(&f->db, SITE, "req-1", f->p, &r), APR_SUCCESS);
    return r;
}

static void what_is_behind_a_refused_order_is_given_up(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_ORDERED);

    tell(f, r, PO_OUTCOME_APPROVED);
    tell(f, r, PO_OUTCOME_CHANGED);
    r = answered(f, 0, "sold out");
    assert_int_equal(r->state, PO_STATE_FAILED);
    assert_text(r->reason, "sold out");
    assert_int_equal(state_of_event(f, 1), PO_OUTBOX_FAILED);
}

static void a_change_that_was_on_its_way_makes_no_failed_request_active(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_ORDERED);
    po_outbox_state sent;

    tell(f, r, PO_OUTCOME_APPROVED);
    tell(f, r, PO_OUTCOME_CHANGED);
    event(f, 1, &sent);
    number(&f->db, "UPDATE outbox SET owner = 5 WHERE seq = 2");
    accepted(f, 0);
    answered(f, 0, "sold out");
    assert_int_equal(state_of_event(f, 1), PO_OUTBOX_OPEN);
    r = answered(f, 1, NULL);
    assert_int_equal(r->state, PO_STATE_FAILED);
    assert_text(r->reason, "sold out");
    mailed = NULL;
    r = answered(f, 1, "no such subscription");
    assert_text(r->reason, "sold out");
    assert_null(mailed);
}

static void a_cancellation_behind_a_refused_order_is_given_up_too(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_CANCELLED);

    tell(f, r, PO_OUTCOME_APPROVED);
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_CANCELLED;
    r->state = PO_STATE_CANCELLED;
    tell(f, r, PO_OUTCOME_CANCELLED);
    assert_int_equal(answered(f, 0, "sold out")->state, PO_STATE_CANCELLED);
    assert_int_equal(state_of_event(f, 1), PO_OUTBOX_FAILED);
}

static void a_refused_change_keeps_what_is_behind_it(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_ORDERED);

    tell(f, r, PO_OUTCOME_APPROVED);
    r = answered(f, 0, NULL);
    tell(f, r, PO_OUTCOME_CHANGED);
    tell(f, r, PO_OUTCOME_CHANGED);
    assert_int_equal(answered(f, 1, "too many")->state, PO_STATE_ACTIVE);
    assert_int_equal(state_of_event(f, 2), PO_OUTBOX_OPEN);
}

static void an_order_that_is_tried_again_takes_its_changes_along(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_ORDERED);
    po_outbox_state sent;
    po_outbox_row *first;

    tell(f, r, PO_OUTCOME_APPROVED);
    tell(f, r, PO_OUTCOME_CHANGED);
    answered(f, 0, "sold out");
    first = event(f, 0, &sent);
    assert_int_equal(po_outbox_reopen(&f->db, first->seq, NOW), APR_SUCCESS);
    assert_int_equal(po_outbox_reopen_behind(&f->db, first, NOW), APR_SUCCESS);
    assert_int_equal(state_of_event(f, 0), PO_OUTBOX_OPEN);
    assert_int_equal(state_of_event(f, 1), PO_OUTBOX_OPEN);
    assert_indexed(f, 4);
}

/* The operator refused it after one of its approvals had expired. */
static void no_answer_makes_active_what_the_operator_has_refused(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_REQUESTED);
    po_decided out;

    tell(f, r, PO_OUTCOME_APPROVED);
    po_request_expire_open(r, f->p);
    po_request_refuse(r, NULL, &out, f->p);
    tell(f, r, out.outcome);
    assert_int_equal(answered(f, 0, NULL)->state, PO_STATE_FAILED);
}

/* ---- PunchOutActivate each ---------------------------------------------------------------------------------------- */

static void a_released_order_tells_of_its_own_approval_alone(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_REQUESTED);
    po_outbox_state sent;
    po_decided out;

    tell(f, r, PO_OUTCOME_APPROVED);
    assert_contains(event(f, 0, &sent)->body, "\"approved\":[\"contract\"]");
    r = answered(f, 0, NULL);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    APR_ARRAY_IDX(r->charges, 1, po_charge).state = PO_CHARGE_ORDERED;      /* by an order that was held */
    r->state = PO_STATE_HELD;
    po_request_release(r, NULL, 1, &out, f->p);
    assert_int_equal(out.outcome, PO_OUTCOME_APPROVED);
    tell(f, r, out.outcome);
    assert_contains(event(f, 1, &sent)->body, "\"approved\":[\"usage\"]");
    assert_int_equal(r->state, PO_STATE_APPROVED);
}

static void a_refused_first_approval_fails_with_the_second_behind_it(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_REQUESTED);

    tell(f, r, PO_OUTCOME_APPROVED);
    APR_ARRAY_IDX(r->charges, 1, po_charge).state = PO_CHARGE_ORDERED;
    tell(f, r, PO_OUTCOME_APPROVED);
    assert_int_equal(answered(f, 0, "sold out")->state, PO_STATE_FAILED);
    assert_int_equal(state_of_event(f, 1), PO_OUTBOX_FAILED);
}

static void a_refused_second_approval_is_held(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_REQUESTED);

    tell(f, r, PO_OUTCOME_APPROVED);
    r = answered(f, 0, NULL);
    APR_ARRAY_IDX(r->charges, 1, po_charge).state = PO_CHARGE_ORDERED;
    tell(f, r, PO_OUTCOME_APPROVED);
    assert_int_equal(answered(f, 1, "no usage here")->state, PO_STATE_HELD);
}

static void a_partly_approved_request_is_held_when_its_answer_is_owed_too_long(void **state)
{
    fixture *f = *state;
    po_request *r = ordered(f, PO_CHARGE_REQUESTED);
    apr_array_header_t *held;
    int n;

    tell(f, r, PO_OUTCOME_APPROVED);
    r = accepted(f, 0);
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    assert_int_equal(po_request_expire(&f->db, NOW + 2, NOW, &n), APR_SUCCESS);
    assert_int_equal(n, 0);
    assert_int_equal(po_request_expire(&f->db, NOW + 2, NOW + 1, &n), APR_SUCCESS);
    assert_int_equal(n, 1);
    assert_int_equal(po_requests_unanswered(&f->db, NOW + 2, f->p, &held), APR_SUCCESS);
    assert_int_equal(held->nelts, 1);
    r = APR_ARRAY_IDX(held, 0, po_request *);
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_text(r->reason, PO_HELD_UNANSWERED);
    assert_indexed(f, 4);
    r = answered(f, 0, NULL);           /* the answer ends the hold */
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    assert_null(r->reason);
    assert_int_equal(po_request_expire(&f->db, NOW + 2, NOW + 1, &n), APR_SUCCESS);
    assert_int_equal(n, 0);
}

static int make_crypto(void **state)
{
    apr_initialize();
    return (crypto = po_crypto_create()) ? 0 : -1;
}

static int destroy_crypto(void **state)
{
    po_crypto_destroy(crypto);
    apr_terminate();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_behind_a_refused_order_is_given_up),
        T(a_change_that_was_on_its_way_makes_no_failed_request_active),
        T(a_cancellation_behind_a_refused_order_is_given_up_too),
        T(a_refused_change_keeps_what_is_behind_it),
        T(an_order_that_is_tried_again_takes_its_changes_along),
        T(no_answer_makes_active_what_the_operator_has_refused),
        T(a_released_order_tells_of_its_own_approval_alone),
        T(a_refused_first_approval_fails_with_the_second_behind_it),
        T(a_refused_second_approval_is_held),
        T(a_partly_approved_request_is_held_when_its_answer_is_owed_too_long)
    };

    return cmocka_run_group_tests(tests, make_crypto, destroy_crypto);
}
