#include "watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/process_metrics.h"

#define PROBE_MS_MAX 2000
#define SILENT_MAX 3
#define CROWDED_TENTHS 8 /* of the descriptors; above what rpc_peers.h lets in */
#define WARN_TENTHS 7
#define RESERVE 4 /* what a probe needs, and to count what there is */

struct watchdog {
    struct watchdog_config config;
    struct metric_series *failures[WATCHDOG_DOORS_MAX];
    int silent[WATCHDOG_DOORS_MAX]; /* times in a row */
    int reserve[RESERVE];
    int stop_fd;
    bool warned;
    bool crowded;
    bool started;
    pthread_t thread;
};

static void hold_reserve(struct watchdog *watchdog)
{
    for (size_t i = 0; i < RESERVE; i++) {
        if (watchdog->reserve[i] < 0) {
            watchdog->reserve[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
    }
}

static void give_reserve(struct watchdog *watchdog)
{
    for (size_t i = 0; i < RESERVE; i++) {
        if (watchdog->reserve[i] >= 0) {
            close(watchdog->reserve[i]);
            watchdog->reserve[i] = -1;
        }
    }
}

static void look_at_descriptors(struct watchdog *watchdog)
{
    const int64_t open_count = process_open_fds();
    const int64_t max = process_max_fds();
    const bool many = open_count / WARN_TENTHS >= max / 10;
    const bool crowded = open_count / CROWDED_TENTHS >= max / 10;

    if (many && !watchdog->warned) {
        log_warn(
            NULL,
            "the process runs out of descriptors",
            LOG_I64("open", open_count),
            LOG_I64("limit", max));
    }
    watchdog->warned = many;
    if (crowded != watchdog->crowded) {
        watchdog->crowded = crowded;
        watchdog->config.on_crowded(watchdog->config.user, crowded);
    }
}

static void give_up(const struct watchdog_door *door)
{
    log_error(
        NULL,
        "a listener does not answer any more, ending the process",
        LOG_TEXT("listener", door->name),
        LOG_TEXT("address", door->probe.address),
        LOG_I64("open_fds", process_open_fds()),
        LOG_I64("max_fds", process_max_fds()));
    /* Not exit(): its handlers would wait for what hangs. */
    _exit(WATCHDOG_EXIT);
}

static void look_at_door(struct watchdog *watchdog, size_t i)
{
    const struct watchdog_door *door = &watchdog->config.doors[i];

    if (http_probe(&door->probe, PROBE_MS_MAX) != HTTP_PROBE_SILENT) {
        watchdog->silent[i] = 0;
        return;
    }
    metric_add(watchdog->failures[i], 1);
    watchdog->silent[i]++;
    log_warn(
        NULL,
        "a listener did not answer",
        LOG_TEXT("listener", door->name),
        LOG_I64("times", watchdog->silent[i]));
    if (watchdog->silent[i] >= SILENT_MAX) {
        give_up(door);
    }
}

static void *run(void *data)
{
    struct watchdog *watchdog = data;
    struct pollfd stop = {.fd = watchdog->stop_fd, .events = POLLIN};

    while (poll(&stop, 1, (int)watchdog->config.interval_ms) == 0) {
        give_reserve(watchdog);
        look_at_descriptors(watchdog);
        for (size_t i = 0; i < watchdog->config.door_count; i++) {
            look_at_door(watchdog, i);
        }
        hold_reserve(watchdog);
    }
    return NULL;
}

struct status
watchdog_start(struct ctx *cx, const struct watchdog_config *config, struct watchdog **ret_watchdog)
{
    struct watchdog *watchdog = heap_new(sizeof *watchdog);

    if (watchdog == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for the watchdog");
    }
    watchdog->config = *config;
    for (size_t i = 0; i < config->door_count; i++) {
        watchdog->failures[i] =
            metric_series(METRIC_WATCHDOG_PROBE_FAILURES, &config->doors[i].name);
    }
    for (size_t i = 0; i < RESERVE; i++) {
        watchdog->reserve[i] = -1;
    }
    hold_reserve(watchdog);
    watchdog->stop_fd = eventfd(0, EFD_CLOEXEC);
    watchdog->started =
        watchdog->stop_fd >= 0 && pthread_create(&watchdog->thread, NULL, run, watchdog) == 0;
    if (!watchdog->started) {
        watchdog_free(watchdog);
        return status_fail(cx, REASON_INTERNAL, "could not start the watchdog");
    }
    pthread_setname_np(watchdog->thread, "watchdog");
    *ret_watchdog = watchdog;
    return STATUS_OK;
}

void watchdog_free(struct watchdog *watchdog)
{
    const uint64_t one = 1;

    if (watchdog == NULL) {
        return;
    }
    if (watchdog->started) {
        if (write(watchdog->stop_fd, &one, sizeof one) < 0) {
            log_error(NULL, "could not stop the watchdog");
        }
        pthread_join(watchdog->thread, NULL);
    }
    give_reserve(watchdog);
    if (watchdog->stop_fd >= 0) {
        close(watchdog->stop_fd);
    }
    heap_free(watchdog);
}
