/* reader.c - bytes to events: libxml2's SAX2 interface with a context that is used again and again.
 *
 * Nothing that a document names is ever loaded: no externalSubset, no resolveEntity, and every declaration or entity
 * ends the reading. One stream of events decides; nothing is read twice.
 */
#include "cxml/reader_private.h"

#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ELEMENTS_MAX 50000
#define TEXT_MAX 65536
#define COOKIE_MAX 16384
#define ATTRIBUTE_MAX 4096
#define STRINGS_ROOM 1024
#define AMPERSAND 5                     /* length of "&#38;" */
#define DECLARATION_MAX 256             /* the XML declaration ends within so many bytes */
#define DICTIONARY_MAX 2048             /* a reused context keeps every name that was ever sent */
#if LIBXML_VERSION >= 21300
#define NO_XXE XML_PARSE_NO_XXE
#else
#define NO_XXE 0
#endif
/* The encoding is settled before (what_encoding): a declaration that contradicts the bytes changes nothing. */
#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC | NO_XXE)

static const char *const element_names[PO_E_COUNT] = {
    "",
#define PO_ELEMENT_NAME(name) #name,
    PO_ELEMENTS(PO_ELEMENT_NAME)
#undef PO_ELEMENT_NAME
};

static const char *const attribute_names[PO_A_COUNT] = {
#define PO_ATTRIBUTE_NAME(name) #name,
    PO_ATTRIBUTES(PO_ATTRIBUTE_NAME)
#undef PO_ATTRIBUTE_NAME
};

/* ---- what elements.c calls ------------------------------------------------------------------------------------ */

void po_reader_refuse(po_cxml_reader *r, int status, const char *why)
{
    if (!r->doc->status) {
        int line = r->ctxt->input ? r->ctxt->input->line : 0;

        r->doc->status = status;
        r->doc->why = line ? apr_psprintf(r->pool, "line %d: %s", line, why) : why;
    }
    xmlStopParser(r->ctxt);
}

const char *po_reader_element_name(po_element e)
{
    return element_names[e];
}

static int blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A trimmed copy. Most strings are short: they share one allocation. */
static const char *keep(po_cxml_reader *r, const char *from, const char *end)
{
    apr_size_t n;
    char *at;

    while (from < end && blank(*from))
        from++;
    while (end > from && blank(end[-1]))
        end--;
    n = (apr_size_t)(end - from);
    if (r->room <= n) {
        r->room = n < STRINGS_ROOM ? STRINGS_ROOM : n + 1;
        r->free = apr_palloc(r->pool, r->room);
    }
    at = r->free;
    memcpy(at, from, n);
    at[n] = '\0';
    r->free += n + 1;
    r->room -= n + 1;
    return at;
}

/* In an attribute's value SAX2 says "&#38;" for every '&', for those who parse it once more. Sets len anew. */
static const char *bare_ampersands(po_cxml_reader *r, const char *value, apr_size_t *len)
{
    const char *s = value, *end = value + *len;
    char *bare, *o;

    if (!memchr(value, '&', *len))
        return value;
    bare = o = apr_palloc(r->pool, *len);
    while (s < end) {
        *o++ = *s;
        s += end - s >= AMPERSAND && !memcmp(s, "&#38;", AMPERSAND) ? AMPERSAND : 1;
    }
    *len = (apr_size_t)(o - bare);
    return bare;
}

static const char *attribute_value(po_cxml_reader *r, const xmlChar **at, po_attribute which)
{
    apr_size_t len = (apr_size_t)(at[4] - at[3]);
    const char *value;

    if (len > ATTRIBUTE_MAX) {
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the attribute %s is too long", attribute_names[which]));
        return "";
    }
    value = bare_ampersands(r, (const char *)at[3], &len);
    return keep(r, value, value + len);
}

const char *po_reader_attribute(po_cxml_reader *r, const po_attributes *a, po_attribute which)
{
    const xmlChar **at = a->a, *name = r->attributes[which];
    int i;

    for (i = 0; i < a->n; i++, at += 5)
        if (at[0] == name && !at[1])
            return attribute_value(r, at, which);
    return NULL;
}

