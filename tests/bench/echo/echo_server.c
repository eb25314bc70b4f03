/* bos-echo: the floor that the speed of billingos is compared with.
 *
 * A bare unary server on the gRPC core: one completion queue, one polling thread, generic
 * request_call, three events a call (new call, message, done). It answers every method with the
 * same bytes, so what it costs is what the transport costs. Deadlines are enforced and every call
 * is told when its peer is gone, as in any server that is correct.
 *
 * All calls belong to the polling thread. The main thread waits for SIGINT or SIGTERM. */

#include <assert.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>

enum {
    /* More posted requests cost more instructions per call: the core searches them. */
    POSTED_DEFAULT = 8,
    POSTED_MAX = 1024,
    RESPONSE_BYTES_MAX = 1 << 20,
    OPS_MAX = 4,
};

struct options {
    const char *listen;
    size_t response_bytes;
    size_t posted;
};

struct server {
    grpc_server *core;
    grpc_completion_queue *queue;
    grpc_slice response; /* Empty when the request is to be echoed. */
    bool echo;
    bool stopped;
    size_t busy; /* Calls posted or open. */
    struct call
        *idle; /* Finished calls, kept for reuse: at most as many as were ever open at once. */
};

struct call;

/* The tag of an event: what to do with the call when it comes. */
struct step {
    void (*run)(struct server *server, struct call *call, bool success);
    struct call *call;
};

struct call {
    struct step arrived;
    struct step received;
    struct step finished;
    struct call *next_idle;
    grpc_call *core;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *message;
    int cancelled;
};

static void call_arrived(struct server *server, struct call *call, bool success);
static void call_received(struct server *server, struct call *call, bool success);
static void call_finished(struct server *server, struct call *call, bool success);

static struct call *call_take(struct server *server)
{
    struct call *call = server->idle;

    server->busy++;
    if (call != NULL) {
        server->idle = call->next_idle;
        return call;
    }
    call = calloc(1, sizeof *call);
    if (call == NULL) {
        fputs("bos-echo: out of memory\n", stderr);
        exit(1);
    }
    call->arrived = (struct step){call_arrived, call};
    call->received = (struct step){call_received, call};
    call->finished = (struct step){call_finished, call};
    grpc_metadata_array_init(&call->metadata);
    return call;
}

/* The call keeps the array of metadata, not the entries. The queue may be shut down only when
 * nothing will be started on it any more; the end of the server can be told before the events of
 * its last calls. */
static void call_give_back(struct server *server, struct call *call)
{
    if (call->core != NULL) {
        grpc_call_unref(call->core);
        grpc_call_details_destroy(&call->details);
    }
    call->core = NULL;
    call->metadata.count = 0;
    call->next_idle = server->idle;
    server->idle = call;
    server->busy--;
    if (server->stopped && server->busy == 0) {
        grpc_completion_queue_shutdown(server->queue);
    }
}

static void call_post(struct server *server)
{
    struct call *call = call_take(server);
    grpc_call_error error = GRPC_CALL_OK;

    grpc_call_details_init(&call->details);
    error = grpc_server_request_call(
        server->core,
        &call->core,
        &call->details,
        &call->metadata,
        server->queue,
        server->queue,
        &call->arrived);
    assert(error == GRPC_CALL_OK);
}

static void call_arrived(struct server *server, struct call *call, bool success)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    grpc_call_error error = GRPC_CALL_OK;

    if (!success) { /* The server stops: posted requests come back unused. */
        call_give_back(server, call);
        return;
    }
    call_post(server);
    call->message = NULL;
    op.data.recv_message.recv_message = &call->message;
    error = grpc_call_start_batch(call->core, &op, 1, &call->received, NULL);
    assert(error == GRPC_CALL_OK);
}

static void call_received(struct server *server, struct call *call, bool success)
{
    grpc_op ops[OPS_MAX] = {0};
    size_t len = 0;
    grpc_slice no_message = grpc_slice_from_static_string("the request has no message");
    const bool has_message = success && call->message != NULL;
    grpc_byte_buffer *answer = NULL;
    grpc_call_error error = GRPC_CALL_OK;

    if (has_message && server->echo) {
        answer = call->message;
        call->message = NULL;
    } else if (has_message) {
        answer = grpc_raw_byte_buffer_create(&server->response, 1);
    }
    if (call->message != NULL) {
        grpc_byte_buffer_destroy(call->message);
    }
    ops[len++].op = GRPC_OP_SEND_INITIAL_METADATA;
    if (answer != NULL) {
        ops[len].op = GRPC_OP_SEND_MESSAGE;
        ops[len++].data.send_message.send_message = answer;
    }
    ops[len].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    if (!has_message) {
        ops[len].data.send_status_from_server.status = GRPC_STATUS_INTERNAL;
        ops[len].data.send_status_from_server.status_details = &no_message;
    }
    len++;
    ops[len].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[len++].data.recv_close_on_server.cancelled = &call->cancelled;
    error = grpc_call_start_batch(call->core, ops, len, &call->finished, NULL);
    assert(error == GRPC_CALL_OK);
    if (answer != NULL) {
        grpc_byte_buffer_destroy(answer);
    }
}

