#include "services/subscription_snapshot.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define SNAPSHOT_BYTES_MAX ((size_t)256 * 1024) /* metadata alone may have 50 * 500 letters */

/* Every member of one type is a row: name in JSON, place in the struct. */
struct text_member {
    const char *name;
    size_t offset;
};

#define MEMBER(member)                                 \
    {                                                  \
#member, offsetof(struct subscription, member) \
    }

static const struct text_member texts[] = {
    MEMBER(external_customer_id),
    MEMBER(plan_key),
    MEMBER(currency),
    MEMBER(failure_reason),
    MEMBER(decline_code),
    MEMBER(stripe_subscription_id),
    MEMBER(cancel_reason),
    MEMBER(cancel_feedback),
    MEMBER(cancel_comment),
    MEMBER(collection_pause),
    MEMBER(trial_end_behavior),
    MEMBER(metadata),
};

static const struct text_member numbers[] = {
    /* clang-format off */
    MEMBER(quantity),
    MEMBER(start_us),
    MEMBER(trial_start_us),
    MEMBER(trial_end_us),
    MEMBER(period_start_us),
    MEMBER(period_end_us),
    MEMBER(anchor_us),
    MEMBER(cancel_at_us),
    MEMBER(canceled_us),
    MEMBER(ended_us),
    MEMBER(past_due_since_us),
    MEMBER(grace_end_us),
    MEMBER(collection_resume_us),
    MEMBER(pause_us),
    MEMBER(resume_us),
    MEMBER(days_until_due),
    MEMBER(fetch_number),
    MEMBER(version),
    MEMBER(created_us),
    MEMBER(updated_us),
    MEMBER(synced_us),
    /* clang-format on */
};

static const struct text_member flags[] = {
    MEMBER(cancel_at_period_end),
    MEMBER(collection_paused),
    MEMBER(by_invoice),
    MEMBER(billed_here),
};

static const struct {
    const char *name;
    size_t offset;
    enum id_kind kind;
} ids[] = {
    {"subscription_id", offsetof(struct subscription, subscription_id), ID_SUBSCRIPTION},
    {"customer_id", offsetof(struct subscription, customer_id), ID_CUSTOMER},
    {"plan_id", offsetof(struct subscription, plan_id), ID_PLAN},
    {"price_id", offsetof(struct subscription, price_id), ID_PRICE},
    {"latest_invoice_id", offsetof(struct subscription, latest_invoice_id), ID_INVOICE},
};

static const void *member_of(const struct subscription *subscription, size_t offset)
{
    return (const char *)subscription + offset;
}

static void *target_of(struct subscription *subscription, size_t offset)
{
    return (char *)subscription + offset;
}

static void
write_items(struct ctx *cx, struct json_writer *writer, const struct subscription *subscription)
{
    json_open_array(writer, "items");
    for (size_t i = 0; i < subscription->item_count; i++) {
        const struct subscription_item *item = &subscription->items[i];

        json_open_object(writer, NULL);
        json_put_text(writer, "item_id", id_text(cx->arena, ID_SUBSCRIPTION_ITEM, &item->item_id));
        json_put_text(writer, "price_id", id_text(cx->arena, ID_PRICE, &item->price_id));
        json_put_text(writer, "plan_id", id_text(cx->arena, ID_PLAN, &item->plan_id));
        json_put_text(writer, "plan_key", item->plan_key);
        json_put_i64(writer, "plan_version", item->plan_version);
        json_put_i64(writer, "quantity", item->quantity);
        json_put_text(writer, "meter_key", item->meter_key);
        json_put_bool(writer, "addon", item->addon);
        json_close_object(writer);
    }
    json_close_array(writer);
}

const char *subscription_snapshot_write(
    struct ctx *cx, const struct subscription *subscription, const char *old_status)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, SNAPSHOT_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        json_put_text(
            &writer,
            ids[i].name,
            id_text(cx->arena, ids[i].kind, member_of(subscription, ids[i].offset)));
    }
    json_put_text(&writer, "status", subscription_status_name(subscription->status));
    if (old_status != NULL) {
        json_put_text(&writer, "old_status", old_status);
    }
    json_put_i64(&writer, "plan_version", subscription->plan_version);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_put_text(
            &writer, texts[i].name, *(const char *const *)member_of(subscription, texts[i].offset));
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        json_put_i64(
            &writer, numbers[i].name, *(const int64_t *)member_of(subscription, numbers[i].offset));
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        json_put_bool(
            &writer, flags[i].name, *(const bool *)member_of(subscription, flags[i].offset));
    }
    write_items(cx, &writer, subscription);
    json_close_object(&writer);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

static void release_json(struct json **json)
{
    json_free(*json);
}

static void read_items(struct ctx *cx, json_value list, struct subscription *subscription)
{
    const size_t count =
        json_len(list) < SUBSCRIPTION_ITEMS_MAX ? json_len(list) : SUBSCRIPTION_ITEMS_MAX;
    struct subscription_item *items = arena_alloc(cx->arena, (count + 1) * sizeof *items);

    for (size_t i = 0; i < count && items != NULL; i++) {
        const json_value item = json_item(list, i);

        items[i] = (struct subscription_item){
            .plan_key = json_text(cx, item, "plan_key"),
            .plan_version = (int32_t)json_i64(item, "plan_version"),
            .quantity = json_i64(item, "quantity"),
            .meter_key = json_text(cx, item, "meter_key"),
            .addon = json_bool(item, "addon"),
        };
        id_parse(ID_SUBSCRIPTION_ITEM, json_text(cx, item, "item_id"), &items[i].item_id);
        id_parse(ID_PRICE, json_text(cx, item, "price_id"), &items[i].price_id);
        id_parse(ID_PLAN, json_text(cx, item, "plan_id"), &items[i].plan_id);
    }
    subscription->items = items;
    subscription->item_count = items == NULL ? 0 : count;
}

struct status
subscription_snapshot_read(struct ctx *cx, const char *json, struct subscription *ret_subscription)
{
    AUTO(release_json) struct json *document = NULL;
    struct subscription subscription = {.status = SUBSCRIPTION_PENDING};
    json_value root = NULL;

    TRY(json_parse(cx, json, strlen(json), &document));
    root = json_root(document);
    if (!subscription_status_parse(json_text(cx, root, "status"), &subscription.status)) {
        return status_fail(cx, REASON_INTERNAL, "the stored answer is no subscription");
    }
    subscription.plan_version = (int32_t)json_i64(root, "plan_version");
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        id_parse(
            ids[i].kind, json_text(cx, root, ids[i].name), target_of(&subscription, ids[i].offset));
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *(const char **)target_of(&subscription, texts[i].offset) =
            json_text(cx, root, texts[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        *(int64_t *)target_of(&subscription, numbers[i].offset) = json_i64(root, numbers[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        *(bool *)target_of(&subscription, flags[i].offset) = json_bool(root, flags[i].name);
    }
    read_items(cx, json_get(root, "items"), &subscription);
    *ret_subscription = subscription;
    return STATUS_OK;
}
