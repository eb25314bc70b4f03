#include "store/customer_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/customer.h"
#include "store/db.h"
#include "store/read_query.h"

#define SELECT                                                                                  \
    "SELECT c.customer_id, c.customer_no, c.external_id, c.name, c.email, c.phone, c.address, " \
    "c.locale, c.currency, c.time_zone, c.tax_exemption, c.metadata, c.stripe_customer_id, "    \
    "c.default_payment_method, c.blocked_at, c.version, c.created_at, c.updated_at, "           \
    "c.archived_at, c.balance_minor, c.delinquent FROM customers c "

static const struct sql INSERT = {
    "customer_insert",
    "INSERT INTO customers (org_id, customer_id, external_id, name, email, phone, address, locale, "
    "currency, time_zone, tax_exemption, metadata, created_at, updated_at) "
    "VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, nullif($9, ''), $10, $11, $12, $13, $13) "
    "ON CONFLICT (org_id, external_id) DO NOTHING RETURNING customer_no",
};

static const struct sql LOAD = {
    "customer_get",
    SELECT "WHERE c.org_id = $1 AND c.customer_id = $2",
};

static const struct sql LOAD_EXTERNAL = {
    "customer_get_external",
    SELECT "WHERE c.org_id = $1 AND c.external_id = $2",
};

static const struct sql LOCK = {
    "customer_lock",
    SELECT "WHERE c.org_id = $1 AND c.customer_id = $2 FOR NO KEY UPDATE OF c",
};

static const struct sql LOCK_EXTERNAL = {
    "customer_lock_external",
    SELECT "WHERE c.org_id = $1 AND c.external_id = $2 FOR NO KEY UPDATE OF c",
};

static const struct sql UPDATE = {
    "customer_update",
    "UPDATE customers SET external_id = nullif($3, ''), name = $4, email = $5, phone = $6, "
    "address = $7, locale = $8, currency = nullif($9, ''), time_zone = $10, tax_exemption = $11, "
    "metadata = $12, version = $13, updated_at = $14, archived_at = $15 "
    "WHERE org_id = $1 AND customer_id = $2",
};

static const struct sql ID_OF_EXTERNAL = {
    "customer_id_of_external",
    "SELECT customer_id FROM customers WHERE org_id = $1 AND external_id = $2",
};

#define LIST_TAIL                                                         \
    "AND ($3 = '' OR starts_with(c.external_id, $3)) "                    \
    "AND ($4 = 0 OR (c.archived_at IS NULL) = ($4 = 1)) "                 \
    "AND ($5::timestamptz IS NULL OR c.created_at >= $5) "                \
    "AND ($6::timestamptz IS NULL OR c.created_at < $6) "                 \
    "AND ($8::uuid IS NULL OR (c.created_at, c.customer_id) < ($7, $8)) " \
    "ORDER BY c.created_at DESC, c.customer_id DESC LIMIT $9"

static const struct sql LIST = {
    "customer_list",
    SELECT "WHERE c.org_id = $1 AND $2::text IS NOT NULL " LIST_TAIL,
};

/* Apart, so that the index on addresses serves. */
static const struct sql LIST_EMAIL = {
    "customer_list_email",
    SELECT "WHERE c.org_id = $1 AND lower(c.email) = lower($2) " LIST_TAIL,
};

static const struct sql OPEN_SUBSCRIPTION = {
    "customer_open_subscription",
    "SELECT subscription_id FROM subscriptions WHERE org_id = $1 AND customer_id = $2 "
    "AND status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED') "
    "ORDER BY created_at, subscription_id LIMIT 1",
};

static const struct sql BILLED_CURRENCY = {
    "customer_billed_currency",
    "SELECT r.currency FROM subscriptions s JOIN prices r ON r.org_id = s.org_id "
    "AND r.price_id = s.price_id WHERE s.org_id = $1 AND s.customer_id = $2 "
    "AND s.status <> 'FAILED' ORDER BY s.created_at, s.subscription_id LIMIT 1",
};

static struct customer read_customer(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct customer customer = {
        .customer_id = row_id(rows, row, 0),
        .customer_no = row_i64(rows, row, 1),
        .external_id = row_text(cx, rows, row, 2),
        .name = row_text(cx, rows, row, 3),
        .email = row_text(cx, rows, row, 4),
        .phone = row_text(cx, rows, row, 5),
        .address = row_text(cx, rows, row, 6),
        .locale = row_text(cx, rows, row, 7),
        .currency = row_text(cx, rows, row, 8),
        .time_zone = row_text(cx, rows, row, 9),
        .tax = TAX_EXEMPTION_NONE,
        .metadata = row_text(cx, rows, row, 11),
        .stripe_customer_id = row_text(cx, rows, row, 12),
        .payment_method_id = row_text(cx, rows, row, 13),
        .blocked_us = row_time(rows, row, 14),
        .version = row_i64(rows, row, 15),
        .created_us = row_time(rows, row, 16),
        .updated_us = row_time(rows, row, 17),
        .archived_us = row_time(rows, row, 18),
        .balance_minor = row_i64(rows, row, 19),
        .delinquent = row_bool(rows, row, 20),
    };

    tax_exemption_parse(row_text(cx, rows, row, 10), &customer.tax);
    return customer;
}

/* The first twelve parameters of INSERT and UPDATE. */
static void params_customer(const struct ctx *cx, const struct customer *customer, struct params *p)
{
    params_i64(p, cx->caller.org_id);
    params_id(p, &customer->customer_id);
    params_text(p, customer->external_id);
    params_text(p, customer->name);
    params_text(p, customer->email);
    params_text(p, customer->phone);
    params_json(p, customer->address[0] == '\0' ? NULL : customer->address);
    params_text(p, customer->locale);
    params_text(p, customer->currency);
    params_text(p, customer->time_zone);
    params_text(p, tax_exemption_name(customer->tax));
    params_json(p, customer->metadata);
}

