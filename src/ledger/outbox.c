/* outbox.c - what has to go out: rows are added with what causes them, claimed by leases, and kept with their outcome.
 *
 * A lane is the rows of one request and class (events, mail, or documents to the buyer). They go out in order: a row
 * that is open or parked holds back those behind it; one that is delivered or has failed for good does not.
 */
#include "ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(PO_OUTBOX_OPEN == 0 && PO_OUTBOX_DONE == 1 && PO_OUTBOX_PARKED == 2 && PO_OUTBOX_FAILED == 3
               && PO_OUTCOME_APPROVED == 1 && PO_OUTCOME_CHANGED == 2,
               "the numbers in the statements and indices of this room");

#define ROW_COLUMNS "seq, tries, key, site, channel, buyer, request, recipients, body, created, outcome, answered, doubt"

/* No older row of the lane is open or parked. The first term on state is the condition of the index outbox_lane. */
#define IS_HEAD_OF_LANE \
    "NOT EXISTS (SELECT 1 FROM outbox p WHERE p.site = o.site AND p.request = o.request AND p.class = o.class" \
    " AND p.state <> 1 AND p.state <> 3 AND p.seq < o.seq)"

#define OWNERS_AT_ONCE 64

enum { CLASS_EVENT, CLASS_MAIL, CLASS_POST };

static int class_of(const char *channel)
{
    return !strncmp(channel, "event", 5) ? CLASS_EVENT : !strncmp(channel, "post:", 5) ? CLASS_POST : CLASS_MAIL;
}

static po_outbox_row *read_row(sqlite3_stmt *st, apr_pool_t *p)
{
    po_outbox_row *r = apr_pcalloc(p, sizeof(*r));
    po_cursor c = { st };

    r->seq = po_read_int(&c);
    r->tries = (int)po_read_int(&c);
    r->key = po_read_text(&c, p);
    r->site = po_read_text(&c, p);
    r->channel = po_read_text(&c, p);
    r->buyer = po_read_text(&c, p);
    r->request = po_read_text(&c, p);
    r->recipients = po_read_text(&c, p);
    r->body = po_read_text(&c, p);
    r->created = po_read_int(&c);
    r->outcome = (po_order_outcome)po_read_int(&c);
    r->answered = (po_event_answered)po_read_int(&c);
    r->doubt = (int)po_read_int(&c);
    return r;
}

apr_status_t po_outbox_add(po_ledger_db *db, const po_outbox_row *row, apr_time_t due)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_ADD, "INSERT INTO outbox(site, key, channel, class, request, buyer,"
                                 " state, due, tries, created, recipients, body, outcome)"
                                 " VALUES(?,?,?,?,?,?,0,?,0,?,?,?,?)") };
    apr_status_t rv;

    po_bind_text(&c, row->site);
    po_bind_text(&c, row->key);
    po_bind_text(&c, row->channel);
    po_bind_int(&c, class_of(row->channel));
    po_bind_text(&c, row->request);
    po_bind_text(&c, row->buyer);
    po_bind_int(&c, due);
    po_bind_int(&c, row->created);
    po_bind_text(&c, row->recipients);
    po_bind_text(&c, row->body);
    po_bind_int(&c, row->outcome);
    rv = po_step(db, c.st);
    if (rv == APR_SUCCESS)
        db->wakes = 1;
    return rv;
}

/* ---- claiming ------------------------------------------------------------------------------------------------- */

typedef enum { BACKEND_ALIVE, BACKEND_PROBE, BACKEND_DEAD } backend_state;

typedef struct {                        /* a site's channel that has open rows */
    const char *site, *channel;
    backend_state state;
    int probed;
} backend;

typedef struct {
    apr_time_t due;
    apr_int64_t seq;
} candidate;

