/* elements.c - what the elements of a request mean: by name, not by position, as live systems break the DTD's order. */
#include "cxml/reader_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REQUEST_NAME_MAX 64

static po_element parent(const po_cxml_reader *r)
{
    return (po_element)r->path[r->depth - 1];
}

/* ---- Header --------------------------------------------------------------------------------------------------- */

static void start_party(po_cxml_reader *r, po_element e)
{
    po_cxml *d = r->doc;

    r->party = e == PO_E_From ? &d->from : e == PO_E_To ? &d->to : e == PO_E_Sender ? &d->sender : NULL;
    if (r->party && r->party->count)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "more than one %s", po_reader_element_name(e)));
}

static void start_credential(po_cxml_reader *r, const po_attributes *a)
{
    if (r->party->count == PO_PARTY_MAX) {
        po_reader_refuse(r, 400, "too many Credentials in one of From, To and Sender");
        return;
    }
    r->party->cred[r->party->count++].domain = po_reader_attribute(r, a, PO_A_domain);
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
    if (r->depth == 3)
        start_party(r, e);
    else if (!r->party)
        return;
    else if (r->depth == 4 && e == PO_E_Credential)
        start_credential(r, a);
    else if (r->depth == 4 && e == PO_E_UserAgent && r->party == &r->doc->sender)
        po_reader_collect(r, PO_TEXT_PLAIN, &r->doc->user_agent);
    else if (r->depth == 5 && parent(r) == PO_E_Credential && e == PO_E_SharedSecret)
        start_secret(r);
    else if (r->depth == 5 && parent(r) == PO_E_Credential && e == PO_E_Identity) {
        po_credential *c = &r->party->cred[r->party->count - 1];

        if (!c->identity)               /* a published sample of Coupa's has two: the first counts */
            po_reader_collect(r, PO_TEXT_PLAIN, &c->identity);
    }
}

/* ---- lists and addresses -------------------------------------------------------------------------------------- */

static void *push(po_cxml_reader *r, apr_array_header_t **list, int size)
{
    void *member;

    if (!*list)
        *list = apr_array_make(r->pool, 8, size);
    member = apr_array_push(*list);
    memset(member, 0, (apr_size_t)size);
    return member;
}

/* A list may move when it grows, but never while its last member is being collected. The DTD lets an Extrinsic hold
 * anything: what is kept of elements inside is their text. */
static void start_extrinsic(po_cxml_reader *r, apr_array_header_t **list, const po_attributes *a)
{
    const char *name = po_reader_attribute(r, a, PO_A_name);
    po_cxml_extrinsic *x;

    if (!name)
        return;
    x = push(r, list, sizeof(*x));
    x->name = name;
    po_reader_collect(r, PO_TEXT_DEEP, &x->value);
}

static void start_address(po_cxml_reader *r, po_cxml_address **at, const po_attributes *a)
{
    const char *role = po_reader_attribute(r, a, PO_A_role);

    /* the one who asked is wanted; another contact only where there is none */
    if (*at && (!role || strcasecmp(role, "endUser") || ((*at)->role && !strcasecmp((*at)->role, "endUser"))))
        return;
    *at = apr_pcalloc(r->pool, sizeof(**at));
    (*at)->role = role;
    (*at)->id = po_reader_attribute(r, a, PO_A_addressID);
    r->address = *at;
    r->address_depth = r->depth;
}

/* The first that says something counts. */
static void collect_first(po_cxml_reader *r, const char **into)
{
    if (!*into || !**into)
        po_reader_collect(r, PO_TEXT_PLAIN, into);
}

static void collect_joined(po_cxml_reader *r, const char **into)
{
    po_reader_collect(r, PO_TEXT_PLAIN, into);
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
        r->address->country = po_reader_attribute(r, a, PO_A_isoCountryCode);
}

/* ---- ItemOut -------------------------------------------------------------------------------------------------- */

/* "00010" is 10; what is no number (or 0) is the line's position. */
static int line_number(const char *text, int position)
{
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;

    return n > 0 && n <= INT_MAX && !*end ? (int)n : position;
}

