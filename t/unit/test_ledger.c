/* test_ledger.c - what a user may rely on: the file, requests, orders, documents and subscriptions come back as they
 * were written. */
#include "ledger_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static po_decimal decimal(const char *text)
{
    po_decimal d;

    assert_int_equal(po_decimal_parse(&d, text, -1), APR_SUCCESS);
    return d;
}

static void assert_decimal(const po_decimal *d, const char *wanted)
{
    char text[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, 0, text), wanted);
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static void migrating_twice_changes_nothing_and_keeps_the_key(void **state)
{
    fixture *f = *state;
    unsigned char before[PO_DIGEST], after[PO_DIGEST], zero[PO_DIGEST] = { 0 };
    po_ledger_db *reader;
    struct stat st;

    assert_int_equal(po_ledger_key(&f->db, before), APR_SUCCESS);
    assert_memory_not_equal(before, zero, PO_DIGEST);
    assert_null(po_ledger_migrate(f->path, f->p));
    assert_int_equal(po_ledger_reader(&reader, f->path, f->p), APR_SUCCESS);
    assert_int_equal(po_ledger_key(reader, after), APR_SUCCESS);
    assert_memory_equal(before, after, PO_DIGEST);
    assert_int_equal(number(reader, "PRAGMA user_version"), PO_SCHEMA_VERSION);
    assert_int_equal(number(reader, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                            " AND name NOT LIKE 'sqlite%'"), 15);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_file_of_a_newer_version_is_refused_with_a_sentence_and_left_alone(void **state)
{
    fixture *f = *state;
    po_ledger_db *reader, writer = { 0 };

    sqlite3_exec(f->db.handle, "PRAGMA user_version=99", NULL, NULL, NULL);
    assert_contains(po_ledger_migrate(f->path, f->p), "newer mod_punchout");
    assert_int_equal(po_db_open(&writer, f->path, SQLITE_OPEN_READWRITE), SQLITE_MISMATCH);
    assert_int_equal(po_ledger_reader(&reader, f->path, f->p), APR_EGENERAL);
    assert_int_equal(number(&f->db, "PRAGMA user_version"), 99);
}

static void a_database_of_another_program_is_refused(void **state)
{
    fixture *f = *state;
    const char *path = apr_pstrcat(f->p, f->dir, "/old.db", NULL);
    sqlite3 *other;

    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE login(name TEXT)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_contains(po_ledger_migrate(path, f->p), "another program");
}

static void a_missing_directory_is_told_with_what_to_do(void **state)
{
    fixture *f = *state;
    const char *wrong = po_ledger_migrate(apr_pstrcat(f->p, f->dir, "/missing/ledger.db", NULL), f->p);

    assert_contains(wrong, "/missing/ledger.db");
    assert_contains(wrong, "make its directory");
}

static void a_reader_cannot_write(void **state)
{
    fixture *f = *state;
    po_ledger_db *reader;
    po_document d = { SITE, "acme", "p-1", "StatusUpdateRequest" };

    assert_int_equal(po_ledger_reader(&reader, f->path, f->p), APR_SUCCESS);
    assert_int_equal(po_document_insert(reader, &d), APR_EGENERAL);
    assert_contains(po_ledger_error(reader), "readonly");
}

/* ---- requests ------------------------------------------------------------------------------------------------- */

static po_charge *add_charge(po_request *r, const char *part, const char *quantity, const char *price)
{
    po_charge *c = apr_array_push(r->charges);

    memset(c, 0, sizeof(*c));
    c->line = r->charges->nelts;
    c->kind = "contract";
    c->part = part;
    c->description = "Log Keeper";
    c->unit = "EA";
    c->unspsc = "43232701";
    c->currency = "USD";
    c->quantity = decimal(quantity);
    c->unit_price = decimal(price);
    return c;
}

static po_request *make_request(fixture *f, const char *id)
{
    po_request *r = apr_pcalloc(f->p, sizeof(*r));

    r->id = id;
    r->site = SITE;
    r->buyer = "acme";
    r->state = PO_STATE_REQUESTED;
    r->session = apr_pstrcat(f->p, "ses-", id, NULL);
    r->user = "jane";
    r->email = "jane@acme.example";
    r->created = r->updated = apr_time_from_sec(1000);
    r->charges = apr_array_make(f->p, 2, sizeof(po_charge));
    add_charge(r, "off-year", "1", "1200.00");
    return r;
}

static po_request *insert_request(fixture *f, const char *id)
{
    po_request *r = make_request(f, id);

    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    return r;
}

static po_request *get_request(fixture *f, const char *id)
{
    po_request *r = NULL;

    assert_int_equal(po_request_get(&f->db, SITE, id, f->p, &r), APR_SUCCESS);
    return r;
}

static void fill_request(po_request *r)
{
    r->organization = "org";
    r->form_digest = "ab";
    r->test = 1;
    r->product = "prod";
    r->offer = "off";
    r->product_name = "Log Keeper \xe2\x80\x93 \"large\"";
    r->seller = "Keeper Ltd";
    r->pricing = "usage";
    r->term = "P12M";
    r->action = "change";
    r->subscription = "sub-1";
    r->terms_version = "3";
    r->terms_at = 1234567890123456;
    r->user_name = "Jane";
    r->account = "acc";
    r->account_email = "acc@acme.example";
    r->currency = "USD";
    r->budget = "500";
    r->preapproved_by = "PunchOutPreApprove free";
    r->reason = "why";
    r->url = "https://x.example/";
    r->cart_payload = "cart-1";
    r->expires = 2234567890123456;
}

static void a_request_comes_back_as_it_was_written(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1"), *got;

    fill_request(r);
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    got = get_request(f, "req-1");
    assert_text(got->id, r->id);
    assert_text(got->site, r->site);
    assert_text(got->buyer, r->buyer);
    assert_text(got->organization, r->organization);
    assert_text(got->session, r->session);
    assert_text(got->form_digest, r->form_digest);
    assert_int_equal(got->state, r->state);
    assert_int_equal(got->test, r->test);
    assert_text(got->product, r->product);
    assert_text(got->offer, r->offer);
    assert_text(got->product_name, r->product_name);
    assert_text(got->seller, r->seller);
    assert_text(got->pricing, r->pricing);
    assert_text(got->term, r->term);
    assert_text(got->action, r->action);
    assert_text(got->subscription, r->subscription);
    assert_text(got->terms_version, r->terms_version);
    assert_int_equal(got->terms_at, r->terms_at);
    assert_text(got->user, r->user);
    assert_text(got->email, r->email);
    assert_text(got->user_name, r->user_name);
    assert_text(got->account, r->account);
    assert_text(got->account_email, r->account_email);
    assert_text(got->currency, r->currency);
    assert_text(got->budget, r->budget);
    assert_text(got->preapproved_by, r->preapproved_by);
    assert_text(got->reason, r->reason);
    assert_text(got->url, r->url);
    assert_text(got->cart_payload, r->cart_payload);
    assert_int_equal(got->created, r->created);
    assert_int_equal(got->updated, r->updated);
    assert_int_equal(got->expires, r->expires);
}

static void money_is_exact_and_absent_values_stay_absent(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1"), *got;
    po_charge *c = add_charge(r, "off-gb", "5406", "0.0925");
    po_decimal total;

    c->kind = "usage";
    c->dimension = "hour";
    c->description = NULL;
    add_charge(r, "off-big", "999999999999999999", "0.00000001");
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    got = get_request(f, "req-1");
    assert_null(got->organization);
    assert_null(got->term);
    assert_null(got->reason);
    assert_int_equal(got->charges->nelts, 3);
    c = &APR_ARRAY_IDX(got->charges, 1, po_charge);
    assert_int_equal(c->line, 2);
    assert_text(c->kind, "usage");
    assert_text(c->dimension, "hour");
    assert_null(c->description);
    assert_null(c->order_id);
    assert_int_equal(po_decimal_multiply(&total, &c->quantity, &c->unit_price), APR_SUCCESS);
    assert_decimal(&total, "500.055");
    c = &APR_ARRAY_IDX(got->charges, 2, po_charge);
    assert_decimal(&c->quantity, "999999999999999999");
    assert_decimal(&c->unit_price, "0.00000001");
}

static void cover(po_charge *c, const char *kind, const char *dimension, const char *quantity, const char *price)
{
    po_cover v = { kind, dimension, "Log Keeper \xe2\x80\x93 \"large\", 12 months", "E34", decimal(quantity), decimal(price) };

    APR_ARRAY_PUSH(c->covers, po_cover) = v;
}

static void a_line_that_holds_a_sum_comes_back_with_what_it_stands_for(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1");
    po_charge *c = add_charge(r, "off-both", "170000", "0.01");
    const po_cover *v;

    c->line_type = "Material";
    c->covers = apr_array_make(f->p, 2, sizeof(po_cover));
    cover(c, "contract", NULL, "1", "1200");
    cover(c, "usage", "gb", "999999999999999999", "0.00000001");
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    r = get_request(f, "req-1");
    c = &APR_ARRAY_IDX(r->charges, 0, po_charge);
    assert_null(c->line_type);
    assert_null(c->covers);
    c = &APR_ARRAY_IDX(r->charges, 1, po_charge);
    assert_text(c->line_type, "Material");
    assert_int_equal(c->covers->nelts, 2);
    v = &APR_ARRAY_IDX(c->covers, 0, po_cover);
    assert_text(v->kind, "contract");
    assert_null(v->dimension);
    assert_text(v->description, "Log Keeper \xe2\x80\x93 \"large\", 12 months");
    assert_decimal(&v->quantity, "1");
    assert_decimal(&v->unit_price, "1200");
    v = &APR_ARRAY_IDX(c->covers, 1, po_cover);
    assert_text(v->kind, "usage");
    assert_text(v->dimension, "gb");
    assert_text(v->unit, "E34");
    assert_decimal(&v->quantity, "999999999999999999");
    assert_decimal(&v->unit_price, "0.00000001");
    c->ordered = decimal("200000");
    c->state = PO_CHARGE_ORDERED;
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    c = &APR_ARRAY_IDX(get_request(f, "req-1")->charges, 1, po_charge);
    assert_decimal(&c->ordered, "200000");
    assert_decimal(&c->quantity, "170000");
    assert_int_equal(c->covers->nelts, 2);
    assert_text(c->line_type, "Material");
}

static void an_amount_that_could_not_be_read_again_is_not_written(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1");

    APR_ARRAY_IDX(r->charges, 0, po_charge).quantity.value = (__int128)999999999999999999 * 1000;
    assert_int_equal(po_request_insert(&f->db, r), APR_EINVAL);
}

static void a_request_is_found_on_its_own_site_only(void **state)
{
    fixture *f = *state;
    po_request *got;

    insert_request(f, "req-1");
    assert_int_equal(po_request_get(&f->db, "https://other.example", "req-1", f->p, &got), APR_NOTFOUND);
    assert_null(got);
    assert_int_equal(po_request_insert(&f->db, make_request(f, "req-1")), APR_EEXIST);
}

static void an_update_writes_state_and_the_charges_that_changed(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1");
    po_charge *c;
    int written;

    add_charge(r, "off-gb", "10", "0.25");
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    c = &APR_ARRAY_IDX(r->charges, 1, po_charge);
    c->state = PO_CHARGE_ORDERED;
    c->order_id = "PO-17";
    c->order_line = 3;
    r->state = PO_STATE_PARTLY_APPROVED;
    r->url = "https://x.example/";
    r->updated = apr_time_from_sec(2000);
    written = sqlite3_total_changes(f->db.handle);
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(sqlite3_total_changes(f->db.handle) - written, 2);
    r = get_request(f, "req-1");
    assert_int_equal(r->state, PO_STATE_PARTLY_APPROVED);
    assert_text(r->url, "https://x.example/");
    assert_int_equal(r->updated, apr_time_from_sec(2000));
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).state, PO_CHARGE_REQUESTED);
    c = &APR_ARRAY_IDX(r->charges, 1, po_charge);
    assert_int_equal(c->state, PO_CHARGE_ORDERED);
    assert_text(c->order_id, "PO-17");
    assert_int_equal(c->order_line, 3);
    r->id = "req-none";
    assert_int_equal(po_request_update(&f->db, r), APR_NOTFOUND);
}

