/* proxy.c - what httpd's own configuration says about our backend and our doors.
 *
 * Read from the tree of directives (ap_conftree), because mod_ssl offers its settings to nobody. Limits: <If> and the
 * form <Proxy ~ REGEX> are not looked into, and <Proxy> is compared with the URL as it is written.
 */
#include "config/config_private.h"

#include "apr_fnmatch.h"
#include "util_cfgtree.h"
#include <string.h>

static int is(const ap_directive_t *node, const char *name)
{
    return !strcasecmp(node->directive, name);
}

/* The children of this server's <VirtualHost>, NULL for the main server. */
static const ap_directive_t *own_tree(const server_rec *s)
{
    const ap_directive_t *node;

    if (!s->is_virtual || !s->defn_name)
        return NULL;
    for (node = ap_conftree; node; node = node->next)
        if (is(node, "<VirtualHost") && (unsigned)node->line_num == s->defn_line_number
            && !strcmp(node->filename, s->defn_name))
            return node->first_child;
    return NULL;
}

/* The n-th word of a directive's arguments (from 0), without the '>' of a section; NULL: there is none. */
static const char *word(const ap_directive_t *node, int n, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, node->args);
    const char *rest = text;
    apr_size_t len = strlen(text);
    char *w = NULL;

    if (*node->directive == '<' && len && text[len - 1] == '>')
        text[len - 1] = '\0';
    for (; n >= 0; n--) {
        if (!*rest)
            return NULL;
        w = ap_getword_conf(p, &rest);
    }
    return w;
}

/* ---- <Proxy> -------------------------------------------------------------------------------------------------- */

/* As mod_proxy compares a section with the URL of a request. */
static int section_matches(const ap_directive_t *node, const char *url, apr_pool_t *p)
{
    const char *pattern = word(node, 0, p);
    ap_regex_t *regex;

    if (!pattern)
        return 0;
    if (is(node, "<ProxyMatch")) {
        regex = ap_pregcomp(p, pattern, AP_REG_EXTENDED);
        return regex && !ap_regexec(regex, url, 0, NULL, 0);
    }
    if (!is(node, "<Proxy"))
        return 0;
    if (apr_fnmatch_test(pattern))
        return apr_fnmatch(pattern, url, 0) == APR_SUCCESS;
    return !strncasecmp(url, pattern, strlen(pattern));
}

static const char *last_value(const ap_directive_t *tree, const char *name, const char *value, apr_pool_t *p)
{
    for (; tree; tree = tree->next)
        if (is(tree, name))
            value = word(tree, 0, p);
    return value;
}

static const char *section_value(const ap_directive_t *tree, const char *name, const char *url, const char *value,
                                 apr_pool_t *p)
{
    for (; tree; tree = tree->next)
        if (*tree->directive == '<' && section_matches(tree, url, p))
            value = last_value(tree->first_child, name, value, p);
    return value;
}

/* What a directive of mod_ssl says for requests to url: main server, virtual host, then the sections of both. */
static const char *effective(const server_rec *s, const char *name, const char *url, apr_pool_t *p)
{
    const ap_directive_t *own = own_tree(s);
    const char *value = last_value(ap_conftree, name, NULL, p);

    value = last_value(own, name, value, p);
    value = section_value(ap_conftree, name, url, value, p);
    return section_value(own, name, url, value, p);
}

static const char *https_wrong(const server_rec *s, const char *url, apr_pool_t *p)
{
    const char *verify = effective(s, "SSLProxyVerify", url, p);
    const char *engine = effective(s, "SSLProxyEngine", url, p);

    if (!verify || strcasecmp(verify, "require"))
        return apr_psprintf(p, "the backend's certificate is not checked: write SSLProxyVerify require and "
                            "SSLProxyCACertificateFile into <Proxy \"%s\">", url);
    if (!engine || strcasecmp(engine, "on"))
        return apr_psprintf(p, "https to the backend is off: write SSLProxyEngine on into <Proxy \"%s\">", url);
    return NULL;
}

/* ---- balancers ------------------------------------------------------------------------------------------------ */

typedef struct {
    int members, https;
    const char *foreign;                        /* a member whose scheme we don't speak */
} balancer;

static void add_member(balancer *b, const char *url)
{
    if (!url)
        return;
    b->members++;
    if (!strncasecmp(url, "https:", 6))
        b->https = 1;
    else if (strncasecmp(url, "http:", 5))
        b->foreign = url;
}

static int same_balancer(const char *text, const char *name)
{
    apr_size_t len = strlen(name);

    return text && !strncasecmp(text, name, len) && (!text[len] || !strcmp(text + len, "/"));
}

/* Members stand in <Proxy balancer://name>, or outside with the balancer's name before their own. */
static void find_members(balancer *b, const ap_directive_t *tree, const char *name, apr_pool_t *p)
{
    const ap_directive_t *child;

    for (; tree; tree = tree->next) {
        if (is(tree, "BalancerMember") && same_balancer(word(tree, 0, p), name))
            add_member(b, word(tree, 1, p));
        if (!is(tree, "<Proxy") || !same_balancer(word(tree, 0, p), name))
            continue;
        for (child = tree->first_child; child; child = child->next)
            if (is(child, "BalancerMember"))
                add_member(b, word(child, 0, p));
    }
}

static const char *balancer_wrong(const server_rec *s, const char *url, apr_pool_t *p)
{
    const char *name = apr_pstrmemdup(p, url, 11 + strcspn(url + 11, "/"));     /* 11: "balancer://" */
    balancer b = { 0, 0, NULL };

    if (!ap_find_linked_module("mod_proxy_balancer.c"))
        return "a balancer needs mod_proxy_balancer; load it, with an lbmethod module";
    find_members(&b, ap_conftree, name, p);
    find_members(&b, own_tree(s), name, p);
    if (!b.members)
        return apr_psprintf(p, "there is no <Proxy \"%s\"> with a BalancerMember; add one", name);
    if (b.foreign)
        return apr_psprintf(p, "its BalancerMember %s is neither http nor https", po_url_masked(b.foreign, p));
    return b.https ? https_wrong(s, name, p) : NULL;
}

const char *po_proxy_target_wrong(const server_rec *s, const char *url, apr_pool_t *p)
{
    if (!ap_find_linked_module("mod_proxy.c"))
        return "delivery goes through mod_proxy; load it with mod_proxy_http";
    if (!ap_find_linked_module("mod_proxy_http.c"))
        return "delivery needs mod_proxy_http; load it";
    if (!strncasecmp(url, "balancer:", 9))
        return balancer_wrong(s, url, p);
    return strncasecmp(url, "https:", 6) ? NULL : https_wrong(s, url, p);
}

/* ---- our own <Location> --------------------------------------------------------------------------------------- */

static const char *door_in(const ap_directive_t *tree, apr_pool_t *p)
{
    for (; tree; tree = tree->next) {
        const char *handler = is(tree, "<Location") ? last_value(tree->first_child, "SetHandler", NULL, p) : NULL;
        const char *path = handler && !strcasecmp(handler, "punchout") ? word(tree, 0, p) : NULL;

        if (path && *path == '/')
            return path;
    }
    return NULL;
}

const char *po_proxy_door(const server_rec *s, apr_pool_t *p)
{
    const char *path = door_in(own_tree(s), p);

    return path ? path : door_in(ap_conftree, p);
}
