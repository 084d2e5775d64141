/* captured.c - a request as somebody kept it: the document alone, or an HTTP request with its headers. */
#include "tools.h"

#include "apr_lib.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const tokens = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* The end of the line at s, which may end in CR LF or LF; *next is where the following one begins, NULL: nowhere. */
static char *line_end(char *s, char *end, char **next)
{
    char *feed = memchr(s, '\n', (apr_size_t)(end - s));

    *next = feed ? feed + 1 : NULL;
    if (!feed)
        return end;
    return feed > s && feed[-1] == '\r' ? feed - 1 : feed;
}

/* "POST /punchout/setup HTTP/1.1" */
static int is_request_line(const char *s, const char *end)
{
    const char *path = memchr(s, ' ', (apr_size_t)(end - s)), *version;

    if (!path || (apr_size_t)(path - s) != strspn(s, tokens))
        return 0;
    version = memchr(path + 1, ' ', (apr_size_t)(end - path - 1));
    return version && end - version > 6 && !strncmp(version + 1, "HTTP/", 5);
}

static int is_header(const char *s, const char *end)
{
    apr_size_t n = strspn(s, tokens);

    return n > 0 && s + n < end && s[n] == ':';
}

static void take_request_line(po_captured *c, const char *s, const char *end, apr_pool_t *p)
{
    const char *path = memchr(s, ' ', (apr_size_t)(end - s));
    const char *version = memchr(path + 1, ' ', (apr_size_t)(end - path - 1));

    c->method = apr_pstrmemdup(p, s, (apr_size_t)(path - s));
    c->path = apr_pstrmemdup(p, path + 1, (apr_size_t)(version - path - 1));
}

static void take_header(apr_table_t *headers, const char *s, const char *end, apr_pool_t *p)
{
    const char *value = s + strspn(s, tokens), *name = apr_pstrmemdup(p, s, (apr_size_t)(value - s));

    for (value++; value < end && (*value == ' ' || *value == '\t'); value++)
        ;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    apr_table_mergen(headers, name, apr_pstrmemdup(p, value, (apr_size_t)(end - value)));
}

/* Joins the chunks of Transfer-Encoding: chunked where they lie. */
static const char *join_chunks(po_captured *c, char *s, char *end)
{
    char *to = s, *next, *digits;
    unsigned long size;

    c->body = s;
    do {
        if (s >= end || !apr_isxdigit(*s))
            return "its chunks (Transfer-Encoding: chunked) can't be read; was it kept without them?";
        line_end(s, end, &next);
        size = strtoul(s, &digits, 16);
        if (!next || size > (unsigned long)(end - next))
            return "its last chunk is cut off";
        memmove(to, next, size);
        to += size;
        s = next + size;
        s += s < end && *s == '\r';
        s += s < end && *s == '\n';
    } while (size);
    *to = '\0';
    c->len = (apr_size_t)(to - c->body);
    return NULL;
}

static const char *take_body(po_captured *c, const apr_table_t *headers, char *body, char *end)
{
    const char *coding = apr_table_get(headers, "Content-Encoding"), *length = apr_table_get(headers, "Content-Length");
    const char *transfer = apr_table_get(headers, "Transfer-Encoding");

    if (coding && strcasecmp(coding, "identity"))
        return "its body is compressed (Content-Encoding); unpack it first";
    if (transfer && strcasestr(transfer, "chunked"))
        return join_chunks(c, body, end);
    c->body = body;
    c->len = (apr_size_t)(end - body);
    if (length && strtoul(length, NULL, 10) > c->len)
        return "its body is shorter than its Content-Length";
    if (length) {                       /* an editor may have added a line feed */
        c->len = strtoul(length, NULL, 10);
        body[c->len] = '\0';
    }
    return NULL;
}

static const char *read_http(po_captured *c, char *s, char *end, apr_pool_t *p)
{
    apr_table_t *headers = apr_table_make(p, 12);
    char *next, *stop = line_end(s, end, &next);

    if (is_request_line(s, stop)) {
        take_request_line(c, s, stop, p);
        s = next;
    }
    for (; s && s < end && (stop = line_end(s, end, &next)) > s; s = next) {
        if (!is_header(s, stop))
            return "a line between its headers is none; an empty line must stand before the body";
        take_header(headers, s, stop, p);
    }
    if (!s)
        return "it has headers but no body; an empty line must stand between them";
    c->host = apr_table_get(headers, "Host");
    c->content_type = apr_table_get(headers, "Content-Type");
    c->charset = c->content_type ? po_mime_parameter(c->content_type, "charset", p) : NULL;
    return take_body(c, headers, next ? next : end, end);
}

const char *po_captured_read(po_captured *c, char *bytes, apr_size_t len, apr_pool_t *p)
{
    char *next, *stop = line_end(bytes, bytes + len, &next);

    memset(c, 0, sizeof(*c));
    if (is_request_line(bytes, stop) || is_header(bytes, stop))
        return read_http(c, bytes, bytes + len, p);
    c->body = bytes;
    c->len = len;
    return NULL;
}
