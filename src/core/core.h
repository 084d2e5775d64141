/* core.h - what every room speaks of: money, credentials, buyers and hubs, profiles, matching, ids and tokens.
 *
 * Pure: APR and libcrypto only, no httpd. Unless a function says otherwise, what it returns lives in the pool
 * it was given, strings are NUL-terminated UTF-8, and NULL means "absent".
 *
 * libcrypto (not APR-util) does SHA-256 and HMAC: APR-util 1.6 offers neither, and an own implementation
 * would not use the CPU's SHA instructions (0.09 us against about 2.8 us for a token).
 */
#ifndef PO_CORE_H
#define PO_CORE_H

#include "apr.h"
#include "apr_hash.h"
#include "apr_pools.h"
#include "apr_strings.h"
#include "apr_tables.h"
#include "apr_time.h"

/* ---- decimal.c: money and quantities, exact, never a float ---------------------------------------------------- */

/* value / 10^scale. Parsed numbers hold at most 18 digits and 8 decimals, so that a product of two is exact. */
typedef __int128 po_wide __attribute__((aligned(8)));    /* pools align to 8 bytes, where the compiler would count on 16 */
typedef struct {
    po_wide value;
    int scale;
} po_decimal;

#define PO_DECIMAL_TEXT 48              /* room for any formatted po_decimal with its NUL */
#define PO_DECIMAL_SCALE_MAX 8          /* decimals accepted on input */

/* Reads a plain decimal: optional blanks around it, optional '-', digits, optional '.' and digits ("15", "2.10").
 * Refuses (APR_EINVAL) empty text, exponents, hex, separators, NaN, more than 18 digits or 8 decimals that count
 * (trailing zeros behind the point do not). len < 0 means strlen. Does not allocate. */
apr_status_t po_decimal_parse(po_decimal *d, const char *text, apr_ssize_t len);
/* Writes d with at least min_decimals decimals and no other trailing zeros: (12.5, 2) is "12.50". Returns out. */
const char *po_decimal_text(const po_decimal *d, int min_decimals, char out[PO_DECIMAL_TEXT]);
/* -1, 0 or 1. Exact for every value the functions here produce. */
int po_decimal_compare(const po_decimal *a, const po_decimal *b);
int po_decimal_is_zero(const po_decimal *d);
/* The number of decimals that count: 1 for 12.50. */
int po_decimal_decimals(const po_decimal *d);
/* APR_EGENERAL when the result does not fit. out may be one of the operands. */
apr_status_t po_decimal_add(po_decimal *out, const po_decimal *a, const po_decimal *b);
apr_status_t po_decimal_multiply(po_decimal *out, const po_decimal *a, const po_decimal *b);
/* The smallest whole number q with q * unit >= amount (design.md §5: budget / unit price, rounded up).
 * unit must be greater than zero, else APR_EINVAL. */
apr_status_t po_decimal_divide_up(po_decimal *out, const po_decimal *amount, const po_decimal *unit);
/* a / b when that is a number of at most PO_DECIMAL_SCALE_MAX decimals, else APR_EINVAL. b must not be zero. */
apr_status_t po_decimal_divide_exact(po_decimal *out, const po_decimal *a, const po_decimal *b);
/* 1 when text is three letters A-Z (ISO 4217). */
int po_currency_valid(const char *text);

/* ---- crypto.c: digests, random bytes, ids and tokens ---------------------------------------------------------- */

typedef struct po_crypto po_crypto;     /* one per thread: a digest context and a stock of random bytes */

#define PO_DIGEST 32
#define PO_TOKEN_BYTES 18               /* shard number (2, in clear) + random (16) */
#define PO_TOKEN_TEXT 24                /* the same as base64url, without NUL */
#define PO_ID_TEXT 21                   /* longest id with its NUL */

/* malloc'd, since it outlives requests; NULL when libcrypto has no SHA-256. Free it with po_crypto_destroy(),
 * which clears the random bytes. Make it after fork, never before. */
