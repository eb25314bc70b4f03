#include "services/retention.h"

#include "base/ctx.h"
#include "services/services.h"
#include "store/retention_store.h"
#include "store/subscription_preview_store.h"

struct status
retention_prune(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    size_t partitions = 0;
    size_t entries = 0;
    size_t previews = 0;

    TRY(retention_store_events(
        cx, services->db, services->settings->event_keep_days, max, ret_count));
    TRY(retention_store_usage(cx, services->db, services->settings->usage_keep_days, &partitions));
    TRY(retention_store_audit(
        cx, services->db, services->settings->audit_keep_days, max, &entries));
    TRY(subscription_preview_store_prune(cx, services->db, max, &previews));
    *ret_count += partitions + entries + previews;
    return STATUS_OK;
}
