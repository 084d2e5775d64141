/* writer_private.h - the pieces that every document of ours is made of; nobody outside this room includes it. */
#ifndef PO_CXML_WRITER_PRIVATE_H
#define PO_CXML_WRITER_PRIVATE_H

#include "cxml/cxml.h"

/* From the XML declaration to <cXML ...>; dtd: the file's name, "cXML.dtd". */
void po_write_open(po_buffer *b, const po_cxml_envelope *e, const char *dtd);
/* The same, then Header and <Request>. */
void po_write_request(po_buffer *b, const po_cxml_envelope *e, const po_cxml_header *h, const char *dtd);
/* Whether the DTD that the envelope names is of that version or later. Versions have three digits at the end. */
int po_write_knows(const po_cxml_envelope *e, const char *version);
/* before and after are ours, text is escaped. */
void po_write_element(po_buffer *b, const char *before, const char *text, const char *after);
/* The same, nothing when text is NULL. */
void po_write_optional(po_buffer *b, const char *before, const char *text, const char *after);
void po_write_number(po_buffer *b, int n);
void po_write_money(po_buffer *b, const char *currency, const char *amount);
void po_write_extrinsic(po_buffer *b, const char *name, const char *value);     /* nothing when value is NULL */
void po_write_header(po_buffer *b, const po_cxml_header *h);
void po_write_order_reference(po_buffer *b, const po_cxml_order_reference *r);

#endif
