#include "sandbox/account_api.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/account_link.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

#define PARAMS_ACCOUNT                                                                            \
    {"email", PARAM_TEXT, PARAM_UNSET, NULL},                                                     \
        {"business_type",                                                                         \
         PARAM_ENUM,                                                                              \
         PARAM_UNSET,                                                                             \
         "individual|company|non_profit|government_entity"},                                      \
        {"business_profile[name]", PARAM_TEXT, PARAM_UNSET, NULL},                                \
        {"business_profile[url]", PARAM_TEXT, PARAM_UNSET, NULL},                                 \
        {"business_profile[mcc]", PARAM_TEXT, PARAM_UNSET, NULL},                                 \
        {"business_profile[support_email]", PARAM_TEXT, PARAM_UNSET, NULL},                       \
        {"business_profile[product_description]", PARAM_TEXT, PARAM_UNSET, NULL},                 \
        {"capabilities[card_payments][requested]", PARAM_BOOL, 0, NULL},                          \
        {"capabilities[transfers][requested]", PARAM_BOOL, 0, NULL},                              \
        {"default_currency", PARAM_TEXT, 0, NULL}, {"capabilities", PARAM_UNSUPPORTED, 0, NULL},  \
        {"company", PARAM_UNSUPPORTED, 0, NULL}, {"individual", PARAM_UNSUPPORTED, 0, NULL},      \
        {"external_account", PARAM_UNSUPPORTED, 0, NULL},                                         \
        {"settings", PARAM_UNSUPPORTED, 0, NULL}, {"tos_acceptance", PARAM_UNSUPPORTED, 0, NULL}, \
        PARAMS_METADATA, PARAMS_EXPAND

static const struct param create_params[] = {
    {"type", PARAM_ENUM, 0, "express|standard|custom"},
    {"country", PARAM_TEXT, 0, NULL},
    {"controller[stripe_dashboard][type]", PARAM_ENUM, 0, "express|full|none"},
    {"controller[fees][payer]", PARAM_ENUM, 0, "account|application"},
    {"controller[losses][payments]", PARAM_ENUM, 0, "application|stripe"},
    {"controller[requirement_collection]", PARAM_ENUM, 0, "application|stripe"},
    PARAMS_ACCOUNT,
    PARAM_END,
};

static const struct param update_params[] = {PARAMS_ACCOUNT, PARAM_END};

static const struct param list_params[] = {PARAMS_LIST, PARAMS_TIME_FILTER("created"), PARAM_END};

static void update(struct call *call, struct account *account)
{
    call_update_text(call, "email", &account->email);
    call_update_text(call, "business_type", &account->business_type);
    call_update_text(call, "business_profile[name]", &account->business_name);
    call_update_text(call, "business_profile[url]", &account->business_url);
    call_update_text(call, "business_profile[mcc]", &account->mcc);
    call_update_text(call, "business_profile[support_email]", &account->support_email);
    call_update_text(call, "business_profile[product_description]", &account->product_description);
    call_update_text(call, "default_currency", &account->currency);
    account->card_payments_requested =
        call_bool(call, "capabilities[card_payments][requested]", account->card_payments_requested);
    account->transfers_requested =
        call_bool(call, "capabilities[transfers][requested]", account->transfers_requested);
    metadata_update(call, &account->metadata, "metadata");
}

/* The rules that hold between the parts of the controller. */
static bool check_controller(struct call *call)
{
    const char *dashboard = call_text(call, "controller[stripe_dashboard][type]");
    const char *payer = call_text(call, "controller[fees][payer]");
    const char *losses = call_text(call, "controller[losses][payments]");
    const bool capabilities = form_has(&call->form, "capabilities");

    if (form_has(&call->form, "controller") && call_text(call, "type") != NULL) {
        return call_fail(
            call,
            400,
            NULL,
            "type",
            "You may not provide the `type` parameter and the `controller` parameter together.");
    }
    if (losses != NULL && strcmp(losses, "application") == 0 &&
        (payer == NULL || strcmp(payer, "application") != 0)) {
        return call_fail(
            call,
            400,
            NULL,
            "controller[losses][payments]",
            "When `controller[losses][payments]` is `application`, `controller[fees][payer]` must "
            "be "
            "`application`.");
    }
    if (dashboard != NULL && strcmp(dashboard, "full") != 0 && !capabilities) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "capabilities",
            "You must request at least one capability for accounts without the full dashboard.");
    }
    return true;
}

static bool account_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    const char *country = call_text(call, "country");
    const char *type = call_text(call, "type");
    struct account *account = NULL;

    if (!check_controller(call) || !metadata_check(call, &none, "metadata")) {
        return false;
    }
    if (country != NULL && (strlen(country) != 2 || !isupper((unsigned char)country[0]))) {
        return call_fail(
            call, 400, "country_unsupported", "country", "Country '%s' is unknown.", country);
    }
    account = account_new(call->sim);
    call_update_text(call, "country", &account->country);
    call_update_text(call, "controller[stripe_dashboard][type]", &account->dashboard);
    call_update_text(call, "controller[fees][payer]", &account->fees_payer);
    call_update_text(call, "controller[losses][payments]", &account->losses_payments);
    if (type != NULL) {
        account->type = sim_text(call->sim, type);
        account->dashboard = strcmp(type, "standard") == 0 ? "full"
                             : strcmp(type, "custom") == 0 ? "none"
                                                           : "express";
    }
    update(call, account);
    return call_reply(call, account);
}

