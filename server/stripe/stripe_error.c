#include "stripe/stripe_error.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "http/json.h"

#define RETRY_MS 2000

static void free_json(struct json **json)
{
    json_free(*json);
}

static void set_texts_empty(struct payment_error *error)
{
    error->type = "";
    error->code = "";
    error->decline_code = "";
    error->advice_code = "";
    error->param = "";
    error->message = "";
    error->payment_intent_id = "";
}

/* A body that is no JSON comes from something between us and the payment side. */
static void read_body(struct ctx *cx, const struct http_answer *answer, struct payment_error *error)
{
    AUTO(free_json) struct json *json = NULL;
    const struct status status = json_parse(cx, answer->body, answer->body_len, &json);
    json_value body = NULL;

    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the status of the answer must do");
        return;
    }
    body = json_get(json_root(json), "error");
    error->type = json_text(cx, body, "type");
    error->code = json_text(cx, body, "code");
    error->decline_code = json_text(cx, body, "decline_code");
    error->advice_code = json_text(cx, body, "advice_code");
    error->param = json_text(cx, body, "param");
    error->message = json_text(cx, body, "message");
    error->payment_intent_id = json_text(cx, body, "payment_intent.id");
}

static enum payment_failure unknown_if(bool write)
{
    return write ? PAYMENT_FAILURE_UNKNOWN : PAYMENT_FAILURE_UNREACHABLE;
}

/* 409: mostly a request with the same key that still runs. 429 and the code rate_limit: the limiter
 * stands before everything else, so nothing has happened; nor has it behind a lock. */
static enum payment_failure classify(bool write, const struct payment_error *error)
{
    const int status = error->http_status;

    if (status >= 200 && status < 300) {
        return PAYMENT_FAILURE_NONE;
    }
    if (status == 429 || strcmp(error->code, "rate_limit") == 0) {
        return PAYMENT_FAILURE_BUSY;
    }
    if (status == 402 || strcmp(error->type, "card_error") == 0) {
        return PAYMENT_FAILURE_DECLINED;
    }
    if (status == 401 || status == 403) {
        return PAYMENT_FAILURE_NO_ACCESS;
    }
    if (status == 404) {
        return PAYMENT_FAILURE_NOT_FOUND;
    }
    if (status == 409 || status == 424) {
        return write ? PAYMENT_FAILURE_UNKNOWN : PAYMENT_FAILURE_BUSY;
    }
    return status >= 400 && status < 500 ? PAYMENT_FAILURE_REJECTED : unknown_if(write);
}

void stripe_error_read(
    struct ctx *cx,
    bool write,
    const struct http_answer *answer,
    const char *request_id,
    struct payment_error *ret_error)
{
    *ret_error = (struct payment_error){
        .http_status = answer->status, .request_id = request_id == NULL ? "" : request_id};
    set_texts_empty(ret_error);
    switch (answer->outcome) {
    case HTTP_NOT_SENT:
        ret_error->failure = PAYMENT_FAILURE_UNREACHABLE;
        break;
    case HTTP_UNKNOWN:
        ret_error->failure = unknown_if(write);
        break;
    case HTTP_ANSWERED:
        if (answer->status < 200 || answer->status > 299) {
            read_body(cx, answer, ret_error);
        }
        ret_error->failure = classify(write, ret_error);
        break;
    }
    if (answer->outcome != HTTP_ANSWERED) {
        ret_error->message = answer->error;
    }
}

static struct status
with_pair(struct ctx *cx, struct status status, const char *key, const char *value)
{
    return value[0] == '\0' ? status : status_pair(cx, status, key, value);
}

static struct status
with_codes(struct ctx *cx, struct status status, const struct payment_error *error)
{
    status = with_pair(cx, status, "payment_code", error->code);
    status = with_pair(cx, status, "decline_code", error->decline_code);
    status = with_pair(cx, status, "advice_code", error->advice_code);
    status = with_pair(cx, status, "payment_parameter", error->param);
    status = with_pair(cx, status, "payment_intent", error->payment_intent_id);
    return with_pair(cx, status, "payment_request_id", error->request_id);
}

static struct status rejected(struct ctx *cx, const struct payment_error *error)
{
    if (error->code[0] == '\0' && error->type[0] != '\0') {
        return status_pair(
            cx, status_of(cx, REASON_PAYMENT_SIDE_REJECTED), "payment_code", error->type);
    }
    return status_of(cx, REASON_PAYMENT_SIDE_REJECTED);
}

struct status stripe_error_status(struct ctx *cx, const struct payment_error *error)
{
    const int64_t retry_ms = error->retry_ms > 0 ? error->retry_ms : RETRY_MS;
    struct status status;

    switch (error->failure) {
    case PAYMENT_FAILURE_NONE:
        return STATUS_OK;
    case PAYMENT_FAILURE_REJECTED:
        return with_codes(cx, rejected(cx, error), error);
    case PAYMENT_FAILURE_NOT_FOUND:
        status = status_fail(
            cx, REASON_PAYMENT_SIDE_REJECTED, "the payment side does not have the object");
        if (error->code[0] == '\0') {
            status = status_pair(cx, status, "payment_code", "resource_missing");
        }
        return with_codes(cx, status, error);
    case PAYMENT_FAILURE_DECLINED:
        return with_codes(cx, status_of(cx, REASON_PAYMENT_DECLINED), error);
    case PAYMENT_FAILURE_NO_ACCESS:
        status = status_fail(
            cx,
            REASON_PAYMENT_ACCOUNT_NOT_CONNECTED,
            "the payment side gives no access to the account");
        return with_codes(cx, status, error);
    case PAYMENT_FAILURE_BUSY:
        status =
            status_fail(cx, REASON_PAYMENT_SIDE_UNAVAILABLE, "the payment side has too much to do");
        return status_retry(with_codes(cx, status, error), retry_ms);
    case PAYMENT_FAILURE_UNREACHABLE:
        status = status_of(cx, REASON_PAYMENT_SIDE_UNAVAILABLE);
        return status_retry(with_codes(cx, status, error), retry_ms);
    case PAYMENT_FAILURE_UNKNOWN:
        status = status_of(cx, REASON_OUTCOME_PENDING);
        return status_retry(with_codes(cx, status, error), retry_ms);
    }
    return status_of(cx, REASON_INTERNAL);
}

const char *stripe_error_outcome(enum payment_failure failure)
{
    switch (failure) {
    case PAYMENT_FAILURE_NONE:
        return "ok";
    case PAYMENT_FAILURE_REJECTED:
        return "rejected";
    case PAYMENT_FAILURE_NOT_FOUND:
        return "not_found";
    case PAYMENT_FAILURE_DECLINED:
        return "declined";
    case PAYMENT_FAILURE_NO_ACCESS:
        return "no_access";
    case PAYMENT_FAILURE_BUSY:
        return "busy";
    case PAYMENT_FAILURE_UNREACHABLE:
        return "unreachable";
    case PAYMENT_FAILURE_UNKNOWN:
        return "unknown";
    }
    return "";
}
