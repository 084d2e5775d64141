/* fulfilled.c - the fulfillment backend's late answer, after it said 202 to an event. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

#define BODY_LIMIT 65536
#define ANSWER_LIFE apr_time_from_sec(7 * 24 * 3600)

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    po_thread *thread;
    const char *event;
    const po_answer *answer;
    /* the outcome */
    int http;
    const char *request, *state;
} fulfilled_job;

static int authorized(request_rec *r, po_thread *t, const char *event)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    unsigned char key[PO_DIGEST];
    char token[PO_CALLBACK_TOKEN];

    if (!header || strncasecmp(header, "Bearer ", 7) || strlen(event) >= PO_ID_TEXT || !po_child_key(t, key))
        return 0;
    po_callback_token(t->crypto, key, event, token);
    return po_secret_equal(t->crypto, header + 7, token);
}

/* Each event has one answer: a request may have several under way (PunchOutActivate each, updates, a cancellation), so
 * its state can't tell. An event that failed for good, by the backend's status or the operator's word, has it too. */
static po_event_answered answered_before(const po_outbox_row *row, po_outbox_state sent)
{
    return row->answered || sent != PO_OUTBOX_FAILED ? row->answered : PO_ANSWERED_FAILED;
}

static apr_status_t settle(po_ledger_db *db, void *baton)
{
    fulfilled_job *j = baton;
    apr_time_t now = j->r->request_time;
    po_outbox_state sent;
    po_outbox_row *row;
    po_request *request;
    apr_status_t rv = po_outbox_get(db, j->event, j->r->pool, &row, &sent);
    int failed = !strcmp(j->answer->status, "failed");
    po_event_answered before;

    j->http = HTTP_OK;
    if (rv == APR_SUCCESS && row->created + ANSWER_LIFE < now)
        j->http = HTTP_GONE;
    if (rv == APR_SUCCESS && j->http == HTTP_OK)
        rv = po_request_get(db, j->site->public_url, row->request, j->r->pool, &request);
    if (rv == APR_NOTFOUND) {
        j->http = HTTP_NOT_FOUND;
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || j->http != HTTP_OK)
        return rv;
    j->request = request->id;
    before = answered_before(row, sent);
    if (!before) {
        rv = po_delivery_settle(db, j->site, row, j->answer, failed, now, j->r->pool);
        /* it may have been cancelled or held meanwhile: the answer says how it stands */
        if (rv == APR_SUCCESS)
            rv = po_request_get(db, j->site->public_url, j->request, j->r->pool, &request);
    } else if (before != (failed ? PO_ANSWERED_FAILED : PO_ANSWERED_ACTIVE))
        j->http = HTTP_CONFLICT;
    j->state = rv == APR_SUCCESS ? po_state_name(request->state) : NULL;
    return rv;
}

static int answer(const fulfilled_job *j)
{
    request_rec *r = j->r;
    int held = j->state && !strcmp(j->state, po_state_name(PO_STATE_HELD));    /* the operator has to look */

    if (j->http == HTTP_NOT_FOUND)
        return po_problem(r, j->http, "There is no such event");
    if (j->http == HTTP_GONE)
        return po_problem(r, j->http, "The answer to an event is taken for seven days");
    if (j->http == HTTP_CONFLICT)
        return po_problem(r, j->http, apr_pstrcat(r->pool, "This event has another answer already; request ",
                                                  j->request, " is ", j->state, NULL));
    ap_log_rerror(APLOG_MARK, held ? APLOG_ERR : APLOG_INFO, 0, r, "PO0180: after the backend's late answer request %s is %s",
                  j->request, j->state);
    ap_set_content_type(r, "application/json");
    ap_rprintf(r, "{\"request\":\"%s\",\"state\":\"%s\"}\n", j->request, j->state);
    return OK;
}

int po_handle_fulfilled(request_rec *r, const po_site *site, const char *event)
{
    fulfilled_job j = { r, site, po_thread_get(), event };
    char *body;
    apr_size_t len;
    po_answer a;
    int rc;

    if (!j.thread)
        return HTTP_SERVICE_UNAVAILABLE;
    if (r->method_number != M_POST) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_POST, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!authorized(r, j.thread, event)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0181: fulfilled/%s without its bearer token", event);
        apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Bearer");
        return po_problem(r, HTTP_UNAUTHORIZED, "Send the token of the event's callback as Authorization: Bearer");
    }
    if ((rc = po_body_read(r, BODY_LIMIT, &body, &len)) == AP_FILTER_ERROR)
        return rc;                      /* a broken chunk: httpd has answered already */
    if (rc != OK)
        return po_problem(r, rc, "The body could not be read, or it is larger than 64 KB");
    po_answer_read(&a, body, len, r->pool);
    if (!a.status || (strcmp(a.status, "active") && strcmp(a.status, "failed")))
        return po_problem(r, HTTP_BAD_REQUEST, "status must be \"active\" or \"failed\"");
    j.answer = &a;
    if (po_ledger_run(po_child_ledger(), settle, &j) != APR_SUCCESS)
        return po_problem(r, HTTP_SERVICE_UNAVAILABLE, "The answer can't be kept at the moment; send it again later");
    return answer(&j);
}
