#include "stripe/stripe_meter.h"

#include "stripe_kit.h"

static void a_meter_is_made(void **state)
{
    const struct stripe_meter_params params = {
        .event_name = "org_1.calls", .display_name = "Calls", .formula = "sum"};
    const char *id = NULL;

    (void)state;
    answer_with(200, "{\"id\":\"mtr_1\",\"object\":\"billing.meter\"}");
    assert_ok(stripe_meter_create(&stub.cx, stub.client, "acct_1", &params, "k", &id));
    assert_string_equal(stub.line, "POST /v1/billing/meters");
    assert_string_equal(
        stub.body, "display_name=Calls&event_name=org_1.calls&default_aggregation[formula]=sum");
    assert_string_equal(id, "mtr_1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(a_meter_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
