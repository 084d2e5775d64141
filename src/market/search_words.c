/* search_words.c - what a shopper types, made a question to the full text: its words, and those that were meant where
 * the catalog has no such word. */
#include "market/market_private.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define WORD_BYTES 64
#define ALIKE 4                         /* corrections that stand in for one word */
#define CORRECTED_FROM 4                /* characters: shorter words are too much like others */
#define TWO_ERRORS_FROM 8
#define CHARACTERS_MAX 48
#define INDEXED 3                       /* letters: beginnings of so many have an index (catalog.c) */
#define BEGUN 32                        /* longer words that a beginning may stand for */

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* As the tokenizer does: letters and digits; above U+007F it knows better than we what a letter is. */
static int is_letter(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

apr_array_header_t *po_search_words(const char *query, apr_pool_t *p)
{
    apr_array_header_t *words = apr_array_make(p, PO_SEARCH_WORDS, sizeof(po_search_word));
    const char *end = query + strnlen(query, PO_SEARCH_BYTES), *from;

    while (query < end && words->nelts < PO_SEARCH_WORDS) {
        for (; query < end && !is_letter((unsigned char)*query); query++)
            ;
        for (from = query; query < end && is_letter((unsigned char)*query); query++)
            ;
        if (query > from) {
            po_search_word w = { NULL, NULL };
            char *text = apr_pstrmemdup(p, from, (apr_size_t)(query - from)), *c;

            for (c = text; *c; c++)
                if (*c >= 'A' && *c <= 'Z')
                    *c += 'a' - 'A';
            w.text = po_utf8_cut(text, WORD_BYTES, p);
            APR_ARRAY_PUSH(words, po_search_word) = w;
        }
    }
    return words;
}

/* FTS5's phrase of one word: quoted, so that nothing in it is an operator. */
static const char *phrase(const char *text, int begins, apr_pool_t *p)
{
    return apr_pstrcat(p, "\"", text, begins ? "\"*" : "\"", NULL);
}

static const char *any_of(const apr_array_header_t *alike, apr_pool_t *p)
{
    const char *any = "(";
    int i;

    for (i = 0; i < alike->nelts; i++)
        any = apr_pstrcat(p, any, i ? " OR " : "", phrase(APR_ARRAY_IDX(alike, i, const char *), 0, p), NULL);
    return apr_pstrcat(p, any, ")", NULL);
}

static int is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

/* The words that begin with this one and are longer, const char *; NULL: they are too many, or it is typed in letters
 * that the catalog may write otherwise. FTS5 gathers all that match a beginning in memory, which each thread would come
 * to hold; words it reads match by match. */
static apr_array_header_t *longer_words(po_catalog *c, const char *text, apr_pool_t *p)
{
    apr_array_header_t *longer = apr_array_make(p, 4, sizeof(const char *));
    sqlite3_stmt *s = po_catalog_statement(c, PO_BEGUN);

    if (!s || !is_ascii(text) || strlen(text) <= INDEXED)
        return NULL;
    sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, BEGUN + 1);
    while (sqlite3_step(s) == SQLITE_ROW)
        APR_ARRAY_PUSH(longer, const char *) = apr_pstrdup(p, (const char *)sqlite3_column_text(s, 0));
    sqlite3_reset(s);
    return longer->nelts > BEGUN ? NULL : longer;
}

/* The last word as it is typed: the whole word first, for it counts more. */
static const char *whole_or_begun(po_catalog *c, const char *text, int *begun, apr_pool_t *p)
{
    const apr_array_header_t *longer = longer_words(c, text, p);
    const char *whole = phrase(text, 0, p);

    *begun = longer ? 1 + longer->nelts : 2;
    if (!longer)
        return apr_pstrcat(p, "(", whole, " OR ", phrase(text, 1, p), ")", NULL);
    return longer->nelts ? apr_pstrcat(p, "(", whole, " OR ", any_of(longer, p), ")", NULL) : whole;
}

const char *po_search_match(po_catalog *c, const apr_array_header_t *words, int *begun, apr_pool_t *p)
{
    const char *match = "";
    int i, last = words->nelts - 1;

    *begun = 0;
    for (i = 0; i <= last; i++) {
        const po_search_word *w = &APR_ARRAY_IDX(words, i, po_search_word);
        const char *one = w->alike ? any_of(w->alike, p)
                          : i == last ? whole_or_begun(c, w->text, begun, p) : phrase(w->text, 0, p);

        match = apr_pstrcat(p, match, i ? " AND " : "", one, NULL);
    }
    return match;
}

/* ---- typing errors ----------------------------------------------------------------------------------------------- */

typedef struct {
    unsigned at[CHARACTERS_MAX];
    int count;
    unsigned set;                       /* a bit for each that occurs; some share one */
} characters;

