/* sequence_steps.c - random sequences: what shoppers, buyers, the backend and the clock do, allowed or not. */
#include "sequences.h"

#include <string.h>

/* ---- shoppers -------------------------------------------------------------------------------------------------- */

static po_usage gb = { "gb", "GB ingested", "E34", { 25, 2 } }, hour = { "hour", "hour", "HUR", { 925, 4 } },
                atom = { "atom", "atom", "C62", { 1, 8 } };

static const po_offer offers[] = {
    { "p", "Keeper", NULL, "Keeper Ltd", NULL, NULL, NULL, "off-year", "contract", { 120000, 2 }, 1, "USD", "P12M", "EA" },
    { "q", "Lender", NULL, "Lender Ltd", NULL, NULL, NULL, "off-both", "contract", { 900, 0 }, 1, "USD", "P12M", "EA" },
    { "p", "Keeper", NULL, "Keeper Ltd", NULL, NULL, NULL, "off-payg", "usage", { 0, 0 }, 0, "USD", NULL, NULL },
    { "p", "Keeper", NULL, "Keeper Ltd", NULL, NULL, NULL, "off-free", "free", { 0, 0 }, 0, NULL, NULL, NULL },
    { "p", "Keeper", NULL, "Keeper Ltd", NULL, NULL, NULL, "off-byol", "byol", { 0, 0 }, 0, NULL, NULL, NULL },
    { "p", "Keeper", NULL, "Keeper Ltd", NULL, NULL, NULL, "off-try", "trial", { 0, 0 }, 0, NULL, "P14D", NULL },
    { "q", "Lender", NULL, "Lender Ltd", NULL, NULL, NULL, "off-yen", "contract", { 9800, 0 }, 1, "JPY", "P1M", "EA" },
    { "p", "Keeper", NULL, "Keeper Ltd", NULL, NULL, NULL, "off-dinar", "contract", { 12345, 3 }, 1, "KWD", "P1M", "EA" }
};
#define OFFER_OF_TWO 1                  /* approvals: off-both */
#define OFFERS ((int)(sizeof(offers) / sizeof(offers[0])))

static po_offer offer_of(sequence_world *w, int n)
{
    po_offer offer = offers[n];

    if (strcmp(offer.offer, "off-both") && strcmp(offer.offer, "off-payg"))
        return offer;
    offer.usage = apr_array_make(w->p, 3, sizeof(po_usage));
    APR_ARRAY_PUSH(offer.usage, po_usage) = gb;
    if (!strcmp(offer.offer, "off-payg")) {
        APR_ARRAY_PUSH(offer.usage, po_usage) = hour;
        APR_ARRAY_PUSH(offer.usage, po_usage) = atom;
    }
    return offer;
}

/* The form of a shopper; *legal: nothing of it is to be refused. */
static po_request_form form(sequence_world *w, const po_offer *offer, int *legal)
{
    static const char *const quantities[] = { NULL, "1", "3", "1000000", "0", "-1", "1.5", "1e9" };
    static const char *const budgets[] = { NULL, "100", "500.05", "1", "0", "-5", "0x10", "NaN" };
    static const char *const actions[] = { "new", "new", "renew", "change", "remove" };
    int bad = po_sequence_chance(w, 10), q = po_sequence_random(w, bad ? 8 : 4), b = po_sequence_random(w, bad ? 8 : 4);
    int a = po_sequence_random(w, bad ? 5 : 4);
    po_request_form f = { offer->offer, quantities[q], budgets[b], actions[a], a > 1 ? "sub-1" : NULL };

    /* one line that holds a sum needs one for usage */
    *legal = q < 4 && (!offer->usage || (b < 4 && (b || w->buyer.lines != PO_LINES_SINGLE))) && a < 4;
    return f;
}

