/* timestamp.c - points in time as cXML writes them, and as procurement systems do. */
#include "core/core.h"

#include "apr_lib.h"
#include <string.h>

static char *digits(char *o, int value, int width)
{
    int i;

    for (i = width - 1; i >= 0; i--, value /= 10)
        o[i] = (char)('0' + value % 10);
    return o + width;
}

const char *po_timestamp(apr_time_t t, char out[PO_TIMESTAMP])
{
    apr_time_exp_t e;
    char *o = out;

    apr_time_exp_gmt(&e, t);
    o = digits(o, e.tm_year + 1900, 4);
    *o++ = '-';
    o = digits(o, e.tm_mon + 1, 2);
    *o++ = '-';
    o = digits(o, e.tm_mday, 2);
    *o++ = 'T';
    o = digits(o, e.tm_hour, 2);
    *o++ = ':';
    o = digits(o, e.tm_min, 2);
    *o++ = ':';
    o = digits(o, e.tm_sec, 2);
    memcpy(o, "+00:00", 7);
    return out;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* A number of exactly width digits at *s, which moves behind it; -1: there is none. */
static int number(const char **s, int width)
{
    int n = 0;

    for (; width; width--, (*s)++) {
        if (!apr_isdigit(**s))
            return -1;
        n = n * 10 + (**s - '0');
    }
    return n;
}

static int skip(const char **s, char c)
{
    if (**s != c)
        return 0;
    (*s)++;
    return 1;
}

static int days_of(int year, int month)
{
    static const signed char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month] + (month == 1 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)));
}

static int read_clock(const char **s, apr_time_exp_t *e)
{
    e->tm_hour = number(s, 2);
    if (!skip(s, ':'))
        return 0;
    e->tm_min = number(s, 2);
    if (!skip(s, ':'))
        return 0;
    e->tm_sec = number(s, 2);
    return e->tm_hour >= 0 && e->tm_hour < 24 && e->tm_min >= 0 && e->tm_min < 60 && e->tm_sec >= 0 && e->tm_sec <= 60;
}

/* ".123": digits beyond microseconds are read and dropped. */
static int read_fraction(const char **s, apr_time_exp_t *e)
{
    int unit = APR_USEC_PER_SEC / 10;

    if (**s != '.' && **s != ',')
        return 1;
    (*s)++;
    if (!apr_isdigit(**s))
        return 0;
    for (; apr_isdigit(**s); (*s)++, unit /= 10)
        e->tm_usec += (**s - '0') * unit;
    return 1;
}

/* "+02:00", "-0500", "Z"; nothing means UTC. */
static int read_offset(const char **s, apr_time_exp_t *e)
{
    int sign = **s == '-' ? -1 : 1, hours, minutes;

    if (skip(s, 'Z') || skip(s, 'z') || !**s || apr_isspace(**s))
        return 1;
    if (!skip(s, '+') && !skip(s, '-'))
        return 0;
    hours = number(s, 2);
    skip(s, ':');
    minutes = number(s, 2);
    e->tm_gmtoff = sign * (hours * 3600 + minutes * 60);
    return hours >= 0 && hours <= 14 && minutes >= 0 && minutes < 60;
}

static int read_iso(const char **s, apr_time_exp_t *e)
{
    e->tm_year = number(s, 4);
    if (e->tm_year < 0 || !skip(s, '-'))
        return 0;
    e->tm_mon = number(s, 2) - 1;
    if (!skip(s, '-'))
        return 0;
    e->tm_mday = number(s, 2);
    if (!skip(s, 'T') && !skip(s, 't') && !skip(s, ' '))
        return 0;
    return read_clock(s, e) && read_fraction(s, e) && read_offset(s, e);
}

static int name_at(const char **s, const char names[][4], int count)
{
    int i;

    for (i = 0; i < count; i++)
        if (!strncasecmp(*s, names[i], 3)) {
            *s += 3;
            return i;
        }
    return -1;
}

/* "Mon May 19 18:29:48 +0000 2008" */
static int read_mail_form(const char **s, apr_time_exp_t *e)
{
    if (name_at(s, apr_day_snames, 7) < 0 || !skip(s, ' '))
        return 0;
    e->tm_mon = name_at(s, apr_month_snames, 12);
    if (e->tm_mon < 0 || !skip(s, ' '))
        return 0;
    skip(s, ' ');
    e->tm_mday = number(s, apr_isdigit((*s)[0]) && apr_isdigit((*s)[1]) ? 2 : 1);
    if (!skip(s, ' ') || !read_clock(s, e) || !skip(s, ' ') || !read_offset(s, e) || !skip(s, ' '))
        return 0;
    e->tm_year = number(s, 4);
    return e->tm_year >= 0;
}

apr_status_t po_timestamp_parse(const char *text, apr_time_t *out)
{
    const char *s = text ? text : "";
    apr_time_exp_t e = { 0 };

    while (apr_isspace(*s))
        s++;
    if (!(apr_isdigit(*s) ? read_iso(&s, &e) : read_mail_form(&s, &e)))
        return APR_EINVAL;
    while (apr_isspace(*s))
        s++;
    if (*s || e.tm_mon < 0 || e.tm_mon > 11 || e.tm_mday < 1 || e.tm_mday > days_of(e.tm_year, e.tm_mon))
        return APR_EINVAL;
    e.tm_year -= 1900;
    return apr_time_exp_gmt_get(out, &e) == APR_SUCCESS ? APR_SUCCESS : APR_EINVAL;
}
