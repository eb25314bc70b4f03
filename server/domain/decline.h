#pragma once

/* What can be done about a declined payment. Pure. */

/* The numbers are those of billingos.v1.DeclineClass. */
enum decline_class {
    DECLINE_NONE = 0,
    DECLINE_FUNDS = 1,
    DECLINE_TRANSIENT = 2,
    DECLINE_GENERIC = 3,
    DECLINE_DATA = 4,
    DECLINE_AUTHENTICATION = 5,
    DECLINE_HARD = 6,
    DECLINE_MERCHANT = 7,
};

/* From the code of the bank or of the payment side; "" is NONE, an unknown one GENERIC. */
enum decline_class decline_class_of(const char *code);

/* "FUNDS". */
const char *decline_class_name(enum decline_class decline);

/* What the customer can do about it, as a sentence for them: neutral, and it names no party. */
const char *decline_advice(enum decline_class decline);
