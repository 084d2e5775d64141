/* ledger.h - what must never be lost: requests, charges, orders, documents, subscriptions and the outbox.
 *
 * Pure: APR and SQLite, no httpd, so that tools can link it. Writes go through one writer thread per process that commits
 * many jobs in one transaction (a savepoint each) under a cross-process lock; a caller goes on only after its own
 * commit is on disk. Readers have connections of their own. WAL; synchronous=FULL, but for transactions that hold
 * nothing that a power failure may not undo.
 */
#ifndef PO_LEDGER_H
#define PO_LEDGER_H

#include "market/market.h"

typedef struct po_ledger po_ledger;             /* one per process */
typedef struct po_ledger_db po_ledger_db;       /* a connection: the writer's inside a job, or a reader's */

/* ---- sqlite.c, migrate.c: the file ---------------------------------------------------------------------------- */

/* Creates the file and its schema, or migrates an older one; makes the site key. Call it before any fork; everything is
 * closed again. NULL, or a sentence that says what is wrong and what to do (also for a file of a newer version). */
const char *po_ledger_migrate(const char *path, apr_pool_t *p);

typedef struct {
    const char *path;
    /* Cross-process lock around each transaction; NULL: the process is alone. Called in the writer thread. */
    apr_status_t (*lock)(void *baton);
    void (*unlock)(void *baton);
    /* After a commit that added or released outbox rows, before its callers go on. Writer thread. */
    void (*outbox)(void *baton);
    /* level: APLOG_* numbers are not known here; 0 = error, 1 = warning, 2 = info. */
    void (*log)(void *baton, int level, const char *message);
    void *baton;
    int defer_signals;                          /* prefork: SIGTERM and SIGHUP wait while a caller holds the queue */
} po_ledger_options;

/* Makes the object; thread and connection come with the first job. After fork. Nothing fails when the database is
 * down: each job tries again. */
apr_status_t po_ledger_open(po_ledger **l, const po_ledger_options *o, apr_pool_t *p);
/* Async-signal-safe: jobs in the queue are still done, then the thread ends. */
void po_ledger_stop(po_ledger *l);
/* Waits up to wait_ms (negative: for ever) for the thread's end. 1 = it has ended (or never began). */
int po_ledger_stopped(po_ledger *l, int wait_ms);

/* ---- writer.c: jobs ------------------------------------------------------------------------------------------- */

/* Runs in the writer thread within the transaction. Anything but APR_SUCCESS undoes the job (not its neighbours). May
 * be run a second time when the transaction has to be repeated, so it must set all its results anew. May allocate from
 * a pool of the waiting caller. */
typedef apr_status_t po_ledger_fn(po_ledger_db *db, void *baton);

/* Waits until fn's work is on disk. Returns fn's status, or APR_EGENERAL when nothing could be committed (disk full,
 * database down): then nothing of it is kept. */
apr_status_t po_ledger_run(po_ledger *l, po_ledger_fn *fn, void *baton);
/* The same, but goes on after the commit without waiting for the disk: a killed process can't undo the work, a power
 * failure can. For what may happen twice: a claim of the outbox, an event's outcome (its key makes a second delivery
 * harmless). It saves an fsync between an order's 200 and its event. */
apr_status_t po_ledger_run_unsynced(po_ledger *l, po_ledger_fn *fn, void *baton);
/* Queues and returns; unsynced as above. baton must be malloc'd: done(baton, status) is called in the writer thread after the commit or
 * its failure, and frees it. After po_ledger_stopped() it is called at once, in this thread, with APR_EGENERAL. */
void po_ledger_post(po_ledger *l, po_ledger_fn *fn, void *baton, void (*done)(void *baton, apr_status_t rv));

/* ---- readers -------------------------------------------------------------------------------------------------- */

/* A read-only connection for one thread; closed with p. */
apr_status_t po_ledger_reader(po_ledger_db **db, const char *path, apr_pool_t *p);
/* The last error of a connection, for the log. */
const char *po_ledger_error(po_ledger_db *db);
/* The site's random key (PO_DIGEST bytes): CSRF, callback and mail tokens are HMACs of it. */
apr_status_t po_ledger_key(po_ledger_db *db, unsigned char key[PO_DIGEST]);

/* ---- requests.c (in a job or with a reader; strings are copied to p) ------------------------------------------ */

