#include "services/payment_decline.h"

#include <string.h>

#include "base/ctx.h"
#include "domain/decline.h"

struct status payment_decline_code(struct ctx *cx, const char *code, const char *subscription)
{
    struct status status =
        status_fail(cx, REASON_PAYMENT_DECLINED, "the payment was declined: %s", code);

    status = status_pair(cx, status, "decline_code", code);
    status = status_pair(cx, status, "decline_class", decline_class_name(decline_class_of(code)));
    return status_pair(cx, status, "subscription_id", subscription);
}

/* The payment side has a word of its own for each thing that waits for the customer. */
static bool needs_customer(const char *code)
{
    static const char ending[] = "_payment_intent_requires_action";
    const size_t length = strlen(code);

    return length >= sizeof ending - 1 && strcmp(code + length - (sizeof ending - 1), ending) == 0;
}

struct status
payment_decline(struct ctx *cx, const struct payment_error *error, const char *subscription)
{
    const char *code = error->decline_code[0] != '\0' ? error->decline_code
                       : needs_customer(error->code)  ? "authentication_required"
                                                      : error->code;

    return payment_decline_code(cx, code, subscription);
}
