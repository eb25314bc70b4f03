#include "cache/catalog_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"

#define MANY 500
#define THRICE INT64_C(1500)
#define RACE_ROUNDS 20000
#define FILLERS 3

static struct catalog_index *index_of(int64_t org_id, int32_t meter_no)
{
    struct catalog_feature features[] = {
        {.key = "sso", .kind = FEATURE_BOOLEAN},
        {.key = "api_calls", .kind = FEATURE_METERED, .meter_no = meter_no},
        {.key = "seats", .kind = FEATURE_CONFIG},
    };
    struct catalog_meter meters[] = {
        {.key = "tokens", .meter_no = meter_no + 1, .aggregation = METER_SUM},
        {.key = "calls", .meter_no = meter_no, .aggregation = METER_COUNT},
    };
    const struct catalog_keys keys = {3, features, 2, meters};
    struct catalog_index *index = catalog_index_new(org_id, &keys);

    assert_non_null(index);
    return index;
}

static void put(struct catalog_cache *cache, int64_t org_id, int32_t meter_no)
{
    struct catalog_index *index = index_of(org_id, meter_no);

    catalog_cache_put(cache, index, catalog_cache_ticket(cache));
    catalog_index_put(index);
}

/* The number of the meter "calls"; -1: the organisation is not there. */
static int32_t meter_no_of(struct catalog_cache *cache, int64_t org_id)
{
    struct catalog_index *index = catalog_cache_get(cache, org_id);
    const int32_t meter_no = index == NULL ? -1 : catalog_index_meter(index, "calls")->meter_no;

    catalog_index_put(index);
    return meter_no;
}

static int setup(void **cache)
{
    *cache = catalog_cache_new(MANY);
    return *cache == NULL ? -1 : 0;
}

static int teardown(void **cache)
{
    catalog_cache_free(*cache);
    return 0;
}

static void features_and_meters_are_found_by_key(void **unused)
{
    struct catalog_index *index = index_of(7, 40);

    (void)unused;
    assert_int_equal(catalog_index_feature(index, "api_calls")->kind, FEATURE_METERED);
    assert_int_equal(catalog_index_feature(index, "api_calls")->meter_no, 40);
    assert_int_equal(catalog_index_feature(index, "sso")->kind, FEATURE_BOOLEAN);
    assert_int_equal(catalog_index_feature(index, "seats")->kind, FEATURE_CONFIG);
    assert_null(catalog_index_feature(index, "calls"));
    assert_null(catalog_index_feature(index, ""));
    assert_int_equal(catalog_index_meter(index, "calls")->aggregation, METER_COUNT);
    assert_int_equal(catalog_index_meter(index, "tokens")->meter_no, 41);
    assert_null(catalog_index_meter(index, "sso"));
    assert_string_equal(catalog_index_meter_key(index, 41), "tokens");
    assert_string_equal(catalog_index_meter_key(index, 1), "");
    catalog_index_put(index);
    catalog_index_put(NULL);
}

static void an_empty_catalogue_is_one_too(void **unused)
{
    const struct catalog_keys none = {0};
    struct catalog_index *index = catalog_index_new(7, &none);

    (void)unused;
    assert_non_null(index);
    assert_null(catalog_index_feature(index, "sso"));
    assert_null(catalog_index_meter(index, "calls"));
    catalog_index_put(index);
    heap_fail_after(0);
    assert_null(catalog_index_new(7, &none));
    heap_fail_after(-1);
}

static void many_keys_are_all_found(void **unused)
{
    static char texts[1000][16];
    static struct catalog_feature features[1000];
    const struct catalog_keys keys = {1000, features, 0, NULL};
    struct catalog_index *index = NULL;

    (void)unused;
    for (size_t i = 0; i < 1000; i++) {
        snprintf(texts[i], sizeof texts[i], "f%zu", i * 7919 % 1000);
        features[i] = (struct catalog_feature){.key = texts[i], .meter_no = (int32_t)i};
    }
    index = catalog_index_new(7, &keys);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(catalog_index_feature(index, texts[i])->meter_no, i);
    }
    assert_null(catalog_index_feature(index, "f1000"));
    catalog_index_put(index);
}

static void what_was_put_is_found_and_replaced(void **cache)
{
    put(*cache, 1, 10);
    put(*cache, 2, 20);
    assert_int_equal(meter_no_of(*cache, 1), 10);
    assert_int_equal(meter_no_of(*cache, 2), 20);
    assert_int_equal(meter_no_of(*cache, 3), -1);
    put(*cache, 1, 11);
    assert_int_equal(meter_no_of(*cache, 1), 11);
}

