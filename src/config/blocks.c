/* blocks.c - <PunchOutHub> and <PunchOutBuyer>, and the directives that stand in them. */
#include "config/config_private.h"

#include "apr_lib.h"
#include <string.h>

/* ---- the containers ------------------------------------------------------------------------------------------- */

void po_read_hub(po_reading *x)
{
    po_hub_block *h = apr_pcalloc(x->pool, sizeof(*h));
    int i;

    h->hub.name = x->argv[0];
    h->hub.senders = apr_array_make(x->pool, 1, sizeof(po_credential));
    h->hub.secrets = apr_array_make(x->pool, 2, sizeof(po_secret));
    h->hub.posts = apr_array_make(x->pool, 1, sizeof(po_post));
    h->secrets = apr_array_make(x->pool, 2, sizeof(po_setting));
    h->at = x->at;
    if (!po_name_valid(h->hub.name)) {
        po_wrong(x, "PO0032: name the hub with letters, digits, '.', '_' and '-', at most 64");
        return;
    }
    for (i = 0; i < x->config->hubs->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(x->config->hubs, i, po_hub_block *)->hub.name, h->hub.name)) {
            po_wrong(x, "PO0033: this hub is named twice here; merge the two blocks or rename one");
            return;
        }
    APR_ARRAY_PUSH(x->config->hubs, po_hub_block *) = h;
    x->hub = h;
    po_read_block(x);
}

static po_buyer_block *buyer_block(po_reading *x)
{
    po_buyer_block *b = apr_pcalloc(x->pool, sizeof(*b));
    po_buyer *buyer = &b->buyer;

    buyer->name = buyer->organization = x->argv[0];
    buyer->credentials = apr_array_make(x->pool, 2, sizeof(po_credential));
    buyer->suppliers = apr_array_make(x->pool, 1, sizeof(po_credential));
    buyer->senders = apr_array_make(x->pool, 1, sizeof(po_credential));
    buyer->sellers = apr_array_make(x->pool, 1, sizeof(const char *));
    buyer->secrets = apr_array_make(x->pool, 2, sizeof(po_secret));
    buyer->return_hosts = apr_array_make(x->pool, 2, sizeof(po_return_host));
    buyer->posts = apr_array_make(x->pool, 1, sizeof(po_post));
    buyer->units = apr_table_make(x->pool, 2);
    buyer->deployment = PO_DEPLOYMENT_TEST;
    buyer->currency = "USD";            /* free offers name none, and a $0.00 line needs one */
    buyer->mismatch = PO_MISMATCH_REJECT;
    b->secrets = apr_array_make(x->pool, 2, sizeof(po_setting));
    b->at = x->at;
    return b;
}

/* The profile's row with this block's overrides, in whatever order they were written. */
static void apply_profile(po_buyer_block *b)
{
    po_profile *profile = &b->buyer.profile;

    *profile = *po_profile_find(b->profile.at ? b->profile.text : "generic");
    if (b->dtd.at)
        profile->dtd = b->dtd.text;
    if (b->cart_field.at) {
        profile->cart_field = b->cart_field.text;
        profile->cart_base64 = (int)b->cart_field.number;
        if (!profile->cart_base64)
            profile->ascii_only = 1;            /* a form field without Base64 loses other characters on its way */
    }
    if (b->transient_http.at)
        profile->transient_http = (int)b->transient_http.number;
    if (b->price_decimals.at)
        profile->price_decimals = (int)b->price_decimals.number;
}

void po_read_buyer(po_reading *x)
{
    po_buyer_block *b = buyer_block(x);
    int i;

    if (!po_name_valid(b->buyer.name)) {
        po_wrong(x, "PO0034: name the buyer with letters, digits, '.', '_' and '-', at most 64");
        return;
    }
    for (i = 0; i < x->config->buyers->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(x->config->buyers, i, po_buyer_block *)->buyer.name, b->buyer.name)) {
            x->buyer = APR_ARRAY_IDX(x->config->buyers, i, po_buyer_block *);
            po_wrong(x, "PO0035: this buyer is named twice here; merge the two blocks or rename one");
            return;
        }
    APR_ARRAY_PUSH(x->config->buyers, po_buyer_block *) = b;
    x->buyer = b;
    po_read_block(x);
    apply_profile(b);
}

