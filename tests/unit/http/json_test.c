#include "http/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"

struct fixture {
    struct arena arena;
    struct ctx cx;
};

static int set_up(void **state)
{
    struct fixture *fixture = heap_new(sizeof *fixture);

    arena_init(&fixture->arena, NULL, 0, (size_t)64 * 1024 * 1024);
    ctx_init(&fixture->cx, &fixture->arena, "test");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

static struct json *parse(struct ctx *cx, const char *text)
{
    struct json *json = NULL;

    assert_int_equal(json_parse(cx, text, strlen(text), &json).code, CODE_OK);
    return json;
}

static bool is_refused(struct ctx *cx, struct str text)
{
    struct json *json = NULL;
    const struct status status = json_parse(cx, text.ptr, text.len, &json);

    json_free(json);
    if (status.code == CODE_OK) {
        return false;
    }
    assert_int_equal(status_reason(status), REASON_MESSAGE_MALFORMED);
    return true;
}

static void members_are_found_by_path(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    struct json *json = parse(
        cx,
        "{\"id\":\"sub_1\",\"items\":{\"data\":[{\"id\":\"si_0\"},{\"price\":{\"id\":\"p1\"},"
        "\"quantity\":3}]},"
        "\"none\":null,\"flag\":true,\"text\":\"a\\u00e9\\ud83d\\ude00\\n\"}");
    const json_value root = json_root(json);

    assert_string_equal(json_text(cx, root, "id"), "sub_1");
    assert_string_equal(json_text(cx, root, "items.data.1.price.id"), "p1");
    assert_int_equal(json_i64(root, "items.data.1.quantity"), 3);
    assert_int_equal(json_len(json_at(root, "items.data")), 2);
    assert_string_equal(json_text(cx, json_item(json_at(root, "items.data"), 0), "id"), "si_0");
    assert_true(json_bool(root, "flag"));
    assert_string_equal(json_text(cx, root, "text"), "a\xc3\xa9\xf0\x9f\x98\x80\n");
    json_free(json);
}

static void what_is_absent_or_of_another_type_reads_as_the_default(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    struct json *json = parse(
        cx,
        "{\"n\":12,\"s\":\"12\",\"d\":1.5,\"e\":1e3,\"a\":[1],\"o\":{},\"z\":null,\"b\":false}");
    const json_value root = json_root(json);
    static const char *const not_integers[] = {
        "s", "d", "e", "a", "o", "z", "b", "x", "a.1", "a.x", "n.x"};

    for (size_t i = 0; i < ARRAY_LEN(not_integers); i++) {
        assert_int_equal(json_i64(root, not_integers[i]), 0);
    }
    assert_string_equal(json_text(cx, root, "n"), "");
    assert_string_equal(json_text(cx, root, "z"), "");
    assert_string_equal(json_text(cx, root, "o.x.y"), "");
    assert_false(json_bool(root, "s"));
    assert_true(json_is_null(json_get(root, "z")));
    assert_true(json_is_null(json_get(root, "x")));
    assert_false(json_is_null(json_get(root, "o")));
    assert_int_equal(json_len(json_get(root, "o")), 0);
    assert_null(json_item(json_get(root, "a"), 1));
    assert_null(json_get(json_get(root, "a"), "0"));
    assert_null(json_get(NULL, "a"));
    json_free(json);
}

static void integers_are_exact_up_to_the_edge_of_int64(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"9007199254740993", 9007199254740993},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX},
        {"9223372036854775808", 0}, /* beyond: no integer to us */
        {"18446744073709551615", 0},
        {"-9223372036854775809", 0},
        {"99999999999999999999999999999999999999999999999999", 0},
        {"1.0", 0},
    };
    struct ctx *cx = &((struct fixture *)*state)->cx;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *json = parse(cx, arena_printf(cx->arena, "[%s]", cases[i].text));

        assert_int_equal(json_i64(json_root(json), "0"), cases[i].value);
        json_free(json);
    }
}

