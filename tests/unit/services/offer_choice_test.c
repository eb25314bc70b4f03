#include "services/offer_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/ctx.h"

#define PRICES_MAX 6

struct fixture {
    struct arena arena;
    struct ctx cx;
    struct offer_price prices[PRICES_MAX];
    struct offer offer;
    struct offer_wish wish;
};

static struct id id_of(uint8_t number)
{
    return (struct id){{number, 1}};
}

static int setup(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof fixture);
    arena_init(&fixture.arena, NULL, 0, (size_t)1024 * 1024);
    ctx_init(&fixture.cx, &fixture.arena, "test");
    fixture.offer = (struct offer){
        .plan_id = id_of(200),
        .plan_version = 3,
        .default_currency = "EUR",
        .prices = fixture.prices,
    };
    fixture.wish = (struct offer_wish){.currency = "", .customer_currency = "", .quantity = 1};
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    return 0;
}

static struct offer_price *
add(struct fixture *fixture, const char *currency, enum billing_interval interval)
{
    struct offer_price *price = &fixture->prices[fixture->offer.price_count++];

    *price = (struct offer_price){
        .price_id = id_of((uint8_t)fixture->offer.price_count),
        .currency = currency,
        .interval = interval,
        .interval_count = 1,
        .quantity_min = 1,
        .stripe_price_id = "price_1",
    };
    return price;
}

static void chosen(struct fixture *fixture, const struct offer_price *wanted)
{
    const struct offer_price *price = NULL;
    const struct status status =
        offer_choose(&fixture->cx, &fixture->offer, &fixture->wish, &price);

    assert_string_equal(reason_name(status_reason(status)), reason_name(REASON_NONE));
    assert_ptr_equal(price, wanted);
}

static void refused(struct fixture *fixture, enum reason reason)
{
    const struct offer_price *price = NULL;
    const struct status status =
        offer_choose(&fixture->cx, &fixture->offer, &fixture->wish, &price);

    assert_string_equal(reason_name(status_reason(status)), reason_name(reason));
}

static void the_only_one_needs_no_choice(void **state)
{
    struct fixture *fixture = *state;

    refused(fixture, REASON_PLAN_HAS_NO_PRICE);
    chosen(fixture, add(fixture, "USD", INTERVAL_YEAR));
}

static void interval_and_currency_choose(void **state)
{
    struct fixture *fixture = *state;
    const struct offer_price *monthly = add(fixture, "EUR", INTERVAL_MONTH);
    const struct offer_price *yearly = add(fixture, "EUR", INTERVAL_YEAR);
    const struct offer_price *dollars = add(fixture, "USD", INTERVAL_YEAR);

    refused(fixture, REASON_PRICE_AMBIGUOUS);
    fixture->wish.interval = INTERVAL_MONTH;
    chosen(fixture, monthly);
    fixture->wish.interval = INTERVAL_YEAR;
    chosen(fixture, yearly); /* the currency of the organisation */
    fixture->wish.customer_currency = "USD";
    chosen(fixture, dollars);
    fixture->wish.customer_currency = "JPY";
    chosen(fixture, yearly);
    fixture->wish.currency = "USD";
    chosen(fixture, dollars);
    fixture->wish.currency = "JPY";
    refused(fixture, REASON_PLAN_HAS_NO_PRICE);
}

static void a_named_one_must_be_on_sale(void **state)
{
    struct fixture *fixture = *state;
    const struct offer_price *first = add(fixture, "EUR", INTERVAL_MONTH);
    struct offer_price *second = add(fixture, "EUR", INTERVAL_MONTH);

    fixture->wish.price_id = id_of(2);
    chosen(fixture, second);
    second->archived = true;
    refused(fixture, REASON_PRICE_ARCHIVED);
    fixture->wish.price_id = id_of(99);
    refused(fixture, REASON_PRICE_NOT_FOUND);
    fixture->wish.price_id = id_of(0);
    fixture->wish.price_id.bytes[1] = 0;
    chosen(fixture, first);
}

static void usage_goes_along_with_its_plan(void **state)
{
    struct fixture *fixture = *state;
    struct offer_price *flat = add(fixture, "EUR", INTERVAL_MONTH);
    struct offer_price *usage = add(fixture, "EUR", INTERVAL_MONTH);
    struct offer_price *other = add(fixture, "EUR", INTERVAL_YEAR);

    usage->metered = true;
    other->metered = true;
    chosen(fixture, flat);
    assert_true(offer_goes_along(flat, usage));
    assert_false(offer_goes_along(flat, other));
    assert_false(offer_goes_along(flat, flat));
    usage->archived = true;
    assert_false(offer_goes_along(flat, usage));
}

static void a_plan_may_be_usage_alone(void **state)
{
    struct fixture *fixture = *state;
    struct offer_price *usage = add(fixture, "EUR", INTERVAL_MONTH);

    usage->metered = true;
    chosen(fixture, usage);
    assert_false(offer_goes_along(usage, usage));
}

static void the_quantity_must_fit(void **state)
{
    struct fixture *fixture = *state;
    struct offer_price *price = add(fixture, "EUR", INTERVAL_MONTH);

    price->quantity_min = 2;
    price->quantity_max = 5;
    refused(fixture, REASON_FIELD_INVALID);
    fixture->wish.quantity = 5;
    chosen(fixture, price);
    fixture->wish.quantity = 6;
    refused(fixture, REASON_FIELD_INVALID);
}

static void what_the_payment_side_does_not_have_is_not_sold(void **state)
{
    struct fixture *fixture = *state;
    struct offer_price *price = add(fixture, "EUR", INTERVAL_MONTH);

    assert_int_equal(offer_check_mirrored(&fixture->cx, &fixture->offer, price).code, CODE_OK);
    price->stripe_price_id = "";
    chosen(fixture, price);
    assert_int_equal(
        status_reason(offer_check_mirrored(&fixture->cx, &fixture->offer, price)),
        REASON_PLAN_NOT_PUBLISHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_only_one_needs_no_choice, setup, teardown),
        cmocka_unit_test_setup_teardown(interval_and_currency_choose, setup, teardown),
        cmocka_unit_test_setup_teardown(a_named_one_must_be_on_sale, setup, teardown),
        cmocka_unit_test_setup_teardown(usage_goes_along_with_its_plan, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_may_be_usage_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_quantity_must_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_the_payment_side_does_not_have_is_not_sold, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
