/* setup.c - PunchOutSetupRequest: a session and the address of its first page. */
#include "handlers/handlers.h"

#include "util_script.h"

APLOG_USE_MODULE(punchout);

#define ANSWER_ROOM 1024

static int refuse(po_exchange *x, int code, const char *detail)
{
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r, "PO0110: PunchOutSetupRequest of buyer %s refused with Status %d: "
                  "%s", x->match.buyer->name, code, detail);
    return po_answer_status(x, code, detail);
}

static int busy(po_exchange *x)
{
    return po_answer_status(x, 560, "No session can be opened at the moment; try again in a minute");
}

/* ---- edit and inspect ----------------------------------------------------------------------------------------- */

static int comes_back(const po_cxml_setup *setup)
{
    return !strcmp(setup->operation, "edit") || !strcmp(setup->operation, "inspect");
}

/* The request whose cart comes back, as the ledger knows it. All lines must name the same one, so the first line's is
 * enough, however many there are. 0: the ledger can't be read. */
static int load_known(po_exchange *x, apr_array_header_t *known)
{
    po_ledger_db *db = po_thread_ledger(x->thread);
    apr_array_header_t first;

    if (!x->doc.setup->items)
        return 1;
    first = *x->doc.setup->items;
    if (first.nelts > 1)
        first.nelts = 1;
    if (db && po_requests_of_items(db, x->site->public_url, x->match.buyer->name, &first, PO_CANDIDATES_NONE, x->r->pool, known)
        == APR_SUCCESS)
        return 1;
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, x->r, "PO0136: the cart that buyer %s wants to %s can't be read from the "
                  "ledger: %s", x->match.buyer->name, x->doc.setup->operation,
                  db ? po_ledger_error(db) : "it does not open");
    po_thread_ledger_drop(x->thread);
    return 0;
}

/* ---- the session ---------------------------------------------------------------------------------------------- */

/* ?idc_url=: where the shopper signs on before he sees the shop, as the buyer's administrator has written it behind our
 * address. NULL: nowhere. */
static const char *sign_on_page(const po_exchange *x)
{
    apr_table_t *args;
    const char *url;

    if (!x->r->args)
        return NULL;
    ap_args_to_table(x->r, &args);
    url = apr_table_get(args, "idc_url");
    return url && *url ? url : NULL;
}

static void fill_session(po_session *s, const po_exchange *x, const po_request *request, const char *sign_on)
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
    s->request = request ? request->id : NULL;
    s->sign_on = sign_on;
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
    const char *sign_on = sign_on_page(x), *wrong;
    char token[PO_TOKEN_TEXT + 1];
    apr_array_header_t *known = NULL;
    po_setup_verdict verdict;
    po_session s;
    apr_status_t rv;

    if (comes_back(x->doc.setup)) {
        known = apr_array_make(x->r->pool, 1, sizeof(po_request *));
        if (!load_known(x, known))
            return busy(x);
    }
    po_setup_judge(x->doc.setup, x->doc.test, x->match.buyer, known, x->r->request_time, &verdict, x->r->pool);
    if (verdict.status != 200)
        return refuse(x, verdict.status, verdict.why);
    if (sign_on && (wrong = po_sign_on_url_refused(x->site, sign_on, x->r->pool)))
        return refuse(x, 403,
                      apr_pstrcat(x->r->pool, "the page to sign on at (idc_url) is not allowed: ", wrong, NULL));
    po_cxml_find_user(x->doc.setup, &x->match.buyer->user_map, x->r->pool);
    fill_session(&s, x, verdict.request, sign_on);
    rv = po_session_insert(po_child_sessions(), x->thread->crypto, &s, x->r->request_time, token);
    if (rv == APR_ENOSPC)
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, x->r, "PO0111: the session store is full; raise PunchOutSessionStore "
                      "and restart");
    else if (rv != APR_SUCCESS)
        ap_log_rerror(APLOG_MARK, APLOG_CRIT, rv, x->r, "PO0112: no session for buyer %s", s.buyer);
    if (rv != APR_SUCCESS)
        return busy(x);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "PO0113: session %s for buyer %s, user %s, %s%s%s %s", s.id, s.buyer,
                  s.user ? s.user : "-", s.operation, s.request ? " of " : "", s.request ? s.request : "",
                  s.test ? "test" : "production");
    return answer(x, token);
}
