#include "domain/scope.h"

#include <stddef.h>
#include <string.h>

static const char *const texts[SCOPE_BIT_COUNT] = {
#define X(name, text) [SCOPE_BIT_##name] = (text),
    SCOPES(X)
#undef X
};

bool scope_parse(const char *text, uint64_t *ret_scope)
{
    for (size_t bit = 0; bit < SCOPE_BIT_COUNT; bit++) {
        if (strcmp(texts[bit], text) == 0) {
            *ret_scope = UINT64_C(1) << bit;
            return true;
        }
    }
    return false;
}

const char *scope_text(uint64_t scope)
{
    for (size_t bit = 0; bit < SCOPE_BIT_COUNT; bit++) {
        if (scope == UINT64_C(1) << bit) {
            return texts[bit];
        }
    }
    return scope == SCOPE_BOOTSTRAP ? "bootstrap" : "";
}
