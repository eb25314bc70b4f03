#pragma once

/* Which statements one connection has prepared, by the address of their struct sql.
 * Private to store/. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct metric_series;
struct sql;

#define DB_PREPARED_SLOTS 1024 /* a power of two */
#define DB_PREPARED_MAX 768    /* further statements are sent unprepared */

enum db_prepared_state {
    DB_PREPARED_NO,
    DB_PREPARED_SENT,
    DB_PREPARED_YES
};

struct db_prepared {
    const struct sql *sql; /* NULL: a free slot */
    struct metric_series *duration;
    uint32_t number; /* its name at the server is "s<number>" */
    enum db_prepared_state state;
};

struct db_prepared_table {
    struct db_prepared *slots;
    uint32_t count;
    uint32_t last_number;
};

/* False without memory. */
bool db_prepared_init(struct db_prepared_table *table) MUST_CHECK;
void db_prepared_release(struct db_prepared_table *table);

/* The entry of a statement, made when there is none; NULL when the table is full. */
struct db_prepared *db_prepared_get(struct db_prepared_table *table, const struct sql *sql);

/* Makes the next use prepare it again, under another name: the old one may still be there. */
void db_prepared_forget(struct db_prepared_table *table, struct db_prepared *prepared);

#define DB_PREPARED_NAME_SIZE 12
void db_prepared_name(const struct db_prepared *prepared, char ret_name[DB_PREPARED_NAME_SIZE]);
