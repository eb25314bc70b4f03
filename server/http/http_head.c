#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "http/http_server_internal.h"

#define URI_BYTES_MAX ((size_t)8 * 1024)
#define HEAD_BYTES_MAX ((size_t)16 * 1024)
#define HEAD_FIELDS_MAX 64

struct fields {
    size_t count;
    size_t bytes;
    size_t lengths;
    size_t encodings;
    const char *length;
    const char *encoding;
};

static enum MHD_Result
count_field(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct fields *fields = cls;

    (void)kind;
    fields->count++;
    fields->bytes += strlen(name) + (value == NULL ? 0 : strlen(value)) + 4;
    if (strcasecmp(name, "Content-Length") == 0) {
        fields->lengths++;
        fields->length = value;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        fields->encodings++;
        fields->encoding = value;
    }
    return MHD_YES;
}

/* libmicrohttpd takes the first of two lengths and prefers an encoding to a length; a front that
 * decides otherwise would see other requests than we do, so both are refused. */
static unsigned check(const struct http_exchange *exchange, const struct fields *fields)
{
    if (strlen(exchange->path) + strlen(exchange->query) > URI_BYTES_MAX) {
        return MHD_HTTP_URI_TOO_LONG;
    }
    if (fields->count > HEAD_FIELDS_MAX || fields->bytes > HEAD_BYTES_MAX) {
        return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    }
    if (exchange->path[0] != '/' || fields->lengths + fields->encodings > 1) {
        return MHD_HTTP_BAD_REQUEST;
    }
    if (fields->encodings > 0 &&
        (fields->encoding == NULL || strcasecmp(fields->encoding, "chunked") != 0)) {
        return MHD_HTTP_NOT_IMPLEMENTED;
    }
    return 0;
}

unsigned http_head_read(const struct http_exchange *exchange, struct http_head *ret_head)
{
    struct fields fields = {0};
    long long len = 0;
    unsigned refusal = 0;

    (void)MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, count_field, &fields);
    refusal = check(exchange, &fields);
    if (refusal != 0) {
        return refusal;
    }
    if (fields.length != NULL && (!str_to_i64(str_of(fields.length), &len) || len < 0)) {
        return MHD_HTTP_BAD_REQUEST;
    }
    ret_head->has_body = fields.encodings > 0 || len > 0;
    ret_head->body_len = (uint64_t)len;
    return 0;
}

static bool path_matches(const struct http_route *route, const char *path)
{
    const size_t len = strlen(route->path);

    if (len > 0 && route->path[len - 1] == '*') {
        return strncmp(route->path, path, len - 1) == 0;
    }
    return strcmp(route->path, path) == 0;
}

/* HEAD is GET without the body, which libmicrohttpd leaves out. */
static bool method_matches(const struct http_route *route, const char *method)
{
    return strcmp(route->method, "*") == 0 || strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

unsigned http_head_route(struct http_exchange *exchange, const char *method)
{
    const struct http_server *server = exchange->server;
    bool path_known = false;

    for (size_t i = 0; i < server->route_count; i++) {
        const struct http_route *route = &server->routes[i];

        if (!path_matches(route, exchange->path)) {
            continue;
        }
        path_known = true;
        if (method_matches(route, method)) {
            exchange->route = route;
            return 0;
        }
    }
    return path_known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
}

void http_head_allowed(const struct http_exchange *exchange, char *text, size_t size)
{
    const struct http_server *server = exchange->server;
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < server->route_count && len < size; i++) {
        const struct http_route *route = &server->routes[i];
        const bool get = strcmp(route->method, "GET") == 0;

        if (path_matches(route, exchange->path)) {
            len += (size_t)snprintf(
                text + len,
                size - len,
                "%s%s%s",
                len == 0 ? "" : ", ",
                route->method,
                get ? ", HEAD" : "");
        }
    }
}
