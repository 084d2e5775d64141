/* cxml.h - the language: bytes -> structs by SAX, structs -> bytes, status codes.
 *
 * Pure: APR and libxml2, no httpd. Lenient in what it reads (parsed by name, not by position), strict in what it
 * writes (valid by the DTD version that the envelope names). Facts: the cXML User's Guide 1.2, and the DTDs.
 */
#ifndef PO_CXML_H
#define PO_CXML_H

#include "core/core.h"

/* ---- status.c ------------------------------------------------------------------------------------------------- */

/* The text that belongs to a Status code: 200 "OK", 401 "Unauthorized", 560 "Temporary server error"... */
const char *po_cxml_status_text(int code);

/* ---- reader.c: any document that a procurement system sends --------------------------------------------------- */

typedef enum {
    PO_CXML_NONE, PO_CXML_PROFILE, PO_CXML_SETUP, PO_CXML_ORDER, PO_CXML_STATUS_UPDATE,
    PO_CXML_RESPONSE,                   /* the answer to a document of ours; it has no Header */
    PO_CXML_CART,                       /* a PunchOutOrderMessage: ours, read again */
    PO_CXML_OTHER                       /* a request of the DTD that we don't carry out: 450 */
} po_cxml_kind;

typedef struct { const char *name, *value; } po_cxml_extrinsic;

typedef struct {                        /* Address, Contact */
    const char *id, *role, *name, *email, *phone;
    const char *deliver_to, *street, *city, *state, *postal_code, *country; /* several: joined by ", " */
} po_cxml_address;

typedef struct {                        /* ItemOut, of an order or of an edit setup */
    int line;                           /* @lineNumber as a number, else the position from 1 */
    const char *part, *auxiliary;       /* SupplierPartID, SupplierPartAuxiliaryID */
    po_decimal quantity, unit_price;
    int has_price;
    const char *currency, *unit, *description, *unspsc;
    const char *requisition;            /* @requisitionID */
    int has_detail;                     /* there is an ItemDetail or BlanketItemDetail */
    int ad_hoc;                         /* @isAdHoc: typed by somebody, comes from no cart */
    po_decimal max_amount;              /* BlanketItemDetail/MaxAmount */
    int has_max_amount;
    const char *max_currency;
    apr_array_header_t *accounting;     /* po_cxml_extrinsic: Segment type -> id, or AccountingSegment; NULL: none */
    apr_array_header_t *extrinsics;     /* po_cxml_extrinsic; NULL: none */
} po_cxml_item;

typedef struct {
    const char *operation;              /* create | edit | inspect | source */
    const char *buyer_cookie;           /* inner XML, byte for byte: goes back into a document as it is; "" when empty */
    const char *return_url;             /* BrowserFormPost/URL, trimmed */
    apr_array_header_t *extrinsics;     /* po_cxml_extrinsic */
    po_cxml_address *contact, *ship_to; /* NULL: none */
    const char *selected_part, *selected_auxiliary;         /* SelectedItem */
    apr_array_header_t *items;          /* po_cxml_item; NULL: none */
    const char *user, *email, *user_name;       /* the shopper: set by po_cxml_find_user() */
} po_cxml_setup;

typedef struct {
    const char *order_id, *order_date, *type, *order_type, *version;    /* type: new | update | delete */
    const char *requisition, *refers_to;                    /* DocumentReference@payloadID */
    const char *agreement;              /* @parentAgreementID or @agreementID: the blanket order that a release draws on */
    int release_required;               /* a blanket order that orders nothing by itself: releases follow */
    po_decimal total;
    const char *currency;               /* of Total */
    po_cxml_address *ship_to, *bill_to, *contact;           /* NULL: none */
    apr_array_header_t *extrinsics;     /* po_cxml_extrinsic; NULL: none */
    apr_array_header_t *items;          /* po_cxml_item, in the order of the document */
} po_cxml_order;

typedef struct {                        /* StatusUpdateRequest */
    const char *refers_to, *code, *text;
} po_cxml_status_update;

