#include "services/subscription_pause.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "services/payment_decline.h"
#include "services/services.h"
#include "services/subscription_verb.h"
#include "store/subscription_pause_store.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_subscription_pause.h"

#define RESUME_MS_MAX 30000
#define DUE_MAX 20

static void put_pause(struct json_writer *writer, const void *user)
{
    const struct subscription_pause *pause = user;

    json_put_bool(writer, "credit", pause->credit);
    json_put_i64(writer, "resume_us", pause->resume_us);
}

static void put_resume(struct json_writer *writer, const void *user)
{
    const struct subscription_resume *resume = user;

    json_put_bool(writer, "new_period", resume->new_period);
}

struct status subscriptions_pause(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_pause *pause,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_PAUSE,
        .subscription_id = pause->subscription_id,
        .etag = pause->etag,
        .drive = subscriptions_pause_drive,
        .user = pause,
        .put = put_pause,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

struct status subscriptions_resume(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_resume *resume,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_RESUME,
        .subscription_id = resume->subscription_id,
        .etag = resume->etag,
        .drive = subscriptions_resume_drive,
        .pays = true,
        .user = resume,
        .put = put_resume,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

static struct stripe_subscription_target
target_of(struct ctx *cx, const struct subscription_verb_work *work, const char *step)
{
    return (struct stripe_subscription_target){
        .account_id = work->account_id,
        .subscription_id = work->stripe_id,
        .idempotency_key = subscription_verb_key(cx, work, step),
    };
}

static struct status pause_there(struct ctx *cx, struct subscription_verb_work *work)
{
    const struct stripe_subscription_target target = target_of(cx, work, "pause");

    return stripe_subscription_pause(
        cx, work->client, &target, json_bool(work->arguments, "credit"), &work->now);
}

static struct status
keep_date(struct ctx *cx, struct tx *tx, const struct subscription_verb_work *work)
{
    return subscription_pause_store_set(
        cx, tx, &work->intent->subject_id, json_i64(work->arguments, "resume_us"));
}

/* An invoice that an earlier resumption left open: paying it resumes, asking again would make
 * another one. */
static struct status
find_open_invoice(struct ctx *cx, struct subscription_verb_work *work, const char **ret_invoice)
{
    struct payment_invoice invoice;

    *ret_invoice = "";
    TRY(subscription_verb_read(cx, work));
    if (work->now.status != SUBSCRIPTION_PAUSED || work->now.latest_invoice_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(stripe_invoice_retrieve(
        cx, work->client, work->account_id, work->now.latest_invoice_id, &invoice));
    if (invoice.status == INVOICE_OPEN &&
        strcmp(invoice.billing_reason, "subscription_update") == 0) {
        *ret_invoice = invoice.id;
    }
    return STATUS_OK;
}

/* Still paused: its first payment did not go through. */
static struct status tell_unpaid(struct ctx *cx, struct subscription_verb_work *work)
{
    const char *subscription = id_text(cx->arena, ID_SUBSCRIPTION, &work->intent->subject_id);
    struct payment_invoice invoice;
    const char *code = NULL;

    TRY(stripe_invoice_retrieve(
        cx, work->client, work->account_id, work->now.latest_invoice_id, &invoice));
    code = invoice.decline_code[0] != '\0' ? invoice.decline_code : invoice.error_code;
    return code[0] != '\0' ? payment_decline_code(cx, code, subscription)
                           : status_pair(
                                 cx,
                                 status_of(cx, REASON_PAYMENT_METHOD_MISSING),
                                 "subscription_id",
                                 subscription);
}

static struct status resume_there(struct ctx *cx, struct subscription_verb_work *work)
{
    const struct stripe_subscription_target target = target_of(cx, work, "resume");
    struct payment_invoice paid;
    const char *open = NULL;

    TRY(find_open_invoice(cx, work, &open));
    if (open[0] != '\0') {
        TRY(stripe_invoice_pay(
            cx,
            work->client,
            work->account_id,
            open,
            "",
            subscription_verb_key(cx, work, "pay"),
            &paid));
        return subscription_verb_read(cx, work);
    }
    if (work->now.status == SUBSCRIPTION_PAUSED) {
        TRY(stripe_subscription_resume(
            cx, work->client, &target, json_bool(work->arguments, "new_period"), &work->now));
        /* What a repeated key answers with is what was then. */
        TRY(subscription_verb_read(cx, work));
    }
    return work->now.status == SUBSCRIPTION_PAUSED ? tell_unpaid(cx, work) : STATUS_OK;
}

struct status subscriptions_pause_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = pause_there, .settle = keep_date};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}

struct status subscriptions_resume_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = resume_there};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}

/* The key names the date: whoever comes after a crash goes on with the same call. */
static void
resume_one(struct ctx *cx, struct services *services, const struct subscription_resumption *due)
{
    const struct subscription_resume resume = {.subscription_id = due->subscription_id, .etag = ""};
    struct ctx one = *cx;
    struct subscription subscription;
    struct status status;
    const char *text = id_text(cx->arena, ID_SUBSCRIPTION, &due->subscription_id);
    const struct keyed keyed = {
        .request_id = arena_printf(cx->arena, "resume:%s:%" PRId64, text, due->resume_us),
        .body = str_of(text),
    };

    one.now_us = wallclock_us();
    one.deadline_us = deadline_in_ms(RESUME_MS_MAX);
    one.method = SUBSCRIPTION_RESUME_METHOD;
    one.caller =
        (struct caller){.org_id = due->org_id, .live = due->org_id % 2 == 0, .actor = "resumption"};
    status = subscriptions_resume(&one, services, &keyed, &resume, &subscription);
    log_info(
        &one,
        "a pause has met its end",
        LOG_ID("subscription", ID_SUBSCRIPTION, &due->subscription_id),
        LOG_STATUS(status));
    if (status.code == CODE_OK || status.code == CODE_UNAVAILABLE || status.code == CODE_ABORTED) {
        return; /* the date went with the pause, or later again */
    }
    status = subscription_pause_store_clear(&one, services->db, &due->subscription_id);
    if (status.code != CODE_OK) {
        status_ignore(&one, status, "it is tried again, with the same answer");
    }
}

struct status
subscriptions_resume_due(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    struct subscription_resumption due[DUE_MAX];

    TRY(subscription_pause_store_due(
        cx, services->db, max < DUE_MAX ? max : DUE_MAX, due, ret_count));
    for (size_t i = 0; i < *ret_count && !ctx_gone(cx); i++) {
        resume_one(cx, services, &due[i]);
    }
    return STATUS_OK;
}
