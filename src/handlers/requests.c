/* requests.c - the account's requests and where each stands: HTML, or JSON by Accept. */
#include "handlers/handlers.h"

#include "util_script.h"

#include <jansson.h>

APLOG_USE_MODULE(punchout);

#define LIST_MOST 200

static int wants_json(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && strstr(accept, "application/json") && !strstr(accept, "text/html");
}

static const char *time_text(apr_time_t t, apr_pool_t *p)
{
    char stamp[PO_TIMESTAMP];

    po_timestamp(t, stamp);
    stamp[10] = ' ';
    stamp[16] = '\0';
    return apr_pstrcat(p, stamp, " UTC", NULL);
}

/* po_approval, of a request that may have any; none when it has no charges at hand. */
static apr_array_header_t *open_approvals(const po_request *n, apr_pool_t *p)
{
    apr_array_header_t *open = apr_array_make(p, 2, sizeof(po_approval));
    const apr_array_header_t *all;
    int i;

    if (n->state > PO_STATE_PARTLY_APPROVED)
        return open;
    all = po_request_approvals(n, p);
    for (i = 0; i < all->nelts; i++)
        if (po_approval_is_open(APR_ARRAY_IDX(all, i, po_approval).state))
            APR_ARRAY_PUSH(open, po_approval) = APR_ARRAY_IDX(all, i, po_approval);
    return open;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

static json_t *optional(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* What a line that holds a sum stands for, as it was asked for. */
static json_t *covers_json(const apr_array_header_t *covers)
{
    char quantity[PO_DECIMAL_TEXT], price[PO_DECIMAL_TEXT];
    json_t *list = json_array();
    int i;

    for (i = 0; i < covers->nelts; i++) {
        const po_cover *v = &APR_ARRAY_IDX(covers, i, po_cover);

        json_array_append_new(list, json_pack("{s:s,s:o,s:s,s:s,s:s}", "kind", v->kind, "dimension",
                                              optional(v->dimension), "description", v->description, "quantity",
                                              po_decimal_text(&v->quantity, 0, quantity), "unitPrice",
                                              po_decimal_text(&v->unit_price, 2, price)));
    }
    return list;
}

static json_t *charge_json(const po_charge *c)
{
    char quantity[PO_DECIMAL_TEXT], price[PO_DECIMAL_TEXT];
    json_t *j = json_pack("{s:i,s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:o}", "line", c->line, "kind", c->kind, "dimension",
                          optional(c->dimension), "description", c->description, "quantity",
                          po_decimal_text(po_charge_quantity(c), 0, quantity), "unitPrice",
                          po_decimal_text(&c->unit_price, 2, price), "currency", c->currency, "state",
                          po_charge_state_name(c->state), "order", optional(c->order_id));

    if (c->covers)
        json_object_set_new(j, "covers", covers_json(c->covers));
    return j;
}

/* The approvals that no order has answered yet. */
static json_t *open_json(const po_request *n, apr_pool_t *p)
{
    const apr_array_header_t *open = open_approvals(n, p);
    json_t *list = json_array();
    int i;

    for (i = 0; i < open->nelts; i++) {
        const po_approval *a = &APR_ARRAY_IDX(open, i, po_approval);

        json_array_append_new(list, json_pack("{s:s,s:s}", "kind", a->kind, "state", po_charge_state_name(a->state)));
    }
    return list;
}

static json_t *request_json(const po_request *n, apr_pool_t *p)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "id", n->id, "state", po_state_name(n->state), "mode",
                     n->test ? "test" : "production", "product", n->product_name, "offer", n->offer, "pricing",
                     n->pricing, "subscription", optional(n->subscription), "url", optional(n->url), "reason",
                     optional(n->reason), "open", open_json(n, p));
}

