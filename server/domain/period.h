#pragma once

/* Windows of time in which usage is counted. Pure: the time is given. UTC throughout; windows in
 * the time zone of a customer are the business of whoever turns local midnights into an anchor.
 *
 * A window with a month or a year is counted from its anchor with the day clamped to the length of
 * the month, always from the anchor itself: one anchored on the 31st starts on 28 February and on
 * 31 March again. */

#include <stdbool.h>
#include <stdint.h>

/* The numbers stand in usage_counters.reset_period. */
enum reset_period {
    RESET_NEVER = 0,
    RESET_DAY = 1,
    RESET_WEEK = 2,
    RESET_MONTH = 3,
    RESET_YEAR = 4,
    RESET_BILLING_PERIOD = 5,
};

struct window {
    int64_t start_us; /* included; 0 for RESET_NEVER */
    int64_t end_us;   /* excluded; INT64_MAX for "never" */
};

struct window_rule {
    enum reset_period reset;
    int64_t anchor_us; /* 0: calendar (midnight, Monday, first of the month or of January, UTC) */
    int64_t period_start_us; /* RESET_BILLING_PERIOD: the period as last mirrored; 0: none known */
    int64_t period_end_us;
};

/* The window that contains at_us. For RESET_BILLING_PERIOD: the mirrored period when at_us lies in
 * it; what comes after its end counts from that end (the renewal is known but not its length, so
 * the end is "never" until the mirror has it), what lies before counts from the beginning of time
 * up to its start. Without a period it is RESET_MONTH by calendar. */
struct window period_window(const struct window_rule *rule, int64_t at_us);

/* at_us moved by whole months, the day clamped to the length of the month; the time of day stays.
 */
int64_t period_add_months(int64_t at_us, int64_t months);

/* "BILLING_PERIOD" and back; RESET_NEVER with false for another text. */
const char *reset_period_name(enum reset_period reset);
bool reset_period_parse(const char *name, enum reset_period *ret_reset);
