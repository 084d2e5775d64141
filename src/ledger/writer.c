/* writer.c - the writer thread of a process: many jobs, one transaction.
 *
 * A caller queues its job and sleeps on a condition of its own. The thread takes the cross-process lock (so that SQLite
 * never says BUSY between children), then the whole queue, runs every job in a savepoint, commits once and wakes the
 * callers. While it waits for the disk, the next batch gathers.
 *
 * A job that fails undoes itself alone. A transaction that fails (disk full, a broken file) is not tried again: nothing
 * of it is kept, every caller of it gets APR_EGENERAL, and what sent the document sends it again.
 */
#include "ledger/ledger_private.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GATHER_ROUNDS 8
#define LOG_PAUSE apr_time_from_sec(10) /* between two lines about the same trouble */

typedef struct job {
    struct job *next;
    po_ledger_fn *fn;
    void *baton;
    void (*done)(void *baton, apr_status_t rv);         /* po_ledger_post(): the job is malloc'd, nobody waits */
    pthread_cond_t finished;                            /* po_ledger_run(): the job is the caller's */
    int is_finished;
    int synced;                                         /* the caller goes on only when it is on disk */
    int wakes;
    apr_status_t rv;
} job;

struct po_ledger {
    po_ledger_options options;
    pthread_mutex_t lock;               /* queue, is_finished of every job, has_thread, ended */
    sem_t more;                         /* no condition: sem_post() may be called in a signal handler */
    job *head, **tail;
    int queued;
    int has_thread, ended;              /* ended: the thread has taken its last job */
    pthread_t thread;
    atomic_int stopping, started, exited, joined;

    /* the writer thread's own */
    po_ledger_db db;
    apr_uint64_t jobs, batches;
    int expected;                       /* how many jobs the last batch had */
    int synced;                         /* how the connection commits at the moment */
    int trouble;                        /* the SQLite code that was logged last; SQLITE_OK: all is well */
    apr_time_t logged;
};

/* ---- log ------------------------------------------------------------------------------------------------------ */

static void say(po_ledger *l, int level, const char *text)
{
    if (l->options.log)
        l->options.log(l->options.baton, level, text);
}

/* Each batch of a broken ledger fails: the log gets a line about it now and then, not each time. */
static void complain(po_ledger *l, int rc, const char *says)
{
    char text[1024];
    apr_time_t now = apr_time_now();

    if (l->trouble == rc && now - l->logged < LOG_PAUSE)
        return;
    l->trouble = rc;
    l->logged = now;
    say(l, 0, po_db_explain(l->options.path, rc, says, text, sizeof(text)));
}

static void all_is_well(po_ledger *l)
{
    char text[512];

    if (l->trouble == SQLITE_OK)
        return;
    l->trouble = SQLITE_OK;
    apr_snprintf(text, sizeof(text), "ledger %s is written again", l->options.path);
    say(l, 2, text);
}

/* ---- the transaction ------------------------------------------------------------------------------------------ */

static int connected(po_ledger *l)
{
    char text[512];
    int rc;

    if (l->db.handle && !po_db_in_place(&l->db, l->options.path)) {
        apr_snprintf(text, sizeof(text), "ledger %s was moved, deleted or replaced while in use; it is opened anew. "
                     "Stop httpd before you do that: what was written last may be in the old file", l->options.path);
        say(l, 1, text);
        po_db_close(&l->db, 1);
    }
    if (l->db.handle)
        return 1;
    rc = po_db_open(&l->db, l->options.path, SQLITE_OPEN_READWRITE);
    l->synced = 1;
    if (rc != SQLITE_OK)
        complain(l, rc, NULL);
    return rc == SQLITE_OK;
}

