/* operate.c - "punchoutctl orders|requests|outbox": looks into the ledger, and writes the operator's decisions into it.
 *
 * A decision is one row in one short transaction; httpd's deliverer looks each second, carries it out, and writes
 * what came of it, for which this waits a while.
 */
#include "tools.h"

#include "apr_getopt.h"
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_DEFAULT 10                 /* seconds */
#define WAIT_MAX 3600
#define LOOK_MS 50
#define NAME_MAX_BYTES 256
#define REASON_MAX_BYTES 500

static const char usage[] =
    "usage: punchoutctl orders list [--held] [--buyer NAME] [OPTIONS]\n"
    "       punchoutctl orders show|release ORDER|REQUEST [--buyer NAME] [OPTIONS]\n"
    "       punchoutctl orders refuse ORDER|REQUEST [--buyer NAME] [--reason TEXT] [OPTIONS]\n"
    "       punchoutctl requests list [--buyer NAME] [OPTIONS]\n"
    "       punchoutctl requests show|cancel REQUEST [--reason TEXT] [OPTIONS]\n"
    "       punchoutctl outbox list [--parked] [OPTIONS]\n"
    "       punchoutctl outbox retry|drop|delivered KEY [OPTIONS]\n";

static const char help[] =
    "\n"
    "Shows what the ledger holds, and writes decisions into it, which httpd carries out within a second or two.\n"
    "\n"
    "  --held, --parked  only orders that wait for a decision; only what is parked\n"
    "  --buyer NAME      only this buyer's; whose order it is, where several have that number\n"
    "  --reason TEXT     what buyer and requester are told\n"
    "  --wait SECONDS    how long to wait for what httpd makes of a decision: 10 unless given, 0 not at all\n"
    "  --json            for machines\n"
    "  --config FILE     what \"httpd -t -D DUMP_PUNCHOUT\" printed. Without it that command is run:\n"
    "                    $PUNCHOUT_HTTPD_COMMAND (default: apachectl) with -t -D DUMP_PUNCHOUT\n"
    "  --ledger FILE     the ledger, instead of a configuration; with --site\n"
    "  --site URL        PunchOutPublicURL of the site, where there are several\n"
    "\n"
    "Exit status: 0 done; 1 refused, or there is no such thing; 2 usage, or something can't be read or is not "
    "running.\n";

static const apr_getopt_option_t options[] = {
    { "config", 'c', 1, NULL }, { "ledger", 'l', 1, NULL }, { "site", 's', 1, NULL }, { "buyer", 'b', 1, NULL },
    { "reason", 'r', 1, NULL }, { "wait", 'w', 1, NULL }, { "json", 'j', 0, NULL }, { "held", 'H', 0, NULL },
    { "parked", 'p', 0, NULL },
    { "help", 'h', 0, NULL }, { NULL, 0, 0, NULL }
};

/* Which verbs there are, and what each takes. */
typedef enum { LIST, SHOW, DECIDE } action;
static const struct {
    const char *noun, *verb;
    action action;
    const char *takes;                  /* letters of options */
} verbs[] = {
    { "orders", "list", LIST, "clsbjH" }, { "orders", "show", SHOW, "clsbj" },
    { "orders", PO_DECIDE_RELEASE, DECIDE, "clsbjw" }, { "orders", PO_DECIDE_REFUSE, DECIDE, "clsbjrw" },
    { "requests", "list", LIST, "clsbj" }, { "requests", "show", SHOW, "clsj" },
    { "requests", PO_DECIDE_CANCEL, DECIDE, "clsjrw" },
    { "outbox", "list", LIST, "clsjp" }, { "outbox", PO_DECIDE_RETRY, DECIDE, "clsjw" },
    { "outbox", PO_DECIDE_DROP, DECIDE, "clsjw" }, { "outbox", PO_DECIDE_DELIVERED, DECIDE, "clsjw" }
};
#define VERBS ((int)(sizeof(verbs) / sizeof(verbs[0])))

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static void take(po_operation *o, int which, const char *value)
{
    switch (which) {
    case 'c': o->config = value; break;
    case 'l': o->ledger = value; break;
    case 's': o->site = value; break;
    case 'b': o->buyer = value; break;
    case 'r': o->reason = value; break;
    case 'w': o->wait = value; break;
    case 'j': o->json = 1; break;
    case 'H': o->held = 1; break;
    case 'p': o->parked = 1; break;
    }
}

