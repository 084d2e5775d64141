/* test_ledger_orders.c - the history of a purchase order: its documents, its requests, what buyers say. */
#include "ledger_fixture.h"

static po_decimal decimal(const char *text)
{
    po_decimal d;

    assert_int_equal(po_decimal_parse(&d, text, -1), APR_SUCCESS);
    return d;
}

/* A request of one contract charge. */
static po_request *insert_request(fixture *f, const char *id)
{
    po_request *r = apr_pcalloc(f->p, sizeof(*r));
    po_charge *c;

    r->id = id;
    r->site = SITE;
    r->buyer = "acme";
    r->state = PO_STATE_REQUESTED;
    r->cart_payload = apr_pstrcat(f->p, "cart-of-", id, NULL);
    r->charges = apr_array_make(f->p, 1, sizeof(po_charge));
    c = apr_array_push(r->charges);
    memset(c, 0, sizeof(*c));
    c->line = 1;
    c->kind = "contract";
    c->part = "off-year";
    c->currency = "USD";
    c->quantity = decimal("2");
    c->unit_price = decimal("1200");
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    return r;
}

static po_cxml_address *address(fixture *f, const char *name)
{
    po_cxml_address *a = apr_pcalloc(f->p, sizeof(*a));

    a->name = name;
    a->city = "K\xc3\xb6ln";
    return a;
}

static apr_array_header_t *pair(fixture *f, const char *name, const char *value)
{
    apr_array_header_t *list = apr_array_make(f->p, 1, sizeof(po_cxml_extrinsic));

    APR_ARRAY_PUSH(list, po_cxml_extrinsic) = (po_cxml_extrinsic){ name, value };
    return list;
}

/* One line, matched to the first charge of r. */
static apr_status_t insert_order(fixture *f, const char *payload, const char *order_id, const char *version,
                                 const char *type, int test, po_request *r)
{
    po_order_record rec = { SITE, "acme", payload, apr_pstrcat(f->p, "digest of ", payload, NULL), test, r->id, 200 };
    po_cxml_order *o = apr_pcalloc(f->p, sizeof(*o));
    po_order_match match = { 200 };
    po_order_match_line *line;
    po_cxml_item *item;

    o->order_id = order_id;
    o->version = version;
    o->type = type;
    o->order_date = "2026-11-23T10:00:00+00:00";
    o->requisition = "R-7";
    o->ship_to = address(f, "Hall 3");
    o->extrinsics = pair(f, "CostCenter", "17");
    o->items = apr_array_make(f->p, 1, sizeof(po_cxml_item));
    item = apr_array_push(o->items);
    memset(item, 0, sizeof(*item));
    item->line = 10;
    item->quantity = decimal("2");
    item->accounting = pair(f, "GL", "4711");
    match.lines = apr_array_make(f->p, 1, sizeof(po_order_match_line));
    line = apr_array_push(match.lines);
    line->item = item;
    line->request = r;
    line->charge = &APR_ARRAY_IDX(r->charges, 0, po_charge);
    return po_order_insert(&f->db, &rec, o, &match);
}

/* ---- history -------------------------------------------------------------------------------------------------- */

static void a_delete_and_an_update_stand_beside_the_new_order_of_their_version(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1");
    po_order_record *rec;
    int same, reused;

    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "1", "update", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-3", "PO-1", "1", "delete", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-4", "PO-1", "1", "delete", 0, r), APR_EEXIST);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM order_line"), 3);
    /* a new order that comes again is compared with the new one */
    assert_int_equal(po_order_find(&f->db, SITE, "acme", "p-9", "digest of p-1", 0, "PO-1", "1", f->p, &rec, &same, &reused),
                     APR_SUCCESS);
    assert_int_equal(same, 1);
    assert_text(rec->type, "new");
    assert_text(rec->payload_id, "p-1");
}

static void latest_is(fixture *f, int test, const char *refers_to, const char *order_id, const char *payload)
{
    po_order_record *rec;
    apr_status_t rv = po_order_latest(&f->db, SITE, "acme", test, refers_to, order_id, f->p, &rec);

    assert_int_equal(rv, payload ? APR_SUCCESS : APR_NOTFOUND);
    if (payload)
        assert_text(rec->payload_id, payload);
}

