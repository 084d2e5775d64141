/* headers.c - what the marketplace sees of a session and what it says about it (design.md §4). */
#include "handlers/handlers.h"

#include "apr_lib.h"
#include "util_filter.h"

APLOG_USE_MODULE(punchout);

#define FOLDED "punchout"               /* how the names begin that nobody but us may use */
#define FOLDED_LEN (sizeof(FOLDED) - 1)
#define ACCOUNT "PunchOut-Account"
#define COOKIES_MAX 4                   /* looked up; a browser sends one, or an old one beside it */

static ap_filter_rec_t *trailers_filter, *response_filter;

/* ---- cleaning ------------------------------------------------------------------------------------------------- */

/* "PunchOut-…", "punchout_…", "PUNCHOUT.…": gateways fold case and separators, so whatever may become one of our names
 * counts as one. */
static int is_ours(const char *name)
{
    return (*name | 0x20) == 'p' && !ap_cstr_casecmpn(name, FOLDED, FOLDED_LEN) && name[FOLDED_LEN]
        && !apr_isalnum(name[FOLDED_LEN]);
}

static int is_connection(const char *name)
{
    return (*name | 0x20) == 'c' && !ap_cstr_casecmp(name, "Connection");
}

/* Copies the value of a Connection header without our names; returns how many were left out. The parsers of Connection
 * split at commas, semicolons or blanks: here each run of token characters is a name. out may be NULL. */
static int copy_connection(const char *value, char *out)
{
    int left_out = 0;

    while (*value) {
        const char *end = ap_scan_http_token(value);
        apr_size_t len = end > value ? (apr_size_t)(end - value) : 1;

        if (len > FOLDED_LEN && is_ours(value))
            left_out++;
        else if (out) {
            memcpy(out, value, len);
            out += len;
        }
        value += len;
    }
    if (out)
        *out = '\0';
    return left_out;
}

static int has_token(const char *value)
{
    while (*value && ap_scan_http_token(value) == value)
        value++;
    return *value != '\0';
}

static int is_dirty(const apr_table_entry_t *e)
{
    return is_ours(e->key) || (is_connection(e->key) && copy_connection(e->val, NULL));
}

static void add_clean(apr_table_t *t, const apr_table_entry_t *e, apr_pool_t *p)
{
    char *value;

    if (is_ours(e->key))
        return;
    if (!is_connection(e->key)) {
        apr_table_addn(t, e->key, e->val);
        return;
    }
    value = apr_palloc(p, strlen(e->val) + 1);
    copy_connection(e->val, value);
    if (has_token(value))
        apr_table_addn(t, e->key, value);
}

/* Drops our names, however many. A client's `Connection: PunchOut-Mode` would make mod_proxy remove our own header. */
static void clean(apr_table_t *t, apr_pool_t *p)
{
    const apr_array_header_t *all = apr_table_elts(t), *copy;
    int i;

    for (i = 0; i < all->nelts; i++)
        if (is_dirty(&APR_ARRAY_IDX(all, i, apr_table_entry_t)))
            break;
    if (i == all->nelts)
        return;
    copy = apr_array_copy(p, all);
    apr_table_clear(t);
    for (i = 0; i < copy->nelts; i++)
        add_clean(t, &APR_ARRAY_IDX(copy, i, apr_table_entry_t), p);
}

/* HTTP/2 carries trailers behind a body of known length too. */
static int may_have_trailers(request_rec *r)
{
    return apr_table_get(r->headers_in, "Transfer-Encoding")
        || (r->proto_num >= HTTP_VERSION(2, 0) && apr_table_get(r->headers_in, "Content-Length"));
}

int po_headers_clean(request_rec *r)
{
    if (r->prev)                        /* cleaned when it came; an internal redirect carries our own */
        return DECLINED;
    clean(r->headers_in, r->pool);
    if (may_have_trailers(r))
        ap_add_input_filter_handle(trailers_filter, r->headers_in, r, r->connection);
    return DECLINED;
}

/* ---- the cookie ----------------------------------------------------------------------------------------------- */

const char *po_cookie_name(const po_site *site)
{
    return site->https ? "__Host-punchout" : "punchout";
}

/* Over https the page stands in the procurement system's frame: SameSite=None, and Partitioned keeps it alive where
 * third-party cookies are blocked. Over http (demo, tests) browsers would refuse both. */
