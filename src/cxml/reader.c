/* reader.c - bytes to events: libxml2's SAX2 interface with a context that is used again and again.
 *
 * Nothing that a document names is ever loaded: no externalSubset, no resolveEntity, and every declaration or entity ends
 * the reading. One tree of events decides; nothing is read twice.
 */
#include "cxml/reader_private.h"

#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ELEMENTS_MAX 50000
#define TEXT_MAX 65536
#define COOKIE_MAX 16384
#define DICTIONARY_MAX 2048             /* a reused context keeps every name it saw: a sender that invents some must not grow us */
#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
#define NAMES_MASK 127

static const char *const element_names[PO_E_COUNT] = {
    "",
#define PO_ELEMENT_NAME(name) #name,
    PO_ELEMENTS(PO_ELEMENT_NAME)
#undef PO_ELEMENT_NAME
};

/* ---- what elements.c calls -------------------------------------------------------------------------------------------- */

void po_reader_refuse(po_cxml_reader *r, int status, const char *why)
{
    if (!r->doc->status) {
        int line = r->ctxt->input ? r->ctxt->input->line : 0;

        r->doc->status = status;
        r->doc->why = line ? apr_psprintf(r->pool, "line %d: %s", line, why) : apr_pstrdup(r->pool, why);
    }
    xmlStopParser(r->ctxt);
}

const char *po_reader_attribute(po_cxml_reader *r, const po_attributes *a, const char *name)
{
    const xmlChar **at = a->a;
    int i;

    for (i = 0; i < a->n; i++, at += 5)
        if (!at[1] && !strcmp((const char *)at[0], name))
            return apr_pstrmemdup(r->pool, (const char *)at[3], (apr_size_t)(at[4] - at[3]));
    return NULL;
}

void po_reader_collect(po_cxml_reader *r, po_text_mode mode, const char **into)
{
    r->mode = mode;
    r->into = into;
    r->text_depth = r->depth;
    r->text.len = 0;
    r->join = 0;
    r->decimal = NULL;
    r->is_set = NULL;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

static void limit_text(po_cxml_reader *r)
{
    if (r->text.len > (r->mode == PO_TEXT_MARKUP ? COOKIE_MAX : TEXT_MAX))
        po_reader_refuse(r, 400, "the text of an element is too long");
}

/* Pieces are joined: neither a comment nor CDATA can split a secret. */
static void on_text(void *data, const xmlChar *s, int n)
{
    po_cxml_reader *r = data;

    if (r->mode == PO_TEXT_NONE)
        return;
    if (r->mode == PO_TEXT_MARKUP)
        po_buffer_xml(&r->text, apr_pstrmemdup(r->pool, (const char *)s, (apr_size_t)n));
    else
        po_buffer_add(&r->text, (const char *)s, (apr_size_t)n);
    limit_text(r);
}

static void markup_name(po_cxml_reader *r, const xmlChar *prefix, const xmlChar *name)
{
    if (prefix) {
        po_buffer_str(&r->text, (const char *)prefix);
        po_buffer_lit(&r->text, ":");
    }
    po_buffer_str(&r->text, (const char *)name);
}

static void markup_start(po_cxml_reader *r, const xmlChar *prefix, const xmlChar *name, int nns, const xmlChar **ns,
                         const po_attributes *a)
{
    const xmlChar **at = a->a;
    int i;

    po_buffer_lit(&r->text, "<");
    markup_name(r, prefix, name);
    for (i = 0; i < nns; i++) {
        po_buffer_str(&r->text, ns[2 * i] ? " xmlns:" : " xmlns");
        po_buffer_str(&r->text, (const char *)ns[2 * i]);
        po_buffer_lit(&r->text, "=\"");
        po_buffer_xml(&r->text, (const char *)ns[2 * i + 1]);
        po_buffer_lit(&r->text, "\"");
    }
    for (i = 0; i < a->n; i++, at += 5) {
        po_buffer_lit(&r->text, " ");
        markup_name(r, at[1], at[0]);
        po_buffer_lit(&r->text, "=\"");
        po_buffer_xml(&r->text, apr_pstrmemdup(r->pool, (const char *)at[3], (apr_size_t)(at[4] - at[3])));
        po_buffer_lit(&r->text, "\"");
    }
    po_buffer_lit(&r->text, ">");
    limit_text(r);
}

static int blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void number_ends(po_cxml_reader *r, const char *text)
{
    if (po_decimal_parse(r->decimal, text, -1) != APR_SUCCESS || r->decimal->value < 0)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the content of %s is not a plain decimal number",
                                              element_names[r->path[r->text_depth]]));
    else if (r->is_set)
        *r->is_set = 1;
}

