/* elements.c - what the elements of a document mean: by name, not by position, as live systems break its order. */
#include "cxml/reader_private.h"

#include <string.h>
#include <strings.h>

#define REQUEST_NAME_MAX 64

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
    const char *type = po_reader_attribute(r, a, PO_A_type);
    po_credential *c;

    if (r->party->count == PO_PARTY_MAX) {
        po_reader_refuse(r, 400, "too many Credentials in one of From, To and Sender");
        return;
    }
    c = &r->party->cred[r->party->count++];
    c->domain = po_reader_attribute(r, a, PO_A_domain);
    c->marketplace = type && !strcasecmp(type, "marketplace");
}

static void start_secret(po_cxml_reader *r)
{
    if (r->doc->shared_secret)
        po_reader_refuse(r, 400, "more than one SharedSecret");
    else
        po_reader_collect(r, PO_TEXT_PLAIN, &r->doc->shared_secret);
}

static void start_mac(po_cxml_reader *r, const po_attributes *a)
{
    po_credential_mac *mac;

    if (r->doc->mac) {
        po_reader_refuse(r, 400, "more than one CredentialMac");
        return;
    }
    mac = r->doc->mac = apr_pcalloc(r->pool, sizeof(*mac));
    mac->type = po_reader_attribute(r, a, PO_A_type);
    mac->algorithm = po_reader_attribute(r, a, PO_A_algorithm);
    mac->created = po_reader_attribute(r, a, PO_A_creationDate);
    mac->expires = po_reader_attribute(r, a, PO_A_expirationDate);
    mac->credential = r->party->count - 1;
    po_reader_collect(r, PO_TEXT_PLAIN, &mac->value);
}

/* What authenticates counts in Sender alone. */
static void start_in_credential(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_credential *c = &r->party->cred[r->party->count - 1];

    if (e == PO_E_Identity) {
        if (!c->identity)               /* a published sample of Coupa's has two: the first counts */
            po_reader_collect(r, PO_TEXT_PLAIN, &c->identity);
    }
    else if (r->party != &r->doc->sender)
        return;
    else if (e == PO_E_SharedSecret)
        start_secret(r);
    else if (e == PO_E_CredentialMac)
        start_mac(r, a);
}

/* Path, OriginalDocument, DigitalSignature and the like are a hub's: nothing in them concerns us. */
static void start_in_header(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (r->depth == 3)
        start_party(r, e);
    else if (!r->party)
        return;
    else if (r->depth == 4 && e == PO_E_Credential)
        start_credential(r, a);
    else if (r->depth == 4 && e == PO_E_UserAgent && r->party == &r->doc->sender)
        po_reader_collect(r, PO_TEXT_DEEP, &r->doc->user_agent);
    else if (r->depth == 5 && po_reader_parent(r) == PO_E_Credential)
        start_in_credential(r, e, a);
}

/* ---- lists and addresses -------------------------------------------------------------------------------------- */

void *po_reader_push(po_cxml_reader *r, apr_array_header_t **list, int size)
{
    void *member;

    if (!*list)
        *list = apr_array_make(r->pool, 8, size);
    member = apr_array_push(*list);
    return memset(member, 0, (apr_size_t)size);
}

void po_reader_extrinsic(po_cxml_reader *r, apr_array_header_t **list, const po_attributes *a)
{
    const char *name = po_reader_attribute(r, a, PO_A_name);
    po_cxml_extrinsic *x;

    if (!name)
        return;
    if (*list && (*list)->nelts < (*list)->nalloc)      /* there may be hundreds: the short way */
        x = (po_cxml_extrinsic *)(*list)->elts + (*list)->nelts++;
    else
        x = po_reader_push(r, list, sizeof(*x));
    x->name = name;
    x->value = NULL;
    po_reader_collect(r, PO_TEXT_DEEP, &x->value);
}

void po_reader_collect_first(po_cxml_reader *r, po_text_mode mode, const char **into)
{
    if (!*into || !**into)
        po_reader_collect(r, mode, into);
}

static void collect_joined(po_cxml_reader *r, const char **into)
{
    po_reader_collect(r, PO_TEXT_DEEP, into);
    r->join = 1;
}

/* What must be exact and there once: markup in it, or a second one, is an error. */
static void collect_only(po_cxml_reader *r, const char **into, const char *twice)
{
    if (*into)
        po_reader_refuse(r, 400, twice);
    else
        po_reader_collect(r, PO_TEXT_PLAIN, into);
}

