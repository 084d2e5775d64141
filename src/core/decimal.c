/* decimal.c - exact decimals for money and quantities. */
#include "core/core.h"

#include <string.h>

#define DIGITS_MAX 18

static int blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static __int128 power10(int n)
{
    __int128 v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

/* The digits of [s, end) appended to *v; how many there were, or -1 for any other character. */
static int read_digits(const char *s, const char *end, __int128 *v)
{
    const char *from = s;

    for (; s < end; s++) {
        if (*s < '0' || *s > '9')
            return -1;
        *v = *v * 10 + (*s - '0');
    }
    return (int)(s - from);
}

apr_status_t po_decimal_parse(po_decimal *d, const char *text, apr_ssize_t len)
{
    const char *s = text, *end, *point;
    __int128 v = 0;
    int negative = 0, whole, decimals = 0;

    if (!text)
        return APR_EINVAL;
    end = s + (len < 0 ? (apr_ssize_t)strlen(text) : len);
    while (s < end && blank(*s))
        s++;
    while (end > s && blank(end[-1]))
        end--;
    if (s < end && *s == '-') {
        negative = 1;
        s++;
    }
    while (end - s > 1 && s[0] == '0' && s[1] != '.')
        s++;                            /* leading zeros don't count as digits */
    point = memchr(s, '.', (size_t)(end - s));
    if (point && end - point > 1) {
        while (end[-1] == '0')
            end--;
        if (end - point == 1)           /* nothing but zeros: a whole number */
            point = NULL, end--;
    }
    if (end - s - (point != NULL) > DIGITS_MAX)
        return APR_EINVAL;
    whole = read_digits(s, point ? point : end, &v);
    if (point)
        decimals = read_digits(point + 1, end, &v);
    if (whole < 1 || (point && decimals < 1) || decimals > PO_DECIMAL_SCALE_MAX)
        return APR_EINVAL;
    d->value = negative ? -v : v;
    d->scale = decimals;
    return APR_SUCCESS;
}

const char *po_decimal_text(const po_decimal *d, int min_decimals, char out[PO_DECIMAL_TEXT])
{
    char digits[PO_DECIMAL_TEXT], *o = out;
    unsigned __int128 v = d->value < 0 ? -(unsigned __int128)d->value : (unsigned __int128)d->value;
    int scale = d->scale, n = 0;

    for (; scale > min_decimals && v % 10 == 0; scale--)
        v /= 10;
    for (; scale < min_decimals && n < min_decimals - scale; n++)
        digits[n] = '0';
    if (min_decimals > scale)
        scale = min_decimals;
    for (; v || n <= scale; v /= 10)
        digits[n++] = (char)('0' + (int)(v % 10));
    if (d->value < 0)
        *o++ = '-';
    while (n > 0) {
        *o++ = digits[--n];
        if (n == scale && n > 0)
            *o++ = '.';
    }
    *o = '\0';
    return out;
}

/* Both on the larger scale. Fails when that overflows. */
static apr_status_t align(const po_decimal *a, const po_decimal *b, __int128 *x, __int128 *y, int *scale)
{
    *scale = a->scale > b->scale ? a->scale : b->scale;
    if (__builtin_mul_overflow(a->value, power10(*scale - a->scale), x)
        || __builtin_mul_overflow(b->value, power10(*scale - b->scale), y))
        return APR_EGENERAL;
    return APR_SUCCESS;
}

int po_decimal_compare(const po_decimal *a, const po_decimal *b)
{
    __int128 x, y;
    int scale;

    if (align(a, b, &x, &y, &scale) != APR_SUCCESS) {
        /* only the one with the smaller scale can overflow: it is the larger by far */
        const po_decimal *big = a->scale < b->scale ? a : b;
        int sign = big->value < 0 ? -1 : 1;
        return big == a ? sign : -sign;
    }
    return x < y ? -1 : x > y;
}

int po_decimal_is_zero(const po_decimal *d)
{
    return d->value == 0;
}

int po_decimal_decimals(const po_decimal *d)
{
    __int128 v = d->value;
    int scale = d->scale;

    for (; scale > 0 && v % 10 == 0; scale--)
        v /= 10;
    return scale;
}

apr_status_t po_decimal_add(po_decimal *out, const po_decimal *a, const po_decimal *b)
{
    __int128 x, y, sum;
    int scale;

    if (align(a, b, &x, &y, &scale) != APR_SUCCESS || __builtin_add_overflow(x, y, &sum))
        return APR_EGENERAL;
    out->value = sum;
    out->scale = scale;
    return APR_SUCCESS;
}

apr_status_t po_decimal_multiply(po_decimal *out, const po_decimal *a, const po_decimal *b)
{
    __int128 product;

    if (__builtin_mul_overflow(a->value, b->value, &product))
        return APR_EGENERAL;
    out->value = product;
    out->scale = a->scale + b->scale;
    return APR_SUCCESS;
}

apr_status_t po_decimal_divide_up(po_decimal *out, const po_decimal *amount, const po_decimal *unit)
{
    __int128 x, y;
    int scale;

    if (unit->value <= 0 || amount->value < 0)
        return APR_EINVAL;
    if (align(amount, unit, &x, &y, &scale) != APR_SUCCESS)
        return APR_EGENERAL;
    out->value = x / y + (x % y != 0);
    out->scale = 0;
    return APR_SUCCESS;
}

apr_status_t po_decimal_divide_exact(po_decimal *out, const po_decimal *a, const po_decimal *b)
{
    __int128 x, y;
    int scale;

    if (b->value == 0)
        return APR_EINVAL;
    if (align(a, b, &x, &y, &scale) != APR_SUCCESS)
        return APR_EGENERAL;
    for (scale = 0; x % y != 0; scale++)
        if (scale == PO_DECIMAL_SCALE_MAX || __builtin_mul_overflow(x, 10, &x))
            return APR_EINVAL;
    out->value = x / y;
    out->scale = scale;
    return APR_SUCCESS;
}

int po_currency_valid(const char *text)
{
    int i;

    for (i = 0; text && i < 3; i++)
        if (text[i] < 'A' || text[i] > 'Z')
            return 0;
    return text && text[3] == '\0';
}
