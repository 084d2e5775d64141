/* session.c - what a session holds, packed for the table; start tokens and cookies. */
#include "session/table.h"

#include <stddef.h>
#include <string.h>

#define SHARDS_TRIED 4                  /* by an insert: chance fills some shards before the others */
#define SHARD_BYTES 2                   /* at the start of a token */

/* Packed: a byte for `test`, two for `drafts`, then each field as its length (2 bytes), its bytes and a NUL. Those that
 * become request headers come first; of the fields the two that po_session_bind() changes come last. */
#define AT_DRAFTS 1
#define AT_FIELDS 3
#define DRAFTS_MOST 0xffff
static const apr_size_t fields[] = {
    offsetof(po_session, site), offsetof(po_session, buyer), offsetof(po_session, user), offsetof(po_session, email),
    offsetof(po_session, operation), offsetof(po_session, csrf), offsetof(po_session, request),
    offsetof(po_session, user_name), offsetof(po_session, buyer_cookie), offsetof(po_session, return_url),
    offsetof(po_session, from_domain), offsetof(po_session, from_identity),
    offsetof(po_session, to_domain), offsetof(po_session, to_identity), offsetof(po_session, selected),
    offsetof(po_session, sign_on), offsetof(po_session, account), offsetof(po_session, account_email)
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))
#define FIELDS_KEPT (FIELDS - 2)        /* by po_session_bind() */
#define FIELD_FRAME 3                   /* length and NUL */

typedef struct {
    unsigned char bytes[PO_SESSION_DATA_MAX];
    apr_size_t len;
} packed;

static const char **field(po_session *s, unsigned i)
{
    return (const char **)(void *)((char *)s + fields[i]);
}

static apr_status_t pack(packed *out, const char *text)
{
    apr_size_t len = text ? strlen(text) : 0;
    unsigned char *o = out->bytes + out->len;

    if (len > sizeof(out->bytes) - FIELD_FRAME || out->len > sizeof(out->bytes) - FIELD_FRAME - len)
        return APR_EINVAL;
    o[0] = (unsigned char)(len >> 8);
    o[1] = (unsigned char)len;
    if (len)
        memcpy(o + 2, text, len);
    o[2 + len] = '\0';
    out->len += FIELD_FRAME + len;
    return APR_SUCCESS;
}

static void pack_drafts(packed *out, int drafts)
{
    int n = drafts > DRAFTS_MOST ? DRAFTS_MOST : drafts;

    out->bytes[AT_DRAFTS] = (unsigned char)(n >> 8);
    out->bytes[AT_DRAFTS + 1] = (unsigned char)n;
}

static apr_status_t pack_session(packed *out, po_session *s)
{
    apr_status_t rv = APR_SUCCESS;
    unsigned i;

    out->bytes[0] = s->test != 0;
    pack_drafts(out, s->drafts);
    out->len = AT_FIELDS;
    for (i = 0; i < FIELDS && rv == APR_SUCCESS; i++)
        rv = pack(out, *field(s, i));
    return rv;
}

/* The text of the field at *at, which moves behind it; NULL: these are not packed fields. */
static const char *unpack(const unsigned char *data, apr_size_t len, apr_size_t *at)
{
    const unsigned char *p = data + *at;
    apr_size_t n;

    if (len - *at < FIELD_FRAME)
        return NULL;
    n = (apr_size_t)p[0] << 8 | p[1];
    if (len - *at - FIELD_FRAME < n || p[2 + n])
        return NULL;
    *at += FIELD_FRAME + n;
    return (const char *)p + 2;
}

/* s points into the entry's data. */
static apr_status_t unpack_session(const po_table_entry *e, po_session *s)
{
    const unsigned char *data = e->data;
    apr_size_t at = AT_FIELDS;
    unsigned i;

    if (e->len < AT_FIELDS)
        return APR_EGENERAL;
    s->test = data[0];
    s->drafts = data[AT_DRAFTS] << 8 | data[AT_DRAFTS + 1];
    for (i = 0; i < FIELDS; i++)
        if (!(*field(s, i) = unpack(data, e->len, &at)))
            return APR_EGENERAL;
    memcpy(s->id, e->id, PO_TOKEN_TEXT);
    s->id[PO_TOKEN_TEXT] = '\0';
    s->created = apr_time_from_sec(e->created);
    return APR_SUCCESS;
}

