#include "handlers/plan_pb.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/catalog_pb.h"
#include "handlers/pb.h"
#include "handlers/price_pb.h"

Billingos__V1__Plan *plan_pb(struct ctx *cx, const struct plan *plan)
{
    Billingos__V1__Plan *message = PB_NEW(cx, Billingos__V1__Plan, billingos__v1__plan__init);

    message->plan_id = pb_id(cx, ID_PLAN, &plan->plan_id);
    message->plan_key = pb_text(plan->key);
    message->name = pb_text(plan->name);
    message->description = pb_text(plan->description);
    message->kind = plan->addon ? BILLINGOS__V1__PLAN_KIND__PLAN_KIND_ADDON
                                : BILLINGOS__V1__PLAN_KIND__PLAN_KIND_BASE;
    message->state = catalog_pb_state(plan->archived_us);
    message->published_version = plan->published_version;
    message->draft_version = plan->draft_version;
    message->display_order = plan->display_order;
    catalog_pb_texts(
        cx,
        plan->compatible_keys,
        plan->compatible_count,
        &message->n_compatible_plan_keys,
        &message->compatible_plan_keys);
    message->application_fee_basis_points = plan->application_fee_bps;
    message->metadata = pb_map(
        cx, plan->metadata, &billingos__v1__plan__metadata_entry__descriptor, &message->n_metadata);
    message->etag = catalog_pb_etag(cx, plan->version);
    message->create_time = pb_time(cx, plan->created_us);
    message->update_time = pb_time(cx, plan->updated_us);
    return message;
}

static const struct {
    enum reset_period reset;
    Billingos__V1__ResetPeriod message;
} resets[] = {
    {RESET_NEVER, BILLINGOS__V1__RESET_PERIOD__RESET_PERIOD_NEVER},
    {RESET_DAY, BILLINGOS__V1__RESET_PERIOD__RESET_PERIOD_DAY},
    {RESET_WEEK, BILLINGOS__V1__RESET_PERIOD__RESET_PERIOD_WEEK},
    {RESET_MONTH, BILLINGOS__V1__RESET_PERIOD__RESET_PERIOD_MONTH},
    {RESET_YEAR, BILLINGOS__V1__RESET_PERIOD__RESET_PERIOD_YEAR},
    {RESET_BILLING_PERIOD, BILLINGOS__V1__RESET_PERIOD__RESET_PERIOD_BILLING_PERIOD},
};

/* What only a counted feature has. */
static void counted_pb(const struct plan_feature *feature, Billingos__V1__PlanFeature *message)
{
    if (!feature->has_limit) {
        return;
    }
    if (feature->unlimited) {
        message->limit_case = BILLINGOS__V1__PLAN_FEATURE__LIMIT_UNLIMITED;
        message->unlimited = true;
    } else {
        message->limit_case = BILLINGOS__V1__PLAN_FEATURE__LIMIT_MAX;
        message->max = feature->limit;
    }
    message->limit_basis = feature->per_seat ? BILLINGOS__V1__LIMIT_BASIS__LIMIT_BASIS_SEAT
                                             : BILLINGOS__V1__LIMIT_BASIS__LIMIT_BASIS_SUBSCRIPTION;
    message->reset_period = resets[feature->reset].message;
    message->window_anchor = feature->calendar
                                 ? BILLINGOS__V1__WINDOW_ANCHOR__WINDOW_ANCHOR_CALENDAR
                                 : BILLINGOS__V1__WINDOW_ANCHOR__WINDOW_ANCHOR_ANNIVERSARY;
    message->overage_policy = (Billingos__V1__OveragePolicy)feature->overage_policy;
    message->overage_max = feature->overage_max;
    message->rollover_windows = feature->rollover_windows;
    message->plan_change_usage = BILLINGOS__V1__PLAN_CHANGE_USAGE__PLAN_CHANGE_USAGE_KEEP;
    if (feature->has_trial_max) {
        message->_trial_max_case = BILLINGOS__V1__PLAN_FEATURE___TRIAL_MAX_TRIAL_MAX;
        message->trial_max = feature->trial_max;
    }
}

