#pragma once

/* Payment methods as last read from the payment side: brand, last four digits, expiry, and nothing
 * more. The tenant is cx->caller.org_id; memory is of the arena of cx. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment_method.h"

struct ctx;
struct db;
struct tx;

/* Of one customer: the default first, then the newest. */
struct status payment_method_store_list(
    struct ctx *cx,
    struct db *db,
    const struct id *customer_id,
    struct payment_method **ret_methods,
    size_t *ret_count) MUST_CHECK;

/* Of whichever customer, detached ones too, and locks it. Fails with PAYMENT_METHOD_NOT_FOUND. */
struct status payment_method_store_lock(
    struct ctx *cx, struct tx *tx, const char *payment_method_id, struct payment_method *ret_method)
    MUST_CHECK;

/* What was read, unless something newer is there. *ret_attached: its customer has it from now on.
 */
struct status payment_method_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_method *method,
    int64_t fetch_number,
    bool *ret_attached) MUST_CHECK;

/* Its customer does not have it any more. *ret_detached: whether it did until now. */
struct status payment_method_store_detach(
    struct ctx *cx,
    struct tx *tx,
    const char *payment_method_id,
    int64_t fetch_number,
    bool *ret_detached) MUST_CHECK;

/* All of a customer that the payment side has deleted. */
struct status payment_method_store_detach_all(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, int64_t fetch_number) MUST_CHECK;

/* A subscription that is charged to it by itself or as the default; the zero id when there is none.
 */
struct status payment_method_store_in_use(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const char *payment_method_id,
    struct id *ret_subscription_id) MUST_CHECK;

/* Cards that end this month or next and of which nobody was told this month. Over all
 * organisations: method i is of (*ret_org_ids)[i]. */
struct status payment_method_store_expiring(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct payment_method **ret_methods,
    int64_t **ret_org_ids,
    size_t *ret_count) MUST_CHECK;

/* *ret_first: nobody has told it this month. */
struct status payment_method_store_tell_expiry(
    struct ctx *cx, struct tx *tx, const char *payment_method_id, bool *ret_first) MUST_CHECK;
