/* child.c - the life of a process: what start-up prepares, what a child and its threads hold, how a child leaves. */
#include "handlers/handlers.h"

#include "ap_mpm.h"
#include "apr_shm.h"
#include "http_core.h"
#include "http_main.h"
#include "unixd.h"
#include <libxml/parser.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

APLOG_USE_MODULE(punchout);

#define CALL_COUNTERS 4096              /* one for each buyer of a site that calls */
#define FAILURE_COUNTERS 65536          /* strangers make them, as many names as they like: 512 KB */
#define HARD_STOP_MS 2000               /* a stop that may not wait for deliveries in flight waits that long */

typedef struct {                        /* kept over restarts in the process pool */
    apr_shm_t *shm;
    apr_size_t size;
} retained;

static po_sessions *sessions;
static po_rates *rates[PO_RATES_KINDS];
static po_ledger *ledger;
static int threaded;
static int hard_stop;
static apr_time_t started, configured;
static pthread_key_t thread_key;
static unsigned char site_key[PO_DIGEST];
static atomic_int have_key;
static pthread_mutex_t key_lock = PTHREAD_MUTEX_INITIALIZER;

po_sessions *po_child_sessions(void)
{
    return sessions;
}

po_ledger *po_child_ledger(void)
{
    return ledger;
}

po_rates *po_child_rates(po_rates_kind kind)
{
    return rates[kind];
}

apr_time_t po_child_started(void)
{
    return started;
}

apr_time_t po_child_configured(void)
{
    return configured;
}

/* ---- start-up ------------------------------------------------------------------------------------------------- */

int po_child_pre_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp)
{
    int rc = po_config_pre_config(p, plog, ptemp);

    if (rc == OK && po_delivery_pre_config(p) != APR_SUCCESS)
        rc = !OK;
    return rc;
}

int po_child_check_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int rc = po_config_check(p, plog, ptemp, s);
    const char *wrong = po_config_sites()->nelts ? po_delivery_check(p, s) : NULL;

    if (wrong && po_config_running())
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "PO0120: %s; the running locks stay", wrong);
    else if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, s, "PO0121: %s", wrong);
        rc = !OK;
    }
    return rc;
}

/* Files below the state directory belong to the user that the children run as. */
static void give_to_children(const char *path)
{
    if (geteuid() == 0 && chown(path, ap_unixd_config.user_id, ap_unixd_config.group_id) != 0 && errno != ENOENT)
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, ap_server_conf, "PO0122: cannot give %s to the User of httpd", path);
}

static int prepare_state_dir(apr_pool_t *p, server_rec *s)
{
    const char *dir = po_config_global()->state_dir;
    apr_status_t rv = apr_dir_make_recursive(dir, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, p);

    if (rv != APR_SUCCESS && !APR_STATUS_IS_EEXIST(rv)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "PO0123: cannot make PunchOutStateDir %s", dir);
        return 0;
    }
    give_to_children(dir);
    return 1;
}

/* A ledger that can't be opened is never fatal: orders are answered 560 until it can. */
static void prepare_ledger(apr_pool_t *p, server_rec *s)
{
    const char *path = po_config_global()->ledger, *wrong = po_ledger_migrate(path, p);

    if (wrong)
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "PO0124: %s", wrong);
    give_to_children(path);
    give_to_children(apr_pstrcat(p, path, "-wal", NULL));
    give_to_children(apr_pstrcat(p, path, "-shm", NULL));
    give_to_children(apr_pstrcat(p, path, ".owners", NULL));
}

/* Kept are the catalogs that are in use now and those that children of before may still open, no others: each is larger
 * than its file. */
static void prepare_catalogs(apr_pool_t *p)
{
    const apr_array_header_t *sites = po_config_sites();
    apr_array_header_t *keep = apr_array_make(p, 2 * sites->nelts, sizeof(const char *));
    const char *before;
    int i;

    for (i = 0; i < sites->nelts; i++) {
        po_site *site = APR_ARRAY_IDX(sites, i, po_site *);
        server_rec *s = po_config_site_server(site);
        const char *wrong;

        if ((before = po_config_catalog_last(site, p)))
            APR_ARRAY_PUSH(keep, const char *) = before;
        if (!site->catalog_file)
            continue;
        wrong = po_catalog_compile(site->catalog_file, po_config_global()->state_dir, &site->catalog_db, p);
        if (!wrong) {
            give_to_children(site->catalog_db);
            po_config_catalog_good(site);
            APR_ARRAY_PUSH(keep, const char *) = site->catalog_db;
            continue;
        }
        site->catalog_db = before;
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "PO0125: %s; %s", wrong,
                     site->catalog_db ? "the catalog of before stays" : "requests for approval are refused until it is mended");
    }
    po_catalog_prune(po_config_global()->state_dir, keep, p);
}

