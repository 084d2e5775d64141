/* output.c - plain, aligned text. */
#include "tools.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 16

/* The length of the character at s; *fit: a terminal shows it, and doesn't obey it. Not fit are C0, DEL and C1, what turns
 * the direction of writing, and bytes that are no UTF-8. */
static int look_at(const unsigned char *s, int *fit)
{
    int n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0, i;
    unsigned c = n == 1 ? *s : *s & (0x7fu >> n);

    for (i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            n = 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000))
        n = 0;
    *fit = n && c >= ' ' && (c < 0x7f || c >= 0xa0) && (c < 0x2028 || c > 0x202e) && (c < 0x2066 || c > 0x2069);
    return n ? n : 1;
}

static void print_tame(const char *text)
{
    const unsigned char *s;
    int n, fit;

    for (s = (const unsigned char *)text; *s; s += n) {
        n = look_at(s, &fit);
        if (fit)
            fwrite(s, 1, (size_t)n, stdout);
        else
            putchar('?');
    }
}

const char *po_shown_url(const char *url, apr_pool_t *p)
{
    const char *colon = *url == '/' ? NULL : strchr(url, ':'), *host = colon ? colon + 1 : url, *at;
    const char *rest = url[strcspn(url, "?#")] ? "?..." : "";
    apr_size_t len;

    host += strspn(host, "/\\");
    len = strcspn(host, "/\\?#");
    at = colon ? memrchr(host, '@', len) : NULL;
    return apr_pstrcat(p, apr_pstrmemdup(p, url, (apr_size_t)(host - url)), at ? "********" : "",
                       apr_pstrmemdup(p, at ? at : host, strcspn(at ? at : host, "?#")), rest, NULL);
}

void po_say(const char *label, const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    printf("%-*s", LABEL_WIDTH, label);
    print_tame(text ? text : "(out of memory)");
    putchar('\n');
    free(text);
}

void po_print(const char *text)
{
    print_tame(text);
    putchar('\n');
}

int po_trouble(const char *format, ...)
{
    va_list args;

    fputs("punchoutctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return PO_EXIT_TROUBLE;
}
