#pragma once

/* The ends of bos-load that are not a measurement. */

enum {
    EXIT_CALLS_FAILED = 1, /* The run is done and reported; some calls were not answered with OK. */
    EXIT_USAGE = 2,
    EXIT_NO_RUN = 3, /* No measurement: the server or a file could not be reached. */
};

/* Prints "bos-load: ..." on one line and exits. */
_Noreturn void fail(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Zeroed memory; exits when there is none. The caller frees it with free(). */
void *fail_or_calloc(unsigned long count, unsigned long bytes);
