#include "sandbox/routes.h"

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/log.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/admission.h"
#include "sandbox/call.h"
#include "sandbox/fault.h"
#include "sandbox/idempotency.h"
#include "sandbox/journal.h"
#include "sandbox/request_log.h"
#include "sandbox/route_table.h"
#include "sandbox/sim.h"

#define ANSWER_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* Faults that strike before anything has begun; false when the answer is there. */
static bool apply_before(struct call *call, enum fault_action fault)
{
    switch (fault) {
    case FAULT_500_BEFORE:
        return call_fail(call, 500, NULL, NULL, "An unknown error occurred.");
    case FAULT_DROP_BEFORE:
        call->drop = true;
        return call_fail(call, 500, NULL, NULL, "dropped");
    case FAULT_RATE_LIMIT:
        return call_fail(
            call,
            429,
            "rate_limit",
            NULL,
            "Request rate limit exceeded. You can learn more about rate limits in the "
            "documentation.");
    case FAULT_LOCK_TIMEOUT:
        call->should_retry = "true";
        return call_fail(
            call,
            429,
            "lock_timeout",
            NULL,
            "This object cannot be accessed right now because another API request or process is "
            "currently accessing it.");
    case FAULT_409_IN_USE:
        call_fail(
            call,
            409,
            "idempotency_key_in_use",
            NULL,
            "There is currently another in-progress request using this idempotency key.");
        call->failure.type = "idempotency_error";
        return false;
    case FAULT_401_KEY_EXPIRED:
        return call_fail(call, 401, "api_key_expired", NULL, "Expired API Key provided.");
    case FAULT_403_ACCOUNT_INVALID:
        return call_fail(
            call,
            403,
            "account_invalid",
            NULL,
            "The provided key does not have access to account '%s' (or that account does not "
            "exist).",
            call->account->object.id);
    case FAULT_500_AFTER_COMMIT:
    case FAULT_DROP_AFTER_COMMIT:
    case FAULT_HANG:
    case FAULT_WEBHOOK_DROP:
    case FAULT_WEBHOOK_DUPLICATE:
    case FAULT_WEBHOOK_DELAY:
    case FAULT_WEBHOOK_BAD_SIGNATURE:
    case FAULT_WEBHOOK_STALE_TIMESTAMP:
    case FAULT_NEVER_GENERATE:
    case FAULT_NONE:
        break;
    }
    return true;
}

/* False when the answer is there: said again, or refused. */
static bool check_idempotency(struct call *call)
{
    switch (idempotency_check(call)) {
    case IDEMPOTENCY_FIRST:
        return true;
    case IDEMPOTENCY_REPLAY:
        return false;
    case IDEMPOTENCY_MISMATCH:
        call_fail(
            call,
            400,
            NULL,
            NULL,
            "Keys for idempotent requests can only be used with the same parameters they were "
            "first "
            "used with. Try using a key other than '%s' if you meant to execute a different "
            "request.",
            call->idempotency_key);
        call->failure.type = "idempotency_error";
        return false;
    case IDEMPOTENCY_RUNNING:
        call_fail(
            call,
            409,
            "idempotency_key_in_use",
            NULL,
            "There is currently another in-progress request using this idempotency key (that "
            "probably "
            "means you submitted twice, and the other request is still going through): %s.",
            call->idempotency_key);
        call->failure.type = "idempotency_error";
        return false;
    }
    return true;
}

/* Runs the handler and the faults that strike behind it; the answer is in the body. */
static void run_handler(struct call *call, enum fault_action fault)
{
    if (!call->endpoint->handler(call)) {
        call_render_failure(call);
    }
    if (fault == FAULT_500_AFTER_COMMIT) {
        call->should_retry = "false";
        call_fail(call, 500, NULL, NULL, "An unknown error occurred.");
        call_render_failure(call);
    }
    call->drop = call->drop || fault == FAULT_DROP_AFTER_COMMIT;
}

/* In the order of the provider: who asks, what for, is it well formed, has it been asked before.
 * Returns the entry to be finished once the answer is out, or NULL. */
static struct idempotency_entry *serve_api(struct call *call)
{
    struct sim *sim = call->sim;
    enum fault_action fault = FAULT_NONE;

    if (strcmp(call->http->method, "POST") == 0) {
        call->idempotency_key = http_header(call->http, "Idempotency-Key");
    }
    if (!admission_check(call)) {
        call_render_failure(call);
        return NULL;
    }
    fault = fault_for_call(call);
    if (!apply_before(call, fault) || !admission_read_form(call)) {
        call_render_failure(call);
        return NULL;
    }
    if (!check_idempotency(call)) {
        if (!call->replayed) {
            call_render_failure(call);
        }
        return NULL;
    }
    if (sim_is_full(sim) && strcmp(call->http->method, "POST") == 0) {
        call_fail(call, 500, NULL, NULL, "The simulator is full: start it anew.");
        call_render_failure(call);
        return NULL;
    }
    sim->request_id = call->request_id;
    sim->request_key = call->idempotency_key;
    run_handler(call, fault);
    journal_add_call(sim->journal, call);
    return idempotency_keep(call, /* running= */ call->sleep_ms > 0);
}

