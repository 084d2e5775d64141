/* handlers.h - one file for each URL of design.md §2, headers.c for §4, access.c for Require, child.c for the life of a
 * process (httpd room).
 */
#ifndef PO_HANDLERS_H
#define PO_HANDLERS_H

#include "httpd.h"
#include "http_config.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "config/config.h"
#include "cxml/cxml.h"
#include "delivery/delivery.h"
#include "ledger/ledger.h"
#include "session/session.h"


/* ---- child.c: what a process and its threads hold ------------------------------------------------------------- */

int po_child_pre_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp);
int po_child_check_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
int po_child_post_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
void po_child_init(apr_pool_t *p, server_rec *s);
void po_child_stopping(apr_pool_t *p, int graceful);

po_sessions *po_child_sessions(void);
po_ledger *po_child_ledger(void);
typedef enum {
    PO_RATES_CALLS,                             /* of Open Buy, by site and buyer */
    PO_RATES_FAILURES,                          /* to authenticate there, by site, client address and name */
    PO_RATES_KINDS
} po_rates_kind;
/* Counters that all children share; NULL: there is no memory for them. */
po_rates *po_child_rates(po_rates_kind kind);

typedef struct {                                /* of one thread, made at its first request, freed when it ends */
    po_crypto *crypto;
    po_cxml_reader *reader;
    apr_pool_t *pool;
    po_ledger_db *ledger;                       /* reader; use po_thread_ledger() */
    apr_pool_t *ledger_pool;
    apr_hash_t *catalogs;                       /* path -> po_catalog * */
} po_thread;
po_thread *po_thread_get(void);                 /* NULL: out of memory */
po_ledger_db *po_thread_ledger(po_thread *t);   /* NULL: the ledger can't be opened */
po_catalog *po_thread_catalog(po_thread *t, const po_site *site);   /* NULL: no usable catalog */
/* The site's key, read once per process; 0 when the ledger can't be read. */
int po_child_key(po_thread *t, unsigned char key[PO_DIGEST]);
/* When this child was made: the effectiveDate of a ProfileResponse. */
apr_time_t po_child_started(void);
/* When the configuration was read, the same in all children of a generation. */
apr_time_t po_child_configured(void);
/* After a reader failed: the next use opens the ledger anew. */
void po_thread_ledger_drop(po_thread *t);

/* ---- punchout.c: which URL is it ------------------------------------------------------------------------------ */

/* The handler "punchout", hooked REALLY_FIRST (under `ProxyPass /` a later hook loses and the shared secret would go to the
 * shop). */
int po_handler(request_rec *r);

/* ---- headers.c (design.md §4) --------------------------------------------------------------------------------- */

int po_headers_clean(request_rec *r);           /* post_read_request: nobody but us says who a shopper is */
int po_headers_access(request_rec *r);          /* access_checker: takes our cookie out, finds the session for Require */
int po_headers_session(request_rec *r);         /* fixups: adds PunchOut-* headers and PUNCHOUT_* variables */
void po_headers_filter(request_rec *r);         /* insert_filter */
void po_headers_register(void);
/* Forgets what told of the marketplace's response and not of the one that takes its place. Its cookies stay. */
void po_response_forget(request_rec *r);        /* cart_filter.c */
/* Takes PunchOut-Account out of the response, where it stands already, and binds it to the session. */
void po_headers_account(request_rec *r);
/* The session of this request, found once and kept; NULL: none. */
const po_session *po_request_session(request_rec *r);
const char *po_request_cookie(request_rec *r);  /* its cookie's value */
const char *po_cookie_name(const po_site *site);
/* The cookie of a session goes out with this response; NULL: the browser forgets it. */
void po_cookie_set(request_rec *r, const po_site *site, const char *value);

/* ---- account.c: what the marketplace says of the shopper ------------------------------------------------------- */

/* Of the client's request; its subrequests and internal redirects share it. */
typedef struct {
    po_session session;
    const char *cookie;                         /* NULL: no session */
    int said;                                   /* the headers are set */
    int offer;                                  /* this response binds an account that has drafts */
} po_request_state;

/* The value of a PunchOut-Account header. In a punchout session it binds the account; elsewhere it begins, replaces and
 * ends sessions that began in the marketplace (PO_OPERATION_DRAFT). state changes with it. */
void po_account_said(request_rec *r, po_request_state *state, const char *said);
/* from..end without the blanks around it, in p. */
const char *po_trimmed(const char *from, const char *end, apr_pool_t *p);

/* ---- drafts.c: what was requested in the marketplace goes back with a punchout ----------------------------------- */

