/* test_catalog.c - what catalog.json may hold, how mistakes are told, and what the compiled catalog gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "market/market_private.h"

#include "apr_file_info.h"
#include "apr_file_io.h"
#include "not_money.h"

static apr_pool_t *pool;
static const char *dir;

static int group_setup(void **state)
{
    char *name;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    name = apr_pstrdup(pool, "/tmp/test_catalog.XXXXXX");
    dir = mkdtemp(name);
    return dir ? 0 : -1;
}

static int group_teardown(void **state)
{
    apr_finfo_t info;
    apr_dir_t *d;

    if (apr_dir_open(&d, dir, pool) == APR_SUCCESS) {
        while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS)
            if (info.name[0] != '.')
                apr_file_remove(apr_pstrcat(pool, dir, "/", info.name, NULL), pool);
        apr_dir_close(d);
    }
    rmdir(dir);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

/* The catalogs here are written with ' where JSON has ". */
static const char *file_with(const char *text, apr_size_t len)
{
    const char *path = apr_pstrcat(pool, dir, "/catalog.json", NULL);
    FILE *f = fopen(path, "w");
    apr_size_t i;

    assert_non_null(f);
    for (i = 0; i < len; i++)
        putc(text[i] == '\'' ? '"' : text[i], f);
    fclose(f);
    return path;
}

static const char *check(const char *text)
{
    return po_catalog_check(file_with(text, strlen(text)), pool);
}

/* The catalog is refused in this line, with a text that holds all of what; checks compiling too. */
static void refused(const char *text, int line, const char *first, const char *second)
{
    const char *path = file_with(text, strlen(text)), *wrong = po_catalog_check(path, pool), *db;
    const char *start = apr_psprintf(pool, "%s:%d: ", path, line);

    if (!wrong)
        fail_msg("accepted: %s", text);
    if (strncmp(wrong, start, strlen(start)) || !strstr(wrong, first) || !strstr(wrong, second))
        fail_msg("got %s\nwanted line %d, %s, %s", wrong, line, first, second);
    assert_string_equal(po_catalog_compile(path, dir, &db, pool), wrong);
    assert_null(db);
}

static void accepted(const char *text)
{
    const char *wrong = check(text);

    if (wrong)
        fail_msg("%s: %s", text, wrong);
}

/* A catalog of one product whose only offer stands in line 3. */
static const char *offer(const char *members)
{
    return apr_psprintf(pool, "{'products':[\n {'id':'prod-a','name':'A','seller':'S','offers':[\n  {%s}]}]}\n",
                        members);
}

static const char *product(const char *members)
{
    return apr_psprintf(pool, "{'products':[\n\n {%s}]}\n", members);
}

#define FREE "'offers':[{'id':'o','pricing':'free'}]"

/* ---- what is accepted ----------------------------------------------------------------------------------------- */

static void every_kind_of_pricing_is_accepted(void **state)
{
    accepted("{'products':[]}");
    accepted("\xef\xbb\xbf{ \"products\" : [ ] }\r\n");
    accepted(offer("'id':'o','pricing':'contract','price':'1200.00','currency':'USD','term':'P12M','unit':'EA'"));
    accepted(offer("'id':'o','pricing':'contract','price':'0.00','usage':[{'dimension':'gb','price':'0.25'}]"));
    accepted(offer("'id':'o','pricing':'usage',"
                   "'usage':[{'dimension':'h','description':'hour','price':'0.0925','unit':'HUR'}]"));
    accepted(offer("'id':'o','pricing':'free','price':'0.00'"));
    accepted(offer("'id':'o','pricing':'byol'"));
    accepted(offer("'id':'o','pricing':'trial','term':'P14D'"));
    accepted(product("'id':'p','name':'\\\"offers\\\": [{','seller':'S','description':'one\\ntwo }]'," FREE));
    accepted(product("'id':'o','name':'N','seller':'S'," FREE));      /* an offer may be called as its product */
}

