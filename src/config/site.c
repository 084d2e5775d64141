/* site.c - one virtual host: its settings, hubs and buyers merged into a po_site, and everything checked that a file
 * can get wrong. */
#include "config/config_private.h"
#include "cxml/cxml.h"
#include "market/market.h"

#include <string.h>

#define OPENBUY_LIFE ((apr_interval_time_t)600 * APR_USEC_PER_SEC)

/* The text of a problem without its id. */
static const char *sentence(const char *text)
{
    return strchr(text, ' ') + 1;
}

static void site_problem(po_check *c, const po_place *at, const char *value, const char *text)
{
    po_report(APLOG_ERR, at, value, text);
    if (!c->site->fault)
        c->site->fault = apr_pstrcat(c->pool, at->directive, ": ", sentence(text), NULL);
}

/* ---- secrets -------------------------------------------------------------------------------------------------- */

static const char *make_secret(po_check *c, const po_setting *from, po_secret *out)
{
    const char *wrong = po_secret_read(from->text, out, c->pool);

    if (!wrong)
        po_sha256(c->crypto, out->value, strlen(out->value), out->digest);
    return wrong;
}

/* Once per block: a command is not run again for every virtual host that inherits it. */
static void read_secrets(po_check *c, const apr_array_header_t *from, apr_array_header_t *to, const char **fault)
{
    int i;

    for (i = 0; i < from->nelts; i++) {
        const po_secret_setting *setting = &APR_ARRAY_IDX(from, i, po_secret_setting);
        const po_setting *s = &setting->value;
        po_secret secret = { NULL };
        const char *wrong = make_secret(c, s, &secret);

        secret.from = setting->from;
        secret.until = setting->until;
        if (!wrong) {
            APR_ARRAY_PUSH(to, po_secret) = secret;
            continue;
        }
        po_report(APLOG_ERR, s->at, po_secret_shown(s->text, c->pool),
                  apr_pstrcat(c->pool, "PO0057: ", wrong, NULL));
        if (!*fault)
            *fault = apr_pstrcat(c->pool, s->at->directive, ": ", wrong, NULL);
    }
}

static const po_secret *read_post_secret(po_check *c, const po_setting *s, const char **fault)
{
    po_secret *secret = apr_pcalloc(c->pool, sizeof(*secret));
    const char *wrong = s->at ? make_secret(c, s, secret) : NULL;

    if (!wrong)
        return s->at ? secret : NULL;
    po_report(APLOG_ERR, s->at, po_secret_shown(s->text, c->pool), apr_pstrcat(c->pool, "PO0352: ", wrong, NULL));
    if (!*fault)
        *fault = apr_pstrcat(c->pool, "PunchOutPostSecret: ", wrong, NULL);
    return NULL;
}

/* A warning, no error: the mere passing of time must not keep a server from starting. */
static void warn_if_expired(const po_place *at, const char *name, const apr_array_header_t *secrets,
                            const char *warning)
{
    apr_time_t now = apr_time_now();
    int i;

    for (i = 0; i < secrets->nelts; i++) {
        const po_secret *s = &APR_ARRAY_IDX(secrets, i, po_secret);

        if (!s->until || now < s->until)
            return;
    }
    if (secrets->nelts)
        po_report(APLOG_WARNING, at, name, warning);
}

static void check_expiry(const po_place *at, const char *name, const apr_array_header_t *secrets)
{
    warn_if_expired(at, name, secrets, "PO0074: every PunchOutSharedSecret of this block has expired; agree on a new "
                    "one and add it");
}

/* What the block's PunchOutAuthentication asks for must be there. NULL, or what is missing. */
static const char *proof_incomplete(const po_setting *wanted, int secrets, int certificates)
{
    int secret = wanted->number == PO_AUTHENTICATION_SECRET || wanted->number == PO_AUTHENTICATION_BOTH;

    if (secret && !secrets)
        return "PO0079: its PunchOutAuthentication asks for a secret; add PunchOutSharedSecret file:PATH";
    if (wanted->number >= PO_AUTHENTICATION_CERTIFICATE && !certificates)
        return "PO0078: its PunchOutAuthentication asks for a certificate; add PunchOutClientCertificate";
    return NULL;
}

