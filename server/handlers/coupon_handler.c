#include "handlers/coupon_handler.h"

#include <billingos/v1/catalog_service.pb-c.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/catalog_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "services/coupons.h"

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

static Billingos__V1__Coupon *coupon_pb(struct ctx *cx, const struct coupon *coupon)
{
    Billingos__V1__Coupon *message = PB_NEW(cx, Billingos__V1__Coupon, billingos__v1__coupon__init);

    message->coupon_id = pb_id(cx, ID_COUPON, &coupon->coupon_id);
    message->coupon_key = pb_text(coupon->key);
    message->name = pb_text(coupon->name);
    if (coupon->percent_off_bps > 0) {
        message->discount_case = BILLINGOS__V1__COUPON__DISCOUNT_PERCENT_OFF_BASIS_POINTS;
        message->percent_off_basis_points = coupon->percent_off_bps;
    } else {
        struct money amount = {.minor = coupon->amount_off_minor};

        snprintf(amount.currency, sizeof amount.currency, "%s", coupon->currency);
        message->discount_case = BILLINGOS__V1__COUPON__DISCOUNT_AMOUNT_OFF;
        message->amount_off = pb_money(cx, amount);
    }
    message->duration = (Billingos__V1__CouponDuration)coupon->duration;
    message->duration_months = coupon->months;
    message->redemption_max = coupon->redemptions_max;
    message->redemption_count = coupon->redemptions;
    message->redeem_by_time = pb_time(cx, coupon->redeem_by_us);
    catalog_pb_texts(
        cx, coupon->plan_keys, coupon->plan_count, &message->n_plan_keys, &message->plan_keys);
    message->state = catalog_pb_state(coupon->archived_us);
    message->metadata = pb_map(
        cx,
        coupon->metadata,
        &billingos__v1__coupon__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = catalog_pb_etag(cx, coupon->version);
    message->create_time = pb_time(cx, coupon->created_us);
    return message;
}

static struct status
read_discount(struct ctx *cx, const Billingos__V1__Coupon *message, struct coupon *coupon)
{
    const Billingos__V1__Money *amount = message->amount_off;

    switch (message->discount_case) {
    case BILLINGOS__V1__COUPON__DISCOUNT_PERCENT_OFF_BASIS_POINTS:
        coupon->percent_off_bps = message->percent_off_basis_points;
        return STATUS_OK;
    case BILLINGOS__V1__COUPON__DISCOUNT_AMOUNT_OFF:
        coupon->currency = amount->currency_code;
        coupon->amount_off_minor = amount->minor_units;
        return amount->currency_code[0] != '\0'
                   ? STATUS_OK
                   : status_field(cx, "coupon.amount_off.currency_code", "is required");
    default:
        return status_field(
            cx, "coupon.discount", "percent_off_basis_points or amount_off is required");
    }
}

static struct status
coupon_read(struct ctx *cx, const Billingos__V1__Coupon *message, struct coupon *ret_coupon)
{
    struct status result = STATUS_OK;

    *ret_coupon = (struct coupon){
        .key = message->coupon_key,
        .name = message->name,
        .currency = "",
        .duration = (enum coupon_duration)message->duration,
        .months = message->duration_months,
        .redemptions_max = message->redemption_max,
        .plan_keys = (const char *const *)message->plan_keys,
        .plan_count = message->n_plan_keys,
        .metadata = "{}",
    };
    if ((int)message->duration < COUPON_ONCE || (int)message->duration > COUPON_FOREVER) {
        field_note(
            cx,
            &result,
            status_field(cx, "coupon.duration", "must be one of ONCE, REPEATING and FOREVER"));
    }
    field_note(cx, &result, read_discount(cx, message, ret_coupon));
    field_note(
        cx,
        &result,
        pb_read_time(
            cx, "coupon.redeem_by_time", message->redeem_by_time, &ret_coupon->redeem_by_us));
    field_note(
        cx,
        &result,
        pb_read_map(
            cx, "coupon.metadata", message->n_metadata, message->metadata, &ret_coupon->metadata));
    return result;
}

struct status coupon_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CreateCouponRequest request =
        *PB_REQUEST(Billingos__V1__CreateCouponRequest, req);
    Billingos__V1__CreateCouponResponse *response = PB_NEW(
        cx, Billingos__V1__CreateCouponResponse, billingos__v1__create_coupon_response__init);
    struct coupon input;
    struct coupon coupon;
    struct keyed keyed;

    if (request.coupon == NULL) {
        return status_field(cx, "coupon", "is required");
    }
    TRY(coupon_read(cx, request.coupon, &input));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(coupons_create(cx, services, &keyed, &input, &coupon));
    response->coupon = coupon_pb(cx, &coupon);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status coupon_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetCouponRequest *request =
        PB_REQUEST(Billingos__V1__GetCouponRequest, req);
    Billingos__V1__GetCouponResponse *response =
        PB_NEW(cx, Billingos__V1__GetCouponResponse, billingos__v1__get_coupon_response__init);
    struct coupon_key key = {.key = ""};
    struct coupon coupon;
    struct id coupon_id;

    switch (request->coupon_case) {
    case BILLINGOS__V1__GET_COUPON_REQUEST__COUPON_COUPON_ID:
        TRY(pb_read_id(cx, "coupon_id", ID_COUPON, request->coupon_id, &coupon_id));
        key.coupon_id = &coupon_id;
        break;
    case BILLINGOS__V1__GET_COUPON_REQUEST__COUPON_COUPON_KEY:
        TRY(field_check_text(cx, "coupon_key", request->coupon_key, 1, COUPON_KEY_LETTERS_MAX));
        key.key = request->coupon_key;
        break;
    default:
        return status_field(cx, "coupon", "coupon_id or coupon_key is required");
    }
    TRY(coupons_get(cx, services, &key, &coupon));
    response->coupon = coupon_pb(cx, &coupon);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status coupon_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListCouponsRequest *request =
        PB_REQUEST(Billingos__V1__ListCouponsRequest, req);
    Billingos__V1__ListCouponsResponse *response =
        PB_NEW(cx, Billingos__V1__ListCouponsResponse, billingos__v1__list_coupons_response__init);
    enum catalog_state state = CATALOG_ANY;
    struct coupon_position before;
    struct coupon *coupons = NULL;
    struct list_page page;
    size_t fetched = 0;

    TRY(catalog_pb_read_state(cx, request->state, &state));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(cx->arena, "coupons %d", (int)state),
        &page));
    before = (struct coupon_position){page.start.number, page.start.id};
    TRY(coupons_list(cx, services, state, &before, page.fetch, &coupons, &fetched));
    response->n_coupons = list_page_shown(&page, fetched);
    TRY(catalog_pb_array(cx, response->n_coupons, &response->coupons));
    for (size_t i = 0; i < response->n_coupons; i++) {
        const struct page_position last = {coupons[i].created_us, coupons[i].coupon_id};

        response->coupons[i] = coupon_pb(cx, &coupons[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__Coupon *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        {"name", COUPON_NAME, message->name[0] != '\0'},
        {"metadata", COUPON_METADATA, message->n_metadata > 0},
        {"coupon_id", 0, false},
        {"redemption_count", 0, false},
        {"state", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

struct status coupon_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__UpdateCouponRequest request =
        *PB_REQUEST(Billingos__V1__UpdateCouponRequest, req);
    const Billingos__V1__Coupon *message = request.coupon;
    Billingos__V1__UpdateCouponResponse *response = PB_NEW(
        cx, Billingos__V1__UpdateCouponResponse, billingos__v1__update_coupon_response__init);
    struct coupon_change change = {.etag = ""};
    struct coupon coupon;
    struct keyed keyed;

    if (message == NULL) {
        return status_field(cx, "coupon", "is required");
    }
    TRY(pb_read_id(
        cx, "coupon.coupon_id", ID_COUPON, message->coupon_id, &change.values.coupon_id));
    TRY(update_fields(cx, request.update_mask, message, &change.fields));
    change.etag = message->etag;
    change.values.name = message->name;
    TRY(pb_read_map(
        cx, "coupon.metadata", message->n_metadata, message->metadata, &change.values.metadata));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(coupons_update(cx, services, &keyed, &change, &coupon));
    response->coupon = coupon_pb(cx, &coupon);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status coupon_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ArchiveCouponRequest request =
        *PB_REQUEST(Billingos__V1__ArchiveCouponRequest, req);
    Billingos__V1__ArchiveCouponResponse *response = PB_NEW(
        cx, Billingos__V1__ArchiveCouponResponse, billingos__v1__archive_coupon_response__init);
    struct coupon coupon;
    struct keyed keyed;
    struct id coupon_id;

    TRY(pb_read_id(cx, "coupon_id", ID_COUPON, request.coupon_id, &coupon_id));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(coupons_archive(cx, services, &keyed, &coupon_id, &coupon));
    response->coupon = coupon_pb(cx, &coupon);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
