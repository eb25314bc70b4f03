#pragma once

/* What an operator does about webhooks: looks at those that wait for somebody, gives one another
 * try, or takes it out of the way. */

#include <stddef.h>

#include "base/status.h"
#include "store/webhook_ops_store.h"

struct ctx;
struct services;

/* state: NULL = what waits for somebody (failed, parked, quarantined), "all", or one state in small
 * letters; another word fails with FIELD_INVALID. */
struct status webhook_ops_list(
    struct ctx *cx,
    struct services *services,
    const char *account_id,
    const char *state,
    size_t max,
    struct webhook_row **ret_rows,
    size_t *ret_count) MUST_CHECK;

/* Each fails with FIELD_INVALID when there is no such event, or one in several accounts. */
struct status webhook_ops_show(
    struct ctx *cx,
    struct services *services,
    const char *account_id,
    const char *event_id,
    struct webhook_row *ret_row) MUST_CHECK;
struct status webhook_ops_replay(
    struct ctx *cx, struct services *services, const char *account_id, const char *event_id)
    MUST_CHECK;
struct status webhook_ops_skip(
    struct ctx *cx, struct services *services, const char *account_id, const char *event_id)
    MUST_CHECK;

/* Sets the metrics of what was set aside and of what waits for its account. */
struct status webhook_ops_measure(struct ctx *cx, struct services *services) MUST_CHECK;