static void shop(sequence_world *w, const char *replaces)
{
    po_offer offer = offer_of(w, po_sequence_chance(w, 30) ? OFFER_OF_TWO : po_sequence_random(w, OFFERS));
    sequence_request *s = &w->requests[w->nrequests];
    int legal, test = po_sequence_chance(w, 10);
    po_request_form f = form(w, &offer, &legal);
    const char *wrong;
    po_request *r;

    memset(s, 0, sizeof(*s));
    r = s->r = apr_pcalloc(w->p, sizeof(*r));
    wrong = po_cart_build(r, &offer, &f, &w->site, &w->buyer, w->p);
    po_sequence_say(w, "request %s, quantity %s, budget %s, %s%s%s", offer.offer, f.quantity ? f.quantity : "-",
                    f.budget ? f.budget : "-", f.action, replaces ? " in place of " : "", replaces ? replaces : "");
    if ((wrong == NULL) != legal)
        po_sequence_wrong(w, "the form is %s", legal ? wrong : "taken");
    if (wrong) {
        po_sequence_say(w, ": refused");
        po_sequence_count(w, COUNT_REFUSED_FORMS);
        return;
    }
    if (w->buyer.approvals == PO_APPROVALS_SEPARATE)
        po_request_separate(r);
    r->id = apr_psprintf(w->p, "req-%c", 'a' + w->nrequests++);
    r->site = w->site.public_url;
    r->buyer = w->buyer.name;
    r->organization = w->buyer.organization;
    r->session = r->id;
    r->test = test || w->buyer.deployment == PO_DEPLOYMENT_TEST;
    r->created = r->updated = w->now;
    r->expires = w->now + w->site.request_timeout;
    s->is_new = 1;
    po_sequence_say(w, " -> %s%s", r->id, r->test ? " (test)" : "");
    po_sequence_count(w, r->preapproved_by ? COUNT_PREAPPROVED : COUNT_REQUESTS);
    w->store->add(w, s);
}

static void step_shop(sequence_world *w)
{
    if (w->nrequests < SEQUENCE_REQUESTS)
        shop(w, NULL);
    else
        w->unchanged = 1;
}

static sequence_request *any_request(sequence_world *w)
{
    return w->nrequests ? &w->requests[po_sequence_random(w, w->nrequests)] : NULL;
}

/* The shopper returns with operation "edit" and requests something else: the new request takes the old one's place. */
static void step_edit(sequence_world *w)
{
    sequence_request *s = any_request(w);
    const char *refused;
    int i;

    w->unchanged = 1;
    if (!s || w->nrequests == SEQUENCE_REQUESTS)
        return;
    po_sequence_say(w, "edit %s: ", s->r->id);
    if ((refused = po_request_edit_refused(s->r, w->now, w->p))) {
        po_sequence_say(w, "refused (%s)", refused);
        return;
    }
    w->unchanged = 0;
    w->hand = 1;
    for (i = 0; i < s->r->charges->nelts; i++) {
        if (!po_approval_is_open(APR_ARRAY_IDX(s->r->charges, i, po_charge).state))
            po_sequence_wrong(w, "%s may be edited although charge %d is decided", s->r->id, i + 1);
        APR_ARRAY_IDX(s->r->charges, i, po_charge).state = PO_CHARGE_CANCELLED;
    }
    s->r->state = PO_STATE_CANCELLED;
    s->r->reason = "replaced";
    po_sequence_count(w, COUNT_EDITS);
    w->store->change(w, s, PO_OUTCOME_NONE);
    shop(w, s->r->id);
}

/* "Request the next approval", in a later punchout. */
static void step_continue(sequence_world *w)
{
    sequence_request *s = any_request(w);
    const char *refused, *kind;

    w->unchanged = 1;
    if (!s)
        return;
    refused = po_request_continue_refused(s->r, s->r->test, w->now, w->p);
    kind = refused ? NULL : po_request_continue(s->r, w->now + w->site.request_timeout);
    po_sequence_say(w, "the next approval of %s: %s", s->r->id, refused ? refused : kind);
    if (refused)
        return;
    w->unchanged = 0;
    w->hand = 1;
    po_sequence_count(w, COUNT_CONTINUED);
    w->store->change(w, s, PO_OUTCOME_NONE);
}

/* The requester cancels an approval, or the whole request. */
static void step_cancel(sequence_world *w)
{
    sequence_request *s = any_request(w);
    const char *kind, *scope, *refused;

    w->unchanged = 1;
    if (!s)
        return;
    kind = po_sequence_chance(w, 30) ? NULL
           : APR_ARRAY_IDX(s->r->charges, po_sequence_random(w, s->r->charges->nelts), po_charge).kind;
    scope = po_cancel_scope(s->r, kind, w->buyer.activate);
    refused = po_request_cancel(s->r, scope, "Cancelled by the requester", w->p);
    po_sequence_say(w, "the requester cancels %s of %s: %s", kind ? kind : "all", s->r->id, refused ? refused
                    : po_state_name(s->r->state));
    if (refused)
        return;
    w->unchanged = 0;
    w->hand = 1;
    if (s->r->state != PO_STATE_CANCELLED)
        po_sequence_count(w, COUNT_WITHDRAWN);
    w->store->change(w, s, PO_OUTCOME_NONE);
}

