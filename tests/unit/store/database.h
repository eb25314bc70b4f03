#pragma once

/* What the tests of store/ share: a database to play with, named by BILLINGOS_TEST_DATABASE_URL,
 * and contexts. Each program works in a schema of its own, which is dropped at the end; without the
 * variable it is skipped with a word. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "store/db.h"

#define TEST_SKIPPED 77
#define TEST_ARENA_BYTES ((size_t)8 * 1024 * 1024)

struct test_call {
    struct arena arena;
    struct ctx cx;
    struct canceller canceller;
};

static inline void test_call_init(struct test_call *call)
{
    arena_init(&call->arena, NULL, 0, TEST_ARENA_BYTES);
    ctx_init(&call->cx, &call->arena, "test");
    atomic_init(&call->canceller.gone, false);
    atomic_init(&call->canceller.wake_fd, -1);
}

static inline void test_call_release(struct test_call *call)
{
    arena_release(&call->arena);
}

#define TEST_CALL(name)                            \
    AUTO(test_call_release) struct test_call name; \
    test_call_init(&name)

static inline const char *test_database_url(void)
{
    return getenv("BILLINGOS_TEST_DATABASE_URL");
}

/* The URL with a search path of our own. */
static inline const char *test_schema_url(struct arena *arena, const char *schema)
{
    const char *url = test_database_url();

    return arena_printf(
        arena,
        "%s%coptions=-csearch_path%%3D%s",
        url,
        strchr(url, '?') == NULL ? '?' : '&',
        schema);
}

static inline struct db *test_db_at(const char *url, uint32_t connections_max)
{
    TEST_CALL(call);
    struct db *db = NULL;
    const struct db_config config = {
        .url = url,
        .connections_max = connections_max,
        .acquire_ms_max = 1500,
        .statement_ms_max = 10000,
        .application_name = "billingos-test",
    };

    assert_int_equal(db_new(&call.cx, &config, &db).code, CODE_OK);
    return db;
}

static inline const char *test_schema_name(struct arena *arena)
{
    return arena_printf(arena, "test_%d", (int)getpid());
}

static inline struct db *test_db(uint32_t connections_max)
{
    TEST_CALL(call);

    return test_db_at(test_schema_url(&call.arena, test_schema_name(&call.arena)), connections_max);
}

/* SQL that exists once; the statement must not have parameters. */
static inline struct status test_try(struct ctx *cx, struct db *db, const char *text)
{
    struct sql *sql = arena_alloc(cx->arena, sizeof *sql);

    *sql = (struct sql){"test", text};
    return db_execute(cx, db, sql, &NO_PARAMS, NULL);
}

static inline void test_must(struct status status)
{
    if (status.code != CODE_OK) {
        fail_msg(
            "%s %s: %s",
            code_name(status.code),
            reason_name(status_reason(status)),
            status_message(status));
    }
}

/* Through a connection of its own, because the address of the statement dies with this call. */
static inline void test_sql(const char *text)
{
    TEST_CALL(call);
    struct db *db = test_db(1);

    test_must(test_try(&call.cx, db, text));
    db_free(db);
}

static inline int64_t test_number(const char *text)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct sql sql = {"test", text};
    struct rows *rows = NULL;
    int64_t number = 0;

    test_must(db_query(&call.cx, db, &sql, &NO_PARAMS, &rows));
    number = row_i64(rows, 0, 0);
    rows_release(&rows);
    db_free(db);
    return number;
}

static inline int test_schema_create(void **state)
{
    TEST_CALL(call);

    (void)state;
    test_sql(
        arena_printf(&call.arena, "CREATE SCHEMA IF NOT EXISTS %s", test_schema_name(&call.arena)));
    return 0;
}

static inline int test_schema_drop(void **state)
{
    TEST_CALL(call);

    (void)state;
    test_sql(arena_printf(&call.arena, "DROP SCHEMA %s CASCADE", test_schema_name(&call.arena)));
    return 0;
}

/* For main(): returns from it when there is no database. */
#define TEST_NEEDS_DATABASE()                                                   \
    do {                                                                        \
        if (test_database_url() == NULL) {                                      \
            print_message("skipped: BILLINGOS_TEST_DATABASE_URL is not set\n"); \
            return TEST_SKIPPED;                                                \
        }                                                                       \
    } while (0)
