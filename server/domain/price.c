#include "domain/price.h"

#include <inttypes.h>
#include <string.h>

#include "base/wallclock.h"
#include "domain/field_check.h"
#include "domain/period.h"

/* Before the point; 10^15 minor units are more than any invoice. */
#define DECIMAL_DIGITS_MAX 15

static const char *const model_names[] = {
    [0] = "",
    [PRICE_FLAT] = "FLAT",
    [PRICE_PER_UNIT] = "PER_UNIT",
    [PRICE_GRADUATED] = "GRADUATED",
    [PRICE_VOLUME] = "VOLUME",
    [PRICE_PACKAGE] = "PACKAGE",
};
static const char *const interval_names[] = {
    [0] = "",
    [INTERVAL_DAY] = "DAY",
    [INTERVAL_WEEK] = "WEEK",
    [INTERVAL_MONTH] = "MONTH",
    [INTERVAL_YEAR] = "YEAR",
};
static const char *const tax_names[] = {
    [TAX_UNSPECIFIED] = "UNSPECIFIED",
    [TAX_EXCLUSIVE] = "EXCLUSIVE",
    [TAX_INCLUSIVE] = "INCLUSIVE",
};

/* Three years: what the payment side takes. */
static const int64_t interval_counts_max[] = {
    [0] = 1,
    [INTERVAL_DAY] = 1095,
    [INTERVAL_WEEK] = 156,
    [INTERVAL_MONTH] = 36,
    [INTERVAL_YEAR] = 3};

static bool find_name(const char *const *names, size_t count, const char *name, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i][0] != '\0' && strcmp(names[i], name) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

const char *price_model_name(enum price_model model)
{
    return model_names[model];
}

bool price_model_parse(const char *name, enum price_model *ret_model)
{
    size_t index = 0;
    const bool found = find_name(model_names, ARRAY_LEN(model_names), name, &index);

    *ret_model = found ? (enum price_model)index : PRICE_FLAT;
    return found;
}

const char *billing_interval_name(enum billing_interval interval)
{
    return interval_names[interval];
}

bool billing_interval_parse(const char *name, enum billing_interval *ret_interval)
{
    size_t index = 0;
    const bool found = find_name(interval_names, ARRAY_LEN(interval_names), name, &index);

    *ret_interval = found ? (enum billing_interval)index : INTERVAL_MONTH;
    return found;
}

int64_t billing_interval_after(enum billing_interval interval, int64_t count, int64_t at_us)
{
    switch (interval) {
    case INTERVAL_DAY:
        return at_us + count * US_PER_DAY;
    case INTERVAL_WEEK:
        return at_us + count * 7 * US_PER_DAY;
    case INTERVAL_MONTH:
        return period_add_months(at_us, count);
    case INTERVAL_YEAR:
        return period_add_months(at_us, count * 12);
    }
    return at_us;
}

const char *tax_behavior_name(enum tax_behavior tax)
{
    return tax_names[tax];
}

bool tax_behavior_parse(const char *name, enum tax_behavior *ret_tax)
{
    size_t index = 0;
    const bool found = find_name(tax_names, ARRAY_LEN(tax_names), name, &index);

    *ret_tax = found ? (enum tax_behavior)index : TAX_UNSPECIFIED;
    return found;
}

bool price_decimal_valid(const char *text)
{
    const size_t whole = strspn(text, "0123456789");
    size_t decimals = 0;

    if (whole == 0 || whole > DECIMAL_DIGITS_MAX) {
        return false;
    }
    if (text[whole] == '\0') {
        return true;
    }
    decimals = strspn(text + whole + 1, "0123456789");
    return text[whole] == '.' && decimals > 0 && decimals <= PRICE_DECIMALS_MAX &&
           text[whole + 1 + decimals] == '\0';
}

bool price_metered(const struct price *price)
{
    return price->meter_key[0] != '\0';
}

bool price_tiered(const struct price *price)
{
    return price->model == PRICE_GRADUATED || price->model == PRICE_VOLUME;
}

static bool unit_is_free(const struct unit_price *unit)
{
    return unit->decimal[0] == '\0' ? unit->minor == 0
                                    : unit->decimal[strspn(unit->decimal, "0.")] == '\0';
}

bool price_is_free(const struct price *price)
{
    bool free_of_charge = !price_metered(price) && unit_is_free(&price->unit);

    for (size_t i = 0; i < price->tier_count; i++) {
        free_of_charge = free_of_charge && unit_is_free(&price->tiers[i].unit) &&
                         price->tiers[i].flat_minor == 0;
    }
    return free_of_charge;
}

static struct status check_unit(struct ctx *cx, const char *path, const struct unit_price *unit)
{
    if (unit->decimal[0] != '\0' && !price_decimal_valid(unit->decimal)) {
        return status_field(
            cx,
            field_path(cx, path, "unit_price_decimal"),
            "must be digits with at most %d decimals, like \"0.05\"",
            PRICE_DECIMALS_MAX);
    }
    return field_check_range(
        cx, field_path(cx, path, "unit_price.minor_units"), unit->minor, 0, INT64_MAX);
}

static struct status tiers_invalid(struct ctx *cx, const char *field, const char *why)
{
    return status_pair(
        cx,
        status_violation(
            cx, status_fail(cx, REASON_PRICE_TIERS_INVALID, "%s %s", field, why), field, why),
        "field",
        field);
}

static struct status check_tier_ends(struct ctx *cx, const char *path, const struct price *price)
{
    int64_t before = 0;

