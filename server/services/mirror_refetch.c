#include "services/mirror_refetch.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "services/customer_mirror.h"
#include "services/invoice_mirror.h"
#include "services/payment_account_mirror.h"
#include "services/payment_attempts.h"
#include "services/payment_method_mirror.h"
#include "services/refunds.h"
#include "services/services.h"
#include "services/subscription_mirror.h"
#include "services/tax_ids.h"
#include "services/webhook_event.h"
#include "store/coupon_store.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/invoice_store.h"
#include "store/stripe_account_store.h"
#include "store/tax_id_store.h"
#include "stripe/stripe_charge.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_coupon.h"
#include "stripe/stripe_customer.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_payment_method.h"
#include "stripe/stripe_refund.h"
#include "stripe/stripe_subscription.h"
#include "stripe/stripe_tax_id.h"

#define LEASE_SECONDS 15 /* two reads at once do no harm, a crash must not hold up a change */
#define FETCH_MS_MAX 12000
#define TAKE_MAX 20
#define PATIENCE 8 /* times as many tries when the failure is not the object's own */
#define BACKOFF_SECONDS_MAX 1800

/* Reading one object. */
struct fetch {
    struct services *services;
    const struct dirty_object *object;
    struct stripe_client *client;
    const char *account_id;
    int64_t fetch_number;
    bool gone; /* the payment side does not have it */
    struct payment_subscription subscription;
    struct payment_invoice invoice;
    struct payment_charge charge;
    struct payment_customer customer;
    struct payment_instrument instrument;
    struct payment_refund refund;
    struct payment_coupon coupon;
    struct payment_tax_id tax_id;
};

static struct status clear(struct ctx *cx, struct tx *tx, void *user)
{
    const struct fetch *fetch = user;

    return dirty_object_store_clear(cx, tx, fetch->object);
}

static struct status read_subscription(struct ctx *cx, struct fetch *fetch)
{
    return stripe_subscription_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->subscription);
}

static struct status apply_subscription(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;
    struct subscription_applied applied;

    if (!fetch->gone) {
        TRY(subscription_apply(
            cx, fetch->services, tx, &fetch->subscription, fetch->fetch_number, &applied));
    }
    return clear(cx, tx, fetch);
}

static struct status read_invoice(struct ctx *cx, struct fetch *fetch)
{
    return stripe_invoice_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->invoice);
}

static struct status apply_invoice(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    TRY(fetch->gone ? invoice_store_void(cx, tx, fetch->object->object_id, fetch->fetch_number)
                    : invoice_apply(cx, tx, &fetch->invoice, fetch->fetch_number));
    return clear(cx, tx, fetch);
}

static struct status read_customer(struct ctx *cx, struct fetch *fetch)
{
    return stripe_customer_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->customer);
}

static struct status apply_customer(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    if (!fetch->gone) {
        TRY(customer_apply(cx, tx, &fetch->customer, fetch->fetch_number));
    }
    return clear(cx, tx, fetch);
}

static struct status read_charge(struct ctx *cx, struct fetch *fetch)
{
    return stripe_charge_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->charge);
}

static struct status apply_charge(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    if (!fetch->gone) {
        TRY(payment_attempt_apply(cx, tx, &fetch->charge, fetch->fetch_number));
    }
    return clear(cx, tx, fetch);
}

static struct status read_refund(struct ctx *cx, struct fetch *fetch)
{
    return stripe_refund_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->refund);
}

static struct status apply_refund(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    if (!fetch->gone) {
        TRY(refund_apply(cx, tx, &fetch->refund, fetch->fetch_number));
    }
    return clear(cx, tx, fetch);
}

static struct status read_payment_method(struct ctx *cx, struct fetch *fetch)
{
    return stripe_payment_method_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->instrument);
}

static struct status apply_payment_method(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    if (!fetch->gone) {
        TRY(payment_method_apply(cx, tx, &fetch->instrument, fetch->fetch_number, NULL));
    }
    return clear(cx, tx, fetch);
}

static struct status read_coupon(struct ctx *cx, struct fetch *fetch)
{
    return stripe_coupon_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->coupon);
}

/* Deleted there: nobody can redeem it any more. */
static struct status apply_coupon(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    TRY(coupon_store_mirror(
        cx,
        tx,
        fetch->object->object_id,
        fetch->coupon.redemptions,
        fetch->gone || fetch->coupon.deleted,
        fetch->fetch_number));
    return clear(cx, tx, fetch);
}

static struct status read_tax_id(struct ctx *cx, struct fetch *fetch)
{
    return stripe_tax_id_retrieve(
        cx, fetch->client, fetch->account_id, fetch->object->object_id, &fetch->tax_id);
}

static struct status apply_tax_id(struct ctx *cx, struct tx *tx, void *user)
{
    struct fetch *fetch = user;

    TRY(fetch->gone ? tax_id_store_delete(cx, tx, fetch->object->object_id, fetch->fetch_number)
                    : tax_id_apply(cx, tx, &fetch->tax_id, fetch->fetch_number));
    return clear(cx, tx, fetch);
}

static const struct mirrored {
    const char *type;
    struct status (*read)(struct ctx *cx, struct fetch *fetch);
    tx_fn apply;
} mirrored[] = {
    {WEBHOOK_OBJECT_SUBSCRIPTION, read_subscription, apply_subscription},
    {WEBHOOK_OBJECT_INVOICE, read_invoice, apply_invoice},
    {WEBHOOK_OBJECT_CHARGE, read_charge, apply_charge},
    {WEBHOOK_OBJECT_REFUND, read_refund, apply_refund},
    {WEBHOOK_OBJECT_CUSTOMER, read_customer, apply_customer},
    {WEBHOOK_OBJECT_PAYMENT_METHOD, read_payment_method, apply_payment_method},
    {WEBHOOK_OBJECT_COUPON, read_coupon, apply_coupon},
    {WEBHOOK_OBJECT_TAX_ID, read_tax_id, apply_tax_id},
};

