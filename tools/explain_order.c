/* explain_order.c - OrderRequest: each line beside the charge that it names in the ledger, and whether it came before.
 *
 * po_order_judge() decides, on requests that are read for this and thrown away: nothing is written.
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

/* As the ledger has it now; what the match made of it stands in m. */
static const char *state_now(const po_explanation *x, const po_request *r)
{
    po_request *now;

    if (po_request_get(x->ledger, r->site, r->id, x->pool, &now) != APR_SUCCESS)
        return "unknown";
    return po_state_name(now->state);
}

static void say_states(const po_explanation *x, const po_order_match *m)
{
    int i;

    for (i = 0; i < m->requests->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(m->requests, i, po_request *);

        if (m->status == 200)
            po_say(i ? "" : "requests", "%s: %s, would become %s", r->id, state_now(x, r), po_state_name(r->state));
        else
            po_say(i ? "" : "requests", "%s: stays %s", r->id, state_now(x, r));
    }
}

static void say_match(const po_explanation *x, const po_order_match *m)
{
    static const char *const mismatch[] = { "reject", "hold", "accept" };
    int i;

    for (i = 0; m->lines && i < m->lines->nelts; i++)
        say_line(&APR_ARRAY_IDX(m->lines, i, po_order_match_line), x->pool);
    say_detail(m->detail, x->pool);
    po_say("mismatch", "PunchOutOrderMismatch %s%s", mismatch[x->match.buyer->mismatch],
           m->held ? "; the order would be held" : "");
    if (m->awaits_release)
        po_say("blanket", "nothing is ordered until a release comes");
    if (m->requests)
        say_states(x, m);
}

/* ---- seen before ------------------------------------------------------------------------------------------------ */

static void say_before(const po_order_verdict *v)
{
    char when[PO_TIMESTAMP];

    if (!v->before)
        po_say("seen before", "no");
    else
        po_say("seen before", "yes, %s, type %s, version %s, as payloadID %s: %s",
               po_timestamp(v->before->received, when), v->before->type, v->before->version, v->before->payload_id,
               v->again ? "the same order, which is answered as before; nothing happens twice" : "with other content");
    if (v->reused)
        po_say("", "its payloadID came before with other content; it counts as a new document");
}

/* Without a ledger each line is one that names nothing. */
static void judge_alone(po_explanation *x, int test)
{
    po_order_match m;

    po_order_match_new(x->doc.order, test, x->match.buyer, apr_array_make(x->pool, 1, sizeof(po_request *)), x->now, &m,
                       x->pool);
    say_match(x, &m);
    x->status = m.status;
    x->detail = m.detail;
}

static void judge(po_explanation *x, po_order_type type, int test)
{
    char hex[2 * PO_DIGEST + 1];
    unsigned char digest[PO_DIGEST];
    po_order_case c = { x->site->public_url, x->match.buyer, x->doc.payload_id, x->doc.order, type, test, hex, x->now };
    po_order_verdict v;

    po_cxml_order_digest(x->crypto, x->doc.order, test, digest);
    po_hex(hex, digest, PO_DIGEST);
    if (po_order_judge(x->ledger, &c, &v, x->pool) != APR_SUCCESS) {
        po_say("ledger", "can't be read: %s", po_ledger_error(x->ledger));
        x->status = 560;
        x->detail = "The order can't be kept at the moment; send it again later";
        return;
    }
    say_before(&v);
    if (v.match.status)
        say_match(x, &v.match);
    x->status = v.status;
    x->detail = v.detail;
}

void po_explain_order(po_explanation *x)
{
    const po_cxml_order *o = x->doc.order;
    int test = x->doc.test || x->match.buyer->deployment == PO_DEPLOYMENT_TEST;
    po_order_type type;

    say_head(x);
    po_explain_mode(x);
    if (!po_order_type_find(o->type, &type)) {
        x->status = 450;
        x->detail = PO_ORDER_TYPES;
    }
    else if (x->ledger)
        judge(x, type, test);
    else
        judge_alone(x, test);
}
