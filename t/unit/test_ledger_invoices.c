/* test_ledger_invoices.c - invoices in the ledger: kept once, and what counts as invoiced of a charge. */
#include "ledger_fixture.h"

static po_decimal dec(const char *text)
{
    po_decimal d;

    assert_int_equal(po_decimal_parse(&d, text, -1), APR_SUCCESS);
    return d;
}

/* Keeps an invoice of req-a.1, its document in the outbox in that state. */
static apr_status_t keep(fixture *f, const char *number, const char *original, const char *amount, po_outbox_state state)
{
    static po_request request;
    static po_charge charge;
    po_invoice_record r = { SITE, number, "acme", "Keeper Ltd", "d1", apr_pstrcat(f->p, "p-", number, NULL), original != NULL,
                            original, "2026-11-30T12:00:00+00:00", "USD" };
    po_invoice_line line = { "req-a", 1, dec("1"), dec(amount), dec(amount) };
    po_invoice_item item = { &line, &request, &charge };
    po_invoice_verdict v = { 200, NULL, apr_array_make(f->p, 1, sizeof(po_invoice_item)) };
    po_outbox_row row = { 0 };
    apr_status_t rv;

    request.id = "req-a";
    charge.line = 1;
    charge.order_id = "PO-17";
    APR_ARRAY_PUSH(v.items, po_invoice_item) = item;
    r.subtotal = r.total = dec(amount);
    rv = po_invoice_insert(&f->db, &r, &v);
    if (rv != APR_SUCCESS)
        return rv;
    row.key = r.payload_id;
    row.site = SITE;
    row.channel = "mail";
    assert_int_equal(po_outbox_add(&f->db, &row, 0), APR_SUCCESS);
    sqlite3_exec(f->db.handle, apr_psprintf(f->p, "UPDATE outbox SET state = %d, answer = 'said' WHERE key = '%s'", (int)state,
                                            r.payload_id), NULL, NULL, NULL);
    return rv;
}

static po_invoice_past past_of(fixture *f, const char *original)
{
    po_invoice_line lines[2] = { { "req-a", 1 }, { "req-a", 1 } };
    po_invoice i = { "INV-9" };
    apr_array_header_t *past;

    i.original = original;
    i.lines = apr_array_make(f->p, 2, sizeof(po_invoice_line));
    APR_ARRAY_PUSH(i.lines, po_invoice_line) = lines[0];
    APR_ARRAY_PUSH(i.lines, po_invoice_line) = lines[1];
    assert_int_equal(po_invoice_pasts(&f->db, SITE, &i, f->p, &past), APR_SUCCESS);
    assert_int_equal(past->nelts, 1);
    return APR_ARRAY_IDX(past, 0, po_invoice_past);
}

static void assert_amount(const po_decimal *d, const char *wanted)
{
    char text[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, 0, text), wanted);
}

