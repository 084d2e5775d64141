/* test_core.c - what the other rooms may rely on: decimals, digests, tokens, matching, return hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/core.h"
#include "not_money.h"

static apr_pool_t *pool;
static po_crypto *crypto;

static int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    crypto = po_crypto_create();
    return crypto ? 0 : -1;
}

static int group_teardown(void **state)
{
    po_crypto_destroy(crypto);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static po_decimal dec(const char *text)
{
    po_decimal d;

    assert_int_equal(po_decimal_parse(&d, text, -1), APR_SUCCESS);
    return d;
}

static void is_text(const po_decimal *d, int decimals, const char *want)
{
    char out[PO_DECIMAL_TEXT];

    assert_string_equal(po_decimal_text(d, decimals, out), want);
}

/* ---- decimals ------------------------------------------------------------------------------------------------- */

static void plain_decimals_are_read(void **state)
{
    static const char *const good[][2] = {
        { "15", "15.00" }, { "2.10", "2.10" }, { " 0.0\n", "0.00" }, { "5.0000", "5.00" }, { "0.0925", "0.0925" },
        { "-3.5", "-3.50" }, { "000000000000000000000012.5", "12.50" }, { "0.00000001", "0.00000001" },
        { "1.000000000000", "1.00" },
        { "999999999999999999.00", "999999999999999999.00" }, { "999999999999999999", "999999999999999999.00" }, { "0", "0.00" } };
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        po_decimal d = dec(good[i][0]);
        is_text(&d, 2, good[i][1]);
    }
}

static void anything_else_is_refused_as_money(void **state)
{
    po_decimal d;
    int i;

    for (i = 0; i < NOT_MONEY; i++)
        if (po_decimal_parse(&d, not_money[i], -1) != APR_EINVAL)
            fail_msg("taken: %s", not_money[i]);
    assert_int_equal(po_decimal_parse(&d, "", -1), APR_EINVAL);
    assert_int_equal(po_decimal_parse(&d, " ", -1), APR_EINVAL);
    assert_int_equal(po_decimal_parse(&d, "1\0e9", 4), APR_EINVAL);
    assert_int_equal(po_decimal_parse(&d, NULL, -1), APR_EINVAL);
}

static void sums_are_exact(void **state)
{
    po_decimal a = dec("1000000"), b = dec("0.01"), c = dec("5406"), e = dec("0.0925"), out;

    assert_int_equal(po_decimal_multiply(&out, &a, &b), APR_SUCCESS);
    is_text(&out, 2, "10000.00");
    assert_int_equal(po_decimal_multiply(&out, &c, &e), APR_SUCCESS);
    is_text(&out, 2, "500.055");
    assert_int_equal(po_decimal_add(&out, &out, &b), APR_SUCCESS);
    is_text(&out, 2, "500.065");
    a = dec("999999999999999999");
    b = dec("9999999999.99999999");
    assert_int_equal(po_decimal_multiply(&out, &a, &b), APR_SUCCESS);
    is_text(&out, 2, "9999999999999999980000000000.00000001");
}

static void a_result_that_does_not_fit_is_an_error(void **state)
{
    po_decimal a = dec("999999999999999999"), out = a;

    assert_int_equal(po_decimal_multiply(&out, &a, &a), APR_SUCCESS);
    assert_int_equal(po_decimal_multiply(&out, &out, &a), APR_EGENERAL);
}

static void comparison_ignores_trailing_zeros(void **state)
{
    po_decimal a = dec("12.5"), b = dec("12.50000"), c = dec("12.51"), d = dec("-12.51"), big, tiny = dec("0.00000001");

    assert_int_equal(po_decimal_compare(&a, &b), 0);
    assert_int_equal(po_decimal_compare(&a, &c), -1);
    assert_int_equal(po_decimal_compare(&c, &a), 1);
    assert_int_equal(po_decimal_compare(&d, &a), -1);
    assert_int_equal(po_decimal_decimals(&b), 1);
    a = dec("999999999999999999");
    assert_int_equal(po_decimal_multiply(&big, &a, &a), APR_SUCCESS);
    assert_int_equal(po_decimal_compare(&big, &tiny), 1);
    assert_int_equal(po_decimal_compare(&tiny, &big), -1);
}

static void a_budget_is_divided_up_to_whole_units(void **state)
{
    po_decimal budget = dec("500"), unit = dec("0.0925"), zero = dec("0"), out;

    assert_int_equal(po_decimal_divide_up(&out, &budget, &unit), APR_SUCCESS);
    is_text(&out, 0, "5406");
    unit = dec("0.01");
    assert_int_equal(po_decimal_divide_up(&out, &budget, &unit), APR_SUCCESS);
    is_text(&out, 0, "50000");
    assert_int_equal(po_decimal_divide_up(&out, &budget, &zero), APR_EINVAL);
}

/* ---- crypto --------------------------------------------------------------------------------------------------- */

