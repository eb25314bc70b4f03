#include "services/subscription_renew.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/subscription_verb.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_payment_method.h"
#include "stripe/stripe_subscription.h"

#define INVOICES_MAX 100

static void put_renewal(struct json_writer *writer, const void *user)
{
    const struct subscription_renewal *renewal = user;

    json_put_text(writer, "payment_method_id", renewal->payment_method_id);
}

struct status subscriptions_renew(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_renewal *renewal,
    struct subscription *ret_subscription)
{
    const struct subscription_verb verb = {
        .operation = SUBSCRIPTION_OPERATION_RENEW,
        .subscription_id = renewal->subscription_id,
        .etag = renewal->etag,
        .drive = subscriptions_renew_drive,
        .pays = true,
        .user = renewal,
        .put = put_renewal,
    };

    return subscription_verb_run(cx, services, keyed, &verb, ret_subscription);
}

static struct status
attach(struct ctx *cx, struct subscription_verb_work *work, const char **ret_method)
{
    const char *given = json_text(cx, work->arguments, "payment_method_id");
    struct payment_instrument instrument;

    *ret_method = "";
    if (given[0] == '\0') {
        return STATUS_OK;
    }
    TRY(stripe_payment_method_attach(
        cx,
        work->client,
        work->account_id,
        given,
        work->stripe_customer_id,
        subscription_verb_key(cx, work, "payment_method"),
        &instrument));
    *ret_method = instrument.id;
    return STATUS_OK;
}

/* What is open, oldest first. The newest one decides about the state: it is paid even when it is
 * still a draft, as those of an UNPAID subscription are. Older drafts are of times without access.
 */
static struct status
pay_invoices(struct ctx *cx, struct subscription_verb_work *work, const char *method)
{
    struct payment_invoice_page page;
    struct payment_invoice paid;

    TRY(stripe_invoice_list(
        cx, work->client, work->account_id, work->stripe_id, "", INVOICES_MAX, &page));
    for (size_t i = page.count; i > 0; i--) {
        const struct payment_invoice *invoice = &page.invoices[i - 1];

        if (invoice->status != INVOICE_OPEN && (invoice->status != INVOICE_DRAFT || i > 1)) {
            continue;
        }
        TRY(stripe_invoice_pay(
            cx,
            work->client,
            work->account_id,
            invoice->id,
            method,
            subscription_verb_key(cx, work, arena_printf(cx->arena, "pay:%s", invoice->id)),
            &paid));
    }
    return STATUS_OK;
}

static struct status renew_there(struct ctx *cx, struct subscription_verb_work *work)
{
    struct stripe_subscription_change change = {.proration_behavior = "", .payment_behavior = ""};

    TRY(attach(cx, work, &change.default_payment_method));
    TRY(pay_invoices(cx, work, change.default_payment_method));
    if (change.default_payment_method[0] != '\0') {
        TRY(stripe_subscription_change(
            cx,
            work->client,
            work->account_id,
            work->stripe_id,
            &change,
            subscription_verb_key(cx, work, "keep_method"),
            &work->now));
    }
    return subscription_verb_read(cx, work);
}

struct status subscriptions_renew_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    static const struct subscription_verb_steps steps = {.call = renew_there};

    return subscription_verb_drive(cx, services, intent, &steps, ret_result);
}
