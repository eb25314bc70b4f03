#include "base/money.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fixture.h"

static struct money euros(int64_t minor)
{
    return (struct money){minor, "EUR"};
}

static void sums_are_exact_up_to_the_edge_of_int64(void **state)
{
    static const struct {
        int64_t a;
        int64_t b;
        enum reason reason;
        int64_t sum;
    } cases[] = {
        {1, 2, REASON_NONE, 3},
        {-5, 3, REASON_NONE, -2},
        {INT64_MAX - 1, 1, REASON_NONE, INT64_MAX},
        {INT64_MAX, 1, REASON_QUANTITY_OVERFLOW, 7},
        {INT64_MIN, -1, REASON_QUANTITY_OVERFLOW, 7},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct money sum = euros(7);
        const struct status status = money_add(*state, euros(cases[i].a), euros(cases[i].b), &sum);

        assert_int_equal(status_reason(status), cases[i].reason);
        assert_int_equal(sum.minor, cases[i].sum);
    }
}

static void differences_are_exact_up_to_the_edge_of_int64(void **state)
{
    static const struct {
        int64_t a;
        int64_t b;
        enum reason reason;
        int64_t difference;
    } cases[] = {
        {5, 7, REASON_NONE, -2},
        {INT64_MIN + 1, 1, REASON_NONE, INT64_MIN},
        {0, INT64_MIN, REASON_QUANTITY_OVERFLOW, 7},
        {INT64_MIN, 1, REASON_QUANTITY_OVERFLOW, 7},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct money difference = euros(7);
        const struct status status =
            money_subtract(*state, euros(cases[i].a), euros(cases[i].b), &difference);

        assert_int_equal(status_reason(status), cases[i].reason);
        assert_int_equal(difference.minor, cases[i].difference);
    }
}

static void currencies_are_never_mixed(void **state)
{
    const struct money dollars = {1, "USD"};
    struct money result = euros(7);

    assert_int_equal(
        status_reason(money_add(*state, euros(1), dollars, &result)), REASON_CURRENCY_MISMATCH);
    assert_int_equal(
        status_reason(money_subtract(*state, euros(1), dollars, &result)),
        REASON_CURRENCY_MISMATCH);
    assert_int_equal(result.minor, 7);
}

static void scaling_rounds_as_it_was_told(void **state)
{
    static const struct {
        int64_t minor;
        int64_t numerator;
        int64_t denominator;
        int64_t even;
        int64_t down;
        int64_t up;
    } cases[] = {
        {1000, 17, 31, 548, 548, 549},
        {5, 1, 2, 2, 2, 3},
        {7, 1, 2, 4, 3, 4},
        {-5, 1, 2, -2, -2, -3},
        {-7, 1, 2, -4, -3, -4},
        {10, 1, 5, 2, 2, 2},
        {10, -1, 5, -2, -2, -2},
        {1, 1, 3, 0, 0, 1},
        {-1, 1, 3, 0, 0, -1},
        {2, 1, 3, 1, 0, 1},
        {0, 5, 7, 0, 0, 0},
        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
        {INT64_MIN, 1, 1, INT64_MIN, INT64_MIN, INT64_MIN},
        {INT64_MIN, INT64_MIN, INT64_MAX, 7, 7, 7},
        {INT64_MAX, 2, 1, 7, 7, 7},
        {INT64_MIN, -1, 1, 7, 7, 7},
    };

    for (size_t i = 0; i < 3 * ARRAY_LEN(cases); i++) {
        const enum rounding rounding = (enum rounding)(i % 3);
        const int64_t expected = rounding == ROUND_HALF_EVEN ? cases[i / 3].even
                                 : rounding == ROUND_DOWN    ? cases[i / 3].down
                                                             : cases[i / 3].up;
        struct money scaled = euros(7);
        const struct status status = money_scale(
            *state,
            euros(cases[i / 3].minor),
            cases[i / 3].numerator,
            cases[i / 3].denominator,
            rounding,
            &scaled);

        assert_int_equal(scaled.minor, expected);
        assert_int_equal(
            status_reason(status), expected == 7 ? REASON_QUANTITY_OVERFLOW : REASON_NONE);
    }
}

