/* account.c - PunchOut-Account, the marketplace's word about who the shopper is (design.md §4): it binds an account to
 * a punchout session. Elsewhere, with the connection that the account buys through, it begins a session in which what
 * is requested becomes a draft. A browser can't set it: it stands in responses of the marketplace. */
#include "handlers/handlers.h"

#include "apr_lib.h"
#include <jansson.h>

APLOG_USE_MODULE(punchout);

#define ACCOUNT_MAX 255                 /* bytes of an account's id */
#define NOBODY "none"                   /* in place of an id: signed out */

typedef struct {                        /* "ID; email=ADDRESS; buyer=NAME" */
    const char *id;
    const char *email, *buyer;          /* NULL: not said */
} account;

/* ---- reading it ------------------------------------------------------------------------------------------------ */

const char *po_trimmed(const char *from, const char *end, apr_pool_t *p)
{
    while (from < end && apr_isspace(*from))
        from++;
    while (end > from && apr_isspace(end[-1]))
        end--;
    return apr_pstrmemdup(p, from, (apr_size_t)(end - from));
}

static const char *unquoted(const char *value, apr_pool_t *p)
{
    const char *end = value + strlen(value);

    return *value == '"' && end - value > 1 && end[-1] == '"' ? po_trimmed(value + 1, end - 1, p) : value;
}

/* The value of the first parameter of that name; NULL: none. */
static const char *parameter(const char *parameters, const char *name, apr_pool_t *p)
{
    const char *start, *end, *equals;

    for (; *parameters == ';'; parameters = end) {
        start = parameters + 1;
        end = start + strcspn(start, ";");
        equals = memchr(start, '=', (apr_size_t)(end - start));
        if (equals && !ap_cstr_casecmp(po_trimmed(start, equals, p), name))
            return unquoted(po_trimmed(equals + 1, end, p), p);
    }
    return NULL;
}

/* Events and pages are JSON: two ids that differ in broken bytes alone would read alike there. */
static int is_utf8(const char *text)
{
    json_t *j = json_string(text);

    json_decref(j);
    return j != NULL;
}

static int is_account_id(const char *text)
{
    const char *c;

    for (c = text; *c; c++)
        if (apr_iscntrl(*c))
            return 0;
    return c > text && c - text <= ACCOUNT_MAX && is_utf8(text);
}

/* A mail address of no use must not keep somebody signed in as the account before. 0: the id can't be read. */
static int read_account(request_rec *r, account *a, const char *said)
{
    const char *end = said + strcspn(said, ";");

    a->id = po_trimmed(said, end, r->pool);
    a->email = parameter(end, "email", r->pool);
    a->buyer = parameter(end, "buyer", r->pool);
    if (!is_account_id(a->id))
        return 0;
    if (a->email && !po_mail_address_valid(a->email)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0245: the marketplace's PunchOut-Account gives account %s an "
                      "address that no mail can be sent to, so it gets none; name one NAME@HOST in ASCII",
                      ap_escape_logitem(r->pool, a->id));
        a->email = NULL;
    }
    return 1;
}

static int is_nobody(const account *a)
{
    return !ap_cstr_casecmp(a->id, NOBODY);
}

/* ---- a session's account ---------------------------------------------------------------------------------------- */

/* Drafts are looked for once, when another account is bound to a punchout that may take them back. */
static void bind_account(request_rec *r, po_request_state *state, const account *a)
{
    po_session *s = &state->session;
    int same = !strcmp(a->id, s->account), drafts = s->drafts;
    const char *email = a->email ? a->email : same ? s->account_email : "";
    po_thread *thread = po_thread_get();
    apr_status_t rv;

    if (!thread || (same && !strcmp(email, s->account_email)))
        return;
    if (!same)
        drafts = !strcmp(s->operation, "create") ? po_drafts_count(r, s, a->id) : 0;
    rv = po_session_bind(po_child_sessions(), thread->crypto, state->cookie, a->id, email, drafts, r->request_time);
    if (rv == APR_SUCCESS) {
        s->account = a->id;
        s->account_email = email;
        s->drafts = drafts;
        state->offer = !same && drafts > 0;
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0202: session %s belongs to account %s", s->id,
                      ap_escape_logitem(r->pool, a->id));
    }
    else if (rv != APR_NOTFOUND)        /* it has ended meanwhile */
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "PO0203: account %s cannot be kept with session %s; when the "
                      "session store is full raise PunchOutSessionStore and restart",
                      ap_escape_logitem(r->pool, a->id), s->id);
}