/* ---- purchase orders ------------------------------------------------------------------------------------------- */

static po_cxml_item *add_line(po_cxml_order *o, const char *auxiliary, const po_charge *c)
{
    po_cxml_item *item = apr_array_push(o->items);

    memset(item, 0, sizeof(*item));
    item->line = o->items->nelts;
    item->auxiliary = auxiliary;
    item->part = c->part;
    item->quantity = *po_charge_quantity(c);
    item->unit_price = c->unit_price;
    item->has_price = item->has_detail = 1;
    item->currency = c->currency;
    item->unit = c->unit;
    return item;
}

/* Something that is not as the cart was. */
static void spoil(sequence_world *w, po_cxml_item *item)
{
    static const char *const auxiliaries[] = { "req-a.9", "req-b.1 (copy)", "req-zzz.1", "REQ-A.1", "req-a.01", "4711" };
    static const po_decimal more = { 1, 2 }, less = { -1, 2 };
    int what = po_sequence_random(w, 13);

    switch (what) {
    case 0: po_decimal_add(&item->unit_price, &item->unit_price, &more); break;
    case 1: po_decimal_add(&item->unit_price, &item->unit_price, &less); break;
    case 2: po_decimal_add(&item->quantity, &item->quantity, &more); break;
    case 3: item->quantity.value = item->quantity.value / 2; break;
    case 4: item->quantity.value = -item->quantity.value; break;
    case 5: item->quantity.value = 0; break;
    case 6: item->unit = "BX"; break;
    case 7: item->part = "off-other"; break;
    case 8: item->currency = "EUR"; break;
    case 9: item->auxiliary = auxiliaries[po_sequence_random(w, 6)]; break;
    case 10: item->auxiliary = NULL; break;
    case 11: item->has_price = 0; item->has_detail = po_sequence_random(w, 2); break;
    case 12: item->ad_hoc = 1; item->auxiliary = NULL; break;
    }
    po_sequence_say(w, " (spoilt: %d)", what);
}

static void add_lines_of(sequence_world *w, po_cxml_order *o, const sequence_request *s, int percent)
{
    unsigned only = po_sequence_chance(w, 30) ? 1u << po_sequence_random(w, 2) : 0;     /* one of its approvals */
    int i;

    for (i = 0; i < s->r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(s->r->charges, i, po_charge);

        if (only && !(only & po_sequence_approval_of(c)))
            continue;
        if (c->state == PO_CHARGE_WAITING && po_sequence_chance(w, 80))
            continue;
        if (po_sequence_chance(w, percent))
            add_line(o, apr_psprintf(w->p, "%s.%d", s->r->id, c->line), c);
    }
}

static int is_on(const po_charge *c, const po_cxml_order *o)
{
    return c->state == PO_CHARGE_ORDERED && c->order_id && !strcmp(c->order_id, o->order_id);
}

/* An update is the whole order again: what is on it, in other quantities or left out, and maybe more. */
static void add_own_lines(sequence_world *w, po_cxml_order *o)
{
    int i, n;

    for (i = 0; i < w->nrequests; i++)
        for (n = 0; n < w->requests[i].r->charges->nelts; n++) {
            const po_charge *c = &APR_ARRAY_IDX(w->requests[i].r->charges, n, po_charge);
            po_cxml_item *item;

            if (!is_on(c, o) || po_sequence_chance(w, 15))
                continue;
            item = add_line(o, apr_psprintf(w->p, "%s.%d", w->requests[i].r->id, c->line), c);
            if (po_sequence_chance(w, 40))
                item->quantity.value = 1 + po_sequence_random(w, 9);
        }
}

