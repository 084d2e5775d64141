/* market.h - the marketplace's rules: catalog, carts, charges and states, cart against order, the event's JSON.
 *
 * Pure: APR, jansson, SQLite (the compiled catalog), no httpd. Knows nothing of how requests are kept (ledger) or
 * sent (delivery): functions here take structs and give structs.
 */
#ifndef PO_MARKET_H
#define PO_MARKET_H

#include "core/core.h"
#include "cxml/cxml.h"

/* ---- catalog.c: catalog.json, compiled into one read-only SQLite file named by its digest --------------------- */

#define PO_UNSPSC "43232701"            /* software: of every line that is not PunchOutLines' Service (design.md §5) */

typedef struct {
    const char *dimension, *description, *unit;
    po_decimal price;
    /* of the marketplace's own cart alone: NULL is the offer's, a quantity of 0 follows from the budget */
    const char *part, *unspsc;
    po_decimal quantity;
} po_usage;

typedef struct {                        /* an offer with its product */
    const char *product, *name, *description, *seller, *image;     /* description, image: NULL: none */
    const char *terms_url, *terms_version;      /* NULL: the product has none */
    const char *offer, *pricing;        /* contract | usage | free | byol | trial */
    po_decimal price;                   /* contract; else zero */
    int has_price;
    const char *currency, *term, *unit; /* NULL: none */
    apr_array_header_t *usage;          /* po_usage; NULL: none */
    const char *unspsc;                 /* of the marketplace's own cart; NULL: 43232701 */
    /* Who may see it, each a list of organizations like "\nacme\nglobex\n"; NULL: everybody, and nobody is denied. */
    const char *allowed, *denied;       /* of the product */
    const char *organizations;          /* a private offer is for these alone */
} po_offer;

/* 1 when a buyer of this organization may see and request the offer: allowed, not denied, for a private offer named in it, and
 * its seller is one of PunchOutSellers. */
int po_offer_visible(const po_offer *o, const po_buyer *buyer);

/* price.c. What a search shows as the price of an offer: the contract's, else that of the first usage dimension with
 * its unit; nothing is free of charge for a price of 0.00. */
typedef struct {
    const char *price, *currency;       /* NULL: neither the offer nor the buyer names a currency */
    const char *unit;                   /* as the buyer spells it */
} po_shown_price;
void po_offer_price(const po_offer *o, const po_buyer *buyer, po_shown_price *out, apr_pool_t *p);

/* Checks the JSON file whole without writing anything. NULL, or "FILE:LINE: reason" in p. */
const char *po_catalog_check(const char *file, apr_pool_t *p);
/* Whether each price fits into the decimals of every buyer who may request it, for a price is never rounded. buyers:
 * po_buyer *. The file is read only when some buyer takes fewer decimals than a catalog can hold. NULL, or the first
 * price that doesn't fit: "FILE: reason" in p. compiled: the file's compiled form, which knows it without reading the file;
 * NULL: there is none yet. */
const char *po_catalog_check_prices(const char *file, const char *compiled, const apr_array_header_t *buyers, apr_pool_t *p);
/* Makes sure that dir holds the compiled form of file; *db is its path, named by the digest of the file's bytes and of
 * the format's version, so an unchanged catalog is not parsed again. Written aside and renamed. NULL, or the reason. */
const char *po_catalog_compile(const char *file, const char *dir, const char **db, apr_pool_t *p);
/* Removes the compiled catalogs in dir that are not in keep (const char *, paths). */
void po_catalog_prune(const char *dir, const apr_array_header_t *keep, apr_pool_t *p);
/* The path of the compiled form of file, when it exists already, else NULL. */
const char *po_catalog_compiled(const char *file, const char *dir, apr_pool_t *p);

typedef struct po_catalog po_catalog;   /* a connection: one per thread */
apr_status_t po_catalog_open(po_catalog **c, const char *db, apr_pool_t *p);   /* closed with p */
/* APR_NOTFOUND when there is no such offer. */
apr_status_t po_catalog_offer(po_catalog *c, const char *offer_id, apr_pool_t *p, po_offer **out);
/* The first offer of a product that the buyer may see, or the offer of that id if he may: SelectedItem takes both. */
apr_status_t po_catalog_item(po_catalog *c, const char *product_or_offer, const po_buyer *buyer, apr_pool_t *p,
                             po_offer **out);

