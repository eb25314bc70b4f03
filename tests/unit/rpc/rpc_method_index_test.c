#include "rpc/rpc_method_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc/rpc_descriptors.h"
#include "rpc_fixture.h"
#include "rpctest/v1/rpctest.pb-c.h"

static struct status
unary(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    (void)services;
    (void)req;
    (void)ret_response;
    return status_of(cx, REASON_INTERNAL);
}

static struct status open_nothing(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source)
{
    (void)services;
    (void)req;
    (void)waker;
    (void)ret_source;
    return status_of(cx, REASON_INTERNAL);
}

#define ECHO                                                                                 \
    .path = "/rpctest.v1.TestService/Echo", .input = &rpctest__v1__echo_request__descriptor, \
    .output = &rpctest__v1__echo_response__descriptor

struct built {
    struct rpc_descriptors *descriptors;
    struct rpc_method_index *index;
};

static struct status
build(struct ctx *cx, const struct rpc_method *methods, size_t count, struct built *ret_built)
{
    static const struct rpc_method own[] = {
        {.path = "/runtime.v1.Own/Thing",
         .input = &rpctest__v1__echo_request__descriptor,
         .output = &rpctest__v1__echo_response__descriptor,
         .unary = unary},
    };
    static const struct rpc_method_table second = {.methods = own, .count = ARRAY_LEN(own)};
    const struct rpc_method_table first = {.methods = methods, .count = count};
    const struct rpc_method_table *const tables[] = {&first, &second};
    struct status status;

    *ret_built = (struct built){NULL, NULL};
    assert_int_equal(rpc_descriptors_new(cx, fixture_set(), &ret_built->descriptors).code, CODE_OK);
    status = rpc_method_index_new(
        cx, tables, ARRAY_LEN(tables), ret_built->descriptors, &ret_built->index);
    return status;
}

static void built_free(struct built *built)
{
    rpc_method_index_free(built->index);
    rpc_descriptors_free(built->descriptors);
}

static void paths_lead_to_rows(void **state)
{
    static const struct rpc_method methods[] = {
        {ECHO, .unary = unary, .request_bytes_max = 1000000},
        {.path = "/rpctest.v1.TestService/Sleep"},
    };
    struct built built;
    const struct rpc_entry *entry = NULL;

    assert_int_equal(build(fixture_cx(state), methods, ARRAY_LEN(methods), &built).code, CODE_OK);
    entry = rpc_method_index_find(built.index, STR("/rpctest.v1.TestService/Echo"));
    assert_ptr_equal(entry->method, &methods[0]);
    assert_int_equal(entry->shape, RPC_SHAPE_UNARY);
    assert_string_equal(entry->name, "rpctest.v1.TestService/Echo");
    assert_string_equal(entry->metrics.service, "rpctest.v1.TestService");
    assert_string_equal(entry->metrics.method, "Echo");
    assert_ptr_equal(
        rpc_method_index_find(built.index, STR("/rpctest.v1.TestService/Echo")), entry);
    assert_int_equal(
        rpc_method_index_find(built.index, STR("/runtime.v1.Own/Thing"))->shape, RPC_SHAPE_UNARY);
    assert_int_equal(rpc_method_index_request_bytes_max(built.index, 5), 1000000);
    assert_int_equal(rpc_method_index_request_bytes_max(built.index, 2000000), 2000000);
    built_free(&built);
}

static void what_has_no_function_is_not_implemented(void **state)
{
    static const struct rpc_method methods[] = {{.path = "/rpctest.v1.TestService/Sleep"}};
    static const struct {
        const char *path;
        enum reason reason;
    } cases[] = {
        {"/rpctest.v1.TestService/Sleep", REASON_METHOD_NOT_IMPLEMENTED},
        {"/rpctest.v1.TestService/Echo", REASON_METHOD_NOT_IMPLEMENTED},
        {"/rpctest.v1.TestService/Nothing", REASON_METHOD_UNKNOWN},
        {"", REASON_METHOD_UNKNOWN},
        {"/", REASON_METHOD_UNKNOWN},
    };
    struct built built;

    assert_int_equal(build(fixture_cx(state), methods, ARRAY_LEN(methods), &built).code, CODE_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct rpc_entry *entry = rpc_method_index_find(built.index, str_of(cases[i].path));

        assert_int_equal(entry->shape, RPC_SHAPE_NONE);
        assert_int_equal(entry->refusal, cases[i].reason);
    }
    built_free(&built);
}

static void rows_that_do_not_fit_are_refused(void **state)
{
    static const struct rpc_method rows[][2] = {
        {{ECHO, .unary = unary}, {ECHO, .unary = unary}},
        {{ECHO, .unary = unary, .open = open_nothing}, {.path = "/rpctest.v1.TestService/Sum"}},
        {{ECHO, .open = open_nothing}, {.path = "/rpctest.v1.TestService/Sum"}},
        {{.path = "/rpctest.v1.TestService/Echo",
          .input = &rpctest__v1__sum_request__descriptor,
          .output = &rpctest__v1__echo_response__descriptor,
          .unary = unary},
         {.path = "/rpctest.v1.TestService/Sum"}},
        {{.path = "/rpctest.v1.TestService/Echo",
          .input = &rpctest__v1__echo_request__descriptor,
          .output = &rpctest__v1__sum_response__descriptor,
          .unary = unary},
         {.path = "/rpctest.v1.TestService/Sum"}},
        {{.path = "/rpctest.v1.TestService/Echo", .unary = unary},
         {.path = "/rpctest.v1.TestService/Sum"}},
        {{ECHO, .unary = unary, .lane = RPC_LANE_COUNT}, {.path = "/rpctest.v1.TestService/Sum"}},
        {{ECHO, .unary = unary}, {.path = "/rpctest.v1.TestService/Typo"}},
        {{ECHO, .unary = unary}, {.path = "rpctest.v1.TestService.Sum"}},
        {{ECHO, .unary = unary}, {.path = NULL}},
        {{ECHO, .unary = unary}, {.path = "/runtime.v1.Own/Thing"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct built built;
        const struct status status = build(fixture_cx(state), rows[i], 2, &built);

        assert_int_equal(status_reason(status), REASON_INTERNAL);
        built_free(&built);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths_lead_to_rows, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            what_has_no_function_is_not_implemented, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            rows_that_do_not_fit_are_refused, fixture_new, fixture_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
