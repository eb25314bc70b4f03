#include "domain/tax_id.h"

#include <stddef.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const names[] = {
    [0] = "",
    [TAX_ID_PENDING] = "PENDING",
    [TAX_ID_VERIFIED] = "VERIFIED",
    [TAX_ID_UNVERIFIED] = "UNVERIFIED",
    [TAX_ID_UNAVAILABLE] = "UNAVAILABLE",
};

const char *tax_id_verification_name(enum tax_id_verification verification)
{
    return names[verification];
}

enum tax_id_verification tax_id_verification_parse(const char *name)
{
    for (size_t i = TAX_ID_PENDING; i < ARRAY_LEN(names); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return (enum tax_id_verification)i;
        }
    }
    return TAX_ID_PENDING;
}
