#include "services/entitlements.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "cache/catalog_cache.h"
#include "cache/entitlement_cache.h"
#include "cache/entitlement_state.h"
#include "domain/entitlement_merge.h"
#include "domain/event.h"
#include "services/entitlement_load.h"
#include "services/mirror_lag.h"
#include "services/services.h"
#include "store/db.h"
#include "store/entitlement_store.h"
#include "store/event_log.h"

/* How old a cached counter may be while usage is far from the limit: other servers count too. */
#define COUNTER_AGE_US_MAX (2 * US_PER_SECOND)
#define TOO_STALE_RETRY_MS 1000

static void put_state(struct entitlement_state **state)
{
    entitlement_state_put(*state);
}
#define AUTO_STATE AUTO(put_state) struct entitlement_state *

static void put_index(struct catalog_index **index)
{
    catalog_index_put(*index);
}
#define AUTO_INDEX AUTO(put_index) struct catalog_index *

struct status entitlements_resolve(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct id *ret_customer_id)
{
    AUTO_STATE state = entitlement_load_cached(cx, services, customer);

    if (state == NULL) {
        TRY(entitlement_load_state(cx, services, customer, &state));
    }
    *ret_customer_id = state->customer_id;
    return STATUS_OK;
}

bool entitlements_followed(const struct services *services, int64_t *ret_as_of_us)
{
    return entitlement_cache_following(services->cache, ret_as_of_us);
}

size_t entitlements_cached(const struct services *services)
{
    return entitlement_cache_count(services->cache);
}

/* "1s", "0.25s": as protobuf writes durations in JSON. */
static const char *span_text(struct ctx *cx, int64_t span_us)
{
    char *text = arena_printf(
        cx->arena,
        "%lld.%06lld",
        (long long)(span_us / US_PER_SECOND),
        (long long)(span_us % US_PER_SECOND));
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '0') {
        len--;
    }
    len -= len > 0 && text[len - 1] == '.' ? 1 : 0;
    return arena_printf(cx->arena, "%.*ss", (int)len, text);
}

static struct status too_stale(struct ctx *cx, int64_t as_of_us, int64_t bound_us)
{
    char as_of[RFC3339_SIZE];
    struct status status;

    wallclock_format(as_of_us, as_of);
    status = status_fail(cx, REASON_STATE_TOO_STALE, "the state is known up to %s only", as_of);
    status = status_pair(cx, status, "as_of_time", as_of);
    status = status_pair(cx, status, "max_staleness", span_text(cx, bound_us));
    return status_retry(status, TOO_STALE_RETRY_MS);
}

/* While the event log is followed, memory is as good as the database. When it is not, the database
 * is read; and when that is away too, memory answers as long as it is young enough. */
static struct status find_state(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    int64_t max_staleness_us,
    struct entitlement_state **ret_state,
    struct freshness *ret_freshness)
{
    const int64_t most_us = services->settings->max_staleness_ms * 1000;
    const int64_t bound_us = max_staleness_us < most_us ? max_staleness_us : most_us;
    AUTO_STATE cached = entitlement_load_cached(cx, services, customer);
    struct status status;
    int64_t as_of_us = 0;
    const bool following = entitlement_cache_following(services->cache, &as_of_us);

    as_of_us = mirror_complete_until(services, cx->caller.org_id, as_of_us);
    *ret_freshness = (struct freshness){.as_of_us = as_of_us, .origin = ORIGIN_CACHE};
    if (cached != NULL && following && cx->now_us - as_of_us <= max_staleness_us) {
        *ret_state = TAKE(cached);
        metric_count(METRIC_ENTITLEMENT_CACHE_HITS);
        return STATUS_OK;
    }
    status = entitlement_load_state(cx, services, customer, ret_state);
    if (status.code == CODE_OK) {
        as_of_us = mirror_complete_until(services, cx->caller.org_id, cx->now_us);
        *ret_freshness = (struct freshness){.as_of_us = as_of_us, .origin = ORIGIN_DATABASE};
        if (cx->now_us - as_of_us > max_staleness_us) {
            entitlement_state_put(TAKE(*ret_state));
            return too_stale(cx, as_of_us, max_staleness_us);
        }
        return STATUS_OK;
    }
    if (status.code != CODE_UNAVAILABLE || status_reason(status) == REASON_WOULD_BLOCK ||
        cached == NULL) {
        return status;
    }
    if (cx->now_us - as_of_us > bound_us) {
        return too_stale(cx, as_of_us, bound_us);
    }
    ret_freshness->stale = true;
    *ret_state = TAKE(cached);
    return STATUS_OK;
}

