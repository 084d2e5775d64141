/* test_delivery.c - the parts of src/delivery that need no httpd: what an answer means, pauses, the text of a mail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "apr_general.h"
#include "delivery/judge.h"
#include "delivery/mail_text.h"

#define FIRST apr_time_from_sec(1)
#define LONGEST apr_time_from_sec(600)

static apr_pool_t *pool;

static int set_up(void **state)
{
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int tear_down(void **state)
{
    apr_pool_destroy(pool);
    return 0;
}

/* ---- answers -------------------------------------------------------------------------------------------------- */

static void each_answer_of_a_backend_has_its_meaning(void **state)
{
    static const struct { int status; po_verdict verdict; } cases[] = {
        { 200, PO_VERDICT_DONE }, { 201, PO_VERDICT_DONE }, { 204, PO_VERDICT_DONE }, { 202, PO_VERDICT_ACCEPTED },
        { 408, PO_VERDICT_AGAIN }, { 425, PO_VERDICT_AGAIN }, { 429, PO_VERDICT_AGAIN }, { 500, PO_VERDICT_AGAIN },
        { 503, PO_VERDICT_AGAIN }, { 599, PO_VERDICT_AGAIN }, { 409, PO_VERDICT_FAILED }, { 410, PO_VERDICT_FAILED },
        { 422, PO_VERDICT_FAILED }, { 400, PO_VERDICT_PARKED }, { 401, PO_VERDICT_PARKED }, { 403, PO_VERDICT_PARKED },
        { 404, PO_VERDICT_PARKED }, { 301, PO_VERDICT_PARKED }, { 307, PO_VERDICT_PARKED }
    };
    po_backend_life life;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (po_judge_event(0, cases[i].status, 1, &life) != cases[i].verdict)
            fail_msg("status %d", cases[i].status);
        assert_int_equal(life, PO_BACKEND_ALIVE);
    }
}

static void half_an_answer_is_tried_again_whatever_its_status(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_event(0, 200, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_UNKNOWN);
    assert_int_equal(po_judge_event(0, 409, 0, &life), PO_VERDICT_AGAIN);
}

