#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "domain/event.h"
#include "http/json.h"
#include "services/reconcile_sweep.h"
#include "services/services.h"
#include "store/db.h"
#include "store/drift_store.h"
#include "store/event_log.h"

#define PAYLOAD_BYTES_MAX ((size_t)24 * 1024)

struct status sweep_record(struct ctx *cx, struct tx *tx, const struct drift *drift)
{
    return drift_store_insert(cx, tx, drift);
}

/* Names nothing of the payment side: merchants read it. */
static const char *payload_of(struct ctx *cx, const struct drift *drift)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, PAYLOAD_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "drift_id", id_text(cx->arena, ID_DRIFT, &drift->drift_id));
    json_put_text(&writer, "run_id", id_text(cx->arena, ID_RECONCILIATION, &drift->run_id));
    json_put_text(&writer, "kind", drift_kind_name(drift->kind));
    json_put_text(&writer, "object_type", drift->object_type);
    json_put_text(&writer, "resource_id", drift->resource_id);
    json_put_text(&writer, "cause", drift->cause);
    json_put_i64(&writer, "age_us", drift->age_us);
    json_put_bool(&writer, "repaired", drift->repaired);
    json_put_i64(&writer, "found_us", drift->found_us);
    json_put_text(&writer, "changes", drift->changes);
    json_close_object(&writer);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    const struct drift *drift = user;
    const struct event event = {
        .type = EVENT_DRIFT_FOUND,
        .customer_id = drift->customer_id,
        .subscription_id = drift->subscription_id,
        .payload = payload_of(cx, drift),
    };

    if (drift->repaired) {
        TRY(drift_store_repaired(cx, tx, &drift->drift_id));
    }
    return event_log_add(cx, tx, &event);
}

struct status sweep_settle(struct ctx *cx, struct sweep *sweep, struct drift *drift, bool repaired)
{
    const char *const labels[] = {drift->object_type, repaired ? "repaired" : "open"};

    drift->repaired = repaired;
    sweep->run.repaired += repaired ? 1 : 0;
    sweep->run.unrepaired += repaired ? 0 : 1;
    metric_add(metric_series(METRIC_RECONCILE_DRIFT, labels), 1);
    log_warn(
        cx,
        "the mirror differed from the payment side",
        LOG_TEXT("type", drift->object_type),
        LOG_TEXT("object", drift->stripe_id),
        LOG_TEXT("kind", drift_kind_name(drift->kind)),
        LOG_TEXT("cause", drift->cause),
        LOG_I64("age_s", drift->age_us / US_PER_SECOND),
        LOG_TEXT("action", repaired ? "repaired" : "open"));
    return tx_run(cx, sweep->services->db, settle, drift);
}
