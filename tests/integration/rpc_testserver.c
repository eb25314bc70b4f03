/* A server with the methods of rpctest.v1, to test server/rpc with real clients. */

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"
#include "rpc/rpc_server.h"
#include "rpctest/v1/rpctest.pb-c.h"

#define SERVICE "/rpctest.v1.TestService/"
#define TAILS_MAX 4096

extern const unsigned char rpctest_descriptor_set[];
extern const size_t rpctest_descriptor_set_len;

struct tail {
    struct rpc_source source;
    struct rpc_waker *waker;
    int64_t sent;
};

static struct {
    _Atomic int64_t cancelled;
    _Atomic int64_t aborted;
    _Atomic int64_t sources;
    _Atomic int64_t sleeping;
    _Atomic int64_t inflows;
    _Atomic int64_t made;
    pthread_mutex_t lock; /* of tails */
    struct tail *tails[TAILS_MAX];
    _Atomic int64_t published;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- unary ---------------------------------------------------------------------------------------
 */

static struct status
echo(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Rpctest__V1__EchoRequest *request = (const Rpctest__V1__EchoRequest *)req;
    Rpctest__V1__EchoResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__EchoResponse);

    (void)services;
    rpctest__v1__echo_response__init(response);
    response->text = request->text;
    response->data = request->data;
    response->on_worker = cx->may_block;
    response->request_id = (char *)cx->request_id;
    response->idempotency_key = (char *)cx->idempotency_key;
    response->left_ms = ctx_left_ms(cx, INT64_MAX);
    response->actor = (char *)cx->caller.actor;
    *ret_response = &response->base;
    return STATUS_OK;
}

static struct status echo_fallback(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    return echo(cx, services, req, ret_response);
}

static struct status sleep_a_while(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const int64_t ms = ((const Rpctest__V1__SleepRequest *)req)->ms;
    const int64_t start_us = monotonic_us();
    Rpctest__V1__SleepResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__SleepResponse);
    struct pollfd wake = {.fd = atomic_load(&cx->canceller->wake_fd), .events = POLLIN};

    (void)services;
    atomic_fetch_add(&seen.sleeping, 1);
    while (!ctx_gone(cx)) {
        const int64_t left_ms = deadline_left_ms(start_us + ms * 1000, ctx_left_ms(cx, INT64_MAX));
        uint64_t count = 0;

        if (left_ms == 0) {
            break;
        }
        if (poll(&wake, 1, (int)left_ms) > 0 && read(wake.fd, &count, sizeof count) < 0) {
            break;
        }
    }
    atomic_fetch_sub(&seen.sleeping, 1);
    if (ctx_gone(cx)) {
        atomic_fetch_add(&seen.cancelled, 1);
        return status_of(cx, REASON_CANCELLED);
    }
    rpctest__v1__sleep_response__init(response);
    response->slept_ms = (monotonic_us() - start_us) / 1000;
    *ret_response = &response->base;
    return STATUS_OK;
}

static struct status fail_with_details(struct ctx *cx)
{
    struct status status = status_fail(
        cx, REASON_CUSTOMER_NOT_FOUND, "customer \"%s\" does not exist", "cus_1 \u00e9");

    status = status_pair(cx, status, "customer_id", "cus_1");
    status = status_violation(cx, status, "customer_id", "names nobody");
    status = status_violation(cx, status, "customer.email", "is empty");
    return status_retry(status, 1500);
}

static struct status
fail(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const char *how = ((const Rpctest__V1__FailRequest *)req)->how;
    char *big = NULL;

    (void)services;
    (void)ret_response;
    if (strcmp(how, "details") == 0) {
        return fail_with_details(cx);
    }
    if (strcmp(how, "long") == 0) {
        big = arena_alloc(cx->arena, 3000);
        memset(big, 'x', 2999);
        return status_violation(
            cx, status_pair(cx, status_field(cx, "a", "%s", big), "k", big), "b", big);
    }
    if (strcmp(how, "costly") == 0) {
        for (int i = 0; i < 100; i++) {
            big = arena_alloc(cx->arena, 1024 * 1024);
        }
        return STATUS_OK;
    }
    if (strcmp(how, "would_block") == 0) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    return status_fail(cx, REASON_INTERNAL, "the secret detail");
}