static void the_demos_catalog_has_no_mistake(void **state)
{
    const char *src = getenv("srcdir"), *path = apr_pstrcat(pool, src ? src : ".", "/demo/catalog.json", NULL);
    const char *wrong = po_catalog_check(path, pool);

    if (wrong)
        fail_msg("%s", wrong);
}

/* ---- mistakes ------------------------------------------------------------------------------------------------- */

static void money_as_a_json_number_is_refused(void **state)
{
    static const char *const numbers[] = { "0", "1", "-1", "1200.00", "1e9", "1E-2", "999999999999999999", "0.1", "true", "[]", "{}" };
    apr_size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        refused(offer(apr_psprintf(pool, "'id':'o','pricing':'contract','price':%s", numbers[i])), 3, "\"price\" is", "string");
    refused(offer("'id':'o','pricing':'contract','price':12.5"), 3, "product \"prod-a\", offer \"o\"",
            "write it as a string");
    refused(offer("'id':'o','pricing':'contract','price':1200"), 3, "the number 1200", "a float rounds");
    refused(offer("'id':'o','pricing':'usage','usage':[{'dimension':'gb','price':0.25}]"), 3,
            "dimension \"gb\"", "write it as a string");
    refused(offer("'id':'o','pricing':'contract','price':null"), 3, "null", "string");
}

