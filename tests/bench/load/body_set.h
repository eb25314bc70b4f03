#pragma once

/* The request bodies of a run, framed for gRPC (flag, length, message) and used in turn. */

#include <stddef.h>
#include <stdint.h>

struct body {
    const uint8_t *data; /* Borrowed from the set; the caller's own after body_number(). */
    size_t len;
};

struct body_set;

/* One empty message. */
struct body_set *body_set_new_empty(void);

/* The whole file is one message. Exits when it cannot be read. */
struct body_set *body_set_new_single(const char *path);

/* The file is a sequence of messages, each behind its length as a varint. Exits when it is not. */
struct body_set *body_set_new_delimited(const char *path);

/* Takes NULL. */
void body_set_free(struct body_set *set);

size_t body_set_len(const struct body_set *set);

/* The next body, round and round. */
struct body body_set_next(struct body_set *set);

/* Copies the body with each occurrence of the marker replaced by the next number, as decimal digits
 * with leading zeros in the length of the marker. The length of the body stays, so a protobuf
 * message stays valid. Returns memory that the caller frees. */
uint8_t *body_number(struct body body, const char *marker, uint64_t *next_number);
