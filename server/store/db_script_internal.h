#pragma once

/* Several statements in one text, outside of pipeline mode; for migrations.
 * Private to store/. */

#include "base/status.h"

struct ctx;
struct db_connection;

/* Stops at the first statement that fails, with the server's own message: the text is ours, and so
 * is the eye that reads it. The SQLSTATE is a pair of the status. When the call is given up the
 * connection is broken. */
struct status
db_script_run(struct ctx *cx, struct db_connection *connection, const char *text) MUST_CHECK;
