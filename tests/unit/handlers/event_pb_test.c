#include "handlers/event_pb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"
#include "domain/subscription.h"
#include "services/subscription_snapshot.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)
#define NOW_US INT64_C(1764000000123456)

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

static struct event event_of(enum event_type type, const char *payload)
{
    return (struct event){
        .type = type,
        .customer_id = {{1, 2, 3}},
        .subscription_id = {{4, 5, 6}},
        .event_id = {{7, 8, 9}},
        .org_id = 8,
        .seq = 42,
        .created_us = NOW_US,
        .payload = payload,
    };
}

static const Billingos__V1__BillingEvent *
message_of(struct ctx *cx, enum event_type type, const char *payload)
{
    const struct event event = event_of(type, payload);

    return event_pb(cx, &event);
}

static void what_all_events_have_in_common_is_there(void **cx)
{
    const Billingos__V1__BillingEvent *message = message_of(*cx, EVENT_CUSTOMER_CREATED, "{}");
    const struct event event = event_of(EVENT_CUSTOMER_CREATED, "{}");
    struct arena *arena = ((struct ctx *)*cx)->arena;

    assert_string_equal(message->event_id, id_text(arena, ID_EVENT, &event.event_id));
    assert_string_equal(message->customer_id, id_text(arena, ID_CUSTOMER, &event.customer_id));
    assert_string_equal(
        message->subscription_id, id_text(arena, ID_SUBSCRIPTION, &event.subscription_id));
    assert_int_equal(message->sequence, 42);
    assert_int_equal(message->schema_version, 1);
    assert_int_equal(message->severity, BILLINGOS__V1__SEVERITY__SEVERITY_INFO);
    assert_int_equal(message->create_time->seconds, NOW_US / 1000000);
    assert_int_equal(message->create_time->nanos, 123456000);
    assert_null(message->occur_time); /* it happened here */
}

/* Whatever the payload: the type has a number, the message can be packed, and nothing breaks. */
static void every_type_has_a_number_and_survives_any_payload(void **cx)
{
    static const char *const payloads[] = {
        "{}",
        "",
        "null",
        "[]",
        "\"text\"",
        "{",
        "{\"status\":7,\"plan_id\":{},\"currency\":null,\"used\":\"x\",\"limit\":1e30}",
        "{\"status\":\"NO_SUCH\",\"old_status\":\"\",\"invoice_id\":[1]}",
        "{\"state\":\"longer_than_any_word_that_we_have_ever_used_for_a_state_of_something_else\"}",
    };

    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        const enum event_type type = (enum event_type)i;

        for (size_t j = 0; j < ARRAY_LEN(payloads); j++) {
            const Billingos__V1__BillingEvent *message = message_of(*cx, type, payloads[j]);

            if (!event_type_internal(type)) {
                assert_int_not_equal(
                    message->type,
                    BILLINGOS__V1__BILLING_EVENT_TYPE__BILLING_EVENT_TYPE_UNSPECIFIED);
            }
            assert_true(billingos__v1__billing_event__get_packed_size(message) > 0);
        }
    }
}

static void filters_know_the_types_that_are_shown(void **cx)
{
    uint64_t all = 0;

    (void)cx;
    for (int number = 0; number < 1000; number++) {
        const uint64_t bit = event_type_bit((Billingos__V1__BillingEventType)number);

        assert_int_equal(all & bit, 0);
        all |= bit;
    }
    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        assert_int_equal(all >> i & 1, !event_type_internal((enum event_type)i));
    }
    assert_int_equal(event_type_bit((Billingos__V1__BillingEventType)-1), 0);
    assert_int_equal(
        event_type_bit(BILLINGOS__V1__BILLING_EVENT_TYPE__BILLING_EVENT_TYPE_UNSPECIFIED), 0);
}

static void a_customer_is_named_by_both_ids(void **cx)
{
    const Billingos__V1__BillingEvent *message =
        message_of(*cx, EVENT_CUSTOMER_UPDATED, "{\"external_customer_id\":\"user-17\"}");

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_CUSTOMER);
    assert_string_equal(message->external_customer_id, "user-17");
    assert_string_equal(message->customer->customer->external_customer_id, "user-17");
    assert_string_equal(message->customer->customer->customer_id, message->customer_id);
}

