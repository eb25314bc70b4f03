#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(int exit_code, const char *format, ...)
{
    va_list args;

    fputs("bos-load: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(exit_code);
}

void *fail_or_calloc(unsigned long count, unsigned long bytes)
{
    void *memory = calloc(count, bytes);

    if (memory == NULL) {
        fail(EXIT_NO_RUN, "out of memory");
    }
    return memory;
}
