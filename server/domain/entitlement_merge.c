#include "domain/entitlement_merge.h"

#include <stdbool.h>

static bool allows(const struct entitlement *entitlement)
{
    return entitlement->access == DECISION_GRANTED || entitlement->access == DECISION_GRANTED_GRACE;
}

static void stack(struct entitlement *merged, const struct entitlement *source)
{
    if (merged->provenance == PROVENANCE_OVERRIDE) {
        return; /* an override stands instead of everything else */
    }
    merged->unlimited = merged->unlimited || source->unlimited;
    if (__builtin_add_overflow(merged->limit, source->limit, &merged->limit)) {
        merged->limit = INT64_MAX;
    }
    if (source->access_until_us != 0 &&
        (merged->access_until_us == 0 || source->access_until_us < merged->access_until_us)) {
        /* The row is rebuilt then, with what is left. */
        merged->access_until_us = source->access_until_us;
    }
}

size_t entitlement_merge(
    const struct entitlement *sources, size_t source_count, struct entitlement *ret_merged)
{
    size_t count = 0;

    for (size_t i = 0; i < source_count; i++) {
        struct entitlement *merged = NULL;

        for (size_t j = 0; j < count && merged == NULL; j++) {
            if (id_equal(&ret_merged[j].feature_id, &sources[i].feature_id)) {
                merged = &ret_merged[j];
            }
        }
        if (merged == NULL) {
            ret_merged[count++] = sources[i];
        } else if (allows(merged) && allows(&sources[i])) {
            stack(merged, &sources[i]);
        } else if (!allows(merged) && allows(&sources[i])) {
            *merged = sources[i];
        }
    }
    return count;
}
