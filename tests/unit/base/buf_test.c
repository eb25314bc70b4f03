#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"

static void an_empty_buffer_is_an_empty_text(void **state)
{
    AUTO_BUF buf;

    (void)state;
    buf_init(&buf, 10);
    assert_string_equal(buf_cstr(&buf), "");
    assert_int_equal(buf_str(&buf).len, 0);
    assert_false(buf_failed(&buf));
    buf_clear(&buf);
    buf_add(&buf, NULL, 0);
    assert_string_equal(buf_cstr(&buf), "");
}

static void pieces_follow_each_other(void **state)
{
    AUTO_BUF buf;

    (void)state;
    buf_init(&buf, 1000);
    buf_text(&buf, "amount=");
    buf_printf(&buf, "%d", 1999);
    buf_char(&buf, '&');
    buf_add(&buf, "a\0b", 3);
    assert_int_equal(buf_str(&buf).len, 15);
    assert_memory_equal(buf_str(&buf).ptr, "amount=1999&a\0b", 16);
}

static void a_buffer_grows_to_its_maximum_and_not_further(void **state)
{
    static const size_t maxima[] = {0, 1, 255, 256, 257, 511, 512, 1000, 5000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        AUTO_BUF buf;

        buf_init(&buf, maxima[i]);
        for (size_t n = 0; n < maxima[i]; n++) {
            buf_char(&buf, 'x');
        }
        assert_false(buf_failed(&buf));
        assert_int_equal(strlen(buf_cstr(&buf)), maxima[i]);
        buf_char(&buf, 'y');
        assert_true(buf_failed(&buf));
        assert_int_equal(strlen(buf_cstr(&buf)), maxima[i]);
    }
}

static void after_a_failure_nothing_is_added_until_it_is_cleared(void **state)
{
    AUTO_BUF buf;

    (void)state;
    buf_init(&buf, 5);
    buf_text(&buf, "abc");
    buf_text(&buf, "def");
    buf_text(&buf, "g");
    buf_printf(&buf, "%d", 1);
    assert_string_equal(buf_cstr(&buf), "abc");
    assert_true(buf_failed(&buf));
    buf_clear(&buf);
    buf_text(&buf, "g");
    assert_string_equal(buf_cstr(&buf), "g");
    assert_false(buf_failed(&buf));
}

static void without_memory_the_content_stays(void **state)
{
    char large[600];

    (void)state;
    memset(large, 'x', sizeof large);
    for (long allowed = 0; allowed < 2; allowed++) {
        AUTO_BUF buf;

        buf_init(&buf, 10000);
        heap_fail_after(allowed);
        buf_text(&buf, "abc");
        buf_add(&buf, large, sizeof large);
        heap_fail_after(-1);
        assert_true(buf_failed(&buf));
        assert_string_equal(buf_cstr(&buf), allowed == 0 ? "" : "abc");
    }
}

static void a_released_buffer_can_be_used_again(void **state)
{
    AUTO_BUF buf;

    (void)state;
    buf_init(&buf, 100);
    buf_text(&buf, "abc");
    buf_release(&buf);
    assert_string_equal(buf_cstr(&buf), "");
    buf_text(&buf, "def");
    assert_string_equal(buf_cstr(&buf), "def");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(a_buffer_grows_to_its_maximum_and_not_further),
        cmocka_unit_test(after_a_failure_nothing_is_added_until_it_is_cleared),
        cmocka_unit_test(without_memory_the_content_stays),
        cmocka_unit_test(a_released_buffer_can_be_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
