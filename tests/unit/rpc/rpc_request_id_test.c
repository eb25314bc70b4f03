#include "rpc/rpc_request_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void ids_count_up_and_sort(void **state)
{
    struct rpc_request_ids ids;
    char last[RPC_REQUEST_ID_LEN + 1] = "";
    char next[RPC_REQUEST_ID_LEN + 1];

    (void)state;
    rpc_request_ids_init(&ids, INT64_C(1700000000000000));
    for (int i = 0; i < 100000; i++) {
        rpc_request_ids_next(&ids, next);
        assert_int_equal(strlen(next), RPC_REQUEST_ID_LEN);
        assert_memory_equal(next, "req_", 4);
        assert_true(strcmp(last, next) < 0);
        memcpy(last, next, sizeof last);
    }
    rpc_request_ids_refresh(&ids, INT64_C(1700000001000000));
    rpc_request_ids_next(&ids, next);
    assert_true(strcmp(last, next) < 0);
}

static void letters_that_look_alike_are_not_used(void **state)
{
    struct rpc_request_ids ids;
    char next[RPC_REQUEST_ID_LEN + 1];

    (void)state;
    rpc_request_ids_init(&ids, INT64_C(1700000000000000));
    for (int i = 0; i < 5000; i++) {
        rpc_request_ids_next(&ids, next);
        assert_int_equal(
            strspn(next + 4, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), RPC_REQUEST_ID_LEN - 4);
    }
}

static void the_count_starts_again_at_its_end(void **state)
{
    struct rpc_request_ids ids;
    char next[RPC_REQUEST_ID_LEN + 1];

    (void)state;
    rpc_request_ids_init(&ids, 0);
    memset(ids.next + RPC_REQUEST_ID_LEN - 7, 'Z', 7);
    rpc_request_ids_next(&ids, next);
    assert_string_equal(next + RPC_REQUEST_ID_LEN - 7, "ZZZZZZZ");
    rpc_request_ids_next(&ids, next);
    assert_string_equal(next + RPC_REQUEST_ID_LEN - 7, "0000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_count_up_and_sort),
        cmocka_unit_test(letters_that_look_alike_are_not_used),
        cmocka_unit_test(the_count_starts_again_at_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
