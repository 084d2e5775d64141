/* sequence_run.c - random sequences: many of them, and the shortest form of one that breaks a property. */
#include "sequences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct {
    void (*prepare)(sequence_world *w, apr_pool_t *p);
    sequence_run_fn *run;
    apr_pool_t *pool;
    sequence_world w;
    unsigned long counts[SEQUENCE_COUNTS];
    apr_uint64_t seed;
} runner;

void po_sequence_run_one(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, const char *steps)
{
    int i;

    po_sequence_world_init(w, seed, sequence);
    for (i = 0; i < SEQUENCE_STEPS && !w->wrong; i++) {
        if (!steps[i])
            continue;
        po_sequence_seed(w, seed, sequence, (apr_uint64_t)i);
        po_sequence_remember(w);
        po_sequence_step(w);
        if (!w->wrong)
            po_sequence_check(w);
    }
}

/* NULL: every property holds. */
static const char *run(runner *x, apr_uint64_t sequence, const char *steps, int tracing)
{
    apr_pool_clear(x->pool);
    memset(&x->w, 0, sizeof(x->w));
    x->prepare(&x->w, x->pool);
    x->w.tracing = tracing;
    x->w.counts = tracing ? NULL : x->counts;
    x->run(&x->w, x->seed, sequence, steps);
    return x->w.wrong;
}

static void print_failure(runner *x, apr_uint64_t sequence, const char *steps)
{
    const char *wrong = run(x, sequence, steps, 1);
    int i;

    print_message("sequence %" APR_UINT64_T_FMT " of SEED=%" APR_UINT64_T_FMT ", without the steps that it does not need:\n",
                  sequence, x->seed);
    for (i = 0; i < x->w.trace->nelts; i++)
        print_message("  %2d. %s\n", i, APR_ARRAY_IDX(x->w.trace, i, const char *));
    print_message("  => %s\n", wrong ? wrong : "(it holds when it is traced)");
}

/* Leaves out each step without which a property is still broken. */
static void shorten(runner *x, apr_uint64_t sequence, char *steps)
{
    int i, shorter;

    do {
        shorter = 0;
        for (i = SEQUENCE_STEPS - 1; i >= 0; i--) {
            if (!steps[i])
                continue;
            steps[i] = 0;
            if (run(x, sequence, steps, 0))
                shorter = 1;
            else
                steps[i] = 1;
        }
    } while (shorter);
}

static apr_uint64_t number_of(const char *name, apr_uint64_t usual)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : usual;
}

static void print_counts(const runner *x, apr_uint64_t sequences)
{
    int i;

    print_message("%" APR_UINT64_T_FMT " sequences of SEED=%" APR_UINT64_T_FMT ":", sequences, x->seed);
    for (i = 0; i < SEQUENCE_COUNTS; i++)
        print_message("%s %lu %s", i ? "," : "", x->counts[i], po_sequence_count_names[i]);
    print_message("\n");
}

void po_sequences_run(int usual, void (*prepare)(sequence_world *w, apr_pool_t *p), sequence_run_fn *run_steps)
{
    runner *x = calloc(1, sizeof(*x));
    apr_uint64_t sequences = number_of("SEQUENCES", (apr_uint64_t)usual), n;
    char steps[SEQUENCE_STEPS];
    int i;

    x->prepare = prepare;
    x->run = run_steps;
    x->seed = number_of("SEED", 1);
    apr_pool_create(&x->pool, NULL);
    memset(steps, 1, sizeof(steps));
    for (n = 0; n < sequences; n++)
        if (run(x, n, steps, 0)) {
            shorten(x, n, steps);
            print_failure(x, n, steps);
            apr_pool_destroy(x->pool);
            free(x);
            fail_msg("sequence %" APR_UINT64_T_FMT " breaks a property", n);
        }
    print_counts(x, sequences);
    /* a run that never got somewhere would show nothing about it */
    for (i = 0; sequences >= 1000 && i < SEQUENCE_COUNTS; i++)
        if (!x->counts[i])
            fail_msg("no sequence has reached: %s", po_sequence_count_names[i]);
    apr_pool_destroy(x->pool);
    free(x);
}
