#include "stripe/stripe_client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/http_client.h"
#include "stripe/stripe_budget.h"
#include "stripe/stripe_error.h"

#define ATTEMPTS_MAX 3
#define BACKOFF_MS 500
#define READ_MS_MAX INT64_C(30000)
#define WRITE_MS_MAX INT64_C(80000)
#define WAIT_MS_MAX INT64_C(5000) /* whoever must wait longer comes again later */
#define WAIT_STEP_MS 20
#define RESPONSE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define IDEMPOTENCY_KEY_LEN_MAX 255

struct stripe_client {
    struct http_client *http;
    char *base_url;
    char *authorization; /* the whole header */
    struct stripe_budget *budget;
    uint32_t attempts_max;
    int64_t backoff_ms;
    int64_t read_ms_max;
    int64_t write_ms_max;
    bool yields;
    struct payment_error error;
};

static const struct payment_error no_error = {
    .type = "",
    .code = "",
    .decline_code = "",
    .advice_code = "",
    .param = "",
    .message = "",
    .request_id = "",
    .payment_intent_id = "",
};

static char *authorization_of(const char *secret_key)
{
    static const char start[] = "Authorization: Bearer ";
    const size_t size = sizeof start + strlen(secret_key);
    char *header = heap_new(size);

    if (header != NULL) {
        (void)snprintf(header, size, "%s%s", start, secret_key);
    }
    return header;
}

struct stripe_client *stripe_client_new(const struct stripe_client_config *config)
{
    struct stripe_client *client = heap_new(sizeof *client);

    if (client == NULL) {
        return NULL;
    }
    client->http = http_client_new();
    client->base_url = heap_text(config->base_url);
    client->authorization = authorization_of(config->secret_key);
    client->budget = config->budget;
    client->attempts_max = config->attempts_max == 0 ? ATTEMPTS_MAX : config->attempts_max;
    client->backoff_ms = config->backoff_ms == 0 ? BACKOFF_MS : config->backoff_ms;
    client->read_ms_max = config->read_ms_max == 0 ? READ_MS_MAX : config->read_ms_max;
    client->write_ms_max = config->write_ms_max == 0 ? WRITE_MS_MAX : config->write_ms_max;
    client->error = no_error;
    if (client->http == NULL || client->base_url == NULL || client->authorization == NULL) {
        stripe_client_free(client);
        return NULL;
    }
    return client;
}

void stripe_client_free(struct stripe_client *client)
{
    if (client == NULL) {
        return;
    }
    http_client_free(client->http);
    heap_free(client->base_url);
    if (client->authorization != NULL) {
        explicit_bzero(client->authorization, strlen(client->authorization));
    }
    heap_free(client->authorization);
    heap_free(client);
}

const struct payment_error *stripe_client_error(const struct stripe_client *client)
{
    return &client->error;
}

/* False when the time does not suffice or nobody waits any more. */
static bool wait_ms(struct ctx *cx, int64_t ms)
{
    const int64_t end_us = deadline_in_ms(ms);

    if (ms > WAIT_MS_MAX || ctx_left_ms(cx, INT64_MAX) <= ms) {
        return false;
    }
    while (deadline_left_ms(end_us, INT64_MAX) > 0) {
        const int64_t step_ms = deadline_left_ms(end_us, WAIT_STEP_MS);

        if (ctx_gone(cx)) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = step_ms * 1000000}, NULL);
    }
    return true;
}

void stripe_client_yield(struct stripe_client *client, bool yields)
{
    client->yields = yields;
}

static int64_t ask_budget(struct stripe_client *client, const char *account_id)
{
    return client->yields ? stripe_budget_take_spare(client->budget, account_id, monotonic_us())
                          : stripe_budget_take(client->budget, account_id, monotonic_us());
}

/* Nothing was sent: busy, unless there is a token in time. */
static bool take_token(struct ctx *cx, struct stripe_client *client, const char *account_id)
{
    int64_t ms = 0;

    if (client->budget == NULL) {
        return true;
    }
    while ((ms = ask_budget(client, account_id)) > 0) {
        if (!wait_ms(cx, ms)) {
            client->error = no_error;
            client->error.failure = PAYMENT_FAILURE_BUSY;
            client->error.message = "the budget of requests is used up";
            client->error.retry_ms = ms;
            return false;
        }
    }
    return true;
}

static const char *verb_name(enum stripe_verb verb)
{
    switch (verb) {
    case STRIPE_GET:
        return "GET";
    case STRIPE_POST:
        return "POST";
    case STRIPE_DELETE:
        return "DELETE";
    }
    return "";
}