static void a_price_that_is_no_plain_decimal_is_refused(void **state)
{
    static const char *const bad[] = { "", " 12", "12 " };
    apr_size_t i;

    for (i = 0; i < NOT_MONEY; i++) {
        if (strchr(not_money[i], '\''))
            continue;                   /* offer() writes another quote for it */
        refused(offer(apr_psprintf(pool, "'id':'o','pricing':'contract','price':\"%s\"", not_money[i])), 3, "price",
                *not_money[i] == '-' ? "negative" : "not a plain decimal");
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(offer(apr_psprintf(pool, "'id':'o','pricing':'contract','price':'%s'", bad[i])), 3,
                apr_psprintf(pool, "\"%s\"", bad[i]), "not a plain decimal");
    refused(offer("'id':'o','pricing':'contract','price':'-1.00'"), 3, "\"-1.00\"", "negative");
}

/* NULL, or what is wrong with this offer for a buyer of two decimals and these lines. */
static const char *prices_for(po_lines lines, const char *members)
{
    po_buyer buyer = { .name = "acme", .profile = { .name = "generic", .price_decimals = 2 }, .lines = lines };
    apr_array_header_t *buyers = apr_array_make(pool, 1, sizeof(po_buyer *));
    const char *text = offer(members);

    APR_ARRAY_PUSH(buyers, const po_buyer *) = &buyer;
    return po_catalog_check_prices(file_with(text, strlen(text)), NULL, buyers, pool);
}

static void a_price_that_a_buyers_cart_can_not_hold_is_found(void **state)
{
    static const char contract[] = "'id':'o','pricing':'contract','price':'0.125'";
    static const char usage[] = "'id':'o','pricing':'usage','usage':[{'dimension':'a','price':'0.125'}]";

    assert_non_null(strstr(prices_for(PO_LINES_CLASSIC, contract), "the price 0.125 of offer \"o\" has 3 decimals"));
    assert_non_null(prices_for(PO_LINES_SPLIT, contract));
    assert_non_null(prices_for(PO_LINES_CLASSIC, usage));
    assert_null(prices_for(PO_LINES_SPLIT, usage));     /* the cart holds the budget */
    assert_null(prices_for(PO_LINES_SINGLE, usage));
    assert_null(prices_for(PO_LINES_CLASSIC, "'id':'o','pricing':'contract','price':'0.1200'"));
}

static void what_a_pricing_demands_must_be_there(void **state)
{
    refused(offer("'id':'o'"), 3, "\"pricing\" is missing", "offer \"o\"");
    refused(offer("'id':'o','pricing':'gratis'"), 3, "\"gratis\"", "contract, usage, free, byol, trial");
    refused(offer("'id':'o','pricing':'contract'"), 3, "contract needs a \"price\"", "1200.00");
    refused(offer("'id':'o','pricing':'usage'"), 3, "needs \"usage\"", "dimensions");
    refused(offer("'id':'o','pricing':'usage','usage':[]"), 3, "\"usage\" is empty", "dimension");
    refused(offer("'id':'o','pricing':'usage','usage':[{'dimension':'a'}]"), 3, "\"price\" is missing", "\"a\"");
    refused(offer("'id':'o','pricing':'usage','usage':[{'price':'1'}]"), 3, "\"dimension\" is missing", "");
    refused(offer("'id':'o','pricing':'usage','usage':[{'dimension':'a','price':'0.00'}]"), 3,
            "greater than 0", "dimension \"a\"");
    refused(offer("'id':'o','pricing':'usage','usage':[{'dimension':'a','price':'1'},"
                  "{'dimension':'a','price':'2'}]"), 3, "occurs twice", "dimension \"a\"");
}

static void what_costs_nothing_must_have_no_price(void **state)
{
    static const char *const kinds[] = { "free", "byol", "trial" };
    int i;

    for (i = 0; i < 3; i++) {
        refused(offer(apr_psprintf(pool, "'id':'o','pricing':'%s','price':'1.00'", kinds[i])), 3, kinds[i],
                "leave it out");
        refused(offer(apr_psprintf(pool, "'id':'o','pricing':'%s','usage':[{'dimension':'a','price':'1'}]",
                                   kinds[i])), 3, kinds[i], "costs nothing");
    }
    refused(offer("'id':'o','pricing':'usage','price':'1.00','usage':[{'dimension':'a','price':'1'}]"), 3,
            "no price beside", "\"contract\"");
}

static void a_bad_currency_term_or_unit_is_refused(void **state)
{
    static const char *const terms[] = { "12 months", "P", "P0M", "PT", "P1.5Y", "P12", "12M", "P1M1Y", "P1YT", "p12m",
                                         "P12MX", "P1Y1Y", "PT1H1H", "P123456D" };
    apr_size_t i;

    refused(offer("'id':'o','pricing':'free','currency':'usd'"), 3, "\"usd\"", "ISO 4217");
    refused(offer("'id':'o','pricing':'free','currency':'US$'"), 3, "\"US$\"", "like \"USD\"");
    refused(offer("'id':'o','pricing':'free','unit':'each one'"), 3, "\"each one\"", "UN/CEFACT");
    for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
        refused(offer(apr_psprintf(pool, "'id':'o','pricing':'free','term':'%s'", terms[i])), 3,
                apr_psprintf(pool, "\"%s\"", terms[i]), "ISO 8601");
}

static void ids_that_procurement_systems_refuse_are_refused(void **state)
{
    static const char *const bad[] = { "a?b", "a{b", "a}b", "a b", "a\\tb", "a\\u0001b", "" };
    char longest[102];
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refused(offer(apr_psprintf(pool, "'id':'%s','pricing':'free'", bad[i])), 3, "\"id\"", "product \"prod-a\"");
        refused(product(apr_psprintf(pool, "'id':'%s','name':'N','seller':'S'," FREE, bad[i])), 3, "\"id\"",
                "(in a product)");
    }
    memset(longest, 'x', 101);
    longest[101] = '\0';
    refused(offer(apr_psprintf(pool, "'id':'%s','pricing':'free'", longest)), 3, "101 bytes", "100 are allowed");
    longest[100] = '\0';
    accepted(offer(apr_psprintf(pool, "'id':'%s','pricing':'free'", longest)));
    refused(offer("'pricing':'free'"), 3, "\"id\" is missing", "(in an offer)");
    refused(offer("'id':7,'pricing':'free'"), 3, "the number 7", "in quotes");
}

