/* address.c - mail addresses as people and other systems write them. */
#include "core/core.h"

#include <string.h>

#define ADDRESS_BYTES 254               /* RFC 5321 §4.5.3.1.3, without the angle brackets */

int po_mail_address_valid(const char *text)
{
    const char *c, *at = text ? strchr(text, '@') : NULL;

    if (!at || at == text || !at[1] || strchr(at + 1, '@') || strlen(text) > ADDRESS_BYTES)
        return 0;
    for (c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~' || strchr("<>()[]:;,\\\"", *c))
            return 0;
    return 1;
}
