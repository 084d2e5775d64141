/* session.h - a shopper's stay between the setup and the cart's return.
 *
 * Sessions live in one segment of APR shared memory that the process pool keeps over restarts. Start tokens and cookies are
 * kept only as hashes; buyers by name, since their number changes with the configuration.
 */
#ifndef PO_SESSION_H
#define PO_SESSION_H

#include "core/core.h"

typedef struct po_sessions po_sessions;

#define PO_SESSION_DATA_MAX 32768               /* of one session, packed */

/* The operation of a session that began in the marketplace, with no procurement system behind it: it has an account,
 * but no user, mail or return URL. */
#define PO_OPERATION_DRAFT "draft"

typedef struct {                                /* strings never NULL once read back: "" means none */
    char id[PO_TOKEN_TEXT + 1];                 /* public, opaque: PunchOut-Session; not the cookie */
    const char *site, *buyer, *user, *email, *user_name, *csrf;
    const char *operation;                      /* create | edit | inspect, or PO_OPERATION_DRAFT */
    const char *buyer_cookie, *return_url;
    const char *from_domain, *from_identity;    /* the pair of credentials that matched, From is the buyer */
    const char *to_domain, *to_identity;
    const char *selected;                       /* SelectedItem's part id */
    const char *request;                        /* edit, inspect: the request whose cart came back */
    const char *sign_on;                        /* the page to sign on at, before the shop's (?idc_url=) */
    const char *account, *account_email;        /* bound by PunchOut-Account */
    int drafts;                                 /* open drafts of that account when it was bound: PunchOut-Drafts */
    int test;
    apr_time_t created;
} po_session;

typedef struct {
    apr_size_t size;                            /* of the segment, bytes */
    apr_interval_time_t start_life, idle, total;
} po_session_limits;

/* In the parent. base is a zeroed segment of limits->size, or one that an earlier generation filled: then *kept is 1 and the
 * sessions stay (the limits follow the new configuration). APR_EINVAL when size is too small (1 MiB at least);
 * APR_EMISMATCH when the segment has another size or layout. */
apr_status_t po_sessions_attach(po_sessions **t, void *base, const po_session_limits *limits, int *kept, apr_pool_t *p);

/* Inserts s (id, created and csrf are made here) and writes a start token. APR_ENOSPC: the store is full; live sessions are
 * never evicted. For a session that begins in the marketplace half is full: whoever is signed in there may cause any number
 * of them, and must not shut out procurement systems. APR_EINVAL: larger than PO_SESSION_DATA_MAX. s->csrf is NULL
 * afterwards: start and find read it back. */
apr_status_t po_session_insert(po_sessions *t, po_crypto *c, po_session *s, apr_time_t now, char token[PO_TOKEN_TEXT + 1]);
/* Spends a start token: exactly one caller wins, and gets a fresh cookie value and the session. APR_NOTFOUND: unknown, used or
 * expired. */
apr_status_t po_session_start(po_sessions *t, po_crypto *c, const char *token, apr_time_t now,
                              char cookie[PO_TOKEN_TEXT + 1], po_session *s, apr_pool_t *p);
/* APR_NOTFOUND: unknown, expired or not started. Marks the use, at most once a minute. Strings of s lie in p. */
apr_status_t po_session_find(po_sessions *t, po_crypto *c, const char *cookie, apr_time_t now, po_session *s, apr_pool_t *p);
/* Replaces account, account_email and drafts (0 and up) of an open session. APR_NOTFOUND: as in find. APR_ENOSPC when
 * there is no room, APR_EINVAL when it would be larger than PO_SESSION_DATA_MAX: then it stays as it was. */
apr_status_t po_session_bind(po_sessions *t, po_crypto *c, const char *cookie, const char *account, const char *email,
                             int drafts, apr_time_t now);
/* Replaces drafts alone. APR_NOTFOUND also when another account is bound by now, which must not be undone. */
apr_status_t po_session_recount(po_sessions *t, po_crypto *c, const char *cookie, const char *account, int drafts,
                                apr_time_t now);
/* 1 for a session that began in the marketplace. */
int po_session_is_draft(const po_session *s);
apr_status_t po_session_remove(po_sessions *t, po_crypto *c, const char *cookie);

typedef struct {
    apr_uint64_t live, blocks, used_blocks, bytes, repairs, expired, refused;
    apr_uint64_t wrong;                         /* violations that a walk over everything found: 0 */
} po_session_stats;
/* Walks every shard under its lock: for tests and the operator, not for each request. */
void po_sessions_check(po_sessions *t, po_session_stats *out);

#endif
