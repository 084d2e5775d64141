/* test_invoice.c - invoices of the backend: what is read, added up, refused, and written for the buyer. */
#include "market_fixture.h"

static int setup(void **state)
{
    apr_pool_clear(pool);
    return 0;
}

/* An invoice of one line, with what stands in for the rest. */
static const char *json_of(const char *currency, const char *tax, const char *more, const char *lines)
{
    return apr_psprintf(pool, "{\"number\":\"INV-1\",\"date\":\"2026-11-30\",\"seller\":\"Keeper Ltd\",\"remitTo\":{\"name\":"
                        "\"Keeper Ltd\"},\"currency\":\"%s\",\"tax\":{\"amount\":\"%s\",\"description\":\"VAT\"}%s,"
                        "\"lines\":[%s]}", currency, tax, more, lines);
}

static const char *line_of(const char *charge, const char *quantity, const char *price, const char *more)
{
    return apr_psprintf(pool, "{\"request\":\"req-a\",\"charge\":%s,\"quantity\":\"%s\",\"unitPrice\":\"%s\"%s}", charge,
                        quantity, price, more);
}

static const char *read_text(po_invoice *i, const char *text, int *status)
{
    return po_invoice_read(i, text, strlen(text), status, pool);
}

static void taken(po_invoice *i, const char *text)
{
    int status;
    const char *wrong = read_text(i, text, &status);

    if (wrong)
        fail_msg("%s: %s", text, wrong);
    assert_int_equal(status, 200);
}

static void refused(const char *text, int expected, const char *why)
{
    po_invoice i;
    int status;
    const char *wrong = read_text(&i, text, &status);

    if (!wrong || !strstr(wrong, why) || status != expected)
        fail_msg("%s: %d %s, not %d %s", text, status, wrong ? wrong : "(taken)", expected, why);
}

static void assert_amount(const po_decimal *d, const char *wanted)
{
    char text[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, 0, text), wanted);
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static void sums_are_exact(void **state)
{
    static const struct { const char *currency, *quantity, *price, *amount, *tax, *subtotal, *total; } cases[] = {
        { "USD", "1000000", "0.01", NULL, "0.00", "10000", "10000" },
        { "USD", "0.00000001", "1000000", NULL, "0.01", "0.01", "0.02" },
        { "USD", "100000000", "0.00000001", NULL, "0", "1", "1" },
        { "USD", "5406", "0.0925", "500.05", "0.00", "500.05", "500.05" },
        { "USD", "5406", "0.0925", "500.06", "0.00", "500.06", "500.06" },
        { "JPY", "3", "1500", NULL, "450", "4500", "4950" },
        { "JPY", "3", "0.5", "2", "0", "2", "2" },
        { "KWD", "7", "0.125", NULL, "0.044", "0.875", "0.919" },
        { "USD", "999999999999", "999999.99", "999999989999000000.01", "0.00", "999999989999000000.01", "" },
    };
    po_invoice i;
    size_t n;

    for (n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        const char *text = json_of(cases[n].currency, cases[n].tax, "",
                                   line_of("1", cases[n].quantity, cases[n].price, cases[n].amount
                                           ? apr_psprintf(pool, ",\"amount\":\"%s\"", cases[n].amount) : ""));

        if (!*cases[n].total) {
            refused(text, 400, "at most 18 digits");
            continue;
        }
        taken(&i, text);
        assert_amount(&i.subtotal, cases[n].subtotal);
        assert_amount(&i.total, cases[n].total);
    }
}

