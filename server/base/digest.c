#include "base/digest.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/arena.h"
#include "base/cleanup.h"

/* Looking an algorithm up by name costs more than hashing a key with it: both are fetched once, and
 * the context of each use is a copy of a prepared one. */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256_algorithm;
static EVP_MAC_CTX *hmac_template;

/* Without a digest no key and no signature can be checked, and a wrong answer would be worse than
 * none. OpenSSL fails here only without memory or with a broken installation. */
static void must(bool done)
{
    if (!done) {
        abort();
    }
}

static void fetch(void)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256_algorithm != NULL && hmac != NULL);
    hmac_template = EVP_MAC_CTX_new(hmac);
    must(hmac_template != NULL && EVP_MAC_CTX_set_params(hmac_template, params) == 1);
    EVP_MAC_free(hmac);
}

static void release_md_ctx(EVP_MD_CTX **cx)
{
    EVP_MD_CTX_free(*cx);
}

static void release_mac_ctx(EVP_MAC_CTX **cx)
{
    EVP_MAC_CTX_free(*cx);
}

void sha256(const void *data, size_t len, uint8_t ret_digest[SHA256_SIZE])
{
    const struct str piece = {data, len};

    sha256_pieces(&piece, 1, ret_digest);
}

void sha256_pieces(const struct str *pieces, size_t count, uint8_t ret_digest[SHA256_SIZE])
{
    AUTO(release_md_ctx) EVP_MD_CTX *cx = NULL;

    pthread_once(&fetched, fetch);
    cx = EVP_MD_CTX_new();
    must(cx != NULL && EVP_DigestInit_ex2(cx, sha256_algorithm, NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        must(EVP_DigestUpdate(cx, pieces[i].ptr, pieces[i].len) == 1);
    }
    must(EVP_DigestFinal_ex(cx, ret_digest, NULL) == 1);
}

void hmac_sha256(
    struct str key, const struct str *pieces, size_t count, uint8_t ret_digest[SHA256_SIZE])
{
    static const unsigned char empty[1];
    const unsigned char *key_bytes = key.len == 0 ? empty : (const unsigned char *)key.ptr;
    AUTO(release_mac_ctx) EVP_MAC_CTX *cx = NULL;
    size_t written = 0;

    pthread_once(&fetched, fetch);
    cx = EVP_MAC_CTX_dup(hmac_template);
    must(cx != NULL && EVP_MAC_init(cx, key_bytes, key.len, NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        must(EVP_MAC_update(cx, (const unsigned char *)pieces[i].ptr, pieces[i].len) == 1);
    }
    must(EVP_MAC_final(cx, ret_digest, &written, SHA256_SIZE) == 1 && written == SHA256_SIZE);
}

bool bytes_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void hex_format(const void *bytes, size_t len, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;

    for (size_t i = 0; i < len; i++) {
        *ret_text++ = digits[from[i] >> 4];
        *ret_text++ = digits[from[i] & 15];
    }
    *ret_text = '\0';
}

static const char base64url_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *base64url_text(struct arena *arena, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    char *text = arena_try_alloc(arena, len / 3 * 4 + 5);
    char *next = text;
    uint32_t bits = 0;
    int bit_count = 0;

    if (text == NULL) {
        return "";
    }
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | from[i];
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            *next++ = base64url_letters[bits >> bit_count & 63];
        }
    }
    if (bit_count > 0) {
        *next = base64url_letters[bits << (6 - bit_count) & 63];
    }
    return text;
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '-' || c == '_') {
        return c == '-' ? 62 : 63;
    }
    return -1;
}

/* Accepts one text for each value: no padding, and zeros in the bits that the last letter has too
 * many. */
bool base64url_parse(
    struct arena *arena, struct str text, const uint8_t **ret_bytes, size_t *ret_len)
{
    uint8_t *bytes = NULL;
    size_t filled = 0;
    uint32_t bits = 0;
    int bit_count = 0;

    if (text.len % 4 == 1) {
        return false;
    }
    bytes = arena_try_alloc(arena, text.len / 4 * 3 + 3);
    if (bytes == NULL) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        const int value = base64url_value(text.ptr[i]);

        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes[filled++] = (uint8_t)(bits >> bit_count);
        }
    }
    if ((bits & ((1U << bit_count) - 1)) != 0) {
        return false;
    }
    *ret_bytes = bytes;
    *ret_len = filled;
    return true;
}

/* Half a byte at a time: the table stays small enough to be read, and this hashes keys, not files.
 */
uint32_t crc32_of(const void *bytes, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000,
        0x1db71064,
        0x3b6e20c8,
        0x26d930ac,
        0x76dc4190,
        0x6b6b51f4,
        0x4db26158,
        0x5005713c,
        0xedb88320,
        0xf00f9344,
        0xd6d6a3e8,
        0xcb61b38c,
        0x9b64c2b0,
        0x86d3d2d4,
        0xa00ae278,
        0xbdbdf21c,
    };
    const uint8_t *from = bytes;
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc = table[(crc ^ from[i]) & 15] ^ crc >> 4;
        crc = table[(crc ^ (uint32_t)from[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}
