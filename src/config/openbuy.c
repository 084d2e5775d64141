/* openbuy.c - the directives of Coupa Open Buy. Coupa's public reference leaves names and types of most members open, so
 * a site writes down what its buyers' systems expect. */
#include "config/config_private.h"
#include "market/market.h"

#include "apr_lib.h"
#include <string.h>

#define NAME_MAX_BYTES 64
#define RATE_MAX 1000000
#define LIFE_MAX ((apr_interval_time_t)3600 * APR_USEC_PER_SEC)     /* whoever finds a token has it for that long */

void po_read_openbuy_credentials(po_reading *x)
{
    po_add_secret(x, x->buyer->openbuy_credentials);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int is_one_of(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word))
        list++;
    return *list != NULL;
}

/* Without these there is no question, or nothing to order. */
static int is_needed(const char *ours)
{
    static const char *const needed[] = { "query", "page_number", "email", "quantity", "count", "total_count",
                                          "results", "source_part_num", "supp_aux_part_num", "price", "currency",
                                          NULL };

    return is_one_of(ours, needed);
}

static int may_be_number(const char *ours)
{
    static const char *const numbers[] = { "quantity", "source_part_num", "price", "lead_time",
                                           "minimum_order_quantity", NULL };

    return is_one_of(ours, numbers);
}

static int is_member_name(const char *text)
{
    const char *c = text;

    while (*c && !apr_iscntrl(*c) && *c != '"' && *c != '\\')
        c++;
    return c > text && !*c && c - text <= NAME_MAX_BYTES;
}

/* Every name of ours, for a message. */
static const char *all_names(apr_pool_t *p)
{
    const char *const *name, *text = po_openbuy_names[0];

    for (name = po_openbuy_names + 1; *name; name++)
        text = apr_pstrcat(p, text, ", ", *name, NULL);
    return text;
}

static const char *field_wrong(const po_reading *x, const po_openbuy_field *f, const char *type)
{
    int i;

    if (!is_one_of(f->ours, po_openbuy_names))
        return apr_psprintf(x->pool, "there is no member %s; write one of %s", f->ours, all_names(x->pool));
    if (f->theirs ? !is_member_name(f->theirs) : is_needed(f->ours))
        return f->theirs ? "write the buyer's name of the member, at most 64 bytes" : "this member can't be left out";
    if (f->theirs && (!strcmp(f->theirs, "credentials") || !strcmp(f->theirs, "token")))
        return "credentials and token are names of Coupa's own and mean something else";
    if (type && f->type == PO_OPENBUY_USUAL)
        return "behind the names comes number or string";
    if (f->type != PO_OPENBUY_USUAL && !may_be_number(f->ours))
        return "only quantity, source_part_num, price, lead_time and minimum_order_quantity may be number or string";
    for (i = 0; i < x->buyer->buyer.openbuy_fields->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(x->buyer->buyer.openbuy_fields, i, po_openbuy_field).ours, f->ours))
            return "this member has a line already; remove one";
    return NULL;
}

void po_read_openbuy_field(po_reading *x)
{
    const char *type = x->argc > 2 ? x->argv[2] : NULL, *wrong;
    po_openbuy_field f = { x->argv[0], strcmp(x->argv[1], "-") ? x->argv[1] : NULL, PO_OPENBUY_USUAL };

    if (type)
        f.type = !strcasecmp(type, "number") ? PO_OPENBUY_NUMBER
               : !strcasecmp(type, "string") ? PO_OPENBUY_STRING : PO_OPENBUY_USUAL;
    if ((wrong = field_wrong(x, &f, type)))
        po_wrong(x, apr_pstrcat(x->pool, "PO0096: ", wrong, NULL));
    else
        APR_ARRAY_PUSH(x->buyer->buyer.openbuy_fields, po_openbuy_field) = f;
}

const char *po_openbuy_fields_wrong(const po_buyer *buyer, apr_pool_t *p)
{
    apr_hash_t *taken = apr_hash_make(p);
    const char *const *ours;

    for (ours = po_openbuy_names; *ours; ours++) {
        const char *theirs = po_openbuy_name(buyer, *ours), *other;

        if (!theirs)
            continue;
        if ((other = apr_hash_get(taken, theirs, APR_HASH_KEY_STRING)))
            return apr_psprintf(p, "%s and %s would both be \"%s\"; give one of them another name", other, *ours,
                                theirs);
        apr_hash_set(taken, theirs, APR_HASH_KEY_STRING, *ours);
    }
    return NULL;
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

void po_read_openbuy_rate(po_reading *x)
{
    char *end;
    apr_int64_t n = strcasecmp(x->argv[0], "none") ? apr_strtoi64(x->argv[0], &end, 10) : 0;

    if (strcasecmp(x->argv[0], "none") && (!apr_isdigit(*x->argv[0]) || *end || n < 1 || n > RATE_MAX))
        po_wrong(x, apr_psprintf(x->pool, "PO0097: write how many calls a minute are answered, from 1 to %d, or none "
                                 "for no limit", RATE_MAX));
    else
        x->buyer->buyer.openbuy_rate = (int)n;
}

void po_read_openbuy_token(po_reading *x)
{
    const char *use = x->argc > 1 ? x->argv[1] : "once";
    int reuse = !strcasecmp(use, "reuse");
    apr_interval_time_t life;
    const char *wrong = po_duration_parse(&life, x->argv[0]);

    if (!wrong && life > LIFE_MAX)
        wrong = "a token lives an hour at most";
    if (!wrong && !reuse && strcasecmp(use, "once"))
        wrong = "behind the duration comes once or reuse";
    if (wrong)
        po_wrong(x, apr_pstrcat(x->pool, "PO0088: ", wrong, ", e.g. 10m once", NULL));
    else
        po_keep(x, &x->config->openbuy_token, reuse ? "reuse" : NULL, life);
}
