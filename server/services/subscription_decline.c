#include "services/subscription_decline.h"

#include <string.h>

#include "base/ctx.h"
#include "domain/decline.h"
#include "domain/payment.h"

struct status subscription_declined(
    struct ctx *cx, const struct payment_error *error, const struct id *subscription_id)
{
    static const char needs_customer[] = "subscription_payment_intent_requires_action";
    const char *code = error->decline_code[0] != '\0'             ? error->decline_code
                       : strcmp(error->code, needs_customer) == 0 ? "authentication_required"
                                                                  : error->code;
    struct status status =
        status_fail(cx, REASON_PAYMENT_DECLINED, "the payment was declined: %s", code);

    status = status_pair(cx, status, "decline_code", code);
    status = status_pair(cx, status, "decline_class", decline_class_name(decline_class_of(code)));
    return status_pair(
        cx, status, "subscription_id", id_text(cx->arena, ID_SUBSCRIPTION, subscription_id));
}
