/* market_fixture.h - what the tests of the market room share: a pool that each test clears, and decimals from text. */
#ifndef MARKET_FIXTURE_H
#define MARKET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "market/market_private.h"

static apr_pool_t *all, *pool;

static inline int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&all, NULL);
    apr_pool_create(&pool, all);
    return 0;
}

static inline int group_teardown(void **state)
{
    apr_pool_destroy(all);
    apr_terminate();
    return 0;
}

static inline po_decimal dec(const char *text)
{
    po_decimal d;

    assert_int_equal(po_decimal_parse(&d, text, -1), APR_SUCCESS);
    return d;
}

#endif