po_crypto *po_crypto_create(void);
void po_crypto_destroy(po_crypto *c);
void po_sha256(po_crypto *c, const void *data, apr_size_t len, unsigned char out[PO_DIGEST]);
/* The same as lower-case hex. */
const char *po_sha256_hex(po_crypto *c, const void *data, apr_size_t len, apr_pool_t *p);
/* Several pieces hashed as one: start, any number of adds, end. Not nested. */
void po_sha256_start(po_crypto *c);
void po_sha256_add(po_crypto *c, const void *data, apr_size_t len);
void po_sha256_end(po_crypto *c, unsigned char out[PO_DIGEST]);
/* HMAC-SHA256 (RFC 2104) of text under a key of PO_DIGEST bytes. */
void po_hmac(po_crypto *c, const unsigned char key[PO_DIGEST], const char *text, unsigned char out[PO_DIGEST]);
#define PO_SHA1_DIGEST 20
/* HMAC-SHA1 (RFC 2104), which cXML's CredentialMac wants; nothing else here uses SHA-1. APR_EGENERAL when libcrypto
 * refuses it. */
apr_status_t po_hmac_sha1(const void *key, apr_size_t key_len, const void *data, apr_size_t len,
                          unsigned char out[PO_SHA1_DIGEST]);
apr_status_t po_random(po_crypto *c, void *out, apr_size_t len);
/* 1 when equal; the time taken does not depend on the contents. */
int po_equal(const void *a, const void *b, apr_size_t len);
/* Constant-time comparison of two strings through their digests; NULL or empty never matches. */
int po_secret_equal(po_crypto *c, const char *a, const char *b);

/* base64url without padding (RFC 4648 §5). len must be a multiple of 3; writes len / 3 * 4 characters, no NUL. */
void po_base64url(char *out, const unsigned char *data, apr_size_t len);
/* The reverse; text_len must be a multiple of 4. 0 when a character is foreign. */
int po_base64url_decode(unsigned char *out, const char *text, apr_size_t text_len);
/* Lower-case hex and NUL: 2 * len + 1 bytes. */
void po_hex(char *out, const unsigned char *data, apr_size_t len);

/* "req-4x8w...": prefix (at most 4 characters), '-', 16 characters of Crockford's base32 in lower case (80 random
 * bits). Holds nothing that a procurement system refuses in a SupplierPartAuxiliaryID. */
apr_status_t po_id(po_crypto *c, const char *prefix, char out[PO_ID_TEXT]);

/* payloadID of a document that we send: datetime.pid.random@host, as the cXML guide recommends. */
const char *po_payload_id(po_crypto *c, const char *host, apr_time_t now, apr_pool_t *p);

/* ---- timestamp.c ---------------------------------------------------------------------------------------------- */

#define PO_TIMESTAMP 26                 /* with NUL */
/* "2026-11-23T10:15:00+00:00": cXML wants a numeric offset and forbids Z. Returns out. */
const char *po_timestamp(apr_time_t t, char out[PO_TIMESTAMP]);
/* Reads what procurement systems write: ISO 8601 with date and time, a blank instead of T, fractions of a second, an
 * offset with or without colon, Z, or none (then it is UTC), and "Mon May 19 18:29:48 +0000 2008". Blanks around it don't
 * count. APR_EINVAL for anything else, NULL, and days that no calendar has. Does not allocate. */
apr_status_t po_timestamp_parse(const char *text, apr_time_t *out);

/* ---- address.c -------------------------------------------------------------------------------------------------- */

/* 1 when text is one plain mail address (ASCII): nothing in it can end a header or an SMTP command. NULL is none. */
int po_mail_address_valid(const char *text);

/* ---- bearer.c: tokens that need no table ------------------------------------------------------------------------ */

typedef struct {
    const char *site, *buyer;           /* po_site.public_url and po_buyer.name, good over a restart */
    const char *email;                  /* of the requester; NULL: it names none */
    const char *id;                     /* of this token */
    apr_time_t expires;                 /* counts in whole seconds */
} po_bearer;

typedef enum {
    PO_BEARER_OK,
    PO_BEARER_FOREIGN,                  /* not made here for that purpose, or changed */
    PO_BEARER_EXPIRED,
    PO_BEARER_SITE                      /* of another site */
} po_bearer_result;

