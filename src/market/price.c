/* price.c - what an offer costs as a search shows it: the index and Open Buy say the same. */
#include "market/market.h"

void po_offer_price(const po_offer *o, const po_buyer *buyer, po_shown_price *out, apr_pool_t *p)
{
    const po_usage *u = !o->has_price && o->usage ? &APR_ARRAY_IDX(o->usage, 0, po_usage) : NULL;
    char *text = apr_palloc(p, PO_DECIMAL_TEXT);

    out->currency = o->currency ? o->currency : buyer->currency;
    out->price = out->currency ? po_money_text(u ? &u->price : &o->price, out->currency, text) : NULL;
    out->unit = po_unit_for(buyer, u && u->unit ? u->unit : o->unit ? o->unit : "EA");
}