apr_status_t po_request_insert(po_ledger_db *db, const po_request *r);          /* with its charges */
/* APR_NOTFOUND. With its charges. */
apr_status_t po_request_get(po_ledger_db *db, const char *site, const char *id, apr_pool_t *p, po_request **out);
/* The request of that session whose form has that digest, or (form_digest NULL) the one whose cart was returned, be
 * it the cart of a next approval. */
apr_status_t po_request_of_session(po_ledger_db *db, const char *site, const char *session, const char *form_digest,
                                   apr_pool_t *p, po_request **out);
/* APR_SUCCESS when a request was made in that session (or with a token of that id), APR_NOTFOUND when none was. */
apr_status_t po_request_in_session(po_ledger_db *db, const char *site, const char *session);
/* Writes state, reason, url, subscription, cart_payload, updated, expires, test, told, and each charge's state,
 * order, ordered quantity, expires and told. */
apr_status_t po_request_update(po_ledger_db *db, const po_request *r);

typedef struct {                                /* who asks; NULL members don't restrict */
    const char *site, *buyer, *account, *email, *user;
    int limit;
    int open;                                   /* requests that may have open approvals come with their charges */
} po_request_filter;
/* Newest first, else without charges. An account sees its own, and those without an account that its requester made. His they
 * are by user and mail; by his mail alone when they name no user, as those of Open Buy. */
apr_status_t po_request_list(po_ledger_db *db, const po_request_filter *f, apr_pool_t *p, apr_array_header_t **out);
/* Open requests (requested, partly approved) of a buyer and mode with an open charge that matches part, price, currency and
 * quantity of an order line without auxiliary id, with charges, oldest first, at most 2. */
apr_status_t po_request_candidates(po_ledger_db *db, const char *site, const char *buyer, int test,
                                   const po_cxml_item *item, apr_pool_t *p, apr_array_header_t **out);
/* Which requests an item without auxiliary id may mean: those of the document's mode. */
typedef enum { PO_CANDIDATES_NONE, PO_CANDIDATES_PRODUCTION, PO_CANDIDATES_TEST } po_candidates;
/* Adds to known (po_request *) each request of that buyer that an item (po_cxml_item) names by its auxiliary id, once; with
 * `candidates` also those that an item without one may mean. */
apr_status_t po_requests_of_items(po_ledger_db *db, const char *site, const char *buyer, const apr_array_header_t *items,
                                  po_candidates candidates, apr_pool_t *p, apr_array_header_t *known);
/* Requested and partly approved ones that end within `soon`, live longer than twice that, and whose requester has
 * not been told (no row "mail-ID-expires" in the outbox, "mail-ID-expires-next" for one that
 * po_request_is_continued()); at most limit. */
apr_status_t po_requests_ending(po_ledger_db *db, const char *site, apr_time_t now, apr_interval_time_t soon, int limit,
                                apr_pool_t *p, apr_array_header_t **out);
/* Partly approved ones past `expires`, some hundreds at most: the caller has to hold them (po_request_expire_open). */
apr_status_t po_requests_half_expired(po_ledger_db *db, apr_time_t now, apr_pool_t *p, apr_array_header_t **out);
/* Requests past `expires` without any ordered charge become expired; delivering ones, and partly approved ones that are
 * PO_TOLD_UNANSWERED, whose backend has not answered since `deadline` become held. Returns how many in *n. */
apr_status_t po_request_expire(po_ledger_db *db, apr_time_t now, apr_time_t deadline, int *n);
/* Those that it has held, called with that `now` (po_request *). */
apr_status_t po_requests_unanswered(po_ledger_db *db, apr_time_t held, apr_pool_t *p, apr_array_header_t **out);

/* ---- drafts.c: requests that were made in the marketplace ------------------------------------------------------- */

/* How many drafts that have not expired an account has at a buyer. */
apr_status_t po_draft_count(po_ledger_db *db, const char *site, const char *buyer, const char *account, apr_time_t now,
                            int *n);
/* po_request_update() of a draft that goes back, once: also writes session, user, email, user_name and account_email of
 * the punchout that takes it. APR_NOTFOUND: it is no draft any more, and nothing is written. */
apr_status_t po_draft_update(po_ledger_db *db, const po_request *r);

/* ---- continuations.c: the carts of further approvals (PunchOutApprovals separate) ------------------------------ */