/* What it says and an HMAC of it under the ledger's key, as base64url. purpose is part of what is signed: a token of
 * one passes for no other, nor for what other parts sign under that key. None of the texts may hold a line's end. */
const char *po_bearer_make(po_crypto *c, const unsigned char key[PO_DIGEST], const char *purpose, const po_bearer *b,
                           apr_pool_t *p);
/* out is set when the result is not PO_BEARER_FOREIGN. */
po_bearer_result po_bearer_read(po_crypto *c, const unsigned char key[PO_DIGEST], const char *purpose, const char *site,
                                const char *token, apr_time_t now, po_bearer *out, apr_pool_t *p);

/* ---- rate.c: how often something happened in this minute -------------------------------------------------------- */

typedef struct po_rates po_rates;       /* in memory that processes share; no locks: a child may die anywhere */

/* Bytes for that many counters; a power of two. */
apr_size_t po_rates_size(unsigned counters);
/* Makes an empty table at memory, which is aligned to 8 bytes. NULL: no random bytes. */
po_rates *po_rates_make(void *memory, unsigned counters);
/* The count of key in the minute of now with this one; *wait: seconds until the next minute. More keys than there is
 * room for share counters, so that a count may be too high, never too low. */
int po_rate_add(po_rates *t, po_crypto *c, const char *key, apr_time_t now, int *wait);
/* The same without adding one. */
int po_rate_look(const po_rates *t, po_crypto *c, const char *key, apr_time_t now, int *wait);

/* ---- profiles.c: one row of data per procurement system (design.md §8) ---------------------------------------- */

typedef struct {
    const char *name;                   /* generic | coupa | ariba | jaggaer | oracle | workday | d365 */
    const char *dtd;                    /* version of the DTD that our documents declare and obey: "1.2.014" */
    const char *cart_field;             /* name of the form field: cxml-base64, cxml-urlencoded, cXML-base64 ... */
    int cart_base64;                    /* the field holds Base64; else the document itself, then ASCII only */
    int ascii_only;                     /* numeric character references for everything above U+007F */
    int part_bytes, description_bytes, short_name_bytes;    /* limits, in bytes of UTF-8 */
    int price_decimals;                 /* more decimals than that in a price are a configuration error */
    const char *forbidden;              /* characters that part and auxiliary ids must not hold */
    int transient_http;                 /* HTTP status beside a cXML 560: 503, or 200 where only cXML counts */
    int start_elsewhere;                /* a shopper may begin in the marketplace (0: SAP Ariba) */
    const char *post_dtd;               /* version of the DTD of confirmations and invoices: "1.2.020" */
    unsigned documents;                 /* PO_POST_*: which documents this system takes */
} po_profile;

#define PO_DTD_FOR_STRANGERS "1.2.014"  /* of an answer to somebody whom no buyer's block knows */

/* NULL when there is no such profile. The row is static. */
const po_profile *po_profile_find(const char *name);
/* "generic, coupa, ariba, ...", for messages. */
const char *po_profile_names(apr_pool_t *p);
/* The unit as this buyer spells it (po_buyer.units), else unit itself. */
struct po_buyer;
const char *po_unit_for(const struct po_buyer *b, const char *unit);
/* The longest start of text that fits in limit bytes and ends at a UTF-8 character; text itself when it fits.
 * limit <= 0: no limit. */
const char *po_utf8_cut(const char *text, int limit, apr_pool_t *p);

/* ---- site.c: what the administrator said, as the other rooms read it ------------------------------------------ */

typedef struct {
    const char *domain, *identity;      /* domain is compared without case, identity exactly, both trimmed */
    int marketplace;                    /* type="marketplace": the marketplace that the company beside it is a member of */
} po_credential;

#define PO_PARTY_MAX 8
typedef struct {                        /* From, To or Sender of a document */
    po_credential cred[PO_PARTY_MAX];
    int count;
} po_party;