static void start_in_postal_address(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_address *to = r->address;

    if (e == PO_E_DeliverTo)
        collect_joined(r, &to->deliver_to);
    else if (e == PO_E_Street)
        collect_joined(r, &to->street);
    else if (e == PO_E_City)
        po_reader_collect_first(r, PO_TEXT_DEEP, &to->city);
    else if (e == PO_E_State)
        po_reader_collect_first(r, PO_TEXT_DEEP, &to->state);
    else if (e == PO_E_PostalCode)
        po_reader_collect_first(r, PO_TEXT_DEEP, &to->postal_code);
    /* Country is told by its attribute; what the element says is a name in any language */
    else if (e == PO_E_Country && !to->country)
        to->country = po_reader_attribute(r, a, PO_A_isoCountryCode);
}

static void start_in_address(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_address *of = r->address;

    if (r->depth == r->place->depth + 1 && e == PO_E_Name)
        po_reader_collect_first(r, PO_TEXT_DEEP, &of->name);
    else if (r->depth == r->place->depth + 1 && e == PO_E_Email)
        po_reader_collect_first(r, PO_TEXT_DEEP, &of->email);
    else if (po_reader_parent(r) == PO_E_PostalAddress)
        start_in_postal_address(r, e, a);
    else if (e == PO_E_Number && po_reader_parent(r) == PO_E_TelephoneNumber && r->path[r->depth - 2] == PO_E_Phone)
        po_reader_collect_first(r, PO_TEXT_DEEP, &of->phone);
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
    po_reader_enter(r, start_in_address);
}

/* ---- PunchOutSetupRequest ------------------------------------------------------------------------------------- */

static void start_cookie(po_cxml_reader *r, const char **cookie)
{
    if (*cookie)
        po_reader_refuse(r, 400, "more than one BuyerCookie");
    else
        po_reader_collect(r, PO_TEXT_RAW, cookie);
}

static void start_setup_child(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_setup *s = r->doc->setup;

    if (e == PO_E_Extrinsic)
        po_reader_extrinsic(r, &s->extrinsics, a);
    else if (e == PO_E_BuyerCookie)
        start_cookie(r, &s->buyer_cookie);
    else if (e == PO_E_Contact)
        start_address(r, &s->contact, a);
    else if (e == PO_E_ItemOut)
        po_reader_item(r, e, &s->items, a);
}

static void start_in_setup(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_setup *s = r->doc->setup;
    po_element child = (po_element)r->path[4];

    if (r->depth == 4)
        start_setup_child(r, e, a);
    else if (child == PO_E_BrowserFormPost && r->depth == 5 && e == PO_E_URL)
        collect_only(r, &s->return_url, "more than one BrowserFormPost URL");
    else if (child == PO_E_ShipTo && r->depth == 5 && e == PO_E_Address)
        start_address(r, &s->ship_to, a);
    else if (child != PO_E_SelectedItem || po_reader_parent(r) != PO_E_ItemID)
        return;
    else if (e == PO_E_SupplierPartID)
        po_reader_collect_first(r, PO_TEXT_PLAIN, &s->selected_part);
    else if (e == PO_E_SupplierPartAuxiliaryID)
        po_reader_collect_first(r, PO_TEXT_PLAIN, &s->selected_auxiliary);
}

/* ---- OrderRequest --------------------------------------------------------------------------------------------- */

static const char *filled(const char *text)
{
    return text && *text ? text : NULL;
}

static void order_attributes(po_cxml_reader *r, po_cxml_order *o, const po_attributes *a)
{
    const char *release = po_reader_attribute(r, a, PO_A_releaseRequired);

    o->order_id = po_reader_attribute(r, a, PO_A_orderID);
    o->order_date = po_reader_attribute(r, a, PO_A_orderDate);
    o->type = filled(po_reader_attribute(r, a, PO_A_type));
    o->order_type = po_reader_attribute(r, a, PO_A_orderType);
    o->version = po_reader_attribute(r, a, PO_A_orderVersion);
    o->requisition = po_reader_attribute(r, a, PO_A_requisitionID);
    o->agreement = filled(po_reader_attribute(r, a, PO_A_parentAgreementID));
    if (!o->agreement)
        o->agreement = filled(po_reader_attribute(r, a, PO_A_agreementID));
    o->release_required = release && !strcasecmp(release, "yes");
    if (!o->type)
        o->type = "new";
}

