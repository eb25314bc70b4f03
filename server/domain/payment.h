#pragma once

/* What is read from the payment side, in our words: plain copies, valid as long as the arena that
 * they were read into. Texts are never NULL, "" = none. Currencies are upper case, amounts in minor
 * units of ISO 4217, times in microseconds UTC with 0 = none. Words of open enumerations are kept
 * as they came beside our reading of them. raw is the whole object as JSON. The merchant's account
 * is struct payment_account of domain/payment_account.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/invoice.h"
#include "domain/payment_account.h"
#include "domain/subscription.h"

/* What stands in the metadata of every object that we make there, and nothing else of ours does:
 * customers can see metadata. */
#define PAYMENT_MARK_ORG "billingos_org"
#define PAYMENT_MARK_ID "billingos_id"
#define PAYMENT_MARK_OPERATION "billingos_op_id"

struct payment_marks {
    const char *org_id;       /* "org_..." */
    const char *object_id;    /* "cus_...", "sub_...": the object of ours that it mirrors */
    const char *operation_id; /* of the intent that made it */
};

struct payment_customer {
    const char *id;
    const char *email;
    const char *name;
    const char *phone;
    const char *address; /* as in struct customer */
    const char *description;
    const char *currency;
    const char *default_payment_method; /* of its invoices */
    const char *test_clock;
    int64_t balance_minor;
    int64_t created_us;
    bool delinquent;
    bool deleted;
    bool live;
    struct payment_marks marks;
    const char *raw;
};

/* A saved way to pay, without what nobody here may know: raw is not kept. */
struct payment_instrument {
    const char *id;
    const char *customer_id; /* "" = nobody's */
    const char *type_text;   /* "card" */
    const char *brand;
    const char *last4;
    int64_t expire_month; /* 0: none */
    int64_t expire_year;
    int64_t created_us;
    bool live;
};

struct payment_product {
    const char *id;
    const char *name;
    const char *description;
    const char *unit_label;
    const char *default_price_id;
    int64_t created_us;
    bool active;
    bool deleted;
    bool live;
    struct payment_marks marks;
    const char *raw;
};

struct payment_price {
    const char *id;
    const char *product_id;
    const char *currency;
    const char *billing_scheme; /* "per_unit", "tiered" */
    const char *tiers_mode;     /* "graduated", "volume" */
    int64_t unit_minor;
    const char *unit_decimal; /* as it stands there, in minor units of the payment side */
    const char *interval;     /* "month"; "" = once */
    int64_t interval_count;
    const char *usage_type; /* "licensed", "metered" */
    const char *meter_id;
    int64_t package_size; /* 0: none */
    const char *lookup_key;
    const char *tax_behavior;
    int64_t created_us;
    bool active;
    bool live;
    struct payment_marks marks;
    const char *raw;
};

struct payment_subscription_item {
    const char *id;
    const char *price_id;
    const char *product_id;
    int64_t quantity; /* 0 for metered prices */
    int64_t period_start_us;
    int64_t period_end_us;
};

struct payment_subscription {
    const char *id;
    const char *customer_id;
    const char *status_text;
    enum subscription_status status; /* INCOMPLETE, which gives no access, for an unknown word */
    const char *collection_method;   /* "charge_automatically", "send_invoice" */
    const char *currency;
    const char *latest_invoice_id;
    const char *default_payment_method;
    const char *schedule_id;
    const char *billing_mode; /* "flexible", "classic" */
    const char *test_clock;
    const char *pause_behavior; /* collection is paused; the status stays */
    int64_t pause_resumes_us;
    bool cancel_at_period_end;
    int64_t cancel_at_us;
    int64_t canceled_us; /* when it was asked for */
    int64_t ended_us;
    const char *cancel_reason;
    const char *cancel_feedback;
    const char *cancel_comment;
    int64_t trial_start_us;
    int64_t trial_end_us;
    int64_t anchor_us;
    int64_t start_us;
    int64_t created_us;
    int64_t days_until_due;
    bool live;
    const struct payment_subscription_item *items;
    size_t item_count;
    int64_t period_start_us; /* the latest start and the earliest end of its items */
    int64_t period_end_us;
    struct payment_marks marks;
    const char *raw;
};

