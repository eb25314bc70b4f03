#include "base/money.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct currency {
    char code[4];
    int exponent;
    int payment_exponent;
};

/* Sorted by code; a unit test holds the file to it. */
static const struct currency currencies[] = {
#define CURRENCY(code, exponent, payment_exponent) {#code, exponent, payment_exponent},
#include "base/currency.def"
#undef CURRENCY
};

static const struct currency *find_currency(const char *code)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(currencies);

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = strcmp(code, currencies[middle].code);

        if (order == 0) {
            return &currencies[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

bool currency_known(const char *currency)
{
    return find_currency(currency) != NULL;
}

int currency_exponent(const char *currency)
{
    const struct currency *found = find_currency(currency);

    return found == NULL ? -1 : found->exponent;
}

int currency_payment_exponent(const char *currency)
{
    const struct currency *found = find_currency(currency);

    return found == NULL ? -1 : found->payment_exponent;
}

static struct status check_currencies(struct ctx *cx, struct money a, struct money b)
{
    if (strcmp(a.currency, b.currency) != 0) {
        return status_fail(
            cx, REASON_CURRENCY_MISMATCH, "cannot add %s to %s", b.currency, a.currency);
    }
    return STATUS_OK;
}

static struct status too_large(struct ctx *cx, const char *currency)
{
    return status_fail(cx, REASON_QUANTITY_OVERFLOW, "the amount in %s is too large", currency);
}

static struct money made(int64_t minor, struct money like)
{
    like.minor = minor;
    return like;
}

struct status money_add(struct ctx *cx, struct money a, struct money b, struct money *ret)
{
    int64_t sum = 0;

    TRY(check_currencies(cx, a, b));
    if (__builtin_add_overflow(a.minor, b.minor, &sum)) {
        return too_large(cx, a.currency);
    }
    *ret = made(sum, a);
    return STATUS_OK;
}

struct status money_subtract(struct ctx *cx, struct money a, struct money b, struct money *ret)
{
    int64_t difference = 0;

    TRY(check_currencies(cx, a, b));
    if (__builtin_sub_overflow(a.minor, b.minor, &difference)) {
        return too_large(cx, a.currency);
    }
    *ret = made(difference, a);
    return STATUS_OK;
}

/* Of the size alone, so that a credit is rounded as the charge that it takes back. */
static bool rounds_up(
    unsigned __int128 whole,
    unsigned __int128 rest,
    unsigned __int128 denominator,
    enum rounding rounding)
{
    switch (rounding) {
    case ROUND_HALF_EVEN:
        return 2 * rest > denominator || (2 * rest == denominator && whole % 2 == 1);
    case ROUND_DOWN:
        return false;
    case ROUND_UP:
        return rest > 0;
    }
    return false;
}

struct status money_scale(
    struct ctx *cx,
    struct money a,
    int64_t numerator,
    int64_t denominator,
    enum rounding rounding,
    struct money *ret)
{
    const __int128 product = (__int128)a.minor * numerator;
    const unsigned __int128 size =
        product < 0 ? -(unsigned __int128)product : (unsigned __int128)product;
    unsigned __int128 whole = 0;
    __int128 scaled = 0;

    assert(denominator > 0);
    whole = size / (uint64_t)denominator;
    if (rounds_up(whole, size % (uint64_t)denominator, (uint64_t)denominator, rounding)) {
        whole++;
    }
    scaled = product < 0 ? -(__int128)whole : (__int128)whole;
    if (scaled < INT64_MIN || scaled > INT64_MAX) {
        return too_large(cx, a.currency);
    }
    *ret = made((int64_t)scaled, a);
    return STATUS_OK;
}

void money_split(struct money whole, int64_t count, int64_t index, struct money *ret_part)
{
    assert(count > 0);
    assert(index >= 0);
    assert(index < count);

    const int64_t rest = whole.minor % count;
    const int64_t extra = index < (rest < 0 ? -rest : rest) ? 1 : 0;

    *ret_part = made(whole.minor / count + (rest < 0 ? -extra : extra), whole);
}

void money_format(struct money money, char ret_text[MONEY_TEXT_SIZE])
{
    const uint64_t size = money.minor < 0 ? -(uint64_t)money.minor : (uint64_t)money.minor;
    const char *sign = money.minor < 0 ? "-" : "";
    char number[32];

    switch (currency_exponent(money.currency)) {
    case 3:
        snprintf(number, sizeof number, "%" PRIu64 ".%03d", size / 1000, (int)(size % 1000));
        break;
    case 2:
        snprintf(number, sizeof number, "%" PRIu64 ".%02d", size / 100, (int)(size % 100));
        break;
    default: /* of an unknown currency the minor units are all there is to say */
        snprintf(number, sizeof number, "%" PRIu64, size);
        break;
    }
    snprintf(ret_text, MONEY_TEXT_SIZE, "%s%s %.3s", sign, number, money.currency);
}
