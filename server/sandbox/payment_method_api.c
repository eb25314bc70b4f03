#include "sandbox/payment_method_api.h"

#include <string.h>

#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/payment_method.h"
#include "sandbox/sim.h"

static const struct param create_params[] = {
    {"type", PARAM_ENUM, PARAM_REQUIRED, "card"},
    {"card[token]", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"card", PARAM_UNSUPPORTED, 0, NULL},
    {"billing_details[name]", PARAM_TEXT, PARAM_UNSET, NULL},
    {"billing_details[email]", PARAM_TEXT, PARAM_UNSET, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static bool method_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    struct payment_method *method = NULL;

    if (!metadata_check(call, &none, "metadata") ||
        !payment_method_prepare(call, call_text(call, "card[token]"), "card[token]", &method)) {
        return false;
    }
    call_update_text(call, "billing_details[name]", &method->name);
    call_update_text(call, "billing_details[email]", &method->email);
    metadata_update(call, &method->metadata, "metadata");
    return call_reply(call, method);
}

static bool method_retrieve(struct call *call)
{
    struct payment_method *method = NULL;

    return call_find_path(call, KIND_PAYMENT_METHOD, &method) && call_reply(call, method);
}

static const struct param attach_params[] = {
    {"customer", PARAM_TEXT, PARAM_REQUIRED, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool method_attach(struct call *call)
{
    struct payment_method *method = NULL;
    struct customer *customer = NULL;

    if (!call_find(call, KIND_CUSTOMER, "customer", &customer) ||
        !payment_method_prepare(call, call->ids[0], "id", &method)) {
        return false;
    }
    if (method->customer != NULL && method->customer != customer) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "The payment method you provided has already been attached to a customer.");
    }
    payment_method_attach(call->sim, method, customer);
    return call_reply(call, method);
}

static bool method_detach(struct call *call)
{
    struct payment_method *method = NULL;
    const char *before = NULL;

    if (!call_find_path(call, KIND_PAYMENT_METHOD, &method)) {
        return false;
    }
    if (method->customer == NULL) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.");
    }
    before = event_snapshot(call->sim, method);
    if (method->customer->default_payment_method == method) {
        method->customer->default_payment_method = NULL;
    }
    method->customer = NULL;
    event_emit(call->sim, "payment_method.detached", method, before);
    return call_reply(call, method);
}

static const struct param list_params[] = {
    {"customer", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"type", PARAM_ENUM, 0, "card"},
    PARAMS_LIST,
    PARAM_END,
};

static bool match_customer(const struct call *call, const struct object *object)
{
    const struct payment_method *method = (const struct payment_method *)object;

    return method->customer != NULL && list_ref_matches(call, "customer", method->customer);
}

static bool method_list(struct call *call)
{
    return list_reply(call, KIND_PAYMENT_METHOD, match_customer);
}

static const struct param customer_list_params[] = {
    {"type", PARAM_ENUM, 0, "card"},
    {"allow_redisplay", PARAM_ENUM, 0, "always|limited|unspecified"},
    PARAMS_LIST,
    PARAM_END,
};

static bool match_path(const struct call *call, const struct object *object)
{
    const struct payment_method *method = (const struct payment_method *)object;

    return method->customer != NULL && strcmp(method->customer->object.id, call->ids[0]) == 0;
}

static bool customer_method_list(struct call *call)
{
    struct customer *customer = NULL;

    return call_find_path(call, KIND_CUSTOMER, &customer) &&
           list_reply(call, KIND_PAYMENT_METHOD, match_path);
}

const struct endpoint payment_method_api[] = {
    {"POST", "/v1/payment_methods", method_create, create_params, KIND_PAYMENT_METHOD, 0},
    {"GET", "/v1/payment_methods", method_list, list_params, KIND_PAYMENT_METHOD, ENDPOINT_LIST},
    {"GET", "/v1/payment_methods/{}", method_retrieve, NULL, KIND_PAYMENT_METHOD, 0},
    {"POST", "/v1/payment_methods/{}/attach", method_attach, attach_params, KIND_PAYMENT_METHOD, 0},
    {"POST", "/v1/payment_methods/{}/detach", method_detach, NULL, KIND_PAYMENT_METHOD, 0},
    {"GET",
     "/v1/customers/{}/payment_methods",
     customer_method_list,
     customer_list_params,
     KIND_PAYMENT_METHOD,
     ENDPOINT_LIST},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
