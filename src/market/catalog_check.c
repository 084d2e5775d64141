/* catalog_check.c - what a product of catalog.json must look like; each mistake with file, line, value and remedy. */
#include "market/market_private.h"

#include <stdarg.h>
#include <string.h>

#include <jansson.h>

#define ID_BYTES 100                    /* what procurement systems take as a SupplierPartID */
#define NAME_BYTES 255
#define TEXT_BYTES 10000
#define URL_BYTES 1000
#define UNIT_BYTES 20

typedef struct {                        /* where a mistake is */
    const char *file;
    int line;
    const char *product, *offer, *dimension;    /* NULL: not known yet, or none */
    apr_pool_t *p;                      /* of the message */
} place;

__attribute__((format(printf, 2, 3)))
static const char *mistake(const place *at, const char *format, ...)
{
    const char *what, *where = "";
    va_list args;

    va_start(args, format);
    what = apr_pvsprintf(at->p, format, args);
    va_end(args);
    if (at->product)
        where = apr_psprintf(at->p, "product \"%s\": ", at->product);
    if (at->offer)
        where = apr_psprintf(at->p, "product \"%s\", offer \"%s\": ", at->product, at->offer);
    if (at->dimension)
        where = apr_psprintf(at->p, "product \"%s\", offer \"%s\", dimension \"%s\": ", at->product, at->offer,
                             at->dimension);
    return apr_psprintf(at->p, "%s:%d: %s%s", at->file, at->line, where, what);
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

static const char *only_members(const place *at, json_t *object, const char *const *known)
{
    const char *list, *name = po_json_unknown(object, known, &list, at->p);

    return name ? mistake(at, "unknown member %s; known are %s", name, list) : NULL;
}

typedef enum { OPTIONAL, REQUIRED } need;
typedef enum { ONE_LINE, LINES } shape;

static const char *has_control(const char *text, shape lines)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 || *text == 0x7f)
            && !(lines == LINES && (*text == '\n' || *text == '\t' || *text == '\r')))
            return text;
    return NULL;
}

/* A text that is not empty; *out stays NULL when an optional one is absent. */
static const char *get_text(const place *at, json_t *object, const char *member, need n, shape lines, apr_size_t most,
                            const char **out)
{
    json_t *v = json_object_get(object, member);
    const char *text = json_string_value(v);

    *out = NULL;
    if (!v)
        return n == REQUIRED ? mistake(at, "\"%s\" is missing", member) : NULL;
    if (!text)
        return mistake(at, "\"%s\" is %s; write a text in quotes", member, po_json_value_text(v, at->p));
    if (!text[strspn(text, " \t\r\n")])
        return mistake(at, "\"%s\" is empty; %s", member, n == REQUIRED ? "it is required" : "leave it out instead");
    if (has_control(text, lines))
        return mistake(at, "\"%s\" holds a control character; take it out", member);
    if (json_string_length(v) > most)
        return mistake(at, "\"%s\" is %" APR_SIZE_T_FMT " bytes long; %" APR_SIZE_T_FMT " are allowed", member,
                       json_string_length(v), most);
    *out = text;
    return NULL;
}

static const char *bad_id(const place *at, const char *member, const char *id)
{
    apr_size_t n;

    if ((n = strcspn(id, "?{} \t\r\n")) < strlen(id))
        return mistake(at, "\"%s\" is %s, but procurement systems refuse ids that hold %s; use letters, digits, "
                       "'-', '_' and '.'", member, po_json_shown(id, at->p),
                       id[n] == ' ' ? "a blank" : apr_psprintf(at->p, "'%c'", id[n]));
    return NULL;
}

static const char *get_id(const place *at, json_t *object, const char *member, const char **out)
{
    const char *wrong = get_text(at, object, member, REQUIRED, ONE_LINE, ID_BYTES, out);

    return wrong ? wrong : bad_id(at, member, *out);
}

/* A path or an address that a page may link to: nothing that runs in a browser. */
static const char *get_url(const place *at, json_t *object, const char *member, need n, const char **out)
{
    const char *wrong = get_text(at, object, member, n, ONE_LINE, URL_BYTES, out), *url = *out;

    if (wrong || !url)
        return wrong;
    if (strchr(url, ' ') || strchr(url, '\\')
        || !((url[0] == '/' && url[1] != '/') || !strncmp(url, "https://", 8) || !strncmp(url, "http://", 7)))
        return mistake(at, "\"%s\" is %s; write a path that begins with one '/', or an http(s) URL", member,
                       po_json_shown(url, at->p));
    return NULL;
}