static void check_certificates(const po_place *at, const char *name, const apr_array_header_t *certificates)
{
    if (certificates->nelts && !ap_find_linked_module("mod_ssl.c"))
        po_report(APLOG_WARNING, at, name, "PO0080: its PunchOutClientCertificate can never match, for mod_ssl is not "
                  "loaded; load it, and ask for certificates with SSLVerifyClient");
}

static void check_backend_secret(po_check *c)
{
    const po_setting *s = &c->config->backend_secret;
    po_secret *secret = apr_pcalloc(c->pool, sizeof(*secret));
    const char *wrong = s->at ? make_secret(c, s, secret) : NULL;

    if (wrong)
        site_problem(c, s->at, po_secret_shown(s->text, c->pool), apr_pstrcat(c->pool, "PO0058: ", wrong, NULL));
    else if (s->at)
        c->site->backend_secret = secret;
}

/* ---- hubs ----------------------------------------------------------------------------------------------------- */

static void check_hub(po_check *c, po_hub_block *h)
{
    const char *wrong = NULL;

    if (h->checked)
        return;
    h->checked = 1;
    read_secrets(c, h->secrets, h->hub.secrets, &h->fault);
    h->hub.post_secret = read_post_secret(c, &h->post_secret, &h->fault);
    h->hub.authentication = (po_authentication)h->authentication.number;
    check_expiry(h->at, h->hub.name, h->hub.secrets);
    check_certificates(h->at, h->hub.name, h->hub.certificates);
    if (!h->hub.senders->nelts)
        wrong = "PO0059: it has no Sender; add PunchOutSender DOMAIN IDENTITY";
    else if (!h->secrets->nelts && !h->hub.certificates->nelts)
        wrong = "PO0060: it has no secret; add PunchOutSharedSecret file:PATH, or PunchOutClientCertificate";
    else
        wrong = proof_incomplete(&h->authentication, h->secrets->nelts, h->hub.certificates->nelts);
    if (!wrong || h->fault)
        return;
    po_report(APLOG_ERR, h->at, h->hub.name, wrong);
    h->fault = sentence(wrong);
}

static void resolve_hubs(po_check *c)
{
    int i;

    c->site->hubs = apr_hash_make(c->pool);
    for (i = 0; i < c->config->hubs->nelts; i++) {
        po_hub_block *h = APR_ARRAY_IDX(c->config->hubs, i, po_hub_block *);

        check_hub(c, h);
        apr_hash_set(c->site->hubs, h->hub.name, APR_HASH_KEY_STRING, &h->hub);
    }
}

static const po_hub_block *hub_block(const po_check *c, const char *name)
{
    int i;

    for (i = 0; i < c->config->hubs->nelts; i++) {
        const po_hub_block *h = APR_ARRAY_IDX(c->config->hubs, i, po_hub_block *);

        if (!strcmp(h->hub.name, name))
            return h;
    }
    return NULL;
}

/* ---- buyers --------------------------------------------------------------------------------------------------- */

static const char *buyer_incomplete(const po_check *c, const po_buyer_block *b)
{
    const po_buyer *buyer = &b->buyer;

    if (!buyer->credentials->nelts)
        return "PO0061: nothing says who this buyer is; add PunchOutCredential DOMAIN IDENTITY as in From of its "
               "documents";
    if (!b->secrets->nelts && !buyer->certificates->nelts && !b->via.at)
        return "PO0062: it has no secret; add PunchOutSharedSecret file:PATH, PunchOutClientCertificate or PunchOutVia "
               "HUB";
    if (!buyer->return_hosts->nelts)
        return "PO0063: carts may go back to no host; add PunchOutReturnHosts, e.g. acme.coupahost.com";
    if (!buyer->suppliers->nelts && !c->config->identities->nelts)
        return "PO0064: nothing says who we are to this buyer; add PunchOutIdentity DOMAIN IDENTITY to the site, or "
               "PunchOutSupplier here";
    if (!b->via.at)
        return proof_incomplete(&b->authentication, b->secrets->nelts, buyer->certificates->nelts);
    return NULL;
}

static void check_via(po_check *c, const po_buyer_block *b, po_buyer *buyer)
{
    const po_hub_block *hub = hub_block(c, b->via.text);

    if (!hub) {
        po_report(APLOG_ERR, b->via.at, b->via.text, "PO0065: there is no <PunchOutHub> of this name here; add it or "
                  "correct the name");
        buyer->fault = "PunchOutVia names an unknown hub";
        return;
    }
    buyer->via = &hub->hub;
    if (hub->fault)
        buyer->fault = apr_psprintf(c->pool, "its hub %s can't be used: %s", hub->hub.name, hub->fault);
}

