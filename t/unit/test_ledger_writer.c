/* test_ledger_writer.c - nothing acknowledged is lost: batches, stops, signals, full disks, bad files, kills. */
#include "ledger_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "apr_proc_mutex.h"

/* ---- the writer: helpers -------------------------------------------------------------------------------------- */

typedef struct {
    po_ledger *ledger;
    pthread_mutex_t gate;               /* the ledger's lock: who holds it stops the writer before its transaction */
    atomic_int locked, unlocked, asked, woken;
    char log[4096];
} writer;

static apr_status_t gate_lock(void *baton)
{
    writer *w = baton;

    atomic_fetch_add(&w->asked, 1);
    pthread_mutex_lock(&w->gate);
    atomic_fetch_add(&w->locked, 1);
    return APR_SUCCESS;
}

static void gate_unlock(void *baton)
{
    writer *w = baton;

    atomic_fetch_add(&w->unlocked, 1);
    pthread_mutex_unlock(&w->gate);
}

static void count_wake(void *baton)
{
    atomic_fetch_add(&((writer *)baton)->woken, 1);
}

static void keep_log(void *baton, int level, const char *message)
{
    writer *w = baton;
    size_t len = strlen(w->log);

    apr_snprintf(w->log + len, sizeof(w->log) - len, "%d %s\n", level, message);
}

static void open_writer(fixture *f, writer *w, int defer_signals)
{
    po_ledger_options o = { f->path, gate_lock, gate_unlock, count_wake, keep_log, w, defer_signals };

    memset(w, 0, sizeof(*w));
    pthread_mutex_init(&w->gate, NULL);
    assert_int_equal(po_ledger_open(&w->ledger, &o, f->p), APR_SUCCESS);
}

static void close_writer(writer *w)
{
    po_ledger_stop(w->ledger);
    assert_int_equal(po_ledger_stopped(w->ledger, -1), 1);
    assert_int_equal(atomic_load(&w->locked), atomic_load(&w->unlocked));
}

static void wait_for(atomic_int *n, int wanted)
{
    while (atomic_load(n) < wanted)
        apr_sleep(1000);
}

static apr_status_t insert_document(po_ledger_db *db, void *baton)
{
    po_document d = { SITE, "acme", baton, "test" };

    return po_document_insert(db, &d);
}

static int is_kept(fixture *f, const char *payload_id)
{
    po_document *d;
    apr_status_t rv = po_document_get(&f->db, SITE, payload_id, f->p, &d);

    assert_true(rv == APR_SUCCESS || rv == APR_NOTFOUND);
    return rv == APR_SUCCESS;
}

static apr_status_t insert_and_fail(po_ledger_db *db, void *baton)
{
    apr_status_t rv = insert_document(db, baton);

    return rv == APR_SUCCESS ? APR_EEXIST : rv;
}

typedef struct {
    char payload_id[32];
    po_ledger_fn *fn;
    atomic_int *finished;
    apr_status_t *rv;
} posted;

static apr_status_t run_posted(po_ledger_db *db, void *baton)
{
    posted *j = baton;

    return j->fn(db, j->payload_id);
}

static void posted_done(void *baton, apr_status_t rv)
{
    posted *j = baton;
    atomic_int *finished = j->finished;

    *j->rv = rv;
    free(j);
    atomic_fetch_add(finished, 1);
}

static void post(writer *w, const char *payload_id, po_ledger_fn *fn, atomic_int *finished, apr_status_t *rv)
{
    posted *j = calloc(1, sizeof(*j));

    strcpy(j->payload_id, payload_id);
    j->fn = fn;
    j->finished = finished;
    j->rv = rv;
    po_ledger_post(w->ledger, run_posted, j, posted_done);
}

/* ---- the writer ----------------------------------------------------------------------------------------------- */

static void a_job_is_seen_by_readers_when_its_caller_goes_on(void **state)
{
    fixture *f = *state;
    po_ledger_db *reader;
    po_document *d;
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_reader(&reader, f->path, f->p), APR_SUCCESS);
    assert_int_equal(po_document_get(reader, SITE, "p-1", f->p, &d), APR_NOTFOUND);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_SUCCESS);
    assert_int_equal(po_document_get(reader, SITE, "p-1", f->p, &d), APR_SUCCESS);
    close_writer(&w);
}

