/* dump.c - `httpd -t -D DUMP_PUNCHOUT`: the merged configuration as JSON, for tools; secrets masked. */
#include "config/config_private.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define MASK "********"

static apr_status_t release(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

/* JSON null for an absent text, and for one that is not UTF-8. */
static json_t *text(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

static json_t *seconds(apr_interval_time_t t)
{
    return json_real((double)t / APR_USEC_PER_SEC);
}

static json_t *credentials(const apr_array_header_t *list)
{
    json_t *array = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const po_credential *c = &APR_ARRAY_IDX(list, i, po_credential);

        json_array_append_new(array, json_pack("{s:o, s:o}", "domain", text(c->domain), "identity", text(c->identity)));
    }
    return array;
}

/* JSON null for 0: no limit. */
static json_t *timestamp(apr_time_t t)
{
    char stamp[PO_TIMESTAMP];

    return t ? json_string(po_timestamp(t, stamp)) : json_null();
}

/* Where a secret comes from and when it counts, never what it is; a command's arguments may hold one, too. */
static json_t *secret(const po_secret *s)
{
    const char *source = !s->source ? "configuration" : !strncmp(s->source, "exec:", 5) ? "exec" : s->source;

    return json_pack("{s:s, s:o, s:o, s:o}", "value", MASK, "source", text(source), "from", timestamp(s->from),
                     "until", timestamp(s->until));
}

static json_t *secrets(const apr_array_header_t *list)
{
    json_t *array = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++)
        json_array_append_new(array, secret(&APR_ARRAY_IDX(list, i, po_secret)));
    return array;
}

static json_t *certificates(const apr_array_header_t *list)
{
    json_t *array = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const po_certificate *c = &APR_ARRAY_IDX(list, i, po_certificate);

        json_array_append_new(array, json_pack("{s:o, s:o}", "subject", text(c->subject), "sha256",
                                               text(c->fingerprint)));
    }
    return array;
}

static json_t *authentication(po_authentication a)
{
    static const char *const words[] = { "any", "secret", "certificate", "both" };

    return text(words[a]);
}

static json_t *posts(const apr_array_header_t *list, apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const po_post *post = &APR_ARRAY_IDX(list, i, po_post);

        json_array_append_new(array, json_pack("{s:o, s:b, s:b}", "url", text(po_url_masked(post->url, p)),
                                               "confirmation", (post->documents & PO_POST_CONFIRMATION) != 0,
                                               "invoice", (post->documents & PO_POST_INVOICE) != 0));
    }
    return array;
}

static json_t *return_hosts(const apr_array_header_t *list, apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const po_return_host *h = &APR_ARRAY_IDX(list, i, po_return_host);

        json_array_append_new(array, text(apr_psprintf(p, h->port ? "%s://%s:%d" : "%s://%s:*", h->scheme, h->host,
                                                       h->port)));
    }
    return array;
}

static json_t *texts(const apr_array_header_t *list)
{
    json_t *array = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++)
        json_array_append_new(array, text(APR_ARRAY_IDX(list, i, const char *)));
    return array;
}

static json_t *profile(const po_profile *f)
{
    return json_pack("{s:o, s:o, s:o, s:b, s:b, s:i, s:i, s:i, s:i, s:o, s:i, s:b, s:b, s:b, s:o}",
                     "name", text(f->name), "dtd", text(f->dtd), "cartField", text(f->cart_field),
                     "cartBase64", f->cart_base64,
                     "asciiOnly", f->ascii_only, "partBytes", f->part_bytes,
                     "descriptionBytes", f->description_bytes, "shortNameBytes", f->short_name_bytes,
                     "priceDecimals", f->price_decimals, "forbidden", text(f->forbidden),
                     "transientHTTP", f->transient_http, "startElsewhere", f->start_elsewhere,
                     "confirmation", (f->documents & PO_POST_CONFIRMATION) != 0,
                     "invoice", (f->documents & PO_POST_INVOICE) != 0, "postDTD", text(f->post_dtd));
}

static json_t *units(const apr_table_t *t)
{
    json_t *object = json_object();
    const apr_array_header_t *list = t ? apr_table_elts(t) : NULL;
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(list, i, apr_table_entry_t);

        json_object_set_new(object, e->key, text(e->val));
    }
    return object;
}

