#pragma once

/* Customers: who uses and pays. Made at the payment side only when they are first needed there. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/customer.h"
#include "domain/event.h"
#include "store/customer_store.h"

struct ctx;
struct services;
struct tx;

/* Fails with FIELD_INVALID, CURRENCY_UNKNOWN, TIME_ZONE_UNKNOWN, CUSTOMER_EXISTS. */
struct status customers_create(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer *input,
    struct customer *ret_customer) MUST_CHECK;

/* Fails with CUSTOMER_NOT_FOUND. */
struct status customers_get(
    struct ctx *cx,
    struct services *services,
    const struct customer_key *key,
    struct customer *ret_customer) MUST_CHECK;

/* Newest first. */
struct status customers_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_filter *filter,
    const struct customer_position *before,
    int32_t max,
    struct customer **ret_customers,
    size_t *ret_count) MUST_CHECK;

enum customer_field {
    CUSTOMER_EXTERNAL_ID = 1 << 0,
    CUSTOMER_EMAIL = 1 << 1,
    CUSTOMER_NAME = 1 << 2,
    CUSTOMER_PHONE = 1 << 3,
    CUSTOMER_ADDRESS = 1 << 4,
    CUSTOMER_CURRENCY = 1 << 5,
    CUSTOMER_LOCALE = 1 << 6,
    CUSTOMER_TIME_ZONE = 1 << 7,
    CUSTOMER_TAX_EXEMPTION = 1 << 8,
    CUSTOMER_METADATA = 1 << 9,
};

struct customer_change {
    struct customer_key key;
    uint32_t fields; /* which of the values count */
    struct customer values;
    const char *etag; /* "" = not checked */
};

/* Fails with CUSTOMER_NOT_FOUND, CUSTOMER_ARCHIVED, ETAG_MISMATCH, CURRENCY_MISMATCH and what
 * customers_create() fails with. */
struct status customers_update(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer_change *change,
    struct customer *ret_customer) MUST_CHECK;

/* Twice is once. Fails with CUSTOMER_NOT_FOUND, CUSTOMER_HAS_SUBSCRIPTIONS. */
struct status customers_archive(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer_key *key,
    struct customer *ret_customer) MUST_CHECK;

/* Of one in use it does nothing. Fails with CUSTOMER_NOT_FOUND. */
struct status customers_restore(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct id *customer_id,
    struct customer *ret_customer) MUST_CHECK;

/* What has happened to it, with the merchant's own id, so that who listens need not ask for it. */
struct status
customers_tell(struct ctx *cx, struct tx *tx, enum event_type type, const struct customer *customer)
    MUST_CHECK;
