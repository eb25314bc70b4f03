#include "sandbox/subscription_draft.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/customer.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/price.h"
#include "sandbox/sim.h"

static bool check_price(struct call *call, const struct price *price, const char *param)
{
    if (!price->recurring) {
        return call_fail(
            call,
            400,
            NULL,
            param,
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.");
    }
    return price->active || call_fail(
                                call,
                                400,
                                NULL,
                                param,
                                "The price specified is inactive. This field only accepts active "
                                "prices.");
}

bool subscription_draft_item(struct call *call, size_t n, struct subscription_item *item)
{
    const char *param = arena_printf(call->cx->arena, "items[%zu][price]", n);
    const char *quantity_param = arena_printf(call->cx->arena, "items[%zu][quantity]", n);
    struct price *price = item->price;

    if (!call_find(call, KIND_PRICE, param, &price)) {
        return false;
    }
    if (price == NULL) {
        return call_fail(
            call, 400, "parameter_missing", param, "Missing required param: %s.", param);
    }
    if (price != item->price && !check_price(call, price, param)) {
        return false;
    }
    if (price->metered && call_text(call, quantity_param) != NULL) {
        return call_fail(
            call,
            400,
            NULL,
            quantity_param,
            "You cannot set the quantity for metered plans. Instead, report usage.");
    }
    item->price = price;
    item->quantity = call_i64(call, quantity_param, item->quantity > 0 ? item->quantity : 1);
    return (item->quantity >= 0 && item->quantity <= 999999) ||
           call_fail(
               call,
               400,
               "parameter_invalid_integer",
               quantity_param,
               "This value must be greater than or equal to 0.");
}

bool subscription_draft_check_items(
    struct call *call,
    const struct customer *customer,
    const struct subscription_item *items,
    size_t count)
{
    if (count == 0) {
        return call_fail(call, 400, "parameter_missing", "items", "Missing required param: items.");
    }
    if (customer->currency != NULL && strcmp(customer->currency, items[0].price->currency) != 0) {
        return call_fail(
            call,
            400,
            NULL,
            "items",
            "You cannot combine currencies on a single customer. This customer has had a "
            "subscription, coupon, or invoice item with currency %s.",
            customer->currency);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].price->currency, items[0].price->currency) != 0) {
            return call_fail(
                call,
                400,
                NULL,
                "items",
                "All prices on a subscription must have the same `currency`.");
        }
        for (size_t k = 0; k < i; k++) {
            if (items[k].price == items[i].price) {
                return call_fail(
                    call,
                    400,
                    NULL,
                    "items",
                    "Cannot add multiple subscription items with the same plan: %s",
                    items[i].price->object.id);
            }
        }
    }
    return true;
}

bool subscription_draft_method(
    struct call *call, const struct customer *customer, struct payment_method **method)
{
    const char *id = call_text(call, "default_payment_method");

    if (id == NULL) {
        return true;
    }
    if (id[0] == '\0') {
        *method = NULL;
        return true;
    }
    *method = payment_method_of(call->sim, customer, id);
    return *method != NULL || call_fail(
                                  call,
                                  400,
                                  "resource_missing",
                                  "default_payment_method",
                                  "The customer does not have a payment method with the ID %s. The "
                                  "payment method must "
                                  "be attached to the customer.",
                                  id);
}

bool subscription_draft_discount(struct call *call, int64_t now_s, struct discount *discount)
{
    struct coupon *coupon = NULL;

    if (call_text(call, "discounts") != NULL) {
        *discount = (struct discount){.id = NULL};
        return true;
    }
    if (form_len(&call->form, "discounts") > 1) {
        return call_fail_not_implemented(call, "more than one discount");
    }
    if (!call_find(call, KIND_COUPON, "discounts[0][coupon]", &coupon) || coupon == NULL) {
        return coupon == NULL && call->failure.status == 0;
    }
    if (!coupon_valid(coupon, now_s)) {
        return call_fail(
            call,
            400,
            "coupon_expired",
            "discounts[0][coupon]",
            "Coupon expired: %s",
            coupon->object.id);
    }
    *discount = (struct discount){
        .id = sim_draw_id(call->sim, "di_"),
        .coupon = coupon,
        .start_s = now_s,
        .end_s =
            coupon->duration == COUPON_REPEATING
                ? calendar_step(now_s, (struct interval){UNIT_MONTH, 1}, coupon->duration_in_months)
                : 0,
    };
    return true;
}

bool subscription_draft_fee(struct call *call, int64_t *hundredths)
{
    const char *text = call_text(call, "application_fee_percent");
    atoms percent = 0;

    if (text == NULL) {
        return true;
    }
    if (text[0] == '\0') {
        *hundredths = 0;
        return true;
    }
    if (!atoms_parse(text, &percent) || percent < 0 || percent > (atoms)100 * ATOMS_PER_MINOR ||
        percent % (ATOMS_PER_MINOR / 100) != 0) {
        return call_fail(
            call,
            400,
            NULL,
            "application_fee_percent",
            "Invalid decimal: must be between 0 and 100 with at most two decimal places");
    }
    if (call->account == call->sim->platform) {
        return call_fail(
            call,
            400,
            NULL,
            "application_fee_percent",
            "You can only apply an application_fee_percent when the request is made on behalf of "
            "another account (using an OAuth key, the Stripe-Account header, or the destination "
            "parameter).");
    }
    *hundredths = (int64_t)(percent * 100 / ATOMS_PER_MINOR);
    return true;
}

bool subscription_draft_behaves(const struct call *call, const char *behavior)
{
    const char *asked = call_text(call, "payment_behavior");

    return strcmp(asked == NULL ? "allow_incomplete" : asked, behavior) == 0;
}

static bool refuse_incomplete(
    struct call *call, const struct customer *customer, const struct payment_method *method)
{
    struct decline decline = payment_intent_foresee(customer, method);

    if (payment_intent_needs_customer(customer, method)) {
        return call_fail(
            call,
            402,
            "subscription_payment_intent_requires_action",
            NULL,
            "Payment for this subscription requires additional user action before it can be "
            "completed "
            "successfully.");
    }
    if (decline.decline_code == NULL) {
        return true;
    }
    call_fail(call, 402, decline.code, NULL, "%s", decline.message);
    call->failure.decline_code = decline.decline_code;
    call->failure.advice_code = decline.advice;
    call->failure.payment_method = &method->object;
    return false;
}

bool subscription_draft_payment(
    struct call *call,
    const struct customer *customer,
    const struct payment_method *method,
    int64_t amount)
{
    if (amount <= 0) {
        return true;
    }
    if (!account_charges_enabled(call->account)) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "Your account cannot currently make charges: it must have the `card_payments` "
            "capability "
            "active.");
    }
    if (subscription_draft_behaves(call, "default_incomplete")) {
        return true;
    }
    if (method == NULL) {
        return call_fail(
            call,
            400,
            "resource_missing",
            NULL,
            "This customer has no attached payment source or default payment method. Please "
            "consider "
            "adding a default payment method.");
    }
    return !subscription_draft_behaves(call, "error_if_incomplete") ||
           refuse_incomplete(call, customer, method);
}