static int by_due(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->due != y->due)
        return x->due < y->due ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int by_seq(const void *a, const void *b)
{
    const po_outbox_row *x = *(po_outbox_row *const *)a, *y = *(po_outbox_row *const *)b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Of a buyer's documents one at a time is claimed, so that one who hangs takes up no more than one thread. */
static backend_state state_of(const po_outbox_claim_args *a, const char *site, const char *channel)
{
    apr_size_t len = strlen(site);
    int i;

    for (i = 0; i < a->ndead; i++)
        if (!strncmp(a->dead[i], site, len) && a->dead[i][len] == '\n' && !strcmp(a->dead[i] + len + 1, channel))
            return a->probe[i] ? BACKEND_PROBE : BACKEND_DEAD;
    return class_of(channel) == CLASS_POST ? BACKEND_PROBE : BACKEND_ALIVE;
}

/* One step through the index for each backend, however many rows wait for it. */
static apr_status_t find_backends(po_ledger_db *db, const po_outbox_claim_args *a, apr_pool_t *p,
                                  apr_array_header_t *out)
{
    /* not (site, channel) > (?1, ?2): SQLite then seeks by site alone and steps over each of its rows */
    sqlite3_stmt *st = po_statement(db, PO_SQL_OUTBOX_BACKEND, "SELECT site, channel FROM (SELECT site, channel"
                                    "  FROM outbox WHERE state = 0 AND site = ?1 AND channel > ?2"
                                    "  ORDER BY channel LIMIT 1)"
                                    " UNION ALL SELECT site, channel FROM (SELECT site, channel"
                                    "  FROM outbox WHERE state = 0 AND site > ?1 ORDER BY site, channel LIMIT 1)"
                                    " LIMIT 1");
    const char *site = "", *channel = "";
    apr_status_t rv;

    for (;;) {
        po_cursor bind = { st }, read = { st };
        backend *b;

        po_bind_text(&bind, site);
        po_bind_text(&bind, channel);
        rv = po_next(db, st);
        if (rv != APR_SUCCESS)
            return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
        b = apr_array_push(out);
        b->site = site = po_read_text(&read, p);
        b->channel = channel = po_read_text(&read, p);
        b->state = state_of(a, site, channel);
        b->probed = 0;
        sqlite3_reset(st);
    }
}

static apr_status_t find_due(po_ledger_db *db, backend *b, apr_time_t now, int want, apr_array_header_t *candidates)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_DUE, "SELECT due, seq FROM outbox o WHERE state = 0 AND site = ?1"
                                 " AND channel = ?2 AND due <= ?3 AND " IS_HEAD_OF_LANE " ORDER BY due LIMIT ?4") };
    apr_status_t rv;

    if (b->state == BACKEND_DEAD)
        return APR_SUCCESS;
    po_bind_text(&c, b->site);
    po_bind_text(&c, b->channel);
    po_bind_int(&c, now);
    po_bind_int(&c, b->state == BACKEND_PROBE && want > 1 ? 1 : want);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        candidate *found = apr_array_push(candidates);

        c.at = 0;
        found->due = po_read_int(&c);
        found->seq = po_read_int(&c);
        b->probed = b->state == BACKEND_PROBE;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t claim_row(po_ledger_db *db, const po_outbox_claim_args *a, apr_int64_t seq, apr_time_t until,
                              apr_pool_t *p, apr_array_header_t *rows)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_CLAIM, "UPDATE outbox SET doubt = doubt OR owner IS NOT NULL,"
                                 " owner = ?2, due = ?3, tries = tries + 1 WHERE seq = ?1 RETURNING " ROW_COLUMNS) };
    apr_status_t rv;

    po_bind_int(&c, seq);
    po_bind_int(&c, a->owner);
    po_bind_int(&c, until);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(rows, po_outbox_row *) = read_row(c.st, p);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* When a row can be claimed next, by the same conditions as the claim: a row that is held back, or whose backend is
 * dead, must not make anybody look again and again. Leases of claimed rows count. */
static apr_status_t find_next(po_ledger_db *db, const backend *b, apr_time_t *next_due)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_NEXT, "SELECT due FROM outbox o WHERE state = 0 AND site = ?1"
                                 " AND channel = ?2 AND " IS_HEAD_OF_LANE " ORDER BY due LIMIT 1") };
    apr_status_t rv;
    apr_time_t due;

    if (b->state == BACKEND_DEAD || b->probed)
        return APR_SUCCESS;
    po_bind_text(&c, b->site);
    po_bind_text(&c, b->channel);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    due = sqlite3_column_int64(c.st, 0);
    sqlite3_reset(c.st);
    if (*next_due == 0 || due < *next_due)
        *next_due = due;
    return APR_SUCCESS;
}

