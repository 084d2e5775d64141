/* bearer.c - bearer tokens that need no table: what they say and an HMAC of it. */
#include "core/core.h"

#include <string.h>

#define VERSION "1"
#define TOKEN_MAX 4096                  /* of a token that is looked at */
#define PARTS 6                         /* version, site, buyer, email, id, expires */

/* purpose and text are signed together; the text begins with the version and holds no purpose. */
static void sign(po_crypto *c, const unsigned char key[PO_DIGEST], const char *purpose, const char *text,
                 unsigned char mac[PO_DIGEST], apr_pool_t *p)
{
    po_hmac(c, key, apr_pstrcat(p, purpose, "\n", text, NULL), mac);
}

const char *po_bearer_make(po_crypto *c, const unsigned char key[PO_DIGEST], const char *purpose, const po_bearer *b,
                           apr_pool_t *p)
{
    const char *text = apr_psprintf(p, VERSION "\n%s\n%s\n%s\n%s\n%" APR_INT64_T_FMT "\n", b->site, b->buyer,
                                    b->email ? b->email : "", b->id, apr_time_sec(b->expires));
    apr_size_t len = strlen(text);
    unsigned char *raw;
    char *out;

    while ((PO_DIGEST + len) % 3) {     /* base64url without padding, RFC 4648 §5 */
        text = apr_pstrcat(p, text, "\n", NULL);
        len++;
    }
    raw = apr_palloc(p, PO_DIGEST + len);
    sign(c, key, purpose, text, raw, p);
    memcpy(raw + PO_DIGEST, text, len);
    out = apr_palloc(p, (PO_DIGEST + len) / 3 * 4 + 1);
    po_base64url(out, raw, PO_DIGEST + len);
    out[(PO_DIGEST + len) / 3 * 4] = '\0';
    return out;
}

/* The text of a token that was signed here for that purpose, else NULL. */
static char *signed_text(po_crypto *c, const unsigned char key[PO_DIGEST], const char *purpose, const char *token,
                         apr_pool_t *p)
{
    apr_size_t len = strlen(token), raw_len = len / 4 * 3;
    unsigned char *raw, mac[PO_DIGEST];

    if (len > TOKEN_MAX || raw_len <= PO_DIGEST)
        return NULL;
    raw = apr_palloc(p, raw_len + 1);
    if (!po_base64url_decode(raw, token, len))
        return NULL;
    raw[raw_len] = '\0';
    if (memchr(raw + PO_DIGEST, '\0', raw_len - PO_DIGEST))
        return NULL;
    sign(c, key, purpose, (char *)raw + PO_DIGEST, mac, p);
    return po_equal(raw, mac, PO_DIGEST) ? (char *)raw + PO_DIGEST : NULL;
}

po_bearer_result po_bearer_read(po_crypto *c, const unsigned char key[PO_DIGEST], const char *purpose, const char *site,
                                const char *token, apr_time_t now, po_bearer *out, apr_pool_t *p)
{
    char *text = signed_text(c, key, purpose, token, p), *part[PARTS];
    int i;

    memset(out, 0, sizeof(*out));
    for (i = 0; text && i < PARTS; i++) {
        char *end = strchr(text, '\n');

        part[i] = text;
        text = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
    }
    if (!text || strcmp(part[0], VERSION))
        return PO_BEARER_FOREIGN;
    out->site = part[1];
    out->buyer = part[2];
    out->email = *part[3] ? part[3] : NULL;
    out->id = part[4];
    out->expires = apr_time_from_sec(apr_atoi64(part[5]));
    if (strcmp(out->site, site))
        return PO_BEARER_SITE;
    return now < out->expires ? PO_BEARER_OK : PO_BEARER_EXPIRED;
}
