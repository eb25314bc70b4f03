#include "domain/usage.h"

enum usage_time usage_time_check(int64_t event_us, int64_t now_us)
{
    if (event_us > now_us + USAGE_FUTURE_US_MAX) {
        return USAGE_TIME_IN_FUTURE;
    }
    return event_us < now_us - USAGE_AGE_US_MAX ? USAGE_TIME_TOO_OLD : USAGE_TIME_TAKEN;
}
