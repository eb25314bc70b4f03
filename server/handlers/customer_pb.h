#pragma once

/* Customers and addresses between their messages and the domain. Memory is of the arena of cx. */

#include <billingos/v1/common.pb-c.h>
#include <billingos/v1/customer_service.pb-c.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/customer.h"
#include "services/customers.h"

struct ctx;

Billingos__V1__Customer *customer_pb(struct ctx *cx, const struct customer *customer);

/* What the merchant gives; the field "customer". Fails with FIELD_INVALID; what is not supported
 * yet is refused. */
struct status customer_pb_read(
    struct ctx *cx,
    const Billingos__V1__Customer *message,
    struct customer *ret_customer) MUST_CHECK;

/* A JSON object with the names of the fields; "" when the address is absent or empty. path:
 * "customer.address". Fails with FIELD_INVALID. */
struct status customer_pb_read_address(
    struct ctx *cx, const char *path, const Billingos__V1__Address *message, const char **ret_json)
    MUST_CHECK;

/* NULL for "". */
Billingos__V1__Address *customer_pb_address(struct ctx *cx, const char *json);

/* Which customer is meant; customer_id NULL: by the merchant's own id. Fails with FIELD_INVALID. */
struct status customer_pb_read_key(
    struct ctx *cx,
    const char *customer_id,
    const char *external_id,
    struct id *id,
    struct customer_key *ret_key) MUST_CHECK;

/* From the oneof "customer", whose fields have the numbers 1 and 2 in these requests. */
#define CUSTOMER_PB_READ_KEY(cx, request, id, ret_key)                               \
    customer_pb_read_key(                                                            \
        (cx),                                                                        \
        (int)(request)->customer_case == 1 ? (request)->customer_id : NULL,          \
        (int)(request)->customer_case == 2 ? (request)->external_customer_id : NULL, \
        (id),                                                                        \
        (ret_key))