/* How many open drafts the account has at the session's buyer; 0 when the ledger can't be read, which is logged. */
int po_drafts_count(request_rec *r, const po_session *s, const char *account);
/* Counts them anew for the session of this request, after one has gone back or was cancelled. */
void po_drafts_recount(request_rec *r);
/* Turns this response, the page of a browser, into a redirect to the page that lists them. 0: it is none. */
int po_drafts_offer(request_rec *r);
/* The way on from that page: the path that the browser wanted, else PunchOutStartPage. */
const char *po_drafts_way_on(request_rec *r, const po_site *site);
#define PO_DRAFTS_MOST 100                      /* in one cart */
/* 1 when a session may take drafts back: a punchout that began anew, with an account. */
int po_takes_drafts(const po_session *s);
/* The drafts go back with this session's cart, all or none; the form is read and its csrf field right. ids: with blanks
 * between them. */
int po_handle_drafts(request_rec *r, const po_site *site, const po_session *s, const po_buyer *b, const char *ids);

/* ---- access.c ------------------------------------------------------------------------------------------------- */

void po_access_register(apr_pool_t *p);         /* Require punchout-session | punchout-buyer | punchout-organization */

/* ---- body.c --------------------------------------------------------------------------------------------------- */

/* Reads the whole body, at most limit bytes, with a NUL behind it; the caller may change it. OK,
 * HTTP_REQUEST_ENTITY_TOO_LARGE (the rest is not read), or another HTTP status. */
int po_body_read(request_rec *r, apr_size_t limit, char **body, apr_size_t *len);
/* The fields of an urlencoded form (at most 64 KB and 100 fields); NULL: not such a form. */
apr_table_t *po_body_form(request_rec *r);

/* ---- certificate.c -------------------------------------------------------------------------------------------- */

/* The client certificate of this connection when mod_ssl has verified it; NULL: none. */
const po_certificate *po_client_certificate(request_rec *r, po_crypto *c);

/* ---- doors ---------------------------------------------------------------------------------------------------- */

typedef struct {                                /* one request to a cXML door, on its way through the rooms */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    po_cxml doc;
    po_match match;
    const char *refused;                        /* the answer broke its DTD: this one is said in its place */
} po_exchange;

int po_cxml_door(request_rec *r, const po_site *site);              /* receive.c: setup and order */
int po_handle_setup(po_exchange *x);                                       /* setup.c */
int po_handle_order(po_exchange *x);                                       /* order.c */
int po_handle_profile(po_exchange *x);                              /* profile.c */
int po_handle_status_update(po_exchange *x);                        /* status_update.c */
int po_handle_start(request_rec *r, const po_site *site, const char *token);
/* start.c: the path of PunchOutProductPage for a product or offer that the session's buyer may see, else PunchOutStartPage. */
const char *po_shop_page(request_rec *r, const po_site *site, po_thread *t, const po_session *s,
                         const char *product_or_offer);
int po_handle_request(request_rec *r, const po_site *site);
int po_handle_requests(request_rec *r, const po_site *site, const char *id);
/* requests.c: 1 when this session may see the request, and what it may see it may go on with. */
int po_session_sees(const po_session *s, const po_request *n);
/* approvals.c: the request's next approval goes back with this session's cart; its form is read and its csrf field
 * right. */
int po_handle_continue(request_rec *r, const po_site *site, const po_session *s, const char *id);
/* approvals.c: POST requests/ID. */
int po_handle_request_cancel(request_rec *r, const po_site *site, const char *id);
int po_handle_cancel(request_rec *r, const po_site *site);
int po_handle_index(request_rec *r, const po_site *site, int cif);  /* catalog_index.c */
int po_handle_fulfilled(request_rec *r, const po_site *site, const char *event);
int po_handle_invoices(request_rec *r, const po_site *site, const char *number);     /* number NULL: POST, or a list */

/* ---- openbuy.c, openbuy_token.c, openbuy_checkout.c: Coupa Open Buy -------------------------------------------- */

typedef struct {                                /* one call */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    const char *action;                         /* "search", ... */
    po_openbuy *body;                           /* NULL at the door `token` */
    const po_buyer *buyer;                      /* who calls; NULL: not known yet */
    const char *email;                          /* of the requester; NULL: it doesn't say */
    const char *token;                          /* id of the token; NULL: without one */
    int wait;                                   /* with 429: seconds */
} po_openbuy_call;