/* Money is a text of digits with a point; a JSON number has been through a float already. */
static const char *get_price(const place *at, json_t *object, po_decimal *price)
{
    json_t *v = json_object_get(object, "price");
    const char *text = json_string_value(v);
    apr_size_t len;

    if (json_is_number(v))
        return mistake(at, "\"price\" is %s; money is never a JSON number, because a float rounds: write it as a "
                       "string, like \"1200.00\"", po_json_value_text(v, at->p));
    if (!text)
        return mistake(at, "\"price\" is %s; write it as a string, like \"1200.00\"", po_json_value_text(v, at->p));
    len = json_string_length(v);
    if (len && *text == '-')
        return mistake(at, "\"price\" is negative: %s; a price is 0 or more", po_json_shown(text, at->p));
    if (!len || strspn(text, "0123456789.") != len || po_decimal_parse(price, text, (apr_ssize_t)len) != APR_SUCCESS)
        return mistake(at, "\"price\" is %s, not a plain decimal; write at most 18 digits with at most 8 behind the "
                       "point, no separators and no sign, like \"1200.00\"", po_json_shown(text, at->p));
    return NULL;
}

static const char *get_unit(const place *at, json_t *object, const char **out)
{
    const char *wrong = get_text(at, object, "unit", OPTIONAL, ONE_LINE, UNIT_BYTES, out);

    if (wrong || !*out)
        return wrong;
    if (strspn(*out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != strlen(*out))
        return mistake(at, "\"unit\" is %s; write a code of UN/CEFACT Recommendation 20, like \"EA\" or \"HUR\"",
                       po_json_shown(*out, at->p));
    return NULL;
}

/* ---- an offer ---------------------------------------------------------------------------------------------------- */

static const char *read_dimension(place *at, json_t *object, const apr_array_header_t *before, po_usage *u)
{
    static const char *const known[] = { "dimension", "description", "price", "unit", NULL };
    const char *wrong;
    int i;

    if (!json_is_object(object))
        return mistake(at, "\"usage\" holds %s; each dimension is an object", po_json_value_text(object, at->p));
    if ((wrong = get_id(at, object, "dimension", &u->dimension)))
        return wrong;
    at->dimension = u->dimension;
    for (i = 0; i < before->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(before, i, po_usage).dimension, u->dimension))
            return mistake(at, "the dimension occurs twice in this offer");
    if ((wrong = only_members(at, object, known))
        || (wrong = get_text(at, object, "description", OPTIONAL, ONE_LINE, NAME_BYTES, &u->description))
        || (wrong = get_unit(at, object, &u->unit)))
        return wrong;
    if (!json_object_get(object, "price"))
        return mistake(at, "\"price\" is missing; write the price of one unit, like \"0.0925\"");
    if ((wrong = get_price(at, object, &u->price)))
        return wrong;
    if (po_decimal_is_zero(&u->price))
        return mistake(at, "\"price\" is 0; a usage price is greater than 0, leave a dimension that costs nothing out");
    if (!u->description)
        u->description = u->dimension;
    return NULL;
}

static const char *read_usage(place *at, json_t *list, po_offer *o, apr_pool_t *p)
{
    const char *wrong;
    apr_size_t i;

    if (!list)
        return NULL;
    if (!json_is_array(list))
        return mistake(at, "\"usage\" is %s; write a list of dimensions", po_json_value_text(list, at->p));
    if (!json_array_size(list))
        return mistake(at, "\"usage\" is empty; name at least one dimension with its price, or leave it out");
    o->usage = apr_array_make(p, (int)json_array_size(list), sizeof(po_usage));
    for (i = 0; i < json_array_size(list); i++) {
        po_usage u = { 0 };

        if ((wrong = read_dimension(at, json_array_get(list, i), o->usage, &u)))
            return wrong;
        at->dimension = NULL;
        APR_ARRAY_PUSH(o->usage, po_usage) = u;
    }
    return NULL;
}

