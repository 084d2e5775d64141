/* shopper.c - who the shopper of a setup is: systems say it in Extrinsics of many names, in Contact and in ShipTo. */
#include "cxml/cxml.h"

#include <string.h>
#include <strings.h>

static const char *filled(const char *text)
{
    return text && *text ? text : NULL;
}

/* ---- the usual names ------------------------------------------------------------------------------------------ */

/* What systems call the shopper's data, by length: there may be hundreds of Extrinsics. */
enum {
    USER, NAME, EMAIL, USER_NAME, LAST_NAME, USER_EMAIL, FIRST_NAME, UNIQUE_NAME, FULL_NAME, PRINTABLE_NAME, USER_DATA
};
#define NAME_LENGTHS 18

static void sort_extrinsics(const apr_array_header_t *list, const char *found[USER_DATA])
{
    static const char *const names[USER_DATA] = {
        "User", "Name", "Email", "UserName", "LastName", "UserEmail", "FirstName", "UniqueName", "UserFullName",
        "UserPrintableName"
    };
    static const struct {
        unsigned char from, count;
    } of_length[NAME_LENGTHS] = {
        [4] = { USER, 2 }, [5] = { EMAIL, 1 }, [8] = { USER_NAME, 2 }, [9] = { USER_EMAIL, 2 },
        [10] = { UNIQUE_NAME, 1 }, [12] = { FULL_NAME, 1 }, [17] = { PRINTABLE_NAME, 1 }
    };
    int i, k;

    for (i = 0; list && i < list->nelts; i++) {
        const po_cxml_extrinsic *x = &APR_ARRAY_IDX(list, i, po_cxml_extrinsic);
        apr_size_t len = strlen(x->name);

        if (len >= NAME_LENGTHS)
            continue;
        for (k = of_length[len].from; k < of_length[len].from + of_length[len].count; k++)
            if (!found[k] && !strcasecmp(x->name, names[k]))
                found[k] = filled(x->value);
    }
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a ? a : b ? b : c;
}

static void find_by_usual_names(po_cxml_setup *s, apr_pool_t *p)
{
    const char *found[USER_DATA] = { NULL }, *first, *last;

    sort_extrinsics(s->extrinsics, found);
    first = found[FIRST_NAME];
    last = found[LAST_NAME];
    s->user = first_of(found[USER], found[UNIQUE_NAME], found[USER_NAME]);
    s->email = first_of(found[USER_EMAIL], found[EMAIL], s->contact ? filled(s->contact->email) : NULL);
    if (!s->email && s->ship_to)
        s->email = filled(s->ship_to->email);
    if (first && last)
        s->user_name = apr_pstrcat(p, first, " ", last, NULL);
    else
        s->user_name = first_of(first, last, first_of(found[NAME], found[FULL_NAME], found[PRINTABLE_NAME]));
    if (!s->user_name && s->contact)
        s->user_name = filled(s->contact->name);
}

/* ---- the buyer's own ------------------------------------------------------------------------------------------ */

static const char *from_extrinsic(const po_cxml_setup *s, const char *name)
{
    int i;

    for (i = 0; s->extrinsics && i < s->extrinsics->nelts; i++) {
        const po_cxml_extrinsic *x = &APR_ARRAY_IDX(s->extrinsics, i, po_cxml_extrinsic);

        if (!strcasecmp(x->name, name) && filled(x->value))
            return x->value;
    }
    return NULL;
}

static const char *from_address(const po_cxml_address *a, const char *member)
{
    if (!a)
        return NULL;
    return filled(!strcasecmp(member, "Email") ? a->email : !strcasecmp(member, "Name") ? a->name
                  : !strcasecmp(member, "DeliverTo") ? a->deliver_to : NULL);
}

static const char *from_source(const po_cxml_setup *s, const char *source)
{
    if (!strncasecmp(source, "Contact/", 8))
        return from_address(s->contact, source + 8);
    if (!strncasecmp(source, "ShipTo/", 7))
        return from_address(s->ship_to, source + 7);
    return from_extrinsic(s, source);
}

static void find_by_list(const char **into, const po_cxml_setup *s, const apr_array_header_t *sources)
{
    int i;

    if (!sources)
        return;
    *into = NULL;
    for (i = 0; !*into && i < sources->nelts; i++)
        *into = from_source(s, APR_ARRAY_IDX(sources, i, const char *));
}

void po_cxml_find_user(po_cxml_setup *s, const po_user_map *map, apr_pool_t *p)
{
    find_by_usual_names(s, p);
    find_by_list(&s->user, s, map->user);
    find_by_list(&s->email, s, map->email);
    find_by_list(&s->user_name, s, map->name);
}
