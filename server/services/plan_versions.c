#include "services/plan_versions.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/plan_draft.h"
#include "services/services.h"
#include "store/db.h"
#include "store/plan_feature_store.h"
#include "store/plan_store.h"
#include "store/plan_version_store.h"
#include "store/price_store.h"

/* Into the draft that has just been inserted. */
static struct status plan_versions_create_copy(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version *source,
    const struct plan_version *draft)
{
    const struct plan_version_ref from = {source->plan_id, source->number};

    TRY(plan_feature_store_copy(cx, tx, &from, draft->number));
    return price_store_copy(cx, tx, source->prices, source->price_count, draft->number);
}

/* The version to copy; number 0 when there is none. */
static struct status plan_versions_create_source(
    struct ctx *cx,
    struct tx *tx,
    const struct plan *plan,
    int32_t from,
    struct plan_version *ret_source)
{
    const struct plan_version_ref ref = {plan->plan_id, from != 0 ? from : plan->published_version};

    *ret_source = (struct plan_version){.number = 0, .note = ""};
    /* Without a draft and without one on sale nothing is left that could be the latest. */
    return ref.number == 0 ? STATUS_OK : plan_version_store_load(cx, NULL, tx, &ref, ret_source);
}

static struct status insert_draft(
    struct ctx *cx,
    struct tx *tx,
    struct plan *plan,
    const struct plan_version *source,
    const struct plan_version *draft)
{
    struct audit_changes changes = {0};

    plan->latest_version = draft->number;
    plan->version++;
    plan->updated_us = cx->now_us;
    TRY(plan_store_update(cx, tx, plan));
    TRY(plan_version_store_insert(cx, tx, draft));
    if (source->number != 0) {
        TRY(plan_versions_create_copy(cx, tx, source, draft));
    }
    audit_note(&changes, "draft_version", "", catalog_number(cx, draft->number));
    return audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, &plan->plan_id), &changes);
}

struct status plan_versions_create(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t from,
    const char *note,
    struct plan_version *ret_version)
{
    const struct plan_ref ref = {.plan_id = plan_id};
    struct plan plan;
    struct plan_version source;
    struct plan_version draft = {
        .plan_id = *plan_id, .state = PLAN_DRAFT, .note = note, .created_us = cx->now_us};
    struct plan_version_ref draft_ref = {.plan_id = *plan_id};

    TRY(plan_version_check(cx, "", &draft));
    TRY(plan_store_lock(cx, tx, &ref, &plan));
    TRY(plan_check_active(cx, &plan));
    if (plan.draft_version != 0) {
        return plan_version_pairs(
            cx,
            status_fail(
                cx,
                REASON_PLAN_DRAFT_EXISTS,
                "plan \"%s\" has the draft %" PRId32,
                plan.key,
                plan.draft_version),
            plan_id,
            plan.draft_version);
    }
    TRY(plan_versions_create_source(cx, tx, &plan, from, &source));
    draft.number = plan.latest_version + 1;
    draft.trial_days = source.trial_days;
    draft.trial_needs_payment_method = source.trial_needs_payment_method;
    TRY(insert_draft(cx, tx, &plan, &source, &draft));
    draft_ref.number = draft.number;
    return plan_version_store_load(cx, NULL, tx, &draft_ref, ret_version);
}

struct status plan_versions_list(
    struct ctx *cx,
    struct services *services,
    const struct id *plan_id,
    int32_t before,
    int32_t max,
    struct plan_version **ret_versions,
    size_t *ret_count)
{
    const struct plan_ref ref = {.plan_id = plan_id};
    struct plan_version_ref *refs = NULL;
    struct plan plan;
    int32_t *numbers = NULL;

    TRY(plan_store_load(cx, services->db, NULL, &ref, &plan));
    if (cx->caller.kind == KEY_PUBLISHABLE) {
        if (plan.published_version == 0) {
            return plan_store_missing(cx, &ref);
        }
        /* A draft is newer than all that is published. */
        if (before == 0 || before > plan.published_version + 1) {
            before = plan.published_version + 1;
        }
    }
    TRY(plan_version_store_numbers(cx, services->db, plan_id, before, max, &numbers, ret_count));
    refs = arena_try_alloc(cx->arena, (*ret_count + 1) * sizeof *refs);
    if (refs == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < *ret_count; i++) {
        refs[i] = (struct plan_version_ref){*plan_id, numbers[i]};
    }
    return plan_version_store_load_many(cx, services->db, NULL, refs, *ret_count, ret_versions);
}

