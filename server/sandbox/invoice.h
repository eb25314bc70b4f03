#pragma once

/* Invoices and what becomes of them.
 *
 *     draft --finalize--> open --paid--> paid
 *       |                  |--void--> void
 *       |                  `--mark--> uncollectible --paid or void--> ...
 *       `-- an hour after its creation by itself, the first one of a subscription at once
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sandbox/coupon.h"
#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct customer;
struct invoice_payment;
struct payment_intent;
struct payment_method;
struct price;
struct render;
struct sim;
struct subscription;

#define INVOICE_LINES_MAX 250
#define INVOICE_LINES_SHOWN 10
#define INVOICE_DRAFT_S 3600 /* about so long others can still add to it */

enum invoice_status {
    INVOICE_DRAFT,
    INVOICE_OPEN,
    INVOICE_PAID,
    INVOICE_UNCOLLECTIBLE,
    INVOICE_VOID,
};

struct invoice_line {
    const char *id;
    const char *description;
    const char *item_id; /* of the subscription */
    struct price *price;
    int64_t amount;
    int64_t quantity;
    int64_t start_s;
    int64_t end_s;
    int64_t reduction; /* by the discount */
    bool proration;
};

struct invoice {
    struct object object;
    struct customer *customer;
    struct subscription *subscription;
    enum invoice_status status;
    const char *reason; /* "subscription_create", "subscription_cycle" ... */
    const char *number; /* NULL while a draft */
    const char *currency;
    const char *description;
    struct invoice_line *lines;
    size_t line_count;
    size_t line_capacity;
    int64_t subtotal;
    int64_t reduction;
    int64_t total;
    int64_t starting_balance;
    int64_t ending_balance;
    int64_t amount_due;
    int64_t amount_paid;
    int64_t period_start_s;
    int64_t period_end_s;
    bool send; /* collection_method send_invoice */
    int64_t due_s;
    bool auto_advance;
    bool attempted;
    int64_t attempt_count;
    int64_t finalizes_s;    /* 0: not by itself */
    int64_t next_attempt_s; /* 0: none is planned */
    int64_t finalized_s;
    int64_t paid_s;
    int64_t voided_s;
    int64_t uncollectible_s;
    struct payment_method *default_payment_method;
    struct payment_method *hopeless_method; /* refused for good: not tried again */
    struct payment_intent *intent;          /* NULL while a draft, or when nothing is due */
    struct invoice_payment *payment;
    struct discount discount; /* as it was when the lines were made */
    struct metadata metadata;
    struct metadata subscription_metadata;
};

enum attempt {
    ATTEMPT_FIRST,     /* with the creation of the subscription: the customer is there */
    ATTEMPT_SCHEDULED, /* by the collection schedule */
    ATTEMPT_MANUAL,    /* POST /pay: not counted once there was a first */
};

/* A draft without lines for the subscription. */
struct invoice *invoice_new(struct sim *sim, struct subscription *subscription, const char *reason);

/* Copies the line; the id is drawn. More than INVOICE_LINES_MAX are left out. */
void invoice_add_line(struct sim *sim, struct invoice *invoice, const struct invoice_line *line);

/* Adds the lines up and uses the discount; before the invoice is told about. */
void invoice_total(struct sim *sim, struct invoice *invoice);

/* The part of the platform. */
int64_t invoice_fee(const struct invoice *invoice);

/* What is still to be paid. */
int64_t invoice_remaining(const struct invoice *invoice);

/* Nothing due: it is paid at once. */
void invoice_finalize(struct sim *sim, struct invoice *invoice);

/* Charges the method, or the one that applies when NULL. True when the invoice is paid. */
bool invoice_collect(
    struct sim *sim, struct invoice *invoice, struct payment_method *method, enum attempt attempt);

/* The method that would be charged, NULL when there is none. */
struct payment_method *invoice_method(const struct invoice *invoice);

/* The money is there, or was handed over elsewhere. */
void invoice_mark_paid(struct sim *sim, struct invoice *invoice, bool out_of_band);
void invoice_void(struct sim *sim, struct invoice *invoice);
void invoice_mark_uncollectible(struct sim *sim, struct invoice *invoice);

/* After an attempt that failed outside of invoice_collect(). */
void invoice_mark_failed(struct sim *sim, struct invoice *invoice, enum attempt attempt);

/* When the invoice does something by itself next; 0: never. */
int64_t invoice_due_s(const struct invoice *invoice);
void invoice_act(struct sim *sim, struct invoice *invoice);

void invoice_render(struct render *render, const struct object *object);
void invoice_render_line(
    struct render *render, const struct invoice *invoice, const struct invoice_line *line);

/* "draft". */
const char *invoice_status_word(enum invoice_status status);
