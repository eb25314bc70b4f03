#include "cache/entitlement_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "cache/entitlement_state.h"

#define ORG 7
#define MANY 3000
#define RACE_ROUNDS 20000
#define RACE_CUSTOMERS 8
#define FILLERS 3

static struct id customer(uint32_t number)
{
    struct id id = {{0}};

    memcpy(id.bytes, &number, sizeof number);
    return id;
}

static struct entitlement_state *
state_of(int64_t org_id, uint32_t number, const char *external_id, int64_t version)
{
    const struct entitlement_state input = {
        .org_id = org_id,
        .customer_id = customer(number),
        .external_id = external_id,
        .state_version = version,
    };
    struct entitlement_state *state = entitlement_state_new(&input);

    assert_non_null(state);
    return state;
}

static void
put(struct entitlement_cache *cache,
    int64_t org_id,
    uint32_t number,
    const char *external_id,
    int64_t version)
{
    struct entitlement_state *state = state_of(org_id, number, external_id, version);

    entitlement_cache_put(cache, state, entitlement_cache_ticket(cache));
    entitlement_state_put(state);
}

/* The version of what is there, -1: nothing. */
static int64_t version_of(struct entitlement_cache *cache, int64_t org_id, uint32_t number)
{
    const struct id id = customer(number);
    struct entitlement_state *state = entitlement_cache_get(cache, org_id, &id);
    const int64_t version = state == NULL ? -1 : state->state_version;

    entitlement_state_put(state);
    return version;
}

static int64_t version_of_external(struct entitlement_cache *cache, int64_t org_id, const char *id)
{
    struct entitlement_state *state = entitlement_cache_get_external(cache, org_id, id);
    const int64_t version = state == NULL ? -1 : state->state_version;

    entitlement_state_put(state);
    return version;
}

static void invalidate(struct entitlement_cache *cache, int64_t org_id, uint32_t number)
{
    const struct id id = customer(number);

    entitlement_cache_invalidate(cache, org_id, &id);
}

static int setup(void **cache)
{
    *cache = entitlement_cache_new(MANY);
    return *cache == NULL ? -1 : 0;
}

static int teardown(void **cache)
{
    entitlement_cache_free(*cache);
    return 0;
}

static void what_was_put_is_found_by_either_id(void **cache)
{
    put(*cache, ORG, 1, "ext-1", 5);
    put(*cache, ORG, 2, "", 6);
    assert_int_equal(version_of(*cache, ORG, 1), 5);
    assert_int_equal(version_of(*cache, ORG, 2), 6);
    assert_int_equal(version_of_external(*cache, ORG, "ext-1"), 5);
    assert_int_equal(version_of_external(*cache, ORG, "ext-2"), -1);
    assert_int_equal(version_of_external(*cache, ORG, ""), -1);
    assert_int_equal(entitlement_cache_count(*cache), 2);
}

static void organizations_do_not_see_each_other(void **cache)
{
    put(*cache, ORG, 1, "ext", 5);
    assert_int_equal(version_of(*cache, ORG + 1, 1), -1);
    assert_int_equal(version_of_external(*cache, ORG + 1, "ext"), -1);
    put(*cache, ORG + 1, 1, "ext", 6);
    assert_int_equal(version_of(*cache, ORG, 1), 5);
    assert_int_equal(version_of_external(*cache, ORG, "ext"), 5);
    assert_int_equal(version_of_external(*cache, ORG + 1, "ext"), 6);
}

static void external_ids_that_are_too_long_are_just_not_there(void **cache)
{
    char text[600];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(version_of_external(*cache, ORG, text), -1);
    text[255] = '\0';
    put(*cache, ORG, 1, text, 4);
    assert_int_equal(version_of_external(*cache, ORG, text), 4);
}

static void a_fill_that_raced_a_change_is_not_kept(void **cache)
{
    const uint64_t ticket = entitlement_cache_ticket(*cache);
    struct entitlement_state *state = state_of(ORG, 1, "ext", 5);

    invalidate(*cache, ORG, 1);
    entitlement_cache_put(*cache, state, ticket);
    assert_int_equal(version_of(*cache, ORG, 1), -1);
    entitlement_cache_put(*cache, state, entitlement_cache_ticket(*cache));
    assert_int_equal(version_of(*cache, ORG, 1), 5);
    entitlement_state_put(state);
}

