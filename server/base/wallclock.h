#pragma once

/* The wall clock and its text forms: microseconds UTC since 1970. Domain code is given the time and
 * never asks for it. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

/* 0001-01-01 and 9999-12-31T23:59:59.999999Z: the range of google.protobuf.Timestamp. */
#define TIME_MIN_US INT64_C(-62135596800000000)
#define TIME_MAX_US INT64_C(253402300799999999)

int64_t wallclock_us(void);

#define RFC3339_SIZE 28

/* "2026-11-24T13:42:22.000123Z"; "" outside that range. The buffer has RFC3339_SIZE bytes. */
void wallclock_format(int64_t time_us, char ret_text[RFC3339_SIZE]);
