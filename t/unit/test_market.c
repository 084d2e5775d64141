/* test_market.c - what a shopper's form becomes: charges, carts and states. */
#include "market_fixture.h"
#include "not_money.h"

static po_site site;
static po_buyer buyer;
static po_offer offer;
static po_request request;
static po_request_form form;

/* A contract of 1200.00 USD for twelve months, an empty form, a plain buyer. */
static int fresh(void **state)
{
    memset(&site, 0, sizeof(site));
    memset(&buyer, 0, sizeof(buyer));
    memset(&offer, 0, sizeof(offer));
    memset(&request, 0, sizeof(request));
    memset(&form, 0, sizeof(form));
    buyer.profile = *po_profile_find("generic");
    buyer.currency = "USD";
    offer.product = "prod-ab12";
    offer.name = "Log Keeper";
    offer.seller = "Keeper Ltd";
    offer.offer = form.offer = "off-1";
    offer.pricing = "contract";
    offer.price = dec("1200.00");
    offer.has_price = 1;
    offer.term = "P12M";
    request.id = "req-abc";
    return 0;
}

static void costs_nothing(const char *pricing)
{
    offer.pricing = pricing;
    offer.price = dec("0");
    offer.has_price = 0;
}

static void add_dimension(const char *name, const char *description, const char *price, const char *unit)
{
    po_usage u = { name, description, unit, dec(price) };

    if (!offer.usage)
        offer.usage = apr_array_make(pool, 2, sizeof(po_usage));
    APR_ARRAY_PUSH(offer.usage, po_usage) = u;
}

static void only_usage(const char *price)
{
    costs_nothing("usage");
    offer.term = NULL;
    add_dimension("hour", "collector hour", price, "HUR");
}

static void built(void)
{
    const char *wrong = po_cart_build(&request, &offer, &form, &site, &buyer, pool);

    if (wrong)
        fail_msg("%s", wrong);
}

static void refused(const char *part)
{
    const char *wrong = po_cart_build(&request, &offer, &form, &site, &buyer, pool);

    assert_non_null(wrong);
    if (!strstr(wrong, part))
        fail_msg("\"%s\" is not in: %s", part, wrong);
}

static const po_charge *charge(int n)
{
    assert_true(n < request.charges->nelts);
    return &APR_ARRAY_IDX(request.charges, n, po_charge);
}

static void is_number(const po_decimal *d, const char *want)
{
    char text[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, 0, text), want);
}

static void charge_is(int n, const char *kind, const char *quantity, const char *price, const char *unit)
{
    const po_charge *c = charge(n);

    assert_int_equal(c->line, n + 1);
    assert_string_equal(c->kind, kind);
    is_number(&c->quantity, quantity);
    is_number(&c->unit_price, price);
    assert_string_equal(c->unit, unit);
    assert_string_equal(c->part, "off-1");
    assert_string_equal(c->unspsc, "43232701");
    assert_string_equal(c->currency, request.currency);
    assert_null(c->order_id);
}

static void total_is(const char *want)
{
    po_cxml_cart cart = { { NULL, NULL }, { NULL, NULL } };

    assert_int_equal(po_cart_items(&request, &buyer, &cart, pool), APR_SUCCESS);
    assert_string_equal(cart.total, want);
}

/* ---- one line, many lines ------------------------------------------------------------------------------------- */

static void a_contract_is_one_line(void **state)
{
    built();
    assert_int_equal(request.charges->nelts, 1);
    charge_is(0, "contract", "1", "1200", "EA");
    assert_string_equal(charge(0)->description, "Log Keeper: contract, 12 months");
    assert_null(charge(0)->dimension);
    assert_int_equal(charge(0)->state, PO_CHARGE_REQUESTED);
    assert_int_equal(request.state, PO_STATE_REQUESTED);
    assert_string_equal(request.product, "prod-ab12");
    assert_string_equal(request.offer, "off-1");
    assert_string_equal(request.product_name, "Log Keeper");
    assert_string_equal(request.seller, "Keeper Ltd");
    assert_string_equal(request.pricing, "contract");
    assert_string_equal(request.term, "P12M");
    assert_string_equal(request.action, "new");
    assert_string_equal(request.currency, "USD");
    assert_null(request.budget);
    total_is("1200.00");
}