static void start_in_order_header(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_order *o = r->doc->order;
    po_element child = (po_element)r->path[5];

    if (r->depth == 5 && e == PO_E_Extrinsic)
        po_reader_extrinsic(r, &o->extrinsics, a);
    else if (r->depth == 5 && e == PO_E_Contact)
        start_address(r, &o->contact, a);
    else if (r->depth == 5 && e == PO_E_DocumentReference)
        o->refers_to = po_reader_attribute(r, a, PO_A_payloadID);
    else if (r->depth == 6 && child == PO_E_Total && e == PO_E_Money)
        po_reader_money(r, &o->total, NULL, &o->currency, a);
    else if (r->depth == 6 && child == PO_E_ShipTo && e == PO_E_Address)
        start_address(r, &o->ship_to, a);
    else if (r->depth == 6 && child == PO_E_BillTo && e == PO_E_Address)
        start_address(r, &o->bill_to, a);
}

static void start_in_order(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_order *o = r->doc->order;

    if (r->depth != 4)
        return;
    if (e == PO_E_ItemOut)
        po_reader_item(r, e, &o->items, a);
    else if (e == PO_E_OrderRequestHeader && o->type)
        po_reader_refuse(r, 400, "more than one OrderRequestHeader");
    else if (e == PO_E_OrderRequestHeader) {
        order_attributes(r, o, a);
        po_reader_enter(r, start_in_order_header);
    }
}

/* ---- StatusUpdateRequest -------------------------------------------------------------------------------------- */

/* PaymentStatus, DocumentStatus and the like stand beside Status: what concerns us is Status. */
static void start_in_status_update(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_status_update *u = r->doc->status_update;

    if (r->depth != 4)
        return;
    if (e == PO_E_DocumentReference && !u->refers_to)
        u->refers_to = po_reader_attribute(r, a, PO_A_payloadID);
    else if (e == PO_E_Status && !u->code) {
        u->code = po_reader_attribute(r, a, PO_A_code);
        po_reader_collect(r, PO_TEXT_DEEP, &u->text);
    }
}

/* ---- Request -------------------------------------------------------------------------------------------------- */

/* The one element that a Request or Message holds. */
static int is_payload(po_cxml_reader *r)
{
    if (++r->payloads > 1) {
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the %s holds more than one element",
                                              po_reader_element_name(po_reader_parent(r))));
        return 0;
    }
    r->doc->request = po_utf8_cut(apr_pstrdup(r->pool, (const char *)r->name), REQUEST_NAME_MAX, r->pool);
    return 1;
}

static void start_in_request(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml *d = r->doc;

    if (r->depth != 3 || !is_payload(r))
        return;
    switch (e) {
    case PO_E_PunchOutSetupRequest:
        d->kind = PO_CXML_SETUP;
        d->setup = apr_pcalloc(r->pool, sizeof(*d->setup));
        d->setup->operation = po_reader_attribute(r, a, PO_A_operation);
        po_reader_enter(r, start_in_setup);
        break;
    case PO_E_OrderRequest:
        d->kind = PO_CXML_ORDER;
        d->order = apr_pcalloc(r->pool, sizeof(*d->order));
        po_reader_enter(r, start_in_order);
        break;
    case PO_E_StatusUpdateRequest:
        d->kind = PO_CXML_STATUS_UPDATE;
        d->status_update = apr_pcalloc(r->pool, sizeof(*d->status_update));
        po_reader_enter(r, start_in_status_update);
        break;
    default:
        d->kind = e == PO_E_ProfileRequest ? PO_CXML_PROFILE : PO_CXML_OTHER;
    }
}

/* ---- Message: a cart ------------------------------------------------------------------------------------------ */

static void start_in_cart(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_order_message *m = r->doc->order_message;

    if (r->depth == 4 && e == PO_E_BuyerCookie)
        start_cookie(r, &m->buyer_cookie);
    else if (r->depth == 4 && e == PO_E_ItemIn)
        po_reader_item(r, e, &m->items, a);
    else if (r->depth == 4 && e == PO_E_PunchOutOrderMessageHeader && !m->operation_allowed)
        m->operation_allowed = po_reader_attribute(r, a, PO_A_operationAllowed);
    else if (r->depth == 6 && r->path[4] == PO_E_PunchOutOrderMessageHeader && r->path[5] == PO_E_Total
             && e == PO_E_Money)
        po_reader_money(r, &m->total, NULL, &m->currency, a);
}

