/* mail_text.c - the mails that tell people how their request stands: templates filled in, and MIME around them. */
#include "delivery/mail_text.h"

#include "apr_base64.h"
#include "apr_file_io.h"
#include "apr_lib.h"
#include <string.h>

#define SUBJECT_BYTES 230
#define TEMPLATE_BYTES 262144
#define SUBJECT "Subject: "
#define BOUNDARY "=_"                   /* a boundary that begins so can't occur in quoted-printable */
#define WORD_BYTES 39                   /* in an encoded-word: 76 characters a line with "Subject: " (RFC 2047 §2) */
#define PLAIN_LINE 900                  /* longer lines need an encoding (RFC 5322: 998) */
#define QP_LINE 75                      /* RFC 2045 §6.7: 76 with the soft break's '=' */

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

/* ---- templates ------------------------------------------------------------------------------------------------ */

const char *po_mail_kind_name(po_mail_kind kind)
{
    static const char *const names[PO_MAIL_KINDS] = { "requested", "ready", "held", "failed", "expires",
                                                         "changed", "cancelled" };

    return names[kind];
}

static int is_known(const char *name)
{
    static const char *const names[] = {
        "product", "seller", "orders", "approved", "subscription", "url", "request", "link", "marketplace", "requester",
        "expires", "total", "reason", "test", "charges", "description", "quantity", "price", "currency", "unit"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i], name))
            return 1;
    return 0;
}

/* NULL, or what is wrong. *text: the file's, NULL when there is none. */
static const char *read_file(const char *file, const char **text, apr_pool_t *p)
{
    apr_file_t *f;
    apr_size_t len = TEMPLATE_BYTES;
    char *buf;
    apr_status_t rv = apr_file_open(&f, file, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);

    *text = NULL;
    if (APR_STATUS_IS_ENOENT(rv))
        return NULL;
    if (rv != APR_SUCCESS)
        return apr_psprintf(p, "%s can't be read; it must be a file that the user who starts httpd can open", file);
    buf = apr_palloc(p, TEMPLATE_BYTES + 1);
    rv = apr_file_read_full(f, buf, len, &len);
    apr_file_close(f);
    if (rv == APR_SUCCESS)
        return apr_psprintf(p, "%s is larger than %d bytes", file, TEMPLATE_BYTES);
    if (!APR_STATUS_IS_EOF(rv) || memchr(buf, 0, len))
        return apr_psprintf(p, "%s can't be read as text", file);
    buf[len] = '\0';
    *text = buf;
    return NULL;
}

static const char *read_template(po_template **out, const char *dir, po_mail_kind kind, int html, apr_pool_t *p)
{
    const char *file = apr_pstrcat(p, dir ? dir : "built-in", "/", po_mail_kind_name(kind), html ? ".html" : ".txt", NULL);
    const char *text = NULL, *wrong = dir ? read_file(file, &text, p) : NULL;

    if (wrong)
        return wrong;
    if (!text)
        text = po_mail_builtin[kind][html];
    if (!html && strncmp(text, SUBJECT, sizeof(SUBJECT) - 1))
        return apr_psprintf(p, "%s: its first line must begin with \"%s\"", file, SUBJECT);
    if ((wrong = po_template_parse(out, text, p)))
        return apr_psprintf(p, "%s: %s", file, wrong);
    if ((wrong = po_template_unknown(*out, is_known)))
        return apr_psprintf(p, "%s: there is no value named %s; the manual lists them at PunchOutMailTemplates", file, wrong);
    return NULL;
}

const char *po_mail_templates_read(po_mail_templates **out, const char *dir, apr_pool_t *p)
{
    const char *wrong = NULL;
    int kind;

    *out = apr_palloc(p, sizeof(**out));
    for (kind = 0; kind < PO_MAIL_KINDS && !wrong; kind++) {
        wrong = read_template(&(*out)->text[kind], dir, (po_mail_kind)kind, 0, p);
        if (!wrong)
            wrong = read_template(&(*out)->html[kind], dir, (po_mail_kind)kind, 1, p);
    }
    return wrong;
}

/* ---- what a mail says ----------------------------------------------------------------------------------------- */

static apr_table_t *charge_values(const po_charge *c, apr_pool_t *p)
{
    apr_table_t *row = apr_table_make(p, 5);
    char text[PO_DECIMAL_TEXT];
    po_decimal quantity, price;

    po_charge_shown(c, &quantity, &price);
    apr_table_setn(row, "description", c->description ? c->description : "");
    apr_table_set(row, "quantity", po_decimal_text(&quantity, 0, text));
    apr_table_set(row, "price", po_decimal_text(&price, 2, text));
    apr_table_setn(row, "currency", c->currency ? c->currency : "");
    apr_table_setn(row, "unit", c->unit ? c->unit : "");
    return row;
}

static void set(apr_table_t *t, const char *name, const char *value)
{
    if (value && *value)
        apr_table_setn(t, name, value);
}

