#pragma once

/* Whether something of the catalogue can be used for new things. The numbers are those of
 * billingos.v1.CatalogState. */

#include <stdint.h>

enum catalog_state {
    CATALOG_ANY = 0, /* in a filter */
    CATALOG_ACTIVE = 1,
    CATALOG_ARCHIVED = 2,
};

static inline enum catalog_state catalog_state_of(int64_t archived_us)
{
    return archived_us == 0 ? CATALOG_ACTIVE : CATALOG_ARCHIVED;
}