static void an_id_is_used_once(void **state)
{
    const char *a = "{'id':'a','name':'A','seller':'S','offers':[{'id':'x','pricing':'free'}]}";

    refused(apr_psprintf(pool, "{'products':[\n%s,\n\n{'id':'a','name':'B','seller':'S'," FREE "}]}", a), 4,
            "the id \"a\" was used before", "product in line 2");
    refused(apr_psprintf(pool, "{'products':[\n%s,\n{'id':'b','name':'B','seller':'S','offers':[\n"
                         "{'id':'y','pricing':'free'},\n{'id':'x','pricing':'free'}]}]}", a), 5,
            "the id \"x\" was used before", "offer in line 2");
    refused(apr_psprintf(pool, "{'products':[\n%s,\n{'id':'x','name':'B','seller':'S'," FREE "}]}", a), 3,
            "the id \"x\" was used before", "offer in line 2");
    refused(apr_psprintf(pool, "{'products':[\n%s,\n{'id':'b','name':'B','seller':'S','offers':[\n"
                         "{'id':'a','pricing':'free'}]}]}", a), 4, "the id \"a\" was used before", "product in line 2");
}

static void an_id_is_used_once_within_a_product_too(void **state)
{
    refused("{'products':[\n{'id':'o','name':'A','seller':'S','offers':[{'id':'o','pricing':'free'},\n"
            "{'id':'o','pricing':'byol'}]}]}", 3, "the id \"o\" was used before", "offer in line 2");
}

static void a_misspelt_member_is_refused(void **state)
{
    refused(offer("'id':'o','pricing':'free','curency':'USD'"), 3, "unknown member \"curency\"", "currency");
    refused(product("'id':'p','name':'N','seler':'S'," FREE), 3, "unknown member \"seler\"", "seller");
    refused(product("'id':'p','name':'N','seller':'S','terms':{'url':'/t','versoin':'1'}," FREE), 3,
            "unknown member \"versoin\"", "terms");
    refused(offer("'id':'o','pricing':'usage','usage':[{'dimension':'a','prize':'1'}]"), 3,
            "unknown member \"prize\"", "price");
    refused("{'product':[]}", 1, "unknown member \"product\"", "products");
    refused("{'products':[],\n'version':1}", 2, "unknown member \"version\"", "products");
    refused("{'products':[],\n'products':[]}", 2, "a second member \"products\"", "");
}

static void a_message_is_one_line_whatever_the_file_holds(void **state)
{
    refused(offer("'id':'o','pricing':'free','a\\n\\u001bb':1"), 3, "unknown member \"a??b\"", "");
}

static void a_product_needs_name_seller_and_an_offer(void **state)
{
    refused(product("'name':'N','seller':'S'," FREE), 3, "\"id\" is missing", "");
    refused(product("'id':'p','seller':'S'," FREE), 3, "\"name\" is missing", "product \"p\"");
    refused(product("'id':'p','name':'N'," FREE), 3, "\"seller\" is missing", "");
    refused(product("'id':'p','name':' ','seller':'S'," FREE), 3, "\"name\" is empty", "");
    refused(product("'id':'p','name':'N','seller':'S'"), 3, "\"offers\" is missing", "at least one");
    refused(product("'id':'p','name':'N','seller':'S','offers':[]"), 3, "\"offers\" is empty", "at least one");
    refused(product("'id':'p','name':'N','seller':'S','offers':[7]"), 3, "the number 7", "object");
    refused(product("'id':'p','name':'N','seller':'S','keywords':'a'," FREE), 3, "\"keywords\" is \"a\"", "list");
    refused(product("'id':'p','name':'N','seller':'S','terms':{'url':'/t'}," FREE), 3, "\"version\" is missing",
            "terms");
}

