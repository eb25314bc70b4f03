#include "services/prices.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "domain/plan.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/plan_draft.h"
#include "services/services.h"
#include "store/plan_store.h"

struct status prices_create(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    const struct price *input,
    struct price *ret_price)
{
    struct plan_draft draft;
    struct price price;

    TRY(plan_draft_lock(cx, tx, plan_id, number, &draft));
    TRY(plan_draft_add_price(cx, tx, "price", &draft.version, input, 0, &price));
    TRY(plan_draft_changed(
        cx, tx, &draft, "prices", "", id_text(cx->arena, ID_PRICE, &price.price_id)));
    *ret_price = price;
    return STATUS_OK;
}

struct status prices_get(
    struct ctx *cx, struct services *services, const struct id *price_id, struct price *ret_price)
{
    const char *text = id_text(cx->arena, ID_PRICE, price_id);

    TRY(price_store_load(cx, services->db, NULL, price_id, ret_price));
    if (cx->caller.kind != KEY_PUBLISHABLE || ret_price->frozen) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(cx, REASON_PRICE_NOT_FOUND, "price \"%s\" does not exist", text),
        "price_id",
        text);
}

struct status prices_list(
    struct ctx *cx,
    struct services *services,
    const struct price_filter *filter,
    const struct price_position *before,
    int32_t max,
    struct price **ret_prices,
    size_t *ret_count)
{
    struct price_filter narrowed = *filter;
    struct plan plan;

    if (filter->plan_id != NULL) {
        const struct plan_ref ref = {.plan_id = filter->plan_id};

        TRY(plan_store_load(cx, services->db, NULL, &ref, &plan));
    }
    narrowed.published_only = cx->caller.kind == KEY_PUBLISHABLE;
    return price_store_list(cx, services->db, &narrowed, before, max, ret_prices, ret_count);
}

/* What goes with one model only leaves with it, unless the change says otherwise. */
static void apply_model(const struct price_change *change, struct price *price)
{
    if ((change->fields & PRICE_MODEL) == 0) {
        return;
    }
    price->model = change->values.model;
    if (price_tiered(price)) {
        price->has_unit = false;
        price->unit = (struct unit_price){0, ""};
    } else {
        price->tiers = NULL;
        price->tier_count = 0;
    }
    price->package_size = price->model == PRICE_PACKAGE ? price->package_size : 0;
}

static void apply_terms(const struct price_change *change, struct price *price)
{
    const struct price *values = &change->values;
    const uint32_t fields = change->fields;

    apply_model(change, price);
    price->currency = fields & PRICE_CURRENCY ? values->currency : price->currency;
    price->interval = fields & PRICE_INTERVAL ? values->interval : price->interval;
    price->interval_count =
        fields & PRICE_INTERVAL_COUNT ? values->interval_count : price->interval_count;
    price->meter_key = fields & PRICE_METER ? values->meter_key : price->meter_key;
    price->package_size = fields & PRICE_PACKAGE_SIZE ? values->package_size : price->package_size;
    price->quantity_min = fields & PRICE_QUANTITY_MIN ? values->quantity_min : price->quantity_min;
    price->quantity_max = fields & PRICE_QUANTITY_MAX ? values->quantity_max : price->quantity_max;
    price->tax = fields & PRICE_TAX ? values->tax : price->tax;
    if (fields & PRICE_UNIT) {
        price->has_unit = values->has_unit;
        price->unit = values->unit;
    }
    if (fields & PRICE_TIERS) {
        price->tiers = values->tiers;
        price->tier_count = values->tier_count;
    }
    price->amount_currency = values->amount_currency;
}

static void apply(const struct price_change *change, struct price *price)
{
    const struct price *values = &change->values;

    price->name = change->fields & PRICE_NAME ? values->name : price->name;
    price->metadata = change->fields & PRICE_METADATA ? values->metadata : price->metadata;
    price->key = change->fields & PRICE_KEY ? values->key : price->key;
    apply_terms(change, price);
}