static void the_latest_document_of_an_order_is_found_by_reference_or_by_its_id(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1");
    po_order_record *rec;

    assert_int_equal(insert_order(f, "p-1", "PO-1", "9", "new", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "10", "update", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-3", "PO-2", "1", "new", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-4", "PO-1", "1", "new", 1, r), APR_SUCCESS);
    latest_is(f, 0, NULL, "PO-1", "p-2");
    latest_is(f, 0, "p-1", "PO-1", "p-2");
    latest_is(f, 0, "p-3", "PO-1", "p-3");      /* the caller sees that it is another order */
    latest_is(f, 0, "p-unknown", "PO-1", "p-2");
    latest_is(f, 0, "p-4", "PO-1", "p-2");      /* a test names nothing in production */
    latest_is(f, 1, "p-1", "PO-1", "p-4");
    latest_is(f, 0, NULL, "PO-3", NULL);
    assert_int_equal(po_order_latest(&f->db, SITE, "bolt", 0, "p-1", "PO-1", f->p, &rec), APR_NOTFOUND);
    assert_int_equal(po_order_latest(&f->db, SITE, "acme", 0, "p-1", "PO-1", f->p, &rec), APR_SUCCESS);
    assert_text(rec->version, "10");
    assert_text(rec->type, "update");
    assert_text(rec->order_id, "PO-1");
}

static void the_requests_of_an_order_are_those_of_all_its_documents_in_that_mode(void **state)
{
    fixture *f = *state;
    po_request *a = insert_request(f, "req-a"), *b = insert_request(f, "req-b"), *c = insert_request(f, "req-c");
    apr_array_header_t *known = apr_array_make(f->p, 2, sizeof(po_request *));

    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, a), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "2", "update", 0, b), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-3", "PO-1", "3", "update", 0, a), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-4", "PO-1", "1", "new", 1, c), APR_SUCCESS);
    assert_int_equal(po_requests_of_order(&f->db, SITE, "acme", 0, "PO-1", f->p, known), APR_SUCCESS);
    assert_int_equal(known->nelts, 2);
    assert_text(APR_ARRAY_IDX(known, 0, po_request *)->id, "req-a");
    assert_int_equal(APR_ARRAY_IDX(known, 0, po_request *)->charges->nelts, 1);
    assert_text(APR_ARRAY_IDX(known, 1, po_request *)->id, "req-b");
}

static void an_order_is_read_back_as_an_event_tells_it(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1");
    const po_cxml_extrinsic *segment;
    po_event_order o;

    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "2", "update", 0, r), APR_SUCCESS);
    assert_int_equal(po_order_read(&f->db, SITE, "acme", 0, "PO-1", f->p, &o), APR_SUCCESS);
    assert_text(o.payload_id, "p-2");
    assert_text(o.order->order_id, "PO-1");
    assert_text(o.order->version, "2");
    assert_text(o.order->order_date, "2026-11-23T10:00:00+00:00");
    assert_text(o.order->requisition, "R-7");
    assert_text(o.order->ship_to->name, "Hall 3");
    assert_text(o.order->ship_to->city, "K\xc3\xb6ln");
    assert_null(o.order->bill_to);
    assert_text(APR_ARRAY_IDX(o.order->extrinsics, 0, po_cxml_extrinsic).name, "CostCenter");
    assert_int_equal(APR_ARRAY_IDX(o.order->items, 0, po_cxml_item).line, 10);
    segment = &APR_ARRAY_IDX(APR_ARRAY_IDX(o.order->items, 0, po_cxml_item).accounting, 0, po_cxml_extrinsic);
    assert_text(segment->value, "4711");
    /* ordered in the other mode, before the buyer's deployment changed */
    assert_int_equal(po_order_read(&f->db, SITE, "acme", 1, "PO-1", f->p, &o), APR_SUCCESS);
    assert_int_equal(po_order_read(&f->db, SITE, "acme", 0, "PO-2", f->p, &o), APR_NOTFOUND);
}

