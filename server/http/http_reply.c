#include <string.h>

#include "http/http_server_internal.h"

static void destroy_reply(struct MHD_Response **reply)
{
    if (*reply != NULL) {
        MHD_destroy_response(*reply);
    }
}

static bool add_header(struct MHD_Response *reply, const char *name, const char *value)
{
    return MHD_add_response_header(reply, name, value) == MHD_YES;
}

struct MHD_Response *http_reply_new(const struct http_response *response)
{
    const char *type = response->content_type;
    AUTO(destroy_reply)
    struct MHD_Response *reply = MHD_create_response_from_buffer(
        response->body_len, (void *)(uintptr_t)response->body, MHD_RESPMEM_PERSISTENT);

    if (reply == NULL || !add_header(reply, "X-Content-Type-Options", "nosniff")) {
        return NULL;
    }
    if (type == NULL && response->body_len > 0) {
        type = "text/plain; charset=utf-8";
    }
    if (type != NULL && !add_header(reply, "Content-Type", type)) {
        return NULL;
    }
    for (size_t i = 0; i < response->header_count; i++) {
        if (!add_header(reply, response->headers[i].name, response->headers[i].value)) {
            return NULL;
        }
    }
    return TAKE(reply);
}

const char *http_reply_text(unsigned status)
{
    switch (status) {
    case MHD_HTTP_BAD_REQUEST:
        return "the request is malformed\n";
    case MHD_HTTP_NOT_FOUND:
        return "there is nothing at this path\n";
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return "the path does not take this method\n";
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "the body is larger than the path accepts\n";
    case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return "the request has too many or too large headers\n";
    case MHD_HTTP_NOT_IMPLEMENTED:
        return "the transfer encoding is not known\n";
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return "the server has too much to do\n";
    default:
        return "something went wrong on our side\n";
    }
}

struct MHD_Response *http_reply_of_status(unsigned status, const char *allow)
{
    struct http_response response = {.body = http_reply_text(status)};

    response.body_len = strlen(response.body);
    if (allow != NULL && allow[0] != '\0') {
        response.headers[response.header_count].name = "Allow";
        response.headers[response.header_count++].value = allow;
    }
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        response.headers[response.header_count].name = "Retry-After";
        response.headers[response.header_count++].value = "1";
    }
    return http_reply_new(&response);
}
