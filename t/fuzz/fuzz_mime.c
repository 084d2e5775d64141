/* fuzz_mime.c - a body in MIME parts. The input's first line is its Content-Type, the rest the body. */
#include "fuzz.h"

#include "apr_strings.h"
#include "cxml/cxml.h"

/* Lies within what was given, and has its terminator. */
static void check_document(const po_mime *m, const char *body, size_t len)
{
    fuzz_require(m->document && m->len && m->len <= len);
    fuzz_require(!m->document[m->len]);
    if (m->document >= body && m->document <= body + len)
        fuzz_require(m->document + m->len <= body + len);
}

static void check_attachments(const po_mime *m, size_t len)
{
    size_t sum = 0;
    int i;

    fuzz_require(m->attachments && m->attachments->nelts < PO_MIME_PARTS_MAX);
    for (i = 0; i < m->attachments->nelts; i++) {
        const po_mime_part *a = &APR_ARRAY_IDX(m->attachments, i, po_mime_part);

        sum += a->length;
        fuzz_require(!a->content_id || !strpbrk(a->content_id, "\r\n"));
        fuzz_require(!a->filename || !strpbrk(a->filename, "\r\n"));
    }
    fuzz_require(sum + m->len <= len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    const char *type, *wrong;
    size_t len;
    char *body;
    po_mime m;

    if (end) {
        type = apr_pstrmemdup(p, (const char *)data, (apr_size_t)(end - data));
        len = size - (size_t)(end + 1 - data);
        body = fuzz_text(end + 1, len, p);
        if ((wrong = po_mime_read(&m, type, body, len, p)))
            fuzz_require(*wrong && !strpbrk(wrong, "\r\n"));
        else {
            check_document(&m, body, len);
            check_attachments(&m, len);
        }
        po_mime_is_multipart(type);
    }
    apr_pool_destroy(p);
    return 0;
}
