/* invoice.c - an invoice as the backend hands it over: JSON read strictly, figures added up exactly, its digest. */
#include "market/market_private.h"

#include <stdarg.h>
#include <string.h>

#include <jansson.h>

#define LINES_MOST 1000                 /* each is looked up in the ledger's job, which holds up all others */
#define TAXES_MOST 50
#define NUMBER_BYTES 100
#define TEXT_BYTES 1000
#define CHARGE_MOST 99999

typedef struct {
    po_invoice *out;
    int coin;                           /* decimals of the currency */
    int *status;
    const char *wrong;                  /* the first mistake; what is read afterwards doesn't count */
    apr_pool_t *p;
} reading;

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

static void complain(reading *x, int status, const char *format, va_list args)
{
    if (x->wrong)
        return;
    *x->status = status;
    x->wrong = apr_pvsprintf(x->p, format, args);
}

#define PRINTF __attribute__((format(printf, 2, 3)))

PRINTF static void malformed(reading *x, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(x, 400, format, args);
    va_end(args);
}

PRINTF static void disagree(reading *x, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(x, 422, format, args);
    va_end(args);
}

static const char *money(const reading *x, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrcat(x->p, po_decimal_text(d, x->coin, text), " ", x->out->currency, NULL);
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

typedef struct {
    json_t *object;                     /* NULL: absent */
    const char *where;                  /* "", "lines[2]." */
} place;

/* 1 when name is one of the words. */
static int is_among(const char *name, const char *words)
{
    apr_size_t len = strlen(name), word;

    for (; *words; words += word + (words[word] == ' ')) {
        word = strcspn(words, " ");
        if (word == len && !memcmp(name, words, len))
            return 1;
    }
    return 0;
}

/* names: those that the object may have. */
static void only(reading *x, const place *at, const char *names)
{
    const char *name;
    json_t *value;

    json_object_foreach(at->object, name, value)
        if (!is_among(name, names))
            malformed(x, "%s\"%s\" is no member of an invoice; there may be %s", at->where,
                      po_utf8_cut(name, 60, x->p), names);
}

static json_t *member(reading *x, const place *at, const char *name, int required)
{
    json_t *value = json_object_get(at->object, name);

    if (json_is_null(value))
        value = NULL;
    if (!value && required)
        malformed(x, "%s%s is missing", at->where, name);
    return value;
}

enum { REQUIRED = 1, LINES = 2 };       /* LINES: line feeds are welcome */

static const char *text_of(reading *x, const place *at, const char *name, int flags, apr_size_t most)
{
    json_t *value = member(x, at, name, flags & REQUIRED);
    const char *text, *c;
    apr_size_t len;

    if (!value)
        return NULL;
    text = json_string_value(value);
    len = text ? json_string_length(value) : 0;
    if (!text || !len || len > most || strlen(text) != len) {
        malformed(x, "%s%s must be text of 1 to %d bytes", at->where, name, (int)most);
        return NULL;
    }
    for (c = text; *c; c++)
        if (((unsigned char)*c < 0x20 && !(flags & LINES && *c == '\n')) || *c == 0x7f) {
            malformed(x, "%s%s holds a control character; leave it out", at->where, name);
            return NULL;
        }
    return apr_pstrdup(x->p, text);
}

/* 1 when the member is there and a number in a string. */
static int number_of(reading *x, const place *at, const char *name, int required, po_decimal *d)
{
    json_t *value = member(x, at, name, required);

    d->value = 0;
    d->scale = 0;
    if (!value)
        return 0;
    if (json_is_number(value))
        malformed(x, "%s%s is a JSON number, which no program reads exactly; write it as text: \"12.50\"", at->where, name);
    else if (!json_is_string(value) || strpbrk(json_string_value(value), " \t\r\n")
             || po_decimal_parse(d, json_string_value(value), (apr_ssize_t)json_string_length(value)) != APR_SUCCESS)
        malformed(x, "%s%s must be a plain decimal number as text, like \"12.50\": at most 18 digits, 8 of them behind the "
                  "point, no exponent and no separators", at->where, name);
    else if (d->value < 0)
        malformed(x, "%s%s is negative; all figures are positive, and a credit memo has \"kind\":\"creditMemo\"", at->where,
                  name);
    return !x->wrong;
}

/* An amount of money that can be paid. */
static int amount_of(reading *x, const place *at, const char *name, int required, po_decimal *d)
{
    if (!number_of(x, at, name, required, d))
        return 0;
    if (po_decimal_decimals(d) > x->coin)
        disagree(x, "%s%s is %s, but %s has %d decimals: round it", at->where, name, money(x, d), x->out->currency, x->coin);
    return 1;
}

static place object_at(reading *x, const place *at, const char *name, int required)
{
    place inner = { member(x, at, name, required), apr_pstrcat(x->p, at->where, name, ".", NULL) };

    if (inner.object && !json_is_object(inner.object)) {
        malformed(x, "%s%s must be an object", at->where, name);
        inner.object = NULL;
    }
    return inner;
}

static json_t *list_of(reading *x, const place *at, const char *name, int required, apr_size_t most)
{
    json_t *value = member(x, at, name, required);

    if (!value)
        return NULL;
    if (!json_is_array(value) || !json_array_size(value) || json_array_size(value) > most) {
        malformed(x, "%s%s must be a list of 1 to %d entries", at->where, name, (int)most);
        return NULL;
    }
    return value;
}

static place entry_of(reading *x, json_t *list, const char *name, apr_size_t i)
{
    place at = { json_array_get(list, i), apr_psprintf(x->p, "%s[%d].", name, (int)i) };

    if (!json_is_object(at.object)) {
        malformed(x, "%s[%d] must be an object", name, (int)i);
        at.object = NULL;
    }
    return at;
}

/* ---- dates ------------------------------------------------------------------------------------------------------- */

static int digits(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return 0;
    return 1;
}

/* A timestamp as cXML wants it, at the clock of its writer: another zone may be another day, and the day counts for taxes. A
 * day alone becomes its noon in UTC, which is the same day nearly everywhere. */
static const char *date_of(reading *x, const place *at, const char *name, int required)
{
    const char *text = text_of(x, at, name, required ? REQUIRED : 0, 40), *zone;
    apr_time_t t;

    if (!text)
        return NULL;
    if (digits(text, "0000-00-00") && !text[10])
        text = apr_pstrcat(x->p, text, "T12:00:00+00:00", NULL);
    if (digits(text, "0000-00-00T00:00:00") && po_timestamp_parse(text, &t) == APR_SUCCESS) {
        zone = text + 19;
        if (*zone == '.')
            zone += 1 + strspn(zone + 1, "0123456789");
        if (!strcmp(zone, "Z"))
            return apr_pstrcat(x->p, apr_pstrmemdup(x->p, text, 19), "+00:00", NULL);
        if ((digits(zone, "+00:00") || digits(zone, "-00:00")) && !zone[6])
            return apr_pstrcat(x->p, apr_pstrmemdup(x->p, text, 19), zone, NULL);
    }
    malformed(x, "%s%s must be a day like 2026-11-30 or a time with its zone like 2026-11-30T09:15:00+01:00", at->where,
              name);
    return NULL;
}

static void read_period(reading *x, const place *at, const char **from, const char **to)
{
    place period = object_at(x, at, "period", 0);
    apr_time_t begin, end;

    *from = *to = NULL;
    if (!period.object)
        return;
    only(x, &period, "from to");
    *from = date_of(x, &period, "from", 1);
    *to = date_of(x, &period, "to", 1);
    if (!x->wrong && po_timestamp_parse(*from, &begin) == APR_SUCCESS && po_timestamp_parse(*to, &end) == APR_SUCCESS
        && end < begin)
        disagree(x, "%speriod ends before it begins", at->where);
}

/* ---- parts of an invoice ----------------------------------------------------------------------------------------- */

static void read_partner(reading *x, const place *top, const char *name, int required, po_cxml_partner *out)
{
    place at = object_at(x, top, name, required);

    memset(out, 0, sizeof(*out));
    out->role = name;
    if (!at.object)
        return;
    only(x, &at, "name street city state postalCode country email taxId");
    out->name = text_of(x, &at, "name", REQUIRED, TEXT_BYTES);
    out->street = text_of(x, &at, "street", 0, TEXT_BYTES);
    out->city = text_of(x, &at, "city", 0, TEXT_BYTES);
    out->state = text_of(x, &at, "state", 0, TEXT_BYTES);
    out->postal_code = text_of(x, &at, "postalCode", 0, TEXT_BYTES);
    out->country = text_of(x, &at, "country", 0, 2);
    out->email = text_of(x, &at, "email", 0, TEXT_BYTES);
    out->tax_id = text_of(x, &at, "taxId", 0, TEXT_BYTES);
    if (out->country && (strlen(out->country) != 2 || strspn(out->country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
        malformed(x, "%scountry must be two capital letters (ISO 3166), like DE", at.where);
    if ((out->street || out->city || out->state || out->postal_code || out->country)
        && (!out->street || !out->city || !out->country))
        malformed(x, "%sstreet, city and country go together: give all three or no address", at.where);
}

static void read_tax_details(reading *x, const place *tax)
{
    json_t *list = list_of(x, tax, "details", 0, TAXES_MOST);
    po_decimal sum = { 0, 0 }, rate;
    apr_size_t i;

    if (!list)
        return;
    x->out->taxes = apr_array_make(x->p, (int)json_array_size(list), sizeof(po_invoice_tax));
    for (i = 0; i < json_array_size(list) && !x->wrong; i++) {
        place at = entry_of(x, list, "tax.details", i);
        po_invoice_tax *t = apr_array_push(x->out->taxes);

        memset(t, 0, sizeof(*t));
        only(x, &at, "category rate taxable amount description");
        t->category = text_of(x, &at, "category", REQUIRED, TEXT_BYTES);
        if (number_of(x, &at, "rate", 0, &rate))
            t->rate = text_of(x, &at, "rate", 0, TEXT_BYTES);
        t->has_taxable = amount_of(x, &at, "taxable", 0, &t->taxable);
        amount_of(x, &at, "amount", 1, &t->amount);
        t->description = text_of(x, &at, "description", 0, TEXT_BYTES);
        if (po_decimal_add(&sum, &sum, &t->amount) != APR_SUCCESS)
            disagree(x, "tax.details are more than can be added up");
    }
    if (!x->wrong && po_decimal_compare(&sum, &x->out->tax))
        disagree(x, "tax.amount is %s, but tax.details come to %s", money(x, &x->out->tax), money(x, &sum));
}

static void read_tax(reading *x, const place *top)
{
    place tax = object_at(x, top, "tax", 1);

    if (!tax.object)
        return;
    only(x, &tax, "amount description details");
    amount_of(x, &tax, "amount", 1, &x->out->tax);
    x->out->tax_description = text_of(x, &tax, "description", REQUIRED, TEXT_BYTES);
    read_tax_details(x, &tax);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* Less than one coin apart: the backend has rounded, in whichever direction. */
static int is_rounded(const reading *x, const po_decimal *exact, const po_decimal *amount)
{
    po_decimal coin = { 1, x->coin }, more, less;
    po_decimal negative = { -1, x->coin };

    return po_decimal_add(&more, exact, &coin) == APR_SUCCESS && po_decimal_add(&less, exact, &negative) == APR_SUCCESS
           && po_decimal_compare(amount, &more) < 0 && po_decimal_compare(amount, &less) > 0;
}

/* Money is never rounded here: whoever makes the invoice knows his rule. */
static void read_amount(reading *x, const place *at, po_invoice_line *l)
{
    po_decimal exact, given;

    if (po_decimal_multiply(&exact, &l->quantity, &l->unit_price) != APR_SUCCESS) {
        disagree(x, "%squantity and unitPrice are more than can be multiplied", at->where);
        return;
    }
    if (!amount_of(x, at, "amount", 0, &given)) {
        l->amount = exact;
        if (po_decimal_decimals(&exact) > x->coin)
            disagree(x, "%squantity x unitPrice is %s, but %s has %d decimals: round it, and say so by \"amount\"",
                     at->where, money(x, &exact), x->out->currency, x->coin);
        return;
    }
    l->amount = given;
    if (!is_rounded(x, &exact, &given))
        disagree(x, "%samount is %s, but quantity x unitPrice is %s: they may differ by less than the smallest coin",
                 at->where, money(x, &given), money(x, &exact));
}

static void read_line(reading *x, const place *at, po_invoice_line *l)
{
    json_t *charge;

    only(x, at, "request charge quantity unitPrice amount description period");
    l->request = text_of(x, at, "request", REQUIRED, 40);
    charge = member(x, at, "charge", 1);
    if (charge && (!json_is_integer(charge) || json_integer_value(charge) < 1 || json_integer_value(charge) > CHARGE_MOST))
        malformed(x, "%scharge must be the number of the charge's line in the event, like 1", at->where);
    else
        l->charge = (int)json_integer_value(charge);
    number_of(x, at, "quantity", 1, &l->quantity);
    number_of(x, at, "unitPrice", 1, &l->unit_price);
    if (!x->wrong && (!l->quantity.value || !l->unit_price.value))
        disagree(x, "%squantity and unitPrice must be greater than zero: what costs nothing is not invoiced", at->where);
    if (!x->wrong)
        read_amount(x, at, l);
    l->description = text_of(x, at, "description", 0, TEXT_BYTES);
    read_period(x, at, &l->period_from, &l->period_to);
}

static void read_lines(reading *x, const place *top)
{
    json_t *list = list_of(x, top, "lines", 1, LINES_MOST);
    po_invoice *out = x->out;
    apr_size_t i;

    if (!list)
        return;
    out->lines = apr_array_make(x->p, (int)json_array_size(list), sizeof(po_invoice_line));
    for (i = 0; i < json_array_size(list) && !x->wrong; i++) {
        place at = entry_of(x, list, "lines", i);
        po_invoice_line *l = apr_array_push(out->lines);

        memset(l, 0, sizeof(*l));
        read_line(x, &at, l);
        if (!x->wrong && po_decimal_add(&out->subtotal, &out->subtotal, &l->amount) != APR_SUCCESS)
            disagree(x, "the lines are more than can be added up");
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void compare_sum(reading *x, const place *top, const char *name, const po_decimal *ours)
{
    po_decimal given;

    if (number_of(x, top, name, 0, &given) && po_decimal_compare(&given, ours))
        disagree(x, "%s is %s, but the lines%s come to %s", name, money(x, &given),
                 strcmp(name, "total") ? "" : " and the tax", money(x, ours));
}

static void read_head(reading *x, const place *top)
{
    po_invoice *out = x->out;
    const char *kind;

    only(x, top, "number date kind original buyer seller remitTo billTo currency period comments tax lines subtotal total");
    out->number = text_of(x, top, "number", REQUIRED, NUMBER_BYTES);
    if (out->number && (*out->number == ' ' || out->number[strlen(out->number) - 1] == ' '))
        malformed(x, "number must not begin or end with a blank");
    out->date = date_of(x, top, "date", 1);
    kind = text_of(x, top, "kind", 0, 20);
    if (kind && strcmp(kind, "standard") && strcmp(kind, "creditMemo"))
        malformed(x, "kind must be \"standard\" or \"creditMemo\"");
    out->credit_memo = kind && !strcmp(kind, "creditMemo");
    out->original = text_of(x, top, "original", out->credit_memo ? REQUIRED : 0, NUMBER_BYTES);
    if (out->original && !out->credit_memo)
        malformed(x, "original is for a credit memo; leave it out, or write \"kind\":\"creditMemo\"");
    out->buyer = text_of(x, top, "buyer", 0, TEXT_BYTES);
    out->seller = text_of(x, top, "seller", REQUIRED, TEXT_BYTES);
    out->currency = text_of(x, top, "currency", REQUIRED, 3);
    if (!x->wrong && !po_currency_valid(out->currency))
        malformed(x, "currency must be three capital letters (ISO 4217), like USD");
    x->coin = po_currency_decimals(out->currency);
    read_partner(x, top, "remitTo", 1, &out->remit_to);
    read_partner(x, top, "billTo", 0, &out->bill_to);
    read_period(x, top, &out->period_from, &out->period_to);
    out->comments = text_of(x, top, "comments", LINES, 4 * TEXT_BYTES);
}

static void read_invoice(reading *x, const place *top)
{
    po_invoice *out = x->out;
    char text[PO_DECIMAL_TEXT];
    po_decimal readable;

    read_head(x, top);
    if (!x->wrong)
        read_tax(x, top);
    if (!x->wrong)
        read_lines(x, top);
    if (x->wrong)
        return;
    if (po_decimal_add(&out->total, &out->subtotal, &out->tax) != APR_SUCCESS
        || po_decimal_parse(&readable, po_decimal_text(&out->total, 0, text), -1) != APR_SUCCESS)
        disagree(x, "lines and tax are more than can be added up");     /* the ledger reads them back */
    compare_sum(x, top, "subtotal", &out->subtotal);
    compare_sum(x, top, "total", &out->total);
}

const char *po_invoice_read(po_invoice *out, const char *body, apr_size_t len, int *status, apr_pool_t *p)
{
    reading x = { out, 2, status, NULL, p };
    json_error_t error;
    place top = { json_loadb(body, len, JSON_REJECT_DUPLICATES, &error), "" };

    memset(out, 0, sizeof(*out));
    *status = 200;
    if (!top.object)
        malformed(&x, "The body is no JSON: line %d: %s", error.line, error.text);
    else if (!json_is_object(top.object))
        malformed(&x, "The body must be a JSON object, one invoice");
    else
        read_invoice(&x, &top);
    json_decref(top.object);
    return x.wrong;
}

/* ---- the digest -------------------------------------------------------------------------------------------------- */

/* Lengths first, so that no two invoices run together into the same bytes; absent is not empty. */
static void add(po_crypto *c, const char *text)
{
    apr_uint32_t len = text ? (apr_uint32_t)strlen(text) : 0xffffffffu;
    unsigned char bytes[4] = { (unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8),
                               (unsigned char)len };

    po_sha256_add(c, bytes, sizeof(bytes));
    if (text)
        po_sha256_add(c, text, len);
}

static void add_number(po_crypto *c, const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];

    add(c, po_decimal_text(d, 0, text));        /* 12.5 and 12.50 are the same */
}

static void add_count(po_crypto *c, int n)
{
    po_decimal d = { n, 0 };

    add_number(c, &d);
}

static void add_partner(po_crypto *c, const po_cxml_partner *n)
{
    add(c, n->name);
    add(c, n->street);
    add(c, n->city);
    add(c, n->state);
    add(c, n->postal_code);
    add(c, n->country);
    add(c, n->email);
    add(c, n->tax_id);
}

static void add_taxes(po_crypto *c, const po_invoice *i)
{
    int n;

    add_number(c, &i->tax);
    add(c, i->tax_description);
    add_count(c, i->taxes ? i->taxes->nelts : 0);
    for (n = 0; i->taxes && n < i->taxes->nelts; n++) {
        const po_invoice_tax *t = &APR_ARRAY_IDX(i->taxes, n, po_invoice_tax);

        add(c, t->category);
        add(c, t->rate);
        add_count(c, t->has_taxable);
        add_number(c, &t->taxable);
        add_number(c, &t->amount);
        add(c, t->description);
    }
}

static void add_lines(po_crypto *c, const po_invoice *i)
{
    int n;

    add_count(c, i->lines->nelts);
    for (n = 0; n < i->lines->nelts; n++) {
        const po_invoice_line *l = &APR_ARRAY_IDX(i->lines, n, po_invoice_line);

        add(c, l->request);
        add_count(c, l->charge);
        add_number(c, &l->quantity);
        add_number(c, &l->unit_price);
        add_number(c, &l->amount);
        add(c, l->description);
        add(c, l->period_from);
        add(c, l->period_to);
    }
}

const char *po_invoice_digest(const po_invoice *i, po_crypto *c, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    char *hex = apr_palloc(p, 2 * PO_DIGEST + 1);

    po_sha256_start(c);
    add(c, i->number);
    add(c, i->date);
    add(c, i->original);
    add(c, i->buyer);
    add(c, i->seller);
    add(c, i->currency);
    add_partner(c, &i->remit_to);
    add_partner(c, &i->bill_to);
    add(c, i->period_from);
    add(c, i->period_to);
    add(c, i->comments);
    add_taxes(c, i);
    add_lines(c, i);
    po_sha256_end(c, digest);
    po_hex(hex, digest, sizeof(digest));
    return hex;
}