typedef struct {
    const char *site, *session;                 /* one punchout returns one cart */
    const char *request, *kind;                 /* the approval that its cart asks for */
    const char *cart_payload;                   /* payloadID of the PunchOutOrderMessage, a po_document */
    apr_time_t at;
} po_continuation;
/* APR_EEXIST: this session has returned one, or this approval went back already. */
apr_status_t po_continuation_insert(po_ledger_db *db, const po_continuation *c);
/* What a session has returned. APR_NOTFOUND. */
apr_status_t po_continuation_get(po_ledger_db *db, const char *site, const char *session, apr_pool_t *p,
                                 po_continuation **out);

/* ---- orders.c, documents -------------------------------------------------------------------------------------- */

typedef struct {
    const char *site, *buyer, *payload_id;
    const char *digest;                         /* hex */
    int test;
    const char *request;                        /* what the order is about, for look-up; NULL: several or none */
    int status;                                 /* the answer that was given */
    const char *detail;
    int held;
    apr_time_t received;
    const char *order_id, *version, *type;      /* set by reading only */
    const char *difference;                     /* as in po_order_match; written only */
} po_order_record;

/* A 2xx answered before: same site, buyer and payloadID with the same digest (retry of the same document), else type="new"
 * with the same order id, mode and version (NULL: don't look). *same tells whether the contents are equal. APR_NOTFOUND:
 * never seen. A record whose payloadID matches but whose digest differs is not "the same document" (design.md §7); *reused
 * tells that there is one. */
apr_status_t po_order_find(po_ledger_db *db, const char *site, const char *buyer, const char *payload_id,
                           const char *digest, int test, const char *order_id, const char *version,
                           apr_pool_t *p, po_order_record **out, int *same, int *reused);
/* The latest document about a purchase order of that mode: the one whose OrderRequest had the payloadID refers_to (NULL: not
 * said), else the one of that id. APR_NOTFOUND. */
apr_status_t po_order_latest(po_ledger_db *db, const char *site, const char *buyer, int test, const char *refers_to,
                             const char *order_id, apr_pool_t *p, po_order_record **out);
/* order_read.c: adds to known (po_request *) the requests that any document about this purchase order was matched to. */
apr_status_t po_requests_of_order(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                                  apr_pool_t *p, apr_array_header_t *known);
/* order_read.c: what an event says of a purchase order, from its latest document; of the lines number, accounting and what they
 * were matched to (as auxiliary id). */
apr_status_t po_order_read(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                           apr_pool_t *p, po_event_order *out);
/* order_read.c: the latest document about a purchase order, with its lines; what those are about is the caller's. */
apr_status_t po_order_read_taken(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id,
                                 apr_pool_t *p, po_taken_order *out);
/* Order and lines. Fails (APR_EEXIST) when order id, mode, version and type exist already. */
apr_status_t po_order_insert(po_ledger_db *db, const po_order_record *rec, const po_cxml_order *order,
                             const po_order_match *match);

/* ---- order_judge.c -------------------------------------------------------------------------------------------- */

typedef enum { PO_ORDER_NEW, PO_ORDER_UPDATE, PO_ORDER_DELETE } po_order_type;
/* The Status text of 450 for any other type. */
#define PO_ORDER_TYPES "only orders of type \"new\", \"update\" and \"delete\" are taken"
/* 0: none of the three. */
int po_order_type_find(const char *text, po_order_type *out);

typedef struct {
    const char *site;
    const po_buyer *buyer;
    const char *payload_id;                     /* of the OrderRequest */
    const po_cxml_order *order;
    po_order_type type;                         /* of order->type */
    int test;
    const char *digest;                         /* hex, po_cxml_order_digest() */
    apr_time_t now;
} po_order_case;

typedef struct {
    int status;                                 /* 200, 409, 417 */
    const char *detail;                         /* NULL: none */
    int again;                                  /* nothing new: answered as before */
    int reused;                                 /* its payloadID came before with other content */
    const char *version;                        /* of this document about the order */
    const po_order_record *before;              /* the document that it repeats or contradicts; NULL: none */
    po_order_match match;                       /* all 0 when the order is answered without it */
} po_order_verdict;

/* What an OrderRequest means against all that is known (design.md §7): seen before, in its turn, matched. Writes nothing; the
 * requests in match are read for this and changed in memory alone. */
apr_status_t po_order_judge(po_ledger_db *db, const po_order_case *c, po_order_verdict *out, apr_pool_t *p);

