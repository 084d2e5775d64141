/* ledger_fixture.h - a fresh ledger for each test of the ledger room, and how to look into it. */
#ifndef LEDGER_FIXTURE_H
#define LEDGER_FIXTURE_H

#include "ledger/ledger_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "apr_file_io.h"
#include "apr_general.h"
#include <cmocka.h>

#define SITE "https://market.example"

typedef struct {                        /* of each test: a pool, a directory, a fresh ledger in it */
    apr_pool_t *p;
    char *dir;
    const char *path;
    po_ledger_db db;                    /* a connection that commits each statement */
} fixture;

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static inline int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    const char *wrong, *base;

    apr_pool_create(&f->p, NULL);
    if (apr_temp_dir_get(&base, f->p) != APR_SUCCESS)
        return -1;
    f->dir = apr_pstrcat(f->p, base, "/punchout-ledger-XXXXXX", NULL);
    if (!mkdtemp(f->dir))
        return -1;
    f->path = apr_pstrcat(f->p, f->dir, "/ledger.db", NULL);
    wrong = po_ledger_migrate(f->path, f->p);
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        return -1;
    }
    if (po_db_open(&f->db, f->path, SQLITE_OPEN_READWRITE) != SQLITE_OK)
        return -1;
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    fixture *f = *state;
    static const char *const names[] = { "/ledger.db", "/ledger.db-wal", "/ledger.db-shm", "/old.db" };
    size_t i;

    po_db_close(&f->db, 0);
    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(apr_pstrcat(f->p, f->dir, names[i], NULL));
    rmdir(f->dir);
    apr_pool_destroy(f->p);
    free(f);
    return 0;
}

static inline apr_int64_t number(po_ledger_db *db, const char *query)
{
    sqlite3_stmt *st = NULL;
    apr_int64_t n = -1;

    assert_int_equal(sqlite3_prepare_v2(db->handle, query, -1, &st, NULL), SQLITE_OK);
    if (sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static inline void assert_text(const char *got, const char *wanted)
{
    if (!wanted)
        assert_null(got);
    else {
        assert_non_null(got);
        assert_string_equal(got, wanted);
    }
}

static inline void assert_contains(const char *text, const char *part)
{
    assert_non_null(text);
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* None of the statements that the test left in its connection reads a whole table. */
static inline void assert_indexed(fixture *f, int at_least)
{
    sqlite3_stmt *st = NULL, *plan;
    int seen = 0;

    while ((st = sqlite3_next_stmt(f->db.handle, st))) {
        const char *query = apr_pstrcat(f->p, "EXPLAIN QUERY PLAN ", sqlite3_sql(st), NULL);

        assert_int_equal(sqlite3_prepare_v2(f->db.handle, query, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);

            /* a subquery's rows are read, but what it reads has a step of its own in the plan */
            if (!strncmp(step, "SCAN", 4) && strncmp(step, "SCAN (subquery", 14)
                && !strstr(step, " INDEX outbox_owner") && !strstr(step, "CONSTANT ROW"))
                fail_msg("%s: %s", sqlite3_sql(st), step);
        }
        sqlite3_finalize(plan);
        seen++;
    }
    assert_true(seen >= at_least);
}

#endif