static void parts_differ_by_one_at_most_and_add_up(void **state)
{
    static const int64_t wholes[] = {0, 1, -1, 100, -100, 999, -1001, INT64_MAX, INT64_MIN};
    static const int64_t counts[] = {1, 2, 3, 7, 31, 1000};

    (void)state;
    for (size_t w = 0; w < ARRAY_LEN(wholes); w++) {
        for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
            int64_t sum = 0;
            int64_t least = INT64_MAX;
            int64_t most = INT64_MIN;

            for (int64_t i = 0; i < counts[c]; i++) {
                struct money part;

                money_split(euros(wholes[w]), counts[c], i, &part);
                assert_string_equal(part.currency, "EUR");
                assert_false(__builtin_add_overflow(sum, part.minor, &sum));
                least = part.minor < least ? part.minor : least;
                most = part.minor > most ? part.minor : most;
            }
            assert_int_equal(sum, wholes[w]);
            assert_true(most - least <= 1);
        }
    }
}

static void amounts_are_written_with_the_digits_of_their_currency(void **state)
{
    static const struct {
        struct money money;
        const char *text;
    } cases[] = {
        {{1999, "EUR"}, "19.99 EUR"},
        {{-5, "EUR"}, "-0.05 EUR"},
        {{0, "USD"}, "0.00 USD"},
        {{-5, "JPY"}, "-5 JPY"},
        {{5124, "KWD"}, "5.124 KWD"},
        {{12, "XXX"}, "12 XXX"},
        {{INT64_MAX, "KWD"}, "9223372036854775.807 KWD"},
        {{INT64_MIN, "EUR"}, "-92233720368547758.08 EUR"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[MONEY_TEXT_SIZE];

        money_format(cases[i].money, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void currencies_have_two_exponents(void **state)
{
    static const struct {
        const char *code;
        int exponent;
        int payment_exponent;
    } cases[] = {
        {"EUR", 2, 2},
        {"USD", 2, 2},
        {"JPY", 0, 0},
        {"KRW", 0, 0},
        {"CLP", 0, 0},
        {"XOF", 0, 0},
        {"KWD", 3, 3},
        {"TND", 3, 3},
        {"MGA", 2, 0},
        {"ISK", 0, 2},
        {"UGX", 0, 2},
        {"HUF", 2, 2},
        {"TWD", 2, 2},
        {"XYZ", -1, -1},
        {"eur", -1, -1},
        {"", -1, -1},
        {"EURO", -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(currency_exponent(cases[i].code), cases[i].exponent);
        assert_int_equal(currency_payment_exponent(cases[i].code), cases[i].payment_exponent);
        assert_int_equal(currency_known(cases[i].code), cases[i].exponent >= 0);
    }
}

/* docs.stripe.com/currencies, "zero-decimal currencies", less UGX, which is a special case. */
static void the_payment_side_has_these_currencies_without_digits(void **state)
{
    static const char listed[] = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
    static const char *const codes[] = {
#define CURRENCY(code, exponent, payment_exponent) #code,
#include "base/currency.def"
#undef CURRENCY
    };
    size_t without_digits = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        assert_int_equal(strlen(codes[i]), 3);
        assert_true(i == 0 || strcmp(codes[i - 1], codes[i]) < 0);
        assert_true(currency_known(codes[i]));
        if (currency_payment_exponent(codes[i]) == 0) {
            assert_non_null(strstr(listed, codes[i]));
            without_digits++;
        }
    }
    assert_int_equal(without_digits, (sizeof listed) / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(sums_are_exact_up_to_the_edge_of_int64),
        FIXTURE_TEST(differences_are_exact_up_to_the_edge_of_int64),
        FIXTURE_TEST(currencies_are_never_mixed),
        FIXTURE_TEST(scaling_rounds_as_it_was_told),
        cmocka_unit_test(parts_differ_by_one_at_most_and_add_up),
        cmocka_unit_test(amounts_are_written_with_the_digits_of_their_currency),
        cmocka_unit_test(currencies_have_two_exponents),
        cmocka_unit_test(the_payment_side_has_these_currencies_without_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
