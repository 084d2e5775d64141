/* invoices.c - the marketplace's billing hands over a finished invoice, and asks what became of it. */
#include "handlers/handlers.h"

#include "util_script.h"

#include <jansson.h>

APLOG_USE_MODULE(punchout);

#define BODY_LIMIT 1048576
#define LIST_USUAL 50
#define LIST_MOST 200

typedef struct {                        /* a job for the ledger; the caller waits */
    request_rec *r;
    const po_site *site;
    const po_invoice *invoice;
    const char *digest, *payload_id;
    /* the outcome */
    int http;
    const char *detail;                 /* of a refusal */
    po_invoice_record *record;
} invoice_job;

/* ---- who may ----------------------------------------------------------------------------------------------------- */

static int authorized(request_rec *r, const po_site *site, po_thread *t)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");

    return header && !strncasecmp(header, "Bearer ", 7)
           && po_secret_equal(t->crypto, header + 7, site->backend_secret->value);
}

/* ---- into the ledger --------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static apr_status_t refuse(invoice_job *j, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    j->http = HTTP_CONFLICT;
    j->detail = apr_pvsprintf(j->r->pool, format, args);
    va_end(args);
    return APR_SUCCESS;
}

static const char *document(const invoice_job *j, const po_buyer *buyer, const po_invoice_verdict *v,
                            const po_invoice_original *original)
{
    const po_profile *profile = &buyer->profile;
    char stamp[PO_TIMESTAMP];
    po_cxml_envelope e = { j->payload_id, po_timestamp(j->r->request_time, stamp), profile->post_dtd,
                           profile->ascii_only };
    po_cxml_header header;
    po_cxml_invoice invoice;
    po_buffer b;

    po_invoice_document(j->invoice, v, buyer, original, &invoice, j->r->pool);
    po_delivery_header(&header, j->site, buyer, 0);
    invoice.header = &header;
    po_buffer_init(&b, j->r->pool, 4096 + 1024 * (apr_size_t)v->items->nelts);
    po_cxml_write_invoice(&b, &e, &invoice);
    return po_buffer_text(&b);
}

static po_invoice_record *record_of(const invoice_job *j, const po_buyer *buyer)
{
    po_invoice_record *n = apr_pcalloc(j->r->pool, sizeof(*n));
    const po_invoice *i = j->invoice;

    n->site = j->site->public_url;
    n->number = i->number;
    n->buyer = buyer->name;
    n->seller = i->seller;
    n->digest = j->digest;
    n->payload_id = j->payload_id;
    n->credit_memo = i->credit_memo;
    n->original = i->original;
    n->date = i->date;
    n->currency = i->currency;
    n->subtotal = i->subtotal;
    n->tax = i->tax;
    n->total = i->total;
    n->created = j->r->request_time;
    n->state = PO_OUTBOX_OPEN;
    return n;
}

/* The document into the outbox and the invoice into its tables, or neither. */
static apr_status_t keep(po_ledger_db *db, invoice_job *j, const po_buyer *buyer, po_invoice_verdict *v,
                         const po_invoice_original *original)
{
    apr_pool_t *p = j->r->pool;
    po_post_document d = { PO_POST_INVOICE, buyer };
    apr_status_t rv = po_invoice_orders(db, j->site->public_url, buyer->name, v, p);

    if (rv == APR_NOTFOUND)             /* ordered means that an order was kept */
        return APR_EGENERAL;
    if (rv != APR_SUCCESS)
        return rv;
    d.request = APR_ARRAY_IDX(v->items, 0, po_invoice_item).request->id;
    d.refers_to = v->orders->nelts == 1 ? APR_ARRAY_IDX(v->orders, 0, po_event_order).payload_id : NULL;
    d.payload_id = j->payload_id;
    d.body = document(j, buyer, v, original);
    rv = po_delivery_post(db, j->site, &d, j->r->request_time, p);
    if (rv == APR_NOTFOUND)
        return refuse(j, "Buyer %s takes no invoices by cXML (see PunchOutPost and PunchOutDocuments): send it "
                      "another way", buyer->name);
    if (rv != APR_SUCCESS)
        return rv;
    j->http = HTTP_CREATED;
    j->record = record_of(j, buyer);
    return po_invoice_insert(db, j->record, v);
}