static void a_link_that_runs_in_a_browser_is_refused(void **state)
{
    static const char *const bad[] = { "javascript:alert(1)", "//evil.example/x", "data:text/html,x", "img.svg", "/a b",
                                       "/\\\\x" };
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(product(apr_psprintf(pool, "'id':'p','name':'N','seller':'S','image':'%s'," FREE, bad[i])), 3,
                "\"image\"", "http(s)");
}

/* ---- syntax and lines ----------------------------------------------------------------------------------------- */

static void a_mistake_of_syntax_has_its_line(void **state)
{
    refused("", 1, "the file ends", "'{'");
    refused("\n\n[]", 3, "'[' stands", "'{'");
    refused("{\"products\"\n[]}", 2, "'[' stands", "':'");
    refused("{'products':\n{}}", 2, "'{' stands", "'['");
    refused("{'products':[\n7]}", 2, "'7' stands", "the first product");
    refused("{'products':[\n{'id':'p',\n'name' 'N'}]}", 3, "not valid JSON", "begins in line 2");
    refused("{'products':[\n{'id':'p',\n'id':'q'}]}", 3, "duplicate", "");
    refused("{'products':[\n{'id':'p',\n'name':'N}]}\n\n\n", 3, "not valid JSON", "");
    refused("{'products':[\n{'id':'a\\\"\n'", 2, "not valid JSON", "");
    refused("{'products':[\n\n{'id':'p'", 3, "does not end", "missing");
    refused("{'products':[\n{'id':[}]}]}", 2, "not valid JSON", "");
    refused("{'products':[\n{'id':'\xc3('}]}", 2, "not valid JSON", "");
    refused(apr_pstrcat(pool, product("'id':'p','name':'N','seller':'S'," FREE), "x", NULL), 4, "'x' stands",
            "the end of the file");
    refused("{'products':[{'id':'p','name':'N','seller':'S'," FREE "},\n]}", 2, "']' stands", "the next product");
    refused("{'products':[{'id':'p','name':'N','seller':'S'," FREE "}\n{}]}", 2, "'{' stands", "',' or ']'");
    refused("{'products':[{'id':'p','name':'N','seller':'S'," FREE "}]\n", 2, "the file ends", "'}'");
}

/* The lines are right wherever a chunk of the file ends: products of changing length over many chunks. */
static void lines_are_right_in_a_long_file(void **state)
{
    char *text = malloc(4 * 1024 * 1024), *t = text, name[201];
    int i, line = 1;

    memset(name, 'n', sizeof(name));
    t += sprintf(t, "{'products':[\n");
    for (i = 0; i < 5000; i++, line += 3)
        t += sprintf(t, "{'id':'p%d','name':'%.*s\\\"\\\\','seller':'S',\n'offers':[{'id':'o%d','pricing':'free'},\n"
                     " {'id':'q%d','pricing':'%s'}]},\n", i, 1 + i % 200, name, i, i, i == 4999 ? "oops" : "byol");
    strcpy(t - 2, "]}");
    refused(text, line, "offer \"q4999\"", "\"oops\"");
    free(text);
}

static void a_missing_file_is_told(void **state)
{
    const char *path = apr_pstrcat(pool, dir, "/none.json", NULL), *db;

    assert_non_null(strstr(po_catalog_check(path, pool), "can't be opened"));
    assert_non_null(strstr(po_catalog_compile(path, dir, &db, pool), "can't be opened"));
    assert_null(db);
    assert_null(po_catalog_compiled(path, dir, pool));
}

static void a_product_that_never_ends_does_not_take_the_memory(void **state)
{
    apr_size_t len = 3 * 1024 * 1024;
    char *text = malloc(len);
    const char *wrong;

    memset(text, ' ', len);
    memcpy(text, "{'products':[{", 14);
    wrong = po_catalog_check(file_with(text, len), pool);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "within 1 MiB"));
    free(text);
}

/* ---- the compiled catalog ------------------------------------------------------------------------------------- */

