/* requests.c - subscription requests and their charges. */
#include "ledger/ledger_private.h"

#include <jansson.h>
#include <string.h>

#define REQUEST_COLUMNS \
    "id, site, buyer, organization, session, form_digest, state, test, product, offer, product_name, seller, " \
    "pricing, term, action, subscription, terms_version, terms_at, user, email, user_name, account, account_email, " \
    "currency, budget, preapproved_by, reason, url, cart_payload, created, updated, expires, told"
#define THE_REQUEST "(SELECT seq FROM request WHERE site = ?1 AND id = ?2)"
#define CHARGE_COLUMNS \
    "line, kind, dimension, part, description, unit, unspsc, currency, quantity, unit_price, state, order_id, " \
    "order_line, ordered, line_type, covers, expires, told"

#define EXPIRE_AT_ONCE 500              /* a job holds up all others: the rest comes with the next call */

/* ---- binding and reading, in the order of the columns above --------------------------------------------------- */

static void bind_request(po_cursor *c, const po_request *r)
{
    po_bind_text(c, r->id);
    po_bind_text(c, r->site);
    po_bind_text(c, r->buyer);
    po_bind_text(c, r->organization);
    po_bind_text(c, r->session);
    po_bind_text(c, r->form_digest);
    po_bind_int(c, r->state);
    po_bind_int(c, r->test);
    po_bind_text(c, r->product);
    po_bind_text(c, r->offer);
    po_bind_text(c, r->product_name);
    po_bind_text(c, r->seller);
    po_bind_text(c, r->pricing);
    po_bind_text(c, r->term);
    po_bind_text(c, r->action);
    po_bind_text(c, r->subscription);
    po_bind_text(c, r->terms_version);
    po_bind_int(c, r->terms_at);
    po_bind_text(c, r->user);
    po_bind_text(c, r->email);
    po_bind_text(c, r->user_name);
    po_bind_text(c, r->account);
    po_bind_text(c, r->account_email);
    po_bind_text(c, r->currency);
    po_bind_text(c, r->budget);
    po_bind_text(c, r->preapproved_by);
    po_bind_text(c, r->reason);
    po_bind_text(c, r->url);
    po_bind_text(c, r->cart_payload);
    po_bind_int(c, r->created);
    po_bind_int(c, r->updated);
    po_bind_int(c, r->expires);
    po_bind_int(c, r->told);
}

static po_request *read_request(sqlite3_stmt *st, apr_pool_t *p)
{
    po_request *r = apr_pcalloc(p, sizeof(*r));
    po_cursor c = { st };

    r->id = po_read_text(&c, p);
    r->site = po_read_text(&c, p);
    r->buyer = po_read_text(&c, p);
    r->organization = po_read_text(&c, p);
    r->session = po_read_text(&c, p);
    r->form_digest = po_read_text(&c, p);
    r->state = (po_state)po_read_int(&c);
    r->test = (int)po_read_int(&c);
    r->product = po_read_text(&c, p);
    r->offer = po_read_text(&c, p);
    r->product_name = po_read_text(&c, p);
    r->seller = po_read_text(&c, p);
    r->pricing = po_read_text(&c, p);
    r->term = po_read_text(&c, p);
    r->action = po_read_text(&c, p);
    r->subscription = po_read_text(&c, p);
    r->terms_version = po_read_text(&c, p);
    r->terms_at = po_read_int(&c);
    r->user = po_read_text(&c, p);
    r->email = po_read_text(&c, p);
    r->user_name = po_read_text(&c, p);
    r->account = po_read_text(&c, p);
    r->account_email = po_read_text(&c, p);
    r->currency = po_read_text(&c, p);
    r->budget = po_read_text(&c, p);
    r->preapproved_by = po_read_text(&c, p);
    r->reason = po_read_text(&c, p);
    r->url = po_read_text(&c, p);
    r->cart_payload = po_read_text(&c, p);
    r->created = po_read_int(&c);
    r->updated = po_read_int(&c);
    r->expires = po_read_int(&c);
    r->told = (int)po_read_int(&c);
    r->charges = apr_array_make(p, 2, sizeof(po_charge));
    return r;
}

