#pragma once

/* Looks from outside whether the doors of this process still answer. A door that is silent three
 * times in a row ends the process with 70, so that whoever supervises it starts it again: C core's
 * own listener, which serves TLS, never accepts again after it has once run out of descriptors
 * (CVE-2023-4785). What was promised is in the database by then.
 *
 * It also counts descriptors: near the limit of the process, on_crowded(true) tells to ask for no
 * more connections, and on_crowded(false) that there is room again. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "http/http_probe.h"

struct ctx;
struct watchdog;

#define WATCHDOG_DOORS_MAX 3
#define WATCHDOG_EXIT 70

struct watchdog_door {
    const char *name; /* of the metric's label */
    struct http_probe probe;
};

struct watchdog_config {
    int64_t interval_ms;
    struct watchdog_door doors[WATCHDOG_DOORS_MAX];
    size_t door_count;
    void (*on_crowded)(void *user, bool crowded); /* on the watchdog's thread */
    void *user;
};

/* The texts of the doors are borrowed. Owned by the caller, end it with watchdog_free(). */
struct status
watchdog_start(struct ctx *cx, const struct watchdog_config *config, struct watchdog **ret_watchdog)
    MUST_CHECK;

/* Before the doors are closed. Waits for a probe that runs. Takes NULL. */
void watchdog_free(struct watchdog *watchdog);