static void the_same_form_of_a_session_is_found_again_and_so_is_its_cart(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1"), *got;

    r->form_digest = "aa";
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_request_of_session(&f->db, SITE, r->session, "aa", f->p, &got), APR_SUCCESS);
    assert_text(got->id, "req-1");
    assert_int_equal(got->charges->nelts, 1);
    assert_int_equal(po_request_of_session(&f->db, SITE, r->session, "bb", f->p, &got), APR_NOTFOUND);
    assert_int_equal(po_request_of_session(&f->db, SITE, "ses-other", "aa", f->p, &got), APR_NOTFOUND);
    assert_int_equal(po_request_of_session(&f->db, SITE, r->session, NULL, f->p, &got), APR_NOTFOUND);
    assert_int_equal(po_request_in_session(&f->db, SITE, r->session), APR_SUCCESS);
    assert_int_equal(po_request_in_session(&f->db, SITE, "ses-other"), APR_NOTFOUND);
    assert_int_equal(po_request_in_session(&f->db, "https://other.example", r->session), APR_NOTFOUND);
    r->cart_payload = "cart-1";
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_request_of_session(&f->db, SITE, r->session, NULL, f->p, &got), APR_SUCCESS);
    assert_text(got->id, "req-1");
}

static void insert_for(fixture *f, const char *id, const char *buyer, const char *account, const char *user,
                       const char *email)
{
    po_request *r = make_request(f, id);

    r->buyer = buyer;
    r->account = account;
    r->user = user;
    r->email = email;
    r->created = apr_time_from_sec(atoi(id + 4));
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
}

