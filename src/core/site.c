/* site.c - where may a cart go back to. */
#include "core/core.h"

#include "apr_lib.h"
#include <stdlib.h>
#include <string.h>

#define URL_MAX 2048

/* ---- return hosts --------------------------------------------------------------------------------------------- */

static int default_port(const char *scheme)
{
    return !strcmp(scheme, "http") ? 80 : 443;
}

/* Letters, digits, '-', '.', and '_' which some buyers' hosts hold although DNS names of hosts should not. */
static int host_valid(const char *host)
{
    const char *s = host;

    if (!*s)
        return 0;
    for (; *s; s++)
        if (!apr_isalnum(*s) && *s != '-' && *s != '.' && *s != '_')
            return 0;
    return 1;
}

const char *po_return_host_parse(po_return_host *out, const char *word, apr_pool_t *p)
{
    const char *mark = strstr(word, "://"), *colon;
    char *host, *end;
    long port;

    out->scheme = "https";
    if (mark) {
        out->scheme = apr_pstrmemdup(p, word, (apr_size_t)(mark - word));
        if (strcmp(out->scheme, "https") && strcmp(out->scheme, "http"))
            return "the scheme must be https, or http for tests; write e.g. acme.coupahost.com";
        word = mark + 3;
    }
    out->port = default_port(out->scheme);
    host = apr_pstrdup(p, word);
    if ((colon = strchr(word, ':'))) {
        host[colon - word] = '\0';
        port = strtol(colon + 1, &end, 10);
        if (!strcmp(colon + 1, "*"))
            out->port = 0;
        else if (!apr_isdigit(colon[1]) || *end || port < 1 || port > 65535)
            return "the port must be a number from 1 to 65535, or *";
        else
            out->port = (int)port;
    }
    for (end = host; *end; end++)
        *end = apr_tolower(*end);
    out->host = host;
    return host_valid(host) ? NULL : "write a host name alone, e.g. acme.coupahost.com, or .acme.example for every "
                                     "host below it";
}

/* Where a return URL leads to, its parts pointed at. */
typedef struct {
    const char *scheme, *host, *authority;
    apr_size_t host_len, authority_len;
    int port;
} target;

static int host_matches(const po_return_host *allowed, const target *t)
{
    apr_size_t l;

    if (strcmp(allowed->scheme, t->scheme) || (allowed->port && allowed->port != t->port))
        return 0;
    l = strlen(allowed->host);
    if (*allowed->host == '.')
        return t->host_len > l && !strncasecmp(t->host + t->host_len - l, allowed->host, l);
    return t->host_len == l && !strncasecmp(t->host, allowed->host, l);
}

/* What a parser of another make may read differently. */
static const char unsafe[256] = {
    [0 ... ' '] = 1, ['"'] = 1, ['#'] = 1, ['<'] = 1, ['>'] = 1, ['\\'] = 1, [127 ... 255] = 1
};

static const char *suspicious(const char *url)
{
    const unsigned char *s = (const unsigned char *)url;

    while (!unsafe[*s])
        s++;
    if (*s)
        return "it holds blanks, control or non-ASCII characters, a backslash, a quote or a fragment";
    return s - (const unsigned char *)url > URL_MAX ? "it is longer than 2048 characters" : NULL;
}

/* The port behind a host, up to the authority's end; none at all is the scheme's (RFC 3986). -1: it is no port. */
static int port_of(const char *s, const char *end, const char *scheme)
{
    int port = 0;

    if (s == end)
        return default_port(scheme);
    for (; s < end; s++) {
        if (!apr_isdigit(*s))
            return -1;
        port = port * 10 + (*s - '0');
        if (port > 65535)
            return -1;
    }
    return port > 0 ? port : -1;
}

/* Letters, digits, '-', '.', '_' from s to end: an address in brackets and an escaped name are none. */
static int plain_host(const char *s, const char *end)
{
    if (s == end || *s == '.')
        return 0;
    for (; s < end; s++)
        if (!apr_isalnum(*s) && *s != '-' && *s != '.' && *s != '_')
            return 0;
    return 1;
}