/* Up to a blank or the end, which is returned. */
static const char *read_characters(characters *c, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    c->set = 0;
    for (c->count = 0; *s > ' ' && c->count < CHARACTERS_MAX; c->count++) {
        unsigned u = *s++;

        for (; (*s & 0xc0) == 0x80; s++)
            u = u << 6 | (*s & 0x3f);
        c->at[c->count] = u;            /* equal for equal characters, which is all that counts */
        c->set |= 1u << u % 32;
    }
    while (*s > ' ')
        s++;
    return (const char *)s;
}

/* 1 when there must be more than that many errors: each brings in one character that the other hasn't, at most. Most
 * words of a catalog are told by this alone. */
static int is_unlike(const characters *text, const characters *full, int begins, int most)
{
    return __builtin_popcount(text->set & ~full->set) > most
           || (!begins && __builtin_popcount(full->set & ~text->set) > most);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* How many letters are wrong, missing, too many, or have changed places with their neighbour, if it is at most `most`, else
 * most + 1. begins: the text may be the beginning of the word. */
static int errors_between(const characters *text, const characters *full, int begins, int most)
{
    int row[3][CHARACTERS_MAX + 1], *before = row[0], *last = row[1], *now = row[2], *swap;
    int i, j, best;

    for (j = 0; j <= full->count; j++)
        last[j] = j;
    for (i = 1; i <= text->count; i++) {
        now[0] = best = i;
        for (j = 1; j <= full->count; j++) {
            int same = text->at[i - 1] == full->at[j - 1];

            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && text->at[i - 1] == full->at[j - 2] && text->at[i - 2] == full->at[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
            best = least(best, now[j]);
        }
        if (best > most)
            return most + 1;
        swap = before, before = last, last = now, now = swap;
    }
    best = last[full->count];
    for (j = 0; begins && j < full->count; j++)
        best = least(best, last[j]);
    return best;
}

typedef struct {
    const char *word;
    int errors, products;
} correction;

static int by_likeness(const void *a, const void *b)
{
    const correction *x = a, *y = b;

    if (x->errors != y->errors)
        return x->errors - y->errors;
    if (x->products != y->products)
        return x->products > y->products ? -1 : 1;
    return strcmp(x->word, y->word);
}

typedef struct {
    characters text;
    int begins, most;                   /* the text may be the beginning of a word; errors */
    apr_array_header_t *found;          /* correction */
} likeness;

/* list: words of one length, as catalog.c writes them. */
static void read_list(likeness *l, const char *list)
{
    const char *word, *end;
    characters full;

    for (word = list; word; word = (word = strchr(end, '\n')) ? word + 1 : NULL) {
        correction x;

        end = read_characters(&full, word);
        if (is_unlike(&l->text, &full, l->begins, l->most)
            || (x.errors = errors_between(&l->text, &full, l->begins, l->most)) > l->most)
            continue;
        x.word = apr_pstrmemdup(l->found->pool, word, (apr_size_t)(end - word));
        x.products = atoi(end);
        APR_ARRAY_PUSH(l->found, correction) = x;
    }
}

/* The words of what the buyer may see that are most alike, the commonest first; NULL: none is. */
static apr_array_header_t *find_alike(po_catalog *c, const char *text, int begins, po_search_seen *seen, void *baton,
                                      apr_pool_t *p)
{
    likeness l = { .begins = begins, .found = apr_array_make(p, 16, sizeof(correction)) };
    sqlite3_stmt *s = po_catalog_statement(c, PO_WORDS);
    apr_array_header_t *out;
    int i;

    read_characters(&l.text, text);
    if (!s || l.text.count < CORRECTED_FROM)
        return NULL;
    l.most = l.text.count < TWO_ERRORS_FROM ? 1 : 2;
    sqlite3_bind_int(s, 1, l.text.count - l.most);
    sqlite3_bind_int(s, 2, begins ? CHARACTERS_MAX : l.text.count + l.most);
    while (sqlite3_step(s) == SQLITE_ROW)
        read_list(&l, (const char *)sqlite3_column_text(s, 0));
    sqlite3_reset(s);
    qsort(l.found->elts, (size_t)l.found->nelts, sizeof(correction), by_likeness);
    out = apr_array_make(p, ALIKE, sizeof(const char *));
    for (i = 0; i < l.found->nelts && out->nelts < ALIKE; i++) {
        const char *word = APR_ARRAY_IDX(l.found, i, correction).word;

        if (seen(baton, phrase(word, 0, p)))
            APR_ARRAY_PUSH(out, const char *) = word;
    }
    return out->nelts ? out : NULL;
}

int po_search_correct(po_catalog *c, apr_array_header_t *words, po_search_seen *seen, void *baton, apr_pool_t *p)
{
    int i, corrected = 0;

    for (i = 0; i < words->nelts; i++) {
        po_search_word *w = &APR_ARRAY_IDX(words, i, po_search_word);
        int begins = i + 1 == words->nelts;

        if (seen(baton, phrase(w->text, begins, p)))
            continue;
        if (!(w->alike = find_alike(c, w->text, begins, seen, baton, p)))
            return 0;                   /* nothing can match all words */
        corrected = 1;
    }
    return corrected;
}
