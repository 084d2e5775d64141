/* explain.c - "punchoutctl explain": a captured request on its way through the same functions as in the server. */
#include "tools.h"

#include "apr_file_info.h"
#include "apr_getopt.h"
#include "apr_uri.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LIMIT_DEFAULT (4 * 1024 * 1024)         /* of a document, where LimitXMLRequestBody is not set */
#define STANDARD_INPUT "/dev/stdin"
#define FILE_MAX (64 * 1024 * 1024)
#define DECLARATION_MAX 256
#define HEAD_MAX 2048                           /* DOCTYPE and the start tag of cXML are looked for in that much */

static const char usage[] =
    "usage: punchoutctl explain [--config DUMP.json|-] [--site URL] [--now TIMESTAMP] FILE\n";

static const char help[] =
    "\n"
    "Reads a captured request and says step by step what mod_punchout would do with it, and why. Nothing is written,\n"
    "and secrets are shown as ********.\n"
    "\n"
    "  FILE              a cXML document, or a whole HTTP request with its headers; - is standard input\n"
    "  --config FILE     what \"httpd -t -D DUMP_PUNCHOUT\" printed; - is standard input. Without it that command is\n"
    "                    run: $PUNCHOUT_HTTPD_COMMAND (default: apachectl) with -t -D DUMP_PUNCHOUT\n"
    "  --site URL        PunchOutPublicURL of the site, where there are several and no Host header says which\n"
    "  --now TIMESTAMP   as if it were that time, e.g. 2026-11-23T10:15:00+00:00\n"
    "\n"
    "Exit status: 0 the request would be accepted, 1 it would be refused, 2 usage, or something can't be read.\n";

