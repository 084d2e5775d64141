/* test_search.c - finding products in the compiled catalog, who may see which, and what changed since when. */
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

#include <sqlite3.h>

static apr_pool_t *pool;
static const char *dir;
static po_buyer acme = { .name = "acme-coupa", .organization = "acme" };
static po_buyer globex = { .name = "globex", .organization = "globex" };

static int group_setup(void **state)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    return 0;
}

static int group_teardown(void **state)
{
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static int setup(void **state)
{
    dir = mkdtemp(apr_pstrdup(pool, "/tmp/test_search.XXXXXX"));
    return dir ? 0 : -1;
}

static int teardown(void **state)
{
    apr_finfo_t info;
    apr_dir_t *d;

    if (apr_dir_open(&d, dir, pool) == APR_SUCCESS) {
        while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS)
            if (info.name[0] != '.')
                apr_file_remove(apr_pstrcat(pool, dir, "/", info.name, NULL), pool);
        apr_dir_close(d);
    }
    return rmdir(dir);
}

/* ---- catalogs, written with ' where JSON has " ------------------------------------------------------------------- */

static const char *product(const char *id, const char *name, const char *more)
{
    return apr_psprintf(pool, "{'id':'%s','name':'%s','seller':'Keeper Ltd'%s,'offers':[{'id':'off-%s','pricing':'contract',"
                        "'price':'10.00','currency':'USD'}]}", id, name, more, id);
}

static po_catalog *catalog_of(const char *products, const char **db)
{
    const char *path = apr_pstrcat(pool, dir, "/catalog.json", NULL), *compiled, *wrong;
    FILE *f = fopen(path, "w");
    po_catalog *c;

    assert_non_null(f);
    fputs("{\"products\":[", f);
    for (; *products; products++)
        putc(*products == '\'' ? '"' : *products, f);
    fputs("]}", f);
    fclose(f);
    wrong = po_catalog_compile(path, dir, &compiled, pool);
    if (wrong)
        print_message("%s\n", wrong);
    assert_null(wrong);
    assert_int_equal(po_catalog_open(&c, compiled, pool), APR_SUCCESS);
    if (db)
        *db = compiled;
    return c;
}

/* "a b c": the products that are found, best first. */
static const char *found(po_catalog *c, const char *query, const po_buyer *buyer)
{
    const char *ids = "";
    po_search_hits hits;
    int i;

    assert_int_equal(po_catalog_search(c, query, buyer, 1, 20, pool, &hits), APR_SUCCESS);
    for (i = 0; i < hits.offers->nelts; i++)
        ids = apr_pstrcat(pool, ids, i ? " " : "", APR_ARRAY_IDX(hits.offers, i, po_offer *)->product, NULL);
    return ids;
}

static po_catalog *shelf(void)
{
    return catalog_of(apr_pstrcat(pool,
        product("p1", "Log Keeper", ",'description':'Stores what your servers write.','keywords':['observability']"), ",",
        product("p2", "Metrics", ",'description':'Charts. Reads the format of Log Keeper, too.'"), ",",
        product("p3", "Kubernetes Guard", ",'description':'S\xc3\xa9" "curit\xc3\xa9 des conteneurs'"), ",",
        product("p4", "B\xc3\xbc" "cher", ",'keywords':['C++','e-mail']"), NULL), NULL);
}

/* ---- search ------------------------------------------------------------------------------------------------------ */

static void words_are_found_in_any_order_and_the_last_one_as_a_beginning(void **state)
{
    po_catalog *c = shelf();

    assert_string_equal(found(c, "log keeper", &acme), "p1 p2");
    assert_string_equal(found(c, "keeper log", &acme), "p1 p2");
    assert_string_equal(found(c, "KEEPER lo", &acme), "p1 p2");
    assert_string_equal(found(c, "kee log", &acme), "");            /* a beginning is the last word alone */
    assert_string_equal(found(c, "observ", &acme), "p1");
    assert_string_equal(found(c, "keeper metrics", &acme), "p2");
}