apr_status_t po_outbox_claim(po_ledger_db *db, const po_outbox_claim_args *a, apr_pool_t *p,
                             apr_array_header_t **rows, apr_time_t *next_due)
{
    apr_array_header_t *backends = apr_array_make(p, 4, sizeof(backend));
    apr_array_header_t *candidates = apr_array_make(p, 16, sizeof(candidate));
    apr_time_t now = apr_time_now();
    apr_status_t rv;
    int i;

    *rows = apr_array_make(p, 16, sizeof(po_outbox_row *));
    *next_due = 0;
    rv = find_backends(db, a, p, backends);
    for (i = 0; rv == APR_SUCCESS && a->want > 0 && i < backends->nelts; i++)
        rv = find_due(db, &APR_ARRAY_IDX(backends, i, backend), now, a->want, candidates);
    /* what is due first, whichever backend it is for: a backlog of one doesn't starve another */
    qsort(candidates->elts, (size_t)candidates->nelts, sizeof(candidate), by_due);
    for (i = 0; rv == APR_SUCCESS && i < candidates->nelts && i < a->want; i++)
        rv = claim_row(db, a, APR_ARRAY_IDX(candidates, i, candidate).seq, now + a->lease, p, *rows);
    qsort((*rows)->elts, (size_t)(*rows)->nelts, sizeof(po_outbox_row *), by_seq);
    for (i = 0; rv == APR_SUCCESS && i < backends->nelts; i++)
        rv = find_next(db, &APR_ARRAY_IDX(backends, i, backend), next_due);
    return rv;
}

/* ---- outcomes ------------------------------------------------------------------------------------------------- */

/* Did the end of this row open the way for one behind it? Only then need anybody look. */
static apr_status_t wake_if_followed(po_ledger_db *db, apr_int64_t seq)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_BEHIND, "SELECT 1 FROM outbox o JOIN outbox n ON n.site = o.site"
                                 " AND n.request = o.request AND n.class = o.class AND n.state <> 1 AND n.state = 0"
                                 " AND n.seq > o.seq WHERE o.seq = ?1 LIMIT 1") };
    apr_status_t rv;

    po_bind_int(&c, seq);
    rv = po_next(db, c.st);
    if (rv == APR_SUCCESS) {
        db->wakes = 1;
        sqlite3_reset(c.st);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static sqlite3_stmt *result_statement(po_ledger_db *db, apr_int64_t seq, apr_int64_t owner, po_outbox_state what,
                                      apr_time_t due, int uncounted, const char *answer)
{
    po_cursor c = { 0 };

    if (what == PO_OUTBOX_DONE)
        c.st = po_statement(db, PO_SQL_OUTBOX_DONE, "UPDATE outbox SET state = 1, owner = NULL,"
                            " answer = ifnull(?2, answer) WHERE seq = ?1");
    else if (what == PO_OUTBOX_OPEN)
        c.st = po_statement(db, PO_SQL_OUTBOX_AGAIN, "UPDATE outbox SET due = ?4, owner = NULL,"
                            " tries = max(tries - ?5, 0), answer = ifnull(?2, answer)"
                            " WHERE seq = ?1 AND state = 0 AND owner = ?3");
    else
        c.st = po_statement(db, PO_SQL_OUTBOX_STOP, "UPDATE outbox SET state = ?4, owner = NULL,"
                            " answer = ifnull(?2, answer) WHERE seq = ?1 AND state = 0 AND owner = ?3");
    po_bind_int(&c, seq);
    po_bind_text(&c, answer);
    if (what == PO_OUTBOX_DONE)         /* delivered is delivered, whoever owns the row by now */
        return c.st;
    po_bind_int(&c, owner);
    po_bind_int(&c, what == PO_OUTBOX_OPEN ? due : (apr_int64_t)what);
    if (what == PO_OUTBOX_OPEN)
        po_bind_int(&c, uncounted != 0);
    return c.st;
}

apr_status_t po_outbox_result(po_ledger_db *db, apr_int64_t seq, apr_int64_t owner, po_outbox_state what,
                              apr_time_t due, int uncounted, const char *answer)
{
    apr_status_t rv = po_step(db, result_statement(db, seq, owner, what, due, uncounted, answer));

    if (rv == APR_SUCCESS && sqlite3_changes(db->handle) == 0)
        return APR_NOTFOUND;
    if (rv != APR_SUCCESS || what == PO_OUTBOX_PARKED)
        return rv;
    if (what != PO_OUTBOX_OPEN)
        return wake_if_followed(db, seq);
    db->wakes = 1;                      /* it is due earlier than its lease said */
    return APR_SUCCESS;
}

apr_status_t po_outbox_answered(po_ledger_db *db, apr_int64_t seq, po_event_answered answered)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_ANSWERED, "UPDATE outbox SET answered = ?2 WHERE seq = ?1") };

    po_bind_int(&c, seq);
    po_bind_int(&c, answered);
    return po_step(db, c.st);
}

