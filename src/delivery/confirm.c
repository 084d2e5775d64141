/* confirm.c - ConfirmationRequests: each purchase order of a request, once all that it ordered is decided. */
#include "delivery/delivery_private.h"

#include "apr_strings.h"

/* In the ledger's writer thread alone, like every job. */
static po_crypto *crypto_of_writer(void)
{
    static po_crypto *crypto;

    if (!crypto)
        crypto = po_crypto_create();
    return crypto;
}

/* ---- what its lines are about --------------------------------------------------------------------------------- */

/* A request that an earlier line is about, the one at hand, or as the ledger has it. */
static apr_status_t find_request(po_ledger_db *db, const po_taken_order *order, int before, const po_request *r,
                                 po_taken_line *l, apr_pool_t *p)
{
    po_request *other;
    apr_status_t rv;
    int i;

    for (i = 0; i < before; i++) {
        const po_taken_line *earlier = &APR_ARRAY_IDX(order->lines, i, po_taken_line);

        if (earlier->about && !strcmp(earlier->request, l->request)) {
            l->about = earlier->about;
            l->open = earlier->open;
            return APR_SUCCESS;
        }
    }
    l->about = r;
    if (strcmp(l->request, r->id)) {
        rv = po_request_get(db, r->site, l->request, p, &other);
        if (rv != APR_SUCCESS)
            return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
        l->about = other;
    }
    return po_outbox_open(db, r->site, l->request, &l->open);
}

static apr_status_t find_requests(po_ledger_db *db, const po_taken_order *order, const po_request *r, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < order->lines->nelts; i++) {
        po_taken_line *l = &APR_ARRAY_IDX(order->lines, i, po_taken_line);

        if (l->request)
            rv = find_request(db, order, i, r, l, p);
    }
    return rv;
}

/* ---- the document --------------------------------------------------------------------------------------------- */

static void add_text(po_crypto *c, const char *text)
{
    po_sha256_add(c, text ? text : "-", text ? strlen(text) + 1 : 1);
}

/* Of what it says, not of when: the same is not said twice. */
static const char *digest_of(po_crypto *c, const po_taken_order *order, const po_confirmation *said, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    char *hex = apr_palloc(p, 2 * PO_DIGEST + 1);
    int i;

    po_sha256_start(c);
    add_text(c, order->payload_id);
    add_text(c, said->type);
    add_text(c, said->comments);
    for (i = 0; said->items && i < said->items->nelts; i++) {
        const po_cxml_confirmation_item *item = &APR_ARRAY_IDX(said->items, i, po_cxml_confirmation_item);

        add_text(c, apr_psprintf(p, "%d %s %s %d", item->line, item->quantity, item->unit, item->rejected));
        add_text(c, item->comments);
    }
    po_sha256_end(c, digest);
    po_hex(hex, digest, PO_DIGEST);
    return hex;
}

typedef struct {
    const po_site *site;
    const po_buyer *buyer;
    const po_request *request;
    apr_time_t now;
    apr_pool_t *pool;
    po_confirmation said;
    po_confirmation_record last;        /* changed into the new one */
    const char *updates;
} confirming;

static const char *write_document(const confirming *x, const po_taken_order *order, int test)
{
    char *stamp = apr_palloc(x->pool, PO_TIMESTAMP);
    po_cxml_envelope e = { x->last.payload_id, po_timestamp(x->now, stamp), x->buyer->profile.post_dtd,
                           x->buyer->profile.ascii_only };
    po_cxml_header header;
    po_cxml_confirmation c = { &header, { order->order_id, order->order_date, order->payload_id }, x->said.type,
                               x->last.confirm_id, stamp, x->updates, x->said.comments, x->said.items };
    po_buffer b;

    po_delivery_header(&header, x->site, x->buyer, test);
    po_buffer_init(&b, x->pool, 2048);
    po_cxml_write_confirmation(&b, &e, &c);
    return po_buffer_text(&b);
}

/* Documents about one order are one lane, whichever of its requests was the last to be decided. */
static const char *lane_of(const po_taken_order *order, const po_request *r)
{
    int i;

    for (i = 0; i < order->lines->nelts; i++)
        if (APR_ARRAY_IDX(order->lines, i, po_taken_line).request)
            return APR_ARRAY_IDX(order->lines, i, po_taken_line).request;
    return r->id;
}

static apr_status_t queue(po_ledger_db *db, confirming *x, const po_taken_order *order, const char *digest)
{
    po_crypto *c = crypto_of_writer();
    po_post_document d = { PO_POST_CONFIRMATION, x->buyer, lane_of(order, x->request), order->payload_id };
    int test = order->test || x->request->test || x->request->state == PO_STATE_TESTED;
    char id[PO_ID_TEXT];
    apr_status_t rv;

    x->updates = x->last.digest ? x->last.payload_id : NULL;
    if (!x->updates) {
        if ((rv = po_id(c, "cnf", id)) != APR_SUCCESS)
            return rv;
        x->last.confirm_id = apr_pstrdup(x->pool, id);
    }
    x->last.digest = digest;
    x->last.payload_id = d.payload_id = po_payload_id(c, x->site->host, x->now, x->pool);
    d.body = write_document(x, order, test);
    rv = po_delivery_post(db, x->site, &d, x->now, x->pool);
    return rv == APR_SUCCESS ? po_confirmation_put(db, &x->last) : rv;
}

static apr_status_t confirm_order(po_ledger_db *db, const confirming *about, const char *order_id)
{
    confirming x = *about;
    po_taken_order order;
    const char *digest;
    apr_status_t rv = po_order_read_taken(db, x.request->site, x.buyer->name, x.request->test, order_id, x.pool,
                                          &order);

    if (rv != APR_SUCCESS)
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    rv = find_requests(db, &order, x.request, x.pool);
    if (rv != APR_SUCCESS)
        return rv;
    po_confirmation_decide(&order, x.buyer, &x.said, x.pool);
    if (!x.said.type)
        return APR_SUCCESS;
    x.last.site = x.request->site;
    x.last.buyer = x.buyer->name;
    x.last.test = order.test;
    x.last.order_id = order_id;
    rv = po_confirmation_last(db, &x.last, x.pool);
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
        return rv;
    digest = digest_of(crypto_of_writer(), &order, &x.said, x.pool);
    if (x.last.digest && !strcmp(x.last.digest, digest))
        return APR_SUCCESS;
    return queue(db, &x, &order, digest);
}

static int seen_before(const po_request *r, int i)
{
    const char *id = APR_ARRAY_IDX(r->charges, i, po_charge).order_id;

    while (i-- > 0) {
        const char *earlier = APR_ARRAY_IDX(r->charges, i, po_charge).order_id;

        if (earlier && !strcmp(earlier, id))
            return 1;
    }
    return 0;
}

apr_status_t po_delivery_confirm(po_ledger_db *db, const po_site *site, const po_request *r, apr_time_t now,
                                 apr_pool_t *p)
{
    confirming x = { site, po_site_buyer(site, r->buyer), r, now, p };
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (!x.buyer || !po_delivery_post_of(x.buyer, PO_POST_CONFIRMATION))
        return APR_SUCCESS;             /* mail tells */
    if (!crypto_of_writer())
        return APR_EGENERAL;
    for (i = 0; rv == APR_SUCCESS && i < r->charges->nelts; i++) {
        const char *id = APR_ARRAY_IDX(r->charges, i, po_charge).order_id;

        if (id && !seen_before(r, i))
            rv = confirm_order(db, &x, id);
    }
    return rv;
}