static const char *const refused[] = {
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "{\"a\":1,}",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "{'a':1}",
    "['a']",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "[1 2]",
    "[,1]",
    "{,}",
    "1 2",
    "{} {}",
    "{}x",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1_000",
    "\"",
    "\"a",
    "\"\\",
    "\"\\q\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\n\"",
    "\"\\ud800\\ud800\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "\"\x01\"",
    "/* c */ 1",
    "// c\n1",
    "[1]//",
    "\xef\xbb\xbf{}",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "{\"\xc3\":1}",
    "[1}",
    "{\"a\":1]",
    "\v1",
};
static const char *const accepted[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1.5e-3",
    "1E5",
    "1e999",
    "\"\"",
    "[]",
    "{}",
    " [ 1 , 2 ] ",
    "\t{\r\n}\n",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
    "\"\x7f\"",
    "\"\\ud83d\\ude00\"",
    "{\"\":1}",
    "[[],[[]],{}]",
};
static void only_the_grammar_is_accepted(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (!is_refused(cx, str_of(refused[i]))) {
            fail_msg("accepted: %s", refused[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        if (is_refused(cx, str_of(accepted[i]))) {
            fail_msg("refused: %s", accepted[i]);
        }
    }
    assert_true(is_refused(cx, (struct str){"\"a\0b\"", 5}));
    assert_true(is_refused(cx, (struct str){"{}\0", 3}));
    assert_false(is_refused(cx, (struct str){"12345", 2})); /* reads len bytes, no more */
}

static void a_member_name_may_stand_once_in_an_object(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;

    assert_true(is_refused(cx, STR("{\"a\":1,\"a\":1}")));
    assert_true(is_refused(cx, STR("{\"a\":1,\"\\u0061\":2}")));
    assert_true(is_refused(cx, STR("[{\"o\":{\"x\":[{\"b\":{},\"b\":{\"c\":1}}]}}]")));
    assert_false(is_refused(cx, STR("[{\"a\":1},{\"a\":{\"a\":2}}]")));
}

static void nesting_ends_at_64(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    AUTO_BUF bomb = {0};

    buf_init(&bomb, (size_t)4 * 1024 * 1024);
    for (int i = 0; i < 64; i++) {
        buf_text(&bomb, i % 2 == 0 ? "[" : "{\"a\":");
    }
    buf_text(&bomb, "1");
    for (int i = 63; i >= 0; i--) {
        buf_text(&bomb, i % 2 == 0 ? "]" : "}");
    }
    assert_false(is_refused(cx, buf_str(&bomb)));
    buf_text(&bomb, "]");
    assert_true(is_refused(cx, str_of(arena_printf(cx->arena, "[%s", buf_cstr(&bomb)))));
    buf_clear(&bomb);
    for (int i = 0; i < 1000 * 1000; i++) {
        buf_char(&bomb, '[');
    }
    assert_true(is_refused(cx, buf_str(&bomb)));
}

/* json-c takes some 300 bytes for each of these three. */
static void empty_containers_by_the_hundred_thousand_are_refused(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    AUTO_BUF bomb = {0};

    buf_init(&bomb, (size_t)4 * 1024 * 1024);
    buf_text(&bomb, "[[]");
    for (int i = 0; i < 350 * 1000; i++) {
        buf_text(&bomb, ",[]");
    }
    buf_text(&bomb, "]");
    assert_true(is_refused(cx, buf_str(&bomb)));
}

static void a_value_is_printed_as_it_came(void **state)
{
    static const char *const texts[] = {
        "{\"a\":[1,-2,true,null,1.50,1e3],\"b\":{\"c\":\"x/y\\\"\\n\"},\"z\":\"\xc3\xa9\"}",
        "[]",
        "null",
        "\"\"",
    };
    struct ctx *cx = &((struct fixture *)*state)->cx;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json *json = parse(cx, texts[i]);

        assert_string_equal(json_print(cx, json_root(json)), texts[i]);
        json_free(json);
    }
}

static void members_are_visited_in_order(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    struct json *json = parse(cx, "{\"z\":1,\"a\":null,\"m\":[2]}");
    AUTO_BUF names = {0};
    void *cursor = NULL;
    const char *name = NULL;
    json_value value = NULL;

    buf_init(&names, 100);
    while (json_next(json_root(json), &cursor, &name, &value)) {
        buf_text(&names, name);
        buf_text(&names, json_print(cx, value));
    }
    assert_string_equal(buf_cstr(&names), "z1anullm[2]");
    cursor = NULL;
    assert_false(json_next(json_get(json_root(json), "m"), &cursor, &name, &value));
    json_free(json);
}

static void the_writer_puts_commas_and_escapes(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    struct json_writer w;
    struct json *json = NULL;
    AUTO_BUF buf = {0};

    buf_init(&buf, 4096);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "t", "a\"b\\c\n\r\t\x01\x7f\xc3\xa9/");
    json_put_text(&w, "n\"", NULL);
    json_put_i64(&w, "i", INT64_MIN);
    json_open_array(&w, "l");
    json_put_bool(&w, NULL, true);
    json_put_null(&w, NULL);
    json_open_object(&w, NULL);
    json_close_object(&w);
    json_open_array(&w, NULL);
    json_close_array(&w);
    json_close_array(&w);
    json_put_raw(&w, "r", "{\"x\":1}");
    json_put_bool(&w, "last", false);
    json_close_object(&w);
    assert_false(buf_failed(&buf));
    assert_string_equal(
        buf_cstr(&buf),
        "{\"t\":\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\xc3\xa9/"
        "\",\"n\\\"\":null,\"i\":-9223372036854775808,"
        "\"l\":[true,null,{},[]],\"r\":{\"x\":1},\"last\":false}");
    json = parse(cx, buf_cstr(&buf));
    assert_string_equal(json_text(cx, json_root(json), "t"), "a\"b\\c\n\r\t\x01\x7f\xc3\xa9/");
    json_free(json);
}