void po_cookie_set(request_rec *r, const po_site *site, const char *value)
{
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(r->pool, po_cookie_name(site), "=", value ? value : "", "; Path=/; HttpOnly; ",
                               site->https ? "Secure; SameSite=None; Partitioned" : "SameSite=Lax",
                               value ? "" : "; Max-Age=0", NULL));
}

/* The value of the cookie in c..end when it has that name, else NULL. */
static const char *cookie_value(const char *c, const char *end, const char *name)
{
    apr_size_t len = strlen(name);

    if ((apr_size_t)(end - c) <= len || memcmp(c, name, len))
        return NULL;
    c += len;
    while (c < end && apr_isspace(*c))
        c++;
    return c < end && *c == '=' ? c + 1 : NULL;
}

static int keep_value(const char *values[COOKIES_MAX], int n, const char *value, const char *end, apr_pool_t *p)
{
    while (end > value && apr_isspace(end[-1]))
        end--;
    if (n < COOKIES_MAX && end - value == PO_TOKEN_TEXT)
        values[n++] = apr_pstrmemdup(p, value, PO_TOKEN_TEXT);
    return n;
}

static void set_or_unset(apr_table_t *t, const char *name, const char *value)
{
    if (*value)
        apr_table_setn(t, name, value);
    else
        apr_table_unset(t, name);
}

/* Takes all cookies of that name out of the request, whatever they hold, and returns how many look like ours. httpd
 * joins several Cookie headers by a comma. */
static int take_cookies(request_rec *r, const char *name, const char *values[COOKIES_MAX])
{
    const char *header = apr_table_getm(r->pool, r->headers_in, "Cookie"), *c, *next;
    int n = 0, taken = 0;
    char *rest, *o;

    if (!header || !strstr(header, name))
        return 0;
    o = rest = apr_palloc(r->pool, strlen(header) + 1);
    for (c = header + strspn(header, " \t"); *c; c = next) {
        const char *end = c + strcspn(c, ";,"), *value = cookie_value(c, end, name);

        next = *end ? end + 1 : end;
        next += strspn(next, " \t");
        if (value) {
            n = keep_value(values, n, value, end, r->pool);
            taken = 1;
        }
        else {
            memcpy(o, c, (apr_size_t)(next - c));
            o += next - c;
        }
    }
    if (!taken)
        return 0;
    while (o > rest && strchr(";, \t", o[-1]))
        o--;
    *o = '\0';
    set_or_unset(r->headers_in, "Cookie", rest);
    return n;
}

/* ---- the session ---------------------------------------------------------------------------------------------- */

/* A session belongs to the site that made it, and ends with its buyer's block. */
static int belongs_here(const po_session *s, const po_site *site)
{
    return !strcmp(s->site, site->public_url) && po_site_buyer(site, s->buyer);
}

static void look_up(request_rec *r, const po_site *site, po_request_state *state)
{
    const char *values[COOKIES_MAX];
    int n = take_cookies(r, po_cookie_name(site), values), i;
    po_thread *thread = n ? po_thread_get() : NULL;

    for (i = 0; thread && i < n && !state->cookie; i++) {
        apr_status_t rv = po_session_find(po_child_sessions(), thread->crypto, values[i], r->request_time,
                                          &state->session, r->pool);

        if (rv == APR_SUCCESS && belongs_here(&state->session, site))
            state->cookie = values[i];
        else if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
            ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, r, "PO0200: the session store cannot be read; stop and start "
                          "httpd (open sessions are lost)");
    }
}

/* Looked up once for a client's request, found or not. NULL: this site has no PunchOut. */
static po_request_state *state_of(request_rec *r)
{
    const po_site *site = po_config_site(r->server);
    po_request_state *state;

    if (!site)
        return NULL;
    while (r->main || r->prev)
        r = r->main ? r->main : r->prev;
    state = ap_get_module_config(r->request_config, &punchout_module);
    if (!state) {
        state = apr_pcalloc(r->pool, sizeof(*state));
        ap_set_module_config(r->request_config, &punchout_module, state);
        look_up(r, site, state);
    }
    return state;
}

const po_session *po_request_session(request_rec *r)
{
    po_request_state *state = state_of(r);

    return state && state->cookie ? &state->session : NULL;
}

const char *po_request_cookie(request_rec *r)
{
    po_request_state *state = state_of(r);

    return state ? state->cookie : NULL;
}

