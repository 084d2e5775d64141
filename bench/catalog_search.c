/* catalog_search.c - milliseconds for the first page of a search, beside the same question to SQLite alone.
 *
 * Usage: catalog_search CATALOG.json STATE-DIR; compiles the catalog where that is still to be done. The words come from the
 * compiled catalog itself: rare ones stand in a few products, common ones in a third of all.
 */
#include "market/market.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#define PAGE 20
#define QUERIES 20                      /* of each class */
#define ROUNDS 10                       /* of each query, in turns with SQLite's */
#define SAMPLES (QUERIES * ROUNDS)

typedef struct {
    const char *name;
    const char *words;                  /* picks as many words of the catalog as make QUERIES queries */
    int each;                           /* words of a query */
    int letters;                        /* of the last word, the rest is cut off; 0: all */
    const char *spoil;                  /* what is done to the last word */
} query_class;

#define RANKED(from) "SELECT word FROM word WHERE length>5 ORDER BY products DESC,word LIMIT 40 OFFSET " from
static const query_class classes[] = {
    { "rare word", "SELECT word FROM word WHERE length>5 AND products<20 ORDER BY word LIMIT 40", 1, 0, NULL },
    { "medium word", RANKED("300"), 1, 0, NULL },
    { "common word", RANKED("0"), 1, 0, NULL },
    { "commonest word", "SELECT word FROM word ORDER BY products DESC,word LIMIT 1", 1, 0, NULL },
    { "two common words", RANKED("0"), 2, 0, NULL },
    { "common and rare", "SELECT word FROM (SELECT word,row_number() OVER (ORDER BY products DESC,word) i FROM word"
      " WHERE length>5 LIMIT 20) UNION ALL SELECT word FROM word", 2, 0, NULL },
    { "1 letter", RANKED("0"), 1, 1, NULL },
    { "3 letters", RANKED("0"), 1, 3, NULL },
    { "5 letters", RANKED("0"), 1, 5, NULL },
    { "typing error", RANKED("0"), 1, 0, "swap" },
    { "no hit", RANKED("0"), 1, 0, "strange" }
};
