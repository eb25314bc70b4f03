/* billingos-sandbox: the payment provider, simulated, for demos and tests. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/id.h"
#include "base/log.h"
#include "http/http_client.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/due.h"
#include "sandbox/journal.h"
#include "sandbox/options.h"
#include "sandbox/routes.h"
#include "sandbox/sim.h"
#include "sandbox/webhook_endpoint.h"
#include "sandbox/webhook_out.h"

#define THREADS 8
#define CONNECTIONS_MAX 1024
#define BODY_BYTES_MAX ((size_t)1024 * 1024)
#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TICK_MS 1000

static int block_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Their ids are not drawn: the world must be the same however it was started. */
static void add_webhooks(struct sim *sim, const struct options *options)
{
    for (size_t i = 0; i < options->webhook_count; i++) {
        const struct options_webhook *webhook = &options->webhooks[i];
        char id[32];
        struct webhook_endpoint *endpoint = NULL;

        snprintf(id, sizeof id, "we_started%zu", i + 1);
        endpoint = webhook_endpoint_new(sim, sim->platform, id, webhook->url, webhook->secret);
        endpoint->connect = webhook->connect;
        endpoint->secret_shown = true;
    }
}

/* Whoever waits for the file never sees half of it. */
static bool write_port_file(const char *path, const char *address)
{
    char draft[4096];
    FILE *file = NULL;

    if (path == NULL) {
        return true;
    }
    snprintf(draft, sizeof draft, "%s.new", path);
    file = fopen(draft, "we");
    if (file == NULL || fprintf(file, "%s\n", address) < 0 || fclose(file) != 0 ||
        rename(draft, path) != 0) {
        fprintf(
            stderr,
            "billingos-sandbox: could not write \"%s\": %s\n",
            path,
            strerrordesc_np(errno));
        return false;
    }
    return true;
}

/* Until a signal comes, time passes once a second. */
static void run_until_signal(struct sim *sim, int signal_fd)
{
    struct pollfd poll_fd = {.fd = signal_fd, .events = POLLIN};

    while (poll(&poll_fd, 1, TICK_MS) == 0) {
        struct arena arena;
        struct ctx cx;

        arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
        ctx_init(&cx, &arena, "sandbox/tick");
        sim_lock(sim, &cx);
        if (due_run(sim)) {
            journal_add_tick(sim->journal, sim);
        }
        sim_unlock(sim);
        arena_release(&arena);
    }
}

static int serve(struct ctx *cx, struct sim *sim, const struct options *options, int signal_fd)
{
    const struct http_route routes[] = {
        {.method = "*",
         .path = "/*",
         .body_max = BODY_BYTES_MAX,
         .handler = routes_serve,
         .user = sim},
    };
    const struct http_server_config config = {
        .listen = options->listen,
        .threads = THREADS,
        .connections_max = CONNECTIONS_MAX,
        .connections_per_peer_max = CONNECTIONS_MAX,
        .idle_seconds_max = 120,
        .arena_bytes_max = (uint32_t)ARENA_BYTES_MAX,
    };
    struct http_server *server = NULL;
    struct status status = http_server_new(cx, &config, routes, ARRAY_LEN(routes), &server);

    if (status.code == CODE_OK) {
        status = http_server_start(cx, server);
    }
    if (status.code != CODE_OK) {
        fprintf(stderr, "billingos-sandbox: %s\n", status_message(status));
        http_server_free(server);
        return 1;
    }
    if (!webhook_out_start(sim->webhooks) ||
        !write_port_file(options->port_file, http_server_address(server))) {
        http_server_stop(server);
        http_server_free(server);
        return 1;
    }
    log_info(cx, SIM_BANNER, LOG_TEXT("listen", http_server_address(server)));
    run_until_signal(sim, signal_fd);
    http_server_stop(server);
    http_server_free(server);
    webhook_out_stop(sim->webhooks);
    return 0;
}

/* The world, as the state file has it when there is one. NULL when that cannot be. */
static struct sim *open_sim(const struct options *options)
{
    struct journal *journal = NULL;
    struct sim *sim = NULL;
    uint64_t seed = options->seed;

    if (seed == 0) {
        random_bytes(&seed, sizeof seed);
    }
    if (options->state_file != NULL) {
        journal = journal_open(options->state_file, &seed);
        if (journal == NULL) {
            return NULL;
        }
    }
    sim = sim_new(seed, options->secret_key);
    if (sim == NULL) {
        journal_close(journal);
        fputs("billingos-sandbox: could not start: no memory\n", stderr);
        return NULL;
    }
    sim->journal = journal;
    sim->offset_s = options->clock_offset_s;
    return sim;
}

int main(int argc, char **argv)
{
    struct options options;
    const enum options_outcome outcome = options_read(argc, argv, &options);
    const int signal_fd = block_signals();
    struct sim *sim = NULL;
    struct arena arena;
    struct ctx cx;
    int code = 1;

    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? 0 : 2;
    }
    log_configure(options.log_level, LOG_FORMAT_LOGFMT);
    http_client_global_init();
    sim = open_sim(&options);
    if (sim == NULL) {
        return 1;
    }
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    ctx_init(&cx, &arena, "sandbox/main");
    add_webhooks(sim, &options);
    if (sim->journal == NULL || journal_replay(sim->journal, sim, &cx)) {
        code = serve(&cx, sim, &options, signal_fd);
    }
    arena_release(&arena);
    sim_free(sim);
    return code;
}
