/* pool.c - only in `make fuzz`: a gap that nobody may touch behind each piece of a pool. AddressSanitizer knows malloc's blocks
 * alone, and a pool cuts one of them into many pieces. These stand in front of libapr's functions of the same names. */
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>

#include "apr_general.h"
#include "apr_pools.h"

#define GAP 16
#undef apr_pool_clear
#undef apr_pool_destroy

typedef struct {
    apr_pool_t *pool;
    char *at;
    apr_size_t len;
} gap;

static gap *gaps;
static apr_size_t count, room;

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function)
        abort();
    return function;
}

static void remember(apr_pool_t *p, char *at, apr_size_t len)
{
    if (count == room) {
        room = room ? 2 * room : 1024;
        if (!(gaps = realloc(gaps, room * sizeof(*gaps))))
            abort();
    }
    gaps[count].pool = p;
    gaps[count].at = at;
    gaps[count++].len = len;
}

void *apr_palloc(apr_pool_t *p, apr_size_t size)
{
    static void *(*next)(apr_pool_t *p, apr_size_t size);
    apr_size_t whole = APR_ALIGN_DEFAULT(size + GAP);
    char *piece;

    if (!next)
        *(void **)&next = real("apr_palloc");
    if (!(piece = next(p, whole)))
        return NULL;
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    ASAN_POISON_MEMORY_REGION(piece + size, whole - size);
    remember(p, piece + size, whole - size);
    return piece;
}

static int below(apr_pool_t *p, apr_pool_t *child)
{
    while (child && child != p)
        child = apr_pool_parent_get(child);
    return child != NULL;
}

/* The memory is about to be somebody else's, who doesn't always ask apr_palloc(): apr_psprintf() writes where it is free. */
static void forget(apr_pool_t *p)
{
    apr_size_t i, kept = 0;

    for (i = 0; i < count; i++)
        if (below(p, gaps[i].pool))
            ASAN_UNPOISON_MEMORY_REGION(gaps[i].at, gaps[i].len);
        else
            gaps[kept++] = gaps[i];
    count = kept;
}

void apr_pool_clear(apr_pool_t *p)
{
    static void (*next)(apr_pool_t *p);

    if (!next)
        *(void **)&next = real("apr_pool_clear");
    forget(p);
    next(p);
}

void apr_pool_destroy(apr_pool_t *p)
{
    static void (*next)(apr_pool_t *p);

    if (!next)
        *(void **)&next = real("apr_pool_destroy");
    forget(p);
    next(p);
}

/* The pool is where LeakSanitizer doesn't look (mmap), and so what it alone points to would be called leaked. */
apr_status_t apr_pool_create_unmanaged_ex(apr_pool_t **p, apr_abortfunc_t abort_fn, apr_allocator_t *allocator)
{
    static apr_status_t (*next)(apr_pool_t **p, apr_abortfunc_t abort_fn, apr_allocator_t *allocator);
    apr_status_t rv;

    if (!next)
        *(void **)&next = real("apr_pool_create_unmanaged_ex");
    __lsan_disable();
    rv = next(p, abort_fn, allocator);
    __lsan_enable();
    return rv;
}
