#pragma once

/* How customers pay. Lists are answered from the mirror; changes are claimed here, made at the
 * payment side and settled here (services/intents.h). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/customer.h"
#include "domain/payment_method.h"
#include "services/intents.h"
#include "services/keyed.h"
#include "store/customer_store.h"

struct ctx;
struct services;

#define PAYMENT_METHOD_ATTACH_METHOD "billingos.v1.CustomerService/AttachPaymentMethod"
#define PAYMENT_METHOD_SET_DEFAULT_METHOD "billingos.v1.CustomerService/SetDefaultPaymentMethod"
#define PAYMENT_METHOD_DETACH_METHOD "billingos.v1.CustomerService/DetachPaymentMethod"
#define PAYMENT_METHOD_SUBSCRIPTIONS_MAX 100

/* What is to be done, and to which. */
struct payment_method_change {
    struct customer_key customer;
    const char *payment_method_id;     /* or the token that becomes one */
    bool make_default;                 /* attach only */
    const struct id *subscription_ids; /* set_default only: to be charged to it as well */
    size_t subscription_count;
};

/* The default first. Fails with CUSTOMER_NOT_FOUND. */
struct status payment_methods_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_key *customer,
    struct payment_method **ret_methods,
    size_t *ret_count) MUST_CHECK;

/* Fail as their methods in the API say. */
struct status payment_methods_attach(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change,
    struct payment_method *ret_method) MUST_CHECK;
struct status payment_methods_set_default(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change,
    struct customer *ret_customer) MUST_CHECK;
struct status payment_methods_detach(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change) MUST_CHECK;
struct status payment_methods_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

/* Tells of cards that end this month or next, each once a month, at most max. Over all
 * organisations. */
struct status payment_methods_tell_expiring(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;
