#include "handlers/pb.h"

#include <billingos/v1/customer_service.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"
#include "base/wallclock.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)

struct fixture {
    struct ctx cx; /* first: the state is read as one */
    struct arena arena;
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

static bool refused(struct status status, enum reason reason, const char *field)
{
    return status_reason(status) == reason && status.error->violation_count == 1 &&
           strcmp(status.error->violations[0].field, field) == 0;
}

static void times_are_read_to_the_microsecond_and_written_back(void **cx)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        int64_t us;
    } cases[] = {
        {1, 0, 1000000},
        {1764000000, 123456000, 1764000000123456},
        {-1, 999999000, -1},
        {-1, 0, -1000000},
        {-62135596800, 0, TIME_MIN_US},
        {253402300799, 999999000, TIME_MAX_US},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        const Google__Protobuf__Timestamp *back = NULL;
        int64_t us = 0;

        time.seconds = cases[i].seconds;
        time.nanos = cases[i].nanos;
        assert_int_equal(pb_read_time(*cx, "at", &time, &us).code, CODE_OK);
        assert_int_equal(us, cases[i].us);
        back = pb_time(*cx, us);
        assert_int_equal(back->seconds, time.seconds);
        assert_int_equal(back->nanos, time.nanos);
    }
}

static void what_is_below_a_microsecond_is_dropped(void **cx)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    int64_t us = 0;

    time.seconds = 5;
    time.nanos = 1999;
    assert_int_equal(pb_read_time(*cx, "at", &time, &us).code, CODE_OK);
    assert_int_equal(us, 5000001);
}

static void an_absent_time_is_zero_and_zero_is_absent(void **cx)
{
    int64_t us = 7;

    assert_int_equal(pb_read_time(*cx, "at", NULL, &us).code, CODE_OK);
    assert_int_equal(us, 0);
    assert_null(pb_time(*cx, 0));
}

static void times_that_are_none_are_refused(void **cx)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } cases[] = {
        {0, -1},
        {0, 1000000000},
        {0, INT32_MIN},
        {-62135596801, 0},
        {253402300800, 0},
        {INT64_MAX, 999999999},
        {INT64_MIN, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        int64_t us = 7;

        time.seconds = cases[i].seconds;
        time.nanos = cases[i].nanos;
        assert_true(refused(pb_read_time(*cx, "at", &time, &us), REASON_FIELD_INVALID, "at"));
        assert_int_equal(us, 7);
    }
}

static void durations_are_read_and_written(void **cx)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        bool valid;
        int64_t us;
    } cases[] = {
        {0, 0, true, 0},
        {5, 250000000, true, 5250000},
        {315576000000, 0, true, INT64_C(315576000000000000)},
        {315576000001, 0, false, 0},
        {-1, 0, false, 0},
        {0, -1, false, 0},
        {0, 1000000000, false, 0},
        {INT64_MIN, 0, false, 0},
        {INT64_MAX, 0, false, 0},
    };
    int64_t us = 7;

    assert_int_equal(pb_read_duration(*cx, "age", NULL, &us).code, CODE_OK);
    assert_int_equal(us, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
        struct status status;

        duration.seconds = cases[i].seconds;
        duration.nanos = cases[i].nanos;
        status = pb_read_duration(*cx, "age", &duration, &us);
        assert_int_equal(status.code == CODE_OK, cases[i].valid);
        if (cases[i].valid) {
            assert_int_equal(us, cases[i].us);
            assert_int_equal(pb_duration(*cx, us)->seconds, cases[i].seconds);
            assert_int_equal(pb_duration(*cx, us)->nanos, cases[i].nanos);
        }
    }
    assert_int_equal(pb_duration(*cx, -1500000)->seconds, -1);
    assert_int_equal(pb_duration(*cx, -1500000)->nanos, -500000000);
}

