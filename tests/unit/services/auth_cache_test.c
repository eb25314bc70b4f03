#include "services/auth_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/wallclock.h"

#define KEYS_MAX 160 /* 10 in each part */
#define LONG_MS 60000

static const struct auth_cache_config roomy = {
    .keys_max = KEYS_MAX, .lifetime_ms = LONG_MS, .stale_ms_max = LONG_MS};

struct question {
    uint8_t hash[SHA256_SIZE];
    struct auth_key key;
};

static struct question question_of(uint32_t number, bool known)
{
    struct question question = {.key = {.known = known, .org_id = number, .kind = KEY_SECRET}};

    sha256(&number, sizeof number, question.hash);
    memcpy(question.key.key_id.bytes, &number, sizeof number);
    return question;
}

static void put(struct auth_cache *cache, const struct question *question)
{
    auth_cache_put(cache, question->hash, &question->key, auth_cache_generation(cache));
}

static enum auth_freshness
get(struct auth_cache *cache, const struct question *question, bool may_block)
{
    const struct ctx cx = {.now_us = wallclock_us(), .may_block = may_block};
    struct auth_key key = {.known = false};
    const enum auth_freshness freshness = auth_cache_get(cache, question->hash, &cx, &key);

    if (freshness != AUTH_ABSENT) {
        assert_int_equal(key.known, question->key.known);
        assert_int_equal(key.org_id, question->key.org_id);
    }
    return freshness;
}

static void what_was_put_is_found(void **state)
{
    struct auth_cache *cache = auth_cache_new(&roomy);
    const struct question known = question_of(1, true);
    const struct question unknown = question_of(2, false);
    const struct question never = question_of(3, true);

    (void)state;
    put(cache, &known);
    put(cache, &unknown);
    assert_int_equal(get(cache, &known, false), AUTH_FRESH);
    assert_int_equal(get(cache, &unknown, false), AUTH_FRESH);
    assert_int_equal(get(cache, &never, false), AUTH_ABSENT);
    auth_cache_free(cache);
}

static void after_its_lifetime_one_caller_of_each_kind_asks(void **state)
{
    const struct auth_cache_config config = {
        .keys_max = KEYS_MAX, .lifetime_ms = 20, .stale_ms_max = LONG_MS};
    struct auth_cache *cache = auth_cache_new(&config);
    const struct question question = question_of(1, true);

    (void)state;
    put(cache, &question);
    assert_int_equal(get(cache, &question, false), AUTH_FRESH);
    usleep(30000);
    assert_int_equal(get(cache, &question, false), AUTH_EXPIRED);
    assert_int_equal(get(cache, &question, false), AUTH_FRESH);
    assert_int_equal(get(cache, &question, true), AUTH_EXPIRED);
    assert_int_equal(get(cache, &question, true), AUTH_FRESH);
    put(cache, &question);
    assert_int_equal(get(cache, &question, false), AUTH_FRESH);
    usleep(30000);
    assert_int_equal(get(cache, &question, true), AUTH_EXPIRED);
    auth_cache_free(cache);
}

static void past_the_stale_bound_it_is_gone(void **state)
{
    const struct auth_cache_config config = {
        .keys_max = KEYS_MAX, .lifetime_ms = 10, .stale_ms_max = 40};
    struct auth_cache *cache = auth_cache_new(&config);
    const struct question question = question_of(1, true);

    (void)state;
    put(cache, &question);
    usleep(20000);
    assert_int_not_equal(get(cache, &question, true), AUTH_ABSENT);
    usleep(30000);
    assert_int_equal(get(cache, &question, true), AUTH_ABSENT);
    auth_cache_free(cache);
}

static void the_oldest_make_room_and_junk_pushes_nothing_out(void **state)
{
    struct auth_cache *cache = auth_cache_new(&roomy);
    const struct question kept = question_of(0, true);
    size_t found = 0;

    (void)state;
    put(cache, &kept);
    for (uint32_t i = 1; i < 20000; i++) {
        const struct question junk = question_of(i, false);

        put(cache, &junk);
    }
    assert_int_equal(get(cache, &kept, true), AUTH_FRESH);
    for (uint32_t i = 1; i < 20000; i++) {
        const struct question key = question_of(i, true);

        put(cache, &key);
    }
    assert_int_equal(get(cache, &kept, true), AUTH_ABSENT);
    for (uint32_t i = 0; i < 20000; i++) {
        const struct question key = question_of(i, true);

        found += get(cache, &key, true) == AUTH_FRESH ? 1 : 0;
    }
    assert_int_equal(found, KEYS_MAX);
    auth_cache_free(cache);
}

