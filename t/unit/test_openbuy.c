/* test_openbuy.c - Coupa Open Buy's JSON: what is asked, and items in a buyer's own names and types. */
#include "market_fixture.h"

#include <limits.h>

static po_buyer buyer;
static po_site site = { .public_url = "https://market.example" };

static int setup(void **state)
{
    apr_pool_clear(pool);
    memset(&buyer, 0, sizeof(buyer));
    buyer.name = buyer.organization = "acme";
    buyer.profile = *po_profile_find("coupa");
    buyer.currency = "EUR";
    buyer.units = apr_table_make(pool, 1);
    buyer.openbuy_fields = apr_array_make(pool, 2, sizeof(po_openbuy_field));
    return 0;
}

static void rename_member(const char *ours, const char *theirs, po_openbuy_type type)
{
    po_openbuy_field f = { ours, theirs, type };

    APR_ARRAY_PUSH(buyer.openbuy_fields, po_openbuy_field) = f;
}

/* JSON with ' where it has " */
static const char *json(const char *text)
{
    char *copy = apr_pstrdup(pool, text), *c;

    for (c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static po_openbuy *call(const char *text)
{
    po_openbuy *o = NULL;

    assert_null(po_openbuy_read(&o, json(text), strlen(text), pool));
    return o;
}

/* NULL, or what is wrong with the whole body. */
static const char *refused(const char *text)
{
    po_openbuy *o;

    return po_openbuy_read(&o, json(text), strlen(text), pool);
}

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static void a_body_is_one_object_without_duplicates(void **state)
{
    assert_null(refused("{}"));
    assert_null(refused(" {'query':'\xc3\xa4','more':[{'x':1.5e300}]} \n"));
    assert_non_null(strstr(refused("['query']"), "must be a JSON object"));
    assert_non_null(strstr(refused("{'query':'a','query':'b'}"), "twice"));
    assert_non_null(strstr(refused("{'more':{'a':1,'a':2}}"), "twice"));
    assert_non_null(strstr(refused("{'query':'\xff'}"), "UTF-8"));
    assert_non_null(refused("{'query':'a'} x"));
    assert_non_null(refused(""));
    assert_non_null(refused("{'query':'a\\u0000b'}"));
}

static void what_is_wrong_repeats_nothing_of_the_body(void **state)
{
    assert_null(strstr(refused("{'credentials':'acme:the-secret'"), "secret"));
    assert_null(strstr(refused("{'credentials':'acme:the-secret' 'x'}"), "secret"));
}

static void credentials_and_token_are_strings(void **state)
{
    const char *credentials, *token;

    assert_null(po_openbuy_who(call("{'credentials':'acme:s','token':null}"), &credentials, &token));
    assert_string_equal(credentials, "acme:s");
    assert_null(token);
    assert_non_null(po_openbuy_who(call("{'credentials':{'name':'acme'}}"), &credentials, &token));
    assert_non_null(po_openbuy_who(call("{'token':17}"), &credentials, &token));
}

static void a_requester_is_one_plain_address_under_the_buyers_name_for_it(void **state)
{
    const char *email;

    assert_null(po_openbuy_email(call("{'email':'ines@buyer.example'}"), &buyer, &email, pool));
    assert_string_equal(email, "ines@buyer.example");
    assert_null(po_openbuy_email(call("{}"), &buyer, &email, pool));
    assert_null(email);
    assert_non_null(po_openbuy_email(call("{'email':'a@b\\r\\nBcc: c@d'}"), &buyer, &email, pool));
    assert_non_null(po_openbuy_email(call("{'email':17}"), &buyer, &email, pool));
    rename_member("email", "user", PO_OPENBUY_USUAL);
    assert_null(po_openbuy_email(call("{'email':'x','user':'otto@buyer.example'}"), &buyer, &email, pool));
    assert_string_equal(email, "otto@buyer.example");
}

static const char *search(const char *text, const char **query, int *page)
{
    return po_openbuy_search(call(text), &buyer, query, page, pool);
}

static void a_search_has_words_and_maybe_a_page(void **state)
{
    const char *query, *long_query = memset(apr_pcalloc(pool, 502), 'x', 501);
    int page;

    assert_null(search("{'query':'log keeper'}", &query, &page));
    assert_string_equal(query, "log keeper");
    assert_int_equal(page, 1);
    assert_null(search("{'query':'','page_number':'12'}", &query, &page));
    assert_int_equal(page, 12);
    assert_null(search("{'query':'','page_number':3.0}", &query, &page));
    assert_int_equal(page, 3);
    assert_null(search("{'query':'','page_number':12345678901}", &query, &page));
    assert_int_equal(page, INT_MAX);
    assert_non_null(search("{'page_number':1}", &query, &page));
    assert_non_null(search("{'query':7}", &query, &page));
    assert_non_null(search("{'query':'a','page_number':0}", &query, &page));
    assert_non_null(search("{'query':'a','page_number':'1.5'}", &query, &page));
    assert_non_null(search("{'query':'a','page_number':[1]}", &query, &page));
    assert_non_null(search(apr_pstrcat(pool, "{'query':'", long_query, "'}", NULL), &query, &page));
    rename_member("query", "q", PO_OPENBUY_USUAL);
    assert_non_null(strstr(search("{'query':'a'}", &query, &page), "q is missing"));
    assert_null(search("{'q':'a'}", &query, &page));
}

static void a_part_is_a_number_or_a_string(void **state)
{
    const char *part;

    assert_null(po_openbuy_part(call("{'source_part_num':'0042'}"), &buyer, &part, pool));
    assert_string_equal(part, "0042");
    assert_null(po_openbuy_part(call("{'source_part_num':9007199254740993}"), &buyer, &part, pool));
    assert_string_equal(part, "9007199254740993");
    assert_non_null(po_openbuy_part(call("{'source_part_num':1.5}"), &buyer, &part, pool));
    assert_non_null(po_openbuy_part(call("{'source_part_num':''}"), &buyer, &part, pool));
    assert_non_null(po_openbuy_part(call("{}"), &buyer, &part, pool));
}

static void a_quantity_is_whole_and_one_by_default(void **state)
{
    static const char *const wrong[] = { "0", "-1", "1.5", "''", "'two'", "'1e3'", "true", "1e30",
                                         "'123456789012345678901'" };
    const char *quantity;
    size_t i;

    assert_null(po_openbuy_quantity(call("{}"), &buyer, &quantity, pool));
    assert_string_equal(quantity, "1");
    assert_null(po_openbuy_quantity(call("{'quantity':12}"), &buyer, &quantity, pool));
    assert_string_equal(quantity, "12");
    assert_null(po_openbuy_quantity(call("{'quantity':'007.0'}"), &buyer, &quantity, pool));
    assert_string_equal(quantity, "7");
    for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (!po_openbuy_quantity(call(apr_pstrcat(pool, "{'quantity':", wrong[i], "}", NULL)), &buyer, &quantity, pool))
            fail_msg("quantity %s is taken", wrong[i]);
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static po_offer offer(void)
{
    po_offer o = { .product = "prod-1", .name = "Log \"Keeper\"", .seller = "Keeper Ltd", .offer = "off-1",
                   .pricing = "contract", .has_price = 1, .currency = "USD", .unit = "EA" };

    o.price = dec("1200");
    return o;
}

static const char *told(const po_offer *o)
{
    po_openbuy_item item;

    po_openbuy_item_of(&item, o, &site, &buyer, pool);
    return po_openbuy_item_json(&item, &buyer, pool);
}

static void an_item_says_what_an_offer_is(void **state)
{
    po_offer o = offer();

    o.image = "/img/lk.svg";
    assert_string_equal(told(&o), json("{'source_part_num':'off-1','name':'Log \\'Keeper\\'','price':'1200.00',"
                        "'currency':'USD','uom':'EA','unspsc_code':'43232701','manufacturer_name':'Keeper Ltd',"
                        "'manufacturer_part_number':'prod-1','lead_time':0,'minimum_order_quantity':1,"
                        "'image_url':'https://market.example/img/lk.svg'}"));
}

static void prices_are_those_of_the_index(void **state)
{
    po_usage hour = { .dimension = "hour", .description = "hour", .unit = "HUR", .price = dec("0.0925") };
    po_offer o = offer();
    po_shown_price price;

    o.pricing = "usage";
    o.has_price = 0;
    o.price = dec("0");
    o.usage = apr_array_make(pool, 1, sizeof(po_usage));
    APR_ARRAY_PUSH(o.usage, po_usage) = hour;
    apr_table_set(buyer.units, "HUR", "Hour");
    po_offer_price(&o, &buyer, &price, pool);
    assert_string_equal(price.price, "0.0925");
    assert_string_equal(price.unit, "Hour");
    o.usage = NULL;
    o.pricing = "free";
    o.currency = o.unit = NULL;
    po_offer_price(&o, &buyer, &price, pool);
    assert_string_equal(price.price, "0.00");
    assert_string_equal(price.currency, "EUR");
    assert_string_equal(price.unit, "EA");
    buyer.currency = NULL;
    po_offer_price(&o, &buyer, &price, pool);
    assert_null(price.price);
}

static void names_and_types_are_the_buyers(void **state)
{
    po_offer o = offer();

    rename_member("source_part_num", "part", PO_OPENBUY_NUMBER);
    rename_member("price", "price", PO_OPENBUY_NUMBER);
    rename_member("lead_time", "days", PO_OPENBUY_STRING);
    rename_member("minimum_order_quantity", NULL, PO_OPENBUY_USUAL);
    rename_member("manufacturer_part_number", NULL, PO_OPENBUY_USUAL);
    o.offer = "4711";
    assert_string_equal(told(&o), json("{'part':4711,'name':'Log \\'Keeper\\'','price':1200.00,'currency':'USD',"
                        "'uom':'EA','unspsc_code':'43232701','manufacturer_name':'Keeper Ltd','days':'0'}"));
}

static void what_json_or_a_float_would_change_stays_a_string(void **state)
{
    static const char *const strings[] = { "0042", "1234567890123456", "1.", ".5", "1e3", "+1", "--1", "1 ", "off-1",
                                           "NaN" };
    static const char *const numbers[] = { "0", "7", "123456789012345", "0.5", "-1" };
    po_offer o = offer();
    size_t i;

    rename_member("source_part_num", "part", PO_OPENBUY_NUMBER);
    for (i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
        o.offer = strings[i];
        if (!strstr(told(&o), apr_psprintf(pool, "{\"part\":\"%s\",", o.offer)))
            fail_msg("%s is no string in %s", o.offer, told(&o));
    }
    for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        o.offer = numbers[i];
        if (!strstr(told(&o), apr_psprintf(pool, "{\"part\":%s,", o.offer)))
            fail_msg("%s is no number in %s", o.offer, told(&o));
    }
}

static void a_checkout_tells_the_carts_line(void **state)
{
    po_cxml_cart_item line = { .part = "off-1", .auxiliary = "req-1.1", .quantity = "2", .unit_price = "1100.00",
                               .currency = "CHF", .description = "Log Keeper: contract", .unit = "PCE", .unspsc = "1" };
    po_offer o = offer();
    po_openbuy_item item;

    po_openbuy_item_of(&item, &o, &site, &buyer, pool);
    po_openbuy_item_line(&item, &line);
    item.url = "https://market.example/p";
    assert_string_equal(po_openbuy_item_json(&item, &buyer, pool), json("{'source_part_num':'off-1',"
                        "'supp_aux_part_num':'req-1.1','quantity':'2','name':'Log \\'Keeper\\'',"
                        "'description':'Log Keeper: contract','price':'1100.00','currency':'CHF','uom':'PCE','unspsc_code':'1','manufacturer_name':'Keeper Ltd',"
                        "'manufacturer_part_number':'prod-1','lead_time':0,'minimum_order_quantity':1,"
                        "'url':'https://market.example/p'}"));
}

static void a_page_of_hits_says_how_many_there_are(void **state)
{
    apr_array_header_t *items = apr_array_make(pool, 2, sizeof(po_openbuy_item));
    po_openbuy_item *item;

    assert_string_equal(po_openbuy_results_json(items, 41, &buyer, pool),
                        json("{'count':0,'total_count':41,'results':[]}"));
    item = apr_array_push(items);
    memset(item, 0, sizeof(*item));
    item->name = "A";
    item = apr_array_push(items);
    memset(item, 0, sizeof(*item));
    item->name = "B";
    rename_member("results", "items", PO_OPENBUY_USUAL);
    rename_member("count", "n", PO_OPENBUY_USUAL);
    assert_string_equal(po_openbuy_results_json(items, 41, &buyer, pool),
                        json("{'n':2,'total_count':41,'items':[{'name':'A'},{'name':'B'}]}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_body_is_one_object_without_duplicates, setup),
        cmocka_unit_test_setup(what_is_wrong_repeats_nothing_of_the_body, setup),
        cmocka_unit_test_setup(credentials_and_token_are_strings, setup),
        cmocka_unit_test_setup(a_requester_is_one_plain_address_under_the_buyers_name_for_it, setup),
        cmocka_unit_test_setup(a_search_has_words_and_maybe_a_page, setup),
        cmocka_unit_test_setup(a_part_is_a_number_or_a_string, setup),
        cmocka_unit_test_setup(a_quantity_is_whole_and_one_by_default, setup),
        cmocka_unit_test_setup(an_item_says_what_an_offer_is, setup),
        cmocka_unit_test_setup(prices_are_those_of_the_index, setup),
        cmocka_unit_test_setup(names_and_types_are_the_buyers, setup),
        cmocka_unit_test_setup(what_json_or_a_float_would_change_stays_a_string, setup),
        cmocka_unit_test_setup(a_checkout_tells_the_carts_line, setup),
        cmocka_unit_test_setup(a_page_of_hits_says_how_many_there_are, setup),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
