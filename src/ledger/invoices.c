/* invoices.c - invoices that the backend handed over: kept once, with what is invoiced of each charge. */
#include "ledger/ledger_private.h"

#include <string.h>

#define INVOICE_COLUMNS \
    "i.site, i.number, i.buyer, i.seller, i.digest, i.payload_id, i.credit_memo, i.original, i.date, i.currency, " \
    "i.subtotal, i.tax, i.total, i.created, o.state, o.tries, o.answer"
#define FROM_INVOICE " FROM invoice i LEFT JOIN outbox o ON o.key = i.payload_id"

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

static apr_status_t insert_line(po_ledger_db *db, const char *site, apr_int64_t invoice, int line,
                                const po_invoice_item *n)
{
    po_cursor c = { po_statement(db, PO_SQL_INVOICE_LINE_INSERT, "INSERT INTO invoice_line(site, request, charge,"
                                 " invoice, line, order_id, quantity, unit_price, amount) VALUES(?,?,?,?,?,?,?,?,?)") };

    po_bind_text(&c, site);
    po_bind_text(&c, n->request->id);
    po_bind_int(&c, n->charge->line);
    po_bind_int(&c, invoice);
    po_bind_int(&c, line);
    po_bind_text(&c, n->charge->order_id);
    po_bind_decimal(&c, &n->line->quantity);
    po_bind_decimal(&c, &n->line->unit_price);
    po_bind_decimal(&c, &n->line->amount);
    return po_step(db, c.st);
}

apr_status_t po_invoice_insert(po_ledger_db *db, const po_invoice_record *r, const po_invoice_verdict *v)
{
    po_cursor c = { po_statement(db, PO_SQL_INVOICE_INSERT, "INSERT INTO invoice(site, number, buyer, seller, digest,"
                                 " payload_id, credit_memo, original, date, currency, subtotal, tax, total, created)"
                                 " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)") };
    apr_int64_t seq;
    apr_status_t rv;
    int i;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->number);
    po_bind_text(&c, r->buyer);
    po_bind_text(&c, r->seller);
    po_bind_text(&c, r->digest);
    po_bind_text(&c, r->payload_id);
    po_bind_int(&c, r->credit_memo);
    po_bind_text(&c, r->original);
    po_bind_text(&c, r->date);
    po_bind_text(&c, r->currency);
    po_bind_decimal(&c, &r->subtotal);
    po_bind_decimal(&c, &r->tax);
    po_bind_decimal(&c, &r->total);
    po_bind_int(&c, r->created);
    rv = po_step(db, c.st);
    seq = sqlite3_last_insert_rowid(db->handle);
    for (i = 0; rv == APR_SUCCESS && i < v->items->nelts; i++)
        rv = insert_line(db, r->site, seq, i + 1, &APR_ARRAY_IDX(v->items, i, po_invoice_item));
    return rv;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static apr_status_t read_invoice(sqlite3_stmt *st, apr_pool_t *p, po_invoice_record **out)
{
    po_invoice_record *r = *out = apr_pcalloc(p, sizeof(*r));
    po_cursor c = { st };

    r->site = po_read_text(&c, p);
    r->number = po_read_text(&c, p);
    r->buyer = po_read_text(&c, p);
    r->seller = po_read_text(&c, p);
    r->digest = po_read_text(&c, p);
    r->payload_id = po_read_text(&c, p);
    r->credit_memo = (int)po_read_int(&c);
    r->original = po_read_text(&c, p);
    r->date = po_read_text(&c, p);
    r->currency = po_read_text(&c, p);
    if (po_read_decimal(&c, &r->subtotal) != APR_SUCCESS || po_read_decimal(&c, &r->tax) != APR_SUCCESS
        || po_read_decimal(&c, &r->total) != APR_SUCCESS)
        return APR_EGENERAL;
    r->created = po_read_int(&c);
    r->state = (po_outbox_state)po_read_int(&c);
    r->tries = (int)po_read_int(&c);
    r->answer = po_read_text(&c, p);
    return APR_SUCCESS;
}

apr_status_t po_invoice_get(po_ledger_db *db, const char *site, const char *number, apr_pool_t *p,
                            po_invoice_record **out)
{
    po_cursor c = { po_statement(db, PO_SQL_INVOICE_GET, "SELECT " INVOICE_COLUMNS FROM_INVOICE
                                 " WHERE i.site = ?1 AND i.number = ?2") };
    apr_status_t rv;

    *out = NULL;
    po_bind_text(&c, site);
    po_bind_text(&c, number);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    rv = read_invoice(c.st, p, out);
    sqlite3_reset(c.st);
    return rv;
}

