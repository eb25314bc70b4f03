/* The whole adapter against the simulator of the payment side: the one at BILLINGOS_SANDBOX
 * ("http://127.0.0.1:12111"), else one of its own, started from the program that
 * BILLINGOS_SANDBOX_PROGRAM names. Without either, skipped. */

#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"
#include "base/id.h"
#include "http/http_client.h"
#include "stripe/stripe_account.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_customer.h"
#include "stripe/stripe_event.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_meter.h"
#include "stripe/stripe_price.h"
#include "stripe/stripe_product.h"
#include "stripe/stripe_subscription.h"

static struct arena arena;
static struct ctx cx;
static struct stripe_client *client;
static struct http_client *control_client;
static const char *base_url;
static pid_t sandbox_pid;
static const char *account_id;
static const char *price_id;

static const struct payment_marks marks = {
    .org_id = "org_test", .object_id = "obj_test", .operation_id = "op_test"};

static void assert_ok(struct status status)
{
    if (status.code != CODE_OK) {
        fail_msg(
            "%s: %s (%s)",
            reason_name(status_reason(status)),
            status_message(status),
            stripe_client_error(client)->message);
    }
}

static const char *key(void)
{
    const struct id id = id_new(cx.now_us);

    return id_text(&arena, ID_OPERATION, &id);
}

static void control(const char *path, const char *json)
{
    const char *const headers[] = {"Content-Type: application/json", NULL};
    struct http_answer answer = {0};

    http_client_send(
        &cx,
        control_client,
        &(struct http_call){
            .method = "POST",
            .url = arena_printf(&arena, "%s/_sim/%s", base_url, path),
            .headers = headers,
            .body = json,
            .body_len = strlen(json),
        },
        &answer);
    if (answer.status != 200) {
        fail_msg("%s: %d %s", path, answer.status, (const char *)answer.body);
    }
}

static const char *spawn_sandbox(const char *program)
{
    static char address[100];
    char port_file[] = "/tmp/billingos-sandbox-test-XXXXXX";
    char *argv[] = {
        arena_text(&arena, program),
        arena_text(&arena, "--listen"),
        arena_text(&arena, "127.0.0.1:0"),
        arena_text(&arena, "--port-file"),
        port_file,
        NULL,
    };
    const int fd = mkstemp(port_file);

    if (fd < 0 || posix_spawn(&sandbox_pid, program, NULL, NULL, argv, environ) != 0) {
        return NULL;
    }
    (void)close(fd);
    for (int i = 0; i < 500 && address[0] == '\0'; i++) {
        FILE *file = fopen(port_file, "re");

        usleep(10000);
        if (file != NULL && fgets(address, sizeof address, file) != NULL) {
            address[strcspn(address, "\n")] = '\0';
        }
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    (void)unlink(port_file);
    return address[0] == '\0' ? NULL : arena_printf(&arena, "http://%s", address);
}

static int set_up(void **state)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread. */
    const char *url = getenv("BILLINGOS_SANDBOX");
    const char *program = getenv("BILLINGOS_SANDBOX_PROGRAM");
    /* NOLINTEND(concurrency-mt-unsafe) */

    (void)state;
    arena_init(&arena, NULL, 0, (size_t)64 * 1024 * 1024);
    ctx_init(&cx, &arena, "test");
    if (url == NULL && program != NULL && access(program, X_OK) == 0) {
        url = spawn_sandbox(program);
        assert_non_null(url);
    }
    if (url == NULL) {
        print_message("skipped: neither BILLINGOS_SANDBOX nor BILLINGOS_SANDBOX_PROGRAM is set\n");
        exit(0); /* NOLINT(concurrency-mt-unsafe): there is one thread. */
    }
    base_url = url;
    control_client = http_client_new();
    client = stripe_client_new(&(struct stripe_client_config){
        .base_url = url, .secret_key = "sk_test_adapter", .backoff_ms = 10});
    assert_non_null(control_client);
    assert_non_null(client);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stripe_client_free(client);
    http_client_free(control_client);
    arena_release(&arena);
    if (sandbox_pid != 0) {
        (void)kill(sandbox_pid, SIGTERM);
        (void)waitpid(sandbox_pid, NULL, 0);
    }
    return 0;
}