/* What the buyer said about the request's documents, oldest first. */
static json_t *updates_json(const apr_array_header_t *updates)
{
    json_t *list = json_array();
    char stamp[PO_TIMESTAMP];
    int i;

    for (i = 0; i < updates->nelts; i++) {
        const po_document *d = APR_ARRAY_IDX(updates, i, po_document *);

        json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "time", po_timestamp(d->at, stamp), "document",
                                              optional(d->refers_to), "status", optional(d->body)));
    }
    return list;
}

static json_t *whole_request_json(const po_request *n, const apr_array_header_t *updates, apr_pool_t *p)
{
    json_t *j = request_json(n, p), *charges = json_array();
    int i;

    for (i = 0; i < n->charges->nelts; i++)
        json_array_append_new(charges, charge_json(&APR_ARRAY_IDX(n->charges, i, po_charge)));
    json_object_set_new(j, "charges", charges);
    json_object_set_new(j, "statusUpdates", updates_json(updates));
    return j;
}

static int send_json(request_rec *r, json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(j);
    ap_set_content_type(r, "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_rputs(text ? text : "{}", r);
    free(text);
    return OK;
}

/* ---- HTML ----------------------------------------------------------------------------------------------------- */

static void state_html(po_buffer *b, const po_request *n)
{
    po_buffer_lit(b, "<span class=\"state ");
    po_buffer_xml(b, po_state_name(n->state));
    po_buffer_lit(b, "\">");
    po_buffer_xml(b, po_state_name(n->state));
    po_buffer_lit(b, "</span>");
}

static void row_html(po_buffer *b, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    po_buffer_lit(b, "<tr><th>");
    po_buffer_str(b, name);
    po_buffer_lit(b, "</th><td>");
    po_buffer_xml(b, value);
    po_buffer_lit(b, "</td></tr>");
}

static void priced_html(po_buffer *b, const char *description, const po_decimal *quantity, const po_decimal *price,
                        const char *currency)
{
    char text[PO_DECIMAL_TEXT];

    po_buffer_xml(b, description);
    po_buffer_lit(b, "</td><td class=\"n\">");
    po_buffer_str(b, po_decimal_text(quantity, 0, text));
    po_buffer_lit(b, "</td><td class=\"n\">");
    po_buffer_str(b, po_decimal_text(price, 2, text));
    po_buffer_lit(b, " ");
    po_buffer_xml(b, currency);
    po_buffer_lit(b, "</td><td>");
}

/* What a line that holds a sum stands for; nobody reads 50000 x 0.01. */
static void covers_html(po_buffer *b, const po_charge *c)
{
    int i;

    for (i = 0; c->covers && i < c->covers->nelts; i++) {
        const po_cover *v = &APR_ARRAY_IDX(c->covers, i, po_cover);

        po_buffer_lit(b, "<tr><td>&#8211; ");
        priced_html(b, v->description, &v->quantity, &v->unit_price, c->currency);
        po_buffer_lit(b, "</td></tr>");
    }
}

static void charge_html(po_buffer *b, const po_charge *c)
{
    po_decimal quantity, price;

    po_charge_shown(c, &quantity, &price);
    po_buffer_lit(b, "<tr><td>");
    priced_html(b, c->description, &quantity, &price, c->currency);
    po_buffer_xml(b, po_charge_state_name(c->state));
    if (c->order_id) {
        po_buffer_lit(b, " (");
        po_buffer_xml(b, c->order_id);
        po_buffer_lit(b, ")");
    }
    po_buffer_lit(b, "</td></tr>");
    covers_html(b, c);
}

static void updates_html(po_buffer *b, const apr_array_header_t *updates, apr_pool_t *p)
{
    int i;

    if (!updates->nelts)
        return;
    po_buffer_lit(b, "<h2>From your procurement system</h2><div class=\"scroll\"><table><tr><th>When</th>"
                     "<th>Status</th><th>Document</th></tr>");
    for (i = 0; i < updates->nelts; i++) {
        const po_document *d = APR_ARRAY_IDX(updates, i, po_document *);

        po_buffer_lit(b, "<tr><td>");
        po_buffer_xml(b, time_text(d->at, p));
        po_buffer_lit(b, "</td><td>");
        po_buffer_xml(b, d->body);
        po_buffer_lit(b, "</td><td>");
        po_buffer_xml(b, d->refers_to);
        po_buffer_lit(b, "</td></tr>");
    }
    po_buffer_lit(b, "</table></div>");
}

static void link_html(po_buffer *b, const char *url)
{
    if (!url)
        return;
    po_buffer_lit(b, "<p><a href=\"");
    po_buffer_xml(b, url);
    po_buffer_lit(b, "\">Get started</a></p>");
}

static void shop_html(po_buffer *b, const char *path)
{
    po_buffer_lit(b, "<p><a href=\"");
    po_buffer_xml(b, path);
    po_buffer_lit(b, "\">Go on to the shop</a></p>");
}

/* Ways back without a cart. Beside a button that returns one the words must tell the two apart. */
#define RETURN_PLAIN     "<button>Return to your procurement system</button>"
#define RETURN_UNCHANGED "<button class=\"quiet\">Return unchanged</button>"
#define RETURN_EMPTY     "<button class=\"quiet\">Return without a cart</button>"

/* A pre-approved request needs no cart. Who began in the marketplace goes on there. */
static void return_html(po_buffer *b, const po_site *site, const po_session *s, const char *button)
{
    if (po_session_is_draft(s)) {
        shop_html(b, site->start_page);
        return;
    }
    po_buffer_lit(b, "<form method=\"post\" action=\"");
    po_buffer_xml(b, site->door + strlen(site->public_url));
    po_buffer_lit(b, "/cancel\"><input type=\"hidden\" name=\"csrf\" value=\"");
    po_buffer_xml(b, s->csrf);
    po_buffer_lit(b, "\">");
    po_buffer_str(b, button);
    po_buffer_lit(b, "</form>");
}

/* Opens a form to a page of ours. */
static void form_html(po_buffer *b, const po_site *site, const po_session *s, const char *path, const char *id)
{
    po_buffer_lit(b, "<form method=\"post\" action=\"");
    po_buffer_xml(b, site->door + strlen(site->public_url));
    po_buffer_str(b, path);
    po_buffer_xml(b, id);
    po_buffer_lit(b, "\"><input type=\"hidden\" name=\"csrf\" value=\"");
    po_buffer_xml(b, s->csrf);
    po_buffer_lit(b, "\">");
}

/* PunchOutApprovals separate: the approval that waits goes back from any punchout that begins anew. */
static void continue_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s, const po_request *n)
{
    const po_buyer *buyer = s && !*s->request && !po_session_is_draft(s) ? po_site_buyer(site, s->buyer) : NULL;

    if (!buyer || !n->charges->nelts
        || po_request_continue_refused(n, po_session_is_test(s, buyer), r->request_time, r->pool))
        return;
    form_html(b, site, s, "/request", "");
    po_buffer_lit(b, "<input type=\"hidden\" name=\"continue\" value=\"");
    po_buffer_xml(b, n->id);
    po_buffer_lit(b, "\"><button>Request the next approval</button></form>");
}

