#include "services/usage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "cache/catalog_cache.h"
#include "cache/entitlement_cache.h"
#include "cache/entitlement_state.h"
#include "domain/event.h"
#include "services/entitlement_load.h"
#include "services/services.h"
#include "store/db.h"
#include "store/event_log.h"
#include "store/usage_store.h"

#define NUMBER_OUT_OF_RANGE "22003" /* of PostgreSQL */

/* One batch on its way: what was asked, and what was made of it. */
struct batch {
    struct services *services;
    const struct usage_report *reports;
    struct usage_result *results;
    size_t report_count;
    struct catalog_index *catalog;
    struct entitlement_state **states; /* by event: a reference, or NULL */
    struct usage_event *events;        /* those that can be stored, sorted by key */
    size_t *origins;                   /* by event: the report it came from */
    size_t count;
    enum usage_outcome *outcomes;
};

/* What one transaction stores of it. */
struct slice {
    struct batch *batch;
    size_t from;
    size_t count;
    struct usage_counted *counted;
    size_t counted_count;
};

/* The calendar month counts what no feature asks for. */
static const struct window_rule by_month = {.reset = RESET_MONTH};

static void add_window(struct usage_event *event, const struct window_rule *rule)
{
    const struct window window = period_window(rule, event->event_us);

    for (size_t i = 0; i < event->window_count; i++) {
        if (event->windows[i].reset == rule->reset &&
            event->windows[i].start_us == window.start_us) {
            return;
        }
    }
    if (event->window_count < USAGE_WINDOWS_MAX) {
        event->windows[event->window_count++] = (struct usage_window){rule->reset, window.start_us};
    }
}

static void find_windows(const struct entitlement_state *state, struct usage_event *event)
{
    for (size_t i = 0; i < state->entry_count; i++) {
        if (state->entries[i].entitlement.meter_no == event->meter_no) {
            add_window(event, &state->entries[i].entitlement.window);
        }
    }
    if (event->window_count == 0) {
        add_window(event, &by_month);
    }
}

static int64_t fingerprint_of(const struct usage_event *event, const struct usage_report *report)
{
    const int64_t numbers[] = {
        event->customer_no, event->meter_no, event->quantity, report->event_us};
    const struct str pieces[] = {
        {(const char *)numbers, sizeof numbers},
        str_of(report->properties == NULL ? "" : report->properties),
    };
    uint8_t digest[SHA256_SIZE];
    int64_t fingerprint = 0;

    sha256_pieces(pieces, ARRAY_LEN(pieces), digest);
    memcpy(&fingerprint, digest, sizeof fingerprint);
    return fingerprint;
}

static struct id key_of(const struct usage_report *report)
{
    const struct str pieces[] = {str_of(report->source), {"", 1}, str_of(report->event_id)};
    uint8_t digest[SHA256_SIZE];
    struct id key;

    sha256_pieces(pieces, ARRAY_LEN(pieces), digest);
    memcpy(key.bytes, digest, sizeof key.bytes);
    return key;
}

static struct status find_customer(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct entitlement_state **ret_state)
{
    int64_t as_of_us = 0;

    *ret_state = NULL;
    if (entitlement_cache_following(services->cache, &as_of_us)) {
        *ret_state = entitlement_load_cached(cx, services, customer);
    }
    return *ret_state != NULL ? STATUS_OK
                              : entitlement_load_state(cx, services, customer, ret_state);
}

static struct status find_meter(
    struct ctx *cx,
    const struct batch *batch,
    const char *meter_key,
    const struct catalog_meter **ret_meter)
{
    const struct catalog_meter *meter = catalog_index_meter(batch->catalog, meter_key);
    struct status status = STATUS_OK;

    *ret_meter = meter;
    if (meter == NULL) {
        status = status_fail(cx, REASON_METER_NOT_FOUND, "meter \"%s\" does not exist", meter_key);
    } else if (meter->archived) {
        status = status_fail(cx, REASON_METER_ARCHIVED, "meter \"%s\" is archived", meter_key);
    }
    return status_pair(cx, status, "meter_key", meter_key);
}

static struct status check_time(struct ctx *cx, const struct usage_report *report)
{
    const int64_t earliest_us = cx->now_us - USAGE_AGE_US_MAX;
    const enum usage_time found =
        report->has_time ? usage_time_check(report->event_us, cx->now_us) : USAGE_TIME_TAKEN;
    struct status status;
    char event_time[RFC3339_SIZE];
    char earliest_time[RFC3339_SIZE];