static void the_ordered_quantity_is_kept_beside_the_carts(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1"), *got;
    po_charge *c = &APR_ARRAY_IDX(r->charges, 0, po_charge);
    char text[PO_DECIMAL_TEXT];

    assert_int_equal(po_request_get(&f->db, SITE, "req-1", f->p, &got), APR_SUCCESS);
    assert_ptr_equal(po_charge_quantity(&APR_ARRAY_IDX(got->charges, 0, po_charge)),
                     &APR_ARRAY_IDX(got->charges, 0, po_charge).quantity);
    assert_int_equal(got->told, 0);
    c->ordered = decimal("7.5");
    r->told = 1;
    r->test = 1;
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_request_get(&f->db, SITE, "req-1", f->p, &got), APR_SUCCESS);
    c = &APR_ARRAY_IDX(got->charges, 0, po_charge);
    assert_text(po_decimal_text(&c->quantity, 0, text), "2");
    assert_text(po_decimal_text(po_charge_quantity(c), 0, text), "7.5");
    assert_int_equal(got->told, 1);
    assert_int_equal(got->test, 1);
}

/* ---- judging -------------------------------------------------------------------------------------------------- */

static po_buyer acme(void)
{
    po_buyer b;

    memset(&b, 0, sizeof(b));
    b.name = "acme";
    b.profile = *po_profile_find("generic");
    b.deployment = PO_DEPLOYMENT_PRODUCTION;
    return b;
}

/* An order of one line: 2 x 1200 of off-year. */
static po_cxml_order order_of(fixture *f, const char *order_id, const char *version, const char *type, const char *auxiliary)
{
    po_cxml_order o;
    po_cxml_item *item;

    memset(&o, 0, sizeof(o));
    o.order_id = order_id;
    o.version = version;
    o.type = type;
    o.items = apr_array_make(f->p, 1, sizeof(po_cxml_item));
    item = apr_array_push(o.items);
    memset(item, 0, sizeof(*item));
    item->line = 1;
    item->auxiliary = auxiliary;
    item->part = "off-year";
    item->quantity = decimal("2");
    item->unit_price = decimal("1200");
    item->has_price = item->has_detail = 1;
    item->currency = "USD";
    return o;
}

static po_order_verdict judged(fixture *f, const char *payload, po_cxml_order o, int test)
{
    po_buyer buyer = acme();
    po_order_case c = { SITE, &buyer, payload, &o, PO_ORDER_NEW, test, apr_pstrcat(f->p, "digest of ", payload, NULL), 99 };
    po_order_verdict v;

    assert_true(po_order_type_find(o.type, &c.type));
    assert_int_equal(po_order_judge(&f->db, &c, &v, f->p), APR_SUCCESS);
    return v;
}

static void a_new_order_is_no_older_than_what_was_taken_of_it(void **state)
{
    static const struct { const char *version; int status; } rows[] = {
        { "2", 409 }, { "2.5", 409 }, { "3", 409 }, { "03", 409 }, { "4", 200 } };
    fixture *f = *state;
    po_request *r = insert_request(f, "req-a");
    po_order_verdict v;
    size_t i;

    insert_request(f, "req-b");
    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "3", "update", 0, r), APR_SUCCESS);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        v = judged(f, "p-3", order_of(f, "PO-1", rows[i].version, "new", "req-b.1"), 0);
        if (v.status != rows[i].status)
            fail_msg("version %s: status %d: %s", rows[i].version, v.status, v.detail ? v.detail : "");
        if (v.status == 409)
            assert_contains(v.detail, "version 3 of order PO-1 was taken already (payloadID p-2)");
    }
    assert_int_equal(judged(f, "p-3", order_of(f, "PO-1", NULL, "new", "req-b.1"), 1).status, 200);
    /* the same again in another document, as it came first */
    assert_int_equal(judged(f, "p-1", order_of(f, "PO-1", "1", "new", "req-a.1"), 0).again, 1);
}

