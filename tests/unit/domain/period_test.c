#include "domain/period.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/wallclock.h"

#define ROUNDS 200000

/* "2026-11-24T13:42:22.000001" in UTC; "" and "0" are 0, "never" is INT64_MAX. */
static int64_t at(const char *text)
{
    struct tm tm = {0};
    const char *rest = NULL;
    long micros = 0;

    if (strcmp(text, "never") == 0) {
        return INT64_MAX;
    }
    if (text[0] == '\0' || strcmp(text, "0") == 0) {
        return 0;
    }
    rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    assert_non_null(rest);
    if (rest[0] == '.') {
        micros = strtol(rest + 1, NULL, 10);
    }
    return (int64_t)timegm(&tm) * US_PER_SECOND + micros;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t random_between(uint64_t *seed, int64_t low, int64_t high)
{
    return low + (int64_t)(next_random(seed) % (uint64_t)(high - low));
}

/* What stands here was computed with Python's datetime and calendar. */
/* clang-format off: one case a line */
static const struct {
    enum reset_period reset;
    const char *anchor;
    const char *period_start;
    const char *period_end;
    const char *at;
    const char *start;
    const char *end;
} windows[] = {
    {RESET_NEVER, "", "", "", "2026-11-24T13:42:22", "0", "never"},
    {RESET_NEVER, "", "", "", "1969-07-20T20:17:40", "0", "never"},
    {RESET_NEVER, "2026-01-31T10:00:00", "", "", "2026-11-24T13:42:22", "0", "never"},
    {RESET_DAY, "", "", "", "2026-11-24T13:42:22", "2026-11-24T00:00:00", "2026-11-25T00:00:00"},
    {RESET_DAY, "", "", "", "2026-11-24T00:00:00", "2026-11-24T00:00:00", "2026-11-25T00:00:00"},
    {RESET_DAY,
     "",
     "",
     "",
     "2026-11-24T23:59:59.999999",
     "2026-11-24T00:00:00",
     "2026-11-25T00:00:00"},
    {RESET_DAY, "", "", "", "2024-02-29T12:00:00", "2024-02-29T00:00:00", "2024-03-01T00:00:00"},
    {RESET_DAY, "", "", "", "2023-12-31T23:00:00", "2023-12-31T00:00:00", "2024-01-01T00:00:00"},
    {RESET_DAY, "", "", "", "1969-12-31T23:59:59", "1969-12-31T00:00:00", "1970-01-01T00:00:00"},
    {RESET_DAY, "", "", "", "1969-12-31T00:00:00", "1969-12-31T00:00:00", "1970-01-01T00:00:00"},
    {RESET_DAY, "", "", "", "1900-03-01T06:00:00", "1900-03-01T00:00:00", "1900-03-02T00:00:00"},
    {RESET_DAY,
     "2026-11-20T09:30:00",
     "",
     "",
     "2026-11-24T09:29:59.999999",
     "2026-11-23T09:30:00",
     "2026-11-24T09:30:00"},
    {RESET_DAY,
     "2026-11-20T09:30:00",
     "",
     "",
     "2026-11-24T09:30:00",
     "2026-11-24T09:30:00",
     "2026-11-25T09:30:00"},
    {RESET_DAY,
     "2026-11-20T09:30:00",
     "",
     "",
     "2026-11-18T12:00:00",
     "2026-11-18T09:30:00",
     "2026-11-19T09:30:00"},
    {RESET_WEEK, "", "", "", "2026-11-24T13:42:22", "2026-11-23T00:00:00", "2026-11-30T00:00:00"},
    {RESET_WEEK, "", "", "", "2026-11-23T00:00:00", "2026-11-23T00:00:00", "2026-11-30T00:00:00"},
    {RESET_WEEK,
     "",
     "",
     "",
     "2026-11-22T23:59:59.999999",
     "2026-11-16T00:00:00",
     "2026-11-23T00:00:00"},
    {RESET_WEEK, "", "", "", "1970-01-01T00:00:00", "1969-12-29T00:00:00", "1970-01-05T00:00:00"},
    {RESET_WEEK, "", "", "", "1970-01-04T23:59:59", "1969-12-29T00:00:00", "1970-01-05T00:00:00"},
    {RESET_WEEK, "", "", "", "1970-01-05T00:00:00", "1970-01-05T00:00:00", "1970-01-12T00:00:00"},
    {RESET_WEEK, "", "", "", "1969-12-29T00:00:00", "1969-12-29T00:00:00", "1970-01-05T00:00:00"},
    {RESET_WEEK, "", "", "", "1969-12-28T23:59:59", "1969-12-22T00:00:00", "1969-12-29T00:00:00"},
    {RESET_WEEK, "", "", "", "2024-02-29T00:00:00", "2024-02-26T00:00:00", "2024-03-04T00:00:00"},
    {RESET_WEEK, "", "", "", "2021-01-02T10:00:00", "2020-12-28T00:00:00", "2021-01-04T00:00:00"},
    {RESET_WEEK,
     "2026-11-19T18:00:00",
     "",
     "",
     "2026-11-24T13:42:22",
     "2026-11-19T18:00:00",
     "2026-11-26T18:00:00"},
    {RESET_WEEK,
     "2026-11-19T18:00:00",
     "",
     "",
     "2026-11-19T17:59:59",
     "2026-11-12T18:00:00",
     "2026-11-19T18:00:00"},
    {RESET_WEEK,
     "2026-11-19T18:00:00",
     "",
     "",
     "2026-11-26T18:00:00",
     "2026-11-26T18:00:00",
     "2026-12-03T18:00:00"},
    {RESET_MONTH, "", "", "", "2026-11-24T13:42:22", "2026-11-01T00:00:00", "2026-12-01T00:00:00"},
    {RESET_MONTH, "", "", "", "2026-11-01T00:00:00", "2026-11-01T00:00:00", "2026-12-01T00:00:00"},
    {RESET_MONTH,
     "",
     "",
     "",
     "2026-10-31T23:59:59.999999",
     "2026-10-01T00:00:00",
     "2026-11-01T00:00:00"},
    {RESET_MONTH, "", "", "", "2024-02-29T23:59:59", "2024-02-01T00:00:00", "2024-03-01T00:00:00"},
    {RESET_MONTH, "", "", "", "2023-02-28T23:59:59", "2023-02-01T00:00:00", "2023-03-01T00:00:00"},
    {RESET_MONTH, "", "", "", "2100-02-28T12:00:00", "2100-02-01T00:00:00", "2100-03-01T00:00:00"},
    {RESET_MONTH, "", "", "", "2000-02-29T12:00:00", "2000-02-01T00:00:00", "2000-03-01T00:00:00"},
    {RESET_MONTH, "", "", "", "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"},
    {RESET_MONTH, "", "", "", "1969-12-31T23:59:59", "1969-12-01T00:00:00", "1970-01-01T00:00:00"},
    {RESET_MONTH, "", "", "", "1970-01-01T00:00:00", "1970-01-01T00:00:00", "1970-02-01T00:00:00"},
    {RESET_MONTH, "", "", "", "1968-02-29T01:00:00", "1968-02-01T00:00:00", "1968-03-01T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-01-31T00:00:00",
     "2026-01-31T00:00:00",
     "2026-02-28T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-02-27T23:59:59",
     "2026-01-31T00:00:00",
     "2026-02-28T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-02-28T00:00:00",
     "2026-02-28T00:00:00",
     "2026-03-31T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-03-30T12:00:00",
     "2026-02-28T00:00:00",
     "2026-03-31T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-03-31T00:00:00",
     "2026-03-31T00:00:00",
     "2026-04-30T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-04-30T00:00:00",
     "2026-04-30T00:00:00",
     "2026-05-31T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-05-30T23:59:59",
     "2026-04-30T00:00:00",
     "2026-05-31T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2028-02-29T00:00:00",
     "2028-02-29T00:00:00",
     "2028-03-31T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2028-02-28T23:59:59",
     "2028-01-31T00:00:00",
     "2028-02-29T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2025-12-31T00:00:00",
     "2025-12-31T00:00:00",
     "2026-01-31T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T00:00:00",
     "",
     "",
     "2025-11-29T00:00:00",
     "2025-10-31T00:00:00",
     "2025-11-30T00:00:00"},
    {RESET_MONTH,
     "2026-01-31T15:30:45.123456",
     "",
     "",
     "2026-02-28T15:30:45.123455",
     "2026-01-31T15:30:45.123456",
     "2026-02-28T15:30:45.123456"},
    {RESET_MONTH,
     "2026-01-31T15:30:45.123456",
     "",
     "",
     "2026-02-28T15:30:45.123456",
     "2026-02-28T15:30:45.123456",
     "2026-03-31T15:30:45.123456"},
    {RESET_MONTH,
     "2026-01-30T00:00:00",
     "",
     "",
     "2026-02-28T00:00:00",
     "2026-02-28T00:00:00",
     "2026-03-30T00:00:00"},
    {RESET_MONTH,
     "2026-01-29T00:00:00",
     "",
     "",
     "2026-02-28T00:00:00",
     "2026-02-28T00:00:00",
     "2026-03-29T00:00:00"},
    {RESET_MONTH,
     "2026-01-29T00:00:00",
     "",
     "",
     "2026-03-28T23:59:59",
     "2026-02-28T00:00:00",
     "2026-03-29T00:00:00"},
    {RESET_MONTH,
     "2024-02-29T08:00:00",
     "",
     "",
     "2025-02-28T08:00:00",
     "2025-02-28T08:00:00",
     "2025-03-29T08:00:00"},
    {RESET_MONTH,
     "2024-02-29T08:00:00",
     "",
     "",
     "2025-03-29T07:59:59",
     "2025-02-28T08:00:00",
     "2025-03-29T08:00:00"},
    {RESET_MONTH,
     "2026-11-15T12:00:00",
     "",
     "",
     "2026-11-15T11:59:59",
     "2026-10-15T12:00:00",
     "2026-11-15T12:00:00"},
    {RESET_MONTH,
     "1965-05-31T01:00:00",
     "",
     "",
     "1965-06-30T00:59:59",
     "1965-05-31T01:00:00",
     "1965-06-30T01:00:00"},
    {RESET_MONTH,
     "1965-05-31T01:00:00",
     "",
     "",
     "2026-06-30T01:00:00",
     "2026-06-30T01:00:00",
     "2026-07-31T01:00:00"},
    {RESET_YEAR, "", "", "", "2026-11-24T13:42:22", "2026-01-01T00:00:00", "2027-01-01T00:00:00"},
    {RESET_YEAR,
     "",
     "",
     "",
     "2026-12-31T23:59:59.999999",
     "2026-01-01T00:00:00",
     "2027-01-01T00:00:00"},
    {RESET_YEAR, "", "", "", "2027-01-01T00:00:00", "2027-01-01T00:00:00", "2028-01-01T00:00:00"},
    {RESET_YEAR, "", "", "", "1969-06-01T00:00:00", "1969-01-01T00:00:00", "1970-01-01T00:00:00"},
    {RESET_YEAR,
     "2024-02-29T00:00:00",
     "",
     "",
     "2025-02-27T23:59:59",
     "2024-02-29T00:00:00",
     "2025-02-28T00:00:00"},
    {RESET_YEAR,
     "2024-02-29T00:00:00",
     "",
     "",
     "2025-02-28T00:00:00",
     "2025-02-28T00:00:00",
     "2026-02-28T00:00:00"},
    {RESET_YEAR,
     "2024-02-29T00:00:00",
     "",
     "",
     "2028-02-28T23:59:59",
     "2027-02-28T00:00:00",
     "2028-02-29T00:00:00"},
    {RESET_YEAR,
     "2024-02-29T00:00:00",
     "",
     "",
     "2028-02-29T00:00:00",
     "2028-02-29T00:00:00",
     "2029-02-28T00:00:00"},
    {RESET_YEAR,
     "2024-02-29T00:00:00",
     "",
     "",
     "2023-03-01T00:00:00",
     "2023-02-28T00:00:00",
     "2024-02-29T00:00:00"},
    {RESET_YEAR,
     "2026-07-01T09:00:00",
     "",
     "",
     "2026-07-01T08:59:59",
     "2025-07-01T09:00:00",
     "2026-07-01T09:00:00"},
    {RESET_YEAR,
     "2026-07-01T09:00:00",
     "",
     "",
     "2031-12-01T00:00:00",
     "2031-07-01T09:00:00",
     "2032-07-01T09:00:00"},
    {RESET_YEAR,
     "1960-01-01T00:00:00",
     "",
     "",
     "1960-12-31T00:00:00",
     "1960-01-01T00:00:00",
     "1961-01-01T00:00:00"},
    {RESET_BILLING_PERIOD,
     "",
     "",
     "",
     "2026-11-24T13:42:22",
     "2026-11-01T00:00:00",
     "2026-12-01T00:00:00"},
    {RESET_BILLING_PERIOD,
     "2026-01-31T00:00:00",
     "",
     "",
     "2026-11-24T13:42:22",
     "2026-11-01T00:00:00",
     "2026-12-01T00:00:00"},
    {RESET_BILLING_PERIOD,
     "",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00",
     "2026-11-10T07:59:59",
     "0",
     "2026-11-10T08:00:00"},
    {RESET_BILLING_PERIOD,
     "",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00",
     "2026-11-10T08:00:00",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00"},
    {RESET_BILLING_PERIOD,
     "",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00",
     "2026-12-10T07:59:59",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00"},
    {RESET_BILLING_PERIOD,
     "",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00",
     "2026-12-10T08:00:00",
     "2026-12-10T08:00:00",
     "never"},
    {RESET_BILLING_PERIOD,
     "",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00",
     "2027-05-01T00:00:00",
     "2026-12-10T08:00:00",
     "never"},
    {RESET_BILLING_PERIOD,
     "",
     "2026-11-10T08:00:00",
     "",
     "2027-05-01T00:00:00",
     "2026-11-10T08:00:00",
     "never"},
    {RESET_BILLING_PERIOD,
     "2026-01-31T00:00:00",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00",
     "2026-11-24T00:00:00",
     "2026-11-10T08:00:00",
     "2026-12-10T08:00:00"},
};

static const struct {
    const char *at;
    int64_t months;
    const char *moved;
} moves[] = {
    {"2026-01-31T10:00:00", 1, "2026-02-28T10:00:00"},
    {"2026-01-31T10:00:00", 2, "2026-03-31T10:00:00"},
    {"2026-01-31T10:00:00", -2, "2025-11-30T10:00:00"},
    {"2026-01-31T10:00:00", 25, "2028-02-29T10:00:00"},
    {"2024-02-29T00:00:00", 12, "2025-02-28T00:00:00"},
    {"2024-02-29T00:00:00", 48, "2028-02-29T00:00:00"},
    {"2024-02-29T23:59:59.999999", -12, "2023-02-28T23:59:59.999999"},
    {"2026-12-15T00:00:00", 1, "2027-01-15T00:00:00"},
    {"2026-01-15T00:00:00", -1, "2025-12-15T00:00:00"},
    {"1970-01-31T00:00:00", -1, "1969-12-31T00:00:00"},
    {"1969-03-31T06:00:00", -1, "1969-02-28T06:00:00"},
    {"2100-01-30T00:00:00", 1, "2100-02-28T00:00:00"},
    {"2026-08-31T00:00:00", 0, "2026-08-31T00:00:00"},
    {"2026-08-31T00:00:00", 1200, "2126-08-31T00:00:00"},
    {"2026-08-31T00:00:00", -1200, "1926-08-31T00:00:00"},
};
/* clang-format on */

static void windows_are_those_of_the_calendar(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        const struct window_rule rule = {
            .reset = windows[i].reset,
            .anchor_us = at(windows[i].anchor),
            .period_start_us = at(windows[i].period_start),
            .period_end_us = at(windows[i].period_end),
        };
        const struct window window = period_window(&rule, at(windows[i].at));

        if (window.start_us != at(windows[i].start) || window.end_us != at(windows[i].end)) {
            fail_msg(
                "case %zu, %s from \"%s\" at %s: %" PRId64 " to %" PRId64,
                i,
                reset_period_name(windows[i].reset),
                windows[i].anchor,
                windows[i].at,
                window.start_us,
                window.end_us);
        }
    }
}

static void months_are_added_with_the_day_clamped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        assert_int_equal(period_add_months(at(moves[i].at), moves[i].months), at(moves[i].moved));
    }
}

