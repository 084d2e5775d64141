/* test_session.c - what a shopper and an operator may rely on in the session store. */
#include "session_store.h"

#include <stdio.h>

/* ---- what goes in comes out ----------------------------------------------------------------------------------- */

static void a_session_comes_back_as_it_was_put_in(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
    po_session in = shopper("ines"), s;

    assert_int_equal(po_session_insert(f->store, f->crypto, &in, T0 + 500, token), APR_SUCCESS);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    assert_string_equal(s.id, in.id);
    assert_true(s.created == in.created && s.created == T0);
    assert_int_equal(s.test, 1);
    assert_string_equal(s.site, in.site);
    assert_string_equal(s.buyer, in.buyer);
    assert_string_equal(s.user, in.user);
    assert_string_equal(s.email, in.email);
    assert_string_equal(s.user_name, in.user_name);
    assert_string_equal(s.operation, in.operation);
    assert_string_equal(s.buyer_cookie, in.buyer_cookie);
    assert_string_equal(s.return_url, in.return_url);
    assert_string_equal(s.from_domain, in.from_domain);
    assert_string_equal(s.from_identity, in.from_identity);
    assert_string_equal(s.to_domain, in.to_domain);
    assert_string_equal(s.to_identity, in.to_identity);
    assert_string_equal(s.selected, in.selected);
    assert_string_equal(s.request, in.request);
    assert_string_equal(s.sign_on, in.sign_on);
    assert_int_equal(s.drafts, 0);
    assert_int_equal(po_session_is_draft(&s), 0);
    assert_string_equal(s.account, "");
    assert_string_equal(s.account_email, "");
    assert_int_equal(strlen(s.csrf), PO_TOKEN_TEXT);
}

static void what_was_absent_comes_back_empty(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
    po_session in = { "" }, s;

    assert_int_equal(po_session_insert(f->store, f->crypto, &in, T0, token), APR_SUCCESS);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
    assert_string_equal(s.user, "");
    assert_string_equal(s.selected, "");
    assert_string_equal(s.request, "");
    assert_int_equal(s.test, 0);
}

static void id_csrf_token_and_cookie_are_all_different(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
    po_session s, other;
    const char *secret[5];
    int i, j;

    insert(f, "a", token);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
    open_session(f, "b", (char *)apr_palloc(f->pool, PO_TOKEN_TEXT + 1));
    secret[0] = token;
    secret[1] = cookie;
    secret[2] = s.id;
    secret[3] = s.csrf;
    insert(f, "c", (char *)(secret[4] = apr_palloc(f->pool, PO_TOKEN_TEXT + 1)));
    for (i = 0; i < 5; i++)
        for (j = 0; j < i; j++)
            assert_string_not_equal(secret[i], secret[j]);
    assert_int_equal(find_at(f, s.id, T0, &other), APR_NOTFOUND);
}

static void neither_token_nor_cookie_lies_in_the_memory(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1], token[PO_TOKEN_TEXT + 1];
    unsigned char raw[PO_TOKEN_BYTES];

    open_session(f, "ines", cookie);
    insert(f, "otto", token);
    assert_non_null(memmem(f->base, f->size, "otto", 4));
    assert_null(memmem(f->base, f->size, cookie, PO_TOKEN_TEXT));
    assert_null(memmem(f->base, f->size, token, PO_TOKEN_TEXT));
    assert_true(po_base64url_decode(raw, cookie, PO_TOKEN_TEXT));
    assert_null(memmem(f->base, f->size, raw + 2, 16));
    assert_true(po_base64url_decode(raw, token, PO_TOKEN_TEXT));
    assert_null(memmem(f->base, f->size, raw + 2, 16));
}

