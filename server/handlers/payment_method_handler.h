#pragma once

/* The methods of billingos.v1.CustomerService about payment methods. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status payment_method_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status payment_method_attach(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status payment_method_set_default(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status payment_method_detach(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
