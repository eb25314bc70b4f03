#include "services/subscription_trial.h"

#include "base/ctx.h"
#include "base/wallclock.h"
#include "services/subscription_verb.h"
#include "stripe/stripe_subscription_pause.h"

#define TRIAL_US_MAX (730 * US_PER_DAY)

static void put_end(struct json_writer *writer, const void *user)
{
    const struct subscription_trial *trial = user;

    json_put_i64(writer, "end_us", trial->end_us);
}

static struct status
check_end(struct ctx *cx, const struct subscription *row, const void *user, bool *ret_nothing)
{
    const struct subscription_trial *trial = user;

    *ret_nothing = row->trial_end_us == trial->end_us;
    return trial->end_us - row->trial_start_us > TRIAL_US_MAX
               ? status_field(
                     cx, "trial_end_time", "is more than two years after the start of the trial")
               : STATUS_OK;
}

struct status subscriptions_extend_trial(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_trial *trial,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_EXTEND_TRIAL,
        .subscription_id = trial->subscription_id,
        .etag = trial->etag,
        .drive = subscriptions_trial_drive,
        .user = trial,
        .look = check_end,
        .put = put_end,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

struct status subscriptions_end_trial(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_trial *trial,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_END_TRIAL,
        .subscription_id = trial->subscription_id,
        .etag = trial->etag,
        .drive = subscriptions_trial_drive,
        .pays = true,
        .user = trial,
        .put = put_end,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

/* An end that has passed while the call was being tried again is no end: it means now, and the
 * payment side refuses it. */
static struct status move_there(struct ctx *cx, struct subscription_verb_work *work)
{
    const struct stripe_subscription_target target = {
        .account_id = work->account_id,
        .subscription_id = work->stripe_id,
        .idempotency_key = subscription_verb_key(cx, work, "trial"),
    };

    return stripe_subscription_move_trial(
        cx, work->client, &target, json_i64(work->arguments, "end_us"), &work->now);
}

struct status subscriptions_trial_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = move_there};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}
