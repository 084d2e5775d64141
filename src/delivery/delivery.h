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

/* In a job: a backend's final word about an event. Sets its request's state active (tested, for a test) or failed, keeps
 * subscription and URL, notes at the event that it is answered, and queues the mail; its key comes of the event's, so that
 * it is made once. A refused change leaves
 * the request as it was; a request that ended otherwise in the meantime stays so. */
apr_status_t po_delivery_settle(po_ledger_db *db, const po_site *site, const po_outbox_row *event, const po_answer *a,
                                int failed, apr_time_t now, apr_pool_t *p);

/* ---- event_queue.c: events on their way into the outbox --------------------------------------------------------- */

/* In a job: the event of what an approval, an order, an update or a delete comes to goes to the outbox; without a sandbox a
 * test ends as `tested`. An approval sets the request's state; a change and a cancellation leave it as it is. Not for
 * PO_OUTCOME_NONE. order and payload_id NULL: pre-approved. The caller writes the request afterwards. */
apr_status_t po_delivery_event(po_ledger_db *db, const po_site *site, po_request *request, po_order_outcome outcome,
                               const po_cxml_order *order, const char *payload_id, apr_time_t now, po_crypto *c,
                               apr_pool_t *p);
#define PO_CALLBACK_TOKEN 41                    /* with NUL */
/* The bearer token of fulfilled/EVENT-ID: an HMAC of the ledger's key, so that it needs no table. */
void po_callback_token(po_crypto *c, const unsigned char key[PO_DIGEST], const char *event,
                       char out[PO_CALLBACK_TOKEN]);

/* ---- documents to the buyer: ConfirmationRequest, InvoiceDetailRequest ---------------------------------------- */

typedef struct {
    unsigned what;                              /* PO_POST_CONFIRMATION or PO_POST_INVOICE */
    const po_buyer *buyer;
    const char *request;                        /* documents of one request go out in order */
    const char *refers_to;                      /* payloadID of the OrderRequest; NULL: several */
    const char *payload_id;                     /* of this document: also its key in the outbox */
    const char *body;                           /* made with po_cxml_header.has_secret */
} po_post_document;
/* In a job: keeps the document and queues it. APR_NOTFOUND: this buyer takes none of the kind (profile, PunchOutDocuments,
 * PunchOutPost): tell him by mail. */
apr_status_t po_delivery_post(po_ledger_db *db, const po_site *site, const po_post_document *d, apr_time_t now,
                              apr_pool_t *p);
/* Where that kind of document of a buyer goes, its own PunchOutPost or that of its hub; NULL: nowhere. */
const po_post *po_delivery_post_of(const po_buyer *buyer, unsigned what);
/* From, To, Sender and mode of a document to a buyer: our identity of the same domain, if there is one. */
void po_delivery_header(po_cxml_header *h, const po_site *site, const po_buyer *buyer, int test);

/* confirm.c, in a job, after the request was written: tells the buyer what becomes of each purchase order of its
 * charges, once every request on it is decided (po_confirmation_decide). The same is not said twice; something else is
 * an update. Does nothing where the buyer takes no confirmations. */
apr_status_t po_delivery_confirm(po_ledger_db *db, const po_site *site, const po_request *r, apr_time_t now,
                                 apr_pool_t *p);

/* ---- mail ----------------------------------------------------------------------------------------------------- */

/* In a job: queues the mail of that kind about a request, once for each key (which makes its Message-ID). A site without
 * PunchOutMail, or a request without an address, gets none. */
apr_status_t po_delivery_mail(po_ledger_db *db, const po_site *site, po_mail_kind kind, const po_request *r,
                              const char *key, apr_time_t now, apr_pool_t *p);

/* The same for a request that an order (the payloadID of its document, or NULL) has left held: once for each such cause. */
apr_status_t po_delivery_mail_held(po_ledger_db *db, const po_site *site, const po_request *r, const char *cause,
                                   apr_time_t now, apr_pool_t *p);

#define PO_LINK_TOKEN 41                        /* with NUL */
/* What a mail's link to requests/ID is signed with; until: seconds since the epoch. An HMAC of the ledger's key. */
void po_delivery_link_token(po_crypto *c, const unsigned char key[PO_DIGEST], const char *request, apr_int64_t until,
                            char out[PO_LINK_TOKEN]);

#endif
