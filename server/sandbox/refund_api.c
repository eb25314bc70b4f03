#include "sandbox/refund_api.h"

#include "sandbox/charge.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/payment_intent.h"
#include "sandbox/refund.h"
#include "sandbox/sim.h"

static const struct param create_params[] = {
    {"charge", PARAM_TEXT, 0, NULL},
    {"payment_intent", PARAM_TEXT, 0, NULL},
    {"amount", PARAM_INT, 0, NULL},
    {"reason", PARAM_ENUM, 0, "duplicate|fraudulent|requested_by_customer"},
    {"refund_application_fee", PARAM_BOOL, 0, NULL},
    {"reverse_transfer", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

/* The charge that took the money. */
static bool find_charge(struct call *call, struct charge **ret_charge)
{
    struct payment_intent *intent = NULL;

    if (!call_find(call, KIND_CHARGE, "charge", ret_charge) ||
        !call_find(call, KIND_PAYMENT_INTENT, "payment_intent", &intent)) {
        return false;
    }
    if (intent != NULL) {
        *ret_charge = intent->latest_charge;
    } else if (*ret_charge == NULL) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "charge",
            "One of the following params should be provided for this request: payment_intent or "
            "charge.");
    }
    if (*ret_charge == NULL || !(*ret_charge)->succeeded) {
        return call_fail(
            call, 400, NULL, NULL, "This payment does not have a successful charge to refund.");
    }
    return true;
}

static bool check_amount(struct call *call, const struct charge *charge, int64_t amount)
{
    if (charge->refunded == charge->amount) {
        return call_fail(
            call,
            400,
            "charge_already_refunded",
            NULL,
            "Charge %s has already been refunded.",
            charge->object.id);
    }
    if (amount < 1) {
        return call_fail(
            call, 400, "parameter_invalid_integer", "amount", "Invalid positive integer");
    }
    return amount <= charge->amount - charge->refunded ||
           call_fail(
               call,
               400,
               NULL,
               "amount",
               "Refund amount is greater than unrefunded amount on charge.");
}

static bool refund_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    struct charge *charge = NULL;
    struct refund *refund = NULL;
    int64_t amount = 0;

    if (!find_charge(call, &charge) || !metadata_check(call, &none, "metadata")) {
        return false;
    }
    amount = call_i64(call, "amount", charge->amount - charge->refunded);
    if (!check_amount(call, charge, amount)) {
        return false;
    }
    refund = refund_new(call->sim, charge, amount, call_text(call, "reason"));
    metadata_update(call, &refund->metadata, "metadata");
    refund_tell(call->sim, refund);
    return call_reply(call, refund);
}

static bool refund_retrieve(struct call *call)
{
    struct refund *refund = NULL;

    return call_find_path(call, KIND_REFUND, &refund) && call_reply(call, refund);
}

static const struct param list_params[] = {
    {"charge", PARAM_TEXT, 0, NULL},
    {"payment_intent", PARAM_TEXT, 0, NULL},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static bool match(const struct call *call, const struct object *object)
{
    const struct refund *refund = (const struct refund *)object;

    return list_ref_matches(call, "charge", refund->charge) &&
           list_ref_matches(call, "payment_intent", refund->charge->intent) &&
           list_time_matches(call, "created", object->created_s);
}

static bool refund_list(struct call *call)
{
    return list_reply(call, KIND_REFUND, match);
}

const struct endpoint refund_api[] = {
    {"POST", "/v1/refunds", refund_create, create_params, KIND_REFUND, 0},
    {"GET", "/v1/refunds", refund_list, list_params, KIND_REFUND, ENDPOINT_LIST},
    {"GET", "/v1/refunds/{}", refund_retrieve, NULL, KIND_REFUND, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
