#include "handlers/field_mask.h"

#include <assert.h>

#include "base/ctx.h"
#include "handlers/pb.h"

#define FIELDS_MAX 40

struct status field_mask_read(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const struct masked_field *fields,
    size_t count,
    uint32_t *ret_bits)
{
    const bool masked = mask != NULL && mask->n_paths > 0;
    const char *allowed[FIELDS_MAX + 1] = {NULL};
    uint32_t bits = 0;

    assert(count <= FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        allowed[i] = fields[i].path;
        if (masked ? pb_masked(mask, fields[i].path) : fields[i].populated) {
            bits |= fields[i].bit;
        }
    }
    TRY(pb_check_mask(cx, mask, allowed));
    *ret_bits = bits;
    return STATUS_OK;
}
