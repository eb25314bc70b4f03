#include "http_server_kit.h"

static void a_request_is_handed_on_and_answered(void **state)
{
    const char *answer = NULL;

    (void)state;
    answer = ask("POST /echo/a%20b?x=1&y=%41 HTTP/1.1\r\nHost: h\r\nContent-Type: text/odd\r\n"
                 "X-Request-Id: r-1\r\nContent-Length: 5\r\n\r\nhello");
    assert_starts(answer, "HTTP/1.1 200 OK\r\n");
    assert_holds(answer, "POST /echo/a%20b ?x=1&y=%41 5 [hello] id=r-1");
    assert_holds(answer, "X-Content-Type-Options: nosniff\r\n");
    assert_holds(answer, "Content-Type: text/odd\r\n");
    assert_holds(answer, "X-Test: yes\r\n");
    assert_holds(answer, "Content-Length: 44\r\n");
}

static void routes_are_chosen_by_path_and_method(void **state)
{
    static const struct {
        const char *request;
        const char *answer;
    } cases[] = {
        {"GET /get HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200"},
        {"GET /get?a HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200"},
        {"GET /get/ HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404"},
        {"GET /%67et HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404"},
        {"POST /get HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405"},
        {"POST /get HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 405"},
        {"DELETE /any HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200"},
        {"BREW /any HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200"},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 400"},
        {"GET http://h/get HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 400"},
        {"GET /silent HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 500"},
        {"GET /greedy HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 500"},
        {"GET /get HTTP/1.0\r\n\r\n", "HTTP/1.1 200"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_starts(ask(cases[i].request), cases[i].answer);
    }
    assert_holds(
        ask("POST /get HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), "Allow: GET, HEAD\r\n");
}

static void head_is_get_without_the_body(void **state)
{
    const char *answer = NULL;

    (void)state;
    answer = ask("HEAD /get HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_starts(answer, "HTTP/1.1 200 OK\r\n");
    assert_holds(answer, "Content-Length: 20\r\n");
    assert_string_equal(answer + strlen(answer) - 4, "\r\n\r\n");
}

static void a_connection_carries_many_requests(void **state)
{
    const int fd = dial();

    (void)state;
    for (int i = 0; i < 3; i++) {
        say(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_starts(hear(fd, 2000), "HTTP/1.1 200");
        say(fd, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_starts(hear(fd, 2000), "HTTP/1.1 404");
    }
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    const char *answer = NULL;
    const char *at = NULL;

    (void)state;
    answer = ask(
        "POST /echo/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nonePOST /echo/2 HTTP/1.1\r\n"
        "Host: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ntw\r\n1;ext=1\r\no\r\n0\r\n\r\n"
        "GET /get HTTP/1.1\r\nHost: h\r\n\r\nGARBAGE\r\n\r\n");
    at = strstr(answer, "POST /echo/1 ? 3 [one]");
    assert_non_null(at);
    at = strstr(at, "POST /echo/2 ? 3 [two]");
    assert_non_null(at);
    at = strstr(at, "GET /get ? 0 []");
    assert_non_null(at);
    assert_null(strstr(at + 1, "HTTP/1.1 200")); /* the last is no request */
    assert_int_equal(atomic_load(&fixture.handled), 3);
}

static void a_body_of_the_maximum_is_taken(void **state)
{
    const int fd = dial();

    (void)state;
    say(fd, "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 10000; i++) {
        say(fd, "0123456789");
    }
    assert_holds(hear(fd, 2000), "100000 [01234567890123456789]");
    close(fd);
}

static void a_waiting_handler_holds_up_nobody_else(void **state)
{
    const int fd = dial();
    int64_t start_us = 0;

    (void)state;
    atomic_store(&fixture.hold, 1);
    say(fd, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    start_us = monotonic_us();
    for (int i = 0; i < 20; i++) {
        assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
    }
    assert_true(monotonic_us() - start_us < 2000000);
    atomic_store(&fixture.hold, 0);
    assert_starts(hear(fd, 2000), "HTTP/1.1 204");
    close(fd);
}

static void a_handler_may_drop_the_connection(void **state)
{
    const int fd = dial();

    (void)state;
    say(fd, "GET /drop HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(is_closed(fd, 1000));
    close(fd);
}

static void big_answers_arrive_whole(void **state)
{
    const char *answer = NULL;

    (void)state;
    answer = ask("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_holds(answer, "Content-Length: 900000\r\n");
    assert_int_equal(strlen(strstr(answer, "\r\n\r\n") + 4), 900000);
}

static void stopping_finishes_what_runs(void **state)
{
    const int busy = dial();
    const int idle = dial();
    const int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = server_address();

    (void)state;
    say(busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    atomic_store(&fixture.hold, 1);
    while (atomic_load(&fixture.handled) == 0) {
        usleep(1000);
    }
    atomic_store(&fixture.hold, 0);
    http_server_stop(fixture.server);
    http_server_stop(fixture.server); /* again: no effect */
    assert_starts(hear(busy, 1000), "HTTP/1.1 204");
    assert_true(is_closed(idle, 1000));
    assert_int_not_equal(connect(late, (const struct sockaddr *)&address, sizeof address), 0);
    close(busy);
    close(idle);
    close(late);
}

static void a_bad_address_is_said(void **state)
{
    static const char *const bad[] = {
        "", "127.0.0.1", "127.0.0.1:", "256.1.1.1:80", "1.1.1.1:99999x"};
    struct http_server_config config = {.threads = 1, .connections_max = 1};
    struct http_server *server = NULL;
    struct status status;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        config.listen = bad[i];
        status = http_server_new(&fixture.cx, &config, routes, 1, &server);
        assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
    }
    config.listen = http_server_address(fixture.server);
    status = http_server_new(&fixture.cx, &config, routes, 1, &server);
    assert_int_equal(status_reason(status), REASON_INTERNAL);
    assert_holds(status_message(status), "Address already in use");
}

static void without_memory_there_is_no_listener(void **state)
{
    const struct http_server_config config = {
        .listen = "127.0.0.1:0", .threads = 1, .connections_max = 1};
    struct http_server *server = NULL;

    (void)state;
    for (long allowed = 0; allowed < 4; allowed++) {
        heap_fail_after(allowed);
        assert_int_not_equal(
            http_server_new(&fixture.cx, &config, routes, 1, &server).code, CODE_OK);
        heap_fail_after(-1);
        assert_null(server);
    }
}

static void accepts_are_counted(void **state)
{
    AUTO_BUF text = {0};

    (void)state;
    (void)ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n");
    buf_init(&text, (size_t)1024 * 1024);
    metrics_write(&text);
    assert_holds(
        buf_cstr(&text), "billingos_listener_accepts_total{listener=\"http\",result=\"accepted\"}");
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_request_is_handed_on_and_answered),
        WITH_SERVER(routes_are_chosen_by_path_and_method),
        WITH_SERVER(head_is_get_without_the_body),
        WITH_SERVER(a_connection_carries_many_requests),
        WITH_SERVER(pipelined_requests_are_answered_in_order),
        WITH_SERVER(a_body_of_the_maximum_is_taken),
        WITH_SERVER(a_waiting_handler_holds_up_nobody_else),
        WITH_SERVER(a_handler_may_drop_the_connection),
        WITH_SERVER(big_answers_arrive_whole),
        WITH_SERVER(stopping_finishes_what_runs),
        WITH_SERVER(a_bad_address_is_said),
        WITH_SERVER(without_memory_there_is_no_listener),
        WITH_SERVER(accepts_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