static void a_session_of_the_largest_size_fits_and_a_larger_one_is_refused(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1], *big = apr_palloc(f->pool, PO_SESSION_DATA_MAX);
    po_session in = { "" }, s;
    apr_size_t frame = 3 + 18 * 3 + PO_TOKEN_TEXT;

    memset(big, 'x', PO_SESSION_DATA_MAX);
    big[PO_SESSION_DATA_MAX - frame] = '\0';
    in.buyer_cookie = big;
    assert_int_equal(po_session_insert(f->store, f->crypto, &in, T0, token), APR_SUCCESS);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
    assert_string_equal(s.buyer_cookie, big);
    assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "a", "", 0, T0), APR_EINVAL);
    big[PO_SESSION_DATA_MAX - frame] = 'x';
    big[PO_SESSION_DATA_MAX - frame + 1] = '\0';
    assert_int_equal(po_session_insert(f->store, f->crypto, &in, T0, token), APR_EINVAL);
    assert_string_equal(token, "");
    assert_int_equal(whole(f).live, 1);
}

static void every_length_of_data_survives(void **state)
{
    fixture *f = *state;
    char text[200];
    unsigned n;

    for (n = 0; n < sizeof(text); n++) {
        char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
        po_session in = { "" }, s;

        memset(text, 'a' + (int)(n % 26), n);
        text[n] = '\0';
        in.buyer_cookie = text;
        assert_int_equal(po_session_insert(f->store, f->crypto, &in, T0, token), APR_SUCCESS);
        assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
        assert_string_equal(s.buyer_cookie, text);
        assert_int_equal(po_session_bind(f->store, f->crypto, cookie, text, "m", 0, T0), APR_SUCCESS);
        assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
        assert_string_equal(s.account, text);
    }
    whole(f);
}

/* ---- tokens --------------------------------------------------------------------------------------------------- */

static void a_start_token_works_once(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1], again[PO_TOKEN_TEXT + 1];
    po_session s;

    insert(f, "ines", token);
    start(f, token, cookie);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, again, &s, f->pool), APR_NOTFOUND);
    assert_string_equal(again, "");
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
}

static void a_start_token_is_no_cookie_and_a_cookie_no_start_token(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1], again[PO_TOKEN_TEXT + 1];
    po_session s;

    insert(f, "ines", token);
    assert_int_equal(find_at(f, token, T0, &s), APR_NOTFOUND);
    assert_int_equal(po_session_bind(f->store, f->crypto, token, "a", "b", 0, T0), APR_NOTFOUND);
    start(f, token, cookie);
    assert_int_equal(po_session_start(f->store, f->crypto, cookie, T0, again, &s, f->pool), APR_NOTFOUND);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
}

static void unknown_and_malformed_tokens_are_not_found(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "__________________________", "________________________",
        "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA", "AAAA AAAAAAAAAAAAAAAAAAA", "AAAA+AAAAAAAAAAAAAAAAAA/",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    };
    char good[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    unsigned i;

    open_session(f, "ines", good);
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(find_at(f, bad[i], T0, &s), APR_NOTFOUND);
        assert_int_equal(po_session_start(f->store, f->crypto, bad[i], T0, cookie, &s, f->pool), APR_NOTFOUND);
        assert_int_equal(po_session_remove(f->store, f->crypto, bad[i]), APR_NOTFOUND);
        assert_int_equal(po_session_bind(f->store, f->crypto, bad[i], "a", "b", 0, T0), APR_NOTFOUND);
    }
    assert_int_equal(find_at(f, NULL, T0, &s), APR_NOTFOUND);
    for (i = 0; i < PO_TOKEN_TEXT; i++) {
        char was = good[i];

        good[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(find_at(f, good, T0, &s), APR_NOTFOUND);
        good[i] = was;
    }
    assert_int_equal(find_at(f, good, T0, &s), APR_SUCCESS);
}

static void a_token_of_another_store_is_not_found(void **state)
{
    fixture *f = *state, *other;
    void *second = NULL;
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;

    assert_int_equal(setup(&second), 0);
    other = second;
    open_session(other, "ines", cookie);
    assert_int_equal(find_at(other, cookie, T0, &s), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_NOTFOUND);
    teardown(&second);
}

static void a_removed_session_is_gone_and_its_room_is_free(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1], other[PO_TOKEN_TEXT + 1];
    po_session s;

    open_session(f, "ines", cookie);
    open_session(f, "otto", other);
    assert_int_equal(po_session_remove(f->store, f->crypto, cookie), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_NOTFOUND);
    assert_int_equal(po_session_remove(f->store, f->crypto, cookie), APR_NOTFOUND);
    assert_int_equal(find_at(f, other, T0, &s), APR_SUCCESS);
    assert_int_equal(po_session_remove(f->store, f->crypto, other), APR_SUCCESS);
    assert_int_equal(whole(f).used_blocks, 0);
}