static void what_came_before_the_lock_was_taken_shares_a_transaction_and_a_failing_job_undoes_only_itself(void **state)
{
    fixture *f = *state;
    atomic_int finished = 0;
    apr_status_t rv[3];
    writer w;

    open_writer(f, &w, 0);
    pthread_mutex_lock(&w.gate);
    post(&w, "p-1", insert_document, &finished, &rv[0]);
    wait_for(&w.asked, 1);              /* the writer stands before the lock */
    post(&w, "p-2", insert_and_fail, &finished, &rv[1]);
    post(&w, "p-3", insert_document, &finished, &rv[2]);
    pthread_mutex_unlock(&w.gate);
    wait_for(&finished, 3);
    assert_int_equal(atomic_load(&w.locked), 1);
    assert_int_equal(rv[0], APR_SUCCESS);
    assert_int_equal(rv[1], APR_EEXIST);
    assert_int_equal(rv[2], APR_SUCCESS);
    assert_true(is_kept(f, "p-1"));
    assert_false(is_kept(f, "p-2"));
    assert_true(is_kept(f, "p-3"));
    close_writer(&w);
}

static void a_lone_job_that_fails_leaves_nothing(void **state)
{
    fixture *f = *state;
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, insert_and_fail, (void *)"p-1"), APR_EEXIST);
    assert_false(is_kept(f, "p-1"));
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-2"), APR_SUCCESS);
    close_writer(&w);
}

static apr_status_t add_event(po_ledger_db *db, void *baton)
{
    po_outbox_row row = { .key = baton, .site = SITE, .channel = "event", .request = baton };

    return po_outbox_add(db, &row, 0);
}

static apr_status_t add_event_and_fail(po_ledger_db *db, void *baton)
{
    apr_status_t rv = add_event(db, baton);

    return rv == APR_SUCCESS ? APR_EEXIST : rv;
}

static void the_deliverer_is_woken_when_there_is_something_to_deliver(void **state)
{
    fixture *f = *state;
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_SUCCESS);
    assert_int_equal(atomic_load(&w.woken), 0);
    assert_int_equal(po_ledger_run(w.ledger, add_event_and_fail, (void *)"evt-1"), APR_EEXIST);
    assert_int_equal(atomic_load(&w.woken), 0);
    assert_int_equal(po_ledger_run(w.ledger, add_event, (void *)"evt-1"), APR_SUCCESS);
    assert_int_equal(atomic_load(&w.woken), 1);
    close_writer(&w);
}

typedef struct {
    writer *w;
    int number, failed;
} caller;

enum { CALLERS = 16, JOBS = 25 };

static void *call_often(void *data)
{
    caller *c = data;
    char payload_id[32];
    int i;

    for (i = 0; i < JOBS; i++) {
        apr_snprintf(payload_id, sizeof(payload_id), "p-%d-%d", c->number, i);
        c->failed += po_ledger_run(c->w->ledger, i % 5 == 4 ? insert_and_fail : insert_document, payload_id)
                     != (i % 5 == 4 ? APR_EEXIST : APR_SUCCESS);
    }
    return NULL;
}

static void sixteen_callers_at_once_lose_nothing(void **state)
{
    fixture *f = *state;
    pthread_t threads[CALLERS];
    caller callers[CALLERS];
    writer w;
    int i;

    open_writer(f, &w, 0);
    for (i = 0; i < CALLERS; i++) {
        callers[i] = (caller){ &w, i };
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].failed, 0);
    }
    close_writer(&w);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM document"), CALLERS * JOBS / 5 * 4);
    assert_int_equal(number(&f->db, "SELECT count(DISTINCT payload_id) FROM document"), CALLERS * JOBS / 5 * 4);
}

static void what_is_queued_at_the_stop_is_still_done_and_nothing_after_it(void **state)
{
    fixture *f = *state;
    atomic_int finished = 0;
    apr_status_t rv[2];
    writer w;
    int early;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_stopped(w.ledger, 0), 1);        /* never begun */
    pthread_mutex_lock(&w.gate);
    post(&w, "p-1", insert_document, &finished, &rv[0]);
    post(&w, "p-2", insert_document, &finished, &rv[1]);
    po_ledger_stop(w.ledger);
    early = po_ledger_stopped(w.ledger, 10);
    pthread_mutex_unlock(&w.gate);
    assert_int_equal(early, 0);
    assert_int_equal(po_ledger_stopped(w.ledger, -1), 1);
    assert_int_equal(po_ledger_stopped(w.ledger, -1), 1);
    assert_int_equal(atomic_load(&finished), 2);
    assert_int_equal(rv[0], APR_SUCCESS);
    assert_int_equal(rv[1], APR_SUCCESS);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-3"), APR_EGENERAL);
    post(&w, "p-4", insert_document, &finished, &rv[0]);
    assert_int_equal(atomic_load(&finished), 3);
    assert_int_equal(rv[0], APR_EGENERAL);
    assert_int_equal(number(&f->db, "SELECT count(*) FROM document"), 2);
}

