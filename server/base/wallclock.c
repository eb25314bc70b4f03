#include "base/wallclock.h"

#include <stdio.h>
#include <time.h>

int64_t wallclock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

void wallclock_format(int64_t time_us, char ret_text[RFC3339_SIZE])
{
    int64_t micros = 0;
    time_t seconds = 0;
    char time[16];
    struct tm tm;

    ret_text[0] = '\0';
    if (time_us < TIME_MIN_US || time_us > TIME_MAX_US) {
        return;
    }
    micros = ((time_us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND;
    seconds = (time_t)((time_us - micros) / US_PER_SECOND);
    if (gmtime_r(&seconds, &tm) == NULL) {
        return;
    }
    /* strftime() does not fill years before 1000 up with zeros. */
    strftime(time, sizeof time, "-%m-%dT%H:%M:%S", &tm);
    snprintf(
        ret_text,
        RFC3339_SIZE,
        "%04u%s.%06uZ",
        (uint32_t)(tm.tm_year + 1900) % 10000,
        time,
        (uint32_t)micros);
}
