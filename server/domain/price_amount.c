#include "domain/price_amount.h"

#include <string.h>

/* Minor units times 10^PRICE_DECIMALS_MAX: unit prices may have that many decimals. */
__extension__ typedef __int128 atoms;

#define ATOMS_PER_MINOR INT64_C(1000000000000)

/* price_decimal_valid() holds; what is longer than 18 digits before the point is cut off by it. */
static atoms parse_decimal(const char *text)
{
    const char *point = strchr(text, '.');
    atoms value = 0;
    int places = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c != '.') {
            value = value * 10 + (*c - '0');
        }
    }
    places = point == NULL ? 0 : (int)strlen(point + 1);
    for (; places < PRICE_DECIMALS_MAX; places++) {
        value *= 10;
    }
    return value;
}

static atoms unit_atoms(const struct unit_price *unit)
{
    return unit->decimal[0] != '\0' ? parse_decimal(unit->decimal)
                                    : (atoms)unit->minor * ATOMS_PER_MINOR;
}

static atoms tier_atoms(const struct price_tier *tier, int64_t units)
{
    return unit_atoms(&tier->unit) * units + (atoms)tier->flat_minor * ATOMS_PER_MINOR;
}

/* GRADUATED: each tier for the units in it. VOLUME: all units by the tier that the last one is in.
 */
static atoms tiers_atoms(const struct price *price, int64_t quantity)
{
    atoms sum = 0;
    int64_t below = 0;

    for (size_t i = 0; i < price->tier_count; i++) {
        const struct price_tier *tier = &price->tiers[i];
        const bool last = tier->up_to == 0 || quantity <= tier->up_to;

        if (price->model == PRICE_VOLUME && last) {
            return tier_atoms(tier, quantity);
        }
        if (price->model == PRICE_GRADUATED) {
            sum += tier_atoms(tier, (last ? quantity : tier->up_to) - below);
        }
        if (last) {
            break;
        }
        below = tier->up_to;
    }
    return sum;
}

static atoms amount_atoms(const struct price *price, int64_t quantity)
{
    switch (price->model) {
    case PRICE_FLAT:
    case PRICE_PER_UNIT:
        return unit_atoms(&price->unit) * quantity;
    case PRICE_PACKAGE:
        return unit_atoms(&price->unit) *
               ((quantity + price->package_size - 1) / price->package_size);
    case PRICE_GRADUATED:
    case PRICE_VOLUME:
        return tiers_atoms(price, quantity);
    }
    return 0;
}

struct status
price_amount(struct ctx *cx, const struct price *price, int64_t quantity, int64_t *ret_minor)
{
    const atoms rounded =
        price_metered(price)
            ? 0
            : (amount_atoms(price, quantity) + ATOMS_PER_MINOR / 2) / ATOMS_PER_MINOR;

    if (rounded > INT64_MAX) {
        return status_of(cx, REASON_QUANTITY_OVERFLOW);
    }
    *ret_minor = (int64_t)rounded;
    return STATUS_OK;
}
