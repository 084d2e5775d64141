/* site_json.c - the JSON of `httpd -t -D DUMP_PUNCHOUT` back into the structs that the server has. */
#include "tools.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECRET_MAX 1024

typedef struct {
    apr_pool_t *pool;
    po_crypto *crypto;
    po_dump *out;
    const char *wrong;                  /* the first thing that is no dump of ours */
} dump_reading;

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* A member that must be there. */
static json_t *member(dump_reading *x, const json_t *o, const char *name)
{
    json_t *v = json_object_get(o, name);

    if (!v && !x->wrong)
        x->wrong = apr_psprintf(x->pool, "the configuration has no \"%s\"; print it with httpd -t -D DUMP_PUNCHOUT of "
                                "the same version", name);
    return v;
}

/* NULL for null, and for a member that is not there. */
static const char *text(dump_reading *x, const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? apr_pstrdup(x->pool, s) : NULL;
}

static int number(const json_t *o, const char *name, int otherwise)
{
    const json_t *v = json_object_get(o, name);

    return json_is_integer(v) ? (int)json_integer_value(v) : otherwise;
}

static apr_array_header_t *texts(dump_reading *x, const json_t *list)
{
    apr_array_header_t *out = apr_array_make(x->pool, 2, sizeof(const char *));
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
        if (json_is_string(v))
            APR_ARRAY_PUSH(out, const char *) = apr_pstrdup(x->pool, json_string_value(v));
    return out;
}

static apr_array_header_t *credentials(dump_reading *x, const json_t *o, const char *name)
{
    apr_array_header_t *out = apr_array_make(x->pool, 2, sizeof(po_credential));
    const json_t *v, *list = member(x, o, name);
    size_t i;

    json_array_foreach(list, i, v) {
        po_credential *c = apr_array_push(out);

        memset(c, 0, sizeof(*c));
        c->domain = text(x, v, "domain");
        c->identity = text(x, v, "identity");
    }
    return out;
}

/* ---- secrets ---------------------------------------------------------------------------------------------------- */

/* The first line of a file, as the server reads it; NULL: it can't be read here. */
static const char *secret_of_file(dump_reading *x, const char *name)
{
    char line[SECRET_MAX + 2], *end;
    FILE *f = fopen(name, "r");
    const char *got = f ? fgets(line, sizeof(line), f) : NULL;

    if (f)
        fclose(f);
    if (!got)
        return NULL;
    got += strspn(got, " \t");
    for (end = line + strlen(line); end > got && strchr(" \t\r\n", end[-1]); end--)
        ;
    *end = '\0';
    return *got ? apr_pstrdup(x->pool, got) : NULL;
}

/* 0: none. */
static apr_time_t time_of(dump_reading *x, const json_t *o, const char *name)
{
    const char *s = text(x, o, name);
    apr_time_t t = 0;

    if (s && po_timestamp_parse(s, &t) != APR_SUCCESS && !x->wrong)
        x->wrong = apr_psprintf(x->pool, "\"%s\" of a secret is not a time: %s", name, s);
    return t;
}

/* Each says where it stands and when it counts. */
static apr_array_header_t *secrets(dump_reading *x, const json_t *o)
{
    apr_array_header_t *out = apr_array_make(x->pool, 2, sizeof(po_secret));
    const json_t *v, *list = member(x, o, "secrets");
    size_t i;

    json_array_foreach(list, i, v) {
        po_secret *s = apr_array_push(out);

        memset(s, 0, sizeof(*s));
        s->source = text(x, v, "source");
        s->from = time_of(x, v, "from");
        s->until = time_of(x, v, "until");
        if (s->source && !strncmp(s->source, "file:", 5))
            s->value = secret_of_file(x, s->source + 5);
        if (s->value)
            po_sha256(x->crypto, s->value, strlen(s->value), s->digest);
    }
    return out;
}

static apr_array_header_t *certificates(dump_reading *x, const json_t *o)
{
    apr_array_header_t *out = apr_array_make(x->pool, 1, sizeof(po_certificate));
    const json_t *v, *list = json_object_get(o, "clientCertificates");
    size_t i;

    json_array_foreach(list, i, v) {
        po_certificate *c = apr_array_push(out);

        c->subject = text(x, v, "subject");
        c->fingerprint = text(x, v, "sha256");
    }
    return out;
}

