#include "sandbox/customer_api.h"

#include <ctype.h>
#include <string.h>

#include "base/ctx.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/payment_method.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/subscription_cycle.h"
#include "sandbox/test_clock.h"

#define PARAMS_CUSTOMER                                                                            \
    {"email", PARAM_TEXT, PARAM_UNSET, NULL}, {"name", PARAM_TEXT, PARAM_UNSET, NULL},             \
        {"phone", PARAM_TEXT, PARAM_UNSET, NULL}, {"description", PARAM_TEXT, PARAM_UNSET, NULL},  \
        {"tax_exempt", PARAM_ENUM, PARAM_UNSET, "none|exempt|reverse"},                            \
        {"balance", PARAM_INT, 0, NULL}, {"invoice_prefix", PARAM_TEXT, 0, NULL},                  \
        {"invoice_settings[default_payment_method]", PARAM_TEXT, PARAM_UNSET, NULL},               \
        {"preferred_locales", PARAM_UNSUPPORTED, 0, NULL}, {"source", PARAM_UNSUPPORTED, 0, NULL}, \
        {"shipping", PARAM_UNSUPPORTED, 0, NULL}, {"tax", PARAM_UNSUPPORTED, 0, NULL},             \
        {"tax_id_data", PARAM_UNSUPPORTED, 0, NULL}, {"cash_balance", PARAM_UNSUPPORTED, 0, NULL}, \
        PARAMS_ADDRESS("address"), PARAMS_METADATA, PARAMS_EXPAND

static const struct param create_params[] = {
    {"payment_method", PARAM_TEXT, 0, NULL},
    {"test_clock", PARAM_TEXT, 0, NULL},
    PARAMS_CUSTOMER,
    PARAM_END,
};

static const struct param update_params[] = {PARAMS_CUSTOMER, PARAM_END};

