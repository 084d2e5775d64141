/* cart_json.c - the marketplace's own cart: application/vnd.punchout.cart+json, read strictly, its lines put into requests. */
#include "market/market_private.h"

#include <stdarg.h>
#include <string.h>

#include <jansson.h>

#define LINES_MOST 200
#define ID_BYTES 100                    /* what procurement systems take as a SupplierPartID */
#define TEXT_BYTES 255
#define UNIT_BYTES 20
#define QUANTITY_MOST INT64_C(1000000000)
#define USAGE_QUANTITY_MOST INT64_C(1000000000000)      /* 10,000 in steps of 0.00000001, as a budget may come to */

typedef struct {                        /* a line that the marketplace prices itself */
    const char *part, *description, *pricing, *kind, *term, *product, *seller, *currency, *quantity, *unit, *unspsc;
    const char *dimension;
    po_decimal price, quantity_number;  /* quantity_number: 0 when none is given */
} own_line;

typedef struct {                        /* a request that is made of such lines */
    int entry;                          /* in reading.entries */
    po_offer *offer;
    int needs_contract;                 /* the first line that said so, -1: none */
} own_request;

typedef struct {
    apr_pool_t *p;
    int line;                           /* from 0; -1: none */
    const char *currency;               /* of lines that name none */
    apr_array_header_t *entries;        /* po_cart_entry */
    apr_array_header_t *own;            /* own_request */
} reading;

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4)))
static const char *mistake(const reading *in, const char *member, const char *format, ...)
{
    const char *what;
    va_list args;

    va_start(args, format);
    what = apr_pvsprintf(in->p, format, args);
    va_end(args);
    if (in->line < 0)
        return apr_pstrcat(in->p, member, what, NULL);
    return apr_psprintf(in->p, "lines[%d]%s%s%s", in->line, *member ? "." : "", member, what);
}