static void total_of(sequence_world *w, po_cxml_order *o)
{
    po_decimal line, sum = { 0, 0 }, half = { 5, 1 };
    int i, how = po_sequence_random(w, 10);

    if (how < 5)
        return;                         /* none */
    for (i = 0; i < o->items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(o->items, i, po_cxml_item);

        if (po_decimal_multiply(&line, &item->quantity, &item->unit_price) == APR_SUCCESS)
            po_decimal_add(&sum, &sum, &line);
        o->currency = item->currency;
    }
    if (how == 8)
        sum.value = sum.value * 2;
    if (how == 9)                       /* exactly half, however many decimals the sum is kept with */
        po_decimal_multiply(&sum, &sum, &half);
    o->total = sum;
}

static void add_foreign_lines(sequence_world *w, po_cxml_order *o)
{
    if (po_sequence_chance(w, 4) && o->items->nelts) {
        po_cxml_item again = APR_ARRAY_IDX(o->items, po_sequence_random(w, o->items->nelts), po_cxml_item);

        again.line = o->items->nelts + 1;
        APR_ARRAY_PUSH(o->items, po_cxml_item) = again;
        po_sequence_say(w, " (a line twice)");
    }
    if (po_sequence_chance(w, 2) || !o->items->nelts) {
        static const po_charge strange = { 1, "contract", NULL, "off-year", "", "EA", "", "USD", { 1, 0 }, { 120000, 2 } };

        add_line(o, po_sequence_chance(w, 50) ? "req-zzz.1" : NULL, &strange);
    }
}

static po_cxml_order *new_document(sequence_world *w, po_order_type type)
{
    static const char *const ids[] = { "PO-1", "PO-2", "PO-3" }, *const versions[] = { "1", "2", "3", "10", "A" };
    static const char *const types[] = { "new", "update", "delete" };
    po_cxml_order *o = apr_pcalloc(w->p, sizeof(*o));

    o->type = types[type];
    o->order_id = ids[po_sequence_random(w, 3)];
    if (po_sequence_chance(w, 30))
        o->version = versions[po_sequence_random(w, 5)];
    if (po_sequence_chance(w, 3)) {
        o->order_type = "blanket";
        o->release_required = po_sequence_random(w, 2);
    }
    if (type != PO_ORDER_NEW && po_sequence_chance(w, 20) && w->ndocuments)
        o->refers_to = w->documents[po_sequence_random(w, w->ndocuments)].payload_id;
    o->items = apr_array_make(w->p, 4, sizeof(po_cxml_item));
    return o;
}

static po_cxml_order *make_document(sequence_world *w, po_order_type type)
{
    po_cxml_order *o = new_document(w, type);
    sequence_request *s = any_request(w);
    int whole = po_sequence_chance(w, 60);

    po_sequence_say(w, "order %s %s%s%s%s", o->order_id, o->type, o->version ? " version " : "", o->version ? o->version : "",
                    o->release_required ? " (awaits releases)" : o->order_type ? " (blanket)" : "");
    if (type == PO_ORDER_DELETE)
        return o;
    if (type == PO_ORDER_UPDATE)
        add_own_lines(w, o);
    if (s && (type == PO_ORDER_NEW || po_sequence_chance(w, 20)))
        add_lines_of(w, o, s, whole ? 100 : 50);
    if (po_sequence_chance(w, 20) && any_request(w) && (s = any_request(w)))
        add_lines_of(w, o, s, 100);
    if (po_sequence_chance(w, 30) && o->items->nelts)
        spoil(w, &APR_ARRAY_IDX(o->items, po_sequence_random(w, o->items->nelts), po_cxml_item));
    add_foreign_lines(w, o);
    total_of(w, o);
    return o;
}

static void trace_lines(sequence_world *w, const po_cxml_order *o)
{
    char quantity[PO_DECIMAL_TEXT], price[PO_DECIMAL_TEXT];
    int i;

    for (i = 0; w->tracing && i < o->items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(o->items, i, po_cxml_item);

        po_sequence_say(w, "%s%s %s %s x %s %s", i ? ", " : ": ", item->auxiliary ? item->auxiliary : "-", item->part,
                        po_decimal_text(&item->quantity, 0, quantity),
                        item->has_price ? po_decimal_text(&item->unit_price, 0, price) : "(no price)", item->currency);
    }
    if (o->currency)
        po_sequence_say(w, "; Total %s %s", po_decimal_text(&o->total, 0, price), o->currency);
    if (o->refers_to)
        po_sequence_say(w, "; about %s", o->refers_to);
}