static int one_of(const char *text, const char *const *list)
{
    while (*list && strcmp(*list, text))
        list++;
    return *list != NULL;
}

/* What its pricing allows and demands. */
static const char *check_pricing(const place *at, const po_offer *o)
{
    static const char *const all[] = { "contract", "usage", "free", "byol", "trial", NULL };
    int contract, usage;

    if (!one_of(o->pricing, all))
        return mistake(at, "unknown pricing %s; known are contract, usage, free, byol, trial", po_json_shown(o->pricing, at->p));
    contract = !strcmp(o->pricing, "contract");
    usage = !strcmp(o->pricing, "usage");
    if (contract && !o->has_price)
        return mistake(at, "a contract needs a \"price\", like \"1200.00\"");
    if (usage && !o->usage)
        return mistake(at, "pricing \"usage\" needs \"usage\": a list of dimensions with their prices");
    if (usage && !po_decimal_is_zero(&o->price))
        return mistake(at, "pricing \"usage\" has no price beside those of its dimensions; a contract with usage is "
                       "pricing \"contract\" with \"usage\"");
    if (!contract && !usage && !po_decimal_is_zero(&o->price))
        return mistake(at, "pricing \"%s\" costs nothing, but a \"price\" is given; leave it out, or make it a "
                       "contract", o->pricing);
    if (!contract && !usage && o->usage)
        return mistake(at, "pricing \"%s\" costs nothing, but \"usage\" has prices; make it pricing \"usage\"",
                       o->pricing);
    return NULL;
}

/* A list of organizations as po_offer holds it; *out stays NULL when there is none. */
static const char *read_organizations(const place *at, json_t *object, const char *member, const char **out, apr_pool_t *p)
{
    json_t *list = json_object_get(object, member);
    const char *name;
    apr_size_t i;

    *out = NULL;
    if (!list)
        return NULL;
    if (!json_array_size(list))
        return mistake(at, "\"%s\" is %s; write a list of at least one organization, or leave it out", member,
                       json_is_array(list) ? "empty" : po_json_value_text(list, at->p));
    for (i = 0; i < json_array_size(list); i++) {
        name = json_string_value(json_array_get(list, i));
        if (!name || !*name || has_control(name, ONE_LINE))
            return mistake(at, "\"%s\" holds %s; each organization is a text in quotes, as PunchOutOrganization names it",
                           member, po_json_value_text(json_array_get(list, i), at->p));
        *out = apr_pstrcat(p, *out ? *out : "\n", name, "\n", NULL);
    }
    return NULL;
}

static const char *read_offer(place *at, json_t *object, po_offer *o, apr_pool_t *p)
{
    static const char *const known[] = { "id", "pricing", "price", "currency", "term", "unit", "usage", "organizations",
                                         NULL };
    const char *wrong;

    if (!json_is_object(object))
        return mistake(at, "\"offers\" holds %s; each offer is an object", po_json_value_text(object, at->p));
    if ((wrong = get_id(at, object, "id", &o->offer)))
        return apr_pstrcat(at->p, wrong, " (in an offer)", NULL);
    at->offer = o->offer;
    if ((wrong = only_members(at, object, known))
        || (wrong = get_text(at, object, "pricing", REQUIRED, ONE_LINE, NAME_BYTES, &o->pricing))
        || (wrong = get_text(at, object, "currency", OPTIONAL, ONE_LINE, NAME_BYTES, &o->currency))
        || (wrong = get_text(at, object, "term", OPTIONAL, ONE_LINE, NAME_BYTES, &o->term))
        || (wrong = get_unit(at, object, &o->unit))
        || (wrong = read_organizations(at, object, "organizations", &o->organizations, p)))
        return wrong;
    o->has_price = json_object_get(object, "price") != NULL;
    if ((o->has_price && (wrong = get_price(at, object, &o->price)))
        || (wrong = read_usage(at, json_object_get(object, "usage"), o, p))
        || (wrong = check_pricing(at, o)))
        return wrong;
    if (strcmp(o->pricing, "contract"))
        o->has_price = 0;
    if (o->currency && !po_currency_valid(o->currency))
        return mistake(at, "\"currency\" is %s; write three capital letters of ISO 4217, like \"USD\"",
                       po_json_shown(o->currency, at->p));
    if (o->term && !po_term_valid(o->term))
        return mistake(at, "\"term\" is %s; write an ISO 8601 duration, like \"P12M\" for 12 months or \"P14D\" for 14 "
                       "days", po_json_shown(o->term, at->p));
    return NULL;
}