/* A draft goes back from any punchout of its account that begins anew. Whether there is a button for that. */
static int draft_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s, const po_request *n)
{
    if (!s || !po_takes_drafts(s) || n->state != PO_STATE_DRAFT || po_draft_return_refused(n, r->request_time, r->pool))
        return 0;
    form_html(b, site, s, "/request", "");
    po_buffer_lit(b, "<input type=\"hidden\" name=\"draft\" value=\"");
    po_buffer_xml(b, n->id);
    po_buffer_lit(b, "\"><button>Return it to your procurement system</button></form>");
    return 1;
}

/* All at once, where more than one waits and they can share a cart. */
static void drafts_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s,
                        const apr_array_header_t *list)
{
    apr_array_header_t *drafts = apr_array_make(r->pool, 4, sizeof(po_request *));
    int i;

    for (i = 0; i < list->nelts; i++)
        if (APR_ARRAY_IDX(list, i, po_request *)->state == PO_STATE_DRAFT
            && !po_draft_return_refused(APR_ARRAY_IDX(list, i, po_request *), r->request_time, r->pool))
            APR_ARRAY_PUSH(drafts, po_request *) = APR_ARRAY_IDX(list, i, po_request *);
    if (!po_takes_drafts(s) || drafts->nelts < 2 || drafts->nelts > PO_DRAFTS_MOST
        || po_drafts_together_refused(drafts, r->pool))
        return;
    form_html(b, site, s, "/request", "");
    po_buffer_lit(b, "<input type=\"hidden\" name=\"draft\" value=\"");
    for (i = 0; i < drafts->nelts; i++) {
        po_buffer_xml(b, APR_ARRAY_IDX(drafts, i, po_request *)->id);
        po_buffer_lit(b, " ");
    }
    po_buffer_lit(b, "\"><button>Return all of them in one cart</button></form>");
}

