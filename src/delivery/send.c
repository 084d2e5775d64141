/* send.c - one event as a detached request through mod_proxy: balancers, failover, TLS and pooling are its. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_config.h"
#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

APLOG_USE_MODULE(punchout);

#define ANSWER_LIMIT (1024 * 1024)      /* what is longer than po_worker.answer is read and dropped, up to this */

typedef struct {
    char *data;
    apr_size_t room, len, seen;
    int eos;
} answer_context;

static ap_filter_rec_t *body_handle, *answer_handle;

/* ---- the two filters ------------------------------------------------------------------------------------------ */

static apr_status_t body_peek(apr_bucket_brigade *from, apr_bucket *end, apr_bucket_brigade *out)
{
    apr_bucket *b, *copy;
    apr_status_t rv;

    for (b = APR_BRIGADE_FIRST(from); b != end; b = APR_BUCKET_NEXT(b)) {
        if ((rv = apr_bucket_copy(b, &copy)) != APR_SUCCESS)
            return rv;
        APR_BRIGADE_INSERT_TAIL(out, copy);
    }
    return APR_SUCCESS;
}

static apr_status_t body_filter(ap_filter_t *f, apr_bucket_brigade *out, ap_input_mode_t mode, apr_read_type_e block,
                                apr_off_t readbytes)
{
    apr_bucket_brigade *body = f->ctx;
    apr_bucket *end, *b;
    apr_status_t rv;

    if (mode == AP_MODE_EATCRLF || mode == AP_MODE_INIT)
        return APR_SUCCESS;
    if (mode != AP_MODE_READBYTES && mode != AP_MODE_SPECULATIVE)
        return APR_ENOTIMPL;
    if (APR_BRIGADE_EMPTY(body)) {              /* read past the end */
        APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(f->c->bucket_alloc));
        return APR_SUCCESS;
    }
    rv = apr_brigade_partition(body, readbytes, &end);
    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE)
        return rv;
    if (mode == AP_MODE_SPECULATIVE)
        return body_peek(body, end, out);
    while ((b = APR_BRIGADE_FIRST(body)) != end) {
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(out, b);
    }
    if (!APR_BRIGADE_EMPTY(body) && APR_BUCKET_IS_EOS(APR_BRIGADE_FIRST(body)))
        APR_BRIGADE_CONCAT(out, body);          /* EOS with the last byte */
    return APR_SUCCESS;
}

static apr_status_t answer_keep(answer_context *a, apr_bucket *b)
{
    const char *data;
    apr_size_t len;
    apr_status_t rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);

    if (rv != APR_SUCCESS)
        return rv;
    a->seen += len;
    if (len > a->room - a->len)
        len = a->room - a->len;
    memcpy(a->data + a->len, data, len);
    a->len += len;
    return a->seen > ANSWER_LIMIT ? APR_ENOSPC : APR_SUCCESS;   /* mod_proxy drops the connection */
}

static apr_status_t answer_filter(ap_filter_t *f, apr_bucket_brigade *in)
{
    answer_context *a = f->ctx;
    apr_status_t rv = APR_SUCCESS;

    while (!APR_BRIGADE_EMPTY(in) && rv == APR_SUCCESS) {
        apr_bucket *b = APR_BRIGADE_FIRST(in);

        if (APR_BUCKET_IS_EOS(b))
            a->eos = 1;
        else if (!APR_BUCKET_IS_METADATA(b))
            rv = answer_keep(a, b);
        apr_bucket_delete(b);
    }
    apr_brigade_cleanup(in);
    return rv;
}

void po_delivery_register(void)
{
    body_handle = ap_register_input_filter("PUNCHOUT_EVENT_BODY", body_filter, NULL, AP_FTYPE_RESOURCE);
    /* the first to see the answer: it passes nothing on */
    answer_handle = ap_register_output_filter("PUNCHOUT_EVENT_ANSWER", answer_filter, NULL, AP_FTYPE_RESOURCE - 5);
}

/* ---- the request ---------------------------------------------------------------------------------------------- */

