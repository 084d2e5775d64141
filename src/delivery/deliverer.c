/* deliverer.c - one child of this host delivers; here is how.
 *
 * Every child has one thread that stands for election. The one that holds the process lock leads: it claims rows in
 * jobs of the ledger, hands them to the delivery threads, and sleeps in poll() on the wake pipe, which all processes
 * and generations share, and on a pipe of its own.
 *
 * Leaving: 1. claim no more  2. give up the election, so that the next leader starts at once  3. give back what was
 * claimed but not begun  4. let the requests in flight end and be written down. A thread that locked a robust mutex
 * must be the one that unlocks it, so 2 is the election thread's work.
 */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_log.h"
#include "http_main.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

APLOG_USE_MODULE(punchout);

#define ELECT_WAIT apr_time_from_msec(250)      /* bounds how long a stop waits */
#define LEASE apr_time_from_sec(15 * 60)        /* for an owner that hangs: a dead one is noticed at once */
#define RECOVER_EVERY apr_time_from_sec(2)
#define DECIDE_EVERY apr_time_from_msec(900)     /* each second: SLEEP_MS must be over it */
#define KEEP_HOUSE_EVERY apr_time_from_sec(60)
#define REMIND_BEFORE apr_time_from_sec(3 * 24 * 3600)      /* a request ends */
#define REMIND_AT_ONCE 100              /* a job holds up all others: the rest comes with the next round */
#define ANSWER_DEADLINE apr_time_from_sec(7 * 24 * 3600)    /* of a backend that said 202 */
#define SLEEP_MS 1000                           /* a change that no wake-up told of is seen within that time */

static po_deliverer me;
static apr_thread_t *thread;
static int control[2] = { -1, -1 };             /* wakes this child's leader */
static int owners_fd = -1;
static const char *owners_path;
static po_crypto *crypto;                       /* of the election thread */
static atomic_int stopping, ended, looking;
static apr_time_t foreign_warned;

/* ---- who is alive ---------------------------------------------------------------------------------------------------
 * A leader draws a random id and locks that byte of <ledger>.owners; the kernel drops the lock with the process,
 * however it ends. So a successor knows exactly which rows nobody is sending any more, while a leaving leader that
 * still has requests in flight keeps its own. The file is opened once: closing any descriptor of it drops the lock. */

static struct flock owner_byte(apr_int64_t id)
{
    struct flock byte = { 0 };

    byte.l_type = F_WRLCK;
    byte.l_whence = SEEK_SET;
    byte.l_start = (off_t)id;
    byte.l_len = 1;
    return byte;
}

static int owner_alive(apr_int64_t id, void *unused)
{
    struct flock byte = owner_byte(id);

    return fcntl(owners_fd, F_GETLK, &byte) != 0 || byte.l_type != F_UNLCK;
}

static int owner_take(void)
{
    apr_uint32_t drawn;
    struct flock byte;

    while (!me.owner) {
        if (po_random(crypto, &drawn, sizeof(drawn)) != APR_SUCCESS)
            return 0;
        me.owner = 1 + (apr_int64_t)(drawn & 0x3fffffff);
        byte = owner_byte(me.owner);
        if (fcntl(owners_fd, F_SETLK, &byte) == 0)
            break;
        me.owner = 0;
        if (errno != EAGAIN && errno != EACCES) {       /* not merely taken */
            ap_log_error(APLOG_MARK, APLOG_CRIT, errno, me.server, "PO0330: cannot lock a byte of %s; the file system "
                         "must support POSIX locks. Another child tries to deliver", owners_path);
            return 0;
        }
    }
    return 1;
}

/* ---- the leader's jobs ---------------------------------------------------------------------------------------- */

static apr_status_t recover_job(po_ledger_db *db, void *baton)
{
    return po_outbox_recover(db, me.owner, owner_alive, NULL, baton);
}

static void recover(void)
{
    int n = 0;

    if (po_ledger_run_unsynced(me.ledger, recover_job, &n) == APR_SUCCESS && n)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, me.server, "PO0331: took over %d deliveries of a process that "
                     "died", n);
}

typedef struct {
    apr_pool_t *pool;
    int n;
} house;

static apr_status_t keep_house_job(po_ledger_db *db, void *baton)
{
    house *h = baton;
    apr_time_t now = apr_time_now();
    apr_status_t rv = po_request_expire(db, now, now - ANSWER_DEADLINE, &h->n);

    return rv == APR_SUCCESS && h->n ? po_mail_unanswered(db, now, h->pool) : rv;
}

typedef struct {
    const po_site *site;
    apr_pool_t *pool;
} remind;

