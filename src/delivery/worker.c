/* worker.c - lanes of claimed rows, the threads that deliver them, and the results on their way into the ledger.
 *
 * Mail has a lane of its own, so that a slow mail server never holds an event back (prefork has one thread for events);
 * so have documents to buyers, with several threads, of which each buyer gets one: one that hangs holds up himself.
 */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_log.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

APLOG_USE_MODULE(punchout);

#define THREADS_MAX 64
#define POST_THREADS 4
#define REASON_MAX 300                  /* of a backend's own words, in the log */
#define UNWRITTEN_MAX 60                /* then the row waits for the end of its lease and goes out again */

typedef struct {
    po_job *head, **tail;
    int queued, threads, running;
    pthread_cond_t more;
    apr_thread_t *thread[THREADS_MAX];
} lane;

static const po_deliverer *deliverer;
static void (*look)(void);              /* the leader looks for rows again */
static lane lanes[PO_LANES];
static int closed;
static po_job *unwritten;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static apr_pool_t *writer_pool;         /* of the jobs below: they all run in the ledger's one writer thread */

apr_status_t po_thread_start(apr_thread_t **t, apr_thread_start_t fn, void *data, apr_pool_t *p)
{
    sigset_t all, old;
    apr_status_t rv;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rv = ap_thread_create(t, NULL, fn, data, p);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rv;
}

/* ---- jobs ----------------------------------------------------------------------------------------------------- */

static apr_size_t size(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *keep(char **at, const char *s)
{
    apr_size_t n = size(s);
    char *copy = *at;

    if (!s)
        return NULL;
    memcpy(copy, s, n);
    *at += n;
    return copy;
}

po_job *po_job_create(const po_outbox_row *row, po_backend *b, int probe)
{
    const po_outbox_row *r = row;
    po_job *j = calloc(1, sizeof(*j) + size(r->key) + size(r->site) + size(r->channel) + size(r->buyer)
                          + size(r->request) + size(r->recipients) + size(r->body));
    char *at = (char *)(j + 1);

    if (!j)
        return NULL;
    j->row = *r;
    j->row.key = keep(&at, r->key);
    j->row.site = keep(&at, r->site);
    j->row.channel = keep(&at, r->channel);
    j->row.buyer = keep(&at, r->buyer);
    j->row.request = keep(&at, r->request);
    j->row.recipients = keep(&at, r->recipients);
    j->row.body = keep(&at, r->body);
    j->backend = b;
    j->probe = probe;
    return j;
}

static void job_free(po_job *j)
{
    free(j->kept);
    free(j);
}

/* The answer lies in the delivery's pool; the result outlives it. */
static int job_keep(po_job *j, const po_answer *a, const char *said)
{
    char *at = j->kept = malloc(1 + size(a->status) + size(a->subscription) + size(a->url) + size(a->reason)
                                + size(said));

    if (!at)
        return 0;
    j->answer.status = keep(&at, a->status);
    j->answer.subscription = keep(&at, a->subscription);
    j->answer.url = keep(&at, a->url);
    j->answer.reason = keep(&at, a->reason);
    j->said = keep(&at, said);
    return 1;
}

/* ---- results -------------------------------------------------------------------------------------------------- */

static apr_status_t settle(po_ledger_db *db, const po_job *j, apr_time_t now, apr_pool_t *p)
{
    const po_answer *a = &j->answer;
    int failed = j->verdict == PO_VERDICT_FAILED || (a->status && !strcmp(a->status, "failed"));
    apr_status_t rv;

    if (j->verdict == PO_VERDICT_ACCEPTED)
        rv = po_settle_accepted(db, j->backend->site, &j->row, now, p);
    else
        rv = po_delivery_settle(db, j->backend->site, &j->row, a, failed, now, p);
    return APR_STATUS_IS_NOTFOUND(rv) ? APR_SUCCESS : rv;       /* its request was removed: the row still ends */
}

static apr_status_t write_result(po_ledger_db *db, void *baton)
{
    static const po_outbox_state states[] = {
        [PO_VERDICT_DONE] = PO_OUTBOX_DONE, [PO_VERDICT_ACCEPTED] = PO_OUTBOX_DONE, [PO_VERDICT_AGAIN] = PO_OUTBOX_OPEN,
        [PO_VERDICT_FAILED] = PO_OUTBOX_FAILED, [PO_VERDICT_PARKED] = PO_OUTBOX_PARKED
    };
    const po_job *j = baton;
    po_outbox_state state = states[j->verdict];
    apr_status_t rv;

    rv = po_outbox_result(db, j->row.seq, deliverer->owner, state, j->due, j->released, j->said);
    if (APR_STATUS_IS_NOTFOUND(rv))
        return APR_SUCCESS;             /* taken over in the meantime: what the other one hears counts */
    if (rv == APR_SUCCESS && j->doubt)
        rv = po_outbox_doubt(db, j->row.seq);
    if (rv != APR_SUCCESS || (state != PO_OUTBOX_DONE && state != PO_OUTBOX_FAILED)
        || j->backend->lane != PO_LANE_EVENT)
        return rv;
    apr_pool_clear(writer_pool);
    return settle(db, j, apr_time_now(), writer_pool);
}

static void result_written(void *baton, apr_status_t rv)
{
    po_job *j = baton;

    if (rv != APR_SUCCESS && ++j->unwritten < UNWRITTEN_MAX) {
        pthread_mutex_lock(&lock);
        j->next = unwritten;
        unwritten = j;
        pthread_mutex_unlock(&lock);
        return;
    }
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, deliverer->server, "PO0310: the result of %s can't be written to the "
                     "ledger; it will go out again under the same key", j->row.key);
    job_free(j);                        /* the ledger wakes the leader when the result opened the way for a row */
}

