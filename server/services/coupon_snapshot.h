#pragma once

/* A coupon as JSON, as it stands in the requests and answers of intents, and back. */

#include "base/status.h"
#include "domain/coupon.h"
#include "http/json.h"

struct ctx;

const char *coupon_snapshot_write(struct ctx *cx, const struct coupon *coupon);

/* Fails with INTERNAL when it is no coupon. */
struct status
coupon_snapshot_read(struct ctx *cx, json_value object, struct coupon *ret_coupon) MUST_CHECK;
