/* shard.c - the segment and its shards: layout, lock, repair after a death, and the walk that proves them whole. */
#include "session/shard.h"

#include <errno.h>

#define MAGIC 0x706f7365u               /* "pose" */
#define SIZE_MIN (1024 * 1024)
#define TOUCH 60u                       /* last use is written at most once a minute */

void (*po_table_fault)(int at);

/* ---- the segment ---------------------------------------------------------------------------------------------- */

static void lay_out(po_sessions *t, uint64_t size)
{
    uint64_t at;

    t->size = size;
    t->stride = (size - sizeof(*t)) / PO_TABLE_SHARDS & ~(uint64_t)(LINE - 1);
    /* a block costs itself, its kind and its part of a bucket; two lines are lost to alignment at most */
    t->n = (uint32_t)((t->stride - sizeof(struct shard) - 2 * LINE) * PER_BUCKET / ((LINE + 1) * PER_BUCKET + 4));
    t->nb = t->n / PER_BUCKET + 1;
    t->kinds = at = sizeof(struct shard) + (uint64_t)t->nb * 4;
    t->blocks = (at + t->n + LINE - 1) & ~(uint64_t)(LINE - 1);
}

static apr_status_t format(po_sessions *t, uint64_t size)
{
    pthread_mutexattr_t shared;
    apr_status_t rv = APR_SUCCESS;
    unsigned i;

    lay_out(t, size);
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    for (i = 0; i < PO_TABLE_SHARDS && rv == APR_SUCCESS; i++) {
        view v = view_of(t, i);

        rv = pthread_mutex_init(&v.s->lock, &shared);
        v.s->nfree = t->n;
    }
    pthread_mutexattr_destroy(&shared);
    t->layout = PO_TABLE_LAYOUT;
    t->magic = rv == APR_SUCCESS ? MAGIC : 0;
    return rv;
}

