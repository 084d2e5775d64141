/* event.c - what the fulfillment backend is told: CloudEvents 1.0 structured JSON (design.md §7).
 *
 * Written straight into a buffer: it is made inside the ledger's transaction, where a tree of jansson objects for the
 * same text would take several times as long.
 */
#include "market/market_private.h"

#include <string.h>

#define EVENT_ROOM 2048

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* The length of the UTF-8 character at s, 0 when it is broken (RFC 3629: no overlong forms, no surrogates). */
static int character(const unsigned char *s)
{
    unsigned low = 0x80, high = 0xbf;
    int len, i;

    if (*s < 0x80)
        return 1;
    len = *s >= 0xc2 && *s <= 0xdf ? 2 : (*s & 0xf0) == 0xe0 ? 3 : *s >= 0xf0 && *s <= 0xf4 ? 4 : 0;
    if (*s == 0xe0)
        low = 0xa0;
    else if (*s == 0xed)
        high = 0x9f;
    else if (*s == 0xf0)
        low = 0x90;
    else if (*s == 0xf4)
        high = 0x8f;
    for (i = 1; i < len; i++, low = 0x80, high = 0xbf)
        if (s[i] < low || s[i] > high)
            return 0;
    return len;
}

static void add_escape(po_buffer *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[7] = { '\\', 'u', '0', '0' };

    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        po_buffer_add(b, text, 2);
        return;
    }
    text[4] = hex[c >> 4];
    text[5] = hex[c & 15];
    po_buffer_add(b, text, 6);
}

/* A JSON string, null for NULL. Broken UTF-8 becomes U+FFFD. */
static void add_text(po_buffer *b, const char *text)
{
    const char *from = text, *s = text;

    if (!text) {
        po_buffer_lit(b, "null");
        return;
    }
    po_buffer_lit(b, "\"");
    while (*s) {
        unsigned char c = (unsigned char)*s;
        int len = c < 0x80 ? 1 : character((const unsigned char *)s);

        if (len && c >= 0x20 && c != '"' && c != '\\') {
            s += len;
            continue;
        }
        po_buffer_add(b, from, (apr_size_t)(s - from));
        if (len)
            add_escape(b, c);
        else
            po_buffer_lit(b, "\xef\xbf\xbd");
        from = ++s;
    }
    po_buffer_add(b, from, (apr_size_t)(s - from));
    po_buffer_lit(b, "\"");
}

#define add_member(b, literal, value) (po_buffer_lit((b), literal), add_text((b), (value)))

static void add_int(po_buffer *b, int n)
{
    char text[16];

    po_buffer_add(b, text, (apr_size_t)apr_snprintf(text, sizeof(text), "%d", n));
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static void add_people(po_buffer *b, const po_request *r)
{
    add_member(b, ",\"requester\":{\"email\":", r->email);
    add_member(b, ",\"name\":", r->user_name);
    if (!r->account) {
        po_buffer_lit(b, "},\"account\":null");
        return;
    }
    add_member(b, "},\"account\":{\"id\":", r->account);
    add_member(b, ",\"email\":", r->account_email);
    po_buffer_lit(b, "}");
}

static void add_terms(po_buffer *b, const po_request *r)
{
    char stamp[PO_TIMESTAMP];

    if (!r->terms_version) {
        po_buffer_lit(b, ",\"terms\":null");
        return;
    }
    add_member(b, ",\"terms\":{\"version\":", r->terms_version);
    add_member(b, ",\"acceptedAt\":", r->terms_at ? po_timestamp(r->terms_at, stamp) : NULL);
    po_buffer_lit(b, "}");
}

static void add_request(po_buffer *b, const po_request *r)
{
    add_member(b, "\"request\":", r->id);
    add_member(b, ",\"mode\":", r->test ? "test" : "production");
    add_member(b, ",\"buyer\":", r->buyer);
    add_member(b, ",\"organization\":", r->organization);
    add_people(b, r);
    add_member(b, ",\"product\":", r->product);
    add_member(b, ",\"offer\":", r->offer);
    add_member(b, ",\"seller\":", r->seller);
    add_member(b, ",\"pricing\":", r->pricing);
    add_member(b, ",\"term\":", r->term);
    add_member(b, ",\"subscription\":", r->subscription);
    add_terms(b, r);
}

static int holds(const apr_array_header_t *kinds, const char *kind)
{
    int i;

    for (i = 0; i < kinds->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(kinds, i, const char *), kind))
            return 1;
    return 0;
}

