/* mime.c - the cXML document among the parts of a multipart body (RFC 2046, RFC 2387); nothing is read of the others. */
#include "cxml/cxml.h"

#include <string.h>
#include <strings.h>

#include "apr_base64.h"
#include "apr_lib.h"

#define BOUNDARY_MAX 200                /* RFC 2046 says 70 */

typedef struct {
    const char *type, *id, *encoding, *disposition;     /* fields of the part's header; NULL: not there */
    char *content;
    apr_size_t len;
} part;

typedef struct {
    char *body, *end;
    const char *dash;                   /* "--" and the boundary */
    apr_size_t dash_len;
    apr_array_header_t *parts;          /* part */
    apr_pool_t *p;
} mime;

static int blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *trimmed(const char *from, const char *end, apr_pool_t *p)
{
    while (from < end && blank(*from))
        from++;
    while (end > from && blank(end[-1]))
        end--;
    return apr_pstrmemdup(p, from, (apr_size_t)(end - from));
}

/* ---- values of header fields ---------------------------------------------------------------------------------- */

/* The ';' or the end, whichever comes first outside of quotes. */
static const char *value_end(const char *s)
{
    int quoted = 0;

    for (; *s && (quoted || *s != ';'); s++)
        if (*s == '"')
            quoted = !quoted;
        else if (*s == '\\' && quoted && s[1])
            s++;
    return s;
}

static const char *unquoted(const char *from, const char *end, apr_pool_t *p)
{
    char *out, *o;

    while (from < end && blank(*from))
        from++;
    if (from == end || *from != '"')
        return trimmed(from, end, p);
    out = o = apr_palloc(p, (apr_size_t)(end - from));
    for (from++; from < end && *from != '"'; from++) {
        if (*from == '\\' && from + 1 < end)
            from++;
        *o++ = *from;
    }
    *o = '\0';
    return out;
}

const char *po_mime_parameter(const char *value, const char *name, apr_pool_t *p)
{
    apr_size_t n = strlen(name);
    const char *s = value_end(value), *end;

    for (; *s; s = end) {
        s++;
        end = value_end(s);
        while (blank(*s))
            s++;
        if (strncasecmp(s, name, n))
            continue;
        for (s += n; blank(*s); s++)
            ;
        if (*s == '=')
            return unquoted(s + 1, end, p);
    }
    return NULL;
}

int po_mime_is_multipart(const char *content_type)
{
    while (content_type && blank(*content_type))
        content_type++;
    return content_type && !strncasecmp(content_type, "multipart/", 10);
}

/* "text/xml" of " Text/XML; charset=x". */
static const char *media_type(const char *value, apr_pool_t *p)
{
    char *type = apr_pstrmemdup(p, value, strcspn(value, " \t;("));
    char *c;

    for (c = type; *c; c++)
        *c = (char)apr_tolower(*c);
    return type;
}

/* The value of Content-ID or of the parameter `start`. */
static const char *bare_id(const char *value, apr_pool_t *p)
{
    apr_size_t n = strlen(value);

    return n > 1 && *value == '<' && value[n - 1] == '>' ? trimmed(value + 1, value + n - 1, p) : value;
}

/* ---- parts ---------------------------------------------------------------------------------------------------- */

/* The next line that is a delimiter, at from (the start of a line) or below; NULL: none. *after: the line behind it. */
static char *find_delimiter(const mime *m, char *from, char **after, int *closing)
{
    char *line, *s;

    for (line = from; line && m->end - line >= (apr_ssize_t)m->dash_len;) {
        if (!memcmp(line, m->dash, m->dash_len)) {
            s = line + m->dash_len;
            *closing = m->end - s >= 2 && s[0] == '-' && s[1] == '-';
            for (s += *closing ? 2 : 0; s < m->end && (*s == ' ' || *s == '\t' || *s == '\r'); s++)
                ;
            if (s == m->end || *s == '\n') {
                *after = s == m->end ? s : s + 1;
                return line;
            }
        }
        if ((line = memchr(line, '\n', (apr_size_t)(m->end - line))))
            line++;
    }
    return NULL;
}

static char *line_end(char *from, char *end)
{
    char *at = memchr(from, '\n', (apr_size_t)(end - from));

    return at ? at : end;
}