typedef struct {                                /* a document that we sent or received, without secrets or card data */
    const char *site, *buyer, *payload_id, *kind;   /* kind: PunchOutOrderMessage, StatusUpdateRequest ... */
    const char *refers_to;                      /* request id or payloadID; NULL: none */
    const char *body;                           /* NULL: not kept */
    int outgoing;
    apr_time_t at;
} po_document;
apr_status_t po_document_insert(po_ledger_db *db, const po_document *d);
/* Of several with one payloadID the latest that we sent, else the latest. APR_NOTFOUND. */
apr_status_t po_document_get(po_ledger_db *db, const char *site, const char *payload_id, apr_pool_t *p,
                             po_document **out);

/* documents.c: a StatusUpdateRequest about an OrderRequest or a document of ours (refers_to), kept with the requests of that
 * buyer that it concerns. */
apr_status_t po_document_insert_status(po_ledger_db *db, const po_document *d, apr_pool_t *p);
/* What was kept so with a request, oldest first (po_document *). */
apr_status_t po_documents_of_request(po_ledger_db *db, const char *site, const char *request, apr_pool_t *p,
                                     apr_array_header_t **out);

/* documents.c: what a buyer said in a StatusUpdateRequest about the document of that payloadID, oldest first (po_document *). */
apr_status_t po_documents_about(po_ledger_db *db, const char *site, const char *buyer, const char *payload_id, apr_pool_t *p,
                                apr_array_header_t **out);

typedef struct {                                /* what the buyer was told last of a purchase order */
    const char *site, *buyer;
    int test;
    const char *order_id;
    const char *payload_id, *confirm_id;        /* of that ConfirmationRequest */
    const char *digest;                         /* hex, of what it said */
} po_confirmation_record;
/* APR_NOTFOUND: nothing yet. Fills payload_id, confirm_id and digest. */
apr_status_t po_confirmation_last(po_ledger_db *db, po_confirmation_record *c, apr_pool_t *p);
apr_status_t po_confirmation_put(po_ledger_db *db, const po_confirmation_record *c);

typedef struct {                                /* NULL and 0 don't restrict */
    const char *site, *buyer, *order_id;
    int held;                                   /* those that are held, or have a request that is */
    int limit;
} po_order_filter;
/* Documents about orders, latest first (po_order_record *). For tools: it reads much. */
apr_status_t po_order_list(po_ledger_db *db, const po_order_filter *f, apr_pool_t *p, apr_array_header_t **out);
/* The documents about this order are not held any more, unless a request that one of them names still is: what the latest
 * leaves out must be known to whoever decides about that one. */
apr_status_t po_order_decided(po_ledger_db *db, const char *site, const char *buyer, int test, const char *order_id);
/* The lines (int) of the request's charges on that order which the latest document about it, an update that is held, leaves
 * out. */
apr_status_t po_order_left_out(po_ledger_db *db, const po_request *r, const char *order_id, apr_pool_t *p,
                               apr_array_header_t *lines);

apr_status_t po_subscription_put(po_ledger_db *db, const po_request *r, const char *subscription, apr_time_t now);

/* ---- invoices.c: what the backend handed over, and what is invoiced of a charge --------------------------------- */

typedef struct po_invoice_record po_invoice_record;     /* below: it tells of the outbox */

/* APR_NOTFOUND. */
apr_status_t po_invoice_get(po_ledger_db *db, const char *site, const char *number, apr_pool_t *p, po_invoice_record **out);
/* The latest first (po_invoice_record *), at most limit; buyer NULL: of all. */
apr_status_t po_invoice_list(po_ledger_db *db, const char *site, const char *buyer, int limit, apr_pool_t *p,
                             apr_array_header_t **out);
/* The requests that its lines name, each once, as far as they exist (po_request *, with charges). */
apr_status_t po_invoice_requests(po_ledger_db *db, const char *site, const po_invoice *i, apr_pool_t *p,
                                 apr_array_header_t **out);
/* What was invoiced before of the charges that its lines name (po_invoice_past), without what the buyer refused. */
apr_status_t po_invoice_pasts(po_ledger_db *db, const char *site, const po_invoice *i, apr_pool_t *p,
                              apr_array_header_t **out);
/* Reads the lines of the purchase orders that the charges of past are on (ordered). requests: as in po_invoice_judge(). */
apr_status_t po_invoice_order_lines(po_ledger_db *db, const char *site, const char *buyer,
                                    const apr_array_header_t *requests, apr_array_header_t *past, apr_pool_t *p);
