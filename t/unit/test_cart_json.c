/* test_cart_json.c - the marketplace's own cart: what is taken, how its lines become requests, each mistake with its path. */
#include "market_fixture.h"

static po_site site;
static po_buyer buyer;
static apr_array_header_t *entries, *requests;
static const char *canonical;

static int fresh(void **state)
{
    apr_pool_clear(pool);
    memset(&site, 0, sizeof(site));
    memset(&buyer, 0, sizeof(buyer));
    buyer.profile = *po_profile_find("generic");
    buyer.currency = "USD";
    return 0;
}

#define CART(lines) "{\"lines\":[" lines "]}"
#define OWN(more) "{\"part\":\"P-1\",\"description\":\"Plan\",\"product\":\"prod\",\"seller\":\"Seller\"," more "}"
#define CONTRACT(price) OWN("\"pricing\":\"contract\",\"unitPrice\":" price)
#define USAGE(dimension, more) "{\"part\":\"P-U\",\"description\":\"By use\",\"product\":\"prod\",\"seller\":\"Seller\"," \
    "\"pricing\":\"contract\",\"kind\":\"usage\",\"dimension\":\"" dimension "\"," more "}"

static const char *read_text(const char *text)
{
    return po_cart_json_read(text, strlen(text), buyer.currency, &entries, &canonical, pool);
}

static void refused(const char *text, const char *part)
{
    const char *wrong = read_text(text);

    if (!wrong)
        fail_msg("taken: %s", text);
    if (!strstr(wrong, part))
        fail_msg("\"%s\" is not in: %s", part, wrong);
}

static void taken(const char *text)
{
    const char *wrong = read_text(text);

    if (wrong)
        fail_msg("%s: %s", text, wrong);
}

static const char *price_one(const po_cart_entry *entry)
{
    po_request *r = apr_pcalloc(pool, sizeof(*r));

    assert_non_null(entry->own);
    r->id = apr_psprintf(pool, "req-%d", requests->nelts);
    APR_ARRAY_PUSH(requests, po_request *) = r;
    return po_cart_build(r, entry->own, &entry->form, &site, &buyer, pool);
}

/* The cart of own lines, priced as the server does it. */
static const char *built(const char *text)
{
    const char *wrong = NULL;
    int i;

    taken(text);
    requests = apr_array_make(pool, 4, sizeof(po_request *));
    for (i = 0; !wrong && i < entries->nelts; i++)
        wrong = price_one(&APR_ARRAY_IDX(entries, i, po_cart_entry));
    return wrong;
}

static const po_request *request(int i)
{
    assert_true(i < requests->nelts);
    return APR_ARRAY_IDX(requests, i, po_request *);
}

static const po_charge *charge(int i, int line)
{
    assert_true(line < request(i)->charges->nelts);
    return &APR_ARRAY_IDX(request(i)->charges, line, po_charge);
}

static const char *text_of(const po_decimal *d)
{
    return po_decimal_text(d, 2, apr_palloc(pool, PO_DECIMAL_TEXT));
}

static void offers_are_named_with_what_the_form_says(void **state)
{
    const po_cart_entry *e;

    taken(CART("{\"offer\":\"off-1\",\"quantity\":\"2\",\"budget\":\"500.00\",\"terms\":\"3\",\"action\":\"renew\","
               "\"subscription\":\"sub-9\"},{\"offer\":\"off-2\"}"));
    assert_int_equal(entries->nelts, 2);
    e = &APR_ARRAY_IDX(entries, 0, po_cart_entry);
    assert_null(e->own);
    assert_string_equal(e->form.offer, "off-1");
    assert_string_equal(e->form.quantity, "2");
    assert_string_equal(e->form.budget, "500.00");
    assert_string_equal(e->form.terms, "3");
    assert_string_equal(e->form.action, "renew");
    assert_string_equal(e->form.subscription, "sub-9");
    assert_int_equal(e[1].line, 1);
    assert_null(e[1].form.quantity);
}

