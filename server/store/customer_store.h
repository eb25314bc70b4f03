#pragma once

/* Customers in the database, one row each. The tenant is cx->caller.org_id; memory is of the arena
 * of cx. Reads go into tx, or into a transaction of their own when tx is NULL. Thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;
struct customer;
struct db;
struct tx;

/* By our id, or by the merchant's when customer_id is NULL. */
struct customer_key {
    const struct id *customer_id;
    const char *external_id;
};

/* Sets customer_no. Fails with CUSTOMER_EXISTS (and who it is) when the external id is taken. */
struct status
customer_store_insert(struct ctx *cx, struct tx *tx, struct customer *customer) MUST_CHECK;

/* Fail with CUSTOMER_NOT_FOUND. Archived ones are found too. Locking keeps others from changing it
 * until the end of tx. */
struct status customer_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct customer_key *key,
    struct customer *ret_customer) MUST_CHECK;
struct status customer_store_lock(
    struct ctx *cx, struct tx *tx, const struct customer_key *key, struct customer *ret_customer)
    MUST_CHECK;

/* What the merchant gives, and the time of archiving. Fails with CUSTOMER_EXISTS. */
struct status
customer_store_update(struct ctx *cx, struct tx *tx, const struct customer *customer) MUST_CHECK;

enum customer_state {
    CUSTOMER_ANY = 0,
    CUSTOMER_ACTIVE = 1,
    CUSTOMER_OUT_OF_USE = 2,
};

struct customer_filter {
    const char *email;              /* "": any; case does not matter */
    const char *external_id_prefix; /* "": any */
    enum customer_state state;
    int64_t from_us;  /* included; 0: from the beginning */
    int64_t until_us; /* excluded; 0: no end */
};

struct customer_position {
    int64_t created_us;
    struct id customer_id;
};

/* Newest first, those before the position (customer_id zero: from the newest). */
struct status customer_store_list(
    struct ctx *cx,
    struct db *db,
    const struct customer_filter *filter,
    const struct customer_position *before,
    int32_t max,
    struct customer **ret_customers,
    size_t *ret_count) MUST_CHECK;

/* A subscription that has not ended; the zero id when there is none. */
struct status customer_store_open_subscription(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, struct id *ret_subscription_id)
    MUST_CHECK;

/* The currency in which the customer is or was billed; "" when nothing was ever sold. */
struct status customer_store_billed_currency(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, const char **ret_currency)
    MUST_CHECK;
