/* A whole server in this process, with clients on the gRPC core in threads of their own: mostly for
 * the thread sanitizer. What the server does for clients of another make is tested in
 * tests/integration/test_rpc_calls.py and its neighbours. */

#include "rpc/rpc_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "rpc_fixture.h"
#include "rpctest/v1/rpctest.pb-c.h"

#define SERVICE "/rpctest.v1.TestService/"
#define THREADS 4
#define CALLS 60
#define TAILS_MAX 64

/* --- the methods ---------------------------------------------------------------------------------
 */

struct tail {
    struct rpc_source source;
    struct rpc_waker *waker;
    int64_t sent;
};

static struct {
    pthread_mutex_t lock;
    struct tail *tails[TAILS_MAX];
    _Atomic int64_t published;
    _Atomic int open;
} hub = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct status
echo(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Rpctest__V1__EchoRequest *request = (const Rpctest__V1__EchoRequest *)req;
    Rpctest__V1__EchoResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__EchoResponse);

    (void)services;
    if (strcmp(request->text, "block") == 0 && !cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    rpctest__v1__echo_response__init(response);
    response->text = request->text;
    *ret_response = &response->base;
    return STATUS_OK;
}

static enum rpc_next tail_next(
    struct rpc_source *source,
    struct ctx *cx,
    ProtobufCMessage **ret_message,
    struct status *ret_status)
{
    struct tail *tail = (struct tail *)source;
    Rpctest__V1__CountResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__CountResponse);

    (void)ret_status;
    if (tail->sent >= atomic_load(&hub.published)) {
        return RPC_NEXT_PENDING;
    }
    rpctest__v1__count_response__init(response);
    response->number = ++tail->sent;
    *ret_message = &response->base;
    return RPC_NEXT_READY;
}

static void put_tail(const struct tail *old, struct tail *new)
{
    pthread_mutex_lock(&hub.lock);
    for (int i = 0; i < TAILS_MAX; i++) {
        if (hub.tails[i] == old) {
            hub.tails[i] = new;
            break;
        }
    }
    pthread_mutex_unlock(&hub.lock);
}

static void tail_close(struct rpc_source *source)
{
    put_tail((struct tail *)source, NULL);
    heap_free(source);
    atomic_fetch_sub(&hub.open, 1);
}

static struct status tail_open(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source)
{
    struct tail *tail = heap_new(sizeof *tail);

    (void)cx;
    (void)services;
    (void)req;
    tail->source = (struct rpc_source){tail_next, tail_close};
    tail->waker = waker;
    atomic_fetch_add(&hub.open, 1);
    put_tail(NULL, tail);
    *ret_source = &tail->source;
    return STATUS_OK;
}

static void publish(void)
{
    atomic_fetch_add(&hub.published, 1);
    pthread_mutex_lock(&hub.lock);
    for (int i = 0; i < TAILS_MAX; i++) {
        if (hub.tails[i] != NULL) {
            hub.tails[i]->waker->wake(hub.tails[i]->waker);
        }
    }
    pthread_mutex_unlock(&hub.lock);
}

#define ECHO_TYPES                                   \
    .input = &rpctest__v1__echo_request__descriptor, \
    .output = &rpctest__v1__echo_response__descriptor

static const struct rpc_method methods[] = {
    {.path = SERVICE "Echo", ECHO_TYPES, .unary = echo},
    {.path = SERVICE "EchoBlocking", ECHO_TYPES, .unary = echo, .lane = RPC_LANE_DATABASE},
    {.path = SERVICE "Tail",
     .input = &rpctest__v1__tail_request__descriptor,
     .output = &rpctest__v1__count_response__descriptor,
     .open = tail_open},
};

/* --- a client ------------------------------------------------------------------------------------
 */

struct client {
    grpc_channel *channel;
    grpc_completion_queue *queue;
    grpc_call *call;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
};

static void client_start(struct client *client, const char *address)
{
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();

    client->channel = grpc_channel_create(address, credentials, NULL);
    client->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_channel_credentials_release(credentials);
}

static void client_stop(struct client *client)
{
    grpc_channel_destroy(client->channel);
    grpc_completion_queue_shutdown(client->queue);
    grpc_completion_queue_destroy(client->queue);
}