static void an_own_line_costs_what_it_says(void **state)
{
    assert_null(built(CART(OWN("\"pricing\":\"contract\",\"kind\":\"contract\",\"term\":\"P12M\",\"unitPrice\":\"12.50\","
                               "\"currency\":\"EUR\",\"quantity\":\"3\",\"unit\":\"MON\",\"unspsc\":\"81112200\""))));
    assert_string_equal(request(0)->product, "prod");
    assert_string_equal(request(0)->offer, "P-1");
    assert_string_equal(request(0)->seller, "Seller");
    assert_string_equal(request(0)->currency, "EUR");
    assert_string_equal(request(0)->pricing, "contract");
    assert_string_equal(charge(0, 0)->description, "Plan: contract, 12 months");
    assert_string_equal(charge(0, 0)->unspsc, "81112200");
    assert_string_equal(charge(0, 0)->unit, "MON");
    assert_string_equal(text_of(&charge(0, 0)->quantity), "3.00");
    assert_string_equal(text_of(&charge(0, 0)->unit_price), "12.50");
}

static void what_is_left_out_has_its_usual_value(void **state)
{
    assert_null(built(CART(CONTRACT("\"5\""))));
    assert_string_equal(request(0)->currency, "USD");
    assert_string_equal(charge(0, 0)->unspsc, "43232701");
    assert_string_equal(charge(0, 0)->unit, "EA");
    assert_string_equal(text_of(&charge(0, 0)->quantity), "1.00");
    assert_int_equal(charge(0, 0)->state, PO_CHARGE_REQUESTED);
}

static void contract_and_usage_of_a_product_are_one_request(void **state)
{
    assert_null(built(CART(USAGE("gb", "\"unitPrice\":\"0.0925\",\"quantity\":\"5406\",\"unspsc\":\"81112201\"") ","
                           CONTRACT("\"900.00\"") "," USAGE("hour", "\"unitPrice\":\"2\""))));
    assert_int_equal(requests->nelts, 1);
    assert_int_equal(request(0)->charges->nelts, 3);
    assert_string_equal(request(0)->offer, "P-1");
    assert_string_equal(charge(0, 0)->kind, "contract");
    assert_string_equal(charge(0, 1)->part, "P-U");
    assert_string_equal(charge(0, 1)->dimension, "gb");
    assert_string_equal(charge(0, 1)->unspsc, "81112201");
    assert_string_equal(charge(0, 1)->description, "Plan: By use, per unit");
    assert_string_equal(text_of(&charge(0, 1)->quantity), "5406.00");
    assert_string_equal(text_of(&charge(0, 2)->quantity), "1.00");
}

static void another_product_or_seller_is_another_request(void **state)
{
    assert_null(built(CART(CONTRACT("\"1\"")
        ",{\"part\":\"P-2\",\"description\":\"d\",\"product\":\"prod\",\"seller\":\"Other\",\"pricing\":\"contract\",\"unitPrice\":\"2\"}"
        ",{\"part\":\"P-3\",\"description\":\"d\",\"product\":\"prod-3\",\"seller\":\"Seller\",\"pricing\":\"usage\",\"dimension\":\"gb\",\"unitPrice\":\"3\"}")));
    assert_int_equal(requests->nelts, 3);
    assert_string_equal(request(2)->pricing, "usage");
    assert_string_equal(charge(2, 0)->description, "d: gb, per unit");
}

static void of_several_contracts_of_a_product_each_is_a_request(void **state)
{
    assert_null(built(CART(CONTRACT("\"1\"") "," CONTRACT("\"2\"") "," USAGE("gb", "\"unitPrice\":\"3\""))));
    assert_int_equal(requests->nelts, 2);
    assert_int_equal(request(0)->charges->nelts, 1);
    assert_int_equal(request(1)->charges->nelts, 2);
}

static void a_budget_of_the_site_counts_where_no_quantity_is_given(void **state)
{
    site.usage_budget = "100.00";
    assert_null(built(CART(CONTRACT("\"1\"") "," USAGE("gb", "\"unitPrice\":\"0.30\""))));
    assert_string_equal(text_of(&charge(0, 1)->quantity), "334.00");
}

static void free_byol_and_trial_cost_nothing(void **state)
{
    assert_null(built(CART(OWN("\"pricing\":\"free\",\"unitPrice\":\"0.00\"") "," OWN("\"pricing\":\"byol\"") ","
                           OWN("\"pricing\":\"trial\",\"term\":\"P14D\",\"unitPrice\":\"0\""))));
    assert_int_equal(requests->nelts, 3);
    assert_string_equal(text_of(&charge(1, 0)->unit_price), "0.00");
    refused(CART(OWN("\"pricing\":\"free\",\"unitPrice\":\"0.01\"")), "lines[0].unitPrice is \"0.01\"");
    refused(CART(OWN("\"pricing\":\"trial\",\"unitPrice\":\"1\"")), "lines[0].unitPrice is \"1\"");
}