/* ---- tokens --------------------------------------------------------------------------------------------------- */

static void key_of(po_crypto *c, const unsigned char raw[PO_TOKEN_BYTES], po_table_ref *ref)
{
    unsigned char digest[PO_DIGEST];

    po_sha256(c, raw, PO_TOKEN_BYTES, digest);
    ref->shard = (unsigned)raw[0] << 8 | raw[1];
    memcpy(ref->key.word, digest, sizeof(ref->key.word));
}

static int parse_token(po_crypto *c, const char *text, po_table_ref *ref)
{
    unsigned char raw[PO_TOKEN_BYTES];

    if (!text || strlen(text) != PO_TOKEN_TEXT || !po_base64url_decode(raw, text, PO_TOKEN_TEXT))
        return 0;
    key_of(c, raw, ref);
    return ref->shard < PO_TABLE_SHARDS;
}

/* A start token or a cookie; the two are alike, the session's state tells them apart. */
static apr_status_t make_token(po_crypto *c, unsigned shard, char text[PO_TOKEN_TEXT + 1], po_table_ref *ref)
{
    unsigned char raw[PO_TOKEN_BYTES];
    apr_status_t rv = po_random(c, raw + SHARD_BYTES, PO_TOKEN_BYTES - SHARD_BYTES);

    if (rv != APR_SUCCESS)
        return rv;
    raw[0] = (unsigned char)(shard >> 8);
    raw[1] = (unsigned char)shard;
    po_base64url(text, raw, PO_TOKEN_BYTES);
    text[PO_TOKEN_TEXT] = '\0';
    key_of(c, raw, ref);
    return APR_SUCCESS;
}

static apr_status_t random_text(po_crypto *c, char text[PO_TOKEN_TEXT + 1])
{
    unsigned char raw[PO_TOKEN_BYTES];
    apr_status_t rv = po_random(c, raw, sizeof(raw));

    if (rv == APR_SUCCESS)
        po_base64url(text, raw, sizeof(raw));
    text[rv == APR_SUCCESS ? PO_TOKEN_TEXT : 0] = '\0';
    return rv;
}

static uint32_t seconds(apr_time_t t)
{
    return (uint32_t)apr_time_sec(t);
}

/* ---- the interface -------------------------------------------------------------------------------------------- */

/* Each shard wants a token of its own. */
static apr_status_t insert_somewhere(po_sessions *t, po_crypto *c, const po_table_entry *e,
                                     char token[PO_TOKEN_TEXT + 1])
{
    apr_status_t rv = APR_ENOSPC;
    unsigned char shard;
    po_table_ref ref;
    int tries;

    for (tries = 0; tries < SHARDS_TRIED && rv == APR_ENOSPC; tries++) {
        rv = po_random(c, &shard, sizeof(shard));
        if (rv == APR_SUCCESS)
            rv = make_token(c, shard % PO_TABLE_SHARDS, token, &ref);
        if (rv == APR_SUCCESS)
            rv = po_table_insert(t, &ref, e, e->created);
    }
    if (rv == APR_ENOSPC)
        po_table_refused(t);
    return rv;
}

apr_status_t po_session_insert(po_sessions *t, po_crypto *c, po_session *s, apr_time_t now,
                               char token[PO_TOKEN_TEXT + 1])
{
    char csrf[PO_TOKEN_TEXT + 1];
    po_table_entry e;
    packed data;
    apr_status_t rv;

    token[0] = '\0';
    if ((rv = random_text(c, s->id)) != APR_SUCCESS || (rv = random_text(c, csrf)) != APR_SUCCESS)
        return rv;
    s->created = apr_time_from_sec(apr_time_sec(now));
    s->csrf = csrf;
    rv = pack_session(&data, s);
    s->csrf = NULL;                     /* it lies in the store now; start and find read it back */
    if (rv != APR_SUCCESS)
        return rv;
    memcpy(e.id, s->id, PO_TOKEN_TEXT);
    e.created = seconds(now);
    e.data = data.bytes;
    e.len = (uint32_t)data.len;
    e.yields = po_session_is_draft(s);
    rv = insert_somewhere(t, c, &e, token);
    if (rv != APR_SUCCESS)
        token[0] = '\0';
    return rv;
}

static void *room_in_pool(void *pool, apr_size_t len)
{
    return apr_palloc(pool, len);
}

