#pragma once

/* Changes that happen with the next period. The payment side makes them at the very turn, so that
 * the invoice of the new period is right (decisions/0013); the mirror notes that they have
 * happened.
 */

#include <stddef.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/scheduled_change.h"
#include "domain/subscription.h"
#include "services/intents.h"
#include "services/keyed.h"
#include "services/subscription_change_request.h"
#include "store/scheduled_change_store.h"

struct ctx;
struct services;
struct tx;

#define SCHEDULED_CHANGE_CANCEL_METHOD "billingos.v1.SubscriptionService/CancelScheduledChange"

/* Within the claim; the row is locked. Fails with SCHEDULED_CHANGE_EXISTS. */
struct status subscription_schedule_check(
    struct ctx *cx, struct tx *tx, const struct subscription *row) MUST_CHECK;

/* The drive of ChangeSubscription for a change that waits. */
struct status subscription_schedule_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    const struct subscription_change_request *request,
    struct intent_result *ret_result) MUST_CHECK;

/* Takes it back. Fails with SUBSCRIPTION_NOT_FOUND, SCHEDULED_CHANGE_NOT_FOUND, SUBSCRIPTION_BUSY.
 */
struct status scheduled_changes_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct id *subscription_id,
    const struct id *change_id,
    struct subscription *ret_subscription) MUST_CHECK;
struct status scheduled_changes_cancel_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

/* The next one first, at most max. Fails with SUBSCRIPTION_NOT_FOUND. */
struct status scheduled_changes_list(
    struct ctx *cx,
    struct services *services,
    const struct scheduled_change_filter *filter,
    size_t max,
    struct scheduled_change **ret_changes,
    size_t *ret_count) MUST_CHECK;