static void usage_is_a_line_for_each_dimension(void **state)
{
    only_usage("0.0925");
    add_dimension("gb", "GB stored", "0.25", "E34");
    add_dimension("call", "call", "0.5", NULL);
    built();
    assert_int_equal(request.charges->nelts, 3);
    charge_is(0, "usage", "1", "0.0925", "HUR");
    charge_is(1, "usage", "1", "0.25", "E34");
    charge_is(2, "usage", "1", "0.5", "EA");
    assert_string_equal(charge(0)->description, "Log Keeper: collector hour, per hour");
    assert_string_equal(charge(1)->description, "Log Keeper: GB stored, per GB");
    assert_string_equal(charge(2)->description, "Log Keeper: call, per unit");
    assert_string_equal(charge(1)->dimension, "gb");
}

static void a_contract_with_usage_is_two_approvals_in_one_cart(void **state)
{
    add_dimension("gb", "GB ingested", "0.25", "E34");
    form.quantity = "3";
    form.budget = "500";
    built();
    assert_int_equal(request.charges->nelts, 2);
    charge_is(0, "contract", "3", "1200", "EA");
    charge_is(1, "usage", "2000", "0.25", "E34");
    total_is("4100.00");
}

static void a_sum_that_no_order_could_bring_back_is_refused(void **state)
{
    offer.price = dec("99999.9999");
    add_dimension("hour", "collector hour", "0.0925", "HUR");
    form.quantity = "1000000000";
    form.budget = "100000";
    built();
    total_is("100000000000000.085");
    fresh(NULL);
    offer.price = dec("9999999999.99");
    form.quantity = "1000000000";
    refused("larger than an order can hold");
}

static void free_byol_and_trial_are_a_line_of_zero(void **state)
{
    static const char *const kinds[][2] = { { "free", "Log Keeper: free, 12 months" },
                                            { "byol", "Log Keeper: bring your own license, 12 months" },
                                            { "trial", "Log Keeper: free trial, 12 months" } };
    int i;

    for (i = 0; i < 3; i++) {
        fresh(NULL);
        costs_nothing(kinds[i][0]);
        form.quantity = "4";
        built();
        assert_int_equal(request.charges->nelts, 1);
        charge_is(0, kinds[i][0], "4", "0", "EA");
        assert_string_equal(charge(0)->description, kinds[i][1]);
        assert_int_equal(charge(0)->state, PO_CHARGE_REQUESTED);
        assert_null(request.preapproved_by);
        total_is("0.00");
    }
}

static void an_offers_unit_and_currency_come_before_the_buyers(void **state)
{
    offer.unit = "MON";
    offer.currency = "EUR";
    built();
    charge_is(0, "contract", "1", "1200", "MON");
    assert_string_equal(request.currency, "EUR");
    offer.currency = NULL;
    built();
    assert_string_equal(request.currency, "USD");
    buyer.currency = NULL;
    refused("no currency");
}

/* ---- quantity and budget -------------------------------------------------------------------------------------- */

static void a_quantity_is_a_whole_number_from_1_to_1000000000(void **state)
{
    static const char *const bad[] = { "0", "-1", "1.5", "1.0", "1000000001", "1 2", "000" };
    static const char *const good[][2] = { { "1", "1" }, { "1000000000", "1000000000" }, { " 7 ", "7" }, { "007", "7" },
                                           { "", "1" }, { "  ", "1" } };
    apr_size_t i;

    for (i = 0; i < NOT_MONEY; i++) {
        form.quantity = not_money[i];
        refused("whole number from 1 to 1000000000");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        form.quantity = bad[i];
        refused("whole number from 1 to 1000000000");
    }
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        form.quantity = good[i][0];
        built();
        is_number(&charge(0)->quantity, good[i][1]);
    }
}

static void a_budget_is_divided_up_to_whole_units(void **state)
{
    static const char *const rows[][4] = {      /* price, budget, quantity, total */
        { "0.0925", "500", "5406", "500.055" }, { "0.01", "10000", "1000000", "10000.00" },
        { "0.25", "500.00", "2000", "500.00" },
        { "0.25", "0.01", "1", "0.25" }, { "3", "10", "4", "12.00" }, { "0.00000001", "1", "100000000", "1.00" },
        { "0.33333333", "1000000.01", "3000001", "1000000.32333333" }, { "1200", "0.00000001", "1", "1200.00" } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh(NULL);
        only_usage(rows[i][0]);
        form.budget = rows[i][1];
        built();
        is_number(&charge(0)->quantity, rows[i][2]);
        total_is(rows[i][3]);
        assert_string_equal(request.budget, rows[i][1]);
    }
}

