#pragma once

/* The people of an organisation, and the offers to become one of them. They belong to both modes.
 * Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

#define MEMBERS_MAX 1000
#define INVITATIONS_OPEN_MAX 200
#define MEMBER_EMAIL_BYTES_MAX 254 /* RFC 5321, 4.5.3.1.3, without the angle brackets */
#define MEMBER_NAME_BYTES_MAX 400  /* 100 characters of up to 4 bytes */
#define MEMBER_NAME_LETTERS_MAX 100

#define INVITATION_DEFAULT_US (INT64_C(7) * 24 * 3600 * 1000000)
#define INVITATION_MAX_US (INT64_C(30) * 24 * 3600 * 1000000)

/* X(NAME): each includes what the ones after it may do. */
#define MEMBER_ROLES(X) X(OWNER) X(ADMIN) X(DEVELOPER) X(VIEWER)

enum member_role {
#define X(name) MEMBER_##name,
    MEMBER_ROLES(X)
#undef X
    MEMBER_ROLE_COUNT
};

struct member {
    int64_t org_id; /* the live number */
    struct id member_id;
    const char *email;
    const char *name;
    enum member_role role;
    int64_t version;
    int64_t created_us;
};

enum invitation_state {
    INVITATION_OPEN,
    INVITATION_ACCEPTED,
    INVITATION_REVOKED,
    INVITATION_EXPIRED
};

struct invitation {
    int64_t org_id; /* the live number */
    struct id invitation_id;
    const char *email;
    enum member_role role;
    const char *created_by;
    int64_t created_us;
    int64_t expires_us;
    int64_t accepted_us; /* 0: not accepted */
    int64_t revoked_us;  /* 0: not revoked */
    struct id member_id; /* zero unless accepted */
};

const char *member_role_name(enum member_role role);
bool member_role_parse(const char *name, enum member_role *ret_role);

enum invitation_state invitation_state(const struct invitation *invitation, int64_t now_us);
const char *invitation_state_name(enum invitation_state state);

/* Good enough to be sent to: one "@" with text on both sides, a dot-free-standing domain, no spaces
 * or control characters. Whether anybody reads there is told by the mail alone. */
bool member_email_valid(const char *email);

/* At most 100 characters of UTF-8; none are fine. */
bool member_name_valid(const char *name);