/* /_sim: no key is asked for, the simulator listens on loopback only and holds nothing of value. */
static void serve_control(struct call *call)
{
    struct json *json = NULL;

    call->endpoint =
        route_table_find(call->cx->arena, call->http->method, call->http->path, call->ids);
    if (call->endpoint == NULL) {
        call_fail(call, 404, NULL, NULL, "There is nothing at %s.", call->http->path);
        call_render_failure(call);
        return;
    }
    form_init(&call->form, call->cx->arena);
    if ((call->endpoint->flags & ENDPOINT_PAGE) != 0) {
        if (!admission_read_form(call)) {
            call_render_failure(call);
            return;
        }
    } else if (
        call->http->body_len > 0 &&
        json_parse(call->cx, call->http->body, call->http->body_len, &json).code != CODE_OK) {
        call_fail(call, 400, NULL, NULL, "The body is not JSON.");
        call_render_failure(call);
        return;
    }
    call->json = json == NULL ? NULL : json_root(json);
    if (!call->endpoint->handler(call)) {
        call_render_failure(call);
    }
    journal_add_call(call->sim->journal, call);
    json_free(json);
}

static bool is_api(const struct http_request *request)
{
    return strncmp(request->path, "/_sim", 5) != 0 && strcmp(request->path, "/") != 0;
}

void routes_replay(struct call *call)
{
    const bool spoilt = call->fault != NULL && strcmp(call->fault, "500_after_commit") == 0;

    call->status = 500;
    buf_init(&call->body, ANSWER_BYTES_MAX);
    if (!is_api(call->http)) {
        serve_control(call);
        return;
    }
    call->endpoint =
        route_table_find(call->cx->arena, call->http->method, call->http->path, call->ids);
    if (call->endpoint == NULL || !admission_read_form(call)) {
        return;
    }
    call->sim->request_id = call->request_id;
    call->sim->request_key = call->idempotency_key;
    run_handler(call, spoilt ? FAULT_500_AFTER_COMMIT : FAULT_NONE);
    (void)idempotency_keep(call, /* running= */ false);
}

static void add_header(struct http_response *response, const char *name, const char *value)
{
    if (value != NULL && response->header_count < ARRAY_LEN(response->headers)) {
        response->headers[response->header_count].name = name;
        response->headers[response->header_count].value = value;
        response->header_count++;
    }
}

static void fill(struct call *call, bool api, struct http_response *response)
{
    const size_t len = call->body.len;
    char *body = arena_text_n(call->cx->arena, buf_cstr(&call->body), len);

    response->drop = call->drop;
    response->status = call->status;
    response->content_type = call->content_type;
    response->body = body;
    response->body_len = arena_failed(call->cx->arena) ? 0 : len;
    add_header(response, "Request-Id", call->request_id);
    add_header(response, "Location", call->location);
    if (!api) {
        return;
    }
    add_header(response, "Stripe-Version", SIM_API_VERSION);
    add_header(response, "Stripe-Account", http_header(call->http, "Stripe-Account"));
    add_header(response, "Idempotency-Key", call->idempotency_key);
    add_header(response, "Idempotent-Replayed", call->replayed ? "true" : NULL);
    add_header(response, "Stripe-Should-Retry", call->should_retry);
    add_header(response, "Stripe-Rate-Limited-Reason", call->rate_limited);
    add_header(response, "X-Sim-Not-Implemented", call->not_implemented);
}

static void sleep_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static const char *draw_request_id(struct sim *sim)
{
    return arena_printf(
        sim->cx->arena, "req_%014llX", (unsigned long long)(sim_random_fleeting(sim) >> 8));
}

void routes_serve(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    struct sim *sim = user;
    const int64_t start_us = monotonic_us();
    const bool api = is_api(request);
    struct idempotency_entry *entry = NULL;
    struct call call = {
        .cx = cx,
        .sim = sim,
        .http = request,
        .content_type = "application/json",
        .status = 500,
    };

    buf_init(&call.body, ANSWER_BYTES_MAX);
    sim_lock(sim, cx);
    call.account = sim->platform;
    call.begun_s = sim->now_s;
    call.request_id = draw_request_id(sim);
    if (api) {
        entry = serve_api(&call);
        request_log_add(sim->request_log, &call, monotonic_us() - start_us);
    } else {
        serve_control(&call);
    }
    sim_unlock(sim);
    if (call.sleep_ms > 0) {
        sleep_ms(call.sleep_ms);
        sim_lock(sim, cx);
        idempotency_finish(entry);
        sim_unlock(sim);
    }
    log_debug(
        cx,
        "request",
        LOG_TEXT("http_method", request->method),
        LOG_TEXT("path", request->path),
        LOG_I64("status", call.drop ? 0 : call.status),
        LOG_I64("duration_us", monotonic_us() - start_us));
    fill(&call, api, response);
    buf_release(&call.body);
}
