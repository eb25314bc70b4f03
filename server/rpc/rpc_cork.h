#pragma once

/* The core writes each answer with a system call of its own, and the kernel sends each on its way
 * at once, which costs more than the answer. Of a burst of answers all but the first are held back
 * in their sockets, by TCP_CORK, until the polling thread has nothing more to do: one packet then
 * carries those of a connection. A single call waits for nothing.
 *
 * Belongs to the polling thread. A descriptor that the core has closed meanwhile, and that is
 * another socket now, is harmless: what it holds back is sent with the rest.
 */

#include <stdbool.h>
#include <stddef.h>

/* Answers that wait for each other: about 200 us of work. */
#define RPC_CORK_ANSWERS_MAX 32

struct rpc_cork {
    int fds[RPC_CORK_ANSWERS_MAX];
    size_t fd_count;
    size_t answers; /* since the last rpc_cork_release() */
};

/* An answer is about to be written to fd; negative when that is not known. */
void rpc_cork_answer(struct rpc_cork *cork, int fd);

/* False when there was no answer since the last release. */
bool rpc_cork_holds(const struct rpc_cork *cork);
bool rpc_cork_is_full(const struct rpc_cork *cork);

/* Sends what is held back. */
void rpc_cork_release(struct rpc_cork *cork);
