/* sequence_world.c - random sequences: the world that they start in, and its store of structs alone. */
#include "sequences.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const po_sequence_count_names[SEQUENCE_COUNTS] = {
    "steps", "requests", "refused forms", "pre-approved", "edits", "orders taken", "held", "refused", "sent again", "updates",
    "deletes", "approved", "changed", "cancelled", "tested", "failed", "late answers", "expired", "ended",
    "released", "refused by the operator", "continued", "approvals cancelled by themselves", "approved one by one",
    "expired in part", "events dropped", "events given up behind another"
};

/* ---- numbers --------------------------------------------------------------------------------------------------- */

/* splitmix64 */
static apr_uint64_t next_random(sequence_world *w)
{
    apr_uint64_t z = w->random += APR_UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * APR_UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * APR_UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void po_sequence_seed(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, apr_uint64_t step)
{
    w->random = seed;
    w->random = next_random(w) ^ sequence;
    w->random = next_random(w) ^ step;
    next_random(w);
}

int po_sequence_random(sequence_world *w, int n)
{
    return (int)(next_random(w) % (apr_uint64_t)n);
}

int po_sequence_chance(sequence_world *w, int percent)
{
    return po_sequence_random(w, 100) < percent;
}

void po_sequence_count(sequence_world *w, sequence_count what)
{
    if (w->counts)
        w->counts[what]++;
}

void po_sequence_say(sequence_world *w, const char *format, ...)
{
    va_list args;
    const char **line;

    if (!w->tracing || !w->trace->nelts)
        return;
    line = &APR_ARRAY_IDX(w->trace, w->trace->nelts - 1, const char *);
    va_start(args, format);
    *line = apr_pstrcat(w->p, *line, apr_pvsprintf(w->p, format, args), NULL);
    va_end(args);
}

void po_sequence_wrong(sequence_world *w, const char *format, ...)
{
    va_list args;

    if (w->wrong)
        return;
    va_start(args, format);
    w->wrong = apr_pvsprintf(w->p, format, args);
    va_end(args);
}

/* ---- the world ------------------------------------------------------------------------------------------------- */

void po_sequence_world_init(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence)
{
    po_buyer *b = &w->buyer;

    po_sequence_seed(w, seed, sequence, ~APR_UINT64_C(0));
    w->now = apr_time_from_sec(1795430000);
    b->name = "acme";
    b->organization = "acme";
    b->profile = *po_profile_find("generic");
    b->deployment = po_sequence_chance(w, 90) ? PO_DEPLOYMENT_PRODUCTION : PO_DEPLOYMENT_TEST;
    b->mismatch = (po_mismatch)po_sequence_random(w, 3);
    b->preapprove = (unsigned)po_sequence_random(w, 4);
    b->lines = po_sequence_chance(w, 50) ? PO_LINES_CLASSIC : (po_lines)po_sequence_random(w, 3);
    b->approvals = po_sequence_chance(w, 60) ? PO_APPROVALS_TOGETHER : PO_APPROVALS_SEPARATE;
    b->activate = po_sequence_chance(w, 50) ? PO_ACTIVATE_ALL : PO_ACTIVATE_EACH;
    b->currency = "USD";
    w->site.public_url = "https://market.example";
    w->site.host = "market.example";
    w->site.door = "https://market.example/punchout";
    w->site.fulfillment_test = po_sequence_chance(w, 50) ? "http://sandbox:8080/" : NULL;
    w->site.request_timeout = apr_time_from_sec(30 * 86400);
    w->trace = apr_array_make(w->p, SEQUENCE_STEPS, sizeof(const char *));
    if (!w->tracing)
        return;
    APR_ARRAY_PUSH(w->trace, const char *) = "";
    po_sequence_say(w, "buyer: %s, PunchOutLines %s, PunchOutOrderMismatch %s, PunchOutApprovals %s, "
                    "PunchOutActivate %s, pre-approved:%s%s; %s sandbox",
                    b->deployment == PO_DEPLOYMENT_TEST ? "test" : "production",
                    b->lines == PO_LINES_CLASSIC ? "classic" : b->lines == PO_LINES_SINGLE ? "single" : "split",
                    b->mismatch == PO_MISMATCH_REJECT ? "reject" : b->mismatch == PO_MISMATCH_HOLD ? "hold" : "accept",
                    b->approvals == PO_APPROVALS_SEPARATE ? "separate" : "together",
                    b->activate == PO_ACTIVATE_EACH ? "each" : "all",
                    b->preapprove & PO_PREAPPROVE_FREE ? " free" : "", b->preapprove & PO_PREAPPROVE_BYOL ? " byol" : "",
                    w->site.fulfillment_test ? "a" : "no");
}

sequence_request *po_sequence_find(sequence_world *w, const char *id)
{
    int i;

    for (i = 0; i < w->nrequests; i++)
        if (!strcmp(w->requests[i].r->id, id))
            return &w->requests[i];
    return NULL;
}

/* ---- the backend ----------------------------------------------------------------------------------------------- */

static void remember_told(sequence_request *s)
{
    int i;

    for (i = 0; i < s->r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(s->r->charges, i, po_charge);

        s->told_in[i] = c->state == PO_CHARGE_ORDERED || c->state == PO_CHARGE_PREAPPROVED;
        s->told_quantity[i] = *po_charge_quantity(c);
    }
}

unsigned po_sequence_approval_of(const po_charge *c)
{
    return strcmp(c->kind, "usage") ? SEQUENCE_CONTRACT : SEQUENCE_USAGE;
}

static int is_gone(po_charge_state s)
{
    return s == PO_CHARGE_CANCELLED || s == PO_CHARGE_WITHDRAWN;
}

/* The approvals that are in: something of each is, and nothing is missing. */
static unsigned approvals_in(const po_request *r)
{
    unsigned in = 0, missing = 0;
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (c->state == PO_CHARGE_ORDERED || c->state == PO_CHARGE_PREAPPROVED)
            in |= po_sequence_approval_of(c);
        else if (!is_gone(c->state))
            missing |= po_sequence_approval_of(c);
    }
    return in & ~missing;
}

