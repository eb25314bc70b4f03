#include "sandbox/idempotency.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/hash.h"
#include "base/heap.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/sim.h"

#define KEPT_S 86400
#define ENTRIES_MAX 65536

struct idempotency_entry {
    char *key; /* account "/" key */
    char *body;
    uint64_t fingerprint;
    int64_t created_s;
    int status;
    bool running;
    const char *should_retry;
};

struct idempotency {
    struct hash *by_key;
    struct idempotency_entry *ring[ENTRIES_MAX]; /* in order of time */
    size_t oldest;
    size_t count;
};

struct idempotency *idempotency_new(void)
{
    struct idempotency *idempotency = heap_new(sizeof *idempotency);

    if (idempotency == NULL) {
        return NULL;
    }
    idempotency->by_key = hash_new(ENTRIES_MAX);
    if (idempotency->by_key == NULL) {
        idempotency_free(idempotency);
        return NULL;
    }
    return idempotency;
}

static void free_entry(struct idempotency_entry *entry)
{
    heap_free(entry->key);
    heap_free(entry->body);
    heap_free(entry);
}

static void drop_oldest(struct idempotency *idempotency)
{
    struct idempotency_entry *entry = idempotency->ring[idempotency->oldest];

    idempotency->oldest = (idempotency->oldest + 1) % ENTRIES_MAX;
    idempotency->count--;
    (void)hash_remove(idempotency->by_key, entry->key, strlen(entry->key));
    free_entry(entry);
}

void idempotency_free(struct idempotency *idempotency)
{
    if (idempotency == NULL) {
        return;
    }
    while (idempotency->count > 0) {
        drop_oldest(idempotency);
    }
    hash_free(idempotency->by_key);
    heap_free(idempotency);
}

/* The same for the same parameters in any order: the sum of the hashes of the pairs. */
static uint64_t fingerprint_of(const struct call *call)
{
    uint64_t sum = hash_bytes(call->http->path, strlen(call->http->path));

    for (size_t i = 0; i < call->form.count; i++) {
        const char *pair = arena_printf(
            call->cx->arena, "%s=%s", call->form.pairs[i].key, call->form.pairs[i].value);

        sum += hash_bytes(pair, strlen(pair));
    }
    return sum;
}

static const char *key_of(const struct call *call)
{
    return arena_printf(call->cx->arena, "%s/%s", call->account->object.id, call->idempotency_key);
}

enum idempotency_state idempotency_check(struct call *call)
{
    struct idempotency *idempotency = call->sim->idempotency;
    const struct idempotency_entry *entry = NULL;
    const char *key = NULL;

    if (call->idempotency_key == NULL) {
        return IDEMPOTENCY_FIRST;
    }
    while (idempotency->count > 0 && !idempotency->ring[idempotency->oldest]->running &&
           idempotency->ring[idempotency->oldest]->created_s < call->sim->now_s - KEPT_S) {
        drop_oldest(idempotency);
    }
    key = key_of(call);
    entry = hash_get(idempotency->by_key, key, strlen(key));
    if (entry == NULL) {
        return IDEMPOTENCY_FIRST;
    }
    if (entry->fingerprint != fingerprint_of(call)) {
        return IDEMPOTENCY_MISMATCH;
    }
    if (entry->running) {
        return IDEMPOTENCY_RUNNING;
    }
    buf_clear(&call->body);
    buf_text(&call->body, entry->body);
    call->status = entry->status;
    call->should_retry = entry->should_retry;
    call->replayed = true;
    return IDEMPOTENCY_REPLAY;
}

struct idempotency_entry *idempotency_keep(struct call *call, bool running)
{
    struct idempotency *idempotency = call->sim->idempotency;
    struct idempotency_entry *entry = NULL;

    if (call->idempotency_key == NULL) {
        return NULL;
    }
    if (idempotency->count == ENTRIES_MAX) {
        if (idempotency->ring[idempotency->oldest]->running) {
            return NULL;
        }
        drop_oldest(idempotency);
    }
    entry = heap_new(sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    entry->key = heap_text(key_of(call));
    entry->body = heap_text(buf_cstr(&call->body));
    if (entry->key == NULL || entry->body == NULL ||
        !hash_put(idempotency->by_key, entry->key, strlen(entry->key), entry, NULL)) {
        free_entry(entry);
        return NULL;
    }
    entry->fingerprint = fingerprint_of(call);
    entry->created_s = call->sim->now_s;
    entry->status = call->status;
    entry->running = running;
    entry->should_retry = call->should_retry;
    idempotency->ring[(idempotency->oldest + idempotency->count) % ENTRIES_MAX] = entry;
    idempotency->count++;
    return entry;
}

void idempotency_finish(struct idempotency_entry *entry)
{
    if (entry != NULL) {
        entry->running = false;
    }
}
