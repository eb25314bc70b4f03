#include "services/subscription_change_request.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define REQUEST_BYTES_MAX ((size_t)64 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

static void put_lines(
    struct json_writer *writer,
    const char *name,
    const struct stripe_subscription_line *lines,
    size_t count)
{
    json_open_array(writer, name);
    for (size_t i = 0; i < count; i++) {
        json_open_object(writer, NULL);
        json_put_text(writer, "price", lines[i].price_id);
        json_put_i64(writer, "quantity", lines[i].quantity);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static size_t
read_lines(struct ctx *cx, json_value list, struct stripe_subscription_line *ret_lines)
{
    const size_t count =
        json_len(list) < SUBSCRIPTION_ITEMS_MAX ? json_len(list) : SUBSCRIPTION_ITEMS_MAX;

    for (size_t i = 0; i < count; i++) {
        const json_value line = json_item(list, i);

        ret_lines[i] = (struct stripe_subscription_line){
            json_text(cx, line, "price"), json_i64(line, "quantity")};
    }
    return count;
}

struct str
subscription_change_write(struct ctx *cx, const struct subscription_change_request *request)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "account_id", request->account_id);
    json_put_text(&writer, "stripe_subscription_id", request->stripe_subscription_id);
    json_open_array(&writer, "items");
    for (size_t i = 0; i < request->item_count; i++) {
        const struct stripe_item_change *item = &request->items[i];

        json_open_object(&writer, NULL);
        json_put_text(&writer, "item", item->item_id);
        json_put_text(&writer, "price", item->price_id);
        json_put_i64(&writer, "quantity", item->quantity);
        json_put_bool(&writer, "remove", item->remove);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_put_i64(&writer, "timing", request->timing);
    json_put_i64(&writer, "proration", request->proration);
    json_put_i64(&writer, "proration_us", request->proration_us);
    put_lines(&writer, "before", request->before, request->before_count);
    put_lines(&writer, "after", request->after, request->after_count);
    json_put_text(&writer, "plan_id", id_text(cx->arena, ID_PLAN, &request->plan_id));
    json_put_i64(&writer, "plan_version", request->plan_version);
    json_put_text(&writer, "price_id", id_text(cx->arena, ID_PRICE, &request->price_id));
    json_put_i64(&writer, "quantity", request->quantity);
    json_put_bool(&writer, "by_invoice", request->by_invoice);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

struct status subscription_change_read(
    struct ctx *cx, struct str text, struct subscription_change_request *ret_request)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;
    json_value items = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &json));
    root = json_root(json);
    items = json_get(root, "items");
    *ret_request = (struct subscription_change_request){
        .account_id = json_text(cx, root, "account_id"),
        .stripe_subscription_id = json_text(cx, root, "stripe_subscription_id"),
        .timing = (enum change_timing)json_i64(root, "timing"),
        .proration = (enum change_proration)json_i64(root, "proration"),
        .proration_us = json_i64(root, "proration_us"),
        .plan_version = (int32_t)json_i64(root, "plan_version"),
        .quantity = json_i64(root, "quantity"),
        .by_invoice = json_bool(root, "by_invoice"),
    };
    id_parse(ID_PLAN, json_text(cx, root, "plan_id"), &ret_request->plan_id);
    id_parse(ID_PRICE, json_text(cx, root, "price_id"), &ret_request->price_id);
    ret_request->before_count = read_lines(cx, json_get(root, "before"), ret_request->before);
    ret_request->after_count = read_lines(cx, json_get(root, "after"), ret_request->after);
    for (size_t i = 0; i < json_len(items) && i < SUBSCRIPTION_CHANGES_MAX; i++) {
        const json_value item = json_item(items, i);

        ret_request->items[ret_request->item_count++] = (struct stripe_item_change){
            .item_id = json_text(cx, item, "item"),
            .price_id = json_text(cx, item, "price"),
            .quantity = json_i64(item, "quantity"),
            .remove = json_bool(item, "remove"),
        };
    }
    return STATUS_OK;
}

struct stripe_subscription_change
subscription_change_there(const struct subscription_change_request *request)
{
    return (struct stripe_subscription_change){
        .items = request->items,
        .item_count = request->item_count,
        .proration_behavior = change_proration_word(request->proration),
        .proration_us = request->proration_us,
        .payment_behavior = request->by_invoice ? "" : "error_if_incomplete",
        .default_payment_method = "",
    };
}

static bool has(const struct payment_subscription *there, const struct stripe_item_change *wanted)
{
    for (size_t i = 0; i < there->item_count; i++) {
        const struct payment_subscription_item *item = &there->items[i];
        const bool named = wanted->item_id[0] == '\0' || strcmp(item->id, wanted->item_id) == 0;

        if (named &&
            (wanted->price_id[0] == '\0' || strcmp(item->price_id, wanted->price_id) == 0) &&
            (wanted->quantity == 0 || item->quantity == wanted->quantity)) {
            return true;
        }
    }
    return false;
}

bool subscription_change_made(
    const struct subscription_change_request *request, const struct payment_subscription *there)
{
    for (size_t i = 0; i < request->item_count; i++) {
        if (has(there, &request->items[i]) == request->items[i].remove) {
            return false;
        }
    }
    return true;
}
