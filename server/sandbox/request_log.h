#pragma once

/* The last requests to the API and what was answered, for GET /_sim/requests. Keys are never in it.
 * Guarded by the lock of the simulator. */

#include <stdint.h>

#include "base/cleanup.h"

struct buf;
struct call;
struct request_log;

#define REQUEST_LOG_MAX 1000

/* NULL without memory. Owned by the caller, free with request_log_free(). */
struct request_log *request_log_new(void) MUST_CHECK;
void request_log_free(struct request_log *log);

void request_log_add(struct request_log *log, const struct call *call, int64_t duration_us);

/* The array, the newest first. */
void request_log_render(const struct request_log *log, struct buf *buf);

/* How many there ever were. */
int64_t request_log_total(const struct request_log *log);