static void digests_are_sha256_and_hmac_is_rfc2104(void **state)
{
    unsigned char out[PO_DIGEST], key[PO_DIGEST];
    char hex[2 * PO_DIGEST + 1];

    po_sha256(crypto, "abc", 3, out);
    po_hex(hex, out, PO_DIGEST);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 4231 test case 1 with its key padded by zeros, which HMAC does to short keys anyway */
    memset(key, 0, sizeof(key));
    memset(key, 0x0b, 20);
    po_hmac(crypto, key, "Hi There", out);
    po_hex(hex, out, PO_DIGEST);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

static void base64url_survives_both_ways(void **state)
{
    unsigned char raw[PO_TOKEN_BYTES], back[PO_TOKEN_BYTES];
    char text[PO_TOKEN_TEXT + 1] = "";

    assert_int_equal(po_random(crypto, raw, sizeof(raw)), APR_SUCCESS);
    po_base64url(text, raw, sizeof(raw));
    assert_true(po_base64url_decode(back, text, PO_TOKEN_TEXT));
    assert_memory_equal(raw, back, sizeof(raw));
    text[5] = '+';
    assert_false(po_base64url_decode(back, text, PO_TOKEN_TEXT));
}

static void ids_and_payload_ids_are_new_each_time(void **state)
{
    char a[PO_ID_TEXT], b[PO_ID_TEXT];
    const char *p, *q;

    assert_int_equal(po_id(crypto, "req", a), APR_SUCCESS);
    assert_int_equal(po_id(crypto, "req", b), APR_SUCCESS);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 20);
    assert_memory_equal(a, "req-", 4);
    assert_null(strpbrk(a, "?{} .<>&"));
    p = po_payload_id(crypto, "market.example", 1700000000000000, pool);
    q = po_payload_id(crypto, "market.example", 1700000000000000, pool);
    assert_string_not_equal(p, q);
    assert_non_null(strstr(p, "1700000000000000."));
    assert_string_equal(strchr(p, '@'), "@market.example");
}

static void timestamps_have_a_numeric_offset(void **state)
{
    char out[PO_TIMESTAMP];

    assert_string_equal(po_timestamp(apr_time_from_sec(1795428900), out), "2026-11-23T10:15:00+00:00");
}

static void timestamps_of_real_systems_are_read(void **state)
{
    static const struct { const char *text; apr_time_t want; } good[] = {
        { "2026-11-23T10:15:00+00:00", 1795428900000000 }, { "2026-11-23T10:15:00Z", 1795428900000000 },
        { "2026-11-23T02:15:00-08:00", 1795428900000000 }, { "2026-11-23T05:15:00-0500", 1795428900000000 },
        { "2026-11-23T10:15:00", 1795428900000000 }, { "2026-11-23 10:15:00", 1795428900000000 },
        { " 2026-11-23T15:45:00.250+05:30\n", 1795428900250000 }, { "2026-11-23T10:15:00.1234567Z", 1795428900123456 },
        { "Mon May 19 18:29:48 +0000 2008", 1211221788000000 }, { "Mon May  5 18:29:48 -0200 2008", 1210019388000000 },
        { "2024-02-29T00:00:00Z", 1709164800000000 } };
    static const char *const bad[] = { "", "now", "2026-11-23", "2026-11-23T10:15", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z", "2026-11-23T10:15:00+25:00", "2026-11-23T10:15:00Zx",
        "2026-11-23T10:15:00.Z", "26-11-23T10:15:00Z", "2026-11-23T10:15:00 tomorrow", "Mon May 19 18:29:48 +0000",
        "Mon Mai 19 18:29:48 +0000 2008", "Mon May 32 18:29:48 +0000 2008", "1795428900", "2026-11-2xT10:15:00Z",
        "2026-11-23T10:15:00+1", "2026-11-23T10:15:00+-1:00" };
    apr_time_t t;
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(po_timestamp_parse(good[i].text, &t), APR_SUCCESS);
        assert_int_equal(t, good[i].want);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(po_timestamp_parse(bad[i], &t), APR_EINVAL);
    assert_int_equal(po_timestamp_parse(NULL, &t), APR_EINVAL);
}

