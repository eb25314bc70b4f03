#include "services/webhook_event.h"

#include <string.h>

#include "base/ctx.h"
#include "domain/payment.h"
#include "stripe/stripe_event.h"

/* What is told about a part of an account changes the account, which is what is read anew. The end
 * of the connection is told about an application. */
static bool about_account(const struct payment_event *event)
{
    static const char *const parts[] = {"account", "capability", "person"};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strcmp(event->object_type, parts[i]) == 0) {
            return true;
        }
    }
    return strcmp(event->type, "account.application.deauthorized") == 0;
}

bool webhook_object_mirrored(const char *object_type)
{
    static const char *const types[] = {
        WEBHOOK_OBJECT_SUBSCRIPTION,
        WEBHOOK_OBJECT_INVOICE,
        WEBHOOK_OBJECT_CHARGE,
        WEBHOOK_OBJECT_REFUND,
        WEBHOOK_OBJECT_ACCOUNT,
        WEBHOOK_OBJECT_CUSTOMER,
        WEBHOOK_OBJECT_PAYMENT_METHOD,
        WEBHOOK_OBJECT_COUPON,
        WEBHOOK_OBJECT_TAX_ID,
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(object_type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

struct inbox_event
webhook_event_of(const struct ctx *cx, const struct payment_event *event, struct str payload)
{
    struct inbox_event read = {
        .account_id = event->account_id,
        .event_id = event->id,
        .live = event->live,
        .type = event->type,
        .object_type = event->object_type,
        .object_id = event->object_id,
        .request_key = event->idempotency_key,
        .api_version = event->api_version,
        .event_us = event->created_us == 0 ? cx->now_us : event->created_us,
        .payload = payload,
        .state = INBOX_NEW,
        .error = "",
    };

    if (about_account(event)) {
        read.object_type = WEBHOOK_OBJECT_ACCOUNT;
        if (event->account_id[0] != '\0') {
            read.object_id = event->account_id;
        }
    }
    return read;
}

struct status webhook_event_parse(
    struct ctx *cx, const void *body, size_t body_len, struct inbox_event *ret_event)
{
    struct payment_event event;

    TRY(stripe_event_parse(cx, body, body_len, &event));
    *ret_event = webhook_event_of(cx, &event, (struct str){body, body_len});
    return STATUS_OK;
}
