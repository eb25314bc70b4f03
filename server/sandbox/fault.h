#pragma once

/* Failures that tests order over the control API. The program under test cannot see them, only what
 * they do. Guarded by the lock of the simulator. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct call;
struct event;
struct fault_list;
struct render;
struct sim;

#define FAULTS_MAX 64

/* X(NAME, "word"): those of requests come first. */
#define FAULT_ACTIONS(X)                                  \
    X(500_BEFORE, "500_before")                           \
    X(500_AFTER_COMMIT, "500_after_commit")               \
    X(DROP_BEFORE, "drop_before")                         \
    X(DROP_AFTER_COMMIT, "drop_after_commit")             \
    X(RATE_LIMIT, "rate_limit")                           \
    X(LOCK_TIMEOUT, "lock_timeout")                       \
    X(HANG, "hang")                                       \
    X(409_IN_USE, "409_in_use")                           \
    X(401_KEY_EXPIRED, "401_key_expired")                 \
    X(403_ACCOUNT_INVALID, "403_account_invalid")         \
    X(WEBHOOK_DROP, "webhook_drop")                       \
    X(WEBHOOK_DUPLICATE, "webhook_duplicate")             \
    X(WEBHOOK_DELAY, "webhook_delay")                     \
    X(WEBHOOK_BAD_SIGNATURE, "webhook_bad_signature")     \
    X(WEBHOOK_STALE_TIMESTAMP, "webhook_stale_timestamp") \
    X(NEVER_GENERATE, "never_generate")

enum fault_action {
#define X(name, word) FAULT_##name,
    FAULT_ACTIONS(X)
#undef X
    FAULT_NONE,
};

/* What is to go wrong with one delivery. */
struct webhook_fault {
    bool drop;
    bool bad_signature;
    bool stale;
    int duplicates;
    int64_t delay_ms;
};

struct fault_list *fault_list_new(void) MUST_CHECK;
void fault_list_free(struct fault_list *faults);

/* POST, GET and DELETE /_sim/faults. */
bool fault_order(struct call *call);
bool fault_show(struct call *call);
bool fault_clear(struct call *call);

/* The fault that strikes this request, used up once; FAULT_NONE mostly. What it needs is put into
 * the call: how long it sleeps, which limit it names. */
enum fault_action fault_for_call(struct call *call);
const char *fault_word(enum fault_action action);

void fault_for_webhook(struct sim *sim, const struct event *event, struct webhook_fault *ret_fault);
bool fault_never_generate(struct sim *sim, const char *type);