static const char *list(fixture *f, const char *buyer, const char *account, const char *user, const char *email,
                        int limit)
{
    po_request_filter filter = { SITE, buyer, account, email, user, limit };
    apr_array_header_t *found;
    const char *ids = "";
    int i;

    assert_int_equal(po_request_list(&f->db, &filter, f->p, &found), APR_SUCCESS);
    for (i = 0; i < found->nelts; i++)
        ids = apr_pstrcat(f->p, ids, i ? " " : "", APR_ARRAY_IDX(found, i, po_request *)->id, NULL);
    return ids;
}

static void everybody_lists_his_own_requests_newest_first(void **state)
{
    fixture *f = *state;

    insert_for(f, "req-1", "acme", NULL, "jane", "jane@acme.example");
    insert_for(f, "req-2", "acme", "acc-1", "jane", "jane@acme.example");
    insert_for(f, "req-3", "acme", NULL, "john", "john@acme.example");
    insert_for(f, "req-4", "bolt", "acc-1", "jane", "jane@acme.example");
    insert_for(f, "req-5", "acme", NULL, NULL, NULL);
    insert_for(f, "req-6", "acme", NULL, "mary", NULL);
    assert_string_equal(list(f, NULL, NULL, NULL, NULL, 0), "req-6 req-5 req-4 req-3 req-2 req-1");
    assert_string_equal(list(f, NULL, NULL, NULL, NULL, 2), "req-6 req-5");
    assert_string_equal(list(f, "acme", "acc-1", "john", "john@acme.example", 50), "req-3 req-2");
    assert_string_equal(list(f, "acme", "acc-1", "jane", "jane@acme.example", 50), "req-2 req-1");
    assert_string_equal(list(f, "acme", "acc-1", "", "", 50), "req-2");
    assert_string_equal(list(f, "acme", "acc-2", "mary", "", 50), "");
    assert_string_equal(list(f, "acme", NULL, "jane", "jane@acme.example", 50), "req-2 req-1");
    assert_string_equal(list(f, "acme", NULL, "mary", "", 50), "req-6");
    assert_string_equal(list(f, "acme", NULL, "jane", "john@acme.example", 50), "");
    assert_string_equal(list(f, "acme", NULL, "", "", 50), "");
    assert_string_equal(list(f, "bolt", NULL, NULL, NULL, 50), "req-4");
}

