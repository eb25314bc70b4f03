#include "handlers/page_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"
#include "services/services.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)
#define TOKEN_MAX 256 /* what the API promises for tokens of streams */

struct fixture {
    struct arena arena;
    struct ctx cx;
    struct services_settings settings;
    struct services services;
};

static int setup(void **state)
{
    struct fixture *fixture = heap_new(sizeof *fixture);

    arena_init(&fixture->arena, NULL, 0, ARENA_BYTES_MAX);
    ctx_init(&fixture->cx, &fixture->arena, "test");
    fixture->cx.caller.org_id = 8;
    fixture->settings.page_token_secret = "a secret of the test";
    fixture->services.settings = &fixture->settings;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

static const struct page_position somewhere = {
    .number = -1764000000123456, .id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}};

static void a_position_is_read_back(void **state)
{
    static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1764000000123456};
    struct fixture *fixture = *state;
    struct page_position read;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const struct page_position position = {.number = numbers[i], .id = somewhere.id};
        const char *token =
            page_token_write(&fixture->cx, &fixture->services, STR("filter"), &position);

        assert_true(strlen(token) <= TOKEN_MAX);
        assert_int_equal(
            page_token_read(&fixture->cx, &fixture->services, token, STR("filter"), &read).code,
            CODE_OK);
        assert_int_equal(read.number, numbers[i]);
        assert_true(id_equal(&read.id, &position.id));
    }
}

static void no_token_is_the_beginning(void **state)
{
    struct fixture *fixture = *state;
    struct page_position read = somewhere;
    int64_t seq = 7;

    assert_int_equal(
        page_token_read(&fixture->cx, &fixture->services, "", STR("filter"), &read).code, CODE_OK);
    assert_int_equal(read.number, 0);
    assert_true(id_is_zero(&read.id));
    assert_int_equal(
        resume_token_read(&fixture->cx, &fixture->services, "", STR("filter"), &seq).code, CODE_OK);
    assert_int_equal(seq, 0);
}

static enum reason reason_of(struct fixture *fixture, const char *token, struct str filter)
{
    struct page_position read;
    const struct status status =
        page_token_read(&fixture->cx, &fixture->services, token, filter, &read);

    if (status.code != CODE_OK) {
        assert_int_equal(read.number, 0);
        assert_true(id_is_zero(&read.id));
    }
    return status_reason(status);
}

static void a_token_is_for_one_filter_tenant_purpose_and_secret(void **state)
{
    struct fixture *fixture = *state;
    const char *token =
        page_token_write(&fixture->cx, &fixture->services, STR("filter"), &somewhere);
    const char *resume = resume_token_write(&fixture->cx, &fixture->services, STR("filter"), 9);
    int64_t seq = 0;

    assert_int_equal(reason_of(fixture, token, STR("filter")), REASON_NONE);
    assert_int_equal(reason_of(fixture, token, STR("filtex")), REASON_PAGE_TOKEN_INVALID);
    assert_int_equal(reason_of(fixture, token, STR("")), REASON_PAGE_TOKEN_INVALID);
    assert_int_equal(reason_of(fixture, resume, STR("filter")), REASON_PAGE_TOKEN_INVALID);
    assert_int_equal(
        status_reason(
            resume_token_read(&fixture->cx, &fixture->services, resume, STR("filtex"), &seq)),
        REASON_RESUME_TOKEN_INVALID);
    assert_int_equal(
        status_reason(
            resume_token_read(&fixture->cx, &fixture->services, token, STR("filter"), &seq)),
        REASON_RESUME_TOKEN_INVALID);
    fixture->cx.caller.org_id = 9; /* the test side of the same organisation */
    assert_int_equal(reason_of(fixture, token, STR("filter")), REASON_PAGE_TOKEN_INVALID);
    assert_int_equal(
        status_reason(
            resume_token_read(&fixture->cx, &fixture->services, resume, STR("filter"), &seq)),
        REASON_RESUME_TOKEN_INVALID);
    fixture->cx.caller.org_id = 8;
    fixture->settings.page_token_secret = "another secret";
    assert_int_equal(reason_of(fixture, token, STR("filter")), REASON_PAGE_TOKEN_INVALID);
}

/* The last letter of base64url may have bits that mean nothing, so it is left out. */
static void every_other_letter_makes_it_another_token(void **state)
{
    struct fixture *fixture = *state;
    char *token = (char *)(uintptr_t)page_token_write(
        &fixture->cx, &fixture->services, STR("filter"), &somewhere);
    const size_t len = strlen(token);

    for (size_t i = 0; i + 1 < len; i++) {
        const char letter = token[i];

        token[i] = letter == 'A' ? 'B' : 'A';
        assert_int_equal(reason_of(fixture, token, STR("filter")), REASON_PAGE_TOKEN_INVALID);
        token[i] = letter;
    }
    assert_int_equal(reason_of(fixture, token, STR("filter")), REASON_NONE);
}

static void junk_is_refused_whatever_its_length(void **state)
{
    struct fixture *fixture = *state;
    char junk[5000];

    for (size_t len = 1; len < sizeof junk; len += len < 200 ? 1 : 777) {
        memset(junk, 'A', len);
        junk[len] = '\0';
        assert_int_equal(reason_of(fixture, junk, STR("filter")), REASON_PAGE_TOKEN_INVALID);
        memset(junk, '!', len);
        assert_int_equal(reason_of(fixture, junk, STR("filter")), REASON_PAGE_TOKEN_INVALID);
    }
    assert_int_equal(reason_of(fixture, "\xc3\xa4", STR("")), REASON_PAGE_TOKEN_INVALID);
}

static void a_cut_or_lengthened_token_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *token =
        page_token_write(&fixture->cx, &fixture->services, STR("filter"), &somewhere);

    for (size_t len = 1; len < strlen(token); len++) {
        assert_int_equal(
            reason_of(fixture, arena_text_n(&fixture->arena, token, len), STR("filter")),
            REASON_PAGE_TOKEN_INVALID);
    }
    assert_int_equal(
        reason_of(fixture, arena_printf(&fixture->arena, "%sA", token), STR("filter")),
        REASON_PAGE_TOKEN_INVALID);
    assert_int_equal(
        reason_of(fixture, arena_printf(&fixture->arena, "%s%s", token, token), STR("filter")),
        REASON_PAGE_TOKEN_INVALID);
}

static void the_place_in_a_stream_is_read_back(void **state)
{
    static const int64_t numbers[] = {0, 1, 123456789, INT64_MAX};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        int64_t seq = -1;
        const char *token =
            resume_token_write(&fixture->cx, &fixture->services, STR("filter"), numbers[i]);

        assert_true(strlen(token) <= TOKEN_MAX);
        assert_int_equal(
            resume_token_read(&fixture->cx, &fixture->services, token, STR("filter"), &seq).code,
            CODE_OK);
        assert_int_equal(seq, numbers[i]);
    }
}

#define TOKEN_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKEN_TEST(a_position_is_read_back),
        TOKEN_TEST(no_token_is_the_beginning),
        TOKEN_TEST(a_token_is_for_one_filter_tenant_purpose_and_secret),
        TOKEN_TEST(every_other_letter_makes_it_another_token),
        TOKEN_TEST(junk_is_refused_whatever_its_length),
        TOKEN_TEST(a_cut_or_lengthened_token_is_refused),
        TOKEN_TEST(the_place_in_a_stream_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
