#pragma once

/* OrganizationService without its payment account: organisations, API keys, people, the audit log
 * and operations. Each function is one RPC; none runs on a thread that may not wait. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

/* scope SCOPE_BOOTSTRAP */
struct status organization_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status organization_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status organization_get_caller(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status organization_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

/* api_key_handler.c */
struct status api_key_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status api_key_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status api_key_rotate(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status api_key_revoke(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

/* member_handler.c */
struct status member_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status member_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status member_remove(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

/* invitation_handler.c; accepting is public: the token in the request is the credential */
struct status invitation_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status invitation_accept(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status invitation_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status invitation_revoke(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

/* audit_handler.c */
struct status audit_log_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status operation_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