/* The segment lies in the process pool: graceful and hard restarts keep the sessions, a full stop loses them. */
static int prepare_sessions(apr_pool_t *p, server_rec *s)
{
    const po_global_config *g = po_config_global();
    po_session_limits limits = { g->session_store, g->start_life, g->session_idle, g->session_total };
    retained *kept = ap_retained_data_get(PO_RETAINED);
    apr_status_t rv;
    int again = 0;

    if (!kept) {
        kept = ap_retained_data_create(PO_RETAINED, sizeof(*kept));
        kept->size = limits.size;
        rv = apr_shm_create(&kept->shm, kept->size, NULL, s->process->pool);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "PO0126: no shared memory of %" APR_SIZE_T_FMT " bytes for "
                         "PunchOutSessionStore", kept->size);
            return 0;
        }
    }
    else if (kept->size != limits.size) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "PO0127: PunchOutSessionStore changes with the next stop and start; "
                     "until then it stays %" APR_SIZE_T_FMT " bytes, with its sessions", kept->size);
        limits.size = kept->size;
    }
    rv = po_sessions_attach(&sessions, apr_shm_baseaddr_get(kept->shm), &limits, &again, s->process->pool);
    if (rv == APR_EMISMATCH) {          /* a module of another layout was here: its sessions can't be read */
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "PO0128: the session store has another layout; open sessions are lost");
        memset(apr_shm_baseaddr_get(kept->shm), 0, kept->size);
        rv = po_sessions_attach(&sessions, apr_shm_baseaddr_get(kept->shm), &limits, &again, s->process->pool);
    }
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "PO0129: the session store can't be used");
    return rv == APR_SUCCESS;
}

/* Each generation of children has its own: a reload begins the minute anew. Without this memory nothing is limited,
 * which is no reason to serve nothing. */
static void prepare_rates(apr_pool_t *p, server_rec *s)
{
    static const unsigned counters[PO_RATES_KINDS] = { CALL_COUNTERS, FAILURE_COUNTERS };
    apr_shm_t *shm;
    int kind;

    for (kind = 0; kind < PO_RATES_KINDS; kind++) {
        apr_status_t rv = apr_shm_create(&shm, po_rates_size(counters[kind]), NULL, p);

        rates[kind] = rv == APR_SUCCESS ? po_rates_make(apr_shm_baseaddr_get(shm), counters[kind]) : NULL;
        if (!rates[kind])
            ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "PO0222: no shared memory to count the calls of Open Buy in; "
                         "PunchOutOpenBuyRate limits nothing, nor are wrong credentials limited");
    }
}

int po_child_post_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int running = po_config_running();
    int ok;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !po_config_sites()->nelts)
        return OK;
    configured = apr_time_now();
    ok = prepare_state_dir(p, s);
    if (ok) {
        prepare_ledger(p, s);
        prepare_catalogs(p);
    }
    prepare_rates(p, s);
    ok = prepare_sessions(p, s) && ok;
    ok = po_delivery_post_config(s->process->pool, s) == APR_SUCCESS && ok;
    return ok || running ? OK : !OK;    /* to fail now would end a running server */
}

/* ---- a child -------------------------------------------------------------------------------------------------- */

static void ledger_log(void *baton, int level, const char *message)
{
    static const int levels[] = { APLOG_ERR, APLOG_WARNING, APLOG_INFO };

    ap_log_error(APLOG_MARK, levels[level < 0 || level > 2 ? 0 : level], 0, ap_server_conf, "PO0400: ledger: %s", message);
}

static void thread_free(void *data)
{
    po_thread *t = data;

    po_cxml_reader_destroy(t->reader);
    po_crypto_destroy(t->crypto);
    apr_pool_destroy(t->pool);
    free(t);
}

/* Before anything of the child's pool dies; its requests have ended. The writer leaves last: the deliverer's results go
 * through it. */
