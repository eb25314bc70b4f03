#include "handlers/map_order.h"

#include <billingos/v1/customer_service.pb-c.h>
#include <billingos/v1/usage_service.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ENTRIES 3
#define PACKED_MAX 512

/* A customer whose metadata came in the order of the letters, each a key. */
struct customer_call {
    Billingos__V1__Customer__MetadataEntry entries[ENTRIES];
    Billingos__V1__Customer__MetadataEntry *array[ENTRIES];
    Billingos__V1__Customer customer;
    Billingos__V1__CreateCustomerRequest request;
    char keys[ENTRIES][2];
};

static void set_up(struct customer_call *call, const char *order)
{
    billingos__v1__create_customer_request__init(&call->request);
    billingos__v1__customer__init(&call->customer);
    for (size_t i = 0; i < ENTRIES; i++) {
        billingos__v1__customer__metadata_entry__init(&call->entries[i]);
        call->keys[i][0] = order[i];
        call->keys[i][1] = '\0';
        call->entries[i].key = call->keys[i];
        call->entries[i].value = call->keys[i];
        call->array[i] = &call->entries[i];
    }
    call->customer.metadata = call->array;
    call->customer.n_metadata = ENTRIES;
    call->request.customer = &call->customer;
}

static size_t packed(struct customer_call *call, uint8_t bytes[PACKED_MAX])
{
    map_order(&call->request.base);
    assert_true(protobuf_c_message_get_packed_size(&call->request.base) <= PACKED_MAX);
    return protobuf_c_message_pack(&call->request.base, bytes);
}

static void requests_with_one_content_become_the_same_bytes(void **state)
{
    static const char *const orders[] = {"abc", "acb", "bac", "bca", "cab", "cba"};
    struct customer_call call;
    uint8_t first[PACKED_MAX];
    uint8_t other[PACKED_MAX];
    size_t len = 0;

    (void)state;
    set_up(&call, orders[0]);
    len = packed(&call, first);
    for (size_t i = 1; i < sizeof orders / sizeof orders[0]; i++) {
        set_up(&call, orders[i]);
        assert_int_equal(packed(&call, other), len);
        assert_memory_equal(other, first, len);
    }
    set_up(&call, "abd");
    assert_int_equal(packed(&call, other), len);
    assert_memory_not_equal(other, first, len);
}

static void lists_and_oneofs_stay_as_they_are(void **state)
{
    Billingos__V1__UsageEvent events[2];
    Billingos__V1__UsageEvent *array[] = {&events[0], &events[1]};
    Billingos__V1__ReportUsageRequest request;
    Billingos__V1__UsageEvent__PropertiesEntry entries[2];
    Billingos__V1__UsageEvent__PropertiesEntry *properties[] = {&entries[0], &entries[1]};
    char texts[2][2] = {"z", "a"};

    (void)state;
    billingos__v1__report_usage_request__init(&request);
    for (size_t i = 0; i < 2; i++) {
        billingos__v1__usage_event__init(&events[i]);
        billingos__v1__usage_event__properties_entry__init(&entries[i]);
        events[i].customer_case = BILLINGOS__V1__USAGE_EVENT__CUSTOMER_CUSTOMER_ID;
        events[i].customer_id = texts[i];
        entries[i].key = texts[i];
    }
    events[1].properties = properties;
    events[1].n_properties = 2;
    request.events = array;
    request.n_events = 2;
    map_order(&request.base);
    assert_ptr_equal(request.events[0], &events[0]);
    assert_string_equal(request.events[0]->customer_id, "z");
    assert_string_equal(events[1].properties[0]->key, "a");
    assert_string_equal(events[1].properties[1]->key, "z");
}

static void what_is_not_there_is_left_alone(void **state)
{
    Billingos__V1__CreateCustomerRequest request = BILLINGOS__V1__CREATE_CUSTOMER_REQUEST__INIT;

    (void)state;
    map_order(&request.base);
    map_order_entries(0, NULL);
    assert_null(request.customer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_with_one_content_become_the_same_bytes),
        cmocka_unit_test(lists_and_oneofs_stay_as_they_are),
        cmocka_unit_test(what_is_not_there_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
