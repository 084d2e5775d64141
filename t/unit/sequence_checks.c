/* sequence_checks.c - random sequences: what holds after each step, written from design.md §5 and §7. */
#include "sequences.h"

#include <string.h>

/* ---- two states of a request ------------------------------------------------------------------------------------- */

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static const char *charge_difference(const po_charge *a, const po_charge *b, apr_pool_t *p)
{
    char x[PO_DECIMAL_TEXT], y[PO_DECIMAL_TEXT];

    if (a->state != b->state)
        return apr_psprintf(p, "charge %d is %s, not %s", a->line, po_charge_state_name(b->state),
                            po_charge_state_name(a->state));
    if (!same_text(a->order_id, b->order_id))
        return apr_psprintf(p, "charge %d is on order %s, not %s", a->line, b->order_id ? b->order_id : "-",
                            a->order_id ? a->order_id : "-");
    if (a->order_line != b->order_line || a->expires != b->expires)
        return apr_psprintf(p, "charge %d: order line or end", a->line);
    if (po_decimal_compare(&a->ordered, &b->ordered))
        return apr_psprintf(p, "charge %d: ordered %s, not %s", a->line, po_decimal_text(&b->ordered, 0, x),
                            po_decimal_text(&a->ordered, 0, y));
    if (a->line != b->line || !same_text(a->kind, b->kind) || !same_text(a->part, b->part)
        || !same_text(a->dimension, b->dimension) || !same_text(a->unit, b->unit) || !same_text(a->currency, b->currency)
        || !same_text(a->unspsc, b->unspsc) || !same_text(a->description, b->description)
        || po_decimal_compare(&a->quantity, &b->quantity) || po_decimal_compare(&a->unit_price, &b->unit_price))
        return apr_psprintf(p, "charge %d: what the cart said", a->line);
    return NULL;
}

const char *po_sequence_difference(const po_request *a, const po_request *b, apr_pool_t *p)
{
    const char *what = NULL;
    int i;

    if (a->state != b->state)
        return apr_psprintf(p, "it is %s, not %s", po_state_name(b->state), po_state_name(a->state));
    if (a->test != b->test || a->told != b->told)
        return "test or told";
    if (!same_text(a->reason, b->reason))
        return apr_psprintf(p, "reason \"%s\", not \"%s\"", b->reason ? b->reason : "", a->reason ? a->reason : "");
    if (a->updated != b->updated || a->expires != b->expires)
        return "updated or expires";
    if (!same_text(a->subscription, b->subscription) || !same_text(a->preapproved_by, b->preapproved_by))
        return "subscription or pre-approval";
    if (a->charges->nelts != b->charges->nelts)
        return "the number of charges";
    for (i = 0; i < a->charges->nelts && !what; i++)
        what = charge_difference(&APR_ARRAY_IDX(a->charges, i, po_charge), &APR_ARRAY_IDX(b->charges, i, po_charge), p);
    return what;
}

