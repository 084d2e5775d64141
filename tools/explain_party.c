/* explain_party.c - From, To and Sender: which buyer that is or who comes near, and what Sender proves itself with.
 *
 * po_match_request() decides. What is here says why.
 */
#include "tools.h"

#include <string.h>
#include <strings.h>

#define UNKNOWN_SENDER "Sender not recognised: check the identities of From, To and Sender and the shared secret"

static const char secret_unknown[] = "";        /* value of a slot that can't be read here */

static const char *shown(const po_credential *c, apr_pool_t *p)
{
    return apr_pstrcat(p, c->domain ? c->domain : "?", " ", c->identity ? c->identity : "?", NULL);
}

static const char *list(const apr_array_header_t *credentials, const char *otherwise, apr_pool_t *p)
{
    const char *text = NULL;
    int i;

    for (i = 0; credentials && i < credentials->nelts; i++) {
        const char *one = shown(&APR_ARRAY_IDX(credentials, i, po_credential), p);

        text = text ? apr_pstrcat(p, text, ", ", one, NULL) : one;
    }
    return text ? text : otherwise;
}

static const char *party_list(const po_party *party, apr_pool_t *p)
{
    const char *text = party->count ? shown(&party->cred[0], p) : "nobody";
    int i;

    for (i = 1; i < party->count; i++)
        text = apr_pstrcat(p, text, ", ", shown(&party->cred[i], p), NULL);
    return text;
}

static void say_party(const char *label, const po_party *party, apr_pool_t *p)
{
    int i;

    if (!party->count)
        po_say(label, "nobody");
    for (i = 0; i < party->count; i++)
        po_say(i ? "" : label, "%s%s", shown(&party->cred[i], p), party->cred[i].marketplace ? " (a marketplace)" : "");
}

static void say_parties(const po_explanation *x)
{
    const po_cxml *d = &x->doc;

    say_party("From", &d->from, x->pool);
    say_party("To", &d->to, x->pool);
    say_party("Sender", &d->sender, x->pool);
    po_say("", d->shared_secret ? "SharedSecret ********" : "no SharedSecret");
    if (d->mac)
        po_say("", "CredentialMac ********, %s, from %s to %s", d->mac->algorithm ? d->mac->algorithm : "?",
               d->mac->created ? d->mac->created : "?", d->mac->expires ? d->mac->expires : "?");
    po_say("UserAgent", "%s", d->user_agent ? d->user_agent : "none (the DTD asks for one; accepted)");
}

/* ---- near misses ------------------------------------------------------------------------------------------------ */

static int same_domain(const po_credential *a, const po_credential *b)
{
    return a->domain && b->domain && !strcasecmp(a->domain, b->domain);
}

static int same_credential(const po_credential *a, const po_credential *b)
{
    return same_domain(a, b) && !strcmp(a->identity, b->identity);
}

/* Identities of a test realm end with -T. */
static int same_but_for_realm(const char *a, const char *b)
{
    apr_size_t n = strlen(a), m = strlen(b);

    if (n > m)
        return same_but_for_realm(b, a);
    return m == n + 2 && !strncmp(a, b, n) && !strcasecmp(b + n, "-T");
}

static const char *near(const po_explanation *x, const po_buyer *b, const po_credential *has, const po_credential *says)
{
    const char *what = NULL;

    if (!has->identity || !says->identity || !*says->identity)
        return NULL;
    if (same_credential(has, says))
        return apr_psprintf(x->pool, "buyer %s is this From, but for To %s; the document says To %s", b->name,
                            list(b->suppliers->nelts ? b->suppliers : x->site->identities, "nobody", x->pool),
                            party_list(&x->doc.to, x->pool));
    if (!strcmp(has->identity, says->identity))
        what = "the domain differs";
    else if (!strcasecmp(has->identity, says->identity))
        what = same_domain(has, says) ? "upper and lower case differ" : "the domain differs, and upper and lower case";
    else if (same_but_for_realm(has->identity, says->identity))
        what = "one of them is of the test realm (-T)";
    return what ? apr_psprintf(x->pool, "buyer %s is %s, the document says %s: %s", b->name, shown(has, x->pool),
                               shown(says, x->pool), what)
                : NULL;
}

static int near_buyer(const po_explanation *x, const po_buyer *b)
{
    int i, k, n = 0;

    for (i = 0; i < b->credentials->nelts; i++)
        for (k = 0; k < x->doc.from.count; k++) {
            const char *text = near(x, b, &APR_ARRAY_IDX(b->credentials, i, po_credential), &x->doc.from.cred[k]);

            if (text)
                po_say("near miss", "%s", text);
            n += text != NULL;
        }
    return n;
}

