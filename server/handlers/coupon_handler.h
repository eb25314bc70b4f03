#pragma once

/* The methods of billingos.v1.CatalogService about coupons. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status coupon_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status coupon_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status coupon_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status coupon_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status coupon_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
