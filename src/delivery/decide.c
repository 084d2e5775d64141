/* decide.c - the operator's decisions, which punchoutctl writes into the ledger, carried out: each in one job. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_log.h"

APLOG_USE_MODULE(punchout);

#define AT_ONCE 16                      /* of a site; the rest comes with the next look */

typedef struct {                        /* a job for the ledger; the election thread waits */
    const po_site *site;
    const po_decision *d;
    po_crypto *crypto;
    apr_time_t now;
    apr_pool_t *pool;
    /* the outcome, set anew by each run */
    int carried_out;
    const char *said;
} deciding;

static void answer(deciding *x, int carried_out, const char *said)
{
    x->carried_out = carried_out;
    x->said = said;
}

/* ---- what follows for a request ------------------------------------------------------------------------------- */

static apr_status_t keep(po_ledger_db *db, deciding *x, po_request *r, po_order_outcome outcome)
{
    apr_status_t rv = APR_SUCCESS;

    r->updated = x->now;
    if (outcome != PO_OUTCOME_NONE)
        rv = po_delivery_event(db, x->site, r, outcome, NULL, NULL, x->now, x->crypto, x->pool);
    /* a changed test that no sandbox hears of */
    if (rv == APR_SUCCESS && r->state == PO_STATE_APPROVED && r->test && !x->site->fulfillment_test)
        r->state = PO_STATE_TESTED;
    return rv == APR_SUCCESS ? po_request_update(db, r) : rv;
}

/* The event that the backend said 202 to, under its key; the tool has looked it up. */
static apr_status_t resend(po_ledger_db *db, deciding *x, const po_request *r)
{
    po_outbox_row *row;
    po_outbox_state state;
    apr_status_t rv = x->d->event ? po_outbox_get(db, x->d->event, x->pool, &row, &state) : APR_NOTFOUND;

    if (rv == APR_SUCCESS && row->request && !strcmp(row->request, r->id) && state == PO_OUTBOX_DONE)
        return po_outbox_reopen(db, row->seq, x->now);
    return rv == APR_SUCCESS ? APR_NOTFOUND : rv;
}

static apr_status_t left_out(po_ledger_db *db, const po_request *r, apr_array_header_t *lines, apr_pool_t *p)
{
    const char *last = NULL;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < r->charges->nelts; i++) {
        const char *order = APR_ARRAY_IDX(r->charges, i, po_charge).order_id;

        if (order && (!last || strcmp(order, last)))
            rv = po_order_left_out(db, r, order, p, lines);
        last = order;
    }
    return rv;
}

static apr_status_t release(po_ledger_db *db, deciding *x, po_request *r)
{
    const po_buyer *buyer = po_site_buyer(x->site, r->buyer);
    apr_array_header_t *lines = apr_array_make(x->pool, 2, sizeof(int));
    po_decided out;
    apr_status_t rv = left_out(db, r, lines, x->pool);

    if (rv != APR_SUCCESS)
        return rv;
    po_request_release(r, lines->nelts ? lines : NULL, buyer && buyer->activate == PO_ACTIVATE_EACH, &out, x->pool);
    answer(x, out.carried_out, out.said);
    if (!out.carried_out)
        return APR_SUCCESS;
    rv = out.resend ? resend(db, x, r) : APR_SUCCESS;
    if (APR_STATUS_IS_NOTFOUND(rv)) {
        answer(x, 0, apr_psprintf(x->pool, "The event of request %s is not in the outbox any more, so it can't be "
                                  "sent again; ask the backend's operator, then cancel or refuse the request", r->id));
        return APR_SUCCESS;
    }
    return rv == APR_SUCCESS ? keep(db, x, r, out.outcome) : rv;
}

static apr_status_t refuse(po_ledger_db *db, deciding *x, po_request *r)
{
    po_decided out;
    apr_status_t rv;

    po_request_refuse(r, x->d->reason, &out, x->pool);
    answer(x, out.carried_out, out.said);
    if (!out.carried_out)
        return APR_SUCCESS;
    rv = keep(db, x, r, out.outcome);
    if (rv == APR_SUCCESS)
        rv = po_delivery_confirm(db, x->site, r, x->now, x->pool);
    return rv == APR_SUCCESS ? po_delivery_mail(db, x->site, PO_MAIL_FAILED, r,
                                                apr_psprintf(x->pool, "mail-%s-refused-%" APR_INT64_T_FMT, r->id,
                                                             x->d->seq),
                                                x->now, x->pool) : rv;
}

