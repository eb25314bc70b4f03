#include "rpc/rpc_health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "grpc/health/v1/health.pb-c.h"
#include "rpc/rpc_descriptors.h"
#include "rpc_fixture.h"

struct health {
    struct fixture *fixture;
    struct rpc_descriptors *descriptors;
    struct rpc_health *health;
    struct rpc_method_table table;
};

static int health_new(void **state)
{
    struct health *made = heap_new(sizeof *made);
    void *fixture = NULL;

    if (made == NULL || fixture_new(&fixture) != 0) {
        return -1;
    }
    made->fixture = fixture;
    if (rpc_descriptors_new(&made->fixture->cx, fixture_set(), &made->descriptors).code !=
            CODE_OK ||
        rpc_health_new(&made->fixture->cx, made->descriptors, &made->health).code != CODE_OK) {
        return -1;
    }
    made->table = rpc_health_table(made->health);
    *state = made;
    return 0;
}

static int health_free(void **state)
{
    struct health *made = *state;
    void *fixture = made->fixture;

    rpc_health_free(made->health);
    rpc_descriptors_free(made->descriptors);
    heap_free(made);
    return fixture_free(&fixture);
}

static struct status check(struct health *made, const char *service, int *ret_status)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    ProtobufCMessage *response = NULL;
    struct status status;

    request.service = (char *)service;
    status = made->table.methods[0].unary(
        &made->fixture->cx, made->table.services, &request.base, &response);
    if (status.code == CODE_OK) {
        *ret_status = (int)((Grpc__Health__V1__HealthCheckResponse *)response)->status;
    }
    return status;
}

static void nothing_serves_until_somebody_says_so(void **state)
{
    struct health *made = *state;
    int status = 0;

    assert_int_equal(check(made, "", &status).code, CODE_OK);
    assert_int_equal(status, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING);
    assert_true(rpc_health_set(made->health, "", true));
    assert_false(rpc_health_set(made->health, "", true));
    assert_int_equal(check(made, "rpctest.v1.TestService", &status).code, CODE_OK);
    assert_int_equal(status, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    assert_true(rpc_health_set(made->health, "rpctest.v1.TestService", false));
    assert_int_equal(check(made, "", &status).code, CODE_OK);
    assert_int_equal(status, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    assert_false(rpc_health_set(made->health, "nobody", true));
    assert_int_equal(status_reason(check(made, "nobody", &status)), REASON_SERVICE_UNKNOWN);
}

static void a_watch_tells_changes_only(void **state)
{
    struct health *made = *state;
    struct ctx *cx = &made->fixture->cx;
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_source *source = NULL;
    ProtobufCMessage *message = NULL;
    struct status status;

    assert_int_equal(
        made->table.methods[1].open(cx, made->table.services, &request.base, NULL, &source).code,
        CODE_OK);
    assert_int_equal(source->next(source, cx, &message, &status), RPC_NEXT_READY);
    assert_int_equal(source->next(source, cx, &message, &status), RPC_NEXT_PENDING);
    rpc_health_set(made->health, "", true);
    assert_int_equal(source->next(source, cx, &message, &status), RPC_NEXT_READY);
    assert_int_equal(
        ((Grpc__Health__V1__HealthCheckResponse *)message)->status,
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    assert_int_equal(source->next(source, cx, &message, &status), RPC_NEXT_PENDING);
    source->close(source);
}

static void a_watch_of_an_unknown_service_says_so_once(void **state)
{
    struct health *made = *state;
    struct ctx *cx = &made->fixture->cx;
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_source *source = NULL;
    ProtobufCMessage *message = NULL;
    struct status status;

    request.service = (char *)"nobody";
    assert_int_equal(
        made->table.methods[1].open(cx, made->table.services, &request.base, NULL, &source).code,
        CODE_OK);
    assert_int_equal(source->next(source, cx, &message, &status), RPC_NEXT_READY);
    assert_int_equal(
        ((Grpc__Health__V1__HealthCheckResponse *)message)->status,
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN);
    assert_int_equal(source->next(source, cx, &message, &status), RPC_NEXT_PENDING);
    source->close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            nothing_serves_until_somebody_says_so, health_new, health_free),
        cmocka_unit_test_setup_teardown(a_watch_tells_changes_only, health_new, health_free),
        cmocka_unit_test_setup_teardown(
            a_watch_of_an_unknown_service_says_so_once, health_new, health_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
