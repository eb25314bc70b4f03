#pragma once

/* Cards. There are only the provider's test ones; each knows how it fails. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct call;
struct customer;
struct render;
struct sim;

/* One of the provider's test cards, by the part of its name behind "pm_card_" or "tok_". */
struct test_card {
    const char *name;
    const char *brand;
    const char *last4;
    const char *decline;    /* NULL: charges succeed */
    bool decline_on_attach; /* the bank refuses already when the card is saved */
    bool authenticate;      /* the customer must be there */
};

struct payment_method {
    struct object object;
    const struct test_card *card;
    struct customer *customer; /* NULL: attached to nobody */
    const char *name;
    const char *email;
    struct metadata metadata;
};

/* What the bank says to a charge. */
struct decline {
    const char *decline_code;
    const char *code; /* of the error: "card_declined", "expired_card" ... */
    const char *message;
    const char *advice; /* NULL: none */
    bool hard;          /* the provider itself does not try this card again */
};

/* The decline with that code; unknown codes decline as the code says. */
struct decline payment_method_decline(const char *decline_code);

/* A card by its test name, or an unattached one by its id; not attached yet. Fails with a 402 when
 * the bank refuses to have it saved. */
bool payment_method_prepare(
    struct call *call, const char *id, const char *param, struct payment_method **ret) MUST_CHECK;
void payment_method_attach(
    struct sim *sim, struct payment_method *method, struct customer *customer);

/* The customer's card with that id, or NULL. */
struct payment_method *
payment_method_of(const struct sim *sim, const struct customer *customer, const char *id);

void payment_method_render(struct render *render, const struct object *object);
