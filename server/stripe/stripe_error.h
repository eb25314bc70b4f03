#pragma once

/* What an answer of the payment side means. Knows codes and headers; sends nothing. */

#include <stdbool.h>

#include "base/status.h"
#include "domain/payment.h"
#include "http/http_client.h"

struct ctx;

/* Reads the answer of one attempt. write: the request was to change something. Failure NONE for
 * 2xx. The texts are in the arena of cx. */
void stripe_error_read(
    struct ctx *cx,
    bool write,
    const struct http_answer *answer,
    const char *request_id,
    struct payment_error *ret_error);

/* The status for a failure. It says nothing in the words of the payment side. */
struct status stripe_error_status(struct ctx *cx, const struct payment_error *error) MUST_CHECK;

/* "declined": label of the metrics. */
const char *stripe_error_outcome(enum payment_failure failure);
