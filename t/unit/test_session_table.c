/* test_session_table.c - the session store under many at once, and when processes die in it. */
#include "session_store.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- many at once --------------------------------------------------------------------------------------------- */

#define RACES 200
#define THREADS 8
#define PROCESSES 4

typedef struct {
    po_sessions *store;
    const char (*tokens)[PO_TOKEN_TEXT + 1];
    pthread_barrier_t *gate;
    int won[RACES];
} racer;

static void race(racer *r)
{
    po_crypto *crypto = po_crypto_create();
    char cookie[PO_TOKEN_TEXT + 1];
    apr_pool_t *pool;
    po_session s;
    int i;

    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    for (i = 0; i < RACES; i++) {
        pthread_barrier_wait(r->gate);
        r->won[i] = po_session_start(r->store, crypto, r->tokens[i], T0, cookie, &s, pool) == APR_SUCCESS
            && po_session_find(r->store, crypto, cookie, T0, &s, pool) == APR_SUCCESS;
    }
    apr_pool_destroy(pool);
    po_crypto_destroy(crypto);
}

static void *race_in_thread(void *data)
{
    race(data);
    return NULL;
}

static void exactly_one_of_8_threads_spends_a_token(void **state)
{
    fixture *f = *state;
    char (*tokens)[PO_TOKEN_TEXT + 1] = apr_palloc(f->pool, RACES * sizeof(*tokens));
    pthread_barrier_t gate;
    racer racers[THREADS];
    pthread_t threads[THREADS];
    int i, j;

    for (i = 0; i < RACES; i++)
        insert(f, "ines", tokens[i]);
    pthread_barrier_init(&gate, NULL, THREADS);
    for (i = 0; i < THREADS; i++) {
        racers[i].store = f->store;
        racers[i].tokens = (const char (*)[PO_TOKEN_TEXT + 1])tokens;
        racers[i].gate = &gate;
        assert_int_equal(pthread_create(&threads[i], NULL, race_in_thread, &racers[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&gate);
    for (j = 0; j < RACES; j++) {
        int winners = 0;

        for (i = 0; i < THREADS; i++)
            winners += racers[i].won[j];
        assert_int_equal(winners, 1);
    }
    assert_int_equal(whole(f).live, RACES);
}

static void *shared_memory(apr_size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    return p;
}

static void exactly_one_of_4_processes_spends_a_token(void **state)
{
    fixture *f = *state;
    char (*tokens)[PO_TOKEN_TEXT + 1] = apr_palloc(f->pool, RACES * sizeof(*tokens));
    racer *racers = shared_memory(PROCESSES * sizeof(*racers));
    pthread_barrier_t *gate = shared_memory(sizeof(*gate));
    pthread_barrierattr_t shared;
    pid_t pids[PROCESSES];
    int i, j, status;

    for (i = 0; i < RACES; i++)
        insert(f, "ines", tokens[i]);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(gate, &shared, PROCESSES);
    for (i = 0; i < PROCESSES; i++) {
        racers[i].store = f->store;
        racers[i].tokens = (const char (*)[PO_TOKEN_TEXT + 1])tokens;
        racers[i].gate = gate;
        if ((pids[i] = fork()) == 0) {
            race(&racers[i]);
            _exit(0);
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (j = 0; j < RACES; j++) {
        int winners = 0;

        for (i = 0; i < PROCESSES; i++)
            winners += racers[i].won[j];
        assert_int_equal(winners, 1);
    }
    assert_int_equal(whole(f).live, RACES);
    munmap(gate, sizeof(*gate));
    munmap(racers, PROCESSES * sizeof(*racers));
}

typedef struct {
    po_sessions *store;
    const char *cookie;
    _Atomic int *stop;
    unsigned found, torn;
} watcher;

/* account and account_email are always written as the same text */
static void *watch(void *data)
{
    watcher *w = data;
    po_crypto *crypto = po_crypto_create();
    apr_pool_t *pool;
    po_session s;

    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    while (!*w->stop) {
        if (po_session_find(w->store, crypto, w->cookie, T0, &s, pool) != APR_SUCCESS
            || strcmp(s.account, s.account_email) || strcmp(s.user, "ines"))
            w->torn++;
        w->found++;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    po_crypto_destroy(crypto);
    return NULL;
}

static void a_reader_never_sees_half_of_a_change(void **state)
{
    fixture *f = *state;
    char cookie[PO_TOKEN_TEXT + 1], churn[PO_TOKEN_TEXT + 1], text[600];
    _Atomic int stop = 0;
    watcher w[2] = { { f->store, cookie, &stop }, { f->store, cookie, &stop } };
    pthread_t threads[2];
    int i;

    open_session(f, "ines", cookie);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &w[i]), 0);
    for (i = 0; i < 20000; i++) {
        memset(text, 'a' + i % 26, (apr_size_t)(i % 590));
        text[i % 590] = '\0';
        assert_int_equal(po_session_bind(f->store, f->crypto, cookie, text, text, 0, T0), APR_SUCCESS);
        if (i % 4 == 0) {
            open_session(f, "otto", churn);
            assert_int_equal(po_session_remove(f->store, f->crypto, churn), APR_SUCCESS);
        }
        apr_pool_clear(f->pool);
    }
    stop = 1;
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(w[i].found > 0);
        assert_int_equal(w[i].torn, 0);
    }
    whole(f);
}

/* ---- death in the middle -------------------------------------------------------------------------------------- */

static int die_at, die_after;

static void die(int at)
{
    if (at == die_at && die_after-- == 0)
        kill(getpid(), SIGKILL);
}

typedef void work(fixture *f, void *baton);

/* Runs work in a child that is killed at that point; 0 when it never came there. */
static int killed_at(fixture *f, int at, int after, work *fn, void *baton)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        die_at = at;
        die_after = after;
        po_table_fault = die;
        fn(f, baton);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return 1;
    }
    assert_int_equal(status, 0);
    return 0;
}

typedef struct {                        /* a shard to die in, with neighbours that must not suffer */
    po_table_ref ref, cookie;
    po_table_ref neighbour[8];
} scene;

static po_table_ref ref_of(unsigned n)
{
    po_table_ref r = { 3, { { n * 2654435761u, n, 0, 1 } } };

    return r;
}

#define TEN(c) c c c c c c c c c c
static const char text_a[] = TEN(TEN("aaa"));   /* 5 data blocks */
static const char text_b[] = TEN(TEN("b")) TEN("bb");   /* 2 */

#define NOW 1800000000u

static void put(fixture *f, const po_table_ref *ref, const char *text)
{
    po_table_entry e = { "id-id-id-id-id-id-id-id", NOW, text, (uint32_t)strlen(text) };

    assert_int_equal(po_table_insert(f->store, ref, &e, NOW), APR_SUCCESS);
}

static void *room_in_buffer(void *baton, apr_size_t len)
{
    assert_true(len < 1024);
    return baton;
}

/* The data of an open session, or NULL. */
static const char *data_at(fixture *f, const po_table_ref *ref)
{
    static char buffer[1024];
    po_table_entry e;

    if (po_table_find(f->store, ref, NOW, &e, room_in_buffer, buffer) != APR_SUCCESS)
        return NULL;
    assert_memory_equal(e.id, "id-id-id-id-id-id-id-id", PO_TOKEN_TEXT);
    buffer[e.len] = '\0';
    return buffer;
}

static void prepare(fixture *f, scene *s)
{
    unsigned i;

    s->ref = ref_of(1);
    s->cookie = ref_of(2);
    for (i = 0; i < 8; i++) {
        po_table_ref token = ref_of(100 + i);

        s->neighbour[i] = ref_of(200 + i);
        put(f, &token, text_b);
        assert_int_equal(po_table_start(f->store, &token, &s->neighbour[i].key, NOW), APR_SUCCESS);
    }
}

/* The next caller is served, everything is whole, and the neighbours are as they were. */
static void assert_recovered(fixture *f, const scene *s)
{
    po_table_ref fresh = ref_of(300);
    unsigned i;

    put(f, &fresh, text_a);
    assert_int_equal(po_table_remove(f->store, &fresh), APR_SUCCESS);
    whole(f);
    for (i = 0; i < 8; i++)
        assert_string_equal(data_at(f, &s->neighbour[i]), text_b);
}

static void work_insert(fixture *f, void *baton)
{
    put(f, &((scene *)baton)->ref, text_a);
}

static void an_insert_that_is_killed_anywhere_leaves_a_whole_session_or_none(void **state)
{
    static const struct { int at, after, exists; } cases[] = {
        { PO_FAULT_INSERT, 0, 0 }, { PO_FAULT_INSERT_HEAD, 0, 0 }, { PO_FAULT_BUILD_DATA, 0, 0 },
        { PO_FAULT_BUILD_DATA, 1, 0 }, { PO_FAULT_BUILD_DATA, 3, 0 }, { PO_FAULT_INSERT_EXISTS, 0, 1 },
        { PO_FAULT_INSERT_LINKED, 0, 1 }, { PO_FAULT_INSERT_DONE, 0, 1 }
    };
    fixture *f = *state;
    unsigned i;
    scene s;

    prepare(f, &s);
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        apr_uint64_t blocks = whole(f).used_blocks;

        assert_true(killed_at(f, cases[i].at, cases[i].after, work_insert, &s));
        assert_recovered(f, &s);
        if (cases[i].exists) {
            assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
            assert_string_equal(data_at(f, &s.cookie), text_a);
            assert_int_equal(po_table_remove(f->store, &s.cookie), APR_SUCCESS);
        }
        else
            assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_NOTFOUND);
        assert_int_equal(whole(f).used_blocks, blocks);
    }
}

