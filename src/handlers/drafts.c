/* drafts.c - what was requested in the marketplace goes back with a punchout of its account (design.md §5). */
#include "handlers/handlers.h"

#include "apr_lib.h"
#include "util_script.h"

APLOG_USE_MODULE(punchout);

#define WANTED_MOST 4096                /* bytes of ?to=, escaped: httpd takes no request line longer than 8190 */

/* ---- the offer -------------------------------------------------------------------------------------------------- */

int po_drafts_count(request_rec *r, const po_session *s, const char *account)
{
    po_thread *t = po_thread_get();
    po_ledger_db *db = t ? po_thread_ledger(t) : NULL;
    int n = 0;

    if (db && po_draft_count(db, s->site, s->buyer, account, r->request_time, &n) == APR_SUCCESS)
        return n;
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0234: session %s is not told of its drafts, for the ledger can't be "
                  "read: %s", s->id, db ? po_ledger_error(db) : "it does not open");
    if (t)
        po_thread_ledger_drop(t);
    return 0;
}

void po_drafts_recount(request_rec *r)
{
    const po_session *s = po_request_session(r);

    if (s && po_takes_drafts(s))
        po_session_recount(po_child_sessions(), po_thread_get()->crypto, po_request_cookie(r), s->account,
                           po_drafts_count(r, s, s->account), r->request_time);
}

static int is_type(const char *type, const char *wanted)
{
    apr_size_t len = strlen(wanted);

    return type && !ap_cstr_casecmpn(type, wanted, len) && (!type[len] || type[len] == ';' || type[len] == ' ');
}

/* A page that somebody opened, and no picture, script or fetch(). */
static int is_page(const request_rec *r)
{
    const char *dest = apr_table_get(r->headers_in, "Sec-Fetch-Dest");
    const char *accept = apr_table_get(r->headers_in, "Accept");

    if (r->method_number != M_GET || r->header_only || r->status != HTTP_OK || !is_type(r->content_type, "text/html"))
        return 0;
    if (dest)
        return !strcmp(dest, "document") || !strcmp(dest, "iframe");
    return accept && strstr(accept, "text/html");
}

int po_drafts_offer(request_rec *r)
{
    const po_site *site = po_config_site(r->server);
    const request_rec *first = r;
    const char *wanted, *list = apr_pstrcat(r->pool, site->door, "/requests", NULL);

    if (!is_page(r))
        return 0;
    while (first->prev)
        first = first->prev;
    wanted = ap_escape_urlencoded(r->pool, first->unparsed_uri);
    po_response_forget(r);
    r->status = HTTP_SEE_OTHER;
    ap_set_content_type(r, NULL);
    ap_set_content_length(r, 0);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Location", strlen(wanted) > WANTED_MOST
                   ? list : apr_pstrcat(r->pool, list, "?to=", wanted, NULL));
    return 1;
}

/* A path of this site: it must not lead a browser elsewhere. */
static int is_path(const char *to)
{
    const char *c = to;

    if (*c != '/' || c[1] == '/' || c[1] == '\\')
        return 0;
    while (*c && !apr_iscntrl(*c) && !apr_isspace(*c))
        c++;
    return !*c;
}

const char *po_drafts_way_on(request_rec *r, const po_site *site)
{
    apr_table_t *args = NULL;
    const char *to;

    if (r->args)
        ap_args_to_table(r, &args);
    to = args ? apr_table_get(args, "to") : NULL;
    return to && is_path(to) ? to : site->start_page;
}

/* ---- going back ----------------------------------------------------------------------------------------------- */

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    const po_session *s;
    const po_buyer *b;
    const apr_array_header_t *ids;      /* const char *: of the drafts, each once */
    apr_array_header_t *drafts;         /* po_request *: as they go back */
    const char *payload, *document;     /* their cart; NULL: `refused` says why there is none */
    /* the outcome */
    const char *refused;                /* why nothing is sent */
    const char *sent;                   /* the cart that took them back with this session before */
    int gone;                           /* the session's cart was another one */
} return_job;

int po_takes_drafts(const po_session *s)
{
    return !strcmp(s->operation, "create") && *s->account;
}

static apr_status_t read_request(po_ledger_db *db, const return_job *j, int i, po_request **n)
{
    return po_request_get(db, j->site->public_url, APR_ARRAY_IDX(j->ids, i, const char *), j->r->pool, n);
}

