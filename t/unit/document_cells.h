/* document_cells.h - a document as the columns of t/corpus-table.tsv, for those who compare what the reader says. */
#ifndef PO_DOCUMENT_CELLS_H
#define PO_DOCUMENT_CELLS_H

#include <stdio.h>

#include "cxml/cxml.h"

#define COLUMNS 25

static const char *cell(const char *text)
{
    return text && *text ? text : "-";
}

static const char *party(const po_party *party_of, apr_pool_t *p)
{
    const char *all = NULL;
    int i;

    for (i = 0; i < party_of->count; i++)
        all = apr_pstrcat(p, all ? all : "", all ? "|" : "", party_of->cred[i].domain, ":", party_of->cred[i].identity,
                          NULL);
    return cell(all);
}

static const char *number(const po_decimal *d, apr_pool_t *p)
{
    char text[PO_DECIMAL_TEXT];

    return apr_pstrdup(p, po_decimal_text(d, 0, text));
}

static const char *lines(const apr_array_header_t *items, apr_pool_t *p)
{
    const char *all = NULL;
    int i;

    for (i = 0; items && i < items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(items, i, po_cxml_item);

        all = apr_psprintf(p, "%s%s%d:%s:%s:%s:%s:%s:%s", all ? all : "", all ? "|" : "", item->line,
                           item->part ? item->part : "", item->auxiliary ? item->auxiliary : "",
                           number(&item->quantity, p), item->has_price ? number(&item->unit_price, p) : "",
                           item->currency ? item->currency : "", item->unit ? item->unit : "");
    }
    return cell(all);
}

static void setup_cells(const char **found, const po_cxml_setup *s)
{
    found[8] = cell(s->operation);
    found[9] = cell(s->buyer_cookie);
    found[10] = cell(s->return_url);
    found[11] = cell(s->user);
    found[12] = cell(s->email);
    found[13] = cell(s->user_name);
    found[14] = cell(s->selected_part);
}

static void order_cells(const char **found, const po_cxml_order *o, apr_pool_t *p)
{
    found[15] = cell(o->order_id);
    found[16] = cell(o->type);
    found[17] = cell(o->version);
    found[18] = cell(o->refers_to);
    found[19] = number(&o->total, p);
    found[20] = cell(o->currency);
    found[23] = cell(o->order_type);
    found[24] = cell(o->agreement);
}

static void cart_cells(const char **found, const po_cxml_order_message *m, apr_pool_t *p)
{
    found[9] = cell(m->buyer_cookie);
    found[19] = number(&m->total, p);
    found[20] = cell(m->currency);
}

static const apr_array_header_t *items_of(const po_cxml *d)
{
    return d->setup ? d->setup->items : d->order ? d->order->items : d->order_message ? d->order_message->items : NULL;
}

static void cells(const char **found, const po_cxml *d, apr_pool_t *p)
{
    const apr_array_header_t *items = items_of(d);
    int i;

    for (i = 1; i < COLUMNS; i++)
        found[i] = "-";
    found[1] = d->status ? apr_itoa(p, d->status) : "ok";
    found[2] = cell(d->request);
    found[3] = cell(d->payload_id);
    found[4] = party(&d->from, p);
    found[5] = party(&d->to, p);
    found[6] = party(&d->sender, p);
    found[7] = d->test ? "1" : "0";
    if (d->setup)
        setup_cells(found, d->setup);
    if (d->order)
        order_cells(found, d->order, p);
    if (d->order_message)
        cart_cells(found, d->order_message, p);
    if (d->status_update)
        found[18] = cell(d->status_update->refers_to);
    found[21] = apr_itoa(p, items ? items->nelts : 0);
    found[22] = lines(items, p);
}

/* Reads one document, the shopper included, into d and found; found[0] is left to the caller. */
static void read_cells(const char **found, po_cxml *d, po_cxml_reader *reader, const char *document, apr_size_t len,
                       apr_pool_t *p)
{
    static const po_user_map usual;

    po_cxml_read(reader, p, document, len, NULL, d);
    if (d->setup)
        po_cxml_find_user(d->setup, &usual, p);
    cells(found, d, p);
}

/* The whole file with a NUL behind it; NULL: it can't be read. */
static char *slurp(const char *path, apr_size_t *len, apr_pool_t *p)
{
    FILE *f = fopen(path, "rb");
    po_buffer b;
    char piece[4096];
    size_t n;

    if (!f)
        return NULL;
    po_buffer_init(&b, p, sizeof(piece));
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        po_buffer_add(&b, piece, n);
    fclose(f);
    *len = b.len;
    po_buffer_text(&b);
    return b.data;
}

#endif
