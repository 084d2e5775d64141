/* elements.c - what the elements of a request mean: by name, not by position, since live systems don't keep the DTD's order. */
#include "cxml/reader_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static po_element parent(const po_cxml_reader *r)
{
    return (po_element)r->path[r->depth - 1];
}

/* ---- Header ---------------------------------------------------------------------------------------------------------- */

static void start_credential(po_cxml_reader *r, const po_attributes *a)
{
    if (r->party->count == PO_PARTY_MAX) {
        po_reader_refuse(r, 400, "too many Credentials");
        return;
    }
    r->party->cred[r->party->count++].domain = po_reader_attribute(r, a, "domain");
}

static void start_secret(po_cxml_reader *r)
{
    if (r->party != &r->doc->sender)
        return;
    if (r->doc->shared_secret)
        po_reader_refuse(r, 400, "more than one SharedSecret");
    else
        po_reader_collect(r, PO_TEXT_PLAIN, &r->doc->shared_secret);
}

static void start_in_header(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (r->depth == 3) {
        r->party = e == PO_E_From ? &r->doc->from : e == PO_E_To ? &r->doc->to : e == PO_E_Sender ? &r->doc->sender : NULL;
        return;
    }
    if (!r->party)
        return;
    if (r->depth == 4 && e == PO_E_Credential)
        start_credential(r, a);
    else if (r->depth == 4 && e == PO_E_UserAgent && r->party == &r->doc->sender)
        po_reader_collect(r, PO_TEXT_DEEP, &r->doc->user_agent);
    else if (r->depth == 5 && parent(r) == PO_E_Credential && e == PO_E_SharedSecret)
        start_secret(r);
    else if (r->depth == 5 && parent(r) == PO_E_Credential && e == PO_E_Identity) {
        po_credential *c = &r->party->cred[r->party->count - 1];

        if (!c->identity)               /* a published sample of Coupa's has two: the first counts */
            po_reader_collect(r, PO_TEXT_PLAIN, &c->identity);
    }
}

/* ---- lists and addresses ------------------------------------------------------------------------------------------------ */

static void *push(po_cxml_reader *r, apr_array_header_t **list, int size)
{
    void *member;

    if (!*list)
        *list = apr_array_make(r->pool, 8, size);
    member = apr_array_push(*list);
    memset(member, 0, (apr_size_t)size);
    return member;
}

/* A list may move when it grows, so that what is collected must be written at its end: only the last member is open. */
static void start_extrinsic(po_cxml_reader *r, apr_array_header_t **list, const po_attributes *a)
{
    const char *name = po_reader_attribute(r, a, "name");
    po_cxml_extrinsic *x;

    if (!name)
        return;
    x = push(r, list, sizeof(*x));
    x->name = name;
    po_reader_collect(r, PO_TEXT_DEEP, &x->value);
}

static void start_address(po_cxml_reader *r, po_cxml_address **at, const po_attributes *a)
{
    const char *role = po_reader_attribute(r, a, "role");

    /* the one who asked is wanted; another contact only where there is none */
    if (*at && (!role || strcasecmp(role, "endUser") || ((*at)->role && !strcasecmp((*at)->role, "endUser"))))
        return;
    *at = apr_pcalloc(r->pool, sizeof(**at));
    (*at)->role = role;
    (*at)->id = po_reader_attribute(r, a, "addressID");
    r->address = *at;
    r->address_depth = r->depth;
}

static void collect_first(po_cxml_reader *r, const char **into)
{
    if (!*into)
        po_reader_collect(r, PO_TEXT_DEEP, into);
}

static void collect_joined(po_cxml_reader *r, const char **into)
{
    po_reader_collect(r, PO_TEXT_DEEP, into);
    r->join = 1;
}

static void start_in_address(po_cxml_reader *r, po_element e)
{
    po_cxml_address *a = r->address;

    if (r->depth == r->address_depth + 1 && e == PO_E_Name)
        collect_first(r, &a->name);
    else if (r->depth == r->address_depth + 1 && e == PO_E_Email)
        collect_first(r, &a->email);
    else if (e == PO_E_Number && parent(r) == PO_E_TelephoneNumber && r->path[r->depth - 2] == PO_E_Phone)
        collect_first(r, &a->phone);
    else if (parent(r) != PO_E_PostalAddress)
        return;
    else if (e == PO_E_DeliverTo)
        collect_joined(r, &a->deliver_to);
    else if (e == PO_E_Street)
        collect_joined(r, &a->street);
    else if (e == PO_E_City)
        collect_first(r, &a->city);
    else if (e == PO_E_State)
        collect_first(r, &a->state);
    else if (e == PO_E_PostalCode)
        collect_first(r, &a->postal_code);
}

