/* test_ledger_outbox.c - what goes out goes in order, once a lease, and past a dead backend without a busy loop. */
#include "ledger_fixture.h"

#define HOUR apr_time_from_sec(3600)

static void add(fixture *f, const char *key, const char *channel, const char *request, apr_time_t due)
{
    po_outbox_row row = { .key = key, .site = SITE, .channel = channel, .buyer = "acme", .request = request,
                          .recipients = "a@x,b@x", .body = "{}", .created = 5 };

    assert_int_equal(po_outbox_add(&f->db, &row, due), APR_SUCCESS);
}

/* The keys that owner 1 gets now, joined by blanks. */
static const char *claim(fixture *f, const po_outbox_claim_args *a, apr_array_header_t **rows, apr_time_t *next)
{
    const char *keys = "";
    int i;

    assert_int_equal(po_outbox_claim(&f->db, a, f->p, rows, next), APR_SUCCESS);
    for (i = 0; i < (*rows)->nelts; i++)
        keys = apr_pstrcat(f->p, keys, i ? " " : "", APR_ARRAY_IDX(*rows, i, po_outbox_row *)->key, NULL);
    return keys;
}

static const char *claim_for(fixture *f, apr_int64_t owner, apr_interval_time_t lease, apr_time_t *next)
{
    po_outbox_claim_args a = { .owner = owner, .want = 10, .lease = lease };
    apr_array_header_t *rows;

    return claim(f, &a, &rows, next);
}

static apr_int64_t seq_of(fixture *f, const char *key)
{
    po_outbox_row *row;
    po_outbox_state state;

    assert_int_equal(po_outbox_get(&f->db, key, f->p, &row, &state), APR_SUCCESS);
    return row->seq;
}

static int state_of(fixture *f, const char *key)
{
    po_outbox_row *row;
    po_outbox_state state;

    assert_int_equal(po_outbox_get(&f->db, key, f->p, &row, &state), APR_SUCCESS);
    return state;
}

static int tries_of(fixture *f, const char *key)
{
    po_outbox_row *row;
    po_outbox_state state;

    assert_int_equal(po_outbox_get(&f->db, key, f->p, &row, &state), APR_SUCCESS);
    return row->tries;
}

static int doubt_of(fixture *f, const char *key)
{
    po_outbox_row *row;
    po_outbox_state state;

    assert_int_equal(po_outbox_get(&f->db, key, f->p, &row, &state), APR_SUCCESS);
    return row->doubt;
}

static void result(fixture *f, const char *key, apr_int64_t owner, po_outbox_state what, apr_time_t due, int uncounted,
                   const char *answer)
{
    f->db.wakes = 0;
    assert_int_equal(po_outbox_result(&f->db, seq_of(f, key), owner, what, due, uncounted, answer), APR_SUCCESS);
}

/* A result that does not count: the caller is told, so that nothing follows from it either. */
static void says_nothing(fixture *f, const char *key, apr_int64_t owner, po_outbox_state what)
{
    assert_int_equal(po_outbox_result(&f->db, seq_of(f, key), owner, what, 0, 0, NULL), APR_NOTFOUND);
}

static void a_claimed_row_comes_with_all_that_was_added(void **state)
{
    fixture *f = *state;
    po_outbox_claim_args a = { .owner = 1, .want = 10, .lease = HOUR };
    apr_array_header_t *rows;
    po_outbox_row *row;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    assert_int_equal(f->db.wakes, 1);
    assert_string_equal(claim(f, &a, &rows, &next), "evt-1");
    row = APR_ARRAY_IDX(rows, 0, po_outbox_row *);
    assert_text(row->site, SITE);
    assert_text(row->channel, "event");
    assert_text(row->buyer, "acme");
    assert_text(row->request, "req-1");
    assert_text(row->recipients, "a@x,b@x");
    assert_text(row->body, "{}");
    assert_int_equal(row->created, 5);
    assert_int_equal(row->tries, 1);
    assert_true(next > apr_time_now());         /* the end of the lease */
}

static void a_key_is_taken_once(void **state)
{
    fixture *f = *state;
    po_outbox_row row = { .key = "evt-1", .site = SITE, .channel = "event", .request = "req-2" };

    add(f, "evt-1", "event", "req-1", 0);
    assert_int_equal(po_outbox_add(&f->db, &row, 0), APR_EEXIST);
}