static void work_remove(fixture *f, void *baton)
{
    po_table_remove(f->store, &((scene *)baton)->ref);
}

static void a_removal_that_is_killed_anywhere_has_removed(void **state)
{
    static const int cases[][2] = { { PO_FAULT_DROP_GONE, 0 }, { PO_FAULT_DROP_DATA, 0 }, { PO_FAULT_DROP_DATA, 3 } };
    fixture *f = *state;
    unsigned i;
    scene s;

    prepare(f, &s);
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        apr_uint64_t blocks = whole(f).used_blocks;

        put(f, &s.ref, text_a);
        assert_true(killed_at(f, cases[i][0], cases[i][1], work_remove, &s));
        assert_recovered(f, &s);
        assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_NOTFOUND);
        assert_int_equal(whole(f).used_blocks, blocks);
    }
}

static void work_start(fixture *f, void *baton)
{
    scene *s = baton;

    po_table_start(f->store, &s->ref, &s->cookie.key, NOW);
}

static void a_start_that_is_killed_leaves_the_token_unspent_or_the_session_open(void **state)
{
    static const struct { int at, open; } cases[] = {
        { PO_FAULT_START, 0 }, { PO_FAULT_START_UNLINKED, 0 }, { PO_FAULT_START_KEY, 0 }, { PO_FAULT_START_LINKED, 0 },
        { PO_FAULT_START_DONE, 1 }
    };
    fixture *f = *state;
    unsigned i;
    scene s;

    prepare(f, &s);
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put(f, &s.ref, text_a);
        assert_true(killed_at(f, cases[i].at, 0, work_start, &s));
        assert_recovered(f, &s);
        if (cases[i].open)
            assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_NOTFOUND);
        else {
            assert_null(data_at(f, &s.cookie));
            assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
        }
        assert_string_equal(data_at(f, &s.cookie), text_a);
        assert_int_equal(po_table_remove(f->store, &s.cookie), APR_SUCCESS);
    }
}

