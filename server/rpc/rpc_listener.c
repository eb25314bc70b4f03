#include "rpc/rpc_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"
#include "rpc/rpc_address.h"
#include "rpc/rpc_peers.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_MS_MAX 5000
#define WAITING_MAX 1024 /* connections that have not sent their preface */
#define EVENTS_MAX 64
#define SWEEP_EVERY_MS 1000
#define BACK_OFF_US 1000

/* What became of a connection: the label of the metric. */
enum result {
    ACCEPTED,
    NO_DESCRIPTOR,
    TOO_MANY,
    TOO_MANY_OF_PEER,
    SILENT,
    NOT_HTTP2,
    FAILED,
    RESULTS
};

static const char *const result_names[RESULTS] = {
    "accepted", "no_descriptor", "too_many", "too_many_of_peer", "silent", "not_http2", "failed"};

/* Sent to those who speak HTTP/1.1, such as a browser: a word of help instead of silence. */
static const char help[] =
    "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    "content-length: 48\r\n\r\nThis port speaks gRPC (HTTP/2, prior knowledge).";

/* Accepted, preface not seen yet. In the order of arrival, which is the order of the time limits.
 */
struct waiting {
    int fd; /* -1: done */
    int64_t until_us;
};

struct rpc_listener {
    struct rpc_address address;
    struct rpc_peers *peers;
    grpc_server *core;
    grpc_server_credentials *credentials;
    struct metric_series *results[RESULTS];
    struct metric_series *connections;
    int fd;
    int epoll_fd;
    int stop_fd;
    int reserve_fd; /* given up for a moment to be able to accept, and close, without descriptors */
    struct waiting waiting[WAITING_MAX];
    size_t waiting_head;
    size_t waiting_count;
    int64_t swept_us;
    struct rpc_peers_life life;
    pthread_t thread;
    bool started;
    bool stopped;
};

/* --- connections that wait -----------------------------------------------------------------------
 */

static struct waiting *waiting_at(struct rpc_listener *listener, size_t index)
{
    return &listener->waiting[(listener->waiting_head + index) % WAITING_MAX];
}

static void count(struct rpc_listener *listener, enum result result)
{
    metric_add(listener->results[result], 1);
}

static void refuse(struct rpc_listener *listener, int fd, enum result result)
{
    count(listener, result);
    rpc_peers_remove(listener->peers, fd);
    close(fd);
}

static void forget(struct rpc_listener *listener, int fd)
{
    for (size_t i = 0; i < listener->waiting_count; i++) {
        if (waiting_at(listener, i)->fd == fd) {
            waiting_at(listener, i)->fd = -1;
        }
    }
}

/* Closes who was silent for too long, and drops what is done from the front of the ring. */
static void expire(struct rpc_listener *listener, int64_t now_us)
{
    while (listener->waiting_count > 0) {
        struct waiting *first = waiting_at(listener, 0);

        if (first->fd >= 0 && first->until_us > now_us) {
            return;
        }
        if (first->fd >= 0) {
            refuse(listener, first->fd, SILENT);
        }
        listener->waiting_head = (listener->waiting_head + 1) % WAITING_MAX;
        listener->waiting_count--;
    }
}

/* Takes out what is done: behind one peer that is slow the ring would fill up with it. */
static void compact(struct rpc_listener *listener)
{
    size_t kept = 0;

    for (size_t i = 0; i < listener->waiting_count; i++) {
        const struct waiting one = *waiting_at(listener, i);

        if (one.fd >= 0) {
            *waiting_at(listener, kept++) = one;
        }
    }
    listener->waiting_count = kept;
}

static int wait_ms(struct rpc_listener *listener)
{
    return listener->waiting_count == 0
               ? SWEEP_EVERY_MS
               : (int)deadline_left_ms(waiting_at(listener, 0)->until_us, SWEEP_EVERY_MS);
}

static void sweep(struct rpc_listener *listener, int64_t now_us)
{
    if (now_us - listener->swept_us >= (int64_t)SWEEP_EVERY_MS * 1000) {
        listener->swept_us = now_us;
        metric_set(
            listener->connections,
            (int64_t)rpc_peers_sweep(listener->peers, now_us, listener->life));
    }
}

/* --- the preface ---------------------------------------------------------------------------------
 */

static void hand_over(struct rpc_listener *listener, int fd)
{
    const int on = 1;

    epoll_ctl(listener->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    if (listener->address.storage.ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    count(listener, ACCEPTED);
    grpc_server_add_channel_from_fd(listener->core, fd, listener->credentials);
}

/* What is not read makes the kernel reset the connection, and the answer would be lost with it. */
static void say_what_this_is(int fd)
{
    char request[4096];

    if (recv(fd, request, sizeof request, MSG_DONTWAIT) > 0 && request[0] >= 'A' &&
        request[0] <= 'Z') {
        send(fd, help, sizeof help - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(fd, SHUT_WR);
    }
}

/* Looks at the first bytes without taking them. ended: the peer will send no more. */
static void look(struct rpc_listener *listener, int fd, bool ended)
{
    char bytes[sizeof PREFACE - 1];
    const ssize_t len = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);

    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0) { /* it left without a word */
        forget(listener, fd);
        refuse(listener, fd, SILENT);
        return;
    }
    if (memcmp(bytes, PREFACE, (size_t)len) != 0) {
        forget(listener, fd);
        say_what_this_is(fd);
        refuse(listener, fd, NOT_HTTP2);
        return;
    }
    if ((size_t)len == sizeof bytes) {
        forget(listener, fd);
        hand_over(listener, fd);
    } else if (ended) {
        forget(listener, fd);
        refuse(listener, fd, SILENT);
    }
}

/* --- accepting -----------------------------------------------------------------------------------
 */

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Without a free descriptor the kernel would report the same connection again and again. */
static void shed(struct rpc_listener *listener)
{
    int fd = -1;

    if (listener->reserve_fd >= 0) {
        close(listener->reserve_fd);
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            close(fd);
        }
    }
    count(listener, NO_DESCRIPTOR);
    usleep(BACK_OFF_US);
    listener->reserve_fd = open_reserve();
}