/* What an approval stands for, each once: itself, or the kinds that its lines cover (PunchOutLines). */
static apr_array_header_t *kinds_of(const po_request *r, const char *approval, apr_pool_t *p)
{
    apr_array_header_t *kinds = apr_array_make(p, 2, sizeof(const char *));
    int i, n;

    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (strcmp(c->kind, approval))
            continue;
        for (n = 0; n < (c->covers ? c->covers->nelts : 1); n++) {
            const char *kind = c->covers ? APR_ARRAY_IDX(c->covers, n, po_cover).kind : c->kind;

            if (!holds(kinds, kind))
                APR_ARRAY_PUSH(kinds, const char *) = kind;
        }
    }
    return kinds;
}

/* Where each approval stands. */
static void add_approvals(po_buffer *b, const po_request *r, apr_pool_t *p)
{
    const apr_array_header_t *approvals = po_request_approvals(r, p);
    const char *before = "";
    int i, n;

    po_buffer_lit(b, ",\"approvals\":[");
    for (i = 0; i < approvals->nelts; i++) {
        const po_approval *a = &APR_ARRAY_IDX(approvals, i, po_approval);
        const apr_array_header_t *kinds = kinds_of(r, a->kind, p);

        for (n = 0; n < kinds->nelts; n++, before = ",") {
            po_buffer_str(b, before);
            add_member(b, "{\"kind\":", APR_ARRAY_IDX(kinds, n, const char *));
            add_member(b, ",\"state\":", po_charge_state_name(a->state));
            po_buffer_lit(b, "}");
        }
    }
    po_buffer_lit(b, "]");
}

/* Which of them this event is about. */
static void add_approved(po_buffer *b, const po_event *e, apr_pool_t *p)
{
    const char *before = "";
    int i, n;

    if (!e->approved)
        return;
    po_buffer_lit(b, ",\"approved\":[");
    for (i = 0; i < e->approved->nelts; i++) {
        const apr_array_header_t *kinds = kinds_of(e->request, APR_ARRAY_IDX(e->approved, i, const char *), p);

        for (n = 0; n < kinds->nelts; n++, before = ",") {
            po_buffer_str(b, before);
            add_text(b, APR_ARRAY_IDX(kinds, n, const char *));
        }
    }
    po_buffer_lit(b, "]");
}

/* What is ordered of it: nothing of a charge that was cancelled. */
static const char *quantity(const po_charge *c, char text[PO_DECIMAL_TEXT])
{
    return po_approval_is_gone(c->state) ? "0" : po_decimal_text(po_charge_quantity(c), 0, text);
}

/* Where it stands: on which line of which order. */
static void add_place(po_buffer *b, const po_charge *c)
{
    add_member(b, ",\"order\":", c->order_id);
    po_buffer_lit(b, ",\"orderLine\":");
    if (c->order_id)
        add_int(b, c->order_line);
    else
        po_buffer_lit(b, "null");
}

static void add_charge(po_buffer *b, const po_charge *c)
{
    char text[PO_DECIMAL_TEXT];

    po_buffer_lit(b, "{\"line\":");
    add_int(b, c->line);
    add_member(b, ",\"kind\":", c->kind);
    add_member(b, ",\"dimension\":", c->dimension);
    add_member(b, ",\"quantity\":", quantity(c, text));
    add_member(b, ",\"unitPrice\":", po_money_text(&c->unit_price, c->currency, text));
    add_member(b, ",\"currency\":", c->currency);
    add_member(b, ",\"unit\":", c->unit);
    add_place(b, c);
    po_buffer_lit(b, "}");
}