static apr_status_t leave(void *data)
{
    int ms = hard_stop ? HARD_STOP_MS : -1;

    po_delivery_stop();
    if (po_delivery_stopped(ms)) {
        po_ledger_stop(ledger);
        if (po_ledger_stopped(ledger, ms))
            return APR_SUCCESS;
    }
    /* To pull the pools from under a thread in mod_proxy is a crash; to be gone is what the ledger is for. */
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, (server_rec *)data, "PO0130: leaves with a delivery in flight; it goes out "
                 "again under the same key");
    _exit(0);
}

void po_child_init(apr_pool_t *p, server_rec *s)
{
    po_ledger_options o = { po_config_global()->ledger, po_delivery_lock, po_delivery_unlock, po_delivery_wake, ledger_log };
    apr_status_t rv;

    if (!po_config_sites()->nelts || !sessions)
        return;
    xmlInitParser();
    started = apr_time_now();
    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    o.defer_signals = !threaded;
    if (pthread_key_create(&thread_key, thread_free)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "PO0131: no more thread keys; this child can't serve punchout");
        sessions = NULL;
        return;
    }
    rv = po_ledger_open(&ledger, &o, p);
    apr_pool_pre_cleanup_register(p, s, leave);
    if (rv == APR_SUCCESS)
        rv = po_delivery_child_init(p, s, ledger, threaded);
    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "PO0132: this child delivers nothing");
}

/* prefork runs this for a hard stop inside its SIGTERM handler, and says graceful = 0 for a graceful stop too: the blocked
 * signal tells which one it is. */
static int in_signal_handler(void)
{
    sigset_t now;

    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, SIGTERM) || sigismember(&now, SIGHUP);
}

void po_child_stopping(apr_pool_t *p, int graceful)
{
    hard_stop = threaded ? !graceful : in_signal_handler();
    if (ledger)
        po_delivery_stop();             /* the writer must still serve the requests that are under way */
}

/* ---- a thread ------------------------------------------------------------------------------------------------- */

static po_thread *thread_create(void)
{
    po_thread *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->crypto = po_crypto_create();
    t->reader = po_cxml_reader_create();
    if (!t->crypto || !t->reader || apr_pool_create_unmanaged_ex(&t->pool, NULL, NULL) != APR_SUCCESS) {
        po_cxml_reader_destroy(t->reader);
        po_crypto_destroy(t->crypto);
        free(t);
        return NULL;
    }
    apr_pool_tag(t->pool, "punchout-thread");
    t->catalogs = apr_hash_make(t->pool);
    return t;
}

po_thread *po_thread_get(void)
{
    po_thread *t;

    if (!sessions)
        return NULL;
    t = pthread_getspecific(thread_key);
    if (t)
        return t;
    t = thread_create();
    if (!t || pthread_setspecific(thread_key, t)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, ap_server_conf, "PO0133: out of memory for a thread");
        if (t)
            thread_free(t);
        return NULL;
    }
    return t;
}

po_ledger_db *po_thread_ledger(po_thread *t)
{
    if (!t->ledger) {
        apr_pool_create(&t->ledger_pool, t->pool);
        if (po_ledger_reader(&t->ledger, po_config_global()->ledger, t->ledger_pool) != APR_SUCCESS)
            po_thread_ledger_drop(t);
    }
    return t->ledger;
}

void po_thread_ledger_drop(po_thread *t)
{
    t->ledger = NULL;
    if (t->ledger_pool)
        apr_pool_destroy(t->ledger_pool);
    t->ledger_pool = NULL;
}

po_catalog *po_thread_catalog(po_thread *t, const po_site *site)
{
    po_catalog *c;

    if (!site->catalog_db)
        return NULL;
    c = apr_hash_get(t->catalogs, site->catalog_db, APR_HASH_KEY_STRING);
    if (!c && po_catalog_open(&c, site->catalog_db, t->pool) == APR_SUCCESS)
        apr_hash_set(t->catalogs, site->catalog_db, APR_HASH_KEY_STRING, c);
    return c;
}

int po_child_key(po_thread *t, unsigned char key[PO_DIGEST])
{
    if (!atomic_load(&have_key)) {
        po_ledger_db *db = po_thread_ledger(t);
        unsigned char k[PO_DIGEST];

        if (!db || po_ledger_key(db, k) != APR_SUCCESS)
            return 0;
        pthread_mutex_lock(&key_lock);
        memcpy(site_key, k, PO_DIGEST);
        atomic_store(&have_key, 1);
        pthread_mutex_unlock(&key_lock);
    }
    memcpy(key, site_key, PO_DIGEST);
    return 1;
}
