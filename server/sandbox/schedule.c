#include "sandbox/schedule.h"

#include <string.h>

#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/price.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_billing.h"

static void copy_items(const struct subscription *subscription, struct phase *phase)
{
    phase->item_count = subscription->item_count;
    for (size_t i = 0; i < subscription->item_count; i++) {
        const struct subscription_item *item = &subscription->items[i];

        phase->items[i] =
            (struct phase_item){item->price, item->price->metered ? 0 : item->quantity};
    }
}

struct schedule *schedule_new(struct sim *sim, struct subscription *subscription)
{
    struct schedule *schedule = object_new(
        sim, subscription->object.owner, KIND_SCHEDULE, sizeof *schedule, /* id= */ NULL);
    struct phase *phase = &schedule->phases[schedule->phase_count++];

    schedule->object.created_s = customer_now_s(sim, subscription->customer);
    schedule->subscription = subscription;
    phase->start_s = subscription->items[0].start_s;
    phase->end_s = subscription_first_end_s(subscription);
    phase->proration_behavior = "create_prorations";
    copy_items(subscription, phase);
    subscription->schedule = schedule;
    return schedule;
}

static void
end(struct sim *sim, struct schedule *schedule, enum schedule_status status, const char *event)
{
    schedule->status = status;
    schedule->ended_s = customer_now_s(sim, schedule->subscription->customer);
    schedule->subscription->schedule = NULL;
    event_emit(sim, event, schedule, NULL);
}

void schedule_release(struct sim *sim, struct schedule *schedule)
{
    const char *before = event_snapshot(sim, schedule->subscription);

    end(sim, schedule, SCHEDULE_RELEASED, "subscription_schedule.released");
    event_emit(sim, "customer.subscription.updated", schedule->subscription, before);
}

void schedule_cancel(struct sim *sim, struct subscription *subscription)
{
    if (subscription->schedule != NULL) {
        end(sim, subscription->schedule, SCHEDULE_CANCELED, "subscription_schedule.canceled");
    }
}

static bool is_last(const struct schedule *schedule)
{
    return schedule->current + 1 == schedule->phase_count;
}

int64_t schedule_due_s(const struct subscription *subscription)
{
    const struct schedule *schedule = subscription->schedule;

    return schedule != NULL && is_last(schedule) ? schedule->phases[schedule->current].end_s : 0;
}

void schedule_act(struct sim *sim, struct subscription *subscription)
{
    schedule_release(sim, subscription->schedule);
}

/* The item of that price stays itself; any other is a new one, in the period of the first. */
static struct subscription_item
item_of(struct sim *sim, const struct subscription *subscription, const struct phase_item *wanted)
{
    struct subscription_item item = {
        .created_s = subscription->items[0].end_s,
        .price = wanted->price,
        .quantity = wanted->price->metered ? 1 : wanted->quantity,
        .start_s = subscription->items[0].start_s,
        .end_s = subscription->items[0].end_s,
    };

    for (size_t i = 0; i < subscription->item_count; i++) {
        if (subscription->items[i].price == wanted->price) {
            const int64_t quantity = item.quantity;

            item = subscription->items[i];
            item.quantity = quantity;
            return item;
        }
    }
    item.id = sim_draw_id(sim, "si_");
    return item;
}

/* Usage of an item that goes is paid for with the next invoice all the same. */
static void
keep_usage(struct sim *sim, struct subscription *subscription, const struct phase *phase)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        const struct subscription_item *item = &subscription->items[i];
        struct invoice_line line;
        bool stays = !item->price->metered || subscription->status == SUBSCRIPTION_TRIALING;

        for (size_t k = 0; k < phase->item_count; k++) {
            stays = stays || phase->items[k].price == item->price;
        }
        if (!stays) {
            subscription_billing_line(sim, subscription, item, &line);
            subscription_billing_keep(sim, subscription, &line, 1);
        }
    }
}

static void take_items(
    struct sim *sim,
    struct subscription *subscription,
    const struct phase *phase,
    struct subscription_item *items)
{
    const struct interval before = subscription->items[0].price->interval;
    const struct interval after = phase->items[0].price->interval;

    keep_usage(sim, subscription, phase);
    for (size_t i = 0; i < phase->item_count; i++) {
        items[i] = item_of(sim, subscription, &phase->items[i]);
    }
    memcpy(subscription->items, items, phase->item_count * sizeof *items);
    subscription->item_count = phase->item_count;
    if (after.unit != before.unit || after.count != before.count) {
        subscription->anchor_s =
            subscription->items[0].end_s; /* another interval is counted from here */
    }
}

void schedule_turn(struct sim *sim, struct subscription *subscription, int64_t now_s)
{
    struct schedule *schedule = subscription->schedule;
    struct subscription_item items[SCHEDULE_ITEMS_MAX];
    const char *before = NULL;

    if (schedule == NULL || is_last(schedule) ||
        schedule->phases[schedule->current].end_s > now_s) {
        return;
    }
    before = event_snapshot(sim, schedule);
    schedule->current++;
    take_items(sim, subscription, &schedule->phases[schedule->current], items);
    event_emit(sim, "subscription_schedule.updated", schedule, before);
}

