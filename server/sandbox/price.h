#pragma once

/* Prices, and what a quantity costs under them. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/calendar.h"
#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct meter;
struct product;
struct render;

/* Minor units times 10^12: amounts may have twelve decimals. */
__extension__ typedef __int128 atoms;

#define ATOMS_PER_MINOR INT64_C(1000000000000)
#define PRICE_TIERS_MAX 20
#define UP_TO_INF INT64_MAX

struct price_tier {
    int64_t up_to;
    bool has_unit;
    bool has_flat;
    atoms unit;
    atoms flat;
};

struct price {
    struct object object;
    struct product *product;
    struct meter *meter;
    const char *currency;
    const char *nickname;
    const char *lookup_key;
    const char *tax_behavior;
    struct interval interval;
    atoms unit;
    int64_t divide_by; /* 0: quantities are taken as they are */
    size_t tier_count;
    struct price_tier tiers[PRICE_TIERS_MAX];
    struct metadata metadata;
    bool active;
    bool recurring;
    bool metered;
    bool tiered;
    bool volume; /* tiers_mode; else graduated */
    bool round_up;
};

/* False when the text is no decimal with at most twelve places. */
bool atoms_parse(const char *text, atoms *ret);

/* Rounded to the nearest minor unit, halves away from zero. */
int64_t atoms_round(atoms value);

/* The exact decimal, without trailing zeros; ret_text has 48 bytes. */
void atoms_format(atoms value, char ret_text[48]);

/* What the quantity costs for one whole period. */
int64_t price_amount(const struct price *price, int64_t quantity);

void price_render(struct render *render, const struct object *object);

/* The older form of a price that is still shown beside it. */
void price_render_plan(struct render *render, const struct price *price);