static void a_request_that_names_no_user_is_listed_for_its_mail(void **state)
{
    fixture *f = *state;

    insert_for(f, "req-1", "acme", NULL, NULL, "jane@acme.example");
    insert_for(f, "req-2", "acme", NULL, NULL, "john@acme.example");
    insert_for(f, "req-3", "acme", "acc-1", NULL, "jane@acme.example");
    insert_for(f, "req-4", "bolt", NULL, NULL, "jane@acme.example");
    insert_for(f, "req-5", "acme", NULL, NULL, NULL);
    assert_string_equal(list(f, "acme", NULL, "jane", "jane@acme.example", 50), "req-3 req-1");
    assert_string_equal(list(f, "acme", "acc-2", "jane", "jane@acme.example", 50), "req-1");
    assert_string_equal(list(f, "acme", NULL, "jane", "", 50), "");
}

static int candidates(fixture *f, const char *part, const char *price, const char *quantity, const char **first)
{
    po_cxml_item item = { .part = part, .currency = "USD", .has_price = price != NULL };
    apr_array_header_t *found;

    item.quantity = decimal(quantity);
    if (price)
        item.unit_price = decimal(price);
    assert_int_equal(po_request_candidates(&f->db, SITE, "acme", 0, &item, f->p, &found), APR_SUCCESS);
    *first = found->nelts ? APR_ARRAY_IDX(found, 0, po_request *)->id : NULL;
    if (found->nelts)
        assert_int_equal(APR_ARRAY_IDX(found, 0, po_request *)->charges->nelts, 1);
    return found->nelts;
}

static void an_order_line_without_auxiliary_id_finds_open_requests_by_value(void **state)
{
    fixture *f = *state;
    const char *ids[] = { "req-c", "req-b", "req-a" }, *first;
    po_request *r;
    int i;

    assert_int_equal(candidates(f, "off-year", "1200", "1", &first), 0);
    for (i = 0; i < 3; i++) {
        r = make_request(f, ids[i]);
        r->created += i;
        assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    }
    assert_int_equal(candidates(f, "off-year", "1200.0000", "1.0", &first), 2);
    assert_text(first, "req-c");
    r = make_request(f, "req-sum");     /* a line that holds a sum: by its coins, as it went out */
    r->charges->nelts = 0;
    add_charge(r, "off-gb", "50000", "0.01")->line_type = "Material";
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    assert_int_equal(candidates(f, "off-gb", "0.01", "50000", &first), 1);
    assert_text(first, "req-sum");
    assert_int_equal(candidates(f, "off-gb", "500", "1", &first), 0);
    assert_int_equal(candidates(f, "off-year", "1200.01", "1", &first), 0);
    assert_int_equal(candidates(f, "off-year", "1200", "2", &first), 0);
    assert_int_equal(candidates(f, "off-else", "1200", "1", &first), 0);
    assert_int_equal(candidates(f, "off-year", NULL, "1", &first), 0);
    r = get_request(f, "req-c");
    r->state = PO_STATE_APPROVED;
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = PO_CHARGE_ORDERED;
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(candidates(f, "off-year", "1200", "1", &first), 2);
    assert_text(first, "req-b");
}

static void insert_expiring(fixture *f, const char *id, po_state s, po_charge_state c, apr_time_t expires)
{
    po_request *r = make_request(f, id);

    r->state = s;
    r->expires = expires;
    APR_ARRAY_IDX(r->charges, 0, po_charge).state = c;
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
}

