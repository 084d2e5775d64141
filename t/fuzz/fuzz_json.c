/* fuzz_json.c - JSON in and out: a backend's answer, a marketplace's catalog and cart, a call of Open Buy, and an event and an
 * item that say any text. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "market/market.h"

static void check_answer(const uint8_t *data, size_t size, apr_pool_t *p)
{
    po_answer a;

    po_answer_read(&a, fuzz_text(data, size, p), size, p);
    fuzz_require(!a.status || !strcmp(a.status, "active") || !strcmp(a.status, "failed"));
    fuzz_require(!a.url || !strncasecmp(a.url, "https://", 8) || !strncasecmp(a.url, "http://", 7));
    fuzz_require(!a.url || !strpbrk(a.url, " \"<>\\\n\r\t"));
    fuzz_require(!a.reason || strlen(a.reason) <= 1024);
    fuzz_require(!a.subscription || strlen(a.subscription) <= 255);
}

static void check_catalog(const uint8_t *data, size_t size, apr_pool_t *p)
{
    static int fd = -1;
    const char *file, *wrong;

    if (fd < 0)
        fd = memfd_create("catalog", MFD_CLOEXEC);
    fuzz_require(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
    file = apr_psprintf(p, "/proc/self/fd/%d", fd);
    wrong = po_catalog_check(file, p);
    if (wrong)
        fuzz_require(!strncmp(wrong, file, strlen(file)) && !strpbrk(wrong, "\n\r"));
}

/* What is taken can be priced or refused, and is read the same way again. */
static void check_cart(const uint8_t *data, size_t size, apr_pool_t *p)
{
    apr_array_header_t *entries;
    const char *canonical, *again;
    const char *wrong = po_cart_json_read((const char *)data, size, "USD", &entries, &canonical, p);
    po_buyer buyer = { 0 };
    po_site site = { 0 };
    int i;

    if (wrong) {
        fuzz_require(*wrong && !strpbrk(wrong, "\n\r\033"));
        return;
    }
    fuzz_require(!po_cart_json_read(canonical, strlen(canonical), "USD", &entries, &again, p) && !strcmp(canonical, again));
    fuzz_require(entries->nelts >= 1 && entries->nelts <= 200);
    buyer.profile = *po_profile_find("generic");
    for (i = 0; i < entries->nelts; i++) {
        const po_cart_entry *e = &APR_ARRAY_IDX(entries, i, po_cart_entry);
        po_request r = { 0 };

        fuzz_require(e->own || e->form.offer);
        r.id = "req-0123456789abcdef";
        if (e->own && !po_cart_build(&r, e->own, &e->form, &site, &buyer, p))
            fuzz_require(r.charges->nelts >= 1 && r.currency);
    }
}

/* What is taken keeps to its limits, and an item that says it is JSON again. */
static void check_openbuy(const uint8_t *data, size_t size, apr_pool_t *p)
{
    po_openbuy_item item = { 0 };
    po_buyer buyer = { 0 };
    const char *text, *answer;
    po_openbuy *o;
    json_t *said;
    int page;

    if (po_openbuy_read(&o, (const char *)data, size, p))
        return;
    buyer.openbuy_fields = apr_array_make(p, 1, sizeof(po_openbuy_field));
    APR_ARRAY_PUSH(buyer.openbuy_fields, po_openbuy_field) =
        (po_openbuy_field){ "source_part_num", "id", PO_OPENBUY_NUMBER };
    po_openbuy_who(o, &text, &answer);
    if (!po_openbuy_email(o, &buyer, &text, p) && text)
        fuzz_require(!strpbrk(text, " \r\n,<>") && strchr(text, '@'));
    if (!po_openbuy_search(o, &buyer, &item.name, &page, p))
        fuzz_require(page >= 1 && strlen(item.name) <= PO_SEARCH_BYTES);
    if (!po_openbuy_quantity(o, &buyer, &text, p))
        fuzz_require(*text >= '1' && *text <= '9' && strspn(text, "0123456789") == strlen(text));
    if (!po_openbuy_part(o, &buyer, &item.source_part_num, p))
        fuzz_require(*item.source_part_num);
    answer = po_openbuy_item_json(&item, &buyer, p);
    fuzz_require((said = json_loads(answer, JSON_REJECT_DUPLICATES, NULL)));
    text = json_string_value(json_object_get(said, "id"));
    fuzz_require(!text || !strcmp(text, item.source_part_num));
    json_decref(said);
}