int po_headers_access(request_rec *r)
{
    state_of(r);
    return DECLINED;
}

/* ---- what the marketplace sees -------------------------------------------------------------------------------- */

/* A cXML document may hold newlines where a header must not. */
static const char *on_one_line(const char *text, apr_pool_t *p)
{
    const char *c = text;
    char *copy;

    while (*c && !apr_iscntrl(*c))
        c++;
    if (!*c)
        return text;
    text = copy = apr_pstrdup(p, text);
    for (; *copy; copy++)
        if (apr_iscntrl(*copy))
            *copy = ' ';
    return text;
}

static void say(request_rec *r, const char *header, const char *variable, const char *value)
{
    if (!*value)
        return;
    value = on_one_line(value, r->pool);
    apr_table_setn(r->headers_in, header, value);
    apr_table_setn(r->subprocess_env, variable, value);
}

static const char *preapproved(const po_buyer *buyer)
{
    switch (buyer->preapprove & (PO_PREAPPROVE_FREE | PO_PREAPPROVE_BYOL)) {
    case PO_PREAPPROVE_FREE:
        return "free";
    case PO_PREAPPROVE_BYOL:
        return "byol";
    case PO_PREAPPROVE_FREE | PO_PREAPPROVE_BYOL:
        return "free, byol";
    default:
        return "";
    }
}

static void say_all(request_rec *r, const po_session *s)
{
    const po_buyer *buyer = po_site_buyer(po_config_site(r->server), s->buyer);
    int test = po_session_is_test(s, buyer);

    say(r, "PunchOut-Session", "PUNCHOUT_SESSION", s->id);
    say(r, "PunchOut-Buyer", "PUNCHOUT_BUYER", s->buyer);
    say(r, "PunchOut-Organization", "PUNCHOUT_ORGANIZATION", buyer->organization);
    say(r, "PunchOut-User", "PUNCHOUT_USER", s->user);
    say(r, "PunchOut-Email", "PUNCHOUT_EMAIL", s->email);
    say(r, "PunchOut-Operation", "PUNCHOUT_OPERATION", s->operation);
    say(r, "PunchOut-Request", "PUNCHOUT_REQUEST", s->request);
    say(r, "PunchOut-Mode", "PUNCHOUT_MODE", test ? "test" : "production");
    say(r, "PunchOut-PreApproved", "PUNCHOUT_PREAPPROVED", preapproved(buyer));
    say(r, "PunchOut-Drafts", "PUNCHOUT_DRAFTS", s->drafts ? apr_itoa(r->pool, s->drafts) : "");
    say(r, "PunchOut-CSRF", "PUNCHOUT_CSRF", s->csrf);
}

int po_headers_session(request_rec *r)
{
    po_request_state *state = state_of(r);
    const char *ignored[COOKIES_MAX];

    if (state && r->main)               /* its headers are a copy, made before the cookie was taken perhaps */
        take_cookies(r, po_cookie_name(po_config_site(r->server)), ignored);
    if (state && state->cookie) {
        say_all(r, &state->session);
        state->said = 1;
    }
    return DECLINED;
}

/* Trailers come while the body is read, after all that; MergeTrailers replaces headers_in then. ctx is the table that
 * is clean already. */
static apr_status_t trailers_in(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                                apr_off_t bytes)
{
    apr_status_t rv = ap_get_brigade(f->next, bb, mode, block, bytes);
    request_rec *r = f->r;
    po_request_state *state;

    if (r->trailers_in)
        clean(r->trailers_in, r->pool);
    if (f->ctx != r->headers_in) {
        clean(r->headers_in, r->pool);
        state = state_of(r);
        if (state && state->said)
            say_all(r, &state->session);
        f->ctx = r->headers_in;
    }
    return rv;
}

/* ---- what the marketplace says -------------------------------------------------------------------------------- */

static void take_account(request_rec *r, po_request_state *state)
{
    const char *said = apr_table_get(r->headers_out, ACCOUNT);

    if (!said)
        said = apr_table_get(r->err_headers_out, ACCOUNT);
    if (!said)
        return;
    apr_table_unset(r->headers_out, ACCOUNT);
    apr_table_unset(r->err_headers_out, ACCOUNT);
    po_account_said(r, state, said);
}

void po_headers_account(request_rec *r)
{
    po_request_state *state = state_of(r);

    if (state)
        take_account(r, state);
}

