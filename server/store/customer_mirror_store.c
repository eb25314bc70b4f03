#include "store/customer_mirror_store.h"

#include "base/ctx.h"
#include "store/customer_store.h"
#include "store/db.h"

static const struct sql LOCK = {
    "customer_mirror_lock",
    "SELECT customer_id, fetch_number, raw FROM customers "
    "WHERE org_id = $1 AND stripe_customer_id = $2 FOR NO KEY UPDATE",
};

static const struct sql LOCK_MARKED = {
    "customer_mirror_lock_marked",
    "SELECT customer_id, fetch_number, raw FROM customers WHERE org_id = $1 "
    "AND customer_id = $3 AND stripe_customer_id IS NULL "
    "AND deleted_stripe_customer_id IS DISTINCT FROM $2 FOR NO KEY UPDATE",
};

static const struct sql WRITE = {
    "customer_mirror_write",
    "UPDATE customers SET stripe_customer_id = $3, default_payment_method = $4, "
    "balance_minor = $5, delinquent = $6, fetch_number = $7, raw = $8 "
    "WHERE org_id = $1 AND customer_id = $2",
};

static const struct sql FORGET = {
    "customer_mirror_forget",
    "UPDATE customers SET deleted_stripe_customer_id = stripe_customer_id, "
    "stripe_customer_id = NULL, default_payment_method = '', balance_minor = 0, "
    "delinquent = false, fetch_number = $3, raw = NULL WHERE org_id = $1 AND customer_id = $2",
};

static const struct sql DROP_DEFAULT = {
    "customer_mirror_drop_default",
    "UPDATE customers SET default_payment_method = '' WHERE org_id = $1 AND customer_id = $2 "
    "AND default_payment_method = $3",
};

static const struct sql MARK_SUBSCRIPTIONS = {
    "customer_mirror_mark_subscriptions",
    "INSERT INTO dirty_objects (org_id, object_type, object_id, first_seen_at, events) "
    "SELECT org_id, 'subscription', stripe_subscription_id, now(), 1 FROM subscriptions "
    "WHERE org_id = $1 AND customer_id = $2 AND stripe_subscription_id IS NOT NULL "
    "AND status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED') ORDER BY 3 "
    "ON CONFLICT (org_id, object_type, object_id) DO UPDATE SET mark = dirty_objects.mark + 1, "
    "next_attempt_at = now(), attempts = 0",
};

struct status customer_mirror_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_customer_id,
    const struct id *marked_id,
    bool *ret_found,
    struct customer_mirror *ret_mirror)
{
    AUTO_ROWS named = NULL;
    AUTO_ROWS marked = NULL;
    const struct rows *rows = NULL;
    struct params p = {0};
    struct id customer_id;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, stripe_customer_id);
    TRY(tx_query(cx, tx, &LOCK, &p, &named));
    rows = named;
    if (rows_count(named) == 0 && !id_is_zero(marked_id)) {
        params_id(&p, marked_id);
        TRY(tx_query(cx, tx, &LOCK_MARKED, &p, &marked));
        rows = marked;
    }
    *ret_found = rows_count(rows) == 1;
    if (!*ret_found) {
        return STATUS_OK;
    }
    customer_id = row_id(rows, 0, 0);
    ret_mirror->fetch_number = row_i64(rows, 0, 1);
    ret_mirror->raw = row_text(cx, rows, 0, 2);
    return customer_store_load(
        cx, NULL, tx, &(struct customer_key){.customer_id = &customer_id}, &ret_mirror->customer);
}

struct status
customer_mirror_store_write(struct ctx *cx, struct tx *tx, const struct customer_mirror *mirror)
{
    const struct customer *customer = &mirror->customer;
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &customer->customer_id);
    params_text(&p, customer->stripe_customer_id);
    params_text(&p, customer->payment_method_id);
    params_i64(&p, customer->balance_minor);
    params_bool(&p, customer->delinquent);
    params_i64(&p, mirror->fetch_number);
    params_json(&p, mirror->raw);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status customer_mirror_store_forget(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_i64(&p, fetch_number);
    return tx_execute(cx, tx, &FORGET, &p, NULL);
}

struct status customer_mirror_store_drop_default(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, const char *payment_method_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_text(&p, payment_method_id);
    return tx_execute(cx, tx, &DROP_DEFAULT, &p, NULL);
}

struct status customer_mirror_store_mark_subscriptions(
    struct ctx *cx, struct tx *tx, const struct id *customer_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    return tx_execute(cx, tx, &MARK_SUBSCRIPTIONS, &p, NULL);
}
