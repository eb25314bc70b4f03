#pragma once

/* A customer as the one who subscribes: what the payment side must know of it. */

#include <stdbool.h>

#include "base/id.h"
#include "base/status.h"

struct ctx;
struct db;
struct tx;

struct subscriber {
    struct id customer_id;
    const char *external_id;
    const char *name;
    const char *email;
    const char *currency;           /* "" = not settled */
    const char *stripe_customer_id; /* "" = not made at the payment side yet */
    bool archived;
    const char *deleted_stripe_customer_id; /* "" = it was never deleted there */
};

/* Locks the customer against a second subscription at the same time. By our id, or by the
 * merchant's when customer_id is NULL. Fails with CUSTOMER_NOT_FOUND. */
struct status subscriber_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const char *external_id,
    struct subscriber *ret_subscriber) MUST_CHECK;

/* The same without a lock. */
struct status subscriber_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *customer_id,
    const char *external_id,
    struct subscriber *ret_subscriber) MUST_CHECK;

/* Whose the customer of the payment side is, or was before it was deleted there; the zero id when
 * it is none of ours. */
struct status subscriber_store_find_stripe(
    struct ctx *cx, struct tx *tx, const char *stripe_customer_id, struct id *ret_customer_id)
    MUST_CHECK;

/* Notes the id that the payment side gave, unless there is one. */
struct status subscriber_store_set_stripe(
    struct ctx *cx, struct db *db, const struct id *customer_id, const char *stripe_customer_id)
    MUST_CHECK;
