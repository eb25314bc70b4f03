#include "http/http_client.h"

#include <pthread.h>
#include <string.h>

#include <curl/curl.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"

#define CONNECT_MS_MAX INT64_C(10000)
#define TIMEOUT_MS INT64_C(30000)
#define RESPONSE_BYTES_MAX ((size_t)1024 * 1024)
#define IDLE_CONNECTION_SECONDS_MAX 60L
#define CONNECTIONS_MAX 4L

struct http_client {
    CURL *easy;
    struct buf body;             /* of the answer that is being read */
    const struct ctx *cx;        /* of the call that runs */
    char error[CURL_ERROR_SIZE]; /* words of libcurl */
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
    (void)curl_global_init(CURL_GLOBAL_ALL);
}

void http_client_global_init(void)
{
    pthread_once(&global_once, init_library);
}

struct http_client *http_client_new(void)
{
    struct http_client *client = NULL;

    http_client_global_init();
    client = heap_new(sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    buf_init(&client->body, RESPONSE_BYTES_MAX);
    client->easy = curl_easy_init();
    if (client->easy == NULL) {
        http_client_free(client);
        return NULL;
    }
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->easy != NULL) {
        curl_easy_cleanup(client->easy);
    }
    buf_release(&client->body);
    heap_free(client);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct http_client *client = user;

    buf_add(&client->body, bytes, size * count);
    return buf_failed(&client->body) ? 0 : size * count; /* 0 ends the transfer */
}

/* libcurl calls this at least once a second. */
static int
on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    const struct http_client *client = user;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return ctx_gone(client->cx) ? 1 : 0;
}

static void free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

/* NULL without memory, or when a header holds a line break and so is more than one. */
static struct curl_slist *header_list(const struct http_call *call)
{
    /* Without this a body over 1 KiB waits for a "100 Continue". */
    AUTO(free_list) struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list != NULL && call->headers != NULL && call->headers[i] != NULL; i++) {
        struct curl_slist *longer = NULL;

        if (strpbrk(call->headers[i], "\r\n") != NULL) {
            return NULL;
        }
        longer = curl_slist_append(list, call->headers[i]);
        if (longer == NULL) {
            return NULL;
        }
        list = longer;
    }
    return TAKE(list);
}

static void set_method(CURL *easy, const struct http_call *call)
{
    if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (strcmp(call->method, "POST") == 0 || call->body_len > 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body_len == 0 ? "" : call->body);
    }
    if (strcmp(call->method, "GET") != 0 && strcmp(call->method, "POST") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    }
}

static void set_options(
    struct http_client *client,
    const struct http_call *call,
    struct curl_slist *headers,
    int64_t timeout_ms)
{
    CURL *easy = client->easy;
    const long connect_ms = (long)(timeout_ms < CONNECT_MS_MAX ? timeout_ms : CONNECT_MS_MAX);

    curl_easy_reset(easy); /* keeps connections, sessions and addresses */
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "billingos/" BOS_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, CONNECTIONS_MAX);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_SECONDS_MAX);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, client);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    if (strncmp(call->url, "http://", 7) == 0) {
        curl_easy_setopt(
            easy, CURLOPT_PROXY, ""); /* near by: the proxies of the environment are not */
    }
    set_method(easy, call);
}

/* libcurl notes the time before the first byte of a request leaves, also when it then sends the
 * request once more because a kept connection had been closed. Zero: nothing was ever sent. */
static bool was_sent(CURL *easy)
{
    curl_off_t before_us = 0;

    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &before_us) != CURLE_OK ||
           before_us > 0;
}

static const char *describe(struct ctx *cx, const struct http_client *client, CURLcode code)
{
    if (code == CURLE_WRITE_ERROR && buf_failed(&client->body)) {
        return "the answer is larger than allowed";
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return "the caller gave up";
    }
    return arena_text(
        cx->arena, client->error[0] != '\0' ? client->error : curl_easy_strerror(code));
}

static void read_answer(struct ctx *cx, struct http_client *client, struct http_answer *answer)
{
    uint8_t *body = arena_try_alloc(cx->arena, client->body.len + 1);
    long status = 0;

    if (body == NULL) {
        answer->outcome = HTTP_UNKNOWN;
        answer->error = "there is no memory for the answer";
        return;
    }
    memcpy(body, buf_cstr(&client->body), client->body.len);
    (void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    answer->outcome = HTTP_ANSWERED;
    answer->status = (int)status;
    answer->body = body;
    answer->body_len = client->body.len;
}

static void perform(struct ctx *cx, struct http_client *client, struct http_answer *answer)
{
    CURLcode code = CURLE_OK;

    client->cx = cx;
    client->error[0] = '\0';
    code = curl_easy_perform(client->easy);
    client->cx = NULL;
    if (code == CURLE_OK) {
        read_answer(cx, client, answer);
    } else {
        answer->outcome = was_sent(client->easy) ? HTTP_UNKNOWN : HTTP_NOT_SENT;
        answer->error = describe(cx, client, code);
    }
    /* These belong to the caller's frame. */
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, NULL);
}

void http_client_send(
    struct ctx *cx,
    struct http_client *client,
    const struct http_call *call,
    struct http_answer *ret_answer)
{
    const int64_t start_us = monotonic_us();
    const int64_t timeout_ms =
        ctx_left_ms(cx, call->timeout_ms > 0 ? call->timeout_ms : TIMEOUT_MS);
    AUTO(free_list) struct curl_slist *headers = header_list(call);

    *ret_answer =
        (struct http_answer){.outcome = HTTP_NOT_SENT, .body = (const uint8_t *)"", .error = ""};
    if (headers == NULL) {
        ret_answer->error = "a header is not valid";
        return;
    }
    if (timeout_ms == 0 || ctx_gone(cx)) {
        ret_answer->error = "the deadline passed before the call";
        return;
    }
    buf_clear(&client->body);
    client->body.max = call->response_max > 0 ? call->response_max : RESPONSE_BYTES_MAX;
    set_options(client, call, headers, timeout_ms);
    perform(cx, client, ret_answer);
    ret_answer->duration_us = monotonic_us() - start_us;
    log_debug(
        cx,
        "HTTP call ended",
        LOG_TEXT("http_method", call->method),
        LOG_I64("status", ret_answer->status),
        LOG_TEXT("error", ret_answer->error),
        LOG_I64("duration_us", ret_answer->duration_us));
}

const char *http_client_header(struct ctx *cx, struct http_client *client, const char *name)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(client->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return NULL;
    }
    return arena_text(cx->arena, header->value);
}