static void draft_note_html(po_buffer *b, const po_session *s, const po_request *n)
{
    if (s && n->state == PO_STATE_DRAFT)
        po_buffer_str(b, po_takes_drafts(s)
                      ? "<p class=\"note\">This was requested in the marketplace and has not gone to your procurement "
                        "system yet. Return it, and its approval begins there.</p>"
                      : "<p class=\"note\">This has not gone to your procurement system yet. Open the marketplace from "
                        "there and sign in with the same account: it then offers to return this request.</p>");
}

/* The confirmation is a step of its own, without a script. kind NULL: the whole request. */
static void cancel_one_html(po_buffer *b, const po_site *site, const po_session *s, const po_request *n,
                            const char *kind)
{
    po_buffer_lit(b, "<details><summary>Cancel ");
    if (kind)
        po_buffer_lit(b, "the approval of ");
    po_buffer_xml(b, kind ? kind : "this request");
    po_buffer_lit(b, "</summary><p class=\"note\">");
    po_buffer_str(b, n->state == PO_STATE_DRAFT ? "It has not gone to your procurement system, and won't then."
                  : n->state == PO_STATE_PARTLY_APPROVED
                  ? "Something else of this request is ordered already: it will be held until the marketplace has "
                    "looked at it."
                  : "A purchase order that comes for it afterwards is refused. Remove its lines in your procurement "
                    "system, too.");
    po_buffer_lit(b, "</p>");
    form_html(b, site, s, "/requests/", n->id);
    if (kind) {
        po_buffer_lit(b, "<input type=\"hidden\" name=\"approval\" value=\"");
        po_buffer_xml(b, kind);
        po_buffer_lit(b, "\">");
    }
    po_buffer_lit(b, "<button>Yes, cancel it</button></form></details>");
}

static void cancel_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s, const po_request *n)
{
    const apr_array_header_t *open = open_approvals(n, r->pool);
    const po_buyer *buyer = s ? po_site_buyer(site, s->buyer) : NULL;
    int i, partly = n->state == PO_STATE_PARTLY_APPROVED;

    if (!buyer || !open->nelts || !strcmp(s->operation, "inspect"))
        return;
    if (!partly)
        cancel_one_html(b, site, s, n, NULL);
    if (n->state == PO_STATE_DRAFT)
        return;
    for (i = 0; i < open->nelts && (partly || (open->nelts > 1 && buyer->activate == PO_ACTIVATE_EACH)); i++)
        cancel_one_html(b, site, s, n, APR_ARRAY_IDX(open, i, po_approval).kind);
}

/* What a session that came back with this request's cart may do: an edit changes it or leaves it, an inspect looks.
 * Opens the row of buttons. */
