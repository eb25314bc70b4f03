#include <stddef.h>
#include <stdio.h>

#include "base/heap.h"
#include "base/metrics.h"
#include "store/db.h"
#include "store/db_prepared_internal.h"

bool db_prepared_init(struct db_prepared_table *table)
{
    *table = (struct db_prepared_table){
        .slots = heap_new(DB_PREPARED_SLOTS * sizeof table->slots[0]),
    };
    return table->slots != NULL;
}

void db_prepared_release(struct db_prepared_table *table)
{
    heap_free(table->slots);
    *table = (struct db_prepared_table){.slots = NULL};
}

/* Static objects lie close together; the multiplication spreads their addresses. */
static uint32_t slot_of(const struct sql *sql)
{
    const uint64_t address = (uint64_t)(uintptr_t)sql / sizeof(void *);

    return (uint32_t)((address * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & (DB_PREPARED_SLOTS - 1);
}

struct db_prepared *db_prepared_get(struct db_prepared_table *table, const struct sql *sql)
{
    uint32_t slot = slot_of(sql);

    while (table->slots[slot].sql != NULL) {
        if (table->slots[slot].sql == sql) {
            return &table->slots[slot];
        }
        slot = (slot + 1) & (DB_PREPARED_SLOTS - 1);
    }
    if (table->count == DB_PREPARED_MAX) {
        return NULL;
    }
    table->count++;
    table->slots[slot] = (struct db_prepared){
        .sql = sql,
        .duration = metric_series(METRIC_DB_QUERY_DURATION, (const char *const[]){sql->name}),
        .number = ++table->last_number,
    };
    return &table->slots[slot];
}

void db_prepared_forget(struct db_prepared_table *table, struct db_prepared *prepared)
{
    prepared->number = ++table->last_number;
    prepared->state = DB_PREPARED_NO;
}

void db_prepared_name(const struct db_prepared *prepared, char ret_name[DB_PREPARED_NAME_SIZE])
{
    snprintf(ret_name, DB_PREPARED_NAME_SIZE, "s%u", prepared->number);
}
