#include "http_server_kit.h"

static void a_body_over_the_maximum_is_413_before_it_is_read(void **state)
{
    const int fd = dial();

    (void)state;
    say(fd, "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n");
    assert_starts(hear(fd, 2000), "HTTP/1.1 413");
    close(fd);
    assert_starts(
        ask("POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
        "HTTP/1.1 413");
    assert_starts(
        ask("POST /echo/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
            "100001\r\n\r\n"),
        "HTTP/1.1 413");
    assert_int_equal(atomic_load(&fixture.handled), 0);
}

static void a_chunked_body_over_the_maximum_is_413_in_its_middle(void **state)
{
    const int fd = dial();
    AUTO_BUF chunk = {0};
    int sent = 0;

    (void)state;
    buf_init(&chunk, 65536);
    buf_text(&chunk, "2710\r\n"); /* 10,000 bytes */
    for (int i = 0; i < 10000; i++) {
        buf_char(&chunk, 'a');
    }
    buf_text(&chunk, "\r\n");
    say(fd, "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (; sent < 30 && fixture.answer.len == 0; sent++) {
        say(fd, buf_cstr(&chunk));
        (void)hear(fd, 20);
    }
    assert_int_equal(sent, 11); /* 100,000 bytes are taken, 110,000 are not */
    assert_starts(buf_cstr(&fixture.answer), "HTTP/1.1 413");
    say(fd, "0\r\n\r\n");
    assert_true(is_closed(fd, 3000));
    close(fd);
    assert_int_equal(atomic_load(&fixture.handled), 0);
}

static void what_follows_a_lying_length_is_no_body(void **state)
{
    const char *answer = NULL;
    int fd = -1;

    (void)state;
    answer =
        ask("POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcdefghijkl\r\n\r\n");
    assert_holds(answer, " 3 [abc]");
    assert_int_equal(atomic_load(&fixture.handled), 1);
    /* Too long a length: the handler is never called. */
    atomic_store(&fixture.handled, 0);
    fd = dial();
    say(fd, "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\nabc");
    usleep(100000);
    reset(fd);
    assert_int_equal(atomic_load(&fixture.handled), 0);
}

static void malformed_requests_are_refused(void **state)
{
    static const char *const requests[] = {
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3x\r\n\r\nabc",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3,3\r\n\r\nabc",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n-1\r\nab\r\n0\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\nffffffffffffffffff\r\nab\r\n0\r\n\r\n",
        "GET /get HTTP/1.1\r\n\r\n",
        "GET /get HTTP/9.9\r\nHost: h\r\n\r\n",
        "GET  \r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        const char *answer = ask(requests[i]);

        /* Some are answered, some are not HTTP and only closed; none is handled. */
        if (answer[0] != '\0' && answer[9] != '4' && answer[9] != '5') {
            fail_msg("case %zu: %.40s", i, answer);
        }
        assert_int_equal(atomic_load(&fixture.handled), 0);
    }
    assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
}

static void heads_are_bounded(void **state)
{
    AUTO_BUF request = {0};

    (void)state;
    buf_init(&request, (size_t)1024 * 1024);
    buf_text(&request, "GET /get HTTP/1.1\r\nHost: h\r\nX-Long: ");
    for (int i = 0; i < 17 * 1024; i++) {
        buf_char(&request, 'a');
    }
    buf_text(&request, "\r\n\r\n");
    assert_starts(ask(buf_cstr(&request)), "HTTP/1.1 431");

    buf_clear(&request);
    buf_text(&request, "GET /get HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 64; i++) {
        buf_printf(&request, "X-%d: 1\r\n", i);
    }
    buf_text(&request, "\r\n");
    assert_starts(ask(buf_cstr(&request)), "HTTP/1.1 431");

    buf_clear(&request);
    buf_text(&request, "GET /get?");
    for (int i = 0; i < 9 * 1024; i++) {
        buf_char(&request, 'a');
    }
    buf_text(&request, " HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_starts(ask(buf_cstr(&request)), "HTTP/1.1 414");

    buf_clear(&request);
    buf_text(&request, "GET /get HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 500 * 1024; i++) {
        buf_char(&request, 'a');
    }
    assert_true(ask(buf_cstr(&request))[9] != '2');
    assert_int_equal(atomic_load(&fixture.handled), 0);
}

static void partial_requests_wait_and_bother_nobody(void **state)
{
    static const char request[] =
        "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd";
    const int fd = dial();

    (void)state;
    for (size_t i = 0; i < sizeof request - 1; i++) {
        const char one[2] = {request[i], '\0'};

        say(fd, one);
        if (i % 16 == 0) {
            assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
        }
    }
    assert_holds(hear(fd, 2000), " 4 [abcd]");
    close(fd);
}

static void a_peer_that_goes_away_leaves_nothing_behind(void **state)
{
    (void)state;
    atomic_store(&fixture.hold, 1);
    for (int i = 0; i < 10; i++) {
        const int fd = dial();

        say(fd,
            i % 2 == 0 ? "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"
                       : "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
        reset(fd);
    }
    usleep(50000);
    atomic_store(&fixture.hold, 0);
    assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
}

static void connections_are_bounded_in_all_and_by_peer(void **state)
{
    int fds[4];

    (void)state;
    start_with((struct http_server_config){
        .threads = 1, .connections_max = 8, .connections_per_peer_max = 3});
    for (int i = 0; i < 4; i++) {
        fds[i] = dial();
    }
    assert_true(is_closed(fds[3], 2000));
    assert_false(is_closed(fds[0], 50));
    close(fds[0]);
    usleep(100000);
    assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
    for (int i = 1; i < 4; i++) {
        close(fds[i]);
    }
    tear_down(state);
    start_with((struct http_server_config){.threads = 1, .connections_max = 2});
    for (int i = 0; i < 3; i++) {
        fds[i] = dial();
    }
    assert_true(is_closed(fds[2], 2000));
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
    tear_down(state);
}

static void bodies_are_bounded_in_all(void **state)
{
    const int first =
        (start_with((struct http_server_config){
             .threads = 1, .connections_max = 8, .body_bytes_total_max = 1000}),
         dial());
    AUTO_BUF body = {0};

    (void)state;
    buf_init(&body, 4096);
    for (int i = 0; i < 700; i++) {
        buf_char(&body, 'a');
    }
    say(first, "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 701\r\n\r\n");
    say(first, buf_cstr(&body));
    usleep(100000);
    assert_starts(
        ask("POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 700\r\n\r\n"), "HTTP/1.1 503");
    assert_starts(
        ask(arena_printf(
            &fixture.arena,
            "POST /echo/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
            "chunked\r\n\r\n2bc\r\n%s\r\n0\r\n\r\n",
            buf_cstr(&body))),
        "HTTP/1.1 503");
    say(first, "b");
    assert_starts(hear(first, 2000), "HTTP/1.1 200");
    close(first);
    assert_starts(
        ask(arena_printf(
            &fixture.arena,
            "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 700\r\n\r\n%s",
            buf_cstr(&body))),
        "HTTP/1.1 200");
    tear_down(state);
}

static void idle_connections_are_closed(void **state)
{
    const int fd =
        (start_with((struct http_server_config){
             .threads = 1, .connections_max = 8, .idle_seconds_max = 1}),
         dial());

    (void)state;
    say(fd, "GET /get HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_starts(hear(fd, 2000), "HTTP/1.1 200");
    assert_true(is_closed(fd, 3000));
    close(fd);
    tear_down(state);
}

/* The limits: a first head within 10 s, 1 KiB/s of a body after 5 s. */
static void slow_peers_are_cut_off(void **state)
{
    const int head = dial();
    const int body = dial();
    const int brisk = dial();
    int head_steps = 0;
    int body_steps = 0;

    (void)state;
    say(head, "GET /get HTTP/1.1\r\nX: ");
    say(body, "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n");
    say(brisk, "POST /echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n");
    for (int i = 0; i < 60 && head_steps == 0; i++) {
        say(head, "a");
        say(body, "a");
        for (int j = 0; j < 50; j++) {
            say(brisk, "0123456789");
        }
        usleep(250000);
        body_steps = body_steps == 0 && is_closed(body, 0) ? i : body_steps;
        head_steps = head_steps == 0 && is_closed(head, 0) ? i : head_steps;
    }
    assert_in_range(body_steps, 18, 30);
    assert_in_range(head_steps, 36, 48);
    while (fixture.answer.len == 0) {
        say(brisk, "0123456789");
        (void)hear(brisk, 0);
        if (is_closed(brisk, 0)) {
            break;
        }
    }
    close(head);
    close(body);
    close(brisk);
}

static void the_listener_survives_a_lack_of_descriptors(void **state)
{
    AUTO_BUF metrics = {0};
    struct rlimit limit;
    struct rlimit low;
    int fillers[64];
    int count = 0;
    int first = -1;
    int second = -1;

    (void)state;
    assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
    usleep(200000); /* until the server has closed its end */
    first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)second + 40;
    setrlimit(RLIMIT_NOFILE, &low);
    while (count < 64 && (fillers[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        count++;
    }
    dial_with(first);
    assert_true(is_closed(first, 2000));
    dial_with(second);
    assert_true(is_closed(second, 2000));
    while (count > 0) {
        close(fillers[--count]);
    }
    setrlimit(RLIMIT_NOFILE, &limit);
    close(first);
    close(second);
    assert_starts(ask("GET /get HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200");
    buf_init(&metrics, (size_t)1024 * 1024);
    metrics_write(&metrics);
    assert_holds(
        buf_cstr(&metrics),
        "billingos_listener_accepts_total{listener=\"http\",result=\"refused_descriptors\"} 2");
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_body_over_the_maximum_is_413_before_it_is_read),
        WITH_SERVER(a_chunked_body_over_the_maximum_is_413_in_its_middle),
        WITH_SERVER(what_follows_a_lying_length_is_no_body),
        WITH_SERVER(malformed_requests_are_refused),
        WITH_SERVER(heads_are_bounded),
        WITH_SERVER(partial_requests_wait_and_bother_nobody),
        WITH_SERVER(a_peer_that_goes_away_leaves_nothing_behind),
        cmocka_unit_test(connections_are_bounded_in_all_and_by_peer),
        cmocka_unit_test(bodies_are_bounded_in_all),
        cmocka_unit_test(idle_connections_are_closed),
        WITH_SERVER(slow_peers_are_cut_off),
        WITH_SERVER(the_listener_survives_a_lack_of_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