static unsigned matched_of(sequence_world *w, const po_order_verdict *v)
{
    unsigned bits = 0;
    int i;

    for (i = 0; v->match.lines && i < v->match.lines->nelts; i++) {
        const po_order_match_line *l = &APR_ARRAY_IDX(v->match.lines, i, po_order_match_line);

        if (l->request)
            bits |= 1u << (po_sequence_find(w, l->request->id) - w->requests);
    }
    return bits;
}

static void count_verdict(sequence_world *w, const po_order_case *c, const po_order_verdict *v)
{
    po_sequence_count(w, v->again ? COUNT_AGAIN : v->status != 200 ? COUNT_REFUSED : v->match.held ? COUNT_HELD : COUNT_TAKEN);
    if (v->status == 200 && !v->again && c->type != PO_ORDER_NEW)
        po_sequence_count(w, c->type == PO_ORDER_UPDATE ? COUNT_UPDATES : COUNT_DELETES);
}

/* A held document tells nobody anything, and one that orders nothing changes nothing. */
static void check_verdict(sequence_world *w, const po_order_verdict *v)
{
    int i;

    if (v->status != 200 && v->status != 409 && v->status != 417)
        po_sequence_wrong(w, "an order is answered %d", v->status);
    if (v->status != 200 && v->match.requests && v->match.requests->nelts)
        po_sequence_wrong(w, "a refused order changes requests");
    for (i = 0; v->match.held && i < v->match.outcomes->nelts; i++)
        if (APR_ARRAY_IDX(v->match.outcomes, i, po_order_outcome) != PO_OUTCOME_NONE)
            po_sequence_wrong(w, "a held order has an outcome");
}

/* Documents about an order are taken in the order of their versions, and none after its deletion. */
static void check_turn(sequence_world *w, const sequence_document *d)
{
    const sequence_document *last = NULL;
    int i, order;

    for (i = 0; i < w->ndocuments; i++)
        if (w->documents[i].test == d->test && !strcmp(w->documents[i].order->order_id, d->order->order_id))
            last = &w->documents[i];
    if (!last) {
        if (strcmp(d->order->type, "new"))
            po_sequence_wrong(w, "%s of an order that nobody has sent", d->order->type);
        return;
    }
    order = po_order_version_compare(d->version, last->version);
    if (order < 0 || (!order && strcmp(d->order->type, "delete")))
        po_sequence_wrong(w, "version %s is taken after version %s", d->version, last->version);
    if (!strcmp(last->order->type, "delete") && strcmp(d->order->type, "new"))
        po_sequence_wrong(w, "%s of an order that was deleted", d->order->type);
}

static void send_document(sequence_world *w, const po_cxml_order *order, const char *payload_id, int test)
{
    sequence_document *d = &w->documents[w->ndocuments];
    po_order_case c = { w->site.public_url, &w->buyer, payload_id, order, PO_ORDER_NEW, test, d->digest, w->now };
    unsigned char digest[PO_DIGEST];
    po_order_verdict v;

    memset(d, 0, sizeof(*d));
    po_order_type_find(order->type, &c.type);
    po_cxml_order_digest(w->crypto, order, test, digest);
    po_hex(d->digest, digest, PO_DIGEST);
    w->store->judge(w, &c, &v);
    po_sequence_say(w, " -> %d%s%s%s%s", v.status, v.again ? " again" : "", v.match.held ? " held" : "",
                    v.detail ? ": " : "", v.detail ? v.detail : "");
    count_verdict(w, &c, &v);
    check_verdict(w, &v);
    if (v.status != 200 || v.again) {
        w->unchanged = 1;
        return;
    }
    d->order = order;
    d->payload_id = payload_id;
    d->version = v.version;
    d->test = test;
    d->held = v.match.held;
    d->awaits_release = v.match.awaits_release;
    d->status = v.status;
    d->matched = matched_of(w, &v);
    w->unchanged = 0;
    check_turn(w, d);
    w->taken = d;
    w->ndocuments++;
    w->store->keep(w, &c, &v, d);
}

static void send_new_document(sequence_world *w, po_order_type type)
{
    int test = w->buyer.deployment == PO_DEPLOYMENT_TEST || po_sequence_chance(w, 8);
    const po_cxml_order *o = make_document(w, type);
    const char *payload = apr_psprintf(w->p, "doc-%d", w->payloads++);

    /* some systems number their documents anew */
    if (po_sequence_chance(w, 2) && w->ndocuments)
        payload = w->documents[po_sequence_random(w, w->ndocuments)].payload_id;
    trace_lines(w, o);
    po_sequence_say(w, " (%s%s)", payload, test ? ", test" : "");
    send_document(w, o, payload, test);
}