typedef struct {
    const char *code, *text, *detail;   /* Status */
    const char *start_page;             /* PunchOutSetupResponse/StartPage/URL; NULL: none */
} po_cxml_response;

typedef struct {                        /* PunchOutOrderMessage */
    const char *buyer_cookie;           /* as in po_cxml_setup */
    const char *operation_allowed;
    const char *code;                   /* Message/Status; NULL: none, which means 200 */
    po_decimal total;
    const char *currency;
    apr_array_header_t *items;          /* po_cxml_item, of ItemIn; NULL: none */
} po_cxml_order_message;

typedef struct {
    po_cxml_kind kind;
    const char *request;                /* name of the payload element, or Response, for messages; NULL: none */
    const char *payload_id, *timestamp, *user_agent;
    po_party from, to, sender;
    const char *shared_secret;          /* of Sender; NULL: none. Never log it. */
    po_credential_mac *mac;             /* of Sender; NULL: none */
    int test;                           /* Request@deploymentMode = "test" */
    po_cxml_setup *setup;               /* by kind; else NULL */
    po_cxml_order *order;
    po_cxml_status_update *status_update;
    po_cxml_response *response;
    po_cxml_order_message *order_message;
    /* When po_cxml_read() refuses: */
    int status;                         /* 406 unparsable, 400 malformed content or over a limit */
    const char *why;                    /* a sentence for the log and the Status: names element and line, no content */
} po_cxml;

typedef struct po_cxml_reader po_cxml_reader;   /* one per thread: a libxml2 context, used again and again */

/* malloc'd; NULL when out of memory. Call xmlInitParser() once per process before. */
po_cxml_reader *po_cxml_reader_create(void);
void po_cxml_reader_destroy(po_cxml_reader *r);

/* Reads one document. buf[len] must be 0 (the caller's terminator). charset: of the Content-Type, which goes before what the
 * document declares; NULL: none. APR_SUCCESS, or APR_EGENERAL with out->status and
 * out->why set; what was understood so far (identities, payloadID) stays in out, for the log. Strings live in p.
 * Hardening: security.md "XML". No DTD, entity or network access whatever the document says; card data (Payment) is
 * not read at all. */
apr_status_t po_cxml_read(po_cxml_reader *r, apr_pool_t *p, const char *buf, apr_size_t len, const char *charset,
                          po_cxml *out);
/* 1 for a Request. A Response or Message asks for nothing: 0, with status and why set as for one that can't be read. */
int po_cxml_is_request(po_cxml *doc);
/* From now on the names of elements that mean nothing to us are counted there (name -> int *, in the hash's pool); NULL: not
 * any more. For tools that explain. */
void po_cxml_reader_note_ignored(po_cxml_reader *r, apr_hash_t *names);

/* Sets user, email and user_name of a setup: the shopper. map: the buyer's. */
void po_cxml_find_user(po_cxml_setup *s, const po_user_map *map, apr_pool_t *p);

/* A document that consists of the same bytes with callbacks that do nothing: the floor of bench/. 1 = well-formed. */
int po_cxml_read_empty(po_cxml_reader *r, const char *buf, apr_size_t len);

/* SHA-256 over the fields of an order that are understood (not the bytes, not the envelope): design.md §7. */
void po_cxml_order_digest(po_crypto *c, const po_cxml_order *order, int test, unsigned char out[PO_DIGEST]);

/* ---- mime.c: a document that comes with attachments (RFC 2046, RFC 2387) --------------------------------------- */

#define PO_MIME_PARTS_MAX 100
#define PO_MIME_HEADERS_MAX 16384       /* bytes of one part's header lines */

typedef struct {                        /* of a part that is not the document; each NULL when the part doesn't say it */
    const char *content_id;             /* without the angle brackets */
    const char *content_type;           /* without parameters, lower case */
    const char *filename;               /* of Content-Disposition, else the type's name; never a path to use */
    apr_size_t length;                  /* as sent: an encoding is not undone */
} po_mime_part;