static void a_word_in_the_name_counts_more_than_one_in_the_description(void **state)
{
    po_catalog *c = catalog_of(apr_pstrcat(pool, product("p1", "Charts", ",'description':'backup backup'"), ",",
                                           product("p2", "Backup", ",'description':'charts'"), NULL), NULL);

    assert_string_equal(found(c, "backup", &acme), "p2 p1");
    assert_string_equal(found(c, "charts", &acme), "p1 p2");
}

static void a_word_in_the_name_counts_more_than_in_all_other_places(void **state)
{
    po_catalog *c = catalog_of(apr_pstrcat(pool,
        product("p1", "Vault of the Keeper", ",'description':'backup, backup and backup','keywords':['backup']"), ",",
        product("p2", "Vault", ",'description':'backup'"), ",",
        product("p3", "A Long Name with a Backup in it", ""), NULL), NULL);

    assert_string_equal(found(c, "backup", &acme), "p3 p1 p2");
    assert_string_equal(found(c, "vault backup", &acme), "p1 p2");
}

static void a_whole_word_comes_before_one_that_only_begins_so(void **state)
{
    po_catalog *c = catalog_of(apr_pstrcat(pool, product("p1", "Javascript", ""), ",", product("p2", "The Java Kit", ""), ",",
                                           product("p3", "Charts", ",'description':'java'"), NULL), NULL);

    assert_string_equal(found(c, "java", &acme), "p2 p1 p3");
    assert_string_equal(found(c, "jav", &acme), "p1 p2 p3");
}

