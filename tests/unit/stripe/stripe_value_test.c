#include "stripe/stripe_value.h"

#include "base/wallclock.h"
#include "stripe_kit.h"

static json_value parse(const char *text, struct json **json)
{
    assert_ok(json_parse(&stub.cx, text, strlen(text), json));
    return json_root(*json);
}

static void times_are_seconds_there(void **state)
{
    AUTO_JSON *json = NULL;
    const json_value root =
        parse("{\"a\":1700000000,\"b\":0,\"c\":null,\"d\":9223372036854775807,\"e\":\"1\"}", &json);

    (void)state;
    assert_int_equal(stripe_value_time(root, "a"), INT64_C(1700000000000000));
    assert_int_equal(stripe_value_time(root, "b"), 0);
    assert_int_equal(stripe_value_time(root, "c"), 0);
    assert_int_equal(stripe_value_time(root, "d"), 0);
    assert_int_equal(stripe_value_time(root, "e"), 0);
}

static void a_reference_is_an_id_or_the_object(void **state)
{
    AUTO_JSON *json = NULL;
    const json_value root = parse("{\"a\":\"cus_1\",\"b\":{\"id\":\"cus_2\"},\"c\":null}", &json);

    (void)state;
    assert_string_equal(stripe_value_reference(&stub.cx, root, "a"), "cus_1");
    assert_string_equal(stripe_value_reference(&stub.cx, root, "b"), "cus_2");
    assert_string_equal(stripe_value_reference(&stub.cx, root, "c"), "");
}

/* ISO 4217 gives ISK no digits after the point and MGA two; the payment side two and none. */
static void amounts_have_the_digits_of_each_side(void **state)
{
    static const struct {
        const char *currency;
        int64_t ours;
        const char *theirs;
    } cases[] = {
        {"EUR", 1999, "1999"},
        {"JPY", 500, "500"},
        {"ISK", 500, "50000"},
        {"UGX", 5, "500"},
        {"KWD", 1230, "1230"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF buf = {0};
        AUTO_JSON *json = NULL;
        struct stripe_form form;
        json_value root = NULL;

        buf_init(&buf, 100);
        stripe_form_begin(&form, &buf);
        assert_ok(stripe_value_put_minor(&stub.cx, &form, "a", cases[i].ours, cases[i].currency));
        assert_string_equal(buf_cstr(&buf), arena_printf(&stub.arena, "a=%s", cases[i].theirs));
        root = parse(arena_printf(&stub.arena, "{\"a\":%s}", cases[i].theirs), &json);
        assert_int_equal(stripe_value_minor(root, "a", cases[i].currency), cases[i].ours);
    }
}

static void decimals_move_their_point(void **state)
{
    static const struct {
        const char *currency;
        const char *ours;
        const char *theirs;
    } cases[] = {
        {"EUR", "0.25", "a=0.25"},
        {"ISK", "0.25", "a=25"},
        {"ISK", "12.5", "a=1250"},
        {"ISK", "7", "a=700"},
        {"ISK", "0.001", "a=0.1"},
        {"ISK", "1.2345", "a=123.45"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF buf = {0};
        struct stripe_form form;

        buf_init(&buf, 100);
        stripe_form_begin(&form, &buf);
        stripe_value_put_decimal(&stub.cx, &form, "a", cases[i].ours, cases[i].currency);
        assert_string_equal(buf_cstr(&buf), cases[i].theirs);
    }
}

static void only_ids_become_paths(void **state)
{
    static const char *const bad[] = {
        "", "a/b", "..", "a?b", "a b", "\xc3\xa9", "sub_1#", "a%2fb", "a\r\nb"};
    const char *path = NULL;

    (void)state;
    assert_ok(stripe_value_path(&stub.cx, "/v1/x/", "sub_1-A", "/pay", &path));
    assert_string_equal(path, "/v1/x/sub_1-A/pay");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(
            status_reason(stripe_value_path(&stub.cx, "/v1/x/", bad[i], "", &path)),
            REASON_INTERNAL);
    }
}

static void marks_go_out_and_come_back(void **state)
{
    AUTO_BUF buf = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    struct payment_marks marks = {.org_id = "org_1", .object_id = "sub_1", .operation_id = ""};

    (void)state;
    buf_init(&buf, 200);
    stripe_form_begin(&form, &buf);
    stripe_value_put_marks(&form, &marks);
    assert_string_equal(
        buf_cstr(&buf), "metadata[billingos_org]=org_1&metadata[billingos_id]=sub_1");
    marks = stripe_value_marks(
        &stub.cx,
        parse("{\"metadata\":{\"billingos_id\":\"sub_1\",\"billingos_op_id\":\"op_1\"}}", &json),
        "metadata");
    assert_string_equal(marks.org_id, "");
    assert_string_equal(marks.object_id, "sub_1");
    assert_string_equal(marks.operation_id, "op_1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(times_are_seconds_there),
        WITH_STUB(a_reference_is_an_id_or_the_object),
        WITH_STUB(amounts_have_the_digits_of_each_side),
        WITH_STUB(decimals_move_their_point),
        WITH_STUB(only_ids_become_paths),
        WITH_STUB(marks_go_out_and_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
