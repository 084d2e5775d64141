/* mail_queue.c - a mail on its way into the outbox: each site's templates, and the signed link to the request. */
#include "delivery/delivery_private.h"

#include "apr_hash.h"
#include "apr_strings.h"

#define LINK_LIFE apr_time_from_sec(60 * 86400)
#define TOKEN_RAW 30                            /* of the HMAC's 32 bytes: a multiple of 3 for base64url */

static apr_hash_t *templates;                   /* public URL -> po_mail_templates *; of the latest configuration */
static po_mail_templates *built_in;

/* ---- templates ------------------------------------------------------------------------------------------------ */

const char *po_mail_check(apr_pool_t *p)
{
    const apr_array_header_t *sites = po_config_sites();
    const char *wrong = po_mail_templates_read(&built_in, NULL, p), *first = wrong;
    int i;

    templates = apr_hash_make(p);
    for (i = 0; i < sites->nelts; i++) {
        const po_site *site = APR_ARRAY_IDX(sites, i, po_site *);
        po_mail_templates *t;

        if (!site->mail_templates)
            continue;
        wrong = po_mail_templates_read(&t, site->mail_templates, p);
        if (!wrong)
            apr_hash_set(templates, site->public_url, APR_HASH_KEY_STRING, t);
        else if (!first)
            first = apr_pstrcat(p, "PunchOutMailTemplates: ", wrong, NULL);
    }
    return first;
}

/* ---- links ---------------------------------------------------------------------------------------------------- */

void po_delivery_link_token(po_crypto *c, const unsigned char key[PO_DIGEST], const char *request, apr_int64_t until,
                            char out[PO_LINK_TOKEN])
{
    unsigned char mac[PO_DIGEST];
    char text[128];

    apr_snprintf(text, sizeof(text), "requests/%s until %" APR_INT64_T_FMT, request, until);
    po_hmac(c, key, text, mac);
    po_base64url(out, mac, TOKEN_RAW);
    out[PO_LINK_TOKEN - 1] = '\0';
}

/* In the ledger's writer thread alone, like every job. */
static const char *make_link(po_ledger_db *db, const po_site *site, const char *request, apr_time_t now, apr_pool_t *p)
{
    static po_crypto *crypto;
    unsigned char key[PO_DIGEST];
    char token[PO_LINK_TOKEN];
    apr_int64_t until = apr_time_sec(now + LINK_LIFE);

    if ((!crypto && !(crypto = po_crypto_create())) || po_ledger_key(db, key) != APR_SUCCESS)
        return NULL;
    po_delivery_link_token(crypto, key, request, until, token);
    return apr_psprintf(p, "%s/requests/%s?until=%" APR_INT64_T_FMT "&sign=%s", site->door, request, until, token);
}

/* ---- the outbox ----------------------------------------------------------------------------------------------- */

apr_status_t po_delivery_mail(po_ledger_db *db, const po_site *site, po_mail_kind kind, const po_request *r,
                              const char *key, apr_time_t now, apr_pool_t *p)
{
    const po_mail_templates *t = templates ? apr_hash_get(templates, site->public_url, APR_HASH_KEY_STRING) : NULL;
    po_mail_about about = { kind, r, site, key, NULL, r->test || r->state == PO_STATE_TESTED, now };
    po_outbox_row row = { 0 }, *known;
    po_outbox_state state;
    po_mail mail;
    apr_status_t rv;

    if (!site->mail_url || !site->mail_from)
        return APR_SUCCESS;
    rv = po_outbox_get(db, key, p, &known, &state);
    if (!APR_STATUS_IS_NOTFOUND(rv))
        return rv;                      /* made before, by an answer that came twice */
    about.link = make_link(db, site, r->id, now, p);
    po_mail_compose(&mail, t ? t : built_in, &about, p);
    if (!mail.recipients)
        return APR_SUCCESS;
    row.key = key;
    row.site = site->public_url;
    row.channel = PO_CHANNEL_MAIL;
    row.buyer = r->buyer;
    row.request = r->id;
    row.recipients = mail.recipients;
    row.body = mail.message;
    row.created = now;
    return po_outbox_add(db, &row, now);
}

apr_status_t po_delivery_mail_held(po_ledger_db *db, const po_site *site, const po_request *r, const char *cause,
                                   apr_time_t now, apr_pool_t *p)
{
    const char *text = apr_pstrcat(p, cause ? cause : "", "\n", r->reason ? r->reason : "", NULL);
    apr_ssize_t len = APR_HASH_KEY_STRING;
    const char *key = apr_psprintf(p, "mail-%s-held-%08x", r->id, apr_hashfunc_default(text, &len));

    return po_delivery_mail(db, site, PO_MAIL_HELD, r, key, now, p);
}