static void hmac_sha1_is_rfc2202(void **state)
{
    unsigned char out[PO_SHA1_DIGEST];
    char hex[2 * PO_SHA1_DIGEST + 1];

    assert_int_equal(po_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, out), APR_SUCCESS);
    po_hex(hex, out, PO_SHA1_DIGEST);
    assert_string_equal(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

static void an_empty_secret_never_matches(void **state)
{
    assert_true(po_secret_equal(crypto, "s3cret", "s3cret"));
    assert_false(po_secret_equal(crypto, "s3cret", "s3creT"));
    assert_false(po_secret_equal(crypto, "", ""));
    assert_false(po_secret_equal(crypto, NULL, NULL));
}

static void text_is_cut_between_characters(void **state)
{
    assert_string_equal(po_utf8_cut("abc", 3, pool), "abc");
    assert_string_equal(po_utf8_cut("abcd", 3, pool), "abc");
    assert_string_equal(po_utf8_cut("a\xc3\xa4\xe2\x82\xac", 5, pool), "a\xc3\xa4");
    assert_string_equal(po_utf8_cut("a\xc3\xa4", 2, pool), "a");
    assert_string_equal(po_utf8_cut("abc", 0, pool), "abc");
}

/* ---- matching ------------------------------------------------------------------------------------------------- */

static void push_credential(apr_array_header_t **list, const char *domain, const char *identity)
{
    po_credential *c;

    if (!*list)
        *list = apr_array_make(pool, 2, sizeof(po_credential));
    c = apr_array_push(*list);
    c->domain = domain;
    c->identity = identity;
}

static void push_secret(apr_array_header_t **list, const char *value)
{
    po_secret *s;

    if (!*list)
        *list = apr_array_make(pool, 2, sizeof(po_secret));
    s = apr_array_push(*list);
    s->value = value;
    po_sha256(crypto, value, strlen(value), s->digest);
}

static po_buyer *add_buyer(po_site *site, const char *name, const char *identity, const char *secret)
{
    po_buyer *b = apr_pcalloc(pool, sizeof(*b));

    b->name = name;
    push_credential(&b->credentials, "NetworkID", identity);
    push_secret(&b->secrets, secret);
    APR_ARRAY_PUSH(site->buyers, po_buyer *) = b;
    return b;
}

static po_site *make_site(void)
{
    po_site *site = apr_pcalloc(pool, sizeof(*site));

    site->buyers = apr_array_make(pool, 2, sizeof(po_buyer *));
    push_credential(&site->identities, "DUNS", "111111111");
    return site;
}

static po_party party(const char *domain, const char *identity)
{
    po_party p = { { { domain, identity } }, 1 };

    return p;
}

static void push_certificate(apr_array_header_t **list, const char *subject, const char *fingerprint)
{
    po_certificate *c;

    if (!*list)
        *list = apr_array_make(pool, 2, sizeof(po_certificate));
    c = apr_array_push(*list);
    c->subject = subject;
    c->fingerprint = fingerprint;
}

/* A claim as it is; its reason, which must hold says and no secret, or NULL. */
static po_match_result judge(const po_site *site, const po_claim *claim, const char *says)
{
    po_match m;

    po_match_request(site, crypto, claim, &m, pool);
    if (m.result == PO_MATCH_OK) {
        assert_null(m.why);
        assert_non_null(m.buyer);
        assert_non_null(m.from);
    }
    else {
        assert_non_null(m.why);
        if (says && !strstr(m.why, says))
            fail_msg("\"%s\" does not say \"%s\"", m.why, says);
        assert_null(strstr(m.why, "secret-"));
    }
    return m.result;
}

static po_match_result match(const po_site *site, const char *from, const char *to, const char *sender, const char *secret)
{
    po_party f = party("networkid", from), t = party("duns", to), s = party("NETWORKID", sender);
    po_claim claim = { &f, &t, &s, secret };
    po_match m;

    po_match_request(site, crypto, &claim, &m, pool);
    if (m.result != PO_MATCH_OK) {
        assert_non_null(m.why);
        assert_null(secret && *secret ? strstr(m.why, secret) : NULL);
    }
    return m.result;
}

/* By Open Buy's credentials; the reason must hold says and nothing of a secret. */
static po_match_result known_by(const po_site *site, const char *credentials, const po_certificate *certificate,
                                apr_time_t now, const char *says)
{
    po_match m;

    po_match_credentials(site, crypto, credentials, certificate, now, &m, pool);
    if (m.result == PO_MATCH_OK) {
        assert_null(m.why);
        assert_string_equal(m.buyer->name, says);
        return m.result;
    }
    if (!strstr(m.why, says))
        fail_msg("\"%s\" does not say \"%s\"", m.why, says);
    assert_null(strstr(m.why, "secret-"));
    return m.result;
}

static void open_buy_knows_a_buyer_by_name_and_secret(void **state)
{
    po_site *site = make_site();
    po_buyer *acme = add_buyer(site, "acme", "AN01", "secret-1");

    push_secret(&acme->secrets, "secret:with:colons");
    APR_ARRAY_IDX(acme->secrets, 0, po_secret).until = 1000;
    add_buyer(site, "globex", "AN02", "secret-globex")->fault = "no file";
    assert_null(po_site_index(site, pool));
    assert_int_equal(known_by(site, "acme:secret-1", NULL, 999, "acme"), PO_MATCH_OK);
    assert_int_equal(known_by(site, "acme:secret-1", NULL, 1000, "expired"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "acme:secret:with:colons", NULL, 1000, "acme"), PO_MATCH_OK);
    assert_int_equal(known_by(site, "acme:secret-2", NULL, 999, "wrong"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "acme:", NULL, 999, "no SharedSecret"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "ACME:secret-1", NULL, 999, "no buyer's"), PO_MATCH_UNKNOWN);
    assert_int_equal(known_by(site, "secret-1", NULL, 999, "no buyer's"), PO_MATCH_UNKNOWN);
    assert_int_equal(known_by(site, "", NULL, 999, "no buyer's"), PO_MATCH_UNKNOWN);
    assert_int_equal(known_by(site, "globex:secret-globex", NULL, 999, "no file"), PO_MATCH_FAULT);
}

static void open_buy_credentials_count_alone_and_whole(void **state)
{
    po_site *site = make_site();
    po_buyer *acme = add_buyer(site, "acme", "AN01", "secret-1");

    push_secret(&acme->openbuy_credentials, "client:secret-2");
    push_secret(&acme->openbuy_credentials, "secret-3");
    APR_ARRAY_IDX(acme->openbuy_credentials, 1, po_secret).from = 1000;
    add_buyer(site, "client", "AN02", "secret-client");
    assert_null(po_site_index(site, pool));
    assert_int_equal(known_by(site, "client:secret-2", NULL, 999, "acme"), PO_MATCH_OK);
    assert_int_equal(known_by(site, "client:secret-client", NULL, 999, "client"), PO_MATCH_OK);
    assert_int_equal(known_by(site, "secret-3", NULL, 1000, "acme"), PO_MATCH_OK);
    assert_int_equal(known_by(site, "secret-3", NULL, 999, "no buyer's"), PO_MATCH_UNKNOWN);
    assert_int_equal(known_by(site, "acme:secret-1", NULL, 999, "PunchOutOpenBuyCredentials"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "acme:client:secret-2", NULL, 999, "PunchOutOpenBuyCredentials"), PO_MATCH_SECRET);
}

static void open_buy_wants_the_certificate_that_cxml_wants(void **state)
{
    po_certificate right = { "CN=acme", "aa" }, foreign = { "CN=other", "bb" };
    po_site *site = make_site();
    po_buyer *acme = add_buyer(site, "acme", "AN01", "secret-1");
    po_hub *hub = apr_pcalloc(pool, sizeof(*hub));

    push_certificate(&acme->certificates, "CN=acme", NULL);
    assert_null(po_site_index(site, pool));
    assert_int_equal(known_by(site, "acme:secret-1", NULL, 1, "acme"), PO_MATCH_OK);
    acme->authentication = PO_AUTHENTICATION_BOTH;
    assert_int_equal(known_by(site, "acme:secret-1", NULL, 1, "no client certificate"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "acme:secret-1", &foreign, 1, "foreign"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "acme:secret-1", &right, 1, "acme"), PO_MATCH_OK);
    acme->authentication = PO_AUTHENTICATION_CERTIFICATE;
    assert_int_equal(known_by(site, "acme:secret-2", &right, 1, "wrong"), PO_MATCH_SECRET);
    push_secret(&acme->openbuy_credentials, "secret-3");
    assert_int_equal(known_by(site, "secret-3", NULL, 1, "no client certificate"), PO_MATCH_SECRET);
    /* the hub's secret is the hub's: it speaks cXML alone */
    acme->openbuy_credentials = NULL;
    acme->via = hub;
    push_secret(&hub->secrets, "secret-hub");
    assert_int_equal(known_by(site, "acme:secret-hub", &right, 1, "wrong"), PO_MATCH_SECRET);
    assert_int_equal(known_by(site, "acme:secret-1", &right, 1, "acme"), PO_MATCH_OK);
}

static void a_buyer_is_found_by_from_and_to(void **state)
{
    po_site *site = make_site();

    add_buyer(site, "acme", "AN01", "first-secret");
    add_buyer(site, "globex", "AN02", "other-secret");
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "AN01", "111111111", "AN01", "first-secret"), PO_MATCH_OK);
    assert_int_equal(match(site, "AN03", "111111111", "AN03", "first-secret"), PO_MATCH_UNKNOWN);
    assert_int_equal(match(site, "AN01", "222222222", "AN01", "first-secret"), PO_MATCH_UNKNOWN);
    assert_int_equal(match(site, "an01", "111111111", "an01", "first-secret"), PO_MATCH_UNKNOWN);
}