static void an_account_is_onboarded(void **state)
{
    const struct stripe_account_params params = {
        .country = "DE",
        .email = "owner@shop.example",
        .business_name = "Shop",
        .business_url = "",
        .marks = marks,
    };
    struct payment_account account;
    const char *raw = NULL;
    const char *url = NULL;
    int64_t expires_us = 0;

    (void)state;
    assert_ok(stripe_account_create(&cx, client, &params, key(), &account, &raw));
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE);
    account_id = account.account_id;
    assert_ok(stripe_account_link(
        &cx,
        client,
        account_id,
        "https://us.example/again",
        "https://us.example/done",
        &url,
        &expires_us));
    assert_true(expires_us > cx.now_us);
    control(arena_printf(&arena, "accounts/%s/onboard", account_id), "{}");
    assert_ok(stripe_account_retrieve(&cx, client, account_id, &account, &raw));
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_ACTIVE);
    assert_string_equal(account.country, "DE");
    assert_ok(stripe_account_login_link(&cx, client, account_id, &url));
    assert_true(url[0] != '\0');
    assert_int_equal(
        status_reason(stripe_account_retrieve(&cx, client, "acct_none", &account, &raw)),
        REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
}

static struct payment_customer new_customer(const char *payment_method)
{
    struct payment_customer customer;

    assert_ok(stripe_customer_create(
        &cx,
        client,
        account_id,
        &(struct stripe_customer_params){
            .email = "a@b.example",
            .name = "A",
            .phone = "",
            .description = "first",
            .payment_method = payment_method,
            .test_clock = "",
            .marks = marks,
        },
        key(),
        &customer));
    return customer;
}

static void a_customer_is_kept_in_step(void **state)
{
    struct payment_customer customer = new_customer("pm_card_visa");

    (void)state;
    assert_true(customer.default_payment_method[0] != '\0');
    assert_string_equal(customer.marks.object_id, "obj_test");
    assert_ok(stripe_customer_update(
        &cx,
        client,
        account_id,
        customer.id,
        &(struct stripe_customer_params){
            .email = "c@d.example", .name = "", .phone = "", .description = "", .marks = marks},
        key(),
        &customer));
    assert_ok(stripe_customer_retrieve(&cx, client, account_id, customer.id, &customer));
    assert_string_equal(customer.email, "c@d.example");
    assert_string_equal(customer.name, "");
    assert_string_equal(customer.description, "");
    assert_int_equal(
        status_reason(stripe_customer_retrieve(&cx, client, account_id, "cus_none", &customer)),
        REASON_PAYMENT_SIDE_REJECTED);
    assert_string_equal(stripe_client_error(client)->code, "resource_missing");
}

static struct payment_price
make_price(const char *product_id, struct price price, const char *meter)
{
    struct payment_price made;

    price.name = "Monthly";
    price.currency = "EUR";
    price.interval = INTERVAL_MONTH;
    price.interval_count = 1;
    price.unit.decimal = price.unit.decimal == NULL ? "" : price.unit.decimal;
    assert_ok(stripe_price_create(
        &cx,
        client,
        account_id,
        &(struct stripe_price_params){
            .price = &price, .product_id = product_id, .meter_id = meter, .marks = marks},
        key(),
        &made));
    return made;
}

