#pragma once

/* Subscriptions as data: what they hold and how they are shown. What happens to them in time is in
 * subscription_cycle.h, what a merchant changes in subscription_api.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/coupon.h"
#include "sandbox/invoice.h"
#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct customer;
struct payment_method;
struct price;
struct render;
struct schedule;
struct sim;

/* The provider's limits; what is not shown has to be listed. */
#define SUBSCRIPTION_ITEMS_MAX 20
#define SUBSCRIPTION_ITEMS_SHOWN 10
#define PENDING_LINES_MAX 80

enum subscription_status {
    SUBSCRIPTION_INCOMPLETE,
    SUBSCRIPTION_INCOMPLETE_EXPIRED,
    SUBSCRIPTION_TRIALING,
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_PAST_DUE,
    SUBSCRIPTION_UNPAID,
    SUBSCRIPTION_PAUSED,
    SUBSCRIPTION_CANCELED,
};

struct subscription_item {
    const char *id;
    int64_t created_s;
    struct price *price;
    int64_t quantity;
    int64_t start_s; /* of the current period */
    int64_t end_s;
    int64_t debited; /* what was really charged for the current period: what credits come from */
    struct metadata metadata;
};

struct subscription {
    struct object object;
    struct customer *customer;
    enum subscription_status status;
    struct subscription_item items[SUBSCRIPTION_ITEMS_MAX];
    size_t item_count;
    struct invoice *latest_invoice;
    struct payment_method *default_payment_method;
    const char *description;
    bool flexible; /* billing_mode */
    bool send_invoice;
    int64_t days_until_due;
    int64_t fee_hundredths; /* application_fee_percent in hundredths of a percent */
    int64_t anchor_s;
    int64_t start_s;
    int64_t backdate_s;     /* 0, or when it is said to have started */
    bool free_until_anchor; /* nothing is charged for the time until the first period */
    int64_t trial_start_s;  /* 0: never had a trial */
    int64_t trial_end_s;
    const char *trial_without_method; /* "cancel", "create_invoice", "pause" */
    bool trial_will_end_told;
    bool cancel_at_period_end;
    int64_t cancel_at_s;
    int64_t canceled_s;
    int64_t ended_s;
    const char *cancel_reason;
    const char *cancel_feedback;
    const char *cancel_comment;
    const char *pause_collection; /* NULL, or its behavior */
    int64_t pause_resumes_s;
    const char *paused_type; /* NULL unless paused: why */
    int64_t paused_s;
    const char *save_method; /* payment_settings.save_default_payment_method */
    struct discount discount;
    struct metadata metadata;
    struct schedule *schedule;    /* NULL: none */
    struct invoice_line *pending; /* prorations for the next invoice */
    size_t pending_count;
};

const char *subscription_currency(const struct subscription *subscription);

/* "past_due". */
const char *subscription_status_word(enum subscription_status status);

/* Neither canceled nor expired. */
bool subscription_is_live(const struct subscription *subscription);

/* The earliest and the latest end of the current periods of its items. */
int64_t subscription_first_end_s(const struct subscription *subscription);
int64_t subscription_last_end_s(const struct subscription *subscription);

void subscription_render(struct render *render, const struct object *object);
void subscription_render_item(
    struct render *render,
    const struct subscription *subscription,
    const struct subscription_item *item);
