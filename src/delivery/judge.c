/* judge.c - what an answer means for a row of the outbox, and when it is tried again (design.md §7). */
#include "delivery/judge.h"

#define VAIN_CLAIMS 20                  /* claims without any result; then a row is suspected of killing its child */

static po_verdict judge_code(int code)
{
    if (code == 202)
        return PO_VERDICT_ACCEPTED;
    if (code >= 200 && code < 300)
        return PO_VERDICT_DONE;
    if (code == 408 || code == 425 || code == 429 || code >= 500)
        return PO_VERDICT_AGAIN;
    if (code == 409 || code == 410 || code == 422)
        return PO_VERDICT_FAILED;
    return PO_VERDICT_PARKED;           /* also redirects: they are not followed */
}

po_verdict po_judge_event(int rc, int status, int complete, po_backend_life *life)
{
    *life = PO_BACKEND_UNKNOWN;
    if (rc == 500 || rc == 503) {       /* mod_proxy: no usable worker, or nobody to connect to */
        *life = PO_BACKEND_DEAD;
        return PO_VERDICT_AGAIN;
    }
    if (rc < 0)
        return PO_VERDICT_AGAIN;
    /* 502, 504: perhaps sent; 400: our side; else the backend's, by ProxyErrorOverride */
    if (rc > 0)
        return judge_code(rc);
    if (!complete)                      /* mod_proxy says OK and 200 to half an answer too */
        return PO_VERDICT_AGAIN;
    *life = PO_BACKEND_ALIVE;
    return judge_code(status);
}

po_verdict po_judge_mail(int ok, int code, po_backend_life *life)
{
    *life = ok || code >= 400 ? PO_BACKEND_ALIVE : PO_BACKEND_DEAD;
    if (ok)
        return PO_VERDICT_DONE;
    if (code == 421)                    /* the service closes */
        *life = PO_BACKEND_DEAD;
    return code >= 500 ? PO_VERDICT_PARKED : PO_VERDICT_AGAIN;
}

/* The Status of the cXML, unless it contradicts an HTTP error. */
static int refusal_of(int http, int status)
{
    return http < 200 || http > 299 ? status >= 300 ? status : http : status;
}

int po_post_may_be_known(int http, int status)
{
    int code = refusal_of(http, status);

    return code == 409 || code == 417;
}

int po_post_may_have_arrived(int http, int status, int sent)
{
    int code = refusal_of(http, status);

    if (!http)
        return sent;
    return code == 0 || code == 408 || (code >= 500 && code != 503);   /* 503: whoever says that did nothing */
}

static po_verdict judge_refusal(int code, int tries, int doubt)
{
    switch (code) {
    case 409: case 417:                 /* also: he has it already */
        return doubt ? PO_VERDICT_PARKED : PO_VERDICT_FAILED;
    case 400: case 406: case 450:       /* what he will never take */
        return PO_VERDICT_FAILED;
    case 408: case 425: case 429:
        return PO_VERDICT_AGAIN;
    case 500:
        return tries < PO_POST_500_TRIES ? PO_VERDICT_AGAIN : PO_VERDICT_PARKED;
    default:                            /* secret, address, rights; redirects are not followed */
        return code > 500 ? PO_VERDICT_AGAIN : PO_VERDICT_PARKED;
    }
}

po_verdict po_judge_post(int http, int status, int tries, int doubt, po_backend_life *life)
{
    *life = http ? PO_BACKEND_ALIVE : PO_BACKEND_DEAD;
    if (!http)
        return PO_VERDICT_AGAIN;
    if (http < 200 || http > 299)
        return judge_refusal(refusal_of(http, status), tries, doubt);
    if (status >= 200 && status < 300)
        return PO_VERDICT_DONE;
    return status ? judge_refusal(status, tries, doubt) : PO_VERDICT_PARKED;   /* perhaps taken, perhaps another server */
}

apr_interval_time_t po_back_off(apr_interval_time_t first, apr_interval_time_t longest, int tries, apr_uint64_t seed)
{
    apr_interval_time_t pause = first;
    apr_uint64_t mixed = (seed + (apr_uint64_t)tries) * APR_UINT64_C(0x9e3779b97f4a7c15);

    while (--tries > 0 && pause < longest)
        pause *= 2;
    if (pause > longest)
        pause = longest;
    pause += pause / 8 * ((apr_int64_t)(mixed >> 56) - 128) / 128;
    return pause < longest ? pause : longest;
}

int po_claimed_in_vain(int tries, apr_interval_time_t age, apr_interval_time_t first, apr_interval_time_t longest)
{
    apr_interval_time_t pause = first > 0 ? first : 1, at = 0;
    apr_int64_t reported = 1;

    for (; pause < longest && at < age; pause *= 2, reported++)
        at += pause - pause / 8;
    if (at < age) {
        pause = longest > 0 ? longest : 1;
        reported += (age - at) / (pause - pause / 8) + 1;
    }
    return tries > reported + VAIN_CLAIMS;
}
