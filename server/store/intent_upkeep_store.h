#pragma once

/* What is rarely asked of the table intents: who works on an object, how many are open and how old
 * they are, which are old enough to go. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct ctx;
struct db;
struct id;
struct tx;

/* An open intent about the object that is not `except`; the zero id when there is none. method
 * NULL: of any method. The caller has locked the object. */
struct status intent_upkeep_store_busy(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subject_id,
    const char *method,
    const struct id *except,
    struct id *ret_intent_id) MUST_CHECK;

/* Settles the open intent of that method about the object with an answer, unless somebody drives it
 * now. */
struct status intent_upkeep_store_complete(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subject_id,
    const char *method,
    struct str response) MUST_CHECK;

/* The next number of the idempotency key. */
struct status intent_upkeep_store_next_generation(
    struct ctx *cx, struct db *db, const struct id *intent_id, int32_t *ret_generation) MUST_CHECK;

/* Open intents of all organisations: younger than a minute, than an hour, and older. */
struct intent_ages {
    int64_t minute;
    int64_t hour;
    int64_t older;
};
struct status
intent_upkeep_store_ages(struct ctx *cx, struct db *db, struct intent_ages *ret_ages) MUST_CHECK;

/* Deletes at most max settled intents that are older than so many days, of all organisations. */
struct status intent_upkeep_store_prune(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count) MUST_CHECK;