/* 0 when the whole transaction is lost with it. */
static int run_job(po_ledger *l, job *j)
{
    po_ledger_db *db = &l->db;
    char text[512];

    db->rc = SQLITE_OK;
    db->wakes = 0;
    j->rv = j->fn(db, j->baton);
    j->wakes = j->rv == APR_SUCCESS && db->wakes;
    if (sqlite3_get_autocommit(db->handle))     /* SQLite rolled everything back: disk full, I/O error */
        return 0;
    if (j->rv == APR_SUCCESS || db->rc == SQLITE_OK)
        return 1;
    if (po_db_is_broken(db->rc))
        return 0;
    apr_snprintf(text, sizeof(text), "a job for ledger %s failed and is undone: SQLite %d: %s", l->options.path, db->rc,
                 sqlite3_errmsg(db->handle));
    say(l, 0, text);
    return 1;
}

/* 0 when the transaction is lost. A lone job needs no savepoint: to undo it is to roll back. */
static int run_jobs(po_ledger *l, job *list)
{
    po_ledger_db *db = &l->db;
    int alone = !list->next;
    job *j;

    for (j = list; j; j = j->next) {
        if (!alone && po_run(db, PO_SQL_SAVEPOINT, "SAVEPOINT job") != APR_SUCCESS)
            return 0;
        if (!run_job(l, j))
            return 0;
        if (alone)
            return j->rv == APR_SUCCESS || po_run(db, PO_SQL_ROLLBACK, "ROLLBACK") == APR_SUCCESS;
        if (j->rv != APR_SUCCESS && po_run(db, PO_SQL_UNDO, "ROLLBACK TO job") != APR_SUCCESS)
            return 0;
        if (po_run(db, PO_SQL_RELEASE, "RELEASE job") != APR_SUCCESS)
            return 0;
    }
    return 1;
}

/* One job that must be on disk puts its whole transaction there. In WAL mode NORMAL leaves the file whole whatever happens;
 * a power failure takes the last transactions only. */