/* 1: the cart that this session returned holds all that is asked for. payload NULL: it returned none of its own. */
static int is_in_cart(po_ledger_db *db, const return_job *j, const char *payload)
{
    po_request *n;
    int i;

    for (i = 0; payload && i < j->ids->nelts; i++)
        if (read_request(db, j, i, &n) != APR_SUCCESS || !n->session || strcmp(n->session, j->s->id)
            || !n->cart_payload || strcmp(n->cart_payload, payload))
            return 0;
    return payload != NULL;
}

/* One punchout returns one cart: what this session has returned already. APR_NOTFOUND: nothing. */
static apr_status_t find_sent(po_ledger_db *db, return_job *j)
{
    po_request *before;
    po_document *d;
    apr_status_t rv = po_request_of_session(db, j->site->public_url, j->s->id, NULL, j->r->pool, &before);

    if (rv != APR_SUCCESS)
        return rv;
    j->gone = !is_in_cart(db, j, before->cart_payload);
    if (j->gone)
        return APR_SUCCESS;
    rv = po_document_get(db, j->site->public_url, before->cart_payload, j->r->pool, &d);
    j->sent = rv == APR_SUCCESS ? d->body : NULL;
    return rv;
}

/* The draft as a request of this session, if it may become one; else `refused` is set. */
static void fill_return(return_job *j, po_request *n)
{
    const po_session *s = j->s;
    int test = po_session_is_test(s, j->b);

    if ((j->refused = po_draft_return_refused(n, j->r->request_time, j->r->pool)))
        return;
    po_draft_return(n, j->b, test, j->r->request_time, j->r->request_time + j->site->request_timeout);
    n->session = s->id;
    n->user = s->user;
    n->email = s->email;
    n->user_name = s->user_name;
    n->cart_payload = j->payload;
    if (*s->account_email)
        n->account_email = s->account_email;
}

/* The drafts as they go back; APR_NOTFOUND: one of them is none that this session sees. */
static apr_status_t read_drafts(po_ledger_db *db, return_job *j)
{
    apr_status_t rv = APR_SUCCESS;
    po_request *n;
    int i;

    j->refused = NULL;
    j->drafts = apr_array_make(j->r->pool, j->ids->nelts, sizeof(po_request *));
    for (i = 0; rv == APR_SUCCESS && !j->refused && i < j->ids->nelts; i++) {
        rv = read_request(db, j, i, &n);
        if (rv == APR_SUCCESS && !po_session_sees(j->s, n))
            rv = APR_NOTFOUND;
        if (rv != APR_SUCCESS)
            break;
        fill_return(j, n);
        APR_ARRAY_PUSH(j->drafts, po_request *) = n;
    }
    if (rv == APR_SUCCESS && !j->refused)
        j->refused = po_drafts_together_refused(j->drafts, j->r->pool);
    return rv;
}

static apr_status_t keep_return(po_ledger_db *db, const return_job *j, const po_request *n)
{
    const char *key = apr_pstrcat(j->r->pool, "mail-", n->id, "-requested", NULL);
    apr_status_t rv = po_draft_update(db, n);

    return rv == APR_SUCCESS
        ? po_delivery_mail(db, j->site, PO_MAIL_REQUESTED, n, key, n->updated, j->r->pool) : rv;
}

/* Everything is asked anew: another session may have been faster, or the clock. */
static apr_status_t take_back(po_ledger_db *db, void *baton)
{
    return_job *j = baton;
    po_document d = { j->site->public_url, j->b->name, j->payload, "PunchOutOrderMessage",
                      APR_ARRAY_IDX(j->ids, 0, const char *), j->document, 1, j->r->request_time };
    apr_status_t rv;
    int i;

    j->sent = NULL;
    j->gone = 0;
    if ((rv = find_sent(db, j)) != APR_NOTFOUND)
        return rv;
    if (!j->document)
        return APR_SUCCESS;
    if ((rv = read_drafts(db, j)) != APR_SUCCESS || j->refused)
        return rv;
    rv = po_document_insert(db, &d);
    for (i = 0; rv == APR_SUCCESS && i < j->drafts->nelts; i++)
        rv = keep_return(db, j, APR_ARRAY_IDX(j->drafts, i, po_request *));
    return rv;
}

static int no_such_draft(request_rec *r)
{
    return po_page_problem(r, HTTP_NOT_FOUND, "No such request", "There is no request of yours with this number. If "
                           "another account made it, sign in to the marketplace with that one in this window, then return "
                           "it.");
}