static void work_replace(fixture *f, void *baton)
{
    po_table_replace(f->store, &((scene *)baton)->cookie, text_b, (uint32_t)strlen(text_b), NOW);
}

static void a_change_that_is_killed_anywhere_leaves_the_old_or_the_new_data(void **state)
{
    static const struct { int at, after; const char *data; } cases[] = {
        { PO_FAULT_BUILD_DATA, 0, text_a }, { PO_FAULT_BUILD_DATA, 1, text_a }, { PO_FAULT_REPLACE_BUILT, 0, text_a },
        { PO_FAULT_REPLACE, 0, text_b }, { PO_FAULT_REPLACE_CHAIN, 0, text_b }, { PO_FAULT_REPLACE_DATA, 0, text_b },
        { PO_FAULT_REPLACE_DATA, 3, text_b }, { PO_FAULT_REPLACE_DONE, 0, text_b }
    };
    fixture *f = *state;
    unsigned i;
    scene s;

    prepare(f, &s);
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put(f, &s.ref, text_a);
        assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
        assert_true(killed_at(f, cases[i].at, cases[i].after, work_replace, &s));
        assert_recovered(f, &s);
        assert_string_equal(data_at(f, &s.cookie), cases[i].data);
        assert_int_equal(po_table_remove(f->store, &s.cookie), APR_SUCCESS);
    }
}

static void a_reader_is_served_though_a_writer_died_in_front_of_it(void **state)
{
    fixture *f = *state;
    apr_uint64_t repairs;
    scene s;

    prepare(f, &s);
    put(f, &s.ref, text_a);
    repairs = whole(f).repairs;
    assert_true(killed_at(f, PO_FAULT_START_KEY, 0, work_start, &s));
    assert_string_equal(data_at(f, &s.neighbour[0]), text_b);
    assert_int_equal(whole(f).repairs, repairs + 1);
}