/* Country is told by its attribute; what the element says is a name in any language. */
static void country(po_cxml_reader *r, const po_attributes *a)
{
    if (!r->address->country)
        r->address->country = po_reader_attribute(r, a, "isoCountryCode");
}

/* ---- ItemOut -------------------------------------------------------------------------------------------------------------- */

static void start_item(po_cxml_reader *r, apr_array_header_t **items, const po_attributes *a)
{
    const char *quantity = po_reader_attribute(r, a, "quantity"), *line = po_reader_attribute(r, a, "lineNumber");
    po_cxml_item *item = push(r, items, sizeof(*item));

    r->item = item;
    item->line = line ? atoi(line) : 0;
    if (item->line <= 0)
        item->line = (*items)->nelts;
    item->requisition = po_reader_attribute(r, a, "requisitionID");
    if (po_decimal_parse(&item->quantity, quantity, -1) != APR_SUCCESS || item->quantity.value < 0)
        po_reader_refuse(r, 400, "the quantity of an ItemOut is not a plain decimal number");
}

static void start_price(po_cxml_reader *r, po_decimal *amount, int *is_set, const char **currency, const po_attributes *a)
{
    if (*currency) {
        po_reader_refuse(r, 400, "an amount is given twice");
        return;
    }
    *currency = po_reader_attribute(r, a, "currency");
    if (!po_currency_valid(*currency)) {
        po_reader_refuse(r, 400, "the currency of a Money is not a code of three letters such as USD");
        return;
    }
    po_reader_collect(r, PO_TEXT_PLAIN, &r->number_text);
    r->decimal = amount;
    r->is_set = is_set;
}

static void start_in_item_detail(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_item *item = r->item;

    if (e == PO_E_Description)
        collect_first(r, &item->description);
    else if (e == PO_E_UnitOfMeasure)
        collect_first(r, &item->unit);
    else if (e == PO_E_Extrinsic)
        start_extrinsic(r, &item->extrinsics, a);
    else if (e == PO_E_Classification) {
        const char *domain = po_reader_attribute(r, a, "domain");

        if (domain && !strcasecmp(domain, "UNSPSC"))
            collect_first(r, &item->unspsc);
    }
}

/* Segment type and id (1.0), or AccountingSegment id with its Name (1.2). */
static void start_in_accounting(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (e == PO_E_Segment || e == PO_E_AccountingSegment) {
        po_cxml_extrinsic *x = push(r, &r->item->accounting, sizeof(*x));

        x->name = e == PO_E_Segment ? po_reader_attribute(r, a, "type") : NULL;
        x->value = po_reader_attribute(r, a, "id");
    }
    else if (e == PO_E_Name && parent(r) == PO_E_AccountingSegment && r->item->accounting)
        collect_first(r, &APR_ARRAY_IDX(r->item->accounting, r->item->accounting->nelts - 1, po_cxml_extrinsic).name);
}

static void start_in_item(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_element up = parent(r);

    if (up == PO_E_ItemID && e == PO_E_SupplierPartID)
        collect_first(r, &r->item->part);
    else if (up == PO_E_ItemID && e == PO_E_SupplierPartAuxiliaryID)
        collect_first(r, &r->item->auxiliary);
    else if (r->depth == 6 && (up == PO_E_ItemDetail || up == PO_E_BlanketItemDetail))
        start_in_item_detail(r, e, a);
    else if (r->depth == 7 && up == PO_E_UnitPrice && e == PO_E_Money)
        start_price(r, &r->item->unit_price, &r->item->has_price, &r->item->currency, a);
    else if (r->path[5] == PO_E_Distribution)
        start_in_accounting(r, e, a);
}

/* ---- PunchOutSetupRequest --------------------------------------------------------------------------------------------------- */

