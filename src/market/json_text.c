/* json_text.c - what messages about a JSON document repeat of it. */
#include "market/market_private.h"

#include <string.h>

#include <jansson.h>

#define SHOWN_BYTES 60

const char *po_json_shown(const char *text, apr_pool_t *p)
{
    const char *cut = po_utf8_cut(text, SHOWN_BYTES, p);
    char *copy = apr_pstrdup(p, cut), *c;

    for (c = copy; *c; c++)             /* a message stays one line */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return apr_psprintf(p, "\"%s%s\"", copy, cut == text ? "" : "...");
}

const char *po_json_value_text(const json_t *v, apr_pool_t *p)
{
    switch (json_typeof(v)) {
    case JSON_STRING: return po_json_shown(json_string_value(v), p);
    case JSON_INTEGER: return apr_psprintf(p, "the number %" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(v));
    case JSON_REAL: return apr_psprintf(p, "the number %.10g", json_real_value(v));
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_NULL: return "null";
    default: return json_is_true(v) ? "true" : "false";
    }
}

const char *po_json_unknown(json_t *object, const char *const *known, const char **list, apr_pool_t *p)
{
    const char *name;
    json_t *value;
    int i;

    json_object_foreach(object, name, value) {
        for (i = 0; known[i] && strcmp(known[i], name); i++)
            ;
        if (known[i])
            continue;
        for (*list = "", i = 0; known[i]; i++)
            *list = apr_pstrcat(p, *list, i ? ", " : "", known[i], NULL);
        return po_json_shown(name, p);
    }
    return NULL;
}
