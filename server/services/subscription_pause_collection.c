#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/subscription_pause.h"
#include "services/subscription_verb.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_subscription_pause.h"

#define INVOICES_MAX 100

static struct stripe_subscription_target
target_of(struct ctx *cx, const struct subscription_verb_work *work)
{
    return (struct stripe_subscription_target){
        .account_id = work->account_id,
        .subscription_id = work->stripe_id,
        .idempotency_key = subscription_verb_key(cx, work, "collection"),
    };
}

static void put_pause(struct json_writer *writer, const void *user)
{
    const struct subscription_pause *pause = user;

    json_put_text(writer, "behavior", pause->behavior);
    json_put_i64(writer, "resume_us", pause->resume_us);
}

static struct status
is_paused(struct ctx *cx, const struct subscription *row, const void *user, bool *ret_nothing)
{
    const struct subscription_pause *pause = user;

    (void)cx;
    *ret_nothing = strcmp(row->collection_pause, pause->behavior) == 0 &&
                   row->collection_resume_us == pause->resume_us;
    return STATUS_OK;
}

static struct status
is_collected(struct ctx *cx, const struct subscription *row, const void *user, bool *ret_nothing)
{
    (void)cx;
    (void)user;
    *ret_nothing = !row->collection_paused;
    return STATUS_OK;
}

struct status subscriptions_pause_collection(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_pause *pause,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_PAUSE_COLLECTION,
        .subscription_id = pause->subscription_id,
        .etag = pause->etag,
        .drive = subscriptions_pause_collection_drive,
        .user = pause,
        .look = is_paused,
        .put = put_pause,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

struct status subscriptions_resume_collection(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_resume *resume,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_RESUME_COLLECTION,
        .subscription_id = resume->subscription_id,
        .etag = resume->etag,
        .drive = subscriptions_resume_collection_drive,
        .look = is_collected,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

static struct status pause_there(struct ctx *cx, struct subscription_verb_work *work)
{
    const struct stripe_subscription_target target = target_of(cx, work);

    return stripe_subscription_pause_collection(
        cx,
        work->client,
        &target,
        json_text(cx, work->arguments, "behavior"),
        json_i64(work->arguments, "resume_us"),
        &work->now);
}

static struct status
collect_draft(struct ctx *cx, struct subscription_verb_work *work, const char *invoice_id)
{
    const char *step = arena_printf(cx->arena, "collect:%s", invoice_id);

    return stripe_subscription_collect_draft(
        cx, work->client, work->account_id, invoice_id, subscription_verb_key(cx, work, step));
}

/* Drafts do not move by themselves after a pause. Those of an UNPAID subscription wait for its
 * renewal. */
static struct status collect_drafts(struct ctx *cx, struct subscription_verb_work *work)
{
    struct payment_invoice_page page;
    struct status status = STATUS_OK;

    TRY(stripe_invoice_list(
        cx, work->client, work->account_id, work->stripe_id, "", INVOICES_MAX, &page));
    for (size_t i = 0; i < page.count && status.code == CODE_OK; i++) {
        if (page.invoices[i].status == INVOICE_DRAFT) {
            status = collect_draft(cx, work, page.invoices[i].id);
        }
    }
    return status;
}

static struct status resume_there(struct ctx *cx, struct subscription_verb_work *work)
{
    const struct stripe_subscription_target target = target_of(cx, work);

    TRY(stripe_subscription_resume_collection(cx, work->client, &target, &work->now));
    return work->now.status == SUBSCRIPTION_UNPAID ? STATUS_OK : collect_drafts(cx, work);
}

struct status subscriptions_pause_collection_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = pause_there};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}

struct status subscriptions_resume_collection_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = resume_there};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}
