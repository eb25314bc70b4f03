#include "services/keyed.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "base/wallclock.h"
#include "services/services.h"
#include "store/db.h"
#include "store/intent_store.h"

struct keyed_state {
    struct services *services;
    const struct keyed *keyed;
    keyed_work work;
    void *user;
    struct str answer;
    bool replayed;
};

static struct status
keyed_reused(struct ctx *cx, const struct keyed *keyed, const struct intent *first)
{
    char when[RFC3339_SIZE];
    struct status status = status_fail(
        cx,
        REASON_IDEMPOTENCY_KEY_REUSED,
        "request_id \"%s\" was used before with other content",
        keyed->request_id);

    wallclock_format(first->created_us, when);
    status = status_pair(cx, status, "request_id", keyed->request_id);
    status = status_pair(cx, status, "method", cx->method);
    return status_pair(cx, status, "first_use_time", when);
}

static struct status keyed_repeat(
    struct ctx *cx,
    struct keyed_state *state,
    const struct intent *intent,
    const struct intent *first)
{
    if (!bytes_equal(first->body_hash, intent->body_hash, SHA256_SIZE)) {
        return keyed_reused(cx, state->keyed, first);
    }
    if (first->state != INTENT_DONE) {
        return status_retry(
            status_pair(
                cx,
                status_of(cx, REASON_REQUEST_IN_PROGRESS),
                "request_id",
                state->keyed->request_id),
            200);
    }
    state->answer = first->response;
    state->replayed = true;
    return STATUS_OK;
}

static struct status keyed_run_work(struct ctx *cx, struct tx *tx, void *user)
{
    struct keyed_state *state = user;
    struct intent intent = {
        .org_id = cx->caller.org_id,
        .method = cx->method,
        .request_id = state->keyed->request_id,
        .state = INTENT_PENDING,
        .actor = cx->caller.actor,
    };
    struct intent first;
    bool claimed = false;

    state->replayed = false; /* a transaction that is run again may claim what it found before */
    if (state->keyed->request_id[0] == '\0') {
        return state->work(cx, state->services, tx, state->user, &state->answer);
    }
    intent.intent_id = id_new(cx->now_us);
    sha256(state->keyed->body.ptr, state->keyed->body.len, intent.body_hash);
    TRY(intent_store_claim(cx, tx, &intent, &claimed, &first));
    if (!claimed) {
        return keyed_repeat(cx, state, &intent, &first);
    }
    TRY(state->work(cx, state->services, tx, state->user, &state->answer));
    return intent_store_done(cx, tx, &intent.intent_id, state->answer);
}

struct status keyed_run(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    keyed_work work,
    void *user,
    struct str *ret_answer,
    bool *ret_replayed)
{
    struct keyed_state state = {
        .services = services, .keyed = keyed, .work = work, .user = user, .answer = {"", 0}};

    TRY(tx_run(cx, services->db, keyed_run_work, &state));
    *ret_answer = state.answer;
    *ret_replayed = state.replayed;
    return STATUS_OK;
}
