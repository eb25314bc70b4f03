#include "sandbox/event.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "sandbox/account.h"
#include "sandbox/charge.h"
#include "sandbox/customer.h"
#include "sandbox/fault.h"
#include "sandbox/invoice.h"
#include "sandbox/invoice_payment.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/refund.h"
#include "sandbox/render.h"
#include "sandbox/schedule.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/tax_id.h"
#include "sandbox/test_clock.h"
#include "sandbox/webhook_endpoint.h"
#include "sandbox/webhook_out.h"

#define EVENT_BYTES_MAX ((size_t)1024 * 1024)

static const struct customer *customer_of(const struct object *object)
{
    switch (object->kind) {
    case KIND_CUSTOMER:
        return (const struct customer *)object;
    case KIND_PAYMENT_METHOD:
        return ((const struct payment_method *)object)->customer;
    case KIND_TAX_ID:
        return ((const struct tax_id *)object)->customer;
    case KIND_SUBSCRIPTION:
        return ((const struct subscription *)object)->customer;
    case KIND_SCHEDULE:
        return ((const struct schedule *)object)->subscription->customer;
    case KIND_INVOICE:
        return ((const struct invoice *)object)->customer;
    case KIND_INVOICE_PAYMENT:
        return ((const struct invoice_payment *)object)->invoice->customer;
    case KIND_PAYMENT_INTENT:
        return ((const struct payment_intent *)object)->customer;
    case KIND_CHARGE:
        return ((const struct charge *)object)->intent->customer;
    case KIND_REFUND:
        return ((const struct refund *)object)->charge->intent->customer;
    case KIND_ACCOUNT:
    case KIND_PRODUCT:
    case KIND_PRICE:
    case KIND_COUPON:
    case KIND_METER:
    case KIND_EVENT:
    case KIND_WEBHOOK_ENDPOINT:
    case KIND_TEST_CLOCK:
    case KIND_COUNT:
        break;
    }
    return NULL;
}

/* Events of a test clock's customers carry the time of that clock. */
static int64_t time_of(const struct sim *sim, const struct object *object)
{
    const struct customer *customer = customer_of(object);

    if (object->kind == KIND_TEST_CLOCK) {
        return ((const struct test_clock *)object)->frozen_s;
    }
    return customer == NULL ? sim->now_s : customer_now_s(sim, customer);
}

const char *event_snapshot(struct sim *sim, const void *object)
{
    AUTO_BUF text;
    struct render render;

    buf_init(&text, EVENT_BYTES_MAX);
    render_begin(&render, sim, &text, NULL);
    render_object(&render, NULL, object);
    return arena_text(sim->cx->arena, buf_cstr(&text));
}

static bool same(struct ctx *cx, json_value a, json_value b)
{
    return strcmp(json_print(cx, a), json_print(cx, b)) == 0;
}

static bool is_object(struct ctx *cx, json_value value)
{
    return !json_is_null(value) && json_print(cx, value)[0] == '{';
}

