#pragma once

/* InvoiceService. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

#define HANDLER(name)                \
    struct status name(              \
        struct ctx *cx,              \
        void *services,              \
        const ProtobufCMessage *req, \
        ProtobufCMessage **ret_response)

HANDLER(invoice_get);
HANDLER(invoice_list);
HANDLER(payment_attempt_list);

#undef HANDLER