/* ---- time ----------------------------------------------------------------------------------------------------- */

static void an_unused_start_token_expires(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], late[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
    po_session s;

    insert(f, "ines", token);
    insert(f, "otto", late);
    assert_int_equal(po_session_start(f->store, f->crypto, late, T0 + MINUTES(5) + apr_time_from_sec(1), cookie, &s,
                                      f->pool), APR_NOTFOUND);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0 + MINUTES(5), cookie, &s, f->pool), APR_SUCCESS);
}

static void an_idle_session_expires_and_a_used_one_does_not(void **state)
{
    fixture *f = *state;
    char idle[PO_TOKEN_TEXT + 1], used[PO_TOKEN_TEXT + 1];
    po_session s;
    int minute;

    open_session(f, "idle", idle);
    open_session(f, "used", used);
    for (minute = 1; minute <= 31; minute++)
        assert_int_equal(find_at(f, used, T0 + MINUTES(minute), &s), APR_SUCCESS);
    assert_int_equal(find_at(f, idle, T0 + MINUTES(31), &s), APR_NOTFOUND);
    assert_int_equal(po_session_bind(f->store, f->crypto, idle, "a", "b", 0, T0 + MINUTES(31)), APR_NOTFOUND);
    assert_int_equal(find_at(f, used, T0 + MINUTES(60), &s), APR_SUCCESS);
}

static void a_session_ends_after_the_total_time_however_much_it_is_used(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    int minute;

    open_session(f, "ines", cookie);
    for (minute = 20; minute <= 480; minute += 20)
        assert_int_equal(find_at(f, cookie, T0 + MINUTES(minute), &s), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0 + MINUTES(481), &s), APR_NOTFOUND);
}

static void a_short_idle_time_does_not_end_a_session_in_use(void **state)
{
    fixture *f = *state;
    po_session_limits l = { f->size, MINUTES(5), apr_time_from_sec(10), MINUTES(480) };
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    int kept, second;

    assert_int_equal(po_sessions_attach(&f->store, f->base, &l, &kept, f->pool), APR_SUCCESS);
    open_session(f, "ines", cookie);
    for (second = 3; second <= 90; second += 3)
        assert_int_equal(find_at(f, cookie, T0 + apr_time_from_sec(second), &s), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0 + apr_time_from_sec(90 + 11), &s), APR_NOTFOUND);
}

static void a_clock_that_goes_back_ends_no_session(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;

    open_session(f, "ines", cookie);
    assert_int_equal(find_at(f, cookie, T0 + MINUTES(10), &s), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0 - MINUTES(60), &s), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0 + MINUTES(39), &s), APR_SUCCESS);
}

/* ---- room ----------------------------------------------------------------------------------------------------- */

#define MANY 20000

static unsigned fill(fixture *f, char (*tokens)[PO_TOKEN_TEXT + 1], apr_time_t now)
{
    unsigned n;

    for (n = 0; n < MANY; n++) {
        po_session s = shopper("ines");
        apr_status_t rv = po_session_insert(f->store, f->crypto, &s, now, tokens[n]);

        if (rv == APR_ENOSPC)
            break;
        assert_int_equal(rv, APR_SUCCESS);
    }
    assert_true(n > 100 && n < MANY);
    return n;
}

static void a_full_store_refuses_and_evicts_no_live_session(void **state)
{
    fixture *f = *state;
    char (*tokens)[PO_TOKEN_TEXT + 1] = apr_palloc(f->pool, MANY * sizeof(*tokens));
    unsigned n = fill(f, tokens, T0), i;
    po_session_stats stats = whole(f);

    assert_int_equal(stats.live, n);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.expired, 0);
    for (i = 0; i < n; i++) {
        char cookie[PO_TOKEN_TEXT + 1];

        start(f, tokens[i], cookie);
    }
}

