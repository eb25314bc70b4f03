#include "services/meters.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/field_check.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/services.h"
#include "store/meter_store.h"

struct status meters_check_active(struct ctx *cx, const struct meter *meter)
{
    if (meter->archived_us == 0) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(cx, REASON_METER_ARCHIVED, "meter \"%s\" is archived", meter->key),
        "meter_key",
        meter->key);
}

struct status
meters_create(struct ctx *cx, struct tx *tx, const struct meter *input, struct meter *ret_meter)
{
    struct meter meter = *input;
    struct audit_changes changes = {0};
    int64_t count = 0;

    TRY(meter_check(cx, "meter", &meter));
    TRY(meter_store_count(cx, tx, &count));
    TRY(catalog_check_count(cx, "meters", count, METERS_MAX));
    meter.meter_id = id_new(cx->now_us);
    meter.version = 1;
    meter.created_us = cx->now_us;
    meter.updated_us = cx->now_us;
    meter.archived_us = 0;
    TRY(meter_store_insert(cx, tx, &meter));
    audit_note(&changes, "meter_key", "", meter.key);
    audit_note(&changes, "aggregation", "", meter_aggregation_name(meter.aggregation));
    TRY(audit_add(cx, tx, "meter", id_text(cx->arena, ID_METER, &meter.meter_id), &changes));
    TRY(catalog_keys_changed(cx, tx, "meter", meter.key));
    *ret_meter = meter;
    return STATUS_OK;
}

struct status
meters_get(struct ctx *cx, struct services *services, const char *key, struct meter *ret_meter)
{
    return meter_store_load(cx, services->db, NULL, key, ret_meter);
}

struct status meters_list(
    struct ctx *cx,
    struct services *services,
    enum catalog_state state,
    const struct id *after,
    int32_t max,
    struct meter **ret_meters,
    size_t *ret_count)
{
    return meter_store_list(cx, services->db, state, after, max, ret_meters, ret_count);
}

static void apply(const struct meter_change *change, struct meter *meter)
{
    const struct meter *values = &change->values;

    if (change->fields & METER_NAME) {
        meter->name = values->name;
    }
    if (change->fields & METER_DESCRIPTION) {
        meter->description = values->description;
    }
    if (change->fields & METER_UNIT) {
        meter->unit = values->unit;
    }
    if (change->fields & METER_DIMENSIONS) {
        meter->dimensions = values->dimensions;
        meter->dimension_count = values->dimension_count;
    }
    if (change->fields & METER_DURABILITY) {
        meter->async = values->async;
    }
    if (change->fields & METER_METADATA) {
        meter->metadata = values->metadata;
    }
}

static void note_changes(
    struct ctx *cx,
    const struct meter *before,
    const struct meter *after,
    struct audit_changes *changes)
{
    audit_note(changes, "name", before->name, after->name);
    audit_note(changes, "description", before->description, after->description);
    audit_note(changes, "unit_name", before->unit, after->unit);
    audit_note(
        changes,
        "dimensions",
        catalog_list(cx, before->dimensions, before->dimension_count),
        catalog_list(cx, after->dimensions, after->dimension_count));
    audit_note(
        changes, "durability", before->async ? "ASYNC" : "SYNC", after->async ? "ASYNC" : "SYNC");
    audit_note(changes, "metadata", before->metadata, after->metadata);
}

struct status meters_update(
    struct ctx *cx, struct tx *tx, const struct meter_change *change, struct meter *ret_meter)
{
    struct audit_changes changes = {0};
    struct meter before;
    struct meter after;

    TRY(meter_store_lock(cx, tx, change->values.key, &before));
    TRY(meters_check_active(cx, &before));
    TRY(field_check_etag(cx, change->etag, before.version));
    after = before;
    apply(change, &after);
    TRY(meter_check(cx, "meter", &after));
    note_changes(cx, &before, &after, &changes);
    if (changes.count > 0) {
        after.version++;
        after.updated_us = cx->now_us;
        TRY(meter_store_update(cx, tx, &after));
        TRY(audit_add(cx, tx, "meter", id_text(cx->arena, ID_METER, &after.meter_id), &changes));
    }
    *ret_meter = after;
    return STATUS_OK;
}

static struct status check_unused(struct ctx *cx, struct tx *tx, const struct meter *meter)
{
    struct meter_users users;
    struct status status;

    TRY(meter_store_users(cx, tx, &meter->meter_id, &users));
    if (users.feature_key[0] == '\0' && id_is_zero(&users.price_id)) {
        return STATUS_OK;
    }
    status = status_pair(
        cx,
        status_fail(
            cx,
            REASON_METER_IN_USE,
            "a %s uses meter \"%s\"",
            users.feature_key[0] != '\0' ? "feature" : "price",
            meter->key),
        "meter_key",
        meter->key);
    if (users.feature_key[0] != '\0') {
        return status_pair(cx, status, "feature_key", users.feature_key);
    }
    return status_pair(cx, status, "price_id", id_text(cx->arena, ID_PRICE, &users.price_id));
}

struct status
meters_archive(struct ctx *cx, struct tx *tx, const char *key, struct meter *ret_meter)
{
    struct meter meter;

    TRY(meter_store_lock(cx, tx, key, &meter));
    if (meter.archived_us == 0) {
        TRY(check_unused(cx, tx, &meter));
        meter.version++;
        meter.updated_us = cx->now_us;
        meter.archived_us = cx->now_us;
        TRY(meter_store_update(cx, tx, &meter));
        TRY(audit_add(cx, tx, "meter", id_text(cx->arena, ID_METER, &meter.meter_id), NULL));
        TRY(catalog_keys_changed(cx, tx, "meter", meter.key));
        log_info(cx, "meter archived", LOG_ID("meter", ID_METER, &meter.meter_id));
    }
    *ret_meter = meter;
    return STATUS_OK;
}
