#pragma once

/* The payment account in the database: reading it whole, writing what the payment side says,
 * guarded by the fetch number. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "domain/payment_account.h"

struct ctx;
struct db;
struct services;
struct tx;

/* *ret_found false: there never was one. */
struct status payment_account_load(
    struct ctx *cx, struct db *db, bool *ret_found, struct payment_account *ret_account) MUST_CHECK;
struct status payment_account_lock(
    struct ctx *cx, struct tx *tx, bool *ret_found, struct payment_account *ret_account) MUST_CHECK;

/* From the object of the payment side alone. */
struct status payment_account_read_raw(
    struct ctx *cx, struct str raw, struct payment_account *ret_account) MUST_CHECK;

/* Reads it from the payment side and applies it. When there is no access to it any more, the
 * connection has ended, and that is written; the failure is passed up. */
struct status
payment_account_fetch(struct ctx *cx, struct services *services, const char *account_id) MUST_CHECK;

/* Writes what was read under fetch_number, unless something newer is there. */
struct status payment_account_apply(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_account *read,
    const char *raw,
    int64_t fetch_number) MUST_CHECK;

/* EVENT_PAYMENT_ACCOUNT_UPDATED. */
struct status payment_account_tell(
    struct ctx *cx, struct tx *tx, const struct payment_account *account) MUST_CHECK;
