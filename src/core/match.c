/* match.c - who sent a document: the buyer of (From, To), its Sender, and what the Sender proves itself with. */
#include "core/core.h"

#include "apr_lib.h"
#include <openssl/evp.h>
#include <string.h>

#define KEY_MAX 1024                    /* of (From, To): domains and identities longer than that match nobody */
#define SLOTS 2                         /* secrets of a block */
#define CLOCK_SKEW apr_time_from_sec(300)       /* allowed before a mac's creationDate */
#define MAC_BYTES 12                    /* HMAC-SHA1-96 */
#define MAC_TEXT 16                     /* the same in Base64 */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ---- index ---------------------------------------------------------------------------------------------------- */

/* Appends text and its NUL at n; where the next part goes, or 0 when it doesn't fit. */
static apr_size_t add_part(char key[KEY_MAX], apr_size_t n, const char *text, int folded)
{
    apr_size_t len = text ? strlen(text) : 0, i;

    if (len >= KEY_MAX - n)
        return 0;
    if (folded)
        for (i = 0; i < len; i++)
            key[n + i] = lower(text[i]);
    else if (len)
        memcpy(key + n, text, len);
    key[n + len] = '\0';
    return n + len + 1;
}

/* "domain\0identity\0domain\0identity\0", domains in lower case, identities too when folded; 0 when it doesn't fit. */
static apr_size_t pair_key(char key[KEY_MAX], const po_credential *from, const po_credential *to, int folded)
{
    apr_size_t n = add_part(key, 0, from->domain, 1);

    if (n)
        n = add_part(key, n, from->identity, folded);
    if (n)
        n = add_part(key, n, to->domain, 1);
    return n ? add_part(key, n, to->identity, folded) : 0;
}

static const char *claimed_twice(const po_buyer *a, const po_buyer *b, const po_credential *from,
                                 const po_credential *to, apr_pool_t *p)
{
    return apr_psprintf(p, "buyers \"%s\" and \"%s\" both claim From %s %s, To %s %s: give one of them a "
                        "PunchOutSupplier or a PunchOutCredential of its own", a->name, b->name, from->domain,
                        from->identity, to->domain, to->identity);
}

/* folded holds every buyer: one that ignores case must not meet another which differs in case alone. */
static const char *index_pair(po_site *site, apr_hash_t *folded, po_buyer *b, const po_credential *from,
                              const po_credential *to, apr_pool_t *p)
{
    char key[KEY_MAX];
    apr_size_t n = pair_key(key, from, to, 0);
    po_buyer *other;

    if (!n)
        return apr_psprintf(p, "buyer \"%s\": domain and identity are too long", b->name);
    other = apr_hash_get(site->by_credential, key, (apr_ssize_t)n);
    if (other && other != b)
        return claimed_twice(other, b, from, to, p);
    apr_hash_set(site->by_credential, apr_pmemdup(p, key, n), (apr_ssize_t)n, b);
    pair_key(key, from, to, 1);
    other = apr_hash_get(folded, key, (apr_ssize_t)n);
    if (other && other != b && (other->ignore_case || b->ignore_case))
        return claimed_twice(other, b, from, to, p);
    if (!other)
        apr_hash_set(folded, apr_pmemdup(p, key, n), (apr_ssize_t)n, b);
    return NULL;
}

static const char *index_buyer(po_site *site, apr_hash_t *folded, po_buyer *b, apr_pool_t *p)
{
    const apr_array_header_t *to = b->suppliers && b->suppliers->nelts ? b->suppliers : site->identities;
    int f, t;

    for (f = 0; b->credentials && f < b->credentials->nelts; f++)
        for (t = 0; to && t < to->nelts; t++) {
            const char *wrong = index_pair(site, folded, b, &APR_ARRAY_IDX(b->credentials, f, po_credential),
                                           &APR_ARRAY_IDX(to, t, po_credential), p);
            if (wrong)
                return wrong;
        }
    return NULL;
}

static const apr_array_header_t *certificates_of(const po_buyer *b)
{
    return b->via ? b->via->certificates : b->certificates;
}

const char *po_site_index(po_site *site, apr_pool_t *p)
{
    apr_hash_t *folded = apr_hash_make(p);
    int i;

    site->by_name = apr_hash_make(p);
    site->by_credential = apr_hash_make(p);
    site->by_credential_folded = NULL;
    site->certificates = 0;
    for (i = 0; i < site->buyers->nelts; i++) {
        po_buyer *b = APR_ARRAY_IDX(site->buyers, i, po_buyer *);
        const char *wrong = index_buyer(site, folded, b, p);

        if (wrong)
            return wrong;
        apr_hash_set(site->by_name, b->name, APR_HASH_KEY_STRING, b);
        if (b->ignore_case)
            site->by_credential_folded = folded;
        if (certificates_of(b) && certificates_of(b)->nelts)
            site->certificates = 1;
    }
    return NULL;
}