/* Present, be it as null. */
static bool has(json_value object, const char *wanted)
{
    const char *name = NULL;
    json_value value = NULL;
    void *cursor = NULL;

    while (json_next(object, &cursor, &name, &value)) {
        if (strcmp(name, wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* The values that members had before; arrays whole, of inner objects only what changed in them. */
static void
put_changes(struct ctx *cx, struct json_writer *w, json_value before, json_value after, bool inner)
{
    const char *name = NULL;
    json_value old = NULL;
    void *cursor = NULL;

    while (json_next(before, &cursor, &name, &old)) {
        const json_value now = json_get(after, name);

        if (same(cx, old, now)) {
            continue;
        }
        if (!inner && is_object(cx, old) && is_object(cx, now)) {
            json_open_object(w, name);
            put_changes(cx, w, old, now, true);
            json_close_object(w);
        } else {
            json_put_raw(w, name, json_print(cx, old));
        }
    }
    cursor = NULL;
    while (json_next(after, &cursor, &name, &old)) {
        if (!has(before, name) && json_get(after, name) != NULL) {
            json_put_null(w, name);
        }
    }
}

static void
put_previous(struct ctx *cx, struct json_writer *w, const char *before, const char *after)
{
    struct json *old = NULL;
    struct json *now = NULL;

    if (json_parse(cx, before, strlen(before), &old).code == CODE_OK &&
        json_parse(cx, after, strlen(after), &now).code == CODE_OK) {
        json_open_object(w, "previous_attributes");
        put_changes(cx, w, json_root(old), json_root(now), false);
        json_close_object(w);
    }
    json_free(old);
    json_free(now);
}

static void put_event(struct render *render, const struct event *event)
{
    struct json_writer *w = &render->writer;

    if (event->connected) {
        json_put_text(w, "account", event->object.owner->object.id);
    }
    json_put_text(w, "api_version", SIM_API_VERSION);
    json_put_i64(w, "created", event->object.created_s);
    json_put_raw(w, "data", event->data);
    json_put_bool(w, "livemode", false);
    json_put_i64(w, "pending_webhooks", event->pending);
    json_open_object(w, "request");
    json_put_text(w, "id", event->request_id);
    json_put_text(w, "idempotency_key", event->request_key);
    json_close_object(w);
    json_put_text(w, "type", event->type);
}

void event_render(struct render *render, const struct object *object)
{
    put_event(render, (const struct event *)object);
}

static bool is_for(const struct webhook_endpoint *endpoint, const struct event *event)
{
    const struct account *owner = endpoint->object.owner;

    if (endpoint->object.deleted || !webhook_endpoint_wants(endpoint, event->type)) {
        return false;
    }
    if (endpoint->connect) {
        return event->connected && owner->object.owner == NULL;
    }
    return owner == event->object.owner;
}

typedef void (*visit_fn)(struct sim *sim, struct event *event, struct webhook_endpoint *endpoint);

static int64_t
each_in(struct sim *sim, const struct object_list *list, struct event *event, visit_fn visit)
{
    int64_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct webhook_endpoint *endpoint = (struct webhook_endpoint *)list->items[i];

        if (is_for(endpoint, event)) {
            count++;
            if (visit != NULL) {
                visit(sim, event, endpoint);
            }
        }
    }
    return count;
}

/* Calls visit for each endpoint that is to get the event; how many. Connected accounts may have
 * endpoints of their own beside those of the platform. */
static int64_t each_endpoint(struct sim *sim, struct event *event, visit_fn visit)
{
    int64_t count = each_in(sim, &sim->platform->lists[KIND_WEBHOOK_ENDPOINT], event, visit);

    if (event->connected) {
        count += each_in(sim, &event->object.owner->lists[KIND_WEBHOOK_ENDPOINT], event, visit);
    }
    return count;
}

static void deliver(struct sim *sim, struct event *event, struct webhook_endpoint *endpoint)
{
    webhook_out_deliver(sim->webhooks, event, endpoint);
}

const char *event_text(struct sim *sim, const struct event *event)
{
    return event_snapshot(sim, event);
}

static void emit(struct sim *sim, struct event *event)
{
    event->request_id = sim_text(sim, sim->request_id);
    event->request_key = sim_text(sim, sim->request_key);
    event->connected = event->object.owner != sim->platform;
    event->pending = each_endpoint(sim, event, NULL);
    each_endpoint(sim, event, deliver);
}

static struct event *create(struct sim *sim, struct account *owner, const char *type)
{
    struct event *event = object_new(sim, owner, KIND_EVENT, sizeof *event, NULL);

    event->type = sim_text(sim, type);
    event->made_s = sim->now_s;
    return event;
}

/* {"object":...,"previous_attributes":...}, kept for ever. */
static const char *render_data(struct sim *sim, const char *before, const char *now)
{
    AUTO_BUF data;
    struct json_writer w;

    buf_init(&data, EVENT_BYTES_MAX);
    json_begin(&w, &data);
    json_open_object(&w, NULL);
    json_put_raw(&w, "object", now);
    if (before != NULL) {
        put_previous(sim->cx, &w, before, now);
    }
    json_close_object(&w);
    return sim_text(sim, buf_cstr(&data));
}

void event_emit(struct sim *sim, const char *type, const void *thing, const char *before)
{
    const struct object *object = thing;
    struct account *owner = object->kind == KIND_ACCOUNT ? (struct account *)thing : object->owner;
    const char *now = event_snapshot(sim, thing);
    struct event *event = NULL;

    if (before != NULL && strcmp(before, now) == 0) {
        return;
    }
    if (fault_never_generate(sim, type)) {
        (void)sim_draw_id(sim, ""); /* the ids that follow are the same with and without it */
        return;
    }
    event = create(sim, owner, type);
    event->object.created_s = time_of(sim, object);
    event->data = render_data(sim, before, now);
    emit(sim, event);
}

void event_emit_deauthorized(struct sim *sim, struct account *account)
{
    struct event *event = create(sim, account, "account.application.deauthorized");

    event->data = sim_text(
        sim, "{\"object\":{\"id\":\"ca_simulated\",\"object\":\"application\",\"name\":null}}");
    emit(sim, event);
}

int64_t event_resend(struct sim *sim, struct event *event)
{
    return each_endpoint(sim, event, deliver);
}