static void whose_request_ends_soon_is_found_until_the_mail_is_queued(void **state)
{
    fixture *f = *state;
    apr_time_t now = apr_time_from_sec(1000000), soon = apr_time_from_sec(1000);
    po_outbox_row mail = { .key = "mail-req-soon-expires", .site = SITE, .channel = "mail", .request = "req-soon" };
    apr_array_header_t *found;

    insert_expiring(f, "req-soon", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now + soon - 1);
    insert_expiring(f, "req-later", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now + soon + 1);
    insert_expiring(f, "req-gone", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now - 1);
    insert_expiring(f, "req-partly", PO_STATE_PARTLY_APPROVED, PO_CHARGE_ORDERED, now + 10 * soon);
    insert_expiring(f, "req-draft", PO_STATE_DRAFT, PO_CHARGE_REQUESTED, now + soon - 1);
    insert_expiring(f, "req-in", PO_STATE_APPROVED, PO_CHARGE_ORDERED, now + soon - 1);
    sqlite3_exec(f->db.handle, "UPDATE request SET created = expires - 3000000000", NULL, NULL, NULL);
    insert_expiring(f, "req-short", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now + soon - 1);
    sqlite3_exec(f->db.handle, "UPDATE request SET created = expires - 1900000000 WHERE id = 'req-short'", NULL, NULL, NULL);
    assert_int_equal(po_requests_ending(&f->db, SITE, now, soon, 10, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 1);
    assert_string_equal(APR_ARRAY_IDX(found, 0, po_request *)->id, "req-soon");
    assert_int_equal(po_requests_ending(&f->db, "https://other.example", now, soon, 10, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 0);
    assert_int_equal(po_outbox_add(&f->db, &mail, now), APR_SUCCESS);
    assert_int_equal(po_requests_ending(&f->db, SITE, now, soon, 10, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 0);
    assert_indexed(f, 3);
}

/* Its mail has a key of its own, for the first approval's may have gone out before. */
static void the_end_of_a_second_approval_is_told_of_once_as_well(void **state)
{
    fixture *f = *state;
    apr_time_t now = apr_time_from_sec(1000000), soon = apr_time_from_sec(1000);
    po_outbox_row mail = { .key = "mail-req-next-expires", .site = SITE, .channel = "mail", .request = "req-next" };
    apr_array_header_t *found;
    po_request *r;

    insert_expiring(f, "req-next", PO_STATE_PARTLY_APPROVED, PO_CHARGE_REQUESTED, now + soon - 1);
    sqlite3_exec(f->db.handle, "UPDATE request SET created = expires - 3000000000", NULL, NULL, NULL);
    assert_int_equal(po_outbox_add(&f->db, &mail, now), APR_SUCCESS);
    assert_int_equal(po_requests_ending(&f->db, SITE, now, soon, 10, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 0);
    r = get_request(f, "req-next");
    APR_ARRAY_IDX(r->charges, 0, po_charge).expires = r->expires;
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_requests_ending(&f->db, SITE, now, soon, 10, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 1);
    assert_true(po_request_is_continued(APR_ARRAY_IDX(found, 0, po_request *)));
    mail.key = "mail-req-next-expires-next";
    assert_int_equal(po_outbox_add(&f->db, &mail, now), APR_SUCCESS);
    assert_int_equal(po_requests_ending(&f->db, SITE, now, soon, 10, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 0);
}

static void a_partly_approved_request_past_its_time_is_found_until_it_is_held(void **state)
{
    fixture *f = *state;
    apr_time_t now = apr_time_from_sec(5000);
    apr_array_header_t *found;
    po_request *r;

    insert_expiring(f, "req-partly", PO_STATE_PARTLY_APPROVED, PO_CHARGE_WAITING, now - 1);
    insert_expiring(f, "req-young", PO_STATE_PARTLY_APPROVED, PO_CHARGE_REQUESTED, now + 1);
    insert_expiring(f, "req-never", PO_STATE_PARTLY_APPROVED, PO_CHARGE_REQUESTED, 0);
    insert_expiring(f, "req-old", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now - 1);
    assert_int_equal(po_requests_half_expired(&f->db, now, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 1);
    r = APR_ARRAY_IDX(found, 0, po_request *);
    assert_text(r->id, "req-partly");
    po_request_expire_open(r, f->p);
    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_requests_half_expired(&f->db, now, f->p, &found), APR_SUCCESS);
    assert_int_equal(found->nelts, 0);
    r = get_request(f, "req-partly");
    assert_int_equal(r->state, PO_STATE_HELD);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).state, PO_CHARGE_EXPIRED);
    assert_contains(r->reason, "in time");
    assert_indexed(f, 3);
}

static void a_session_returns_one_cart_and_an_approval_goes_back_once(void **state)
{
    fixture *f = *state;
    po_continuation c = { SITE, "s-2", "req-1", "usage", "cart-2", 7 }, *got;
    po_request *r;

    insert_request(f, "req-1");
    assert_int_equal(po_continuation_get(&f->db, SITE, "s-2", f->p, &got), APR_NOTFOUND);
    assert_int_equal(po_request_of_session(&f->db, SITE, "s-2", NULL, f->p, &r), APR_NOTFOUND);
    assert_int_equal(po_continuation_insert(&f->db, &c), APR_SUCCESS);
    assert_int_equal(po_continuation_get(&f->db, SITE, "s-2", f->p, &got), APR_SUCCESS);
    assert_text(got->request, "req-1");
    assert_text(got->kind, "usage");
    assert_text(got->cart_payload, "cart-2");
    assert_int_equal(got->at, 7);
    assert_int_equal(po_continuation_get(&f->db, "https://other.example", "s-2", f->p, &got), APR_NOTFOUND);
    /* whoever asks which cart this session returned hears of it */
    assert_int_equal(po_request_of_session(&f->db, SITE, "s-2", NULL, f->p, &r), APR_SUCCESS);
    assert_text(r->id, "req-1");
    assert_int_equal(po_continuation_insert(&f->db, &c), APR_EEXIST);
    c.session = "s-3";
    assert_int_equal(po_continuation_insert(&f->db, &c), APR_EEXIST);
    c.session = "s-2";
    c.request = "req-2";
    assert_int_equal(po_continuation_insert(&f->db, &c), APR_EEXIST);
    assert_indexed(f, 4);
}

static po_request *insert_draft(fixture *f, const char *id, const char *buyer, const char *account, apr_time_t expires)
{
    po_request *r = make_request(f, id);

    r->buyer = buyer;
    r->account = account;
    r->user = r->email = NULL;
    r->expires = expires;
    po_request_draft(r);
    assert_int_equal(po_request_insert(&f->db, r), APR_SUCCESS);
    return r;
}

static int count_drafts(fixture *f, const char *buyer, const char *account)
{
    int n = -1;

    assert_int_equal(po_draft_count(&f->db, SITE, buyer, account, apr_time_from_sec(5000), &n), APR_SUCCESS);
    return n;
}

static void drafts_are_counted_for_their_account_and_buyer_until_they_go_back_or_expire(void **state)
{
    fixture *f = *state;
    po_request *r;

    insert_draft(f, "req-1", "acme", "acc", apr_time_from_sec(5000));
    insert_draft(f, "req-2", "acme", "acc", 0);
    insert_draft(f, "req-3", "acme", "acc", apr_time_from_sec(4999));
    insert_draft(f, "req-4", "acme", "other", 0);
    insert_draft(f, "req-5", "bolt", "acc", 0);
    assert_int_equal(count_drafts(f, "acme", "acc"), 2);
    assert_int_equal(count_drafts(f, "acme", "other"), 1);
    assert_int_equal(count_drafts(f, "bolt", "acc"), 1);
    assert_int_equal(count_drafts(f, "acme", ""), 0);
    r = get_request(f, "req-1");
    r->state = PO_STATE_REQUESTED;
    assert_int_equal(po_draft_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(count_drafts(f, "acme", "acc"), 1);
    assert_indexed(f, 6);
}

static void a_draft_goes_back_once_with_session_and_requester_of_the_punchout(void **state)
{
    fixture *f = *state;
    po_buyer buyer = { "acme" };
    po_request *r, *again;

    insert_draft(f, "req-1", "acme", "acc", apr_time_from_sec(9000));
    r = get_request(f, "req-1");
    again = get_request(f, "req-1");
    po_draft_return(r, &buyer, 0, apr_time_from_sec(2000), apr_time_from_sec(7000));
    r->session = "ses-2";
    r->user = "otto";
    r->email = "otto@acme.example";
    r->user_name = "Otto";
    r->account_email = "o@shop.example";
    r->cart_payload = "cart-1";
    assert_int_equal(po_draft_update(&f->db, r), APR_SUCCESS);
    po_draft_return(again, &buyer, 0, apr_time_from_sec(2001), apr_time_from_sec(7001));
    again->session = "ses-3";
    again->cart_payload = "cart-2";
    assert_int_equal(po_draft_update(&f->db, again), APR_NOTFOUND);
    r = get_request(f, "req-1");
    assert_int_equal(r->state, PO_STATE_REQUESTED);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).state, PO_CHARGE_REQUESTED);
    assert_text(r->session, "ses-2");
    assert_text(r->user, "otto");
    assert_text(r->email, "otto@acme.example");
    assert_text(r->user_name, "Otto");
    assert_text(r->account, "acc");
    assert_text(r->account_email, "o@shop.example");
    assert_text(r->cart_payload, "cart-1");
    assert_true(r->expires == apr_time_from_sec(7000));
    assert_int_equal(po_request_of_session(&f->db, SITE, "ses-2", NULL, f->p, &again), APR_SUCCESS);
    assert_text(again->id, "req-1");
    assert_int_equal(po_request_of_session(&f->db, SITE, "ses-3", NULL, f->p, &again), APR_NOTFOUND);
}

static void requests_expire_with_their_charges_and_silent_backends_hold_theirs(void **state)
{
    fixture *f = *state;
    apr_time_t now = apr_time_from_sec(5000);
    po_request *r;
    int n;

    insert_expiring(f, "req-old", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now - 1);
    insert_expiring(f, "req-draft", PO_STATE_DRAFT, PO_CHARGE_REQUESTED, now - 1);
    insert_expiring(f, "req-young", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, now + 1);
    insert_expiring(f, "req-never", PO_STATE_REQUESTED, PO_CHARGE_REQUESTED, 0);
    insert_expiring(f, "req-ordered", PO_STATE_REQUESTED, PO_CHARGE_ORDERED, now - 1);
    insert_expiring(f, "req-partly", PO_STATE_PARTLY_APPROVED, PO_CHARGE_ORDERED, now - 1);
    insert_expiring(f, "req-waiting", PO_STATE_REQUESTED, PO_CHARGE_WAITING, now - 1);
    insert_expiring(f, "req-silent", PO_STATE_DELIVERING, PO_CHARGE_ORDERED, now - 1);
    assert_int_equal(po_request_expire(&f->db, now, apr_time_from_sec(1000), &n), APR_SUCCESS);
    assert_int_equal(n, 3);
    r = get_request(f, "req-waiting");
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).state, PO_CHARGE_EXPIRED);
    r = get_request(f, "req-old");
    assert_int_equal(r->state, PO_STATE_EXPIRED);
    assert_int_equal(r->updated, now);
    assert_int_equal(APR_ARRAY_IDX(r->charges, 0, po_charge).state, PO_CHARGE_EXPIRED);
    assert_int_equal(get_request(f, "req-draft")->state, PO_STATE_EXPIRED);
    assert_int_equal(get_request(f, "req-young")->state, PO_STATE_REQUESTED);
    assert_int_equal(get_request(f, "req-never")->state, PO_STATE_REQUESTED);
    assert_int_equal(get_request(f, "req-ordered")->state, PO_STATE_REQUESTED);
    assert_int_equal(get_request(f, "req-partly")->state, PO_STATE_PARTLY_APPROVED);
    assert_int_equal(get_request(f, "req-silent")->state, PO_STATE_DELIVERING);
    assert_int_equal(po_request_expire(&f->db, now, apr_time_from_sec(1000) + 1, &n), APR_SUCCESS);
    assert_int_equal(n, 1);
    assert_int_equal(get_request(f, "req-silent")->state, PO_STATE_HELD);
    assert_contains(get_request(f, "req-silent")->reason, "in time");
}