static unsigned documents_of(const apr_array_header_t *posts)
{
    unsigned all = 0;
    int i;

    for (i = 0; i < posts->nelts; i++)
        all |= APR_ARRAY_IDX(posts, i, po_post).documents;
    return all;
}

/* Warnings: nothing of it keeps orders from being taken. */
static void check_posts(const po_buyer_block *b, const po_buyer *buyer)
{
    if (documents_of(buyer->posts) & ~buyer->profile.documents)
        po_report(APLOG_WARNING, b->at, buyer->name, "PO0353: its PunchOutPost names documents that a system of its "
                  "PunchOutProfile doesn't take, so they are not sent; add PunchOutDocuments if this one does");
    if (buyer->posts->nelts && !b->secrets->nelts && !b->post_secret.at && !b->via.at)
        po_report(APLOG_WARNING, b->at, buyer->name, "PO0354: documents are sent to this buyer without a secret; add "
                  "PunchOutPostSecret if he wants one");
}

/* A draft goes where carts may go. */
static void check_request_redirect(const po_check *c, const po_buyer_block *b, po_buyer *buyer)
{
    const po_setting *to = &b->request_redirect;
    const char *wrong = to->at ? po_return_url_refused(buyer, to->text, c->pool) : NULL;

    buyer->request_redirect = to->text;
    if (to->at && !buyer->profile.start_elsewhere)
        po_report(APLOG_WARNING, to->at, to->text, "PO0093: nobody is sent there, for this buyer's requests begin in "
                  "its procurement system; write PunchOutStartElsewhere on, or remove this line");
    if (!wrong)
        return;
    po_report(APLOG_ERR, to->at, to->text, apr_pstrcat(c->pool, "PO0092: ", wrong, NULL));
    if (!buyer->fault)
        buyer->fault = apr_pstrcat(c->pool, "PunchOutRequestRedirect: ", wrong, NULL);
}

/* The block as this site sees it: hubs, identities and defaults may differ from site to site. */
static po_buyer *resolve_buyer(po_check *c, po_buyer_block *b)
{
    po_buyer *buyer;
    const char *wrong;

    if (!b->checked) {
        read_secrets(c, b->secrets, b->buyer.secrets, &b->fault);
        b->buyer.post_secret = read_post_secret(c, &b->post_secret, &b->fault);
        read_secrets(c, b->openbuy_credentials, b->buyer.openbuy_credentials, &b->fault);
        b->buyer.authentication = (po_authentication)b->authentication.number;
        if (!b->via.at) {
            check_expiry(b->at, b->buyer.name, b->buyer.secrets);
            check_certificates(b->at, b->buyer.name, b->buyer.certificates);
        }
        warn_if_expired(b->at, b->buyer.name, b->buyer.openbuy_credentials, "PO0240: every PunchOutOpenBuyCredentials "
                        "of this block has expired, so that it can't call Open Buy; agree on new ones and add them");
    }
    b->checked = 1;
    buyer = apr_pmemdup(c->pool, &b->buyer, sizeof(*buyer));
    buyer->fault = b->fault;
    buyer->activate = (po_activate)(b->activate.at ? b->activate.number : c->config->activate.number);
    buyer->lines = (po_lines)(b->lines.at ? b->lines.number : c->config->lines.number);
    wrong = buyer->fault ? NULL : buyer_incomplete(c, b);
    if (!buyer->fault && !wrong && (wrong = po_openbuy_fields_wrong(buyer, c->pool)))
        wrong = apr_pstrcat(c->pool, "PO0094: of its PunchOutOpenBuyField lines ", wrong, NULL);
    if (wrong) {
        po_report(APLOG_ERR, b->at, buyer->name, wrong);
        buyer->fault = sentence(wrong);
    }
    if (b->via.at)
        check_via(c, b, buyer);
    check_posts(b, buyer);
    check_request_redirect(c, b, buyer);
    if (buyer->deployment == PO_DEPLOYMENT_PRODUCTION && !c->config->fulfillment.at && !c->config->fault)
        po_report(APLOG_WARNING, b->at, buyer->name, "PO0066: this buyer is in production, but its approved requests "
                  "go nowhere; add PunchOutFulfillment URL to the site");
    return buyer;
}

