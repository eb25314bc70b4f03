#pragma once

/* Invoices at the payment side. account_id is the merchant's account, never "".
 * Failures: stripe_client.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

struct ctx;
struct stripe_client;

struct payment_invoice_page {
    const struct payment_invoice *invoices; /* newest first */
    size_t count;
    bool has_more;
};

/* With the last try of its payment: intent, error and decline code; and with its lines, at most
 * INVOICE_LINES_MAX. */
struct status stripe_invoice_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    struct payment_invoice *ret_invoice) MUST_CHECK;

/* Of one subscription, without the tries and with the first lines only. starting_after: the last id
 * of the page before, "" = the first page. limit: 1 to 100. */
struct status stripe_invoice_list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *starting_after,
    int64_t limit,
    struct payment_invoice_page *ret_page) MUST_CHECK;

/* One more try. payment_method "" = the one that the payment side would charge. A decline is
 * PAYMENT_DECLINED; a new try after it needs a new key. */
struct status stripe_invoice_pay(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    const char *payment_method,
    const char *idempotency_key,
    struct payment_invoice *ret_invoice) MUST_CHECK;

/* All but raw. */
void stripe_invoice_read(struct ctx *cx, json_value object, struct payment_invoice *ret_invoice);