static struct status
stats(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Rpctest__V1__StatsResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__StatsResponse);
    AUTO_BUF buf;

    (void)services;
    (void)req;
    buf_init(&buf, 1024 * 1024);
    metrics_write(&buf);
    rpctest__v1__stats_response__init(response);
    response->cancelled = atomic_load(&seen.cancelled);
    response->aborted = atomic_load(&seen.aborted);
    response->sources = atomic_load(&seen.sources);
    response->made = atomic_load(&seen.made);
    response->sleeping = atomic_load(&seen.sleeping);
    response->inflows = atomic_load(&seen.inflows);
    response->metrics = arena_text(cx->arena, buf_cstr(&buf));
    *ret_response = &response->base;
    return STATUS_OK;
}

/* --- server streams ------------------------------------------------------------------------------
 */

struct counter {
    struct rpc_source source;
    int64_t number;
    int64_t count;
    size_t padding;
};

static Rpctest__V1__CountResponse *number_message(struct ctx *cx, int64_t number, size_t padding)
{
    Rpctest__V1__CountResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__CountResponse);

    atomic_fetch_add(&seen.made, 1);
    rpctest__v1__count_response__init(response);
    response->number = number;
    response->padding.len = padding;
    response->padding.data = arena_alloc(cx->arena, padding + 1);
    return response;
}

static enum rpc_next counter_next(
    struct rpc_source *source,
    struct ctx *cx,
    ProtobufCMessage **ret_message,
    struct status *ret_status)
{
    struct counter *counter = (struct counter *)source;

    if (counter->count != 0 && counter->number == counter->count) {
        *ret_status = STATUS_OK;
        return RPC_NEXT_END;
    }
    *ret_message = &number_message(cx, ++counter->number, counter->padding)->base;
    return RPC_NEXT_READY;
}

static void counter_close(struct rpc_source *source)
{
    atomic_fetch_sub(&seen.sources, 1);
    heap_free(source);
}

static struct status counter_open(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source)
{
    const Rpctest__V1__CountRequest *request = (const Rpctest__V1__CountRequest *)req;
    struct counter *counter = NULL;

    (void)services;
    (void)waker;
    if (request->count < 0) {
        return status_field(cx, "count", "is negative");
    }
    counter = heap_new(sizeof *counter);
    counter->source = (struct rpc_source){counter_next, counter_close};
    counter->count = request->count;
    counter->padding = (size_t)request->padding;
    atomic_fetch_add(&seen.sources, 1);
    *ret_source = &counter->source;
    return STATUS_OK;
}

static enum rpc_next tail_next(
    struct rpc_source *source,
    struct ctx *cx,
    ProtobufCMessage **ret_message,
    struct status *ret_status)
{
    struct tail *tail = (struct tail *)source;

    (void)ret_status;
    if (tail->sent >= atomic_load(&seen.published)) {
        return RPC_NEXT_PENDING;
    }
    *ret_message = &number_message(cx, ++tail->sent, 0)->base;
    return RPC_NEXT_READY;
}

static void tail_close(struct rpc_source *source)
{
    pthread_mutex_lock(&seen.lock);
    for (int i = 0; i < TAILS_MAX; i++) {
        if (seen.tails[i] == (struct tail *)source) {
            seen.tails[i] = NULL;
        }
    }
    pthread_mutex_unlock(&seen.lock);
    atomic_fetch_sub(&seen.sources, 1);
    heap_free(source);
}

static struct status tail_open(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source)
{
    struct tail *tail = heap_new(sizeof *tail);
    int at = 0;

    (void)services;
    (void)req;
    tail->source = (struct rpc_source){tail_next, tail_close};
    tail->waker = waker;
    tail->sent = atomic_load(&seen.published);
    pthread_mutex_lock(&seen.lock);
    while (at < TAILS_MAX && seen.tails[at] != NULL) {
        at++;
    }
    if (at < TAILS_MAX) {
        seen.tails[at] = tail;
    }
    pthread_mutex_unlock(&seen.lock);
    if (at == TAILS_MAX) {
        heap_free(tail);
        return status_of(cx, REASON_STREAM_LIMIT_REACHED);
    }
    atomic_fetch_add(&seen.sources, 1);
    *ret_source = &tail->source;
    return STATUS_OK;
}

static struct status publish(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Rpctest__V1__PublishResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__PublishResponse);

    (void)services;
    (void)req;
    rpctest__v1__publish_response__init(response);
    atomic_fetch_add(&seen.published, 1);
    pthread_mutex_lock(&seen.lock);
    for (int i = 0; i < TAILS_MAX; i++) {
        if (seen.tails[i] != NULL) {
            seen.tails[i]->waker->wake(seen.tails[i]->waker);
            response->tails++;
        }
    }
    pthread_mutex_unlock(&seen.lock);
    *ret_response = &response->base;
    return STATUS_OK;
}

