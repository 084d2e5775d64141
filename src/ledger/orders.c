/* orders.c - purchase orders with their lines as they come in; subscriptions. */
#include "ledger/ledger_private.h"

#include <jansson.h>
#include <string.h>

/* ---- what an order says beside its columns: kept as JSON ------------------------------------------------------ */

static char *dump(json_t *j)
{
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

    json_decref(j);
    return text;
}

static char *address_json(const po_cxml_address *a)
{
    if (!a)
        return NULL;
    return dump(json_pack("{s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*}", "id", a->id, "role", a->role,
                          "name", a->name, "email", a->email, "phone", a->phone, "deliverTo", a->deliver_to,
                          "street", a->street, "city", a->city, "state", a->state, "postalCode", a->postal_code,
                          "country", a->country));
}

/* An array of pairs: a name may occur twice, and the order may matter. */
static char *pairs_json(const apr_array_header_t *pairs)
{
    json_t *list;
    int i;

    if (!pairs || !pairs->nelts)
        return NULL;
    list = json_array();
    for (i = 0; i < pairs->nelts; i++) {
        const po_cxml_extrinsic *e = &APR_ARRAY_IDX(pairs, i, po_cxml_extrinsic);

        json_array_append_new(list, json_pack("[s?,s?]", e->name, e->value));
    }
    return dump(list);
}

/* ---- orders --------------------------------------------------------------------------------------------------- */

#define ORDER_COLUMNS \
    "site, buyer, payload_id, digest, test, request, status, detail, held, received, order_id, version, type"

static po_order_record *read_order(sqlite3_stmt *st, apr_pool_t *p)
{
    po_order_record *rec = apr_pcalloc(p, sizeof(*rec));
    po_cursor c = { st };

    rec->site = po_read_text(&c, p);
    rec->buyer = po_read_text(&c, p);
    rec->payload_id = po_read_text(&c, p);
    rec->digest = po_read_text(&c, p);
    rec->test = (int)po_read_int(&c);
    rec->request = po_read_text(&c, p);
    rec->status = (int)po_read_int(&c);
    rec->detail = po_read_text(&c, p);
    rec->held = (int)po_read_int(&c);
    rec->received = po_read_int(&c);
    rec->order_id = po_read_text(&c, p);
    rec->version = po_read_text(&c, p);
    rec->type = po_read_text(&c, p);
    return rec;
}

static apr_status_t first_order(po_ledger_db *db, sqlite3_stmt *st, apr_pool_t *p, po_order_record **out)
{
    apr_status_t rv = po_next(db, st);

    if (rv != APR_SUCCESS)
        return rv;
    *out = read_order(st, p);
    sqlite3_reset(st);
    return APR_SUCCESS;
}

/* Of several documents with one payloadID the one with that digest, else the latest. */
static apr_status_t of_payload(po_ledger_db *db, const char *site, const char *buyer, const char *payload_id,
                               const char *digest, apr_pool_t *p, po_order_record **out)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_OF_PAYLOAD, "SELECT " ORDER_COLUMNS " FROM purchase_order"
                                 " WHERE site = ?1 AND buyer = ?2 AND payload_id = ?3"
                                 " ORDER BY digest = ?4 DESC, seq DESC LIMIT 1") };

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_text(&c, payload_id);
    po_bind_text(&c, digest);
    return first_order(db, c.st, p, out);
}

static apr_status_t of_id(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                          const char *version, apr_pool_t *p, po_order_record **out)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_OF_ID, "SELECT " ORDER_COLUMNS " FROM purchase_order WHERE site = ?1"
                                 " AND buyer = ?2 AND test = ?3 AND order_id = ?4 AND version = ?5 AND type = 'new'") };

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_int(&c, test);
    po_bind_text(&c, order_id);
    po_bind_text(&c, version);
    return first_order(db, c.st, p, out);
}

apr_status_t po_order_find(po_ledger_db *db, const char *site, const char *buyer, const char *payload_id,
                           const char *digest, int test, const char *order_id, const char *version,
                           apr_pool_t *p, po_order_record **out, int *same, int *reused)
{
    apr_status_t rv;

    *out = NULL;
    rv = of_payload(db, site, buyer, payload_id, digest, p, out);
    *same = rv == APR_SUCCESS && !strcmp((*out)->digest, digest);
    *reused = rv == APR_SUCCESS && !*same;
    if (*reused)
        rv = APR_NOTFOUND;
    if (rv == APR_NOTFOUND) {
        *out = NULL;
        if (version)
            rv = of_id(db, site, buyer, test, order_id, version, p, out);
        *same = rv == APR_SUCCESS && !strcmp((*out)->digest, digest);
    }
    return rv;
}

