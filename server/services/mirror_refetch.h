#pragma once

/* Reads changed objects of the payment side anew and applies them to the mirror, each in one
 * transaction with everything that follows from it.
 *
 *     take (lease) -> fetch number -> GET -> apply if newer, clear the mark if nothing came
 * meanwhile ^                            |
 *          `---- later, with a word why-'  it did not work
 */

#include <stddef.h>

#include "base/status.h"

struct ctx;
struct services;

/* Of all organisations, at most max. A failure of one object puts it off and is no failure of the
 * run. *ret_count: how many were taken. */
struct status
mirror_refetch(struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;