static void bind_ordered(po_cursor *c, const po_charge *charge)
{
    if (charge->ordered.value)
        po_bind_decimal(c, &charge->ordered);
    else
        po_bind_text(c, NULL);
}

/* What a line covers, as JSON. */
static char *write_covers(const apr_array_header_t *covers)
{
    char quantity[PO_DECIMAL_TEXT], price[PO_DECIMAL_TEXT], *text;
    json_t *list;
    int i;

    if (!covers)
        return NULL;
    list = json_array();
    for (i = 0; i < covers->nelts; i++) {
        const po_cover *v = &APR_ARRAY_IDX(covers, i, po_cover);

        json_array_append_new(list, json_pack("[s,s?,s?,s?,s,s]", v->kind, v->dimension, v->description, v->unit,
                                              po_decimal_text(&v->quantity, 0, quantity),
                                              po_decimal_text(&v->unit_price, 0, price)));
    }
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static const char *cover_text(json_t *j, apr_size_t i, apr_pool_t *p)
{
    const char *text = json_string_value(json_array_get(j, i));

    return text ? apr_pstrdup(p, text) : NULL;
}

static apr_status_t read_cover(json_t *j, po_cover *v, apr_pool_t *p)
{
    const char *quantity = cover_text(j, 4, p), *price = cover_text(j, 5, p);

    v->kind = cover_text(j, 0, p);
    v->dimension = cover_text(j, 1, p);
    v->description = cover_text(j, 2, p);
    v->unit = cover_text(j, 3, p);
    if (!v->kind || !quantity || !price || po_decimal_parse(&v->quantity, quantity, -1) != APR_SUCCESS)
        return APR_EGENERAL;
    return po_decimal_parse(&v->unit_price, price, -1);
}

static apr_status_t read_covers(const char *text, apr_array_header_t **out, apr_pool_t *p)
{
    json_t *list, *j;
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    *out = NULL;
    if (!text)
        return APR_SUCCESS;
    if (!(list = json_loads(text, 0, NULL)))
        return APR_EGENERAL;
    *out = apr_array_make(p, (int)json_array_size(list), sizeof(po_cover));
    json_array_foreach(list, i, j) {
        if ((rv = read_cover(j, apr_array_push(*out), p)) != APR_SUCCESS)
            break;
    }
    json_decref(list);
    return rv;
}

static apr_status_t read_charge(sqlite3_stmt *st, po_charge *charge, apr_pool_t *p)
{
    po_cursor c = { st };
    apr_status_t quantity, price, covers;

    memset(charge, 0, sizeof(*charge));

    charge->line = (int)po_read_int(&c);
    charge->kind = po_read_text(&c, p);
    charge->dimension = po_read_text(&c, p);
    charge->part = po_read_text(&c, p);
    charge->description = po_read_text(&c, p);
    charge->unit = po_read_text(&c, p);
    charge->unspsc = po_read_text(&c, p);
    charge->currency = po_read_text(&c, p);
    quantity = po_read_decimal(&c, &charge->quantity);
    price = po_read_decimal(&c, &charge->unit_price);
    charge->state = (po_charge_state)po_read_int(&c);
    charge->order_id = po_read_text(&c, p);
    charge->order_line = (int)po_read_int(&c);
    if (sqlite3_column_type(st, c.at) == SQLITE_NULL)
        c.at++;
    else if (po_read_decimal(&c, &charge->ordered) != APR_SUCCESS)
        return APR_EGENERAL;
    charge->line_type = po_read_text(&c, p);
    covers = read_covers((const char *)sqlite3_column_text(st, c.at++), &charge->covers, p);
    charge->expires = po_read_int(&c);
    charge->told = (int)po_read_int(&c);
    return quantity == APR_SUCCESS && price == APR_SUCCESS && covers == APR_SUCCESS ? APR_SUCCESS : APR_EGENERAL;
}

/* What could not be read again must not be written. */
static int is_storable(const po_decimal *d)
{
    char text[PO_DECIMAL_TEXT];
    po_decimal again;

    return po_decimal_parse(&again, po_decimal_text(d, 0, text), -1) == APR_SUCCESS;
}

/* ---- insert and update ---------------------------------------------------------------------------------------- */

static apr_status_t insert_charge(po_ledger_db *db, apr_int64_t seq, const po_request *r, const po_charge *charge)
{
    po_cursor c = { po_statement(db, PO_SQL_CHARGE_INSERT, "INSERT INTO charge(request, site, buyer, "
                                 CHARGE_COLUMNS ") VALUES(?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)") };

    if (!is_storable(&charge->quantity) || !is_storable(&charge->unit_price) || !is_storable(&charge->ordered))
        return APR_EINVAL;
    po_bind_int(&c, seq);
    po_bind_text(&c, r->site);
    po_bind_text(&c, r->buyer);
    po_bind_int(&c, charge->line);
    po_bind_text(&c, charge->kind);
    po_bind_text(&c, charge->dimension);
    po_bind_text(&c, charge->part);
    po_bind_text(&c, charge->description);
    po_bind_text(&c, charge->unit);
    po_bind_text(&c, charge->unspsc);
    po_bind_text(&c, charge->currency);
    po_bind_decimal(&c, &charge->quantity);
    po_bind_decimal(&c, &charge->unit_price);
    po_bind_int(&c, charge->state);
    po_bind_text(&c, charge->order_id);
    po_bind_int(&c, charge->order_line);
    bind_ordered(&c, charge);
    po_bind_text(&c, charge->line_type);
    po_bind_owned_text(&c, write_covers(charge->covers));
    po_bind_int(&c, charge->expires);
    po_bind_int(&c, charge->told);
    return po_step(db, c.st);
}

apr_status_t po_request_insert(po_ledger_db *db, const po_request *r)
{
    po_cursor c = { po_statement(db, PO_SQL_REQUEST_INSERT, "INSERT INTO request(" REQUEST_COLUMNS ")"
                                 " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)") };
    apr_int64_t seq;
    apr_status_t rv;
    int i;

    bind_request(&c, r);
    rv = po_step(db, c.st);
    seq = sqlite3_last_insert_rowid(db->handle);
    for (i = 0; rv == APR_SUCCESS && r->charges && i < r->charges->nelts; i++)
        rv = insert_charge(db, seq, r, &APR_ARRAY_IDX(r->charges, i, po_charge));
    return rv;
}

/* A charge that did not change is not written: two lookups cost less than a page more to sync. */
static apr_status_t update_charge(po_ledger_db *db, const po_request *r, const po_charge *charge)
{
    po_cursor c = { po_statement(db, PO_SQL_CHARGE_UPDATE, "UPDATE charge SET state = ?4, order_id = ?5,"
                                 " order_line = ?6, ordered = ?7, expires = ?8, told = ?9"
                                 " WHERE request = " THE_REQUEST " AND line = ?3 AND (state <> ?4 OR order_id IS NOT ?5"
                                 "  OR order_line <> ?6 OR ordered IS NOT ?7 OR expires <> ?8 OR told <> ?9)") };

    if (!is_storable(&charge->ordered))
        return APR_EINVAL;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->id);
    po_bind_int(&c, charge->line);
    po_bind_int(&c, charge->state);
    po_bind_text(&c, charge->order_id);
    po_bind_int(&c, charge->order_line);
    bind_ordered(&c, charge);
    po_bind_int(&c, charge->expires);
    po_bind_int(&c, charge->told);
    return po_step(db, c.st);
}

