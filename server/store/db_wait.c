#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "store/db_wait_internal.h"

/* One wait goes to sleep at most this long before it looks at the flag again. */
#define POLL_MS_MAX 1000

static bool gone(const struct db_waiter *waiter)
{
    return waiter->canceller != NULL && atomic_load(&waiter->canceller->gone);
}

/* The canceller knows the eventfd of the worker, or it gets ours for the time of the wait. The flag
 * is read after the fd is stored, and the canceller stores the flag before it reads the fd: one of
 * the two sees the other. */
static int wake_fd_lend(const struct db_waiter *waiter)
{
    int current = -1;

    if (waiter->canceller == NULL) {
        return -1;
    }
    if (atomic_compare_exchange_strong(&waiter->canceller->wake_fd, &current, waiter->wake_fd)) {
        return waiter->wake_fd;
    }
    return current;
}

static void wake_fd_take_back(const struct db_waiter *waiter)
{
    int ours = waiter->wake_fd;

    if (waiter->canceller != NULL && ours >= 0) {
        atomic_compare_exchange_strong(&waiter->canceller->wake_fd, &ours, -1);
    }
}

/* Also swallows the wake-ups that were meant for the previous owner of the connection. */
static void wake_fd_drain(int wake_fd)
{
    uint64_t count = 0;
    const ssize_t len = read(wake_fd, &count, sizeof count);

    (void)len;
}

static enum db_wait
wait_for(const struct db_waiter *waiter, struct pollfd fds[2], int64_t deadline_us)
{
    for (;;) {
        const int64_t left_ms = deadline_left_ms(deadline_us, POLL_MS_MAX);
        int ready = 0;

        if (gone(waiter)) {
            return DB_WAIT_CANCELLED;
        }
        ready = poll(fds, 2, (int)left_ms);
        if (ready < 0 && errno != EINTR) {
            return DB_WAIT_READY; /* libpq finds out what is wrong with the socket */
        }
        if (ready > 0 && fds[0].revents != 0) {
            return DB_WAIT_READY;
        }
        if (ready > 0 && fds[1].revents != 0) {
            wake_fd_drain(fds[1].fd);
        }
        if (left_ms == 0) {
            return DB_WAIT_DEADLINE;
        }
    }
}

enum db_wait db_wait(const struct db_waiter *waiter, int socket, short events, int64_t deadline_us)
{
    struct pollfd fds[2] = {
        {.fd = socket, .events = events},
        {.fd = wake_fd_lend(waiter), .events = POLLIN},
    };
    const enum db_wait result = wait_for(waiter, fds, deadline_us);

    wake_fd_take_back(waiter);
    return result;
}

int db_wait_fd_new(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void db_wait_fd_close(int wake_fd)
{
    if (wake_fd >= 0) {
        close(wake_fd);
    }
}

int64_t db_wait_jitter_ms(int64_t max_ms)
{
    uint32_t random = 0;

    random_bytes(&random, sizeof random);
    return max_ms / 2 + (max_ms - max_ms / 2) * (int64_t)random / UINT32_MAX;
}
