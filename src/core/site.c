/* site.c - who is it, and where may a cart go back to. */
#include "core/core.h"

#include "apr_lib.h"
#include "apr_uri.h"
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 1024                    /* of (From, To): domains and identities longer than that match nobody */

/* "domain\0identity\0domain\0identity\0", domains in lower case; 0 when it doesn't fit. */
static apr_size_t pair_key(char key[KEY_MAX], const po_credential *from, const po_credential *to)
{
    const char *part[4] = { from->domain, from->identity, to->domain, to->identity };
    apr_size_t n = 0;
    int i;

    for (i = 0; i < 4; i++) {
        const char *s = part[i] ? part[i] : "";

        for (; *s; s++) {
            if (n + 2 > KEY_MAX)
                return 0;
            key[n++] = (char)(i & 1 ? *s : apr_tolower(*s));
        }
        if (n + 2 > KEY_MAX)
            return 0;
        key[n++] = '\0';
    }
    return n;
}

static int same_credential(const po_credential *a, const po_credential *b)
{
    return a->domain && b->domain && a->identity && b->identity && *b->identity
           && !strcasecmp(a->domain, b->domain) && !strcmp(a->identity, b->identity);
}

/* ---- index ---------------------------------------------------------------------------------------------------- */

static const char *index_pair(po_site *site, po_buyer *b, const po_credential *from, const po_credential *to, apr_pool_t *p)
{
    char key[KEY_MAX];
    apr_size_t n = pair_key(key, from, to);
    po_buyer *other;

    if (!n)
        return apr_psprintf(p, "buyer \"%s\": domain and identity are too long", b->name);
    other = apr_hash_get(site->by_credential, key, (apr_ssize_t)n);
    if (other && other != b)
        return apr_psprintf(p, "buyers \"%s\" and \"%s\" both claim From %s %s, To %s %s: give one of them a "
                            "PunchOutSupplier or a PunchOutCredential of its own", other->name, b->name,
                            from->domain, from->identity, to->domain, to->identity);
    apr_hash_set(site->by_credential, apr_pmemdup(p, key, n), (apr_ssize_t)n, b);
    return NULL;
}

static const char *index_buyer(po_site *site, po_buyer *b, apr_pool_t *p)
{
    const apr_array_header_t *to = b->suppliers && b->suppliers->nelts ? b->suppliers : site->identities;
    int f, t;

    for (f = 0; b->credentials && f < b->credentials->nelts; f++)
        for (t = 0; to && t < to->nelts; t++) {
            const char *wrong = index_pair(site, b, &APR_ARRAY_IDX(b->credentials, f, po_credential),
                                           &APR_ARRAY_IDX(to, t, po_credential), p);
            if (wrong)
                return wrong;
        }
    return NULL;
}

const char *po_site_index(po_site *site, apr_pool_t *p)
{
    int i;

    site->by_name = apr_hash_make(p);
    site->by_credential = apr_hash_make(p);
    for (i = 0; i < site->buyers->nelts; i++) {
        po_buyer *b = APR_ARRAY_IDX(site->buyers, i, po_buyer *);
        const char *wrong = index_buyer(site, b, p);

        if (wrong)
            return wrong;
        apr_hash_set(site->by_name, b->name, APR_HASH_KEY_STRING, b);
    }
    return NULL;
}

const po_buyer *po_site_buyer(const po_site *site, const char *name)
{
    return name ? apr_hash_get(site->by_name, name, APR_HASH_KEY_STRING) : NULL;
}

/* ---- match ---------------------------------------------------------------------------------------------------- */

static void find_buyer(const po_site *site, const po_party *from, const po_party *to, po_match *out)
{
    char key[KEY_MAX];
    int f, t;

    for (f = 0; f < from->count; f++)
        for (t = 0; t < to->count; t++) {
            apr_size_t n = pair_key(key, &from->cred[f], &to->cred[t]);

            if (n && (out->buyer = apr_hash_get(site->by_credential, key, (apr_ssize_t)n))) {
                out->from = &from->cred[f];
                out->to = &to->cred[t];
                return;
            }
        }
}

static int among(const apr_array_header_t *list, const po_party *party)
{
    int i, k;

    for (i = 0; list && i < list->nelts; i++)
        for (k = 0; k < party->count; k++)
            if (same_credential(&APR_ARRAY_IDX(list, i, po_credential), &party->cred[k]))
                return 1;
    return 0;
}

/* A buyer that comes through a hub is spoken for by nobody else, and a hub for nobody that doesn't name it. */
static int sender_allowed(const po_buyer *b, const po_party *sender)
{
    if (b->via)
        return among(b->via->senders, sender);
    return among(b->credentials, sender) || among(b->senders, sender);
}