    for (size_t i = 0; i < price->tier_count; i++) {
        const bool last = i + 1 == price->tier_count;
        const int64_t up_to = price->tiers[i].up_to;
        const char *field = field_path(cx, field_item(cx, path, i), "up_to");

        if (last != (up_to == 0)) {
            return tiers_invalid(
                cx, field, last ? "must be unbounded: it is the last tier" : "must have an end");
        }
        if (!last && up_to <= before) {
            return tiers_invalid(cx, field, "must be above the tier before");
        }
        before = up_to;
    }
    return STATUS_OK;
}

static struct status check_tiers(struct ctx *cx, const char *path, const struct price *price)
{
    const char *tiers = field_path(cx, path, "tiers");
    struct status result = STATUS_OK;

    if (!price_tiered(price)) {
        return price->tier_count == 0
                   ? STATUS_OK
                   : status_field(cx, tiers, "go with GRADUATED and VOLUME only");
    }
    if (price->tier_count == 0 || price->tier_count > PRICE_TIERS_MAX) {
        return status_field(
            cx, tiers, "must be 1 to %d for %s", PRICE_TIERS_MAX, model_names[price->model]);
    }
    for (size_t i = 0; i < price->tier_count; i++) {
        const char *item = field_item(cx, tiers, i);

        field_note(cx, &result, check_unit(cx, item, &price->tiers[i].unit));
        field_note(
            cx,
            &result,
            field_check_range(
                cx,
                field_path(cx, item, "flat_fee.minor_units"),
                price->tiers[i].flat_minor,
                0,
                INT64_MAX));
    }
    field_note(cx, &result, check_tier_ends(cx, tiers, price));
    return result;
}

static struct status check_quantity(struct ctx *cx, const char *path, const struct price *price)
{
    const char *max = field_path(cx, path, "quantity_max");
    struct status result = STATUS_OK;

    field_note(
        cx,
        &result,
        field_check_range(
            cx, field_path(cx, path, "quantity_min"), price->quantity_min, 1, INT64_MAX));
    field_note(cx, &result, field_check_range(cx, max, price->quantity_max, 0, INT64_MAX));
    if (price->quantity_max > 0 && price->quantity_max < price->quantity_min) {
        field_note(cx, &result, status_field(cx, max, "is below quantity_min"));
    }
    if (price_metered(price) && (price->quantity_min > 1 || price->quantity_max > 0)) {
        field_note(
            cx,
            &result,
            status_field(
                cx,
                price->quantity_max > 0 ? max : field_path(cx, path, "quantity_min"),
                "does not go with meter_key: what is metered is not bought beforehand"));
    }
    return result;
}

static struct status check_model(struct ctx *cx, const char *path, const struct price *price)
{
    const char *unit = field_path(cx, path, "unit_price");
    const char *package = field_path(cx, path, "package_size");
    struct status result = STATUS_OK;

    if (price->has_unit == price_tiered(price)) {
        field_note(
            cx,
            &result,
            price_tiered(price) ? status_field(cx, unit, "stands in the tiers of this model")
                                : status_field(cx, unit, "is required, or unit_price_decimal"));
    }
    if (price->model == PRICE_FLAT && price_metered(price)) {
        field_note(
            cx,
            &result,
            status_field(
                cx, field_path(cx, path, "meter_key"), "does not go with FLAT: take PER_UNIT"));
    }
    if (price->model == PRICE_FLAT && price->unit.decimal[0] != '\0') {
        field_note(
            cx,
            &result,
            status_field(
                cx,
                field_path(cx, path, "unit_price_decimal"),
                "does not go with FLAT: a fee has whole minor units"));
    }
    if (price->model == PRICE_PACKAGE) {
        field_note(cx, &result, field_check_range(cx, package, price->package_size, 1, INT64_MAX));
    } else if (price->package_size != 0) {
        field_note(cx, &result, status_field(cx, package, "goes with PACKAGE only"));
    }
    return result;
}

static struct status check_currency(struct ctx *cx, const char *path, const struct price *price)
{
    const char *field = field_path(cx, path, "currency_code");

    TRY(field_check_currency(cx, field, price->currency));
    if (price->amount_currency[0] == '\0' || strcmp(price->amount_currency, price->currency) == 0) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_violation(
                cx,
                status_fail(
                    cx,
                    REASON_CURRENCY_MISMATCH,
                    "the price is in %s and an amount of it in %.8s",
                    price->currency,
                    price->amount_currency),
                field,
                "differs from the currency of an amount"),
            "currency_code",
            price->amount_currency),
        "expected_currency_code",
        price->currency);
}

struct status price_check(struct ctx *cx, const char *path, const struct price *price)
{
    struct status result = STATUS_OK;

    if (price->key[0] != '\0') {
        field_note(cx, &result, field_check_key(cx, field_path(cx, path, "price_key"), price->key));
    }
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "name"), price->name, 0, 100));
    field_note(cx, &result, check_currency(cx, path, price));
    field_note(
        cx,
        &result,
        field_check_range(
            cx,
            field_path(cx, path, "interval_count"),
            price->interval_count,
            1,
            interval_counts_max[price->interval]));
    field_note(cx, &result, check_unit(cx, path, &price->unit));
    field_note(cx, &result, check_model(cx, path, price));
    field_note(cx, &result, check_tiers(cx, path, price));
    field_note(cx, &result, check_quantity(cx, path, price));
    return result;
}
