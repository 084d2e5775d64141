/* test_event.c - what the fulfillment backend is told, and what is understood of its answer. */
#include <jansson.h>

#include "market_fixture.h"

static po_request request;

/* ---- the event ------------------------------------------------------------------------------------------------ */

static apr_time_t at(int day, int hour, int minute)
{
    apr_time_exp_t x = { 0, 0, minute, hour, day, 10, 126 };
    apr_time_t t;

    assert_int_equal(apr_time_exp_gmt_get(&t, &x), APR_SUCCESS);
    return t;
}

static apr_array_header_t *pairs(int n, ...)
{
    apr_array_header_t *list = apr_array_make(pool, n, sizeof(po_cxml_extrinsic));
    va_list args;

    va_start(args, n);
    while (n--) {
        po_cxml_extrinsic *e = apr_array_push(list);

        e->name = va_arg(args, const char *);
        e->value = va_arg(args, const char *);
    }
    va_end(args);
    return list;
}

static po_cxml_address ship_to = { "HQ", NULL, "Acme Corporation", NULL, NULL, "Ines Okafor, Room 7", "1 Anvil Street",
                                   "Springfield", "OR", "97477", "US" };
static po_cxml_address contact = { NULL, "endUser", "Tom Br\xc3\xbc" "ck", "tom@buyer.example", "1-555-0100" };

static po_charge *add_charge(const char *kind, const char *dimension, const char *quantity, const char *price,
                             const char *unit)
{
    po_charge *c = apr_array_push(request.charges);

    memset(c, 0, sizeof(*c));
    c->line = request.charges->nelts;
    c->kind = kind;
    c->dimension = dimension;
    c->quantity = dec(quantity);
    c->unit_price = dec(price);
    c->currency = "USD";
    c->unit = unit;
    return c;
}

static int fresh(void **state)
{
    memset(&request, 0, sizeof(request));
    request.id = "req-4x8w0123456789ab";
    request.charges = apr_array_make(pool, 2, sizeof(po_charge));
    return 0;
}

/* A contract with usage, both ordered by PO-17. */
static void fill_request(void)
{
    int i;

    fresh(NULL);
    add_charge("contract", NULL, "1", "900", "EA");
    add_charge("usage", "gb", "2000", "0.25", "E34");
    request.product = "prod-ab12";
    request.offer = "off-both";
    request.seller = "Keeper Ltd";
    request.pricing = "contract";
    request.term = "P12M";
    request.terms_version = "3";
    request.buyer = "acme";
    request.organization = "acme-group";
    request.email = "ines@buyer.example";
    request.user_name = "Ines \"I\" Okafor";
    request.account = "acct-42";
    request.account_email = "acct-42@market.example";
    request.terms_at = at(22, 8, 0);
    for (i = 0; i < 2; i++) {
        po_charge *c = &APR_ARRAY_IDX(request.charges, i, po_charge);

        c->state = PO_CHARGE_ORDERED;
        c->order_id = "PO-17";
        c->order_line = i + 1;
    }
}

static void fill_order(po_cxml_order *o)
{
    int i;

    memset(o, 0, sizeof(*o));
    o->order_id = "PO-17";
    o->order_date = "2026-11-23T10:14:00+00:00";
    o->requisition = "R-9";
    o->ship_to = &ship_to;
    o->contact = &contact;
    o->extrinsics = pairs(3, "Department", "R&D", "Note", "line 1\nline 2\t\\", "Department", "again");
    o->items = apr_array_make(pool, 3, sizeof(po_cxml_item));
    for (i = 0; i < 3; i++) {
        po_cxml_item *item = apr_array_push(o->items);

        memset(item, 0, sizeof(*item));
        item->line = i + 1;
    }
    APR_ARRAY_IDX(o->items, 0, po_cxml_item).accounting = pairs(1, "Cost Center", "4711");
    APR_ARRAY_IDX(o->items, 1, po_cxml_item).accounting = pairs(2, "Cost Center", "4712", "Project", "P/1");
    /* the third line is of another request, perhaps another seller's */
    APR_ARRAY_IDX(o->items, 2, po_cxml_item).accounting = pairs(1, "Cost Center", "secret");
}