static void visit_html(po_buffer *b, request_rec *r, const po_site *site, po_thread *t, const po_session *s,
                       const po_request *n)
{
    const char *refused;

    if (!strcmp(s->operation, "inspect")) {
        po_buffer_lit(b, "<p class=\"note\">This is the cart of your requisition, shown read-only.</p>"
                         "<div class=\"row\">");
        return;
    }
    if ((refused = po_request_edit_refused(n, r->request_time, r->pool))) {
        po_buffer_lit(b, "<p class=\"note\">This cart can't be changed any more: ");
        po_buffer_xml(b, refused);
        po_buffer_lit(b, ".</p><div class=\"row\">");
        return;
    }
    po_buffer_lit(b, "<p class=\"note\">This is the cart of your requisition. What you request now replaces it whole; "
                     "until then it stays as it is.</p><div class=\"row\"><a class=\"button\" href=\"");
    po_buffer_xml(b, po_shop_page(r, site, t, s, n->product));
    po_buffer_lit(b, "\">Change it</a>");
}

/* s NULL: opened by a mail's link. updates: what the buyer said about its documents. */
static int send_request(request_rec *r, const po_site *site, po_thread *t, const po_session *s, const po_request *n,
                        const apr_array_header_t *updates)
{
    int visited = s && !strcmp(s->request, n->id);
    const char *back = RETURN_PLAIN;
    po_buffer b;
    int i;

    po_buffer_init(&b, r->pool, 4096);
    if (n->test)
        po_buffer_lit(&b, "<p class=\"test\">TEST: nothing is charged and no subscription begins.</p>");
    po_buffer_lit(&b, "<p>");
    state_html(&b, n);
    po_buffer_lit(&b, "</p>");
    draft_note_html(&b, s, n);
    link_html(&b, n->url);
    po_buffer_lit(&b, "<table>");
    row_html(&b, "Request", n->id);
    row_html(&b, "Seller", n->seller);
    row_html(&b, "Subscription", n->subscription);
    row_html(&b, "Reason", n->reason);
    row_html(&b, "Approved by", n->preapproved_by);
    row_html(&b, "Requested", time_text(n->created, r->pool));
    po_buffer_lit(&b, "</table><div class=\"scroll\"><table><tr><th>Charge</th><th class=\"n\">Quantity</th>"
                      "<th class=\"n\">Price</th><th>Approval</th></tr>");
    for (i = 0; n->charges && i < n->charges->nelts; i++)
        charge_html(&b, &APR_ARRAY_IDX(n->charges, i, po_charge));
    po_buffer_lit(&b, "</table></div>");
    updates_html(&b, updates, r->pool);
    cancel_html(&b, r, site, s, n);
    if (visited)
        visit_html(&b, r, site, t, s, n);
    else
        po_buffer_lit(&b, "<div class=\"row\">");
    if (draft_html(&b, r, site, s, n))
        back = RETURN_EMPTY;
    else if (visited && !strcmp(s->operation, "edit") && n->state != PO_STATE_CANCELLED)
        back = RETURN_UNCHANGED;
    continue_html(&b, r, site, s, n);
    if (s)
        return_html(&b, site, s, back);
    po_buffer_lit(&b, "</div>");
    return po_page(r, HTTP_OK, n->product_name, po_buffer_text(&b));
}

/* "usage: waiting", and the button that ends the waiting. */
static void open_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s, const po_request *n)
{
    const apr_array_header_t *open = open_approvals(n, r->pool);
    int i;

    for (i = 0; i < open->nelts; i++) {
        const po_approval *a = &APR_ARRAY_IDX(open, i, po_approval);

        if (i)
            po_buffer_lit(b, ", ");
        po_buffer_xml(b, a->kind);
        po_buffer_lit(b, ": ");
        po_buffer_str(b, po_charge_state_name(a->state));
    }
    continue_html(b, r, site, s, n);
}

