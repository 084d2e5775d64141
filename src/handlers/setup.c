/* setup.c - PunchOutSetupRequest: a session and the address of its first page. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

#define ANSWER_ROOM 1024

static int refuse(po_exchange *x, int code, const char *detail)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0110: PunchOutSetupRequest of buyer %s refused with Status %d: "
                  "%s", x->match.buyer->name, code, detail);
    return po_answer_status(x, code, detail);
}

static void fill_session(po_session *s, const po_exchange *x)
{
    const po_cxml_setup *setup = x->doc.setup;

    memset(s, 0, sizeof(*s));
    s->site = x->site->public_url;
    s->buyer = x->match.buyer->name;
    s->user = setup->user;
    s->email = setup->email;
    s->user_name = setup->user_name;
    s->operation = setup->operation;
    s->buyer_cookie = setup->buyer_cookie;
    s->return_url = setup->return_url;
    s->from_domain = x->match.from->domain;
    s->from_identity = x->match.from->identity;
    s->to_domain = x->match.to->domain;
    s->to_identity = x->match.to->identity;
    s->selected = setup->selected_part;
    s->test = x->doc.test;
}

static int answer(po_exchange *x, const char *token)
{
    po_cxml_envelope e;
    po_buffer b;

    po_envelope(x, &e);
    po_buffer_init(&b, x->r->pool, ANSWER_ROOM);
    po_cxml_write_setup_response(&b, &e, apr_pstrcat(x->r->pool, x->site->door, "/start/", NULL), token);
    return po_answer_send(x, &b);
}

int po_handle_setup(po_exchange *x)
{
    char token[PO_TOKEN_TEXT + 1];
    po_setup_verdict verdict;
    po_session s;
    apr_status_t rv;

    po_setup_judge(x->doc.setup, x->match.buyer, NULL, x->r->request_time, &verdict, x->r->pool);
    if (verdict.status != 200)
        return refuse(x, verdict.status, verdict.why);
    po_cxml_find_user(x->doc.setup, &x->match.buyer->user_map, x->r->pool);
    fill_session(&s, x);
    rv = po_session_insert(po_child_sessions(), x->thread->crypto, &s, x->r->request_time, token);
    if (rv == APR_ENOSPC)
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, x->r, "PO0111: the session store is full; raise PunchOutSessionStore "
                      "and restart");
    else if (rv != APR_SUCCESS)
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, x->r, "PO0112: no session for buyer %s", s.buyer);
    if (rv != APR_SUCCESS)
        return po_answer_status(x, 560, "No session can be opened at the moment; try again in a minute");
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0113: session %s for buyer %s, user %s, %s", s.id, s.buyer,
                  s.user ? s.user : "-", s.test ? "test" : "production");
    return answer(x, token);
}
