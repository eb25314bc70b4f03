#pragma once

/* From what PostgreSQL answers to the reasons that calls fail with.
 * Private to store/. */

#include <stdbool.h>

#include <libpq-fe.h>

#include "base/status.h"

struct ctx;
struct sql;

/* A failed result. The SQLSTATE and, where there is one, the constraint are added as pairs, for
 * db_sqlstate() and db_unique_violation(); the server's text is not: it may hold values of rows. */
struct status
sqlstate_status(struct ctx *cx, const PGresult *result, const struct sql *sql) MUST_CHECK;

/* The link is lost; whether the statement was executed is not known. */
struct status sqlstate_lost(struct ctx *cx) MUST_CHECK;

/* "" when the server said nothing. */
const char *sqlstate_of(const PGresult *result);

/* The session has no future: the server ends it or it is read-only. */
bool sqlstate_ends_session(const char *sqlstate);

/* The prepared statement must be prepared again: the server forgot it, or a migration changed what
 * it returns. */
bool sqlstate_is_stale_statement(const PGresult *result);

/* The same of a status that was made of such a result. */
bool sqlstate_is_stale(struct status status);

/* A transaction that only has to be run again. */
bool sqlstate_is_conflict(struct status status);

/* How long to leave an unreachable database alone. */
#define SQLSTATE_RETRY_MS 500
