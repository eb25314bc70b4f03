#include "sandbox/expand.h"

#include <string.h>

#include "sandbox/call.h"

struct expandable {
    const char *path; /* below the object */
    enum object_kind from;
    enum object_kind to;
};

/* The longer of two paths that begin alike stands first. */
static const struct expandable expandables[] = {
    {"latest_invoice", KIND_SUBSCRIPTION, KIND_INVOICE},
    {"customer", KIND_SUBSCRIPTION, KIND_CUSTOMER},
    {"default_payment_method", KIND_SUBSCRIPTION, KIND_PAYMENT_METHOD},
    {"test_clock", KIND_SUBSCRIPTION, KIND_TEST_CLOCK},
    {"pending_setup_intent", KIND_SUBSCRIPTION, KIND_NONE},
    {"schedule", KIND_SUBSCRIPTION, KIND_SCHEDULE},
    {"discounts", KIND_SUBSCRIPTION, KIND_NONE},
    {"items.data.price", KIND_SUBSCRIPTION, KIND_PRICE},
    {"items", KIND_SUBSCRIPTION, KIND_NONE},
    {"customer", KIND_SCHEDULE, KIND_CUSTOMER},
    {"subscription", KIND_SCHEDULE, KIND_SUBSCRIPTION},
    {"customer", KIND_INVOICE, KIND_CUSTOMER},
    {"payments.data", KIND_INVOICE, KIND_INVOICE_PAYMENT},
    {"payments", KIND_INVOICE, KIND_NONE},
    {"confirmation_secret", KIND_INVOICE, KIND_NONE},
    {"default_payment_method", KIND_INVOICE, KIND_PAYMENT_METHOD},
    {"parent.subscription_details.subscription", KIND_INVOICE, KIND_SUBSCRIPTION},
    {"test_clock", KIND_INVOICE, KIND_TEST_CLOCK},
    {"lines", KIND_INVOICE, KIND_NONE},
    {"discounts", KIND_INVOICE, KIND_NONE},
    {"payment.payment_intent", KIND_INVOICE_PAYMENT, KIND_PAYMENT_INTENT},
    {"invoice", KIND_INVOICE_PAYMENT, KIND_INVOICE},
    {"latest_charge", KIND_PAYMENT_INTENT, KIND_CHARGE},
    {"customer", KIND_PAYMENT_INTENT, KIND_CUSTOMER},
    {"payment_method", KIND_PAYMENT_INTENT, KIND_PAYMENT_METHOD},
    {"customer", KIND_CHARGE, KIND_CUSTOMER},
    {"payment_intent", KIND_CHARGE, KIND_PAYMENT_INTENT},
    {"charge", KIND_REFUND, KIND_CHARGE},
    {"payment_intent", KIND_REFUND, KIND_PAYMENT_INTENT},
    {"product", KIND_PRICE, KIND_PRODUCT},
    {"tiers", KIND_PRICE, KIND_NONE},
    {"currency_options", KIND_PRICE, KIND_NONE},
    {"default_price", KIND_PRODUCT, KIND_PRICE},
    {"invoice_settings.default_payment_method", KIND_CUSTOMER, KIND_PAYMENT_METHOD},
    {"test_clock", KIND_CUSTOMER, KIND_TEST_CLOCK},
    {"subscriptions", KIND_CUSTOMER, KIND_NONE},
    {"customer", KIND_PAYMENT_METHOD, KIND_CUSTOMER},
};

/* The rest of the path behind one step, NULL when the kind cannot show it. */
static const char *step(const char *path, enum object_kind *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(expandables); i++) {
        const size_t len = strlen(expandables[i].path);

        if (expandables[i].from == *kind && strncmp(path, expandables[i].path, len) == 0 &&
            (path[len] == '\0' || path[len] == '.')) {
            *kind = expandables[i].to;
            return path[len] == '.' ? path + len + 1 : path + len;
        }
    }
    return NULL;
}

static bool check_path(struct call *call, const char *path, enum object_kind kind, bool list)
{
    const char *rest = path;
    int depth = 1;

    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        depth++;
    }
    if (list && strncmp(rest, "data.", 5) == 0) {
        rest += 5;
        depth--;
    } else if (list) {
        rest = NULL;
    }
    while (rest != NULL && *rest != '\0') {
        rest = step(rest, &kind);
    }
    if (rest == NULL) {
        return call_fail(call, 400, NULL, "expand", "This property cannot be expanded (%s).", path);
    }
    return depth <= EXPAND_DEPTH_MAX + 1 ||
           call_fail(
               call,
               400,
               "property_expansion_max_depth",
               "expand",
               "You cannot expand more than %d levels of a property (%s).",
               EXPAND_DEPTH_MAX,
               path);
}

bool expand_read(struct call *call, enum object_kind kind, bool list)
{
    struct expand *expand = &call->expand;

    for (size_t i = 0; i < call->form.count; i++) {
        const struct form_pair *pair = &call->form.pairs[i];

        if (strncmp(pair->key, "expand[", 7) != 0) {
            continue;
        }
        if (expand->count == EXPAND_PATHS_MAX) {
            return call_fail(call, 400, NULL, "expand", "You may expand at most 20 properties.");
        }
        if (!check_path(call, pair->value, kind, list)) {
            return false;
        }
        expand->paths[expand->count++] = pair->value;
    }
    return true;
}

bool expand_wants(const struct expand *expand, const char *path)
{
    const size_t len = strlen(path);

    for (size_t i = 0; i < expand->count; i++) {
        if (strncmp(expand->paths[i], path, len) == 0 &&
            (expand->paths[i][len] == '\0' || expand->paths[i][len] == '.')) {
            return true;
        }
    }
    return false;
}
