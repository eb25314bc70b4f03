#include "services/payment_method_request.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define REQUEST_BYTES_MAX ((size_t)64 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

struct str
payment_method_request_write(struct ctx *cx, const struct payment_method_request *request)
{
    const struct customer_there *customer = &request->customer;
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "verb", request->verb);
    json_put_text(&w, "account_id", customer->account_id);
    json_put_text(&w, "org_id", customer->org_id);
    json_put_text(&w, "customer_id", id_text(cx->arena, ID_CUSTOMER, &customer->customer_id));
    json_put_text(&w, "customer_email", customer->email);
    json_put_text(&w, "customer_name", customer->name);
    json_put_text(&w, "payment_method_id", request->payment_method_id);
    json_put_bool(&w, "make_default", request->make_default);
    json_open_array(&w, "subscriptions");
    for (size_t i = 0; i < request->subscription_count; i++) {
        json_put_text(&w, NULL, request->subscriptions[i]);
    }
    json_close_array(&w);
    json_close_object(&w);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

struct status payment_method_request_read(
    struct ctx *cx, struct str text, struct payment_method_request *ret_request)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;
    json_value list = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &json));
    root = json_root(json);
    list = json_get(root, "subscriptions");
    *ret_request = (struct payment_method_request){
        .verb = json_text(cx, root, "verb"),
        .customer =
            {
                .account_id = json_text(cx, root, "account_id"),
                .org_id = json_text(cx, root, "org_id"),
                .email = json_text(cx, root, "customer_email"),
                .name = json_text(cx, root, "customer_name"),
            },
        .payment_method_id = json_text(cx, root, "payment_method_id"),
        .make_default = json_bool(root, "make_default"),
    };
    for (size_t i = 0; i < json_len(list) && i < PAYMENT_METHOD_SUBSCRIPTIONS_MAX; i++) {
        ret_request->subscriptions[ret_request->subscription_count++] =
            json_text(cx, json_item(list, i), "");
    }
    return id_parse(
               ID_CUSTOMER, json_text(cx, root, "customer_id"), &ret_request->customer.customer_id)
               ? STATUS_OK
               : status_fail(cx, REASON_INTERNAL, "the request of the intent names no customer");
}
