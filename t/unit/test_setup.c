/* test_setup.c - what a PunchOutSetupRequest may ask for: a new cart, a change of an earlier one, a look at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "market/market.h"

#define NOW apr_time_from_sec(1795430000)

static apr_pool_t *all, *pool;
static po_buyer buyer;
static po_cxml_setup setup;
static int test;                        /* the document says so */
static apr_array_header_t *known;
static po_setup_verdict verdict;

static int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&all, NULL);
    apr_pool_create(&pool, all);
    return 0;
}

static int group_teardown(void **state)
{
    apr_pool_destroy(all);
    apr_terminate();
    return 0;
}

/* A setup of buyer acme with an allowed return address and no line; nothing in the ledger. */
static int fresh(void **state)
{
    static const po_return_host host = { "https", "buyer.example", 0 };

    apr_pool_clear(pool);
    memset(&buyer, 0, sizeof(buyer));
    buyer.name = "acme";
    buyer.deployment = PO_DEPLOYMENT_PRODUCTION;
    test = 0;
    buyer.return_hosts = apr_array_make(pool, 1, sizeof(po_return_host));
    APR_ARRAY_PUSH(buyer.return_hosts, po_return_host) = host;
    memset(&setup, 0, sizeof(setup));
    setup.operation = "edit";
    setup.return_url = "https://buyer.example/return?id=7";
    known = apr_array_make(pool, 2, sizeof(po_request *));
    return 0;
}

/* A request of acme with two open charges. */
static po_request *add_request(const char *id)
{
    po_request *r = apr_pcalloc(pool, sizeof(*r));
    int i;

    r->id = id;
    r->buyer = "acme";
    r->state = PO_STATE_REQUESTED;
    r->expires = NOW + apr_time_from_sec(60);
    r->charges = apr_array_make(pool, 2, sizeof(po_charge));
    for (i = 1; i <= 2; i++) {
        po_charge *c = apr_array_push(r->charges);

        memset(c, 0, sizeof(*c));
        c->line = i;
        c->state = PO_CHARGE_REQUESTED;
    }
    APR_ARRAY_PUSH(known, po_request *) = r;
    return r;
}

static po_charge *charge(po_request *r, int line)
{
    return &APR_ARRAY_IDX(r->charges, line - 1, po_charge);
}

static void add_line(const char *auxiliary)
{
    po_cxml_item *item;

    if (!setup.items)
        setup.items = apr_array_make(pool, 2, sizeof(po_cxml_item));
    item = apr_array_push(setup.items);
    memset(item, 0, sizeof(*item));
    item->line = setup.items->nelts;
    item->auxiliary = auxiliary;
}

static void is_taken(const po_request *request)
{
    po_setup_judge(&setup, test, &buyer, known, NOW, &verdict, pool);
    if (verdict.status != 200)
        fail_msg("status %d: %s", verdict.status, verdict.why);
    assert_null(verdict.why);
    assert_ptr_equal(verdict.request, request);
}

static void is_refused(int status, const char *text)
{
    po_setup_judge(&setup, test, &buyer, known, NOW, &verdict, pool);
    assert_int_equal(verdict.status, status);
    assert_null(verdict.request);
    if (!verdict.why || !strstr(verdict.why, text))
        fail_msg("\"%s\" is not in: %s", text, verdict.why ? verdict.why : "(no reason)");
}

/* ---- operations ----------------------------------------------------------------------------------------------- */

static void a_create_needs_no_lines_and_ignores_them(void **state)
{
    setup.operation = "create";
    is_taken(NULL);
    add_line("req-unknown.1");
    add_line(NULL);
    is_taken(NULL);
    known = NULL;
    is_taken(NULL);
}

static void a_request_for_a_quote_is_refused_and_the_text_says_what_to_send(void **state)
{
    setup.operation = "source";
    is_refused(450, "\"source\"");
    is_refused(450, "\"create\"");
    setup.return_url = NULL;            /* it has none by right */
    is_refused(450, "\"source\"");
}

static void an_unknown_operation_is_refused_by_name(void **state)
{
    static const char *const unknown[] = { "delete", "Edit", "", "edit " };
    unsigned i;

    for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        setup.operation = unknown[i];
        is_refused(450, apr_psprintf(pool, "operation \"%s\"", unknown[i]));
    }
}

static void a_foreign_return_address_is_refused_whatever_is_asked_for(void **state)
{
    static const char *const operations[] = { "create", "edit", "inspect" };
    unsigned i;

    add_request("req-a");
    add_line("req-a.1");
    setup.return_url = "https://evil.example/";
    for (i = 0; i < 3; i++) {
        setup.operation = operations[i];
        is_refused(403, "BrowserFormPost");
    }
}

/* ---- which request -------------------------------------------------------------------------------------------- */

static void an_edit_finds_the_request_that_its_lines_name(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    add_line(" req-a.2\n");
    is_taken(r);
}

static void a_line_taken_out_of_the_requisition_is_no_matter(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.2");
    is_taken(r);
}

static void without_lines_there_is_nothing_to_edit(void **state)
{
    add_request("req-a");
    is_refused(412, "needs the ItemOut lines");
    setup.items = apr_array_make(pool, 1, sizeof(po_cxml_item));
    is_refused(412, "\"edit\" needs the ItemOut lines");
    setup.operation = "inspect";
    is_refused(412, "\"inspect\" needs the ItemOut lines");
}

static void a_line_that_is_not_of_a_cart_from_here_is_refused(void **state)
{
    static const char *const foreign[] = { NULL, "", "ABC-1", "req-a", "req-a.x", "req-a.0", "req-.1", "..", "{}" };
    unsigned i;

    add_request("req-a");
    for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        setup.items = NULL;
        add_line("req-a.1");
        add_line(foreign[i]);
        is_refused(412, "line 2");
        is_refused(412, "create a new cart");
    }
}

