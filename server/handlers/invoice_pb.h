#pragma once

/* Invoices and what belongs to them between their messages and the domain. Memory is of the arena
 * of cx. */

#include <billingos/v1/invoice_service.pb-c.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/invoice.h"
#include "domain/payment_attempt.h"
#include "handlers/list_page.h"
#include "services/entitlements.h"
#include "store/invoice_store.h"

struct ctx;
struct services;

Billingos__V1__Invoice *invoice_pb(struct ctx *cx, const struct invoice *invoice);
void invoice_pb_lines(
    struct ctx *cx,
    const struct invoice *invoice,
    const struct invoice_line *lines,
    size_t count,
    Billingos__V1__Invoice *message);
Billingos__V1__PaymentAttempt *
payment_attempt_pb(struct ctx *cx, const struct payment_attempt *attempt);

/* NULL for "". */
struct payment_failure_facts {
    const char *decline_code;
    const char *action_url;
    int64_t failed_us;
};
Billingos__V1__PaymentFailure *
payment_failure_pb(struct ctx *cx, const struct payment_failure_facts *facts);

/* NULL for no amount. */
Billingos__V1__Money *invoice_pb_amount(struct ctx *cx, int64_t minor, const char *currency);

/* What lists of what belongs to invoices are asked for; the texts of the request. */
struct invoice_part_ask {
    const char *list;        /* its name, "refunds" */
    const char *customer_id; /* NULL: not set */
    const char *external_customer_id;
    const char *invoice_id;
    const char *state; /* "" = any */
    int32_t page_size;
    const char *page_token;
};

/* The filter and the page, and what they borrow. */
struct invoice_part_call {
    struct invoice_part_filter filter;
    struct customer_ref customer;
    struct id customer_id;
    const struct customer_ref *of_customer; /* NULL: of all */
    struct list_page page;
};

/* Fails with FIELD_INVALID, PAGE_TOKEN_INVALID. */
struct status invoice_pb_read_part(
    struct ctx *cx,
    struct services *services,
    const struct invoice_part_ask *ask,
    struct invoice_part_call *ret_call) MUST_CHECK;

/* The oneof of a list: at most one is set. */
struct status invoice_pb_read_customer(
    struct ctx *cx,
    const char *customer_id,
    const char *external_customer_id,
    struct id *id,
    struct customer_ref *customer,
    const struct customer_ref **ret_of_customer) MUST_CHECK;
