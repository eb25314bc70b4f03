#include "sandbox/request_log.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/heap.h"
#include "base/wallclock.h"
#include "http/http_server.h"
#include "http/json.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/sim.h"

#define ENTRY_BYTES_MAX ((size_t)16 * 1024)
#define BODY_BYTES_MAX 4096

struct request_log {
    char *lines[REQUEST_LOG_MAX]; /* JSON objects, a ring */
    int64_t total;
};

struct request_log *request_log_new(void)
{
    return heap_new(sizeof(struct request_log));
}

void request_log_free(struct request_log *log)
{
    for (size_t i = 0; log != NULL && i < REQUEST_LOG_MAX; i++) {
        heap_free(log->lines[i]);
    }
    heap_free(log);
}

static const char *account_of(const struct call *call)
{
    return call->account == NULL || call->account == call->sim->platform ? NULL
                                                                         : call->account->object.id;
}

void request_log_add(struct request_log *log, const struct call *call, int64_t duration_us)
{
    char **slot = &log->lines[log->total % REQUEST_LOG_MAX];
    const struct http_request *http = call->http;
    char time[RFC3339_SIZE];
    AUTO_BUF line;
    struct json_writer w;

    wallclock_format(call->cx->now_us, time);
    buf_init(&line, ENTRY_BYTES_MAX);
    json_begin(&w, &line);
    json_open_object(&w, NULL);
    json_put_text(&w, "id", call->request_id);
    json_put_text(&w, "time", time);
    json_put_text(&w, "method", http->method);
    json_put_text(&w, "path", http->path);
    json_put_text(&w, "query", http->query);
    json_put_text(
        &w,
        "body",
        http->body_len <= BODY_BYTES_MAX ? (const char *)http->body : "(longer than 4096 bytes)");
    json_put_text(&w, "account", account_of(call));
    json_put_text(&w, "idempotency_key", call->idempotency_key);
    json_put_bool(&w, "replayed", call->replayed);
    json_put_i64(&w, "status", call->drop ? 0 : call->status);
    json_put_text(&w, "error_code", call->failure.code);
    json_put_text(&w, "error_message", call->failure.message);
    json_put_text(&w, "fault", call->fault);
    json_put_i64(&w, "duration_us", duration_us);
    json_close_object(&w);
    heap_free(*slot);
    *slot = heap_text(buf_failed(&line) ? "{}" : buf_cstr(&line));
    log->total++;
}

void request_log_render(const struct request_log *log, struct buf *buf)
{
    const int64_t oldest = log->total > REQUEST_LOG_MAX ? log->total - REQUEST_LOG_MAX : 0;
    struct json_writer w;

    json_begin(&w, buf);
    json_open_object(&w, NULL);
    json_put_i64(&w, "total", log->total);
    json_open_array(&w, "requests");
    for (int64_t i = log->total; i > oldest; i--) {
        const char *line = log->lines[(i - 1) % REQUEST_LOG_MAX];

        json_put_raw(&w, NULL, line == NULL ? "{}" : line);
    }
    json_close_array(&w);
    json_close_object(&w);
}

int64_t request_log_total(const struct request_log *log)
{
    return log->total;
}