static void a_line_without_auxiliary_id_means_a_request_of_its_own_mode(void **state)
{
    fixture *f = *state;
    po_request *tests[3], *r;
    po_order_verdict v;
    int i;

    for (i = 0; i < 3; i++) {
        tests[i] = insert_request(f, apr_psprintf(f->p, "req-t%d", i));
        tests[i]->test = 1;
        assert_int_equal(po_request_update(&f->db, tests[i]), APR_SUCCESS);
    }
    v = judged(f, "p-1", order_of(f, "PO-1", NULL, "new", NULL), 0);
    assert_int_equal(v.status, 409);
    r = insert_request(f, "req-real");
    v = judged(f, "p-1", order_of(f, "PO-1", NULL, "new", NULL), 0);
    if (v.status != 200 || v.match.held)
        fail_msg("status %d: %s", v.status, v.detail ? v.detail : "");
    assert_text(APR_ARRAY_IDX(v.match.requests, 0, po_request *)->id, r->id);
    assert_int_equal(APR_ARRAY_IDX(v.match.requests, 0, po_request *)->test, 0);
    assert_int_equal(judged(f, "p-1", order_of(f, "PO-1", NULL, "new", NULL), 1).match.held, 1);
}

/* ---- what a buyer says about a document ----------------------------------------------------------------------- */

static void say(fixture *f, const char *buyer, const char *refers_to, const char *body)
{
    po_document d = { SITE, buyer, "status-1", "StatusUpdateRequest", refers_to, body, 0, 55 };

    assert_int_equal(po_document_insert_status(&f->db, &d, f->p), APR_SUCCESS);
}

static void told_about(fixture *f, const char *request, int n, const char *last)
{
    apr_array_header_t *list;

    assert_int_equal(po_documents_of_request(&f->db, SITE, request, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, n);
    if (n) {
        assert_text(APR_ARRAY_IDX(list, n - 1, po_document *)->body, last);
        assert_int_equal(APR_ARRAY_IDX(list, n - 1, po_document *)->at, 55);
    }
}

static void a_status_is_kept_with_the_requests_of_the_order_or_cart_that_it_names(void **state)
{
    fixture *f = *state;
    po_request *a = insert_request(f, "req-a"), *b = insert_request(f, "req-b");
    po_document cart = { SITE, "acme", "cart-of-req-b", "PunchOutOrderMessage", "req-b", "<cXML/>", 1, 55 };
    po_document invoice = { SITE, "acme", "invoice-1", "InvoiceDetailRequest", "p-1", "<cXML/>", 1, 55 };

    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, a), APR_SUCCESS);
    assert_int_equal(po_document_insert(&f->db, &cart), APR_SUCCESS);
    assert_int_equal(po_document_insert(&f->db, &invoice), APR_SUCCESS);
    say(f, "acme", "p-1", "200 taken");
    told_about(f, a->id, 1, "200 taken");
    told_about(f, b->id, 0, NULL);
    say(f, "acme", "cart-of-req-b", "201 in approval");
    told_about(f, b->id, 1, "201 in approval");
    say(f, "acme", "invoice-1", "200 paid");
    told_about(f, a->id, 2, "200 paid");
    say(f, "bolt", "p-1", "another buyer's word");
    say(f, "bolt", "cart-of-req-b", "another buyer's word");
    say(f, "acme", "unknown", "200 kept all the same");
    say(f, "acme", NULL, "200 about nothing");
    told_about(f, a->id, 2, "200 paid");
    told_about(f, b->id, 1, "201 in approval");
    assert_int_equal(number(&f->db, "SELECT count(*) FROM document WHERE kind = 'StatusUpdateRequest'"), 7);
}

static void what_a_buyer_says_under_the_number_of_a_cart_never_stands_in_its_place(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1");
    po_document cart = { SITE, "acme", "status-1", "PunchOutOrderMessage", "req-1", "<cXML/>", 1, 55 }, *got;

    assert_int_equal(po_document_insert(&f->db, &cart), APR_SUCCESS);
    say(f, "acme", "status-1", "201 under the number that it refers to");
    told_about(f, r->id, 1, "201 under the number that it refers to");
    say(f, "bolt", NULL, "200 of a stranger");
    assert_int_equal(po_document_get(&f->db, SITE, "status-1", f->p, &got), APR_SUCCESS);
    assert_text(got->body, "<cXML/>");
}

