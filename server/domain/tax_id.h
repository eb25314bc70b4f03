#pragma once

/* Tax numbers of customers. Pure. */

#include <stdint.h>

#include "base/id.h"
#include "base/status.h"

#define TAX_IDS_MAX 5
#define TAX_ID_KIND_BYTES_MAX 20
#define TAX_ID_VALUE_LETTERS_MAX 40

/* The numbers are those of billingos.v1.TaxIdVerification. */
enum tax_id_verification {
    TAX_ID_PENDING = 1,
    TAX_ID_VERIFIED = 2,
    TAX_ID_UNVERIFIED = 3,
    TAX_ID_UNAVAILABLE = 4,
};

struct tax_id {
    const char *tax_id_id; /* of the payment side, "txi_..." */
    struct id customer_id;
    const char *kind; /* "eu_vat" */
    const char *value;
    enum tax_id_verification verification;
    int64_t created_us;
};

/* "PENDING"; the payment side has the same words in lower case. PENDING for another word. */
const char *tax_id_verification_name(enum tax_id_verification verification);
enum tax_id_verification tax_id_verification_parse(const char *name);