static apr_status_t cancel(po_ledger_db *db, deciding *x, po_request *r)
{
    po_state before = r->state;
    po_decided out;
    apr_status_t rv;

    po_request_take_back(r, x->d->reason, &out, x->pool);
    answer(x, out.carried_out, out.said);
    if (!out.carried_out || before == PO_STATE_CANCELLED)
        return APR_SUCCESS;
    rv = keep(db, x, r, out.outcome);
    if (rv == APR_SUCCESS)
        rv = po_delivery_confirm(db, x->site, r, x->now, x->pool);
    return rv == APR_SUCCESS ? po_delivery_mail(db, x->site, PO_MAIL_CANCELLED, r,
                                                apr_pstrcat(x->pool, "mail-", r->id, "-cancelled", NULL), x->now,
                                                x->pool) : rv;
}

/* ---- orders ---------------------------------------------------------------------------------------------------- */

typedef apr_status_t each_request(po_ledger_db *db, deciding *x, po_request *r);

typedef struct { int held, done; } order_result;       /* something was held; something was carried out */

/* What is held of a purchase order in one mode. */
static apr_status_t decide_order_mode(po_ledger_db *db, deciding *x, int test, each_request *fn, order_result *result)
{
    apr_array_header_t *known = apr_array_make(x->pool, 2, sizeof(po_request *));
    const char *said = x->said;
    po_order_record *latest;
    apr_status_t rv = po_order_latest(db, x->site->public_url, x->d->buyer, test, NULL, x->d->id, x->pool, &latest);
    int i;

    if (rv != APR_SUCCESS)
        return APR_STATUS_IS_NOTFOUND(rv) ? APR_SUCCESS : rv;
    rv = po_requests_of_order(db, x->site->public_url, x->d->buyer, test, x->d->id, x->pool, known);
    for (i = 0; rv == APR_SUCCESS && i < known->nelts; i++) {
        po_request *r = APR_ARRAY_IDX(known, i, po_request *);

        if (r->state != PO_STATE_HELD)
            continue;
        rv = fn(db, x, r);
        result->held = 1;
        result->done |= x->carried_out;
        said = said ? apr_pstrcat(x->pool, said, ". ", x->said, NULL) : x->said;
    }
    if (rv == APR_SUCCESS && latest->held && !said) {
        said = apr_psprintf(x->pool, "Order %s is not held any more. Its lines match no request that is held, "
                            "so nothing changes", x->d->id);
        result->held = result->done = 1;
    }
    x->said = said;
    return rv == APR_SUCCESS && result->done ? po_order_decided(db, x->site->public_url, x->d->buyer, test, x->d->id)
                                             : rv;
}

static apr_status_t decide_order(po_ledger_db *db, deciding *x, each_request *fn)
{
    order_result result = { 0, 0 };
    apr_status_t rv;

    answer(x, 0, NULL);
    rv = decide_order_mode(db, x, 0, fn, &result);
    if (rv == APR_SUCCESS)
        rv = decide_order_mode(db, x, 1, fn, &result);
    x->carried_out = result.done;
    if (rv == APR_SUCCESS && !result.held)
        answer(x, 0, apr_psprintf(x->pool, "Nothing of order %s is held: there is nothing to decide", x->d->id));
    return rv;
}

/* A request's decision is that about its orders. */
static apr_status_t decided_orders(po_ledger_db *db, const deciding *x, const po_request *r)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; x->carried_out && rv == APR_SUCCESS && i < r->charges->nelts; i++) {
        const char *order = APR_ARRAY_IDX(r->charges, i, po_charge).order_id;

        if (order)
            rv = po_order_decided(db, r->site, r->buyer, r->test, order);
    }
    return rv;
}

static apr_status_t decide_request(po_ledger_db *db, deciding *x, each_request *fn)
{
    po_request *r;
    apr_status_t rv = po_request_get(db, x->site->public_url, x->d->id, x->pool, &r);

    if (APR_STATUS_IS_NOTFOUND(rv)) {
        answer(x, 0, apr_psprintf(x->pool, "There is no request %s", x->d->id));
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS)
        rv = fn(db, x, r);
    return rv == APR_SUCCESS ? decided_orders(db, x, r) : rv;
}