static void each_kind_of_price_is_taken(void **state)
{
    static const struct price_tier tiers[] = {
        {.up_to = 10, .unit = {.minor = 500, .decimal = ""}},
        {.up_to = 0, .unit = {.minor = 0, .decimal = "0.25"}, .flat_minor = 100},
    };
    const struct stripe_product_params params = {
        .name = "Pro", .description = "", .unit_label = "seat", .active = true, .marks = marks};
    struct payment_product product;
    struct payment_price price;
    const char *meter_id = NULL;

    (void)state;
    assert_ok(stripe_product_create(&cx, client, account_id, &params, key(), &product));
    assert_ok(stripe_product_update(&cx, client, account_id, product.id, &params, key(), &product));
    assert_ok(stripe_product_retrieve(&cx, client, account_id, product.id, &product));
    assert_string_equal(product.name, "Pro");
    price =
        make_price(product.id, (struct price){.model = PRICE_FLAT, .unit = {.minor = 1999}}, "");
    assert_int_equal(price.unit_minor, 1999);
    assert_string_equal(price.usage_type, "licensed");
    price_id = price.id;
    price = make_price(
        product.id, (struct price){.model = PRICE_GRADUATED, .tiers = tiers, .tier_count = 2}, "");
    assert_string_equal(price.tiers_mode, "graduated");
    price = make_price(
        product.id,
        (struct price){.model = PRICE_PACKAGE, .unit = {.minor = 300}, .package_size = 100},
        "");
    assert_int_equal(price.package_size, 100);
    assert_ok(stripe_meter_create(
        &cx,
        client,
        account_id,
        &(struct stripe_meter_params){
            .event_name = "calls", .display_name = "Calls", .formula = "sum"},
        key(),
        &meter_id));
    price = make_price(
        product.id, (struct price){.model = PRICE_PER_UNIT, .unit = {.decimal = "0.5"}}, meter_id);
    assert_string_equal(price.meter_id, meter_id);
    assert_string_equal(price.unit_decimal, "0.5");
    assert_ok(stripe_price_activate(&cx, client, account_id, price.id, false, key(), &price));
    assert_ok(stripe_price_retrieve(&cx, client, account_id, price.id, &price));
    assert_false(price.active);
}

static struct status subscribe(
    const char *customer_id,
    const char *behavior,
    int64_t trial_days,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription)
{
    const struct stripe_subscription_line line = {.price_id = price_id, .quantity = 2};

    return stripe_subscription_create(
        &cx,
        client,
        account_id,
        &(struct stripe_subscription_params){
            .customer_id = customer_id,
            .lines = &line,
            .line_count = 1,
            .trial_days = trial_days,
            .default_payment_method = "",
            .payment_behavior = behavior,
            .application_fee_bps = 250,
            .coupon = "",
            .marks = marks,
        },
        idempotency_key,
        ret_subscription);
}

static size_t count_subscriptions(const char *customer_id)
{
    struct payment_subscription_page page;

    assert_ok(stripe_subscription_list(&cx, client, account_id, customer_id, "", 100, &page));
    return page.count;
}

static const struct stripe_subscription_end no_reason = {.feedback = "", .comment = ""};