static void a_wrong_empty_or_missing_secret_is_refused(void **state)
{
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01", "first-secret");

    push_secret(&b->secrets, "none");
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "AN01", "111111111", "AN01", "guess-7"), PO_MATCH_SECRET);
    assert_int_equal(match(site, "AN01", "111111111", "AN01", ""), PO_MATCH_SECRET);
    assert_int_equal(match(site, "AN01", "111111111", "AN01", NULL), PO_MATCH_SECRET);
    assert_int_equal(match(site, "AN01", "111111111", "AN01", "none"), PO_MATCH_SECRET);
}

static void both_slots_of_a_rotation_are_taken(void **state)
{
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01", "first-secret");

    push_secret(&b->secrets, "next-secret");
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "AN01", "111111111", "AN01", "first-secret"), PO_MATCH_OK);
    assert_int_equal(match(site, "AN01", "111111111", "AN01", "next-secret"), PO_MATCH_OK);
}

static void a_buyer_cannot_speak_for_another(void **state)
{
    po_site *site = make_site();

    add_buyer(site, "acme", "AN01", "first-secret");
    add_buyer(site, "globex", "AN02", "other-secret");
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "AN01", "111111111", "AN02", "first-secret"), PO_MATCH_SENDER);
    assert_int_equal(match(site, "AN01", "111111111", "AN02", "other-secret"), PO_MATCH_SENDER);
}

static void a_hub_speaks_only_for_buyers_that_name_it(void **state)
{
    po_site *site = make_site();
    po_buyer *direct = add_buyer(site, "acme", "AN01", "first-secret"), *through = add_buyer(site, "globex", "AN02", "x-secret");
    po_hub hub = { "network" };

    push_credential(&hub.senders, "NetworkID", "HUB");
    push_secret(&hub.secrets, "hub-secret");
    through->via = &hub;
    assert_null(po_site_index(site, pool));
    assert_null(direct->via);
    assert_int_equal(match(site, "AN02", "111111111", "HUB", "hub-secret"), PO_MATCH_OK);
    assert_int_equal(match(site, "AN02", "111111111", "AN02", "x-secret"), PO_MATCH_SENDER);
    assert_int_equal(match(site, "AN01", "111111111", "HUB", "hub-secret"), PO_MATCH_SENDER);
}

static void two_buyers_cannot_claim_the_same_pair(void **state)
{
    po_site *site = make_site();
    const char *wrong;

    add_buyer(site, "acme", "AN01", "first-secret");
    push_credential(&add_buyer(site, "globex", "AN02", "other-secret")->credentials, "networkID", "AN01");
    wrong = po_site_index(site, pool);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "acme"));
    assert_non_null(strstr(wrong, "globex"));
}