static po_claim claim_of(const po_explanation *x)
{
    po_claim claim = { &x->doc.from, &x->doc.to, &x->doc.sender, x->doc.shared_secret, x->doc.mac,
                       x->certificate, x->now };

    return claim;
}

static int other_sites(const po_explanation *x)
{
    po_claim claim = claim_of(x);
    int i, n = 0;

    for (i = 0; i < x->dump->sites->nelts; i++) {
        const po_site *s = APR_ARRAY_IDX(x->dump->sites, i, po_site *);
        po_match m;

        if (s == x->site)
            continue;
        po_match_request(s, x->crypto, &claim, &m, x->pool);
        if (m.buyer)
            po_say("near miss", "the site %s knows this From and To as buyer %s", s->public_url, m.buyer->name);
        n += m.buyer != NULL;
    }
    return n;
}

static void say_near_misses(const po_explanation *x)
{
    int i, n = other_sites(x);

    for (i = 0; i < x->site->buyers->nelts; i++)
        n += near_buyer(x, APR_ARRAY_IDX(x->site->buyers, i, po_buyer *));
    if (!n)
        po_say("near miss", "none: no buyer of this site has an identity like that (%d configured)",
               x->site->buyers->nelts);
}

/* ---- Sender ----------------------------------------------------------------------------------------------------- */

/* The hub that has this Sender; NULL: none. */
static const po_hub *hub_of(const po_explanation *x)
{
    apr_hash_index_t *at;
    int i, k;

    for (at = apr_hash_first(x->pool, x->site->hubs); at; at = apr_hash_next(at)) {
        const po_hub *h = apr_hash_this_val(at);

        for (i = 0; i < h->senders->nelts; i++)
            for (k = 0; k < x->doc.sender.count; k++)
                if (same_credential(&APR_ARRAY_IDX(h->senders, i, po_credential), &x->doc.sender.cred[k]))
                    return h;
    }
    return NULL;
}

static void say_sender_refused(const po_explanation *x)
{
    const po_buyer *b = x->match.buyer;
    const po_hub *hub = hub_of(x);

    po_say("authentication", "refused: %s", x->match.why);
    if (b->via)
        po_say("", "buyer %s must come by hub %s (PunchOutVia), whose Sender is %s", b->name, b->via->name,
               list(b->via->senders, "nobody", x->pool));
    else
        po_say("", "Sender may be %s", apr_pstrcat(x->pool, list(b->credentials, "nobody", x->pool),
                                                  b->senders->nelts ? ", " : "", list(b->senders, "", x->pool), NULL));
    if (hub && hub != b->via)
        po_say("near miss", "this Sender is hub %s, but buyer %s has no PunchOutVia %s", hub->name, b->name, hub->name);
}

/* ---- secrets ---------------------------------------------------------------------------------------------------- */

static const apr_array_header_t *slots_of(const po_buyer *b)
{
    return b->via ? b->via->secrets : b->secrets;
}

static const char *source(const po_secret *s)
{
    return s->source && *s->source ? s->source : "in the configuration";
}

/* A secret that can't be read here passes for the one that the document has, so that the rest can be explained. */
static void trust_slots(const po_explanation *x, apr_array_header_t *slots)
{
    const char *claimed = x->doc.shared_secret ? x->doc.shared_secret : "";
    int i;

    for (i = 0; i < slots->nelts; i++) {
        po_secret *s = &APR_ARRAY_IDX(slots, i, po_secret);

        if (s->value)
            continue;
        s->value = secret_unknown;
        po_sha256(x->crypto, claimed, strlen(claimed), s->digest);
    }
}

static void trust_unknown(const po_explanation *x)
{
    int i, k;

    for (i = 0; i < x->dump->sites->nelts; i++) {
        const po_site *s = APR_ARRAY_IDX(x->dump->sites, i, po_site *);

        for (k = 0; k < s->buyers->nelts; k++) {
            po_buyer *b = APR_ARRAY_IDX(s->buyers, k, po_buyer *);

            trust_slots(x, b->secrets);
            if (b->via)
                trust_slots(x, b->via->secrets);
        }
    }
}

static int has_unknown(const apr_array_header_t *slots)
{
    int i;

    for (i = 0; i < slots->nelts; i++)
        if (APR_ARRAY_IDX(slots, i, po_secret).value == secret_unknown)
            return 1;
    return 0;
}

