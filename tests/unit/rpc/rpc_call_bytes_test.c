#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc/rpc_server.h"
#include "rpc_fixture.h"
#include "rpctest/v1/rpctest.pb-c.h"

static struct status
echo(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Rpctest__V1__EchoRequest *request = (const Rpctest__V1__EchoRequest *)req;
    Rpctest__V1__EchoResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__EchoResponse);

    assert_string_equal(services, "services");
    if (strcmp(request->text, "nothing") == 0) {
        return STATUS_OK;
    }
    if (strcmp(request->text, "all memory") == 0) {
        assert_null(arena_try_alloc(cx->arena, cx->arena->cap_bytes));
    }
    rpctest__v1__echo_response__init(response);
    response->text = request->text;
    *ret_response = &response->base;
    return STATUS_OK;
}

static struct status authorize(
    struct ctx *cx, void *services, const struct rpc_method *method, const char *authorization)
{
    (void)services;
    (void)method;
    return *authorization == '\0' ? status_of(cx, REASON_API_KEY_MISSING) : STATUS_OK;
}

static const struct rpc_method methods[] = {
    {.path = "/rpctest.v1.TestService/Echo",
     .input = &rpctest__v1__echo_request__descriptor,
     .output = &rpctest__v1__echo_response__descriptor,
     .unary = echo,
     .request_bytes_max = 100},
    {.path = "/rpctest.v1.TestService/Sleep"},
};

static const struct rpc_method_table table = {
    .methods = methods, .count = 2, .services = (void *)"services", .authorize = authorize};

static struct status call(
    struct ctx *cx, size_t row, const char *authorization, struct str request, struct str *ret_text)
{
    *ret_text = STR("");
    return rpc_call_bytes(cx, &table, &methods[row], authorization, request, ret_text);
}

static void bytes_go_in_and_out(void **state)
{
    struct str answer;

    assert_int_equal(
        call(fixture_cx(state), 0, "Bearer x", STR("\x0a\x02hi"), &answer).code, CODE_OK);
    assert_true(str_equal(answer, STR("\x0a\x02hi")));
    assert_int_equal(call(fixture_cx(state), 0, "Bearer x", STR(""), &answer).code, CODE_OK);
    assert_int_equal(answer.len, 0);
}

static void the_steps_before_the_handler_may_refuse(void **state)
{
    static const struct {
        size_t row;
        const char *authorization;
        struct str request;
        enum reason reason;
    } cases[] = {
        {0, "", {"\x0a\x02hi", 4}, REASON_API_KEY_MISSING},
        {0, "x", {"\x0a\x02\xff\xff", 4}, REASON_MESSAGE_MALFORMED},
        {0, "x", {"\x0a", 1}, REASON_MESSAGE_MALFORMED},
        {1, "x", {"", 0}, REASON_METHOD_NOT_IMPLEMENTED},
        {0, "x", {"\x0a\x07nothing", 9}, REASON_INTERNAL},
        {0,
         "x",
         {"\x0a\x0a"
          "all memory",
          12},
         REASON_REQUEST_TOO_COSTLY},
    };
    static const char big[101];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        void *own = NULL;
        struct str answer;

        assert_int_equal(fixture_new(&own), 0);
        assert_int_equal(
            status_reason(call(
                fixture_cx(&own), cases[i].row, cases[i].authorization, cases[i].request, &answer)),
            cases[i].reason);
        fixture_free(&own);
    }
    {
        struct str answer;

        assert_int_equal(
            status_reason(call(fixture_cx(state), 0, "x", (struct str){big, sizeof big}, &answer)),
            REASON_MESSAGE_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_in_and_out, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            the_steps_before_the_handler_may_refuse, fixture_new, fixture_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