typedef struct {
    const char *value;                  /* in clear: outgoing documents need it. Never log it. */
    unsigned char digest[PO_DIGEST];    /* SHA-256 of value: what incoming secrets are compared with */
    apr_time_t from, until;             /* valid in [from, until); 0: no such limit */
    const char *source;                 /* "file:PATH" or "exec:COMMAND"; NULL: it stands in the configuration itself */
} po_secret;

/* 1 when the secret is valid at that time. */
int po_secret_counts(const po_secret *s, apr_time_t now);

typedef struct {                        /* a TLS client certificate that mod_ssl has verified */
    const char *subject;                /* distinguished name, as SSL_CLIENT_S_DN has it */
    const char *fingerprint;            /* SHA-256 of the certificate, lower-case hex */
} po_certificate;

typedef enum {                          /* PunchOutAuthentication: what a Sender must show */
    PO_AUTHENTICATION_ANY,              /* one proof that the block has configured */
    PO_AUTHENTICATION_SECRET,           /* SharedSecret or CredentialMac */
    PO_AUTHENTICATION_CERTIFICATE,
    PO_AUTHENTICATION_BOTH
} po_authentication;

/* PunchOutUserData: where a setup says who the shopper is. Each a list of sources (const char *) of which the first that
 * says something counts: the name of an Extrinsic, or Contact/Name, Contact/Email, ShipTo/Name, ShipTo/Email,
 * ShipTo/DeliverTo. NULL: the usual names. */
typedef struct {
    const apr_array_header_t *user, *email, *name;
} po_user_map;

typedef struct {                        /* one entry of PunchOutReturnHosts */
    const char *scheme;                 /* "https" unless given */
    const char *host;                   /* lower case; a leading '.' means every host below it */
    int port;                           /* 0: any ("host:*"); default: the scheme's */
} po_return_host;

typedef enum { PO_DEPLOYMENT_TEST, PO_DEPLOYMENT_PRODUCTION } po_deployment;
typedef enum { PO_MISMATCH_REJECT, PO_MISMATCH_HOLD, PO_MISMATCH_ACCEPT } po_mismatch;
typedef enum { PO_ACTIVATE_ALL, PO_ACTIVATE_EACH } po_activate;
typedef enum { PO_USAGE_LIMIT_ORDER, PO_USAGE_LIMIT_NONE } po_usage_limit;      /* PunchOutUsageLimit */
typedef enum { PO_LINES_CLASSIC, PO_LINES_SINGLE, PO_LINES_SPLIT } po_lines;  /* PunchOutLines: market.h, po_cover */
typedef enum { PO_APPROVALS_TOGETHER, PO_APPROVALS_SEPARATE } po_approvals;     /* PunchOutApprovals */
enum { PO_PREAPPROVE_FREE = 1, PO_PREAPPROVE_BYOL = 2 };
enum { PO_POST_CONFIRMATION = 1, PO_POST_INVOICE = 2 };

typedef struct {                        /* PunchOutPost */
    const char *url;
    unsigned documents;                 /* PO_POST_* */
} po_post;

typedef enum { PO_OPENBUY_USUAL, PO_OPENBUY_NUMBER, PO_OPENBUY_STRING } po_openbuy_type;
typedef struct {                        /* PunchOutOpenBuyField: what a buyer's Open Buy calls a member of ours */
    const char *ours, *theirs;          /* theirs NULL: it is left out of answers */
    po_openbuy_type type;               /* of its JSON value; NUMBER counts where the text is a number */
} po_openbuy_field;

typedef struct po_hub {                 /* <PunchOutHub>: a network that speaks for many buyers */
    const char *name;
    apr_array_header_t *senders;        /* po_credential */
    apr_array_header_t *secrets;        /* po_secret, at most 2 */
    apr_array_header_t *certificates;   /* po_certificate: subject or fingerprint, the other NULL; NULL: none */
    po_authentication authentication;
    apr_array_header_t *posts;          /* po_post */
    const po_secret *post_secret;       /* PunchOutPostSecret; NULL: the valid one of secrets */
} po_hub;

