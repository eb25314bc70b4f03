#include "domain/entitlement_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define SOURCES_MAX 12
#define ROUNDS 100000

static struct id feature(uint8_t number)
{
    return (struct id){{number}};
}

static struct entitlement source(uint8_t number, enum decision_reason access, int64_t limit)
{
    return (struct entitlement){
        .feature_id = feature(number),
        .kind = FEATURE_METERED,
        .access = access,
        .limit = limit,
        .overage_policy = OVERAGE_DENY,
        .config = "",
        .provenance = PROVENANCE_PLAN,
    };
}

static struct entitlement merge_two(struct entitlement a, struct entitlement b)
{
    const struct entitlement sources[] = {a, b};
    struct entitlement merged[2];

    assert_int_equal(entitlement_merge(sources, 2, merged), 1);
    return merged[0];
}

static void nothing_gives_nothing(void **state)
{
    struct entitlement merged[1];

    (void)state;
    assert_int_equal(entitlement_merge(NULL, 0, merged), 0);
}

static void each_feature_has_one_row_in_the_order_of_its_first_source(void **state)
{
    const struct entitlement sources[] = {
        source(3, DECISION_GRANTED, 1),
        source(1, DECISION_GRANTED, 2),
        source(3, DECISION_GRANTED, 4),
        source(2, DECISION_GRANTED, 8),
        source(1, DECISION_GRANTED, 16),
    };
    struct entitlement merged[5];

    (void)state;
    assert_int_equal(entitlement_merge(sources, ARRAY_LEN(sources), merged), 3);
    assert_int_equal(merged[0].feature_id.bytes[0], 3);
    assert_int_equal(merged[0].limit, 5);
    assert_int_equal(merged[1].feature_id.bytes[0], 1);
    assert_int_equal(merged[1].limit, 18);
    assert_int_equal(merged[2].limit, 8);
}

static void access_wins_over_denial_wherever_it_stands(void **state)
{
    static const enum decision_reason denials[] = {
        DECISION_PAYMENT_OVERDUE,
        DECISION_PAYMENT_INCOMPLETE,
        DECISION_SUBSCRIPTION_PAUSED,
        DECISION_NOT_YET_ACTIVE,
        DECISION_REVOKED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
        const struct entitlement denied = source(1, denials[i], 1000);
        const struct entitlement granted = source(1, DECISION_GRANTED, 10);
        const struct entitlement grace = source(1, DECISION_GRANTED_GRACE, 10);

        assert_int_equal(merge_two(denied, granted).access, DECISION_GRANTED);
        assert_int_equal(merge_two(granted, denied).access, DECISION_GRANTED);
        assert_int_equal(merge_two(denied, grace).access, DECISION_GRANTED_GRACE);
        /* The limit of what is denied is not given. */
        assert_int_equal(merge_two(denied, granted).limit, 10);
        assert_int_equal(merge_two(granted, denied).limit, 10);
        assert_int_equal(merge_two(denied, source(1, DECISION_REVOKED, 5)).access, denials[i]);
    }
}

static void limits_add_up_and_unlimited_wins(void **state)
{
    struct entitlement unlimited = source(1, DECISION_GRANTED, 0);

    (void)state;
    unlimited.unlimited = true;
    assert_int_equal(
        merge_two(source(1, DECISION_GRANTED, 100), source(1, DECISION_GRANTED, 50)).limit, 150);
    assert_int_equal(
        merge_two(source(1, DECISION_GRANTED, INT64_MAX), source(1, DECISION_GRANTED, 1)).limit,
        INT64_MAX);
    assert_true(merge_two(source(1, DECISION_GRANTED, 100), unlimited).unlimited);
    assert_true(merge_two(unlimited, source(1, DECISION_GRANTED, 100)).unlimited);
}

static void the_first_source_says_how_it_is_counted(void **state)
{
    struct entitlement base = source(1, DECISION_GRANTED, 100);
    struct entitlement addon = source(1, DECISION_GRANTED, 50);
    struct entitlement merged;

    (void)state;
    base.window.reset = RESET_MONTH;
    base.overage_policy = OVERAGE_BILL;
    base.config = "{\"number\":1}";
    addon.window.reset = RESET_DAY;
    addon.overage_policy = OVERAGE_ALLOW;
    addon.config = "{\"number\":2}";
    addon.provenance = PROVENANCE_ADDON;
    merged = merge_two(base, addon);
    assert_int_equal(merged.window.reset, RESET_MONTH);
    assert_int_equal(merged.overage_policy, OVERAGE_BILL);
    assert_string_equal(merged.config, "{\"number\":1}");
    assert_int_equal(merged.provenance, PROVENANCE_PLAN);
}