static const char two_products[] =
    "{'products':[{'id':'prod-ab12','name':'Log Keeper \\u00e4','description':'Keeps logs','seller':'Keeper Ltd',"
    "'keywords':['logs','search'],'image':'/img/lk.svg','terms':{'url':'/terms/lk','version':'3'},'offers':["
    "{'id':'off-both','pricing':'contract','price':'900.00','currency':'USD','term':'P12M','unit':'EA','usage':["
    "{'dimension':'gb','description':'GB ingested','price':'0.25','unit':'E34'},"
    "{'dimension':'h','price':'0.00000001'}]},"
    "{'id':'off-year','pricing':'contract','price':'1200.00'}]},"
    "{'id':'prod-free','name':'F','seller':'S','offers':[{'id':'off-free','pricing':'free'}]}]}";

static const char *compiled(const char *text)
{
    const char *db, *wrong = po_catalog_compile(file_with(text, strlen(text)), dir, &db, pool);

    if (wrong)
        fail_msg("%s", wrong);
    return db;
}

static void an_offer_comes_back_as_it_was_written(void **state)
{
    po_catalog *c;
    po_offer *o;
    po_decimal want;
    const po_usage *u;

    assert_int_equal(po_catalog_open(&c, compiled(two_products), pool), APR_SUCCESS);
    assert_int_equal(po_catalog_offer(c, "off-both", pool, &o), APR_SUCCESS);
    assert_string_equal(o->product, "prod-ab12");
    assert_string_equal(o->name, "Log Keeper \xc3\xa4");
    assert_string_equal(o->description, "Keeps logs");
    assert_string_equal(o->seller, "Keeper Ltd");
    assert_string_equal(o->image, "/img/lk.svg");
    assert_string_equal(o->terms_url, "/terms/lk");
    assert_string_equal(o->terms_version, "3");
    assert_string_equal(o->offer, "off-both");
    assert_string_equal(o->pricing, "contract");
    assert_string_equal(o->currency, "USD");
    assert_string_equal(o->term, "P12M");
    assert_string_equal(o->unit, "EA");
    assert_true(o->has_price);
    po_decimal_parse(&want, "900", -1);
    assert_int_equal(po_decimal_compare(&o->price, &want), 0);
    assert_int_equal(o->usage->nelts, 2);
    u = &APR_ARRAY_IDX(o->usage, 0, po_usage);
    assert_string_equal(u->dimension, "gb");
    assert_string_equal(u->description, "GB ingested");
    assert_string_equal(u->unit, "E34");
    u = &APR_ARRAY_IDX(o->usage, 1, po_usage);
    assert_string_equal(u->dimension, "h");
    assert_string_equal(u->description, "h");
    assert_null(u->unit);
    po_decimal_parse(&want, "0.00000001", -1);
    assert_int_equal(po_decimal_compare(&u->price, &want), 0);
}

static void what_an_offer_does_not_have_is_null(void **state)
{
    po_catalog *c;
    po_offer *o;

    assert_int_equal(po_catalog_open(&c, compiled(two_products), pool), APR_SUCCESS);
    assert_int_equal(po_catalog_offer(c, "off-free", pool, &o), APR_SUCCESS);
    assert_null(o->description);
    assert_null(o->image);
    assert_null(o->terms_url);
    assert_null(o->terms_version);
    assert_null(o->currency);
    assert_null(o->term);
    assert_null(o->unit);
    assert_null(o->usage);
    assert_false(o->has_price);
    assert_true(po_decimal_is_zero(&o->price));
}