static enum result
admit(struct rpc_listener *listener, int fd, const struct sockaddr_storage *address)
{
    /* Edges, so that half a preface does not keep the loop busy. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};

    switch (rpc_peers_add(listener->peers, fd, address)) {
    case RPC_PEERS_TOTAL_MAX:
        return TOO_MANY;
    case RPC_PEERS_PEER_MAX:
        return TOO_MANY_OF_PEER;
    case RPC_PEERS_OK:
        break;
    }
    if (listener->waiting_count == WAITING_MAX) {
        compact(listener);
    }
    if (listener->waiting_count == WAITING_MAX) {
        return TOO_MANY;
    }
    if (epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        return FAILED;
    }
    *waiting_at(listener, listener->waiting_count++) =
        (struct waiting){fd, deadline_in_ms(PREFACE_MS_MAX)};
    return ACCEPTED;
}

static void accept_one(struct rpc_listener *listener)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    const int fd =
        accept4(listener->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    enum result result = ACCEPTED;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            shed(listener);
        }
        return; /* whatever else: the next turn tries again */
    }
    result = admit(listener, fd, &address);
    if (result != ACCEPTED) {
        refuse(listener, fd, result);
    }
}

static void *run(void *data)
{
    struct rpc_listener *listener = data;
    struct epoll_event events[EVENTS_MAX];
    int64_t now_us = 0;

    for (;;) {
        const int ready = epoll_wait(listener->epoll_fd, events, EVENTS_MAX, wait_ms(listener));

        for (int i = 0; i < ready; i++) {
            const int fd = events[i].data.fd;

            if (fd == listener->stop_fd) {
                return NULL;
            }
            if (fd == listener->fd) {
                accept_one(listener);
            } else {
                look(listener, fd, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
            }
        }
        now_us = monotonic_us();
        expire(listener, now_us);
        sweep(listener, now_us);
    }
}

/* --- life ----------------------------------------------------------------------------------------
 */

static bool watch(struct rpc_listener *listener, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_loop(struct rpc_listener *listener)
{
    const char *const name[] = {"grpc"};

    for (size_t i = 0; i < RESULTS; i++) {
        const char *const labels[] = {"grpc", result_names[i]};

        listener->results[i] = metric_series(METRIC_LISTENER_ACCEPTS, labels);
    }
    listener->connections = metric_series(METRIC_LISTENER_CONNECTIONS, name);
    listener->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listener->stop_fd = eventfd(0, EFD_CLOEXEC);
    listener->reserve_fd = open_reserve();
    listener->credentials = grpc_insecure_server_credentials_create();
    return listener->epoll_fd >= 0 && listener->stop_fd >= 0 && listener->reserve_fd >= 0 &&
           watch(listener, listener->fd) && watch(listener, listener->stop_fd);
}

struct status rpc_listener_new(
    struct ctx *cx,
    const struct rpc_address *address,
    struct rpc_peers *peers,
    struct rpc_peers_life life,
    grpc_server *core,
    struct rpc_listener **ret_listener,
    const char **ret_address)
{
    struct rpc_listener *listener = heap_new(sizeof *listener);
    struct status status;

    if (listener == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for the listener");
    }
    listener->address = *address;
    listener->peers = peers;
    listener->life = life;
    listener->core = core;
    listener->fd = -1;
    listener->epoll_fd = -1;
    listener->stop_fd = -1;
    listener->reserve_fd = -1;
    status = rpc_address_listen(cx, &listener->address, &listener->fd);
    if (status.code == CODE_OK && !open_loop(listener)) {
        status = status_fail(cx, REASON_INTERNAL, "could not open the accept loop");
    }
    if (status.code != CODE_OK) {
        rpc_listener_free(listener);
        return status;
    }
    *ret_address = rpc_address_text(cx, &listener->address);
    *ret_listener = listener;
    return STATUS_OK;
}

struct status rpc_listener_start(struct ctx *cx, struct rpc_listener *listener)
{
    sigset_t all;
    sigset_t before;
    int failed = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&listener->thread, NULL, run, listener);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        return status_fail(cx, REASON_INTERNAL, "could not start the accept loop");
    }
    pthread_setname_np(listener->thread, "rpc-listener");
    listener->started = true;
    return STATUS_OK;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void rpc_listener_stop(struct rpc_listener *listener)
{
    const uint64_t one = 1;

    if (listener->stopped) {
        return;
    }
    listener->stopped = true;
    if (listener->started) {
        if (write(listener->stop_fd, &one, sizeof one) < 0) {
            log_error(NULL, "could not stop the accept loop");
        }
        pthread_join(listener->thread, NULL);
    }
    expire(listener, INT64_MAX);
    if (listener->fd >= 0 && listener->address.storage.ss_family == AF_UNIX) {
        unlink(((const struct sockaddr_un *)&listener->address.storage)->sun_path);
    }
    close_if_open(listener->fd);
    close_if_open(listener->epoll_fd);
    close_if_open(listener->stop_fd);
    close_if_open(listener->reserve_fd);
}

void rpc_listener_free(struct rpc_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    rpc_listener_stop(listener);
    if (listener->credentials != NULL) {
        grpc_server_credentials_release(listener->credentials);
    }
    heap_free(listener);
}
