#pragma once

/* SubscriptionService: the verbs that make a subscription stand still and go on, trials, renewal.
 */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status subscription_pause_collection(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_resume_collection(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_pause_access(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_resume_access(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_extend_trial(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_end_trial(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status subscription_renew(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
