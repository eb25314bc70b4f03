#include "services/subscription_answer.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"
#include "services/subscription_snapshot.h"

#define ANSWER_BYTES_MAX ((size_t)260 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

static void
put_change(struct ctx *cx, struct json_writer *writer, const struct scheduled_change *change)
{
    json_open_object(writer, "change");
    json_put_text(writer, "change_id", id_text(cx->arena, ID_SCHEDULED_CHANGE, &change->change_id));
    json_put_text(writer, "plan_id", id_text(cx->arena, ID_PLAN, &change->plan_id));
    json_put_i64(writer, "plan_version", change->plan_version);
    json_put_text(writer, "price_id", id_text(cx->arena, ID_PRICE, &change->price_id));
    json_put_i64(writer, "quantity", change->quantity);
    json_put_i64(writer, "effective_us", change->effective_us);
    json_put_text(writer, "actor", change->actor);
    json_put_i64(writer, "created_us", change->created_us);
    json_close_object(writer);
}

struct str subscription_answer_write(
    struct ctx *cx, const struct subscription *subscription, const struct scheduled_change *change)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, ANSWER_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_raw(&writer, "subscription", subscription_snapshot_write(cx, subscription, NULL));
    if (change != NULL) {
        put_change(cx, &writer, change);
    }
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static void read_change(struct ctx *cx, json_value value, struct subscription_answer *answer)
{
    struct scheduled_change *change = &answer->change;

    answer->waits = true;
    *change = (struct scheduled_change){
        .subscription_id = answer->subscription.subscription_id,
        .plan_version = (int32_t)json_i64(value, "plan_version"),
        .quantity = json_i64(value, "quantity"),
        .effective_us = json_i64(value, "effective_us"),
        .actor = json_text(cx, value, "actor"),
        .account_id = "",
        .stripe_schedule_id = "",
        .created_us = json_i64(value, "created_us"),
    };
    id_parse(ID_SCHEDULED_CHANGE, json_text(cx, value, "change_id"), &change->change_id);
    id_parse(ID_PLAN, json_text(cx, value, "plan_id"), &change->plan_id);
    id_parse(ID_PRICE, json_text(cx, value, "price_id"), &change->price_id);
}

struct status
subscription_answer_read(struct ctx *cx, struct str text, struct subscription_answer *ret_answer)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &json));
    root = json_root(json);
    *ret_answer = (struct subscription_answer){.waits = false};
    TRY(subscription_snapshot_read(
        cx, json_print(cx, json_get(root, "subscription")), &ret_answer->subscription));
    if (json_get(root, "change") != NULL) {
        read_change(cx, json_get(root, "change"), ret_answer);
    }
    return STATUS_OK;
}
