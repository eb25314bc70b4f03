#include "services/intents.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "services/intent_failure.h"
#include "services/services.h"
#include "store/db.h"
#include "store/intent_upkeep_store.h"

/* Who drives an intent has it to himself until his deadline and the time to settle have passed. The
 * lease spares work; what keeps two drivers apart in the end is the idempotency key and the guarded
 * write. */
#define DRIVE_MS_MAX 60000
#define SETTLE_MS 5000
#define LEASE_MARGIN_MS 1000

#define WAIT_MS 50 /* between two looks at an intent that somebody works on */
#define WAIT_MS_MAX 30000
#define ANSWER_MS 200 /* left of the caller's deadline for saying that it is still running */

#define RETRY_MS 1000

struct claim {
    struct services *services;
    const struct intent_call *call;
    struct intent intent; /* ours, when claimed */
    struct intent first;  /* somebody's, when not */
    bool claimed;
};

const char *intents_mark(struct ctx *cx, const struct intent *intent)
{
    return id_text(cx->arena, ID_OPERATION, &intent->intent_id);
}

const char *intents_key(
    struct ctx *cx, const struct services *services, const struct intent *intent, const char *step)
{
    return arena_printf(
        cx->arena,
        "%s:%s:%s:%" PRId32,
        services->settings->stripe_idempotency_prefix,
        intents_mark(cx, intent),
        step,
        intent->generation);
}

static const char *code_of(struct status failure)
{
    for (size_t i = 0; failure.error != NULL && i < failure.error->pair_count; i++) {
        if (strcmp(failure.error->pairs[i].key, "payment_code") == 0) {
            return failure.error->pairs[i].value;
        }
    }
    return "";
}

bool intents_absent(const struct intent *intent, struct status failure)
{
    switch (status_reason(failure)) {
    case REASON_PAYMENT_SIDE_REJECTED:
        /* The key was used with other parameters: somewhere there is an effect. */
        return strcmp(code_of(failure), "idempotency_error") != 0;
    case REASON_PAYMENT_SIDE_UNAVAILABLE:
    case REASON_PAYMENT_ACCOUNT_NOT_CONNECTED:
    case REASON_DEADLINE_EXCEEDED:
    case REASON_CANCELLED:
    case REASON_SERVER_OVERLOADED:
    case REASON_REQUEST_TOO_COSTLY:
        return intent->attempts == 0; /* an earlier try may have come through */
    default:
        return false;
    }
}

struct ctx intents_settle_context(const struct ctx *cx)
{
    struct ctx settle = *cx;

    settle.deadline_us = deadline_in_ms(SETTLE_MS);
    settle.canceller = NULL;
    return settle;
}

static int64_t lease_end(const struct ctx *cx)
{
    return wallclock_us() +
           (ctx_left_ms(cx, DRIVE_MS_MAX) + SETTLE_MS + LEASE_MARGIN_MS) * (US_PER_SECOND / 1000);
}

static struct status claim_once(struct ctx *cx, struct tx *tx, void *user)
{
    struct claim *claim = user;
    const struct intent_call *call = claim->call;
    struct intent *intent = &claim->intent;

    *intent = (struct intent){
        .org_id = cx->caller.org_id,
        .intent_id = id_new(cx->now_us),
        .method = cx->method,
        .request_id = call->request_id,
        .state = INTENT_PENDING,
        .actor = cx->caller.actor,
        .generation = 1,
        .leased_until_us = lease_end(cx),
        .created_us = cx->now_us,
    };
    if (call->request_id[0] == '\0') {
        intent->request_id = intents_mark(cx, intent);
    }
    sha256(call->body.ptr, call->body.len, intent->body_hash);
    TRY(intent_store_claim(cx, tx, intent, &claim->claimed, &claim->first));
    if (!claim->claimed) {
        return STATUS_OK;
    }
    TRY(call->prepare(cx, claim->services, tx, intent, call->user));
    return intent_store_describe(cx, tx, intent);
}

static struct status reused(struct ctx *cx, const struct intent *first)
{
    char when[RFC3339_SIZE];
    struct status status = status_fail(
        cx,
        REASON_IDEMPOTENCY_KEY_REUSED,
        "request_id \"%s\" was used before with other content",
        first->request_id);

    wallclock_format(first->created_us, when);
    status = status_pair(cx, status, "request_id", first->request_id);
    status = status_pair(cx, status, "method", cx->method);
    return status_pair(cx, status, "first_use_time", when);
}

static struct status in_progress(struct ctx *cx, const struct intent *intent)
{
    return status_retry(
        status_pair(
            cx, status_of(cx, REASON_REQUEST_IN_PROGRESS), "request_id", intent->request_id),
        RETRY_MS);
}

static struct status pending(struct ctx *cx, const struct intent *intent)
{
    struct status status = status_of(cx, REASON_OUTCOME_PENDING);