apr_status_t po_outbox_doubt(po_ledger_db *db, apr_int64_t seq)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_DOUBT, "UPDATE outbox SET doubt = 1 WHERE seq = ?1") };

    po_bind_int(&c, seq);
    return po_step(db, c.st);
}

apr_status_t po_outbox_recover(po_ledger_db *db, apr_int64_t me, int (*alive)(apr_int64_t owner, void *baton),
                               void *baton, int *n)
{
    sqlite3_stmt *st = po_statement(db, PO_SQL_OUTBOX_OWNERS, "SELECT DISTINCT owner FROM outbox"
                                    " WHERE owner IS NOT NULL");
    apr_int64_t dead[OWNERS_AT_ONCE];
    apr_status_t rv = APR_SUCCESS;
    int i, count = 0;

    *n = 0;
    while (count < OWNERS_AT_ONCE && (rv = po_next(db, st)) == APR_SUCCESS) {
        apr_int64_t owner = sqlite3_column_int64(st, 0);

        if (owner != me && !alive(owner, baton))
            dead[count++] = owner;
    }
    sqlite3_reset(st);
    rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        po_cursor c = { po_statement(db, PO_SQL_OUTBOX_FREE, "UPDATE outbox SET owner = NULL, due = ?2, doubt = 1"
                                     " WHERE owner = ?1") };

        po_bind_int(&c, dead[i]);
        po_bind_int(&c, apr_time_now());
        rv = po_step(db, c.st);
        *n += rv == APR_SUCCESS ? sqlite3_changes(db->handle) : 0;
    }
    db->wakes = db->wakes || *n > 0;
    return rv;
}

/* ---- the operator's word ---------------------------------------------------------------------------------------- */

apr_status_t po_outbox_reopen(po_ledger_db *db, apr_int64_t seq, apr_time_t now)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_REOPEN, "UPDATE outbox SET state = 0, owner = NULL, tries = 0,"
                                 " due = ?2, created = ?2, answered = 0 WHERE seq = ?1") };
    apr_status_t rv;

    po_bind_int(&c, seq);
    po_bind_int(&c, now);
    rv = po_step(db, c.st);
    db->wakes = db->wakes || rv == APR_SUCCESS;
    return rv;
}

apr_status_t po_outbox_reopen_behind(po_ledger_db *db, const po_outbox_row *row, apr_time_t now)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_REOPEN_BEHIND, "UPDATE outbox SET state = 0, owner = NULL, tries = 0,"
                                 " due = ?4, created = ?4 WHERE site = ?1 AND request = ?2 AND class = 0 AND state <> 1"
                                 " AND state = 3 AND outcome IN (1, 2) AND seq > ?3") };

    po_bind_text(&c, row->site);
    po_bind_text(&c, row->request);
    po_bind_int(&c, row->seq);
    po_bind_int(&c, now);
    return po_step(db, c.st);
}

apr_status_t po_outbox_drop(po_ledger_db *db, apr_int64_t seq)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_DROP, "UPDATE outbox SET state = 3 WHERE seq = ?1"
                                 " AND (state = 2 OR (state = 0 AND owner IS NULL))") };
    apr_status_t rv;

    po_bind_int(&c, seq);
    rv = po_step(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    return sqlite3_changes(db->handle) ? wake_if_followed(db, seq) : APR_NOTFOUND;
}

/* Rows with their state. */
static apr_status_t read_entries(po_ledger_db *db, sqlite3_stmt *st, apr_pool_t *p, apr_array_header_t **out)
{
    apr_status_t rv;

    *out = apr_array_make(p, 8, sizeof(po_outbox_entry));
    while ((rv = po_next(db, st)) == APR_SUCCESS) {
        po_outbox_entry *e = apr_array_push(*out);
        po_cursor c = { st, sqlite3_column_count(st) - 4 };

        e->row = read_row(st, p);
        e->state = (po_outbox_state)po_read_int(&c);
        e->due = po_read_int(&c);
        e->claimed = (int)po_read_int(&c);
        e->answer = po_read_text(&c, p);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

#define ENTRY_COLUMNS ROW_COLUMNS ", state, due, owner IS NOT NULL, answer"

apr_status_t po_outbox_behind(po_ledger_db *db, const po_outbox_row *row, apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_LANE, "SELECT " ENTRY_COLUMNS " FROM outbox WHERE site = ?1"
                                 " AND request = ?2 AND class = 0 AND state <> 1 AND state <> 3 AND seq > ?3 ORDER BY seq") };

    po_bind_text(&c, row->site);
    po_bind_text(&c, row->request);
    po_bind_int(&c, row->seq);
    return read_entries(db, c.st, p, out);
}

