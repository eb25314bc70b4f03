#include "rpc/rpc_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rpc_fixture.h"
#include "rpctest/v1/rpctest.pb-c.h"

static const struct rpc_scan_limits limits = {
    .depth_max = RPC_SCAN_DEPTH_MAX,
    .fields_max = RPC_SCAN_FIELDS_MAX,
    .memory_max = (size_t)8 * 1024 * 1024,
};

static struct status
unpack(struct ctx *cx, struct str bytes, Rpctest__V1__EchoRequest **ret_request)
{
    return rpc_scan_unpack(
        cx,
        &rpctest__v1__echo_request__descriptor,
        (const uint8_t *)bytes.ptr,
        bytes.len,
        &limits,
        (ProtobufCMessage **)ret_request);
}

/* A message inside a message inside ..., levels deep. */
static struct str nested(struct ctx *cx, size_t levels)
{
    struct str message = STR("");

    for (size_t i = 1; i < levels; i++) {
        char *outer = arena_alloc(cx->arena, message.len + 4);
        size_t at = 0;

        outer[at++] = 0x1a;
        if (message.len >= 0x80) {
            outer[at++] = (char)(message.len % 128 + 128);
            outer[at++] = (char)(message.len / 128);
        } else {
            outer[at++] = (char)message.len;
        }
        memcpy(outer + at, message.ptr, message.len);
        message = (struct str){outer, at + message.len};
    }
    return message;
}

static void a_good_message_is_unpacked_into_the_arena(void **state)
{
    static const char bytes[] = "\x0a\x06h\xc3\xa9llo"         /* text */
                                "\x12\x02\x00\xff"             /* data */
                                "\x22\x08\x0a\x01k\x12\x03val" /* labels */
                                "\x2a\x03\x01\x96\x01"         /* numbers, packed */
                                "\x28\x07"                     /* and one more that is not */
                                "\xf8\x01\x01";                /* a field that nobody knows */
    Rpctest__V1__EchoRequest *request = NULL;
    struct ctx *cx = fixture_cx(state);

    assert_int_equal(unpack(cx, (struct str){bytes, sizeof bytes - 1}, &request).code, CODE_OK);
    assert_string_equal(request->text, "h\xc3\xa9llo");
    assert_int_equal(request->data.len, 2);
    assert_int_equal(request->n_labels, 1);
    assert_string_equal(request->labels[0]->value, "val");
    assert_int_equal(request->n_numbers, 3);
    assert_int_equal(request->numbers[1], 150);
    assert_int_equal(request->base.n_unknown_fields, 1);
}

static void the_empty_message_is_good(void **state)
{
    Rpctest__V1__EchoRequest *request = NULL;

    assert_int_equal(unpack(fixture_cx(state), STR(""), &request).code, CODE_OK);
    assert_string_equal(request->text, "");
}

static void malformed_messages_are_refused(void **state)
{
    static const struct str cases[] = {
        {"\x0a", 1},
        {"\x0a\x05"
         "abc",
         5},
        {"\x0a\x02\xc3\x28", 4}, /* not UTF-8 */
        {"\x0a\x03"
         "a\0b",
         5},                                         /* a NUL */
        {"\x0a\x03\xed\xa0\x80", 5},                 /* a surrogate */
        {"\x22\x03\x0a\x01\xff", 5},                 /* in the key of a map */
        {"\x08\x01", 2},                             /* text as a number */
        {"\x0d\x00\x00\x00\x00", 5},                 /* text as a fixed32 */
        {"\x18\x01", 2},                             /* a message as a number */
        {"\x29\x00\x00\x00\x00\x00\x00\x00\x00", 9}, /* a number as a fixed64 */
        {"\x2a\x02\x01\x80", 4},                     /* a packed list that is cut */
        {"\x1a\x02\x0a\x05", 4},                     /* a length that leaves its message */
        {"\x0b\x0c", 2},
        {"\x7b\x7c", 2}, /* groups that nobody knows */
        {"\x02\x00", 2},
        {"\x80\x80\x80\x80\x80\x01", 6},
    };
    struct ctx *cx = fixture_cx(state);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Rpctest__V1__EchoRequest *request = NULL;
        const struct status status = unpack(cx, cases[i], &request);

        assert_int_equal(status_reason(status), REASON_MESSAGE_MALFORMED);
        assert_string_equal(status.error->pairs[0].key, "detail");
        assert_null(request);
    }
}

static void bad_text_names_the_way_to_its_field(void **state)
{
    const struct str bytes = {"\x1a\x06\x1a\x04\x0a\x02\xc3\x28", 8};
    Rpctest__V1__EchoRequest *request = NULL;
    const struct status status = unpack(fixture_cx(state), bytes, &request);

    assert_int_equal(status.error->violation_count, 1);
    assert_string_equal(status.error->violations[0].field, "child.child.text");
}

