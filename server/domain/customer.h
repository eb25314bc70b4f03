#pragma once

/* Somebody who uses and pays. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;

#define CUSTOMER_EXTERNAL_ID_BYTES_MAX 128

/* The numbers are those of billingos.v1.TaxExemption. */
enum tax_exemption {
    TAX_EXEMPTION_NONE = 1,
    TAX_EXEMPTION_EXEMPT = 2,
    TAX_EXEMPTION_REVERSE = 3,
};

struct customer {
    struct id customer_id;
    int64_t customer_no;     /* given by the database: the short form for the usage tables */
    const char *external_id; /* "" = none */
    const char *name;
    const char *email;
    const char *phone;
    const char *address; /* a JSON object of line1, line2, city, region, postal_code, country_code;
                            "" = none */
    const char *locale;
    const char *currency;  /* "" = chosen by the first subscription */
    const char *time_zone; /* "" = that of the organisation */
    enum tax_exemption tax;
    const char *metadata;           /* a JSON object of texts */
    const char *stripe_customer_id; /* "" = not made at the payment side */
    const char *payment_method_id;  /* of the payment side, the default one; "" = none */
    int64_t balance_minor;          /* in credit there for coming invoices; negative: owes */
    bool delinquent;    /* the payment side waits for money; for people, not for checks */
    int64_t blocked_us; /* 0: not blocked */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t archived_us; /* 0: in use */
};

const char *tax_exemption_name(enum tax_exemption tax);
bool tax_exemption_parse(const char *name, enum tax_exemption *ret_tax);

/* What the merchant gives, without the address and the time zone, which only the database knows.
 * path: "customer". Fails with FIELD_INVALID, CURRENCY_UNKNOWN. */
struct status
customer_check(struct ctx *cx, const char *path, const struct customer *customer) MUST_CHECK;

/* CUSTOMER_ARCHIVED unless it is in use. */
struct status customer_check_active(struct ctx *cx, const struct customer *customer) MUST_CHECK;
