/* fuzz_form.c - what a browser may say: form fields become carts whose sums are right, or sentences.
 *
 * An input is lines: two characters that choose offer and buyer, then quantity, budget, action, subscription, terms, a
 * number, an auxiliary id, a return URL.
 */
#include "fuzz.h"

#include "market/market.h"

#define LINES 9
#define QUANTITY_MAX 1000000000000LL
#define OFFERS 7

static const char *const pricings[OFFERS] = { "contract", "usage", "free", "byol", "trial", "usage", "contract" };

static po_decimal number(const char *text)
{
    po_decimal d;

    fuzz_require(po_decimal_parse(&d, text, -1) == APR_SUCCESS);
    return d;
}

static void add_usage(po_offer *offer, const char *dimension, const char *price, const char *unit)
{
    po_usage u = { dimension, "a unit of it", unit, number(price) };

    APR_ARRAY_PUSH(offer->usage, po_usage) = u;
}

/* Every pricing kind; 5: three dimensions, 6: a contract with usage. */
static void make_offer(po_offer *offer, unsigned which, apr_pool_t *p)
{
    memset(offer, 0, sizeof(*offer));
    offer->product = "prod-ab12";
    offer->name = "Log Keeper";
    offer->seller = "Keeper Ltd";
    offer->offer = "off-1";
    offer->pricing = pricings[which];
    offer->currency = which == 4 ? NULL : "USD";
    offer->term = which == 1 ? NULL : "P12M";
    offer->terms_version = which == 0 ? "3" : NULL;
    offer->price = number(which == 0 ? "1200.00" : which == 6 ? "99999.9999" : "0");
    offer->has_price = which == 0 || which == 6;
    if (which != 1 && which < 5)
        return;
    offer->usage = apr_array_make(p, 3, sizeof(po_usage));
    add_usage(offer, "hour", "0.0925", "HUR");
    if (which == 5) {
        add_usage(offer, "gb", "0.00000001", "E34");
        add_usage(offer, "call", "12345.6789", NULL);
    }
}

static void make_buyer(po_buyer *buyer, unsigned which, apr_pool_t *p)
{
    static const char *const names[] = { "generic", "coupa", "ariba", "jaggaer", "oracle", "workday", "d365" };
    po_return_host *host;

    memset(buyer, 0, sizeof(*buyer));
    buyer->name = buyer->organization = "acme";
    buyer->profile = *po_profile_find(names[which % 7]);
    buyer->currency = "JPY";
    buyer->preapprove = which & 1 ? PO_PREAPPROVE_FREE | PO_PREAPPROVE_BYOL : 0;
    buyer->units = apr_table_make(p, 1);
    buyer->return_hosts = apr_array_make(p, 2, sizeof(po_return_host));
    host = apr_array_push(buyer->return_hosts);
    fuzz_require(!po_return_host_parse(host, ".buyer.example:*", p));
    host = apr_array_push(buyer->return_hosts);
    fuzz_require(!po_return_host_parse(host, "acme.example", p));
}

/* ---- what must hold ------------------------------------------------------------------------------------------- */

static void check_cart(const po_request *r, const po_buyer *buyer, apr_pool_t *p)
{
    po_decimal sum = { 0, 0 }, total, line;
    po_cxml_cart cart;
    int i;

    fuzz_require(r->charges->nelts > 0);
    for (i = 0; i < r->charges->nelts; i++) {
        const po_charge *c = &APR_ARRAY_IDX(r->charges, i, po_charge);

        fuzz_require(c->line == i + 1 && c->unit_price.value >= 0);
        fuzz_require(c->quantity.scale == 0 && c->quantity.value >= 1 && c->quantity.value <= QUANTITY_MAX);
        fuzz_require(po_decimal_multiply(&line, &c->quantity, &c->unit_price) == APR_SUCCESS);
        fuzz_require(po_decimal_add(&sum, &sum, &line) == APR_SUCCESS);
    }
    fuzz_require(po_request_total(r, &total) == APR_SUCCESS);
    fuzz_require(total.value >= 0 && !po_decimal_compare(&total, &sum));
    memset(&cart, 0, sizeof(cart));
    fuzz_require(po_cart_items(r, buyer, &cart, p) == APR_SUCCESS);
    fuzz_require(cart.items->nelts == r->charges->nelts);
    /* an order brings the sum back: it has to be a number that we read */
    fuzz_require(po_decimal_parse(&line, cart.total, -1) == APR_SUCCESS);
    fuzz_require(!po_decimal_compare(&line, &total));
}

