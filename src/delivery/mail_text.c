/* mail_text.c - the mail that tells a requester that a subscription is ready. */
#include "delivery/mail_text.h"

#include "apr_base64.h"
#include "apr_lib.h"
#include <string.h>

#define SUBJECT_NAME 200                    /* bytes of a name in the subject */
#define WORD_BYTES 39                   /* in an encoded-word: 76 characters a line with "Subject: " (RFC 2047 §2) */
#define PLAIN_LINE 900                  /* longer lines need an encoding (RFC 5322: 998) */
#define QP_LINE 75                      /* RFC 2045 §6.7: 76 with the soft break's '=' */

int po_mail_address_valid(const char *text)
{
    const char *c, *at = text ? strchr(text, '@') : NULL;

    if (!at || at == text || !at[1] || strchr(at + 1, '@') || strlen(text) > 254)
        return 0;
    for (c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~' || strchr("<>()[]:;,\\\"", *c))
            return 0;
    return 1;
}

static int is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text > '~')
            return 0;
    return 1;
}

/* Names come from catalogs and procurement systems: none of them may begin a line of its own. */
static const char *one_line(const char *text, apr_pool_t *p)
{
    char *clean = apr_pstrdup(p, text), *c;

    for (c = clean; *c; c++)
        if (apr_iscntrl((unsigned char)*c))
            *c = ' ';
    return clean;
}

static const char *date(apr_time_t now, apr_pool_t *p)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, now);
    return apr_psprintf(p, "%s, %d %s %d %02d:%02d:%02d +0000", apr_day_snames[t.tm_wday], t.tm_mday,
                        apr_month_snames[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* RFC 2047: text itself when it is ASCII, else encoded-words, none of which cuts a character. */
static const char *header_text(const char *text, apr_pool_t *p)
{
    apr_array_header_t *words;

    if (is_ascii(text))
        return text;
    words = apr_array_make(p, 4, sizeof(char *));
    while (*text) {
        const char *part = po_utf8_cut(text, WORD_BYTES, p);
        int len = (int)strlen(part);
        char *coded = apr_palloc(p, (apr_size_t)apr_base64_encode_len(len));

        if (!len)                       /* can't be UTF-8 */
            break;
        apr_base64_encode(coded, part, len);
        APR_ARRAY_PUSH(words, const char *) = apr_pstrcat(p, words->nelts ? "\r\n " : "", "=?UTF-8?B?", coded, "?=",
                                                          NULL);
        text += len;
    }
    return apr_array_pstrcat(p, words, 0);
}

/* RFC 2045 §6.7; CRLF stays. */
static const char *quoted_printable(const char *text, apr_pool_t *p)
{
    char *out = apr_palloc(p, strlen(text) * 4 + 16), *o = out;
    int column = 0;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        int plain = c >= ' ' && c <= '~' && c != '=' && !(c == ' ' && text[1] == '\r');

        if (c == '\r' && text[1] == '\n') {
            memcpy(o, "\r\n", 2);
            o += 2;
            text++;
            column = 0;
            continue;
        }
        if (column + (plain ? 1 : 3) > QP_LINE) {
            memcpy(o, "=\r\n", 3);
            o += 3;
            column = 0;
        }
        if (plain)
            *o++ = (char)c;
        else
            o += apr_snprintf(o, 4, "=%02X", c);
        column += plain ? 1 : 3;
    }
    *o = '\0';
    return out;
}

static int has_long_line(const char *text)
{
    const char *end;

    for (; (end = strchr(text, '\n')); text = end + 1)
        if (end - text > PLAIN_LINE)
            return 1;
    return strlen(text) > PLAIN_LINE;
}

/* "PO-17, PO-18": each once, in the order of the charges. */
static const char *orders(const po_request *r, apr_pool_t *p)
{
    apr_array_header_t *ids = apr_array_make(p, 2, sizeof(char *));
    int i, k;

    for (i = 0; r->charges && i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        for (k = 0; c->order_id && k < ids->nelts && strcmp(APR_ARRAY_IDX(ids, k, char *), c->order_id); k++)
            ;
        if (c->order_id && k == ids->nelts) {
            if (k)
                APR_ARRAY_PUSH(ids, const char *) = ", ";
            APR_ARRAY_PUSH(ids, const char *) = c->order_id;
        }
    }
    return ids->nelts ? apr_array_pstrcat(p, ids, 0) : NULL;
}

static const char *line(const char *label, const char *value, apr_pool_t *p)
{
    return value && *value ? apr_psprintf(p, "%-16s%s\r\n", label, one_line(value, p)) : "";
}

static const char *body(const po_request *r, const po_site *site, const char *name, int test, apr_pool_t *p)
{
    const char *po = orders(r, p);

    return apr_pstrcat(p, test ? "TEST: this request was made in test mode. Nothing was bought.\r\n\r\n" : "",
                       name, " is approved and ready to use.\r\n\r\n",
                       line("Product:", name, p),
                       line("Seller:", r->seller, p),
                       line("Purchase order:", po, p),
                       line("Approved by:", po ? NULL : r->preapproved_by, p),
                       line("Subscription:", r->subscription, p),
                       line("Start here:", r->url, p),
                       line("Request:", r->id, p),
                       line("Marketplace:", site->public_url, p), NULL);
}

static const char *headers(const po_mail *m, const char *subject, const po_site *site, const char *key, apr_time_t now,
                           apr_pool_t *p)
{
    const char *copy = strchr(m->recipients, ',');
    const char *to = copy ? apr_pstrmemdup(p, m->recipients, (apr_size_t)(copy - m->recipients)) : m->recipients;

    return apr_pstrcat(p, "Date: ", date(now, p), "\r\nFrom: ", one_line(site->mail_from, p), "\r\nTo: ", to,
                       copy ? "\r\nCc: " : "", copy ? copy + 1 : "", "\r\nSubject: ", header_text(subject, p),
                       "\r\nMessage-ID: <", key, "@", site->host, ">\r\nAuto-Submitted: auto-generated\r\n"
                       "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n", NULL);
}

void po_mail_ready(po_mail *m, const po_request *r, const po_site *site, const char *key, int test, apr_time_t now,
                   apr_pool_t *p)
{
    const char *name = one_line(r->product_name ? r->product_name : r->product ? r->product : "Your request", p);
    const char *account = po_mail_address_valid(r->account_email) ? r->account_email : NULL;
    const char *requester = po_mail_address_valid(r->email) ? r->email : NULL;
    const char *subject, *text;
    int plain;

    if (account && requester && strcasecmp(account, requester))
        m->recipients = apr_pstrcat(p, account, ",", requester, NULL);
    else
        m->recipients = account ? account : requester;
    m->message = NULL;
    if (!m->recipients)
        return;
    subject = apr_pstrcat(p, test ? "TEST: " : "", "Approved and ready to use: ", po_utf8_cut(name, SUBJECT_NAME, p),
                          NULL);
    text = body(r, site, name, test, p);
    plain = is_ascii(text) && !has_long_line(text);
    m->message = apr_pstrcat(p, headers(m, subject, site, key, now, p), "Content-Transfer-Encoding: ",
                             plain ? "7bit" : "quoted-printable", "\r\n\r\n",
                             plain ? text : quoted_printable(text, p), NULL);
}
