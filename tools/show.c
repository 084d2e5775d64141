/* show.c - what the ledger holds of orders, requests and the outbox: as JSON, or as aligned text made of the same. */
#include "tools.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LIST_LIMIT 1000
#define COLUMNS_MAX 12
#define CELL_MAX 60                     /* characters of a cell in a list; --json has all */

/* ---- printing --------------------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

static json_t *moment(apr_time_t t)
{
    char stamp[PO_TIMESTAMP];

    return t ? json_string(po_timestamp(t, stamp)) : json_null();
}

static const char *cell(const json_t *v, apr_pool_t *p)
{
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_integer(v))
        return apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(v));
    return json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-";
}

static const char *short_cell(const json_t *v, apr_pool_t *p)
{
    return po_utf8_cut(cell(v, p), CELL_MAX, p);
}

static int width_of(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* Blanks up to the next column, but none at the line's end. */
static const char *padded(const char *text, int width, int last, apr_pool_t *p)
{
    return last ? text : apr_psprintf(p, "%s%*s", text, width - width_of(text) + 2, "");
}

static void print_table(json_t *list, apr_pool_t *p)
{
    int width[COLUMNS_MAX] = { 0 }, n;
    const char *key, *line = "";
    json_t *row, *v;
    size_t i;

    json_array_foreach(list, i, row) {
        n = 0;
        json_object_foreach(row, key, v) {
            int wide = width_of(short_cell(v, p)), head = width_of(key);

            wide = wide > head ? wide : head;
            if (wide > width[n])
                width[n] = wide;
            n++;
        }
    }
    json_array_foreach(list, i, row) {
        int columns = (int)json_object_size(row);

        n = 0;
        json_object_foreach(row, key, v) {
            if (!i)
                line = apr_pstrcat(p, line, padded(key, width[n], n + 1 == columns, p), NULL);
            n++;
        }
        if (!i)
            po_print(line);
        line = "";
        n = 0;
        json_object_foreach(row, key, v) {
            line = apr_pstrcat(p, line, padded(short_cell(v, p), width[n], n + 1 == columns, p), NULL);
            n++;
        }
        po_print(line);
    }
}

/* "approval requested, by anna@host, at ...": what is not null. */
static const char *in_words(const json_t *object, apr_pool_t *p)
{
    const char *key, *text = "";
    json_t *v;

    json_object_foreach((json_t *)object, key, v)
        if (!json_is_null(v))
            text = apr_pstrcat(p, text, *text ? ", " : "", key, " ", cell(v, p), NULL);
    return text;
}

static void print_object(json_t *object, apr_pool_t *p)
{
    const char *key;
    json_t *v, *each;
    size_t i;

    json_object_foreach(object, key, v) {
        if (json_is_array(v)) {
            json_array_foreach(v, i, each)
                po_say(i ? "" : key, "%s", json_is_object(each) ? in_words(each, p) : cell(each, p));
        } else if (!json_is_null(v)) {
            po_say(key, "%s", cell(v, p));
        }
    }
}

static int print_json(json_t *j)
{
    int failed = json_dumpf(j, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

    putchar('\n');
    return failed ? po_trouble("the output can't be written") : PO_EXIT_YES;
}

/* Takes j. */
static int print(const po_operation *o, json_t *j, const char *none)
{
    int rc = PO_EXIT_YES;

    if (o->json)
        rc = print_json(j);
    else if (!json_is_array(j))
        print_object(j, o->pool);
    else if (json_array_size(j))
        print_table(j, o->pool);
    else
        po_print(none);
    json_decref(j);
    return rc;
}

static int unreadable(const po_operation *o, json_t *j)
{
    json_decref(j);
    return po_trouble("ledger %s can't be read: %s", o->ledger, po_ledger_error(o->db));
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

static json_t *order_row(const po_order_record *r)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o,s:o,s:o}", "order", r->order_id, "buyer", r->buyer, "type", r->type,
                     "version", r->version, "mode", r->test ? "test" : "production", "held", r->held, "received",
                     moment(r->received), "request", text_or_null(r->request), "detail", text_or_null(r->detail));
}

