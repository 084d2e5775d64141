/* check.c - creating and merging a server's configuration, and check_config over all virtual hosts. */
#include "config/config_private.h"

#include "apr_file_info.h"
#include <string.h>

#define SECONDS(n) ((apr_interval_time_t)(n) * APR_USEC_PER_SEC)
#define DAYS(n) SECONDS((apr_int64_t)(n) * 86400)

static po_global_config global_config;
static apr_array_header_t *all_sites;           /* po_site * */
static apr_hash_t *site_servers;                /* po_site * -> server_rec * */

/* ---- create and merge ----------------------------------------------------------------------------------------- */

void *po_config_create_server(apr_pool_t *p, server_rec *s)
{
    po_server_config *c = apr_pcalloc(p, sizeof(*c));       /* every setting unset */

    c->identities = apr_array_make(p, 1, sizeof(po_credential));
    c->buyers = apr_array_make(p, 4, sizeof(po_buyer_block *));
    c->hubs = apr_array_make(p, 1, sizeof(po_hub_block *));
    c->sign_on_hosts = apr_array_make(p, 1, sizeof(po_return_host));
    return c;
}

static const char *block_name(const apr_array_header_t *list, int i, int hubs)
{
    return hubs ? APR_ARRAY_IDX(list, i, po_hub_block *)->hub.name
                : APR_ARRAY_IDX(list, i, po_buyer_block *)->buyer.name;
}