static void an_item_is_an_offer_or_a_products_first_offer(void **state)
{
    po_buyer anybody = { "acme" };
    po_catalog *c;
    po_offer *o;

    assert_int_equal(po_catalog_open(&c, compiled(two_products), pool), APR_SUCCESS);
    assert_int_equal(po_catalog_item(c, "off-year", &anybody, pool, &o), APR_SUCCESS);
    assert_string_equal(o->offer, "off-year");
    assert_int_equal(po_catalog_item(c, "prod-ab12", &anybody, pool, &o), APR_SUCCESS);
    assert_string_equal(o->offer, "off-both");
    assert_int_equal(po_catalog_item(c, "prod-none", &anybody, pool, &o), APR_NOTFOUND);
    assert_int_equal(po_catalog_offer(c, "prod-ab12", pool, &o), APR_NOTFOUND);
    assert_int_equal(po_catalog_offer(c, "' OR 1=1 --", pool, &o), APR_NOTFOUND);
    assert_int_equal(po_catalog_offer(c, "", pool, &o), APR_NOTFOUND);
}

static void an_unchanged_catalog_is_not_compiled_again(void **state)
{
    const char *file = file_with(two_products, strlen(two_products)), *first, *second;
    apr_finfo_t before, after;

    assert_null(po_catalog_compile(file, dir, &first, pool));
    apr_stat(&before, first, APR_FINFO_INODE | APR_FINFO_MTIME, pool);
    assert_null(po_catalog_compile(file, dir, &second, pool));
    apr_stat(&after, second, APR_FINFO_INODE | APR_FINFO_MTIME, pool);
    assert_string_equal(first, second);
    assert_true(before.inode == after.inode && before.mtime == after.mtime);
    assert_string_equal(po_catalog_compiled(file, dir, pool), first);
}

static int exists(const char *path)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, pool) == APR_SUCCESS;
}

static void compiled_catalogs_that_nobody_uses_are_removed_and_nothing_else(void **state)
{
    const char *old = compiled(two_products), *used = compiled(apr_pstrcat(pool, two_products, "\n", NULL));
    const char *ledger = apr_pstrcat(pool, dir, "/ledger.db", NULL);
    const char *named_alike = apr_pstrcat(pool, dir, "/catalog-mine.db", NULL);
    apr_array_header_t *keep = apr_array_make(pool, 1, sizeof(const char *));
    apr_file_t *f;

    assert_int_equal(apr_file_open(&f, ledger, APR_FOPEN_CREATE | APR_FOPEN_WRITE, APR_FPROT_OS_DEFAULT, pool), APR_SUCCESS);
    assert_int_equal(apr_file_open(&f, named_alike, APR_FOPEN_CREATE | APR_FOPEN_WRITE, APR_FPROT_OS_DEFAULT, pool), APR_SUCCESS);
    APR_ARRAY_PUSH(keep, const char *) = used;
    po_catalog_prune(dir, keep, pool);
    assert_false(exists(old));
    assert_true(exists(used) && exists(ledger) && exists(named_alike));
    assert_true(exists(apr_pstrcat(pool, dir, "/catalog-history.db", NULL)));
    po_catalog_prune(apr_pstrcat(pool, dir, "/nowhere", NULL), keep, pool);
    assert_true(exists(used));
}

static void a_changed_byte_gives_another_file_and_a_mistake_leaves_none(void **state)
{
    const char *first = compiled(two_products), *second = compiled(apr_pstrcat(pool, two_products, "\n", NULL)), *db;
    const char *broken = "{'products':[7]}";
    int files = 0;
    apr_finfo_t info;
    apr_dir_t *d;

    assert_string_not_equal(first, second);
    assert_non_null(po_catalog_compile(file_with(broken, strlen(broken)), dir, &db, pool));
    assert_int_equal(apr_dir_open(&d, dir, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        files++;
        if (strncmp(info.name, "catalog-", 8) == 0)
            assert_non_null(strstr(info.name, ".db"));
    }
    apr_dir_close(d);
    assert_int_equal(files, 6);         /* ".", "..", catalog.json, the history and two compiled ones: nothing half done */
}

static void a_catalog_in_a_directory_with_odd_characters_opens(void **state)
{
    const char *odd = apr_pstrcat(pool, dir, "/a?b#c%41", NULL), *db;
    const char *file = file_with(two_products, strlen(two_products));
    po_catalog *c;
    po_offer *o;

    assert_int_equal(apr_dir_make(odd, APR_FPROT_OS_DEFAULT, pool), APR_SUCCESS);
    assert_null(po_catalog_compile(file, odd, &db, pool));
    assert_int_equal(po_catalog_open(&c, db, pool), APR_SUCCESS);
    assert_int_equal(po_catalog_offer(c, "off-free", pool, &o), APR_SUCCESS);
    apr_file_remove(db, pool);
    apr_dir_remove(odd, pool);
}

static void a_directory_that_is_not_there_and_a_file_that_is_no_catalog_are_told(void **state)
{
    const char *file = file_with(two_products, strlen(two_products)), *db, *wrong;
    po_catalog *c;

    wrong = po_catalog_compile(file, apr_pstrcat(pool, dir, "/none", NULL), &db, pool);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "make the directory"));
    assert_int_equal(po_catalog_open(&c, file, pool), APR_EGENERAL);
    assert_int_equal(po_catalog_open(&c, apr_pstrcat(pool, dir, "/none.db", NULL), pool), APR_EGENERAL);
}

