/* encoding.c - which characters the bytes of a document stand for; what is not UTF-8 becomes it before parsing. */
#include "cxml/reader_private.h"

#include <libxml/encoding.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#define ENCODING_NAME 24
#define DECLARATION_MAX 256             /* the XML declaration ends within so many bytes */
#define CONVERTED_MAX (2 * 1024 * 1024) /* of a document that is not UTF-8: it lies in memory twice */
#define WIDEST 3                        /* bytes of UTF-8 that one byte of a supported encoding can become */

static int starts(const po_document_bytes *d, const char *bytes, apr_size_t n)
{
    return d->len >= n && !memcmp(d->buf, bytes, n);
}

/* libxml2 takes a NUL for the end of a document and ignores what follows. */
static int has_nul(const po_document_bytes *d)
{
    return memchr(d->buf, 0, d->len) != NULL;
}

static int has_wide_nul(const po_document_bytes *d)
{
    apr_size_t i;

    for (i = 0; i + 1 < d->len; i += 2)
        if (!d->buf[i] && !d->buf[i + 1])
            return 1;
    return d->len % 2;                  /* half a character at the end */
}

/* The value of encoding="..." in the XML declaration, not terminated; NULL: there is none. */
static const char *declared_encoding(const po_document_bytes *d, apr_size_t *len)
{
    const char *s = d->buf, *end, *quote;

    if (!starts(d, "<?xml", 5) || !po_xml_space(d->buf[5])     /* as "<?xml-stylesheet" */
        || !(end = memchr(s, '>', d->len < DECLARATION_MAX ? d->len : DECLARATION_MAX)))
        return NULL;
    for (s += 5; s + 8 < end && memcmp(s, "encoding", 8); s++)
        ;
    if (s + 8 >= end)
        return NULL;
    for (s += 8; s < end && (po_xml_space(*s) || *s == '='); s++)
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

/* Where bytes below 0x80 may hide other characters. UTF-16 and UTF-32 are not among them: what the bytes are shows. */
static int hides_markup(const char *name)
{
    static const char *const heads[] = { "UTF-7", "UTF7", "ISO-2022", "HZ", "SCSU", "BOCU", "UNICODE-1-1-UTF-7" };
    apr_size_t i;

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        if (!strncasecmp(name, heads[i], strlen(heads[i])))
            return 1;
    return 0;
}

/* ---- to UTF-8 ------------------------------------------------------------------------------------------------- */

/* libxml2 would print the bytes that it can't convert to standard error, where httpd's log is. */
static void quiet(void *data, xmlErrorPtr error)
{
}

static int convert_all(xmlCharEncodingHandlerPtr handler, xmlBufferPtr out, xmlBufferPtr in, apr_size_t most)
{
    while (xmlBufferLength(in) > 0)
        if (xmlCharEncInFunc(handler, out, in) <= 0 || (apr_size_t)xmlBufferLength(out) > most)
            return 0;
    return 1;
}

static void convert(po_document_bytes *d, const char *from)
{
    xmlCharEncodingHandlerPtr handler = xmlFindCharEncodingHandler(from);
    xmlStructuredErrorFunc error = xmlStructuredError;
    void *error_data = xmlStructuredErrorContext;
    xmlBufferPtr in, out;
    int done = 0;

    d->wrong = d->len > CONVERTED_MAX ? "a document of this size is taken in UTF-8 only"
                                      : "the bytes of the document don't fit its encoding; send UTF-8";
    if (!handler || d->len > CONVERTED_MAX) {
        xmlCharEncCloseFunc(handler);
        return;
    }
    in = xmlBufferCreateStatic((void *)(apr_uintptr_t)d->buf, d->len);
    out = xmlBufferCreateSize(d->len + d->len / 2 + 16);
    xmlSetStructuredErrorFunc(NULL, quiet);     /* of this thread */
    if (in && out)
        done = convert_all(handler, out, in, WIDEST * d->len);
    xmlSetStructuredErrorFunc(error_data, error);
    xmlBufferFree(in);
    xmlCharEncCloseFunc(handler);
    if (!done) {
        xmlBufferFree(out);
        return;
    }
    d->wrong = NULL;
    d->converted = out;
    d->buf = (const char *)xmlBufferContent(out);
    d->len = (apr_size_t)xmlBufferLength(out);
    if (has_nul(d))
        d->wrong = "the document holds a NUL character";
}

void po_document_bytes_free(po_document_bytes *d)
{
    if (d->converted)
        xmlBufferFree(d->converted);
}

/* ---- which one ------------------------------------------------------------------------------------------------ */

static void skip(po_document_bytes *d, apr_size_t n)
{
    d->buf += n;
    d->len -= n;
}

static void utf16(po_document_bytes *d, const char *name, apr_size_t mark)
{
    skip(d, mark);
    if (has_wide_nul(d))
        d->wrong = "the document holds a NUL character or is cut off";
    else
        convert(d, name);
}

static void convert_named(po_document_bytes *d, const char *name, apr_size_t len)
{
    char from[ENCODING_NAME];

    memcpy(from, name, len);            /* is_safe_encoding() has looked at its length */
    from[len] = '\0';
    convert(d, from);
}

static void single_bytes(po_document_bytes *d, const char *charset)
{
    apr_size_t charset_len = charset ? strlen(charset) : 0, len = 0;
    const char *name = declared_encoding(d, &len);
    int says_utf8 = charset && is_utf8(charset, charset_len);
    int declares_other = name && is_safe_encoding(name, len);

    if (charset && is_safe_encoding(charset, charset_len))
        convert_named(d, charset, charset_len);
    else if (charset && hides_markup(charset))
        d->wrong = "the charset of the Content-Type is not supported; send UTF-8";
    /* a client library that always says UTF-8 is refuted by bytes that can't be it */
    else if (declares_other && (!says_utf8 || !xmlCheckUTF8((const unsigned char *)d->buf)))
        convert_named(d, name, len);
    else if (name && !declares_other && !is_utf8(name, len) && (!says_utf8 || hides_markup(name)))
        d->wrong = "the declared encoding is not supported or does not fit the bytes; send UTF-8";
}

static void look_at_start(po_document_bytes *d)
{
    const char *s = d->buf, *end = s + d->len;

    while (s < end && po_xml_space(*s))
        s++;
    if (s == end)
        d->wrong = "the document is empty";
    else if (*d->buf != '<' && !po_xml_space(*d->buf))
        d->wrong = "the document is not XML: it does not begin with <";
}

/* The bytes tell first (byte order mark, NULs beside '<'), then the Content-Type, then the declaration. */
void po_document_bytes_read(po_document_bytes *d, const char *charset)
{
    if (d->len > INT_MAX / WIDEST)
        d->wrong = "the document is too long";
    else if (starts(d, "\xff\xfe", 2) || starts(d, "<\0", 2))
        utf16(d, "UTF-16LE", *d->buf == '<' ? 0 : 2);
    else if (starts(d, "\xfe\xff", 2) || starts(d, "\0<", 2))
        utf16(d, "UTF-16BE", *d->buf ? 2 : 0);
    else if (has_nul(d))
        d->wrong = "the document holds a NUL byte";
    else if (starts(d, "\xef\xbb\xbf", 3))
        skip(d, 3);
    else
        single_bytes(d, charset);
    if (!d->wrong)
        look_at_start(d);
}
