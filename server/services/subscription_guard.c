#include "services/subscription_guard.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "store/intent_store.h"
#include "store/intent_upkeep_store.h"
#include "store/subscription_store.h"

#define RETRY_MS 1000

struct status
subscription_with_id(struct ctx *cx, struct status status, const struct subscription *row)
{
    return status_pair(
        cx, status, "subscription_id", id_text(cx->arena, ID_SUBSCRIPTION, &row->subscription_id));
}

struct status
subscription_refused(struct ctx *cx, const struct subscription *row, enum reason reason)
{
    const char *status_name = subscription_status_name(row->status);
    const char *method = strrchr(cx->method, '/');
    struct status status = subscription_with_id(
        cx,
        status_fail(
            cx,
            reason,
            "cannot do this to subscription \"%s\": it is %s",
            id_text(cx->arena, ID_SUBSCRIPTION, &row->subscription_id),
            status_name),
        row);

    status = status_pair(cx, status, "status", status_name);
    return status_pair(cx, status, "method", method == NULL ? cx->method : method + 1);
}

static struct status check_busy(
    struct ctx *cx, struct tx *tx, const struct intent *intent, const struct subscription *row)
{
    struct id busy;

    TRY(intent_upkeep_store_busy(cx, tx, &row->subscription_id, NULL, &intent->intent_id, &busy));
    if (id_is_zero(&busy)) {
        return STATUS_OK;
    }
    return status_retry(
        status_pair(
            cx,
            subscription_with_id(cx, status_of(cx, REASON_SUBSCRIPTION_BUSY), row),
            "operation_id",
            id_text(cx->arena, ID_OPERATION, &busy)),
        RETRY_MS);
}

struct status subscription_guard(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    const struct id *subscription_id,
    const char *etag,
    struct subscription *ret_row)
{
    TRY(subscription_store_lock(cx, tx, subscription_id, ret_row));
    if (ret_row->billed_here) {
        return status_pair(
            cx,
            subscription_with_id(cx, status_of(cx, REASON_SOURCE_NOT_SUPPORTED), ret_row),
            "source",
            "BILLINGOS");
    }
    TRY(field_check_etag(cx, etag, ret_row->version));
    return intent == NULL ? STATUS_OK : check_busy(cx, tx, intent, ret_row);
}