static void a_faulty_buyer_is_told_apart(void **state)
{
    po_site *site = make_site();

    add_buyer(site, "acme", "AN01", "first-secret")->fault = "no secret";
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "AN01", "111111111", "AN01", "first-secret"), PO_MATCH_FAULT);
}

static void a_marketplace_credential_in_from_identifies_nobody(void **state)
{
    po_site *site = make_site();
    po_party from = { { { "NetworkID", "AN01", 1 }, { "PrivateID", "7" } }, 2 };
    po_party to = { { { "DUNS", "111111111", 1 } }, 1 }, sender = { { { "NetworkID", "AN01", 1 } }, 1 };
    po_claim claim = { &from, &to, &sender, "secret-1" };

    push_credential(&add_buyer(site, "acme", "AN01", "secret-1")->credentials, "VendorID", "8");
    assert_null(po_site_index(site, pool));
    assert_int_equal(judge(site, &claim, "no PunchOutBuyer for From marketplace NetworkID AN01, PrivateID 7"),
                     PO_MATCH_UNKNOWN);
    from.cred[1].domain = "VendorID";
    from.cred[1].identity = "8";
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);       /* To and Sender may be marketplace credentials */
}

static void from_that_names_two_buyers_names_none(void **state)
{
    po_site *site = make_site();
    po_party from = { { { "NetworkID", "AN01" }, { "NetworkID", "AN02" } }, 2 }, to = party("DUNS", "111111111");
    po_party sender = party("NetworkID", "AN01");
    po_claim claim = { &from, &to, &sender, "secret-1" };
    po_buyer *acme = add_buyer(site, "acme", "AN01", "secret-1");
    po_match m;

    add_buyer(site, "globex", "AN02", "secret-2");
    assert_null(po_site_index(site, pool));
    assert_int_equal(judge(site, &claim, "names two buyers, acme and globex"), PO_MATCH_UNKNOWN);
    po_match_request(site, crypto, &claim, &m, pool);
    assert_null(m.buyer);
    from.cred[1].identity = "AN03";             /* a stranger's beside it is harmless */
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    push_credential(&acme->credentials, "NetworkID", "AN04");       /* so is another of the same buyer */
    assert_null(po_site_index(site, pool));
    from.cred[1].identity = "AN04";
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
}

static void a_secret_counts_while_it_is_valid(void **state)
{
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01", "secret-old");
    po_party from = party("NetworkID", "AN01"), to = party("DUNS", "111111111");
    po_claim claim = { &from, &to, &from, "secret-old" };
    po_secret *slots;

    push_secret(&b->secrets, "secret-new");
    slots = (po_secret *)b->secrets->elts;
    slots[0].until = apr_time_from_sec(2000);
    slots[1].from = apr_time_from_sec(1000);
    assert_null(po_site_index(site, pool));
    claim.now = apr_time_from_sec(2000) - 1;
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.now = apr_time_from_sec(2000);
    assert_int_equal(judge(site, &claim, "expired SharedSecret"), PO_MATCH_SECRET);
    claim.secret = "secret-new";
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.now = apr_time_from_sec(1000);
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.now = apr_time_from_sec(1000) - 1;
    assert_int_equal(judge(site, &claim, "not valid yet"), PO_MATCH_SECRET);
    claim.secret = "secret-other";
    assert_int_equal(judge(site, &claim, "wrong SharedSecret"), PO_MATCH_SECRET);
}

static void none_is_no_secret_however_it_is_spelled(void **state)
{
    static const char *const words[] = { "none", "None", "NONE" };
    apr_size_t i;

    for (i = 0; i < 3; i++) {
        po_site *site = make_site();
        po_party from = party("NetworkID", "AN01"), to = party("DUNS", "111111111");
        po_claim claim = { &from, &to, &from, words[i] };

        add_buyer(site, "acme", "AN01", words[i]);
        assert_null(po_site_index(site, pool));
        assert_int_equal(judge(site, &claim, "wrong SharedSecret"), PO_MATCH_SECRET);
    }
}

/* The two vectors that the description of CredentialMac publishes, at 2003-01-15 09:00 -08:00. */
static po_credential_mac published(const char *value)
{
    po_credential_mac mac = { "FromSenderCredentials", "HMAC-SHA1-96", "2003-01-15T08:42:46-08:00",
                              "2003-01-15T11:42:46-08:00", value };

    return mac;
}
#define MAC_CREATED apr_time_from_sec(1042648966)       /* of published() */
#define MAC_EXPIRES apr_time_from_sec(1042659766)

static po_site *mac_site(const char *secret)
{
    po_site *site = make_site();

    add_buyer(site, "acme", "AN9900000100", secret);
    assert_null(po_site_index(site, pool));
    return site;
}

static void the_published_macs_are_right(void **state)
{
    static const char *const vectors[][2] = { { "abracadabra", "cR6Jpz58nriXERDN" }, { "password", "5KMM/p4KtK5oAf/B" } };
    po_party from = party("NetworkID", "AN9900000100"), to = party("DUNS", "111111111");
    int i;

    for (i = 0; i < 2; i++) {
        po_credential_mac mac = published(vectors[i][1]);
        po_claim claim = { &from, &to, &from, NULL, &mac, NULL, MAC_CREATED + apr_time_from_sec(1000) };
        po_site *site = mac_site(vectors[i][0]);

        assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
        mac = published(vectors[1 - i][1]);
        assert_int_equal(judge(site, &claim, "wrong CredentialMac"), PO_MATCH_SECRET);
    }
}