/* The invoice that a credit memo is about. 0 when it can't be credited; then the job has its answer. */
static int find_original(po_ledger_db *db, invoice_job *j, const po_buyer *buyer, po_invoice_original *out,
                         apr_status_t *rv)
{
    const char *number = j->invoice->original;
    po_invoice_record *original;

    *rv = po_invoice_get(db, j->site->public_url, number, j->r->pool, &original);
    if (*rv == APR_NOTFOUND)
        *rv = refuse(j, "There is no invoice %s here that could be credited", number);
    else if (*rv != APR_SUCCESS)
        return 0;
    else if (original->credit_memo || strcmp(original->buyer, buyer->name))
        *rv = refuse(j, "Invoice %s is %s", number, original->credit_memo ? "a credit memo itself" : "another buyer's");
    else if (original->state == PO_OUTBOX_FAILED)
        *rv = refuse(j, "The buyer has refused invoice %s, so that there is nothing to credit", number);
    else {
        out->number = original->number;
        out->date = original->date;
        out->payload_id = original->payload_id;
        return 1;
    }
    return 0;
}

static apr_status_t judge_new(po_ledger_db *db, invoice_job *j)
{
    const char *site = j->site->public_url;
    apr_pool_t *p = j->r->pool;
    apr_array_header_t *requests, *past;
    po_invoice_original original;
    const po_buyer *buyer;
    po_invoice_verdict v;
    apr_status_t rv = po_invoice_requests(db, site, j->invoice, p, &requests);

    if (rv != APR_SUCCESS)
        return rv;
    if (!requests->nelts)
        return refuse(j, "None of the requests is known here; name those of the events");
    buyer = po_site_buyer(j->site, APR_ARRAY_IDX(requests, 0, po_request *)->buyer);
    if (!buyer || buyer->fault)
        return refuse(j, "Buyer %s is not configured (any more), or not rightly: send the invoice another way",
                      APR_ARRAY_IDX(requests, 0, po_request *)->buyer);
    if (j->invoice->credit_memo && !find_original(db, j, buyer, &original, &rv))
        return rv;
    rv = po_invoice_pasts(db, site, j->invoice, p, &past);
    if (rv == APR_SUCCESS)
        rv = po_invoice_order_lines(db, site, buyer->name, requests, past, p);
    if (rv != APR_SUCCESS)
        return rv;
    po_invoice_judge(j->invoice, buyer, requests, past, &v, p);
    if (v.status == HTTP_OK)
        return keep(db, j, buyer, &v, j->invoice->credit_memo ? &original : NULL);
    j->http = v.status;
    j->detail = v.detail;
    return APR_SUCCESS;
}

static apr_status_t take(po_ledger_db *db, void *baton)
{
    invoice_job *j = baton;
    apr_status_t rv = po_invoice_get(db, j->site->public_url, j->invoice->number, j->r->pool, &j->record);

    j->detail = NULL;
    if (rv == APR_NOTFOUND)
        return judge_new(db, j);
    if (rv != APR_SUCCESS)
        return rv;
    if (strcmp(j->record->digest, j->digest))
        return refuse(j, "Invoice %s was handed over before with other content; give this one a number of its own",
                      j->invoice->number);
    j->http = HTTP_OK;
    return APR_SUCCESS;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const char *state_name(po_outbox_state s)
{
    /* in the order of po_outbox_state */
    static const char *const names[] = { "queued", "sent", "parked", "refused" };

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

static json_t *money(const po_decimal *d, const char *currency)
{
    char text[PO_DECIMAL_TEXT];

    return json_string(po_money_text(d, currency, text));
}

static json_t *invoice_json(const po_invoice_record *i)
{
    char stamp[PO_TIMESTAMP];
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:i}", "number", i->number, "kind",
                          i->credit_memo ? "creditMemo" : "standard", "state", state_name(i->state), "payloadID",
                          i->payload_id, "buyer", i->buyer, "seller", i->seller, "date", i->date, "currency",
                          i->currency, "subtotal", money(&i->subtotal, i->currency), "tax", money(&i->tax, i->currency),
                          "total", money(&i->total, i->currency), "received", po_timestamp(i->created, stamp),
                          "tries", i->tries);

    if (i->original)
        json_object_set_new(j, "original", json_string(i->original));
    json_object_set_new(j, "answer", i->answer ? json_string(i->answer) : json_null());
    return j;
}

static int send_json(request_rec *r, int http, json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(j);
    ap_set_content_type(r, "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    r->status = http;
    ap_rputs(text ? text : "{}", r);
    free(text);
    return OK;
}

static int unavailable(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PO0172: the ledger takes and shows no invoices at the moment");
    return po_problem(r, HTTP_SERVICE_UNAVAILABLE, "Invoices can't be kept or read at the moment; try again later");
}

/* ---- POST -------------------------------------------------------------------------------------------------------- */

static int refused(request_rec *r, const char *number, int http, const char *detail)
{
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "PO0173: invoice %s is not taken (%d): %s",
                  number ? number : "(unread)", http, detail);
    return po_problem(r, http, detail);
}

