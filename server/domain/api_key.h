#pragma once

/* A key of an organisation in one mode: who made it, what it may do, whether it works. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/id.h"
#include "domain/secret.h"

/* How many keys of one mode may work at the same time; enough for one per service and environment,
 * few enough to be read as a list. */
#define API_KEYS_MAX 100

#define API_KEY_NAME_BYTES_MAX 400 /* 100 characters of up to 4 bytes */

/* How long the old key works on after a rotation. */
#define API_KEY_OVERLAP_DEFAULT_US (INT64_C(24) * 3600 * 1000000)
#define API_KEY_OVERLAP_MAX_US (INT64_C(7) * 24 * 3600 * 1000000)

struct api_key {
    int64_t org_id;
    struct id key_id;
    enum key_kind kind; /* SECRET, PUBLISHABLE or RESTRICTED */
    bool live;
    const char *name;
    uint64_t scopes; /* as given; 0 unless RESTRICTED */
    const char *shown_start;
    const char *shown_end;
    const char *created_by;
    int64_t created_us;
    int64_t last_used_us; /* 0: never; exact to about a minute */
    int64_t expires_us;   /* 0: never */
    int64_t revoked_us;   /* 0: not revoked */
    struct id rotated_to; /* zero: not rotated */
    struct id replaces;   /* zero: not made by a rotation */
};

/* A key together with its secret, which exists in memory alone. "" when it was shown before. */
struct issued_key {
    struct api_key key;
    const char *secret;
};

enum api_key_state {
    API_KEY_ACTIVE,
    API_KEY_ROTATED,
    API_KEY_EXPIRED,
    API_KEY_REVOKED
};

enum api_key_state api_key_state(const struct api_key *key, int64_t now_us);
const char *api_key_state_name(enum api_key_state state);

/* What the key may do in the end: all, what the public may see, or what it lists, where each write
 * includes the read beside it. */
uint64_t api_key_scopes(enum key_kind kind, uint64_t listed);

/* The form of the secret of such a key, and back. False when the form is no API key. */
enum secret_form api_key_form(enum key_kind kind, bool live);
bool api_key_of_form(enum secret_form form, enum key_kind *ret_kind, bool *ret_live);

/* "SECRET", as it stands in the database. */
const char *api_key_kind_name(enum key_kind kind);
bool api_key_kind_parse(const char *name, enum key_kind *ret_kind);