/* What the order's line says, where it holds a sum: that is what was approved, and what it may be invoiced against. */
static void add_ordered(po_buffer *b, const po_charge *c)
{
    po_decimal amount = { 0, 0 };
    char text[PO_DECIMAL_TEXT];

    if (!c->order_id) {
        po_buffer_lit(b, ",\"ordered\":null");
        return;
    }
    add_member(b, ",\"ordered\":{\"quantity\":", quantity(c, text));
    add_member(b, ",\"unitPrice\":", po_money_text(&c->unit_price, c->currency, text));
    if (c->state == PO_CHARGE_CANCELLED
        || po_decimal_multiply(&amount, po_charge_quantity(c), &c->unit_price) == APR_SUCCESS)
        add_member(b, ",\"amount\":", po_money_text(&amount, c->currency, text));
    po_buffer_lit(b, "}");
}

/* One of the things that a line with a sum stands for, as it was asked for. */
static void add_cover(po_buffer *b, const po_charge *c, const po_cover *v)
{
    char text[PO_DECIMAL_TEXT];

    po_buffer_lit(b, "{\"line\":");
    add_int(b, c->line);
    add_member(b, ",\"kind\":", v->kind);
    add_member(b, ",\"dimension\":", v->dimension);
    add_member(b, ",\"quantity\":", c->state == PO_CHARGE_CANCELLED ? "0" : po_decimal_text(&v->quantity, 0, text));
    add_member(b, ",\"unitPrice\":", po_money_text(&v->unit_price, c->currency, text));
    add_member(b, ",\"currency\":", c->currency);
    add_member(b, ",\"unit\":", v->unit);
    add_place(b, c);
    add_ordered(b, c);
    po_buffer_lit(b, "}");
}

static void add_charges(po_buffer *b, const po_request *r)
{
    const char *before = "";
    int i, n;

    po_buffer_lit(b, ",\"charges\":[");
    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        for (n = 0; n < (c->covers ? c->covers->nelts : 1); n++) {
            po_buffer_str(b, before);
            before = ",";
            if (c->covers)
                add_cover(b, c, &APR_ARRAY_IDX(c->covers, n, po_cover));
            else
                add_charge(b, c);
        }
    }
    po_buffer_lit(b, "]");
}

/* ---- the order --------------------------------------------------------------------------------------------------- */

static void add_address(po_buffer *b, const po_cxml_address *given)
{
    static const po_cxml_address none;
    const po_cxml_address *a = given ? given : &none;
    const struct { const char *name, *value; } members[] = {
        { "\"id\":", a->id }, { "\"role\":", a->role }, { "\"name\":", a->name },
        { "\"email\":", a->email }, { "\"phone\":", a->phone }, { "\"deliverTo\":", a->deliver_to },
        { "\"street\":", a->street }, { "\"city\":", a->city }, { "\"state\":", a->state },
        { "\"postalCode\":", a->postal_code }, { "\"country\":", a->country } };
    const char *before = "";
    apr_size_t i;

    po_buffer_lit(b, "{");
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (!members[i].value)
            continue;
        po_buffer_str(b, before);
        po_buffer_str(b, members[i].name);
        add_text(b, members[i].value);
        before = ",";
    }
    po_buffer_lit(b, "}");
}

/* 1 when the line says by its auxiliary id that it is another request's, whatever number it gives itself. */
static int is_of_another(const po_request *r, const po_cxml_item *item, apr_pool_t *p)
{
    const char *id;
    int line;

    return item->auxiliary && po_auxiliary_parse(item->auxiliary, &id, &line, p) && strcmp(id, r->id);
}

/* 1 when this line of the order is about the request: the accounting of others is none of its seller's business. */
static int concerns(const po_request *r, const po_cxml_order *o, const po_cxml_item *item, apr_pool_t *p)
{
    int i;

    if (is_of_another(r, item, p))
        return 0;
    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (c->state != PO_CHARGE_CANCELLED && c->order_id && c->order_line == item->line
            && !strcmp(c->order_id, o->order_id))
            return 1;
    }
    return 0;
}

