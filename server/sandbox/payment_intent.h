#pragma once

/* The payment of one invoice: as many charges as it takes.
 *
 *     requires_payment_method <---declined--- (attempt) ---authentication---> requires_action
 *               |                                 |                                |
 *               `------------ canceled            `-----> succeeded <--------------'
 */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/object.h"
#include "sandbox/payment_method.h"

struct charge;
struct customer;
struct invoice;
struct render;
struct sim;

enum intent_status {
    INTENT_REQUIRES_PAYMENT_METHOD,
    INTENT_REQUIRES_CONFIRMATION,
    INTENT_REQUIRES_ACTION,
    INTENT_SUCCEEDED,
    INTENT_CANCELED,
};

struct payment_intent {
    struct object object;
    struct customer *customer;
    struct invoice *invoice;
    enum intent_status status;
    int64_t amount;
    const char *currency;
    const char *description;
    const char *client_secret;
    int64_t fee_amount;
    struct payment_method *method;
    struct charge *latest_charge;
    struct decline last_error; /* decline_code NULL: none */
    struct payment_method *failed_method;
    int64_t canceled_s;
    const char *cancellation_reason;
};

struct payment_intent *payment_intent_new(struct sim *sim, struct invoice *invoice);

/* What would be said to a charge now; decline_code NULL: it would succeed. */
struct decline
payment_intent_foresee(const struct customer *customer, const struct payment_method *method);

/* Whether the card asks for the customer to be there. */
bool payment_intent_needs_customer(
    const struct customer *customer, const struct payment_method *method);

/* Charges the card; true when the money is there. Off session, a card that asks for its owner
 * declines; on session the intent then waits in requires_action. */
bool payment_intent_attempt(
    struct sim *sim,
    struct payment_intent *intent,
    struct payment_method *method,
    bool off_session);

/* How the authentication ended that requires_action waited for. */
bool payment_intent_authenticate(struct sim *sim, struct payment_intent *intent, bool success);

void payment_intent_cancel(struct sim *sim, struct payment_intent *intent, const char *reason);

/* The application of the platform when it acted for a connected account, else NULL. */
const char *payment_intent_application(const struct payment_intent *intent);

void payment_intent_render(struct render *render, const struct object *object);