/* The inherited blocks, but for those whose name occurs in add, then add's: a block is replaced whole. */
static apr_array_header_t *merge_blocks(apr_pool_t *p, const apr_array_header_t *base, const apr_array_header_t *add,
                                        int hubs)
{
    apr_array_header_t *merged = apr_array_make(p, base->nelts + add->nelts, sizeof(void *));
    apr_hash_t *names = apr_hash_make(p);
    int i;

    for (i = 0; i < add->nelts; i++)
        apr_hash_set(names, block_name(add, i, hubs), APR_HASH_KEY_STRING, "");
    for (i = 0; i < base->nelts; i++)
        if (!apr_hash_get(names, block_name(base, i, hubs), APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(merged, void *) = APR_ARRAY_IDX(base, i, void *);
    apr_array_cat(merged, add);
    return merged;
}

void *po_config_merge_server(apr_pool_t *p, void *base_config, void *add_config)
{
    const po_server_config *base = base_config, *add = add_config;
    po_server_config *m = apr_pcalloc(p, sizeof(*m));

#define MERGE(name) m->name = add->name.at ? add->name : base->name;
    PO_GLOBAL_SETTINGS(MERGE)
    PO_SITE_SETTINGS(MERGE)
#undef MERGE
    m->identities = add->identities->nelts ? add->identities : base->identities;
    m->sign_on_hosts = add->sign_on_hosts->nelts ? add->sign_on_hosts : base->sign_on_hosts;
    m->buyers = merge_blocks(p, base->buyers, add->buyers, 0);
    m->hubs = merge_blocks(p, base->hubs, add->hubs, 1);
    m->first = add->first;
    m->fault = add->fault ? add->fault : base->fault;
    return m;
}

/* No directive of ours belongs to a directory. */
void *po_config_create_dir(apr_pool_t *p, char *dir)
{
    return NULL;
}

void *po_config_merge_dir(apr_pool_t *p, void *base, void *add)
{
    return NULL;
}

/* ---- the process ---------------------------------------------------------------------------------------------- */

static apr_int64_t number_or(const po_setting *s, apr_int64_t otherwise)
{
    return s->at ? s->number : otherwise;
}

static void resolve_global(po_global_config *g, const po_server_config *c, apr_pool_t *p)
{
    const char *ledger = c->ledger.at ? c->ledger.text : "ledger.db";
    char *path;

    g->session_store = (apr_size_t)number_or(&c->session_store, 64 << 20);
    g->session_idle = number_or(&c->session_idle, SECONDS(30 * 60));
    g->session_total = number_or(&c->session_total, SECONDS(8 * 3600));
    g->start_life = number_or(&c->start_life, SECONDS(5 * 60));
    g->state_dir = c->state_dir.at ? c->state_dir.text : "/var/lib/punchout";
    g->retry_first = number_or(&c->retry_first, SECONDS(1));
    g->retry_longest = number_or(&c->retry_longest, SECONDS(600));
    if (g->retry_longest < g->retry_first)
        g->retry_longest = g->retry_first;      /* only one of the two was given */
    g->retry_for = number_or(&c->retry_for, DAYS(7));
    g->concurrency = (int)number_or(&c->concurrency, 8);
    if (apr_filepath_merge(&path, g->state_dir, ledger, 0, p) != APR_SUCCESS)
        path = apr_pstrcat(p, g->state_dir, "/", ledger, NULL);
    g->ledger = path;
}

/* ---- check_config --------------------------------------------------------------------------------------------- */

int po_config_pre_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp)
{
    po_report_start(p);
    all_sites = apr_array_make(p, 4, sizeof(po_site *));
    site_servers = apr_hash_make(p);
    return OK;
}

/* The files are read once before the start and once more at it; from the third time on a server is running. */
int po_config_running(void)
{
    return ap_retained_data_get(PO_RETAINED)
           || (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG && ap_state_query(AP_SQ_CONFIG_GEN) > 1);
}

static void add_site(po_site *site, server_rec *s, apr_pool_t *p)
{
    po_server_config *own = apr_pmemdup(p, po_server_config_get(s), sizeof(*own));

    /* a virtual host without directives of ours shares the main server's struct, but has its own site */
    own->site = site;
    ap_set_module_config(s->module_config, &punchout_module, own);
    APR_ARRAY_PUSH(all_sites, po_site *) = site;
    apr_hash_set(site_servers, apr_pmemdup(p, &site, sizeof(site)), sizeof(site), s);
}

static void resolve_sites(po_check *c, server_rec *main_server)
{
    const po_server_config *top = po_server_config_get(main_server);
    server_rec *s;

    for (s = main_server; s; s = s->next) {
        po_site *site;

        c->server = s;
        c->config = po_server_config_get(s);
        if (s != main_server && c->config == top && !top->public_url.at)
            continue;
        site = po_site_resolve(c);
        if (site)
            add_site(site, s, c->pool);
    }
    if (!all_sites->nelts && top->first && !top->fault)
        po_report(APLOG_ERR, top->first, NULL, "PO0055: PunchOutPublicURL is missing; add it here or to a "
                  "<VirtualHost>, e.g. PunchOutPublicURL https://market.example");
}

int po_config_check(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    po_check c = { p, po_config_running(), &global_config, apr_hash_make(ptemp) };
    int errors;

    c.validators = apr_hash_make(ptemp);
    resolve_global(&global_config, po_server_config_get(s), p);
    if (po_report_process_fault() && c.running && po_kept_global())
        global_config = *po_kept_global();
    c.crypto = po_crypto_create();
    if (!c.crypto)
        po_report(APLOG_ERR, NULL, NULL, "PO0056: libcrypto offers no SHA-256; mod_punchout can't work without");
    else
        resolve_sites(&c, s);
    po_crypto_destroy(c.crypto);
    errors = po_report_log(s, c.running);
    if (!po_report_process_fault() && ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG)
        po_keep_global(&global_config, s->process->pool);
    return errors && !c.running ? !OK : OK;
}

/* ---- what the other rooms read -------------------------------------------------------------------------------- */

po_site *po_config_site(server_rec *s)
{
    return po_server_config_get(s)->site;
}

const po_global_config *po_config_global(void)
{
    return &global_config;
}

const apr_array_header_t *po_config_sites(void)
{
    return all_sites;
}

server_rec *po_config_site_server(const po_site *site)
{
    return apr_hash_get(site_servers, &site, sizeof(site));
}
