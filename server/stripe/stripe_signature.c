#include "stripe/stripe_signature.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "base/wallclock.h"

#define HEADER_BYTES_MAX 4096
#define SIGNATURES_MAX 16 /* one for each active secret; there are two during a change */
#define HEX_LEN ((size_t)(2 * SHA256_SIZE))

struct header {
    long long time_s;
    bool has_time;
    struct str signatures[SIGNATURES_MAX];
    size_t count;
};

/* Items are split at commas, each at its first "="; the last t counts. Whatever else stands there
 * (v0, a blank before v1) is passed over. */
static bool read_header(const char *text, struct header *ret_header)
{
    struct str rest = str_of(text);

    if (rest.len == 0 || rest.len > HEADER_BYTES_MAX) {
        return false;
    }
    while (rest.len > 0) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        const size_t len = comma == NULL ? rest.len : (size_t)(comma - rest.ptr);
        const struct str item = {rest.ptr, len};

        if (str_starts(item, STR("t="))) {
            const struct str digits = {item.ptr + 2, item.len - 2};

            ret_header->has_time = digits.len > 0 && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
                                   str_to_i64(digits, &ret_header->time_s);
        } else if (str_starts(item, STR("v1=")) && ret_header->count < SIGNATURES_MAX) {
            ret_header->signatures[ret_header->count++] = (struct str){item.ptr + 3, item.len - 3};
        }
        rest.ptr += len;
        rest.len -= len;
        if (rest.len > 0) {
            rest.ptr++;
            rest.len--;
        }
    }
    return ret_header->has_time;
}

static bool is_blank(const char *secret)
{
    return secret[strspn(secret, " \t\r\n")] == '\0';
}

/* All are compared, so that the time does not tell which. */
static bool any_fits(const struct header *header, const char *secret, struct str signed_pieces[3])
{
    uint8_t digest[SHA256_SIZE];
    char expected[HEX_LEN + 1];
    bool fits = false;

    hmac_sha256(str_of(secret), signed_pieces, 3, digest);
    hex_format(digest, sizeof digest, expected);
    for (size_t i = 0; i < header->count; i++) {
        fits |= header->signatures[i].len == HEX_LEN &&
                bytes_equal(header->signatures[i].ptr, expected, HEX_LEN);
    }
    return fits;
}

static enum stripe_signature
check_time(const struct stripe_signature_rule *rule, int64_t time_s, int64_t now_us)
{
    const int64_t now_s = now_us / US_PER_SECOND;

    if (time_s < now_s && (uint64_t)now_s - (uint64_t)time_s > (uint64_t)rule->past_seconds_max) {
        return STRIPE_SIGNATURE_TOO_OLD;
    }
    if (rule->future_seconds_max >= 0 && time_s > now_s &&
        (uint64_t)time_s - (uint64_t)now_s > (uint64_t)rule->future_seconds_max) {
        return STRIPE_SIGNATURE_TOO_NEW;
    }
    return STRIPE_SIGNATURE_VALID;
}

enum stripe_signature stripe_signature_verify(
    const struct stripe_signature_rule *rule,
    const char *header_text,
    const void *body,
    size_t body_len,
    int64_t now_us)
{
    struct header header = {0};
    struct str pieces[3] = {{NULL, 0}, STR("."), {body, body_len}};
    char time_text[24];
    bool has_secret = false;
    bool fits = false;

    if (header_text == NULL || !read_header(header_text, &header)) {
        return STRIPE_SIGNATURE_MALFORMED;
    }
    if (header.count == 0) {
        return STRIPE_SIGNATURE_MISSING;
    }
    snprintf(time_text, sizeof time_text, "%lld", header.time_s);
    pieces[0] = str_of(time_text);
    for (size_t i = 0; rule->secrets[i] != NULL; i++) {
        if (!is_blank(rule->secrets[i])) {
            has_secret = true;
            fits |= any_fits(&header, rule->secrets[i], pieces);
        }
    }
    if (!has_secret) {
        return STRIPE_SIGNATURE_NO_SECRET;
    }
    return fits ? check_time(rule, header.time_s, now_us) : STRIPE_SIGNATURE_WRONG;
}

const char *stripe_signature_text(enum stripe_signature signature)
{
    switch (signature) {
    case STRIPE_SIGNATURE_VALID:
        return "the signature is valid";
    case STRIPE_SIGNATURE_MALFORMED:
        return "the signature header is malformed";
    case STRIPE_SIGNATURE_MISSING:
        return "the signature header has no signature of a known scheme";
    case STRIPE_SIGNATURE_WRONG:
        return "the signature fits no secret";
    case STRIPE_SIGNATURE_TOO_OLD:
        return "the signature is too old";
    case STRIPE_SIGNATURE_TOO_NEW:
        return "the signature is from the future";
    case STRIPE_SIGNATURE_NO_SECRET:
        return "no webhook secret is configured";
    }
    return "";
}
