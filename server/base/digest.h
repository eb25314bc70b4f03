#pragma once

/* SHA-256, HMAC-SHA-256 and comparison in constant time, from OpenSSL; hex, base64url and CRC-32
 * beside them. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

#define SHA256_SIZE 32

void sha256(const void *data, size_t len, uint8_t ret_digest[SHA256_SIZE]);

/* Of several pieces, one after the other. */
void sha256_pieces(const struct str *pieces, size_t count, uint8_t ret_digest[SHA256_SIZE]);

/* HMAC-SHA-256 (RFC 2104) of the pieces, one after the other. */
void hmac_sha256(
    struct str key, const struct str *pieces, size_t count, uint8_t ret_digest[SHA256_SIZE]);

/* In a time that depends on len alone. */
bool bytes_equal(const void *a, const void *b, size_t len);

/* Lower-case hex, NUL-terminated; ret_text has 2 * len + 1 bytes. */
void hex_format(const void *bytes, size_t len, char *ret_text);

/* base64url without padding (RFC 4648, section 5). */
const char *base64url_text(struct arena *arena, const void *bytes, size_t len);
bool base64url_parse(
    struct arena *arena, struct str text, const uint8_t **ret_bytes, size_t *ret_len);

uint32_t crc32_of(const void *bytes, size_t len); /* IEEE 802.3, as zlib's */