static apr_status_t remind_job(po_ledger_db *db, void *baton)
{
    const remind *m = baton;
    apr_time_t now = apr_time_now();
    apr_array_header_t *list;
    apr_status_t rv = po_requests_ending(db, m->site->public_url, now, REMIND_BEFORE, REMIND_AT_ONCE, m->pool, &list);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(list, i, po_request *);

        const char *next = po_request_is_continued(r) ? "-next" : "";

        rv = po_delivery_mail(db, m->site, PO_MAIL_EXPIRES, r,
                              apr_pstrcat(m->pool, "mail-", r->id, "-expires", next, NULL), now, m->pool);
    }
    return rv;
}

/* Nobody tells us of a rejected requisition: whoever asked hears once that the request is about to end. */
static void remind_requesters(void)
{
    const apr_array_header_t *sites = po_config_sites();
    remind m;
    int i;

    apr_pool_create(&m.pool, me.pool);
    for (i = 0; i < sites->nelts; i++) {
        m.site = APR_ARRAY_IDX(sites, i, po_site *);
        if (m.site->mail_url && m.site->mail_from)
            po_ledger_run(me.ledger, remind_job, &m);   /* what fails now is looked for again */
    }
    apr_pool_destroy(m.pool);
}

static void keep_house(void)
{
    house h = { NULL, 0 };

    apr_pool_create(&h.pool, me.pool);
    if (po_ledger_run(me.ledger, keep_house_job, &h) == APR_SUCCESS && h.n)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, me.server, "PO0332: %d requests expired, or are held because the "
                     "backend has not answered since its 202", h.n);
    apr_pool_destroy(h.pool);
    po_expire_approvals(me.ledger, me.server, me.pool);
    remind_requesters();
}

typedef struct {
    po_outbox_claim_args args;
    apr_pool_t *pool;
    apr_array_header_t *rows;
    apr_time_t next_due;
} claim_job;

static apr_status_t claim_rows(po_ledger_db *db, void *baton)
{
    claim_job *c = baton;

    return po_outbox_claim(db, &c->args, c->pool, &c->rows, &c->next_due);
}

/* A row whose site, or whose target, is not configured any more stays until it is again. */
static void set_aside(const po_outbox_row *row, apr_time_t now)
{
    po_job *j = po_job_create(row, NULL, 0);

    if (j)
        po_job_release(j, now + me.config->retry_longest);
    if (now - foreign_warned < apr_time_from_sec(60))
        return;
    foreign_warned = now;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, me.server, "PO0333: %s waits: %s has no target for \"%s\" in this "
                 "configuration; restore it (PunchOutPublicURL, PunchOutFulfillment, PunchOutMail, PunchOutPost)",
                 row->key, row->site, row->channel);
}

static void hand_out(const apr_array_header_t *rows, apr_time_t now, apr_pool_t *p)
{
    po_job *list = NULL, **tail = &list;
    int i, probe;

    for (i = 0; i < rows->nelts; i++) {
        const po_outbox_row *row = APR_ARRAY_IDX(rows, i, po_outbox_row *);
        po_backend *b = po_backend_find(row->site, row->channel, p);

        if (!b) {
            set_aside(row, now);
            continue;
        }
        probe = po_backend_take(b);
        *tail = po_job_create(row, b, probe);
        if (*tail)
            tail = &(*tail)->next;
        else {                          /* no memory: its lease brings it back */
            po_backend_report(b, PO_BACKEND_UNKNOWN, probe);
            po_backend_rest(b);
        }
    }
    po_workers_take(list);
}

static int sleep_until(apr_time_t due, apr_time_t now, int most)
{
    apr_int64_t ms = due ? apr_time_as_msec(due - now) + 1 : most;

    return ms < 1 ? 1 : ms < most ? (int)ms : most;
}

/* Returns how long to sleep, in ms. */
static int claim(apr_pool_t *p)
{
    claim_job c = { { me.owner, 0, LEASE }, p };
    int full[PO_LANES], ms = SLEEP_MS;
    apr_time_t now = apr_time_now();

    c.args.want = po_workers_room(full);
    if (!c.args.want)
        return SLEEP_MS;                /* a lane will wake us when it runs low */
    po_backends_exclude(&c.args, full, now, p);
    if (po_ledger_run_unsynced(me.ledger, claim_rows, &c) != APR_SUCCESS)
        return SLEEP_MS;
    hand_out(c.rows, now, p);
    if (c.rows->nelts == c.args.want)
        return 0;                       /* one lane may have taken it all: look whether the other has room */
    if (c.next_due) {
        now = apr_time_now();
        ms = sleep_until(c.next_due, now, SLEEP_MS);
        if (!c.rows->nelts && ms < 20 && c.next_due + apr_time_from_msec(20) < now)
            ms = 20;                    /* due, but not to be had: no busy loop */
    }
    return sleep_until(po_backends_next_probe(now), now, ms);
}