typedef struct {                        /* a product in an index */
    const po_offer *offer;              /* its first one that the buyer may see; NULL: it is gone */
    const char *product;
} po_catalog_entry;
/* 0: go on; else the walk ends. */
typedef int po_catalog_fn(void *baton, const po_catalog_entry *entry, apr_pool_t *p);
/* Each product that the buyer may see, in the order of ids; since > 0: only those that changed then or later, and those
 * that the buyer might have seen before and can't any more. p of fn is cleared after each. */
apr_status_t po_catalog_walk(po_catalog *c, const po_buyer *buyer, apr_time_t since, po_catalog_fn *fn, void *baton,
                             apr_pool_t *p);
/* How many it would be. */
apr_status_t po_catalog_count(po_catalog *c, const po_buyer *buyer, apr_time_t since, int *n, apr_pool_t *p);

/* ---- search.c: what a shopper types -> products ----------------------------------------------------------------- */

#define PO_SEARCH_BYTES 500             /* of a query; the rest is not looked at */
#define PO_SEARCH_WORDS 12
#define PO_SEARCH_PAGES 500

typedef struct {
    int total;                          /* hits in all */
    apr_array_header_t *offers;         /* po_offer *, of this page: each product's first offer that the buyer may see */
    int corrected;                      /* nothing matched as it was typed: words that are spelled much alike were taken */
} po_search_hits;

/* Full text over name, keywords, seller and description: all words in any order and whatever their accents, the last one as
 * the beginning of a word. Only what the buyer may see is found and counted; total is exact however many there are.
 * Best first: a word that stands in the name counts more than one in keywords, seller and description together, keywords more
 * than seller and description, seller more than description; a whole word counts twice what a beginning does. Among equals the
 * shorter name is first, then the earlier product of the catalog. So the order is one for all pages, and the same query on the
 * same catalog shows each product on one page alone.
 * page from 1, of page_size; no offers beyond PO_SEARCH_PAGES. APR_EGENERAL: the catalog can't be read. */
apr_status_t po_catalog_search(po_catalog *c, const char *query, const po_buyer *buyer, int page, int page_size,
                               apr_pool_t *p, po_search_hits *out);

/* ---- openbuy.c: Coupa Open Buy's JSON, what a buyer's system asks ----------------------------------------------- */

/* Every member name of ours that PunchOutOpenBuyField may change, NULL at the end. `credentials` and `token` are none: by
 * them we learn whose names count. */
extern const char *const po_openbuy_names[];
/* What the buyer calls a member of ours; NULL: it is left out of answers. */
const char *po_openbuy_name(const po_buyer *buyer, const char *ours);

#define PO_OPENBUY_BYTES 16384          /* of a body */
#define PO_OPENBUY_PAGE 20              /* hits on a page */

typedef struct po_openbuy po_openbuy;   /* the body of a call */

/* The readers return NULL, or in p what is wrong with the call and what to do; nothing of it repeats the body. A member
 * that is null counts as none, one that is unknown is ignored. */

/* Reads the body: one JSON object in UTF-8 without duplicates. It goes with p. */
const char *po_openbuy_read(po_openbuy **out, const char *body, apr_size_t len, apr_pool_t *p);
/* Who calls; NULL: it doesn't say. */
const char *po_openbuy_who(const po_openbuy *o, const char **credentials, const char **token);
/* The requester's mail address; NULL: it doesn't say. */
const char *po_openbuy_email(const po_openbuy *o, const po_buyer *buyer, const char **email, apr_pool_t *p);
/* page: from 1. */
const char *po_openbuy_search(const po_openbuy *o, const po_buyer *buyer, const char **query, int *page, apr_pool_t *p);
/* An offer or product. */
const char *po_openbuy_part(const po_openbuy *o, const po_buyer *buyer, const char **part, apr_pool_t *p);
/* Digits, "1" when it doesn't say. */
const char *po_openbuy_quantity(const po_openbuy *o, const po_buyer *buyer, const char **quantity, apr_pool_t *p);

/* ---- openbuy_item.c: what it is told ---------------------------------------------------------------------------- */

typedef struct {                        /* NULL members are left out; numbers are text */
    const char *source_part_num, *supp_aux_part_num, *quantity, *name, *description, *price, *currency, *uom;
    const char *unspsc_code, *manufacturer_name, *manufacturer_part_number, *lead_time, *minimum_order_quantity;
    const char *image_url, *url;
} po_openbuy_item;