/* ---- a product --------------------------------------------------------------------------------------------------- */

static const char *read_terms(const place *at, json_t *terms, po_product *product)
{
    static const char *const known[] = { "url", "version", NULL };
    const char *wrong;

    if (!terms)
        return NULL;
    if (!json_is_object(terms))
        return mistake(at, "\"terms\" is %s; write {\"url\": ..., \"version\": ...}", po_json_value_text(terms, at->p));
    if ((wrong = only_members(at, terms, known))
        || (wrong = get_url(at, terms, "url", REQUIRED, &product->terms_url))
        || (wrong = get_text(at, terms, "version", REQUIRED, ONE_LINE, NAME_BYTES, &product->terms_version)))
        return apr_pstrcat(at->p, wrong, " (in \"terms\")", NULL);
    return NULL;
}

static const char *read_keywords(const place *at, json_t *list, po_product *product, apr_pool_t *p)
{
    apr_size_t i;

    product->keywords = "";
    if (list && !json_is_array(list))
        return mistake(at, "\"keywords\" is %s; write a list of texts", po_json_value_text(list, at->p));
    for (i = 0; i < json_array_size(list); i++) {
        json_t *v = json_array_get(list, i);
        const char *word = json_string_value(v);

        if (!word || !*word || has_control(word, ONE_LINE))
            return mistake(at, "\"keywords\" holds %s; each keyword is a text in quotes", po_json_value_text(v, at->p));
        product->keywords = apr_pstrcat(p, product->keywords, i ? "\n" : "", word, NULL);
    }
    return NULL;
}

static po_offer offer_of(const po_product *product)
{
    po_offer o = { 0 };

    o.product = product->id;
    o.name = product->name;
    o.description = product->description;
    o.seller = product->seller;
    o.image = product->image;
    o.terms_url = product->terms_url;
    o.terms_version = product->terms_version;
    o.allowed = product->allowed;
    o.denied = product->denied;
    return o;
}

static const char *read_offers(place *at, json_t *list, const po_product_text *t, po_product *product, apr_pool_t *p)
{
    const char *wrong;
    apr_size_t i;
    int objects = 0, line = at->line;

    if (!json_is_array(list) || !json_array_size(list))
        return mistake(at, "\"offers\" is %s; a product has at least one offer",
                       !list ? "missing" : json_is_array(list) ? "empty" : po_json_value_text(list, at->p));
    product->offers = apr_array_make(p, (int)json_array_size(list), sizeof(po_offer));
    for (i = 0; i < json_array_size(list); i++) {
        json_t *object = json_array_get(list, i);
        po_offer o = offer_of(product);

        if (json_is_object(object) && objects < t->offer_lines->nelts)
            at->line = APR_ARRAY_IDX(t->offer_lines, objects++, int);
        if ((wrong = read_offer(at, object, &o, p)))
            return wrong;
        APR_ARRAY_PUSH(product->offers, po_offer) = o;
        at->offer = NULL;
        at->line = line;
    }
    return NULL;
}

static const char *read_product(place *at, json_t *object, const po_product_text *t, po_product *product, apr_pool_t *p)
{
    static const char *const known[] = { "id", "name", "description", "seller", "keywords", "image", "terms", "offers",
                                         "allowedOrganizations", "deniedOrganizations", NULL };
    const char *wrong;

    if ((wrong = get_id(at, object, "id", &product->id)))
        return apr_pstrcat(at->p, wrong, " (in a product)", NULL);
    at->product = product->id;
    if ((wrong = only_members(at, object, known))
        || (wrong = get_text(at, object, "name", REQUIRED, ONE_LINE, NAME_BYTES, &product->name))
        || (wrong = get_text(at, object, "description", OPTIONAL, LINES, TEXT_BYTES, &product->description))
        || (wrong = get_text(at, object, "seller", REQUIRED, ONE_LINE, NAME_BYTES, &product->seller))
        || (wrong = get_url(at, object, "image", OPTIONAL, &product->image))
        || (wrong = read_keywords(at, json_object_get(object, "keywords"), product, p))
        || (wrong = read_terms(at, json_object_get(object, "terms"), product))
        || (wrong = read_organizations(at, object, "allowedOrganizations", &product->allowed, p))
        || (wrong = read_organizations(at, object, "deniedOrganizations", &product->denied, p)))
        return wrong;
    return read_offers(at, json_object_get(object, "offers"), t, product, p);
}