static const char *index_of(const po_site *site, apr_array_header_t *buyers, apr_pool_t *p)
{
    po_site trial = *site;

    trial.buyers = buyers;
    return po_site_index(&trial, p);
}

/* Of a list whose last buyer claims what an earlier one does, the earlier one. */
static po_buyer *rival(po_check *c, const apr_array_header_t *buyers)
{
    apr_array_header_t *pair = apr_array_make(c->pool, 2, sizeof(po_buyer *));
    po_buyer *last = APR_ARRAY_IDX(buyers, buyers->nelts - 1, po_buyer *);
    int i;

    for (i = 0; i < buyers->nelts - 1; i++) {
        apr_array_clear(pair);
        APR_ARRAY_PUSH(pair, po_buyer *) = APR_ARRAY_IDX(buyers, i, po_buyer *);
        APR_ARRAY_PUSH(pair, po_buyer *) = last;
        if (index_of(c->site, pair, c->pool))
            return APR_ARRAY_IDX(buyers, i, po_buyer *);
    }
    return last;
}

/* Nobody can say which of two buyers with the same credentials is meant: both get the fault, one of them the entry. */
static void index_with_conflicts(po_check *c)
{
    apr_array_header_t *all = c->site->buyers, *good = apr_array_make(c->pool, all->nelts, sizeof(po_buyer *));
    int i;

    for (i = 0; i < all->nelts; i++) {
        po_buyer *b = APR_ARRAY_IDX(all, i, po_buyer *);
        const char *wrong;

        APR_ARRAY_PUSH(good, po_buyer *) = b;
        wrong = index_of(c->site, good, c->pool);
        if (!wrong)
            continue;
        po_report(APLOG_ERR, APR_ARRAY_IDX(c->config->buyers, i, po_buyer_block *)->at, b->name,
                  apr_pstrcat(c->pool, "PO0067: ", wrong, NULL));
        b->fault = rival(c, good)->fault = wrong;
        apr_array_pop(good);
    }
    c->site->buyers = good;
    po_site_index(c->site, c->pool);
    c->site->buyers = all;
    for (i = 0; i < all->nelts; i++) {
        po_buyer *b = APR_ARRAY_IDX(all, i, po_buyer *);

        apr_hash_set(c->site->by_name, b->name, APR_HASH_KEY_STRING, b);
    }
}

static void resolve_buyers(po_check *c)
{
    const apr_array_header_t *blocks = c->config->buyers;
    int i;

    c->site->buyers = apr_array_make(c->pool, blocks->nelts, sizeof(po_buyer *));
    for (i = 0; i < blocks->nelts; i++)
        APR_ARRAY_PUSH(c->site->buyers, po_buyer *) = resolve_buyer(c, APR_ARRAY_IDX(blocks, i, po_buyer_block *));
    if (po_site_index(c->site, c->pool))
        index_with_conflicts(c);
}

/* By its credentials alone a call of Open Buy says who it is. */
static void check_openbuy_credentials(const po_check *c)
{
    apr_hash_t *seen = apr_hash_make(c->pool);
    int i, j;

    for (i = 0; i < c->site->buyers->nelts; i++) {
        po_buyer *b = APR_ARRAY_IDX(c->site->buyers, i, po_buyer *);

        for (j = 0; j < b->openbuy_credentials->nelts; j++) {
            const po_secret *s = &APR_ARRAY_IDX(b->openbuy_credentials, j, po_secret);
            const po_buyer *other = apr_hash_get(seen, s->digest, PO_DIGEST);

            apr_hash_set(seen, s->digest, PO_DIGEST, b);
            if (!other || other == b)
                continue;
            po_report(APLOG_ERR, APR_ARRAY_IDX(c->config->buyers, i, po_buyer_block *)->at, b->name,
                      apr_pstrcat(c->pool, "PO0095: it has the PunchOutOpenBuyCredentials of buyer ", other->name,
                                  "; give each buyer its own", NULL));
            b->fault = apr_pstrcat(c->pool, "it has the PunchOutOpenBuyCredentials of buyer ", other->name, NULL);
        }
    }
}

/* ---- the rest of a site --------------------------------------------------------------------------------------- */

/* What po_check.catalogs says of a file that is not compiled yet; else it names the compiled one. */
static const char wrong_catalog[] = "wrong", right_catalog[] = "right";

