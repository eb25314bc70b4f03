#include "stripe/stripe_event.h"

#include <string.h>

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)8 * 1024)

/* The time of a thin event is a text; nothing of ours follows from it, so it is left 0. */
static void read_thin(struct ctx *cx, json_value object, struct payment_event *event)
{
    const json_value related = json_get(object, "related_object");

    event->thin = true;
    event->account_id = json_text(cx, object, "context");
    event->object_id = json_text(cx, related, "id");
    event->object_type = json_text(cx, related, "type");
    event->request_id = json_text(cx, object, "reason.request.id");
    event->idempotency_key = json_text(cx, object, "reason.request.idempotency_key");
}

static void read_whole(struct ctx *cx, json_value object, struct payment_event *event)
{
    const json_value subject = json_at(object, "data.object");
    const char *parent =
        stripe_value_reference(cx, subject, "parent.subscription_details.subscription");

    event->account_id = json_text(cx, object, "account");
    event->api_version = json_text(cx, object, "api_version");
    event->object_id = json_text(cx, subject, "id");
    event->object_type = json_text(cx, subject, "object");
    event->customer_id = stripe_value_reference(cx, subject, "customer");
    event->subscription_id =
        parent[0] != '\0' ? parent : stripe_value_reference(cx, subject, "subscription");
    event->request_id = json_text(cx, object, "request.id");
    event->idempotency_key = json_text(cx, object, "request.idempotency_key");
    event->created_us = stripe_value_time(object, "created");
}

static bool read_event(struct ctx *cx, json_value object, struct payment_event *ret_event)
{
    const char *kind = json_text(cx, object, "object");

    *ret_event = (struct payment_event){
        .id = json_text(cx, object, "id"),
        .type = json_text(cx, object, "type"),
        .live = json_bool(object, "livemode"),
        .api_version = "",
        .customer_id = "",
        .subscription_id = "",
    };
    if (strcmp(kind, "v2.core.event") == 0) {
        read_thin(cx, object, ret_event);
    } else if (strcmp(kind, "event") == 0) {
        read_whole(cx, object, ret_event);
    } else {
        return false;
    }
    return ret_event->id[0] != '\0' && ret_event->type[0] != '\0';
}

struct status
stripe_event_parse(struct ctx *cx, const void *body, size_t len, struct payment_event *ret_event)
{
    AUTO_JSON *json = NULL;
    struct payment_event event;

    TRY(json_parse(cx, body, len, &json));
    if (!read_event(cx, json_root(json), &event)) {
        return status_fail(
            cx, REASON_MESSAGE_MALFORMED, "the body is no event of the payment side");
    }
    *ret_event = event;
    return STATUS_OK;
}

static void put_query(struct stripe_form *form, const struct stripe_event_query *query)
{
    stripe_form_text(form, "ending_before", query->after);
    stripe_form_text(form, "starting_after", query->before);
    stripe_form_i64(form, "limit", query->limit);
    stripe_form_open_array(form, "types");
    for (size_t i = 0;
         query->types != NULL && query->types[i] != NULL && i < STRIPE_EVENT_TYPES_MAX;
         i++) {
        stripe_form_element(form, query->types[i]);
    }
    stripe_form_close(form);
    stripe_form_open(form, "created");
    stripe_form_time(form, "gte", query->created_from_us);
    stripe_form_close(form);
    if (query->undelivered) {
        stripe_form_bool(form, "delivery_success", false);
    }
}

/* Pages come newest first; they are turned round, so that a replay runs in the order of events. */
static struct status read_page(
    struct ctx *cx, const char *account_id, json_value list, struct payment_event_page *ret_page)
{
    const json_value data = json_get(list, "data");
    const size_t count = json_len(data);
    struct payment_event *read =
        arena_try_alloc(cx->arena, (count == 0 ? 1 : count) * sizeof *read);
    size_t found = 0;

    if (read == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = count; i > 0; i--) {
        if (read_event(cx, json_item(data, i - 1), &read[found])) {
            read[found].raw = json_print(cx, json_item(data, i - 1));
            read[found].account_id =
                read[found].account_id[0] == '\0' ? account_id : read[found].account_id;
            found++;
        }
    }
    *ret_page = (struct payment_event_page){
        .events = read, .count = found, .has_more = json_bool(list, "has_more")};
    return STATUS_OK;
}

struct status stripe_event_list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_event_query *query,
    struct payment_event_page *ret_page)
{
    AUTO_BUF text = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&text, FORM_BYTES_MAX);
    stripe_form_begin(&form, &text);
    put_query(&form, query);
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "events.list",
            .verb = STRIPE_GET,
            .path = "/v1/events",
            .account_id = account_id,
            .platform = true,
            .form = &text,
            .object = "list",
        },
        &json,
        &raw));
    return read_page(cx, account_id, json_root(json), ret_page);
}
