#include "domain/coupon.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"

static const char *const durations[] = {
    [0] = "",
    [COUPON_ONCE] = "ONCE",
    [COUPON_REPEATING] = "REPEATING",
    [COUPON_FOREVER] = "FOREVER",
};

const char *coupon_duration_name(enum coupon_duration duration)
{
    return durations[duration];
}

bool coupon_duration_parse(const char *name, enum coupon_duration *ret_duration)
{
    for (size_t i = COUPON_ONCE; i < ARRAY_LEN(durations); i++) {
        if (strcmp(durations[i], name) == 0) {
            *ret_duration = (enum coupon_duration)i;
            return true;
        }
    }
    return false;
}

static struct status check_discount(struct ctx *cx, const char *path, const struct coupon *coupon)
{
    if (coupon->currency[0] == '\0') {
        return field_check_range(
            cx,
            field_path(cx, path, "percent_off_basis_points"),
            coupon->percent_off_bps,
            1,
            10000);
    }
    TRY(field_check_currency(
        cx, field_path(cx, path, "amount_off.currency_code"), coupon->currency));
    return coupon->amount_off_minor > 0
               ? STATUS_OK
               : status_field(cx, field_path(cx, path, "amount_off"), "must be above zero");
}

static struct status check_duration(struct ctx *cx, const char *path, const struct coupon *coupon)
{
    const char *months = field_path(cx, path, "duration_months");

    if (coupon->duration == COUPON_REPEATING) {
        return field_check_range(cx, months, coupon->months, 1, COUPON_MONTHS_MAX);
    }
    return coupon->months == 0 ? STATUS_OK : status_field(cx, months, "belongs to REPEATING");
}

struct status coupon_check(struct ctx *cx, const char *path, const struct coupon *coupon)
{
    struct status result = STATUS_OK;

    if (coupon->key[0] != '\0') {
        field_note(
            cx,
            &result,
            field_check_text(
                cx, field_path(cx, path, "coupon_key"), coupon->key, 1, COUPON_KEY_LETTERS_MAX));
    }
    field_note(
        cx,
        &result,
        field_check_text(
            cx, field_path(cx, path, "name"), coupon->name, 1, COUPON_NAME_LETTERS_MAX));
    field_note(cx, &result, check_discount(cx, path, coupon));
    field_note(cx, &result, check_duration(cx, path, coupon));
    field_note(
        cx,
        &result,
        field_check_range(
            cx, field_path(cx, path, "redemption_max"), coupon->redemptions_max, 0, INT32_MAX));
    if (coupon->redeem_by_us != 0 && coupon->redeem_by_us <= cx->now_us) {
        field_note(
            cx,
            &result,
            status_field(cx, field_path(cx, path, "redeem_by_time"), "does not lie in the future"));
    }
    field_note(
        cx,
        &result,
        field_check_texts(
            cx,
            field_path(cx, path, "plan_keys"),
            coupon->plan_keys,
            coupon->plan_count,
            COUPON_PLANS_MAX,
            64));
    return result;
}

static bool sells(const struct coupon *coupon, const char *plan_key)
{
    for (size_t i = 0; i < coupon->plan_count; i++) {
        if (strcmp(coupon->plan_keys[i], plan_key) == 0) {
            return true;
        }
    }
    return coupon->plan_count == 0;
}

struct status coupon_check_redeemable(
    struct ctx *cx, const struct coupon *coupon, const char *plan_key, const char *currency)
{
    const char *text = id_text(cx->arena, ID_COUPON, &coupon->coupon_id);
    const char *cause = NULL;

    if (coupon->archived_us != 0) {
        cause = "ARCHIVED";
    } else if (coupon->redeem_by_us != 0 && coupon->redeem_by_us <= cx->now_us) {
        cause = "EXPIRED";
    } else if (coupon->redemptions_max != 0 && coupon->redemptions >= coupon->redemptions_max) {
        cause = "USED_UP";
    } else if (!sells(coupon, plan_key)) {
        cause = "PLAN";
    } else if (coupon->currency[0] != '\0' && strcmp(coupon->currency, currency) != 0) {
        cause = "CURRENCY";
    } else {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_fail(cx, REASON_COUPON_NOT_REDEEMABLE, "coupon \"%s\" cannot be redeemed", text),
            "coupon_id",
            text),
        "cause",
        cause);
}
