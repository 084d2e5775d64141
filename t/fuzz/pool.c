/* pool.c - for `make fuzz` alone: pools that AddressSanitizer sees into.
 *
 * It knows malloc's blocks, and a pool cuts one of them into many pieces. Here each piece gets a gap behind it that nobody
 * may touch, and when its pool ends, nobody may touch the piece. These functions stand in front of libapr's of the same
 * names.
 */
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apr_allocator.h"
#include "apr_general.h"
#include "apr_pools.h"
#include "apr_strings.h"

#define GAP 16
#undef apr_pool_clear
#undef apr_pool_destroy

typedef struct {
    apr_pool_t *pool;
    char *at;
    apr_size_t size, whole;             /* what was asked for; with the gap */
} piece;

static piece *pieces;
static apr_size_t count, room;

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function)
        abort();
    return function;
}

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void *apr_palloc(apr_pool_t *p, apr_size_t size)
{
    static void *(*next)(apr_pool_t *p, apr_size_t size);
    piece new = { p, NULL, size, APR_ALIGN_DEFAULT(size + GAP) };

    if (!next)
        *(void **)&next = real("apr_palloc");
    new.at = need(next(p, new.whole));
    ASAN_UNPOISON_MEMORY_REGION(new.at, size);
    ASAN_POISON_MEMORY_REGION(new.at + size, new.whole - size);
    if (count == room)
        pieces = need(realloc(pieces, (room = room ? 2 * room : 1024) * sizeof(piece)));
    pieces[count++] = new;
    return new.at;
}

/* libapr's own takes memory without apr_palloc(), and so perhaps what is still poisoned. */
char *apr_pvsprintf(apr_pool_t *p, const char *format, va_list args)
{
    int size = 256, n;
    va_list again;
    char *text, *out;

    for (;; size *= 2) {
        text = need(malloc((apr_size_t)size));
        va_copy(again, args);
        n = apr_vsnprintf(text, (apr_size_t)size, format, again);
        va_end(again);
        if (n < size - 1)
            break;
        free(text);
    }
    out = apr_pstrdup(p, text);
    free(text);
    return out;
}

char *apr_psprintf(apr_pool_t *p, const char *format, ...)
{
    va_list args;
    char *out;

    va_start(args, format);
    out = apr_pvsprintf(p, format, args);
    va_end(args);
    return out;
}

/* ---- ends ----------------------------------------------------------------------------------------------------- */

static int below(apr_pool_t *p, apr_pool_t *child)
{
    while (child && child != p)
        child = apr_pool_parent_get(child);
    return child != NULL;
}

/* The pieces of p and of the pools below it, taken out of the list. */
static piece *pieces_of(apr_pool_t *p, apr_size_t *n)
{
    piece *out = need(malloc((count + 1) * sizeof(piece)));
    apr_size_t i, kept = 0;

    *n = 0;
    for (i = 0; i < count; i++)
        if (below(p, pieces[i].pool))
            out[(*n)++] = pieces[i];
        else
            pieces[kept++] = pieces[i];
    count = kept;
    return out;
}

/* After the cleanups, which still use them. */
static void end(piece *list, apr_size_t n)
{
    apr_size_t i;

    for (i = 0; i < n; i++)
        ASAN_POISON_MEMORY_REGION(list[i].at, list[i].whole);
    free(list);
}

void apr_pool_clear(apr_pool_t *p)
{
    static void (*next)(apr_pool_t *p);
    apr_size_t n;
    piece *list = pieces_of(p, &n);

    if (!next)
        *(void **)&next = real("apr_pool_clear");
    next(p);
    end(list, n);
}

void apr_pool_destroy(apr_pool_t *p)
{
    static void (*next)(apr_pool_t *p);
    apr_size_t n;
    piece *list = pieces_of(p, &n);

    if (!next)
        *(void **)&next = real("apr_pool_destroy");
    next(p);
    end(list, n);
}

/* One allocator for all of them, which never gives memory back: the system could hand it to somebody else, poisoned as it
 * is, and asking for it each time would be most of the work. */
apr_status_t apr_allocator_create(apr_allocator_t **allocator)
{
    static apr_allocator_t *shared;
    apr_status_t (*next)(apr_allocator_t **allocator);

    if (!shared) {
        *(void **)&next = real("apr_allocator_create");
        if (next(&shared) != APR_SUCCESS)
            abort();
    }
    *allocator = shared;
    return APR_SUCCESS;
}

/* So that no pool takes it along when it ends. */
void apr_allocator_owner_set(apr_allocator_t *allocator, apr_pool_t *p)
{
}

void apr_allocator_destroy(apr_allocator_t *allocator)
{
}

apr_status_t apr_pool_create_unmanaged_ex(apr_pool_t **p, apr_abortfunc_t abort_fn, apr_allocator_t *allocator)
{
    static apr_status_t (*next)(apr_pool_t **p, apr_abortfunc_t abort_fn, apr_allocator_t *allocator);

    if (!next)
        *(void **)&next = real("apr_pool_create_unmanaged_ex");
    if (!allocator)
        apr_allocator_create(&allocator);
    return next(p, abort_fn, allocator);
}
