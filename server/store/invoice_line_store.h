#pragma once

/* The lines of invoices, written whole with their invoice. */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/invoice.h"

struct ctx;
struct db;
struct id;
struct tx;

/* In place of what was there; the ids of lines are a function of those of the payment side. The
 * invoice is locked. */
struct status invoice_line_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invoice_id,
    const struct invoice_line *lines,
    size_t count) MUST_CHECK;

/* In order, with our prices and items; in the arena of cx. */
struct status invoice_line_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *invoice_id,
    struct invoice_line **ret_lines,
    size_t *ret_count) MUST_CHECK;
