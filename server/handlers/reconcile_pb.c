#include "handlers/reconcile_pb.h"

#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "handlers/item_error.h"
#include "handlers/pb.h"

#define CHANGES_MAX 50

static void release_json(struct json **json)
{
    json_free(*json);
}

/* The failure that the run has noted, as it was. */
static Billingos__V1__ItemError *error_pb(struct ctx *cx, const struct reconciliation *run)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (strcmp(reason_name((enum reason)i), run->reason) == 0) {
            return item_error_pb(cx, status_fail(cx, (enum reason)i, "%s", run->message));
        }
    }
    return item_error_pb(cx, status_of(cx, REASON_INTERNAL));
}

Billingos__V1__Reconciliation *reconcile_pb(struct ctx *cx, const struct reconciliation *run)
{
    Billingos__V1__Reconciliation *message =
        PB_NEW(cx, Billingos__V1__Reconciliation, billingos__v1__reconciliation__init);

    message->reconcile_run_id = pb_id(cx, ID_RECONCILIATION, &run->run_id);
    message->state = (Billingos__V1__ReconciliationState)run->state;
    message->full = run->whole;
    message->compared_count = run->compared;
    message->matching_count = run->matching;
    message->repaired_count = run->repaired;
    message->open_count = run->unrepaired;
    message->call_count = run->calls;
    message->start_time = pb_time(cx, run->started_us);
    message->finish_time = pb_time(cx, run->finished_us);
    message->error = run->state == RECONCILIATION_FAILED ? error_pb(cx, run) : NULL;
    return message;
}

static void put_changes(struct ctx *cx, const char *text, Billingos__V1__Drift *message)
{
    AUTO(release_json) struct json *document = NULL;
    json_value changes = NULL;
    size_t count = 0;

    if (json_parse(cx, text, strlen(text), &document).code != CODE_OK) {
        return;
    }
    changes = json_root(document);
    count = json_len(changes) > CHANGES_MAX ? CHANGES_MAX : json_len(changes);
    message->changes = arena_alloc(cx->arena, (count + 1) * sizeof(Billingos__V1__FieldChange *));
    message->n_changes = count;
    for (size_t i = 0; i < count; i++) {
        Billingos__V1__FieldChange *change =
            PB_NEW(cx, Billingos__V1__FieldChange, billingos__v1__field_change__init);

        change->path = pb_text(json_text(cx, json_item(changes, i), "path"));
        change->old_value = pb_text(json_text(cx, json_item(changes, i), "old"));
        change->new_value = pb_text(json_text(cx, json_item(changes, i), "new"));
        message->changes[i] = change;
    }
}

Billingos__V1__Drift *drift_pb(struct ctx *cx, const struct drift *drift)
{
    Billingos__V1__Drift *message = PB_NEW(cx, Billingos__V1__Drift, billingos__v1__drift__init);

    message->drift_id = pb_id(cx, ID_DRIFT, &drift->drift_id);
    message->reconcile_run_id = pb_id(cx, ID_RECONCILIATION, &drift->run_id);
    message->kind = (Billingos__V1__DriftKind)drift->kind;
    message->resource_type = pb_text(drift->object_type);
    message->resource_id = pb_text(drift->resource_id);
    message->cause = pb_text(drift->cause);
    message->age = pb_duration(cx, drift->age_us);
    message->repaired = drift->repaired;
    message->find_time = pb_time(cx, drift->found_us);
    put_changes(cx, drift->changes, message);
    return message;
}

Billingos__V1__Drift *drift_pb_of_payload(struct ctx *cx, json_value payload)
{
    Billingos__V1__Drift *message = PB_NEW(cx, Billingos__V1__Drift, billingos__v1__drift__init);

    message->drift_id = pb_text(json_text(cx, payload, "drift_id"));
    message->reconcile_run_id = pb_text(json_text(cx, payload, "run_id"));
    message->kind = (Billingos__V1__DriftKind)drift_kind_parse(json_text(cx, payload, "kind"));
    message->resource_type = pb_text(json_text(cx, payload, "object_type"));
    message->resource_id = pb_text(json_text(cx, payload, "resource_id"));
    message->cause = pb_text(json_text(cx, payload, "cause"));
    message->age = pb_duration(cx, json_i64(payload, "age_us"));
    message->repaired = json_bool(payload, "repaired");
    message->find_time = pb_time(cx, json_i64(payload, "found_us"));
    put_changes(cx, json_text(cx, payload, "changes"), message);
    return message;
}