/* All but url, which is the caller's. */
void po_openbuy_item_of(po_openbuy_item *out, const po_offer *o, const po_site *site, const po_buyer *buyer,
                        apr_pool_t *p);
/* What the line of a cart says counts: its order has to match. */
void po_openbuy_item_line(po_openbuy_item *out, const po_cxml_cart_item *line);
/* The JSON of an item, and of a page of them (po_openbuy_item), in the buyer's names and types. */
const char *po_openbuy_item_json(const po_openbuy_item *item, const po_buyer *buyer, apr_pool_t *p);
const char *po_openbuy_results_json(const apr_array_header_t *items, int total, const po_buyer *buyer, apr_pool_t *p);

/* ---- states --------------------------------------------------------------------------------------------------- */

typedef enum {                          /* stored by number: append only */
    PO_STATE_DRAFT, PO_STATE_REQUESTED, PO_STATE_PARTLY_APPROVED, PO_STATE_APPROVED, PO_STATE_DELIVERING,
    PO_STATE_ACTIVE, PO_STATE_ENDED, PO_STATE_TESTED, PO_STATE_HELD, PO_STATE_FAILED, PO_STATE_CANCELLED,
    PO_STATE_EXPIRED
} po_state;
typedef enum {                          /* of a charge's approval; stored by number: append only */
    PO_CHARGE_REQUESTED, PO_CHARGE_ORDERED, PO_CHARGE_PREAPPROVED, PO_CHARGE_CANCELLED, PO_CHARGE_EXPIRED,
    PO_CHARGE_WAITING,                  /* its cart has not gone out yet: PunchOutApprovals separate, or a draft */
    PO_CHARGE_WITHDRAWN                 /* cancelled while nothing was ordered: the rest is asked for without it */
} po_charge_state;

const char *po_state_name(po_state s);              /* "partly approved", ... (design.md §5) */
const char *po_charge_state_name(po_charge_state s);

typedef struct {                        /* something that a line which holds its sum alone stands for */
    const char *kind;                   /* as in po_charge */
    const char *dimension, *description, *unit;         /* dimension NULL: none */
    po_decimal quantity, unit_price;    /* as asked for */
} po_cover;

typedef struct {
    int line;                           /* from 1; the auxiliary id is "<request>.<line>" */
    const char *kind;                   /* contract | usage | free | byol | trial: which approval it belongs to */
    const char *dimension;              /* usage only */
    const char *part, *description, *unit, *unspsc, *currency;
    po_decimal quantity, unit_price;    /* as emitted */
    po_charge_state state;
    const char *order_id;               /* the purchase order that ordered it, and maybe cancelled it again */
    int order_line;
    po_decimal ordered;                 /* the quantity that was ordered; a value of 0: none yet */
    const char *line_type;              /* Service | Material; NULL: by kind (PunchOutLines classic) */
    apr_array_header_t *covers;         /* po_cover: what a line of PunchOutLines single or split stands for; NULL: itself */
    apr_time_t expires;                 /* of its approval, whose cart went back later; 0: with the request */
    int told;                           /* which of the request's events about approvals told of it, from 1; 0: none */
} po_charge;

/* The quantity that is ordered, before an order the cart's. */
const po_decimal *po_charge_quantity(const po_charge *c);
/* How people are shown it: 1 x the sum where a line holds a sum (50000 x 0.01 tells nobody anything), else the quantity
 * and price of the line. */
void po_charge_shown(const po_charge *c, po_decimal *quantity, po_decimal *unit_price);

typedef struct {
    const char *id, *site, *buyer, *organization;
    const char *session;                /* id of the session it was made in */
    const char *form_digest;            /* hex; the same form in the same session is the same request */
    po_state state;
    int test;
    const char *product, *offer, *product_name, *seller, *pricing, *term;
    const char *action;                 /* new | change | renew */
    const char *subscription;           /* of change and renew, later the backend's */
    const char *terms_version;
    apr_time_t terms_at;
    const char *user, *email, *user_name;           /* the requester */
    const char *account, *account_email;            /* PunchOut-Account; NULL: none */
    const char *currency;
    const char *budget;
    const char *preapproved_by;         /* the switch that approved it: "PunchOutPreApprove free"; NULL: none */
    const char *reason;                 /* of held and failed: for the requester, the log and the page */
    const char *url;                    /* the backend's getting-started page */
    const char *cart_payload;           /* payloadID of the PunchOutOrderMessage; NULL: no cart was returned */
    apr_time_t created, updated, expires;
    apr_array_header_t *charges;        /* po_charge, by line */
    int told;                           /* PO_TOLD_ */
} po_request;

