#include "stripe/stripe_preview.h"

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_subscription.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)

static void
read_line(struct ctx *cx, json_value line, const char *currency, struct payment_preview_line *ret)
{
    const json_value parent = json_get(line, "parent");

    *ret = (struct payment_preview_line){
        .description = json_text(cx, line, "description"),
        .amount_minor = stripe_value_minor(line, "amount", currency),
        .proration = json_bool(parent, "subscription_item_details.proration") ||
                     json_bool(parent, "invoice_item_details.proration"),
        .price_id = stripe_value_reference(cx, line, "pricing.price_details.price"),
        .quantity = json_i64(line, "quantity"),
        .start_us = stripe_value_time(line, "period.start"),
        .end_us = stripe_value_time(line, "period.end"),
    };
}

static struct status
read_preview(struct ctx *cx, json_value object, struct payment_preview *ret_preview)
{
    const char *currency = stripe_value_currency(cx, object, "currency");
    const json_value data = json_at(object, "lines.data");
    const size_t count = json_len(data);
    struct payment_preview_line *lines = arena_try_alloc(cx->arena, (count + 1) * sizeof *lines);

    if (lines == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        read_line(cx, json_item(data, i), currency, &lines[i]);
    }
    *ret_preview = (struct payment_preview){
        .currency = currency,
        .total_minor = stripe_value_minor(object, "total", currency),
        .due_minor = stripe_value_minor(object, "amount_due", currency),
        .period_end_us = stripe_value_time(object, "period_end"),
        .next_attempt_us = stripe_value_time(object, "next_payment_attempt"),
        .created_us = stripe_value_time(object, "created"),
        .lines = lines,
        .line_count = count,
    };
    return STATUS_OK;
}

struct status stripe_preview_change(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_change *change,
    const char *idempotency_key,
    struct payment_preview *ret_preview)
{
    AUTO_BUF body = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "subscription", subscription_id);
    stripe_form_open(&form, "subscription_details");
    stripe_subscription_put_change(&form, change);
    stripe_form_close(&form);
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "invoices.create_preview",
            .verb = STRIPE_POST,
            .path = "/v1/invoices/create_preview",
            .account_id = account_id,
            .form = &body,
            .idempotency_key = idempotency_key,
            .object = "invoice",
        },
        &json,
        &raw));
    return read_preview(cx, json_root(json), ret_preview);
}