static void a_budget_is_shared_equally_by_the_dimensions(void **state)
{
    only_usage("0.25");
    add_dimension("gb", "GB", "0.3", "E34");
    add_dimension("call", "call", "7", NULL);
    form.budget = "100";
    built();
    charge_is(0, "usage", "134", "0.25", "HUR");        /* 33.33... / 0.25 = 133.33... */
    charge_is(1, "usage", "112", "0.3", "E34");         /* 33.33... / 0.3 = 111.11... */
    charge_is(2, "usage", "5", "7", "EA");
}

static void the_sites_budget_stands_in_for_a_missing_one(void **state)
{
    only_usage("0.25");
    site.usage_budget = "50";
    built();
    is_number(&charge(0)->quantity, "200");
    assert_string_equal(request.budget, "50");
    form.budget = "25";
    built();
    is_number(&charge(0)->quantity, "100");
}

static void without_any_budget_the_price_alone_is_approved(void **state)
{
    only_usage("0.0925");
    built();
    is_number(&charge(0)->quantity, "1");
    assert_null(request.budget);
    total_is("0.0925");
}

static void a_budget_that_is_no_amount_is_refused(void **state)
{
    static const char *const bad[] = { "0", "-5", "0.00", "-0.01" };
    apr_size_t i;

    only_usage("0.25");
    for (i = 0; i < NOT_MONEY; i++) {
        form.budget = not_money[i];
        refused("budget must be an amount greater than 0");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        form.budget = bad[i];
        refused("budget must be an amount greater than 0");
    }
    fresh(NULL);
    only_usage("0.00000001");
    form.budget = "999999999999999999";
    refused("too large for the unit price");
    form.budget = "10000.00000001";     /* a unit more than 1,000,000,000,000 of them */
    refused("too large for the unit price");
    form.budget = "10000";
    built();
}

static void sums_are_exact(void **state)
{
    offer.price = dec("0.01");
    form.quantity = "1000000";
    built();
    total_is("10000.00");
    offer.price = dec("123456789.12345678");
    form.quantity = "1000000000";
    built();
    total_is("123456789123456780.00");
    offer.price = dec("0.00000001");
    form.quantity = "3";
    built();
    total_is("0.00000003");
}

static void a_yen_has_no_decimals(void **state)
{
    po_cxml_cart cart = { { NULL, NULL }, { NULL, NULL } };

    offer.currency = "JPY";
    offer.price = dec("15000");
    form.quantity = "3";
    built();
    assert_int_equal(po_cart_items(&request, &buyer, &cart, pool), APR_SUCCESS);
    assert_string_equal(cart.total, "45000");
    assert_string_equal(APR_ARRAY_IDX(cart.items, 0, po_cxml_cart_item).unit_price, "15000");
    assert_string_equal(cart.currency, "JPY");
}

static void a_price_finer_than_the_profile_is_refused(void **state)
{
    buyer.profile.price_decimals = 4;
    only_usage("0.0925");
    built();
    fresh(NULL);
    buyer.profile.price_decimals = 2;
    only_usage("0.0925");
    refused("0.0925");
    refused("more than the 2 decimals");
    fresh(NULL);
    buyer.profile.price_decimals = 2;
    offer.price = dec("12.5000");       /* zeros don't count */
    built();
}

/* ---- who may request what ------------------------------------------------------------------------------------- */

static void only_the_sellers_of_the_connection_sell(void **state)
{
    buyer.sellers = apr_array_make(pool, 1, sizeof(const char *));
    built();                            /* an empty list: all */
    APR_ARRAY_PUSH(buyer.sellers, const char *) = "Other Ltd";
    refused("doesn't buy from Keeper Ltd");
    APR_ARRAY_PUSH(buyer.sellers, const char *) = "Keeper Ltd";
    built();
}

static void other_terms_than_the_current_ones_are_refused(void **state)
{
    offer.terms_version = "3";
    form.terms = "2";
    refused("terms of Log Keeper changed");
    form.terms = "3";
    built();
    assert_string_equal(request.terms_version, "3");
    fresh(NULL);
    offer.terms_version = "3";
    built();
    assert_null(request.terms_version);
}

static void a_change_and_a_renewal_need_a_subscription(void **state)
{
    static const char *const actions[] = { "change", "renew" };
    int i;

    for (i = 0; i < 2; i++) {
        fresh(NULL);
        form.action = actions[i];
        refused("which subscription");
        form.subscription = "sub-9";
        built();
        assert_string_equal(request.action, actions[i]);
        assert_string_equal(request.subscription, "sub-9");
        form.subscription = "sub\n9";
        refused("not the number of a subscription");
    }
    form.action = "delete";
    refused("new subscription, a change or a renewal");
    fresh(NULL);
    form.action = "new";
    built();
    assert_string_equal(request.action, "new");
    assert_null(request.subscription);
}

