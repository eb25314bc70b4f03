#pragma once

/* The merchant's customers. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct payment_method;
struct render;
struct sim;
struct test_clock;

#define ADDRESS_PARTS 6

struct customer {
    struct object object;
    const char *email;
    const char *name;
    const char *phone;
    const char *description;
    const char *currency; /* of the first invoice; NULL before */
    const char *tax_exempt;
    const char *invoice_prefix;
    const char *address[ADDRESS_PARTS]; /* city country line1 line2 postal_code state */
    bool has_address;
    int64_t balance; /* negative: credit that the next invoice uses up */
    int64_t invoice_count;
    bool delinquent;
    struct payment_method *default_payment_method; /* of invoice_settings */
    struct test_clock *test_clock;                 /* NULL: lives by the global clock */
    struct metadata metadata;
    const char *forced_decline; /* set over the control API: every charge fails with this */
};

/* The time that the customer lives in. */
int64_t customer_now_s(const struct sim *sim, const struct customer *customer);

void customer_render(struct render *render, const struct object *object);
