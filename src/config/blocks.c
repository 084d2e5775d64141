/* blocks.c - <PunchOutHub> and <PunchOutBuyer>, and the directives that stand in them. */
#include "config/config_private.h"

#include "apr_lib.h"
#include <string.h>

#define OPENBUY_RATE 600                /* calls a minute: a company of thousands searching at once stays below */

/* ---- the containers ------------------------------------------------------------------------------------------- */

void po_read_hub(po_reading *x)
{
    po_hub_block *h = apr_pcalloc(x->pool, sizeof(*h));
    int i;

    h->hub.name = x->argv[0];
    h->hub.senders = apr_array_make(x->pool, 1, sizeof(po_credential));
    h->hub.secrets = apr_array_make(x->pool, 2, sizeof(po_secret));
    h->hub.certificates = apr_array_make(x->pool, 1, sizeof(po_certificate));
    h->hub.posts = apr_array_make(x->pool, 1, sizeof(po_post));
    h->secrets = apr_array_make(x->pool, 2, sizeof(po_secret_setting));
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
    buyer->certificates = apr_array_make(x->pool, 1, sizeof(po_certificate));
    buyer->return_hosts = apr_array_make(x->pool, 2, sizeof(po_return_host));
    buyer->posts = apr_array_make(x->pool, 1, sizeof(po_post));
    buyer->units = apr_table_make(x->pool, 2);
    buyer->openbuy_credentials = apr_array_make(x->pool, 2, sizeof(po_secret));
    buyer->openbuy_fields = apr_array_make(x->pool, 2, sizeof(po_openbuy_field));
    buyer->openbuy_rate = OPENBUY_RATE;
    buyer->deployment = PO_DEPLOYMENT_TEST;
    buyer->currency = "USD";            /* free offers name none, and a $0.00 line needs one */
    buyer->mismatch = PO_MISMATCH_REJECT;
    b->secrets = apr_array_make(x->pool, 2, sizeof(po_secret_setting));
    b->openbuy_credentials = apr_array_make(x->pool, 2, sizeof(po_secret_setting));
    b->at = x->at;
    return b;
}

static void override(int *value, const po_setting *s)
{
    if (s->at)
        *value = (int)s->number;
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
    if (b->forbidden.at)
        profile->forbidden = b->forbidden.text;
    if (b->post_dtd.at)
        profile->post_dtd = b->post_dtd.text;
    if (b->documents.at)
        profile->documents = (unsigned)b->documents.number;
    override(&profile->transient_http, &b->transient_http);
    override(&profile->price_decimals, &b->price_decimals);
    override(&profile->part_bytes, &b->part_bytes);
    override(&profile->description_bytes, &b->description_bytes);
    override(&profile->short_name_bytes, &b->short_name_bytes);
    override(&profile->ascii_only, &b->ascii);
    override(&profile->start_elsewhere, &b->start_elsewhere);
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

/* One word behind a secret, e.g. until=2027-01-01T00:00:00+01:00. NULL, or what is wrong with it. */
static const char *validity_word(po_secret_setting *s, const char *word)
{
    const char *value = strchr(word, '=');
    apr_time_t *to = !value ? NULL : !strncasecmp(word, "from=", 5) ? &s->from
                                   : !strncasecmp(word, "until=", 6) ? &s->until : NULL;
    const char *clock = value ? strpbrk(value, "Tt ") : NULL;

    if (!to)
        return "behind a secret come from=TIMESTAMP and until=TIMESTAMP alone; quote a secret that holds blanks";
    /* local time would be another moment after the server moves or winter comes */
    if (!clock || !strpbrk(clock, "Zz+-") || po_timestamp_parse(value + 1, to) != APR_SUCCESS)
        return "write a timestamp with its offset, e.g. until=2027-01-01T00:00:00+01:00";
    return NULL;
}

void po_add_secret(po_reading *x, apr_array_header_t *list)
{
    po_secret_setting s = { { NULL } };
    const char *wrong = NULL;
    int i;

    for (i = 1; i < x->argc && !wrong; i++)
        wrong = validity_word(&s, x->argv[i]);
    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0073: ", wrong, NULL));
    else if (s.from && s.until && s.from >= s.until)
        po_wrong(x, "PO0075: from= must be earlier than until=, else this secret never counts");
    else if (list->nelts == 2)
        po_wrong(x, "PO0037: a block takes two secrets, the present and the next one of a rotation; remove one");
    else {
        po_keep(x, &s.value, x->argv[0], 0);
        APR_ARRAY_PUSH(list, po_secret_setting) = s;
    }
}

void po_read_secret(po_reading *x)
{
    po_add_secret(x, x->hub ? x->hub->secrets : x->buyer->secrets);
}

/* 64 hex digits, colons between them or not, as lower-case hex; NULL: they are none. */
static const char *fingerprint(const char *text, apr_pool_t *p)
{
    char *out = apr_pcalloc(p, 2 * PO_DIGEST + 1);
    int n = 0;

    for (; *text; text++) {
        if (*text == ':')
            continue;
        if (!apr_isxdigit(*text) || n == 2 * PO_DIGEST)
            return NULL;
        out[n++] = apr_tolower(*text);
    }
    return n == 2 * PO_DIGEST ? out : NULL;
}

void po_read_certificate(po_reading *x)
{
    po_certificate c = { NULL, NULL };

    if (!strncasecmp(x->argv[0], "sha256:", 7))
        c.fingerprint = fingerprint(x->argv[0] + 7, x->pool);
    else if (strchr(x->argv[0], '=') && *x->argv[0] != '=' && *x->argv[0] != '/')
        c.subject = x->argv[0];
    if (!c.subject && !c.fingerprint)
        po_wrong(x, "PO0076: write the certificate's name as SSL_CLIENT_S_DN has it, e.g. \"CN=acme,O=Acme Ltd\", or "
                 "sha256: and the 64 hex digits of its fingerprint");
    else
        APR_ARRAY_PUSH(x->hub ? x->hub->hub.certificates : x->buyer->buyer.certificates, po_certificate) = c;
}

void po_read_authentication(po_reading *x)
{
    static const char *const words[] = { "any", "secret", "certificate", "both" };      /* of po_authentication */
    int i;

    for (i = 0; i < 4; i++)
        if (!strcasecmp(words[i], x->argv[0])) {
            po_keep(x, x->hub ? &x->hub->authentication : &x->buyer->authentication, NULL, i);
            return;
        }
    po_wrong(x, "PO0077: write any, secret, certificate or both");
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
    if (!wrong && !strcasecmp(uri.scheme, "http") && !po_url_is_loopback(x->argv[0], x->pool))
        wrong = "the secret must not travel in clear; write an https URL (http is for this machine alone, for tests)";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0038: ", wrong, NULL));
        return;
    }
    post = apr_array_push(x->hub ? x->hub->hub.posts : x->buyer->buyer.posts);
    post->url = x->argv[0];
    post->documents = documents;
}

