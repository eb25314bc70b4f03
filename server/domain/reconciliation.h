#pragma once

/* A comparison of the mirror with the payment side, and the differences that it finds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

/* The numbers are those of billingos.v1.DriftKind. */
enum drift_kind {
    DRIFT_ANY = 0,
    DRIFT_MISSING_HERE = 1,
    DRIFT_MISSING_THERE = 2,
    DRIFT_DIFFERENT = 3,
    DRIFT_ORPHAN_OPERATION = 4,
    DRIFT_USAGE_DIFFERENCE = 5,
};
#define DRIFT_KINDS 6

const char *drift_kind_name(enum drift_kind kind); /* "MISSING_HERE"; "" for ANY */
enum drift_kind drift_kind_parse(const char *name);

/* What is likely behind a difference. */
#define DRIFT_CAUSE_LOST_EVENT "lost_event"               /* there was an event, it never came */
#define DRIFT_CAUSE_LATE_EVENT "late_event"               /* it came and waits */
#define DRIFT_CAUSE_QUARANTINED "quarantined"             /* it came and could not be applied */
#define DRIFT_CAUSE_CHANGED_ELSEWHERE "changed_elsewhere" /* no event told of it */
#define DRIFT_CAUSE_CRASH "crash"                         /* a call was made and never settled */

struct drift {
    struct id drift_id;
    struct id run_id;
    enum drift_kind kind;
    const char *object_type; /* "subscription" */
    const char *resource_id; /* ours, "sub_..."; "": there is none */
    const char *stripe_id;
    struct id customer_id;     /* zero: not known; not kept */
    struct id subscription_id; /* the same */
    const char *changes;       /* JSON: [{"path", "old", "new"}] */
    const char *cause;
    int64_t age_us; /* at most so long */
    bool repaired;
    int64_t found_us;
};

enum reconciliation_state {
    RECONCILIATION_RUNNING = 1,
    RECONCILIATION_DONE = 2,
    RECONCILIATION_FAILED = 3,
};

const char *reconciliation_state_name(enum reconciliation_state state);

struct reconciliation {
    struct id run_id;
    enum reconciliation_state state;
    bool whole; /* everything, also what has ended long ago */
    int64_t compared;
    int64_t matching;
    int64_t repaired;
    int64_t unrepaired;
    int64_t calls;
    int64_t lost_events;
    const char *reason; /* FAILED: why; "" otherwise */
    const char *message;
    int64_t started_us;
    int64_t finished_us; /* 0: it is running */
};