static void a_fill_that_raced_the_change_of_another_is_kept(void **cache)
{
    const uint64_t ticket = entitlement_cache_ticket(*cache);
    struct entitlement_state *state = state_of(ORG, 1, "ext", 5);

    invalidate(*cache, ORG, 2); /* of 16384 slots this one is another */
    invalidate(*cache, ORG + 1, 3);
    entitlement_cache_put(*cache, state, ticket);
    entitlement_state_put(state);
    /* A shared slot is allowed to refuse, at one in 8192. */
    assert_true(version_of(*cache, ORG, 1) == 5 || version_of(*cache, ORG, 1) == -1);
}

static void a_fill_that_raced_a_clearing_is_not_kept(void **cache)
{
    uint64_t ticket = entitlement_cache_ticket(*cache);
    struct entitlement_state *state = state_of(ORG, 1, "ext", 5);

    entitlement_cache_clear(*cache);
    entitlement_cache_put(*cache, state, ticket);
    assert_int_equal(version_of(*cache, ORG, 1), -1);
    ticket = entitlement_cache_ticket(*cache);
    entitlement_cache_invalidate_org(*cache, ORG);
    entitlement_cache_put(*cache, state, ticket);
    assert_int_equal(version_of(*cache, ORG, 1), -1);
    entitlement_cache_put(*cache, state, entitlement_cache_ticket(*cache));
    assert_int_equal(version_of(*cache, ORG, 1), 5);
    entitlement_state_put(state);
}

static void an_older_state_does_not_replace_a_newer_one(void **cache)
{
    put(*cache, ORG, 1, "new", 6);
    put(*cache, ORG, 1, "old", 5);
    assert_int_equal(version_of(*cache, ORG, 1), 6);
    assert_int_equal(version_of_external(*cache, ORG, "new"), 6);
    assert_int_equal(version_of_external(*cache, ORG, "old"), -1);
    put(*cache, ORG, 1, "newest", 7);
    assert_int_equal(version_of_external(*cache, ORG, "new"), -1);
    assert_int_equal(version_of_external(*cache, ORG, "newest"), 7);
    assert_int_equal(entitlement_cache_count(*cache), 1);
}

static void an_external_id_may_move_to_another_customer(void **cache)
{
    put(*cache, ORG, 1, "moved", 1);
    put(*cache, ORG, 2, "moved", 2);
    assert_int_equal(version_of_external(*cache, ORG, "moved"), 2);
    /* The first one goes, and leaves the second one its name. */
    invalidate(*cache, ORG, 1);
    assert_int_equal(version_of_external(*cache, ORG, "moved"), 2);
    put(*cache, ORG, 1, "moved", 3);
    assert_int_equal(version_of_external(*cache, ORG, "moved"), 3);
    invalidate(*cache, ORG, 1);
    assert_int_equal(version_of_external(*cache, ORG, "moved"), -1);
    assert_int_equal(version_of(*cache, ORG, 2), 2);
    /* Two that exchange their ids. */
    put(*cache, ORG, 3, "a", 1);
    put(*cache, ORG, 4, "b", 1);
    put(*cache, ORG, 3, "b", 2);
    put(*cache, ORG, 4, "a", 3);
    assert_int_equal(version_of_external(*cache, ORG, "b"), 2);
    assert_int_equal(version_of_external(*cache, ORG, "a"), 3);
}

static void a_state_that_is_in_use_outlives_its_place(void **cache)
{
    const struct id id = customer(1);
    struct entitlement_state *state = NULL;

    put(*cache, ORG, 1, "ext", 5);
    state = entitlement_cache_get(*cache, ORG, &id);
    invalidate(*cache, ORG, 1);
    entitlement_cache_clear(*cache);
    assert_int_equal(state->state_version, 5);
    assert_string_equal(state->external_id, "ext");
    entitlement_state_put(state);
}

