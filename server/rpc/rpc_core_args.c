#include "rpc/rpc_core_args.h"

#include <assert.h>
#include <dlfcn.h>
#include <limits.h>
#include <string.h>

#include <grpc/support/log.h>

#include "base/log.h"

/* A message a little over the limit of its method gets our answer, with all details; a message far
 * over it gets the core's, before it has been read. */
#define MESSAGE_SLACK_BYTES (UINT64_C(64) * 1024)
#define HANDSHAKE_MS_MAX 5000
#define PING_INTERVAL_MS_MIN 10000

static void add(struct rpc_core_args *args, const char *key, uint64_t value)
{
    assert(args->args.num_args < RPC_CORE_ARGS_MAX);
    args->list[args->args.num_args++] = (grpc_arg){
        .type = GRPC_ARG_INTEGER,
        .key = (char *)key,
        .value.integer = value > INT_MAX ? INT_MAX : (int)value,
    };
}

void rpc_core_args_init(
    struct rpc_core_args *args,
    const struct rpc_server_config *config,
    uint32_t message_bytes_max,
    bool core_accepts)
{
    args->args = (grpc_channel_args){0, args->list};
    add(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, message_bytes_max + MESSAGE_SLACK_BYTES);
    add(args, GRPC_ARG_MAX_METADATA_SIZE, config->metadata_bytes_max);
    add(args, GRPC_ARG_MAX_CONCURRENT_STREAMS, config->streams_per_connection_max);
    add(args, GRPC_ARG_KEEPALIVE_TIME_MS, config->keepalive_ms);
    add(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, config->keepalive_timeout_ms);
    /* Clients that keep a stream open ping every 20 to 60 s; the core would close on the third. */
    add(args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    add(args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MS_MIN);
    /* 65 kB of gzip become 64 MB before the core looks at the limit: identity only. */
    add(args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
    add(args, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_MS_MAX);
    /* Otherwise a second server takes half of the connections without a word. */
    add(args, GRPC_ARG_ALLOW_REUSEPORT, 0);
    add(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
    if (core_accepts) { /* one more filter on the way of every call: see rpc_peers.h */
        add(args, GRPC_ARG_MAX_CONNECTION_IDLE_MS, config->idle_connection_ms_max);
        add(args, GRPC_ARG_MAX_CONNECTION_AGE_MS, config->connection_age_ms_max);
    }
}

/* Hostile input makes the core log errors, so its lines are worth no more than debug; except the
 * last one before it gives up. */
static void log_core(gpr_log_func_args *args)
{
    static const char last_words[] = "assertion failed";

    if (strncmp(args->message, last_words, sizeof last_words - 1) == 0) {
        log_error(
            NULL,
            "gRPC core",
            LOG_TEXT("text", args->message),
            LOG_TEXT("file", args->file),
            LOG_I64("line", args->line));
        return;
    }
    log_debug(NULL, "gRPC core", LOG_TEXT("text", args->message));
}

/* Costs 5 % of the instructions of a call. A no-op when the library has another version. */
static void skip_lock_cycles(void)
{
    static const char *const names[] = {
        "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE",
        "_ZN4absl12lts_2022062329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        void *found = dlsym(RTLD_DEFAULT, names[i]);
        void (*set_mode)(int mode) = NULL;

        if (found != NULL) {
            memcpy(&set_mode, &found, sizeof set_mode);
            set_mode(0); /* OnDeadlockCycle::kIgnore */
            return;
        }
    }
}

void rpc_core_init(void)
{
    gpr_set_log_function(log_core);
    grpc_init();
    skip_lock_cycles();
}