static po_event event_of(const po_cxml_order *order)
{
    po_event e = { "evt-0123456789abcdef", "marketplace.subscription.approved", "https://market.example/punchout/acme",
                   "https://market.example/punchout/fulfilled/evt-0123456789abcdef", "tok-1", at(23, 10, 15), &request,
                   order, order ? "order-1@buyer.example" : NULL };

    return e;
}

static json_t *parsed(const po_event *e)
{
    json_error_t error;
    const char *text = po_event_json(e, pool);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!j)
        fail_msg("%s in %s", error.text, text);
    return j;
}

/* Every member that the golden file has, and no other, in the same order. */
static void same_json(const char *where, json_t *got, json_t *want)
{
    const char *name;
    json_t *value;
    apr_size_t i;
    void *g, *w;

    if (!got || json_typeof(got) != json_typeof(want))
        fail_msg("%s: missing or of another type", where);
    if (json_is_object(want)) {
        for (g = json_object_iter(got), w = json_object_iter(want); g && w;
             g = json_object_iter_next(got, g), w = json_object_iter_next(want, w))
            assert_string_equal(json_object_iter_key(g), json_object_iter_key(w));
        assert_int_equal(json_object_size(got), json_object_size(want));
        json_object_foreach(want, name, value)
            same_json(apr_pstrcat(pool, where, ".", name, NULL), json_object_get(got, name), value);
    } else if (json_is_array(want)) {
        assert_int_equal(json_array_size(got), json_array_size(want));
        json_array_foreach(want, i, value)
            same_json(apr_psprintf(pool, "%s[%d]", where, (int)i), json_array_get(got, i), value);
    } else if (!json_equal(got, want)) {
        fail_msg("%s: %s", where, json_is_string(got) ? json_string_value(got) : "another value");
    }
}

static void an_event_has_the_members_of_the_contract(void **state)
{
    const char *src = getenv("srcdir");
    json_error_t error;
    json_t *want = json_load_file(apr_pstrcat(pool, src ? src : ".", "/t/unit/event.json", NULL), 0, &error), *got;
    po_cxml_order order;
    po_event e;

    if (!want)
        fail_msg("t/unit/event.json:%d: %s", error.line, error.text);
    fill_request();
    fill_order(&order);
    e = event_of(&order);
    got = parsed(&e);
    same_json("event", got, want);
    json_decref(got);
    json_decref(want);
}

static void an_event_says_null_where_nothing_is(void **state)
{
    po_event e;
    json_t *got, *data;

    add_charge("free", NULL, "1", "0", "EA")->state = PO_CHARGE_PREAPPROVED;
    request.test = 1;
    e = event_of(NULL);
    got = parsed(&e);
    data = json_object_get(got, "data");
    assert_int_equal(json_array_size(json_object_get(data, "orders")), 0);
    assert_true(json_is_array(json_object_get(data, "orders")));
    assert_true(json_is_null(json_object_get(data, "account")));
    assert_true(json_is_null(json_object_get(data, "terms")));
    assert_true(json_is_null(json_object_get(data, "term")));
    assert_true(json_is_null(json_object_get(json_object_get(data, "requester"), "email")));
    assert_string_equal(json_string_value(json_object_get(data, "mode")), "test");
    data = json_array_get(json_object_get(data, "charges"), 0);
    assert_true(json_is_null(json_object_get(data, "order")));
    assert_true(json_is_null(json_object_get(data, "orderLine")));
    assert_string_equal(json_string_value(json_object_get(data, "unitPrice")), "0.00");
    data = json_array_get(json_object_get(json_object_get(got, "data"), "approvals"), 0);
    assert_string_equal(json_string_value(json_object_get(data, "state")), "pre-approved");
    json_decref(got);
}

static void an_approval_is_ordered_when_all_its_charges_are(void **state)
{
    po_event e;
    json_t *got, *approvals;

    add_charge("usage", "hour", "1", "0.25", "HUR")->state = PO_CHARGE_ORDERED;
    add_charge("usage", "gb", "1", "0.3", "E34");
    e = event_of(NULL);
    got = parsed(&e);
    approvals = json_object_get(json_object_get(got, "data"), "approvals");
    assert_int_equal(json_array_size(approvals), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(approvals, 0), "state")), "requested");
    json_decref(got);
}

