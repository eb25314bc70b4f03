#pragma once

/* How far the mirror of the payment side is behind, per organisation: the time of the oldest change
 * that is known and not applied. Refreshed by the webhook job, asked by every answer about access,
 * and nearly always empty. Thread-safe without a lock: a reader that meets a replacement of the
 * list looks again. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;
struct mirror_lag;
struct services;

/* Owned by the caller, free with mirror_lag_free(). NULL without memory. */
struct mirror_lag *mirror_lag_new(void) MUST_CHECK;
void mirror_lag_free(struct mirror_lag *lag);

/* Reads the backlog anew; also sets the metric of the inbox. */
struct status mirror_lag_refresh(struct ctx *cx, struct services *services) MUST_CHECK;

/* Up to when the state of the organisation is complete: now_us, or the arrival of the oldest change
 * that waits. When the backlog was not read for a while, nothing after the last reading is claimed.
 */
int64_t mirror_complete_until(const struct services *services, int64_t org_id, int64_t now_us);
