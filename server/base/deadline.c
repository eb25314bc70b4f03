#include "base/deadline.h"

#include <time.h>

int64_t monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t deadline_in_ms(int64_t ms)
{
    const int64_t now_us = monotonic_us();

    return ms >= (INT64_MAX - now_us) / 1000 ? INT64_MAX : now_us + ms * 1000;
}

int64_t deadline_left_ms(int64_t deadline_us, int64_t max_ms)
{
    int64_t left_us = 0;

    if (deadline_us == INT64_MAX) {
        return max_ms;
    }
    left_us = deadline_us - monotonic_us();
    if (left_us <= 0) {
        return 0;
    }
    return (left_us + 999) / 1000 < max_ms ? (left_us + 999) / 1000 : max_ms;
}
