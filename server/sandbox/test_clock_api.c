#include "sandbox/test_clock_api.h"

#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/due.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/test_clock.h"

/* "At most two intervals from the shortest subscription, or two years when there is none." */
#define YEAR_S (INT64_C(366) * 86400)

static const struct param create_params[] = {
    {"frozen_time", PARAM_INT, PARAM_REQUIRED, NULL},
    {"name", PARAM_TEXT, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool clock_create(struct call *call)
{
    struct test_clock *clock =
        object_new(call->sim, call->account, KIND_TEST_CLOCK, sizeof *clock, NULL);

    clock->frozen_s = call_i64(call, "frozen_time", 0);
    call_update_text(call, "name", &clock->name);
    event_emit(call->sim, "test_helpers.test_clock.created", clock, NULL);
    return call_reply(call, clock);
}

static bool clock_retrieve(struct call *call)
{
    struct test_clock *clock = NULL;

    return call_find_path(call, KIND_TEST_CLOCK, &clock) && call_reply(call, clock);
}

static const struct param list_params[] = {PARAMS_LIST, PARAM_END};

static bool clock_list(struct call *call)
{
    return list_reply(call, KIND_TEST_CLOCK, NULL);
}

static int64_t farthest(const struct call *call, const struct test_clock *clock)
{
    const struct object_list *list = &call->account->lists[KIND_SUBSCRIPTION];
    int64_t limit_s = clock->frozen_s + 2 * YEAR_S;

    for (size_t i = 0; i < list->count; i++) {
        const struct subscription *subscription = (const struct subscription *)list->items[i];

        for (size_t k = 0; subscription->customer->test_clock == clock &&
                           subscription_is_live(subscription) && k < subscription->item_count;
             k++) {
            const int64_t end_s =
                calendar_step(clock->frozen_s, subscription->items[k].price->interval, 2);

            limit_s = end_s < limit_s ? end_s : limit_s;
        }
    }
    return limit_s;
}

static const struct param advance_params[] = {
    {"frozen_time", PARAM_INT, PARAM_REQUIRED, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

/* The provider answers while it advances; here the work is done before the answer, which a client
 * that polls for "ready" cannot tell apart. */
static bool clock_advance(struct call *call)
{
    const int64_t target_s = call_i64(call, "frozen_time", 0);
    struct test_clock *clock = NULL;

    if (!call_find_path(call, KIND_TEST_CLOCK, &clock)) {
        return false;
    }
    if (target_s <= clock->frozen_s || target_s > farthest(call, clock)) {
        return call_fail(
            call,
            400,
            NULL,
            "frozen_time",
            "A test clock can only be advanced, and at most two intervals from the shortest "
            "subscription (or two years).");
    }
    event_emit(call->sim, "test_helpers.test_clock.advancing", clock, NULL);
    due_advance_clock(call->sim, clock, target_s);
    event_emit(call->sim, "test_helpers.test_clock.ready", clock, NULL);
    return call_reply(call, clock);
}

/* Its customers go with it. */
static bool clock_delete(struct call *call)
{
    const struct object_list *customers = &call->account->lists[KIND_CUSTOMER];
    struct test_clock *clock = NULL;

    if (!call_find_path(call, KIND_TEST_CLOCK, &clock)) {
        return false;
    }
    for (size_t i = 0; i < customers->count; i++) {
        struct customer *customer = (struct customer *)customers->items[i];

        if (customer->test_clock == clock) {
            customer->object.deleted = true;
        }
    }
    event_emit(call->sim, "test_helpers.test_clock.deleted", clock, NULL);
    clock->object.deleted = true;
    return call_reply(call, clock);
}

const struct endpoint test_clock_api[] = {
    {"POST", "/v1/test_helpers/test_clocks", clock_create, create_params, KIND_TEST_CLOCK, 0},
    {"GET",
     "/v1/test_helpers/test_clocks",
     clock_list,
     list_params,
     KIND_TEST_CLOCK,
     ENDPOINT_LIST},
    {"GET", "/v1/test_helpers/test_clocks/{}", clock_retrieve, NULL, KIND_TEST_CLOCK, 0},
    {"POST",
     "/v1/test_helpers/test_clocks/{}/advance",
     clock_advance,
     advance_params,
     KIND_TEST_CLOCK,
     0},
    {"DELETE", "/v1/test_helpers/test_clocks/{}", clock_delete, NULL, KIND_TEST_CLOCK, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
