/* answer.c - what the fulfillment backend answered: its own members, problem+json, or plain text. */
#include "market/market.h"

#include <string.h>

#include <jansson.h>

#define REASON_BYTES 1024
#define SUBSCRIPTION_BYTES 255          /* a longer one is dropped: half an id is another one */
#define URL_BYTES 2048

static apr_status_t forget(void *object)
{
    json_decref(object);
    return APR_SUCCESS;
}

/* At most REASON_BYTES; a blank for each control character, '?' for bytes above ASCII when the text is not UTF-8. */
static const char *clean(const char *text, apr_size_t len, apr_pool_t *p)
{
    /* a character more than fits, so that the cut finds its end */
    apr_size_t n = len < REASON_BYTES + 4 ? len : REASON_BYTES + 4;
    char *out = apr_pstrmemdup(p, text, n), *c;
    json_t *utf8;

    for (c = out; c < out + n; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    out = apr_pstrdup(p, po_utf8_cut(out, REASON_BYTES, p));
    if ((utf8 = json_string(out)))      /* NULL for broken UTF-8 */
        json_decref(utf8);
    else
        for (c = out; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    return out;
}

static const char *member(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text && *text ? text : NULL;
}

/* A number is taken as the id that it is meant to be. */
static const char *subscription_of(json_t *object, apr_pool_t *p)
{
    json_t *v = json_object_get(object, "subscription");
    const char *text = member(object, "subscription");

    if (json_is_integer(v))
        return apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(v));
    return text && strlen(text) <= SUBSCRIPTION_BYTES ? apr_pstrdup(p, text) : NULL;
}

/* It becomes a link in a page and a mail: nothing but an address, and nothing that runs. */
static const char *url_of(json_t *object, apr_pool_t *p)
{
    const char *url = member(object, "url"), *c;

    if (!url || strlen(url) > URL_BYTES || (strncasecmp(url, "https://", 8) && strncasecmp(url, "http://", 7)))
        return NULL;
    for (c = url; *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '"' || *c == '<' || *c == '>' || *c == '\\')
            return NULL;
    return apr_pstrdup(p, url);
}

static void read_object(po_answer *a, json_t *object, apr_pool_t *p)
{
    const char *status = member(object, "status"), *reason = member(object, "reason");

    /* problem+json has the HTTP status there, as a number */
    if (status && (!strcmp(status, "active") || !strcmp(status, "failed")))
        a->status = apr_pstrdup(p, status);
    a->subscription = subscription_of(object, p);
    a->url = url_of(object, p);
    if (!reason)
        reason = member(object, "detail");
    if (reason)
        a->reason = clean(reason, strlen(reason), p);
}

void po_answer_read(po_answer *a, const char *body, apr_size_t len, apr_pool_t *p)
{
    json_error_t error;
    apr_pool_t *tmp;
    json_t *object;

    memset(a, 0, sizeof(*a));
    while (len && memchr(" \t\r\n", *body, 4)) {
        body++;
        len--;
    }
    if (!len)
        return;
    if (!(object = json_loadb(body, len, JSON_DECODE_ANY, &error))) {
        a->reason = clean(body, len, p);
        return;
    }
    apr_pool_create(&tmp, p);
    apr_pool_cleanup_register(tmp, object, forget, apr_pool_cleanup_null);
    if (json_is_object(object))
        read_object(a, object, p);
    /* JSON of another kind, such as {"error":"sold out"}: better than nothing */
    if (!a->status && !a->subscription && !a->url && !a->reason
        && (!json_is_object(object) || json_object_size(object)))
        a->reason = clean(body, len, p);
    apr_pool_destroy(tmp);
}
