#include "sandbox/render.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/charge.h"
#include "sandbox/coupon.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/expand.h"
#include "sandbox/invoice.h"
#include "sandbox/invoice_payment.h"
#include "sandbox/meter.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/refund.h"
#include "sandbox/schedule.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/tax_id.h"
#include "sandbox/test_clock.h"
#include "sandbox/webhook_endpoint.h"

struct renderer {
    const char *type;
    void (*members)(struct render *render, const struct object *object);
};

static const struct renderer renderers[KIND_COUNT] = {
    [KIND_ACCOUNT] = {"account", account_render},
    [KIND_CUSTOMER] = {"customer", customer_render},
    [KIND_PAYMENT_METHOD] = {"payment_method", payment_method_render},
    [KIND_TAX_ID] = {"tax_id", tax_id_render},
    [KIND_PRODUCT] = {"product", product_render},
    [KIND_PRICE] = {"price", price_render},
    [KIND_COUPON] = {"coupon", coupon_render},
    [KIND_METER] = {"billing.meter", meter_render},
    [KIND_SUBSCRIPTION] = {"subscription", subscription_render},
    [KIND_SCHEDULE] = {"subscription_schedule", schedule_render},
    [KIND_INVOICE] = {"invoice", invoice_render},
    [KIND_INVOICE_PAYMENT] = {"invoice_payment", invoice_payment_render},
    [KIND_PAYMENT_INTENT] = {"payment_intent", payment_intent_render},
    [KIND_CHARGE] = {"charge", charge_render},
    [KIND_REFUND] = {"refund", refund_render},
    [KIND_EVENT] = {"event", event_render},
    [KIND_WEBHOOK_ENDPOINT] = {"webhook_endpoint", webhook_endpoint_render},
    [KIND_TEST_CLOCK] = {"test_helpers.test_clock", test_clock_render},
};

void render_begin(
    struct render *render, struct sim *sim, struct buf *buf, const struct expand *expand)
{
    *render = (struct render){.sim = sim, .expand = expand};
    json_begin(&render->writer, buf);
}

const char *render_type(enum object_kind kind)
{
    return renderers[kind].type;
}

void render_object(struct render *render, const char *name, const void *thing)
{
    const struct object *object = thing;
    struct json_writer *w = &render->writer;

    json_open_object(w, name);
    json_put_text(w, "id", object->id);
    json_put_text(w, "object", renderers[object->kind].type);
    if (object->deleted) {
        json_put_bool(w, "deleted", true);
    } else {
        renderers[object->kind].members(render, object);
    }
    json_close_object(w);
}

void render_ref(struct render *render, const char *name, const void *thing)
{
    const struct object *object = thing;

    if (object == NULL) {
        json_put_null(&render->writer, name);
    } else if (render_wants(render, name)) {
        render_enter(render, name);
        render_object(render, name, object);
        render_leave(render);
    } else {
        json_put_text(&render->writer, name, object->id);
    }
}

void render_enter(struct render *render, const char *name)
{
    const size_t len = strlen(name);
    const size_t dot = render->path_len > 0 ? 1 : 0;

    if (render->path_len + dot + len < sizeof render->path) {
        render->path[render->path_len] = '.';
        memcpy(render->path + render->path_len + dot, name, len + 1);
        render->path_len += dot + len;
    }
}

void render_leave(struct render *render)
{
    const char *dot = strrchr(render->path, '.');

    render->path_len = dot == NULL ? 0 : (size_t)(dot - render->path);
    render->path[render->path_len] = '\0';
}

bool render_wants(const struct render *render, const char *name)
{
    struct render deeper = {.path_len = render->path_len};

    if (render->expand == NULL || render->expand->count == 0) {
        return false;
    }
    memcpy(deeper.path, render->path, render->path_len + 1);
    render_enter(&deeper, name);
    return expand_wants(render->expand, deeper.path);
}

void render_list_open(struct render *render, const char *name)
{
    json_open_object(&render->writer, name);
    json_put_text(&render->writer, "object", "list");
    json_open_array(&render->writer, "data");
    if (name != NULL) {
        render_enter(render, name);
    }
    render_enter(render, "data");
}

void render_list_close(struct render *render, bool has_more, const char *url)
{
    render_leave(render);
    if (render->path_len > 0) {
        render_leave(render);
    }
    json_close_array(&render->writer);
    json_put_bool(&render->writer, "has_more", has_more);
    json_put_text(&render->writer, "url", url);
    json_close_object(&render->writer);
}

/* Calls put for each blank-separated name. */
static void
each_name(struct render *render, const char *names, void (*put)(struct json_writer *, const char *))
{
    while (*names != '\0') {
        const size_t len = strcspn(names, " ");
        char name[64];

        if (len > 0 && len < sizeof name) {
            memcpy(name, names, len);
            name[len] = '\0';
            put(&render->writer, name);
        }
        names += len + (names[len] == ' ');
    }
}

static void put_zero(struct json_writer *w, const char *name)
{
    json_put_i64(w, name, 0);
}

static void put_empty_array(struct json_writer *w, const char *name)
{
    json_open_array(w, name);
    json_close_array(w);
}

static void put_element(struct json_writer *w, const char *text)
{
    json_put_text(w, NULL, text);
}

void render_nulls(struct render *render, const char *names)
{
    each_name(render, names, json_put_null);
}

void render_zeros(struct render *render, const char *names)
{
    each_name(render, names, put_zero);
}

void render_empty_arrays(struct render *render, const char *names)
{
    each_name(render, names, put_empty_array);
}

void render_text_if(struct render *render, const char *name, const char *text)
{
    if (text != NULL) {
        json_put_text(&render->writer, name, text);
    }
}

void render_i64_or_null(struct render *render, const char *name, int64_t value)
{
    if (value == 0) {
        json_put_null(&render->writer, name);
    } else {
        json_put_i64(&render->writer, name, value);
    }
}

void render_texts(struct render *render, const char *name, const char *names)
{
    json_open_array(&render->writer, name);
    each_name(render, names, put_element);
    json_close_array(&render->writer);
}

void render_no_address(struct render *render, const char *name)
{
    json_open_object(&render->writer, name);
    render_nulls(render, "city country line1 line2 postal_code state");
    json_close_object(&render->writer);
}