static void run_batch(struct client *client, const grpc_op *ops, size_t count)
{
    if (grpc_call_start_batch(client->call, ops, count, client, NULL) == GRPC_CALL_OK) {
        grpc_completion_queue_pluck(
            client->queue, client, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    }
}

static void call_begin(struct client *client, const char *path, const ProtobufCMessage *request)
{
    grpc_slice bytes = grpc_slice_malloc(protobuf_c_message_get_packed_size(request));
    grpc_byte_buffer *message = NULL;
    grpc_op ops[4] = {0};

    protobuf_c_message_pack(request, GRPC_SLICE_START_PTR(bytes));
    message = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    grpc_metadata_array_init(&client->initial);
    grpc_metadata_array_init(&client->trailing);
    client->details = grpc_empty_slice();
    client->call = grpc_channel_create_call(
        client->channel,
        NULL,
        GRPC_PROPAGATE_DEFAULTS,
        client->queue,
        grpc_slice_from_static_string(path),
        NULL,
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(20, GPR_TIMESPAN)),
        NULL);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = message;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &client->initial;
    run_batch(client, ops, ARRAY_LEN(ops));
    grpc_byte_buffer_destroy(message);
}

/* False at the end of the stream. */
static bool call_read(struct client *client)
{
    grpc_byte_buffer *message = NULL;
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &message;
    run_batch(client, &op, 1);
    if (message != NULL) {
        grpc_byte_buffer_destroy(message);
    }
    return message != NULL;
}

static enum code call_end(struct client *client)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};

    op.data.recv_status_on_client.trailing_metadata = &client->trailing;
    op.data.recv_status_on_client.status = &client->code;
    op.data.recv_status_on_client.status_details = &client->details;
    run_batch(client, &op, 1);
    grpc_metadata_array_destroy(&client->initial);
    grpc_metadata_array_destroy(&client->trailing);
    grpc_slice_unref(client->details);
    grpc_call_unref(client->call);
    return (enum code)client->code;
}

static enum code call_unary(struct client *client, const char *path, const char *text)
{
    Rpctest__V1__EchoRequest request = RPCTEST__V1__ECHO_REQUEST__INIT;

    request.text = (char *)text;
    call_begin(client, path, &request.base);
    (void)call_read(client);
    return call_end(client);
}

/* --- the tests -----------------------------------------------------------------------------------
 */

struct world {
    struct fixture *fixture;
    struct rpc_method_table table;
    struct rpc_server *server;
    _Atomic int answered;
    _Atomic int refused;
    _Atomic int read;
    _Atomic bool stopping;
};

static int world_new(void **state)
{
    struct world *world = heap_new(sizeof *world);
    const struct rpc_server_config config = {
        .listen = "127.0.0.1:0", .reflection = true, .drain_ms_max = 3000};
    void *fixture = NULL;

    if (world == NULL || fixture_new(&fixture) != 0) {
        return -1;
    }
    grpc_init();
    world->fixture = fixture;
    world->table = (struct rpc_method_table){
        .methods = methods,
        .count = ARRAY_LEN(methods),
        .descriptor_set = rpctest_descriptor_set,
        .descriptor_set_len = rpctest_descriptor_set_len,
    };
    *state = world;
    return rpc_server_new(&world->fixture->cx, &config, &world->table, &world->server).code ==
                       CODE_OK &&
                   rpc_server_start(&world->fixture->cx, world->server).code == CODE_OK
               ? 0
               : -1;
}

static int world_free(void **state)
{
    struct world *world = *state;
    void *fixture = world->fixture;

    rpc_server_free(world->server);
    heap_free(world);
    grpc_shutdown();
    return fixture_free(&fixture);
}

static void run_threads(struct world *world, void *(*run)(void *world), int count)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < count; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run, world), 0);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void *call_often(void *data)
{
    static const char *const paths[] = {SERVICE "Echo", SERVICE "EchoBlocking"};
    static const char *const texts[] = {"hi", "block"};
    struct world *world = data;
    struct client client;

    client_start(&client, rpc_server_address(world->server));
    for (int i = 0; i < CALLS; i++) {
        if (call_unary(&client, paths[i % 2], texts[i / 2 % 2]) == CODE_OK) {
            atomic_fetch_add(&world->answered, 1);
        }
    }
    client_stop(&client);
    return NULL;
}

static void every_lane_answers_many_threads(void **state)
{
    struct world *world = *state;

    run_threads(world, call_often, THREADS);
    assert_int_equal(world->answered, THREADS * CALLS);
}

static void *read_some(void *data)
{
    struct world *world = data;
    struct client client;
    const Rpctest__V1__TailRequest request = RPCTEST__V1__TAIL_REQUEST__INIT;

    client_start(&client, rpc_server_address(world->server));
    for (int i = 0; i < 10; i++) {
        call_begin(&client, SERVICE "Tail", &request.base);
        for (int k = 0; k < 10 && call_read(&client); k++) {
            atomic_fetch_add(&world->read, 1);
        }
        grpc_call_cancel(client.call, NULL);
        if (call_end(&client) == CODE_CANCELLED) {
            atomic_fetch_add(&world->answered, 1);
        }
    }
    client_stop(&client);
    return NULL;
}