/* Reads the purchase orders of a verdict's items (orders). APR_NOTFOUND: one is not kept. */
apr_status_t po_invoice_orders(po_ledger_db *db, const char *site, const char *buyer, po_invoice_verdict *v, apr_pool_t *p);
/* Invoice and lines. APR_EEXIST: the number is taken. */
apr_status_t po_invoice_insert(po_ledger_db *db, const po_invoice_record *r, const po_invoice_verdict *v);

/* ---- outbox.c ------------------------------------------------------------------------------------------------- */

typedef enum { PO_OUTBOX_OPEN, PO_OUTBOX_DONE, PO_OUTBOX_PARKED, PO_OUTBOX_FAILED } po_outbox_state;

struct po_invoice_record {
    const char *site, *number, *buyer, *seller;
    const char *digest;                         /* hex, po_invoice_digest() */
    const char *payload_id;                     /* of its document: also its key in the outbox */
    int credit_memo;
    const char *original;                       /* of a credit memo */
    const char *date, *currency;
    po_decimal subtotal, tax, total;            /* positive, in a credit memo too */
    apr_time_t created;
    po_outbox_state state;                      /* of its document; the rest is set by reading only */
    int tries;
    const char *answer;                         /* what the buyer said last; NULL: nothing yet */
};

typedef enum { PO_ANSWERED_NOT, PO_ANSWERED_ACTIVE, PO_ANSWERED_FAILED } po_event_answered;
typedef struct po_outbox_row {
    apr_int64_t seq;
    int tries;                                  /* counted at the claim */
    const char *key;                            /* evt-... or mail-...: Idempotency-Key, Message-ID */
    const char *site, *channel;                 /* channel: event | event-test | mail | post:BUYER */
    const char *buyer, *request;
    const char *recipients;                     /* mail: addresses joined by ','; post: which kind of document it is */
    const char *body;
    apr_time_t created;
    po_order_outcome outcome;                   /* of an event: what it tells; NONE: not an event, or an old one */
    po_event_answered answered;                 /* of an event: the backend's final word; a 202 is none */
    int doubt;                                  /* an earlier try may have arrived, though nobody said so */
} po_outbox_row;

/* Rows of one request and channel go out in order; a parked one holds back those behind it. due: not before. */
apr_status_t po_outbox_add(po_ledger_db *db, const po_outbox_row *row, apr_time_t due);

typedef struct {
    apr_int64_t owner;                          /* of the claiming process */
    int want;
    apr_interval_time_t lease;
    /* site + '\n' + channel of backends that are dead, each with a probe or not: rows of those are left alone, except
     * one for each whose probe is set. Of a buyer's documents one is claimed at a time in any case; who has one under way
     * stands here as dead without a probe. */
    const char *const *dead;
    const int *probe;
    int ndead;
} po_outbox_claim_args;
/* Claims due rows (`due` moves to the end of the lease, `tries` counts) in the order of seq; *next_due is when to look
 * again, 0 when nothing waits. Rows in p. */
apr_status_t po_outbox_claim(po_ledger_db *db, const po_outbox_claim_args *a, apr_pool_t *p,
                             apr_array_header_t **rows /* po_outbox_row * */, apr_time_t *next_due);
/* The outcome of a delivery. PO_OUTBOX_OPEN: again at due (uncounted: the claim did not count as a try). A row that is
 * delivered stays delivered whoever owns it; the rest only when it is still this owner's: else nothing is written, and
 * APR_NOTFOUND. */
apr_status_t po_outbox_result(po_ledger_db *db, apr_int64_t seq, apr_int64_t owner, po_outbox_state what,
                              apr_time_t due, int uncounted, const char *answer);
/* The backend has said for good what becomes of an event. */
apr_status_t po_outbox_answered(po_ledger_db *db, apr_int64_t seq, po_event_answered answered);
/* A try may have arrived although its result is no delivery: so po_outbox_row.doubt of every later one. */
apr_status_t po_outbox_doubt(po_ledger_db *db, apr_int64_t seq);
/* Gives back the rows of owners that `alive` denies: they may have been sent, so they are in doubt. */
apr_status_t po_outbox_recover(po_ledger_db *db, apr_int64_t me, int (*alive)(apr_int64_t owner, void *baton),
                               void *baton, int *n);
/* The row of a key, whatever its state; APR_NOTFOUND. */
apr_status_t po_outbox_get(po_ledger_db *db, const char *key, apr_pool_t *p, po_outbox_row **out,
                           po_outbox_state *state);
