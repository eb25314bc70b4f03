#include "domain/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/heap.h"

#define ARENA_BYTES_MAX ((size_t)256 * 1024)

struct fixture {
    struct arena arena;
    struct ctx cx;
};

static int setup(void **state)
{
    struct fixture *fixture = heap_new(sizeof *fixture);

    arena_init(&fixture->arena, NULL, 0, ARENA_BYTES_MAX);
    ctx_init(&fixture->cx, &fixture->arena, "test");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

static struct meter valid(void)
{
    return (struct meter){
        .key = "api_calls",
        .name = "API calls",
        .description = "",
        .aggregation = METER_SUM,
        .value_property = "",
        .unit = "call",
        .metadata = "{}",
        .stripe_meter_id = "",
    };
}

static bool violates(struct status status, const char *field)
{
    for (size_t i = 0; status.error != NULL && i < status.error->violation_count; i++) {
        if (strcmp(status.error->violations[i].field, field) == 0) {
            return true;
        }
    }
    return false;
}

static void a_valid_meter_is_taken(void **state)
{
    static const char *const dimensions[] = {"region", "model"};
    struct fixture *fixture = *state;
    struct meter meter = valid();

    assert_int_equal(meter_check(&fixture->cx, "meter", &meter).code, CODE_OK);
    meter.aggregation = METER_COUNT;
    meter.unit = "";
    meter.dimensions = dimensions;
    meter.dimension_count = 2;
    assert_int_equal(meter_check(&fixture->cx, "meter", &meter).code, CODE_OK);
}

static void each_field_that_is_wrong_is_named(void **state)
{
    static const char *const empty[] = {""};
    struct fixture *fixture = *state;
    struct meter meter = valid();
    struct status status;

    meter.key = "API calls";
    meter.name = "";
    meter.aggregation = METER_MAX;
    meter.value_property = "tokens";
    meter.dimensions = empty;
    meter.dimension_count = 1;
    status = meter_check(&fixture->cx, "meter", &meter);
    assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_true(violates(status, "meter.meter_key"));
    assert_true(violates(status, "meter.name"));
    assert_true(violates(status, "meter.aggregation"));
    assert_true(violates(status, "meter.value_property"));
    assert_false(violates(status, "meter.unit_name"));
}

static void keys_are_short_and_plain(void **state)
{
    static const struct {
        const char *key;
        bool valid;
    } cases[] = {
        {"a", true},
        {"0", true},
        {"a.b-c_d", true},
        {"", false},
        {"A", false},
        {"_a", false},
        {".a", false},
        {"-a", false},
        {"a b", false},
        {"a/b", false},
        {"\xc3\xa4", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct meter meter = valid();

        meter.key = cases[i].key;
        assert_int_equal(
            meter_check(&fixture->cx, "meter", &meter).code == CODE_OK, cases[i].valid);
    }
}

static void what_is_counted_can_only_be_a_sum_or_a_count_yet(void **state)
{
    struct fixture *fixture = *state;

    for (int i = METER_SUM; i <= METER_TIME_WEIGHTED; i++) {
        const bool live = i == METER_SUM || i == METER_COUNT;
        struct meter meter = valid();

        meter.aggregation = (enum meter_aggregation)i;
        assert_int_equal(meter_check(&fixture->cx, "meter", &meter).code == CODE_OK, live);
    }
}

static void names_are_read_back(void **state)
{
    enum meter_aggregation aggregation = METER_LAST;

    (void)state;
    for (int i = METER_SUM; i <= METER_TIME_WEIGHTED; i++) {
        assert_true(meter_aggregation_parse(
            meter_aggregation_name((enum meter_aggregation)i), &aggregation));
        assert_int_equal(aggregation, i);
    }
    assert_false(meter_aggregation_parse("", &aggregation));
    assert_false(meter_aggregation_parse("AVERAGE", &aggregation));
    assert_false(meter_aggregation_parse("sum", &aggregation));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_valid_meter_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(each_field_that_is_wrong_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_short_and_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_counted_can_only_be_a_sum_or_a_count_yet, setup, teardown),
        cmocka_unit_test(names_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
