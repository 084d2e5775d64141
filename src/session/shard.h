/* shard.h - one shard as table.c and shard.c see it: its blocks, its words, its lock (private to the session room). */
#ifndef PO_SESSION_SHARD_H
#define PO_SESSION_SHARD_H

#include "session/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LINE 64u                        /* of the cache, and a block */
#define WORDS 16u                       /* of a block */
#define ROOM ((WORDS - 1) * 4)          /* bytes of data in a data block */
#define PER_BUCKET 8u                   /* blocks for each bucket: about one session */
#define NIL 0u                          /* references are block number + 1 */

enum { KIND_FREE, KIND_HEAD, KIND_DATA, KIND_MARK = 0x80 };
enum { STATE_WAITING = 1, STATE_OPEN };
/* What the lock's owner is at, and so what a repair has to do first. WRITE: nothing, the truth is right at every
 * instruction. START: give op_block its old key back. REPLACE: give op_block the chain and length of the record. */
enum { INTENT_NONE, INTENT_WRITE, INTENT_START, INTENT_REPLACE };
/* The words of a head block; of a data block and a free one only NEXT, the rest is data. */
enum { NEXT, CHAIN, LENGTH, CREATED, USED, STATE, KEY, ID = KEY + 4 };

typedef struct {
    _Atomic uint32_t word[WORDS];
} block;
_Static_assert(sizeof(block) == LINE, "a block is one line of the cache");
_Static_assert((ID + PO_TOKEN_TEXT / 4) == WORDS, "the id ends the head");

struct shard {
    pthread_mutex_t lock;               /* robust, shared between processes */
    _Atomic uint32_t seq;               /* odd while something reachable changes */
    _Atomic uint32_t intent;
    uint32_t op_block, op_chain, op_len;
    po_table_key op_key;
    uint32_t free, nfree, top;          /* free list; blocks above top were never used, nor their memory touched */
    uint32_t cursor, live;
    uint64_t bytes, repairs, expired;
} __attribute__((aligned(LINE)));

struct po_sessions {                    /* at the start of the segment */
    uint32_t magic, layout;
    uint64_t size;
    uint64_t stride, kinds, blocks;     /* bytes: from shard to shard, and offsets within one */
    uint32_t n, nb;                     /* blocks and buckets of a shard */
    _Atomic uint32_t start_life, idle, total, touch;    /* seconds */
    _Atomic uint64_t refused;
} __attribute__((aligned(LINE)));

typedef struct {                        /* a shard, taken apart */
    struct shard *s;
    _Atomic uint32_t *bucket;
    _Atomic uint8_t *kind;
    block *blocks;
    uint32_t n, nb;
} view;

/* shard.c. Locks the shard, and repairs it when its last owner died at work; APR_EGENERAL: the lock is broken. */
apr_status_t po_shard_enter(const view *v);
/* Unlocks, and returns rv. */
apr_status_t po_shard_leave(const view *v, apr_status_t rv);

static inline void fault(int at)
{
    if (__builtin_expect(po_table_fault != NULL, 0))
        po_table_fault(at);
}

/* ---- words ---------------------------------------------------------------------------------------------------- */

static inline view view_of(po_sessions *t, unsigned shard)
{
    unsigned char *p = (unsigned char *)t + sizeof(*t) + (uint64_t)shard * t->stride;
    view v;

    v.s = (struct shard *)p;
    v.bucket = (_Atomic uint32_t *)(p + sizeof(struct shard));
    v.kind = (_Atomic uint8_t *)(p + t->kinds);
    v.blocks = (block *)(p + t->blocks);
    v.n = t->n;
    v.nb = t->nb;
    return v;
}

static inline uint32_t get(const view *v, uint32_t ref, unsigned word)
{
    return atomic_load_explicit(&v->blocks[ref - 1].word[word], memory_order_relaxed);
}

/* Every store of the truth is a release: a repair finds a prefix of what the dead writer did. */
static inline void set(const view *v, uint32_t ref, unsigned word, uint32_t value)
{
    atomic_store_explicit(&v->blocks[ref - 1].word[word], value, memory_order_release);
}

static inline unsigned kind_of(const view *v, uint32_t ref)
{
    return atomic_load_explicit(&v->kind[ref - 1], memory_order_relaxed);
}

static inline void set_kind(const view *v, uint32_t ref, unsigned kind)
{
    atomic_store_explicit(&v->kind[ref - 1], (uint8_t)kind, memory_order_release);
}

static inline uint32_t bucket_of(const view *v, uint32_t first_word)
{
    return (uint32_t)(((uint64_t)first_word * v->nb) >> 32);
}

static inline uint32_t first_in(const view *v, uint32_t bucket)
{
    return atomic_load_explicit(&v->bucket[bucket], memory_order_acquire);
}

static inline void set_first(const view *v, uint32_t bucket, uint32_t ref)
{
    atomic_store_explicit(&v->bucket[bucket], ref, memory_order_release);
}

static inline void set_key(const view *v, uint32_t ref, const po_table_key *key)
{
    unsigned i;

    for (i = 0; i < 4; i++)
        set(v, ref, KEY + i, key->word[i]);
}

static inline int has_key(const view *v, uint32_t ref, const po_table_key *key)
{
    uint32_t differs = 0;
    unsigned i;

    for (i = 0; i < 4; i++)
        differs |= get(v, ref, KEY + i) ^ key->word[i];
    return !differs;
}

/* Copies n bytes between memory and the words of a block from `first` on. */
static inline void store_bytes(const view *v, uint32_t ref, unsigned first, const unsigned char *data, uint32_t n)
{
    uint32_t word = 0;

    for (; n >= 4; n -= 4, data += 4) {
        memcpy(&word, data, 4);
        set(v, ref, first++, word);
    }
    if (n) {
        word = 0;
        memcpy(&word, data, n);
        set(v, ref, first, word);
    }
}

static inline void load_bytes(const view *v, uint32_t ref, unsigned first, unsigned char *out, uint32_t n)
{
    uint32_t word;

    for (; n >= 4; n -= 4, out += 4) {
        word = get(v, ref, first++);
        memcpy(out, &word, 4);
    }
    if (n) {
        word = get(v, ref, first);
        memcpy(out, &word, n);
    }
}

static inline uint32_t blocks_for(uint32_t len)
{
    return (len + ROOM - 1) / ROOM;
}

/* ---- intent and sequence -------------------------------------------------------------------------------------- */

/* No store may drift over the change of intent: what counts is the order in which a process that dies did things. */
static inline void set_intent(const view *v, uint32_t intent)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&v->s->intent, intent, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void change_begins(const view *v)
{
    uint32_t seq = atomic_load_explicit(&v->s->seq, memory_order_relaxed);

    atomic_store_explicit(&v->s->seq, seq | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void change_ends(const view *v)
{
    uint32_t seq = atomic_load_explicit(&v->s->seq, memory_order_relaxed);

    atomic_store_explicit(&v->s->seq, (seq | 1) + 1, memory_order_release);
}

#endif
