#pragma once

/* An HTTP client on libcurl: one object per thread (not thread-safe), connections are kept and used
 * again, TLS is verified, redirects are not followed, sizes and times are bounded. A call ends
 * within a second after the canceller of cx is set. https goes through the proxies of the
 * environment (https_proxy), http never does. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"

struct http_client;

struct http_call {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const void *body;
    size_t body_len;
    int64_t timeout_ms;  /* of the whole call, 0: 30 s; the deadline of cx shortens it */
    size_t response_max; /* bytes of the answer's body, 0: 1 MiB; more: HTTP_UNKNOWN */
};

/* Whether the request can have had an effect when there is no answer. */
enum http_outcome {
    HTTP_ANSWERED, /* status is set */
    HTTP_NOT_SENT, /* could not connect, TLS failed: nothing has happened */
    HTTP_UNKNOWN,  /* sent, and no complete answer came: it may have happened */
};

struct http_answer {
    enum http_outcome outcome;
    int status;
    const uint8_t *body; /* in the arena of cx, NUL-terminated behind body_len */
    size_t body_len;
    const char *error; /* for the log, when not answered; "" otherwise */
    int64_t duration_us;
};

/* Called once before the first client and before threads start. */
void http_client_global_init(void);

struct http_client *http_client_new(void) MUST_CHECK; /* NULL without memory */
void http_client_free(struct http_client *client);

/* Always fills *ret_answer; a transport failure is an outcome, not an error. */
void http_client_send(
    struct ctx *cx,
    struct http_client *client,
    const struct http_call *call,
    struct http_answer *ret_answer);

/* A header of the last answer, in the arena of cx, or NULL. Case-insensitive. */
const char *http_client_header(struct ctx *cx, struct http_client *client, const char *name);
