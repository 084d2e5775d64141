/* mail.c - one mail by libcurl. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"
#include <curl/curl.h>

#define CONNECT_SECONDS 10L
#define TOTAL_SECONDS 30L

typedef struct {
    const char *at;
    apr_size_t left;
} reader;

static size_t read_message(char *out, size_t size, size_t count, void *baton)
{
    reader *m = baton;
    apr_size_t n = size * count < m->left ? size * count : m->left;

    memcpy(out, m->at, n);
    m->at += n;
    m->left -= n;
    return n;
}

static void set_server(CURL *h, const po_backend *b, apr_pool_t *p)
{
    const char *url = b->target;

    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
    curl_easy_setopt(h, CURLOPT_PROTOCOLS, CURLPROTO_SMTP | CURLPROTO_SMTPS);
#endif
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(h, CURLOPT_TIMEOUT, TOTAL_SECONDS);
    po_curl_trust(h, b->site);
    if (!po_url_is_loopback(url, p))           /* smtps is TLS from the first byte and ignores this */
        curl_easy_setopt(h, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
    curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
#if LIBCURL_VERSION_NUM >= 0x080200
    curl_easy_setopt(h, CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L);
#else
    curl_easy_setopt(h, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);     /* one bad address must not stop the other */
#endif
}

static struct curl_slist *recipient_list(const char *recipients, apr_pool_t *p)
{
    struct curl_slist *list = NULL;
    char *rest, *one;

    for (one = apr_strtok(apr_pstrdup(p, recipients), ",", &rest); one; one = apr_strtok(NULL, ",", &rest))
        list = curl_slist_append(list, apr_pstrcat(p, "<", one, ">", NULL));
    return list;
}

void po_mail_send(po_worker *w, const po_backend *b, const po_outbox_row *row, apr_pool_t *p, po_mailed *out)
{
    char *error = apr_pcalloc(p, CURL_ERROR_SIZE);
    reader message = { row->body, strlen(row->body) };
    struct curl_slist *to;
    CURLcode rc;
    long code = 0;

    memset(out, 0, sizeof(*out));
    if (!w->curl)
        w->curl = curl_easy_init();
    to = w->curl && row->recipients ? recipient_list(row->recipients, p) : NULL;
    if (!to) {
        out->error = "libcurl can't be used, or there is no recipient";
        return;
    }
    curl_easy_reset(w->curl);           /* options only: the connection stays */
    set_server(w->curl, b, p);
    curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(w->curl, CURLOPT_MAIL_FROM, apr_pstrcat(p, "<", b->site->mail_from, ">", NULL));
    curl_easy_setopt(w->curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(w->curl, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(w->curl, CURLOPT_READDATA, &message);
    rc = curl_easy_perform(w->curl);
    curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(to);
    out->ok = rc == CURLE_OK;
    out->code = rc == CURLE_OK || code >= 400 ? (int)code : 0;  /* an earlier 2xx says nothing about the end */
    out->error = *error ? error : curl_easy_strerror(rc);
}

void po_mail_close(po_worker *w)
{
    curl_easy_cleanup(w->curl);         /* says QUIT */
    w->curl = NULL;
}