static void a_full_store_opens_again_when_sessions_expire_or_leave(void **state)
{
    fixture *f = *state;
    char (*tokens)[PO_TOKEN_TEXT + 1] = apr_palloc(f->pool, MANY * sizeof(*tokens));
    char cookie[PO_TOKEN_TEXT + 1];
    unsigned n = fill(f, tokens, T0), again;
    po_session s;

    start(f, tokens[0], cookie);
    again = fill(f, tokens, T0 + MINUTES(6));
    assert_true(again > n / 2);
    assert_int_equal(find_at(f, cookie, T0 + MINUTES(6), &s), APR_SUCCESS);
    assert_int_equal(whole(f).live, again + 1);
}

/* Every answer to a signed-in program that keeps no cookie makes one more. */
static void sessions_that_begin_in_the_marketplace_leave_half_of_the_room_to_setups(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1];
    unsigned drafts = 0, refused, setups;
    po_session s;

    for (refused = 0; refused < 500;) {
        s = shopper("");
        s.operation = PO_OPERATION_DRAFT;
        if (po_session_insert(f->store, f->crypto, &s, T0, token) == APR_SUCCESS)
            drafts++;
        else
            refused++;
    }
    for (setups = 0, refused = 0; refused < 500;) {
        s = shopper("");
        if (po_session_insert(f->store, f->crypto, &s, T0, token) == APR_SUCCESS)
            setups++;
        else
            refused++;
    }
    assert_true(drafts > 100);
    assert_true(setups >= drafts);
    assert_int_equal(whole(f).live, drafts + setups);
}

static void expired_sessions_leave_a_little_with_each_new_one(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1];
    int i;

    for (i = 0; i < 200; i++)
        insert(f, "old", token);
    for (i = 0; i < 20000; i++) {
        po_session s = shopper("new");

        assert_int_equal(po_session_insert(f->store, f->crypto, &s, T0 + MINUTES(6), token), APR_SUCCESS);
        assert_int_equal(po_session_remove(f->store, f->crypto, token), APR_SUCCESS);
    }
    assert_int_equal(whole(f).expired, 200);
}

static void an_account_is_refused_when_there_is_no_room_and_the_session_stays_as_it_was(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1], token[PO_TOKEN_TEXT + 1], long_account[4001];
    unsigned refused = 0;
    po_session s;

    open_session(f, "ines", cookie);
    while (refused < 500) {
        s = shopper("otto");
        refused += po_session_insert(f->store, f->crypto, &s, T0, token) == APR_ENOSPC;
    }
    memset(long_account, 'a', 4000);
    long_account[4000] = '\0';
    assert_int_equal(po_session_bind(f->store, f->crypto, cookie, long_account, "m", 0, T0), APR_ENOSPC);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    assert_string_equal(s.account, "");
    assert_string_equal(s.user, "ines");
    whole(f);
}

/* ---- the account ---------------------------------------------------------------------------------------------- */

static void binding_an_account_keeps_everything_else(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1];
    po_session was, s;

    open_session(f, "ines", cookie);
    assert_int_equal(find_at(f, cookie, T0, &was), APR_SUCCESS);
    assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "acc-7", "me@shop.example", 3, T0), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    assert_string_equal(s.account, "acc-7");
    assert_string_equal(s.account_email, "me@shop.example");
    assert_int_equal(s.drafts, 3);
    assert_string_equal(s.sign_on, was.sign_on);
    assert_string_equal(s.id, was.id);
    assert_string_equal(s.csrf, was.csrf);
    assert_string_equal(s.site, was.site);
    assert_string_equal(s.buyer, was.buyer);
    assert_string_equal(s.user, was.user);
    assert_string_equal(s.email, was.email);
    assert_string_equal(s.user_name, was.user_name);
    assert_string_equal(s.operation, was.operation);
    assert_string_equal(s.buyer_cookie, was.buyer_cookie);
    assert_string_equal(s.return_url, was.return_url);
    assert_string_equal(s.to_identity, was.to_identity);
    assert_string_equal(s.selected, was.selected);
    assert_string_equal(s.request, was.request);
    assert_true(s.created == was.created);
    assert_int_equal(s.test, was.test);
}

