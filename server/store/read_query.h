#pragma once

/* Where a read goes: into the open transaction, or into one of its own when tx is NULL. */

#include "base/status.h"
#include "store/db.h"

static inline struct status read_query(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct sql *sql,
    const struct params *params,
    struct rows **ret_rows)
{
    return tx != NULL ? tx_query(cx, tx, sql, params, ret_rows)
                      : db_query(cx, db, sql, params, ret_rows);
}
