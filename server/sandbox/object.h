#pragma once

/* What every simulated thing has: an id, an owner, a time of creation. Each account has a store of
 * its own; the same id asked in another store does not exist there, which is what catches a
 * forgotten Stripe-Account. Objects are never freed, a deleted one stays as a tombstone.
 * Guarded by the lock of the simulator. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct sim;

enum object_kind {
    KIND_ACCOUNT,
    KIND_CUSTOMER,
    KIND_PAYMENT_METHOD,
    KIND_TAX_ID,
    KIND_PRODUCT,
    KIND_PRICE,
    KIND_COUPON,
    KIND_METER,
    KIND_SUBSCRIPTION,
    KIND_SCHEDULE,
    KIND_INVOICE,
    KIND_INVOICE_PAYMENT,
    KIND_PAYMENT_INTENT,
    KIND_CHARGE,
    KIND_REFUND,
    KIND_EVENT,
    KIND_WEBHOOK_ENDPOINT,
    KIND_TEST_CLOCK,
    KIND_COUNT,
    KIND_NONE = KIND_COUNT, /* an answer that is no stored object: a link, a deletion */
};

/* The first member of every concrete object, so that a pointer to one is a pointer to the other. */
struct object {
    enum object_kind kind;
    const char *id;
    struct account *owner;
    int64_t created_s;
    size_t position; /* in the owner's list of that kind; lists are in order of creation */
    bool deleted;
    const char *key; /* owner "/" id: the place in the index of the simulator */
};

struct object_list {
    struct object **items;
    size_t count;
    size_t capacity;
};

/* A zeroed object of `size` bytes, its header filled, in the list of its owner. The id is drawn
 * when NULL, else copied. */
void *object_new(
    struct sim *sim, struct account *owner, enum object_kind kind, size_t size, const char *id);

/* NULL when the owner has no such object of that kind. Finds tombstones too. */
void *object_find(
    const struct sim *sim, const struct account *owner, enum object_kind kind, const char *id);

/* Whether any object of the owner has that id. */
bool object_taken(const struct sim *sim, const struct account *owner, const char *id);

/* "customer", as it stands in "No such customer". */
const char *object_word(enum object_kind kind);

/* The name of the kind in counts, "subscriptions". */
const char *object_plural(enum object_kind kind);
