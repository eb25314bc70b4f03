#include "stripe/stripe_subscription.h"

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)
#define ITEMS_PER_PAGE 100

/* A subscription carries the first ten of its items only. */
static struct status complete_items(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    struct payment_subscription *subscription)
{
    AUTO_BUF query = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    stripe_form_text(&form, "subscription", subscription->id);
    stripe_form_i64(&form, "limit", ITEMS_PER_PAGE);
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "subscription_items.list",
            .verb = STRIPE_GET,
            .path = "/v1/subscription_items",
            .account_id = account_id,
            .form = &query,
            .object = "list",
        },
        &json,
        &raw));
    stripe_subscription_read_items(cx, json_root(json), subscription);
    return STATUS_OK;
}

static struct status read_whole(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    json_value object,
    struct payment_subscription *ret_subscription)
{
    bool has_more = false;

    stripe_subscription_read(cx, object, ret_subscription, &has_more);
    ret_subscription->raw = json_print(cx, object);
    return has_more ? complete_items(cx, client, account_id, ret_subscription) : STATUS_OK;
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_subscription *ret_subscription)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    return read_whole(cx, client, call->account_id, json_root(json), ret_subscription);
}

static void put_lines(struct stripe_form *form, const struct stripe_subscription_params *params)
{
    stripe_form_open_array(form, "items");
    for (size_t i = 0; i < params->line_count; i++) {
        stripe_form_open_element(form);
        stripe_form_text(form, "price", params->lines[i].price_id);
        if (params->lines[i].quantity > 0) {
            stripe_form_i64(form, "quantity", params->lines[i].quantity);
        }
        stripe_form_close(form);
    }
    stripe_form_close(form);
}

/* Basis points as the percentage with two digits that the payment side takes. */
static void put_fee(struct ctx *cx, struct stripe_form *form, int32_t fee_bps)
{
    if (fee_bps > 0) {
        stripe_form_text(
            form,
            "application_fee_percent",
            arena_printf(cx->arena, "%d.%02d", fee_bps / 100, fee_bps % 100));
    }
}

static void put_coupon(struct stripe_form *form, const char *coupon)
{
    stripe_form_open_array(form, "discounts");
    stripe_form_open_element(form);
    stripe_form_text(form, "coupon", coupon);
    stripe_form_close(form);
    stripe_form_close(form);
}

static void put_trial(struct stripe_form *form, const struct stripe_subscription_params *params)
{
    if (params->trial_end_us != 0) {
        stripe_form_time(form, "trial_end", params->trial_end_us);
    } else if (params->trial_days > 0) {
        stripe_form_i64(form, "trial_period_days", params->trial_days);
    }
    stripe_form_open(form, "trial_settings");
    stripe_form_open(form, "end_behavior");
    stripe_form_text(form, "missing_payment_method", params->trial_end_behavior);
    stripe_form_close(form);
    stripe_form_close(form);
}

/* The billing mode is said because what an absent one means depends on the version, and it can
 * never be taken back. */
static void put_params(
    struct ctx *cx, struct stripe_form *form, const struct stripe_subscription_params *params)
{
    stripe_form_text(form, "customer", params->customer_id);
    put_lines(form, params);
    stripe_form_open(form, "billing_mode");
    stripe_form_text(form, "type", "flexible");
    stripe_form_close(form);
    put_trial(form, params);
    stripe_form_time(form, "billing_cycle_anchor", params->anchor_us);
    if (params->backdate_us != 0) {
        stripe_form_time(form, "backdate_start_date", params->backdate_us);
        stripe_form_text(form, "proration_behavior", "none");
    }
    stripe_form_text(form, "default_payment_method", params->default_payment_method);
    stripe_form_text(form, "payment_behavior", params->payment_behavior);
    if (params->by_invoice) {
        stripe_form_text(form, "collection_method", "send_invoice");
        stripe_form_i64(form, "days_until_due", params->days_until_due);
    }
    put_fee(cx, form, params->application_fee_bps);
    put_coupon(form, params->coupon);
    stripe_value_put_marks(form, &params->marks);
}

struct status stripe_subscription_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_subscription_params *params,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    const struct stripe_call call = {
        .endpoint = "subscriptions.create",
        .verb = STRIPE_POST,
        .path = "/v1/subscriptions",
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "subscription",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    put_params(cx, &form, params);
    return read_call(cx, client, &call, ret_subscription);
}

struct status stripe_subscription_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    struct payment_subscription *ret_subscription)
{
    struct stripe_call call = {
        .endpoint = "subscriptions.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "subscription",
    };

    TRY(stripe_value_path(cx, "/v1/subscriptions/", subscription_id, "", &call.path));
    return read_call(cx, client, &call, ret_subscription);
}

static struct status read_page(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    json_value list,
    struct payment_subscription_page *ret_page)
{
    const json_value data = json_get(list, "data");
    const size_t count = json_len(data);
    struct payment_subscription *read =
        arena_try_alloc(cx->arena, (count == 0 ? 1 : count) * sizeof *read);

    if (read == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(read_whole(cx, client, account_id, json_item(data, i), &read[i]));
    }
    *ret_page = (struct payment_subscription_page){
        .subscriptions = read, .count = count, .has_more = json_bool(list, "has_more")};
    return STATUS_OK;
}

static struct status list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct buf *query,
    struct payment_subscription_page *ret_page)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "subscriptions.list",
            .verb = STRIPE_GET,
            .path = "/v1/subscriptions",
            .account_id = account_id,
            .form = query,
            .object = "list",
        },
        &json,
        &raw));
    return read_page(cx, client, account_id, json_root(json), ret_page);
}

