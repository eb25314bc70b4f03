#include "cache/entitlement_state.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"

#define WINDOWS 20000
#define WINDOW_SPAN 1000
#define WRITERS 3

static struct entitlement_state *state_with(const char *const *keys, size_t count)
{
    struct entitlement_entry entries[64];
    const struct entitlement_state input = {
        .org_id = 7,
        .customer_id = {{1}},
        .customer_no = 9,
        .external_id = "ext",
        .state_version = 3,
        .customer = {.uncovered = DECISION_FEATURE_NOT_IN_PLAN},
        .entry_count = count,
        .entries = entries,
    };
    struct entitlement_state *state = NULL;

    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entitlement_entry){
            .feature_key = keys[i],
            .entitlement = {.limit = (int64_t)i, .config = i == 0 ? "{\"number\":1}" : ""},
        };
    }
    state = entitlement_state_new(&input);
    assert_non_null(state);
    return state;
}

static void a_state_is_a_copy_of_everything(void **unused)
{
    char key[] = "api_calls";
    const char *const keys[] = {key, "sso"};
    struct entitlement_state *state = state_with(keys, 2);
    const struct entitlement_entry *entry = NULL;

    (void)unused;
    memset(key, 'x', sizeof key - 1);
    entry = entitlement_state_find(state, "api_calls");
    assert_non_null(entry);
    assert_string_equal(entry->entitlement.config, "{\"number\":1}");
    assert_int_equal(state->org_id, 7);
    assert_int_equal(state->customer_no, 9);
    assert_int_equal(state->state_version, 3);
    assert_string_equal(state->external_id, "ext");
    assert_int_equal(state->customer.uncovered, DECISION_FEATURE_NOT_IN_PLAN);
    entitlement_state_put(state);
}

static void features_are_found_by_their_key_whatever_their_order(void **unused)
{
    char texts[50][16];
    const char *keys[50];
    struct entitlement_state *state = NULL;

    (void)unused;
    for (size_t i = 0; i < 50; i++) {
        snprintf(texts[i], sizeof texts[i], "key_%zu", i * 37 % 50);
        keys[i] = texts[i];
    }
    for (size_t count = 0; count <= 50; count++) {
        state = state_with(keys, count);
        for (size_t i = 0; i < 50; i++) {
            const struct entitlement_entry *entry = entitlement_state_find(state, keys[i]);

            if (i < count) {
                assert_non_null(entry);
                assert_string_equal(entry->feature_key, keys[i]);
                assert_int_equal(entry->entitlement.limit, (int64_t)i);
            } else {
                assert_null(entry);
            }
        }
        assert_null(entitlement_state_find(state, ""));
        assert_null(entitlement_state_find(state, "zzz"));
        for (size_t i = 1; i < count; i++) {
            assert_true(
                strcmp(state->entries[i - 1].feature_key, state->entries[i].feature_key) < 0);
        }
        entitlement_state_put(state);
    }
}

static void the_last_reference_frees(void **unused)
{
    const char *const keys[] = {"sso"};
    struct entitlement_state *state = state_with(keys, 1);

    (void)unused;
    assert_ptr_equal(entitlement_state_ref(state), state);
    entitlement_state_put(state);
    assert_int_equal(state->entry_count, 1); /* still there: the sanitizer would say so */
    entitlement_state_put(state);
    entitlement_state_put(NULL);
}

static void without_memory_there_is_none(void **unused)
{
    const struct entitlement_state input = {.external_id = ""};

    (void)unused;
    heap_fail_after(0);
    assert_null(entitlement_state_new(&input));
    heap_fail_after(-1);
}

static void a_counter_that_was_never_read_says_so(void **unused)
{
    const char *const keys[] = {"a"};
    struct entitlement_state *state = state_with(keys, 1);
    int64_t read_us = 5;
    const struct entitlement_usage usage = entitlement_state_usage(&state->entries[0], 0, &read_us);

    (void)unused;
    assert_int_equal(read_us, 0);
    assert_int_equal(usage.used, 0);
    entitlement_state_put(state);
}