/* Nothing is fulfilled that nobody has ordered or pre-approved; under PunchOutActivate each not of these approvals. */
static void check_covered(sequence_world *w, const sequence_request *s, unsigned approved)
{
    int i;

    for (i = 0; i < s->r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(s->r->charges, i, po_charge);

        if (w->buyer.activate == PO_ACTIVATE_EACH && !(approved & po_sequence_approval_of(c)))
            continue;
        if (c->state != PO_CHARGE_ORDERED && c->state != PO_CHARGE_PREAPPROVED && !is_gone(c->state))
            po_sequence_wrong(w, "%s is fulfilled although its charge %d is %s", s->r->id, c->line,
                              po_charge_state_name(c->state));
    }
}

/* Each approval once, under PunchOutActivate all both at once. Returns those that this event is the first to tell of. */
static unsigned tell_approved(sequence_world *w, sequence_request *s, int heard)
{
    unsigned now = approvals_in(s->r) & ~s->approved;

    if (heard && (!now || (s->approvals && w->buyer.activate == PO_ACTIVATE_ALL)))
        po_sequence_wrong(w, "a second fulfillment of %s", s->r->id);
    check_covered(w, s, now);
    if (s->approvals++ && heard)
        po_sequence_count(w, COUNT_APPROVED_APART);
    if (heard)
        s->approved |= now;
    return now;
}

