#include "store/subscriber_store.h"

#include "base/ctx.h"
#include "store/db.h"

#define COLUMNS                                                                          \
    "SELECT customer_id, external_id, name, email, currency::text, stripe_customer_id, " \
    "archived_at IS NOT NULL, deleted_stripe_customer_id FROM customers WHERE org_id = $1 "
#define BY_REF \
    "AND ($2::uuid IS NULL OR customer_id = $2) AND ($3::text IS NULL OR external_id = $3)"

static const struct sql LOCK = {"subscriber_lock", COLUMNS BY_REF " FOR NO KEY UPDATE"};

static const struct sql LOAD = {"subscriber_load", COLUMNS BY_REF};

static const struct sql FIND_STRIPE = {
    "subscriber_find_stripe",
    "SELECT customer_id FROM customers WHERE org_id = $1 "
    "AND (stripe_customer_id = $2 OR deleted_stripe_customer_id = $2) "
    "ORDER BY stripe_customer_id = $2 DESC NULLS LAST LIMIT 1",
};

static const struct sql SET_STRIPE = {
    "subscriber_set_stripe",
    "UPDATE customers SET stripe_customer_id = $3 "
    "WHERE org_id = $1 AND customer_id = $2 AND stripe_customer_id IS NULL",
};

static struct status read(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *customer_id,
    const char *external_id,
    struct subscriber *ret_subscriber)
{
    static const struct id none = {{0}};
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id == NULL ? &none : customer_id);
    params_text(&p, customer_id == NULL ? external_id : NULL);
    TRY(tx != NULL ? tx_query(cx, tx, &LOCK, &p, &rows) : db_query(cx, db, &LOAD, &p, &rows));
    if (rows_count(rows) == 0) {
        const bool ours = customer_id != NULL;
        const char *id = ours ? id_text(cx->arena, ID_CUSTOMER, customer_id) : external_id;

        return status_pair(
            cx,
            status_fail(cx, REASON_CUSTOMER_NOT_FOUND, "customer \"%s\" does not exist", id),
            ours ? "customer_id" : "external_customer_id",
            id);
    }
    *ret_subscriber = (struct subscriber){
        .customer_id = row_id(rows, 0, 0),
        .external_id = row_text(cx, rows, 0, 1),
        .name = row_text(cx, rows, 0, 2),
        .email = row_text(cx, rows, 0, 3),
        .currency = row_text(cx, rows, 0, 4),
        .stripe_customer_id = row_text(cx, rows, 0, 5),
        .archived = row_bool(rows, 0, 6),
        .deleted_stripe_customer_id = row_text(cx, rows, 0, 7),
    };
    return STATUS_OK;
}

struct status subscriber_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const char *external_id,
    struct subscriber *ret_subscriber)
{
    return read(cx, NULL, tx, customer_id, external_id, ret_subscriber);
}

struct status subscriber_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *customer_id,
    const char *external_id,
    struct subscriber *ret_subscriber)
{
    return read(cx, db, NULL, customer_id, external_id, ret_subscriber);
}

struct status subscriber_store_find_stripe(
    struct ctx *cx, struct tx *tx, const char *stripe_customer_id, struct id *ret_customer_id)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, stripe_customer_id);
    TRY(tx_query(cx, tx, &FIND_STRIPE, &p, &rows));
    *ret_customer_id = rows_count(rows) == 0 ? (struct id){{0}} : row_id(rows, 0, 0);
    return STATUS_OK;
}

struct status subscriber_store_set_stripe(
    struct ctx *cx, struct db *db, const struct id *customer_id, const char *stripe_customer_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_text(&p, stripe_customer_id);
    return db_execute(cx, db, &SET_STRIPE, &p, NULL);
}
