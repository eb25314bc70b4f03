#include "services/payment_method_mirror.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"
#include "store/customer_mirror_store.h"
#include "store/db.h"
#include "store/event_log.h"
#include "store/payment_method_store.h"
#include "store/subscriber_store.h"

#define SNAPSHOT_BYTES_MAX ((size_t)4 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

const char *payment_method_snapshot_write(struct ctx *cx, const struct payment_method *method)
{
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, SNAPSHOT_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "payment_method_id", method->payment_method_id);
    json_put_text(&w, "customer_id", id_text(cx->arena, ID_CUSTOMER, &method->customer_id));
    json_put_text(&w, "kind", payment_method_kind_name(method->kind));
    json_put_text(&w, "brand", method->brand);
    json_put_text(&w, "last4", method->last4);
    json_put_i64(&w, "expire_month", method->expire_month);
    json_put_i64(&w, "expire_year", method->expire_year);
    json_put_bool(&w, "is_default", method->is_default);
    json_put_bool(&w, "detached", method->detached);
    json_put_i64(&w, "created_us", method->created_us);
    json_close_object(&w);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

struct status payment_method_snapshot_read(
    struct ctx *cx, const char *snapshot, struct payment_method *ret_method)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, snapshot, strlen(snapshot), &json));
    root = json_root(json);
    *ret_method = (struct payment_method){
        .payment_method_id = json_text(cx, root, "payment_method_id"),
        .kind = payment_method_kind_parse(json_text(cx, root, "kind")),
        .brand = json_text(cx, root, "brand"),
        .last4 = json_text(cx, root, "last4"),
        .expire_month = (int32_t)json_i64(root, "expire_month"),
        .expire_year = (int32_t)json_i64(root, "expire_year"),
        .is_default = json_bool(root, "is_default"),
        .detached = json_bool(root, "detached"),
        .created_us = json_i64(root, "created_us"),
    };
    return id_parse(ID_CUSTOMER, json_text(cx, root, "customer_id"), &ret_method->customer_id)
               ? STATUS_OK
               : status_fail(cx, REASON_INTERNAL, "the snapshot of a payment method is broken");
}

struct status payment_method_tell(
    struct ctx *cx, struct tx *tx, enum event_type type, const struct payment_method *method)
{
    const struct event event = {
        .type = type,
        .customer_id = method->customer_id,
        .payload = payment_method_snapshot_write(cx, method),
    };

    return event_log_add(cx, tx, &event);
}

static struct status
detach(struct ctx *cx, struct tx *tx, const char *payment_method_id, int64_t fetch_number)
{
    struct payment_method method;
    bool detached = false;

    TRY(payment_method_store_detach(cx, tx, payment_method_id, fetch_number, &detached));
    if (!detached) {
        return STATUS_OK;
    }
    TRY(payment_method_store_lock(cx, tx, payment_method_id, &method));
    TRY(customer_mirror_store_drop_default(cx, tx, &method.customer_id, payment_method_id));
    return payment_method_tell(cx, tx, EVENT_PAYMENT_METHOD_DETACHED, &method);
}

static struct status attach(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_instrument *instrument,
    const struct id *customer_id,
    int64_t fetch_number)
{
    const struct payment_method read = {
        .payment_method_id = instrument->id,
        .customer_id = *customer_id,
        .kind = payment_method_kind_of_payment(instrument->type_text),
        .brand = instrument->brand,
        .last4 = instrument->last4,
        .expire_month = (int32_t)instrument->expire_month,
        .expire_year = (int32_t)instrument->expire_year,
        .created_us = instrument->created_us,
    };
    struct payment_method method;
    bool attached = false;

    TRY(payment_method_store_write(cx, tx, &read, fetch_number, &attached));
    if (!attached) {
        return STATUS_OK;
    }
    TRY(payment_method_store_lock(cx, tx, instrument->id, &method));
    return payment_method_tell(cx, tx, EVENT_PAYMENT_METHOD_ATTACHED, &method);
}

struct status payment_method_apply(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_instrument *instrument,
    int64_t fetch_number,
    struct payment_method *ret_method)
{
    struct id customer_id = {{0}};
    struct status status;

    if (instrument->customer_id[0] != '\0') {
        TRY(subscriber_store_find_stripe(cx, tx, instrument->customer_id, &customer_id));
    }
    TRY(id_is_zero(&customer_id) ? detach(cx, tx, instrument->id, fetch_number)
                                 : attach(cx, tx, instrument, &customer_id, fetch_number));
    if (ret_method == NULL) {
        return STATUS_OK;
    }
    status = payment_method_store_lock(cx, tx, instrument->id, ret_method);
    if (status_reason(status) == REASON_PAYMENT_METHOD_NOT_FOUND) {
        *ret_method = (struct payment_method){.payment_method_id = ""};
        return STATUS_OK;
    }
    return status;
}
