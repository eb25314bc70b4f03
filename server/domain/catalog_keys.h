#pragma once

/* The keys of an organisation's live features, and of its meters. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "domain/entitlement.h"
#include "domain/meter.h"

#define CATALOG_KEYS_MAX 5000 /* features, and as many meters, of one organisation */

struct catalog_feature {
    const char *key;
    struct id feature_id;
    enum feature_kind kind;
    int32_t meter_no; /* METERED; else 0 */
    enum unreachable_policy unreachable;
};

struct catalog_meter {
    const char *key;
    int32_t meter_no;
    enum meter_aggregation aggregation;
    bool archived; /* takes no more events; what it counted stays readable */
};

struct catalog_keys {
    size_t feature_count;
    struct catalog_feature *features;
    size_t meter_count;
    struct catalog_meter *meters;
};
