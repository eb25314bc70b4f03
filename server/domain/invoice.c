#include "domain/invoice.h"

#include <string.h>

#include "base/cleanup.h"

static const struct {
    enum invoice_status status;
    const char *name;
    const char *word;
} statuses[] = {
#define X(name, number, word) {INVOICE_##name, #name, word},
    INVOICE_STATUSES(X)
#undef X
};

const char *invoice_status_name(enum invoice_status status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].name;
        }
    }
    return "";
}

bool invoice_status_parse(const char *name, enum invoice_status *ret_status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (strcmp(statuses[i].name, name) == 0) {
            *ret_status = statuses[i].status;
            return true;
        }
    }
    return false;
}

enum invoice_status invoice_status_of_payment(const char *word, enum invoice_status known)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (strcmp(statuses[i].word, word) == 0) {
            return statuses[i].status;
        }
    }
    return known;
}

bool invoice_move_refused(enum invoice_status from, enum invoice_status to)
{
    return from != to && (from == INVOICE_PAID || from == INVOICE_VOID);
}

static bool looks_different(const struct invoice *old, const struct invoice *now)
{
    return old->status != now->status || old->total_minor != now->total_minor ||
           old->due_minor != now->due_minor || old->paid_minor != now->paid_minor ||
           old->remaining_minor != now->remaining_minor ||
           old->attempt_count != now->attempt_count ||
           old->next_attempt_us != now->next_attempt_us || old->due_us != now->due_us ||
           old->finalized_us != now->finalized_us || strcmp(old->number, now->number) != 0;
}

size_t invoice_events(
    const struct invoice *old,
    const struct invoice *now,
    enum event_type ret_types[INVOICE_TOLD_MAX])
{
    const bool became_paid =
        now->status == INVOICE_PAID && (old == NULL || old->status != INVOICE_PAID);
    const int64_t attempts_before = old == NULL ? 0 : old->attempt_count;
    size_t count = 0;

    if (now->status == INVOICE_OPEN && now->attempt_count > attempts_before) {
        ret_types[count++] = EVENT_PAYMENT_FAILED;
    }
    if (became_paid && now->paid_minor > 0) {
        ret_types[count++] = EVENT_PAYMENT_SUCCEEDED;
    }
    if (became_paid) {
        ret_types[count++] = EVENT_INVOICE_PAID;
    } else if (old == NULL || looks_different(old, now)) {
        ret_types[count++] = EVENT_INVOICE_UPDATED;
    }
    return count;
}