static void what_no_coin_can_pay_is_refused(void **state)
{
    refused(json_of("USD", "0.00", "", line_of("1", "5406", "0.0925", "")), 422, "500.055 USD, but USD has 2 decimals: round it");
    refused(json_of("JPY", "0", "", line_of("1", "1", "0.5", "")), 422, "0.5 JPY, but JPY has 0 decimals");
    refused(json_of("KWD", "0", "", line_of("1", "1", "0.0005", "")), 422, "KWD has 3 decimals");
    refused(json_of("USD", "0.005", "", line_of("1", "1", "1", "")), 422, "tax.amount is 0.005 USD");
    refused(json_of("USD", "0", "", line_of("1", "5406", "0.0925", ",\"amount\":\"500.055\"")), 422, "lines[0].amount");
    refused(json_of("USD", "0", "", line_of("1", "5406", "0.0925", ",\"amount\":\"500.07\"")), 422, "less than the smallest coin");
    refused(json_of("USD", "0", "", line_of("1", "5406", "0.0925", ",\"amount\":\"500.04\"")), 422, "less than the smallest coin");
    refused(json_of("USD", "0", "", line_of("1", "2", "1", ",\"amount\":\"2.01\"")), 422, "less than the smallest coin");
}

static void money_is_plain_text(void **state)
{
    static const char *const wrong[] = { "1e3", "0x10", "NaN", "inf", "1,000", "1.000,00", " 1", "1 ", "", "+1", "-", ".", "--1",
                                         "1234567890123456789", "0.123456789", "1.2.3", "\\u0661" };
    size_t n;

    for (n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        refused(json_of("USD", "0", "", line_of("1", wrong[n], "1", "")), 400, "lines[0].quantity");
        refused(json_of("USD", wrong[n], "", line_of("1", "1", "1", "")), 400, "tax.amount");
    }
    refused(json_of("USD", "0", ",\"total\":1", line_of("1", "1", "1", "")), 400, "total is a JSON number");
    refused(json_of("USD", "0", "", "{\"request\":\"req-a\",\"charge\":1,\"quantity\":1,\"unitPrice\":\"1\"}"), 400,
            "lines[0].quantity is a JSON number");
    refused(json_of("USD", "0", "", line_of("1", "-1", "1", "")), 400, "creditMemo");
    refused(json_of("USD", "0", "", line_of("1", "1", "0.00", "")), 422, "greater than zero");
    refused(json_of("USD", "0", "", line_of("1", "999999999999999999", "999999999999999999", "")), 422, "more than can be");
}

static void sums_that_are_given_must_agree(void **state)
{
    po_invoice i;

    taken(&i, json_of("USD", "1.90", ",\"subtotal\":\"10\",\"total\":\"11.9\"", line_of("1", "1", "10.00", "")));
    refused(json_of("USD", "1.90", ",\"subtotal\":\"10.01\"", line_of("1", "1", "10.00", "")), 422, "subtotal is 10.01 USD");
    refused(json_of("USD", "1.90", ",\"total\":\"10.00\"", line_of("1", "1", "10.00", "")), 422, "come to 11.90 USD");
}

/* ---- form -------------------------------------------------------------------------------------------------------- */

static void nothing_unknown_passes(void **state)
{
    refused(json_of("USD", "0", ",\"totl\":\"1\"", line_of("1", "1", "1", "")), 400, "\"totl\" is no member");
    refused(json_of("USD", "0", ",\"tot\":\"1\"", line_of("1", "1", "1", "")), 400, "\"tot\" is no member");
    refused(json_of("USD", "0", ",\"otal\":\"1\"", line_of("1", "1", "1", "")), 400, "\"otal\" is no member");
    refused(json_of("USD", "0", ",\"\":\"1\"", line_of("1", "1", "1", "")), 400, "\"\" is no member");
    refused(json_of("USD", "0", ",\"date kind\":\"1\"", line_of("1", "1", "1", "")), 400, "is no member");
    refused(json_of("USD", "0", "", line_of("1", "1", "1", ",\"tax\":\"1\"")), 400, "lines[0].\"tax\" is no member");
    refused(json_of("USD", "0", ",\"billTo\":{\"name\":\"B\",\"zip\":\"1\"}", line_of("1", "1", "1", "")), 400, "billTo.\"zip\"");
    refused(json_of("USD", "0", ",\"number\":\"INV-2\"", line_of("1", "1", "1", "")), 400, "duplicate");
}