/* po_request.told, stored by number: no event about it was queued; one was; the backend has taken one; it has taken the first
 * of a partly approved request by 202, and owes its answer. */
enum { PO_TOLD_NOTHING, PO_TOLD_QUEUED, PO_TOLD_TAKEN, PO_TOLD_UNANSWERED };

/* The state that the charges give a request which nothing else decides: requested, partly approved, approved;
 * cancelled or expired when no charge is left; held when an approval (all charges of a kind) was cancelled beside
 * one that is in, or a charge has expired beside one: they can no longer all come (design.md §5). */
po_state po_state_of_charges(const po_request *r);
/* The reason of the one hold that a backend's late answer ends. */
#define PO_HELD_UNANSWERED "The marketplace took the order but has not said in time whether the subscription is ready"
/* The state of a request whose backend has said that it is ready. It stays held when an order caused that: the answer
 * is to an event from before, and a person decides what comes next. */
po_state po_state_when_ready(const po_request *r, int test);
/* An amount as a person of that currency writes it: "1200.00" USD, "1200" JPY, "0.0925" USD. Exact, never rounded. */
const char *po_money_text(const po_decimal *d, const char *currency, char out[PO_DECIMAL_TEXT]);
/* 1 when the backend has taken an event about it. */
int po_request_is_known(const po_request *r);
/* Sum of quantity * unit price over the charges. */
apr_status_t po_request_total(const po_request *r, po_decimal *total);

/* ---- approvals.c: the approvals of a request, which are its charges by kind (design.md §5) --------------------- */

typedef struct {
    const char *kind;
    po_charge_state state;              /* of its hindmost charge: ordered when all are that were not cancelled */
} po_approval;

/* Each once (po_approval), in the order of the lines. */
apr_array_header_t *po_request_approvals(const po_request *r, apr_pool_t *p);
/* 1 when nobody has decided about it: its cart waits to go back, or is on its way through the buyer's approval. */
int po_approval_is_open(po_charge_state s);
int po_approval_is_gone(po_charge_state s);             /* cancelled or withdrawn */
/* The kinds (const char *) of approvals that are in whole and that no event has told of. */
apr_array_header_t *po_approvals_to_tell(const po_request *r, apr_pool_t *p);
/* An event tells of these now. */
void po_approvals_told(po_request *r, const apr_array_header_t *kinds);
/* What the last of these events told of is to be told again, `all`: what all of them did. */
void po_approvals_untold(po_request *r, int all);
/* 1 when events of their own have told of two approvals: whatever comes of the later one, the earlier one is carried
 * out. */
int po_approvals_told_apart(const po_request *r);

/* PunchOutApprovals separate: makes all but the first approval of a new request wait for a cart of their own. */
void po_request_separate(po_request *r);
/* Whether a session of that mode may send the next approval that waits. NULL, or a sentence in p: why not, and what
 * to do. */
const char *po_request_continue_refused(const po_request *r, int test, apr_time_t now, apr_pool_t *p);
/* Requests the next approval that waits: its charges and with them the request live until `expires`, or as long as
 * the request did. Returns its kind; NULL: none waits. */
const char *po_request_continue(po_request *r, apr_time_t expires);
/* The request with the charges of that kind alone, for the approval's cart and mail. */
po_request *po_request_of_kind(const po_request *r, const char *kind, apr_pool_t *p);
/* 1 when an approval of it has gone back in a later cart than the first. */
int po_request_is_continued(const po_request *r);

/* Cancels what is not ordered: the approval of that kind, or (kind NULL) the whole request, which then has no order.
 * While nothing is ordered the other approvals stay (see po_cancel_scope); beside one that is ordered the request is
 * held. reason: for the page and the log. NULL, or a sentence in p that says why not; then nothing has changed. */
const char *po_request_cancel(po_request *r, const char *kind, const char *reason, apr_pool_t *p);
/* What cancelling one approval comes to: under PunchOutActivate all, as long as nothing is ordered, the whole
 * request (NULL), for it can't be approved as it was asked for any more; and a draft goes whole in any case. */
const char *po_cancel_scope(const po_request *r, const char *kind, po_activate activate);
/* The time of a partly approved request is over: what is open expires, and the request is held with a reason in p. */
void po_request_expire_open(po_request *r, apr_pool_t *p);