static void an_id_that_the_buyers_system_cuts_or_refuses_is_refused(void **state)
{
    buyer.profile.part_bytes = 4;
    refused("off-1");
    buyer.profile.part_bytes = 5;
    built();
    buyer.profile.forbidden = "-";
    refused("off-1");
}

static void only_free_and_byol_are_preapproved_and_only_by_their_switch(void **state)
{
    static const struct { const char *pricing; unsigned switches; const char *by; } rows[] = {
        { "free", PO_PREAPPROVE_FREE, "PunchOutPreApprove free" },
        { "byol", PO_PREAPPROVE_BYOL, "PunchOutPreApprove byol" },
        { "free", PO_PREAPPROVE_BYOL, NULL }, { "byol", PO_PREAPPROVE_FREE, NULL }, { "free", 0, NULL },
        { "trial", PO_PREAPPROVE_FREE | PO_PREAPPROVE_BYOL, NULL } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh(NULL);
        costs_nothing(rows[i].pricing);
        buyer.preapprove = rows[i].switches;
        built();
        assert_int_equal(charge(0)->state, rows[i].by ? PO_CHARGE_PREAPPROVED : PO_CHARGE_REQUESTED);
        assert_int_equal(request.state, rows[i].by ? PO_STATE_APPROVED : PO_STATE_REQUESTED);
        if (rows[i].by)
            assert_string_equal(request.preapproved_by, rows[i].by);
        else
            assert_null(request.preapproved_by);
    }
    fresh(NULL);
    buyer.preapprove = PO_PREAPPROVE_FREE | PO_PREAPPROVE_BYOL;
    offer.price = dec("0.00");          /* a contract of 0.00 is still a contract */
    built();
    assert_null(request.preapproved_by);
}

static void a_priced_charge_is_never_preapproved(void **state)
{
    costs_nothing("free");
    offer.price = dec("1");
    buyer.preapprove = PO_PREAPPROVE_FREE;
    built();
    assert_null(request.preapproved_by);
    assert_int_equal(charge(0)->state, PO_CHARGE_REQUESTED);
}

/* ---- the cart ------------------------------------------------------------------------------------------------- */

static void a_cart_is_as_the_profile_wants_it(void **state)
{
    po_cxml_cart cart = { { NULL, NULL }, { NULL, NULL } };
    const po_cxml_cart_item *item;

    add_dimension("gb", "GB ingested", "0.25", "E34");
    buyer.units = apr_table_make(pool, 1);
    apr_table_set(buyer.units, "EA", "EACH");
    buyer.profile.description_bytes = 12;
    buyer.profile.short_name_bytes = 6;
    offer.name = "Log K\xc3\xa4\xc3\xa4per";
    built();
    assert_int_equal(po_cart_items(&request, &buyer, &cart, pool), APR_SUCCESS);
    assert_int_equal(cart.items->nelts, 2);
    item = &APR_ARRAY_IDX(cart.items, 0, po_cxml_cart_item);
    assert_int_equal(item->line, 1);
    assert_string_equal(item->part, "off-1");
    assert_string_equal(item->auxiliary, "req-abc.1");
    assert_string_equal(item->quantity, "1");
    assert_string_equal(item->unit_price, "1200.00");
    assert_string_equal(item->currency, "USD");
    assert_string_equal(item->description, "Log K\xc3\xa4\xc3\xa4per");
    assert_string_equal(item->short_name, "Log K");     /* the sixth byte would be half a character */
    assert_string_equal(item->unit, "EACH");
    assert_string_equal(item->unspsc, "43232701");
    assert_string_equal(item->manufacturer, "Keeper Ltd");
    assert_string_equal(item->manufacturer_part, "off-1");
    assert_string_equal(item->line_type, "Service");
    assert_string_equal(item->term, "P12M");
    assert_string_equal(item->pricing, "contract");
    assert_string_equal(item->seller, "Keeper Ltd");
    assert_string_equal(item->lead_time, "0");
    assert_null(item->dimension);
    item = &APR_ARRAY_IDX(cart.items, 1, po_cxml_cart_item);
    assert_string_equal(item->auxiliary, "req-abc.2");
    assert_string_equal(item->dimension, "gb");
    assert_string_equal(item->unit, "E34");
    assert_string_equal(item->line_type, "Material");
    assert_string_equal(item->unit_price, "0.25");
    assert_string_equal(cart.total, "1200.25");
    assert_string_equal(cart.currency, "USD");
}