static void report(po_job *j)
{
    po_ledger_post(deliverer->ledger, write_result, j, result_written);
}

static po_job *take_unwritten(void)
{
    po_job *list;

    pthread_mutex_lock(&lock);
    list = unwritten;
    unwritten = NULL;
    pthread_mutex_unlock(&lock);
    return list;
}

void po_workers_repeat(void)
{
    po_job *j, *next;

    for (j = take_unwritten(); j; j = next) {
        next = j->next;
        report(j);
    }
}

void po_job_release(po_job *j, apr_time_t due)
{
    j->verdict = PO_VERDICT_AGAIN;
    j->released = 1;
    j->due = due;
    report(j);
}

/* ---- what a delivery came to ---------------------------------------------------------------------------------- */

static void park(po_job *j, const char *why)
{
    j->verdict = PO_VERDICT_PARKED;
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, j->backend->server, "PO0311: %s of %s is parked: %s. Mend that, then "
                 "punchoutctl outbox retry %s", j->row.key, j->row.request, why, j->row.key);
}

static void try_again(po_job *j, const char *said, po_backend_life life, apr_pool_t *p)
{
    const po_global_config *g = deliverer->config;
    apr_time_t now = apr_time_now();
    apr_interval_time_t pause;

    if (now - j->row.created > g->retry_for) {
        park(j, apr_psprintf(p, "it could not be delivered for %" APR_TIME_T_FMT " s; at last %s %s",
                             apr_time_sec(now - j->row.created), j->backend->what, said));
        return;
    }
    if (life == PO_BACKEND_DEAD || (life == PO_BACKEND_UNKNOWN && j->probe)) {
        j->released = 1;                /* the backend's pause counts, not this row's */
        j->due = now;
        return;
    }
    pause = po_back_off(g->retry_first, g->retry_longest, j->row.tries, (apr_uint64_t)j->row.seq);
    j->due = now + pause;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, j->backend->server, "PO0312: %s %s to %s (try %d); again in %"
                 APR_TIME_T_FMT " ms", j->backend->what, said, j->row.key, j->row.tries, apr_time_as_msec(pause));
}

static void park_answer(po_job *j, const char *said, int ours, apr_pool_t *p)
{
    if (j->backend->lane == PO_LANE_POST)
        park(j, apr_pstrcat(p, j->backend->what, " ", said, NULL));
    else if (ours)
        park(j, apr_psprintf(p, "this server could not make the request (%s); see mod_proxy's messages before this one",
                             said));
    else
        park(j, apr_psprintf(p, "%s %s; %s, or the address in %s, may be wrong", j->backend->what, said,
                             j->backend->lane == PO_LANE_MAIL ? "its recipients" : "its credentials",
                             j->backend->directive));
}

static void log_refused(const po_job *j, const char *reason, const char *said)
{
    server_rec *s = j->backend->server;

    if (j->backend->lane == PO_LANE_POST)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "PO0342: document %s about request %s is refused for good: %s %s. "
                     "It is not sent again; settle it with the buyer", j->row.key, j->row.request,
                     j->backend->what, said);
    else
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "PO0315: %s refused %s of request %s for good: %.*s. Tell "
                     "the buyer, or mend it and make a new request", j->backend->what, j->row.key, j->row.request,
                     REASON_MAX, reason ? reason : said);
}

