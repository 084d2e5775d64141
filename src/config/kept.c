/* kept.c - the last good values, kept over restarts in the process pool.
 *
 * The module is unloaded and loaded at each restart; retained data is not. Strings are copied only when they change, so
 * that restarts don't make the process pool grow.
 */
#include "config/config_private.h"

#include "apr_file_info.h"
#include <string.h>

#define KEPT "mod_punchout_config"

typedef struct {
    po_global_config global;
    int have_global;
    apr_hash_t *catalogs;                       /* PunchOutPublicURL -> path of the compiled catalog */
} kept;

static kept *get(void)
{
    kept *k = ap_retained_data_get(KEPT);

    return k ? k : ap_retained_data_create(KEPT, sizeof(*k));
}

static const char *same_or_copy(const char *old, const char *text, apr_pool_t *p)
{
    return old && !strcmp(old, text) ? old : apr_pstrdup(p, text);
}

const po_global_config *po_kept_global(void)
{
    const kept *k = get();

    return k->have_global ? &k->global : NULL;
}

void po_keep_global(const po_global_config *global, apr_pool_t *process_pool)
{
    kept *k = get();
    const char *dir = same_or_copy(k->global.state_dir, global->state_dir, process_pool);
    const char *ledger = same_or_copy(k->global.ledger, global->ledger, process_pool);

    k->global = *global;
    k->global.state_dir = dir;
    k->global.ledger = ledger;
    k->have_global = 1;
}

void po_config_catalog_good(const po_site *site)
{
    kept *k = get();
    server_rec *s = po_config_site_server(site);
    const char *old;

    if (!s || !site->catalog_db)
        return;
    if (!k->catalogs)
        k->catalogs = apr_hash_make(s->process->pool);
    old = apr_hash_get(k->catalogs, site->public_url, APR_HASH_KEY_STRING);
    if (!old || strcmp(old, site->catalog_db))
        apr_hash_set(k->catalogs, old ? site->public_url : apr_pstrdup(s->process->pool, site->public_url),
                     APR_HASH_KEY_STRING, apr_pstrdup(s->process->pool, site->catalog_db));
}

const char *po_config_catalog_last(const po_site *site, apr_pool_t *p)
{
    const kept *k = get();
    const char *db = k->catalogs ? apr_hash_get(k->catalogs, site->public_url, APR_HASH_KEY_STRING) : NULL;
    apr_finfo_t info;

    if (!db || apr_stat(&info, db, APR_FINFO_TYPE, p) != APR_SUCCESS)
        return NULL;
    return apr_pstrdup(p, db);
}
