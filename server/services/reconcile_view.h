#pragma once

/* An object as both sides have it, reduced to the fields that must agree, each as a text: what a
 * comparison compares. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/payment.h"
#include "store/mirror_view_store.h"

struct ctx;

#define RECONCILE_FIELDS_MAX 20

struct reconcile_view {
    const char *names[RECONCILE_FIELDS_MAX];
    const char *values[RECONCILE_FIELDS_MAX];
    size_t count;
    uint64_t checksum; /* of all of it */
};

/* here: what the mirror has, which decides how unknown words of the payment side are read; NULL:
 * nothing. */
void reconcile_view_subscription_there(
    struct ctx *cx,
    const struct payment_subscription *there,
    const struct mirror_subscription *here,
    struct reconcile_view *ret_view);
void reconcile_view_subscription_here(
    struct ctx *cx, const struct mirror_subscription *here, struct reconcile_view *ret_view);
void reconcile_view_invoice_there(
    struct ctx *cx,
    const struct payment_invoice *there,
    const struct mirror_invoice *here,
    struct reconcile_view *ret_view);
void reconcile_view_invoice_here(
    struct ctx *cx, const struct mirror_invoice *here, struct reconcile_view *ret_view);

bool reconcile_view_equal(const struct reconcile_view *a, const struct reconcile_view *b);

/* [{"path", "old", "new"}] of the fields that differ; either side may be NULL. In the arena. */
const char *reconcile_view_changes(
    struct ctx *cx, const struct reconcile_view *here, const struct reconcile_view *there);
