/* delivery_private.h - what the files of this room share.
 *
 *   locks.c      pipe and locks that all processes and generations share
 *   deliverer.c  election, claiming, leaving
 *   worker.c     lanes of claimed rows, delivery threads, results
 *   backend.c    which backends are dead, and who probes them
 *   send.c       one event as a detached request through mod_proxy
 *   mail.c       one mail by libcurl
 *   post.c       one document to a buyer by libcurl
 *   post_queue.c documents to a buyer on their way into the outbox
 *   confirm.c    which purchase orders are decided: ConfirmationRequests
 *   event_queue.c events of requests on their way into the outbox
 *   expiry.c     partly approved requests whose time is over
 *   mail_queue.c templates of each site, signed links, mails on their way into the outbox
 *   settle.c     what an answer means for the request
 *   decide.c     the operator's decisions carried out
 *   judge.c, mail_text.c, mail_template.c   the parts that need no httpd
 */
#ifndef PO_DELIVERY_PRIVATE_H
#define PO_DELIVERY_PRIVATE_H

#include "delivery/delivery.h"
#include "delivery/judge.h"

#include "apr_network_io.h"
#include "apr_proc_mutex.h"
#include "apr_thread_proc.h"

#define PO_CHANNEL_EVENT "event"
#define PO_CHANNEL_TEST "event-test"
#define PO_CHANNEL_MAIL "mail"
#define PO_CHANNEL_POST "post:"                 /* and the buyer's name: each is a backend of its own */

/* ---- locks.c -------------------------------------------------------------------------------------------------- */

typedef struct {                                /* made once by the parent, in the process pool */
    int wake_read, wake_write;                  /* non-blocking */
    apr_proc_mutex_t *elect;                    /* who delivers on this host */
    apr_proc_mutex_t *ledger;                   /* who has the transaction */
} po_shared;

const po_shared *po_shared_get(void);
apr_status_t po_shared_child_init(apr_pool_t *process_pool);
void po_poke(int fd);                           /* async-signal-safe; a full pipe: a wake-up is pending already */
void po_drain(int fd);

/* ---- backend.c ------------------------------------------------------------------------------------------------ */

typedef enum { PO_LANE_EVENT, PO_LANE_MAIL, PO_LANE_POST, PO_LANES } po_lane;

typedef struct po_backend {                     /* of one site and channel */
    const char *key;                            /* site + '\n' + channel, as po_outbox_claim_args wants it */
    const po_site *site;
    server_rec *server;
    const char *target, *host;
    const char *what, *directive;               /* for messages: "the fulfillment backend", its directive */
    const po_buyer *buyer;                      /* of documents; else NULL */
    po_lane lane;
    int offered;                                /* election thread: the claim under way may take a probe */
    /* below a lock of backend.c */
    int dead, probing, busy, failures;
    apr_time_t probe_at;
} po_backend;

apr_status_t po_backends_create(const po_global_config *g, apr_pool_t *p);
po_backend *po_backend_find(const char *site, const char *channel, apr_pool_t *p);
/* Fills dead, probe and ndead: dead backends, buyers that are busy with a document, and those of lanes that are full. */
void po_backends_exclude(po_outbox_claim_args *args, const int full[PO_LANES], apr_time_t now, apr_pool_t *p);
/* A claimed row of b: 1 when it is the probe of a dead backend. A buyer is busy until po_backend_rest(). */
int po_backend_take(po_backend *b);
/* The row is done with. 1: b was busy with it, so look for its next one. */
int po_backend_rest(po_backend *b);
int po_backend_dead(po_backend *b);
/* What a delivery showed. 1: b came to life, so look for its rows at once. */
int po_backend_report(po_backend *b, po_backend_life life, int probe);
/* The next time that a dead backend may be probed after now; 0: none. */
apr_time_t po_backends_next_probe(apr_time_t now);

/* ---- worker.c ------------------------------------------------------------------------------------------------- */

typedef struct po_job {                         /* a claimed row on its way; malloc'd, its strings behind it */
    struct po_job *next;
    po_outbox_row row;
    po_backend *backend;                        /* NULL: its site is not configured any more */
    int probe;
    /* the outcome */
    po_verdict verdict;
    int released;                               /* given back, not tried: uncounted */
    apr_time_t due;
    po_answer answer;                           /* strings in `kept` */
    const char *said;                           /* for the outbox row; in `kept` */
    int doubt;                                  /* no delivery, but it may have arrived */
    char *kept;
    int unwritten;                              /* how often the ledger could not commit it */
} po_job;