/* Whatever the anchor: a window holds the time it was asked for, and the next one begins where it
 * ends, so that nothing is counted twice or not at all. */
static void windows_follow_each_other_without_gap_or_overlap(void **state)
{
    static const enum reset_period resets[] = {RESET_DAY, RESET_WEEK, RESET_MONTH, RESET_YEAR};
    uint64_t seed = 7305031961;

    (void)state;
    for (size_t i = 0; i < ROUNDS; i++) {
        const int64_t now_us =
            random_between(&seed, at("1950-01-01T00:00:00"), at("2110-01-01T00:00:00"));
        const struct window_rule rule = {
            .reset = resets[i % ARRAY_LEN(resets)],
            .anchor_us =
                i % 5 == 0
                    ? 0
                    : random_between(&seed, at("1960-01-01T00:00:00"), at("2060-01-01T00:00:00")),
        };
        const struct window window = period_window(&rule, now_us);
        const struct window next = period_window(&rule, window.end_us);
        const struct window before = period_window(&rule, window.start_us - 1);

        assert_true(window.start_us <= now_us && now_us < window.end_us);
        assert_int_equal(period_window(&rule, window.start_us).start_us, window.start_us);
        assert_int_equal(period_window(&rule, window.end_us - 1).start_us, window.start_us);
        assert_int_equal(next.start_us, window.end_us);
        assert_int_equal(before.end_us, window.start_us);
    }
}

