/* judge.h - what an answer means for a row of the outbox, and when it is tried again. Pure: no httpd, tested alone. */
#ifndef PO_JUDGE_H
#define PO_JUDGE_H

#include "core/core.h"

typedef enum {
    PO_VERDICT_DONE,
    PO_VERDICT_ACCEPTED,                /* 202: the callback will say */
    PO_VERDICT_AGAIN,
    PO_VERDICT_FAILED,                  /* final: the backend will never take it */
    PO_VERDICT_PARKED                   /* nothing is refused, but a person must mend something first */
} po_verdict;

typedef enum { PO_BACKEND_DEAD, PO_BACKEND_UNKNOWN, PO_BACKEND_ALIVE } po_backend_life;

/* rc is what ap_invoke_handler() gave (0 is OK), status the backend's answer, complete: it was read to its end. */
po_verdict po_judge_event(int rc, int status, int complete, po_backend_life *life);
/* ok: the server took the message. code: its last SMTP reply; 0: it could not be reached or said nothing. */
po_verdict po_judge_mail(int ok, int code, po_backend_life *life);

#define PO_POST_500_TRIES 10            /* some systems say 500 to what they will never take */
/* A document to the buyer. http: the HTTP status; 0: he could not be reached or said nothing. status: of the cXML
 * Response; 0: there was none. tries: this one included. doubt: an earlier try may have arrived, so that 409 and 417 may
 * mean this very document ("invoice number already used"). */
po_verdict po_judge_post(int http, int status, int tries, int doubt, po_backend_life *life);
/* 1: after such an answer, which was no delivery, he may have the document nevertheless. sent: anything went out. */
int po_post_may_have_arrived(int http, int status, int sent);
/* 1: what he says is also what a system says that has the document already. */
int po_post_may_be_known(int http, int status);

/* The pause after that many tries: first, doubled, at most longest, an eighth more or less by seed, so that rows that
 * failed together do not come back together. */
apr_interval_time_t po_back_off(apr_interval_time_t first, apr_interval_time_t longest, int tries, apr_uint64_t seed);
/* 1: the row was claimed so often within its age that the pauses can't explain it: its child dies before it can
 * report. */
int po_claimed_in_vain(int tries, apr_interval_time_t age, apr_interval_time_t first, apr_interval_time_t longest);

#endif