static void start_in_setup(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_setup *s = r->doc->setup;
    po_element up = parent(r);

    if (r->depth == 4 && e == PO_E_BuyerCookie && !s->buyer_cookie)
        po_reader_collect(r, PO_TEXT_MARKUP, &s->buyer_cookie);
    else if (r->depth == 4 && e == PO_E_Extrinsic)
        start_extrinsic(r, &s->extrinsics, a);
    else if (r->depth == 4 && e == PO_E_Contact)
        start_address(r, &s->contact, a);
    else if (r->depth == 4 && e == PO_E_ItemOut)
        start_item(r, &s->items, a);
    else if (r->depth == 5 && up == PO_E_BrowserFormPost && e == PO_E_URL) {
        if (s->return_url)
            po_reader_refuse(r, 400, "more than one BrowserFormPost URL");
        else
            po_reader_collect(r, PO_TEXT_PLAIN, &s->return_url);
    }
    else if (r->depth == 5 && up == PO_E_ShipTo && e == PO_E_Address)
        start_address(r, &s->ship_to, a);
    else if (r->path[4] == PO_E_SelectedItem && up == PO_E_ItemID && e == PO_E_SupplierPartID)
        collect_first(r, &s->selected_part);
    else if (r->path[4] == PO_E_SelectedItem && up == PO_E_ItemID && e == PO_E_SupplierPartAuxiliaryID)
        collect_first(r, &s->selected_auxiliary);
}

/* ---- OrderRequest ---------------------------------------------------------------------------------------------------------------- */

static void start_order_header(po_cxml_reader *r, const po_attributes *a)
{
    po_cxml_order *o = r->doc->order;

    o->order_id = po_reader_attribute(r, a, "orderID");
    o->order_date = po_reader_attribute(r, a, "orderDate");
    o->type = po_reader_attribute(r, a, "type");
    o->order_type = po_reader_attribute(r, a, "orderType");
    o->version = po_reader_attribute(r, a, "orderVersion");
    o->requisition = po_reader_attribute(r, a, "requisitionID");
    if (!o->type || !*o->type)
        o->type = "new";
}

static void start_in_order_header(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_order *o = r->doc->order;
    po_element up = parent(r);

    if (r->depth == 5 && e == PO_E_Extrinsic)
        start_extrinsic(r, &o->extrinsics, a);
    else if (r->depth == 5 && e == PO_E_Contact)
        start_address(r, &o->contact, a);
    else if (r->depth == 5 && e == PO_E_DocumentReference)
        o->refers_to = po_reader_attribute(r, a, "payloadID");
    else if (r->depth == 5 && e == PO_E_Payment)
        r->skip = r->depth;             /* card data: not even read */
    else if (r->depth == 6 && up == PO_E_Total && e == PO_E_Money)
        start_price(r, &o->total, NULL, &o->currency, a);
    else if (r->depth == 6 && up == PO_E_ShipTo && e == PO_E_Address)
        start_address(r, &o->ship_to, a);
    else if (r->depth == 6 && up == PO_E_BillTo && e == PO_E_Address)
        start_address(r, &o->bill_to, a);
}

static void start_in_order(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (r->depth == 4 && e == PO_E_OrderRequestHeader)
        start_order_header(r, a);
    else if (r->depth == 4 && e == PO_E_ItemOut)
        start_item(r, &r->doc->order->items, a);
    else if (r->path[4] == PO_E_OrderRequestHeader)
        start_in_order_header(r, e, a);
}

/* ---- StatusUpdateRequest --------------------------------------------------------------------------------------------------------- */

static void start_in_status_update(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_status_update *u = r->doc->status_update;

    if (r->depth != 4)
        return;
    if (e == PO_E_DocumentReference)
        u->refers_to = po_reader_attribute(r, a, "payloadID");
    else if (e == PO_E_Status && !u->code) {
        u->code = po_reader_attribute(r, a, "code");
        po_reader_collect(r, PO_TEXT_DEEP, &u->text);
    }
}

/* ---- Request ------------------------------------------------------------------------------------------------------------------------ */

static void start_payload(po_cxml_reader *r, po_element e, const char *name, const po_attributes *a)
{
    po_cxml *d = r->doc;

    if (++r->payloads > 1) {
        po_reader_refuse(r, 400, "the Request holds more than one element");
        return;
    }
    d->request = apr_pstrdup(r->pool, name);
    switch (e) {
    case PO_E_PunchOutSetupRequest:
        d->kind = PO_CXML_SETUP;
        d->setup = apr_pcalloc(r->pool, sizeof(*d->setup));
        d->setup->operation = po_reader_attribute(r, a, "operation");
        break;
    case PO_E_OrderRequest:
        d->kind = PO_CXML_ORDER;
        d->order = apr_pcalloc(r->pool, sizeof(*d->order));
        break;
    case PO_E_StatusUpdateRequest:
        d->kind = PO_CXML_STATUS_UPDATE;
        d->status_update = apr_pcalloc(r->pool, sizeof(*d->status_update));
        break;
    default:
        d->kind = e == PO_E_ProfileRequest ? PO_CXML_PROFILE : PO_CXML_OTHER;
    }
}

