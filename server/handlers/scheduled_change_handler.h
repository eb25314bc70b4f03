#pragma once

/* SubscriptionService: changes that wait for their time. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status scheduled_change_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status scheduled_change_cancel(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