/* ---- in both -------------------------------------------------------------------------------------------------- */

static void add_credential(po_reading *x, apr_array_header_t *list)
{
    po_credential *c;

    if (!*x->argv[0] || !*x->argv[1]) {
        po_wrong(x, "PO0036: neither domain nor identity may be empty; write e.g. NetworkID AN01000000099");
        return;
    }
    c = apr_array_push(list);
    c->domain = x->argv[0];
    c->identity = x->argv[1];
}

void po_read_sender(po_reading *x)
{
    add_credential(x, x->hub ? x->hub->hub.senders : x->buyer->buyer.senders);
}

void po_read_secret(po_reading *x)
{
    apr_array_header_t *secrets = x->hub ? x->hub->secrets : x->buyer->secrets;

    if (secrets->nelts == 2)
        po_wrong(x, "PO0037: a block takes two secrets, the present and the next one of a rotation; remove one");
    else
        po_keep(x, (po_setting *)apr_array_push(secrets), x->argv[0], 0);
}

void po_read_post(po_reading *x)
{
    apr_uri_t uri;
    const char *wrong = po_url_parse(&uri, x->argv[0], "https http", x->pool);
    unsigned documents = 0;
    po_post *post;
    int i;

    for (i = 1; i < x->argc && !wrong; i++)
        if (!strcasecmp(x->argv[i], "confirmation"))
            documents |= PO_POST_CONFIRMATION;
        else if (!strcasecmp(x->argv[i], "invoice"))
            documents |= PO_POST_INVOICE;
        else
            wrong = "after the URL come confirmation, invoice or both";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0038: ", wrong, NULL));
        return;
    }
    post = apr_array_push(x->hub ? x->hub->hub.posts : x->buyer->buyer.posts);
    post->url = x->argv[0];
    post->documents = documents;
    po_not_carried_out(x, "PO0039: sending documents to the buyer");
}

/* ---- in <PunchOutBuyer> --------------------------------------------------------------------------------------- */

void po_read_profile(po_reading *x)
{
    if (!po_profile_find(x->argv[0]))
        po_wrong(x, apr_psprintf(x->pool, "PO0040: there is no such profile; choose one of %s",
                                 po_profile_names(x->pool)));
    else
        po_keep(x, &x->buyer->profile, x->argv[0], 0);
}

void po_read_organization(po_reading *x)
{
    if (!po_name_valid(x->argv[0]))
        po_wrong(x, "PO0041: name the organization with letters, digits, '.', '_' and '-', at most 64");
    else
        x->buyer->buyer.organization = x->argv[0];
}

void po_read_credential(po_reading *x)
{
    add_credential(x, x->buyer->buyer.credentials);
}

void po_read_supplier(po_reading *x)
{
    add_credential(x, x->buyer->buyer.suppliers);
}

void po_read_sellers(po_reading *x)
{
    int i;

    for (i = 0; i < x->argc; i++)
        if (!*x->argv[i])
            po_wrong(x, "PO0042: a seller's name is empty; write the names of the catalog, quoted: \"Keeper Ltd\"");
        else
            APR_ARRAY_PUSH(x->buyer->buyer.sellers, const char *) = x->argv[i];
}

void po_read_return_hosts(po_reading *x)
{
    int i;

    for (i = 0; i < x->argc; i++) {
        po_return_host host;
        const char *wrong = po_return_host_parse(&host, x->argv[i], x->pool);

        if (!wrong && !strcmp(host.host, "."))
            wrong = "write the domain behind the dot, e.g. .acme.example";
        if (!wrong) {
            APR_ARRAY_PUSH(x->buyer->buyer.return_hosts, po_return_host) = host;
            continue;
        }
        x->shown = po_url_masked(x->argv[i], x->pool);
        po_wrong(x, apr_pstrcat(x->pool, "PO0043: ", wrong, NULL));
    }
}

void po_read_deployment(po_reading *x)
{
    int production = !strcasecmp(x->argv[0], "production");

    if (!production && strcasecmp(x->argv[0], "test"))
        po_wrong(x, "PO0044: write test or production");
    else
        x->buyer->buyer.deployment = production ? PO_DEPLOYMENT_PRODUCTION : PO_DEPLOYMENT_TEST;
}