static void no_statement_about_the_history_reads_a_whole_table(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1");
    po_document cart = { SITE, "acme", "cart-1", "PunchOutOrderMessage", "req-1", "<cXML/>", 1, 55 };
    apr_array_header_t *known = apr_array_make(f->p, 2, sizeof(po_request *));
    po_event_order o;

    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, r), APR_SUCCESS);
    assert_int_equal(po_document_insert(&f->db, &cart), APR_SUCCESS);
    latest_is(f, 0, "p-1", "PO-1", "p-1");
    assert_int_equal(po_requests_of_order(&f->db, SITE, "acme", 0, "PO-1", f->p, known), APR_SUCCESS);
    assert_int_equal(po_order_read(&f->db, SITE, "acme", 0, "PO-1", f->p, &o), APR_SUCCESS);
    say(f, "acme", "cart-1", "200");
    told_about(f, "req-1", 1, "200");
    assert_indexed(f, 12);
}

/* ---- a ledger of the first version ---------------------------------------------------------------------------- */

static const char rows_of_version_1[] =
    "INSERT INTO meta VALUES('key', zeroblob(32));"
    "INSERT INTO request(seq, site, id, buyer, state, test, terms_at, created, updated, expires) VALUES"
    " (1, 'https://market.example', 'req-1', 'acme', 5, 0, 0, 1, 1, 0), (2, 'https://market.example', 'req-2', 'acme', 1, 0, 0, 1, 1, 0);"
    "INSERT INTO charge(request, line, site, buyer, kind, part, currency, quantity, unit_price, state, order_id, order_line) VALUES"
    " (1, 1, 'https://market.example', 'acme', 'contract', 'off-year', 'USD', '2', '1200', 1, 'PO-1', 10),"
    " (2, 1, 'https://market.example', 'acme', 'contract', 'off-year', 'USD', '3', '1200', 0, NULL, 0);"
    "INSERT INTO purchase_order(seq, site, buyer, payload_id, digest, test, order_id, version, status, held, received, type, total,"
    " extrinsics) VALUES(17, 'https://market.example', 'acme', 'p-1', 'd1', 0, 'PO-1', '1', 200, 0, 77, NULL, '2400', '[[\"a\",\"b\"]]');"
    "INSERT INTO order_line(purchase_order, position, site, line, quantity, request, charge)"
    " VALUES(17, 1, 'https://market.example', 10, '2', 'req-1', 1);"
    "INSERT INTO outbox(site, key, channel, class, request, state, due, tries, created)"
    " VALUES('https://market.example', 'evt-1', 'event', 0, 'req-1', 1, 0, 1, 1);";

static void make_version(fixture *f, int version)
{
    int step;
    char pragmas[80];

    po_db_close(&f->db, 0);
    unlink(f->path);
    unlink(apr_pstrcat(f->p, f->path, "-wal", NULL));
    unlink(apr_pstrcat(f->p, f->path, "-shm", NULL));
    assert_int_equal(sqlite3_open(f->path, &f->db.handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(f->db.handle, po_schema[0], NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(f->db.handle, rows_of_version_1, NULL, NULL, NULL), SQLITE_OK);
    for (step = 1; step < version; step++)
        assert_int_equal(sqlite3_exec(f->db.handle, po_schema[step], NULL, NULL, NULL), SQLITE_OK);
    apr_snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%d", PO_APPLICATION_ID,
                 version);
    assert_int_equal(sqlite3_exec(f->db.handle, pragmas, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(f->db.handle);
    memset(&f->db, 0, sizeof(f->db));
}

static void a_ledger_of_version_1_keeps_its_rows_and_takes_what_is_new(void **state)
{
    fixture *f = *state;
    po_request *r;
    po_event_order o;

    make_version(f, 1);
    assert_text(po_ledger_migrate(f->path, f->p), NULL);
    assert_text(po_ledger_migrate(f->path, f->p), NULL);
    assert_int_equal(po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE), SQLITE_OK);
    assert_int_equal(number(&f->db, "PRAGMA user_version"), PO_SCHEMA_VERSION);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM pragma_foreign_key_list('order_line') WHERE [table] = 'purchase_order'"), 1);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM purchase_order JOIN order_line ON purchase_order = seq WHERE seq = 17"
                            " AND type = 'new' AND total = '2400' AND received = 77 AND payload_id = 'p-1' AND line = 10"), 1);
    assert_int_equal(number(&f->db, "SELECT length(value) FROM meta WHERE name = 'key'"), 32);
    assert_int_equal(po_request_get(&f->db, SITE, "req-1", f->p, &r), APR_SUCCESS);
    assert_int_equal(r->told, 1);
    assert_true(APR_ARRAY_IDX(r->charges, 0, po_charge).ordered.value != 0);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "1", "delete", 0, r), APR_SUCCESS);
    assert_int_equal(po_order_read(&f->db, SITE, "acme", 0, "PO-1", f->p, &o), APR_SUCCESS);
    assert_text(o.payload_id, "p-2");
    assert_int_equal(po_request_get(&f->db, SITE, "req-2", f->p, &r), APR_SUCCESS);
    assert_int_equal(r->told, 0);
    assert_true(APR_ARRAY_IDX(r->charges, 0, po_charge).ordered.value == 0);
}