/* Decides, logs, and queues the result. ours: the failure is this server's own, not the backend's word. */
static void conclude(po_job *j, po_backend_life life, const po_answer *a, const char *said, int ours, apr_time_t began,
                     apr_pool_t *p)
{
    server_rec *s = j->backend->server;

    switch (j->verdict) {
    case PO_VERDICT_DONE:
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "PO0313: delivered %s of %s in %.1f ms (try %d)", j->row.key,
                     j->row.request, (double)(apr_time_now() - began) / 1000, j->row.tries);
        break;
    case PO_VERDICT_ACCEPTED:
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, "PO0314: %s of %s was accepted; its callback will tell the rest",
                     j->row.key, j->row.request);
        break;
    case PO_VERDICT_AGAIN:
        try_again(j, said, life, p);
        break;
    case PO_VERDICT_FAILED:
        log_refused(j, a->reason, said);
        break;
    case PO_VERDICT_PARKED:
        park_answer(j, said, ours, p);
        break;
    }
    if ((j->verdict == PO_VERDICT_DONE || j->verdict == PO_VERDICT_ACCEPTED) && j->backend->lane != PO_LANE_POST)
        said = NULL;
    if (!job_keep(j, a, said ? apr_pstrcat(p, j->backend->what, " ", said, NULL) : NULL)) {
        j->verdict = PO_VERDICT_AGAIN;  /* no memory to say what came: let it come once more */
        j->due = apr_time_now() + deliverer->config->retry_first;
    }
    if (po_backend_report(j->backend, life, j->probe))
        look();
    report(j);
}

static const char *event_said(const po_sent *sent, const po_answer *a, apr_pool_t *p)
{
    if (sent->rc == HTTP_SERVICE_UNAVAILABLE)
        return "could not be connected to";
    if (sent->rc == HTTP_INTERNAL_SERVER_ERROR)
        return "could not be used (its name, its certificate or its scheme; see mod_proxy's and mod_ssl's messages)";
    if (sent->rc != OK)
        return apr_psprintf(p, "gave no answer (%d)", sent->rc);
    if (!sent->complete)
        return "gave half an answer";
    if (a->reason)
        return apr_psprintf(p, "answered %d (%.*s)", sent->status, REASON_MAX, a->reason);
    return apr_psprintf(p, "answered %d", sent->status);
}

static void deliver_event(po_worker *w, po_job *j, apr_pool_t *p)
{
    apr_time_t began = apr_time_now();
    po_backend_life life;
    po_answer a = { 0 };
    po_sent sent;

    po_send_event(w, j->backend, &j->row, p, &sent);
    j->verdict = po_judge_event(sent.rc, sent.status, sent.complete, &life);
    if (sent.len && sent.complete)
        po_answer_read(&a, w->answer, sent.len, p);
    conclude(j, life, &a, event_said(&sent, &a, p), sent.rc != OK, began, p);
}

static void deliver_mail(po_worker *w, po_job *j, apr_pool_t *p)
{
    apr_time_t began = apr_time_now();
    po_backend_life life;
    po_answer a = { 0 };
    po_mailed mailed;
    const char *said;

    po_mail_send(w, j->backend, &j->row, p, &mailed);
    j->verdict = po_judge_mail(mailed.ok, mailed.code, &life);
    said = mailed.code ? apr_psprintf(p, "answered %d (%s)", mailed.code, mailed.error)
                       : apr_psprintf(p, "could not be spoken to (%s)", mailed.error);
    conclude(j, life, &a, said, 0, began, p);
}

static void deliver_document(po_worker *w, po_job *j, apr_pool_t *p)
{
    apr_time_t began = apr_time_now();
    po_backend_life life = PO_BACKEND_UNKNOWN;
    po_answer a = { 0 };
    po_posted posted;

    po_post_send(w, j->backend, &j->row, p, &posted);
    j->verdict = PO_VERDICT_PARKED;
    if (!posted.unsendable)
        j->verdict = po_judge_post(posted.http, posted.status, j->row.tries, j->row.doubt, &life);
    j->doubt = !posted.unsendable && j->verdict != PO_VERDICT_DONE
               && po_post_may_have_arrived(posted.http, posted.status, posted.sent);
    conclude(j, life, &a, po_post_said(&posted, j->verdict, p), 0, began, p);
}

