#include "cache/entitlement_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

/* The lock makes the four numbers one: a reader must not see the window of one reading with the
 * usage of another, which would let through what the limit forbids. */
struct entitlement_counter {
    pthread_mutex_t *lock; /* of the state */
    int64_t window_us;     /* start of the window that `used` counts */
    int64_t used;
    int64_t reserved;
    int64_t read_us; /* 0: never read */
};

static char *add_text(char **end, const char *text)
{
    char *copy = *end;
    const size_t size = strlen(text) + 1;

    memcpy(copy, text, size);
    *end += size;
    return copy;
}

static int by_key(const void *a, const void *b)
{
    const struct entitlement_entry *left = a;
    const struct entitlement_entry *right = b;

    return strcmp(left->feature_key, right->feature_key);
}

struct entitlement_state *entitlement_state_new(const struct entitlement_state *input)
{
    const size_t n = input->entry_count;
    size_t size = sizeof *input + n * sizeof(struct entitlement_entry) +
                  n * sizeof(struct entitlement_counter) + strlen(input->external_id) + 1;
    struct entitlement_state *state = NULL;
    struct entitlement_entry *entries = NULL;
    struct entitlement_counter *counters = NULL;
    char *texts = NULL;

    for (size_t i = 0; i < n; i++) {
        size += strlen(input->entries[i].feature_key) + 1;
        size += strlen(input->entries[i].entitlement.config) + 1;
    }
    state = heap_new(size);
    if (state == NULL) {
        return NULL;
    }
    entries = (struct entitlement_entry *)(void *)(state + 1);
    counters = (struct entitlement_counter *)(void *)(entries + n);
    texts = (char *)(counters + n);
    state->org_id = input->org_id;
    state->customer_id = input->customer_id;
    state->customer_no = input->customer_no;
    state->state_version = input->state_version;
    state->customer = input->customer;
    state->external_id = add_text(&texts, input->external_id);
    state->entry_count = n;
    state->entries = entries;
    atomic_init(&state->references, 1);
    pthread_mutex_init(&state->counters_lock, NULL);
    for (size_t i = 0; i < n; i++) {
        entries[i] = input->entries[i];
        entries[i].feature_key = add_text(&texts, input->entries[i].feature_key);
        entries[i].entitlement.config = add_text(&texts, input->entries[i].entitlement.config);
        entries[i].counter = &counters[i];
        counters[i].lock = &state->counters_lock;
    }
    if (n > 1) {
        qsort(entries, n, sizeof entries[0], by_key);
    }
    return state;
}

struct entitlement_state *entitlement_state_ref(struct entitlement_state *state)
{
    atomic_fetch_add_explicit(&state->references, 1, memory_order_relaxed);
    return state;
}

void entitlement_state_put(struct entitlement_state *state)
{
    if (state != NULL &&
        atomic_fetch_sub_explicit(&state->references, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_destroy(&state->counters_lock);
        heap_free(state);
    }
}

const struct entitlement_entry *
entitlement_state_find(const struct entitlement_state *state, const char *feature_key)
{
    size_t low = 0;
    size_t high = state->entry_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(feature_key, state->entries[middle].feature_key);

        if (order == 0) {
            return &state->entries[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void entitlement_state_count(
    const struct entitlement_entry *entry,
    int64_t window_us,
    int64_t used,
    int64_t reserved,
    int64_t read_us)
{
    struct entitlement_counter *counter = entry->counter;

    pthread_mutex_lock(counter->lock);
    if (counter->read_us == 0 || counter->window_us < window_us) {
        /* A new window starts from its first reading. */
        counter->window_us = window_us;
        counter->used = used;
        counter->reserved = reserved;
        counter->read_us = read_us;
    } else if (counter->window_us == window_us) {
        counter->used = larger(counter->used, used);
        counter->reserved = reserved;
        counter->read_us = larger(counter->read_us, read_us);
    }
    pthread_mutex_unlock(counter->lock);
}

struct entitlement_usage entitlement_state_usage(
    const struct entitlement_entry *entry, int64_t window_us, int64_t *ret_read_us)
{
    struct entitlement_counter *counter = entry->counter;
    struct entitlement_usage usage = {0, 0};

    *ret_read_us = 0;
    pthread_mutex_lock(counter->lock);
    if (counter->read_us != 0 && counter->window_us == window_us) {
        *ret_read_us = counter->read_us;
        usage = (struct entitlement_usage){counter->used, counter->reserved};
    }
    pthread_mutex_unlock(counter->lock);
    return usage;
}
