/* post.c - one document to a buyer by libcurl, and what the buyer said. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include "http_log.h"
#include <curl/curl.h>

APLOG_USE_MODULE(punchout);

#define CONNECT_SECONDS 10L
#define TOTAL_SECONDS 60L
#define WORDS_MAX 500                   /* bytes of a buyer's own words, in log and outbox */

typedef struct {
    char *data;
    apr_size_t len, room;
} answer_buffer;

/* More than fits is refused, which ends the transfer: the status is known by then. */
static size_t keep_answer(char *data, size_t size, size_t count, void *baton)
{
    answer_buffer *a = baton;
    apr_size_t n = size * count;

    if (n > a->room - a->len)
        return 0;
    memcpy(a->data + a->len, data, n);
    a->len += n;
    return n;
}

static void set_server(CURL *h, const po_backend *b, const char *url, apr_pool_t *p)
{
    int loopback = po_url_is_loopback(url, p);

    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, loopback ? "https,http" : "https");
#else
    curl_easy_setopt(h, CURLOPT_PROTOCOLS, loopback ? CURLPROTO_HTTPS | CURLPROTO_HTTP : CURLPROTO_HTTPS);
#endif
    if (loopback)
        curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(h, CURLOPT_TIMEOUT, TOTAL_SECONDS);
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, PO_USER_AGENT);
    po_curl_trust(h, b->site);
}

void po_curl_trust(void *handle, const po_site *site)
{
    CURL *h = handle;

    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    if (site->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, site->ca_file);
}

/* ---- the answer ----------------------------------------------------------------------------------------------- */

static void read_answer(po_worker *w, answer_buffer *a, const char *content_type, apr_pool_t *p, po_posted *out)
{
    const char *charset = content_type ? po_mime_parameter(content_type, "charset", p) : NULL;
    po_cxml doc;
    po_decimal code;

    a->data[a->len] = '\0';
    if (!w->reader && !(w->reader = po_cxml_reader_create()))
        return;
    memset(&doc, 0, sizeof(doc));
    if (po_cxml_read(w->reader, p, a->data, a->len, charset, &doc) != APR_SUCCESS || doc.kind != PO_CXML_RESPONSE
        || !doc.response || !doc.response->code || po_decimal_parse(&code, doc.response->code, -1) != APR_SUCCESS
        || code.scale || code.value < 100 || code.value > 999)
        return;
    out->status = (int)code.value;
    out->words = apr_pstrcat(p, doc.response->text ? doc.response->text : "",
                             doc.response->detail && *doc.response->detail ? ": " : "", doc.response->detail, NULL);
}

static CURLcode perform(po_worker *w, const char *document, answer_buffer *a)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/xml; charset=UTF-8"), *more;
    CURLcode rc = CURLE_OUT_OF_MEMORY;

    if (headers && (more = curl_slist_append(headers, "Expect:"))) {        /* no pause before the body */
        headers = more;
        curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, document);
        curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(document));
        curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, keep_answer);
        curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, a);
        rc = curl_easy_perform(w->curl);
    }
    curl_slist_free_all(headers);
    return rc;
}

static void send_to(po_worker *w, const po_backend *b, const char *url, const char *document, apr_pool_t *p,
                    po_posted *out)
{
    char *error = apr_pcalloc(p, CURL_ERROR_SIZE);
    answer_buffer answer = { w->answer, 0, sizeof(w->answer) - 1 };
    char *content_type = NULL;
    long http = 0, sent = 0;
    CURLcode rc;

    curl_easy_reset(w->curl);           /* options only: the connection stays */
    set_server(w->curl, b, url, p);
    curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, error);
    rc = perform(w, document, &answer);
    curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &http);
    curl_easy_getinfo(w->curl, CURLINFO_CONTENT_TYPE, &content_type);
    curl_easy_getinfo(w->curl, CURLINFO_REQUEST_SIZE, &sent);
    out->sent = sent > 0;
    out->http = rc == CURLE_OK || rc == CURLE_WRITE_ERROR ? (int)http : 0;
    if (rc != CURLE_OK)
        out->words = *error ? error : curl_easy_strerror(rc);
    else
        read_answer(w, &answer, content_type, p, out);
}

