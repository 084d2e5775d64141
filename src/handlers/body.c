/* body.c - the body of a request: whole for cXML, in fields for forms. */
#include "handlers/handlers.h"

#include "util_script.h"

#define FORM_BYTES 65536
#define FORM_FIELDS 100
#define FIRST_ROOM 8192

typedef struct {
    char *data;
    apr_size_t len, room, limit;
    apr_pool_t *pool;
} body_room;

static int append(body_room *b, const char *data, apr_size_t len)
{
    if (len > b->limit - b->len)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    if (b->len + len > b->room) {       /* chunked or inflated: the length was not known */
        char *bigger;

        while (b->room < b->len + len)
            b->room *= 2;
        bigger = apr_palloc(b->pool, b->room + 1);
        memcpy(bigger, b->data, b->len);
        b->data = bigger;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return OK;
}

/* One brigade into the room; *eos when it was the last. */
static int take_brigade(body_room *b, apr_bucket_brigade *bb, int *eos)
{
    apr_bucket *e;

    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        const char *data;
        apr_size_t len;
        int rc;

        if (APR_BUCKET_IS_EOS(e)) {
            *eos = 1;
            break;
        }
        if (APR_BUCKET_IS_METADATA(e))
            continue;
        if (apr_bucket_read(e, &data, &len, APR_BLOCK_READ) != APR_SUCCESS)
            return HTTP_BAD_REQUEST;
        if ((rc = append(b, data, len)) != OK)
            return rc;
    }
    return OK;
}

int po_body_read(request_rec *r, apr_size_t limit, char **body, apr_size_t *len)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    const char *announced = apr_table_get(r->headers_in, "Content-Length");
    apr_int64_t expect = announced ? apr_atoi64(announced) : 0;
    body_room b = { NULL, 0, FIRST_ROOM, limit, r->pool };
    int eos = 0, rc = OK;

    if (expect > (apr_int64_t)limit)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    if (expect > 0)
        b.room = (apr_size_t)expect;
    b.data = apr_palloc(r->pool, b.room + 1);
    while (!eos && rc == OK) {
        apr_status_t rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, 65536);

        if (rv != APR_SUCCESS)
            return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        if (APR_BRIGADE_EMPTY(bb))
            return HTTP_BAD_REQUEST;
        rc = take_brigade(&b, bb, &eos);
        apr_brigade_cleanup(bb);
    }
    b.data[b.len] = '\0';
    *body = b.data;
    *len = b.len;
    return rc;
}

apr_table_t *po_body_form(request_rec *r)
{
    apr_array_header_t *pairs = NULL;
    apr_table_t *form;
    int i;

    if (ap_parse_form_data(r, NULL, &pairs, FORM_FIELDS, FORM_BYTES) != OK || !pairs)
        return NULL;
    form = apr_table_make(r->pool, pairs->nelts);
    for (i = 0; i < pairs->nelts; i++) {
        ap_form_pair_t *pair = &APR_ARRAY_IDX(pairs, i, ap_form_pair_t);
        apr_off_t len;
        apr_size_t size;
        char *value;

        if (apr_brigade_length(pair->value, 1, &len) != APR_SUCCESS)
            return NULL;
        size = (apr_size_t)len;
        value = apr_palloc(r->pool, size + 1);
        apr_brigade_flatten(pair->value, value, &size);
        value[size] = '\0';
        apr_table_setn(form, pair->name, value);
    }
    return form;
}