static void the_writer_replaces_what_is_not_utf8(void **state)
{
    struct json_writer w;
    AUTO_BUF buf = {0};

    (void)state;
    buf_init(&buf, 4096);
    json_begin(&w, &buf);
    json_put_text(&w, NULL, "a\xff\xc3\xa9\"\n\xed\xa0\x80z\xc3");
    assert_string_equal(buf_cstr(&buf), "\"a\\ufffd\xc3\xa9\\\"\\n\\ufffd\\ufffd\\ufffdz\\ufffd\"");
}

static void the_writer_fails_past_its_depth_and_its_buffer(void **state)
{
    struct json_writer w;
    AUTO_BUF buf = {0};

    (void)state;
    buf_init(&buf, 4096);
    json_begin(&w, &buf);
    for (int i = 0; i < 32; i++) {
        json_open_array(&w, NULL);
    }
    assert_false(buf_failed(&buf));
    json_open_array(&w, NULL);
    assert_true(buf_failed(&buf));
    buf_release(&buf);
    buf_init(&buf, 4);
    json_begin(&w, &buf);
    json_put_text(&w, NULL, "hello");
    assert_true(buf_failed(&buf));
}

static void a_lack_of_memory_is_a_failure(void **state)
{
    struct ctx *cx = &((struct fixture *)*state)->cx;
    struct json *json = NULL;

    (void)arena_alloc(cx->arena, 64); /* room for the failure itself */
    heap_fail_after(0);
    assert_int_equal(json_parse(cx, "{\"a\":1}", 7, &json).code, CODE_RESOURCE_EXHAUSTED);
    heap_fail_after(-1);
    assert_null(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_are_found_by_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_absent_or_of_another_type_reads_as_the_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            integers_are_exact_up_to_the_edge_of_int64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_grammar_is_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_member_name_may_stand_once_in_an_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nesting_ends_at_64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            empty_containers_by_the_hundred_thousand_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_is_printed_as_it_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_are_visited_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_writer_puts_commas_and_escapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_writer_replaces_what_is_not_utf8, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_writer_fails_past_its_depth_and_its_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lack_of_memory_is_a_failure, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
