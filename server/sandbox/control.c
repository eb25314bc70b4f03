#include "sandbox/control.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/due.h"
#include "sandbox/event.h"
#include "sandbox/fault.h"
#include "sandbox/invoice.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/request_log.h"
#include "sandbox/schedule.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_cycle.h"
#include "sandbox/webhook_endpoint.h"
#include "sandbox/webhook_out.h"

/* The longest jump of the global clock: ten years. */
#define ADVANCE_S_MAX (INT64_C(3660) * 86400)

static bool show_page(struct call *call)
{
    buf_text(
        &call->body,
        "{\"name\":\"billingos-sandbox\",\"notice\":\"" SIM_BANNER
        "\",\"api_version\":\"" SIM_API_VERSION "\",\"livemode\":false,\"state\":\"/_sim/state\","
        "\"requests\":\"/_sim/requests\"}");
    call->status = 200;
    return true;
}

static bool show_requests(struct call *call)
{
    request_log_render(call->sim->request_log, &call->body);
    call->status = 200;
    return true;
}

static size_t count_live(const struct object_list *list)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        count += !list->items[i]->deleted;
    }
    return count;
}

static void put_account(struct json_writer *w, const struct account *account)
{
    const struct object_list *subscriptions = &account->lists[KIND_SUBSCRIPTION];
    int64_t by_status[SUBSCRIPTION_CANCELED + 1] = {0};

    json_open_object(w, account->object.id);
    for (int kind = KIND_CUSTOMER; kind < KIND_COUNT; kind++) {
        json_put_i64(
            w, object_plural((enum object_kind)kind), (int64_t)count_live(&account->lists[kind]));
    }
    for (size_t i = 0; i < subscriptions->count; i++) {
        by_status[((const struct subscription *)subscriptions->items[i])->status]++;
    }
    json_open_object(w, "subscriptions_by_status");
    for (int status = 0; status <= SUBSCRIPTION_CANCELED; status++) {
        json_put_i64(
            w, subscription_status_word((enum subscription_status)status), by_status[status]);
    }
    json_close_object(w);
    json_close_object(w);
}

static bool show_state(struct call *call)
{
    const struct sim *sim = call->sim;
    const struct object_list *accounts = &sim->platform->lists[KIND_ACCOUNT];
    struct json_writer w;

    json_begin(&w, &call->body);
    json_open_object(&w, NULL);
    json_put_i64(&w, "now", sim->now_s);
    json_put_i64(&w, "clock_offset", sim->offset_s);
    json_put_i64(&w, "requests", request_log_total(sim->request_log));
    json_put_i64(&w, "webhooks_waiting", webhook_out_waiting(sim->webhooks));
    json_put_i64(&w, "memory_bytes", (int64_t)sim->memory.used_bytes);
    json_put_text(&w, "platform", sim->platform->object.id);
    json_open_object(&w, "accounts");
    put_account(&w, sim->platform);
    for (size_t i = 0; i < accounts->count; i++) {
        put_account(&w, (const struct account *)accounts->items[i]);
    }
    json_close_object(&w);
    json_close_object(&w);
    call->status = 200;
    return true;
}

/* The account whose id is in the path; deauthorized ones can be found here. */
static bool find_account(struct call *call, struct account **ret_account)
{
    struct sim *sim = call->sim;

    *ret_account = strcmp(call->ids[0], sim->platform->object.id) == 0
                       ? sim->platform
                       : object_find(sim, sim->platform, KIND_ACCOUNT, call->ids[0]);
    return *ret_account != NULL || call_fail_missing(call, KIND_ACCOUNT, call->ids[0], "id");
}

static bool find_object(struct call *call, enum object_kind kind, void *ret_object)
{
    struct account *account = NULL;
    struct object *object = NULL;

    if (!find_account(call, &account)) {
        return false;
    }
    object = object_find(call->sim, account, kind, call->ids[1]);
    *(struct object **)ret_object = object;
    return object != NULL || call_fail_missing(call, kind, call->ids[1], "id");
}

static bool change_account(struct call *call, enum account_state state)
{
    struct account *account = NULL;

    if (!find_account(call, &account)) {
        return false;
    }
    account_change_state(call->sim, account, state);
    return call_reply(call, account);
}

static bool onboard(struct call *call)
{
    struct account *account = NULL;

    if (!find_account(call, &account)) {
        return false;
    }
    account->card_payments_requested = true;
    return change_account(call, ACCOUNT_ENABLED);
}

static bool submit(struct call *call)
{
    return change_account(call, ACCOUNT_PENDING);
}

