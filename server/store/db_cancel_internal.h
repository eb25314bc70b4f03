#pragma once

/* Cancelling what a connection is doing on the server, within a time limit.
 * Private to store/. */

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

/* True when the server has taken the request; the next statement on the connection is then safe
 * from it. False when that is not known in time: the connection must not be used again. */
bool db_cancel_send(PGconn *link, int64_t deadline_us);
