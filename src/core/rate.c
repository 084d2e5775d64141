/* rate.c - counters of a minute in shared memory. One 64-bit word each, changed by compare-and-swap alone: a child may
 * die between any two instructions and leaves nothing locked or half written. */
#include "core/core.h"

#include "apr_general.h"
#include <stdatomic.h>
#include <string.h>

#define SEED 16
#define NEAR 8                          /* places where the counter of a key may stand */
/* A word: 24 bits that tell keys apart, 20 of the minute, 20 of the count. A minute comes again after two years. */
#define COUNT_BITS 20
#define MINUTE_BITS 20
#define COUNT_MAX ((1u << COUNT_BITS) - 1)
#define MINUTE_MAX ((1u << MINUTE_BITS) - 1)

struct po_rates {
    apr_uint64_t mask;                  /* of the places: their number less 1 */
    unsigned char seed[SEED];           /* nobody can choose keys that meet */
    _Atomic apr_uint64_t word[];
};

typedef struct {
    apr_size_t first;                   /* its first place */
    apr_uint64_t tag;
    unsigned minute;
} rate_key;

static apr_uint64_t pack(apr_uint64_t tag, unsigned minute, unsigned count)
{
    return tag << (COUNT_BITS + MINUTE_BITS) | (apr_uint64_t)minute << COUNT_BITS | count;
}

static unsigned minute_of(apr_uint64_t w)
{
    return (unsigned)(w >> COUNT_BITS) & MINUTE_MAX;
}

static unsigned count_of(apr_uint64_t w)
{
    return (unsigned)w & COUNT_MAX;
}

apr_size_t po_rates_size(unsigned counters)
{
    return sizeof(po_rates) + counters * sizeof(apr_uint64_t);
}

po_rates *po_rates_make(void *memory, unsigned counters)
{
    po_rates *t = memory;
    unsigned i;

    if (apr_generate_random_bytes(t->seed, SEED) != APR_SUCCESS)
        return NULL;
    t->mask = counters - 1;
    for (i = 0; i < counters; i++)
        atomic_init(&t->word[i], 0);
    return t;
}

static rate_key key_of(const po_rates *t, po_crypto *c, const char *text, apr_time_t now, int *wait)
{
    unsigned char digest[PO_DIGEST];
    apr_int64_t second = apr_time_sec(now);
    apr_uint64_t hash;
    rate_key k;

    po_sha256_start(c);
    po_sha256_add(c, t->seed, SEED);
    po_sha256_add(c, text, strlen(text));
    po_sha256_end(c, digest);
    memcpy(&hash, digest, sizeof(hash));
    k.first = (apr_size_t)(hash & t->mask) & ~(apr_size_t)(NEAR - 1);
    memcpy(&hash, digest + sizeof(hash), sizeof(hash));
    k.tag = hash >> (COUNT_BITS + MINUTE_BITS);
    k.minute = (unsigned)(second / 60) & MINUTE_MAX;
    *wait = (int)(60 - second % 60);
    return k;
}

/* Of this minute; the next one counts too, for another process may have got there already. */
static int is_current(apr_uint64_t w, const rate_key *k)
{
    return count_of(w) && (minute_of(w) == k->minute || minute_of(w) == ((k->minute + 1) & MINUTE_MAX));
}

static int is_of(apr_uint64_t w, const rate_key *k)
{
    return is_current(w, k) && w >> (COUNT_BITS + MINUTE_BITS) == k->tag;
}

/* The place of the key's counter or a free one, and the word there; where there is neither, the first: it is shared. */
static apr_size_t find(const po_rates *t, const rate_key *k, apr_uint64_t *word)
{
    apr_size_t place = k->first, free_place = 0;
    apr_uint64_t free_word = 0;
    int i, have_free = 0;

    for (i = 0; i < NEAR && k->first + (apr_size_t)i <= t->mask; i++) {
        apr_uint64_t w = atomic_load(&t->word[k->first + (apr_size_t)i]);

        if (is_of(w, k)) {
            *word = w;
            return k->first + (apr_size_t)i;
        }
        if (!have_free && !is_current(w, k)) {
            have_free = 1;
            free_place = k->first + (apr_size_t)i;
            free_word = w;
        }
    }
    *word = have_free ? free_word : atomic_load(&t->word[place]);
    return have_free ? free_place : place;
}

int po_rate_add(po_rates *t, po_crypto *c, const char *key, apr_time_t now, int *wait)
{
    rate_key k = key_of(t, c, key, now, wait);

    for (;;) {
        apr_uint64_t before, after;
        apr_size_t place = find(t, &k, &before);
        unsigned count = is_current(before, &k) ? count_of(before) : 0;

        if (count == COUNT_MAX)
            return (int)count;
        after = count ? before + 1 : pack(k.tag, k.minute, 1);
        if (atomic_compare_exchange_weak(&t->word[place], &before, after))
            return (int)count + 1;
    }
}

int po_rate_look(const po_rates *t, po_crypto *c, const char *key, apr_time_t now, int *wait)
{
    rate_key k = key_of(t, c, key, now, wait);
    apr_uint64_t word;

    find(t, &k, &word);
    return is_current(word, &k) ? (int)count_of(word) : 0;
}
