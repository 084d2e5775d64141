/* test_ledger_decisions.c - decisions in the ledger, what they do to rows of the outbox, and a tool beside the
 * writer. */
#include "ledger_fixture.h"

#include <pthread.h>

static po_decision decision(const char *what, const char *id)
{
    po_decision d = { 0, SITE, what, id, NULL, NULL, "a reason", "anna@host" };

    d.at = apr_time_now();
    return d;
}

static void a_decision_is_kept_with_its_outcome(void **state)
{
    fixture *f = *state;
    po_decision d = decision(PO_DECIDE_RELEASE, "PO-1"), other = decision(PO_DECIDE_RELEASE, "PO-2"), *got;
    apr_array_header_t *list;

    d.buyer = "acme";
    other.site = "https://other.example";
    assert_int_equal(po_decision_insert(&f->db, &d), APR_SUCCESS);
    assert_int_equal(po_decision_insert(&f->db, &other), APR_SUCCESS);
    assert_int_equal(po_decisions_open(&f->db, SITE, 10, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    got = APR_ARRAY_IDX(list, 0, po_decision *);
    assert_text(got->id, "PO-1");
    assert_text(got->buyer, "acme");
    assert_text(got->reason, "a reason");
    assert_text(got->by, "anna@host");
    assert_int_equal(got->done, 0);
    assert_int_equal(po_decision_close(&f->db, d.seq, 1, "released", d.at + 5), APR_SUCCESS);
    assert_int_equal(po_decision_close(&f->db, d.seq, 0, "refused", d.at + 9), APR_NOTFOUND);
    assert_int_equal(po_decision_get(&f->db, d.seq, f->p, &got), APR_SUCCESS);
    assert_int_equal(got->carried_out, 1);
    assert_text(got->outcome, "released");
    assert_int_equal(got->done, d.at + 5);
    assert_int_equal(po_decisions_open(&f->db, SITE, 10, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 0);
    assert_int_equal(po_decisions_about(&f->db, SITE, "PO-1", "acme", f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_int_equal(po_decisions_about(&f->db, SITE, "PO-1", "globex", f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 0);
    assert_int_equal(po_decision_get(&f->db, 99, f->p, &got), APR_NOTFOUND);
}

static po_outbox_row event(const char *key, po_order_outcome outcome)
{
    po_outbox_row row = { 0, 0, key, SITE, "event", "acme", "req-1", NULL, "{}" };

    row.outcome = outcome;
    row.created = 1;
    return row;
}

static apr_int64_t seq_of(fixture *f, const char *key, po_outbox_state *state)
{
    po_outbox_row *row;

    assert_int_equal(po_outbox_get(&f->db, key, f->p, &row, state), APR_SUCCESS);
    return row->seq;
}

static void rows_are_tried_again_and_given_up(void **state)
{
    fixture *f = *state;
    po_outbox_row a = event("evt-a", PO_OUTCOME_APPROVED), b = event("evt-b", PO_OUTCOME_CHANGED), *row;
    apr_array_header_t *list;
    po_outbox_state is;
    apr_int64_t first;
    const char *key;
    int overtaken;

    assert_int_equal(po_outbox_add(&f->db, &a, 1), APR_SUCCESS);
    assert_int_equal(po_outbox_add(&f->db, &b, 1), APR_SUCCESS);
    first = seq_of(f, "evt-a", &is);
    number(&f->db, "UPDATE outbox SET state = 2, tries = 7 WHERE key = 'evt-a' RETURNING 1");
    assert_int_equal(po_outbox_get(&f->db, "evt-a", f->p, &row, &is), APR_SUCCESS);
    assert_int_equal(row->outcome, PO_OUTCOME_APPROVED);
    assert_int_equal(po_outbox_behind(&f->db, row, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_text(APR_ARRAY_IDX(list, 0, po_outbox_entry).row->key, "evt-b");
    assert_int_equal(po_outbox_list(&f->db, SITE, 1, NULL, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_int_equal(APR_ARRAY_IDX(list, 0, po_outbox_entry).state, PO_OUTBOX_PARKED);

    f->db.wakes = 0;
    assert_int_equal(po_outbox_reopen(&f->db, first, 1000), APR_SUCCESS);
    assert_true(f->db.wakes);
    assert_int_equal(number(&f->db, "SELECT state + tries + due + created FROM outbox WHERE key = 'evt-a'"), 2000);
    f->db.wakes = 0;
    assert_int_equal(po_outbox_drop(&f->db, first), APR_SUCCESS);
    assert_true(f->db.wakes);           /* the way is open for what stood behind it */
    seq_of(f, "evt-a", &is);
    assert_int_equal(is, PO_OUTBOX_FAILED);
    assert_int_equal(po_outbox_drop(&f->db, first), APR_NOTFOUND);
    number(&f->db, "UPDATE outbox SET owner = 5 WHERE key = 'evt-b' RETURNING 1");
    assert_int_equal(po_outbox_drop(&f->db, seq_of(f, "evt-b", &is)), APR_NOTFOUND);     /* it is on its way */
    assert_indexed(f, 6);

    assert_int_equal(po_outbox_last_event(&f->db, SITE, "req-1", f->p, &key), APR_NOTFOUND);
    assert_int_equal(po_outbox_overtaken(&f->db, row, &overtaken), APR_SUCCESS);
    assert_false(overtaken);
    number(&f->db, "UPDATE outbox SET state = 1 WHERE key = 'evt-b' RETURNING 1");
    assert_int_equal(po_outbox_last_event(&f->db, SITE, "req-1", f->p, &key), APR_SUCCESS);
    assert_text(key, "evt-b");
    assert_int_equal(po_outbox_overtaken(&f->db, row, &overtaken), APR_SUCCESS);
    assert_true(overtaken);
}

/* ---- a tool beside the server ----------------------------------------------------------------------------------- */

#define WRITES 300

typedef struct { fixture *f; int failed; } tool;

static void *decide_often(void *data)
{
    tool *t = data;
    apr_pool_t *p;
    po_ledger_db *db;
    int i;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    t->failed = po_ledger_connect(&db, t->f->path, p) != NULL;
    for (i = 0; !t->failed && i < WRITES; i++) {
        po_decision d = decision(PO_DECIDE_RETRY, "evt-x");

        t->failed = po_decision_insert(db, &d) != APR_SUCCESS;
    }
    apr_pool_destroy(p);
    return NULL;
}

static apr_status_t add_row(po_ledger_db *db, void *baton)
{
    po_outbox_row row = event(baton, PO_OUTCOME_APPROVED);

    return po_outbox_add(db, &row, 1);
}

static void a_tool_and_the_server_lose_nothing(void **state)
{
    fixture *f = *state;
    po_ledger_options o = { .path = f->path };
    tool tools[2] = { { f, 0 }, { f, 0 } };
    pthread_t threads[2];
    po_ledger *l;
    int i, failed = 0;

    assert_int_equal(po_ledger_open(&l, &o, f->p), APR_SUCCESS);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decide_often, &tools[i]), 0);
    for (i = 0; i < WRITES; i++)
        failed += po_ledger_run(l, add_row, apr_psprintf(f->p, "evt-%d", i)) != APR_SUCCESS;
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failed, 0);        /* no buyer is told to come again */
    assert_false(tools[0].failed || tools[1].failed);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM decision"), 2 * WRITES);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM outbox"), WRITES);
    po_ledger_stop(l);
    po_ledger_stopped(l, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_decision_is_kept_with_its_outcome),
        T(rows_are_tried_again_and_given_up),
        T(a_tool_and_the_server_lose_nothing)
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