/* The slot that this document has the secret of, among those that can be read. */
static const po_secret *known_slot(const po_explanation *x, const apr_array_header_t *slots)
{
    int i;

    for (i = 0; x->doc.shared_secret && i < slots->nelts; i++) {
        const po_secret *s = &APR_ARRAY_IDX(slots, i, po_secret);

        if (s->value != secret_unknown && po_secret_equal(x->crypto, s->value, x->doc.shared_secret))
            return s;
    }
    return NULL;
}

static void say_slots(const apr_array_header_t *slots)
{
    int i;

    for (i = 0; i < slots->nelts; i++) {
        const po_secret *s = &APR_ARRAY_IDX(slots, i, po_secret);
        char from[PO_TIMESTAMP] = "", until[PO_TIMESTAMP] = "";

        po_say("", "configured: %s%s%s%s%s%s", source(s), s->value == secret_unknown ? ", can't be read here" : "",
               s->from ? ", from " : "", s->from ? po_timestamp(s->from, from) : "", s->until ? ", until " : "",
               s->until ? po_timestamp(s->until, until) : "");
    }
}

static const apr_array_header_t *certificates_of(const po_buyer *b)
{
    return b->via ? b->via->certificates : b->certificates;
}

static void say_certificates(const po_buyer *b)
{
    const apr_array_header_t *list = certificates_of(b);
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const po_certificate *c = &APR_ARRAY_IDX(list, i, po_certificate);

        po_say("", "configured: client certificate %s%s", c->subject ? c->subject : "sha256:",
               c->subject ? "" : c->fingerprint);
    }
}

static void say_authenticated(const po_explanation *x)
{
    const po_buyer *b = x->match.buyer;
    const po_secret *s = known_slot(x, slots_of(b));

    if (b->via)
        po_say("", "comes by hub %s", b->via->name);
    if (x->certificate) {
        po_say("authentication", "not checked: it takes a client certificate, which a captured request doesn't show; "
               "what follows takes it for right");
        say_certificates(b);
    }
    else if (s)
        po_say("authentication", "right: the SharedSecret is that of %s", source(s));
    else if (has_unknown(slots_of(b))) {
        po_say("authentication", "not checked: the secret can't be read here; what follows takes it for right");
        say_slots(slots_of(b));
    }
    else
        po_say("authentication", "right");
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void say_buyer(const po_explanation *x)
{
    const po_buyer *b = x->match.buyer;

    po_say("buyer", "%s (organization %s, profile %s, answers in DTD %s)", b->name, b->organization, b->profile.name,
           b->profile.dtd);
    po_say("", "by From %s, To %s", shown(x->match.from, x->pool), shown(x->match.to, x->pool));
}

static void refuse(po_explanation *x, int status, const char *detail)
{
    x->status = status;
    x->detail = detail;
}

static void match(po_explanation *x)
{
    po_claim claim = claim_of(x);

    po_match_request(x->site, x->crypto, &claim, &x->match, x->pool);
}

/* Once more with the first client certificate that would do, since the connection is not known here. */
static void match_with_certificate(po_explanation *x)
{
    const apr_array_header_t *list = certificates_of(x->match.buyer);
    po_match without = x->match;

    if (!list || !list->nelts)
        return;
    x->certificate = &APR_ARRAY_IDX(list, 0, po_certificate);
    match(x);
    if (x->match.result == PO_MATCH_OK)
        return;
    x->certificate = NULL;
    x->match = without;
}

void po_explain_party(po_explanation *x)
{
    say_parties(x);
    trust_unknown(x);
    match(x);
    if (x->match.buyer)
        say_buyer(x);
    if (x->match.result == PO_MATCH_SECRET)
        match_with_certificate(x);
    /* a mac can't be taken for right by a digest */
    if (x->match.result == PO_MATCH_SECRET && x->doc.mac && has_unknown(slots_of(x->match.buyer)))
        x->match.result = PO_MATCH_OK;
    switch (x->match.result) {
    case PO_MATCH_OK:
        say_authenticated(x);
        return;
    case PO_MATCH_UNKNOWN:
        po_say("buyer", "none: %s", x->match.why);
        say_near_misses(x);
        break;
    case PO_MATCH_SENDER:
        say_sender_refused(x);
        break;
    case PO_MATCH_SECRET:
        po_say("authentication", "refused: %s", x->match.why);
        say_slots(slots_of(x->match.buyer));
        say_certificates(x->match.buyer);
        break;
    case PO_MATCH_FAULT:
        po_say("buyer", "out of use: %s", x->match.why);
        refuse(x, 560, "This connection can't be used at the moment");
        return;
    }
    refuse(x, 401, UNKNOWN_SENDER);
}