void po_sequence_tell(sequence_world *w, sequence_request *s, po_order_outcome outcome)
{
    /* without a sandbox nobody hears of a test: released, it ends as tested once more */
    int heard = !s->r->test || w->site.fulfillment_test != NULL;
    unsigned approved = 0;
    static const sequence_count counts[] = { 0, COUNT_APPROVED, COUNT_CHANGED, COUNT_CANCELLED };
    static const char *const names[] = { "", "approved", "changed", "cancelled" };
    const char *id = s->r->id;
    sequence_event *e;

    po_sequence_say(w, " [%s.%s]", id, names[outcome]);
    po_sequence_count(w, counts[outcome]);
    if (s->cancellations)
        po_sequence_wrong(w, "%s is %s after it was cancelled", id, names[outcome]);
    if (outcome == PO_OUTCOME_APPROVED) {
        approved = tell_approved(w, s, heard);
    } else if (!s->approvals) {
        po_sequence_wrong(w, "%s is %s although it was never approved", id, names[outcome]);
    }
    s->cancellations += outcome == PO_OUTCOME_CANCELLED;
    remember_told(s);
    if (!heard)
        return;
    if (s->nevents && s->events[0].test != s->r->test)
        po_sequence_wrong(w, "events of %s go to production and to the sandbox", id);
    if (s->nevents == SEQUENCE_EVENTS)
        po_sequence_wrong(w, "%s has more events than steps", id);
    else {
        e = &s->events[s->nevents++];
        memset(e, 0, sizeof(*e));
        e->what = outcome;
        e->test = s->r->test;
        e->approved = approved;
    }
}

/* ---- structs alone: as the handlers and the deliverer do it --------------------------------------------------------- */

/* The part of po_delivery_event() that changes the request. */
static void tell_backend(sequence_world *w, sequence_request *s, po_order_outcome outcome)
{
    int partly = po_state_of_charges(s->r) == PO_STATE_PARTLY_APPROVED;

    po_sequence_tell(w, s, outcome);
    if (s->r->test && !w->site.fulfillment_test) {
        if (outcome == PO_OUTCOME_APPROVED && !partly)
            s->r->state = PO_STATE_TESTED;
        return;
    }
    if (!s->r->told)
        s->r->told = 1;
    if (outcome != PO_OUTCOME_APPROVED)
        return;
    po_approvals_told(s->r, po_approvals_to_tell(s->r, w->p));
    s->r->state = partly ? PO_STATE_PARTLY_APPROVED : PO_STATE_APPROVED;
}

static void add(sequence_world *w, sequence_request *s)
{
    s->r->state = PO_STATE_REQUESTED;
    if (s->r->preapproved_by)
        tell_backend(w, s, PO_OUTCOME_APPROVED);
}

static const sequence_document *latest(const sequence_world *w, const char *order_id, int test)
{
    int i;

    for (i = w->ndocuments - 1; i >= 0; i--)
        if (w->documents[i].test == test && !strcmp(w->documents[i].order->order_id, order_id))
            return &w->documents[i];
    return NULL;
}

/* The latest document about the order that DocumentReference names, else about that of the same number. */
static const sequence_document *referred(const sequence_world *w, const po_cxml_order *order, int test)
{
    int i;

    for (i = w->ndocuments - 1; order->refers_to && i >= 0; i--)
        if (!strcmp(w->documents[i].payload_id, order->refers_to))
            return latest(w, w->documents[i].test == test ? w->documents[i].order->order_id : order->order_id, test);
    return latest(w, order->order_id, test);
}

static void answer(po_order_verdict *out, int status, int again)
{
    out->status = status;
    out->again = again;
}

/* design.md §7, "Duplicates". 1 when the document is answered by what was there before. */
static int is_duplicate(sequence_world *w, const po_order_case *c, po_order_verdict *out)
{
    const sequence_document *last = latest(w, c->order->order_id, c->test);
    int i;

    for (i = 0; i < w->ndocuments; i++)
        if (!strcmp(w->documents[i].payload_id, c->payload_id) && !strcmp(w->documents[i].digest, c->digest)) {
            answer(out, w->documents[i].status, 1);
            return 1;
        }
    if (c->type != PO_ORDER_NEW || !last)
        return 0;
    for (i = 0; i < w->ndocuments; i++) {
        const sequence_document *d = &w->documents[i];

        if (d->test != c->test || strcmp(d->order->type, "new") || strcmp(d->order->order_id, c->order->order_id)
            || strcmp(d->version, out->version))
            continue;
        if (strcmp(d->digest, c->digest) || !strcmp(last->order->type, "delete"))
            answer(out, 409, 0);
        else
            answer(out, d->status, 1);
        return 1;
    }
    if (po_order_version_compare(out->version, last->version) > 0)
        return 0;
    answer(out, 409, 0);
    return 1;
}