static void a_recount_changes_the_number_of_drafts_and_never_the_account(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;

    open_session(f, "ines", cookie);
    assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "acct-1", "one@market.example", 2, T0), APR_SUCCESS);
    assert_int_equal(po_session_recount(f->store, f->crypto, cookie, "acct-1", 1, T0), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    assert_int_equal(s.drafts, 1);
    assert_string_equal(s.account, "acct-1");
    assert_string_equal(s.account_email, "one@market.example");
    assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "acct-2", "", 7, T0), APR_SUCCESS);
    assert_int_equal(po_session_recount(f->store, f->crypto, cookie, "acct-1", 0, T0), APR_NOTFOUND);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    assert_int_equal(s.drafts, 7);
    assert_string_equal(s.account, "acct-2");
    whole(f);
}

static void a_number_of_drafts_is_kept_up_to_65535(void **state)
{
    static const int numbers[] = { 0, 1, 255, 256, 65535, 65536, 1000000 };
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    size_t i;

    open_session(f, "ines", cookie);
    for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "acc-1", "", numbers[i], T0), APR_SUCCESS);
        assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
        assert_int_equal(s.drafts, numbers[i] > 65535 ? 65535 : numbers[i]);
        assert_int_equal(s.test, 1);
    }
}

static void a_session_that_began_in_the_marketplace_is_told_apart(void **state)
{
    fixture *f = *state;
    char token[PO_TOKEN_TEXT + 1], cookie[PO_TOKEN_TEXT + 1];
    po_session in = { "" }, s;

    in.operation = PO_OPERATION_DRAFT;
    in.account = "acc-1";
    assert_int_equal(po_session_insert(f->store, f->crypto, &in, T0, token), APR_SUCCESS);
    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
    assert_int_equal(po_session_is_draft(&s), 1);
    assert_string_equal(s.account, "acc-1");
    assert_string_equal(s.user, "");
    assert_string_equal(s.return_url, "");
}

static void another_account_replaces_the_first(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1];
    apr_uint64_t blocks;
    po_session s;
    int i;

    open_session(f, "ines", cookie);
    assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "acc-1", "one@shop.example", 0, T0), APR_SUCCESS);
    blocks = whole(f).used_blocks;
    for (i = 0; i < 1000; i++)
        assert_int_equal(po_session_bind(f->store, f->crypto, cookie, "acc-2", "two@shop.example", 0, T0), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    assert_string_equal(s.account, "acc-2");
    assert_int_equal(whole(f).used_blocks, blocks);
}

/* ---- restarts ------------------------------------------------------------------------------------------------- */

static void a_kept_segment_still_has_its_sessions(void **state)
{
    fixture *f = *state;
    po_session_limits l = limits_of(f->size);
    char cookie[PO_TOKEN_TEXT + 1], token[PO_TOKEN_TEXT + 1];
    po_session s;
    int kept = 0;

    open_session(f, "ines", cookie);
    insert(f, "otto", token);
    assert_int_equal(po_sessions_attach(&f->store, f->base, &l, &kept, f->pool), APR_SUCCESS);
    assert_int_equal(kept, 1);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    start(f, token, cookie);
}

static void new_limits_hold_for_old_sessions(void **state)
{
    fixture *f = *state;
    po_session_limits l = { f->size, MINUTES(5), MINUTES(2), MINUTES(480) };
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    int kept = 0;

    open_session(f, "ines", cookie);
    assert_int_equal(po_sessions_attach(&f->store, f->base, &l, &kept, f->pool), APR_SUCCESS);
    assert_int_equal(find_at(f, cookie, T0 + MINUTES(3), &s), APR_NOTFOUND);
}

static void a_segment_of_another_size_or_layout_is_a_mismatch(void **state)
{
    fixture *f = *state;
    po_session_limits l = limits_of(f->size / 2);
    po_sessions *t;
    int kept;

    assert_int_equal(po_sessions_attach(&t, f->base, &l, &kept, f->pool), APR_EMISMATCH);
    l = limits_of(f->size);
    assert_int_equal(po_sessions_attach(&t, f->base, &l, &kept, f->pool), APR_SUCCESS);
    ((uint32_t *)(void *)f->store)[1]++;            /* the number of the layout */
    assert_int_equal(po_sessions_attach(&t, f->base, &l, &kept, f->pool), APR_EMISMATCH);
}

