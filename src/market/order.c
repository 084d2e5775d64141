/* order.c - a purchase order against the requests that it names: all is judged before any is carried out. */
#include "market/market_private.h"

#include <stdarg.h>
#include <string.h>

#define REQUEST_PREFIX "req-"
#define REQUEST_BYTES 40
#define LINE_DIGITS 5
#define PROBLEMS_TOLD 5                 /* in one detail; the rest is counted */
#define SHOWN_BYTES 60

int po_auxiliary_parse(const char *auxiliary, const char **request, int *line, apr_pool_t *p)
{
    const char *point;
    apr_size_t len, digits;

    auxiliary += strspn(auxiliary, " \t\r\n");
    if (strncmp(auxiliary, REQUEST_PREFIX, sizeof(REQUEST_PREFIX) - 1) || !(point = strchr(auxiliary, '.')))
        return 0;
    len = (apr_size_t)(point - auxiliary);
    if (len < sizeof(REQUEST_PREFIX) || len > REQUEST_BYTES
        || strspn(auxiliary, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != len)
        return 0;
    digits = strspn(point + 1, "0123456789");
    if (!digits || digits > LINE_DIGITS || point[1] == '0'
        || point[1 + digits + strspn(point + 1 + digits, " \t\r\n")])
        return 0;
    for (*line = 0, point++; digits--; point++)
        *line = *line * 10 + (*point - '0');
    *request = apr_pstrmemdup(p, auxiliary, len);
    return 1;
}

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

typedef struct {
    const po_cxml_order *order;
    const po_buyer *buyer;
    int test;
    apr_time_t now;
    apr_array_header_t *known;
    apr_hash_t *by_id;                  /* request id -> po_request *, of known */
    apr_hash_t *taken;                  /* po_charge * -> po_order_match_line *: lines of this order */
    apr_hash_t *open;                   /* open_key() -> array of candidate; made when a line needs it */
    const apr_array_header_t *owned;    /* an update's: requests with charges on this order; NULL: a new order */
    po_order_match *out;
    int refused, differs, held;
    int problems;
    po_buffer detail;
    apr_pool_t *p;
} matching;

/* Adds a sentence to the detail, behind the line that it is about. */
static void tell(matching *m, const po_cxml_item *item, const char *format, va_list args)
{
    if (m->problems++ >= PROBLEMS_TOLD)
        return;
    if (m->problems > 1)
        po_buffer_lit(&m->detail, "; ");
    if (item)
        po_buffer_str(&m->detail, apr_psprintf(m->p, "line %d: ", item->line));
    po_buffer_str(&m->detail, apr_pvsprintf(m->p, format, args));
}

#define PRINTF __attribute__((format(printf, 3, 4)))

/* The order differs from what was asked for: PunchOutOrderMismatch decides. */
PRINTF static void differ(matching *m, const po_cxml_item *item, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(m, item, format, args);
    va_end(args);
    m->differs = 1;
}

/* No setting makes this order acceptable. */
PRINTF static void refuse(matching *m, const po_cxml_item *item, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(m, item, format, args);
    va_end(args);
    m->refused = 1;
}

PRINTF static void hold(matching *m, const po_cxml_item *item, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(m, item, format, args);
    va_end(args);
    m->held = 1;
}

PRINTF static void warn(matching *m, const po_cxml_item *item, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(m, item, format, args);
    va_end(args);
}

static const char *shown(const matching *m, const char *text)
{
    return text && *text ? apr_psprintf(m->p, "\"%s\"", po_utf8_cut(text, SHOWN_BYTES, m->p)) : "none";
}

static const char *number(const matching *m, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrdup(m->p, po_decimal_text(d, 0, text));
}

static const char *amount(const matching *m, const po_decimal *d, const char *currency)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrcat(m->p, po_money_text(d, currency ? currency : "", text), " ",
                       currency ? currency : "(no currency)", NULL);
}

/* ---- a line that names its charge -------------------------------------------------------------------------------- */