int po_list_orders(const po_operation *o)
{
    po_order_filter f = { o->site, o->buyer, NULL, o->held, LIST_LIMIT };
    apr_array_header_t *found;
    json_t *list = json_array();
    int i;

    if (po_order_list(o->db, &f, o->pool, &found) != APR_SUCCESS)
        return unreadable(o, list);
    for (i = 0; i < found->nelts; i++)
        json_array_append_new(list, order_row(APR_ARRAY_IDX(found, i, po_order_record *)));
    return print(o, list, o->held ? "no order waits for a decision" : "there is no order");
}

static json_t *request_row(const po_request *r)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "request", r->id, "state", po_state_name(r->state), "buyer",
                     r->buyer, "offer", r->offer ? r->offer : "", "mode", r->test ? "test" : "production", "created",
                     moment(r->created),
                     "updated", moment(r->updated), "reason", text_or_null(r->reason));
}

int po_list_requests(const po_operation *o)
{
    po_request_filter f = { o->site, o->buyer, NULL, NULL, NULL, LIST_LIMIT };
    apr_array_header_t *found;
    json_t *list = json_array();
    int i;

    if (po_request_list(o->db, &f, o->pool, &found) != APR_SUCCESS)
        return unreadable(o, list);
    for (i = 0; i < found->nelts; i++)
        json_array_append_new(list, request_row(APR_ARRAY_IDX(found, i, po_request *)));
    return print(o, list, "there is no request");
}

static json_t *outbox_row(const po_outbox_entry *e)
{
    static const char *const states[] = { "waits", "delivered", "parked", "failed" };
    static const char *const tells[] = { NULL, "approved", "changed", "cancelled" };    /* po_order_outcome */

    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:i,s:o,s:o}", "key", e->row->key, "state",
                     e->claimed ? "on its way" : states[e->state], "channel", e->row->channel, "tells",
                     text_or_null(tells[e->row->outcome]), "request", text_or_null(e->row->request), "tries",
                     e->row->tries,
                     "created", moment(e->row->created), "answer", text_or_null(e->answer));
}

int po_list_outbox(const po_operation *o)
{
    apr_array_header_t *found;
    json_t *list = json_array();
    int i;

    if (po_outbox_list(o->db, o->site, o->parked, NULL, o->pool, &found) != APR_SUCCESS)
        return unreadable(o, list);
    for (i = 0; i < found->nelts; i++)
        json_array_append_new(list, outbox_row(&APR_ARRAY_IDX(found, i, po_outbox_entry)));
    return print(o, list, o->parked ? "nothing is parked" : "everything is delivered");
}

/* ---- one order, one request ------------------------------------------------------------------------------------- */

static json_t *decision_json(const po_decision *d)
{
    return json_pack("{s:I,s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:o}", "decision", (json_int_t)d->seq, "what", d->what, "id",
                     d->id, "reason", text_or_null(d->reason), "by", d->by, "at", moment(d->at), "done",
                     moment(d->done),
                     "carriedOut",
                     d->done ? json_boolean(d->carried_out) : json_null(), "outcome", text_or_null(d->outcome));
}

static int add_decisions(const po_operation *o, const char *buyer, json_t *j)
{
    apr_array_header_t *found;
    json_t *list = json_array();
    int i;

    json_object_set_new(j, "decisions", list);
    if (po_decisions_about(o->db, o->site, o->id, buyer, o->pool, &found) != APR_SUCCESS)
        return 0;
    for (i = 0; i < found->nelts; i++)
        json_array_append_new(list, decision_json(APR_ARRAY_IDX(found, i, po_decision *)));
    return 1;
}

