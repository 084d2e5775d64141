/* openbuy_token.c - who calls Open Buy: credentials become a token, and a token is looked at. Nothing of it is kept:
 * the ledger's key says which tokens are ours, and its requests which are spent. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

#define PURPOSE "openbuy"
#define ACCESS "oba"                    /* begins the id of a token of the OAuth door */
#define REQUESTER "obr"                 /* of one that `authentication` answers */
#define FAILURES_MAX 30                 /* a minute, of one address and name */

static int no_ledger(const po_openbuy_call *c)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, c->r, "PO0216: Open Buy's %s can't be answered: the ledger can't be read",
                  c->action);
    return po_openbuy_refuse(c, HTTP_INTERNAL_SERVER_ERROR, "This server can't answer at the moment: try again later");
}

/* ---- rates ------------------------------------------------------------------------------------------------------- */

/* 1: this call is above PunchOutOpenBuyRate, and c->wait is set. */
static int over_rate(po_openbuy_call *c)
{
    po_rates *t = po_child_rates(PO_RATES_CALLS);
    const char *key = apr_pstrcat(c->r->pool, c->site->public_url, "\n", c->buyer->name, NULL);

    return t && c->buyer->openbuy_rate
           && po_rate_add(t, c->thread->crypto, key, apr_time_now(), &c->wait) > c->buyer->openbuy_rate;
}

static int refuse_rate(const po_openbuy_call *c)
{
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, c->r, "PO0214: buyer %s calls Open Buy more than %d times a minute "
                  "(PunchOutOpenBuyRate)", c->buyer->name, c->buyer->openbuy_rate);
    return po_openbuy_refuse(c, HTTP_TOO_MANY_REQUESTS,
                             apr_psprintf(c->r->pool, "More than %d calls in a minute: wait as long as Retry-After "
                                          "says", c->buyer->openbuy_rate));
}

static int refuse_failures(const po_openbuy_call *c)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, c->r, "PO0211: more than %d wrong credentials for Open Buy in a "
                  "minute, for one name and from one address", FAILURES_MAX);
    return po_openbuy_refuse(c, HTTP_TOO_MANY_REQUESTS, "Too many wrong credentials: wait as long as Retry-After says, "
                             "and check them");
}

/* ---- credentials ------------------------------------------------------------------------------------------------- */

/* Whose failures these are: what stands before the colon. Without one the whole may be the secret, and names nobody. */
static const char *failure_key(const po_openbuy_call *c, const char *credentials)
{
    const char *colon = strchr(credentials, ':');

    return apr_pstrcat(c->r->pool, c->site->public_url, "\n", c->r->useragent_ip, "\n",
                       colon ? apr_pstrmemdup(c->r->pool, credentials, (apr_size_t)(colon - credentials)) : "", NULL);
}

/* Sets c->buyer. OK, or the status to refuse with. decoded: what they may mean instead; NULL: nothing. */
static int check_credentials(po_openbuy_call *c, const char *credentials, const char *decoded)
{
    request_rec *r = c->r;
    po_rates *t = po_child_rates(PO_RATES_FAILURES);
    const po_certificate *certificate = po_client_certificate(r, c->thread->crypto);
    /* one that is decoded names one buyer, in however many ways it may be encoded */
    const char *key = failure_key(c, decoded ? decoded : credentials);
    po_match m;

    if (t && po_rate_look(t, c->thread->crypto, key, apr_time_now(), &c->wait) >= FAILURES_MAX)
        return HTTP_TOO_MANY_REQUESTS;
    po_match_credentials(c->site, c->thread->crypto, credentials, certificate, r->request_time, &m, r->pool);
    if (m.result != PO_MATCH_OK && decoded)
        po_match_credentials(c->site, c->thread->crypto, decoded, certificate, r->request_time, &m, r->pool);
    if (m.result == PO_MATCH_OK) {
        c->buyer = m.buyer;
        return OK;
    }
    ap_log_rerror(APLOG_MARK, m.result == PO_MATCH_FAULT ? APLOG_ERR : APLOG_WARNING, 0, r,
                  "PO0210: Open Buy's %s refused: %s", c->action, m.why);
    if (m.result == PO_MATCH_FAULT)
        return HTTP_INTERNAL_SERVER_ERROR;
    return t && po_rate_add(t, c->thread->crypto, key, apr_time_now(), &c->wait) > FAILURES_MAX ? HTTP_TOO_MANY_REQUESTS
                                                                                               : HTTP_UNAUTHORIZED;
}

