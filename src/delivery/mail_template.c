/* mail_template.c - texts with {{names}} to be filled in. */
#include "delivery/mail_template.h"

#include "apr_lib.h"
#include <string.h>

typedef enum { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED } node_kind;

typedef struct {
    node_kind kind;
    const char *text;                   /* NODE_TEXT; else the name, with a NUL behind it */
    apr_size_t len;
    int end;                            /* of a section: the index of the first node behind it */
} node;

struct po_template {
    apr_array_header_t *nodes;          /* node */
};

typedef struct {
    po_template *t;
    const char *start, *at;
    int line;
    apr_pool_t *pool;
} parser;

/* ---- parsing -------------------------------------------------------------------------------------------------- */

static void add(parser *x, node_kind kind, const char *text, apr_size_t len)
{
    node *n = apr_array_push(x->t->nodes);

    n->kind = kind;
    n->text = text;
    n->len = len;
    n->end = 0;
}

static void count_lines(parser *x, const char *to)
{
    for (; x->at < to; x->at++)
        x->line += *x->at == '\n';
}

/* Where a section's tag from `tag` to `end` stands alone on its line: the text before it ends at the line's beginning,
 * and what follows starts on the next line. */
static void alone(const parser *x, const char **tag, const char **end)
{
    const char *before = *tag, *behind = *end;

    while (before > x->start && (before[-1] == ' ' || before[-1] == '\t'))
        before--;
    while (*behind == ' ' || *behind == '\t' || *behind == '\r')
        behind++;
    if ((before > x->start && before[-1] != '\n') || (*behind && *behind != '\n'))
        return;
    *tag = before;
    *end = *behind ? behind + 1 : behind;
}

static const char *wrong(parser *x, const char *where, const char *what, const char *name)
{
    count_lines(x, where);
    return apr_psprintf(x->pool, "line %d: %s %s", x->line, what, name);
}

static const char *parse_until(parser *x, const char *section);

static const char *parse_tag(parser *x, const char *tag, const char *end, int *closed, const char *section)
{
    const char *inner = tag + 2, *stop = end - 2, *name, *problem;
    char sign = *inner && strchr("#^/", *inner) ? *inner++ : 0;
    int index;

    while (inner < stop && apr_isspace(*inner))
        inner++;
    while (stop > inner && apr_isspace(stop[-1]))
        stop--;
    name = apr_pstrmemdup(x->pool, inner, (apr_size_t)(stop - inner));
    if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz_") != strlen(name))
        return wrong(x, tag, "between {{ and }} stands no name:", name);
    if (sign)
        alone(x, &tag, &end);
    if (tag > x->at)
        add(x, NODE_TEXT, x->at, (apr_size_t)(tag - x->at));
    count_lines(x, end);
    if (sign == '/') {
        *closed = section && !strcmp(section, name);
        return *closed ? NULL : wrong(x, x->at, "nothing is open that this closes:", name);
    }
    index = x->t->nodes->nelts;
    add(x, sign == '#' ? NODE_SECTION : sign ? NODE_INVERTED : NODE_VALUE, name, strlen(name));
    problem = sign ? parse_until(x, name) : NULL;
    APR_ARRAY_IDX(x->t->nodes, index, node).end = x->t->nodes->nelts;
    return problem;
}

/* To the end of the text, or to the tag that closes section. */
static const char *parse_until(parser *x, const char *section)
{
    const char *tag, *end, *problem = NULL;
    int closed = 0;

    while (!problem && !closed && (tag = strstr(x->at, "{{"))) {
        if (!(end = strstr(tag, "}}")))
            return wrong(x, tag, "}} is missing behind", "{{");
        problem = parse_tag(x, tag, end + 2, &closed, section);
    }
    if (problem || closed)
        return problem;
    if (section)
        return wrong(x, x->at + strlen(x->at), "this section is not closed:", section);
    if (*x->at)
        add(x, NODE_TEXT, x->at, strlen(x->at));
    return NULL;
}

const char *po_template_parse(po_template **out, const char *text, apr_pool_t *p)
{
    parser x = { apr_palloc(p, sizeof(po_template)), text, text, 1, p };

    x.t->nodes = apr_array_make(p, 32, sizeof(node));
    *out = x.t;
    return parse_until(&x, NULL);
}

const char *po_template_unknown(const po_template *t, int (*known)(const char *name))
{
    int i;

    for (i = 0; i < t->nodes->nelts; i++) {
        const node *n = &APR_ARRAY_IDX(t->nodes, i, node);

        if (n->kind != NODE_TEXT && !known(n->text))
            return n->text;
    }
    return NULL;
}

/* ---- filling in ----------------------------------------------------------------------------------------------- */

static const char *value_of(const po_template_data *d, const apr_table_t *row, const char *name)
{
    const char *value = row ? apr_table_get(row, name) : NULL;

    return value ? value : apr_table_get(d->values, name);
}

static void add_value(po_buffer *b, const char *value, int html)
{
    const char *from;

    while (value && *value) {
        for (from = value; *value && !apr_iscntrl(*value); value++)
            ;
        if (html)
            po_buffer_xml_len(b, from, (apr_size_t)(value - from));
        else
            po_buffer_add(b, from, (apr_size_t)(value - from));
        if (*value) {
            po_buffer_lit(b, " ");
            value++;
        }
    }
}

static void render(po_buffer *b, const po_template *t, int from, int to, const po_template_data *d,
                   const apr_table_t *row, int html)
{
    int i = from, k;

    while (i < to) {
        const node *n = &APR_ARRAY_IDX(t->nodes, i, node);
        int is_list = n->kind != NODE_TEXT && d->list && !row && !strcmp(n->text, d->list);
        const char *value = n->kind == NODE_TEXT || is_list ? NULL : value_of(d, row, n->text);
        int there = is_list ? d->rows && d->rows->nelts : value && *value;

        if (n->kind == NODE_TEXT)
            po_buffer_add(b, n->text, n->len);
        else if (n->kind == NODE_VALUE)
            add_value(b, value, html);
        else if (n->kind == NODE_SECTION && is_list)
            for (k = 0; there && k < d->rows->nelts; k++)
                render(b, t, i + 1, n->end, d, APR_ARRAY_IDX(d->rows, k, apr_table_t *), html);
        else if (there == (n->kind == NODE_SECTION))
            render(b, t, i + 1, n->end, d, row, html);
        i = n->kind == NODE_SECTION || n->kind == NODE_INVERTED ? n->end : i + 1;
    }
}

void po_template_render(po_buffer *b, const po_template *t, const po_template_data *d, int html)
{
    render(b, t, 0, t->nodes->nelts, d, NULL, html);
}