static void a_backend_that_nobody_reaches_is_dead(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_event(503, 200, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_DEAD);
    assert_int_equal(po_judge_event(500, 200, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_DEAD);
}

static void a_timeout_is_tried_again_and_proves_nothing(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_event(502, 200, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_UNKNOWN);
    assert_int_equal(po_judge_event(504, 200, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_UNKNOWN);
    assert_int_equal(po_judge_event(-2, 200, 0, &life), PO_VERDICT_AGAIN);
}

static void a_request_that_we_could_not_make_is_parked(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_event(400, 200, 0, &life), PO_VERDICT_PARKED);
    assert_int_equal(po_judge_event(403, 200, 0, &life), PO_VERDICT_PARKED);
}

static void a_mail_that_is_deferred_is_sent_again_and_a_refused_one_parked(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_mail(1, 250, &life), PO_VERDICT_DONE);
    assert_int_equal(life, PO_BACKEND_ALIVE);
    assert_int_equal(po_judge_mail(0, 451, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_ALIVE);
    assert_int_equal(po_judge_mail(0, 550, &life), PO_VERDICT_PARKED);
    assert_int_equal(life, PO_BACKEND_ALIVE);
    assert_int_equal(po_judge_mail(0, 421, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_DEAD);
    assert_int_equal(po_judge_mail(0, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_DEAD);
}

static void each_answer_of_a_buyer_has_its_meaning(void **state)
{
    static const struct { int http, status; po_verdict verdict; } cases[] = {
        { 200, 200, PO_VERDICT_DONE }, { 201, 204, PO_VERDICT_DONE }, { 202, 201, PO_VERDICT_DONE },
        { 200, 0, PO_VERDICT_PARKED }, { 204, 0, PO_VERDICT_PARKED },
        /* cXML goes before HTTP */
        { 200, 401, PO_VERDICT_PARKED }, { 200, 403, PO_VERDICT_PARKED }, { 200, 302, PO_VERDICT_PARKED },
        { 200, 400, PO_VERDICT_FAILED }, { 200, 406, PO_VERDICT_FAILED }, { 200, 409, PO_VERDICT_FAILED },
        { 200, 417, PO_VERDICT_FAILED }, { 200, 450, PO_VERDICT_FAILED }, { 200, 412, PO_VERDICT_PARKED },
        { 200, 408, PO_VERDICT_AGAIN }, { 200, 429, PO_VERDICT_AGAIN }, { 200, 500, PO_VERDICT_AGAIN },
        { 200, 550, PO_VERDICT_AGAIN }, { 200, 560, PO_VERDICT_AGAIN }, { 503, 417, PO_VERDICT_FAILED },
        { 417, 417, PO_VERDICT_FAILED }, { 500, 503, PO_VERDICT_AGAIN }, { 401, 200, PO_VERDICT_PARKED },
        /* HTTP alone */
        { 301, 0, PO_VERDICT_PARKED }, { 307, 0, PO_VERDICT_PARKED }, { 401, 0, PO_VERDICT_PARKED },
        { 403, 0, PO_VERDICT_PARKED }, { 404, 0, PO_VERDICT_PARKED }, { 400, 0, PO_VERDICT_FAILED },
        { 406, 0, PO_VERDICT_FAILED }, { 408, 0, PO_VERDICT_AGAIN }, { 425, 0, PO_VERDICT_AGAIN },
        { 429, 0, PO_VERDICT_AGAIN }, { 500, 0, PO_VERDICT_AGAIN }, { 502, 0, PO_VERDICT_AGAIN },
        { 503, 0, PO_VERDICT_AGAIN }
    };
    po_backend_life life;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (po_judge_post(cases[i].http, cases[i].status, 1, 0, &life) != cases[i].verdict)
            fail_msg("HTTP %d, Status %d", cases[i].http, cases[i].status);
        assert_int_equal(life, PO_BACKEND_ALIVE);
    }
    assert_int_equal(po_judge_post(0, 0, 1, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(life, PO_BACKEND_DEAD);
}

static void a_buyer_that_says_500_each_time_is_asked_ten_times(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_post(500, 500, 9, 0, &life), PO_VERDICT_AGAIN);
    assert_int_equal(po_judge_post(500, 500, 10, 0, &life), PO_VERDICT_PARKED);
    assert_int_equal(po_judge_post(500, 0, 10, 0, &life), PO_VERDICT_PARKED);
    assert_int_equal(po_judge_post(503, 0, 1000, 0, &life), PO_VERDICT_AGAIN);
}

static void a_document_that_may_have_arrived_is_not_taken_for_refused(void **state)
{
    po_backend_life life;

    assert_int_equal(po_judge_post(417, 417, 2, 1, &life), PO_VERDICT_PARKED);
    assert_int_equal(po_judge_post(200, 417, 2, 1, &life), PO_VERDICT_PARKED);
    assert_int_equal(po_judge_post(409, 0, 2, 1, &life), PO_VERDICT_PARKED);
    assert_int_equal(po_judge_post(406, 406, 2, 1, &life), PO_VERDICT_FAILED);  /* not valid: it never was */
    assert_true(po_post_may_have_arrived(0, 0, 1));     /* sent, but no answer */
    assert_false(po_post_may_have_arrived(0, 0, 0));    /* no connection */
    assert_true(po_post_may_have_arrived(200, 0, 1));
    assert_true(po_post_may_have_arrived(504, 0, 1));
    assert_true(po_post_may_have_arrived(200, 500, 1));
    assert_false(po_post_may_have_arrived(503, 0, 1));
    assert_false(po_post_may_have_arrived(401, 401, 1));
    assert_false(po_post_may_have_arrived(429, 0, 1));
}

/* ---- pauses --------------------------------------------------------------------------------------------------- */

static void pauses_double_from_the_first_to_the_longest(void **state)
{
    apr_interval_time_t nominal = FIRST;
    int tries;

    for (tries = 1; tries <= 40; tries++) {
        apr_uint64_t seed;

        for (seed = 0; seed < 500; seed++) {
            apr_interval_time_t pause = po_back_off(FIRST, LONGEST, tries, seed);

            assert_true(pause >= nominal - nominal / 8);
            assert_true(pause <= nominal + nominal / 8);
            assert_true(pause <= LONGEST);
        }
        nominal = nominal * 2 < LONGEST ? nominal * 2 : LONGEST;
    }
}

static void rows_that_failed_together_do_not_come_back_together(void **state)
{
    apr_interval_time_t one = po_back_off(FIRST, LONGEST, 3, 1);
    int differ = 0;
    apr_uint64_t seed;

    for (seed = 2; seed < 12; seed++)
        differ += po_back_off(FIRST, LONGEST, 3, seed) != one;
    assert_true(differ >= 8);
}

static void a_row_that_follows_its_pauses_is_never_suspected(void **state)
{
    apr_interval_time_t age = 0;
    int tries;

    for (tries = 1; age < apr_time_from_sec(7 * 24 * 3600); tries++) {
        assert_false(po_claimed_in_vain(tries, age, FIRST, LONGEST));
        age += po_back_off(FIRST, LONGEST, tries, (apr_uint64_t)tries * 7919);
    }
    assert_true(tries > 1000);
}

static void a_row_that_ends_its_process_each_time_is_found_out(void **state)
{
    assert_false(po_claimed_in_vain(10, apr_time_from_sec(1), FIRST, LONGEST));
    assert_true(po_claimed_in_vain(40, apr_time_from_sec(20), FIRST, LONGEST));
    assert_true(po_claimed_in_vain(2000, apr_time_from_sec(7 * 24 * 3600), FIRST, LONGEST));
    assert_true(po_claimed_in_vain(2000, 0, 0, 0));
}

/* ---- mail ----------------------------------------------------------------------------------------------------- */

static const po_site site = { .public_url = "https://market.example", .host = "market.example",
                              .mail_from = "marketplace@example.com" };

static po_request request(void)
{
    po_request r = { .id = "req-4x8w", .product = "prod-1", .product_name = "Log Keeper", .seller = "Keeper Ltd",
                     .subscription = "sub-9", .url = "https://keeper.example/start", .email = "ann@acme.example",
                     .account_email = "ops@acme.example" };
    static const char *const orders[] = { "PO-17", "PO-17", "PO-18" };
    int i;

    r.charges = apr_array_make(pool, 3, sizeof(po_charge));
    for (i = 0; i < 3; i++) {
        po_charge *c = apr_array_push(r.charges);

        memset(c, 0, sizeof(*c));
        c->order_id = orders[i];
    }
    return r;
}

#define LINK "https://market.example/punchout/requests/req-4x8w?until=1&sign=x"

static po_mail mail_of_kind(po_mail_kind kind, const po_request *r, int test)
{
    po_mail_about about = { kind, r, &site, "mail-evt-1", LINK, test, apr_time_from_sec(1795515240) };
    po_mail_templates *templates;
    po_mail m;

    assert_null(po_mail_templates_read(&templates, NULL, pool));
    po_mail_compose(&m, templates, &about, pool);
    return m;
}

static po_mail mail_of(const po_request *r, int test)
{
    return mail_of_kind(PO_MAIL_READY, r, test);
}

static void holds(const po_mail *m, const char *text)
{
    if (!strstr(m->message, text))
        fail_msg("no \"%s\" in:\n%s", text, m->message);
}

static void the_mail_says_what_is_ready_and_which_orders_paid_for_it(void **state)
{
    po_request r = request();
    po_mail m = mail_of(&r, 0);

    assert_string_equal(m.recipients, "ops@acme.example,ann@acme.example");
    holds(&m, "Date: Tue, 24 Nov 2026 10:14:00 +0000\r\n");
    holds(&m, "From: marketplace@example.com\r\nTo: ops@acme.example\r\nCc: ann@acme.example\r\n");
    holds(&m, "\r\nSubject: Approved and ready to use: Log Keeper\r\n");
    holds(&m, "\r\nMessage-ID: <mail-evt-1@market.example>\r\n");
    holds(&m, "\r\nAuto-Submitted: auto-generated\r\n");
    holds(&m, "Content-Transfer-Encoding: 7bit\r\n\r\n");
    holds(&m, " Keeper Ltd\r\n");
    holds(&m, " PO-17, PO-18\r\n");
    holds(&m, " sub-9\r\n");
    holds(&m, " https://keeper.example/start\r\n");
    holds(&m, " req-4x8w\r\n");
    holds(&m, " https://market.example\r\n");
    holds(&m, " " LINK "\r\n");
    holds(&m, "Content-Type: text/html; charset=UTF-8\r\n");
    holds(&m, "<b>Log Keeper</b> is approved and ready to use.");
    holds(&m, "href=\"https://keeper.example/start\"");
    holds(&m, "requests/req-4x8w?until=1&amp;sign=x\"");
    assert_null(strstr(m.message, "TEST"));
    assert_null(strstr(m.message, "{{"));
}

static void the_same_mail_is_the_same_bytes_at_every_try(void **state)
{
    po_request r = request();

    assert_string_equal(mail_of(&r, 0).message, mail_of(&r, 0).message);
}

static void a_test_says_so_in_subject_and_text(void **state)
{
    po_request r = request();
    po_mail m = mail_of(&r, 1);

    holds(&m, "\r\nSubject: TEST: Approved and ready to use: Log Keeper\r\n");
    holds(&m, "\r\n\r\nTEST: ");
    holds(&m, ">TEST: ");
}

static void without_an_account_the_requester_alone_is_told(void **state)
{
    po_request r = request();
    po_mail m;

    r.account_email = NULL;
    m = mail_of(&r, 0);
    assert_string_equal(m.recipients, "ann@acme.example");
    assert_null(strstr(m.message, "\r\nCc:"));
    r.account_email = "Ann@ACME.example";
    m = mail_of(&r, 0);
    assert_string_equal(m.recipients, "Ann@ACME.example");
    r.account_email = r.email = NULL;
    m = mail_of(&r, 0);
    assert_null(m.recipients);
    assert_null(m.message);
}

static void an_address_that_could_end_a_header_is_nobody(void **state)
{
    static const char *const bad[] = {
        "", "ann", "@acme.example", "ann@", "a@b@c", "ann@acme.example\r\nBcc: x@y", "a b@c", "a,b@c", "<a@b>", "a@b>",
        "\"a\"@b", "\xc3\xa4@b", "a@b\n", "a@b;c@d"
    };
    po_request r = request();
    size_t i;

    assert_false(po_mail_address_valid(NULL));
    assert_true(po_mail_address_valid("ann.lee+po@acme.example"));
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (po_mail_address_valid(bad[i]))
            fail_msg("\"%s\" is taken", bad[i]);
        r.account_email = bad[i];
        assert_string_equal(mail_of(&r, 0).recipients, "ann@acme.example");
    }
}

static void a_name_with_line_breaks_begins_no_header(void **state)
{
    po_request r = request();
    po_mail m;

    r.product_name = "Keeper\r\nBcc: thief@evil.example\r\n\r\nhello";
    r.seller = "X\r\nY";
    m = mail_of(&r, 0);
    assert_null(strstr(m.message, "\nBcc:"));
    assert_null(strstr(m.message, "\nY"));
    holds(&m, "\r\nSubject: Approved and ready to use: Keeper  Bcc: thief@evil.example    hello\r\n");
}

static void a_name_that_is_not_ascii_is_encoded_by_rfc_2047(void **state)
{
    po_request r = request();
    const char *subject, *line, *end;
    po_mail m;

    r.product_name = "Gr\xc3\xb6\xc3\x9f" "enw\xc3\xa4hler f\xc3\xbcr \xc3\x9c" "bergr\xc3\xb6\xc3\x9f" "en und "
                     "\xe2\x82\xac-Preise";
    m = mail_of(&r, 0);
    subject = strstr(m.message, "\r\nSubject: =?UTF-8?B?");
    assert_non_null(subject);
    for (line = subject + 2; line[0] == 'S' || line[0] == ' '; line = end + 2) {
        end = strstr(line, "\r\n");
        assert_true(end - line <= 76);
        assert_memory_equal(end - 2, "?=", 2);
    }
    holds(&m, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    holds(&m, "Gr=C3=B6=C3=9Fenw=C3=A4hler");
    for (line = m.message; *line; line++)
        assert_true((unsigned char)*line < 0x80);
}

static void a_very_long_address_of_a_page_is_broken_by_the_encoding(void **state)
{
    po_request r = request();
    char url[2000] = "https://keeper.example/?a=";
    const char *line, *end;
    po_mail m;

    memset(url + strlen(url), 'x', 1500);
    r.url = url;
    m = mail_of(&r, 0);
    holds(&m, "quoted-printable\r\n\r\n");
    holds(&m, "?a=3Dxxx");
    for (line = strstr(m.message, "\r\n\r\n") + 4; *line; line = end + 2) {
        end = strstr(line, "\r\n");
        assert_non_null(end);
        assert_true(end - line <= 76);
    }
}

static void each_kind_says_what_its_reader_needs(void **state)
{
    static const struct { po_mail_kind kind; const char *texts[4]; } kinds[] = {
        { PO_MAIL_REQUESTED, { "Subject: Approval requested: Log Keeper\r\n", "2 x 600.00 USD  Log Keeper: contract\r\n",
                               "Total:          1200.00 USD\r\n", "2026-12-24" } },
        { PO_MAIL_HELD, { "Subject: Held, please wait: Log Keeper\r\n", "Reason:         line 1: a reason\r\n", "PO-17",
                          "line 1: a reason</td>" } },
        { PO_MAIL_FAILED, { "Subject: Could not be set up: Log Keeper\r\n", "Reason:         line 1: a reason\r\n", "PO-17",
                            "Keeper Ltd gave this reason" } },
        { PO_MAIL_EXPIRES, { "Subject: Not approved yet, ends soon: Log Keeper\r\n", "ends on 2026-12-24", LINK, "req-4x8w" } },
        { PO_MAIL_CHANGED, { "Subject: Changed: Log Keeper\r\n", "2 x 600.00 USD  Log Keeper: contract\r\n",
                             "Total:          1200.00 USD\r\n", "PO-17" } },
        { PO_MAIL_CANCELLED, { "Subject: Cancelled: Log Keeper\r\n", "Reason:         line 1: a reason\r\n", "PO-17",
                               "line 1: a reason</td>" } }
    };
    po_request r = request();
    po_charge *c = &APR_ARRAY_IDX(r.charges, 0, po_charge);
    size_t i, k;

    r.reason = "line 1: a reason";
    r.currency = "USD";
    r.expires = apr_time_from_sec(1798106400);
    r.charges->nelts = 1;
    c->description = "Log Keeper: contract";
    c->currency = "USD";
    po_decimal_parse(&c->quantity, "2", -1);
    po_decimal_parse(&c->unit_price, "600", -1);
    for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        po_mail m = mail_of_kind(kinds[i].kind, &r, 0);

        for (k = 0; k < 4; k++)
            holds(&m, kinds[i].texts[k]);
        assert_null(strstr(m.message, "{{"));
    }
}

/* ---- templates ------------------------------------------------------------------------------------------------ */

static const char *filled_in(const char *text, const po_template_data *d, int html)
{
    po_template *t;
    po_buffer b;

    assert_null(po_template_parse(&t, text, pool));
    po_buffer_init(&b, pool, 64);
    po_template_render(&b, t, d, html);
    return po_buffer_text(&b);
}

static void a_template_is_filled_in(void **state)
{
    apr_table_t *values = apr_table_make(pool, 2), *one = apr_table_make(pool, 1), *two = apr_table_make(pool, 1);
    apr_array_header_t *rows = apr_array_make(pool, 2, sizeof(apr_table_t *));
    po_template_data d = { values, "rows", rows };
    po_template_data none = { values, "rows", NULL };

    apr_table_set(values, "a", "<A>\n");
    apr_table_set(values, "empty", "");
    apr_table_set(one, "n", "1");
    apr_table_set(two, "n", "2");
    assert_string_equal(filled_in("x {{a}} {{ a }} {{b}}.", &d, 0), "x <A>  <A>  .");
    assert_string_equal(filled_in("{{a}}", &d, 1), "&lt;A&gt; ");
    assert_string_equal(filled_in("{{#a}}yes {{a}}{{/a}}{{^a}}no{{/a}}", &d, 0), "yes <A> ");
    assert_string_equal(filled_in("{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", &d, 0), "no");
    assert_string_equal(filled_in("[{{#rows}}x{{/rows}}]{{^rows}}none{{/rows}}", &d, 0), "[]none");
    assert_string_equal(filled_in("{{^rows}}none{{/rows}}", &none, 0), "none");
    APR_ARRAY_PUSH(rows, apr_table_t *) = one;
    APR_ARRAY_PUSH(rows, apr_table_t *) = two;
    assert_string_equal(filled_in("{{#rows}}{{n}}{{a}};{{/rows}}", &d, 0), "1<A> ;2<A> ;");
    assert_string_equal(filled_in("a\n  {{#rows}}  \n{{n}}\n{{/rows}}\nb\n", &d, 0), "a\n1\n2\nb\n");
    assert_string_equal(filled_in("{{#a}}\nin\n{{/a}}", &d, 0), "in\n");
}

static void a_mistake_in_a_template_names_its_line(void **state)
{
    static const struct { const char *text, *wrong; } cases[] = {
        { "a\n{{#b}}\nc", "line 3: this section is not closed: b" }, { "a\n\n{{b", "line 3: }} is missing" },
        { "{{/b}}", "line 1: nothing is open that this closes: b" }, { "{{#a}}{{/b}}", "line 1: nothing is open" },
        { "x\n{{a b}}", "line 2: between {{ and }} stands no name: a b" }, { "{{}}", "line 1: between" }
    };
    po_template *t;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *wrong = po_template_parse(&t, cases[i].text, pool);

        assert_non_null(wrong);
        if (strncmp(wrong, cases[i].wrong, strlen(cases[i].wrong)))
            fail_msg("%s", wrong);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_answer_of_a_backend_has_its_meaning),
        T(half_an_answer_is_tried_again_whatever_its_status),
        T(a_backend_that_nobody_reaches_is_dead),
        T(a_timeout_is_tried_again_and_proves_nothing),
        T(a_request_that_we_could_not_make_is_parked),
        T(a_mail_that_is_deferred_is_sent_again_and_a_refused_one_parked),
        T(each_answer_of_a_buyer_has_its_meaning),
        T(a_buyer_that_says_500_each_time_is_asked_ten_times),
        T(a_document_that_may_have_arrived_is_not_taken_for_refused),
        T(pauses_double_from_the_first_to_the_longest),
        T(rows_that_failed_together_do_not_come_back_together),
        T(a_row_that_follows_its_pauses_is_never_suspected),
        T(a_row_that_ends_its_process_each_time_is_found_out),
        T(the_mail_says_what_is_ready_and_which_orders_paid_for_it),
        T(the_same_mail_is_the_same_bytes_at_every_try),
        T(a_test_says_so_in_subject_and_text),
        T(without_an_account_the_requester_alone_is_told),
        T(an_address_that_could_end_a_header_is_nobody),
        T(a_name_with_line_breaks_begins_no_header),
        T(a_name_that_is_not_ascii_is_encoded_by_rfc_2047),
        T(a_very_long_address_of_a_page_is_broken_by_the_encoding),
        T(each_kind_says_what_its_reader_needs),
        T(a_template_is_filled_in),
        T(a_mistake_in_a_template_names_its_line)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