/* ---- signals -------------------------------------------------------------------------------------------------- */

static atomic_int terminated;

static void on_term(int signum)
{
    atomic_store(&terminated, 1);
}

static void *call_once(void *data)
{
    caller *c = data;

    c->failed = po_ledger_run(c->w->ledger, insert_document, (void *)"p-1") != APR_SUCCESS;
    return NULL;
}

static apr_status_t look_at_mask(po_ledger_db *db, void *baton)
{
    return pthread_sigmask(SIG_SETMASK, NULL, baton) ? APR_EGENERAL : APR_SUCCESS;
}

static void signals_wait_while_a_caller_of_prefork_holds_the_queue(void **state)
{
    fixture *f = *state;
    struct sigaction act = { .sa_handler = on_term }, old;
    pthread_t thread;
    sigset_t mask;
    writer w;
    caller c = { &w };
    int early;

    open_writer(f, &w, 1);
    sigaction(SIGTERM, &act, &old);
    atomic_store(&terminated, 0);
    pthread_mutex_lock(&w.gate);
    assert_int_equal(pthread_create(&thread, NULL, call_once, &c), 0);
    wait_for(&w.asked, 1);              /* so the caller waits */
    pthread_kill(thread, SIGTERM);
    apr_sleep(apr_time_from_msec(20));
    early = atomic_load(&terminated);
    pthread_mutex_unlock(&w.gate);
    pthread_join(thread, NULL);
    sigaction(SIGTERM, &old, NULL);
    assert_int_equal(early, 0);
    assert_int_equal(atomic_load(&terminated), 1);
    assert_int_equal(c.failed, 0);
    assert_int_equal(po_ledger_run(w.ledger, look_at_mask, &mask), APR_SUCCESS);
    assert_true(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGHUP) && sigismember(&mask, SIGUSR1));
    close_writer(&w);
}

/* ---- trouble -------------------------------------------------------------------------------------------------- */

static apr_status_t insert_large(po_ledger_db *db, void *baton)
{
    enum { SIZE = 300000 };
    po_document d = { SITE, "acme", baton, "test" };
    char *body = malloc(SIZE);
    apr_status_t rv;

    memset(body, 'x', SIZE);
    body[SIZE - 1] = '\0';
    d.body = body;
    rv = po_document_insert(db, &d);
    free(body);
    return rv;
}

static void a_disk_without_room_is_told_and_everything_works_again_afterwards(void **state)
{
    fixture *f = *state;
    struct rlimit old, small;
    void (*xfsz)(int) = signal(SIGXFSZ, SIG_IGN);
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_SUCCESS);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 200000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(po_ledger_run(w.ledger, insert_large, (void *)"p-2"), APR_EGENERAL);
    assert_int_equal(po_ledger_run(w.ledger, insert_large, (void *)"p-3"), APR_EGENERAL);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, xfsz);
    assert_contains(w.log, "check the disk");
    assert_int_equal(po_ledger_run(w.ledger, insert_large, (void *)"p-4"), APR_SUCCESS);
    assert_contains(w.log, "is written again");
    close_writer(&w);
    assert_true(is_kept(f, "p-1"));
    assert_false(is_kept(f, "p-2"));
    assert_false(is_kept(f, "p-3"));
    assert_true(is_kept(f, "p-4"));
    assert_int_equal(number(&f->db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

static apr_status_t limit_pages(po_ledger_db *db, void *baton)
{
    return sqlite3_exec(db->handle, baton, NULL, NULL, NULL) == SQLITE_OK ? APR_SUCCESS : APR_EGENERAL;
}

static void a_full_database_takes_the_whole_batch_with_it_and_says_so(void **state)
{
    fixture *f = *state;
    atomic_int finished = 0;
    apr_status_t rv[2];
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, limit_pages, (void *)"PRAGMA max_page_count=1"), APR_SUCCESS);
    pthread_mutex_lock(&w.gate);
    post(&w, "p-1", insert_document, &finished, &rv[0]);
    wait_for(&w.asked, 2);
    post(&w, "p-2", insert_large, &finished, &rv[1]);
    pthread_mutex_unlock(&w.gate);
    wait_for(&finished, 2);
    assert_int_equal(rv[1], APR_EGENERAL);
    assert_int_equal(rv[0] == APR_SUCCESS, is_kept(f, "p-1"));  /* whatever was answered is true */
    assert_false(is_kept(f, "p-2"));
    assert_contains(w.log, "full");
    assert_int_equal(po_ledger_run(w.ledger, limit_pages, (void *)"PRAGMA max_page_count=1000000"), APR_SUCCESS);
    assert_int_equal(po_ledger_run(w.ledger, insert_large, (void *)"p-3"), APR_SUCCESS);
    assert_true(is_kept(f, "p-3"));
    close_writer(&w);
}