static void less_than_a_mebibyte_is_refused(void **state)
{
    fixture *f = *state;
    po_session_limits l = limits_of(MIB - 1);
    po_sessions *t;
    int kept;

    assert_int_equal(po_sessions_attach(&t, f->base, &l, &kept, f->pool), APR_EINVAL);
}

static void a_segment_need_not_begin_at_a_line_of_the_cache(void **state)
{
    fixture *f = *state;
    po_session_limits l = limits_of(f->size - 8);
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;
    int kept = 1;

    memset(f->base, 0, f->size);
    assert_int_equal(po_sessions_attach(&f->store, (char *)f->base + 8, &l, &kept, f->pool), APR_SUCCESS);
    assert_int_equal(kept, 0);
    open_session(f, "ines", cookie);
    assert_int_equal(po_sessions_attach(&f->store, (char *)f->base + 8, &l, &kept, f->pool), APR_SUCCESS);
    assert_int_equal(kept, 1);
    assert_int_equal(find_at(f, cookie, T0, &s), APR_SUCCESS);
    whole(f);
}

/* ---- against a model ------------------------------------------------------------------------------------------ */

#define STEPS 10000
#define SLOTS 64

typedef struct {
    enum { NONE, WAITING, OPEN } state;
    char name[PO_TOKEN_TEXT + 1], id[PO_TOKEN_TEXT + 1], user[16], account[400];
    apr_time_t created, used;
} model;

static int model_lives(const model *m, apr_time_t now)
{
    if (m->state == WAITING)
        return now - m->created <= MINUTES(5);
    return m->state == OPEN && now - m->used <= MINUTES(30) && now - m->created <= MINUTES(480);
}

static void step_new(fixture *f, model *m, unsigned n, apr_time_t now)
{
    po_session s;

    if (m->state != NONE)
        po_session_remove(f->store, f->crypto, m->name);
    snprintf(m->user, sizeof(m->user), "user-%u", n);
    s = shopper(m->user);
    assert_int_equal(po_session_insert(f->store, f->crypto, &s, now, m->name), APR_SUCCESS);
    memcpy(m->id, s.id, sizeof(m->id));
    m->account[0] = '\0';
    m->created = now;
    m->state = WAITING;
}

static void step_start(fixture *f, model *m, apr_time_t now, apr_pool_t *pool)
{
    int right = m->state == WAITING && model_lives(m, now);
    char cookie[PO_TOKEN_TEXT + 1];
    po_session s;

    assert_int_equal(po_session_start(f->store, f->crypto, m->name, now, cookie, &s, pool),
                     right ? APR_SUCCESS : APR_NOTFOUND);
    if (right) {
        assert_string_equal(s.id, m->id);
        memcpy(m->name, cookie, sizeof(m->name));
        m->state = OPEN;
        m->used = now;
    }
}

static void step_find(fixture *f, model *m, apr_time_t now, apr_pool_t *pool)
{
    int right = m->state == OPEN && model_lives(m, now);
    po_session s;

    assert_int_equal(po_session_find(f->store, f->crypto, m->name, now, &s, pool), right ? APR_SUCCESS : APR_NOTFOUND);
    if (right) {
        assert_string_equal(s.id, m->id);
        assert_string_equal(s.user, m->user);
        assert_string_equal(s.account, m->account);
        if (now - m->used >= MINUTES(1))
            m->used = now;
    }
}

static void step_bind(fixture *f, model *m, unsigned random, apr_time_t now)
{
    int right = m->state == OPEN && model_lives(m, now);
    unsigned len = random % (sizeof(m->account) - 1);
    char account[sizeof(m->account)];

    memset(account, 'a' + (int)(random % 26), len);
    account[len] = '\0';
    assert_int_equal(po_session_bind(f->store, f->crypto, m->name, account, "m", 0, now),
                     right ? APR_SUCCESS : APR_NOTFOUND);
    if (right) {
        memcpy(m->account, account, len + 1);
        if (now - m->used >= MINUTES(1))
            m->used = now;
    }
}

