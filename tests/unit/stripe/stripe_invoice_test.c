#include "stripe/stripe_invoice.h"

#include "stripe_kit.h"

#define INVOICE                                                                                    \
    "{\"id\":\"in_1\",\"object\":\"invoice\",\"number\":\"A-1\",\"status\":\"open\",\"customer\":" \
    "\"cus_1\","                                                                                   \
    "\"currency\":\"eur\",\"billing_reason\":\"subscription_cycle\",\"subtotal\":1900,\"total\":"  \
    "2261,"                                                                                        \
    "\"total_taxes\":[{\"amount\":300},{\"amount\":61}],\"amount_due\":2261,\"amount_paid\":0,"    \
    "\"amount_remaining\":2261,\"attempt_count\":2,\"next_payment_attempt\":1700003600,"           \
    "\"period_start\":1700000000,\"period_end\":1702592000,\"due_date\":null,\"created\":"         \
    "1700000001,"                                                                                  \
    "\"hosted_invoice_url\":\"https://pay.example/i\",\"invoice_pdf\":null,"                       \
    "\"status_transitions\":{\"finalized_at\":1700000002,\"paid_at\":null},"                       \
    "\"parent\":{\"type\":\"subscription_details\",\"subscription_details\":{\"subscription\":"    \
    "\"sub_1\","                                                                                   \
    "\"metadata\":{\"billingos_id\":\"sub_x\"}}},"                                                 \
    "\"payments\":{\"object\":\"list\",\"data\":[{\"id\":\"inpay_0\",\"is_default\":false,"        \
    "\"payment\":{\"payment_intent\":\"pi_0\"}},{\"id\":\"inpay_1\",\"is_default\":true,"          \
    "\"payment\":{\"type\":\"payment_intent\",\"payment_intent\":{\"id\":\"pi_1\","                \
    "\"last_payment_error\":{\"code\":\"card_declined\",\"decline_code\":\"insufficient_funds\","  \
    "\"advice_code\":\"try_again_later\"}}}}]}}"

static void an_invoice_is_read_with_its_last_try(void **state)
{
    struct payment_invoice invoice;

    (void)state;
    answer_with(200, INVOICE);
    assert_ok(stripe_invoice_retrieve(&stub.cx, stub.client, "acct_1", "in_1", &invoice));
    assert_string_equal(
        stub.line, "GET /v1/invoices/in_1?expand[0]=payments.data.payment.payment_intent");
    assert_string_equal(invoice.number, "A-1");
    assert_int_equal(invoice.status, INVOICE_OPEN);
    assert_string_equal(invoice.subscription_id, "sub_1");
    assert_string_equal(invoice.subscription_marks.object_id, "sub_x");
    assert_string_equal(invoice.currency, "EUR");
    assert_int_equal(invoice.subtotal_minor, 1900);
    assert_int_equal(invoice.tax_minor, 361);
    assert_int_equal(invoice.total_minor, 2261);
    assert_int_equal(invoice.remaining_minor, 2261);
    assert_int_equal(invoice.attempt_count, 2);
    assert_int_equal(invoice.next_attempt_us, INT64_C(1700003600000000));
    assert_int_equal(invoice.finalized_us, INT64_C(1700000002000000));
    assert_int_equal(invoice.paid_us, 0);
    assert_int_equal(invoice.due_us, 0);
    assert_string_equal(invoice.hosted_url, "https://pay.example/i");
    assert_string_equal(invoice.pdf_url, "");
    assert_string_equal(invoice.payment_intent_id, "pi_1");
    assert_string_equal(invoice.error_code, "card_declined");
    assert_string_equal(invoice.decline_code, "insufficient_funds");
    assert_string_equal(invoice.advice_code, "try_again_later");
}

static void invoices_of_a_subscription_are_listed(void **state)
{
    struct payment_invoice_page page;

    (void)state;
    answer_with(200, "{\"object\":\"list\",\"has_more\":false,\"data\":[" INVOICE "]}");
    assert_ok(stripe_invoice_list(&stub.cx, stub.client, "acct_1", "sub_1", "", 10, &page));
    assert_string_equal(stub.line, "GET /v1/invoices?subscription=sub_1&limit=10");
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
    assert_string_equal(page.invoices[0].id, "in_1");
}

static void a_payment_is_tried_once_more(void **state)
{
    struct payment_invoice invoice;
    struct status status;

    (void)state;
    answer_with(200, INVOICE);
    assert_ok(stripe_invoice_pay(&stub.cx, stub.client, "acct_1", "in_1", "pm_2", "k", &invoice));
    assert_string_equal(stub.line, "POST /v1/invoices/in_1/pay");
    assert_string_equal(
        stub.body, "payment_method=pm_2&expand[0]=payments.data.payment.payment_intent");
    answer_with(
        402,
        "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\",\"decline_code\":\"lost_"
        "card\"}}");
    status = stripe_invoice_pay(&stub.cx, stub.client, "acct_1", "in_1", "", "k2", &invoice);
    assert_int_equal(status_reason(status), REASON_PAYMENT_DECLINED);
    assert_string_equal(pair_of(status, "decline_code"), "lost_card");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(an_invoice_is_read_with_its_last_try),
        WITH_STUB(invoices_of_a_subscription_are_listed),
        WITH_STUB(a_payment_is_tried_once_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
