/* test_rate.c - counters of a minute that processes share. */
#include "market_fixture.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MINUTE apr_time_from_sec(1800000000)    /* begins one */

static po_crypto *crypto;
static int wait_seconds;

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

static po_rates *table(unsigned counters)
{
    po_rates *t = po_rates_make(apr_palloc(pool, po_rates_size(counters)), counters);

    assert_non_null(t);
    return t;
}

static int add(po_rates *t, const char *key, apr_time_t now)
{
    return po_rate_add(t, crypto, key, now, &wait_seconds);
}

static int look(const po_rates *t, const char *key, apr_time_t now)
{
    return po_rate_look(t, crypto, key, now, &wait_seconds);
}

static void each_key_is_counted_by_itself(void **state)
{
    po_rates *t = table(64);

    assert_int_equal(look(t, "acme", MINUTE), 0);
    assert_int_equal(add(t, "acme", MINUTE), 1);
    assert_int_equal(add(t, "acme", MINUTE + 5), 2);
    assert_int_equal(add(t, "globex", MINUTE), 1);
    assert_int_equal(look(t, "acme", MINUTE), 2);
    assert_int_equal(look(t, "globex", MINUTE), 1);
    assert_int_equal(look(t, "hooli", MINUTE), 0);
}

static void the_next_minute_begins_at_nothing(void **state)
{
    po_rates *t = table(64);

    add(t, "acme", MINUTE + apr_time_from_sec(59));
    assert_int_equal(wait_seconds, 1);
    assert_int_equal(look(t, "acme", MINUTE + apr_time_from_sec(60)), 0);
    assert_int_equal(wait_seconds, 60);
    assert_int_equal(add(t, "acme", MINUTE + apr_time_from_sec(60)), 1);
    /* a process whose clock was read just before */
    assert_int_equal(add(t, "acme", MINUTE + apr_time_from_sec(59)), 2);
    assert_int_equal(add(t, "acme", MINUTE + apr_time_from_sec(60)), 3);
}

/* Also over the end of the numbers that a word has for minutes. */
static void counters_are_used_again(void **state)
{
    po_rates *t = table(8);
    apr_int64_t minute;
    int i;

    for (minute = (1 << 20) * 29 - 4; minute < (1 << 20) * 29 + 4; minute++)
        for (i = 0; i < 8; i++)
            assert_int_equal(add(t, apr_itoa(pool, i), apr_time_from_sec(minute * 60)), 1);
}

static void a_full_table_counts_too_much_rather_than_too_little(void **state)
{
    po_rates *t = table(8);
    int i;

    for (i = 0; i < 8; i++)
        add(t, apr_itoa(pool, i), MINUTE);
    for (i = 0; i < 8; i++)
        assert_int_equal(look(t, apr_itoa(pool, i), MINUTE), 1);
    assert_int_equal(add(t, "late", MINUTE), 2);
    assert_int_equal(look(t, "late", MINUTE), 2);
    assert_int_equal(add(t, "later", MINUTE), 3);
    assert_int_equal(look(t, "later", MINUTE + apr_time_from_sec(60)), 0);
}

static void a_count_has_an_end(void **state)
{
    po_rates *t = table(8);
    int i;

    for (i = 0; i < (1 << 20) + 10; i++)
        add(t, "acme", MINUTE);
    assert_int_equal(look(t, "acme", MINUTE), (1 << 20) - 1);
    assert_int_equal(look(t, "globex", MINUTE), 0);
}

static void processes_lose_no_count(void **state)
{
    enum { PROCESSES = 4, ROUNDS = 20000 };
    apr_size_t size = po_rates_size(8);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    po_rates *t = po_rates_make(memory, 8);
    int i, n, status;

    assert_non_null(t);
    for (i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (!pid) {
            for (n = 0; n < ROUNDS; n++)
                add(t, n % 2 ? "acme" : "globex", MINUTE);
            _exit(0);
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(look(t, "acme", MINUTE), PROCESSES * ROUNDS / 2);
    assert_int_equal(look(t, "globex", MINUTE), PROCESSES * ROUNDS / 2);
    munmap(memory, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_is_counted_by_itself),
        cmocka_unit_test(the_next_minute_begins_at_nothing),
        cmocka_unit_test(counters_are_used_again),
        cmocka_unit_test(a_full_table_counts_too_much_rather_than_too_little),
        cmocka_unit_test(a_count_has_an_end),
        cmocka_unit_test(processes_lose_no_count),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
