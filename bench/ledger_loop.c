/* ledger_loop.c - orders per second into a fresh ledger: the floor for what goes through the writer thread.
 *
 * Without -t: a plain loop over the typed functions, -b orders in each transaction (1). With -t: that many threads,
 * each committing one order at a time through po_ledger_run(). The rows are the same: an order with one line, the
 * update of its request and charge, and an outbox row.
 */
#include "ledger/ledger_private.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITE "https://market.example"
#define BUYER "acme"
#define BODY 1500                       /* bytes of an event */

typedef struct {
    int number;
    apr_pool_t *pool;
} one_order;

typedef struct {
    po_ledger *ledger;
    int first, step, count;
    int failed;
} share;

static char body[BODY + 1];

static void fail(const char *what)
{
    fprintf(stderr, "ledger_loop: %s\n", what);
    exit(1);
}

/* ---- the rows ------------------------------------------------------------------------------------------------- */

/* Spread like random ids, so that an index is not merely appended to. */
static const char *random_id(const char *prefix, int number, apr_pool_t *p)
{
    return apr_psprintf(p, "%s-%08x%08x", prefix, (unsigned)number * 2654435761u, (unsigned)number);
}

static apr_status_t insert_request(po_ledger_db *db, int number, apr_pool_t *p)
{
    po_request r = { 0 };
    po_charge *c;

    r.id = random_id("req", number, p);
    r.site = SITE;
    r.buyer = r.organization = BUYER;
    r.session = apr_psprintf(p, "ses-%08x", (unsigned)number * 2246822519u);
    r.form_digest = "0000000000000000000000000000000000000000000000000000000000000000";
    r.state = PO_STATE_REQUESTED;
    r.product = "prod-ab12";
    r.offer = "off-year";
    r.product_name = "Log Keeper";
    r.seller = "Keeper Ltd";
    r.pricing = "contract";
    r.term = "P12M";
    r.action = "new";
    r.user = r.email = "jane.doe@acme.example";
    r.user_name = "Jane Doe";
    r.currency = "USD";
    r.cart_payload = apr_pstrcat(p, r.id, "@market.example", NULL);
    r.created = r.updated = apr_time_now();
    r.expires = r.created + apr_time_from_sec(30 * 24 * 3600);
    r.charges = apr_array_make(p, 1, sizeof(po_charge));
    c = apr_array_push(r.charges);
    memset(c, 0, sizeof(*c));
    c->line = 1;
    c->kind = "contract";
    c->part = "off-year";
    c->description = "Log Keeper, one year";
    c->unit = "EA";
    c->unspsc = "43232701";
    c->currency = "USD";
    c->quantity.value = 1;
    c->unit_price.value = 1200;
    return po_request_insert(db, &r);
}

static void fill_order(po_cxml_order *order, po_request *r, po_order_match *match, apr_pool_t *p)
{
    po_cxml_item *item;
    po_order_match_line *line;

    order->items = apr_array_make(p, 1, sizeof(po_cxml_item));
    item = apr_array_push(order->items);
    memset(item, 0, sizeof(*item));
    item->line = 1;
    item->part = "off-year";
    item->auxiliary = apr_pstrcat(p, r->id, ".1", NULL);
    item->quantity.value = 1;
    item->unit_price.value = 1200;
    item->has_price = 1;
    item->currency = "USD";
    item->unit = "EA";
    match->lines = apr_array_make(p, 1, sizeof(po_order_match_line));
    line = apr_array_push(match->lines);
    line->item = item;
    line->request = r;
    line->charge = &APR_ARRAY_IDX(r->charges, 0, po_charge);
    line->charge->state = PO_CHARGE_ORDERED;
    line->charge->order_id = order->order_id;
    line->charge->order_line = 1;
}

static apr_status_t keep_order(po_ledger_db *db, void *baton)
{
    const one_order *o = baton;
    apr_pool_t *p = o->pool;
    po_order_record rec = { SITE, BUYER, apr_psprintf(p, "%d.payload@acme.example", o->number),
                            apr_psprintf(p, "%064x", (unsigned)o->number) }, *before;
    po_cxml_order order = { apr_psprintf(p, "PO-%d", o->number), "2026-11-23T10:15:00+00:00", "new", NULL, "1" };
    po_outbox_row row = { .key = random_id("evt", o->number, p) };
    po_order_match match = { 200 };
    po_request *r;
    int same, reused;
    apr_status_t rv = po_order_find(db, SITE, BUYER, rec.payload_id, rec.digest, 0, order.order_id, "1", p, &before,
                                    &same, &reused);

    if (rv != APR_NOTFOUND || (rv = po_request_get(db, SITE, random_id("req", o->number, p), p, &r)) != APR_SUCCESS)
        return rv == APR_SUCCESS ? APR_EEXIST : rv;
    fill_order(&order, r, &match, p);
    r->state = PO_STATE_APPROVED;
    r->updated = rec.received = apr_time_now();
    rec.request = r->id;
    rec.status = 200;
    row.site = SITE;
    row.channel = "event";
    row.buyer = BUYER;
    row.request = r->id;
    row.body = body;
    row.created = r->updated;
    if ((rv = po_order_insert(db, &rec, &order, &match)) == APR_SUCCESS
        && (rv = po_outbox_add(db, &row, r->updated)) == APR_SUCCESS)
        rv = po_request_update(db, r);
    return rv;
}