/* ---- sessions that begin in the marketplace --------------------------------------------------------------------- */

/* The connection that the marketplace names; NULL: it can't be used, and the log says why. */
static const po_buyer *named_buyer(request_rec *r, const po_site *site, const char *name)
{
    const po_buyer *b = po_site_buyer(site, name);

    if (b && !b->fault && !site->fault)
        return b;
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0230: the marketplace's PunchOut-Account names buyer %s, and %s: "
                  "no session begins", ap_escape_logitem(r->pool, name),
                  b ? "its configuration is faulty (see the log of the start)"
                    : "there is no such <PunchOutBuyer> in this virtual host");
    return NULL;
}

/* 0: there is none, and the log says why. */
static int begin_session(request_rec *r, const po_site *site, po_request_state *state, const account *a)
{
    const po_buyer *b = named_buyer(r, site, a->buyer);
    po_thread *thread = b ? po_thread_get() : NULL;
    char token[PO_TOKEN_TEXT + 1], *cookie = apr_palloc(r->pool, PO_TOKEN_TEXT + 1);
    po_session s = { "" };
    apr_status_t rv;

    if (!thread)
        return 0;
    s.site = site->public_url;
    s.buyer = b->name;
    s.operation = PO_OPERATION_DRAFT;
    s.account = a->id;
    s.account_email = a->email;
    rv = po_session_insert(po_child_sessions(), thread->crypto, &s, r->request_time, token);
    if (rv == APR_SUCCESS)
        rv = po_session_start(po_child_sessions(), thread->crypto, token, r->request_time, cookie, &state->session,
                              r->pool);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0231: no session for account %s of buyer %s; when half of the "
                      "session store is in use (the rest is for setups) raise PunchOutSessionStore and restart",
                      ap_escape_logitem(r->pool, a->id), b->name);
        return 0;
    }
    state->cookie = cookie;
    po_cookie_set(r, site, cookie);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0232: session %s begins in the marketplace: account %s of buyer %s",
                  state->session.id, ap_escape_logitem(r->pool, a->id), b->name);
    return 1;
}

/* 1: there was one. */
static int end_session(request_rec *r, po_request_state *state)
{
    po_thread *thread = po_thread_get();

    if (!state->cookie)
        return 0;
    if (thread)
        po_session_remove(po_child_sessions(), thread->crypto, state->cookie);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0233: session %s, which began in the marketplace, has ended",
                  state->session.id);
    state->cookie = NULL;
    return 1;
}

/* Pictures, styles and scripts of a page are asked for all at once: each would begin a session of its own, and the last
 * one would win over the page's. */
static int is_part_of_page(const request_rec *r)
{
    const char *dest = apr_table_get(r->headers_in, "Sec-Fetch-Dest");

    return dest && strcmp(dest, "document") && strcmp(dest, "iframe") && strcmp(dest, "frame") && strcmp(dest, "empty");
}

/* The session is always that of the account and connection which the marketplace named last. a NULL: it is not known
 * who that is. */
static void follow_account(request_rec *r, po_request_state *state, const account *a)
{
    const po_site *site = po_config_site(r->server);
    const po_session *s = &state->session;
    int ended;

    if ((r->method_number != M_GET && r->method_number != M_POST) || is_part_of_page(r))    /* M_GET is HEAD, too */
        return;
    if (a && state->cookie && !strcmp(a->id, s->account) && (!a->buyer || !strcmp(a->buyer, s->buyer))) {
        bind_account(r, state, a);      /* its mail address may be another one */
        return;
    }
    ended = end_session(r, state);
    if ((!a || is_nobody(a) || !a->buyer || !begin_session(r, site, state, a)) && ended)
        po_cookie_set(r, site, NULL);
}

void po_account_said(request_rec *r, po_request_state *state, const char *said)
{
    account a;
    int readable = read_account(r, &a, said);

    if (!readable)
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0201: the marketplace's PunchOut-Account is not of the form "
                      "\"ID; email=NAME@HOST; buyer=NAME\", with an id of 1 to %d bytes of UTF-8, and names nobody",
                      ACCOUNT_MAX);
    if (!state->cookie || po_session_is_draft(&state->session))
        follow_account(r, state, readable ? &a : NULL);
    else if (readable && !is_nobody(&a))
        bind_account(r, state, &a);
}
