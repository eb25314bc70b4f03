#pragma once

/* EntitlementService. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status entitlement_check(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status entitlement_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