static void own_lines_are_approved_beforehand_by_the_buyers_switch(void **state)
{
    buyer.preapprove = PO_PREAPPROVE_FREE;
    assert_null(built(CART(OWN("\"pricing\":\"free\"") "," OWN("\"pricing\":\"byol\"") "," CONTRACT("\"0.00\""))));
    assert_string_equal(request(0)->preapproved_by, "PunchOutPreApprove free");
    assert_null(request(1)->preapproved_by);
    assert_null(request(2)->preapproved_by);
}

static void the_buyers_rules_hold_for_own_lines(void **state)
{
    const char *sellers[] = { "Keeper Ltd" };

    buyer.profile.price_decimals = 2;
    assert_non_null(strstr(built(CART(CONTRACT("\"0.005\""))), "decimals"));
    buyer.profile.part_bytes = 2;
    assert_non_null(strstr(built(CART(CONTRACT("\"1\""))), "P-1"));
    buyer.profile.part_bytes = 3;
    assert_non_null(strstr(built(CART(CONTRACT("\"1\"") ",{\"part\":\"P-1U\",\"description\":\"d\",\"product\":\"prod\","
        "\"seller\":\"Seller\",\"pricing\":\"usage\",\"dimension\":\"gb\",\"unitPrice\":\"1\"}")), "P-1U"));
    buyer.sellers = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(buyer.sellers, const char *) = sellers[0];
    assert_non_null(strstr(built(CART(CONTRACT("\"1\""))), "doesn't buy from Seller"));
}

/* ---- several requests in one cart ------------------------------------------------------------------------------- */

static po_cxml_cart cart_of(void)
{
    po_cxml_cart cart = { 0 };
    int i;

    assert_null(po_cart_check(requests, pool));
    for (i = 0; i < requests->nelts; i++)
        assert_int_equal(po_cart_items(request(i), &buyer, &cart, pool), APR_SUCCESS);
    return cart;
}

static void a_cart_of_several_requests_sums_exactly(void **state)
{
    po_cxml_cart cart;
    int i;

    assert_null(built(CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"0.01\",\"quantity\":\"1000000\"") ","
        "{\"part\":\"P-2\",\"description\":\"d\",\"product\":\"q\",\"seller\":\"Seller\",\"pricing\":\"usage\",\"dimension\":\"gb\","
        "\"unitPrice\":\"0.12345678\",\"quantity\":\"3\"}," OWN("\"pricing\":\"byol\""))));
    cart = cart_of();
    assert_string_equal(cart.total, "10000.37037034");
    assert_string_equal(cart.currency, "USD");
    assert_int_equal(cart.items->nelts, 3);
    for (i = 0; i < 3; i++) {
        const po_cxml_cart_item *item = &APR_ARRAY_IDX(cart.items, i, po_cxml_cart_item);

        assert_int_equal(item->line, i + 1);
        assert_string_equal(item->auxiliary, apr_psprintf(pool, "req-%d.1", i));
    }
}

static void prices_in_yen_and_dinar_are_exact(void **state)
{
    assert_null(built(CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1200\",\"currency\":\"JPY\",\"quantity\":\"7\""))));
    assert_string_equal(cart_of().total, "8400");
    assert_null(built(CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1.005\",\"currency\":\"KWD\",\"quantity\":\"3\""))));
    assert_string_equal(cart_of().total, "3.015");
}

static void two_currencies_are_refused(void **state)
{
    assert_null(built(CART(CONTRACT("\"1\"") ",{\"part\":\"P-2\",\"description\":\"d\",\"product\":\"q\",\"seller\":\"Seller\","
                           "\"pricing\":\"contract\",\"unitPrice\":\"2\",\"currency\":\"EUR\"}")));
    assert_non_null(strstr(po_cart_check(requests, pool), "USD and in EUR"));
    refused(CART(CONTRACT("\"1\"") "," USAGE("gb", "\"unitPrice\":\"1\",\"currency\":\"EUR\"")), "lines[1].currency is EUR");
}

static void a_sum_that_no_order_can_hold_is_refused(void **state)
{
    assert_null(built(CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"999999999\",\"quantity\":\"999999999\"") ","
                           OWN("\"pricing\":\"contract\",\"unitPrice\":\"999999999\",\"quantity\":\"999999999\""))));
    assert_non_null(strstr(po_cart_check(requests, pool), "larger than an order can hold"));
}

