#pragma once

/* The connection of one thread to the payment side, for one mode (live or test: the key decides).
 * Sends, waits for the budget, sends again what may be sent again, and says what came of it:
 *
 *     reason                          what it means
 *     PAYMENT_DECLINED                code, decline_code, advice_code in the pairs
 *     PAYMENT_ACCOUNT_NOT_CONNECTED   no access to the account, or our key is refused
 *     PAYMENT_SIDE_REJECTED           never with this request; code (resource_missing, ...), param
 *     PAYMENT_SIDE_UNAVAILABLE        nothing has happened; retry_ms
 *     OUTCOME_PENDING                 it may have happened: the same key again, or look; retry_ms
 *     WOULD_BLOCK, DEADLINE_EXCEEDED  before anything was sent
 *
 * No text of the payment side gets into a status. Not thread-safe: one client per thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

/* All parsing is written and tested for this version. */
#define STRIPE_API_VERSION "2026-10-28.endive"
#define STRIPE_API_BASE "https://api.stripe.com"

struct buf;
struct stripe_budget;
struct stripe_client;

struct stripe_client_config {
    const char *base_url;   /* STRIPE_API_BASE, or that of a simulator; without "/" at its end */
    const char *secret_key; /* "sk_..." or "rk_..." */
    struct stripe_budget *budget; /* borrowed, shared by all clients; NULL: no limit of ours */
    uint32_t attempts_max;        /* 0: 3 */
    int64_t backoff_ms;           /* before the second attempt, doubled for each; 0: 500 */
    int64_t read_ms_max;          /* 0: 30 s */
    int64_t write_ms_max;         /* 0: 80 s: a payment can be slow */
};

/* NULL without memory. The texts are copied. */
struct stripe_client *stripe_client_new(const struct stripe_client_config *config) MUST_CHECK;
void stripe_client_free(struct stripe_client *client);

/* Its calls can wait: they leave half of the budget to others. */
void stripe_client_yield(struct stripe_client *client, bool yields);

/* Of the last call of this client; in the arena of that call's cx. */
const struct payment_error *stripe_client_error(const struct stripe_client *client);

/* --- for the files of this folder --- */

enum stripe_verb {
    STRIPE_GET,
    STRIPE_POST,
    STRIPE_DELETE
};

struct stripe_call {
    const char *endpoint; /* "subscriptions.create": label of the metrics, one of ours */
    enum stripe_verb verb;
    const char *path;       /* "/v1/subscriptions" */
    const char *account_id; /* whose objects: forgetting it would look in the wrong place, so "" */
    bool platform;          /* is refused, unless the call is one of the platform's own */
    const struct buf *form; /* body of a POST, query of the others; NULL: none */
    const char *idempotency_key; /* of a POST: never "" */
    const char *object;          /* that the answer must be, "subscription" */
};

/* *ret_json is owned by the caller, json_free(); *ret_raw is its text, in the arena of cx. */
struct status stripe_client_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct json **ret_json,
    const char **ret_raw) MUST_CHECK;