static const char *charge_text(json_t *event, int n, const char *name)
{
    json_t *charges = json_object_get(json_object_get(event, "data"), "charges");

    return json_string_value(json_object_get(json_array_get(charges, (apr_size_t)n), name));
}

static void an_event_tells_the_quantity_that_is_ordered_now(void **state)
{
    po_event e;
    json_t *got, *approval;

    fill_request();
    add_charge("usage", "hour", "7", "0.5", "HUR")->state = PO_CHARGE_CANCELLED;
    APR_ARRAY_IDX(request.charges, 0, po_charge).ordered = dec("3");
    e = event_of(NULL);
    got = parsed(&e);
    assert_string_equal(charge_text(got, 0, "quantity"), "3");
    assert_string_equal(charge_text(got, 1, "quantity"), "2000");
    assert_string_equal(charge_text(got, 2, "quantity"), "0");
    /* the approval of usage stands as long as one of its charges does */
    approval = json_array_get(json_object_get(json_object_get(got, "data"), "approvals"), 1);
    assert_string_equal(json_string_value(json_object_get(approval, "state")), "ordered");
    json_decref(got);
    APR_ARRAY_IDX(request.charges, 1, po_charge).state = PO_CHARGE_CANCELLED;
    got = parsed(&e);
    approval = json_array_get(json_object_get(json_object_get(got, "data"), "approvals"), 1);
    assert_string_equal(json_string_value(json_object_get(approval, "state")), "cancelled");
    json_decref(got);
}

/* One line of 1700.00 for a contract and usage, on PO-17. */
static po_charge *fill_single(void)
{
    static const char *const kinds[] = { "contract", "usage", "usage" };
    static const char *const dimensions[] = { NULL, "gb", "hour" };
    po_charge *c;
    int i;

    fill_request();
    request.charges->nelts = 0;
    c = add_charge("contract", NULL, "170000", "0.01", "EA");
    c->order_id = "PO-17";
    c->order_line = 4;
    c->state = PO_CHARGE_ORDERED;
    c->covers = apr_array_make(pool, 3, sizeof(po_cover));
    for (i = 0; i < 3; i++) {
        po_cover v = { kinds[i], dimensions[i], "Log Keeper", i ? "E34" : "MON", dec(i ? "1000" : "1"), dec(i ? "0.25" : "1200") };

        APR_ARRAY_PUSH(c->covers, po_cover) = v;
    }
    return c;
}

/* The data's member as text. */
static const char *data_text(const po_event *e, const char *name)
{
    json_t *got = parsed(e);
    char *text = json_dumps(json_object_get(json_object_get(got, "data"), name), JSON_COMPACT);
    const char *kept = apr_pstrdup(pool, text);

    free(text);
    json_decref(got);
    return kept;
}

static void a_line_that_holds_a_sum_is_told_as_what_it_stands_for(void **state)
{
    po_charge *c = fill_single();
    po_event e = event_of(NULL);
    const char *text = data_text(&e, "charges");

#define PLACE ",\"order\":\"PO-17\",\"orderLine\":4," \
              "\"ordered\":{\"quantity\":\"170000\",\"unitPrice\":\"0.01\",\"amount\":\"1700.00\"}}"
    assert_string_equal(text, "[{\"line\":1,\"kind\":\"contract\",\"dimension\":null,\"quantity\":\"1\",\"unitPrice\":\"1200.00\","
                        "\"currency\":\"USD\",\"unit\":\"MON\"" PLACE ","
                        "{\"line\":1,\"kind\":\"usage\",\"dimension\":\"gb\",\"quantity\":\"1000\",\"unitPrice\":\"0.25\","
                        "\"currency\":\"USD\",\"unit\":\"E34\"" PLACE ","
                        "{\"line\":1,\"kind\":\"usage\",\"dimension\":\"hour\",\"quantity\":\"1000\",\"unitPrice\":\"0.25\","
                        "\"currency\":\"USD\",\"unit\":\"E34\"" PLACE "]");
    assert_string_equal(data_text(&e, "approvals"), "[{\"kind\":\"contract\",\"state\":\"ordered\"},"
                        "{\"kind\":\"usage\",\"state\":\"ordered\"}]");
    c->ordered = dec("200000");
    text = data_text(&e, "charges");
    assert_non_null(strstr(text, "\"ordered\":{\"quantity\":\"200000\",\"unitPrice\":\"0.01\",\"amount\":\"2000.00\"}"));
    assert_non_null(strstr(text, "\"quantity\":\"1000\",\"unitPrice\":\"0.25\""));
    c->state = PO_CHARGE_CANCELLED;
    text = data_text(&e, "charges");
    assert_non_null(strstr(text, "\"ordered\":{\"quantity\":\"0\",\"unitPrice\":\"0.01\",\"amount\":\"0.00\"}"));
    assert_non_null(strstr(text, "\"quantity\":\"0\",\"unitPrice\":\"0.25\""));
    c->state = PO_CHARGE_PREAPPROVED;
    c->order_id = NULL;
    assert_non_null(strstr(data_text(&e, "charges"), "\"order\":null,\"orderLine\":null,\"ordered\":null}"));
}