static void fill(struct entitlement_cache *cache, int64_t org_id, uint32_t from, uint32_t to)
{
    char external[32];

    for (uint32_t i = from; i < to; i++) {
        snprintf(external, sizeof external, "ext-%u", i);
        put(cache, org_id, i, external, 1);
    }
}

static size_t found(struct entitlement_cache *cache, int64_t org_id, uint32_t to)
{
    char external[32];
    size_t count = 0;

    for (uint32_t i = 0; i < to; i++) {
        snprintf(external, sizeof external, "ext-%u", i);
        count += version_of(cache, org_id, i) != -1;
        count += version_of_external(cache, org_id, external) != -1;
    }
    return count;
}

/* Entries move while they are removed: none may be passed over. */
static void clearing_leaves_nothing_behind(void **cache)
{
    for (int round = 0; round < 20; round++) {
        fill(*cache, ORG + round, 0, MANY);
        assert_int_equal(entitlement_cache_count(*cache), MANY);
        entitlement_cache_clear(*cache);
        assert_int_equal(entitlement_cache_count(*cache), 0);
        assert_int_equal(found(*cache, ORG + round, MANY), 0);
    }
}

static void an_organization_goes_whole_and_alone(void **cache)
{
    for (int round = 0; round < 20; round++) {
        entitlement_cache_clear(*cache);
        fill(*cache, 100 + round, 0, MANY / 3);
        fill(*cache, 200 + round, 0, MANY / 3);
        fill(*cache, 300 + round, 0, MANY / 3);
        entitlement_cache_invalidate_org(*cache, 200 + round);
        assert_int_equal(found(*cache, 200 + round, MANY / 3), 0);
        assert_int_equal(found(*cache, 100 + round, MANY / 3), 2 * (MANY / 3));
        assert_int_equal(found(*cache, 300 + round, MANY / 3), 2 * (MANY / 3));
    }
}

static void a_full_cache_makes_room(void **cache)
{
    fill(*cache, ORG, 0, 2 * MANY);
    assert_int_equal(entitlement_cache_count(*cache), MANY);
    assert_int_equal(version_of(*cache, ORG, 2 * MANY - 1), 1);
    assert_int_equal(found(*cache, ORG, 2 * MANY), 2 * MANY);
}

/* Second chance: what is asked for again and again stays, whatever else goes by. */
static void who_is_asked_for_stays(void **unused)
{
    struct entitlement_cache *cache = entitlement_cache_new(64);
    size_t missed = 0;

    (void)unused;
    put(cache, ORG, 1000000, "favourite", 1);
    for (uint32_t i = 0; i < 5000; i++) {
        if (version_of(cache, ORG, 1000000) == -1) {
            missed++;
            put(cache, ORG, 1000000, "favourite", 1);
        }
        put(cache, ORG, i, "", 1);
    }
    assert_int_equal(entitlement_cache_count(cache), 64);
    assert_true(missed < 20);
    entitlement_cache_free(cache);
}

static void without_memory_nothing_is_kept_and_nothing_breaks(void **cache)
{
    struct entitlement_state *state = state_of(ORG, 1, "ext", 5);

    heap_fail_after(0);
    assert_null(entitlement_cache_new(10));
    entitlement_cache_put(*cache, state, entitlement_cache_ticket(*cache));
    heap_fail_after(-1);
    assert_int_equal(version_of(*cache, ORG, 1), -1);
    for (long allowed = 1; allowed < 3; allowed++) {
        heap_fail_after(allowed);
        assert_null(entitlement_cache_new(10));
    }
    heap_fail_after(-1);
    entitlement_state_put(state);
}

static void how_far_the_log_was_followed_is_remembered(void **cache)
{
    int64_t as_of_us = 1;

    assert_false(entitlement_cache_following(*cache, &as_of_us));
    assert_int_equal(as_of_us, 0);
    entitlement_cache_followed(*cache, 100);
    assert_true(entitlement_cache_following(*cache, &as_of_us));
    assert_int_equal(as_of_us, 100);
    entitlement_cache_lost(*cache);
    assert_false(entitlement_cache_following(*cache, &as_of_us));
    assert_int_equal(as_of_us, 100);
}