void po_reader_start(po_cxml_reader *r, po_element e, const char *name, const po_attributes *a)
{
    if (r->path[2] == PO_E_Header)
        start_in_header(r, e, a);
    else if (r->path[2] != PO_E_Request)
        return;
    else if (r->depth == 3)
        start_payload(r, e, name, a);
    else if (r->address) {
        if (e == PO_E_Country)
            country(r, a);
        else
            start_in_address(r, e);
    }
    else if (r->item)
        start_in_item(r, e, a);
    else if (r->doc->kind == PO_CXML_SETUP)
        start_in_setup(r, e, a);
    else if (r->doc->kind == PO_CXML_ORDER)
        start_in_order(r, e, a);
    else if (r->doc->kind == PO_CXML_STATUS_UPDATE)
        start_in_status_update(r, e, a);
}

void po_reader_end(po_cxml_reader *r, po_element e)
{
    if (r->address && r->depth == r->address_depth)
        r->address = NULL;
    if (r->item && r->depth == 4 && e == PO_E_ItemOut)
        r->item = NULL;
}

/* ---- after the last byte --------------------------------------------------------------------------------------------------------------- */

/* The first of the named Extrinsics that says something; names are compared without case and blanks around them. */
static const char *extrinsic(const apr_array_header_t *list, const char *name)
{
    apr_size_t len = strlen(name);
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const po_cxml_extrinsic *x = &APR_ARRAY_IDX(list, i, po_cxml_extrinsic);
        const char *s = x->name + strspn(x->name, " \t\r\n");

        if (x->value && *x->value && !strncasecmp(s, name, len) && s[len + strspn(s + len, " \t\r\n")] == '\0')
            return x->value;
    }
    return NULL;
}

static const char *first_extrinsic(const apr_array_header_t *list, const char *const *names)
{
    const char *value = NULL;

    for (; *names && !value; names++)
        value = extrinsic(list, *names);
    return value;
}

static const char *filled(const char *text)
{
    return text && *text ? text : NULL;
}

static void find_user(po_cxml_setup *s, apr_pool_t *p)
{
    static const char *const users[] = { "User", "UniqueName", "UserName", NULL };
    static const char *const mails[] = { "UserEmail", "Email", "EmailAddress", NULL };
    static const char *const names[] = { "Name", "UserFullName", "UserPrintableName", NULL };
    const char *first = extrinsic(s->extrinsics, "FirstName"), *last = extrinsic(s->extrinsics, "LastName");

    s->user = first_extrinsic(s->extrinsics, users);
    s->email = first_extrinsic(s->extrinsics, mails);
    if (!s->email && s->contact)
        s->email = filled(s->contact->email);
    if (!s->email && s->ship_to)
        s->email = filled(s->ship_to->email);
    if (first || last)
        s->user_name = apr_pstrcat(p, first ? first : "", first && last ? " " : "", last ? last : "", NULL);
    else
        s->user_name = first_extrinsic(s->extrinsics, names);
    if (!s->user_name && s->contact)
        s->user_name = filled(s->contact->name);
}

static const char *setup_lacks(const po_cxml_setup *s)
{
    if (!filled(s->operation))
        return "the PunchOutSetupRequest has no operation";
    if (!filled(s->return_url) && strcmp(s->operation, "source"))
        return "the PunchOutSetupRequest has no BrowserFormPost URL to return the cart to";
    return NULL;
}

static const char *order_lacks(const po_cxml_order *o)
{
    if (!filled(o->order_id))
        return "the OrderRequest has no orderID";
    if (!o->items)
        return "the OrderRequest has no ItemOut";
    return NULL;
}

void po_reader_finish(po_cxml_reader *r)
{
    po_cxml *d = r->doc;
    const char *lacks = NULL;

    if (!r->requests)
        lacks = "the document holds no Request";
    else if (!r->payloads)
        lacks = "the Request is empty";
    else if (d->kind == PO_CXML_SETUP)
        lacks = setup_lacks(d->setup);
    else if (d->kind == PO_CXML_ORDER)
        lacks = order_lacks(d->order);
    if (lacks) {
        d->status = 400;
        d->why = lacks;
        return;
    }
    if (d->kind != PO_CXML_SETUP)
        return;
    if (!d->setup->buyer_cookie)
        d->setup->buyer_cookie = "";
    if (!d->setup->return_url)
        d->setup->return_url = "";
    find_user(d->setup, r->pool);
}
