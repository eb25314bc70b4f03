#pragma once

/* What has happened, as it stands in the event log. The names are those of BillingEventType in
 * api/billingos/v1/insights_service.proto, without the prefix; the internal ones carry signals to
 * caches and are never shown to subscribers. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

/* The numbers are those of billingos.v1.Severity. */
enum event_severity {
    SEVERITY_NONE = 0,
    SEVERITY_INFO = 1,
    SEVERITY_WARNING = 2,
    SEVERITY_CRITICAL = 3,
};

/* X(NAME, internal, severity) */
#define EVENT_TYPES(X)                         \
    X(CUSTOMER_CREATED, false, INFO)           \
    X(CUSTOMER_UPDATED, false, INFO)           \
    X(CUSTOMER_ARCHIVED, false, INFO)          \
    X(PAYMENT_METHOD_ATTACHED, false, INFO)    \
    X(PAYMENT_METHOD_DETACHED, false, INFO)    \
    X(PAYMENT_METHOD_EXPIRING, false, WARNING) \
    X(SUBSCRIPTION_CREATED, false, INFO)       \
    X(SUBSCRIPTION_ACTIVATED, false, INFO)     \
    X(SUBSCRIPTION_UPDATED, false, INFO)       \
    X(SUBSCRIPTION_CANCELED, false, INFO)      \
    X(SUBSCRIPTION_FAILED, false, WARNING)     \
    X(ENTITLEMENTS_CHANGED, false, INFO)       \
    X(PAYMENT_SUCCEEDED, false, INFO)          \
    X(PAYMENT_FAILED, false, WARNING)          \
    X(INVOICE_UPDATED, false, INFO)            \
    X(INVOICE_PAID, false, INFO)               \
    X(USAGE_LIMIT_REACHED, false, WARNING)     \
    X(PAYMENT_ACCOUNT_UPDATED, false, INFO)    \
    X(CATALOG_CHANGED, true, NONE)             \
    X(API_KEY_CHANGED, true, NONE)

enum event_type {
#define X(name, internal, severity) EVENT_##name,
    EVENT_TYPES(X)
#undef X
    EVENT_TYPE_COUNT
};

struct event {
    enum event_type type;
    struct id customer_id;     /* zero: does not apply */
    struct id subscription_id; /* zero: does not apply */
    const char *payload;       /* a flat JSON object; "{}" when there is nothing to add */
    /* set when it is read back */
    struct id event_id;
    int64_t org_id;
    int64_t seq;
    int64_t created_us;
    const char *request_id; /* of the call that caused it; "": none */
};

const char *event_type_name(enum event_type type);
bool event_type_parse(const char *name, enum event_type *ret_type);
bool event_type_internal(enum event_type type);
enum event_severity event_type_severity(enum event_type type);