/* ---- draft.c: requests that were made in the marketplace and have not gone back yet (design.md §5) ------------- */

/* A new request becomes a draft: no cart has gone back, and all its charges wait for one. */
void po_request_draft(po_request *r);
/* Whether a punchout may take it back. NULL, or a sentence in p: why not, and what to do. Whose it is the caller
 * knows. */
const char *po_draft_return_refused(const po_request *r, apr_time_t now, apr_pool_t *p);
/* Whether drafts (po_request *) of one account may go back in one cart: one mode, and what po_cart_check() says. */
const char *po_drafts_together_refused(const apr_array_header_t *drafts, apr_pool_t *p);
/* It is requested now, all of it or (PunchOutApprovals separate) its first approval. test: of the session or the buyer;
 * what was drafted in test mode stays a test, for its page has said so. Session, requester and cart_payload are the
 * caller's. */
void po_draft_return(po_request *r, const po_buyer *buyer, int test, apr_time_t now, apr_time_t expires);

/* ---- cart.c: an offer and a form -> a request and its charges ------------------------------------------------- */

typedef struct {                        /* what the browser may say; never a price */
    const char *offer, *quantity, *budget, *action, *subscription, *terms;
} po_request_form;

/* Prices the form (design.md §5 "Rules"), in the lines that the buyer wants (po_buyer.lines). Classic: 43232701 on every
 * line, one line per usage dimension, budget / unit price rounded up, $0.00 lines for free, byol and trial. Single and
 * split (marketplace.md "Lines"): Service is 1 x the amount, Material amount / coin x coin; covers says what for. Sets product, offer, pricing, currency, term, action, charges,
 * and for a cart of zero charges whose switch is on preapproved_by and PO_CHARGE_PREAPPROVED. Leaves id, site, session,
 * requester, account and times to the caller, which sets id before (descriptions don't need it).
 * NULL, or a sentence for the shopper: what is wrong and what to do. */
const char *po_cart_build(po_request *r, const po_offer *offer, const po_request_form *form, const po_site *site,
                          const po_buyer *buyer, apr_pool_t *p);
/* NULL when these requests (po_request *) may go back in one cart: one currency, and a sum that an order can hold. Else a
 * sentence for the shopper. */
const char *po_cart_check(const apr_array_header_t *requests, apr_pool_t *p);
/* Adds the request's lines to a cart as this buyer's profile wants them: units mapped, texts cut, auxiliary ids
 * "<request>.<line>"; lineNumber is the position in the cart. The first request gives the cart its items, total and
 * currency; the others add to them, and po_cart_check() has passed them. */
apr_status_t po_cart_items(const po_request *r, const po_buyer *buyer, po_cxml_cart *cart, apr_pool_t *p);

/* ---- cart_json.c: the marketplace's own cart ------------------------------------------------------------------- */

typedef struct {                        /* becomes one request */
    int line;                           /* from 0: its first line, for the log */
    const po_offer *own;                /* made of lines that the marketplace priced itself; NULL: form.offer of the catalog */
    po_request_form form;
} po_cart_entry;

/* Reads application/vnd.punchout.cart+json (design.md §5): 1 to 200 lines, each of an offer of the catalog or of the
 * marketplace's own; money and quantities are strings; an unknown member is a mistake. Own lines of kind contract and usage
 * of one product and seller become one request. currency: of own lines that name none; may be NULL. NULL, and *entries
 * (po_cart_entry) for po_cart_build() and *canonical, the same text for the same cart; or the first mistake with its path
 * ("lines[2].unitPrice is ..."), for the shop's developer. */
const char *po_cart_json_read(const char *text, apr_size_t len, const char *currency, apr_array_header_t **entries,
                              const char **canonical, apr_pool_t *p);

/* ---- setup.c: what a PunchOutSetupRequest asks for ------------------------------------------------------------- */

typedef struct {
    int status;                         /* 200, 403, 412 or 450 */
    const char *why;                    /* NULL with 200 */
    po_request *request;                /* edit, inspect: the one whose cart comes back; else NULL */
} po_setup_verdict;

/* known: the requests of this buyer that an ItemOut names (po_request *, with charges); needed for edit and inspect.
 * All lines must name the same request, so the first line's is enough. */