static int same_text(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

/* 1 when the charge is on this purchase order already, which an update may change. */
static int is_own(const matching *m, const po_request *r, const po_charge *c)
{
    int i;

    if (!m->owned || !po_charge_is_on(c, m->order))
        return 0;
    for (i = 0; i < m->owned->nelts; i++)
        if (APR_ARRAY_IDX(m->owned, i, po_request *) == r)
            return 1;
    return 0;
}

/* A blanket order's line may name its limit alone; without any detail the line stands for what the cart said. */
static void compare_limit(matching *m, const po_cxml_item *item, const po_charge *c)
{
    po_decimal cost;

    if (!item->has_max_amount || po_decimal_multiply(&cost, &item->quantity, &c->unit_price) != APR_SUCCESS)
        return;
    if (!same_text(item->max_currency, c->currency) || po_decimal_compare(&item->max_amount, &cost) < 0)
        differ(m, item, "MaxAmount is %s, the cart came to %s", amount(m, &item->max_amount, item->max_currency),
               amount(m, &cost, c->currency));
}

static int is_blanket(const po_cxml_order *order)
{
    return same_text(order->order_type, "blanket");
}

static int awaits_release(const po_cxml_order *order)
{
    return is_blanket(order) && order->release_required;
}

static void compare_price(matching *m, const po_cxml_item *item, const po_charge *c)
{
    if (item->has_price) {
        if (po_decimal_compare(&item->unit_price, &c->unit_price) || !same_text(item->currency, c->currency))
            differ(m, item, "UnitPrice is %s, the cart said %s", amount(m, &item->unit_price, item->currency),
                   amount(m, &c->unit_price, c->currency));
    } else if (is_blanket(m->order)) {
        compare_limit(m, item, c);
    } else if (item->has_detail) {
        differ(m, item, "there is no UnitPrice, the cart said %s", amount(m, &c->unit_price, c->currency));
    }
}

/* As emitted: part, quantity, price, currency; a changed unit is only told (some systems turn all units into EA). */
static void compare(matching *m, const po_order_match_line *l)
{
    const po_cxml_item *item = l->item;
    const po_charge *c = l->charge;

    if (!same_text(item->part, c->part))
        differ(m, item, "SupplierPartID is %s, the cart said \"%s\"", shown(m, item->part), c->part);
    if (po_decimal_compare(&item->quantity, &c->quantity) && !is_own(m, l->request, c))
        differ(m, item, "quantity is %s, the cart said %s", number(m, &item->quantity), number(m, &c->quantity));
    compare_price(m, item, c);
    if (item->unit && strcmp(item->unit, c->unit) && strcmp(item->unit, po_unit_for(m->buyer, c->unit)))
        warn(m, item, "UnitOfMeasure is %s, the cart said \"%s\" (accepted)", shown(m, item->unit),
             po_unit_for(m->buyer, c->unit));
}

static int has_expired(const matching *m, const po_request *r)
{
    int open = r->state <= PO_STATE_PARTLY_APPROVED;

    return r->state == PO_STATE_EXPIRED || (open && r->expires && m->now > r->expires);
}

/* An update's line about what this order has ordered: only another quantity is anything new. */
static void judge_own(matching *m, const po_order_match_line *l)
{
    const po_request *r = l->request;

    if (l->item->quantity.value < 0)
        refuse(m, l->item, "quantity is %s; leave the line out to cancel it", number(m, &l->item->quantity));
    else if (!po_decimal_compare(&l->item->quantity, po_charge_quantity(l->charge)))
        return;
    else if (r->state == PO_STATE_HELD)
        hold(m, l->item, "request %s is held already%s%s", r->id, r->reason ? ": " : "", r->reason ? r->reason : "");
    else if (r->state == PO_STATE_ENDED)
        refuse(m, l->item, "it is too late: the subscription of request %s has ended", r->id);
    else if (r->state >= PO_STATE_FAILED || r->state < PO_STATE_PARTLY_APPROVED)
        refuse(m, l->item, "request %s is %s and takes no change; return a new cart", r->id, po_state_name(r->state));
}

/* 1 when a real order has a part of the request already: a test of the rest would make a test of that order too. */
static int test_takes_real(const matching *m, const po_request *r)
{
    int i;

    for (i = 0; m->test && !r->test && i < r->charges->nelts; i++)
        if (APR_ARRAY_IDX(r->charges, i, po_charge).state == PO_CHARGE_ORDERED)
            return 1;
    return 0;
}

/* Whether this charge of this request may be ordered at all. */
static void judge(matching *m, const po_order_match_line *l)
{
    const po_request *r = l->request;
    const po_charge *c = l->charge;

    if (is_own(m, r, c))
        judge_own(m, l);
    else if (m->owned && c->state == PO_CHARGE_ORDERED && awaits_release(m->order))
        return;                         /* its release has ordered it; a changed blanket order orders nothing */
    else if (l->item->quantity.value <= 0)
        refuse(m, l->item, "quantity is %s, which orders nothing of charge %s.%d", number(m, &l->item->quantity), r->id,
               c->line);
    else if (c->state == PO_CHARGE_ORDERED)
        refuse(m, l->item, "charge %s.%d is already ordered by order %s; don't order it twice", r->id, c->line,
               c->order_id ? c->order_id : "(unknown)");
    else if (c->state == PO_CHARGE_PREAPPROVED)
        refuse(m, l->item, "charge %s.%d was approved without an order and needs none", r->id, c->line);
    else if (r->state == PO_STATE_CANCELLED)
        refuse(m, l->item, "request %s was cancelled; return a new cart", r->id);
    else if (c->state == PO_CHARGE_CANCELLED || c->state == PO_CHARGE_WITHDRAWN)
        refuse(m, l->item, "charge %s.%d was cancelled; return a new cart", r->id, c->line);
    else if (test_takes_real(m, r))
        refuse(m, l->item, "a part of request %s is ordered in production, so a test can't order the rest", r->id);
    else if (has_expired(m, r) || c->state == PO_CHARGE_EXPIRED)
        hold(m, l->item, "request %s has expired; the marketplace decides whether it still holds", r->id);
    else if (r->state == PO_STATE_HELD)
        hold(m, l->item, "request %s is held already%s%s", r->id, r->reason ? ": " : "", r->reason ? r->reason : "");
    else if (r->state > PO_STATE_PARTLY_APPROVED)
        refuse(m, l->item, "request %s is %s and takes no order; return a new cart", r->id, po_state_name(r->state));
    else if (r->state == PO_STATE_DRAFT)
        differ(m, l->item, "request %s has not gone back yet; return it from a punchout first", r->id);
    else if (c->state == PO_CHARGE_WAITING)
        differ(m, l->item, "charge %s.%d was not requested yet; request the next approval of %s from a punchout first",
               r->id, c->line, r->id);
}

/* 0 when another line of this order has the charge. */
static int take(matching *m, po_order_match_line *l)
{
    const po_order_match_line *other = apr_hash_get(m->taken, &l->charge, sizeof(l->charge));

    if (other)
        return 0;
    apr_hash_set(m->taken, &l->charge, sizeof(l->charge), l);
    return 1;
}

static po_charge *find_charge(const po_request *r, int line)
{
    int i;

    for (i = 0; i < r->charges->nelts; i++)
        if (APR_ARRAY_IDX(r->charges, i, po_charge).line == line)
            return &APR_ARRAY_IDX(r->charges, i, po_charge);
    return NULL;
}

static void match_named(matching *m, po_order_match_line *l)
{
    const char *auxiliary = l->item->auxiliary, *id;
    int line;

    if (!po_auxiliary_parse(auxiliary, &id, &line, m->p)
        || !(l->request = apr_hash_get(m->by_id, id, APR_HASH_KEY_STRING))) {
        differ(m, l->item, "SupplierPartAuxiliaryID %s names no request of this connection; order what a cart returned",
               shown(m, auxiliary));
        return;
    }
    if (!(l->charge = find_charge(l->request, line))) {
        differ(m, l->item, "SupplierPartAuxiliaryID %s names no line of request %s, which has %d", shown(m, auxiliary),
               id, l->request->charges->nelts);
        return;
    }
    if (!take(m, l)) {
        differ(m, l->item, "it names charge %s.%d, as another line of this order does; order each once", id, line);
        l->charge = NULL;
        return;
    }
    judge(m, l);
    compare(m, l);
}

/* ---- a line that names none: an open charge that is equal -------------------------------------------------------- */

typedef struct { po_request *request; po_charge *charge; } candidate;

static const char *open_key(const matching *m, const char *part, const po_decimal *price, const char *currency,
                            const po_decimal *quantity)
{
    return apr_pstrcat(m->p, part ? part : "", "\n", number(m, price), "\n", currency ? currency : "", "\n",
                       number(m, quantity), NULL);
}

static void index_charge(matching *m, po_request *r, po_charge *c)
{
    candidate found = { r, c };
    apr_array_header_t *equal;
    const char *key;

    if (c->state != PO_CHARGE_REQUESTED)
        return;
    key = open_key(m, c->part, &c->unit_price, c->currency, &c->quantity);
    if (!(equal = apr_hash_get(m->open, key, APR_HASH_KEY_STRING))) {
        equal = apr_array_make(m->p, 2, sizeof(candidate));
        apr_hash_set(m->open, key, APR_HASH_KEY_STRING, equal);
    }
    APR_ARRAY_PUSH(equal, candidate) = found;
}

static void index_open(matching *m)
{
    int i, n;

    m->open = apr_hash_make(m->p);
    for (i = 0; i < m->known->nelts; i++) {
        po_request *r = APR_ARRAY_IDX(m->known, i, po_request *);

        /* a real order must not become a test by chance, nor a test take what a real order is coming for */
        if ((r->state != PO_STATE_REQUESTED && r->state != PO_STATE_PARTLY_APPROVED) || has_expired(m, r)
            || !r->test != !m->test)
            continue;
        for (n = 0; n < r->charges->nelts; n++)
            index_charge(m, r, &APR_ARRAY_IDX(r->charges, n, po_charge));
    }
}

/* 1 and the line's charge when it is clear which of the charges on this order it means: that of the same line number, else
 * the only one of its part and price. */
static int match_own(matching *m, po_order_match_line *l)
{
    const po_cxml_item *item = l->item;
    candidate only = { NULL, NULL };
    int i, n, found = 0;

    for (i = 0; m->owned && i < m->owned->nelts; i++) {
        po_request *r = APR_ARRAY_IDX(m->owned, i, po_request *);

        for (n = 0; n < r->charges->nelts; n++) {
            po_charge *c = &APR_ARRAY_IDX(r->charges, n, po_charge);

            if (!po_charge_is_on(c, m->order) || !same_text(item->part, c->part) || apr_hash_get(m->taken, &c, sizeof(c))
                || (item->has_price && po_decimal_compare(&item->unit_price, &c->unit_price)))
                continue;
            found = c->order_line == item->line ? 1 : found + 1;
            only.request = r;
            only.charge = c;
            if (c->order_line == item->line) {
                i = m->owned->nelts - 1;
                break;
            }
        }
    }
    if (found != 1)
        return 0;
    l->request = only.request;
    l->charge = only.charge;
    return 1;
}

/* The open charges that are equal to the item and not taken: how many (2 is many), and one of them. */
static int find_equal(matching *m, const po_cxml_item *item, candidate *one)
{
    apr_array_header_t *equal = NULL;
    int i, n = 0;

    if (!m->open)
        index_open(m);
    if (item->has_price)
        equal = apr_hash_get(m->open, open_key(m, item->part, &item->unit_price, item->currency, &item->quantity),
                             APR_HASH_KEY_STRING);
    for (i = 0; equal && i < equal->nelts && n < 2; i++) {
        const candidate *c = &APR_ARRAY_IDX(equal, i, candidate);

        if (apr_hash_get(m->taken, &c->charge, sizeof(c->charge)))
            continue;
        if (!n++)
            *one = *c;
    }
    return n;
}

static void match_equal(matching *m, po_order_match_line *l)
{
    const po_cxml_item *item = l->item;
    candidate one = { NULL, NULL };
    int n;

    if (match_own(m, l)) {
        take(m, l);
        judge(m, l);
        compare(m, l);
    } else if (item->ad_hoc) {
        differ(m, item, "it was typed by hand (isAdHoc) and names nothing that a cart returned");
    } else if (!(n = find_equal(m, item, &one))) {
        differ(m, item, "it has no SupplierPartAuxiliaryID, and no open request has part %s at this price and "
               "quantity; order what a cart returned", shown(m, item->part));
    } else if (n > 1) {
        hold(m, item, "it has no SupplierPartAuxiliaryID, and several open requests have part %s at this price and "
             "quantity; the marketplace decides which is meant", shown(m, item->part));
    } else {
        l->request = one.request;
        l->charge = one.charge;
        take(m, l);
        compare(m, l);
    }
}

/* ---- the order as a whole ---------------------------------------------------------------------------------------- */

/* The line's price: what it says, else the cart's. NULL: nobody knows. */
static const po_decimal *price_of(const po_order_match_line *l, const char **currency)
{
    *currency = l->item->has_price ? l->item->currency : l->charge ? l->charge->currency : NULL;
    return l->item->has_price ? &l->item->unit_price : l->charge ? &l->charge->unit_price : NULL;
}

/* 1, and the sum of the lines, when all have a price in one currency. */
static int sum_lines(const apr_array_header_t *lines, po_decimal *sum, const char **currency)
{
    const char *own;
    po_decimal line;
    int i;

    sum->value = 0;
    sum->scale = 0;
    *currency = NULL;
    for (i = 0; i < lines->nelts; i++) {
        const po_order_match_line *l = &APR_ARRAY_IDX(lines, i, po_order_match_line);
        const po_decimal *price = price_of(l, &own);

        if (!l->item->quantity.value)
            continue;                   /* it costs nothing, whatever it says or doesn't say of a price */
        if (!price || !own || (*currency && strcmp(*currency, own)))
            return 0;
        *currency = own;
        if (po_decimal_multiply(&line, &l->item->quantity, price) != APR_SUCCESS
            || po_decimal_add(sum, sum, &line) != APR_SUCCESS)
            return 0;
    }
    return *currency != NULL;
}

/* OrderRequestHeader/Total is the sum of the lines in all known orders. Tax and freight don't belong to it, but some
 * buyers add them: more than the sum is no difference, less is. A system that rounds to the currency's decimals may be
 * below an exact sum (500.05 for 500.055): less than one coin below is equal. */
static void compare_total(matching *m)
{
    const po_cxml_order *order = m->order;
    const char *currency;
    po_decimal sum, least;
    int coin;

    if (!order->currency || !sum_lines(m->out->lines, &sum, &currency))
        return;
    if (strcmp(order->currency, currency)) {
        differ(m, NULL, "Total is in %s, the lines are in %s", order->currency, currency);
        return;
    }
    least = sum;
    for (coin = po_currency_decimals(currency); least.scale > coin; least.scale--)
        least.value /= 10;              /* towards zero */
    if (po_decimal_compare(&order->total, &least) < 0)
        differ(m, NULL, "Total is %s, but the lines sum up to %s", amount(m, &order->total, currency),
               amount(m, &sum, currency));
}

/* Lines that name their charge go first, so that none of the others takes it. */
static void match_lines(matching *m)
{
    apr_array_header_t *lines = m->out->lines;
    int i, named;

    for (i = 0; i < m->order->items->nelts; i++) {
        po_order_match_line l = { &APR_ARRAY_IDX(m->order->items, i, po_cxml_item), NULL, NULL };

        APR_ARRAY_PUSH(lines, po_order_match_line) = l;
    }
    for (named = 1; named >= 0; named--)
        for (i = 0; i < lines->nelts; i++) {
            po_order_match_line *l = &APR_ARRAY_IDX(lines, i, po_order_match_line);
            int has = l->item->auxiliary && *l->item->auxiliary;

            if (m->owned && !l->item->quantity.value)
                continue;               /* an update that leaves the line out in other words */
            if (has && named)
                match_named(m, l);
            else if (!has && !named)
                match_equal(m, l);
        }
}

/* What an update no longer names is cancelled, unless it is too late for that. */
static void judge_left_out(matching *m)
{
    int i, n;

    for (i = 0; i < m->owned->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(m->owned, i, po_request *);

        for (n = 0; r->state == PO_STATE_ENDED && n < r->charges->nelts; n++) {
            const po_charge *c = &APR_ARRAY_IDX(r->charges, n, po_charge);

            if (po_charge_is_on(c, m->order) && !apr_hash_get(m->taken, &c, sizeof(c)))
                refuse(m, NULL, "charge %s.%d can't be left out, it is too late: the subscription has ended", r->id, c->line);
        }
    }
}

static void decide(matching *m)
{
    po_mismatch rule = m->buyer->mismatch;
    const char *what = NULL;

    if (m->refused || (m->differs && rule == PO_MISMATCH_REJECT)) {
        m->out->status = 409;
        what = "The order was not taken, nothing of it is carried out. Correct it, or return a new cart and order that";
    } else if (m->held || (m->differs && rule == PO_MISMATCH_HOLD)) {
        m->out->held = 1;
        what = "The order is held until the marketplace has looked at it; don't send it again";
    } else if (m->differs) {
        what = "The order was taken as if it were equal to the cart";
    }
    if (!m->problems)
        return;
    if (m->differs && m->out->status == 200)
        m->out->difference = apr_pstrdup(m->p, po_buffer_text(&m->detail));
    if (m->problems > PROBLEMS_TOLD)
        po_buffer_str(&m->detail, apr_psprintf(m->p, "; and %d more", m->problems - PROBLEMS_TOLD));
    if (what) {
        po_buffer_lit(&m->detail, ". ");
        po_buffer_str(&m->detail, what);
    }
    m->out->detail = po_buffer_text(&m->detail);
}

/* ---- the two ways in ---------------------------------------------------------------------------------------------- */

#define AWAITS_RELEASE "The blanket order is kept and orders nothing by itself; releases are awaited"

/* Its releases may come at any time: what they will order must not expire before. */
static void keep_blanket(matching *m)
{
    int i;

    for (i = 0; i < m->out->lines->nelts; i++) {
        const po_order_match_line *l = &APR_ARRAY_IDX(m->out->lines, i, po_order_match_line);
        po_request *r = l->request;

        if (!l->charge || !po_approval_is_open(l->charge->state) || r->state == PO_STATE_DRAFT || !r->test != !m->test
            || has_expired(m, r) || !r->expires)
            continue;
        r->expires = 0;
        APR_ARRAY_PUSH(m->out->requests, po_request *) = r;
        APR_ARRAY_PUSH(m->out->outcomes, po_order_outcome) = PO_OUTCOME_NONE;
    }
    m->out->awaits_release = 1;
    m->out->detail = m->out->detail ? apr_pstrcat(m->p, AWAITS_RELEASE ". ", m->out->detail, NULL) : AWAITS_RELEASE;
}

static int is_test(int test, const po_buyer *buyer)
{
    return test || buyer->deployment == PO_DEPLOYMENT_TEST;
}

static void run(matching *m)
{
    const po_cxml_order *order = m->order;
    po_order_match *out = m->out;
    int i, blanket = awaits_release(order);

    memset(out, 0, sizeof(*out));
    out->status = 200;
    out->lines = apr_array_make(m->p, order->items->nelts, sizeof(po_order_match_line));
    out->requests = apr_array_make(m->p, m->known->nelts, sizeof(po_request *));
    out->outcomes = apr_array_make(m->p, m->known->nelts, sizeof(po_order_outcome));
    m->by_id = apr_hash_make(m->p);
    for (i = 0; i < m->known->nelts; i++)
        apr_hash_set(m->by_id, APR_ARRAY_IDX(m->known, i, po_request *)->id, APR_HASH_KEY_STRING,
                     APR_ARRAY_IDX(m->known, i, po_request *));
    m->taken = apr_hash_make(m->p);
    po_buffer_init(&m->detail, m->p, 512);
    match_lines(m);
    if (m->owned)
        judge_left_out(m);
    if (!blanket)
        compare_total(m);
    else if (m->buyer->mismatch != PO_MISMATCH_REJECT)
        m->differs = 0;                 /* there is nothing to hold: its releases are judged themselves */
    m->held = m->held && !blanket;
    decide(m);
    if (out->status == 200 && blanket)
        keep_blanket(m);
    else if (out->status == 200)
        po_order_apply(order, m->test, m->buyer->activate, m->owned, out, m->p);
}

void po_order_match_new(const po_cxml_order *order, int test, const po_buyer *buyer, apr_array_header_t *known,
                        apr_time_t now, po_order_match *out, apr_pool_t *p)
{
    matching m = { .order = order, .buyer = buyer, .test = is_test(test, buyer), .now = now, .known = known,
                   .out = out, .p = p };

    run(&m);
}

void po_order_match_update(const po_cxml_order *order, int test, const po_buyer *buyer, apr_array_header_t *known,
                           const apr_array_header_t *owned, apr_time_t now, po_order_match *out, apr_pool_t *p)
{
    matching m = { .order = order, .buyer = buyer, .test = is_test(test, buyer), .now = now, .known = known,
                   .owned = owned, .out = out, .p = p };

    run(&m);
}
