#pragma once

/* A customer as JSON, as it stands in the answers of intents, and back. */

#include "base/status.h"
#include "domain/customer.h"

struct ctx;

const char *customer_snapshot_write(struct ctx *cx, const struct customer *customer);

/* Fails with INTERNAL or MESSAGE_MALFORMED for anything else. */
struct status
customer_snapshot_read(struct ctx *cx, const char *json, struct customer *ret_customer) MUST_CHECK;
