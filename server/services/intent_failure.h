#pragma once

/* A failure that is kept with its intent, so that a repeat of the call fails in the same way. */

#include "base/status.h"

struct ctx;

/* JSON of reason, message and pairs, in the arena of cx. */
const char *intent_failure_write(struct ctx *cx, struct status failure);

/* INTERNAL when the text is none of ours. */
struct status intent_failure_read(struct ctx *cx, const char *json) MUST_CHECK;
