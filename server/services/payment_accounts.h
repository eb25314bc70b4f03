#pragma once

/* The payment account of an organisation in the mode of the caller: made once, onboarded on pages
 * of the payment side, mirrored.
 *
 *     (none) --connect--> ONBOARDING_INCOMPLETE --> ... --> ACTIVE      as the payment side says
 *                 ^                                    |
 *                 `---------- DISCONNECTED <-----------'                ours; the account stays
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment_account.h"
#include "services/intents.h"

struct ctx;
struct keyed;
struct services;
struct tx;

#define PAYMENT_ACCOUNT_CONNECT_METHOD "billingos.v1.OrganizationService/ConnectPaymentAccount"

/* Where the merchant is sent. Never stored, mailed or logged. */
struct payment_account_link {
    const char *url; /* "" = none could be made */
    int64_t expires_us;
};

struct payment_account_draft {
    const char *return_url;
    const char *refresh_url; /* "" = return_url */
    const char *email;
    const char *country; /* "" = that of the organisation */
};

/* Makes the account, or connects again to the one there was. Fails with PAYMENT_ACCOUNT_EXISTS and
 * with the failures of intents_run(). */
struct status payment_accounts_connect(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_account_draft *draft,
    struct payment_account *ret_account,
    struct payment_account_link *ret_link) MUST_CHECK;
struct status payment_accounts_connect_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

/* As last read. Fails with PAYMENT_ACCOUNT_NOT_CONNECTED when there never was one. */
struct status payment_accounts_get(
    struct ctx *cx, struct services *services, struct payment_account *ret_account) MUST_CHECK;

/* The account that payments go to now. Fails with PAYMENT_ACCOUNT_NOT_CONNECTED, also after it was
 * disconnected, and with PAYMENT_ACCOUNT_RESTRICTED when it may not take payments. */
struct status payment_accounts_require(
    struct ctx *cx, struct services *services, struct payment_account *ret_account) MUST_CHECK;

/* Reads it anew. */
struct status payment_accounts_refresh(
    struct ctx *cx, struct services *services, struct payment_account *ret_account) MUST_CHECK;

struct status payment_accounts_onboard(
    struct ctx *cx,
    struct services *services,
    const char *return_url,
    const char *refresh_url,
    struct payment_account_link *ret_link) MUST_CHECK;
struct status payment_accounts_dashboard(
    struct ctx *cx, struct services *services, const char **ret_url) MUST_CHECK;

struct status payment_accounts_disconnect(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const char *note,
    struct payment_account *ret_account) MUST_CHECK;
