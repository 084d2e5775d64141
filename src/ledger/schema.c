/* schema.c - the tables of the ledger, one step for each version.
 *
 * Every time is in microseconds since the epoch (apr_time_t as it is). Money and quantities are decimal text without
 * trailing zeros, so that equal text is equal value. States are the numbers of the enums in market.h and ledger.h.
 * A step that was released is never edited: append another one and raise PO_SCHEMA_VERSION.
 */
#include "ledger/ledger_private.h"

const char *const po_schema[PO_SCHEMA_VERSION] = {
    "CREATE TABLE meta("
    "  name TEXT PRIMARY KEY,"
    "  value BLOB NOT NULL"
    ") WITHOUT ROWID;"

    "CREATE TABLE request("
    "  seq INTEGER PRIMARY KEY,"
    "  site TEXT NOT NULL, id TEXT NOT NULL,"
    "  buyer TEXT NOT NULL, organization TEXT,"
    "  session TEXT, form_digest TEXT,"
    "  state INTEGER NOT NULL, test INTEGER NOT NULL,"
    "  product TEXT, offer TEXT, product_name TEXT, seller TEXT, pricing TEXT, term TEXT,"
    "  action TEXT, subscription TEXT, terms_version TEXT, terms_at INTEGER NOT NULL,"
    "  user TEXT, email TEXT, user_name TEXT,"
    "  account TEXT, account_email TEXT,"
    "  currency TEXT, budget TEXT, preapproved_by TEXT,"
    "  reason TEXT, url TEXT, cart_payload TEXT,"
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"                                   /* 0: never */
    "  UNIQUE(site, id));"
    "CREATE INDEX request_session ON request(session) WHERE session IS NOT NULL;"
    "CREATE INDEX request_account ON request(site, account, created) WHERE account IS NOT NULL;"
    "CREATE INDEX request_email ON request(site, email, created) WHERE email IS NOT NULL;"
    "CREATE INDEX request_buyer ON request(site, buyer, created);"
    "CREATE INDEX request_expires ON request(expires) WHERE state < 2;"         /* draft, requested */
    "CREATE INDEX request_delivering ON request(updated) WHERE state = 4;"

    /* By the request's number, not its random id: orders come about as old as their requests, so that neighbours are
     * written together. buyer: an order line without auxiliary id looks for open charges of its buyer. */
    "CREATE TABLE charge("
    "  request INTEGER NOT NULL REFERENCES request(seq), line INTEGER NOT NULL,"
    "  site TEXT NOT NULL, buyer TEXT NOT NULL, kind TEXT, dimension TEXT,"
    "  part TEXT, description TEXT, unit TEXT, unspsc TEXT, currency TEXT,"
    "  quantity TEXT NOT NULL, unit_price TEXT NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  order_id TEXT, order_line INTEGER NOT NULL,"
    "  PRIMARY KEY(request, line)"
    ") WITHOUT ROWID;"
    "CREATE INDEX charge_open ON charge(site, buyer, part, currency, unit_price, quantity) WHERE state = 0;"

    /* only orders that were answered with 2xx */
    "CREATE TABLE purchase_order("
    "  seq INTEGER PRIMARY KEY,"
    "  site TEXT NOT NULL, buyer TEXT NOT NULL,"
    "  payload_id TEXT, digest TEXT NOT NULL, test INTEGER NOT NULL,"
    "  order_id TEXT NOT NULL, version TEXT NOT NULL,"
    "  request TEXT, status INTEGER NOT NULL, detail TEXT, held INTEGER NOT NULL, received INTEGER NOT NULL,"
    "  order_date TEXT, type TEXT, order_type TEXT, requisition TEXT, refers_to TEXT,"
    "  total TEXT NOT NULL, currency TEXT,"
    "  ship_to TEXT, bill_to TEXT, contact TEXT, extrinsics TEXT,"  /* JSON */
    "  UNIQUE(site, buyer, test, order_id, version));"
    "CREATE INDEX purchase_order_payload ON purchase_order(site, buyer, payload_id);"

    /* position: the line's place in the document; line: the number that it gives itself */
    "CREATE TABLE order_line("
    "  purchase_order INTEGER NOT NULL REFERENCES purchase_order(seq), position INTEGER NOT NULL,"
    "  site TEXT NOT NULL, line INTEGER NOT NULL,"
    "  part TEXT, auxiliary TEXT, quantity TEXT NOT NULL, unit_price TEXT,"
    "  currency TEXT, unit TEXT, description TEXT, unspsc TEXT, requisition TEXT,"
    "  accounting TEXT, extrinsics TEXT,"                           /* JSON */
    "  request TEXT, charge INTEGER,"                               /* what it was matched to */
    "  PRIMARY KEY(purchase_order, position)"
    ") WITHOUT ROWID;"

    "CREATE TABLE subscription("
    "  site TEXT NOT NULL, test INTEGER NOT NULL, id TEXT NOT NULL,"
    "  buyer TEXT NOT NULL, account TEXT, product TEXT, offer TEXT,"
    "  request TEXT NOT NULL,"                                      /* the latest about it */
    "  created INTEGER NOT NULL, updated INTEGER NOT NULL,"
    "  PRIMARY KEY(site, test, id)"
    ") WITHOUT ROWID;"

    /* due: the moment from which anybody may take the row. A claim moves it to the end of its lease, so that one index
     * answers what is to do now. class: 0 events, 1 mail, 2 documents to the buyer; rows of one request and
     * class are a lane and go out in order.
     * AUTOINCREMENT: a number is never given twice, whatever is deleted, or a late result might hit another row. */
    "CREATE TABLE outbox("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  site TEXT NOT NULL, key TEXT NOT NULL UNIQUE,"
    "  channel TEXT NOT NULL, class INTEGER NOT NULL,"
    "  request TEXT, buyer TEXT,"
    "  state INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL, owner INTEGER,"
    "  created INTEGER NOT NULL, recipients TEXT, answer TEXT, body TEXT);"
    "CREATE INDEX outbox_due ON outbox(site, channel, due) WHERE state = 0;"
    "CREATE INDEX outbox_lane ON outbox(site, request, class, seq) WHERE state <> 1;"
    "CREATE INDEX outbox_owner ON outbox(owner) WHERE owner IS NOT NULL;"

    "CREATE TABLE document("
    "  seq INTEGER PRIMARY KEY,"
    "  site TEXT NOT NULL, buyer TEXT, payload_id TEXT NOT NULL, kind TEXT NOT NULL, refers_to TEXT,"
    "  outgoing INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT);"
    "CREATE INDEX document_payload ON document(site, payload_id);"

    /* what an operator set at run time over the configuration, and who did it */
    "CREATE TABLE override("
    "  site TEXT NOT NULL, buyer TEXT NOT NULL, name TEXT NOT NULL, value TEXT,"
    "  set_by TEXT NOT NULL, set_at INTEGER NOT NULL,"
    "  PRIMARY KEY(site, buyer, name)"
    ") WITHOUT ROWID;",

    /* 2: a delete or an update stands beside the new order of the same id and version; the table is made anew, since SQLite
     * can't change a constraint. Nothing refers to it but order_line, by name. */
    "CREATE TABLE purchase_order_2("
    "  seq INTEGER PRIMARY KEY,"
    "  site TEXT NOT NULL, buyer TEXT NOT NULL,"
    "  payload_id TEXT, digest TEXT NOT NULL, test INTEGER NOT NULL,"
    "  order_id TEXT NOT NULL, version TEXT NOT NULL, type TEXT NOT NULL,"
    "  request TEXT, status INTEGER NOT NULL, detail TEXT, held INTEGER NOT NULL, received INTEGER NOT NULL,"
    "  order_date TEXT, order_type TEXT, requisition TEXT, refers_to TEXT,"
    "  agreement TEXT, release_required INTEGER NOT NULL,"
    "  total TEXT NOT NULL, currency TEXT,"
    "  ship_to TEXT, bill_to TEXT, contact TEXT, extrinsics TEXT,"  /* JSON */
    "  UNIQUE(site, buyer, test, order_id, version, type));"
    "INSERT INTO purchase_order_2(seq, site, buyer, payload_id, digest, test, order_id, version, type, request, status, detail,"
    "  held, received, order_date, order_type, requisition, refers_to, release_required, total, currency, ship_to, bill_to,"
    "  contact, extrinsics)"
    " SELECT seq, site, buyer, payload_id, digest, test, order_id, version, ifnull(type, 'new'), request, status, detail,"
    "  held, received, order_date, order_type, requisition, refers_to, 0, total, currency, ship_to, bill_to,"
    "  contact, extrinsics FROM purchase_order;"
    "DROP TABLE purchase_order;"
    "ALTER TABLE purchase_order_2 RENAME TO purchase_order;"
    "CREATE INDEX purchase_order_payload ON purchase_order(site, buyer, payload_id);"

    "ALTER TABLE charge ADD COLUMN ordered TEXT;"                   /* the quantity; NULL: not ordered */
    "UPDATE charge SET ordered = quantity WHERE state = 1;"
    "ALTER TABLE request ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
    /* one pass over the outbox: no index of it serves a look for each request */
    "UPDATE request SET told = 1 WHERE (site, id) IN (SELECT site, request FROM outbox WHERE channel IN ('event', 'event-test'));"

    /* what a buyer said about documents that concern a request */
    "CREATE TABLE request_document("
    "  site TEXT NOT NULL, request TEXT NOT NULL, document INTEGER NOT NULL REFERENCES document(seq),"
    "  PRIMARY KEY(site, request, document)"
    ") WITHOUT ROWID;",

    /* 3: lines that hold a sum alone (PunchOutLines), and approvals with a life of their own */
    "ALTER TABLE charge ADD COLUMN line_type TEXT;"
    "ALTER TABLE charge ADD COLUMN covers TEXT;"                    /* JSON; NULL: itself */
    "ALTER TABLE charge ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;"      /* 0: with the request */
    /* an order that was taken although it differs from its cart: how */
    "ALTER TABLE purchase_order ADD COLUMN difference TEXT;"
    /* what the buyer was told last of a purchase order: by which document, and a digest of what it said */
    "CREATE TABLE confirmation("
    "  site TEXT NOT NULL, buyer TEXT NOT NULL, test INTEGER NOT NULL, order_id TEXT NOT NULL,"
    "  payload_id TEXT NOT NULL, confirm_id TEXT NOT NULL, digest TEXT NOT NULL,"
    "  PRIMARY KEY(site, buyer, test, order_id)"
    ") WITHOUT ROWID;"

    "ALTER TABLE outbox ADD COLUMN outcome INTEGER NOT NULL DEFAULT 0;"      /* of an event: po_order_outcome; 0: unknown */
    /* what an operator decided, by whom and when, and what came of it: never deleted. event: of a release, the one to send again */
    "CREATE TABLE decision("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  site TEXT NOT NULL, what TEXT NOT NULL, id TEXT NOT NULL, buyer TEXT, event TEXT, reason TEXT,"
    "  made_by TEXT NOT NULL, at INTEGER NOT NULL,"
    "  done INTEGER NOT NULL, carried_out INTEGER NOT NULL, outcome TEXT);"    /* done 0: not yet */
    "CREATE INDEX decision_open ON decision(site, seq) WHERE done = 0;"
    "CREATE INDEX decision_id ON decision(site, id);"

    "ALTER TABLE charge ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
    "UPDATE charge SET told = 1 WHERE state IN (1, 2) AND request IN (SELECT seq FROM request WHERE told = 1);"
    /* a later cart of a request (PunchOutApprovals separate): which session took which approval back */
    "CREATE TABLE continuation("
    "  site TEXT NOT NULL, session TEXT NOT NULL,"                  /* one punchout returns one cart */
    "  request TEXT NOT NULL, kind TEXT NOT NULL, cart_payload TEXT NOT NULL, at INTEGER NOT NULL,"
    "  PRIMARY KEY(site, session)"
    ") WITHOUT ROWID;"
    "CREATE UNIQUE INDEX continuation_request ON continuation(site, request, kind);"
    "DROP INDEX request_expires;"
    "CREATE INDEX request_expires ON request(expires) WHERE state < 3;"         /* draft, requested, partly approved */

    /* invoices of the backend; what became of one the outbox row of its payloadID tells */
    "CREATE TABLE invoice("
    "  seq INTEGER PRIMARY KEY,"
    "  site TEXT NOT NULL, number TEXT NOT NULL,"
    "  buyer TEXT NOT NULL, seller TEXT NOT NULL, digest TEXT NOT NULL, payload_id TEXT NOT NULL,"
    "  credit_memo INTEGER NOT NULL, original TEXT, date TEXT NOT NULL, currency TEXT NOT NULL,"
    "  subtotal TEXT NOT NULL, tax TEXT NOT NULL, total TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  UNIQUE(site, number));"
    "CREATE INDEX invoice_buyer ON invoice(site, buyer, seq);"
    /* by charge: what was invoiced of one stands together. Amounts are positive, in a credit memo too. */
    "CREATE TABLE invoice_line("
    "  site TEXT NOT NULL, request TEXT NOT NULL, charge INTEGER NOT NULL,"
    "  invoice INTEGER NOT NULL REFERENCES invoice(seq), line INTEGER NOT NULL,"
    "  order_id TEXT NOT NULL, quantity TEXT NOT NULL, unit_price TEXT NOT NULL, amount TEXT NOT NULL,"
    "  PRIMARY KEY(site, request, charge, invoice, line)"
    ") WITHOUT ROWID;"
    "CREATE INDEX document_about ON document(site, refers_to) WHERE kind = 'StatusUpdateRequest';"
    "ALTER TABLE outbox ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;"     /* of an event: po_event_answered */
    "CREATE INDEX request_held ON request(updated) WHERE state = 8;"
    /* an earlier try may have arrived, whatever came of it */
    "ALTER TABLE outbox ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX request_unanswered ON request(updated) WHERE told = 3;",

    /* 4: requests that begin in the marketplace */
    "CREATE INDEX request_draft ON request(site, buyer, account) WHERE state = 0;"
};
