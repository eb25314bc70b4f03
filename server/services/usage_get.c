#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/metrics.h"
#include "cache/catalog_cache.h"
#include "cache/entitlement_state.h"
#include "services/entitlement_load.h"
#include "services/services.h"
#include "services/usage.h"
#include "store/usage_store.h"

struct getting {
    struct services *services;
    struct entitlement_state *state;
    struct catalog_index *catalog;
    struct usage_reading *readings;
    struct usage_counter *counters;
    size_t count;
    size_t max;
};

static void getting_release(struct getting *getting)
{
    entitlement_state_put(getting->state);
    catalog_index_put(getting->catalog);
}

static void add_reading(
    struct ctx *cx,
    struct getting *getting,
    int32_t meter_no,
    const struct entitlement_entry *entry)
{
    const struct window_rule by_month = {.reset = RESET_MONTH};
    const struct window_rule *rule = entry == NULL ? &by_month : &entry->entitlement.window;
    struct usage_reading *reading = &getting->readings[getting->count];

    if (getting->count == getting->max) {
        return;
    }
    *reading = (struct usage_reading){
        .meter_key = arena_text(cx->arena, catalog_index_meter_key(getting->catalog, meter_no)),
        .feature_key = entry == NULL ? "" : arena_text(cx->arena, entry->feature_key),
        .window = period_window(rule, cx->now_us),
    };
    if (entry != NULL) {
        reading->answer.known = true;
        reading->answer.entitlement = entry->entitlement;
        reading->answer.entitlement.config = "";
    }
    getting->counters[getting->count++] = (struct usage_counter){
        .meter_no = meter_no, .reset = rule->reset, .window_us = reading->window.start_us};
}

static bool covered(const struct getting *getting, int32_t meter_no)
{
    for (size_t i = 0; i < getting->count; i++) {
        if (getting->counters[i].meter_no == meter_no) {
            return true;
        }
    }
    return false;
}

/* Meters of features first, then those that were only counted. */
static struct status collect(struct ctx *cx, struct getting *getting, int32_t only_meter)
{
    const struct window_rule by_month = {.reset = RESET_MONTH};
    int32_t *meters = NULL;
    size_t meter_count = 0;

    for (size_t i = 0; i < getting->state->entry_count; i++) {
        const struct entitlement_entry *entry = &getting->state->entries[i];
        const int32_t meter_no = entry->entitlement.meter_no;

        if (meter_no != 0 && (only_meter == 0 || meter_no == only_meter)) {
            add_reading(cx, getting, meter_no, entry);
        }
    }
    if (only_meter != 0) {
        if (!covered(getting, only_meter)) {
            add_reading(cx, getting, only_meter, NULL);
        }
        return STATUS_OK;
    }
    TRY(usage_store_meters(
        cx,
        getting->services->db,
        getting->state->customer_no,
        period_window(&by_month, cx->now_us).start_us,
        &meters,
        &meter_count));
    for (size_t i = 0; i < meter_count; i++) {
        const bool named = catalog_index_meter_key(getting->catalog, meters[i])[0] != '\0';

        if (named && !covered(getting, meters[i])) {
            add_reading(cx, getting, meters[i], NULL);
        }
    }
    return STATUS_OK;
}

static void finish(const struct ctx *cx, struct getting *getting)
{
    for (size_t i = 0; i < getting->count; i++) {
        const struct usage_counter *counter = &getting->counters[i];
        struct usage_reading *reading = &getting->readings[i];

        reading->used = counter->used;
        reading->reserved = counter->reserved;
        reading->events = counter->events;
        reading->last_event_us = counter->last_event_us;
        if (reading->answer.known) {
            reading->answer.decision = entitlement_evaluate(
                &getting->state->customer,
                &reading->answer.entitlement,
                (struct entitlement_usage){counter->used, counter->reserved},
                1,
                cx->now_us);
        }
    }
}

static int by_meter_and_feature(const void *a, const void *b)
{
    const struct usage_reading *left = a;
    const struct usage_reading *right = b;
    const int order = strcmp(left->meter_key, right->meter_key);

    return order != 0 ? order : strcmp(left->feature_key, right->feature_key);
}

struct status usage_get(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    const char *meter_key,
    struct usage_listing *ret_listing)
{
    AUTO(getting_release) struct getting getting = {.services = services};
    int32_t only_meter = 0;

    TRY(entitlement_load_state(cx, services, customer, &getting.state));
    TRY(entitlement_load_catalog(cx, services, &getting.catalog));
    if (meter_key[0] != '\0') {
        const struct catalog_meter *meter = catalog_index_meter(getting.catalog, meter_key);

        if (meter == NULL) {
            return status_pair(
                cx,
                status_fail(cx, REASON_METER_NOT_FOUND, "meter \"%s\" does not exist", meter_key),
                "meter_key",
                meter_key);
        }
        only_meter = meter->meter_no;
    }
    getting.max = getting.state->entry_count + getting.catalog->keys.meter_count + 1;
    getting.readings = arena_try_alloc(cx->arena, getting.max * sizeof getting.readings[0]);
    getting.counters = arena_try_alloc(cx->arena, getting.max * sizeof getting.counters[0]);
    if (getting.readings == NULL || getting.counters == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    TRY(collect(cx, &getting, only_meter));
    TRY(usage_store_read(
        cx, services->db, getting.state->customer_no, getting.counters, getting.count));
    finish(cx, &getting);
    qsort(getting.readings, getting.count, sizeof getting.readings[0], by_meter_and_feature);
    *ret_listing = (struct usage_listing){
        .customer_id = getting.state->customer_id,
        .state_version = getting.state->state_version,
        .readings = getting.readings,
        .count = getting.count,
    };
    return STATUS_OK;
}

struct status usage_roll(struct ctx *cx, struct services *services, size_t *ret_moved)
{
    return usage_store_roll(cx, services->db, ret_moved);
}