static bool restrict_account(struct call *call)
{
    return change_account(call, ACCOUNT_RESTRICTED);
}

static bool reject(struct call *call)
{
    return change_account(call, ACCOUNT_REJECTED);
}

static bool deauthorize(struct call *call)
{
    struct account *account = NULL;

    if (!find_account(call, &account)) {
        return false;
    }
    account_deauthorize(call->sim, account);
    return call_reply(call, account);
}

/* {"retry_after_days":[3,5,7],"end":"cancel|unpaid|leave|pause"} */
static bool set_dunning(struct call *call)
{
    static const char *const ends[] = {"cancel", "unpaid", "leave", "pause"};
    const json_value days = json_get(call->json, "retry_after_days");
    const char *end = json_text(call->cx, call->json, "end");
    struct account *account = NULL;

    if (!find_account(call, &account)) {
        return false;
    }
    if (json_len(days) > DUNNING_RETRIES_MAX) {
        return call_fail(
            call, 400, NULL, "retry_after_days", "At most %d retries.", DUNNING_RETRIES_MAX);
    }
    if (!json_is_null(days)) {
        account->retry_count = (int)json_len(days);
    }
    for (size_t i = 0; i < json_len(days); i++) {
        char path[24];

        snprintf(path, sizeof path, "%zu", i);
        account->retry_after_s[i] = json_i64(days, path) * 86400;
    }
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (strcmp(ends[i], end) == 0) {
            account->dunning_end = (enum dunning_end)i;
        }
    }
    return call_reply(call, account);
}

/* {"decline":"insufficient_funds"} or {"decline":null}. A customer without a card gets one. */
static bool set_payment_method(struct call *call)
{
    struct customer *customer = NULL;

    if (!find_object(call, KIND_CUSTOMER, &customer)) {
        return false;
    }
    customer->forced_decline =
        json_is_null(json_get(call->json, "decline"))
            ? NULL
            : sim_text(call->sim, json_text(call->cx, call->json, "decline"));
    if (customer->default_payment_method == NULL) {
        const char *before = event_snapshot(call->sim, customer);
        struct payment_method *method = NULL;

        call->account = customer->object.owner;
        if (!payment_method_prepare(call, "pm_card_visa", "id", &method)) {
            return false;
        }
        payment_method_attach(call->sim, method, customer);
        customer->default_payment_method = method;
        event_emit(call->sim, "customer.updated", customer, before);
    }
    return call_reply(call, customer);
}

/* The current period is over now, and so is the hour of the draft. */
static bool renew(struct call *call)
{
    struct subscription *subscription = NULL;
    int64_t now_s = 0;

    if (!find_object(call, KIND_SUBSCRIPTION, &subscription)) {
        return false;
    }
    if (!subscription_is_live(subscription) || subscription->status == SUBSCRIPTION_INCOMPLETE ||
        subscription->status == SUBSCRIPTION_PAUSED) {
        return call_fail(
            call,
            400,
            "status_transition_invalid",
            NULL,
            "A subscription that is %s does not renew.",
            subscription_status_word(subscription->status));
    }
    now_s = customer_now_s(call->sim, subscription->customer);
    subscription->anchor_s = now_s;
    if (subscription->schedule != NULL) {
        schedule_hasten(subscription->schedule, now_s);
    }
    for (size_t i = 0; i < subscription->item_count; i++) {
        subscription->items[i].end_s = now_s;
    }
    if (subscription->status == SUBSCRIPTION_TRIALING) {
        subscription->trial_end_s = now_s;
    }
    if (subscription->cancel_at_period_end) {
        subscription_cycle_cancel(call->sim, subscription, "cancellation_requested");
    } else {
        subscription_cycle_renew(call->sim, subscription, /* immediately= */ true);
    }
    return call_reply(call, subscription);
}

/* {"succeed":true}: what the customer does with the challenge of the bank. */
static bool authenticate(struct call *call)
{
    struct payment_intent *intent = NULL;

    if (!find_object(call, KIND_PAYMENT_INTENT, &intent)) {
        return false;
    }
    if (intent->status != INTENT_REQUIRES_ACTION) {
        return call_fail(
            call, 400, "payment_intent_unexpected_state", NULL, "No authentication is waited for.");
    }
    if (payment_intent_authenticate(call->sim, intent, json_bool(call->json, "succeed"))) {
        invoice_mark_paid(call->sim, intent->invoice, /* out_of_band= */ false);
    } else {
        invoice_mark_failed(call->sim, intent->invoice, ATTEMPT_MANUAL);
    }
    return call_reply(call, intent);
}