/* ---- the outbox ------------------------------------------------------------------------------------------------ */

static int is_event(const po_outbox_row *row)
{
    return !strcmp(row->channel, PO_CHANNEL_EVENT) || !strcmp(row->channel, PO_CHANNEL_TEST);
}

/* NULL, or why an event that had failed can't go out again: the backend would hear what is not true any more. */
static const char *retry_refused(po_request *r, const po_outbox_row *row, apr_pool_t *p)
{
    po_state of_charges = po_state_of_charges(r);

    if (row->outcome == PO_OUTCOME_CANCELLED)
        return r->state == PO_STATE_CANCELLED || r->state == PO_STATE_FAILED ? NULL
            : apr_psprintf(p, "Request %s is %s, so %s is not true any more", r->id, po_state_name(r->state), row->key);
    if (r->state == PO_STATE_HELD)
        return apr_psprintf(p, "Request %s is held: release it instead, which tells the backend how it stands now",
                            r->id);
    if (r->state == PO_STATE_FAILED && (of_charges == PO_STATE_APPROVED || of_charges == PO_STATE_PARTLY_APPROVED)) {
        r->state = of_charges;
        r->reason = NULL;
        return NULL;
    }
    if (row->outcome == PO_OUTCOME_CHANGED && (r->state == PO_STATE_ACTIVE || r->state == PO_STATE_DELIVERING
                                               || r->state == PO_STATE_APPROVED
                                               || r->state == PO_STATE_PARTLY_APPROVED))
        return NULL;
    return apr_psprintf(p, "Request %s is %s: there is nothing to tell by %s any more", r->id,
                        po_state_name(r->state), row->key);
}

static apr_status_t retry_failed_event(po_ledger_db *db, deciding *x, const po_outbox_row *row)
{
    po_request *r;
    const char *refused;
    apr_status_t rv = po_request_get(db, x->site->public_url, row->request, x->pool, &r);

    if (rv != APR_SUCCESS)
        return rv;
    if ((refused = retry_refused(r, row, x->pool))) {
        answer(x, 0, refused);
        return APR_SUCCESS;
    }
    r->updated = x->now;
    rv = po_request_update(db, r);
    /* a first event takes what was given up behind it along */
    return rv == APR_SUCCESS && row->outcome == PO_OUTCOME_APPROVED ? po_outbox_reopen_behind(db, row, x->now) : rv;
}

static apr_status_t retry(po_ledger_db *db, deciding *x, const po_outbox_row *row, po_outbox_state state)
{
    apr_status_t rv = APR_SUCCESS;

    if (state != PO_OUTBOX_PARKED && state != PO_OUTBOX_FAILED) {
        answer(x, 0, apr_psprintf(x->pool, state == PO_OUTBOX_DONE ? "%s is delivered; there is nothing to send again"
                                  : "%s goes out by itself; there is nothing to decide", row->key));
        return APR_SUCCESS;
    }
    /* refused, it didn't count: its amount may be on another invoice by now */
    if (state == PO_OUTBOX_FAILED && row->recipients && !strcmp(row->recipients, po_post_kind(PO_POST_INVOICE))) {
        answer(x, 0, apr_psprintf(x->pool, "%s is an invoice that was refused or given up, so its amount may have been "
                                  "invoiced anew; have it handed over again under a number of its own", row->key));
        return APR_SUCCESS;
    }
    answer(x, 1, apr_psprintf(x->pool, "%s goes out again now", row->key));
    if (state == PO_OUTBOX_FAILED && is_event(row))
        rv = retry_failed_event(db, x, row);
    return rv == APR_SUCCESS && x->carried_out ? po_outbox_reopen(db, row->seq, x->now) : rv;
}

static apr_status_t drop_behind(po_ledger_db *db, const apr_array_header_t *behind)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < behind->nelts; i++)
        rv = po_outbox_drop(db, APR_ARRAY_IDX(behind, i, po_outbox_entry).row->seq);
    return rv;
}

