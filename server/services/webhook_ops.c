#include "services/webhook_ops.h"

#include <string.h>

#include "base/ctx.h"
#include "base/log.h"
#include "base/metrics.h"
#include "services/services.h"

static const struct {
    const char *word;
    const char *states[5];
    size_t state_count;
    bool quarantined;
} choices[] = {
    {"waiting", {"FAILED", "PARKED"}, 2, true},
    {"all", {"NEW", "DONE", "PARKED", "IGNORED", "FAILED"}, 5, true},
    {"new", {"NEW"}, 1, false},
    {"done", {"DONE"}, 1, false},
    {"parked", {"PARKED"}, 1, false},
    {"ignored", {"IGNORED"}, 1, false},
    {"failed", {"FAILED"}, 1, false},
    {"quarantined", {NULL}, 0, true},
};

struct status webhook_ops_list(
    struct ctx *cx,
    struct services *services,
    const char *account_id,
    const char *state,
    size_t max,
    struct webhook_row **ret_rows,
    size_t *ret_count)
{
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        if (strcmp(choices[i].word, state == NULL ? "waiting" : state) == 0) {
            const struct webhook_filter filter = {
                .account_id = account_id,
                .states = choices[i].states,
                .state_count = choices[i].state_count,
                .quarantined = choices[i].quarantined,
            };

            return webhook_ops_store_list(cx, services->db, &filter, max, ret_rows, ret_count);
        }
    }
    return status_fail(
        cx,
        REASON_FIELD_INVALID,
        "the state is waiting, all, new, done, parked, ignored, failed or quarantined");
}

struct status webhook_ops_show(
    struct ctx *cx,
    struct services *services,
    const char *account_id,
    const char *event_id,
    struct webhook_row *ret_row)
{
    size_t count = 0;

    TRY(webhook_ops_store_find(cx, services->db, account_id, event_id, ret_row, &count));
    if (count == 0) {
        return status_fail(cx, REASON_FIELD_INVALID, "event \"%s\" is not in the inbox", event_id);
    }
    if (count > 1) {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "several accounts have an event \"%s\": say which one",
            event_id);
    }
    return STATUS_OK;
}

struct status webhook_ops_replay(
    struct ctx *cx, struct services *services, const char *account_id, const char *event_id)
{
    struct webhook_row row;

    TRY(webhook_ops_show(cx, services, account_id, event_id, &row));
    log_info(cx, "webhook gets another try", LOG_TEXT("event", row.event_id));
    return webhook_ops_store_replay(cx, services->db, &row);
}

struct status webhook_ops_skip(
    struct ctx *cx, struct services *services, const char *account_id, const char *event_id)
{
    struct webhook_row row;

    TRY(webhook_ops_show(cx, services, account_id, event_id, &row));
    log_info(cx, "webhook is skipped", LOG_TEXT("event", row.event_id));
    return webhook_ops_store_skip(cx, services->db, &row);
}

struct status webhook_ops_measure(struct ctx *cx, struct services *services)
{
    struct webhook_totals totals;

    TRY(webhook_ops_store_totals(cx, services->db, &totals));
    metric_set(
        metric_series(METRIC_WEBHOOKS_QUARANTINED, (const char *const[]){"event"}),
        totals.failed_events);
    metric_set(
        metric_series(METRIC_WEBHOOKS_QUARANTINED, (const char *const[]){"object"}),
        totals.quarantined_objects);
    metric_gauge(METRIC_WEBHOOKS_PARKED, totals.parked_events);
    return STATUS_OK;
}
