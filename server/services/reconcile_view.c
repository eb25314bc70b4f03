#include "services/reconcile_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/hash.h"
#include "base/wallclock.h"
#include "http/json.h"

#define CHANGES_BYTES_MAX ((size_t)16 * 1024)

static void put_text(struct reconcile_view *view, const char *name, const char *value)
{
    view->names[view->count] = name;
    view->values[view->count++] = value;
    view->checksum = view->checksum * 31 + hash_bytes(value, strlen(value));
}

static void put_i64(struct ctx *cx, struct reconcile_view *view, const char *name, int64_t value)
{
    put_text(view, name, arena_printf(cx->arena, "%" PRId64, value));
}

static void put_bool(struct reconcile_view *view, const char *name, bool value)
{
    put_text(view, name, value ? "true" : "false");
}

static void put_time(struct ctx *cx, struct reconcile_view *view, const char *name, int64_t us)
{
    char text[RFC3339_SIZE] = "";

    if (us != 0) {
        wallclock_format(us, text);
    }
    put_text(view, name, arena_text(cx->arena, text));
}

static void put_subscription(
    struct ctx *cx,
    struct reconcile_view *view,
    const struct subscription *subscription,
    const char *price_id)
{
    *view = (struct reconcile_view){.count = 0};
    put_text(view, "status", subscription_status_name(subscription->status));
    put_text(view, "price", price_id);
    put_i64(cx, view, "quantity", subscription->quantity);
    put_time(cx, view, "trial_start_time", subscription->trial_start_us);
    put_time(cx, view, "trial_end_time", subscription->trial_end_us);
    put_time(cx, view, "current_period_start_time", subscription->period_start_us);
    put_time(cx, view, "current_period_end_time", subscription->period_end_us);
    put_time(cx, view, "billing_anchor_time", subscription->anchor_us);
    put_bool(view, "cancel_at_period_end", subscription->cancel_at_period_end);
    put_time(cx, view, "cancel_time", subscription->cancel_at_us);
    put_time(cx, view, "canceled_time", subscription->canceled_us);
    put_time(cx, view, "end_time", subscription->ended_us);
    put_bool(view, "collection_paused", subscription->collection_paused);
    put_bool(view, "by_invoice", subscription->by_invoice);
}

/* The item that is sold under the price that we know; of another subscription the first one. */
static const struct payment_subscription_item *
base_item(const struct payment_subscription *there, const struct mirror_subscription *here)
{
    for (size_t i = 0; here != NULL && i < there->item_count; i++) {
        if (strcmp(there->items[i].price_id, here->stripe_price_id) == 0) {
            return &there->items[i];
        }
    }
    return there->item_count == 0 ? NULL : &there->items[0];
}

void reconcile_view_subscription_there(
    struct ctx *cx,
    const struct payment_subscription *there,
    const struct mirror_subscription *here,
    struct reconcile_view *ret_view)
{
    const struct payment_subscription_item *item = base_item(there, here);
    struct subscription read = {
        .status = subscription_status_of_payment(
            there->status_text, here == NULL ? SUBSCRIPTION_PENDING : here->subscription.status),
        .quantity = item == NULL || item->quantity < 1 ? 1 : item->quantity,
        .trial_start_us = there->trial_start_us,
        .trial_end_us = there->trial_end_us,
        .period_start_us = item == NULL ? there->period_start_us : item->period_start_us,
        .period_end_us = item == NULL ? there->period_end_us : item->period_end_us,
        .anchor_us = there->anchor_us,
        .cancel_at_period_end = there->cancel_at_period_end,
        .cancel_at_us = there->cancel_at_us,
        .canceled_us = there->canceled_us,
        .ended_us = there->ended_us,
        .collection_paused = there->pause_behavior[0] != '\0',
        .by_invoice = strcmp(there->collection_method, "send_invoice") == 0,
    };

    put_subscription(cx, ret_view, &read, item == NULL ? "" : item->price_id);
}

void reconcile_view_subscription_here(
    struct ctx *cx, const struct mirror_subscription *here, struct reconcile_view *ret_view)
{
    put_subscription(cx, ret_view, &here->subscription, here->stripe_price_id);
}

static void put_invoice(struct ctx *cx, struct reconcile_view *view, const struct invoice *invoice)
{
    *view = (struct reconcile_view){.count = 0};
    put_text(view, "status", invoice_status_name(invoice->status));
    put_text(view, "number", invoice->number);
    put_text(view, "currency", invoice->currency);
    put_i64(cx, view, "subtotal", invoice->subtotal_minor);
    put_i64(cx, view, "tax", invoice->tax_minor);
    put_i64(cx, view, "total", invoice->total_minor);
    put_i64(cx, view, "amount_due", invoice->due_minor);
    put_i64(cx, view, "amount_paid", invoice->paid_minor);
    put_i64(cx, view, "amount_remaining", invoice->remaining_minor);
    put_i64(cx, view, "attempt_count", invoice->attempt_count);
    put_time(cx, view, "next_attempt_time", invoice->next_attempt_us);
    put_time(cx, view, "period_start_time", invoice->period_start_us);
    put_time(cx, view, "period_end_time", invoice->period_end_us);
    put_time(cx, view, "due_time", invoice->due_us);
    put_time(cx, view, "finalize_time", invoice->finalized_us);
    put_time(cx, view, "paid_time", invoice->paid_us);
}

void reconcile_view_invoice_there(
    struct ctx *cx,
    const struct payment_invoice *there,
    const struct mirror_invoice *here,
    struct reconcile_view *ret_view)
{
    const struct invoice read = {
        .status = invoice_status_of_payment(
            there->status_text, here == NULL ? INVOICE_DRAFT : here->invoice.status),
        .number = there->number,
        .currency = there->currency,
        .subtotal_minor = there->subtotal_minor,
        .tax_minor = there->tax_minor,
        .total_minor = there->total_minor,
        .due_minor = there->due_minor,
        .paid_minor = there->paid_minor,
        .remaining_minor = there->remaining_minor,
        .attempt_count = there->attempt_count,
        .next_attempt_us = there->next_attempt_us,
        .period_start_us = there->period_start_us,
        .period_end_us = there->period_end_us,
        .due_us = there->due_us,
        .finalized_us = there->finalized_us,
        .paid_us = there->paid_us,
    };

    put_invoice(cx, ret_view, &read);
}

void reconcile_view_invoice_here(
    struct ctx *cx, const struct mirror_invoice *here, struct reconcile_view *ret_view)
{
    put_invoice(cx, ret_view, &here->invoice);
}

bool reconcile_view_equal(const struct reconcile_view *a, const struct reconcile_view *b)
{
    if (a->checksum != b->checksum) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->values[i], b->values[i]) != 0) {
            return false;
        }
    }
    return true;
}

const char *reconcile_view_changes(
    struct ctx *cx, const struct reconcile_view *here, const struct reconcile_view *there)
{
    const struct reconcile_view *any = here != NULL ? here : there;
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, CHANGES_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_array(&writer, NULL);
    for (size_t i = 0; any != NULL && i < any->count; i++) {
        const char *old_value = here == NULL ? "" : here->values[i];
        const char *new_value = there == NULL ? "" : there->values[i];

        if (strcmp(old_value, new_value) != 0) {
            json_open_object(&writer, NULL);
            json_put_text(&writer, "path", any->names[i]);
            json_put_text(&writer, "old", old_value);
            json_put_text(&writer, "new", new_value);
            json_close_object(&writer);
        }
    }
    json_close_array(&writer);
    return buf_failed(&buf) ? "[]" : arena_text(cx->arena, buf_cstr(&buf));
}
