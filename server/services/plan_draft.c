#include "services/plan_draft.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/meter.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/meters.h"
#include "store/feature_store.h"
#include "store/meter_store.h"
#include "store/plan_feature_store.h"
#include "store/plan_store.h"
#include "store/plan_version_store.h"
#include "store/price_store.h"

struct status plan_check_active(struct ctx *cx, const struct plan *plan)
{
    if (plan->archived_us == 0) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(cx, REASON_PLAN_ARCHIVED, "plan \"%s\" is archived", plan->key),
        "plan_id",
        id_text(cx->arena, ID_PLAN, &plan->plan_id));
}

struct status plan_draft_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    struct plan_draft *ret_draft)
{
    const struct plan_ref ref = {.plan_id = plan_id};
    struct plan_version_ref version_ref = {*plan_id, number};

    TRY(plan_store_lock(cx, tx, &ref, &ret_draft->plan));
    TRY(plan_check_active(cx, &ret_draft->plan));
    if (number == 0) {
        version_ref.number = ret_draft->plan.draft_version;
    }
    TRY(plan_version_store_load(cx, NULL, tx, &version_ref, &ret_draft->version));
    if (ret_draft->version.state == PLAN_DRAFT) {
        return STATUS_OK;
    }
    return plan_version_pairs(
        cx,
        status_fail(
            cx,
            REASON_PLAN_VERSION_FROZEN,
            "version %" PRId32 " of plan \"%s\" is %s",
            ret_draft->version.number,
            ret_draft->plan.key,
            ret_draft->version.state == PLAN_PUBLISHED ? "published" : "being published"),
        plan_id,
        ret_draft->version.number);
}

struct status plan_draft_changed(
    struct ctx *cx,
    struct tx *tx,
    struct plan_draft *draft,
    const char *what,
    const char *old_value,
    const char *new_value)
{
    const struct plan_version_ref ref = {draft->plan.plan_id, draft->version.number};
    struct audit_changes changes = {0};

    draft->version.version++;
    TRY(plan_version_store_update(cx, tx, &draft->version));
    audit_note(
        &changes,
        arena_printf(cx->arena, "versions[%" PRId32 "].%s", draft->version.number, what),
        old_value,
        new_value);
    TRY(audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, &draft->plan.plan_id), &changes));
    return plan_version_store_load(cx, NULL, tx, &ref, &draft->version);
}

struct status plan_draft_put_feature(
    struct ctx *cx,
    struct tx *tx,
    const char *path,
    const struct plan_version *version,
    const struct plan_feature *input)
{
    const struct plan_version_ref ref = {version->plan_id, version->number};
    struct plan_feature terms = *input;
    struct feature feature;

    TRY(feature_store_load(cx, NULL, tx, input->feature_key, &feature));
    TRY(plan_feature_check(cx, path, input, &feature));
    terms.feature_id = feature.feature_id;
    terms.kind = feature.kind;
    return plan_feature_store_set(cx, tx, &ref, &terms);
}

struct status
plan_draft_check_price(struct ctx *cx, struct tx *tx, const char *path, struct price *price)
{
    struct meter meter;

    if (price->currency[0] == '\0') {
        TRY(plan_store_default_currency(cx, tx, &price->currency));
    }
    TRY(price_check(cx, path, price));
    price->meter_id = (struct id){{0}};
    if (price_metered(price)) {
        /* The lock keeps the meter from being archived at the same time. */
        TRY(meter_store_lock(cx, tx, price->meter_key, &meter));
        TRY(meters_check_active(cx, &meter));
        price->meter_id = meter.meter_id;
    }
    return price_store_check_unique(cx, tx, price);
}

struct status plan_draft_add_price(
    struct ctx *cx,
    struct tx *tx,
    const char *path,
    const struct plan_version *version,
    const struct price *input,
    size_t position,
    struct price *ret_price)
{
    struct price price = *input;
    int64_t count = 0;

    TRY(price_store_count(cx, tx, &version->plan_id, version->number, &count));
    TRY(catalog_check_count(cx, "prices", count, PLAN_PRICES_MAX));
    price.price_id = id_new(cx->now_us);
    price.plan_id = version->plan_id;
    price.plan_version = version->number;
    price.frozen = false;
    price.stripe_price_id = "";
    price.version = 1;
    price.created_us = cx->now_us + (int64_t)position;
    price.updated_us = price.created_us;
    price.archived_us = 0;
    TRY(plan_draft_check_price(cx, tx, path, &price));
    TRY(price_store_insert(cx, tx, &price));
    *ret_price = price;
    return STATUS_OK;
}