static void each_part_has_its_form(void **state)
{
    const char *line = line_of("1", "1", "1", "");

    refused("[]", 400, "JSON object");
    refused("{}", 400, "number is missing");
    refused(json_of("usd", "0", "", line), 400, "currency");
    refused(json_of("USD", "0", "", ""), 400, "lines must be a list");
    refused(json_of("USD", "0", "", "1"), 400, "lines[0] must be an object");
    refused(json_of("USD", "0", "", line_of("\"1\"", "1", "1", "")), 400, "lines[0].charge");
    refused(json_of("USD", "0", "", line_of("0", "1", "1", "")), 400, "lines[0].charge");
    refused(json_of("USD", "0", ",\"kind\":\"debit\"", line), 400, "kind must be");
    refused(json_of("USD", "0", ",\"kind\":\"creditMemo\"", line), 400, "original is missing");
    refused(json_of("USD", "0", ",\"original\":\"INV-0\"", line), 400, "original is for a credit memo");
    refused(json_of("USD", "0", ",\"comments\":\"a\\u0001\"", line), 400, "control character");
    refused(json_of("USD", "0", ",\"comments\":\"a\\u0000\"", line), 400, "body is no JSON");
    refused(json_of("USD", "0", ",\"billTo\":{\"name\":\"B\",\"city\":\"C\"}", line), 400, "go together");
    refused(json_of("USD", "0", ",\"billTo\":{\"name\":\"B\",\"street\":\"S\",\"city\":\"C\",\"country\":\"de\"}", line), 400,
            "two capital letters");
    refused(json_of("USD", "0", ",\"period\":{\"from\":\"2026-11-30\",\"to\":\"2026-11-01\"}", line), 422, "ends before");
    refused(json_of("USD", "0", ",\"period\":{\"from\":\"2026-11-30\"}", line), 400, "period.to is missing");
}

