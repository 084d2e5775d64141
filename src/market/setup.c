/* setup.c - what a PunchOutSetupRequest asks for, and whether it may have it. */
#include "market/market.h"

#include <stdarg.h>
#include <string.h>

#define SHOWN_BYTES 60

__attribute__((format(printf, 4, 5)))
static void refuse(po_setup_verdict *out, apr_pool_t *p, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->status = status;
    out->why = apr_pvsprintf(p, format, args);
    va_end(args);
}

/* ---- may it be changed ------------------------------------------------------------------------------------------- */

/* The first charge that somebody has decided about; NULL: all are open. */
static const po_charge *decided_charge(const po_request *r)
{
    int i;

    for (i = 0; r->charges && i < r->charges->nelts; i++)
        if (!po_approval_is_open(APR_ARRAY_IDX(r->charges, i, po_charge).state))
            return &APR_ARRAY_IDX(r->charges, i, po_charge);
    return NULL;
}

const char *po_request_edit_refused(const po_request *r, apr_time_t now, apr_pool_t *p)
{
    const po_charge *c = decided_charge(r);

    if (r->state == PO_STATE_CANCELLED)
        return apr_psprintf(p, "request %s was cancelled%s%s and can't be changed; create a new cart", r->id,
                            r->reason ? ": it was " : "", r->reason ? r->reason : "");
    if (r->state == PO_STATE_EXPIRED || (r->state == PO_STATE_REQUESTED && !c && r->expires && now > r->expires))
        return apr_psprintf(p, "request %s has expired and can't be changed; create a new cart", r->id);
    if (c && c->state == PO_CHARGE_ORDERED)
        return apr_psprintf(p, "request %s was ordered by %s meanwhile and can't be changed; create a new cart", r->id,
                            c->order_id ? c->order_id : "an earlier order");
    if (c && c->state == PO_CHARGE_PREAPPROVED)
        return apr_psprintf(p, "request %s was approved without an order and can't be changed; create a new cart",
                            r->id);
    if (po_request_is_continued(r))     /* what replaces one of its carts would take the other's request away */
        return apr_psprintf(p, "request %s has sent its next approval in a cart of its own and can't be changed; "
                               "cancel it and create a new cart", r->id);
    if (c || r->state != PO_STATE_REQUESTED)
        return apr_psprintf(p, "request %s is %s and can't be changed; create a new cart", r->id,
                            c ? po_charge_state_name(c->state) : po_state_name(r->state));
    return NULL;
}

/* ---- edit and inspect -------------------------------------------------------------------------------------------- */

static po_request *find_request(const apr_array_header_t *known, const po_buyer *buyer, const char *id)
{
    int i;

    for (i = 0; known && i < known->nelts; i++) {
        po_request *r = APR_ARRAY_IDX(known, i, po_request *);

        if (!strcmp(r->id, id) && !strcmp(r->buyer, buyer->name))
            return r;
    }
    return NULL;
}

static int has_line(const po_request *r, int line)
{
    int i;

    for (i = 0; r->charges && i < r->charges->nelts; i++)
        if (APR_ARRAY_IDX(r->charges, i, po_charge).line == line)
            return 1;
    return 0;
}

/* The request that all lines name; NULL when out says why there is none. A line more or less than the cart had is no
 * matter: what is shown is what the ledger holds. */
static po_request *request_of_lines(const po_cxml_setup *setup, const po_buyer *buyer, const apr_array_header_t *known,
                                    po_setup_verdict *out, apr_pool_t *p)
{
    po_request *r = NULL;
    int i, line;

    for (i = 0; setup->items && i < setup->items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(setup->items, i, po_cxml_item);
        const char *auxiliary = item->auxiliary ? item->auxiliary : "", *id;

        if (!po_auxiliary_parse(auxiliary, &id, &line, p))
            refuse(out, p, 412, "line %d: SupplierPartAuxiliaryID \"%s\" is not that of a cart from here; create a new "
                   "cart", item->line, po_utf8_cut(auxiliary, SHOWN_BYTES, p));
        else if (r && strcmp(r->id, id))
            refuse(out, p, 412, "line %d belongs to request %s and the first to %s; %s one cart at a time",
                   item->line, id, r->id, setup->operation);
        else if (!r && !(r = find_request(known, buyer, id)))
            refuse(out, p, 412, "line %d: request %s is none of this connection; create a new cart", item->line, id);
        else if (!has_line(r, line))
            refuse(out, p, 412, "line %d: request %s has no line %d; create a new cart", item->line, id, line);
        if (out->status != 200)
            return NULL;
    }
    if (!r)
        refuse(out, p, 412, "operation \"%s\" needs the ItemOut lines of the cart; create a new cart",
               setup->operation);
    return r;
}

/* A copied requisition may come from a test to production: a real order must not become a test, nor the other way. */
static const char *mode_refused(const po_request *r, int test, apr_pool_t *p)
{
    if (!r->test == !test)
        return NULL;
    return apr_psprintf(p, "request %s was made in %s mode and this is %s; create a new cart", r->id,
                        r->test ? "test" : "production", test ? "test" : "production");
}

static void judge_return_visit(const po_cxml_setup *setup, int test, const po_buyer *buyer,
                               const apr_array_header_t *known, apr_time_t now, po_setup_verdict *out, apr_pool_t *p)
{
    po_request *r = request_of_lines(setup, buyer, known, out, p);
    const char *wrong;

    if (!r)
        return;
    if (r->state == PO_STATE_DRAFT)         /* its cart can't come back, and its number alone opens nothing */
        refuse(out, p, 412, "request %s has not gone back in a cart yet; create a new cart", r->id);
    else if (!strcmp(setup->operation, "edit")
        && ((wrong = po_request_edit_refused(r, now, p)) || (wrong = mode_refused(r, test, p))))
        refuse(out, p, 412, "%s", wrong);
    else
        out->request = r;
}

void po_setup_judge(const po_cxml_setup *setup, int test, const po_buyer *buyer, const apr_array_header_t *known,
                    apr_time_t now, po_setup_verdict *out, apr_pool_t *p)
{
    const char *operation = setup->operation ? setup->operation : "", *wrong;
    int returns = !strcmp(operation, "edit") || !strcmp(operation, "inspect");

    memset(out, 0, sizeof(*out));
    out->status = 200;
    if (!strcmp(operation, "source"))
        refuse(out, p, 450, "operation \"source\" (a request for a quote) is not supported: every price stands in the "
               "catalog; send operation \"create\"");
    else if (!returns && strcmp(operation, "create"))
        refuse(out, p, 450, "operation \"%s\" is not supported, only \"create\", \"edit\" and \"inspect\" are",
               po_utf8_cut(operation, SHOWN_BYTES, p));
    else if ((wrong = po_return_url_refused(buyer, setup->return_url, p)))
        refuse(out, p, 403, "the BrowserFormPost URL is not allowed: %s", wrong);
    else if (returns)
        judge_return_visit(setup, test || buyer->deployment == PO_DEPLOYMENT_TEST, buyer, known, now, out, p);
}