static void start_item(po_cxml_reader *r, apr_array_header_t **items, const po_attributes *a)
{
    const char *quantity = po_reader_attribute(r, a, PO_A_quantity);
    po_cxml_item *item = push(r, items, sizeof(*item));

    r->item = item;
    item->line = line_number(po_reader_attribute(r, a, PO_A_lineNumber), (*items)->nelts);
    item->requisition = po_reader_attribute(r, a, PO_A_requisitionID);
    if (po_decimal_parse(&item->quantity, quantity, -1) != APR_SUCCESS)
        po_reader_refuse(r, 400, "the quantity of ItemOut is missing or not a plain decimal number");
    else if (item->quantity.value < 0)
        po_reader_refuse(r, 400, "the quantity of ItemOut is negative");
}

static void start_money(po_cxml_reader *r, po_decimal *amount, int *is_set, const char **currency,
                        const po_attributes *a)
{
    if (*currency) {
        po_reader_refuse(r, 400, apr_pstrcat(r->pool, po_reader_element_name(parent(r)), " holds more than one Money",
                                             NULL));
        return;
    }
    *currency = po_reader_attribute(r, a, PO_A_currency);
    if (!po_currency_valid(*currency)) {
        po_reader_refuse(r, 400, apr_pstrcat(r->pool, "the currency of Money in ", po_reader_element_name(parent(r)),
                                             " is not a code of three letters such as USD", NULL));
        return;
    }
    po_reader_collect(r, PO_TEXT_PLAIN, &r->number_text);
    r->decimal = amount;
    r->is_set = is_set;
}

static void start_in_item_detail(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_item *item = r->item;

    if (e == PO_E_Description && !item->description)
        po_reader_collect(r, PO_TEXT_DEEP, &item->description);
    else if (e == PO_E_UnitOfMeasure)
        collect_first(r, &item->unit);
    else if (e == PO_E_Extrinsic)
        start_extrinsic(r, &item->extrinsics, a);
    else if (e == PO_E_Classification) {
        const char *domain = po_reader_attribute(r, a, PO_A_domain);

        if (domain && !strcasecmp(domain, "UNSPSC"))
            collect_first(r, &item->unspsc);
    }
}

