#pragma once

/* A bounded first-in first-out queue of pointers between threads. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct queue;

/* NULL without memory. Owned by the caller, free with queue_free(). */
struct queue *queue_new(size_t max) MUST_CHECK;
void queue_free(struct queue *queue);

/* False when the queue is full or closed; never waits. */
bool queue_put(struct queue *queue, void *item) MUST_CHECK;

/* Waits for an item; NULL when the queue is closed and empty. */
void *queue_take(struct queue *queue);

/* Up to max items at once, waiting for the first; 0 when the queue is closed and empty. */
size_t queue_take_many(struct queue *queue, void **ret_items, size_t max);

/* Wakes all takers; what is still inside can be taken. */
void queue_close(struct queue *queue);

size_t queue_depth(struct queue *queue);
