#pragma once

/* The methods of billingos.v1.CustomerService that are live and local: none reaches the payment
 * side. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status customer_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status customer_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status customer_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status customer_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status customer_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status customer_restore(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