const po_buyer *po_site_buyer(const po_site *site, const char *name)
{
    return name ? apr_hash_get(site->by_name, name, APR_HASH_KEY_STRING) : NULL;
}

/* ---- From and To ---------------------------------------------------------------------------------------------- */

static const po_buyer *buyer_of_pair(const po_site *site, const po_credential *from, const po_credential *to)
{
    char key[KEY_MAX];
    apr_size_t n = pair_key(key, from, to, 0);
    const po_buyer *b = n ? apr_hash_get(site->by_credential, key, (apr_ssize_t)n) : NULL;

    if (b || !n || !site->by_credential_folded)
        return b;
    pair_key(key, from, to, 1);
    b = apr_hash_get(site->by_credential_folded, key, (apr_ssize_t)n);
    return b && b->ignore_case ? b : NULL;
}

/* Returns a second buyer that From names as well, else NULL: whoever may speak for the one must not be taken for the
 * other. */
static const po_buyer *find_buyer(const po_site *site, const po_party *from, const po_party *to, po_match *out)
{
    int f, t;

    for (f = 0; f < from->count; f++) {
        if (from->cred[f].marketplace)
            continue;                   /* names where the company beside it is a member, not the company */
        for (t = 0; t < to->count; t++) {
            const po_buyer *b = buyer_of_pair(site, &from->cred[f], &to->cred[t]);

            if (!b || b == out->buyer)
                continue;
            if (out->buyer)
                return b;
            out->buyer = b;
            out->from = &from->cred[f];
            out->to = &to->cred[t];
        }
    }
    return NULL;
}

/* ---- Sender --------------------------------------------------------------------------------------------------- */

static int same_credential(const po_credential *a, const po_credential *b, int ignore_case)
{
    return a->domain && b->domain && a->identity && b->identity && *b->identity && !strcasecmp(a->domain, b->domain)
           && !(ignore_case ? strcasecmp(a->identity, b->identity) : strcmp(a->identity, b->identity));
}

static int holds(const apr_array_header_t *list, const po_credential *c, int ignore_case)
{
    int i;

    for (i = 0; list && i < list->nelts; i++)
        if (same_credential(&APR_ARRAY_IDX(list, i, po_credential), c, ignore_case))
            return 1;
    return 0;
}

/* A buyer that comes through a hub is spoken for by nobody else, and a hub for nobody that doesn't name it. */
static int may_speak(const po_buyer *b, const po_credential *sender)
{
    if (b->via)
        return holds(b->via->senders, sender, b->ignore_case);
    return holds(b->credentials, sender, b->ignore_case) || holds(b->senders, sender, b->ignore_case);
}

static int sender_allowed(const po_buyer *b, const po_party *sender)
{
    int i;

    for (i = 0; i < sender->count; i++)
        if (may_speak(b, &sender->cred[i]))
            return 1;
    return 0;
}

/* ---- secrets -------------------------------------------------------------------------------------------------- */

typedef enum { PROOF_NONE, PROOF_RIGHT, PROOF_WRONG, PROOF_EARLY, PROOF_LATE } proof;

static const po_secret nobody;          /* what an unknown buyer's documents are compared with */

static const apr_array_header_t *secrets_of(const po_buyer *b)
{
    return !b ? NULL : b->via ? b->via->secrets : b->secrets;
}

static const po_secret *slot(const apr_array_header_t *slots, int i)
{
    return slots && i < slots->nelts ? &APR_ARRAY_IDX(slots, i, po_secret) : &nobody;
}

static int early(const po_secret *s, apr_time_t now)
{
    return s->from && now < s->from;
}

static int late(const po_secret *s, apr_time_t now)
{
    return s->until && now >= s->until;
}

int po_secret_counts(const po_secret *s, apr_time_t now)
{
    return !early(s, now) && !late(s, now);
}

