#include "domain/member.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

static const char *const role_names[MEMBER_ROLE_COUNT] = {
#define X(name) [MEMBER_##name] = #name,
    MEMBER_ROLES(X)
#undef X
};

const char *member_role_name(enum member_role role)
{
    return role_names[role];
}

bool member_role_parse(const char *name, enum member_role *ret_role)
{
    for (size_t i = 0; i < ARRAY_LEN(role_names); i++) {
        if (strcmp(role_names[i], name) == 0) {
            *ret_role = (enum member_role)i;
            return true;
        }
    }
    return false;
}

enum invitation_state invitation_state(const struct invitation *invitation, int64_t now_us)
{
    if (invitation->accepted_us != 0) {
        return INVITATION_ACCEPTED;
    }
    if (invitation->revoked_us != 0) {
        return INVITATION_REVOKED;
    }
    return invitation->expires_us <= now_us ? INVITATION_EXPIRED : INVITATION_OPEN;
}

const char *invitation_state_name(enum invitation_state state)
{
    static const char *const names[] = {"OPEN", "ACCEPTED", "REVOKED", "EXPIRED"};

    return names[state];
}

bool member_name_valid(const char *name)
{
    size_t letters = 0;

    for (const char *c = name; *c != '\0'; c++) {
        letters += ((unsigned char)*c & 0xc0) != 0x80 ? 1 : 0;
    }
    return letters <= MEMBER_NAME_LETTERS_MAX && str_is_utf8(str_of(name));
}

bool member_email_valid(const char *email)
{
    const char *at = strchr(email, '@');
    const size_t len = strlen(email);

    if (at == NULL || at == email || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        len > MEMBER_EMAIL_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)email[i] <= ' ' || email[i] == '\x7f' ||
            strchr("<>(),;:\"[]\\", email[i]) != NULL) {
            return false;
        }
    }
    return at[1] != '.' && email[len - 1] != '.';
}
