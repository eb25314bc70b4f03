#pragma once

/* What a webhook of the payment side is about. Its content is not used: an event says only that an
 * object has changed, and the object is read anew. */

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "store/webhook_inbox_store.h"

struct ctx;

/* The objects that are mirrored; an event about another one changes nothing here. */
#define WEBHOOK_OBJECT_SUBSCRIPTION "subscription"
#define WEBHOOK_OBJECT_INVOICE "invoice"
#define WEBHOOK_OBJECT_CHARGE "charge"
#define WEBHOOK_OBJECT_ACCOUNT "account"
#define WEBHOOK_OBJECT_CUSTOMER "customer"
#define WEBHOOK_OBJECT_PAYMENT_METHOD "payment_method"

/* Whether objects of the type are. */
bool webhook_object_mirrored(const char *object_type);

/* Full events, and thin ones (which name no object that we mirror). Fails with MESSAGE_MALFORMED.
 */
struct status webhook_event_parse(
    struct ctx *cx, const void *body, size_t body_len, struct inbox_event *ret_event) MUST_CHECK;