#define HEADERS_MAX 6

static void fill_headers(
    struct ctx *cx,
    const struct stripe_client *client,
    const struct stripe_call *call,
    const char *ret_headers[HEADERS_MAX])
{
    size_t count = 0;

    ret_headers[count++] = client->authorization;
    ret_headers[count++] = "Stripe-Version: " STRIPE_API_VERSION;
    if (call->account_id[0] != '\0') {
        ret_headers[count++] = arena_printf(cx->arena, "Stripe-Account: %s", call->account_id);
    }
    if (call->verb == STRIPE_POST) {
        ret_headers[count++] =
            arena_printf(cx->arena, "Idempotency-Key: %s", call->idempotency_key);
    }
    ret_headers[count] = NULL;
}

static const char *header_of(struct ctx *cx, struct stripe_client *client, const char *name)
{
    const char *value = http_client_header(cx, client->http, name);

    return value == NULL ? "" : value;
}

static void
count_call(const struct stripe_call *call, const struct payment_error *error, int64_t duration_us)
{
    metric_add(
        metric_series(
            METRIC_STRIPE_REQUESTS,
            (const char *const[]){call->endpoint, stripe_error_outcome(error->failure)}),
        1);
    metric_observe(
        metric_series(METRIC_STRIPE_REQUEST_DURATION, (const char *const[]){call->endpoint}),
        (double)duration_us / 1e6);
}

/* Seconds, as the payment side would write it; a date is passed over. */
static int64_t retry_after_ms(struct ctx *cx, struct stripe_client *client)
{
    long long seconds = 0;

    if (!str_to_i64(str_of(header_of(cx, client, "Retry-After")), &seconds) || seconds <= 0) {
        return 0;
    }
    return seconds > 3600 ? INT64_C(3600000) : (int64_t)seconds * 1000;
}

static void slow_down(
    struct ctx *cx, struct stripe_client *client, const struct stripe_call *call, const char *limit)
{
    if (client->error.failure == PAYMENT_FAILURE_BUSY && client->budget != NULL &&
        limit[0] != '\0') {
        log_debug(cx, "the payment side limits the rate", LOG_TEXT("limit", limit));
        stripe_budget_slow(
            client->budget,
            call->account_id,
            strncmp(limit, "global", strlen("global")) == 0,
            monotonic_us());
    }
}

/* One request. Leaves what came of it in client->error. */
static void send_once(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct http_answer *answer)
{
    const bool query = call->verb != STRIPE_POST && call->form != NULL && call->form->len > 0;
    const bool body = call->verb == STRIPE_POST && call->form != NULL;
    const char *headers[HEADERS_MAX] = {NULL};

    fill_headers(cx, client, call, headers);
    http_client_send(
        cx,
        client->http,
        &(struct http_call){
            .method = verb_name(call->verb),
            .url = arena_printf(
                cx->arena,
                "%s%s%s%s",
                client->base_url,
                call->path,
                query ? "?" : "",
                query ? buf_cstr(call->form) : ""),
            .headers = headers,
            .body = body ? buf_cstr(call->form) : NULL,
            .body_len = body ? call->form->len : 0,
            .timeout_ms = call->verb == STRIPE_GET ? client->read_ms_max : client->write_ms_max,
            .response_max = RESPONSE_BYTES_MAX,
        },
        answer);
    stripe_error_read(
        cx,
        call->verb != STRIPE_GET,
        answer,
        answer->outcome == HTTP_ANSWERED ? header_of(cx, client, "Request-Id") : "",
        &client->error);
    count_call(call, &client->error, answer->duration_us);
    if (answer->outcome == HTTP_ANSWERED) {
        client->error.replayed = strcmp(header_of(cx, client, "Idempotent-Replayed"), "true") == 0;
        client->error.retry_ms = retry_after_ms(cx, client);
        slow_down(cx, client, call, header_of(cx, client, "Stripe-Rate-Limited-Reason"));
    }
    log_debug(
        cx,
        "payment side called",
        LOG_TEXT("endpoint", call->endpoint),
        LOG_TEXT("outcome", stripe_error_outcome(client->error.failure)),
        LOG_I64("status", answer->status),
        LOG_TEXT("payment_request_id", client->error.request_id),
        LOG_TEXT("code", client->error.code),
        LOG_TEXT("says", client->error.message));
}

/* The order of the official clients. A DELETE has no key, so one that may have happened is not sent
 * again: the caller looks. A plain 429 is sent again only when the answer asks for it. */
