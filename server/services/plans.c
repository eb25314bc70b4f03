#include "services/plans.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/field_check.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/plan_draft.h"
#include "services/services.h"
#include "store/plan_version_store.h"

static bool sees_published_only(const struct ctx *cx)
{
    return cx->caller.kind == KEY_PUBLISHABLE;
}

/* What makes a plan one that others can be sold on. */
static struct status check_compatible(struct ctx *cx, struct tx *tx, const struct plan *plan)
{
    struct status result = STATUS_OK;

    for (size_t i = 0; i < plan->compatible_count; i++) {
        const char *field = field_item(cx, "plan.compatible_plan_keys", i);
        const struct plan_ref ref = {.key = plan->compatible_keys[i]};
        struct plan base;
        const struct status status = plan_store_load(cx, NULL, tx, &ref, &base);

        if (status_reason(status) == REASON_PLAN_NOT_FOUND) {
            field_note(cx, &result, status_field(cx, field, "is not the key of a plan"));
            continue;
        }
        TRY(status);
        if (base.addon) {
            field_note(cx, &result, status_field(cx, field, "is not the key of a base plan"));
        }
    }
    return result;
}

static struct status plans_create_fill(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_input *input,
    const struct plan_version *version)
{
    struct price price;

    for (size_t i = 0; i < input->feature_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(input->features[i].feature_key, input->features[j].feature_key) == 0) {
                return status_field(
                    cx,
                    field_path(cx, field_item(cx, "features", i), "feature_key"),
                    "is the same as in entry %zu",
                    j);
            }
        }
        TRY(plan_draft_put_feature(
            cx, tx, field_item(cx, "features", i), version, &input->features[i]));
    }
    for (size_t i = 0; i < input->price_count; i++) {
        TRY(plan_draft_add_price(
            cx, tx, field_item(cx, "prices", i), version, &input->prices[i], i, &price));
    }
    return STATUS_OK;
}

static struct status plans_create_check(
    struct ctx *cx, struct tx *tx, const struct plan_input *input, const struct plan_version *first)
{
    struct status result = STATUS_OK;
    int64_t count = 0;

    field_note(cx, &result, plan_check(cx, "plan", &input->plan));
    field_note(cx, &result, plan_version_check(cx, "", first));
    TRY(result);
    TRY(check_compatible(cx, tx, &input->plan));
    TRY(plan_store_count(cx, tx, &count));
    return catalog_check_count(cx, "plans", count, PLANS_MAX);
}

struct status plans_create(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_input *input,
    struct plan *ret_plan,
    struct plan_version *ret_version)
{
    struct plan plan = input->plan;
    struct plan_version first = {
        .number = 1,
        .state = PLAN_DRAFT,
        .trial_days = input->trial_days,
        .trial_needs_payment_method = input->trial_needs_payment_method,
        .note = "",
        .created_us = cx->now_us,
    };
    struct plan_version_ref ref = {.number = 1};
    struct plan_ref plan_ref = {.plan_id = &plan.plan_id};
    struct audit_changes changes = {0};

    TRY(plans_create_check(cx, tx, input, &first));
    plan.plan_id = id_new(cx->now_us);
    plan.latest_version = 1;
    plan.created_us = cx->now_us;
    first.plan_id = plan.plan_id;
    ref.plan_id = plan.plan_id;
    TRY(plan_store_insert(cx, tx, &plan));
    TRY(plan_version_store_insert(cx, tx, &first));
    TRY(plans_create_fill(cx, tx, input, &first));
    audit_note(&changes, "plan_key", "", plan.key);
    audit_note(&changes, "name", "", plan.name);
    TRY(audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, &plan.plan_id), &changes));
    TRY(plan_store_load(cx, NULL, tx, &plan_ref, ret_plan));
    return plan_version_store_load(cx, NULL, tx, &ref, ret_version);
}

/* What the caller may see of it. Fails when that is nothing. */
static struct status narrow(struct ctx *cx, const struct plan_ref *ref, struct plan *plan)
{
    if (!sees_published_only(cx)) {
        return STATUS_OK;
    }
    if (plan->published_version == 0) {
        return plan_store_missing(cx, ref);
    }
    plan->draft_version = 0;
    return STATUS_OK;
}

static int32_t shown_version(const struct plan *plan)
{
    return plan->published_version != 0 ? plan->published_version : plan->draft_version;
}

struct status plans_get(
    struct ctx *cx,
    struct services *services,
    const struct plan_ref *ref,
    int32_t number,
    struct plan *ret_plan,
    struct plan_version *ret_version)
{
    struct plan_version_ref version_ref = {.number = number};

