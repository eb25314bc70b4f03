#include "http/http_probe.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"

#define UNIX_PREFIX "unix:"
#define URL_SIZE 512

static size_t drop(const char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes;
    (void)user;
    return size * count;
}

/* A wildcard address is reached over loopback. */
static void set_address(CURL *easy, const struct http_probe *probe)
{
    const char *scheme = probe->tls ? "https" : "http";
    const char *port = strrchr(probe->address, ':');
    char url[URL_SIZE];

    if (strncmp(probe->address, UNIX_PREFIX, sizeof UNIX_PREFIX - 1) == 0) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, probe->address + sizeof UNIX_PREFIX - 1);
        snprintf(url, sizeof url, "%s://localhost%s", scheme, probe->path);
    } else if (strncmp(probe->address, "0.0.0.0:", 8) == 0) {
        snprintf(url, sizeof url, "%s://127.0.0.1%s%s", scheme, port, probe->path);
    } else if (strncmp(probe->address, "[::]:", 5) == 0) {
        snprintf(url, sizeof url, "%s://[::1]%s%s", scheme, port, probe->path);
    } else {
        snprintf(url, sizeof url, "%s://%s%s", scheme, probe->address, probe->path);
    }
    curl_easy_setopt(easy, CURLOPT_URL, url);
}

static void set_call(CURL *easy, const struct http_probe *probe, struct curl_slist *headers)
{
    static const char empty_message[5] = {0}; /* not compressed, no bytes */

    if (!probe->grpc) {
        return;
    }
    curl_easy_setopt(
        easy,
        CURLOPT_HTTP_VERSION,
        (long)(probe->tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)sizeof empty_message);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, empty_message);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

static enum http_probe_result result_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_PROBE_ANSWERED;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return HTTP_PROBE_UNKNOWN;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_COULDNT_CONNECT:
        return HTTP_PROBE_SILENT;
    default:
        return HTTP_PROBE_CLOSED;
    }
}

static void free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static void free_easy(CURL **easy)
{
    if (*easy != NULL) {
        curl_easy_cleanup(*easy);
    }
}

static struct curl_slist *grpc_headers(void)
{
    struct curl_slist *type = curl_slist_append(NULL, "content-type: application/grpc");
    struct curl_slist *all = type == NULL ? NULL : curl_slist_append(type, "te: trailers");

    if (all == NULL) {
        curl_slist_free_all(type);
    }
    return all;
}

enum http_probe_result http_probe(const struct http_probe *probe, int64_t timeout_ms)
{
    AUTO(free_easy) CURL *easy = curl_easy_init();
    AUTO(free_list) struct curl_slist *headers = grpc_headers();

    if (easy == NULL || headers == NULL) {
        return HTTP_PROBE_UNKNOWN;
    }
    set_address(easy, probe);
    set_call(easy, probe, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    return result_of(curl_easy_perform(easy));
}