static void check_budget(const po_request *r)
{
    po_decimal budget, total;

    if (!r->budget || strcmp(r->pricing, "usage"))
        return;
    fuzz_require(po_decimal_parse(&budget, r->budget, -1) == APR_SUCCESS);
    fuzz_require(po_request_total(r, &total) == APR_SUCCESS);
    fuzz_require(po_decimal_compare(&total, &budget) >= 0);
}

static void check_number(const char *text, apr_size_t len)
{
    char out[PO_DECIMAL_TEXT];
    po_decimal d, again;

    if (po_decimal_parse(&d, text, (apr_ssize_t)len) != APR_SUCCESS)
        return;
    fuzz_require(d.scale >= 0 && d.scale <= PO_DECIMAL_SCALE_MAX);
    po_decimal_text(&d, 2, out);
    fuzz_require(strlen(out) < PO_DECIMAL_TEXT);
    fuzz_require(po_decimal_parse(&again, out, -1) == APR_SUCCESS);
    fuzz_require(!po_decimal_compare(&d, &again));
}

static void check_auxiliary(const char *text, apr_pool_t *p)
{
    const char *request = NULL, *id;
    int line = 0, again = 0;

    if (!po_auxiliary_parse(text, &request, &line, p))
        return;
    fuzz_require(line >= 1 && !strncmp(request, "req-", 4));
    fuzz_require(po_auxiliary_parse(apr_psprintf(p, "%s.%d", request, line), &id, &again, p));
    fuzz_require(line == again && !strcmp(id, request));
}

/* What a browser would make of it: the host is what stands between :// and the next / ? or :. */
static void check_url(const po_buyer *buyer, const char *url, apr_pool_t *p)
{
    const char *host, *end;
    char *lower, *c;
    size_t n;

    if (po_return_url_refused(buyer, url, p))
        return;
    fuzz_require(!strncasecmp(url, "https://", 8));
    host = url + 8;
    n = strcspn(host, "/?#\\");
    fuzz_require(!memchr(host, '@', n) && !host[n + strcspn(host + n, "#\\")]);
    end = memchr(host, ':', n);
    lower = apr_pstrmemdup(p, host, end ? (apr_size_t)(end - host) : n);
    for (c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    n = strlen(lower);
    fuzz_require(!strcmp(lower, "acme.example") || (n > 14 && !strcmp(lower + n - 14, ".buyer.example")));
}

/* ---- one input ------------------------------------------------------------------------------------------------ */

static void build(char *const line[LINES], apr_pool_t *p)
{
    po_request_form form = { "off-1", line[1], line[2], line[3], line[4], line[5] };
    unsigned which = (unsigned char)line[0][0] % OFFERS, other = line[0][0] ? (unsigned char)line[0][1] : 0;
    po_request r;
    po_offer offer;
    po_buyer buyer;
    po_site site;
    const char *wrong;

    memset(&r, 0, sizeof(r));
    memset(&site, 0, sizeof(site));
    r.id = "req-0123456789abcdef";
    if (other & 8)
        site.usage_budget = "100.00";
    make_offer(&offer, which, p);
    make_buyer(&buyer, other, p);
    wrong = po_cart_build(&r, &offer, &form, &site, &buyer, p);
    if (wrong)
        fuzz_require(*wrong);
    else {
        check_cart(&r, &buyer, p);
        check_budget(&r);
    }
    check_url(&buyer, line[8], p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    char *rest = fuzz_text(data, size, p), *line[LINES], none[] = "";
    int i;

    for (i = 0; i < LINES; i++) {
        line[i] = rest ? rest : none;
        if (rest && (rest = strchr(rest, '\n')))
            *rest++ = '\0';
    }
    build(line, p);
    check_number(line[6], strlen(line[6]));
    check_number((const char *)data, size);
    check_auxiliary(line[7], p);
    apr_pool_destroy(p);
    return 0;
}
