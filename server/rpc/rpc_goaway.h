#pragma once

/* GOAWAY on one connection: its peer finishes its calls and begins no new ones there. The core can
 * say that only to all of them, when the server ends. */

#include <stdbool.h>

/* False when it cannot be said now, because the core may be in the middle of a frame. */
bool rpc_goaway_send(int fd);
