#include "rpc/rpc_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "rpc_fixture.h"

static const struct rpc_peers_life no_limit = {INT64_MAX, INT64_MAX};
static const struct rpc_peers_life idle_quarter = {INT64_MAX / 4, INT64_MAX};
static const struct rpc_peers_life old_second = {INT64_MAX, 1000000};

static struct sockaddr_storage from_v4(const char *text)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};

    inet_pton(AF_INET, text, &((struct sockaddr_in *)&storage)->sin_addr);
    ((struct sockaddr_in *)&storage)->sin_port = htons(4711);
    return storage;
}

static struct sockaddr_storage from_v6(const char *text)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET6};

    inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&storage)->sin6_addr);
    ((struct sockaddr_in6 *)&storage)->sin6_port = htons(4711);
    return storage;
}

static int open_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static void the_total_is_limited_and_closed_ones_do_not_count(void **state)
{
    const struct sockaddr_storage address = from_v4("10.0.0.1");
    struct rpc_peers *peers = NULL;
    int fds[4];

    assert_int_equal(rpc_peers_new(fixture_cx(state), 3, 0, &peers).code, CODE_OK);
    for (int i = 0; i < 4; i++) {
        fds[i] = open_socket();
        assert_int_equal(
            rpc_peers_add(peers, fds[i], &address), i < 3 ? RPC_PEERS_OK : RPC_PEERS_TOTAL_MAX);
    }
    close(fds[1]);
    usleep(25000);
    assert_int_equal(rpc_peers_add(peers, fds[3], &address), RPC_PEERS_OK);
    assert_int_equal(rpc_peers_sweep(peers, 0, no_limit), 3);
    rpc_peers_remove(peers, fds[0]);
    rpc_peers_remove(peers, fds[0]);
    assert_int_equal(rpc_peers_sweep(peers, 0, no_limit), 2);
    rpc_peers_free(peers);
    close(fds[0]);
    close(fds[2]);
    close(fds[3]);
}

static void one_peer_may_not_take_all(void **state)
{
    const struct {
        struct sockaddr_storage address;
        enum rpc_peers_verdict verdict;
    } cases[] = {
        {from_v4("10.0.0.1"), RPC_PEERS_OK},
        {from_v4("10.0.0.1"), RPC_PEERS_OK},
        {from_v4("10.0.0.1"), RPC_PEERS_PEER_MAX},
        {from_v4("10.0.0.2"), RPC_PEERS_OK},
        {from_v6("2001:db8:1:2::1"), RPC_PEERS_OK},
        {from_v6("2001:db8:1:2::2"), RPC_PEERS_OK},
        {from_v6("2001:db8:1:2:ffff::3"), RPC_PEERS_PEER_MAX}, /* the same /64 */
        {from_v6("2001:db8:1:3::1"), RPC_PEERS_OK},
        {from_v6("::ffff:10.0.0.9"), RPC_PEERS_OK},
        {from_v6("::ffff:10.0.0.9"), RPC_PEERS_OK},
        {from_v6("::ffff:10.0.0.9"), RPC_PEERS_PEER_MAX},
        {from_v6("::ffff:10.0.0.8"), RPC_PEERS_OK},
        {from_v4("127.0.0.1"), RPC_PEERS_OK},
        {from_v4("127.0.0.1"), RPC_PEERS_OK},
        {from_v4("127.0.0.1"), RPC_PEERS_OK}, /* a front stands there */
        {from_v6("::1"), RPC_PEERS_OK},
        {from_v6("::1"), RPC_PEERS_OK},
        {from_v6("::1"), RPC_PEERS_OK},
        {{.ss_family = AF_UNIX}, RPC_PEERS_OK},
        {{.ss_family = AF_UNIX}, RPC_PEERS_OK},
        {{.ss_family = AF_UNIX}, RPC_PEERS_OK},
    };
    struct rpc_peers *peers = NULL;
    int fds[ARRAY_LEN(cases)];

    assert_int_equal(rpc_peers_new(fixture_cx(state), 100, 2, &peers).code, CODE_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fds[i] = open_socket();
        assert_int_equal(rpc_peers_add(peers, fds[i], &cases[i].address), cases[i].verdict);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        close(fds[i]);
    }
    rpc_peers_free(peers);
}

static void idle_connections_are_told_first_and_then_closed(void **state)
{
    const struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct rpc_peers *peers = NULL;
    unsigned char got[64];
    int pair[2];

    assert_int_equal(rpc_peers_new(fixture_cx(state), 10, 0, &peers).code, CODE_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(rpc_peers_add(peers, pair[0], &address), RPC_PEERS_OK);
    assert_int_equal(rpc_peers_sweep(peers, INT64_MAX / 2, idle_quarter), 1);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), 17);
    assert_int_equal(got[3], 7);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), -1);
    assert_int_equal(rpc_peers_sweep(peers, INT64_MAX / 2, idle_quarter), 1);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), 0);
    rpc_peers_free(peers);
    close(pair[0]);
    close(pair[1]);
}

static void old_connections_are_told_and_their_calls_finish(void **state)
{
    const struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct rpc_peers *peers = NULL;
    unsigned char got[64];
    int64_t now_us = 0;
    int pair[2];

    assert_int_equal(rpc_peers_new(fixture_cx(state), 10, 0, &peers).code, CODE_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(rpc_peers_add(peers, pair[0], &address), RPC_PEERS_OK);
    now_us = monotonic_us();
    assert_int_equal(rpc_peers_sweep(peers, now_us + 700000, old_second), 1);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), -1);
    assert_int_equal(rpc_peers_sweep(peers, now_us + 1100000, old_second), 1);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), 17);
    assert_int_equal(rpc_peers_sweep(peers, now_us + 1200000, old_second), 1);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), 0);
    rpc_peers_free(peers);
    close(pair[0]);
    close(pair[1]);
}

static void all_are_told_to_go_away_at_the_end(void **state)
{
    const struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct rpc_peers *peers = NULL;
    unsigned char got[64];
    int pair[2];

    assert_int_equal(rpc_peers_new(fixture_cx(state), 10, 0, &peers).code, CODE_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(rpc_peers_add(peers, pair[0], &address), RPC_PEERS_OK);
    rpc_peers_go_away(peers);
    assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), 17);
    rpc_peers_free(peers);
    close(pair[0]);
    close(pair[1]);
}

static void unknown_peers_are_nobody(void **state)
{
    const struct rpc_peer peer = rpc_peers_call_begins(NULL, NULL, 0);

    (void)state;
    assert_int_equal(peer.fd, -1);
    rpc_peers_call_ends(NULL, peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_total_is_limited_and_closed_ones_do_not_count, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(one_peer_may_not_take_all, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            idle_connections_are_told_first_and_then_closed, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            old_connections_are_told_and_their_calls_finish, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            all_are_told_to_go_away_at_the_end, fixture_new, fixture_free),
        cmocka_unit_test(unknown_peers_are_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