    if (found == USAGE_TIME_TAKEN) {
        return STATUS_OK;
    }
    wallclock_format(report->event_us, event_time);
    if (found == USAGE_TIME_IN_FUTURE) {
        status = status_fail(
            cx,
            REASON_EVENT_TIME_IN_FUTURE,
            "event_time %s is more than 5 minutes ahead of the server",
            event_time);
    } else {
        wallclock_format(earliest_us, earliest_time);
        status = status_fail(
            cx, REASON_EVENT_TOO_OLD, "event_time %s is more than 35 days ago", event_time);
        status = status_pair(cx, status, "earliest_time", earliest_time);
    }
    return status_pair(cx, status, "event_time", event_time);
}

/* Turns one report into an event. What is wrong with it alone becomes its result. */
static struct status prepare_event(
    struct ctx *cx,
    struct batch *batch,
    const struct usage_report *report,
    struct usage_event *ret_event,
    struct entitlement_state **ret_state)
{
    const struct catalog_meter *meter = NULL;

    TRY(find_meter(cx, batch, report->meter_key, &meter));
    TRY(check_time(cx, report));
    TRY(find_customer(cx, batch->services, &report->customer, ret_state));
    *ret_event = (struct usage_event){
        .key = key_of(report),
        .customer_no = (*ret_state)->customer_no,
        .meter_no = meter->meter_no,
        .quantity = report->quantity,
        .counted = meter->aggregation == METER_COUNT ? 1 : report->quantity,
        .event_us = report->has_time ? report->event_us : cx->now_us,
        .properties = report->properties,
    };
    ret_event->fingerprint = fingerprint_of(ret_event, report);
    find_windows(*ret_state, ret_event);
    return STATUS_OK;
}

/* Trouble of the whole batch, not of one event. */
static bool spoils_all(struct status status)
{
    return status.code == CODE_UNAVAILABLE || status.code == CODE_RESOURCE_EXHAUSTED ||
           status.code == CODE_DEADLINE_EXCEEDED || status.code == CODE_CANCELLED ||
           status.code == CODE_INTERNAL;
}

struct indexed {
    struct usage_event event;
    struct entitlement_state *state;
    size_t origin;
};

static int by_key_and_order(const void *a, const void *b)
{
    const struct indexed *left = a;
    const struct indexed *right = b;
    const int order = memcmp(left->event.key.bytes, right->event.key.bytes, sizeof(struct id));

    return order != 0 ? order : (left->origin > right->origin) - (left->origin < right->origin);
}

/* Sorts by key, as the store wants it. A key that is there twice is stored once: the later one gets
 * the answer of a duplicate, or of a reused key, without asking the database. */
static void order_events(struct batch *batch, struct indexed *all, size_t count)
{
    qsort(all, count, sizeof all[0], by_key_and_order);
    for (size_t i = 0; i < count; i++) {
        const struct usage_event *last =
            batch->count == 0 ? NULL : &batch->events[batch->count - 1];

        if (last != NULL && id_equal(&last->key, &all[i].event.key)) {
            batch->results[all[i].origin].outcome =
                last->fingerprint == all[i].event.fingerprint ? USAGE_DUPLICATE : USAGE_KEY_REUSED;
            entitlement_state_put(all[i].state);
            continue;
        }
        assert(batch->events != NULL);
        batch->events[batch->count] = all[i].event;
        batch->states[batch->count] = all[i].state;
        batch->origins[batch->count++] = all[i].origin;
    }
}

static struct status prepare_batch(struct ctx *cx, struct batch *batch, size_t count)
{
    struct indexed *all = arena_try_alloc(cx->arena, (count + 1) * sizeof *all);
    struct status failed = STATUS_OK;
    size_t prepared = 0;

    if (all == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count && failed.code == CODE_OK; i++) {
        struct indexed *one = &all[prepared];

        if (batch->results[i].error.code != CODE_OK) {
            continue; /* refused by the caller already */
        }
        one->origin = i;
        one->state = NULL;
        batch->results[i].error =
            prepare_event(cx, batch, &batch->reports[i], &one->event, &one->state);
        if (batch->results[i].error.code == CODE_OK) {
            prepared++;
        } else if (spoils_all(batch->results[i].error)) {
            failed = batch->results[i].error;
        }
    }
    order_events(batch, all, prepared);
    return failed;
}