/* ---- the event ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *next;
    apr_pool_t *p;
} source;

/* The input's next piece, up to a NUL or 40 bytes. */
static const char *text(source *s)
{
    size_t n = strnlen(s->next, 40);
    const char *out = apr_pstrmemdup(s->p, s->next, n);

    s->next += n;
    if (*s->next == '\n')
        s->next++;
    return out;
}

static apr_array_header_t *pairs(source *s)
{
    apr_array_header_t *list = apr_array_make(s->p, 3, sizeof(po_cxml_extrinsic));
    int i;

    for (i = 0; i < 3; i++) {
        po_cxml_extrinsic *e = apr_array_push(list);

        e->name = text(s);
        e->value = text(s);
    }
    return list;
}

static void fill_request(po_request *r, source *s)
{
    po_charge *c;

    memset(r, 0, sizeof(*r));
    r->id = "req-0123456789abcdef";
    r->buyer = r->organization = "acme";
    r->product = text(s);
    r->offer = text(s);
    r->seller = text(s);
    r->pricing = "contract";
    r->action = "new";
    r->currency = "USD";
    r->user = text(s);
    r->email = text(s);
    r->user_name = text(s);
    r->term = text(s);
    r->subscription = text(s);
    r->charges = apr_array_make(s->p, 1, sizeof(po_charge));
    c = apr_array_push(r->charges);
    memset(c, 0, sizeof(*c));
    c->line = 1;
    c->kind = "contract";
    c->part = r->offer;
    c->unit = text(s);
    c->currency = "USD";
    c->quantity.value = c->unit_price.value = 1;
    c->state = PO_CHARGE_ORDERED;
    c->order_id = text(s);
    c->order_line = 1;
}

static void fill_order(po_cxml_order *o, po_cxml_address *a, source *s)
{
    po_cxml_item *item;

    memset(o, 0, sizeof(*o));
    memset(a, 0, sizeof(*a));
    o->order_id = text(s);
    o->order_date = text(s);
    o->ship_to = o->contact = a;
    a->name = text(s);
    a->street = text(s);
    o->extrinsics = pairs(s);
    o->items = apr_array_make(s->p, 1, sizeof(po_cxml_item));
    item = apr_array_push(o->items);
    memset(item, 0, sizeof(*item));
    item->line = 1;
    item->accounting = pairs(s);
}

static int is_utf8(const char *text)
{
    json_t *j = json_string(text);

    json_decref(j);
    return j != NULL;
}

/* Names that are no UTF-8 don't come out of a document; here two may become the same one. */
static size_t flags_for(const po_cxml_order *o)
{
    int i;

    for (i = 0; i < o->extrinsics->nelts; i++)
        if (!is_utf8(APR_ARRAY_IDX(o->extrinsics, i, po_cxml_extrinsic).name))
            return 0;
    return JSON_REJECT_DUPLICATES;
}

/* jansson reads it, and text that is UTF-8 says in it what it said. */
static void check_event(const uint8_t *data, size_t size, apr_pool_t *p)
{
    source s = { fuzz_text(data, size, p), p };
    po_cxml_address address;
    po_cxml_order order;
    po_request r;
    po_event e = { "evt-0123456789abcdef", "marketplace.subscription.approved", "https://market.example/punchout/acme",
                   "https://market.example/punchout/fulfilled/evt-0123456789abcdef", "tok-1", 0, &r, &order, NULL };
    json_t *event;
    const char *got;

    fill_request(&r, &s);
    fill_order(&order, &address, &s);
    e.order_payload = text(&s);
    event = json_loads(po_event_json(&e, p), flags_for(&order), NULL);
    fuzz_require(event);
    got = json_string_value(json_object_get(json_object_get(event, "data"), "product"));
    fuzz_require(got);
    fuzz_require(!is_utf8(r.product) || !strcmp(got, r.product));
    json_decref(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();

    check_answer(data, size, p);
    check_catalog(data, size, p);
    check_cart(data, size, p);
    check_openbuy(data, size, p);
    check_event(data, size, p);
    apr_pool_destroy(p);
    return 0;
}