static void depth_is_limited(void **state)
{
    struct ctx *cx = fixture_cx(state);
    Rpctest__V1__EchoRequest *request = NULL;

    assert_int_equal(unpack(cx, nested(cx, 8), &request).code, CODE_OK);
    assert_int_equal(status_reason(unpack(cx, nested(cx, 9), &request)), REASON_MESSAGE_MALFORMED);
    assert_int_equal(
        status_reason(unpack(cx, nested(cx, 3000), &request)), REASON_MESSAGE_MALFORMED);
}

static void the_number_of_fields_is_limited(void **state)
{
    struct ctx *cx = fixture_cx(state);
    char *bytes = arena_alloc(cx->arena, (size_t)2 * (RPC_SCAN_FIELDS_MAX + 1));
    struct rpc_scan_cost cost = {0};

    for (size_t i = 0; i <= RPC_SCAN_FIELDS_MAX; i++) {
        bytes[2 * i] = 0x28;
        bytes[2 * i + 1] = 0x01;
    }
    assert_int_equal(
        rpc_scan(
            cx,
            &rpctest__v1__echo_request__descriptor,
            (const uint8_t *)bytes,
            (size_t)2 * RPC_SCAN_FIELDS_MAX,
            &limits,
            &cost)
            .code,
        CODE_OK);
    assert_int_equal(cost.fields, RPC_SCAN_FIELDS_MAX);
    assert_int_equal(
        status_reason(rpc_scan(
            cx,
            &rpctest__v1__echo_request__descriptor,
            (const uint8_t *)bytes,
            (size_t)2 * (RPC_SCAN_FIELDS_MAX + 1),
            &limits,
            &cost)),
        REASON_REQUEST_TOO_COSTLY);
}

/* The estimate must never be below what unpacking takes, or the arena would be the one to refuse.
 */
static void the_estimate_covers_what_unpacking_takes(void **state)
{
    static const struct str pieces[] = {
        {"\x1a\x00", 2}, /* empty children */
        {"\x22\x00", 2}, /* empty entries of a map */
        {"\x28\x01", 2},
        {"\x2a\x04\x01\x01\x01\x01", 6},
        {"\x0a\x01x", 3},
        {"\x12\x01x", 3},
        {"\xf8\x01\x01", 3},
        {"\xfa\x01\x02xx", 5},
    };

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct ctx *cx = fixture_cx(state);
        const size_t count = 5000;
        char *bytes = arena_alloc(cx->arena, count * pieces[i].len);
        struct rpc_scan_cost cost = {0};
        Rpctest__V1__EchoRequest *request = NULL;
        size_t before = 0;

        for (size_t k = 0; k < count; k++) {
            memcpy(bytes + k * pieces[i].len, pieces[i].ptr, pieces[i].len);
        }
        before = cx->arena->used_bytes;
        assert_int_equal(
            unpack(cx, (struct str){bytes, count * pieces[i].len}, &request).code, CODE_OK);
        assert_int_equal(
            rpc_scan(
                cx,
                &rpctest__v1__echo_request__descriptor,
                (const uint8_t *)bytes,
                count * pieces[i].len,
                &limits,
                &cost)
                .code,
            CODE_OK);
        assert_true(cost.memory_bytes >= cx->arena->used_bytes - before);
        arena_release(cx->arena);
        arena_init(cx->arena, NULL, 0, (size_t)16 * 1024 * 1024);
    }
}

static void the_memory_is_limited(void **state)
{
    const struct rpc_scan_limits small = {.depth_max = 8, .fields_max = 100, .memory_max = 400};
    struct rpc_scan_cost cost = {0};
    const struct str bytes = STR("\x1a\x00\x1a\x00\x1a\x00\x1a\x00\x1a\x00\x1a\x00");

    assert_int_equal(
        status_reason(rpc_scan(
            fixture_cx(state),
            &rpctest__v1__echo_request__descriptor,
            (const uint8_t *)bytes.ptr,
            bytes.len,
            &small,
            &cost)),
        REASON_REQUEST_TOO_COSTLY);
}

/* Every allocation that unpacking makes may fail. */
static void without_memory_unpacking_fails_cleanly(void **state)
{
    static const char bytes[] = "\x1a\x04\x0a\x02hi\x22\x04\x0a\x02hi\x2a\x02\x01\x02\xf8\x01\x01";
    size_t cap = 0;
    bool passed = false;

    (void)state;
    for (cap = 16; !passed && cap < 4096; cap += 16) {
        struct arena arena;
        struct ctx cx;
        Rpctest__V1__EchoRequest *request = NULL;
        struct status status;

        arena_init(&arena, NULL, 0, cap);
        ctx_init(&cx, &arena, "test");
        status = unpack(&cx, (struct str){bytes, sizeof bytes - 1}, &request);
        passed = status.code == CODE_OK;
        if (!passed) {
            assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
        }
        arena_release(&arena);
    }
    assert_true(passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_good_message_is_unpacked_into_the_arena, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(the_empty_message_is_good, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(malformed_messages_are_refused, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            bad_text_names_the_way_to_its_field, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(depth_is_limited, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(the_number_of_fields_is_limited, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            the_estimate_covers_what_unpacking_takes, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(the_memory_is_limited, fixture_new, fixture_free),
        cmocka_unit_test(without_memory_unpacking_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
