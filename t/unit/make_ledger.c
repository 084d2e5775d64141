/* make_ledger.c - writes a ledger with one open request, for the tests of punchoutctl: make_ledger FILE SITE BUYER. */
#include <stdio.h>
#include <string.h>

#include "ledger/ledger.h"

#define REQUEST "req-explain000000001"
#define YEAR_2100 apr_time_from_sec(4102444800)

static apr_status_t insert(po_ledger_db *db, void *request)
{
    return po_request_insert(db, request);
}

static po_charge charge(void)
{
    po_charge c = { 1, "contract", NULL, "off-year", "Log Keeper, 12 months", "EA", "43232701", "USD" };

    po_decimal_parse(&c.quantity, "1", -1);
    po_decimal_parse(&c.unit_price, "1200.00", -1);
    c.state = PO_CHARGE_REQUESTED;
    return c;
}

int main(int argc, char **argv)
{
    po_ledger_options options = { NULL };
    po_request r = { REQUEST };
    apr_pool_t *p;
    po_ledger *ledger;
    const char *wrong;
    int failed;

    if (argc != 4 || apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return 2;
    options.path = argv[1];
    if ((wrong = po_ledger_migrate(argv[1], p))) {
        fprintf(stderr, "%s\n", wrong);
        return 1;
    }
    r.site = argv[2];
    r.buyer = r.organization = argv[3];
    r.session = "session-1";
    r.form_digest = "form-1";
    r.state = PO_STATE_REQUESTED;
    r.product = "prod-ab12";
    r.offer = "off-year";
    r.product_name = "Log Keeper";
    r.seller = "Keeper Ltd";
    r.pricing = "contract";
    r.term = "P12M";
    r.action = "new";
    r.currency = "USD";
    r.cart_payload = "cart-1@market.example";
    r.created = r.updated = apr_time_from_sec(1795428900);
    r.expires = YEAR_2100;
    r.charges = apr_array_make(p, 1, sizeof(po_charge));
    APR_ARRAY_PUSH(r.charges, po_charge) = charge();
    failed = po_ledger_open(&ledger, &options, p) != APR_SUCCESS || po_ledger_run(ledger, insert, &r) != APR_SUCCESS;
    po_ledger_stop(ledger);
    po_ledger_stopped(ledger, -1);
    return failed;
}