static void a_fill_that_raced_a_change_is_not_kept(void **cache)
{
    struct catalog_index *index = index_of(1, 10);
    uint64_t ticket = catalog_cache_ticket(*cache);

    catalog_cache_invalidate(*cache, 1);
    catalog_cache_put(*cache, index, ticket);
    assert_int_equal(meter_no_of(*cache, 1), -1);
    ticket = catalog_cache_ticket(*cache);
    catalog_cache_clear(*cache);
    catalog_cache_put(*cache, index, ticket);
    assert_int_equal(meter_no_of(*cache, 1), -1);
    catalog_cache_put(*cache, index, catalog_cache_ticket(*cache));
    assert_int_equal(meter_no_of(*cache, 1), 10);
    catalog_index_put(index);
}

static void one_organization_goes_alone(void **cache)
{
    put(*cache, 1, 10);
    put(*cache, 2, 20);
    catalog_cache_invalidate(*cache, 1);
    catalog_cache_invalidate(*cache, 3);
    assert_int_equal(meter_no_of(*cache, 1), -1);
    assert_int_equal(meter_no_of(*cache, 2), 20);
}

/* Entries move while they are removed: none may be passed over. */
static void clearing_leaves_nothing_behind(void **cache)
{
    for (int64_t round = 0; round < 20; round++) {
        for (int64_t org_id = 0; org_id < MANY; org_id++) {
            put(*cache, round * MANY + org_id, 1);
        }
        catalog_cache_clear(*cache);
        for (int64_t org_id = 0; org_id < MANY; org_id++) {
            assert_int_equal(meter_no_of(*cache, round * MANY + org_id), -1);
        }
    }
}

static void a_full_cache_makes_room(void **cache)
{
    size_t kept = 0;

    for (int64_t org_id = 0; org_id < THRICE; org_id++) {
        put(*cache, org_id, (int32_t)org_id);
        assert_int_equal(meter_no_of(*cache, org_id), org_id);
    }
    for (int64_t org_id = 0; org_id < THRICE; org_id++) {
        kept += meter_no_of(*cache, org_id) != -1;
    }
    assert_int_equal(kept, MANY);
}

static void an_index_in_use_outlives_its_place(void **cache)
{
    struct catalog_index *index = NULL;

    put(*cache, 1, 10);
    index = catalog_cache_get(*cache, 1);
    catalog_cache_clear(*cache);
    assert_int_equal(catalog_index_meter(index, "calls")->meter_no, 10);
    catalog_index_put(index);
}

/* --- threads: as in entitlement_cache_test.c ---------------------------------------------------
 */

struct race {
    struct catalog_cache *cache;
    _Atomic int32_t written;
    _Atomic int32_t told;
    _Atomic bool stop;
    _Atomic int64_t stale;
};

static void *fill_again_and_again(void *user)
{
    struct race *race = user;

    while (!atomic_load(&race->stop)) {
        const int32_t told = atomic_load(&race->told);
        const int32_t found = meter_no_of(race->cache, 1);

        if (found == -1) {
            const uint64_t ticket = catalog_cache_ticket(race->cache);
            struct catalog_index *index = index_of(1, atomic_load(&race->written));

            catalog_cache_put(race->cache, index, ticket);
            catalog_index_put(index);
        } else if (found < told) {
            atomic_fetch_add(&race->stale, 1);
        }
    }
    return NULL;
}

static void no_thread_ever_gets_what_was_invalidated(void **cache)
{
    struct race race = {.cache = *cache};
    pthread_t fillers[FILLERS];

    for (size_t i = 0; i < FILLERS; i++) {
        pthread_create(&fillers[i], NULL, fill_again_and_again, &race);
    }
    for (int32_t round = 1; round <= RACE_ROUNDS; round++) {
        atomic_store(&race.written, round);
        if (round % 100 == 0) {
            catalog_cache_clear(race.cache);
        } else {
            catalog_cache_invalidate(race.cache, 1);
        }
        atomic_store(&race.told, round);
    }
    atomic_store(&race.stop, true);
    for (size_t i = 0; i < FILLERS; i++) {
        pthread_join(fillers[i], NULL);
    }
    assert_int_equal(race.stale, 0);
}

#define CACHE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_and_meters_are_found_by_key),
        cmocka_unit_test(an_empty_catalogue_is_one_too),
        cmocka_unit_test(many_keys_are_all_found),
        CACHE_TEST(what_was_put_is_found_and_replaced),
        CACHE_TEST(a_fill_that_raced_a_change_is_not_kept),
        CACHE_TEST(one_organization_goes_alone),
        CACHE_TEST(clearing_leaves_nothing_behind),
        CACHE_TEST(a_full_cache_makes_room),
        CACHE_TEST(an_index_in_use_outlives_its_place),
        CACHE_TEST(no_thread_ever_gets_what_was_invalidated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
