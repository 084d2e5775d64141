/* access.c - Require punchout-session, punchout-buyer, punchout-organization: beside any AuthType, or without one. */
#include "handlers/handlers.h"

#include "ap_provider.h"
#include "mod_auth.h"

static const char *parse_nothing(cmd_parms *cmd, const char *line, const void **parsed)
{
    return *line ? "`Require punchout-session` takes no arguments; use `Require punchout-buyer NAME` for certain buyers"
                 : NULL;
}

static const char *parse_names(cmd_parms *cmd, const char *line, const void **parsed, const char *missing)
{
    apr_array_header_t *names = apr_array_make(cmd->pool, 2, sizeof(const char *));
    const char *name;

    while (*(name = ap_getword_conf(cmd->pool, &line)))
        APR_ARRAY_PUSH(names, const char *) = name;
    *parsed = names;
    return names->nelts ? NULL : missing;
}

static const char *parse_buyers(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse_names(cmd, line, parsed, "`Require punchout-buyer` needs the name of at least one <PunchOutBuyer> "
                       "block, as in `Require punchout-buyer acme`");
}

static const char *parse_organizations(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse_names(cmd, line, parsed, "`Require punchout-organization` needs at least one name that "
                       "PunchOutOrganization gives (or a block's own), as in `Require punchout-organization acme`");
}

static authz_status one_of(const char *name, const apr_array_header_t *names)
{
    int i;

    for (i = 0; i < names->nelts; i++)
        if (!strcmp(name, APR_ARRAY_IDX(names, i, const char *)))
            return AUTHZ_GRANTED;
    return AUTHZ_DENIED;
}

/* The session of somebody who came from a procurement system; one that began in the marketplace opens no door. */
static const po_session *punchout_session(request_rec *r)
{
    const po_session *s = po_request_session(r);

    return s && !po_session_is_draft(s) ? s : NULL;
}

/* Without a session the answer is AUTHZ_DENIED, never AUTHZ_DENIED_NO_USER: a login would not help. */
static authz_status check_session(request_rec *r, const char *line, const void *parsed)
{
    return punchout_session(r) ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

static authz_status check_buyer(request_rec *r, const char *line, const void *parsed)
{
    const po_session *s = punchout_session(r);

    return s ? one_of(s->buyer, parsed) : AUTHZ_DENIED;
}

static authz_status check_organization(request_rec *r, const char *line, const void *parsed)
{
    const po_session *s = punchout_session(r);
    const po_buyer *buyer = s ? po_site_buyer(po_config_site(r->server), s->buyer) : NULL;

    return buyer ? one_of(buyer->organization, parsed) : AUTHZ_DENIED;
}

static const authz_provider session_provider = { check_session, parse_nothing };
static const authz_provider buyer_provider = { check_buyer, parse_buyers };
static const authz_provider organization_provider = { check_organization, parse_organizations };

void po_access_register(apr_pool_t *p)
{
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "punchout-session", AUTHZ_PROVIDER_VERSION, &session_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "punchout-buyer", AUTHZ_PROVIDER_VERSION, &buyer_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "punchout-organization", AUTHZ_PROVIDER_VERSION,
                              &organization_provider, AP_AUTH_INTERNAL_PER_CONF);
}
