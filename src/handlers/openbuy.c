/* openbuy.c - Coupa Open Buy: requesters search the catalog inside their procurement system, which asks here. */
#include "handlers/handlers.h"

APLOG_USE_MODULE(punchout);

#define VERSION "/v1.0.0"               /* Coupa's editions print the paths with it and without */

/* ---- answers ----------------------------------------------------------------------------------------------------- */

int po_openbuy_answer(request_rec *r, int http, const char *json)
{
    apr_size_t len = strlen(json);

    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)len);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    r->status = http;
    ap_rwrite(json, (int)len, r);
    return OK;
}

int po_openbuy_refuse(const po_openbuy_call *c, int http, const char *detail)
{
    request_rec *r = c->r;

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0215: Open Buy's %s of buyer %s is answered %d: %s", c->action,
                  c->buyer ? c->buyer->name : "(unknown)", http, detail);
    if (http == HTTP_TOO_MANY_REQUESTS)
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, c->wait));
    return po_openbuy_answer(r, http, po_problem_json(http, detail, r->pool));
}

static int no_catalog(const po_openbuy_call *c)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, c->r, "PO0217: Open Buy can't be answered without a usable "
                  "PunchOutCatalog");
    return po_openbuy_refuse(c, HTTP_INTERNAL_SERVER_ERROR, "The catalog can't be read at the moment: try again later");
}

/* ---- search and detail ------------------------------------------------------------------------------------------- */

void po_openbuy_describe(const po_openbuy_call *c, const po_offer *o, po_openbuy_item *out)
{
    po_openbuy_item_of(out, o, c->site, c->buyer, c->r->pool);
    out->url = po_product_url(c->site, o->product, c->r->pool);
}

static int search(po_openbuy_call *c)
{
    apr_pool_t *p = c->r->pool;
    apr_array_header_t *items = apr_array_make(p, PO_OPENBUY_PAGE, sizeof(po_openbuy_item));
    po_catalog *catalog = po_thread_catalog(c->thread, c->site);
    const char *wrong, *query;
    po_search_hits hits;
    int i, page;

    if ((wrong = po_openbuy_search(c->body, c->buyer, &query, &page, p)))
        return po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
    if (!catalog || po_catalog_search(catalog, query, c->buyer, page, PO_OPENBUY_PAGE, p, &hits) != APR_SUCCESS)
        return no_catalog(c);
    for (i = 0; i < hits.offers->nelts; i++)
        po_openbuy_describe(c, APR_ARRAY_IDX(hits.offers, i, const po_offer *), apr_array_push(items));
    return po_openbuy_answer(c->r, HTTP_OK, po_openbuy_results_json(items, hits.total, c->buyer, p));
}

const po_offer *po_openbuy_offer(const po_openbuy_call *c, int *rc)
{
    po_catalog *catalog = po_thread_catalog(c->thread, c->site);
    const char *part, *wrong = po_openbuy_part(c->body, c->buyer, &part, c->r->pool);
    po_offer *offer;
    apr_status_t rv;

    if (wrong) {
        *rc = po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
        return NULL;
    }
    rv = catalog ? po_catalog_item(catalog, part, c->buyer, c->r->pool, &offer) : APR_EGENERAL;
    if (rv == APR_SUCCESS)
        return offer;
    *rc = rv != APR_NOTFOUND ? no_catalog(c)
                             : po_openbuy_refuse(c, HTTP_BAD_REQUEST, "There is no such item for your organization: "
                                                 "search again and name one of the results");
    return NULL;
}

static int detail(po_openbuy_call *c)
{
    const po_offer *offer;
    po_openbuy_item item;
    int rc;

    if (!(offer = po_openbuy_offer(c, &rc)))
        return rc;
    po_openbuy_describe(c, offer, &item);
    return po_openbuy_answer(c->r, HTTP_OK, po_openbuy_item_json(&item, c->buyer, c->r->pool));
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

/* application/json or anything that ends in +json, with or without parameters. */
static int is_json(const char *type)
{
    apr_size_t len = type ? strcspn(type, "; \t") : 0;

    return (len == 16 && !strncasecmp(type, "application/json", 16))
           || (len > 5 && !strncasecmp(type + len - 5, "+json", 5));
}

/* 0: *rc is the answer that was sent. */
static int read_body(po_openbuy_call *c, int *rc)
{
    request_rec *r = c->r;
    const char *wrong;
    apr_size_t len;
    char *body;

    if (!is_json(apr_table_get(r->headers_in, "Content-Type"))) {
        *rc = po_openbuy_refuse(c, HTTP_BAD_REQUEST, "Send the call as a JSON object, with Content-Type: "
                                "application/json");
        return 0;
    }
    if ((*rc = po_body_read(r, PO_OPENBUY_BYTES, &body, &len)) != OK) {
        r->connection->keepalive = AP_CONN_CLOSE;       /* what is left of the body is not read */
        if (*rc != AP_FILTER_ERROR)                     /* a broken chunk: httpd has answered already */
            *rc = po_openbuy_refuse(c, HTTP_BAD_REQUEST, *rc == HTTP_REQUEST_ENTITY_TOO_LARGE
                                    ? "The body is larger than 16 KB: a call needs far less"
                                    : "The body could not be read to its end: send it again");
        return 0;
    }
    if (!(wrong = po_openbuy_read(&c->body, body, len, r->pool)))
        return 1;
    *rc = po_openbuy_refuse(c, HTTP_BAD_REQUEST, wrong);
    return 0;
}

/* ---- which call is it -------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int (*answer)(po_openbuy_call *c);
    int has_body, has_token;
} openbuy_door;

static const openbuy_door doors[] = {
    { "authentication", po_openbuy_authenticate, 1, 0 },
    { "search", search, 1, 1 },
    { "detail", detail, 1, 1 },
    { "checkout", po_openbuy_checkout, 1, 1 },
    { "token", po_openbuy_oauth, 0, 0 }
};

static const openbuy_door *find_door(const char *action)
{
    apr_size_t i;

    for (i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
        apr_size_t len = strlen(doors[i].name);

        if (!strncmp(action, doors[i].name, len)
            && (!action[len] || (doors[i].has_body && !strcmp(action + len, VERSION))))
            return &doors[i];
    }
    return NULL;
}

static int wrong_method(const po_openbuy_call *c)
{
    apr_table_setn(c->r->headers_out, "Allow", "POST");
    return po_openbuy_refuse(c, HTTP_METHOD_NOT_ALLOWED, "Calls of Open Buy are sent by POST");
}

int po_handle_openbuy(request_rec *r, const po_site *site, const char *action)
{
    const openbuy_door *door = find_door(action);
    po_openbuy_call c = { r, site, po_thread_get(), door ? door->name : "call" };
    int rc;

    if (!c.thread)
        return po_openbuy_refuse(&c, HTTP_INTERNAL_SERVER_ERROR, "This server is starting or stopping: try again "
                                 "later");
    if (!door)
        return po_openbuy_refuse(&c, HTTP_NOT_FOUND, "Open Buy's calls are authentication, search, detail and "
                                 "checkout, and token for OAuth 2.0; check the URL");
    if (r->method_number != M_POST)
        return wrong_method(&c);
    if (site->fault) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0212: Open Buy is answered 500: %s", site->fault);
        return po_openbuy_refuse(&c, HTTP_INTERNAL_SERVER_ERROR, "This server is being maintained: try again later");
    }
    if ((door->has_body && !read_body(&c, &rc)) || (door->has_token && !po_openbuy_identify(&c, &rc)))
        return rc;
    return door->answer(&c);
}