struct payment_invoice {
    const char *id;
    const char *number;
    const char *customer_id;
    const char *subscription_id;
    const char *status_text;
    enum invoice_status status; /* DRAFT for an unknown word */
    const char *billing_reason; /* "subscription_cycle" */
    const char *collection_method;
    const char *currency;
    int64_t subtotal_minor;
    int64_t discount_minor;
    int64_t tax_minor;
    int64_t total_minor;
    int64_t due_minor;
    int64_t paid_minor;
    int64_t remaining_minor;
    int64_t attempt_count;
    int64_t next_attempt_us;
    int64_t period_start_us;
    int64_t period_end_us;
    int64_t due_us;
    int64_t finalized_us;
    int64_t paid_us;
    int64_t voided_us;
    int64_t created_us;
    const char *hosted_url;
    const char *pdf_url;
    bool live;
    /* of the last try, when the payments were read with it */
    const char *payment_intent_id;
    const char *payment_intent_status; /* "requires_action" */
    const char *payment_method_id;     /* that the intent would charge */
    const char *latest_charge_id;
    const char *error_code;
    const char *decline_code;
    const char *advice_code;
    const struct invoice_line *lines; /* without ids of ours */
    size_t line_count;
    bool more_lines;
    const char *metadata;                    /* JSON object of texts, without our marks */
    struct payment_marks subscription_marks; /* of the subscription, as they were then */
    const char *raw;
};

struct payment_preview_line {
    const char *description;
    int64_t amount_minor; /* negative: a credit */
    bool proration;
    const char *price_id;
    int64_t quantity;
    int64_t start_us;
    int64_t end_us;
};

/* An invoice that is computed and never made. */
struct payment_preview {
    const char *currency;
    int64_t total_minor; /* negative: a credit */
    int64_t due_minor;   /* what is left of it when the balance of the customer is used up */
    int64_t period_end_us;
    int64_t next_attempt_us;
    int64_t created_us; /* when it was computed, by the clock of the customer */
    const struct payment_preview_line *lines;
    size_t line_count;
};

struct payment_charge {
    const char *id;
    const char *customer_id;
    const char *payment_intent_id;
    const char *status_text; /* "succeeded", "pending", "failed" */
    const char *currency;
    int64_t amount_minor;
    const char *decline_code; /* of the bank, else of the payment side; "" = it was not declined */
    const char *advice_code;
    const char *payment_method_id;
    const char *card_brand;
    const char *card_last4;
    int64_t created_us;
    bool live;
};

struct payment_refund {
    const char *id;
    const char *payment_intent_id;
    const char *charge_id;
    const char *currency;
    int64_t amount_minor;
    const char *status_text;
    const char *reason; /* "requested_by_customer" */
    const char *failure_code;
    int64_t created_us;
    struct payment_marks marks;
    const char *raw;
};

struct payment_event {
    const char *id;
    const char *type;       /* "invoice.paid" */
    const char *account_id; /* "" = the platform's own */
    const char *api_version;
    const char *object_id;
    const char *object_type; /* "invoice" */
    const char *customer_id; /* that the object names */
    const char *subscription_id;
    const char *request_id; /* "" = by the payment side itself */
    const char
        *idempotency_key; /* of the call that caused it; ours when it is one of our intents */
    int64_t created_us;   /* of the account's own clock; no order follows from it */
    bool live;
    bool thin;       /* says only that the object changed */
    const char *raw; /* of a listed one */
};

/* Why a call did not do what it should, beyond the reason in the status. */
enum payment_failure {
    PAYMENT_FAILURE_NONE,
    PAYMENT_FAILURE_REJECTED,    /* the same request can never succeed */
    PAYMENT_FAILURE_NOT_FOUND,   /* in that account and mode */
    PAYMENT_FAILURE_DECLINED,    /* the bank or the network said no; ask with a new key */
    PAYMENT_FAILURE_NO_ACCESS,   /* to the account, or the key is refused */
    PAYMENT_FAILURE_BUSY,        /* nothing has happened; later */
    PAYMENT_FAILURE_UNREACHABLE, /* nothing has happened */
    PAYMENT_FAILURE_UNKNOWN,     /* it may have happened: the same key again, or look */
};

struct payment_error {
    enum payment_failure failure;
    int http_status; /* 0: no answer */
    const char *type;
    const char *code;
    const char *decline_code;
    const char *advice_code;
    const char *param;
    const char *message; /* for our log at debug level only: names the payment side */
    const char *request_id;
    const char *payment_intent_id;
    int64_t retry_ms; /* 0: no use */
    bool replayed;    /* an earlier answer to the same key */
};
