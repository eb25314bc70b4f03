#pragma once

/* The frame of every mutating method that touches only our database (services/keyed.h): one
 * transaction around claim, work, events and answer, and the first answer again on a repeat. */

#include <protobuf-c/protobuf-c.h>

#include "base/ctx.h"
#include "base/status.h"

struct services;
struct tx;

typedef struct status (*keyed_handler)(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response);

/* request_id points at the field of req. It may be "": then cx->idempotency_key is taken; when both
 * are given and differ, FIELD_INVALID. output is the descriptor of the response. */
struct status keyed_call(
    struct ctx *cx,
    struct services *services,
    const ProtobufCMessage *req,
    char **request_id,
    const ProtobufCMessageDescriptor *output,
    keyed_handler handler,
    ProtobufCMessage **ret_response) MUST_CHECK;

/* The key of a mutating call that runs otherwise: its request_id, chosen as above, and the request
 * without it. *request_id points at the field of req, which is left as it was. */
struct keyed;
struct status keyed_call_key(
    struct ctx *cx, const ProtobufCMessage *req, char **request_id, struct keyed *ret_keyed)
    MUST_CHECK;
