#include "domain/api_key.h"

#include <string.h>

#include "base/cleanup.h"
#include "domain/scope.h"

static const struct {
    enum key_kind kind;
    const char *name;
    enum secret_form live_form;
    enum secret_form test_form;
} kinds[] = {
    {KEY_SECRET, "SECRET", SECRET_LIVE_SECRET_KEY, SECRET_TEST_SECRET_KEY},
    {KEY_PUBLISHABLE, "PUBLISHABLE", SECRET_LIVE_PUBLISHABLE_KEY, SECRET_TEST_PUBLISHABLE_KEY},
    {KEY_RESTRICTED, "RESTRICTED", SECRET_LIVE_RESTRICTED_KEY, SECRET_TEST_RESTRICTED_KEY},
};

enum api_key_state api_key_state(const struct api_key *key, int64_t now_us)
{
    if (key->revoked_us != 0) {
        return API_KEY_REVOKED;
    }
    if (key->expires_us != 0 && key->expires_us <= now_us) {
        return API_KEY_EXPIRED;
    }
    return id_is_zero(&key->rotated_to) ? API_KEY_ACTIVE : API_KEY_ROTATED;
}

const char *api_key_state_name(enum api_key_state state)
{
    static const char *const names[] = {"ACTIVE", "ROTATED", "EXPIRED", "REVOKED"};

    return names[state];
}

/* In enum scope each area is a pair of bits, read below write. */
static uint64_t with_reads(uint64_t scopes)
{
    uint64_t reads = 0;

    for (uint32_t bit = SCOPE_BIT_ORGANIZATION_WRITE; bit < SCOPE_BIT_COUNT; bit += 2) {
        reads |= (scopes & UINT64_C(1) << bit) >> 1;
    }
    return scopes | reads;
}

uint64_t api_key_scopes(enum key_kind kind, uint64_t listed)
{
    switch (kind) {
    case KEY_SECRET:
        return SCOPES_ALL;
    case KEY_PUBLISHABLE:
        return SCOPES_PUBLISHABLE;
    case KEY_RESTRICTED:
        return with_reads(listed);
    case KEY_BOOTSTRAP:
        return SCOPE_BOOTSTRAP;
    case KEY_NONE:
        break;
    }
    return 0;
}

enum secret_form api_key_form(enum key_kind kind, bool live)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].kind == kind) {
            return live ? kinds[i].live_form : kinds[i].test_form;
        }
    }
    return SECRET_FORM_COUNT;
}

bool api_key_of_form(enum secret_form form, enum key_kind *ret_kind, bool *ret_live)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (form == kinds[i].live_form || form == kinds[i].test_form) {
            *ret_kind = kinds[i].kind;
            *ret_live = form == kinds[i].live_form;
            return true;
        }
    }
    return false;
}

const char *api_key_kind_name(enum key_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "";
}

bool api_key_kind_parse(const char *name, enum key_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ret_kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}