/* 1 when this may write: `apachectl graceful` and a start, but not `-t`, a raw restart, or before the directory is made. */
static int may_compile(const po_check *c)
{
    int mode = ap_state_query(AP_SQ_RUN_MODE);
    apr_finfo_t info;

    return !c->running && mode != AP_SQ_RM_CONFIG_TEST && mode != AP_SQ_RM_CONFIG_DUMP
           && apr_stat(&info, c->global->state_dir, APR_FINFO_TYPE, c->pool) == APR_SUCCESS
           && info.filetype == APR_DIR;
}

/* NULL, or what is wrong with the file. A server that restarts takes no connections while it compiles a large catalog, so
 * that is done here, before it is told to. What can't be written is post_config's matter. */
static const char *compile_or_check(const po_check *c, const char *file, const char **compiled)
{
    if (may_compile(c))
        po_catalog_compile(file, c->global->state_dir, compiled, c->pool);
    return *compiled ? NULL : po_catalog_check(file, c->pool);
}

/* A faulty catalog is no fault of the site: post_config keeps the one of before. */
static void check_catalog(po_check *c)
{
    const po_setting *s = &c->config->catalog;
    const char *compiled = s->at ? apr_hash_get(c->catalogs, s->text, APR_HASH_KEY_STRING) : NULL, *wrong = NULL;

    if (!s->at)
        return;
    if (!compiled) {
        /* the same bytes were checked when they were compiled */
        compiled = po_catalog_compiled(s->text, c->global->state_dir, c->pool);
        if (!compiled)
            wrong = compile_or_check(c, s->text, &compiled);
        if (wrong)
            po_report(APLOG_ERR, s->at, s->text, apr_pstrcat(c->pool, "PO0068: ", wrong, NULL));
        if (!compiled)
            compiled = wrong ? wrong_catalog : right_catalog;
        apr_hash_set(c->catalogs, s->text, APR_HASH_KEY_STRING, compiled);
    }
    if (compiled == wrong_catalog)
        return;
    /* buyers change while the catalog doesn't, and differ from site to site */
    wrong = po_catalog_check_prices(s->text, compiled == right_catalog ? NULL : compiled, c->site->buyers, c->pool);
    if (wrong)
        po_report(APLOG_ERR, s->at, s->text, apr_pstrcat(c->pool, "PO0089: ", wrong, NULL));
}

static const char *check_target(po_check *c, const po_setting *s)
{
    const char *wrong = s->at ? po_proxy_target_wrong(c->server, s->text, c->pool) : NULL;

    if (wrong)
        site_problem(c, s->at, s->text, apr_pstrcat(c->pool, "PO0069: ", wrong, NULL));
    return s->at ? s->text : NULL;
}

static const char *door(po_check *c)
{
    const char *path = po_proxy_door(c->server, c->pool);
    apr_size_t len;

    if (!path) {
        path = "/punchout";
        po_report(APLOG_WARNING, c->config->public_url.at, c->site->public_url, "PO0070: no <Location> has SetHandler "
                  "punchout here, so nobody can reach mod_punchout; add <Location /punchout> with SetHandler punchout");
    }
    len = strlen(path);
    while (len && path[len - 1] == '/')
        len--;
    return apr_psprintf(c->pool, "%s%.*s", c->site->public_url, (int)len, path);
}

static void copy_settings(po_check *c)
{
    const po_server_config *from = c->config;
    po_site *site = c->site;

    site->identities = from->identities;
    site->catalog_file = from->catalog.text;
    site->start_page = from->start_page.at ? from->start_page.text : "/";
    site->product_page = from->product_page.text;
    site->mail_url = from->mail_url.text;
    site->mail_from = from->mail_from.text;
    site->ca_file = from->ca_file.text;
    site->mail_templates = from->mail_templates.text;
    site->request_timeout = from->request_timeout.at ? from->request_timeout.number
                                                     : (apr_interval_time_t)30 * 86400 * APR_USEC_PER_SEC;
    site->usage_budget = from->usage_budget.text;
    site->account_required = (int)from->account.number;
    site->sign_on_hosts = from->sign_on_hosts;
    site->openbuy_life = from->openbuy_token.at ? from->openbuy_token.number : OPENBUY_LIFE;
    site->openbuy_reuse = from->openbuy_token.text != NULL;
}

/* 0: this server is no site. A raw restart makes one with a fault in place of a missing or wrong URL, for its documents
 * must be answered with 560 rather than by the shop. */
