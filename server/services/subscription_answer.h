#pragma once

/* What a change of a subscription is answered with: the subscription, and the change while it
 * waits. Kept with the intent for repeats. */

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"
#include "domain/scheduled_change.h"
#include "domain/subscription.h"

struct ctx;

struct subscription_answer {
    struct subscription subscription;
    bool waits;
    struct scheduled_change change; /* when it waits */
};

/* In the arena of cx. change NULL: it has happened. */
struct str subscription_answer_write(
    struct ctx *cx, const struct subscription *subscription, const struct scheduled_change *change);
struct status subscription_answer_read(
    struct ctx *cx, struct str text, struct subscription_answer *ret_answer) MUST_CHECK;