static apr_status_t mail_dropped(po_ledger_db *db, const deciding *x, const po_request *r, const char *key)
{
    if (r->state == PO_STATE_HELD)
        return po_delivery_mail_held(db, x->site, r, key, x->now, x->pool);
    if (r->state == PO_STATE_CANCELLED && r->reason && strstr(r->reason, key))
        return po_delivery_mail(db, x->site, PO_MAIL_CANCELLED, r, apr_pstrcat(x->pool, "mail-", key, "-failed", NULL),
                                x->now, x->pool);
    return APR_SUCCESS;
}

static apr_status_t drop_event(po_ledger_db *db, deciding *x, const po_outbox_row *row)
{
    po_dropped_event e = { row->key, row->outcome, PO_OUTCOME_NONE };
    apr_array_header_t *behind;
    po_decided out;
    po_request *r;
    apr_status_t rv = po_request_get(db, x->site->public_url, row->request, x->pool, &r);
    int drop_rest;

    if (rv == APR_SUCCESS)
        rv = po_outbox_behind(db, row, x->pool, &behind);
    if (rv != APR_SUCCESS)
        return rv;
    if (behind->nelts)
        e.behind = APR_ARRAY_IDX(behind, behind->nelts - 1, po_outbox_entry).row->outcome;
    po_request_drop_event(r, &e, &drop_rest, &out, x->pool);
    answer(x, out.carried_out, out.said);
    r->updated = x->now;
    rv = po_request_update(db, r);
    if (rv == APR_SUCCESS && drop_rest)
        rv = drop_behind(db, behind);
    return rv == APR_SUCCESS ? mail_dropped(db, x, r, row->key) : rv;
}

/* The event of the same request that has to go out before, or be dropped; NULL: none. */
static apr_status_t event_before(po_ledger_db *db, const po_outbox_row *row, apr_pool_t *p, const char **key)
{
    po_outbox_row from_first = *row;
    apr_array_header_t *open;
    apr_status_t rv;

    *key = NULL;
    from_first.seq = 0;
    rv = po_outbox_behind(db, &from_first, p, &open);
    if (rv == APR_SUCCESS && open->nelts && APR_ARRAY_IDX(open, 0, po_outbox_entry).row->seq < row->seq)
        *key = APR_ARRAY_IDX(open, 0, po_outbox_entry).row->key;
    return rv;
}

static apr_status_t drop(po_ledger_db *db, deciding *x, const po_outbox_row *row, po_outbox_state state)
{
    const char *before = NULL;
    apr_status_t rv = is_event(row) && (state == PO_OUTBOX_OPEN || state == PO_OUTBOX_PARKED)
                      ? event_before(db, row, x->pool, &before) : APR_SUCCESS;

    if (rv == APR_SUCCESS && before) {  /* what the backend knows when this one's turn comes is open */
        answer(x, 0, apr_psprintf(x->pool, "%s waits behind %s; decide about that one first", row->key, before));
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS)
        rv = po_outbox_drop(db, row->seq);
    if (APR_STATUS_IS_NOTFOUND(rv)) {
        answer(x, 0, apr_psprintf(x->pool, state == PO_OUTBOX_OPEN ? "%s is on its way at the moment; try again "
                                  "in a minute"
                                  : state == PO_OUTBOX_DONE ? "%s is delivered and can't be dropped"
                                  : "%s has failed already; nothing goes out any more", row->key));
        return APR_SUCCESS;
    }
    answer(x, 1, apr_psprintf(x->pool, "%s is dropped; nobody gets it", row->key));
    return rv == APR_SUCCESS && is_event(row) ? drop_event(db, x, row) : rv;
}

/* The operator has found a parked document at the buyer. */
static apr_status_t delivered(po_ledger_db *db, deciding *x, const po_outbox_row *row, po_outbox_state state)
{
    if (strncmp(row->channel, PO_CHANNEL_POST, sizeof(PO_CHANNEL_POST) - 1) || state != PO_OUTBOX_PARKED) {
        answer(x, 0, apr_psprintf(x->pool, "%s is no document to a buyer that is parked; only of one can it be said "
                                  "that he has it", row->key));
        return APR_SUCCESS;
    }
    answer(x, 1, apr_psprintf(x->pool, "%s counts as delivered; what is behind it goes out", row->key));
    return po_outbox_result(db, row->seq, 0, PO_OUTBOX_DONE, 0, 0,
                            apr_pstrcat(x->pool, "buyer ", row->buyer, " has it, as the operator found", NULL));
}