typedef struct po_buyer {               /* <PunchOutBuyer>: one connection */
    const char *name, *organization;
    po_profile profile;                 /* the profile's row with this block's overrides */
    apr_array_header_t *credentials;    /* po_credential: From */
    apr_array_header_t *suppliers;      /* po_credential: To; empty = any PunchOutIdentity */
    apr_array_header_t *senders;        /* po_credential: further Senders */
    apr_array_header_t *sellers;        /* const char *; empty = all */
    apr_array_header_t *secrets;        /* po_secret, at most 2: the slots of a rotation */
    apr_array_header_t *certificates;   /* as in po_hub */
    po_authentication authentication;
    int ignore_case;                    /* PunchOutIdentityCase ignore: of identities in From, To and Sender */
    apr_array_header_t *return_hosts;   /* po_return_host */
    apr_array_header_t *posts;          /* po_post */
    const po_secret *post_secret;       /* as in po_hub */
    apr_table_t *units;                 /* ours -> theirs */
    po_user_map user_map;
    po_deployment deployment;
    unsigned preapprove;                /* PO_PREAPPROVE_* */
    const char *currency;               /* for lines whose offer names none, and for empty carts */
    po_mismatch mismatch;
    po_activate activate;
    po_lines lines;
    po_approvals approvals;
    po_usage_limit usage_limit;         /* whether usage may be invoiced above its order */
    const po_hub *via;                  /* PunchOutVia */
    const char *request_redirect;       /* PunchOutRequestRedirect: where a draft goes to be returned; NULL: none */
    apr_array_header_t *openbuy_credentials;    /* po_secret, at most 2, whole; empty: NAME:SECRET by name and secrets */
    apr_array_header_t *openbuy_fields; /* po_openbuy_field; what is not in it has our names */
    int openbuy_rate;                   /* PunchOutOpenBuyRate: calls a minute; 0: no limit */
    const char *fault;                  /* why this block can't be used (kept over a raw restart): answers are 560 */
} po_buyer;

typedef struct po_site {                /* one virtual host, merged */
    const char *public_url;             /* PunchOutPublicURL without a final '/' */
    const char *host;                   /* of it: right side of our payloadIDs */
    const char *door;                   /* public_url + path of the <Location>, no final '/': .../punchout */
    int https;                          /* public_url is https: __Host- cookie */
    apr_array_header_t *identities;     /* po_credential: who we are */
    apr_array_header_t *buyers;         /* po_buyer *, in the order of the file */
    apr_hash_t *by_name;                /* name -> po_buyer * */
    apr_hash_t *by_credential;          /* filled by po_site_index() */
    apr_hash_t *by_credential_folded;   /* the same for buyers with ignore_case; NULL: there is none */
    int certificates;                   /* some buyer, or its hub, goes by client certificates: look them up */
    apr_hash_t *hubs;                   /* name -> po_hub * */
    const char *catalog_file;           /* PunchOutCatalog, absolute */
    const char *catalog_db;             /* the compiled catalog of this start, NULL: none or faulty */
    const char *start_page, *product_page;
    const char *fulfillment, *fulfillment_test;     /* any mod_proxy URL; NULL: none */
    const po_secret *backend_secret;    /* NULL: the door `invoices` is shut */
    const char *mail_url, *mail_from;   /* NULL: no mail */
    const char *ca_file;                /* PunchOutCACertificateFile, absolute; NULL: the system's */
    const char *mail_templates;         /* PunchOutMailTemplates, absolute; NULL: the built-in ones */
    apr_interval_time_t request_timeout;            /* an approval that no order answers expires */
    const char *usage_budget;           /* decimal; PunchOutUsageBudget, NULL: none */
    int account_required;               /* PunchOutAccount required */
    apr_array_header_t *sign_on_hosts;  /* po_return_host, PunchOutSignOnHosts: where ?idc_url= may lead; empty: nowhere */
    apr_interval_time_t openbuy_life;   /* PunchOutOpenBuyToken: of a token */
    int openbuy_reuse;                  /* 1: a token outlives its checkout */
    const char *validate_dir;           /* PunchOutValidate; NULL: off */
    int validate_refuse;                /* 1: what is not valid is not sent; 0: it is logged */
    const struct po_cxml_validator *validator;      /* of validate_dir, loaded at start; NULL: off */
    const char *fault;                  /* as po_buyer.fault, for the whole site */
} po_site;