static void a_number_is_kept_once(void **state)
{
    fixture *f = *state;
    po_invoice_record *r;
    apr_array_header_t *list;

    assert_int_equal(po_invoice_get(&f->db, SITE, "INV-1", f->p, &r), APR_NOTFOUND);
    assert_int_equal(keep(f, "INV-1", NULL, "10000.01", PO_OUTBOX_DONE), APR_SUCCESS);
    assert_int_equal(keep(f, "INV-1", NULL, "10000.01", PO_OUTBOX_OPEN), APR_EEXIST);
    assert_int_equal(po_invoice_get(&f->db, SITE, "INV-1", f->p, &r), APR_SUCCESS);
    assert_text(r->buyer, "acme");
    assert_text(r->answer, "said");
    assert_int_equal(r->state, PO_OUTBOX_DONE);
    assert_amount(&r->total, "10000.01");
    assert_int_equal(po_invoice_get(&f->db, "https://other.example", "INV-1", f->p, &r), APR_NOTFOUND);
    assert_int_equal(keep(f, "INV-2", NULL, "1", PO_OUTBOX_OPEN), APR_SUCCESS);
    assert_int_equal(po_invoice_list(&f->db, SITE, "acme", 1, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_text(APR_ARRAY_IDX(list, 0, po_invoice_record *)->number, "INV-2");
    assert_int_equal(po_invoice_list(&f->db, SITE, NULL, 9, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 2);
    assert_int_equal(po_invoice_list(&f->db, SITE, "globex", 9, f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 0);
}

static void what_the_buyer_refused_is_not_owed(void **state)
{
    fixture *f = *state;
    po_invoice_past past = past_of(f, NULL);

    assert_amount(&past.amount, "0");
    assert_null(past.number);
    keep(f, "INV-1", NULL, "100.10", PO_OUTBOX_DONE);
    keep(f, "INV-2", NULL, "50.05", PO_OUTBOX_PARKED);
    keep(f, "INV-3", NULL, "7", PO_OUTBOX_OPEN);
    keep(f, "INV-4", NULL, "1000", PO_OUTBOX_FAILED);
    keep(f, "CR-1", "INV-1", "30", PO_OUTBOX_DONE);
    keep(f, "CR-2", "INV-1", "60", PO_OUTBOX_FAILED);
    past = past_of(f, NULL);
    assert_amount(&past.amount, "127.15");
    assert_non_null(past.number);
    assert_amount(&past.credited, "0");
    past = past_of(f, "INV-1");
    assert_amount(&past.credited, "70.1");
    past = past_of(f, "INV-4");
    assert_amount(&past.credited, "0");
}

/* Else the order could be invoiced twice. */
static void a_credit_for_what_the_buyer_refused_gives_nothing_back(void **state)
{
    fixture *f = *state;
    po_invoice_past past;

    keep(f, "INV-1", NULL, "100", PO_OUTBOX_FAILED);
    keep(f, "CR-1", "INV-1", "100", PO_OUTBOX_DONE);
    past = past_of(f, "INV-1");
    assert_amount(&past.amount, "0");
    assert_amount(&past.credited, "0");
    keep(f, "INV-2", NULL, "80", PO_OUTBOX_DONE);
    past = past_of(f, "INV-2");
    assert_amount(&past.amount, "80");
    assert_amount(&past.credited, "80");
}

/* Else he could refuse it after its amount was invoiced anew. */
static void a_credit_gives_back_when_the_buyer_has_taken_it(void **state)
{
    static const po_outbox_state not_yet[] = { PO_OUTBOX_OPEN, PO_OUTBOX_PARKED };
    fixture *f = *state;
    po_invoice_past past;
    int i;

    keep(f, "INV-1", NULL, "100", PO_OUTBOX_DONE);
    for (i = 0; i < 2; i++) {
        keep(f, i ? "CR-2" : "CR-1", "INV-1", "30", not_yet[i]);
        past = past_of(f, "INV-1");
        assert_amount(&past.amount, "100");
        assert_amount(&past.credited, i ? "40" : "70");     /* it is not credited a second time meanwhile */
    }
    keep(f, "CR-3", "INV-1", "40", PO_OUTBOX_DONE);
    past = past_of(f, "INV-1");
    assert_amount(&past.amount, "60");
    assert_amount(&past.credited, "0");
}

static void later_words_of_a_buyer_are_found_by_the_document(void **state)
{
    fixture *f = *state;
    po_document ours = { SITE, "acme", "p-INV-1", "InvoiceDetailRequest", NULL, "<cXML/>", 1, 1 };
    po_document said = { SITE, "acme", "s-1", "StatusUpdateRequest", "p-INV-1", "409 no budget", 0, 2 };
    po_document strange = { SITE, "globex", "s-2", "StatusUpdateRequest", "p-INV-1", "200", 0, 3 };
    apr_array_header_t *list;

    assert_int_equal(po_document_insert(&f->db, &ours), APR_SUCCESS);
    assert_int_equal(po_document_insert_status(&f->db, &said, f->p), APR_SUCCESS);
    assert_int_equal(po_document_insert_status(&f->db, &strange, f->p), APR_SUCCESS);
    assert_int_equal(po_documents_about(&f->db, SITE, "acme", "p-INV-1", f->p, &list), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_text(APR_ARRAY_IDX(list, 0, po_document *)->body, "409 no budget");
}

static void no_look_reads_a_whole_table(void **state)
{
    fixture *f = *state;
    po_invoice_verdict v = { 200, NULL, apr_array_make(f->p, 1, sizeof(po_invoice_item)) };
    po_invoice_item item = { 0 };
    po_request request = { "req-a" };
    po_charge charge = { 1 };
    po_invoice_past past = { "req-a", 1 };
    po_invoice_record *r;
    apr_array_header_t *list, *requests = apr_array_make(f->p, 1, sizeof(po_request *));
    apr_array_header_t *pasts = apr_array_make(f->p, 1, sizeof(po_invoice_past));

    charge.order_id = "PO-17";
    request.charges = apr_array_make(f->p, 1, sizeof(po_charge));
    APR_ARRAY_PUSH(request.charges, po_charge) = charge;
    APR_ARRAY_PUSH(requests, po_request *) = &request;
    APR_ARRAY_PUSH(pasts, po_invoice_past) = past;
    item.request = &request;
    item.charge = &charge;
    APR_ARRAY_PUSH(v.items, po_invoice_item) = item;
    keep(f, "INV-1", NULL, "1", PO_OUTBOX_OPEN);
    past_of(f, "INV-1");
    po_invoice_get(&f->db, SITE, "INV-1", f->p, &r);
    po_invoice_list(&f->db, SITE, "acme", 9, f->p, &list);
    po_documents_about(&f->db, SITE, "acme", "p-INV-1", f->p, &list);
    assert_int_equal(po_invoice_orders(&f->db, SITE, "acme", &v, f->p), APR_NOTFOUND);
    assert_int_equal(po_invoice_order_lines(&f->db, SITE, "acme", requests, pasts, f->p), APR_SUCCESS);
    assert_indexed(f, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_number_is_kept_once), T(what_the_buyer_refused_is_not_owed),
        T(a_credit_for_what_the_buyer_refused_gives_nothing_back),
        T(a_credit_gives_back_when_the_buyer_has_taken_it),
        T(later_words_of_a_buyer_are_found_by_the_document), T(no_look_reads_a_whole_table),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
