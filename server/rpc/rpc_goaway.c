#include "rpc/rpc_goaway.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WAITING_BYTES_MAX 4096 /* sent, not acknowledged yet: up to 40 ms after the last answer */

/* A frame of the core's must not be cut in two by this one. The core has half a frame written only
 * when the kernel took no more; so the socket must be able to take more, and hold next to nothing.
 */
static bool may_write_between(int fd)
{
    struct pollfd socket = {.fd = fd, .events = POLLOUT};
    int waiting = 0;

    return ioctl(fd, SIOCOUTQ, &waiting) == 0 && waiting <= WAITING_BYTES_MAX &&
           poll(&socket, 1, 0) == 1 && socket.revents == POLLOUT;
}

bool rpc_goaway_send(int fd)
{
    static const unsigned char frame[] = {
        0,
        0,
        8,
        7,
        0,
        0,
        0,
        0,
        0, /* 8 bytes of GOAWAY on stream 0 */
        0x7f,
        0xff,
        0xff,
        0xff, /* all streams so far are served */
        0,
        0,
        0,
        0, /* NO_ERROR */
    };

    return may_write_between(fd) &&
           send(fd, frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof frame;
}