static int misused(const char *what)
{
    fputs(usage, stderr);
    return po_trouble("%s; see punchoutctl --help", what);
}

static int find_verb(const po_operation *o)
{
    int i;

    for (i = 0; i < VERBS; i++)
        if (!strcmp(verbs[i].noun, o->noun) && o->verb && !strcmp(verbs[i].verb, o->verb))
            return i;
    return -1;
}

static int is_text(const char *s)
{
    json_t *j = strlen(s) <= REASON_MAX_BYTES ? json_string(s) : NULL;

    json_decref(j);
    return j != NULL;
}

/* PO_EXIT_YES: go on with verbs[*verb]. */
static int read_arguments(po_operation *o, int argc, const char *const *argv, int *verb, int *helped)
{
    char given[16] = "";
    apr_getopt_t *opt;
    const char *value;
    apr_status_t rv;
    int which, n = 0, left;

    apr_getopt_init(&opt, o->pool, argc, argv);
    opt->interleave = 1;
    opt->errfn = NULL;
    while ((rv = apr_getopt_long(opt, options, &which, &value)) == APR_SUCCESS) {
        *helped |= which == 'h';
        take(o, which, value);
        if (n < (int)sizeof(given) - 1 && !strchr(given, which))
            given[n++] = (char)which;
    }
    if (*helped)
        return PO_EXIT_YES;
    if (rv != APR_EOF)
        return misused("there is an unknown option, or one without its value");
    left = argc - opt->ind;
    o->verb = left > 0 ? opt->argv[opt->ind] : NULL;
    o->id = left > 1 ? opt->argv[opt->ind + 1] : NULL;
    if ((*verb = find_verb(o)) < 0 || left != (verbs[*verb].action == LIST ? 1 : 2))
        return misused("say what to do, and with which one");
    if (given[strspn(given, verbs[*verb].takes)])
        return misused("an option does not belong to this command");
    if (o->wait && (o->wait[strspn(o->wait, "0123456789")] || !*o->wait || strlen(o->wait) > 4
                    || atoi(o->wait) > WAIT_MAX))
        return misused("--wait takes seconds, at most 3600");
    if (o->reason && !is_text(o->reason))       /* it goes to the buyer, into mails and JSON */
        return misused("--reason is no UTF-8, or too long (500 bytes)");
    return PO_EXIT_YES;
}

/* ---- the ledger ------------------------------------------------------------------------------------------------- */

static int read_config(po_operation *o)
{
    po_crypto *c;
    po_dump dump;
    const po_site *site = NULL;

    if (o->ledger && o->site && !o->config)
        return PO_EXIT_YES;
    if (o->ledger)
        return po_trouble(o->config ? "give --ledger or --config, not both" : "--ledger needs --site, the site's "
                          "PunchOutPublicURL");
    if (!(c = po_crypto_create()))
        return po_trouble("out of memory");
    if (po_config_read(o->config, c, &dump, o->pool))
        site = po_config_site(o->site, &dump, NULL, o->pool);
    po_crypto_destroy(c);
    if (!site)
        return PO_EXIT_TROUBLE;
    o->site = site->public_url;
    o->ledger = dump.ledger;
    return o->ledger ? PO_EXIT_YES : po_trouble("the configuration names no ledger; see PunchOutLedger");
}

static int open_ledger(po_operation *o)
{
    if (access(o->ledger, F_OK) != 0)
        return po_trouble("ledger %s is not there or can't be reached; run this as a user who may read it", o->ledger);
    po_be_owner_of(o->ledger, o->pool);
    if (po_ledger_reader(&o->db, o->ledger, o->pool) != APR_SUCCESS)
        return po_trouble("ledger %s can't be opened, or is of another version; run this as httpd's user, with the "
                          "tool of the module's version", o->ledger);
    return PO_EXIT_YES;
}