static const struct param list_params[] = {
    {"email", PARAM_TEXT, 0, NULL},
    {"test_clock", PARAM_TEXT, 0, NULL},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static void update_address(struct call *call, struct customer *customer)
{
    static const char *const keys[ADDRESS_PARTS] = {
        "address[city]",
        "address[country]",
        "address[line1]",
        "address[line2]",
        "address[postal_code]",
        "address[state]",
    };

    if (form_has(&call->form, "address")) {
        customer->has_address = call_text(call, "address") == NULL;
    }
    for (size_t i = 0; i < ADDRESS_PARTS; i++) {
        call_update_text(call, keys[i], &customer->address[i]);
    }
}

static void update(struct call *call, struct customer *customer)
{
    call_update_text(call, "email", &customer->email);
    call_update_text(call, "name", &customer->name);
    call_update_text(call, "phone", &customer->phone);
    call_update_text(call, "description", &customer->description);
    call_update_text(call, "tax_exempt", &customer->tax_exempt);
    call_update_text(call, "invoice_prefix", &customer->invoice_prefix);
    customer->balance = call_i64(call, "balance", customer->balance);
    update_address(call, customer);
    metadata_update(call, &customer->metadata, "metadata");
}

static bool check_email(struct call *call)
{
    const char *email = call_text(call, "email");

    return email == NULL || email[0] == '\0' || strchr(email, '@') != NULL ||
           call_fail(call, 400, "email_invalid", "email", "Invalid email address: %s", email);
}

static void draw_invoice_prefix(struct sim *sim, struct customer *customer)
{
    char prefix[9];
    uint64_t bits = sim_random(sim);

    for (size_t i = 0; i < 8; i++) {
        prefix[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[bits % 36];
        bits /= 36;
    }
    prefix[8] = '\0';
    customer->invoice_prefix = sim_text(sim, prefix);
}

static bool customer_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    const char *card = call_text(call, "payment_method");
    const char *default_card = call_text(call, "invoice_settings[default_payment_method]");
    struct test_clock *clock = NULL;
    struct payment_method *method = NULL;
    struct customer *customer = NULL;

    if (!check_email(call) || !metadata_check(call, &none, "metadata") ||
        !call_find(call, KIND_TEST_CLOCK, "test_clock", &clock)) {
        return false;
    }
    if (card != NULL && !payment_method_prepare(call, card, "payment_method", &method)) {
        return false;
    }
    if (default_card != NULL && default_card[0] != '\0' &&
        (card == NULL || strcmp(card, default_card) != 0)) {
        return call_fail_missing(
            call, KIND_PAYMENT_METHOD, default_card, "invoice_settings[default_payment_method]");
    }
    customer = object_new(call->sim, call->account, KIND_CUSTOMER, sizeof *customer, NULL);
    customer->tax_exempt = "none";
    draw_invoice_prefix(call->sim, customer);
    customer->test_clock = clock;
    customer->object.created_s = customer_now_s(call->sim, customer);
    update(call, customer);
    if (default_card != NULL && default_card[0] != '\0') {
        customer->default_payment_method = method;
    }
    event_emit(call->sim, "customer.created", customer, NULL);
    if (method != NULL) {
        payment_method_attach(call->sim, method, customer);
    }
    return call_reply(call, customer);
}

static bool customer_retrieve(struct call *call)
{
    struct customer *customer = NULL;

    return call_find_path(call, KIND_CUSTOMER, &customer) && call_reply(call, customer);
}

/* The default must be a card of this customer. */
static bool find_default(struct call *call, struct customer *customer, bool *ret_clear)
{
    const char *param = "invoice_settings[default_payment_method]";
    const char *id = call_text(call, param);
    struct payment_method *method = NULL;

    *ret_clear = id != NULL && id[0] == '\0';
    if (id == NULL || *ret_clear) {
        return true;
    }
    method = payment_method_of(call->sim, customer, id);
    if (method == NULL) {
        return call_fail(
            call,
            400,
            "resource_missing",
            param,
            "No such PaymentMethod: '%s'; It's possible this PaymentMethod exists on one of your "
            "connected accounts, or is not attached to the customer.",
            id);
    }
    customer->default_payment_method = method;
    return true;
}

static bool customer_update(struct call *call)
{
    struct customer *customer = NULL;
    const char *before = NULL;
    bool clear = false;

    if (!call_find_path(call, KIND_CUSTOMER, &customer)) {
        return false;
    }
    if (customer->object.deleted) {
        return call_fail_missing(call, KIND_CUSTOMER, call->ids[0], "id");
    }
    if (!check_email(call) || !metadata_check(call, &customer->metadata, "metadata")) {
        return false;
    }
    before = event_snapshot(call->sim, customer);
    if (!find_default(call, customer, &clear)) {
        return false;
    }
    if (clear) {
        customer->default_payment_method = NULL;
    }
    update(call, customer);
    event_emit(call->sim, "customer.updated", customer, before);
    return call_reply(call, customer);
}

static bool customer_delete(struct call *call)
{
    struct customer *customer = NULL;

    if (!call_find_path(call, KIND_CUSTOMER, &customer)) {
        return false;
    }
    if (!customer->object.deleted) {
        subscription_cycle_cancel_all(call->sim, customer);
        event_emit(call->sim, "customer.deleted", customer, NULL);
        customer->object.deleted = true;
    }
    return call_reply(call, customer);
}

/* Customers of a test clock are hidden unless the clock is named. */
static bool match(const struct call *call, const struct object *object)
{
    const struct customer *customer = (const struct customer *)object;

    if (call_text(call, "test_clock") == NULL && customer->test_clock != NULL) {
        return false;
    }
    return list_text_matches(call, "email", customer->email) &&
           list_ref_matches(call, "test_clock", customer->test_clock) &&
           list_time_matches(call, "created", object->created_s);
}

static bool customer_list(struct call *call)
{
    return list_reply(call, KIND_CUSTOMER, match);
}

const struct endpoint customer_api[] = {
    {"POST", "/v1/customers", customer_create, create_params, KIND_CUSTOMER, 0},
    {"GET", "/v1/customers", customer_list, list_params, KIND_CUSTOMER, ENDPOINT_LIST},
    {"GET", "/v1/customers/{}", customer_retrieve, NULL, KIND_CUSTOMER, 0},
    {"POST", "/v1/customers/{}", customer_update, update_params, KIND_CUSTOMER, 0},
    {"DELETE", "/v1/customers/{}", customer_delete, NULL, KIND_CUSTOMER, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