/* ---- ids once each ----------------------------------------------------------------------------------------------- */

typedef struct {                        /* what an id was used for */
    int product_line, offer_line;       /* 0: not */
    const char *product;                /* of the offer */
} use;

/* A product and one of its own offers may share an id, for po_catalog_item() means the same by both. */
static const char *note_id(const place *at, apr_hash_t *ids, int offer, apr_pool_t *kept)
{
    const char *id = offer ? at->offer : at->product;
    use *u = apr_hash_get(ids, id, APR_HASH_KEY_STRING);

    if (!u) {
        u = apr_pcalloc(kept, sizeof(*u));
        apr_hash_set(ids, apr_pstrdup(kept, id), APR_HASH_KEY_STRING, u);
    } else if (u->offer_line && (offer || strcmp(u->product, id))) {
        return mistake(at, "the id \"%s\" was used before, by the offer in line %d; ids are used once", id,
                       u->offer_line);
    } else if (u->product_line && (!offer || strcmp(at->product, id))) {
        return mistake(at, "the id \"%s\" was used before, by the product in line %d; ids are used once", id,
                       u->product_line);
    }
    if (offer) {
        u->offer_line = at->line;
        u->product = apr_pstrdup(kept, at->product);
    } else {
        u->product_line = at->line;
    }
    return NULL;
}

static const char *note_ids(place *at, const po_product_text *t, const po_product *product, apr_hash_t *ids,
                            apr_pool_t *kept)
{
    const char *wrong;
    int i;

    at->line = t->line;
    at->offer = NULL;
    if ((wrong = note_id(at, ids, 0, kept)))
        return wrong;
    for (i = 0; i < product->offers->nelts; i++) {
        at->line = APR_ARRAY_IDX(t->offer_lines, i, int);
        at->offer = APR_ARRAY_IDX(product->offers, i, po_offer).offer;
        if ((wrong = note_id(at, ids, 1, kept)))
            return wrong;
    }
    return NULL;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *file;
    po_product_fn *fn;
    void *baton;
    apr_hash_t *ids;
    apr_pool_t *kept;                   /* as long as the file is read */
    apr_pool_t *p;                      /* of the message */
} reading;

static apr_status_t forget(void *object)
{
    json_decref(object);
    return APR_SUCCESS;
}

static const char *take_product(const reading *r, const po_product_text *t, apr_pool_t *tmp)
{
    place at = { r->file, t->line, NULL, NULL, NULL, r->p };
    po_product product = { 0 };
    json_error_t error;
    const char *wrong;
    json_t *object = json_loadb(t->text, t->len, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);

    if (!object) {
        at.line = t->line + (error.line > 0 ? error.line - 1 : 0);
        return mistake(&at, "not valid JSON, in the product that begins in line %d: %s", t->line, error.text);
    }
    apr_pool_cleanup_register(tmp, object, forget, apr_pool_cleanup_null);
    if ((wrong = read_product(&at, object, t, &product, tmp))
        || (wrong = note_ids(&at, t, &product, r->ids, r->kept)))
        return wrong;
    return r->fn ? r->fn(r->baton, &product) : NULL;
}