static json_t *charge_json(const po_charge *c)
{
    char ordered[PO_DECIMAL_TEXT], price[PO_DECIMAL_TEXT];

    return json_pack("{s:i,s:s,s:s,s:s,s:o,s:s,s:o}", "line", c->line, "part", c->part ? c->part : "", "quantity",
                     po_decimal_text(po_charge_quantity(c), 0, ordered), "unitPrice",
                     po_decimal_text(&c->unit_price, 2, price),
                     "currency", text_or_null(c->currency), "approval", po_charge_state_name(c->state), "order",
                     text_or_null(c->order_id));
}

int po_show_request(const po_operation *o)
{
    po_request *r;
    apr_array_header_t *rows;
    json_t *j, *list;
    apr_status_t rv = po_request_get(o->db, o->site, o->id, o->pool, &r);
    int i;

    if (APR_STATUS_IS_NOTFOUND(rv)) {
        po_trouble("there is no request %s at %s; see punchoutctl requests list", o->id, o->site);
        return PO_EXIT_NO;
    }
    if (rv != APR_SUCCESS)
        return unreadable(o, NULL);
    j = request_row(r);
    json_object_set_new(j, "requester", text_or_null(r->email ? r->email : r->user));
    json_object_set_new(j, "account", text_or_null(r->account));
    json_object_set_new(j, "subscription", text_or_null(r->subscription));
    json_object_set_new(j, "charges", list = json_array());
    for (i = 0; i < r->charges->nelts; i++)
        json_array_append_new(list, charge_json(&APR_ARRAY_IDX(r->charges, i, po_charge)));
    json_object_set_new(j, "outbox", list = json_array());
    if (po_outbox_list(o->db, o->site, 0, o->id, o->pool, &rows) != APR_SUCCESS || !add_decisions(o, NULL, j))
        return unreadable(o, j);
    for (i = 0; i < rows->nelts; i++)
        json_array_append_new(list, outbox_row(&APR_ARRAY_IDX(rows, i, po_outbox_entry)));
    return print(o, j, "");
}

static int add_requests(const po_operation *o, const char *buyer, json_t *j)
{
    apr_array_header_t *known = apr_array_make(o->pool, 2, sizeof(po_request *));
    json_t *list = json_array();
    int i, ok = 1;

    json_object_set_new(j, "requests", list);
    for (i = 0; ok && i < 2; i++)
        ok = po_requests_of_order(o->db, o->site, buyer, i, o->id, o->pool, known) == APR_SUCCESS;
    for (i = 0; ok && i < known->nelts; i++) {
        const po_request *r = APR_ARRAY_IDX(known, i, po_request *);

        json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "request", r->id, "state", po_state_name(r->state),
                                              "reason",
                                              text_or_null(r->reason)));
    }
    return ok;
}

int po_show_order(const po_operation *o, const char *buyer)
{
    po_order_filter f = { o->site, buyer, o->id, 0, 0 };
    apr_array_header_t *found;
    json_t *j = json_pack("{s:s,s:s}", "order", o->id, "buyer", buyer), *list = json_array(), *row;
    int i;

    json_object_set_new(j, "documents", list);
    if (po_order_list(o->db, &f, o->pool, &found) != APR_SUCCESS)
        return unreadable(o, j);
    for (i = found->nelts; i-- > 0;) {
        row = order_row(APR_ARRAY_IDX(found, i, po_order_record *));
        json_object_del(row, "order");
        json_object_del(row, "buyer");
        json_array_append_new(list, row);
    }
    if (!add_requests(o, buyer, j) || !add_decisions(o, buyer, j))
        return unreadable(o, j);
    return print(o, j, "");
}

int po_show_decision(const po_operation *o, const po_decision *d)
{
    json_t *j;

    if (o->json) {
        print_json(j = decision_json(d));
        json_decref(j);
    } else if (d->carried_out) {
        po_print(d->outcome ? d->outcome : "done");
    } else {
        po_trouble("%s", d->outcome ? d->outcome : "it was refused");
    }
    return d->carried_out ? PO_EXIT_YES : PO_EXIT_NO;
}