apr_status_t po_request_update(po_ledger_db *db, const po_request *r)
{
    po_cursor c = { po_statement(db, PO_SQL_REQUEST_UPDATE, "UPDATE request SET state = ?3, reason = ?4, url = ?5,"
                                 " subscription = ?6, cart_payload = ?7, updated = ?8, test = ?9, told = ?10,"
                                 " expires = ?11"
                                 " WHERE site = ?1 AND id = ?2") };
    apr_status_t rv;
    int i;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->id);
    po_bind_int(&c, r->state);
    po_bind_text(&c, r->reason);
    po_bind_text(&c, r->url);
    po_bind_text(&c, r->subscription);
    po_bind_text(&c, r->cart_payload);
    po_bind_int(&c, r->updated);
    po_bind_int(&c, r->test);
    po_bind_int(&c, r->told);
    po_bind_int(&c, r->expires);
    rv = po_step(db, c.st);
    if (rv == APR_SUCCESS && sqlite3_changes(db->handle) == 0)
        return APR_NOTFOUND;
    for (i = 0; rv == APR_SUCCESS && r->charges && i < r->charges->nelts; i++)
        rv = update_charge(db, r, &APR_ARRAY_IDX(r->charges, i, po_charge));
    return rv;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static apr_status_t add_charges(po_ledger_db *db, po_request *r, apr_pool_t *p)
{
    po_cursor c = { po_statement(db, PO_SQL_CHARGES, "SELECT " CHARGE_COLUMNS " FROM charge"
                                 " WHERE request = " THE_REQUEST " ORDER BY line") };
    apr_status_t rv;

    po_bind_text(&c, r->site);
    po_bind_text(&c, r->id);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        rv = read_charge(c.st, apr_array_push(r->charges), p);
        if (rv != APR_SUCCESS) {
            sqlite3_reset(c.st);
            return rv;
        }
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

/* The first row of a statement over REQUEST_COLUMNS, with its charges. */
static apr_status_t first_request(po_ledger_db *db, sqlite3_stmt *st, apr_pool_t *p, po_request **out)
{
    int begun = po_read_begin(db);
    apr_status_t rv = po_next(db, st);

    *out = NULL;
    if (rv == APR_SUCCESS) {
        *out = read_request(st, p);
        sqlite3_reset(st);
        rv = add_charges(db, *out, p);
    }
    po_read_end(db, begun);
    return rv;
}

apr_status_t po_request_get(po_ledger_db *db, const char *site, const char *id, apr_pool_t *p, po_request **out)
{
    po_cursor c = { po_statement(db, PO_SQL_REQUEST_GET, "SELECT " REQUEST_COLUMNS " FROM request"
                                 " WHERE site = ?1 AND id = ?2") };

    po_bind_text(&c, site);
    po_bind_text(&c, id);
    return first_request(db, c.st, p, out);
}

/* A session's cart may also be that of a next approval. */
static apr_status_t continued_request(po_ledger_db *db, const char *site, const char *session, apr_pool_t *p,
                                      po_request **out)
{
    po_continuation *c;
    apr_status_t rv = po_continuation_get(db, site, session, p, &c);

    return rv == APR_SUCCESS ? po_request_get(db, site, c->request, p, out) : rv;
}

apr_status_t po_request_of_session(po_ledger_db *db, const char *site, const char *session, const char *form_digest,
                                   apr_pool_t *p, po_request **out)
{
    po_cursor c = { 0 };
    apr_status_t rv;

    if (form_digest)
        c.st = po_statement(db, PO_SQL_REQUEST_OF_FORM, "SELECT " REQUEST_COLUMNS " FROM request WHERE session = ?1"
                            " AND site = ?2 AND form_digest = ?3 ORDER BY seq DESC LIMIT 1");
    else
        c.st = po_statement(db, PO_SQL_REQUEST_OF_CART, "SELECT " REQUEST_COLUMNS " FROM request WHERE session = ?1"
                            " AND site = ?2 AND cart_payload IS NOT NULL ORDER BY seq DESC LIMIT 1");
    po_bind_text(&c, session);
    po_bind_text(&c, site);
    if (form_digest)
        po_bind_text(&c, form_digest);
    rv = first_request(db, c.st, p, out);
    return rv == APR_NOTFOUND && !form_digest ? continued_request(db, site, session, p, out) : rv;
}

apr_status_t po_request_in_session(po_ledger_db *db, const char *site, const char *session)
{
    po_cursor c = { po_statement(db, PO_SQL_REQUEST_IN_SESSION, "SELECT 1 FROM request WHERE session = ?1 AND site = ?2"
                                 " LIMIT 1") };
    apr_status_t rv;

    po_bind_text(&c, session);
    po_bind_text(&c, site);
    rv = po_next(db, c.st);
    if (c.st)
        sqlite3_reset(c.st);
    return rv;
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

/* One statement for each index; what the index does not decide is filtered. An empty user or mail means a requester
 * without one; a request without a user is its mail's. */
#define LIST_FROM(condition) \
    "SELECT " REQUEST_COLUMNS " FROM request WHERE site = ?1 AND " condition " AND (?2 IS NULL OR buyer = ?2)" \
    " ORDER BY created DESC LIMIT ?6"
#define OF_REQUESTER \
    " AND (?4 IS NULL OR ifnull(email, '') = ?4)" \
    " AND (?5 IS NULL OR ifnull(user, '') = ?5 OR (?4 <> '' AND ifnull(user, '') = ''))"
#define OF_ACCOUNT "(account = ?3 OR (account IS NULL AND email = ?4 AND ifnull(user, '') IN ('', ?5)))"

static sqlite3_stmt *list_statement(po_ledger_db *db, const po_request_filter *f)
{
    if (f->account)
        return po_statement(db, PO_SQL_LIST_ACCOUNT, LIST_FROM(OF_ACCOUNT));
    if (f->email && *f->email)
        return po_statement(db, PO_SQL_LIST_EMAIL, LIST_FROM("email = ?4" OF_REQUESTER));
    if (f->buyer)
        return po_statement(db, PO_SQL_LIST_BUYER, LIST_FROM("buyer = ?2" OF_REQUESTER));
    return po_statement(db, PO_SQL_LIST_SITE, LIST_FROM("1" OF_REQUESTER));
}

apr_status_t po_request_list(po_ledger_db *db, const po_request_filter *f, apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { 0 };
    apr_status_t rv;
    int i;

    *out = apr_array_make(p, 16, sizeof(po_request *));
    /* a shopper of whom nothing is known sees nothing, not what all the others without a name did */
    if (!f->account && f->email && f->user && !*f->email && !*f->user)
        return APR_SUCCESS;
    c.st = list_statement(db, f);
    po_bind_text(&c, f->site);
    po_bind_text(&c, f->buyer);
    po_bind_text(&c, f->account);
    po_bind_text(&c, f->account && f->email && !*f->email ? NULL : f->email);
    po_bind_text(&c, f->user);
    po_bind_int(&c, f->limit > 0 ? f->limit : -1);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(*out, po_request *) = read_request(c.st, p);
    rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    for (i = 0; rv == APR_SUCCESS && f->open && i < (*out)->nelts; i++)
        if (APR_ARRAY_IDX(*out, i, po_request *)->state <= PO_STATE_PARTLY_APPROVED)
            rv = add_charges(db, APR_ARRAY_IDX(*out, i, po_request *), p);
    return rv;
}

static sqlite3_stmt *candidates_statement(po_ledger_db *db, const char *site, const char *buyer, int test,
                                          const po_cxml_item *item)
{
    po_cursor c = { po_statement(db, PO_SQL_CANDIDATES, "SELECT DISTINCT r.id, r.created FROM charge c"
                                 " JOIN request r ON r.seq = c.request"
                                 " WHERE c.site = ?1 AND c.buyer = ?2 AND c.part = ?3 AND c.currency = ?4"
                                 " AND c.unit_price = ?5 AND c.quantity = ?6 AND c.state = 0 AND r.state IN (1, 2)"
                                 " AND r.test = ?7"
                                 " ORDER BY r.created LIMIT 2") };

    po_bind_text(&c, site);
    po_bind_text(&c, buyer);
    po_bind_text(&c, item->part);
    po_bind_text(&c, item->currency);
    po_bind_decimal(&c, &item->unit_price);
    po_bind_decimal(&c, &item->quantity);
    po_bind_int(&c, test);
    return c.st;
}

apr_status_t po_request_candidates(po_ledger_db *db, const char *site, const char *buyer, int test,
                                   const po_cxml_item *item, apr_pool_t *p, apr_array_header_t **out)
{
    const char *ids[2];
    sqlite3_stmt *st;
    po_request *r;
    apr_status_t rv = APR_SUCCESS;
    int n = 0, i, begun;

    *out = apr_array_make(p, 2, sizeof(po_request *));
    if (!item->part || !item->currency || !item->has_price)
        return APR_SUCCESS;             /* a line that doesn't say what it costs matches nothing */
    begun = po_read_begin(db);
    st = candidates_statement(db, site, buyer, test, item);
    while (n < 2 && (rv = po_next(db, st)) == APR_SUCCESS) {
        po_cursor c = { st };

        ids[n++] = po_read_text(&c, p);
    }
    sqlite3_reset(st);
    rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    for (i = 0; rv == APR_SUCCESS && i < n; i++) {
        rv = po_request_get(db, site, ids[i], p, &r);
        if (rv == APR_SUCCESS)
            APR_ARRAY_PUSH(*out, po_request *) = r;
    }
    po_read_end(db, begun);
    return rv;
}

/* ---- the requests behind the lines of a document -------------------------------------------------------------- */

static int is_known(const apr_array_header_t *known, const char *id)
{
    int i;

    for (i = 0; i < known->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(known, i, po_request *)->id, id))
            return 1;
    return 0;
}

/* Another buyer's request is as good as none: nobody orders what isn't his. */
static apr_status_t add_named(po_ledger_db *db, const char *site, const char *buyer, const char *auxiliary, apr_pool_t *p,
                              apr_array_header_t *known)
{
    po_request *request;
    const char *id;
    apr_status_t rv;
    int line;

    if (!po_auxiliary_parse(auxiliary, &id, &line, p) || is_known(known, id))
        return APR_SUCCESS;
    rv = po_request_get(db, site, id, p, &request);
    if (rv == APR_SUCCESS && !strcmp(request->buyer, buyer))
        APR_ARRAY_PUSH(known, po_request *) = request;
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t add_candidates(po_ledger_db *db, const char *site, const char *buyer, int test,
                                   const po_cxml_item *item, apr_pool_t *p, apr_array_header_t *known)
{
    apr_array_header_t *candidates;
    apr_status_t rv = po_request_candidates(db, site, buyer, test, item, p, &candidates);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < candidates->nelts; i++) {
        po_request *request = APR_ARRAY_IDX(candidates, i, po_request *);

        if (!is_known(known, request->id))
            APR_ARRAY_PUSH(known, po_request *) = request;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t po_requests_of_items(po_ledger_db *db, const char *site, const char *buyer, const apr_array_header_t *items,
                                  po_candidates candidates, apr_pool_t *p, apr_array_header_t *known)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && items && i < items->nelts; i++) {
        const po_cxml_item *item = &APR_ARRAY_IDX(items, i, po_cxml_item);

        if (item->auxiliary && *item->auxiliary)
            rv = add_named(db, site, buyer, item->auxiliary, p, known);
        else if (candidates != PO_CANDIDATES_NONE)
            rv = add_candidates(db, site, buyer, candidates == PO_CANDIDATES_TEST, item, p, known);
    }
    return rv;
}

/* ---- time ----------------------------------------------------------------------------------------------------- */

/* The rows of a statement over REQUEST_COLUMNS, with their charges, added to out. */
static apr_status_t read_requests(po_ledger_db *db, sqlite3_stmt *st, apr_pool_t *p, apr_array_header_t *out)
{
    apr_status_t rv;
    int i;

    while ((rv = po_next(db, st)) == APR_SUCCESS)
        APR_ARRAY_PUSH(out, po_request *) = read_request(st, p);
    rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    for (i = 0; rv == APR_SUCCESS && i < out->nelts; i++)
        rv = add_charges(db, APR_ARRAY_IDX(out, i, po_request *), p);
    return rv;
}

apr_status_t po_requests_ending(po_ledger_db *db, const char *site, apr_time_t now, apr_interval_time_t soon, int limit,
                                apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_ENDING, "SELECT " REQUEST_COLUMNS " FROM request"
                                 " WHERE state < 3 AND state <> 0 AND expires BETWEEN ?1 AND ?1 + ?2"
                                 " AND expires - created > 2 * ?2 AND site = ?3"
                                 " AND NOT EXISTS (SELECT 1 FROM outbox WHERE key = 'mail-' || request.id || CASE WHEN"
                                 "  EXISTS (SELECT 1 FROM charge WHERE request = request.seq AND expires > 0)"
                                 "  THEN '-expires-next' ELSE '-expires' END)"
                                 " LIMIT ?4") };

    *out = apr_array_make(p, 4, sizeof(po_request *));
    po_bind_int(&c, now);
    po_bind_int(&c, soon);
    po_bind_text(&c, site);
    po_bind_int(&c, limit);
    return read_requests(db, c.st, p, *out);
}

