#pragma once

/* Tax numbers of customers: listed from the mirror; added and removed through intents. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/customer.h"
#include "domain/tax_id.h"
#include "services/intents.h"
#include "services/keyed.h"
#include "store/customer_store.h"

struct ctx;
struct payment_tax_id;
struct services;
struct tx;

#define TAX_ID_CREATE_METHOD "billingos.v1.CustomerService/CreateTaxId"
#define TAX_ID_DELETE_METHOD "billingos.v1.CustomerService/DeleteTaxId"

/* Fail as their methods in the API say. */
struct status tax_ids_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct customer_key *customer,
    const char *kind,
    const char *value,
    struct tax_id *ret_tax_id) MUST_CHECK;
struct status tax_ids_delete(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct customer_key *customer,
    const char *tax_id_id) MUST_CHECK;
struct status tax_ids_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
struct status tax_ids_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_key *customer,
    struct tax_id **ret_tax_ids,
    size_t *ret_count) MUST_CHECK;

/* Applies what was read unless something newer is there; of nobody of ours: nothing happens. */
struct status tax_id_apply(
    struct ctx *cx, struct tx *tx, const struct payment_tax_id *payment, int64_t fetch_number)
    MUST_CHECK;