/* ---- orders --------------------------------------------------------------------------------------------------- */

static po_cxml_order *make_order(fixture *f, const char *order_id, const char *version)
{
    po_cxml_order *o = apr_pcalloc(f->p, sizeof(*o));
    po_cxml_item *item;

    o->order_id = order_id;
    o->version = version;
    o->type = "new";
    o->total = decimal("1200");
    o->currency = "USD";
    o->ship_to = apr_pcalloc(f->p, sizeof(*o->ship_to));
    o->ship_to->name = "Acme \"Hall 3\"";
    o->ship_to->city = "K\xc3\xb6ln";
    o->extrinsics = apr_array_make(f->p, 1, sizeof(po_cxml_extrinsic));
    APR_ARRAY_PUSH(o->extrinsics, po_cxml_extrinsic) = (po_cxml_extrinsic){ "CostCenter", "17" };
    o->items = apr_array_make(f->p, 1, sizeof(po_cxml_item));
    item = apr_array_push(o->items);
    memset(item, 0, sizeof(*item));
    item->line = 10;
    item->part = "off-year";
    item->quantity = decimal("1");
    item->unit_price = decimal("1200.00");
    item->has_price = 1;
    return o;
}

static apr_status_t insert_order(fixture *f, const char *payload, const char *digest, int test, const char *order_id,
                                 const char *version)
{
    po_order_record rec = { SITE, "acme", payload, digest, test, "req-1", 200, "detail", 0, 77 };

    return po_order_insert(&f->db, &rec, make_order(f, order_id, version), NULL);
}