static void a_ledger_of_version_2_knows_what_it_has_told(void **state)
{
    fixture *f = *state;
    po_request *r;

    make_version(f, 2);
    assert_text(po_ledger_migrate(f->path, f->p), NULL);
    assert_int_equal(po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE), SQLITE_OK);
    assert_int_equal(number(&f->db, "PRAGMA user_version"), PO_SCHEMA_VERSION);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    assert_int_equal(po_request_get(&f->db, SITE, "req-1", f->p, &r), APR_SUCCESS);
    assert_int_equal(po_approvals_to_tell(r, f->p)->nelts, 0);
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_request_get(&f->db, SITE, "req-2", f->p, &r), APR_SUCCESS);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).told, 0);
    assert_int_equal(po_request_expire(&f->db, 2, 0, &(int){ 0 }), APR_SUCCESS);
}

/* Each look at the outbox for one request would read it whole: minutes at the start, for the square of the rows. */
static void a_large_ledger_of_version_1_is_migrated_in_one_pass(void **state)
{
    fixture *f = *state;
    const char *step, *end;
    sqlite3_stmt *plan;

    make_version(f, 1);
    assert_text(po_ledger_migrate(f->path, f->p), NULL);
    assert_int_equal(po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE), SQLITE_OK);
    step = strstr(po_schema[1], "UPDATE request SET told");
    assert_non_null(step);
    end = strchr(step, ';');
    step = apr_pstrcat(f->p, "EXPLAIN QUERY PLAN ", apr_pstrmemdup(f->p, step, (apr_size_t)(end - step)), NULL);
    assert_int_equal(sqlite3_prepare_v2(f->db.handle, step, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW)
        assert_null(strstr((const char *)sqlite3_column_text(plan, 3), "CORRELATED"));
    sqlite3_finalize(plan);
}

/* ---- what a buyer is told ---------------------------------------------------------------------------------------- */

static void the_latest_document_of_an_order_is_read_with_its_lines(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1");
    po_taken_order o;
    po_taken_line *l;

    assert_int_equal(po_order_read_taken(&f->db, SITE, "acme", 0, "PO-1", f->p, &o), APR_NOTFOUND);
    assert_int_equal(insert_order(f, "p-1", "PO-1", "1", "new", 0, r), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "PO-1", "2", "update", 0, r), APR_SUCCESS);
    assert_int_equal(po_order_read_taken(&f->db, SITE, "acme", 0, "PO-1", f->p, &o), APR_SUCCESS);
    assert_text(o.order_id, "PO-1");
    assert_text(o.payload_id, "p-2");
    assert_text(o.type, "update");
    assert_text(o.order_date, "2026-11-23T10:00:00+00:00");
    assert_null(o.difference);
    assert_int_equal(o.held, 0);
    assert_int_equal(o.lines->nelts, 1);
    l = &APR_ARRAY_IDX(o.lines, 0, po_taken_line);
    assert_int_equal(l->line, 10);
    assert_int_equal(l->quantity.value, 2);
    assert_text(l->request, "req-1");
    assert_int_equal(l->charge, 1);
    assert_null(l->about);
}

