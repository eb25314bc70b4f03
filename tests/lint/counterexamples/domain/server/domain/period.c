#include <pthread.h>

#include "base/wallclock.h"

int64_t period_end(void)
{
    return wallclock_us();
}

char *period_text(void)
{
    return heap_text("month");
}
