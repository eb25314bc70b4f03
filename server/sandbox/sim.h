#pragma once

/* The simulated world: one platform, the accounts connected to it, and the time. One lock guards
 * all of it; who holds the lock sets the context, so that whatever happens is said to have been
 * caused by that request, at that time. */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "sandbox/object.h"

struct account_link;
struct ctx;
struct fault_list;
struct hash;
struct idempotency;
struct journal;
struct request_log;
struct webhook_out;

#define SIM_API_VERSION "2026-10-28.endive"
#define SIM_ID_BYTES_MAX 255
#define SIM_BANNER "Simulated payment provider - no real payments"

struct sim {
    pthread_mutex_t lock;
    struct arena memory; /* everything that is remembered for ever */
    struct hash *objects;
    size_t objects_max;
    struct account *platform;
    struct account_link *account_links; /* the newest; each knows the next older one */
    uint64_t random;
    int64_t offset_s;       /* how far the global clock is ahead of the wall clock */
    const char *secret_key; /* NULL: every sk_test_ is right */
    struct webhook_out *webhooks;
    struct fault_list *faults;
    struct idempotency *idempotency;
    struct request_log *request_log;
    struct journal *journal; /* NULL: nothing is persisted */
    uint64_t fleeting;       /* random numbers that no object depends on */
    bool replaying;          /* the journal is read: nothing is delivered or written */

    /* Of whoever holds the lock. */
    struct ctx *cx;
    int64_t now_s;           /* the global clock, or the moment of the action being replayed */
    const char *request_id;  /* NULL: the simulator acts by itself */
    const char *request_key; /* the idempotency key, or NULL */
};

/* NULL without memory. Owned by the caller, free with sim_free(). */
struct sim *sim_new(uint64_t seed, const char *secret_key) MUST_CHECK;
void sim_free(struct sim *sim);

/* Takes the lock for one request or action of cx; the time is read once. */
void sim_lock(struct sim *sim, struct ctx *cx);
void sim_unlock(struct sim *sim);

/* Memory that is never given back; zeroed, never NULL: without memory the process ends. */
void *sim_alloc(struct sim *sim, size_t size);

/* Copies; NULL stays NULL. */
const char *sim_text(struct sim *sim, const char *text);

/* Deterministic for a given seed and sequence of requests that change something. */
uint64_t sim_random(struct sim *sim);

/* For what is not to disturb that: ids of requests, chances. */
uint64_t sim_random_fleeting(struct sim *sim);
const char *sim_draw_id(struct sim *sim, const char *prefix);

/* Makes an object findable by its key. */
void sim_index(struct sim *sim, struct object *object);

/* So much is remembered that nothing may be added any more. */
bool sim_is_full(const struct sim *sim);