static void call_finished(struct server *server, struct call *call, bool success)
{
    (void)success;
    call_give_back(server, call);
}

/* Runs until the queue is shut down and empty. A NULL tag says that the server has stopped. */
static void *server_poll(void *data)
{
    struct server *server = data;

    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        if (event.tag == NULL) {
            server->stopped = true;
            if (server->busy == 0) {
                grpc_completion_queue_shutdown(server->queue);
            }
            continue;
        }
        const struct step *step = event.tag;
        step->run(server, step->call, event.success != 0);
    }
}

/* Returns the port, 0 when it cannot be bound. */
static int server_start(struct server *server, const struct options *options)
{
    grpc_arg args[] = {
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
         .value.integer = 1 << GRPC_COMPRESS_NONE},
    };
    const grpc_channel_args channel_args = {sizeof args / sizeof args[0], args};
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    int port = 0;

    server->queue = grpc_completion_queue_create_for_next(NULL);
    server->core = grpc_server_create(&channel_args, NULL);
    grpc_server_register_completion_queue(server->core, server->queue, NULL);
    port = grpc_server_add_http2_port(server->core, options->listen, credentials);
    grpc_server_credentials_release(credentials);
    if (port == 0) {
        return 0;
    }
    server->echo = options->response_bytes == 0;
    server->response = grpc_slice_malloc(options->response_bytes);
    memset(GRPC_SLICE_START_PTR(server->response), 'x', options->response_bytes);
    grpc_server_start(server->core);
    for (size_t i = 0; i < options->posted; i++) {
        call_post(server);
    }
    return port;
}

static void server_release(struct server *server)
{
    while (server->idle != NULL) {
        struct call *call = server->idle;

        server->idle = call->next_idle;
        grpc_metadata_array_destroy(&call->metadata);
        free(call);
    }
    grpc_slice_unref(server->response);
    grpc_server_destroy(server->core);
    grpc_completion_queue_destroy(server->queue);
}

static const char help[] =
    "bos-echo answers every unary gRPC method with the same bytes. It is the floor that the speed "
    "of\n"
    "billingos is compared with.\n"
    "\n"
    "usage: bos-echo [--listen HOST:PORT] [--response-bytes N] [--posted N]\n"
    "\n"
    "  --listen HOST:PORT    where to listen; port 0 picks a free one (default 127.0.0.1:0)\n"
    "  --response-bytes N    size of the response message, up to 1048576; 0 sends the request "
    "back\n"
    "                        (default 0)\n"
    "  --posted N            calls that the core may hand over at once, 1 to 1024 (default 8)\n"
    "  --help                this text\n"
    "\n"
    "It prints \"listening on HOST:PORT\" when it is ready, and ends on SIGINT or SIGTERM.\n";

static size_t parse_size(const char *name, const char *text, size_t min, size_t max)
{
    char *end = NULL;
    const unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || *text == '-' || value < min || value > max) {
        fprintf(
            stderr, "bos-echo: %s \"%s\" is not a number from %zu to %zu\n", name, text, min, max);
        exit(2);
    }
    return value;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"listen", required_argument, NULL, 'l'},
        {"response-bytes", required_argument, NULL, 'r'},
        {"posted", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.listen = "127.0.0.1:0", .posted = POSTED_DEFAULT};
    int name = 0;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'l':
            options.listen = optarg;
            break;
        case 'r':
            options.response_bytes = parse_size("--response-bytes", optarg, 0, RESPONSE_BYTES_MAX);
            break;
        case 'p':
            options.posted = parse_size("--posted", optarg, 1, POSTED_MAX);
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            fputs("bos-echo: try --help\n", stderr);
            exit(2);
        }
    }
    if (optind != argc || strrchr(options.listen, ':') == NULL) {
        fputs("bos-echo: expected --listen HOST:PORT and no further words; try --help\n", stderr);
        exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    const struct options options = parse_options(argc, argv);
    struct server server = {0};
    pthread_t poller = 0;
    sigset_t stop;
    int signal_number = 0;
    int port = 0;

    /* Blocked before gRPC starts its threads, so that only sigwait sees them. */
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    grpc_init();
    port = server_start(&server, &options);
    if (port == 0) {
        fprintf(stderr, "bos-echo: cannot listen on %s\n", options.listen);
        return 1;
    }
    if (pthread_create(&poller, NULL, server_poll, &server) != 0) {
        fputs("bos-echo: cannot start the polling thread\n", stderr);
        return 1;
    }
    printf(
        "listening on %.*s:%d\n",
        (int)(strrchr(options.listen, ':') - options.listen),
        options.listen,
        port);
    fflush(stdout);
    sigwait(&stop, &signal_number);
    grpc_server_shutdown_and_notify(server.core, server.queue, NULL);
    grpc_server_cancel_all_calls(server.core);
    pthread_join(poller, NULL);
    server_release(&server);
    grpc_shutdown();
    return 0;
}