/* What each charge of a draft is: several drafts of one product are told apart by that. */
static void asked_html(po_buffer *b, const po_request *n)
{
    char text[PO_DECIMAL_TEXT];
    po_decimal quantity, price;
    int i;

    for (i = 0; n->charges && i < n->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(n->charges, i, po_charge);

        if (i)
            po_buffer_lit(b, "<br>");
        if (!c->covers || !c->covers->nelts) {
            po_charge_shown(c, &quantity, &price);
            po_buffer_str(b, po_decimal_text(&quantity, 0, text));
            po_buffer_lit(b, " &#215; ");
        }
        po_buffer_xml(b, c->description);
    }
}

static void list_row_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s, const po_request *n)
{
    po_buffer_lit(b, "<tr><td><a href=\"");
    po_buffer_xml(b, site->door + strlen(site->public_url));
    po_buffer_lit(b, "/requests/");
    po_buffer_xml(b, n->id);
    po_buffer_lit(b, "\">");
    po_buffer_xml(b, n->product_name);
    po_buffer_str(b, n->test ? "</a> (TEST)</td><td>" : "</a></td><td>");
    state_html(b, n);
    po_buffer_lit(b, "</td><td>");
    if (n->state == PO_STATE_DRAFT)
        asked_html(b, n);
    else
        open_html(b, r, site, s, n);
    draft_html(b, r, site, s, n);
    po_buffer_lit(b, "</td><td>");
    po_buffer_xml(b, time_text(n->created, r->pool));
    po_buffer_lit(b, "</td></tr>");
}

/* Those that are drafts, or those that aren't, under a heading if there is one. How many they are. */
static int list_html(po_buffer *b, request_rec *r, const po_site *site, const po_session *s,
                     const apr_array_header_t *list, int drafts)
{
    int i, n = 0;

    for (i = 0; i < list->nelts; i++) {
        const po_request *one = APR_ARRAY_IDX(list, i, po_request *);

        if ((one->state == PO_STATE_DRAFT) != drafts)
            continue;
        if (!n++)
            po_buffer_str(b, drafts ? "<p class=\"note\">Requested in the marketplace, and not yet in your procurement "
                                      "system:</p><div class=\"scroll\"><table class=\"list\"><tr>"
                                      "<th>Product</th><th>State</th><th>What</th><th>Requested</th></tr>"
                                    : "<div class=\"scroll\"><table class=\"list\"><tr><th>Product</th><th>State</th>"
                                      "<th>Open approvals</th><th>Requested</th></tr>");
        list_row_html(b, r, site, s, one);
    }
    if (n)
        po_buffer_lit(b, "</table></div>");
    return n;
}

/* Drafts stand first: the shopper may have been led here for them (po_drafts_offer()). */
static int send_list(request_rec *r, const po_site *site, const po_session *s, const apr_array_header_t *list)
{
    const char *back = *s->request ? RETURN_UNCHANGED : RETURN_PLAIN;
    po_buffer b;

    po_buffer_init(&b, r->pool, 4096);
    if (!list->nelts)
        po_buffer_lit(&b, "<p>Nothing has been requested yet.</p>");
    if (list_html(&b, r, site, s, list, 1) && !po_session_is_draft(s)) {
        if (po_takes_drafts(s))
            back = RETURN_EMPTY;
        drafts_html(&b, r, site, s, list);
        shop_html(&b, po_drafts_way_on(r, site));
    }
    list_html(&b, r, site, s, list, 0);
    return_html(&b, site, s, back);
    return po_page(r, HTTP_OK, "Requests", po_buffer_text(&b));
}

/* ---- whose requests ------------------------------------------------------------------------------------------- */

/* An account sees its own; what has none is seen by the requester, whose user and mail the session says. The id alone opens nothing: it is printed on
 * every purchase order. A draft has no requester yet: it is its account's, and nobody else's. */
int po_session_sees(const po_session *s, const po_request *n)
{
    if (strcmp(n->buyer, s->buyer))
        return 0;
    if (n->state == PO_STATE_DRAFT || po_session_is_draft(s))
        return *s->account && n->account && !strcmp(n->account, s->account);
    if (!strcmp(n->id, s->request))     /* its lines came with the setup: an approver may see what another requested */
        return 1;
    if (*s->account && n->account)
        return !strcmp(n->account, s->account);
    if (!n->user || !*n->user)          /* Open Buy names a mail address alone */
        return *s->email && n->email && !strcmp(n->email, s->email);
    return !strcmp(n->email ? n->email : "", s->email) && !strcmp(n->user, s->user);
}

