#include "rpc/rpc_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void every_wire_type_is_read(void **state)
{
    static const char bytes[] =
        "\x08\x96\x01"                         /* 1: 150 */
        "\x11\x01\x00\x00\x00\x00\x00\x00\x80" /* 2: a fixed64 */
        "\x1a\x03"                             /* 3: three bytes */
        "abc"
        "\x25\x02\x00\x00\x00"                                          /* 4: a fixed32 */
        "\xf8\xff\xff\xff\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"; /* the last number: -1 */
    struct rpc_wire wire = rpc_wire_of((struct str){bytes, sizeof bytes - 1});
    struct rpc_wire_field field;

    (void)state;
    assert_true(rpc_wire_next(&wire, &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.value, 150);
    assert_true(rpc_wire_next(&wire, &field));
    assert_true(field.value == UINT64_C(0x8000000000000001));
    assert_true(rpc_wire_next(&wire, &field));
    assert_true(str_equal(field.bytes, STR("abc")));
    assert_true(rpc_wire_next(&wire, &field));
    assert_int_equal(field.value, 2);
    assert_true(rpc_wire_next(&wire, &field));
    assert_int_equal(field.number, (1 << 29) - 1);
    assert_true(field.value == UINT64_MAX);
    assert_false(rpc_wire_next(&wire, &field));
    assert_false(wire.malformed);
}

static void what_is_not_well_formed_ends_the_reading(void **state)
{
    static const struct str cases[] = {
        {"\x08", 1},                                              /* no value */
        {"\x08\x80", 2},                                          /* half a value */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* eleven bytes */
        {"\xff\xff\xff\xff\xff\x01\x00", 7},                      /* a tag of six bytes */
        {"\x02\x00", 2},                                          /* number 0 */
        {"\x0a\x04"
         "abc",
         5},                                                  /* past the end */
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* a length of 2^64 - 1 */
        {"\x09\x00\x00\x00", 4},
        {"\x0d\x00", 2},
        {"\x0b\x0c", 2}, /* a group */
        {"\x0c", 1},
        {"\x0e\x00", 2}, /* no such type */
        {"\x0f\x00", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rpc_wire wire = rpc_wire_of(cases[i]);
        struct rpc_wire_field field;

        assert_false(rpc_wire_next(&wire, &field));
        assert_true(wire.malformed);
        assert_false(rpc_wire_next(&wire, &field));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wire_type_is_read),
        cmocka_unit_test(what_is_not_well_formed_ends_the_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