/* scheme "://" authority, up to the first of "/?" (RFC 3986 §3); '#' and '\' were refused before. */
static const char *split(const char *url, target *t)
{
    const char *colon = strchr(url, ':'), *end, *port;

    if (!colon || colon == url || colon[1] != '/' || colon[2] != '/')
        return "it is not an absolute URL";
    t->scheme = colon - url == 5 && !strncasecmp(url, "https", 5) ? "https"
              : colon - url == 4 && !strncasecmp(url, "http", 4) ? "http" : NULL;
    if (!t->scheme)
        return "its scheme is neither https nor http";
    t->authority = t->host = colon + 3;
    t->authority_len = strcspn(t->authority, "/?");
    end = t->authority + t->authority_len;
    if (memchr(t->authority, '@', t->authority_len))
        return "it holds a user name";
    port = memchr(t->host, ':', t->authority_len);
    t->host_len = (apr_size_t)((port ? port : end) - t->host);
    if (!plain_host(t->host, t->host + t->host_len))
        return "its host is not a plain host name";
    t->port = port ? port_of(port + 1, end, t->scheme) : default_port(t->scheme);
    return t->port < 0 ? "its port is not a number from 1 to 65535" : NULL;
}

/* NULL when url is plain and leads to one of those hosts, else the reason; "" when it leads elsewhere. */
static const char *not_among(const apr_array_header_t *hosts, const char *url, target *t)
{
    const char *wrong = url && *url ? suspicious(url) : "it is empty";
    int i;

    if (!wrong)
        wrong = split(url, t);
    if (wrong)
        return wrong;
    for (i = 0; hosts && i < hosts->nelts; i++)
        if (host_matches(&APR_ARRAY_IDX(hosts, i, po_return_host), t))
            return NULL;
    return "";
}

const char *po_return_url_refused(const po_buyer *b, const char *url, apr_pool_t *p)
{
    target t;
    const char *wrong = not_among(b->return_hosts, url, &t);

    if (!wrong || *wrong)
        return wrong;
    return apr_psprintf(p, "%s://%.*s is not among the PunchOutReturnHosts of buyer %s", t.scheme, (int)t.authority_len,
                        t.authority, b->name);
}

const char *po_sign_on_url_refused(const po_site *site, const char *url, apr_pool_t *p)
{
    target t;
    const char *wrong = not_among(site->sign_on_hosts, url, &t);

    if (!wrong || *wrong)
        return wrong;
    return apr_psprintf(p, "%s://%.*s is not among the PunchOutSignOnHosts of this marketplace", t.scheme,
                        (int)t.authority_len, t.authority);
}

/* ---- who we are to a buyer --------------------------------------------------------------------------------------- */

static const po_credential *of_same_domain(const apr_array_header_t *list, const po_credential *ours)
{
    int i;

    for (i = 0; list && i < list->nelts; i++)
        if (!strcasecmp(APR_ARRAY_IDX(list, i, po_credential).domain, ours->domain))
            return &APR_ARRAY_IDX(list, i, po_credential);
    return NULL;
}

const po_credential *po_site_identity(const po_site *site, const po_buyer *buyer, const po_credential **his)
{
    const apr_array_header_t *ours = buyer->suppliers && buyer->suppliers->nelts ? buyer->suppliers : site->identities;
    const po_credential *theirs;
    int i;

    if (his)
        *his = buyer->credentials && buyer->credentials->nelts ? &APR_ARRAY_IDX(buyer->credentials, 0, po_credential) : NULL;
    for (i = 0; ours && i < ours->nelts; i++) {
        if (!(theirs = of_same_domain(buyer->credentials, &APR_ARRAY_IDX(ours, i, po_credential))))
            continue;
        if (his)
            *his = theirs;
        return &APR_ARRAY_IDX(ours, i, po_credential);
    }
    return ours && ours->nelts ? &APR_ARRAY_IDX(ours, 0, po_credential) : NULL;
}
