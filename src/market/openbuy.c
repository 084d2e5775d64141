/* openbuy.c - Coupa Open Buy's JSON: what a buyer's system asks. Coupa's public reference ends where the members of an
 * item begin, so their names are configuration (PunchOutOpenBuyField). */
#include "market/market_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define PART_BYTES 255                  /* no id of a catalog is longer */
#define WHOLE_MAX 1e15

const char *const po_openbuy_names[] = {
    "query", "page_number", "email", "quantity", "count", "total_count", "results", "source_part_num",
    "supp_aux_part_num", "name", "description", "price", "currency", "uom", "unspsc_code", "manufacturer_name",
    "manufacturer_part_number", "lead_time", "minimum_order_quantity", "image_url", "url", NULL
};

struct po_openbuy {
    json_t *body;
};

const char *po_openbuy_name(const po_buyer *buyer, const char *ours)
{
    int i;

    for (i = 0; buyer->openbuy_fields && i < buyer->openbuy_fields->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(buyer->openbuy_fields, i, po_openbuy_field).ours, ours))
            return APR_ARRAY_IDX(buyer->openbuy_fields, i, po_openbuy_field).theirs;
    return ours;
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

static apr_status_t free_body(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

/* jansson's own words repeat the text around the mistake, which may be a secret. */
static const char *unreadable(const json_error_t *e, apr_pool_t *p)
{
    if (json_error_code(e) == json_error_duplicate_key)
        return "The body has a member twice: send each member once";
    return apr_psprintf(p, "The body is not a JSON object in UTF-8; the mistake is at line %d, column %d", e->line,
                        e->column);
}

const char *po_openbuy_read(po_openbuy **out, const char *body, apr_size_t len, apr_pool_t *p)
{
    po_openbuy *o = apr_pcalloc(p, sizeof(*o));
    json_error_t e;

    o->body = json_loadb(body, len, JSON_REJECT_DUPLICATES, &e);
    if (!o->body)
        return unreadable(&e, p);
    apr_pool_cleanup_register(p, o->body, free_body, apr_pool_cleanup_null);
    if (!json_is_object(o->body))
        return "The body must be a JSON object, like {\"query\":\"log management\"}";
    *out = o;
    return NULL;
}

static json_t *member(const po_openbuy *o, const char *name)
{
    json_t *v = json_object_get(o->body, name);

    return json_is_null(v) ? NULL : v;
}

/* What a buyer calls it in a call: what answers leave out has our name. */
static const char *asked_name(const po_buyer *buyer, const char *ours)
{
    const char *theirs = po_openbuy_name(buyer, ours);

    return theirs ? theirs : ours;
}

static const char *no_string(const char *name, apr_pool_t *p)
{
    return apr_psprintf(p, "%s must be a string", name);
}

/* ---- who --------------------------------------------------------------------------------------------------------- */

const char *po_openbuy_who(const po_openbuy *o, const char **credentials, const char **token)
{
    json_t *c = member(o, "credentials"), *t = member(o, "token");

    *credentials = json_string_value(c);
    *token = json_string_value(t);
    if (c && !*credentials)
        return "credentials must be a string, like \"NAME:SECRET\"";
    return t && !*token ? "token must be a string: the one that the authentication call answered" : NULL;
}

const char *po_openbuy_email(const po_openbuy *o, const po_buyer *buyer, const char **email, apr_pool_t *p)
{
    const char *name = asked_name(buyer, "email");
    json_t *v = member(o, name);

    *email = json_string_value(v);
    if (!v || po_mail_address_valid(*email))
        return NULL;
    return apr_psprintf(p, "%s must be the requester's plain mail address, like requester@buyer.example", name);
}

/* ---- what -------------------------------------------------------------------------------------------------------- */

/* A number or a string as text; NULL: it is neither. 2.0 is 2 for many a program that writes JSON. */
static const char *text_of(const json_t *v, apr_pool_t *p)
{
    double d;

    if (json_is_integer(v))
        return apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(v));
    if (!json_is_real(v))
        return json_string_value(v);
    d = json_real_value(v);
    return d >= 0 && d < WHOLE_MAX && d == (double)(apr_int64_t)d ? apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)d)
                                                                   : NULL;
}

/* A whole number from 1 in digits alone, in the member's text or number; NULL: it is none. */
static const char *whole_of(const json_t *v, apr_pool_t *p)
{
    const char *text = text_of(v, p);
    char digits[PO_DECIMAL_TEXT];
    po_decimal d;

    if (!text || po_decimal_parse(&d, text, -1) != APR_SUCCESS || d.value <= 0 || po_decimal_decimals(&d))
        return NULL;
    return apr_pstrdup(p, po_decimal_text(&d, 0, digits));
}

const char *po_openbuy_search(const po_openbuy *o, const po_buyer *buyer, const char **query, int *page, apr_pool_t *p)
{
    const char *name = asked_name(buyer, "query"), *page_name = asked_name(buyer, "page_number"), *digits;
    json_t *v = member(o, name), *n = member(o, page_name);

    *page = 1;
    if (!(*query = json_string_value(v)))
        return v ? no_string(name, p) : apr_psprintf(p, "%s is missing: say what to search for", name);
    if (json_string_length(v) > PO_SEARCH_BYTES)
        return apr_psprintf(p, "%s is longer than %d bytes: search for fewer words", name, PO_SEARCH_BYTES);
    if (!n)
        return NULL;
    if (!(digits = whole_of(n, p)))
        return apr_psprintf(p, "%s must be a whole number from 1", page_name);
    *page = strlen(digits) > 9 ? INT_MAX : atoi(digits);
    return NULL;
}

const char *po_openbuy_part(const po_openbuy *o, const po_buyer *buyer, const char **part, apr_pool_t *p)
{
    const char *name = asked_name(buyer, "source_part_num");
    json_t *v = member(o, name);

    *part = text_of(v, p);
    if (v && !*part)
        return apr_psprintf(p, "%s must be a string or a whole number: the one that search answered", name);
    if (!v || !**part || strlen(*part) > PART_BYTES)
        return apr_psprintf(p, "%s is %s: say which item, as search answered it", name,
                            !v || !**part ? "missing" : "too long");
    return NULL;
}

const char *po_openbuy_quantity(const po_openbuy *o, const po_buyer *buyer, const char **quantity, apr_pool_t *p)
{
    const char *name = asked_name(buyer, "quantity");
    json_t *v = member(o, name);

    *quantity = v ? whole_of(v, p) : "1";
    return *quantity ? NULL : apr_psprintf(p, "%s must be a whole number from 1", name);
}