/* A message repeats what the file says, and stays one line of a log or terminal all the same. */
static const char *one_line(const char *message, apr_pool_t *p)
{
    char *out = apr_pstrdup(p, message), *c;

    for (c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return out;
}

static const char *take_file(reading *r, po_crypto *digest)
{
    po_catalog_scan *scan;
    po_product_text t;
    apr_pool_t *tmp;
    const char *wrong = po_catalog_scan_open(&scan, r->file, digest, r->kept);

    apr_pool_create(&tmp, r->kept);
    while (!wrong && !(wrong = po_catalog_scan_next(scan, &t)) && t.text) {
        wrong = take_product(r, &t, tmp);
        apr_pool_clear(tmp);
    }
    return wrong ? one_line(wrong, r->p) : NULL;
}

const char *po_catalog_read(const char *file, po_crypto *digest, po_product_fn *fn, void *baton, apr_pool_t *p)
{
    reading r = { file, fn, baton };
    apr_allocator_t *allocator;
    const char *wrong;

    /* an allocator of its own gives the memory back to the system: this runs in the parent, before the fork */
    if (apr_allocator_create(&allocator) != APR_SUCCESS)
        return "out of memory";
    if (apr_pool_create_ex(&r.kept, p, NULL, allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return "out of memory";
    }
    apr_allocator_owner_set(allocator, r.kept);
    r.ids = apr_hash_make(r.kept);
    r.p = p;
    wrong = take_file(&r, digest);
    apr_pool_destroy(r.kept);
    return wrong;
}

const char *po_catalog_check(const char *file, apr_pool_t *p)
{
    return po_catalog_read(file, NULL, NULL, NULL, p);
}

/* ---- prices and buyers ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *file;
    const apr_array_header_t *buyers;   /* po_buyer * */
    apr_pool_t *p;
} price_check;

static const char *price_too_fine(const price_check *c, const char *seller, const char *offer, const char *price, int decimals,
                                  int usage)
{
    int i;

    for (i = 0; i < c->buyers->nelts; i++) {
        const po_buyer *b = APR_ARRAY_IDX(c->buyers, i, const po_buyer *);

        if (usage && b->lines != PO_LINES_CLASSIC)
            continue;                   /* with a budget it is in no cart; without one the shopper is told */
        if (decimals > b->profile.price_decimals && po_sells_to(b, seller))
            return apr_psprintf(c->p, "%s: the price %s of offer \"%s\" has %d decimals, and buyer %s takes %d "
                                "(profile %s); price it per larger unit, or see PunchOutPriceDecimals and PunchOutSellers", c->file,
                                price, offer, decimals, b->name, b->profile.price_decimals, b->profile.name);
    }
    return NULL;
}

static const char *check_price(const price_check *c, const po_offer *o, const po_decimal *price, int usage)
{
    char text[PO_DECIMAL_TEXT];

    return price_too_fine(c, o->seller, o->offer, po_decimal_text(price, 0, text), po_decimal_decimals(price),
                          usage);
}

static const char *prices_of_product(void *baton, const po_product *product)
{
    const price_check *c = baton;
    const char *wrong = NULL;
    int i, k;

    for (i = 0; i < product->offers->nelts && !wrong; i++) {
        const po_offer *o = &APR_ARRAY_IDX(product->offers, i, po_offer);

        if (o->has_price)
            wrong = check_price(c, o, &o->price, 0);
        for (k = 0; o->usage && k < o->usage->nelts && !wrong; k++)
            wrong = check_price(c, o, &APR_ARRAY_IDX(o->usage, k, po_usage).price, 1);
    }
    return wrong;
}

/* The compiled catalog keeps of each seller the price that has the most decimals. */
static const char *finest_prices(const price_check *c, const char *compiled)
{
    const char *seller, *offer, *price, *wrong = NULL;
    po_catalog *catalog;
    apr_pool_t *tmp;
    int decimals, usage;

    apr_pool_create(&tmp, c->p);
    if (po_catalog_open(&catalog, compiled, tmp) != APR_SUCCESS)
        wrong = apr_psprintf(c->p, "%s can't be read; delete it, and it is made anew", compiled);
    else
        while (!wrong && po_catalog_next_finest(catalog, &seller, &offer, &price, &decimals, &usage))
            wrong = price_too_fine(c, seller, offer, price, decimals, usage);
    apr_pool_destroy(tmp);
    return wrong;
}

const char *po_catalog_check_prices(const char *file, const char *compiled, const apr_array_header_t *buyers, apr_pool_t *p)
{
    price_check c = { file, buyers, p };
    int i;

    for (i = 0; i < buyers->nelts; i++)
        if (APR_ARRAY_IDX(buyers, i, const po_buyer *)->profile.price_decimals < PO_DECIMAL_SCALE_MAX)
            return compiled ? finest_prices(&c, compiled) : po_catalog_read(file, NULL, prices_of_product, &c, p);
    return NULL;
}