apr_status_t po_invoice_list(po_ledger_db *db, const char *site, const char *buyer, int limit, apr_pool_t *p,
                             apr_array_header_t **out)
{
    po_cursor c = { 0 };
    apr_status_t rv, read = APR_SUCCESS;

    if (buyer)
        c.st = po_statement(db, PO_SQL_INVOICE_LIST_BUYER, "SELECT " INVOICE_COLUMNS FROM_INVOICE
                            " WHERE i.site = ?1 AND i.buyer = ?3 ORDER BY i.seq DESC LIMIT ?2");
    else
        c.st = po_statement(db, PO_SQL_INVOICE_LIST, "SELECT " INVOICE_COLUMNS FROM_INVOICE
                            " WHERE i.seq > 0 AND i.site = ?1 ORDER BY i.seq DESC LIMIT ?2");
    *out = apr_array_make(p, 16, sizeof(po_invoice_record *));
    po_bind_text(&c, site);
    po_bind_int(&c, limit);
    if (buyer)
        po_bind_text(&c, buyer);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        po_invoice_record **next = apr_array_push(*out);

        if (read == APR_SUCCESS)
            read = read_invoice(c.st, p, next);
    }
    return rv == APR_NOTFOUND ? read : rv;
}

/* ---- what an invoice is about ------------------------------------------------------------------------------------ */

