#include "rpc/rpc_cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* Fails on what is not TCP, where nothing is held back then. */
static bool set(int fd, int on)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on) == 0;
}

static bool is_corked(const struct rpc_cork *cork, int fd)
{
    for (size_t i = 0; i < cork->fd_count; i++) {
        if (cork->fds[i] == fd) {
            return true;
        }
    }
    return false;
}

void rpc_cork_answer(struct rpc_cork *cork, int fd)
{
    if (cork->answers > 0 && fd >= 0 && !rpc_cork_is_full(cork) && !is_corked(cork, fd) &&
        set(fd, 1)) {
        cork->fds[cork->fd_count++] = fd;
    }
    cork->answers++;
}

bool rpc_cork_holds(const struct rpc_cork *cork)
{
    return cork->answers > 0;
}

bool rpc_cork_is_full(const struct rpc_cork *cork)
{
    return cork->answers >= RPC_CORK_ANSWERS_MAX;
}

void rpc_cork_release(struct rpc_cork *cork)
{
    for (size_t i = 0; i < cork->fd_count; i++) {
        (void)set(cork->fds[i], 0);
    }
    cork->fd_count = 0;
    cork->answers = 0;
}
