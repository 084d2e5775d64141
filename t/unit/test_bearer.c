/* test_bearer.c - bearer tokens: only what was made here, for that purpose and site, and in time, counts. */
#include "market_fixture.h"

#define SITE "https://market.example"
#define NOW apr_time_from_sec(1800000000)

static const unsigned char key[PO_DIGEST] = "0123456789abcdef0123456789abcde";
static po_crypto *crypto;

static int setup(void **state)
{
    crypto = po_crypto_create();
    return group_setup(state) || !crypto;
}

static int teardown(void **state)
{
    po_crypto_destroy(crypto);
    return group_teardown(state);
}

static const char *make(const char *buyer, const char *email)
{
    po_bearer b = { SITE, buyer, email, "obr-1", NOW + apr_time_from_sec(600) };

    return po_bearer_make(crypto, key, "openbuy", &b, pool);
}

static po_bearer_result read_token(const char *token, apr_time_t now, po_bearer *out)
{
    return po_bearer_read(crypto, key, "openbuy", SITE, token, now, out, pool);
}

static void a_token_says_what_was_put_in(void **state)
{
    static const char *const buyers[] = { "a", "ab", "abc" };       /* each leaves another rest to fill up */
    po_bearer b;
    int i;

    for (i = 0; i < 3; i++) {
        assert_int_equal(read_token(make(buyers[i], "ines@buyer.example"), NOW, &b), PO_BEARER_OK);
        assert_string_equal(b.site, SITE);
        assert_string_equal(b.buyer, buyers[i]);
        assert_string_equal(b.email, "ines@buyer.example");
        assert_string_equal(b.id, "obr-1");
        assert_int_equal(b.expires, NOW + apr_time_from_sec(600));
    }
    assert_int_equal(read_token(make("acme", NULL), NOW, &b), PO_BEARER_OK);
    assert_null(b.email);
}

static void a_token_is_text_for_a_header(void **state)
{
    const char *token = make("acme", "ines@buyer.example");

    assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(token));
    assert_true(strlen(token) < 400);
}

static void a_token_with_one_bit_changed_is_none(void **state)
{
    const char *token = make("acme", "ines@buyer.example");
    apr_size_t len = strlen(token), i;
    po_bearer b;
    int bit;

    for (i = 0; i < len; i++)
        for (bit = 0; bit < 8; bit++) {
            char *forged = apr_pstrdup(pool, token);

            forged[i] = (char)(forged[i] ^ 1 << bit);
            if (read_token(forged, NOW, &b) != PO_BEARER_FOREIGN)
                fail_msg("bit %d of character %d does not matter", bit, (int)i);
        }
}

static void a_token_that_is_cut_or_longer_is_none(void **state)
{
    const char *token = make("acme", NULL);
    apr_size_t len = strlen(token), i;
    char *many = memset(apr_palloc(pool, 8001), 'A', 8000);
    po_bearer b;

    for (i = 0; i < len; i++)
        assert_int_equal(read_token(apr_pstrmemdup(pool, token, i), NOW, &b), PO_BEARER_FOREIGN);
    assert_int_equal(read_token(apr_pstrcat(pool, token, "AAAA", NULL), NOW, &b), PO_BEARER_FOREIGN);
    assert_int_equal(read_token(apr_pstrcat(pool, token, "=", NULL), NOW, &b), PO_BEARER_FOREIGN);
    many[8000] = '\0';
    assert_int_equal(read_token(many, NOW, &b), PO_BEARER_FOREIGN);
}

static void a_token_counts_until_its_time_is_over(void **state)
{
    const char *token = make("acme", NULL);
    po_bearer b;

    assert_int_equal(read_token(token, NOW + apr_time_from_sec(600) - 1, &b), PO_BEARER_OK);
    assert_int_equal(read_token(token, NOW + apr_time_from_sec(600), &b), PO_BEARER_EXPIRED);
}

static void a_token_of_another_site_key_or_purpose_does_not_count(void **state)
{
    const char *token = make("acme", NULL);
    unsigned char other[PO_DIGEST];
    po_bearer b;

    memcpy(other, key, PO_DIGEST);
    other[PO_DIGEST - 1] ^= 1;
    assert_int_equal(po_bearer_read(crypto, key, "openbuy", "https://other.example", token, NOW, &b, pool),
                     PO_BEARER_SITE);
    assert_int_equal(po_bearer_read(crypto, other, "openbuy", SITE, token, NOW, &b, pool), PO_BEARER_FOREIGN);
    assert_int_equal(po_bearer_read(crypto, key, "openbu", SITE, token, NOW, &b, pool), PO_BEARER_FOREIGN);
    assert_int_equal(po_bearer_read(crypto, key, "", SITE, token, NOW, &b, pool), PO_BEARER_FOREIGN);
}

/* What else is signed under the key, "requests/ID until SECONDS" and "fulfilled/EVENT", begins with no such line. */
static void what_other_parts_sign_is_no_token(void **state)
{
    unsigned char raw[PO_DIGEST + 34];
    char token[(PO_DIGEST + 34) / 3 * 4 + 1];
    const char *text = "fulfilled/evt-0123456789abcdef\nxx\n";
    po_bearer b;

    po_hmac(crypto, key, text, raw);
    memcpy(raw + PO_DIGEST, text, 34);
    po_base64url(token, raw, sizeof(raw));
    token[sizeof(token) - 1] = '\0';
    assert_int_equal(read_token(token, NOW, &b), PO_BEARER_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_says_what_was_put_in),
        cmocka_unit_test(a_token_is_text_for_a_header),
        cmocka_unit_test(a_token_with_one_bit_changed_is_none),
        cmocka_unit_test(a_token_that_is_cut_or_longer_is_none),
        cmocka_unit_test(a_token_counts_until_its_time_is_over),
        cmocka_unit_test(a_token_of_another_site_key_or_purpose_does_not_count),
        cmocka_unit_test(what_other_parts_sign_is_no_token),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