static int choose_sync(po_ledger *l, const job *list)
{
    int synced = 0, rc;

    for (; list; list = list->next)
        synced |= list->synced;
    if (synced == l->synced)
        return SQLITE_OK;
    rc = sqlite3_exec(l->db.handle, synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        l->synced = synced;
    return rc;
}

/* All jobs of the list in one transaction; 1 when what they did is committed, on disk if one of them must be. */
static int transaction(po_ledger *l, job *list)
{
    po_ledger_db *db = &l->db;
    const char *says = NULL;
    int ok, rc;

    db->rc = choose_sync(l, list);
    ok = db->rc == SQLITE_OK && po_run(db, PO_SQL_BEGIN, "BEGIN IMMEDIATE") == APR_SUCCESS && run_jobs(l, list);
    if (ok && !sqlite3_get_autocommit(db->handle))
        ok = po_run(db, PO_SQL_COMMIT, "COMMIT") == APR_SUCCESS;
    if (ok) {
        all_is_well(l);
        return 1;
    }
    rc = db->rc != SQLITE_OK ? db->rc : SQLITE_ERROR;
    says = sqlite3_errmsg(db->handle);
    complain(l, rc, says);
    if (!sqlite3_get_autocommit(db->handle))
        po_run(db, PO_SQL_ROLLBACK, "ROLLBACK");
    if (po_db_is_broken(rc))
        po_db_close(db, 0);
    return 0;
}

/* ---- the queue ------------------------------------------------------------------------------------------------ */

static job *take_all(po_ledger *l)
{
    job *list;

    while (sem_trywait(&l->more) == 0)
        ;                               /* one look at the queue answers for all that were posted before it */
    pthread_mutex_lock(&l->lock);
    list = l->head;
    l->head = NULL;
    l->tail = &l->head;
    l->queued = 0;
    pthread_mutex_unlock(&l->lock);
    return list;
}

static int queued(po_ledger *l)
{
    int n;

    pthread_mutex_lock(&l->lock);
    n = l->queued;
    pthread_mutex_unlock(&l->lock);
    return n;
}

/* The callers of the last batch were woken a moment ago and may be about to queue again: let them run first, as long as
 * they are as many as before. On an idle machine, or with one caller, this costs nothing. */
static void gather(po_ledger *l)
{
    int i;

    for (i = 0; i < GATHER_ROUNDS && queued(l) < l->expected; i++)
        sched_yield();
}

static void finish(po_ledger *l, job *list, int committed)
{
    job *j, *next, *posted = NULL;

    pthread_mutex_lock(&l->lock);
    for (j = list; j; j = next) {
        next = j->next;
        if (!committed)
            j->rv = APR_EGENERAL;
        if (j->done) {
            j->next = posted;
            posted = j;
            continue;
        }
        j->is_finished = 1;
        pthread_cond_signal(&j->finished);      /* j is gone once the lock is free */
    }
    pthread_mutex_unlock(&l->lock);
    for (j = posted; j; j = next) {
        next = j->next;
        j->done(j->baton, j->rv);
        free(j);
    }
}

static void run_batch(po_ledger *l)
{
    const po_ledger_options *o = &l->options;
    apr_status_t rv;
    job *list, *j;
    int committed = 0, wakes = 0, n = 0;

    gather(l);
    rv = o->lock ? o->lock(o->baton) : APR_SUCCESS;
    list = take_all(l);                 /* only with the lock: what came meanwhile travels along */
    if (rv == APR_SUCCESS) {
        committed = list && connected(l) && transaction(l, list);
        if (o->unlock)
            o->unlock(o->baton);
    }
    else
        say(l, 0, "the lock around the ledger can't be taken, nothing is written: restart httpd (the Mutex directive "
            "says which kind of lock it is)");
    for (j = list; j; j = j->next) {
        n++;
        wakes = wakes || j->wakes;
    }
    l->expected = n;
    l->jobs += (apr_uint64_t)n;
    l->batches++;
    if (committed && wakes && o->outbox)
        o->outbox(o->baton);
    finish(l, list, committed);
}

/* 1 when nothing is left to do and nothing will come. */
static int at_end(po_ledger *l)
{
    int end;

    pthread_mutex_lock(&l->lock);
    end = !l->head && atomic_load(&l->stopping);
    l->ended = end;
    pthread_mutex_unlock(&l->lock);
    return end;
}

static void *writer_main(void *data)
{
    po_ledger *l = data;
    char text[512];

    for (;;) {
        while (sem_wait(&l->more) != 0 && errno == EINTR)
            ;
        if (queued(l) > 0)
            run_batch(l);
        if (at_end(l))
            break;
    }
    if (l->db.handle)
        po_db_close(&l->db, !po_db_in_place(&l->db, l->options.path));
    apr_snprintf(text, sizeof(text), "ledger %s: %" APR_UINT64_T_FMT " jobs in %" APR_UINT64_T_FMT " transactions",
                 l->options.path, l->jobs, l->batches);
    say(l, 2, text);
    atomic_store(&l->exited, 1);
    return NULL;
}

/* ---- callers -------------------------------------------------------------------------------------------------- */

/* At the first job: most children of prefork never need it. With the lock held. */
static int start_thread(po_ledger *l)
{
    sigset_t all, old;

    if (l->has_thread)
        return 1;
    if (atomic_load(&l->stopping))
        return 0;
    sigfillset(&all);                   /* inherited: there is no moment in which the thread could get a signal */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    l->has_thread = pthread_create(&l->thread, NULL, writer_main, l) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (l->has_thread)
        atomic_store(&l->started, 1);
    else
        say(l, 0, "the ledger's writer thread can't be made: raise the limit of threads of the server's user");
    return l->has_thread;
}

static int enqueue(po_ledger *l, job *j)
{
    if (l->ended || !start_thread(l))
        return 0;
    j->next = NULL;
    *l->tail = j;
    l->tail = &j->next;
    if (l->queued++ == 0)
        sem_post(&l->more);
    return 1;
}

/* prefork's SIGTERM handler tears the child down from within: it must not interrupt a thread that holds the queue. */
static void defer_signals(const po_ledger *l, sigset_t *old)
{
    sigset_t die;

    if (!l->options.defer_signals)
        return;
    sigemptyset(&die);
    sigaddset(&die, SIGTERM);
    sigaddset(&die, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &die, old);
}

static void allow_signals(const po_ledger *l, const sigset_t *old)
{
    if (l->options.defer_signals)
        pthread_sigmask(SIG_SETMASK, old, NULL);
}

static apr_status_t run_and_wait(po_ledger *l, po_ledger_fn *fn, void *baton, int synced)
{
    job j = { .fn = fn, .baton = baton, .finished = PTHREAD_COND_INITIALIZER, .synced = synced, .rv = APR_EGENERAL };
    sigset_t old;
    int is_queued;

    defer_signals(l, &old);
    pthread_mutex_lock(&l->lock);
    is_queued = enqueue(l, &j);
    while (is_queued && !j.is_finished)
        pthread_cond_wait(&j.finished, &l->lock);
    pthread_mutex_unlock(&l->lock);
    pthread_cond_destroy(&j.finished);
    allow_signals(l, &old);
    return j.rv;
}

apr_status_t po_ledger_run(po_ledger *l, po_ledger_fn *fn, void *baton)
{
    return run_and_wait(l, fn, baton, 1);
}

apr_status_t po_ledger_run_unsynced(po_ledger *l, po_ledger_fn *fn, void *baton)
{
    return run_and_wait(l, fn, baton, 0);
}

void po_ledger_post(po_ledger *l, po_ledger_fn *fn, void *baton, void (*done)(void *baton, apr_status_t rv))
{
    job *j = calloc(1, sizeof(*j));
    sigset_t old;
    int is_queued = 0;

    if (j) {
        j->fn = fn;
        j->baton = baton;
        j->done = done;
        defer_signals(l, &old);
        pthread_mutex_lock(&l->lock);
        is_queued = enqueue(l, j);
        pthread_mutex_unlock(&l->lock);
        allow_signals(l, &old);
    }
    if (!is_queued) {
        free(j);
        done(baton, APR_EGENERAL);
    }
}

/* ---- beginning and end ---------------------------------------------------------------------------------------- */

/* Before the pool that holds the object dies. */
static apr_status_t leave(void *data)
{
    po_ledger *l = data;

    po_ledger_stop(l);
    po_ledger_stopped(l, -1);
    sem_destroy(&l->more);
    pthread_mutex_destroy(&l->lock);
    return APR_SUCCESS;
}

apr_status_t po_ledger_open(po_ledger **out, const po_ledger_options *o, apr_pool_t *p)
{
    po_ledger *l = apr_pcalloc(p, sizeof(*l));

    l->options = *o;
    l->options.path = apr_pstrdup(p, o->path);
    l->tail = &l->head;
    if (sem_init(&l->more, 0, 0) != 0)
        return errno;
    pthread_mutex_init(&l->lock, NULL);
    apr_pool_pre_cleanup_register(p, l, leave);
    *out = l;
    return APR_SUCCESS;
}

void po_ledger_stop(po_ledger *l)
{
    atomic_store(&l->stopping, 1);
    sem_post(&l->more);
}

int po_ledger_stopped(po_ledger *l, int wait_ms)
{
    int waited = 0;

    if (!atomic_load(&l->started))
        return 1;
    while (wait_ms >= 0 && !atomic_load(&l->exited)) {  /* polled: prefork asks from within a signal handler */
        if (waited >= wait_ms)
            return 0;
        apr_sleep(apr_time_from_msec(5));
        waited += 5;
    }
    if (!atomic_exchange(&l->joined, 1))
        pthread_join(l->thread, NULL);
    return 1;
}
