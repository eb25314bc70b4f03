#pragma once

/* An invoice as the answer of an operation, without its lines. */

#include "base/status.h"
#include "base/str.h"
#include "domain/invoice.h"

struct ctx;

struct str invoice_snapshot_write(struct ctx *cx, const struct invoice *invoice);
struct status
invoice_snapshot_read(struct ctx *cx, struct str text, struct invoice *ret_invoice) MUST_CHECK;