void po_setup_judge(const po_cxml_setup *setup, int test, const po_buyer *buyer, const apr_array_header_t *known,
                    apr_time_t now, po_setup_verdict *out, apr_pool_t *p);
/* NULL when the cart of this request may still be changed: nothing of it is ordered, approved, cancelled or expired.
 * Else a sentence in p that says why not and what to do. */
const char *po_request_edit_refused(const po_request *r, apr_time_t now, apr_pool_t *p);

/* ---- order.c: a purchase order against the requests it names -------------------------------------------------- */

/* "req-abc.2" -> request id (in p) and line; 0 when it is not of our form. */
int po_auxiliary_parse(const char *auxiliary, const char **request, int *line, apr_pool_t *p);

typedef struct {
    const po_cxml_item *item;
    po_request *request;                /* NULL: the line names none that we know */
    po_charge *charge;
} po_order_match_line;

typedef enum { PO_OUTCOME_NONE, PO_OUTCOME_APPROVED, PO_OUTCOME_CHANGED, PO_OUTCOME_CANCELLED } po_order_outcome;

typedef struct {
    int status;                         /* 200, or 409: refuse the whole order */
    int held;                           /* 200, but a person must decide: no event */
    int awaits_release;                 /* 200, a blanket order that orders nothing; its requests expire no more */
    const char *detail;                 /* for Status and log: line, both values, what to do; NULL: none */
    const char *difference;             /* of detail what PunchOutOrderMismatch is about; NULL: nothing differs */
    apr_array_header_t *lines;          /* po_order_match_line */
    apr_array_header_t *requests;       /* po_request *: those that this order changes, each once */
    apr_array_header_t *outcomes;       /* po_order_outcome of each of them: which event the backend gets, if any */
} po_order_match;

/* Compares a type="new" order with the requests it names, as emitted: part, price, currency, quantity per line, and
 * its total; unit only warns (detail). `known` holds every request that a line names or may mean (po_request *, with
 * charges); it is changed when the result is 200: charges become ordered, states follow (held, partly approved,
 * approved; that a test ends as tested is the caller's, which knows whether there is a sandbox).
 * PunchOutOrderMismatch decides about differences and about lines that name no request (nor mean one of their own
 * mode); a charge that another order took is always 409 and names that order; an expired request is held (design.md
 * §5); a charge whose cart has not gone back yet differs. A line without a price and without ItemDetail is taken at
 * the cart's price; one of a blanket order needs a MaxAmount that is enough, if it has any. */
void po_order_match_new(const po_cxml_order *order, int test, const po_buyer *buyer,
                        apr_array_header_t *known, apr_time_t now, po_order_match *out, apr_pool_t *p);

/* The same for type="update", the whole order again. owned: the requests with charges on this purchase order, which known
 * holds too (the same pointers). Their charges may be ordered again in another quantity; those that no line takes are
 * cancelled. */
void po_order_match_update(const po_cxml_order *order, int test, const po_buyer *buyer, apr_array_header_t *known,
                           const apr_array_header_t *owned, apr_time_t now, po_order_match *out, apr_pool_t *p);

/* ---- order_change.c: what came before a document of type update or delete -------------------------------------- */

/* Cancels all that is ordered of owned by this purchase order (type="delete"). 409 when one of the requests has ended. */
void po_order_cancel(const po_cxml_order *order, int test, const apr_array_header_t *owned, po_order_match *out,
                     apr_pool_t *p);

typedef struct {                        /* the latest document that was taken about a purchase order */
    const char *order_id, *version, *type, *payload_id, *digest;
} po_order_before;

typedef struct {
    int status;                         /* 0: carry it out as `version`; 200: taken already, nothing new; 409, 417 */
    const char *why;                    /* of 409 and 417 */
    const char *version;                /* its own, or the next one */
} po_order_turn;

/* Whether an update or delete comes in turn. before NULL: no earlier document is known. digest: of this one. */
void po_order_take_turn(const po_cxml_order *order, const po_order_before *before, const char *digest, po_order_turn *out,
                        apr_pool_t *p);
/* Less than, equal to or greater than 0; numbers by value, so that 10 follows 9. */
int po_order_version_compare(const char *a, const char *b);

/* ---- confirmation.c: what the buyer is told of a purchase order ------------------------------------------------ */

