/* catalog_scan.c - catalog.json cut into the text of its products, one at a time, with the lines where things begin. */
#include "market/market_private.h"

#include <string.h>

#include "apr_file_io.h"

#define CHUNK 65536
#define PRODUCT_MAX (1024 * 1024)       /* a product whose end is missing must not take the whole file with it */
#define NAME_MAX_BYTES 60               /* of a member's name that a message repeats */

struct po_catalog_scan {
    apr_pool_t *pool;
    const char *file;
    apr_file_t *handle;
    po_crypto *digest;
    int line;                           /* of the byte that peek() shows */
    int began, ended;
    po_buffer product;
    apr_array_header_t *offer_lines;
    apr_size_t at, len;
    apr_status_t failed;
    char chunk[CHUNK];
};

#define END (-1)

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static int fill(po_catalog_scan *s)
{
    apr_size_t len = CHUNK;
    apr_status_t rv = apr_file_read(s->handle, s->chunk, &len);

    s->at = 0;
    s->len = rv == APR_SUCCESS ? len : 0;
    if (rv != APR_SUCCESS && rv != APR_EOF)
        s->failed = rv;
    if (s->len && s->digest)
        po_sha256_add(s->digest, s->chunk, s->len);
    return s->len > 0;
}

static int peek(po_catalog_scan *s)
{
    return s->at < s->len || fill(s) ? (unsigned char)s->chunk[s->at] : END;
}

static int next(po_catalog_scan *s)
{
    int c = peek(s);

    if (c != END)
        s->at++;
    if (c == '\n')
        s->line++;
    return c;
}