static void a_missing_ledger_is_told_once_and_used_as_soon_as_it_is_there(void **state)
{
    fixture *f = *state;
    writer w;

    po_db_close(&f->db, 0);
    assert_int_equal(unlink(f->path), 0);
    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_EGENERAL);
    assert_contains(w.log, "it does not exist");
    w.log[0] = '\0';
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_EGENERAL);
    assert_string_equal(w.log, "");
    assert_null(po_ledger_migrate(f->path, f->p));
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_SUCCESS);
    close_writer(&w);
    assert_int_equal(po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE), SQLITE_OK);
    assert_true(is_kept(f, "p-1"));
}

static void a_replaced_file_is_noticed_and_the_new_one_is_written(void **state)
{
    fixture *f = *state;
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_SUCCESS);
    po_db_close(&f->db, 0);
    assert_int_equal(rename(f->path, apr_pstrcat(f->p, f->dir, "/old.db", NULL)), 0);
    unlink(apr_pstrcat(f->p, f->path, "-wal", NULL));
    unlink(apr_pstrcat(f->p, f->path, "-shm", NULL));
    assert_null(po_ledger_migrate(f->path, f->p));
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-2"), APR_SUCCESS);
    assert_contains(w.log, "replaced");
    close_writer(&w);
    assert_int_equal(po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE), SQLITE_OK);
    assert_false(is_kept(f, "p-1"));
    assert_true(is_kept(f, "p-2"));
}

static void a_damaged_file_is_refused_with_what_to_do(void **state)
{
    fixture *f = *state;
    int fd;
    char junk[8192];
    writer w;

    po_db_close(&f->db, 0);
    memset(junk, 'j', sizeof(junk));
    fd = open(f->path, O_WRONLY);
    assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
    close(fd);
    open_writer(f, &w, 0);
    assert_int_equal(po_ledger_run(w.ledger, insert_document, (void *)"p-1"), APR_EGENERAL);
    assert_contains(w.log, "damaged");
    assert_contains(w.log, "backup");
    assert_contains(po_ledger_migrate(f->path, f->p), "damaged");
    close_writer(&w);
}

