#include "rpc/rpc_descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc_fixture.h"

static struct rpc_descriptors *load(struct ctx *cx)
{
    struct rpc_descriptors *descriptors = NULL;

    assert_int_equal(rpc_descriptors_new(cx, fixture_set(), &descriptors).code, CODE_OK);
    return descriptors;
}

static void every_kind_of_symbol_leads_to_its_file(void **state)
{
    static const struct {
        const char *symbol;
        const char *file;
    } cases[] = {
        {"rpctest.v1.TestService", "rpctest/v1/rpctest.proto"},
        {"rpctest.v1.TestService.Echo", "rpctest/v1/rpctest.proto"},
        {"rpctest.v1.EchoRequest", "rpctest/v1/rpctest.proto"},
        {"rpctest.v1.EchoRequest.child", "rpctest/v1/rpctest.proto"},
        {"rpctest.v1.EchoRequest.LabelsEntry", "rpctest/v1/rpctest.proto"},
        {"rpctest.v1.EchoRequest.LabelsEntry.key", "rpctest/v1/rpctest.proto"},
        {"grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"},
        {"grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"},
        {"grpc.reflection.v1.ServerReflectionRequest.message_request",
         "grpc/reflection/v1/reflection.proto"},
        {"google.protobuf.Any", "google/protobuf/any.proto"},
    };
    struct rpc_descriptors *descriptors = load(fixture_cx(state));

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct rpc_file *file = rpc_descriptors_symbol(descriptors, str_of(cases[i].symbol));

        assert_non_null(file);
        assert_true(str_equal(file->name, str_of(cases[i].file)));
        assert_ptr_equal(file, rpc_descriptors_file(descriptors, str_of(cases[i].file)));
    }
    assert_null(rpc_descriptors_symbol(descriptors, STR("rpctest.v1")));
    assert_null(rpc_descriptors_symbol(descriptors, STR("")));
    assert_null(rpc_descriptors_file(descriptors, STR("nothing.proto")));
    rpc_descriptors_free(descriptors);
}

static void methods_keep_their_types_and_directions(void **state)
{
    struct rpc_descriptors *descriptors = load(fixture_cx(state));
    size_t seen = 0;

    for (size_t i = 0; i < rpc_descriptors_method_count(descriptors); i++) {
        const struct rpc_method_shape *shape = rpc_descriptors_method(descriptors, i);

        if (strcmp(shape->path, "/rpctest.v1.TestService/Sum") == 0) {
            assert_string_equal(shape->service, "rpctest.v1.TestService");
            assert_string_equal(shape->name, "Sum");
            assert_true(str_equal(shape->input, STR("rpctest.v1.SumRequest")));
            assert_true(str_equal(shape->output, STR("rpctest.v1.SumResponse")));
            assert_true(shape->client_streaming);
            assert_false(shape->server_streaming);
            seen++;
        }
    }
    assert_int_equal(seen, 1);
    assert_int_equal(rpc_descriptors_service_count(descriptors), 4);
    rpc_descriptors_free(descriptors);
}

static void imports_are_linked(void **state)
{
    struct rpc_descriptors *descriptors = load(fixture_cx(state));
    const struct rpc_file *file = rpc_descriptors_file(descriptors, STR("google/rpc/status.proto"));

    assert_int_equal(file->import_count, 1);
    assert_true(str_equal(file->imports[0]->name, STR("google/protobuf/any.proto")));
    rpc_descriptors_free(descriptors);
}

static void what_is_cut_off_is_refused_or_read_without_harm(void **state)
{
    struct ctx *cx = fixture_cx(state);
    size_t refused = 0;

    for (size_t len = 0; len < rpctest_descriptor_set_len; len += 97) {
        char *copy = heap_new(len + 1); /* so that a sanitizer sees reads past the end */
        struct rpc_descriptors *descriptors = NULL;

        memcpy(copy, rpctest_descriptor_set, len);
        if (rpc_descriptors_new(cx, (struct str){copy, len}, &descriptors).code == CODE_OK) {
            rpc_descriptors_free(descriptors);
        } else {
            refused++;
        }
        heap_free(copy);
    }
    assert_true(refused > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_kind_of_symbol_leads_to_its_file, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            methods_keep_their_types_and_directions, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(imports_are_linked, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            what_is_cut_off_is_refused_or_read_without_harm, fixture_new, fixture_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