static void a_repair_that_is_killed_is_repaired(void **state)
{
    fixture *f = *state;
    scene s;

    prepare(f, &s);
    put(f, &s.ref, text_a);
    assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
    assert_true(killed_at(f, PO_FAULT_REPLACE_CHAIN, 0, work_replace, &s));
    assert_true(killed_at(f, PO_FAULT_REPAIR, 0, work_insert, &s));
    assert_true(killed_at(f, PO_FAULT_REPAIR, 0, work_remove, &s));
    assert_recovered(f, &s);
    assert_string_equal(data_at(f, &s.cookie), text_b);
}

/* ---- a change in the middle of a read ------------------------------------------------------------------------- */

typedef struct {
    fixture *f;
    const scene *s;
    work *meanwhile;                    /* done once, after the session was found and before its data is copied */
    apr_size_t room;                    /* what was asked for last */
    char buffer[1024];
} interrupted;

static void *room_with_a_change(void *baton, apr_size_t len)
{
    interrupted *in = baton;
    work *now = in->meanwhile;

    in->meanwhile = NULL;
    if (now)
        now(in->f, (void *)(uintptr_t)in->s);
    in->room = len;
    assert_true(len < sizeof(in->buffer));
    return in->buffer;
}

static apr_status_t find_while(fixture *f, const scene *s, work *meanwhile, interrupted *in, po_table_entry *e)
{
    in->f = f;
    in->s = s;
    in->meanwhile = meanwhile;
    return po_table_find(f->store, &s->cookie, NOW, e, room_with_a_change, in);
}

static void work_replaced_by_another(fixture *f, void *baton)
{
    scene *s = baton;

    assert_int_equal(po_table_remove(f->store, &s->cookie), APR_SUCCESS);
    put(f, &s->ref, text_b);
}

static void a_reader_gets_the_new_data_when_it_changes_under_it(void **state)
{
    fixture *f = *state;
    po_table_entry e;
    interrupted in;
    scene s;

    prepare(f, &s);
    put(f, &s.ref, text_a);
    assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
    assert_int_equal(find_while(f, &s, work_replace, &in, &e), APR_SUCCESS);
    assert_null(in.meanwhile);
    assert_int_equal(e.len, strlen(text_b));
    assert_memory_equal(e.data, text_b, e.len);
}

static void work_replace_by_more(fixture *f, void *baton)
{
    scene *s = baton;

    assert_int_equal(po_table_replace(f->store, &s->cookie, text_a, (uint32_t)strlen(text_a), NOW), APR_SUCCESS);
}

static void a_reader_asks_for_more_room_when_the_data_grows_under_it(void **state)
{
    fixture *f = *state;
    po_table_entry e;
    interrupted in;
    scene s;

    prepare(f, &s);
    put(f, &s.ref, text_b);
    assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
    assert_int_equal(find_while(f, &s, work_replace_by_more, &in, &e), APR_SUCCESS);
    assert_int_equal(e.len, strlen(text_a));
    assert_int_equal(in.room, e.len);
    assert_memory_equal(e.data, text_a, e.len);
}

static void a_reader_never_gets_the_data_of_another_session(void **state)
{
    fixture *f = *state;
    po_table_entry e;
    interrupted in;
    scene s;

    prepare(f, &s);
    put(f, &s.ref, text_a);
    assert_int_equal(po_table_start(f->store, &s.ref, &s.cookie.key, NOW), APR_SUCCESS);
    assert_int_equal(find_while(f, &s, work_replaced_by_another, &in, &e), APR_NOTFOUND);
    assert_null(in.meanwhile);
}

#define IN(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(exactly_one_of_8_threads_spends_a_token),
        IN(exactly_one_of_4_processes_spends_a_token),
        IN(a_reader_never_sees_half_of_a_change),
        IN(an_insert_that_is_killed_anywhere_leaves_a_whole_session_or_none),
        IN(a_removal_that_is_killed_anywhere_has_removed),
        IN(a_start_that_is_killed_leaves_the_token_unspent_or_the_session_open),
        IN(a_change_that_is_killed_anywhere_leaves_the_old_or_the_new_data),
        IN(a_reader_is_served_though_a_writer_died_in_front_of_it),
        IN(a_repair_that_is_killed_is_repaired),
        IN(a_reader_gets_the_new_data_when_it_changes_under_it),
        IN(a_reader_asks_for_more_room_when_the_data_grows_under_it),
        IN(a_reader_never_gets_the_data_of_another_session),
    };
    int rc;

    apr_initialize();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return rc;
}