/* The counter of the window that holds now: from memory while it is young and far from the limit.
 * When it cannot be read the answer is as old as the counter in memory is. */
static struct status find_usage(
    struct ctx *cx,
    struct services *services,
    const struct entitlement_state *state,
    const struct entitlement_entry *entry,
    int64_t quantity,
    struct freshness *freshness,
    struct entitlement_usage *ret_usage)
{
    const struct window window = period_window(&entry->entitlement.window, cx->now_us);
    int64_t read_us = 0;
    int64_t counted_us = 0;
    struct status status;

    *ret_usage = entitlement_state_usage(entry, window.start_us, &read_us);
    if (entry->entitlement.meter_no == 0) {
        return STATUS_OK;
    }
    if (read_us != 0 && monotonic_us() - read_us <= COUNTER_AGE_US_MAX &&
        !entitlement_near_limit(&entry->entitlement, ret_usage->used, quantity)) {
        return STATUS_OK;
    }
    status = entitlement_store_usage(
        cx, services->db, state->customer_no, &entry->entitlement, &window, ret_usage);
    if (status.code == CODE_OK) {
        entitlement_state_count(
            entry, window.start_us, ret_usage->used, ret_usage->reserved, monotonic_us());
        return STATUS_OK;
    }
    if (status.code != CODE_UNAVAILABLE || status_reason(status) == REASON_WOULD_BLOCK ||
        read_us == 0) {
        return status;
    }
    counted_us = cx->now_us - (monotonic_us() - read_us);
    freshness->as_of_us = counted_us < freshness->as_of_us ? counted_us : freshness->as_of_us;
    if (cx->now_us - freshness->as_of_us > services->settings->max_staleness_ms * 1000) {
        return too_stale(cx, freshness->as_of_us, services->settings->max_staleness_ms * 1000);
    }
    freshness->stale = true;
    return STATUS_OK;
}

static struct status answer_covered(
    struct ctx *cx,
    struct services *services,
    const struct entitlement_state *state,
    const struct entitlement_entry *entry,
    int64_t quantity,
    struct entitlement_answer *answer)
{
    struct entitlement_usage usage = {0, 0};

    if (entry->entitlement.kind == FEATURE_METERED) {
        TRY(find_usage(cx, services, state, entry, quantity, &answer->freshness, &usage));
    }
    answer->known = true;
    answer->unreachable = entry->unreachable;
    answer->entitlement = entry->entitlement;
    answer->entitlement.config = entry->entitlement.config[0] == '\0'
                                     ? ""
                                     : arena_text(cx->arena, entry->entitlement.config);
    answer->decision =
        entitlement_evaluate(&state->customer, &entry->entitlement, usage, quantity, cx->now_us);
    return STATUS_OK;
}

/* The policy is the feature's own, whoever asks. */
static struct status
answer_nobody(struct ctx *cx, struct services *services, struct entitlement_answer *answer)
{
    AUTO_INDEX index = NULL;
    const struct catalog_feature *feature = NULL;

    TRY(entitlement_load_catalog(cx, services, &index));
    feature = catalog_index_feature(index, answer->feature_key);
    answer->unreachable = feature == NULL ? UNREACHABLE_UNKNOWN : feature->unreachable;
    answer->decision.reason = DECISION_CUSTOMER_NOT_FOUND;
    answer->freshness = (struct freshness){.as_of_us = cx->now_us, .origin = ORIGIN_DATABASE};
    return STATUS_OK;
}