/* Two features of one meter may be counted over spans of the same length from different anchors. */
static bool counts_for(const struct usage_counted *counted, const struct entitlement *entitlement)
{
    return entitlement->meter_no == counted->meter_no &&
           entitlement->window.reset == counted->reset &&
           period_window(&entitlement->window, counted->window_us).start_us == counted->window_us;
}

static const struct entitlement_entry *entry_of_counter(
    const struct entitlement_state *state, const struct usage_counted *counted, size_t *from)
{
    for (; *from < state->entry_count; (*from)++) {
        const struct entitlement_entry *entry = &state->entries[*from];

        if (counts_for(counted, &entry->entitlement)) {
            (*from)++;
            return entry;
        }
    }
    return NULL;
}

static const struct entitlement_state *
state_of_customer(const struct batch *batch, int64_t customer_no)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->events[i].customer_no == customer_no) {
            return batch->states[i];
        }
    }
    return NULL;
}

/* In the transaction that passed it: the limit of a feature was reached by this batch. */
static struct status
note_limits(struct ctx *cx, struct tx *tx, struct batch *batch, const struct usage_counted *counted)
{
    const struct entitlement_state *state = state_of_customer(batch, counted->customer_no);
    const struct entitlement_entry *entry = NULL;
    size_t from = 0;

    while (state != NULL && (entry = entry_of_counter(state, counted, &from)) != NULL) {
        const struct entitlement *e = &entry->entitlement;
        struct event event = {
            .type = EVENT_USAGE_LIMIT_REACHED,
            .customer_id = state->customer_id,
            .subscription_id = e->subscription_id,
        };

        if (e->unlimited || counted->used < e->limit ||
            counted->used - counted->added >= e->limit) {
            continue;
        }
        event.payload = arena_printf(
            cx->arena,
            "{\"feature_key\":\"%s\",\"meter_key\":\"%s\",\"limit\":%lld,\"used\":%lld,"
            "\"window_start_us\":%lld}",
            entry->feature_key,
            catalog_index_meter_key(batch->catalog, e->meter_no),
            (long long)e->limit,
            (long long)counted->used,
            (long long)counted->window_us);
        TRY(event_log_add(cx, tx, &event));
    }
    return STATUS_OK;
}

static struct status store_slice(struct ctx *cx, struct tx *tx, void *user)
{
    struct slice *slice = user;
    struct batch *batch = slice->batch;

    TRY(usage_store_add(
        cx,
        tx,
        batch->events + slice->from,
        slice->count,
        batch->outcomes + slice->from,
        &slice->counted,
        &slice->counted_count));
    for (size_t i = 0; i < slice->counted_count; i++) {
        TRY(note_limits(cx, tx, batch, &slice->counted[i]));
    }
    return STATUS_OK;
}

/* After the commit: the counters in memory follow. */
static void update_cache(const struct slice *slice)
{
    const int64_t now_us = monotonic_us();

    for (size_t i = 0; i < slice->counted_count; i++) {
        const struct usage_counted *counted = &slice->counted[i];
        const struct entitlement_state *state =
            state_of_customer(slice->batch, counted->customer_no);
        const struct entitlement_entry *entry = NULL;
        size_t from = 0;

        while (state != NULL && (entry = entry_of_counter(state, counted, &from)) != NULL) {
            entitlement_state_count(entry, counted->window_us, counted->used, 0, now_us);
        }
    }
}

/* The event alone would take a counter past 64 bits. Its twins in the batch repeat something that
 * was not stored. */
static struct status refuse_overflow(struct ctx *cx, struct batch *batch, size_t at)
{
    const struct usage_event *event = &batch->events[at];
    struct usage_counter counters[USAGE_WINDOWS_MAX];
    struct status failure;
    int64_t current = 0;

    for (size_t i = 0; i < event->window_count; i++) {
        counters[i] = (struct usage_counter){
            .meter_no = event->meter_no,
            .reset = event->windows[i].reset,
            .window_us = event->windows[i].start_us,
        };
    }
    TRY(usage_store_read(
        cx, batch->services->db, event->customer_no, counters, event->window_count));
    for (size_t i = 0; i < event->window_count; i++) {
        current = counters[i].used > current ? counters[i].used : current;
    }
    failure = status_of(cx, REASON_QUANTITY_OVERFLOW);
    failure =
        status_pair(cx, failure, "quantity", arena_printf(cx->arena, "%" PRId64, event->quantity));
    failure = status_pair(cx, failure, "current", arena_printf(cx->arena, "%" PRId64, current));
    for (size_t i = 0; i < batch->report_count; i++) {
        struct usage_result *result = &batch->results[i];
        const struct id key = key_of(&batch->reports[i]);

        if (result->error.code == CODE_OK && id_equal(&key, &event->key) &&
            (i == batch->origins[at] || result->outcome == USAGE_DUPLICATE)) {
            result->error = failure;
        }
    }
    return STATUS_OK;
}

