#include "stripe/stripe_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct buf buf;
static struct stripe_form form;

static int set_up(void **state)
{
    (void)state;
    buf_init(&buf, 4096);
    stripe_form_begin(&form, &buf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&buf);
    return 0;
}

/* As the official client sends it. */
static void an_update_of_a_subscription(void **state)
{
    (void)state;
    stripe_form_open_array(&form, "items");
    stripe_form_open_element(&form);
    stripe_form_text(&form, "id", "si_1");
    stripe_form_text(&form, "price", "price_2");
    stripe_form_close(&form);
    stripe_form_close(&form);
    stripe_form_bool(&form, "cancel_at_period_end", true);
    stripe_form_unset(&form, "pause_collection");
    stripe_form_open_array(&form, "expand");
    stripe_form_element(&form, "latest_invoice.payments");
    stripe_form_close(&form);
    assert_string_equal(
        buf_cstr(&buf),
        "items[0][id]=si_1&items[0][price]=price_2&cancel_at_period_end=true&pause_collection=&"
        "expand[0]=latest_invoice.payments");
}

static void a_preview(void **state)
{
    (void)state;
    stripe_form_text(&form, "customer", "cus_1");
    stripe_form_text(&form, "subscription", "sub_1");
    stripe_form_open(&form, "subscription_details");
    stripe_form_open_array(&form, "items");
    stripe_form_open_element(&form);
    stripe_form_text(&form, "id", "si_1");
    stripe_form_text(&form, "price", "p2");
    stripe_form_close(&form);
    stripe_form_close(&form);
    stripe_form_text(&form, "proration_behavior", "always_invoice");
    stripe_form_close(&form);
    assert_string_equal(
        buf_cstr(&buf),
        "customer=cus_1&subscription=sub_1&subscription_details[items][0][id]=si_1&"
        "subscription_details[items][0][price]=p2&"
        "subscription_details[proration_behavior]=always_invoice");
}

static void a_meter_event(void **state)
{
    (void)state;
    stripe_form_text(&form, "event_name", "x");
    stripe_form_open(&form, "payload");
    stripe_form_text(&form, "stripe_customer_id", "cus_1");
    stripe_form_i64(&form, "value", 25);
    stripe_form_close(&form);
    stripe_form_text(&form, "identifier", "abc");
    assert_string_equal(
        buf_cstr(&buf),
        "event_name=x&payload[stripe_customer_id]=cus_1&payload[value]=25&identifier=abc");
}

static void a_list(void **state)
{
    (void)state;
    stripe_form_text(&form, "status", "all");
    stripe_form_i64(&form, "limit", 100);
    stripe_form_open(&form, "created");
    stripe_form_i64(&form, "gte", 5);
    stripe_form_close(&form);
    stripe_form_open_array(&form, "expand");
    stripe_form_element(&form, "data.items");
    stripe_form_element(&form, "data.customer");
    stripe_form_close(&form);
    assert_string_equal(
        buf_cstr(&buf),
        "status=all&limit=100&created[gte]=5&expand[0]=data.items&expand[1]=data.customer");
}

static void what_is_empty_is_absent_unless_it_is_to_be_unset(void **state)
{
    (void)state;
    stripe_form_text(&form, "a", "");
    stripe_form_text(&form, "b", NULL);
    stripe_form_time(&form, "c", 0);
    stripe_form_open(&form, "metadata");
    stripe_form_text(&form, "k", "");
    stripe_form_close(&form);
    assert_int_equal(buf.len, 0);
    stripe_form_text_or_unset(&form, "d", "");
    stripe_form_text_or_unset(&form, "e", "x");
    stripe_form_text_or_unset(&form, "f", NULL);
    stripe_form_open(&form, "metadata");
    stripe_form_unset(&form, "k");
    stripe_form_close(&form);
    assert_string_equal(buf_cstr(&buf), "d=&e=x&f=&metadata[k]=");
}

static void all_but_letters_digits_and_four_marks_are_escaped(void **state)
{
    (void)state;
    stripe_form_text(&form, "a", "aZ09-_.~ !*'()&=+%#[]/?\xc3\xa9\n");
    stripe_form_open(&form, "metadata");
    stripe_form_text(&form, "k[x]&", "v");
    stripe_form_close(&form);
    stripe_form_time(&form, "t", 1795414361999999);
    stripe_form_i64(&form, "n", INT64_MIN);
    stripe_form_bool(&form, "f", false);
    assert_string_equal(
        buf_cstr(&buf),
        "a=aZ09-_.~%20%21%2A%27%28%29%26%3D%2B%25%23%5B%5D%2F%3F%C3%A9%0A&"
        "metadata[k%5Bx%5D%26]=v&t=1795414361&n=-9223372036854775808&f=false");
}

static void what_is_too_deep_or_too_long_fails_the_buffer(void **state)
{
    char name[200];

    (void)state;
    for (int i = 0; i < STRIPE_FORM_DEPTH_MAX; i++) {
        stripe_form_open(&form, "x");
    }
    assert_false(buf_failed(&buf));
    stripe_form_open(&form, "x");
    assert_true(buf_failed(&buf));

    buf_clear(&buf);
    stripe_form_begin(&form, &buf);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    stripe_form_open(&form, name);
    assert_true(buf_failed(&buf));

    buf_clear(&buf);
    stripe_form_begin(&form, &buf);
    stripe_form_close(&form);
    assert_true(buf_failed(&buf));
}

#define WITH_FORM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FORM(an_update_of_a_subscription),
        WITH_FORM(a_preview),
        WITH_FORM(a_meter_event),
        WITH_FORM(a_list),
        WITH_FORM(what_is_empty_is_absent_unless_it_is_to_be_unset),
        WITH_FORM(all_but_letters_digits_and_four_marks_are_escaped),
        WITH_FORM(what_is_too_deep_or_too_long_fails_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
