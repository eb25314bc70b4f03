#include "base/log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

#define CAPTURE_BYTES ((size_t)64 * 1024)

static int saved_stderr;
static int pipe_ends[2];
static char captured[CAPTURE_BYTES];

static void capture_start(void)
{
    assert_int_equal(pipe(pipe_ends), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[1]);
}

/* What was written since, without the time, which is the first field of every line. */
static const char *capture_end(void)
{
    ssize_t len = 0;
    size_t filled = 0;

    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    while ((len = read(pipe_ends[0], captured + filled, sizeof captured - 1 - filled)) > 0) {
        filled += (size_t)len;
    }
    close(pipe_ends[0]);
    captured[filled] = '\0';
    return captured;
}

static const char *without_time(const char *line)
{
    static const char logfmt[] = "time=2026-11-24T13:42:22.000123Z ";
    static const char json[] = "{\"time\":\"2026-11-24T13:42:22.000123Z\",";

    if (strncmp(line, "time=20", 7) == 0) {
        return line + sizeof logfmt - 1;
    }
    assert_memory_equal(line, "{\"time\":\"20", 11);
    return line + sizeof json - 1;
}

static void one_line_holds_text_context_and_fields(void **state)
{
    struct ctx *cx = *state;
    const struct id id = {{[15] = 9}};

    cx->request_id = "req-7";
    cx->method = "billingos.v1.SubscriptionService/CreateSubscription";
    cx->caller.org = (struct id){{[15] = 1}};
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    capture_start();
    log_info(
        cx,
        "subscription activated",
        LOG_ID("subscription", ID_SUBSCRIPTION, &id),
        LOG_I64("amount_minor", -1999),
        LOG_TEXT("currency", "EUR"));
    assert_string_equal(
        without_time(capture_end()),
        "level=info msg=\"subscription activated\" request_id=req-7"
        " method=billingos.v1.SubscriptionService/CreateSubscription"
        " org=org_00000000000000000000000001 mode=test"
        " subscription=sub_00000000000000000000000009 amount_minor=-1999 currency=EUR\n");
}

static void the_same_line_as_json(void **state)
{
    struct ctx *cx = *state;
    const struct id id = {{[15] = 9}};

    cx->request_id = "req-7";
    cx->caller.org = (struct id){{[15] = 1}};
    cx->caller.live = true;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture_start();
    log_warn(
        cx,
        "subscription activated",
        LOG_ID("subscription", ID_SUBSCRIPTION, &id),
        LOG_I64("amount_minor", -1999),
        LOG_TEXT("currency", "EUR"));
    assert_string_equal(
        without_time(capture_end()),
        "\"level\":\"warn\",\"msg\":\"subscription activated\",\"request_id\":\"req-7\","
        "\"method\":\"test\",\"org\":\"org_00000000000000000000000001\",\"mode\":\"live\","
        "\"subscription\":\"sub_00000000000000000000000009\",\"amount_minor\":-1999,"
        "\"currency\":\"EUR\"}\n");
}

