/* table.c - sessions in the shared segment: insert, find, start, replace, remove (invariants: table.h). */
#include "session/shard.h"

#define SWEEP 2u                        /* buckets that each insert looks at */
#define SWEEP_FULL 512u                 /* the same when there is no room */
#define OPTIMISTIC 64                   /* reads without the lock before one with it */
#define BUCKET_STEPS 4096u              /* no bucket is that long: such a walk went astray in blocks that change */

typedef struct {                        /* where a key was found */
    uint32_t ref, prev;                 /* prev: the block before it in its bucket, or NIL */
    uint32_t chain, len, created, used, state;
} place;

static int expired(const po_sessions *t, uint32_t state, uint32_t created, uint32_t used, uint32_t now)
{
    uint32_t age = now > created ? now - created : 0, idle = now > used ? now - used : 0;

    if (state == STATE_WAITING)
        return age > atomic_load_explicit(&t->start_life, memory_order_relaxed);
    return idle > atomic_load_explicit(&t->idle, memory_order_relaxed)
        || age > atomic_load_explicit(&t->total, memory_order_relaxed);
}

/* ---- blocks: the caller holds the lock and has written its intent --------------------------------------------- */

static uint32_t take(const view *v)
{
    struct shard *s = v->s;
    uint32_t ref = s->free;

    if (ref)
        s->free = get(v, ref, NEXT);
    else
        ref = ++s->top;
    s->nfree--;
    return ref;
}

static void give(const view *v, uint32_t ref)
{
    set_kind(v, ref, KIND_FREE);
    set(v, ref, NEXT, v->s->free);
    v->s->free = ref;
    v->s->nfree++;
}

static uint32_t build_chain(const view *v, const unsigned char *data, uint32_t len)
{
    uint32_t first = NIL, last = NIL;

    while (len) {
        uint32_t ref = take(v), n = len < ROOM ? len : ROOM;

        store_bytes(v, ref, 1, data, n);
        set(v, ref, NEXT, NIL);
        set_kind(v, ref, KIND_DATA);
        if (last)
            set(v, last, NEXT, ref);
        else
            first = ref;
        last = ref;
        data += n;
        len -= n;
        fault(PO_FAULT_BUILD_DATA);
    }
    return first;
}

static void give_chain(const view *v, uint32_t ref, int at)
{
    while (ref) {
        uint32_t next = get(v, ref, NEXT);

        give(v, ref);
        fault(at);
        ref = next;
    }
}

static void unlink_head(const view *v, uint32_t prev, uint32_t ref)
{
    if (prev)
        set(v, prev, NEXT, get(v, ref, NEXT));
    else
        set_first(v, bucket_of(v, get(v, ref, KEY)), get(v, ref, NEXT));
}

static void link_head(const view *v, uint32_t ref)
{
    uint32_t bucket = bucket_of(v, get(v, ref, KEY));

    set(v, ref, NEXT, first_in(v, bucket));
    set_first(v, bucket, ref);
}

static void drop(const view *v, uint32_t prev, uint32_t ref)
{
    change_begins(v);
    set_kind(v, ref, KIND_FREE);        /* from here on it is gone */
    fault(PO_FAULT_DROP_GONE);
    unlink_head(v, prev, ref);
    v->s->live--;
    v->s->bytes -= get(v, ref, LENGTH);
    give_chain(v, get(v, ref, CHAIN), PO_FAULT_DROP_DATA);
    give(v, ref);
    change_ends(v);
}

static void sweep(const po_sessions *t, const view *v, uint32_t buckets, uint32_t now)
{
    for (; buckets; buckets--) {
        uint32_t bucket = v->s->cursor, ref, prev = NIL, next;

        v->s->cursor = bucket + 1 < v->nb ? bucket + 1 : 0;
        for (ref = first_in(v, bucket); ref; ref = next) {
            next = get(v, ref, NEXT);
            if (expired(t, get(v, ref, STATE), get(v, ref, CREATED), get(v, ref, USED), now)) {
                drop(v, prev, ref);
                v->s->expired++;
            }
            else
                prev = ref;
        }
    }
}

/* Room for that many blocks, after a look at a few buckets, or at many when there is none. */
static int reserve(const po_sessions *t, const view *v, uint32_t need, uint32_t now)
{
    sweep(t, v, SWEEP, now);
    if (v->s->nfree < need)
        sweep(t, v, v->nb < SWEEP_FULL ? v->nb : SWEEP_FULL, now);
    return v->s->nfree >= need;
}

/* ---- looking up ----------------------------------------------------------------------------------------------- */