struct status stripe_subscription_list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const char *starting_after,
    int64_t limit,
    struct payment_subscription_page *ret_page)
{
    AUTO_BUF query = {0};
    struct stripe_form form;

    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    stripe_form_text(&form, "customer", customer_id);
    stripe_form_text(&form, "status", "all"); /* the default leaves out what has ended */
    stripe_form_i64(&form, "limit", limit);
    stripe_form_text(&form, "starting_after", starting_after);
    return list(cx, client, account_id, &query, ret_page);
}

struct status stripe_subscription_list_all(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    bool live,
    const char *starting_after,
    int64_t limit,
    struct payment_subscription_page *ret_page)
{
    AUTO_BUF query = {0};
    struct stripe_form form;

    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    stripe_form_text(&form, "status", live ? "" : "all");
    stripe_form_i64(&form, "limit", limit);
    stripe_form_text(&form, "starting_after", starting_after);
    return list(cx, client, account_id, &query, ret_page);
}

struct status stripe_subscription_post(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_post *post,
    const struct buf *body,
    struct payment_subscription *ret_subscription)
{
    struct stripe_call call = {
        .endpoint = post->endpoint,
        .verb = STRIPE_POST,
        .account_id = post->account_id,
        .form = body,
        .idempotency_key = post->idempotency_key,
        .object = "subscription",
    };

    TRY(stripe_value_path(
        cx, "/v1/subscriptions/", post->subscription_id, post->suffix, &call.path));
    return read_call(cx, client, &call, ret_subscription);
}

static struct status update(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct buf *body,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription)
{
    const struct stripe_subscription_post post = {
        .endpoint = "subscriptions.update",
        .account_id = account_id,
        .subscription_id = subscription_id,
        .suffix = "",
        .idempotency_key = idempotency_key,
    };

    return stripe_subscription_post(cx, client, &post, body, ret_subscription);
}

void stripe_subscription_put_change(
    struct stripe_form *form, const struct stripe_subscription_change *change)
{
    stripe_form_open_array(form, "items");
    for (size_t i = 0; i < change->item_count; i++) {
        const struct stripe_item_change *item = &change->items[i];

        stripe_form_open_element(form);
        stripe_form_text(form, "id", item->item_id);
        stripe_form_text(form, "price", item->price_id);
        if (item->quantity > 0) {
            stripe_form_i64(form, "quantity", item->quantity);
        }
        if (item->remove) {
            stripe_form_bool(form, "deleted", true);
        }
        stripe_form_close(form);
    }
    stripe_form_close(form);
    stripe_form_text(form, "proration_behavior", change->proration_behavior);
    stripe_form_time(form, "proration_date", change->proration_us);
}

struct status stripe_subscription_change(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_change *change,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription)
{
    AUTO_BUF body = {0};
    struct stripe_form form;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_subscription_put_change(&form, change);
    stripe_form_text(&form, "payment_behavior", change->payment_behavior);
    stripe_form_text(&form, "default_payment_method", change->default_payment_method);
    return update(
        cx, client, account_id, subscription_id, &body, idempotency_key, ret_subscription);
}

static void put_details(struct stripe_form *form, const struct stripe_subscription_end *end)
{
    stripe_form_open(form, "cancellation_details");
    stripe_form_text(form, "feedback", end->feedback);
    stripe_form_text(form, "comment", end->comment);
    stripe_form_close(form);
}

/* What an earlier try may have done already. */
static bool is_canceled(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    struct payment_subscription *ret_subscription)
{
    const struct status status =
        stripe_subscription_retrieve(cx, client, account_id, subscription_id, ret_subscription);

    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the first failure tells more");
        return false;
    }
    return ret_subscription->status == SUBSCRIPTION_CANCELED;
}

struct status stripe_subscription_cancel(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_end *end,
    struct payment_subscription *ret_subscription)
{
    AUTO_BUF query = {0};
    struct stripe_form form;
    struct payment_subscription found = {0};
    struct status status;
    enum reason reason = REASON_NONE;
    struct stripe_call call = {
        .endpoint = "subscriptions.cancel",
        .verb = STRIPE_DELETE,
        .account_id = account_id,
        .form = &query,
        .object = "subscription",
    };

    TRY(stripe_value_path(cx, "/v1/subscriptions/", subscription_id, "", &call.path));
    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    if (end->invoice_now) {
        stripe_form_bool(&form, "invoice_now", true);
    }
    if (end->prorate) {
        stripe_form_bool(&form, "prorate", true);
    }
    put_details(&form, end);
    status = read_call(cx, client, &call, ret_subscription);
    reason = status_reason(status);
    if ((reason == REASON_OUTCOME_PENDING || reason == REASON_PAYMENT_SIDE_REJECTED) &&
        is_canceled(cx, client, account_id, subscription_id, &found)) {
        *ret_subscription = found;
        return STATUS_OK;
    }
    return status;
}

struct status stripe_subscription_cancel_at_period_end(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_end *end,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription)
{
    AUTO_BUF body = {0};
    struct stripe_form form;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_bool(&form, "cancel_at_period_end", true);
    put_details(&form, end);
    return update(
        cx, client, account_id, subscription_id, &body, idempotency_key, ret_subscription);
}

struct status stripe_subscription_keep(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription)
{
    AUTO_BUF body = {0};
    struct stripe_form form;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_bool(&form, "cancel_at_period_end", false);
    return update(
        cx, client, account_id, subscription_id, &body, idempotency_key, ret_subscription);
}

struct status stripe_subscription_set_payment_method(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *payment_method_id,
    const char *idempotency_key)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct payment_subscription subscription;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "default_payment_method", payment_method_id);
    return update(cx, client, account_id, subscription_id, &body, idempotency_key, &subscription);
}