static apr_status_t find_order(fixture *f, const char *payload, const char *digest, int test, const char *order_id,
                               const char *version, po_order_record **rec, int *same)
{
    int reused;
    apr_status_t rv = po_order_find(&f->db, SITE, "acme", payload, digest, test, order_id, version, f->p, rec, same, &reused);

    if (rv == APR_NOTFOUND)
        assert_null(*rec);
    return rv;
}

static void the_same_document_is_recognised_by_payload_id_and_content(void **state)
{
    fixture *f = *state;
    po_order_record *rec;
    int same, reused;

    assert_int_equal(find_order(f, "p-1", "d1", 0, "PO-1", "1", &rec, &same), APR_NOTFOUND);
    assert_int_equal(insert_order(f, "p-1", "d1", 0, "PO-1", "1"), APR_SUCCESS);
    assert_int_equal(find_order(f, "p-1", "d1", 0, "PO-1", "1", &rec, &same), APR_SUCCESS);
    assert_int_equal(same, 1);
    assert_int_equal(rec->status, 200);
    assert_text(rec->detail, "detail");
    assert_text(rec->request, "req-1");
    assert_int_equal(rec->received, 77);
    /* the payloadID of a document with other content says nothing */
    assert_int_equal(find_order(f, "p-1", "d2", 0, "PO-2", "1", &rec, &same), APR_NOTFOUND);
    assert_int_equal(po_order_find(&f->db, SITE, "bolt", "p-1", "d1", 0, "PO-1", "1", f->p, &rec, &same, &reused),
                     APR_NOTFOUND);
    assert_int_equal(reused, 0);
    assert_int_equal(po_order_find(&f->db, "https://other.example", "acme", "p-1", "d1", 0, "PO-1", "1", f->p, &rec,
                                   &same, &reused), APR_NOTFOUND);
    /* but that it came again is told */
    assert_int_equal(po_order_find(&f->db, SITE, "acme", "p-1", "d2", 0, "PO-2", NULL, f->p, &rec, &same, &reused),
                     APR_NOTFOUND);
    assert_int_equal(reused, 1);
    assert_int_equal(insert_order(f, "p-1", "d2", 0, "PO-2", "1"), APR_SUCCESS);
    assert_int_equal(find_order(f, "p-1", "d1", 0, "PO-1", "1", &rec, &same), APR_SUCCESS);
    assert_int_equal(same, 1);          /* of two documents with one payloadID the one that is meant */
}

static void the_same_order_is_recognised_by_id_mode_and_version(void **state)
{
    fixture *f = *state;
    po_order_record *rec;
    int same;

    assert_int_equal(insert_order(f, "p-1", "d1", 0, "PO-1", "1"), APR_SUCCESS);
    assert_int_equal(find_order(f, "p-2", "d1", 0, "PO-1", "1", &rec, &same), APR_SUCCESS);
    assert_int_equal(same, 1);
    assert_int_equal(find_order(f, "p-2", "d2", 0, "PO-1", "1", &rec, &same), APR_SUCCESS);
    assert_int_equal(same, 0);
    assert_text(rec->payload_id, "p-1");
    assert_int_equal(find_order(f, "p-1", "d2", 0, "PO-1", "1", &rec, &same), APR_SUCCESS);
    assert_int_equal(same, 0);
    assert_int_equal(find_order(f, "p-2", "d2", 1, "PO-1", "1", &rec, &same), APR_NOTFOUND);
    assert_int_equal(find_order(f, "p-2", "d2", 0, "PO-1", "2", &rec, &same), APR_NOTFOUND);
}

static void an_order_id_can_be_used_once_for_each_mode_and_version(void **state)
{
    fixture *f = *state;

    assert_int_equal(insert_order(f, "p-1", "d1", 0, "PO-1", "1"), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-2", "d2", 0, "PO-1", "1"), APR_EEXIST);
    assert_int_equal(insert_order(f, "p-3", "d3", 0, "PO-1", NULL), APR_EEXIST);       /* no version is version 1 */
    assert_int_equal(insert_order(f, "p-4", "d4", 1, "PO-1", "1"), APR_SUCCESS);
    assert_int_equal(insert_order(f, "p-5", "d5", 0, "PO-1", "2"), APR_SUCCESS);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM order_line"), 3);
}

static void an_order_is_kept_with_its_lines_and_what_they_were_matched_to(void **state)
{
    fixture *f = *state;
    po_order_record rec = { SITE, "acme", "p-1", "d1", 0, "req-1", 200 };
    po_cxml_order *order = make_order(f, "PO-1", "1");
    po_order_match match = { 200 };
    po_order_match_line *line;

    match.lines = apr_array_make(f->p, 1, sizeof(po_order_match_line));
    line = apr_array_push(match.lines);
    line->item = &APR_ARRAY_IDX(order->items, 0, po_cxml_item);
    line->request = insert_request(f, "req-1");
    line->charge = &APR_ARRAY_IDX(line->request->charges, 0, po_charge);
    assert_int_equal(po_order_insert(&f->db, &rec, order, &match), APR_SUCCESS);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM order_line JOIN purchase_order ON seq = purchase_order"
                            " WHERE order_id = 'PO-1' AND line = 10 AND part = 'off-year' AND quantity = '1'"
                            " AND unit_price = '1200' AND order_line.request = 'req-1' AND charge = 1"), 1);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM purchase_order WHERE total = '1200' AND bill_to IS NULL"
                            " AND ship_to = '{\"name\":\"Acme \\\"Hall 3\\\"\",\"city\":\"K\xc3\xb6ln\"}'"
                            " AND extrinsics = '[[\"CostCenter\",\"17\"]]'"), 1);
}

