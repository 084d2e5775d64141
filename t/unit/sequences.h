/* sequences.h - a marketplace in small, driven through random steps, and the properties that hold after each of them.
 *
 * A sequence is a world (one buyer, up to four requests, purchase orders, a fulfillment backend) and a list of steps. Each
 * step draws from numbers of its own, made of seed, sequence and place: a sequence can be run again, with a trace, and with
 * steps left out. What the rules decide goes through a store: structs alone, or the ledger.
 */
#ifndef PO_SEQUENCES_H
#define PO_SEQUENCES_H

#include "ledger/ledger.h"

#define SEQUENCE_REQUESTS 5
#define SEQUENCE_CHARGES 4
#define SEQUENCE_EVENTS 24
#define SEQUENCE_STEPS 16
#define SEQUENCE_USAGE 1u               /* the approvals of a request: of usage, and of the rest */
#define SEQUENCE_CONTRACT 2u
#define SEQUENCE_REFUSAL "sold out"     /* why the backend refuses */
#define SEQUENCE_DOCUMENTS SEQUENCE_STEPS

typedef struct {
    po_order_outcome what;
    int test;                           /* went to the sandbox */
    int done;                           /* the backend's final answer, or none is awaited any more */
    int accepted;                       /* answered 202 */
    int given_up;                       /* nobody gets it: dropped, or behind one that was dropped or refused */
    unsigned approved;                  /* the approvals (SEQUENCE_*) that it tells of */
} sequence_event;

typedef struct {                        /* a request, and what is remembered of it */
    po_request *r;                      /* set anew by stores that read it back */
    po_request before;                  /* as it was before the step, with before.charges */
    po_charge charges_before[SEQUENCE_CHARGES];
    int is_new;                         /* made in this step */
    int decided;                        /* by the operator, in this step */
    int dropped;                        /* an event of it was, in this step */
    int goes_on;                        /* the operator has released it, maybe without one of its approvals */
    sequence_event events[SEQUENCE_EVENTS];
    int nevents;
    int approvals, cancellations;       /* how often the backend (or the test mode in its place) was told so */
    unsigned approved;                  /* the approvals that it was told of */
    int order_test[SEQUENCE_CHARGES];   /* mode of the document that ordered the charge */
    /* what the backend knows */
    int told_in[SEQUENCE_CHARGES];
    po_decimal told_quantity[SEQUENCE_CHARGES];
} sequence_request;

typedef struct {                        /* an OrderRequest that was answered 200 and is kept */
    const po_cxml_order *order;
    const char *payload_id, *version;
    char digest[2 * PO_DIGEST + 1];
    int test, held, awaits_release;
    int status;
    const char *detail;
    unsigned matched;                   /* bits of the requests that its lines were matched to */
} sequence_document;

typedef struct sequence_world sequence_world;

typedef struct {                        /* where requests and orders are kept */
    /* Keeps a new request; a pre-approved one is told to the backend. */
    void (*add)(sequence_world *w, sequence_request *s);
    void (*judge)(sequence_world *w, const po_order_case *c, po_order_verdict *out);
    /* Writes what was judged, and tells the backend. */
    void (*keep)(sequence_world *w, const po_order_case *c, po_order_verdict *v, sequence_document *d);
    /* The request was changed by hand: an edit replaced it, its subscription ended, the operator decided. */
    void (*change)(sequence_world *w, sequence_request *s, po_order_outcome outcome);
    void (*settle)(sequence_world *w, sequence_request *s, int event, int failed);
    void (*accept)(sequence_world *w, sequence_request *s, int event);
    /* The operator gives an event up; *rest: and those behind it. */
    void (*drop)(sequence_world *w, sequence_request *s, int event, po_order_outcome behind, int *rest);
    void (*expire)(sequence_world *w, apr_time_t deadline);
    /* Reads all requests back, and compares what else is kept; may be NULL. */
    void (*reload)(sequence_world *w);
} sequence_store;