static void an_endless_auxiliary_id_does_not_fill_the_answer(void **state)
{
    char *text = apr_palloc(pool, 100001);

    memset(text, 'x', 100000);
    text[100000] = '\0';
    add_line(text);
    is_refused(412, "xxx");
    assert_true(strlen(verdict.why) < 300);
}

static void a_request_that_nobody_knows_is_refused(void **state)
{
    add_line("req-gone.1");
    is_refused(412, "req-gone");
    known = NULL;
    is_refused(412, "create a new cart");
}

static void another_buyers_request_is_as_good_as_unknown(void **state)
{
    add_line("req-a.1");
    is_refused(412, "is none of this connection");
    add_request("req-a")->buyer = "globex";
    is_refused(412, "is none of this connection");
    setup.operation = "inspect";
    is_refused(412, "is none of this connection");
}

static void a_line_that_the_request_does_not_have_is_refused(void **state)
{
    add_request("req-a");
    add_line("req-a.3");
    is_refused(412, "has no line 3");
}

static void two_carts_are_not_edited_at_once(void **state)
{
    add_request("req-a");
    add_request("req-b");
    add_line("req-a.1");
    add_line("req-b.1");
    is_refused(412, "edit one cart at a time");
    setup.operation = "inspect";
    is_refused(412, "inspect one cart at a time");
}

/* ---- may it be changed ---------------------------------------------------------------------------------------- */

/* Refused for an edit, with that text; shown to an inspect. */
static void only_shown(po_request *r, const char *text)
{
    setup.operation = "edit";
    is_refused(412, text);
    is_refused(412, "create a new cart");
    setup.operation = "inspect";
    is_taken(r);
}

static void what_was_ordered_is_only_shown(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    charge(r, 2)->state = PO_CHARGE_ORDERED;
    charge(r, 2)->order_id = "PO-17";
    r->state = PO_STATE_PARTLY_APPROVED;
    only_shown(r, "ordered by PO-17");
    r->state = PO_STATE_ACTIVE;
    only_shown(r, "ordered by PO-17");
}

static void what_was_approved_beforehand_is_only_shown(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    charge(r, 1)->state = charge(r, 2)->state = PO_CHARGE_PREAPPROVED;
    r->state = PO_STATE_ACTIVE;
    only_shown(r, "without an order");
}

static void what_was_cancelled_is_only_shown_and_its_successor_named(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    charge(r, 1)->state = charge(r, 2)->state = PO_CHARGE_CANCELLED;
    r->state = PO_STATE_CANCELLED;
    only_shown(r, "cancelled");
    r->reason = "replaced by req-b";
    only_shown(r, "replaced by req-b");
}

static void what_has_expired_is_only_shown_even_before_it_was_swept(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    r->expires = NOW - 1;
    only_shown(r, "expired");
    r->state = PO_STATE_EXPIRED;
    charge(r, 1)->state = charge(r, 2)->state = PO_CHARGE_EXPIRED;
    only_shown(r, "expired");
}

static void a_request_without_an_end_can_be_edited(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    r->expires = 0;
    is_taken(r);
}

static void a_cart_of_test_mode_is_not_edited_in_production_nor_the_other_way(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    test = 1;
    is_refused(412, "was made in production mode and this is test");
    r->test = 1;
    is_taken(r);
    test = 0;
    is_refused(412, "was made in test mode and this is production");
    buyer.deployment = PO_DEPLOYMENT_TEST;
    is_taken(r);
}

static void every_other_state_is_only_shown_and_named(void **state)
{
    po_request *r = add_request("req-a");
    int s;

    add_line("req-a.1");
    for (s = PO_STATE_REQUESTED; s <= PO_STATE_EXPIRED; s++) {
        r->state = (po_state)s;
        if (s != PO_STATE_REQUESTED)
            only_shown(r, s == PO_STATE_EXPIRED ? "expired" : po_state_name(r->state));
    }
}

static void a_draft_is_not_even_shown(void **state)
{
    po_request *r = add_request("req-a");

    add_line("req-a.1");
    r->state = PO_STATE_DRAFT;
    setup.operation = "edit";
    is_refused(412, "request req-a has not gone back in a cart yet");
    setup.operation = "inspect";
    is_refused(412, "request req-a has not gone back in a cart yet");
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_create_needs_no_lines_and_ignores_them),
        TEST(a_request_for_a_quote_is_refused_and_the_text_says_what_to_send),
        TEST(an_unknown_operation_is_refused_by_name),
        TEST(a_foreign_return_address_is_refused_whatever_is_asked_for),
        TEST(an_edit_finds_the_request_that_its_lines_name),
        TEST(a_line_taken_out_of_the_requisition_is_no_matter),
        TEST(without_lines_there_is_nothing_to_edit),
        TEST(a_line_that_is_not_of_a_cart_from_here_is_refused),
        TEST(an_endless_auxiliary_id_does_not_fill_the_answer),
        TEST(a_request_that_nobody_knows_is_refused),
        TEST(another_buyers_request_is_as_good_as_unknown),
        TEST(a_line_that_the_request_does_not_have_is_refused),
        TEST(two_carts_are_not_edited_at_once),
        TEST(what_was_ordered_is_only_shown),
        TEST(what_was_approved_beforehand_is_only_shown),
        TEST(what_was_cancelled_is_only_shown_and_its_successor_named),
        TEST(what_has_expired_is_only_shown_even_before_it_was_swept),
        TEST(a_request_without_an_end_can_be_edited),
        TEST(a_cart_of_test_mode_is_not_edited_in_production_nor_the_other_way),
        TEST(a_draft_is_not_even_shown), TEST(every_other_state_is_only_shown_and_named),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
