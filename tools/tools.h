/* tools.h - what the files of punchoutctl share. */
#ifndef PO_TOOLS_H
#define PO_TOOLS_H

#include "ledger/ledger.h"

#include <stdio.h>

enum { PO_EXIT_YES, PO_EXIT_NO, PO_EXIT_TROUBLE };      /* done; refused, or not there; usage, or can't be read */

/* ---- output.c -------------------------------------------------------------------------------------------------- */

/* One aligned line of the report; label "" continues the one above. What a terminal would obey, or can't show, comes out
 * as '?': control characters, bytes that are no UTF-8. */
void po_say(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same without a label. */
void po_print(const char *text);
/* A URL without what only its owner should see: user name and password, and what stands behind '?' or '#'. */
const char *po_shown_url(const char *url, apr_pool_t *p);
/* To stderr, behind the tool's name; returns PO_EXIT_TROUBLE. */
int po_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- timestamp.c ------------------------------------------------------------------------------------------------ */

/* NULL, or what is unusual about the timestamp of a document; the server doesn't mind. */
const char *po_timestamp_odd(const char *text);

/* ---- site_json.c: what `httpd -t -D DUMP_PUNCHOUT` printed ------------------------------------------------------ */

typedef struct {
    const char *state_dir, *ledger;     /* NULL: the dump doesn't say */
    apr_array_header_t *sites;          /* po_site * */
} po_dump;

/* Sites as the server has them, but for secrets: those are masked. A "file:" one that can be read is read; any other
 * has value NULL. NULL, or what is wrong, in p. */
const char *po_dump_read(po_dump *out, const char *text, apr_size_t len, po_crypto *c, apr_pool_t *p);

/* ---- captured.c: a request as somebody kept it ------------------------------------------------------------------ */

typedef struct {
    const char *method, *path, *host;   /* NULL: a bare document */
    const char *content_type, *charset; /* NULL: not said */
    char *body;                         /* with a NUL behind it */
    apr_size_t len;
} po_captured;

/* A bare document, or request line (which may be missing), headers, an empty line and the body. bytes[len] must be 0.
 * NULL, or what is wrong, in p. */
const char *po_captured_read(po_captured *out, char *bytes, apr_size_t len, apr_pool_t *p);

/* ---- explain.c -------------------------------------------------------------------------------------------------- */

typedef struct {                        /* one document on its way through the rooms */
    apr_pool_t *pool;
    apr_time_t now;
    po_crypto *crypto;
    const po_dump *dump;
    const po_site *site;
    po_ledger_db *ledger;               /* NULL: there is none to ask */
    po_captured captured;
    po_cxml doc;
    po_match match;
    const po_certificate *certificate;  /* that the buyer's block wants, taken for shown; NULL: none is needed */
    int status;                         /* that the server would answer */
    int http;
    const char *detail;                 /* of the Status; NULL: none */
} po_explanation;

/* The configuration of a file, NULL: of httpd's dump. 0: it can't be had, and the reason was printed. */
int po_config_read(const char *file, po_crypto *c, po_dump *dump, apr_pool_t *p);
/* The site of that URL or (url NULL) of that host, or the only one. NULL: none, and the reason was printed. */
const po_site *po_config_site(const char *url, const po_dump *dump, const char *host, apr_pool_t *p);
/* Root becomes the ledger's owner: whoever opens it may create the files -wal and -shm, which httpd's children write. */
void po_be_owner_of(const char *file, apr_pool_t *p);

int po_explain_command(int argc, const char *const *argv, apr_pool_t *p);

/* explain_party.c: From, To and Sender; which buyer that is, or who comes near; what Sender proves itself with. Sets
 * match, and status and detail where it is nobody. */
void po_explain_party(po_explanation *x);
/* explain_setup.c, explain_order.c: after the buyer is known. They set status and detail. */
void po_explain_setup(po_explanation *x);
void po_explain_order(po_explanation *x);
/* explain.c: "test, because ..." */
void po_explain_mode(const po_explanation *x);

/* ---- operate.c, show.c: orders, requests, outbox ------------------------------------------------------------------ */

typedef struct {                        /* one call of the tool */
    apr_pool_t *pool;
    const char *noun, *verb, *id;       /* id NULL: the verb takes none */
    const char *config, *ledger, *site, *buyer, *reason, *wait;        /* NULL: not given */
    int json, held, parked;
    po_ledger_db *db;                   /* reads */
} po_operation;

int po_operate_command(int argc, const char *const *argv, apr_pool_t *p);

/* The exit status of a list or show. */
int po_list_orders(const po_operation *o);
int po_list_requests(const po_operation *o);
int po_list_outbox(const po_operation *o);
int po_show_order(const po_operation *o, const char *buyer);
int po_show_request(const po_operation *o);
/* What became of a decision. */
int po_show_decision(const po_operation *o, const po_decision *d);

#endif