/* Fills by_name, by_credential, by_credential_folded and certificates from buyers, suppliers, identities and hubs. Returns
 * NULL, or a sentence that names two buyers which claim the same (From domain, From identity, To) - design.md §3. */
const char *po_site_index(po_site *site, apr_pool_t *p);
const po_buyer *po_site_buyer(const po_site *site, const char *name);
/* Who we are to a buyer when no document of his says it: PunchOutSupplier, else PunchOutIdentity, that of the domain of one of
 * his own credentials first. Also which of his credentials it fits (his: may be NULL). NULL: the site names none. */
const po_credential *po_site_identity(const po_site *site, const po_buyer *buyer, const po_credential **his);

/* ---- match.c: who sent a document ----------------------------------------------------------------------------- */

typedef enum {
    PO_MATCH_OK,
    PO_MATCH_UNKNOWN,                   /* no buyer for (From, To), or two: 401 */
    PO_MATCH_SENDER,                    /* Sender may not speak for that buyer: 401 */
    PO_MATCH_SECRET,                    /* secret, mac or certificate: wrong, out of date or missing: 401 */
    PO_MATCH_FAULT                      /* the buyer's configuration is broken: 560 */
} po_match_result;

typedef struct {
    po_match_result result;
    const po_buyer *buyer;              /* also set when SENDER, SECRET or FAULT */
    const po_credential *from, *to;     /* the pair that matched: our answer goes out as To -> From */
    const char *why;                    /* for the log: names identities, never a secret */
} po_match;

typedef struct {                        /* Sender's CredentialMac, as written (cXML guide, "CredentialMac") */
    const char *type, *algorithm, *created, *expires, *value;
    int credential;                     /* which Credential of Sender holds it */
} po_credential_mac;

typedef struct {                        /* what a document and its connection say about who sent it */
    const po_party *from, *to, *sender;
    const char *secret;                 /* SharedSecret of Sender; NULL: none */
    const po_credential_mac *mac;       /* NULL: none */
    const po_certificate *certificate;  /* NULL: none, or not verified */
    apr_time_t now;
} po_claim;

/* Who is it (cXML 1.2 guide, "Header"): every (From, To) pair is tried but for those whose From is a marketplace, then
 * Sender, then what it proves itself with. From that names two buyers names none. Secrets and macs are compared in
 * constant time, and also for an unknown buyer, so that both take the same time.
 * why is made in p and only when the result is not OK; nothing else is allocated. */
void po_match_request(const po_site *site, po_crypto *c, const po_claim *claim, po_match *out, apr_pool_t *p);

/* Who is it by Open Buy's credentials: the whole text is one of a buyer's PunchOutOpenBuyCredentials, or, for a buyer
 * without any, "NAME:SECRET" of its block. PunchOutAuthentication certificate or both asks for the block's client
 * certificate, too. The hub of PunchOutVia speaks cXML and has no part in it. Takes the same time for names that are
 * nobody's. UNKNOWN: no such buyer; SECRET: a buyer, but not his secret, or without his certificate. from and to stay
 * NULL. why names nothing of the credentials but the name of a buyer that exists. */
void po_match_credentials(const po_site *site, po_crypto *c, const char *credentials, const po_certificate *certificate,
                          apr_time_t now, po_match *out, apr_pool_t *p);

/* ---- site.c: where carts may go back to ----------------------------------------------------------------------- */

/* NULL when url is an absolute http(s) URL whose scheme, host and port are on the buyer's list; else the reason
 * (security.md, BrowserFormPost): userinfo, fragment, control characters, backslash, foreign host, wrong scheme. */
const char *po_return_url_refused(const po_buyer *b, const char *url, apr_pool_t *p);
/* The same for a page to sign on at (?idc_url= of a setup) and PunchOutSignOnHosts. */
const char *po_sign_on_url_refused(const po_site *site, const char *url, apr_pool_t *p);
/* Parses one word of PunchOutReturnHosts; returns NULL or what is wrong with it. */
const char *po_return_host_parse(po_return_host *out, const char *word, apr_pool_t *p);

#endif