/* An expired session may be there still, or swept. */
static void step_remove(fixture *f, model *m, apr_time_t now)
{
    apr_status_t rv = po_session_remove(f->store, f->crypto, m->name);

    if (model_lives(m, now))
        assert_int_equal(rv, APR_SUCCESS);
    if (m->state == NONE)
        assert_int_equal(rv, APR_NOTFOUND);
    m->state = NONE;
}

static void ten_thousand_random_steps_agree_with_a_model(void **state)
{
    fixture *f = *state;
    model *all = calloc(SLOTS, sizeof(*all));
    unsigned seed = 20261124, i, n;
    apr_time_t now = T0;
    apr_pool_t *pool;

    apr_pool_create(&pool, f->pool);
    for (i = 0; i < STEPS; i++) {
        model *m = &all[(unsigned)rand_r(&seed) % SLOTS];
        unsigned what = (unsigned)rand_r(&seed) % 16;

        now += apr_time_from_sec((unsigned)rand_r(&seed) % 8);
        if (what < 3)
            step_new(f, m, i, now);
        else if (what < 6)
            step_start(f, m, now, pool);
        else if (what < 12)
            step_find(f, m, now, pool);
        else if (what < 15)
            step_bind(f, m, (unsigned)rand_r(&seed), now);
        else
            step_remove(f, m, now);
        apr_pool_clear(pool);
        if (i % 500 == 0)
            whole(f);
    }
    for (i = n = 0; i < SLOTS; i++)
        n += (unsigned)model_lives(&all[i], now);
    assert_true(whole(f).live >= n);
    for (i = 0; i < SLOTS; i++) {
        po_session_remove(f->store, f->crypto, all[i].name);
        step_find(f, (all[i].state = NONE, &all[i]), now, pool);
    }
    assert_int_equal(whole(f).used_blocks, 0);
    free(all);
}

#define IN(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define IN_SMALL(fn) cmocka_unit_test_setup_teardown(fn, setup_small, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_session_comes_back_as_it_was_put_in),
        IN(what_was_absent_comes_back_empty),
        IN(id_csrf_token_and_cookie_are_all_different),
        IN(neither_token_nor_cookie_lies_in_the_memory),
        IN(a_session_of_the_largest_size_fits_and_a_larger_one_is_refused),
        IN(every_length_of_data_survives),
        IN(a_start_token_works_once),
        IN(a_start_token_is_no_cookie_and_a_cookie_no_start_token),
        IN(unknown_and_malformed_tokens_are_not_found),
        IN(a_token_of_another_store_is_not_found),
        IN(a_removed_session_is_gone_and_its_room_is_free),
        IN(an_unused_start_token_expires),
        IN(an_idle_session_expires_and_a_used_one_does_not),
        IN(a_session_ends_after_the_total_time_however_much_it_is_used),
        IN(a_short_idle_time_does_not_end_a_session_in_use),
        IN(a_clock_that_goes_back_ends_no_session),
        IN_SMALL(a_full_store_refuses_and_evicts_no_live_session),
        IN_SMALL(a_full_store_opens_again_when_sessions_expire_or_leave),
        IN_SMALL(sessions_that_begin_in_the_marketplace_leave_half_of_the_room_to_setups),
        IN(expired_sessions_leave_a_little_with_each_new_one),
        IN_SMALL(an_account_is_refused_when_there_is_no_room_and_the_session_stays_as_it_was),
        IN(binding_an_account_keeps_everything_else),
        IN(a_recount_changes_the_number_of_drafts_and_never_the_account),
        IN(a_number_of_drafts_is_kept_up_to_65535),
        IN(a_session_that_began_in_the_marketplace_is_told_apart),
        IN(another_account_replaces_the_first),
        IN(a_kept_segment_still_has_its_sessions),
        IN(new_limits_hold_for_old_sessions),
        IN(a_segment_of_another_size_or_layout_is_a_mismatch),
        IN(less_than_a_mebibyte_is_refused),
        IN(a_segment_need_not_begin_at_a_line_of_the_cache),
        IN(ten_thousand_random_steps_agree_with_a_model),
    };
    int rc;

    apr_initialize();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return rc;
}
