/* setup.c - what a PunchOutSetupRequest asks for, and whether it may have it. */
#include "market/market.h"

#include <string.h>

void po_setup_judge(const po_cxml_setup *setup, const po_buyer *buyer, const apr_array_header_t *known, apr_time_t now,
                    po_setup_verdict *out, apr_pool_t *p)
{
    const char *wrong;

    memset(out, 0, sizeof(*out));
    out->status = 200;
    if (strcmp(setup->operation, "create")) {
        out->status = 450;
        out->why = apr_pstrcat(p, "operation \"", setup->operation, "\" is not supported, only \"create\" is", NULL);
    }
    else if ((wrong = po_return_url_refused(buyer, setup->return_url, p))) {
        out->status = 403;
        out->why = apr_pstrcat(p, "the BrowserFormPost URL is not allowed: ", wrong, NULL);
    }
}
