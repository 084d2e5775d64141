/* openbuy.c - Coupa Open Buy's JSON: what a buyer's system asks, and items as it is told of them. Coupa's public reference
 * ends where the members of an item begin, so their names are configuration (PunchOutOpenBuyField). */
#include "market/market.h"

const char *const po_openbuy_names[] = {
    "query", "page_number", "email", "quantity", "count", "total_count", "results", "source_part_num",
    "supp_aux_part_num", "name", "description", "price", "currency", "uom", "unspsc_code", "manufacturer_name",
    "manufacturer_part_number", "lead_time", "minimum_order_quantity", "image_url", "url", NULL
};
