#pragma once

/* Calls that reach the payment side: exactly once per (organisation, method, request_id), whatever
 * crashes on the way.
 *
 *     claim (commit) ----> drive: call the payment side ----> settle (commit)
 *        |                    ^                 |
 *        |                    |                 `-- outcome not known: PENDING, tried again later
 *        `-- a repeat, or the resolver after a crash
 *
 * The first try, a repeat by the client and the resolver run the same drive function. It must
 * therefore do the same again: everything that it sends comes from intent->request, which was
 * written by the claim, and every call to the payment side carries intents_key() of its step. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "store/intent_store.h"

struct ctx;
struct services;
struct tx;

/* After that long the payment side may have forgotten the idempotency key (it keeps them for at
 * least 24 hours): a call is not sent again, its effect is looked up by intents_mark(). */
#define INTENTS_HORIZON_US (INT64_C(23) * 3600 * 1000000)

/* Whether the call has come to its end. settled: what drive returns is final, OK with its answer or
 * a failure, and it has been recorded. Not settled: it stays PENDING and is driven again. */
struct intent_result {
    bool settled;
    struct str answer;
};

/* Checks and writes the PENDING rows in the transaction of the claim; sets intent->subject_id and
 * intent->request. Runs once per intent (again from the start after a serialization failure). When
 * it fails nothing is left, and the request_id is free. */
typedef struct status (*intent_prepare)(
    struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user);

/* Calls the payment side, with no transaction open, and settles in one transaction, in which it
 * calls intents_done(), intents_failed() or intents_forget(). ret_result is zeroed before. cx is of
 * the intent's organisation. */
typedef struct status (*intent_drive)(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result);

struct intent_call {
    const char *request_id; /* "" = each call is an effect of its own; at most 255 bytes */
    struct str body;        /* the request in a canonical form, without the request_id */
    intent_prepare prepare;
    intent_drive drive;
    void *user; /* for prepare */
};

/* Claims, drives and settles, or does the rest of it for a repeat: DONE gives the first answer
 * (*ret_replayed true), FAILED the first failure, PENDING is waited for while somebody works on it
 * and driven otherwise. Fails with IDEMPOTENCY_KEY_REUSED, REQUEST_IN_PROGRESS, OUTCOME_PENDING and
 * with what prepare and drive fail with. */
struct status intents_run(
    struct ctx *cx,
    struct services *services,
    const struct intent_call *call,
    struct str *ret_answer,
    bool *ret_replayed) MUST_CHECK;

/* Runs drive for an intent that the caller has leased, and gives it back when it stays open. */
struct status intents_drive(
    struct ctx *cx,
    struct services *services,
    intent_drive drive,
    struct intent *intent,
    struct str *ret_answer) MUST_CHECK;

/* "bos:op_01J...:subscription:1": the idempotency key of one step of one intent. */
const char *intents_key(
    struct ctx *cx, const struct services *services, const struct intent *intent, const char *step);

/* "op_01J...": the mark of the operation on what the intent makes at the payment side
 * (domain/payment.h), by which it is looked up. */
const char *intents_mark(struct ctx *cx, const struct intent *intent);

/* Whether the failure of a call to the payment side says for certain that the step has had no
 * effect, in this try and in all before. */
bool intents_absent(const struct intent *intent, struct status failure);

/* A context for the settling: the deadline and the departure of the caller do not undo what the
 * payment side has done. Memory and caller are those of cx. */
struct ctx intents_settle_context(const struct ctx *cx);

/* In the settling transaction, after the rows of the subject are locked. *ret_stored is the intent
 * as it is then: with this answer, or with what somebody else settled it with meanwhile (a
 * webhook). */
struct status intents_done(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    struct str answer,
    struct intent *ret_stored) MUST_CHECK;

/* What a settled intent is answered with; after the commit. */
struct status intents_answer(
    struct ctx *cx, const struct intent *stored, struct intent_result *ret_result) MUST_CHECK;

/* The failure is the answer to every repeat: the attempt had an effect, as a declined payment has.
 */
struct status intents_failed(
    struct ctx *cx, struct tx *tx, const struct intent *intent, struct status failure) MUST_CHECK;

/* Nothing has happened at the payment side: the request_id is free again. */
struct status intents_forget(struct ctx *cx, struct tx *tx, const struct intent *intent) MUST_CHECK;

/* Takes a new idempotency key for the steps of the intent. Only when the effect is known to be
 * absent: the payment side repeats the first answer to a key, even a fault of its own. */
struct status intents_next_generation(
    struct ctx *cx, struct services *services, struct intent *intent) MUST_CHECK;
