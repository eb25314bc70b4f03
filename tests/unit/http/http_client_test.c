#include "http/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "http/http_server.h"

struct fixture {
    struct arena arena;
    struct ctx cx;
    struct http_client *client;
    struct http_server *server;
};

static struct fixture fixture;

static void
echo(struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    const char *seen = http_header(request, "X-Seen");
    const char *expect = http_header(request, "Expect");

    (void)user;
    response->status = 200;
    response->body = arena_printf(
        cx->arena,
        "%s %s %zu seen=%s expect=%s agent=%s",
        request->method,
        request->path,
        request->body_len,
        seen == NULL ? "" : seen,
        expect == NULL ? "" : expect,
        http_header(request, "User-Agent"));
    response->body_len = strlen(response->body);
    response->headers[0].name = "Request-Id";
    response->headers[0].value = "req_1";
    response->header_count = 1;
}

static void redirect(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)cx;
    (void)user;
    (void)request;
    response->status = 302;
    response->headers[0].name = "Location";
    response->headers[0].value = "/echo";
    response->header_count = 1;
}

static void
slow(struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)cx;
    (void)user;
    (void)request;
    usleep(1500000);
    response->status = 200;
}

static const struct http_route routes[] = {
    {"*", "/echo", (size_t)1024 * 1024, echo, NULL},
    {"GET", "/redirect", 0, redirect, NULL},
    {"GET", "/slow", 0, slow, NULL},
};

static int set_up(void **state)
{
    const struct http_server_config config = {
        .listen = "127.0.0.1:0", .threads = 1, .connections_max = 8};

    (void)state;
    arena_init(&fixture.arena, NULL, 0, (size_t)4 * 1024 * 1024);
    ctx_init(&fixture.cx, &fixture.arena, "test");
    fixture.client = http_client_new();
    assert_non_null(fixture.client);
    assert_int_equal(
        http_server_new(&fixture.cx, &config, routes, ARRAY_LEN(routes), &fixture.server).code,
        CODE_OK);
    assert_int_equal(http_server_start(&fixture.cx, fixture.server).code, CODE_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(fixture.client);
    http_server_free(fixture.server);
    arena_release(&fixture.arena);
    return 0;
}

static struct http_answer send_call(struct http_call call)
{
    struct http_answer answer = {0};

    http_client_send(&fixture.cx, fixture.client, &call, &answer);
    return answer;
}

static const char *url(const char *path)
{
    return arena_printf(&fixture.arena, "http://%s%s", http_server_address(fixture.server), path);
}

static void the_client_and_the_listener_understand_each_other(void **state)
{
    const char *const headers[] = {"X-Seen: yes", NULL};
    struct http_answer answer = {0};

    (void)state;
    answer =
        send_call((struct http_call){.method = "GET", .url = url("/echo"), .headers = headers});
    assert_int_equal(answer.outcome, HTTP_ANSWERED);
    assert_int_equal(answer.status, 200);
    assert_string_equal(
        (const char *)answer.body, "GET /echo 0 seen=yes expect= agent=billingos/" BOS_VERSION);
    assert_int_equal(answer.body_len, strlen((const char *)answer.body));
    assert_string_equal(answer.error, "");
    assert_true(answer.duration_us > 0);
    assert_string_equal(http_client_header(&fixture.cx, fixture.client, "request-ID"), "req_1");
    assert_null(http_client_header(&fixture.cx, fixture.client, "x-none"));
    answer = send_call((struct http_call){.method = "DELETE", .url = url("/echo")});
    assert_memory_equal(answer.body, "DELETE /echo 0 seen= ", 21);
    answer = send_call((struct http_call){.method = "POST", .url = url("/echo")});
    assert_memory_equal(answer.body, "POST /echo 0 seen= ", 19);
    answer = send_call((struct http_call){.method = "HEAD", .url = url("/echo")});
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_len, 0);
}

