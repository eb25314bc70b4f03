#include "handlers/subscription_change_pb.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/organization_pb.h"
#include "handlers/pb.h"

#define QUANTITY_MAX 1000000

typedef Billingos__V1__SubscriptionChange change_message;

/* Nothing that is asked for is dropped in silence. */
static void refuse_unsupported(struct ctx *cx, const change_message *change, struct status *result)
{
    static const char later[] = "is not supported yet";

    if (change->n_addons > 0) {
        field_note(cx, result, status_field(cx, "change.addons", later));
    }
    if (change->coupon_id[0] != '\0') {
        field_note(cx, result, status_field(cx, "change.coupon_id", later));
    }
    if (change->promotion_code[0] != '\0') {
        field_note(cx, result, status_field(cx, "change.promotion_code", later));
    }
    if (change->remove_discount) {
        field_note(cx, result, status_field(cx, "change.remove_discount", later));
    }
}

static struct status read_plan(
    struct ctx *cx,
    const change_message *change,
    struct id *plan_id,
    struct subscription_wish *wish)
{
    wish->plan_version = change->plan_version;
    if (change->plan_version < 0) {
        return status_field(cx, "change.plan_version", "is negative");
    }
    switch (change->plan_case) {
    case BILLINGOS__V1__SUBSCRIPTION_CHANGE__PLAN_PLAN_ID:
        wish->plan_id = plan_id;
        return pb_read_id(cx, "change.plan_id", ID_PLAN, change->plan_id, plan_id);
    case BILLINGOS__V1__SUBSCRIPTION_CHANGE__PLAN_PLAN_KEY:
        wish->plan_key = change->plan_key;
        return pb_check_key(cx, "change.plan_key", change->plan_key);
    default:
        return STATUS_OK;
    }
}

static struct status
read_price(struct ctx *cx, const change_message *change, struct subscription_wish *wish)
{
    wish->interval = (enum billing_interval)change->interval;
    if ((int)change->interval < 0 || (int)change->interval > INTERVAL_YEAR) {
        return status_field(cx, "change.interval", "is not a value of BillingInterval");
    }
    if (change->price_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(pb_read_id(cx, "change.price_id", ID_PRICE, change->price_id, &wish->price_id));
    return id_is_zero(&wish->price_id) /* nobody has it, and to us it means "none" */
               ? status_pair(
                     cx, status_of(cx, REASON_PRICE_NOT_FOUND), "price_id", change->price_id)
               : STATUS_OK;
}

static struct status
read_quantity(struct ctx *cx, const change_message *change, struct subscription_wish *wish)
{
    if (change->_quantity_case == BILLINGOS__V1__SUBSCRIPTION_CHANGE___QUANTITY__NOT_SET) {
        return STATUS_OK;
    }
    wish->quantity = change->quantity;
    if (change->quantity < 0) {
        return status_pair(
            cx,
            status_of(cx, REASON_QUANTITY_NEGATIVE),
            "quantity",
            arena_printf(cx->arena, "%" PRId64, change->quantity));
    }
    return field_check_range(cx, "change.quantity", change->quantity, 1, QUANTITY_MAX);
}

static struct status
read_manner(struct ctx *cx, const change_message *change, struct subscription_wish *wish)
{
    wish->timing = (enum change_timing)change->timing;
    wish->proration =
        change->proration == 0 ? PRORATION_INVOICE_NOW : (enum change_proration)change->proration;
    if ((int)change->timing < 0 || (int)change->timing > CHANGE_TIMING_AT_PERIOD_END) {
        return status_field(cx, "change.timing", "is not a value of ChangeTiming");
    }
    return (int)change->proration < 0 || (int)change->proration > PRORATION_NONE
               ? status_field(cx, "change.proration", "is not a value of Proration")
               : STATUS_OK;
}

struct status subscription_change_pb_read(
    struct ctx *cx,
    const change_message *change,
    struct id *plan_id,
    struct subscription_wish *ret_wish)
{
    struct status result = STATUS_OK;

    *ret_wish = (struct subscription_wish){.quantity = 0};
    if (change == NULL) {
        return status_field(cx, "change", "is required");
    }
    refuse_unsupported(cx, change, &result);
    field_note(cx, &result, read_plan(cx, change, plan_id, ret_wish));
    field_note(cx, &result, read_price(cx, change, ret_wish));
    field_note(cx, &result, read_quantity(cx, change, ret_wish));
    field_note(cx, &result, read_manner(cx, change, ret_wish));
    return result;
}

Billingos__V1__ScheduledChange *
subscription_change_pb_scheduled(struct ctx *cx, const struct scheduled_change *change)
{
    Billingos__V1__ScheduledChange *message =
        PB_NEW(cx, Billingos__V1__ScheduledChange, billingos__v1__scheduled_change__init);
    Billingos__V1__SubscriptionChange *what =
        PB_NEW(cx, Billingos__V1__SubscriptionChange, billingos__v1__subscription_change__init);

    what->plan_case = BILLINGOS__V1__SUBSCRIPTION_CHANGE__PLAN_PLAN_ID;
    what->plan_id = pb_id(cx, ID_PLAN, &change->plan_id);
    what->plan_version = change->plan_version;
    what->price_id = pb_id(cx, ID_PRICE, &change->price_id);
    what->_quantity_case = BILLINGOS__V1__SUBSCRIPTION_CHANGE___QUANTITY_QUANTITY;
    what->quantity = change->quantity;
    what->timing = BILLINGOS__V1__CHANGE_TIMING__CHANGE_TIMING_AT_PERIOD_END;
    message->scheduled_change_id = pb_id(cx, ID_SCHEDULED_CHANGE, &change->change_id);
    message->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &change->subscription_id);
    message->change = what;
    message->effective_time = pb_time(cx, change->effective_us);
    message->actor = organization_pb_actor(cx, change->actor, "");
    message->create_time = pb_time(cx, change->created_us);
    return message;
}