/* Status stands before the cart, or behind it where a system doesn't keep the order. */
static void start_in_message(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml *d = r->doc;

    if (r->depth != 3)
        return;
    if (e == PO_E_Status) {
        if (!d->order_message->code)
            d->order_message->code = po_reader_attribute(r, a, PO_A_code);
    }
    else if (is_payload(r) && e == PO_E_PunchOutOrderMessage) {
        d->kind = PO_CXML_CART;
        po_reader_enter(r, start_in_cart);
    }
    else
        d->kind = PO_CXML_OTHER;
}

/* ---- Response ------------------------------------------------------------------------------------------------- */

static void start_in_response(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_response *answer = r->doc->response;

    if (r->depth == 3 && e == PO_E_Status && answer->code)
        po_reader_refuse(r, 400, "more than one Status");
    else if (r->depth == 3 && e == PO_E_Status) {
        answer->code = po_reader_attribute(r, a, PO_A_code);
        answer->text = po_reader_attribute(r, a, PO_A_text);
        po_reader_collect(r, PO_TEXT_DEEP, &answer->detail);
    }
    else if (r->depth == 5 && r->path[3] == PO_E_PunchOutSetupResponse && r->path[4] == PO_E_StartPage && e == PO_E_URL)
        collect_only(r, &answer->start_page, "more than one StartPage");
}

/* ---- cXML ----------------------------------------------------------------------------------------------------- */

static void deployment_mode(po_cxml_reader *r, const po_attributes *a)
{
    const char *mode = po_reader_attribute(r, a, PO_A_deploymentMode);

    /* a word that the DTD doesn't know must not create anything real */
    r->doc->test = mode && *mode && strcasecmp(mode, "production");
}

static void start_body(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml *d = r->doc;

    if (++r->bodies > 1) {
        po_reader_refuse(r, 400, "the document holds more than one Request, Message or Response");
        return;
    }
    if (e == PO_E_Response) {
        d->kind = PO_CXML_RESPONSE;
        d->request = "Response";
        d->response = apr_pcalloc(r->pool, sizeof(*d->response));
        po_reader_enter(r, start_in_response);
        return;
    }
    deployment_mode(r, a);
    if (e == PO_E_Message)
        d->order_message = apr_pcalloc(r->pool, sizeof(*d->order_message));
    po_reader_enter(r, e == PO_E_Message ? start_in_message : start_in_request);
}

static void start_top(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (r->depth != 2)
        return;
    if (e == PO_E_Request || e == PO_E_Message || e == PO_E_Response)
        start_body(r, e, a);
    else if (e == PO_E_Header && ++r->headers > 1)
        po_reader_refuse(r, 400, "the document holds more than one Header");
    else if (e == PO_E_Header)
        po_reader_enter(r, start_in_header);
}

void po_reader_start_root(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (e != PO_E_cXML) {
        po_reader_refuse(r, 406, "the root element is not cXML");
        return;
    }
    r->doc->payload_id = po_reader_attribute(r, a, PO_A_payloadID);
    r->doc->timestamp = po_reader_attribute(r, a, PO_A_timestamp);
    po_reader_enter(r, start_top);
}

/* ---- after the last byte -------------------------------------------------------------------------------------- */

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

static const char *lacks(const po_cxml_reader *r)
{
    const po_cxml *d = r->doc;

    if (!r->bodies)
        return "the document holds no Request, Message or Response";
    switch (d->kind) {
    case PO_CXML_NONE:
        return "the Request is empty";
    case PO_CXML_SETUP:
        return setup_lacks(d->setup);
    case PO_CXML_ORDER:
        return order_lacks(d->order);
    case PO_CXML_RESPONSE:
        return filled(d->response->code) ? NULL : "the Response has no Status with a code";
    default:
        return NULL;
    }
}

static void absent_is_empty(const char **text)
{
    if (!*text)
        *text = "";
}

void po_reader_finish(po_cxml_reader *r)
{
    po_cxml *d = r->doc;

    if (d->kind != PO_CXML_CART)
        d->order_message = NULL;
    if ((d->why = lacks(r))) {
        d->status = 400;
        return;
    }
    if (d->setup) {
        absent_is_empty(&d->setup->buyer_cookie);
        absent_is_empty(&d->setup->return_url);
    }
    if (d->order_message)
        absent_is_empty(&d->order_message->buyer_cookie);
}
