/* config.h - what the administrator said: directives into core's structs, merge, checks, dump (httpd room).
 *
 * A directive never fails while the file is read (except for a wrong context): it records a problem, and check_config
 * reports them all, so that a raw signal restart can't take a running server down (design.md §3).
 */
#ifndef PO_CONFIG_H
#define PO_CONFIG_H

#include "httpd.h"
#include "http_config.h"
#include "core/core.h"

#define PO_VERSION "0.1.0"
#define PO_USER_AGENT "mod_punchout/" PO_VERSION

typedef struct {                                /* the main server's: one for the whole process */
    apr_size_t session_store;                   /* PunchOutSessionStore, bytes */
    apr_interval_time_t session_idle, session_total, start_life;
    const char *state_dir;                      /* absolute */
    const char *ledger;                         /* absolute path of the SQLite file */
    apr_interval_time_t retry_first, retry_longest, retry_for;  /* PunchOutDelivery */
    int concurrency;
} po_global_config;

extern const command_rec po_config_directives[];

void *po_config_create_server(apr_pool_t *p, server_rec *s);
void *po_config_merge_server(apr_pool_t *p, void *base, void *add);
void *po_config_create_dir(apr_pool_t *p, char *dir);
void *po_config_merge_dir(apr_pool_t *p, void *base, void *add);

/* pre_config: forgets the problems of the last reading. */
int po_config_pre_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp);
/* check_config: resolves every virtual host into a po_site, checks what a file can get wrong, logs each problem with
 * directive, file and line, value and what would be right. !OK when there was one; on a raw restart OK with `fault`
 * set. */
int po_config_check(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
/* test_config: prints the merged configuration as JSON for -D DUMP_PUNCHOUT, secrets masked. */
void po_config_dump(apr_pool_t *p, server_rec *s);
/* A server is running and reads its files again after a raw signal: nothing may fail now. */
int po_config_running(void);

/* After check_config. NULL: this virtual host has no PunchOut configuration (no PunchOutPublicURL). */
po_site *po_config_site(server_rec *s);
const po_global_config *po_config_global(void);
/* Every site of the process: apr_array_header_t of po_site *, and the server of each. */
const apr_array_header_t *po_config_sites(void);
server_rec *po_config_site_server(const po_site *site);

/* post_config: site->catalog_db was compiled well; a later restart with a faulty catalog goes on with it (retained
 * data). */
void po_config_catalog_good(const po_site *site);
/* The last good compiled catalog of a site of that public URL, copied to p; NULL: none, or it is gone. */
const char *po_config_catalog_last(const po_site *site, apr_pool_t *p);

/* words.c: 1 when the URL's host is this machine itself: localhost, 127.*, ::1. */
int po_url_is_loopback(const char *url, apr_pool_t *p);

#define PO_RETAINED "mod_punchout"              /* ap_retained_data_*: exists from the first post_config on */

#endif