static conn_rec *make_connection(apr_pool_t *p, server_rec *s, apr_socket_t *socket)
{
    conn_rec *c = apr_pcalloc(p, sizeof(*c));
    apr_sockaddr_t *address;

    if (apr_sockaddr_info_get(&address, "127.0.0.1", APR_INET, 0, 0, p) != APR_SUCCESS)
        return NULL;
    c->pool = p;
    c->base_server = s;
    c->local_addr = c->client_addr = address;
    c->local_ip = c->client_ip = apr_pstrdup(p, "127.0.0.1");
    c->local_host = s->server_hostname;
    c->conn_config = ap_create_conn_config(p);
    c->notes = apr_table_make(p, 5);
    c->bucket_alloc = apr_bucket_alloc_create(p);
    c->keepalive = AP_CONN_CLOSE;
    c->clogging_input_filters = 1;
    c->log_id = "punchout";
    c->current_thread = ap_thread_current();
    ap_set_core_module_config(c->conn_config, socket);
    return c;
}

static request_rec *make_request(conn_rec *c, const po_backend *b, const po_outbox_row *row, apr_size_t len)
{
    request_rec *r = ap_create_request(c);

    /* mod_http's filters would talk to a client */
    r->output_filters = r->proto_output_filters = NULL;
    r->input_filters = r->proto_input_filters = NULL;
    r->request_time = apr_time_now();
    r->protocol = apr_pstrdup(r->pool, "HTTP/1.1");
    r->proto_num = HTTP_VERSION(1, 1);
    r->method = "POST";
    r->method_number = M_POST;
    r->the_request = apr_pstrcat(r->pool, "POST ", b->target, " HTTP/1.1", NULL);
    r->unparsed_uri = r->uri = apr_pstrdup(r->pool, "/");
    r->hostname = b->host;
    apr_table_setn(r->headers_in, "Host", b->host);
    apr_table_setn(r->headers_in, "User-Agent", "mod_punchout");
    apr_table_setn(r->headers_in, "Accept", "application/json, application/problem+json");
    apr_table_setn(r->headers_in, "Content-Type", "application/cloudevents+json");
    apr_table_setn(r->headers_in, "Content-Length", apr_psprintf(r->pool, "%" APR_SIZE_T_FMT, len));
    apr_table_setn(r->headers_in, "Idempotency-Key", row->key);
    r->proxyreq = PROXYREQ_REVERSE;
    r->filename = apr_pstrcat(r->pool, "proxy:", b->target, NULL);
    r->handler = "proxy-server";
    return r;
}

static int run(request_rec *r, const po_outbox_row *row, apr_size_t len, answer_context *answer)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *body = apr_brigade_create(r->pool, alloc);
    int rc = ap_run_map_to_storage(r);          /* <Proxy> sections: SSLProxy*, RequestHeader */

    if (rc == OK)
        rc = ap_run_fixups(r);                  /* the canonical URL */
    if (rc != OK && rc != DECLINED)
        return rc;
    APR_BRIGADE_INSERT_TAIL(body, apr_bucket_immortal_create(row->body, len, alloc));
    APR_BRIGADE_INSERT_TAIL(body, apr_bucket_eos_create(alloc));
    ap_add_input_filter_handle(body_handle, body, r, r->connection);
    ap_add_output_filter_handle(answer_handle, answer, r, r->connection);
    return ap_invoke_handler(r);
}

void po_send_event(po_worker *w, const po_backend *b, const po_outbox_row *row, apr_pool_t *parent, po_sent *out)
{
    answer_context answer = { w->answer, sizeof(w->answer), 0, 0, 0 };
    apr_size_t len = strlen(row->body);
    apr_pool_t *p;
    conn_rec *c;

    memset(out, 0, sizeof(*out));
    out->rc = HTTP_INTERNAL_SERVER_ERROR;
    apr_pool_create(&p, parent);
    c = make_connection(p, b->server, w->socket);
    if (c) {
        request_rec *r = make_request(c, b, row, len);

        out->rc = run(r, row, len, &answer);
        out->status = r->status;
        out->complete = answer.eos;
        out->len = answer.len;
    }
    apr_pool_destroy(p);
}
