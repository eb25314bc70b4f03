#include "rpc/rpc_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc_fixture.h"

static void addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        const char *written;
        bool local;
    } cases[] = {
        {"127.0.0.1:9090", "127.0.0.1:9090", true},
        {"127.9.9.9:0", "127.9.9.9:0", true},
        {"[::1]:80", "[::1]:80", true},
        {"[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", true},
        {"0.0.0.0:9090", "0.0.0.0:9090", false},
        {"[::]:9090", "[::]:9090", false},
        {"10.1.2.3:65535", "10.1.2.3:65535", false},
        {"unix:/tmp/a b.sock", "unix:/tmp/a b.sock", true},
    };
    struct ctx *cx = fixture_cx(state);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rpc_address address;

        assert_int_equal(rpc_address_parse(cx, cases[i].text, &address).code, CODE_OK);
        assert_string_equal(rpc_address_text(cx, &address), cases[i].written);
        assert_int_equal(rpc_address_is_local(&address), cases[i].local);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        ":",
        "9090",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:-1",
        ":80",
        "127.0.0.1:65536",
        "::1:80",
        "[]:80",
        "unix:",
    };
    struct ctx *cx = fixture_cx(state);
    struct rpc_address address;
    char path[200] = "unix:";

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct status status = rpc_address_parse(cx, cases[i], &address);

        assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
        assert_string_equal(status.error->violations[0].field, "listen");
    }
    memset(path + 5, 'x', 150);
    assert_int_equal(status_reason(rpc_address_parse(cx, path, &address)), REASON_FIELD_INVALID);
}

static void a_free_port_is_picked_and_told(void **state)
{
    struct ctx *cx = fixture_cx(state);
    struct rpc_address address;
    int fd = -1;
    int second = -1;

    assert_int_equal(rpc_address_parse(cx, "127.0.0.1:0", &address).code, CODE_OK);
    assert_int_equal(rpc_address_listen(cx, &address, &fd).code, CODE_OK);
    assert_string_not_equal(rpc_address_text(cx, &address), "127.0.0.1:0");
    assert_int_equal(
        status_reason(rpc_address_listen(cx, &address, &second)), REASON_FIELD_INVALID);
    close(fd);
}

static void a_socket_file_is_replaced_only_when_nobody_listens(void **state)
{
    struct ctx *cx = fixture_cx(state);
    char folder[] = "/tmp/rpc_address_XXXXXX";
    const char *path = NULL;
    struct rpc_address address;
    int fd = -1;
    int second = -1;

    assert_non_null(mkdtemp(folder));
    path = arena_printf(cx->arena, "unix:%s/s", folder);
    assert_int_equal(rpc_address_parse(cx, path, &address).code, CODE_OK);
    assert_int_equal(rpc_address_listen(cx, &address, &fd).code, CODE_OK);
    assert_int_equal(rpc_address_listen(cx, &address, &second).code, CODE_INVALID_ARGUMENT);
    close(fd);
    assert_int_equal(rpc_address_listen(cx, &address, &second).code, CODE_OK);
    close(second);
    unlink(path + 5);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_are_read_and_written, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(other_texts_are_refused, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(a_free_port_is_picked_and_told, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            a_socket_file_is_replaced_only_when_nobody_listens, fixture_new, fixture_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
