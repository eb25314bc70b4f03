#pragma once

/* The payment account of an organisation in one mode, and the way from an account of the payment
 * side to its organisation. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/payment_account.h"

struct ctx;
struct db;
struct tx;

/* *ret_found false: there never was one. ret_raw may be NULL; country, currency, requirements and
 * deadline are read from it by the service. */
struct status stripe_account_store_load(
    struct ctx *cx,
    struct db *db,
    bool *ret_found,
    struct payment_account *ret_account,
    const char **ret_raw) MUST_CHECK;

/* The same, locked until the end of the transaction. */
struct status stripe_account_store_lock(
    struct ctx *cx,
    struct tx *tx,
    bool *ret_found,
    struct payment_account *ret_account,
    const char **ret_raw) MUST_CHECK;

/* Inserts the account with its way back; *ret_inserted false: the organisation has one. */
struct status stripe_account_store_insert(
    struct ctx *cx, struct tx *tx, const char *account_id, bool *ret_inserted) MUST_CHECK;

/* Writes what was read; the row is locked. changed: raises the version. */
struct status stripe_account_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_account *account,
    const char *raw,
    bool changed) MUST_CHECK;

/* Ends the connection, or takes that back (disconnected_us 0). */
struct status
stripe_account_store_disconnect(struct ctx *cx, struct tx *tx, int64_t disconnected_us) MUST_CHECK;
