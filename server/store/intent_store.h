#pragma once

/* Claims of request ids and calls to the payment side that are under way: table intents. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/status.h"
#include "base/str.h"

struct db;
struct tx;

enum intent_state {
    INTENT_PENDING,
    INTENT_DONE,
    INTENT_FAILED
};

struct intent {
    int64_t org_id;
    struct id intent_id;
    const char *method;
    const char *request_id;
    uint8_t body_hash[SHA256_SIZE];
    enum intent_state state;
    struct str request;
    struct str response;
    const char *failure; /* JSON, "" unless FAILED */
    struct id subject_id;
    const char *actor;
    int32_t generation;
    int32_t attempts;
    int64_t first_sent_us;
    int64_t leased_until_us; /* given to claim: the owner drives it until then; 0 = no lease */
    int64_t created_us;
    int64_t updated_us;
};

/* Inserts the claim; when (org, method, request_id) exists already *ret_claimed is false and
 * *ret_existing is the first one, locked against a concurrent owner: a claim of a transaction that
 * is still open is waited for. state is PENDING, or DONE with its response. */
struct status intent_store_claim(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    bool *ret_claimed,
    struct intent *ret_existing) MUST_CHECK;

/* Writes subject_id and request of a claim that was made in the same transaction. */
struct status
intent_store_describe(struct ctx *cx, struct tx *tx, const struct intent *intent) MUST_CHECK;

/* Within the transaction that made the effect. An intent that is not PENDING any more stays as it
 * is. */
struct status intent_store_done(
    struct ctx *cx, struct tx *tx, const struct id *intent_id, struct str response) MUST_CHECK;
struct status intent_store_failed(
    struct ctx *cx, struct tx *tx, const struct id *intent_id, const char *failure) MUST_CHECK;

/* A failure before any effect: the key is free again. */
struct status
intent_store_forget(struct ctx *cx, struct tx *tx, const struct id *intent_id) MUST_CHECK;

/* Notes that the payment side is being called, and takes the lease until lease_until_us. False when
 * another process holds a lease that has not run out. */
struct status intent_store_lease(
    struct ctx *cx,
    struct db *db,
    const struct id *intent_id,
    int64_t lease_until_us,
    bool *ret_leased) MUST_CHECK;

/* Open intents whose lease has run out and whose time has come, of all organisations, leased to the
 * caller in the same statement. */
struct status intent_store_take_due(
    struct ctx *cx,
    struct db *db,
    int64_t lease_until_us,
    size_t max,
    struct intent *ret_intents,
    size_t *ret_count) MUST_CHECK;

/* Gives the lease back and says when to try next. */
struct status intent_store_postpone(
    struct ctx *cx, struct db *db, const struct id *intent_id, int64_t next_attempt_us) MUST_CHECK;

/* By the caller's request_id, newest first; OPERATION_NOT_FOUND. */
struct status intent_store_find(
    struct ctx *cx, struct db *db, const char *request_id, struct intent *ret_intent) MUST_CHECK;
struct status intent_store_get(
    struct ctx *cx, struct db *db, const struct id *intent_id, struct intent *ret_intent)
    MUST_CHECK;

/* All methods that the request_id was used with, newest first, up to max of them. */
struct status intent_store_of_request(
    struct ctx *cx,
    struct db *db,
    const char *request_id,
    size_t max,
    struct intent *ret_intents,
    size_t *ret_count) MUST_CHECK;
/* The same inside a transaction. */
struct status intent_store_reload(
    struct ctx *cx, struct tx *tx, const struct id *intent_id, struct intent *ret_intent)
    MUST_CHECK;