static void the_clock_of_the_backend_is_kept(void **state)
{
    static const char *const dates[][2] = {
        { "2026-11-30", "2026-11-30T12:00:00+00:00" }, { "2026-11-30T00:30:00+02:00", "2026-11-30T00:30:00+02:00" },
        { "2026-11-30T23:30:00.123-08:00", "2026-11-30T23:30:00-08:00" }, { "2026-11-30T10:00:00Z", "2026-11-30T10:00:00+00:00" }
    };
    static const char *const wrong[] = { "2026-11-31", "30.11.2026", "2026-11-30T10:00:00", "2026-11-30 10:00:00Z", "2026-11-30T10:00:00+0200x" };
    po_invoice i;
    size_t n;

    for (n = 0; n < sizeof(dates) / sizeof(dates[0]); n++) {
        taken(&i, json_of("USD", "0", apr_psprintf(pool, ",\"period\":{\"from\":\"%s\",\"to\":\"%s\"}", dates[n][0], dates[n][0]),
                          line_of("1", "1", "1", "")));
        assert_string_equal(i.period_from, dates[n][1]);
    }
    for (n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
        refused(json_of("USD", "0", apr_psprintf(pool, ",\"period\":{\"from\":\"%s\",\"to\":\"2026-12-01\"}", wrong[n]),
                        line_of("1", "1", "1", "")), 400, "period.from must be a day");
}

static void equal_invoices_have_equal_digests(void **state)
{
    po_crypto *c = po_crypto_create();
    po_invoice a, b, other;

    taken(&a, json_of("USD", "1.90", "", line_of("1", "2", "10.50", "")));
    taken(&b, json_of("USD", "1.9", ",\"total\":\"22.90\",\"comments\":null", line_of("1", "2.0", "10.5", ",\"amount\":\"21\"")));
    taken(&other, json_of("USD", "1.90", "", line_of("2", "2", "10.50", "")));
    assert_string_equal(po_invoice_digest(&a, c, pool), po_invoice_digest(&b, c, pool));
    assert_string_not_equal(po_invoice_digest(&a, c, pool), po_invoice_digest(&other, c, pool));
    po_crypto_destroy(c);
}

/* ---- against the order ------------------------------------------------------------------------------------------- */

typedef struct {
    po_buyer buyer;
    po_request request;
    apr_array_header_t *requests, *past;
    po_invoice invoice;
    po_invoice_verdict verdict;
} world;

/* Charge 1: contract, 2 x 1200.00; charge 2: usage, 5406 x 0.0925; both ordered by PO-17. */
static world *ordered(void)
{
    static const char *const kinds[] = { "contract", "usage" }, *const quantities[] = { "2", "5406" };
    static const char *const prices[] = { "1200.00", "0.0925" };
    world *w = apr_pcalloc(pool, sizeof(*w));
    int i;

    w->buyer.name = "acme";
    w->buyer.deployment = PO_DEPLOYMENT_PRODUCTION;
    w->buyer.profile = *po_profile_find("coupa");
    w->request.id = "req-a";
    w->request.buyer = "acme";
    w->request.state = PO_STATE_ACTIVE;
    w->request.charges = apr_array_make(pool, 2, sizeof(po_charge));
    for (i = 0; i < 2; i++) {
        po_charge *c = apr_array_push(w->request.charges);

        memset(c, 0, sizeof(*c));
        c->line = i + 1;
        c->kind = kinds[i];
        c->part = "off-a";
        c->description = "Log Keeper";
        c->unit = i ? "E34" : "EA";
        c->currency = "USD";
        c->quantity = c->ordered = dec(quantities[i]);
        c->unit_price = dec(prices[i]);
        c->state = PO_CHARGE_ORDERED;
        c->order_id = "PO-17";
        c->order_line = i + 1;
    }
    w->requests = apr_array_make(pool, 1, sizeof(po_request *));
    APR_ARRAY_PUSH(w->requests, po_request *) = &w->request;
    w->past = apr_array_make(pool, 1, sizeof(po_invoice_past));
    return w;
}

static po_charge *charge_of(world *w, int line)
{
    return &APR_ARRAY_IDX(w->request.charges, line - 1, po_charge);
}

static void invoiced_before(world *w, int charge, const char *amount, const char *left)
{
    po_invoice_past *past = apr_array_push(w->past);

    memset(past, 0, sizeof(*past));
    past->request = "req-a";
    past->charge = charge;
    past->amount = dec(amount);
    past->number = "INV-0";
    past->credited = dec(left);
}

static void judge(world *w, const char *more, const char *lines)
{
    taken(&w->invoice, json_of("USD", "0", more, lines));
    po_invoice_judge(&w->invoice, &w->buyer, w->requests, w->past, &w->verdict, pool);
}

static void passes(world *w, const char *lines)
{
    judge(w, "", lines);
    if (w->verdict.status != 200)
        fail_msg("%s: %s", lines, w->verdict.detail);
}

static void fails(world *w, int status, const char *why, const char *lines)
{
    judge(w, "", lines);
    if (w->verdict.status != status || !w->verdict.detail || !strstr(w->verdict.detail, why))
        fail_msg("%s: %d %s, not %d %s", lines, w->verdict.status, w->verdict.detail ? w->verdict.detail : "", status, why);
}

static void nothing_goes_above_its_order(void **state)
{
    world *w = ordered();

    passes(w, line_of("1", "2", "1200.00", ""));
    passes(w, line_of("1", "24", "100.00", ""));
    fails(w, 409, "was for 2400.00 USD, of which 0.00 USD is invoiced already: 3600.00 USD more", line_of("1", "3", "1200.00", ""));
    fails(w, 409, "2400.01 USD more is above it", apr_pstrcat(pool, line_of("1", "2", "1200.00", ""), ",", line_of("1", "1", "0.01", ""), NULL));
    fails(w, 409, "unitPrice is 1200.01 USD, purchase order PO-17 has 1200.00 USD", line_of("1", "1", "1200.01", ""));
    passes(w, line_of("2", "5406", "0.0925", ",\"amount\":\"500.05\""));
    fails(w, 409, "was for 500.055 USD", line_of("2", "5406", "0.0925", ",\"amount\":\"500.06\""));
    fails(w, 409, "unitPrice is 0.0924 USD", line_of("2", "10000", "0.0924", ""));
    invoiced_before(w, 1, "2399.99", "0");
    passes(w, line_of("1", "1", "0.01", ""));
    fails(w, 409, "2399.99 USD is invoiced already: 0.02 USD more", line_of("1", "1", "0.02", ""));
    charge_of(w, 1)->ordered = dec("3");        /* an update ordered more */
    passes(w, line_of("1", "1", "0.02", ""));
}

static void what_the_order_has_less_than_the_cart_counts(void **state)
{
    world *w = ordered();
    po_cxml_item line = { 0 };

    invoiced_before(w, 1, "0", "0");
    APR_ARRAY_IDX(w->past, 0, po_invoice_past).ordered = &line;
    line.quantity = dec("2");
    passes(w, line_of("1", "2", "1200.00", ""));        /* it names no price: the cart's */
    line.has_price = 1;
    line.unit_price = dec("1199.00");
    fails(w, 409, "unitPrice is 1200.00 USD, purchase order PO-17 has 1199.00 USD", line_of("1", "2", "1200.00", ""));
    fails(w, 409, "was for 2398.00 USD", line_of("1", "3", "1199.00", ""));
    passes(w, line_of("1", "2", "1199.00", ""));
    line.unit_price = dec("1201.00");
    fails(w, 409, "unitPrice is 1201.00 USD", line_of("1", "2", "1201.00", ""));
    passes(w, line_of("1", "2", "1200.00", ""));
    line.quantity = dec("1");
    fails(w, 409, "was for 1200.00 USD", line_of("1", "2", "1200.00", ""));
    passes(w, line_of("1", "1", "1200.00", ""));
}

static void usage_may_have_no_limit(void **state)
{
    world *w = ordered();

    charge_of(w, 2)->ordered = dec("1");        /* approved without a budget */
    fails(w, 409, "PunchOutUsageLimit none", line_of("2", "400", "0.0925", ""));
    w->buyer.usage_limit = PO_USAGE_LIMIT_NONE;
    passes(w, line_of("2", "400000000", "0.0925", ""));
    fails(w, 409, "unitPrice", line_of("2", "4", "0.10", ""));
    fails(w, 409, "above it", line_of("1", "3", "1200.00", ""));
}

static void only_what_costs_and_is_ordered_is_invoiced(void **state)
{
    static const struct { po_state state; int passes; } states[] = {
        { PO_STATE_DRAFT, 0 }, { PO_STATE_REQUESTED, 0 }, { PO_STATE_PARTLY_APPROVED, 1 }, { PO_STATE_APPROVED, 1 },
        { PO_STATE_DELIVERING, 1 }, { PO_STATE_ACTIVE, 1 }, { PO_STATE_ENDED, 1 }, { PO_STATE_TESTED, 0 },
        { PO_STATE_HELD, 0 }, { PO_STATE_FAILED, 0 }, { PO_STATE_CANCELLED, 0 }, { PO_STATE_EXPIRED, 0 }
    };
    static const char *const kinds[][2] = { { "trial", "free trial" }, { "free", "it is free" }, { "byol", "BYOL" } };
    const char *line = line_of("1", "1", "1.00", "");
    world *w = ordered();
    size_t n;

    for (n = 0; n < sizeof(states) / sizeof(states[0]); n++) {
        w->request.state = states[n].state;
        if (states[n].passes)
            passes(w, line);
        else
            fails(w, 409, "can't be invoiced", line);
    }
    w = ordered();
    for (n = 0; n < 3; n++) {
        charge_of(w, 1)->kind = kinds[n][0];
        fails(w, 409, kinds[n][1], line);
    }
    w = ordered();
    charge_of(w, 1)->state = PO_CHARGE_CANCELLED;
    fails(w, 409, "it is cancelled", line);
    charge_of(w, 1)->state = PO_CHARGE_PREAPPROVED;
    fails(w, 409, "approved beforehand", line);
    charge_of(w, 1)->state = PO_CHARGE_REQUESTED;
    charge_of(w, 1)->order_id = NULL;
    fails(w, 409, "no purchase order has ordered it yet", line);
    w = ordered();
    w->request.test = 1;
    fails(w, 409, "test mode", line);
    w = ordered();
    w->buyer.deployment = PO_DEPLOYMENT_TEST;
    fails(w, 409, "is in test mode", line);
    w = ordered();
    w->request.buyer = "globex";
    fails(w, 409, "of buyer globex", line);
    w->requests->nelts = 0;
    fails(w, 409, "there is no request req-a", line);
}

static void a_credit_memo_gives_back_what_was_invoiced(void **state)
{
    static const char credit[] = ",\"kind\":\"creditMemo\",\"original\":\"INV-0\"";
    world *w = ordered();

    invoiced_before(w, 1, "2400.00", "1200.00");
    w->request.state = PO_STATE_CANCELLED;      /* money goes back all the same */
    charge_of(w, 1)->state = PO_CHARGE_CANCELLED;
    judge(w, credit, line_of("1", "1", "1200.00", ""));
    assert_int_equal(w->verdict.status, 200);
    judge(w, credit, line_of("1", "1", "1200.01", ""));
    assert_int_equal(w->verdict.status, 409);
    assert_non_null(strstr(w->verdict.detail, "the credit of 1200.01 USD for req-a.1 is more than invoice INV-0 has left for it, 1200.00 USD"));
    judge(w, credit, line_of("2", "1", "0.01", ""));
    assert_int_equal(w->verdict.status, 409);
}

/* PunchOutLines: the purchase order counts in hundredths. */
static world *with_sum(const char *line_type, const char *quantity, const char *price)
{
    world *w = ordered();
    po_charge *c = charge_of(w, 1);
    po_cover *cover;

    c->line_type = line_type;
    c->quantity = c->ordered = dec(quantity);
    c->unit_price = dec(price);
    c->covers = apr_array_make(pool, 1, sizeof(po_cover));
    cover = apr_array_push(c->covers);
    memset(cover, 0, sizeof(*cover));
    cover->kind = strcmp(line_type, "Service") ? "usage" : "contract";
    cover->quantity = dec("5406");
    cover->unit_price = dec(strcmp(line_type, "Service") ? "0.0925" : "1200.00");
    return w;
}

static void lines_of_sums_are_invoiced_in_their_own_terms(void **state)
{
    world *w = with_sum("Material", "50006", "0.01");
    const po_invoice_item *item;

    passes(w, line_of("1", "400", "0.0925", ""));
    item = &APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item);
    assert_amount(&item->quantity, "3700");
    assert_amount(&item->unit_price, "0.01");
    fails(w, 409, "is no price of what req-a.1 was approved for", line_of("1", "1", "0.10", ""));
    fails(w, 409, "was for 500.06 USD", line_of("1", "5407", "0.0925", ",\"amount\":\"500.14\""));
    w = with_sum("Service", "1", "1200.00");
    passes(w, line_of("1", "1", "1200.00", ""));
    assert_amount(&APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item).quantity, "1");
    passes(w, line_of("1", "1", "1100.00", ""));        /* a part of the piece: one piece for less */
    item = &APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item);
    assert_amount(&item->quantity, "1");
    assert_amount(&item->unit_price, "1100");
    invoiced_before(w, 1, "600.00", "600.00");
    fails(w, 409, "takes one invoice, and INV-0 was it", line_of("1", "1", "600.00", ""));
    judge(w, ",\"kind\":\"creditMemo\",\"original\":\"INV-0\"", line_of("1", "1", "100.00", ""));
    assert_int_equal(w->verdict.status, 200);
    item = &APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item);
    assert_amount(&item->quantity, "1");
    assert_amount(&item->unit_price, "100");
}

