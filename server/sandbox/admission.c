#include "sandbox/admission.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/param.h"
#include "sandbox/route_table.h"
#include "sandbox/sim.h"

#define IDEMPOTENCY_KEY_MAX 255

static bool check_key(struct call *call)
{
    const char *header = http_header(call->http, "Authorization");
    const char *key = NULL;
    const char *wanted = call->sim->secret_key;

    if (header == NULL || strncmp(header, "Bearer ", 7) != 0 || header[7] == '\0') {
        return call_fail(
            call,
            401,
            NULL,
            NULL,
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').");
    }
    key = header + 7;
    if (strncmp(key, "sk_test_", 8) != 0 ||
        (wanted != NULL &&
         (strlen(wanted) != strlen(key) || !bytes_equal(wanted, key, strlen(key))))) {
        return call_fail(
            call,
            401,
            NULL,
            NULL,
            "Invalid API Key provided: %.8s****",
            strlen(key) < 8 ? "" : key);
    }
    return true;
}

/* Whose store is meant: that of the platform, or of the account it acts for. */
static bool choose_account(struct call *call)
{
    const char *account = http_header(call->http, "Stripe-Account");
    const char *context = http_header(call->http, "Stripe-Context");

    if (account != NULL && context != NULL) {
        return call_fail(
            call, 400, NULL, NULL, "You may not send Stripe-Account and Stripe-Context together.");
    }
    account = account == NULL ? context : account;
    if (account == NULL) {
        return true;
    }
    call->account = account_find(call->sim, account);
    if (call->account == NULL) {
        call->account = call->sim->platform;
        return call_fail(
            call,
            403,
            "account_invalid",
            NULL,
            "The provided key does not have access to account '%s' (or that account does not "
            "exist). "
            "Application access may have been revoked.",
            account);
    }
    if ((call->endpoint->flags & ENDPOINT_PLATFORM) != 0 && call->account != call->sim->platform) {
        return call_fail(
            call,
            403,
            NULL,
            NULL,
            "Only the platform itself can do this: send the request without Stripe-Account.");
    }
    return true;
}

static bool check_headers(struct call *call)
{
    const char *version = http_header(call->http, "Stripe-Version");
    const char *type = http_header(call->http, "Content-Type");

    if (version != NULL && strcmp(version, SIM_API_VERSION) != 0) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "Invalid Stripe API version: %s. The simulator knows " SIM_API_VERSION " only.",
            version);
    }
    if (call->http->body_len > 0 &&
        (type == NULL || strncmp(type, "application/x-www-form-urlencoded", 33) != 0)) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "Invalid request: the content type must be application/x-www-form-urlencoded.");
    }
    return call->idempotency_key == NULL || strlen(call->idempotency_key) <= IDEMPOTENCY_KEY_MAX ||
           call_fail(
               call,
               400,
               NULL,
               NULL,
               "Idempotency keys are at most %d characters.",
               IDEMPOTENCY_KEY_MAX);
}

static bool find_endpoint(struct call *call)
{
    const struct http_request *http = call->http;

    if (route_table_is_not_simulated(call->cx->arena, http->path)) {
        return call_fail_not_implemented(
            call, arena_printf(call->cx->arena, "%s %s", http->method, http->path));
    }
    call->endpoint = route_table_find(call->cx->arena, http->method, http->path, call->ids);
    if (call->endpoint == NULL &&
        route_table_lacks_method(call->cx->arena, http->method, http->path)) {
        return call_fail_not_implemented(
            call, arena_printf(call->cx->arena, "%s %s", http->method, http->path));
    }
    return call->endpoint != NULL || call_fail(
                                         call,
                                         404,
                                         NULL,
                                         NULL,
                                         "Unrecognized request URL (%s: %s).",
                                         http->method,
                                         http->path);
}

bool admission_check(struct call *call)
{
    return check_key(call) && find_endpoint(call) && choose_account(call) && check_headers(call);
}

bool admission_read_form(struct call *call)
{
    const struct http_request *http = call->http;
    const char *problem = "";

    form_init(&call->form, call->cx->arena);
    if (!form_parse(&call->form, call->cx->arena, http->query, strlen(http->query), &problem) ||
        !form_parse(
            &call->form, call->cx->arena, (const char *)http->body, http->body_len, &problem)) {
        return call_fail(call, 400, NULL, NULL, "%s", problem);
    }
    return param_check(call, call->endpoint->params) &&
           expand_read(call, call->endpoint->result, (call->endpoint->flags & ENDPOINT_LIST) != 0);
}