static void text_ends(po_cxml_reader *r)
{
    const char *from = r->text.data, *end = from + r->text.len;
    const char *value;

    if (r->mode != PO_TEXT_MARKUP) {
        while (from < end && blank(*from))
            from++;
        while (end > from && blank(end[-1]))
            end--;
    }
    value = apr_pstrmemdup(r->pool, from, (apr_size_t)(end - from));
    if (r->join && *r->into && **r->into && *value)
        value = apr_pstrcat(r->pool, *r->into, ", ", value, NULL);
    *r->into = value;
    r->mode = PO_TEXT_NONE;
    if (r->decimal)
        number_ends(r, value);
}

/* ---- elements ------------------------------------------------------------------------------------------------------------- */

static unsigned slot(const xmlChar *name)
{
    apr_uintptr_t x = (apr_uintptr_t)name;

    return (unsigned)((x ^ (x >> 7) ^ (x >> 14)) & NAMES_MASK);
}

static po_element find_element(const po_cxml_reader *r, const xmlChar *name)
{
    unsigned i = slot(name);

    for (; r->names[i].name; i = (i + 1) & NAMES_MASK)
        if (r->names[i].name == name)
            return (po_element)r->names[i].element;
    return PO_E_OTHER;
}

static void start_root(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (e != PO_E_cXML) {
        po_reader_refuse(r, 406, "the root element is not cXML");
        return;
    }
    r->saw_root = 1;
    r->doc->payload_id = po_reader_attribute(r, a, "payloadID");
    r->doc->timestamp = po_reader_attribute(r, a, "timestamp");
}

static void start_top(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    const char *mode;

    if (e == PO_E_Message || e == PO_E_Response)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the document holds a %s, not a Request", element_names[e]));
    if (e != PO_E_Request)
        return;
    if (++r->requests > 1)
        po_reader_refuse(r, 400, "the document holds more than one Request");
    mode = po_reader_attribute(r, a, "deploymentMode");
    r->doc->test = mode && !strcasecmp(mode, "test");
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns, const xmlChar **ns,
                     int na, int ndefault, const xmlChar **attributes)
{
    po_cxml_reader *r = data;
    po_attributes a = { na, attributes };
    po_element e = prefix ? PO_E_OTHER : find_element(r, name);

    if (++r->depth > PO_DEPTH_MAX || ++r->elements > ELEMENTS_MAX) {
        r->depth--;
        po_reader_refuse(r, 400, "too many elements, or too many inside each other");
        return;
    }
    r->path[r->depth] = (unsigned char)e;
    if (r->mode == PO_TEXT_PLAIN)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "an element inside %s", element_names[r->path[r->text_depth]]));
    else if (r->mode == PO_TEXT_MARKUP)
        markup_start(r, prefix, name, nns, ns, &a);
    else if (r->mode == PO_TEXT_DEEP || r->skip)
        return;
    else if (r->depth == 1)
        start_root(r, e, &a);
    else if (r->depth == 2)
        start_top(r, e, &a);
    else
        po_reader_start(r, e, (const char *)name, &a);
}

