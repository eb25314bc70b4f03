#pragma once

/* Asks a listener of this process whether it still answers, over a new connection. Thread-safe. */

#include <stdbool.h>
#include <stdint.h>

enum http_probe_result {
    HTTP_PROBE_ANSWERED, /* with any status */
    HTTP_PROBE_CLOSED,   /* it took the connection and closed it: over a limit, but alive */
    HTTP_PROBE_UNKNOWN,  /* we had no memory to ask with */
    HTTP_PROBE_SILENT,   /* nobody listens, or nobody answers */
};

struct http_probe {
    const char *address; /* "127.0.0.1:9090", "[::]:9090", "unix:/path": what it is bound to */
    const char *path;
    bool grpc; /* calls the method of that path with an empty message over HTTP/2; otherwise GET */
    bool tls;  /* whose certificate is not looked at: it is our own */
};

enum http_probe_result http_probe(const struct http_probe *probe, int64_t timeout_ms);