static void an_event_lists_every_order_with_the_accounting_of_its_own_lines(void **state)
{
    apr_array_header_t *earlier = apr_array_make(pool, 1, sizeof(po_event_order));
    po_cxml_order first, last;
    json_t *got, *orders;
    po_event e;

    fill_request();
    fill_order(&first);
    fill_order(&last);
    last.order_id = "PO-18";
    APR_ARRAY_IDX(request.charges, 1, po_charge).order_id = "PO-18";
    APR_ARRAY_PUSH(earlier, po_event_order) = (po_event_order){ &first, "order-0@buyer.example" };
    e = event_of(&last);
    e.earlier = earlier;
    got = parsed(&e);
    orders = json_object_get(json_object_get(got, "data"), "orders");
    assert_int_equal(json_array_size(orders), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(orders, 0), "id")), "PO-17");
    assert_string_equal(json_string_value(json_object_get(json_array_get(orders, 0), "payloadID")), "order-0@buyer.example");
    assert_int_equal(json_array_size(json_object_get(json_array_get(orders, 0), "accounting")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(orders, 1), "id")), "PO-18");
    assert_int_equal(json_array_size(json_object_get(json_array_get(orders, 1), "accounting")), 2);
    json_decref(got);
}

static void accounting_of_another_request_is_not_told_when_the_order_numbers_two_lines_alike(void **state)
{
    po_cxml_order order;
    const char *text;
    po_event e;

    fill_request();
    fill_order(&order);
    APR_ARRAY_IDX(order.items, 0, po_cxml_item).auxiliary = apr_pstrcat(pool, request.id, ".1", NULL);
    APR_ARRAY_IDX(order.items, 2, po_cxml_item).auxiliary = "req-fedcba9876543210.1";
    APR_ARRAY_IDX(order.items, 2, po_cxml_item).line = 1;
    e = event_of(&order);
    text = data_text(&e, "orders");
    assert_non_null(strstr(text, "4711"));
    assert_null(strstr(text, "secret"));
}

static void an_event_is_json_whatever_the_buyer_wrote(void **state)
{
    static const char *const rows[][2] = {
        { "\x01\x1f\x7f\"\\/", "\x01\x1f\x7f\"\\/" }, { "\xff", "\xef\xbf\xbd" }, { "a\xc3", "a\xef\xbf\xbd" },
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" }, { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa4", "\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa4" }, { "", "" } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_event e;
        json_t *got, *requester;

        fill_request();
        request.user_name = rows[i][0];
        e = event_of(NULL);
        got = parsed(&e);
        requester = json_object_get(json_object_get(got, "data"), "requester");
        assert_string_equal(json_string_value(json_object_get(requester, "name")), rows[i][1]);
        json_decref(got);
    }
}

/* ---- the answer ----------------------------------------------------------------------------------------------- */

static po_answer answer(const char *body)
{
    po_answer a;
    char *exact = malloc(strlen(body) ? strlen(body) : 1);      /* without a NUL behind: what comes from the network */

    memcpy(exact, body, strlen(body));
    po_answer_read(&a, exact, strlen(body), pool);
    free(exact);
    return a;
}