/* Usage after the end of the period is found again under the period that the mirror brings later.
 */
static void what_is_counted_before_the_renewal_is_known_belongs_to_the_new_period(void **state)
{
    const struct window_rule before = {
        .reset = RESET_BILLING_PERIOD,
        .period_start_us = at("2026-10-10T08:00:00"),
        .period_end_us = at("2026-11-10T08:00:00")};
    const struct window_rule after = {
        .reset = RESET_BILLING_PERIOD,
        .period_start_us = at("2026-11-10T08:00:00"),
        .period_end_us = at("2026-12-10T08:00:00")};
    const int64_t now_us = at("2026-11-10T08:00:01");

    (void)state;
    assert_int_equal(
        period_window(&before, now_us).start_us, period_window(&after, now_us).start_us);
}

static void the_ends_of_time_have_windows_too(void **state)
{
    static const enum reset_period resets[] = {
        RESET_NEVER, RESET_DAY, RESET_WEEK, RESET_MONTH, RESET_YEAR, RESET_BILLING_PERIOD};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
        const struct window_rule rule = {.reset = resets[i]};
        const struct window first = period_window(&rule, TIME_MIN_US);
        const struct window last = period_window(&rule, TIME_MAX_US);

        assert_true(first.end_us > TIME_MIN_US);
        assert_true(last.start_us <= TIME_MAX_US && last.end_us > TIME_MAX_US);
    }
}

static void names_are_read_back(void **state)
{
    enum reset_period reset = RESET_YEAR;

    (void)state;
    for (int i = RESET_NEVER; i <= RESET_BILLING_PERIOD; i++) {
        assert_true(reset_period_parse(reset_period_name((enum reset_period)i), &reset));
        assert_int_equal(reset, i);
    }
    assert_false(reset_period_parse("FORTNIGHT", &reset));
    assert_int_equal(reset, RESET_NEVER);
    assert_false(reset_period_parse("month", &reset));
    assert_false(reset_period_parse("", &reset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_those_of_the_calendar),
        cmocka_unit_test(months_are_added_with_the_day_clamped),
        cmocka_unit_test(windows_follow_each_other_without_gap_or_overlap),
        cmocka_unit_test(what_is_counted_before_the_renewal_is_known_belongs_to_the_new_period),
        cmocka_unit_test(the_ends_of_time_have_windows_too),
        cmocka_unit_test(names_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
