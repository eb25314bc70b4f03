#pragma once

/* Discounts that a merchant gives. The payment side computes with them, so every change is claimed
 * here, made there and settled here (services/intents.h). For which plans a coupon is, is known
 * here alone and checked when it is redeemed. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/coupon.h"
#include "services/intents.h"
#include "services/keyed.h"
#include "store/coupon_store.h"

struct ctx;
struct services;
struct tx;

#define COUPON_CREATE_METHOD "billingos.v1.CatalogService/CreateCoupon"
#define COUPON_UPDATE_METHOD "billingos.v1.CatalogService/UpdateCoupon"
#define COUPON_ARCHIVE_METHOD "billingos.v1.CatalogService/ArchiveCoupon"

enum coupon_field {
    COUPON_NAME = 1 << 0,
    COUPON_METADATA = 1 << 1,
};

struct coupon_change {
    struct coupon values; /* update: coupon_id and what the fields name; archive: coupon_id */
    uint32_t fields;
    const char *etag; /* "" = not checked */
};

/* Fail as their methods in the API say. */
struct status coupons_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct coupon *input,
    struct coupon *ret_coupon) MUST_CHECK;
struct status coupons_update(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct coupon_change *change,
    struct coupon *ret_coupon) MUST_CHECK;
struct status coupons_archive(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct id *coupon_id,
    struct coupon *ret_coupon) MUST_CHECK;
struct status coupons_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

struct status coupons_get(
    struct ctx *cx,
    struct services *services,
    const struct coupon_key *key,
    struct coupon *ret_coupon) MUST_CHECK;
struct status coupons_list(
    struct ctx *cx,
    struct services *services,
    enum catalog_state state,
    const struct coupon_position *before,
    int32_t max,
    struct coupon **ret_coupons,
    size_t *ret_count) MUST_CHECK;