void schedule_hasten(struct schedule *schedule, int64_t end_s)
{
    const int64_t sooner_s = schedule->phases[schedule->current].end_s - end_s;

    schedule->phases[schedule->current].end_s = end_s;
    for (size_t i = schedule->current + 1; i < schedule->phase_count; i++) {
        schedule->phases[i].start_s -= sooner_s;
        schedule->phases[i].end_s -= sooner_s;
    }
}

const char *schedule_status_word(enum schedule_status status)
{
    static const char *const words[] = {
        [SCHEDULE_ACTIVE] = "active",
        [SCHEDULE_RELEASED] = "released",
        [SCHEDULE_CANCELED] = "canceled",
    };

    return words[status];
}

static void render_item(struct render *render, const struct phase_item *item)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, NULL);
    render_nulls(render, "billing_thresholds");
    render_empty_arrays(render, "discounts");
    json_open_object(w, "metadata");
    json_close_object(w);
    render_ref(render, "plan", item->price);
    render_ref(render, "price", item->price);
    if (!item->price->metered) {
        json_put_i64(w, "quantity", item->quantity);
    }
    render_empty_arrays(render, "tax_rates");
    json_close_object(w);
}

static void render_phase(struct render *render, const struct phase *phase)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, NULL);
    render_empty_arrays(render, "add_invoice_items");
    render_nulls(
        render,
        "application_fee_percent billing_cycle_anchor billing_thresholds collection_method "
        "default_payment_method description invoice_settings on_behalf_of transfer_data trial_end");
    json_put_text(w, "currency", phase->items[0].price->currency);
    render_empty_arrays(render, "default_tax_rates discounts");
    json_put_i64(w, "end_date", phase->end_s);
    json_open_array(w, "items");
    for (size_t i = 0; i < phase->item_count; i++) {
        render_item(render, &phase->items[i]);
    }
    json_close_array(w);
    json_open_object(w, "metadata");
    json_close_object(w);
    json_put_text(w, "proration_behavior", phase->proration_behavior);
    json_put_i64(w, "start_date", phase->start_s);
    json_close_object(w);
}

static void render_defaults(struct render *render)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "default_settings");
    render_nulls(
        render,
        "application_fee_percent billing_thresholds collection_method default_payment_method "
        "description on_behalf_of transfer_data");
    json_open_object(w, "automatic_tax");
    render_nulls(render, "disabled_reason");
    json_put_bool(w, "enabled", false);
    render_nulls(render, "liability");
    json_close_object(w);
    json_put_text(w, "billing_cycle_anchor", "automatic");
    json_open_object(w, "invoice_settings");
    render_nulls(render, "account_tax_ids days_until_due");
    json_open_object(w, "issuer");
    json_put_text(w, "type", "self");
    json_close_object(w);
    json_close_object(w);
    json_close_object(w);
}

void schedule_render(struct render *render, const struct object *object)
{
    const struct schedule *schedule = (const struct schedule *)object;
    const struct phase *current = &schedule->phases[schedule->current];
    const bool active = schedule->status == SCHEDULE_ACTIVE;
    const bool released = schedule->status == SCHEDULE_RELEASED;
    struct json_writer *w = &render->writer;

    json_put_text(w, "application", "ca_simulated");
    json_open_object(w, "billing_mode");
    render_nulls(render, "flexible");
    json_put_text(w, "type", schedule->subscription->flexible ? "flexible" : "classic");
    json_close_object(w);
    render_i64_or_null(render, "canceled_at", active || released ? 0 : schedule->ended_s);
    render_nulls(render, "completed_at");
    json_put_i64(w, "created", object->created_s);
    if (active) {
        json_open_object(w, "current_phase");
        json_put_i64(w, "end_date", current->end_s);
        json_put_i64(w, "start_date", current->start_s);
        json_close_object(w);
    } else {
        json_put_null(w, "current_phase");
    }
    render_ref(render, "customer", schedule->subscription->customer);
    render_nulls(render, "customer_account");
    render_defaults(render);
    json_put_text(w, "end_behavior", "release");
    json_put_bool(w, "livemode", false);
    json_open_object(w, "metadata");
    json_close_object(w);
    json_open_array(w, "phases");
    for (size_t i = 0; i < schedule->phase_count; i++) {
        render_phase(render, &schedule->phases[i]);
    }
    json_close_array(w);
    render_i64_or_null(render, "released_at", released ? schedule->ended_s : 0);
    json_put_text(w, "released_subscription", released ? schedule->subscription->object.id : NULL);
    json_put_text(w, "status", schedule_status_word(schedule->status));
    render_ref(render, "subscription", active ? schedule->subscription : NULL);
    render_ref(render, "test_clock", schedule->subscription->customer->test_clock);
}
