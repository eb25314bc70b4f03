#include "sandbox/coupon.h"

#include <stdio.h>

#include "sandbox/price.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

bool coupon_valid(const struct coupon *coupon, int64_t now_s)
{
    return !coupon->object.deleted &&
           (coupon->max_redemptions == 0 || coupon->times_redeemed < coupon->max_redemptions) &&
           (coupon->redeem_by_s == 0 || now_s < coupon->redeem_by_s);
}

int64_t coupon_reduction(const struct discount *discount, int64_t amount, int64_t now_s)
{
    const struct coupon *coupon = discount->coupon;

    if (discount->id == NULL || discount->used_up || amount <= 0 ||
        (discount->end_s != 0 && now_s >= discount->end_s)) {
        return 0;
    }
    if (coupon->amount_off > 0) {
        return coupon->amount_off < amount ? coupon->amount_off : amount;
    }
    return (int64_t)(((atoms)amount * coupon->percent_off + 5000) / 10000);
}

static void put_percent(struct render *render, int64_t hundredths)
{
    char text[32];

    if (hundredths == 0) {
        json_put_null(&render->writer, "percent_off");
        return;
    }
    snprintf(
        text, sizeof text, "%lld.%02lld", (long long)hundredths / 100, (long long)hundredths % 100);
    json_put_raw(&render->writer, "percent_off", text);
}

void coupon_render(struct render *render, const struct object *object)
{
    static const char *const durations[] = {"once", "repeating", "forever"};
    const struct coupon *coupon = (const struct coupon *)object;
    struct json_writer *w = &render->writer;

    render_i64_or_null(render, "amount_off", coupon->amount_off);
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", coupon->currency);
    json_put_text(w, "duration", durations[coupon->duration]);
    render_i64_or_null(render, "duration_in_months", coupon->duration_in_months);
    json_put_bool(w, "livemode", false);
    render_i64_or_null(render, "max_redemptions", coupon->max_redemptions);
    metadata_render(render, "metadata", &coupon->metadata);
    json_put_text(w, "name", coupon->name);
    put_percent(render, coupon->percent_off);
    render_i64_or_null(render, "redeem_by", coupon->redeem_by_s);
    json_put_i64(w, "times_redeemed", coupon->times_redeemed);
    json_put_bool(w, "valid", coupon_valid(coupon, render->sim->now_s));
}

void coupon_render_discount(
    struct render *render,
    const char *customer_id,
    const char *subscription_id,
    const struct discount *discount)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, NULL);
    json_put_text(w, "id", discount->id);
    json_put_text(w, "object", "discount");
    render_nulls(render, "checkout_session");
    json_put_text(w, "customer", customer_id);
    render_nulls(render, "customer_account");
    render_i64_or_null(render, "end", discount->end_s);
    render_nulls(render, "invoice invoice_item promotion_code");
    json_open_object(w, "source");
    json_put_text(w, "coupon", discount->coupon->object.id);
    json_put_text(w, "type", "coupon");
    json_close_object(w);
    json_put_i64(w, "start", discount->start_s);
    json_put_text(w, "subscription", subscription_id);
    render_nulls(render, "subscription_item");
    json_close_object(w);
}
