#pragma once

/* Clients send the entries of a map in any order, and some in another one each time. Whoever
 * compares two requests byte by byte, or what was made of them, puts the entries in order first. */

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

/* Sorts the entries of all maps of a message by key, in place; keys are texts. */
void map_order(ProtobufCMessage *message);

/* Sorts the entries of one map: the array of a map field. */
void map_order_entries(size_t count, const void *entries);
