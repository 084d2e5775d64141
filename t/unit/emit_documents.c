/* emit_documents.c - writes each kind of document that we send into a folder, for t/dtd.sh to validate: as each profile
 * wants it, and for each version of the DTD. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "market/market.h"
#include "sample_documents.h"

static const char *folder;
static apr_pool_t *pool;

/* FOLDER/DTD+WHOSE+NAME.xml */
static void save(const char *whose, const char *name, const po_cxml_envelope *e, const po_buffer *b)
{
    const char *path = apr_pstrcat(pool, folder, "/", e->dtd, "+", whose, "+", name, ".xml", NULL);
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f)) {
        fprintf(stderr, "%s can't be written\n", path);
        exit(1);
    }
}

static void responses(const char *whose, const po_cxml_envelope *e)
{
    po_buffer b;
    int i;

    for (i = 0; i < SAMPLE_STATUSES; i++) {
        po_buffer_init(&b, pool, 512);
        po_cxml_write_status(&b, e, sample_statuses[i].code, sample_statuses[i].detail);
        save(whose, sample_statuses[i].name, e, &b);
    }
    po_buffer_init(&b, pool, 64);
    po_cxml_write_setup_response(&b, e, SAMPLE_DOOR "/start/", "AAAAbcdefghijklmnopqrstu");
    save(whose, "setup-response", e, &b);
    po_buffer_init(&b, pool, 64);
    po_cxml_write_profile_response(&b, e, SAMPLE_DOOR, apr_time_from_sec(1795428900));
    save(whose, "profile-response", e, &b);
}

static void carts(const char *whose, const po_cxml_envelope *e)
{
    const apr_array_header_t *list = sample_carts(pool);
    po_buffer b;
    int i;

    for (i = 0; i < list->nelts; i++) {
        const sample_cart *s = &APR_ARRAY_IDX(list, i, sample_cart);

        po_buffer_init(&b, pool, 4096);
        po_cxml_write_cart(&b, e, &s->cart);
        save(whose, s->name, e, &b);
    }
}

/* Requests that we send by ourselves declare a DTD of their own. */
static void own_requests(const char *whose, const char *dtd, int ascii)
{
    po_cxml_envelope e = { "1795428900.93.4471@market.example", "2026-11-23T10:15:00+00:00", dtd, ascii };
    po_cxml_header header = { { "DUNS", "111111111" }, { "NetworkID", "AN01 & <AN02>" }, { "DUNS", "111111111" },
                              "mod_punchout/0.1", 1, ascii };
    const apr_array_header_t *list = sample_confirmations(&header, pool);
    po_buffer b;
    int i;

    if (ascii)
        whose = apr_pstrcat(pool, whose, "-ascii", NULL);
    for (i = 0; i < list->nelts; i++) {
        const sample_confirmation *s = &APR_ARRAY_IDX(list, i, sample_confirmation);

        po_buffer_init(&b, pool, 1024);
        po_cxml_write_confirmation(&b, &e, &s->confirmation);
        save(whose, s->name, &e, &b);
    }
    list = sample_invoices(&header, pool);
    for (i = 0; i < list->nelts; i++) {
        const sample_invoice *s = &APR_ARRAY_IDX(list, i, sample_invoice);

        po_buffer_init(&b, pool, 4096);
        po_cxml_write_invoice(&b, &e, &s->invoice);
        save(whose, s->name, &e, &b);
    }
}

static void documents(const char *whose, const char *dtd, int ascii)
{
    po_cxml_envelope e = { "1795428900.93.4471@market.example", "2026-11-23T10:15:00+00:00", dtd, ascii };

    if (ascii)
        whose = apr_pstrcat(pool, whose, "-ascii", NULL);
    responses(whose, &e);
    carts(whose, &e);
}

/* What a real offer becomes in each word of PunchOutLines, for a contract with usage and for a free offer. */
static void lines_of(const po_profile *profile, const char *word, po_lines lines, const char *pricing)
{
    po_cxml_envelope e = { "1795428900.93.4471@market.example", "2026-11-23T10:15:00+00:00", profile->dtd, profile->ascii_only };
    po_usage u = { "gb", "GB ingested", "E34", { 25, 2 } };
    po_offer offer = { .product = "prod", .name = "Log Keeper", .seller = "Keeper Ltd", .offer = "off-both",
                       .pricing = pricing, .term = "P12M" };
    po_cxml_cart cart = { { "DUNS", "111111111" }, { "NetworkID", "AN01000000099" }, "mod_punchout/0.1" };
    po_request_form form = { .quantity = "3", .budget = "500" };
    po_site site = { .usage_budget = NULL };
    po_buyer buyer = { .profile = *profile, .currency = "USD", .lines = lines };
    po_request request = { .id = "req-4x8w" };
    po_buffer b;

    if (!strcmp(pricing, "contract")) {
        offer.price = (po_decimal){ 1200, 0 };
        offer.usage = apr_array_make(pool, 1, sizeof(po_usage));
        APR_ARRAY_PUSH(offer.usage, po_usage) = u;
    }
    cart.buyer_cookie = "bc-7f21";
    cart.operation_allowed = "edit";
    if (po_cart_build(&request, &offer, &form, &site, &buyer, pool)
        || po_cart_items(&request, &buyer, &cart, pool) != APR_SUCCESS) {
        fprintf(stderr, "there is no cart of %s %s lines\n", pricing, word);
        exit(1);
    }
    po_buffer_init(&b, pool, 4096);
    po_cxml_write_cart(&b, &e, &cart);
    save(profile->name, apr_pstrcat(pool, "lines-", word, "-", pricing, NULL), &e, &b);
}

static void lines(const po_profile *profile)
{
    static const char *const words[] = { "classic", "single", "split" };       /* in the order of po_lines */
    int i;

    for (i = 0; i < 3; i++) {
        lines_of(profile, words[i], (po_lines)i, "contract");
        lines_of(profile, words[i], (po_lines)i, "free");
    }
}

int main(int argc, char **argv)
{
    static const char *const versions[] = { "1.1.010", "1.2.014", "1.2.037", "1.2.063", "1.2.071" };
    static const char *const post_versions[] = { "1.2.020", "1.2.037", "1.2.063", "1.2.071" };
    const po_profile *profile;
    char *names, *name, *rest;
    apr_size_t i;

    if (argc != 2) {
        fprintf(stderr, "usage: emit_documents FOLDER\n");
        return 2;
    }
    folder = argv[1];
    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        documents("version", versions[i], 0);
        documents("version", versions[i], 1);
    }
    for (i = 0; i < sizeof(post_versions) / sizeof(post_versions[0]); i++) {
        own_requests("version", post_versions[i], 0);
        own_requests("version", post_versions[i], 1);
    }
    names = apr_pstrdup(pool, po_profile_names(pool));
    while ((name = apr_strtok(names, ", ", &rest))) {
        names = NULL;
        profile = po_profile_find(name);
        documents(name, profile->dtd, profile->ascii_only);
        lines(profile);
        own_requests(name, profile->post_dtd, profile->ascii_only);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