int po_handle_openbuy(request_rec *r, const po_site *site, const char *action);
/* openbuy.c: sends that JSON. */
int po_openbuy_answer(request_rec *r, int http, const char *json);
/* openbuy.c: logs and sends why the call is not answered; detail says what to do. 429 says c->wait. */
int po_openbuy_refuse(const po_openbuy_call *c, int http, const char *detail);
/* openbuy.c: the product or offer that the call names, if its buyer may see it. NULL: *rc is the answer. */
const po_offer *po_openbuy_offer(const po_openbuy_call *c, int *rc);
/* openbuy.c: the item as the buyer is told of it. */
void po_openbuy_describe(const po_openbuy_call *c, const po_offer *o, po_openbuy_item *out);
/* openbuy_token.c: who calls, by its token: sets buyer, email and token. 0: *rc is the answer that was sent. */
int po_openbuy_identify(po_openbuy_call *c, int *rc);
/* openbuy_token.c: sends that the token does not count, or not any more. */
int po_openbuy_refuse_token(const po_openbuy_call *c);
int po_openbuy_authenticate(po_openbuy_call *c);        /* openbuy_token.c */
int po_openbuy_oauth(po_openbuy_call *c);               /* openbuy_token.c */
int po_openbuy_checkout(po_openbuy_call *c);            /* openbuy_checkout.c */

/* request.c: 1 when the session, or its buyer by now, is in test mode. */
int po_session_is_test(const po_session *s, const po_buyer *b);
/* request.c: a new request of that buyer with its id, times and the buyer's mode, in r's pool; the rest is the caller's.
 * NULL: no random bytes for an id. */
po_request *po_request_make(request_rec *r, po_thread *t, const po_site *site, const po_buyer *b);
/* request.c, for the form and the marketplace's own cart. The buyer of a session that may request something; NULL: *rc is
 * the page that was sent. */
const po_buyer *po_request_buyer(request_rec *r, const po_site *site, const po_session *s, int *rc);
/* Prices the entries (po_cart_entry), keeps their requests in one commit and answers with the cart on its way back, with 303
 * to what needs no order, or with a page that says why not. digest: hex, of what is asked for; the same in the same session
 * is answered as before. */
int po_request_approval(request_rec *r, const po_site *site, const po_session *s, const po_buyer *b,
                        const apr_array_header_t *entries, const char *digest);
/* cart_filter.c: insert_filter, and its registration. */
void po_cart_filter(request_rec *r);
void po_cart_filter_register(void);

/* cart.c: the PunchOutOrderMessage for a session with the lines of these requests (po_request *); requests NULL: the session
 * ends and nothing changes (Status 204). NULL when the lines can't be one cart. */
const char *po_cart_document(const po_site *site, const po_buyer *buyer, const po_session *s,
                             const apr_array_header_t *requests, const char *payload_id, apr_time_t now, apr_pool_t *p);
/* cart.c: the absolute URL of a product's page in the marketplace; NULL: there is no PunchOutProductPage. */
const char *po_product_url(const po_site *site, const char *product, apr_pool_t *p);

/* Answers with a Status alone; a code of 5xx sets the profile's transient HTTP status. detail may be NULL. */
int po_answer_status(po_exchange *x, int code, const char *detail);
int po_answer_send(po_exchange *x, po_buffer *b);
void po_envelope(po_exchange *x, po_cxml_envelope *e);

/* validate.c: PunchOutValidate. 1: this answer must not go out, and x->refused says so to the other side. Call it where
 * the site has a validator. */
int po_answer_refused(po_exchange *x, po_buffer *b);
/* 1: this cart must not go out, and *rc is the page that was sent in its place. */
int po_cart_refused(request_rec *r, const po_site *site, const char *document, int *rc);

/* ---- page.c: what a person sees ------------------------------------------------------------------------------- */

/* A complete small page: title and a body that the caller has escaped already. */
int po_page(request_rec *r, int http_status, const char *title, const char *body_html);
/* A page that says what is wrong and what to do; title and text are escaped here. */
int po_page_problem(request_rec *r, int http_status, const char *title, const char *text);
/* One punchout returns one cart, and this session's has gone: what to open the marketplace anew for, "request ...". */
int po_page_cart_gone(request_rec *r, const char *next);
/* The ledger could not write a request. */
int po_page_not_kept(request_rec *r);
/* What is wrong, for a program: application/problem+json (RFC 9457). */
int po_problem(request_rec *r, int http_status, const char *detail);
/* The JSON of it. */
const char *po_problem_json(int http_status, const char *detail, apr_pool_t *p);
/* The form that takes a cart back to the procurement system by itself (cXML guide, PunchOutOrderMessage). text: what
 * is on its way, a sentence of plain text. */
int po_page_return(request_rec *r, const po_buyer *b, const char *return_url, const char *document, const char *text);
/* The session of a form's POST when its csrf field is right; else NULL and *rc is the page that was sent. *form: its fields. */
const po_session *po_form_session(request_rec *r, apr_table_t **form, int *rc);

#endif