/* --- threads -----------------------------------------------------------------------------------
 * A writer changes customers and then says so, as the database and the tail do; fillers read and
 * put. Whoever asks after the invalidation must not get a version from before the change. */

struct race {
    struct entitlement_cache *cache;
    _Atomic int64_t written[RACE_CUSTOMERS];     /* the row in the database */
    _Atomic int64_t invalidated[RACE_CUSTOMERS]; /* the version whose change was told */
    _Atomic bool stop;
    _Atomic int64_t stale;
    _Atomic int64_t hits;
};

static void fill_once(struct race *race, uint32_t number)
{
    const struct id id = customer(number);
    const int64_t told = atomic_load(&race->invalidated[number]);
    struct entitlement_state *state = entitlement_cache_get(race->cache, ORG, &id);
    char external[32];
    uint64_t ticket = 0;

    if (state != NULL) {
        atomic_fetch_add(&race->hits, 1);
        atomic_fetch_add(&race->stale, state->state_version < told);
        entitlement_state_put(state);
        return;
    }
    snprintf(external, sizeof external, "ext-%u", number);
    ticket = entitlement_cache_ticket(race->cache);
    state = state_of(ORG, number, external, atomic_load(&race->written[number]));
    entitlement_cache_put(race->cache, state, ticket);
    entitlement_state_put(state);
}

static void *fill_again_and_again(void *user)
{
    struct race *race = user;
    uint32_t number = 0;

    while (!atomic_load(&race->stop)) {
        fill_once(race, number++ % RACE_CUSTOMERS);
    }
    return NULL;
}

static void *change_again_and_again(void *user)
{
    struct race *race = user;

    for (int64_t round = 1; round <= RACE_ROUNDS; round++) {
        const uint32_t number = (uint32_t)(round % RACE_CUSTOMERS);

        atomic_store(&race->written[number], round);
        if (round % 1000 == 0) {
            entitlement_cache_invalidate_org(race->cache, ORG);
        } else {
            invalidate(race->cache, ORG, number);
        }
        atomic_store(&race->invalidated[number], round);
    }
    return NULL;
}

static void no_thread_ever_gets_what_was_invalidated(void **cache)
{
    struct race race = {.cache = *cache};
    pthread_t fillers[FILLERS];
    pthread_t writer;

    for (size_t i = 0; i < FILLERS; i++) {
        pthread_create(&fillers[i], NULL, fill_again_and_again, &race);
    }
    pthread_create(&writer, NULL, change_again_and_again, &race);
    pthread_join(writer, NULL);
    atomic_store(&race.stop, true);
    for (size_t i = 0; i < FILLERS; i++) {
        pthread_join(fillers[i], NULL);
    }
    assert_int_equal(race.stale, 0);
    assert_true(race.hits > 0);
}

#define CACHE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_was_put_is_found_by_either_id),
        CACHE_TEST(organizations_do_not_see_each_other),
        CACHE_TEST(external_ids_that_are_too_long_are_just_not_there),
        CACHE_TEST(a_fill_that_raced_a_change_is_not_kept),
        CACHE_TEST(a_fill_that_raced_the_change_of_another_is_kept),
        CACHE_TEST(a_fill_that_raced_a_clearing_is_not_kept),
        CACHE_TEST(an_older_state_does_not_replace_a_newer_one),
        CACHE_TEST(an_external_id_may_move_to_another_customer),
        CACHE_TEST(a_state_that_is_in_use_outlives_its_place),
        CACHE_TEST(clearing_leaves_nothing_behind),
        CACHE_TEST(an_organization_goes_whole_and_alone),
        CACHE_TEST(a_full_cache_makes_room),
        cmocka_unit_test(who_is_asked_for_stays),
        CACHE_TEST(without_memory_nothing_is_kept_and_nothing_breaks),
        CACHE_TEST(how_far_the_log_was_followed_is_remembered),
        CACHE_TEST(no_thread_ever_gets_what_was_invalidated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
