#include "sandbox/calendar.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define DAY_S INT64_C(86400)

static const char *const words[] = {
    [UNIT_DAY] = "day", [UNIT_WEEK] = "week", [UNIT_MONTH] = "month", [UNIT_YEAR] = "year"};

struct date {
    int64_t year;
    int64_t month; /* 1..12 */
    int64_t day;   /* 1..31 */
};

const char *calendar_unit_word(enum calendar_unit unit)
{
    return words[unit];
}

bool calendar_unit_parse(const char *word, enum calendar_unit *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            *ret = (enum calendar_unit)i;
            return true;
        }
    }
    return false;
}

/* Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the
 * leap day is the last. */
static int64_t days_of(struct date date)
{
    const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static struct date date_of(int64_t days)
{
    const int64_t z = days + 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t day_of_era = z - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;
    struct date date = {
        .year = year_of_era + era * 400,
        .month = month < 10 ? month + 3 : month - 9,
        .day = day_of_year - (153 * month + 2) / 5 + 1,
    };

    date.year += date.month <= 2;
    return date;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t add_months(int64_t time_s, int64_t months)
{
    const int64_t days = floor_div(time_s, DAY_S);
    struct date date = date_of(days);
    const int64_t total = date.year * 12 + date.month - 1 + months;
    struct date next_month = {.day = 1};
    int64_t last_day = 0;

    date.year = floor_div(total, 12);
    date.month = total - date.year * 12 + 1;
    next_month.year = date.month == 12 ? date.year + 1 : date.year;
    next_month.month = date.month == 12 ? 1 : date.month + 1;
    last_day = date_of(days_of(next_month) - 1).day;
    if (date.day > last_day) {
        date.day = last_day;
    }
    return days_of(date) * DAY_S + (time_s - days * DAY_S);
}

int64_t calendar_step(int64_t anchor_s, struct interval interval, int64_t steps)
{
    switch (interval.unit) {
    case UNIT_DAY:
        return anchor_s + steps * interval.count * DAY_S;
    case UNIT_WEEK:
        return anchor_s + steps * interval.count * 7 * DAY_S;
    case UNIT_MONTH:
        return add_months(anchor_s, steps * interval.count);
    case UNIT_YEAR:
        return add_months(anchor_s, steps * interval.count * 12);
    }
    return anchor_s;
}

int64_t calendar_next(int64_t anchor_s, struct interval interval, int64_t after_s)
{
    static const int64_t longest_s[] = {
        [UNIT_DAY] = DAY_S,
        [UNIT_WEEK] = 7 * DAY_S,
        [UNIT_MONTH] = 31 * DAY_S,
        [UNIT_YEAR] = 366 * DAY_S};
    /* Too few steps for certain; the rest is walked. */
    int64_t steps = floor_div(after_s - anchor_s, longest_s[interval.unit] * interval.count) - 1;

    while (calendar_step(anchor_s, interval, steps) <= after_s) {
        steps++;
    }
    return calendar_step(anchor_s, interval, steps);
}
