/* market_private.h - what the files of this room share; nobody else includes it. */
#ifndef PO_MARKET_PRIVATE_H
#define PO_MARKET_PRIVATE_H

#include "market/market.h"

/* ---- catalog_scan.c: catalog.json cut into the text of its products ---------------------------------------------- */

typedef struct {                        /* valid until the next product */
    const char *text;                   /* NULL: there are no more */
    apr_size_t len;
    int line;                           /* where the product begins */
    apr_array_header_t *offer_lines;    /* int: where each object of its "offers" begins */
} po_product_text;

typedef struct po_catalog_scan po_catalog_scan;

/* NULL, or why the file can't be read. Closed with p. digest may be NULL; else each byte read goes into it. */
const char *po_catalog_scan_open(po_catalog_scan **s, const char *file, po_crypto *digest, apr_pool_t *p);
/* The next product. NULL, or "FILE:LINE: reason" in the pool of the scan. */
const char *po_catalog_scan_next(po_catalog_scan *s, po_product_text *t);

/* ---- catalog_check.c: what a product must look like -------------------------------------------------------------- */

typedef struct {
    const char *id, *name, *description, *seller, *image, *terms_url, *terms_version;
    const char *keywords;               /* joined by newlines; "" without any */
    apr_array_header_t *offers;         /* po_offer, at least one */
} po_product;

/* Called for each product that has no mistake; lives as long as the call. NULL, or a reason to stop. */
typedef const char *po_product_fn(void *baton, const po_product *product);

/* Reads the whole file; fn may be NULL. NULL, or the first mistake, "FILE:LINE: reason" in p. */
const char *po_catalog_read(const char *file, po_crypto *digest, po_product_fn *fn, void *baton, apr_pool_t *p);

/* ---- cart.c ------------------------------------------------------------------------------------------------------ */

/* 1 when the buyer may request the products of this seller (PunchOutSellers). */
int po_sells_to(const po_buyer *buyer, const char *seller);

/* ---- state.c ----------------------------------------------------------------------------------------------------- */

/* An amount as a person of that currency writes it: "1200.00" USD, "1200" JPY, "0.0925" USD. Exact, never rounded. */
const char *po_money_text(const po_decimal *d, const char *currency, char out[PO_DECIMAL_TEXT]);
/* ISO 4217: the decimals of the currency's smallest coin. */
int po_currency_decimals(const char *currency);

/* ---- order_change.c -------------------------------------------------------------------------------------------- */

/* Carries a judged order out: out->lines are ordered, what an update (owned not NULL) leaves out is cancelled, and the
 * states of the requests follow. Fills out->requests and out->outcomes. */
void po_order_apply(const po_cxml_order *order, int test, const apr_array_header_t *owned, po_order_match *out,
                    apr_pool_t *p);
/* 1 when this purchase order has ordered the charge. */
int po_charge_is_on(const po_charge *c, const po_cxml_order *order);

/* ---- term.c ------------------------------------------------------------------------------------------------------ */

/* 1 when text is an ISO 8601 duration of whole numbers that is longer than nothing: P12M, P1Y6M, P14D, PT1H. */
int po_term_valid(const char *text);
/* "12 months", "1 year 6 months"; text itself when it is no duration. */
const char *po_term_text(const char *text, apr_pool_t *p);
/* What one of a unit of UN/CEFACT Recommendation 20 is called: "GB" for E34; the code itself when we don't know it. */
const char *po_unit_text(const char *unit);

#endif
