#include "domain/subscription.h"

#include <string.h>

#include "base/cleanup.h"

static const struct {
    enum subscription_status status;
    const char *name;
    const char *word; /* of the payment side; "" = it has no such state */
} statuses[] = {
#define X(name, number, text) {SUBSCRIPTION_##name, #name, text},
    SUBSCRIPTION_STATUSES(X)
#undef X
};

const char *subscription_status_name(enum subscription_status status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].name;
        }
    }
    return "";
}

bool subscription_status_parse(const char *name, enum subscription_status *ret_status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (strcmp(statuses[i].name, name) == 0) {
            *ret_status = statuses[i].status;
            return true;
        }
    }
    return false;
}

/* PENDING and FAILED are words of our own. */
static bool of_payment_side(enum subscription_status status)
{
    return status != SUBSCRIPTION_PENDING && status != SUBSCRIPTION_FAILED;
}

enum subscription_status
subscription_status_of_payment(const char *word, enum subscription_status known)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (statuses[i].word[0] != '\0' && strcmp(statuses[i].word, word) == 0) {
            return statuses[i].status;
        }
    }
    return of_payment_side(known) ? known : SUBSCRIPTION_INCOMPLETE;
}

bool subscription_status_ended(enum subscription_status status)
{
    return status == SUBSCRIPTION_FAILED || status == SUBSCRIPTION_INCOMPLETE_EXPIRED ||
           status == SUBSCRIPTION_CANCELED;
}

enum subscription_move subscription_move(enum subscription_status from, enum subscription_status to)
{
    if (from == to) {
        return MOVE_NONE;
    }
    if (!of_payment_side(to)) {
        return MOVE_REFUSED;
    }
    return from == SUBSCRIPTION_CANCELED || from == SUBSCRIPTION_INCOMPLETE_EXPIRED ? MOVE_REFUSED
                                                                                    : MOVE_STEP;
}

static bool gives_access(enum subscription_status status)
{
    return status == SUBSCRIPTION_TRIALING || status == SUBSCRIPTION_ACTIVE;
}

bool subscription_event(
    enum subscription_status from,
    enum subscription_status to,
    bool changed,
    enum event_type *ret_type)
{
    /* What is overdue gave access during the grace period: to be paid is no activation. */
    const bool had_access = gives_access(from) || from == SUBSCRIPTION_PAST_DUE;

    *ret_type = EVENT_SUBSCRIPTION_UPDATED;
    if (from == to) {
        return changed;
    }
    if (to == SUBSCRIPTION_CANCELED) {
        *ret_type = EVENT_SUBSCRIPTION_CANCELED;
    } else if (to == SUBSCRIPTION_FAILED || to == SUBSCRIPTION_INCOMPLETE_EXPIRED) {
        *ret_type = EVENT_SUBSCRIPTION_FAILED;
    } else if (gives_access(to) && !had_access) {
        *ret_type = EVENT_SUBSCRIPTION_ACTIVATED;
    }
    return true;
}

int64_t
subscription_past_due_since(enum subscription_status to, int64_t past_due_since_us, int64_t now_us)
{
    if (to != SUBSCRIPTION_PAST_DUE && to != SUBSCRIPTION_UNPAID) {
        return 0;
    }
    return past_due_since_us != 0 ? past_due_since_us : now_us;
}

enum subscription_status subscription_status_disconnected(
    enum subscription_status status, int64_t disconnected_us, int64_t *past_due_since_us)
{
    if (disconnected_us == 0 || !gives_access(status)) {
        return status;
    }
    *past_due_since_us = disconnected_us;
    return SUBSCRIPTION_PAST_DUE;
}

enum decision_reason subscription_access(
    enum subscription_status status,
    int64_t past_due_since_us,
    int64_t grace_us,
    int64_t now_us,
    int64_t *ret_until_us)
{
    *ret_until_us = 0;
    switch (status) {
    case SUBSCRIPTION_TRIALING:
    case SUBSCRIPTION_ACTIVE:
        return DECISION_GRANTED;
    case SUBSCRIPTION_PAST_DUE:
        if (now_us - past_due_since_us >= grace_us) {
            return DECISION_PAYMENT_OVERDUE;
        }
        *ret_until_us = past_due_since_us + grace_us;
        return DECISION_GRANTED_GRACE;
    case SUBSCRIPTION_UNPAID:
        return DECISION_PAYMENT_OVERDUE;
    case SUBSCRIPTION_PENDING:
    case SUBSCRIPTION_INCOMPLETE:
        return DECISION_PAYMENT_INCOMPLETE;
    case SUBSCRIPTION_PAUSED:
        return DECISION_SUBSCRIPTION_PAUSED;
    case SUBSCRIPTION_FAILED:
    case SUBSCRIPTION_INCOMPLETE_EXPIRED:
    case SUBSCRIPTION_CANCELED:
        return DECISION_NO_ACTIVE_SUBSCRIPTION;
    }
    return DECISION_NO_ACTIVE_SUBSCRIPTION;
}
