#include "sandbox/subscription_due.h"

#include <stdbool.h>
#include <string.h>

#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/invoice.h"
#include "sandbox/schedule.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_cycle.h"

/* The customer has 23 hours to pay the first invoice, and hears three days ahead of a trial's end.
 */
#define INCOMPLETE_S (INT64_C(23) * 3600)
#define TRIAL_WILL_END_S (INT64_C(3) * 86400)

static int64_t earlier(int64_t a_s, int64_t b_s)
{
    return b_s > 0 && (a_s == 0 || b_s < a_s) ? b_s : a_s;
}

int64_t subscription_due_s(const struct subscription *subscription)
{
    int64_t due_s = 0;

    if (subscription->object.owner->deauthorized) {
        return 0;
    }
    switch (subscription->status) {
    case SUBSCRIPTION_INCOMPLETE:
        return subscription->start_s + INCOMPLETE_S;
    case SUBSCRIPTION_TRIALING:
        if (!subscription->trial_will_end_told) {
            due_s = subscription->trial_end_s - TRIAL_WILL_END_S;
            due_s = due_s > subscription->start_s ? due_s : subscription->start_s;
        }
        __attribute__((fallthrough));
    case SUBSCRIPTION_ACTIVE:
    case SUBSCRIPTION_PAST_DUE:
    case SUBSCRIPTION_UNPAID:
        due_s = earlier(due_s, subscription_first_end_s(subscription));
        due_s = earlier(due_s, subscription->pause_resumes_s);
        due_s = earlier(due_s, schedule_due_s(subscription));
        __attribute__((fallthrough));
    case SUBSCRIPTION_PAUSED:
        return earlier(due_s, subscription->cancel_at_s);
    case SUBSCRIPTION_INCOMPLETE_EXPIRED:
    case SUBSCRIPTION_CANCELED:
        break;
    }
    return 0;
}

static void expire(struct sim *sim, struct subscription *subscription)
{
    const char *before = event_snapshot(sim, subscription);

    invoice_void(sim, subscription->latest_invoice);
    subscription->status = SUBSCRIPTION_INCOMPLETE_EXPIRED;
    subscription->ended_s = customer_now_s(sim, subscription->customer);
    event_emit(sim, "customer.subscription.updated", subscription, before);
}

bool subscription_due_end_trial(struct sim *sim, struct subscription *subscription)
{
    const char *choice = subscription->trial_without_method;

    if (subscription->status != SUBSCRIPTION_TRIALING || subscription->send_invoice ||
        subscription->default_payment_method != NULL ||
        subscription->customer->default_payment_method != NULL ||
        strcmp(choice, "create_invoice") == 0) {
        return false;
    }
    if (strcmp(choice, "pause") == 0) {
        subscription_cycle_pause(sim, subscription, "trial_end_without_payment_method");
    } else {
        subscription_cycle_cancel(sim, subscription, "payment_failed");
    }
    return true;
}

void subscription_due_act(struct sim *sim, struct subscription *subscription)
{
    const int64_t now_s = customer_now_s(sim, subscription->customer);
    const char *before = event_snapshot(sim, subscription);

    if (subscription->status == SUBSCRIPTION_INCOMPLETE) {
        expire(sim, subscription);
    } else if (subscription->cancel_at_s > 0 && subscription->cancel_at_s <= now_s) {
        subscription_cycle_cancel(sim, subscription, "cancellation_requested");
    } else if (
        subscription->status == SUBSCRIPTION_TRIALING && !subscription->trial_will_end_told) {
        subscription->trial_will_end_told = true;
        event_emit(sim, "customer.subscription.trial_will_end", subscription, NULL);
    } else if (subscription->pause_resumes_s > 0 && subscription->pause_resumes_s <= now_s) {
        subscription->pause_collection = NULL;
        subscription->pause_resumes_s = 0;
        event_emit(sim, "customer.subscription.updated", subscription, before);
    } else if (schedule_due_s(subscription) > 0 && schedule_due_s(subscription) <= now_s) {
        schedule_act(sim, subscription);
    } else if (!subscription_due_end_trial(sim, subscription)) {
        subscription_cycle_renew(sim, subscription, /* immediately= */ false);
    }
}
