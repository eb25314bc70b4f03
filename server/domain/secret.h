#pragma once

/* The text of everything that is shown once and then known by its hash alone: API keys, invitation
 * tokens, the bootstrap token.
 *
 *     bos_sk_live_ + 43 letters (256 random bits) + 6 letters (CRC-32 of everything before)
 *
 * The letters are base62, the joints are "_", so that a double click selects the whole. The
 * checksum refuses junk before the database is asked, and lets scanners know a leaked key without
 * guessing. Pure: the random bits are given. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* X(NAME, prefix) */
#define SECRET_FORMS(X)                     \
    X(LIVE_SECRET_KEY, "bos_sk_live_")      \
    X(TEST_SECRET_KEY, "bos_sk_test_")      \
    X(LIVE_PUBLISHABLE_KEY, "bos_pk_live_") \
    X(TEST_PUBLISHABLE_KEY, "bos_pk_test_") \
    X(LIVE_RESTRICTED_KEY, "bos_rk_live_")  \
    X(TEST_RESTRICTED_KEY, "bos_rk_test_")  \
    X(BOOTSTRAP_TOKEN, "bos_bt_")           \
    X(INVITATION_TOKEN, "bos_it_")

enum secret_form {
#define X(name, prefix) SECRET_##name,
    SECRET_FORMS(X)
#undef X
    SECRET_FORM_COUNT
};

#define SECRET_RANDOM_BYTES 32
#define SECRET_TEXT_SIZE 64 /* the longest prefix (12), 49 letters, NUL, with room */
#define SECRET_HINT_SIZE 9

void secret_format(
    enum secret_form form,
    const uint8_t random[SECRET_RANDOM_BYTES],
    char ret_text[SECRET_TEXT_SIZE]);

/* The form, from prefix and length alone; false when it is none of ours. */
bool secret_form_of(struct str text, enum secret_form *ret_form);

/* secret_form_of(), and letters and checksum are right. */
bool secret_parse(struct str text, enum secret_form *ret_form);

/* What may be shown of a secret: the prefix with the four letters after it, and the last four. */
void secret_hint(
    const char *text, char ret_start[SECRET_TEXT_SIZE], char ret_end[SECRET_HINT_SIZE]);

/* The secret inside authorization metadata, "Bearer SECRET"; the word in any case, one space. */
bool secret_from_bearer(const char *authorization, struct str *ret_secret);
