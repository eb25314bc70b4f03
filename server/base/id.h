#pragma once

/* Ids: 128 bits, sortable by time of creation, written as a type prefix and 26 letters.
 * The bytes are a UUID of version 7 (RFC 9562: 48 bits of milliseconds, then random), so that the
 * database holds them in 16 bytes; the text is Crockford base32, "cus_01J8Z0...". Text exists at
 * the edges only. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct id {
    uint8_t bytes[16];
};

/* X(KIND, prefix) */
#define ID_KINDS(X)            \
    X(ORGANIZATION, "org")     \
    X(KEY, "key")              \
    X(MEMBER, "mem")           \
    X(INVITATION, "invt")      \
    X(AUDIT, "aud")            \
    X(FEATURE, "feat")         \
    X(METER, "mtr")            \
    X(PLAN, "plan")            \
    X(PLAN_VERSION, "pv")      \
    X(PRICE, "price")          \
    X(COUPON, "cpn")           \
    X(CUSTOMER, "cus")         \
    X(SUBSCRIPTION, "sub")     \
    X(SUBSCRIPTION_ITEM, "si") \
    X(SCHEDULED_CHANGE, "sch") \
    X(PREVIEW, "prv")          \
    X(INVOICE, "in")           \
    X(INVOICE_LINE, "il")      \
    X(PAYMENT, "pay")          \
    X(REFUND, "re")            \
    X(CREDIT_NOTE, "cn")       \
    X(DISPUTE, "dsp")          \
    X(GRANT, "grant")          \
    X(USAGE, "use")            \
    X(RESERVATION, "res")      \
    X(EVENT, "evt")            \
    X(OPERATION, "op")         \
    X(REQUEST, "req")          \
    X(DECISION, "dec")         \
    X(RECONCILIATION, "rec")   \
    X(DRIFT, "drf")

enum id_kind {
#define X(kind, prefix) ID_##kind,
    ID_KINDS(X)
#undef X
};

#define ID_TEXT_SIZE 40 /* the longest prefix, "_", 26 letters, NUL, with room */

/* A new id; now_us gives its time part. Never fails: neither does getrandom(). */
struct id id_new(int64_t now_us);

/* No id made at at_us or later is smaller, and every one of a millisecond before is. */
struct id id_first(int64_t at_us);

/* An id that is a function of its inputs (the first 128 bits of a SHA-256), for keys that must come
 * out the same on every try. */
struct id id_derived(const void *data, size_t len);

void id_format(enum id_kind kind, const struct id *id, char ret_text[ID_TEXT_SIZE]);

/* In the arena; "" for the zero id. */
const char *id_text(struct arena *arena, enum id_kind kind, const struct id *id);

/* False when the prefix is another or the letters are not 26 of ours. Accepts only the form that
 * id_format() writes. */
bool id_parse(enum id_kind kind, const char *text, struct id *ret_id);

bool id_is_zero(const struct id *id);
bool id_equal(const struct id *a, const struct id *b);
const char *id_prefix(enum id_kind kind);

/* Fills with random bytes of the kernel. */
void random_bytes(void *ret_bytes, size_t len);
