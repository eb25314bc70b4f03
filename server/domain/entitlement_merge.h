#pragma once

/* From what a customer has (plans, add-ons, grants) to one row per feature. Pure.
 * Several sources of one feature: access that allows wins over access that denies; among those that
 * allow, limits add up, unlimited wins, and the rest (window, overage, configuration, provenance)
 * comes from the first: overrides, then base plans, then add-ons, then grants, older before newer.
 */

#include <stddef.h>

#include "domain/entitlement.h"

/* sources: ordered as above. Writes at most source_count rows, one a feature, and returns how many.
 */
size_t entitlement_merge(
    const struct entitlement *sources, size_t source_count, struct entitlement *ret_merged);