/* As services/subscription_mirror.c writes it. */
static void a_subscription_is_shown_as_it_was_right_after_the_change(void **cx)
{
    const struct subscription_item items[] = {
        {.item_id = {{1}},
         .price_id = {{2}},
         .plan_id = {{3}},
         .plan_key = "pro",
         .plan_version = 4,
         .quantity = 5,
         .meter_key = ""}};
    const struct subscription subscription = {
        .subscription_id = {{4, 5, 6}},
        .customer_id = {{1, 2, 3}},
        .external_customer_id = "user-17",
        .status = SUBSCRIPTION_PAST_DUE,
        .plan_id = {{3}},
        .plan_key = "pro",
        .plan_version = 4,
        .currency = "EUR",
        .failure_reason = "",
        .decline_code = "",
        .stripe_subscription_id = "sub_x",
        .cancel_reason = "",
        .cancel_feedback = "",
        .cancel_comment = "",
        .metadata = "{}",
        .quantity = 5,
        .period_start_us = NOW_US,
        .period_end_us = NOW_US + 1000000,
        .cancel_at_period_end = true,
        .items = items,
        .item_count = 1,
    };
    const Billingos__V1__BillingEvent *message = message_of(
        *cx, EVENT_SUBSCRIPTION_UPDATED, subscription_snapshot_write(*cx, &subscription, "ACTIVE"));
    const Billingos__V1__Subscription *shown = NULL;

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_SUBSCRIPTION);
    shown = message->subscription->subscription;
    assert_string_equal(message->external_customer_id, "user-17");
    assert_string_equal(shown->subscription_id, message->subscription_id);
    assert_string_equal(shown->customer_id, message->customer_id);
    assert_int_equal(
        shown->status, BILLINGOS__V1__SUBSCRIPTION_STATUS__SUBSCRIPTION_STATUS_PAST_DUE);
    assert_int_equal(
        message->subscription->old_status,
        BILLINGOS__V1__SUBSCRIPTION_STATUS__SUBSCRIPTION_STATUS_ACTIVE);
    assert_string_equal(shown->plan_key, "pro");
    assert_int_equal(shown->plan_version, 4);
    assert_true(shown->cancel_at_period_end);
    assert_int_equal(shown->current_period_start_time->seconds, NOW_US / 1000000);
    assert_int_equal(shown->current_period_end_time->seconds, NOW_US / 1000000 + 1);
    assert_int_equal(shown->n_items, 1);
    assert_int_equal(shown->items[0]->quantity, 5);
}

static void a_changed_entitlement_says_from_which_version_on(void **cx)
{
    const Billingos__V1__BillingEvent *message =
        message_of(*cx, EVENT_ENTITLEMENTS_CHANGED, "{\"state_version\":17}");

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_ENTITLEMENTS);
    assert_int_equal(message->entitlements->state_version, 17);
}

/* As services/invoice_mirror.c writes it. */
#define INVOICE_JSON                                                                       \
    "{\"invoice_id\":\"in_00000000000000000000000001\",\"invoice_number\":\"A-1\","        \
    "\"status\":\"OPEN\",\"currency\":\"EUR\",\"total_minor\":1900,\"amount_minor\":1800," \
    "\"remaining_minor\":1800,\"attempt_count\":2,\"next_attempt_us\":1764000000000000,"   \
    "\"decline_code\":\"insufficient_funds\",\"decline_class\":\"FUNDS\"}"

static void a_failed_payment_says_what_can_be_done(void **cx)
{
    const Billingos__V1__BillingEvent *message =
        message_of(*cx, EVENT_PAYMENT_FAILED, INVOICE_JSON);
    const Billingos__V1__PaymentAttempt *attempt = message->payment->payment_attempt;

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_PAYMENT);
    assert_int_equal(message->severity, BILLINGOS__V1__SEVERITY__SEVERITY_WARNING);
    assert_string_equal(message->payment->invoice_number, "A-1");
    assert_int_equal(message->payment->next_attempt_time->seconds, 1764000000);
    assert_int_equal(attempt->amount->minor_units, 1800);
    assert_string_equal(attempt->amount->currency_code, "EUR");
    assert_string_equal(attempt->invoice_id, "in_00000000000000000000000001");
    assert_int_equal(
        attempt->state, BILLINGOS__V1__PAYMENT_ATTEMPT_STATE__PAYMENT_ATTEMPT_STATE_FAILED);
    assert_string_equal(attempt->failure->decline_code, "insufficient_funds");
    assert_int_equal(
        attempt->failure->decline_class, BILLINGOS__V1__DECLINE_CLASS__DECLINE_CLASS_FUNDS);
}