/* A field with its folded lines, as one line. The first of a name counts. */
static void take_field(const mime *m, part *into, const char *from, const char *end)
{
    const struct { const char *name, **value; } fields[] = {
        { "Content-Type", &into->type }, { "Content-ID", &into->id }, { "Content-Transfer-Encoding", &into->encoding },
        { "Content-Disposition", &into->disposition } };
    char *text = apr_pstrmemdup(m->p, from, (apr_size_t)(end - from)), *colon, *c;
    const char *name;
    apr_size_t i;

    for (c = text; c < text + (end - from); c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    if (!(colon = strchr(text, ':')))
        return;
    name = trimmed(text, colon, m->p);
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (!strcasecmp(name, fields[i].name) && !*fields[i].value)
            *fields[i].value = trimmed(colon + 1, c, m->p);
}

static int is_empty(const char *line, const char *eol)
{
    return line == eol || (*line == '\r' && line + 1 == eol);
}

/* The lines of [from, end) up to an empty one; what follows is the content. */
static const char *read_headers(const mime *m, part *into, char *from, char *end)
{
    char *line, *eol = end, *field = NULL;

    for (line = from; line < end; line = eol < end ? eol + 1 : end) {
        eol = line_end(line, end);
        if (eol - from > PO_MIME_HEADERS_MAX)
            return apr_psprintf(m->p, "The header lines of part %d are longer than %d bytes", m->parts->nelts,
                                PO_MIME_HEADERS_MAX);
        if (is_empty(line, eol))
            break;
        if (field && (*line == ' ' || *line == '\t'))
            continue;                   /* folded */
        if (field)
            take_field(m, into, field, line);
        field = line;
    }
    if (field)
        take_field(m, into, field, line);
    into->content = line < end && eol < end ? eol + 1 : end;
    return NULL;
}

/* One part between two delimiters. The line end before a delimiter belongs to it. */
static const char *add_part(mime *m, char *from, char *delimiter)
{
    part *new = apr_array_push(m->parts);
    const char *wrong;

    memset(new, 0, sizeof(*new));
    if ((wrong = read_headers(m, new, from, delimiter)))
        return wrong;
    new->len = (apr_size_t)(delimiter - new->content);
    if (new->len && new->content[new->len - 1] == '\n')
        new->len--;
    if (new->len && new->content[new->len - 1] == '\r')
        new->len--;
    return NULL;
}

static const char *read_parts(mime *m)
{
    char *from, *next, *after;
    const char *wrong;
    int closing;

    if (!find_delimiter(m, m->body, &from, &closing))
        return "The body holds no line with the boundary that its Content-Type names";
    while (!closing) {
        if (!(next = find_delimiter(m, from, &after, &closing)))
            return "The body ends before its closing boundary, so that it may have been cut off; send it again, whole";
        if (m->parts->nelts == PO_MIME_PARTS_MAX)
            return apr_psprintf(m->p, "The body has more than %d parts", PO_MIME_PARTS_MAX);
        if ((wrong = add_part(m, from, next)))
            return wrong;
        from = after;
    }
    return m->parts->nelts ? NULL : "The body has no part";
}

/* ---- the document --------------------------------------------------------------------------------------------- */

static int is_xml(const part *of, apr_pool_t *p)
{
    const char *type = of->type ? media_type(of->type, p) : "";

    return !strcmp(type, "text/xml") || !strcmp(type, "application/xml") || strstr(type, "cxml") != NULL;
}

static int is_start(const part *of, const char *start, apr_pool_t *p)
{
    return of->id && !strcmp(bare_id(of->id, p), start);
}

/* NULL: every part is a multipart itself, of which none is looked into. */
static part *choose(const mime *m, const char *start)
{
    part *parts = (part *)m->parts->elts;
    int i;

    for (i = 0; start && i < m->parts->nelts; i++)
        if (is_start(&parts[i], start, m->p))
            return &parts[i];
    for (i = 0; i < m->parts->nelts; i++)
        if (is_xml(&parts[i], m->p))
            return &parts[i];
    for (i = 0; i < m->parts->nelts; i++)
        if (!po_mime_is_multipart(parts[i].type))
            return &parts[i];
    return NULL;
}

/* In its place: what is decoded is never longer. */
static const char *decode_quoted_printable(po_mime *out)
{
    char *s = out->document, *end = s + out->len, *o = s, *eol;
    char digits[3] = "";

    while (s < end) {
        if (*s == ' ' || *s == '\t') {  /* blanks at the end of a line were added on the way */
            for (eol = s; eol < end && blank(*eol) && *eol != '\n'; eol++)
                ;
            if (eol < end && *eol != '\n') {
                memmove(o, s, (apr_size_t)(eol - s));   /* all of them: there may be millions */
                o += eol - s;
            }
            s = eol;
            continue;
        }
        if (*s != '=') {
            *o++ = *s++;
            continue;
        }
        for (eol = s + 1; eol < end && blank(*eol) && *eol != '\n'; eol++)
            ;
        if (eol == end || *eol == '\n') {       /* a soft line break */
            s = eol == end ? end : eol + 1;
            continue;
        }
        if (end - s < 3 || !apr_isxdigit(s[1]) || !apr_isxdigit(s[2]))
            return "The document is not quoted-printable, as its part says: there is a = without two hexadecimal digits";
        memcpy(digits, s + 1, 2);
        *o++ = (char)apr_strtoi64(digits, NULL, 16);
        s += 3;
    }
    out->len = (apr_size_t)(o - out->document);
    return NULL;
}

static const char *decode_base64(po_mime *out, apr_pool_t *p)
{
    static const char wrong[] = "The document is not Base64, as its part says, or a piece of it is missing";
    char *s, *o = out->document, *end = o + out->len, *decoded;
    apr_size_t n, padding;

    for (s = o; s < end; s++)
        if (!blank(*s))
            *o++ = *s;
    *o = '\0';
    end = o;
    n = strspn(out->document, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    padding = strspn(out->document + n, "=");
    if (out->document + n + padding != end || padding > 2 || (n + padding) % 4)
        return wrong;
    decoded = apr_palloc(p, n + 1);
    out->len = (apr_size_t)apr_base64_decode_binary((unsigned char *)decoded, out->document);
    out->document = decoded;
    return NULL;
}

static const char *take_document(po_mime *out, const part *of, apr_pool_t *p)
{
    const char *encoding = of->encoding ? media_type(of->encoding, p) : "", *wrong = NULL;

    out->document = of->content;
    out->len = of->len;
    out->charset = of->type ? po_mime_parameter(of->type, "charset", p) : NULL;
    if (!strcmp(encoding, "base64"))
        wrong = decode_base64(out, p);
    else if (!strcmp(encoding, "quoted-printable"))
        wrong = decode_quoted_printable(out);
    else if (*encoding && strcmp(encoding, "7bit") && strcmp(encoding, "8bit") && strcmp(encoding, "binary"))
        wrong = "The Content-Transfer-Encoding of the document is unknown; use 8bit, base64 or quoted-printable";
    if (wrong)
        return wrong;
    if (!out->len)
        return "The part that should be the cXML document is empty";
    out->document[out->len] = '\0';
    return NULL;
}

static void list_attachment(po_mime *out, const part *of, apr_pool_t *p)
{
    po_mime_part *a = apr_array_push(out->attachments);

    a->content_id = of->id ? bare_id(of->id, p) : NULL;
    a->content_type = of->type ? media_type(of->type, p) : NULL;
    a->filename = of->disposition ? po_mime_parameter(of->disposition, "filename", p) : NULL;
    if (!a->filename && of->type)
        a->filename = po_mime_parameter(of->type, "name", p);
    a->length = of->len;
}

const char *po_mime_read(po_mime *out, const char *content_type, char *body, apr_size_t len, apr_pool_t *p)
{
    const char *boundary = po_mime_parameter(content_type, "boundary", p);
    const char *start = po_mime_parameter(content_type, "start", p), *wrong;
    mime m = { body, body + len, NULL, 0, NULL, p };
    const part *document;
    int i;

    memset(out, 0, sizeof(*out));
    if (!boundary || !*boundary || strlen(boundary) > BOUNDARY_MAX)
        return apr_psprintf(p, "The Content-Type of a body in parts has to name a boundary of 1 to %d characters",
                            BOUNDARY_MAX);
    m.dash = apr_pstrcat(p, "--", boundary, NULL);
    m.dash_len = strlen(m.dash);
    m.parts = apr_array_make(p, 4, sizeof(part));
    if ((wrong = read_parts(&m)))
        return wrong;
    if (!(document = choose(&m, start ? bare_id(start, p) : NULL)))
        return "No part of the body is a cXML document";
    out->attachments = apr_array_make(p, m.parts->nelts, sizeof(po_mime_part));
    for (i = 0; i < m.parts->nelts; i++)
        if (&APR_ARRAY_IDX(m.parts, i, part) != document)
            list_attachment(out, &APR_ARRAY_IDX(m.parts, i, part), p);
    return take_document(out, document, p);
}