static int take_invoice(request_rec *r, const po_site *site, po_thread *t)
{
    invoice_job j = { r, site };
    po_invoice invoice;
    const char *wrong;
    apr_size_t len;
    char *body;
    int rc;

    if ((rc = po_body_read(r, BODY_LIMIT, &body, &len)) == AP_FILTER_ERROR)
        return rc;                      /* a broken chunk: httpd has answered already */
    if (rc != OK)
        return po_problem(r, rc, "The body could not be read, or it is larger than 1 MB: hand over fewer lines "
                          "at a time");
    if ((wrong = po_invoice_read(&invoice, body, len, &rc, r->pool)))
        return refused(r, invoice.number, rc, wrong);
    j.invoice = &invoice;
    j.digest = po_invoice_digest(&invoice, t->crypto, r->pool);
    if (!(j.payload_id = po_payload_id(t->crypto, site->host, r->request_time, r->pool))
        || po_ledger_run(po_child_ledger(), take, &j) != APR_SUCCESS)
        return unavailable(r);
    if (j.detail)
        return refused(r, invoice.number, j.http, j.detail);
    if (j.http == HTTP_CREATED)
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "PO0174: invoice %s for %s is queued as %s", invoice.number,
                      j.record->buyer, j.record->payload_id);
    return send_json(r, j.http, invoice_json(j.record));
}

/* ---- GET --------------------------------------------------------------------------------------------------------- */

static int show_one(request_rec *r, const po_site *site, po_thread *t, po_ledger_db *db, const char *number)
{
    json_t *j, *updates = NULL;
    apr_array_header_t *list;
    po_invoice_record *i;
    char stamp[PO_TIMESTAMP];
    apr_status_t rv = po_invoice_get(db, site->public_url, number, r->pool, &i);
    int n;

    if (rv == APR_NOTFOUND)
        return po_problem(r, HTTP_NOT_FOUND, "There is no invoice of this number; hand it over by POST");
    if (rv != APR_SUCCESS
        || po_documents_about(db, site->public_url, i->buyer, i->payload_id, r->pool, &list) != APR_SUCCESS) {
        po_thread_ledger_drop(t);
        return unavailable(r);
    }
    j = invoice_json(i);
    updates = json_array();
    for (n = 0; n < list->nelts; n++) {
        const po_document *d = APR_ARRAY_IDX(list, n, po_document *);

        json_array_append_new(updates, json_pack("{s:s,s:s?}", "time", po_timestamp(d->at, stamp), "status", d->body));
    }
    json_object_set_new(j, "statusUpdates", updates);
    return send_json(r, HTTP_OK, j);
}

static int show_list(request_rec *r, const po_site *site, po_thread *t, po_ledger_db *db, apr_table_t *args)
{
    const char *limit = apr_table_get(args, "limit");
    apr_int64_t most = limit ? apr_atoi64(limit) : LIST_USUAL;
    apr_array_header_t *list;
    json_t *j;
    int n;

    if (most < 1 || most > LIST_MOST)
        return po_problem(r, HTTP_BAD_REQUEST, "limit must be a number from 1 to 200");
    if (po_invoice_list(db, site->public_url, apr_table_get(args, "buyer"), (int)most, r->pool, &list) != APR_SUCCESS) {
        po_thread_ledger_drop(t);
        return unavailable(r);
    }
    j = json_array();
    for (n = 0; n < list->nelts; n++)
        json_array_append_new(j, invoice_json(APR_ARRAY_IDX(list, n, po_invoice_record *)));
    return send_json(r, HTTP_OK, json_pack("{s:o}", "invoices", j));
}

static int show(request_rec *r, const po_site *site, po_thread *t, const char *number)
{
    po_ledger_db *db = po_thread_ledger(t);
    apr_table_t *args;

    ap_args_to_table(r, &args);
    if (!number)                        /* httpd refuses %2F in a path, and a number may hold anything */
        number = apr_table_get(args, "number");
    if (!db)
        return unavailable(r);
    return number ? show_one(r, site, t, db, number) : show_list(r, site, t, db, args);
}

int po_handle_invoices(request_rec *r, const po_site *site, const char *number)
{
    po_thread *t = po_thread_get();

    if (!t)
        return HTTP_SERVICE_UNAVAILABLE;
    if (!site->backend_secret)
        return po_problem(r, HTTP_NOT_FOUND, "The door for invoices is shut: PunchOutBackendSecret is not set");
    if (!authorized(r, site, t)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "PO0175: invoices without the right bearer token");
        apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Bearer");
        return po_problem(r, HTTP_UNAUTHORIZED, "Send PunchOutBackendSecret as Authorization: Bearer");
    }
    if (r->method_number == M_GET)
        return show(r, site, t, number);
    if (r->method_number == M_POST && !number)
        return take_invoice(r, site, t);
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, number ? -1 : M_POST, -1);
    return HTTP_METHOD_NOT_ALLOWED;
}
