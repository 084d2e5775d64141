/* config_private.h - what the files of src/config share: settings as read, where they stand, the list of problems. */
#ifndef PO_CONFIG_PRIVATE_H
#define PO_CONFIG_PRIVATE_H

#include "config/config.h"
#include "http_core.h"
#include "http_log.h"
#include "apr_uri.h"

extern module AP_MODULE_DECLARE_DATA punchout_module;

/* ---- what was read -------------------------------------------------------------------------------------------- */

typedef struct {                                /* where a directive stands */
    const char *directive, *file;
    int line;
} po_place;

typedef struct {                                /* one value; at == NULL: the directive was not given */
    const char *text;
    apr_int64_t number;
    const po_place *at;
} po_setting;

/* Every single-valued directive of the main server and of a virtual host. Declared, merged and dumped from these lists,
 * so that no member can be forgotten in one of them. */
#define PO_GLOBAL_SETTINGS(X) \
    X(session_store) X(session_idle) X(session_total) X(start_life) X(state_dir) X(ledger) \
    X(retry_first) X(retry_longest) X(retry_for) X(concurrency)
#define PO_SITE_SETTINGS(X) \
    X(public_url) X(catalog) X(start_page) X(product_page) X(fulfillment) X(fulfillment_test) X(backend_secret) \
    X(mail_url) X(mail_from) X(mail_templates) X(request_timeout) X(usage_budget) X(account) X(activate) \
    X(lines) X(validate) X(ca_file) X(openbuy_token)
#define PO_PROFILE_SETTINGS(X) \
    X(profile) X(dtd) X(cart_field) X(transient_http) X(price_decimals) X(part_bytes) X(description_bytes) \
    X(short_name_bytes) X(forbidden) X(ascii) X(start_elsewhere) X(documents) X(post_dtd)

#define PO_MEMBER(name) po_setting name;

typedef struct {                                /* a PunchOutSharedSecret or PunchOutOpenBuyCredentials: what was written, and when it counts */
    po_setting value;
    apr_time_t from, until;
} po_secret_setting;

typedef struct {                                /* a <PunchOutHub>, shared by every virtual host that inherits it */
    po_hub hub;                                 /* its secrets are read by check_config */
    const po_place *at;
    apr_array_header_t *secrets;                /* po_secret_setting */
    po_setting authentication, post_secret;
    int checked;
    const char *fault;
} po_hub_block;

typedef struct {                                /* a <PunchOutBuyer>, shared likewise; every site copies buyer */
    po_buyer buyer;
    const po_place *at;
    PO_PROFILE_SETTINGS(PO_MEMBER)
    po_setting via, activate, lines, authentication, post_secret, request_redirect;
    apr_array_header_t *secrets;                /* po_secret_setting */
    apr_array_header_t *openbuy_credentials;    /* po_secret_setting */
    int checked;
    const char *fault;
} po_buyer_block;

typedef struct {                                /* of one server_rec */
    PO_GLOBAL_SETTINGS(PO_MEMBER)
    PO_SITE_SETTINGS(PO_MEMBER)
    apr_array_header_t *identities;             /* po_credential */
    apr_array_header_t *buyers;                 /* po_buyer_block * */
    apr_array_header_t *hubs;                   /* po_hub_block * */
    apr_array_header_t *sign_on_hosts;          /* po_return_host */
    const po_place *first;                      /* the first directive of a site here; not inherited */
    const char *fault;                          /* the first problem of a directive of the site */
    po_site *site;                              /* set by check_config */
} po_server_config;

po_server_config *po_server_config_get(const server_rec *s);

/* ---- reading a directive -------------------------------------------------------------------------------------- */

enum {                                          /* where a directive may stand */
    PO_IN_PROCESS = 1,                          /* the main server, for the whole process */
    PO_IN_SITE = 2,                             /* the main server or a virtual host */
    PO_IN_BUYER = 4,
    PO_IN_HUB = 8,
    PO_SECRET_VALUE = 16                        /* its first argument never appears in a message */
};

typedef struct po_reading po_reading;
typedef struct {
    const char *name;
    unsigned where;
    int min, max;                               /* number of arguments; max 0: any */
    void (*set)(po_reading *x);
    const char *usage;
} po_directive;

struct po_reading {                             /* one occurrence of a directive */
    apr_pool_t *pool;
    cmd_parms *cmd;
    const ap_directive_t *node;
    const po_directive *directive;
    const po_place *at;
    po_server_config *config;
    po_buyer_block *buyer;                      /* the block it stands in, or NULL */
    po_hub_block *hub;
    const char *shown;                          /* its arguments, fit for a message */
    int argc;
    char **argv;
};

/* Records that this occurrence is wrong; text is an id and what would be right. The block, the site or the process gets
 * the fault. */
void po_wrong(po_reading *x, const char *text);
/* "is accepted but not carried out in this version"; text is an id and what was asked for. */
void po_not_carried_out(po_reading *x, const char *text);
void po_keep(po_reading *x, po_setting *to, const char *text, apr_int64_t number);
/* Runs the directives between <PunchOutX> and </PunchOutX>; x->buyer or x->hub is the block. */
void po_read_block(po_reading *x);