static apr_status_t decide_row(po_ledger_db *db, deciding *x)
{
    po_outbox_row *row;
    po_outbox_state state;
    apr_status_t rv = po_outbox_get(db, x->d->id, x->pool, &row, &state);

    if (APR_STATUS_IS_NOTFOUND(rv) || (rv == APR_SUCCESS && strcmp(row->site, x->site->public_url))) {
        answer(x, 0, apr_psprintf(x->pool, "There is nothing in the outbox of this site under the key %s", x->d->id));
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS)
        return rv;
    if (!strcmp(x->d->what, PO_DECIDE_DELIVERED))
        return delivered(db, x, row, state);
    return !strcmp(x->d->what, PO_DECIDE_RETRY) ? retry(db, x, row, state) : drop(db, x, row, state);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------ */

static apr_status_t carry_out(po_ledger_db *db, void *baton)
{
    deciding *x = baton;
    const char *what = x->d->what;
    apr_status_t rv;

    answer(x, 0, NULL);
    if (!strcmp(what, PO_DECIDE_RETRY) || !strcmp(what, PO_DECIDE_DROP) || !strcmp(what, PO_DECIDE_DELIVERED))
        rv = decide_row(db, x);
    else if (!strcmp(what, PO_DECIDE_CANCEL))
        rv = decide_request(db, x, cancel);
    else if (!strcmp(what, PO_DECIDE_RELEASE) || !strcmp(what, PO_DECIDE_REFUSE)) {
        each_request *fn = !strcmp(what, PO_DECIDE_RELEASE) ? release : refuse;

        rv = x->d->buyer ? decide_order(db, x, fn) : decide_request(db, x, fn);
    } else {
        answer(x, 0, "This version of the server knows no such decision");
        rv = APR_SUCCESS;
    }
    return rv == APR_SUCCESS ? po_decision_close(db, x->d->seq, x->carried_out, x->said, x->now) : rv;
}

static apr_status_t give_up(po_ledger_db *db, void *baton)
{
    deciding *x = baton;

    answer(x, 0, "It could not be carried out; the server's error log says why (PO0371). Mend that and decide again");
    return po_decision_close(db, x->d->seq, 0, x->said, x->now);
}

static void decide_one(const po_deliverer *me, deciding *x)
{
    const po_decision *d = x->d;
    apr_status_t rv = po_ledger_run(me->ledger, carry_out, x);

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, me->server, "PO0371: %s %s by %s can't be carried out and is undone: "
                     "the ledger failed, see its message before this one", d->what, d->id, d->by);
        po_ledger_run(me->ledger, give_up, x);  /* where not even that can be written, it is tried again */
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, me->server, "PO0370: %s %s by %s%s: %s", d->what, d->id, d->by,
                 x->carried_out ? "" : " is refused", x->said ? x->said : "done");
}

typedef struct {
    apr_pool_t *pool;
    apr_array_header_t **lists;         /* of each site, in the order of po_config_sites() */
} looking;

static apr_status_t look(po_ledger_db *db, void *baton)
{
    const apr_array_header_t *sites = po_config_sites();
    looking *l = baton;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < sites->nelts; i++)
        rv = po_decisions_open(db, APR_ARRAY_IDX(sites, i, po_site *)->public_url, AT_ONCE, l->pool, &l->lists[i]);
    return rv;
}

void po_decide(const po_deliverer *me, po_crypto *c, apr_pool_t *p)
{
    const apr_array_header_t *sites = po_config_sites();
    looking l = { p, apr_palloc(p, sizeof(*l.lists) * (apr_size_t)sites->nelts) };
    int i, n;

    if (po_ledger_run_unsynced(me->ledger, look, &l) != APR_SUCCESS)
        return;                         /* the ledger has said why; the next look is in a second */
    for (i = 0; i < sites->nelts; i++) {
        for (n = 0; n < l.lists[i]->nelts; n++) {
            deciding x = { APR_ARRAY_IDX(sites, i, po_site *), APR_ARRAY_IDX(l.lists[i], n, po_decision *), c,
                           apr_time_now(), p, 0, NULL };

            decide_one(me, &x);
        }
    }
}