apr_status_t po_requests_half_expired(po_ledger_db *db, apr_time_t now, apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_HALF_EXPIRED, "SELECT " REQUEST_COLUMNS " FROM request WHERE state < 3"
                                 " AND state = 2 AND expires BETWEEN 1 AND ?1 LIMIT ?2") };

    *out = apr_array_make(p, 4, sizeof(po_request *));
    po_bind_int(&c, now);
    po_bind_int(&c, EXPIRE_AT_ONCE);
    return read_requests(db, c.st, p, *out);
}

static apr_status_t expire_charges(po_ledger_db *db, sqlite3_stmt *expired)
{
    sqlite3_stmt *st = po_statement(db, PO_SQL_EXPIRE_CHARGES, "UPDATE charge SET state = 4"
                                    " WHERE request = ?1 AND state IN (0, 5)");

    sqlite3_bind_int64(st, 1, sqlite3_column_int64(expired, 0));
    return po_step(db, st);
}

static apr_status_t expire_requests(po_ledger_db *db, apr_time_t now, int *n)
{
    po_cursor c = { po_statement(db, PO_SQL_EXPIRE, "UPDATE request SET state = 11, updated = ?1 WHERE seq IN"
                                 " (SELECT seq FROM request r WHERE state < 3 AND state <> 2"
                                 "  AND expires BETWEEN 1 AND ?1"
                                 "  AND NOT EXISTS (SELECT 1 FROM charge c WHERE c.request = r.seq AND c.state = 1)"
                                 "  LIMIT ?2) RETURNING seq") };
    apr_status_t rv;

    po_bind_int(&c, now);
    po_bind_int(&c, EXPIRE_AT_ONCE);
    while ((rv = po_next(db, c.st)) == APR_SUCCESS) {
        if ((rv = expire_charges(db, c.st)) != APR_SUCCESS) {
            sqlite3_reset(c.st);
            return rv;
        }
        ++*n;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static apr_status_t hold_unanswered(po_ledger_db *db, sqlite3_stmt *st, apr_time_t now, apr_time_t deadline, int *n)
{
    po_cursor c = { st };
    apr_status_t rv;

    po_bind_int(&c, now);
    po_bind_int(&c, deadline);
    rv = po_step(db, st);
    if (rv == APR_SUCCESS)
        *n += sqlite3_changes(db->handle);
    return rv;
}

apr_status_t po_requests_unanswered(po_ledger_db *db, apr_time_t held, apr_pool_t *p, apr_array_header_t **out)
{
    po_cursor c = { po_statement(db, PO_SQL_UNANSWERED, "SELECT " REQUEST_COLUMNS " FROM request"
                                 " WHERE state = 8 AND updated = ?1 AND reason = '" PO_HELD_UNANSWERED "'") };

    *out = apr_array_make(p, 4, sizeof(po_request *));
    po_bind_int(&c, held);
    return read_requests(db, c.st, p, *out);
}

_Static_assert(PO_STATE_DRAFT == 0 && PO_STATE_REQUESTED == 1 && PO_STATE_PARTLY_APPROVED == 2
               && PO_STATE_DELIVERING == 4 && PO_STATE_HELD == 8 && PO_STATE_EXPIRED == 11
               && PO_CHARGE_REQUESTED == 0 && PO_CHARGE_ORDERED == 1 && PO_CHARGE_EXPIRED == 4
               && PO_CHARGE_WAITING == 5 && PO_TOLD_UNANSWERED == 3,
               "the numbers in the statements and indices of this room");

apr_status_t po_request_expire(po_ledger_db *db, apr_time_t now, apr_time_t deadline, int *n)
{
    po_cursor c = { 0 };
    apr_status_t rv;

    *n = 0;
    rv = expire_requests(db, now, n);
    if (rv != APR_SUCCESS)
        return rv;
    c.st = po_statement(db, PO_SQL_HOLD, "UPDATE request SET state = 8, updated = ?1, reason = '"
                        PO_HELD_UNANSWERED "'"
                        " WHERE state = 4 AND updated < ?2");
    rv = hold_unanswered(db, c.st, now, deadline, n);
    if (rv != APR_SUCCESS)
        return rv;
    c.st = po_statement(db, PO_SQL_HOLD_PARTLY, "UPDATE request SET state = 8, updated = ?1, reason = '"
                        PO_HELD_UNANSWERED "'"
                        " WHERE told = 3 AND state = 2 AND updated < ?2");
    return hold_unanswered(db, c.st, now, deadline, n);
}
