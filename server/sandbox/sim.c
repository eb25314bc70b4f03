#include "sandbox/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/id.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "sandbox/account.h"
#include "sandbox/fault.h"
#include "sandbox/idempotency.h"
#include "sandbox/journal.h"
#include "sandbox/request_log.h"
#include "sandbox/webhook_out.h"

/* A simulator of a day's tests; past it every POST is refused with the words why. */
#define MEMORY_BYTES_MAX ((size_t)1536 * 1024 * 1024)
#define MEMORY_BYTES_RESERVE ((size_t)256 * 1024 * 1024)

/* Without memory nothing sensible can be simulated, and a half-made world would look like a bug of
 * the program under test. */
static _Noreturn void die_without_memory(void)
{
    log_error(NULL, "the simulator has no memory left");
    _exit(1);
}

struct sim *sim_new(uint64_t seed, const char *secret_key)
{
    struct sim *sim = heap_new(sizeof *sim);

    if (sim == NULL) {
        return NULL;
    }
    pthread_mutex_init(&sim->lock, NULL);
    arena_init(&sim->memory, NULL, 0, MEMORY_BYTES_MAX);
    sim->objects_max = 4096;
    sim->objects = hash_new(sim->objects_max);
    sim->random = seed;
    random_bytes(&sim->fleeting, sizeof sim->fleeting);
    sim->secret_key = secret_key;
    sim->faults = fault_list_new();
    sim->idempotency = idempotency_new();
    sim->request_log = request_log_new();
    sim->webhooks = webhook_out_new(sim);
    if (sim->objects == NULL || sim->faults == NULL || sim->idempotency == NULL ||
        sim->request_log == NULL || sim->webhooks == NULL) {
        sim_free(sim);
        return NULL;
    }
    sim->now_s = wallclock_us() / US_PER_SECOND;
    sim->platform = account_new_platform(sim);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    webhook_out_free(sim->webhooks);
    journal_close(sim->journal);
    request_log_free(sim->request_log);
    idempotency_free(sim->idempotency);
    fault_list_free(sim->faults);
    hash_free(sim->objects);
    arena_release(&sim->memory);
    pthread_mutex_destroy(&sim->lock);
    heap_free(sim);
}

void sim_lock(struct sim *sim, struct ctx *cx)
{
    pthread_mutex_lock(&sim->lock);
    sim->cx = cx;
    sim->now_s = wallclock_us() / US_PER_SECOND + sim->offset_s;
    sim->request_id = NULL;
    sim->request_key = NULL;
}

void sim_unlock(struct sim *sim)
{
    sim->cx = NULL;
    sim->request_id = NULL;
    sim->request_key = NULL;
    pthread_mutex_unlock(&sim->lock);
}

void *sim_alloc(struct sim *sim, size_t size)
{
    void *memory = arena_try_alloc(&sim->memory, size);

    if (memory == NULL) {
        die_without_memory();
    }
    return memory;
}

const char *sim_text(struct sim *sim, const char *text)
{
    char *copy = NULL;

    if (text == NULL) {
        return NULL;
    }
    copy = sim_alloc(sim, strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

/* SplitMix64 (Steele, Lea, Flood 2014): small, seedable, and good enough to name things. */
static uint64_t split_mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_random(struct sim *sim)
{
    return split_mix(&sim->random);
}

uint64_t sim_random_fleeting(struct sim *sim)
{
    return split_mix(&sim->fleeting);
}

const char *sim_draw_id(struct sim *sim, const char *prefix)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char id[64];
    size_t len = strlen(prefix);

    memcpy(id, prefix, len + 1);
    for (int half = 0; half < 3; half++) {
        uint64_t bits = sim_random(sim);

        for (int i = 0; i < 8; i++) {
            id[len++] = letters[bits % 62];
            bits /= 62;
        }
    }
    id[len] = '\0';
    return sim_text(sim, id);
}

static void index_grow(struct sim *sim)
{
    struct hash *larger = hash_new(sim->objects_max * 2);
    struct object *object = NULL;
    size_t cursor = 0;

    if (larger == NULL) {
        die_without_memory();
    }
    while ((object = hash_next(sim->objects, &cursor)) != NULL) {
        if (!hash_put(larger, object->key, strlen(object->key), object, NULL)) {
            die_without_memory();
        }
    }
    hash_free(sim->objects);
    sim->objects = larger;
    sim->objects_max *= 2;
}

void sim_index(struct sim *sim, struct object *object)
{
    if (hash_count(sim->objects) >= sim->objects_max) {
        index_grow(sim);
    }
    if (!hash_put(sim->objects, object->key, strlen(object->key), object, NULL)) {
        die_without_memory();
    }
}

bool sim_is_full(const struct sim *sim)
{
    return sim->memory.used_bytes > MEMORY_BYTES_MAX - MEMORY_BYTES_RESERVE;
}