apr_status_t po_order_latest(po_ledger_db *db, const char *site, const char *buyer, int test, const char *refers_to,
                             const char *order_id, apr_pool_t *p, po_order_record **out)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_LATEST, "SELECT " ORDER_COLUMNS " FROM purchase_order WHERE site = ?1"
                                 " AND buyer = ?2 AND test = ?3 AND order_id = ?4 ORDER BY seq DESC LIMIT 1") };
    apr_status_t rv = refers_to ? of_payload(db, site, buyer, refers_to, "", p, out) : APR_NOTFOUND;

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
        return rv;
    if (rv == APR_SUCCESS && (*out)->test == test)
        order_id = (*out)->order_id;
    *out = NULL;
    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_int(&c, test);
    po_bind_text(&c, order_id);
    return first_order(db, c.st, p, out);
}

apr_status_t po_order_list(po_ledger_db *db, const po_order_filter *f, apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_LIST, "SELECT " ORDER_COLUMNS " FROM purchase_order o WHERE site = ?1"
                                 " AND (?2 IS NULL OR buyer = ?2) AND (?3 IS NULL OR order_id = ?3)"
                                 " AND (?4 = 0 OR held <> 0 OR EXISTS (SELECT 1 FROM order_line l JOIN request r"
                                 "  ON r.site = l.site AND r.id = l.request WHERE l.purchase_order = o.seq AND r.state = 8))"
                                 " ORDER BY seq DESC LIMIT ?5") };
    apr_status_t rv;

    *out = apr_array_make(p, 16, sizeof(po_order_record *));
    po_bind_text(&c, f->site);
    po_bind_text(&c, f->buyer);
    po_bind_text(&c, f->order_id);
    po_bind_int(&c, f->held);
    po_bind_int(&c, f->limit > 0 ? f->limit : -1);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(*out, po_order_record *) = read_order(c.st, p);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t po_order_decided(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_DECIDED, "UPDATE purchase_order SET held = 0 WHERE site = ?1"
                                 " AND buyer = ?2 AND test = ?3 AND order_id = ?4 AND held <> 0 AND NOT EXISTS"
                                 " (SELECT 1 FROM purchase_order o JOIN order_line l ON l.purchase_order = o.seq"
                                 "  JOIN request r ON r.site = o.site AND r.id = l.request WHERE o.site = ?1"
                                 "  AND o.buyer = ?2 AND o.test = ?3 AND o.order_id = ?4 AND r.state = 8)") };

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_int(&c, test);
    po_bind_text(&c, order_id);
    return po_step(db, c.st);
}

apr_status_t po_order_left_out(po_ledger_db *db, const po_request *r, const char *order_id, apr_pool_t *p,
                               apr_array_header_t *lines)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_LEFT_OUT, "SELECT c.line FROM (SELECT seq, held, type FROM purchase_order"
                                 "  WHERE site = ?1 AND buyer = ?3 AND test = ?4 AND order_id = ?5 ORDER BY seq DESC LIMIT 1) o"
                                 " JOIN charge c ON c.request = (SELECT seq FROM request WHERE site = ?1 AND id = ?2)"
                                 " WHERE o.held <> 0 AND o.type = 'update' AND c.state = 1 AND c.order_id = ?5"
                                 " AND NOT EXISTS (SELECT 1 FROM order_line l WHERE l.purchase_order = o.seq"
                                 "  AND l.request = ?2 AND l.charge = c.line)") };
    apr_status_t rv;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->id);
    po_bind_text(&c, r->buyer);
    po_bind_int(&c, r->test);
    po_bind_text(&c, order_id);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        po_cursor row = { c.st };

        APR_ARRAY_PUSH(lines, int) = (int)po_read_int(&row);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t insert_header(po_ledger_db *db, const po_order_record *rec, const po_cxml_order *order)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_INSERT, "INSERT INTO purchase_order(" ORDER_COLUMNS ", order_date,"
                                 " order_type, requisition, refers_to, agreement, release_required, total, currency,"
                                 " ship_to, bill_to, contact, extrinsics, difference)"
                                 " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?)") };

    po_bind_text(&c, rec->site);
    po_bind_text(&c, rec->buyer);
    po_bind_text(&c, rec->payload_id);
    po_bind_text(&c, rec->digest);
    po_bind_int(&c, rec->test);
    po_bind_text(&c, rec->request);
    po_bind_int(&c, rec->status);
    po_bind_text(&c, rec->detail);
    po_bind_int(&c, rec->held);
    po_bind_int(&c, rec->received);
    po_bind_text(&c, order->order_id);
    po_bind_text(&c, order->version && *order->version ? order->version : "1");
    po_bind_text(&c, order->type);
    po_bind_text(&c, order->order_date);
    po_bind_text(&c, order->order_type);
    po_bind_text(&c, order->requisition);
    po_bind_text(&c, order->refers_to);
    po_bind_text(&c, order->agreement);
    po_bind_int(&c, order->release_required);
    po_bind_decimal(&c, &order->total);
    po_bind_text(&c, order->currency);
    po_bind_owned_text(&c, address_json(order->ship_to));
    po_bind_owned_text(&c, address_json(order->bill_to));
    po_bind_owned_text(&c, address_json(order->contact));
    po_bind_owned_text(&c, pairs_json(order->extrinsics));
    po_bind_text(&c, rec->difference);
    return po_step(db, c.st);
}

