/* session_table.c - nanoseconds for an insert, a start, a find and an account, with few and with many sessions live.
 *
 * Usage: session_table [SESSIONS ...]; without arguments 1,000 and 100,000. The store holds 512 bytes for each and at
 * least 8 MiB; its pages are there before the clock starts. Finds go to random sessions, as those of different shoppers
 * do.
 */
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define SITE "https://market.example"
#define FINDS 1000000u
#define BINDS 20000u

typedef char name[PO_TOKEN_TEXT + 1];

static apr_pool_t *pool;
static po_crypto *crypto;
static po_sessions *store;

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, unsigned n, double since)
{
    printf("  %-8s %7.0f ns\n", what, (seconds() - since) * 1e9 / n);
}

static void must(apr_status_t rv, const char *what)
{
    char text[120];

    if (rv == APR_SUCCESS)
        return;
    fprintf(stderr, "session_table: %s: %s\n", what, apr_strerror(rv, text, sizeof(text)));
    exit(1);
}

static void make_store(unsigned sessions)
{
    apr_size_t size = (apr_size_t)sessions * 512 + 8 * 1024 * 1024;
    po_session_limits limits = { size, apr_time_from_sec(300), apr_time_from_sec(1800), apr_time_from_sec(28800) };
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    int kept;

    must(base == MAP_FAILED ? APR_ENOMEM : APR_SUCCESS, "memory");
    must(po_sessions_attach(&store, base, &limits, &kept, pool), "attach");
}

static void fill(name *names, unsigned n, apr_time_t now)
{
    po_session s = { "" }, started;
    double since = seconds();
    unsigned i;

    s.site = SITE;
    s.buyer = "acme";
    s.user = "ines";
    s.email = "ines@buyer.example";
    s.user_name = "Ines Okafor";
    s.operation = "create";
    s.buyer_cookie = "34000_1700000000000";
    s.return_url = "https://buyer.example/punchout/checkout?id=7";
    s.from_domain = s.to_domain = "DUNS";
    s.from_identity = "buyer-1";
    s.to_identity = "market-1";
    for (i = 0; i < n; i++)
        must(po_session_insert(store, crypto, &s, now, names[i]), "insert");
    report("insert", n, since);
    since = seconds();
    for (i = 0; i < n; i++) {
        name cookie;

        must(po_session_start(store, crypto, names[i], now, cookie, &started, pool), "start");
        memcpy(names[i], cookie, sizeof(name));
        if (i % 64 == 63)
            apr_pool_clear(pool);
    }
    report("start", n, since);
}

static void look_up(const name *names, unsigned n, apr_time_t now)
{
    double since = seconds();
    unsigned seed = 1, i;
    po_session s;

    for (i = 0; i < FINDS; i++) {
        must(po_session_find(store, crypto, names[(unsigned)rand_r(&seed) % n], now, &s, pool), "find");
        if (i % 64 == 63)
            apr_pool_clear(pool);
    }
    report("find", FINDS, since);
    since = seconds();
    for (i = 0; i < BINDS; i++)
        must(po_session_bind(store, crypto, names[(unsigned)rand_r(&seed) % n], "account-7", "me@shop.example", 0, now),
             "bind");
    report("account", BINDS, since);
}

static void measure(unsigned n)
{
    apr_time_t now = apr_time_now();
    name *names = malloc(n * sizeof(name));
    po_session_stats stats;

    must(names ? APR_SUCCESS : APR_ENOMEM, "memory");
    make_store(n);
    printf("%u sessions\n", n);
    fill(names, n, now);
    look_up(names, n, now);
    po_sessions_check(store, &stats);
    /* a block, its kind and its part of a bucket */
    printf("  %.0f bytes of memory for each\n", (double)stats.used_blocks * 65.5 / (double)stats.live);
    free(names);
}

int main(int argc, char **argv)
{
    int i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    crypto = po_crypto_create();
    must(crypto ? APR_SUCCESS : APR_ENOMEM, "libcrypto");
    for (i = 1; i < argc; i++)
        if (atoi(argv[i]) > 0)
            measure((unsigned)atoi(argv[i]));
    if (argc == 1) {
        measure(1000);
        measure(100000);
    }
    po_crypto_destroy(crypto);
    apr_terminate();
    return 0;
}
