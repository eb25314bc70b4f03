#include "services/intent_resolver.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "services/services.h"
#include "store/intent_upkeep_store.h"

#define RESOLVE_MS_MAX 45000 /* with the time to settle it ends before the lease */
#define LEASE_US (INT64_C(60) * US_PER_SECOND)

static intent_drive driver_of(const char *method)
{
    for (size_t i = 0; i < INTENT_DRIVER_COUNT; i++) {
        if (strcmp(INTENT_DRIVERS[i].method, method) == 0) {
            return INTENT_DRIVERS[i].drive;
        }
    }
    return NULL;
}

static struct status no_driver(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    (void)services;
    (void)ret_result;
    return status_fail(cx, REASON_INTERNAL, "nobody drives intents of %s", intent->method);
}

/* In the name of whoever made the call. */
static void resolve_one(struct ctx *cx, struct services *services, struct intent *intent)
{
    struct ctx one = *cx;
    struct str answer = {"", 0};
    const intent_drive drive = driver_of(intent->method);
    struct status status;

    one.now_us = wallclock_us();
    one.deadline_us = deadline_in_ms(RESOLVE_MS_MAX);
    one.method = intent->method;
    one.caller = (struct caller){
        .org_id = intent->org_id,
        .live = intent->org_id % 2 == 0,
        .actor = intent->actor,
    };
    status = intents_drive(&one, services, drive == NULL ? no_driver : drive, intent, &answer);
    log_info(
        &one,
        "operation resolved",
        LOG_ID("operation", ID_OPERATION, &intent->intent_id),
        LOG_I64("attempts", intent->attempts),
        LOG_STATUS(status));
}

struct status
intents_resolve_due(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    size_t taken = 1;

    *ret_count = 0;
    while (taken > 0 && *ret_count < max && !ctx_gone(cx)) {
        struct intent intent;

        /* One at a time: a lease must not run out while others are driven. */
        TRY(intent_store_take_due(cx, services->db, wallclock_us() + LEASE_US, 1, &intent, &taken));
        if (taken > 0) {
            resolve_one(cx, services, &intent);
            (*ret_count)++;
        }
    }
    return STATUS_OK;
}

struct status
intents_prune(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    return intent_upkeep_store_prune(
        cx, services->db, services->settings->idempotency_keep_days, max, ret_count);
}

struct status intents_measure(struct ctx *cx, struct services *services)
{
    struct intent_ages ages;
    static const char *const buckets[] = {"minute", "hour", "older"};

    TRY(intent_upkeep_store_ages(cx, services->db, &ages));
    metric_set(metric_series(METRIC_INTENTS_UNRESOLVED, &buckets[0]), ages.minute);
    metric_set(metric_series(METRIC_INTENTS_UNRESOLVED, &buckets[1]), ages.hour);
    metric_set(metric_series(METRIC_INTENTS_UNRESOLVED, &buckets[2]), ages.older);
    return STATUS_OK;
}