static void a_document_is_found_by_its_payload_id_and_the_newest_wins(void **state)
{
    fixture *f = *state;
    po_document d = { SITE, "acme", "p-1", "PunchOutOrderMessage", "req-1", "<cXML/>", 1, 55 }, *got;

    assert_int_equal(po_document_insert(&f->db, &d), APR_SUCCESS);
    assert_int_equal(po_document_get(&f->db, SITE, "p-1", f->p, &got), APR_SUCCESS);
    assert_text(got->kind, "PunchOutOrderMessage");
    assert_text(got->refers_to, "req-1");
    assert_text(got->body, "<cXML/>");
    assert_int_equal(got->outgoing, 1);
    assert_int_equal(got->at, 55);
    d.body = NULL;
    assert_int_equal(po_document_insert(&f->db, &d), APR_SUCCESS);
    assert_int_equal(po_document_get(&f->db, SITE, "p-1", f->p, &got), APR_SUCCESS);
    assert_null(got->body);
    assert_int_equal(po_document_get(&f->db, SITE, "p-2", f->p, &got), APR_NOTFOUND);
}

static void a_subscription_is_kept_once_and_follows_its_latest_request(void **state)
{
    fixture *f = *state;
    po_request *r = make_request(f, "req-1");

    r->account = "acc-1";
    assert_int_equal(po_subscription_put(&f->db, r, "sub-1", 10), APR_SUCCESS);
    r->id = "req-2";
    r->account = NULL;
    assert_int_equal(po_subscription_put(&f->db, r, "sub-1", 20), APR_SUCCESS);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM subscription"), 1);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM subscription WHERE id = 'sub-1' AND request = 'req-2'"
                            " AND account = 'acc-1' AND created = 10 AND updated = 20"), 1);
}

static void no_statement_about_requests_and_orders_reads_a_whole_table(void **state)
{
    fixture *f = *state;
    po_request *r = insert_request(f, "req-1"), *found;
    po_order_record *rec;
    const char *first;
    int same, n;

    assert_int_equal(po_request_update(&f->db, r), APR_SUCCESS);
    assert_int_equal(po_request_of_session(&f->db, SITE, "s", "d", f->p, &found), APR_NOTFOUND);
    assert_int_equal(po_request_of_session(&f->db, SITE, "s", NULL, f->p, &found), APR_NOTFOUND);
    list(f, "acme", "acc-1", NULL, NULL, 1);
    list(f, "acme", NULL, "jane", "jane@acme.example", 1);
    list(f, "acme", NULL, NULL, NULL, 1);
    list(f, NULL, NULL, NULL, NULL, 1);
    candidates(f, "off-year", "1200", "1", &first);
    assert_int_equal(po_request_expire(&f->db, apr_time_from_sec(9000), apr_time_from_sec(9000), &n), APR_SUCCESS);
    assert_int_equal(find_order(f, "p-1", "d1", 0, "PO-1", "1", &rec, &same), APR_NOTFOUND);
    assert_int_equal(insert_order(f, "p-1", "d1", 0, "PO-1", "1"), APR_SUCCESS);
    assert_indexed(f, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(migrating_twice_changes_nothing_and_keeps_the_key),
        T(a_file_of_a_newer_version_is_refused_with_a_sentence_and_left_alone),
        T(a_database_of_another_program_is_refused),
        T(a_missing_directory_is_told_with_what_to_do),
        T(a_reader_cannot_write),
        T(a_request_comes_back_as_it_was_written),
        T(money_is_exact_and_absent_values_stay_absent),
        T(a_line_that_holds_a_sum_comes_back_with_what_it_stands_for),
        T(an_amount_that_could_not_be_read_again_is_not_written),
        T(a_request_is_found_on_its_own_site_only),
        T(an_update_writes_state_and_the_charges_that_changed),
        T(the_same_form_of_a_session_is_found_again_and_so_is_its_cart),
        T(everybody_lists_his_own_requests_newest_first),
        T(a_request_that_names_no_user_is_listed_for_its_mail),
        T(an_order_line_without_auxiliary_id_finds_open_requests_by_value),
        T(the_end_of_a_second_approval_is_told_of_once_as_well),
        T(a_partly_approved_request_past_its_time_is_found_until_it_is_held),
        T(a_session_returns_one_cart_and_an_approval_goes_back_once),
        T(drafts_are_counted_for_their_account_and_buyer_until_they_go_back_or_expire),
        T(a_draft_goes_back_once_with_session_and_requester_of_the_punchout),
        T(requests_expire_with_their_charges_and_silent_backends_hold_theirs),
        T(whose_request_ends_soon_is_found_until_the_mail_is_queued),
        T(the_same_document_is_recognised_by_payload_id_and_content),
        T(the_same_order_is_recognised_by_id_mode_and_version),
        T(an_order_id_can_be_used_once_for_each_mode_and_version),
        T(an_order_is_kept_with_its_lines_and_what_they_were_matched_to),
        T(a_document_is_found_by_its_payload_id_and_the_newest_wins),
        T(a_subscription_is_kept_once_and_follows_its_latest_request),
        T(no_statement_about_requests_and_orders_reads_a_whole_table),
    };

    apr_initialize();
    atexit(apr_terminate);
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