typedef struct {                        /* a line of a purchase order that was taken */
    int line;
    po_decimal quantity;
    const char *unit;                   /* NULL: it said none */
    const char *request;                /* id of what it was matched to, and the charge's line; NULL: nothing */
    int charge;
    const po_request *about;            /* that request as it stands; NULL: none */
    int open;                           /* 1: the backend has still to answer an event about it */
} po_taken_line;

typedef struct {                        /* the latest document about a purchase order */
    const char *order_id, *order_date, *payload_id, *type;
    const char *difference;             /* as in po_order_match */
    int held, release_required, test;
    apr_array_header_t *lines;          /* po_taken_line, in the order of the document */
} po_taken_order;

typedef struct {
    const char *type;                   /* accept | except | reject; NULL: it is too early to say */
    const char *comments;               /* NULL: none */
    apr_array_header_t *items;          /* po_cxml_confirmation_item, with except; else NULL */
} po_confirmation;

/* What becomes of an order whose lines know their requests. It is accepted when all that it ordered is ready, rejected
 * when nothing of it will be, else each line says which, and why. An order that was taken in spite of a difference is
 * an exception that names it. Too early: something is open, held, or awaits another approval; the buyer has taken it
 * back; it is a blanket order that awaits releases. */
void po_confirmation_decide(const po_taken_order *order, const po_buyer *buyer, po_confirmation *out, apr_pool_t *p);

/* ---- decision.c: the operator's word about what is held, and about events --------------------------------------- */

typedef struct {
    int carried_out;                    /* 0: it can't be, nothing was changed; said tells why */
    po_order_outcome outcome;           /* the event that follows */
    int resend;                         /* of a release: the event that the backend never answered goes out again */
    const char *said;                   /* a sentence for the operator, in p */
} po_decided;

/* What held it is accepted: the state follows from its charges. left_out: lines (int) of charges that a held update leaves
 * out, which are cancelled; NULL: none. each: PunchOutActivate each. */
void po_request_release(po_request *r, const apr_array_header_t *left_out, int each, po_decided *out, apr_pool_t *p);
/* The request fails and nothing of it stays ordered. reason NULL: what held it. */
void po_request_refuse(po_request *r, const char *reason, po_decided *out, apr_pool_t *p);
/* Takes a request back for good, ordered or not; what the requester may cancel by himself is less (po_request_cancel()). One
 * that is cancelled stays as it is and counts as carried out. reason NULL: the marketplace's wish. */
void po_request_take_back(po_request *r, const char *reason, po_decided *out, apr_pool_t *p);

typedef struct {
    const char *key;                    /* of the event that is given up */
    po_order_outcome outcome;           /* what it tells */
    po_order_outcome behind;            /* what the last event behind it tells; NONE: there is none */
} po_dropped_event;
/* An event was given up. The backend must end up knowing the truth: *drop_rest, it knows of nothing, so the events behind are
 * given up too. A request whose truth the backend would miss is held, a cancelled one says so in its reason. */
void po_request_drop_event(po_request *r, const po_dropped_event *event, int *drop_rest, po_decided *out, apr_pool_t *p);

/* ---- event.c: what the fulfillment backend is told ------------------------------------------------------------ */

typedef struct {
    const po_cxml_order *order;
    const char *payload_id;             /* of its OrderRequest */
} po_event_order;

typedef struct {
    const char *id;                     /* evt-...: also the Idempotency-Key */
    const char *type;                   /* marketplace.subscription.approved ... */
    const char *source;                 /* po_site.door + "/" + buyer */
    const char *callback_url, *callback_token;
    apr_time_t time;
    const po_request *request;
    const po_cxml_order *order;         /* NULL for a pre-approved request */
    const char *order_payload;          /* payloadID of the OrderRequest */
    const apr_array_header_t *earlier;  /* po_event_order: the other orders that its charges are on; NULL: none */
    const apr_array_header_t *approved; /* const char *: the kinds of approval that it tells of; NULL: of none */
} po_event;

/* CloudEvents 1.0 structured JSON exactly as design.md §7 shows it; money as strings. */
const char *po_event_json(const po_event *e, apr_pool_t *p);

/* ---- invoice.c: an invoice as the backend hands it over -------------------------------------------------------- */

typedef struct {
    const char *category, *rate;        /* "vat", "19"; rate NULL: none */
    const char *description;            /* NULL: none */
    po_decimal taxable, amount;
    int has_taxable;
} po_invoice_tax;