/* ---- terms ---------------------------------------------------------------------------------------------------- */

static void a_term_is_told_in_words(void **state)
{
    static const char *const terms[][2] = { { "P12M", "12 months" }, { "P1M", "1 month" }, { "P14D", "14 days" },
                                            { "P1Y6M", "1 year 6 months" }, { "P2W", "2 weeks" }, { "PT1H", "1 hour" },
                                            { "P1DT12H30M", "1 day 12 hours 30 minutes" }, { "P1Y0M", "1 year" },
                                            { "soon", "soon" } };
    apr_size_t i;

    for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
        assert_string_equal(po_term_text(terms[i][0], pool), terms[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_pricing_is_accepted),
        cmocka_unit_test(the_demos_catalog_has_no_mistake),
        cmocka_unit_test(money_as_a_json_number_is_refused),
        cmocka_unit_test(a_price_that_a_buyers_cart_can_not_hold_is_found),
        cmocka_unit_test(a_price_that_is_no_plain_decimal_is_refused),
        cmocka_unit_test(what_a_pricing_demands_must_be_there),
        cmocka_unit_test(what_costs_nothing_must_have_no_price),
        cmocka_unit_test(a_bad_currency_term_or_unit_is_refused),
        cmocka_unit_test(ids_that_procurement_systems_refuse_are_refused),
        cmocka_unit_test(an_id_is_used_once),
        cmocka_unit_test(an_id_is_used_once_within_a_product_too),
        cmocka_unit_test(a_misspelt_member_is_refused),
        cmocka_unit_test(a_message_is_one_line_whatever_the_file_holds),
        cmocka_unit_test(a_product_needs_name_seller_and_an_offer),
        cmocka_unit_test(a_link_that_runs_in_a_browser_is_refused),
        cmocka_unit_test(a_mistake_of_syntax_has_its_line),
        cmocka_unit_test(lines_are_right_in_a_long_file),
        cmocka_unit_test(a_missing_file_is_told),
        cmocka_unit_test(a_product_that_never_ends_does_not_take_the_memory),
        cmocka_unit_test(a_changed_byte_gives_another_file_and_a_mistake_leaves_none),
        cmocka_unit_test(an_offer_comes_back_as_it_was_written),
        cmocka_unit_test(what_an_offer_does_not_have_is_null),
        cmocka_unit_test(an_item_is_an_offer_or_a_products_first_offer),
        cmocka_unit_test(compiled_catalogs_that_nobody_uses_are_removed_and_nothing_else),
        cmocka_unit_test(an_unchanged_catalog_is_not_compiled_again),
        cmocka_unit_test(a_catalog_in_a_directory_with_odd_characters_opens),
        cmocka_unit_test(a_directory_that_is_not_there_and_a_file_that_is_no_catalog_are_told),
        cmocka_unit_test(a_term_is_told_in_words),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
