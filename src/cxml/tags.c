/* tags.c - a look at the bytes before libxml2 reads them: no tag or text may be longer than a document ever needs.
 *
 * libxml2 tells of each after its end only. Before 2.12 it compares every attribute of an element with all before it:
 * the hundreds of thousands that fit into a document would take it minutes. Comments, CDATA sections and instructions
 * it copies, slowly.
 */
#include "cxml/reader_private.h"

#include <string.h>

#define PIECE_MAX 262144                /* bytes */
#define ATTRIBUTE_LEAST 5               /* bytes: " a=''" */
#define HARMLESS 16384                  /* bytes that can't hold enough attributes to matter: most documents */

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && po_xml_space(*s))
        s++;
    return s;
}

/* From behind its '<' to its '>', or to what is no attribute: there libxml2 stops as well. */
static int too_many_in_tag(const char *s, const char *end)
{
    int n;

    for (n = 0; n <= PO_ATTRIBUTES_MAX; n++) {
        while (s < end && *s != '=' && *s != '>')
            s++;
        if (s == end || *s == '>')
            return 0;
        s = skip_blanks(s + 1, end);
        if (s == end || (*s != '"' && *s != '\'') || !(s = memchr(s + 1, *s, (apr_size_t)(end - s - 1))))
            return 0;
        s++;
    }
    return 1;
}

/* What stands before the '>' that ends it, if any '>' alone does not: by the first bytes of the tag. */
static int closing_of(const char *tag, const char **closing)
{
    static const char *const closings[3] = { "?", "--", "]]" };
    int kind = tag[1] == '?' ? 0 : tag[1] != '!' ? -1 : tag[2] == '-' ? 1 : tag[2] == '[' ? 2 : -1;

    if (kind >= 0)
        *closing = closings[kind];
    return kind;
}

static const char *section_end(const char *s, const char *end, const char *closing)
{
    apr_size_t n = strlen(closing);

    for (s += n; s < end && (s = memchr(s, '>', (apr_size_t)(end - s))); s++)
        if (!memcmp(s - n, closing, n))
            return s;
    return end;
}

/* ends: the next of each kind, as far as they are known; looked for once, however many begin before it. */
static int section_fits(const char *tag, const char *end, const char *ends[3])
{
    const char *closing;
    int kind = closing_of(tag, &closing);

    if (kind < 0)
        return 1;
    if (!ends[kind] || ends[kind] < tag)
        ends[kind] = section_end(tag, end, closing);
    return ends[kind] - tag <= PIECE_MAX;
}

const char *po_reader_too_much(const char *buf, apr_size_t len)
{
    const char *tag, *next, *end = buf + len, *ends[3] = { NULL };

    if (len < HARMLESS)
        return NULL;
    /* no value holds a '<': a tag's attributes lie before the next one */
    for (tag = memchr(buf, '<', len); tag && tag < end; tag = next) {
        next = memchr(tag + 1, '<', (apr_size_t)(end - tag - 1));
        if (!next)
            next = end;
        if (next - tag > PIECE_MAX || !section_fits(tag, end, ends))
            return "a text, a tag or a comment is too long";
        if (next - tag > PO_ATTRIBUTES_MAX * ATTRIBUTE_LEAST && too_many_in_tag(tag + 1, next))
            return "an element has too many attributes";
    }
    return NULL;
}
