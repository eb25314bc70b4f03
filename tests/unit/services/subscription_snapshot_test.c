#include "services/subscription_snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/intent_failure.h"

static void release(struct arena **arena)
{
    arena_release(*arena);
}

#define TEST_CX(cx)                                        \
    struct arena arena_;                                   \
    AUTO(release) struct arena *guard_ = &arena_;          \
    struct ctx cx;                                         \
    arena_init(&arena_, NULL, 0, (size_t)4 * 1024 * 1024); \
    (void)guard_;                                          \
    ctx_init(&(cx), &arena_, "test")

static struct subscription filled(void)
{
    static const struct subscription_item items[] = {
        {.item_id = {{1}},
         .price_id = {{2}},
         .plan_id = {{3}},
         .plan_key = "pro",
         .plan_version = 2,
         .quantity = 5,
         .meter_key = ""},
        {.item_id = {{4}},
         .price_id = {{5}},
         .plan_id = {{3}},
         .plan_key = "pro",
         .plan_version = 2,
         .meter_key = "calls"},
    };

    return (struct subscription){
        .subscription_id = {{10}},
        .customer_id = {{11}},
        .external_customer_id = "ext \"1\"",
        .status = SUBSCRIPTION_PAST_DUE,
        .plan_id = {{3}},
        .plan_key = "pro",
        .plan_version = 2,
        .price_id = {{2}},
        .quantity = 5,
        .currency = "EUR",
        .failure_reason = "PAYMENT_DECLINED",
        .decline_code = "insufficient_funds",
        .stripe_subscription_id = "sub_1",
        .latest_invoice_id = {{12}},
        .trial_start_us = 1,
        .trial_end_us = 2,
        .period_start_us = 3,
        .period_end_us = 4,
        .anchor_us = 5,
        .cancel_at_period_end = true,
        .cancel_at_us = 6,
        .canceled_us = 7,
        .ended_us = 8,
        .cancel_reason = "cancellation_requested",
        .cancel_feedback = "unused",
        .cancel_comment = "na\xc3\xafve\n",
        .past_due_since_us = 9,
        .grace_end_us = 10,
        .collection_pause = "void",
        .trial_end_behavior = "pause",
        .collection_resume_us = 16,
        .pause_us = 17,
        .resume_us = 18,
        .start_us = 19,
        .collection_paused = true,
        .by_invoice = true,
        .days_until_due = 30,
        .metadata = "{\"a\":\"b\"}",
        .fetch_number = 11,
        .version = 12,
        .created_us = 13,
        .updated_us = 14,
        .synced_us = 15,
        .items = items,
        .item_count = 2,
    };
}

static void what_was_written_is_read(void **state)
{
    const struct subscription written = filled();
    struct subscription read;
    const char *json = NULL;
    TEST_CX(cx);

    (void)state;
    json = subscription_snapshot_write(&cx, &written, NULL);
    assert_int_equal(subscription_snapshot_read(&cx, json, &read).code, CODE_OK);
    assert_string_equal(subscription_snapshot_write(&cx, &read, NULL), json);
    assert_int_equal(read.status, SUBSCRIPTION_PAST_DUE);
    assert_int_equal(read.item_count, 2);
    assert_string_equal(read.items[1].meter_key, "calls");
    assert_true(id_equal(&read.items[0].price_id, &written.items[0].price_id));
    assert_string_equal(read.cancel_comment, written.cancel_comment);
    assert_string_equal(read.metadata, written.metadata);
    assert_int_equal(read.synced_us, 15);
}

static void the_old_status_is_told_when_there_was_one(void **state)
{
    const struct subscription written = filled();
    TEST_CX(cx);

    (void)state;
    assert_null(strstr(subscription_snapshot_write(&cx, &written, NULL), "old_status"));
    assert_non_null(
        strstr(subscription_snapshot_write(&cx, &written, "ACTIVE"), "\"old_status\":\"ACTIVE\""));
}

static void junk_is_an_error(void **state)
{
    struct subscription read;
    TEST_CX(cx);

    (void)state;
    assert_int_not_equal(subscription_snapshot_read(&cx, "", &read).code, CODE_OK);
    assert_int_not_equal(subscription_snapshot_read(&cx, "{}", &read).code, CODE_OK);
    assert_int_not_equal(subscription_snapshot_read(&cx, "[1]", &read).code, CODE_OK);
}

static void a_failure_is_the_same_again(void **state)
{
    struct status failure;
    struct status again;
    TEST_CX(cx);

    (void)state;
    failure = status_pair(
        &cx,
        status_pair(
            &cx,
            status_fail(&cx, REASON_PAYMENT_DECLINED, "the payment was \"declined\""),
            "decline_code",
            "lost_card"),
        "subscription_id",
        "sub_1");
    again = intent_failure_read(&cx, intent_failure_write(&cx, failure));
    assert_int_equal(again.code, failure.code);
    assert_int_equal(status_reason(again), REASON_PAYMENT_DECLINED);
    assert_string_equal(status_message(again), status_message(failure));
    assert_int_equal(again.error->pair_count, 2);
    assert_string_equal(again.error->pairs[0].value, "lost_card");
    assert_string_equal(again.error->pairs[1].key, "subscription_id");
    assert_int_equal(
        status_reason(intent_failure_read(&cx, "{\"reason\":\"NO_SUCH\"}")), REASON_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(the_old_status_is_told_when_there_was_one),
        cmocka_unit_test(junk_is_an_error),
        cmocka_unit_test(a_failure_is_the_same_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
