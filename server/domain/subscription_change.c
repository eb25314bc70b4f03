#include "domain/subscription_change.h"

const char *change_proration_word(enum change_proration proration)
{
    switch (proration) {
    case PRORATION_INVOICE_NOW:
        return "always_invoice";
    case PRORATION_NEXT_INVOICE:
        return "create_prorations";
    case PRORATION_NONE:
        return "none";
    }
    return "";
}

/* Only for comparing: a month has thirty days here, a year twelve of them. */
static int64_t days(struct recurring recurring)
{
    static const int64_t days_of[] = {
        [INTERVAL_DAY] = 1,
        [INTERVAL_WEEK] = 7,
        [INTERVAL_MONTH] = 30,
        [INTERVAL_YEAR] = 360,
    };

    return days_of[recurring.interval] * recurring.interval_count;
}

enum change_timing change_timing_by_direction(struct recurring before, struct recurring after)
{
    const int64_t longer = days(after) - days(before);

    return longer > 0 || (longer == 0 && after.minor >= before.minor) ? CHANGE_TIMING_NOW
                                                                      : CHANGE_TIMING_AT_PERIOD_END;
}

bool change_allowed(enum subscription_status status)
{
    return status == SUBSCRIPTION_ACTIVE || status == SUBSCRIPTION_TRIALING ||
           status == SUBSCRIPTION_PAST_DUE;
}