static void what_was_told_last_of_an_order_is_kept_by_mode(void **state)
{
    fixture *f = *state;
    po_confirmation_record c = { SITE, "acme", 0, "PO-1", "doc-1", "cnf-1", "d1" }, read = { SITE, "acme", 0, "PO-1" };

    assert_int_equal(po_confirmation_last(&f->db, &read, f->p), APR_NOTFOUND);
    assert_null(read.digest);
    assert_int_equal(po_confirmation_put(&f->db, &c), APR_SUCCESS);
    c.payload_id = "doc-2";
    c.digest = "d2";
    assert_int_equal(po_confirmation_put(&f->db, &c), APR_SUCCESS);
    assert_int_equal(po_confirmation_last(&f->db, &read, f->p), APR_SUCCESS);
    assert_text(read.payload_id, "doc-2");
    assert_text(read.confirm_id, "cnf-1");
    assert_text(read.digest, "d2");
    read.test = 1;
    assert_int_equal(po_confirmation_last(&f->db, &read, f->p), APR_NOTFOUND);
    assert_indexed(f, 2);
}

static void a_status_about_a_document_of_several_orders_finds_the_request_that_it_was_queued_for(void **state)
{
    fixture *f = *state;
    po_outbox_row row = { .key = "doc-1", .site = SITE, .channel = "post:acme", .buyer = "acme", .request = "req-1",
                          .recipients = "invoice", .body = "<cXML/>" };
    po_document ours = { SITE, "acme", "doc-1", "InvoiceDetailRequest", NULL, "<cXML/>", 1, 5 };
    po_document status = { SITE, "acme", "s-1", "StatusUpdateRequest", "doc-1", "200 OK", 0, 6 };
    apr_array_header_t *list;

    insert_request(f, "req-1");
    assert_int_equal(po_document_insert(&f->db, &ours), APR_SUCCESS);
    assert_int_equal(po_outbox_add(&f->db, &row, 0), APR_SUCCESS);
    assert_int_equal(po_document_insert_status(&f->db, &status, f->p), APR_SUCCESS);
    assert_int_equal(po_documents_of_request(&f->db, SITE, "req-1", f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_text(APR_ARRAY_IDX(list, 0, po_document *)->payload_id, "s-1");
    status.buyer = "globex";            /* another buyer that says it of a document that it never got */
    assert_int_equal(po_document_insert_status(&f->db, &status, f->p), APR_SUCCESS);
    assert_int_equal(po_documents_of_request(&f->db, SITE, "req-1", f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_indexed(f, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_delete_and_an_update_stand_beside_the_new_order_of_their_version),
        T(the_latest_document_of_an_order_is_found_by_reference_or_by_its_id),
        T(the_requests_of_an_order_are_those_of_all_its_documents_in_that_mode),
        T(an_order_is_read_back_as_an_event_tells_it),
        T(the_ordered_quantity_is_kept_beside_the_carts),
        T(a_new_order_is_no_older_than_what_was_taken_of_it),
        T(a_line_without_auxiliary_id_means_a_request_of_its_own_mode),
        T(a_status_is_kept_with_the_requests_of_the_order_or_cart_that_it_names),
        T(what_a_buyer_says_under_the_number_of_a_cart_never_stands_in_its_place),
        T(no_statement_about_the_history_reads_a_whole_table),
        T(the_latest_document_of_an_order_is_read_with_its_lines),
        T(what_was_told_last_of_an_order_is_kept_by_mode),
        T(a_status_about_a_document_of_several_orders_finds_the_request_that_it_was_queued_for),
        T(a_ledger_of_version_1_keeps_its_rows_and_takes_what_is_new),
        T(a_ledger_of_version_2_knows_what_it_has_told),
        T(a_large_ledger_of_version_1_is_migrated_in_one_pass),
    };

    apr_initialize();
    atexit(apr_terminate);
    return cmocka_run_group_tests_name("ledger_orders", tests, NULL, NULL);
}
