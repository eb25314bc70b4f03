#include "handlers/page_token.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "services/services.h"

/* version, 8 bytes of number, 16 of id, 8 of the filter's hash, 16 of HMAC */
#define VERSION 1
#define BODY_SIZE (1 + 8 + 16 + 8)
#define TOKEN_SIZE (BODY_SIZE + 16)
#define TOKEN_TEXT_MAX 128

static void put_i64(uint8_t *bytes, int64_t value)
{
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    }
}

static int64_t get_i64(const uint8_t *bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++) {
        value = value << 8 | bytes[i];
    }
    return (int64_t)value;
}

static void sign(
    const struct ctx *cx,
    const struct services *services,
    const char *purpose,
    const uint8_t *body,
    uint8_t ret_mac[SHA256_SIZE])
{
    uint8_t org[8];
    const struct str pieces[] = {
        str_of(purpose),
        {(const char *)org, sizeof org},
        {(const char *)body, BODY_SIZE},
    };

    put_i64(org, cx->caller.org_id);
    hmac_sha256(str_of(services->settings->page_token_secret), pieces, 3, ret_mac);
}

static const char *write_token(
    struct ctx *cx,
    struct services *services,
    const char *purpose,
    struct str filter,
    const struct page_position *position)
{
    uint8_t token[TOKEN_SIZE];
    uint8_t digest[SHA256_SIZE];

    token[0] = VERSION;
    put_i64(token + 1, position->number);
    memcpy(token + 9, position->id.bytes, 16);
    sha256(filter.ptr, filter.len, digest);
    memcpy(token + 25, digest, 8);
    sign(cx, services, purpose, token, digest);
    memcpy(token + BODY_SIZE, digest, 16);
    return base64url_text(cx->arena, token, sizeof token);
}

static bool read_token(
    struct ctx *cx,
    struct services *services,
    const char *purpose,
    const char *text,
    struct str filter,
    struct page_position *ret_position)
{
    const uint8_t *token = NULL;
    uint8_t digest[SHA256_SIZE];
    size_t len = 0;

    if (strlen(text) > TOKEN_TEXT_MAX || !base64url_parse(cx->arena, str_of(text), &token, &len) ||
        len != TOKEN_SIZE || token[0] != VERSION) {
        return false;
    }
    sign(cx, services, purpose, token, digest);
    if (!bytes_equal(token + BODY_SIZE, digest, 16)) {
        return false;
    }
    sha256(filter.ptr, filter.len, digest);
    if (memcmp(token + 25, digest, 8) != 0) {
        return false;
    }
    ret_position->number = get_i64(token + 1);
    memcpy(ret_position->id.bytes, token + 9, 16);
    return true;
}

struct status page_token_read(
    struct ctx *cx,
    struct services *services,
    const char *token,
    struct str filter,
    struct page_position *ret_position)
{
    *ret_position = (struct page_position){0};
    if (token[0] == '\0' || read_token(cx, services, "page", token, filter, ret_position)) {
        return STATUS_OK;
    }
    return status_fail(
        cx,
        REASON_PAGE_TOKEN_INVALID,
        "page_token is not one of this list and filter: start again without it");
}

const char *page_token_write(
    struct ctx *cx,
    struct services *services,
    struct str filter,
    const struct page_position *position)
{
    return write_token(cx, services, "page", filter, position);
}

struct status resume_token_read(
    struct ctx *cx,
    struct services *services,
    const char *token,
    struct str filter,
    int64_t *ret_seq)
{
    struct page_position position = {0};

    if (token[0] != '\0' && !read_token(cx, services, "resume", token, filter, &position)) {
        return status_fail(
            cx,
            REASON_RESUME_TOKEN_INVALID,
            "resume_token is not one of this organization and filter: start again without it");
    }
    *ret_seq = position.number;
    return STATUS_OK;
}

const char *
resume_token_write(struct ctx *cx, struct services *services, struct str filter, int64_t seq)
{
    const struct page_position position = {.number = seq};

    return write_token(cx, services, "resume", filter, &position);
}
