/* test_sequences_ledger.c - random sequences through the ledger beside structs alone: both hold the same after each step.
 *
 * Requests, orders and events are written as handlers/order.c, handlers/request.c and the deliverer write them, by the same
 * functions; judged are they by po_order_judge(). Each sequence is one transaction that is undone.
 */
#include "delivery/delivery_private.h"

#include "ledger_fixture.h"
#include "sequences.h"

typedef struct {
    po_ledger_db *db;
    po_order_outcome outcomes[SEQUENCE_REQUESTS];       /* of the order that is kept now */
} ledger_store;

static po_crypto *crypto;
static fixture *ledger;
static int mails;

/* mail_queue.c needs templates and httpd's logging; that a mail is asked for is enough here */
apr_status_t po_delivery_mail(po_ledger_db *db, const po_site *site, po_mail_kind kind, const po_request *r, const char *key,
                              apr_time_t now, apr_pool_t *p)
{
    mails++;
    return APR_SUCCESS;
}

apr_status_t po_delivery_confirm(po_ledger_db *db, const po_site *site, const po_request *r, apr_time_t now,
                                 apr_pool_t *p)
{
    return APR_SUCCESS;
}

static po_ledger_db *db_of(sequence_world *w)
{
    return ((ledger_store *)w->baton)->db;
}

static void must(sequence_world *w, apr_status_t rv, const char *what)
{
    if (rv != APR_SUCCESS)
        po_sequence_wrong(w, "the ledger refuses to %s: %s", what, po_ledger_error(db_of(w)));
}

/* ---- the store ------------------------------------------------------------------------------------------------- */

static void add(sequence_world *w, sequence_request *s)
{
    s->r->state = PO_STATE_REQUESTED;
    if (s->r->preapproved_by) {
        po_sequence_tell(w, s, PO_OUTCOME_APPROVED);
        must(w, po_delivery_event(db_of(w), &w->site, s->r, PO_OUTCOME_APPROVED, NULL, NULL, w->now, crypto, w->p), "tell");
    }
    must(w, po_request_insert(db_of(w), s->r), "insert a request");
}

static void judge(sequence_world *w, const po_order_case *c, po_order_verdict *out)
{
    must(w, po_order_judge(db_of(w), c, out, w->p), "judge");
}

static void keep_request(sequence_world *w, po_request *r, po_order_outcome outcome, const po_cxml_order *order,
                         const char *payload_id)
{
    sequence_request *s = po_sequence_find(w, r->id);

    s->r = r;
    r->updated = w->now;
    if (outcome != PO_OUTCOME_NONE) {
        po_sequence_tell(w, s, outcome);
        must(w, po_delivery_event(db_of(w), &w->site, r, outcome, order, payload_id, w->now, crypto, w->p), "tell");
    }
    must(w, po_request_update(db_of(w), r), "update a request");
}

static void keep(sequence_world *w, const po_order_case *c, po_order_verdict *v, sequence_document *d)
{
    const po_order_match *m = &v->match;
    po_order_record rec = { c->site, c->buyer->name, c->payload_id, c->digest, c->test };
    po_cxml_order order = *c->order;
    int i;

    order.version = v->version;
    rec.request = m->requests->nelts == 1 ? APR_ARRAY_IDX(m->requests, 0, po_request *)->id : NULL;
    rec.status = m->status;
    rec.detail = m->detail;
    rec.held = m->held;
    rec.received = w->now;
    must(w, po_order_insert(db_of(w), &rec, &order, m), "insert an order");
    for (i = 0; i < m->requests->nelts; i++)
        keep_request(w, APR_ARRAY_IDX(m->requests, i, po_request *), APR_ARRAY_IDX(m->outcomes, i, po_order_outcome), &order,
                     c->payload_id);
}

static void change(sequence_world *w, sequence_request *s, po_order_outcome outcome)
{
    s->r->updated = w->now;
    if (outcome != PO_OUTCOME_NONE) {
        po_sequence_tell(w, s, outcome);
        must(w, po_delivery_event(db_of(w), &w->site, s->r, outcome, NULL, NULL, w->now, crypto, w->p), "tell");
    }
    must(w, po_request_update(db_of(w), s->r), "update a request");
}

/* An event in the outbox, by the order of their making. */
static const po_outbox_row *event_row(sequence_world *w, const sequence_request *s, int event)
{
    sqlite3_stmt *st = NULL;
    po_outbox_row *row = NULL;
    po_outbox_state state;

    sqlite3_prepare_v2(db_of(w)->handle, "SELECT key FROM outbox WHERE request = ?1 ORDER BY seq LIMIT 1 OFFSET ?2", -1,
                       &st, NULL);
    sqlite3_bind_text(st, 1, s->r->id, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 2, event);
    if (sqlite3_step(st) == SQLITE_ROW)
        must(w, po_outbox_get(db_of(w), (const char *)sqlite3_column_text(st, 0), w->p, &row, &state), "read an event");
    sqlite3_finalize(st);
    if (!row)
        po_sequence_wrong(w, "event %d of %s is not in the outbox", event + 1, s->r->id);
    return row;
}

