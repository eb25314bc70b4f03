#pragma once

/* Amounts of money: minor units of a currency, never a fraction. Only these functions compute; each
 * checks overflow and currency. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;

struct money {
    int64_t minor;
    char currency[4]; /* ISO 4217, upper case, NUL-terminated */
};

enum rounding {
    ROUND_HALF_EVEN,
    ROUND_DOWN,
    ROUND_UP
};

/* Three letters of currency.def. */
bool currency_known(const char *currency);

/* Digits after the point by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD. -1 when unknown. */
int currency_exponent(const char *currency);

/* Digits after the point in the amounts of the payment side, which departs from ISO for some. */
int currency_payment_exponent(const char *currency);

/* Fail with CURRENCY_MISMATCH or QUANTITY_OVERFLOW. */
struct status
money_add(struct ctx *cx, struct money a, struct money b, struct money *ret) MUST_CHECK;
struct status
money_subtract(struct ctx *cx, struct money a, struct money b, struct money *ret) MUST_CHECK;

/* a * numerator / denominator, rounded; denominator > 0. */
struct status money_scale(
    struct ctx *cx,
    struct money a,
    int64_t numerator,
    int64_t denominator,
    enum rounding rounding,
    struct money *ret) MUST_CHECK;

/* Splits into count parts that differ by at most one minor unit and add up to the whole: the one
 * with that index, from 0. The first ones are the larger ones. */
void money_split(struct money whole, int64_t count, int64_t index, struct money *ret_part);

#define MONEY_TEXT_SIZE 40

/* "19.99 EUR", "-5 JPY". */
void money_format(struct money money, char ret_text[MONEY_TEXT_SIZE]);