static void large_bodies_do_not_wait_for_a_go_ahead(void **state)
{
    const size_t len = (size_t)1024 * 1024;
    char *body = heap_new(len);
    struct http_answer answer = {0};

    (void)state;
    answer = send_call(
        (struct http_call){.method = "POST", .url = url("/echo"), .body = body, .body_len = len});
    heap_free(body);
    assert_int_equal(answer.outcome, HTTP_ANSWERED);
    assert_memory_equal(answer.body, "POST /echo 1048576 seen= expect= ", 33);
    assert_true(answer.duration_us < 900000);
}

static void redirects_are_answers(void **state)
{
    const struct http_answer answer =
        send_call((struct http_call){.method = "GET", .url = url("/redirect")});

    (void)state;
    assert_int_equal(answer.outcome, HTTP_ANSWERED);
    assert_int_equal(answer.status, 302);
}

static void an_answer_over_the_maximum_is_none(void **state)
{
    struct http_answer answer = {0};

    (void)state;
    answer =
        send_call((struct http_call){.method = "GET", .url = url("/echo"), .response_max = 10});
    assert_int_equal(answer.outcome, HTTP_UNKNOWN);
    assert_string_equal(answer.error, "the answer is larger than allowed");
    answer =
        send_call((struct http_call){.method = "GET", .url = url("/echo"), .response_max = 1000});
    assert_int_equal(answer.outcome, HTTP_ANSWERED);
}

static void a_time_out_behind_the_request_leaves_the_outcome_open(void **state)
{
    struct http_answer answer = {0};

    (void)state;
    answer = send_call((struct http_call){.method = "GET", .url = url("/slow"), .timeout_ms = 200});
    assert_int_equal(answer.outcome, HTTP_UNKNOWN);
    assert_in_range(answer.duration_us, 150000, 900000);
    fixture.cx.deadline_us = deadline_in_ms(100);
    answer = send_call((struct http_call){.method = "GET", .url = url("/slow")});
    assert_int_equal(answer.outcome, HTTP_UNKNOWN);
    usleep(20000);
    answer = send_call((struct http_call){.method = "GET", .url = url("/echo")});
    assert_int_equal(answer.outcome, HTTP_NOT_SENT);
}

static void *give_up(void *user)
{
    struct canceller *canceller = user;

    usleep(100000);
    atomic_store(&canceller->gone, true);
    return NULL;
}

static void a_caller_that_gives_up_ends_the_call(void **state)
{
    struct canceller canceller = {.wake_fd = -1};
    struct http_answer answer = {0};
    pthread_t thread;

    (void)state;
    fixture.cx.canceller = &canceller;
    pthread_create(&thread, NULL, give_up, &canceller);
    answer = send_call((struct http_call){.method = "GET", .url = url("/slow")});
    pthread_join(thread, NULL);
    assert_int_equal(answer.outcome, HTTP_UNKNOWN);
    assert_string_equal(answer.error, "the caller gave up");
    assert_true(answer.duration_us < 1400000);
}

static void what_cannot_be_sent_was_not_sent(void **state)
{
    const char *const split[] = {"X-Seen: a\r\nX-Other: b", NULL};
    static const char *const urls[] = {
        "http://127.0.0.1:1/",
        "http://nowhere.invalid/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "",
        "http://",
    };
    struct http_answer answer = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        answer = send_call((struct http_call){.method = "GET", .url = urls[i]});
        assert_int_equal(answer.outcome, HTTP_NOT_SENT);
        assert_int_equal(answer.status, 0);
        assert_string_not_equal(answer.error, "");
    }
    answer = send_call((struct http_call){.method = "GET", .url = url("/echo"), .headers = split});
    assert_int_equal(answer.outcome, HTTP_NOT_SENT);
    /* The listener speaks no TLS. */
    answer = send_call((struct http_call){
        .method = "GET",
        .url = arena_printf(&fixture.arena, "https://%s/", http_server_address(fixture.server))});
    assert_int_equal(answer.outcome, HTTP_NOT_SENT);
}

/* A server that accepts, and does to each connection what the script says. */
struct script {
    int listen_fd;
    const char *answers[4]; /* to the requests of one connection; NULL: close */
    int connections;        /* to be accepted */
    int accepted;
    int requests;
};

