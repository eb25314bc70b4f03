#include "rpc/rpc_cork.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
    int server;
    int client;
};

/* A connection over loopback: TCP_CORK is TCP's. */
static struct pair pair_new(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct pair pair = {.client = socket(AF_INET, SOCK_STREAM, 0)};
    const int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(pair.client, (struct sockaddr *)&address, len), 0);
    pair.server = accept(listener, NULL, NULL);
    assert_true(pair.server >= 0);
    assert_int_equal(setsockopt(pair.server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    close(listener);
    return pair;
}

static void pair_close(struct pair pair)
{
    close(pair.server);
    close(pair.client);
}

static void answer(struct rpc_cork *cork, int fd)
{
    rpc_cork_answer(cork, fd);
    assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

/* Bytes that have come; loopback hands over before send() returns. */
static int came(int fd)
{
    char bytes[64];
    const ssize_t len = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);

    return len < 0 ? 0 : (int)len;
}

static void a_single_answer_waits_for_nothing(void **state)
{
    struct rpc_cork cork = {0};
    struct pair pair = pair_new();

    (void)state;
    assert_false(rpc_cork_holds(&cork));
    answer(&cork, pair.server);
    assert_true(rpc_cork_holds(&cork));
    assert_int_equal(came(pair.client), 1);
    pair_close(pair);
}

static void the_others_of_a_burst_wait_for_the_release(void **state)
{
    struct rpc_cork cork = {0};
    struct pair one = pair_new();
    struct pair two = pair_new();

    (void)state;
    answer(&cork, one.server);
    answer(&cork, one.server);
    answer(&cork, two.server);
    answer(&cork, two.server);
    assert_int_equal(came(one.client), 1);
    assert_int_equal(came(two.client), 0);
    rpc_cork_release(&cork);
    assert_false(rpc_cork_holds(&cork));
    assert_int_equal(came(one.client), 2);
    assert_int_equal(came(two.client), 2);
    answer(&cork, one.server);
    assert_int_equal(came(one.client), 3);
    pair_close(one);
    pair_close(two);
}

static void a_burst_is_limited(void **state)
{
    struct rpc_cork cork = {0};
    struct pair pair = pair_new();

    (void)state;
    for (int i = 0; i < RPC_CORK_ANSWERS_MAX; i++) {
        assert_false(rpc_cork_is_full(&cork));
        answer(&cork, pair.server);
    }
    assert_true(rpc_cork_is_full(&cork));
    rpc_cork_release(&cork);
    assert_int_equal(came(pair.client), RPC_CORK_ANSWERS_MAX);
    pair_close(pair);
}

static void what_cannot_be_held_back_is_sent(void **state)
{
    struct rpc_cork cork = {0};
    int local[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, local), 0);
    answer(&cork, local[0]);
    answer(&cork, local[0]);
    assert_int_equal(came(local[1]), 2);
    rpc_cork_answer(&cork, -1);
    assert_int_equal(cork.fd_count, 0);
    rpc_cork_release(&cork);
    close(local[0]);
    close(local[1]);
}

static void a_descriptor_that_was_closed_meanwhile_is_passed_over(void **state)
{
    struct rpc_cork cork = {0};
    struct pair pair = pair_new();

    (void)state;
    answer(&cork, pair.server);
    answer(&cork, pair.server);
    close(pair.server);
    rpc_cork_release(&cork);
    assert_int_equal(came(pair.client), 2);
    close(pair.client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_answer_waits_for_nothing),
        cmocka_unit_test(the_others_of_a_burst_wait_for_the_release),
        cmocka_unit_test(a_burst_is_limited),
        cmocka_unit_test(what_cannot_be_held_back_is_sent),
        cmocka_unit_test(a_descriptor_that_was_closed_meanwhile_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
