/* fuzz.h - what the harnesses share. A harness is LLVMFuzzerTestOneInput(): libFuzzer calls it in `make fuzz`, replay.c
 * in `make check`. What must never happen ends the process through fuzz_require(). */
#ifndef PO_FUZZ_H
#define PO_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apr_general.h"
#include "apr_pools.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_require(fact) \
    do { \
        if (!(fact)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #fact); \
            abort(); \
        } \
    } while (0)

/* A pool for one input, to be destroyed after it. pool.c lets AddressSanitizer see what is used too late or too far. */
static inline apr_pool_t *fuzz_pool(void)
{
    static int ready;
    apr_pool_t *p;

    if (!ready)
        apr_initialize();
    ready = 1;
    fuzz_require(apr_pool_create_unmanaged_ex(&p, NULL, NULL) == APR_SUCCESS);
    return p;
}

static inline apr_status_t fuzz_free(void *block)
{
    free(block);
    return APR_SUCCESS;
}

/* The input with a NUL behind it, in a block of its own size: one byte too far is seen. Freed with the pool. */
static inline char *fuzz_text(const uint8_t *data, size_t size, apr_pool_t *p)
{
    char *text = malloc(size + 1);

    fuzz_require(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    apr_pool_cleanup_register(p, text, fuzz_free, apr_pool_cleanup_null);
    return text;
}

#endif