static void within_a_window_a_counter_only_grows(void **unused)
{
    const char *const keys[] = {"a", "b"};
    struct entitlement_state *state = state_with(keys, 2);
    const struct entitlement_entry *entry = entitlement_state_find(state, "a");
    int64_t read_us = 0;

    (void)unused;
    entitlement_state_count(entry, 100, 50, 3, 1000);
    entitlement_state_count(entry, 100, 40, 2, 900); /* an older reading that comes late */
    assert_int_equal(entitlement_state_usage(entry, 100, &read_us).used, 50);
    assert_int_equal(read_us, 1000);
    entitlement_state_count(entry, 100, 60, 0, 1100);
    assert_int_equal(entitlement_state_usage(entry, 100, &read_us).used, 60);
    assert_int_equal(entitlement_state_usage(entry, 100, &read_us).reserved, 0);
    assert_int_equal(read_us, 1100);
    /* The other feature has a counter of its own. */
    entitlement_state_usage(entitlement_state_find(state, "b"), 100, &read_us);
    assert_int_equal(read_us, 0);
    entitlement_state_put(state);
}

static void a_new_window_begins_with_its_first_reading(void **unused)
{
    const char *const keys[] = {"a"};
    struct entitlement_state *state = state_with(keys, 1);
    const struct entitlement_entry *entry = &state->entries[0];
    int64_t read_us = 0;

    (void)unused;
    entitlement_state_count(entry, 100, 50, 3, 1000);
    entitlement_state_count(entry, 200, 5, 1, 990); /* taken earlier, of a later window */
    assert_int_equal(entitlement_state_usage(entry, 200, &read_us).used, 5);
    assert_int_equal(read_us, 990);
    assert_int_equal(entitlement_state_usage(entry, 100, &read_us).used, 0);
    assert_int_equal(read_us, 0);
    /* What comes late about the old one says nothing. */
    entitlement_state_count(entry, 100, 70, 0, 2000);
    assert_int_equal(entitlement_state_usage(entry, 200, &read_us).used, 5);
    assert_int_equal(read_us, 990);
    entitlement_state_put(state);
}

/* --- threads: what is read of a window is what was counted in it -------------------------------
 */

struct race {
    const struct entitlement_entry *entry;
    _Atomic int64_t window;
    _Atomic bool stop;
    int64_t wrong;
    int64_t shrunk;
    int64_t seen;
};

static void *count_windows(void *user)
{
    struct race *race = user;

    for (int64_t window = 1; window <= WINDOWS; window++) {
        for (int64_t used = 1; used < 4; used++) {
            entitlement_state_count(
                race->entry, window, window * WINDOW_SPAN + used, 0, window * WINDOW_SPAN);
        }
        atomic_store(&race->window, window);
    }
    return NULL;
}

static void *read_windows(void *user)
{
    struct race *race = user;
    int64_t last_window = 0;
    int64_t last_used = 0;

    while (!atomic_load(&race->stop)) {
        for (int64_t ahead = 0; ahead < 3; ahead++) {
            const int64_t window = atomic_load(&race->window) + ahead;
            int64_t read_us = 0;
            const struct entitlement_usage usage =
                entitlement_state_usage(race->entry, window, &read_us);

            if (read_us == 0) {
                continue;
            }
            race->seen++;
            race->wrong += usage.used / WINDOW_SPAN != window || usage.used % WINDOW_SPAN == 0;
            race->wrong += read_us / WINDOW_SPAN != window;
            race->shrunk += window == last_window && usage.used < last_used;
            last_window = window;
            last_used = usage.used;
        }
    }
    return NULL;
}

static void a_reader_never_sees_half_of_a_counter(void **unused)
{
    const char *const keys[] = {"a"};
    struct entitlement_state *state = state_with(keys, 1);
    struct race race = {.entry = &state->entries[0]};
    pthread_t writers[WRITERS];
    pthread_t reader;

    (void)unused;
    pthread_create(&reader, NULL, read_windows, &race);
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_create(&writers[i], NULL, count_windows, &race);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    atomic_store(&race.stop, true);
    pthread_join(reader, NULL);
    assert_int_equal(race.wrong, 0);
    assert_int_equal(race.shrunk, 0);
    entitlement_state_put(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_a_copy_of_everything),
        cmocka_unit_test(features_are_found_by_their_key_whatever_their_order),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(without_memory_there_is_none),
        cmocka_unit_test(a_counter_that_was_never_read_says_so),
        cmocka_unit_test(within_a_window_a_counter_only_grows),
        cmocka_unit_test(a_new_window_begins_with_its_first_reading),
        cmocka_unit_test(a_reader_never_sees_half_of_a_counter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