static void a_subscription_lives_and_ends(void **state)
{
    const struct payment_customer customer = new_customer("pm_card_visa");
    const char *first_key = key();
    struct payment_subscription subscription;
    struct payment_subscription again;
    struct payment_invoice_page invoices;

    (void)state;
    assert_ok(subscribe(customer.id, "", 0, first_key, &subscription));
    assert_int_equal(subscription.status, SUBSCRIPTION_ACTIVE);
    assert_int_equal(subscription.item_count, 1);
    assert_int_equal(subscription.items[0].quantity, 2);
    assert_string_equal(subscription.items[0].price_id, price_id);
    assert_true(subscription.period_end_us > subscription.period_start_us);
    assert_string_equal(subscription.billing_mode, "flexible");
    assert_string_equal(subscription.marks.operation_id, "op_test");
    assert_ok(subscribe(customer.id, "", 0, first_key, &again));
    assert_string_equal(again.id, subscription.id);
    assert_true(stripe_client_error(client)->replayed);
    assert_int_equal(
        status_reason(subscribe(customer.id, "", 7, first_key, &again)),
        REASON_PAYMENT_SIDE_REJECTED);
    assert_string_equal(stripe_client_error(client)->type, "idempotency_error");
    assert_ok(stripe_invoice_list(&cx, client, account_id, subscription.id, "", 10, &invoices));
    assert_int_equal(invoices.count, 1);
    assert_int_equal(invoices.invoices[0].status, INVOICE_PAID);
    assert_int_equal(invoices.invoices[0].total_minor, 3998);
    assert_string_equal(invoices.invoices[0].id, subscription.latest_invoice_id);
    assert_ok(stripe_subscription_change(
        &cx,
        client,
        account_id,
        subscription.id,
        &(struct stripe_subscription_change){
            .items =
                &(struct stripe_item_change){
                    .item_id = subscription.items[0].id, .price_id = "", .quantity = 5},
            .item_count = 1,
            .proration_behavior = "none",
            .payment_behavior = "",
            .default_payment_method = "",
        },
        key(),
        &subscription));
    assert_int_equal(subscription.item_count, 1);
    assert_int_equal(subscription.items[0].quantity, 5);
    assert_ok(stripe_subscription_cancel_at_period_end(
        &cx, client, account_id, subscription.id, &no_reason, key(), &subscription));
    assert_true(subscription.cancel_at_period_end && subscription.canceled_us != 0);
    assert_ok(
        stripe_subscription_keep(&cx, client, account_id, subscription.id, key(), &subscription));
    assert_false(subscription.cancel_at_period_end);
    assert_ok(stripe_subscription_cancel(
        &cx, client, account_id, subscription.id, &no_reason, &subscription));
    assert_int_equal(subscription.status, SUBSCRIPTION_CANCELED);
    assert_true(subscription.ended_us != 0);
    assert_ok(stripe_subscription_cancel(
        &cx, client, account_id, subscription.id, &no_reason, &subscription));
    assert_int_equal(subscription.status, SUBSCRIPTION_CANCELED);
}

static void a_trial_begins_without_a_card(void **state)
{
    const struct payment_customer customer = new_customer("");
    struct payment_subscription subscription;

    (void)state;
    assert_ok(subscribe(customer.id, "", 14, key(), &subscription));
    assert_int_equal(subscription.status, SUBSCRIPTION_TRIALING);
    assert_true(subscription.trial_end_us > cx.now_us);
}

static void a_declined_card_is_told_and_can_be_replaced(void **state)
{
    const struct payment_customer customer = new_customer("pm_card_chargeCustomerFail");
    struct payment_subscription subscription;
    struct payment_invoice invoice;

    (void)state;
    assert_int_equal(
        status_reason(subscribe(customer.id, "error_if_incomplete", 0, key(), &subscription)),
        REASON_PAYMENT_DECLINED);
    assert_true(stripe_client_error(client)->decline_code[0] != '\0');
    assert_int_equal(count_subscriptions(customer.id), 0);
    assert_ok(subscribe(customer.id, "", 0, key(), &subscription));
    assert_int_equal(subscription.status, SUBSCRIPTION_INCOMPLETE);
    assert_ok(
        stripe_invoice_retrieve(&cx, client, account_id, subscription.latest_invoice_id, &invoice));
    assert_int_equal(invoice.status, INVOICE_OPEN);
    assert_true(invoice.payment_intent_id[0] != '\0');
    assert_true(invoice.decline_code[0] != '\0');
    assert_string_equal(invoice.subscription_id, subscription.id);
    assert_int_equal(
        status_reason(stripe_invoice_pay(&cx, client, account_id, invoice.id, "", key(), &invoice)),
        REASON_PAYMENT_DECLINED);
    control(
        arena_printf(&arena, "customers/%s/%s/payment_method", account_id, customer.id),
        "{\"decline\":\"insufficient_funds\"}");
    assert_int_equal(
        status_reason(stripe_invoice_pay(&cx, client, account_id, invoice.id, "", key(), &invoice)),
        REASON_PAYMENT_DECLINED);
}

