/* mod_punchout - punchout and purchase orders by cXML for the marketplace behind httpd.
 *
 * The module record and its hooks, nothing else. See docs/architecture.md for the rooms below src/.
 */
#include "httpd.h"
#include "http_config.h"
#include "http_request.h"
#include "ap_mpm.h"
#include "mpm_common.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "handlers/handlers.h"

static void register_hooks(apr_pool_t *p)
{
    static const char *const after_headers[] = { "mod_headers.c", NULL };

    po_delivery_register();
    po_headers_register();
    po_cart_filter_register();
    po_access_register(p);

    ap_hook_pre_config(po_child_pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(po_child_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(po_config_dump, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(po_child_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* after mod_proxy, whose workers the deliverer uses */
    ap_hook_child_init(po_child_init, NULL, NULL, APR_HOOK_LAST);
    ap_hook_child_stopping(po_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);

    /* before anything that reads request headers */
    ap_hook_post_read_request(po_headers_clean, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* AP_AUTH_INTERNAL_PER_CONF: a raw access_checker would make httpd authorize every subrequest anew */
    ap_hook_check_access(po_headers_access, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(po_headers_session, NULL, NULL, APR_HOOK_MIDDLE);
    /* after mod_headers, whose "Header set Cache-Control" must not make a session's page public */
    ap_hook_insert_filter(po_headers_filter, after_headers, NULL, APR_HOOK_LAST);
    ap_hook_insert_filter(po_cart_filter, NULL, NULL, APR_HOOK_MIDDLE);
    /* under `ProxyPass /` a later hook loses, and the shared secret would go to the shop */
    ap_hook_handler(po_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

AP_DECLARE_MODULE(punchout) = {
    STANDARD20_MODULE_STUFF,
    po_config_create_dir, po_config_merge_dir,
    po_config_create_server, po_config_merge_server,
    po_config_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE
};
