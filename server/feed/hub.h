#pragma once

/* Who listens to the events of which organisation. The tail publishes; each subscriber has a
 * bounded ring of the newest events and a wake function. Numbers of one organisation have no gaps,
 * so a subscriber that finds the next number missing (its ring was full, or it resumes from before)
 * reads the database instead: a slow reader costs one ring and loses nothing. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "domain/event.h"

struct hub;
struct subscriber;

#define HUB_RING_MAX 64

/* An event that several subscribers share. */
struct shared_event;
const struct event *shared_event_get(const struct shared_event *shared);
void shared_event_put(struct shared_event *shared);

struct hub *hub_new(size_t subscribers_max) MUST_CHECK;
void hub_free(struct hub *hub);

/* wake(user) is called from any thread, at most once between two calls of hub_next() that found
 * nothing, never under a lock of the hub that the callee could need. NULL when there are
 * subscribers_max already. */
struct subscriber *
hub_subscribe(struct hub *hub, int64_t org_id, void (*wake)(void *user), void *user) MUST_CHECK;

/* After it returns wake is not running and will not be called again. */
void hub_unsubscribe(struct hub *hub, struct subscriber *subscriber);

/* The oldest event in the ring, now the caller's; NULL when the ring is empty, and then the next
 * event or tick wakes. *ret_ticked: hub_tick() came by since the last call. */
struct shared_event *hub_next(struct hub *hub, struct subscriber *subscriber, bool *ret_ticked);

/* By the tail. A full ring is emptied: its owner sees the gap and reads the database. */
void hub_publish(struct hub *hub, const struct event *event);

/* Wakes those who are waiting: time for a heartbeat. Called every 30 s. */
void hub_tick(struct hub *hub);

/* Wakes everybody, so that they look whether the server is ending. */
void hub_wake_all(struct hub *hub);

size_t hub_count(struct hub *hub);
