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

/* reconcile_handler.c */
struct status mirror_health_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

struct status reconciliation_start(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

struct status reconciliation_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

struct status reconciliation_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

struct status drift_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
