#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"

static bool is_zero(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    static const size_t sizes[] = {1, 3, 16, 17, 100, 4096, 16384, 20000, 1, 0, 8};
    char *pieces[ARRAY_LEN(sizes)];
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        pieces[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        assert_true(is_zero(pieces[i], sizes[i]));
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(pieces[i][j], i + 1);
        }
    }
    assert_false(arena_failed(&arena));
    arena_release(&arena);
}

static void the_memory_of_the_caller_is_used_first(void **state)
{
    alignas(max_align_t) char first[128] = {0};
    struct arena arena;
    char *piece = NULL;

    (void)state;
    arena_init(&arena, first, sizeof first, 4096);
    heap_fail_after(0);
    piece = arena_alloc(&arena, 100);
    heap_fail_after(-1);
    assert_ptr_equal(piece, first);
    assert_false(arena_failed(&arena));
    assert_true((char *)arena_alloc(&arena, 100) != first);
    arena_release(&arena);
}

static void past_the_cap_small_pieces_stay_apart_and_large_ones_are_refused(void **state)
{
    struct arena arena;
    char *last = NULL;
    char *next = NULL;

    (void)state;
    arena_init(&arena, NULL, 0, 8192);
    assert_non_null(arena_try_alloc(&arena, 8192));
    assert_false(arena_failed(&arena));
    assert_null(arena_try_alloc(&arena, 1));
    assert_true(arena_failed(&arena));
    last = arena_alloc(&arena, 64);
    next = arena_alloc(&arena, 64);
    assert_non_null(last);
    assert_non_null(next);
    assert_ptr_not_equal(last, next);
    assert_null(arena_alloc(&arena, (size_t)1 << 20));
    arena_release(&arena);
}

static void a_size_that_overflows_is_refused(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0, SIZE_MAX / 4);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_true(arena_failed(&arena));
    arena_release(&arena);
}

static void without_heap_the_arena_has_failed_and_texts_are_empty(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0, 8192);
    heap_fail_after(0);
    assert_non_null(arena_alloc(&arena, 64));
    assert_string_equal(arena_text(&arena, "text"), "");
    assert_string_equal(arena_printf(&arena, "%d", 1), "");
    heap_fail_after(-1);
    assert_true(arena_failed(&arena));
    assert_null(arena_try_alloc(&arena, 1));
    arena_release(&arena);
}

static void texts_are_copied_and_terminated(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, NULL, 0, 8192);
    assert_string_equal(arena_text(&arena, "subscription"), "subscription");
    assert_string_equal(arena_text_n(&arena, "subscription", 3), "sub");
    assert_string_equal(arena_text_n(&arena, NULL, 0), "");
    assert_string_equal(arena_printf(&arena, "%s of %d", "part", 7), "part of 7");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(the_memory_of_the_caller_is_used_first),
        cmocka_unit_test(past_the_cap_small_pieces_stay_apart_and_large_ones_are_refused),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(without_heap_the_arena_has_failed_and_texts_are_empty),
        cmocka_unit_test(texts_are_copied_and_terminated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
