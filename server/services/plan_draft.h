#pragma once

/* Changing a draft: one change of a plan at a time, and never of what is published. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/plan.h"

struct ctx;
struct tx;

struct plan_draft {
    struct plan plan;
    struct plan_version version;
};

/* Locks the plan and loads the version; number 0: the draft there is. Fails with PLAN_NOT_FOUND,
 * PLAN_ARCHIVED, PLAN_VERSION_NOT_FOUND, PLAN_VERSION_FROZEN. */
struct status plan_draft_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    struct plan_draft *ret_draft) MUST_CHECK;

/* After a change: raises the version of the draft, adds to the audit log and loads it anew. what:
 * the field, with its value before and after. */
struct status plan_draft_changed(
    struct ctx *cx,
    struct tx *tx,
    struct plan_draft *draft,
    const char *what,
    const char *old_value,
    const char *new_value) MUST_CHECK;

/* Puts a feature into the draft, after all checks. path: "feature", "features[2]". */
struct status plan_draft_put_feature(
    struct ctx *cx,
    struct tx *tx,
    const char *path,
    const struct plan_version *version,
    const struct plan_feature *input) MUST_CHECK;

/* Completes a price that the merchant gave (currency, meter) and checks it. */
struct status plan_draft_check_price(
    struct ctx *cx, struct tx *tx, const char *path, struct price *price) MUST_CHECK;

/* Puts a new price into the draft, after all checks. position orders those of one call. */
struct status plan_draft_add_price(
    struct ctx *cx,
    struct tx *tx,
    const char *path,
    const struct plan_version *version,
    const struct price *input,
    size_t position,
    struct price *ret_price) MUST_CHECK;

/* PLAN_ARCHIVED unless it is in use. */
struct status plan_check_active(struct ctx *cx, const struct plan *plan) MUST_CHECK;