typedef struct {
    char *document;                     /* NUL-terminated; lies in the body, or in the pool when it was encoded */
    apr_size_t len;
    const char *charset;                /* of the part's Content-Type; NULL: none */
    apr_array_header_t *attachments;    /* po_mime_part, in their order; their contents are kept nowhere */
} po_mime;

/* 1 when content_type, a header field's value or NULL, is multipart/... of any kind. */
int po_mime_is_multipart(const char *content_type);
/* Finds the cXML document in a body: the part that the parameter `start` names, else the first of an XML type, else the first.
 * body[len] must be 0; the byte behind the document is overwritten with 0, so that a large one is not copied: afterwards
 * the body can't be read again. NULL, or a sentence for the sender (in p, names no content). A body that ends before its closing
 * boundary is refused: nobody could tell whether the order in it is whole. */
const char *po_mime_read(po_mime *out, const char *content_type, char *body, apr_size_t len, apr_pool_t *p);
/* The parameter of a Content-Type or Content-Disposition value, unquoted; NULL: there is none. */
const char *po_mime_parameter(const char *value, const char *name, apr_pool_t *p);

/* ---- buffer.c ------------------------------------------------------------------------------------------------- */

typedef struct {                        /* grows in its pool; data is not NUL-terminated until po_buffer_text() */
    apr_pool_t *pool;
    char *data;
    apr_size_t len, size;
    int ascii;                          /* po_buffer_xml(): numeric references above U+007F */
} po_buffer;

void po_buffer_init(po_buffer *b, apr_pool_t *p, apr_size_t size);
void po_buffer_add(po_buffer *b, const char *data, apr_size_t len);
void po_buffer_str(po_buffer *b, const char *text);             /* NULL adds nothing */
#define po_buffer_lit(b, literal) po_buffer_add((b), (literal), sizeof(literal) - 1)
/* Escaped for XML text and attributes and for HTML; characters that XML 1.0 can't hold and broken UTF-8 become
 * U+FFFD. NULL adds nothing. */
void po_buffer_xml(po_buffer *b, const char *text);
void po_buffer_xml_len(po_buffer *b, const char *text, apr_size_t len);
/* Well-formed XML as it is; in ASCII text and values become references, and comments and processing instructions get '_'
 * (a name above U+007F stays: XML knows no other way to write it). NULL adds nothing. */
void po_buffer_markup(po_buffer *b, const char *xml);
const char *po_buffer_text(po_buffer *b);                       /* with a NUL behind it */

/* ---- writer.c: documents that we send ------------------------------------------------------------------------- */

typedef struct {
    const char *payload_id, *timestamp; /* of this document, by po_payload_id() and po_timestamp() */
    const char *dtd;                    /* "1.2.014" */
    int ascii;
} po_cxml_envelope;

/* <Response> with a Status alone. detail may be NULL. */
void po_cxml_write_status(po_buffer *b, const po_cxml_envelope *e, int code, const char *detail);
/* Status 200 and StartPage; the URL is start_url followed by token, neither of which needs escaping. */
void po_cxml_write_setup_response(po_buffer *b, const po_cxml_envelope *e, const char *start_url, const char *token);
/* ProfileResponse: what we take, at which absolute URL, with the options that hubs look for; door is po_site.door. */
void po_cxml_write_profile_response(po_buffer *b, const po_cxml_envelope *e, const char *door, apr_time_t effective);

typedef struct {                        /* ItemIn; every string is cut and mapped to the profile already */
    int line;
    const char *part, *auxiliary, *quantity, *unit_price, *currency;
    const char *description, *short_name, *unit, *unspsc;
    const char *manufacturer_part, *manufacturer;           /* NULL: none */
    /* What only some buyers read. NULL: none */
    const char *line_type, *term, *pricing, *dimension, *seller;    /* ItemDetail/Extrinsic LineType, Term, Pricing ... */
    const char *url;                    /* of the product's page, absolute */
    const char *lead_time;              /* days; left out where the DTD doesn't know it (1.1) */
} po_cxml_cart_item;

