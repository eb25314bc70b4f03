#pragma once

/* Accounts: the platform itself, and the merchants connected to it. Each holds a store of objects.
 *
 *     created ---onboard---> enabled ---restrict---> restricted
 *        |  \                   |  ^------onboard--------|
 *        |   `--submit--> pending verification --onboard--> enabled
 *        `------------reject / deauthorize / delete------> no access
 */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct render;
struct sim;

enum account_state {
    ACCOUNT_CREATED,
    ACCOUNT_PENDING, /* details submitted, being verified */
    ACCOUNT_ENABLED,
    ACCOUNT_RESTRICTED,
    ACCOUNT_REJECTED,
};

/* What happens to a subscription when every attempt has failed. */
enum dunning_end {
    DUNNING_CANCEL,
    DUNNING_UNPAID,
    DUNNING_LEAVE,
    DUNNING_PAUSE,
};

#define DUNNING_RETRIES_MAX 8

struct account {
    struct object object;
    struct object_list lists[KIND_COUNT];
    enum account_state state;
    bool deauthorized;
    const char *type; /* "none" for those made with a controller, "express" for older ones */
    const char *dashboard;
    const char *fees_payer;
    const char *losses_payments;
    const char *country;
    const char *currency;
    const char *email;
    const char *business_type;
    const char *business_name;
    const char *business_url;
    const char *support_email;
    const char *mcc;
    const char *product_description;
    bool card_payments_requested;
    bool transfers_requested;
    struct metadata metadata;
    int64_t invoice_count;

    /* Settings of the merchant that have no place in the API. */
    int64_t retry_after_s[DUNNING_RETRIES_MAX]; /* between one attempt and the next */
    int retry_count;
    enum dunning_end dunning_end;
};

struct account *account_new_platform(struct sim *sim);
struct account *account_new(struct sim *sim);

/* The account whose id is sent in Stripe-Account; NULL when there is none that may be acted for. */
struct account *account_find(const struct sim *sim, const char *id);

bool account_is_express(const struct account *account);
bool account_charges_enabled(const struct account *account);
bool account_details_submitted(const struct account *account);

/* Tells with account.updated, and capability.updated when those change. */
void account_change_state(struct sim *sim, struct account *account, enum account_state state);

/* No call on behalf of it works any more, and nothing is retried. */
void account_deauthorize(struct sim *sim, struct account *account);

void account_render(struct render *render, const struct object *object);