static void *publish_often(void *data)
{
    struct world *world = data;

    while (!atomic_load(&world->stopping)) {
        publish();
        usleep(500);
    }
    return NULL;
}

static void streams_are_woken_and_left(void **state)
{
    struct world *world = *state;
    pthread_t publisher;

    assert_int_equal(pthread_create(&publisher, NULL, publish_often, world), 0);
    run_threads(world, read_some, THREADS);
    atomic_store(&world->stopping, true);
    pthread_join(publisher, NULL);
    assert_int_equal(world->read, THREADS * 10 * 10);
    assert_int_equal(world->answered, THREADS * 10);
    for (int i = 0; i < 300 && atomic_load(&hub.open) > 0; i++) {
        usleep(10000);
    }
    assert_int_equal(hub.open, 0);
}

static void *call_until_refused(void *data)
{
    struct world *world = data;
    struct client client;
    const Rpctest__V1__TailRequest request = RPCTEST__V1__TAIL_REQUEST__INIT;
    enum code code = CODE_OK;

    client_start(&client, rpc_server_address(world->server));
    for (int i = 0; code == CODE_OK; i++) {
        code = call_unary(
            &client,
            i % 2 == 0 ? SERVICE "Echo" : SERVICE "EchoBlocking",
            i % 3 == 0 ? "block" : "");
        atomic_fetch_add(&world->answered, 1);
    }
    if (code == CODE_UNAVAILABLE) {
        atomic_fetch_add(&world->refused, 1);
    }
    call_begin(&client, SERVICE "Tail", &request.base);
    while (call_read(&client)) {
    }
    (void)call_end(&client);
    client_stop(&client);
    return NULL;
}

static void *stop_soon(void *data)
{
    struct world *world = data;

    usleep(200000);
    rpc_server_stop(world->server);
    return NULL;
}

static void the_end_may_come_while_calls_run(void **state)
{
    struct world *world = *state;
    pthread_t stopper;

    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, world), 0);
    run_threads(world, call_until_refused, THREADS);
    pthread_join(stopper, NULL);
    assert_int_equal(world->refused, THREADS);
    assert_true(world->answered > THREADS);
}

static void *flip_health(void *data)
{
    struct world *world = data;

    for (int i = 0; i < 200; i++) {
        rpc_server_health(world->server, i % 3 == 0 ? "" : "rpctest.v1.TestService", i % 2 == 0);
    }
    return NULL;
}

static void health_may_be_set_by_any_thread_until_the_end(void **state)
{
    struct world *world = *state;
    pthread_t stopper;

    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, world), 0);
    for (int i = 0; i < 8; i++) {
        run_threads(world, flip_health, THREADS);
    }
    pthread_join(stopper, NULL);
    run_threads(world, flip_health, THREADS);
}

static void a_server_that_never_started_can_be_freed(void **state)
{
    const struct rpc_server_config config = {.listen = "127.0.0.1:0"};
    const struct rpc_server_config bad = {.listen = "127.0.0.1:1x"};
    const struct rpc_method_table table = {
        .methods = methods,
        .count = ARRAY_LEN(methods),
        .descriptor_set = rpctest_descriptor_set,
        .descriptor_set_len = rpctest_descriptor_set_len,
    };
    struct rpc_server *server = NULL;

    assert_int_equal(rpc_server_new(fixture_cx(state), &config, &table, &server).code, CODE_OK);
    rpc_server_free(server);
    assert_int_equal(
        rpc_server_new(fixture_cx(state), &bad, &table, &server).code, CODE_INVALID_ARGUMENT);
    rpc_server_free(NULL);
}

static void a_port_in_use_fails_the_start_only(void **state)
{
    struct world *world = *state;
    const struct rpc_server_config config = {.listen = rpc_server_address(world->server)};
    struct rpc_server *second = NULL;
    struct ctx *cx = &world->fixture->cx;

    assert_int_equal(rpc_server_new(cx, &config, &world->table, &second).code, CODE_OK);
    assert_int_equal(status_reason(rpc_server_start(cx, second)), REASON_FIELD_INVALID);
    rpc_server_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_server_that_never_started_can_be_freed, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(a_port_in_use_fails_the_start_only, world_new, world_free),
        cmocka_unit_test_setup_teardown(every_lane_answers_many_threads, world_new, world_free),
        cmocka_unit_test_setup_teardown(streams_are_woken_and_left, world_new, world_free),
        cmocka_unit_test_setup_teardown(the_end_may_come_while_calls_run, world_new, world_free),
        cmocka_unit_test_setup_teardown(
            health_may_be_set_by_any_thread_until_the_end, world_new, world_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
