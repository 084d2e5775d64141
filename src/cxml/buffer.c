/* buffer.c - bytes that grow in a pool, and the escaping that XML and HTML share. */
#include "cxml/cxml.h"

#include <string.h>

#define REPLACEMENT 0xfffd

void po_buffer_init(po_buffer *b, apr_pool_t *p, apr_size_t size)
{
    b->pool = p;
    b->size = size < 64 ? 64 : size;
    b->data = apr_palloc(p, b->size);
    b->len = 0;
    b->ascii = 0;
}

static void make_room(po_buffer *b, apr_size_t len)
{
    char *bigger;

    while (b->size - b->len < len)
        b->size *= 2;
    bigger = apr_palloc(b->pool, b->size);
    memcpy(bigger, b->data, b->len);
    b->data = bigger;
}

void po_buffer_add(po_buffer *b, const char *data, apr_size_t len)
{
    if (b->size - b->len < len)
        make_room(b, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void po_buffer_str(po_buffer *b, const char *text)
{
    if (text)
        po_buffer_add(b, text, strlen(text));
}

const char *po_buffer_text(po_buffer *b)
{
    if (b->len == b->size)
        make_room(b, 1);
    b->data[b->len] = '\0';
    return b->data;
}

/* One character of UTF-8 at s: its length, and its number in *c. Broken, overlong or surrogate bytes are U+FFFD. */
static int decode(const unsigned char *s, const unsigned char *end, unsigned *c)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int n = *s < 0x80 ? 1 : (*s & 0xe0) == 0xc0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : (*s & 0xf8) == 0xf0 ? 4 : 0;
    int i;

    *c = REPLACEMENT;
    if (n < 2 || end - s < n)
        return 1;
    *c = *s & (0x7f >> n);
    for (i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *c = REPLACEMENT;
            return 1;
        }
        *c = *c << 6 | (s[i] & 0x3f);
    }
    if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) || *c == 0xfffe || *c == 0xffff)
        *c = REPLACEMENT;
    return n;
}

static void reference(po_buffer *b, unsigned c)
{
    char text[12], *o = text + sizeof(text);

    *--o = ';';
    do {
        *--o = (char)('0' + c % 10);
    } while (c /= 10);
    *--o = '#';
    *--o = '&';
    po_buffer_add(b, o, (apr_size_t)(text + sizeof(text) - o));
}

static int add_wide(po_buffer *b, const unsigned char *s, const unsigned char *end)
{
    unsigned c;
    int n = decode(s, end, &c);

    if (b->ascii)
        reference(b, c);
    else if (c == REPLACEMENT)
        po_buffer_lit(b, "\xef\xbf\xbd");
    else
        po_buffer_add(b, (const char *)s, (apr_size_t)n);
    return n;
}

static void add_special(po_buffer *b, unsigned char c)
{
    switch (c) {
    case '&':
        po_buffer_lit(b, "&amp;");
        break;
    case '<':
        po_buffer_lit(b, "&lt;");
        break;
    case '>':
        po_buffer_lit(b, "&gt;");
        break;
    case '"':
        po_buffer_lit(b, "&quot;");
        break;
    case '\'':
        po_buffer_lit(b, "&#39;");
        break;
    case '\r':                          /* a bare one would be read back as a line feed */
        po_buffer_lit(b, "&#13;");
        break;
    default:                            /* a control character that XML 1.0 can't hold */
        reference(b, REPLACEMENT);
    }
}

static int plain(unsigned char c)
{
    return c >= ' ' ? c < 0x80 && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'' : c == '\n' || c == '\t';
}

void po_buffer_xml_len(po_buffer *b, const char *text, apr_size_t len)
{
    const unsigned char *s = (const unsigned char *)text, *end = s + len, *from;

    while (s < end) {
        for (from = s; s < end && plain(*s); s++)
            ;
        if (s > from)
            po_buffer_add(b, (const char *)from, (apr_size_t)(s - from));
        if (s < end && *s >= 0x80)
            s += add_wide(b, s, end);
        else if (s < end)
            add_special(b, *s++);
    }
}

void po_buffer_xml(po_buffer *b, const char *text)
{
    if (text)
        po_buffer_xml_len(b, text, strlen(text));
}
