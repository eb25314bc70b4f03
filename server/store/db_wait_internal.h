#pragma once

/* Waiting for a socket, for the peer that gives up and for a deadline, all at once.
 * Private to store/. */

#include <stdint.h>

struct canceller;

enum db_wait {
    DB_WAIT_READY,
    DB_WAIT_CANCELLED,
    DB_WAIT_DEADLINE
};

/* wake_fd is an eventfd of whoever owns the connection. It must outlive the connection: a canceller
 * that has read its number may still write to it a moment after the wait has ended. */
struct db_waiter {
    struct canceller *canceller; /* NULL: nobody can give up */
    int wake_fd;
};

/* Returns when the socket has one of the poll() events (or an error to be read), when the canceller
 * has fired or the monotonic deadline has passed. */
enum db_wait db_wait(const struct db_waiter *waiter, int socket, short events, int64_t deadline_us);

/* An eventfd, -1 when there is none to be had. */
int db_wait_fd_new(void);
void db_wait_fd_close(int wake_fd);

/* Between half of max_ms and max_ms, by chance. */
int64_t db_wait_jitter_ms(int64_t max_ms);