/* ---- mistakes ----------------------------------------------------------------------------------------------------- */

static void money_is_a_plain_decimal_in_a_string(void **state)
{
    static const char *const wrong[] = { "1e9", "0x10", "NaN", "Infinity", "1,200.00", "1 200", "1.200,00", "-1", "+1",
        ".", "1.2.3", "1234567890123456789", "0.123456789", "12.50 USD", "\xd9\xa1\xd9\xa2" };
    apr_size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refused(apr_psprintf(pool, CART(CONTRACT("\"%s\"")), wrong[i]), "lines[0].unitPrice is ");
    refused(CART("{\"offer\":\"o\",\"budget\":\"1e3\"}"), "lines[0].budget is \"1e3\"");
    taken(CART(CONTRACT("\"123456789012345678\"")));
    taken(CART(CONTRACT("\"0.00000001\"")));
}

static void numbers_are_refused_with_their_path(void **state)
{
    refused(CART("{\"offer\":\"o\"}," CONTRACT("12.5")), "lines[1].unitPrice is the number 12.5; money");
    refused(CART(CONTRACT("0")), "lines[0].unitPrice is the number 0");
    refused(CART("{\"offer\":\"o\",\"quantity\":2}"), "lines[0].quantity is the number 2");
    refused(CART("{\"offer\":\"o\",\"budget\":2e3}"), "lines[0].budget is the number 2000");
    refused(CART("{\"offer\":7}"), "lines[0].offer is the number 7");
    refused(CART(CONTRACT("1e999")), "line 1, column");
    refused(CART(CONTRACT("NaN")), "line 1, column");
}

static void quantities_are_whole(void **state)
{
    static const char *const wrong[] = { "0", "1.5", "-1", "1e3", "0x2", "1000000001", "1,000", " 2", "99999999999999999999" };
    apr_size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refused(apr_psprintf(pool, CART("{\"offer\":\"o\",\"quantity\":\"%s\"}"), wrong[i]), "lines[0].quantity is ");
        refused(apr_psprintf(pool, CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1\",\"quantity\":\"%s\"")), wrong[i]),
                "lines[0].quantity is ");
    }
    taken(CART(CONTRACT("\"1\"") "," USAGE("gb", "\"unitPrice\":\"0.01\",\"quantity\":\"1000000000000\"")));
}

static void each_mistake_names_its_member(void **state)
{
    static const struct { const char *text, *part; } cells[] = {
        { "", "line 1" }, { "nonsense", "line 1" }, { "[]", "the cart is a list" }, { "{}", "lines is missing" },
        { "{\"lines\":{}}", "lines is an object" }, { CART(""), "lines holds 0" }, { "{\"lines\":[{\"offer\":\"o\"}],\"total\":\"1\"}", "\"total\" is not known" },
        { "{\"lines\":[],\"lines\":[]}", "line 1" }, { CART("7"), "lines[0] is the number 7" }, { CART("{}"), "lines[0]: write either" },
        { CART("{\"offer\":\"o\",\"part\":\"p\"}"), "lines[0]: write either" }, { CART("{\"offer\":\"o\",\"price\":\"1\"}"), "lines[0]: \"price\" is not known" },
        { CART("{\"offer\":\"o\",\"unitPrice\":\"1\"}"), "lines[0]: \"unitPrice\" is not known" }, { CART("{\"offer\":\"\"}"), "lines[0].offer is empty" },
        { CART("{\"offer\":\"a b\"}"), "lines[0].offer is \"a b\"" }, { CART("{\"offer\":null}"), "lines[0].offer is null" },
        { CART("{\"offer\":\"o\",\"terms\":\"a\\nb\"}"), "lines[0].terms holds a control character" },
        { CART("{\"offer\":\"o\\u0000\"}"), "line 1" }, { CART("{\"part\":\"p\"}"), "lines[0].description is missing" },
        { CART(OWN("\"unitPrice\":\"1\"")), "lines[0].pricing is missing" }, { CART(OWN("\"pricing\":\"lease\",\"unitPrice\":\"1\"")), "lines[0].pricing is \"lease\"" },
        { CART(OWN("\"pricing\":\"contract\"")), "lines[0].unitPrice is missing" },
        { CART(OWN("\"pricing\":\"free\",\"kind\":\"contract\"")), "lines[0].kind is \"contract\"" },
        { CART(OWN("\"pricing\":\"usage\",\"unitPrice\":\"1\"")), "lines[0].dimension is missing" },
        { CART(OWN("\"pricing\":\"usage\",\"unitPrice\":\"0.00\",\"dimension\":\"d\"")), "lines[0].unitPrice is 0" },
        { CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1\",\"dimension\":\"d\"")), "lines[0].dimension belongs" },
        { CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1\",\"term\":\"a year\"")), "lines[0].term is \"a year\"" },
        { CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1\",\"currency\":\"usd\"")), "lines[0].currency is \"usd\"" },
        { CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1\",\"unit\":\"<b>\"")), "lines[0].unit is " },
        { CART(OWN("\"pricing\":\"contract\",\"unitPrice\":\"1\",\"unspsc\":\"4323\"")), "lines[0].unspsc is \"4323\"" },
        { CART(USAGE("gb", "\"unitPrice\":\"1\"")), "lines[0].pricing is \"contract\", but there is no line" },
        { CART(CONTRACT("\"1\"") "," USAGE("gb", "\"unitPrice\":\"1\"") "," USAGE("gb", "\"unitPrice\":\"2\"")), "lines[2].dimension \"gb\" occurs twice" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        refused(cells[i].text, cells[i].part);
}

