/* punchout.c - which URL below <Location /punchout> is it (design: one file for each). */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

/* What stands behind the door's path: "setup", "start/TOKEN" ...; NULL: this URL is not below it. */
static const char *below_door(request_rec *r, const po_site *site)
{
    const char *path = site->door + strlen(site->public_url);
    apr_size_t len = strlen(path);

    if (strncmp(r->uri, path, len) || r->uri[len] != '/')
        return NULL;
    return r->uri + len + 1;
}

/* The rest of `path` behind "name/", or NULL. */
static const char *behind(const char *path, const char *name)
{
    apr_size_t len = strlen(name);

    return strncmp(path, name, len) || path[len] != '/' || !path[len + 1] ? NULL : path + len + 1;
}

static int dispatch(request_rec *r, const po_site *site, const char *path)
{
    const char *rest;

    if (!strcmp(path, "setup") || !strcmp(path, "order"))
        return po_cxml_door(r, site);
    if ((rest = behind(path, "start")))
        return po_handle_start(r, site, rest);
    if (!strcmp(path, "request"))
        return po_handle_request(r, site);
    if (!strcmp(path, "requests") || !strcmp(path, "requests/"))
        return po_handle_requests(r, site, NULL);
    if ((rest = behind(path, "requests")))
        return po_handle_requests(r, site, rest);
    if (!strcmp(path, "cancel"))
        return po_handle_cancel(r, site);
    if ((rest = behind(path, "fulfilled")))
        return po_handle_fulfilled(r, site, rest);
    if (!strcmp(path, "index.cif") || !strcmp(path, "index.xml"))
        return po_handle_index(r, site, !strcmp(path, "index.cif"));
    if (!strcmp(path, "invoices") || !strcmp(path, "invoices/"))
        return po_handle_invoices(r, site, NULL);
    if ((rest = behind(path, "invoices")))
        return po_handle_invoices(r, site, rest);
    if ((rest = behind(path, "openbuy")))
        return po_handle_openbuy(r, site, rest);
    return HTTP_NOT_FOUND;
}

int po_handler(request_rec *r)
{
    const po_site *site;
    const char *path;

    if (!r->handler || strcmp(r->handler, "punchout"))
        return DECLINED;
    site = po_config_site(r->server);
    path = site ? below_door(r, site) : NULL;
    if (!path) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0100: no punchout at %s: %s", r->uri,
                      site ? apr_psprintf(r->pool, "this virtual host's door is %s", site->door)
                           : "set PunchOutPublicURL in this virtual host");
        return HTTP_NOT_FOUND;
    }
    return dispatch(r, site, path);
}
