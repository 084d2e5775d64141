/* words.c - durations, sizes, names and URLs as they are written in the configuration. */
#include "config/config_private.h"

#include "apr_lib.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *suffix;
    apr_int64_t factor;
} unit;

/* A positive whole number with one of the units behind it; 0 when it is none, or larger than largest. */
static apr_int64_t with_unit(const char *word, const unit *units, apr_int64_t largest)
{
    char *end;
    apr_int64_t n;

    if (!apr_isdigit(*word) || strlen(word) > 15)
        return 0;
    n = apr_strtoi64(word, &end, 10);
    for (; units->suffix; units++)
        if (!strcasecmp(end, units->suffix))
            return n <= largest / units->factor ? n * units->factor : 0;
    return 0;
}

const char *po_duration_parse(apr_interval_time_t *out, const char *word)
{
    static const unit units[] = {
        { "ms", 1000 }, { "s", APR_USEC_PER_SEC }, { "m", 60 * APR_USEC_PER_SEC },
        { "h", 3600 * APR_USEC_PER_SEC }, { "d", 86400 * APR_USEC_PER_SEC }, { NULL, 0 }
    };
    apr_int64_t n = with_unit(word, units, 3650 * 86400 * APR_USEC_PER_SEC);

    if (!n)
        return "write a duration with its unit, more than zero and at most ten years: 500ms, 30s, 5m, 8h or 30d";
    *out = n;
    return NULL;
}

/* 127.0.0.1 and its neighbours, not a name that begins like that. */
static int is_loopback_address(const char *host)
{
    return !strncmp(host, "127.", 4) && host[strspn(host, "0123456789.")] == '\0';
}

int po_url_is_loopback(const char *url, apr_pool_t *p)
{
    apr_uri_t uri;

    return apr_uri_parse(p, url, &uri) == APR_SUCCESS && uri.hostname
           && (!strcasecmp(uri.hostname, "localhost") || is_loopback_address(uri.hostname)
               || !strcmp(uri.hostname, "::1") || !strcmp(uri.hostname, "[::1]"));
}

const char *po_size_parse(apr_size_t *out, const char *word)
{
    static const unit units[] = {
        { "K", 1024 }, { "M", 1024 * 1024 }, { "G", 1024 * 1024 * 1024 }, { NULL, 0 }
    };
    apr_int64_t n = with_unit(word, units, (apr_int64_t)64 << 30);

    if (n < 1024 * 1024)
        return "write a size with its unit, from 1M to 64G, e.g. 64M";
    *out = (apr_size_t)n;
    return NULL;
}

static int among(const char *word, const char *list)
{
    apr_size_t n = strlen(word);

    for (; *list; list += *list == ' ') {
        apr_size_t l = strcspn(list, " ");

        if (l == n && !strncasecmp(word, list, n))
            return 1;
        list += l;
    }
    return 0;
}

const char *po_url_parse(apr_uri_t *out, const char *url, const char *schemes, apr_pool_t *p)
{
    const unsigned char *s = (const unsigned char *)url;

    for (; *s; s++)
        if (*s <= ' ' || *s >= 127 || strchr("\\\"<>", *s))
            return "the URL holds a blank, a backslash, a quote or a foreign character; percent-encode it";
    if (apr_uri_parse(p, url, out) != APR_SUCCESS || !out->scheme || !out->hostname || !*out->hostname)
        return apr_psprintf(p, "write an absolute URL with scheme and host (scheme: %s)", schemes);
    if (!among(out->scheme, schemes))
        return apr_psprintf(p, "the scheme must be one of: %s", schemes);
    if (out->port_str && (!*out->port_str || !out->port))
        return "the port must be a number from 1 to 65535";
    if (out->fragment)
        return "leave the fragment (#...) out";
    return NULL;
}

const char *po_url_masked(const char *url, apr_pool_t *p)
{
    const char *host = url ? strstr(url, "://") : NULL, *at;
    apr_size_t authority;

    if (!host)
        return url;
    host += 3;
    authority = strcspn(host, "/?#");
    for (at = host + authority; at > host && *at != '@'; at--)
        ;
    if (at == host)
        return url;
    return apr_psprintf(p, "%.*s********%s", (int)(host - url), url, at);
}

int po_name_valid(const char *name)
{
    const char *s = name;

    for (; *s; s++)
        if (!apr_isalnum(*s) && !strchr("._-", *s))
            return 0;
    return s > name && s - name <= 64;
}