static Billingos__V1__PlanFeature *feature_pb(struct ctx *cx, const struct plan_feature *feature)
{
    Billingos__V1__PlanFeature *message =
        PB_NEW(cx, Billingos__V1__PlanFeature, billingos__v1__plan_feature__init);

    message->feature_key = pb_text(feature->feature_key);
    counted_pb(feature, message);
    message->config = catalog_pb_config(cx, feature->config);
    catalog_pb_texts(
        cx,
        feature->permitted_values,
        feature->permitted_count,
        &message->n_permitted_values,
        &message->permitted_values);
    message->priority = feature->priority;
    message->n_threshold_percents = feature->threshold_count;
    message->threshold_percents =
        arena_alloc(cx->arena, (feature->threshold_count + 1) * sizeof(int32_t));
    for (size_t i = 0; i < feature->threshold_count; i++) {
        message->threshold_percents[i] = (int32_t)feature->thresholds[i];
    }
    return message;
}

static Billingos__V1__PlanVersionState state_pb(const struct plan_version *version)
{
    if (version->state != PLAN_PUBLISHED) {
        return BILLINGOS__V1__PLAN_VERSION_STATE__PLAN_VERSION_STATE_DRAFT;
    }
    return version->superseded ? BILLINGOS__V1__PLAN_VERSION_STATE__PLAN_VERSION_STATE_SUPERSEDED
                               : BILLINGOS__V1__PLAN_VERSION_STATE__PLAN_VERSION_STATE_PUBLISHED;
}

Billingos__V1__PlanVersion *plan_pb_version(struct ctx *cx, const struct plan_version *version)
{
    Billingos__V1__PlanVersion *message = NULL;

    if (version->number == 0) {
        return NULL;
    }
    message = PB_NEW(cx, Billingos__V1__PlanVersion, billingos__v1__plan_version__init);
    message->plan_id = pb_id(cx, ID_PLAN, &version->plan_id);
    message->version = version->number;
    message->state = state_pb(version);
    message->trial_days = version->trial_days;
    message->trial_needs_payment_method = version->trial_needs_payment_method;
    message->note = pb_text(version->note);
    message->subscriber_count = version->subscriber_count;
    message->etag = catalog_pb_etag(cx, version->version);
    message->create_time = pb_time(cx, version->created_us);
    message->publish_time = pb_time(cx, version->published_us);
    message->n_features = version->feature_count;
    message->features =
        arena_alloc(cx->arena, (version->feature_count + 1) * sizeof(Billingos__V1__PlanFeature *));
    for (size_t i = 0; i < version->feature_count; i++) {
        message->features[i] = feature_pb(cx, &version->features[i]);
    }
    message->n_prices = version->price_count;
    message->prices =
        arena_alloc(cx->arena, (version->price_count + 1) * sizeof(Billingos__V1__Price *));
    for (size_t i = 0; i < version->price_count; i++) {
        message->prices[i] = price_pb(cx, &version->prices[i]);
    }
    return message;
}

struct status
plan_pb_read(struct ctx *cx, const Billingos__V1__Plan *message, struct plan *ret_plan)
{
    if (message == NULL) {
        return status_field(cx, "plan", "is required");
    }
    if ((int)message->kind < 0 || (int)message->kind > 2) {
        return status_field(cx, "plan.kind", "must be BASE or ADDON");
    }
    *ret_plan = (struct plan){
        .key = message->plan_key,
        .name = message->name,
        .description = message->description,
        .addon = message->kind == BILLINGOS__V1__PLAN_KIND__PLAN_KIND_ADDON,
        .display_order = message->display_order,
        .compatible_keys = (const char *const *)message->compatible_plan_keys,
        .compatible_count = message->n_compatible_plan_keys,
        .application_fee_bps = message->application_fee_basis_points,
        .stripe_product_id = "",
    };
    return pb_read_map(
        cx, "plan.metadata", message->n_metadata, message->metadata, &ret_plan->metadata);
}

static struct status
refuse_unsupported(struct ctx *cx, const char *path, const Billingos__V1__PlanFeature *message)
{
    const struct {
        const char *name;
        bool given;
    } fields[] = {
        {"window_anchor",
         message->window_anchor == BILLINGOS__V1__WINDOW_ANCHOR__WINDOW_ANCHOR_ROLLING},
        {"rollover_max", message->rollover_max != 0},
        {"entity_max", message->entity_max != 0},
        {"plan_change_usage", (int)message->plan_change_usage > 1},
    };
    struct status result = STATUS_OK;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i].given) {
            field_note(
                cx,
                &result,
                status_field(
                    cx, field_path(cx, path, fields[i].name), "this value is not supported yet"));
        }
    }
    return result;
}