static int same_word(const char *a, const char *b)
{
    return a && !strcasecmp(a, b);
}

static po_authentication authentication(dump_reading *x, const json_t *o)
{
    const char *word = text(x, o, "authentication");

    return same_word(word, "secret") ? PO_AUTHENTICATION_SECRET
         : same_word(word, "certificate") ? PO_AUTHENTICATION_CERTIFICATE
         : same_word(word, "both") ? PO_AUTHENTICATION_BOTH : PO_AUTHENTICATION_ANY;
}

/* ---- buyers and hubs -------------------------------------------------------------------------------------------- */

static void read_profile(dump_reading *x, po_profile *f, const json_t *o)
{
    const po_profile *row;

    f->name = text(x, o, "name");
    row = po_profile_find(f->name ? f->name : "generic");
    if (row)
        *f = *row;                      /* what a dump of an older version doesn't say */
    f->dtd = text(x, o, "dtd");
    f->part_bytes = number(o, "partBytes", f->part_bytes);
    f->price_decimals = number(o, "priceDecimals", f->price_decimals);
    f->transient_http = number(o, "transientHTTP", f->transient_http);
}

static apr_array_header_t *return_hosts(dump_reading *x, const json_t *o)
{
    apr_array_header_t *out = apr_array_make(x->pool, 2, sizeof(po_return_host));
    const json_t *v, *list = member(x, o, "returnHosts");
    size_t i;

    json_array_foreach(list, i, v) {
        const char *word = json_string_value(v);
        po_return_host host;

        if (word && !po_return_host_parse(&host, apr_pstrdup(x->pool, word), x->pool))
            APR_ARRAY_PUSH(out, po_return_host) = host;
    }
    return out;
}

static void read_units(dump_reading *x, po_buyer *b, const json_t *o)
{
    const char *ours;
    json_t *theirs;

    b->units = apr_table_make(x->pool, 2);
    json_object_foreach((json_t *)o, ours, theirs)
        if (json_is_string(theirs))
            apr_table_set(b->units, ours, json_string_value(theirs));
}

static void read_user_map(dump_reading *x, po_user_map *map, const json_t *o)
{
    const json_t *user = json_object_get(o, "user"), *email = json_object_get(o, "email");
    const json_t *name = json_object_get(o, "name");

    map->user = json_array_size(user) ? texts(x, user) : NULL;
    map->email = json_array_size(email) ? texts(x, email) : NULL;
    map->name = json_array_size(name) ? texts(x, name) : NULL;
}

static unsigned documents(const json_t *o)
{
    return (json_is_true(json_object_get(o, "confirmation")) ? PO_POST_CONFIRMATION : 0u)
           | (json_is_true(json_object_get(o, "invoice")) ? PO_POST_INVOICE : 0u);
}

static apr_array_header_t *posts(dump_reading *x, const json_t *o)
{
    apr_array_header_t *out = apr_array_make(x->pool, 1, sizeof(po_post));
    const json_t *v, *list = json_object_get(o, "posts");
    size_t i;

    json_array_foreach(list, i, v) {
        po_post *post = apr_array_push(out);

        post->url = text(x, v, "url");
        post->documents = documents(v);
    }
    return out;
}