static void amounts_need_a_known_currency(void **cx)
{
    static const char *const bad[] = {"", "eur", "EURO", "XXQ", "E", "\xc3\x84\xc3\x96"};
    Billingos__V1__Money money = BILLINGOS__V1__MONEY__INIT;
    struct money read;

    money.minor_units = -1999;
    money.currency_code = pb_text("EUR");
    assert_int_equal(pb_read_money(*cx, "price", &money, &read).code, CODE_OK);
    assert_int_equal(read.minor, -1999);
    assert_string_equal(read.currency, "EUR");
    assert_string_equal(pb_money(*cx, read)->currency_code, "EUR");
    assert_int_equal(pb_money(*cx, read)->minor_units, -1999);
    assert_true(refused(pb_read_money(*cx, "price", NULL, &read), REASON_FIELD_INVALID, "price"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        money.currency_code = pb_text(bad[i]);
        assert_int_equal(pb_read_money(*cx, "price", &money, &read).code, CODE_INVALID_ARGUMENT);
    }
}

static void ids_are_of_the_kind_that_is_asked_for(void **cx)
{
    const struct id id = id_new(1764000000000000);
    const char *text = id_text(((struct ctx *)*cx)->arena, ID_CUSTOMER, &id);
    struct id read;

    assert_int_equal(pb_read_id(*cx, "customer_id", ID_CUSTOMER, text, &read).code, CODE_OK);
    assert_true(id_equal(&id, &read));
    assert_string_equal(pb_id(*cx, ID_CUSTOMER, &id), text);
    assert_string_equal(pb_id(*cx, ID_CUSTOMER, &(const struct id){{0}}), "");
    assert_true(
        refused(pb_read_id(*cx, "plan_id", ID_PLAN, text, &read), REASON_FIELD_INVALID, "plan_id"));
    assert_true(
        refused(pb_read_id(*cx, "plan_id", ID_PLAN, "", &read), REASON_FIELD_INVALID, "plan_id"));
}

static void texts_have_a_length_in_bytes(void **cx)
{
    assert_int_equal(pb_check_text(*cx, "name", "", 0, 3).code, CODE_OK);
    assert_int_equal(pb_check_text(*cx, "name", "abc", 1, 3).code, CODE_OK);
    assert_true(refused(pb_check_text(*cx, "name", "", 1, 3), REASON_FIELD_INVALID, "name"));
    assert_true(refused(pb_check_text(*cx, "name", "a", 2, 3), REASON_FIELD_INVALID, "name"));
    assert_true(refused(
        pb_check_text(*cx, "name", "\xc3\xa4\xc3\xa4", 1, 3), REASON_FIELD_INVALID, "name"));
}

static void keys_are_short_and_plain(void **cx)
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
        {"a\n", false},
        {"\xc3\xa4", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct status status = pb_check_key(*cx, "meter_key", cases[i].key);

        assert_int_equal(status.code == CODE_OK, cases[i].valid);
    }
}

static void page_sizes_have_a_fallback_and_a_maximum(void **cx)
{
    static const struct {
        int32_t asked;
        int32_t got;
    } cases[] = {{0, 50}, {1, 1}, {50, 50}, {200, 200}, {201, 200}, {INT32_MAX, 200}};
    int32_t size = 7;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(pb_read_page_size(*cx, cases[i].asked, 50, 200, &size).code, CODE_OK);
        assert_int_equal(size, cases[i].got);
    }
    assert_true(
        refused(pb_read_page_size(*cx, -1, 50, 200, &size), REASON_FIELD_INVALID, "page_size"));
    assert_int_equal(pb_read_page_size(*cx, INT32_MIN, 50, 200, &size).code, CODE_INVALID_ARGUMENT);
}

/* --- maps --------------------------------------------------------------------------------------
 */

typedef Billingos__V1__Customer__MetadataEntry metadata_entry;

static struct status
read_map(struct ctx *cx, const char *const pairs[][2], size_t count, const char **ret_json)
{
    metadata_entry **entries = arena_alloc(cx->arena, (count + 1) * sizeof(metadata_entry *));

    assert_non_null(entries);
    for (size_t i = 0; i < count; i++) {
        entries[i] = PB_NEW(cx, metadata_entry, billingos__v1__customer__metadata_entry__init);
        entries[i]->key = pb_text(pairs[i][0]);
        entries[i]->value = pb_text(pairs[i][1]);
    }
    return pb_read_map(cx, "metadata", count, entries, ret_json);
}