static void a_mac_counts_between_its_dates(void **state)
{
    po_party from = party("NetworkID", "AN9900000100"), to = party("DUNS", "111111111");
    po_credential_mac mac = published("cR6Jpz58nriXERDN");
    po_claim claim = { &from, &to, &from, NULL, &mac };
    po_site *site = mac_site("abracadabra");

    claim.now = MAC_EXPIRES;
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.now = MAC_EXPIRES + 1;
    assert_int_equal(judge(site, &claim, "expired CredentialMac"), PO_MATCH_SECRET);
    claim.now = MAC_CREATED - apr_time_from_sec(300);
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.now--;
    assert_int_equal(judge(site, &claim, "yet to come"), PO_MATCH_SECRET);
    claim.now = MAC_CREATED;
    mac.created = "yesterday";
    assert_int_equal(judge(site, &claim, "no date"), PO_MATCH_SECRET);
    mac.created = "2003-01-15T08:42:46-08:00";
    mac.expires = "2003-01-15T11:42:47-08:00";          /* prolonged by hand */
    assert_int_equal(judge(site, &claim, "wrong CredentialMac"), PO_MATCH_SECRET);
}

static void a_mac_of_another_kind_is_refused(void **state)
{
    po_party from = party("NetworkID", "AN9900000100"), to = party("DUNS", "111111111");
    po_credential_mac mac = published("cR6Jpz58nriXERDN");
    po_claim claim = { &from, &to, &from, NULL, &mac, NULL, MAC_CREATED };
    po_site *site = mac_site("abracadabra");

    mac.type = "fromSenderCredentials";
    assert_int_equal(judge(site, &claim, "another type"), PO_MATCH_SECRET);
    mac = published("cR6Jpz58nriXERDN");
    mac.algorithm = "HMAC-SHA1";
    assert_int_equal(judge(site, &claim, "another algorithm"), PO_MATCH_SECRET);
    mac = published("cR6Jpz58nriXERDNAA");
    assert_int_equal(judge(site, &claim, "length"), PO_MATCH_SECRET);
    mac = published(NULL);
    assert_int_equal(judge(site, &claim, "length"), PO_MATCH_SECRET);
    mac = published("cR6Jpz58nriXERDN");
    mac.credential = 1;
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_SECRET);
}

static void secret_and_mac_must_both_be_right(void **state)
{
    po_party from = party("NetworkID", "AN9900000100"), to = party("DUNS", "111111111");
    po_credential_mac mac = published("cR6Jpz58nriXERDN");
    po_claim claim = { &from, &to, &from, "abracadabra", &mac, NULL, MAC_CREATED };
    po_site *site = mac_site("abracadabra");

    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.secret = "guess";
    assert_int_equal(judge(site, &claim, "wrong SharedSecret"), PO_MATCH_SECRET);
    claim.secret = "abracadabra";
    mac = published("5KMM/p4KtK5oAf/B");
    assert_int_equal(judge(site, &claim, "wrong CredentialMac"), PO_MATCH_SECRET);
}

static void a_mac_is_tried_with_valid_secrets_and_the_buyers_own_credentials(void **state)
{
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01", "secret-new");
    po_party from = { { { "NetworkID", "AN01" }, { "NetworkID", "AN9900000100" } }, 2 }, to = party("DUNS", "111111111");
    po_party sender = { { { "NetworkID", "AN01" }, { "NetworkID", "AN9900000100" } }, 2 };
    po_credential_mac mac = published("cR6Jpz58nriXERDN");
    po_claim claim = { &from, &to, &sender, NULL, &mac, NULL, MAC_CREATED };
    po_secret *old;

    push_secret(&b->secrets, "abracadabra");
    old = &APR_ARRAY_IDX(b->secrets, 1, po_secret);
    mac.credential = 1;
    assert_null(po_site_index(site, pool));
    /* it vouches for somebody else who stands beside acme in From */
    assert_int_equal(judge(site, &claim, "wrong CredentialMac"), PO_MATCH_SECRET);
    push_credential(&b->credentials, "NetworkID", "AN9900000100");
    assert_null(po_site_index(site, pool));
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    old->until = MAC_CREATED;
    assert_int_equal(judge(site, &claim, "wrong CredentialMac"), PO_MATCH_SECRET);
    old->until = 0;
    from.cred[1].marketplace = 1;
    assert_int_equal(judge(site, &claim, "wrong CredentialMac"), PO_MATCH_SECRET);
}

static void a_certificate_is_known_by_its_name_or_fingerprint(void **state)
{
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01", "secret-1");
    po_party from = party("NetworkID", "AN01"), to = party("DUNS", "111111111");
    po_certificate shown = { "CN=acme,O=Acme", "ab12" }, foreign = { "CN=acme,O=Evil", "ff00" };
    po_claim claim = { &from, &to, &from };

    assert_null(po_site_index(site, pool));
    assert_int_equal(site->certificates, 0);
    claim.certificate = &shown;
    assert_int_equal(judge(site, &claim, "no SharedSecret"), PO_MATCH_SECRET);
    b->secrets = NULL;
    push_certificate(&b->certificates, "CN=acme,O=Acme", NULL);
    assert_null(po_site_index(site, pool));
    assert_int_equal(site->certificates, 1);
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.secret = "None";                      /* what a system sends that was told no secret */
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    claim.certificate = &foreign;
    assert_int_equal(judge(site, &claim, "foreign client certificate"), PO_MATCH_SECRET);
    claim.certificate = NULL;
    assert_int_equal(judge(site, &claim, "neither SharedSecret nor client certificate"), PO_MATCH_SECRET);
    push_certificate(&b->certificates, NULL, "ff00");
    claim.certificate = &foreign;
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
}

