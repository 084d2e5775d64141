/* order_read.c - purchase orders read back: the requests they concern, and what their latest document said. */
#include "ledger/ledger_private.h"

#include <jansson.h>
#include <string.h>

apr_status_t po_requests_of_order(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                                  apr_pool_t *p, apr_array_header_t *known)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_REQUESTS, "SELECT DISTINCT l.request FROM purchase_order o"
                                 " JOIN order_line l ON l.purchase_order = o.seq WHERE o.site = ?1 AND o.buyer = ?2 AND o.test = ?3"
                                 " AND o.order_id = ?4 AND l.request IS NOT NULL") };
    apr_array_header_t *ids = apr_array_make(p, 4, sizeof(const char *));
    apr_status_t rv;
    po_request *r;
    int i;

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_int(&c, test);
    po_bind_text(&c, order_id);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        po_cursor row = { c.st };

        APR_ARRAY_PUSH(ids, const char *) = po_read_text(&row, p);
    }
    rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    for (i = 0; rv == APR_SUCCESS && i < ids->nelts; i++)
        if ((rv = po_request_get(db, site, APR_ARRAY_IDX(ids, i, const char *), p, &r)) == APR_SUCCESS)
            APR_ARRAY_PUSH(known, po_request *) = r;
    return rv;
}

/* ---- JSON of a column -------------------------------------------------------------------------------------------- */

static json_t *load(po_cursor *c)
{
    const char *text = (const char *)sqlite3_column_text(c->st, c->at++);

    return text ? json_loads(text, 0, NULL) : NULL;
}

static const char *member(json_t *j, const char *name, apr_pool_t *p)
{
    const char *text = json_string_value(json_object_get(j, name));

    return text ? apr_pstrdup(p, text) : NULL;
}

static po_cxml_address *read_address(po_cursor *c, apr_pool_t *p)
{
    json_t *j = load(c);
    po_cxml_address *a;

    if (!j)
        return NULL;
    a = apr_pcalloc(p, sizeof(*a));
    a->id = member(j, "id", p);
    a->role = member(j, "role", p);
    a->name = member(j, "name", p);
    a->email = member(j, "email", p);
    a->phone = member(j, "phone", p);
    a->deliver_to = member(j, "deliverTo", p);
    a->street = member(j, "street", p);
    a->city = member(j, "city", p);
    a->state = member(j, "state", p);
    a->postal_code = member(j, "postalCode", p);
    a->country = member(j, "country", p);
    json_decref(j);
    return a;
}

static const char *element(json_t *pair, apr_size_t i, apr_pool_t *p)
{
    const char *text = json_string_value(json_array_get(pair, i));

    return text ? apr_pstrdup(p, text) : NULL;
}

static apr_array_header_t *read_pairs(po_cursor *c, apr_pool_t *p)
{
    json_t *j = load(c), *pair;
    apr_array_header_t *list;
    apr_size_t i;

    if (!j)
        return NULL;
    list = apr_array_make(p, (int)json_array_size(j), sizeof(po_cxml_extrinsic));
    json_array_foreach(j, i, pair) {
        po_cxml_extrinsic e = { element(pair, 0, p), element(pair, 1, p) };

        APR_ARRAY_PUSH(list, po_cxml_extrinsic) = e;
    }
    json_decref(j);
    return list;
}

/* ---- the order --------------------------------------------------------------------------------------------------- */