/* ---- the loops ------------------------------------------------------------------------------------------------ */

static void make_requests(po_ledger_db *db, int n, apr_pool_t *parent)
{
    apr_pool_t *p;
    int i;

    apr_pool_create(&p, parent);
    for (i = 0; i < n; i++) {
        if (i % 500 == 0)
            sqlite3_exec(db->handle, i ? "COMMIT; BEGIN" : "BEGIN", NULL, NULL, NULL);
        if (insert_request(db, i, p) != APR_SUCCESS)
            fail(po_ledger_error(db));
        apr_pool_clear(p);
    }
    sqlite3_exec(db->handle, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    apr_pool_destroy(p);
}

static void plain_loop(po_ledger_db *db, int n, int batch, apr_pool_t *parent)
{
    one_order o;
    int i;

    apr_pool_create(&o.pool, parent);
    for (i = 0; i < n; i++) {
        if (i % batch == 0 && po_run(db, PO_SQL_BEGIN, "BEGIN IMMEDIATE") != APR_SUCCESS)
            fail(po_ledger_error(db));
        o.number = i;
        if (keep_order(db, &o) != APR_SUCCESS)
            fail(po_ledger_error(db));
        if ((i % batch == batch - 1 || i == n - 1) && po_run(db, PO_SQL_COMMIT, "COMMIT") != APR_SUCCESS)
            fail(po_ledger_error(db));
        apr_pool_clear(o.pool);
    }
    apr_pool_destroy(o.pool);
}

static void *one_thread(void *data)
{
    share *s = data;
    one_order o;

    apr_pool_create_unmanaged_ex(&o.pool, NULL, NULL);
    for (o.number = s->first; o.number < s->count; o.number += s->step) {
        s->failed += po_ledger_run(s->ledger, keep_order, &o) != APR_SUCCESS;
        apr_pool_clear(o.pool);
    }
    apr_pool_destroy(o.pool);
    return NULL;
}

static void say(void *baton, int level, const char *message)
{
    fprintf(stderr, "%s\n", message);
}

static void threads_loop(const char *path, int n, int threads, apr_pool_t *p)
{
    po_ledger_options options = { .path = path, .log = say };
    pthread_t *ids = apr_pcalloc(p, (apr_size_t)threads * sizeof(*ids));
    share *shares = apr_pcalloc(p, (apr_size_t)threads * sizeof(*shares));
    po_ledger *ledger;
    int i;

    if (po_ledger_open(&ledger, &options, p) != APR_SUCCESS)
        fail("no ledger");
    for (i = 0; i < threads; i++) {
        shares[i] = (share){ ledger, i, threads, n };
        if (pthread_create(&ids[i], NULL, one_thread, &shares[i]) != 0)
            fail("no thread");
    }
    for (i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        if (shares[i].failed)
            fail("an order was not kept");
    }
}

static int usage(void)
{
    fputs("usage: ledger_loop [-n ORDERS] [-b ORDERS_PER_TRANSACTION | -t THREADS] FILE\n"
          "FILE must not exist; it is made, filled and left.\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    int n = 20000, batch = 1, threads = 0, opt;
    po_ledger_db db = { 0 };
    const char *wrong;
    apr_time_t began;
    apr_pool_t *p;

    while ((opt = getopt(argc, argv, "n:b:t:")) != -1)
        switch (opt) {
        case 'n': n = atoi(optarg); break;
        case 'b': batch = atoi(optarg); break;
        case 't': threads = atoi(optarg); break;
        default: return usage();
        }
    if (optind != argc - 1 || n < 1 || batch < 1 || threads < 0 || access(argv[optind], F_OK) == 0)
        return usage();
    apr_initialize();
    apr_pool_create(&p, NULL);
    memset(body, 'x', BODY);
    if ((wrong = po_ledger_migrate(argv[optind], p)))
        fail(wrong);
    if (po_db_open(&db, argv[optind], SQLITE_OPEN_READWRITE) != SQLITE_OK)
        fail("the ledger can't be opened");
    make_requests(&db, n, p);
    began = apr_time_now();
    if (threads)
        threads_loop(argv[optind], n, threads, p);
    else
        plain_loop(&db, n, batch, p);
    printf("%.0f orders/s\n", n / ((double)(apr_time_now() - began) / APR_USEC_PER_SEC));
    po_db_close(&db, 0);
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