void po_read_preapprove(po_reading *x)
{
    unsigned what = 0;
    int i;

    for (i = 0; i < x->argc; i++)
        if (!strcasecmp(x->argv[i], "free"))
            what |= PO_PREAPPROVE_FREE;
        else if (!strcasecmp(x->argv[i], "byol"))
            what |= PO_PREAPPROVE_BYOL;
        else if (strcasecmp(x->argv[i], "none") || x->argc > 1) {
            po_wrong(x, "PO0045: write free, byol, free byol, or none alone");
            return;
        }
    x->buyer->buyer.preapprove = what;
}

void po_read_currency(po_reading *x)
{
    if (!po_currency_valid(x->argv[0]))
        po_wrong(x, "PO0046: write an ISO 4217 code in three capital letters, e.g. USD");
    else
        x->buyer->buyer.currency = x->argv[0];
}

void po_read_approvals(po_reading *x)
{
    if (!strcasecmp(x->argv[0], "separate"))
        po_not_carried_out(x, "PO0047: asking for the two approvals separately");
    else if (strcasecmp(x->argv[0], "together"))
        po_wrong(x, "PO0048: write together or separate");
}

void po_read_via(po_reading *x)
{
    po_keep(x, &x->buyer->via, x->argv[0], 0);
}

void po_read_mismatch(po_reading *x)
{
    static const char *const words[] = { "reject", "hold", "accept" };      /* in the order of po_mismatch */
    int i;

    for (i = 0; i < 3; i++)
        if (!strcasecmp(words[i], x->argv[0])) {
            x->buyer->buyer.mismatch = (po_mismatch)i;
            return;
        }
    po_wrong(x, "PO0049: write reject, hold or accept");
}

/* ---- overrides of the profile --------------------------------------------------------------------------------- */

void po_read_dtd(po_reading *x)
{
    const char *v = x->argv[0];

    if (strlen(v) != 7 || strncmp(v, "1.2.0", 5) || !apr_isdigit(v[5]) || !apr_isdigit(v[6]))
        po_wrong(x, "PO0050: write a version of the cXML 1.2 DTD with three digits at the end, e.g. 1.2.014");
    else
        po_keep(x, &x->buyer->dtd, v, 0);
}

static int ends_with(const char *text, const char *end)
{
    apr_size_t n = strlen(text), l = strlen(end);

    return n >= l && !strcasecmp(text + n - l, end);
}

void po_read_cart_field(po_reading *x)
{
    const char *how = x->argc == 2 ? x->argv[1] : x->argv[0];
    int base64 = ends_with(how, "base64");

    if (!po_name_valid(x->argv[0]) || (!base64 && !ends_with(how, "urlencoded")))
        po_wrong(x, "PO0051: write the form field's name and base64 or urlencoded, e.g. cxml-base64 base64");
    else
        po_keep(x, &x->buyer->cart_field, x->argv[0], base64);
}

/* A whole number from low to high, else -1. */
static int number(const char *text, int low, int high)
{
    char *end;
    apr_int64_t n = apr_isdigit(*text) ? apr_strtoi64(text, &end, 10) : -1;

    return n < low || n > high || *end ? -1 : (int)n;
}

void po_read_transient_http(po_reading *x)
{
    int status = number(x->argv[0], 200, 599);

    if (status != 200 && status < 500)
        po_wrong(x, "PO0052: write the HTTP status of an answer that asks for another attempt: 503, or 200");
    else
        po_keep(x, &x->buyer->transient_http, NULL, status);
}

void po_read_price_decimals(po_reading *x)
{
    int n = number(x->argv[0], 0, PO_DECIMAL_SCALE_MAX);

    if (n < 0)
        po_wrong(x, apr_psprintf(x->pool, "PO0053: write a number of decimals from 0 to %d", PO_DECIMAL_SCALE_MAX));
    else
        po_keep(x, &x->buyer->price_decimals, NULL, n);
}

void po_read_unit(po_reading *x)
{
    if (!*x->argv[0] || !*x->argv[1])
        po_wrong(x, "PO0054: write our unit and the buyer's, e.g. HUR HR");
    else
        apr_table_set(x->buyer->buyer.units, x->argv[0], x->argv[1]);
}