/* ---- leading and leaving -------------------------------------------------------------------------------------- */

/* A lane runs low, or a backend came to life. */
static void look_again(void)
{
    if (!atomic_exchange(&looking, 1))
        po_poke(control[1]);
}

static void lead(apr_pool_t *p)
{
    struct pollfd fds[2] = { { po_shared_get()->wake_read, POLLIN, 0 }, { control[0], POLLIN, 0 } };
    apr_time_t recovered = 0, kept = 0, decided = 0;

    if (!owner_take() || !po_workers_start(me.pool))
        return;
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, me.server, "PO0334: this child delivers");
    while (!atomic_load(&stopping)) {
        apr_time_t now = apr_time_now();
        int ms;

        po_drain(fds[0].fd);            /* before looking, never after */
        po_drain(fds[1].fd);
        atomic_store(&looking, 0);
        if (now - recovered >= RECOVER_EVERY) {
            po_workers_repeat();
            recover();
            recovered = now;
        }
        if (now - kept >= KEEP_HOUSE_EVERY) {
            keep_house();
            kept = now;
        }
        if (now - decided >= DECIDE_EVERY) {
            po_decide(&me, crypto, p);
            decided = now;
        }
        ms = claim(p);
        apr_pool_clear(p);
        if (!atomic_load(&stopping))
            poll(fds, 2, ms);
    }
}

/* 1: this thread has the lock. 0: not within ELECT_WAIT. */
static int elected(void)
{
    apr_status_t rv = apr_proc_mutex_timedlock(po_shared_get()->elect, ELECT_WAIT);

    if (rv == APR_SUCCESS)
        return 1;
    if (APR_STATUS_IS_TIMEUP(rv))
        return 0;
    if (apr_proc_mutex_trylock(po_shared_get()->elect) == APR_SUCCESS)      /* no timed lock there */
        return 1;
    apr_sleep(ELECT_WAIT);
    return 0;
}

static void *APR_THREAD_FUNC elect_main(apr_thread_t *t, void *data)
{
    apr_pool_t *p;
    int led = 0;

    apr_pool_create(&p, me.pool);
    while (!atomic_load(&stopping)) {
        if (!elected())
            continue;
        if (!atomic_load(&stopping)) {
            led = 1;
            lead(p);
        }
        apr_proc_mutex_unlock(po_shared_get()->elect);      /* first of all */
        po_poke(po_shared_get()->wake_write);
        if (!atomic_load(&stopping))
            apr_sleep(ELECT_WAIT);      /* could not lead: let others */
    }
    if (led)
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, me.server, "PO0335: this child has delivered; it gave back %d rows",
                     po_workers_leave());
    po_crypto_destroy(crypto);
    atomic_store(&ended, 1);
    return NULL;
}

apr_status_t po_delivery_child_init(apr_pool_t *p, server_rec *s, po_ledger *l, int threaded)
{
    apr_status_t rv;

    if (!po_config_sites()->nelts)
        return APR_SUCCESS;
    me.config = po_config_global();
    me.ledger = l;
    me.server = s;
    /* mod_proxy keeps no locked connection pool where the MPM has no threads */
    me.events = threaded ? me.config->concurrency : 1;
    owners_path = apr_pstrcat(p, me.config->ledger, ".owners", NULL);
    owners_fd = open(owners_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (owners_fd < 0 || pipe2(control, O_NONBLOCK | O_CLOEXEC)) {
        rv = errno;
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "PO0336: cannot open %s, or no pipe is to be had; the directory "
                     "must belong to httpd's User", owners_path);
        return rv;
    }
    crypto = po_crypto_create();
    if (!crypto || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)   /* before any thread of ours */
        return APR_ENOMEM;
    if ((rv = po_shared_child_init(s->process->pool)) != APR_SUCCESS
        || (rv = apr_pool_create_unmanaged_ex(&me.pool, NULL, NULL)) != APR_SUCCESS
        || (rv = po_backends_create(me.config, me.pool)) != APR_SUCCESS
        || (rv = po_workers_create(&me, look_again)) != APR_SUCCESS)
        return rv;
    return po_thread_start(&thread, elect_main, NULL, me.pool);
}

void po_delivery_stop(void)
{
    atomic_store(&stopping, 1);
    if (control[1] >= 0)
        po_poke(control[1]);
}

int po_delivery_stopped(int wait_ms)
{
    apr_status_t rv;
    int waited;

    if (!thread)
        return 1;
    for (waited = 0; wait_ms >= 0 && !atomic_load(&ended); waited += 5) {
        if (waited >= wait_ms)
            return 0;
        apr_sleep(apr_time_from_msec(5));
    }
    apr_thread_join(&rv, thread);
    thread = NULL;
    return 1;
}
