/* profile.c - ProfileRequest: what do you take, and where? */
#include "handlers/handlers.h"

#define ANSWER_ROOM 2048

int po_handle_profile(po_exchange *x)
{
    po_cxml_envelope e;
    po_buffer b;

    po_envelope(x, &e);
    po_buffer_init(&b, x->r->pool, ANSWER_ROOM);
    po_cxml_write_profile_response(&b, &e, x->site->door, po_child_started());
    return po_answer_send(x, &b);
}
