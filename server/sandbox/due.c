#include "sandbox/due.h"

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/invoice.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_due.h"
#include "sandbox/test_clock.h"

struct due {
    int64_t at_s; /* 0: nothing */
    struct subscription *subscription;
    struct invoice *invoice;
};

/* The earliest action of one account on this clock (NULL: the global one). Of two at the same time,
 * that of the invoice comes first: a payment may change what the subscription does. */
static void find_in(const struct account *account, const struct test_clock *clock, struct due *due)
{
    const struct object_list *invoices = &account->lists[KIND_INVOICE];
    const struct object_list *subscriptions = &account->lists[KIND_SUBSCRIPTION];

    for (size_t i = 0; i < invoices->count; i++) {
        struct invoice *invoice = (struct invoice *)invoices->items[i];
        const int64_t at_s = invoice_due_s(invoice);

        if (at_s > 0 && invoice->customer->test_clock == clock &&
            (due->at_s == 0 || at_s < due->at_s)) {
            *due = (struct due){.at_s = at_s, .invoice = invoice};
        }
    }
    for (size_t i = 0; i < subscriptions->count; i++) {
        struct subscription *subscription = (struct subscription *)subscriptions->items[i];
        const int64_t at_s = subscription_due_s(subscription);

        if (at_s > 0 && subscription->customer->test_clock == clock &&
            (due->at_s == 0 || at_s < due->at_s)) {
            *due = (struct due){.at_s = at_s, .subscription = subscription};
        }
    }
}

static struct due find(const struct sim *sim, const struct test_clock *clock)
{
    const struct object_list *accounts = &sim->platform->lists[KIND_ACCOUNT];
    struct due due = {.at_s = 0};

    find_in(sim->platform, clock, &due);
    for (size_t i = 0; i < accounts->count; i++) {
        find_in((const struct account *)accounts->items[i], clock, &due);
    }
    return due;
}

static void act(struct sim *sim, const struct due *due)
{
    if (due->invoice != NULL) {
        invoice_act(sim, due->invoice);
    } else {
        subscription_due_act(sim, due->subscription);
    }
}

static bool run_until(struct sim *sim, int64_t target_s)
{
    bool any = false;

    for (;;) {
        const struct due due = find(sim, NULL);

        if (due.at_s == 0 || due.at_s > target_s) {
            break;
        }
        sim->now_s = due.at_s;
        act(sim, &due);
        any = true;
    }
    sim->now_s = target_s;
    return any;
}

bool due_run(struct sim *sim)
{
    return run_until(sim, sim->now_s);
}

void due_advance(struct sim *sim, int64_t seconds)
{
    sim->offset_s += seconds;
    (void)run_until(sim, sim->now_s + seconds);
}

void due_advance_clock(struct sim *sim, struct test_clock *clock, int64_t target_s)
{
    for (;;) {
        const struct due due = find(sim, clock);

        if (due.at_s == 0 || due.at_s > target_s) {
            break;
        }
        if (due.at_s > clock->frozen_s) {
            clock->frozen_s = due.at_s;
        }
        act(sim, &due);
    }
    clock->frozen_s = target_s;
}