static Billingos__V1__Money *money_of(struct ctx *cx, const char *currency, int64_t minor)
{
    struct money money = {.minor = minor};

    memcpy(money.currency, currency, strnlen(currency, sizeof money.currency - 1));
    return pb_money(cx, money);
}

static Billingos__V1__PreviewLine *
line_pb(struct ctx *cx, const char *currency, const struct subscription_preview_line *line)
{
    Billingos__V1__PreviewLine *message =
        PB_NEW(cx, Billingos__V1__PreviewLine, billingos__v1__preview_line__init);

    message->description = pb_text(line->line->description);
    message->amount = money_of(cx, currency, line->line->amount_minor);
    message->proration = line->line->proration;
    message->price_id = pb_id(cx, ID_PRICE, &line->price_id);
    message->quantity = line->line->quantity;
    message->period = PB_NEW(cx, Billingos__V1__TimeRange, billingos__v1__time_range__init);
    message->period->start_time = pb_time(cx, line->line->start_us);
    message->period->end_time = pb_time(cx, line->line->end_us);
    return message;
}

Billingos__V1__ChangePreview *
subscription_change_pb_preview(struct ctx *cx, const struct subscription_preview *preview)
{
    Billingos__V1__ChangePreview *message =
        PB_NEW(cx, Billingos__V1__ChangePreview, billingos__v1__change_preview__init);
    const char *currency = preview->currency;

    message->preview_id = pb_id(cx, ID_PREVIEW, &preview->preview_id);
    message->due_now = money_of(cx, currency, preview->due_minor);
    message->credit = money_of(cx, currency, preview->credit_minor);
    message->next_invoice_total = money_of(cx, currency, preview->next_minor);
    message->next_invoice_time = pb_time(cx, preview->next_us);
    message->recurring_before = money_of(cx, currency, preview->before_minor);
    message->recurring_after = money_of(cx, currency, preview->after_minor);
    message->effective_time = pb_time(cx, preview->effective_us);
    message->expire_time = pb_time(cx, preview->expires_us);
    message->n_lines = preview->line_count;
    message->lines =
        arena_alloc(cx->arena, (preview->line_count + 1) * sizeof(Billingos__V1__PreviewLine *));
    for (size_t i = 0; i < preview->line_count; i++) {
        message->lines[i] = line_pb(cx, currency, &preview->lines[i]);
    }
    return message;
}