/* words.c: NULL, or what is wrong. */
const char *po_duration_parse(apr_interval_time_t *out, const char *word);
const char *po_size_parse(apr_size_t *out, const char *word);
/* schemes: "https http". An absolute URL without blanks, controls or foreign characters. */
const char *po_url_parse(apr_uri_t *out, const char *url, const char *schemes, apr_pool_t *p);
/* The same with user name and password replaced, for messages and the dump. */
const char *po_url_masked(const char *url, apr_pool_t *p);
/* Letters, digits, '.', '_' and '-', at most 64: names go into URLs and request headers. */
int po_name_valid(const char *name);

/* blocks.c: the two containers and the directives that stand in them */
void po_read_hub(po_reading *x);
void po_read_buyer(po_reading *x);
void po_read_sender(po_reading *x);
void po_read_secret(po_reading *x);
void po_read_post(po_reading *x);
void po_read_post_secret(po_reading *x);
void po_read_profile(po_reading *x);
void po_read_organization(po_reading *x);
void po_read_credential(po_reading *x);
void po_read_supplier(po_reading *x);
void po_read_sellers(po_reading *x);
void po_read_return_hosts(po_reading *x);
void po_read_sign_on_hosts(po_reading *x);
void po_read_request_redirect(po_reading *x);
void po_read_deployment(po_reading *x);
void po_read_preapprove(po_reading *x);
void po_read_currency(po_reading *x);
void po_read_approvals(po_reading *x);
void po_read_via(po_reading *x);
void po_read_mismatch(po_reading *x);
void po_read_usage_limit(po_reading *x);
void po_read_dtd(po_reading *x);
void po_read_cart_field(po_reading *x);
void po_read_transient_http(po_reading *x);
void po_read_price_decimals(po_reading *x);
void po_read_unit(po_reading *x);
void po_read_limit(po_reading *x);
void po_read_forbidden(po_reading *x);
void po_read_ascii(po_reading *x);
void po_read_start_elsewhere(po_reading *x);
void po_read_documents(po_reading *x);
void po_read_post_dtd(po_reading *x);
void po_read_user_data(po_reading *x);
void po_read_identity_case(po_reading *x);
void po_read_certificate(po_reading *x);
void po_read_authentication(po_reading *x);

/* openbuy.c: the directives of Coupa Open Buy */
void po_read_openbuy_credentials(po_reading *x);
void po_read_openbuy_field(po_reading *x);
void po_read_openbuy_rate(po_reading *x);
void po_read_openbuy_token(po_reading *x);
/* NULL, or which two members would have one name in that buyer's JSON. */
const char *po_openbuy_fields_wrong(const po_buyer *buyer, apr_pool_t *p);
/* "SECRET [from=TIMESTAMP] [until=TIMESTAMP]" into list, which takes two. */
void po_add_secret(po_reading *x, apr_array_header_t *list);

/* ---- problems (report.c) -------------------------------------------------------------------------------------- */

/* Forgets what the last reading of the files left. */
void po_report_start(apr_pool_t *p);
/* Adds a line, once: level is APLOG_ERR, APLOG_WARNING or APLOG_NOTICE; value may be NULL. */
void po_report(int level, const po_place *at, const char *value, const char *text);
/* A problem of a directive that belongs to the process. */
void po_report_process(const char *fault);
const char *po_report_process_fault(void);
/* Logs every line; the number of errors. */
int po_report_log(server_rec *s, int running);

/* ---- checks --------------------------------------------------------------------------------------------------- */

/* secret.c: reads "file:PATH", "exec:COMMAND" or the secret itself into value and source. NULL, or what is wrong. */
const char *po_secret_read(const char *text, po_secret *out, apr_pool_t *p);
/* How the argument of a secret may appear in a message. */
const char *po_secret_shown(const char *text, apr_pool_t *p);

/* proxy.c: what httpd's own configuration says. NULL, or what is wrong with the target of PunchOutFulfillment. */
const char *po_proxy_target_wrong(const server_rec *s, const char *url, apr_pool_t *p);
/* Path of the <Location> with "SetHandler punchout" that this server uses, NULL: none. */
const char *po_proxy_door(const server_rec *s, apr_pool_t *p);

/* site.c: one virtual host after the other, merged and checked. */
typedef struct {
    apr_pool_t *pool;
    int running;                                /* a raw restart: nothing may fail, what is wrong gets a fault */
    const po_global_config *global;
    apr_hash_t *catalogs;                       /* catalog files that were looked at in this check */
    po_crypto *crypto;
    server_rec *server;                         /* of the virtual host at hand */
    const po_server_config *config;
    po_site *site;
    apr_hash_t *validators;                     /* folder of PunchOutValidate -> po_cxml_validator * */
} po_check;
/* NULL: this virtual host has no PunchOut configuration. */
po_site *po_site_resolve(po_check *c);

/* kept.c: what a restart by a raw signal falls back to. NULL: nothing was kept. */
const po_global_config *po_kept_global(void);
void po_keep_global(const po_global_config *global, apr_pool_t *process_pool);

#endif