/* Nothing covers the feature: either it is not in the plan, or there is no such feature. */
static struct status answer_uncovered(
    struct ctx *cx,
    struct services *services,
    const struct entitlement_state *state,
    const struct entitlement_question *question,
    struct entitlement_answer *answer)
{
    const struct entitlement_usage none = {0, 0};
    AUTO_INDEX index = NULL;
    const struct catalog_feature *feature = NULL;

    TRY(entitlement_load_catalog(cx, services, &index));
    feature = catalog_index_feature(index, question->feature_key);
    answer->decision =
        entitlement_evaluate(&state->customer, NULL, none, question->quantity, cx->now_us);
    answer->unreachable = feature == NULL ? UNREACHABLE_UNKNOWN : feature->unreachable;
    if (feature == NULL) {
        answer->decision.reason = DECISION_FEATURE_NOT_FOUND;
    } else if (feature->kind == FEATURE_METERED || feature->kind == FEATURE_CREDITS) {
        answer->decision.has_balance = true; /* "0 left" is an answer */
        answer->entitlement.overage_policy = OVERAGE_DENY;
    } else if (question->quantity > 1) {
        answer->decision.reason = DECISION_FEATURE_TYPE_MISMATCH;
    }
    return STATUS_OK;
}

struct status entitlements_check(
    struct ctx *cx,
    struct services *services,
    const struct entitlement_question *question,
    struct entitlement_answer *ret_answer)
{
    AUTO_STATE state = NULL;
    const struct entitlement_entry *entry = NULL;
    struct status status;

    *ret_answer = (struct entitlement_answer){.feature_key = question->feature_key};
    status = find_state(
        cx,
        services,
        &question->customer,
        question->max_staleness_us,
        &state,
        &ret_answer->freshness);
    if (status_reason(status) == REASON_CUSTOMER_NOT_FOUND) {
        return answer_nobody(cx, services, ret_answer);
    }
    TRY(status);
    assert(state != NULL);
    ret_answer->customer_id = state->customer_id;
    ret_answer->freshness.state_version = state->state_version;
    entry = entitlement_state_find(state, question->feature_key);
    return entry != NULL
               ? answer_covered(cx, services, state, entry, question->quantity, ret_answer)
               : answer_uncovered(cx, services, state, question, ret_answer);
}

struct status entitlements_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    int64_t max_staleness_us,
    struct entitlement_listing *ret_listing)
{
    AUTO_STATE state = NULL;
    struct entitlement_listing listing = {.answers = NULL};

    TRY(find_state(cx, services, customer, max_staleness_us, &state, &listing.freshness));
    assert(state != NULL);
    listing.customer_id = state->customer_id;
    listing.count = state->entry_count;
    listing.freshness.state_version = state->state_version;
    listing.answers = arena_try_alloc(cx->arena, (listing.count + 1) * sizeof listing.answers[0]);
    if (listing.answers == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < listing.count; i++) {
        struct entitlement_answer *answer = &listing.answers[i];

        answer->customer_id = state->customer_id;
        answer->feature_key = arena_text(cx->arena, state->entries[i].feature_key);
        answer->freshness = listing.freshness;
        TRY(answer_covered(cx, services, state, &state->entries[i], 1, answer));
    }
    *ret_listing = listing;
    return STATUS_OK;
}

struct status entitlements_rebuild(
    struct ctx *cx, struct services *services, struct tx *tx, const struct id *customer_id)
{
    struct event event = {.type = EVENT_ENTITLEMENTS_CHANGED, .customer_id = *customer_id};
    struct entitlement_customer customer;
    struct entitlement *sources = NULL;
    struct entitlement *merged = NULL;
    size_t source_count = 0;
    size_t merged_count = 0;
    int64_t state_version = 0;

    (void)services;
    TRY(entitlement_store_sources(cx, tx, customer_id, &sources, &source_count, &customer));
    merged = arena_try_alloc(cx->arena, (source_count + 1) * sizeof *merged);
    if (merged == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    merged_count = entitlement_merge(sources, source_count, merged);
    TRY(entitlement_store_replace(
        cx, tx, customer_id, &customer, merged, merged_count, &state_version));
    event.payload = arena_printf(cx->arena, "{\"state_version\":%lld}", (long long)state_version);
    return event_log_add(cx, tx, &event);
}
