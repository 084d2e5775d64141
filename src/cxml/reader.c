/* reader.c - bytes to events: libxml2's SAX2 interface with a context that is used again and again.
 *
 * Nothing that a document names is ever loaded: no externalSubset, no resolveEntity, and every declaration or entity
 * ends the reading. One stream of events decides; nothing is read twice.
 */
#include "cxml/reader_private.h"

#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTS_MAX 50000
#define TEXT_MAX 65536
#define COOKIE_MAX 16384
#define ATTRIBUTE_MAX 4096
#define JOINED_MAX 4096                 /* of several elements together: each that comes copies those before it */
#define ASIDE_MAX (1024 * 1024)         /* of po_cxml_reader.aside */
#define STRINGS_ROOM 1024
#define AMPERSAND 5                     /* length of "&#38;" */
#define DICTIONARY_MAX 2048             /* a reused context keeps every name that was ever sent */
#define DICTIONARY_BYTES (64 * 1024)    /* of the names that one document may add */
#define DICTIONARY_KEPT (32 * 1024)     /* with more the next document might not find room for its own */
#define NAMESPACES_MAX 64               /* in force at one place: libxml2 looks each prefix up in all of them */
#if LIBXML_VERSION >= 21300
#define NO_XXE XML_PARSE_NO_XXE
#else
#define NO_XXE 0
#endif
/* The encoding is settled before (encoding.c): a declaration that contradicts the bytes changes nothing.
 * RECOVER: not to accept what is broken (wellFormed decides), but to be called after an error as well, and stop there.
 * Without it libxml2 reads the rest of the bytes with none of our limits. */
#define OPTIONS (XML_PARSE_RECOVER | XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC \
                 | NO_XXE)

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

/* After an error libxml2 reads on; this is the first place where it may be stopped. */
static int is_refused(po_cxml_reader *r)
{
    if (!r->doc->status)
        return 0;
    xmlStopParser(r->ctxt);
    return 1;
}

const char *po_reader_element_name(po_element e)
{
    return element_names[e];
}

/* To trim between two ends: a document holds no other characters up to U+0020 than space, line feed, tab and carriage
 * return. A NUL counts too: never to look for the end of something. */
static int blank(char c)
{
    return (unsigned char)c <= ' ';
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

    bare = o = apr_palloc(r->pool, *len);
    while (s < end) {
        *o++ = *s;
        s += end - s >= AMPERSAND && !memcmp(s, "&#38;", AMPERSAND) ? AMPERSAND : 1;
    }
    *len = (apr_size_t)(o - bare);
    return bare;
}

/* Whether it lies in the document itself, and not in a copy of libxml2's, which it makes when there is an '&'. */
static int in_document(const po_cxml_reader *r, const char *s)
{
    return (apr_size_t)((apr_uintptr_t)s - (apr_uintptr_t)r->bytes) < r->len;
}

static const char *attribute_value(po_cxml_reader *r, const xmlChar **at, po_attribute which)
{
    const char *value = (const char *)at[3];
    apr_size_t len = (apr_size_t)(at[4] - at[3]);

    if (len > ATTRIBUTE_MAX) {
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "the attribute %s is too long", attribute_names[which]));
        return "";
    }
    if (!in_document(r, value) && memchr(value, '&', len))
        value = bare_ampersands(r, value, &len);
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
    r->text.len = r->piece_len = 0;
    r->piece = "";
    r->short_to = 0;
    r->mute = 0;
    r->join = 0;
    r->decimal = NULL;
}

