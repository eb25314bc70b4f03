#pragma once

/* Invoices as the mirror has them. */

#include <stddef.h>

#include "base/status.h"
#include "domain/customer.h"
#include "domain/invoice.h"
#include "services/entitlements.h"
#include "store/invoice_store.h"

struct ctx;
struct services;

struct invoice_lines {
    struct invoice_line *lines;
    size_t count;
};

/* Fails with INVOICE_NOT_FOUND. */
struct status invoices_get(
    struct ctx *cx,
    struct services *services,
    const struct id *invoice_id,
    struct invoice *ret_invoice,
    struct invoice_lines *ret_lines) MUST_CHECK;

/* Newest first, at most max. customer NULL: of all. Fails with CUSTOMER_NOT_FOUND,
 * SUBSCRIPTION_NOT_FOUND. */
struct status invoices_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_filter *filter,
    size_t max,
    struct invoice **ret_invoices,
    size_t *ret_count) MUST_CHECK;

/* Completes the filter of a list of what belongs to invoices. Fails with CUSTOMER_NOT_FOUND,
 * INVOICE_NOT_FOUND. */
struct status invoices_find_parts(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_part_filter *filter) MUST_CHECK;
