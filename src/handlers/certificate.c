/* certificate.c - the TLS client certificate of a connection, as mod_ssl verified it. */
#include "handlers/handlers.h"

#include "http_ssl.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

APLOG_USE_MODULE(punchout);

/* SHA-256 of the DER inside a PEM text, as openssl x509 -fingerprint -sha256 has it; NULL: it can't be read. */
static const char *fingerprint(po_crypto *c, const char *pem, apr_pool_t *p)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    char *name = NULL, *header = NULL;
    const char *hex = NULL;
    unsigned char *der = NULL;
    long len;

    if (bio && PEM_read_bio(bio, &name, &header, &der, &len))
        hex = po_sha256_hex(c, der, (apr_size_t)len, p);
    else
        ERR_clear_error();              /* the thread's queue of errors is mod_ssl's, too */
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    return hex;
}

/* Only what mod_ssl itself says counts: a request header of that name is anybody's word. SUCCESS alone means that the
 * chain was verified (GENEROUS doesn't). */
const po_certificate *po_client_certificate(request_rec *r, po_crypto *c)
{
    const char *verified = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_VERIFY"), *pem;
    po_certificate *certificate;

    if (!verified || strcmp(verified, "SUCCESS")) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "PO0117: no client certificate that mod_ssl has verified (%s)",
                      verified && *verified ? verified : "not asked for; see SSLVerifyClient");
        return NULL;
    }
    certificate = apr_pcalloc(r->pool, sizeof(*certificate));
    certificate->subject = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_S_DN");
    pem = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_CERT");
    certificate->fingerprint = pem && *pem ? fingerprint(c, pem, r->pool) : NULL;
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "PO0118: client certificate of %s, sha256:%s",
                  certificate->subject ? certificate->subject : "nobody",
                  certificate->fingerprint ? certificate->fingerprint : "-");
    return certificate;
}