static const apr_getopt_option_t options[] = {
    { "config", 'c', 1, NULL }, { "site", 's', 1, NULL }, { "now", 'n', 1, NULL }, { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};

typedef struct {
    const char *config, *site, *file;
    apr_time_t now;
} arguments;

/* ---- reading files ---------------------------------------------------------------------------------------------- */

/* All of a stream, with a NUL behind it; NULL: it can't be read, or it is longer than FILE_MAX. */
static char *read_stream(FILE *f, apr_size_t *len, apr_pool_t *p)
{
    apr_size_t room = 65536, n;
    char *data = apr_palloc(p, room + 1), *bigger;

    *len = 0;
    while ((n = fread(data + *len, 1, room - *len, f)) > 0) {
        *len += n;
        if (*len < room)
            continue;
        if (room >= FILE_MAX)
            return NULL;
        bigger = apr_palloc(p, 2 * room + 1);
        memcpy(bigger, data, *len);
        data = bigger;
        room *= 2;
    }
    data[*len] = '\0';
    return ferror(f) ? NULL : data;
}

static char *read_named(const char *name, apr_size_t *len, apr_pool_t *p)
{
    FILE *f = fopen(name, "rb");
    char *data = f ? read_stream(f, len, p) : NULL;

    if (!data)
        po_trouble("%s can't be read (%s)", name, f && !errno ? "too long" : strerror(errno));
    if (f)
        fclose(f);
    return data;
}

/* What httpd prints. */
static char *read_command(apr_size_t *len, apr_pool_t *p)
{
    const char *program = getenv("PUNCHOUT_HTTPD_COMMAND");
    const char *command = apr_pstrcat(p, program && *program ? program : "apachectl", " -t -D DUMP_PUNCHOUT", NULL);
    FILE *f = popen(apr_pstrcat(p, command, " 2>/dev/null", NULL), "r");
    char *data = f ? read_stream(f, len, p) : NULL;

    if (!f || pclose(f) || !data || !*len) {
        po_trouble("\"%s\" printed no configuration; run it to see why, or use --config", command);
        return NULL;
    }
    return data;
}

int po_config_read(const char *file, po_crypto *c, po_dump *dump, apr_pool_t *p)
{
    apr_size_t len;
    const char *wrong, *name = file ? file : "what httpd printed";
    char *text = file ? read_named(file, &len, p) : read_command(&len, p);

    if (!text)
        return 0;
    wrong = po_dump_read(dump, text, len, c, p);
    if (wrong)
        po_trouble("%s: %s", name, wrong);
    return !wrong;
}

/* ---- which site, which ledger ----------------------------------------------------------------------------------- */

static int is_host_of(const po_site *s, const char *host, apr_pool_t *p)
{
    apr_uri_t uri;

    return host && apr_uri_parse(p, s->public_url, &uri) == APR_SUCCESS && uri.hostinfo
           && !strcasecmp(uri.hostinfo, host);
}

const po_site *po_config_site(const char *url, const po_dump *dump, const char *host, apr_pool_t *p)
{
    const apr_array_header_t *all = dump->sites;
    const char *names = "";
    int i;

    for (i = 0; i < all->nelts; i++) {
        const po_site *s = APR_ARRAY_IDX(all, i, po_site *);

        if (url ? !strcasecmp(url, s->public_url) : all->nelts == 1 || is_host_of(s, host, p))
            return s;
        names = apr_pstrcat(p, names, i ? ", " : "", s->public_url, NULL);
    }
    po_trouble(url ? "there is no site %s; the configuration has %s" : "say which site with --site%s: %s",
               url ? url : "", names);
    return NULL;
}

void po_be_owner_of(const char *file, apr_pool_t *p)
{
    apr_finfo_t info;

    if (geteuid() != 0 || apr_stat(&info, file, APR_FINFO_OWNER, p) != APR_SUCCESS)
        return;
    if (setegid(info.group) || seteuid(info.user))
        po_trouble("can't become the owner of %s (%s)", file, strerror(errno));
}

static void open_ledger(po_explanation *x)
{
    const char *path = x->dump->ledger;
    apr_finfo_t info;

    if (!path)
        po_say("ledger", "the configuration names none: nothing is known of earlier requests and orders");
    else if (apr_stat(&info, path, APR_FINFO_TYPE, x->pool) != APR_SUCCESS)
        po_say("ledger", "%s is not there or can't be reached: nothing is known of earlier requests and orders", path);
    else {
        po_be_owner_of(path, x->pool);
        if (po_ledger_reader(&x->ledger, path, x->pool) == APR_SUCCESS)
            po_say("ledger", "%s, read only", path);
        else
            po_say("ledger", "%s can't be opened: nothing is known of earlier requests and orders", path);
    }
}

/* ---- the envelope ----------------------------------------------------------------------------------------------- */

static void refuse(po_explanation *x, int status, const char *detail)
{
    x->status = status;
    x->detail = detail;
}

/* What lies between before and the next of the stop characters in the tag that start begins, within the first HEAD_MAX bytes;
 * NULL: nothing. A quote that nobody closes must not show what stands behind the tag. */
static const char *between(const po_explanation *x, const char *start, const char *before, const char *stop)
{
    const po_captured *c = &x->captured;
    const char *head = apr_pstrmemdup(x->pool, c->body, c->len < HEAD_MAX ? c->len : HEAD_MAX);
    const char *tag = strstr(head, start), *end = tag ? strchr(tag, '>') : NULL, *s = tag ? strstr(tag, before) : NULL;

    if (!s || !end || s > end)
        return NULL;
    s += strlen(before);
    return s + strcspn(s, stop) <= end ? apr_pstrmemdup(x->pool, s, strcspn(s, stop)) : NULL;
}

static const char *encoding(const po_explanation *x)
{
    const char *b = x->captured.body, *declared = between(x, "<?xml", "encoding=\"", "\"");

    if (!declared)
        declared = between(x, "<?xml", "encoding='", "'");
    if (!strncmp(b, "\xef\xbb\xbf", 3))
        return "UTF-8 with a byte order mark";
    if (!strncmp(b, "\xff\xfe", 2) || !strncmp(b, "\xfe\xff", 2))
        return "UTF-16 with a byte order mark";
    return declared ? apr_pstrcat(x->pool, declared, " by its XML declaration", NULL) : "no encoding declared";
}

static void say_captured(const po_explanation *x)
{
    const po_captured *c = &x->captured;

    if (c->method)
        po_say("request", "%s %s%s%s", c->method, po_shown_url(c->path, x->pool), c->host ? " at " : "", c->host ? c->host : "");
    po_say("document", "%" APR_SIZE_T_FMT " bytes, %s", c->len, encoding(x));
    if (c->content_type)
        po_say("", "Content-Type %s", c->content_type);
}

/* A body in parts becomes the document in it. */
static void find_document(po_explanation *x)
{
    po_captured *c = &x->captured;
    const char *wrong;
    po_mime parts;
    int i;

    if ((wrong = po_mime_read(&parts, c->content_type, c->body, c->len, x->pool))) {
        refuse(x, 400, wrong);
        return;
    }
    c->body = parts.document;
    c->len = parts.len;
    c->charset = parts.charset;
    po_say("parts", "the document of %" APR_SIZE_T_FMT " bytes, %s, and %d attachment%s (not kept)", c->len,
           encoding(x), parts.attachments->nelts, parts.attachments->nelts == 1 ? "" : "s");
    for (i = 0; i < parts.attachments->nelts; i++) {
        const po_mime_part *part = &APR_ARRAY_IDX(parts.attachments, i, po_mime_part);

        po_say("", "%s, %s, %" APR_SIZE_T_FMT " bytes", part->content_id ? part->content_id : "(no Content-ID)",
               part->content_type ? part->content_type : "(no Content-Type)", part->length);
    }
}

/* What the server refuses before it reads the document. 0: refused. */
static int explain_request(po_explanation *x)
{
    const po_captured *c = &x->captured;

    if (c->method && strcasecmp(c->method, "POST")) {
        refuse(x, 400, "cXML documents are taken by POST only");
        x->http = 405;
    }
    else if (c->len > LIMIT_DEFAULT) {
        po_say("size", "over the limit of %d bytes, unless LimitXMLRequestBody sets a higher one", LIMIT_DEFAULT);
        refuse(x, 400, "The document is larger than this server takes");
    }
    else if (x->site->fault)
        refuse(x, 560, "This server is being maintained");
    else if (po_mime_is_multipart(c->content_type))
        find_document(x);
    return !x->status;
}

static void say_age(const po_explanation *x)
{
    apr_time_t written;
    apr_int64_t s;

    if (!x->doc.timestamp || po_timestamp_parse(x->doc.timestamp, &written) != APR_SUCCESS)
        return;
    s = apr_time_sec(x->now - written);
    if (s > 86400 || s < -86400)
        po_say("", "%d days %s now", (int)((s < 0 ? -s : s) / 86400), s < 0 ? "after" : "before");
    else if (s < -300)
        po_say("", "%d minutes after now: a clock is wrong", (int)(-s / 60));
}

static void say_envelope(const po_explanation *x)
{
    const po_cxml *d = &x->doc;
    const char *dtd = between(x, "<!DOCTYPE", "cXML/", "/\"'>"), *version = between(x, "<cXML", " version=\"", "\"");
    const char *odd = po_timestamp_odd(d->timestamp);

    po_say("DOCTYPE", "%s", dtd ? dtd : "none, or none of the usual form (accepted)");
    if (version)
        po_say("cXML version", "%s%s", version,
               dtd && strcmp(dtd, version) ? ", not that of the DOCTYPE (accepted)" : "");
    po_say("payloadID", "%s", d->payload_id && *d->payload_id ? d->payload_id : "none");
    po_say("timestamp", "%s%s%s%s", d->timestamp ? d->timestamp : "none", odd ? " (" : "", odd ? odd : "",
           odd ? "; accepted)" : "");
    say_age(x);
}

/* ---- the document ----------------------------------------------------------------------------------------------- */

void po_explain_mode(const po_explanation *x)
{
    int buyer = x->match.buyer->deployment == PO_DEPLOYMENT_TEST;

    if (x->doc.test)
        po_say("mode", "test: the document says deploymentMode=\"test\"%s",
               buyer ? ", and so does PunchOutDeployment" : "");
    else
        po_say("mode", buyer ? "test: PunchOutDeployment of the buyer is test" : "production");
}

static void dispatch(po_explanation *x)
{
    po_say("request is", "%s", x->doc.request ? x->doc.request : "nothing that is known");
    switch (x->doc.kind) {
    case PO_CXML_PROFILE:
        x->status = 200;
        break;
    case PO_CXML_SETUP:
        po_explain_setup(x);
        break;
    case PO_CXML_ORDER:
        po_explain_order(x);
        break;
    case PO_CXML_STATUS_UPDATE:
        po_say("about", "%s: %s %s", x->doc.status_update->refers_to ? x->doc.status_update->refers_to : "-",
               x->doc.status_update->code ? x->doc.status_update->code : "-",
               x->doc.status_update->text ? x->doc.status_update->text : "");
        x->status = 200;
        break;
    default:
        refuse(x, 450, apr_pstrcat(x->pool, x->doc.request ? x->doc.request : "This request", " is not supported; "
                                   "see the answer to a ProfileRequest for what is", NULL));
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void say_ignored(apr_hash_t *names, apr_pool_t *p)
{
    unsigned n = apr_hash_count(names), i = 0;
    const char **sorted = apr_palloc(p, sizeof(*sorted) * (n + 1));
    apr_hash_index_t *at;
    po_buffer text;

    for (at = apr_hash_first(p, names); at; at = apr_hash_next(at))
        sorted[i++] = apr_hash_this_key(at);
    qsort(sorted, n, sizeof(*sorted), by_name);
    po_buffer_init(&text, p, 1024);
    for (i = 0; i < n; i++)
        po_buffer_str(&text, apr_psprintf(p, "%s%s (%d)", i ? ", " : "", sorted[i],
                                          *(int *)apr_hash_get(names, sorted[i], APR_HASH_KEY_STRING)));
    po_say("ignored", "%s", n ? po_buffer_text(&text) : "no element");
}

static void read_document(po_explanation *x, po_cxml_reader *reader)
{
    apr_hash_t *ignored = apr_hash_make(x->pool);
    apr_status_t rv;

    po_cxml_reader_note_ignored(reader, ignored);
    rv = po_cxml_read(reader, x->pool, x->captured.body, x->captured.len, x->captured.charset, &x->doc);
    po_cxml_reader_note_ignored(reader, NULL);
    say_envelope(x);
    if (rv != APR_SUCCESS || !po_cxml_is_request(&x->doc)) {
        po_say("reading", "ends: %s", x->doc.why);
        refuse(x, x->doc.status, x->doc.why);
        return;
    }
    po_explain_party(x);
    if (!x->status)
        dispatch(x);
    say_ignored(ignored, x->pool);
}

static int answer(po_explanation *x)
{
    if (!x->http)
        x->http = x->status < 500 ? 200 : x->match.buyer ? x->match.buyer->profile.transient_http : 503;
    po_say("answer", "Status %d %s, HTTP %d", x->status, po_cxml_status_text(x->status), x->http);
    if (x->detail)
        po_say("", "%s", x->detail);
    return x->status >= 200 && x->status < 300 ? PO_EXIT_YES : PO_EXIT_NO;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

/* apr_getopt takes a bare - for a mistake. */
static const char *const *name_standard_input(int argc, const char *const *argv, apr_pool_t *p)
{
    const char **named = apr_pmemdup(p, argv, sizeof(*named) * (apr_size_t)(argc + 1));
    int i;

    for (i = 1; i < argc; i++)
        if (!strcmp(named[i], "-"))
            named[i] = STANDARD_INPUT;
    return named;
}

/* PO_EXIT_YES: go on. */
static int read_arguments(arguments *a, int argc, const char *const *argv, int *helped, apr_pool_t *p)
{
    apr_getopt_t *opt;
    const char *value;
    apr_status_t rv;
    int which;

    apr_getopt_init(&opt, p, argc, name_standard_input(argc, argv, p));
    opt->interleave = 1;
    opt->errfn = NULL;
    while ((rv = apr_getopt_long(opt, options, &which, &value)) == APR_SUCCESS)
        if (which == 'h')
            *helped = 1;
        else if (which == 'c')
            a->config = value;
        else if (which == 's')
            a->site = value;
        else if (po_timestamp_parse(value, &a->now) != APR_SUCCESS)
            return po_trouble("--now %s is not a time like 2026-11-23T10:15:00+00:00", value);
    if (*helped)
        return PO_EXIT_YES;
    if (rv != APR_EOF || opt->ind != argc - 1) {
        fputs(usage, stderr);
        return po_trouble("see punchoutctl explain --help");
    }
    a->file = opt->argv[opt->ind];
    if (a->config && !strcmp(a->config, STANDARD_INPUT) && !strcmp(a->file, STANDARD_INPUT))
        return po_trouble("only one of the two can come from standard input");
    return PO_EXIT_YES;
}

static int explain(const arguments *a, po_crypto *c, po_cxml_reader *reader, apr_pool_t *p)
{
    po_explanation x = { p, a->now };
    po_dump dump;
    apr_size_t len;
    const char *wrong;
    char *bytes;

    x.crypto = c;
    x.dump = &dump;
    if (!(bytes = read_named(a->file, &len, p)))
        return PO_EXIT_TROUBLE;
    if ((wrong = po_captured_read(&x.captured, bytes, len, p)))
        return po_trouble("%s: %s", a->file, wrong);
    if (!po_config_read(a->config, c, &dump, p))
        return PO_EXIT_TROUBLE;
    if (!(x.site = po_config_site(a->site, &dump, x.captured.host, p)))
        return PO_EXIT_TROUBLE;
    po_say("site", "%s", x.site->public_url);
    open_ledger(&x);
    say_captured(&x);
    if (explain_request(&x))
        read_document(&x, reader);
    return answer(&x);
}

int po_explain_command(int argc, const char *const *argv, apr_pool_t *p)
{
    arguments a = { NULL, NULL, NULL, apr_time_now() };
    po_crypto *c = po_crypto_create();
    po_cxml_reader *reader = po_cxml_reader_create();
    int helped = 0, rc = read_arguments(&a, argc, argv, &helped, p);

    if (helped) {
        fputs(usage, stdout);
        fputs(help, stdout);
    }
    else if (rc == PO_EXIT_YES)
        rc = c && reader ? explain(&a, c, reader, p) : po_trouble("out of memory");
    po_cxml_reader_destroy(reader);
    po_crypto_destroy(c);
    return rc;
}
