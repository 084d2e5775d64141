/* directives.c - the directive table, and the directives of the process and of a site.
 *
 * All of them take raw arguments: httpd's own check of their number would return an error, and an error while the files
 * are read again ends a running server.
 */
#include "config/config_private.h"

#include "apr_file_io.h"
#include "apr_lib.h"
#include <string.h>

APLOG_USE_MODULE(punchout);

#define CERTIFICATES_MAX (1024 * 1024)          /* what is looked at of a file of certificates */

po_server_config *po_server_config_get(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &punchout_module);
}

/* ---- recording ------------------------------------------------------------------------------------------------ */

void po_wrong(po_reading *x, const char *text)
{
    const char **fault = x->buyer ? &x->buyer->fault : x->hub ? &x->hub->fault : &x->config->fault;

    po_report(APLOG_ERR, x->at, x->shown, text);
    text = apr_pstrcat(x->pool, x->at->directive, ": ", strchr(text, ' ') + 1, NULL);
    if (!x->buyer && !x->hub && (x->directive->where & PO_IN_PROCESS))
        po_report_process(text);
    else if (!*fault)
        *fault = text;
}

void po_not_carried_out(po_reading *x, const char *text)
{
    po_report(APLOG_NOTICE, x->at, x->shown,
              apr_pstrcat(x->pool, text, " is accepted but not carried out in this version", NULL));
}

void po_keep(po_reading *x, po_setting *to, const char *text, apr_int64_t number)
{
    to->text = text;
    to->number = number;
    to->at = x->at;
}

/* ---- the process ---------------------------------------------------------------------------------------------- */

static void read_session_store(po_reading *x)
{
    apr_size_t size;
    const char *wrong = po_size_parse(&size, x->argv[1]);

    if (strcasecmp(x->argv[0], "shm"))
        wrong = "the store must be shm; write e.g. shm 64M";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0001: ", wrong, NULL));
        return;
    }
    if (x->argc == 3 && strcasecmp(x->argv[2], "shared"))
        po_wrong(x, "PO0002: the third word can only be shared");
    else if (x->argc == 3)
        po_not_carried_out(x, "PO0003: shared (one store for several machines)");
    po_keep(x, &x->config->session_store, NULL, (apr_int64_t)size);
}

static void read_session_timeout(po_reading *x)
{
    apr_interval_time_t idle, total;
    const char *wrong = po_duration_parse(&idle, x->argv[0]);

    if (!wrong)
        wrong = po_duration_parse(&total, x->argv[1]);
    if (!wrong && total < idle)
        wrong = "the total time (second) must not be shorter than the idle time (first); write e.g. 30m 8h";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0004: ", wrong, NULL));
        return;
    }
    po_keep(x, &x->config->session_idle, NULL, idle);
    po_keep(x, &x->config->session_total, NULL, total);
}

static void read_start_timeout(po_reading *x)
{
    apr_interval_time_t life;
    const char *wrong = po_duration_parse(&life, x->argv[0]);

    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0005: ", wrong, NULL));
    else
        po_keep(x, &x->config->start_life, NULL, life);
}

static void read_state_dir(po_reading *x)
{
    const char *dir = ap_server_root_relative(x->pool, x->argv[0]);

    if (!*x->argv[0] || !dir)
        po_wrong(x, "PO0006: write the path of a directory, e.g. /var/lib/punchout");
    else
        po_keep(x, &x->config->state_dir, dir, 0);
}

static void read_ledger(po_reading *x)
{
    const char *value = x->argv[0];

    if (!strncasecmp(value, "pgsql:", 6))
        po_wrong(x, "PO0007: this build has no PostgreSQL; use sqlite:FILE");
    else if (strncasecmp(value, "sqlite:", 7) || !value[7])
        po_wrong(x, "PO0008: write sqlite:FILE, e.g. sqlite:ledger.db (relative to PunchOutStateDir)");
    else
        po_keep(x, &x->config->ledger, value + 7, 0);
}