/* null: the usual names. */
static json_t *user_data(const po_user_map *map)
{
    return json_pack("{s:o, s:o, s:o}", "user", map->user ? texts(map->user) : json_null(),
                     "email", map->email ? texts(map->email) : json_null(),
                     "name", map->name ? texts(map->name) : json_null());
}

static json_t *openbuy_fields(const apr_array_header_t *list)
{
    static const char *const types[] = { "usual", "number", "string" };
    json_t *object = json_object();
    int i;

    for (i = 0; i < list->nelts; i++) {
        const po_openbuy_field *f = &APR_ARRAY_IDX(list, i, po_openbuy_field);

        json_object_set_new(object, f->ours, json_pack("{s:o, s:s}", "name", text(f->theirs), "type", types[f->type]));
    }
    return object;
}

static json_t *buyer(const po_buyer *b, apr_pool_t *p)
{
    static const char *const mismatch[] = { "reject", "hold", "accept" };
    static const char *const lines[] = { "classic", "single", "split" };
    json_t *o = json_object();

    json_object_set_new(o, "name", text(b->name));
    json_object_set_new(o, "organization", text(b->organization));
    json_object_set_new(o, "profile", profile(&b->profile));
    json_object_set_new(o, "credentials", credentials(b->credentials));
    json_object_set_new(o, "suppliers", credentials(b->suppliers));
    json_object_set_new(o, "senders", credentials(b->senders));
    json_object_set_new(o, "sellers", texts(b->sellers));
    json_object_set_new(o, "identityCase", text(b->ignore_case ? "ignore" : "exact"));
    json_object_set_new(o, "secrets", secrets(b->secrets));
    json_object_set_new(o, "clientCertificates", certificates(b->certificates));
    json_object_set_new(o, "authentication", authentication(b->authentication));
    json_object_set_new(o, "userData", user_data(&b->user_map));
    json_object_set_new(o, "returnHosts", return_hosts(b->return_hosts, p));
    json_object_set_new(o, "posts", posts(b->posts, p));
    json_object_set_new(o, "postSecret", b->post_secret ? secret(b->post_secret) : json_null());
    json_object_set_new(o, "units", units(b->units));
    json_object_set_new(o, "deployment", text(b->deployment == PO_DEPLOYMENT_PRODUCTION ? "production" : "test"));
    json_object_set_new(o, "preApproveFree", json_boolean(b->preapprove & PO_PREAPPROVE_FREE));
    json_object_set_new(o, "preApproveByol", json_boolean(b->preapprove & PO_PREAPPROVE_BYOL));
    json_object_set_new(o, "currency", text(b->currency));
    json_object_set_new(o, "orderMismatch", text(mismatch[b->mismatch]));
    json_object_set_new(o, "usageLimit", text(b->usage_limit == PO_USAGE_LIMIT_NONE ? "none" : "order"));
    json_object_set_new(o, "activate", text(b->activate == PO_ACTIVATE_EACH ? "each" : "all"));
    json_object_set_new(o, "lines", text(lines[b->lines]));
    json_object_set_new(o, "approvals", text(b->approvals == PO_APPROVALS_SEPARATE ? "separate" : "together"));
    json_object_set_new(o, "requestRedirect", text(b->request_redirect));
    json_object_set_new(o, "openBuyCredentials", secrets(b->openbuy_credentials));
    json_object_set_new(o, "openBuyFields", openbuy_fields(b->openbuy_fields));
    json_object_set_new(o, "openBuyRate", json_integer(b->openbuy_rate));
    json_object_set_new(o, "via", text(b->via ? b->via->name : NULL));
    json_object_set_new(o, "fault", text(b->fault));
    return o;
}

static json_t *hubs(apr_hash_t *all, apr_pool_t *p)
{
    json_t *array = json_array();
    apr_hash_index_t *i;

    for (i = apr_hash_first(p, all); i; i = apr_hash_next(i)) {
        const po_hub *h = apr_hash_this_val(i);

        json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", text(h->name),
                                               "senders", credentials(h->senders), "secrets", secrets(h->secrets),
                                               "clientCertificates", certificates(h->certificates),
                                               "authentication", authentication(h->authentication),
                                               "posts", posts(h->posts, p),
                                               "postSecret", h->post_secret ? secret(h->post_secret) : json_null()));
    }
    return array;
}