static void a_payment_that_succeeded_has_no_failure(void **cx)
{
    const Billingos__V1__BillingEvent *message =
        message_of(*cx, EVENT_PAYMENT_SUCCEEDED, INVOICE_JSON);

    assert_null(message->payment->payment_attempt->failure);
    assert_int_equal(
        message->payment->payment_attempt->state,
        BILLINGOS__V1__PAYMENT_ATTEMPT_STATE__PAYMENT_ATTEMPT_STATE_SUCCEEDED);
}

static void an_invoice_is_shown_with_its_total(void **cx)
{
    const Billingos__V1__BillingEvent *message =
        message_of(*cx, EVENT_INVOICE_UPDATED, INVOICE_JSON);
    const Billingos__V1__Invoice *invoice = message->invoice->invoice;

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_INVOICE);
    assert_int_equal(invoice->status, BILLINGOS__V1__INVOICE_STATUS__INVOICE_STATUS_OPEN);
    assert_string_equal(invoice->number, "A-1");
    assert_int_equal(invoice->total->minor_units, 1900);
    assert_string_equal(invoice->customer_id, message->customer_id);
}

/* As services/usage.c writes it. */
static void a_reached_limit_is_shown_with_its_balance(void **cx)
{
    const Billingos__V1__BillingEvent *message = message_of(
        *cx,
        EVENT_USAGE_LIMIT_REACHED,
        "{\"feature_key\":\"api_calls\",\"meter_key\":\"calls\",\"limit\":100,\"used\":130,"
        "\"window_start_us\":1764000000000000}");
    const Billingos__V1__UsageThresholdEvent *reached = message->usage_threshold;

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_USAGE_THRESHOLD);
    assert_string_equal(reached->feature_key, "api_calls");
    assert_string_equal(reached->meter_key, "calls");
    assert_int_equal(reached->threshold_percent, 100);
    assert_int_equal(reached->balance->limit, 100);
    assert_int_equal(reached->balance->used, 130);
    assert_int_equal(reached->balance->overage, 30);
    assert_int_equal(reached->balance->remaining, 0);
    assert_int_equal(reached->balance->period_start_time->seconds, 1764000000);
}

/* As services/payment_account_mirror.c writes it. */
static void a_payment_account_is_shown_with_its_state(void **cx)
{
    const Billingos__V1__BillingEvent *message = message_of(
        *cx,
        EVENT_PAYMENT_ACCOUNT_UPDATED,
        "{\"account_id\":\"acct_1\",\"state\":\"RESTRICTED\",\"charges_enabled\":true,"
        "\"payouts_enabled\":false,\"details_submitted\":true,"
        "\"disabled_reason\":\"requirements.past_due\"}");
    const Billingos__V1__PaymentAccount *account = NULL;

    assert_int_equal(message->payload_case, BILLINGOS__V1__BILLING_EVENT__PAYLOAD_PAYMENT_ACCOUNT);
    account = message->payment_account->payment_account;
    assert_string_equal(account->payment_account_ref, "acct_1");
    assert_int_equal(
        account->state, BILLINGOS__V1__PAYMENT_ACCOUNT_STATE__PAYMENT_ACCOUNT_STATE_RESTRICTED);
    assert_true(account->charges_enabled);
    assert_false(account->payouts_enabled);
    assert_true(account->details_submitted);
    assert_string_equal(account->disabled_reason, "requirements.past_due");
}

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(what_all_events_have_in_common_is_there),
        EVENT_TEST(every_type_has_a_number_and_survives_any_payload),
        EVENT_TEST(filters_know_the_types_that_are_shown),
        EVENT_TEST(a_customer_is_named_by_both_ids),
        EVENT_TEST(a_subscription_is_shown_as_it_was_right_after_the_change),
        EVENT_TEST(a_changed_entitlement_says_from_which_version_on),
        EVENT_TEST(a_failed_payment_says_what_can_be_done),
        EVENT_TEST(a_payment_that_succeeded_has_no_failure),
        EVENT_TEST(an_invoice_is_shown_with_its_total),
        EVENT_TEST(a_reached_limit_is_shown_with_its_balance),
        EVENT_TEST(a_payment_account_is_shown_with_its_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
