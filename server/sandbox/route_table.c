#include "sandbox/route_table.h"

#include <string.h>

#include "base/arena.h"
#include "sandbox/account_api.h"
#include "sandbox/account_link.h"
#include "sandbox/control.h"
#include "sandbox/coupon_api.h"
#include "sandbox/customer_api.h"
#include "sandbox/event_api.h"
#include "sandbox/invoice_api.h"
#include "sandbox/meter_api.h"
#include "sandbox/payment_api.h"
#include "sandbox/payment_method_api.h"
#include "sandbox/price_api.h"
#include "sandbox/product_api.h"
#include "sandbox/refund_api.h"
#include "sandbox/schedule_api.h"
#include "sandbox/subscription_api.h"
#include "sandbox/tax_id_api.h"
#include "sandbox/test_clock_api.h"
#include "sandbox/upcoming.h"
#include "sandbox/webhook_endpoint_api.h"

static const struct endpoint *const tables[] = {
    account_api,          customer_api,   payment_method_api, tax_id_api,
    product_api,          price_api,      coupon_api,         meter_api,
    subscription_api,     schedule_api,   upcoming_api, /* before the invoice whose id would be
                                                           "create_preview" */
    invoice_api,          payment_api,    refund_api,         event_api,
    webhook_endpoint_api, test_clock_api, account_link_pages, control_api,
};

/* What the provider has and the simulator does not: 501, never an invented answer. */
static const char *const not_simulated[] = {
    "/v1/accounts/{}/capabilities",
    "/v1/accounts/{}/capabilities/{}",
    "/v1/accounts/{}/reject",
    "/v1/accounts/{}/persons",
    "/v1/accounts/{}/external_accounts",
    "/v1/products/{}/features",
    "/v1/products/search",
    "/v1/prices/search",
    "/v1/customers/search",
    "/v1/customers/{}/sources",
    "/v1/customers/{}/balance_transactions",
    "/v1/customers/{}/discount",
    "/v1/subscriptions/search",
    "/v1/subscriptions/{}/migrate",
    "/v1/subscriptions/{}/discount",
    "/v1/subscription_items/{}",
    "/v1/subscription_schedules/{}/cancel",
    "/v1/invoices/search",
    "/v1/invoiceitems",
    "/v1/invoiceitems/{}",
    "/v1/payment_intents/search",
    "/v1/payment_intents/{}/capture",
    "/v1/payment_intents/{}/cancel",
    "/v1/charges/search",
    "/v1/charges/{}/capture",
    "/v1/disputes",
    "/v1/disputes/{}",
    "/v1/setup_intents",
    "/v1/setup_intents/{}",
    "/v1/checkout/sessions",
    "/v1/checkout/sessions/{}",
    "/v1/checkout/sessions/{}/expire",
    "/v1/billing_portal/sessions",
    "/v1/billing_portal/configurations",
    "/v1/billing_portal/configurations/{}",
    "/v1/billing/meter_event_adjustments",
    "/v1/entitlements/features",
    "/v1/entitlements/features/{}",
    "/v1/entitlements/active_entitlements",
    "/v1/promotion_codes",
    "/v1/promotion_codes/{}",
    "/v1/balance",
    "/v1/balance_transactions",
    "/v1/tokens",
    "/v1/sources",
    "/v1/tax_rates",
    "/v1/credit_notes",
    "/v1/plans",
    "/v1/plans/{}",
    "/v1/quotes",
    "/v1/payouts",
    "/v1/transfers",
    "/v2/core/accounts",
    "/v2/core/account_links",
    "/v2/core/events/{}",
};

/* Matches a path with a pattern; what stands for {} goes into ids. */
static bool matches(struct arena *arena, const char *pattern, const char *path, const char **ids)
{
    size_t id_count = 0;

    while (*pattern != '\0') {
        if (pattern[0] == '{' && pattern[1] == '}') {
            const size_t len = strcspn(path, "/");

            if (len == 0 || id_count == CALL_IDS_MAX) {
                return false;
            }
            ids[id_count++] = arena_text_n(arena, path, len);
            path += len;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

const struct endpoint *
route_table_find(struct arena *arena, const char *method, const char *path, const char **ids)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (const struct endpoint *endpoint = tables[i]; endpoint->method != NULL; endpoint++) {
            if (strcmp(endpoint->method, method) == 0 &&
                matches(arena, endpoint->path, path, ids)) {
                return endpoint;
            }
        }
    }
    return NULL;
}

bool route_table_is_not_simulated(struct arena *arena, const char *path)
{
    const char *ids[CALL_IDS_MAX];

    for (size_t i = 0; i < ARRAY_LEN(not_simulated); i++) {
        if (matches(arena, not_simulated[i], path, ids)) {
            return true;
        }
    }
    return false;
}

bool route_table_lacks_method(struct arena *arena, const char *method, const char *path)
{
    const char *ids[CALL_IDS_MAX];

    if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0 &&
        strcmp(method, "DELETE") != 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (const struct endpoint *endpoint = tables[i]; endpoint->method != NULL; endpoint++) {
            if (matches(arena, endpoint->path, path, ids)) {
                return true;
            }
        }
    }
    return false;
}