static int take_turn(sequence_world *w, const po_order_case *c, po_order_verdict *out)
{
    const sequence_document *last = referred(w, c->order, c->test);
    po_order_before before = { 0 };
    po_order_turn turn;

    if (last)
        before = (po_order_before){ last->order->order_id, last->version, last->order->type, last->payload_id,
                                    last->digest };
    po_order_take_turn(c->order, last ? &before : NULL, c->digest, &turn, w->p);
    out->version = turn.version;
    if (turn.status)
        answer(out, turn.status, turn.status == 200);
    return turn.status == 0;
}

/* The requests that any document about the order was matched to. */
static apr_array_header_t *owned_by(sequence_world *w, const po_order_case *c)
{
    apr_array_header_t *owned = apr_array_make(w->p, 2, sizeof(po_request *));
    unsigned matched = 0;
    int i;

    for (i = 0; i < w->ndocuments; i++)
        if (w->documents[i].test == c->test && !strcmp(w->documents[i].order->order_id, c->order->order_id))
            matched |= w->documents[i].matched;
    for (i = 0; i < w->nrequests; i++)
        if (matched & (1u << i))
            APR_ARRAY_PUSH(owned, po_request *) = w->requests[i].r;
    return owned;
}

static void judge(sequence_world *w, const po_order_case *c, po_order_verdict *out)
{
    apr_array_header_t *known = apr_array_make(w->p, SEQUENCE_REQUESTS, sizeof(po_request *));
    int i;

    memset(out, 0, sizeof(*out));
    out->version = c->order->version ? c->order->version : "1";
    if (is_duplicate(w, c, out) || (c->type != PO_ORDER_NEW && !take_turn(w, c, out)))
        return;
    for (i = 0; i < w->nrequests; i++)
        APR_ARRAY_PUSH(known, po_request *) = w->requests[i].r;
    if (c->type == PO_ORDER_NEW)
        po_order_match_new(c->order, c->test, &w->buyer, known, w->now, &out->match, w->p);
    else if (c->type == PO_ORDER_UPDATE)
        po_order_match_update(c->order, c->test, &w->buyer, known, owned_by(w, c), w->now, &out->match, w->p);
    else
        po_order_cancel(c->order, c->test, owned_by(w, c), &out->match, w->p);
    out->status = out->match.status;
    out->detail = out->match.detail;
}

static void keep(sequence_world *w, const po_order_case *c, po_order_verdict *v, sequence_document *d)
{
    int i;

    for (i = 0; i < v->match.requests->nelts; i++) {
        sequence_request *s = po_sequence_find(w, APR_ARRAY_IDX(v->match.requests, i, po_request *)->id);
        po_order_outcome outcome = APR_ARRAY_IDX(v->match.outcomes, i, po_order_outcome);

        s->r->updated = w->now;
        if (outcome != PO_OUTCOME_NONE)
            tell_backend(w, s, outcome);
    }
}

static void change(sequence_world *w, sequence_request *s, po_order_outcome outcome)
{
    s->r->updated = w->now;
    if (outcome != PO_OUTCOME_NONE)
        tell_backend(w, s, outcome);
}

static int has_ordered(const po_request *r)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (APR_ARRAY_IDX(r->charges, i, po_charge).state == PO_CHARGE_ORDERED
            || APR_ARRAY_IDX(r->charges, i, po_charge).state == PO_CHARGE_PREAPPROVED)
            return 1;
    return 0;
}