static apr_status_t insert_line(po_ledger_db *db, const char *site, apr_int64_t order, int position,
                                const po_order_match_line *line)
{
    const po_cxml_item *item = line->item;
    po_cursor c = { po_statement(db, PO_SQL_ORDER_LINE_INSERT, "INSERT INTO order_line(purchase_order, position, site,"
                                 " line, part, auxiliary, quantity, unit_price, currency, unit, description, unspsc,"
                                 " requisition, accounting, extrinsics, request, charge)"
                                 " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)") };

    po_bind_int(&c, order);
    po_bind_int(&c, position);
    po_bind_text(&c, site);
    po_bind_int(&c, item->line);
    po_bind_text(&c, item->part);
    po_bind_text(&c, item->auxiliary);
    po_bind_decimal(&c, &item->quantity);
    if (item->has_price)
        po_bind_decimal(&c, &item->unit_price);
    else
        po_bind_text(&c, NULL);
    po_bind_text(&c, item->currency);
    po_bind_text(&c, item->unit);
    po_bind_text(&c, item->description);
    po_bind_text(&c, item->unspsc);
    po_bind_text(&c, item->requisition);
    po_bind_owned_text(&c, pairs_json(item->accounting));
    po_bind_owned_text(&c, pairs_json(item->extrinsics));
    po_bind_text(&c, line->request ? line->request->id : NULL);
    if (line->charge)
        po_bind_int(&c, line->charge->line);
    else
        po_bind_text(&c, NULL);
    return po_step(db, c.st);
}

static apr_status_t insert_lines(po_ledger_db *db, const char *site, const po_cxml_order *order,
                                 const po_order_match *match)
{
    apr_int64_t seq = sqlite3_last_insert_rowid(db->handle);
    int matched = match && match->lines && match->lines->nelts;
    int n = matched ? match->lines->nelts : order->items ? order->items->nelts : 0, i;
    apr_status_t rv = APR_SUCCESS;

    for (i = 0; rv == APR_SUCCESS && i < n; i++) {
        po_order_match_line line = { 0 };

        if (matched)
            line = APR_ARRAY_IDX(match->lines, i, po_order_match_line);
        else
            line.item = &APR_ARRAY_IDX(order->items, i, po_cxml_item);
        rv = insert_line(db, site, seq, i + 1, &line);
    }
    return rv;
}

apr_status_t po_order_insert(po_ledger_db *db, const po_order_record *rec, const po_cxml_order *order,
                             const po_order_match *match)
{
    apr_status_t rv = insert_header(db, rec, order);

    return rv == APR_SUCCESS ? insert_lines(db, rec->site, order, match) : rv;
}

/* ---- subscriptions -------------------------------------------------------------------------------------------- */

apr_status_t po_subscription_put(po_ledger_db *db, const po_request *r, const char *subscription, apr_time_t now)
{
    po_cursor c = { po_statement(db, PO_SQL_SUBSCRIPTION_PUT, "INSERT INTO subscription(site, test, id, buyer, account,"
                                 " product, offer, request, created, updated) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?9)"
                                 " ON CONFLICT(site, test, id) DO UPDATE SET"
                                 " account = ifnull(excluded.account, account), product = excluded.product,"
                                 " offer = excluded.offer, request = excluded.request, updated = excluded.updated") };

    po_bind_text(&c, r->site);
    po_bind_int(&c, r->test);
    po_bind_text(&c, subscription);
    po_bind_text(&c, r->buyer);
    po_bind_text(&c, r->account);
    po_bind_text(&c, r->product);
    po_bind_text(&c, r->offer);
    po_bind_text(&c, r->id);
    po_bind_int(&c, now);
    return po_step(db, c.st);
}