static apr_status_t read_lines(po_ledger_db *db, apr_int64_t seq, po_cxml_order *o, apr_pool_t *p)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_READ_LINES, "SELECT line, accounting, request || '.' || charge"
                                 " FROM order_line WHERE purchase_order = ?1 ORDER BY position") };
    apr_status_t rv;

    o->items = apr_array_make(p, 4, sizeof(po_cxml_item));
    po_bind_int(&c, seq);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        po_cxml_item *item = apr_array_push(o->items);
        po_cursor row = { c.st };

        memset(item, 0, sizeof(*item));
        item->line = (int)po_read_int(&row);
        item->accounting = read_pairs(&row, p);
        item->auxiliary = po_read_text(&row, p);        /* of what it was matched to, whatever it said */
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t po_order_read(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                           apr_pool_t *p, po_event_order *out)
{
    /* a request may have been ordered before the buyer's deployment changed: the same mode first, then the other */
    po_cursor c = { po_statement(db, PO_SQL_ORDER_READ, "SELECT seq, payload_id, order_id, version, type, order_date,"
                                 " requisition, ship_to, bill_to, contact, extrinsics FROM purchase_order"
                                 " WHERE site = ?1 AND buyer = ?2 AND test IN (0, 1) AND order_id = ?4 ORDER BY test = ?3 DESC, seq DESC LIMIT 1") };
    po_cxml_order *o = apr_pcalloc(p, sizeof(*o));
    apr_int64_t seq;
    apr_status_t rv;

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_int(&c, test);
    po_bind_text(&c, order_id);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    c.at = 0;
    seq = po_read_int(&c);
    out->payload_id = po_read_text(&c, p);
    o->order_id = po_read_text(&c, p);
    o->version = po_read_text(&c, p);
    o->type = po_read_text(&c, p);
    o->order_date = po_read_text(&c, p);
    o->requisition = po_read_text(&c, p);
    o->ship_to = read_address(&c, p);
    o->bill_to = read_address(&c, p);
    o->contact = read_address(&c, p);
    o->extrinsics = read_pairs(&c, p);
    sqlite3_reset(c.st);
    out->order = o;
    return read_lines(db, seq, o, p);
}

/* ---- what becomes of it ------------------------------------------------------------------------------------------ */

static apr_status_t read_taken_lines(po_ledger_db *db, apr_int64_t seq, po_taken_order *out, apr_pool_t *p)
{
    po_cursor c = { po_statement(db, PO_SQL_ORDER_TAKEN_LINES, "SELECT line, quantity, unit, request, charge"
                                 " FROM order_line WHERE purchase_order = ?1 ORDER BY position") };
    apr_status_t rv, read = APR_SUCCESS;

    out->lines = apr_array_make(p, 4, sizeof(po_taken_line));
    po_bind_int(&c, seq);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        po_taken_line *l = apr_array_push(out->lines);
        po_cursor row = { c.st };

        memset(l, 0, sizeof(*l));
        l->line = (int)po_read_int(&row);
        if (read == APR_SUCCESS)
            read = po_read_decimal(&row, &l->quantity);
        l->unit = po_read_text(&row, p);
        l->request = po_read_text(&row, p);
        l->charge = (int)po_read_int(&row);
    }
    return rv == APR_NOTFOUND ? read : rv;
}

apr_status_t po_order_read_taken(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                                 apr_pool_t *p, po_taken_order *out)
{
    /* as in po_order_read() */
    po_cursor c = { po_statement(db, PO_SQL_ORDER_TAKEN, "SELECT seq, order_id, order_date, payload_id, type,"
                                 " difference, held, release_required, test FROM purchase_order WHERE site = ?1"
                                 " AND buyer = ?2"
                                 " AND test IN (0, 1) AND order_id = ?4 ORDER BY test = ?3 DESC, seq DESC LIMIT 1") };
    apr_int64_t seq;
    apr_status_t rv;

    memset(out, 0, sizeof(*out));
    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_int(&c, test);
    po_bind_text(&c, order_id);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    c.at = 0;
    seq = po_read_int(&c);
    out->order_id = po_read_text(&c, p);
    out->order_date = po_read_text(&c, p);
    out->payload_id = po_read_text(&c, p);
    out->type = po_read_text(&c, p);
    out->difference = po_read_text(&c, p);
    out->held = (int)po_read_int(&c);
    out->release_required = (int)po_read_int(&c);
    out->test = (int)po_read_int(&c);
    sqlite3_reset(c.st);
    return read_taken_lines(db, seq, out, p);
}