void po_sequence_remember(sequence_world *w)
{
    int i;

    for (i = 0; i < w->nrequests; i++) {
        sequence_request *s = &w->requests[i];
        apr_array_header_t *charges = s->before.charges;

        if (!charges)
            charges = apr_palloc(w->p, sizeof(*charges));
        s->is_new = s->decided = s->dropped = 0;
        s->before = *s->r;
        *charges = *s->r->charges;
        charges->elts = (char *)s->charges_before;
        memcpy(charges->elts, s->r->charges->elts, (apr_size_t)charges->nelts * sizeof(po_charge));
        s->before.charges = charges;
    }
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

#define S(name) (1u << PO_STATE_##name)

/* design.md §5: what may follow a state within one step. A request that is held or has failed waits for a person, whom an
 * answer of the backend to another event may forestall. Cancelled and ended are for good. */
static const unsigned may_follow[] = {
    [PO_STATE_DRAFT] = S(REQUESTED) | S(CANCELLED) | S(EXPIRED),
    [PO_STATE_REQUESTED] = S(PARTLY_APPROVED) | S(APPROVED) | S(TESTED) | S(HELD) | S(CANCELLED) | S(EXPIRED),
    [PO_STATE_PARTLY_APPROVED] = S(APPROVED) | S(TESTED) | S(HELD) | S(FAILED) | S(CANCELLED),
    [PO_STATE_APPROVED] = S(DELIVERING) | S(ACTIVE) | S(TESTED) | S(HELD) | S(FAILED) | S(CANCELLED),
    [PO_STATE_DELIVERING] = S(ACTIVE) | S(TESTED) | S(HELD) | S(FAILED) | S(CANCELLED),
    [PO_STATE_ACTIVE] = S(ENDED) | S(HELD) | S(CANCELLED),
    [PO_STATE_ENDED] = 0,
    [PO_STATE_TESTED] = S(HELD) | S(FAILED) | S(CANCELLED),
    [PO_STATE_HELD] = S(PARTLY_APPROVED) | S(ACTIVE) | S(TESTED) | S(FAILED) | S(CANCELLED),
    [PO_STATE_FAILED] = S(CANCELLED),
    [PO_STATE_CANCELLED] = 0,
    [PO_STATE_EXPIRED] = S(HELD) | S(CANCELLED)
};
#define STATES (sizeof(may_follow) / sizeof(may_follow[0]))

/* What the operator may make of a held request. */
static const unsigned may_be_decided = S(PARTLY_APPROVED) | S(APPROVED) | S(DELIVERING) | S(TESTED) | S(FAILED) | S(CANCELLED);

static const unsigned charge_may_follow[] = {
    [PO_CHARGE_REQUESTED] = 1u << PO_CHARGE_ORDERED | 1u << PO_CHARGE_CANCELLED | 1u << PO_CHARGE_EXPIRED
                            | 1u << PO_CHARGE_WITHDRAWN,
    [PO_CHARGE_ORDERED] = 1u << PO_CHARGE_CANCELLED,
    [PO_CHARGE_PREAPPROVED] = 0,
    [PO_CHARGE_CANCELLED] = 0,
    [PO_CHARGE_EXPIRED] = 1u << PO_CHARGE_ORDERED | 1u << PO_CHARGE_CANCELLED,
    [PO_CHARGE_WAITING] = 1u << PO_CHARGE_REQUESTED | 1u << PO_CHARGE_ORDERED | 1u << PO_CHARGE_CANCELLED | 1u << PO_CHARGE_EXPIRED
                          | 1u << PO_CHARGE_WITHDRAWN,
    [PO_CHARGE_WITHDRAWN] = 0
};
#define CHARGE_STATES (sizeof(charge_may_follow) / sizeof(charge_may_follow[0]))

static void check_state(sequence_world *w, const sequence_request *s)
{
    const po_request *r = s->r;
    po_state from = s->before.state;

    if ((unsigned)r->state >= STATES)
        po_sequence_wrong(w, "%s is in state %d, which is none", r->id, r->state);
    else if (s->is_new && r->state != PO_STATE_REQUESTED
             && !(r->preapproved_by && (r->state == PO_STATE_APPROVED || r->state == PO_STATE_TESTED)))
        po_sequence_wrong(w, "%s begins as %s", r->id, po_state_name(r->state));
    else if (!s->is_new && r->state != from
             && !((s->decided ? may_be_decided : may_follow[from]) & (1u << r->state)))
        po_sequence_wrong(w, "%s was %s and is %s", r->id, po_state_name(from), po_state_name(r->state));
    else if (!s->is_new && s->before.test && !r->test)
        po_sequence_wrong(w, "%s was a test and is none any more", r->id);
    if (!s->is_new && !s->before.test && r->test && from != PO_STATE_REQUESTED && from != PO_STATE_EXPIRED)
        po_sequence_wrong(w, "%s was %s in production and becomes a test", r->id, po_state_name(from));
    if (r->test && (r->state == PO_STATE_ACTIVE || r->state == PO_STATE_ENDED))
        po_sequence_wrong(w, "%s is a test and %s", r->id, po_state_name(r->state));
    if (!s->is_new && !s->dropped && s->before.told && !r->told)
        po_sequence_wrong(w, "%s: that the backend was told is forgotten", r->id);
}

/* The approval of a kind of charge is lost when some of it is cancelled and none is in: what is left was not asked for. */
static int lost_approval(const po_request *r)
{
    unsigned in = 0, cancelled = 0;
    int i;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);
        unsigned bit = po_sequence_approval_of(c);

        if (c->state == PO_CHARGE_ORDERED || c->state == PO_CHARGE_PREAPPROVED)
            in |= bit;
        else if (c->state != PO_CHARGE_WITHDRAWN)
            cancelled |= bit;
    }
    return (cancelled & ~in) != 0;
}