static bool read_head(int fd)
{
    char bytes[4096] = "";
    size_t len = 0;

    while (len + 1 < sizeof bytes && strstr(bytes, "\r\n\r\n") == NULL) {
        const ssize_t got = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);

        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        bytes[len] = '\0';
    }
    return true;
}

static void *play(void *user)
{
    struct script *script = user;

    while (script->accepted < script->connections) {
        const int fd = accept(script->listen_fd, NULL, NULL);
        size_t i = 0;

        script->accepted++;
        if (script->accepted == script->connections) {
            close(script->listen_fd);
        }
        while (fd >= 0 && i < ARRAY_LEN(script->answers) && read_head(fd)) {
            script->requests++;
            if (script->answers[i] == NULL) {
                break;
            }
            (void)send(fd, script->answers[i], strlen(script->answers[i]), MSG_NOSIGNAL);
            i++;
        }
        close(fd);
    }
    return NULL;
}

static const char *start_script(struct script *script, pthread_t *thread)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    script->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(script->listen_fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(script->listen_fd, 8), 0);
    assert_int_equal(getsockname(script->listen_fd, (struct sockaddr *)&address, &len), 0);
    pthread_create(thread, NULL, play, script);
    return arena_printf(&fixture.arena, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void two_calls_use_one_connection(void **state)
{
    struct script script = {.answers = {OK_ANSWER, OK_ANSWER, OK_ANSWER}, .connections = 1};
    pthread_t thread;
    const char *address = start_script(&script, &thread);

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct http_answer answer =
            send_call((struct http_call){.method = "GET", .url = address});

        assert_int_equal(answer.outcome, HTTP_ANSWERED);
        assert_string_equal((const char *)answer.body, "ok");
    }
    http_client_free(fixture.client);
    fixture.client = NULL;
    pthread_join(thread, NULL);
    assert_int_equal(script.accepted, 1);
    assert_int_equal(script.requests, 3);
}

static void broken_answers_leave_the_outcome_open(void **state)
{
    static const char *const answers[] = {
        NULL,
        "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct script script = {.answers = {answers[i], NULL}, .connections = 1};
        pthread_t thread;
        const char *address = start_script(&script, &thread);
        struct http_answer answer = {0};

        /* The second read of the script ends when the client closes. */
        answer = send_call((struct http_call){
            .method = "POST", .url = address, .body = "a=1", .body_len = 3, .timeout_ms = 500});
        http_client_free(fixture.client);
        fixture.client = http_client_new();
        pthread_join(thread, NULL);
        assert_int_equal(answer.outcome, HTTP_UNKNOWN);
        assert_int_equal(answer.status, 0);
        assert_string_not_equal(answer.error, "");
    }
}

/* libcurl sends again when a kept connection ends without an answer. If it then cannot connect,
 * the first request may still have had its effect. */
static void a_request_lost_on_a_kept_connection_may_have_happened(void **state)
{
    struct script script = {.answers = {OK_ANSWER, NULL}, .connections = 1};
    pthread_t thread;
    const char *address = start_script(&script, &thread);
    struct http_answer answer = {0};

    (void)state;
    answer = send_call((struct http_call){.method = "GET", .url = address});
    assert_int_equal(answer.outcome, HTTP_ANSWERED);
    answer = send_call((struct http_call){.method = "POST", .url = address});
    pthread_join(thread, NULL);
    assert_int_equal(script.requests, 2);
    assert_int_equal(answer.outcome, HTTP_UNKNOWN);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(the_client_and_the_listener_understand_each_other),
        WITH_SERVER(large_bodies_do_not_wait_for_a_go_ahead),
        WITH_SERVER(redirects_are_answers),
        WITH_SERVER(an_answer_over_the_maximum_is_none),
        WITH_SERVER(a_time_out_behind_the_request_leaves_the_outcome_open),
        WITH_SERVER(a_caller_that_gives_up_ends_the_call),
        WITH_SERVER(what_cannot_be_sent_was_not_sent),
        WITH_SERVER(two_calls_use_one_connection),
        WITH_SERVER(broken_answers_leave_the_outcome_open),
        WITH_SERVER(a_request_lost_on_a_kept_connection_may_have_happened),
    };

    http_client_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