static uint32_t seconds(apr_interval_time_t t)
{
    apr_int64_t s = (t + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;

    return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static void set_limits(po_sessions *t, const po_session_limits *limits)
{
    uint32_t idle = seconds(limits->idle), touch = idle / 8;

    atomic_store(&t->start_life, seconds(limits->start_life));
    atomic_store(&t->idle, idle);
    atomic_store(&t->total, seconds(limits->total));
    /* a short idle time must not end a session that is used all the time */
    atomic_store(&t->touch, touch > TOUCH ? TOUCH : touch ? touch : 1);
}

apr_status_t po_sessions_attach(po_sessions **out, void *base, const po_session_limits *limits, int *kept,
                                apr_pool_t *p)
{
    /* APR puts a word of its own before base */
    apr_size_t skip = (LINE - (uintptr_t)base % LINE) % LINE;
    po_sessions *t = (po_sessions *)((unsigned char *)base + skip);
    apr_status_t rv;

    *kept = 0;
    if (limits->size < SIZE_MIN || limits->size / LINE > (apr_size_t)INT32_MAX * PO_TABLE_SHARDS)
        return APR_EINVAL;
    if (t->magic == 0) {
        if ((rv = format(t, limits->size - skip)) != APR_SUCCESS)
            return rv;
    }
    else if (t->magic != MAGIC || t->layout != PO_TABLE_LAYOUT || t->size != limits->size - skip)
        return APR_EMISMATCH;
    else
        *kept = 1;
    set_limits(t, limits);
    *out = t;
    return APR_SUCCESS;
}

/* ---- lock and repair ------------------------------------------------------------------------------------------ */

static int chain_is_whole(const view *v, uint32_t head)
{
    uint32_t left = blocks_for(get(v, head, LENGTH)), ref = get(v, head, CHAIN);

    for (; left; left--, ref = get(v, ref, NEXT))
        if (ref == NIL || ref > v->s->top || kind_of(v, ref) != KIND_DATA)
            return 0;
    return ref == NIL;
}

static void settle_intent(const view *v)
{
    struct shard *s = v->s;

    if (s->intent == INTENT_START) {
        set_key(v, s->op_block, &s->op_key);
        set(v, s->op_block, STATE, STATE_WAITING);
    }
    else if (s->intent == INTENT_REPLACE) {
        set(v, s->op_block, CHAIN, s->op_chain);
        set(v, s->op_block, LENGTH, s->op_len);
    }
    set_intent(v, INTENT_WRITE);
}

/* Puts every whole session back into its bucket and marks its data. */
static void rebuild_buckets(const view *v)
{
    struct shard *s = v->s;
    uint32_t i, ref;

    for (i = 0; i < v->nb; i++)
        set_first(v, i, NIL);
    for (i = 1; i <= s->top; i++)
        set_kind(v, i, kind_of(v, i) & ~(unsigned)KIND_MARK);
    s->live = 0;
    s->bytes = 0;
    for (i = 1; i <= s->top; i++) {
        uint32_t bucket;

        if (kind_of(v, i) != KIND_HEAD)
            continue;
        if (!chain_is_whole(v, i)) {
            set_kind(v, i, KIND_FREE);
            continue;
        }
        for (ref = get(v, i, CHAIN); ref; ref = get(v, ref, NEXT))
            set_kind(v, ref, KIND_DATA | KIND_MARK);
        bucket = bucket_of(v, get(v, i, KEY));
        set(v, i, NEXT, first_in(v, bucket));
        set_first(v, bucket, i);
        s->live++;
        s->bytes += get(v, i, LENGTH);
    }
}

/* What no session holds is free. */
static void rebuild_free(const view *v)
{
    struct shard *s = v->s;
    uint32_t i;

    s->free = NIL;
    s->nfree = v->n - s->top;
    for (i = s->top; i >= 1; i--) {
        unsigned kind = kind_of(v, i);

        if (kind == KIND_HEAD)
            continue;
        if (kind == (KIND_DATA | KIND_MARK)) {
            set_kind(v, i, KIND_DATA);
            continue;
        }
        set_kind(v, i, KIND_FREE);
        set(v, i, NEXT, s->free);
        s->free = i;
        s->nfree++;
    }
}

static void repair(const view *v)
{
    change_begins(v);
    settle_intent(v);
    rebuild_buckets(v);
    fault(PO_FAULT_REPAIR);
    rebuild_free(v);
    v->s->cursor = 0;
    v->s->repairs++;
    set_intent(v, INTENT_NONE);
    change_ends(v);
}

apr_status_t po_shard_enter(const view *v)
{
    int rc = pthread_mutex_lock(&v->s->lock);

    if (rc && rc != EOWNERDEAD)
        return APR_EGENERAL;
    if (atomic_load_explicit(&v->s->intent, memory_order_relaxed) != INTENT_NONE
        || atomic_load_explicit(&v->s->seq, memory_order_relaxed) & 1)
        repair(v);
    if (rc)
        pthread_mutex_consistent(&v->s->lock);
    return APR_SUCCESS;
}

apr_status_t po_shard_leave(const view *v, apr_status_t rv)
{
    pthread_mutex_unlock(&v->s->lock);
    return rv;
}

/* ---- the walk over everything --------------------------------------------------------------------------------- */

typedef struct {
    uint64_t heads, data, bytes, wrong;
} tally;

/* Follows a bucket and marks the data of its sessions, so that data with two owners shows. */
static void check_bucket(const view *v, uint32_t bucket, tally *sum)
{
    uint32_t ref, part;

    for (ref = first_in(v, bucket); ref; ref = get(v, ref, NEXT)) {
        if (ref > v->s->top || kind_of(v, ref) != KIND_HEAD || bucket_of(v, get(v, ref, KEY)) != bucket
            || sum->heads >= v->n) {
            sum->wrong++;
            return;
        }
        sum->heads++;
        sum->bytes += get(v, ref, LENGTH);
        if (!chain_is_whole(v, ref)) {
            sum->wrong++;
            continue;
        }
        for (part = get(v, ref, CHAIN); part; part = get(v, part, NEXT)) {
            sum->data++;
            set_kind(v, part, KIND_DATA | KIND_MARK);
        }
    }
}

static uint64_t count_free(const view *v, tally *sum)
{
    uint64_t n = 0;
    uint32_t ref;

    for (ref = v->s->free; ref && n <= v->n; ref = get(v, ref, NEXT), n++)
        if (ref > v->s->top || kind_of(v, ref) != KIND_FREE) {
            sum->wrong++;
            break;
        }
    return n;
}

static void check_shard(const view *v, po_session_stats *out)
{
    struct shard *s = v->s;
    uint64_t count[3] = { 0 }, nfree;
    tally sum = { 0 };
    uint32_t i;

    for (i = 0; i < v->nb; i++)
        check_bucket(v, i, &sum);
    nfree = count_free(v, &sum);
    for (i = 1; i <= s->top; i++) {
        unsigned kind = kind_of(v, i);

        if (kind == KIND_DATA)          /* nobody's */
            sum.wrong++;
        set_kind(v, i, kind & ~(unsigned)KIND_MARK);
        count[(kind & ~(unsigned)KIND_MARK) % 3]++;
    }
    if (sum.heads != s->live || sum.bytes != s->bytes || nfree + (v->n - s->top) != s->nfree
        || count[KIND_HEAD] != sum.heads || count[KIND_DATA] != sum.data || count[KIND_FREE] != nfree)
        sum.wrong++;
    out->live += sum.heads;
    out->bytes += sum.bytes;
    out->used_blocks += sum.heads + sum.data;
    out->blocks += v->n;
    out->repairs += s->repairs;
    out->expired += s->expired;
    out->wrong += sum.wrong;
}

void po_sessions_check(po_sessions *t, po_session_stats *out)
{
    unsigned i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < PO_TABLE_SHARDS; i++) {
        view v = view_of(t, i);

        if (po_shard_enter(&v) != APR_SUCCESS) {
            out->wrong++;
            continue;
        }
        set_intent(&v, INTENT_WRITE);   /* the marks must not outlive us */
        check_shard(&v, out);
        set_intent(&v, INTENT_NONE);
        po_shard_leave(&v, APR_SUCCESS);
    }
    out->refused = atomic_load(&t->refused);
}