static const char *only_members(const reading *in, json_t *object, const char *const *known)
{
    const char *list, *name = po_json_unknown(object, known, &list, in->p);

    return name ? mistake(in, "", "%s%s is not known; known are %s", in->line < 0 ? "" : ": ", name, list) : NULL;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

typedef enum { OPTIONAL, REQUIRED } need;

static const char *no_text(const reading *in, const char *member, const json_t *v)
{
    if (json_is_number(v))
        return mistake(in, member, " is %s; money, quantities and ids are never JSON numbers, because a float rounds: write "
                       "it as a string", po_json_value_text(v, in->p));
    return mistake(in, member, " is %s; write a string", po_json_value_text(v, in->p));
}

/* One line of text that is not empty, in the pool; *out is NULL when an optional one is absent. */
static const char *get_text(const reading *in, json_t *object, const char *member, need n, apr_size_t most,
                            const char **out)
{
    json_t *v = json_object_get(object, member);
    const char *text = json_string_value(v), *c;

    *out = NULL;
    if (!v)
        return n == REQUIRED ? mistake(in, member, " is missing") : NULL;
    if (!text)
        return no_text(in, member, v);
    if (!text[strspn(text, " \t\r\n")])
        return mistake(in, member, " is empty; %s", n == REQUIRED ? "it is required" : "leave it out instead");
    for (c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return mistake(in, member, " holds a control character; take it out");
    if ((apr_size_t)(c - text) > most)
        return mistake(in, member, " is %" APR_SIZE_T_FMT " bytes long; %" APR_SIZE_T_FMT " are allowed",
                       (apr_size_t)(c - text), most);
    *out = apr_pstrmemdup(in->p, text, (apr_size_t)(c - text));
    return NULL;
}

static const char *get_id(const reading *in, json_t *object, const char *member, need n, const char **out)
{
    const char *wrong = get_text(in, object, member, n, ID_BYTES, out);

    if (wrong || !*out || !strpbrk(*out, "?{} "))
        return wrong;
    return mistake(in, member, " is %s, but procurement systems refuse ids that hold a blank, '?', '{' or '}'; use "
                   "letters, digits, '-', '_' and '.'", po_json_shown(*out, in->p));
}

/* A plain decimal: exponents, hex, separators, signs and what is too long are refused. */
static const char *get_money(const reading *in, json_t *object, const char *member, need n, const char **text,
                             po_decimal *out)
{
    const char *wrong = get_text(in, object, member, n, TEXT_BYTES, text);

    if (wrong || !*text)
        return wrong;
    if ((*text)[strspn(*text, "0123456789.")] || po_decimal_parse(out, *text, -1) != APR_SUCCESS)
        return mistake(in, member, " is %s, not a plain decimal; write at most 18 digits with at most 8 behind the point, "
                       "no separators and no sign, like \"1200.00\"", po_json_shown(*text, in->p));
    return NULL;
}

static const char *get_quantity(const reading *in, json_t *object, apr_int64_t most, const char **text, po_decimal *out)
{
    const char *wrong = get_text(in, object, "quantity", OPTIONAL, TEXT_BYTES, text);

    out->value = out->scale = 0;
    if (wrong || !*text)
        return wrong;
    if ((*text)[strspn(*text, "0123456789")] || po_decimal_parse(out, *text, -1) != APR_SUCCESS || out->value < 1
        || out->value > most)
        return mistake(in, "quantity", " is %s; write a whole number from 1 to %" APR_INT64_T_FMT " in digits alone",
                       po_json_shown(*text, in->p), most);
    return NULL;
}

/* ---- a line of the catalog --------------------------------------------------------------------------------------- */

static po_cart_entry *add_entry(reading *in)
{
    po_cart_entry *entry = apr_array_push(in->entries);

    memset(entry, 0, sizeof(*entry));
    entry->line = in->line;
    return entry;
}

/* Whether the values are right for the offer says po_cart_build(). */
static const char *read_offer_line(reading *in, json_t *object)
{
    static const char *const known[] = { "offer", "quantity", "budget", "terms", "action", "subscription", NULL };
    po_request_form *form = &add_entry(in)->form;
    const char *wrong;
    po_decimal ignored;

    if ((wrong = only_members(in, object, known)) || (wrong = get_id(in, object, "offer", REQUIRED, &form->offer))
        || (wrong = get_quantity(in, object, QUANTITY_MOST, &form->quantity, &ignored))
        || (wrong = get_money(in, object, "budget", OPTIONAL, &form->budget, &ignored))
        || (wrong = get_text(in, object, "terms", OPTIONAL, TEXT_BYTES, &form->terms))
        || (wrong = get_text(in, object, "action", OPTIONAL, TEXT_BYTES, &form->action)))
        return wrong;
    return get_text(in, object, "subscription", OPTIONAL, TEXT_BYTES, &form->subscription);
}

/* ---- a line of the marketplace's own ----------------------------------------------------------------------------- */

static int costs_nothing(const char *kind)
{
    return !strcmp(kind, "free") || !strcmp(kind, "byol") || !strcmp(kind, "trial");
}

static const char *get_pricing(const reading *in, json_t *object, own_line *l)
{
    const char *wrong;

    if ((wrong = get_text(in, object, "pricing", REQUIRED, TEXT_BYTES, &l->pricing))
        || (wrong = get_text(in, object, "kind", OPTIONAL, TEXT_BYTES, &l->kind)))
        return wrong;
    if (strcmp(l->pricing, "contract") && strcmp(l->pricing, "usage") && !costs_nothing(l->pricing))
        return mistake(in, "pricing", " is %s; known are contract, usage, free, byol, trial", po_json_shown(l->pricing, in->p));
    if (!l->kind)
        l->kind = l->pricing;
    if (strcmp(l->kind, l->pricing) && (strcmp(l->pricing, "contract") || strcmp(l->kind, "usage")))
        return mistake(in, "kind", " is %s, but the pricing is %s; leave it out, or write \"usage\" for what a contract "
                       "charges by use", po_json_shown(l->kind, in->p), l->pricing);
    return NULL;
}

static const char *get_price(const reading *in, json_t *object, own_line *l)
{
    need n = costs_nothing(l->kind) ? OPTIONAL : REQUIRED;
    const char *text, *wrong = get_money(in, object, "unitPrice", n, &text, &l->price);

    if (wrong)
        return wrong;
    if (n == OPTIONAL && l->price.value)
        return mistake(in, "unitPrice", " is %s, but what is %s costs nothing; write \"0.00\" or leave it out",
                       po_json_shown(text, in->p), l->kind);
    if (!strcmp(l->kind, "usage") && !l->price.value)
        return mistake(in, "unitPrice", " is 0; leave a line of usage that costs nothing out");
    return NULL;
}

static const char *get_codes(const reading *in, json_t *object, own_line *l)
{
    const char *wrong;

    if ((wrong = get_text(in, object, "currency", OPTIONAL, TEXT_BYTES, &l->currency))
        || (wrong = get_text(in, object, "unit", OPTIONAL, UNIT_BYTES, &l->unit))
        || (wrong = get_text(in, object, "unspsc", OPTIONAL, TEXT_BYTES, &l->unspsc))
        || (wrong = get_text(in, object, "term", OPTIONAL, TEXT_BYTES, &l->term)))
        return wrong;
    if (l->currency && !po_currency_valid(l->currency))
        return mistake(in, "currency", " is %s; write three capital letters of ISO 4217, like \"USD\"",
                       po_json_shown(l->currency, in->p));
    if (l->unit && l->unit[strspn(l->unit, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")])
        return mistake(in, "unit", " is %s; write a code of UN/CEFACT Recommendation 20, like \"EA\" or \"HUR\"",
                       po_json_shown(l->unit, in->p));
    if (l->unspsc && (strlen(l->unspsc) != 8 || l->unspsc[strspn(l->unspsc, "0123456789")]))
        return mistake(in, "unspsc", " is %s; write the eight digits of a UNSPSC commodity, like \"43232701\"",
                       po_json_shown(l->unspsc, in->p));
    if (l->term && !po_term_valid(l->term))
        return mistake(in, "term", " is %s; write an ISO 8601 duration of whole numbers, like \"P12M\"", po_json_shown(l->term, in->p));
    return NULL;
}

static const char *get_dimension(const reading *in, json_t *object, own_line *l)
{
    int usage = !strcmp(l->kind, "usage");
    const char *wrong = get_id(in, object, "dimension", usage ? REQUIRED : OPTIONAL, &l->dimension);

    if (!wrong && l->dimension && !usage)
        return mistake(in, "dimension", " belongs to lines of usage alone; leave it out");
    return wrong;
}

static const char *read_line(const reading *in, json_t *object, own_line *l)
{
    static const char *const known[] = { "part", "description", "pricing", "kind", "term", "product", "seller", "unitPrice",
                                         "currency", "quantity", "unit", "unspsc", "dimension", NULL };
    const char *wrong;

    memset(l, 0, sizeof(*l));
    if ((wrong = only_members(in, object, known)) || (wrong = get_id(in, object, "part", REQUIRED, &l->part))
        || (wrong = get_text(in, object, "description", REQUIRED, TEXT_BYTES, &l->description))
        || (wrong = get_id(in, object, "product", REQUIRED, &l->product))
        || (wrong = get_text(in, object, "seller", REQUIRED, TEXT_BYTES, &l->seller))
        || (wrong = get_pricing(in, object, l)) || (wrong = get_price(in, object, l))
        || (wrong = get_codes(in, object, l)) || (wrong = get_dimension(in, object, l)))
        return wrong;
    return get_quantity(in, object, strcmp(l->kind, "usage") ? QUANTITY_MOST : USAGE_QUANTITY_MOST, &l->quantity,
                        &l->quantity_number);
}

/* ---- lines into requests ----------------------------------------------------------------------------------------- */

/* The request that the line belongs to: a contract and what it charges by use are one, with two approvals. Of several
 * contracts of a product each is a request, and the usage behind it goes with it. NULL: it begins one. */
static own_request *find_own(const reading *in, const own_line *l)
{
    int usage = !strcmp(l->kind, "usage"), i;

    if (costs_nothing(l->kind))
        return NULL;
    for (i = in->own->nelts - 1; i >= 0; i--) {
        own_request *o = &APR_ARRAY_IDX(in->own, i, own_request);

        if (!strcmp(o->offer->product, l->product) && !strcmp(o->offer->seller, l->seller)
            && (!strcmp(o->offer->pricing, "usage") || (usage && !strcmp(o->offer->pricing, "contract"))))
            return o;
    }
    return NULL;
}

static own_request *begin_own(reading *in, const own_line *l)
{
    po_cart_entry *entry = add_entry(in);
    own_request *o = apr_array_push(in->own);
    po_offer *offer = apr_pcalloc(in->p, sizeof(*offer));

    offer->product = l->product;
    offer->seller = l->seller;
    offer->pricing = l->kind;
    offer->currency = l->currency ? l->currency : in->currency;
    offer->offer = l->part;
    offer->term = l->term;
    o->entry = in->entries->nelts - 1;
    o->offer = offer;
    o->needs_contract = -1;
    entry->own = offer;
    return o;
}

static const char *add_usage(const reading *in, own_request *o, const own_line *l)
{
    po_usage u = { l->dimension, l->description, l->unit, l->price, l->part, l->unspsc, l->quantity_number };
    int i;

    if (!o->offer->usage)
        o->offer->usage = apr_array_make(in->p, 2, sizeof(po_usage));
    for (i = 0; i < o->offer->usage->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(o->offer->usage, i, po_usage).dimension, l->dimension))
            return mistake(in, "dimension", " %s occurs twice for product %s; write one line for each", po_json_shown(l->dimension, in->p),
                           po_json_shown(l->product, in->p));
    APR_ARRAY_PUSH(o->offer->usage, po_usage) = u;
    if (!strcmp(l->pricing, "contract") && strcmp(o->offer->pricing, "contract") && o->needs_contract < 0)
        o->needs_contract = in->line;
    return NULL;
}

static void add_single(const reading *in, own_request *o, const own_line *l)
{
    po_offer *offer = o->offer;

    offer->pricing = l->kind;
    offer->name = l->description;
    offer->offer = l->part;
    offer->unit = l->unit;
    offer->unspsc = l->unspsc;
    offer->price = l->price;
    offer->has_price = !strcmp(l->kind, "contract");
    if (l->term)
        offer->term = l->term;
    o->needs_contract = -1;
    APR_ARRAY_IDX(in->entries, o->entry, po_cart_entry).form.quantity = l->quantity;
}

static const char *read_own_line(reading *in, json_t *object)
{
    const char *wrong, *currency;
    own_request *o;
    own_line l;

    if ((wrong = read_line(in, object, &l)))
        return wrong;
    if (!(o = find_own(in, &l)))
        o = begin_own(in, &l);
    currency = l.currency ? l.currency : in->currency;
    if (currency && o->offer->currency && strcmp(currency, o->offer->currency))
        return mistake(in, "currency", " is %s, but another line of product %s is in %s; a cart has one currency", currency,
                       po_json_shown(l.product, in->p), o->offer->currency);
    if (!strcmp(l.kind, "usage"))
        return add_usage(in, o, &l);
    add_single(in, o, &l);
    return NULL;
}

/* What is charged by use alone has no name of its own: the only line's description, else the product's id. */
static const char *finish_own(reading *in)
{
    int i;

    for (i = 0; i < in->own->nelts; i++) {
        const own_request *o = &APR_ARRAY_IDX(in->own, i, own_request);
        po_usage *first = o->offer->usage ? &APR_ARRAY_IDX(o->offer->usage, 0, po_usage) : NULL;

        in->line = o->needs_contract;
        if (o->needs_contract >= 0)
            return mistake(in, "pricing", " is \"contract\", but there is no line of kind contract for product %s; add it, or "
                           "write pricing \"usage\"", po_json_shown(o->offer->product, in->p));
        if (o->offer->name || !first)
            continue;
        o->offer->name = o->offer->usage->nelts == 1 ? first->description : o->offer->product;
        if (o->offer->usage->nelts == 1)
            first->description = first->dimension;
    }
    return NULL;
}

/* ---- the whole cart ---------------------------------------------------------------------------------------------- */

static const char *read_lines(reading *in, json_t *root)
{
    static const char *const known[] = { "lines", NULL };
    json_t *lines = json_object_get(root, "lines"), *object;
    const char *wrong;
    size_t i;

    if (!json_is_object(root))
        return mistake(in, "the cart", " is %s; write an object with \"lines\"", po_json_value_text(root, in->p));
    if ((wrong = only_members(in, root, known)))
        return wrong;
    if (!lines || !json_is_array(lines))
        return mistake(in, "lines", " is %s; write a list", lines ? po_json_value_text(lines, in->p) : "missing");
    if (!json_array_size(lines) || json_array_size(lines) > LINES_MOST)
        return mistake(in, "lines", " holds %" APR_SIZE_T_FMT "; a cart has 1 to %d", (apr_size_t)json_array_size(lines),
                       LINES_MOST);
    json_array_foreach(lines, i, object) {
        in->line = (int)i;
        if (!json_is_object(object))
            return mistake(in, "", " is %s; write an object", po_json_value_text(object, in->p));
        if (!json_object_get(object, "offer") == !json_object_get(object, "part"))
            return mistake(in, "", ": write either \"offer\", an offer of the catalog, or \"part\" with a price of your own");
        if ((wrong = json_object_get(object, "offer") ? read_offer_line(in, object) : read_own_line(in, object)))
            return wrong;
    }
    return finish_own(in);
}

const char *po_cart_json_read(const char *text, apr_size_t len, const char *currency, apr_array_header_t **entries,
                              const char **canonical, apr_pool_t *p)
{
    reading in = { p, -1, currency, apr_array_make(p, 8, sizeof(po_cart_entry)), apr_array_make(p, 4, sizeof(own_request)) };
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    const char *wrong;
    char *sorted;

    if (!root)
        return apr_psprintf(p, "line %d, column %d: %s", error.line, error.column, po_json_shown(error.text, p));
    wrong = read_lines(&in, root);
    sorted = wrong ? NULL : json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    *canonical = sorted ? apr_pstrdup(p, sorted) : "";
    *entries = in.entries;
    free(sorted);
    json_decref(root);
    return wrong;
}
