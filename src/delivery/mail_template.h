/* mail_template.h - texts with {{names}} to be filled in. Pure: no httpd, tested alone.
 *
 * The part of Mustache (mustache.github.io/mustache.5.html) that a mail needs: {{name}}, {{#name}}...{{/name}} where
 * there is such a value (for a list: once for each of its rows), {{^name}}...{{/name}} where there is none. A line that
 * holds nothing but a section's tag leaves no line behind.
 */
#ifndef PO_MAIL_TEMPLATE_H
#define PO_MAIL_TEMPLATE_H

#include "cxml/cxml.h"

typedef struct po_template po_template;

/* Keeps pointers into text. NULL, or what is wrong with it and on which line, in p. */
const char *po_template_parse(po_template **out, const char *text, apr_pool_t *p);
/* The first name in it that known() denies; NULL: all are known. */
const char *po_template_unknown(const po_template *t, int (*known)(const char *name));

typedef struct {
    const apr_table_t *values;          /* an empty one is as good as none */
    const char *list;                   /* name of the one list; NULL: there is none */
    const apr_array_header_t *rows;     /* apr_table_t *: of the list; their values go before those above */
} po_template_data;

/* html: values are escaped for HTML. Control characters in values become blanks, so that none begins a line. */
void po_template_render(po_buffer *b, const po_template *t, const po_template_data *d, int html);

#endif