static void a_mistake_is_one_line_of_a_log(void **state)
{
    const char *wrong = read_text(CART("{\"offer\":\"o\",\"a\\nb\\u001b\":\"1\"}"));

    assert_non_null(wrong);
    assert_null(strpbrk(wrong, "\n\r\033"));
}

static void at_most_200_lines(void **state)
{
    const char *lines = "{\"offer\":\"o\"}";
    int i;

    for (i = 1; i < 200; i++)
        lines = apr_pstrcat(pool, lines, ",{\"offer\":\"o\"}", NULL);
    taken(apr_pstrcat(pool, "{\"lines\":[", lines, "]}", NULL));
    assert_int_equal(entries->nelts, 200);
    refused(apr_pstrcat(pool, "{\"lines\":[", lines, ",{\"offer\":\"o\"}]}", NULL), "lines holds 201");
}

static void the_same_cart_has_the_same_text(void **state)
{
    const char *first;

    taken(CART("{\"offer\":\"o\",\"quantity\":\"2\"}"));
    first = canonical;
    taken(" { \"lines\" : [ {\"quantity\":\"2\", \"offer\":\"\\u006f\"} ] }\n");
    assert_string_equal(canonical, first);
    taken(CART("{\"offer\":\"o\",\"quantity\":\"3\"}"));
    assert_string_not_equal(canonical, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(offers_are_named_with_what_the_form_says, fresh),
        cmocka_unit_test_setup(an_own_line_costs_what_it_says, fresh),
        cmocka_unit_test_setup(what_is_left_out_has_its_usual_value, fresh),
        cmocka_unit_test_setup(contract_and_usage_of_a_product_are_one_request, fresh),
        cmocka_unit_test_setup(another_product_or_seller_is_another_request, fresh),
        cmocka_unit_test_setup(of_several_contracts_of_a_product_each_is_a_request, fresh),
        cmocka_unit_test_setup(a_budget_of_the_site_counts_where_no_quantity_is_given, fresh),
        cmocka_unit_test_setup(free_byol_and_trial_cost_nothing, fresh),
        cmocka_unit_test_setup(own_lines_are_approved_beforehand_by_the_buyers_switch, fresh),
        cmocka_unit_test_setup(the_buyers_rules_hold_for_own_lines, fresh),
        cmocka_unit_test_setup(a_cart_of_several_requests_sums_exactly, fresh),
        cmocka_unit_test_setup(prices_in_yen_and_dinar_are_exact, fresh),
        cmocka_unit_test_setup(two_currencies_are_refused, fresh),
        cmocka_unit_test_setup(a_sum_that_no_order_can_hold_is_refused, fresh),
        cmocka_unit_test_setup(money_is_a_plain_decimal_in_a_string, fresh),
        cmocka_unit_test_setup(numbers_are_refused_with_their_path, fresh),
        cmocka_unit_test_setup(quantities_are_whole, fresh),
        cmocka_unit_test_setup(each_mistake_names_its_member, fresh),
        cmocka_unit_test_setup(a_mistake_is_one_line_of_a_log, fresh),
        cmocka_unit_test_setup(at_most_200_lines, fresh),
        cmocka_unit_test_setup(the_same_cart_has_the_same_text, fresh),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
