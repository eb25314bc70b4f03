#include "services/webhooks_in.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/metrics.h"
#include "services/services.h"
#include "services/webhook_event.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/webhook_inbox_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_signature.h"

#define FUTURE_SECONDS_MAX 60
#define HANDLE_MAX 500
#define EVENT_ATTEMPTS_MAX 3 /* right after each other: nothing but our own database is asked */

static void count_event(const char *type, const char *result)
{
    const char *const labels[] = {type, result};

    metric_add(metric_series(METRIC_WEBHOOK_EVENTS, labels), 1);
}

static struct status check_signature(
    struct ctx *cx,
    const struct services *services,
    enum webhook_endpoint endpoint,
    const char *signature,
    struct str body)
{
    const struct services_settings *settings = services->settings;
    const struct stripe_signature_rule rule = {
        .secrets = endpoint == WEBHOOK_CONNECT ? settings->webhook_secrets_connect
                                               : settings->webhook_secrets_platform,
        .past_seconds_max = settings->webhook_tolerance_seconds,
        .future_seconds_max = FUTURE_SECONDS_MAX,
    };
    const enum stripe_signature verdict =
        stripe_signature_verify(&rule, signature, body.ptr, body.len, cx->now_us);

    return verdict == STRIPE_SIGNATURE_VALID
               ? STATUS_OK
               : status_fail(cx, REASON_MESSAGE_MALFORMED, "%s", stripe_signature_text(verdict));
}

/* An event of an account at the address of the platform, or the other way round, is a mistake in
 * the settings of the payment side: kept, and shown, but not acted upon. */
static void check_address(struct ctx *cx, enum webhook_endpoint endpoint, struct inbox_event *event)
{
    const bool of_account = event->account_id[0] != '\0';

    if (of_account == (endpoint == WEBHOOK_CONNECT)) {
        return;
    }
    event->state = INBOX_FAILED;
    event->error = of_account ? "an event of an account came to the platform's address"
                              : "an event of the platform came to the address of accounts";
    log_warn(
        cx,
        "webhook came to the wrong address",
        LOG_TEXT("type", event->type),
        LOG_TEXT("why", event->error));
}

struct status webhooks_receive(
    struct ctx *cx,
    struct services *services,
    enum webhook_endpoint endpoint,
    const char *signature,
    struct str body,
    int *ret_http_status)
{
    struct inbox_event event = {.type = ""};
    struct status status = check_signature(cx, services, endpoint, signature, body);
    bool inserted = false;

    *ret_http_status = 400;
    if (status.code == CODE_OK) {
        status = webhook_event_parse(cx, body.ptr, body.len, &event);
    }
    if (status.code != CODE_OK) {
        count_event("", "rejected");
        return status;
    }
    check_address(cx, endpoint, &event);
    status = webhook_inbox_store_insert(cx, services->db, &event, &inserted);
    if (status.code != CODE_OK) {
        *ret_http_status = 503; /* it is sent again, for days */
        count_event(event.type, "failed");
        return status;
    }
    failpoint("inbox.stored");
    count_event(event.type, inserted ? "stored" : "duplicate");
    if (event.api_version[0] != '\0' && strcmp(event.api_version, STRIPE_API_VERSION) != 0) {
        /* It says only that an object changed, which is then read in our version. */
        count_event(event.type, "other_version");
    }
    if (inserted && services->wake_webhooks != NULL) {
        services->wake_webhooks(services->wake_user);
    }
    *ret_http_status = 200;
    return STATUS_OK;
}

static bool is_mirrored(const struct inbox_event *event)
{
    return event->object_id[0] != '\0' && webhook_object_mirrored(event->object_type);
}

struct handle_work {
    size_t max;
    size_t count;
    struct inbox_event *events;
};

static struct status handle(struct ctx *cx, struct tx *tx, void *user)
{
    struct handle_work *work = user;
    struct inbox_event *events = NULL;
    struct dirty_object *objects = NULL;
    size_t object_count = 0;

    TRY(webhook_inbox_store_take(cx, tx, work->max, &events, &work->count));
    work->events = events;
    objects = arena_try_alloc(cx->arena, (work->count + 1) * sizeof *objects);
    if (objects == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (work->count == 0) {
        return STATUS_OK;
    }
    for (size_t i = 0; i < work->count; i++) {
        struct inbox_event *event = &events[i];

        if (event->account_id[0] == '\0' || !is_mirrored(event)) {
            event->state = INBOX_IGNORED;
        } else if (event->org_id == 0) {
            event->state = INBOX_PARKED;
        } else {
            event->state = INBOX_DONE;
            objects[object_count++] = (struct dirty_object){
                .org_id = event->org_id,
                .object_type = event->object_type,
                .object_id = event->object_id,
                .first_seen_us = event->received_us,
            };
        }
    }
    TRY(dirty_object_store_mark(cx, tx, objects, object_count));
    return webhook_inbox_store_settle(cx, tx, events, work->count);
}

static void count_handled(const struct handle_work *work)
{
    static const char *const results[] = {
        [INBOX_IGNORED] = "ignored", [INBOX_PARKED] = "parked", [INBOX_FAILED] = "failed"};

    for (size_t i = 0; i < work->count; i++) {
        if (work->events[i].state != INBOX_DONE && work->events[i].state != INBOX_NEW) {
            count_event(work->events[i].type, results[work->events[i].state]);
        }
    }
}

/* One of a batch cannot be handled: each alone, and that one is set aside in the end. */
static struct status handle_one(struct ctx *cx, struct services *services, size_t *ret_count)
{
    struct handle_work work = {.max = 1};
    const struct status status = tx_run(cx, services->db, handle, &work);

    *ret_count = work.count;
    if (status.code == CODE_OK) {
        count_handled(&work);
        return STATUS_OK;
    }
    if (status.code != CODE_INTERNAL || work.count == 0) {
        return status; /* the database is away: no event is to blame */
    }
    log_warn(
        cx,
        "could not handle a webhook",
        LOG_TEXT("type", work.events[0].type),
        LOG_TEXT("event", work.events[0].event_id),
        LOG_STATUS(status));
    return webhook_inbox_store_fail(
        cx, services->db, &work.events[0], status_message(status), EVENT_ATTEMPTS_MAX);
}

struct status
webhooks_handle(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    struct handle_work work = {.max = max < HANDLE_MAX ? max : HANDLE_MAX};
    struct status status = tx_run(cx, services->db, handle, &work);
    size_t handled = 1;

    *ret_count = work.count;
    if (status.code == CODE_OK) {
        count_handled(&work);
    } else if (status.code == CODE_INTERNAL && work.count > 0) {
        status = STATUS_OK;
        for (*ret_count = 0; status.code == CODE_OK && handled > 0 && *ret_count < work.count;) {
            status = handle_one(cx, services, &handled);
            *ret_count += handled;
        }
    }
    return status;
}

struct status webhooks_unpark(struct ctx *cx, struct services *services, size_t *ret_count)
{
    return webhook_inbox_store_unpark(cx, services->db, ret_count);
}

struct status
webhooks_prune(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    return webhook_inbox_store_prune(
        cx, services->db, services->settings->webhook_keep_days, max, ret_count);
}