static int failed(const po_operation *o)
{
    return po_trouble("ledger %s can't be read: %s", o->ledger, po_ledger_error(o->db));
}

/* ---- whom a decision is about ----------------------------------------------------------------------------------- */

static int absent(const char *what, const po_operation *o)
{
    po_trouble("there is no %s %s at %s; see punchoutctl %s list", what, o->id, o->site, o->noun);
    return PO_EXIT_NO;
}

/* PO_EXIT_YES and the order's buyer; *buyer NULL: the id is a request's. */
static int find_order(const po_operation *o, const char **buyer)
{
    po_order_filter f = { o->site, o->buyer, o->id, 0, 0 };
    apr_array_header_t *list;
    po_request *r;
    apr_status_t rv = po_order_list(o->db, &f, o->pool, &list);
    int i;

    *buyer = NULL;
    if (rv != APR_SUCCESS)
        return failed(o);
    for (i = 0; i < list->nelts; i++) {
        const char *found = APR_ARRAY_IDX(list, i, po_order_record *)->buyer;

        if (*buyer && strcmp(*buyer, found))
            return po_trouble("buyers %s and %s both have an order %s; say whose with --buyer", *buyer, found, o->id);
        *buyer = found;
    }
    if (*buyer)
        return PO_EXIT_YES;
    rv = po_request_get(o->db, o->site, o->id, o->pool, &r);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_NOTFOUND(rv))
        return failed(o);
    return rv == APR_SUCCESS ? PO_EXIT_YES : absent("order", o);
}

/* The event that goes out again when a request is released whose backend never answered: looked up here, since the
 * server must not read the whole outbox for it. */
static int find_unanswered(const po_operation *o, po_decision *d)
{
    apr_array_header_t *known = apr_array_make(o->pool, 2, sizeof(po_request *));
    apr_status_t rv = APR_SUCCESS;
    po_request *r;
    int i;

    if (!d->buyer && (rv = po_request_get(o->db, o->site, o->id, o->pool, &r)) == APR_SUCCESS)
        APR_ARRAY_PUSH(known, po_request *) = r;
    for (i = 0; d->buyer && rv == APR_SUCCESS && i < 2; i++)
        rv = po_requests_of_order(o->db, o->site, d->buyer, i, o->id, o->pool, known);
    for (i = 0; rv == APR_SUCCESS && i < known->nelts; i++) {
        r = APR_ARRAY_IDX(known, i, po_request *);
        if (r->state != PO_STATE_HELD || !r->reason || strcmp(r->reason, PO_HELD_UNANSWERED))
            continue;
        if (d->event) {
            po_trouble("several requests of order %s wait for the backend's answer; release each by its own number",
                       o->id);
            return PO_EXIT_NO;
        }
        rv = po_outbox_last_event(o->db, o->site, r->id, o->pool, &d->event);
        rv = APR_STATUS_IS_NOTFOUND(rv) ? APR_SUCCESS : rv;
    }
    return rv == APR_SUCCESS ? PO_EXIT_YES : failed(o);
}

static int find_row(const po_operation *o)
{
    po_outbox_row *row;
    po_outbox_state state;
    int overtaken = 0;
    apr_status_t rv = po_outbox_get(o->db, o->id, o->pool, &row, &state);

    if (APR_STATUS_IS_NOTFOUND(rv) || (rv == APR_SUCCESS && strcmp(row->site, o->site)))
        return absent("key", o);
    if (rv == APR_SUCCESS && state == PO_OUTBOX_FAILED && !strcmp(o->verb, PO_DECIDE_RETRY) && row->request)
        rv = po_outbox_overtaken(o->db, row, &overtaken);
    if (rv != APR_SUCCESS)
        return failed(o);
    if (!overtaken || strncmp(row->channel, "event", 5))
        return PO_EXIT_YES;
    po_trouble("the backend took a later event about request %s, so %s would tell it what is not true any more",
               row->request,
               o->id);
    return PO_EXIT_NO;
}