/* {"seconds":3600} */
static bool advance(struct call *call)
{
    const int64_t seconds = json_i64(call->json, "seconds");

    if (seconds <= 0 || seconds > ADVANCE_S_MAX) {
        return call_fail(
            call, 400, NULL, "seconds", "seconds must be positive and at most ten years.");
    }
    due_advance(call->sim, seconds);
    return show_state(call);
}

/* {"url":"http://...","secret":"whsec_...","connect":true}; null url: none any more of that kind.
 */
static bool configure_webhooks(struct call *call)
{
    struct sim *sim = call->sim;
    const struct object_list *list = &sim->platform->lists[KIND_WEBHOOK_ENDPOINT];
    const char *url = json_text(call->cx, call->json, "url");
    const char *secret = json_text(call->cx, call->json, "secret");
    const bool connect =
        json_is_null(json_get(call->json, "connect")) || json_bool(call->json, "connect");
    struct webhook_endpoint *endpoint = NULL;

    if (url[0] != '\0' && strncmp(secret, "whsec_", 6) != 0) {
        return call_fail(call, 400, NULL, "secret", "A secret begins with whsec_.");
    }
    for (size_t i = 0; i < list->count; i++) {
        if (((const struct webhook_endpoint *)list->items[i])->connect == connect) {
            list->items[i]->deleted = true;
        }
    }
    if (url[0] != '\0') {
        endpoint = webhook_endpoint_new(sim, sim->platform, /* id= */ NULL, url, secret);
        endpoint->connect = connect;
        endpoint->secret_shown = true;
        return call_reply(call, endpoint);
    }
    return show_page(call);
}

static bool resend(struct call *call)
{
    const struct object_list *accounts = &call->sim->platform->lists[KIND_ACCOUNT];
    struct event *event = object_find(call->sim, call->sim->platform, KIND_EVENT, call->ids[0]);
    struct json_writer w;

    for (size_t i = 0; event == NULL && i < accounts->count; i++) {
        event =
            object_find(call->sim, (struct account *)accounts->items[i], KIND_EVENT, call->ids[0]);
    }
    if (event == NULL) {
        return call_fail_missing(call, KIND_EVENT, call->ids[0], "id");
    }
    json_begin(&w, &call->body);
    json_open_object(&w, NULL);
    json_put_text(&w, "event", event->object.id);
    json_put_i64(&w, "endpoints", event_resend(call->sim, event));
    json_close_object(&w);
    call->status = 200;
    return true;
}

#define CONTROL KIND_NONE, ENDPOINT_CONTROL
#define FLEETING KIND_NONE, ENDPOINT_CONTROL | ENDPOINT_FLEETING

const struct endpoint control_api[] = {
    {"GET", "/", show_page, NULL, CONTROL},
    {"GET", "/_sim", show_page, NULL, CONTROL},
    {"GET", "/_sim/requests", show_requests, NULL, CONTROL},
    {"GET", "/_sim/state", show_state, NULL, CONTROL},
    {"POST", "/_sim/accounts/{}/onboard", onboard, NULL, CONTROL},
    {"POST", "/_sim/accounts/{}/submit", submit, NULL, CONTROL},
    {"POST", "/_sim/accounts/{}/restrict", restrict_account, NULL, CONTROL},
    {"POST", "/_sim/accounts/{}/reject", reject, NULL, CONTROL},
    {"POST", "/_sim/accounts/{}/deauthorize", deauthorize, NULL, CONTROL},
    {"POST", "/_sim/accounts/{}/dunning", set_dunning, NULL, CONTROL},
    {"POST", "/_sim/customers/{}/{}/payment_method", set_payment_method, NULL, CONTROL},
    {"POST", "/_sim/subscriptions/{}/{}/renew", renew, NULL, CONTROL},
    {"POST", "/_sim/payment_intents/{}/{}/authenticate", authenticate, NULL, CONTROL},
    {"POST", "/_sim/clock/advance", advance, NULL, CONTROL},
    {"POST", "/_sim/faults", fault_order, NULL, FLEETING},
    {"GET", "/_sim/faults", fault_show, NULL, CONTROL},
    {"DELETE", "/_sim/faults", fault_clear, NULL, FLEETING},
    {"POST", "/_sim/webhooks/configure", configure_webhooks, NULL, CONTROL},
    {"POST", "/_sim/webhooks/resend/{}", resend, NULL, FLEETING},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