static int refuse_buyer(const po_openbuy_call *c)
{
    return po_openbuy_refuse(c, HTTP_INTERNAL_SERVER_ERROR, "This connection can't be used at the moment: try "
                             "again later");
}

static int refuse_unauthorized(const po_openbuy_call *c, int token_at_fault, const char *detail)
{
    apr_table_setn(c->r->err_headers_out, "WWW-Authenticate",
                   token_at_fault ? "Bearer error=\"invalid_token\"" : "Bearer");
    return po_openbuy_refuse(c, HTTP_UNAUTHORIZED, detail);
}

int po_openbuy_refuse_token(const po_openbuy_call *c)
{
    return refuse_unauthorized(c, 1, "The token is not valid, or not any more: authenticate again and use the new one");
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

/* A new token of that kind for c->buyer; NULL: the ledger's key can't be read. */
static const char *make_token(const po_openbuy_call *c, const char *kind, const char *email)
{
    unsigned char key[PO_DIGEST];
    char id[PO_ID_TEXT];
    po_bearer b = { c->site->public_url, c->buyer->name, email, id, apr_time_now() + c->site->openbuy_life };

    if (!po_child_key(c->thread, key) || po_id(c->thread->crypto, kind, id) != APR_SUCCESS)
        return NULL;
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, c->r, "PO0221: token %s of Open Buy for buyer %s", id, c->buyer->name);
    return po_bearer_make(c->thread->crypto, key, PURPOSE, &b, c->r->pool);
}

/* The token of the header Authorization; NULL: there is none. */
static const char *header_token(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");

    if (!header || strncasecmp(header, "Bearer ", 7))
        return NULL;
    header += 7;
    while (*header == ' ')
        header++;
    return header;
}

/* Sets c->buyer, email and token. 0: *rc is the answer that was sent. */
static int read_token(po_openbuy_call *c, const char *token, int *rc)
{
    /* in the order of po_bearer_result */
    static const char *const why[] = { "is of no buyer here", "is none of ours", "is expired", "is another site's" };
    unsigned char key[PO_DIGEST];
    po_bearer_result result;
    po_bearer b;

    if (!po_child_key(c->thread, key)) {
        *rc = no_ledger(c);
        return 0;
    }
    result = po_bearer_read(c->thread->crypto, key, PURPOSE, c->site->public_url, token, apr_time_now(), &b,
                            c->r->pool);
    c->buyer = result == PO_BEARER_OK ? po_site_buyer(c->site, b.buyer) : NULL;
    if (!c->buyer) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, c->r, "PO0213: Open Buy's %s refused: the token %s", c->action,
                      why[result]);
        *rc = po_openbuy_refuse_token(c);
        return 0;
    }
    if (c->buyer->fault) {
        *rc = refuse_buyer(c);
        return 0;
    }
    c->email = b.email;
    c->token = b.id;
    return 1;
}

/* A checkout spends its token. 1: it is not spent; 0: *rc is the answer that was sent. */
static int token_counts(const po_openbuy_call *c, int *rc)
{
    po_ledger_db *db;
    apr_status_t rv;

    if (c->site->openbuy_reuse)
        return 1;
    db = po_thread_ledger(c->thread);
    rv = db ? po_request_in_session(db, c->site->public_url, c->token) : APR_EGENERAL;
    if (rv == APR_NOTFOUND)
        return 1;
    if (rv == APR_SUCCESS)
        *rc = po_openbuy_refuse_token(c);
    else {
        po_thread_ledger_drop(c->thread);
        *rc = no_ledger(c);
    }
    return 0;
}