/* settle.c of the delivery room */
static int may_settle(const po_request *r, po_order_outcome what)
{
    static const unsigned may = 1u << PO_STATE_APPROVED | 1u << PO_STATE_PARTLY_APPROVED | 1u << PO_STATE_DELIVERING
                                | 1u << PO_STATE_ACTIVE | 1u << PO_STATE_TESTED | 1u << PO_STATE_HELD
                                | 1u << PO_STATE_FAILED;

    if (r->state == PO_STATE_FAILED && (what == PO_OUTCOME_CHANGED || !has_ordered(r)))
        return 0;
    return (may & (1u << r->state)) != 0;
}

static void settle_ended(sequence_world *w, po_request *r, int refused)
{
    if (refused)
        r->reason = apr_psprintf(w->p, "%s%sThe seller's system refused the cancellation: %s", r->reason ? r->reason : "",
                                 r->reason ? ". " : "", SEQUENCE_REFUSAL);
}

static void settle(sequence_world *w, sequence_request *s, int event, int failed)
{
    po_order_outcome what = s->events[event].what;
    po_request *r = s->r;

    r->updated = w->now;
    if (!failed || r->told == PO_TOLD_UNANSWERED)
        r->told = PO_TOLD_TAKEN;
    if (!may_settle(r, what) || what == PO_OUTCOME_CANCELLED) {
        settle_ended(w, r, failed && what == PO_OUTCOME_CANCELLED);
        return;
    }
    if (failed) {
        if (what == PO_OUTCOME_APPROVED)
            r->state = (r->told > 1 && po_approvals_told_apart(r)) || r->state == PO_STATE_ACTIVE ? PO_STATE_HELD
                                                                                                  : PO_STATE_FAILED;
        if (r->state != PO_STATE_HELD || what == PO_OUTCOME_APPROVED)
            r->reason = SEQUENCE_REFUSAL;
        return;
    }
    r->state = po_state_when_ready(r, r->test || r->state == PO_STATE_TESTED);
    if (r->state != PO_STATE_HELD)
        r->reason = NULL;
}

/* decide.c of the delivery room */
static void drop(sequence_world *w, sequence_request *s, int event, po_order_outcome behind, int *rest)
{
    po_dropped_event e = { apr_psprintf(w->p, "event %d", event + 1), s->events[event].what, behind };
    po_decided out;

    po_request_drop_event(s->r, &e, rest, &out, w->p);
    s->r->updated = w->now;
    po_sequence_say(w, ": %s", out.said);
}

static void accept_event(sequence_world *w, sequence_request *s, int event)
{
    if (s->r->told > 1 && s->r->state != PO_STATE_APPROVED)
        return;
    s->r->told = s->r->state == PO_STATE_PARTLY_APPROVED ? PO_TOLD_UNANSWERED : PO_TOLD_TAKEN;
    if (s->r->state == PO_STATE_APPROVED)
        s->r->state = PO_STATE_DELIVERING;
    s->r->updated = w->now;
}

static void expire(sequence_world *w, apr_time_t deadline)
{
    int i, n;

    for (i = 0; i < w->nrequests; i++) {
        po_request *r = w->requests[i].r;

        if (r->state <= PO_STATE_REQUESTED && r->expires && r->expires <= w->now && !has_ordered(r)) {
            r->state = PO_STATE_EXPIRED;
            for (n = 0; n < r->charges->nelts; n++)
                if (po_approval_is_open(APR_ARRAY_IDX(r->charges, n, po_charge).state))
                    APR_ARRAY_IDX(r->charges, n, po_charge).state = PO_CHARGE_EXPIRED;
        } else if ((r->state == PO_STATE_DELIVERING
                    || (r->state == PO_STATE_PARTLY_APPROVED && r->told == PO_TOLD_UNANSWERED)) && r->updated < deadline) {
            r->state = PO_STATE_HELD;
            r->reason = PO_HELD_UNANSWERED;
        } else if (r->state == PO_STATE_PARTLY_APPROVED && r->expires && r->expires <= w->now) {
            po_request_expire_open(r, w->p);
            po_sequence_count(w, COUNT_HALF_EXPIRED);
        } else {
            continue;
        }
        r->updated = w->now;
    }
}

const sequence_store po_sequence_structs = { add, judge, keep, change, settle, accept_event, drop, expire, NULL };
