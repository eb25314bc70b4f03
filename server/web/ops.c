#include "web/ops.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "services/entitlements.h"

#define METRICS_BYTES_MAX ((size_t)4 * 1024 * 1024)

static void
answer_text(struct http_response *response, int status, const char *content_type, const char *text)
{
    response->status = status;
    response->content_type = content_type;
    response->body = text;
    response->body_len = strlen(text);
}

static void metrics(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    const struct services *services = user;
    AUTO_BUF text;

    (void)request;
    buf_init(&text, METRICS_BYTES_MAX);
    metric_gauge(METRIC_ENTITLEMENT_CACHE_ENTRIES, (int64_t)entitlements_cached(services));
    metrics_write(&text);
    answer_text(
        response,
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        arena_text(cx->arena, buf_cstr(&text)));
}

static void healthz(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)cx;
    (void)user;
    (void)request;
    answer_text(response, 200, "text/plain; charset=utf-8", "ok\n");
}

static void readyz(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    const struct services *services = user;
    char as_of[RFC3339_SIZE];
    int64_t as_of_us = 0;

    (void)request;
    if (entitlements_followed(services, &as_of_us)) {
        answer_text(response, 200, "text/plain; charset=utf-8", "ready\n");
        return;
    }
    wallclock_format(as_of_us, as_of);
    answer_text(
        response,
        503,
        "text/plain; charset=utf-8",
        arena_printf(
            cx->arena, "not ready: the database cannot be read, state is known up to %s\n", as_of));
}

void ops_routes(struct services *services, struct http_route ret_routes[OPS_ROUTES])
{
    ret_routes[0] = (struct http_route){"GET", "/metrics", 0, metrics, services};
    ret_routes[1] = (struct http_route){"GET", "/healthz", 0, healthz, services};
    ret_routes[2] = (struct http_route){"GET", "/readyz", 0, readyz, services};
}