/* "It does not exist" is an answer: a draft invoice may be deleted; the others never are without a
 * trace, so their rows are left alone and somebody should look. */
static struct status check_gone(struct ctx *cx, struct fetch *fetch, struct status status)
{
    if (status.code == CODE_OK ||
        stripe_client_error(fetch->client)->failure != PAYMENT_FAILURE_NOT_FOUND) {
        return status;
    }
    fetch->gone = true;
    log_warn(
        cx,
        "the payment side does not have an object that it announced",
        LOG_TEXT("type", fetch->object->object_type),
        LOG_TEXT("object", fetch->object->object_id));
    return STATUS_OK;
}

static const struct mirrored *find_mirrored(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(mirrored); i++) {
        if (strcmp(type, mirrored[i].type) == 0) {
            return &mirrored[i];
        }
    }
    return NULL;
}

static struct status fetch_object(struct ctx *cx, struct fetch *fetch)
{
    const struct mirrored *kind = find_mirrored(fetch->object->object_type);
    struct db *db = fetch->services->db;

    if (kind == NULL) {
        return tx_run(cx, db, clear, fetch);
    }
    TRY(services_payment_client(cx, fetch->services, &fetch->client));
    TRY(dirty_object_store_fetch_number(cx, db, &fetch->fetch_number));
    TRY(check_gone(cx, fetch, kind->read(cx, fetch)));
    failpoint("mirror.fetched");
    return tx_run(cx, db, kind->apply, fetch);
}

/* That there is no access to the account any more has been written: nothing is left to read. */
static struct status refetch_account(struct ctx *cx, struct fetch *fetch)
{
    const struct status status = payment_account_fetch(cx, fetch->services, fetch->account_id);

    if (status.code != CODE_OK && status_reason(status) != REASON_PAYMENT_ACCOUNT_NOT_CONNECTED) {
        return status;
    }
    return tx_run(cx, fetch->services->db, clear, fetch);
}

static struct status refetch(struct ctx *cx, struct services *services, struct fetch *fetch)
{
    struct payment_account account;
    bool found = false;

    TRY(stripe_account_store_load(cx, services->db, &found, &account, NULL));
    if (!found) {
        return tx_run(cx, services->db, clear, fetch);
    }
    fetch->account_id = account.account_id;
    if (strcmp(fetch->object->object_type, WEBHOOK_OBJECT_ACCOUNT) == 0) {
        return refetch_account(cx, fetch);
    }
    return account.disconnected_us != 0 ? tx_run(cx, services->db, clear, fetch)
                                        : fetch_object(cx, fetch);
}

static int64_t backoff_seconds(int64_t attempts)
{
    const int64_t seconds = INT64_C(1) << (attempts < 12 ? attempts : 12);

    return seconds < BACKOFF_SECONDS_MAX ? seconds : BACKOFF_SECONDS_MAX;
}

/* Somebody is away, or has too much to do: the object itself may be as good as any. */
static bool is_passing(struct status why)
{
    return why.code == CODE_UNAVAILABLE || why.code == CODE_DEADLINE_EXCEEDED ||
           why.code == CODE_RESOURCE_EXHAUSTED || why.code == CODE_ABORTED ||
           why.code == CODE_CANCELLED;
}

static void put_off(
    struct ctx *cx, struct services *services, const struct dirty_object *object, struct status why)
{
    const int64_t most =
        services->settings->webhook_attempts_max * (is_passing(why) ? PATIENCE : 1);
    const bool set_aside = object->attempts >= most;
    const struct status status = dirty_object_store_postpone(
        cx,
        services->db,
        object,
        backoff_seconds(object->attempts),
        reason_name(status_reason(why)),
        set_aside);

    log_warn(
        cx,
        set_aside ? "a changed object of the payment side is set aside"
                  : "could not read a changed object of the payment side",
        LOG_TEXT("type", object->object_type),
        LOG_TEXT("object", object->object_id),
        LOG_I64("attempts", object->attempts),
        LOG_STATUS(why));
    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the lease runs out by itself");
    }
}

static void
refetch_one(struct ctx *cx, struct services *services, const struct dirty_object *object)
{
    struct fetch fetch = {.services = services, .object = object};
    struct ctx one = *cx;
    struct status status;

    one.now_us = wallclock_us();
    one.deadline_us = deadline_in_ms(FETCH_MS_MAX);
    one.caller.org_id = object->org_id;
    one.caller.live = object->org_id % 2 == 0;
    status = refetch(&one, services, &fetch);
    if (status.code != CODE_OK) {
        put_off(&one, services, object, status);
        return;
    }
    metric_observe(
        metric_series(METRIC_WEBHOOK_LAG, NULL),
        (double)(wallclock_us() - object->first_seen_us) / 1e6);
}

struct status
mirror_refetch(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    struct dirty_object *objects = NULL;

    TRY(dirty_object_store_take(
        cx, services->db, LEASE_SECONDS, max < TAKE_MAX ? max : TAKE_MAX, &objects, ret_count));
    for (size_t i = 0; i < *ret_count && !ctx_gone(cx); i++) {
        refetch_one(cx, services, &objects[i]);
    }
    return STATUS_OK;
}