/* A line of PunchOutLines split whose usage has no budget. */
static void usage_whose_price_alone_was_approved_keeps_its_terms(void **state)
{
    world *w = with_sum("Material", "1", "0.0925");

    w->buyer.usage_limit = PO_USAGE_LIMIT_NONE;
    passes(w, line_of("1", "99", "0.0925", ",\"amount\":\"9.15\""));
    assert_amount(&APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item).quantity, "99");
    assert_amount(&APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item).unit_price, "0.0925");
}

/* ---- for the buyer ----------------------------------------------------------------------------------------------- */

static void the_buyer_reads_his_own_words(void **state)
{
    world *w = ordered();
    po_cxml_order order = { 0 };
    po_cxml_address address = { 0 };
    po_cxml_item line = { 0 };
    po_event_order event_order = { &order, "p-17@buyer.example" };
    po_invoice_original original = { "INV-0", "2026-10-31T12:00:00+00:00", "p-1@market.example" };
    po_cxml_invoice out;
    const po_cxml_invoice_item *item;
    const po_cxml_invoice_order *first;

    invoiced_before(w, 1, "2400.00", "2400.00");
    invoiced_before(w, 2, "500.00", "500.00");
    judge(w, ",\"kind\":\"creditMemo\",\"original\":\"INV-0\"",
          apr_pstrcat(pool, line_of("1", "1", "1200", ""), ",", line_of("2", "40", "0.0925", ""), NULL));
    assert_int_equal(w->verdict.status, 200);
    order.order_id = "PO-17";
    order.order_date = "";
    address.name = "Buyer Ltd";
    order.bill_to = &address;
    w->verdict.orders = apr_array_make(pool, 1, sizeof(po_event_order));
    APR_ARRAY_PUSH(w->verdict.orders, po_event_order) = event_order;
    line.unit = "PCE";
    line.auxiliary = "req-a.1";
    APR_ARRAY_IDX(w->verdict.items, 0, po_invoice_item).ordered = &line;
    po_invoice_document(&w->invoice, &w->verdict, &w->buyer, &original, &out, pool);
    assert_string_equal(out.due, "-1203.70");
    assert_string_equal(out.original_payload, "p-1@market.example");
    assert_int_equal(out.partners->nelts, 4);
    assert_string_equal(APR_ARRAY_IDX(out.partners, 1, po_cxml_partner).name, "Buyer Ltd");
    first = &APR_ARRAY_IDX(out.orders, 0, po_cxml_invoice_order);
    assert_string_equal(first->order.payload_id, "p-17@buyer.example");
    assert_null(first->order.order_date);
    assert_int_equal(first->items->nelts, 2);
    item = &APR_ARRAY_IDX(first->items, 0, po_cxml_invoice_item);
    assert_true(item->service);
    assert_string_equal(item->unit, "PCE");
    assert_string_equal(item->quantity, "-1");
    assert_string_equal(item->unit_price, "1200.00");
    assert_string_equal(item->subtotal, "-1200.00");
    item = &APR_ARRAY_IDX(first->items, 1, po_cxml_invoice_item);
    assert_false(item->service);
    assert_string_equal(item->unit_price, "0.0925");
    assert_string_equal(item->auxiliary, "req-a.2");
    assert_int_equal(item->order_line, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(sums_are_exact), T(what_no_coin_can_pay_is_refused), T(money_is_plain_text), T(sums_that_are_given_must_agree),
        T(nothing_unknown_passes), T(each_part_has_its_form), T(the_clock_of_the_backend_is_kept),
        T(equal_invoices_have_equal_digests), T(nothing_goes_above_its_order), T(usage_may_have_no_limit),
        T(what_the_order_has_less_than_the_cart_counts),
        T(only_what_costs_and_is_ordered_is_invoiced), T(a_credit_memo_gives_back_what_was_invoiced),
        T(lines_of_sums_are_invoiced_in_their_own_terms),
        T(usage_whose_price_alone_was_approved_keeps_its_terms), T(the_buyer_reads_his_own_words),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
