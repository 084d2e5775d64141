/* explain_order.c - OrderRequest: each line beside the charge that it names in the ledger, and whether it came before.
 *
 * po_order_match_new() decides, on requests that are read for this and thrown away: nothing is written.
 */
#include "tools.h"

#include <string.h>
#include <strings.h>

static const char *number(const po_decimal *d, int decimals, apr_pool_t *p)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrdup(p, po_decimal_text(d, decimals, text));
}

static const char *amount(const po_decimal *quantity, const po_decimal *price, const char *currency, apr_pool_t *p)
{
    return apr_psprintf(p, "%s x %s %s", number(quantity, 0, p), number(price, 2, p),
                        currency ? currency : "(no currency)");
}

static void say_head(const po_explanation *x)
{
    const po_cxml_order *o = x->doc.order;

    po_say("order", "%s, type %s, version %s, %s", o->order_id, o->type,
           o->version && *o->version ? o->version : "1 (none given)",
           o->order_type && *o->order_type ? o->order_type : "regular");
    po_say("total", "%s %s, %d line%s", number(&o->total, 2, x->pool), o->currency ? o->currency : "(no currency)",
           o->items->nelts, o->items->nelts == 1 ? "" : "s");
}

/* ---- each line -------------------------------------------------------------------------------------------------- */

static void say_charge(const po_order_match_line *l, apr_pool_t *p)
{
    const po_charge *c = l->charge;

    if (!l->request)
        po_say("", "names no request that is known here");
    else if (!c)
        po_say("", "request %s has no such charge", l->request->id);
    else
        po_say("", "request %s, charge %d: %s, %s (%s%s)", l->request->id, c->line, c->part,
               amount(&c->quantity, &c->unit_price, c->currency, p), c->kind, c->dimension ? " of usage" : "");
}

static void say_line(const po_order_match_line *l, apr_pool_t *p)
{
    const po_cxml_item *i = l->item;

    po_say(apr_psprintf(p, "line %d", i->line), "%s, %s%s%s", i->part && *i->part ? i->part : "(no part)",
           i->has_price ? amount(&i->quantity, &i->unit_price, i->currency, p)
                        : apr_pstrcat(p, number(&i->quantity, 0, p), " without a price", NULL),
           i->auxiliary && *i->auxiliary ? ", auxiliary id " : ", no auxiliary id",
           i->auxiliary && *i->auxiliary ? i->auxiliary : "");
    say_charge(l, p);
}

/* The detail's sentences are joined by "; ". */
static void say_detail(const char *detail, apr_pool_t *p)
{
    const char *label = "differs", *end;

    for (; detail && *detail; detail = end ? end + 2 : NULL) {
        end = strstr(detail, "; ");
        po_say(label, "%s", end ? apr_pstrmemdup(p, detail, (apr_size_t)(end - detail)) : detail);
        label = "";
    }
}

static void say_states(const po_order_match *m, const apr_array_header_t *known, const po_state *before)
{
    int i, k;

    for (i = 0; i < m->requests->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(m->requests, i, po_request *);

        for (k = 0; k < known->nelts - 1 && APR_ARRAY_IDX(known, k, po_request *) != r; k++)
            ;
        if (m->status == 200)
            po_say(i ? "" : "requests", "%s: %s, would become %s", r->id, po_state_name(before[k]),
                   po_state_name(r->state));
        else
            po_say(i ? "" : "requests", "%s: stays %s", r->id, po_state_name(before[k]));
    }
}

static void match(po_explanation *x, int test)
{
    static const char *const mismatch[] = { "reject", "hold", "accept" };
    apr_array_header_t *known = apr_array_make(x->pool, 2, sizeof(po_request *));
    const po_buyer *b = x->match.buyer;
    po_order_match m;
    po_state *before;
    int i;

    if (x->ledger && po_requests_of_items(x->ledger, x->site->public_url, b->name, x->doc.order->items, 1, x->pool,
                                          known) != APR_SUCCESS)
        po_say("ledger", "can't be read: %s", po_ledger_error(x->ledger));
    before = apr_palloc(x->pool, sizeof(*before) * (apr_size_t)(known->nelts + 1));
    for (i = 0; i < known->nelts; i++)
        before[i] = APR_ARRAY_IDX(known, i, po_request *)->state;
    po_order_match_new(x->doc.order, test, b, known, x->now, &m, x->pool);
    for (i = 0; i < m.lines->nelts; i++)
        say_line(&APR_ARRAY_IDX(m.lines, i, po_order_match_line), x->pool);
    say_detail(m.detail, x->pool);
    po_say("mismatch", "PunchOutOrderMismatch %s%s", mismatch[b->mismatch], m.held ? "; the order would be held" : "");
    say_states(&m, known, before);
    x->status = m.status;
    x->detail = m.detail;
}

/* ---- seen before ------------------------------------------------------------------------------------------------ */

/* 1: it was, and status is set. */
static int seen_before(po_explanation *x, int test)
{
    const po_cxml_order *o = x->doc.order;
    unsigned char digest[PO_DIGEST];
    char hex[2 * PO_DIGEST + 1], when[PO_TIMESTAMP];
    po_order_record *rec;
    apr_status_t rv;
    int same;

    if (!x->ledger)
        return 0;
    po_cxml_order_digest(x->crypto, o, test, digest);
    po_hex(hex, digest, PO_DIGEST);
    rv = po_order_find(x->ledger, x->site->public_url, x->match.buyer->name, x->doc.payload_id, hex, test, o->order_id,
                       o->version && *o->version ? o->version : "1", x->pool, &rec, &same);
    if (rv != APR_SUCCESS) {
        po_say("seen before", rv == APR_NOTFOUND ? "no" : "the ledger can't be read");
        return 0;
    }
    po_say("seen before", "yes, %s, as payloadID %s: %s", po_timestamp(rec->received, when), rec->payload_id,
           same ? "the same order, which is answered as before; nothing happens twice" : "with other content");
    x->status = same ? rec->status : 409;
    x->detail = same ? rec->detail : "the order was received before with other content";
    return 1;
}

void po_explain_order(po_explanation *x)
{
    const po_cxml_order *o = x->doc.order;
    int test = x->doc.test || x->match.buyer->deployment == PO_DEPLOYMENT_TEST;

    say_head(x);
    po_explain_mode(x);
    if (strcmp(o->type, "new")) {
        x->status = 450;
        x->detail = "only orders of type \"new\" are taken";
        return;
    }
    if (!seen_before(x, test))
        match(x, test);
}