static void step_order(sequence_world *w)
{
    send_new_document(w, PO_ORDER_NEW);
}

static void step_update(sequence_world *w)
{
    send_new_document(w, PO_ORDER_UPDATE);
}

static void step_delete(sequence_world *w)
{
    send_new_document(w, PO_ORDER_DELETE);
}

/* A retry: the same document, or the same content in another one. */
static void step_again(sequence_world *w)
{
    const sequence_document *d;
    const char *payload;

    w->unchanged = 1;
    if (!w->ndocuments)
        return;
    d = &w->documents[po_sequence_random(w, w->ndocuments)];
    payload = po_sequence_chance(w, 50) ? d->payload_id : apr_psprintf(w->p, "doc-%d", w->payloads++);
    po_sequence_say(w, "%s of %s again (%s)", d->order->type, d->order->order_id, payload);
    send_document(w, d->order, payload, d->test);
}

/* ---- the backend, and time ------------------------------------------------------------------------------------------ */

/* What is behind the event goes to nobody. */
static void give_up_behind(sequence_world *w, sequence_request *s, int event)
{
    int i;

    for (i = event + 1; i < s->nevents; i++)
        if (!s->events[i].done && !s->events[i].accepted) {
            s->events[i].done = s->events[i].given_up = 1;
            po_sequence_count(w, COUNT_GIVEN_UP);
        }
}

/* design.md §7: a backend that has refused the first event knows of nothing. */
static void answer_event(sequence_world *w, sequence_request *s, int event, int failed)
{
    s->events[event].done = 1;
    w->store->settle(w, s, event, failed);
    if (failed && s->events[event].what == PO_OUTCOME_APPROVED
        && (s->r->told < 2 || (s->r->state == PO_STATE_FAILED && s->before.state != PO_STATE_FAILED)))
        give_up_behind(w, s, event);
}

static int next_event(const sequence_request *s)
{
    int i;

    for (i = 0; i < s->nevents && (s->events[i].done || s->events[i].accepted); i++)
        ;
    return i;
}

/* The next event of a request is delivered: each has one answer that ends it, but for 202. */
static void step_deliver(sequence_world *w)
{
    sequence_request *s = any_request(w);
    int i, how = po_sequence_random(w, 8);

    w->unchanged = 1;
    i = s ? next_event(s) : 0;
    if (!s || i == s->nevents)
        return;
    po_sequence_say(w, "event %d of %s: %s", i + 1, s->r->id, how == 0 ? "no answer" : how == 1 ? "refused" :
                    how < 4 ? "accepted" : "done");
    if (how == 0)
        return;
    w->unchanged = 0;
    w->hand = 1;
    if (how > 1 && how < 4) {
        s->events[i].accepted = 1;
        w->store->accept(w, s, i);
        return;
    }
    if (how == 1)
        po_sequence_count(w, COUNT_FAILED);
    answer_event(w, s, i, how == 1);
}

/* fulfilled/EVENT-ID, whose token came with the event: at any time after it, and more than once */
static void step_late_answer(sequence_world *w)
{
    sequence_request *s = any_request(w);
    int i, failed = po_sequence_chance(w, 25);

    w->unchanged = 1;
    if (!s || !s->nevents)
        return;
    i = po_sequence_random(w, s->nevents);
    if ((!s->events[i].done && !s->events[i].accepted) || s->events[i].given_up)
        return;
    po_sequence_say(w, "late answer to event %d of %s: %s", i + 1, s->r->id, failed ? "failed" : "active");
    if (s->events[i].done)
        return;                         /* said before, or 409 */
    w->unchanged = 0;
    w->hand = 1;
    po_sequence_count(w, COUNT_LATE);
    answer_event(w, s, i, failed);
}

static void step_end(sequence_world *w)
{
    sequence_request *s = any_request(w);

    w->unchanged = 1;
    if (!s || s->r->state != PO_STATE_ACTIVE)
        return;
    po_sequence_say(w, "the subscription of %s ends", s->r->id);
    po_sequence_count(w, COUNT_ENDED);
    w->unchanged = 0;
    w->hand = 1;
    s->r->state = PO_STATE_ENDED;
    w->store->change(w, s, PO_OUTCOME_NONE);
}

