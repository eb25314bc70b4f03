#include "domain/period.h"

#include <stddef.h>
#include <string.h>

#include "base/wallclock.h"

/* 1970-01-01 was a Thursday: the first Monday is 5 January. */
#define FIRST_MONDAY_US (4 * US_PER_DAY)

static const char *const names[] = {
    [RESET_NEVER] = "NEVER",
    [RESET_DAY] = "DAY",
    [RESET_WEEK] = "WEEK",
    [RESET_MONTH] = "MONTH",
    [RESET_YEAR] = "YEAR",
    [RESET_BILLING_PERIOD] = "BILLING_PERIOD",
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* A day of the Gregorian calendar in UTC: no zones and no leap seconds, so it is whole numbers
 * only, and cheap enough for every check. */
struct civil {
    int64_t year;
    int64_t month;   /* 0 to 11 */
    int64_t day;     /* 1 to 31 */
    int64_t rest_us; /* into the day */
};

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month] + (month == 1 && leap ? 1 : 0);
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day is the last one; 400
 * years have 146,097 days, and the months from March on (153 * m + 2) / 5 days before them. */
static int64_t days_of(const struct civil *civil)
{
    const int64_t year = civil->year - (civil->month < 2 ? 1 : 0);
    const int64_t era = floor_divide(year, 400);
    const int64_t year_of_era = year - era * 400;
    const int64_t month = civil->month < 2 ? civil->month + 10 : civil->month - 2;
    const int64_t day_of_year = (153 * month + 2) / 5 + civil->day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468; /* 0000-03-01 to 1970-01-01 */
}

static struct civil civil_of(int64_t at_us)
{
    const int64_t days = floor_divide(at_us, US_PER_DAY);
    const int64_t era = floor_divide(days + 719468, 146097);
    const int64_t day_of_era = days + 719468 - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;

    return (struct civil){
        .year = year_of_era + era * 400 + (month >= 10 ? 1 : 0),
        .month = month < 10 ? month + 2 : month - 10,
        .day = day_of_year - (153 * month + 2) / 5 + 1,
        .rest_us = at_us - days * US_PER_DAY,
    };
}

int64_t period_add_months(int64_t at_us, int64_t months)
{
    struct civil civil = civil_of(at_us);
    const int64_t month = civil.year * 12 + civil.month + months;
    int64_t last = 0;

    civil.year = floor_divide(month, 12);
    civil.month = month - civil.year * 12;
    last = days_in_month(civil.year, civil.month);
    civil.day = civil.day < last ? civil.day : last;
    return days_of(&civil) * US_PER_DAY + civil.rest_us;
}

static struct window fixed_window(int64_t anchor_us, int64_t length_us, int64_t at_us)
{
    const int64_t n = floor_divide(at_us - anchor_us, length_us);

    return (struct window){anchor_us + n * length_us, anchor_us + (n + 1) * length_us};
}

static struct window month_window(int64_t anchor_us, int64_t step, int64_t at_us)
{
    const struct civil anchor = civil_of(anchor_us);
    const struct civil at = civil_of(at_us);
    const int64_t months = (at.year - anchor.year) * 12 + at.month - anchor.month;
    int64_t n = floor_divide(months, step);

    /* Within its month the time may lie before the anchor's day and hour. */
    if (period_add_months(anchor_us, n * step) > at_us) {
        n--;
    }
    return (struct window){
        period_add_months(anchor_us, n * step), period_add_months(anchor_us, (n + 1) * step)};
}

static struct window billing_window(const struct window_rule *rule, int64_t at_us)
{
    if (rule->period_start_us == 0) {
        return month_window(0, 1, at_us);
    }
    if (at_us < rule->period_start_us) {
        return (struct window){0, rule->period_start_us};
    }
    if (rule->period_end_us == 0 || at_us < rule->period_end_us) {
        return (struct window){
            rule->period_start_us, rule->period_end_us == 0 ? INT64_MAX : rule->period_end_us};
    }
    return (struct window){rule->period_end_us, INT64_MAX};
}

struct window period_window(const struct window_rule *rule, int64_t at_us)
{
    switch (rule->reset) {
    case RESET_NEVER:
        return (struct window){0, INT64_MAX};
    case RESET_DAY:
        return fixed_window(rule->anchor_us, US_PER_DAY, at_us);
    case RESET_WEEK:
        return fixed_window(
            rule->anchor_us == 0 ? FIRST_MONDAY_US : rule->anchor_us, 7 * US_PER_DAY, at_us);
    case RESET_MONTH:
        return month_window(rule->anchor_us, 1, at_us);
    case RESET_YEAR:
        return month_window(rule->anchor_us, 12, at_us);
    case RESET_BILLING_PERIOD:
        return billing_window(rule, at_us);
    }
    return (struct window){0, INT64_MAX};
}

const char *reset_period_name(enum reset_period reset)
{
    return names[reset];
}

bool reset_period_parse(const char *name, enum reset_period *ret_reset)
{
    *ret_reset = RESET_NEVER;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_reset = (enum reset_period)i;
            return true;
        }
    }
    return false;
}