/* Locks the plan first: its lock orders all changes of its prices. */
static struct status lock_price(
    struct ctx *cx,
    struct tx *tx,
    const struct id *price_id,
    struct price *ret_price,
    struct plan *ret_plan)
{
    struct id plan_id;
    const struct plan_ref ref = {.plan_id = &plan_id};

    TRY(price_store_load(cx, NULL, tx, price_id, ret_price));
    plan_id = ret_price->plan_id;
    TRY(plan_store_lock(cx, tx, &ref, ret_plan));
    return price_store_load(cx, NULL, tx, price_id, ret_price);
}

static struct status frozen(struct ctx *cx, const struct price *price)
{
    return plan_version_pairs(
        cx,
        status_fail(
            cx,
            REASON_PLAN_VERSION_FROZEN,
            "the version of the price is published: name and metadata can still be changed"),
        &price->plan_id,
        price->plan_version);
}

/* Being published: what is sent to the payment side must stay what it was. */
static bool in_publication(const struct plan *plan, const struct price *price)
{
    return price->frozen && plan->draft_version == price->plan_version;
}

static struct status check_changeable(
    struct ctx *cx,
    const struct price_change *change,
    const struct plan *plan,
    const struct price *price)
{
    TRY(plan_check_active(cx, plan));
    if (price->archived_us != 0) {
        const char *text = id_text(cx->arena, ID_PRICE, &price->price_id);

        return status_pair(
            cx,
            status_fail(cx, REASON_PRICE_ARCHIVED, "price \"%s\" is archived", text),
            "price_id",
            text);
    }
    if (price->frozen &&
        ((change->fields & ~PRICE_FIELDS_ALWAYS) != 0 || in_publication(plan, price))) {
        return frozen(cx, price);
    }
    return field_check_etag(cx, change->etag, price->version);
}

struct status prices_update(
    struct ctx *cx, struct tx *tx, const struct price_change *change, struct price *ret_price)
{
    struct audit_changes changes = {0};
    struct plan plan;
    struct price before;
    struct price after;

    TRY(lock_price(cx, tx, &change->values.price_id, &before, &plan));
    TRY(check_changeable(cx, change, &plan, &before));
    after = before;
    apply(change, &after);
    if (before.frozen) {
        TRY(field_check_text(cx, "price.name", after.name, 0, 100));
    } else {
        TRY(plan_draft_check_price(cx, tx, "price", &after));
    }
    after.amount_currency = "";
    after.version++;
    after.updated_us = cx->now_us;
    TRY(price_store_update(cx, tx, &after));
    audit_note(&changes, "name", before.name, after.name);
    audit_note(&changes, "metadata", before.metadata, after.metadata);
    audit_note(&changes, "model", price_model_name(before.model), price_model_name(after.model));
    audit_note(
        &changes,
        "unit_price",
        catalog_number(cx, before.unit.minor),
        catalog_number(cx, after.unit.minor));
    TRY(audit_add(cx, tx, "price", id_text(cx->arena, ID_PRICE, &after.price_id), &changes));
    *ret_price = after;
    return STATUS_OK;
}

struct status
prices_archive(struct ctx *cx, struct tx *tx, const struct id *price_id, struct price *ret_price)
{
    struct plan plan;
    struct price price;

    TRY(lock_price(cx, tx, price_id, &price, &plan));
    if (in_publication(&plan, &price)) {
        return frozen(cx, &price);
    }
    if (price.archived_us == 0) {
        price.version++;
        price.updated_us = cx->now_us;
        price.archived_us = cx->now_us;
        TRY(price.frozen ? price_store_update(cx, tx, &price)
                         : price_store_delete(cx, tx, price_id));
        TRY(audit_add(cx, tx, "price", id_text(cx->arena, ID_PRICE, price_id), NULL));
    }
    *ret_price = price;
    return STATUS_OK;
}
