#pragma once

/* The methods of billingos.v1.CustomerService about tax numbers. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

struct status tax_id_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status tax_id_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
struct status tax_id_delete(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