static void deliver(po_worker *w, po_job *j)
{
    const po_global_config *g = deliverer->config;
    apr_time_t now = apr_time_now();
    apr_pool_t *p;

    if (!j->probe && po_backend_dead(j->backend)) {
        po_job_release(j, now);         /* died since the claim */
        return;
    }
    if (po_claimed_in_vain(j->row.tries, now - j->row.created, g->retry_first, g->retry_longest)) {
        park(j, "it was taken up too often without any result, as if it ended the process each time");
        po_backend_report(j->backend, PO_BACKEND_UNKNOWN, j->probe);
        report(j);
        return;
    }
    apr_pool_create(&p, w->pool);
    if (j->backend->lane == PO_LANE_MAIL)
        deliver_mail(w, j, p);
    else if (j->backend->lane == PO_LANE_POST)
        deliver_document(w, j, p);
    else
        deliver_event(w, j, p);
    apr_pool_destroy(p);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

static po_job *next_job(lane *l)
{
    po_job *j;
    int low = 0;

    pthread_mutex_lock(&lock);
    while (!l->head && !closed)
        pthread_cond_wait(&l->more, &lock);
    j = l->head;
    if (j) {
        l->head = j->next;
        if (!l->head)
            l->tail = &l->head;
        low = --l->queued == l->threads;
    }
    pthread_mutex_unlock(&lock);
    if (low)
        look();
    return j;
}

static void *APR_THREAD_FUNC worker_main(apr_thread_t *t, void *data)
{
    po_worker *w = calloc(1, sizeof(*w));
    po_job *j;

    if (!w || apr_pool_create_unmanaged_ex(&w->pool, NULL, NULL) != APR_SUCCESS
        || apr_socket_create(&w->socket, APR_INET, SOCK_STREAM, APR_PROTO_TCP, w->pool) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, deliverer->server, "PO0316: no memory or no more files for a delivery "
                     "thread; raise the limits of httpd's User");
        if (w && w->pool)
            apr_pool_destroy(w->pool);
        free(w);
        return NULL;
    }
    while ((j = next_job(data))) {
        po_backend *b = j->backend;     /* j is gone when its result is written */

        deliver(w, j);
        if (po_backend_rest(b))
            look();
    }
    po_mail_close(w);
    po_cxml_reader_destroy(w->reader);
    apr_pool_destroy(w->pool);
    free(w);
    return NULL;
}

apr_status_t po_workers_create(const po_deliverer *d, void (*look_again)(void))
{
    int i;

    deliverer = d;
    look = look_again;
    for (i = 0; i < PO_LANES; i++) {
        lanes[i].tail = &lanes[i].head;
        lanes[i].threads = i == PO_LANE_EVENT ? d->events : i == PO_LANE_POST ? POST_THREADS : 1;
        if (lanes[i].threads > THREADS_MAX)
            lanes[i].threads = THREADS_MAX;
        pthread_cond_init(&lanes[i].more, NULL);
    }
    return apr_pool_create_unmanaged_ex(&writer_pool, NULL, NULL);
}

int po_workers_start(apr_pool_t *p)
{
    int i;

    for (i = 0; i < PO_LANES; i++) {
        lane *l = &lanes[i];

        while (l->running < l->threads && po_thread_start(&l->thread[l->running], worker_main, l, p) == APR_SUCCESS)
            l->running++;
    }
    for (i = 0; i < PO_LANES; i++)
        if (!lanes[i].running)
            return 0;
    return 1;
}

void po_workers_take(po_job *list)
{
    po_job *next;

    pthread_mutex_lock(&lock);
    for (; list; list = next) {
        lane *l = &lanes[list->backend->lane];

        next = list->next;
        list->next = NULL;
        *l->tail = list;
        l->tail = &list->next;
        l->queued++;
        pthread_cond_signal(&l->more);
    }
    pthread_mutex_unlock(&lock);
}

int po_workers_room(int full[PO_LANES])
{
    int i, room = 0;

    pthread_mutex_lock(&lock);
    for (i = 0; i < PO_LANES; i++) {
        full[i] = lanes[i].queued > lanes[i].threads;
        if (!full[i])
            room += 4 * lanes[i].threads - lanes[i].queued;
    }
    pthread_mutex_unlock(&lock);
    return room;
}

static po_job *close_lane(lane *l)
{
    po_job *list = l->head;

    l->head = NULL;
    l->tail = &l->head;
    l->queued = 0;
    pthread_cond_broadcast(&l->more);
    return list;
}

int po_workers_leave(void)
{
    po_job *left[PO_LANES], *j, *next;
    apr_status_t rv;
    int i, k, n = 0;

    pthread_mutex_lock(&lock);
    closed = 1;
    for (i = 0; i < PO_LANES; i++)
        left[i] = close_lane(&lanes[i]);
    pthread_mutex_unlock(&lock);
    for (i = 0; i < PO_LANES; i++) {
        for (j = left[i]; j; j = next, n++) {
            next = j->next;
            po_job_release(j, apr_time_now());
        }
    }
    for (i = 0; i < PO_LANES; i++)
        for (k = 0; k < lanes[i].running; k++)
            apr_thread_join(&rv, lanes[i].thread[k]);
    po_workers_repeat();                /* a last time; what fails now is taken over when this process has ended */
    return n;
}
