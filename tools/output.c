/* output.c - plain, aligned text. */
#include "tools.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 16

/* A terminal must not obey what stands in a document: C0, DEL, and C1 in UTF-8. */
static void print_tame(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    for (; *s; s++) {
        int c1 = s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0;

        putchar(*s < ' ' || *s == 0x7f || c1 ? '?' : *s);
        s += c1;
    }
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
