/* reader_private.h - the parts of the reader: encoding.c knows bytes, reader.c drives libxml2, elements.c and items.c
 * know what the elements mean. */
#ifndef PO_CXML_READER_PRIVATE_H
#define PO_CXML_READER_PRIVATE_H

#include "cxml/cxml.h"

#include <libxml/parser.h>

#define PO_DEPTH_MAX 100
#define PO_ATTRIBUTES_MAX 100           /* of one element */

/* White space of XML. A NUL, which ends a document, is none. */
static inline int po_xml_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The elements and attributes that mean something to us, each in one list for the enum and the names. Those that hold
 * card data come last: PO_E_Payment and what follows it. */
#define PO_ELEMENTS(E) \
    E(cXML) E(Header) E(From) E(To) E(Sender) E(Credential) E(Identity) E(SharedSecret) E(CredentialMac) E(UserAgent) \
    E(Request) E(Message) E(Response) E(PunchOutSetupRequest) E(OrderRequest) E(ProfileRequest) E(StatusUpdateRequest) \
    E(PunchOutOrderMessage) E(PunchOutOrderMessageHeader) E(PunchOutSetupResponse) E(StartPage) \
    E(BuyerCookie) E(Extrinsic) E(BrowserFormPost) E(URL) E(Contact) E(ShipTo) E(BillTo) E(Address) E(SelectedItem) \
    E(ItemID) E(SupplierPartID) E(SupplierPartAuxiliaryID) E(ItemOut) E(ItemIn) E(ItemDetail) E(BlanketItemDetail) \
    E(UnitPrice) E(MaxAmount) E(Money) E(Description) E(ShortName) E(UnitOfMeasure) E(Classification) E(Name) E(Email) \
    E(Phone) E(TelephoneNumber) E(Number) E(PostalAddress) E(DeliverTo) E(Street) E(City) E(State) E(PostalCode) \
    E(Country) E(OrderRequestHeader) E(Total) E(DocumentReference) E(Distribution) E(Accounting) E(Segment) \
    E(AccountingSegment) E(Status) E(Payment) E(PaymentToken) E(PaymentReference) E(PCard)
#define PO_ATTRIBUTES(A) \
    A(payloadID) A(timestamp) A(domain) A(deploymentMode) A(operation) A(name) A(role) A(addressID) A(isoCountryCode) \
    A(quantity) A(lineNumber) A(requisitionID) A(currency) A(type) A(id) A(orderID) A(orderDate) A(orderType) \
    A(orderVersion) A(code) A(text) A(algorithm) A(creationDate) A(expirationDate) A(isAdHoc) A(parentAgreementID) \
    A(agreementID) A(releaseRequired) A(operationAllowed)

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
    PO_TEXT_DEEP,                       /* elements inside are not looked at, but their text counts too */
    PO_TEXT_RAW                         /* BuyerCookie: the bytes themselves, markup and all */
} po_text_mode;

typedef struct {
    int n;                              /* attributes as SAX2 gives them: name, prefix, URI, begin, end */
    const xmlChar **a;
} po_attributes;

/* What the elements of one place in a document mean: called for each that begins inside it, however deep. */
typedef void po_place_fn(po_cxml_reader *r, po_element e, const po_attributes *a);

typedef struct {
    po_place_fn *start;
    int depth;                          /* of the element that is the place; it ends with it */
} po_place;

#define PO_PLACES 8                     /* document, cXML, Request, PunchOutSetupRequest, ItemOut and the like */
#define PO_NAME_SLOTS 256               /* a power of two, well above PO_E_COUNT */

struct po_cxml_reader {
    xmlParserCtxtPtr ctxt;
    struct {
        const xmlChar *name;
        int element;
    } elements[PO_NAME_SLOTS];          /* interned name -> element: pointers are compared, not strings */
    const xmlChar *attributes[PO_A_COUNT];
    apr_pool_t *text_pool;
    po_buffer text;                     /* of the element that is being collected, when it comes in several pieces */