static bool overflowed(struct status status)
{
    return strcmp(db_sqlstate(status), NUMBER_OUT_OF_RANGE) == 0;
}

/* More limits were reached than one transaction may tell of. */
static bool too_many_limits(const struct ctx *cx, struct status status)
{
    return status_reason(status) == REASON_REQUEST_TOO_COSTLY && !arena_failed(cx->arena);
}

/* A counter that does not fit fails its statement as a whole. Then the halves are stored apart,
 * until the event that does it is alone; so it spoils no other. */
static struct status store_events(struct ctx *cx, struct batch *batch, size_t from, size_t count)
{
    struct slice slice = {.batch = batch, .from = from, .count = count};
    const struct status status = tx_run(cx, batch->services->db, store_slice, &slice);

    if (status.code == CODE_OK) {
        update_cache(&slice);
        return STATUS_OK;
    }
    if (count == 1) {
        return overflowed(status) ? refuse_overflow(cx, batch, from) : status;
    }
    if (!overflowed(status) && !too_many_limits(cx, status)) {
        return status;
    }
    TRY(store_events(cx, batch, from, count / 2));
    return store_events(cx, batch, from + count / 2, count - count / 2);
}

static bool is_late(const struct ctx *cx, const struct batch *batch, size_t at)
{
    struct usage_event now = batch->events[at];

    now.event_us = cx->now_us;
    now.window_count = 0;
    find_windows(batch->states[at], &now);
    return batch->events[at].windows[0].start_us < now.windows[0].start_us;
}

static void count_outcome(enum usage_outcome outcome)
{
    const char *const label = outcome == USAGE_DUPLICATE    ? "duplicate"
                              : outcome == USAGE_KEY_REUSED ? "refused"
                                                            : "recorded";

    metric_add(metric_series(METRIC_USAGE_EVENTS, &label), 1);
}

static void write_results(struct ctx *cx, struct batch *batch, size_t count)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct usage_result *result = &batch->results[batch->origins[i]];

        result->outcome = batch->outcomes[i];
        if (result->outcome == USAGE_RECORDED && is_late(cx, batch, i)) {
            result->outcome = USAGE_RECORDED_LATE;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct usage_result *result = &batch->results[i];

        if (result->error.code == CODE_OK && result->outcome == USAGE_KEY_REUSED) {
            result->error = status_pair(
                cx,
                status_fail(
                    cx,
                    REASON_IDEMPOTENCY_KEY_REUSED,
                    "event_id \"%s\" was used before with other content",
                    batch->reports[i].event_id),
                "event_id",
                batch->reports[i].event_id);
            result->error = status_pair(cx, result->error, "source", batch->reports[i].source);
        }
        count_outcome(result->error.code == CODE_OK ? result->outcome : USAGE_KEY_REUSED);
    }
}

static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        entitlement_state_put(batch->states[i]);
    }
    catalog_index_put(batch->catalog);
}

struct status usage_report(
    struct ctx *cx,
    struct services *services,
    const struct usage_report *reports,
    size_t count,
    struct usage_result *ret_results)
{
    AUTO(batch_release)
    struct batch batch = {
        .services = services,
        .reports = reports,
        .results = ret_results,
        .report_count = count,
        .states = arena_try_alloc(cx->arena, (count + 1) * sizeof(struct entitlement_state *)),
        .events = arena_try_alloc(cx->arena, (count + 1) * sizeof(struct usage_event)),
        .origins = arena_try_alloc(cx->arena, (count + 1) * sizeof(size_t)),
        .outcomes = arena_try_alloc(cx->arena, (count + 1) * sizeof(enum usage_outcome)),
    };

    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    if (arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    TRY(entitlement_load_catalog(cx, services, &batch.catalog));
    TRY(prepare_batch(cx, &batch, count));
    if (batch.count > 0) {
        TRY(store_events(cx, &batch, 0, batch.count));
    }
    write_results(cx, &batch, count);
    return STATUS_OK;
}