static const char *delivery_word(po_reading *x, const char *key, const char *value)
{
    apr_interval_time_t time = 0;
    char *end;
    apr_int64_t n;

    if (!strcasecmp(key, "concurrency")) {
        n = apr_strtoi64(value, &end, 10);
        if (!*value || *end || n < 1 || n > 64)
            return "concurrency must be a number of threads from 1 to 64";
        po_keep(x, &x->config->concurrency, NULL, n);
        return NULL;
    }
    if (strcasecmp(key, "first") && strcasecmp(key, "longest") && strcasecmp(key, "for"))
        return "the words are first=, longest=, for= and concurrency=";
    if (po_duration_parse(&time, value))
        return apr_psprintf(x->pool, "%s= must be a duration like 1s, 10m or 7d", key);
    po_keep(x, !strcasecmp(key, "first") ? &x->config->retry_first
               : !strcasecmp(key, "longest") ? &x->config->retry_longest : &x->config->retry_for, NULL, time);
    return NULL;
}

static void read_delivery(po_reading *x)
{
    const char *wrong = NULL;
    int i;

    for (i = 0; i < x->argc && !wrong; i++) {
        char *value = strchr(x->argv[i], '=');

        if (value)
            *value++ = '\0';
        wrong = value ? delivery_word(x, x->argv[i], value)
                      : "write words of the form first=1s longest=10m for=7d concurrency=8";
    }
    if (!wrong && x->config->retry_first.at && x->config->retry_longest.at
        && x->config->retry_longest.number < x->config->retry_first.number)
        wrong = "longest= must not be shorter than first=";
    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0009: ", wrong, NULL));
}

/* ---- a site --------------------------------------------------------------------------------------------------- */

static void read_public_url(po_reading *x)
{
    apr_uri_t uri;
    const char *wrong = po_url_parse(&uri, x->argv[0], "https http", x->pool);
    char *url = apr_pstrdup(x->pool, x->argv[0]);

    if (!wrong && (uri.user || uri.password || uri.query || (uri.path && strcmp(uri.path, "/"))))
        wrong = "write scheme and host alone, e.g. https://market.example";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0010: ", wrong, NULL));
        return;
    }
    if (uri.path)
        url[strlen(url) - 1] = '\0';
    po_keep(x, &x->config->public_url, url, !strcasecmp(uri.scheme, "https"));
}

static void read_identity(po_reading *x)
{
    po_credential *c;

    if (!*x->argv[0] || !*x->argv[1]) {
        po_wrong(x, "PO0011: neither domain nor identity may be empty; write e.g. DUNS 111111111");
        return;
    }
    c = apr_array_push(x->config->identities);
    c->domain = x->argv[0];
    c->identity = x->argv[1];
}

static void read_catalog(po_reading *x)
{
    const char *file = ap_server_root_relative(x->pool, x->argv[0]);

    if (!*x->argv[0] || !file)
        po_wrong(x, "PO0012: write the path of the catalog, e.g. conf/catalog.json");
    else
        po_keep(x, &x->config->catalog, file, 0);
}

/* A path of this host: anything else would lead shoppers, with their session, to a stranger. */
static const char *page_wrong(const char *path)
{
    const unsigned char *s = (const unsigned char *)path;

    if (path[0] != '/' || path[1] == '/')
        return "write a path of this host that begins with one /";
    for (; *s; s++)
        if (*s <= ' ' || *s >= 127 || strchr("\\\"<>", *s))
            return "percent-encode blanks, backslashes, quotes and foreign characters";
    return NULL;
}

static void read_start_page(po_reading *x)
{
    const char *wrong = page_wrong(x->argv[0]);

    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0013: ", wrong, ", e.g. /", NULL));
    else
        po_keep(x, &x->config->start_page, x->argv[0], 0);
}

