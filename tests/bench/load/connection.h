#pragma once

/* One HTTP/2 connection of the load generator, with the calls that are open on it.
 *
 * Requests are queued by connection_call() and written by connection_flush(), so that what is asked
 * for in one turn of the loop leaves in one write. An answer is reported to the call-back inside
 * connection_read(); the call-back may start new calls on the same connection. */

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "body_set.h"
#include "outcome.h"
#include "request_head.h"

struct connection;

/* The end of one call. */
struct call_end {
    unsigned connection_number; /* As given to connection_new(). */
    enum outcome outcome;
    int64_t due_ns; /* As given to connection_call(). */
    int64_t end_ns;
};

typedef void (*call_end_fn)(void *data, const struct call_end *end);

/* What connections of a run share; borrowed by each. */
struct connection_owner {
    const struct request_head *head;
    call_end_fn on_end;
    void *data;
    bool streaming;          /* Answers may hold any number of messages. */
    uint64_t received_bytes; /* Of bodies, prefixes included. */
    uint64_t received_messages;
};

/* Connects and queues the preface. Exits when the server cannot be reached. */
struct connection *
connection_new(struct connection_owner *owner, const struct addrinfo *address, unsigned number);

/* Takes NULL. Calls still open are dropped without a word. */
void connection_free(struct connection *connection);

int connection_fd(const struct connection *connection);
unsigned connection_in_flight(const struct connection *connection);

/* False once the server has said GOAWAY: the open calls may still end well, new ones cannot start.
 */
bool connection_can_call(const struct connection *connection);

/* Queues a call. own_body: the body's memory passes to the call, which frees it. */
void connection_call(
    struct connection *connection, int64_t due_ns, struct body body, bool own_body);

/* Reads what is there. False: the connection is lost or used up, see connection_lose(). */
bool connection_read(struct connection *connection);

/* Writes what is queued. False: lost. */
bool connection_flush(struct connection *connection);

/* Whether the socket took less than was queued, so that the loop must wait for it. */
bool connection_wants_write(const struct connection *connection);

/* Ends each open call with the outcome. The connection is good for connection_free() only. */
void connection_lose(struct connection *connection, enum outcome outcome);