    /* of one document */
    apr_pool_t *pool;
    po_cxml *doc;
    const char *bytes;                  /* the document in UTF-8: stays where it is while it is parsed */
    apr_size_t len;
    char *free;                         /* the document's strings lie one behind the other: */
    apr_size_t room;                    /* what is left of the piece of pool that they are put in */
    const xmlChar *name;                /* of the element that begins */
    po_place *place;                    /* the innermost of places */
    po_place places[PO_PLACES];
    unsigned char path[PO_DEPTH_MAX + 1];
    int depth, count;
    apr_size_t aside;                   /* bytes of attributes, comments, CDATA and instructions: the slowest ones */
    int headers, bodies, payloads;      /* how many there were; a body is a Request, Message or Response */

    apr_hash_t *ignored;                /* po_cxml_reader_note_ignored(); NULL: nobody asks */
    po_text_mode mode;
    int text_depth;                     /* of the element that is being collected */
    int mute;                           /* depth of an element in it whose text is not read (card data); 0: none */
    const char *piece;                  /* the first piece of text, where it lies in bytes; "": none, or in text */
    apr_size_t piece_len;
    apr_size_t raw_from;                /* PO_TEXT_RAW: where in bytes the content begins */
    const char **into;                  /* its text goes here, trimmed */
    int join;                           /* append to what is there, behind ", " */
    apr_size_t short_from, short_to;    /* where in text a ShortName lies */
    po_decimal *decimal;                /* and is a number: goes here as well */
    const char *number_text;
    int *is_set;

    po_party *party;
    po_cxml_item *item;
    po_cxml_address *address;
};

/* ---- reader.c, for those who know the elements ------------------------------------------------------------------ */

/* The document is refused: status and a sentence that names the line. The first reason counts. */
void po_reader_refuse(po_cxml_reader *r, int status, const char *why);
/* The element's name, for such sentences. */
const char *po_reader_element_name(po_element e);
/* The value of an attribute, trimmed, copied to the document's pool; NULL: it isn't there. */
const char *po_reader_attribute(po_cxml_reader *r, const po_attributes *a, po_attribute which);
/* The text of the element that begins now goes to *into. */
void po_reader_collect(po_cxml_reader *r, po_text_mode mode, const char **into);
/* Until the element that begins now ends, start is called for what begins inside it. */
void po_reader_enter(po_cxml_reader *r, po_place_fn *start);

/* The element around the one that begins. */
static inline po_element po_reader_parent(const po_cxml_reader *r)
{
    return (po_element)r->path[r->depth - 1];
}

/* ---- elements.c ------------------------------------------------------------------------------------------------- */

/* The place that holds the root element. */
void po_reader_start_root(po_cxml_reader *r, po_element e, const po_attributes *a);
/* After the last byte: what is missing. */
void po_reader_finish(po_cxml_reader *r);
/* A new member of *list, which is made when it is NULL. A list may move when it grows, but never while its last member
 * is being collected. */
void *po_reader_push(po_cxml_reader *r, apr_array_header_t **list, int size);
/* An Extrinsic of any place: name and text. The DTD lets it hold anything: of elements inside their text is kept. */
void po_reader_extrinsic(po_cxml_reader *r, apr_array_header_t **list, const po_attributes *a);
/* Collects text of which the first that says something counts. */
void po_reader_collect_first(po_cxml_reader *r, po_text_mode mode, const char **into);

/* ---- items.c ---------------------------------------------------------------------------------------------------- */

/* ItemOut and ItemIn begin. */
void po_reader_item(po_cxml_reader *r, po_element e, apr_array_header_t **items, const po_attributes *a);
/* Money begins: *currency tells whether there was one before. is_set may be NULL. */
void po_reader_money(po_cxml_reader *r, po_decimal *amount, int *is_set, const char **currency,
                     const po_attributes *a);

/* ---- encoding.c ------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *buf;                    /* in: any bytes, with a NUL behind them; out: UTF-8, with a NUL behind it */
    apr_size_t len;
    const char *wrong;                  /* why it can't be read; else NULL */
    xmlBufferPtr converted;             /* what buf lies in when it was converted; else NULL */
} po_document_bytes;

/* Finds the encoding, refuses what can't be one document of XML, converts to UTF-8 what isn't. charset may be NULL. */
void po_document_bytes_read(po_document_bytes *d, const char *charset);
void po_document_bytes_free(po_document_bytes *d);

/* tags.c: why libxml2 may not be given this, as a sentence; NULL: it may. The bytes are UTF-8, or like ASCII below
 * 0x80; a NUL lies behind them. */
const char *po_reader_too_much(const char *buf, apr_size_t len);

#endif
