#pragma once

/* SubscriptionService: what is sold under a subscription changes. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status subscription_change(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_preview_change(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
