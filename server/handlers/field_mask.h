#pragma once

/* Which fields an update changes: those that the mask names, or without a mask those that are set.
 */

#include <google/protobuf/field_mask.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;

struct masked_field {
    const char *path;
    uint32_t bit; /* 0: set by the server or naming the object: may be named, is passed over */
    bool populated;
};

/* Fails with UPDATE_MASK_INVALID when the mask names something that is not in the list. */
struct status field_mask_read(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const struct masked_field *fields,
    size_t count,
    uint32_t *ret_bits) MUST_CHECK;