static int resolve_url(po_check *c)
{
    const po_setting *url = &c->config->public_url;
    apr_uri_t uri;

    if (!url->at && c->server->is_virtual && c->config->first && !c->config->fault)
        site_problem(c, c->config->first, NULL, "PO0071: PunchOutPublicURL is missing in this <VirtualHost>; add it, "
                     "e.g. PunchOutPublicURL https://market.example");
    if (!url->at && (!c->running || !c->site->fault))
        return 0;
    c->site->public_url = url->text;
    if (!url->at)
        c->site->public_url = apr_pstrcat(c->pool, "https://", c->server->server_hostname ? c->server->server_hostname
                                                                                          : "localhost", NULL);
    c->site->https = !strncasecmp(c->site->public_url, "https:", 6);
    c->site->host = apr_uri_parse(c->pool, c->site->public_url, &uri) == APR_SUCCESS ? uri.hostname : "invalid";
    if (url->at && !c->site->https)
        po_report(APLOG_WARNING, url->at, url->text, "PO0072: over http the session cookie is neither Secure nor sent "
                  "inside a procurement system's frame; use https but for tests");
    return 1;
}

/* Loaded here, in the process that forks: children only read. Sites share what they have in common. */
static po_cxml_validator *validator_of(po_check *c, const char *dir)
{
    po_cxml_validator *v = apr_hash_get(c->validators, dir, APR_HASH_KEY_STRING);

    if (!v) {
        v = po_cxml_validator_make(dir, c->pool);
        apr_hash_set(c->validators, dir, APR_HASH_KEY_STRING, v);
    }
    return v;
}

/* What documents to a buyer declare. NULL, or what is wrong. */
static const char *load_post_dtds(po_cxml_validator *v, const po_buyer *b, apr_pool_t *p)
{
    unsigned what = b->profile.documents & (documents_of(b->posts) | (b->via ? documents_of(b->via->posts) : 0));
    const char *wrong = NULL;

    if (what & PO_POST_CONFIRMATION)
        wrong = po_cxml_validator_load(v, apr_pstrcat(p, b->profile.post_dtd, "/Fulfill.dtd", NULL), p);
    if (!wrong && (what & PO_POST_INVOICE))
        wrong = po_cxml_validator_load(v, apr_pstrcat(p, b->profile.post_dtd, "/InvoiceDetail.dtd", NULL), p);
    return wrong;
}

/* A DTD for the version of every buyer, and for the one that strangers are answered in. */
static void check_validate(po_check *c)
{
    const po_setting *s = &c->config->validate;
    po_cxml_validator *v;
    const char *wrong;
    int i;

    if (!s->at)
        return;
    v = validator_of(c, s->text);
    wrong = po_cxml_validator_load(v, PO_DTD_FOR_STRANGERS "/cXML.dtd", c->pool);
    for (i = 0; i < c->site->buyers->nelts && !wrong; i++) {
        const po_buyer *b = APR_ARRAY_IDX(c->site->buyers, i, po_buyer *);

        wrong = po_cxml_validator_load(v, apr_pstrcat(c->pool, b->profile.dtd, "/cXML.dtd", NULL), c->pool);
        if (!wrong)
            wrong = load_post_dtds(v, b, c->pool);
        if (wrong)
            wrong = apr_psprintf(c->pool, "%s; buyer \"%s\" is sent documents of that version", wrong, b->name);
    }
    if (wrong) {
        site_problem(c, s->at, s->text, apr_pstrcat(c->pool, "PO0091: ", wrong, "; the DTDs come from xml.cxml.org", NULL));
        return;
    }
    c->site->validate_dir = s->text;
    c->site->validate_refuse = (int)s->number;
    c->site->validator = v;
}

po_site *po_site_resolve(po_check *c)
{
    po_site *site = c->site = apr_pcalloc(c->pool, sizeof(*site));

    site->fault = c->config->fault;
    if (!resolve_url(c))
        return NULL;
    copy_settings(c);
    site->door = door(c);
    check_backend_secret(c);
    resolve_hubs(c);
    resolve_buyers(c);
    check_openbuy_credentials(c);
    check_catalog(c);
    check_validate(c);
    site->fulfillment = check_target(c, &c->config->fulfillment);
    site->fulfillment_test = check_target(c, &c->config->fulfillment_test);
    return site;
}