static void orders(const char *action)
{
    control(
        "faults",
        arena_printf(
            &arena,
            "{\"action\":\"%s\",\"match\":{\"path_regex\":\"^/v1/"
            "subscriptions$\",\"method\":\"POST\"},"
            "\"times\":1}",
            action));
}

static void lost_answers_make_no_second_subscription(void **state)
{
    static const char *const repeated[] = {
        "drop_before", "drop_after_commit", "500_before", "lock_timeout", "409_in_use"};
    struct payment_subscription subscription;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(repeated); i++) {
        const struct payment_customer customer = new_customer("pm_card_visa");

        orders(repeated[i]);
        assert_ok(subscribe(customer.id, "", 0, key(), &subscription));
        assert_int_equal(count_subscriptions(customer.id), 1);
    }
}

static void a_stored_failure_leaves_the_outcome_open(void **state)
{
    const struct payment_customer customer = new_customer("pm_card_visa");
    struct payment_subscription subscription;

    (void)state;
    orders("500_after_commit");
    assert_int_equal(
        status_reason(subscribe(customer.id, "", 0, key(), &subscription)), REASON_OUTCOME_PENDING);
    assert_int_equal(count_subscriptions(customer.id), 1);
}

static void refusals_are_told_apart(void **state)
{
    const struct payment_customer customer = new_customer("pm_card_visa");
    struct payment_subscription subscription;

    (void)state;
    orders("rate_limit");
    assert_int_equal(
        status_reason(subscribe(customer.id, "", 0, key(), &subscription)),
        REASON_PAYMENT_SIDE_UNAVAILABLE);
    orders("401_key_expired");
    assert_int_equal(
        status_reason(subscribe(customer.id, "", 0, key(), &subscription)),
        REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
    orders("403_account_invalid");
    assert_int_equal(
        status_reason(subscribe(customer.id, "", 0, key(), &subscription)),
        REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
    assert_int_equal(count_subscriptions(customer.id), 0);
}

/* Pages of two, from the first event on, see each event once and in order. */
static void events_are_replayed_in_order(void **state)
{
    static const char *const types[] = {"customer.created", "customer.subscription.created", NULL};
    struct stripe_event_query query = {.after = "", .types = types, .limit = 100};
    struct payment_event_page all;
    struct payment_event_page page;
    size_t seen = 0;

    (void)state;
    assert_ok(stripe_event_list(&cx, client, account_id, &query, &all));
    assert_true(all.count > 6);
    assert_string_equal(all.events[0].account_id, account_id);
    assert_string_equal(all.events[0].type, "customer.created");
    assert_true(all.events[all.count - 1].idempotency_key[0] != '\0');
    query.limit = 2;
    query.after = all.events[0].id;
    do {
        assert_ok(stripe_event_list(&cx, client, account_id, &query, &page));
        for (size_t i = 0; i < page.count; i++) {
            assert_string_equal(page.events[i].id, all.events[1 + seen].id);
            seen++;
        }
        query.after = page.count > 0 ? page.events[page.count - 1].id : query.after;
    } while (page.has_more);
    assert_int_equal(seen, all.count - 1);
}

int main(void)
{
    /* In this order: the later ones use the account and the price of the first. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_onboarded),
        cmocka_unit_test(a_customer_is_kept_in_step),
        cmocka_unit_test(each_kind_of_price_is_taken),
        cmocka_unit_test(a_subscription_lives_and_ends),
        cmocka_unit_test(a_trial_begins_without_a_card),
        cmocka_unit_test(a_declined_card_is_told_and_can_be_replaced),
        cmocka_unit_test(lost_answers_make_no_second_subscription),
        cmocka_unit_test(a_stored_failure_leaves_the_outcome_open),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(events_are_replayed_in_order),
    };

    http_client_global_init();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