static struct status exists(struct ctx *cx, const char *external_id, const struct id *customer_id)
{
    struct status status = status_pair(
        cx,
        status_fail(
            cx,
            REASON_CUSTOMER_EXISTS,
            "a customer with the external_customer_id \"%s\" exists already",
            external_id),
        "external_customer_id",
        external_id);

    return id_is_zero(customer_id)
               ? status
               : status_pair(
                     cx, status, "customer_id", id_text(cx->arena, ID_CUSTOMER, customer_id));
}

struct status customer_store_insert(struct ctx *cx, struct tx *tx, struct customer *customer)
{
    AUTO_ROWS rows = NULL;
    AUTO_ROWS first = NULL;
    struct params p = NO_PARAMS;
    struct params key = NO_PARAMS;
    struct id first_id = {{0}};

    params_customer(cx, customer, &p);
    params_time(&p, customer->created_us);
    TRY(tx_query(cx, tx, &INSERT, &p, &rows));
    if (rows_count(rows) == 1) {
        customer->customer_no = row_i64(rows, 0, 0);
        return STATUS_OK;
    }
    params_i64(&key, cx->caller.org_id);
    params_text(&key, customer->external_id);
    TRY(tx_query(cx, tx, &ID_OF_EXTERNAL, &key, &first));
    first_id = rows_count(first) == 1 ? row_id(first, 0, 0) : first_id;
    return exists(cx, customer->external_id, &first_id);
}

static struct status customer_find(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct sql *sql,
    const struct customer_key *key,
    struct customer *ret_customer)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    const char *text = NULL;

    params_i64(&p, cx->caller.org_id);
    if (key->customer_id != NULL) {
        params_id(&p, key->customer_id);
    } else {
        params_text(&p, key->external_id);
    }
    TRY(read_query(cx, db, tx, sql, &p, &rows));
    if (rows_count(rows) == 1) {
        *ret_customer = read_customer(cx, rows, 0);
        return STATUS_OK;
    }
    text = key->customer_id == NULL ? key->external_id
                                    : id_text(cx->arena, ID_CUSTOMER, key->customer_id);
    return status_pair(
        cx,
        status_fail(cx, REASON_CUSTOMER_NOT_FOUND, "customer \"%s\" does not exist", text),
        key->customer_id == NULL ? "external_customer_id" : "customer_id",
        text);
}

struct status customer_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct customer_key *key,
    struct customer *ret_customer)
{
    return customer_find(
        cx, db, tx, key->customer_id != NULL ? &LOAD : &LOAD_EXTERNAL, key, ret_customer);
}

struct status customer_store_lock(
    struct ctx *cx, struct tx *tx, const struct customer_key *key, struct customer *ret_customer)
{
    return customer_find(
        cx, NULL, tx, key->customer_id != NULL ? &LOCK : &LOCK_EXTERNAL, key, ret_customer);
}

struct status customer_store_update(struct ctx *cx, struct tx *tx, const struct customer *customer)
{
    static const struct id unknown = {{0}};
    struct params p = NO_PARAMS;
    AUTO_ROWS other = NULL;
    struct params key = NO_PARAMS;
    struct status status;

    params_i64(&key, cx->caller.org_id);
    params_text(&key, customer->external_id);
    TRY(tx_query(cx, tx, &ID_OF_EXTERNAL, &key, &other));
    if (customer->external_id[0] != '\0' && rows_count(other) == 1) {
        const struct id id = row_id(other, 0, 0);

        if (!id_equal(&id, &customer->customer_id)) {
            return exists(cx, customer->external_id, &id);
        }
    }
    params_customer(cx, customer, &p);
    params_i64(&p, customer->version);
    params_time(&p, customer->updated_us);
    params_time_or_null(&p, customer->archived_us);
    status = tx_execute(cx, tx, &UPDATE, &p, NULL);
    /* Somebody else took it between our two statements. */
    return db_unique_violation(status, "customers_org_id_external_id_key")
               ? exists(cx, customer->external_id, &unknown)
               : status;
}

struct status customer_store_list(
    struct ctx *cx,
    struct db *db,
    const struct customer_filter *filter,
    const struct customer_position *before,
    int32_t max,
    struct customer **ret_customers,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct customer *customers = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, filter->email);
    params_text(&p, filter->external_id_prefix);
    params_i32(&p, (int32_t)filter->state);
    params_time_or_null(&p, filter->from_us);
    params_time_or_null(&p, filter->until_us);
    params_time(&p, before->created_us);
    params_id(&p, &before->customer_id);
    params_i64(&p, max);
    TRY(db_query(cx, db, filter->email[0] == '\0' ? &LIST : &LIST_EMAIL, &p, &rows));
    customers = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *customers);
    if (customers == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        customers[i] = read_customer(cx, rows, i);
    }
    *ret_customers = customers;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status customer_store_open_subscription(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, struct id *ret_subscription_id)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    TRY(tx_query(cx, tx, &OPEN_SUBSCRIPTION, &p, &rows));
    *ret_subscription_id = rows_count(rows) == 0 ? (struct id){{0}} : row_id(rows, 0, 0);
    return STATUS_OK;
}

struct status customer_store_billed_currency(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, const char **ret_currency)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    TRY(tx_query(cx, tx, &BILLED_CURRENCY, &p, &rows));
    *ret_currency = rows_count(rows) == 0 ? "" : row_text(cx, rows, 0, 0);
    return STATUS_OK;
}