    TRY(plan_store_load(cx, services->db, NULL, ref, ret_plan));
    TRY(narrow(cx, ref, ret_plan));
    *ret_version = (struct plan_version){.number = 0};
    version_ref.plan_id = ret_plan->plan_id;
    version_ref.number = number == 0 ? shown_version(ret_plan) : number;
    if (version_ref.number == 0) {
        return STATUS_OK;
    }
    TRY(plan_version_store_load(cx, services->db, NULL, &version_ref, ret_version));
    if (sees_published_only(cx) && ret_version->state != PLAN_PUBLISHED) {
        return plan_version_store_missing(cx, &version_ref);
    }
    return STATUS_OK;
}

struct status plans_list(
    struct ctx *cx,
    struct services *services,
    const struct plan_filter *filter,
    const struct id *after,
    int32_t max,
    struct plan_page *ret_page)
{
    struct plan_filter narrowed = *filter;
    struct plan_version_ref *refs = NULL;

    narrowed.published_only = filter->published_only || sees_published_only(cx);
    TRY(plan_store_list(
        cx, services->db, &narrowed, after, max, &ret_page->plans, &ret_page->count));
    refs = arena_try_alloc(cx->arena, (ret_page->count + 1) * sizeof *refs);
    if (refs == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < ret_page->count; i++) {
        struct plan *plan = &ret_page->plans[i];

        refs[i] = (struct plan_version_ref){plan->plan_id, shown_version(plan)};
        plan->draft_version = sees_published_only(cx) ? 0 : plan->draft_version;
    }
    return plan_version_store_load_many(
        cx, services->db, NULL, refs, ret_page->count, &ret_page->versions);
}

static void apply(const struct plan_change *change, struct plan *plan)
{
    const struct plan *values = &change->values;

    if (change->fields & PLAN_NAME) {
        plan->name = values->name;
    }
    if (change->fields & PLAN_DESCRIPTION) {
        plan->description = values->description;
    }
    if (change->fields & PLAN_DISPLAY_ORDER) {
        plan->display_order = values->display_order;
    }
    if (change->fields & PLAN_COMPATIBLE_KEYS) {
        plan->compatible_keys = values->compatible_keys;
        plan->compatible_count = values->compatible_count;
    }
    if (change->fields & PLAN_APPLICATION_FEE) {
        plan->application_fee_bps = values->application_fee_bps;
    }
    if (change->fields & PLAN_METADATA) {
        plan->metadata = values->metadata;
    }
}

static void note_changes(
    struct ctx *cx,
    const struct plan *before,
    const struct plan *after,
    struct audit_changes *changes)
{
    audit_note(changes, "name", before->name, after->name);
    audit_note(changes, "description", before->description, after->description);
    audit_note(
        changes,
        "display_order",
        catalog_number(cx, before->display_order),
        catalog_number(cx, after->display_order));
    audit_note(
        changes,
        "compatible_plan_keys",
        catalog_list(cx, before->compatible_keys, before->compatible_count),
        catalog_list(cx, after->compatible_keys, after->compatible_count));
    audit_note(
        changes,
        "application_fee_basis_points",
        catalog_number(cx, before->application_fee_bps),
        catalog_number(cx, after->application_fee_bps));
    audit_note(changes, "metadata", before->metadata, after->metadata);
}

struct status
plans_update(struct ctx *cx, struct tx *tx, const struct plan_change *change, struct plan *ret_plan)
{
    struct audit_changes changes = {0};
    struct plan before;
    struct plan after;

    TRY(plan_store_lock(cx, tx, &change->ref, &before));
    TRY(plan_check_active(cx, &before));
    TRY(field_check_etag(cx, change->etag, before.version));
    if (change->has_kind && change->values.addon != before.addon) {
        return status_field(cx, "plan.kind", "is %s for ever", before.addon ? "ADDON" : "BASE");
    }
    after = before;
    apply(change, &after);
    TRY(plan_check(cx, "plan", &after));
    if (change->fields & PLAN_COMPATIBLE_KEYS) {
        TRY(check_compatible(cx, tx, &after));
    }
    note_changes(cx, &before, &after, &changes);
    if (changes.count > 0) {
        after.version++;
        after.updated_us = cx->now_us;
        TRY(plan_store_update(cx, tx, &after));
        TRY(audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, &after.plan_id), &changes));
    }
    *ret_plan = after;
    return STATUS_OK;
}

struct status
plans_archive(struct ctx *cx, struct tx *tx, const struct id *plan_id, struct plan *ret_plan)
{
    const struct plan_ref ref = {.plan_id = plan_id};
    struct plan plan;

    TRY(plan_store_lock(cx, tx, &ref, &plan));
    if (plan.archived_us == 0) {
        plan.version++;
        plan.updated_us = cx->now_us;
        plan.archived_us = cx->now_us;
        TRY(plan_store_update(cx, tx, &plan));
        TRY(audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, plan_id), NULL));
        log_info(cx, "plan archived", LOG_ID("plan", ID_PLAN, plan_id));
    }
    *ret_plan = plan;
    return STATUS_OK;
}
