#include "sandbox/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/heap.h"
#include "base/log.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/due.h"
#include "sandbox/event.h"
#include "sandbox/routes.h"
#include "sandbox/sim.h"

#define FILE_BYTES_MAX ((off_t)1024 * 1024 * 1024)
#define LINE_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define SEED_PREFIX "{\"seed\":"
#define REPLAY_ARENA_BYTES ((size_t)64 * 1024 * 1024)

struct journal {
    int fd;
    char *content; /* what was there at the start, until it is replayed */
    size_t len;
};

static struct journal *fail(struct journal *journal, const char *path, const char *why)
{
    fprintf(stderr, "billingos-sandbox: could not use the state file \"%s\": %s\n", path, why);
    journal_close(journal);
    return NULL;
}

static void write_line(struct journal *journal, struct buf *line)
{
    buf_char(line, '\n');
    if (buf_failed(line) || write(journal->fd, line->ptr, line->len) != (ssize_t)line->len) {
        log_error(NULL, "could not write to the state file, ignoring");
    }
}

static bool write_seed(struct journal *journal, uint64_t seed)
{
    char line[80];
    const int len =
        snprintf(line, sizeof line, SEED_PREFIX "%llu}\n", (unsigned long long)(seed >> 1));

    return write(journal->fd, line, (size_t)len) == len;
}

/* Reads what is there up to the last whole line, and cuts off the rest. */
static bool read_content(struct journal *journal, off_t size)
{
    journal->content = heap_new((size_t)size + 1);
    if (journal->content == NULL || pread(journal->fd, journal->content, (size_t)size, 0) != size) {
        return false;
    }
    journal->len = (size_t)size;
    while (journal->len > 0 && journal->content[journal->len - 1] != '\n') {
        journal->len--;
    }
    return ftruncate(journal->fd, (off_t)journal->len) == 0;
}

struct journal *journal_open(const char *path, uint64_t *seed)
{
    struct journal *journal = heap_new(sizeof *journal);
    struct stat stat;

    if (journal == NULL) {
        return NULL;
    }
    journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal->fd < 0 || fstat(journal->fd, &stat) != 0) {
        return fail(journal, path, strerrordesc_np(errno));
    }
    if (!S_ISREG(stat.st_mode) || stat.st_size > FILE_BYTES_MAX) {
        return fail(journal, path, "it is no file, or larger than 1 GiB");
    }
    if (!read_content(journal, stat.st_size)) {
        return fail(journal, path, "it could not be read");
    }
    if (journal->len == 0) {
        *seed |= 1; /* the file holds 63 bits of it */
        return write_seed(journal, *seed) ? journal : fail(journal, path, strerrordesc_np(errno));
    }
    if (strncmp(journal->content, SEED_PREFIX, strlen(SEED_PREFIX)) != 0) {
        return fail(journal, path, "it is not one of a simulator");
    }
    *seed = strtoull(journal->content + strlen(SEED_PREFIX), NULL, 10) << 1 | 1;
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    heap_free(journal->content);
    heap_free(journal);
}

void journal_add_call(struct journal *journal, const struct call *call)
{
    const struct http_request *http = call->http;
    AUTO_BUF line;
    struct json_writer w;

    buf_init(&line, LINE_BYTES_MAX);
    if (journal == NULL || call->sim->replaying || strcmp(http->method, "GET") == 0 ||
        (call->endpoint->flags & ENDPOINT_FLEETING) != 0) {
        return;
    }
    json_begin(&w, &line);
    json_open_object(&w, NULL);
    json_put_i64(&w, "now", call->begun_s);
    json_put_text(&w, "method", http->method);
    json_put_text(&w, "path", http->path);
    json_put_text(&w, "query", http->query);
    json_put_text(&w, "body", (const char *)http->body);
    json_put_text(&w, "account", call->account->object.id);
    json_put_text(&w, "key", call->idempotency_key);
    json_put_text(&w, "request", call->request_id);
    json_put_text(&w, "fault", call->fault);
    json_put_i64(&w, "status", call->status);
    json_put_text(&w, "answer", call->answer_id);
    json_close_object(&w);
    write_line(journal, &line);
}

void journal_add_tick(struct journal *journal, const struct sim *sim)
{
    AUTO_BUF line;

    buf_init(&line, LINE_BYTES_MAX);
    if (journal != NULL) {
        buf_printf(&line, "{\"tick\":%lld}", (long long)sim->now_s);
        write_line(journal, &line);
    }
}