/* The body may say the requester again, or for the first time. 0: *rc is the answer that was sent. */
static int read_email(po_openbuy_call *c, int *rc)
{
    const char *said, *wrong = po_openbuy_email(c->body, c->buyer, &said, c->r->pool);

    if (wrong)
        *rc = po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
    else if (said && c->email && strcasecmp(said, c->email))
        *rc = refuse_unauthorized(c, 1, "The token is another requester's: authenticate for this one");
    else {
        if (!c->email)
            c->email = said;
        return 1;
    }
    return 0;
}

int po_openbuy_identify(po_openbuy_call *c, int *rc)
{
    const char *header = header_token(c->r), *credentials, *token, *wrong;

    wrong = po_openbuy_who(c->body, &credentials, &token);
    if (!wrong && header && token && strcmp(header, token))
        wrong = "The header Authorization and the member token hold different tokens: send one of them";
    if (wrong) {
        *rc = po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
        return 0;
    }
    token = header ? header : token;
    if (!token || !*token) {
        *rc = refuse_unauthorized(c, 0, "There is no token: authenticate, and send it as Authorization: Bearer or as "
                                  "the member token");
        return 0;
    }
    if (!read_token(c, token, rc))
        return 0;
    if (over_rate(c)) {
        *rc = refuse_rate(c);
        return 0;
    }
    return read_email(c, rc) && token_counts(c, rc);
}

/* ---- authentication ---------------------------------------------------------------------------------------------- */

/* By credentials, or by a token of the OAuth door. A requester's token makes no further one: it would never end. 0: *rc
 * is the answer that was sent. */
static int caller_known(po_openbuy_call *c, const char *credentials, const char *token, int *rc)
{
    if (!credentials) {
        if (!read_token(c, token, rc))
            return 0;
        if (!strncmp(c->token, ACCESS "-", strlen(ACCESS "-")))
            return token_counts(c, rc);
        *rc = refuse_unauthorized(c, 1, "This token makes no further one: send credentials");
        return 0;
    }
    switch (check_credentials(c, credentials, NULL)) {
    case OK:
        return 1;
    case HTTP_TOO_MANY_REQUESTS:
        *rc = refuse_failures(c);
        return 0;
    case HTTP_UNAUTHORIZED:
        *rc = refuse_unauthorized(c, 0, "The credentials are not right: check name and secret, and the client "
                                  "certificate where one is asked for");
        return 0;
    default:
        *rc = refuse_buyer(c);
        return 0;
    }
}

int po_openbuy_authenticate(po_openbuy_call *c)
{
    const char *header = header_token(c->r), *credentials, *member, *token, *wrong;
    int rc;

    wrong = po_openbuy_who(c->body, &credentials, &member);
    if (!wrong && !credentials && !header)
        wrong = "credentials is missing: send {\"credentials\":\"NAME:SECRET\",\"email\":\"requester@buyer.example\"}";
    if (wrong)
        return po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
    if (!caller_known(c, credentials, header, &rc))
        return rc;
    if (over_rate(c))
        return refuse_rate(c);
    if (!read_email(c, &rc))
        return rc;
    if (!c->email)
        return po_openbuy_refuse(c, HTTP_BAD_REQUEST, apr_pstrcat(c->r->pool, po_openbuy_name(c->buyer, "email"),
                                 " is missing: say the requester's mail address", NULL));
    if (!(token = make_token(c, REQUESTER, c->email)))
        return no_ledger(c);
    return po_openbuy_answer(c->r, HTTP_OK, apr_pstrcat(c->r->pool, "{\"token\":\"", token, "\"}", NULL));
}

/* ---- OAuth 2.0, client credentials (RFC 6749 §4.4) -------------------------------------------------------------- */

