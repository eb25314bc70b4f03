#include "handlers/payment_account_handler.h"

#include <billingos/v1/organization_service.pb-c.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "domain/organization.h"
#include "domain/payment_account.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "services/keyed.h"
#include "services/payment_accounts.h"

#define URL_BYTES_MAX 2048
#define EMAIL_BYTES_MAX 254
#define NOTE_BYTES_MAX 2000 /* 500 characters of up to 4 bytes */

static void put_requirements(
    struct ctx *cx, const struct payment_account *account, Billingos__V1__PaymentAccount *message)
{
    message->requirements_due = arena_alloc(
        cx->arena, (account->requirement_count + 1) * sizeof(Billingos__V1__PaymentRequirement *));
    for (size_t i = 0; i < account->requirement_count; i++) {
        Billingos__V1__PaymentRequirement *one =
            PB_NEW(cx, Billingos__V1__PaymentRequirement, billingos__v1__payment_requirement__init);

        one->field = pb_text(account->requirements[i]);
        one->overdue = i < account->overdue_count;
        message->requirements_due[message->n_requirements_due++] = one;
    }
}

static Billingos__V1__PaymentAccount *
account_pb(struct ctx *cx, const struct payment_account *account)
{
    Billingos__V1__PaymentAccount *message =
        PB_NEW(cx, Billingos__V1__PaymentAccount, billingos__v1__payment_account__init);

    message->payment_account_ref = pb_text(account->account_id);
    message->mode =
        cx->caller.live ? BILLINGOS__V1__MODE__MODE_LIVE : BILLINGOS__V1__MODE__MODE_TEST;
    message->state = (Billingos__V1__PaymentAccountState)payment_account_state(account);
    message->charges_enabled = account->charges_enabled;
    message->payouts_enabled = account->payouts_enabled;
    message->details_submitted = account->details_submitted;
    message->country_code = pb_text(account->country);
    message->default_currency_code = pb_text(account->default_currency);
    put_requirements(cx, account, message);
    message->requirement_deadline = pb_time(cx, account->deadline_us);
    message->disabled_reason = pb_text(account->disabled_reason);
    message->application_fee_basis_points = account->application_fee_bps;
    message->refresh_time = pb_time(cx, account->synced_us);
    message->disconnect_time = pb_time(cx, account->disconnected_us);
    message->create_time = pb_time(cx, account->created_us);
    return message;
}

/* A page of the merchant's: https, or in test mode http on the machine itself. */
static bool url_allowed(const struct ctx *cx, const char *url)
{
    static const char *const loopback[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};

    if (strncmp(url, "https://", 8) == 0) {
        return url[8] != '\0' && url[8] != '/' && strpbrk(url, " \t\r\n\"<>\\") == NULL;
    }
    for (size_t i = 0; !cx->caller.live && i < ARRAY_LEN(loopback); i++) {
        const size_t len = strlen(loopback[i]);

        if (strncmp(url, loopback[i], len) == 0 && strchr(":/?", url[len]) != NULL) {
            return strpbrk(url, " \t\r\n\"<>\\") == NULL;
        }
    }
    return false;
}

static struct status
check_url(struct ctx *cx, const char *field, const char *url, size_t length_min)
{
    TRY(pb_check_text(cx, field, url, length_min, URL_BYTES_MAX));
    return url[0] == '\0' || url_allowed(cx, url)
               ? STATUS_OK
               : status_field(cx, field, "must be an https URL, or in test mode http on localhost");
}

static struct status read_draft(
    struct ctx *cx,
    const Billingos__V1__ConnectPaymentAccountRequest *request,
    struct payment_account_draft *ret_draft)
{
    struct status result = STATUS_OK;

    field_note(cx, &result, check_url(cx, "return_url", request->return_url, 1));
    field_note(cx, &result, check_url(cx, "refresh_url", request->refresh_url, 0));
    field_note(cx, &result, pb_check_text(cx, "email", request->email, 0, EMAIL_BYTES_MAX));
    if (request->country_code[0] != '\0' && !organization_country_valid(request->country_code)) {
        field_note(cx, &result, status_field(cx, "country_code", "must be two upper-case letters"));
    }
    *ret_draft = (struct payment_account_draft){
        .return_url = request->return_url,
        .refresh_url = request->refresh_url,
        .email = request->email,
        .country = request->country_code,
    };
    return result;
}

