#pragma once

/* An invoice as the payment side made it. Pure.
 *
 *     DRAFT --> OPEN --> PAID (final)
 *       |        | ^---> UNCOLLECTIBLE --> PAID, VOID
 *       `--------`-----> VOID (final)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "domain/event.h"

/* X(NAME, number in billingos.v1.InvoiceStatus, how the payment side writes it) */
#define INVOICE_STATUSES(X) \
    X(DRAFT, 1, "draft")    \
    X(OPEN, 2, "open")      \
    X(PAID, 3, "paid")      \
    X(VOID, 4, "void")      \
    X(UNCOLLECTIBLE, 5, "uncollectible")

enum invoice_status {
#define X(name, number, word) INVOICE_##name = (number),
    INVOICE_STATUSES(X)
#undef X
};

#define INVOICE_LINES_MAX 500

struct invoice_line {
    struct id line_id;
    struct id price_id; /* zero: none of ours */
    struct id item_id;  /* of the subscription; zero: none */
    const char *stripe_line_id;
    const char *stripe_price_id;
    const char *stripe_item_id;
    const char *description;
    int64_t quantity;
    int64_t amount_minor;
    int64_t discount_minor;
    int64_t tax_minor;
    bool proration;
    int64_t period_start_us;
    int64_t period_end_us;
};

struct invoice {
    struct id invoice_id;
    struct id customer_id;
    struct id subscription_id; /* zero: of none */
    const char *stripe_invoice_id;
    const char *number;
    enum invoice_status status;
    const char *billing_reason; /* of the payment side, "subscription_cycle" */
    const char *currency;       /* upper case */
    int64_t subtotal_minor;
    int64_t discount_minor;
    int64_t tax_minor;
    int64_t total_minor;
    int64_t due_minor;
    int64_t paid_minor;
    int64_t remaining_minor;
    int64_t refunded_minor; /* paid back or credited, as far as it is mirrored */
    int64_t attempt_count;
    int64_t next_attempt_us;
    int64_t period_start_us;
    int64_t period_end_us;
    int64_t due_us;
    int64_t finalized_us;
    int64_t paid_us;
    int64_t voided_us;
    const char *hosted_url;
    const char *pdf_url;
    const char *decline_code;   /* of the last try, unless it was paid since; "" otherwise */
    int64_t failed_us;          /* when we saw that */
    const char *payment_intent; /* id at the payment side of the last try; "" = not known */
    const char *metadata;       /* JSON object of texts */
    bool more_lines;            /* there are more than are kept */
    int64_t fetch_number;
    int64_t created_us;
    int64_t updated_us;
};

const char *invoice_status_name(enum invoice_status status);
bool invoice_status_parse(const char *name, enum invoice_status *ret_status);

/* From the word of the payment side; an unknown one leaves what is known. */
enum invoice_status invoice_status_of_payment(const char *word, enum invoice_status known);

/* PAID and VOID never become something else. */
bool invoice_move_refused(enum invoice_status from, enum invoice_status to);

/* What the change from `old` (NULL: not seen before) to `now` is told as: at most INVOICE_TOLD_MAX
 * events, in order. */
#define INVOICE_TOLD_MAX 3
size_t invoice_events(
    const struct invoice *old,
    const struct invoice *now,
    enum event_type ret_types[INVOICE_TOLD_MAX]);
