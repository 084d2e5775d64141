/* timestamp.c - when a document says that it was written. */
#include "tools.h"

#include "apr_lib.h"
#include <string.h>

/* Each 'd' of the form is a digit, other characters are themselves. */
static int has_form(const char *text, const char *form)
{
    for (; *form && *text; form++, text++)
        if (*form == 'd' ? !apr_isdigit(*text) : *form != *text)
            return 0;
    return !*form;
}

static int two(const char *s)
{
    return (s[0] - '0') * 10 + (s[1] - '0');
}

apr_status_t po_time_parse(const char *text, apr_time_t *out)
{
    apr_time_exp_t e;
    const char *zone;

    if (!has_form(text, "dddd-dd-ddTdd:dd:dd"))
        return APR_EINVAL;
    zone = text + 19;
    if (*zone == '.')
        zone += 1 + strspn(zone + 1, "0123456789");
    if ((*zone != '+' && *zone != '-') || !has_form(zone + 1, "dd:dd") || zone[6])
        return APR_EINVAL;
    memset(&e, 0, sizeof(e));
    e.tm_year = two(text) * 100 + two(text + 2) - 1900;
    e.tm_mon = two(text + 5) - 1;
    e.tm_mday = two(text + 8);
    e.tm_hour = two(text + 11);
    e.tm_min = two(text + 14);
    e.tm_sec = two(text + 17);
    e.tm_gmtoff = (two(zone + 1) * 3600 + two(zone + 4) * 60) * (*zone == '-' ? -1 : 1);
    return apr_time_exp_gmt_get(out, &e);
}

const char *po_timestamp_odd(const char *text)
{
    apr_time_t ignored;
    apr_size_t len = text ? strlen(text) : 0;

    if (!len)
        return "there is none";
    if (po_time_parse(text, &ignored) == APR_SUCCESS)
        return NULL;
    if (!has_form(text, "dddd-dd-dd"))
        return "not ISO 8601";
    if (text[10] == ' ')
        return "a blank instead of T";
    if (text[len - 1] == 'Z')
        return "ends with Z where cXML wants a numeric offset";
    if (len > 5 && (text[len - 5] == '+' || text[len - 5] == '-'))
        return "an offset without a colon";
    return "no offset from UTC";
}
