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
HANDLER(invoice_finalize);
HANDLER(invoice_pay);
HANDLER(invoice_send);
HANDLER(invoice_void);
HANDLER(invoice_mark_uncollectible);
HANDLER(payment_attempt_list);
HANDLER(refund_create);
HANDLER(refund_get);
HANDLER(refund_list);

#undef HANDLER
