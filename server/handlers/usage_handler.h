#pragma once

/* UsageService. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status usage_report_events(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status usage_get_windows(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
