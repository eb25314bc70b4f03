#include "sandbox/coupon_api.h"

#include <string.h>

#include "sandbox/coupon.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/sim.h"

static const struct param create_params[] = {
    {"id", PARAM_TEXT, 0, NULL},
    {"name", PARAM_TEXT, 0, NULL},
    {"amount_off", PARAM_INT, 0, NULL},
    {"currency", PARAM_TEXT, 0, NULL},
    {"percent_off", PARAM_DECIMAL, 0, NULL},
    {"duration", PARAM_ENUM, 0, "once|repeating|forever"},
    {"duration_in_months", PARAM_INT, 0, NULL},
    {"max_redemptions", PARAM_INT, 0, NULL},
    {"redeem_by", PARAM_INT, 0, NULL},
    {"applies_to", PARAM_UNSUPPORTED, 0, NULL},
    {"currency_options", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param update_params[] = {
    {"name", PARAM_TEXT, PARAM_UNSET, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param list_params[] = {PARAMS_LIST, PARAMS_TIME_FILTER("created"), PARAM_END};

static bool check_amounts(struct call *call, atoms *ret_percent)
{
    const char *percent = call_text(call, "percent_off");
    const int64_t amount = call_i64(call, "amount_off", 0);

    if ((percent == NULL) == (call_text(call, "amount_off") == NULL)) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "percent_off",
            "Must provide percent_off or amount_off.");
    }
    if (percent == NULL) {
        return (amount > 0 && call_text(call, "currency") != NULL) ||
               call_fail(
                   call,
                   400,
                   "parameter_missing",
                   "currency",
                   "`amount_off` must be positive and needs a currency.");
    }
    return (atoms_parse(percent, ret_percent) && *ret_percent > 0 &&
            *ret_percent <= (atoms)100 * ATOMS_PER_MINOR) ||
           call_fail(call, 400, NULL, "percent_off", "Invalid percent_off: %s", percent);
}

static bool coupon_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    const char *id = call_text(call, "id");
    const char *duration = call_text(call, "duration");
    struct coupon *coupon = NULL;
    atoms percent = 0;

    if (!check_amounts(call, &percent) || !metadata_check(call, &none, "metadata")) {
        return false;
    }
    if (id != NULL && object_taken(call->sim, call->account, id)) {
        return call_fail(call, 400, "resource_already_exists", "id", "Coupon already exists.");
    }
    if (duration != NULL && strcmp(duration, "repeating") == 0 &&
        call_i64(call, "duration_in_months", 0) < 1) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "duration_in_months",
            "`duration: repeating` needs `duration_in_months`.");
    }
    coupon = object_new(call->sim, call->account, KIND_COUPON, sizeof *coupon, id);
    coupon->percent_off = (int64_t)(percent * 100 / ATOMS_PER_MINOR);
    coupon->amount_off = call_i64(call, "amount_off", 0);
    coupon->duration = duration == NULL || strcmp(duration, "once") == 0 ? COUPON_ONCE
                       : strcmp(duration, "repeating") == 0              ? COUPON_REPEATING
                                                                         : COUPON_FOREVER;
    coupon->duration_in_months = call_i64(call, "duration_in_months", 0);
    coupon->max_redemptions = call_i64(call, "max_redemptions", 0);
    coupon->redeem_by_s = call_i64(call, "redeem_by", 0);
    call_update_text(call, "name", &coupon->name);
    call_update_text(call, "currency", &coupon->currency);
    metadata_update(call, &coupon->metadata, "metadata");
    event_emit(call->sim, "coupon.created", coupon, NULL);
    return call_reply(call, coupon);
}

static bool coupon_retrieve(struct call *call)
{
    struct coupon *coupon = NULL;

    return call_find_path(call, KIND_COUPON, &coupon) && call_reply(call, coupon);
}

static bool coupon_update(struct call *call)
{
    struct coupon *coupon = NULL;
    const char *before = NULL;

    if (!call_find_path(call, KIND_COUPON, &coupon) ||
        !metadata_check(call, &coupon->metadata, "metadata")) {
        return false;
    }
    before = event_snapshot(call->sim, coupon);
    call_update_text(call, "name", &coupon->name);
    metadata_update(call, &coupon->metadata, "metadata");
    event_emit(call->sim, "coupon.updated", coupon, before);
    return call_reply(call, coupon);
}

static bool coupon_delete(struct call *call)
{
    struct coupon *coupon = NULL;

    if (!call_find_path(call, KIND_COUPON, &coupon)) {
        return false;
    }
    if (!coupon->object.deleted) {
        event_emit(call->sim, "coupon.deleted", coupon, NULL);
        coupon->object.deleted = true;
    }
    return call_reply(call, coupon);
}

static bool match(const struct call *call, const struct object *object)
{
    return list_time_matches(call, "created", object->created_s);
}

static bool coupon_list(struct call *call)
{
    return list_reply(call, KIND_COUPON, match);
}

const struct endpoint coupon_api[] = {
    {"POST", "/v1/coupons", coupon_create, create_params, KIND_COUPON, 0},
    {"GET", "/v1/coupons", coupon_list, list_params, KIND_COUPON, ENDPOINT_LIST},
    {"GET", "/v1/coupons/{}", coupon_retrieve, NULL, KIND_COUPON, 0},
    {"POST", "/v1/coupons/{}", coupon_update, update_params, KIND_COUPON, 0},
    {"DELETE", "/v1/coupons/{}", coupon_delete, NULL, KIND_COUPON, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
