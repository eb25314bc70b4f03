#pragma once

/* Entitlement states by customer, for checks without the database. Thread-safe; one short lock.
 *
 * Freshness. Whoever fills takes a ticket BEFORE it reads the database and hands it in with the
 * state. Each invalidation gets the next number and is noted under the customer's slot; a state is
 * stored only when its slot was not invalidated after the ticket. So a fill that raced a change is
 * served once and not kept, without remembering every customer: two customers who share a slot cost
 * a fill now and then, never a stale entry. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"

struct entitlement_cache;
struct entitlement_state;

/* At most customers_max states; the least recently used go (second chance). NULL without memory. */
struct entitlement_cache *entitlement_cache_new(size_t customers_max) MUST_CHECK;
void entitlement_cache_free(struct entitlement_cache *cache);

/* A reference, or NULL. Put it back with entitlement_state_put(). */
struct entitlement_state *entitlement_cache_get(
    struct entitlement_cache *cache, int64_t org_id, const struct id *customer_id);
struct entitlement_state *entitlement_cache_get_external(
    struct entitlement_cache *cache, int64_t org_id, const char *external_id);

uint64_t entitlement_cache_ticket(struct entitlement_cache *cache);

/* Keeps a reference of its own unless the ticket is too old. */
void entitlement_cache_put(
    struct entitlement_cache *cache, struct entitlement_state *state, uint64_t ticket);

/* By the feed tail: the customer's rows have changed. */
void entitlement_cache_invalidate(
    struct entitlement_cache *cache, int64_t org_id, const struct id *customer_id);

/* Everything of one organisation (its catalogue changed), or of all. */
void entitlement_cache_invalidate_org(struct entitlement_cache *cache, int64_t org_id);
void entitlement_cache_clear(struct entitlement_cache *cache);

/* How far the cache is known to be complete. The tail moves it with every reading of the log; while
 * the log cannot be read `following` is false and the time stands still. */
void entitlement_cache_followed(struct entitlement_cache *cache, int64_t as_of_us);
void entitlement_cache_lost(struct entitlement_cache *cache);
bool entitlement_cache_following(struct entitlement_cache *cache, int64_t *ret_as_of_us);

size_t entitlement_cache_count(struct entitlement_cache *cache);
