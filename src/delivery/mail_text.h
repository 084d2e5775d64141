/* mail_text.h - the mails that tell people how their request stands. Pure: no httpd, tested alone. */
#ifndef PO_MAIL_TEXT_H
#define PO_MAIL_TEXT_H

#include "delivery/mail_template.h"
#include "market/market.h"

typedef enum {
    PO_MAIL_REQUESTED, PO_MAIL_READY, PO_MAIL_HELD, PO_MAIL_FAILED, PO_MAIL_EXPIRES,
    PO_MAIL_CHANGED, PO_MAIL_CANCELLED, PO_MAIL_KINDS
} po_mail_kind;

/* "requested", "ready" ...: also the names of the files that hold the templates. */
const char *po_mail_kind_name(po_mail_kind kind);
/* The files of conf/mail as they were when this was built: the text and the HTML of each kind. */
extern const char *const po_mail_builtin[PO_MAIL_KINDS][2];

typedef struct {
    po_template *text[PO_MAIL_KINDS], *html[PO_MAIL_KINDS];
} po_mail_templates;

/* Reads KIND.txt (its first line is "Subject: ...") and KIND.html of each kind from dir; what isn't there, or dir NULL, is
 * the built-in one. NULL, or "FILE: what is wrong" in p; templates live in p. */
const char *po_mail_templates_read(po_mail_templates **out, const char *dir, apr_pool_t *p);

typedef struct {
    po_mail_kind kind;
    const po_request *request;
    const po_site *site;
    const char *key;                    /* makes the Message-ID */
    const char *link;                   /* to the request's page, signed; NULL: none */
    int test;                           /* the mail says TEST */
    apr_time_t now;
} po_mail_about;

typedef struct {
    const char *recipients;             /* addresses joined by ','; NULL: there is nobody to tell */
    const char *message;                /* headers and both texts, CRLF at each line's end */
} po_mail;

/* To the marketplace account with a copy to the requester, or to the requester alone. The message is complete, so every
 * try sends the same one. */
void po_mail_compose(po_mail *m, const po_mail_templates *t, const po_mail_about *a, apr_pool_t *p);

#endif