static void an_override_stands_instead_of_everything_else(void **state)
{
    struct entitlement override = source(1, DECISION_GRANTED, 7);
    struct entitlement unlimited = source(1, DECISION_GRANTED, 0);
    struct entitlement merged;

    (void)state;
    override.provenance = PROVENANCE_OVERRIDE;
    unlimited.unlimited = true;
    unlimited.access_until_us = 5;
    merged = merge_two(override, unlimited);
    assert_int_equal(merged.limit, 7);
    assert_false(merged.unlimited);
    assert_int_equal(merged.access_until_us, 0);
}

static void the_row_is_rebuilt_when_the_first_of_its_sources_ends(void **state)
{
    struct entitlement early = source(1, DECISION_GRANTED, 1);
    struct entitlement late = source(1, DECISION_GRANTED_GRACE, 1);
    const struct entitlement lasting = source(1, DECISION_GRANTED, 1);

    (void)state;
    early.access_until_us = 10;
    late.access_until_us = 20;
    assert_int_equal(merge_two(early, late).access_until_us, 10);
    assert_int_equal(merge_two(late, early).access_until_us, 10);
    assert_int_equal(merge_two(lasting, late).access_until_us, 20);
    assert_int_equal(merge_two(late, lasting).access_until_us, 20);
    assert_int_equal(merge_two(lasting, lasting).access_until_us, 0);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool allows(const struct entitlement *entitlement)
{
    return entitlement->access == DECISION_GRANTED || entitlement->access == DECISION_GRANTED_GRACE;
}

/* One feature after the other, with all its sources: the sum of those that allow, else the first.
 */
static void
check_feature(const struct entitlement *sources, size_t count, const struct entitlement *merged)
{
    const struct entitlement *first = NULL;
    int64_t limit = 0;
    bool unlimited = false;

    for (size_t i = 0; i < count; i++) {
        if (id_equal(&sources[i].feature_id, &merged->feature_id) && allows(&sources[i])) {
            first = first == NULL ? &sources[i] : first;
            limit += sources[i].limit;
            unlimited = unlimited || sources[i].unlimited;
        }
    }
    for (size_t i = 0; i < count && first == NULL; i++) {
        if (id_equal(&sources[i].feature_id, &merged->feature_id)) {
            first = &sources[i];
            limit = first->limit;
            unlimited = first->unlimited;
        }
    }
    if (first == NULL) {
        fail_msg("a row without a source");
        return;
    }
    assert_int_equal(merged->access, first->access);
    assert_int_equal(merged->limit, limit);
    assert_int_equal(merged->unlimited, unlimited);
    assert_int_equal(merged->plan_version, first->plan_version);
}

static void merging_agrees_with_a_plain_model(void **state)
{
    static const enum decision_reason accesses[] = {
        DECISION_GRANTED, DECISION_GRANTED_GRACE, DECISION_PAYMENT_OVERDUE, DECISION_REVOKED};
    uint64_t seed = 4101842887655102017;

    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct entitlement sources[SOURCES_MAX];
        struct entitlement merged[SOURCES_MAX];
        const size_t count = next_random(&seed) % (SOURCES_MAX + 1);
        size_t merged_count = 0;

        for (size_t i = 0; i < count; i++) {
            sources[i] = source(
                (uint8_t)(next_random(&seed) % 4),
                accesses[next_random(&seed) % ARRAY_LEN(accesses)],
                (int64_t)(next_random(&seed) % 100));
            sources[i].unlimited = next_random(&seed) % 5 == 0;
            sources[i].plan_version = (int32_t)i;
        }
        merged_count = entitlement_merge(sources, count, merged);
        assert_true(merged_count <= 4);
        for (size_t i = 0; i < merged_count; i++) {
            check_feature(sources, count, &merged[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_gives_nothing),
        cmocka_unit_test(each_feature_has_one_row_in_the_order_of_its_first_source),
        cmocka_unit_test(access_wins_over_denial_wherever_it_stands),
        cmocka_unit_test(limits_add_up_and_unlimited_wins),
        cmocka_unit_test(the_first_source_says_how_it_is_counted),
        cmocka_unit_test(an_override_stands_instead_of_everything_else),
        cmocka_unit_test(the_row_is_rebuilt_when_the_first_of_its_sources_ends),
        cmocka_unit_test(merging_agrees_with_a_plain_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