void po_reader_collect(po_cxml_reader *r, po_text_mode mode, const char **into)
{
    r->mode = mode;
    r->into = into;
    r->text_depth = r->depth;
    r->text.len = 0;
    r->short_from = r->short_to = 0;
    r->join = 0;
    r->decimal = NULL;
    r->is_set = NULL;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

static const char *collected_name(const po_cxml_reader *r)
{
    return element_names[r->path[r->text_depth]];
}

/* Looks before n more bytes are added, so that the buffer of a thread never grows with what somebody sends. */
static int fits(po_cxml_reader *r, apr_size_t n)
{
    if (r->text.len + n <= (r->mode == PO_TEXT_MARKUP ? COOKIE_MAX : TEXT_MAX))
        return 1;
    po_reader_refuse(r, 400, apr_psprintf(r->pool, "the content of %s is too long", collected_name(r)));
    return 0;
}

/* Pieces are joined: neither a comment nor CDATA can split a secret. */
static void on_text(void *data, const xmlChar *s, int n)
{
    po_cxml_reader *r = data;

    if (r->mode == PO_TEXT_NONE || !fits(r, (apr_size_t)n))
        return;
    if (r->mode == PO_TEXT_MARKUP)
        po_buffer_xml_len(&r->text, (const char *)s, (apr_size_t)n);
    else
        po_buffer_add(&r->text, (const char *)s, (apr_size_t)n);
}

static void markup(po_cxml_reader *r, const char *text)
{
    if (text && fits(r, strlen(text)))
        po_buffer_str(&r->text, text);
}

static void markup_name(po_cxml_reader *r, const char *before, const xmlChar *prefix, const xmlChar *name)
{
    markup(r, before);
    markup(r, (const char *)prefix);
    if (prefix && name)
        markup(r, ":");
    markup(r, (const char *)name);
}

/* A line feed or tab that was written as a reference has to stay one: bare, it would be read back as a blank. */
static void markup_value(po_cxml_reader *r, const xmlChar *value, apr_size_t len)
{
    const char *s, *end, *from;

    if (!fits(r, len))
        return;
    s = bare_ampersands(r, (const char *)value, &len);
    end = s + len;
    markup(r, "=\"");
    while (s < end) {
        for (from = s; s < end && *s != '\n' && *s != '\t'; s++)
            ;
        po_buffer_xml_len(&r->text, from, (apr_size_t)(s - from));
        if (s < end)
            markup(r, *s++ == '\n' ? "&#10;" : "&#9;");
    }
    markup(r, "\"");
}

static void markup_start(po_cxml_reader *r, const xmlChar *prefix, const xmlChar *name, int nns, const xmlChar **ns,
                         const po_attributes *a)
{
    const xmlChar **at = a->a;
    int i;

    markup_name(r, "<", prefix, name);
    for (i = 0; i < nns; i++) {
        const xmlChar *uri = ns[2 * i + 1] ? ns[2 * i + 1] : (const xmlChar *)"";

        markup_name(r, " ", (const xmlChar *)"xmlns", ns[2 * i]);
        markup_value(r, uri, strlen((const char *)uri));
    }
    for (i = 0; i < a->n; i++, at += 5) {
        markup_name(r, " ", at[1], at[0]);
        markup_value(r, at[3], (apr_size_t)(at[4] - at[3]));
    }
    markup(r, ">");
}

static void markup_end(po_cxml_reader *r, const xmlChar *prefix, const xmlChar *name)
{
    markup_name(r, "</", prefix, name);
    markup(r, ">");
}

static int is_blank(const char *from, const char *end)
{
    while (from < end && blank(*from))
        from++;
    return from == end;
}

/* A Description may hold a ShortName beside its own text, or alone: the long text is wanted where there is one. */
static void drop_short_name(po_cxml_reader *r)
{
    char *data = r->text.data;
    apr_size_t rest = r->text.len - r->short_to;

    if (is_blank(data, data + r->short_from) && is_blank(data + r->short_to, data + r->text.len))
        return;
    memmove(data + r->short_from, data + r->short_to, rest);
    r->text.len = r->short_from + rest;
}

static void number_ends(po_cxml_reader *r, const char *text)
{
    if (po_decimal_parse(r->decimal, text, -1) != APR_SUCCESS)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the %s of %s is not a plain decimal number", collected_name(r),
                                              element_names[r->path[r->text_depth - 1]]));
    else if (r->decimal->value < 0)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the %s of %s is negative", collected_name(r),
                                              element_names[r->path[r->text_depth - 1]]));
    else if (r->is_set)
        *r->is_set = 1;
}

