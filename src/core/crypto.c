/* crypto.c - digests, random bytes, ids and tokens. */
#include "core/core.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define STOCK 1024                      /* one getrandom() for many tokens: 0.17 us against 0.57 each */
#define SHA256_BLOCK 64

struct po_crypto {
    EVP_MD_CTX *context;                /* keeps its algorithm: a reset costs a third of EVP_Digest() */
    unsigned char stock[STOCK];
    apr_size_t left;
};

po_crypto *po_crypto_create(void)
{
    po_crypto *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->context = EVP_MD_CTX_new();
    if (!c->context || !EVP_DigestInit_ex(c->context, EVP_sha256(), NULL)) {
        po_crypto_destroy(c);
        return NULL;
    }
    return c;
}

void po_crypto_destroy(po_crypto *c)
{
    if (!c)
        return;
    EVP_MD_CTX_free(c->context);
    OPENSSL_cleanse(c->stock, sizeof(c->stock));
    free(c);
}

void po_sha256_start(po_crypto *c)
{
    EVP_DigestInit_ex(c->context, NULL, NULL);
}

void po_sha256_add(po_crypto *c, const void *data, apr_size_t len)
{
    EVP_DigestUpdate(c->context, data, len);
}

void po_sha256_end(po_crypto *c, unsigned char out[PO_DIGEST])
{
    EVP_DigestFinal_ex(c->context, out, NULL);
}

void po_sha256(po_crypto *c, const void *data, apr_size_t len, unsigned char out[PO_DIGEST])
{
    po_sha256_start(c);
    po_sha256_add(c, data, len);
    po_sha256_end(c, out);
}

void po_hmac(po_crypto *c, const unsigned char key[PO_DIGEST], const char *text, unsigned char out[PO_DIGEST])
{
    unsigned char pad[SHA256_BLOCK], inner[PO_DIGEST];
    int i;

    memset(pad, 0x36, sizeof(pad));
    for (i = 0; i < PO_DIGEST; i++)
        pad[i] ^= key[i];
    po_sha256_start(c);
    po_sha256_add(c, pad, sizeof(pad));
    po_sha256_add(c, text, strlen(text));
    po_sha256_end(c, inner);
    for (i = 0; i < SHA256_BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    po_sha256_start(c);
    po_sha256_add(c, pad, sizeof(pad));
    po_sha256_add(c, inner, sizeof(inner));
    po_sha256_end(c, out);
    OPENSSL_cleanse(pad, sizeof(pad));
}

apr_status_t po_hmac_sha1(const void *key, apr_size_t key_len, const void *data, apr_size_t len,
                          unsigned char out[PO_SHA1_DIGEST])
{
    unsigned n = 0;

    return HMAC(EVP_sha1(), key, (int)key_len, data, len, out, &n) && n == PO_SHA1_DIGEST ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t po_random(po_crypto *c, void *out, apr_size_t len)
{
    if (len > STOCK)
        return APR_EINVAL;
    if (c->left < len) {
        c->left = 0;
        if (getrandom(c->stock, STOCK, 0) != STOCK)
            return APR_EGENERAL;
        c->left = STOCK;
    }
    c->left -= len;
    memcpy(out, c->stock + c->left, len);
    memset(c->stock + c->left, 0, len); /* handed out: forget it */
    return APR_SUCCESS;
}

int po_equal(const void *a, const void *b, apr_size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

int po_secret_equal(po_crypto *c, const char *a, const char *b)
{
    unsigned char x[PO_DIGEST], y[PO_DIGEST];

    if (!a || !b || !*a || !*b)
        return 0;
    po_sha256(c, a, strlen(a), x);
    po_sha256(c, b, strlen(b), y);
    return po_equal(x, y, PO_DIGEST);
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void po_base64url(char *o, const unsigned char *p, apr_size_t len)
{
    for (; len >= 3; len -= 3, p += 3) {
        *o++ = base64url[p[0] >> 2];
        *o++ = base64url[(p[0] & 3) << 4 | p[1] >> 4];
        *o++ = base64url[(p[1] & 15) << 2 | p[2] >> 6];
        *o++ = base64url[p[2] & 63];
    }
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int po_base64url_decode(unsigned char *o, const char *s, apr_size_t len)
{
    if (len % 4)
        return 0;
    for (; len; len -= 4, s += 4) {
        int a = base64url_value(s[0]), b = base64url_value(s[1]);
        int c = base64url_value(s[2]), d = base64url_value(s[3]);

        if ((a | b | c | d) < 0)
            return 0;
        *o++ = (unsigned char)(a << 2 | b >> 4);
        *o++ = (unsigned char)(b << 4 | c >> 2);
        *o++ = (unsigned char)(c << 6 | d);
    }
    return 1;
}

void po_hex(char *o, const unsigned char *p, apr_size_t len)
{
    for (; len; len--, p++) {
        *o++ = "0123456789abcdef"[*p >> 4];
        *o++ = "0123456789abcdef"[*p & 15];
    }
    *o = '\0';
}

const char *po_sha256_hex(po_crypto *c, const void *data, apr_size_t len, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    char *hex = apr_palloc(p, 2 * PO_DIGEST + 1);

    po_sha256(c, data, len, digest);
    po_hex(hex, digest, PO_DIGEST);
    return hex;
}

apr_status_t po_id(po_crypto *c, const char *prefix, char out[PO_ID_TEXT])
{
    static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char bits[16];
    apr_status_t rv = po_random(c, bits, sizeof(bits));
    char *o = out;
    int i;

    for (i = 0; prefix[i] && i < 4; i++)
        *o++ = prefix[i];
    *o++ = '-';
    for (i = 0; i < 16; i++)
        *o++ = crockford[rv == APR_SUCCESS ? bits[i] & 31 : 0];
    *o = '\0';
    return rv;
}

const char *po_payload_id(po_crypto *c, const char *host, apr_time_t now, apr_pool_t *p)
{
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1], stamp[32], *o = stamp + sizeof(stamp), *result;
    apr_uint64_t left = (apr_uint64_t)now;
    apr_size_t host_len = strlen(host), n;
    unsigned pid = (unsigned)getpid();

    if (po_random(c, random, sizeof(random)) != APR_SUCCESS)
        memset(random, 0, sizeof(random));      /* time and pid still tell documents apart */
    po_hex(hex, random, sizeof(random));
    do {
        *--o = (char)('0' + pid % 10);
    } while (pid /= 10);
    *--o = '.';
    do {
        *--o = (char)('0' + left % 10);
    } while (left /= 10);
    n = (apr_size_t)(stamp + sizeof(stamp) - o);
    result = apr_palloc(p, n + 1 + 16 + 1 + host_len + 1);
    memcpy(result, o, n);
    result[n] = '.';
    memcpy(result + n + 1, hex, 16);
    result[n + 17] = '@';
    memcpy(result + n + 18, host, host_len + 1);
    return result;
}
