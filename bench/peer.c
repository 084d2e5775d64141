/* peer.c - the other ends of a bench: senders with connections that stay open, a backend, and a ledger filled beforehand.
 *
 *   peer load PORT PATH FILE CONNECTIONS SECONDS    POSTs the file again and again
 *   peer orders PORT FIRST COUNT SENDERS            one order for each request FIRST ... FIRST+COUNT-1
 *   peer sink PORT                                  a backend; GET /stats says how many events came and how fast
 *   peer latency PORT SINKPORT FIRST COUNT          from an order's 200 to the moment its event is read by the backend:
 *                                                   median, p99, max; then the median of an order's round trip
 *   peer fill LEDGER SITE FIRST COUNT               open requests for `orders` and `latency`
 *   peer fill-outbox LEDGER SITE COUNT              events that are due
 */
#include "ledger/ledger.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 65536
#define THREADS_MAX 256

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* ---- HTTP ----------------------------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in a = { 0 };

    a.sin_family = AF_INET;
    a.sin_port = htons((unsigned short)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static int dial(int port)
{
    struct sockaddr_in a = loopback(port);
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof(a)) != 0)
        die("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return s;
}

/* A peer that closed is noticed by the reader. */
static void send_all(int s, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(s, data, len);

        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

/* One message (head and body by Content-Length) into buf, NUL-terminated; 0 at the end of the connection. */
static size_t receive(int s, char buf[BUFFER])
{
    size_t have = 0, need = 0;

    while (!need || have < need) {
        ssize_t n = read(s, buf + have, BUFFER - 1 - have);
        char *end, *length;

        if (n <= 0)
            return 0;
        have += (size_t)n;
        buf[have] = '\0';
        if (need || !(end = strstr(buf, "\r\n\r\n")))
            continue;
        length = strcasestr(buf, "\r\nContent-Length:");
        need = (size_t)(end - buf) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }
    return have;
}

static size_t make_post(char *out, size_t room, const char *path, const char *body, size_t len)
{
    int head = snprintf(out, room, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n\r\n",
                        path, len);

    if ((size_t)head + len > room)
        die("a document is too large");
    memcpy(out + head, body, len);
    return (size_t)head + len;
}

/* ---- load ----------------------------------------------------------------------------------------------------- */

typedef struct {
    int port;
    const char *message;
    size_t len;
    double until;
    long done, bad;
} load_thread;

static void *load_main(void *data)
{
    load_thread *t = data;
    char *buf = malloc(BUFFER);
    int s = dial(t->port);

    while (now() < t->until) {
        send_all(s, t->message, t->len);
        if (!receive(s, buf)) {         /* httpd gives up kept-alive connections when it is short of threads */
            close(s);
            s = dial(t->port);
            continue;
        }
        t->done++;
        t->bad += strncmp(buf, "HTTP/1.1 200", 12) != 0 || strstr(buf, "<Status code=\"4") || strstr(buf, "<Status code=\"5");
    }
    close(s);
    free(buf);
    return NULL;
}

static int load(int port, const char *path, const char *file, int connections, double seconds)
{
    static load_thread t[THREADS_MAX];
    pthread_t id[THREADS_MAX];
    char *body = malloc(BUFFER), *message = malloc(2 * BUFFER);
    FILE *f = fopen(file, "r");
    size_t len = f ? fread(body, 1, BUFFER, f) : 0, n = make_post(message, 2 * BUFFER, path, body, len);
    double from = now();
    long done = 0, bad = 0;
    int i;

    if (!len)
        die(file);
    for (i = 0; i < connections; i++) {
        t[i] = (load_thread){ port, message, n, from + seconds, 0, 0 };
        pthread_create(&id[i], NULL, load_main, &t[i]);
    }
    for (i = 0; i < connections; i++) {
        pthread_join(id[i], NULL);
        done += t[i].done;
        bad += t[i].bad;
    }
    printf("%.0f %ld %ld\n", (double)done / (now() - from), done, bad);
    return bad != 0;
}

/* ---- orders --------------------------------------------------------------------------------------------------- */

static const char order_format[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!DOCTYPE cXML SYSTEM \"http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd\">\n"
    "<cXML payloadID=\"bench-%ld@buyer.example\" timestamp=\"2026-11-23T10:00:00+00:00\" xml:lang=\"en-US\"><Header>"
    "<From><Credential domain=\"DUNS\"><Identity>buyer-1</Identity></Credential></From>"
    "<To><Credential domain=\"DUNS\"><Identity>market-1</Identity></Credential></To>"
    "<Sender><Credential domain=\"DUNS\"><Identity>buyer-1</Identity><SharedSecret>bench-secret</SharedSecret></Credential>"
    "<UserAgent>Bench 1.0</UserAgent></Sender></Header><Request><OrderRequest>"
    "<OrderRequestHeader orderID=\"BENCH-%ld\" orderDate=\"2026-11-23T10:00:00+00:00\" type=\"new\">"
    "<Total><Money currency=\"USD\">1200.00</Money></Total><BillTo><Address><Name xml:lang=\"en\">Buyer Ltd</Name>"
    "<PostalAddress><Street>1 Test St</Street><City>Testville</City><Country isoCountryCode=\"US\">United States</Country>"
    "</PostalAddress></Address></BillTo></OrderRequestHeader><ItemOut quantity=\"1\" lineNumber=\"1\"><ItemID>"
    "<SupplierPartID>off-year</SupplierPartID><SupplierPartAuxiliaryID>req-%016ld.1</SupplierPartAuxiliaryID></ItemID>"
    "<ItemDetail><UnitPrice><Money currency=\"USD\">1200.00</Money></UnitPrice><Description xml:lang=\"en\">Log Keeper"
    "</Description><UnitOfMeasure>EA</UnitOfMeasure><Classification domain=\"UNSPSC\">43232701</Classification></ItemDetail>"
    "</ItemOut></OrderRequest></Request></cXML>";

/* Sends the order of request n and insists on its 200. Sent again over a new connection it is the same order. */
static void order(int *s, int port, long n, char buf[BUFFER])
{
    char body[4096], message[8192];
    int len = snprintf(body, sizeof(body), order_format, n, n, n), tries = 0;
    size_t size = make_post(message, sizeof(message), "/punchout/order", body, (size_t)len);

    buf[0] = '\0';
    while (tries++ < 3) {
        send_all(*s, message, size);
        if (receive(*s, buf))
            break;
        close(*s);
        *s = dial(port);
    }
    if (!strstr(buf, "<Status code=\"200\"")) {
        fprintf(stderr, "order %ld: %s\n", n, buf);
        exit(1);
    }
}

static atomic_long next_order;
static long last_order;

static void *orders_main(void *data)
{
    char *buf = malloc(BUFFER);
    int port = *(int *)data, s = dial(port);
    long n;

    while ((n = atomic_fetch_add(&next_order, 1)) < last_order)
        order(&s, port, n, buf);
    close(s);
    free(buf);
    return NULL;
}

static int orders(int port, long first, long count, int senders)
{
    pthread_t id[THREADS_MAX];
    double from = now();
    int i;

    atomic_store(&next_order, first);
    last_order = first + count;
    for (i = 0; i < senders; i++)
        pthread_create(&id[i], NULL, orders_main, &port);
    for (i = 0; i < senders; i++)
        pthread_join(id[i], NULL);
    printf("%.0f\n", (double)count / (now() - from));
    return 0;
}

/* ---- sink ----------------------------------------------------------------------------------------------------- */

static atomic_long received;
static double first_at, last_at;
static double *arrived;                 /* by request number, for latency */
static long arrived_from, arrived_count;
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;

static void note(const char *message, double at)
{
    const char *id = strstr(message, "\"request\":\"req-");
    long n = id ? atol(id + 15) - arrived_from : -1;

    pthread_mutex_lock(&sink_lock);
    if (atomic_fetch_add(&received, 1) == 0)
        first_at = at;
    last_at = at;
    if (n >= 0 && n < arrived_count && arrived[n] == 0)
        arrived[n] = at;
    pthread_mutex_unlock(&sink_lock);
}

static void *sink_main(void *data)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n"
                             "{\"subscription\":\"sub-123\"}";
    char *buf = malloc(BUFFER), stats[256], text[64];
    int s = *(int *)data;

    free(data);
    while (receive(s, buf)) {
        if (strncmp(buf, "GET /stats", 10)) {
            note(buf, now());
            send_all(s, ok, sizeof(ok) - 1);
            continue;
        }
        pthread_mutex_lock(&sink_lock);
        snprintf(text, sizeof(text), "%ld %.0f", atomic_load(&received),
                 last_at > first_at ? (double)atomic_load(&received) / (last_at - first_at) : 0.0);
        pthread_mutex_unlock(&sink_lock);
        snprintf(stats, sizeof(stats), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
        send_all(s, stats, strlen(stats));
    }
    close(s);
    free(buf);
    return NULL;
}

static void *accept_main(void *data)
{
    struct sockaddr_in a = loopback(*(int *)data);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(listener, 128) != 0)
        die("listen");
    for (;;) {
        int *s = malloc(sizeof(*s));
        pthread_t id;

        if ((*s = accept(listener, NULL, NULL)) < 0)
            die("accept");
        setsockopt(*s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        pthread_create(&id, NULL, sink_main, s);
        pthread_detach(id);
    }
    return NULL;
}

/* Negative where the backend reads its event before the sender has read its 200. */
static int latency(int port, int sink_port, long first, long count)
{
    double *gap = calloc((size_t)count, sizeof(double)), *trip = calloc((size_t)count, sizeof(double));
    char *buf = malloc(BUFFER);
    pthread_t id;
    long i;
    int s;

    arrived = calloc((size_t)count, sizeof(double));
    arrived_from = first;
    arrived_count = count;
    pthread_create(&id, NULL, accept_main, &sink_port);
    usleep(300000);
    s = dial(port);
    for (i = 0; i < count; i++) {
        trip[i] = now();
        order(&s, port, first + i, buf);
        gap[i] = now();
        trip[i] = (gap[i] - trip[i]) * 1000;
        usleep(20000);
    }
    sleep(2);
    for (i = 0; i < count; i++)
        gap[i] = arrived[i] > 0 ? (arrived[i] - gap[i]) * 1000 : 1e9;
    qsort(gap, (size_t)count, sizeof(double), compare);
    qsort(trip, (size_t)count, sizeof(double), compare);
    printf("%.2f %.2f %.2f %.2f\n", gap[count / 2], gap[count * 99 / 100], gap[count - 1], trip[count / 2]);
    return gap[count - 1] >= 1e9;
}

/* ---- filling a ledger ----------------------------------------------------------------------------------------- */

#define PER_JOB 500

typedef struct {
    const char *site;
    long from, to;
    int outbox;
    apr_pool_t *pool;
} fill_job;

static void fill_request(po_request *r, const fill_job *j, long n)
{
    po_charge *c;

    memset(r, 0, sizeof(*r));
    r->id = apr_psprintf(j->pool, "req-%016ld", n);
    r->site = j->site;
    r->buyer = r->organization = "acme";
    r->session = apr_psprintf(j->pool, "session-%ld", n);
    r->form_digest = r->session;
    r->state = PO_STATE_REQUESTED;
    r->product = "prod-ab12";
    r->offer = "off-year";
    r->product_name = "Log Keeper";
    r->seller = "Keeper Ltd";
    r->pricing = "contract";
    r->term = "P12M";
    r->action = "new";
    r->user = "ines";
    r->currency = "USD";
    r->created = r->updated = r->terms_at = apr_time_now();
    r->expires = r->created + apr_time_from_sec(30 * 86400);
    r->charges = apr_array_make(j->pool, 1, sizeof(po_charge));
    c = apr_array_push(r->charges);
    memset(c, 0, sizeof(*c));
    c->line = 1;
    c->kind = "contract";
    c->part = "off-year";
    c->description = "Log Keeper: contract, 12 months";
    c->unit = "EA";
    c->unspsc = "43232701";
    c->currency = "USD";
    po_decimal_parse(&c->quantity, "1", -1);
    po_decimal_parse(&c->unit_price, "1200.00", -1);
}

static apr_status_t fill_some(po_ledger_db *db, void *baton)
{
    fill_job *j = baton;
    apr_status_t rv = APR_SUCCESS;
    po_request r;
    long n;

    for (n = j->from; rv == APR_SUCCESS && n < j->to; n++) {
        po_outbox_row row = { 0 };

        fill_request(&r, j, n);
        if (j->outbox) {                /* as an order leaves it */
            r.state = PO_STATE_APPROVED;
            APR_ARRAY_IDX(r.charges, 0, po_charge).state = PO_CHARGE_ORDERED;
        }
        rv = po_request_insert(db, &r);
        if (rv != APR_SUCCESS || !j->outbox)
            continue;
        row.key = apr_psprintf(j->pool, "evt-%016ld", n);
        row.site = j->site;
        row.channel = "event";
        row.buyer = "acme";
        row.request = r.id;
        row.created = r.created;
        row.body = apr_psprintf(j->pool, "{\"data\":{\"request\":\"%s\"},\"filler\":\"%0900d\"}", r.id, 0);
        rv = po_outbox_add(db, &row, r.created);
    }
    return rv;
}

static int fill(const char *ledger, const char *site, long first, long count, int outbox)
{
    po_ledger_options o = { ledger };
    const char *wrong;
    apr_pool_t *p;
    po_ledger *l;
    long n;

    apr_initialize();
    apr_pool_create(&p, NULL);
    if ((wrong = po_ledger_migrate(ledger, p)) || po_ledger_open(&l, &o, p) != APR_SUCCESS) {
        fprintf(stderr, "%s\n", wrong ? wrong : "the ledger does not open");
        return 1;
    }
    for (n = first; n < first + count; n += PER_JOB) {
        fill_job j = { site, n, n + PER_JOB < first + count ? n + PER_JOB : first + count, outbox };

        apr_pool_create(&j.pool, p);
        if (po_ledger_run(l, fill_some, &j) != APR_SUCCESS)
            return 1;
        apr_pool_destroy(j.pool);
    }
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int port = argc > 2 ? atoi(argv[2]) : 0;

    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(what, "load") && argc == 7)
        return load(port, argv[3], argv[4], atoi(argv[5]), atof(argv[6]));
    if (!strcmp(what, "orders") && argc == 6)
        return orders(port, atol(argv[3]), atol(argv[4]), atoi(argv[5]));
    if (!strcmp(what, "sink") && argc == 3)
        return accept_main(&port) != NULL;
    if (!strcmp(what, "latency") && argc == 6)
        return latency(port, atoi(argv[3]), atol(argv[4]), atol(argv[5]));
    if (!strcmp(what, "fill") && argc == 6)
        return fill(argv[2], argv[3], atol(argv[4]), atol(argv[5]), 0);
    if (!strcmp(what, "fill-outbox") && argc == 5)
        return fill(argv[2], argv[3], 1, atol(argv[4]), 1);
    fprintf(stderr, "usage: see the head of bench/peer.c\n");
    return 2;
}
