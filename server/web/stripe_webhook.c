#include "web/stripe_webhook.h"

#include "base/arena.h"
#include "base/log.h"
#include "services/webhooks_in.h"

#define BODY_BYTES_MAX ((size_t)1024 * 1024)

static void answer(
    struct ctx *cx,
    struct services *services,
    enum webhook_endpoint endpoint,
    const struct http_request *request,
    struct http_response *response)
{
    const struct str body = {(const char *)request->body, request->body_len};
    const struct status status = webhooks_receive(
        cx, services, endpoint, http_header(request, "Stripe-Signature"), body, &response->status);
    const char *text = status.code == CODE_OK ? "ok\n" : "not accepted\n";

    if (status.code != CODE_OK) {
        log_warn(
            cx,
            "webhook refused",
            LOG_I64("http_status", response->status),
            LOG_I64("bytes", request->body_len),
            LOG_STATUS(status));
    }
    response->content_type = "text/plain; charset=utf-8";
    response->body = text;
    response->body_len = str_of(text).len;
}

static void on_connect(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    answer(cx, user, WEBHOOK_CONNECT, request, response);
}

static void on_platform(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    answer(cx, user, WEBHOOK_PLATFORM, request, response);
}

void stripe_webhook_routes(
    struct services *services, struct http_route ret_routes[STRIPE_WEBHOOK_ROUTES])
{
    ret_routes[0] = (struct http_route){
        .method = "POST",
        .path = "/webhooks/stripe/connect",
        .body_max = BODY_BYTES_MAX,
        .handler = on_connect,
        .user = services,
    };
    ret_routes[1] = (struct http_route){
        .method = "POST",
        .path = "/webhooks/stripe/platform",
        .body_max = BODY_BYTES_MAX,
        .handler = on_platform,
        .user = services,
    };
}
