#include "services/customer_mirror.h"

#include <string.h>

#include "base/ctx.h"
#include "base/log.h"
#include "services/customers.h"
#include "store/customer_mirror_store.h"
#include "store/payment_method_store.h"
#include "stripe/stripe_customer.h"

static struct status
last_seen(struct ctx *cx, const struct customer_mirror *mirror, struct payment_customer *ret_before)
{
    *ret_before = (struct payment_customer){.email = "", .name = "", .phone = "", .address = ""};
    return mirror->raw[0] == '\0' ? STATUS_OK : stripe_customer_parse(cx, mirror->raw, ret_before);
}

/* Takes one field into *ours when the rule says so and ours would still be valid. */
static void take(
    struct ctx *cx,
    struct customer *customer,
    const char **ours,
    const char *before,
    const char *now,
    bool first_sight)
{
    const char *old = *ours;

    if (strcmp(before, now) == 0 || (first_sight && old[0] != '\0')) {
        return;
    }
    *ours = now;
    if (customer_check(cx, "customer", customer).code != CODE_OK) {
        *ours = old;
        log_warn(
            cx,
            "a value of the payment side does not fit a customer, keeping ours",
            LOG_ID("customer", ID_CUSTOMER, &customer->customer_id));
    }
}

static bool differs(const struct customer *a, const struct customer *b)
{
    return strcmp(a->email, b->email) != 0 || strcmp(a->name, b->name) != 0 ||
           strcmp(a->phone, b->phone) != 0 || strcmp(a->address, b->address) != 0 ||
           strcmp(a->payment_method_id, b->payment_method_id) != 0 ||
           a->balance_minor != b->balance_minor;
}

static struct status save(struct ctx *cx, struct tx *tx, struct customer *customer)
{
    customer->version++;
    customer->updated_us = cx->now_us;
    TRY(customer_store_update(cx, tx, customer));
    return customers_tell(cx, tx, EVENT_CUSTOMER_UPDATED, customer);
}

static struct status
forget(struct ctx *cx, struct tx *tx, struct customer_mirror *mirror, int64_t fetch_number)
{
    const struct id *customer_id = &mirror->customer.customer_id;

    log_warn(
        cx,
        "a customer was deleted at the payment side",
        LOG_ID("customer", ID_CUSTOMER, customer_id));
    TRY(customer_mirror_store_forget(cx, tx, customer_id, fetch_number));
    TRY(payment_method_store_detach_all(cx, tx, customer_id, fetch_number));
    TRY(customer_mirror_store_mark_subscriptions(cx, tx, customer_id));
    return save(cx, tx, &mirror->customer);
}

struct status customer_apply(
    struct ctx *cx, struct tx *tx, const struct payment_customer *payment, int64_t fetch_number)
{
    struct customer_mirror mirror;
    struct payment_customer before;
    struct customer old;
    struct customer *next = &mirror.customer;
    struct id marked = {{0}};
    bool first_sight = false;
    bool found = false;

    if (!id_parse(ID_CUSTOMER, payment->marks.object_id, &marked)) {
        marked = (struct id){{0}};
    }
    TRY(customer_mirror_store_lock(cx, tx, payment->id, &marked, &found, &mirror));
    if (!found || fetch_number <= mirror.fetch_number) {
        return STATUS_OK;
    }
    if (payment->deleted) {
        return forget(cx, tx, &mirror, fetch_number);
    }
    TRY(last_seen(cx, &mirror, &before));
    first_sight = mirror.raw[0] == '\0';
    old = mirror.customer;
    take(cx, next, &next->email, before.email, payment->email, first_sight);
    take(cx, next, &next->name, before.name, payment->name, first_sight);
    take(cx, next, &next->phone, before.phone, payment->phone, first_sight);
    take(cx, next, &next->address, before.address, payment->address, first_sight);
    next->stripe_customer_id = payment->id;
    next->payment_method_id = payment->default_payment_method;
    next->balance_minor = -payment->balance_minor; /* there a credit is negative */
    next->delinquent = payment->delinquent;
    mirror.raw = payment->raw;
    mirror.fetch_number = fetch_number;
    TRY(customer_mirror_store_write(cx, tx, &mirror));
    return differs(&old, next) ? save(cx, tx, next) : STATUS_OK;
}