static bool may_repeat(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    const struct http_answer *answer)
{
    const char *asked = NULL;

    if (answer->outcome == HTTP_NOT_SENT) {
        return true;
    }
    if (call->verb == STRIPE_DELETE && client->error.failure == PAYMENT_FAILURE_UNKNOWN) {
        return false;
    }
    if (answer->outcome == HTTP_UNKNOWN) {
        return true;
    }
    asked = header_of(cx, client, "Stripe-Should-Retry");
    if (strcmp(asked, "true") == 0 || strcmp(asked, "false") == 0) {
        return asked[0] == 't';
    }
    if (client->error.failure == PAYMENT_FAILURE_BUSY) {
        return answer->status != 429 || client->error.retry_ms > 0;
    }
    return answer->status == 409 || answer->status == 424 || answer->status >= 500;
}

/* Full jitter: whoever failed together must not come again together. */
static int64_t backoff_ms(const struct stripe_client *client, uint32_t attempt)
{
    const uint32_t doublings = attempt > 6 ? 6 : attempt - 1;
    const int64_t most_ms = client->backoff_ms << doublings;
    uint64_t dice = 0;
    int64_t ms = 0;

    random_bytes(&dice, sizeof dice);
    ms = (int64_t)(dice % (uint64_t)(most_ms + 1));
    return ms > client->error.retry_ms ? ms : client->error.retry_ms;
}

static void send_all(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct http_answer *answer)
{
    bool in_doubt = false;

    for (uint32_t attempt = 1;; attempt++) {
        if (!take_token(cx, client, call->account_id)) {
            break;
        }
        send_once(cx, client, call, answer);
        in_doubt |= client->error.failure == PAYMENT_FAILURE_UNKNOWN;
        if (client->error.failure == PAYMENT_FAILURE_NONE || attempt >= client->attempts_max ||
            !may_repeat(cx, client, call, answer) || !wait_ms(cx, backoff_ms(client, attempt))) {
            break;
        }
    }
    /* An earlier attempt may have had its effect, whatever kept the last one from it. */
    if (in_doubt && (client->error.failure == PAYMENT_FAILURE_BUSY ||
                     client->error.failure == PAYMENT_FAILURE_UNREACHABLE)) {
        client->error.failure = PAYMENT_FAILURE_UNKNOWN;
    }
}

static struct status check_call(struct ctx *cx, const struct stripe_call *call)
{
    const size_t key_len = call->verb == STRIPE_POST ? strlen(call->idempotency_key) : 1;

    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    if (call->account_id[0] == '\0' && !call->platform) {
        return status_of(cx, REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
    }
    if (key_len == 0 || key_len > IDEMPOTENCY_KEY_LEN_MAX) {
        return status_fail(
            cx, REASON_INTERNAL, "cannot call the payment side: the idempotency key is not valid");
    }
    if (call->form != NULL && buf_failed(call->form)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (ctx_left_ms(cx, INT64_MAX) == 0) {
        return status_of(cx, REASON_DEADLINE_EXCEEDED);
    }
    return STATUS_OK;
}

/* An answer that is not what was asked for leaves open what has happened. */
static struct status
misunderstood(struct ctx *cx, struct stripe_client *client, const struct stripe_call *call)
{
    client->error.failure =
        call->verb == STRIPE_GET ? PAYMENT_FAILURE_UNREACHABLE : PAYMENT_FAILURE_UNKNOWN;
    client->error.message = "the answer is not the object that was asked for";
    return stripe_error_status(cx, &client->error);
}

struct status stripe_client_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct json **ret_json,
    const char **ret_raw)
{
    struct http_answer answer = {0};
    struct json *json = NULL;
    struct status status;

    client->error = no_error;
    TRY(check_call(cx, call));
    send_all(cx, client, call, &answer);
    if (client->error.http_status == 401) {
        log_error(
            cx,
            "the payment side refuses our key",
            LOG_TEXT("payment_request_id", client->error.request_id),
            LOG_TEXT("code", client->error.code));
    }
    if (client->error.failure != PAYMENT_FAILURE_NONE) {
        return stripe_error_status(cx, &client->error);
    }
    status = json_parse(cx, answer.body, answer.body_len, &json);
    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the outcome is open");
        return misunderstood(cx, client, call);
    }
    if (strcmp(json_text(cx, json_root(json), "object"), call->object) != 0) {
        json_free(json);
        return misunderstood(cx, client, call);
    }
    *ret_json = json;
    *ret_raw = (const char *)answer.body;
    return STATUS_OK;
}