static void read_product_page(po_reading *x)
{
    const char *wrong = page_wrong(x->argv[0]);

    if (!wrong && !strstr(x->argv[0], "{product}"))
        wrong = "the path must hold {product} where the product's id goes";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0014: ", wrong, ", e.g. /products/{product}", NULL));
        return;
    }
    po_keep(x, &x->config->product_page, x->argv[0], 0);
}

static void read_target(po_reading *x, po_setting *to)
{
    apr_uri_t uri;
    const char *wrong = po_url_parse(&uri, x->argv[0], "http https balancer", x->pool);

    if (!wrong && (uri.user || uri.password))
        wrong = "leave user name and password out; set a RequestHeader in the <Proxy> section instead";
    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0016: ", wrong, ", e.g. http://backend:8080/subscriptions", NULL));
    else
        po_keep(x, to, x->argv[0], 0);
}

static void read_fulfillment(po_reading *x)
{
    read_target(x, &x->config->fulfillment);
}

static void read_fulfillment_test(po_reading *x)
{
    read_target(x, &x->config->fulfillment_test);
}

static void read_backend_secret(po_reading *x)
{
    po_keep(x, &x->config->backend_secret, x->argv[0], 0);
}

static void read_mail(po_reading *x)
{
    apr_uri_t uri;
    const char *wrong = po_url_parse(&uri, x->argv[0], "smtp smtps", x->pool);
    const char *at = strchr(x->argv[1], '@');

    if (!wrong && uri.path && strcmp(uri.path, "/"))
        wrong = "leave the path out of the mail server's URL";
    if (!wrong && (!at || at == x->argv[1] || !at[1] || strpbrk(x->argv[1], " \t\r\n<>\",;") || strchr(at + 1, '@')))
        wrong = "the second word must be the sender's bare address";
    if (wrong) {
        po_wrong(x, apr_pstrcat(x->pool, "PO0018: ", wrong, ", e.g. smtp://127.0.0.1:25 marketplace@example.com",
                                NULL));
        return;
    }
    po_keep(x, &x->config->mail_url, x->argv[0], 0);
    po_keep(x, &x->config->mail_from, x->argv[1], 0);
}

static void read_mail_templates(po_reading *x)
{
    const char *dir = ap_server_root_relative(x->pool, x->argv[0]);
    apr_finfo_t info;

    if (!dir || apr_stat(&info, dir, APR_FINFO_TYPE, x->pool) != APR_SUCCESS || info.filetype != APR_DIR)
        po_wrong(x, "PO0098: this is no directory that can be opened; write the one that holds your copies of "
                 "conf/mail/*.txt and *.html");
    else
        po_keep(x, &x->config->mail_templates, dir, 0);
}

static void read_ca_file(po_reading *x)
{
    const char *file = ap_server_root_relative(x->pool, x->argv[0]);
    char *text = apr_pcalloc(x->pool, CERTIFICATES_MAX + 1);
    apr_size_t len = CERTIFICATES_MAX;
    apr_file_t *f = NULL;
    apr_status_t rv = file ? apr_file_open(&f, file, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, x->pool) : APR_EINVAL;

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(f, text, len, &len);
        apr_file_close(f);
    }
    if ((rv != APR_SUCCESS && rv != APR_EOF) || !strstr(text, "-----BEGIN "))
        po_wrong(x, "PO0355: this is no file of certificates in PEM that can be read; write that of the authority "
                 "which your buyers' servers have theirs from");
    else
        po_keep(x, &x->config->ca_file, file, 0);
}

static void read_request_timeout(po_reading *x)
{
    apr_interval_time_t time;
    const char *wrong = po_duration_parse(&time, x->argv[0]);

    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0019: ", wrong, NULL));
    else
        po_keep(x, &x->config->request_timeout, NULL, time);
}

static void read_usage_budget(po_reading *x)
{
    po_decimal d;

    if (po_decimal_parse(&d, x->argv[0], -1) != APR_SUCCESS || d.value <= 0)
        po_wrong(x, "PO0020: write an amount greater than zero in plain digits, e.g. 500.00");
    else
        po_keep(x, &x->config->usage_budget, x->argv[0], 0);
}