apr_status_t po_invoice_requests(po_ledger_db *db, const char *site, const po_invoice *i, apr_pool_t *p,
                                 apr_array_header_t **out)
{
    apr_hash_t *seen = apr_hash_make(p);
    apr_status_t rv = APR_SUCCESS;
    po_request *r;
    int n;

    *out = apr_array_make(p, 4, sizeof(po_request *));
    for (n = 0; rv == APR_SUCCESS && n < i->lines->nelts; n++) {
        const char *id = APR_ARRAY_IDX(i->lines, n, po_invoice_line).request;

        if (apr_hash_get(seen, id, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(seen, id, APR_HASH_KEY_STRING, id);
        rv = po_request_get(db, site, id, p, &r);
        if (rv == APR_SUCCESS)
            APR_ARRAY_PUSH(*out, po_request *) = r;
        else if (rv == APR_NOTFOUND)
            rv = APR_SUCCESS;
    }
    return rv;
}

static apr_status_t add(po_decimal *sum, po_decimal amount, int negative)
{
    if (negative)
        amount.value = -amount.value;
    return po_decimal_add(sum, sum, &amount);
}

/* One row of what was invoiced of a charge. original: the invoice that a credit memo is judged against; NULL: none
 * is. */
static apr_status_t add_row(po_invoice_past *past, sqlite3_stmt *st, const char *original, apr_pool_t *p)
{
    po_cursor c = { st };
    po_decimal amount;
    const char *number, *credits;
    int credit_memo, undecided;
    apr_status_t rv = po_read_decimal(&c, &amount);

    credit_memo = (int)po_read_int(&c);
    number = po_read_text(&c, p);
    credits = po_read_text(&c, p);
    undecided = (int)po_read_int(&c);
    if (rv == APR_SUCCESS && !(credit_memo && undecided))
        rv = add(&past->amount, amount, credit_memo);
    if (!credit_memo)
        past->number = number;
    if (rv == APR_SUCCESS && original && !strcmp(original, credit_memo ? credits : number))
        rv = add(&past->credited, amount, credit_memo);
    return rv;
}

static apr_status_t past_of(po_ledger_db *db, const char *site, const char *original, po_invoice_past *past,
                            apr_pool_t *p)
{
    /* what the buyer refused for good (3) he does not owe, and nothing is given back of it; a credit memo that waits or is
     * parked (0, 2) may still be refused */
    po_cursor c = { po_statement(db, PO_SQL_INVOICE_PAST, "SELECT l.amount, i.credit_memo, i.number, i.original,"
                                 " (SELECT state FROM outbox WHERE key = i.payload_id) IN (0, 2)"
                                 " FROM invoice_line l JOIN invoice i ON i.seq = l.invoice"
                                 " LEFT JOIN invoice credited ON credited.site = i.site"
                                 " AND credited.number = i.original"
                                 " WHERE l.site = ?1 AND l.request = ?2 AND l.charge = ?3"
                                 " AND (SELECT state FROM outbox WHERE key = i.payload_id) IS NOT 3"
                                 " AND (SELECT state FROM outbox WHERE key = credited.payload_id) IS NOT 3") };
    apr_status_t rv, read = APR_SUCCESS;

    po_bind_text(&c, site);
    po_bind_text(&c, past->request);
    po_bind_int(&c, past->charge);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS)
        if (read == APR_SUCCESS)
            read = add_row(past, c.st, original, p);
    return rv == APR_NOTFOUND ? read : rv;
}

apr_status_t po_invoice_pasts(po_ledger_db *db, const char *site, const po_invoice *i, apr_pool_t *p,
                              apr_array_header_t **out)
{
    apr_hash_t *seen = apr_hash_make(p);
    apr_status_t rv = APR_SUCCESS;
    int n;

    *out = apr_array_make(p, 4, sizeof(po_invoice_past));
    for (n = 0; rv == APR_SUCCESS && n < i->lines->nelts; n++) {
        const po_invoice_line *l = &APR_ARRAY_IDX(i->lines, n, po_invoice_line);
        const char *key = apr_psprintf(p, "%s.%d", l->request, l->charge);
        po_invoice_past *past;

        if (apr_hash_get(seen, key, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(seen, key, APR_HASH_KEY_STRING, key);
        past = apr_array_push(*out);
        memset(past, 0, sizeof(*past));
        past->request = l->request;
        past->charge = l->charge;
        rv = past_of(db, site, i->original, past, p);
    }
    return rv;
}

/* ---- its purchase orders ----------------------------------------------------------------------------------------- */

/* The line as the latest document about the order spells it, rather one that was taken than one that is held. */
static apr_status_t read_line(po_ledger_db *db, const char *site, const char *buyer, const char *order_id,
                              po_invoice_past *past, apr_pool_t *p)
{
    po_cursor c = { po_statement(db, PO_SQL_INVOICE_ORDER_LINE, "SELECT l.unit, l.part, l.auxiliary, l.currency,"
                                 " l.unit_price IS NOT NULL, ifnull(l.unit_price, '0'), l.quantity"
                                 " FROM purchase_order o"
                                 " JOIN order_line l ON l.purchase_order = o.seq WHERE o.site = ?1 AND o.buyer = ?2"
                                 " AND o.test IN (0, 1) AND o.order_id = ?3 AND l.request = ?4 AND l.charge = ?5"
                                 " ORDER BY o.held, o.seq DESC LIMIT 1") };
    po_cxml_item *item;
    apr_status_t rv;

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_text(&c, order_id);
    po_bind_text(&c, past->request);
    po_bind_int(&c, past->charge);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    c.at = 0;
    item = apr_pcalloc(p, sizeof(*item));
    item->unit = po_read_text(&c, p);
    item->part = po_read_text(&c, p);
    item->auxiliary = po_read_text(&c, p);
    item->currency = po_read_text(&c, p);
    item->has_price = (int)po_read_int(&c);
    rv = po_read_decimal(&c, &item->unit_price);
    if (rv == APR_SUCCESS)
        rv = po_read_decimal(&c, &item->quantity);
    sqlite3_reset(c.st);
    past->ordered = item;
    return rv;
}

static const char *order_of(const apr_array_header_t *requests, const po_invoice_past *past)
{
    int i, n;

    for (i = 0; i < requests->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(requests, i, po_request *);

        for (n = 0; !strcmp(r->id, past->request) && n < r->charges->nelts; n++)
            if (APR_ARRAY_IDX(r->charges, n, po_charge).line == past->charge)
                return APR_ARRAY_IDX(r->charges, n, po_charge).order_id;
    }
    return NULL;
}

apr_status_t po_invoice_order_lines(po_ledger_db *db, const char *site, const char *buyer,
                                    const apr_array_header_t *requests, apr_array_header_t *past, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < past->nelts; i++) {
        po_invoice_past *next = &APR_ARRAY_IDX(past, i, po_invoice_past);
        const char *order_id = order_of(requests, next);

        if (order_id)
            rv = read_line(db, site, buyer, order_id, next, p);
    }
    return rv;
}

apr_status_t po_invoice_orders(po_ledger_db *db, const char *site, const char *buyer, po_invoice_verdict *v,
                               apr_pool_t *p)
{
    apr_hash_t *seen = apr_hash_make(p);
    apr_status_t rv = APR_SUCCESS;
    int i;

    v->orders = apr_array_make(p, 2, sizeof(po_event_order));
    for (i = 0; rv == APR_SUCCESS && i < v->items->nelts; i++) {
        const po_invoice_item *n = &APR_ARRAY_IDX(v->items, i, po_invoice_item);
        const char *id = n->charge->order_id;

        if (apr_hash_get(seen, id, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(seen, id, APR_HASH_KEY_STRING, id);
        rv = po_order_read(db, site, buyer, n->request->test, id, p, apr_array_push(v->orders));
    }
    return rv;
}
