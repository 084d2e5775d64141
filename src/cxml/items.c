/* items.c - what stands in ItemOut of an order or an edit setup, and in ItemIn of a cart of ours. */
#include "cxml/reader_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ITEMS_MAX 8000                  /* a line that says what it must has nine elements; these take memory */

/* "00010" is 10; what is no number (or 0) is the line's position. */
static int line_number(const char *text, int position)
{
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;

    return n > 0 && n <= INT_MAX && !*end ? (int)n : position;
}

static void start_in_item(po_cxml_reader *r, po_element e, const po_attributes *a);

static void item_attributes(po_cxml_reader *r, po_element e, po_cxml_item *item, int position, const po_attributes *a)
{
    const char *quantity = po_reader_attribute(r, a, PO_A_quantity), *ad_hoc = po_reader_attribute(r, a, PO_A_isAdHoc);

    item->line = line_number(po_reader_attribute(r, a, PO_A_lineNumber), position);
    item->requisition = po_reader_attribute(r, a, PO_A_requisitionID);
    item->ad_hoc = ad_hoc && !strcasecmp(ad_hoc, "yes");
    if (po_decimal_parse(&item->quantity, quantity, -1) != APR_SUCCESS)
        po_reader_refuse(r, 400, apr_pstrcat(r->pool, "the quantity of ", po_reader_element_name(e),
                                             " is missing or not a plain decimal number", NULL));
    else if (item->quantity.value < 0)
        po_reader_refuse(r, 400, apr_pstrcat(r->pool, "the quantity of ", po_reader_element_name(e), " is negative",
                                             NULL));
}

void po_reader_item(po_cxml_reader *r, po_element e, apr_array_header_t **items, const po_attributes *a)
{
    po_cxml_item *item;

    if (*items && (*items)->nelts == ITEMS_MAX) {
        po_reader_refuse(r, 400, "the document holds too many lines");
        return;
    }
    r->item = item = po_reader_push(r, items, sizeof(*item));
    item_attributes(r, e, item, (*items)->nelts, a);
    po_reader_enter(r, start_in_item);
}

void po_reader_money(po_cxml_reader *r, po_decimal *amount, int *is_set, const char **currency,
                     const po_attributes *a)
{
    const char *of = po_reader_element_name(po_reader_parent(r));

    if (*currency) {
        po_reader_refuse(r, 400, apr_pstrcat(r->pool, of, " holds more than one Money", NULL));
        return;
    }
    *currency = po_reader_attribute(r, a, PO_A_currency);
    if (!po_currency_valid(*currency)) {
        po_reader_refuse(r, 400, apr_pstrcat(r->pool, "the currency of Money in ", of,
                                             " is not a code of three letters such as USD", NULL));
        return;
    }
    po_reader_collect(r, PO_TEXT_PLAIN, &r->number_text);
    r->decimal = amount;
    r->is_set = is_set;
}

static void start_in_item_detail(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_item *item = r->item;

    if (e == PO_E_Description && !item->description)
        po_reader_collect(r, PO_TEXT_DEEP, &item->description);
    else if (e == PO_E_UnitOfMeasure)
        po_reader_collect_first(r, PO_TEXT_DEEP, &item->unit);
    else if (e == PO_E_Extrinsic)
        po_reader_extrinsic(r, &item->extrinsics, a);
    else if (e == PO_E_Classification) {
        const char *domain = po_reader_attribute(r, a, PO_A_domain);

        if (domain && !strcasecmp(domain, "UNSPSC"))
            po_reader_collect_first(r, PO_TEXT_DEEP, &item->unspsc);
    }
}

/* What a line is found by: markup in it is an error. */
static void start_in_item_id(po_cxml_reader *r, po_element e)
{
    if (e == PO_E_SupplierPartID)
        po_reader_collect_first(r, PO_TEXT_PLAIN, &r->item->part);
    else if (e == PO_E_SupplierPartAuxiliaryID)
        po_reader_collect_first(r, PO_TEXT_PLAIN, &r->item->auxiliary);
}

/* Segment type and id (1.0), or AccountingSegment id with its Name (1.2). */
static void start_in_accounting(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    apr_array_header_t *list = r->item->accounting;
    po_cxml_extrinsic *x;

    if (e == PO_E_Segment || e == PO_E_AccountingSegment) {
        x = po_reader_push(r, &r->item->accounting, sizeof(*x));
        x->name = e == PO_E_Segment ? po_reader_attribute(r, a, PO_A_type) : NULL;
        x->value = po_reader_attribute(r, a, PO_A_id);
    }
    else if (e == PO_E_Name && po_reader_parent(r) == PO_E_AccountingSegment && list) {
        x = &APR_ARRAY_IDX(list, list->nelts - 1, po_cxml_extrinsic);
        po_reader_collect_first(r, PO_TEXT_DEEP, &x->name);
    }
}

/* ItemOut is at depth 4: ItemID and ItemDetail at 5, what they hold at 6. */
static void start_in_item(po_cxml_reader *r, po_element e, const po_attributes *a)
{
    po_cxml_item *item = r->item;
    po_element child = (po_element)r->path[5];
    int in_detail = child == PO_E_ItemDetail || child == PO_E_BlanketItemDetail;

    if (r->depth == 5)
        item->has_detail |= in_detail;
    else if (in_detail && r->depth == 6)
        start_in_item_detail(r, e, a);
    else if (in_detail && r->depth == 7 && e == PO_E_Money && r->path[6] == PO_E_UnitPrice)
        po_reader_money(r, &item->unit_price, &item->has_price, &item->currency, a);
    else if (in_detail && r->depth == 7 && e == PO_E_Money && r->path[6] == PO_E_MaxAmount)
        po_reader_money(r, &item->max_amount, &item->has_max_amount, &item->max_currency, a);
    else if (child == PO_E_ItemID && r->depth == 6)
        start_in_item_id(r, e);
    else if (child == PO_E_Distribution)
        start_in_accounting(r, e, a);
}