/* What a state says of its charges. */
static void check_state_of_charges(sequence_world *w, const sequence_request *s)
{
    const po_request *r = s->r;
    int i, in = 0, open = 0;

    for (i = 0; i < r->charges->nelts; i++) {
        po_charge_state c = APR_ARRAY_IDX(r->charges, i, po_charge).state;

        in += c == PO_CHARGE_ORDERED || c == PO_CHARGE_PREAPPROVED;
        open += c == PO_CHARGE_REQUESTED || c == PO_CHARGE_WAITING;
    }
    switch (r->state) {
    case PO_STATE_REQUESTED:
        if (in || !open)
            po_sequence_wrong(w, "%s is requested, but %d charges are in and %d open", r->id, in, open);
        break;
    case PO_STATE_PARTLY_APPROVED:
        if (!in || !open)
            po_sequence_wrong(w, "%s is partly approved, but %d charges are in and %d open", r->id, in, open);
        break;
    case PO_STATE_APPROVED: case PO_STATE_DELIVERING: case PO_STATE_ACTIVE: case PO_STATE_TESTED:
        if (!in || open)
            po_sequence_wrong(w, "%s is %s, but %d charges are in and %d open", r->id, po_state_name(r->state), in, open);
        if (!s->goes_on && lost_approval(r))
            po_sequence_wrong(w, "%s is %s without one of its approvals", r->id, po_state_name(r->state));
        if (!s->approvals)
            po_sequence_wrong(w, "%s is %s, and nobody was told", r->id, po_state_name(r->state));
        break;
    case PO_STATE_CANCELLED: case PO_STATE_EXPIRED:
        if (in || open)
            po_sequence_wrong(w, "%s is %s, but %d charges are in and %d open", r->id, po_state_name(r->state), in, open);
        if (r->state == PO_STATE_CANCELLED && r->told && !s->cancellations && s->before.state != PO_STATE_FAILED
            && s->before.state != PO_STATE_CANCELLED)
            po_sequence_wrong(w, "%s is cancelled, and the backend that knows of it was not told", r->id);
        break;
    default:
        break;
    }
}

/* The backend knows what is ordered, unless a person has yet to decide. */
static void check_told(sequence_world *w, const sequence_request *s)
{
    const po_request *r = s->r;
    int i;

    if (!s->nevents || (r->state != PO_STATE_APPROVED && r->state != PO_STATE_DELIVERING && r->state != PO_STATE_ACTIVE
                        && (r->state != PO_STATE_PARTLY_APPROVED || w->buyer.activate != PO_ACTIVATE_EACH)))
        return;
    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);
        int in = c->state == PO_CHARGE_ORDERED || c->state == PO_CHARGE_PREAPPROVED;

        if (r->state == PO_STATE_PARTLY_APPROVED && !(s->approved & po_sequence_approval_of(c)))
            continue;
        if (in != s->told_in[i] || (in && po_decimal_compare(po_charge_quantity(c), &s->told_quantity[i])))
            po_sequence_wrong(w, "%s: the backend was not told what became of charge %d", r->id, c->line);
    }
}

/* ---- charges and the documents behind them -------------------------------------------------------------------------- */

/* The line of the document that means the charge: by its number, else by what it is. One of quantity 0 is none. */
static const po_cxml_item *line_about(const po_cxml_order *o, const char *request, const po_charge *c, apr_pool_t *p)
{
    const char *auxiliary = apr_psprintf(p, "%s.%d", request, c->line);
    const po_cxml_item *unnamed = NULL;
    int i;

    for (i = 0; i < o->items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(o->items, i, po_cxml_item);

        if (!item->quantity.value)
            continue;
        if (item->auxiliary && !strcmp(item->auxiliary, auxiliary))
            return item;
        if (!item->auxiliary && same_text(item->part, c->part) && item->line == c->order_line
            && (!item->has_price || !po_decimal_compare(&item->unit_price, &c->unit_price)))
            unnamed = item;
    }
    return unnamed;
}

/* A charge becomes ordered by the document of this step alone, and only as the cart was, where the buyer wants it so. */
static void check_ordered(sequence_world *w, sequence_request *s, const po_charge *c)
{
    const po_cxml_order *o = w->taken ? w->taken->order : NULL;
    const po_cxml_item *item = o && c->order_id && !strcmp(c->order_id, o->order_id)
                               ? line_about(o, s->r->id, c, w->p) : NULL;

    if (!item || !strcmp(o->type, "delete")) {
        po_sequence_wrong(w, "charge %s.%d is ordered, but by no line of an order", s->r->id, c->line);
        return;
    }
    s->order_test[c->line - 1] = w->taken->test;
    if (w->taken->test && !s->r->test)
        po_sequence_wrong(w, "a test orders charge %s.%d, and %s is none", s->r->id, c->line, s->r->id);
    if (!item->auxiliary && !w->taken->test != !(s->is_new ? s->r : &s->before)->test)
        po_sequence_wrong(w, "a line without a number orders charge %s.%d of the other mode", s->r->id, c->line);
    if (item->ad_hoc && !item->auxiliary)
        po_sequence_wrong(w, "a line typed by hand orders charge %s.%d", s->r->id, c->line);
    if (po_decimal_compare(&c->ordered, &c->quantity))
        po_sequence_wrong(w, "charge %s.%d is ordered in another quantity than the cart's", s->r->id, c->line);
    if (w->taken->held || w->buyer.mismatch == PO_MISMATCH_ACCEPT)
        return;
    if (po_decimal_compare(&item->quantity, &c->quantity) || !same_text(item->part, c->part)
        || (item->has_price && (po_decimal_compare(&item->unit_price, &c->unit_price)
                                || !same_text(item->currency, c->currency))))
        po_sequence_wrong(w, "charge %s.%d is ordered by a line that differs from the cart", s->r->id, c->line);
}

