/* catalog_index.c - index.cif and index.xml: what a buyer may see, for the search of his own procurement system
 * (level 2). */
#include "handlers/handlers.h"

#include "util_script.h"

APLOG_USE_MODULE(punchout);

#define CHUNK 32768                     /* what is written at once: memory stays the same however long the catalog is */
#define DESCRIPTION_BYTES 2000          /* Ariba's limits, in bytes (cxml.md §9) */
#define SHORT_NAME_BYTES 50
#define INDEX_DTD "1.2.063"             /* at least: older ones know no price and no level in an Index */

typedef struct {
    request_rec *r;
    const po_site *site;
    const po_buyer *buyer;
    po_cxml_index index;
    int cif;
    apr_time_t since;                   /* 0: all */
    po_buffer chunk;
} listing;

/* ---- one product ------------------------------------------------------------------------------------------------ */

static void write_item(listing *l, const po_offer *o, apr_pool_t *p)
{
    po_cxml_index_item item = { 0 };
    po_shown_price price;

    po_offer_price(o, l->buyer, &price, p);
    item.part = o->product;
    item.short_name = po_utf8_cut(o->name, SHORT_NAME_BYTES, p);
    item.description = po_utf8_cut(o->description ? apr_pstrcat(p, o->name, ": ", o->description, NULL) : o->name,
                                   DESCRIPTION_BYTES, p);
    item.unspsc = PO_UNSPSC;
    item.manufacturer = o->seller;
    item.punchout_url = apr_pstrcat(p, l->site->door, "/setup", NULL);
    item.page_url = po_product_url(l->site, o->product, p);
    item.unit_price = price.price;
    item.currency = price.currency;
    item.unit = price.unit;
    if (l->cif)
        po_cif_write_item(&l->chunk, &l->index, &item);
    else
        po_cxml_write_index_item(&l->chunk, &item);
}

/* 1: the client is gone. */
static int send_chunk(listing *l)
{
    int rc = ap_rwrite(l->chunk.data, (int)l->chunk.len, l->r);

    l->chunk.len = 0;
    return rc < 0 || l->r->connection->aborted;
}

static int write_entry(void *baton, const po_catalog_entry *e, apr_pool_t *p)
{
    listing *l = baton;

    if (e->offer)
        write_item(l, e->offer, p);
    else if (l->cif)
        po_cif_write_delete(&l->chunk, &l->index, e->product);
    else
        po_cxml_write_index_delete(&l->chunk, e->product);
    return l->chunk.len > CHUNK / 2 && send_chunk(l);
}

/* ---- who asks for what ------------------------------------------------------------------------------------------- */

/* A user who has a buyer's name gets that buyer's index; anybody else, an operator, says whose. */
static const po_buyer *find_buyer(request_rec *r, const po_site *site, const char *asked)
{
    const po_buyer *own = r->user ? po_site_buyer(site, r->user) : NULL;

    if (own)
        return asked && strcmp(asked, own->name) ? NULL : own;
    return asked ? po_site_buyer(site, asked) : NULL;
}

/* "2026-11-24" or with a time; 0 when it is neither. */
static int read_since(const char *text, apr_time_t *since, apr_pool_t *p)
{
    if (strlen(text) == 10)
        text = apr_pstrcat(p, text, "T00:00:00Z", NULL);
    return po_timestamp_parse(text, since) == APR_SUCCESS && *since > 0;
}

static int problem(request_rec *r, int status, const char *title, const char *text)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0191: no index for user %s: %s", r->user ? r->user : "(none)", text);
    return po_page_problem(r, status, title, text);
}

/* 0: a page was sent, and *rc is what the handler returns. */
static int read_question(listing *l, int *rc)
{
    request_rec *r = l->r;
    const char *since;
    apr_table_t *args;

    if (!r->user) {                     /* no Require asked who it is */
        *rc = problem(r, HTTP_FORBIDDEN, "Not protected", "The index shows what a buyer pays. Protect it in httpd's "
                      "configuration, with AuthType and \"Require valid-user\" in a <Location> of its own; see the "
                      "manual.");
        return 0;
    }
    ap_args_to_table(r, &args);
    if (!(l->buyer = find_buyer(r, l->site, apr_table_get(args, "buyer")))) {
        *rc = problem(r, HTTP_FORBIDDEN, "Whose index?", "Sign in under the name of a PunchOutBuyer, or as "
                      "somebody else and name one: index.xml?buyer=NAME.");
        return 0;
    }
    if ((since = apr_table_get(args, "since")) && !read_since(since, &l->since, r->pool)) {
        *rc = problem(r, HTTP_BAD_REQUEST, "Since when?", "Write a date or a time of ISO 8601, like "
                      "since=2026-11-24 or since=2026-11-24T08:00:00Z.");
        return 0;
    }
    return 1;
}

