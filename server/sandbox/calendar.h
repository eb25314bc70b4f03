#pragma once

/* Billing periods in the calendar, UTC. A period that begins on the 31st ends on the last day of a
 * shorter month and comes back to the 31st afterwards: ends are counted from the anchor, never from
 * the previous end. */

#include <stdbool.h>
#include <stdint.h>

enum calendar_unit {
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_YEAR
};

struct interval {
    enum calendar_unit unit;
    int64_t count;
};

/* "month". */
const char *calendar_unit_word(enum calendar_unit unit);
bool calendar_unit_parse(const char *word, enum calendar_unit *ret);

/* anchor + steps intervals; steps may be negative. */
int64_t calendar_step(int64_t anchor_s, struct interval interval, int64_t steps);

/* The first anchor + k intervals that lies after `after_s`. */
int64_t calendar_next(int64_t anchor_s, struct interval interval, int64_t after_s);