static const char *day(apr_time_t when, apr_pool_t *p)
{
    apr_time_exp_t t;

    if (!when)
        return NULL;
    apr_time_exp_gmt(&t, when);
    return apr_psprintf(p, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

/* Those that may still be paid for. */
static apr_array_header_t *live_charges(const po_request *r, apr_pool_t *p)
{
    apr_array_header_t *live = apr_array_make(p, 2, sizeof(po_charge));
    int i;

    for (i = 0; r->charges && i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        if (c->state != PO_CHARGE_CANCELLED && c->state != PO_CHARGE_EXPIRED)
            APR_ARRAY_PUSH(live, po_charge) = *c;
    }
    return live;
}

static const char *total(const po_request *r, apr_pool_t *p)
{
    char text[PO_DECIMAL_TEXT];
    po_decimal sum;
    po_request live = *r;

    live.charges = live_charges(r, p);
    if (!live.charges->nelts || po_request_total(&live, &sum) != APR_SUCCESS)
        return NULL;
    return apr_pstrcat(p, po_decimal_text(&sum, 2, text), " ", r->currency ? r->currency : "", NULL);
}

static const char *product_name(const po_request *r)
{
    return r->product_name ? r->product_name : r->product ? r->product : "Your request";
}

static void fill(po_template_data *d, const po_mail_about *a, apr_pool_t *p)
{
    const po_request *r = a->request;
    apr_table_t *t = apr_table_make(p, 16);
    apr_array_header_t *rows = apr_array_make(p, 2, sizeof(apr_table_t *)), *charges = live_charges(r, p);
    int i;

    set(t, "product", product_name(r));
    set(t, "seller", r->seller);
    set(t, "orders", orders(r, p));
    set(t, "approved", r->preapproved_by);
    set(t, "subscription", r->subscription);
    set(t, "url", r->url);
    set(t, "request", r->id);
    set(t, "link", a->link);
    set(t, "marketplace", a->site->public_url);
    set(t, "requester", r->user_name ? r->user_name : r->user);
    set(t, "expires", day(r->expires, p));
    set(t, "total", total(r, p));
    set(t, "reason", r->reason);
    set(t, "test", a->test ? "TEST" : NULL);
    for (i = 0; i < charges->nelts; i++)
        APR_ARRAY_PUSH(rows, apr_table_t *) = charge_values(&APR_ARRAY_IDX(charges, i, po_charge), p);
    d->values = t;
    d->list = "charges";
    d->rows = rows;
}

/* ---- the message ---------------------------------------------------------------------------------------------- */

static const char *with_crlf(const char *text, apr_pool_t *p)
{
    char *out = apr_palloc(p, 2 * strlen(text) + 1), *o = out;

    for (; *text; text++) {
        if (*text == '\r' && text[1] == '\n')
            continue;
        if (*text == '\n')
            *o++ = '\r';
        *o++ = *text;
    }
    *o = '\0';
    return out;
}

static const char *rendered(const po_template *t, const po_template_data *d, int html, apr_pool_t *p)
{
    po_buffer b;

    po_buffer_init(&b, p, 4096);
    po_template_render(&b, t, d, html);
    return po_buffer_text(&b);
}

static const char *part(const char *type, const char *text, const char *boundary, apr_pool_t *p)
{
    const char *lines = with_crlf(text, p);
    int plain = is_ascii(lines) && !has_long_line(lines) && !strstr(lines, boundary);

    return apr_pstrcat(p, "Content-Type: ", type, "; charset=UTF-8\r\nContent-Transfer-Encoding: ",
                       plain ? "7bit" : "quoted-printable", "\r\n\r\n", plain ? lines : quoted_printable(lines, p), NULL);
}

static const char *headers(const po_mail *m, const char *subject, const po_mail_about *a, apr_pool_t *p)
{
    const char *copy = strchr(m->recipients, ',');
    const char *to = copy ? apr_pstrmemdup(p, m->recipients, (apr_size_t)(copy - m->recipients)) : m->recipients;

    return apr_pstrcat(p, "Date: ", date(a->now, p), "\r\nFrom: ", one_line(a->site->mail_from, p), "\r\nTo: ", to,
                       copy ? "\r\nCc: " : "", copy ? copy + 1 : "", "\r\nSubject: ", header_text(subject, p),
                       "\r\nMessage-ID: <", a->key, "@", a->site->host, ">\r\nAuto-Submitted: auto-generated\r\n"
                       "MIME-Version: 1.0\r\n", NULL);
}

static const char *recipients(const po_request *r, apr_pool_t *p)
{
    const char *account = po_mail_address_valid(r->account_email) ? r->account_email : NULL;
    const char *requester = po_mail_address_valid(r->email) ? r->email : NULL;

    if (account && requester && strcasecmp(account, requester))
        return apr_pstrcat(p, account, ",", requester, NULL);
    return account ? account : requester;
}

void po_mail_compose(po_mail *m, const po_mail_templates *t, const po_mail_about *a, apr_pool_t *p)
{
    const char *text, *subject, *end, *boundary = apr_pstrcat(p, BOUNDARY, a->key, NULL);
    po_template_data data;

    m->message = NULL;
    if (!(m->recipients = recipients(a->request, p)))
        return;
    fill(&data, a, p);
    text = rendered(t->text[a->kind], &data, 0, p);
    end = text + strcspn(text, "\r\n");
    subject = po_utf8_cut(apr_pstrmemdup(p, text, (apr_size_t)(end - text)) + sizeof(SUBJECT) - 1, SUBJECT_BYTES, p);
    text = *end == '\r' ? end + 1 : end;
    text += *text == '\n';
    m->message = apr_pstrcat(p, headers(m, subject, a, p), "Content-Type: multipart/alternative; boundary=\"", boundary,
                             "\"\r\n\r\n--", boundary, "\r\n", part("text/plain", text, boundary, p), "\r\n--", boundary, "\r\n",
                             part("text/html", rendered(t->html[a->kind], &data, 1, p), boundary, p), "\r\n--", boundary, "--\r\n",
                             NULL);
}