static void a_stranger_that_holds_the_file_for_a_moment_is_waited_for(void **state)
{
    fixture *f = *state;
    atomic_int finished = 0;
    apr_status_t rv;
    writer w;

    open_writer(f, &w, 0);
    assert_int_equal(sqlite3_exec(f->db.handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    post(&w, "p-1", insert_document, &finished, &rv);
    wait_for(&w.locked, 1);
    apr_sleep(apr_time_from_msec(50));
    assert_int_equal(atomic_load(&finished), 0);
    assert_int_equal(sqlite3_exec(f->db.handle, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    wait_for(&finished, 1);
    assert_int_equal(rv, APR_SUCCESS);
    close_writer(&w);
}

/* ---- processes ------------------------------------------------------------------------------------------------ */

typedef struct {
    po_ledger *ledger;
    int number, count, pipe;
} worker;

static void *work(void *data)
{
    worker *k = data;
    char payload_id[32];
    int i, id;

    for (i = 0; i < k->count; i++) {
        id = k->number * 1000000 + i;
        apr_snprintf(payload_id, sizeof(payload_id), "p-%d", id);
        if (po_ledger_run(k->ledger, insert_document, payload_id) == APR_SUCCESS
            && write(k->pipe, &id, sizeof(id)) != sizeof(id))
            break;
    }
    return NULL;
}

static apr_status_t process_lock(void *baton)
{
    return apr_proc_mutex_lock(baton);
}

static void process_unlock(void *baton)
{
    apr_proc_mutex_unlock(baton);
}

/* In a child: four threads that write down in the pipe what was acknowledged. Doesn't return. */
static void be_child(fixture *f, int number_, int count, int fd, apr_proc_mutex_t *lock)
{
    po_ledger_options o = { .path = f->path, .baton = lock };
    worker workers[4];
    pthread_t threads[4];
    po_ledger *l;
    int i;

    if (lock) {
        o.lock = process_lock;
        o.unlock = process_unlock;
    }
    if (po_ledger_open(&l, &o, f->p) != APR_SUCCESS)
        _exit(1);
    for (i = 0; i < 4; i++) {
        workers[i] = (worker){ l, number_ * 4 + i, count, fd };
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            _exit(1);
    }
    for (i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    po_ledger_stop(l);
    po_ledger_stopped(l, -1);
    _exit(0);
}

/* Reads at most `most` numbers (0: all until the writers are gone) and appends them. */
static void read_acknowledged(int fd, apr_array_header_t *ids, int most)
{
    int id;

    while ((!most || ids->nelts < most) && read(fd, &id, sizeof(id)) == sizeof(id))
        APR_ARRAY_PUSH(ids, int) = id;
}

static void assert_all_kept(fixture *f, const apr_array_header_t *ids)
{
    int i;

    assert_int_equal(po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE), SQLITE_OK);
    for (i = 0; i < ids->nelts; i++)
        if (!is_kept(f, apr_psprintf(f->p, "p-%d", APR_ARRAY_IDX(ids, i, int))))
            fail_msg("job %d was acknowledged and is lost", APR_ARRAY_IDX(ids, i, int));
    assert_int_equal(number(&f->db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

static void whatever_was_acknowledged_survives_a_killed_process(void **state)
{
    fixture *f = *state;
    apr_array_header_t *ids = apr_array_make(f->p, 1000, sizeof(int));
    int fds[2], status, round;
    pid_t pid;

    po_db_close(&f->db, 0);             /* SQLite connections don't go over a fork */
    for (round = 0; round < 3; round++) {
        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            be_child(f, round, 1000000, fds[1], NULL);
        close(fds[1]);
        read_acknowledged(fds[0], ids, (round + 1) * 60);
        kill(pid, SIGKILL);
        read_acknowledged(fds[0], ids, 0);
        close(fds[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
    }
    assert_true(ids->nelts >= 180);
    assert_all_kept(f, ids);
}

static void two_processes_share_the_ledger_through_a_lock(void **state)
{
    fixture *f = *state;
    apr_array_header_t *ids = apr_array_make(f->p, 1000, sizeof(int));
    apr_proc_mutex_t *lock;
    int fds[2], status, i;
    pid_t pids[2];

    po_db_close(&f->db, 0);
    assert_int_equal(apr_proc_mutex_create(&lock, NULL, APR_LOCK_SYSVSEM, f->p), APR_SUCCESS);
    assert_int_equal(pipe(fds), 0);
    for (i = 0; i < 2; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            be_child(f, i, 50, fds[1], apr_proc_mutex_child_init(&lock, NULL, f->p) == APR_SUCCESS ? lock : NULL);
    }
    close(fds[1]);
    read_acknowledged(fds[0], ids, 0);
    close(fds[0]);
    for (i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(ids->nelts, 2 * 4 * 50);
    assert_all_kept(f, ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_job_is_seen_by_readers_when_its_caller_goes_on),
        T(what_came_before_the_lock_was_taken_shares_a_transaction_and_a_failing_job_undoes_only_itself),
        T(a_lone_job_that_fails_leaves_nothing),
        T(the_deliverer_is_woken_when_there_is_something_to_deliver),
        T(sixteen_callers_at_once_lose_nothing),
        T(what_is_queued_at_the_stop_is_still_done_and_nothing_after_it),
        T(signals_wait_while_a_caller_of_prefork_holds_the_queue),
        T(a_disk_without_room_is_told_and_everything_works_again_afterwards),
        T(a_full_database_takes_the_whole_batch_with_it_and_says_so),
        T(a_missing_ledger_is_told_once_and_used_as_soon_as_it_is_there),
        T(a_replaced_file_is_noticed_and_the_new_one_is_written),
        T(a_damaged_file_is_refused_with_what_to_do),
        T(a_stranger_that_holds_the_file_for_a_moment_is_waited_for),
        T(whatever_was_acknowledged_survives_a_killed_process),
        T(two_processes_share_the_ledger_through_a_lock),
    };

    apr_initialize();
    atexit(apr_terminate);
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