/* Takes the same time whether the buyer exists or not: two comparisons in any case. */
static proof secret_proof(po_crypto *c, const apr_array_header_t *slots, const char *secret, apr_time_t now)
{
    unsigned char digest[PO_DIGEST];
    proof best = PROOF_WRONG;
    int i;

    if (!secret || !*secret)
        return PROOF_NONE;
    po_sha256(c, secret, strlen(secret), digest);
    for (i = 0; i < SLOTS; i++) {
        const po_secret *s = slot(slots, i);

        if ((po_equal(digest, s->digest, PO_DIGEST) & (s != &nobody)) && best != PROOF_RIGHT)
            best = early(s, now) ? PROOF_EARLY : late(s, now) ? PROOF_LATE : PROOF_RIGHT;
    }
    return strcasecmp(secret, "none") ? best : PROOF_WRONG;
}

/* ---- CredentialMac -------------------------------------------------------------------------------------------- */

typedef struct {
    char bytes[2 * KEY_MAX];
    apr_size_t len;
    int overflow;
} mac_data;

/* text without blanks around it, and a NUL. */
static void mac_add(mac_data *d, const char *text, int folded)
{
    apr_size_t n, i;

    text = text ? text : "";
    while (apr_isspace(*text))
        text++;
    for (n = strlen(text); n && apr_isspace(text[n - 1]); n--)
        ;
    if (n >= sizeof(d->bytes) - d->len) {
        d->overflow = 1;
        return;
    }
    for (i = 0; i < n; i++)
        d->bytes[d->len++] = folded ? lower(text[i]) : text[i];
    d->bytes[d->len++] = '\0';
}

/* cXML guide, "CredentialMac": 1 when value is the mac under that secret. */
static int mac_equal(const po_credential_mac *mac, const po_credential *from, const po_credential *sender,
                     const po_secret *secret)
{
    unsigned char digest[PO_SHA1_DIGEST], text[MAC_TEXT + 1];
    const char *key = secret->value ? secret->value : "nobody";
    mac_data d;

    d.len = 0;
    d.overflow = 0;
    mac_add(&d, from->domain, 1);
    mac_add(&d, from->identity, 1);
    mac_add(&d, sender->domain, 1);
    mac_add(&d, sender->identity, 1);
    mac_add(&d, mac->created, 0);
    mac_add(&d, mac->expires, 0);
    if (d.overflow || po_hmac_sha1(key, strlen(key), d.bytes, d.len, digest) != APR_SUCCESS)
        return 0;
    EVP_EncodeBlock(text, digest, MAC_BYTES);
    return po_equal(text, mac->value, MAC_TEXT) & (secret != &nobody);
}

/* What is wrong with a mac as such, whoever sent it; NULL: nothing. */
static const char *mac_unfit(const po_credential_mac *mac, const po_party *sender, apr_time_t now)
{
    apr_time_t created, expires;

    if (!mac->type || strcmp(mac->type, "FromSenderCredentials"))
        return "CredentialMac of another type than FromSenderCredentials";
    if (!mac->algorithm || strcmp(mac->algorithm, "HMAC-SHA1-96"))
        return "CredentialMac with another algorithm than HMAC-SHA1-96";
    if (po_timestamp_parse(mac->created, &created) != APR_SUCCESS
        || po_timestamp_parse(mac->expires, &expires) != APR_SUCCESS)
        return "CredentialMac whose creationDate or expirationDate is no date";
    if (now < created - CLOCK_SKEW)
        return "CredentialMac whose creationDate is yet to come (look at both clocks)";
    if (now > expires)
        return "expired CredentialMac";
    if (!mac->value || strlen(mac->value) != MAC_TEXT || mac->credential < 0 || mac->credential >= sender->count)
        return "CredentialMac of the wrong length";
    return NULL;
}

/* The guide doesn't say which of several From credentials a mac is about: each of the buyer's own is tried. One that
 * vouches for a credential which is not the buyer's, or for a Sender which may not speak for it, proves nothing: else
 * whoever has a hub's mac for himself would get in by naming our buyer beside himself. */
static proof mac_proof(const po_claim *claim, const po_buyer *b, const char **why)
{
    const po_credential *sender;
    int f, i, right = 0;

    if (!claim->mac)
        return PROOF_NONE;
    if ((*why = mac_unfit(claim->mac, claim->sender, claim->now)))
        return PROOF_WRONG;
    sender = &claim->sender->cred[claim->mac->credential];
    for (f = 0; f < claim->from->count; f++) {
        const po_credential *from = &claim->from->cred[f];
        int ours = b && !from->marketplace && holds(b->credentials, from, b->ignore_case);

        for (i = 0; i < SLOTS; i++) {
            const po_secret *s = slot(secrets_of(b), i);

            right |= mac_equal(claim->mac, from, sender, s) & ours & !early(s, claim->now) & !late(s, claim->now);
        }
    }
    *why = "wrong CredentialMac";
    return right && may_speak(b, sender) ? PROOF_RIGHT : PROOF_WRONG;
}