static void read_account(po_reading *x)
{
    int required = !strcasecmp(x->argv[0], "required");

    if (!required && strcasecmp(x->argv[0], "optional"))
        po_wrong(x, "PO0021: write required or optional");
    else
        po_keep(x, &x->config->account, NULL, required);
}

static void read_activate(po_reading *x)
{
    int each = !strcasecmp(x->argv[0], "each");

    if (!each && strcasecmp(x->argv[0], "all")) {
        po_wrong(x, "PO0022: write all or each");
        return;
    }
    po_keep(x, x->buyer ? &x->buyer->activate : &x->config->activate, NULL, each ? PO_ACTIVATE_EACH : PO_ACTIVATE_ALL);
}

static void read_lines(po_reading *x)
{
    static const char *const words[] = { "classic", "single", "split" };        /* in the order of po_lines */
    int i;

    for (i = 0; i < 3; i++)
        if (!strcasecmp(x->argv[0], words[i])) {
            po_keep(x, x->buyer ? &x->buyer->lines : &x->config->lines, NULL, i);
            return;
        }
    po_wrong(x, "PO0099: write classic, single or split");
}

static void read_validate(po_reading *x)
{
    const char *dir = ap_server_root_relative(x->pool, x->argv[0]);
    int refuse = !strcasecmp(x->argv[1], "refuse");

    if (!*x->argv[0] || !dir || (!refuse && strcasecmp(x->argv[1], "log")))
        po_wrong(x, "PO0090: write the folder of the DTDs and log or refuse, e.g. conf/dtd log");
    else
        po_keep(x, &x->config->validate, dir, refuse);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

#define PROCESS PO_IN_PROCESS
#define SITE PO_IN_SITE
#define BUYER PO_IN_BUYER
#define HUB PO_IN_HUB

/* name, where, arguments at least and at most (0: any number), function, arguments as the manual writes them.
 * t/check-directives.pl reads the names here and compares them with docs/directives.md and conf/punchout.conf. */
#define DIRECTIVES(X) \
    X("PunchOutSessionStore", PROCESS, 2, 3, read_session_store, "shm SIZE [shared]") \
    X("PunchOutSessionTimeout", PROCESS, 2, 2, read_session_timeout, "IDLE TOTAL") \
    X("PunchOutStartTimeout", PROCESS, 1, 1, read_start_timeout, "DURATION") \
    X("PunchOutStateDir", PROCESS, 1, 1, read_state_dir, "DIRECTORY") \
    X("PunchOutLedger", PROCESS, 1, 1, read_ledger, "sqlite:FILE") \
    X("PunchOutDelivery", PROCESS, 1, 4, read_delivery, \
      "[first=DURATION] [longest=DURATION] [for=DURATION] [concurrency=N]") \
    X("PunchOutPublicURL", SITE, 1, 1, read_public_url, "URL") \
    X("PunchOutIdentity", SITE, 2, 2, read_identity, "DOMAIN IDENTITY") \
    X("PunchOutCatalog", SITE, 1, 1, read_catalog, "FILE") \
    X("PunchOutStartPage", SITE, 1, 1, read_start_page, "PATH") \
    X("PunchOutProductPage", SITE, 1, 1, read_product_page, "PATH") \
    X("PunchOutFulfillment", SITE, 1, 1, read_fulfillment, "URL") \
    X("PunchOutFulfillmentTest", SITE, 1, 1, read_fulfillment_test, "URL") \
    X("PunchOutBackendSecret", SITE | PO_SECRET_VALUE, 1, 1, read_backend_secret, "file:PATH|exec:COMMAND|SECRET") \
    X("PunchOutMail", SITE, 2, 2, read_mail, "smtp[s]://[USER:PASSWORD@]HOST[:PORT] FROM-ADDRESS") \
    X("PunchOutCACertificateFile", SITE, 1, 1, read_ca_file, "FILE") \
    X("PunchOutMailTemplates", SITE, 1, 1, read_mail_templates, "DIRECTORY") \
    X("PunchOutRequestTimeout", SITE, 1, 1, read_request_timeout, "DURATION") \
    X("PunchOutUsageBudget", SITE, 1, 1, read_usage_budget, "AMOUNT") \
    X("PunchOutAccount", SITE, 1, 1, read_account, "required|optional") \
    X("PunchOutActivate", SITE | BUYER, 1, 1, read_activate, "all|each") \
    X("PunchOutLines", SITE | BUYER, 1, 1, read_lines, "classic|single|split") \
    X("PunchOutValidate", SITE, 2, 2, read_validate, "DIRECTORY log|refuse") \
    X("PunchOutSignOnHosts", SITE, 1, 0, po_read_sign_on_hosts, "[http://|https://]HOST[:PORT|:*] ...") \
    X("PunchOutOpenBuyToken", SITE, 1, 2, po_read_openbuy_token, "DURATION [once|reuse]") \
    X("<PunchOutHub", SITE, 1, 1, po_read_hub, "NAME> ... </PunchOutHub>") \
    X("<PunchOutBuyer", SITE, 1, 1, po_read_buyer, "NAME> ... </PunchOutBuyer>") \
    X("PunchOutSender", BUYER | HUB, 2, 2, po_read_sender, "DOMAIN IDENTITY") \
    X("PunchOutSharedSecret", BUYER | HUB | PO_SECRET_VALUE, 1, 3, po_read_secret, \
      "file:PATH|exec:COMMAND|SECRET [from=TIMESTAMP] [until=TIMESTAMP]") \
    X("PunchOutClientCertificate", BUYER | HUB, 1, 1, po_read_certificate, "DISTINGUISHED-NAME|sha256:HEX") \
    X("PunchOutAuthentication", BUYER | HUB, 1, 1, po_read_authentication, "any|secret|certificate|both") \
    X("PunchOutPost", BUYER | HUB, 2, 3, po_read_post, "URL confirmation|invoice [confirmation|invoice]") \
    X("PunchOutPostSecret", BUYER | HUB | PO_SECRET_VALUE, 1, 1, po_read_post_secret, "file:PATH|exec:COMMAND|SECRET") \
    X("PunchOutProfile", BUYER, 1, 1, po_read_profile, "generic|coupa|ariba|jaggaer|oracle|workday|d365") \
    X("PunchOutOrganization", BUYER, 1, 1, po_read_organization, "NAME") \
    X("PunchOutCredential", BUYER, 2, 2, po_read_credential, "DOMAIN IDENTITY") \
    X("PunchOutSupplier", BUYER, 2, 2, po_read_supplier, "DOMAIN IDENTITY") \
    X("PunchOutSellers", BUYER, 1, 0, po_read_sellers, "SELLER [SELLER] ...") \
    X("PunchOutReturnHosts", BUYER, 1, 0, po_read_return_hosts, "[http://|https://]HOST[:PORT|:*] ...") \
    X("PunchOutDeployment", BUYER, 1, 1, po_read_deployment, "test|production") \
    X("PunchOutPreApprove", BUYER, 1, 2, po_read_preapprove, "none|free|byol [free|byol]") \
    X("PunchOutCurrency", BUYER, 1, 1, po_read_currency, "CODE") \
    X("PunchOutApprovals", BUYER, 1, 1, po_read_approvals, "together|separate") \
    X("PunchOutVia", BUYER, 1, 1, po_read_via, "HUB") \
    X("PunchOutUsageLimit", BUYER, 1, 1, po_read_usage_limit, "order|none") \
    X("PunchOutOrderMismatch", BUYER, 1, 1, po_read_mismatch, "reject|hold|accept") \
    X("PunchOutDTD", BUYER, 1, 1, po_read_dtd, "VERSION") \
    X("PunchOutPostDTD", BUYER, 1, 1, po_read_post_dtd, "VERSION") \
    X("PunchOutCartField", BUYER, 1, 2, po_read_cart_field, "NAME [base64|urlencoded]") \
    X("PunchOutTransientHTTP", BUYER, 1, 1, po_read_transient_http, "STATUS") \
    X("PunchOutPriceDecimals", BUYER, 1, 1, po_read_price_decimals, "N") \
    X("PunchOutUnit", BUYER, 2, 2, po_read_unit, "OURS THEIRS") \
    X("PunchOutLimit", BUYER, 1, 3, po_read_limit, "[part=BYTES] [description=BYTES] [shortname=BYTES]") \
    X("PunchOutForbidden", BUYER, 1, 1, po_read_forbidden, "CHARACTERS|none") \
    X("PunchOutASCII", BUYER, 1, 1, po_read_ascii, "on|off") \
    X("PunchOutStartElsewhere", BUYER, 1, 1, po_read_start_elsewhere, "on|off") \
    X("PunchOutRequestRedirect", BUYER, 1, 1, po_read_request_redirect, "URL") \
    X("PunchOutOpenBuyCredentials", BUYER | PO_SECRET_VALUE, 1, 3, po_read_openbuy_credentials, \
      "file:PATH|exec:COMMAND|CREDENTIALS [from=TIMESTAMP] [until=TIMESTAMP]") \
    X("PunchOutOpenBuyField", BUYER, 2, 3, po_read_openbuy_field, "OURS THEIRS|- [number|string]") \
    X("PunchOutOpenBuyRate", BUYER, 1, 1, po_read_openbuy_rate, "CALLS|none") \
    X("PunchOutDocuments", BUYER, 1, 2, po_read_documents, "none|confirmation|invoice [confirmation|invoice]") \
    X("PunchOutUserData", BUYER, 2, 0, po_read_user_data, "user|email|name SOURCE [SOURCE] ...") \
    X("PunchOutIdentityCase", BUYER, 1, 1, po_read_identity_case, "exact|ignore")

#define AS_DIRECTIVE(name, where, min, max, set, usage) { name, where, min, max, set, usage },
static const po_directive table[] = { DIRECTIVES(AS_DIRECTIVE) { NULL } };

static const po_directive *find_directive(const char *name)
{
    const po_directive *d = table;

    while (d->name && strcasecmp(d->name, name))
        d++;
    return d->name ? d : NULL;
}

/* ---- one occurrence ------------------------------------------------------------------------------------------- */

static const po_place *place_of(const ap_directive_t *node, apr_pool_t *p)
{
    po_place *at = apr_palloc(p, sizeof(*at));

    at->directive = apr_pstrcat(p, node->directive, *node->directive == '<' ? ">" : "", NULL);
    at->file = apr_pstrdup(p, node->filename);
    at->line = node->line_num;
    return at;
}

static int validity(const char *word)
{
    return !strncasecmp(word, "from=", 5) || !strncasecmp(word, "until=", 6);
}

/* Where a command ends: before the words from=... and until=... at the end of the line. */
static apr_size_t command_end(const char *args)
{
    apr_size_t end = strlen(args), start;

    while (1) {
        while (end && apr_isspace(args[end - 1]))
            end--;
        for (start = end; start && !apr_isspace(args[start - 1]); start--)
            ;
        if (!start || !validity(args + start))
            return end;
        end = start;
    }
}

static void split_arguments(po_reading *x, const char *args)
{
    apr_array_header_t *words = apr_array_make(x->pool, 4, sizeof(char *));
    apr_size_t len = strlen(args);

    if (*x->node->directive == '<' && len && args[len - 1] == '>')
        args = apr_pstrmemdup(x->pool, args, len - 1);
    /* a command keeps its arguments and their quotes: exec:/usr/bin/pass show "punchout acme" */
    if ((x->directive->where & PO_SECRET_VALUE) && !strncmp(args, "exec:", 5)) {
        apr_size_t end = x->directive->max > 1 ? command_end(args) : len;

        APR_ARRAY_PUSH(words, char *) = apr_pstrmemdup(x->pool, args, end);
        args += end;
        while (apr_isspace(*args))
            args++;
    }
    while (*args)
        APR_ARRAY_PUSH(words, char *) = ap_getword_conf(x->pool, &args);
    x->argc = words->nelts;
    x->argv = (char **)words->elts;
}

/* Secrets are masked, not the words behind them that say when they count; of other arguments a URL's password is. */
static const char *shown_arguments(po_reading *x)
{
    const char *text = "";
    int i;

    for (i = 0; i < x->argc; i++)
        text = apr_pstrcat(x->pool, text, i ? " " : "",
                           (x->directive->where & PO_SECRET_VALUE) && !(i && validity(x->argv[i]))
                           ? po_secret_shown(x->argv[i], x->pool) : po_url_masked(x->argv[i], x->pool), NULL);
    return text;
}

static const char *misplaced(const po_reading *x)
{
    unsigned where = x->directive->where;

    if (x->buyer)
        return where & PO_IN_BUYER ? NULL : "PO0024: this directive can't stand inside <PunchOutBuyer>; move it out";
    if (x->hub)
        return where & PO_IN_HUB ? NULL : "PO0025: this directive can't stand inside <PunchOutHub>; move it out";
    if (ap_check_cmd_context(x->cmd, NOT_IN_DIR_CONTEXT))
        return "PO0026: this directive can't stand inside <Location>, <Directory> and the like; move it out";
    if (where & PO_IN_SITE)
        return NULL;
    if (!(where & PO_IN_PROCESS))
        return where & PO_IN_HUB ? "PO0027: this directive must stand inside <PunchOutBuyer> or <PunchOutHub>"
                                 : "PO0028: this directive must stand inside <PunchOutBuyer>";
    if (x->cmd->server->is_virtual)
        return "PO0029: this directive belongs to the whole process; move it out of <VirtualHost>";
    return NULL;
}

static void read_one(po_reading *x, const char *args)
{
    const char *wrong;

    x->at = place_of(x->node, x->pool);
    split_arguments(x, args);
    x->shown = shown_arguments(x);
    if ((wrong = misplaced(x))) {
        po_wrong(x, wrong);
        return;
    }
    if ((x->directive->where & PO_IN_SITE) && !x->config->first)
        x->config->first = x->at;
    if (x->argc < x->directive->min || (x->directive->max && x->argc > x->directive->max))
        po_wrong(x, apr_psprintf(x->pool, "PO0030: wrong number of arguments; write %s %s", x->directive->name,
                                 x->directive->usage));
    else
        x->directive->set(x);
}

void po_read_block(po_reading *block)
{
    const ap_directive_t *node;

    for (node = block->node->first_child; node; node = node->next) {
        po_reading x = *block;

        x.node = node;
        x.directive = find_directive(node->directive);
        if (x.directive) {
            read_one(&x, node->args);
            continue;
        }
        x.directive = block->directive;
        x.at = place_of(node, x.pool);
        x.shown = NULL;
        po_wrong(&x, "PO0031: this directive is not known inside a block of mod_punchout; check its spelling or move "
                 "it out");
    }
}

/* Never returns an error: see the top of this file. */
static const char *read_directive(cmd_parms *cmd, void *unused, const char *args)
{
    po_reading x = { cmd->pool, cmd, cmd->directive, find_directive(cmd->cmd->name) };

    x.config = po_server_config_get(cmd->server);
    read_one(&x, args);
    return NULL;
}

#define AS_COMMAND(name, where, min, max, set, usage) \
    AP_INIT_RAW_ARGS(name, read_directive, NULL, RSRC_CONF | ACCESS_CONF, usage),
const command_rec po_config_directives[] = { DIRECTIVES(AS_COMMAND) { NULL } };
