#pragma once

/* The end of a server: what runs may finish, what would run for ever is ended. See
 * rpc_server_stop(). */

struct rpc_server;

/* Returns when no call is left, at the latest a little after drain_ms_max plus the time that the
 * slowest handler takes to see that its call was cancelled. Called once, while the server runs. */
void rpc_drain(struct rpc_server *server);
