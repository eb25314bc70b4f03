#pragma once

/* InsightsService. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;
struct rpc_source;
struct rpc_waker;

struct status insights_watch(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source);
