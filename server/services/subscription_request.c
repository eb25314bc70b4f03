#include "services/subscription_request.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define REQUEST_BYTES_MAX ((size_t)64 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

struct str subscription_request_write(struct ctx *cx, const struct subscription_request *request)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "account_id", request->account_id);
    json_put_text(&writer, "org_id", request->org_id);
    json_put_text(&writer, "customer_id", id_text(cx->arena, ID_CUSTOMER, &request->customer_id));
    json_put_text(&writer, "customer_name", request->customer_name);
    json_put_text(&writer, "customer_email", request->customer_email);
    json_open_array(&writer, "lines");
    for (size_t i = 0; i < request->line_count; i++) {
        json_open_object(&writer, NULL);
        json_put_text(&writer, "price", request->lines[i].stripe_price_id);
        json_put_i64(&writer, "quantity", request->lines[i].quantity);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_put_i64(&writer, "trial_end_us", request->trial_end_us);
    json_put_i64(&writer, "trial_days", request->trial_days);
    json_put_text(&writer, "trial_end_behavior", request->trial_end_behavior);
    json_put_i64(&writer, "anchor_us", request->anchor_us);
    json_put_i64(&writer, "backdate_us", request->backdate_us);
    json_put_text(&writer, "coupon", request->coupon);
    json_put_text(&writer, "payment_method_id", request->payment_method_id);
    json_put_text(&writer, "payment_behavior", request->payment_behavior);
    json_put_bool(&writer, "by_invoice", request->by_invoice);
    json_put_i64(&writer, "days_until_due", request->days_until_due);
    json_put_i64(&writer, "application_fee_bps", request->application_fee_bps);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

struct status
subscription_request_read(struct ctx *cx, struct str text, struct subscription_request *ret_request)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;
    json_value lines = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &json));
    root = json_root(json);
    lines = json_get(root, "lines");
    *ret_request = (struct subscription_request){
        .account_id = json_text(cx, root, "account_id"),
        .org_id = json_text(cx, root, "org_id"),
        .customer_name = json_text(cx, root, "customer_name"),
        .customer_email = json_text(cx, root, "customer_email"),
        .trial_end_us = json_i64(root, "trial_end_us"),
        .trial_days = json_i64(root, "trial_days"),
        .trial_end_behavior = json_text(cx, root, "trial_end_behavior"),
        .anchor_us = json_i64(root, "anchor_us"),
        .backdate_us = json_i64(root, "backdate_us"),
        .coupon = json_text(cx, root, "coupon"),
        .payment_method_id = json_text(cx, root, "payment_method_id"),
        .payment_behavior = json_text(cx, root, "payment_behavior"),
        .by_invoice = json_bool(root, "by_invoice"),
        .days_until_due = json_i64(root, "days_until_due"),
        .application_fee_bps = (int32_t)json_i64(root, "application_fee_bps"),
    };
    if (!id_parse(ID_CUSTOMER, json_text(cx, root, "customer_id"), &ret_request->customer_id)) {
        return status_fail(cx, REASON_INTERNAL, "the stored request names no customer");
    }
    for (size_t i = 0; i < json_len(lines) && i < SUBSCRIPTION_ITEMS_MAX; i++) {
        const json_value line = json_item(lines, i);

        ret_request->lines[ret_request->line_count++] = (struct subscription_request_line){
            json_text(cx, line, "price"), json_i64(line, "quantity")};
    }
    return STATUS_OK;
}