static void a_zero_line_is_a_service(void **state)
{
    po_cxml_cart cart = { { NULL, NULL }, { NULL, NULL } };

    costs_nothing("trial");
    built();
    assert_int_equal(po_cart_items(&request, &buyer, &cart, pool), APR_SUCCESS);
    assert_string_equal(APR_ARRAY_IDX(cart.items, 0, po_cxml_cart_item).line_type, "Service");
    assert_string_equal(APR_ARRAY_IDX(cart.items, 0, po_cxml_cart_item).unit_price, "0.00");
}

/* ---- states --------------------------------------------------------------------------------------------------- */

static void a_request_is_approved_when_all_its_charges_are(void **state)
{
    add_dimension("gb", "GB", "0.25", "E34");
    built();
    assert_int_equal(po_state_of_charges(&request), PO_STATE_REQUESTED);
    APR_ARRAY_IDX(request.charges, 1, po_charge).state = PO_CHARGE_ORDERED;
    assert_int_equal(po_state_of_charges(&request), PO_STATE_PARTLY_APPROVED);
    APR_ARRAY_IDX(request.charges, 0, po_charge).state = PO_CHARGE_CANCELLED;
    assert_int_equal(po_state_of_charges(&request), PO_STATE_HELD);     /* one of two approvals can't come any more */
    APR_ARRAY_IDX(request.charges, 1, po_charge).state = PO_CHARGE_CANCELLED;
    assert_int_equal(po_state_of_charges(&request), PO_STATE_CANCELLED);
    APR_ARRAY_IDX(request.charges, 1, po_charge).state = PO_CHARGE_ORDERED;
    APR_ARRAY_IDX(request.charges, 0, po_charge).state = PO_CHARGE_PREAPPROVED;
    assert_int_equal(po_state_of_charges(&request), PO_STATE_APPROVED);
}

static void states_have_the_names_of_the_manual(void **state)
{
    static const char *const names[] = { "draft", "requested", "partly approved", "approved", "delivering", "active",
                                         "ended", "tested", "held", "failed", "cancelled", "expired" };
    int i;

    for (i = PO_STATE_DRAFT; i <= PO_STATE_EXPIRED; i++)
        assert_string_equal(po_state_name((po_state)i), names[i]);
    assert_string_equal(po_charge_state_name(PO_CHARGE_ORDERED), "ordered");
    assert_string_equal(po_charge_state_name(PO_CHARGE_PREAPPROVED), "pre-approved");
    assert_string_equal(po_state_name((po_state)99), "unknown");
}

#define fresh_test(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_contract_is_one_line),
        fresh_test(usage_is_a_line_for_each_dimension),
        fresh_test(a_contract_with_usage_is_two_approvals_in_one_cart),
        fresh_test(a_sum_that_no_order_could_bring_back_is_refused),
        fresh_test(free_byol_and_trial_are_a_line_of_zero),
        fresh_test(an_offers_unit_and_currency_come_before_the_buyers),
        fresh_test(a_quantity_is_a_whole_number_from_1_to_1000000000),
        fresh_test(a_budget_is_divided_up_to_whole_units),
        fresh_test(a_budget_is_shared_equally_by_the_dimensions),
        fresh_test(the_sites_budget_stands_in_for_a_missing_one),
        fresh_test(without_any_budget_the_price_alone_is_approved),
        fresh_test(a_budget_that_is_no_amount_is_refused),
        fresh_test(sums_are_exact),
        fresh_test(a_yen_has_no_decimals),
        fresh_test(a_price_finer_than_the_profile_is_refused),
        fresh_test(only_the_sellers_of_the_connection_sell),
        fresh_test(other_terms_than_the_current_ones_are_refused),
        fresh_test(a_change_and_a_renewal_need_a_subscription),
        fresh_test(an_id_that_the_buyers_system_cuts_or_refuses_is_refused),
        fresh_test(only_free_and_byol_are_preapproved_and_only_by_their_switch),
        fresh_test(a_priced_charge_is_never_preapproved),
        fresh_test(a_cart_is_as_the_profile_wants_it),
        fresh_test(a_zero_line_is_a_service),
        fresh_test(a_request_is_approved_when_all_its_charges_are),
        fresh_test(states_have_the_names_of_the_manual),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
