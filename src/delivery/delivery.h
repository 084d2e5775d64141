/* delivery.h - what goes out: the deliverer, the detached proxied request, mail (httpd room).
 *
 * One child of this host delivers, elected by a process lock; any child that lives takes over. Rows are claimed from
 * the ledger's outbox and sent by `concurrency` threads (one on prefork, see design.md §7).
 */
#ifndef PO_DELIVERY_H
#define PO_DELIVERY_H

#include "httpd.h"
#include "config/config.h"
#include "delivery/mail_text.h"
#include "ledger/ledger.h"

/* register_hooks: the two filters of the detached request. */
void po_delivery_register(void);
/* pre_config: names of the two mutexes. */
apr_status_t po_delivery_pre_config(apr_pool_t *p);
/* check_config: NULL, or why the configured mutex mechanism can't be used (posixsem never notices an owner's death). */
const char *po_delivery_check(apr_pool_t *p, server_rec *s);
/* post_config, not in the first pass: pipe and locks, made once in the process pool and kept over restarts. */
apr_status_t po_delivery_post_config(apr_pool_t *process_pool, server_rec *s);
/* For po_ledger_options: the ledger's cross-process lock, and the wake-up. */
apr_status_t po_delivery_lock(void *unused);
void po_delivery_unlock(void *unused);
/* Writes one byte into the retained pipe: the deliverer looks at once. Any thread, after a commit. */
void po_delivery_wake(void *unused);
/* child_init, after the ledger is open. threaded: the MPM has threads. */
apr_status_t po_delivery_child_init(apr_pool_t *p, server_rec *s, po_ledger *l, int threaded);
/* Async-signal-safe: claim no more, leave. */
void po_delivery_stop(void);
/* 1 = all threads have ended. wait_ms < 0: for ever. */
int po_delivery_stopped(int wait_ms);

/* ---- answers, shared with handlers/fulfilled.c ---------------------------------------------------------------- */

/* In a job: a backend's final word about an event's request. Sets state active (tested, for a test) or failed, keeps
 * subscription and URL, and queues the mail; its key comes of the event's, so that it is made once. */
apr_status_t po_delivery_settle(po_ledger_db *db, const po_site *site, const char *request, const char *event,
                                const po_answer *a, int failed, apr_time_t now, apr_pool_t *p);

/* ---- mail ----------------------------------------------------------------------------------------------------- */

/* In a job: queues the mail of that kind about a request, once for each key (which makes its Message-ID). A site without
 * PunchOutMail, or a request without an address, gets none. */
apr_status_t po_delivery_mail(po_ledger_db *db, const po_site *site, po_mail_kind kind, const po_request *r,
                              const char *key, apr_time_t now, apr_pool_t *p);

#define PO_LINK_TOKEN 41                        /* with NUL */
/* What a mail's link to requests/ID is signed with; until: seconds since the epoch. An HMAC of the ledger's key. */
void po_delivery_link_token(po_crypto *c, const unsigned char key[PO_DIGEST], const char *request, apr_int64_t until,
                            char out[PO_LINK_TOKEN]);

#endif