typedef struct {
    po_credential from, to;             /* our identity, the buyer's */
    const char *user_agent;             /* "mod_punchout/x.y" */
    const char *buyer_cookie;           /* inner XML as po_cxml_setup.buyer_cookie */
    const char *operation_allowed;      /* create | inspect | edit */
    const char *total, *currency;
    int test;                           /* Message@deploymentMode */
    int unchanged;                      /* Status 204: ends the session, changes nothing */
    apr_array_header_t *items;          /* po_cxml_cart_item; a cart without any is always unchanged: some buyers would
                                         * take it for "delete all lines" */
} po_cxml_cart;

/* PunchOutOrderMessage. Carries no authentication element: anybody may read the page that holds it (DTD). */
void po_cxml_write_cart(po_buffer *b, const po_cxml_envelope *e, const po_cxml_cart *cart);

/* ---- confirmation.c, invoice.c: requests that we send to a buyer by ourselves ----------------------------------- */

typedef struct {
    po_credential from, to, sender;
    const char *user_agent;
    int has_secret;                     /* Sender proves itself by a secret, which the document gets only when it is sent */
    int test;                           /* Request@deploymentMode */
} po_cxml_header;

/* The document with the secret in the place that has_secret left empty: it must not lie in the ledger. document itself when
 * there is no such place. */
const char *po_cxml_with_secret(const char *document, const char *secret, apr_pool_t *p);

typedef struct {                        /* the purchase order that a document is about */
    const char *order_id, *order_date;  /* as the order said; order_date NULL: it said none */
    const char *payload_id;             /* of its OrderRequest */
} po_cxml_order_reference;

typedef struct {                        /* a line of the purchase order */
    int line;                           /* its number there */
    const char *quantity, *unit;
    int rejected;
    const char *comments;               /* why; NULL: none */
} po_cxml_confirmation_item;

typedef struct {
    const po_cxml_header *header;
    po_cxml_order_reference order;
    const char *type;                   /* accept | except | reject: of the order as a whole */
    const char *confirm_id;             /* stays the same when a confirmation is updated (Fulfill.dtd) */
    const char *notice_date;            /* by po_timestamp() */
    const char *updates;                /* payloadID of the ConfirmationRequest that it replaces; NULL: the first */
    const char *comments;               /* NULL: none */
    const apr_array_header_t *items;    /* po_cxml_confirmation_item, with `except` alone; else NULL */
} po_cxml_confirmation;

/* ConfirmationRequest (Fulfill.dtd): what becomes of a purchase order. */
void po_cxml_write_confirmation(po_buffer *b, const po_cxml_envelope *e, const po_cxml_confirmation *c);

/* ---- invoice.c ------------------------------------------------------------------------------------------------- */

typedef struct {                        /* InvoicePartner */
    const char *role;                   /* remitTo | billTo | soldTo | from */
    const char *name, *street, *city, *state, *postal_code, *country;   /* country: ISO 3166. NULL: none;
                                         * the address is left out unless it has street, city and country */
    const char *email, *tax_id;
} po_cxml_partner;

typedef struct {                        /* TaxDetail */
    const char *category, *rate;        /* "vat", "19"; rate NULL: none */
    const char *taxable, *amount, *description;         /* taxable, description NULL: none */
} po_cxml_tax;

typedef struct {
    int line, order_line;               /* invoiceLineNumber; the purchase order's line */
    int service;                        /* InvoiceDetailServiceItem, the natural form for a subscription's contract */
    const char *quantity, *unit, *unit_price;
    const char *part, *auxiliary, *description, *unspsc;
    const char *subtotal;
    const char *period_from, *period_to;        /* timestamps; both or none */
} po_cxml_invoice_item;

typedef struct {                        /* what is invoiced of one purchase order */
    po_cxml_order_reference order;
    const apr_array_header_t *items;    /* po_cxml_invoice_item, at least one */
} po_cxml_invoice_order;