static struct status read_enums(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__PlanFeature *message,
    struct plan_feature *feature)
{
    const struct {
        const char *name;
        int value;
        int max;
    } fields[] = {
        {"limit_basis", (int)message->limit_basis, 2},
        {"window_anchor", (int)message->window_anchor, 3},
        {"overage_policy", (int)message->overage_policy, OVERAGE_BILL},
        {"reset_period", (int)message->reset_period, 6},
        {"plan_change_usage", (int)message->plan_change_usage, 3},
    };
    struct status result = STATUS_OK;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i].value < 0 || fields[i].value > fields[i].max) {
            field_note(
                cx,
                &result,
                status_field(cx, field_path(cx, path, fields[i].name), "is not one of the values"));
        }
    }
    TRY(result);
    feature->per_seat = message->limit_basis == BILLINGOS__V1__LIMIT_BASIS__LIMIT_BASIS_SEAT;
    feature->calendar =
        message->window_anchor == BILLINGOS__V1__WINDOW_ANCHOR__WINDOW_ANCHOR_CALENDAR;
    feature->overage_policy =
        message->overage_policy == 0 ? OVERAGE_DENY : (enum overage_policy)message->overage_policy;
    feature->has_reset = message->reset_period != 0;
    for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
        if (resets[i].message == message->reset_period) {
            feature->reset = resets[i].reset;
        }
    }
    return STATUS_OK;
}

static struct status read_limit(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__PlanFeature *message,
    struct plan_feature *feature)
{
    feature->has_limit = message->limit_case != BILLINGOS__V1__PLAN_FEATURE__LIMIT__NOT_SET;
    if (message->limit_case == BILLINGOS__V1__PLAN_FEATURE__LIMIT_MAX) {
        feature->limit = message->max;
    } else if (feature->has_limit) {
        feature->unlimited = message->unlimited;
        if (!message->unlimited) {
            return status_field(cx, field_path(cx, path, "unlimited"), "only true is allowed");
        }
    }
    feature->has_trial_max =
        message->_trial_max_case == BILLINGOS__V1__PLAN_FEATURE___TRIAL_MAX_TRIAL_MAX;
    feature->trial_max = feature->has_trial_max ? message->trial_max : 0;
    return STATUS_OK;
}

static struct status read_thresholds(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__PlanFeature *message,
    struct plan_feature *feature)
{
    int64_t *thresholds = NULL;

    if (message->n_threshold_percents > PLAN_THRESHOLDS_MAX) {
        return status_field(
            cx,
            field_path(cx, path, "threshold_percents"),
            "has %zu entries, at most %d are allowed",
            message->n_threshold_percents,
            PLAN_THRESHOLDS_MAX);
    }
    thresholds = arena_alloc(cx->arena, (message->n_threshold_percents + 1) * sizeof *thresholds);
    for (size_t i = 0; i < message->n_threshold_percents; i++) {
        thresholds[i] = message->threshold_percents[i];
    }
    feature->thresholds = thresholds;
    feature->threshold_count = message->n_threshold_percents;
    return STATUS_OK;
}

struct status plan_pb_read_feature(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__PlanFeature *message,
    struct plan_feature *ret_feature)
{
    if (message == NULL) {
        return status_field(cx, path, "is required");
    }
    *ret_feature = (struct plan_feature){
        .feature_key = message->feature_key,
        .overage_max = message->overage_max,
        .permitted_values = (const char *const *)message->permitted_values,
        .permitted_count = message->n_permitted_values,
        .rollover_windows = message->rollover_windows,
        .priority = message->priority,
    };
    TRY(pb_check_key(cx, field_path(cx, path, "feature_key"), message->feature_key));
    TRY(read_enums(cx, path, message, ret_feature));
    TRY(refuse_unsupported(cx, path, message));
    TRY(read_limit(cx, path, message, ret_feature));
    TRY(read_thresholds(cx, path, message, ret_feature));
    return catalog_pb_read_config(
        cx,
        field_path(cx, path, "config"),
        message->config,
        &ret_feature->config,
        &ret_feature->config_text);
}
