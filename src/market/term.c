/* term.c - ISO 8601 durations and units of measure, in the words of the people who read a requisition. */
#include "market/market_private.h"

#include <string.h>

#define COUNT_DIGITS 5                  /* of one number in a term: 99999 days are 273 years */

static const struct { char letter; const char *one, *many; } periods[] = {
    { 'Y', "year", "years" }, { 'M', "month", "months" }, { 'W', "week", "weeks" }, { 'D', "day", "days" },
    { 'H', "hour", "hours" }, { 'M', "minute", "minutes" }, { 'S', "second", "seconds" } };
#define DATES 4                         /* the rest stands behind a 'T' */
#define PERIODS 7

/* The whole number at *s, moved on behind it; -1 when there is none. */
static int read_number(const char **s)
{
    int number = 0, digits = 0;

    for (; **s >= '0' && **s <= '9' && digits < COUNT_DIGITS; digits++)
        number = number * 10 + (*(*s)++ - '0');
    return digits ? number : -1;
}

/* The term in words; without p it is only checked, and the words stay empty. NULL: no duration. */
static const char *walk(const char *s, apr_pool_t *p)
{
    const char *words = "";
    int from = 0, to = DATES, sum = 0;

    if (*s++ != 'P')
        return NULL;
    while (*s) {
        int number;

        if (*s == 'T' && to == DATES && s[1]) {
            s++;
            from = DATES;
            to = PERIODS;
        }
        number = read_number(&s);
        while (from < to && periods[from].letter != *s)
            from++;
        if (number < 0 || from == to)
            return NULL;
        sum += number;
        if (p && number)
            words = apr_psprintf(p, "%s%s%d %s", words, *words ? " " : "", number,
                                 number == 1 ? periods[from].one : periods[from].many);
        from++;
        s++;
    }
    return sum ? words : NULL;
}

int po_term_valid(const char *text)
{
    return walk(text, NULL) != NULL;
}

const char *po_term_text(const char *text, apr_pool_t *p)
{
    const char *words = walk(text, p);

    return words ? words : text;
}

const char *po_unit_text(const char *unit)
{
    static const char *const words[][2] = {
        { "EA", "unit" }, { "C62", "unit" }, { "H87", "piece" }, { "IE", "person" }, { "MIN", "minute" },
        { "HUR", "hour" }, { "DAY", "day" }, { "WEE", "week" }, { "MON", "month" }, { "ANN", "year" },
        { "4L", "MB" }, { "E34", "GB" }, { "E35", "TB" }, { "MIL", "thousand" } };
    apr_size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(words[i][0], unit))
            return words[i][1];
    return unit;
}
