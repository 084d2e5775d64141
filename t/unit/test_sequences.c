/* test_sequences.c - 100,000 random sequences of allowed and forbidden steps through the marketplace's rules. */
#include "sequences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "apr_general.h"

static po_crypto *crypto;

static void prepare(sequence_world *w, apr_pool_t *p)
{
    w->p = p;
    w->store = &po_sequence_structs;
    w->crypto = crypto;
}

static void no_sequence_of_steps_reaches_an_undefined_state_or_fulfills_what_nobody_ordered(void **state)
{
    po_sequences_run(100000, prepare, po_sequence_run_one);
}

static int set_up(void **state)
{
    apr_initialize();
    return (crypto = po_crypto_create()) ? 0 : -1;
}

static int tear_down(void **state)
{
    po_crypto_destroy(crypto);
    apr_terminate();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sequence_of_steps_reaches_an_undefined_state_or_fulfills_what_nobody_ordered)
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