static apr_status_t read_session(po_sessions *t, const po_table_ref *ref, apr_time_t now, po_session *s, apr_pool_t *p)
{
    po_table_entry e;
    apr_status_t rv = po_table_find(t, ref, seconds(now), &e, room_in_pool, p);

    return rv == APR_SUCCESS ? unpack_session(&e, s) : rv;
}

apr_status_t po_session_start(po_sessions *t, po_crypto *c, const char *token, apr_time_t now,
                              char cookie[PO_TOKEN_TEXT + 1], po_session *s, apr_pool_t *p)
{
    po_table_ref from, to;
    apr_status_t rv;

    cookie[0] = '\0';
    if (!parse_token(c, token, &from))
        return APR_NOTFOUND;
    rv = make_token(c, from.shard, cookie, &to);
    if (rv == APR_SUCCESS)
        rv = po_table_start(t, &from, &to.key, seconds(now));
    if (rv == APR_SUCCESS)
        rv = read_session(t, &to, now, s, p);
    if (rv != APR_SUCCESS)
        cookie[0] = '\0';
    return rv;
}

apr_status_t po_session_find(po_sessions *t, po_crypto *c, const char *cookie, apr_time_t now, po_session *s,
                             apr_pool_t *p)
{
    po_table_ref ref;

    return parse_token(c, cookie, &ref) ? read_session(t, &ref, now, s, p) : APR_NOTFOUND;
}

static void *room_in_packed(void *baton, apr_size_t len)
{
    packed *data = baton;

    data->len = len;
    return len <= sizeof(data->bytes) ? data->bytes : NULL;
}

/* An open session's data; *at is where its account begins. */
static apr_status_t read_packed(po_sessions *t, const po_table_ref *ref, apr_time_t now, packed *data, apr_size_t *at)
{
    po_table_entry e;
    apr_status_t rv = po_table_find(t, ref, seconds(now), &e, room_in_packed, data);
    unsigned i;

    if (rv != APR_SUCCESS)
        return rv;
    if (e.len < AT_FIELDS)
        return APR_EGENERAL;
    *at = AT_FIELDS;
    for (i = 0; i < FIELDS_KEPT; i++)
        if (!unpack(data->bytes, e.len, at))
            return APR_EGENERAL;
    return APR_SUCCESS;
}

/* Only here and below does a session's data change, and only its last two fields and the number of drafts: of two at
 * once either may win, nothing else can get lost. */
apr_status_t po_session_bind(po_sessions *t, po_crypto *c, const char *cookie, const char *account, const char *email,
                             int drafts, apr_time_t now)
{
    po_table_ref ref;
    packed data;
    apr_status_t rv;

    if (!parse_token(c, cookie, &ref))
        return APR_NOTFOUND;
    if ((rv = read_packed(t, &ref, now, &data, &data.len)) != APR_SUCCESS)
        return rv;
    pack_drafts(&data, drafts);
    if ((rv = pack(&data, account)) != APR_SUCCESS || (rv = pack(&data, email)) != APR_SUCCESS)
        return rv;
    return po_table_replace(t, &ref, data.bytes, (uint32_t)data.len, seconds(now));
}

apr_status_t po_session_recount(po_sessions *t, po_crypto *c, const char *cookie, const char *account, int drafts,
                                apr_time_t now)
{
    apr_size_t at;
    po_table_ref ref;
    packed data;
    const char *bound;
    apr_status_t rv;

    if (!parse_token(c, cookie, &ref))
        return APR_NOTFOUND;
    if ((rv = read_packed(t, &ref, now, &data, &at)) != APR_SUCCESS)
        return rv;
    if (!(bound = unpack(data.bytes, data.len, &at)))
        return APR_EGENERAL;
    if (strcmp(bound, account))
        return APR_NOTFOUND;
    pack_drafts(&data, drafts);
    return po_table_replace(t, &ref, data.bytes, (uint32_t)data.len, seconds(now));
}

apr_status_t po_session_remove(po_sessions *t, po_crypto *c, const char *cookie)
{
    po_table_ref ref;

    return parse_token(c, cookie, &ref) ? po_table_remove(t, &ref) : APR_NOTFOUND;
}

int po_session_is_draft(const po_session *s)
{
    return s->operation && !strcmp(s->operation, PO_OPERATION_DRAFT);
}