/* Only its own order may change the quantity or cancel it; a cancelled charge keeps its order's name. */
static void check_still_ordered(sequence_world *w, sequence_request *s, const po_charge *before, const po_charge *now)
{
    const po_cxml_order *o = w->taken ? w->taken->order : NULL;
    int named = o && strcmp(o->type, "new") && same_text(o->order_id, before->order_id);
    int own = named && w->taken->test == s->order_test[now->line - 1];
    int changed = now->state != before->state || po_decimal_compare(&now->ordered, &before->ordered)
                  || !same_text(now->order_id, before->order_id);
    const po_cxml_item *item;

    if (s->decided && changed && now->state == PO_CHARGE_CANCELLED)
        return;
    if (changed && !own && !(named && s->r->test)) {    /* all of a test is test */
        po_sequence_wrong(w, "charge %s.%d of order %s is changed by something else", s->r->id, now->line, before->order_id);
        return;
    }
    if (!own || w->taken->awaits_release)
        return;
    item = strcmp(o->type, "delete") ? line_about(o, s->r->id, now, w->p) : NULL;
    if (now->state == PO_CHARGE_CANCELLED && (w->taken->held || (item && item->auxiliary)))
        po_sequence_wrong(w, "charge %s.%d is cancelled, but the order still names it or is held", s->r->id, now->line);
    if (now->state == PO_CHARGE_ORDERED && !w->taken->held
        && (!item || po_decimal_compare(&item->quantity, &now->ordered)))
        po_sequence_wrong(w, "charge %s.%d stays as it was, but the order says something else", s->r->id, now->line);
}

static void check_preapproved(sequence_world *w, const sequence_request *s, const po_charge *c)
{
    const char *pricing = s->r->pricing;
    unsigned bit = !strcmp(pricing, "free") ? PO_PREAPPROVE_FREE : !strcmp(pricing, "byol") ? PO_PREAPPROVE_BYOL : 0;

    if (!s->r->preapproved_by || !(w->buyer.preapprove & bit) || !po_decimal_is_zero(&c->unit_price))
        po_sequence_wrong(w, "charge %s.%d is pre-approved without a switch, or costs something", s->r->id, c->line);
}

static void check_charge(sequence_world *w, sequence_request *s, int n)
{
    const po_charge *c = &APR_ARRAY_IDX(s->r->charges, n, po_charge), *before = s->is_new ? NULL : &s->charges_before[n];

    if ((unsigned)c->state >= CHARGE_STATES) {
        po_sequence_wrong(w, "charge %s.%d is in state %d, which is none", s->r->id, c->line, c->state);
        return;
    }
    if (before && c->state != before->state && !(charge_may_follow[before->state] & (1u << c->state)))
        po_sequence_wrong(w, "charge %s.%d was %s and is %s", s->r->id, c->line, po_charge_state_name(before->state),
                          po_charge_state_name(c->state));
    if (before && before->state == PO_CHARGE_WAITING && c->state == PO_CHARGE_ORDERED
        && w->buyer.mismatch == PO_MISMATCH_REJECT && !(w->taken && w->taken->held))
        po_sequence_wrong(w, "charge %s.%d is ordered before its cart has gone back", s->r->id, c->line);
    if (strcmp(c->unspsc, "43232701") && (w->buyer.lines == PO_LINES_CLASSIC || strcmp(c->unspsc, "81162000")))
        po_sequence_wrong(w, "charge %s.%d has the UNSPSC %s", s->r->id, c->line, c->unspsc);
    if (c->state == PO_CHARGE_PREAPPROVED)
        check_preapproved(w, s, c);
    if (c->state == PO_CHARGE_ORDERED && po_charge_quantity(c)->value <= 0)
        po_sequence_wrong(w, "nothing is ordered of charge %s.%d, or less", s->r->id, c->line);
    if (before && before->state == PO_CHARGE_ORDERED)
        check_still_ordered(w, s, before, c);
    else if (c->state == PO_CHARGE_ORDERED)
        check_ordered(w, s, c);
}

