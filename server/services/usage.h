#pragma once

/* Recording what was used, and reading it back. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"
#include "domain/usage.h"
#include "services/entitlements.h"

struct services;

/* One event as reported. Texts are borrowed. */
struct usage_report {
    const char *event_id;
    const char *source;
    struct customer_ref customer;
    const char *meter_key;
    int64_t quantity;
    bool has_time;          /* false: now */
    int64_t event_us;       /* 0 without a time */
    const char *properties; /* JSON, or NULL */
};

/* One of the two: error.code CODE_OK and an outcome, or an error. */
struct usage_result {
    struct status error;
    enum usage_outcome outcome;
};

/* Stores what is new in one transaction; what comes back was committed. Each report has its own
 * result: a bad one never spoils the others. Fails as a whole with DATABASE_UNAVAILABLE and the
 * like, and then nothing was stored or the outcome is unknown: sending the same again is safe. */
struct status usage_report(
    struct ctx *cx,
    struct services *services,
    const struct usage_report *reports,
    size_t count,
    struct usage_result *ret_results) MUST_CHECK;

/* The current window of one meter for one feature of the customer. */
struct usage_reading {
    const char *meter_key;
    const char *feature_key; /* "": no feature uses the meter, the window is the calendar month */
    struct window window;
    int64_t used;
    int64_t reserved;
    int64_t events;
    int64_t last_event_us;
    struct entitlement_answer answer; /* known: against the limit of the feature */
};

struct usage_listing {
    struct id customer_id;
    int64_t state_version;
    struct usage_reading *readings;
    size_t count;
};

/* meter_key "": every meter that has usage or a limit. Fails with CUSTOMER_NOT_FOUND,
 * METER_NOT_FOUND. */
struct status usage_get(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    const char *meter_key,
    struct usage_listing *ret_listing) MUST_CHECK;

/* Makes the partitions of the coming periods and moves the current one on when its time has come;
 * *ret_moved: 1 when it did. The job calls it. */
struct status usage_roll(struct ctx *cx, struct services *services, size_t *ret_moved) MUST_CHECK;