static void text_ends(po_cxml_reader *r)
{
    const char *value;

    if (r->short_to)
        drop_short_name(r);
    if (r->mode == PO_TEXT_MARKUP)
        value = apr_pstrmemdup(r->pool, r->text.data, r->text.len);
    else
        value = keep(r, r->text.data, r->text.data + r->text.len);
    if (r->join && *r->into && **r->into)
        value = *value ? apr_pstrcat(r->pool, *r->into, ", ", value, NULL) : *r->into;
    *r->into = value;
    r->mode = PO_TEXT_NONE;
    if (r->decimal)
        number_ends(r, value);
}

/* ---- elements ------------------------------------------------------------------------------------------------- */

static unsigned slot(const xmlChar *name)
{
    apr_uintptr_t x = (apr_uintptr_t)name;

    return (unsigned)((x ^ (x >> 8)) & (PO_NAME_SLOTS - 1));
}

static po_element find_element(const po_cxml_reader *r, const xmlChar *name)
{
    unsigned i = slot(name);

    for (; r->elements[i].name; i = (i + 1) & (PO_NAME_SLOTS - 1))
        if (r->elements[i].name == name)
            return (po_element)r->elements[i].element;
    return PO_E_OTHER;
}

static void start_root(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    if (e != PO_E_cXML) {
        po_reader_refuse(r, 406, "the root element is not cXML");
        return;
    }
    r->doc->payload_id = po_reader_attribute(r, a, PO_A_payloadID);
    r->doc->timestamp = po_reader_attribute(r, a, PO_A_timestamp);
}

static void start_top(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    const char *mode;

    if (e == PO_E_Message || e == PO_E_Response)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the document holds a %s, not a Request", element_names[e]));
    else if (e == PO_E_Header && ++r->headers > 1)
        po_reader_refuse(r, 400, "the document holds more than one Header");
    else if (e == PO_E_Request && ++r->requests > 1)
        po_reader_refuse(r, 400, "the document holds more than one Request");
    else if (e == PO_E_Request) {
        mode = po_reader_attribute(r, a, PO_A_deploymentMode);
        /* a word that the DTD doesn't know must not create anything real */
        r->doc->test = mode && *mode && strcasecmp(mode, "production");
    }
}

static void note_ignored(po_cxml_reader *r, const xmlChar *name)
{
    int *count = apr_hash_get(r->ignored, name, APR_HASH_KEY_STRING);
    apr_pool_t *p = apr_hash_pool_get(r->ignored);

    if (count) {
        ++*count;
        return;
    }
    count = apr_palloc(p, sizeof(*count));
    *count = 1;
    apr_hash_set(r->ignored, apr_pstrdup(p, (const char *)name), APR_HASH_KEY_STRING, count);
}

/* Inside an element whose text is collected. */
static void start_in_text(po_cxml_reader *r, po_element e, const xmlChar *prefix, const xmlChar *name, int nns,
                          const xmlChar **ns, const po_attributes *a)
{
    if (r->mode == PO_TEXT_PLAIN)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "an element inside %s, where only text belongs",
                                              collected_name(r)));
    else if (r->mode == PO_TEXT_MARKUP)
        markup_start(r, prefix, name, nns, ns, a);
    else if (e == PO_E_ShortName && r->depth == r->text_depth + 1 && !r->short_to)
        r->short_from = r->text.len;
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns,
                     const xmlChar **ns, int na, int ndefault, const xmlChar **attributes)
{
    po_cxml_reader *r = data;
    po_attributes a = { na, attributes };
    po_element e = prefix ? PO_E_OTHER : find_element(r, name);

    if (r->depth == PO_DEPTH_MAX || ++r->count > ELEMENTS_MAX) {
        po_reader_refuse(r, 400, r->depth == PO_DEPTH_MAX ? "the elements lie too deep inside each other"
                                                          : "the document holds too many elements");
        return;
    }
    r->path[++r->depth] = (unsigned char)e;
    if (r->ignored && e == PO_E_OTHER && r->mode != PO_TEXT_MARKUP)
        note_ignored(r, name);
    if (r->mode != PO_TEXT_NONE)
        start_in_text(r, e, prefix, name, nns, ns, &a);
    else if (r->skip)
        return;
    else if (r->depth > 2)
        po_reader_start(r, e, (const char *)name, &a);
    else if (r->depth == 2)
        start_top(r, e, &a);
    else
        start_root(r, e, &a);
}