static void a_map_is_a_json_object_and_back(void **cx)
{
    static const char *const pairs[][2] = {{"a", "1"}, {"b", ""}, {"\"q\"", "x\\\"\n\xc3\xa4"}};
    metadata_entry *const *back = NULL;
    const char *json = "";
    size_t count = 0;

    assert_int_equal(read_map(*cx, pairs, 3, &json).code, CODE_OK);
    back = pb_map(*cx, json, &billingos__v1__customer__metadata_entry__descriptor, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t j = 0; j < ARRAY_LEN(pairs); j++) {
            found = found || (strcmp(back[i]->key, pairs[j][0]) == 0 &&
                              strcmp(back[i]->value, pairs[j][1]) == 0);
        }
        assert_true(found);
    }
    assert_int_equal(read_map(*cx, pairs, 0, &json).code, CODE_OK);
    assert_string_equal(json, "{}");
    assert_null(pb_map(*cx, "{}", &billingos__v1__customer__metadata_entry__descriptor, &count));
    assert_int_equal(count, 0);
    assert_null(pb_map(*cx, "", &billingos__v1__customer__metadata_entry__descriptor, &count));
    assert_null(pb_map(*cx, "junk", &billingos__v1__customer__metadata_entry__descriptor, &count));
}

/* A client may write the entries in another order each time; it is the same map. */
static void the_order_of_the_entries_does_not_matter(void **cx)
{
    static const char *const one[][2] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    static const char *const two[][2] = {{"c", "3"}, {"a", "1"}, {"b", "2"}};
    const char *first = "";
    const char *second = "-";

    assert_int_equal(read_map(*cx, one, 3, &first).code, CODE_OK);
    assert_int_equal(read_map(*cx, two, 3, &second).code, CODE_OK);
    assert_string_equal(first, second);
}

static void maps_that_are_too_large_are_refused(void **cx)
{
    char texts[51][8];
    const char *pairs[51][2];
    char long_key[42];
    char long_value[502];
    const char *json = "";

    for (size_t i = 0; i < 51; i++) {
        snprintf(texts[i], sizeof texts[i], "k%zu", i);
        pairs[i][0] = texts[i];
        pairs[i][1] = "v";
    }
    assert_int_equal(read_map(*cx, pairs, 50, &json).code, CODE_OK);
    assert_true(refused(read_map(*cx, pairs, 51, &json), REASON_FIELD_INVALID, "metadata"));
    memset(long_key, 'k', sizeof long_key);
    memset(long_value, 'v', sizeof long_value);
    long_key[40] = '\0';
    long_value[500] = '\0';
    pairs[0][0] = long_key;
    pairs[0][1] = long_value;
    assert_int_equal(read_map(*cx, pairs, 1, &json).code, CODE_OK);
    long_key[40] = 'k';
    long_key[41] = '\0';
    assert_int_equal(read_map(*cx, pairs, 1, &json).code, CODE_INVALID_ARGUMENT);
    long_key[0] = '\0';
    assert_int_equal(read_map(*cx, pairs, 1, &json).code, CODE_INVALID_ARGUMENT);
    pairs[0][0] = "k";
    long_value[500] = 'v';
    long_value[501] = '\0';
    assert_int_equal(read_map(*cx, pairs, 1, &json).code, CODE_INVALID_ARGUMENT);
}

