#pragma once

/* What an API key may do. One bit a scope; a secret key has all, a restricted key those it was
 * given. */

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, text) */
#define SCOPES(X)                                 \
    X(ORGANIZATION_READ, "organization.read")     \
    X(ORGANIZATION_WRITE, "organization.write")   \
    X(CATALOG_READ, "catalog.read")               \
    X(CATALOG_WRITE, "catalog.write")             \
    X(CUSTOMERS_READ, "customers.read")           \
    X(CUSTOMERS_WRITE, "customers.write")         \
    X(SUBSCRIPTIONS_READ, "subscriptions.read")   \
    X(SUBSCRIPTIONS_WRITE, "subscriptions.write") \
    X(ENTITLEMENTS_READ, "entitlements.read")     \
    X(ENTITLEMENTS_WRITE, "entitlements.write")   \
    X(USAGE_READ, "usage.read")                   \
    X(USAGE_WRITE, "usage.write")                 \
    X(INSIGHTS_READ, "insights.read")             \
    X(INSIGHTS_WRITE, "insights.write")           \
    X(INVOICES_READ, "invoices.read")             \
    X(INVOICES_WRITE, "invoices.write")           \
    X(RETENTION_READ, "retention.read")           \
    X(RETENTION_WRITE, "retention.write")         \
    X(WEBHOOKS_READ, "webhooks.read")             \
    X(WEBHOOKS_WRITE, "webhooks.write")

enum scope_bit {
#define X(name, text) SCOPE_BIT_##name,
    SCOPES(X)
#undef X
    SCOPE_BIT_COUNT,
    SCOPE_BIT_BOOTSTRAP = 62, /* the server's bootstrap token: makes organisations, nothing else */
};

enum scope {
#define X(name, text) SCOPE_##name = 1 << SCOPE_BIT_##name,
    SCOPES(X)
#undef X
};

#define SCOPE_BOOTSTRAP (UINT64_C(1) << SCOPE_BIT_BOOTSTRAP)
#define SCOPES_ALL ((UINT64_C(1) << SCOPE_BIT_COUNT) - 1)

/* What a publishable key may do: it is seen by everybody. */
#define SCOPES_PUBLISHABLE ((uint64_t)SCOPE_CATALOG_READ)

/* "catalog.read" -> its bit; false when there is no such scope. */
bool scope_parse(const char *text, uint64_t *ret_scope);
const char *scope_text(uint64_t scope);
