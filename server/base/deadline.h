#pragma once

/* Monotonic time, for deadlines and durations only. Thread-safe. */

#include <stdint.h>

int64_t monotonic_us(void);

/* A deadline that many milliseconds from now; INT64_MAX stays INT64_MAX (none). */
int64_t deadline_in_ms(int64_t ms);

/* What is left of a deadline, rounded up; 0 when it has passed, never more than max_ms. */
int64_t deadline_left_ms(int64_t deadline_us, int64_t max_ms);