/* With the lock, or without: then every reference may be nonsense, and the sequence number tells afterwards. */
static apr_status_t locate(const view *v, const po_table_key *key, place *at)
{
    uint32_t ref = first_in(v, bucket_of(v, key->word[0])), steps;

    at->prev = NIL;
    for (steps = 0; ref && ref <= v->n && steps < BUCKET_STEPS; steps++) {
        if (has_key(v, ref, key)) {
            at->ref = ref;
            at->chain = get(v, ref, CHAIN);
            at->len = get(v, ref, LENGTH);
            at->created = get(v, ref, CREATED);
            at->used = get(v, ref, USED);
            at->state = get(v, ref, STATE);
            return APR_SUCCESS;
        }
        at->prev = ref;
        ref = get(v, ref, NEXT);
    }
    return APR_NOTFOUND;
}

static apr_status_t locate_live(const po_sessions *t, const view *v, const po_table_key *key, uint32_t state,
                                uint32_t now, place *at)
{
    if (locate(v, key, at) != APR_SUCCESS || at->state != state || expired(t, state, at->created, at->used, now))
        return APR_NOTFOUND;
    return APR_SUCCESS;
}

static apr_status_t copy_out(const view *v, const place *at, unsigned char *out)
{
    uint32_t ref = at->chain, left = at->len;

    while (left) {
        uint32_t n = left < ROOM ? left : ROOM;

        if (ref == NIL || ref > v->n)
            return APR_EGENERAL;
        load_bytes(v, ref, 1, out, n);
        out += n;
        left -= n;
        ref = get(v, ref, NEXT);
    }
    return APR_SUCCESS;
}

typedef struct {                        /* a reader's place to copy to, kept over its attempts */
    po_table_room *room;
    void *baton;
    unsigned char *data;
    uint32_t size;
} copy_target;

static apr_status_t read_session(const po_sessions *t, const view *v, const po_table_key *key, uint32_t now, place *at,
                                 po_table_entry *e, copy_target *to)
{
    apr_status_t rv = locate_live(t, v, key, STATE_OPEN, now, at);

    if (rv != APR_SUCCESS)
        return rv;
    if (at->len > PO_SESSION_DATA_MAX)
        return APR_EGENERAL;
    if (at->len > to->size || !to->data) {
        to->data = to->room(to->baton, at->len);
        to->size = to->data ? at->len : 0;
        if (!to->data)
            return APR_ENOMEM;
    }
    load_bytes(v, at->ref, ID, (unsigned char *)e->id, sizeof(e->id));
    e->created = at->created;
    e->data = to->data;
    e->len = at->len;
    return copy_out(v, at, to->data);
}

/* By key again, since the session may have left meanwhile. */
static apr_status_t mark_use(const po_sessions *t, const view *v, const po_table_key *key, uint32_t now)
{
    place at;
    apr_status_t rv = po_shard_enter(v);

    if (rv != APR_SUCCESS)
        return rv;
    rv = locate_live(t, v, key, STATE_OPEN, now, &at);
    if (rv == APR_SUCCESS && now > at.used)
        set(v, at.ref, USED, now);      /* one word: needs no intent */
    return po_shard_leave(v, rv);
}

apr_status_t po_table_find(po_sessions *t, const po_table_ref *ref, uint32_t now, po_table_entry *e,
                           po_table_room *room, void *baton)
{
    view v = view_of(t, ref->shard);
    copy_target to = { room, baton };
    apr_status_t rv = APR_EGENERAL;
    place at = { 0 };
    int tries;

    for (tries = 0; tries < OPTIMISTIC; tries++) {
        uint32_t seq = atomic_load_explicit(&v.s->seq, memory_order_acquire);

        if (seq & 1)
            continue;
        rv = read_session(t, &v, &ref->key, now, &at, e, &to);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&v.s->seq, memory_order_relaxed) == seq)
            break;
    }
    if (tries == OPTIMISTIC) {          /* a busy shard, or a writer that died */
        if ((rv = po_shard_enter(&v)) != APR_SUCCESS)
            return rv;
        rv = po_shard_leave(&v, read_session(t, &v, &ref->key, now, &at, e, &to));
    }
    if (rv == APR_SUCCESS && now > at.used && now - at.used >= atomic_load_explicit(&t->touch, memory_order_relaxed))
        rv = mark_use(t, &v, &ref->key, now);
    return rv;
}

/* ---- changing ------------------------------------------------------------------------------------------------- */

static void put_head(const view *v, uint32_t ref, const po_table_key *key, const po_table_entry *e, uint32_t chain)
{
    set(v, ref, CHAIN, chain);
    set(v, ref, LENGTH, e->len);
    set(v, ref, CREATED, e->created);
    set(v, ref, USED, e->created);
    set(v, ref, STATE, STATE_WAITING);
    set_key(v, ref, key);
    store_bytes(v, ref, ID, (const unsigned char *)e->id, sizeof(e->id));
}

