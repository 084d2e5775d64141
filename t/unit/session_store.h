/* session_store.h - a session store in shared memory for the tests of the session room. */
#ifndef SESSION_STORE_H
#define SESSION_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "session/table.h"

#define MIB ((apr_size_t)1024 * 1024)
#define T0 apr_time_from_sec(1800000000)
#define MINUTES(n) apr_time_from_sec((n) * 60)
#define SITE "https://market.example"

typedef struct {
    apr_pool_t *pool;
    po_crypto *crypto;
    po_sessions *store;
    void *base;
    apr_size_t size;
} fixture;

static inline po_session_limits limits_of(apr_size_t size)
{
    po_session_limits l = { size, MINUTES(5), MINUTES(30), MINUTES(480) };

    return l;
}

static inline int open_store(void **state, apr_size_t size)
{
    fixture *f = calloc(1, sizeof(*f));
    po_session_limits l = limits_of(size);
    int kept = 1;

    assert_non_null(f);
    assert_int_equal(apr_pool_create(&f->pool, NULL), APR_SUCCESS);
    f->crypto = po_crypto_create();
    assert_non_null(f->crypto);
    f->size = size;
    f->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(f->base != MAP_FAILED);
    assert_int_equal(po_sessions_attach(&f->store, f->base, &l, &kept, f->pool), APR_SUCCESS);
    assert_int_equal(kept, 0);
    *state = f;
    return 0;
}

static inline int setup(void **state)
{
    return open_store(state, 4 * MIB);
}

static inline int setup_small(void **state)
{
    return open_store(state, MIB);
}

static inline int teardown(void **state)
{
    fixture *f = *state;

    po_table_fault = NULL;
    munmap(f->base, f->size);
    po_crypto_destroy(f->crypto);
    apr_pool_destroy(f->pool);
    free(f);
    return 0;
}

static inline po_session shopper(const char *user)
{
    po_session s = { "" };

    s.site = SITE;
    s.buyer = "acme";
    s.user = user;
    s.email = "ines@buyer.example";
    s.user_name = "Ines Okafor";
    s.operation = "create";
    s.buyer_cookie = "bc-1 <&> \xc3\xa9";
    s.return_url = "https://buyer.example/return?id=7";
    s.from_domain = "DUNS";
    s.from_identity = "buyer-1";
    s.to_domain = "DUNS";
    s.to_identity = "market-1";
    s.selected = "off-year";
    s.request = "req-1";
    s.sign_on = "https://login.example/?x=1";
    s.test = 1;
    return s;
}

static inline void insert(fixture *f, const char *user, char token[PO_TOKEN_TEXT + 1])
{
    po_session s = shopper(user);

    assert_int_equal(po_session_insert(f->store, f->crypto, &s, T0, token), APR_SUCCESS);
    assert_int_equal(strlen(token), PO_TOKEN_TEXT);
}

static inline void start(fixture *f, const char *token, char cookie[PO_TOKEN_TEXT + 1])
{
    po_session s;

    assert_int_equal(po_session_start(f->store, f->crypto, token, T0, cookie, &s, f->pool), APR_SUCCESS);
    assert_int_equal(strlen(cookie), PO_TOKEN_TEXT);
}

static inline void open_session(fixture *f, const char *user, char cookie[PO_TOKEN_TEXT + 1])
{
    char token[PO_TOKEN_TEXT + 1];

    insert(f, user, token);
    start(f, token, cookie);
}

static inline apr_status_t find_at(fixture *f, const char *cookie, apr_time_t now, po_session *s)
{
    return po_session_find(f->store, f->crypto, cookie, now, s, f->pool);
}

static inline po_session_stats whole(fixture *f)
{
    po_session_stats stats;

    po_sessions_check(f->store, &stats);
    assert_int_equal(stats.wrong, 0);
    return stats;
}

#endif