static int unreadable(const return_job *j)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, j->r, "PO0235: drafts of account %s can't be read from the ledger: %s",
                  ap_escape_logitem(j->r->pool, j->s->account),
                  j->thread->ledger ? po_ledger_error(j->thread->ledger) : "it does not open");
    po_thread_ledger_drop(j->thread);
    return po_page_problem(j->r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "The request can't be read just now, "
                           "and nothing was sent to your procurement system. Try again in a few minutes.");
}

/* The cart of the drafts as the ledger shows them now. 0: *rc is the page that was sent. */
static int prepare(return_job *j, int *rc)
{
    po_ledger_db *db = po_thread_ledger(j->thread);
    request_rec *r = j->r;
    apr_status_t rv;

    j->payload = po_payload_id(j->thread->crypto, j->site->host, r->request_time, r->pool);
    rv = db ? read_drafts(db, j) : APR_EGENERAL;
    if (rv != APR_SUCCESS) {
        *rc = rv == APR_NOTFOUND ? no_such_draft(r) : unreadable(j);
        return 0;
    }
    if (j->refused)
        return 1;
    j->document = po_cart_document(j->site, j->b, j->s, j->drafts, j->payload, r->request_time, r->pool);
    *rc = HTTP_INTERNAL_SERVER_ERROR;
    return j->document && !po_cart_refused(r, j->site, j->document, rc);
}

static void log_returned(const return_job *j)
{
    const char *account = ap_escape_logitem(j->r->pool, j->s->account);
    int i;

    for (i = 0; i < j->drafts->nelts; i++)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, j->r, "PO0236: draft %s of account %s goes back with session %s",
                      APR_ARRAY_IDX(j->drafts, i, po_request *)->id, account, j->s->id);
}

static int answer(const return_job *j)
{
    request_rec *r = j->r;

    if (j->gone)
        return po_page_cart_gone(r, "return the next request");
    if (!j->sent && j->refused)
        return po_page_problem(r, HTTP_CONFLICT, "This can't go back", j->refused);
    if (!j->sent) {
        log_returned(j);
        po_drafts_recount(r);
    }
    return po_page_return(r, j->b, j->s->return_url, j->sent ? j->sent : j->document, j->ids->nelts > 1
                          ? "Your requests are on their way." : "Your request is on its way.");
}

/* 1: this session takes no drafts back, and *rc is the page that says so. */
static int refuses_drafts(request_rec *r, const po_session *s, int *rc)
{
    if (po_session_is_draft(s))
        *rc = po_page_problem(r, HTTP_CONFLICT, "Go to your procurement system first", "Open the marketplace from your "
                              "procurement system and sign in with this account: it then offers to return this "
                              "request.");
    else if (strcmp(s->operation, "create"))    /* what comes back takes the place of the lines that are edited */
        *rc = po_page_problem(r, HTTP_CONFLICT, "Not in this visit", "You came back with an earlier cart. Return "
                              "unchanged first; from your procurement system, open the marketplace for a new cart.");
    else if (!*s->account)
        *rc = no_such_draft(r);
    else
        return 0;
    return 1;
}

/* Each id once: a cart must not hold a line twice. */
static apr_array_header_t *split_ids(const char *text, apr_pool_t *p)
{
    apr_array_header_t *ids = apr_array_make(p, 4, sizeof(const char *));
    char *state, *id = apr_strtok(apr_pstrdup(p, text), " ", &state);
    int i;

    for (; id; id = apr_strtok(NULL, " ", &state)) {
        for (i = 0; i < ids->nelts && strcmp(APR_ARRAY_IDX(ids, i, const char *), id); i++)
            ;
        if (i == ids->nelts)
            APR_ARRAY_PUSH(ids, const char *) = id;
    }
    return ids;
}

int po_handle_drafts(request_rec *r, const po_site *site, const po_session *s, const po_buyer *b, const char *ids)
{
    return_job j = { r, site, po_thread_get(), s, b, split_ids(ids, r->pool) };
    apr_status_t rv;
    int rc;

    if (refuses_drafts(r, s, &rc))
        return rc;
    if (!j.ids->nelts || j.ids->nelts > PO_DRAFTS_MOST)
        return no_such_draft(r);
    if (!prepare(&j, &rc))
        return rc;
    rv = po_ledger_run(po_child_ledger(), take_back, &j);
    if (rv == APR_SUCCESS)
        return answer(&j);
    ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0237: the return of drafts with session %s could not be written to "
                  "the ledger", s->id);
    return po_page_not_kept(r);
}