static void an_unknown_key_can_become_known(void **state)
{
    struct auth_cache *cache = auth_cache_new(&roomy);
    const struct question before = question_of(1, false);
    const struct question after = question_of(1, true);

    (void)state;
    put(cache, &before);
    put(cache, &after);
    assert_int_equal(get(cache, &after, true), AUTH_FRESH);
    auth_cache_drop(cache, &after.key.key_id);
    assert_int_equal(get(cache, &after, true), AUTH_ABSENT);
    auth_cache_free(cache);
}

static void a_dropped_key_is_gone_and_a_read_under_way_does_not_bring_it_back(void **state)
{
    struct auth_cache *cache = auth_cache_new(&roomy);
    const struct question dropped = question_of(1, true);
    const struct question other = question_of(2, true);
    uint64_t generation = 0;

    (void)state;
    put(cache, &dropped);
    put(cache, &other);
    generation = auth_cache_generation(cache);
    auth_cache_drop(cache, &dropped.key.key_id);
    assert_int_equal(get(cache, &dropped, true), AUTH_ABSENT);
    assert_int_equal(get(cache, &other, true), AUTH_FRESH);
    auth_cache_put(cache, dropped.hash, &dropped.key, generation);
    assert_int_equal(get(cache, &dropped, true), AUTH_ABSENT);
    auth_cache_drop_all(cache);
    assert_int_equal(get(cache, &other, true), AUTH_ABSENT);
    put(cache, &dropped);
    assert_int_equal(get(cache, &dropped, true), AUTH_FRESH);
    auth_cache_free(cache);
}

static void a_use_is_told_once_a_minute(void **state)
{
    struct auth_cache *cache = auth_cache_new(&roomy);
    struct question question = question_of(7, true);
    struct ctx cx = {.now_us = 100 * US_PER_MINUTE, .may_block = true};
    struct api_key_use uses[4];
    struct auth_key key;

    (void)state;
    question.key.last_used_us = cx.now_us - US_PER_MINUTE / 2;
    put(cache, &question);
    assert_int_equal(auth_cache_take_uses(cache, uses, 4), 0);
    auth_cache_get(cache, question.hash, &cx, &key);
    assert_int_equal(auth_cache_take_uses(cache, uses, 4), 0);
    cx.now_us += US_PER_MINUTE;
    auth_cache_get(cache, question.hash, &cx, &key);
    assert_int_equal(auth_cache_take_uses(cache, uses, 4), 1);
    assert_int_equal(uses[0].org_id, 7);
    assert_int_equal(uses[0].used_us, cx.now_us);
    assert_memory_equal(&uses[0].key_id, &question.key.key_id, sizeof question.key.key_id);
    assert_int_equal(auth_cache_take_uses(cache, uses, 4), 0);
    auth_cache_free(cache);
}

struct crowd {
    struct auth_cache *cache;
    uint32_t seed;
};

static void *crowd_run(void *user)
{
    const struct crowd *crowd = user;
    const struct ctx cx = {.now_us = 1, .may_block = true};
    struct api_key_use uses[8];
    uint32_t number = crowd->seed;

    for (size_t i = 0; i < 20000; i++) {
        const struct question question = question_of(number % 400, number % 5 != 0);
        struct auth_key key;

        number = number * 1664525 + 1013904223;
        if (auth_cache_get(crowd->cache, question.hash, &cx, &key) == AUTH_ABSENT) {
            put(crowd->cache, &question);
        }
        if (i % 500 == 0) {
            auth_cache_drop(crowd->cache, &question.key.key_id);
            auth_cache_take_uses(crowd->cache, uses, 8);
        }
    }
    return NULL;
}

static void many_threads_may_ask_at_once(void **state)
{
    struct auth_cache *cache = auth_cache_new(&roomy);
    struct crowd crowds[4];
    pthread_t threads[4];

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        crowds[i] = (struct crowd){cache, i};
        pthread_create(&threads[i], NULL, crowd_run, &crowds[i]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    auth_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(after_its_lifetime_one_caller_of_each_kind_asks),
        cmocka_unit_test(past_the_stale_bound_it_is_gone),
        cmocka_unit_test(the_oldest_make_room_and_junk_pushes_nothing_out),
        cmocka_unit_test(an_unknown_key_can_become_known),
        cmocka_unit_test(a_dropped_key_is_gone_and_a_read_under_way_does_not_bring_it_back),
        cmocka_unit_test(a_use_is_told_once_a_minute),
        cmocka_unit_test(many_threads_may_ask_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
