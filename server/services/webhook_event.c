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
        WEBHOOK_OBJECT_ACCOUNT,
        WEBHOOK_OBJECT_CUSTOMER,
        WEBHOOK_OBJECT_PAYMENT_METHOD,
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(object_type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

struct status webhook_event_parse(
    struct ctx *cx, const void *body, size_t body_len, struct inbox_event *ret_event)
{
    struct payment_event event;

    TRY(stripe_event_parse(cx, body, body_len, &event));
    *ret_event = (struct inbox_event){
        .account_id = event.account_id,
        .event_id = event.id,
        .live = event.live,
        .type = event.type,
        .object_type = event.object_type,
        .object_id = event.object_id,
        .request_key = event.idempotency_key,
        .api_version = event.api_version,
        .event_us = event.created_us == 0 ? cx->now_us : event.created_us,
        .payload = {body, body_len},
        .state = INBOX_NEW,
        .error = "",
    };
    if (about_account(&event)) {
        ret_event->object_type = WEBHOOK_OBJECT_ACCOUNT;
        if (event.account_id[0] != '\0') {
            ret_event->object_id = event.account_id;
        }
    }
    return STATUS_OK;
}
