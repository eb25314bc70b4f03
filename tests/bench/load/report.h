#pragma once

/* What a run has measured, for people or as one JSON object. */

#include "options.h"
#include "runner.h"

/* Writes to standard output. */
void report_print(const struct options *options, const struct tally *tally);

/* Whether each call ended with OK. */
bool report_all_ok(const struct tally *tally);
