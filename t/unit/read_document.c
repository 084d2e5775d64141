/* read_document.c - what the reader says of files, a line each: the columns of t/corpus-table.tsv, and the digest. */
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>

#include "document_cells.h"

/* A cell holds no tab and no line end of its own. */
static void put(const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '\t': fputs("\\t", stdout); break;
        case '\n': fputs("\\n", stdout); break;
        case '\r': fputs("\\r", stdout); break;
        case '\\': fputs("\\\\", stdout); break;
        default: putchar(*text);
        }
}

/* Covers what has no column: addresses, contacts, Extrinsics, accounting. */
static const char *digest_of(po_crypto *c, const po_cxml *d, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    char *text = apr_palloc(p, 2 * PO_DIGEST + 1);

    if (!d->order)
        return "-";
    po_cxml_order_digest(c, d->order, d->test, digest);
    po_hex(text, digest, PO_DIGEST);
    return text;
}

static int read_file(po_cxml_reader *reader, po_crypto *c, const char *path, apr_pool_t *p)
{
    const char *found[COLUMNS];
    apr_size_t len;
    const char *document = slurp(path, &len, p);
    po_cxml d;
    int i;

    if (!document) {
        fprintf(stderr, "%s can't be read\n", path);
        return 1;
    }
    read_cells(found, &d, reader, document, len, p);
    put(path);
    for (i = 1; i < COLUMNS; i++) {
        putchar('\t');
        put(found[i]);
    }
    printf("\t%s\n", digest_of(c, &d, p));
    return 0;
}

int main(int argc, char **argv)
{
    po_cxml_reader *reader;
    po_crypto *crypto;
    apr_pool_t *pool, *p;
    int i, wrong;

    apr_initialize();
    xmlInitParser();
    apr_pool_create(&pool, NULL);
    apr_pool_create(&p, pool);
    reader = po_cxml_reader_create();
    crypto = po_crypto_create();
    wrong = !reader || !crypto;
    for (i = 1; i < argc && reader && crypto; i++) {
        wrong |= read_file(reader, crypto, argv[i], p);
        apr_pool_clear(p);
    }
    po_crypto_destroy(crypto);
    po_cxml_reader_destroy(reader);
    apr_pool_destroy(pool);
    xmlCleanupParser();
    apr_terminate();
    return wrong;
}
