#pragma once

/* What rows.c and rows_array.c share, and how a result of libpq becomes rows.
 * Private to store/. */

#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

struct rows;

/* The rows own the result; rows_release() clears it. */
struct rows *rows_of(PGresult *result);

/* One value in binary; borrowed from the rows. */
struct field {
    const char *value; /* NULL: NULL */
    size_t len;
    uint32_t type;
};

struct field rows_field(const struct rows *rows, size_t row, int column);