static void the_backends_members_are_read(void **state)
{
    po_answer a = answer(" {\"status\":\"active\",\"subscription\":\"sub-9\",\"url\":\"https://x.example/s\","
                         "\"more\":[1]}\n");

    assert_string_equal(a.status, "active");
    assert_string_equal(a.subscription, "sub-9");
    assert_string_equal(a.url, "https://x.example/s");
    assert_null(a.reason);
    a = answer("{\"status\":\"failed\",\"reason\":\"sold\\nout\"}");
    assert_string_equal(a.status, "failed");
    assert_string_equal(a.reason, "sold out");
    a = answer("{\"subscription\":17}");
    assert_string_equal(a.subscription, "17");
}

static void problem_json_gives_its_detail(void **state)
{
    po_answer a = answer("{\"type\":\"about:blank\",\"title\":\"Gone\",\"status\":422,\"detail\":\"The offer ended\"}");

    assert_null(a.status);
    assert_string_equal(a.reason, "The offer ended");
}

static void text_gives_its_first_kilobyte(void **state)
{
    char *text = apr_palloc(pool, 4001);
    po_answer a = answer("<html>\r\nsold out</html>");
    int i;

    assert_string_equal(a.reason, "<html>  sold out</html>");
    for (i = 0; i < 4000; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[4000] = '\0';
    text[0] = text[1] = 'x';
    a = answer(text + 1);               /* odd: the 1024th byte is half a character */
    assert_int_equal(strlen(a.reason), 1023);
    a = answer("{\"error\":\"sold out\"}");
    assert_string_equal(a.reason, "{\"error\":\"sold out\"}");
    a = answer("bad \xff byte");
    assert_string_equal(a.reason, "bad ? byte");
}

static void an_empty_answer_says_nothing(void **state)
{
    static const char *const bodies[] = { "", "  \r\n", "{}",
                                          "{\"status\":\"perhaps\",\"subscription\":\"s\",\"url\":7}" };
    po_answer a;
    int i;

    for (i = 0; i < 4; i++) {
        a = answer(bodies[i]);
        assert_null(a.status);
        assert_null(a.url);
        assert_null(a.reason);
    }
}

static void a_url_that_is_no_web_address_is_dropped(void **state)
{
    static const char *const bad[] = { "javascript:alert(1)", "ftp://x/", "//x.example/", "/path", "https://x/a b",
                                       "https://x/\\\"", "https://x/<", "https://x/\\n" };
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        po_answer a = answer(apr_psprintf(pool, "{\"subscription\":\"s\",\"url\":\"%s\"}", bad[i]));

        assert_string_equal(a.subscription, "s");
        assert_null(a.url);
    }
    assert_string_equal(answer("{\"url\":\"HTTP://x.example/\"}").url, "HTTP://x.example/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_event_has_the_members_of_the_contract, fresh),
        cmocka_unit_test_setup(an_event_says_null_where_nothing_is, fresh),
        cmocka_unit_test_setup(an_approval_is_ordered_when_all_its_charges_are, fresh),
        cmocka_unit_test_setup(an_event_tells_the_quantity_that_is_ordered_now, fresh),
        cmocka_unit_test_setup(a_line_that_holds_a_sum_is_told_as_what_it_stands_for, fresh),
        cmocka_unit_test_setup(an_event_lists_every_order_with_the_accounting_of_its_own_lines, fresh),
        cmocka_unit_test_setup(accounting_of_another_request_is_not_told_when_the_order_numbers_two_lines_alike, fresh),
        cmocka_unit_test_setup(an_event_is_json_whatever_the_buyer_wrote, fresh),
        cmocka_unit_test_setup(the_backends_members_are_read, fresh),
        cmocka_unit_test_setup(problem_json_gives_its_detail, fresh),
        cmocka_unit_test_setup(text_gives_its_first_kilobyte, fresh),
        cmocka_unit_test_setup(an_empty_answer_says_nothing, fresh),
        cmocka_unit_test_setup(a_url_that_is_no_web_address_is_dropped, fresh),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
