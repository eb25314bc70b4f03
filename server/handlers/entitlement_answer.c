#include "handlers/entitlement_answer.h"

#include <string.h>

#include "base/arena.h"
#include "handlers/pb.h"
#include "http/json.h"

/* For people; nobody parses it. One static text a reason: an answer costs no formatting. */
static const char *message_of(enum decision_reason reason)
{
    switch (reason) {
    case DECISION_GRANTED:
        return "included";
    case DECISION_GRANTED_OVERAGE:
        return "allowed past the limit";
    case DECISION_GRANTED_GRACE:
        return "allowed while an overdue payment is in its grace period";
    case DECISION_CUSTOMER_NOT_FOUND:
        return "there is no such customer";
    case DECISION_CUSTOMER_ARCHIVED:
        return "the customer is archived";
    case DECISION_FEATURE_NOT_FOUND:
        return "there is no such feature";
    case DECISION_FEATURE_TYPE_MISMATCH:
        return "a quantity was asked of a feature that has none";
    case DECISION_NO_ACTIVE_SUBSCRIPTION:
        return "nothing is active for the customer";
    case DECISION_FEATURE_NOT_IN_PLAN:
        return "the plan does not include the feature";
    case DECISION_USAGE_LIMIT_REACHED:
        return "the limit of the period would be passed";
    case DECISION_VALUE_NOT_PERMITTED:
        return "a requested value is not permitted";
    case DECISION_GRANT_EXPIRED:
        return "the grant has expired";
    case DECISION_NOT_YET_ACTIVE:
        return "it starts later";
    case DECISION_SUBSCRIPTION_PAUSED:
        return "the subscription is paused";
    case DECISION_PAYMENT_INCOMPLETE:
        return "the first payment was not completed";
    case DECISION_PAYMENT_OVERDUE:
        return "a payment is overdue";
    case DECISION_REVOKED:
        return "the grant was revoked";
    case DECISION_BLOCKED:
        return "the customer is blocked";
    }
    return "";
}

static Billingos__V1__Provenance *
provenance_pb(struct ctx *cx, const struct entitlement *entitlement)
{
    Billingos__V1__Provenance *message =
        PB_NEW(cx, Billingos__V1__Provenance, billingos__v1__provenance__init);

    message->kind = (Billingos__V1__ProvenanceKind)entitlement->provenance;
    message->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &entitlement->subscription_id);
    message->plan_id = pb_id(cx, ID_PLAN, &entitlement->plan_id);
    message->plan_version = entitlement->plan_version;
    message->grant_id = pb_id(cx, ID_GRANT, &entitlement->grant_id);
    return message;
}

Billingos__V1__Balance *
entitlement_balance_pb(struct ctx *cx, const struct entitlement_answer *answer)
{
    const struct entitlement *entitlement = &answer->entitlement;
    const struct entitlement_decision *decision = &answer->decision;
    Billingos__V1__Balance *message =
        PB_NEW(cx, Billingos__V1__Balance, billingos__v1__balance__init);

    message->unlimited = entitlement->unlimited;
    message->limit = entitlement->unlimited ? 0 : entitlement->limit;
    message->used = decision->used;
    message->reserved = decision->reserved;
    message->remaining = decision->remaining;
    message->overage = decision->overage;
    message->overage_policy = (Billingos__V1__OveragePolicy)entitlement->overage_policy;
    message->overage_max = entitlement->overage_max;
    message->period_start_time = pb_time(cx, decision->window.start_us);
    if (decision->window.end_us != INT64_MAX) {
        message->reset_time = pb_time(cx, decision->window.end_us);
    }
    return message;
}

static void release_json(struct json **json)
{
    json_free(*json);
}

/* {"number": 50}, {"text": "gold"} or {"json": {...}}: as the catalogue stores it. */
static Billingos__V1__ConfigValue *config_pb(struct ctx *cx, const char *config)
{
    Billingos__V1__ConfigValue *message =
        PB_NEW(cx, Billingos__V1__ConfigValue, billingos__v1__config_value__init);
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    if (json_parse(cx, config, strlen(config), &json).code != CODE_OK) {
        return message;
    }
    root = json_root(json);
    if (json_get(root, "number") != NULL) {
        message->value_case = BILLINGOS__V1__CONFIG_VALUE__VALUE_NUMBER;
        message->number = json_i64(root, "number");
    } else if (json_get(root, "text") != NULL) {
        message->value_case = BILLINGOS__V1__CONFIG_VALUE__VALUE_TEXT;
        message->text = pb_text(json_text(cx, root, "text"));
    } else if (json_get(root, "json") != NULL) {
        message->value_case = BILLINGOS__V1__CONFIG_VALUE__VALUE_JSON;
        message->json = pb_text(json_print(cx, json_get(root, "json")));
    }
    return message;
}

Billingos__V1__Freshness *
entitlement_freshness_pb(struct ctx *cx, const struct freshness *freshness, int64_t valid_until_us)
{
    Billingos__V1__Freshness *message =
        PB_NEW(cx, Billingos__V1__Freshness, billingos__v1__freshness__init);

    message->state_version = freshness->state_version;
    message->as_of_time = pb_time(cx, freshness->as_of_us);
    message->valid_until_time = pb_time(cx, valid_until_us);
    message->stale = freshness->stale;
    message->origin = (Billingos__V1__AnswerOrigin)freshness->origin;
    return message;
}

/* The question again, with the customer resolved to our id. */
static Billingos__V1__EntitlementQuery *query_pb(
    struct ctx *cx,
    const struct entitlement_answer *answer,
    const Billingos__V1__EntitlementQuery *query)
{
    Billingos__V1__EntitlementQuery *message =
        PB_NEW(cx, Billingos__V1__EntitlementQuery, billingos__v1__entitlement_query__init);

    if (query != NULL) {
        *message = *query;
    } else {
        message->feature_key = pb_text(answer->feature_key);
    }
    if (!id_is_zero(&answer->customer_id)) {
        message->customer_case = BILLINGOS__V1__ENTITLEMENT_QUERY__CUSTOMER_CUSTOMER_ID;
        message->customer_id = pb_id(cx, ID_CUSTOMER, &answer->customer_id);
    }
    return message;
}

Billingos__V1__EntitlementAnswer *entitlement_answer_pb(
    struct ctx *cx,
    const struct entitlement_answer *answer,
    const Billingos__V1__EntitlementQuery *query)
{
    const struct entitlement_decision *decision = &answer->decision;
    Billingos__V1__EntitlementAnswer *message =
        PB_NEW(cx, Billingos__V1__EntitlementAnswer, billingos__v1__entitlement_answer__init);

    message->query = query_pb(cx, answer, query);
    message->allowed = decision->allowed;
    message->reason = (Billingos__V1__DecisionReason)decision->reason;
    message->provenance = provenance_pb(cx, &answer->entitlement);
    if (decision->has_balance) {
        message->detail_case = BILLINGOS__V1__ENTITLEMENT_ANSWER__DETAIL_BALANCE;
        message->balance = entitlement_balance_pb(cx, answer);
    } else if (answer->known && answer->entitlement.config[0] != '\0') {
        message->detail_case = BILLINGOS__V1__ENTITLEMENT_ANSWER__DETAIL_CONFIG;
        message->config = config_pb(cx, answer->entitlement.config);
    }
    message->freshness = entitlement_freshness_pb(cx, &answer->freshness, decision->valid_until_us);
    message->retry_time = pb_time(cx, decision->retry_us);
    message->message = pb_text(message_of(decision->reason));
    message->unreachable_policy = (Billingos__V1__UnreachablePolicy)answer->unreachable;
    return message;
}