static int peek_past_blanks(po_catalog_scan *s)
{
    int c;

    while ((c = peek(s)) == ' ' || c == '\t' || c == '\r' || c == '\n')
        next(s);
    return c;
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

static const char *found(po_catalog_scan *s, int c)
{
    if (c == END)
        return "the file ends";
    if (c < 0x20 || c > 0x7e)
        return apr_psprintf(s->pool, "the byte 0x%02x stands", c);
    return apr_psprintf(s->pool, "'%c' stands", c);
}

static const char *read_error(po_catalog_scan *s)
{
    char why[120];

    return apr_psprintf(s->pool, "%s:%d: can't be read on: %s", s->file, s->line,
                        apr_strerror(s->failed, why, sizeof(why)));
}

/* "FILE:LINE: ')' stands where ... is expected" */
static const char *expected(po_catalog_scan *s, const char *what)
{
    int c = peek(s);

    if (s->failed)
        return read_error(s);
    return apr_psprintf(s->pool, "%s:%d: %s where %s is expected", s->file, s->line, found(s, c), what);
}

/* ---- around the products ----------------------------------------------------------------------------------------- */

const char *po_catalog_scan_open(po_catalog_scan **scan, const char *file, po_crypto *digest, apr_pool_t *p)
{
    po_catalog_scan *s = apr_pcalloc(p, sizeof(*s));
    apr_status_t rv = apr_file_open(&s->handle, file, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);
    char why[120];

    if (rv != APR_SUCCESS)
        return apr_psprintf(p, "%s: the catalog can't be opened: %s", file, apr_strerror(rv, why, sizeof(why)));
    s->pool = p;
    s->file = file;
    s->digest = digest;
    s->line = 1;
    po_buffer_init(&s->product, p, CHUNK);
    s->offer_lines = apr_array_make(p, 16, sizeof(int));
    *scan = s;
    return NULL;
}

/* A member's name, only for comparison and messages: escapes stay as they are. */
static const char *member_name(po_catalog_scan *s, char *out)
{
    apr_size_t n = 0;
    int c;

    if (peek_past_blanks(s) != '"')
        return expected(s, "a member's name in quotes");
    next(s);
    while ((c = peek(s)) != '"') {
        if (c == END || c < 0x20)
            return expected(s, "the end of a member's name");
        if (n < NAME_MAX_BYTES)
            out[n++] = (char)c;
        next(s);
    }
    next(s);
    out[n] = '\0';
    return NULL;
}

/* Up to and with the '[' of "products". */
static const char *begin(po_catalog_scan *s)
{
    char name[NAME_MAX_BYTES + 1];
    const char *wrong;

    if (peek(s) == 0xef) {              /* a byte order mark, as some editors write it */
        next(s);
        if (peek(s) == 0xbb)
            next(s);
        if (peek(s) == 0xbf)
            next(s);
    }
    if (peek_past_blanks(s) != '{')
        return expected(s, "'{', the beginning of {\"products\": [ ... ]},");
    next(s);
    if ((wrong = member_name(s, name)))
        return wrong;
    if (strcmp(name, "products"))
        return apr_psprintf(s->pool, "%s:%d: unknown member \"%s\"; the catalog is one object with the member "
                            "\"products\" alone", s->file, s->line, name);
    if (peek_past_blanks(s) != ':')
        return expected(s, "':' behind \"products\"");
    next(s);
    if (peek_past_blanks(s) != '[')
        return expected(s, "'[', the list of products,");
    next(s);
    return NULL;
}

/* From the ']' of "products" to the end of the file. */
static const char *end(po_catalog_scan *s)
{
    char name[NAME_MAX_BYTES + 1];
    const char *wrong;

    next(s);
    if (peek_past_blanks(s) == ',') {
        next(s);
        if ((wrong = member_name(s, name)))
            return wrong;
        return apr_psprintf(s->pool, "%s:%d: %s \"%s\" behind \"products\"; the catalog is one object with the member "
                            "\"products\" alone", s->file, s->line,
                            strcmp(name, "products") ? "unknown member" : "a second member", name);
    }
    if (peek(s) != '}')
        return expected(s, "'}', the end of the catalog,");
    next(s);
    if (peek_past_blanks(s) != END)
        return expected(s, "the end of the file");
    return s->failed ? read_error(s) : NULL;
}

/* ---- one product ------------------------------------------------------------------------------------------------- */

typedef struct {
    int depth;                          /* of braces and brackets together */
    int in_offers;                      /* within the product's own "offers" */
    apr_size_t key;                     /* where the last string at depth 1 begins in the text ... */
    apr_size_t key_len;                 /* ... and its length: the name of the member that follows */
} position;

static void take(po_catalog_scan *s)
{
    char c = (char)next(s);

    po_buffer_add(&s->product, &c, 1);
}

/* A string with its quotes, in runs; 0 when it does not end on its line. */
static int take_string(po_catalog_scan *s)
{
    int c;

    take(s);
    while ((c = peek(s)) != END && c >= 0x20 && s->product.len <= PRODUCT_MAX) {
        apr_size_t from = s->at;

        while (s->at < s->len && (unsigned char)s->chunk[s->at] >= 0x20 && s->chunk[s->at] != '"'
               && s->chunk[s->at] != '\\')
            s->at++;
        po_buffer_add(&s->product, s->chunk + from, s->at - from);
        if (s->at == s->len)
            continue;
        if (s->chunk[s->at] == '\\') {
            take(s);
            if (peek(s) >= 0x20)
                take(s);
            continue;
        }
        if (s->chunk[s->at] != '"')
            return 0;
        take(s);
        return 1;
    }
    return 0;
}

static void opened(po_catalog_scan *s, position *at, int c)
{
    static const char offers[] = "\"offers\"";

    if (c == '[' && at->depth == 1)
        at->in_offers = at->key_len == sizeof(offers) - 1
                        && !memcmp(s->product.data + at->key, offers, sizeof(offers) - 1);
    if (c == '{' && at->depth == 2 && at->in_offers)
        APR_ARRAY_PUSH(s->offer_lines, int) = s->line;
    at->depth++;
}

static const char *take_product(po_catalog_scan *s, int line)
{
    position at = { 0 };
    int c;

    do {
        c = peek(s);
        if (c == END || s->product.len > PRODUCT_MAX) {
            if (s->failed)
                return read_error(s);
            return apr_psprintf(s->pool, "%s:%d: the product that begins here does not end%s; a '}' or a '\"' is "
                                "missing", s->file, line, c == END ? "" : " within 1 MiB");
        }
        if (c == '"') {
            apr_size_t from = s->product.len;

            if (!take_string(s))
                return NULL;            /* as far as it goes: jansson says what is wrong with it */
            if (at.depth == 1) {
                at.key = from;
                at.key_len = s->product.len - from;
            }
            continue;
        }
        if (c == '{' || c == '[')
            opened(s, &at, c);
        if (c == '}' || c == ']')
            at.depth--;
        take(s);
    } while (at.depth > 0);
    return NULL;
}

const char *po_catalog_scan_next(po_catalog_scan *s, po_product_text *t)
{
    const char *wrong;
    int c;

    memset(t, 0, sizeof(*t));
    if (s->ended)
        return NULL;
    if (!s->began && (wrong = begin(s)))
        return wrong;
    c = peek_past_blanks(s);
    if (s->began && c == ',') {
        next(s);
        if (peek_past_blanks(s) != '{')
            return expected(s, "'{', the next product behind a comma,");
    } else if (c == ']') {
        s->ended = 1;
        return end(s);
    } else if (s->began) {
        return expected(s, "',' or ']' behind a product");
    } else if (c != '{') {
        return expected(s, "'{', the first product,");
    }
    s->began = 1;
    s->product.len = 0;
    s->offer_lines->nelts = 0;
    t->line = s->line;
    if ((wrong = take_product(s, t->line)))
        return wrong;
    t->text = s->product.data;
    t->len = s->product.len;
    t->offer_lines = s->offer_lines;
    return NULL;
}