static int no_catalog(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0192: no index without a usable PunchOutCatalog");
    return po_page_problem(r, HTTP_SERVICE_UNAVAILABLE, "Not at the moment", "The catalog can't be read just now. "
                           "Try again in a few minutes.");
}

/* The compiled catalog is named by its digest; what a buyer sees of it the configuration says, too. Weak: CIF tells the
 * time. */
static void set_etag(const listing *l, po_crypto *c)
{
    const char *parts = apr_psprintf(l->r->pool, "%s %s %" APR_TIME_T_FMT " %d %" APR_TIME_T_FMT, l->site->catalog_db,
                                     l->buyer->name, l->since, l->cif, po_child_configured());
    const char *hex = po_sha256_hex(c, parts, strlen(parts), l->r->pool);

    apr_table_setn(l->r->headers_out, "ETag", apr_psprintf(l->r->pool, "W/\"%.32s\"", hex));
    apr_table_setn(l->r->headers_out, "Cache-Control", "private, no-cache");
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static void open_listing(listing *l, int items)
{
    char stamp[PO_TIMESTAMP];

    po_timestamp(l->r->request_time, stamp);
    stamp[10] = ' ';
    stamp[19] = '\0';                   /* UTC */
    if (l->cif)
        po_cif_write_open(&l->chunk, &l->index, items, stamp, l->buyer->currency ? l->buyer->currency : "USD");
    else
        po_cxml_write_index_open(&l->chunk, &l->index);
}

static int send_listing(listing *l, po_catalog *catalog, int items)
{
    apr_status_t rv;

    ap_set_content_type(l->r, l->cif ? "text/plain; charset=UTF-8" : "text/xml; charset=UTF-8");
    if (l->cif)
        apr_table_setn(l->r->headers_out, "Content-Disposition", "attachment; filename=\"index.cif\"");
    if (l->r->header_only)
        return OK;
    po_buffer_init(&l->chunk, l->r->pool, CHUNK);
    open_listing(l, items);
    rv = po_catalog_walk(catalog, l->buyer, l->since, write_entry, l, l->r->pool);
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, l->r, "PO0193: the catalog could not be read to its end; the index "
                      "for buyer %s is cut off", l->buyer->name);
        l->r->connection->aborted = 1;  /* half an index must not pass for a whole one */
        return OK;
    }
    if (l->cif)
        po_cif_write_close(&l->chunk);
    else
        po_cxml_write_index_close(&l->chunk);
    send_chunk(l);
    return OK;
}

int po_handle_index(request_rec *r, const po_site *site, int cif)
{
    listing l = { .r = r, .site = site, .cif = cif };
    po_thread *t = po_thread_get();
    const po_credential *us;
    po_catalog *catalog;
    int rc, items;

    if (!t)
        return HTTP_SERVICE_UNAVAILABLE;
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!read_question(&l, &rc))
        return rc;
    if (!(catalog = po_thread_catalog(t, site)) || !(us = po_site_identity(site, l.buyer, NULL))
        || po_catalog_count(catalog, l.buyer, l.since, &items, r->pool) != APR_SUCCESS)
        return no_catalog(r);
    if (!items)
        return HTTP_NO_CONTENT;         /* an Index holds one item at least */
    l.index.dtd = strcmp(l.buyer->profile.dtd, INDEX_DTD) > 0 ? l.buyer->profile.dtd : INDEX_DTD;
    l.index.ascii = l.buyer->profile.ascii_only;
    l.index.incremental = l.since != 0;
    l.index.supplier = *us;
    set_etag(&l, t->crypto);
    if ((rc = ap_meets_conditions(r)) != OK)
        return rc;
    return send_listing(&l, catalog, items);
}