/* 1 in *open when an event of this request is not delivered yet, or parked. */
apr_status_t po_outbox_open(po_ledger_db *db, const char *site, const char *request, int *open);
typedef struct {
    po_outbox_row *row;
    po_outbox_state state;
    apr_time_t due;
    int claimed;                                /* on its way at the moment */
    const char *answer;                         /* the last one; NULL: none */
} po_outbox_entry;
/* A row goes out (again) at once, under its key; its time to try begins anew. */
apr_status_t po_outbox_reopen(po_ledger_db *db, apr_int64_t seq, apr_time_t now);
/* So do the approvals and changes behind it that were given up with it. */
apr_status_t po_outbox_reopen_behind(po_ledger_db *db, const po_outbox_row *row, apr_time_t now);
/* A parked row, or one that waits, fails for good; APR_NOTFOUND: it is neither (on its way, or at its end). */
apr_status_t po_outbox_drop(po_ledger_db *db, apr_int64_t seq);
/* The events of the same request behind row that have not gone out (po_outbox_entry). */
apr_status_t po_outbox_behind(po_ledger_db *db, const po_outbox_row *row, apr_pool_t *p, apr_array_header_t **out);
/* For tools, these read much: what is not delivered, oldest first (po_outbox_entry); request NULL: of all. */
apr_status_t po_outbox_list(po_ledger_db *db, const char *site, int parked, const char *request, apr_pool_t *p,
                            apr_array_header_t **out);
/* The event of a request that was delivered last; APR_NOTFOUND. */
apr_status_t po_outbox_last_event(po_ledger_db *db, const char *site, const char *request, apr_pool_t *p,
                                  const char **key);
/* Whether a later event of the same request was delivered. */
apr_status_t po_outbox_overtaken(po_ledger_db *db, const po_outbox_row *row, int *overtaken);
/* The last answer of the backend about this request's events that are parked or failed; NULL: none. */
apr_status_t po_outbox_trouble(po_ledger_db *db, const char *site, const char *request, apr_pool_t *p,
                               const char **text);

/* ---- decisions.c: the operator's word, the audit record ---------------------------------------------------------- */

#define PO_DECIDE_RELEASE "release"             /* id: an order's, or a request's */
#define PO_DECIDE_REFUSE "refuse"
#define PO_DECIDE_CANCEL "cancel"               /* id: a request's */
#define PO_DECIDE_RETRY "retry"                 /* id: a key of the outbox */
#define PO_DECIDE_DROP "drop"
#define PO_DECIDE_DELIVERED "delivered"         /* of a parked document: the buyer has it */

typedef struct {
    apr_int64_t seq;
    const char *site, *what, *id;
    const char *buyer;                          /* of an order; else NULL */
    const char *event;                          /* release of a request whose backend never answered: its event; else NULL */
    const char *reason;                         /* NULL: none was given */
    const char *by;                             /* NAME@HOST */
    apr_time_t at;
    apr_time_t done;                            /* 0: not yet */
    int carried_out;                            /* 0 when it could not be */
    const char *outcome;                        /* a sentence; NULL: not yet */
} po_decision;

/* A tool's connection that may write. Everything that it writes must be one statement: the server waits for it. NULL, or a
 * sentence that says what is wrong and what to do. */
const char *po_ledger_connect(po_ledger_db **db, const char *path, apr_pool_t *p);
/* Sets d->seq. One statement. */
apr_status_t po_decision_insert(po_ledger_db *db, po_decision *d);
/* APR_NOTFOUND. */
apr_status_t po_decision_get(po_ledger_db *db, apr_int64_t seq, apr_pool_t *p, po_decision **out);
/* Those of a site that wait, oldest first, at most limit (po_decision *). */
apr_status_t po_decisions_open(po_ledger_db *db, const char *site, int limit, apr_pool_t *p, apr_array_header_t **out);
/* Its end, once: APR_NOTFOUND when it has one. */
apr_status_t po_decision_close(po_ledger_db *db, apr_int64_t seq, int carried_out, const char *outcome, apr_time_t now);
/* All about that id, which is an order's (buyer not NULL), a request's, whose orders and events count too, or a key; oldest first. */
apr_status_t po_decisions_about(po_ledger_db *db, const char *site, const char *id, const char *buyer, apr_pool_t *p,
                                apr_array_header_t **out);

#endif