static void rows_of_a_request_go_out_one_after_another_and_mail_beside_them(void **state)
{
    fixture *f = *state;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    add(f, "evt-2", "event", "req-1", 0);
    add(f, "mail-1", "mail", "req-1", 0);
    add(f, "evt-3", "event", "req-2", 0);
    add(f, "mail-2", "mail", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1 mail-1 evt-3");
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    result(f, "evt-3", 1, PO_OUTBOX_DONE, 0, 0, NULL);
    assert_int_equal(f->db.wakes, 0);           /* nothing stands behind it */
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    result(f, "evt-1", 1, PO_OUTBOX_DONE, 0, 0, NULL);
    assert_int_equal(f->db.wakes, 1);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-2");
}

static void documents_to_a_buyer_are_a_lane_beside_events_and_mail(void **state)
{
    fixture *f = *state;
    apr_time_t next;
    int open;

    add(f, "evt-1", "event", "req-1", 0);
    add(f, "mail-1", "mail", "req-1", 0);
    add(f, "doc-1", "post:acme", "req-1", 0);
    add(f, "doc-2", "post:acme", "req-1", 0);
    add(f, "doc-3", "post:globex", "req-2", 0);
    add(f, "doc-4", "post:globex", "req-3", 0);         /* of one buyer one at a time */
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1 mail-1 doc-1 doc-3");
    result(f, "doc-1", 1, PO_OUTBOX_PARKED, 0, 0, "answered 401");
    assert_string_equal(claim_for(f, 1, HOUR, &next), "doc-4");
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    assert_int_equal(po_outbox_open(&f->db, SITE, "req-2", &open), APR_SUCCESS);
    assert_int_equal(open, 0);                  /* a document is no event */
    assert_int_equal(po_outbox_open(&f->db, SITE, "req-1", &open), APR_SUCCESS);
    assert_int_equal(open, 1);
    result(f, "evt-1", 1, PO_OUTBOX_PARKED, 0, 0, NULL);
    assert_int_equal(po_outbox_open(&f->db, SITE, "req-1", &open), APR_SUCCESS);
    assert_int_equal(open, 1);
    assert_indexed(f, 8);
}

static void an_event_that_is_delivered_or_refused_is_open_no_more(void **state)
{
    static const po_outbox_state ends[] = { PO_OUTBOX_DONE, PO_OUTBOX_FAILED };
    static const char *const keys[] = { "evt-1", "evt-2" };
    fixture *f = *state;
    apr_time_t next;
    int i, open;

    for (i = 0; i < 2; i++) {
        add(f, keys[i], "event-test", "req-1", 0);
        assert_string_equal(claim_for(f, 1, HOUR, &next), keys[i]);
        result(f, keys[i], 1, ends[i], 0, 0, NULL);
        assert_int_equal(po_outbox_open(&f->db, SITE, "req-1", &open), APR_SUCCESS);
        assert_int_equal(open, 0);
    }
}

static void a_row_that_waits_for_its_next_try_holds_back_those_behind_it(void **state)
{
    fixture *f = *state;
    apr_time_t next, later = apr_time_now() + HOUR;

    add(f, "evt-1", "event", "req-1", 0);
    add(f, "evt-2", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    result(f, "evt-1", 1, PO_OUTBOX_OPEN, later, 0, "503");
    assert_int_equal(f->db.wakes, 1);           /* earlier than its lease: somebody has to look */
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    assert_int_equal(next, later);              /* not evt-2's, which is in the past and would make a busy loop */
    assert_int_equal(tries_of(f, "evt-1"), 1);
}

static void a_parked_row_holds_back_its_request_until_the_operator_decides(void **state)
{
    fixture *f = *state;
    const char *text;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    add(f, "evt-2", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    result(f, "evt-1", 1, PO_OUTBOX_PARKED, 0, 0, "401 token expired");
    assert_int_equal(f->db.wakes, 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    assert_int_equal(next, 0);
    assert_int_equal(state_of(f, "evt-1"), PO_OUTBOX_PARKED);
    assert_int_equal(po_outbox_trouble(&f->db, SITE, "req-1", f->p, &text), APR_SUCCESS);
    assert_text(text, "401 token expired");
    assert_int_equal(po_outbox_trouble(&f->db, SITE, "req-2", f->p, &text), APR_SUCCESS);
    assert_null(text);
}

static void a_failed_row_is_final_and_lets_the_next_one_pass(void **state)
{
    fixture *f = *state;
    const char *text;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    add(f, "evt-2", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    result(f, "evt-1", 1, PO_OUTBOX_FAILED, 0, 0, "410 no such offer");
    assert_int_equal(f->db.wakes, 1);
    says_nothing(f, "evt-1", 1, PO_OUTBOX_OPEN);
    assert_int_equal(state_of(f, "evt-1"), PO_OUTBOX_FAILED);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-2");
    assert_int_equal(po_outbox_trouble(&f->db, SITE, "req-1", f->p, &text), APR_SUCCESS);
    assert_text(text, "410 no such offer");
}

static void the_rows_of_a_dead_backend_are_left_alone_but_for_one_probe(void **state)
{
    fixture *f = *state;
    const char *dead[] = { SITE "\nevent" };
    int probe[] = { 0 };
    po_outbox_claim_args a = { .owner = 1, .want = 10, .lease = HOUR, .dead = dead, .probe = probe, .ndead = 1 };
    apr_array_header_t *rows;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    add(f, "evt-2", "event", "req-2", 0);
    add(f, "evt-3", "event-test", "req-3", 0);
    add(f, "mail-1", "mail", "req-1", 0);
    assert_string_equal(claim(f, &a, &rows, &next), "evt-3 mail-1");
    assert_true(next > apr_time_now());
    result(f, "evt-3", 1, PO_OUTBOX_DONE, 0, 0, NULL);
    result(f, "mail-1", 1, PO_OUTBOX_DONE, 0, 0, NULL);
    assert_string_equal(claim(f, &a, &rows, &next), "");
    assert_int_equal(next, 0);
    probe[0] = 1;
    assert_string_equal(claim(f, &a, &rows, &next), "evt-1");
    assert_int_equal(next, 0);                  /* evt-2 is due, but not to be touched */
    a.ndead = 0;
    assert_string_equal(claim(f, &a, &rows, &next), "evt-2");
}

static void a_backlog_of_one_backend_does_not_starve_another(void **state)
{
    fixture *f = *state;
    po_outbox_claim_args a = { .owner = 1, .want = 2, .lease = HOUR };
    apr_array_header_t *rows;
    apr_time_t next;
    int i;

    for (i = 0; i < 5; i++)
        add(f, apr_psprintf(f->p, "evt-%d", i), "event", apr_psprintf(f->p, "req-%d", i), 10 + i);
    add(f, "mail-1", "mail", "req-1", 5);
    assert_string_equal(claim(f, &a, &rows, &next), "evt-0 mail-1");
    assert_int_equal(next, 11);                 /* more can be claimed at once */
}

static void next_due_is_never_in_the_past_while_nothing_can_be_claimed(void **state)
{
    fixture *f = *state;
    apr_time_t next, later = apr_time_now() + HOUR;

    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    assert_int_equal(next, 0);
    add(f, "evt-1", "event", "req-1", later);
    add(f, "evt-2", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    assert_int_equal(next, later);
    add(f, "evt-3", "event", "req-2", later - 10);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "");
    assert_int_equal(next, later - 10);
}

static void a_lease_that_ended_gives_the_row_to_the_next_owner(void **state)
{
    fixture *f = *state;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, -1, &next), "evt-1");
    assert_string_equal(claim_for(f, 2, HOUR, &next), "evt-1");
    assert_int_equal(tries_of(f, "evt-1"), 2);
    says_nothing(f, "evt-1", 1, PO_OUTBOX_OPEN);                /* no longer the owner */
    assert_int_equal(doubt_of(f, "evt-1"), 1);                  /* whoever had it may have sent it */
    assert_string_equal(claim_for(f, 3, HOUR, &next), "");
    says_nothing(f, "evt-1", 1, PO_OUTBOX_PARKED);
    says_nothing(f, "evt-1", 1, PO_OUTBOX_FAILED);
    assert_int_equal(state_of(f, "evt-1"), PO_OUTBOX_OPEN);
    result(f, "evt-1", 1, PO_OUTBOX_DONE, 0, 0, NULL);          /* but delivered is delivered */
    assert_int_equal(state_of(f, "evt-1"), PO_OUTBOX_DONE);
    says_nothing(f, "evt-1", 2, PO_OUTBOX_OPEN);
    assert_int_equal(state_of(f, "evt-1"), PO_OUTBOX_DONE);
}

static void a_row_given_back_unused_does_not_count_as_a_try(void **state)
{
    fixture *f = *state;
    apr_time_t next;

    add(f, "evt-1", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    result(f, "evt-1", 1, PO_OUTBOX_OPEN, 0, 1, NULL);
    assert_int_equal(tries_of(f, "evt-1"), 0);
    assert_string_equal(claim_for(f, 2, HOUR, &next), "evt-1");
    assert_int_equal(tries_of(f, "evt-1"), 1);
}

static int only_three_is_alive(apr_int64_t owner, void *baton)
{
    ++*(int *)baton;
    return owner == 3;
}

static void the_rows_of_a_dead_owner_are_taken_back_at_once(void **state)
{
    fixture *f = *state;
    apr_time_t next;
    int n, asked = 0;

    add(f, "evt-1", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    add(f, "evt-2", "event", "req-2", 0);
    assert_string_equal(claim_for(f, 2, HOUR, &next), "evt-2");
    add(f, "evt-3", "event", "req-3", 0);
    assert_string_equal(claim_for(f, 3, HOUR, &next), "evt-3");
    f->db.wakes = 0;
    assert_int_equal(po_outbox_recover(&f->db, 2, only_three_is_alive, &asked, &n), APR_SUCCESS);
    assert_int_equal(n, 1);
    assert_int_equal(asked, 2);
    assert_int_equal(f->db.wakes, 1);
    assert_string_equal(claim_for(f, 2, HOUR, &next), "evt-1");
    assert_int_equal(doubt_of(f, "evt-1"), 1);          /* it died before it could say what came of it */
    assert_int_equal(doubt_of(f, "evt-2"), 0);
}

static void no_statement_about_the_outbox_reads_a_whole_table(void **state)
{
    fixture *f = *state;
    const char *text;
    apr_time_t next;
    int n, asked = 0;

    add(f, "evt-1", "event", "req-1", 0);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    result(f, "evt-1", 1, PO_OUTBOX_OPEN, 0, 0, NULL);
    assert_string_equal(claim_for(f, 1, HOUR, &next), "evt-1");
    result(f, "evt-1", 1, PO_OUTBOX_FAILED, 0, 0, NULL);
    result(f, "evt-1", 1, PO_OUTBOX_DONE, 0, 0, NULL);
    assert_int_equal(po_outbox_recover(&f->db, 2, only_three_is_alive, &asked, &n), APR_SUCCESS);
    assert_int_equal(po_outbox_trouble(&f->db, SITE, "req-1", f->p, &text), APR_SUCCESS);
    assert_indexed(f, 11);
}

/* What SQLite's virtual machine did for a claim, in all statements of the connection. */
static int steps_of_a_claim(fixture *f, apr_int64_t owner)
{
    sqlite3_stmt *st = NULL;
    apr_time_t next;
    int steps = 0;

    while ((st = sqlite3_next_stmt(f->db.handle, st)))
        sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);
    claim_for(f, owner, HOUR, &next);
    while ((st = sqlite3_next_stmt(f->db.handle, st)))
        steps += sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);
    return steps;
}

static void a_claim_costs_the_same_however_long_the_backlog_is(void **state)
{
    fixture *f = *state;
    int i = 0, short_backlog, long_backlog;

    sqlite3_exec(f->db.handle, "BEGIN", NULL, NULL, NULL);
    for (; i < 200; i++)
        add(f, apr_psprintf(f->p, "evt-%d", i), "event", apr_psprintf(f->p, "req-%d", i), 0);
    short_backlog = steps_of_a_claim(f, 1);
    for (; i < 4000; i++)
        add(f, apr_psprintf(f->p, "evt-%d", i), "event", apr_psprintf(f->p, "req-%d", i), 0);
    long_backlog = steps_of_a_claim(f, 1);
    sqlite3_exec(f->db.handle, "COMMIT", NULL, NULL, NULL);
    if (long_backlog > short_backlog + short_backlog / 10)
        fail_msg("%d steps with 200 rows, %d with 4000", short_backlog, long_backlog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_claimed_row_comes_with_all_that_was_added),
        T(a_key_is_taken_once),
        T(rows_of_a_request_go_out_one_after_another_and_mail_beside_them),
        T(documents_to_a_buyer_are_a_lane_beside_events_and_mail),
        T(an_event_that_is_delivered_or_refused_is_open_no_more),
        T(a_row_that_waits_for_its_next_try_holds_back_those_behind_it),
        T(a_parked_row_holds_back_its_request_until_the_operator_decides),
        T(a_failed_row_is_final_and_lets_the_next_one_pass),
        T(the_rows_of_a_dead_backend_are_left_alone_but_for_one_probe),
        T(a_backlog_of_one_backend_does_not_starve_another),
        T(next_due_is_never_in_the_past_while_nothing_can_be_claimed),
        T(a_lease_that_ended_gives_the_row_to_the_next_owner),
        T(a_row_given_back_unused_does_not_count_as_a_try),
        T(the_rows_of_a_dead_owner_are_taken_back_at_once),
        T(no_statement_about_the_outbox_reads_a_whole_table),
        T(a_claim_costs_the_same_however_long_the_backlog_is),
    };

    apr_initialize();
    atexit(apr_terminate);
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