typedef struct {
    const po_cxml_header *header;
    const char *number, *date;          /* invoiceID, invoiceDate */
    int credit_memo;                    /* lineLevelCreditMemo: quantities and amounts are negative, prices positive */
    const char *original_number, *original_date, *original_payload;     /* of the invoice that a credit memo is about;
                                         * date, payloadID NULL: unknown */
    const char *currency;
    const apr_array_header_t *partners; /* po_cxml_partner */
    const apr_array_header_t *orders;   /* po_cxml_invoice_order */
    const char *subtotal, *tax, *net, *due;             /* gross amount is net: nothing is discounted */
    const char *tax_description;
    const apr_array_header_t *taxes;    /* po_cxml_tax; NULL: none */
    const char *period_from, *period_to;        /* timestamps; both or none */
    const char *comments;               /* NULL: none */
} po_cxml_invoice;

/* InvoiceDetailRequest (InvoiceDetail.dtd). All amounts are the caller's, exact; nothing is added up here. */
void po_cxml_write_invoice(po_buffer *b, const po_cxml_envelope *e, const po_cxml_invoice *i);

/* ---- index.c: the catalog for a buyer's own search (level 2) ------------------------------------------------------ */

typedef struct {
    const char *dtd;                    /* of the DOCTYPE, whose root is Index */
    int ascii, incremental;
    po_credential supplier;             /* SupplierID */
} po_cxml_index;

typedef struct {
    const char *part;                   /* the product's id: comes back as SelectedItem */
    const char *description, *short_name;       /* cut to the buyer's limits */
    const char *unspsc, *unit, *manufacturer;
    const char *unit_price, *currency;  /* unit_price NULL: none */
    const char *punchout_url;           /* the door that takes the PunchOutSetupRequest */
    const char *page_url;               /* of the product; NULL: none */
} po_cxml_index_item;

/* Open, any number of items and deletes, close; the caller sends and empties the buffer in between as he likes. An Index
 * without an item would not be valid. */
void po_cxml_write_index_open(po_buffer *b, const po_cxml_index *i);
void po_cxml_write_index_item(po_buffer *b, const po_cxml_index_item *item);
void po_cxml_write_index_delete(po_buffer *b, const char *part);
void po_cxml_write_index_close(po_buffer *b);
/* The same as CIF 3.0 (Ariba Catalog Format Reference). items: how many will follow. */
void po_cif_write_open(po_buffer *b, const po_cxml_index *i, int items, const char *timestamp, const char *currency);
void po_cif_write_item(po_buffer *b, const po_cxml_index *i, const po_cxml_index_item *item);
void po_cif_write_delete(po_buffer *b, const po_cxml_index *i, const char *part);
void po_cif_write_close(po_buffer *b);

/* ---- validate.c: what we send against local DTDs ---------------------------------------------------------------- */

typedef struct po_cxml_validator po_cxml_validator;     /* the DTDs of one folder */

/* dir has the layout of the official URLs: dir/1.2.014/cXML.dtd ... Nothing is read yet; what is loaded lives as long as p. */
po_cxml_validator *po_cxml_validator_make(const char *dir, apr_pool_t *p);
/* Loads dir/dtd_name ("1.2.014/cXML.dtd") unless it is loaded already. Not thread-safe: before the fork; afterwards threads
 * share the validator without a lock. Only that file is opened, whatever it names. NULL, or what is wrong, in p. */
const char *po_cxml_validator_load(po_cxml_validator *v, const char *dtd_name, apr_pool_t *p);
/* Holds a document against the DTD that its DOCTYPE names, by the last two steps of that URL. What is inside BuyerCookie is
 * left out: it goes back as it came. NULL: valid; else line, element and reason in p, nothing of the document's content. */
const char *po_cxml_validate(const po_cxml_validator *v, const char *document, apr_size_t len, apr_pool_t *p);

#endif
