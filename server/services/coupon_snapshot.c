#include "services/coupon_snapshot.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"

#define SNAPSHOT_BYTES_MAX ((size_t)128 * 1024) /* metadata alone may have 50 * 500 letters */

const char *coupon_snapshot_write(struct ctx *cx, const struct coupon *coupon)
{
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, SNAPSHOT_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "coupon_id", id_text(cx->arena, ID_COUPON, &coupon->coupon_id));
    json_put_text(&w, "key", coupon->key);
    json_put_text(&w, "name", coupon->name);
    json_put_i64(&w, "percent_off_bps", coupon->percent_off_bps);
    json_put_i64(&w, "amount_off_minor", coupon->amount_off_minor);
    json_put_text(&w, "currency", coupon->currency);
    json_put_text(&w, "duration", coupon_duration_name(coupon->duration));
    json_put_i64(&w, "months", coupon->months);
    json_put_i64(&w, "redemptions_max", coupon->redemptions_max);
    json_put_i64(&w, "redemptions", coupon->redemptions);
    json_put_i64(&w, "redeem_by_us", coupon->redeem_by_us);
    json_open_array(&w, "plan_keys");
    for (size_t i = 0; i < coupon->plan_count; i++) {
        json_put_text(&w, NULL, coupon->plan_keys[i]);
    }
    json_close_array(&w);
    json_put_text(&w, "metadata", coupon->metadata);
    json_put_i64(&w, "version", coupon->version);
    json_put_i64(&w, "created_us", coupon->created_us);
    json_put_i64(&w, "updated_us", coupon->updated_us);
    json_put_i64(&w, "archived_us", coupon->archived_us);
    json_close_object(&w);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

struct status coupon_snapshot_read(struct ctx *cx, json_value object, struct coupon *ret_coupon)
{
    const json_value plans = json_get(object, "plan_keys");
    const size_t count = json_len(plans) < COUPON_PLANS_MAX ? json_len(plans) : COUPON_PLANS_MAX;
    const char **plan_keys = arena_alloc(cx->arena, (count + 1) * sizeof(const char *));
    struct coupon coupon = {
        .key = json_text(cx, object, "key"),
        .name = json_text(cx, object, "name"),
        .percent_off_bps = (int32_t)json_i64(object, "percent_off_bps"),
        .amount_off_minor = json_i64(object, "amount_off_minor"),
        .currency = json_text(cx, object, "currency"),
        .months = (int32_t)json_i64(object, "months"),
        .redemptions_max = json_i64(object, "redemptions_max"),
        .redemptions = json_i64(object, "redemptions"),
        .redeem_by_us = json_i64(object, "redeem_by_us"),
        .plan_keys = plan_keys,
        .plan_count = count,
        .metadata = json_text(cx, object, "metadata"),
        .version = json_i64(object, "version"),
        .created_us = json_i64(object, "created_us"),
        .updated_us = json_i64(object, "updated_us"),
        .archived_us = json_i64(object, "archived_us"),
    };

    for (size_t i = 0; i < count; i++) {
        plan_keys[i] = json_text(cx, json_item(plans, i), "");
    }
    if (!id_parse(ID_COUPON, json_text(cx, object, "coupon_id"), &coupon.coupon_id) ||
        !coupon_duration_parse(json_text(cx, object, "duration"), &coupon.duration)) {
        return status_fail(cx, REASON_INTERNAL, "the stored text is no coupon");
    }
    *ret_coupon = coupon;
    return STATUS_OK;
}
