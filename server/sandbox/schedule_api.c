#include "sandbox/schedule_api.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/schedule.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"

static const struct param create_params[] = {
    {"from_subscription", PARAM_TEXT, 0, NULL},
    {"customer", PARAM_UNSUPPORTED, 0, NULL},
    {"phases", PARAM_UNSUPPORTED, 0, NULL},
    {"start_date", PARAM_UNSUPPORTED, 0, NULL},
    {"end_behavior", PARAM_UNSUPPORTED, 0, NULL},
    {"default_settings", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static bool schedule_create(struct call *call)
{
    struct subscription *subscription = NULL;
    struct schedule *schedule = NULL;
    const char *before = NULL;

    if (!call_find(call, KIND_SUBSCRIPTION, "from_subscription", &subscription)) {
        return false;
    }
    if (subscription == NULL) {
        return call_fail_not_implemented(call, "a schedule without from_subscription");
    }
    if (subscription->schedule != NULL) {
        return call_fail(
            call,
            400,
            NULL,
            "from_subscription",
            "You cannot migrate a subscription that is already attached to a schedule: %s",
            subscription->schedule->object.id);
    }
    if (!subscription_is_live(subscription) || subscription->cancel_at_s > 0) {
        return call_fail(
            call,
            400,
            NULL,
            "from_subscription",
            "You cannot migrate a subscription that is canceled or about to be.");
    }
    before = event_snapshot(call->sim, subscription);
    schedule = schedule_new(call->sim, subscription);
    event_emit(call->sim, "subscription_schedule.created", schedule, NULL);
    event_emit(call->sim, "customer.subscription.updated", subscription, before);
    return call_reply(call, schedule);
}

static const struct param update_params[] = {
    {"phases[*][items][*][price]", PARAM_TEXT, 0, NULL},
    {"phases[*][items][*][quantity]", PARAM_INT, 0, NULL},
    {"phases[*][start_date]", PARAM_INT, 0, NULL},
    {"phases[*][end_date]", PARAM_INT, 0, NULL},
    {"phases[*][duration][interval]", PARAM_ENUM, 0, "day|week|month|year"},
    {"phases[*][duration][interval_count]", PARAM_INT, 0, NULL},
    {"phases[*][proration_behavior]", PARAM_ENUM, 0, "always_invoice|create_prorations|none"},
    {"phases", PARAM_UNSUPPORTED, 0, NULL},
    {"end_behavior", PARAM_ENUM, 0, "release"},
    {"proration_behavior", PARAM_ENUM, 0, "always_invoice|create_prorations|none"},
    {"default_settings", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static bool read_item(struct call *call, const char *prefix, struct phase *phase)
{
    const char *name = arena_printf(call->cx->arena, "%s[price]", prefix);
    struct phase_item item = {NULL, 0};

    if (!call_find(call, KIND_PRICE, name, &item.price)) {
        return false;
    }
    if (item.price == NULL || !item.price->recurring) {
        return call_fail(call, 400, "parameter_missing", name, "Missing required param: %s.", name);
    }
    item.quantity = call_i64(
        call, arena_printf(call->cx->arena, "%s[quantity]", prefix), item.price->metered ? 0 : 1);
    if (phase->item_count == SCHEDULE_ITEMS_MAX) {
        return call_fail(call, 400, NULL, name, "A phase has at most 20 items.");
    }
    phase->items[phase->item_count++] = item;
    return true;
}

static int64_t end_of(const struct call *call, size_t n, int64_t start_s)
{
    struct interval interval = {UNIT_DAY, 1};
    const char *word = form_getf(&call->form, "phases[%zu][duration][interval]", n);
    const int64_t count = call_i64(
        call, arena_printf(call->cx->arena, "phases[%zu][duration][interval_count]", n), 1);

    if (word != NULL && calendar_unit_parse(word, &interval.unit)) {
        return calendar_step(start_s, interval, count);
    }
    return call_i64(call, arena_printf(call->cx->arena, "phases[%zu][end_date]", n), 0);
}

static bool read_phase(struct call *call, size_t n, int64_t start_s, struct phase *phase)
{
    const char *base = arena_printf(call->cx->arena, "phases[%zu]", n);
    const char *items = arena_printf(call->cx->arena, "%s[items]", base);
    const char *behavior = form_getf(&call->form, "phases[%zu][proration_behavior]", n);
    const size_t count = form_len(&call->form, items);

    *phase = (struct phase){
        .start_s = call_i64(call, arena_printf(call->cx->arena, "%s[start_date]", base), start_s),
        .proration_behavior =
            behavior == NULL ? "create_prorations" : sim_text(call->sim, behavior),
    };
    phase->end_s = end_of(call, n, phase->start_s);
    for (size_t i = 0; i < count; i++) {
        if (!read_item(call, arena_printf(call->cx->arena, "%s[%zu]", items, i), phase)) {
            return false;
        }
    }
    if (count == 0) {
        return call_fail(
            call, 400, "parameter_missing", items, "Missing required param: %s.", items);
    }
    return (phase->start_s == start_s && phase->end_s > start_s) ||
           call_fail(
               call,
               400,
               NULL,
               base,
               "The phases must follow each other, and each must end after it starts.");
}

static bool same_items(const struct phase *a, const struct phase *b)
{
    bool same = a->item_count == b->item_count;

    for (size_t i = 0; same && i < a->item_count; i++) {
        same =
            a->items[i].price == b->items[i].price && a->items[i].quantity == b->items[i].quantity;
    }
    return same;
}

static bool read_phases(struct call *call, struct schedule *schedule)
{
    const size_t count = form_len(&call->form, "phases");
    struct phase phases[SCHEDULE_PHASES_MAX];
    int64_t start_s = schedule->phases[schedule->current].start_s;

    if (count > SCHEDULE_PHASES_MAX) {
        return call_fail(call, 400, NULL, "phases", "A schedule has at most 10 phases.");
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_phase(call, i, start_s, &phases[i])) {
            return false;
        }
        start_s = phases[i].end_s;
    }
    if (count > 0 && !same_items(&phases[0], &schedule->phases[schedule->current])) {
        return call_fail_not_implemented(call, "a change of the current phase");
    }
    if (count > 0) {
        memcpy(schedule->phases, phases, count * sizeof *phases);
        schedule->phase_count = count;
        schedule->current = 0;
    }
    return true;
}

static bool find_active(struct call *call, struct schedule **ret_schedule)
{
    return call_find_path(call, KIND_SCHEDULE, ret_schedule) &&
           ((*ret_schedule)->status == SCHEDULE_ACTIVE ||
            call_fail(
                call,
                400,
                NULL,
                NULL,
                "You cannot do this to a subscription schedule that is currently in the `%s` "
                "status.",
                schedule_status_word((*ret_schedule)->status)));
}

static bool schedule_update(struct call *call)
{
    struct schedule *schedule = NULL;
    const char *before = NULL;

    if (!find_active(call, &schedule)) {
        return false;
    }
    before = event_snapshot(call->sim, schedule);
    if (!read_phases(call, schedule)) {
        return false;
    }
    event_emit(call->sim, "subscription_schedule.updated", schedule, before);
    return call_reply(call, schedule);
}

static const struct param release_params[] = {
    {"preserve_cancel_date", PARAM_BOOL, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool release(struct call *call)
{
    struct schedule *schedule = NULL;

    if (!find_active(call, &schedule)) {
        return false;
    }
    schedule_release(call->sim, schedule);
    return call_reply(call, schedule);
}

static bool schedule_retrieve(struct call *call)
{
    struct schedule *schedule = NULL;

    return call_find_path(call, KIND_SCHEDULE, &schedule) && call_reply(call, schedule);
}

static const struct param list_params[] = {
    {"customer", PARAM_TEXT, 0, NULL},
    PARAMS_TIME_FILTER("created"),
    PARAMS_LIST,
    PARAM_END,
};

static bool match(const struct call *call, const struct object *object)
{
    const struct schedule *schedule = (const struct schedule *)object;

    return list_ref_matches(call, "customer", schedule->subscription->customer) &&
           list_time_matches(call, "created", object->created_s);
}

static bool schedule_list(struct call *call)
{
    return list_reply(call, KIND_SCHEDULE, match);
}

const struct endpoint schedule_api[] = {
    {"POST", "/v1/subscription_schedules", schedule_create, create_params, KIND_SCHEDULE, 0},
    {"GET", "/v1/subscription_schedules", schedule_list, list_params, KIND_SCHEDULE, ENDPOINT_LIST},
    {"GET", "/v1/subscription_schedules/{}", schedule_retrieve, NULL, KIND_SCHEDULE, 0},
    {"POST", "/v1/subscription_schedules/{}", schedule_update, update_params, KIND_SCHEDULE, 0},
    {"POST", "/v1/subscription_schedules/{}/release", release, release_params, KIND_SCHEDULE, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