static int is_directive(const char *d, const char *name)
{
    apr_size_t len = strlen(name);

    return !ap_cstr_casecmpn(d, name, len) && (!d[len] || d[len] == '=' || apr_isspace(d[len]));
}

/* The end of the list element that begins at c. */
static const char *element_end(const char *c)
{
    int quoted = 0;

    for (; *c && (quoted || *c != ','); c++)
        if (*c == '"')
            quoted = !quoted;
        else if (*c == '\\' && quoted && c[1])
            c++;
    return c;
}

/* What was said, and private; NULL: that was said already, or more. */
static const char *with_private(const char *said, apr_pool_t *p)
{
    const char *out = NULL, *end;

    for (; *said; said = *end ? end + 1 : end) {
        const char *d;

        end = element_end(said);
        d = po_trimmed(said, end, p);
        if (is_directive(d, "no-store") || !ap_cstr_casecmp(d, "private"))
            return NULL;
        if (*d && !is_directive(d, "public") && !is_directive(d, "s-maxage") && !is_directive(d, "private"))
            out = out ? apr_pstrcat(p, out, ", ", d, NULL) : d;
    }
    return out ? apr_pstrcat(p, out, ", private", NULL) : "private";
}

/* A page of a session is for nobody else: no cache may share it. */
static void keep_private(request_rec *r)
{
    const char *said = apr_table_getm(r->pool, r->headers_out, "Cache-Control");
    const char *always = apr_table_getm(r->pool, r->err_headers_out, "Cache-Control");
    const char *value = with_private(apr_pstrcat(r->pool, said ? said : "", ",", always ? always : "", NULL), r->pool);

    if (!value)
        return;
    apr_table_unset(r->err_headers_out, "Cache-Control");
    apr_table_setn(r->headers_out, "Cache-Control", value);
}

/* When its headers are complete. 1: the browser gets another answer in its place. */
static int begin_response(request_rec *r)
{
    po_request_state *state = state_of(r);
    int had = state && state->cookie;

    if (!state)
        return 0;
    take_account(r, state);
    if (had || state->cookie)
        keep_private(r);
    return state->offer && po_drafts_offer(r);
}

static apr_status_t end_response(ap_filter_t *f)
{
    apr_bucket_brigade *end = apr_brigade_create(f->r->pool, f->c->bucket_alloc);

    APR_BRIGADE_INSERT_TAIL(end, apr_bucket_eos_create(f->c->bucket_alloc));
    return ap_pass_brigade(f->next, end);
}

/* The first brigade that holds anything comes when the headers are complete; trailers are with the last one. */
static apr_status_t response_out(ap_filter_t *f, apr_bucket_brigade *bb)
{
    int *replaced = f->ctx;
    request_rec *r = f->r;
    ap_filter_t *next = f->next;

    if (APR_BRIGADE_EMPTY(bb))
        return ap_pass_brigade(next, bb);
    if (!replaced) {
        f->ctx = replaced = apr_pcalloc(r->pool, sizeof(*replaced));
        if ((*replaced = begin_response(r))) {
            apr_brigade_cleanup(bb);
            return end_response(f);
        }
    }
    if (*replaced) {                    /* what is left of the page */
        apr_brigade_cleanup(bb);
        return APR_SUCCESS;
    }
    if (APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb))) {
        if (r->trailers_out)
            apr_table_unset(r->trailers_out, ACCOUNT);
        ap_remove_output_filter(f);
    }
    return ap_pass_brigade(next, bb);
}

void po_headers_filter(request_rec *r)
{
    if (!r->main && po_config_site(r->server))
        ap_add_output_filter_handle(response_filter, NULL, r, r->connection);
}

void po_headers_register(void)
{
    /* below the filters of mod_headers and above mod_cache's, which must see what we set */
    static const char *const after[] = { "mod_headers.c", NULL };

    trailers_filter = ap_register_input_filter("PUNCHOUT_TRAILERS", trailers_in, NULL, AP_FTYPE_CONTENT_SET);
    response_filter = ap_register_output_filter("PUNCHOUT_RESPONSE", response_out, NULL, AP_FTYPE_CONTENT_SET);
    /* httpd's own error pages have lost the filters of the response that failed */
    ap_hook_insert_error_filter(po_headers_filter, after, NULL, APR_HOOK_LAST);
}
