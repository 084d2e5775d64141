/* explain_setup.c - PunchOutSetupRequest: operation, return URL, shopper, SelectedItem, requests that are edited. */
#include "tools.h"

#include <string.h>

static void say_return_url(const po_explanation *x)
{
    const po_cxml_setup *s = x->doc.setup;
    const char *wrong = po_return_url_refused(x->match.buyer, s->return_url, x->pool);

    po_say("cart goes to", "%s", s->return_url && *s->return_url ? po_shown_url(s->return_url, x->pool) : "nowhere");
    po_say("", wrong ? "refused: %s" : "allowed by PunchOutReturnHosts%s", wrong ? wrong : "");
}

/* ---- the shopper ------------------------------------------------------------------------------------------------ */

static const char *in_address(const po_cxml_address *a, const char *what, const char *value, apr_pool_t *p)
{
    if (!a)
        return NULL;
    if (a->name && !strcmp(a->name, value))
        return apr_pstrcat(p, what, "/Name", NULL);
    if (a->email && !strcmp(a->email, value))
        return apr_pstrcat(p, what, "/Email", NULL);
    if (a->deliver_to && !strcmp(a->deliver_to, value))
        return apr_pstrcat(p, what, "/DeliverTo", NULL);
    return NULL;
}

/* Where the document says this. */
static const char *where(const po_cxml_setup *s, const char *value, apr_pool_t *p)
{
    const char *place;
    int i;

    for (i = 0; s->extrinsics && i < s->extrinsics->nelts; i++) {
        const po_cxml_extrinsic *e = &APR_ARRAY_IDX(s->extrinsics, i, po_cxml_extrinsic);

        if (e->value && e->name && !strcmp(e->value, value))
            return apr_pstrcat(p, "Extrinsic ", e->name, NULL);
    }
    place = in_address(s->contact, "Contact", value, p);
    if (!place)
        place = in_address(s->ship_to, "ShipTo", value, p);
    return place ? place : "several elements";
}

static void say_shopper(const char *label, const po_cxml_setup *s, const char *what, const char *value, apr_pool_t *p)
{
    if (value && *value)
        po_say(label, "%s %s (from %s)", what, value, where(s, value, p));
    else
        po_say(label, "no %s: nothing in the document says it", what);
}

static void say_user(const po_explanation *x)
{
    po_cxml_setup *s = x->doc.setup;

    po_cxml_find_user(s, &x->match.buyer->user_map, x->pool);
    say_shopper("shopper", s, "user", s->user, x->pool);
    say_shopper("", s, "e-mail", s->email, x->pool);
    say_shopper("", s, "name", s->user_name, x->pool);
}

/* ---- SelectedItem ----------------------------------------------------------------------------------------------- */

static void say_selected(const po_explanation *x)
{
    const char *part = x->doc.setup->selected_part, *file = x->site->catalog_file, *db;
    po_catalog *catalog;
    po_offer *offer;

    if (!part || !*part) {
        po_say("SelectedItem", "none: the shopper lands on %s", x->site->start_page ? x->site->start_page : "/");
        return;
    }
    db = file && x->dump->state_dir ? po_catalog_compiled(file, x->dump->state_dir, x->pool) : NULL;
    if (!db || po_catalog_open(&catalog, db, x->pool) != APR_SUCCESS)
        po_say("SelectedItem", "%s: not checked, the compiled catalog can't be read here", part);
    else if (po_catalog_item(catalog, part, x->match.buyer, x->pool, &offer) == APR_SUCCESS)
        po_say("SelectedItem", "%s: in the catalog, offer %s of product %s%s", part, offer->offer, offer->product,
               x->site->product_page ? "" : "; but there is no PunchOutProductPage");
    else
        po_say("SelectedItem", "%s: not in the catalog, or not for this buyer; the shopper lands on %s", part,
               x->site->start_page ? x->site->start_page : "/");
}

/* ---- what is edited --------------------------------------------------------------------------------------------- */

static apr_array_header_t *known_requests(po_explanation *x)
{
    apr_array_header_t *known = apr_array_make(x->pool, 2, sizeof(po_request *));
    const po_cxml_setup *s = x->doc.setup;
    int i;

    if (!s->items)
        return known;
    if (!x->ledger)
        po_say("edits", "not looked up: there is no ledger to ask");
    else if (po_requests_of_items(x->ledger, x->site->public_url, x->match.buyer->name, s->items, PO_CANDIDATES_NONE, x->pool, known)
             != APR_SUCCESS)
        po_say("edits", "the ledger can't be read: %s", po_ledger_error(x->ledger));
    else if (!known->nelts)
        po_say("edits", "no line names a request of this buyer by its SupplierPartAuxiliaryID");
    for (i = 0; i < known->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(known, i, po_request *);

        po_say(i ? "" : "edits", "request %s (offer %s, %s)", r->id, r->offer ? r->offer : "-",
               po_state_name(r->state));
    }
    return known;
}

void po_explain_setup(po_explanation *x)
{
    const po_cxml_setup *s = x->doc.setup;
    po_setup_verdict verdict;

    po_say("operation", "%s", s->operation);
    po_say("BuyerCookie", "%d characters, goes back as it came", (int)strlen(s->buyer_cookie));
    say_return_url(x);
    say_user(x);
    say_selected(x);
    po_explain_mode(x);
    po_setup_judge(s, x->doc.test, x->match.buyer, known_requests(x), x->now, &verdict, x->pool);
    x->status = verdict.status;
    x->detail = verdict.why;
}
