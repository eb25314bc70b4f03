#pragma once

/* Prices: what plan versions cost. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/price.h"
#include "store/price_store.h"

struct ctx;
struct services;
struct tx;

/* number 0: the draft there is. Fails with PLAN_NOT_FOUND, PLAN_ARCHIVED, PLAN_VERSION_NOT_FOUND,
 * PLAN_VERSION_FROZEN, FIELD_INVALID, PRICE_TIERS_INVALID, CURRENCY_UNKNOWN, CURRENCY_MISMATCH,
 * METER_NOT_FOUND, METER_ARCHIVED, PRICE_EXISTS, OBJECT_LIMIT_REACHED. */
struct status prices_create(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    const struct price *input,
    struct price *ret_price) MUST_CHECK;

/* Fails with PRICE_NOT_FOUND. */
struct status prices_get(
    struct ctx *cx, struct services *services, const struct id *price_id, struct price *ret_price)
    MUST_CHECK;

/* Newest first. Fails with PLAN_NOT_FOUND. */
struct status prices_list(
    struct ctx *cx,
    struct services *services,
    const struct price_filter *filter,
    const struct price_position *before,
    int32_t max,
    struct price **ret_prices,
    size_t *ret_count) MUST_CHECK;

enum price_field {
    PRICE_NAME = 1 << 0,
    PRICE_METADATA = 1 << 1,
    PRICE_KEY = 1 << 2,
    PRICE_MODEL = 1 << 3,
    PRICE_CURRENCY = 1 << 4,
    PRICE_INTERVAL = 1 << 5,
    PRICE_INTERVAL_COUNT = 1 << 6,
    PRICE_METER = 1 << 7,
    PRICE_UNIT = 1 << 8,
    PRICE_TIERS = 1 << 9,
    PRICE_PACKAGE_SIZE = 1 << 10,
    PRICE_QUANTITY_MIN = 1 << 11,
    PRICE_QUANTITY_MAX = 1 << 12,
    PRICE_TAX = 1 << 13,
};

/* What can be changed of a price whose version is published. */
#define PRICE_FIELDS_ALWAYS ((uint32_t)(PRICE_NAME | PRICE_METADATA))

struct price_change {
    uint32_t fields;     /* which of the values count */
    struct price values; /* its id names the price */
    const char *etag;    /* "" = not checked */
};

/* Fails with PRICE_NOT_FOUND, PRICE_ARCHIVED, PLAN_VERSION_FROZEN, ETAG_MISMATCH and what
 * prices_create() fails with. */
struct status prices_update(
    struct ctx *cx, struct tx *tx, const struct price_change *change, struct price *ret_price)
    MUST_CHECK;

/* Of a draft it is deleted. Twice is once. Fails with PRICE_NOT_FOUND, PLAN_VERSION_FROZEN while
 * the version is being published. */
struct status prices_archive(
    struct ctx *cx, struct tx *tx, const struct id *price_id, struct price *ret_price) MUST_CHECK;
