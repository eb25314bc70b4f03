#pragma once

/* Prices between their messages and the domain. Memory is of the arena of cx. */

#include <billingos/v1/catalog_service.pb-c.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/price.h"

struct ctx;

Billingos__V1__Price *price_pb(struct ctx *cx, const struct price *price);

/* What the merchant gives. path: "price", "prices[2]". whole: model and interval are required, as
 * on creation. Fails with FIELD_INVALID, CURRENCY_MISMATCH. */
struct status price_pb_read(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__Price *message,
    bool whole,
    struct price *ret_price) MUST_CHECK;