/* ---- certificates --------------------------------------------------------------------------------------------- */

static int certificate_matches(const apr_array_header_t *list, const po_certificate *shown)
{
    int i;

    for (i = 0; shown && list && i < list->nelts; i++) {
        const po_certificate *c = &APR_ARRAY_IDX(list, i, po_certificate);

        if (c->subject && shown->subject && !strcmp(c->subject, shown->subject))
            return 1;
        if (c->fingerprint && shown->fingerprint && !strcmp(c->fingerprint, shown->fingerprint))
            return 1;
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

typedef struct {
    proof secret, mac;
    const char *mac_why;
} proofs;

/* Of a secret that was shown but doesn't count. */
static const char *secret_wrong(proof secret)
{
    return secret == PROOF_LATE ? "expired SharedSecret" : secret == PROOF_EARLY ? "SharedSecret that is not valid yet"
                                                                                 : "wrong SharedSecret";
}

/* NULL when b's Sender has proved itself, else what it showed instead. A block without a secret has nothing to hold a
 * SharedSecret against: some systems can't leave it out beside their certificate. */
static const char *proof_missing(const po_buyer *b, const proofs *shown, const po_certificate *certificate)
{
    const apr_array_header_t *secrets = secrets_of(b), *certificates = certificates_of(b);
    po_authentication wanted = b->via ? b->via->authentication : b->authentication;
    int have_secrets = secrets && secrets->nelts, known, matches;

    if (shown->mac != PROOF_NONE && shown->mac != PROOF_RIGHT)
        return shown->mac_why;
    if (have_secrets && shown->secret != PROOF_NONE && shown->secret != PROOF_RIGHT)
        return secret_wrong(shown->secret);
    known = shown->mac == PROOF_RIGHT || (have_secrets && shown->secret == PROOF_RIGHT);
    if (known && wanted <= PO_AUTHENTICATION_SECRET)
        return NULL;
    if (!known && (wanted == PO_AUTHENTICATION_SECRET || wanted == PO_AUTHENTICATION_BOTH))
        return "no SharedSecret";
    matches = certificate_matches(certificates, certificate);
    if (matches)
        return NULL;
    if (wanted == PO_AUTHENTICATION_ANY && !(certificates && certificates->nelts))
        return "no SharedSecret";
    return certificate ? "foreign client certificate" : wanted == PO_AUTHENTICATION_ANY
                                                        ? "neither SharedSecret nor client certificate"
                                                        : "no client certificate";
}

/* "domain identity" of every credential, for the log. */
static const char *party_text(const po_party *party, apr_pool_t *p)
{
    const char *text = party->count ? "" : "nobody";
    int i;

    for (i = 0; i < party->count; i++)
        text = apr_pstrcat(p, text, i ? ", " : "", party->cred[i].marketplace ? "marketplace " : "",
                           party->cred[i].domain ? party->cred[i].domain : "?", " ",
                           party->cred[i].identity ? party->cred[i].identity : "?", NULL);
    return text;
}

static void refuse_unknown(const po_claim *claim, const po_buyer *second, po_match *out, apr_pool_t *p)
{
    const char *from = party_text(claim->from, p), *to = party_text(claim->to, p);

    out->result = PO_MATCH_UNKNOWN;
    if (!second) {
        out->why = apr_psprintf(p, "no PunchOutBuyer for From %s, To %s", from, to);
        return;
    }
    out->why = apr_psprintf(p, "From %s, To %s names two buyers, %s and %s: it must name one", from, to,
                            out->buyer->name, second->name);
    out->buyer = NULL;
    out->from = out->to = NULL;
}

static void refuse(const po_claim *claim, const char *wrong, po_match *out, apr_pool_t *p)
{
    const po_buyer *b = out->buyer;

    if (out->result == PO_MATCH_FAULT)
        out->why = apr_psprintf(p, "buyer %s can't be used: %s", b->name, b->fault);
    else if (out->result == PO_MATCH_SENDER)
        out->why = apr_psprintf(p, "Sender %s may not speak for buyer %s: %s", party_text(claim->sender, p), b->name,
                                b->via ? "it comes through its PunchOutVia only"
                                       : "add a PunchOutSender to its block if it should");
    else
        out->why = apr_psprintf(p, "%s of Sender %s for buyer %s", wrong, party_text(claim->sender, p), b->name);
}

void po_match_request(const po_site *site, po_crypto *c, const po_claim *claim, po_match *out, apr_pool_t *p)
{
    const po_buyer *second, *b;
    proofs shown = { PROOF_NONE };
    const char *wrong = NULL;

    memset(out, 0, sizeof(*out));
    second = find_buyer(site, claim->from, claim->to, out);
    b = second ? NULL : out->buyer;
    shown.secret = secret_proof(c, secrets_of(b), claim->secret, claim->now);
    shown.mac = mac_proof(claim, b, &shown.mac_why);
    if (!b) {
        refuse_unknown(claim, second, out, p);
        return;
    }
    if (b->fault)
        out->result = PO_MATCH_FAULT;
    else if (!sender_allowed(b, claim->sender))
        out->result = PO_MATCH_SENDER;
    else if ((wrong = proof_missing(b, &shown, claim->certificate)))
        out->result = PO_MATCH_SECRET;
    if (out->result != PO_MATCH_OK)
        refuse(claim, wrong, out, p);
}

/* ---- Open Buy -------------------------------------------------------------------------------------------------- */

/* The buyer whose PunchOutOpenBuyCredentials are these. All are compared, so that the time tells nothing. */
static const po_buyer *buyer_of_credentials(const po_site *site, const unsigned char digest[PO_DIGEST], apr_time_t now)
{
    const po_buyer *found = NULL;
    int i, n;

    for (i = 0; i < site->buyers->nelts; i++) {
        const po_buyer *b = APR_ARRAY_IDX(site->buyers, i, const po_buyer *);

        for (n = 0; b->openbuy_credentials && n < b->openbuy_credentials->nelts; n++) {
            const po_secret *s = &APR_ARRAY_IDX(b->openbuy_credentials, n, po_secret);

            if (po_equal(digest, s->digest, PO_DIGEST) & po_secret_counts(s, now))
                found = b;
        }
    }
    return found;
}

/* "NAME:SECRET": the buyer of that name, and whether the secret is his. PunchOutOpenBuyCredentials replace it. */
static const po_buyer *buyer_of_name(const po_site *site, po_crypto *c, const char *credentials, apr_time_t now,
                                     proof *shown, apr_pool_t *p)
{
    const char *colon = strchr(credentials, ':');
    const po_buyer *b = colon ? po_site_buyer(site, apr_pstrmemdup(p, credentials, (apr_size_t)(colon - credentials)))
                              : NULL;
    int by_name = b && !(b->openbuy_credentials && b->openbuy_credentials->nelts);

    *shown = secret_proof(c, by_name ? b->secrets : NULL, colon ? colon + 1 : credentials, now);
    return b;
}

static const char *credentials_wrong(const po_buyer *b, proof shown, const po_certificate *certificate)
{
    if (b->openbuy_credentials && b->openbuy_credentials->nelts && shown != PROOF_RIGHT)
        return "not its PunchOutOpenBuyCredentials";
    if (shown != PROOF_RIGHT)
        return shown == PROOF_NONE ? "no SharedSecret" : secret_wrong(shown);
    if (b->authentication >= PO_AUTHENTICATION_CERTIFICATE && !certificate_matches(b->certificates, certificate))
        return certificate ? "foreign client certificate" : "no client certificate";
    return NULL;
}

void po_match_credentials(const po_site *site, po_crypto *c, const char *credentials, const po_certificate *certificate,
                          apr_time_t now, po_match *out, apr_pool_t *p)
{
    unsigned char digest[PO_DIGEST];
    const po_buyer *whole;
    const char *wrong;
    proof shown;

    memset(out, 0, sizeof(*out));
    po_sha256(c, credentials, strlen(credentials), digest);
    whole = buyer_of_credentials(site, digest, now);
    out->buyer = buyer_of_name(site, c, credentials, now, &shown, p);
    if (whole) {
        out->buyer = whole;
        shown = PROOF_RIGHT;
    }
    if (!out->buyer) {
        out->result = PO_MATCH_UNKNOWN;
        out->why = "credentials that are no buyer's";
    } else if (out->buyer->fault) {
        out->result = PO_MATCH_FAULT;
        out->why = apr_psprintf(p, "buyer %s can't be used: %s", out->buyer->name, out->buyer->fault);
    } else if ((wrong = credentials_wrong(out->buyer, shown, certificate))) {
        out->result = PO_MATCH_SECRET;
        out->why = apr_psprintf(p, "%s, for buyer %s", wrong, out->buyer->name);
    }
}