static void a_beginning_finds_each_word_that_it_begins_however_many(void **state)
{
    const char *all = product("p0", "Guard", "");
    po_search_hits hits;
    po_catalog *c;
    int i;

    for (i = 1; i <= 100; i++)
        all = apr_pstrcat(pool, all, ",", product(apr_psprintf(pool, "p%d", i), apr_psprintf(pool, "Vault%d Guard%s", i,
                                                  i % 10 ? "" : "ian"), ""), NULL);
    c = catalog_of(all, NULL);
    assert_int_equal(po_catalog_search(c, "vault", &acme, 1, 20, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.total, 100);
    assert_int_equal(po_catalog_search(c, "vault1", &acme, 1, 20, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.total, 12);                                /* 1, 10 to 19, 100 */
    assert_string_equal(APR_ARRAY_IDX(hits.offers, 0, po_offer *)->product, "p1");
    assert_int_equal(po_catalog_search(c, "guard", &acme, 1, 20, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.total, 101);
    assert_string_equal(found(c, "guardia", &acme), "p10 p20 p30 p40 p50 p60 p70 p80 p90 p100");
}

static void words_that_begin_alike_count_once(void **state)
{
    po_catalog *c = catalog_of(apr_pstrcat(pool, product("p1", "Manage Managers Management", ""), ",",
                                           product("p2", "Manage", ""), NULL), NULL);

    assert_string_equal(found(c, "manage", &acme), "p2 p1");
}

static void among_equals_the_shorter_name_is_first_then_the_order_of_the_catalog(void **state)
{
    po_catalog *c = catalog_of(apr_pstrcat(pool, product("p3", "Log of Everything", ""), ",", product("p2", "Log One", ""), ",",
                                           product("p1", "Log Two", ""), NULL), NULL);

    assert_string_equal(found(c, "log", &acme), "p2 p1 p3");
}

static void accents_make_no_difference(void **state)
{
    po_catalog *c = shelf();

    assert_string_equal(found(c, "securite", &acme), "p3");
    assert_string_equal(found(c, "s\xc3\xa9" "curit\xc3\xa9", &acme), "p3");
    assert_string_equal(found(c, "bucher", &acme), "p4");
    assert_string_equal(found(c, "B\xc3\x9c" "CHER", &acme), "p4");
}

static void typing_errors_are_forgiven_where_nothing_else_matches(void **state)
{
    po_catalog *c = shelf();
    po_search_hits hits;

    assert_string_equal(found(c, "metrcs", &acme), "p2");
    assert_string_equal(found(c, "mertics", &acme), "p2");
    assert_string_equal(found(c, "kuberentes gaurd", &acme), "p3");
    assert_string_equal(found(c, "kubrnet", &acme), "p3");           /* the beginning of a word with an error */
    assert_string_equal(found(c, "zzzzzzzz", &acme), "");
    assert_string_equal(found(c, "lgo", &acme), "");                 /* so short a word is like too many others */
    assert_int_equal(po_catalog_search(c, "metrcs", &acme, 1, 20, pool, &hits), APR_SUCCESS);
    assert_true(hits.corrected);
    assert_int_equal(po_catalog_search(c, "metrics", &acme, 1, 20, pool, &hits), APR_SUCCESS);
    assert_false(hits.corrected);
}

/* Else whoever tries words learns which of them stand in what others alone may see. */
static void corrections_tell_nothing_of_hidden_products(void **state)
{
    static const char private[] = ",'allowedOrganizations':['globex']";
    po_catalog *c = catalog_of(apr_pstrcat(pool, product("p1", "Metrics", ""), ",", product("p2", "Matrics Mitrics", private), ",",
                                           product("p3", "Motrics Mutrics Mytrics", private), NULL), NULL);

    assert_string_equal(found(c, "matrics", &globex), "p2");
    assert_string_equal(found(c, "matrics", &acme), "p1");           /* as if nobody had such a word */
    assert_string_equal(found(c, "mxtrics", &acme), "p1");           /* not crowded out by five others that are as much alike */
}

static void nothing_that_is_typed_is_an_operator_or_an_error(void **state)
{
    static const char *const odd[] = { "", " ", "\"", "log\" OR \"a", "NEAR(a b)", "name:log", "*", "-", "^log", "a AND", "(((",
                                       "'; DROP TABLE product", "\x01\x02", "\xff\xfe", "\xe2\x80\x93", "{log}", "+ + +" };
    po_catalog *c = shelf();
    po_search_hits hits;
    char *longest = apr_palloc(pool, 100001);
    apr_size_t i;

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        assert_int_equal(po_catalog_search(c, odd[i], &acme, 1, 20, pool, &hits), APR_SUCCESS);
    for (i = 0; i < 100000; i++)
        longest[i] = i % 3 ? 'a' : ' ';
    longest[100000] = '\0';
    assert_int_equal(po_catalog_search(c, longest, &acme, 1, 20, pool, &hits), APR_SUCCESS);
    memset(longest, 'x', 100000);
    assert_int_equal(po_catalog_search(c, longest, &acme, 1, 20, pool, &hits), APR_SUCCESS);
    assert_string_equal(found(c, "e-mail", &acme), "p4");
    assert_string_equal(found(c, "log-keeper", &acme), "p1 p2");
}

static void pages_never_repeat_a_product_and_cover_all_of_them(void **state)
{
    int page, i, n = 0, seen[57] = { 0 };
    const char *all = "";
    po_search_hits hits;
    po_catalog *c;

    for (i = 0; i < 57; i++)
        all = apr_pstrcat(pool, all, i ? "," : "", product(apr_psprintf(pool, "p%d", i), "Equal Name", ""), NULL);
    c = catalog_of(all, NULL);
    for (page = 1; page <= 7; page++) {
        assert_int_equal(po_catalog_search(c, "equal", &acme, page, 10, pool, &hits), APR_SUCCESS);
        assert_int_equal(hits.total, 57);
        for (i = 0; i < hits.offers->nelts; i++, n++) {
            int id = atoi(APR_ARRAY_IDX(hits.offers, i, po_offer *)->product + 1);

            assert_false(seen[id]);
            seen[id] = 1;
        }
    }
    assert_int_equal(n, 57);
    assert_int_equal(po_catalog_search(c, "equal", &acme, 0, 10, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.offers->nelts, 0);
    assert_int_equal(po_catalog_search(c, "equal", &acme, 2000000000, 10, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.offers->nelts, 0);
}

/* A catalog in which a word is common: in the name of every third product, in the description of each. Every fifth one is
 * denied to globex. */
#define COMMON 1500

static po_catalog *common(void)
{
    apr_array_header_t *all = apr_array_make(pool, COMMON, sizeof(const char *));
    int i;

    for (i = 0; i < COMMON; i++)
        APR_ARRAY_PUSH(all, const char *) = product(apr_psprintf(pool, "p%d", i),
            apr_psprintf(pool, "%s%s", i % 3 ? "Thing" : "Cloud", i % 2 ? " and More" : ""),
            i % 5 ? ",'description':'in the cloud'" : ",'description':'in the cloud','deniedOrganizations':['globex']");
    return catalog_of(apr_array_pstrcat(pool, all, ','), NULL);
}

static void pages_of_a_common_word_show_each_product_once_and_names_first(void **state)
{
    char seen[COMMON] = { 0 };
    int page, i, n = 0, total = COMMON - COMMON / 5, named = COMMON / 3 - COMMON / 15;
    po_catalog *c = common();
    po_search_hits hits;

    for (page = 1; n < total; page++) {
        assert_int_equal(po_catalog_search(c, "cloud", &globex, page, 7, pool, &hits), APR_SUCCESS);
        assert_int_equal(hits.total, total);
        assert_int_equal(hits.offers->nelts, total - n < 7 ? total - n : 7);
        for (i = 0; i < hits.offers->nelts; i++, n++) {
            const po_offer *o = APR_ARRAY_IDX(hits.offers, i, po_offer *);
            int id = atoi(o->product + 1);

            assert_false(seen[id]++);
            assert_true(id % 5);
            assert_int_equal(!strncmp(o->name, "Cloud", 5), n < named);
        }
    }
    assert_int_equal(po_catalog_search(c, "cloud", &globex, page, 7, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.offers->nelts, 0);
    assert_int_equal(hits.total, total);
}

static void a_page_is_the_same_part_of_the_order_whatever_its_size(void **state)
{
    po_search_hits all, hits;
    po_catalog *c = common();
    int page, i, size;

    assert_int_equal(po_catalog_search(c, "c", &acme, 1, COMMON, pool, &all), APR_SUCCESS);
    assert_int_equal(all.offers->nelts, COMMON);
    for (size = 1; size < COMMON; size = 3 * size + 1)
        for (page = 1; page <= 3; page++) {
            assert_int_equal(po_catalog_search(c, "c", &acme, page, size, pool, &hits), APR_SUCCESS);
            for (i = 0; i < hits.offers->nelts; i++)
                assert_string_equal(APR_ARRAY_IDX(hits.offers, i, po_offer *)->product,
                                    APR_ARRAY_IDX(all.offers, (page - 1) * size + i, po_offer *)->product);
        }
}

/* ---- who may see it ---------------------------------------------------------------------------------------------- */

static const char *private_offers =
    "{'id':'p1','name':'Log Keeper','seller':'Keeper Ltd','offers':["
    "{'id':'off-acme','pricing':'contract','price':'1.00','currency':'USD','organizations':['acme']},"
    "{'id':'off-all','pricing':'contract','price':'2.00','currency':'USD'}]},"
    "{'id':'p2','name':'Log Secret','seller':'Keeper Ltd','offers':["
    "{'id':'off-secret','pricing':'contract','price':'3.00','currency':'USD','organizations':['acme','initech']}]},"
    "{'id':'p3','name':'Log Allowed','seller':'Guard AG','allowedOrganizations':['globex'],'offers':[{'id':'off-3','pricing':'free'}]},"
    "{'id':'p4','name':'Log Denied','seller':'Guard AG','deniedOrganizations':['globex','glob'],'offers':[{'id':'off-4','pricing':'free'}]}";

static void only_what_a_buyer_may_see_is_found_and_counted(void **state)
{
    po_catalog *c = catalog_of(private_offers, NULL);
    po_buyer part = { .name = "acm", .organization = "acm" }, keeper = acme;
    po_search_hits hits;

    assert_string_equal(found(c, "log", &acme), "p1 p2 p4");
    assert_string_equal(found(c, "log", &globex), "p1 p3");
    assert_string_equal(found(c, "log", &part), "p1 p4");            /* part of a name is another name */
    assert_int_equal(po_catalog_search(c, "log", &globex, 1, 1, pool, &hits), APR_SUCCESS);
    assert_int_equal(hits.total, 2);
    keeper.sellers = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(keeper.sellers, const char *) = "Keeper Ltd";
    assert_string_equal(found(c, "log", &keeper), "p1 p2");
}

/* More than a rowid has numbers for. */
static void a_buyers_sellers_are_told_apart_however_many_there_are(void **state)
{
    enum { SELLERS = 4200 };
    apr_array_header_t *all = apr_array_make(pool, SELLERS, sizeof(const char *));
    po_buyer some = acme;
    po_catalog *c;
    int i;

    for (i = 1; i <= SELLERS; i++)
        APR_ARRAY_PUSH(all, const char *) = apr_psprintf(pool, "{'id':'p%d','name':'Log','seller':'Seller %d','offers':["
                                                         "{'id':'off-%d','pricing':'free'}]}", i, i, i);
    c = catalog_of(apr_array_pstrcat(pool, all, ','), NULL);
    some.sellers = apr_array_make(pool, 4, sizeof(const char *));
    APR_ARRAY_PUSH(some.sellers, const char *) = "Seller 1";
    APR_ARRAY_PUSH(some.sellers, const char *) = "Seller 4095";
    APR_ARRAY_PUSH(some.sellers, const char *) = "Seller 4096";
    APR_ARRAY_PUSH(some.sellers, const char *) = "Seller 4200";
    APR_ARRAY_PUSH(some.sellers, const char *) = "Seller 9999";
    assert_string_equal(found(c, "log", &some), "p1 p4095 p4096 p4200");
    assert_string_equal(found(c, "seller 1234", &some), "");
    assert_string_equal(found(c, "seller 1234", &acme), "p1234");
}

static void a_private_offer_comes_first_for_those_it_is_for_and_is_nothing_to_others(void **state)
{
    po_catalog *c = catalog_of(private_offers, NULL);
    po_offer *o;

    assert_int_equal(po_catalog_item(c, "p1", &acme, pool, &o), APR_SUCCESS);
    assert_string_equal(o->offer, "off-acme");
    assert_int_equal(po_catalog_item(c, "p1", &globex, pool, &o), APR_SUCCESS);
    assert_string_equal(o->offer, "off-all");
    assert_int_equal(po_catalog_item(c, "off-acme", &globex, pool, &o), APR_NOTFOUND);
    assert_int_equal(po_catalog_item(c, "p2", &globex, pool, &o), APR_NOTFOUND);
}

static void a_hidden_offer_can_not_be_requested_either(void **state)
{
    po_catalog *c = catalog_of(private_offers, NULL);
    po_site site = { .public_url = "https://market.example" };
    po_request_form form = { "off-secret", "1" };
    po_request r = { .id = "req-1" };
    po_offer *o;

    globex.profile = acme.profile = *po_profile_find("generic");
    assert_int_equal(po_catalog_offer(c, "off-secret", pool, &o), APR_SUCCESS);
    assert_non_null(strstr(po_cart_build(&r, o, &form, &site, &globex, pool), "not for your organization"));
    assert_null(po_cart_build(&r, o, &form, &site, &acme, pool));
}

/* ---- since when -------------------------------------------------------------------------------------------------- */

static int list_entry(void *baton, const po_catalog_entry *e, apr_pool_t *p)
{
    const char **list = baton;

    *list = apr_pstrcat(pool, *list, **list ? " " : "", e->offer ? "" : "-", e->product, NULL);
    return 0;
}

static const char *listed(po_catalog *c, const po_buyer *buyer, apr_time_t since)
{
    const char *list = "", *s;
    int n, words = 0;

    assert_int_equal(po_catalog_walk(c, buyer, since, list_entry, &list, pool), APR_SUCCESS);
    assert_int_equal(po_catalog_count(c, buyer, since, &n, pool), APR_SUCCESS);
    for (s = list; *s; s++)
        words += *s == ' ';
    assert_int_equal(n, *list ? words + 1 : 0);
    return list;
}

/* As if all that is noted so far had been noted that long ago. */
static void age(apr_int64_t seconds)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(apr_pstrcat(pool, dir, "/catalog-history.db", NULL), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, apr_psprintf(pool, "UPDATE product SET changed=changed-%" APR_INT64_T_FMT ";"
                                                   "UPDATE gone SET at=at-%" APR_INT64_T_FMT, seconds, seconds), NULL, NULL,
                                  NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_walk_lists_what_a_buyer_may_see_and_since_a_time_what_changed(void **state)
{
    apr_time_t now = apr_time_now(), minute_ago = now - apr_time_from_sec(60), day_ago = now - apr_time_from_sec(86400);
    const char *one = product("p1", "One", ""), *two = product("p2", "Two", ""), *three = product("p3", "Three", "");
    po_catalog *c = catalog_of(apr_pstrcat(pool, one, ",", two, ",", three, NULL), NULL);

    assert_string_equal(listed(c, &acme, 0), "p1 p2 p3");
    assert_string_equal(listed(c, &acme, minute_ago), "p1 p2 p3");
    age(3600);
    c = catalog_of(apr_pstrcat(pool, one, ",", product("p2", "Two", ",'description':'changed'"), ",", product("p4", "Four", ""), NULL),
                   NULL);
    assert_string_equal(listed(c, &acme, 0), "p1 p2 p4");
    assert_string_equal(listed(c, &acme, minute_ago), "p2 p4 -p3");
    assert_string_equal(listed(c, &acme, day_ago), "p1 p2 p4 -p3");
    assert_string_equal(listed(c, &acme, now + apr_time_from_sec(60)), "");
}

static void an_earlier_catalog_that_comes_back_counts_as_a_change(void **state)
{
    apr_time_t minute_ago = apr_time_now() - apr_time_from_sec(60);
    const char *one = product("p1", "One", ""), *two = product("p2", "Two", ""), *first, *again;
    po_catalog *c;

    catalog_of(one, &first);
    age(3600);
    catalog_of(two, NULL);
    age(3600);
    c = catalog_of(one, &again);
    assert_string_equal(first, again);
    assert_string_equal(listed(c, &acme, minute_ago), "p1 -p2");
}

static void who_loses_sight_of_a_product_is_told_that_it_is_gone_and_nobody_else(void **state)
{
    apr_time_t minute_ago = apr_time_now() - apr_time_from_sec(60);
    po_catalog *c;

    catalog_of(apr_pstrcat(pool, product("p1", "One", ""), ",", product("p2", "Two", ",'allowedOrganizations':['acme']"), NULL), NULL);
    age(3600);
    c = catalog_of(product("p1", "One", ",'allowedOrganizations':['acme']"), NULL);
    assert_string_equal(listed(c, &globex, minute_ago), "-p1");      /* not -p2, which it never saw */
    assert_string_equal(listed(c, &acme, minute_ago), "p1 -p2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(words_are_found_in_any_order_and_the_last_one_as_a_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(a_word_in_the_name_counts_more_than_one_in_the_description, setup, teardown),
        cmocka_unit_test_setup_teardown(a_word_in_the_name_counts_more_than_in_all_other_places, setup, teardown),
        cmocka_unit_test_setup_teardown(a_whole_word_comes_before_one_that_only_begins_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_beginning_finds_each_word_that_it_begins_however_many, setup, teardown),
        cmocka_unit_test_setup_teardown(words_that_begin_alike_count_once, setup, teardown),
        cmocka_unit_test_setup_teardown(among_equals_the_shorter_name_is_first_then_the_order_of_the_catalog, setup, teardown),
        cmocka_unit_test_setup_teardown(accents_make_no_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(typing_errors_are_forgiven_where_nothing_else_matches, setup, teardown),
        cmocka_unit_test_setup_teardown(corrections_tell_nothing_of_hidden_products, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_that_is_typed_is_an_operator_or_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_never_repeat_a_product_and_cover_all_of_them, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_of_a_common_word_show_each_product_once_and_names_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_is_the_same_part_of_the_order_whatever_its_size, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_a_buyer_may_see_is_found_and_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_buyers_sellers_are_told_apart_however_many_there_are, setup, teardown),
        cmocka_unit_test_setup_teardown(a_private_offer_comes_first_for_those_it_is_for_and_is_nothing_to_others, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hidden_offer_can_not_be_requested_either, setup, teardown),
        cmocka_unit_test_setup_teardown(a_walk_lists_what_a_buyer_may_see_and_since_a_time_what_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(an_earlier_catalog_that_comes_back_counts_as_a_change, setup, teardown),
        cmocka_unit_test_setup_teardown(who_loses_sight_of_a_product_is_told_that_it_is_gone_and_nobody_else, setup, teardown)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
