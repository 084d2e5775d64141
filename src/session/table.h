/* table.h - sessions as chains of blocks in one shared segment (private to the session room: knows neither what a
 * session holds nor httpd).
 *
 * Segment:  struct po_sessions | shard 0 | shard 1 | ...
 * Shard:    struct shard | bucket[] | kind[] | block[] of 64 bytes
 * Session:  one head block (key, id, times, state) and a chain of data blocks. All blocks are alike, so there is no
 *           ratio of slots to data to guess and nothing fragments.
 *
 * Invariants:
 *  - No pointers inside, only block numbers: every process may map the segment elsewhere.
 *  - kind[], the heads and their chains are the truth; buckets, free list and counters follow from it. Whoever changes
 *    a shard holds its lock and has written down its intent before. A process may die at any instruction: the next one
 *    to lock the shard finds the intent and rebuilds what follows.
 *  - Readers take no lock. Whatever they may look at is an atomic word; a sequence number that is odd while something
 *    reachable changes tells them whether what they copied belongs together.
 *  - A live session is never evicted. Expired ones leave in bounded steps when others come.
 *  - Keys are the first bytes of SHA-256 over random tokens: evenly spread, and nobody outside can choose one, so they
 *    are their own hash. A token's shard travels with it, so that a swap of token and cookie stays in one shard.
 */
#ifndef PO_SESSION_TABLE_H
#define PO_SESSION_TABLE_H

#include "session/session.h"
#include <stdint.h>

/* Raise it when the layout here or the order of the fields in session.c changes: a kept segment of another number is
 * refused. */
#define PO_TABLE_LAYOUT 3u
#define PO_TABLE_SHARDS 64u

typedef struct {
    uint32_t word[4];
} po_table_key;

typedef struct {
    unsigned shard;                     /* below PO_TABLE_SHARDS */
    po_table_key key;
} po_table_ref;

typedef struct {
    char id[PO_TOKEN_TEXT];             /* no NUL; never changes */
    uint32_t created;                   /* seconds */
    const void *data;
    uint32_t len;                       /* at most PO_SESSION_DATA_MAX */
    int yields;                         /* inserted only while half of its shard stays free for others */
} po_table_entry;

/* Where po_table_find() shall put len bytes; NULL: there is no room. */
typedef void *po_table_room(void *baton, apr_size_t len);

/* Times are seconds. APR_NOTFOUND: no such key, expired, or in the other state. APR_ENOSPC: no room, even after a
 * sweep. APR_EGENERAL: the shard's lock is broken. */

/* A session that waits for its start token. */
apr_status_t po_table_insert(po_sessions *t, const po_table_ref *at, const po_table_entry *e, uint32_t now);
/* An open session, copied once. Marks the use. */
apr_status_t po_table_find(po_sessions *t, const po_table_ref *at, uint32_t now, po_table_entry *e,
                           po_table_room *room, void *baton);
/* Opens a waiting session under another key; exactly one caller wins. A caller that dies meanwhile leaves the token
 * unspent, since nobody has seen the cookie. */
apr_status_t po_table_start(po_sessions *t, const po_table_ref *token, const po_table_key *cookie, uint32_t now);
/* Gives an open session other data. A caller that dies meanwhile leaves the old or the new data, whole. */
apr_status_t po_table_replace(po_sessions *t, const po_table_ref *at, const void *data, uint32_t len, uint32_t now);
/* In either state. */
apr_status_t po_table_remove(po_sessions *t, const po_table_ref *at);
/* Counts an insert that found no room in any shard it tried. */
void po_table_refused(po_sessions *t);

/* Tests set po_table_fault and die in it: the points where a writer's death matters. */
enum {
    PO_FAULT_INSERT = 1,                /* intent written */
    PO_FAULT_INSERT_HEAD,               /* head block taken */
    PO_FAULT_BUILD_DATA,                /* after each data block, of insert and replace */
    PO_FAULT_INSERT_EXISTS,             /* head valid, in no bucket */
    PO_FAULT_INSERT_LINKED,
    PO_FAULT_INSERT_DONE,               /* intent cleared, lock held */
    PO_FAULT_DROP_GONE,                 /* head invalid, still in its bucket */
    PO_FAULT_DROP_DATA,                 /* after each data block */
    PO_FAULT_START,                     /* intent written */
    PO_FAULT_START_UNLINKED,
    PO_FAULT_START_KEY,                 /* half of the key written */
    PO_FAULT_START_LINKED,
    PO_FAULT_START_DONE,                /* intent cleared, lock held */
    PO_FAULT_REPLACE_BUILT,             /* new chain ready, nothing switched */
    PO_FAULT_REPLACE,                   /* intent written */
    PO_FAULT_REPLACE_CHAIN,             /* chain switched, length not */
    PO_FAULT_REPLACE_DATA,              /* after each old data block */
    PO_FAULT_REPLACE_DONE,              /* intent cleared, lock held */
    PO_FAULT_REPAIR,                    /* a repair that is cut itself */
    PO_FAULT_END
};
extern void (*po_table_fault)(int at);

#endif
