/* mod_punchout_bench.c - the limits that a setup is measured against, in the same httpd: `bench-floor` reads the body the same
 * way and answers as many constant bytes; `bench-sax` also runs an empty SAX pass over it. Built by `make bench` alone. */
#include "handlers/handlers.h"

#include <libxml/parser.h>
#include <pthread.h>

module AP_MODULE_DECLARE_DATA punchout_bench_module;

#define ANSWER_BYTES 439                /* of a setup's answer, see bench/run.pl */
#define BODY_LIMIT (4 * 1024 * 1024)

static pthread_key_t reader_key;
static char answer[ANSWER_BYTES];

static void free_reader(void *reader)
{
    po_cxml_reader_destroy(reader);
}

static po_cxml_reader *thread_reader(void)
{
    po_cxml_reader *reader = pthread_getspecific(reader_key);

    if (!reader && (reader = po_cxml_reader_create()))
        pthread_setspecific(reader_key, reader);
    return reader;
}

static int send_answer(request_rec *r)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);

    ap_set_content_type(r, "text/xml; charset=UTF-8");
    ap_set_content_length(r, ANSWER_BYTES);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_immortal_create(answer, ANSWER_BYTES, alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, bb);
    return OK;
}

static int bench_handler(request_rec *r)
{
    int sax = r->handler && !strcmp(r->handler, "bench-sax");
    po_cxml_reader *reader;
    char *body;
    apr_size_t len;
    int rc;

    if (!sax && (!r->handler || strcmp(r->handler, "bench-floor")))
        return DECLINED;
    if ((rc = po_body_read(r, BODY_LIMIT, &body, &len)) != OK)
        return rc;
    if (sax && (!(reader = thread_reader()) || !po_cxml_read_empty(reader, body, len)))
        return HTTP_BAD_REQUEST;
    return send_answer(r);
}

static void bench_child_init(apr_pool_t *p, server_rec *s)
{
    xmlInitParser();
    pthread_key_create(&reader_key, free_reader);
    memset(answer, 'x', sizeof(answer));
}

static void register_hooks(apr_pool_t *p)
{
    ap_hook_child_init(bench_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(bench_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

AP_DECLARE_MODULE(punchout_bench) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE
};