static int unavailable(request_rec *r, po_thread *t)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0190: the ledger can't be read: %s",
                  t->ledger ? po_ledger_error(t->ledger) : "it does not open");
    po_thread_ledger_drop(t);
    return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "Requests can't be shown just now. Try "
                           "again in a few minutes.");
}

static int show_list(request_rec *r, const po_site *site, const po_session *s, po_thread *t, po_ledger_db *db)
{
    po_request_filter f = { site->public_url, s->buyer, NULL, NULL, NULL, LIST_MOST, 1 };
    apr_array_header_t *list;
    json_t *j;
    int i;

    f.account = *s->account ? s->account : NULL;
    f.email = s->email;
    f.user = s->user;
    if (po_request_list(db, &f, r->pool, &list) != APR_SUCCESS)
        return unavailable(r, t);
    if (!wants_json(r))
        return send_list(r, site, s, list);
    j = json_array();
    for (i = 0; i < list->nelts; i++)
        json_array_append_new(j, request_json(APR_ARRAY_IDX(list, i, po_request *), r->pool));
    return send_json(r, json_pack("{s:o}", "requests", j));
}

/* From a mail: ?until=SECONDS&sign=TOKEN opens this one request to whoever has the link, until then. */
static int link_is_valid(request_rec *r, po_thread *t, const char *id)
{
    char token[PO_LINK_TOKEN];
    unsigned char key[PO_DIGEST];
    const char *until, *sign;
    apr_int64_t seconds;
    apr_table_t *args;

    if (!r->args)
        return 0;
    ap_args_to_table(r, &args);
    until = apr_table_get(args, "until");
    sign = apr_table_get(args, "sign");
    seconds = until ? apr_atoi64(until) : 0;
    if (!sign || strlen(id) > PO_ID_TEXT || seconds < apr_time_sec(r->request_time) || !po_child_key(t, key))
        return 0;
    po_delivery_link_token(t->crypto, key, id, seconds, token);
    return po_secret_equal(t->crypto, sign, token);
}

int po_handle_requests(request_rec *r, const po_site *site, const char *id)
{
    const po_session *s = po_request_session(r);
    po_thread *t = po_thread_get();
    apr_array_header_t *updates;
    po_ledger_db *db;
    po_request *n;
    apr_status_t rv;
    int signed_link;

    if (!t)
        return HTTP_SERVICE_UNAVAILABLE;
    if (id && r->method_number == M_POST)
        return po_handle_request_cancel(r, site, id);
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, id ? M_POST : -1, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    signed_link = id && link_is_valid(r, t, id);
    if (!s && !signed_link)
        return po_page_problem(r, HTTP_FORBIDDEN, "No punchout session", "Open the marketplace from your procurement "
                               "system to see your requests.");
    if (!(db = po_thread_ledger(t)))
        return unavailable(r, t);
    if (!id)
        return show_list(r, site, s, t, db);
    rv = po_request_get(db, site->public_url, id, r->pool, &n);
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
        return unavailable(r, t);
    if (rv == APR_NOTFOUND || (!signed_link && !po_session_sees(s, n)))
        return po_page_problem(r, HTTP_NOT_FOUND, "No such request", "There is no request of yours with this number.");
    if (po_documents_of_request(db, site->public_url, id, r->pool, &updates) != APR_SUCCESS)
        return unavailable(r, t);
    if (s && !po_session_sees(s, n))    /* a mail's link, in another's session: no buttons that would be refused */
        s = NULL;
    return wants_json(r) ? send_json(r, whole_request_json(n, updates, r->pool))
                         : send_request(r, site, t, s, n, updates);
}
