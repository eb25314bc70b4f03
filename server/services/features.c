#include "services/features.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/field_check.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/meters.h"
#include "services/services.h"
#include "store/meter_store.h"

/* The lock keeps the meter from being archived at the same time. */
static struct status find_meter(struct ctx *cx, struct tx *tx, struct feature *feature)
{
    struct meter meter;

    if (feature->kind != FEATURE_METERED) {
        return STATUS_OK;
    }
    TRY(meter_store_lock(cx, tx, feature->meter_key, &meter));
    TRY(meters_check_active(cx, &meter));
    feature->meter_id = meter.meter_id;
    return STATUS_OK;
}

struct status features_create(
    struct ctx *cx, struct tx *tx, const struct feature *input, struct feature *ret_feature)
{
    struct feature feature = *input;
    struct audit_changes changes = {0};
    int64_t count = 0;

    TRY(feature_check(cx, "feature", &feature));
    TRY(find_meter(cx, tx, &feature));
    TRY(feature_store_count(cx, tx, &count));
    TRY(catalog_check_count(cx, "features", count, FEATURES_MAX));
    feature.feature_id = id_new(cx->now_us);
    feature.version = 1;
    feature.created_us = cx->now_us;
    feature.updated_us = cx->now_us;
    feature.archived_us = 0;
    TRY(feature_store_insert(cx, tx, &feature));
    audit_note(&changes, "feature_key", "", feature.key);
    audit_note(&changes, "kind", "", feature_kind_name(feature.kind));
    TRY(audit_add(
        cx, tx, "feature", id_text(cx->arena, ID_FEATURE, &feature.feature_id), &changes));
    TRY(catalog_keys_changed(cx, tx, "feature", feature.key));
    *ret_feature = feature;
    return STATUS_OK;
}

struct status features_get(
    struct ctx *cx, struct services *services, const char *key, struct feature *ret_feature)
{
    return feature_store_load(cx, services->db, NULL, key, ret_feature);
}

struct status features_list(
    struct ctx *cx,
    struct services *services,
    const struct feature_filter *filter,
    const struct id *after,
    int32_t max,
    struct feature **ret_features,
    size_t *ret_count)
{
    return feature_store_list(cx, services->db, filter, after, max, ret_features, ret_count);
}

static void apply(const struct feature_change *change, struct feature *feature)
{
    const struct feature *values = &change->values;

    if (change->fields & FEATURE_NAME) {
        feature->name = values->name;
    }
    if (change->fields & FEATURE_DESCRIPTION) {
        feature->description = values->description;
    }
    if (change->fields & FEATURE_UNIT) {
        feature->unit = values->unit;
    }
    if (change->fields & FEATURE_PERMITTED_VALUES) {
        feature->permitted_values = values->permitted_values;
        feature->permitted_count = values->permitted_count;
    }
    if (change->fields & FEATURE_UNREACHABLE_POLICY) {
        feature->unreachable_allow = values->unreachable_allow;
    }
    if (change->fields & FEATURE_METADATA) {
        feature->metadata = values->metadata;
    }
}

static void note_changes(
    struct ctx *cx,
    const struct feature *before,
    const struct feature *after,
    struct audit_changes *changes)
{
    audit_note(changes, "name", before->name, after->name);
    audit_note(changes, "description", before->description, after->description);
    audit_note(changes, "unit_name", before->unit, after->unit);
    audit_note(
        changes,
        "permitted_values",
        catalog_list(cx, before->permitted_values, before->permitted_count),
        catalog_list(cx, after->permitted_values, after->permitted_count));
    audit_note(
        changes,
        "unreachable_policy",
        before->unreachable_allow ? "ALLOW" : "DENY",
        after->unreachable_allow ? "ALLOW" : "DENY");
    audit_note(changes, "metadata", before->metadata, after->metadata);
}

struct status features_update(
    struct ctx *cx, struct tx *tx, const struct feature_change *change, struct feature *ret_feature)
{
    struct audit_changes changes = {0};
    struct feature before;
    struct feature after;

    TRY(feature_store_lock(cx, tx, change->values.key, &before));
    if (before.archived_us != 0) {
        return status_pair(
            cx,
            status_fail(cx, REASON_FEATURE_ARCHIVED, "feature \"%s\" is archived", before.key),
            "feature_key",
            before.key);
    }
    TRY(field_check_etag(cx, change->etag, before.version));
    if (change->has_kind && change->values.kind != before.kind) {
        return status_field(cx, "feature.kind", "is %s for ever", feature_kind_name(before.kind));
    }
    after = before;
    apply(change, &after);
    TRY(feature_check(cx, "feature", &after));
    note_changes(cx, &before, &after, &changes);
    if (changes.count > 0) {
        after.version++;
        after.updated_us = cx->now_us;
        TRY(feature_store_update(cx, tx, &after));
        TRY(audit_add(
            cx, tx, "feature", id_text(cx->arena, ID_FEATURE, &after.feature_id), &changes));
    }
    /* The one field that answers from memory carry. */
    if (after.unreachable_allow != before.unreachable_allow) {
        TRY(catalog_keys_changed(cx, tx, "feature", after.key));
    }
    *ret_feature = after;
    return STATUS_OK;
}

static struct status check_unused(struct ctx *cx, struct tx *tx, const struct feature *feature)
{
    struct id plan_id;

    TRY(feature_store_plan_on_sale(cx, tx, &feature->feature_id, &plan_id));
    if (id_is_zero(&plan_id)) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_fail(
                cx, REASON_FEATURE_IN_USE, "a plan on sale gives feature \"%s\"", feature->key),
            "feature_key",
            feature->key),
        "plan_id",
        id_text(cx->arena, ID_PLAN, &plan_id));
}

struct status
features_archive(struct ctx *cx, struct tx *tx, const char *key, struct feature *ret_feature)
{
    struct feature feature;

    TRY(feature_store_lock(cx, tx, key, &feature));
    if (feature.archived_us == 0) {
        TRY(check_unused(cx, tx, &feature));
        feature.version++;
        feature.updated_us = cx->now_us;
        feature.archived_us = cx->now_us;
        TRY(feature_store_update(cx, tx, &feature));
        TRY(audit_add(
            cx, tx, "feature", id_text(cx->arena, ID_FEATURE, &feature.feature_id), NULL));
        TRY(catalog_keys_changed(cx, tx, "feature", feature.key));
        log_info(cx, "feature archived", LOG_ID("feature", ID_FEATURE, &feature.feature_id));
    }
    *ret_feature = feature;
    return STATUS_OK;
}
