/* profiles.c - what procurement systems want, one row each; every value can be overridden in <PunchOutBuyer>. */
#include "core/core.h"

#include <string.h>

/* docs/directives.md ("Profiles") says of each value whether its vendor documents it. Where a vendor publishes nothing
 * the row holds the strictest value that all accept. */
#define INVOICE PO_POST_INVOICE
#define BOTH (PO_POST_CONFIRMATION | PO_POST_INVOICE)
static const po_profile profiles[] = {
    /* name       DTD        cart field           b64 ascii part desc short dec forbidden http elsewhere post DTD   documents */
    { "generic", "1.2.014", "cxml-base64",        1,  0,    100, 255, 50,   8, "?{}",     503, 1, "1.2.020", BOTH },
    { "coupa",   "1.2.014", "cxml-urlencoded",    0,  1,    100, 255, 50,   8, "?{}",     503, 1, "1.2.020", INVOICE },
    { "ariba",   "1.2.050", "cxml-base64",        1,  0,    100, 255, 50,   8, "?{}",     200, 0, "1.2.050", BOTH },
    { "jaggaer", "1.2.014", "cxml-urlencoded",    0,  1,    100, 254, 50,   4, "?{}",     503, 1, "1.2.020", BOTH },
    { "oracle",  "1.1.010", "cxml-urlencoded",    0,  1,    100, 240, 50,   8, "?{}",     503, 1, "1.2.020", INVOICE },
    { "workday", "1.2.014", "cxml-base64",        1,  0,    100, 255, 50,   6, "?{}",     503, 1, "1.2.020", INVOICE },
    { "d365",    "1.2.014", "cxml-urlencoded",    0,  1,    100, 255, 50,   6, "?{}",     503, 1, "1.2.020", 0 }
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const po_profile *po_profile_find(const char *name)
{
    apr_size_t i;

    for (i = 0; i < PROFILES; i++)
        if (!strcasecmp(profiles[i].name, name))
            return &profiles[i];
    return NULL;
}

const char *po_profile_names(apr_pool_t *p)
{
    const char *names = profiles[0].name;
    apr_size_t i;

    for (i = 1; i < PROFILES; i++)
        names = apr_pstrcat(p, names, ", ", profiles[i].name, NULL);
    return names;
}

const char *po_unit_for(const po_buyer *b, const char *unit)
{
    const char *theirs = b->units ? apr_table_get(b->units, unit) : NULL;

    return theirs ? theirs : unit;
}

const char *po_utf8_cut(const char *text, int limit, apr_pool_t *p)
{
    apr_size_t len = strlen(text), end = (apr_size_t)limit;

    if (limit <= 0 || len <= end)
        return text;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;                          /* text[end] is the first byte left out: not in the middle of a character */
    return apr_pstrmemdup(p, text, end);
}