static po_buyer *read_buyer(dump_reading *x, const po_site *site, const json_t *o)
{
    po_buyer *b = apr_pcalloc(x->pool, sizeof(*b));
    const char *via = text(x, o, "via"), *mismatch = text(x, o, "orderMismatch");
    const char *lines = text(x, o, "lines");

    b->name = text(x, o, "name");
    b->organization = text(x, o, "organization");
    read_profile(x, &b->profile, member(x, o, "profile"));
    if (json_object_get(json_object_get(o, "profile"), "confirmation"))
        b->profile.documents = documents(json_object_get(o, "profile"));
    b->credentials = credentials(x, o, "credentials");
    b->suppliers = credentials(x, o, "suppliers");
    b->senders = credentials(x, o, "senders");
    b->sellers = texts(x, json_object_get(o, "sellers"));
    b->secrets = secrets(x, o);
    b->certificates = certificates(x, o);
    b->authentication = authentication(x, o);
    b->ignore_case = same_word(text(x, o, "identityCase"), "ignore");
    b->return_hosts = return_hosts(x, o);
    b->posts = posts(x, o);
    read_units(x, b, json_object_get(o, "units"));
    read_user_map(x, &b->user_map, json_object_get(o, "userData"));
    b->deployment = same_word(text(x, o, "deployment"), "production") ? PO_DEPLOYMENT_PRODUCTION : PO_DEPLOYMENT_TEST;
    b->currency = text(x, o, "currency");
    b->mismatch = same_word(mismatch, "accept") ? PO_MISMATCH_ACCEPT : same_word(mismatch, "hold") ? PO_MISMATCH_HOLD
                                                                                                   : PO_MISMATCH_REJECT;
    b->usage_limit = same_word(text(x, o, "usageLimit"), "none") ? PO_USAGE_LIMIT_NONE : PO_USAGE_LIMIT_ORDER;
    b->activate = same_word(text(x, o, "activate"), "each") ? PO_ACTIVATE_EACH : PO_ACTIVATE_ALL;
    b->lines = same_word(lines, "single") ? PO_LINES_SINGLE : same_word(lines, "split") ? PO_LINES_SPLIT
                                                                                        : PO_LINES_CLASSIC;
    b->approvals = same_word(text(x, o, "approvals"), "separate") ? PO_APPROVALS_SEPARATE : PO_APPROVALS_TOGETHER;
    b->via = via ? apr_hash_get(site->hubs, via, APR_HASH_KEY_STRING) : NULL;
    b->fault = text(x, o, "fault");
    return b;
}

static void read_hubs(dump_reading *x, po_site *site, const json_t *list)
{
    const json_t *v;
    size_t i;

    site->hubs = apr_hash_make(x->pool);
    json_array_foreach(list, i, v) {
        po_hub *h = apr_pcalloc(x->pool, sizeof(*h));

        h->name = text(x, v, "name");
        h->senders = credentials(x, v, "senders");
        h->secrets = secrets(x, v);
        h->certificates = certificates(x, v);
        h->authentication = authentication(x, v);
        h->posts = posts(x, v);
        if (h->name)
            apr_hash_set(site->hubs, h->name, APR_HASH_KEY_STRING, h);
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static po_site *read_site(dump_reading *x, const json_t *o)
{
    po_site *s = apr_pcalloc(x->pool, sizeof(*s));
    const json_t *v, *buyers = member(x, o, "buyers");
    const char *wrong;
    size_t i;

    s->public_url = text(x, o, "publicURL");
    s->door = text(x, o, "door");
    s->identities = credentials(x, o, "identities");
    s->catalog_file = text(x, o, "catalog");
    s->start_page = text(x, o, "startPage");
    s->product_page = text(x, o, "productPage");
    s->fulfillment = text(x, o, "fulfillment");
    s->fulfillment_test = text(x, o, "fulfillmentTest");
    s->fault = text(x, o, "fault");
    s->buyers = apr_array_make(x->pool, 4, sizeof(po_buyer *));
    read_hubs(x, s, json_object_get(o, "hubs"));
    json_array_foreach(buyers, i, v)
        APR_ARRAY_PUSH(s->buyers, po_buyer *) = read_buyer(x, s, v);
    if (!s->public_url && !x->wrong)
        x->wrong = "a site of the configuration has no \"publicURL\"";
    wrong = po_site_index(s, x->pool);
    if (wrong && !x->wrong)
        x->wrong = wrong;
    return s;
}

static void read_root(dump_reading *x, const json_t *root)
{
    const json_t *v, *sites = member(x, root, "sites");
    size_t i;

    x->out->state_dir = text(x, root, "stateDir");
    x->out->ledger = text(x, root, "ledger");
    json_array_foreach(sites, i, v)
        APR_ARRAY_PUSH(x->out->sites, po_site *) = read_site(x, v);
    if (!x->wrong && !x->out->sites->nelts)
        x->wrong = "the configuration has no site; PunchOutPublicURL makes one";
}

const char *po_dump_read(po_dump *out, const char *bytes, apr_size_t len, po_crypto *c, apr_pool_t *p)
{
    dump_reading x = { p, c, out, NULL };
    json_error_t error;
    json_t *root = json_loadb(bytes, len, 0, &error);

    memset(out, 0, sizeof(*out));
    out->sites = apr_array_make(p, 2, sizeof(po_site *));
    if (!root)
        return apr_psprintf(p, "it is no JSON (line %d: %s)", error.line, error.text);
    read_root(&x, root);
    json_decref(root);
    return x.wrong;
}
