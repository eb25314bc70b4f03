#pragma once

/* What of a customer is read from the payment side. The tenant is cx->caller.org_id. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/customer.h"

struct ctx;
struct tx;

struct customer_mirror {
    struct customer customer;
    int64_t fetch_number;
    const char *raw; /* as last read; "" = never */
};

/* The customer that stands for the one there, or the one that it is marked with when that stands
 * for nobody yet; locked. *ret_found false: there is none. */
struct status customer_mirror_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_customer_id,
    const struct id *marked_id, /* zero: not marked */
    bool *ret_found,
    struct customer_mirror *ret_mirror) MUST_CHECK;

/* Its id there, default payment method, balance, delinquency, and how they were read. The rest is
 * customer_store_update(). */
struct status customer_mirror_store_write(
    struct ctx *cx, struct tx *tx, const struct customer_mirror *mirror) MUST_CHECK;

/* It is nobody there any more; who it was is kept. */
struct status customer_mirror_store_forget(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, int64_t fetch_number) MUST_CHECK;

/* What its invoices are charged to is not there any more, as far as it is that. */
struct status customer_mirror_store_drop_default(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, const char *payment_method_id)
    MUST_CHECK;

/* Marks its subscriptions that have not ended as changed, to be read anew. */
struct status customer_mirror_store_mark_subscriptions(
    struct ctx *cx, struct tx *tx, const struct id *customer_id) MUST_CHECK;