static void nothing_in_a_value_ends_the_line_or_its_quotes(void **state)
{
    static const struct {
        const char *value;
        const char *logfmt;
        const char *json;
    } cases[] = {
        {"plain", "v=plain\n", "\"v\":\"plain\"}\n"},
        {"", "v=\"\"\n", "\"v\":\"\"}\n"},
        {"two words", "v=\"two words\"\n", "\"v\":\"two words\"}\n"},
        {"a=b", "v=\"a=b\"\n", "\"v\":\"a=b\"}\n"},
        {"say \"no\"", "v=\"say \\\"no\\\"\"\n", "\"v\":\"say \\\"no\\\"\"}\n"},
        {"back\\slash", "v=\"back\\\\slash\"\n", "\"v\":\"back\\\\slash\"}\n"},
        {"a\nlevel=error", "v=\"a\\nlevel=error\"\n", "\"v\":\"a\\nlevel=error\"}\n"},
        {"tab\tbell\a\x1b\x7f",
         "v=\"tab\\tbell\\u0007\\u001b\\u007f\"\n",
         "\"v\":\"tab\\tbell\\u0007\\u001b\\u007f\"}\n"},
        {"\xe2\x82\xac 5", "v=\"\xe2\x82\xac 5\"\n", "\"v\":\"\xe2\x82\xac 5\"}\n"},
        {"bad \xff\xc3", "v=\"bad \\ufffd\\ufffd\"\n", "\"v\":\"bad \\ufffd\\ufffd\"}\n"},
        {NULL, "v=\"\"\n", "\"v\":\"\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        const bool json = i % 2 == 1;
        const char *line = NULL;
        const char *found = NULL;

        log_configure(LOG_LEVEL_INFO, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
        capture_start();
        log_info(NULL, "x", LOG_TEXT("v", cases[i / 2].value));
        line = capture_end();
        found = strstr(line, json ? "\"v\":" : "v=\"");
        found = json ? found : strstr(line, " v=") + 1;
        assert_string_equal(found, json ? cases[i / 2].json : cases[i / 2].logfmt);
        assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
    }
}

static void a_status_is_written_as_code_reason_and_error(void **state)
{
    struct ctx *cx = *state;

    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
    capture_start();
    log_error(NULL, "x", LOG_STATUS(STATUS_OK));
    assert_string_equal(without_time(capture_end()), "level=error msg=x code=OK\n");
    capture_start();
    status_ignore(cx, status_fail(cx, REASON_PLAN_EXISTS, "plan \"pro\" exists"), "plan was there");
    assert_string_equal(
        without_time(capture_end()),
        "level=debug msg=\"plan was there, ignoring\" method=test code=ALREADY_EXISTS"
        " reason=PLAN_EXISTS error=\"plan \\\"pro\\\" exists\"\n");
}

static void lines_below_the_level_are_not_written_and_their_fields_not_read(void **state)
{
    int evaluated = 0;

    (void)state;
    log_configure(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    assert_false(log_enabled(LOG_LEVEL_INFO));
    assert_true(log_enabled(LOG_LEVEL_WARN));
    capture_start();
    log_debug(NULL, "x", LOG_I64("n", evaluated++));
    log_info(NULL, "x", LOG_I64("n", evaluated++));
    assert_string_equal(capture_end(), "");
    assert_int_equal(evaluated, 0);
}

static void a_line_is_bounded_and_stays_well_formed(void **state)
{
    static char large[8000];

    (void)state;
    memset(large, '\n', sizeof large - 1); /* each becomes two bytes */
    for (enum log_format format = LOG_FORMAT_LOGFMT; format <= LOG_FORMAT_JSON; format++) {
        const char *line = NULL;

        log_configure(LOG_LEVEL_INFO, format);
        capture_start();
        log_info(
            NULL,
            "x",
            LOG_TEXT("a", large),
            LOG_TEXT("b", large),
            LOG_I64("n", 1),
            LOG_TEXT("c", "y"));
        line = capture_end();
        assert_true(strlen(line) <= 4096);
        assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
        assert_non_null(strstr(line, "\\n\\n"));
        assert_non_null(
            strstr(line, format == LOG_FORMAT_JSON ? ",\"truncated\":true}" : " truncated=true"));
    }
}

static void *write_lines(void *data)
{
    (void)data;
    for (int i = 0; i < 100; i++) {
        log_info(NULL, "a line of some length", LOG_I64("n", i), LOG_TEXT("text", "with space"));
    }
    return NULL;
}

static void lines_of_several_threads_are_not_mixed(void **state)
{
    pthread_t threads[4];
    const char *at = NULL;
    size_t count = 0;

    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    capture_start();
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, write_lines, NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    for (at = capture_end(); *at != '\0'; at += strcspn(at, "\n") + 1) {
        static const char end[] = " text=\"with space\"\n";
        const size_t len = strcspn(at, "\n") + 1;

        assert_memory_equal(at, "time=20", 7);
        assert_memory_equal(at + len - sizeof end + 1, end, sizeof end - 1);
        count++;
    }
    assert_int_equal(count, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(one_line_holds_text_context_and_fields),
        FIXTURE_TEST(the_same_line_as_json),
        FIXTURE_TEST(nothing_in_a_value_ends_the_line_or_its_quotes),
        FIXTURE_TEST(a_status_is_written_as_code_reason_and_error),
        cmocka_unit_test(lines_below_the_level_are_not_written_and_their_fields_not_read),
        cmocka_unit_test(a_line_is_bounded_and_stays_well_formed),
        cmocka_unit_test(lines_of_several_threads_are_not_mixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
