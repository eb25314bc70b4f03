#pragma once

/* What a subscription shall become: the wish of the merchant, held against the catalogue and what
 * the customer has. Changes nothing. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/subscription.h"
#include "domain/subscription_change.h"
#include "services/subscription_change_request.h"

struct ctx;
struct tx;

/* What is not set stays as it is. */
struct subscription_wish {
    const struct id *plan_id; /* both NULL: the same plan */
    const char *plan_key;
    int32_t plan_version;           /* 0: the one on sale when the plan changes, else the same */
    struct id price_id;             /* zero: the one that fits interval and currency */
    enum billing_interval interval; /* 0: the same */
    int64_t quantity;               /* 0: the same */
    enum change_timing timing;
    enum change_proration proration;
};

struct subscription_target {
    struct id plan_id;
    int32_t plan_version;
    struct id price_id;
    int64_t quantity;
    const char *currency;
    struct recurring before;
    struct recurring after;
    enum change_timing timing; /* NOW or AT_PERIOD_END */
    struct subscription_change_request request;
};

/* The row is locked. account_id: that of the payment side. Fails with SUBSCRIPTION_STATE_INVALID,
 * SUBSCRIPTION_UNCHANGED, PLAN_NOT_FOUND, PLAN_VERSION_NOT_FOUND, PLAN_NOT_PUBLISHED,
 * PLAN_ARCHIVED, PLAN_HAS_NO_PRICE, PRICE_NOT_FOUND, PRICE_AMBIGUOUS, PRICE_ARCHIVED,
 * CURRENCY_MISMATCH, QUANTITY_OVERFLOW, FIELD_INVALID (quantity, plan, timing). */
struct status subscription_target(
    struct ctx *cx,
    struct tx *tx,
    const struct subscription *row,
    const char *account_id,
    const struct subscription_wish *wish,
    struct subscription_target *ret_target) MUST_CHECK;