static void other_maps_have_other_limits(void **cx)
{
    static const struct pb_map_limits limits = {
        .entries_max = 2, .key_bytes_max = 3, .value_bytes_max = 1};
    static const char *const good[][2] = {{"b", "1"}, {"abc", ""}};
    static const char *const bad[][2] = {{"abcd", "1"}, {"a", "12"}, {"", "1"}};
    const char *json = "";
    metadata_entry entry = BILLINGOS__V1__CUSTOMER__METADATA_ENTRY__INIT;
    metadata_entry second = BILLINGOS__V1__CUSTOMER__METADATA_ENTRY__INIT;
    metadata_entry *entries[] = {&entry, &second, &second};

    entry.key = pb_text(good[0][0]);
    entry.value = pb_text(good[0][1]);
    second.key = pb_text(good[1][0]);
    second.value = pb_text(good[1][1]);
    assert_int_equal(pb_read_limited_map(*cx, "p", &limits, 2, entries, &json).code, CODE_OK);
    assert_string_equal(json, "{\"abc\":\"\",\"b\":\"1\"}");
    assert_true(refused(
        pb_read_limited_map(*cx, "p", &limits, 3, entries, &json), REASON_FIELD_INVALID, "p"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        entry.key = pb_text(bad[i][0]);
        entry.value = pb_text(bad[i][1]);
        entries[0] = &entry;
        assert_true(refused(
            pb_read_limited_map(*cx, "p", &limits, 1, entries, &json), REASON_FIELD_INVALID, "p"));
    }
}

static void lists_have_a_length(void **cx)
{
    const struct status status = pb_check_count(*cx, "events", 1001, 1000);

    assert_int_equal(pb_check_count(*cx, "events", 1000, 1000).code, CODE_OK);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_int_equal(status_reason(status), REASON_LIMIT_EXCEEDED);
    assert_int_equal(status.error->pair_count, 3);
    assert_string_equal(status.error->pairs[0].value, "events");
    assert_string_equal(status.error->pairs[1].value, "1001");
    assert_string_equal(status.error->pairs[2].value, "1000");
}

static void a_key_that_is_there_twice_is_refused(void **cx)
{
    static const char *const pairs[][2] = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
    const char *json = "";

    assert_true(refused(read_map(*cx, pairs, 3, &json), REASON_FIELD_INVALID, "metadata"));
}

/* --- masks -------------------------------------------------------------------------------------
 */

static void a_mask_names_what_changes(void **cx)
{
    static const char *const allowed[] = {"name", "email", NULL};
    static const char *const no_fields[] = {NULL};
    char *paths[] = {pb_text("name"), pb_text("email")};
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    struct status status;

    assert_true(pb_masked(NULL, "name"));
    assert_true(pb_masked(&mask, "name"));
    mask.n_paths = 1;
    mask.paths = paths;
    assert_true(pb_masked(&mask, "name"));
    assert_false(pb_masked(&mask, "email"));
    assert_int_equal(pb_check_mask(*cx, &mask, allowed).code, CODE_OK);
    assert_int_equal(pb_check_mask(*cx, NULL, allowed).code, CODE_OK);
    status = pb_check_mask(*cx, &mask, no_fields);
    assert_true(refused(status, REASON_UPDATE_MASK_INVALID, "update_mask"));
    assert_string_equal(status.error->pairs[0].value, "name");
    paths[0] = pb_text("*");
    assert_true(pb_masked(&mask, "email"));
    assert_int_equal(pb_check_mask(*cx, &mask, allowed).code, CODE_OK);
    paths[0] = pb_text("Name");
    assert_int_equal(pb_check_mask(*cx, &mask, allowed).code, CODE_INVALID_ARGUMENT);
    paths[0] = pb_text("");
    assert_int_equal(pb_check_mask(*cx, &mask, allowed).code, CODE_INVALID_ARGUMENT);
}

#define PB_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PB_TEST(times_are_read_to_the_microsecond_and_written_back),
        PB_TEST(what_is_below_a_microsecond_is_dropped),
        PB_TEST(an_absent_time_is_zero_and_zero_is_absent),
        PB_TEST(times_that_are_none_are_refused),
        PB_TEST(durations_are_read_and_written),
        PB_TEST(amounts_need_a_known_currency),
        PB_TEST(ids_are_of_the_kind_that_is_asked_for),
        PB_TEST(texts_have_a_length_in_bytes),
        PB_TEST(keys_are_short_and_plain),
        PB_TEST(page_sizes_have_a_fallback_and_a_maximum),
        PB_TEST(a_map_is_a_json_object_and_back),
        PB_TEST(the_order_of_the_entries_does_not_matter),
        PB_TEST(maps_that_are_too_large_are_refused),
        PB_TEST(other_maps_have_other_limits),
        PB_TEST(lists_have_a_length),
        PB_TEST(a_key_that_is_there_twice_is_refused),
        PB_TEST(a_mask_names_what_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
