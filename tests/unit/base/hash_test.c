#include "base/hash.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"

#define KEYS 200

/* The model: a value for each of the keys, or NULL. */
struct model {
    char keys[KEYS][8];
    void *values[KEYS];
    size_t count;
};

static int values[KEYS * 2];

static void assert_same(const struct hash *hash, const struct model *model)
{
    size_t cursor = 0;
    size_t visited = 0;

    assert_int_equal(hash_count(hash), model->count);
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(hash_get(hash, model->keys[i], strlen(model->keys[i])), model->values[i]);
    }
    while (hash_next(hash, &cursor) != NULL) {
        visited++;
    }
    assert_int_equal(visited, model->count);
}

static void step(struct hash *hash, struct model *model, size_t max, uint32_t random)
{
    const size_t key = random / 8 % KEYS;
    const size_t len = strlen(model->keys[key]);
    void *value = &values[random / 8 % ARRAY_LEN(values)];
    void *old = NULL;

    if (random % 8 < 3) {
        assert_ptr_equal(hash_remove(hash, model->keys[key], len), model->values[key]);
        model->count -= model->values[key] != NULL ? 1 : 0;
        model->values[key] = NULL;
        return;
    }
    if (model->values[key] == NULL && model->count == max) {
        assert_false(hash_put(hash, model->keys[key], len, value, &old));
        return;
    }
    assert_true(hash_put(hash, model->keys[key], len, value, &old));
    assert_ptr_equal(old, model->values[key]);
    model->count += old == NULL ? 1 : 0;
    model->values[key] = value;
}

static void the_map_does_what_a_plain_list_would_do(void **state)
{
    static const size_t maxima[] = {0, 1, 2, 7, 100, 150, KEYS};

    (void)state;
    for (size_t m = 0; m < ARRAY_LEN(maxima); m++) {
        struct hash *hash = hash_new(maxima[m]);
        struct model model = {0};
        uint32_t random = 12345;

        for (size_t i = 0; i < KEYS; i++) {
            snprintf(model.keys[i], sizeof model.keys[i], "%zx", i * i);
        }
        for (int i = 0; i < 4000; i++) {
            random = random * 1664525 + 1013904223;
            step(hash, &model, maxima[m], random >> 8);
            if (i % 50 == 0) {
                assert_same(hash, &model);
            }
        }
        assert_same(hash, &model);
        hash_free(hash);
    }
}

static void keys_are_bytes_of_any_length(void **state)
{
    struct hash *hash = hash_new(8);
    char with_nul[] = {'a', 0, 'b'};
    int value = 0;
    int other = 0;

    (void)state;
    assert_true(hash_put(hash, "", 0, &value, NULL));
    assert_true(hash_put(hash, with_nul, 3, &other, NULL));
    assert_ptr_equal(hash_get(hash, NULL, 0), &value);
    assert_ptr_equal(hash_get(hash, "a\0b", 3), &other);
    assert_null(hash_get(hash, "a\0c", 3));
    assert_null(hash_get(hash, "a", 1));
    hash_free(hash);
}

static void the_hash_depends_on_every_byte_and_on_the_length(void **state)
{
    unsigned char bytes[40] = {0};

    (void)state;
    for (size_t len = 0; len < sizeof bytes; len++) {
        const uint64_t before = hash_bytes(bytes, len);

        assert_int_equal(hash_bytes(bytes, len), before);
        assert_int_not_equal(hash_bytes(bytes, len + 1), before);
        for (size_t i = 0; i < len; i++) {
            bytes[i] ^= 1;
            assert_int_not_equal(hash_bytes(bytes, len), before);
            bytes[i] ^= 1;
        }
    }
}

static void without_memory_there_is_no_map(void **state)
{
    (void)state;
    heap_fail_after(0);
    assert_null(hash_new(10));
    heap_fail_after(-1);
    assert_null(hash_new(SIZE_MAX / 2));
    hash_free(NULL);
}

static void *hash_something(void *data)
{
    uint64_t *ret_hash = data;

    *ret_hash = hash_bytes("something", 9);
    return NULL;
}

static void all_threads_hash_with_one_seed(void **state)
{
    pthread_t threads[4];
    uint64_t hashes[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, hash_something, &hashes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(hashes[i], hashes[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_threads_hash_with_one_seed),
        cmocka_unit_test(the_map_does_what_a_plain_list_would_do),
        cmocka_unit_test(keys_are_bytes_of_any_length),
        cmocka_unit_test(the_hash_depends_on_every_byte_and_on_the_length),
        cmocka_unit_test(without_memory_there_is_no_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