static bool find(struct call *call, struct account **ret_account)
{
    const char *id = call->ids[0] == NULL ? call->account->object.id : call->ids[0];
    struct account *account = account_find(call->sim, id);

    /* A connected account sees itself only. An account that is gone looks like one of a stranger.
     */
    if (account == NULL || (call->account != call->sim->platform && account != call->account)) {
        call_fail(
            call,
            403,
            "account_invalid",
            NULL,
            "The provided key does not have access to account '%s' (or that account does not "
            "exist). Application access may have been revoked.",
            id);
        return false;
    }
    *ret_account = account;
    return true;
}

static bool account_retrieve(struct call *call)
{
    struct account *account = NULL;

    return find(call, &account) && call_reply(call, account);
}

static bool account_update(struct call *call)
{
    struct account *account = NULL;
    const char *before = NULL;

    if (!find(call, &account) || !metadata_check(call, &account->metadata, "metadata")) {
        return false;
    }
    before = event_snapshot(call->sim, account);
    update(call, account);
    event_emit(call->sim, "account.updated", account, before);
    return call_reply(call, account);
}

static bool account_delete(struct call *call)
{
    struct account *account = NULL;

    if (!find(call, &account)) {
        return false;
    }
    if (account == call->sim->platform) {
        return call_fail(call, 400, NULL, NULL, "You cannot delete your own account.");
    }
    account_deauthorize(call->sim, account);
    account->object.deleted = true;
    return call_reply(call, account);
}

static bool match_created(const struct call *call, const struct object *object)
{
    return list_time_matches(call, "created", object->created_s);
}

static bool account_list(struct call *call)
{
    return list_reply(call, KIND_ACCOUNT, match_created);
}

static const struct param link_params[] = {
    {"account", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"type", PARAM_ENUM, PARAM_REQUIRED, "account_onboarding|account_update"},
    {"refresh_url", PARAM_TEXT, 0, NULL},
    {"return_url", PARAM_TEXT, 0, NULL},
    {"collect", PARAM_ENUM, 0, "currently_due|eventually_due"},
    {"collection_options[fields]", PARAM_ENUM, 0, "currently_due|eventually_due"},
    {"collection_options[future_requirements]", PARAM_ENUM, 0, "include|omit"},
    PARAMS_EXPAND,
    PARAM_END,
};

/* The address under which this client reached us; its browser will, too. */
static const char *base_url(const struct call *call)
{
    const char *host = call->http->transport == NULL ? NULL : http_header(call->http, "Host");

    return arena_printf(call->cx->arena, "http://%s", host == NULL ? "127.0.0.1:12111" : host);
}

static bool link_create(struct call *call)
{
    struct account *account = account_find(call->sim, call_text(call, "account"));
    struct account_link *link = NULL;
    struct render render;

    if (account == NULL || account == call->sim->platform) {
        return call_fail_missing(call, KIND_ACCOUNT, call_text(call, "account"), "account");
    }
    if (strcmp(call_text(call, "type"), "account_update") == 0 &&
        strcmp(account->dashboard, "none") != 0) {
        return call_fail(
            call,
            400,
            NULL,
            "type",
            "You cannot create `account_update` type Account Links for this account.");
    }
    if (call_text(call, "refresh_url") == NULL || call_text(call, "return_url") == NULL) {
        const char *param = call_text(call, "refresh_url") == NULL ? "refresh_url" : "return_url";

        return call_fail(
            call, 400, "parameter_missing", param, "Missing required param: %s.", param);
    }
    link = account_link_new(
        call->sim, account, call_text(call, "refresh_url"), call_text(call, "return_url"));
    render_begin(&render, call->sim, &call->body, NULL);
    json_open_object(&render.writer, NULL);
    json_put_text(&render.writer, "object", "account_link");
    json_put_i64(&render.writer, "created", call->sim->now_s);
    json_put_i64(&render.writer, "expires_at", link->expires_s);
    json_put_text(
        &render.writer,
        "url",
        arena_printf(call->cx->arena, "%s/_sim/onboarding/%s", base_url(call), link->token));
    json_close_object(&render.writer);
    call->status = 200;
    return true;
}

static bool login_link_create(struct call *call)
{
    struct account *account = NULL;
    struct render render;

    if (!find(call, &account)) {
        return false;
    }
    if (!account_is_express(account) || !account_details_submitted(account)) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "Cannot create a login link for an account that has not completed onboarding, or has "
            "no "
            "Express dashboard.");
    }
    render_begin(&render, call->sim, &call->body, NULL);
    json_open_object(&render.writer, NULL);
    json_put_text(&render.writer, "object", "login_link");
    json_put_i64(&render.writer, "created", call->sim->now_s);
    json_put_text(
        &render.writer,
        "url",
        arena_printf(
            call->cx->arena,
            "%s/_sim/express/%s/%s",
            base_url(call),
            account->object.id,
            sim_draw_id(call->sim, "")));
    json_close_object(&render.writer);
    call->status = 200;
    return true;
}

const struct endpoint account_api[] = {
    {"POST", "/v1/accounts", account_create, create_params, KIND_ACCOUNT, ENDPOINT_PLATFORM},
    {"GET",
     "/v1/accounts",
     account_list,
     list_params,
     KIND_ACCOUNT,
     ENDPOINT_PLATFORM | ENDPOINT_LIST},
    {"GET", "/v1/account", account_retrieve, NULL, KIND_ACCOUNT, 0},
    {"GET", "/v1/accounts/{}", account_retrieve, NULL, KIND_ACCOUNT, 0},
    {"POST", "/v1/accounts/{}", account_update, update_params, KIND_ACCOUNT, 0},
    {"DELETE", "/v1/accounts/{}", account_delete, NULL, KIND_ACCOUNT, ENDPOINT_PLATFORM},
    {"POST", "/v1/account_links", link_create, link_params, KIND_NONE, ENDPOINT_PLATFORM},
    {"POST", "/v1/accounts/{}/login_links", login_link_create, NULL, KIND_NONE, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