typedef struct {                                /* of one delivery thread */
    apr_pool_t *pool;
    apr_socket_t *socket;                       /* never connected; mod_proxy asks it for a timeout */
    void *curl;                                 /* mail, documents: made at the first one, keeps its connection */
    po_cxml_reader *reader;                     /* of the answers to documents; likewise */
    char answer[65536];
} po_worker;

typedef struct {
    const po_global_config *config;
    po_ledger *ledger;
    server_rec *server;
    apr_pool_t *pool;                           /* of the election thread */
    apr_int64_t owner;
    int events;                                 /* threads of the event lane */
} po_deliverer;

apr_status_t po_workers_create(const po_deliverer *d, void (*look)(void));
int po_workers_start(apr_pool_t *p);            /* makes the threads that are missing; 0: there are none */
po_job *po_job_create(const po_outbox_row *row, po_backend *b, int probe);
/* Hands jobs to their lane. */
void po_workers_take(po_job *list);
/* How many rows each lane can take; full[] tells which can take so few that it isn't worth a look. */
int po_workers_room(int full[PO_LANES]);
/* Gives a row back, to be claimed again at due. */
void po_job_release(po_job *j, apr_time_t due);
/* Results that could not be committed are queued once more. */
void po_workers_repeat(void);
/* Gives back what was not begun, waits for what was. Returns how many were given back. */
int po_workers_leave(void);
/* All signals blocked from the first instruction on. */
apr_status_t po_thread_start(apr_thread_t **t, apr_thread_start_t fn, void *data, apr_pool_t *p);

/* ---- send.c, mail.c, settle.c --------------------------------------------------------------------------------- */

typedef struct {
    int rc;                                     /* OK, or what mod_proxy made of it */
    int status;                                 /* the backend's */
    int complete;                               /* its answer was read to the end */
    apr_size_t len;                             /* of po_worker.answer */
} po_sent;
void po_send_event(po_worker *w, const po_backend *b, const po_outbox_row *row, apr_pool_t *parent, po_sent *out);

typedef struct {
    int ok;
    int code;                                   /* the last SMTP reply, 0: none */
    const char *error;
} po_mailed;
void po_mail_send(po_worker *w, const po_backend *b, const po_outbox_row *row, apr_pool_t *p, po_mailed *out);
void po_mail_close(po_worker *w);

/* ---- post.c, post_queue.c ------------------------------------------------------------------------------------- */

typedef struct {
    int http, status;                           /* as po_judge_post() takes them */
    const char *words;                          /* the buyer's, or libcurl's; NULL: none */
    const char *unsendable;                     /* why nothing was sent; NULL: it was tried */
    int sent;                                   /* bytes of it went out */
} po_posted;
void po_post_send(po_worker *w, const po_backend *b, const po_outbox_row *row, apr_pool_t *p, po_posted *out);
/* For log and outbox, behind the buyer's name: what he said, and what to do when it is parked. */
const char *po_post_said(const po_posted *a, po_verdict v, apr_pool_t *p);
const char *po_post_channel(const char *buyer, apr_pool_t *p);
const char *po_post_kind(unsigned what);        /* confirmation | invoice */
/* The secret that documents to this buyer carry now; NULL: none. */
const po_secret *po_post_secret(const po_buyer *buyer, apr_time_t now);
/* A CURL * verifies TLS by PunchOutCACertificateFile, or the system's certificates. */
void po_curl_trust(void *handle, const po_site *site);

/* expiry.c: holds partly approved requests whose time is over, and tells of each in the log and by mail. */
void po_expire_approvals(po_ledger *l, server_rec *s, apr_pool_t *parent);

/* In the job that holds requests whose backend owes its answer: they are told of by mail. */
apr_status_t po_mail_unanswered(po_ledger_db *db, apr_time_t held, apr_pool_t *p);

/* mail_queue.c, check_config: reads the templates of every site. NULL, or what is wrong with one. */
const char *po_mail_check(apr_pool_t *p);

/* In a job: the backend said 202. */
apr_status_t po_settle_accepted(po_ledger_db *db, const po_site *site, const po_outbox_row *event, apr_time_t now,
                                apr_pool_t *p);

/* ---- decide.c ------------------------------------------------------------------------------------------------- */

/* The operator's decisions that stand in the ledger are carried out, each in a job of its own. */
void po_decide(const po_deliverer *d, po_crypto *c, apr_pool_t *p);

#endif