static void step_time(sequence_world *w)
{
    int days = po_sequence_chance(w, 30) ? 31 : po_sequence_random(w, 3);

    po_sequence_say(w, "%d days pass", days);
    w->hand = 1;
    w->now += apr_time_from_sec(days * 86400 + 1);
    if (po_sequence_chance(w, 70))      /* else a document may be faster than the clock's own work */
        w->store->expire(w, w->now - apr_time_from_sec(7 * 86400));
}

/* ---- the operator ------------------------------------------------------------------------------------------------ */

/* punchoutctl orders release|refuse. left_out: what a held update would have cancelled. */
static void step_decide(sequence_world *w)
{
    sequence_request *s = any_request(w);
    apr_array_header_t *left_out = NULL;
    po_decided out;
    int release = po_sequence_chance(w, 70);

    w->unchanged = 1;
    if (!s)
        return;
    if (po_sequence_chance(w, 30)) {
        left_out = apr_array_make(w->p, 1, sizeof(int));
        APR_ARRAY_PUSH(left_out, int) = 1 + po_sequence_random(w, s->r->charges->nelts);
    }
    if (release)
        po_request_release(s->r, left_out, w->buyer.activate == PO_ACTIVATE_EACH, &out, w->p);
    else
        po_request_refuse(s->r, NULL, &out, w->p);
    po_sequence_say(w, "the operator %s %s%s: %s", release ? "releases" : "refuses", s->r->id,
                    left_out ? " but for a line" : "", out.said);
    if (out.carried_out && s->before.state != PO_STATE_HELD)
        po_sequence_wrong(w, "the operator decides about %s, which was not held", s->r->id);
    if (!out.carried_out)
        return;
    w->unchanged = 0;
    w->hand = 1;
    s->decided = 1;
    s->goes_on |= release;
    po_sequence_count(w, release ? COUNT_RELEASED : COUNT_OPERATOR_REFUSED);
    w->store->change(w, s, out.outcome);
}

/* punchoutctl outbox drop: of the event that is next. */
static void step_drop(sequence_world *w)
{
    sequence_request *s = any_request(w);
    po_order_outcome behind = PO_OUTCOME_NONE;
    int i, n, rest;

    w->unchanged = 1;
    i = s ? next_event(s) : 0;
    if (!s || i == s->nevents)
        return;
    po_sequence_say(w, "event %d of %s is dropped", i + 1, s->r->id);
    for (n = i + 1; n < s->nevents; n++)
        if (!s->events[n].done && !s->events[n].accepted)
            behind = s->events[n].what;
    w->unchanged = 0;
    w->hand = 1;
    s->dropped = 1;
    po_sequence_count(w, COUNT_DROPPED);
    s->events[i].done = s->events[i].given_up = 1;
    w->store->drop(w, s, i, behind, &rest);
    s->approved &= ~s->events[i].approved;
    if (!rest)
        return;
    give_up_behind(w, s, i);
    s->approved = 0;
    s->approvals = s->cancellations = 0;
}

/* ---- which ------------------------------------------------------------------------------------------------------ */

static const struct {
    void (*run)(sequence_world *w);
    int weight;
} steps[] = {
    { step_shop, 20 }, { step_edit, 4 }, { step_order, 28 }, { step_update, 14 }, { step_delete, 5 }, { step_again, 5 },
    { step_deliver, 14 }, { step_late_answer, 5 }, { step_end, 1 }, { step_time, 4 }, { step_decide, 8 },
    { step_continue, 8 }, { step_cancel, 4 }, { step_drop, 3 }
};
#define KINDS (sizeof(steps) / sizeof(steps[0]))

void po_sequence_step(sequence_world *w)
{
    int all = 0, n;
    apr_size_t i;

    for (i = 0; i < KINDS; i++)
        all += steps[i].weight;
    n = po_sequence_random(w, all);
    for (i = 0; n >= steps[i].weight; i++)
        n -= steps[i].weight;
    if (w->tracing)
        APR_ARRAY_PUSH(w->trace, const char *) = "";
    po_sequence_count(w, COUNT_STEPS);
    w->taken = NULL;
    w->unchanged = w->hand = 0;
    steps[i].run(w);
}