static int find_subject(const po_operation *o, po_decision *d)
{
    po_request *r;
    apr_status_t rv;
    int rc;

    if (!strcmp(o->noun, "outbox"))
        return find_row(o);
    if (!strcmp(o->noun, "orders")) {
        if ((rc = find_order(o, &d->buyer)) != PO_EXIT_YES || strcmp(o->verb, PO_DECIDE_RELEASE))
            return rc;
        return find_unanswered(o, d);
    }
    rv = po_request_get(o->db, o->site, o->id, o->pool, &r);
    if (APR_STATUS_IS_NOTFOUND(rv))
        return absent("request", o);
    return rv == APR_SUCCESS ? PO_EXIT_YES : failed(o);
}

/* ---- the decision ----------------------------------------------------------------------------------------------- */

/* Who it is: also behind sudo, for the record must name a person. */
static const char *who(apr_pool_t *p)
{
    char login[NAME_MAX_BYTES] = "", host[NAME_MAX_BYTES] = "";
    const struct passwd *user = getpwuid(getuid());
    const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL, *name;

    if (sudo && *sudo)
        name = sudo;
    else if (getlogin_r(login, sizeof(login)) == 0 && *login)
        name = login;
    else
        name = user ? apr_pstrdup(p, user->pw_name) : apr_psprintf(p, "uid %lu", (unsigned long)getuid());
    gethostname(host, sizeof(host) - 1);
    return apr_pstrcat(p, name, "@", *host ? host : "localhost", NULL);
}

static int wait_for(const po_operation *o, const po_decision *d)
{
    po_decision *found = NULL;
    int waited, most = 1000 * (o->wait ? atoi(o->wait) : WAIT_DEFAULT);

    for (waited = 0; waited <= most; waited += LOOK_MS) {
        if (po_decision_get(o->db, d->seq, o->pool, &found) != APR_SUCCESS)
            return failed(o);
        if (found->done)
            return po_show_decision(o, found);
        apr_sleep(apr_time_from_msec(LOOK_MS));
    }
    return po_trouble("nobody has carried it out yet. It stands in the ledger as decision %" APR_INT64_T_FMT " and "
                      "will be carried out as soon as httpd runs for %s", d->seq, d->site);
}

static int decide(const po_operation *o)
{
    po_decision d = { 0, o->site, o->verb, o->id, NULL, NULL, o->reason };
    const char *wrong;
    po_ledger_db *db;
    int rc = find_subject(o, &d);

    if (rc != PO_EXIT_YES)
        return rc;
    if ((wrong = po_ledger_connect(&db, o->ledger, o->pool)))
        return po_trouble("%s", wrong);
    d.by = who(o->pool);
    d.at = apr_time_now();
    if (po_decision_insert(db, &d) != APR_SUCCESS)
        return po_trouble("the decision can't be written into ledger %s (%s), nothing was done; try again", o->ledger,
                          po_ledger_error(db));
    return wait_for(o, &d);
}

static int show(const po_operation *o)
{
    const char *buyer;
    int rc;

    if (!strcmp(o->noun, "requests"))
        return po_show_request(o);
    rc = find_order(o, &buyer);
    if (rc != PO_EXIT_YES)
        return rc;
    return buyer ? po_show_order(o, buyer) : po_show_request(o);
}

static int list(const po_operation *o)
{
    if (!strcmp(o->noun, "orders"))
        return po_list_orders(o);
    return !strcmp(o->noun, "requests") ? po_list_requests(o) : po_list_outbox(o);
}

int po_operate_command(int argc, const char *const *argv, apr_pool_t *p)
{
    po_operation o = { p, argv[0] };
    int helped = 0, verb = 0, rc = read_arguments(&o, argc, argv, &verb, &helped);

    if (helped) {
        fputs(usage, stdout);
        fputs(help, stdout);
        return PO_EXIT_YES;
    }
    if (rc != PO_EXIT_YES || (rc = read_config(&o)) != PO_EXIT_YES || (rc = open_ledger(&o)) != PO_EXIT_YES)
        return rc;
    if (verbs[verb].action == LIST)
        return list(&o);
    return verbs[verb].action == SHOW ? show(&o) : decide(&o);
}
