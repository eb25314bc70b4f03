#pragma once

/* PostgreSQL: a pool of connections, statements that are prepared once per connection,
 * transactions, typed parameters and rows. All SQL of the program stands in store/, as static
 * struct sql.
 *
 * Deadline and cancellation: while a statement runs the owning thread waits for the socket, for the
 * canceller of cx and for the deadline; when either of the latter fires the statement is cancelled
 * on the server and the call fails with CANCELLED or DEADLINE_EXCEEDED.
 *
 * Errors: unreachable or shutting down -> DATABASE_UNAVAILABLE with a retry delay; what a caller
 * expects (unique violation ...) is asked for with db_unique_violation(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/id.h"
#include "base/status.h"

struct db;   /* the pool; thread-safe */
struct tx;   /* one connection in one transaction; belongs to one thread */
struct rows; /* a result; AUTO_ROWS */

struct db_config {
    const char *url; /* libpq URL or conninfo; several hosts allowed */
    uint32_t connections_max;
    int64_t acquire_ms_max;   /* waiting for a free connection */
    int64_t statement_ms_max; /* server-side statement_timeout, the second line */
    const char *application_name;
};

/* One prepared statement. Static const; its address is its identity. */
struct sql {
    const char *name; /* "customer_get": for metrics and as the name of the prepared statement */
    const char *text; /* $1 ..., every statement on a tenant table names org_id */
};

/* Parameters, sent in binary. Values are borrowed until the statement returns. Points into itself
 * (scratch): filled where it is used, never copied or returned. */
#define PARAMS_MAX 40
struct params {
    uint32_t count;
    uint32_t types[PARAMS_MAX]; /* Oid */
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    uint64_t scratch[PARAMS_MAX]; /* numbers in network order */
};

struct status db_new(struct ctx *cx, const struct db_config *config, struct db **ret_db) MUST_CHECK;
void db_free(struct db *db);

/* Opens one connection now, to say at start what is wrong. */
struct status db_ping(struct ctx *cx, struct db *db) MUST_CHECK;

/* Starts a transaction on a connection of the pool. Fails with WOULD_BLOCK when cx may not block,
 * SERVER_OVERLOADED when no connection becomes free, DATABASE_UNAVAILABLE. */
struct status tx_begin(struct ctx *cx, struct db *db, struct tx **ret_tx) MUST_CHECK;
struct status tx_commit(struct ctx *cx, struct tx *tx) MUST_CHECK;
/* Rolls back unless committed, gives the connection back, sets *tx to NULL. For AUTO_TX. */
void tx_end(struct tx **tx);
#define AUTO_TX AUTO(tx_end) struct tx *

/* Runs work in a transaction and commits; on a serialization failure or deadlock (40001, 40P01)
 * runs it again, at most 3 times with jitter, then TRANSACTION_CONFLICT. work must be repeatable.
 */
typedef struct status (*tx_fn)(struct ctx *cx, struct tx *tx, void *user);
struct status tx_run(struct ctx *cx, struct db *db, tx_fn work, void *user) MUST_CHECK;

/* One statement inside a transaction. */
struct status tx_query(
    struct ctx *cx,
    struct tx *tx,
    const struct sql *sql,
    const struct params *params,
    struct rows **ret_rows) MUST_CHECK;
/* The same without a result; *ret_affected may be NULL. */
struct status tx_execute(
    struct ctx *cx,
    struct tx *tx,
    const struct sql *sql,
    const struct params *params,
    int64_t *ret_affected) MUST_CHECK;

/* Adds a statement to the next round trip of the transaction, the one of the next tx_query(),
 * tx_execute() or tx_commit(), which also reports its failure. params are copied. At most 30 wait.
 */
struct status tx_queue_execute(
    struct ctx *cx, struct tx *tx, const struct sql *sql, const struct params *params) MUST_CHECK;

/* One statement in a transaction of its own (autocommit, one round trip). */
struct status db_query(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const struct params *params,
    struct rows **ret_rows) MUST_CHECK;
struct status db_execute(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const struct params *params,
    int64_t *ret_affected) MUST_CHECK;

/* The failed statement violated this unique or foreign-key constraint (NULL: any). */
bool db_unique_violation(struct status status, const char *constraint);
bool db_foreign_key_violation(struct status status, const char *constraint);
/* The five letters that the server gave, for errors raised by our own SQL ("BQ001"); else "". */
const char *db_sqlstate(struct status status);

void params_i64(struct params *p, int64_t value);
void params_i32(struct params *p, int32_t value);
void params_bool(struct params *p, bool value);
void params_text(struct params *p, const char *value); /* NULL = NULL */
void params_bytes(struct params *p, const void *bytes, size_t len);
void params_id(struct params *p, const struct id *id); /* the zero id = NULL */
/* timestamptz; INT64_MAX and INT64_MIN are infinity and -infinity, here and in row_time(). */
void params_time(struct params *p, int64_t time_us);
void params_time_or_null(struct params *p, int64_t time_us); /* 0 = NULL */
void params_i64_or_null(struct params *p, int64_t value, bool present);
void params_json(struct params *p, const char *json); /* jsonb; NULL = NULL */
/* One-dimensional arrays, in the arena of cx. */
void params_i64_array(struct ctx *cx, struct params *p, const int64_t *values, size_t count);
void params_i32_array(struct ctx *cx, struct params *p, const int32_t *values, size_t count);
/* A zero id is a NULL, a NULL text is a NULL. */
void params_id_array(struct ctx *cx, struct params *p, const struct id *values, size_t count);
void params_time_array(struct ctx *cx, struct params *p, const int64_t *values, size_t count);
void params_text_array(struct ctx *cx, struct params *p, const char *const *values, size_t count);
void params_json_array(struct ctx *cx, struct params *p, const char *const *values, size_t count);

void rows_release(struct rows **rows);
#define AUTO_ROWS AUTO(rows_release) struct rows *
size_t rows_count(const struct rows *rows);

/* Reading one column of one row, in binary; a NULL reads as 0, false, "", the zero id. The type
 * must be the one named (an assertion: it is our SQL). Texts and bytes are copied into the arena.
 */
bool row_is_null(const struct rows *rows, size_t row, int column);
int64_t row_i64(const struct rows *rows, size_t row, int column); /* int8, int4, int2 */
bool row_bool(const struct rows *rows, size_t row, int column);
int64_t row_time(const struct rows *rows, size_t row, int column); /* timestamptz -> microseconds */
struct id row_id(const struct rows *rows, size_t row, int column); /* uuid */
const char *
row_text(struct ctx *cx, const struct rows *rows, size_t row, int column); /* text, jsonb */
const uint8_t *
row_bytes(struct ctx *cx, const struct rows *rows, size_t row, int column, size_t *ret_len);

/* One-dimensional arrays of text, int8 and uuid, in the arena; a NULL array has no elements, a NULL
 * element reads as "", 0, the zero id. Return the number of elements. */
size_t row_text_array(
    struct ctx *cx,
    const struct rows *rows,
    size_t row,
    int column,
    const char *const **ret_values);
size_t row_i64_array(
    struct ctx *cx, const struct rows *rows, size_t row, int column, const int64_t **ret_values);
size_t row_id_array(
    struct ctx *cx, const struct rows *rows, size_t row, int column, const struct id **ret_values);

/* A statement without parameters. */
extern const struct params NO_PARAMS;