static void what_a_sender_must_show_is_configured(void **state)
{
    static const struct { po_authentication wanted; const char *secret; int shown, ok; } rows[] = {
        { PO_AUTHENTICATION_ANY, "secret-1", 0, 1 }, { PO_AUTHENTICATION_ANY, NULL, 1, 1 },
        { PO_AUTHENTICATION_ANY, "secret-x", 1, 0 }, { PO_AUTHENTICATION_ANY, NULL, 0, 0 },
        { PO_AUTHENTICATION_ANY, "none", 1, 0 },
        { PO_AUTHENTICATION_SECRET, "secret-1", 0, 1 }, { PO_AUTHENTICATION_SECRET, NULL, 1, 0 },
        { PO_AUTHENTICATION_CERTIFICATE, NULL, 1, 1 }, { PO_AUTHENTICATION_CERTIFICATE, "secret-1", 0, 0 },
        { PO_AUTHENTICATION_CERTIFICATE, "secret-x", 1, 0 },
        { PO_AUTHENTICATION_BOTH, "secret-1", 1, 1 }, { PO_AUTHENTICATION_BOTH, "secret-1", 0, 0 },
        { PO_AUTHENTICATION_BOTH, NULL, 1, 0 } };
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01", "secret-1");
    po_party from = party("NetworkID", "AN01"), to = party("DUNS", "111111111");
    po_certificate shown = { "CN=acme,O=Acme", "ab12" };
    apr_size_t i;

    push_certificate(&b->certificates, "CN=acme,O=Acme", NULL);
    assert_null(po_site_index(site, pool));
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        po_claim claim = { &from, &to, &from, rows[i].secret, NULL, rows[i].shown ? &shown : NULL };

        b->authentication = rows[i].wanted;
        assert_int_equal(judge(site, &claim, NULL), rows[i].ok ? PO_MATCH_OK : PO_MATCH_SECRET);
    }
}

static void a_hubs_certificate_speaks_for_its_buyers_alone(void **state)
{
    po_site *site = make_site();
    po_buyer *direct = add_buyer(site, "acme", "AN01", "secret-1"), *through = add_buyer(site, "globex", "AN02", "secret-2");
    po_party hub_party = party("NetworkID", "HUB"), from = party("NetworkID", "AN02"), to = party("DUNS", "111111111");
    po_certificate shown = { "CN=hub", "ab12" };
    po_claim claim = { &from, &to, &hub_party, NULL, NULL, &shown };
    po_hub hub = { "network" };

    push_credential(&hub.senders, "NetworkID", "HUB");
    push_certificate(&hub.certificates, "CN=hub", NULL);
    push_certificate(&direct->certificates, "CN=acme", NULL);
    through->via = &hub;
    assert_null(po_site_index(site, pool));
    assert_int_equal(judge(site, &claim, NULL), PO_MATCH_OK);
    from = party("NetworkID", "AN01");
    assert_int_equal(judge(site, &claim, "may not speak for buyer acme"), PO_MATCH_SENDER);
    claim.sender = &from;
    assert_int_equal(judge(site, &claim, "foreign client certificate"), PO_MATCH_SECRET);
}

static void identities_ignore_case_where_the_buyer_says_so(void **state)
{
    po_site *site = make_site();
    po_buyer *b = add_buyer(site, "acme", "AN01-T", "first-secret");

    add_buyer(site, "globex", "AN02-T", "other-secret");
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "an01-t", "111111111", "an01-t", "first-secret"), PO_MATCH_UNKNOWN);
    b->ignore_case = 1;
    assert_null(po_site_index(site, pool));
    assert_int_equal(match(site, "an01-t", "111111111", "An01-t", "first-secret"), PO_MATCH_OK);
    assert_int_equal(match(site, "AN01-T", "111111111", "AN01-T", "first-secret"), PO_MATCH_OK);
    assert_int_equal(match(site, "an02-t", "111111111", "an02-t", "other-secret"), PO_MATCH_UNKNOWN);
    add_buyer(site, "initech", "an01-T", "third-secret");
    assert_non_null(po_site_index(site, pool));
    b->ignore_case = 0;
    assert_null(po_site_index(site, pool));
}

/* ---- return hosts --------------------------------------------------------------------------------------------- */