static void on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    po_cxml_reader *r = data;
    po_element e = (po_element)r->path[r->depth];

    if (r->mode == PO_TEXT_NONE) {
        if (r->skip == r->depth)
            r->skip = 0;
        else
            po_reader_end(r, e);
    }
    else if (r->depth == r->text_depth)
        text_ends(r);
    else if (r->mode == PO_TEXT_MARKUP)
        markup_end(r, prefix, name);
    else if (e == PO_E_ShortName && r->depth == r->text_depth + 1 && !r->short_to)
        r->short_to = r->text.len;
    r->depth--;
}

/* ---- entities and declarations: each ends the reading --------------------------------------------------------- */

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

/* ---- contexts ------------------------------------------------------------------------------------------------- */

static const xmlChar *intern(po_cxml_reader *r, const char *name)
{
    return xmlDictLookup(r->ctxt->dict, (const xmlChar *)name, -1);
}

static int add_name(po_cxml_reader *r, int e)
{
    const xmlChar *name = intern(r, element_names[e]);
    unsigned i = slot(name);

    while (r->elements[i].name)
        i = (i + 1) & (PO_NAME_SLOTS - 1);
    r->elements[i].name = name;
    r->elements[i].element = e;
    return name != NULL;
}

static int fresh_context(po_cxml_reader *r)
{
    int e, a;

    if (r->ctxt)
        xmlFreeParserCtxt(r->ctxt);
    if (!(r->ctxt = xmlNewParserCtxt()))
        return 0;
    memset(r->elements, 0, sizeof(r->elements));
    for (e = 1; e < PO_E_COUNT; e++)
        if (!add_name(r, e))
            return 0;
    for (a = 0; a < PO_A_COUNT; a++)
        if (!(r->attributes[a] = intern(r, attribute_names[a])))
            return 0;
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

/* ---- encodings ------------------------------------------------------------------------------------------------ */

#define ENCODING_NAME 24

typedef struct {
    const char *buf;
    apr_size_t len;
    char convert_from[ENCODING_NAME];   /* "": UTF-8, read where it lies */
    const char *wrong;
} document_bytes;

static int starts(const document_bytes *d, const char *bytes, apr_size_t n)
{
    return d->len >= n && !memcmp(d->buf, bytes, n);
}

/* libxml2 takes a NUL for the end of a document and ignores what follows. */
static int has_nul(const document_bytes *d, apr_size_t width)
{
    apr_size_t i;

    if (width == 1)
        return memchr(d->buf, 0, d->len) != NULL;
    for (i = 0; i + 1 < d->len; i += 2)
        if (!d->buf[i] && !d->buf[i + 1])
            return 1;
    return d->len % 2;                  /* half a character at the end */
}

static void utf16(document_bytes *d, const char *name)
{
    strcpy(d->convert_from, name);
    if (has_nul(d, 2))
        d->wrong = "the document holds a NUL character or is cut off";
}

/* The value of encoding="..." in the XML declaration, not terminated; NULL: there is none. */
static const char *declared_encoding(const document_bytes *d, apr_size_t *len)
{
    const char *s = d->buf, *end, *quote;

    if (!starts(d, "<?xml", 5) || !(end = memchr(s, '>', d->len < DECLARATION_MAX ? d->len : DECLARATION_MAX)))
        return NULL;
    for (s += 5; s + 8 < end && memcmp(s, "encoding", 8); s++)
        ;
    if (s + 8 >= end)
        return NULL;
    for (s += 8; s < end && (blank(*s) || *s == '='); s++)
        ;
    if (s >= end || !(quote = memchr(s + 1, *s, (apr_size_t)(end - s - 1))))
        return NULL;
    *len = (apr_size_t)(quote - s - 1);
    return s + 1;
}

/* Where every byte below 0x80 means what it means in ASCII, no other reader can see other markup than we do. */
static int is_safe_encoding(const char *name, apr_size_t len)
{
    apr_size_t head = 0;

    if (len > 9 && !strncasecmp(name, "ISO-8859-", 9))
        head = 9;
    else if (len > 11 && !strncasecmp(name, "windows-125", 11))
        head = 11;
    return head && len <= head + 2 && strspn(name + head, "0123456789") == len - head;
}

static int is_utf8(const char *name, apr_size_t len)
{
    return (len == 5 && !strncasecmp(name, "UTF-8", 5)) || (len == 4 && !strncasecmp(name, "UTF8", 4))
           || (len == 8 && !strncasecmp(name, "US-ASCII", 8)) || (len == 5 && !strncasecmp(name, "ASCII", 5));
}

/* The bytes tell first (byte order mark, NULs beside '<'), then the declaration. */
static void what_encoding(document_bytes *d)
{
    const char *name;
    apr_size_t len = 0;

    if (starts(d, "\xff\xfe", 2) || starts(d, "<\0", 2))
        utf16(d, "UTF-16LE");
    else if (starts(d, "\xfe\xff", 2) || starts(d, "\0<", 2))
        utf16(d, "UTF-16BE");
    else if (has_nul(d, 1))
        d->wrong = "the document holds a NUL byte";
    else if (starts(d, "\xef\xbb\xbf", 3)) {
        d->buf += 3;
        d->len -= 3;
    }
    else if ((name = declared_encoding(d, &len)) && !is_utf8(name, len)) {
        if (is_safe_encoding(name, len))
            memcpy(d->convert_from, name, len);     /* the rest is 0 already */
        else
            d->wrong = "the declared encoding is not supported or does not fit the bytes; send UTF-8";
    }
    if (d->wrong || *d->convert_from)
        return;
    if (is_blank(d->buf, d->buf + d->len))
        d->wrong = "the document is empty";
    else if (*d->buf != '<' && !blank(*d->buf))
        d->wrong = "the document is not XML: it does not begin with <";
}

static int parse(po_cxml_reader *r, const xmlSAXHandler *h, void *data, const document_bytes *d)
{
    xmlParserCtxtPtr c;
    xmlParserInputPtr input;

    if (xmlDictSize(r->ctxt->dict) > DICTIONARY_MAX && !fresh_context(r))
        return 0;
    c = r->ctxt;
    *c->sax = *h;
    c->userData = data;
    if (*d->convert_from) {
        xmlDocPtr doc = xmlCtxtReadMemory(c, d->buf, (int)d->len, NULL, d->convert_from, OPTIONS);

        if (doc)
            xmlFreeDoc(doc);
        return c->wellFormed;
    }
    /* An input without a buffer object: no copy, and no attempts to read on near its end (a quarter of all
     * instructions on a small document). It can't convert anything. */
    xmlCtxtReset(c);
    if (!(input = xmlNewStringInputStream(c, (const xmlChar *)d->buf)))
        return 0;
    inputPush(c, input);
    xmlCtxtUseOptions(c, OPTIONS);
    xmlParseDocument(c);
    return c->wellFormed;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static void begin(po_cxml_reader *r, apr_pool_t *p, po_cxml *out)
{
    memset(out, 0, sizeof(*out));
    r->pool = p;
    r->doc = out;
    r->room = 0;
    r->depth = r->count = r->headers = r->requests = r->payloads = r->skip = 0;
    r->mode = PO_TEXT_NONE;
    r->party = NULL;
    r->item = NULL;
    r->address = NULL;
    r->address_depth = 0;
}

apr_status_t po_cxml_read(po_cxml_reader *r, apr_pool_t *p, const char *buf, apr_size_t len, const char *charset,
                          po_cxml *out)
{
    document_bytes d = { buf, len };

    begin(r, p, out);
    if (len > INT_MAX)
        d.wrong = "the document is too long";
    else
        what_encoding(&d);
    if (d.wrong) {
        out->status = 406;
        out->why = d.wrong;
    }
    else if (!parse(r, &handler, r, &d) && !out->status) {
        out->status = 406;
        out->why = "the document is not well-formed XML";
    }
    else if (!out->status)
        po_reader_finish(r);
    return out->status ? APR_EGENERAL : APR_SUCCESS;
}

void po_cxml_reader_note_ignored(po_cxml_reader *r, apr_hash_t *names)
{
    r->ignored = names;
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

    document_bytes d = { buf, len };

    what_encoding(&d);
    return !d.wrong && parse(r, &empty, NULL, &d);
}