apr_status_t po_table_insert(po_sessions *t, const po_table_ref *at, const po_table_entry *e, uint32_t now)
{
    view v = view_of(t, at->shard);
    apr_status_t rv = po_shard_enter(&v);
    uint32_t head, spare = e->yields ? (v.n + 1) / 2 : 0;

    if (rv != APR_SUCCESS)
        return rv;
    set_intent(&v, INTENT_WRITE);
    fault(PO_FAULT_INSERT);
    if (!reserve(t, &v, 1 + blocks_for(e->len) + spare, now)) {
        set_intent(&v, INTENT_NONE);
        return po_shard_leave(&v, APR_ENOSPC);
    }
    head = take(&v);
    fault(PO_FAULT_INSERT_HEAD);
    put_head(&v, head, &at->key, e, build_chain(&v, e->data, e->len));
    set_kind(&v, head, KIND_HEAD);      /* from here on it exists */
    fault(PO_FAULT_INSERT_EXISTS);
    link_head(&v, head);
    fault(PO_FAULT_INSERT_LINKED);
    v.s->live++;
    v.s->bytes += e->len;
    set_intent(&v, INTENT_NONE);
    fault(PO_FAULT_INSERT_DONE);
    return po_shard_leave(&v, APR_SUCCESS);
}

static void swap_key(const view *v, const place *at, const po_table_key *cookie, uint32_t now)
{
    change_begins(v);
    unlink_head(v, at->prev, at->ref);
    fault(PO_FAULT_START_UNLINKED);
    set(v, at->ref, KEY, cookie->word[0]);
    set(v, at->ref, KEY + 1, cookie->word[1]);
    fault(PO_FAULT_START_KEY);
    set_key(v, at->ref, cookie);
    set(v, at->ref, USED, now);
    set(v, at->ref, STATE, STATE_OPEN);
    link_head(v, at->ref);
    fault(PO_FAULT_START_LINKED);
    change_ends(v);
}

apr_status_t po_table_start(po_sessions *t, const po_table_ref *token, const po_table_key *cookie, uint32_t now)
{
    view v = view_of(t, token->shard);
    apr_status_t rv = po_shard_enter(&v);
    place at;

    if (rv != APR_SUCCESS)
        return rv;
    rv = locate_live(t, &v, &token->key, STATE_WAITING, now, &at);
    if (rv != APR_SUCCESS)
        return po_shard_leave(&v, rv);
    v.s->op_block = at.ref;
    v.s->op_key = token->key;
    set_intent(&v, INTENT_START);
    fault(PO_FAULT_START);
    swap_key(&v, &at, cookie, now);
    set_intent(&v, INTENT_NONE);
    fault(PO_FAULT_START_DONE);
    return po_shard_leave(&v, APR_SUCCESS);
}

static void swap_chain(const view *v, const place *at, uint32_t chain, uint32_t len)
{
    v->s->op_block = at->ref;
    v->s->op_chain = chain;
    v->s->op_len = len;
    set_intent(v, INTENT_REPLACE);      /* from here on it is the new data */
    fault(PO_FAULT_REPLACE);
    change_begins(v);
    set(v, at->ref, CHAIN, chain);
    fault(PO_FAULT_REPLACE_CHAIN);
    set(v, at->ref, LENGTH, len);
    give_chain(v, at->chain, PO_FAULT_REPLACE_DATA);
    v->s->bytes += len;
    v->s->bytes -= at->len;
    change_ends(v);
}

apr_status_t po_table_replace(po_sessions *t, const po_table_ref *ref, const void *data, uint32_t len, uint32_t now)
{
    view v = view_of(t, ref->shard);
    apr_status_t rv = po_shard_enter(&v);
    uint32_t chain;
    place at;

    if (rv != APR_SUCCESS)
        return rv;
    rv = locate_live(t, &v, &ref->key, STATE_OPEN, now, &at);
    if (rv != APR_SUCCESS)
        return po_shard_leave(&v, rv);
    set_intent(&v, INTENT_WRITE);
    if (!reserve(t, &v, blocks_for(len), now)) {
        set_intent(&v, INTENT_NONE);
        return po_shard_leave(&v, APR_ENOSPC);
    }
    chain = build_chain(&v, data, len);
    fault(PO_FAULT_REPLACE_BUILT);
    swap_chain(&v, &at, chain, len);
    set_intent(&v, INTENT_NONE);
    fault(PO_FAULT_REPLACE_DONE);
    return po_shard_leave(&v, APR_SUCCESS);
}

apr_status_t po_table_remove(po_sessions *t, const po_table_ref *ref)
{
    view v = view_of(t, ref->shard);
    apr_status_t rv = po_shard_enter(&v);
    place at;

    if (rv != APR_SUCCESS)
        return rv;
    rv = locate(&v, &ref->key, &at);
    if (rv == APR_SUCCESS) {
        set_intent(&v, INTENT_WRITE);
        drop(&v, at.prev, at.ref);
        set_intent(&v, INTENT_NONE);
    }
    return po_shard_leave(&v, rv);
}

void po_table_refused(po_sessions *t)
{
    atomic_fetch_add_explicit(&t->refused, 1, memory_order_relaxed);
}