/* Segment type and id (1.0), or AccountingSegment id with its Name (1.2). */
static void start_in_accounting(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (e == PO_E_Segment || e == PO_E_AccountingSegment) {
        po_cxml_extrinsic *x = push(r, &r->item->accounting, sizeof(*x));

        x->name = e == PO_E_Segment ? po_reader_attribute(r, a, PO_A_type) : NULL;
        x->value = po_reader_attribute(r, a, PO_A_id);
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
        start_money(r, &r->item->unit_price, &r->item->has_price, &r->item->currency, a);
    else if (r->path[5] == PO_E_Distribution)
        start_in_accounting(r, e, a);
}

/* ---- PunchOutSetupRequest ------------------------------------------------------------------------------------- */

static void start_in_setup(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_setup *s = r->doc->setup;
    po_element up = parent(r);

    if (r->depth == 4 && e == PO_E_BuyerCookie) {
        if (s->buyer_cookie)
            po_reader_refuse(r, 400, "more than one BuyerCookie");
        else
            po_reader_collect(r, PO_TEXT_MARKUP, &s->buyer_cookie);
    }
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

/* ---- OrderRequest --------------------------------------------------------------------------------------------- */

static void start_order_header(po_cxml_reader *r, const po_attributes *a)
{
    po_cxml_order *o = r->doc->order;

    if (o->type) {
        po_reader_refuse(r, 400, "more than one OrderRequestHeader");
        return;
    }
    o->order_id = po_reader_attribute(r, a, PO_A_orderID);
    o->order_date = po_reader_attribute(r, a, PO_A_orderDate);
    o->type = po_reader_attribute(r, a, PO_A_type);
    o->order_type = po_reader_attribute(r, a, PO_A_orderType);
    o->version = po_reader_attribute(r, a, PO_A_orderVersion);
    o->requisition = po_reader_attribute(r, a, PO_A_requisitionID);
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
        o->refers_to = po_reader_attribute(r, a, PO_A_payloadID);
    else if (r->depth == 6 && up == PO_E_Total && e == PO_E_Money)
        start_money(r, &o->total, NULL, &o->currency, a);
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

/* ---- StatusUpdateRequest -------------------------------------------------------------------------------------- */

static void start_in_status_update(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_status_update *u = r->doc->status_update;

    if (r->depth != 4)
        return;
    if (e == PO_E_DocumentReference)
        u->refers_to = po_reader_attribute(r, a, PO_A_payloadID);
    else if (e == PO_E_Status && !u->code) {
        u->code = po_reader_attribute(r, a, PO_A_code);
        po_reader_collect(r, PO_TEXT_PLAIN, &u->text);
    }
}

/* ---- Request -------------------------------------------------------------------------------------------------- */

static void start_payload(po_cxml_reader *r, po_element e, const char *name, const po_attributes *a)
{
    po_cxml *d = r->doc;

    if (++r->payloads > 1) {
        po_reader_refuse(r, 400, "the Request holds more than one element");
        return;
    }
    d->request = po_utf8_cut(apr_pstrdup(r->pool, name), REQUEST_NAME_MAX, r->pool);
    switch (e) {
    case PO_E_PunchOutSetupRequest:
        d->kind = PO_CXML_SETUP;
        d->setup = apr_pcalloc(r->pool, sizeof(*d->setup));
        d->setup->operation = po_reader_attribute(r, a, PO_A_operation);
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
    else if (e == PO_E_Payment)
        r->skip = r->depth;             /* card data: not even read */
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

/* ---- after the last byte -------------------------------------------------------------------------------------- */

static const char *filled(const char *text)
{
    return text && *text ? text : NULL;
}

/* What systems call the shopper's data, by length: there may be hundreds of Extrinsics. */
enum {
    USER, NAME, EMAIL, USER_NAME, LAST_NAME, USER_EMAIL, FIRST_NAME, UNIQUE_NAME, FULL_NAME, PRINTABLE_NAME, USER_DATA
};
#define NAME_LENGTHS 18

static void sort_extrinsics(const apr_array_header_t *list, const char *found[USER_DATA])
{
    static const char *const names[USER_DATA] = {
        "User", "Name", "Email", "UserName", "LastName", "UserEmail", "FirstName", "UniqueName", "UserFullName",
        "UserPrintableName"
    };
    static const struct {
        unsigned char from, count;
    } of_length[NAME_LENGTHS] = {
        [4] = { USER, 2 }, [5] = { EMAIL, 1 }, [8] = { USER_NAME, 2 }, [9] = { USER_EMAIL, 2 },
        [10] = { UNIQUE_NAME, 1 }, [12] = { FULL_NAME, 1 }, [17] = { PRINTABLE_NAME, 1 }
    };
    int i, k;

    for (i = 0; list && i < list->nelts; i++) {
        const po_cxml_extrinsic *x = &APR_ARRAY_IDX(list, i, po_cxml_extrinsic);
        apr_size_t len = strlen(x->name);

        if (len >= NAME_LENGTHS)
            continue;
        for (k = of_length[len].from; k < of_length[len].from + of_length[len].count; k++)
            if (!found[k] && !strcasecmp(x->name, names[k]))
                found[k] = filled(x->value);
    }
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a ? a : b ? b : c;
}

void po_cxml_find_user(po_cxml_setup *s, const po_user_map *map, apr_pool_t *p)
{
    const char *found[USER_DATA] = { NULL }, *first, *last;

    sort_extrinsics(s->extrinsics, found);
    first = found[FIRST_NAME];
    last = found[LAST_NAME];
    s->user = first_of(found[USER], found[UNIQUE_NAME], found[USER_NAME]);
    s->email = first_of(found[USER_EMAIL], found[EMAIL], s->contact ? filled(s->contact->email) : NULL);
    if (!s->email && s->ship_to)
        s->email = filled(s->ship_to->email);
    if (first && last)
        s->user_name = apr_pstrcat(p, first, " ", last, NULL);
    else
        s->user_name = first_of(first, last, first_of(found[NAME], found[FULL_NAME], found[PRINTABLE_NAME]));
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
}