struct status plan_versions_update(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_change *change,
    struct plan_version *ret_version)
{
    const struct plan_version *values = &change->values;
    struct plan_draft draft;
    struct plan_version after;

    TRY(plan_draft_lock(cx, tx, &values->plan_id, values->number, &draft));
    TRY(field_check_etag(cx, change->etag, draft.version.version));
    after = draft.version;
    if (change->fields & PLAN_VERSION_TRIAL_DAYS) {
        after.trial_days = values->trial_days;
    }
    if (change->fields & PLAN_VERSION_TRIAL_PAYMENT) {
        after.trial_needs_payment_method = values->trial_needs_payment_method;
    }
    if (change->fields & PLAN_VERSION_NOTE) {
        after.note = values->note;
    }
    TRY(plan_version_check(cx, "version", &after));
    if (after.trial_days != draft.version.trial_days ||
        after.trial_needs_payment_method != draft.version.trial_needs_payment_method ||
        strcmp(after.note, draft.version.note) != 0) {
        const char *before = catalog_number(cx, draft.version.trial_days);

        draft.version = after;
        TRY(plan_draft_changed(
            cx, tx, &draft, "trial_days", before, catalog_number(cx, after.trial_days)));
    }
    *ret_version = draft.version;
    return STATUS_OK;
}

struct status
plan_versions_delete(struct ctx *cx, struct tx *tx, const struct id *plan_id, int32_t number)
{
    struct plan_version_ref ref = {.plan_id = *plan_id};
    struct audit_changes changes = {0};
    struct plan_draft draft;

    TRY(plan_draft_lock(cx, tx, plan_id, number, &draft));
    ref.number = draft.version.number;
    TRY(plan_version_store_delete(cx, tx, &ref));
    draft.plan.version++;
    draft.plan.updated_us = cx->now_us;
    TRY(plan_store_update(cx, tx, &draft.plan));
    audit_note(&changes, "draft_version", catalog_number(cx, ref.number), "");
    return audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, plan_id), &changes);
}

static bool gives(const struct plan_version *version, const char *feature_key)
{
    for (size_t i = 0; i < version->feature_count; i++) {
        if (strcmp(version->features[i].feature_key, feature_key) == 0) {
            return true;
        }
    }
    return false;
}

struct status plan_versions_set_feature(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    const struct plan_feature *feature,
    struct plan_version *ret_version)
{
    struct plan_draft draft;
    bool given = false;

    TRY(plan_draft_lock(cx, tx, plan_id, number, &draft));
    given = gives(&draft.version, feature->feature_key);
    if (!given) {
        TRY(catalog_check_count(
            cx, "features", (int64_t)draft.version.feature_count, PLAN_FEATURES_MAX));
    }
    TRY(plan_draft_put_feature(cx, tx, "feature", &draft.version, feature));
    TRY(plan_draft_changed(
        cx,
        tx,
        &draft,
        field_path(cx, "features", feature->feature_key),
        given ? "other terms" : "",
        "given"));
    *ret_version = draft.version;
    return STATUS_OK;
}

struct status plan_versions_remove_feature(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    const char *feature_key,
    struct plan_version *ret_version)
{
    struct plan_version_ref ref = {.plan_id = *plan_id};
    struct plan_draft draft;
    bool removed = false;

    TRY(plan_draft_lock(cx, tx, plan_id, number, &draft));
    ref.number = draft.version.number;
    TRY(plan_feature_store_remove(cx, tx, &ref, feature_key, &removed));
    if (removed) {
        TRY(plan_draft_changed(
            cx, tx, &draft, field_path(cx, "features", feature_key), "given", ""));
    }
    *ret_version = draft.version;
    return STATUS_OK;
}
