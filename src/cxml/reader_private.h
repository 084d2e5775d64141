/* reader_private.h - the reader's two halves: reader.c drives libxml2, elements.c knows what the elements mean. */
#ifndef PO_CXML_READER_PRIVATE_H
#define PO_CXML_READER_PRIVATE_H

#include "cxml/cxml.h"

#include <libxml/parser.h>

#define PO_DEPTH_MAX 100

/* The elements and attributes that mean something to us, each in one list for the enum and the names. */
#define PO_ELEMENTS(E) \
    E(cXML) E(Header) E(From) E(To) E(Sender) E(Credential) E(Identity) E(SharedSecret) E(UserAgent) E(Request) \
    E(Message) E(Response) E(PunchOutSetupRequest) E(OrderRequest) E(ProfileRequest) E(StatusUpdateRequest) \
    E(BuyerCookie) E(Extrinsic) E(BrowserFormPost) E(URL) E(Contact) E(ShipTo) E(BillTo) E(Address) E(SelectedItem) \
    E(ItemID) E(SupplierPartID) E(SupplierPartAuxiliaryID) E(ItemOut) E(ItemDetail) E(BlanketItemDetail) E(UnitPrice) \
    E(Money) E(Description) E(ShortName) E(UnitOfMeasure) E(Classification) E(Name) E(Email) E(Phone) \
    E(TelephoneNumber) E(Number) E(PostalAddress) E(DeliverTo) E(Street) E(City) E(State) E(PostalCode) E(Country) \
    E(OrderRequestHeader) E(Total) E(DocumentReference) E(Distribution) E(Accounting) E(Segment) E(AccountingSegment) \
    E(Status) E(Payment)
#define PO_ATTRIBUTES(A) \
    A(payloadID) A(timestamp) A(domain) A(deploymentMode) A(operation) A(name) A(role) A(addressID) A(isoCountryCode) \
    A(quantity) A(lineNumber) A(requisitionID) A(currency) A(type) A(id) A(orderID) A(orderDate) A(orderType) \
    A(orderVersion) A(code)

typedef enum {
    PO_E_OTHER,
#define PO_ELEMENT_ENUM(name) PO_E_##name,
    PO_ELEMENTS(PO_ELEMENT_ENUM)
#undef PO_ELEMENT_ENUM
    PO_E_COUNT
} po_element;

typedef enum {
#define PO_ATTRIBUTE_ENUM(name) PO_A_##name,
    PO_ATTRIBUTES(PO_ATTRIBUTE_ENUM)
#undef PO_ATTRIBUTE_ENUM
    PO_A_COUNT
} po_attribute;

typedef enum {
    PO_TEXT_NONE,                       /* nobody wants it */
    PO_TEXT_PLAIN,                      /* an element inside is an error */
    PO_TEXT_DEEP,                       /* Description, Extrinsic may hold elements by the DTD: their text counts too */
    PO_TEXT_MARKUP                      /* BuyerCookie: kept as XML */
} po_text_mode;

typedef struct {
    int n;                              /* attributes as SAX2 gives them: name, prefix, URI, begin, end */
    const xmlChar **a;
} po_attributes;

#define PO_NAME_SLOTS 256               /* a power of two, well above PO_E_COUNT */

struct po_cxml_reader {
    xmlParserCtxtPtr ctxt;
    struct {
        const xmlChar *name;
        int element;
    } elements[PO_NAME_SLOTS];          /* interned name -> element: pointers are compared, not strings */
    const xmlChar *attributes[PO_A_COUNT];
    apr_pool_t *text_pool;
    po_buffer text;                     /* of the element that is being collected */

    /* of one document */
    apr_pool_t *pool;
    po_cxml *doc;
    char *free;                         /* the document's strings lie one behind the other: */
    apr_size_t room;                    /* what is left of the piece of pool that they are put in */
    unsigned char path[PO_DEPTH_MAX + 1];
    int depth, count;
    int skip;                           /* depth of an element whose inside is not read (card data); 0: none */
    int headers, requests, payloads;

    apr_hash_t *ignored;                /* po_cxml_reader_note_ignored(); NULL: nobody asks */
    po_text_mode mode;
    int text_depth;                     /* of the element that is being collected */
    const char **into;                  /* its text goes here, trimmed */
    int join;                           /* append to what is there, behind ", " */
    apr_size_t short_from, short_to;    /* where in text a ShortName lies */
    po_decimal *decimal;                /* and is a number: goes here as well */
    const char *number_text;
    int *is_set;

    po_party *party;
    po_cxml_item *item;
    po_cxml_address *address;
    int address_depth;
};

/* The document is refused: status and a sentence that names the line. The first reason counts. */
void po_reader_refuse(po_cxml_reader *r, int status, const char *why);
/* The element's name, for such sentences. */
const char *po_reader_element_name(po_element e);
/* The value of an attribute, trimmed, copied to the document's pool; NULL: it isn't there. */
const char *po_reader_attribute(po_cxml_reader *r, const po_attributes *a, po_attribute which);
/* The text of the element that begins now goes to *into. */
void po_reader_collect(po_cxml_reader *r, po_text_mode mode, const char **into);

/* elements.c: an element below Header or Request begins or ends. */
void po_reader_start(po_cxml_reader *r, po_element e, const char *name, const po_attributes *a);
void po_reader_end(po_cxml_reader *r, po_element e);
/* After the last byte: what is missing, and the shopper's data. */
void po_reader_finish(po_cxml_reader *r);

#endif