/* Takes the same time whether the buyer exists or not: two comparisons in any case. */
static int secret_matches(po_crypto *c, const po_buyer *b, const char *secret)
{
    static const po_secret nobody;
    const apr_array_header_t *slots = !b ? NULL : b->via ? b->via->secrets : b->secrets;
    unsigned char digest[PO_DIGEST];
    int i, same = 0;

    if (!secret)
        secret = "";
    po_sha256(c, secret, strlen(secret), digest);
    for (i = 0; i < 2; i++) {
        const po_secret *s = slots && i < slots->nelts ? &APR_ARRAY_IDX(slots, i, po_secret) : &nobody;

        same |= po_equal(digest, s->digest, PO_DIGEST) & (s != &nobody);
    }
    return same && *secret && strcasecmp(secret, "none");
}

/* "domain identity" of every credential, for the log. */
static const char *party_text(const po_party *party, apr_pool_t *p)
{
    const char *text = party->count ? "" : "nobody";
    int i;

    for (i = 0; i < party->count; i++)
        text = apr_pstrcat(p, text, i ? ", " : "", party->cred[i].domain ? party->cred[i].domain : "?", " ",
                           party->cred[i].identity ? party->cred[i].identity : "?", NULL);
    return text;
}

void po_match_request(const po_site *site, po_crypto *c, const po_claim *claim, po_match *out, apr_pool_t *p)
{
    const po_party *from = claim->from, *to = claim->to, *sender = claim->sender;
    const char *secret = claim->secret;
    int secret_ok;

    memset(out, 0, sizeof(*out));
    find_buyer(site, from, to, out);
    secret_ok = secret_matches(c, out->buyer, secret);
    if (!out->buyer) {
        out->result = PO_MATCH_UNKNOWN;
        out->why = apr_psprintf(p, "no PunchOutBuyer for From %s, To %s", party_text(from, p), party_text(to, p));
    }
    else if (out->buyer->fault) {
        out->result = PO_MATCH_FAULT;
        out->why = apr_psprintf(p, "buyer %s can't be used: %s", out->buyer->name, out->buyer->fault);
    }
    else if (!sender_allowed(out->buyer, sender)) {
        out->result = PO_MATCH_SENDER;
        out->why = apr_psprintf(p, "Sender %s may not speak for buyer %s: %s", party_text(sender, p), out->buyer->name,
                                out->buyer->via ? "it comes through its PunchOutVia only"
                                                : "add a PunchOutSender to its block if it should");
    }
    else if (!secret_ok) {
        out->result = PO_MATCH_SECRET;
        out->why = apr_psprintf(p, "%s SharedSecret of Sender %s for buyer %s", secret && *secret ? "wrong" : "no",
                                party_text(sender, p), out->buyer->name);
    }
}

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

static int host_matches(const po_return_host *allowed, const char *scheme, const char *host, int port)
{
    apr_size_t n = strlen(host), l = strlen(allowed->host);

    if (strcmp(allowed->scheme, scheme) || (allowed->port && allowed->port != port))
        return 0;
    if (*allowed->host == '.')
        return n > l && !strcmp(host + n - l, allowed->host);
    return !strcmp(host, allowed->host);
}

/* What a parser of another make may read differently: refused before ours looks at it. */
static const char *suspicious(const char *url)
{
    const unsigned char *s = (const unsigned char *)url;

    for (; *s; s++)
        if (*s <= ' ' || *s >= 127 || *s == '\\' || *s == '#' || *s == '"' || *s == '<' || *s == '>')
            return "it holds blanks, control or non-ASCII characters, a backslash, a quote or a fragment";
    return s - (const unsigned char *)url > 2048 ? "it is longer than 2048 characters" : NULL;
}

const char *po_return_url_refused(const po_buyer *b, const char *url, apr_pool_t *p)
{
    const char *wrong = url && *url ? suspicious(url) : "it is empty";
    apr_uri_t uri;
    char *s;
    int i;

    if (wrong)
        return wrong;
    if (apr_uri_parse(p, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname)
        return "it is not an absolute URL";
    for (s = uri.scheme; *s; s++)
        *s = apr_tolower(*s);
    for (s = uri.hostname; *s; s++)
        *s = apr_tolower(*s);
    if (strcmp(uri.scheme, "https") && strcmp(uri.scheme, "http"))
        return "its scheme is neither https nor http";
    if (uri.user || uri.password || (uri.hostinfo && strchr(uri.hostinfo, '@')))
        return "it holds a user name";
    if (!host_valid(uri.hostname) || *uri.hostname == '.')
        return "its host is not a plain host name";
    for (i = 0; b->return_hosts && i < b->return_hosts->nelts; i++)
        if (host_matches(&APR_ARRAY_IDX(b->return_hosts, i, po_return_host), uri.scheme, uri.hostname,
                         uri.port_str ? uri.port : default_port(uri.scheme)))
            return NULL;
    return apr_psprintf(p, "%s://%s is not among the PunchOutReturnHosts of buyer %s", uri.scheme,
                        uri.hostinfo ? uri.hostinfo : uri.hostname, b->name);
}
