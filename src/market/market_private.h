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
    const char *allowed, *denied;       /* as in po_offer */
    apr_array_header_t *offers;         /* po_offer, at least one */
} po_product;

/* Called for each product that has no mistake; lives as long as the call. NULL, or a reason to stop. */
typedef const char *po_product_fn(void *baton, const po_product *product);

/* Reads the whole file; fn may be NULL. NULL, or the first mistake, "FILE:LINE: reason" in p. */
const char *po_catalog_read(const char *file, po_crypto *digest, po_product_fn *fn, void *baton, apr_pool_t *p);

/* ---- json_text.c ------------------------------------------------------------------------------------------------- */

struct json_t;
/* Text in quotes as a message repeats it: cut, in one line. */
const char *po_json_shown(const char *text, apr_pool_t *p);
/* A value as a message names it: "the number 12.5", "a list". */
const char *po_json_value_text(const struct json_t *v, apr_pool_t *p);
/* The first member of the object that is not among the known ones (ended by NULL), as po_json_shown() has it, and a list of
 * those that are; NULL: there is none. */
const char *po_json_unknown(struct json_t *object, const char *const *known, const char **list, apr_pool_t *p);

/* ---- catalog_history.c: when each product became what it is ------------------------------------------------------- */

typedef struct po_catalog_history po_catalog_history;

/* Opens dir/catalog-history.db and begins; closed with p, undone unless po_history_commit() was called. NULL, or why not. */
const char *po_history_open(po_catalog_history **h, const char *dir, const char *file, apr_pool_t *p);
/* 1 when the last catalog that was compiled of this file has that path. */
int po_history_is_current(po_catalog_history *h, const char *db);
/* The time since which the product says what it says now, in seconds. private_to: as compiled. 0: it can't be written. */
apr_int64_t po_history_note(po_catalog_history *h, const po_product *product, const char *private_to);
/* After the last product: those that were not noted are gone. Writes what went, and what changed its audience, into the
 * table `gone` of the compiled catalog (sqlite3 *). 0: it can't. */
int po_history_write_gone(po_catalog_history *h, void *compiled);
/* NULL, or why not. */
const char *po_history_commit(po_catalog_history *h, const char *db);

/* ---- catalog_read.c ---------------------------------------------------------------------------------------------- */

typedef enum {
    PO_BY_OFFER, PO_BY_PRODUCT, PO_BY_NUMBER, PO_USAGE_OF, PO_WALK, PO_WALK_GONE, PO_COUNT, PO_COUNT_GONE, PO_MATCHES,
    PO_IN_AUDIENCE, PO_SEES_PRODUCT, PO_BEGUN, PO_WORDS, PO_FINEST, PO_CATALOG_QUERIES
} po_catalog_query;

struct po_catalog {
    void *db;                           /* sqlite3 * */
    void *query[PO_CATALOG_QUERIES];    /* sqlite3_stmt *, prepared at their first use */
};

/* The statement, reset. NULL: it can't be prepared. sqlite3_stmt * */
void *po_catalog_statement(po_catalog *c, po_catalog_query q);
/* Binds who looks as ?1 (organization) and ?2 (sellers, NULL: all), which PO_VISIBLE uses. */
void po_catalog_bind_buyer(void *statement, const po_buyer *buyer, apr_pool_t *p);
/* Of each seller the price with the most decimals, one of usage and one of the rest, one at each call; 0: there are no more.
 * Strings until the next call. */
int po_catalog_next_finest(po_catalog *c, const char **seller, const char **offer, const char **price, int *decimals,
                           int *usage);
/* The offer of the product with that number that comes first for the buyer; APR_NOTFOUND. */
apr_status_t po_catalog_first(po_catalog *c, apr_int64_t product, const po_buyer *buyer, apr_pool_t *p, po_offer **out);

/* ---- search_words.c ---------------------------------------------------------------------------------------------- */

typedef struct {
    const char *text;                   /* the word as typed; below U+0080 in small letters */
    apr_array_header_t *alike;          /* const char *: words that stand in for it; NULL: it is right */
} po_search_word;

/* The first PO_SEARCH_WORDS words of the text's first PO_SEARCH_BYTES bytes (po_search_word), in p. */
apr_array_header_t *po_search_words(const char *query, apr_pool_t *p);
/* FTS5's expression for all of the words, at least one. *begun: how many of its last phrases stand for the last word: itself,
 * then those that begin with it; 0: it was corrected. */
const char *po_search_match(po_catalog *c, const apr_array_header_t *words, int *begun, apr_pool_t *p);
/* 1 when FTS5's expression matches a product that the buyer may see. */
typedef int po_search_seen(void *baton, const char *question);
/* 1 when some word that no product has which the buyer may see was replaced by those of them that are alike. */
int po_search_correct(po_catalog *c, apr_array_header_t *words, po_search_seen *seen, void *baton, apr_pool_t *p);

/* ---- search.c ---------------------------------------------------------------------------------------------------- */

/* The rowid in `search` of the product with that number: it tells what a search asks of each match. audience: the number from
 * the table `audience` of those who may see it. p: for the time of the call. */
apr_int64_t po_search_rowid(apr_int64_t product, apr_int64_t audience, const char *name, apr_pool_t *p);
/* Gives a connection (sqlite3 *) the function of PO_MATCHES; 0: it can't. */
int po_search_add_function(void *db);

/* ---- cart.c ------------------------------------------------------------------------------------------------------ */

/* 1 when the buyer may request the products of this seller (PunchOutSellers). */
int po_sells_to(const po_buyer *buyer, const char *seller);

/* ---- lines.c ----------------------------------------------------------------------------------------------------- */

typedef struct {                        /* a charge as it is asked for, before it is a line of the cart */
    po_cover cover;                     /* quantity and unit price as a person would write them */
    po_decimal amount;                  /* what it may cost: the budget of usage, else quantity * unit price */
    int open;                           /* usage without a budget: the unit price alone is to be approved */
    const char *part;
    const char *unspsc;                 /* for PunchOutLines classic; NULL: 43232701 */
} po_asked;

/* Appends to r->charges, as this buyer wants his lines, what is asked for (po_asked, at least one): together they are
 * one line of PunchOutLines single. Needs currency and product_name of r. NULL, or a sentence for the shopper. */
const char *po_lines_make(po_request *r, const apr_array_header_t *asked, const po_buyer *buyer, apr_pool_t *p);
/* Decimals of the coin that a line counts this amount in: 0.01, or the currency's own; finer where the amount is. -1 when
 * the buyer's system can't hold that many. */
int po_coin_decimals(const po_decimal *amount, const char *currency, const po_buyer *buyer);
/* 1 when the number can be read again from an order (18 digits, 8 decimals). */
int po_number_fits(const po_decimal *d);
#define PO_SUM_TOO_LARGE "The sum of this request is larger than an order can hold. Enter a smaller quantity or budget and " \
                         "request approval again."

/* ---- state.c ----------------------------------------------------------------------------------------------------- */

/* 1 when it is ordered, or approved without an order. */
int po_charge_is_in(const po_charge *c);
/* ISO 4217: the decimals of the currency's smallest coin. */
int po_currency_decimals(const char *currency);

/* ---- order_change.c -------------------------------------------------------------------------------------------- */

/* Carries a judged order out: out->lines are ordered, what an update (owned not NULL) leaves out is cancelled, and the
 * states of the requests follow, by PunchOutActivate. Fills out->requests and out->outcomes. */
void po_order_apply(const po_cxml_order *order, int test, po_activate activate, const apr_array_header_t *owned,
                    po_order_match *out, apr_pool_t *p);
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