    status = status_pair(cx, status, "request_id", intent->request_id);
    status = status_pair(cx, status, "operation_id", intents_mark(cx, intent));
    return status_retry(status, RETRY_MS);
}

/* What drive leaves open is given back, so that a repeat or the resolver goes on with it. Even when
 * that fails the lease runs out. */
static struct status leave_open(
    struct ctx *cx, struct services *services, const struct intent *intent, struct status why)
{
    const int64_t seconds = intent->attempts < 8 ? INT64_C(2) << intent->attempts : 300;
    struct ctx settle = intents_settle_context(cx);
    struct status status;

    log_warn(
        cx,
        "the outcome of an operation is not known yet",
        LOG_ID("operation", ID_OPERATION, &intent->intent_id),
        LOG_I64("attempts", intent->attempts),
        LOG_STATUS(why));
    status = intent_store_postpone(
        &settle, services->db, &intent->intent_id, wallclock_us() + seconds * US_PER_SECOND);
    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the lease runs out by itself");
    }
    return pending(cx, intent);
}

struct status intents_drive(
    struct ctx *cx,
    struct services *services,
    intent_drive drive,
    struct intent *intent,
    struct str *ret_answer)
{
    struct intent_result result = {.answer = {"", 0}};
    const struct status status = drive(cx, services, intent, &result);

    if (!result.settled) {
        return leave_open(cx, services, intent, status);
    }
    TRY(status);
    *ret_answer = result.answer;
    return STATUS_OK;
}

static void pause_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* Somebody made the claim before: his answer, his failure, or what is left of his work.
 * *ret_vanished: the claim was given back meanwhile, so the call begins anew. */
static struct status
attend(struct ctx *cx, const struct claim *claim, struct str *ret_answer, bool *ret_vanished)
{
    struct intent_result result = {.answer = {"", 0}};
    struct intent intent = claim->first;
    int64_t waited_ms = 0;

    while (intent.state == INTENT_PENDING) {
        struct status status;
        bool leased = false;

        TRY(intent_store_lease(cx, claim->services->db, &intent.intent_id, lease_end(cx), &leased));
        status = intent_store_get(cx, claim->services->db, &intent.intent_id, &intent);
        if (status_reason(status) == REASON_OPERATION_NOT_FOUND) {
            *ret_vanished = true;
            return STATUS_OK;
        }
        TRY(status);
        if (leased) {
            return intents_drive(cx, claim->services, claim->call->drive, &intent, ret_answer);
        }
        if (intent.state == INTENT_PENDING) {
            if (waited_ms >= WAIT_MS_MAX || ctx_gone(cx) ||
                ctx_left_ms(cx, WAIT_MS_MAX) < ANSWER_MS) {
                return in_progress(cx, &intent);
            }
            pause_ms(WAIT_MS);
            waited_ms += WAIT_MS;
        }
    }
    TRY(intents_answer(cx, &intent, &result));
    *ret_answer = result.answer;
    return STATUS_OK;
}

struct status intents_run(
    struct ctx *cx,
    struct services *services,
    const struct intent_call *call,
    struct str *ret_answer,
    bool *ret_replayed)
{
    struct claim claim = {.services = services, .call = call};
    bool vanished = true;

    while (vanished) {
        uint8_t body_hash[SHA256_SIZE];

        TRY(tx_run(cx, services->db, claim_once, &claim));
        *ret_replayed = !claim.claimed;
        if (claim.claimed) {
            return intents_drive(cx, services, call->drive, &claim.intent, ret_answer);
        }
        sha256(call->body.ptr, call->body.len, body_hash);
        if (!bytes_equal(claim.first.body_hash, body_hash, SHA256_SIZE)) {
            return reused(cx, &claim.first);
        }
        vanished = false;
        TRY(attend(cx, &claim, ret_answer, &vanished));
    }
    return STATUS_OK;
}

struct status intents_done(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    struct str answer,
    struct intent *ret_stored)
{
    TRY(intent_store_done(cx, tx, &intent->intent_id, answer));
    return intent_store_reload(cx, tx, &intent->intent_id, ret_stored);
}

struct status
intents_answer(struct ctx *cx, const struct intent *stored, struct intent_result *ret_result)
{
    ret_result->settled = true;
    if (stored->state == INTENT_FAILED) {
        return intent_failure_read(cx, stored->failure);
    }
    ret_result->answer = stored->response;
    return STATUS_OK;
}

struct status
intents_failed(struct ctx *cx, struct tx *tx, const struct intent *intent, struct status failure)
{
    return intent_store_failed(cx, tx, &intent->intent_id, intent_failure_write(cx, failure));
}

struct status intents_forget(struct ctx *cx, struct tx *tx, const struct intent *intent)
{
    return intent_store_forget(cx, tx, &intent->intent_id);
}

struct status
intents_next_generation(struct ctx *cx, struct services *services, struct intent *intent)
{
    return intent_upkeep_store_next_generation(
        cx, services->db, &intent->intent_id, &intent->generation);
}