void po_reader_enter(po_cxml_reader *r, po_place_fn *start)
{
    if (r->place == r->places + PO_PLACES - 1) {        /* more than the functions that enter others nest */
        po_reader_refuse(r, 400, "the elements lie in each other as no document needs it");
        return;
    }
    r->place++;
    r->place->start = start;
    r->place->depth = r->depth;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

static const char *collected_name(const po_cxml_reader *r)
{
    return element_names[r->path[r->text_depth]];
}

static void too_long(po_cxml_reader *r)
{
    po_reader_refuse(r, 400, apr_psprintf(r->pool, "the content of %s is too long", collected_name(r)));
}

/* Into the buffer, which never grows with what somebody sends. */
static void add_text(po_cxml_reader *r, const char *s, apr_size_t n)
{
    if (r->text.len + n > TEXT_MAX)
        too_long(r);
    else
        po_buffer_add(&r->text, s, n);
}

/* The first piece comes into the buffer too: there are more. */
static void gather(po_cxml_reader *r)
{
    if (r->piece_len)
        add_text(r, r->piece, r->piece_len);
    r->piece_len = 0;
}

/* Most texts come in one piece and are taken from where they lie. Others are joined: neither a comment nor CDATA can
 * split a secret. */
static void on_text(void *data, const xmlChar *s, int n)
{
    po_cxml_reader *r = data;
    const char *text = (const char *)s;

    if (is_refused(r) || r->mode == PO_TEXT_NONE || r->mode == PO_TEXT_RAW || r->mute)
        return;
    if (!r->piece_len && !r->text.len && in_document(r, text) && n <= TEXT_MAX) {
        r->piece = text;
        r->piece_len = (apr_size_t)n;
        return;
    }
    gather(r);
    add_text(r, text, (apr_size_t)n);
}

/* Counts what libxml2 is slow with. */
static void count_aside(po_cxml_reader *r, apr_size_t n)
{
    if ((r->aside += n) > ASIDE_MAX)
        po_reader_refuse(r, 400, "the attributes, comments and CDATA sections are too long together");
}

static void on_cdata(void *data, const xmlChar *s, int n)
{
    count_aside(data, (apr_size_t)n);
    on_text(data, s, n);
}

static void on_comment(void *data, const xmlChar *text)
{
    count_aside(data, strlen((const char *)text));
}

static void on_instruction(void *data, const xmlChar *target, const xmlChar *text)
{
    if (text)
        on_comment(data, text);
}

/* ---- BuyerCookie: byte for byte ------------------------------------------------------------------------------- */

/* Where the parser stands, counted from the document's first byte. */
static apr_size_t position(const po_cxml_reader *r)
{
    const xmlParserInput *input = r->ctxt->input;

    return (apr_size_t)input->consumed + (apr_size_t)(input->cur - input->base);
}

/* The parser stands before the "/>" or ">" of the start tag. */
static void raw_begins(po_cxml_reader *r)
{
    r->raw_from = position(r) + 1;
}

/* The parser stands behind the end tag, or behind the "/>" of the only tag. */
static void raw_ends(po_cxml_reader *r)
{
    const char *from = r->bytes + r->raw_from, *end = r->bytes + position(r);

    if (from[-1] == '/')
        *r->into = "";
    else {
        while (end > from && *--end != '<')
            ;
        if (end - from > COOKIE_MAX)
            too_long(r);
        else
            *r->into = apr_pstrmemdup(r->pool, from, (apr_size_t)(end - from));
    }
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

    if (r->text.len || r->short_to) {
        gather(r);
        if (r->short_to)
            drop_short_name(r);
        value = keep(r, r->text.data, r->text.data + r->text.len);
    }
    else
        value = keep(r, r->piece, r->piece + r->piece_len);
    if (r->join && *r->into && **r->into && strlen(*r->into) + strlen(value) > JOINED_MAX)
        too_long(r);
    else if (r->join && *r->into && **r->into)
        value = *value ? apr_pstrcat(r->pool, *r->into, ", ", value, NULL) : *r->into;
    *r->into = value;
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
static void start_in_text(po_cxml_reader *r, po_element e)
{
    if (r->mode == PO_TEXT_PLAIN)
        po_reader_refuse(r, 400, apr_psprintf(r->pool, "an element inside %s, where only text belongs",
                                              collected_name(r)));
    else if (r->mode == PO_TEXT_RAW || r->mute)
        return;
    else if (e >= PO_E_Payment)
        r->mute = r->depth;
    else if (e == PO_E_ShortName && r->depth == r->text_depth + 1 && !r->short_to) {
        gather(r);
        r->short_from = r->text.len;
    }
}

static void end_in_text(po_cxml_reader *r)
{
    if (r->depth == r->text_depth) {
        if (r->mode == PO_TEXT_RAW)
            raw_ends(r);
        else
            text_ends(r);
        r->mode = PO_TEXT_NONE;
    }
    else if (r->depth == r->mute)
        r->mute = 0;
    else if (r->path[r->depth] == PO_E_ShortName && r->depth == r->text_depth + 1 && !r->short_to && !r->mute) {
        gather(r);
        r->short_to = r->text.len;
    }
}

static void nothing_matters(po_cxml_reader *r, po_element e, const po_attributes *a)
{
}

/* What libxml2 needs much time for is refused in time; 1: go on. */
static int within_limits(po_cxml_reader *r, const po_attributes *a)
{
    int i;

    if (is_refused(r))
        return 0;
    for (i = 0; i < a->n; i++)
        count_aside(r, (apr_size_t)(a->a[5 * i + 4] - a->a[5 * i + 3]));
    if (r->depth == PO_DEPTH_MAX)
        po_reader_refuse(r, 400, "the elements lie too deep inside each other");
    else if (++r->count > ELEMENTS_MAX)
        po_reader_refuse(r, 400, "the document holds too many elements");
    else if (a->n > PO_ATTRIBUTES_MAX)
        po_reader_refuse(r, 400, "an element has too many attributes");
    else if (r->ctxt->nsNr > 2 * NAMESPACES_MAX)
        po_reader_refuse(r, 400, "too many namespaces are declared");
    return !r->doc->status;
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns,
                     const xmlChar **ns, int na, int ndefault, const xmlChar **attributes)
{
    po_cxml_reader *r = data;
    po_attributes a = { na, attributes };
    po_element e;

    if (!within_limits(r, &a))
        return;
    e = prefix ? PO_E_OTHER : find_element(r, name);
    r->path[++r->depth] = (unsigned char)e;
    if (r->ignored && e == PO_E_OTHER && r->mode != PO_TEXT_RAW)
        note_ignored(r, name);
    if (r->mode != PO_TEXT_NONE)
        start_in_text(r, e);
    else if (e >= PO_E_Payment) {       /* card data: not even read */
        if (r->place->start != nothing_matters)
            po_reader_enter(r, nothing_matters);        /* once, however deep it lies in itself */
    }
    else {
        r->name = name;
        r->place->start(r, e, &a);
        if (r->mode == PO_TEXT_RAW)
            raw_begins(r);
    }
}

static void on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    po_cxml_reader *r = data;

    if (is_refused(r))
        return;
    if (r->mode != PO_TEXT_NONE)
        end_in_text(r);
    else if (r->place->depth == r->depth)
        r->place--;
    r->depth--;
}

/* ---- entities and declarations: each ends the reading --------------------------------------------------------- */

static void forbidden(void *data)
{
    po_reader_refuse(data, 406, "entities and declarations are not allowed in a document");
}

/* The parser stands behind the identifiers: at the '[', where there is one. What some systems write, "[]", is no harm;
 * anything in it would be read whole before libxml2 tells of it, in a time that grows with the square of its length. */
static void on_doctype(void *data, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    po_cxml_reader *r = data;
    const char *s = (const char *)r->ctxt->input->cur;

    if (is_refused(r) || *s != '[')
        return;
    for (s++; po_xml_space(*s); s++)
        ;
    if (*s != ']')
        forbidden(data);
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
    .internalSubset = on_doctype,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .cdataBlock = on_cdata,
    .comment = on_comment,
    .processingInstruction = on_instruction,
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

static void drop_context(po_cxml_reader *r)
{
    if (r->ctxt)
        xmlFreeParserCtxt(r->ctxt);
    r->ctxt = NULL;
}

static int add_names(po_cxml_reader *r)
{
    int e, a;

    memset(r->elements, 0, sizeof(r->elements));
    for (e = 1; e < PO_E_COUNT; e++)
        if (!add_name(r, e))
            return 0;
    for (a = 0; a < PO_A_COUNT; a++)
        if (!(r->attributes[a] = intern(r, attribute_names[a])))
            return 0;
    return 1;
}

static int fresh_context(po_cxml_reader *r)
{
    if (!(r->ctxt = xmlNewParserCtxt()))
        return 0;
    xmlDictSetLimit(r->ctxt->dict, DICTIONARY_BYTES);
    if (add_names(r))
        return 1;
    drop_context(r);
    return 0;
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
    drop_context(r);
    if (r->text_pool)
        apr_pool_destroy(r->text_pool);
    free(r);
}

/* ---- parsing --------------------------------------------------------------------------------------------------- */

/* An input without a buffer object: no copy, and no attempts to read on near its end (a quarter of all instructions on
 * a small document). */
static int parse_in_place(xmlParserCtxtPtr c, const char *buf)
{
    xmlParserInputPtr input;

    xmlCtxtReset(c);
    if (!(input = xmlNewStringInputStream(c, (const xmlChar *)buf)))
        return 0;
    inputPush(c, input);
    xmlCtxtUseOptions(c, OPTIONS);
    xmlParseDocument(c);
    return c->wellFormed;
}

static int parse(po_cxml_reader *r, const xmlSAXHandler *h, void *data, const po_document_bytes *d)
{
    int well_formed;

    if (!r->ctxt && !fresh_context(r))
        return 0;
    *r->ctxt->sax = *h;
    r->ctxt->userData = data;
    well_formed = parse_in_place(r->ctxt, d->buf);
    /* now: the next document may be long in coming */
    if (xmlDictSize(r->ctxt->dict) > DICTIONARY_MAX || xmlDictGetUsage(r->ctxt->dict) > DICTIONARY_KEPT)
        drop_context(r);
    return well_formed;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static void begin(po_cxml_reader *r, apr_pool_t *p, const po_document_bytes *d, po_cxml *out)
{
    memset(out, 0, sizeof(*out));
    r->pool = p;
    r->doc = out;
    r->bytes = d->buf;
    r->len = d->len;
    r->room = 0;
    r->aside = 0;
    r->depth = r->count = r->headers = r->bodies = r->payloads = 0;
    r->mode = PO_TEXT_NONE;
    r->place = r->places;
    r->place->start = po_reader_start_root;
    r->place->depth = -1;
    r->party = NULL;
    r->item = NULL;
    r->address = NULL;
}

apr_status_t po_cxml_read(po_cxml_reader *r, apr_pool_t *p, const char *buf, apr_size_t len, const char *charset,
                          po_cxml *out)
{
    po_document_bytes d = { buf, len };

    po_document_bytes_read(&d, charset);
    begin(r, p, &d, out);
    if (d.wrong) {
        out->status = 406;
        out->why = d.wrong;
    }
    else if ((out->why = po_reader_too_much(d.buf, d.len)))
        out->status = 400;
    else if (!parse(r, &handler, r, &d) && !out->status) {
        out->status = 406;
        out->why = "the document is not well-formed XML";
    }
    else if (!out->status)
        po_reader_finish(r);
    po_document_bytes_free(&d);
    return out->status ? APR_EGENERAL : APR_SUCCESS;
}

int po_cxml_is_request(po_cxml *doc)
{
    if (doc->kind != PO_CXML_RESPONSE && doc->kind != PO_CXML_CART)
        return 1;
    doc->status = 400;
    doc->why = doc->kind == PO_CXML_CART ? "the document holds a PunchOutOrderMessage, not a Request"
                                         : "the document holds a Response, not a Request";
    return 0;
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

    po_document_bytes d = { buf, len };
    int well_formed;

    po_document_bytes_read(&d, NULL);
    well_formed = !d.wrong && parse(r, &empty, NULL, &d);
    po_document_bytes_free(&d);
    return well_formed;
}
