#include <string.h>

#include "base/ctx.h"
#include "services/subscription_verb.h"
#include "services/subscriptions.h"
#include "stripe/stripe_schedule.h"
#include "stripe/stripe_subscription.h"

/* What is to be done at the payment side, as it stands in the arguments of the intent. */
#define VERB_CANCEL_NOW "cancel_now"
#define VERB_CANCEL_AT_PERIOD_END "cancel_at_period_end"
#define VERB_KEEP "keep"

static struct status
is_so(struct ctx *cx, const struct subscription *row, const void *user, bool *ret_nothing)
{
    const struct subscription_end *end = user;

    (void)cx;
    *ret_nothing = end->at_period_end && row->cancel_at_period_end;
    return STATUS_OK;
}

static struct status
is_kept(struct ctx *cx, const struct subscription *row, const void *user, bool *ret_nothing)
{
    (void)cx;
    (void)user;
    *ret_nothing = !row->cancel_at_period_end && row->cancel_at_us == 0;
    return STATUS_OK;
}

static void put_end(struct json_writer *writer, const void *user)
{
    const struct subscription_end *end = user;

    json_put_text(writer, "verb", end->at_period_end ? VERB_CANCEL_AT_PERIOD_END : VERB_CANCEL_NOW);
    json_put_bool(writer, "credit", end->credit);
    json_put_bool(writer, "invoice_usage", end->invoice_usage);
    json_put_text(writer, "feedback", end->feedback);
    json_put_text(writer, "comment", end->comment);
}

static void put_keep(struct json_writer *writer, const void *user)
{
    (void)user;
    json_put_text(writer, "verb", VERB_KEEP);
}

struct status subscriptions_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_end *end,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = end->at_period_end ? SUBSCRIPTION_OPERATION_CANCEL_LATER
                                        : SUBSCRIPTION_OPERATION_CANCEL_NOW,
        .subscription_id = end->subscription_id,
        .etag = end->etag,
        .drive = subscriptions_cancel_drive,
        .user = end,
        .look = is_so,
        .put = put_end,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

struct status subscriptions_undo_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_end *end,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_UNDO_CANCEL,
        .subscription_id = end->subscription_id,
        .etag = end->etag,
        .drive = subscriptions_cancel_drive,
        .look = is_kept,
        .put = put_keep,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

/* Whatever waits for the end of the period is told by a schedule, which would keep the payment side
 * from ending the subscription then. */
static struct status release_schedule(struct ctx *cx, struct subscription_verb_work *work)
{
    struct payment_subscription there;

    TRY(stripe_subscription_retrieve(cx, work->client, work->account_id, work->stripe_id, &there));
    return there.schedule_id[0] == '\0' ? STATUS_OK
                                        : stripe_schedule_release(
                                              cx,
                                              work->client,
                                              work->account_id,
                                              there.schedule_id,
                                              subscription_verb_key(cx, work, "release"));
}

static struct status end_there(struct ctx *cx, struct subscription_verb_work *work)
{
    const char *verb = json_text(cx, work->arguments, "verb");
    const char *key = subscription_verb_key(cx, work, "end");
    const bool credit = json_bool(work->arguments, "credit");
    const struct stripe_subscription_end end = {
        /* A credit that is not invoiced would wait for an invoice that never comes. */
        .invoice_now = credit || json_bool(work->arguments, "invoice_usage"),
        .prorate = credit,
        .feedback = json_text(cx, work->arguments, "feedback"),
        .comment = json_text(cx, work->arguments, "comment")};

    if (strcmp(verb, VERB_KEEP) == 0) {
        return stripe_subscription_keep(
            cx, work->client, work->account_id, work->stripe_id, key, &work->now);
    }
    if (strcmp(verb, VERB_CANCEL_AT_PERIOD_END) == 0) {
        TRY(release_schedule(cx, work));
    }
    return strcmp(verb, VERB_CANCEL_NOW) == 0
               ? stripe_subscription_cancel(
                     cx, work->client, work->account_id, work->stripe_id, &end, &work->now)
               : stripe_subscription_cancel_at_period_end(
                     cx, work->client, work->account_id, work->stripe_id, &end, key, &work->now);
}

struct status subscriptions_cancel_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = end_there};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}