static void a_cart_goes_back_to_listed_hosts_only(void **state)
{
    static const char *const words[] = { "acme.coupahost.com", ".acme.example", "http://localhost:*", "https://x.example:8443" };
    static const char *const good[] = { "https://acme.coupahost.com/punchout/checkout?id=4", "https://ACME.coupahost.com:443/",
        "https://shop.acme.example/x", "http://localhost:8080/return?s=9", "https://x.example:8443/", "HTTPS://acme.coupahost.com",
        "https://acme.coupahost.com:/x", "https://acme.coupahost.com?u=a@b:c", "https://acme.coupahost.com/a@b" };
    static const char *const bad[] = { "", "http://acme.coupahost.com/", "https://acme.coupahost.com:444/", "https://acme.example/",
        "https://evilacme.example/", "https://acme.coupahost.com.evil.example/", "javascript:alert(1)", "data:text/html,x",
        "//acme.coupahost.com/", "https://user@acme.coupahost.com/", "https://acme.coupahost.com@evil.example/",
        "https://evil.example\\@acme.coupahost.com/", "https://acme.coupahost.com/#x", "https://acme.coupahost.com/\nx",
        "https://[::1]/", "https://acme.coupahost.com:65979/", "https://acme.coupahost.com:4x3/", "https:acme.coupahost.com/",
        "https:/acme.coupahost.com/", "httpsx://acme.coupahost.com/", "https://acme.coupahost.com%2eevil.example/",
        "https://.acme.example/", "http://localhost:0/", "http://localhost:99999999999/", "https://acme.coupahost.com:443:443/", "https://x.example/", "ftp://acme.coupahost.com/", "https://acme.coupahost.com/ x", "https:///x" };
    po_buyer b = { "acme" };
    apr_size_t i;

    b.return_hosts = apr_array_make(pool, 4, sizeof(po_return_host));
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_null(po_return_host_parse(apr_array_push(b.return_hosts), words[i], pool));
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_null(po_return_url_refused(&b, good[i], pool));
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(po_return_url_refused(&b, bad[i], pool));
    assert_non_null(po_return_url_refused(&b, NULL, pool));
}

static void a_page_to_sign_on_at_is_one_of_the_hosts_that_are_listed_for_it(void **state)
{
    po_site site = { NULL };
    const char *wrong;

    assert_string_equal(po_sign_on_url_refused(&site, "https://login.example/", pool),
                        "https://login.example is not among the PunchOutSignOnHosts of this marketplace");
    site.sign_on_hosts = apr_array_make(pool, 1, sizeof(po_return_host));
    assert_null(po_return_host_parse(apr_array_push(site.sign_on_hosts), "login.example", pool));
    assert_null(po_sign_on_url_refused(&site, "https://login.example/saml?to=market", pool));
    assert_non_null(po_sign_on_url_refused(&site, "https://login.example.evil.example/", pool));
    assert_non_null(po_sign_on_url_refused(&site, "http://login.example/", pool));
    wrong = po_sign_on_url_refused(&site, "https://me@login.example/", pool);
    assert_string_equal(wrong, "it holds a user name");
    assert_non_null(po_sign_on_url_refused(&site, "/login", pool));
}

static void a_word_that_is_no_host_is_refused(void **state)
{
    static const char *const bad[] = { "ftp://x.example", "", "x.example/path", "x.example:0", "x.example:99999", "x.example:8a",
        "a b", "https://", "*.example" };
    po_return_host h;
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(po_return_host_parse(&h, bad[i], pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_decimals_are_read), cmocka_unit_test(anything_else_is_refused_as_money),
        cmocka_unit_test(sums_are_exact), cmocka_unit_test(a_result_that_does_not_fit_is_an_error),
        cmocka_unit_test(comparison_ignores_trailing_zeros), cmocka_unit_test(a_budget_is_divided_up_to_whole_units),
        cmocka_unit_test(digests_are_sha256_and_hmac_is_rfc2104), cmocka_unit_test(base64url_survives_both_ways),
        cmocka_unit_test(ids_and_payload_ids_are_new_each_time), cmocka_unit_test(timestamps_have_a_numeric_offset),
        cmocka_unit_test(an_empty_secret_never_matches), cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(open_buy_knows_a_buyer_by_name_and_secret),
        cmocka_unit_test(open_buy_credentials_count_alone_and_whole),
        cmocka_unit_test(open_buy_wants_the_certificate_that_cxml_wants),
        cmocka_unit_test(a_buyer_is_found_by_from_and_to), cmocka_unit_test(a_wrong_empty_or_missing_secret_is_refused),
        cmocka_unit_test(both_slots_of_a_rotation_are_taken), cmocka_unit_test(a_buyer_cannot_speak_for_another),
        cmocka_unit_test(a_hub_speaks_only_for_buyers_that_name_it), cmocka_unit_test(two_buyers_cannot_claim_the_same_pair),
        cmocka_unit_test(timestamps_of_real_systems_are_read), cmocka_unit_test(hmac_sha1_is_rfc2202),
        cmocka_unit_test(a_marketplace_credential_in_from_identifies_nobody),
        cmocka_unit_test(from_that_names_two_buyers_names_none), cmocka_unit_test(a_secret_counts_while_it_is_valid),
        cmocka_unit_test(none_is_no_secret_however_it_is_spelled), cmocka_unit_test(the_published_macs_are_right),
        cmocka_unit_test(a_mac_counts_between_its_dates), cmocka_unit_test(a_mac_of_another_kind_is_refused),
        cmocka_unit_test(secret_and_mac_must_both_be_right),
        cmocka_unit_test(a_mac_is_tried_with_valid_secrets_and_the_buyers_own_credentials),
        cmocka_unit_test(a_certificate_is_known_by_its_name_or_fingerprint),
        cmocka_unit_test(what_a_sender_must_show_is_configured),
        cmocka_unit_test(a_hubs_certificate_speaks_for_its_buyers_alone),
        cmocka_unit_test(identities_ignore_case_where_the_buyer_says_so),
        cmocka_unit_test(a_faulty_buyer_is_told_apart), cmocka_unit_test(a_cart_goes_back_to_listed_hosts_only),
        cmocka_unit_test(a_page_to_sign_on_at_is_one_of_the_hosts_that_are_listed_for_it),
        cmocka_unit_test(a_word_that_is_no_host_is_refused)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