/* {"line", "name", "value"} for each segment. */
static void add_accounting(po_buffer *b, const po_request *r, const po_cxml_order *o)
{
    int i, n, first = 1;

    po_buffer_lit(b, ",\"accounting\":[");
    for (i = 0; i < o->items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(o->items, i, po_cxml_item);

        if (!item->accounting || !concerns(r, o, item, b->pool))
            continue;
        for (n = 0; n < item->accounting->nelts; n++) {
            const po_cxml_extrinsic *segment = &APR_ARRAY_IDX(item->accounting, n, po_cxml_extrinsic);

            po_buffer_str(b, first ? "{\"line\":" : ",{\"line\":");
            first = 0;
            add_int(b, item->line);
            add_member(b, ",\"name\":", segment->name);
            add_member(b, ",\"value\":", segment->value);
            po_buffer_lit(b, "}");
        }
    }
    po_buffer_lit(b, "]");
}

/* A name that comes twice keeps its first value: JSON objects have each name once. */
static void add_extrinsics(po_buffer *b, const apr_array_header_t *extrinsics, apr_pool_t *p)
{
    apr_hash_t *seen = extrinsics ? apr_hash_make(p) : NULL;
    const char *before = "";
    int i;

    po_buffer_lit(b, ",\"extrinsics\":{");
    for (i = 0; extrinsics && i < extrinsics->nelts; i++) {
        const po_cxml_extrinsic *e = &APR_ARRAY_IDX(extrinsics, i, po_cxml_extrinsic);

        if (!e->name || apr_hash_get(seen, e->name, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(seen, e->name, APR_HASH_KEY_STRING, e);
        po_buffer_str(b, before);
        add_text(b, e->name);
        po_buffer_lit(b, ":");
        add_text(b, e->value);
        before = ",";
    }
    po_buffer_lit(b, "}");
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void add_order(po_buffer *b, const po_request *r, const po_cxml_order *o, const char *payload_id, apr_pool_t *p)
{
    add_member(b, "{\"id\":", o->order_id);
    add_member(b, ",\"version\":", or_null(o->version) ? o->version : "1");
    add_member(b, ",\"date\":", or_null(o->order_date));
    add_member(b, ",\"payloadID\":", payload_id);
    add_member(b, ",\"requisition\":", or_null(o->requisition));
    po_buffer_lit(b, ",\"shipTo\":");
    add_address(b, o->ship_to);
    po_buffer_lit(b, ",\"billTo\":");
    add_address(b, o->bill_to);
    po_buffer_lit(b, ",\"contact\":");
    add_address(b, o->contact);
    add_accounting(b, r, o);
    add_extrinsics(b, o->extrinsics, p);
    po_buffer_lit(b, "}");
}

static void add_orders(po_buffer *b, const po_event *e, apr_pool_t *p)
{
    int i;

    po_buffer_lit(b, ",\"orders\":[");
    for (i = 0; e->earlier && i < e->earlier->nelts; i++) {
        const po_event_order *o = &APR_ARRAY_IDX(e->earlier, i, po_event_order);

        add_order(b, e->request, o->order, o->payload_id, p);
        if (e->order || i + 1 < e->earlier->nelts)
            po_buffer_lit(b, ",");
    }
    if (e->order)
        add_order(b, e->request, e->order, e->order_payload, p);
    po_buffer_lit(b, "]");
}

/* ---- the event --------------------------------------------------------------------------------------------------- */

const char *po_event_json(const po_event *e, apr_pool_t *p)
{
    char stamp[PO_TIMESTAMP];
    po_buffer b;

    po_buffer_init(&b, p, EVENT_ROOM);
    add_member(&b, "{\"specversion\":\"1.0\",\"id\":", e->id);
    add_member(&b, ",\"source\":", e->source);
    add_member(&b, ",\"type\":", e->type);
    add_member(&b, ",\"time\":", po_timestamp(e->time, stamp));
    po_buffer_lit(&b, ",\"datacontenttype\":\"application/json\",\"data\":{");
    add_request(&b, e->request);
    add_approvals(&b, e->request, p);
    add_approved(&b, e, p);
    add_orders(&b, e, p);
    add_charges(&b, e->request);
    add_member(&b, ",\"callback\":{\"url\":", e->callback_url);
    add_member(&b, ",\"token\":", e->callback_token);
    po_buffer_lit(&b, "}}}");
    return po_buffer_text(&b);
}