/* --- client and two-way streams ------------------------------------------------------------------
 */

struct sum {
    int64_t sum;
    int64_t count;
};

static struct status sum_begin(struct ctx *cx, void *services, void **ret_state)
{
    (void)cx;
    (void)services;
    *ret_state = heap_new(sizeof(struct sum));
    atomic_fetch_add(&seen.inflows, 1);
    return STATUS_OK;
}

static struct status sum_message(
    struct ctx *cx, void *state, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct sum *sum = state;
    const int64_t value = ((const Rpctest__V1__SumRequest *)req)->value;

    (void)ret_response;
    if (value < 0) {
        return status_field(cx, "value", "is negative");
    }
    sum->sum += value;
    sum->count++;
    return STATUS_OK;
}

static struct status sum_finish(struct ctx *cx, void *state, ProtobufCMessage **ret_response)
{
    const struct sum *sum = state;
    Rpctest__V1__SumResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__SumResponse);

    rpctest__v1__sum_response__init(response);
    response->sum = sum->sum;
    response->count = sum->count;
    atomic_fetch_sub(&seen.inflows, 1);
    heap_free(state);
    *ret_response = &response->base;
    return STATUS_OK;
}

static void sum_abort(void *state)
{
    atomic_fetch_add(&seen.aborted, 1);
    atomic_fetch_sub(&seen.inflows, 1);
    heap_free(state);
}

static struct status chat_message(
    struct ctx *cx, void *state, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Rpctest__V1__EchoRequest *request = (const Rpctest__V1__EchoRequest *)req;

    ((struct sum *)state)->count++;
    if (strcmp(request->text, "fail") == 0) {
        return fail_with_details(cx);
    }
    return strcmp(request->text, "quiet") == 0 ? STATUS_OK : echo(cx, NULL, req, ret_response);
}

static struct status chat_finish(struct ctx *cx, void *state, ProtobufCMessage **ret_response)
{
    Rpctest__V1__EchoResponse *response = ARENA_NEW(cx->arena, Rpctest__V1__EchoResponse);

    rpctest__v1__echo_response__init(response);
    response->text = arena_printf(cx->arena, "%" PRId64 " messages", ((struct sum *)state)->count);
    atomic_fetch_sub(&seen.inflows, 1);
    heap_free(state);
    *ret_response = &response->base;
    return STATUS_OK;
}

/* --- the table -----------------------------------------------------------------------------------
 */

static struct status authorize(
    struct ctx *cx, void *services, const struct rpc_method *method, const char *authorization)
{
    (void)services;
    (void)method;
    if (strcmp(authorization, "Bearer bad") == 0) {
        return status_of(cx, REASON_API_KEY_INVALID);
    }
    if (strcmp(authorization, "Bearer slow") == 0) {
        if (!cx->may_block) {
            return status_of(cx, REASON_WOULD_BLOCK);
        }
        cx->caller.actor = arena_text(cx->arena, "key_slow");
    }
    return STATUS_OK;
}

static const struct rpc_inflow sum_inflow = {sum_begin, sum_message, sum_finish, sum_abort};
static const struct rpc_inflow chat_inflow = {sum_begin, chat_message, chat_finish, sum_abort};

#define ROW(name, in, out)                                           \
    .path = SERVICE name, .input = &rpctest__v1__##in##__descriptor, \
    .output = &rpctest__v1__##out##__descriptor

static const struct rpc_method methods[] = {
    {ROW("Echo", echo_request, echo_response), .unary = echo},
    {ROW("EchoBlocking", echo_request, echo_response), .unary = echo, .lane = RPC_LANE_DATABASE},
    {ROW("EchoFallback", echo_request, echo_response), .unary = echo_fallback},
    {ROW("Sleep", sleep_request, sleep_response),
     .unary = sleep_a_while,
     .lane = RPC_LANE_DATABASE,
     .deadline_ms_max = 20000},
    {ROW("Fail", fail_request, echo_response), .unary = fail, .lane = RPC_LANE_PAYMENT},
    {ROW("Stats", stats_request, stats_response), .unary = stats, .lane = RPC_LANE_PAYMENT},
    {ROW("Count", count_request, count_response), .open = counter_open},
    {ROW("Tail", tail_request, count_response), .open = tail_open, .lane = RPC_LANE_DATABASE},
    {ROW("Publish", publish_request, publish_response), .unary = publish},
    {ROW("Sum", sum_request, sum_response), .inflow = &sum_inflow, .lane = RPC_LANE_DATABASE},
    {ROW("Chat", echo_request, echo_response), .inflow = &chat_inflow},
};