struct status payment_account_connect(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ConnectPaymentAccountRequest request =
        *PB_REQUEST(Billingos__V1__ConnectPaymentAccountRequest, req);
    Billingos__V1__ConnectPaymentAccountResponse *response = PB_NEW(
        cx,
        Billingos__V1__ConnectPaymentAccountResponse,
        billingos__v1__connect_payment_account_response__init);
    struct payment_account_draft draft;
    struct payment_account_link link;
    struct payment_account account;
    struct keyed keyed;

    TRY(read_draft(cx, &request, &draft));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(payment_accounts_connect(cx, services, &keyed, &draft, &account, &link));
    response->payment_account = account_pb(cx, &account);
    response->onboarding_url = pb_text(link.url);
    response->expire_time = pb_time(cx, link.expires_us);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_account_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__GetPaymentAccountResponse *response = PB_NEW(
        cx,
        Billingos__V1__GetPaymentAccountResponse,
        billingos__v1__get_payment_account_response__init);
    struct payment_account account;

    (void)req;
    TRY(payment_accounts_get(cx, services, &account));
    response->payment_account = account_pb(cx, &account);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_account_refresh(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__RefreshPaymentAccountResponse *response = PB_NEW(
        cx,
        Billingos__V1__RefreshPaymentAccountResponse,
        billingos__v1__refresh_payment_account_response__init);
    struct payment_account account;

    (void)req; /* reading anew twice is no second effect, so the request_id claims nothing */
    TRY(payment_accounts_refresh(cx, services, &account));
    response->payment_account = account_pb(cx, &account);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_account_onboarding_link(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__CreateOnboardingLinkRequest *request =
        PB_REQUEST(Billingos__V1__CreateOnboardingLinkRequest, req);
    Billingos__V1__CreateOnboardingLinkResponse *response = PB_NEW(
        cx,
        Billingos__V1__CreateOnboardingLinkResponse,
        billingos__v1__create_onboarding_link_response__init);
    struct payment_account_link link = {.url = ""};
    struct status result = STATUS_OK;

    field_note(cx, &result, check_url(cx, "return_url", request->return_url, 1));
    field_note(cx, &result, check_url(cx, "refresh_url", request->refresh_url, 0));
    TRY(result);
    TRY(payment_accounts_onboard(cx, services, request->return_url, request->refresh_url, &link));
    response->onboarding_url = pb_text(link.url);
    response->expire_time = pb_time(cx, link.expires_us);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_account_dashboard_link(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CreateDashboardLinkResponse *response = PB_NEW(
        cx,
        Billingos__V1__CreateDashboardLinkResponse,
        billingos__v1__create_dashboard_link_response__init);
    const char *url = "";

    (void)req; /* a link works once: the same one again would be of no use */
    TRY(payment_accounts_dashboard(cx, services, &url));
    response->dashboard_url = pb_text(url);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status disconnect_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const Billingos__V1__DisconnectPaymentAccountRequest *request =
        PB_REQUEST(Billingos__V1__DisconnectPaymentAccountRequest, req);
    Billingos__V1__DisconnectPaymentAccountResponse *response = PB_NEW(
        cx,
        Billingos__V1__DisconnectPaymentAccountResponse,
        billingos__v1__disconnect_payment_account_response__init);
    struct payment_account account;

    TRY(payment_accounts_disconnect(cx, services, tx, request->note, &account));
    response->payment_account = account_pb(cx, &account);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_account_disconnect(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__DisconnectPaymentAccountRequest request =
        *PB_REQUEST(Billingos__V1__DisconnectPaymentAccountRequest, req);

    TRY(pb_check_text(cx, "note", request.note, 0, NOTE_BYTES_MAX));
    return keyed_call(
        cx,
        services,
        &request.base,
        &request.request_id,
        &billingos__v1__disconnect_payment_account_response__descriptor,
        disconnect_work,
        ret_response);
}