struct sequence_world {
    apr_pool_t *p;
    apr_uint64_t random;                /* state of the current step's generator */
    const sequence_store *store;
    void *baton;                        /* of the store */
    po_crypto *crypto;
    po_buyer buyer;
    po_site site;
    apr_time_t now;
    sequence_request requests[SEQUENCE_REQUESTS];
    int nrequests;
    sequence_document documents[SEQUENCE_DOCUMENTS];
    int ndocuments, payloads;
    const sequence_document *taken;     /* the document that this step has kept; NULL: none */
    int unchanged;                      /* this step must have changed nothing */
    int hand;                           /* a person, the clock or the backend acted, no document */
    const char *wrong;                  /* the first property that does not hold; NULL: all do */
    int tracing;
    apr_array_header_t *trace;          /* const char *; one line for each step */
    unsigned long *counts;              /* how often what happened (SEQUENCE_COUNTS); NULL: not counted */
};

/* What a run has to have reached, or it shows nothing. */
typedef enum {
    COUNT_STEPS, COUNT_REQUESTS, COUNT_REFUSED_FORMS, COUNT_PREAPPROVED, COUNT_EDITS, COUNT_TAKEN, COUNT_HELD, COUNT_REFUSED,
    COUNT_AGAIN, COUNT_UPDATES, COUNT_DELETES, COUNT_APPROVED, COUNT_CHANGED, COUNT_CANCELLED, COUNT_TESTED, COUNT_FAILED,
    COUNT_LATE, COUNT_EXPIRED, COUNT_ENDED, COUNT_RELEASED, COUNT_OPERATOR_REFUSED,
    COUNT_CONTINUED, COUNT_WITHDRAWN, COUNT_APPROVED_APART, COUNT_HALF_EXPIRED, COUNT_DROPPED, COUNT_GIVEN_UP, SEQUENCE_COUNTS
} sequence_count;
extern const char *const po_sequence_count_names[SEQUENCE_COUNTS];

/* ---- sequence_world.c ----------------------------------------------------------------------------------------- */

void po_sequence_seed(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, apr_uint64_t step);
/* 0 ... n - 1. */
int po_sequence_random(sequence_world *w, int n);
/* 1 in so many of a hundred. */
int po_sequence_chance(sequence_world *w, int percent);
void po_sequence_count(sequence_world *w, sequence_count what);
/* Appends to the trace's last line. */
void po_sequence_say(sequence_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Notes the first property that does not hold. */
void po_sequence_wrong(sequence_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A new world: buyer and site. w->p, store, baton, crypto, counts are set. */
void po_sequence_world_init(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence);
sequence_request *po_sequence_find(sequence_world *w, const char *id);
unsigned po_sequence_approval_of(const po_charge *c);
/* The backend is told of an outcome (delivery's part): remembers the event, and checks that it may be told. */
void po_sequence_tell(sequence_world *w, sequence_request *s, po_order_outcome outcome);
/* Structs alone. */
extern const sequence_store po_sequence_structs;

/* ---- sequence_steps.c ----------------------------------------------------------------------------------------- */

/* One random step, of which w->trace gets a line. */
void po_sequence_step(sequence_world *w);

/* ---- sequence_checks.c ---------------------------------------------------------------------------------------- */

void po_sequence_remember(sequence_world *w);
/* All properties, after a step. */
void po_sequence_check(sequence_world *w);
/* What differs between two states of a request; NULL: nothing. */
const char *po_sequence_difference(const po_request *a, const po_request *b, apr_pool_t *p);

/* ---- sequence_run.c ------------------------------------------------------------------------------------------- */

typedef void sequence_run_fn(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, const char *steps);

/* Runs sequences (environment: SEED, SEQUENCES; else 1 and `sequences`), and fails with the shortest form of the first that
 * breaks a property. prepare: a world with all but buyer, site and time; run: all steps that steps[] names. */
void po_sequences_run(int sequences, void (*prepare)(sequence_world *w, apr_pool_t *p), sequence_run_fn *run);
/* The usual run: one world. */
void po_sequence_run_one(sequence_world *w, apr_uint64_t seed, apr_uint64_t sequence, const char *steps);

#endif
