/* backend.c - which backends are dead: their rows are left alone but for one probe at a time. */
#include "delivery/delivery_private.h"

#include "apr_hash.h"
#include "apr_strings.h"
#include "apr_uri.h"
#include "http_log.h"
#include <pthread.h>

APLOG_USE_MODULE(punchout);

static const po_global_config *config;
static apr_array_header_t *backends;            /* po_backend * */
static apr_hash_t *by_key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static po_backend *add(const po_site *site, const char *channel, const char *target, po_lane lane, const char *what,
                       const char *directive, apr_pool_t *p)
{
    po_backend *b;
    apr_uri_t uri;

    if (!target)
        return NULL;
    b = apr_pcalloc(p, sizeof(*b));
    b->key = apr_pstrcat(p, site->public_url, "\n", channel, NULL);
    b->site = site;
    b->server = po_config_site_server(site);
    b->target = target;
    if (apr_uri_parse(p, target, &uri) == APR_SUCCESS && uri.hostname)
        b->host = uri.port_str ? apr_pstrcat(p, uri.hostname, ":", uri.port_str, NULL) : uri.hostname;
    else
        b->host = "localhost";
    b->what = what;
    b->directive = directive;
    b->lane = lane;
    APR_ARRAY_PUSH(backends, po_backend *) = b;
    apr_hash_set(by_key, b->key, APR_HASH_KEY_STRING, b);
    return b;
}

/* Every buyer that documents go to is a backend of his own: one that is down holds up nobody else. */
static void add_buyers(const po_site *site, apr_pool_t *p)
{
    int i;

    for (i = 0; i < site->buyers->nelts; i++) {
        const po_buyer *buyer = APR_ARRAY_IDX(site->buyers, i, po_buyer *);
        const po_post *post = po_delivery_post_of(buyer, PO_POST_CONFIRMATION);
        po_backend *b;

        if (!post)
            post = po_delivery_post_of(buyer, PO_POST_INVOICE);
        b = add(site, po_post_channel(buyer->name, p), post ? post->url : NULL, PO_LANE_POST,
                apr_pstrcat(p, "buyer ", buyer->name, NULL), "PunchOutPost", p);
        if (b)
            b->buyer = buyer;
    }
}

apr_status_t po_backends_create(const po_global_config *g, apr_pool_t *p)
{
    const apr_array_header_t *sites = po_config_sites();
    int i;

    config = g;
    backends = apr_array_make(p, 3 * sites->nelts, sizeof(po_backend *));
    by_key = apr_hash_make(p);
    for (i = 0; i < sites->nelts; i++) {
        const po_site *site = APR_ARRAY_IDX(sites, i, po_site *);

        add(site, PO_CHANNEL_EVENT, site->fulfillment, PO_LANE_EVENT, "the fulfillment backend",
            "PunchOutFulfillment", p);
        add(site, PO_CHANNEL_TEST, site->fulfillment_test, PO_LANE_EVENT, "the fulfillment sandbox",
            "PunchOutFulfillmentTest", p);
        add(site, PO_CHANNEL_MAIL, site->mail_from ? site->mail_url : NULL, PO_LANE_MAIL, "the mail server",
            "PunchOutMail", p);
        add_buyers(site, p);
    }
    return APR_SUCCESS;
}

po_backend *po_backend_find(const char *site, const char *channel, apr_pool_t *p)
{
    return apr_hash_get(by_key, apr_pstrcat(p, site, "\n", channel, NULL), APR_HASH_KEY_STRING);
}

void po_backends_exclude(po_outbox_claim_args *args, const int full[PO_LANES], apr_time_t now, apr_pool_t *p)
{
    const char **dead = apr_palloc(p, (apr_size_t)backends->nelts * sizeof(*dead));
    int *probe = apr_palloc(p, (apr_size_t)backends->nelts * sizeof(*probe));
    int i;

    args->dead = dead;
    args->probe = probe;
    args->ndead = 0;
    pthread_mutex_lock(&lock);
    for (i = 0; i < backends->nelts; i++) {
        po_backend *b = APR_ARRAY_IDX(backends, i, po_backend *);

        b->offered = b->dead && !full[b->lane] && !b->probing && !b->busy && b->probe_at <= now;
        if (b->dead || b->busy || full[b->lane]) {
            dead[args->ndead] = b->key;
            probe[args->ndead++] = b->offered;
        }
    }
    pthread_mutex_unlock(&lock);
}

int po_backend_take(po_backend *b)
{
    pthread_mutex_lock(&lock);
    b->busy = b->lane == PO_LANE_POST;
    if (b->offered)
        b->probing = 1;
    pthread_mutex_unlock(&lock);
    return b->offered;
}

int po_backend_rest(po_backend *b)
{
    int was_busy;

    pthread_mutex_lock(&lock);
    was_busy = b->busy;
    b->busy = 0;
    pthread_mutex_unlock(&lock);
    return was_busy;
}

int po_backend_dead(po_backend *b)
{
    int dead;

    pthread_mutex_lock(&lock);
    dead = b->dead;
    pthread_mutex_unlock(&lock);
    return dead;
}

int po_backend_report(po_backend *b, po_backend_life life, int probe)
{
    int was_dead, failures;
    apr_interval_time_t pause = 0;

    pthread_mutex_lock(&lock);
    was_dead = b->dead;
    if (life == PO_BACKEND_ALIVE)
        b->dead = b->failures = 0;
    else if ((life == PO_BACKEND_DEAD && !was_dead) || probe) {
        b->dead = 1;
        pause = po_back_off(config->retry_first, config->retry_longest, ++b->failures, (apr_uint64_t)apr_time_now());
        b->probe_at = apr_time_now() + pause;
    }
    if (probe)
        b->probing = 0;
    failures = b->failures;
    pthread_mutex_unlock(&lock);
    if (pause)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, b->server, "PO0301: %s of %s can't be reached (%d in a row); "
                     "everything for it waits, one probe in %" APR_TIME_T_FMT " ms", b->what, b->site->public_url,
                     failures, apr_time_as_msec(pause));
    if (was_dead && life == PO_BACKEND_ALIVE)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, b->server, "PO0302: %s of %s is back", b->what, b->site->public_url);
    return was_dead && life == PO_BACKEND_ALIVE;
}

apr_time_t po_backends_next_probe(apr_time_t now)
{
    apr_time_t next = 0;
    int i;

    pthread_mutex_lock(&lock);
    for (i = 0; i < backends->nelts; i++) {
        const po_backend *b = APR_ARRAY_IDX(backends, i, po_backend *);

        if (b->dead && !b->probing && b->probe_at > now && (!next || b->probe_at < next))
            next = b->probe_at;
    }
    pthread_mutex_unlock(&lock);
    return next;
}