typedef struct {
    const char *request;
    int charge;                         /* po_charge.line */
    po_decimal quantity, unit_price;
    po_decimal amount;                  /* quantity * unit price, or what the backend rounded it to */
    const char *description;            /* NULL: the charge's */
    const char *period_from, *period_to;        /* timestamps; both or none */
} po_invoice_line;

typedef struct {
    const char *number, *date;          /* date: a timestamp */
    int credit_memo;
    const char *original;               /* number of the invoice that a credit memo is about */
    const char *buyer;                  /* NULL: that of the requests */
    const char *seller, *currency;
    po_cxml_partner remit_to, bill_to;  /* bill_to.name NULL: as the order says */
    const char *period_from, *period_to, *comments;     /* NULL: none */
    po_decimal tax;
    const char *tax_description;
    apr_array_header_t *taxes;          /* po_invoice_tax; NULL: none */
    apr_array_header_t *lines;          /* po_invoice_line, at least one */
    po_decimal subtotal, total;         /* the exact sum of the lines; with tax */
} po_invoice;

/* Reads the JSON of docs/integration.md and adds it up. All numbers are positive, in a credit memo too. Refused are unknown
 * members, amounts that are no text, sums that don't agree, and amounts finer than the currency's coin. NULL, or in p what is
 * wrong and what to do; *status is 400 (malformed) or 422 (the figures). */
const char *po_invoice_read(po_invoice *out, const char *body, apr_size_t len, int *status, apr_pool_t *p);
/* Hex: equal invoices have equal digests, however their JSON is written. */
const char *po_invoice_digest(const po_invoice *i, po_crypto *c, apr_pool_t *p);

/* ---- invoice_check.c: an invoice against what was ordered ------------------------------------------------------- */

typedef struct {                        /* what was invoiced of a charge before; what the buyer refused doesn't count */
    const char *request;
    int charge;
    po_decimal amount;                  /* standard invoices less credit memos */
    const char *number;                 /* of a standard invoice of it; NULL: there is none */
    po_decimal credited;                /* of a credit memo: what is left of the original's amount for the charge */
    const po_cxml_item *ordered;        /* the order's line: part, auxiliary id, unit, quantity and price as the buyer has
                                         * them, which an order taken all the same has otherwise; NULL: not known */
} po_invoice_past;

typedef struct {                        /* an invoice line with what it is about, in the terms of the purchase order */
    const po_invoice_line *line;
    const po_request *request;
    const po_charge *charge;
    po_decimal quantity, unit_price;
    const po_cxml_item *ordered;        /* the order's line; NULL: as the charge */
} po_invoice_item;

typedef struct {
    int status;                         /* 200, 409 or 422 */
    const char *detail;                 /* what is wrong and what to do; NULL with 200 */
    apr_array_header_t *items;          /* po_invoice_item, one for each line */
    apr_array_header_t *orders;         /* po_event_order: set by the ledger, each purchase order once */
} po_invoice_verdict;

/* requests: those that the lines name, as far as they are known (po_request *, with charges). past: po_invoice_past, what is
 * not in it was never invoiced. The buyer is the requests' own. Where the order has less than the cart
 * (PunchOutOrderMismatch accept, or released by the operator) the order counts: nobody pays more than he ordered. */
void po_invoice_judge(const po_invoice *i, const po_buyer *buyer, const apr_array_header_t *requests,
                      const apr_array_header_t *past, po_invoice_verdict *out, apr_pool_t *p);

/* ---- invoice_document.c ------------------------------------------------------------------------------------------ */

typedef struct {                        /* the invoice that a credit memo is about */
    const char *number, *date, *payload_id;
} po_invoice_original;

/* The words of a judged invoice for its buyer: amounts as text, in a credit memo negative, lines by purchase order. header
 * stays the caller's. original: of a credit memo, else NULL. */
void po_invoice_document(const po_invoice *i, const po_invoice_verdict *v, const po_buyer *buyer,
                         const po_invoice_original *original, po_cxml_invoice *out, apr_pool_t *p);

typedef struct {                        /* what a backend may answer, at once or at fulfilled/EVENT-ID */
    const char *status;                 /* active | failed; NULL: not given */
    const char *subscription, *url, *reason;
} po_answer;
/* Reads {"subscription","url","status","reason"} or problem+json ("detail"); text that is no JSON gives its first 1 KB
 * as reason. url is dropped unless it is http(s). Unknown members are ignored. */
void po_answer_read(po_answer *a, const char *body, apr_size_t len, apr_pool_t *p);

#endif