static int all_in(const po_cxml_order *o, const char *currency)
{
    int i;

    for (i = 0; i < o->items->nelts; i++)
        if (!same_text(APR_ARRAY_IDX(o->items, i, po_cxml_item).currency, currency))
            return 0;
    return same_text(o->currency, currency);
}

/* What is ordered by this document costs no more than it says. An accepted difference is taken as if it were none. */
static void check_sum(sequence_world *w)
{
    const po_cxml_order *o = w->taken->order;
    po_decimal line, ordered = { 0, 0 }, said = { 0, 0 };
    int i, n;

    if (w->taken->held || w->taken->awaits_release || w->buyer.mismatch == PO_MISMATCH_ACCEPT || !strcmp(o->type, "delete"))
        return;
    for (i = 0; i < w->nrequests; i++)
        for (n = 0; n < w->requests[i].r->charges->nelts; n++) {
            const po_charge *c = &APR_ARRAY_IDX(w->requests[i].r->charges, n, po_charge);
            const po_cxml_item *item;

            if (!strcmp(o->type, "new") && w->requests[i].charges_before[n].state == PO_CHARGE_ORDERED)
                continue;               /* by an earlier document of this number */
            if (c->state != PO_CHARGE_ORDERED || strcmp(c->order_id, o->order_id)
                || w->requests[i].order_test[n] != w->taken->test || !(item = line_about(o, w->requests[i].r->id, c, w->p)))
                continue;
            po_decimal_multiply(&line, &c->ordered, &c->unit_price);
            po_decimal_add(&ordered, &ordered, &line);
            po_decimal_multiply(&line, &item->quantity, item->has_price ? &item->unit_price : &c->unit_price);
            po_decimal_add(&said, &said, &line);
        }
    if (po_decimal_compare(&ordered, &said) > 0)
        po_sequence_wrong(w, "more is ordered than order %s says", o->order_id);
    for (line = ordered; line.scale > 2; line.scale--)
        line.value /= 10;               /* a Total in cents may be less than one below */
    if (o->currency && all_in(o, "USD") && po_decimal_compare(&o->total, &line) < 0)
        po_sequence_wrong(w, "more is ordered than the Total of order %s", o->order_id);
}

/* NULL, or what a step has changed that may change nothing. A blanket order that awaits its releases keeps what it
 * names from expiring, and nothing else. */
static const char *changed(const sequence_world *w, const sequence_request *s)
{
    po_request before = s->before;

    if (w->taken && w->taken->awaits_release && !s->r->expires) {
        before.expires = 0;
        before.updated = s->r->updated;
    }
    return po_sequence_difference(&before, s->r, w->p);
}

/* A blanket order that awaits releases changes nothing but that its requests expire no more. */
static void check_blanket(sequence_world *w, const sequence_request *s)
{
    po_request expected = s->before;
    const char *difference;

    if (!w->taken || !w->taken->awaits_release)
        return;
    if (!s->r->expires) {
        expected.expires = 0;
        expected.updated = s->r->updated;
    }
    if ((difference = po_sequence_difference(&expected, s->r, w->p)))
        po_sequence_wrong(w, "%s is changed by a blanket order: %s", s->r->id, difference);
}

void po_sequence_check(sequence_world *w)
{
    const char *difference;
    int i, n;

    for (i = 0; i < w->nrequests && !w->wrong; i++) {
        sequence_request *s = &w->requests[i];

        if (!s->is_new && w->unchanged && (difference = changed(w, s))) {
            po_sequence_wrong(w, "%s is changed by a step that must not: %s", s->r->id, difference);
            return;
        }
        check_blanket(w, s);
        check_state(w, s);
        for (n = 0; n < s->r->charges->nelts && !w->wrong; n++)
            check_charge(w, s, n);
        check_state_of_charges(w, s);
        check_told(w, s);
        if (w->counts && s->r->state != s->before.state)
            w->counts[COUNT_TESTED] += s->r->state == PO_STATE_TESTED;
        if (w->counts && s->r->state != s->before.state)
            w->counts[COUNT_EXPIRED] += s->r->state == PO_STATE_EXPIRED;
    }
    if (w->taken && !w->wrong)
        check_sum(w);
}
