/* timestamp.c - what is unusual about the time at which a document says that it was written. */
#include "tools.h"

#include "apr_lib.h"
#include <string.h>

/* Each 'd' of the form is a digit, other characters are themselves. Its length; 0: text begins otherwise. */
static apr_size_t form(const char *text, const char *wanted)
{
    apr_size_t n;

    for (n = 0; wanted[n]; n++)
        if (wanted[n] == 'd' ? !apr_isdigit(text[n]) : text[n] != wanted[n])
            return 0;
    return n;
}

const char *po_timestamp_odd(const char *text)
{
    apr_time_t ignored;

    if (!text || !*text)
        return "there is none";
    if (po_timestamp_parse(text, &ignored) != APR_SUCCESS)
        return "not a time that can be read";
    if (!form(text, "dddd-dd-dd"))
        return "not ISO 8601";
    if (!form(text, "dddd-dd-ddTdd:dd:dd"))
        return "no T between date and time";
    text += strlen("2026-11-23T10:15:00");
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (*text == 'Z')
        return "Z where cXML wants a numeric offset";
    if (*text != '+' && *text != '-')
        return "no offset from UTC";
    return form(text + 1, "dd:dd") ? NULL : "an offset without a colon";
}
