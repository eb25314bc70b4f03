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

#define IN(status) (1U << (unsigned)INVOICE_##status)

static const struct {
    const char *name;
    unsigned possible; /* in these statuses */
    unsigned nothing;
    unsigned reached;
} acts[] = {
    [INVOICE_ACT_FINALIZE] = {"finalize", IN(DRAFT), 0, IN(OPEN) | IN(PAID)},
    [INVOICE_ACT_PAY] = {"pay", IN(OPEN) | IN(UNCOLLECTIBLE), 0, IN(PAID)},
    [INVOICE_ACT_SEND] = {"send", IN(OPEN), 0, 0},
    [INVOICE_ACT_VOID] = {"void", IN(OPEN) | IN(UNCOLLECTIBLE), IN(VOID), IN(VOID)},
    [INVOICE_ACT_WRITE_OFF] = {"write_off", IN(OPEN), 0, IN(UNCOLLECTIBLE)},
};

enum invoice_verdict invoice_act_verdict(enum invoice_act act, enum invoice_status status)
{
    const unsigned bit = 1U << (unsigned)status;

    return (acts[act].possible & bit) != 0  ? INVOICE_TO_DO
           : (acts[act].nothing & bit) != 0 ? INVOICE_NOTHING
                                            : INVOICE_REFUSED;
}

bool invoice_act_reached(enum invoice_act act, enum invoice_status status)
{
    return (acts[act].reached & 1U << (unsigned)status) != 0;
}

const char *invoice_act_name(enum invoice_act act)
{
    return acts[act].name;
}

bool invoice_act_parse(const char *name, enum invoice_act *ret_act)
{
    for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
        if (strcmp(acts[i].name, name) == 0) {
            *ret_act = (enum invoice_act)i;
            return true;
        }
    }
    return false;
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
