/* mail_text.h - the mail that tells a requester that a subscription is ready. Pure: no httpd, tested alone. */
#ifndef PO_MAIL_TEXT_H
#define PO_MAIL_TEXT_H

#include "market/market.h"

typedef struct {
    const char *recipients;             /* addresses joined by ','; NULL: there is nobody to tell */
    const char *message;                /* headers and text, CRLF at each line's end */
} po_mail;

/* To the marketplace account with a copy to the requester, or to the requester alone. The message is complete, so every
 * try sends the same one; key makes its Message-ID. test: subject and text say TEST. */
void po_mail_ready(po_mail *m, const po_request *r, const po_site *site, const char *key, int test, apr_time_t now,
                   apr_pool_t *p);

/* 1 when text is one plain mail address (ASCII): nothing in it can end a header or an SMTP command. */
int po_mail_address_valid(const char *text);

#endif
