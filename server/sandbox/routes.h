#pragma once

/* The whole HTTP side: from a request to its answer. Authorisation, the account, the parameters,
 * the idempotency key and the faults come in the order in which the provider has them; see
 * routes.c. */

struct call;
struct ctx;
struct http_request;
struct http_response;

/* A http_handler_fn; user is the struct sim. */
void routes_serve(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response);

/* Runs the handler of a request that was let in once already: method, path, query, body, account,
 * key and fault of the call are set. The body of the call is then the caller's to release. */
void routes_replay(struct call *call);