apr_status_t po_outbox_list(po_ledger_db *db, const char *site, int parked, const char *request, apr_pool_t *p,
                            apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_LIST, "SELECT " ENTRY_COLUMNS " FROM outbox WHERE site = ?1"
                                 " AND state <> 1 AND (?2 = 0 OR state = 2) AND (?3 IS NULL OR request = ?3) ORDER BY seq") };

    po_bind_text(&c, site);
    po_bind_int(&c, parked);
    po_bind_text(&c, request);
    return read_entries(db, c.st, p, out);
}

apr_status_t po_outbox_last_event(po_ledger_db *db, const char *site, const char *request, apr_pool_t *p,
                                  const char **key)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_LAST, "SELECT key FROM outbox WHERE site = ?1 AND request = ?2"
                                 " AND class = 0 AND state = 1 ORDER BY seq DESC LIMIT 1") };
    apr_status_t rv;

    *key = NULL;
    po_bind_text(&c, site);
    po_bind_text(&c, request);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    c.at = 0;
    *key = po_read_text(&c, p);
    sqlite3_reset(c.st);
    return APR_SUCCESS;
}

apr_status_t po_outbox_overtaken(po_ledger_db *db, const po_outbox_row *row, int *overtaken)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_LATER, "SELECT 1 FROM outbox WHERE seq > ?3 AND site = ?1"
                                 " AND request = ?2 AND class = 0 AND state = 1 LIMIT 1") };
    apr_status_t rv;

    po_bind_text(&c, row->site);
    po_bind_text(&c, row->request);
    po_bind_int(&c, row->seq);
    rv = po_next(db, c.st);
    *overtaken = rv == APR_SUCCESS;
    sqlite3_reset(c.st);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* ---- looking -------------------------------------------------------------------------------------------------- */

apr_status_t po_outbox_get(po_ledger_db *db, const char *key, apr_pool_t *p, po_outbox_row **out,
                           po_outbox_state *state)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_GET, "SELECT " ROW_COLUMNS ", state FROM outbox WHERE key = ?1") };
    apr_status_t rv;

    *out = NULL;
    po_bind_text(&c, key);
    rv = po_next(db, c.st);
    if (rv != APR_SUCCESS)
        return rv;
    *out = read_row(c.st, p);
    *state = (po_outbox_state)sqlite3_column_int(c.st, sqlite3_column_count(c.st) - 1);
    sqlite3_reset(c.st);
    return APR_SUCCESS;
}

apr_status_t po_outbox_open(po_ledger_db *db, const char *site, const char *request, int *open)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_OPEN, "SELECT 1 FROM outbox WHERE site = ?1 AND request = ?2"
                                 " AND class = 0 AND state <> 1 AND state <> 3 LIMIT 1") };
    apr_status_t rv;

    po_bind_text(&c, site);
    po_bind_text(&c, request);
    rv = po_next(db, c.st);
    *open = rv == APR_SUCCESS;
    if (*open)
        sqlite3_reset(c.st);
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t po_outbox_trouble(po_ledger_db *db, const char *site, const char *request, apr_pool_t *p,
                               const char **text)
{
    po_cursor c = { po_statement(db, PO_SQL_OUTBOX_TROUBLE, "SELECT answer FROM outbox WHERE site = ?1 AND request = ?2"
                                 " AND class = 0 AND state <> 1 AND state >= 2 AND answer IS NOT NULL"
                                 " ORDER BY seq DESC LIMIT 1") };
    apr_status_t rv;

    *text = NULL;
    po_bind_text(&c, site);
    po_bind_text(&c, request);
    rv = po_next(db, c.st);
    if (rv == APR_SUCCESS) {
        c.at = 0;
        *text = po_read_text(&c, p);
        sqlite3_reset(c.st);
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}