static void on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    po_cxml_reader *r = data;

    if (r->doc->status)
        return;
    if (r->mode != PO_TEXT_NONE && r->depth == r->text_depth)
        text_ends(r);
    else if (r->mode == PO_TEXT_MARKUP) {
        po_buffer_lit(&r->text, "</");
        markup_name(r, prefix, name);
        po_buffer_lit(&r->text, ">");
        limit_text(r);
    }
    if (r->skip == r->depth)
        r->skip = 0;
    if (r->mode == PO_TEXT_NONE && !r->skip && r->depth > 2)
        po_reader_end(r, (po_element)r->path[r->depth]);
    r->depth--;
}

/* ---- entities and declarations: each ends the reading ---------------------------------------------------------------------- */

static void forbidden(void *data)
{
    po_reader_refuse(data, 406, "entities and declarations are not allowed in a document");
}

static xmlEntityPtr on_get_entity(void *data, const xmlChar *name)
{
    forbidden(data);
    return NULL;
}

static void on_reference(void *data, const xmlChar *name)
{
    forbidden(data);
}

static void on_entity(void *data, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
                      xmlChar *content)
{
    forbidden(data);
}

static void on_unparsed(void *data, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id,
                        const xmlChar *notation)
{
    forbidden(data);
}

static void on_notation(void *data, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    forbidden(data);
}

static void on_attlist(void *data, const xmlChar *element, const xmlChar *name, int type, int def, const xmlChar *value,
                       xmlEnumerationPtr tree)
{
    xmlFreeEnumeration(tree);           /* the callback owns it */
    forbidden(data);
}

static void on_element_declaration(void *data, const xmlChar *name, int type, xmlElementContentPtr content)
{
    forbidden(data);
}

static void on_error(void *data, xmlErrorPtr error)
{
    po_cxml_reader *r = data;

    if (error->level < XML_ERR_ERROR || error->domain == XML_FROM_NAMESPACE || r->doc->status)
        return;
    r->doc->status = 406;               /* libxml2's own text may quote the document, and with it a secret */
    r->doc->why = apr_psprintf(r->pool, "line %d: the document is not well-formed XML", error->line);
}

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .cdataBlock = on_text,
    .ignorableWhitespace = on_text,     /* the same as characters: libxml2 then skips its test for blanks */
    .reference = on_reference,
    .getEntity = on_get_entity,
    .getParameterEntity = on_get_entity,
    .entityDecl = on_entity,
    .unparsedEntityDecl = on_unparsed,
    .notationDecl = on_notation,
    .attributeDecl = on_attlist,
    .elementDecl = on_element_declaration,
    .serror = on_error
};

/* ---- contexts ---------------------------------------------------------------------------------------------------------------- */

static int fresh_context(po_cxml_reader *r)
{
    int e;

    if (r->ctxt)
        xmlFreeParserCtxt(r->ctxt);
    if (!(r->ctxt = xmlNewParserCtxt()))
        return 0;
    memset(r->names, 0, sizeof(r->names));
    for (e = 1; e < PO_E_COUNT; e++) {
        const xmlChar *name = xmlDictLookup(r->ctxt->dict, (const xmlChar *)element_names[e], -1);
        unsigned i = slot(name);

        while (r->names[i].name)
            i = (i + 1) & NAMES_MASK;
        r->names[i].name = name;
        r->names[i].element = e;
    }
    return 1;
}

po_cxml_reader *po_cxml_reader_create(void)
{
    po_cxml_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    if (apr_pool_create_unmanaged_ex(&r->text_pool, NULL, NULL) != APR_SUCCESS || !fresh_context(r)) {
        po_cxml_reader_destroy(r);
        return NULL;
    }
    po_buffer_init(&r->text, r->text_pool, 2 * TEXT_MAX);
    return r;
}

void po_cxml_reader_destroy(po_cxml_reader *r)
{
    if (!r)
        return;
    if (r->ctxt)
        xmlFreeParserCtxt(r->ctxt);
    if (r->text_pool)
        apr_pool_destroy(r->text_pool);
    free(r);
}

/* ---- encodings ------------------------------------------------------------------------------------------------------------------ */

