#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/heap.h"
#include "store/db_cancel_internal.h"

/* PQcancel() connects and waits for the server to hang up, without any limit: a postmaster that is
 * stopped would hold the worker for ever. Hence a thread that lives for one cancel. Whoever lets go
 * last, the waiting worker or the thread, frees. */
struct cancel {
    PGcancel *request;
    int done_fd;
    _Atomic int holders;
    _Atomic bool succeeded;
};

static void let_go(struct cancel *cancel)
{
    if (atomic_fetch_sub(&cancel->holders, 1) == 1) {
        PQfreeCancel(cancel->request);
        close(cancel->done_fd);
        heap_free(cancel);
    }
}

static void *send_request(void *user)
{
    struct cancel *cancel = user;
    char text[256];

    atomic_store(&cancel->succeeded, PQcancel(cancel->request, text, sizeof text) == 1);
    eventfd_write(cancel->done_fd, 1);
    let_go(cancel);
    return NULL;
}

static struct cancel *cancel_new(PGconn *link)
{
    struct cancel *cancel = heap_new(sizeof *cancel);

    if (cancel == NULL) {
        return NULL;
    }
    cancel->request = PQgetCancel(link);
    cancel->done_fd = eventfd(0, EFD_CLOEXEC);
    atomic_store(&cancel->holders, 1);
    if (cancel->request == NULL || cancel->done_fd < 0) {
        let_go(cancel);
        return NULL;
    }
    return cancel;
}

static bool start(struct cancel *cancel)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool started = false;

    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    if (pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0) {
        atomic_fetch_add(&cancel->holders, 1);
        started = pthread_create(&thread, &attributes, send_request, cancel) == 0;
        if (!started) {
            atomic_fetch_sub(&cancel->holders, 1);
        }
    }
    pthread_attr_destroy(&attributes);
    return started;
}

bool db_cancel_send(PGconn *link, int64_t deadline_us)
{
    struct cancel *cancel = cancel_new(link);
    bool succeeded = false;

    if (cancel == NULL) {
        return false;
    }
    if (start(cancel)) {
        struct pollfd fd = {.fd = cancel->done_fd, .events = POLLIN};

        succeeded = poll(&fd, 1, (int)deadline_left_ms(deadline_us, 10000)) == 1 &&
                    atomic_load(&cancel->succeeded);
    }
    let_go(cancel);
    return succeeded;
}