/* RFC 6749 §5.2; neither text needs escaping. */
static int refuse_oauth(const po_openbuy_call *c, int http, const char *error, const char *description)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, c->r, "PO0218: Open Buy's %s is answered %d: %s", c->action, http, error);
    if (http == HTTP_UNAUTHORIZED)
        apr_table_setn(c->r->err_headers_out, "WWW-Authenticate", "Basic realm=\"openbuy\"");
    return po_openbuy_answer(c->r, http, apr_psprintf(c->r->pool, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
                                                      error, description));
}

typedef struct {
    const char *id, *secret;            /* NULL: not said */
    int basic;                          /* in the header, where RFC 6749 §2.3.1 has them form-encoded */
} oauth_client;

static const char *form_decoded(const char *text, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, text);

    return ap_unescape_urlencoded(copy) == OK ? copy : text;
}

/* NULL, or what is wrong. */
static const char *read_client(request_rec *r, const apr_table_t *form, oauth_client *out)
{
    const char *id = apr_table_get(form, "client_id"), *secret = apr_table_get(form, "client_secret");

    out->basic = ap_get_basic_auth_components(r, &out->id, &out->secret) == APR_SUCCESS;
    if (out->basic)
        return secret ? "send the client's secret once, in the header Authorization or in the body" : NULL;
    out->id = id;
    out->secret = secret;
    return NULL;
}

/* Many a client leaves the encoding out: what was said counts as it stands first. */
static int check_client(po_openbuy_call *c, const oauth_client *client)
{
    apr_pool_t *p = c->r->pool;
    const char *said = apr_pstrcat(p, client->id, ":", client->secret, NULL), *decoded = NULL;

    if (client->basic && strpbrk(said, "%+"))
        decoded = apr_pstrcat(p, form_decoded(client->id, p), ":", form_decoded(client->secret, p), NULL);
    return check_credentials(c, said, decoded);
}

static int answer_access(po_openbuy_call *c)
{
    const char *token, *expires = apr_psprintf(c->r->pool, "%" APR_INT64_T_FMT, apr_time_sec(c->site->openbuy_life));

    if (over_rate(c))
        return refuse_rate(c);
    if (!(token = make_token(c, ACCESS, c->email)))
        return no_ledger(c);
    apr_table_setn(c->r->headers_out, "Pragma", "no-cache");
    return po_openbuy_answer(c->r, HTTP_OK, apr_pstrcat(c->r->pool, "{\"access_token\":\"", token, "\",\"token_type\":"
                             "\"Bearer\",\"expires_in\":", expires, "}", NULL));
}

int po_openbuy_oauth(po_openbuy_call *c)
{
    apr_table_t *form = po_body_form(c->r);
    const char *grant = form ? apr_table_get(form, "grant_type") : NULL, *wrong;
    oauth_client client;

    if (!grant)
        return refuse_oauth(c, HTTP_BAD_REQUEST, "invalid_request", "send grant_type=client_credentials as a form "
                            "(application/x-www-form-urlencoded)");
    if (strcmp(grant, "client_credentials"))
        return refuse_oauth(c, HTTP_BAD_REQUEST, "unsupported_grant_type", "the only grant_type is client_credentials");
    if ((wrong = read_client(c->r, form, &client)))
        return refuse_oauth(c, HTTP_BAD_REQUEST, "invalid_request", wrong);
    c->email = apr_table_get(form, "email");
    if (c->email && !po_mail_address_valid(c->email))
        return refuse_oauth(c, HTTP_BAD_REQUEST, "invalid_request", "email must be the requester's plain mail address");
    if (!client.id || !client.secret)
        return refuse_oauth(c, HTTP_UNAUTHORIZED, "invalid_client", "say who the client is by HTTP Basic, or by "
                            "client_id and client_secret");
    switch (check_client(c, &client)) {
    case OK:
        return answer_access(c);
    case HTTP_TOO_MANY_REQUESTS:
        return refuse_failures(c);
    case HTTP_UNAUTHORIZED:
        return refuse_oauth(c, HTTP_UNAUTHORIZED, "invalid_client", "the client is not known, or its secret or "
                            "certificate is not right");
    default:
        return refuse_buyer(c);
    }
}