/* libxml2 takes a NUL for the end of a document and ignores what follows. In UTF-16 NUL bytes are ordinary. */
static int has_nul(const char *buf, apr_size_t len)
{
    const unsigned char *u = (const unsigned char *)buf;

    if (len >= 2 && (!u[0] || !u[1] || (u[0] == 0xff && u[1] == 0xfe) || (u[0] == 0xfe && u[1] == 0xff)))
        return 0;
    return memchr(buf, 0, len) != NULL;
}

/* UTF-8 by declaration, or by none: the bytes can be read where they lie. */
static int plain_utf8(const char *buf, apr_size_t len)
{
    const char *end, *s;

    if (len < 8 || buf[0] != '<')
        return 0;
    if (memcmp(buf, "<?xml", 5))
        return 1;
    if (!(end = memchr(buf, '>', len < 256 ? len : 256)))
        return 0;
    for (s = buf + 5; s + 16 < end; s++)
        if (!memcmp(s, "encoding", 8)) {
            s += 8 + strspn(s + 8, " \t=");
            return !strncasecmp(s + 1, "UTF-8", 5) && s[6] == s[0];
        }
    return 1;
}

static int parse(po_cxml_reader *r, const xmlSAXHandler *h, void *data, const char *buf, apr_size_t len)
{
    xmlParserCtxtPtr c;
    xmlParserInputPtr input;

    if (xmlDictSize(r->ctxt->dict) > DICTIONARY_MAX && !fresh_context(r))
        return 0;
    if (len > 3 && !memcmp(buf, "\xef\xbb\xbf", 3)) {
        buf += 3;
        len -= 3;
    }
    c = r->ctxt;
    *c->sax = *h;
    c->userData = data;
    if (!plain_utf8(buf, len)) {
        xmlDocPtr doc = xmlCtxtReadMemory(c, buf, (int)len, NULL, NULL, OPTIONS);

        if (doc)
            xmlFreeDoc(doc);
        return c->wellFormed;
    }
    /* An input without a buffer object: no copy, and no attempts to read on near its end (a quarter of all instructions on a
     * small document). It can't change its encoding, hence plain_utf8(). */
    xmlCtxtReset(c);
    if (!(input = xmlNewStringInputStream(c, (const xmlChar *)buf)))
        return 0;
    inputPush(c, input);
    xmlCtxtUseOptions(c, OPTIONS);
    xmlParseDocument(c);
    return c->wellFormed;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------------ */

static void begin(po_cxml_reader *r, apr_pool_t *p, po_cxml *out)
{
    memset(out, 0, sizeof(*out));
    r->pool = p;
    r->doc = out;
    r->depth = r->elements = r->requests = r->payloads = r->skip = r->saw_root = 0;
    r->mode = PO_TEXT_NONE;
    r->party = NULL;
    r->item = NULL;
    r->address = NULL;
    r->address_depth = 0;
}

apr_status_t po_cxml_read(po_cxml_reader *r, apr_pool_t *p, const char *buf, apr_size_t len, po_cxml *out)
{
    begin(r, p, out);
    if (!len || strspn(buf, " \t\r\n") == len) {
        out->status = 406;
        out->why = "the document is empty";
    }
    else if (has_nul(buf, len)) {
        out->status = 406;
        out->why = "the document holds a NUL byte";
    }
    else if (!parse(r, &handler, r, buf, len) && !out->status) {
        out->status = 406;
        out->why = "the document is not well-formed XML";
    }
    else if (!out->status)
        po_reader_finish(r);
    return out->status ? APR_EGENERAL : APR_SUCCESS;
}

static void empty_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns,
                        const xmlChar **ns, int na, int ndefault, const xmlChar **attributes)
{
}

static void empty_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
}

static void empty_text(void *data, const xmlChar *s, int n)
{
}

int po_cxml_read_empty(po_cxml_reader *r, const char *buf, apr_size_t len)
{
    static const xmlSAXHandler empty = {
        .initialized = XML_SAX2_MAGIC, .startElementNs = empty_start, .endElementNs = empty_end,
        .characters = empty_text, .cdataBlock = empty_text, .ignorableWhitespace = empty_text
    };

    return parse(r, &empty, NULL, buf, len);
}