void po_read_post_secret(po_reading *x)
{
    po_setting *to = x->hub ? &x->hub->post_secret : &x->buyer->post_secret;

    if (to->at)
        po_wrong(x, "PO0350: a block takes one secret for documents; remove the other line");
    else
        po_keep(x, to, x->argv[0], 0);
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

static void add_hosts(po_reading *x, apr_array_header_t *list)
{
    int i;

    for (i = 0; i < x->argc; i++) {
        po_return_host host;
        const char *wrong = po_return_host_parse(&host, x->argv[i], x->pool);

        if (!wrong && !strcmp(host.host, "."))
            wrong = "write the domain behind the dot, e.g. .acme.example";
        if (!wrong) {
            APR_ARRAY_PUSH(list, po_return_host) = host;
            continue;
        }
        x->shown = po_url_masked(x->argv[i], x->pool);
        po_wrong(x, apr_pstrcat(x->pool, "PO0043: ", wrong, NULL));
    }
}

void po_read_return_hosts(po_reading *x)
{
    add_hosts(x, x->buyer->buyer.return_hosts);
}

void po_read_sign_on_hosts(po_reading *x)
{
    add_hosts(x, x->config->sign_on_hosts);
}

void po_read_request_redirect(po_reading *x)
{
    apr_uri_t uri;
    const char *wrong = po_url_parse(&uri, x->argv[0], "https http", x->pool);

    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0085: ", wrong, NULL));
    else
        po_keep(x, &x->buyer->request_redirect, x->argv[0], 0);
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
        x->buyer->buyer.approvals = PO_APPROVALS_SEPARATE;
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

void po_read_usage_limit(po_reading *x)
{
    int none = !strcasecmp(x->argv[0], "none");

    if (!none && strcasecmp(x->argv[0], "order"))
        po_wrong(x, "PO0171: write order or none");
    else
        x->buyer->buyer.usage_limit = none ? PO_USAGE_LIMIT_NONE : PO_USAGE_LIMIT_ORDER;
}

/* ---- overrides of the profile --------------------------------------------------------------------------------- */

void po_read_dtd(po_reading *x)
{
    const char *v = x->argv[0];

    if (strcmp(v, "1.1.010")
        && (strlen(v) != 7 || strncmp(v, "1.2.0", 5) || !apr_isdigit(v[5]) || !apr_isdigit(v[6])))
        po_wrong(x, "PO0050: write a version of the cXML 1.2 DTD with three digits at the end, e.g. 1.2.014, or "
                 "1.1.010");
    else
        po_keep(x, &x->buyer->dtd, v, 0);
}

void po_read_post_dtd(po_reading *x)
{
    const char *v = x->argv[0];

    if (strlen(v) != 7 || strncmp(v, "1.2.0", 5) || !apr_isdigit(v[5]) || !apr_isdigit(v[6]))
        po_wrong(x, "PO0351: write a version of the cXML 1.2 DTD with three digits at the end, e.g. 1.2.020");
    else
        po_keep(x, &x->buyer->post_dtd, v, 0);
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

/* One word of PunchOutLimit; NULL, or what is wrong. */
static const char *limit_word(po_reading *x, char *word)
{
    char *value = strchr(word, '=');
    po_setting *to;
    int n;

    if (value)
        *value++ = '\0';
    to = !value ? NULL : !strcasecmp(word, "part") ? &x->buyer->part_bytes
                       : !strcasecmp(word, "description") ? &x->buyer->description_bytes
                       : !strcasecmp(word, "shortname") ? &x->buyer->short_name_bytes : NULL;
    if (!to)
        return "write words of the form part=100 description=255 shortname=50";
    n = number(value, 1, 65535);
    if (n < 0)
        return "a limit is a number of bytes from 1 to 65535";
    po_keep(x, to, NULL, n);
    return NULL;
}

void po_read_limit(po_reading *x)
{
    const char *wrong = NULL;
    int i;

    for (i = 0; i < x->argc && !wrong; i++)
        wrong = limit_word(x, x->argv[i]);
    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0081: ", wrong, NULL));
}

void po_read_forbidden(po_reading *x)
{
    const char *s = x->argv[0];

    if (!strcasecmp(s, "none")) {
        po_keep(x, &x->buyer->forbidden, "", 0);
        return;
    }
    while (*s >= ' ' && *s < 127)
        s++;
    if (*s || s == x->argv[0])
        po_wrong(x, "PO0082: write the characters that part numbers must not hold, in quotes and ASCII, e.g. \"?{}\", "
                 "or none");
    else
        po_keep(x, &x->buyer->forbidden, x->argv[0], 0);
}

static void read_switch(po_reading *x, po_setting *to)
{
    int on = !strcasecmp(x->argv[0], "on");

    if (!on && strcasecmp(x->argv[0], "off"))
        po_wrong(x, "PO0083: write on or off");
    else
        po_keep(x, to, NULL, on);
}

void po_read_ascii(po_reading *x)
{
    read_switch(x, &x->buyer->ascii);
}

void po_read_start_elsewhere(po_reading *x)
{
    read_switch(x, &x->buyer->start_elsewhere);
}

void po_read_documents(po_reading *x)
{
    unsigned what = 0;
    int i;

    for (i = 0; i < x->argc; i++)
        if (!strcasecmp(x->argv[i], "confirmation"))
            what |= PO_POST_CONFIRMATION;
        else if (!strcasecmp(x->argv[i], "invoice"))
            what |= PO_POST_INVOICE;
        else if (strcasecmp(x->argv[i], "none") || x->argc > 1) {
            po_wrong(x, "PO0084: write confirmation, invoice, both, or none alone");
            return;
        }
    po_keep(x, &x->buyer->documents, NULL, what);
}

/* ---- who the shopper is --------------------------------------------------------------------------------------- */

/* Contact/ and ShipTo/ begin a place in the document; anything else is the name of an Extrinsic. */
static int source_known(const char *source)
{
    static const char *const places[] = { "Contact/Name", "Contact/Email", "ShipTo/Name", "ShipTo/Email",
                                          "ShipTo/DeliverTo" };
    apr_size_t i;

    if (strncmp(source, "Contact/", 8) && strncmp(source, "ShipTo/", 7))
        return *source != '\0';
    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (!strcmp(places[i], source))
            return 1;
    return 0;
}

void po_read_user_data(po_reading *x)
{
    po_user_map *map = &x->buyer->buyer.user_map;
    const apr_array_header_t **to = !strcasecmp(x->argv[0], "user") ? &map->user
                                  : !strcasecmp(x->argv[0], "email") ? &map->email
                                  : !strcasecmp(x->argv[0], "name") ? &map->name : NULL;
    apr_array_header_t *sources = apr_array_make(x->pool, x->argc, sizeof(const char *));
    int i;

    for (i = 1; i < x->argc && to; i++) {
        if (!source_known(x->argv[i]))
            to = NULL;
        APR_ARRAY_PUSH(sources, const char *) = x->argv[i];
    }
    if (to)
        *to = *to ? apr_array_append(x->pool, *to, sources) : sources;
    else
        po_wrong(x, "PO0086: write user, email or name, and where a setup says it: names of Extrinsics, Contact/Name, "
                 "Contact/Email, ShipTo/Name, ShipTo/Email or ShipTo/DeliverTo");
}

void po_read_identity_case(po_reading *x)
{
    int ignore = !strcasecmp(x->argv[0], "ignore");

    if (!ignore && strcasecmp(x->argv[0], "exact"))
        po_wrong(x, "PO0087: write exact or ignore");
    else
        x->buyer->buyer.ignore_case = ignore;
}