/* --- the program ---------------------------------------------------------------------------------
 */

static const struct option options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"tls-cert", required_argument, NULL, 'c'},
    {"tls-key", required_argument, NULL, 'k'},
    {"workers", required_argument, NULL, 'w'},
    {"queue", required_argument, NULL, 'q'},
    {"connections", required_argument, NULL, 'n'},
    {"drain-ms", required_argument, NULL, 'd'},
    {"stall-ms", required_argument, NULL, 's'},
    {"deadline-ms", required_argument, NULL, 't'},
    {"streams", required_argument, NULL, 'm'},
    {"idle-ms", required_argument, NULL, 'i'},
    {"age-ms", required_argument, NULL, 'a'},
    {"log", required_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

static void parse(int argc, char **argv, struct rpc_server_config *config)
{
    int name = 0;

    while ((name = getopt_long(argc, argv, "", options, NULL)) != -1) {
        const uint32_t number = optarg == NULL ? 0 : (uint32_t)strtoul(optarg, NULL, 10);

        switch (name) {
        case 'l':
            config->listen = optarg;
            break;
        case 'c':
            config->tls_cert_file = optarg;
            break;
        case 'k':
            config->tls_key_file = optarg;
            break;
        case 'w':
            config->workers[RPC_LANE_DATABASE] = number;
            break;
        case 'q':
            config->queue_max[RPC_LANE_DATABASE] = number;
            break;
        case 'n':
            config->connections_max = number;
            break;
        case 'd':
            config->drain_ms_max = number;
            break;
        case 's':
            config->stream_stall_ms_max = number;
            break;
        case 't':
            config->deadline_ms_default = number;
            break;
        case 'm':
            config->streams_max = number;
            break;
        case 'i':
            config->idle_connection_ms_max = number;
            break;
        case 'a':
            config->connection_age_ms_max = number;
            break;
        case 'v':
            log_configure(
                strcmp(optarg, "debug") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
            break;
        default:
            exit(2);
        }
    }
}

static void serve(struct rpc_server *server, struct ctx *cx, const sigset_t *signals)
{
    bool serving = true;
    int number = 0;

    while (sigwait(signals, &number) == 0 && number != SIGTERM && number != SIGINT) {
        if (number == SIGUSR1) {
            serving = !serving;
            rpc_server_health(server, "rpctest.v1.TestService", serving);
        } else {
            const struct status status = rpc_server_reload_tls(cx, server);

            printf("%s %s\n", status.code == CODE_OK ? "reloaded" : "kept", status_message(status));
            fflush(stdout);
        }
    }
}

static int run(struct ctx *cx, const struct rpc_server_config *config, const sigset_t *signals)
{
    const struct rpc_method_table table = {
        .methods = methods,
        .count = ARRAY_LEN(methods),
        .authorize = authorize,
        .descriptor_set = rpctest_descriptor_set,
        .descriptor_set_len = rpctest_descriptor_set_len,
    };
    struct rpc_server *server = NULL;
    struct status status = rpc_server_new(cx, config, &table, &server);

    if (status.code == CODE_OK) {
        rpc_server_health(server, "", true);
        status = rpc_server_start(cx, server);
    }
    if (status.code != CODE_OK) {
        fprintf(stderr, "rpc_testserver: %s\n", status_message(status));
        rpc_server_free(server);
        return 1;
    }
    printf("listening on %s\n", rpc_server_address(server));
    fflush(stdout);
    serve(server, cx, signals);
    rpc_server_stop(server);
    rpc_server_free(server);
    printf("stopped\n");
    return 0;
}

int main(int argc, char **argv)
{
    struct rpc_server_config config = {.listen = "127.0.0.1:0", .reflection = true};
    struct arena arena;
    struct ctx cx;
    sigset_t signals;
    int code = 0;

    log_configure(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    parse(argc, argv, &config);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    arena_init(&arena, NULL, 0, 16 * 1024 * 1024);
    ctx_init(&cx, &arena, "rpc_testserver");
    code = run(&cx, &config, &signals);
    arena_release(&arena);
    return code;
}