static json_t *site(const po_site *s, apr_pool_t *p)
{
    const server_rec *server = po_config_site_server(s);
    json_t *o = json_object(), *buyers = json_array();
    int i;

    for (i = 0; i < s->buyers->nelts; i++)
        json_array_append_new(buyers, buyer(APR_ARRAY_IDX(s->buyers, i, po_buyer *), p));
    json_object_set_new(o, "server", text(server->server_hostname));
    json_object_set_new(o, "definedIn", text(server->defn_name));
    json_object_set_new(o, "line", json_integer(server->defn_line_number));
    json_object_set_new(o, "publicURL", text(s->public_url));
    json_object_set_new(o, "door", text(s->door));
    json_object_set_new(o, "identities", credentials(s->identities));
    json_object_set_new(o, "catalog", text(s->catalog_file));
    json_object_set_new(o, "startPage", text(s->start_page));
    json_object_set_new(o, "productPage", text(s->product_page));
    json_object_set_new(o, "fulfillment", text(po_url_masked(s->fulfillment, p)));
    json_object_set_new(o, "fulfillmentTest", text(po_url_masked(s->fulfillment_test, p)));
    json_object_set_new(o, "backendSecret", s->backend_secret ? secret(s->backend_secret) : json_null());
    json_object_set_new(o, "mailURL", text(po_url_masked(s->mail_url, p)));
    json_object_set_new(o, "mailFrom", text(s->mail_from));
    json_object_set_new(o, "caCertificateFile", text(s->ca_file));
    json_object_set_new(o, "mailTemplates", text(s->mail_templates));
    json_object_set_new(o, "requestTimeout", seconds(s->request_timeout));
    json_object_set_new(o, "usageBudget", text(s->usage_budget));
    json_object_set_new(o, "accountRequired", json_boolean(s->account_required));
    json_object_set_new(o, "signOnHosts", return_hosts(s->sign_on_hosts, p));
    json_object_set_new(o, "openBuyTokenLife", seconds(s->openbuy_life));
    json_object_set_new(o, "openBuyTokenReuse", json_boolean(s->openbuy_reuse));
    json_object_set_new(o, "fault", text(s->fault));
    json_object_set_new(o, "validate", text(s->validate_dir));
    json_object_set_new(o, "validateRefuse", json_boolean(s->validate_refuse));
    json_object_set_new(o, "hubs", hubs(s->hubs, p));
    json_object_set_new(o, "buyers", buyers);
    return o;
}

/* Times in seconds, sizes in bytes. */
static json_t *process(const po_global_config *g)
{
    json_t *o = json_object();

    json_object_set_new(o, "sessionStore", json_integer((json_int_t)g->session_store));
    json_object_set_new(o, "sessionIdle", seconds(g->session_idle));
    json_object_set_new(o, "sessionTotal", seconds(g->session_total));
    json_object_set_new(o, "startTimeout", seconds(g->start_life));
    json_object_set_new(o, "stateDir", text(g->state_dir));
    json_object_set_new(o, "ledger", text(g->ledger));
    json_object_set_new(o, "retryFirst", seconds(g->retry_first));
    json_object_set_new(o, "retryLongest", seconds(g->retry_longest));
    json_object_set_new(o, "retryFor", seconds(g->retry_for));
    json_object_set_new(o, "concurrency", json_integer(g->concurrency));
    return o;
}

void po_config_dump(apr_pool_t *p, server_rec *s)
{
    const apr_array_header_t *all = po_config_sites();
    json_t *root, *list;
    int i;

    if (!ap_exists_config_define("DUMP_PUNCHOUT"))
        return;
    root = process(po_config_global());
    apr_pool_cleanup_register(p, root, release, apr_pool_cleanup_null);
    list = json_array();
    json_object_set_new(root, "sites", list);
    for (i = 0; i < all->nelts; i++)
        json_array_append_new(list, site(APR_ARRAY_IDX(all, i, po_site *), p));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    fflush(stdout);                     /* or "Syntax OK" lands amid the JSON where stderr goes to the same file */
}
