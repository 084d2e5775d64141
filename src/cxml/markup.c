/* markup.c - XML that somebody else wrote goes into a document of ours: as it is, or in ASCII with the same meaning. */
#include "cxml/cxml.h"

#include <string.h>

static apr_size_t plain_length(const char *s, const char *end)
{
    const char *from = s;

    while (s < end && !(*s & 0x80))
        s++;
    return (apr_size_t)(s - from);
}

static apr_size_t wide_length(const char *s, const char *end)
{
    const char *from = s;

    while (s < end && (*s & 0x80))
        s++;
    return (apr_size_t)(s - from);
}

/* before and after surround each run of characters above U+007F, which become references. */
static void with_references(po_buffer *b, const char *s, const char *end, const char *before, const char *after)
{
    apr_size_t n;

    while (s < end) {
        n = plain_length(s, end);
        po_buffer_add(b, s, n);
        s += n;
        if (!(n = wide_length(s, end)))
            continue;
        po_buffer_str(b, before);
        po_buffer_xml_len(b, s, n);
        po_buffer_str(b, after);
        s += n;
    }
}

/* Comments and processing instructions know no references. The mark may begin the name of an instruction, and ends none. */
static void with_underscores(po_buffer *b, const char *s, const char *end)
{
    while (s < end) {
        apr_size_t n = plain_length(s, end);

        po_buffer_add(b, s, n);
        s += n;
        if (s < end) {
            po_buffer_lit(b, "_");
            s++;
            while (s < end && (*s & 0xc0) == 0x80)      /* one mark for each character */
                s++;
        }
    }
}

/* Names can't be written otherwise and stay; values of attributes become references. */
static void tag(po_buffer *b, const char *s, const char *end)
{
    while (s < end) {
        const char *from = s, *quote;

        while (s < end && *s != '"' && *s != '\'')
            s++;
        if (s < end)
            s++;
        po_buffer_add(b, from, (apr_size_t)(s - from));
        if (s == end)
            return;
        if (!(quote = memchr(s, s[-1], (apr_size_t)(end - s))))
            quote = end;
        with_references(b, s, quote, NULL, NULL);
        s = quote;
        if (s < end)
            po_buffer_add(b, s++, 1);
    }
}

/* Behind the mark that ends what begins at s; the end of the text when it is missing. */
static const char *behind(const char *s, const char *mark)
{
    const char *at = strstr(s, mark);

    return at ? at + strlen(mark) : s + strlen(s);
}

/* A '>' in a value of an attribute ends no tag. */
static const char *behind_tag(const char *s)
{
    char quote = 0;

    for (; *s; s++) {
        if (quote)
            quote = *s == quote ? 0 : quote;
        else if (*s == '>')
            return s + 1;
        else if (*s == '"' || *s == '\'')
            quote = *s;
    }
    return s;
}

void po_buffer_markup(po_buffer *b, const char *xml)
{
    const char *s = xml, *end;

    if (!xml || !b->ascii) {
        po_buffer_str(b, xml);
        return;
    }
    for (; *s; s = end) {
        if (*s != '<') {
            end = s + strcspn(s, "<");
            with_references(b, s, end, NULL, NULL);
        }
        else if (!strncmp(s, "<![CDATA[", 9)) {
            end = behind(s + 9, "]]>");
            with_references(b, s, end, "]]>", "<![CDATA[");
        }
        else if (!strncmp(s, "<!--", 4)) {
            end = behind(s + 4, "-->");
            with_underscores(b, s, end);
        }
        else if (s[1] == '?') {
            end = behind(s + 2, "?>");
            with_underscores(b, s, end);
        }
        else {
            end = behind_tag(s + 1);
            tag(b, s, end);
        }
    }
}