void journal_add_delivery(struct journal *journal, const struct event *event)
{
    AUTO_BUF line;

    buf_init(&line, LINE_BYTES_MAX);
    if (journal != NULL) {
        buf_printf(
            &line,
            "{\"delivered\":\"%s\",\"account\":\"%s\"}",
            event->object.id,
            event->object.owner->object.id);
        write_line(journal, &line);
    }
}

/* The account of a line; those that are gone by now were there when the line was written. */
static struct account *account_of(struct ctx *cx, const struct sim *sim, json_value line)
{
    const char *id = json_text(cx, line, "account");

    return strcmp(id, sim->platform->object.id) == 0
               ? sim->platform
               : object_find(sim, sim->platform, KIND_ACCOUNT, id);
}

static const char *text_or_null(struct ctx *cx, json_value line, const char *name)
{
    return json_is_null(json_get(line, name)) ? NULL : json_text(cx, line, name);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Runs a request again; false when the answer is not the one of then. */
static bool replay_call(struct ctx *cx, struct sim *sim, json_value line)
{
    const char *body = json_text(cx, line, "body");
    const struct http_request http = {
        .method = json_text(cx, line, "method"),
        .path = json_text(cx, line, "path"),
        .query = json_text(cx, line, "query"),
        .body = (const uint8_t *)body,
        .body_len = strlen(body),
    };
    struct call call = {
        .cx = cx,
        .sim = sim,
        .http = &http,
        .account = account_of(cx, sim, line),
        .idempotency_key = text_or_null(cx, line, "key"),
        .request_id = text_or_null(cx, line, "request"),
        .fault = text_or_null(cx, line, "fault"),
    };
    bool same = false;

    if (call.account == NULL) {
        return false;
    }
    sim->now_s = json_i64(line, "now");
    routes_replay(&call);
    same = call.status == (int)json_i64(line, "status") &&
           same_text(call.answer_id, text_or_null(cx, line, "answer"));
    buf_release(&call.body);
    return same;
}

static bool replay_line(struct ctx *cx, struct sim *sim, json_value line)
{
    if (json_get(line, "method") != NULL) {
        return replay_call(cx, sim, line);
    }
    if (json_get(line, "tick") != NULL) {
        sim->now_s = json_i64(line, "tick");
        (void)due_run(sim);
    } else if (json_get(line, "delivered") != NULL) {
        const struct account *owner = account_of(cx, sim, line);
        struct event *event =
            owner == NULL ? NULL
                          : object_find(sim, owner, KIND_EVENT, json_text(cx, line, "delivered"));

        if (event == NULL) {
            return false;
        }
        event->pending -= event->pending > 0;
    }
    return true;
}

static bool replay_text(struct sim *sim, const char *text, size_t len)
{
    struct json *json = NULL;
    struct arena arena;
    struct ctx cx;
    bool same = false;

    arena_init(&arena, NULL, 0, REPLAY_ARENA_BYTES);
    ctx_init(&cx, &arena, "sandbox/replay");
    sim_lock(sim, &cx);
    sim->replaying = true;
    if (json_parse(&cx, text, len, &json).code == CODE_OK) {
        same = replay_line(&cx, sim, json_root(json));
    }
    sim->replaying = false;
    sim_unlock(sim);
    json_free(json);
    arena_release(&arena);
    return same;
}

static void deliver_rest(struct sim *sim, const struct account *account)
{
    const struct object_list *events = &account->lists[KIND_EVENT];

    for (size_t i = 0; i < events->count; i++) {
        struct event *event = (struct event *)events->items[i];

        if (event->pending > 0) {
            event->pending = event_resend(sim, event);
        }
    }
}

bool journal_replay(struct journal *journal, struct sim *sim, struct ctx *cx)
{
    const struct object_list *accounts = &sim->platform->lists[KIND_ACCOUNT];
    const char *end = journal->content + journal->len;
    int64_t lines = 0;

    for (const char *line = journal->content; line < end; lines++) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        if (!replay_text(sim, line, (size_t)(next - line))) {
            fprintf(
                stderr,
                "billingos-sandbox: cannot use the state file: line %lld was written by a "
                "simulator "
                "that answered otherwise; remove the file to begin anew\n",
                (long long)lines + 1);
            return false;
        }
        line = next + 1;
    }
    heap_free(journal->content);
    journal->content = NULL;
    sim_lock(sim, cx);
    deliver_rest(sim, sim->platform);
    for (size_t i = 0; i < accounts->count; i++) {
        deliver_rest(sim, (const struct account *)accounts->items[i]);
    }
    sim_unlock(sim);
    log_info(cx, "state read", LOG_I64("lines", lines));
    return true;
}