/* ---- the document --------------------------------------------------------------------------------------------- */

/* NULL: it may go out. Else why not. */
static const char *invalid(const po_backend *b, const po_outbox_row *row, const char *document, apr_pool_t *p)
{
    const char *wrong = b->site->validator ? po_cxml_validate(b->site->validator, document, strlen(document), p) : NULL;

    if (!wrong)
        return NULL;
    if (b->site->validate_refuse)
        return apr_pstrcat(p, "is not sent what is not valid by its DTD: ", wrong, NULL);
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, b->server, "PO0340: document %s to buyer %s is not valid by its DTD, "
                 "and is sent: %s", row->key, b->buyer->name, wrong);
    return NULL;
}

void po_post_send(po_worker *w, const po_backend *b, const po_outbox_row *row, apr_pool_t *p, po_posted *out)
{
    unsigned what = row->recipients && !strcmp(row->recipients, "invoice") ? PO_POST_INVOICE : PO_POST_CONFIRMATION;
    const po_post *post = po_delivery_post_of(b->buyer, what);
    const po_secret *secret = po_post_secret(b->buyer, apr_time_now());
    const char *document = po_cxml_with_secret(row->body, secret ? secret->value : "", p);

    memset(out, 0, sizeof(*out));
    if (!w->curl)
        w->curl = curl_easy_init();
    if (!post)
        out->unsendable = apr_psprintf(p, "has no PunchOutPost for documents of kind %s any more; add it",
                                       po_post_kind(what));
    else if (document != row->body && !secret)
        out->unsendable = "has no secret that is valid now; add PunchOutPostSecret";
    else if (!w->curl)
        out->unsendable = "can't be sent anything: libcurl can't be used";
    else
        out->unsendable = invalid(b, row, document, p);
    if (out->unsendable)
        return;
    send_to(w, b, post->url, document, p, out);
    if (secret && out->words && strstr(out->words, secret->value))      /* they go into log and outbox */
        out->words = "his words repeat the secret and are left out";
    if (!out->http)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, b->server, "PO0341: document %s could not be sent to buyer %s: %s",
                     row->key, b->buyer->name, out->words);
}

const char *po_post_said(const po_posted *a, po_verdict v, apr_pool_t *p)
{
    const char *words = "", *what;

    if (a->unsendable)
        return a->unsendable;
    if (a->words && *a->words)
        words = apr_pstrcat(p, " (", po_utf8_cut(a->words, WORDS_MAX, p), ")", NULL);
    if (!a->http)
        return apr_pstrcat(p, "could not be reached", words, NULL);
    what = a->status ? apr_psprintf(p, "answered HTTP %d, Status %d%s", a->http, a->status, words)
                     : apr_psprintf(p, "answered HTTP %d without a cXML Response%s", a->http, words);
    if (v != PO_VERDICT_PARKED)
        return what;
    if (a->http < 300 && !a->status)
        return apr_pstrcat(p, what, "; perhaps it was taken: look there before you send it again. If it was, "
                           "punchoutctl outbox delivered says so", NULL);
    if (po_post_may_be_known(a->http, a->status))
        return apr_pstrcat(p, what, " after a try that may have arrived, so perhaps this document is there already: "
                           "look there. If it is, punchoutctl outbox delivered says so", NULL);
    if (a->status == 500 || (a->http == 500 && !a->status))
        return apr_pstrcat(p, what, " each time; something in the document may be wrong to the buyer's system", NULL);
    return apr_pstrcat(p, what, "; PunchOutPostSecret, or the address in PunchOutPost, may be wrong", NULL);
}