/* po_outbox_result() asks for an owner, and the rows here are never claimed; a late answer finds it delivered. */
static apr_status_t fail_row(sequence_world *w, const po_outbox_row *row)
{
    apr_status_t rv = po_outbox_drop(db_of(w), row->seq);

    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* drop_event() of decide.c */
static void drop(sequence_world *w, sequence_request *s, int event, po_order_outcome behind, int *rest)
{
    po_dropped_event e = { apr_psprintf(w->p, "event %d", event + 1), s->events[event].what, PO_OUTCOME_NONE };
    const po_outbox_row *row = event_row(w, s, event);
    apr_array_header_t *rows;
    po_decided out;
    int i;

    *rest = 0;
    if (!row)
        return;
    must(w, po_outbox_drop(db_of(w), row->seq), "drop an event");
    must(w, po_outbox_behind(db_of(w), row, w->p, &rows), "read the events behind");
    if (rows->nelts)
        e.behind = APR_ARRAY_IDX(rows, rows->nelts - 1, po_outbox_entry).row->outcome;
    if (e.behind != behind)
        po_sequence_wrong(w, "another event is behind event %d of %s", event + 1, s->r->id);
    po_request_drop_event(s->r, &e, rest, &out, w->p);
    s->r->updated = w->now;
    must(w, po_request_update(db_of(w), s->r), "update a request");
    for (i = 0; *rest && i < rows->nelts; i++)
        must(w, po_outbox_drop(db_of(w), APR_ARRAY_IDX(rows, i, po_outbox_entry).row->seq), "drop an event");
}

static void settle(sequence_world *w, sequence_request *s, int event, int failed)
{
    po_answer a = { failed ? "failed" : "active", NULL, NULL, failed ? SEQUENCE_REFUSAL : NULL };
    const po_outbox_row *row = event_row(w, s, event);

    if (row)
        must(w, failed ? fail_row(w, row) : po_outbox_result(db_of(w), row->seq, 0, PO_OUTBOX_DONE, 0, 0, NULL),
             "end an event");
    if (row)
        must(w, po_delivery_settle(db_of(w), &w->site, row, &a, failed, w->now, w->p), "settle");
}

static void accept_event(sequence_world *w, sequence_request *s, int event)
{
    const po_outbox_row *row = event_row(w, s, event);

    if (row)
        must(w, po_outbox_result(db_of(w), row->seq, 0, PO_OUTBOX_DONE, 0, 0, NULL), "end an event");
    if (row)
        must(w, po_settle_accepted(db_of(w), &w->site, row, w->now, w->p), "accept");
}

static void expire(sequence_world *w, apr_time_t deadline)
{
    apr_array_header_t *half;
    int n;

    must(w, po_request_expire(db_of(w), w->now, deadline, &n), "expire");
    must(w, po_requests_half_expired(db_of(w), w->now, w->p, &half), "find what has expired in part");
    for (n = 0; n < half->nelts; n++) {
        po_request *r = APR_ARRAY_IDX(half, n, po_request *);

        po_request_expire_open(r, w->p);
        r->updated = w->now;
        must(w, po_request_update(db_of(w), r), "update a request");
        po_sequence_count(w, COUNT_HALF_EXPIRED);
    }
}

/* It waits as long as it has no answer and was not given up, and names the approvals that it tells of. */
static void check_event_state(sequence_world *w, const sequence_request *s, int n, int state, const char *body)
{
    const sequence_event *e = &s->events[n];
    const char *approved = strstr(body, "\"approved\":[");
    unsigned named = 0;

    if ((state == PO_OUTBOX_OPEN) != (!e->done && !e->accepted) || (e->given_up && state != PO_OUTBOX_FAILED))
        po_sequence_wrong(w, "event %d of %s has the state %d in the outbox", n + 1, s->r->id, state);
    if (approved) {
        approved = apr_pstrmemdup(w->p, approved + sizeof("\"approved\":[") - 1,
                                  strcspn(approved + sizeof("\"approved\":[") - 1, "]"));
        named = (strstr(approved, "\"usage\"") ? SEQUENCE_USAGE : 0)
                | (*approved && strcmp(approved, "\"usage\"") ? SEQUENCE_CONTRACT : 0);
    }
    /* the one line of PunchOutLines single may stand for both */
    if (w->buyer.lines == PO_LINES_SINGLE ? !named != !e->approved : named != e->approved)
        po_sequence_wrong(w, "event %d of %s tells of the approvals %s", n + 1, s->r->id, approved ? approved : "(none)");
}

/* The events that lie in the outbox: as many as were told, of these kinds and channels, with what is ordered in them. */
static void check_outbox(sequence_world *w, const sequence_request *s)
{
    static const char *const types[] = { "", "", "subscription.changed", "subscription.cancelled" };
    sqlite3_stmt *st = NULL;
    int n = 0;

    sqlite3_prepare_v2(db_of(w)->handle, "SELECT channel, body, state FROM outbox WHERE request = ?1 ORDER BY seq", -1, &st, NULL);
    sqlite3_bind_text(st, 1, s->r->id, -1, SQLITE_STATIC);
    for (; sqlite3_step(st) == SQLITE_ROW; n++) {
        const char *channel = (const char *)sqlite3_column_text(st, 0), *body = (const char *)sqlite3_column_text(st, 1);

        if (n >= s->nevents)
            continue;
        if (!strstr(body, types[s->events[n].what]))
            po_sequence_wrong(w, "event %d of %s is of another type: %s", n + 1, s->r->id, body);
        if (strcmp(channel, s->events[n].test ? PO_CHANNEL_TEST : PO_CHANNEL_EVENT))
            po_sequence_wrong(w, "event %d of %s goes to %s", n + 1, s->r->id, channel);
        check_event_state(w, s, n, sqlite3_column_int(st, 2), body);
        if (!strstr(body, s->events[n].test ? "\"mode\":\"test\"" : "\"mode\":\"production\""))
            po_sequence_wrong(w, "event %d of %s names another mode", n + 1, s->r->id);
    }
    sqlite3_finalize(st);
    if (n != s->nevents)
        po_sequence_wrong(w, "%d events of %s lie in the outbox, %d were told", n, s->r->id, s->nevents);
}

static void reload(sequence_world *w)
{
    int i;

    for (i = 0; i < w->nrequests; i++) {
        sequence_request *s = &w->requests[i];

        must(w, po_request_get(db_of(w), w->site.public_url, s->r->id, w->p, &s->r), "read a request");
        check_outbox(w, s);
    }
}

static const sequence_store in_ledger = { add, judge, keep, change, settle, accept_event, drop, expire, reload };

/* ---- both at once ------------------------------------------------------------------------------------------------- */

static void prepare(sequence_world *w, apr_pool_t *p)
{
    w->p = p;
    w->store = &po_sequence_structs;
    w->crypto = crypto;
}

static void compare(sequence_world *w, sequence_world *kept)
{
    const char *difference;
    int i;

    if (kept->wrong)
        po_sequence_wrong(w, "in the ledger: %s", kept->wrong);
    if (w->nrequests != kept->nrequests || w->ndocuments != kept->ndocuments)
        po_sequence_wrong(w, "%d requests and %d orders, in the ledger %d and %d", w->nrequests, w->ndocuments,
                          kept->nrequests, kept->ndocuments);
    for (i = 0; i < w->nrequests && i < kept->nrequests; i++)
        if ((difference = po_sequence_difference(w->requests[i].r, kept->requests[i].r, w->p)))
            po_sequence_wrong(w, "%s in the ledger: %s", w->requests[i].r->id, difference);
}

static void one_step(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, int step)
{
    po_sequence_seed(w, seed, sequence, (apr_uint64_t)step);
    po_sequence_remember(w);
    po_sequence_step(w);
    if (w->store->reload && !w->wrong)
        w->store->reload(w);
    if (!w->wrong)
        po_sequence_check(w);
}

static void run_both(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, const char *steps)
{
    ledger_store store = { &ledger->db };
    sequence_world *kept = apr_pcalloc(w->p, sizeof(*kept));
    int i;

    kept->p = w->p;
    kept->store = &in_ledger;
    kept->baton = &store;
    kept->crypto = crypto;
    po_sequence_world_init(w, seed, sequence);
    po_sequence_world_init(kept, seed, sequence);
    assert_int_equal(sqlite3_exec(ledger->db.handle, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    for (i = 0; i < SEQUENCE_STEPS && !w->wrong; i++)
        if (steps[i]) {
            one_step(w, seed, sequence, i);
            one_step(kept, seed, sequence, i);
            compare(w, kept);
        }
    assert_int_equal(sqlite3_exec(ledger->db.handle, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

static void the_ledger_holds_what_the_rules_decided(void **state)
{
    ledger = *state;
    po_sequences_run(2000, prepare, run_both);
    assert_true(mails > 0);
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
    const struct CMUnitTest tests[] = { T(the_ledger_holds_what_the_rules_decided) };

    return cmocka_run_group_tests(tests, make_crypto, destroy_crypto);
}
