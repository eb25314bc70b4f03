#pragma once

/* Subscription schedules: what a subscription becomes in the phases to come.
 *
 *     active --release--> released       the subscription goes on as it is
 *       |  `--last phase is over--> released
 *       `--the subscription ends--> canceled
 */

#include <stddef.h>
#include <stdint.h>

#include "sandbox/calendar.h"
#include "sandbox/object.h"

struct price;
struct render;
struct sim;
struct subscription;

#define SCHEDULE_PHASES_MAX 10
#define SCHEDULE_ITEMS_MAX 20

struct phase_item {
    struct price *price;
    int64_t quantity; /* 0: metered */
};

struct phase {
    int64_t start_s;
    int64_t end_s;
    struct phase_item items[SCHEDULE_ITEMS_MAX];
    size_t item_count;
    const char *proration_behavior;
};

enum schedule_status {
    SCHEDULE_ACTIVE,
    SCHEDULE_RELEASED,
    SCHEDULE_CANCELED,
};

struct schedule {
    struct object object;
    struct subscription *subscription;
    enum schedule_status status;
    struct phase phases[SCHEDULE_PHASES_MAX];
    size_t phase_count;
    size_t current;
    int64_t ended_s; /* released or canceled */
};

/* One phase: the current period as it is. The subscription has no schedule yet. */
struct schedule *schedule_new(struct sim *sim, struct subscription *subscription);

void schedule_release(struct sim *sim, struct schedule *schedule);

/* The subscription has ended; nothing when it has no schedule. */
void schedule_cancel(struct sim *sim, struct subscription *subscription);

/* When a phase is over that is no period's end; 0: never. */
int64_t schedule_due_s(const struct subscription *subscription);
void schedule_act(struct sim *sim, struct subscription *subscription);

/* A period ends, and with it a phase that ends no later: the items become those of the next one. */
void schedule_turn(struct sim *sim, struct subscription *subscription, int64_t now_s);

/* The current phase is over then. */
void schedule_hasten(struct schedule *schedule, int64_t end_s);

/* "active". */
const char *schedule_status_word(enum schedule_status status);
void schedule_render(struct render *render, const struct object *object);
